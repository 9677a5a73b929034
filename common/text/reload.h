/* Reading the configuration again while running (SIGHUP), one module for all four processes.
 *
 *	file ──read──▶ refused: nothing changes; one ERROR line, a counter, a warning until the next good one
 *	        │
 *	        └good─▶ row by row against what is in force
 *	                 ├ `reload` and changed ──▶ apply() of the process, all of them at once or none
 *	                 └ changed without `reload` ──▶ waits for a restart: WARN, and a warning until the file says
 *	                                                the old value again
 *
 * Invariant: `common` and program->config are what is in force, always; only reload_run() changes them, and only after
 * apply() has said yes. apply() is called at every good reading, also when no row changed: files that rows name
 * (a password, keys) may have new contents. */
#ifndef LAMPPOST_TEXT_RELOAD_H
#define LAMPPOST_TEXT_RELOAD_H

#include "common/text/config.h"

#include <stdint.h>

#define RELOAD_WAITING_MAX 64
#define RELOAD_ITEMS_MAX   2560 /* room that reload_members() never passes */

/* What apply() is asked for. Borrowed during the call. */
struct reload_wanted {
	const struct config_common *common; /* what is to be in force: rows without `reload` as they are */
	const void *config;                 /* the same, of the program's own type */
	const struct config_common *file_common; /* the whole file, for what only a restart takes over */
	const void *file_config;
};

enum reload_verdict { RELOAD_TAKEN, RELOAD_REFUSED };

struct reload {
	const struct config_program *program; /* keeps a borrow, for ever; `config` is what is in force */
	struct config_common *common;         /* the same */
	const char *file; /* what config_start() read; NULL: there was none, so it is looked for again */
	/* Takes all of it over, or nothing: then false with one line in `problem`. */
	bool (*apply)(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX]);
	void *ctx;
	uint64_t taken, refused;                          /* readings so far */
	char error[CONFIG_ERROR_MAX];                     /* of the last reading; "" when it was good */
	const struct option *waiting[RELOAD_WAITING_MAX]; /* rows that a restart would change */
	size_t waiting_count;
};

/* `argc`, `argv`: of main(), as config_start() had them. program->config_size has to be set. */
void reload_init(struct reload *reload, const struct config_program *program, struct config_common *common,
		 int argc, char **argv,
		 bool (*apply)(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX]),
		 void *ctx);
/* Reads the file and takes over what may change; logs it. */
enum reload_verdict reload_run(struct reload *reload);

/* For "warnings" of /healthz: appends `"configuration_refused"` and `"restart_needed"`, parted by commas, to a list that
 * may have items already. `reload` may be NULL: appends nothing. */
void reload_append_warnings(const struct reload *reload, char *list, size_t capacity);
/* Fills members for /healthz, each with a comma in front: `,"configuration_error":"..."` and `,"restart_needed":["common.net_id"]`;
 * "" when all is well. */
const char *reload_members(const struct reload *reload, char text[RELOAD_ITEMS_MAX]);
/* Fills a value for people: lists and maps too, shortened to fit; returns `text`. */
const char *reload_show(const struct option *row, const void *config, char *text, size_t capacity);

#endif
