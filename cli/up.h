/* `lamppost up`: makes the state if there is none, starts the four processes, starts them again when they end, and stops
 * them in order. */
#ifndef LAMPPOST_CLI_UP_H
#define LAMPPOST_CLI_UP_H

#include "cli/command.h"

#define CLI_PROCESS_COUNT 4
/* In the order in which they are started; they are stopped the other way round: bridge, network, application, join. */
extern const char *const cli_process_names[CLI_PROCESS_COUNT];

extern const struct cli_command cli_up_commands[];
extern const size_t cli_up_command_count;

#endif
