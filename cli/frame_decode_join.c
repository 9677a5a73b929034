/* Join-request, join-accept, rejoin-request (TS001-1.0.4 §6.2, TS001-1.1 §6.2). */
#include "cli/frame_decode.h"

#include "common/base/hex.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/keys.h"
#include "common/text/mac_words.h"

#include <stdio.h>
#include <string.h>

static void say_eui(struct cli_frame_report *report, int offset, const char *word, const char *member,
		    const struct lw_eui64 *eui)
{
	char text[LW_EUI64_TEXT];
	lw_eui64_format(text, eui);
	cli_frame_say(report, 0, offset, 8, word, "%s", text);
	cli_frame_set(report, member, json_string(text));
}

/* `right` null: not checked. */
static void say_mic(struct cli_frame_report *report, struct lw_mic mic, const bool *right, const char *why)
{
	char text[9];
	int offset = (int)report->length - 4;
	hex_encode(text, mic.bytes, sizeof mic.bytes);
	cli_frame_set(report, "mic", json_string(text));
	cli_frame_set(report, "mic_valid", right ? json_boolean(*right) : json_null());
	cli_frame_say(report, 0, offset, 4, "MIC", "%s: %s%s%s", text,
		      !right   ? "not checked"
		      : *right ? "right"
			       : "WRONG",
		      why[0] ? ": " : "", why);
	if (right && !*right)
		cli_frame_fail(report, CLI_FRAME_BAD_MIC, lw_verdict_name(LW_BAD_MIC), offset, "%s",
			       why[0] ? why : "another key, or changed bytes");
}

static void decode_request(struct cli_frame_report *report, const struct cli_frame_context *context,
			   struct aes *aes)
{
	struct lw_join_request request;
	enum lw_verdict verdict = lw_join_request_parse(&request, report->phy, report->length);
	if (verdict != LW_OK) {
		cli_frame_broken(report, verdict);
		return;
	}
	say_eui(report, 1, "JoinEUI", "join_eui", &request.join_eui);
	say_eui(report, 9, "DevEUI", "dev_eui", &request.dev_eui);
	cli_frame_say(report, 0, 17, 2, "DevNonce", "%u (0x%04x)", request.dev_nonce, request.dev_nonce);
	cli_frame_set(report, "dev_nonce", json_integer(request.dev_nonce));
	bool any = false, right = false;
	static const struct {
		enum cli_frame_key key;
		const char *why;
	} roots[] = {{FRAME_NWK_KEY, "with NwkKey"}, {FRAME_APP_KEY, "with AppKey"}};
	const char *why = "no AppKey (1.0.x) or NwkKey (1.1) is given (--app-key, --nwk-key)";
	for (size_t i = 0; i < 2 && !right; i++) {
		if (!context->has_key[roots[i].key])
			continue;
		struct lw_mic computed = lw_mic_join(aes, &context->keys[roots[i].key], report->phy,
						     report->length - 4);
		any = true;
		right = lw_mic_equal(computed, request.mic);
		why = right ? roots[i].why : "another root key, or changed bytes";
	}
	say_mic(report, request.mic, any ? &right : NULL, why);
}

static void decode_rejoin(struct cli_frame_report *report, const struct cli_frame_context *context,
			  struct aes *aes)
{
	struct lw_rejoin_request request;
	enum lw_verdict verdict = lw_rejoin_request_parse(&request, report->phy, report->length);
	if (verdict != LW_OK) {
		cli_frame_broken(report, verdict);
		return;
	}
	static const char *const purposes[] = {"a new session, or new radio parameters",
					       "back to its join server after the network has lost it",
					       "new keys"};
	cli_frame_say(report, 0, 1, 1, "RejoinType", "%u: %s", request.type, purposes[request.type]);
	cli_frame_set(report, "rejoin_type", json_integer(request.type));
	bool type_1 = request.type == 1;
	if (type_1)
		say_eui(report, 2, "JoinEUI", "join_eui", &request.join_eui);
	else
		cli_frame_say_net_id(report, 0, 2, request.net_id);
	say_eui(report, type_1 ? 10 : 5, "DevEUI", "dev_eui", &request.dev_eui);
	cli_frame_say(report, 0, type_1 ? 18 : 13, 2, type_1 ? "RJcount1" : "RJcount0", "%u",
		      request.rj_count);
	cli_frame_set(report, "rj_count", json_integer(request.rj_count));
	struct lw_key key = {{0}};
	bool given = true;
	if (!type_1 && context->has_key[FRAME_S_NWK_S_INT_KEY])
		key = context->keys[FRAME_S_NWK_S_INT_KEY];
	else if (type_1 && context->has_key[FRAME_JS_INT_KEY])
		key = context->keys[FRAME_JS_INT_KEY];
	else if (type_1 && context->has_key[FRAME_NWK_KEY])
		key = lw_key_js_int(aes, &context->keys[FRAME_NWK_KEY], &request.dev_eui);
	else
		given = false;
	struct lw_mic computed = lw_mic_join(aes, &key, report->phy, report->length - 4);
	bool right = lw_mic_equal(computed, request.mic);
	say_mic(report, request.mic, given ? &right : NULL,
		given    ? ""
		: type_1 ? "no JSIntKey or NwkKey is given (--nwk-key)"
			 : "no SNwkSIntKey is given (--s-nwk-s-int-key)");
	lw_key_wipe(&key);
}

/* --- join-accept ----------------------------------------------------------------------------------------------- */

/* A key that an accept may be encrypted with, and what follows from it. */
struct opened {
	uint8_t plain[LW_JOIN_ACCEPT_MAX];
	struct lw_join_accept accept;
	const char *key; /* its name */
	bool checked, right;
	const char *version; /* whose form of the MIC was right; NULL */
	const char *why;
};

/* JSIntKey, given or made from NwkKey and DevEUI. */
static bool js_int_key(struct lw_key *key, const struct cli_frame_context *context, struct aes *aes)
{
	if (context->has_key[FRAME_JS_INT_KEY])
		*key = context->keys[FRAME_JS_INT_KEY];
	else if (context->has_key[FRAME_NWK_KEY] && context->has_dev_eui)
		*key = lw_key_js_int(aes, &context->keys[FRAME_NWK_KEY], &context->dev_eui);
	else
		return false;
	return true;
}

/* The MIC in the 1.0 form with the root key, or in the 1.1 form with JSIntKey. */
static void check_accept(struct opened *opened, const struct lw_key *key, bool root, size_t length,
			 const struct cli_frame_context *context, struct aes *aes)
{
	struct lw_key integrity;
	if (root && !opened->right) {
		struct lw_mic computed = lw_mic_join(aes, key, opened->plain, length - 4);
		opened->right = lw_mic_equal(computed, opened->accept.mic);
		opened->checked = opened->right || !opened->accept.dl_settings.opt_neg;
		opened->why = opened->right ? "in the 1.0 form" : "another key, or changed bytes";
		opened->version = opened->right ? "1.0" : NULL;
	}
	if (opened->right)
		return;
	if (js_int_key(&integrity, context, aes) && context->has_join_eui && context->has_dev_nonce) {
		struct lw_mic computed = lw_mic_join_accept_1_1(aes, &integrity, context->join_req_type,
								&context->join_eui, context->dev_nonce,
								opened->plain, length - 4);
		opened->right = lw_mic_equal(computed, opened->accept.mic);
		opened->checked = true;
		opened->version = opened->right ? "1.1" : NULL;
		opened->why = opened->right ? "in the 1.1 form"
					    : "another key, JoinEUI or DevNonce, or changed bytes";
	} else if (opened->accept.dl_settings.opt_neg) {
		opened->why = "its 1.1 form needs NwkKey with --dev-eui (or --js-int-key), --join-eui and "
			      "--dev-nonce";
	}
	lw_key_wipe(&integrity);
}

static bool open_with(struct opened *opened, const struct cli_frame_report *report, const struct lw_key *key,
		      const char *name, bool root, const struct cli_frame_context *context, struct aes *aes)
{
	struct opened tried = {.key = name, .why = ""};
	memcpy(tried.plain, report->phy, report->length);
	if (lw_join_accept_decrypt(aes, key, tried.plain, report->length) != LW_OK ||
	    lw_join_accept_parse(&tried.accept, tried.plain, report->length) != LW_OK)
		return false;
	check_accept(&tried, key, root, report->length, context, aes);
	if (tried.right || !opened->key)
		*opened = tried;
	return tried.right;
}

/* Opens it with the first key that fits; with one that does not when none does. */
static bool open_accept(struct opened *opened, const struct cli_frame_report *report,
			const struct cli_frame_context *context, struct aes *aes)
{
	struct lw_key derived;
	if (context->has_key[FRAME_JS_ENC_KEY] &&
	    open_with(opened, report, &context->keys[FRAME_JS_ENC_KEY], "JSEncKey", false, context, aes))
		return true;
	if (context->has_key[FRAME_NWK_KEY] &&
	    open_with(opened, report, &context->keys[FRAME_NWK_KEY], "NwkKey", true, context, aes))
		return true;
	if (context->has_key[FRAME_APP_KEY] &&
	    open_with(opened, report, &context->keys[FRAME_APP_KEY], "AppKey", true, context, aes))
		return true;
	if (context->has_key[FRAME_NWK_KEY] && context->has_dev_eui) {
		derived = lw_key_js_enc(aes, &context->keys[FRAME_NWK_KEY], &context->dev_eui);
		(void)open_with(opened, report, &derived, "JSEncKey", false, context, aes);
		lw_key_wipe(&derived);
	}
	return opened->key != NULL;
}

static void say_cflist(struct cli_frame_report *report, const struct lw_join_accept *accept,
		       const struct lw_region *region)
{
	struct lw_cflist list;
	char text[MAC_WORDS_MAX];
	if (!accept->has_cflist) {
		cli_frame_say(report, 0, CLI_FRAME_NO_BYTES, 0, "CFList", "none");
		return;
	}
	cli_frame_set_bytes(report->document, "cflist", accept->cflist, LW_CFLIST_LENGTH);
	if (!lw_cflist_decode(&list, accept->cflist, region ? region->freq_step_hz : 100)) {
		cli_frame_say(report, 0, 13, 16, "CFList",
			      "CFListType %u, which has no meaning: a device passes over it",
			      accept->cflist[LW_CFLIST_LENGTH - 1]);
		return;
	}
	cli_frame_say(report, 0, 13, 16, "CFList", "CFListType %u: %s", list.type,
		      list.type == 0 ? "frequencies of more channels" : "masks of the region's channels");
	unsigned first = region && region->cflist.type == 0 ? region->cflist.first_channel : 3;
	for (unsigned i = 0; list.type == 0 && i < LW_CFLIST_FREQUENCIES; i++)
		cli_frame_say(report, 1, 13 + (int)(3 * i), 3, "Frequency", "channel %u: %s", first + i,
			      list.frequencies_hz[i] ? mac_words_freq(text, list.frequencies_hz[i]) : "none");
	for (unsigned i = 0; list.type == 1 && i < LW_CFLIST_CH_MASKS - 1; i++)
		cli_frame_say(report, 1, 13 + (int)(2 * i), 2, "ChMask", "0x%04x: channels on: %s",
			      list.ch_masks[i], mac_words_channels(text, list.ch_masks[i], 16 * i));
}

static void say_accept(struct cli_frame_report *report, const struct opened *opened,
		       const struct lw_region *region)
{
	const struct lw_join_accept *accept = &opened->accept;
	char text[MAC_WORDS_MAX];
	unsigned dr = accept->dl_settings.rx2_data_rate;
	memcpy(report->phy, opened->plain, report->length);
	cli_frame_say(report, 0, CLI_FRAME_NO_BYTES, 0, "encrypted", "with %s; the bytes below are in clear",
		      opened->key);
	cli_frame_say(report, 0, 1, 3, "JoinNonce", "%u (0x%06x)", accept->join_nonce, accept->join_nonce);
	cli_frame_set(report, "join_nonce", json_integer(accept->join_nonce));
	cli_frame_say_net_id(report, 0, 4, accept->net_id);
	cli_frame_say_dev_addr(report, 0, 7, accept->dev_addr);
	cli_frame_say(report, 0, 11, 1, "DLSettings", "%s", "");
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "OptNeg", "%d %s", accept->dl_settings.opt_neg,
		      accept->dl_settings.opt_neg ? "1.1: keys and counters of 1.1"
						  : "1.0 (RFU there): one NwkSKey");
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "RX1DROffset", "%u",
		      accept->dl_settings.rx1_dr_offset);
	mac_words_data_rate(text, region, LW_DOWN, dr);
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "RX2DataRate", "%u%s%s", dr, text[0] ? " " : "",
		      text);
	cli_frame_say(report, 0, 12, 1, "RxDelay", "%u: %u s", accept->rx_delay,
		      accept->rx_delay ? accept->rx_delay : 1u);
	cli_frame_set(report, "opt_neg", json_boolean(accept->dl_settings.opt_neg));
	cli_frame_set(report, "rx1_dr_offset", json_integer(accept->dl_settings.rx1_dr_offset));
	cli_frame_set(report, "rx2_data_rate", json_integer(dr));
	cli_frame_set(report, "rx_delay", json_integer(accept->rx_delay));
	if (opened->version)
		cli_frame_set(report, "mac_version", json_string(opened->version));
	say_cflist(report, accept, region);
	say_mic(report, accept->mic, opened->checked ? &opened->right : NULL, opened->why);
}

static void decode_accept(struct cli_frame_report *report, const struct cli_frame_context *context,
			  struct aes *aes)
{
	struct opened opened = {.key = NULL};
	if (report->length != LW_JOIN_ACCEPT_LENGTH && report->length != LW_JOIN_ACCEPT_MAX) {
		cli_frame_broken(report, LW_BAD_LENGTH);
		return;
	}
	if (open_accept(&opened, report, context, aes)) {
		say_accept(report, &opened, context->region);
		return;
	}
	cli_frame_say(report, 0, 1, report->length - 1, "encrypted",
		      "all but the MHDR; needs AppKey (1.0.x) or NwkKey (1.1) (--app-key, --nwk-key)");
	cli_frame_set(report, "mic_valid", json_null());
}

void cli_frame_decode_join(struct cli_frame_report *report, const struct cli_frame_context *context,
			   struct aes *aes)
{
	switch ((enum lw_ftype)(report->phy[0] >> 5)) {
	case LW_JOIN_REQUEST: decode_request(report, context, aes); break;
	case LW_JOIN_ACCEPT: decode_accept(report, context, aes); break;
	default: decode_rejoin(report, context, aes);
	}
}
