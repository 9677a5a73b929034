/* rule: words as: common/base/bad.c */
/* TODO: later */
