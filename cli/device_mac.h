/* `lamppost device mac EUI`: what the device has taken and refused of what the network wants of it. */
#ifndef LAMPPOST_CLI_DEVICE_MAC_H
#define LAMPPOST_CLI_DEVICE_MAC_H

#include "cli/command.h"

int cli_device_mac(const struct cli_arguments *arguments);

#endif
