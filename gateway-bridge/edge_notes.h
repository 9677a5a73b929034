/* The core's notes in the log: one line a second and verdict; the metrics count them all. */
#ifndef LAMPPOST_BRIDGE_EDGE_NOTES_H
#define LAMPPOST_BRIDGE_EDGE_NOTES_H

#include "gateway-bridge/bridge.h"

struct gb_notes {
	struct mono logged[GB_VERDICT_COUNT];
	unsigned unlogged[GB_VERDICT_COUNT];
};

void gb_note_log(struct gb_notes *notes, struct now now, const struct gb_note *note);

#endif
