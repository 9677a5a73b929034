#include "cli/pins.h"

#include "cli/problem.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const cli_pinned_names[CLI_PINNED_COUNT] = {"join-server", "network-server",
							"application-server"};

/* Fills the folder of the pins; false when neither variable names a home. */
static bool pins_folder(char *path, size_t capacity)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int used;
	if (config && *config)
		used = snprintf(path, capacity, "%s/lamppost", config);
	else if (home && *home)
		used = snprintf(path, capacity, "%s/.config/lamppost", home);
	else
		return false;
	return used > 0 && (size_t)used < capacity;
}

/* Makes the folders of a path, each 0700. */
static void make_folders(const char *path)
{
	char part[512];
	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0700);
		*slash = '/';
	}
	(void)mkdir(part, 0700);
}

/* Writes the pins beside the old ones and renames. */
static bool pins_write(const char *folder, const json_t *pins)
{
	char path[600], temporary[640];
	snprintf(path, sizeof path, "%s/pins.json", folder);
	snprintf(temporary, sizeof temporary, "%s/pins.json.%ld", folder, (long)getpid());
	make_folders(folder);
	if (json_dump_file(pins, temporary, JSON_INDENT(2) | JSON_SORT_KEYS) != 0)
		return false;
	return rename(temporary, path) == 0;
}

/* Lends the pins of `server`. Fills `*pins`, the caller's, with all that are known: an empty object at first use. False
 * after reporting: a file that says something else than pins must not pass for a first use. */
static bool pins_read(const char *path, const char *server, json_t **pins, const json_t **pinned)
{
	json_error_t error;
	json_t *read = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!read && access(path, F_OK) == 0) {
		(void)cli_problem(CLI_FAILED, path, "mend or remove it", "cannot be read as JSON: %s",
				  error.text);
		return false;
	}
	if (!read)
		read = json_object();
	const json_t *entry = json_object_get(read, server);
	bool whole = json_is_object(read) && (!entry || json_is_object(entry));
	for (size_t i = 0; whole && entry && i < CLI_PINNED_COUNT; i++)
		whole = json_is_string(json_object_get(entry, cli_pinned_names[i]));
	if (!whole) {
		(void)cli_problem(CLI_FAILED, path, "mend or remove it",
				  "does not hold the pins of %s as they were written", server);
		json_decref(read);
		return false;
	}
	*pins = read;
	*pinned = entry;
	return true;
}

/* Pins what the server says, and nothing else of its answer. */
static void add_pins(json_t *pins, const char *server, const json_t *keys)
{
	json_t *entry = json_object();
	for (size_t i = 0; i < CLI_PINNED_COUNT; i++)
		json_object_set(entry, cli_pinned_names[i], json_object_get(keys, cli_pinned_names[i]));
	json_object_set_new(pins, server, entry);
}

/* Returns the name of a process whose key is not the pinned one, or NULL. */
static const char *changed_key(const json_t *pinned, const json_t *keys)
{
	for (size_t i = 0; i < CLI_PINNED_COUNT; i++) {
		const char *name = cli_pinned_names[i];
		if (!json_equal(json_object_get(pinned, name), json_object_get(keys, name)))
			return name;
	}
	return NULL;
}

int cli_pins_check(const char *socket, const json_t *keys)
{
	char folder[512], path[600], resolved[4096];
	if (!pins_folder(folder, sizeof folder))
		return cli_problem(CLI_FAILED, "pins of the server's keys", "set HOME or XDG_CONFIG_HOME",
				   "there is no place for them");
	snprintf(path, sizeof path, "%s/pins.json", folder);
	const char *server = realpath(socket, resolved) ? resolved : socket;
	json_t *pins;
	const json_t *pinned;
	if (!pins_read(path, server, &pins, &pinned))
		return CLI_FAILED;
	int exit_code = CLI_DONE;
	const char *changed = pinned ? changed_key(pinned, keys) : NULL;
	if (changed)
		exit_code = cli_problem(
			CLI_REFUSED, changed,
			"compare with the fingerprint that `lamppost init` printed there; if the server "
			"was really made anew, take its entry out of pins.json",
			"its public key is not the one pinned in %s: somebody may want your keys", path);
	if (!pinned) {
		add_pins(pins, server, keys);
		if (!pins_write(folder, pins))
			exit_code = cli_problem(CLI_FAILED, path, NULL, "cannot be written: %s",
						strerror(errno));
	}
	json_decref(pins);
	return exit_code;
}
