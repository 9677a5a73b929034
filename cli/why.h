/* `lamppost why`: which rule decided what about a device, gateway, join, downlink or frame, with its numbers. */
#ifndef LAMPPOST_CLI_WHY_H
#define LAMPPOST_CLI_WHY_H

#include "cli/command.h"

extern const struct cli_command cli_why_commands[];
extern const size_t cli_why_command_count;

#endif
