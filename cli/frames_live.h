/* The screen of `lamppost frames` on a terminal: stream, keys and clock brought together. Drawn at most ten times a second,
 * whatever the rate. */
#ifndef LAMPPOST_CLI_FRAMES_LIVE_H
#define LAMPPOST_CLI_FRAMES_LIVE_H

#include "cli/frame_stream.h"

/* Shows frames until q, SIGINT, SIGTERM, or the server's refusal. Returns an enum cli_exit. */
int cli_frames_live(const struct cli_arguments *arguments, const struct cli_frame_filters *filters);

#endif
