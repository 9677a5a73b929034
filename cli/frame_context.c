#include "cli/frame_context.h"

#include "common/base/check.h"
#include "common/lorawan/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_frame_member members[] = {
	[FRAME_NWK_S_KEY] = {"nwk_s_key", "KEY", "1.0: NwkSKey: MIC, and FRMPayload on FPort 0"},
	[FRAME_F_NWK_S_INT_KEY] = {"f_nwk_s_int_key", "KEY", "1.1: FNwkSIntKey: half of an uplink's MIC"},
	[FRAME_S_NWK_S_INT_KEY] = {"s_nwk_s_int_key", "KEY", "1.1: SNwkSIntKey: MIC"},
	[FRAME_NWK_S_ENC_KEY] = {"nwk_s_enc_key", "KEY", "1.1: NwkSEncKey: FOpts and FPort 0"},
	[FRAME_APP_S_KEY] = {"app_s_key", "KEY", "AppSKey: FRMPayload"},
	[FRAME_APP_KEY] = {"app_key", "KEY", "AppKey: joins of 1.0.x"},
	[FRAME_NWK_KEY] = {"nwk_key", "KEY", "1.1: NwkKey: joins"},
	[FRAME_JS_INT_KEY] = {"js_int_key", "KEY",
			      "1.1: JSIntKey; made from NwkKey and DevEUI where not given"},
	[FRAME_JS_ENC_KEY] = {"js_enc_key", "KEY",
			      "1.1: JSEncKey; made from NwkKey and DevEUI where not given"},
	{"fcnt", "N", "the counter, of which the frame has only the lower 16 bits"},
	{"conf_fcnt", "N", "1.1: FCnt of the frame that the ACK is for"},
	{"tx_dr", "N", "1.1: data rate index of the uplink"},
	{"tx_ch", "N", "1.1: channel index of the uplink"},
	{"dev_eui", "EUI", "1.1: DevEUI, for a join-accept"},
	{"join_eui", "EUI", "1.1: JoinEUI of the request that a join-accept answers"},
	{"dev_nonce", "N", "1.1: its DevNonce, or RJcount of a rejoin-request"},
	{"join_req_type", "TYPE", "1.1: what a join-accept answers: join (default), 0, 1 or 2"},
	{"mac_version", "1.0|1.1", "the rules; default: as the keys say"},
};

const struct cli_frame_member *cli_frame_members(size_t *count)
{
	*count = ARRAY_SIZE(members);
	return members;
}

bool cli_frame_is_member(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (strcmp(members[i].name, name) == 0)
			return true;
	return false;
}

bool cli_frame_number(const json_t *value, uint64_t most, uint64_t *number)
{
	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > most)
			return false;
		*number = (uint64_t)json_integer_value(value);
		return true;
	}
	const char *text = json_string_value(value);
	bool hex = text && (strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0);
	const char *digits = text ? text + (hex ? 2 : 0) : NULL;
	const char *allowed = hex ? "0123456789abcdefABCDEF" : "0123456789";
	if (!digits || !*digits || strlen(digits) > 18 || strspn(digits, allowed) != strlen(digits))
		return false;
	unsigned long long read = strtoull(digits, NULL, hex ? 16 : 10);
	if (read > most)
		return false;
	*number = read;
	return true;
}

/* Reads an optional number; false with the problem told. */
static bool number(const json_t *object, const char *name, uint64_t most, bool *has, uint64_t *value,
		   char problem[CLI_FRAME_PROBLEM_MAX])
{
	const json_t *given = json_object_get(object, name);
	*has = given && !json_is_null(given);
	if (!*has || cli_frame_number(given, most, value))
		return true;
	snprintf(problem, CLI_FRAME_PROBLEM_MAX, "%s: expected a number from 0 to %llu", name,
		 (unsigned long long)most);
	return false;
}

static bool eui(const json_t *object, const char *name, bool *has, struct lw_eui64 *value,
		char problem[CLI_FRAME_PROBLEM_MAX])
{
	const json_t *given = json_object_get(object, name);
	*has = given && !json_is_null(given);
	if (!*has || (json_is_string(given) && lw_eui64_parse(json_string_value(given), value)))
		return true;
	snprintf(problem, CLI_FRAME_PROBLEM_MAX, "%s: expected 16 hex digits", name);
	return false;
}

static bool keys(struct cli_frame_context *context, const json_t *object, char problem[CLI_FRAME_PROBLEM_MAX])
{
	for (size_t i = 0; i < FRAME_KEY_COUNT; i++) {
		const json_t *given = json_object_get(object, members[i].name);
		context->has_key[i] = given && !json_is_null(given);
		if (!context->has_key[i])
			continue;
		if (!json_is_string(given) || !lw_key_parse(json_string_value(given), &context->keys[i])) {
			snprintf(problem, CLI_FRAME_PROBLEM_MAX,
				 "%s: expected 32 hex digits; in YAML within quotes", members[i].name);
			return false;
		}
	}
	return true;
}

static bool choices(struct cli_frame_context *context, const json_t *object,
		    char problem[CLI_FRAME_PROBLEM_MAX])
{
	const json_t *given = json_object_get(object, "join_req_type");
	uint64_t type;
	context->join_req_type = 0xff;
	if (given && !json_is_null(given) &&
	    !(json_is_string(given) && strcmp(json_string_value(given), "join") == 0)) {
		if (!cli_frame_number(given, 2, &type)) {
			snprintf(problem, CLI_FRAME_PROBLEM_MAX, "join_req_type: expected join, 0, 1 or 2");
			return false;
		}
		context->join_req_type = (uint8_t)type;
	}
	given = json_object_get(object, "mac_version");
	enum lw_mac_version version;
	if (!given || json_is_null(given))
		return true;
	if (!json_is_string(given) || !lw_mac_version_parse(json_string_value(given), &version)) {
		snprintf(problem, CLI_FRAME_PROBLEM_MAX, "mac_version: expected 1.0 or 1.1");
		return false;
	}
	context->says_1_1 = lw_behaves(version, LW_NETWORK_KEYS);
	context->says_1_0 = !context->says_1_1;
	return true;
}

bool cli_frame_context_read(struct cli_frame_context *context, const json_t *object,
			    char problem[CLI_FRAME_PROBLEM_MAX])
{
	uint64_t fcnt = 0, conf_fcnt = 0, tx_dr = 0, tx_ch = 0, dev_nonce = 0;
	const struct lw_region *region = context->region;
	memset(context, 0, sizeof *context);
	context->region = region;
	if (!keys(context, object, problem) ||
	    !number(object, "fcnt", UINT32_MAX, &context->has_fcnt, &fcnt, problem) ||
	    !number(object, "conf_fcnt", UINT32_MAX, &context->has_conf_fcnt, &conf_fcnt, problem) ||
	    !number(object, "tx_dr", 15, &context->has_tx_dr, &tx_dr, problem) ||
	    !number(object, "tx_ch", 255, &context->has_tx_ch, &tx_ch, problem) ||
	    !number(object, "dev_nonce", UINT16_MAX, &context->has_dev_nonce, &dev_nonce, problem) ||
	    !eui(object, "dev_eui", &context->has_dev_eui, &context->dev_eui, problem) ||
	    !eui(object, "join_eui", &context->has_join_eui, &context->join_eui, problem) ||
	    !choices(context, object, problem))
		return false;
	context->fcnt = (uint32_t)fcnt;
	context->conf_fcnt = (uint16_t)conf_fcnt;
	context->tx_dr = (uint8_t)tx_dr;
	context->tx_ch = (uint8_t)tx_ch;
	context->dev_nonce = (uint16_t)dev_nonce;
	return true;
}

void cli_frame_context_wipe(struct cli_frame_context *context)
{
	explicit_bzero(context, sizeof *context);
}

bool cli_frame_context_is_1_1(const struct cli_frame_context *context)
{
	if (context->says_1_0 || context->says_1_1)
		return context->says_1_1;
	return !context->has_key[FRAME_NWK_S_KEY] &&
	       (context->has_key[FRAME_F_NWK_S_INT_KEY] || context->has_key[FRAME_S_NWK_S_INT_KEY] ||
		context->has_key[FRAME_NWK_S_ENC_KEY]);
}

const struct lw_key *cli_frame_context_key(const struct cli_frame_context *context, enum cli_frame_key key)
{
	return context->has_key[key] ? &context->keys[key] : NULL;
}
