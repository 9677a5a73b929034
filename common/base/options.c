#include "common/base/options.h"

#include "common/base/check.h"
#include "common/base/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool option_is_scalar(const struct option *row)
{
	return row->type != OPTION_LIST && row->type != OPTION_MAP;
}

static void *place(const struct option *row, void *config)
{
	return (char *)config + row->offset;
}

static const void *const_place(const struct option *row, const void *config)
{
	return (const char *)config + row->offset;
}

/* --- what a row accepts --- */

static const struct {
	const char *suffix;
	int64_t us;
} duration_units[] = {
	{"us", 1},
	{"ms", 1000},
	{"s", 1000000},
	{"m", INT64_C(60) * 1000000},
	{"h", INT64_C(3600) * 1000000},
	{"d", INT64_C(86400) * 1000000},
};

/* Writes the shortest exact form: 90000000 is "90s". */
static void format_duration(char *text, size_t capacity, int64_t us)
{
	size_t unit = ARRAY_SIZE(duration_units) - 1;
	while (unit > 0 && (us == 0 ? unit != 2 : us % duration_units[unit].us != 0))
		unit--;
	snprintf(text, capacity, "%" PRId64 "%s", us / duration_units[unit].us, duration_units[unit].suffix);
}

void option_expect(const struct option *row, char expect[OPTION_EXPECT_MAX])
{
	const char *blank = row->unit ? " " : "";
	const char *unit = row->unit ? row->unit : "";
	char bounds[2][32];
	switch (row->type) {
	case OPTION_INT:
		snprintf(expect, OPTION_EXPECT_MAX, "expected %" PRId64 " to %" PRId64 "%s%s", row->min,
			 row->max, blank, unit);
		return;
	case OPTION_DURATION:
		format_duration(bounds[0], sizeof bounds[0], row->min);
		format_duration(bounds[1], sizeof bounds[1], row->max);
		snprintf(expect, OPTION_EXPECT_MAX, "expected %s to %s (us, ms, s, m, h, d)", bounds[0],
			 bounds[1]);
		return;
	case OPTION_BOOL: snprintf(expect, OPTION_EXPECT_MAX, "expected true or false"); return;
	case OPTION_CHOICE: snprintf(expect, OPTION_EXPECT_MAX, "expected one of: %s", row->choices); return;
	case OPTION_STRING:
	case OPTION_PATH:
	case OPTION_LIST:
	case OPTION_MAP: break;
	}
	if (row->form)
		snprintf(expect, OPTION_EXPECT_MAX, "expected %s", row->form);
	else
		snprintf(expect, OPTION_EXPECT_MAX, "expected %s",
			 row->type == OPTION_PATH ? "a path" : "a text");
}

static bool refuse(const struct option *row, char expect[OPTION_EXPECT_MAX])
{
	option_expect(row, expect);
	return false;
}

/* Reads digits with an optional minus, and lends what follows them. */
static bool parse_digits(const char *text, int64_t *value, const char **rest)
{
	bool negative = *text == '-';
	const char *at = text + (negative ? 1 : 0);
	const char *first = at;
	int64_t number = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (at - first >= 18)
			return false;
		number = number * 10 + (*at - '0');
	}
	*value = negative ? -number : number;
	*rest = at;
	return at > first;
}

static bool parse_duration(const char *text, int64_t *us)
{
	int64_t number;
	const char *suffix;
	if (!parse_digits(text, &number, &suffix))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		if (strcmp(suffix, duration_units[i].suffix) == 0) {
			int64_t limit = INT64_MAX / duration_units[i].us;
			if (number > limit || number < -limit)
				return false;
			*us = number * duration_units[i].us;
			return true;
		}
	}
	return false;
}

static bool parse_choice(const char *choices, const char *text, int *index)
{
	size_t length = strlen(text);
	for (int i = 0; length > 0; i++) {
		size_t word = strcspn(choices, " ");
		if (word == length && memcmp(choices, text, length) == 0) {
			*index = i;
			return true;
		}
		if (choices[word] == '\0')
			return false;
		choices += word + 1;
	}
	return false;
}

/* A text that a configuration may hold: no control characters, short enough, of the row's form. */
static bool text_fits(const struct option *row, const char *text, size_t capacity,
		      char expect[OPTION_EXPECT_MAX])
{
	size_t length = strlen(text);
	if (row->max > 0 && option_is_scalar(row) && (size_t)row->max < capacity - 1)
		capacity = (size_t)row->max + 1;
	if (!printable_is(text)) {
		snprintf(expect, OPTION_EXPECT_MAX, "expected no control characters");
		return false;
	}
	if (length >= capacity) {
		snprintf(expect, OPTION_EXPECT_MAX, "expected at most %zu characters", capacity - 1);
		return false;
	}
	if (row->type == OPTION_PATH && length == 0 && row->min > 0)
		return refuse(row, expect);
	if (row->type == OPTION_STRING && length < (size_t)(row->min > 0 ? row->min : 0))
		return refuse(row, expect);
	if (row->check && !row->check(text))
		return refuse(row, expect);
	return true;
}

/* --- values --- */

bool option_set(const struct option *row, void *config, const char *text, char expect[OPTION_EXPECT_MAX])
{
	void *value = place(row, config);
	int64_t number;
	const char *rest;
	int index;
	switch (row->type) {
	case OPTION_INT:
		ASSERT_CMP(row->size, ==, sizeof number);
		if (!parse_digits(text, &number, &rest) || *rest != '\0' || number < row->min ||
		    number > row->max)
			return refuse(row, expect);
		memcpy(value, &number, sizeof number);
		return true;
	case OPTION_DURATION:
		ASSERT_CMP(row->size, ==, sizeof number);
		if (!parse_duration(text, &number) || number < row->min || number > row->max)
			return refuse(row, expect);
		memcpy(value, &number, sizeof number);
		return true;
	case OPTION_BOOL:
		ASSERT_CMP(row->size, ==, sizeof(bool));
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return refuse(row, expect);
		*(bool *)value = text[0] == 't';
		return true;
	case OPTION_CHOICE:
		ASSERT_CMP(row->size, ==, sizeof index);
		if (!parse_choice(row->choices, text, &index))
			return refuse(row, expect);
		memcpy(value, &index, sizeof index);
		return true;
	case OPTION_STRING:
	case OPTION_PATH:
		if (!text_fits(row, text, row->size, expect))
			return false;
		memcpy(value, text, strlen(text) + 1);
		return true;
	case OPTION_LIST:
	case OPTION_MAP: break;
	}
	snprintf(expect, OPTION_EXPECT_MAX, "expected a %s", row->type == OPTION_LIST ? "list" : "map");
	return false;
}

void option_clear(const struct option *row, void *config)
{
	ASSERT(!option_is_scalar(row));
	ASSERT_CMP(row->size, ==,
		   row->type == OPTION_LIST ? sizeof(struct option_list) : sizeof(struct option_map));
	memset(place(row, config), 0, row->size);
}

static size_t most_items(const struct option *row)
{
	size_t room = row->type == OPTION_LIST ? OPTION_LIST_MAX : OPTION_MAP_MAX;
	return row->max > 0 && (size_t)row->max < room ? (size_t)row->max : room;
}

static bool list_add(const struct option *row, struct option_list *list, const char *text,
		     char expect[OPTION_EXPECT_MAX])
{
	if (!text_fits(row, text, OPTION_ITEM_MAX, expect))
		return false;
	memcpy(list->items[list->count++], text, strlen(text) + 1);
	return true;
}

static bool map_add(const struct option *row, struct option_map *map, const char *label, const char *text,
		    char expect[OPTION_EXPECT_MAX])
{
	size_t length = strlen(label);
	if (length == 0 || length >= OPTION_LABEL_MAX) {
		snprintf(expect, OPTION_EXPECT_MAX, "expected a label of 1 to %d characters",
			 OPTION_LABEL_MAX - 1);
		return false;
	}
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->entries[i].label, label) == 0) {
			snprintf(expect, OPTION_EXPECT_MAX, "expected each label once");
			return false;
		}
	}
	if (!text_fits(row, text, row->words ? OPTION_VALUE_MAX : OPTION_PATH_MAX, expect))
		return false;
	if (row->check_entry && !row->check_entry(label, text, expect))
		return false;
	memcpy(map->entries[map->count].label, label, length + 1);
	memcpy(map->entries[map->count++].value, text, strlen(text) + 1);
	return true;
}

static size_t item_count(const struct option *row, const void *config)
{
	const void *value = const_place(row, config);
	return row->type == OPTION_LIST ? ((const struct option_list *)value)->count
					: ((const struct option_map *)value)->count;
}

bool option_add(const struct option *row, void *config, const char *label, const char *text,
		char expect[OPTION_EXPECT_MAX])
{
	ASSERT(!option_is_scalar(row));
	if (item_count(row, config) == most_items(row)) {
		snprintf(expect, OPTION_EXPECT_MAX, "expected at most %zu items", most_items(row));
		return false;
	}
	if (row->type == OPTION_LIST)
		return list_add(row, place(row, config), text, expect);
	return map_add(row, place(row, config), label, text, expect);
}

bool option_finish(const struct option *row, void *config, char expect[OPTION_EXPECT_MAX])
{
	if (row->min > 0 && item_count(row, config) < (size_t)row->min) {
		snprintf(expect, OPTION_EXPECT_MAX, "expected at least %" PRId64 " items", row->min);
		return false;
	}
	return true;
}

const char *option_format(const struct option *row, const void *config, char *text, size_t capacity)
{
	const void *value = const_place(row, config);
	int64_t number;
	switch (row->type) {
	case OPTION_INT:
		memcpy(&number, value, sizeof number);
		snprintf(text, capacity, "%" PRId64, number);
		break;
	case OPTION_DURATION:
		memcpy(&number, value, sizeof number);
		format_duration(text, capacity, number);
		break;
	case OPTION_BOOL: snprintf(text, capacity, "%s", *(const bool *)value ? "true" : "false"); break;
	case OPTION_CHOICE: {
		int index;
		memcpy(&index, value, sizeof index);
		const char *word = row->choices;
		for (; index > 0 && strchr(word, ' '); index--)
			word = strchr(word, ' ') + 1;
		snprintf(text, capacity, "%.*s", (int)strcspn(word, " "), word);
		break;
	}
	case OPTION_STRING:
	case OPTION_PATH: snprintf(text, capacity, "%s", (const char *)value); break;
	case OPTION_LIST:
	case OPTION_MAP: ASSERT(option_is_scalar(row));
	}
	return text;
}

bool option_equal(const struct option *row, const void *a, const void *b)
{
	if (row->type == OPTION_STRING || row->type == OPTION_PATH)
		return strcmp(const_place(row, a), const_place(row, b)) == 0;
	return memcmp(const_place(row, a), const_place(row, b), row->size) == 0;
}

/* --- tables --- */

static void set_default(const struct option *row, void *config)
{
	char expect[OPTION_EXPECT_MAX];
	if (option_is_scalar(row)) {
		ASSERT(row->fallback != NULL);
		bool accepted = option_set(row, config, row->fallback, expect);
		ASSERT(accepted);
		return;
	}
	option_clear(row, config);
	const char *at = row->fallback ? row->fallback : "";
	while (*at != '\0') {
		char item[OPTION_ITEM_MAX];
		size_t length = strcspn(at, " ");
		ASSERT_CMP(length, <, sizeof item);
		memcpy(item, at, length);
		item[length] = '\0';
		bool accepted = option_add(row, config, "", item, expect);
		ASSERT(accepted);
		at += length + (at[length] == ' ' ? 1 : 0);
	}
}

void options_set_defaults(const struct option *rows, size_t count, void *config)
{
	for (size_t i = 0; i < count; i++)
		set_default(&rows[i], config);
}

const struct option *options_find(const struct option *rows, size_t count, const char *section,
				  const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return &rows[i];
	return NULL;
}
