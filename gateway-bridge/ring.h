/* What waits for the network server: uplinks, transmission results, statistics, presence, in order of arrival. An entry
 * is let go only when the network server has acknowledged it, so that neither a restart of that server nor a broken
 * link loses one; after a reconnect everything unacknowledged is sent again.
 *
 *	put ──▶ [oldest … sent, not acknowledged │ not sent … newest]
 *	          ▲ acknowledge, expire           ▲ next, sent; rewind moves it back to the oldest
 *
 * Bounded in bytes and in age (invariant 7): past either the oldest goes, counted. A join-request is worth nothing once
 * its receive windows are over, so it is dropped instead of being sent.
 *
 * A message that the network server cannot take must not come first for ever, since nothing behind it would arrive. There are
 * two ways to know it: the other side named it in its Bye, or the link ended without a word while it was the only one on its
 * way. To get there, a link that ends so a second time in a row halves how many may be on their way, and an acknowledgement
 * doubles it again. After GB_RING_REFUSALS or GB_RING_FALLS such ends with nothing acknowledged between, it is let go. */
#ifndef LAMPPOST_BRIDGE_RING_H
#define LAMPPOST_BRIDGE_RING_H

#include "common/base/units.h"
#include "common/proto/envelope.h"

#include <stddef.h>

#define GB_JOIN_LIFE_US \
	(6 * US_PER_S) /* JOIN_ACCEPT_DELAY2 (RP002 §3.1): later no answer can reach the device */

#define GB_RING_REFUSALS 3  /* the other side said that it is this one */
#define GB_RING_FALLS    10 /* it fell silent: it may have other reasons, as a disk that is full */

/* A message for the network server; `kind` says which member holds. */
struct gb_report {
	enum proto_kind kind; /* PROTO_GATEWAY_UPLINK, _TX_ACK, _STATS or _PRESENCE */
	union {
		struct gw_uplink uplink; /* its age is filled in when it is taken */
		struct gw_tx_ack tx_ack;
		struct gw_stats stats;
		struct gw_presence presence;
	};
};

struct gb_ring_stats {
	uint64_t entries, bytes;                           /* now */
	uint64_t dropped_full, dropped_old, dropped_joins; /* since the start */
};

struct gb_ring; /* opaque */

struct gb_ring *gb_ring_new(uint64_t byte_limit, span_us age_limit);
void gb_ring_free(struct gb_ring *ring); /* NULL is allowed */
/* Other limits from now on; what is over the byte limit goes at once, counted, what is too old with the next gb_ring_expire(). */
void gb_ring_limit(struct gb_ring *ring, uint64_t byte_limit, span_us age_limit);
const struct gb_ring_stats *gb_ring_stats(const struct gb_ring *ring);

/* Takes a copy, at the cost of the oldest where there is no room. */
void gb_ring_put(struct gb_ring *ring, struct mono now, const struct gb_report *report);
/* Fills the next one to send, with its age; false when all were sent. Drops join-requests that are too old. */
bool gb_ring_next(struct gb_ring *ring, struct mono now, struct gb_report *report);
/* The one that gb_ring_next() filled left under this sequence number. */
void gb_ring_sent(struct gb_ring *ring, uint64_t seq);
/* Lets go of all that left with a number up to `seq`. */
void gb_ring_acknowledge(struct gb_ring *ring, uint64_t seq);
/* Everything is to be sent again, on another link. */
void gb_ring_rewind(struct gb_ring *ring);
/* The link ended, and the other side gave as its reason the message that left under `seq`. True when that was once too often:
 * then it has been let go, and `gone` filled. */
bool gb_ring_refused(struct gb_ring *ring, uint64_t seq, struct gb_report *gone);
/* The link ended without a word. As above. */
bool gb_ring_fell(struct gb_ring *ring, struct gb_report *gone);
/* Drops what has grown too old. */
void gb_ring_expire(struct gb_ring *ring, struct mono now);
/* When gb_ring_expire() next has something to do; MONO_NEVER when empty. */
struct mono gb_ring_deadline(const struct gb_ring *ring);

#endif
