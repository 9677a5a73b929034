/* The life of a downlink item as one state machine: which event is allowed in which state, under which guard, and where
 * it leads. Pure: item_flow.c applies it (journal, events to the application server), nothing else changes a state.
 *
 *	                           held back
 *	                          ┌────┐
 *	 enqueue                  ▼    │            plan               taken, confirmed          ACK
 *	─────────▶ NONE ───────▶ QUEUED ──────────────────▶ PLANNED ───────────────────▶ WAITING ──▶ acknowledged
 *	             │             │ ▲ ▲     not sent         │   │  taken, unconfirmed      │ │ │
 *	             │             │ │ └──────────────────────┘   └────────────▶ sent        │ │ │
 *	             │             │ └───────────────────────────────────────────────────────┘ │ │
 *	             │             │          no ACK and tries left, session ended             │ │
 *	             ▼             ▼                                                           ▼ ▼
 *	   refused, stale_counter  expired, failed, refused, stale_counter              failed, expired
 *
 * Lower case: ends. An item whose frame has been handed to a gateway cannot be called back: what happens to it meanwhile
 * (expiry, flush, end of its session) is judged when the gateway has said what became of the frame. */
#ifndef LAMPPOST_NETWORK_SERVER_ITEM_STATE_H
#define LAMPPOST_NETWORK_SERVER_ITEM_STATE_H

#include "common/proto/network_messages.h"

enum ns_item_state {
	NS_ITEM_NONE,    /* not in the queue: before it came */
	NS_ITEM_QUEUED,  /* may go with the next frame that holds it */
	NS_ITEM_PLANNED, /* in a frame that was handed to a gateway */
	NS_ITEM_WAITING, /* sent and confirmed: the next uplink tells */
	/* Ends; the item is no longer in the queue. */
	NS_ITEM_SENT,
	NS_ITEM_ACKNOWLEDGED,
	NS_ITEM_FAILED,
	NS_ITEM_EXPIRED,
	NS_ITEM_REFUSED,
	NS_ITEM_STALE,
	NS_ITEM_STATE_COUNT
};

enum ns_item_event {
	NS_ITEM_ENQUEUE, /* the application server wants it sent */
	NS_ITEM_REFUSE,  /* it cannot be */
	NS_ITEM_HOLD,    /* not in this frame: too long for it, no Seal in time, no way to send (told once) */
	NS_ITEM_SEAL_REFUSED,   /* the application server cannot encrypt it */
	NS_ITEM_COUNTER_PASSED, /* it was encrypted under a counter that is spent */
	NS_ITEM_PLAN,           /* its frame was handed to a gateway */
	NS_ITEM_TAKEN,          /* a gateway took it, or said nothing */
	NS_ITEM_NOT_SENT,       /* no gateway took it */
	NS_ITEM_ACK,            /* an uplink acknowledged it */
	NS_ITEM_NO_ACK,         /* an uplink did not */
	NS_ITEM_EXPIRE,         /* its time has passed */
	NS_ITEM_FLUSH,          /* the application server wants it gone */
	NS_ITEM_SESSION_ENDED,  /* the device joined anew, or its keys were changed */
	NS_ITEM_DEVICE_GONE,    /* the device is no longer registered */
	NS_ITEM_EVENT_COUNT
};

enum ns_item_guard {
	NS_ITEM_ALWAYS,
	NS_ITEM_IF_CONFIRMED,
	NS_ITEM_IF_ENCRYPTED, /* by the agency, under one counter */
	NS_ITEM_IF_FLUSHED,   /* it was, while in a frame */
	NS_ITEM_IF_EXPIRED,   /* its time has passed */
	NS_ITEM_IF_SPENT,     /* confirmed, and as many frames carried it as may */
	NS_ITEM_GUARD_COUNT
};

/* What the guards ask. */
struct ns_item_facts {
	bool confirmed, encrypted, flushed, expired, spent;
};

struct ns_item_rule {
	enum ns_item_state from;
	enum ns_item_event event;
	enum ns_item_guard guard;
	enum ns_item_state to;
	bool reported; /* an event tells the application server */
};

/* The table, in the order in which guards are tried. */
extern const struct ns_item_rule ns_item_rules[];
extern const size_t ns_item_rule_count;

/* Lends the row that applies, or NULL: the event is not allowed in that state. */
const struct ns_item_rule *ns_item_rule(enum ns_item_state from, enum ns_item_event event,
					const struct ns_item_facts *facts);
/* Whether an item in this state has left the queue for good. */
bool ns_item_is_over(enum ns_item_state state);
/* What the application server is told; asserts on NS_ITEM_NONE. */
enum net_item_status ns_item_status(enum ns_item_state state);
const char *ns_item_state_name(enum ns_item_state state);
const char *ns_item_event_name(enum ns_item_event event);

#endif
