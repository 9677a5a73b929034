/* How gateways fare, beside real processes: one is heard, sends frames, and goes silent, which `lamppost gateway list` says with the
 * reason; its page, the live screen as lines, what its loss would cost, and a bridge that is gone. What is silent is so after 90
 * seconds: this test takes as long. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4
#define EUI       "0016c001ff10a235"
#define CEILING   600 /* ten times what it takes, nearly */

static const char *const names[PROCESSES] = {"join-server", "application-server", "network-server",
					     "gateway-bridge"};
static char dir[T_DIR_MAX], run[T_DIR_MAX + 8], config[T_DIR_MAX + 32];
static struct t_process *processes[PROCESSES];
static uint16_t port;
static int gateway = -1;
static char said[100000];

static int lamppost(const char *words)
{
	char program[4096], command[5000];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(command, sizeof command,
		 "LAMPPOST_STATE='%s' LAMPPOST_RUN='%s' LAMPPOST_CONFIG='%s' XDG_CONFIG_HOME='%s' %s %s 2>&1 "
		 "</dev/null",
		 dir, run, config, dir, program, words);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
	int end = pclose(pipe);
	return WIFEXITED(end) ? WEXITSTATUS(end) : -1;
}

static bool all_healthy(void *ctx)
{
	(void)ctx;
	for (size_t i = 0; i < PROCESSES; i++) {
		char admin[T_DIR_MAX + 64];
		snprintf(admin, sizeof admin, "%s/%s.admin.sock", run, names[i]);
		if (!t_is_healthy(admin))
			return false;
	}
	return true;
}

static int start(void **state)
{
	char text[600], variable[T_DIR_MAX + 64];
	t_temp_dir(dir);
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(variable, sizeof variable, "LAMPPOST_RUN=%s", run);
	port = t_free_udp_port();
	snprintf(text, sizeof text,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s\"\ngateway-bridge:\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\n",
		 dir, run, (unsigned)port);
	t_write_file(config, text);
	assert_int_equal(0, lamppost("init"));
	for (size_t i = 0; i < PROCESSES; i++)
		processes[i] = t_process_start(&(struct t_process_options){.program = names[i],
									   .arguments = {"-c", config},
									   .variables = {variable},
									   .dir = dir,
									   .name = names[i]});
	assert_true(t_wait_until(all_healthy, NULL, T_CEILING));
	gateway = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return t_setup(state);
}

static int stop(void **state)
{
	close(gateway);
	for (size_t i = 0; i < PROCESSES; i++)
		t_process_free(processes[i]);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

static void say(uint8_t identifier, const char *body)
{
	uint8_t datagram[1000] = {2, 0x12, 0x34, identifier, 0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35};
	struct sockaddr_in bridge = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	memcpy(datagram + 12, body, strlen(body));
	size_t length = 12 + strlen(body);
	assert_int_equal(length,
			 sendto(gateway, datagram, length, 0, (struct sockaddr *)&bridge, sizeof bridge));
}

struct wanted {
	const char *state, *reason;
	bool speaks;
};

static bool is_listed(void *ctx)
{
	const struct wanted *wanted = ctx;
	if (wanted->speaks)
		say(2, "");
	if (lamppost("gateway list --json") != 0)
		return false;
	json_t *list = json_loads(said, 0, NULL);
	const char *state = json_string_value(json_object_get(json_array_get(list, 0), "state"));
	const char *reason = json_string_value(json_object_get(json_array_get(list, 0), "reason"));
	bool is = reason && strcmp(reason, wanted->reason) == 0 &&
		  strcmp(state ? state : "", wanted->state) == 0;
	json_decref(list);
	if (!is)
		(void)nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	return is;
}

static bool has_its_statistics(void *ctx)
{
	(void)ctx;
	say(0, "{\"stat\":{\"rxnb\":1,\"ackr\":100.0,\"temp\":41.5}}");
	return lamppost("gateway show " EUI) == 0 && strstr(said, "41.5 degrees C") != NULL;
}

static void a_gateway_goes_silent(void **state)
{
	(void)state;
	static struct wanted never = {"never_seen", "never", false}, online = {"online", "heard", true},
			     silent = {"silent", "nothing_came", false}, unknown = {"", "no_bridge", false};
	t_int("added", 0, lamppost("gateway add " EUI " --name Roof --region eu868"));
	t_true("never seen", t_wait_until(is_listed, &never, T_CEILING));
	t_true("online", t_wait_until(is_listed, &online, T_CEILING));
	t_row("its page");
	t_true("its temperature comes with the next minute", t_wait_until(has_its_statistics, NULL, CEILING));
	t_true("state", strstr(said, "online since") != NULL);
	t_true("where from", strstr(said, "semtech-udp-2 from 127.0.0.1:") != NULL);
	t_row("all of them");
	t_int("as lines", 0, lamppost("gateway watch --plain --count 1"));
	t_true("named", strstr(said, "Roof") != NULL);
	t_row("what its loss would cost");
	t_int("impact", 0, lamppost("gateway impact " EUI));
	t_true("nothing", strstr(said, "0 devices would not be heard any more") != NULL);
	t_row("it goes silent");
	t_true("silent", t_wait_until(is_listed, &silent, CEILING));
	t_int("shown", 0, lamppost("gateway show " EUI));
	t_true("why",
	       strstr(said, "nothing heard for 9") != NULL || strstr(said, "nothing heard for 1") != NULL);
	t_true("what to do", strstr(said, "Check its line first") != NULL);
	t_true("its outage goes on", strstr(said, "goes on") != NULL);
	t_row("and is heard again");
	t_true("online", t_wait_until(is_listed, &online, T_CEILING));
	t_row("the bridge is gone");
	t_process_kill(processes[3]);
	t_true("nobody knows", t_wait_until(is_listed, &unknown, CEILING));
	t_int("a ping says so", 1, lamppost("gateway ping " EUI) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a_gateway_goes_silent", a_gateway_goes_silent, start, stop, NULL},
	};
	return t_run(tests);
}
