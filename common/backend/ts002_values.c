/* One value of JSON to one member of struct bi_message, by the kind of its row. Nothing is written where it is at fault. */
#include "common/backend/ts002_values.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <string.h>
#include <strings.h>

/* Lends a member, its name in any case; NULL when missing, null, or an empty text. */
const json_t *bi_member(const json_t *object, const char *name)
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
enum bi_fault bi_read_hex(const json_t *value, uint8_t *out, size_t least, size_t most, size_t *length)
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

enum bi_fault bi_read_integer(const json_t *value, json_int_t most, uint32_t *out)
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
enum bi_fault bi_read_text(const json_t *value, char *out, size_t capacity)
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
	const json_t *label = bi_member(value, "KEKLabel");
	const json_t *bytes = bi_member(value, "AESKey");
	if (!bytes)
		return BI_FAULT_VALUE;
	struct bi_key_envelope read = {0};
	enum bi_fault kind = label ? bi_read_text(label, read.label, sizeof read.label) : BI_FAULT_NONE;
	if (kind != BI_FAULT_NONE)
		return kind;
	size_t size = label ? BI_KEY_WRAPPED : BI_KEY_CLEAR;
	size_t length;
	kind = bi_read_hex(bytes, read.key, size, size, &length);
	if (kind != BI_FAULT_NONE)
		return kind;
	read.length = (uint8_t)length;
	*key = read;
	return BI_FAULT_NONE;
}

enum bi_fault bi_read_value(const json_t *value, const struct bi_field *field, struct bi_message *message)
{
	uint8_t *at = (uint8_t *)message + field->offset;
	uint8_t *extra = (uint8_t *)message + field->extra;
	uint8_t bytes[8];
	size_t length = 0;
	uint32_t number = 0;
	enum bi_fault kind = BI_FAULT_NONE;
	switch (field->kind) {
	case BI_KIND_EUI64: return bi_read_hex(value, ((struct lw_eui64 *)(void *)at)->bytes, 8, 8, &length);
	case BI_KIND_OPTIONAL_EUI64:
		kind = bi_read_hex(value, ((struct lw_eui64 *)(void *)at)->bytes, 8, 8, &length);
		if (kind == BI_FAULT_NONE)
			*(bool *)extra = true;
		return kind;
	case BI_KIND_DEV_ADDR:
		kind = bi_read_hex(value, bytes, 4, 4, &length);
		if (kind == BI_FAULT_NONE)
			((struct lw_dev_addr *)(void *)at)->value = (uint32_t)bytes[0] << 24 |
								    (uint32_t)bytes[1] << 16 |
								    (uint32_t)bytes[2] << 8 | bytes[3];
		return kind;
	case BI_KIND_NET_ID:
		kind = bi_read_hex(value, bytes, 3, 3, &length);
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
	case BI_KIND_OCTET: return bi_read_hex(value, at, 1, 1, &length);
	case BI_KIND_SECONDS_15:
		kind = bi_read_integer(value, 15, &number);
		if (kind == BI_FAULT_NONE)
			*at = (uint8_t)number;
		return kind;
	case BI_KIND_U32:
		kind = bi_read_integer(value, UINT32_MAX, &number);
		if (kind == BI_FAULT_NONE) {
			*(uint32_t *)(void *)at = number;
			*(bool *)extra = true;
		}
		return kind;
	case BI_KIND_FRAME:
		kind = bi_read_hex(value, at, 1, LW_PHY_PAYLOAD_MAX, &length);
		if (kind == BI_FAULT_NONE)
			*extra = (uint8_t)length;
		return kind;
	case BI_KIND_JOIN_ACCEPT: {
		uint8_t accept[33];
		kind = bi_read_hex(value, accept, 17, 33, &length);
		if (kind == BI_FAULT_NONE && length != 17 && length != 33)
			kind = BI_FAULT_VALUE;
		if (kind == BI_FAULT_NONE) {
			memcpy(at, accept, length);
			*extra = (uint8_t)length;
		}
		return kind;
	}
	case BI_KIND_CFLIST:
		kind = bi_read_hex(value, at, BI_CFLIST_SIZE, BI_CFLIST_SIZE, &length);
		if (kind == BI_FAULT_NONE)
			*(bool *)extra = true;
		return kind;
	case BI_KIND_KEY: return read_key(value, (struct bi_key_envelope *)(void *)at);
	case BI_KIND_SESSION_KEY_ID: {
		struct bi_session_key_id *id = (struct bi_session_key_id *)(void *)at;
		kind = bi_read_hex(value, id->bytes, 1, BI_SESSION_KEY_ID_MAX, &length);
		if (kind == BI_FAULT_NONE)
			id->length = (uint8_t)length;
		return kind;
	}
	case BI_KIND_COUNT: break;
	}
	ASSERT(!"a kind without a reader");
	return BI_FAULT_TYPE;
}
