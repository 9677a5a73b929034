/* What others ask about a device without a frame of it: who is its home (HomeNSReq, TS002 §8), and the AppSKey of its session
 * (AppSKeyReq), which an application server fetches by the SessionKeyID of the JoinAns. Both from the rows that joins and the
 * city left; nothing is changed. */
#include "join-server/join_parts.h"

#include <string.h>

/* What the city says of the device, else what the configuration says of its JoinEUI. False: neither says anything. */
static bool find_home(const struct js_attempt *attempt, struct lw_net_id *home)
{
	const struct js_device *record = &attempt->record;
	const struct js_peers *peers = attempt->join->options.peers;
	if (!record->has_home)
		return peers && js_peers_home(peers, &record->join_eui, home);
	*home = record->home;
	return true;
}

enum js_verdict js_check_home(const struct js_attempt *attempt)
{
	struct lw_net_id home;
	if (find_home(attempt, &home))
		return home.value == attempt->net_id.value ? JS_ACCEPTED : JS_HOME_ELSEWHERE;
	bool ours = attempt->net_id.value == attempt->join->options.net_id.value;
	return attempt->peer->local || ours ? JS_ACCEPTED : JS_HOME_ELSEWHERE;
}

static enum js_verdict find(struct js_attempt *attempt, const struct lw_eui64 *dev_eui)
{
	const struct bi_envelope *envelope = &attempt->request.envelope;
	attempt->outcome->dev_eui = *dev_eui;
	attempt->outcome->dev_nonce = (uint16_t)(envelope->transaction_id & 0xffff);
	if (!bi_id_eui64(envelope->receiver_id, &attempt->receiver))
		return JS_UNKNOWN_RECEIVER;
	attempt->outcome->join_eui = attempt->receiver;
	enum js_verdict verdict = js_find_record(attempt, dev_eui);
	if (verdict != JS_ACCEPTED)
		return verdict;
	return lw_eui64_equal(&attempt->receiver, &attempt->record.join_eui) ? JS_ACCEPTED
									     : JS_UNKNOWN_RECEIVER;
}

/* The network that was said; else the one of the last accept; else ours. */
static enum js_verdict answer_home(struct js_attempt *attempt)
{
	struct js_join *join = attempt->join;
	attempt->outcome->request = JS_REQUEST_HOME;
	enum js_verdict verdict = find(attempt, &attempt->request.home_ns_req.dev_eui);
	if (verdict != JS_ACCEPTED)
		return verdict;
	const struct js_device *record = &attempt->record;
	struct js_nonces *nonces = &join->nonces;
	enum status status = join->options.store.load_nonces(join->options.store.ctx, &record->join_eui,
							     &record->dev_eui, nonces);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return JS_STORE_FAILED;
	bool joined = status == ST_OK && nonces->has_net_id;
	struct bi_home_ns_ans *ans = &attempt->answer.home_ns_ans;
	if (!find_home(attempt, &ans->h_net_id))
		ans->h_net_id = joined ? nonces->net_id : join->options.net_id;
	if (attempt->request.envelope.protocol == BI_PROTOCOL_1_1 && joined && nonces->has_ns_id &&
	    nonces->net_id.value == ans->h_net_id.value) {
		ans->has_h_ns_id = true;
		ans->h_ns_id = nonces->ns_id;
	}
	return JS_ANSWERED;
}

static enum js_verdict answer_app_key(struct js_attempt *attempt)
{
	struct js_join *join = attempt->join;
	const struct bi_app_s_key_req *req = &attempt->request.app_s_key_req;
	struct js_session session;
	attempt->outcome->request = JS_REQUEST_APP_KEY;
	enum js_verdict verdict = find(attempt, &req->dev_eui);
	if (verdict != JS_ACCEPTED)
		return verdict;
	if (req->session_key_id.length != JS_SESSION_KEY_ID)
		return JS_UNKNOWN_SESSION;
	enum status status = join->options.store.load_session(join->options.store.ctx, &req->dev_eui,
							      req->session_key_id.bytes, &session);
	if (status == ST_NOT_FOUND)
		return JS_UNKNOWN_SESSION;
	if (status != ST_OK)
		return JS_STORE_FAILED;
	if (session.time.us < attempt->now.wall.us - join->options.session_span)
		return JS_UNKNOWN_SESSION;
	if (!attempt->peer->local && !js_kek_is_of(session.kek_label, attempt->peer->kek))
		return JS_OTHER_APPLICATION;
	struct bi_app_s_key_ans *ans = &attempt->answer.app_s_key_ans;
	ans->dev_eui = req->dev_eui;
	ans->session_key_id = req->session_key_id;
	memcpy(ans->app_s_key.label, session.kek_label, sizeof ans->app_s_key.label);
	memcpy(ans->app_s_key.key, session.app_s_key, sizeof session.app_s_key);
	ans->app_s_key.length = BI_KEY_WRAPPED;
	return JS_ANSWERED;
}

enum js_verdict js_look_up(struct js_attempt *attempt)
{
	return attempt->request.envelope.type == BI_HOME_NS_REQ ? answer_home(attempt)
								: answer_app_key(attempt);
}

enum js_verdict js_keep_session(struct js_attempt *attempt)
{
	const struct bi_join_ans *ans = &attempt->answer.join_ans;
	const struct js_store *store = &attempt->join->options.store;
	struct js_session session = {
		.dev_eui = attempt->device.dev_eui,
		.slot = (uint8_t)(attempt->outcome->join_nonce % JS_SESSION_SLOTS),
		.time = attempt->now.wall,
	};
	memcpy(session.id, ans->session_key_id.bytes, sizeof session.id);
	memcpy(session.kek_label, ans->app_s_key.label, sizeof session.kek_label);
	memcpy(session.app_s_key, ans->app_s_key.key, sizeof session.app_s_key);
	return store->save_session(store->ctx, &session) == ST_OK ? JS_ACCEPTED : JS_STORE_FAILED;
}
