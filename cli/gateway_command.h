/* `lamppost gateway config`: a gateway's own configuration from its record. */
#ifndef LAMPPOST_CLI_GATEWAY_COMMAND_H
#define LAMPPOST_CLI_GATEWAY_COMMAND_H

#include "cli/command.h"

extern const struct cli_command cli_gateway_commands[];
extern const size_t cli_gateway_command_count;

#endif
