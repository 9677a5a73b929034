/* What a second reading of the file does: takes over all of it or nothing, and says what only a restart would take over. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/temp.h"

#include "common/text/reload.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	int64_t live;
	int64_t fixed;
	struct option_list live_list;
	struct option_map fixed_map;
};

static const struct option rows[] = {
	{"gateway-bridge", "live", OPTION_INT, OPTION_AT(struct sample, live), .fallback = "1", .min = 1,
	 .max = 9, .help = "May change.", .reload = true},
	{"gateway-bridge", "fixed", OPTION_INT, OPTION_AT(struct sample, fixed), .fallback = "1", .min = 1,
	 .max = 9, .help = "May not."},
	{"gateway-bridge", "live_list", OPTION_LIST, OPTION_AT(struct sample, live_list), .fallback = "a b",
	 .help = "May change.", .reload = true},
	{"gateway-bridge", "fixed_map", OPTION_MAP, OPTION_AT(struct sample, fixed_map), .help = "May not."},
};

static struct bench {
	struct sample force;
	struct config_common common;
	struct config_program program;
	struct reload reload;
	bool refuses; /* apply() */
	unsigned asked;
	struct sample wanted, file;
	enum log_level wanted_level;
} bench;

static bool apply(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	struct bench *of = ctx;
	of->asked++;
	of->wanted = *(const struct sample *)wanted->config;
	of->file = *(const struct sample *)wanted->file_config;
	of->wanted_level = wanted->common->log_level;
	if (of->refuses)
		snprintf(problem, CONFIG_ERROR_MAX, "the \"password\" file is gone");
	return !of->refuses;
}

static enum reload_verdict read_again(const char *text)
{
	t_write_file(bench.reload.file, text);
	return reload_run(&bench.reload);
}

static void start(const char *text)
{
	static char file[256], dash_c[] = "-c", name[] = "gateway-bridge";
	char error[CONFIG_ERROR_MAX];
	char *argv[] = {name, dash_c, file, NULL};
	memset(&bench, 0, sizeof bench);
	bench.program = (struct config_program){"gateway-bridge", "Tested.",    rows,
						ARRAY_SIZE(rows), &bench.force, sizeof bench.force};
	snprintf(file, sizeof file, "%s", t_temp("lamppost.yaml"));
	t_write_file(file, text);
	assert_true(config_reload(&bench.program, &bench.common, file, error));
	reload_init(&bench.reload, &bench.program, &bench.common, 3, argv, apply, &bench);
}

/* The warnings and the members, as /healthz would carry them. */
static json_t *health(void)
{
	char list[128] = "", more[RELOAD_ITEMS_MAX], text[RELOAD_ITEMS_MAX + 256];
	reload_append_warnings(&bench.reload, list, sizeof list);
	snprintf(text, sizeof text, "{\"warnings\":[%s]%s}", list, reload_members(&bench.reload, more));
	json_t *object = json_loads(text, 0, NULL);
	assert_non_null(object);
	return object;
}

#define SECTION "gateway-bridge:\n"

static const struct {
	const char *name, *text;
	bool refuses;
	enum reload_verdict verdict;
	int64_t live, fixed; /* in force afterwards; the file began with 1 and 1 */
	size_t items, waiting;
	const char *warnings; /* dumped */
} readings[] = {
	{"the same file again", SECTION "  live: 1\n", false, RELOAD_TAKEN, 1, 1, 2, 0, "[]"},
	{"a value that may change", SECTION "  live: 2\n", false, RELOAD_TAKEN, 2, 1, 2, 0, "[]"},
	{"a list that may change", SECTION "  live_list: [c]\n", false, RELOAD_TAKEN, 1, 1, 1, 0, "[]"},
	{"a value that needs a restart", SECTION "  fixed: 2\n", false, RELOAD_TAKEN, 1, 1, 2, 1,
	 "[\"restart_needed\"]"},
	{"a map that needs a restart", SECTION "  fixed_map: {a: b}\n", false, RELOAD_TAKEN, 1, 1, 2, 1,
	 "[\"restart_needed\"]"},
	{"both", SECTION "  fixed: 2\n  live: 3\n", false, RELOAD_TAKEN, 3, 1, 2, 1, "[\"restart_needed\"]"},
	{"a value out of range takes nothing with it", SECTION "  live: 3\n  fixed: 99\n", false,
	 RELOAD_REFUSED, 1, 1, 2, 0, "[\"configuration_refused\"]"},
	{"no YAML", "gateway-bridge: [\n", false, RELOAD_REFUSED, 1, 1, 2, 0, "[\"configuration_refused\"]"},
	{"what the process cannot take takes nothing with it", SECTION "  live: 3\n", true, RELOAD_REFUSED, 1,
	 1, 2, 0, "[\"configuration_refused\"]"},
};

static void a_reading_is_taken_or_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		start(SECTION "  live: 1\n");
		t_row(readings[i].name);
		bench.refuses = readings[i].refuses;
		t_int("verdict", readings[i].verdict, read_again(readings[i].text));
		t_int("live", readings[i].live, bench.force.live);
		t_int("fixed", readings[i].fixed, bench.force.fixed);
		t_uint("items", readings[i].items, bench.force.live_list.count);
		t_uint("waiting", readings[i].waiting, bench.reload.waiting_count);
		t_uint("taken", readings[i].verdict == RELOAD_TAKEN, bench.reload.taken);
		t_uint("refused", readings[i].verdict == RELOAD_REFUSED, bench.reload.refused);
		json_t *object = health();
		char *warnings = json_dumps(json_object_get(object, "warnings"), JSON_COMPACT);
		t_str("warnings", readings[i].warnings, warnings);
		t_uint("named", readings[i].waiting,
		       json_array_size(json_object_get(object, "restart_needed")));
		t_int("reason", readings[i].verdict == RELOAD_REFUSED,
		      json_string_length(json_object_get(object, "configuration_error")) > 0);
		free(warnings);
		json_decref(object);
	}
}

static void warnings_end_with_what_caused_them(void **state)
{
	(void)state;
	start("");
	t_row("a refusal is over with the next good reading");
	t_int("refused", RELOAD_REFUSED, read_again("x: [\n"));
	t_int("good", RELOAD_TAKEN, read_again(SECTION "  fixed: 2\n"));
	t_str("error", "", bench.reload.error);
	t_row("a refusal does not hide what waits");
	t_int("refused", RELOAD_REFUSED, read_again("x: [\n"));
	t_uint("waiting", 1, bench.reload.waiting_count);
	t_row("what waits no longer does once the file says the old value");
	t_int("good", RELOAD_TAKEN, read_again(""));
	t_uint("waiting", 0, bench.reload.waiting_count);
	t_row("a file that is gone changes nothing");
	assert_int_equal(0, remove(bench.reload.file));
	t_int("refused", RELOAD_REFUSED, reload_run(&bench.reload));
}

static void the_process_sees_what_is_to_be_in_force(void **state)
{
	(void)state;
	start("");
	t_row("rows that need a restart are as they are, in the file's half as they are there");
	t_int("taken", RELOAD_TAKEN,
	      read_again("common: {log_level: error}\n" SECTION "  fixed: 2\n  live: 5\n"));
	t_int("fixed", 1, bench.wanted.fixed);
	t_int("live", 5, bench.wanted.live);
	t_int("fixed in the file", 2, bench.file.fixed);
	t_int("level", LOG_LEVEL_ERROR, bench.wanted_level);
	t_int("level in force", LOG_LEVEL_ERROR, bench.common.log_level);
	t_row("it is asked even when nothing changed: files that rows name may have");
	t_int("taken", RELOAD_TAKEN, read_again(SECTION "  live: 5\n"));
	t_uint("asked", 2, bench.asked);
}

static void values_are_shown(void **state)
{
	(void)state;
	char text[12];
	start(SECTION "  live: 7\n  fixed_map: {a: b, c: d}\n");
	t_row("a value of each kind");
	t_str("number", "7", reload_show(&rows[0], &bench.force, text, sizeof text));
	t_str("list", "a, b", reload_show(&rows[2], &bench.force, text, sizeof text));
	t_str("map", "a: b, c: d", reload_show(&rows[3], &bench.force, text, sizeof text));
	t_str("shortened", "a: b", reload_show(&rows[3], &bench.force, text, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_reading_is_taken_or_changes_nothing),
		t_test(warnings_end_with_what_caused_them),
		t_test(the_process_sees_what_is_to_be_in_force),
		t_test(values_are_shown),
	};
	return t_run(tests);
}
