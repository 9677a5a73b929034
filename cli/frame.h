/* `lamppost frame decode|build`: a frame explained, and a frame made; no server is asked. */
#ifndef LAMPPOST_CLI_FRAME_H
#define LAMPPOST_CLI_FRAME_H

#include "cli/command.h"

extern const struct cli_command cli_frame_commands[];
extern const size_t cli_frame_command_count;

#endif
