/* Read field by field through a cursor over an upper-case copy; the checksum is taken over the bytes as the reader has passed
 * them. A label may have been written in lower case by somebody who took the checksum over that: then the text as it came is
 * asked as well. */
#include "common/lorawan/tr005.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <string.h>

static const char *const reasons[LW_TR005_VERDICT_COUNT] = {
	[LW_TR005_OK] = "it is a device's code",
	[LW_TR005_TOO_LONG] = "longer than 512 characters",
	[LW_TR005_NO_CODE] = "not a device's code: one begins with LW:D0:",
	[LW_TR005_SCHEMA] = "of a schema other than D0, which is the only one that TR005 has",
	[LW_TR005_FIELDS] = "cut short: JoinEUI, DevEUI and profile stand in every code",
	[LW_TR005_JOIN_EUI] = "the JoinEUI is not 16 hex digits",
	[LW_TR005_DEV_EUI] = "the DevEUI is not 16 hex digits",
	[LW_TR005_PROFILE] = "the profile is not 8 hex digits",
	[LW_TR005_CHARACTER] = "it has a character that no such code has",
	[LW_TR005_EMPTY] = "a field behind the profile has no value",
	[LW_TR005_TWICE] = "a field stands in it twice",
	[LW_TR005_TOKEN_LENGTH] = "the owner token has not 4 to 64 characters",
	[LW_TR005_VALUE_LENGTH] = "a field is too long",
	[LW_TR005_CHECKSUM_FORM] = "the checksum is not 4 hex digits",
	[LW_TR005_CHECKSUM] = "the checksum does not match: it was read or typed wrongly",
};

const char *lw_tr005_reason(enum lw_tr005_verdict verdict)
{
	ASSERT_CMP((int)verdict, <, LW_TR005_VERDICT_COUNT);
	return reasons[verdict];
}

uint16_t lw_tr005_checksum(const char *text, size_t length)
{
	struct rd rd = rd_init((const uint8_t *)text, length);
	unsigned crc = 0xffff;
	while (rd_left(&rd) > 0) {
		crc ^= rd_u8(&rd);
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	}
	return (uint16_t)crc;
}

static bool is_value_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c != '\0' && strchr(" $%*+-./", c));
}

bool lw_tr005_is_value(const char *text, size_t length)
{
	struct rd rd = rd_init((const uint8_t *)text, length);
	while (rd_left(&rd) > 0)
		if (!is_value_character((char)rd_u8(&rd)))
			return false;
	return true;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

struct field {
	const char *text; /* into the upper-case copy */
	size_t length;
};

/* The next field, up to a colon or the end; false: there is none. */
static bool next_field(struct rd *rd, struct field *field)
{
	if (rd_left(rd) == 0)
		return false;
	*field = (struct field){.text = (const char *)rd_take(rd, 0)};
	while (rd_left(rd) > 0 && rd_u8(rd) != ':')
		field->length++;
	return true;
}

static bool is(const struct field *field, const char *word)
{
	return field->length == strlen(word) && memcmp(field->text, word, field->length) == 0;
}

static bool take_hex(const struct field *field, uint8_t *bytes, size_t size)
{
	char text[LW_EUI64_TEXT];
	if (field->length != 2 * size || field->length >= sizeof text)
		return false;
	memcpy(text, field->text, field->length);
	text[field->length] = '\0';
	return hex_decode_exact(bytes, size, text);
}

static enum lw_tr005_verdict take_value(const struct field *field, size_t least, char *value, size_t room,
					enum lw_tr005_verdict wrong_length)
{
	if (*value)
		return LW_TR005_TWICE;
	if (field->length - 1 < least || field->length > room)
		return wrong_length;
	memcpy(value, field->text + 1, field->length - 1);
	value[field->length - 1] = '\0';
	return LW_TR005_OK;
}

/* `before`: how many characters stand before the checksum's colon; `raw` is the text as it came. */
static enum lw_tr005_verdict take_checksum(const struct field *field, const char *raw, const char *folded,
					   size_t before, struct lw_tr005 *code)
{
	uint8_t bytes[2];
	struct field digits = {field->text + 1, field->length - 1};
	if (code->checked)
		return LW_TR005_TWICE;
	if (!take_hex(&digits, bytes, sizeof bytes))
		return LW_TR005_CHECKSUM_FORM;
	struct rd rd = rd_init(bytes, sizeof bytes);
	uint16_t said = rd_u16be(&rd);
	if (said != lw_tr005_checksum(folded, before) && said != lw_tr005_checksum(raw, before))
		return LW_TR005_CHECKSUM;
	code->checked = true;
	return LW_TR005_OK;
}

static enum lw_tr005_verdict take_extension(const struct field *field, const char *raw, const char *folded,
					    struct lw_tr005 *code)
{
	if (field->length < 2)
		return LW_TR005_EMPTY;
	switch (*field->text) {
	case 'O':
		return take_value(field, LW_TR005_TOKEN_MIN, code->owner_token, sizeof code->owner_token,
				  LW_TR005_TOKEN_LENGTH);
	case 'S': return take_value(field, 1, code->serial, sizeof code->serial, LW_TR005_VALUE_LENGTH);
	case 'P':
		return take_value(field, 1, code->proprietary, sizeof code->proprietary,
				  LW_TR005_VALUE_LENGTH);
	case 'C': return take_checksum(field, raw, folded, (size_t)(field->text - folded) - 1, code);
	default: return LW_TR005_OK; /* a kind of a later edition */
	}
}

static enum lw_tr005_verdict read_folded(const char *raw, const char *folded, size_t length,
					 struct lw_tr005 *code)
{
	struct rd rd = rd_init((const uint8_t *)folded, length);
	struct field field;
	uint8_t profile[4];
	if (!next_field(&rd, &field) || !is(&field, "LW"))
		return LW_TR005_NO_CODE;
	if (!next_field(&rd, &field) || !is(&field, "D0"))
		return LW_TR005_SCHEMA;
	if (!next_field(&rd, &field))
		return LW_TR005_FIELDS;
	if (!take_hex(&field, code->join_eui.bytes, sizeof code->join_eui.bytes))
		return LW_TR005_JOIN_EUI;
	if (!next_field(&rd, &field))
		return LW_TR005_FIELDS;
	if (!take_hex(&field, code->dev_eui.bytes, sizeof code->dev_eui.bytes))
		return LW_TR005_DEV_EUI;
	if (!next_field(&rd, &field))
		return LW_TR005_FIELDS;
	if (!take_hex(&field, profile, sizeof profile))
		return LW_TR005_PROFILE;
	struct rd numbers = rd_init(profile, sizeof profile);
	code->vendor = rd_u16be(&numbers);
	code->vendor_profile = rd_u16be(&numbers);
	while (next_field(&rd, &field)) {
		enum lw_tr005_verdict verdict = take_extension(&field, raw, folded, code);
		if (verdict != LW_TR005_OK)
			return verdict;
	}
	return folded[length - 1] == ':' ? LW_TR005_EMPTY : LW_TR005_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum lw_tr005_verdict lw_tr005_parse(const char *text, size_t length, struct lw_tr005 *code)
{
	char folded[LW_TR005_TEXT];
	struct lw_tr005 read = {.vendor = 0};
	enum lw_tr005_verdict verdict = LW_TR005_OK;
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	while (length > 0 && is_blank(*text))
		text++, length--;
	if (length == 0)
		return LW_TR005_NO_CODE;
	if (length >= sizeof folded)
		return LW_TR005_TOO_LONG;
	for (size_t i = 0; i < length; i++) {
		folded[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
		if (!is_value_character(folded[i]) && folded[i] != ':')
			verdict = LW_TR005_CHARACTER;
	}
	if (verdict == LW_TR005_OK || length < 3 || memcmp(folded, "LW:", 3) != 0)
		verdict = read_folded(text, folded, length, &read);
	if (verdict == LW_TR005_OK)
		*code = read;
	explicit_bzero(&read, sizeof read);
	explicit_bzero(folded, sizeof folded);
	return verdict;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static void put(struct wr *wr, const char *text, size_t length)
{
	wr_copy(wr, (const uint8_t *)text, length);
}

static void put_hex(struct wr *wr, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	for (struct rd rd = rd_init(bytes, size); rd_left(&rd) > 0;) {
		uint8_t byte = rd_u8(&rd);
		wr_u8(wr, (uint8_t)digits[byte >> 4]);
		wr_u8(wr, (uint8_t)digits[byte & 15]);
	}
}

static void put_u16(struct wr *wr, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
	put_hex(wr, bytes, sizeof bytes);
}

static void put_value(struct wr *wr, char kind, const char *value, size_t room)
{
	size_t length = strnlen(value, room);
	if (length == 0)
		return;
	if (length == room || !lw_tr005_is_value(value, length)) {
		wr_fail(wr);
		return;
	}
	wr_u8(wr, ':');
	wr_u8(wr, (uint8_t)kind);
	put(wr, value, length);
}

bool lw_tr005_build(const struct lw_tr005 *code, char text[LW_TR005_TEXT])
{
	struct wr wr = wr_init((uint8_t *)text, LW_TR005_TEXT);
	size_t token = strnlen(code->owner_token, sizeof code->owner_token);
	if (token > 0 && token < LW_TR005_TOKEN_MIN)
		return false;
	put(&wr, "LW:D0:", 6);
	put_hex(&wr, code->join_eui.bytes, sizeof code->join_eui.bytes);
	put(&wr, ":", 1);
	put_hex(&wr, code->dev_eui.bytes, sizeof code->dev_eui.bytes);
	put(&wr, ":", 1);
	put_u16(&wr, code->vendor);
	put_u16(&wr, code->vendor_profile);
	put_value(&wr, 'O', code->owner_token, sizeof code->owner_token);
	put_value(&wr, 'S', code->serial, sizeof code->serial);
	put_value(&wr, 'P', code->proprietary, sizeof code->proprietary);
	if (wr_ok(&wr)) {
		uint16_t checksum = lw_tr005_checksum(text, wr_length(&wr));
		put(&wr, ":C", 2);
		put_u16(&wr, checksum);
	}
	wr_u8(&wr, '\0');
	return wr_ok(&wr);
}
