#include "cli/text_width.h"

#include "cli/text_width_ranges.h"
#include "common/base/check.h"

#include <stdbool.h>
#include <string.h>

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (code > ranges[middle].last)
			low = middle + 1;
		else if (code < ranges[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

unsigned text_width_of(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (is_in(zero, ARRAY_SIZE(zero), code))
		return 0;
	return is_in(wide, ARRAY_SIZE(wide), code) ? 2 : 1;
}

/* Fills the code of the character at `text`; returns its bytes. What is no UTF-8 is one character of one byte. */
static size_t decode(const char *text, uint32_t *code)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t more = at[0] >= 0xf0 && at[0] < 0xf8 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc2 ? 1 : 0;
	*code = at[0];
	if (at[0] < 0xc2 || at[0] >= 0xf5)
		return 1;
	uint32_t value = at[0] & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (at[i] & 0x3fu);
	}
	*code = value;
	return more + 1;
}

/* Bytes of the colour sequence at `text`; 0: there is none. */
static size_t sequence(const char *text)
{
	if (text[0] != '\033' || text[1] != '[')
		return 0;
	size_t length = 2 + strspn(text + 2, "0123456789;");
	return text[length] == 'm' ? length + 1 : 0;
}

unsigned text_width_take(const char **text)
{
	size_t skipped = sequence(*text);
	if (skipped) {
		*text += skipped;
		return 0;
	}
	uint32_t code;
	*text += decode(*text, &code);
	return text_width_of(code);
}

size_t text_width(const char *text)
{
	size_t columns = 0;
	while (*text)
		columns += text_width_take(&text);
	return columns;
}

size_t text_width_of_bytes(const char *text, size_t length)
{
	size_t columns = 0;
	const char *end = text + length;
	while (text < end && *text)
		columns += text_width_take(&text);
	return columns;
}

size_t text_width_fitting(const char *text, size_t columns)
{
	const char *at = text, *fits = text;
	size_t used = 0;
	while (*at) {
		used += text_width_take(&at);
		if (used > columns)
			break;
		fits = at;
	}
	return (size_t)(fits - text);
}
