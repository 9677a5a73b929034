#include "common/base/option_words.h"

#include <stdio.h>
#include <string.h>

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Printable ASCII but a blank. */
static bool is_value(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

bool option_word_next(const char **at, struct option_word *word)
{
	const char *from = *at + strspn(*at, " ");
	*at = from;
	size_t name = 0;
	while (is_name(from[name]))
		name++;
	if (name == 0 || name >= sizeof word->name || from[name] != '=')
		return false;
	const char *value = from + name + 1;
	size_t length = strcspn(value, " ");
	if (length >= sizeof word->value)
		return false;
	memcpy(word->name, from, name);
	word->name[name] = '\0';
	memcpy(word->value, value, length);
	word->value[length] = '\0';
	if (!is_value(word->value))
		return false;
	*at = value + length;
	return true;
}

bool option_word_item(const char **at, char *item, size_t capacity)
{
	size_t length = strcspn(*at, ",");
	if (length == 0 || length >= capacity)
		return false;
	memcpy(item, *at, length);
	item[length] = '\0';
	*at += length + ((*at)[length] == ',' && (*at)[length + 1] ? 1 : 0);
	return true;
}

static bool append(char line[OPTION_VALUE_MAX], const char *between, const char *name, const char *value)
{
	size_t used = strlen(line);
	if (!is_value(value) || used + strlen(between) + strlen(name) + strlen(value) >= OPTION_VALUE_MAX)
		return false;
	snprintf(line + used, OPTION_VALUE_MAX - used, "%s%s%s", between, name, value);
	return true;
}

bool option_word_append(char line[OPTION_VALUE_MAX], const char *name, const char *value)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	char begin[OPTION_WORD_NAME + 1];
	if (length == 0 || length >= OPTION_WORD_NAME || name[length])
		return false;
	snprintf(begin, sizeof begin, "%s=", name);
	return append(line, line[0] ? " " : "", begin, value);
}

bool option_word_append_item(char line[OPTION_VALUE_MAX], const char *value)
{
	size_t used = strlen(line);
	return value[0] && append(line, used > 0 && line[used - 1] != '=' ? "," : "", "", value);
}
