/* rule: format as: common/base/bad.c */
int  spaced ( int a ){ return a; }
