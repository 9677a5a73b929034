/* Where a network is looked for when its configuration cannot be read: doctor and status go on with what its text says. */
#include "tests/harness/harness.h"

#include "cli/place.h"
#include "cli/problem.h"
#include "tests/harness/temp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *name, *text;
	int strict; /* exit code of a command that needs the configuration */
	const char *state, *run;
} rows[] = {
	{"a good one", "common: {state_dir: /s, run_dir: /r}\n", CLI_DONE, "/s", "/r"},
	{"an unknown key", "common:\n  state_dir: /s\n  run_dir: /r\n  colour: red\n", CLI_USAGE, "/s", "/r"},
	{"no YAML", "common:\n  state_dir: \"/s\"\n  run_dir: '/r' # there\n ] [\n", CLI_USAGE, "/s", "/r"},
	{"in braces", "common: {state_dir: /s, run_dir: /r}}\n", CLI_USAGE, "/s", "/r"},
	{"half written", "common:\n  state_dir: /s\n  run_", CLI_USAGE, "/s", "/run/lamppost"},
	{"in a comment", "# state_dir: /no\ncommon: [\n", CLI_USAGE, "/var/lib/lamppost", "/run/lamppost"},
	{"no absolute path", "common: [\n state_dir: here\n", CLI_USAGE, "/var/lib/lamppost",
	 "/run/lamppost"},
};

static void what_the_text_says_is_taken(void **state)
{
	(void)state;
	unsetenv("LAMPPOST_STATE");
	unsetenv("LAMPPOST_RUN");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cli_place place;
		const char *file = t_temp("lamppost.yaml");
		t_row(rows[i].name);
		FILE *out = fopen(file, "we");
		assert_non_null(out);
		fputs(rows[i].text, out);
		fclose(out);
		t_int("strict", rows[i].strict, cli_place_find(&place, "up", NULL, file));
		t_int("anyway", CLI_DONE, cli_place_find_anyway(&place, "doctor", NULL, file));
		t_str("state", rows[i].state, place.state);
		t_str("run", rows[i].run, place.run);
		t_str("config", file, place.config);
	}
}

static void keys_beside_it_tell_the_folder(void **state)
{
	(void)state;
	struct cli_place place;
	char file[512], run[600];
	snprintf(file, sizeof file, "%s", t_temp("lamppost.yaml"));
	FILE *out = fopen(file, "we");
	assert_non_null(out);
	fputs("common: [\n", out);
	fclose(out);
	t_int("keys", 0, mkdir(t_temp("keys"), 0700));
	t_int("anyway", CLI_DONE, cli_place_find_anyway(&place, "doctor", NULL, file));
	*strrchr(file, '/') = '\0';
	snprintf(run, sizeof run, "%s/run", file);
	t_str("state", file, place.state);
	t_str("run", run, place.run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(what_the_text_says_is_taken),
					   t_test(keys_beside_it_tell_the_folder)};
	return t_run(tests);
}
