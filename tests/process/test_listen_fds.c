/* A gateway bridge that is killed under `lamppost up`: its port stays open, and what gateways sent meanwhile is answered by the next
 * one. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SENT_MAX 20000

static char dir[T_DIR_MAX];
static struct t_process *up;

struct gateway {
	int fd;
	unsigned sent, refused;
	struct {
		uint16_t port;
		unsigned dialled, refused;
	} tcp[2]; /* of stations, of CUPS */
	unsigned answered;
	bool acknowledged[SENT_MAX];
	int old_pid;
};

static bool all_healthy(void *ctx)
{
	static const char *const names[] = {"gateway-bridge", "network-server", "application-server",
					    "join-server"};
	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char admin[T_DIR_MAX + 64];
		snprintf(admin, sizeof admin, "%s/run/%s.admin.sock", dir, names[i]);
		if (!t_is_healthy(admin))
			return false;
	}
	return true;
}

/* The bridge's pid, as `lamppost up` said when it started it last; 0: it did not. */
static int bridge_pid(void)
{
	static char log[65536];
	int pid = 0;
	t_process_log(up, log, sizeof log);
	for (const char *at = log; (at = strstr(at, "gateway-bridge")); at++) {
		const char *number = strstr(at, "pid "), *line = strchr(at, '\n');
		if (number && line && number < line)
			pid = (int)strtol(number + 4, NULL, 10);
	}
	return pid;
}

/* A PULL_DATA of a gateway nobody knows, which the bridge acknowledges. Its token is its number. */
static void pull(struct gateway *gateway)
{
	assert_true(gateway->sent < SENT_MAX);
	uint8_t datagram[12] = {2,
				(uint8_t)(gateway->sent >> 8),
				(uint8_t)gateway->sent,
				2,
				0,
				0x16,
				0xc0,
				1,
				0xff,
				0x10,
				0xa2,
				0x35};
	ssize_t count = send(gateway->fd, datagram, sizeof datagram, 0);
	gateway->refused += count < 0 && errno == ECONNREFUSED;
	gateway->sent++;
}

static void hear(struct gateway *gateway)
{
	uint8_t answer[64];
	ssize_t count;
	while ((count = recv(gateway->fd, answer, sizeof answer, MSG_DONTWAIT)) != 0) {
		if (count < 0 && errno == ECONNREFUSED)
			gateway->refused++;
		if (count < 0 && errno != ECONNREFUSED)
			return;
		unsigned token = count == 4 ? (unsigned)(answer[1] << 8 | answer[2]) : SENT_MAX;
		if (token >= SENT_MAX || gateway->acknowledged[token])
			continue;
		gateway->acknowledged[token] = true;
		gateway->answered++;
	}
}

/* A station that connects: nobody has to answer yet, but it is not turned away. */
static void dial(struct gateway *gateway)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateway->tcp); i++) {
		struct sockaddr_in to = {.sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					 .sin_port = htons(gateway->tcp[i].port)};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		gateway->tcp[i].dialled++;
		gateway->tcp[i].refused += connect(fd, (struct sockaddr *)&to, sizeof to) != 0;
		close(fd);
	}
}

/* Goes on sending until another bridge is well; 20 ms apart, far below the limit of a source. */
static bool another_is_well(void *ctx)
{
	struct gateway *gateway = ctx;
	pull(gateway);
	hear(gateway);
	dial(gateway);
	usleep(20000);
	int pid = bridge_pid();
	return pid != 0 && pid != gateway->old_pid && all_healthy(NULL);
}

static bool all_answered(void *ctx)
{
	struct gateway *gateway = ctx;
	hear(gateway);
	return gateway->answered == gateway->sent;
}

static void a_restart_of_the_bridge_loses_no_datagram(void **state)
{
	(void)state;
	uint16_t port = t_free_udp_port();
	char config[T_DIR_MAX + 32];
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", dir}, .dir = dir, .name = "init"});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	FILE *file = fopen(config, "a");
	assert_non_null(file);
	uint16_t stations = t_free_tcp_port(), cups = t_free_tcp_port();
	fprintf(file,
		"gateway-bridge:\n  udp_listen: [\"127.0.0.1:%u\"]\n  station_listen: [\"127.0.0.1:%u\"]\n"
		"  cups_listen: [\"127.0.0.1:%u\"]\n",
		port, stations, cups);
	fclose(file);
	up = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"up", "--state", dir}, .dir = dir, .name = "up"});
	assert_true(t_wait_until(all_healthy, NULL, T_CEILING));
	struct gateway *gateway = calloc(1, sizeof *gateway);
	assert_non_null(gateway);
	gateway->tcp[0].port = stations;
	gateway->tcp[1].port = cups;
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
	gateway->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, connect(gateway->fd, (struct sockaddr *)&to, sizeof to));
	for (int round = 0; round < 2; round++) {
		t_row(round ? "asked to stop" : "killed");
		gateway->old_pid = bridge_pid();
		assert_int_not_equal(0, gateway->old_pid);
		/* What was in the killed one's hands is lost with it; so nothing is, when it dies. */
		assert_true(t_wait_until(all_answered, gateway, T_CEILING));
		kill(gateway->old_pid, round ? SIGTERM : SIGKILL);
		while (kill(gateway->old_pid, 0) == 0)
			usleep(1000);
		t_true("another one stands there", t_wait_until(another_is_well, gateway, T_CEILING));
		t_true("every datagram is answered", t_wait_until(all_answered, gateway, T_CEILING));
		t_uint("none was refused", 0, gateway->refused);
		t_uint("nor a station", 0, gateway->tcp[0].refused);
		t_uint("nor one that asks for updates", 0, gateway->tcp[1].refused);
		t_true("some came while nobody listened", gateway->sent > 0);
	}
	t_int("exit code", 0, t_process_stop(up));
	t_row("once all has ended the port is closed");
	pull(gateway);
	usleep(1000);
	hear(gateway);
	t_true("refused", gateway->refused > 0);
	close(gateway->fd);
	free(gateway);
}

static int open_dir(void **state)
{
	t_temp_dir(dir);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_restart_of_the_bridge_loses_no_datagram, open_dir,
						close_dir),
	};
	return t_run(tests);
}
