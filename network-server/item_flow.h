/* What happens to downlink items: every change of a state goes through item_state.h's table, a row of the journal and, as
 * the table says, an event to the application server, in that order and in one turn (invariants 1 and 10).
 *
 * Tries: a frame that carried an item counts, one that certainly was not sent does not. A confirmed item has as many as
 * its device's profile says (confirmed_downlink_tries: 3, at most 8); each is a new frame under a new counter. An item
 * that its agency encrypted has one. While an item is in a frame or waits for its ACK, no other of its device goes. */
#ifndef LAMPPOST_NETWORK_SERVER_ITEM_FLOW_H
#define LAMPPOST_NETWORK_SERVER_ITEM_FLOW_H

#include "network-server/network.h"

#define NS_ITEM_LOOK_AGAIN (60 * US_PER_S) /* at most this long between looks at the wall clock */
#define NS_ITEM_RECOVERY   (10 * US_PER_S) /* after a restart: how long a bridge's answer is waited for */

struct ns_downlink;

/* What an event says beside the state; zeros: nothing. */
struct ns_item_told {
	enum ns_drop cause;                 /* NS_ACCEPTED: "" */
	const char *cause_text;             /* in its place: another process's own word, or NULL */
	const struct net_uuid *uplink;      /* the id of the event of the uplink that told, or NULL */
	const struct ns_downlink *downlink; /* its present attempt is told, or NULL */
};

/* Applies an event to the item in `slot`; it must be allowed in its state. The slot is free again when the item is over:
 * then false is returned. */
bool ns_item_apply(struct ns *ns, struct now now, uint32_t slot, enum ns_item_event event,
		   const struct ns_item_told *told);

/* --- what the flows say; an item that is not there any more is nothing to anybody --- */
/* The item stays back from a frame; told when the cause is not the one told last. */
void ns_item_hold(struct ns *ns, struct now now, uint32_t slot, enum ns_drop cause);
/* The same of the item that the frame of `downlink` was made for, before any gateway was asked to send it. */
void ns_item_stays(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause);
/* The frame of `downlink` was handed to its first gateway. */
void ns_item_planned(struct ns *ns, struct now now, const struct ns_downlink *downlink);
/* A gateway took the frame, or nobody said otherwise. */
void ns_item_taken(struct ns *ns, struct now now, const struct ns_downlink *downlink);
/* No gateway took it; `cause` the last one's. */
void ns_item_not_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause);
/* Whether nobody wants the item of this frame sent any more. */
bool ns_item_is_unwanted(const struct ns *ns, struct now now, const struct ns_downlink *downlink);
/* A new uplink was accepted: it acknowledges the item that waits, or does not. */
void ns_items_uplink(struct ns *ns, struct now now, uint32_t device, bool ack, const struct net_uuid *event);
/* Counters moved: encrypted items whose counter is spent come back. */
void ns_items_counter_moved(struct ns *ns, struct now now, uint32_t device);
/* The device's session is over, or replaced. */
void ns_items_session_ended(struct ns *ns, struct now now, uint32_t device);
void ns_items_device_gone(struct ns *ns, struct now now, uint32_t device);
/* Items whose time has passed, some a turn; from ns_on_tick(). */
void ns_items_tick(struct ns *ns, struct now now);
/* After a start: deadlines, and frames whose gateway may still answer. */
void ns_items_loaded(struct ns *ns, struct now now);

/* --- which item goes --- */
/* Returns the slot of the item that goes into the next frame to the device, or NS_NO_SLOT. `room`: the MACPayload that
 * its windows hold; `answers`: bytes of FOpts that are taken. Items that do not fit are passed over, and told. `*more`:
 * whether another one waits that the device can be sent. */
uint32_t ns_item_pick(struct ns *ns, struct now now, uint32_t device, const struct ns_session *session,
		      uint8_t room, uint8_t answers, bool *more);

/* Longest FRMPayload that a class A downlink to this session holds: at its uplinks' data rate `dr`. */
uint8_t ns_session_max_payload(const struct ns *ns, const struct ns_session *session, uint8_t dr);

#endif
