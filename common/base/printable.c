#include "common/base/printable.h"

#include "common/base/check.h"

#include <string.h>

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* U+0080 to U+009F. */
static bool is_c1(const unsigned char *at)
{
	return at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
}

/* How many bytes the UTF-8 character that begins with `first` has; 0: no character begins so. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Controls of direction (Unicode 15 §23.2) and of lines, which make text look like another. Of whole characters. */
static bool is_misleading(const unsigned char *at, size_t length)
{
	if (length == 2)
		return at[0] == 0xd8 && at[1] == 0x9c;
	if (length != 3 || at[0] != 0xe2)
		return false;
	return (at[1] == 0x80 && (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xa8 && at[2] <= 0xae))) ||
	       (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

/* Longer than need be, a half of a pair, or past the last code point: no UTF-8, though some terminals read it. */
static bool is_overlong(const unsigned char *at)
{
	return (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
	       (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90);
}

size_t printable_take(char character[PRINTABLE_CHARACTER_MAX], const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	size_t length = utf8_length(at[0]);
	size_t complete = length > 0 ? 1 : 0;
	while (complete < length && (at[complete] & 0xc0) == 0x80)
		complete++;
	if (complete > 1 && is_overlong(at))
		complete = 1;
	if (complete < length || length == 0 || is_control(at[0]) || is_c1(at) || is_misleading(at, length)) {
		*text += complete > 0 ? complete : 1;
		character[0] = '?';
		return 1;
	}
	memcpy(character, at, length);
	*text += length;
	return length;
}

size_t printable_copy(char *out, size_t capacity, const char *text)
{
	size_t used = 0;
	ASSERT_CMP(capacity, >, 0);
	while (*text) {
		char character[PRINTABLE_CHARACTER_MAX];
		size_t length = printable_take(character, &text);
		if (length >= capacity - used)
			break;
		memcpy(out + used, character, length);
		used += length;
	}
	out[used] = '\0';
	return used;
}

void printable_write(FILE *out, const char *text)
{
	while (*text) {
		char character[PRINTABLE_CHARACTER_MAX];
		size_t length = printable_take(character, &text);
		(void)fwrite(character, 1, length, out);
	}
}

bool printable_is(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (is_control(at[0]) || is_c1(at))
			return false;
	return true;
}
