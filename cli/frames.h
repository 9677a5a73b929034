/* `lamppost frames`: live radio frames with their verdicts, as lines, as JSON lines, on a screen, or as packets. */
#ifndef LAMPPOST_CLI_FRAMES_H
#define LAMPPOST_CLI_FRAMES_H

#include "cli/command.h"

extern const struct cli_command cli_frames_commands[];
extern const size_t cli_frames_command_count;

#endif
