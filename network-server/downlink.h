/* One downlink from the moment it could be sent to what became of it. Every uplink opens an opportunity: something to say
 * may come up until the frame has to leave (DESIGN 5: at max(now, RX start − 800 ms)); with nothing to say it stays open
 * for as long as a gateway can still be reached before RX2, so that a late command finds it.
 *
 *	          ns_downlink_open()                      nothing to say, and it is too late for more
 *	uplink ──────────────────────▶ OPEN ──────────────────────────────────────────────▶ gone
 *	                               │  ▲ │ nothing to say yet
 *	                 due, or an    │  └─┘
 *	                 item came:    │
 *	                      item     │      no item
 *	             ┌─────────────────┴──────────────┐
 *	             ▼                                ▼
 *	          SEALING ──sealed, or 20 ms──▶ send_frame() ──▶ SENT ──TX_OK, silence──▶ gone
 *	                                                        │ ▲ │
 *	                             refused by a gateway: the  │ │ │ too early: the same attempt later
 *	                             best attempt that is left  └─┘ │      ┌─────────────────────┐
 *	                             (tx_ack.c)                     └─────▶ HELD ──due──▶ SENT ──┘
 *
 * The counter is journaled before the Seal goes out, and the frame's bytes never change after (invariant 2): every
 * attempt sends the same bytes. What happens to the item that a frame carries is item_flow.c's. */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_H

#include "network-server/downlink_plan.h"
#include "network-server/network.h"

#define NS_ANSWERS_MAX 64 /* bytes of MAC answers waiting to go */
#define NS_NO_SECOND   255
#define NS_SILENCE \
	(4 * US_PER_S) /* behind the last window: its bridge has told of a gateway's silence before */
#define NS_CLASS_A_LEAD  (800 * US_PER_MS)
#define NS_SEAL_TIMEOUT  (20 * US_PER_MS)
#define NS_SEALS_MAX     4096
#define NS_REACTION_TIME (100 * US_PER_MS) /* waited with RxDelay 1 s for an application's reaction */
#define NS_ANSWER_EARLY  (500 * US_PER_MS) /* before RX1: what the share of early answers counts */
#define NS_ACCEPT_EARLY  (3 * US_PER_S)    /* before its RX1: the same for join-accepts */

enum ns_downlink_state {
	NS_DOWNLINK_OPEN,
	NS_DOWNLINK_SEALING,
	NS_DOWNLINK_SENT,
	NS_DOWNLINK_HELD,
	NS_DOWNLINK_STATE_COUNT
};

struct ns_downlink {
	struct deadline deadline; /* first member */
	enum ns_downlink_state state;
	uint64_t id;
	bool is_join;
	uint32_t join_attempt; /* of a join: whose course this is (join_course.h) */
	uint32_t device;       /* slot; its `opportunity` is this until SENT */
	uint32_t session;      /* slot and tag */
	uint32_t tag;
	bool must;      /* a frame has to go even if it is empty */
	bool idle;      /* it was due, with nothing to say: an item that comes makes it leave at once */
	bool late;      /* an item made it leave later than it had to */
	bool restored;  /* of before a restart: only its item is left */
	bool unreached; /* its attempt came to no bridge */
	bool ack;
	uint32_t acked_fcnt_up; /* 1.1: ConfFCnt */
	uint8_t answers[NS_ANSWERS_MAX];
	uint8_t answers_length;
	int64_t beacon_from_gps_us; /* struct ns_answer */
	struct ns_windows windows;
	/* From fire() on. */
	bool has_item;
	struct net_uuid item;
	struct net_uuid sealing; /* the key under which SEALING is found */
	uint32_t fcnt_down;
	bool more; /* another item waits: FPending */
	struct ns_plan plan;
	uint8_t attempt;    /* the one that was sent last */
	uint8_t second;     /* RX2 of the same gateway that went along with it, or NS_NO_SECOND */
	struct mono handed; /* when that was handed to its bridge */
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
};

/* What an uplink's handling found out about its answer. */
struct ns_answer {
	bool must, ack;
	uint32_t fcnt_up;
	uint8_t answers[NS_ANSWERS_MAX]; /* MAC commands, encoded */
	uint8_t answers_length;
	int64_t beacon_from_gps_us; /* end of the uplink, if BeaconTimingAns is among them; else 0 */
};

/* Opens the opportunity of an uplink that was accepted, or repeated; one of before that is still open is dropped. */
void ns_downlink_open(struct ns *ns, struct now now, uint32_t session, const struct ns_windows *windows,
		      const struct ns_answer *answer);
/* Sends a join-accept at once. */
void ns_downlink_join(struct ns *ns, struct now now, uint32_t device, const struct ns_windows *windows,
		      const uint8_t *phy, uint8_t length);
/* Due ones; from ns_on_tick(). */
void ns_downlink_tick(struct ns *ns, struct now now);
/* Drops what is being prepared for a device. */
void ns_downlink_cancel(struct ns *ns, uint32_t device);
/* An item came for a device: an opportunity that had nothing to say leaves with it. */
void ns_downlink_item_came(struct ns *ns, struct now now, uint32_t device);
/* A frame with this item was in flight before a restart: its gateway's answer is waited for. False: it cannot be. */
bool ns_downlink_restore(struct ns *ns, struct now now, const struct ns_item *item);
/* Sends attempt `index` of the plan. */
void ns_downlink_send(struct ns *ns, struct now now, struct ns_downlink *downlink, uint8_t index);
/* The gateway that had both windows sent in the second: that is the attempt now, and its airtime counts (tx_ack.c). */
void ns_downlink_took_second(struct ns *ns, struct now now, struct ns_downlink *downlink);
/* The present attempt is made again at its time less what answers leave before; false: that has passed. */
bool ns_downlink_hold(struct ns *ns, struct now now, struct ns_downlink *downlink);
/* Nobody said what became of it: counted as sent (tx_ack.c). */
void ns_downlink_silence(struct ns *ns, struct now now, struct ns_downlink *downlink);
/* Its time has come again (tx_ack.c). */
void ns_downlink_again(struct ns *ns, struct now now, struct ns_downlink *downlink);
/* A downlink of the outbox could not be handed to its bridge: the next attempt is made in the next turn (tx_ack.c). */
void ns_downlink_unreached(struct ns *ns, struct mono now, const struct ns_out *out);
/* A downlink of the outbox has left, at `now` by the clock of that moment: counts how early. */
void ns_downlink_left(struct ns *ns, struct mono now, const struct ns_out *out);
/* It is over. */
void ns_downlink_close(struct ns *ns, struct ns_downlink *downlink);

#endif
