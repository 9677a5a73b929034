/* `lamppost airtime`: who uses the air, and what is left of quotas. */
#ifndef LAMPPOST_CLI_AIRTIME_H
#define LAMPPOST_CLI_AIRTIME_H

#include "cli/command.h"

extern const struct cli_command cli_airtime_commands[];
extern const size_t cli_airtime_command_count;

#endif
