/* A station whose line is cut without a word, at the real bridge: no packet comes any more, no RST, and it never answered a ping, so that
 * pongs judge nothing. The kernel's TCP_USER_TIMEOUT ends its connection, and the neighbours notice nothing.
 *
 *	this process and the bridge ── veth ── the station's socket          two network namespaces of our own;
 *	         │                                                            its end of the pair is set down
 *	     loopback: the neighbours
 *
 * Skipped where namespaces are not permitted, and said so. */
#include "tests/harness/harness.h"
#include "tests/harness/station_rig.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEIGHBOURS 3
#define CULPRIT    (T_STATION_FIRST + 0x100)
#define OURS       "10.11.12.1"
#define THEIRS     "10.11.12.2"

static struct t_stations at;
static struct t_swarm *swarm;
static struct t_wire *culprit;
static int here = -1, there = -1; /* namespaces */
static const char *refused;       /* why there are none */

/* --- the line --- */

static bool run(const char *command)
{
	return system(command) == 0; /* NOLINT(cert-env33-c) */
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

/* A namespace of our own, as root or in a user namespace where we are root. */
static bool leave_home(void)
{
	char map[64];
	unsigned uid = (unsigned)getuid(), gid = (unsigned)getgid();
	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	snprintf(map, sizeof map, "0 %u 1", uid);
	bool mapped = write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %u 1", gid);
	return mapped && write_text("/proc/self/gid_map", map);
}

/* The other namespace is begun by a child, which names it while it lives; the descriptor keeps it. */
static bool make_line(void)
{
	int told[2], held[2];
	char command[200], path[64], byte;
	assert_int_equal(0, pipe2(told, O_CLOEXEC));
	assert_int_equal(0, pipe2(held, O_CLOEXEC));
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(held[1]);
		if (unshare(CLONE_NEWNET) != 0 || write(told[1], "x", 1) != 1 || read(held[0], &byte, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(told[1]);
	close(held[0]);
	bool made = child > 0 && read(told[0], &byte, 1) == 1;
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)child);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = made ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	snprintf(command, sizeof command,
		 "ip link set lo up && ip link add ours type veth peer name theirs netns %d && "
		 "ip addr add " OURS "/24 dev ours && ip link set ours up",
		 (int)child);
	made = made && here >= 0 && there >= 0 && run(command) && setns(there, CLONE_NEWNET) == 0;
	made = made && run("ip addr add " THEIRS "/24 dev theirs && ip link set theirs up");
	made = here >= 0 && setns(here, CLONE_NEWNET) == 0 && made;
	close(told[0]);
	close(held[1]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return made;
}

static void cut_line(void)
{
	assert_int_equal(0, setns(there, CLONE_NEWNET));
	bool cut = run("ip link set theirs down");
	assert_int_equal(0, setns(here, CLONE_NEWNET));
	t_true("the line is cut", cut);
}

/* --- conditions --- */

static void pump(void)
{
	t_bridge_pump(at.rig);
	t_swarm_pump(swarm, 0);
	if (culprit)
		t_wire_pump(culprit);
}

static bool all_up(void *ctx)
{
	(void)ctx;
	pump();
	return t_swarm_counts(swarm).up == NEIGHBOURS;
}

static bool is_open(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(culprit) >= T_WIRE_OPEN;
}

static bool has_text(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_texts(culprit) > 0;
}

static bool is_pinged(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_pings(culprit) > 0;
}

static bool is_lost(void *ctx)
{
	(void)ctx;
	pump();
	return t_bridge_verdict(at.rig, "station_lost") > 0;
}

static bool has_sent_more(void *ctx)
{
	const uint64_t *wanted = ctx;
	pump();
	return t_swarm_counts(swarm).sent >= *wanted;
}

/* --- the test --- */

static void come_up(void)
{
	const struct t_wire_options options = {.host = OURS, .is_deaf = true};
	assert_int_equal(0, setns(there, CLONE_NEWNET)); /* where its socket is made, it stays */
	culprit = t_stations_dial_with(&at, CULPRIT, true, &options);
	t_wire_pump(culprit);
	assert_int_equal(0, setns(here, CLONE_NEWNET));
	t_true("connects", t_wait_until(is_open, NULL, T_CEILING));
	t_uint("upgraded", 101, t_wire_http_status(culprit));
	t_wire_text(culprit, "{\"msgtype\":\"version\",\"station\":\"2.0.3\",\"firmware\":null,\"package\":"
			     "null,\"model\":\"deaf\",\"protocol\":2,\"features\":\"\"}");
	t_true("router_config", t_wait_until(has_text, NULL, T_CEILING));
	t_true("is pinged, and does not answer", t_wait_until(is_pinged, NULL, T_CEILING));
}

static void a_line_that_is_cut_is_found(void **state)
{
	(void)state;
	if (refused) {
		print_message("skipped: %s\n", refused);
		skip();
	}
	t_stations_open_anywhere(&at, NEIGHBOURS, T_STATION_FIRST, "  station_ping: 1\n");
	t_upstream_add(at.rig->upstream, CULPRIT)->accept = GW_ACCEPT_CERTIFICATE;
	t_upstream_give_list(at.rig->upstream);
	assert_true(t_bridge_has_list(at.rig));
	swarm = t_swarm_new(&(struct t_swarm_options){.count = NEIGHBOURS,
						      .first_eui = T_STATION_FIRST,
						      .port = at.port,
						      .pki = &at.pki,
						      .tls = at.tls,
						      .uplink_every_s = 0.3});
	assert_true(t_wait_until(all_up, NULL, T_CEILING));
	t_row("it answers no ping: it stays while its line is there");
	come_up();
	t_uint("nobody is lost", 0, (uint64_t)t_bridge_verdict(at.rig, "station_lost"));
	t_row("its line is cut without a word");
	cut_line();
	t_true("station_lost", t_wait_until(is_lost, NULL, T_CEILING));
	t_uint("not for its pongs", 0, (uint64_t)t_bridge_verdict(at.rig, "station_no_pong"));
	t_true("no word of the end came", t_wire_state(culprit) == T_WIRE_OPEN);
	t_row("the neighbours");
	uint64_t wanted = t_swarm_counts(swarm).sent + 2 * NEIGHBOURS;
	t_true("go on", t_wait_until(has_sent_more, &wanted, T_CEILING));
	t_uint("sessions that ended", 0, t_swarm_counts(swarm).ends);
	t_uint("are up", NEIGHBOURS, t_swarm_counts(swarm).up);
	t_wire_free(culprit);
	t_swarm_free(swarm);
	t_stations_close(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_line_that_is_cut_is_found)};
	if (!leave_home())
		refused = "network namespaces are not permitted here";
	else if (!make_line())
		refused = "no pair of veth can be made between network namespaces here";
	return t_run(tests);
}
