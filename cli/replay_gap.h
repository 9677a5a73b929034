/* How far apart two frames of one device have to leave, however fast a replay is: a network collects the copies of a frame for a
 * fifth of a second before it judges, and frames of one device that fall into the same fifth may be judged in another order, the
 * earlier one as old. Copies of one frame are not held apart. */
#ifndef LAMPPOST_CLI_REPLAY_GAP_H
#define LAMPPOST_CLI_REPLAY_GAP_H

#include "cli/capture_item.h"
#include "common/base/table.h"

#define REPLAY_DEVICES_MAX 65536

struct replay_gap {
	span_us gap; /* 0: none */
	struct table devices;
	struct mono allowed; /* scratch of one question */
	struct mono now;
};

void replay_gap_init(struct replay_gap *gap, span_us length);
void replay_gap_release(struct replay_gap *gap);
/* The earliest moment for all frames of an item. */
struct mono replay_gap_allows(struct replay_gap *gap, const struct capture_item *item);
/* The item leaves now. */
void replay_gap_sent(struct replay_gap *gap, const struct capture_item *item, struct mono now);

#endif
