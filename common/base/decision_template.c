#include "common/base/decision_template.h"

#include "common/base/check.h"

#include <string.h>

static const char *const how_names[] = {
	[DECISION_HOW_NUMBER] = "number", [DECISION_HOW_SIGNED] = "signed",
	[DECISION_HOW_HZ] = "hz",         [DECISION_HOW_DBM] = "dbm",
	[DECISION_HOW_DB] = "db",         [DECISION_HOW_MS] = "ms",
	[DECISION_HOW_S] = "s",           [DECISION_HOW_DAYS] = "days",
	[DECISION_HOW_US] = "us",         [DECISION_HOW_DR] = "dr",
	[DECISION_HOW_BYTES] = "bytes",   [DECISION_HOW_PERCENT] = "percent",
	[DECISION_HOW_ADDR] = "addr",     [DECISION_HOW_IP] = "ip",
	[DECISION_HOW_MINUTES] = "min",   [DECISION_HOW_HEX] = "hex",
	[DECISION_HOW_WORD] = "word",     [DECISION_HOW_RULE] = "rule",
	[DECISION_HOW_EUI] = "eui",
};

static const struct {
	const char *name;
	enum decision_how how;
} references[] = {{"device", DECISION_HOW_DEVICE},
		  {"gateway", DECISION_HOW_GATEWAY},
		  {"frame", DECISION_HOW_FRAME},
		  {"item", DECISION_HOW_ITEM}};

static bool copy_word(char *to, size_t capacity, const char *from, size_t length)
{
	if (length == 0 || length >= capacity)
		return false;
	memcpy(to, from, length);
	to[length] = 0;
	return true;
}

static bool read_where(struct decision_placeholder *placeholder, const char *text, size_t length)
{
	if (length == 2 && text[0] == 'a' && text[1] == 'b') {
		placeholder->field = 'a';
		placeholder->width = 64;
		return true;
	}
	if (length == 0 || length > 3 || text[0] < 'a' || text[0] > 'c')
		return false;
	placeholder->field = text[0];
	placeholder->shift = 0;
	placeholder->width = text[0] == 'c' ? 16 : 32;
	if (length == 1)
		return true;
	if (text[1] == 'l' || text[1] == 'h') {
		placeholder->width = 16;
		placeholder->shift = text[1] == 'h' ? 16 : 0;
		return text[0] != 'c' && length == 2;
	}
	if (text[1] < '0' || text[1] > (text[0] == 'c' ? '1' : '3'))
		return false;
	placeholder->width = length == 3 ? 4 : 8;
	placeholder->shift = (uint8_t)(8 * (text[1] - '0') + (length == 3 && text[2] == 'h' ? 4 : 0));
	return length == 2 || text[2] == 'l' || text[2] == 'h';
}

static bool read_how(struct decision_placeholder *placeholder, const char *text, size_t length)
{
	static const char none[] = " or none", count[] = "count ";
	if (length > strlen(none) && memcmp(text + length - strlen(none), none, strlen(none)) == 0) {
		placeholder->or_none = true;
		length -= strlen(none);
	}
	if (length > strlen(count) && memcmp(text, count, strlen(count)) == 0) {
		placeholder->how = DECISION_HOW_COUNT;
		return copy_word(placeholder->noun, sizeof placeholder->noun, text + strlen(count),
				 length - strlen(count));
	}
	for (size_t i = 0; i < ARRAY_SIZE(how_names); i++)
		if (strlen(how_names[i]) == length && memcmp(how_names[i], text, length) == 0) {
			placeholder->how = (enum decision_how)i;
			return true;
		}
	return false;
}

/* Reads what stands between braces. */
static bool read_placeholder(struct decision_placeholder *placeholder, const char *text, size_t length)
{
	*placeholder = (struct decision_placeholder){0};
	const char *colon = memchr(text, ':', length);
	size_t name_length = colon ? (size_t)(colon - text) : length;
	if (!copy_word(placeholder->name, sizeof placeholder->name, text, name_length))
		return false;
	if (!colon) {
		for (size_t i = 0; i < ARRAY_SIZE(references); i++)
			if (strcmp(placeholder->name, references[i].name) == 0) {
				placeholder->how = references[i].how;
				return true;
			}
		return false;
	}
	const char *where = colon + 1, *end = text + length;
	const char *how = memchr(where, ':', (size_t)(end - where));
	if (!read_where(placeholder, where, (size_t)((how ? how : end) - where)) ||
	    (how && !read_how(placeholder, how + 1, (size_t)(end - how) - 1)))
		return false;
	return (placeholder->width == 64) == (placeholder->how == DECISION_HOW_EUI);
}

bool decision_placeholder_take(const char **at, const char **text, size_t *length,
			       struct decision_placeholder *placeholder, bool *good)
{
	const char *open = strchr(*at, '{'), *close = open ? strchr(open, '}') : NULL;
	*text = *at;
	if (!open || !close) {
		*length = strlen(*at);
		*good = *good && !open;
		*at += *length;
		return false;
	}
	*length = (size_t)(open - *at);
	*at = close + 1;
	*good = *good && read_placeholder(placeholder, open + 1, (size_t)(close - open) - 1);
	return true;
}

uint32_t decision_placeholder_value(const struct decision_placeholder *placeholder,
				    const struct decision *decision)
{
	uint32_t field = placeholder->field == 'a'   ? decision->a
			 : placeholder->field == 'b' ? decision->b
						     : decision->c;
	field >>= placeholder->shift;
	return placeholder->width >= 32 ? field : field & ((UINT32_C(1) << placeholder->width) - 1);
}

int32_t decision_placeholder_signed(const struct decision_placeholder *placeholder, uint32_t value)
{
	switch (placeholder->width) {
	case 4: return (int32_t)value;
	case 8: return (int8_t)value;
	case 16: return (int16_t)value;
	default: return (int32_t)value;
	}
}

bool decision_placeholder_is_none(const struct decision_placeholder *placeholder, uint32_t value)
{
	if (placeholder->width > 32)
		return false;
	if (placeholder->how == DECISION_HOW_DB)
		return value == UINT32_C(1) << (placeholder->width - 1);
	if (placeholder->how == DECISION_HOW_IP)
		return value == 0;
	return placeholder->or_none && value == UINT32_MAX >> (32 - placeholder->width);
}
