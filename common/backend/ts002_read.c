/* JSON to struct bi_message: the envelope first, since it decides whether a faulty request can be answered,
 * then the rows of the body. The first fault ends the reading and is named. */
#include "common/backend/ts002.h"
#include "common/backend/ts002_values.h"

#include "common/base/check.h"
#include "common/base/hex.h"

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

/* A key envelope whose AESKey is missing, null or empty counts as absent, as an empty object does. */
static bool key_is_empty(const struct bi_field *field, const json_t *value)
{
	return field->kind == BI_KIND_KEY && json_is_object(value) && !bi_member(value, "AESKey");
}

static bool read_body(const json_t *object, struct bi_message *message, struct bi_error *error)
{
	const struct bi_body *body = bi_body_of(message->envelope.type);
	for (size_t i = 0; i < body->count; i++) {
		const struct bi_field *field = &body->fields[i];
		const json_t *value = bi_member(object, field->name);
		if (!value || key_is_empty(field, value)) {
			if (field->required)
				return fault(error, BI_FAULT_MISSING, field->name, bi_kind_rule(field->kind));
			continue;
		}
		enum bi_fault kind = bi_read_value(value, field, message);
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
	const json_t *value = bi_member(object, name);
	if (!value)
		return fault(error, BI_FAULT_MISSING, name, rule);
	enum bi_fault kind = bi_read_text(value, id, BI_ID_TEXT);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, name, rule);
	normalise_id(id);
	return true;
}

static bool read_token(const json_t *object, const char *name, struct bi_token *token, struct bi_error *error)
{
	const json_t *value = bi_member(object, name);
	if (!value)
		return true;
	size_t length;
	enum bi_fault kind = bi_read_hex(value, token->bytes, 1, BI_TOKEN_MAX, &length);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, name, "1 to 64 octets in hexadecimal");
	token->length = (uint8_t)length;
	return true;
}

static bool read_ns_id(const json_t *object, const char *name, bool *has, struct lw_eui64 *id,
		       struct bi_error *error)
{
	const json_t *value = bi_member(object, name);
	if (!value)
		return true;
	size_t length;
	enum bi_fault kind = bi_read_hex(value, id->bytes, sizeof id->bytes, sizeof id->bytes, &length);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, name, bi_kind_rule(BI_KIND_EUI64));
	*has = true;
	return true;
}

/* What a vendor adds is not ours to look into; that it is the standard's frame for such is. */
static bool check_vs_extension(const json_t *object, struct bi_error *error)
{
	const json_t *extension = bi_member(object, "VSExtension");
	uint8_t oui[3];
	size_t length;
	if (!extension)
		return true;
	if (!json_is_object(extension))
		return fault(error, BI_FAULT_TYPE, "VSExtension", "an object with VendorID and Object");
	const json_t *vendor = bi_member(extension, "VendorID");
	if (!vendor)
		return true;
	enum bi_fault kind = bi_read_hex(vendor, oui, sizeof oui, sizeof oui, &length);
	return kind == BI_FAULT_NONE || fault(error, kind, "VendorID", "6 hexadecimal digits");
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
	const json_t *result = bi_member(object, "Result");
	if (!result)
		return fault(error, BI_FAULT_MISSING, "Result", rule);
	if (!json_is_object(result))
		return fault(error, BI_FAULT_TYPE, "Result", rule);
	const json_t *code = bi_member(result, "ResultCode");
	if (!code)
		return fault(error, BI_FAULT_MISSING, "ResultCode", "a result code");
	if (!json_is_string(code))
		return fault(error, BI_FAULT_TYPE, "ResultCode", "a result code");
	envelope->result = bi_result_parse(json_string_value(code));
	read_description(bi_member(result, "Description"), envelope->description);
	return true;
}

static bool read_type(const json_t *object, struct bi_envelope *envelope, struct bi_error *error)
{
	static const char rule[] = "a message type of TS002";
	const json_t *value = bi_member(object, "MessageType");
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
	const json_t *value = bi_member(object, "ProtocolVersion");
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
	const json_t *transaction = bi_member(object, "TransactionID");
	if (!transaction)
		return fault(error, BI_FAULT_MISSING, "TransactionID", rule);
	enum bi_fault kind = bi_read_integer(transaction, UINT32_MAX, &envelope->transaction_id);
	if (kind != BI_FAULT_NONE)
		return fault(error, kind, "TransactionID", rule);
	if (!read_token(object, "SenderToken", &envelope->sender_token, error) ||
	    !read_token(object, "ReceiverToken", &envelope->receiver_token, error))
		return false;
	error->has_envelope = true; /* a version that we do not speak is answered as well */
	if (!read_protocol(object, envelope, error))
		return false;
	if (!read_ns_id(object, "SenderNSID", &envelope->has_sender_ns_id, &envelope->sender_ns_id, error) ||
	    !read_ns_id(object, "ReceiverNSID", &envelope->has_receiver_ns_id, &envelope->receiver_ns_id,
			error) ||
	    !check_vs_extension(object, error))
		return false;
	if (envelope->type == BI_ERROR_NOTIF && !bi_member(object, "Result")) {
		envelope->result = BI_OTHER;
		return true;
	}
	bool has_result = bi_type_is_answer(envelope->type) || envelope->type == BI_ERROR_NOTIF;
	return !has_result || read_result(object, envelope, error);
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
