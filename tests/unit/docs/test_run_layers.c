/* tests/run-layers.sh against programs that pass, fail, crash, hang, say nothing, or skip: in a folder of its own, with scripts for
 * programs. Whatever the number of programs at a time, the sum, the exit code and what is told are the same. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
	const char *name; /* of the layer unit/x */
	const char *body; /* of its script */
};

struct row {
	const char *name;
	struct program programs[5];
	const char *sum;     /* the last line */
	const char *says[3]; /* stand in the output, in this order */
	int code;
};

#define PASSES                                                      \
	{                                                           \
		"test_good", "echo '2 passed, 0 failed, 0 skipped'" \
	}

static const struct row rows[] = {
	{"all pass",
	 {PASSES, {"test_also", "echo word; echo '3 passed, 0 failed, 1 skipped'"}},
	 "5 passed, 0 failed, 1 skipped",
	 {"unit/x/test_also.c", "3 passed, 1 skipped", "ok     unit/x/test_good.c"},
	 0},
	{"one fails",
	 {PASSES,
	  {"test_bad", "echo 'FAIL here'; echo '1 passed, 2 failed, 0 skipped'; exit 1"},
	  {"test_zz", "echo '1 passed, 0 failed, 0 skipped'"}},
	 "4 passed, 2 failed, 0 skipped",
	 {"FAILED unit/x/test_bad.c (exit 1)", "FAIL here", "ok     unit/x/test_zz.c"},
	 1},
	{"one crashes before its sum",
	 {PASSES, {"test_bad", "echo almost; kill -SEGV $$"}},
	 "2 passed, 1 failed, 0 skipped",
	 {"FAILED unit/x/test_bad.c (exit 139)", "almost"},
	 1},
	{"one crashes after its sum",
	 {PASSES, {"test_bad", "echo '4 passed, 0 failed, 0 skipped'; kill -ABRT $$"}},
	 "6 passed, 1 failed, 0 skipped",
	 {"FAILED unit/x/test_bad.c (exit 134)"},
	 1},
	{"one hangs",
	 {{"test_bad", "echo so far; exec sleep 900"}, PASSES},
	 "2 passed, 1 failed, 0 skipped",
	 {"FAILED unit/x/test_bad.c (exit 124: it ran for 1 s)", "so far"},
	 1},
	{"one runs nothing",
	 {PASSES, {"test_bad", "echo '0 passed, 0 failed, 2 skipped'"}},
	 "2 passed, 1 failed, 2 skipped",
	 {"FAILED unit/x/test_bad.c (exit 0)"},
	 1},
	{"one has a source and was not built",
	 {PASSES, {"test_gone", NULL}},
	 "2 passed, 1 failed, 0 skipped",
	 {"FAILED unit/x/test_gone.c (exit 127)"},
	 1},
	{"a slow one is told in its place",
	 {{"test_a", "sleep 0.3; echo '1 passed, 0 failed, 0 skipped'"},
	  {"test_b", "echo '1 passed, 0 failed, 0 skipped'"}},
	 "2 passed, 0 failed, 0 skipped",
	 {"ok     unit/x/test_a.c", "ok     unit/x/test_b.c"},
	 0},
};

static void lay(const char *dir, const struct program *program)
{
	char path[PATH_MAX], script[400];
	snprintf(path, sizeof path, "%s/tests/unit/x/%s.c", dir, program->name);
	t_write_file(path, "");
	if (!program->body)
		return;
	snprintf(path, sizeof path, "%s/build/tests/unit/x/%s", dir, program->name);
	snprintf(script, sizeof script, "#!/bin/sh\n%s\n", program->body);
	t_write_file(path, script);
	assert_int_equal(chmod(path, 0755), 0);
}

static void check(const struct row *row, const char *root, int jobs)
{
	static char out[8192];
	char dir[T_DIR_MAX], command[2 * PATH_MAX];
	t_temp_dir(dir);
	snprintf(command, sizeof command,
		 "mkdir -p %s/tests/unit/x %s/build/tests/unit/x %s/tests/fuzz %s/tests/simulation", dir, dir,
		 dir, dir);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < ARRAY_SIZE(row->programs) && row->programs[i].name; i++)
		lay(dir, &row->programs[i]);
	snprintf(command, sizeof command,
		 "cd %s && JOBS=%d CEILING=1 bash %s/tests/run-layers.sh build fast 2>/dev/null", dir, jobs,
		 root);
	FILE *said = popen(command, "re");
	assert_non_null(said);
	size_t length = fread(out, 1, sizeof out - 1, said);
	out[length] = '\0';
	int status = pclose(said);
	t_int("exit code", row->code, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	const char *at = out;
	for (size_t i = 0; i < ARRAY_SIZE(row->says) && row->says[i]; i++) {
		const char *found = strstr(at, row->says[i]);
		t_true(row->says[i], found);
		at = found ? found : at;
	}
	out[length ? length - 1 : 0] = '\0';
	const char *last = strrchr(out, '\n');
	t_str("last line", row->sum, last ? last + 1 : out);
	t_temp_dir_remove(dir);
}

static void the_sum_is_right_one_at_a_time_and_three(void **state)
{
	(void)state;
	char root[PATH_MAX];
	assert_non_null(getcwd(root, sizeof root));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		check(&rows[i], root, 1);
		check(&rows[i], root, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(the_sum_is_right_one_at_a_time_and_three)};
	return t_run(tests);
}
