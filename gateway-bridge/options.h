/* The core's options from the rows of the configuration. Pure. */
#ifndef LAMPPOST_BRIDGE_OPTIONS_H
#define LAMPPOST_BRIDGE_OPTIONS_H

#include "gateway-bridge/bridge.h"
#include "common/text/config.h"
#include "gateway-bridge/config.h"

struct gb_options gb_options_from(const struct config_common *common, const struct gb_config *config);

#endif
