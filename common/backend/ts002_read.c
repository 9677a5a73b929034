/* JSON to struct bi_message: the envelope first, since it decides whether a faulty request can be answered,
 * then the rows of the body. The first fault ends the reading and is named. */
#include "common/backend/ts002.h"
#include "common/backend/ts002_fields.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool fault(struct bi_error *error, enum bi_fault kind, const char *field, const char *rule)
{
	error->fault = kind;
	error->field = field;
	error->rule = rule;
	return false;
}

/* Lends a member, its name in any case; NULL when missing, null, or an empty text. */
static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	if (!value) {
		const char *key;
		json_t *other;
		json_object_foreach((json_t *)object, key, other)
		{
			if (strcasecmp(key, name) == 0) {
				value = other;
				break;
			}
		}
	}
	if (json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
		return NULL;
	return value;
}

/* Decodes hexadecimal text of `least` to `most` octets, with or without 0x. */
static enum bi_fault read_hex(const json_t *value, uint8_t *out, size_t least, size_t most, size_t *length)
{
	if (!json_is_string(value))
		return BI_FAULT_TYPE;
	const char *text = json_string_value(value);
	size_t digits = json_string_length(value);
	if (digits >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		digits -= 2;
	}
	uint8_t decoded[LW_PHY_PAYLOAD_MAX];
	ASSERT_CMP(most, <=, sizeof decoded);
	if (digits > 2 * most || !hex_decode(decoded, most, length, text, digits) || *length < least)
		return BI_FAULT_VALUE;
	memcpy(out, decoded, *length);
	return BI_FAULT_NONE;
}

static enum bi_fault read_integer(const json_t *value, json_int_t most, uint32_t *out)
{
	if (!json_is_integer(value))
		return BI_FAULT_TYPE;
	json_int_t number = json_integer_value(value);
	if (number < 0 || number > most)
		return BI_FAULT_VALUE;
	*out = (uint32_t)number;
	return BI_FAULT_NONE;
}

/* Copies text of 1 .. capacity − 1 printable ASCII characters. */
static enum bi_fault read_text(const json_t *value, char *out, size_t capacity)
{
	if (!json_is_string(value))
		return BI_FAULT_TYPE;
	const char *text = json_string_value(value);
	size_t length = json_string_length(value);
	if (length >= capacity)
		return BI_FAULT_VALUE;
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return BI_FAULT_VALUE;
	memcpy(out, text, length + 1);
	return BI_FAULT_NONE;
}

static enum bi_fault read_key(const json_t *value, struct bi_key_envelope *key)
{
	if (!json_is_object(value))
		return BI_FAULT_TYPE;
	const json_t *label = member(value, "KEKLabel");
	const json_t *bytes = member(value, "AESKey");
	if (!bytes)
		return BI_FAULT_VALUE;
	struct bi_key_envelope read = {0};
	enum bi_fault kind = label ? read_text(label, read.label, sizeof read.label) : BI_FAULT_NONE;
	if (kind != BI_FAULT_NONE)
		return kind;
	size_t size = label ? BI_KEY_WRAPPED : BI_KEY_CLEAR;
	size_t length;
	kind = read_hex(bytes, read.key, size, size, &length);
	if (kind != BI_FAULT_NONE)
		return kind;
	read.length = (uint8_t)length;
	*key = read;
	return BI_FAULT_NONE;
}

static enum bi_fault read_value(const json_t *value, const struct bi_field *field, struct bi_message *message)
{
	uint8_t *at = (uint8_t *)message + field->offset;
	uint8_t *extra = (uint8_t *)message + field->extra;
	uint8_t bytes[8];
	size_t length = 0;
	uint32_t number = 0;
	enum bi_fault kind = BI_FAULT_NONE;
	switch (field->kind) {
	case BI_KIND_EUI64: return read_hex(value, ((struct lw_eui64 *)(void *)at)->bytes, 8, 8, &length);
	case BI_KIND_DEV_ADDR:
		kind = read_hex(value, bytes, 4, 4, &length);
		if (kind == BI_FAULT_NONE)
			((struct lw_dev_addr *)(void *)at)->value = (uint32_t)bytes[0] << 24 |
								    (uint32_t)bytes[1] << 16 |
								    (uint32_t)bytes[2] << 8 | bytes[3];
		return kind;
	case BI_KIND_NET_ID:
		kind = read_hex(value, bytes, 3, 3, &length);
		if (kind == BI_FAULT_NONE)
			((struct lw_net_id *)(void *)at)->value = (uint32_t)bytes[0] << 16 |
								  (uint32_t)bytes[1] << 8 | bytes[2];
		return kind;
	case BI_KIND_MAC_VERSION:
		if (!json_is_string(value))
			return BI_FAULT_TYPE;
		if (!lw_mac_version_parse(json_string_value(value), (enum lw_mac_version *)(void *)at))
			return BI_FAULT_VALUE;
		return BI_FAULT_NONE;
	case BI_KIND_OCTET: return read_hex(value, at, 1, 1, &length);
	case BI_KIND_SECONDS_15:
		kind = read_integer(value, 15, &number);
		if (kind == BI_FAULT_NONE)
			*at = (uint8_t)number;
		return kind;
	case BI_KIND_U32:
		kind = read_integer(value, UINT32_MAX, &number);
		if (kind == BI_FAULT_NONE) {
			*(uint32_t *)(void *)at = number;
			*(bool *)extra = true;
		}
		return kind;
	case BI_KIND_FRAME:
		kind = read_hex(value, at, 1, LW_PHY_PAYLOAD_MAX, &length);
		if (kind == BI_FAULT_NONE)
			*extra = (uint8_t)length;
		return kind;
	case BI_KIND_JOIN_ACCEPT: {
		uint8_t accept[33];
		kind = read_hex(value, accept, 17, 33, &length);
		if (kind == BI_FAULT_NONE && length != 17 && length != 33)
			kind = BI_FAULT_VALUE;
		if (kind == BI_FAULT_NONE) {
			memcpy(at, accept, length);
			*extra = (uint8_t)length;
		}
		return kind;
	}
	case BI_KIND_CFLIST:
		kind = read_hex(value, at, BI_CFLIST_SIZE, BI_CFLIST_SIZE, &length);
		if (kind == BI_FAULT_NONE)
			*(bool *)extra = true;
		return kind;
	case BI_KIND_KEY: return read_key(value, (struct bi_key_envelope *)(void *)at);
	case BI_KIND_SESSION_KEY_ID: {
		struct bi_session_key_id *id = (struct bi_session_key_id *)(void *)at;
		kind = read_hex(value, id->bytes, 1, BI_SESSION_KEY_ID_MAX, &length);
		if (kind == BI_FAULT_NONE)
			id->length = (uint8_t)length;
		return kind;
	}
	case BI_KIND_COUNT: break;
	}
	ASSERT(!"a kind without a reader");
	return BI_FAULT_TYPE;
}

/* A key envelope whose AESKey is missing, null or empty counts as absent, as an empty object does. */
static bool key_is_empty(const struct bi_field *field, const json_t *value)
{
	return field->kind == BI_KIND_KEY && json_is_object(value) && !member(value, "AESKey");
}

static bool read_body(const json_t *object, struct bi_message *message, struct bi_error *error)
{
	const struct bi_body *body = bi_body_of(message->envelope.type);
	for (size_t i = 0; i < body->count; i++) {
		const struct bi_field *field = &body->fields[i];
		const json_t *value = member(object, field->name);
		if (!value || key_is_empty(field, value)) {
			if (field->required)
				return fault(error, BI_FAULT_MISSING, field->name, bi_kind_rule(field->kind));
			continue;
		}
		enum bi_fault kind = read_value(value, field, message);
		if (kind != BI_FAULT_NONE)
			return fault(error, kind, field->name, bi_kind_rule(field->kind));
	}
	return true;
}

/* A session needs its network keys: the one of 1.0.x, or all three of 1.1. */
static bool check_network_keys(const struct bi_join_ans *ans, struct bi_error *error)
{
	static const char rule[] = "NwkSKey, or all of FNwkSIntKey, SNwkSIntKey, NwkSEncKey";
	if (ans->nwk_s_key.length)
		return true;
	if (!ans->f_nwk_s_int_key.length && !ans->s_nwk_s_int_key.length && !ans->nwk_s_enc_key.length)
		return fault(error, BI_FAULT_MISSING, "NwkSKey", rule);
	if (!ans->f_nwk_s_int_key.length)
		return fault(error, BI_FAULT_MISSING, "FNwkSIntKey", rule);
	if (!ans->s_nwk_s_int_key.length)
		return fault(error, BI_FAULT_MISSING, "SNwkSIntKey", rule);
	if (!ans->nwk_s_enc_key.length)
		return fault(error, BI_FAULT_MISSING, "NwkSEncKey", rule);
	return true;
}

/* Brings an EUI or a NetID to lower case without prefix. */
static void normalise_id(char id[BI_ID_TEXT])
{
	struct lw_eui64 eui;
	struct lw_net_id net_id;
	if (bi_id_eui64(id, &eui)) {
		memset(id, 0, BI_ID_TEXT);
		lw_eui64_format(id, &eui);
	} else if (bi_id_net_id(id, &net_id)) {
		memset(id, 0, BI_ID_TEXT);
		lw_net_id_format(id, net_id);
	}
}

static bool read_id(const json_t *object, const char *name, char id[BI_ID_TEXT], struct bi_error *error)
{
	static const char rule[] = "1 to 64 printable characters";
	const json_t *value = member(object, name);
	if (!value)
		return fault(error, BI_FAULT_MISSING, name, rule);
	enum bi_fault kind = read_text(value, id, BI_ID_TEXT);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, name, rule);
	normalise_id(id);
	return true;
}

static bool read_token(const json_t *object, const char *name, struct bi_token *token, struct bi_error *error)
{
	const json_t *value = member(object, name);
	if (!value)
		return true;
	size_t length;
	enum bi_fault kind = read_hex(value, token->bytes, 1, BI_TOKEN_MAX, &length);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, name, "1 to 64 octets in hexadecimal");
	token->length = (uint8_t)length;
	return true;
}

/* A description is for people: what is not printable is replaced, what is too long is cut. */
static void read_description(const json_t *value, char description[BI_DESCRIPTION_TEXT])
{
	if (!json_is_string(value))
		return;
	const char *text = json_string_value(value);
	size_t i = 0;
	for (; text[i] && i + 1 < BI_DESCRIPTION_TEXT; i++)
		description[i] = text[i] < 0x20 || text[i] > 0x7e ? '?' : text[i];
	description[i] = '\0';
}

static bool read_result(const json_t *object, struct bi_envelope *envelope, struct bi_error *error)
{
	static const char rule[] = "an object with a ResultCode";
	const json_t *result = member(object, "Result");
	if (!result)
		return fault(error, BI_FAULT_MISSING, "Result", rule);
	if (!json_is_object(result))
		return fault(error, BI_FAULT_TYPE, "Result", rule);
	const json_t *code = member(result, "ResultCode");
	if (!code)
		return fault(error, BI_FAULT_MISSING, "ResultCode", "a result code");
	if (!json_is_string(code))
		return fault(error, BI_FAULT_TYPE, "ResultCode", "a result code");
	envelope->result = bi_result_parse(json_string_value(code));
	read_description(member(result, "Description"), envelope->description);
	return true;
}

static bool read_type(const json_t *object, struct bi_envelope *envelope, struct bi_error *error)
{
	static const char rule[] = "a message type of TS002";
	const json_t *value = member(object, "MessageType");
	if (!value)
		return fault(error, BI_FAULT_MISSING, "MessageType", rule);
	if (!json_is_string(value))
		return fault(error, BI_FAULT_TYPE, "MessageType", rule);
	if (!bi_type_parse(json_string_value(value), &envelope->type))
		return fault(error, BI_FAULT_UNKNOWN_TYPE, "MessageType", rule);
	return true;
}

static bool read_protocol(const json_t *object, struct bi_envelope *envelope, struct bi_error *error)
{
	static const char rule[] = "1.0 or 1.1";
	const json_t *value = member(object, "ProtocolVersion");
	if (!value)
		return fault(error, BI_FAULT_MISSING, "ProtocolVersion", rule);
	if (!json_is_string(value))
		return fault(error, BI_FAULT_TYPE, "ProtocolVersion", rule);
	const char *text = json_string_value(value);
	if (strcmp(text, "1.0") == 0)
		envelope->protocol = BI_PROTOCOL_1_0;
	else if (strcmp(text, "1.1") == 0)
		envelope->protocol = BI_PROTOCOL_1_1;
	else {
		/* Anything but a number of that form is answered in 1.0. */
		if (strlen(text) < BI_VERSION_TEXT && strspn(text, "0123456789.") == strlen(text))
			snprintf(envelope->foreign_version, BI_VERSION_TEXT, "%s", text);
		return fault(error, BI_FAULT_VERSION, "ProtocolVersion", rule);
	}
	return true;
}

static bool read_envelope(const json_t *object, struct bi_envelope *envelope, struct bi_error *error)
{
	static const char rule[] = "an integer from 0 to 4294967295";
	if (!read_type(object, envelope, error) || !read_id(object, "SenderID", envelope->sender_id, error) ||
	    !read_id(object, "ReceiverID", envelope->receiver_id, error))
		return false;
	const json_t *transaction = member(object, "TransactionID");
	if (!transaction)
		return fault(error, BI_FAULT_MISSING, "TransactionID", rule);
	enum bi_fault kind = read_integer(transaction, UINT32_MAX, &envelope->transaction_id);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, "TransactionID", rule);
	if (!read_token(object, "SenderToken", &envelope->sender_token, error) ||
	    !read_token(object, "ReceiverToken", &envelope->receiver_token, error))
		return false;
	error->has_envelope = true; /* a version that we do not speak is answered as well */
	if (!read_protocol(object, envelope, error))
		return false;
	return !bi_type_is_answer(envelope->type) || read_result(object, envelope, error);
}

static bool read_message(const json_t *object, struct bi_message *message, struct bi_error *error)
{
	if (!read_envelope(object, &message->envelope, error))
		return false;
	enum bi_type type = message->envelope.type;
	if (type >= BI_BODIES)
		return true;
	if (bi_type_is_answer(type) && message->envelope.result != BI_SUCCESS)
		return true;
	if (!read_body(object, message, error))
		return false;
	if (type == BI_JOIN_ANS || type == BI_REJOIN_ANS)
		return check_network_keys(&message->join_ans, error);
	return true;
}

bool bi_read(const char *text, size_t length, struct bi_message *message, struct bi_error *error)
{
	*error = (struct bi_error){.fault = BI_FAULT_NONE, .field = "", .rule = ""};
	memset(message, 0, sizeof *message);
	if (length > BI_BODY_MAX)
		return fault(error, BI_FAULT_TOO_LONG, "", "at most 32768 bytes");
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return fault(error, BI_FAULT_NOT_JSON, "", "one JSON object");
	}
	bool read = read_message(object, message, error);
	json_decref(object);
	if (!read) {
		struct bi_envelope envelope = message->envelope;
		bi_message_wipe(message);
		if (error->has_envelope)
			message->envelope = envelope;
	}
	return read;
}
