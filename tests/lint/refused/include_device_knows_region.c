/* rule: includes as: simulator/device.c */
#include "common/lorawan/region.h"
