/* The pages of the manual that are about the command line, made from the rows of the commands: `lamppost __manual PAGE`, which
 * packaging/manual.sh runs for each. */
#ifndef LAMPPOST_CLI_MANUAL_H
#define LAMPPOST_CLI_MANUAL_H

#include "cli/command.h"

extern const struct cli_command cli_manual_commands[];
extern const size_t cli_manual_command_count;

#endif
