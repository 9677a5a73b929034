/* The five steps of a join, see join.h. Each step answers JS_ACCEPTED or the verdict that ends it. */
#include "join-server/join_parts.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/crypto/secret.h"
#include "common/lorawan/version.h"

#include <stdio.h>
#include <string.h>

enum status js_join_init(struct js_join *join, const struct js_options *options, struct now now)
{
	memset(join, 0, sizeof *join);
	ASSERT_CMP(options->kek_count, <=, JS_KEKS_MAX);
	enum status status = options->store.load_state(options->store.ctx, &join->state);
	if (status != ST_OK)
		return status;
	join->options = *options;
	js_keks_init(&join->keks);
	status = js_keks_load(&join->keks, &join->options.store, &join->options.vault);
	if (status == ST_OK)
		status = js_audit_init(&join->audit, &join->options.store,
				       options->vault.mark ? options->vault.mark : options->vault.master);
	if (status != ST_OK) {
		js_keks_release(&join->keks);
		return status;
	}
	js_keks_set_files(&join->keks, options->keks, options->kek_count, now.wall);
	js_retry_cache_init(&join->retries,
			    options->retry_entries ? options->retry_entries : JS_RETRY_ENTRIES, options->rng);
	decision_euis_init(&join->decisions, JS_WHY_RECORDS, JS_WHY_DEVICES, options->rng);
	join->sweep_due = join->state.swept_run < join->state.valid_run ? now.mono : MONO_NEVER;
	join->sessions_due = mono_add(now.mono, JS_SESSION_CYCLE_US);
	if (join->options.session_span == 0)
		join->options.session_span = JS_SESSION_SPAN_US;
	return ST_OK;
}

void js_join_set_keks(struct js_join *join, const struct lw_kek *keks, size_t count, struct wall now)
{
	ASSERT_CMP(count, <=, JS_KEKS_MAX);
	secret_wipe(join->options.keks, sizeof join->options.keks);
	memcpy(join->options.keks, keks, count * sizeof *keks);
	join->options.kek_count = count;
	js_keks_set_files(&join->keks, keks, count, now);
}

void js_join_release(struct js_join *join)
{
	js_retry_cache_release(&join->retries);
	decision_euis_release(&join->decisions);
	secret_wipe(join->options.keks, sizeof join->options.keks);
	js_keks_release(&join->keks);
	secret_wipe(join->audit.key, sizeof join->audit.key);
}

/* --- 2. find ------------------------------------------------------------------------------------------------- */

static enum js_verdict open_key(struct js_attempt *attempt, enum sealed_key_kind kind, bool present,
				const uint8_t *sealed, struct lw_key *key)
{
	if (!present)
		return JS_NO_KEY;
	enum status status = js_key_vault_open(&attempt->join->options.vault, &attempt->record.dev_eui, kind,
					       sealed, key);
	return status == ST_OK ? JS_ACCEPTED : JS_KEY_UNREADABLE;
}

enum js_verdict js_find_record(struct js_attempt *attempt, const struct lw_eui64 *dev_eui)
{
	struct js_join *join = attempt->join;
	enum status status = join->options.store.load_device(join->options.store.ctx, dev_eui,
							     &attempt->record);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return JS_STORE_FAILED;
	if (status == ST_NOT_FOUND || attempt->record.run < join->state.valid_run)
		return JS_UNKNOWN_DEVICE;
	attempt->outcome->has_device = true;
	return JS_ACCEPTED;
}

static enum js_verdict find_device(struct js_attempt *attempt)
{
	struct js_join *join = attempt->join;
	const struct js_device *record = &attempt->record;
	enum js_verdict verdict = js_find_record(attempt, &attempt->request.join_req.dev_eui);
	if (verdict == JS_ACCEPTED)
		verdict = js_check_home(attempt);
	if (verdict == JS_ACCEPTED && !record->enabled)
		verdict = JS_DISABLED;
	if (verdict == JS_ACCEPTED && js_attempt_is_rejoin(attempt))
		verdict = js_rejoin_check_device(attempt);
	if (verdict != JS_ACCEPTED)
		return verdict;
	struct lw_join_device *device = &attempt->device;
	device->join_eui = record->join_eui;
	device->dev_eui = record->dev_eui;
	device->mac_version = record->mac_version;
	verdict = open_key(attempt, SEALED_APP_KEY, record->has_app_key, record->app_key, &device->app_key);
	if (verdict == JS_ACCEPTED && lw_behaves(record->mac_version, LW_TWO_ROOT_KEYS))
		verdict = open_key(attempt, SEALED_NWK_KEY, record->has_nwk_key, record->nwk_key,
				   &device->nwk_key);
	if (verdict != JS_ACCEPTED)
		return verdict;
	attempt->app_kek = js_keks_find(&join->keks, record->app_kek_label);
	return attempt->app_kek ? JS_ACCEPTED : JS_NO_KEK;
}

/* --- 3. verify ----------------------------------------------------------------------------------------------- */

static enum js_verdict verdict_of(enum lw_join_result result)
{
	switch (result) {
	case LW_JOIN_SUCCESS: return JS_ACCEPTED;
	case LW_JOIN_UNKNOWN_DEV_EUI: return JS_UNKNOWN_DEVICE;
	case LW_JOIN_MALFORMED: return JS_NOT_A_JOIN_REQUEST;
	case LW_JOIN_MIC_FAILED: return JS_MIC_FAILED;
	case LW_JOIN_BAD_PARAMETERS: return JS_BAD_PARAMETERS;
	case LW_JOIN_NONCE_EXHAUSTED: return JS_JOIN_NONCE_EXHAUSTED;
	case LW_JOIN_RESULT_COUNT: break;
	}
	ASSERT(!"a result without a verdict");
	return JS_STORE_FAILED;
}

static enum js_verdict verify_frame(struct js_attempt *attempt)
{
	const struct bi_join_req *req = &attempt->request.join_req;
	return verdict_of(lw_join_read(attempt->join->options.aes, &attempt->device, req->phy_payload,
				       req->phy_length, &attempt->frame));
}

/* --- 4. take, 5. answer -------------------------------------------------------------------------------------- */

/* The numbers by which a DevNonce was judged. */
static void note_nonces(struct js_outcome *outcome, const struct js_nonces *nonces, enum js_verdict verdict,
			struct wall now)
{
	outcome->join_nonce = nonces->join_nonce;
	outcome->last_dev_nonce = verdict == JS_DEV_NONCE_NOT_INCREASING ? nonces->counter
									 : nonces->last_dev_nonce;
	outcome->more = decision_u16(verdict == JS_LATE_COPY ? (now.us - nonces->last_time.us) / US_PER_S
							     : nonces->count);
}

static enum js_verdict load_nonces(struct js_attempt *attempt)
{
	struct js_join *join = attempt->join;
	const struct lw_join_device *device = &attempt->device;
	bool two_keys = lw_behaves(device->mac_version, LW_TWO_ROOT_KEYS);
	uint8_t mark[JS_KEY_MARK];
	js_key_vault_mark(&join->options.vault, &device->dev_eui,
			  two_keys ? &device->nwk_key : &device->app_key, mark);
	enum status status = join->options.store.load_nonces(join->options.store.ctx, &device->join_eui,
							     &device->dev_eui, &join->nonces);
	if (status == ST_NOT_FOUND)
		js_nonces_init(&join->nonces, mark);
	else if (status == ST_OK)
		js_nonces_rekey(&join->nonces, mark);
	else
		return JS_STORE_FAILED;
	if (js_attempt_is_rejoin(attempt))
		return js_rejoin_judge(attempt);
	enum js_verdict verdict = js_nonces_judge(&join->nonces, device->mac_version, attempt->frame.nonce,
						  attempt->now.wall, &attempt->outcome->allowed_once);
	note_nonces(attempt->outcome, &join->nonces, verdict, attempt->now.wall);
	return verdict;
}

static enum js_verdict save_nonces(struct js_attempt *attempt)
{
	struct js_join *join = attempt->join;
	const struct lw_join_device *device = &attempt->device;
	enum status status = join->options.store.save_nonces(join->options.store.ctx, &device->join_eui,
							     &device->dev_eui, &join->nonces);
	return status == ST_OK ? JS_ACCEPTED : JS_STORE_FAILED;
}

/* Builds the accept before the nonces are saved, so that a request that cannot be granted uses nothing up. */
static enum js_verdict take_and_accept(struct js_attempt *attempt)
{
	struct js_join *join = attempt->join;
	const struct bi_join_req *req = &attempt->request.join_req;
	enum js_verdict verdict = load_nonces(attempt);
	if (verdict != JS_ACCEPTED)
		return verdict;
	uint32_t join_nonce = js_attempt_is_rejoin(attempt)
				      ? js_rejoin_take(attempt)
				      : js_nonces_take(&join->nonces, attempt->device.mac_version,
						       attempt->frame.nonce, attempt->now.wall);
	const struct bi_envelope *envelope = &attempt->request.envelope;
	js_nonces_answered(&join->nonces, attempt->net_id,
			   envelope->has_sender_ns_id ? &envelope->sender_ns_id : NULL);
	struct lw_join_parameters parameters = {
		.net_id = attempt->net_id,
		.dev_addr = req->dev_addr,
		.dl_settings = lw_dl_settings_decode(req->dl_settings),
		.rx_delay = req->rx_delay,
		.has_cflist = req->has_cflist,
	};
	memcpy(parameters.cflist, req->cflist, sizeof parameters.cflist);
	verdict = verdict_of(lw_join_answer(join->options.aes, &attempt->device, &attempt->frame, &parameters,
					    join_nonce, &attempt->accept));
	if (verdict != JS_ACCEPTED)
		return verdict;
	attempt->outcome->join_nonce = join_nonce;
	return save_nonces(attempt);
}

static void wrap(struct js_attempt *attempt, struct js_kek *kek, const struct lw_key *key,
		 struct bi_key_envelope *out)
{
	struct lw_key_envelope envelope;
	enum aes_wrap_verdict verdict = lw_key_wrap(&kek->key, key, &envelope);
	ASSERT_CMP(verdict, ==, AES_WRAP_OK); /* KEK lengths are checked at the start */
	memcpy(out->label, envelope.kek_label, sizeof out->label);
	memcpy(out->key, envelope.bytes, sizeof out->key);
	out->length = envelope.length;
	js_keks_use(&attempt->join->keks, kek, attempt->now.wall);
	secret_wipe(&envelope, sizeof envelope);
}

_Static_assert(sizeof((struct lw_key_envelope *)0)->kek_label == BI_LABEL_TEXT, "labels of one length");

static void fill_answer(struct js_attempt *attempt)
{
	struct bi_join_ans *ans = &attempt->answer.join_ans;
	const struct lw_join_answer *accept = &attempt->accept;
	memcpy(ans->phy_payload, accept->phy, accept->phy_length);
	ans->phy_length = accept->phy_length;
	if (accept->is_1_1) {
		wrap(attempt, attempt->network_kek, &accept->keys.f_nwk_s_int_key, &ans->f_nwk_s_int_key);
		wrap(attempt, attempt->network_kek, &accept->keys.s_nwk_s_int_key, &ans->s_nwk_s_int_key);
		wrap(attempt, attempt->network_kek, &accept->keys.nwk_s_enc_key, &ans->nwk_s_enc_key);
	} else {
		wrap(attempt, attempt->network_kek, &accept->keys.f_nwk_s_int_key, &ans->nwk_s_key);
	}
	wrap(attempt, attempt->app_kek, &accept->keys.app_s_key, &ans->app_s_key);
	rng_fill(attempt->join->options.rng, ans->session_key_id.bytes, JS_SESSION_KEY_ID);
	ans->session_key_id.length = JS_SESSION_KEY_ID;
}

/* --- the flow ------------------------------------------------------------------------------------------------ */

static enum js_verdict handle_join(struct js_attempt *attempt)
{
	enum js_verdict verdict = js_admit_network(attempt);
	if (verdict == JS_ACCEPTED)
		verdict = js_admit_frame(attempt);
	if (verdict == JS_ACCEPTED)
		verdict = find_device(attempt);
	if (verdict == JS_ACCEPTED)
		verdict = verify_frame(attempt);
	if (verdict == JS_ACCEPTED)
		verdict = take_and_accept(attempt);
	if (verdict != JS_ACCEPTED)
		return verdict;
	fill_answer(attempt);
	return js_keep_session(attempt);
}

/* What a refusal says to people: the field that was wrong, or the verdict's name, with the DevNonces where it hangs on
 * them. */
static void describe(const struct js_attempt *attempt, enum js_verdict verdict,
		     char description[BI_DESCRIPTION_TEXT])
{
	if (verdict == JS_MALFORMED || verdict == JS_WRONG_PROTOCOL)
		snprintf(description, BI_DESCRIPTION_TEXT, "%s: expected %s", attempt->error.field,
			 attempt->error.rule);
	else if (verdict == JS_DEV_NONCE_USED || verdict == JS_DEV_NONCE_NOT_INCREASING ||
		 verdict == JS_RJ_COUNT_NOT_INCREASING)
		snprintf(description, BI_DESCRIPTION_TEXT, "%s: %u, the last was %u",
			 js_verdict_name(verdict), attempt->frame.nonce, attempt->outcome->last_dev_nonce);
	else if (verdict != JS_ACCEPTED && verdict != JS_ANSWERED)
		snprintf(description, BI_DESCRIPTION_TEXT, "%s", js_verdict_name(verdict));
}

static size_t write_answer(struct js_attempt *attempt, enum js_verdict verdict, char answer[BI_WRITTEN_MAX])
{
	struct bi_envelope *envelope = &attempt->answer.envelope;
	*envelope = bi_answer_envelope(&attempt->request.envelope);
	envelope->result = js_verdict_result(verdict);
	describe(attempt, verdict, envelope->description);
	size_t length = bi_write(&attempt->answer, answer, BI_WRITTEN_MAX);
	ASSERT(length > 0);
	return length;
}

static bool can_be_answered(const struct js_attempt *attempt, enum js_verdict verdict)
{
	enum bi_type type = attempt->request.envelope.type;
	return verdict != JS_UNREADABLE && !bi_type_is_answer(type) && type != BI_ERROR_NOTIF;
}

/* What the frame claims, whatever becomes of it. */
static void note_frame(struct js_outcome *outcome, const struct bi_join_req *req)
{
	struct lw_join_request frame;
	struct lw_rejoin_request rejoin;
	outcome->dev_eui = req->dev_eui;
	if (lw_join_request_parse(&frame, req->phy_payload, req->phy_length) == LW_OK)
		outcome->dev_nonce = frame.dev_nonce;
	if (lw_rejoin_request_parse(&rejoin, req->phy_payload, req->phy_length) == LW_OK) {
		outcome->dev_nonce = rejoin.rj_count;
		outcome->request = (enum js_request)(JS_REQUEST_REJOIN_0 + rejoin.type);
	}
	outcome->has_mic = req->phy_length >= JS_MIC;
	if (outcome->has_mic)
		memcpy(outcome->mic, req->phy_payload + req->phy_length - JS_MIC, JS_MIC);
}

static bool is_join(enum bi_type type)
{
	return type == BI_JOIN_REQ || type == BI_REJOIN_REQ;
}

/* Verdicts that were given before the body was looked at. */
static bool is_about_envelope(enum js_verdict verdict)
{
	return verdict == JS_MALFORMED || verdict == JS_WRONG_PROTOCOL || verdict == JS_UNREADABLE ||
	       verdict == JS_NOT_A_REQUEST || verdict == JS_ERROR_NOTIFIED ||
	       verdict == JS_UNSUPPORTED_MESSAGE || verdict == JS_PEER_UNKNOWN || verdict == JS_PEER_SENDER ||
	       verdict == JS_PEER_MESSAGE || verdict == JS_PEER_JOIN_EUI;
}

/* A device is named when it is ours, or when our own network server asks: it forwards registered devices alone. */
static void record(struct js_join *join, const struct js_attempt *attempt, size_t length, struct now now)
{
	static const struct lw_eui64 nobody = {{0}};
	const struct js_outcome *outcome = attempt->outcome;
	bool about_device = !is_about_envelope(outcome->verdict);
	bool ours = about_device &&
		    (outcome->has_device || outcome->verdict == JS_RETRIED ||
		     (is_join(outcome->type) && attempt->net_id.value == join->options.net_id.value));
	struct decision decision = {.other = DECISION_NO_OTHER, .verdict = (uint8_t)outcome->verdict};
	decision.a = decision_halves(outcome->dev_nonce, outcome->last_dev_nonce);
	decision.b = about_device ? outcome->join_nonce : (uint32_t)length;
	/* Two rows have a third number of their own; the others say there what was asked. */
	bool more = outcome->verdict == JS_LATE_COPY || outcome->verdict == JS_DEV_NONCE_USED;
	uint16_t asked = outcome->allowed_once ? JS_REQUEST_JOIN_ALLOWED : (uint16_t)outcome->request;
	decision.c = more ? outcome->more : asked;
	if (outcome->verdict == JS_NOT_A_JOIN_REQUEST)
		decision.b = attempt->request.join_req.phy_length;
	if (outcome->has_mic) {
		decision.about = DECISION_ABOUT_FRAME;
		decision.ref = decision_ref(outcome->mic);
	}
	decision_euis_add(&join->decisions, now.wall, ours ? outcome->dev_eui.bytes : nobody.bytes,
			  &decision);
}

static enum js_verdict handle(struct js_attempt *attempt, const uint8_t *body, size_t length,
			      char answer[BI_WRITTEN_MAX], size_t *written)
{
	struct js_join *join = attempt->join;
	const struct bi_envelope *envelope = &attempt->request.envelope;
	if (!is_join(envelope->type))
		return js_look_up(attempt);
	note_frame(attempt->outcome, &attempt->request.join_req);
	const char *kept = js_retry_cache_get(&join->retries, attempt->now.mono, envelope, body, length,
					      written);
	if (!kept)
		return handle_join(attempt);
	memcpy(answer, kept, *written);
	return JS_RETRIED;
}

size_t js_join_on_message(struct js_join *join, struct now now, const uint8_t *body, size_t length,
			  const struct js_peer *peer, char answer[BI_WRITTEN_MAX], struct js_outcome *outcome)
{
	struct js_attempt attempt = {.join = join, .now = now, .peer = peer, .outcome = outcome};
	*outcome = (struct js_outcome){.field = "", .rule = ""};
	size_t written = 0;
	enum js_verdict verdict = js_admit(&attempt, body, length);
	const struct bi_envelope *envelope = &attempt.request.envelope;
	outcome->type = envelope->type;
	outcome->field = attempt.error.field;
	outcome->rule = attempt.error.rule;
	outcome->notified = envelope->result;
	if (verdict == JS_ACCEPTED)
		verdict = handle(&attempt, body, length, answer, &written);
	if (verdict != JS_RETRIED && can_be_answered(&attempt, verdict)) {
		written = write_answer(&attempt, verdict, answer);
		if (is_join(envelope->type) && verdict != JS_STORE_FAILED && !is_about_envelope(verdict))
			js_retry_cache_put(&join->retries, now.mono, envelope, body, length, answer, written);
	}
	outcome->verdict = verdict;
	outcome->allowed_once = outcome->allowed_once && verdict == JS_ACCEPTED;
	join->counters.verdicts[verdict]++;
	join->counters.allowed_once += outcome->allowed_once;
	record(join, &attempt, length, now);
	secret_wipe(&attempt, sizeof attempt);
	aes_forget(join->options.aes);
	return written;
}
