/* The configuration, asked of each process's own program: `PROGRAM -c FILE --print-config` says whether it can be used, and what
 * is in force, defaults included. So the rows are the processes' own, and this command knows none of them. */
#include "cli/doctor_look.h"

#include "common/base/check.h"
#include "common/io/process.h"
#include "common/text/yaml_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRINTED_MAX (128 * 1024)
#define PATIENCE_MS 5000

/* --- asking a program -------------------------------------------------------------------------------------------- */

/* The program of a process stands beside this one. */
static bool find_program(const char *name, char *path, size_t capacity)
{
	char self[OPTION_PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	if (length <= 0)
		return false;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, capacity, "%s/%s", self, name);
	return access(path, X_OK) == 0;
}

/* Reads until its end, or until patience is over; NUL-terminated. */
static void read_all(int fd, char *text, size_t capacity)
{
	size_t used = 0;
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	while (used < capacity - 1 && poll(&readable, 1, PATIENCE_MS) > 0) {
		ssize_t got = read(fd, text + used, capacity - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
}

/* Runs it and fills what it wrote to either stream. Its exit code; −1: it could not be run. */
static int ask_program(char *const *arguments, char *text, size_t capacity)
{
	int pair[2], status = 0;
	pid_t pid;
	posix_spawn_file_actions_t actions;
	text[0] = '\0';
	if (pipe2(pair, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pair[1], STDERR_FILENO);
	int error = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	if (error == 0) {
		read_all(pair[0], text, capacity);
		kill(pid, SIGKILL); /* it has ended, or hangs */
		if (waitpid(pid, &status, 0) != pid)
			error = ECHILD;
	}
	close(pair[0]);
	return error == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- what it said ------------------------------------------------------------------------------------------------ */

static const struct yt_node *child(const struct yt_node *map, const char *key)
{
	const struct yt_node *node = map && map->kind == YT_MAP ? map->first : NULL;
	while (node && strcmp(node->key, key) != 0)
		node = node->next;
	return node;
}

static const char *text_of(const struct yt_node *section, const char *key)
{
	const struct yt_node *node = child(section, key);
	return node && node->kind == YT_SCALAR ? node->value : "";
}

static long long number_of(const struct yt_node *section, const char *key, long long otherwise)
{
	const char *text = text_of(section, key);
	return *text ? strtoll(text, NULL, 10) : otherwise;
}

/* Notes the users of a row of callers, parted by blanks or commas, whom this machine does not know. */
static void check_users(struct doctor_facts *facts, const char *process, const struct yt_node *row)
{
	const char *users = row->kind == YT_SCALAR ? row->value : "";
	for (const char *at = users + strspn(users, " ,"); *at; at += strspn(at, " ,")) {
		char name[sizeof facts->callers[0].user];
		uint32_t uid;
		size_t length = strcspn(at, " ,");
		snprintf(name, sizeof name, "%.*s", (int)length, at);
		at += length;
		if (io_find_user(name, &uid) || facts->caller_count == DOCTOR_CALLERS_MAX)
			continue;
		struct doctor_caller *caller = &facts->callers[facts->caller_count++];
		snprintf(caller->user, sizeof caller->user, "%s", name);
		snprintf(caller->row, sizeof caller->row, "%.30s.callers.%.50s", process, row->key);
	}
}

static void take_bridge(struct doctor_settings *settings, const struct yt_node *section)
{
	const struct yt_node *list = child(section, "udp_listen");
	const struct yt_node *item = list && list->kind == YT_LIST ? list->first : NULL;
	for (; item && settings->listen_count < DOCTOR_PORTS_MAX; item = item->next)
		snprintf(settings->listen[settings->listen_count++], sizeof settings->listen[0], "%s",
			 item->value ? item->value : "");
}

static void take_join(struct doctor_settings *settings, const struct yt_node *section)
{
	const struct yt_node *keks = child(section, "keks");
	snprintf(settings->master_key, OPTION_PATH_MAX, "%s", text_of(section, "master_key"));
	snprintf(settings->box_key, OPTION_PATH_MAX, "%s", text_of(section, "box_key"));
	snprintf(settings->kek_network, OPTION_PATH_MAX, "%s", text_of(keks, "network"));
	snprintf(settings->kek_application, OPTION_PATH_MAX, "%s", text_of(keks, "application"));
	for (const struct yt_node *kek = keks && keks->kind == YT_MAP ? keks->first : NULL;
	     kek && settings->kek_count < DOCTOR_KEKS_MAX; kek = kek->next)
		if (kek->kind == YT_SCALAR && strcmp(kek->key, "network") != 0 &&
		    strcmp(kek->key, "application") != 0)
			snprintf(settings->keks[settings->kek_count++], OPTION_PATH_MAX, "%s", kek->value);
}

static void take_application(struct doctor_settings *settings, const struct yt_node *section)
{
	snprintf(settings->mqtt_host, sizeof settings->mqtt_host, "%s", text_of(section, "mqtt.host"));
	snprintf(settings->mqtt_username, sizeof settings->mqtt_username, "%s",
		 text_of(section, "mqtt.username"));
	snprintf(settings->mqtt_password_file, OPTION_PATH_MAX, "%s", text_of(section, "mqtt.password_file"));
	snprintf(settings->mqtt_ca_file, OPTION_PATH_MAX, "%s", text_of(section, "mqtt.ca_file"));
	settings->mqtt_port = (uint16_t)number_of(section, "mqtt.port", 1883);
}

static void take_printed(struct doctor_facts *facts, struct doctor_settings *settings, size_t process,
			 const char *printed)
{
	const char *name = cli_process_names[process];
	struct yt tree;
	if (yt_parse(&tree, name, printed, strlen(printed))) {
		const struct yt_node *section = child(tree.root, name), *callers = child(section, "callers");
		settings->known[process] = true;
		facts->callers_known = true;
		if (strcmp(name, "gateway-bridge") == 0)
			take_bridge(settings, section);
		else if (strcmp(name, "join-server") == 0)
			take_join(settings, section);
		else if (strcmp(name, "application-server") == 0)
			take_application(settings, section);
		if (strcmp(name, "network-server") == 0) {
			facts->journal_limit = number_of(section, "journal_limit", -1);
			facts->disk_floor = number_of(section, "disk_floor", -1);
		}
		/* The application server's table has numbers, which need not be anybody's. */
		const struct yt_node *row = callers && callers->kind == YT_MAP ? callers->first : NULL;
		for (; row && strcmp(name, "application-server") != 0; row = row->next)
			check_users(facts, name, row);
	}
	yt_release(&tree);
}

void doctor_look_config(struct doctor_facts *facts, struct doctor_settings *settings)
{
	static char dash_c[] = "-c", print[] = "--print-config";
	char *printed = malloc(PRINTED_MAX);
	ASSERT(printed);
	/* As `lamppost up` would tell its children. */
	setenv("LAMPPOST_STATE", facts->place.state, 1);
	setenv("LAMPPOST_RUN", facts->place.run, 1);
	facts->journal_limit = facts->disk_floor = -1;
	bool file = access(facts->place.config, F_OK) == 0;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		struct doctor_process *process = &facts->processes[i];
		char path[2 * OPTION_PATH_MAX];
		process->name = cli_process_names[i];
		if (!find_program(process->name, path, sizeof path))
			continue;
		char *arguments[] = {path, print, file ? dash_c : NULL, facts->place.config, NULL};
		int code = ask_program(arguments, printed, PRINTED_MAX);
		process->checked = code >= 0;
		process->config_good = code == 0;
		if (code == 0)
			take_printed(facts, settings, i, printed);
		else
			snprintf(process->config_error, sizeof process->config_error, "%.*s",
				 (int)strcspn(printed, "\n"), printed);
	}
	free(printed);
}
