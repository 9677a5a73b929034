#include "tests/harness/reload_rows.h"

#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/temp.h"

#include "common/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
	const struct t_reload_process *process;
	struct config_common common;
	struct reload reload;
	char base[2048];
};

static struct walk walk;

/* --- rows of `common` ------------------------------------------------------------------------------------------ */

/* Whether a debug line leaves the process. */
static bool debug_is_logged(void)
{
	struct stat seen = {0};
	int kept = dup(STDERR_FILENO), file = open(t_temp("stderr"), O_CREAT | O_TRUNC | O_RDWR, 0600);
	assert_true(kept >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
	LOG_DEBUG("seen", "%s", "");
	assert_true(fstat(file, &seen) == 0 && dup2(kept, STDERR_FILENO) >= 0);
	close(file);
	close(kept);
	return seen.st_size > 0;
}

static const struct t_reload_case common_cases[] = {
	{"state_dir", "/elsewhere", NULL, false},
	{"run_dir", "/elsewhere", NULL, false},
	{"log_level", "debug", debug_is_logged, false},
	{"net_id", "\"000001\"", NULL, false},
	{"dev_addr_prefixes", "[\"26000000/7\"]", NULL, true},
	{"gateway_silent", "45s", NULL, true},
};

static const struct t_reload_case *find(const struct t_reload_case *cases, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(cases[i].key, key) == 0)
			return &cases[i];
	return NULL;
}

static const struct t_reload_case *case_of(const struct t_reload_process *process, const struct option *row)
{
	if (strcmp(row->section, "common") != 0)
		return find(process->cases, process->case_count, row->key);
	char key[128];
	snprintf(key, sizeof key, "common.%s", row->key);
	const struct t_reload_case *own = find(process->cases, process->case_count, key);
	return own ? own : find(common_cases, ARRAY_SIZE(common_cases), row->key);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* The lines of `base` but those of that key. */
static void copy_base(FILE *out, const char *key)
{
	for (const char *line = walk.base; *line;) {
		size_t length = strcspn(line, "\n");
		const char *name = line + strspn(line, " ");
		bool same = key && strncmp(name, key, strlen(key)) == 0 && name[strlen(key)] == ':';
		if (!same)
			fprintf(out, "%.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static enum reload_verdict read_again(const struct option *row, const char *value)
{
	FILE *out = fopen(walk.reload.file, "we");
	assert_non_null(out);
	bool common = row && strcmp(row->section, "common") == 0;
	if (common)
		fprintf(out, "common:\n  %s: %s\n", row->key, value);
	if (*walk.base || (row && !common))
		fprintf(out, "%s:\n", walk.process->program.name);
	copy_base(out, row && !common ? row->key : NULL);
	if (row && !common)
		fprintf(out, "  %s: %s\n", row->key, value);
	fclose(out);
	return reload_run(&walk.reload);
}

/* A core with the configuration of `base`. */
static void begin(const struct t_reload_process *process)
{
	static char file[256], dash_c[] = "-c", name[] = "process";
	char *argv[] = {name, dash_c, file, NULL};
	char error[CONFIG_ERROR_MAX];
	memset(&walk, 0, sizeof walk);
	walk.process = process;
	snprintf(file, sizeof file, "%s", t_temp("lamppost.yaml"));
	assert_true(config_read_text(&process->program, &walk.common, "none", "", 0, error));
	process->open(walk.base, sizeof walk.base);
	reload_init(&walk.reload, &process->program, &walk.common, 3, argv, process->apply, NULL);
	t_int("a file that begins", RELOAD_TAKEN, read_again(NULL, NULL));
	t_str("its error", "", walk.reload.error);
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

static void may_change(const struct t_reload_process *process, const struct option *row,
		       const struct t_reload_case *of)
{
	if (of->shows) {
		begin(process);
		t_false("shows before", of->shows());
		process->close();
	}
	begin(process);
	t_int("taken", RELOAD_TAKEN, read_again(row, of->value));
	t_str("error", "", walk.reload.error);
	t_uint("waits", 0, walk.reload.waiting_count);
	if (t_true("a way to see it", of->shows || of->unread) && of->shows)
		t_true("shows", of->shows());
	process->close();
}

static void needs_restart(const struct t_reload_process *process, const struct option *row,
			  const struct t_reload_case *of)
{
	begin(process);
	size_t size = process->program.config_size;
	void *before = malloc(size);
	struct config_common common = walk.common;
	assert_non_null(before);
	memcpy(before, process->program.config, size);
	t_int("taken", RELOAD_TAKEN, read_again(row, of->value));
	if (t_uint("waits", 1, walk.reload.waiting_count))
		t_true("is named", walk.reload.waiting[0] == row);
	t_int("in force", 0, memcmp(before, process->program.config, size));
	t_int("in force, common", 0, memcmp(&common, &walk.common, sizeof common));
	free(before);
	process->close();
}

static void walk_rows(const struct t_reload_process *process, const struct option *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct t_reload_case *of = case_of(process, &rows[i]);
		t_row(rows[i].key);
		if (!t_true("has a case in this test", of != NULL))
			continue;
		(rows[i].reload ? may_change : needs_restart)(process, &rows[i], of);
	}
}

void t_reload_walk(const struct t_reload_process *process)
{
	walk_rows(process, config_common_rows, config_common_row_count);
	walk_rows(process, process->program.rows, process->program.row_count);
}
