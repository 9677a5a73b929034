/* struct bi_message to JSON, straight into the caller's buffer: every value is a number, hexadecimal digits
 * or printable ASCII, so that nothing but the quote and the backslash needs escaping. */
#include "common/backend/ts002.h"
#include "common/backend/ts002_fields.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct wr *out, const char *text)
{
	wr_copy(out, (const uint8_t *)text, strlen(text));
}

static void put_quoted(struct wr *out, const char *text)
{
	wr_u8(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			wr_u8(out, '\\');
		wr_u8(out, (uint8_t)*text);
	}
	wr_u8(out, '"');
}

static void put_hex(struct wr *out, const uint8_t *bytes, size_t length)
{
	char digits[2 * LW_PHY_PAYLOAD_MAX + 1];
	ASSERT_CMP(length, <=, LW_PHY_PAYLOAD_MAX);
	hex_encode(digits, bytes, length);
	wr_u8(out, '"');
	put(out, digits);
	wr_u8(out, '"');
}

static void put_number(struct wr *out, uint32_t number)
{
	char text[16];
	snprintf(text, sizeof text, "%" PRIu32, number);
	put(out, text);
}

/* Begins a member of the outer object, which already holds one. */
static void put_name(struct wr *out, const char *name)
{
	put(out, ",\"");
	put(out, name);
	put(out, "\":");
}

static void put_key(struct wr *out, const struct bi_key_envelope *key)
{
	ASSERT_CMP(key->length, ==, (key->label[0] ? BI_KEY_WRAPPED : BI_KEY_CLEAR));
	put(out, "{");
	if (key->label[0]) {
		put(out, "\"KEKLabel\":");
		put_quoted(out, key->label);
		put(out, ",");
	}
	put(out, "\"AESKey\":");
	put_hex(out, key->key, key->length);
	put(out, "}");
}

/* Whether an optional member stands in the message. */
static bool is_present(const struct bi_message *message, const struct bi_field *field)
{
	const uint8_t *at = (const uint8_t *)message + field->offset;
	const uint8_t *extra = (const uint8_t *)message + field->extra;
	switch (field->kind) {
	case BI_KIND_U32:
	case BI_KIND_OPTIONAL_EUI64:
	case BI_KIND_CFLIST: return *(const bool *)extra;
	case BI_KIND_FRAME:
	case BI_KIND_JOIN_ACCEPT: return *extra > 0;
	case BI_KIND_KEY: return ((const struct bi_key_envelope *)(const void *)at)->length > 0;
	case BI_KIND_SESSION_KEY_ID: return ((const struct bi_session_key_id *)(const void *)at)->length > 0;
	default: return true;
	}
}

static void put_value(struct wr *out, const struct bi_message *message, const struct bi_field *field)
{
	const uint8_t *at = (const uint8_t *)message + field->offset;
	const uint8_t *extra = (const uint8_t *)message + field->extra;
	char text[LW_EUI64_TEXT];
	switch (field->kind) {
	case BI_KIND_EUI64:
	case BI_KIND_OPTIONAL_EUI64:
		lw_eui64_format(text, (const struct lw_eui64 *)(const void *)at);
		put_quoted(out, text);
		return;
	case BI_KIND_DEV_ADDR:
		lw_dev_addr_format(text, *(const struct lw_dev_addr *)(const void *)at);
		put_quoted(out, text);
		return;
	case BI_KIND_NET_ID:
		lw_net_id_format(text, *(const struct lw_net_id *)(const void *)at);
		put_quoted(out, text);
		return;
	case BI_KIND_MAC_VERSION:
		put_quoted(out, lw_mac_version_short_name(*(const enum lw_mac_version *)(const void *)at));
		return;
	case BI_KIND_OCTET: put_hex(out, at, 1); return;
	case BI_KIND_SECONDS_15: put_number(out, *at); return;
	case BI_KIND_U32: put_number(out, *(const uint32_t *)(const void *)at); return;
	case BI_KIND_FRAME:
	case BI_KIND_JOIN_ACCEPT: put_hex(out, at, *extra); return;
	case BI_KIND_CFLIST: put_hex(out, at, BI_CFLIST_SIZE); return;
	case BI_KIND_KEY: put_key(out, (const struct bi_key_envelope *)(const void *)at); return;
	case BI_KIND_SESSION_KEY_ID: {
		const struct bi_session_key_id *id = (const struct bi_session_key_id *)(const void *)at;
		put_hex(out, id->bytes, id->length);
		return;
	}
	case BI_KIND_COUNT: break;
	}
	ASSERT(!"a kind without a writer");
}

static void put_ns_id(struct wr *out, const char *name, bool has, const struct lw_eui64 *id)
{
	char text[LW_EUI64_TEXT];
	if (!has)
		return;
	lw_eui64_format(text, id);
	put_name(out, name);
	put_quoted(out, text);
}

static void put_envelope(struct wr *out, const struct bi_envelope *envelope)
{
	put(out, "{\"ProtocolVersion\":");
	put_quoted(out, envelope->foreign_version[0]            ? envelope->foreign_version
			: envelope->protocol == BI_PROTOCOL_1_1 ? "1.1"
								: "1.0");
	put_name(out, "SenderID");
	put_quoted(out, envelope->sender_id);
	put_name(out, "ReceiverID");
	put_quoted(out, envelope->receiver_id);
	put_name(out, "TransactionID");
	put_number(out, envelope->transaction_id);
	put_name(out, "MessageType");
	put_quoted(out, bi_type_name(envelope->type));
	if (envelope->sender_token.length) {
		put_name(out, "SenderToken");
		put_hex(out, envelope->sender_token.bytes, envelope->sender_token.length);
	}
	if (envelope->receiver_token.length) {
		put_name(out, "ReceiverToken");
		put_hex(out, envelope->receiver_token.bytes, envelope->receiver_token.length);
	}
	if (envelope->protocol == BI_PROTOCOL_1_1) {
		put_ns_id(out, "SenderNSID", envelope->has_sender_ns_id, &envelope->sender_ns_id);
		put_ns_id(out, "ReceiverNSID", envelope->has_receiver_ns_id, &envelope->receiver_ns_id);
	}
	if (!bi_type_is_answer(envelope->type) && envelope->type != BI_ERROR_NOTIF)
		return;
	put_name(out, "Result");
	put(out, "{\"ResultCode\":");
	put_quoted(out, bi_result_name(envelope->result, envelope->protocol));
	if (envelope->description[0]) {
		put_name(out, "Description");
		put_quoted(out, envelope->description);
	}
	put(out, "}");
}

size_t bi_write(const struct bi_message *message, char *out, size_t capacity)
{
	const struct bi_envelope *envelope = &message->envelope;
	bool answer = bi_type_is_answer(envelope->type);
	ASSERT(envelope->type < BI_BODIES || answer || envelope->type == BI_ERROR_NOTIF);
	struct wr wr = wr_init((uint8_t *)out, capacity);
	put_envelope(&wr, envelope);
	if (envelope->type < BI_BODIES && (!answer || envelope->result == BI_SUCCESS)) {
		const struct bi_body *body = bi_body_of(envelope->type);
		for (size_t i = 0; i < body->count; i++) {
			const struct bi_field *field = &body->fields[i];
			if (!is_present(message, field))
				continue;
			put_name(&wr, field->name);
			put_value(&wr, message, field);
		}
	}
	put(&wr, "}");
	wr_u8(&wr, '\0');
	return wr_ok(&wr) ? wr_length(&wr) - 1 : 0;
}
