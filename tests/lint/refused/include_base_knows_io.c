/* rule: includes as: common/base/bad.c */
#include "common/io/loop.h"
