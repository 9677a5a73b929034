#include "cli/up_words.h"

#include "cli/problem.h"
#include "common/base/options.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Takes `line`. */
static void say_json(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

void cli_up_say_made(bool json, const char *state, const char *fingerprint)
{
	if (json)
		say_json(json_pack("{ss ss}", "made", state, "join_server_fingerprint", fingerprint));
	else
		printf("made %s: keys and configuration. Join server key: %s\n", state, fingerprint);
}

void cli_up_say_entered(bool json, const char *process, const char *state, const char *detail)
{
	if (json) {
		say_json(json_pack("{ss ss ss}", "process", process, "state", state, "detail", detail));
		return;
	}
	printf("%-18s  %-9s  %s\n", process, state, detail);
	fflush(stdout);
}

void cli_up_say_healthy(bool json, const char *run)
{
	char api[OPTION_PATH_MAX + 16];
	snprintf(api, sizeof api, "%s/city.sock", run);
	if (json) {
		say_json(json_pack("{sb ss ss}", "healthy", 1, "version", LAMPPOST_VERSION, "api", api));
		return;
	}
	printf("all healthy: lamppost %s, API on %s\n", LAMPPOST_VERSION, api);
	fflush(stdout);
}

void cli_up_describe_end(char *text, size_t capacity, int exit_code, int signal_number)
{
	if (signal_number)
		snprintf(text, capacity, "ended by signal %d", signal_number);
	else
		snprintf(text, capacity, "exit code %d", exit_code);
}

long long cli_up_pid_of(const char *body, size_t length)
{
	json_t *health = json_loadb(body, length, 0, NULL);
	json_int_t pid = json_integer_value(json_object_get(health, "pid"));
	json_decref(health);
	return pid;
}

bool cli_up_find_program(char *path, size_t capacity, const char *name)
{
	char self[2048];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	if (length <= 0)
		return false;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, capacity, "%s/%s", self, name);
	if (access(path, X_OK) == 0)
		return true;
	cli_problem(CLI_NOT_FOUND, path, "make all", "the program is not there");
	return false;
}
