/* The frames inside an item of a capture: its own, or those in the JSON of a PUSH_DATA or PULL_RESP. */
#ifndef LAMPPOST_CLI_CAPTURE_BODY_H
#define LAMPPOST_CLI_CAPTURE_BODY_H

#include "cli/capture_item.h"

/* Calls `on_frame` for each, bytes lent; what cannot be read is passed over. Returns how many there were. */
uint64_t capture_each_frame(const struct capture_item *item,
			    void (*on_frame)(void *ctx, const uint8_t *phy, size_t length), void *ctx);

#endif
