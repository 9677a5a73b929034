/* rule: includes as: tests/unit/base/test_bad.c */
#include "common/base/hex.c"
