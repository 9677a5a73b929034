/* rule: includes as: common/base/bad.c */
#include "hex.h"
