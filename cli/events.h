/* `lamppost events --follow`: readings and joins as they are delivered. */
#ifndef LAMPPOST_CLI_EVENTS_H
#define LAMPPOST_CLI_EVENTS_H

#include "cli/command.h"

extern const struct cli_command cli_events_commands[];
extern const size_t cli_events_command_count;

#endif
