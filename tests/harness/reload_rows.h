/* Walks every row of a process's configuration, and of `common`: one that may change while running is changed in the file,
 * read again, and has to show in the core that runs; one that may not has to be named and to change nothing.
 *
 * A test has a case for each row, by its key; a row without one fails, so that whoever adds a row to a configuration says
 * how it shows. */
#ifndef LAMPPOST_TESTS_RELOAD_ROWS_H
#define LAMPPOST_TESTS_RELOAD_ROWS_H

#include "common/text/reload.h"

struct t_reload_case {
	const char *key;   /* "ring_seconds"; "common.net_id" */
	const char *value; /* another than the default or the one of `base`, as in YAML */
	/* Whether the new value shows in the running core; asked once of a core that has it and once of another. NULL: the row
	 * needs a restart, or nothing of this process reads it. */
	bool (*shows)(void);
	bool unread; /* the row may change, and this process does not use it */
};

struct t_reload_process {
	struct config_program program; /* with its rows and its struct */
	const struct t_reload_case *cases;
	size_t case_count;
	/* Makes a core with the configuration's defaults; fills `base`: lines of its section that every file has. */
	void (*open)(char *base, size_t capacity);
	void (*close)(void);
	bool (*apply)(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX]);
};

void t_reload_walk(const struct t_reload_process *process);

#endif
