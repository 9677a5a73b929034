/* What the steps of a join (join.c) and of a rejoin (rejoin.c) share. Private to the join server's core. */
#ifndef LAMPPOST_JOIN_SERVER_JOIN_PARTS_H
#define LAMPPOST_JOIN_SERVER_JOIN_PARTS_H

#include "join-server/join.h"

/* One message on its way through the steps. Holds keys: wiped at the end. */
struct js_attempt {
	struct js_join *join;
	struct now now;
	const struct js_peer *peer; /* borrowed; NULL: nobody's */
	struct bi_message request;
	struct bi_error error;
	struct lw_net_id net_id;         /* SenderID */
	struct lw_eui64 receiver;        /* ReceiverID: a JoinEUI */
	struct lw_rejoin_request rejoin; /* of a RejoinReq: the frame, its MIC not looked at */
	struct js_kek *network_kek;      /* in join->keks */
	struct js_kek *app_kek;
	struct js_device record;
	struct lw_join_device device;
	struct lw_join_attempt frame;
	struct lw_join_answer accept;
	struct bi_message answer;
	struct js_outcome *outcome;
};

static inline bool js_attempt_is_rejoin(const struct js_attempt *attempt)
{
	return attempt->request.envelope.type == BI_REJOIN_REQ;
}

/* --- admission.c: step 1 --------------------------------------------------------------------------------------------- */

/* Reads the message, and checks that the peer may send it: its SenderID, its type, its ReceiverID. */
enum js_verdict js_admit(struct js_attempt *attempt, const uint8_t *body, size_t length);
/* A network server's own: there is a key that the session keys can be wrapped with. */
enum js_verdict js_admit_network(struct js_attempt *attempt);
/* Of a JoinReq or RejoinReq: the frame is for the receiver. */
enum js_verdict js_admit_frame(struct js_attempt *attempt);

/* --- join.c ---------------------------------------------------------------------------------------------------------- */

/* Loads attempt->record; JS_UNKNOWN_DEVICE, JS_STORE_FAILED. */
enum js_verdict js_find_record(struct js_attempt *attempt, const struct lw_eui64 *dev_eui);

/* --- lookups.c: HomeNSReq and AppSKeyReq --------------------------------------------------------------------------- */

/* Whether a network may have the device join. */
enum js_verdict js_check_home(const struct js_attempt *attempt);
/* JS_ANSWERED, attempt->answer filled; or why not. */
enum js_verdict js_look_up(struct js_attempt *attempt);
/* Keeps the wrapped AppSKey of the session that was just made. */
enum js_verdict js_keep_session(struct js_attempt *attempt);

/* --- rejoin.c: steps of a RejoinReq, in the order of join.h ------------------------------------------------------ */

/* 1. The PHYPayload is a rejoin-request; one of type 1 names the receiver. Notes what it claims in the outcome. */
enum js_verdict js_rejoin_check_frame(struct js_attempt *attempt);
/* 2. The record allows it: 1.1, and the receiver is its JoinEUI, which types 0 and 2 do not name. */
enum js_verdict js_rejoin_check_device(const struct js_attempt *attempt);
/* 4. What of it is used up; judges without changing anything, and notes the numbers in the outcome. */
enum js_verdict js_rejoin_judge(struct js_attempt *attempt);
/* Takes it after JS_ACCEPTED, and gives the JoinNonce to answer with. */
uint32_t js_rejoin_take(struct js_attempt *attempt);

#endif
