/* How gateways fare, beside real processes. One is heard and goes silent, which `lamppost gateway list` says with the reason;
 * meanwhile another one is looked at in every way: its page, the live screen on a terminal and as lines, a ping, what its loss
 * would cost. Then the bridge is gone. What is silent is so after 4 seconds here, by the configuration. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/pty.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES  4
#define EUI        "0016c001ff10a235"
#define QUIET      "0016c001ff10a236" /* says something, and then no more */
#define SHAKY      "0016c001ff10a238" /* half of what it says is answered */
#define ATTIC      "0016c001ff10a237"
#define CEILING    200
#define STATISTICS "{\"stat\":{\"rxnb\":1,\"ackr\":100.0,\"temp\":41.5}}"

static const char *const names[PROCESSES] = {"join-server", "application-server", "network-server",
					     "gateway-bridge"};
static char dir[T_DIR_MAX], run[T_DIR_MAX + 8], config[T_DIR_MAX + 32];
static struct t_process *processes[PROCESSES];
static uint16_t port;
static int gateway = -1;
static char said[100000];

static FILE *lamppost_begin(const char *words)
{
	char program[4096], command[5000];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(command, sizeof command,
		 "LAMPPOST_STATE='%s' LAMPPOST_RUN='%s' LAMPPOST_CONFIG='%s' XDG_CONFIG_HOME='%s' %s %s 2>&1 "
		 "</dev/null",
		 dir, run, config, dir, program, words);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	return pipe;
}

static int lamppost_end(FILE *pipe)
{
	said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
	int end = pclose(pipe);
	return WIFEXITED(end) ? WEXITSTATUS(end) : -1;
}

static int lamppost(const char *words)
{
	return lamppost_end(lamppost_begin(words));
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
	char text[800], variable[T_DIR_MAX + 64];
	t_temp_dir(dir);
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(variable, sizeof variable, "LAMPPOST_RUN=%s", run);
	port = t_free_udp_port();
	snprintf(text, sizeof text,
		 "common:\n  gateway_silent: 4s\n  state_dir: \"%s\"\n  run_dir: \"%s\"\ngateway-bridge:\n  "
		 "station_listen: []\n  "
		 "cups_listen: []\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\napplication-server:\n  gateway_health: {offline: 8s}\n",
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

static void say_as(uint8_t last, uint8_t identifier, const char *body)
{
	uint8_t datagram[1000] = {2, 0x12, 0x34, identifier, 0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, last};
	struct sockaddr_in bridge = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	memcpy(datagram + 12, body, strlen(body));
	size_t length = 12 + strlen(body);
	assert_int_equal(length,
			 sendto(gateway, datagram, length, 0, (struct sockaddr *)&bridge, sizeof bridge));
}

static void say(uint8_t identifier, const char *body)
{
	say_as(0x35, identifier, body);
}

static void nap(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
}

struct wanted {
	const char *eui, *state, *reason;
	uint8_t speaks; /* the last byte of the EUI that says something meanwhile; 0: none */
};

static bool is_listed(void *ctx)
{
	const struct wanted *wanted = ctx;
	size_t i;
	const json_t *row;
	bool is = false;
	if (wanted->speaks == 0x35)
		say(0, STATISTICS);
	if (wanted->speaks == 0x38)
		say_as(0x38, 0, "{\"stat\":{\"rxnb\":1,\"ackr\":50.0}}");
	if (wanted->speaks)
		say_as(wanted->speaks, 2, "");
	if (lamppost("gateway list --json") != 0)
		return false;
	json_t *list = json_loads(said, 0, NULL);
	json_array_foreach(list, i, row)
	{
		const char *eui = json_string_value(json_object_get(row, "eui"));
		const char *state = json_string_value(json_object_get(row, "state"));
		const char *reason = json_string_value(json_object_get(row, "reason"));
		is = is ||
		     (eui && reason && strcmp(eui, wanted->eui) == 0 && strcmp(reason, wanted->reason) == 0 &&
		      strcmp(state ? state : "", wanted->state) == 0);
	}
	json_decref(list);
	if (!is)
		nap();
	return is;
}

static bool has_its_statistics(void *ctx)
{
	(void)ctx;
	say(0, STATISTICS);
	nap();
	return lamppost("gateway show " EUI) == 0 && strstr(said, "41.5 degrees C") != NULL &&
	       strstr(said, "online since") != NULL;
}

/* --- steps */

static void all_of_them_as_lines(void)
{
	t_row("all of them");
	t_int("as lines", 0, lamppost("gateway watch --plain --count 1"));
	t_true("named", strstr(said, "Roof") != NULL);
}

static void it_is_pinged(void)
{
	t_row("a ping, which UDP has no way for: the next word of it is told, and that it is no round trip");
	FILE *ping = lamppost_begin("gateway ping " EUI);
	for (int i = 0; i < 10; i++) {
		nap();
		say(2, "");
	}
	t_int("answered", 0, lamppost_end(ping));
	t_true("when", strstr(said, EUI ": heard 0.") != NULL || strstr(said, EUI ": heard 1.") != NULL);
	t_true("that it is none", strstr(said, "no round trip") != NULL && strstr(said, " ms") == NULL);
}

static struct t_pty pty;

static bool shows(const char *text)
{
	double end = t_seconds() + T_CEILING;
	while (!t_vt_shows(&pty.vt, text) && !pty.over && t_seconds() < end) {
		t_pty_pump(&pty);
		(void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	return t_true(text, t_vt_shows(&pty.vt, text));
}

static void the_live_screen_has_keys(void)
{
	static char socket[T_DIR_MAX + 64], home[T_DIR_MAX + 64];
	t_row("the live screen");
	snprintf(socket, sizeof socket, "LAMPPOST_SOCKET=%s/city.sock", run);
	snprintf(home, sizeof home, "XDG_CONFIG_HOME=%s", dir);
	t_pty_start(&pty, 120, 24, "lamppost", (const char *const[]){"gateway", "watch", NULL},
		    (const char *const[]){socket, home, NULL});
	shows("GATEWAYS");
	shows("1 never_seen");
	shows("Attic");
	shows("no word of it ever came");
	t_true("another picture", pty.vt.other_picture && pty.vt.cursor_hidden);
	t_pty_type(&pty, "\r");
	shows("Check its power and its line");
	shows("escape: back");
	t_pty_type(&pty, "\x7f");
	shows("t trouble alone");
	t_pty_type(&pty, "t");
	shows("those in trouble alone");
	t_pty_resize(&pty, 60, 10);
	shows("GATEWAYS");
	t_pty_type(&pty, "q");
	double end = t_seconds() + T_CEILING;
	while (!pty.over && t_seconds() < end)
		t_pty_pump(&pty);
	t_true("q ends it", pty.over);
	t_int("well", 0, pty.code);
	t_true("the terminal is as it was", t_pty_is_as_before(&pty));
	t_uint("nothing strange", 0, pty.vt.strange + pty.vt.overrun);
	t_pty_close(&pty);
}

static void it_is_silent(void)
{
	t_row("it goes silent");
	t_int("shown", 0, lamppost("gateway show " QUIET));
	t_true("why", strstr(said, "nothing heard for ") != NULL);
	t_true("what to do", strstr(said, "Check its line first") != NULL);
	t_true("its outage goes on", strstr(said, "goes on") != NULL);
	t_row("in a list for people, with the reason in words");
	t_int("listed", 0, lamppost("gateway list"));
	t_true("words", strstr(said, "nothing heard for ") != NULL);
	t_row("by the minute");
	t_int("history", 0, lamppost("gateway history " QUIET " --by minute"));
	t_true("a table", strstr(said, "crc bad") != NULL);
	t_int("no such span", 1, lamppost("gateway history " QUIET " --by week") != 0);
}

static void a_gateway_goes_silent(void **state)
{
	(void)state;
	static struct wanted shaky = {SHAKY, "unstable", "acks", 0x38},
			     offline = {QUIET, "offline", "nothing_came", 0},
			     attic = {ATTIC, "never_seen", "never", 0},
			     never = {EUI, "never_seen", "never", 0}, online = {EUI, "online", "heard", 0x35},
			     once = {QUIET, "online", "heard", 0x36},
			     silent = {QUIET, "silent", "nothing_came", 0},
			     back = {QUIET, "online", "heard", 0x36}, unknown = {EUI, "", "no_bridge", 0};
	t_int("added", 0, lamppost("gateway add " ATTIC " --name Attic --region eu868"));
	t_true("never seen", t_wait_until(is_listed, &attic, T_CEILING));
	t_row("those that come from now on are counted from their first word on");
	t_int("added", 0, lamppost("gateway add " EUI " --name Roof --region eu868"));
	t_int("added", 0, lamppost("gateway add " QUIET " --name Cellar --region eu868"));
	t_true("never seen", t_wait_until(is_listed, &never, T_CEILING));
	t_true("heard", t_wait_until(is_listed, &once, T_CEILING));
	t_true("online", t_wait_until(is_listed, &online, T_CEILING));
	all_of_them_as_lines();
	it_is_pinged();
	the_live_screen_has_keys();
	t_row("what its loss would cost");
	t_int("impact", 0, lamppost("gateway impact " EUI));
	t_true("nothing", strstr(said, "0 devices would not be heard any more") != NULL);
	t_row("its page");
	t_true("its temperature comes with the first look at it",
	       t_wait_until(has_its_statistics, NULL, CEILING));
	t_true("state", strstr(said, "online since") != NULL);
	t_true("where from", strstr(said, "semtech-udp-2 from 127.0.0.1:") != NULL);
	t_true("silent", t_wait_until(is_listed, &silent, CEILING));
	it_is_silent();
	t_row("it stays away");
	t_true("offline", t_wait_until(is_listed, &offline, CEILING));
	t_true("heard again", t_wait_until(is_listed, &back, T_CEILING));
	t_row("one that says that half of its messages are not answered");
	t_int("added", 0, lamppost("gateway add " SHAKY " --name Cellar-2 --region eu868"));
	t_true("unstable", t_wait_until(is_listed, &shaky, CEILING));
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
