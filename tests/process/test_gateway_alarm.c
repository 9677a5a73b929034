/* A gateway that goes silent calls somebody, and its return is told: bridge, network server, application server and a receiver of
 * webhooks, over real sockets. What is silent is so after 3 seconds here, by the configuration. And the same while the application
 * server is killed again and again. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "common/base/rng.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES   4
#define EUI         "0016c001ff10a235"
#define CEILING     200 /* many times what it takes */
#define CHANGES_MAX 64

static const char *const names[PROCESSES] = {"join-server", "application-server", "network-server",
					     "gateway-bridge"};
static char dir[T_DIR_MAX], run[T_DIR_MAX + 8], config[T_DIR_MAX + 32];
static struct t_process *processes[PROCESSES];
static uint16_t port;
static int gateway = -1;
static char said[100000];

/* --- the receiver -------------------------------------------------------------------------------------------- */

static struct {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned raised, cleared; /* messages about this gateway */
	unsigned silent, north,
		groups; /* alarms raised, in all messages: of any one gateway; of the line "north"; of any group */
	/* Of this gateway's silence: the changes that were told, its id; of messages the alarms under each id. */
	bool told[CHANGES_MAX];
	long long id;
	json_t *bodies;
	unsigned messages, repeats, other_ids, other_bodies;
} receiver = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* How often a kind was raised in one message, which may tell of many alarms. */
static unsigned count_raised(const json_t *message, const char *kind, const char *subject)
{
	size_t i;
	const json_t *alarm;
	unsigned count = 0;
	json_array_foreach(json_object_get(message, "alarms"), i, alarm)
	{
		const char *what = json_string_value(json_object_get(alarm, "what"));
		const char *name = json_string_value(json_object_get(alarm, "kind"));
		const char *of = json_string_value(json_object_get(alarm, "subject"));
		count += what && name && of && strcmp(what, "raised") == 0 && strcmp(name, kind) == 0 &&
			 (!subject || strcmp(of, subject) == 0);
	}
	return count;
}

/* Under one id comes one message, however often; an alarm keeps its id. */
static void note_identity(const json_t *message)
{
	size_t i;
	const json_t *alarm;
	const char *id = json_string_value(json_object_get(message, "id"));
	const json_t *before = id ? json_object_get(receiver.bodies, id) : NULL;
	receiver.messages++;
	receiver.repeats += before != NULL;
	receiver.other_bodies += before && !json_equal(before, message);
	if (id && !before)
		json_object_set_new(receiver.bodies, id, json_deep_copy(message));
	json_array_foreach(json_object_get(message, "alarms"), i, alarm)
	{
		const char *kind = json_string_value(json_object_get(alarm, "kind"));
		const char *subject = json_string_value(json_object_get(alarm, "subject"));
		long long change = json_integer_value(json_object_get(alarm, "change"));
		long long number = json_integer_value(json_object_get(alarm, "id"));
		if (!kind || !subject || strcmp(kind, "silent") != 0 || strcmp(subject, EUI) != 0)
			continue;
		if (change > 0 && change < CHANGES_MAX)
			receiver.told[change] = true;
		receiver.other_ids += receiver.id != 0 && receiver.id != number;
		receiver.id = number;
	}
}

static void note(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n");
	json_t *message = body ? json_loads(body + 4, 0, NULL) : NULL;
	pthread_mutex_lock(&receiver.lock);
	bool own = strstr(text, "\"kind\":\"silent\"") && strstr(text, "\"subject\":\"" EUI "\"");
	receiver.raised += own && strstr(text, "\"what\":\"raised\"");
	receiver.cleared += own && strstr(text, "\"what\":\"cleared\"");
	receiver.silent += count_raised(message, "silent", NULL);
	receiver.north += count_raised(message, "backhaul_silent", "north");
	receiver.groups += count_raised(message, "backhaul_silent", NULL) +
			   count_raised(message, "city_silent", NULL);
	if (message)
		note_identity(message);
	pthread_mutex_unlock(&receiver.lock);
	json_decref(message);
}

static void *receive(void *ctx)
{
	static char text[65536];
	(void)ctx;
	for (int fd; (fd = accept(receiver.listener, NULL, NULL)) >= 0; close(fd)) {
		size_t used = 0, wanted = 1;
		for (ssize_t got; used < wanted && used + 1 < sizeof text; used += (size_t)got) {
			got = read(fd, text + used, sizeof text - 1 - used);
			if (got <= 0)
				break;
			text[used + (size_t)got] = '\0';
			const char *end = strstr(text, "\r\n\r\n"),
				   *length = strstr(text, "Content-Length: ");
			wanted = end ? (size_t)(end + 4 - text) +
						 (length ? (size_t)strtoul(length + 16, NULL, 10) : 0)
				     : used + (size_t)got + 1;
		}
		note(text);
		dprintf(fd, "HTTP/1.1 204 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	}
	return NULL;
}

static void open_receiver(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	receiver.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(receiver.listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(receiver.listener, 16));
	assert_int_equal(0, getsockname(receiver.listener, (struct sockaddr *)&address, &size));
	receiver.port = ntohs(address.sin_port);
	assert_int_equal(0, pthread_create(&receiver.thread, NULL, receive, NULL));
}

/* --- the processes ------------------------------------------------------------------------------------------- */

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

static void begin(size_t i)
{
	char variable[T_DIR_MAX + 64];
	snprintf(variable, sizeof variable, "LAMPPOST_RUN=%s", run);
	processes[i] = t_process_start(&(struct t_process_options){.program = names[i],
								   .arguments = {"-c", config},
								   .variables = {variable},
								   .dir = dir,
								   .name = names[i]});
}

static int start_telling_after(void **state, const char *delay)
{
	char text[700];
	receiver.raised = receiver.cleared = receiver.silent = receiver.north = receiver.groups = 0;
	receiver.messages = receiver.repeats = receiver.other_ids = receiver.other_bodies = 0;
	receiver.id = 0;
	memset(receiver.told, 0, sizeof receiver.told);
	receiver.bodies = json_object();
	open_receiver();
	t_temp_dir(dir);
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	port = t_free_udp_port();
	snprintf(text, sizeof text,
		 "common:\n  gateway_silent: 3s\n  state_dir: \"%s\"\n  run_dir: \"%s\"\ngateway-bridge:\n  "
		 "station_listen: []\n  "
		 "cups_listen: []\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\napplication-server:\n  alarms:\n    channels: {ops: \"webhook "
		 "http://127.0.0.1:%u/\"}\n    delay: %s\n    interval: 0s\n",
		 dir, run, (unsigned)port, (unsigned)receiver.port, delay);
	t_write_file(config, text);
	assert_int_equal(0, lamppost("init"));
	for (size_t i = 0; i < PROCESSES; i++)
		begin(i);
	assert_true(t_wait_until(all_healthy, NULL, T_CEILING));
	gateway = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return t_setup(state);
}

static int start(void **state)
{
	return start_telling_after(state, "4s");
}

static int start_telling_at_once(void **state)
{
	return start_telling_after(state, "0s");
}

static int stop(void **state)
{
	close(gateway);
	for (size_t i = 0; i < PROCESSES; i++)
		t_process_free(processes[i]);
	shutdown(receiver.listener, SHUT_RDWR);
	pthread_join(receiver.thread, NULL);
	close(receiver.listener);
	json_decref(receiver.bodies);
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

/* --- the gateway --------------------------------------------------------------------------------------------- */

static void wait_a_while(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
}

static bool is_online(void *ctx)
{
	(void)ctx;
	say(2, "");
	wait_a_while();
	return lamppost("gateway list --json") == 0 && strstr(said, "\"online\"") != NULL;
}

static unsigned count_of(const unsigned *counter)
{
	pthread_mutex_lock(&receiver.lock);
	unsigned count = *counter;
	pthread_mutex_unlock(&receiver.lock);
	return count;
}

static bool has_called(void *ctx)
{
	(void)ctx;
	wait_a_while();
	return count_of(&receiver.raised) > 0;
}

static bool has_calmed(void *ctx)
{
	(void)ctx;
	say(2, "");
	wait_a_while();
	return count_of(&receiver.cleared) > 0;
}

static void a_silent_gateway_calls_somebody(void **state)
{
	(void)state;
	t_int("added", 0, lamppost("gateway add " EUI " --name Roof --region eu868"));
	t_true("online", t_wait_until(is_online, NULL, CEILING));
	t_row("it goes silent");
	t_true("told", t_wait_until(has_called, NULL, CEILING));
	t_int("listed", 0, lamppost("alarm list --kind silent"));
	t_true("in words", strstr(said, "Roof") != NULL);
	t_row("it comes back");
	t_true("told", t_wait_until(has_calmed, NULL, CEILING));
	t_int("listed", 0, lamppost("alarm list --kind silent"));
	t_true("nothing is open", strstr(said, "No alarm is open") != NULL);
	t_int("raised once", 1, count_of(&receiver.raised));
	t_int("one gateway is no group", 0, count_of(&receiver.groups));
}

/* --- kill -9 -------------------------------------------------------------------------------------------------- */

#define KILLS  15
#define PHASES 2 /* silent, heard; one that comes again is told ten minutes later */

static struct rng rng;
static bool speaks;
static unsigned change_wanted;

static bool application_is_healthy(void *ctx)
{
	char admin[T_DIR_MAX + 64];
	(void)ctx;
	snprintf(admin, sizeof admin, "%s/application-server.admin.sock", run);
	if (speaks)
		say(2, "");
	return t_is_healthy(admin);
}

/* Lets it run for up to a second and a half, and kills it there. */
static void kill_somewhere(void)
{
	for (uint32_t naps = rng_below(&rng, 30); naps > 0; naps--) {
		if (speaks)
			say(2, "");
		(void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	t_process_kill(processes[1]);
	t_process_free(processes[1]);
	begin(1);
	t_true("up again", t_wait_until(application_is_healthy, NULL, T_CEILING));
}

static bool change_was_told(void *ctx)
{
	(void)ctx;
	if (speaks)
		say(2, "");
	wait_a_while();
	pthread_mutex_lock(&receiver.lock);
	bool told = receiver.told[change_wanted];
	pthread_mutex_unlock(&receiver.lock);
	return told;
}

static void no_alarm_is_lost_by_a_kill(void **state)
{
	(void)state;
	rng = rng_seeded(20);
	t_int("added", 0, lamppost("gateway add " EUI " --name Roof --region eu868"));
	t_true("online", t_wait_until(is_online, NULL, CEILING));
	for (unsigned phase = 0, killed = 0; phase < PHASES; phase++) {
		speaks = phase % 2 == 1;
		change_wanted = phase + 1;
		t_row(speaks ? "killed while it comes back" : "killed while it falls silent");
		for (; killed < (phase + 1) * KILLS / PHASES; killed++)
			kill_somewhere();
		t_true("told all the same", t_wait_until(change_was_told, NULL, CEILING));
	}
	t_row("after all that");
	t_true("it is online", t_wait_until(is_online, NULL, CEILING));
	t_int("listed", 0, lamppost("alarm list --kind silent"));
	t_true("nothing is open", strstr(said, "No alarm is open") != NULL);
	t_uint("the alarm had one id", 0, count_of(&receiver.other_ids));
	t_uint("what came twice was the same", 0, count_of(&receiver.other_bodies));
	t_uint("nothing was told out of nothing", 0, receiver.told[PHASES + 1]);
}

/* --- forty of one line --------------------------------------------------------------------------------------- */

#define ON_THE_LINE 40
#define ELSEWHERE   10
#define FIRST       0x40 /* the last byte of the first one's EUI; those on the line come first */

static void speak(uint8_t from, uint8_t until)
{
	for (unsigned i = from; i < until; i++)
		say_as((uint8_t)(FIRST + i), 2, "");
}

static size_t count_online(void)
{
	size_t i, count = 0;
	const json_t *row;
	json_t *list = lamppost("gateway list --json") == 0 ? json_loads(said, 0, NULL) : NULL;
	json_array_foreach(list, i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));
		count += state && strcmp(state, "online") == 0;
	}
	json_decref(list);
	return count;
}

static bool all_are_online(void *ctx)
{
	(void)ctx;
	speak(0, ON_THE_LINE + ELSEWHERE);
	wait_a_while();
	return count_online() == ON_THE_LINE + ELSEWHERE;
}

static bool the_line_was_told(void *ctx)
{
	(void)ctx;
	speak(ON_THE_LINE, ON_THE_LINE + ELSEWHERE);
	wait_a_while();
	return count_of(&receiver.north) > 0;
}

static bool all_of_the_line_are_out(void *ctx)
{
	(void)ctx;
	speak(ON_THE_LINE, ON_THE_LINE + ELSEWHERE);
	wait_a_while();
	return lamppost("alarm list --kind silent --json") == 0 && count_online() == ELSEWHERE;
}

static void forty_of_one_backhaul_are_one_alarm(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ON_THE_LINE + ELSEWHERE; i++) {
		char words[200];
		snprintf(words, sizeof words,
			 "gateway add 0016c001ff10a2%02x --name Mast-%02u --region eu868 --backhaul %s",
			 FIRST + i, i, i < ON_THE_LINE ? "north" : "south");
		assert_int_equal(0, lamppost(words));
	}
	t_true("online", t_wait_until(all_are_online, NULL, CEILING));
	t_row("the line is cut");
	t_true("told", t_wait_until(the_line_was_told, NULL, CEILING));
	t_true("all forty", t_wait_until(all_of_the_line_are_out, NULL, CEILING));
	for (int i = 0; i < 10; i++) /* whatever else would be told has time to come */
		(void)the_line_was_told(NULL);
	t_uint("one alarm of the line", 1, count_of(&receiver.north));
	t_uint("and no other group", 1, count_of(&receiver.groups));
	t_uint("none of a single gateway", 0, count_of(&receiver.silent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a_silent_gateway_calls_somebody", a_silent_gateway_calls_somebody, start, stop, NULL},
		{"no_alarm_is_lost_by_a_kill", no_alarm_is_lost_by_a_kill, start_telling_at_once, stop, NULL},
		{"forty_of_one_backhaul_are_one_alarm", forty_of_one_backhaul_are_one_alarm, start, stop,
		 NULL},
	};
	return t_run(tests);
}
