/* `lamppost gateway run`: a command on a gateway's station. */
#ifndef LAMPPOST_CLI_GATEWAY_REMOTE_H
#define LAMPPOST_CLI_GATEWAY_REMOTE_H

#include "cli/command.h"

extern const struct cli_command cli_gateway_remote_commands[];
extern const size_t cli_gateway_remote_command_count;

#endif
