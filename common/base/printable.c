#include "common/base/printable.h"

#include "common/base/check.h"

#include <string.h>

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
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

size_t printable_take(char character[PRINTABLE_CHARACTER_MAX], const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	size_t length = utf8_length(at[0]);
	size_t complete = length > 0 ? 1 : 0;
	while (complete < length && (at[complete] & 0xc0) == 0x80)
		complete++;
	bool is_c1 = length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
	if (complete < length || length == 0 || is_control(at[0]) || is_c1) {
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
	for (; *text; text++)
		if (is_control((unsigned char)*text))
			return false;
	return true;
}
