/* `lamppost up` and `init` as an operator meets them: four processes healthy, one killed and back, all gone in time, none left
 * behind, and a state that lacks a key refused. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROCESSES 4
#define LOG_ROOM  16384

static const char *const names[PROCESSES] = {"gateway-bridge", "network-server", "application-server",
					     "join-server"};

static char dir[T_DIR_MAX], config[T_DIR_MAX + 32];
static struct t_process *up;

static int run_lamppost(const char *const arguments[3])
{
	struct t_process *process = t_process_start(&(struct t_process_options){
		.program = "lamppost",
		.arguments = {arguments[0], "--state", dir, arguments[1], arguments[2]},
		.dir = dir,
		.name = arguments[0]});
	int code = t_process_wait(process);
	t_process_free(process);
	return code;
}

#define LAMPPOST(...) run_lamppost((const char *const[3]){__VA_ARGS__})

static int open_dir(void **state)
{
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	up = NULL;
	return t_setup(state);
}

static int close_dir(void **state)
{
	if (up)
		t_process_free(up);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* --- the processes of a supervisor, as the kernel lists them ------------------------------------------------- */

/* The pid of a child of `parent` by its name, 0 when there is none. The kernel keeps 15 characters of a name. */
static int child_of(int parent, const char *name)
{
	DIR *proc = opendir("/proc");
	assert_non_null(proc);
	int found = 0;
	/* cppcheck-suppress readdirCalled */
	for (struct dirent *entry; !found && (entry = readdir(proc));) {
		char path[300], comm[32], state;
		int pid, ppid;
		snprintf(path, sizeof path, "/proc/%.200s/stat", entry->d_name);
		FILE *file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fscanf(file, "%d (%31[^)]) %c %d", &pid, comm, &state, &ppid) == 4 && ppid == parent &&
		    strncmp(comm, name, 15) == 0 && state != 'Z')
			found = pid;
		fclose(file);
	}
	closedir(proc);
	return found;
}

static bool is_alive(int pid)
{
	char path[64], state = 'Z';
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state != 'Z';
}

static bool is_healthy(const char *name)
{
	char admin[T_DIR_MAX + 64];
	snprintf(admin, sizeof admin, "%s/run/%s.admin.sock", dir, name);
	return t_is_healthy(admin);
}

static bool all_healthy(void *ctx)
{
	(void)ctx;
	for (size_t i = 0; i < PROCESSES; i++)
		if (!is_healthy(names[i]))
			return false;
	return true;
}

struct replaced {
	const char *name;
	int old_pid;
};

/* Another process stands in its place, and it is well. */
static bool is_replaced(void *ctx)
{
	const struct replaced *replaced = ctx;
	int pid = child_of(t_process_pid(up), replaced->name);
	return pid && pid != replaced->old_pid && is_healthy(replaced->name);
}

static bool none_alive(void *ctx)
{
	const int *pids = ctx;
	for (size_t i = 0; i < PROCESSES; i++)
		if (is_alive(pids[i]))
			return false;
	return true;
}

static void find_children(int pids[PROCESSES])
{
	for (size_t i = 0; i < PROCESSES; i++) {
		pids[i] = child_of(t_process_pid(up), names[i]);
		/* Stops the test: a signal to process 0 would reach ourselves. */
		assert_int_not_equal(pids[i], 0);
	}
}

static void start_up_with(const char *option)
{
	t_int("init", 0, LAMPPOST("init", NULL, NULL));
	FILE *file = fopen(config, "a");
	assert_non_null(file);
	fprintf(file,
		"gateway-bridge:\n  udp_listen: [\"127.0.0.1:%u\"]\n  station_listen: []\n  cups_listen: "
		"[]\n",
		(unsigned)t_free_udp_port());
	fclose(file);
	up = t_process_start(&(struct t_process_options){.program = "lamppost",
							 .arguments = {"up", "--state", dir, option},
							 .dir = dir,
							 .name = "up"});
	if (!t_true("all healthy", t_wait_until(all_healthy, NULL, T_CEILING))) {
		static char log[8192];
		fputs(t_process_log(up, log, sizeof log), stderr);
	}
}

static void start_up(void)
{
	start_up_with(NULL);
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static void a_killed_process_is_back_and_all_stop_in_time(void **state)
{
	(void)state;
	start_up();
	t_int("status", 0, LAMPPOST("status", NULL, NULL));
	int pids[PROCESSES];
	for (size_t i = 0; i < PROCESSES; i++) {
		t_row(names[i]);
		struct replaced replaced = {names[i], child_of(t_process_pid(up), names[i])};
		t_true("runs", replaced.old_pid != 0);
		if (!replaced.old_pid)
			continue;
		kill(replaced.old_pid, SIGKILL);
		t_true("back", t_wait_until(is_replaced, &replaced, T_CEILING));
	}
	t_row("SIGTERM");
	t_true("all healthy", t_wait_until(all_healthy, NULL, T_CEILING));
	find_children(pids);
	double began = t_seconds();
	t_int("exit code", 0, t_process_stop(up));
	t_true("within 5 s", t_seconds() - began <= 5.0);
	t_true("none is left", none_alive(pids));
	t_int("status then", 5, LAMPPOST("status", "--json", NULL));
}

struct storm {
	struct replaced replaced;
	int last, started;
};

/* Sends another SIGHUP, and counts the processes that have stood in the place. */
static bool is_replaced_under_hangups(void *ctx)
{
	struct storm *storm = ctx;
	kill(t_process_pid(up), SIGHUP);
	int pid = child_of(t_process_pid(up), storm->replaced.name);
	if (pid && pid != storm->replaced.old_pid && pid != storm->last) {
		storm->last = pid;
		storm->started++;
	}
	return is_replaced(&storm->replaced);
}

/* A SIGHUP that reached a process before it can take one would end it. */
static void hangups_spare_a_process_that_starts(void **state)
{
	(void)state;
	start_up();
	int supervisor = t_process_pid(up);
	for (size_t i = 0; i < PROCESSES; i++) {
		struct storm storm = {.replaced = {names[i], child_of(supervisor, names[i])}};
		t_row(names[i]);
		assert_int_not_equal(storm.replaced.old_pid, 0);
		kill(storm.replaced.old_pid, SIGKILL);
		t_true("back", t_wait_until(is_replaced_under_hangups, &storm, T_CEILING));
		t_int("started", 1, storm.started);
	}
	t_true("all healthy", t_wait_until(all_healthy, NULL, T_CEILING));
	t_int("exit code", 0, t_process_stop(up));
}

static void a_stuck_process_is_killed_in_time(void **state)
{
	(void)state;
	start_up();
	int pids[PROCESSES];
	find_children(pids);
	/* Stopped, they cannot answer SIGTERM: one in the middle and the last. */
	kill(pids[1], SIGSTOP);
	kill(pids[3], SIGSTOP);
	double began = t_seconds();
	t_int("exit code", 0, t_process_stop(up));
	t_true("within 5 s, and the machine's share", t_seconds() - began <= 6.0);
	t_true("none is left", none_alive(pids));
}

static void nobody_outlives_the_supervisor(void **state)
{
	(void)state;
	start_up();
	int pids[PROCESSES];
	find_children(pids);
	t_process_kill(up);
	t_true("none is left", t_wait_until(none_alive, pids, T_CEILING));
	t_process_free(up);
	up = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"up", "--state", dir}, .dir = dir, .name = "up"});
	t_true("and it starts again", t_wait_until(all_healthy, NULL, T_CEILING));
	t_int("exit code", 0, t_process_stop(up));
}

static void a_configuration_that_is_refused_ends_it(void **state)
{
	(void)state;
	t_int("init", 0, LAMPPOST("init", NULL, NULL));
	FILE *file = fopen(config, "a");
	assert_non_null(file);
	fputs("join-server:\n  no_such_key: 1\n", file);
	fclose(file);
	up = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"up", "--state", dir}, .dir = dir, .name = "up"});
	int code = t_process_wait(up);
	t_true("it gives up by itself", code == 1 || code == 2);
}

/* --- two on one state ---------------------------------------------------------------------------------------- */

static struct t_process *start_alone(const char *program, const char *run)
{
	char variable[T_DIR_MAX + 64];
	snprintf(variable, sizeof variable, "LAMPPOST_RUN=%s/%s", dir, run);
	return t_process_start(&(struct t_process_options){.program = program,
							   .arguments = {"-c", config},
							   .variables = {variable},
							   .dir = dir,
							   .name = program});
}

static void a_second_one_on_the_same_state_is_refused(void **state)
{
	(void)state;
	start_up();
	t_int("a second up", 4, LAMPPOST("up", NULL, NULL));
	t_int("the first is well", 0, LAMPPOST("status", NULL, NULL));
	/* Sockets of their own do not help: the databases are the same. */
	static const char *const owners[] = {"network-server", "application-server", "join-server"};
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		t_row(owners[i]);
		struct t_process *second = start_alone(owners[i], "elsewhere");
		t_int("a second one", 1, t_process_wait(second));
		t_process_free(second);
	}
	t_int("exit code", 0, t_process_stop(up));
}

static void a_stranger_on_the_socket_is_not_taken_for_a_child(void **state)
{
	(void)state;
	t_int("init", 0, LAMPPOST("init", NULL, NULL));
	struct t_process *stranger = start_alone("join-server", "run");
	char admin[T_DIR_MAX + 64];
	snprintf(admin, sizeof admin, "%s/run/join-server.admin.sock", dir);
	t_true("the stranger is well", t_wait_until(t_is_healthy, admin, T_CEILING));
	FILE *file = fopen(config, "a");
	assert_non_null(file);
	fprintf(file,
		"gateway-bridge:\n  udp_listen: [\"127.0.0.1:%u\"]\n  station_listen: []\n  cups_listen: "
		"[]\n",
		(unsigned)t_free_udp_port());
	fclose(file);
	up = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"up", "--state", dir}, .dir = dir, .name = "up"});
	t_int("it gives up", 1, t_process_wait(up));
	t_int("the stranger stops", 0, t_process_stop(stranger));
	t_process_free(stranger);
}

/* --- init ---------------------------------------------------------------------------------------------------- */

static const char *const key_files[] = {
	"network-server.master",
	"join-server.master",
	"application-server.master",
	"network-server.box",
	"network-server.box.pub",
	"join-server.box",
	"join-server.box.pub",
	"application-server.box",
	"application-server.box.pub",
	"kek-network.network-server",
	"kek-network.join-server",
	"kek-application.join-server",
	"kek-application.application-server",
};

static size_t read_key_file(const char *name, char bytes[128], unsigned *mode)
{
	char path[T_DIR_MAX + 64];
	struct stat stat_of;
	snprintf(path, sizeof path, "%s/keys/%s", dir, name);
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	assert_int_equal(fstat(fileno(file), &stat_of), 0);
	*mode = stat_of.st_mode & 0777;
	size_t length = fread(bytes, 1, 128, file);
	fclose(file);
	return length;
}

static void init_makes_every_key_once(void **state)
{
	(void)state;
	static char first[ARRAY_SIZE(key_files)][128], again[128];
	unsigned mode = 0;
	t_int("init", 0, LAMPPOST("init", NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(key_files); i++) {
		t_row(key_files[i]);
		size_t length = read_key_file(key_files[i], first[i], &mode);
		bool is_public = strstr(key_files[i], ".pub") != NULL;
		t_uint("length", is_public ? 65 : strncmp(key_files[i], "kek-", 4) == 0 ? 16 : 32, length);
		t_uint("mode", is_public ? 0644 : 0600, mode);
	}
	t_row("both readers of a KEK have the same");
	t_bytes("network", (uint8_t *)first[9], 16, (uint8_t *)first[10], 16);
	t_bytes("application", (uint8_t *)first[11], 16, (uint8_t *)first[12], 16);
	t_true("and each KEK is its own", memcmp(first[9], first[11], 16) != 0);
	t_int("init again", 0, LAMPPOST("init", NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(key_files); i++) {
		t_row(key_files[i]);
		size_t length = read_key_file(key_files[i], again, &mode);
		t_true("unchanged", length > 0 && memcmp(first[i], again, length) == 0);
	}
}

static void init_goes_on_where_it_was_cut_off(void **state)
{
	(void)state;
	char path[T_DIR_MAX + 64], kept[128], made[128];
	unsigned mode;
	t_int("init", 0, LAMPPOST("init", NULL, NULL));
	read_key_file("kek-network.network-server", kept, &mode);
	snprintf(path, sizeof path, "%s/keys/kek-network.join-server", dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/keys/join-server.master", dir);
	assert_int_equal(unlink(path), 0);
	t_int("without a database it makes the rest", 0, LAMPPOST("init", NULL, NULL));
	t_uint("the other half of the pair", 16, read_key_file("kek-network.join-server", made, &mode));
	t_bytes("is the same", (uint8_t *)kept, 16, (uint8_t *)made, 16);
	t_uint("master", 32, read_key_file("join-server.master", made, &mode));
}

static void a_missing_key_beside_a_database_is_never_made_anew(void **state)
{
	(void)state;
	static const char *const databases[] = {"join.db", "network.db", "city.db", "readings.db"};
	char path[T_DIR_MAX + 64], database[T_DIR_MAX + 64], none[128];
	unsigned mode;
	t_int("init", 0, LAMPPOST("init", NULL, NULL));
	snprintf(path, sizeof path, "%s/keys/join-server.master", dir);
	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
		t_row(databases[i]);
		snprintf(database, sizeof database, "%s/%s", dir, databases[i]);
		t_write_file(database, "");
		t_int("init", 4, LAMPPOST("init", NULL, NULL));
		t_int("up", 4, LAMPPOST("up", NULL, NULL));
		t_uint("none was made", 0, read_key_file("join-server.master", none, &mode));
		assert_int_equal(unlink(database), 0);
	}
	t_row("usage");
	t_int("an unknown option", 2, LAMPPOST("init", "--force", NULL));
	t_int("help", 0, LAMPPOST("up", "--help", NULL));
	static const char *const without_api[] = {"init", "up", "status"};
	for (size_t i = 0; i < 3; i++) {
		t_row(without_api[i]);
		t_int("a socket that it would not use", 2, LAMPPOST(without_api[i], "--socket", "/s"));
	}
}

static bool has_said_healthy(void *ctx)
{
	return strstr(t_process_log(up, ctx, LOG_ROOM), "{\"healthy\":true") != NULL;
}

/* With --json every line is an object: what became of each process, and when all were well. */
static void its_words_are_json_when_asked(void **state)
{
	(void)state;
	static char log[LOG_ROOM];
	start_up_with("--json");
	/* It asks by itself, and may hear it a moment after us. */
	t_true("says so", t_wait_until(has_said_healthy, log, T_CEILING));
	t_int("exit code", 0, t_process_stop(up));
	t_process_log(up, log, sizeof log);
	int entered = 0, healthy = 0;
	/* The processes' own log stands between, and before an object on its line. */
	for (const char *at = log; (at = strstr(at, "{\"")); at++) {
		json_t *said = json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);
		t_true("is JSON", said != NULL);
		entered += json_is_string(json_object_get(said, "process")) &&
			   json_is_string(json_object_get(said, "state"));
		healthy += json_is_true(json_object_get(said, "healthy"));
		json_decref(said);
	}
	t_int("all were healthy once", 1, healthy);
	t_true("each started, was healthy and stopped", entered >= 3 * PROCESSES);
}

int main(void)
{
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_DIR(init_makes_every_key_once),
		IN_DIR(init_goes_on_where_it_was_cut_off),
		IN_DIR(a_missing_key_beside_a_database_is_never_made_anew),
		IN_DIR(a_killed_process_is_back_and_all_stop_in_time),
		IN_DIR(hangups_spare_a_process_that_starts),
		IN_DIR(its_words_are_json_when_asked),
		IN_DIR(a_stuck_process_is_killed_in_time),
		IN_DIR(nobody_outlives_the_supervisor),
		IN_DIR(a_configuration_that_is_refused_ends_it),
		IN_DIR(a_second_one_on_the_same_state_is_refused),
		IN_DIR(a_stranger_on_the_socket_is_not_taken_for_a_child),
	};
	return t_run(tests);
}
