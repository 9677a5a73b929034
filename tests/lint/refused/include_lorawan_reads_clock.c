/* rule: includes as: common/lorawan/bad.c */
#include <time.h>
