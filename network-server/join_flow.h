/* A join or rejoin (rejoin.h) from its request to its accept (TS001 §6.2, TS002 §8).
 *
 *	            ns_join_handle()                       Success: session stored as pending,
 *	request ───────────────────▶ WAITING ─────────────▶ event, accept planned at once
 *	                             │  ▲                    refusal, unusable answer ──▶ gone
 *	          1 s, or call failed│  │ the same call again, same TransactionID
 *	                             └──┘                    no time left for RX2 ──▶ gone
 *
 * A retry with the same TransactionID gets the same answer from the join server and burns no second nonce. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_FLOW_H
#define LAMPPOST_NETWORK_SERVER_JOIN_FLOW_H

#include "common/lorawan/join_frame.h"
#include "network-server/downlink_plan.h"
#include "network-server/network.h"

#define NS_JOIN_RETRY US_PER_S

/* A gateway's time that is kept for an accept while the join server is asked (join_storm.h). */
struct ns_kept {
	bool held;
	uint32_t gateway; /* slot */
	struct lw_eui64 eui;
	uint32_t freq_hz;
	struct mono start;
	uint32_t airtime_us;
};

struct ns_join {
	struct deadline deadline; /* first member */
	uint8_t type;             /* LW_JOIN_REQ_TYPE_JOIN, or of a rejoin (rejoin.h) 0, 1, 2 */
	/* Of a rejoin: the session that the device uses, or NS_NO_SLOT. */
	uint32_t session, session_tag;
	uint16_t rj_count_expected;
	uint32_t transaction;
	uint32_t device; /* slot */
	struct lw_eui64 dev_eui;
	struct wall time;
	struct wall seen;    /* by our own clock */
	uint32_t airtime_us; /* of the request */
	struct mono give_up;
	uint8_t region;
	uint8_t join_dr;
	struct ns_windows windows;
	uint32_t rx2_freq_hz; /* after the accept */
	struct ns_join_call call;
	/* Of another's join server: whether a call is under way, how many were made, and why the last one failed. */
	bool calling;
	uint8_t tries;
	char cause[NS_JOIN_CAUSE];
	struct lw_dl_settings dl_settings;
	struct lw_channel_plan plan; /* what the device has after the accept */
	struct ns_kept kept;
	uint8_t storm_cause; /* of NS_DROP_JOIN_STORM */
	/* For join_course.c. */
	uint32_t attempt; /* 0: not told of */
	bool waits;       /* that was told */
	struct net_join_report report;
};

/* A join- or rejoin-request whose window has closed; the verdict has been counted. */
enum ns_drop ns_join_handle(struct ns *ns, struct now now, struct ns_frame *frame);
/* Lends the copy whose frequency most gateways heard, of those the one of the best SNR; ghosts on neighbouring channels are
 * fewer. */
const struct ns_copy *ns_join_best_copy(const struct ns_frame *frame);
void ns_join_tick(struct ns *ns, struct now now);

#endif
