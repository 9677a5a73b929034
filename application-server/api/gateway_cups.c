/* The bridge's question on behalf of a station that it has authenticated: POST /api/v1/gateways/EUI/cups
 *
 *	{"by": "certificate"|"token", "issued_us", "until_us",      what it presented
 *	 "station", "model", "package", "tc_uri", "cups_uri",       what it says of itself
 *	 "tc_crc", "cups_crc", "keys": [...]}
 *
 * Answer: what is to change and nothing else; bytes as hexadecimal digits.
 *
 *	{"tc_uri"?, "cups_uri"?, "tc_credentials"?, "cups_credentials"?, "firmware"?: id, "firmware_size"?, "key_crc"?, "signature"?} */
#include "application-server/api/answer.h"
#include "application-server/api/identity.h"
#include "application-server/identity/cups.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool as_identity_bridge(const struct as_call *call, struct as_answer *answer)
{
	if (call->scope->bridge)
		return true;
	as_answer_problem(answer, 403, NULL, "is for the gateway bridge");
	return false;
}

/* --- reading the question ------------------------------------------------------------------------------------------ */

static void take_text(const json_t *body, const char *name, char *text, size_t capacity)
{
	const char *value = json_string_value(json_object_get(body, name));
	snprintf(text, capacity, "%s", value ? value : "");
}

static bool take_u32(const json_t *value, uint32_t *number)
{
	json_int_t found = json_integer_value(value);
	if (!json_is_integer(value) || found < 0 || found > UINT32_MAX)
		return false;
	*number = (uint32_t)found;
	return true;
}

static bool take_keys(const json_t *body, struct as_cups_question *question)
{
	const json_t *keys = json_object_get(body, "keys");
	for (size_t i = 0; i < json_array_size(keys); i++)
		if (question->key_count == AS_CUPS_KEYS_MAX ||
		    !take_u32(json_array_get(keys, i), &question->keys[question->key_count++]))
			return false;
	return true;
}

static bool read_question(const struct as_call *call, struct as_cups_question *question)
{
	const json_t *body = call->body;
	const char *by = json_string_value(json_object_get(body, "by"));
	*question = (struct as_cups_question){.by_certificate = by && strcmp(by, "certificate") == 0};
	question->certificate_issued.us = json_integer_value(json_object_get(body, "issued_us"));
	question->certificate_until.us = json_integer_value(json_object_get(body, "until_us"));
	take_text(body, "station", question->station.station, sizeof question->station.station);
	take_text(body, "model", question->station.model, sizeof question->station.model);
	take_text(body, "package", question->station.package, sizeof question->station.package);
	take_text(body, "tc_uri", question->station.tc_uri, sizeof question->station.tc_uri);
	take_text(body, "cups_uri", question->station.cups_uri, sizeof question->station.cups_uri);
	return lw_eui64_parse(call->id, &question->gateway) && by &&
	       (question->by_certificate || strcmp(by, "token") == 0) &&
	       take_u32(json_object_get(body, "tc_crc"), &question->tc_crc) &&
	       take_u32(json_object_get(body, "cups_crc"), &question->cups_crc) && take_keys(body, question);
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

static void set_hex(json_t *body, const char *name, const uint8_t *bytes, size_t length)
{
	static char text[2 * AS_BUNDLE_MAX + 1];
	hex_encode(text, bytes, length);
	json_object_set_new(body, name, json_string(text));
	secret_wipe(text, sizeof text);
}

static json_t *answer_json(const struct as_cups_answer *said)
{
	json_t *body = json_object();
	if (said->tc_uri[0])
		json_object_set_new(body, "tc_uri", json_string(said->tc_uri));
	if (said->cups_uri[0])
		json_object_set_new(body, "cups_uri", json_string(said->cups_uri));
	if (said->bundle_length && said->for_tc)
		set_hex(body, "tc_credentials", said->bundle, said->bundle_length);
	if (said->bundle_length && said->for_cups)
		set_hex(body, "cups_credentials", said->bundle, said->bundle_length);
	if (said->has_firmware) {
		json_object_set_new(body, "firmware", json_integer(said->firmware.id));
		json_object_set_new(body, "firmware_size", json_integer((json_int_t)said->firmware.size));
		json_object_set_new(body, "key_crc", json_integer(said->key_crc));
		set_hex(body, "signature", said->firmware.signature, said->firmware.signature_length);
	}
	return body;
}

void as_handle_cups(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_cups_question question;
	static struct as_cups_answer said;
	if (!as_identity_bridge(call, answer) || !as_call_has_object(call, answer))
		return;
	if (!read_question(call, &question)) {
		as_answer_problem(answer, 422, NULL, "is not a station's question");
		return;
	}
	enum status status = as_cups_decide(api->authority, call->now.wall, &question, &said);
	if (status == ST_OK)
		as_answer_json(answer, 200, answer_json(&said));
	else if (status == ST_NOT_FOUND)
		as_answer_not_found(answer, record_schema(RECORD_GATEWAY));
	else if (status == ST_REFUSED)
		as_answer_problem(answer, 403, NULL, "what the station presented is not valid any more");
	else
		as_answer_failed(answer, status);
	secret_wipe(&said, sizeof said);
}

/* All bytes of the firmware were sent: whether it was installed, its next question tells. */
void as_handle_cups_delivered(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	struct as_firmware_order order;
	json_int_t id = json_integer_value(json_object_get(call->body, "firmware"));
	if (!as_identity_bridge(call, answer) || !as_call_has_object(call, answer))
		return;
	if (!lw_eui64_parse(call->id, &gateway) ||
	    as_store_order_get(api->app->store, &gateway, &order) != ST_OK || order.firmware != id) {
		as_answer_problem(answer, 404, NULL, "it is to get no such firmware");
		return;
	}
	enum status status = ST_OK;
	if (order.state == AS_ORDER_OFFERED)
		status = as_store_order_move(api->app->store, &gateway, AS_ORDER_DELIVERED, "", false,
					     call->now.wall);
	if (status == ST_OK)
		as_answer_json(answer, 200, json_object());
	else
		as_answer_failed(answer, status);
}
