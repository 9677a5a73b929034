#include "cli/key_text.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *key_encoding_name(enum key_encoding encoding)
{
	static const char *const names[] = {"UTF-8", "UTF-16, little end first", "UTF-16, big end first",
					    "Latin-1"};
	ASSERT_CMP((size_t)encoding, <, ARRAY_SIZE(names));
	return names[encoding];
}

/* Writes a code point; one that is none becomes '?'. */
static void put(struct wr *wr, uint32_t point)
{
	if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		point = '?';
	if (point < 0x80) {
		wr_u8(wr, (uint8_t)point);
	} else if (point < 0x800) {
		wr_u8(wr, (uint8_t)(0xc0 | point >> 6));
		wr_u8(wr, (uint8_t)(0x80 | (point & 63)));
	} else {
		if (point < 0x10000) {
			wr_u8(wr, (uint8_t)(0xe0 | point >> 12));
		} else {
			wr_u8(wr, (uint8_t)(0xf0 | point >> 18));
			wr_u8(wr, (uint8_t)(0x80 | (point >> 12 & 63)));
		}
		wr_u8(wr, (uint8_t)(0x80 | (point >> 6 & 63)));
		wr_u8(wr, (uint8_t)(0x80 | (point & 63)));
	}
}

static void turn_utf16(struct rd *rd, struct wr *wr, bool little)
{
	while (rd_left(rd) >= 2) {
		uint32_t unit = little ? rd_u16le(rd) : rd_u16be(rd);
		if (unit >= 0xd800 && unit < 0xdc00 && rd_left(rd) >= 2) {
			struct rd ahead = *rd;
			uint32_t low = little ? rd_u16le(&ahead) : rd_u16be(&ahead);
			if (low >= 0xdc00 && low < 0xe000) {
				*rd = ahead;
				unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
			}
		}
		put(wr, unit);
	}
}

/* Whether every byte is part of a UTF-8 character, as far as its shape goes. */
static bool is_utf8(const char *bytes, size_t length)
{
	struct rd rd = rd_init((const uint8_t *)bytes, length);
	while (rd_left(&rd) > 0) {
		uint8_t first = rd_u8(&rd);
		int more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : -1;
		if (more < 0 || first > 0xf4)
			return false;
		while (more-- > 0)
			if ((rd_u8(&rd) & 0xc0) != 0x80)
				return false;
	}
	return rd_ok(&rd);
}

static enum key_encoding look(struct rd *rd)
{
	struct rd mark = *rd;
	const uint8_t *bytes = rd_left(rd) >= 3 ? rd_take(&mark, 3) : NULL;
	if (bytes && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		*rd = mark;
		return KEY_UTF8;
	}
	mark = *rd;
	bytes = rd_left(rd) >= 2 ? rd_take(&mark, 2) : NULL;
	if (bytes && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
		*rd = mark;
		return memcmp(bytes, "\xff\xfe", 2) == 0 ? KEY_UTF16_LE : KEY_UTF16_BE;
	}
	return KEY_UTF8;
}

void key_text_init(struct key_text *text, const char *bytes, size_t length)
{
	struct rd rd = rd_init((const uint8_t *)bytes, length);
	size_t capacity = 3 * length + 1; /* UTF-16 units take up to three bytes, two of Latin-1 */
	*text = (struct key_text){.text = malloc(capacity), .encoding = look(&rd)};
	ASSERT(text->text);
	struct wr wr = wr_init((uint8_t *)text->text, capacity);
	size_t left = rd_left(&rd);
	if (text->encoding != KEY_UTF8) {
		turn_utf16(&rd, &wr, text->encoding == KEY_UTF16_LE);
	} else if (left > 0) {
		const char *rest = (const char *)rd_take(&rd, left);
		if (is_utf8(rest, left)) {
			wr_copy(&wr, (const uint8_t *)rest, left);
		} else {
			text->encoding = KEY_LATIN1;
			for (struct rd latin = rd_init((const uint8_t *)rest, left); rd_left(&latin) > 0;)
				put(&wr, rd_u8(&latin));
		}
	}
	text->length = wr_length(&wr);
	wr_u8(&wr, '\0');
	ASSERT(wr_ok(&wr));
}

void key_text_release(struct key_text *text)
{
	if (text->text)
		explicit_bzero(text->text, text->length);
	free(text->text);
	*text = (struct key_text){.text = NULL};
}
