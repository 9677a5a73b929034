/* `lamppost doctor` on a whole network with real faults planted in it, one after the other; each is found, and nothing else is
 * bad. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include "cli/up.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static struct t_network *network;
static json_t *report; /* of the last run */
static char config_before[4096];
static char credentials[T_DIR_MAX];

/* --- running it -------------------------------------------------------------------------------------------------- */

static void read_report(const char *text)
{
	const char *begin = strchr(text, '{');
	json_decref(report);
	report = json_loads(begin ? begin : "", JSON_DISABLE_EOF_CHECK, NULL);
	if (!t_true("a report", report != NULL))
		report = json_object();
}

static int run_doctor(void)
{
	int code = t_cli(network, "doctor", "--json");
	read_report(t_cli_output(network));
	return code;
}

static json_int_t count(const char *verdict)
{
	return json_integer_value(json_object_get(report, verdict));
}

/* Whether it found that, about something whose name ends so. */
static bool found(const char *finding, const char *about)
{
	size_t i, length = strlen(about);
	json_t *row;
	json_array_foreach(json_object_get(report, "findings"), i, row)
	{
		const char *subject = json_string_value(json_object_get(row, "about"));
		size_t end = subject ? strlen(subject) : 0;
		if (strcmp(json_string_value(json_object_get(row, "finding")), finding) == 0 &&
		    end >= length && strcmp(subject + end - length, about) == 0)
			return true;
	}
	return false;
}

/* One thing is bad, that one, and the exit code says so. */
static void finds_one_bad(const char *finding, const char *about)
{
	t_int("exit code", 1, run_doctor());
	if (!t_true(finding, found(finding, about)) || !t_int("bad", 1, count("bad")))
		fprintf(stderr, "%s\n", t_cli_output(network));
}

static void finds_nothing_bad(void)
{
	if (!t_int("exit code", 0, run_doctor()) || !t_int("bad", 0, count("bad")))
		fprintf(stderr, "%s\n", t_cli_output(network));
}

/* --- what is spoilt ---------------------------------------------------------------------------------------------- */

static const char *state_path(const char *name)
{
	static char path[2][T_PATH_MAX];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", t_network_state(network), name);
	return path[turn];
}

static void config_path(char path[T_PATH_MAX])
{
	snprintf(path, T_PATH_MAX, "%s/lamppost.yaml", t_network_dir(network));
}

/* Appends a section to the configuration. */
static void add_config(const char *section)
{
	char path[T_PATH_MAX], text[2 * sizeof config_before];
	config_path(path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t length = read(fd, config_before, sizeof config_before - 1);
	close(fd);
	assert_true(length > 0);
	config_before[length] = '\0';
	snprintf(text, sizeof text, "%s%s", config_before, section);
	t_write_file(path, text);
}

static void restore_config(void)
{
	char path[T_PATH_MAX];
	config_path(path);
	t_write_file(path, config_before);
}

static void leave_a_dead_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.80s/run/%.20s", t_network_dir(network), name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(address.sun_path);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, chmod(address.sun_path, 0660));
	close(fd);
}

static int take_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(t_network_port(network)),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
	return fd;
}

static bool broker_is_lost(void *ctx)
{
	char body[4096];
	(void)ctx;
	t_unix_get(t_network_admin(network, T_APPLICATION_SERVER), "/healthz", body, sizeof body);
	return strstr(body, "\"mqtt\":\"up\"") == NULL;
}

/* Runs it as nobody, and fills its report. The program is opened before, since its folder may be closed to nobody. */
static int run_as_nobody(void)
{
	static char text[65536];
	char program[512], config[T_PATH_MAX];
	int pair[2], status = -1;
	size_t used = 0;
	t_program_path(program, sizeof program, "lamppost");
	config_path(config);
	int fd = open(program, O_RDONLY);
	assert_true(fd >= 0 && pipe(pair) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		char name[] = "lamppost", doctor[] = "doctor", json[] = "--json", state[T_PATH_MAX + 16];
		char *arguments[] = {name, doctor, json, state, NULL};
		snprintf(state, sizeof state, "--state=%s", t_network_state(network));
		dup2(pair[1], STDOUT_FILENO);
		if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
			_exit(99);
		fexecve(fd, arguments, environ);
		_exit(98);
	}
	close(pair[1]);
	close(fd);
	for (ssize_t got; (got = read(pair[0], text + used, sizeof text - 1 - used)) > 0;)
		used += (size_t)got;
	text[used] = '\0';
	close(pair[0]);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	read_report(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the tests --------------------------------------------------------------------------------------------------- */

static void write_key(const char *path, unsigned mode)
{
	t_write_file(path, "sixteen bytes...");
	assert_int_equal(0, chmod(path, mode));
}

/* Files of KEKs, and what systemd hands the join server (the test in its place: CREDENTIALS_DIRECTORY is set at the start). */
static void keys_that_stand_elsewhere(void)
{
	char section[2 * T_PATH_MAX], vault[T_DIR_MAX + 16];
	t_row("the second version of a KEK, which everybody reads");
	snprintf(section, sizeof section, "join-server:\n  keks: {city: \"%s\", city.2: \"%s\"}\n",
		 state_path("keys/city.kek"), state_path("keys/city.2.kek"));
	write_key(state_path("keys/city.kek"), 0600);
	write_key(state_path("keys/city.2.kek"), 0644);
	add_config(section);
	finds_one_bad("key_world", "city.2.kek");
	assert_int_equal(0, chmod(state_path("keys/city.2.kek"), 0600));
	finds_nothing_bad();
	restore_config();
	t_row("a credential that was not handed over");
	snprintf(vault, sizeof vault, "%s/vault", credentials);
	add_config("join-server:\n  master_key: \"credential:vault\"\n");
	finds_one_bad("credential_missing", vault);
	t_row("one of another length");
	write_key(vault, 0400);
	finds_one_bad("key_form", vault);
	t_row("one that is good");
	assert_int_equal(0, chmod(vault, 0600));
	t_write_file(vault, "thirty-two bytes, and not a one+");
	assert_int_equal(0, chmod(vault, 0440));
	finds_nothing_bad();
	restore_config();
}

static void while_it_runs(void)
{
	t_row("a network that is well");
	finds_nothing_bad();
	t_true("processes", found("processes_ok", ""));
	t_true("sockets", found("sockets_ok", ""));
	t_true("versions", found("versions_ok", ""));
	t_true("databases", found("schema_ok", ""));
	t_true("keys", found("keys_ok", ""));
	t_true("flush", found("flush_ok", "") || found("flush_slow", ""));
	t_true("broker", found("broker_ok", ""));
	t_true("no core dumps", found("core_dumps_off", ""));
	t_row("the same, read through");
	t_cli_must(network, 0, "doctor", "--json", "--deep");
	read_report(t_cli_output(network));
	t_true("whole", found("integrity_ok", ""));
	t_row("for people");
	t_cli_must(network, 0, "doctor");
	t_true("a line of a check", strstr(t_cli_output(network), "all processes run and are well") != NULL);

	t_row("a key that everybody reads");
	assert_int_equal(0, chmod(state_path("keys/join-server.master"), 0604));
	finds_one_bad("key_world", "join-server.master");
	assert_int_equal(0, chmod(state_path("keys/join-server.master"), 0600));
	t_row("a key that is gone beside its database");
	assert_int_equal(0, rename(state_path("keys/join-server.master"), state_path("keys/elsewhere")));
	finds_one_bad("key_lost", "join-server.master");
	assert_int_equal(0, rename(state_path("keys/elsewhere"), state_path("keys/join-server.master")));
	keys_that_stand_elsewhere();
	t_row("a database that the group reads");
	assert_int_equal(0, chmod(state_path("join.db"), 0640));
	finds_one_bad("database_open", "join.db");
	assert_int_equal(0, chmod(state_path("join.db"), 0600));
	t_row("a value that a process refuses");
	add_config("join-server:\n  keks: 7\n");
	finds_one_bad("config_refused", "join-server");
	restore_config();
	t_row("a configuration that is no YAML: all the rest is looked at all the same");
	add_config("join-server: [\n");
	t_int("exit code", 1, run_doctor());
	t_true("refused", found("config_refused", "network-server"));
	t_int("bad", CLI_PROCESS_COUNT, count("bad"));
	t_true("in the same place", found("processes_ok", "") && found("keys_ok", ""));
	t_int("status", 0, t_cli(network, "status"));
	restore_config();
	t_row("a user whom nobody knows");
	add_config("join-server:\n  callers: {joins: \"nobody-of-that-name\"}\n");
	finds_one_bad("caller_unknown", "nobody-of-that-name");
	restore_config();
	t_row("a disk with less room than its floor");
	add_config("network-server:\n  disk_floor: 1048576\n  journal_limit: 1\n");
	finds_one_bad("disk_full", "");
	restore_config();
	t_row("a gateway bridge that hangs");
	int bridge = t_network_pid(network, T_GATEWAY_BRIDGE);
	assert_int_equal(0, kill(bridge, SIGSTOP));
	char who[32];
	snprintf(who, sizeof who, "(pid %d)", bridge);
	t_int("exit code", 1, run_doctor());
	t_true("it is named", found("process_silent", "gateway-bridge"));
	t_true("with its id", strstr(t_cli_output(network), who) != NULL);
	t_false("nobody else has its port", found("port_taken", "") || found("port_taken_unseen", ""));
	assert_int_equal(0, kill(bridge, SIGCONT));
	t_row("a broker that has gone");
	t_mosquitto_stop(t_network_broker(network));
	t_true("the application server knows", t_wait_until(broker_is_lost, NULL, T_CEILING));
	finds_one_bad("broker_lost", "");
}

static void while_it_does_not_run(void)
{
	t_row("a network that does not run, and no broker");
	finds_one_bad("broker_down", "");
	t_true("processes", found("processes_none", ""));
	t_row("and a broker");
	t_mosquitto_resume(t_network_broker(network));
	finds_nothing_bad();
	t_true("asked directly", found("broker_ok", ""));
	t_true("port", found("port_free", ""));
	t_row("a socket that somebody left");
	leave_a_dead_socket("join.sock");
	finds_nothing_bad();
	t_true("stale", found("socket_stale_stopped", "join.sock"));
	t_row("a port that another program has");
	int port = take_port();
	run_doctor();
	t_true("taken", found(geteuid() == 0 ? "port_taken" : "port_taken_unseen", ""));
	close(port);
	t_row("a file that is no database");
	t_write_file(state_path("join.db"),
		     "this was a database once, and somebody wrote over its first page......");
	finds_one_bad("database_unreadable", "join.db");
}

static void an_ordinary_user_is_told_what_was_skipped(void)
{
	t_row("nobody looks");
	if (geteuid() != 0)
		return; /* all of the above was by an ordinary user */
	int code = run_as_nobody();
	t_true("ends with a word", code == 0 || code == 1);
	t_true("keys skipped", found("keys_denied", ""));
	t_true("folder skipped", found("files_denied", ""));
	t_true("something is skipped", count("skipped") > 3);
	t_false("and no key is said to be missing", found("key_missing", "") || found("key_lost", ""));
}

static void faults_are_found(void **state)
{
	(void)state;
	t_temp_dir(credentials);
	assert_int_equal(0, setenv("CREDENTIALS_DIRECTORY", credentials, 1));
	network = t_network_start("");
	unsetenv("CREDENTIALS_DIRECTORY");
	while_it_runs();
	t_network_stop(network);
	while_it_does_not_run();
	an_ordinary_user_is_told_what_was_skipped();
	json_decref(report);
	t_network_free(network);
	t_temp_dir_remove(credentials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(faults_are_found)};
	return t_run(tests);
}
