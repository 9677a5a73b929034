/* What the steps of a join (join.c) and of a rejoin (rejoin.c) share. Private to the join server's core. */
#ifndef LAMPPOST_JOIN_SERVER_JOIN_PARTS_H
#define LAMPPOST_JOIN_SERVER_JOIN_PARTS_H

#include "join-server/join.h"

/* One message on its way through the steps. Holds keys: wiped at the end. */
struct js_attempt {
	struct js_join *join;
	struct now now;
	bool local;
	struct bi_message request;
	struct bi_error error;
	struct lw_net_id net_id;         /* SenderID */
	struct lw_eui64 receiver;        /* ReceiverID: a JoinEUI */
	struct lw_rejoin_request rejoin; /* of a RejoinReq: the frame, its MIC not looked at */
	const struct lw_kek *network_kek;
	const struct lw_kek *app_kek;
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
