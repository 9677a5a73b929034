#include "cli/place.h"

#include "cli/problem.h"
#include "common/io/state_lock.h"
#include "common/text/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
}

static bool put(char path[OPTION_PATH_MAX], const char *folder, const char *name)
{
	int length = snprintf(path, OPTION_PATH_MAX, "%s%s", folder, name);
	return length > 0 && length < OPTION_PATH_MAX;
}

int cli_place_find(struct cli_place *place, const char *command, const char *state, const char *config)
{
	memset(place, 0, sizeof *place);
	state = state ? state : variable("LAMPPOST_STATE");
	config = config ? config : variable("LAMPPOST_CONFIG");
	if (!config && !state && access(CONFIG_DEFAULT_FILE, F_OK) == 0)
		config = CONFIG_DEFAULT_FILE;
	const char *run = variable("LAMPPOST_RUN");
	struct config_common common;
	if (config) {
		int unused;
		const struct config_program program = {.name = "lamppost", .config = &unused};
		char error[CONFIG_ERROR_MAX];
		if (!config_read_file(&program, &common, config, error))
			return cli_problem(CLI_USAGE, command, NULL, "configuration refused: %s", error);
		place->config_given = true;
		if (!state) {
			state = common.state_dir;
			run = run ? run : common.run_dir;
		}
	}
	bool fits = put(place->state, state ? state : "./var", "");
	fits = fits && (run ? put(place->run, run, "") : put(place->run, place->state, "/run"));
	fits = fits &&
	       (config ? put(place->config, config, "") : put(place->config, place->state, "/lamppost.yaml"));
	/* A Unix socket's path has 107 bytes, and the longest of ours is application-server.admin.sock. */
	if (!fits || strlen(place->run) > 75)
		return cli_problem(CLI_USAGE, command, "a shorter --state",
				   "the path of the state directory is too long");
	return CLI_DONE;
}

int cli_place_claim(const struct cli_place *place)
{
	int lock; /* stays open */
	enum status status = io_lock_take(place->state, "lamppost", &lock);
	if (status == ST_EXISTS)
		return cli_problem(CLI_REFUSED, place->state, "lamppost status",
				   "another lamppost up runs on this state");
	if (status != ST_OK)
		return cli_problem(CLI_FAILED, place->state, NULL, "cannot lock the state: %s",
				   strerror(errno));
	return CLI_DONE;
}
