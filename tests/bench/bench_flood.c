/* How much of a flood one gateway-bridge takes before others lose anything, and what a dropped datagram costs it.
 *
 *	bench_flood [--rates 50000,100000,200000] [--seconds 5] [--kind frames|strangers|malformed]
 *
 * A child process floods at each rate, a slot of a millisecond at a time; meanwhile 20 other gateways send ten uplinks a
 * second each. Printed for each rate: what the flood reached, uplinks of the others that were lost, datagrams that the
 * kernel dropped, the bridge's CPU as a share of one core, and per datagram in its own code and in the
 * kernel, and its memory. Generator, bridge and the
 * reader share the machine's cores: on a small one the generator is what gives out first. */
#include "tests/harness/bridge_rig.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FLOODER UINT64_C(0xbadbadbad0000001)
#define OTHER   UINT64_C(0x0016c00100000000)
#define OTHERS  20
#define EACH_MS 100 /* an uplink of each of the others */
#define BURST   64
#define RATES   8
#define SLOT_NS 1000000
#define FRAME                                                                                       \
	"{\"rxpk\":[{\"tmst\":1,\"freq\":868.3,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\"," \
	"\"codr\":\"4/5\",\"rssi\":-60,\"lsnr\":7,\"size\":4,\"data\":\"QAECAw==\"}]}"

static const struct kind {
	const char *name, *body;
	bool invented; /* an EUI of its own for each */
} kinds[] = {{"frames", FRAME, false},
	     {"strangers", FRAME, true},
	     {"malformed", "{\"rxpk\":[{\"tmst\":1,", false}};

static void sleep_until(int64_t ns)
{
	struct timespec at = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* --- the child */

static size_t write_flood(uint8_t *bytes, const struct kind *kind, uint64_t number)
{
	const struct lw_eui64 eui = lw_eui64_from_number(
		kind->invented ? UINT64_C(0xdead000000000000) + number * UINT64_C(2654435761) : FLOODER);
	size_t body = strlen(kind->body);
	const uint8_t head[4] = {2, (uint8_t)(number >> 8), (uint8_t)number, 0};
	memcpy(bytes, head, 4);
	memcpy(bytes + 4, eui.bytes, 8);
	memcpy(bytes + 12, kind->body, body);
	return 12 + body;
}

static void flood(int fd, const struct kind *kind, unsigned rate)
{
	static uint8_t bytes[BURST][512];
	struct mmsghdr messages[BURST];
	struct iovec parts[BURST];
	uint64_t number = 0;
	int64_t slot = (int64_t)(t_seconds() * 1e9);
	for (uint64_t due = 0;; slot += SLOT_NS) {
		for (due += rate / 1000; number < due;) {
			unsigned count = due - number < BURST ? (unsigned)(due - number) : BURST;
			for (unsigned i = 0; i < count; i++) {
				parts[i].iov_base = bytes[i];
				parts[i].iov_len = write_flood(bytes[i], kind, number + i);
				messages[i] = (struct mmsghdr){
					.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
			}
			int sent = sendmmsg(fd, messages, count, 0);
			number += sent > 0 ? (unsigned)sent : 1;
			while (recv(fd, bytes[0], sizeof bytes[0], MSG_DONTWAIT) > 0)
				;
		}
		sleep_until(slot);
	}
}

/* --- measuring */

struct usage {
	double user_s, kernel_s, seconds, received, drops;
};

static struct usage usage_of(const struct t_bridge *rig)
{
	char path[64], text[1024], metric[128];
	struct usage usage = {.seconds = t_seconds()};
	snprintf(path, sizeof path, "/proc/%d/stat", t_process_pid(rig->process));
	FILE *file = fopen(path, "re");
	ASSERT(file != NULL && fgets(text, sizeof text, file) != NULL);
	fclose(file);
	unsigned long user = 0, kernel = 0;
	const char *at = strrchr(text, ')');
	ASSERT(at &&
	       sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) == 2);
	usage.user_s = (double)user / (double)sysconf(_SC_CLK_TCK);
	usage.kernel_s = (double)kernel / (double)sysconf(_SC_CLK_TCK);
	usage.received = t_metric(rig->admin, "lamppost_bridge_datagrams_total");
	snprintf(metric, sizeof metric, "lamppost_bridge_udp_kernel_drops_total{socket=\"127.0.0.1:%u\"}",
		 rig->port);
	usage.drops = t_metric(rig->admin, metric);
	return usage;
}

static unsigned long memory_kib(const struct t_bridge *rig)
{
	char path[64], line[256];
	unsigned long kib = 0;
	snprintf(path, sizeof path, "/proc/%d/status", t_process_pid(rig->process));
	FILE *file = fopen(path, "re");
	ASSERT(file != NULL);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "VmRSS: %lu", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

static uint64_t came;

static void on_uplink(void *ctx, const struct gw_uplink *uplink)
{
	(void)ctx;
	uint64_t index = lw_eui64_number(&uplink->gateway) - OTHER;
	came += index < OTHERS;
}

struct others {
	struct t_bridge *rig;
	struct t_gateway *gateways[OTHERS];
	uint64_t sent;
};

static void send_for(struct others *others, double seconds)
{
	int64_t slot = (int64_t)(t_seconds() * 1e9), end = slot + (int64_t)(seconds * 1e9);
	unsigned step = EACH_MS * 1000000 / OTHERS;
	for (unsigned turn = 0; slot < end; turn++, slot += step) {
		struct t_gateway *gateway = others->gateways[turn % OTHERS];
		t_gateway_push(gateway, turn);
		if (turn / OTHERS % 50 == 0)
			t_gateway_pull(gateway);
		others->sent++;
		t_bridge_pump(others->rig);
		sleep_until(slot + step);
	}
}

static bool all_came(void *ctx)
{
	struct others *others = ctx;
	t_bridge_pump(others->rig);
	return came >= others->sent;
}

static void measure(const struct kind *kind, unsigned rate, double seconds)
{
	struct others others = {.rig = t_bridge_start(true, "")};
	struct t_bridge *rig = others.rig;
	t_upstream_add(rig->upstream, FLOODER);
	for (unsigned i = 0; i < OTHERS; i++)
		t_upstream_add(rig->upstream, OTHER + i);
	rig->upstream->on_uplink = on_uplink;
	t_true("list", t_bridge_has_list(rig));
	for (unsigned i = 0; i < OTHERS; i++)
		others.gateways[i] = t_bridge_gateway(rig, OTHER + i, 2, "127.0.0.2");
	struct t_gateway *flooder = t_bridge_gateway(rig, FLOODER, 2, "127.66.0.1");
	came = 0;
	pid_t child = fork();
	ASSERT(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		flood(flooder->up, kind, rate);
	}
	send_for(&others, 0.5);
	struct usage before = usage_of(rig);
	send_for(&others, seconds);
	struct usage after = usage_of(rig);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	t_wait_until(all_came, &others, 2);
	double wall = after.seconds - before.seconds;
	double user = after.user_s - before.user_s, kernel = after.kernel_s - before.kernel_s;
	double received = after.received - before.received, drops = after.drops - before.drops;
	printf("%-10s %9u %11.0f %9" PRIu64 " %9" PRIu64 " %11.0f %8.0f %% %10.2f %10.2f %9lu\n", kind->name,
	       rate, (received + drops) / wall, others.sent, others.sent - came, drops,
	       100 * (user + kernel) / wall, 1e6 * user / received, 1e6 * kernel / received, memory_kib(rig));
	fflush(stdout);
	t_bridge_stop(rig);
}

static int usage_error(void)
{
	fprintf(stderr, "bench_flood: usage: bench_flood [--rates N,N...] [--seconds N] [--kind "
			"frames|strangers|malformed]\n");
	return 2;
}

int main(int argc, char **argv)
{
	unsigned rates[RATES] = {20000, 50000, 100000, 200000}, count = 4;
	double seconds = 5;
	const struct kind *only = NULL;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage_error();
		if (strcmp(argv[i], "--seconds") == 0) {
			seconds = strtod(argv[i + 1], NULL);
		} else if (strcmp(argv[i], "--rates") == 0) {
			char *at = argv[i + 1];
			for (count = 0; count < RATES && *at; at += *at == ',')
				rates[count++] = (unsigned)strtoul(at, &at, 10);
		} else if (strcmp(argv[i], "--kind") == 0) {
			for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
				if (strcmp(argv[i + 1], kinds[k].name) == 0)
					only = &kinds[k];
			if (only == NULL)
				return usage_error();
		} else {
			return usage_error();
		}
	}
	printf("%-10s %9s %11s %9s %9s %11s %10s %10s %10s %9s\n", "flood of", "asked/s", "reached/s",
	       "others'", "lost", "kernel lost", "CPU", "user us", "kernel us", "RSS KiB");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (unsigned i = 0; i < count && (only == NULL || only == &kinds[k]); i++)
			measure(&kinds[k], rates[i], seconds);
	return 0;
}
