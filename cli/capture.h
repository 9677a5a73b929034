/* `lamppost capture`: what a capture file holds, and sending it to a bridge again. */
#ifndef LAMPPOST_CLI_CAPTURE_H
#define LAMPPOST_CLI_CAPTURE_H

#include "cli/command.h"

#include <stdint.h>

extern const struct cli_command cli_capture_commands[];
extern const size_t cli_capture_command_count;

/* The runs, each in a file of its own. */
int cli_capture_info(const struct cli_arguments *arguments);
int cli_capture_replay(const struct cli_arguments *arguments);

/* Reads --port (1700). False after reporting: exit CLI_USAGE. */
bool cli_capture_port(const struct cli_arguments *arguments, uint16_t *port);

#endif
