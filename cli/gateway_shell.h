/* `lamppost gateway shell`: a shell on a gateway's station, in a terminal or between pipes. */
#ifndef LAMPPOST_CLI_GATEWAY_SHELL_H
#define LAMPPOST_CLI_GATEWAY_SHELL_H

#include "cli/command.h"

extern const struct cli_command cli_gateway_shell_commands[];
extern const size_t cli_gateway_shell_command_count;

#endif
