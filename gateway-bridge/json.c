/* Two passes over a text that lies in the cache: the grammar (json_check.c), then jsmn cuts tokens. A token costs two
 * bytes of text at least, so half of the text's bound is enough of them. */
#include "gateway-bridge/json.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "gateway-bridge/json_check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define TOKENS_MAX (GB_JSON_TEXT_MAX / 2 + 1)

struct gb_json {
	const char *text;  /* borrowed */
	jsmntok_t *tokens; /* owned: TOKENS_MAX */
	int *names;        /* owned: scratch of has_duplicates, TOKENS_MAX */
	int count;
};

struct gb_json *gb_json_new(void)
{
	struct gb_json *json = calloc(1, sizeof *json);
	ASSERT(json != NULL);
	json->tokens = calloc(TOKENS_MAX, sizeof *json->tokens);
	json->names = calloc(TOKENS_MAX, sizeof *json->names);
	ASSERT(json->tokens != NULL && json->names != NULL);
	return json;
}

void gb_json_free(struct gb_json *json)
{
	if (json == NULL)
		return;
	free(json->tokens);
	free(json->names);
	free(json);
}

enum gb_verdict gb_json_parse(struct gb_json *json, const char *text, size_t length)
{
	json->count = 0;
	if (length > GB_JSON_TEXT_MAX)
		return GB_NOT_JSON;
	enum gb_verdict verdict = gb_json_check(text, length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	jsmn_parser parser;
	jsmn_init(&parser);
	json->text = text;
	json->count = jsmn_parse(&parser, text, length, json->tokens, TOKENS_MAX);
	ASSERT_CMP(json->count, >, 0);
	return GB_ACCEPTED;
}

/* --- walking */

static const jsmntok_t *token_at(const struct gb_json *json, int value)
{
	ASSERT(value >= 0 && value < json->count);
	return &json->tokens[value];
}

enum gb_json_type gb_json_type(const struct gb_json *json, int value)
{
	const jsmntok_t *token = token_at(json, value);
	switch (token->type) {
	case JSMN_OBJECT: return GB_JSON_OBJECT;
	case JSMN_ARRAY: return GB_JSON_ARRAY;
	case JSMN_STRING: return GB_JSON_STRING;
	case JSMN_UNDEFINED:
	case JSMN_PRIMITIVE: break;
	}
	switch (json->text[token->start]) {
	case 'n': return GB_JSON_NULL;
	case 't':
	case 'f': return GB_JSON_BOOL;
	default: return GB_JSON_NUMBER;
	}
}

int gb_json_after(const struct gb_json *json, int value)
{
	int end = token_at(json, value)->end;
	int at = value + 1;
	while (at < json->count && json->tokens[at].start < end)
		at++;
	return at;
}

int gb_json_first(const struct gb_json *json, int array)
{
	return token_at(json, array)->size > 0 ? array + 1 : GB_JSON_NONE;
}

/* The token behind `at`'s value, if it is still inside `list`. */
static int next_inside(const struct gb_json *json, int list, int value)
{
	int next = gb_json_after(json, value);
	return next < json->count && json->tokens[next].start < token_at(json, list)->end ? next
											  : GB_JSON_NONE;
}

int gb_json_next(const struct gb_json *json, int array, int at)
{
	return next_inside(json, array, at);
}

int gb_json_first_member(const struct gb_json *json, int object)
{
	return gb_json_first(json, object);
}

int gb_json_next_member(const struct gb_json *json, int object, int at)
{
	return next_inside(json, object, at + 1);
}

/* --- strings */

/* A string being read byte by byte, escapes decoded. */
struct decoder {
	struct gb_cursor cursor;
	uint8_t bytes[4]; /* of an escaped character */
	size_t count, given;
};

static struct decoder decoder_init(const struct gb_json *json, int string)
{
	const jsmntok_t *token = token_at(json, string);
	return (struct decoder){.cursor = {.at = json->text + token->start, .end = json->text + token->end}};
}

static uint32_t take_hex4(struct gb_cursor *cursor)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++)
		value = value << 4 | (uint32_t)hex_digit((char)gb_cursor_take(cursor));
	return value;
}

/* The code point of an escape whose backslash is taken; a surrogate without its other half is U+FFFD. */
static uint32_t take_escape(struct gb_cursor *cursor)
{
	int c = gb_cursor_take(cursor);
	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'u': break;
	default: return (uint32_t)c;
	}
	uint32_t unit = take_hex4(cursor);
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	struct gb_cursor ahead = *cursor;
	if (unit > 0xdbff || gb_cursor_take(&ahead) != '\\' || gb_cursor_take(&ahead) != 'u')
		return 0xfffd;
	uint32_t low = take_hex4(&ahead);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*cursor = ahead;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

static void encode_utf8(struct decoder *decoder, uint32_t point)
{
	decoder->given = 0;
	if (point < 0x80) {
		decoder->bytes[0] = (uint8_t)point;
		decoder->count = 1;
		return;
	}
	static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
	size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
	decoder->bytes[0] = (uint8_t)(leads[more] | point >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		decoder->bytes[i] = (uint8_t)(0x80 | (point >> 6 * (more - i) & 0x3f));
	decoder->count = more + 1;
}

/* −1 at the end. */
static int next_byte(struct decoder *decoder)
{
	if (decoder->given < decoder->count)
		return decoder->bytes[decoder->given++];
	int c = gb_cursor_take(&decoder->cursor);
	if (c != '\\')
		return c;
	encode_utf8(decoder, take_escape(&decoder->cursor));
	return decoder->bytes[decoder->given++];
}

bool gb_json_equals(const struct gb_json *json, int string, const char *text)
{
	struct decoder decoder = decoder_init(json, string);
	int c;
	while ((c = next_byte(&decoder)) >= 0) {
		if (*text == 0 || c != (unsigned char)*text++)
			return false;
	}
	return *text == 0;
}

bool gb_json_string(const struct gb_json *json, int string, char *out, size_t capacity)
{
	struct decoder decoder = decoder_init(json, string);
	size_t used = 0;
	int c;
	while ((c = next_byte(&decoder)) >= 0) {
		if (c == 0 || used + 1 >= capacity) {
			out[used] = 0;
			return false;
		}
		out[used++] = (char)c;
	}
	out[used] = 0;
	return true;
}

static int compare_strings(const struct gb_json *json, int left, int right)
{
	struct decoder a = decoder_init(json, left), b = decoder_init(json, right);
	int from_a, from_b;
	do {
		from_a = next_byte(&a);
		from_b = next_byte(&b);
	} while (from_a == from_b && from_a >= 0);
	return from_a - from_b;
}

static int order_names(const void *left, const void *right, void *json)
{
	return compare_strings(json, *(const int *)left, *(const int *)right);
}

bool gb_json_names_repeat(struct gb_json *json, int *names, int count)
{
	qsort_r(names, (size_t)count, sizeof *names, order_names, json);
	for (int i = 1; i < count; i++) {
		if (compare_strings(json, names[i - 1], names[i]) == 0)
			return true;
	}
	return false;
}

static bool object_has_duplicates(struct gb_json *json, int object)
{
	int count = 0;
	for (int at = gb_json_first_member(json, object); at != GB_JSON_NONE;
	     at = gb_json_next_member(json, object, at))
		json->names[count++] = at;
	return gb_json_names_repeat(json, json->names, count);
}

bool gb_json_has_duplicates(struct gb_json *json, int value)
{
	int end = gb_json_after(json, value);
	for (int at = value; at < end; at++) {
		if (json->tokens[at].type == JSMN_OBJECT && object_has_duplicates(json, at))
			return true;
	}
	return false;
}

/* --- numbers */

bool gb_json_bool(const struct gb_json *json, int value)
{
	return json->text[token_at(json, value)->start] == 't';
}

bool gb_json_number_text(const struct gb_json *json, int number, char *out, size_t capacity)
{
	const jsmntok_t *token = token_at(json, number);
	size_t length = (size_t)(token->end - token->start);
	if (token->type != JSMN_PRIMITIVE || length >= capacity)
		return false;
	memcpy(out, json->text + token->start, length);
	out[length] = 0;
	return true;
}

bool gb_json_integer(const struct gb_json *json, int number, int64_t *out)
{
	char text[24];
	if (!gb_json_number_text(json, number, text, sizeof text) || strpbrk(text, ".eE") != NULL)
		return false;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != 0)
		return false;
	*out = value;
	return true;
}

bool gb_json_natural(const struct gb_json *json, int number, uint64_t *out)
{
	char text[24];
	if (!gb_json_number_text(json, number, text, sizeof text) || strpbrk(text, "-.eE") != NULL)
		return false;
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != 0)
		return false;
	*out = value;
	return true;
}

bool gb_json_real(const struct gb_json *json, int number, double *out)
{
	char text[64];
	if (!gb_json_number_text(json, number, text, sizeof text))
		return false;
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end != 0 || !isfinite(value))
		return false;
	*out = value;
	return true;
}
