/* What only devices have: `lamppost device keys set` and `lamppost device import`. */
#ifndef LAMPPOST_CLI_DEVICE_H
#define LAMPPOST_CLI_DEVICE_H

#include "cli/command.h"

extern const struct cli_command cli_device_commands[];
extern const size_t cli_device_command_count;

#endif
