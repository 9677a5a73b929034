#include "cli/frame_build.h"

#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/keys.h"

#include <string.h>

/* The last four bytes: by a key, else as given. */
static bool put_mic(const json_t *object, struct aes *aes, const struct lw_key *key, const char *missing,
		    uint8_t *phy, size_t length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	struct lw_mic mic = {{0}};
	size_t given;
	if (key) {
		mic = lw_mic_join(aes, key, phy, length - 4);
	} else {
		if (!cli_frame_get_bytes(object, "mic", mic.bytes, sizeof mic.bytes, &given, problem))
			return false;
		if (given != sizeof mic.bytes)
			return cli_frame_refuse(
				problem, "no MIC: %s is not given; or give the MIC itself, 4 bytes", missing);
	}
	lw_frame_set_mic(phy, length, mic);
	return true;
}

static bool build_request(const json_t *object, const struct cli_frame_context *context, struct aes *aes,
			  uint8_t *phy, size_t *length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	if (!context->has_join_eui || !context->has_dev_eui || !context->has_dev_nonce)
		return cli_frame_refuse(problem, "%s is missing",
					!context->has_join_eui  ? "join_eui"
					: !context->has_dev_eui ? "dev_eui"
								: "dev_nonce");
	const struct lw_join_request request = {
		.join_eui = context->join_eui, .dev_eui = context->dev_eui, .dev_nonce = context->dev_nonce};
	const struct lw_key *key = cli_frame_context_key(context, FRAME_NWK_KEY);
	if (!key)
		key = cli_frame_context_key(context, FRAME_APP_KEY);
	*length = lw_join_request_encode(&request, phy);
	return put_mic(object, aes, key, "AppKey (1.0.x) or NwkKey (1.1)", phy, *length, problem);
}

static bool read_net_id(const json_t *object, struct lw_net_id *net_id, char problem[CLI_FRAME_PROBLEM_MAX])
{
	const char *text = json_string_value(json_object_get(object, "net_id"));
	return (text && lw_net_id_parse(text, net_id)) ||
	       cli_frame_refuse(problem, "net_id: expected 6 hex digits");
}

static bool build_rejoin(const json_t *object, const struct cli_frame_context *context, struct aes *aes,
			 uint8_t *phy, size_t *length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	struct lw_rejoin_request request = {.dev_eui = context->dev_eui, .join_eui = context->join_eui};
	uint64_t type = 0, count = 0;
	struct lw_key derived = {{0}};
	if (!cli_frame_get_number(object, "rejoin_type", 2, true, &type, problem) ||
	    !cli_frame_get_number(object, "rj_count", UINT16_MAX, true, &count, problem))
		return false;
	if (!context->has_dev_eui || (type == 1 && !context->has_join_eui))
		return cli_frame_refuse(problem, "%s is missing",
					context->has_dev_eui ? "join_eui" : "dev_eui");
	if (type == 1 && cli_frame_has(object, "net_id"))
		return cli_frame_refuse(problem,
					"net_id: a rejoin-request of type 1 has a JoinEUI in its place");
	if (type != 1 && context->has_join_eui)
		return cli_frame_refuse(problem,
					"join_eui: a rejoin-request of type %u has a NetID in its place",
					(unsigned)type);
	if (type != 1 && !read_net_id(object, &request.net_id, problem))
		return false;
	request.type = (uint8_t)type;
	request.rj_count = (uint16_t)count;
	const struct lw_key *key = cli_frame_context_key(context, type == 1 ? FRAME_JS_INT_KEY
									    : FRAME_S_NWK_S_INT_KEY);
	if (type == 1 && !key && context->has_key[FRAME_NWK_KEY]) {
		derived = lw_key_js_int(aes, &context->keys[FRAME_NWK_KEY], &context->dev_eui);
		key = &derived;
	}
	*length = lw_rejoin_request_encode(&request, phy);
	bool done = put_mic(object, aes, key, type == 1 ? "JSIntKey or NwkKey" : "SNwkSIntKey", phy, *length,
			    problem);
	lw_key_wipe(&derived);
	return done;
}

static bool read_accept(const json_t *object, struct lw_join_accept *accept,
			char problem[CLI_FRAME_PROBLEM_MAX])
{
	uint64_t nonce = 0, offset = 0, rx2 = 0, delay = 0;
	size_t cflist;
	const char *address = json_string_value(json_object_get(object, "dev_addr"));
	if (!json_object_get(object, "dev_addr") && !json_object_get(object, "join_nonce"))
		return cli_frame_refuse(
			problem, "the fields of this join-accept are missing: it was not deciphered; decode "
				 "it with its key, --app-key or for 1.1 --nwk-key");
	if (!address || !lw_dev_addr_parse(address, &accept->dev_addr))
		return cli_frame_refuse(problem, "dev_addr: expected 8 hex digits");
	if (!cli_frame_get_number(object, "join_nonce", 0xffffff, true, &nonce, problem) ||
	    !read_net_id(object, &accept->net_id, problem) ||
	    !cli_frame_get_flag(object, "opt_neg", &accept->dl_settings.opt_neg, problem) ||
	    !cli_frame_get_number(object, "rx1_dr_offset", 7, false, &offset, problem) ||
	    !cli_frame_get_number(object, "rx2_data_rate", 15, false, &rx2, problem) ||
	    !cli_frame_get_number(object, "rx_delay", 15, false, &delay, problem) ||
	    !cli_frame_get_bytes(object, "cflist", accept->cflist, LW_CFLIST_LENGTH, &cflist, problem))
		return false;
	if (cflist != 0 && cflist != LW_CFLIST_LENGTH)
		return cli_frame_refuse(problem, "cflist: expected 16 bytes");
	accept->has_cflist = cflist != 0;
	accept->join_nonce = (uint32_t)nonce;
	accept->dl_settings.rx1_dr_offset = (uint8_t)offset;
	accept->dl_settings.rx2_data_rate = (uint8_t)rx2;
	accept->rx_delay = (uint8_t)delay;
	return true;
}

/* The 1.1 form, where OptNeg is set or the version was said to be 1.1. */
static bool put_accept_mic_1_1(const struct cli_frame_context *context, struct aes *aes, uint8_t *plain,
			       size_t length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	struct lw_key key;
	if (context->has_key[FRAME_JS_INT_KEY])
		key = context->keys[FRAME_JS_INT_KEY];
	else if (context->has_key[FRAME_NWK_KEY] && context->has_dev_eui)
		key = lw_key_js_int(aes, &context->keys[FRAME_NWK_KEY], &context->dev_eui);
	else
		return cli_frame_refuse(problem,
					"the MIC of a 1.1 join-accept (OptNeg) needs NwkKey and DevEUI, or "
					"JSIntKey");
	if (!context->has_join_eui || !context->has_dev_nonce) {
		lw_key_wipe(&key);
		return cli_frame_refuse(
			problem, "the MIC of a 1.1 join-accept (OptNeg) needs join_eui and dev_nonce of the "
				 "request");
	}
	lw_frame_set_mic(plain, length,
			 lw_mic_join_accept_1_1(aes, &key, context->join_req_type, &context->join_eui,
						context->dev_nonce, plain, length - 4));
	lw_key_wipe(&key);
	return true;
}

/* The key that an accept is encrypted with: JSEncKey for the answer to a rejoin, else the root key. */
static bool accept_key(struct lw_key *key, const struct cli_frame_context *context, struct aes *aes,
		       char problem[CLI_FRAME_PROBLEM_MAX])
{
	bool rejoin = context->join_req_type != 0xff;
	if (context->has_key[FRAME_JS_ENC_KEY])
		*key = context->keys[FRAME_JS_ENC_KEY];
	else if (rejoin && context->has_key[FRAME_NWK_KEY] && context->has_dev_eui)
		*key = lw_key_js_enc(aes, &context->keys[FRAME_NWK_KEY], &context->dev_eui);
	else if (!rejoin && context->has_key[FRAME_NWK_KEY])
		*key = context->keys[FRAME_NWK_KEY];
	else if (!rejoin && context->has_key[FRAME_APP_KEY])
		*key = context->keys[FRAME_APP_KEY];
	else
		return cli_frame_refuse(problem, "a join-accept is encrypted with %s, which is not given",
					rejoin ? "JSEncKey (NwkKey and DevEUI)"
					       : "AppKey (1.0.x) or NwkKey (1.1)");
	return true;
}

static bool build_accept(const json_t *object, const struct cli_frame_context *context, struct aes *aes,
			 uint8_t *phy, size_t *length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	struct lw_join_accept accept = {.rx_delay = 0};
	struct lw_key key = {{0}};
	if (!read_accept(object, &accept, problem) || !accept_key(&key, context, aes, problem))
		return false;
	*length = lw_join_accept_encode(&accept, phy);
	bool is_1_1 = !context->says_1_0 && (context->says_1_1 || accept.dl_settings.opt_neg);
	bool done = is_1_1 ? put_accept_mic_1_1(context, aes, phy, *length, problem)
			   : put_mic(object, aes, &key, "", phy, *length, problem);
	if (done && lw_join_accept_encrypt(aes, &key, phy, *length) != LW_OK)
		done = cli_frame_refuse(problem, "not a join-accept");
	lw_key_wipe(&key);
	return done;
}

bool cli_frame_build_join(const json_t *object, unsigned ftype, const struct cli_frame_context *context,
			  struct aes *aes, uint8_t phy[LW_PHY_PAYLOAD_MAX], size_t *length,
			  char problem[CLI_FRAME_PROBLEM_MAX])
{
	switch ((enum lw_ftype)ftype) {
	case LW_JOIN_REQUEST: return build_request(object, context, aes, phy, length, problem);
	case LW_JOIN_ACCEPT: return build_accept(object, context, aes, phy, length, problem);
	default: return build_rejoin(object, context, aes, phy, length, problem);
	}
}
