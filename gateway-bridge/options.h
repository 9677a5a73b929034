/* The core's options from the rows of the configuration. Pure. */
#ifndef LAMPPOST_BRIDGE_OPTIONS_H
#define LAMPPOST_BRIDGE_OPTIONS_H

#include "gateway-bridge/bridge.h"
#include "gateway-bridge/config.h"

struct gb_options gb_options_from(const struct gb_config *config);

#endif
