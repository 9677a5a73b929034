/* Uplinks per second through the whole path: load generator ─UDP─▶ gateway-bridge ─▶ network-server ─▶ application-server ─▶ Mosquitto ─▶
 * subscriber. Real processes on a state of their own, devices imported through the public command line. What counts is what the
 * subscriber received, once, with the bytes that the generator enciphered.
 *
 * For each rate: `runs` runs; then a table and bench.json (DESIGN 11). Beside each rate stand where uplinks were lost, latency beyond the
 * deduplication window, CPU by process and how long the disk takes to flush 4 KiB: figures without the disk say nothing about another
 * machine. Latency counts from the moment an uplink was due, so that a generator that is late is not hidden; the generator works in steps
 * of 1 ms. Broker, generator and subscriber run on the same machine and are part of the load.
 *
 * --qos is that of delivery and of the subscriber.
 *
 * The generator's devices answer no MAC command. The network server asks each to settle on its channels, tries so many times and leaves it;
 * that is spent before anything is measured (WARM_ROUNDS). One uplink in a hundred is confirmed (--confirmed), so that its answer is
 * part of the path: the share of answers that left 500 ms or more before RX1 stands under each rate, at RxDelay 1 s.
 *
 * Refused: a store whose PRAGMA synchronous is not FULL, a state directory in memory, a sanitized build. */
#include "common/base/check.h"
#include "tests/harness/load_subscriber.h"
#include "tests/harness/network.h"

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define RATES_MAX     16
#define RUNS_MAX      9
#define TMPFS         0x01021994
#define DEDUP_US      200000 /* network-server.dedup_window_ms by default */
#define GATEWAY_FIRST UINT64_C(0x4c50475700000000)
#define QUIET_S       3.0 /* nothing new for so long: what is missing is lost */
#define WARM_ROUNDS   10  /* uplinks of each device before the first run: more than a request is tried */
#define WARM_RATE     3000
#define KEPT_UP       0.97 /* of the offered rate has to be delivered while it is offered */
#define OTHERS_MAX    0.1
#define FLUSHES       200
#define PROCESSES     6
#define METRICS_ROOM  (1 << 17)

struct bench {
	unsigned devices, gateways, runs, seconds;
	int qos;
	double rates[RATES_MAX];
	size_t rate_count;
	unsigned warm_rounds, in_flight;
	double confirmed; /* percent of the uplinks */
	const char *json_file;
	struct t_network *network;
	struct t_load_subscriber *subscriber;
	uint32_t next_fcnt;
};

/* The processes of a run, in the order of the path. */
enum part { GENERATOR, BRIDGE, NETWORK, APPLICATION, BROKER, SUBSCRIBER };

struct result {
	double offered,
		achieved; /* uplinks/s; achieved: received over the time from first due to last arrival */
	size_t sent, received, repeats, wrong;
	double lag_ms;
	bool generator_late;
	double cpu_us[PROCESSES]; /* per uplink sent */
	double p50_ms, p99_ms, p999_ms, max_ms;
	double flush_ms, flush_p99_ms;
	double others; /* part of the machine that went to other programs and to kernel workers */
	double pss_mb[PROCESSES];
	double answers, answers_early; /* of class A; early: 500 ms or more before RX1, percent */
	/* Where they were lost. */
	double udp_drops, bridge_drops, network_drops, network_uplinks, application_uplinks, acknowledged,
		backlog;
	char reasons[256];
};

/* --- numbers ------------------------------------------------------------------------------------------------- */

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double part)
{
	return count ? sorted[(size_t)((double)(count - 1) * part)] : 0;
}

static double cpu_s(int pid)
{
	clockid_t clock;
	struct timespec time = {0};
	if (pid > 0 && clock_getcpuclockid(pid, &clock) == 0)
		clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double children_s(void)
{
	struct rusage usage;
	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double pss_mb(int pid)
{
	char path[64], line[128];
	long kib = 0;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Pss: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return (double)kib / 1024;
}

/* Median and p99 of overwriting 4 KiB and fdatasync(), in the state directory. */
static void measure_flush(const struct bench *bench, struct result *result)
{
	char path[T_PATH_MAX], block[4096] = {0};
	double times[FLUSHES] = {0};
	snprintf(path, sizeof path, "%s/flush", t_network_dir(bench->network));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT(fd >= 0);
	for (int i = -1; i < FLUSHES; i++) {
		double start = t_seconds();
		ASSERT(pwrite(fd, block, sizeof block, 0) == sizeof block && fdatasync(fd) == 0);
		if (i >= 0)
			times[i] = (t_seconds() - start) * 1e3;
	}
	close(fd);
	unlink(path);
	qsort(times, FLUSHES, sizeof *times, by_double);
	result->flush_ms = quantile(times, FLUSHES, 0.5);
	result->flush_p99_ms = quantile(times, FLUSHES, 0.99);
}

/* --- metrics ------------------------------------------------------------------------------------------------- */

struct metrics {
	char text[T_ROLE_COUNT][METRICS_ROOM];
};

static void read_metrics(const struct bench *bench, struct metrics *metrics)
{
	for (unsigned role = 0; role < T_ROLE_COUNT; role++)
		if (t_unix_get(t_network_admin(bench->network, (enum t_role)role), "/metrics",
			       metrics->text[role], METRICS_ROOM) != 200)
			metrics->text[role][0] = '\0';
}

/* A sample, or the sum of all with labels when `name` ends with '{'. */
static double sample(const struct metrics *metrics, enum t_role role, const char *name)
{
	double sum = 0;
	size_t length = strlen(name);
	for (const char *line = metrics->text[role]; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		const char *space = strchr(line, ' ');
		if (space && strncmp(line, name, length) == 0 &&
		    (line[length] == ' ' || (length && name[length - 1] == '{')))
			sum += strtod(space, NULL);
	}
	return sum;
}

static double grew(const struct metrics *before, const struct metrics *after, enum t_role role,
		   const char *name)
{
	return sample(after, role, name) - sample(before, role, name);
}

/* Names every drop verdict that grew. */
static void note_reasons(const struct metrics *before, const struct metrics *after, enum t_role role,
			 const char *family, char *text, size_t capacity)
{
	size_t length = strlen(family);
	for (const char *line = after->text[role]; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		const char *end = strchr(line, ' ');
		char name[128];
		if (!end || strncmp(line, family, length) != 0 || line[length] != '{')
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(end - line), line);
		double growth = grew(before, after, role, name);
		const char *label = strchr(name, '"');
		size_t used = strlen(text);
		if (growth > 0 && label && used < capacity)
			snprintf(text + used, capacity - used, "%s%.*s %.0f", used ? ", " : "",
				 (int)strcspn(label + 1, "\""), label + 1, growth);
	}
}

static void refuse_unless_durable(const struct bench *bench)
{
	static const struct {
		enum t_role role;
		const char *name;
	} stores[] = {{T_JOIN_SERVER, "lamppost_join_store_synchronous"},
		      {T_NETWORK_SERVER, "lamppost_network_store_synchronous"},
		      {T_APPLICATION_SERVER, "lamppost_application_store_synchronous"}};
	for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
		double value = t_metric(t_network_admin(bench->network, stores[i].role), stores[i].name);
		if (value != 2) {
			fprintf(stderr,
				"bench: refused: %s is %g, not 2 (FULL): that would measure another "
				"product\n",
				stores[i].name, value);
			exit(1);
		}
	}
}

/* --- set-up -------------------------------------------------------------------------------------------------- */

static void finished(struct t_process *process, double ceiling, const char *what)
{
	double end = t_seconds() + ceiling;
	while (t_process_running(process) && t_seconds() < end)
		usleep(5000);
	char log[4000];
	int code = t_process_running(process) ? -1 : t_process_wait(process);
	if (code != 0) {
		fprintf(stderr, "bench: %s: exit %d\n%s\n", what, code,
			t_process_log(process, log, sizeof log));
		exit(1);
	}
	t_process_free(process);
}

static struct t_process *start(const struct bench *bench, const char *program, const char *name,
			       const char *const *words)
{
	char config[T_PATH_MAX], run_dir[T_PATH_MAX], pins[T_PATH_MAX];
	const char *dir = t_network_dir(bench->network);
	struct t_process_options options = {
		.program = program, .dir = dir, .name = name, .variables = {config, run_dir, pins}};
	for (size_t i = 0; words[i]; i++)
		options.arguments[i] = words[i];
	snprintf(config, sizeof config, "LAMPPOST_CONFIG=%s/lamppost.yaml", dir);
	snprintf(run_dir, sizeof run_dir, "LAMPPOST_RUN=%s/run", dir);
	snprintf(pins, sizeof pins, "XDG_CONFIG_HOME=%s/config", dir);
	return t_process_start(&options);
}

static void add_gateways(const struct bench *bench)
{
	char socket_path[T_PATH_MAX], body[512], answer[4096];
	snprintf(socket_path, sizeof socket_path, "%s/run/city.sock", t_network_dir(bench->network));
	for (unsigned i = 0; i < bench->gateways; i++) {
		snprintf(body, sizeof body,
			 "{\"eui\":\"%016" PRIx64 "\",\"name\":\"load-%u\",\"region\":\"us915\","
			 "\"channel_plan\":\"0-71\"}",
			 GATEWAY_FIRST + i, i);
		int code = t_unix_post(socket_path, "/api/v1/gateways", body, answer, sizeof answer);
		if (code != 201) {
			fprintf(stderr, "bench: gateway %u: %d %s\n", i, code, answer);
			exit(1);
		}
	}
}

static bool has_all(void *ctx)
{
	const struct bench *bench = ctx;
	const char *admin = t_network_admin(bench->network, T_NETWORK_SERVER);
	return t_metric(admin, "lamppost_network_sessions") >= bench->devices &&
	       t_metric(admin, "lamppost_network_gateways") >= bench->gateways &&
	       t_metric(t_network_admin(bench->network, T_GATEWAY_BRIDGE),
			"lamppost_bridge_gateways{state=\"known\"}") >= bench->gateways;
}

static void register_all(struct bench *bench)
{
	char devices[16], csv[T_PATH_MAX];
	double begun = t_seconds();
	snprintf(devices, sizeof devices, "%u", bench->devices);
	snprintf(csv, sizeof csv, "%s/load.csv", t_network_dir(bench->network));
	t_cli_must(bench->network, 0, "agency", "add", "--slug", "load", "--name", "Load");
	t_cli_must(bench->network, 0, "application", "add", "--slug", "load", "--name", "Load", "--agency",
		   "load");
	t_cli_must(bench->network, 0, "profile", "add", "--slug", "load", "--name", "Load", "--region",
		   "us915", "--mac-version", "1.0.3");
	add_gateways(bench);
	finished(start(bench, "lamppost-sim", "sessions",
		       (const char *const[]){"sessions", "--devices", devices, "--csv", csv, NULL}),
		 120, "lamppost-sim sessions");
	double import = t_seconds();
	finished(start(bench, "lamppost", "import", (const char *const[]){"device", "import", csv, NULL}),
		 1200, "lamppost device import");
	double imported = t_seconds();
	if (!t_wait_until(has_all, bench, 600)) {
		fprintf(stderr, "bench: the network server does not have all devices and gateways\n");
		exit(1);
	}
	printf("registered %u devices and %u gateways in %.1f s: import %.1f s, in use %.1f s after it\n",
	       bench->devices, bench->gateways, t_seconds() - begun, imported - import,
	       t_seconds() - imported);
}

/* --- one run ------------------------------------------------------------------------------------------------- */

/* The broker is the bench's own child of that name. */
static int broker_pid(void)
{
	char path[300], line[256];
	int found = 0;
	DIR *proc = opendir("/proc");
	ASSERT(proc);
	for (struct dirent *entry; !found && (entry = readdir(proc));) {
		int pid = (int)strtol(entry->d_name, NULL, 10), parent = 0;
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		FILE *file = pid > 0 ? fopen(path, "r") : NULL;
		if (file && fgets(line, sizeof line, file) && strstr(line, "(mosquitto)") &&
		    sscanf(strrchr(line, ')') + 1, " %*c %d", &parent) == 1 && parent == getpid())
			found = pid;
		if (file)
			fclose(file);
	}
	closedir(proc);
	return found;
}

struct cpu {
	double s[PROCESSES];
	double busy_s, all_s; /* of the machine */
};

/* Ticks of all cores: user, nice, system, idle, iowait, irq, softirq, steal. */
static void read_machine(struct cpu *cpu)
{
	double ticks[8] = {0}, hz = (double)sysconf(_SC_CLK_TCK);
	FILE *file = fopen("/proc/stat", "r");
	int read = file ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
				 &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7])
			: 0;
	ASSERT(read == 8);
	fclose(file);
	for (int i = 0; i < 8; i++)
		cpu->all_s += ticks[i] / hz;
	cpu->busy_s = cpu->all_s - (ticks[3] + ticks[4]) / hz;
}

static struct cpu read_cpu(const struct bench *bench, const int pids[PROCESSES])
{
	struct cpu cpu = {0};
	read_machine(&cpu);
	for (int i = 0; i < PROCESSES; i++)
		cpu.s[i] = cpu_s(pids[i]);
	cpu.s[GENERATOR] = children_s();
	cpu.s[SUBSCRIBER] = t_load_cpu_s(bench->subscriber);
	return cpu;
}

static void find_processes(const struct bench *bench, int pids[PROCESSES])
{
	pids[GENERATOR] = pids[SUBSCRIBER] = 0;
	pids[BRIDGE] = t_network_pid(bench->network, T_GATEWAY_BRIDGE);
	pids[NETWORK] = t_network_pid(bench->network, T_NETWORK_SERVER);
	pids[APPLICATION] = t_network_pid(bench->network, T_APPLICATION_SERVER);
	pids[BROKER] = broker_pid();
}

/* Until all are there, or nothing has come for a while. */
static void wait_for_rest(const struct bench *bench, size_t expected)
{
	size_t seen = 0;
	double quiet = t_seconds();
	while (seen < expected && t_seconds() - quiet < QUIET_S) {
		size_t received = t_load_counts(bench->subscriber).received;
		if (received != seen)
			quiet = t_seconds();
		seen = received;
		usleep(20000);
	}
}

static json_t *generate(const struct bench *bench, double rate, double length_s)
{
	char bridge[32], devices[16], gateways[16], rate_text[32], seconds[32], fcnt[16], report[T_PATH_MAX];
	char confirmed[32];
	snprintf(bridge, sizeof bridge, "127.0.0.1:%u", t_network_port(bench->network));
	snprintf(devices, sizeof devices, "%u", bench->devices);
	snprintf(gateways, sizeof gateways, "%u", bench->gateways);
	snprintf(rate_text, sizeof rate_text, "%g", rate);
	snprintf(seconds, sizeof seconds, "%g", length_s);
	snprintf(confirmed, sizeof confirmed, "%g", bench->confirmed);
	snprintf(fcnt, sizeof fcnt, "%" PRIu32, bench->next_fcnt);
	snprintf(report, sizeof report, "%s/generator.json", t_network_dir(bench->network));
	finished(start(bench, "lamppost-sim", "generator",
		       (const char *const[]){"load", "--bridge", bridge, "--devices", devices, "--gateways",
					     gateways, "--rate", rate_text, "--seconds", seconds,
					     "--confirmed", confirmed, "--first-fcnt", fcnt, "--report",
					     report, NULL}),
		 length_s * 3 + 30, "lamppost-sim load");
	json_t *root = json_load_file(report, 0, NULL);
	ASSERT(root);
	return root;
}

static void judge_latency(const struct bench *bench, struct result *result, int64_t started_us,
			  size_t expected)
{
	double *times = calloc(expected, sizeof *times);
	size_t count = 0;
	int64_t last_us = started_us;
	ASSERT(times);
	for (size_t k = 0; k < expected; k++) {
		int64_t arrival_us = t_load_arrival_us(bench->subscriber, k);
		if (arrival_us == 0)
			continue;
		last_us = arrival_us > last_us ? arrival_us : last_us;
		times[count++] = ((double)(arrival_us - started_us - DEDUP_US) -
				  (double)k * 1e6 / result->offered) /
				 1e3;
	}
	qsort(times, count, sizeof *times, by_double);
	result->p50_ms = quantile(times, count, 0.5);
	result->p99_ms = quantile(times, count, 0.99);
	result->p999_ms = quantile(times, count, 0.999);
	result->max_ms = quantile(times, count, 1);
	result->achieved = last_us > started_us + DEDUP_US
				   ? (double)count * 1e6 / (double)(last_us - started_us - DEDUP_US)
				   : 0;
	free(times);
}

static void judge_losses(struct result *result, const struct metrics *before, const struct metrics *after)
{
	result->udp_drops = grew(before, after, T_GATEWAY_BRIDGE, "lamppost_bridge_udp_kernel_drops_total");
	result->bridge_drops = grew(before, after, T_GATEWAY_BRIDGE, "lamppost_bridge_verdicts_total{");
	result->network_drops = grew(before, after, T_NETWORK_SERVER, "lamppost_network_drops_total{");
	result->answers = grew(before, after, T_NETWORK_SERVER, "lamppost_network_answers_total");
	double early = grew(before, after, T_NETWORK_SERVER, "lamppost_network_answers_early_total");
	result->answers_early = result->answers > 0 ? early * 100 / result->answers : 0;
	result->network_uplinks = grew(before, after, T_NETWORK_SERVER, "lamppost_network_uplinks_total");
	result->application_uplinks = grew(before, after, T_APPLICATION_SERVER,
					   "lamppost_application_uplinks_total");
	result->acknowledged = grew(before, after, T_APPLICATION_SERVER,
				    "lamppost_application_mqtt_acknowledged_total");
	result->backlog = sample(after, T_APPLICATION_SERVER, "lamppost_application_mqtt_backlog");
	note_reasons(before, after, T_GATEWAY_BRIDGE, "lamppost_bridge_verdicts_total", result->reasons,
		     sizeof result->reasons);
	note_reasons(before, after, T_NETWORK_SERVER, "lamppost_network_drops_total", result->reasons,
		     sizeof result->reasons);
}

static void warm_up(struct bench *bench)
{
	size_t expected = (size_t)bench->warm_rounds * bench->devices;
	if (expected == 0)
		return;
	t_load_expect(bench->subscriber, &(struct t_load_span){.devices = bench->devices, .count = expected});
	json_decref(generate(bench, WARM_RATE, (double)expected / WARM_RATE));
	wait_for_rest(bench, expected);
	bench->next_fcnt = bench->warm_rounds;
}

static struct result run(struct bench *bench, double rate)
{
	static struct metrics before, after;
	struct result result = {.offered = rate};
	size_t expected = (size_t)(rate * bench->seconds + 0.5);
	int pids[PROCESSES];
	refuse_unless_durable(bench);
	find_processes(bench, pids);
	measure_flush(bench, &result);
	t_load_expect(bench->subscriber, &(struct t_load_span){.devices = bench->devices,
							       .first_fcnt = bench->next_fcnt,
							       .count = expected});
	read_metrics(bench, &before);
	struct cpu cpu = read_cpu(bench, pids);
	json_t *report = generate(bench, rate, bench->seconds);
	wait_for_rest(bench, expected);
	struct cpu end = read_cpu(bench, pids);
	read_metrics(bench, &after);
	struct t_load_counts counts = t_load_counts(bench->subscriber);
	result.sent = (size_t)json_integer_value(json_object_get(report, "uplinks"));
	result.received = counts.received;
	result.repeats = counts.repeats;
	result.wrong = counts.wrong;
	result.lag_ms = json_real_value(json_object_get(report, "max_lag_ms"));
	result.generator_late = json_is_true(json_object_get(report, "generator_was_bottleneck"));
	for (int i = 0; i < PROCESSES; i++) {
		result.cpu_us[i] = (end.s[i] - cpu.s[i]) * 1e6 / (double)result.sent;
		result.pss_mb[i] = pids[i] ? pss_mb(pids[i]) : 0;
	}
	double ours = 0;
	for (int i = 0; i < PROCESSES; i++)
		ours += end.s[i] - cpu.s[i];
	result.others = (end.busy_s - cpu.busy_s - ours) / (end.all_s - cpu.all_s);
	judge_latency(bench, &result, json_integer_value(json_object_get(report, "started_us")), expected);
	judge_losses(&result, &before, &after);
	json_decref(report);
	bench->next_fcnt += (uint32_t)((expected + bench->devices - 1) / bench->devices);
	return result;
}

/* --- what it says -------------------------------------------------------------------------------------------- */

/* Whether it was delivered as fast as it came, not only some day. */
static bool kept_up(const struct result *result)
{
	return result->achieved >= KEPT_UP * result->offered;
}

static void print_header(void)
{
	printf("%8s %9s %8s %7s %9s | %7s %7s %7s ms | %5s %5s %5s %5s %5s %5s %5s us | %s\n", "offered",
	       "received", "lost", "repeats", "reached/s", "p50", "p99", "p99.9", "gen", "gwb", "nsrv", "app",
	       "mosq", "sub", "sum", "flush ms p50 p99");
}

static void print_result(const struct result *result)
{
	double sum = 0;
	for (int i = 0; i < PROCESSES; i++)
		sum += result->cpu_us[i];
	printf("%8.0f %9zu %8zu %7zu %9.0f | %7.1f %7.1f %7.1f    | %5.1f %5.1f %5.1f %5.1f %5.1f %5.1f "
	       "%5.1f    | %.3f %.3f\n",
	       result->offered, result->received, result->sent - result->received, result->repeats,
	       result->achieved, result->p50_ms, result->p99_ms, result->p999_ms, result->cpu_us[GENERATOR],
	       result->cpu_us[BRIDGE], result->cpu_us[NETWORK], result->cpu_us[APPLICATION],
	       result->cpu_us[BROKER], result->cpu_us[SUBSCRIBER], sum, result->flush_ms,
	       result->flush_p99_ms);
	if (result->answers > 0)
		printf("         %.0f answers, %.3f %% left 500 ms or more before RX1 (RxDelay 1 s; the must "
		       "is "
		       "99.9)\n",
		       result->answers, result->answers_early);
	if (result->generator_late)
		printf("         the generator was the bottleneck: up to %.0f ms late; this run says nothing "
		       "about a limit\n",
		       result->lag_ms);
	if (result->others > OTHERS_MAX)
		printf("         other programs took %.0f %% of the machine: not a figure to compare with\n",
		       result->others * 100);
	if (!kept_up(result))
		printf("         not kept up with: delivered later, at %.0f/s\n", result->achieved);
	if (result->wrong)
		printf("         %zu messages with wrong bytes\n", result->wrong);
	if (result->sent != result->received || result->backlog > 0)
		printf("         of %zu sent: network server took %.0f, application server %.0f, broker "
		       "%.0f, subscriber %zu; "
		       "datagrams dropped at the UDP socket %.0f; events waiting for the broker %.0f\n",
		       result->sent, result->network_uplinks, result->application_uplinks,
		       result->acknowledged, result->received, result->udp_drops, result->backlog);
	if (result->reasons[0])
		printf("         verdicts: %s\n", result->reasons);
	fflush(stdout);
}

struct column {
	const char *name, *unit;
	size_t offset;
};

#define RESULT(name, unit, member)                          \
	{                                                   \
		name, unit, offsetof(struct result, member) \
	}
static const struct column columns[] = {
	RESULT("reached", "uplinks/s", achieved),
	RESULT("latency beyond deduplication p50", "ms", p50_ms),
	RESULT("latency beyond deduplication p99", "ms", p99_ms),
	RESULT("latency beyond deduplication p99.9", "ms", p999_ms),
	RESULT("generator CPU", "us/uplink", cpu_us[GENERATOR]),
	RESULT("gateway-bridge CPU", "us/uplink", cpu_us[BRIDGE]),
	RESULT("network-server CPU", "us/uplink", cpu_us[NETWORK]),
	RESULT("application-server CPU", "us/uplink", cpu_us[APPLICATION]),
	RESULT("mosquitto CPU", "us/uplink", cpu_us[BROKER]),
	RESULT("subscriber CPU", "us/uplink", cpu_us[SUBSCRIBER]),
	RESULT("gateway-bridge PSS", "MB", pss_mb[BRIDGE]),
	RESULT("network-server PSS", "MB", pss_mb[NETWORK]),
	RESULT("application-server PSS", "MB", pss_mb[APPLICATION]),
	RESULT("class A answers", "", answers),
	RESULT("answers 500 ms or more before RX1", "%", answers_early),
	RESULT("disk flush of 4 KiB", "ms", flush_ms),
	RESULT("other programs' part of the machine", "", others),
};

static void add_row(json_t *rows, const char *name, const char *unit, double *values, size_t count)
{
	qsort(values, count, sizeof *values, by_double);
	json_array_append_new(rows, json_pack("{ss ss sf sf sf si}", "name", name, "unit", unit, "median",
					      values[count / 2], "min", values[0], "max", values[count - 1],
					      "runs", (int)count));
}

/* The rows of one rate, and whether every run of it lost nothing and kept up. */
static bool add_rows(json_t *rows, const struct bench *bench, const struct result *results)
{
	double values[RUNS_MAX] = {0};
	char name[128];
	bool good = true;
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		for (unsigned i = 0; i < bench->runs; i++)
			memcpy(&values[i], (const char *)&results[i] + columns[c].offset, sizeof values[i]);
		snprintf(name, sizeof name, "%.0f/s: %s", results[0].offered, columns[c].name);
		add_row(rows, name, columns[c].unit, values, bench->runs);
	}
	for (unsigned i = 0; i < bench->runs; i++) {
		values[i] = (double)(results[i].sent - results[i].received);
		good = good && values[i] == 0 && results[i].wrong == 0 && kept_up(&results[i]);
	}
	snprintf(name, sizeof name, "%.0f/s: lost", results[0].offered);
	add_row(rows, name, "uplinks", values, bench->runs);
	return good;
}

static json_t *describe_machine(const struct bench *bench)
{
	struct utsname name;
	char line[256], model[200] = "";
	uname(&name);
	FILE *file = fopen("/proc/cpuinfo", "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "model name : %199[^\n]", model) == 1)
			break;
	if (file)
		fclose(file);
	return json_pack("{ss ss si si si si si}", "cpu", model, "kernel", name.release, "cores",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "devices", (int)bench->devices, "gateways",
			 (int)bench->gateways, "seconds", (int)bench->seconds, "qos", bench->qos);
}

static void run_all(struct bench *bench)
{
	static struct result results[RUNS_MAX];
	json_t *rows = json_array();
	double best = 0;
	print_header();
	for (size_t r = 0; r < bench->rate_count; r++) {
		for (unsigned i = 0; i < bench->runs; i++) {
			results[i] = run(bench, bench->rates[r]);
			print_result(&results[i]);
		}
		if (add_rows(rows, bench, results) && bench->rates[r] > best)
			best = bench->rates[r];
	}
	json_array_append_new(rows,
			      json_pack("{ss ss sf sf sf si}", "name",
					"greatest rate kept up with, without a loss", "unit", "uplinks/s",
					"median", best, "min", best, "max", best, "runs", (int)bench->runs));
	json_t *root = json_pack("{so so}", "machine", describe_machine(bench), "rows", rows);
	if (json_dump_file(root, bench->json_file, JSON_INDENT(1)) != 0)
		fprintf(stderr, "bench: %s: cannot be written\n", bench->json_file);
	json_decref(root);
	printf("greatest rate at which all of %u runs of %u s lost nothing and kept up: %.0f uplinks/s, "
	       "subscriber at "
	       "QoS %d; %s\n",
	       bench->runs, bench->seconds, best, bench->qos, bench->json_file);
}

/* --- options ------------------------------------------------------------------------------------------------- */

static bool take_options(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {{"devices", 1, NULL, 'd'},   {"gateways", 1, NULL, 'g'},
						{"rates", 1, NULL, 'r'},     {"seconds", 1, NULL, 's'},
						{"runs", 1, NULL, 'n'},      {"qos", 1, NULL, 'q'},
						{"json", 1, NULL, 'j'},      {"warm-rounds", 1, NULL, 'w'},
						{"in-flight", 1, NULL, 'i'}, {"confirmed", 1, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		char *rest = optarg;
		unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;
		switch (option) {
		case 'd': bench->devices = (unsigned)number; break;
		case 'g': bench->gateways = (unsigned)number; break;
		case 's': bench->seconds = (unsigned)number; break;
		case 'n': bench->runs = (unsigned)number; break;
		case 'q': bench->qos = (int)number; break;
		case 'w': bench->warm_rounds = (unsigned)number; break;
		case 'i': bench->in_flight = (unsigned)number; break;
		case 'c': bench->confirmed = optarg ? strtod(optarg, NULL) : 0; break;
		case 'j': bench->json_file = optarg; break;
		case 'r':
			for (bench->rate_count = 0; *rest && bench->rate_count < RATES_MAX;
			     rest += *rest == ',')
				bench->rates[bench->rate_count++] = strtod(rest, &rest);
			break;
		default: return false;
		}
	}
	bool good = optind == argc && bench->devices && bench->gateways && bench->seconds &&
		    bench->qos <= 1 && bench->runs && bench->runs <= RUNS_MAX && bench->rate_count;
	for (size_t i = 0; i < bench->rate_count; i++)
		good = good && bench->rates[i] >= 1;
	return good;
}

int main(int argc, char **argv)
{
	struct bench bench = {.devices = 10000,
			      .gateways = 400,
			      .runs = 3,
			      .seconds = 10,
			      .qos = 1,
			      .warm_rounds = WARM_ROUNDS,
			      .in_flight = 500,
			      .confirmed = 1,
			      .rates = {1000, 5000, 10000, 20000},
			      .rate_count = 4,
			      .json_file = "bench.json"};
	struct statfs disk;
	char more_config[128];
	if (!take_options(&bench, argc, argv)) {
		fprintf(stderr, "usage: bench_path [--devices N] [--gateways N] [--rates N,N...] [--seconds "
				"N] [--runs N] "
				"[--qos 0|1] [--in-flight N] [--warm-rounds N] [--confirmed PERCENT] [--json "
				"FILE]\n");
		return 2;
	}
	snprintf(more_config, sizeof more_config,
		 "    qos: %d\n    in_flight: %u\nnetwork-server:\n  rx_delay_s: 1\n", bench.qos,
		 bench.in_flight);
	bench.network = t_network_start(more_config);
	if (statfs(t_network_state(bench.network), &disk) != 0 || disk.f_type == TMPFS) {
		fprintf(stderr, "bench: refused: the state directory is in memory; set TMPDIR to a directory "
				"on a disk\n");
		return 1;
	}
	refuse_unless_durable(&bench);
	register_all(&bench);
	bench.subscriber = t_load_subscribe(t_mosquitto_port(t_network_broker(bench.network)), bench.qos);
	warm_up(&bench);
	run_all(&bench);
	t_load_free(bench.subscriber);
	t_network_free(bench.network);
	return 0;
}
