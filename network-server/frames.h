/* Live frames for whoever follows (common/proto/frame_messages.h): the flows say what became of a frame, this module makes
 * one message of it and puts it into a ring that the edge empties while the link has little to carry. Nobody follows: one
 * comparison (ns_frames_followed) and nothing else.
 *
 *	reception.c  ends before any window ──▶ held for a window's time, copies collected ──┐
 *	uplink.c     its verdict ────────────────────────────────────────────────────────────┤
 *	join_flow.c  join server asked ──▶ held until its word, or the join is given up ──────┼─▶ ring ──▶ edge
 *	downlink_send.c, tx_ack.c  handed over; the gateway's word ──────────────────────────┘
 *
 * Bounded (invariant 7): followers, the ring (full: the oldest frame goes, and its number is missing), what is held (full:
 * told at once). Nothing of it lasts, nothing is logged (invariant 12). */
#ifndef LAMPPOST_NETWORK_SERVER_FRAMES_H
#define LAMPPOST_NETWORK_SERVER_FRAMES_H

#include "common/proto/frame_messages.h"
#include "common/proto/gateway_messages.h"
#include "network-server/tx_result.h"
#include "network-server/verdict.h"

#define NS_FRAMES_MAX      512 /* waiting for the link */
#define NS_FRAMES_HELD_MAX 256

struct ns;
struct ns_uplink;
struct ns_frame;
struct ns_join;
struct ns_downlink;
struct bi_envelope;

/* A frame that is not told yet. */
struct ns_held {
	struct mono until;
	uint32_t transaction; /* a join's, 0: a window's */
	uint64_t hash;        /* of the bytes: a window's copies are found by it */
	struct net_frame frame;
};

struct ns_frames {
	uint32_t follower_count;
	uint32_t foreign_count; /* followers that want other networks' frames */
	struct ns_follower {
		bool used;
		struct mono until;
		struct net_frame_filter filter;
	} followers[NET_FOLLOWERS_MAX];
	struct net_frame *ring; /* owned */
	uint32_t start, count;
	struct ns_held *held; /* owned */
	uint32_t held_count;
	struct mono next;       /* when something held is due; MONO_NEVER */
	uint64_t number;        /* of the last one */
	uint64_t told, dropped; /* since the start */
};

void ns_frames_init(struct ns_frames *frames);
void ns_frames_release(struct ns_frames *frames);

static inline bool ns_frames_followed(const struct ns_frames *frames)
{
	return frames->follower_count > 0;
}

/* The application server wants frames, or no longer does. */
void ns_on_frames_wanted(struct ns *ns, struct now now, const struct net_frames_wanted *wanted);
/* It has gone, and its followers with it. */
void ns_frames_forsaken(struct ns_frames *frames);

/* --- what the flows say; each only where somebody follows --- */
/* One reception that goes no further than that. */
void ns_frames_stopped(struct ns *ns, struct now now, const struct gw_uplink *uplink, enum ns_drop drop);
/* A data frame whose window has closed; session, counter and rate as far as they were found. */
void ns_frames_uplink(struct ns *ns, struct now now, const struct ns_uplink *uplink, enum ns_drop drop);
/* A join-request whose window has closed; NS_ACCEPTED: the join server is asked, ns_frames_joined() follows. */
void ns_frames_join(struct ns *ns, struct now now, const struct ns_frame *heard, const struct ns_join *join,
		    enum ns_drop drop);
/* What became of it. `answer` is the join server's with NS_DROP_JOIN_REFUSED, else NULL. */
void ns_frames_joined(struct ns *ns, struct now now, const struct ns_join *join, enum ns_drop drop,
		      const struct bi_envelope *answer);
/* The present attempt of a downlink is handed to its bridge. */
void ns_frames_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink);
/* What the gateway said of it; GW_TX_NO_ANSWER: nothing. `power_dbm` NULL: as it was told. */
void ns_frames_answered(struct ns *ns, struct now now, const struct ns_downlink *downlink,
			enum gw_tx_result result, const struct ns_tx_rule *rule, const int16_t *power_dbm);

/* --- time, and the edge --- */
void ns_frames_tick(struct ns *ns, struct now now);
/* Lends the oldest, NULL when there is none; valid until the next change. */
const struct net_frame *ns_frames_first(const struct ns_frames *frames);
void ns_frames_take(struct ns_frames *frames);

#endif
