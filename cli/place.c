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

/* --- a configuration that cannot be read ----------------------------------------------------------------------------- */

/* Fills the value of the first "KEY: VALUE" outside of comments, if it is an absolute path. */
static void rescue_path(const char *text, const char *key, char path[OPTION_PATH_MAX])
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *comment = line + strcspn(line, "#\n"), *at = strstr(line, key);
		if (!at || at >= comment)
			continue;
		at += strlen(key);
		at += strspn(at, " \t\"'");
		size_t length = strcspn(at, "\"' \t\r\n,}#");
		if (*at != '/' || length >= OPTION_PATH_MAX)
			continue;
		memcpy(path, at, length);
		path[length] = '\0';
		return;
	}
}

/* What can be had of a file that is refused as a whole: what it says of the two folders, or the folder that it lies in, if keys do
 * as well. */
static void rescue(struct config_common *common, const char *config)
{
	char keys[OPTION_PATH_MAX + 8], *text = calloc(1, CONFIG_FILE_MAX + 1);
	FILE *in = fopen(config, "re");
	size_t length = in && text ? fread(text, 1, CONFIG_FILE_MAX, in) : 0;
	const char *slash = strrchr(config, '/');
	if (slash && slash - config < OPTION_PATH_MAX) {
		snprintf(keys, sizeof keys, "%.*s/keys", (int)(slash - config), config);
		if (access(keys, F_OK) == 0) {
			snprintf(common->state_dir, OPTION_PATH_MAX, "%.*s", (int)(slash - config), config);
			snprintf(common->run_dir, OPTION_PATH_MAX, "%.*s/run", (int)(slash - config), config);
		}
	}
	if (length > 0) {
		rescue_path(text, "state_dir:", common->state_dir);
		rescue_path(text, "run_dir:", common->run_dir);
	}
	if (in)
		fclose(in);
	free(text);
}

/* --- finding ---------------------------------------------------------------------------------------------------------- */

static int find(struct cli_place *place, const char *command, const char *state, const char *config,
		bool anyway)
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
		if (!config_read_file(&program, &common, config, error)) {
			int code = cli_problem(CLI_USAGE, command,
					       anyway ? "put that right first; what follows is without it"
						      : NULL,
					       "configuration refused: %s", error);
			if (!anyway)
				return code;
			(void)config_read_file(&program, &common, NULL, error); /* defaults */
			rescue(&common, config);
		}
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

int cli_place_find(struct cli_place *place, const char *command, const char *state, const char *config)
{
	return find(place, command, state, config, false);
}

int cli_place_find_anyway(struct cli_place *place, const char *command, const char *state, const char *config)
{
	return find(place, command, state, config, true);
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
