/* The contexts of a gateway's last uplinks, by the counter value that the network server knows each of them by. A context is what its
 * gateway wrote into an uplink, to be given back with the answer; nothing is read out of it here.
 *
 * A class A downlink is a whole number of seconds, 1 to GB_CONTEXT_SECONDS, behind an uplink: the newest uplink that fits to the
 * microsecond is the one that it answers.
 *
 * Bounded: it begins with GB_CONTEXTS_FIRST places and doubles up to GB_CONTEXTS_MAX while the oldest may still be answered; past
 * that the oldest goes. It halves when those that may be answered are a quarter. Pure but for its memory. */
#ifndef LAMPPOST_BRIDGE_CONTEXTS_H
#define LAMPPOST_BRIDGE_CONTEXTS_H

#include "gateway-bridge/chirpstack.h"

#define GB_CONTEXTS_FIRST  16
#define GB_CONTEXTS_MAX    512
#define GB_CONTEXT_SECONDS 16
#define GB_CONTEXT_LIFE_US (20 * US_PER_S) /* RX2 of the longest delay, and the way here */

struct gb_context_slot {
	struct mono at;
	struct gw_ticks ticks;
	struct gb_chirpstack_context context;
};

struct gb_contexts {
	struct gb_context_slot *slots; /* owned; NULL: none yet */
	size_t room, count, newest;
	uint32_t made; /* the last counter value that was made up */
};

void gb_contexts_clear(struct gb_contexts *contexts); /* zeroes are an empty one */
/* A counter value for an uplink whose context has none: our own time, never the same twice in a row. */
struct gw_ticks gb_contexts_make_ticks(struct gb_contexts *contexts, struct mono now);
void gb_contexts_put(struct gb_contexts *contexts, struct mono now, struct gw_ticks ticks,
		     const struct gb_chirpstack_context *context);
/* Lends the context that a downlink at `ticks` goes by, and how far behind it that is; NULL: none is kept. */
const struct gb_chirpstack_context *gb_contexts_find(const struct gb_contexts *contexts, struct mono now,
						     struct gw_ticks ticks, span_us *delay_us);

#endif
