/* The depth of the walk is that of the text, which GB_JSON_LEVELS bounds. */
#include "gateway-bridge/json_check.h"

#include "common/base/hex.h"
#include "gateway-bridge/json.h"

/* The next byte, not taken; −1 at the end. */
static int peek(const struct gb_cursor *cursor)
{
	return cursor->at < cursor->end ? (unsigned char)*cursor->at : -1;
}

int gb_cursor_take(struct gb_cursor *cursor)
{
	return cursor->at < cursor->end ? (unsigned char)*cursor->at++ : -1;
}

static bool refuse(struct gb_cursor *cursor, enum gb_verdict verdict)
{
	cursor->verdict = verdict;
	return false;
}

static void skip_blanks(struct gb_cursor *cursor)
{
	int c;
	while ((c = peek(cursor)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		cursor->at++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* The rest of a character of several bytes: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool check_utf8(struct gb_cursor *cursor, int first)
{
	int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	if (first < 0xc2 || first > 0xf4)
		return refuse(cursor, GB_BAD_UTF8);
	int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	for (; more > 0; more--) {
		int c = gb_cursor_take(cursor);
		if (c < low || c > high)
			return refuse(cursor, GB_BAD_UTF8);
		low = 0x80;
		high = 0xbf;
	}
	return true;
}

static bool check_escape(struct gb_cursor *cursor)
{
	switch (gb_cursor_take(cursor)) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return true;
	case 'u':
		for (int i = 0; i < 4; i++) {
			int c = gb_cursor_take(cursor);
			if (c < 0 || hex_digit((char)c) < 0)
				return refuse(cursor, GB_NOT_JSON);
		}
		return true;
	default: return refuse(cursor, GB_NOT_JSON);
	}
}

static bool check_string(struct gb_cursor *cursor)
{
	if (gb_cursor_take(cursor) != '"')
		return refuse(cursor, GB_NOT_JSON);
	for (;;) {
		int c = gb_cursor_take(cursor);
		if (c == '"')
			return true;
		if (c < 0x20)
			return refuse(cursor, GB_NOT_JSON);
		if (c == '\\' && !check_escape(cursor))
			return false;
		if (c >= 0x80 && !check_utf8(cursor, c))
			return false;
	}
}

static bool check_digits(struct gb_cursor *cursor)
{
	if (!is_digit(peek(cursor)))
		return refuse(cursor, GB_NOT_JSON);
	while (is_digit(peek(cursor)))
		cursor->at++;
	return true;
}

static bool check_number(struct gb_cursor *cursor)
{
	if (peek(cursor) == '-')
		cursor->at++;
	if (peek(cursor) == '0')
		cursor->at++;
	else if (!check_digits(cursor))
		return false;
	if (peek(cursor) == '.') {
		cursor->at++;
		if (!check_digits(cursor))
			return false;
	}
	if (peek(cursor) == 'e' || peek(cursor) == 'E') {
		cursor->at++;
		if (peek(cursor) == '+' || peek(cursor) == '-')
			cursor->at++;
		return check_digits(cursor);
	}
	return true;
}

static bool check_word(struct gb_cursor *cursor, const char *word)
{
	for (; *word; word++) {
		if (gb_cursor_take(cursor) != *word)
			return refuse(cursor, GB_NOT_JSON);
	}
	return true;
}

static bool check_value(struct gb_cursor *cursor, int level);

/* What stands between brackets, comma by comma; a name before each value in an object. */
static bool check_list(struct gb_cursor *cursor, int level, bool object)
{
	int close = object ? '}' : ']';
	if (level > GB_JSON_LEVELS)
		return refuse(cursor, GB_TOO_DEEP);
	cursor->at++;
	skip_blanks(cursor);
	if (peek(cursor) == close) {
		cursor->at++;
		return true;
	}
	for (;;) {
		skip_blanks(cursor);
		if (object) {
			if (!check_string(cursor))
				return false;
			skip_blanks(cursor);
			if (gb_cursor_take(cursor) != ':')
				return refuse(cursor, GB_NOT_JSON);
			skip_blanks(cursor);
		}
		if (!check_value(cursor, level))
			return false;
		skip_blanks(cursor);
		int c = gb_cursor_take(cursor);
		if (c == close)
			return true;
		if (c != ',')
			return refuse(cursor, GB_NOT_JSON);
	}
}

/* `level` is that of the list around it. */
static bool check_value(struct gb_cursor *cursor, int level)
{
	switch (peek(cursor)) {
	case '{': return check_list(cursor, level + 1, true);
	case '[': return check_list(cursor, level + 1, false);
	case '"': return check_string(cursor);
	case 't': return check_word(cursor, "true");
	case 'f': return check_word(cursor, "false");
	case 'n': return check_word(cursor, "null");
	default: return check_number(cursor);
	}
}

enum gb_verdict gb_json_check(const char *text, size_t length)
{
	struct gb_cursor cursor = {.at = text, .end = text + length, .verdict = GB_ACCEPTED};
	skip_blanks(&cursor);
	if (!check_value(&cursor, 0))
		return cursor.verdict;
	skip_blanks(&cursor);
	return cursor.at == cursor.end ? GB_ACCEPTED : GB_NOT_JSON;
}
