/* Configuration keys as rows of a table. Parsing, bounds, `--print-config` and the manual all come from a
 * row; a value lands in a plain struct at the row's offset. No file format here: common/text/config.h reads
 * YAML through this.
 *
 *	struct gb_config { int64_t ring_seconds; char udp_listen[64]; };
 *	static const struct option rows[] = {
 *		{"gateway-bridge", "ring_seconds", OPTION_INT, OPTION_AT(struct gb_config, ring_seconds),
 *		 .fallback = "60", .min = 1, .max = 600, .unit = "s", .help = "How long ..."},
 *	};
 *
 * An error is a phrase: what was expected, in the row's own terms ("expected 1 to 600 s"). */
#ifndef LAMPPOST_BASE_OPTIONS_H
#define LAMPPOST_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_LIST_MAX   32
#define OPTION_MAP_MAX    16
#define OPTION_ITEM_MAX   128
#define OPTION_LABEL_MAX  64
#define OPTION_PATH_MAX   256
#define OPTION_VALUE_MAX  640 /* of a map's entry that is a group of words */
#define OPTION_EXPECT_MAX 192

enum option_type {
	OPTION_INT,      /* int64_t; bounds in the row's unit */
	OPTION_STRING,   /* char[size]; max: longest length, 0 for what fits */
	OPTION_PATH,     /* char[size]; not empty unless min is 0 */
	OPTION_BOOL,     /* bool; true or false */
	OPTION_DURATION, /* int64_t microseconds, written 200ms, 5s, 10m, 2h, 1d; bounds in microseconds */
	OPTION_CHOICE,   /* int: index in `choices` */
	OPTION_LIST,     /* struct option_list; min and max bound the count (max 0: OPTION_LIST_MAX) */
	OPTION_MAP       /* struct option_map: label to path; the same bounds */
};

struct option_list {
	size_t count;
	char items[OPTION_LIST_MAX][OPTION_ITEM_MAX];
};

struct option_map {
	size_t count;
	struct {
		char label[OPTION_LABEL_MAX];
		char value[OPTION_VALUE_MAX]; /* of a row without `words` as long as a path */
	} entries[OPTION_MAP_MAX];
};

struct option {
	const char *section;
	const char *key;
	enum option_type type;
	size_t offset; /* with size: OPTION_AT() */
	size_t size;
	const char *fallback; /* the default, written as in the file; lists: items with a blank between; maps:
				 none */
	int64_t min;
	int64_t max;
	const char *unit;    /* for messages and the manual; NULL when there is none */
	const char *help;    /* one sentence or two */
	bool reload;         /* taken over while running */
	bool words;          /* of a map: an entry is a group, see option_words.h */
	const char *choices; /* OPTION_CHOICE: names with a blank between */
	/* For strings, paths and items: refuses what has the wrong form; `form` then says what is expected.
	 */
	bool (*check)(const char *text);
	const char *form;
	/* For maps: refuses an entry, and says why. */
	bool (*check_entry)(const char *label, const char *text, char expect[OPTION_EXPECT_MAX]);
};

#define OPTION_AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* Sets every row's default in `config`. A default that its own row refuses is a bug. */
void options_set_defaults(const struct option *rows, size_t count, void *config);
/* Lends the row of a key in a section, or NULL. */
const struct option *options_find(const struct option *rows, size_t count, const char *section,
				  const char *key);

/* Sets one scalar value from text. False, `config` untouched, when the row refuses it: `expect` then says
 * what it expected, without the value. Not for lists and maps. */
bool option_set(const struct option *row, void *config, const char *text, char expect[OPTION_EXPECT_MAX]);
/* Empties a list or map, adds one item, checks the count at the end. Maps refuse a label twice. */
void option_clear(const struct option *row, void *config);
bool option_add(const struct option *row, void *config, const char *label, const char *text,
		char expect[OPTION_EXPECT_MAX]);
bool option_finish(const struct option *row, void *config, char expect[OPTION_EXPECT_MAX]);
/* Fills what the row accepts: "expected 1 to 600 s". */
void option_expect(const struct option *row, char expect[OPTION_EXPECT_MAX]);
/* Fills the value of a scalar as option_set() reads it; returns `text`. `capacity` at least 32 and the row's
 * size. */
const char *option_format(const struct option *row, const void *config, char *text, size_t capacity);
bool option_is_scalar(const struct option *row);
/* Compares one value of two configurations: for what a reload may change. */
bool option_equal(const struct option *row, const void *a, const void *b);

#endif
