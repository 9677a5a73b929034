/* A data frame whose window has closed, step by step (TS001-1.0.4 §4, TS001-1.1 §4). */
#ifndef LAMPPOST_NETWORK_SERVER_UPLINK_H
#define LAMPPOST_NETWORK_SERVER_UPLINK_H

#include "common/lorawan/frame.h"
#include "network-server/downlink.h"
#include "network-server/network.h"

/* Where an uplink was heard, as its session sees it. */
struct ns_heard {
	uint32_t freq_hz;
	struct lw_modulation modulation;
	uint8_t dr;
	int channel; /* of the device; −1: none of its channels */
};

/* An uplink on its way through the steps. */
struct ns_uplink {
	struct ns_frame *frame;     /* borrowed */
	struct lw_frame parsed;     /* borrows frame->phy */
	uint64_t hash;              /* of the bytes without the MIC */
	uint32_t slot;              /* of the session */
	struct ns_session *session; /* NULL: no key fitted */
	uint32_t candidates;        /* sessions that have the address */
	uint32_t candidate;         /* device of the last of them */
	const struct ns_profile *profile;
	const struct lw_region *region;
	struct ns_heard heard;
	uint32_t fcnt;
	bool acks;             /* it acknowledges the last confirmed downlink; 1.1: by its ConfFCnt */
	struct net_uuid event; /* id of its event, once it is delivered */
	bool repeat;           /* of the last frame: answered, not delivered */
	bool late;             /* buffered somewhere: data, and nothing else */
	bool reset;            /* the device restarted its counters, and may */
	bool on_asked_channel; /* `heard.channel` is one that NewChannelReq in flight defines */
	span_us age;           /* of one that came late; −1: not known */
	uint8_t repeat_limit;  /* answers to repeats that are given */
	uint8_t previous_dr;   /* of the uplink before */
	uint8_t commands[LW_PHY_PAYLOAD_MAX];
	uint8_t commands_length;
	struct ns_answer answer;
};

/* Handles it; the verdict has been counted. */
enum ns_drop ns_uplink_handle(struct ns *ns, struct now now, struct ns_frame *frame);

/* Finds the session whose keys fit, and the 32-bit counter (session_match.c). */
enum ns_drop ns_uplink_match(struct ns *ns, struct ns_uplink *uplink);
/* Judges the counter: new, repeat, late, reset, or a drop (counter_verdict.c). */
enum ns_drop ns_uplink_judge_counter(struct ns *ns, struct now now, struct ns_uplink *uplink);
/* Journals the counter with the event, and queues the event (uplink_event.c). */
enum ns_drop ns_uplink_deliver(struct ns *ns, struct now now, struct ns_uplink *uplink);
/* The end of the reception as well as it is known: a GPS time of any copy, else a bridge's clock. */
struct wall ns_frame_time(const struct ns_frame *frame);
/* When the first copy came, by our own clock: what no gateway can get wrong. */
struct wall ns_frame_seen(struct now now, const struct ns_frame *frame);

#endif
