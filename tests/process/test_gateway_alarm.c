/* A gateway that goes silent calls somebody, and its return is told: bridge, network server, application server and a receiver of
 * webhooks, over real sockets. What is silent
 * is so after 3 seconds here, by the configuration. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4
#define EUI       "0016c001ff10a235"
#define CEILING   200 /* many times what it takes */

static const char *const names[PROCESSES] = {"join-server", "application-server", "network-server",
					     "gateway-bridge"};
static char dir[T_DIR_MAX], run[T_DIR_MAX + 8], config[T_DIR_MAX + 32];
static struct t_process *processes[PROCESSES];
static uint16_t port;
static int gateway = -1;
static char said[20000];

/* --- the receiver -------------------------------------------------------------------------------------------- */

static struct {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned raised, cleared, others; /* messages about this gateway; about anything else of gateways */
} receiver = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(const char *body)
{
	pthread_mutex_lock(&receiver.lock);
	bool own = strstr(body, "\"kind\":\"silent\"") && strstr(body, "\"subject\":\"" EUI "\"");
	receiver.raised += own && strstr(body, "\"what\":\"raised\"");
	receiver.cleared += own && strstr(body, "\"what\":\"cleared\"");
	receiver.others += strstr(body, "\"kind\":\"backhaul_silent\"") ||
			   strstr(body, "\"kind\":\"city_silent\"");
	pthread_mutex_unlock(&receiver.lock);
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

static int start(void **state)
{
	char text[600], variable[T_DIR_MAX + 64];
	open_receiver();
	t_temp_dir(dir);
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(variable, sizeof variable, "LAMPPOST_RUN=%s", run);
	port = t_free_udp_port();
	snprintf(text, sizeof text,
		 "common:\n  gateway_silent: 3s\n  state_dir: \"%s\"\n  run_dir: \"%s\"\ngateway-bridge:\n  "
		 "station_listen: []\n  "
		 "cups_listen: []\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\napplication-server:\n  alarms:\n    channels: {ops: \"webhook "
		 "http://127.0.0.1:%u/\"}\n    delay: 0s\n    interval: 0s\n",
		 dir, run, (unsigned)port, (unsigned)receiver.port);
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
	shutdown(receiver.listener, SHUT_RDWR);
	pthread_join(receiver.thread, NULL);
	close(receiver.listener);
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
	t_int("one gateway is no group", 0, count_of(&receiver.others));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a_silent_gateway_calls_somebody", a_silent_gateway_calls_somebody, start, stop, NULL},
	};
	return t_run(tests);
}
