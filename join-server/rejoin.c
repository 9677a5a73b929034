/* The steps in which a rejoin differs from a join (TS001-1.1 §6.2.4, TS002 §8), see join.h. Each answers JS_ACCEPTED or the
 * verdict that ends it.
 *
 *	type  MIC made with     checked by        its count is judged by
 *	0, 2  SNwkSIntKey       network server    network server, in the session
 *	1     JSIntKey          here              here: RJcount1, per JoinEUI and DevEUI
 */
#include "join-server/join_parts.h"

#include "common/lorawan/version.h"

enum js_verdict js_rejoin_check_frame(struct js_attempt *attempt)
{
	const struct bi_join_req *req = &attempt->request.join_req;
	const struct lw_rejoin_request *frame = &attempt->rejoin;
	if (lw_rejoin_request_parse(&attempt->rejoin, req->phy_payload, req->phy_length) != LW_OK)
		return JS_NOT_A_JOIN_REQUEST;
	bool ours = frame->type != 1 || lw_eui64_equal(&attempt->receiver, &frame->join_eui);
	return ours ? JS_ACCEPTED : JS_UNKNOWN_RECEIVER;
}

enum js_verdict js_rejoin_check_device(const struct js_attempt *attempt)
{
	if (!lw_eui64_equal(&attempt->receiver, &attempt->record.join_eui))
		return attempt->rejoin.type == 1 ? JS_UNKNOWN_DEVICE : JS_UNKNOWN_RECEIVER;
	return lw_behaves(attempt->record.mac_version, LW_REJOINS) ? JS_ACCEPTED : JS_REJOIN_NOT_1_1;
}

/* The network whose session it is: the one that the last accept was made for; ours where nobody noted that. The frame names
 * it too. */
static bool is_of_sender(const struct js_attempt *attempt)
{
	const struct js_join *join = attempt->join;
	struct lw_net_id home = join->nonces.has_net_id ? join->nonces.net_id : join->options.net_id;
	return home.value == attempt->net_id.value && attempt->rejoin.net_id.value == attempt->net_id.value;
}

enum js_verdict js_rejoin_judge(struct js_attempt *attempt)
{
	const struct js_nonces *nonces = &attempt->join->nonces;
	uint8_t type = attempt->frame.join_req_type;
	if (type != 1 && !is_of_sender(attempt))
		return JS_REJOIN_OTHER_NETWORK;
	enum js_verdict verdict = js_nonces_judge_rejoin(nonces, type, attempt->frame.nonce,
							 attempt->now.wall);
	attempt->outcome->join_nonce = nonces->join_nonce;
	attempt->outcome->last_dev_nonce = nonces->rj_count1;
	if (verdict == JS_LATE_COPY)
		attempt->outcome->more = decision_u16((attempt->now.wall.us - nonces->rj_time.us) / US_PER_S);
	return verdict;
}

uint32_t js_rejoin_take(struct js_attempt *attempt)
{
	return js_nonces_take_rejoin(&attempt->join->nonces, attempt->frame.join_req_type,
				     attempt->frame.nonce, attempt->now.wall);
}
