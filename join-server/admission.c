/* The first step of every message: reading it, and what its sender may ask. The peer is known by its socket: a certificate, or
 * this machine. Its rights are looked at before the body, so that who may not ask learns nothing by asking (TS002 §3, §4). */
#include "join-server/join_parts.h"

#include <string.h>

static enum js_right right_of(enum bi_type type)
{
	switch (type) {
	case BI_HOME_NS_REQ: return JS_RIGHT_HOME;
	case BI_APP_S_KEY_REQ: return JS_RIGHT_APP_KEYS;
	default: return JS_RIGHT_JOINS;
	}
}

/* Of an application server's message its SenderID is a name, of all others a NetID. */
static enum js_verdict check_peer(struct js_attempt *attempt)
{
	const struct js_peer *peer = attempt->peer;
	const struct bi_envelope *envelope = &attempt->request.envelope;
	if (!peer)
		return JS_PEER_UNKNOWN;
	if (envelope->type == BI_APP_S_KEY_REQ) {
		if (!js_peer_is_application(peer, envelope->sender_id))
			return JS_PEER_SENDER;
	} else if (!peer->local && (!bi_id_net_id(envelope->sender_id, &attempt->net_id) ||
				    !js_peer_speaks_for(peer, attempt->net_id))) {
		return JS_PEER_SENDER;
	}
	if (bi_type_is_answer(envelope->type) || envelope->type == BI_ERROR_NOTIF ||
	    envelope->type > BI_HOME_NS_REQ)
		return JS_ACCEPTED;
	if (!(peer->rights & (unsigned)right_of(envelope->type)))
		return JS_PEER_MESSAGE;
	struct lw_eui64 receiver;
	if (peer->local || !bi_id_eui64(envelope->receiver_id, &receiver))
		return JS_ACCEPTED;
	return js_peer_may_address(peer, &receiver) ? JS_ACCEPTED : JS_PEER_JOIN_EUI;
}

enum js_verdict js_admit(struct js_attempt *attempt, const uint8_t *body, size_t length)
{
	bool read = bi_read((const char *)body, length, &attempt->request, &attempt->error);
	if (!read && !attempt->error.has_envelope)
		return JS_UNREADABLE;
	enum js_verdict verdict = check_peer(attempt);
	if (verdict != JS_ACCEPTED)
		return verdict;
	if (!read)
		return attempt->error.fault == BI_FAULT_VERSION ? JS_WRONG_PROTOCOL : JS_MALFORMED;
	enum bi_type type = attempt->request.envelope.type;
	if (type == BI_ERROR_NOTIF)
		return JS_ERROR_NOTIFIED;
	if (bi_type_is_answer(type))
		return JS_NOT_A_REQUEST;
	return type <= BI_HOME_NS_REQ ? JS_ACCEPTED : JS_UNSUPPORTED_MESSAGE;
}

enum js_verdict js_admit_network(struct js_attempt *attempt)
{
	const struct bi_envelope *envelope = &attempt->request.envelope;
	struct js_join *join = attempt->join;
	if (!bi_id_net_id(envelope->sender_id, &attempt->net_id))
		return JS_UNKNOWN_SENDER;
	bool ours = attempt->net_id.value == join->options.net_id.value;
	const char *label = attempt->peer->kek[0] ? attempt->peer->kek
			    : ours                ? JS_KEK_NETWORK
						  : envelope->sender_id;
	attempt->network_kek = js_keks_find(&join->keks, label);
	if (attempt->network_kek)
		return JS_ACCEPTED;
	return ours || !attempt->peer->local ? JS_NO_KEK : JS_UNKNOWN_SENDER;
}

enum js_verdict js_admit_frame(struct js_attempt *attempt)
{
	const struct bi_join_req *req = &attempt->request.join_req;
	if (!bi_id_eui64(attempt->request.envelope.receiver_id, &attempt->receiver))
		return JS_UNKNOWN_RECEIVER;
	attempt->outcome->join_eui = attempt->receiver;
	if (js_attempt_is_rejoin(attempt))
		return js_rejoin_check_frame(attempt);
	struct lw_join_request frame;
	if (lw_join_request_parse(&frame, req->phy_payload, req->phy_length) != LW_OK)
		return JS_NOT_A_JOIN_REQUEST;
	return lw_eui64_equal(&attempt->receiver, &frame.join_eui) ? JS_ACCEPTED : JS_UNKNOWN_RECEIVER;
}
