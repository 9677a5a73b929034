/* `lamppost status` and `lamppost gateway list` beside four real processes: one that hangs, one that was killed, all of them gone;
 * a gateway that is heard and not registered, registered, and then silent to nobody. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "common/base/check.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROCESSES 4
#define EUI       "0016c001ff10a235"

static const char *const names[PROCESSES] = {"join-server", "application-server", "network-server",
					     "gateway-bridge"};

static char dir[T_DIR_MAX], run[T_DIR_MAX + 8], config[T_DIR_MAX + 32];
static struct t_process *processes[PROCESSES];
static uint16_t port;
static char said[100000];

/* Runs lamppost, on a terminal or not; fills `said`, and returns its exit code. */
static int lamppost_on(bool terminal, const char *words)
{
	char program[4096], command[5000];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(command, sizeof command,
		 "LAMPPOST_STATE='%s' LAMPPOST_RUN='%s' LAMPPOST_CONFIG='%s' XDG_CONFIG_HOME='%s' %s%s %s%s "
		 "2>&1 </dev/null",
		 dir, run, config, dir, terminal ? "script -qec '" : "", program, words,
		 terminal ? "' /dev/null" : "");
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
	int end = pclose(pipe);
	return WIFEXITED(end) ? WEXITSTATUS(end) : -1;
}

static int lamppost(const char *words)
{
	return lamppost_on(false, words);
}

static bool is_healthy(const char *name)
{
	char admin[T_DIR_MAX + 64];
	snprintf(admin, sizeof admin, "%s/%s.admin.sock", run, name);
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

static void start_one(size_t place)
{
	char variable[T_DIR_MAX + 64];
	snprintf(variable, sizeof variable, "LAMPPOST_RUN=%s", run);
	processes[place] = t_process_start(&(struct t_process_options){.program = names[place],
								       .arguments = {"-c", config},
								       .variables = {variable},
								       .dir = dir,
								       .name = names[place]});
}

static int start(void **state)
{
	t_temp_dir(dir);
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	port = t_free_udp_port();
	char text[600];
	snprintf(text, sizeof text,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s\"\ngateway-bridge:\n  station_listen: []\n  "
		 "cups_listen: []\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\n",
		 dir, run, (unsigned)port);
	t_write_file(config, text);
	assert_int_equal(0, lamppost("init"));
	for (size_t i = 0; i < PROCESSES; i++)
		start_one(i);
	assert_true(t_wait_until(all_healthy, NULL, T_CEILING));
	return t_setup(state);
}

static int stop(void **state)
{
	for (size_t i = 0; i < PROCESSES; i++)
		t_process_free(processes[i]);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* The status of a process, from --json; its exit code goes to `*code`. */
static const char *status_of(const char *name, int *code)
{
	static char status[40];
	*code = lamppost("status --json");
	json_t *facts = json_loads(said, 0, NULL), *process;
	size_t i;
	status[0] = '\0';
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		const char *its = json_string_value(json_object_get(process, "process"));
		const char *text = json_string_value(json_object_get(process, "status"));
		if (its && text && strcmp(its, name) == 0)
			snprintf(status, sizeof status, "%s", text);
	}
	json_decref(facts);
	return status;
}

static void what_does_not_answer_is_named(void **state)
{
	(void)state;
	int code;
	t_row("all run");
	t_str("network-server", "healthy", status_of("network-server", &code));
	t_int("exit code", 0, code);
	t_int("for people", 0, lamppost("status"));
	t_true("all is well", strstr(said, "Lamppost: all is well") != NULL);
	t_true("devices", strstr(said, "0 registered") != NULL);

	t_row("one hangs");
	t_process_signal(processes[2], SIGSTOP);
	double began = t_seconds();
	t_str("network-server", "not answering", status_of("network-server", &code));
	t_true("it does not wait long", t_seconds() - began < T_CEILING);
	t_int("exit code", 1, code);
	t_int("for people", 1, lamppost("status"));
	t_true("says so", strstr(said, "! network-server: not answering") != NULL);
	t_row("a person at a terminal is shown that it waits");
	t_int("exit code", 1, lamppost_on(true, "status"));
	t_true("status", strstr(said, "asking the processes, 1 s") != NULL);
	t_int("exit code", 1, lamppost_on(true, "doctor"));
	t_true("doctor", strstr(said, "looking, 1 s") != NULL);
	t_process_signal(processes[2], SIGCONT);

	t_row("one was killed");
	t_process_kill(processes[2]);
	t_str("network-server", "not running", status_of("network-server", &code));
	t_int("exit code", 1, code);
	t_str("gateway-bridge", "healthy", status_of("gateway-bridge", &code));
	t_int("for people", 1, lamppost("status --colour never"));
	t_true("says what to do", strstr(said, "lamppost up starts it again") != NULL);
	t_int("watched", 1, lamppost("status --watch --count 1"));

	t_row("all are gone");
	for (size_t i = 0; i < PROCESSES; i++)
		t_process_kill(processes[i]);
	t_str("join-server", "not running", status_of("join-server", &code));
	t_int("exit code", 5, code);
	t_int("gateways", 5, lamppost("gateway list"));
}

/* --- gateways --------------------------------------------------------------------------------------------------------- */

static int gateway_socket = -1;

/* A PULL_DATA of the gateway: version 2, a token, 0x02, the EUI. */
static void pull(void)
{
	static const uint8_t datagram[12] = {2,    0x12, 0x34, 2,    0x00, 0x16,
					     0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35};
	struct sockaddr_in bridge = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (gateway_socket < 0)
		gateway_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(sizeof datagram, sendto(gateway_socket, datagram, sizeof datagram, 0,
						 (struct sockaddr *)&bridge, sizeof bridge));
}

struct wanted {
	const char *words, *member, *value;
};

/* Whether the first of the list says it. */
static bool says(void *ctx)
{
	const struct wanted *wanted = ctx;
	pull();
	if (lamppost(wanted->words) != 0)
		return false;
	json_t *list = json_loads(said, 0, NULL);
	const char *text = json_string_value(json_object_get(json_array_get(list, 0), wanted->member));
	bool is = text && strcmp(text, wanted->value) == 0;
	json_decref(list);
	return is;
}

static void a_gateway_is_found_registered_and_seen(void **state)
{
	(void)state;
	static const struct wanted found = {"gateway list --unregistered --json", "eui", EUI},
				   online = {"gateway list --json", "state", "online"};
	t_row("not registered");
	t_true("found", t_wait_until(says, (void *)(uintptr_t)&found, T_CEILING));
	t_int("for people", 0, lamppost("gateway list --unregistered"));
	t_true("with what to type", strstr(said, "lamppost gateway add " EUI) != NULL);
	t_true("with its address", strstr(said, "127.0.0.1:") != NULL);
	t_row("registered");
	t_int("added", 0, lamppost("gateway add " EUI " --name Roof --region eu868"));
	t_true("online", t_wait_until(says, (void *)(uintptr_t)&online, T_CEILING));
	t_int("shown", 0, lamppost("gateway show " EUI " --json"));
	t_true("last seen", strstr(said, "\"last_seen\": \"2") != NULL);
	t_int("status", 0, lamppost("status"));
	t_true("counted", strstr(said, "1 registered, 1 online, 0 silent") != NULL);
	t_row("the bridge is gone");
	t_process_kill(processes[3]);
	t_int("listed all the same", 0, lamppost("gateway list"));
	close(gateway_socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"what_does_not_answer_is_named", what_does_not_answer_is_named, start, stop, NULL},
		{"a_gateway_is_found_registered_and_seen", a_gateway_is_found_registered_and_seen, start,
		 stop, NULL},
	};
	return t_run(tests);
}
