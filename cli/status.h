/* `lamppost status`: asks each process's admin socket how it is. */
#ifndef LAMPPOST_CLI_STATUS_H
#define LAMPPOST_CLI_STATUS_H

#include "cli/command.h"

extern const struct cli_command cli_status_commands[];
extern const size_t cli_status_command_count;

#endif
