#include "tests/harness/harness.h"

#include "common/base/options.h"

#include <string.h>

struct sample {
	int64_t ring_seconds;
	char name[16];
	char folder[64];
	bool enabled;
	int64_t window_us;
	int colour;
	struct option_list regions;
	struct option_map keks;
};

static bool is_lower(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(text);
}

static const struct option rows[] = {
	{"s", "ring_seconds", OPTION_INT, OPTION_AT(struct sample, ring_seconds), .fallback = "60", .min = 1,
	 .max = 600, .unit = "s", .help = "Ring."},
	{"s", "name", OPTION_STRING, OPTION_AT(struct sample, name), .fallback = "abc", .max = 8,
	 .help = "Name."},
	{"s", "folder", OPTION_PATH, OPTION_AT(struct sample, folder), .fallback = "/var", .min = 1,
	 .help = "Folder."},
	{"s", "enabled", OPTION_BOOL, OPTION_AT(struct sample, enabled), .fallback = "true", .help = "On."},
	{"s", "window", OPTION_DURATION, OPTION_AT(struct sample, window_us), .fallback = "200ms",
	 .min = 1000, .max = 3600000000, .help = "Window."},
	{"s", "colour", OPTION_CHOICE, OPTION_AT(struct sample, colour), .fallback = "green",
	 .choices = "red green blue", .help = "Colour."},
	{"s", "regions", OPTION_LIST, OPTION_AT(struct sample, regions), .fallback = "us915 eu868", .min = 1,
	 .max = 3, .check = is_lower, .form = "lower-case letters", .help = "Regions."},
	{"s", "keks", OPTION_MAP, OPTION_AT(struct sample, keks), .help = "Keys."},
};

static const struct option *row_of(const char *key)
{
	const struct option *row = options_find(rows, ARRAY_SIZE(rows), "s", key);
	assert_non_null(row);
	return row;
}

static void defaults_come_from_the_rows(void **state)
{
	(void)state;
	struct sample sample;
	options_set_defaults(rows, ARRAY_SIZE(rows), &sample);
	t_int("ring_seconds", 60, sample.ring_seconds);
	t_str("name", "abc", sample.name);
	t_str("folder", "/var", sample.folder);
	t_true("enabled", sample.enabled);
	t_int("window", 200000, sample.window_us);
	t_int("colour", 1, sample.colour);
	t_uint("regions", 2, sample.regions.count);
	t_str("first", "us915", sample.regions.items[0]);
	t_str("second", "eu868", sample.regions.items[1]);
	t_uint("keks", 0, sample.keks.count);
	t_true("no such key", options_find(rows, ARRAY_SIZE(rows), "s", "ring") == NULL);
	t_true("no such section", options_find(rows, ARRAY_SIZE(rows), "t", "name") == NULL);
}

static const struct {
	const char *name;
	const char *key;
	const char *text;
	const char *printed; /* NULL: refused */
	const char *expect;
} values[] = {
	{"a number", "ring_seconds", "600", "600", ""},
	{"a number above", "ring_seconds", "601", NULL, "expected 1 to 600 s"},
	{"a number below", "ring_seconds", "0", NULL, "expected 1 to 600 s"},
	{"a number with a blank", "ring_seconds", "5 ", NULL, "expected 1 to 600 s"},
	{"a number in hexadecimal", "ring_seconds", "0x5", NULL, "expected 1 to 600 s"},
	{"no number", "ring_seconds", "", NULL, "expected 1 to 600 s"},
	{"a number of many digits", "ring_seconds", "18446744073709551617", NULL, "expected 1 to 600 s"},
	{"a minus alone", "ring_seconds", "-", NULL, "expected 1 to 600 s"},
	{"a text that just fits", "name", "12345678", "12345678", ""},
	{"a text too long", "name", "123456789", NULL, "expected at most 8 characters"},
	{"a control character", "name", "a\nb", NULL, "expected no control characters"},
	{"an empty text", "name", "", "", ""},
	{"an empty path", "folder", "", NULL, "expected a path"},
	{"false", "enabled", "false", "false", ""},
	{"yes", "enabled", "yes", NULL, "expected true or false"},
	{"a span in seconds", "window", "90s", "90s", ""},
	{"a span in its shortest form", "window", "120s", "2m", ""},
	{"a span above", "window", "61m", NULL, "expected 1ms to 1h (us, ms, s, m, h, d)"},
	{"a span without a unit", "window", "5", NULL, "expected 1ms to 1h (us, ms, s, m, h, d)"},
	{"a span that would overflow to 8192 us", "window", "1908071852877427d", NULL,
	 "expected 1ms to 1h (us, ms, s, m, h, d)"},
	{"a choice", "colour", "blue", "blue", ""},
	{"the beginning of a choice", "colour", "gre", NULL, "expected one of: red green blue"},
	{"two choices", "colour", "red green", NULL, "expected one of: red green blue"},
	{"no choice", "colour", "", NULL, "expected one of: red green blue"},
	{"a scalar for a list", "regions", "us915", NULL, "expected a list"},
};

static void values_are_held_against_their_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		t_row(values[i].name);
		const struct option *row = row_of(values[i].key);
		struct sample sample, before;
		memset(&sample, 0, sizeof sample);
		options_set_defaults(rows, ARRAY_SIZE(rows), &sample);
		before = sample;
		char expect[OPTION_EXPECT_MAX] = "";
		t_int("accepted", values[i].printed != NULL,
		      option_set(row, &sample, values[i].text, expect));
		t_str("expect", values[i].expect, expect);
		char text[64];
		if (values[i].printed)
			t_str("printed", values[i].printed, option_format(row, &sample, text, sizeof text));
		else
			t_true("untouched", option_equal(row, &sample, &before));
	}
}

static void lists_and_maps_are_bounded(void **state)
{
	(void)state;
	struct sample sample;
	char expect[OPTION_EXPECT_MAX] = "";
	options_set_defaults(rows, ARRAY_SIZE(rows), &sample);
	const struct option *regions = row_of("regions");
	option_clear(regions, &sample);
	t_false("too few", option_finish(regions, &sample, expect));
	t_str("expect", "expected at least 1 items", expect);
	t_false("wrong form", option_add(regions, &sample, NULL, "US915", expect));
	t_str("expect", "expected lower-case letters", expect);
	for (int i = 0; i < 3; i++)
		t_true("fits", option_add(regions, &sample, NULL, "us915", expect));
	t_false("a fourth", option_add(regions, &sample, NULL, "us915", expect));
	t_str("expect", "expected at most 3 items", expect);
	t_true("enough", option_finish(regions, &sample, expect));

	const struct option *keks = row_of("keks");
	t_true("map", option_add(keks, &sample, "as1", "/keys/as1", expect));
	t_false("label twice", option_add(keks, &sample, "as1", "/keys/as2", expect));
	t_str("expect", "expected each label once", expect);
	t_false("no label", option_add(keks, &sample, "", "/keys/as2", expect));
	t_uint("entries", 1, sample.keks.count);
	t_str("label", "as1", sample.keks.entries[0].label);
	t_str("value", "/keys/as1", sample.keks.entries[0].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(defaults_come_from_the_rows),
		t_test(values_are_held_against_their_row),
		t_test(lists_and_maps_are_bounded),
	};
	return t_run(tests);
}
