/* What many Basics Stations cost one gateway-bridge, and how soon they are back.
 *
 *	bench_gateways [--stations 2000] [--seconds 60] [--every 10] [--storm 500] [--runs 1] [--json FILE]
 *
 * The generator is a process of its own (tests/harness/station_swarm.h): each station over TLS with a certificate of its own, from
 * discovery on, answers the bridge's pings every 30 s and sends an uplink every ten. Measured, in this order:
 *
 *	all are up        from the first dial to the last router_config, 64 handshakes at a time
 *	steady            memory of the bridge (PSS, less that of an idle one, divided by the stations), its CPU, uplinks lost
 *	a storm           so many connections are reset and dial at once: until all are back
 *	a restart         SIGTERM and a new start on the socket that was handed over: until the first and the last are back; each
 *	                  waits a second before it dials, as stations do
 *
 * Generator, bridge and the scripted network server share the machine. Prints what it did, and bench.json's rows. */
#include "tests/harness/harness.h"
#include "tests/harness/station_rig.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 9
#define LIMIT_S  300.0

struct bench {
	unsigned stations, storm, runs;
	double seconds, every_s;
	const char *json_file;
};

/* What the two processes share. */
struct shared {
	_Atomic unsigned up, ends, failed, cut, quiet;
	_Atomic uint64_t sent;
};

struct result {
	double up_s, pss_mb, idle_mb, per_station_kb, cpu_percent, cpu_us, uplinks, lost, storm_s,
		first_back_s, restart_s, generator_percent;
};

/* --- the generator --- */

static _Noreturn void generate(const struct t_stations *at, const struct bench *bench, struct shared *shared)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct t_swarm *swarm = t_swarm_new(&(struct t_swarm_options){.count = bench->stations,
								      .first_eui = T_STATION_FIRST,
								      .port = at->port,
								      .pki = &at->pki,
								      .tls = at->tls,
								      .uplink_every_s = bench->every_s});
	for (;;) {
		unsigned cut = shared->cut;
		if (cut > 0) {
			t_swarm_cut(swarm, cut);
			shared->up = t_swarm_counts(swarm).up;
			shared->cut = 0;
		}
		t_swarm_quiet(swarm, shared->quiet != 0);
		t_swarm_pump(swarm, 20);
		struct t_swarm_counts counts = t_swarm_counts(swarm);
		shared->up = counts.up;
		shared->ends = counts.ends;
		shared->failed = counts.failed;
		shared->sent = counts.sent;
	}
}

/* --- measuring --- */

static double cpu_s(int pid)
{
	clockid_t clock;
	struct timespec time = {0};
	if (clock_getcpuclockid(pid, &clock) == 0)
		clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
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

static uint64_t came;

static void on_uplink(void *ctx, const struct gw_uplink *uplink)
{
	(void)ctx;
	came += lw_eui64_number(&uplink->gateway) >= T_STATION_FIRST;
}

/* Keeps the network server's side going for so long, or until so many are up. Returns the seconds that it took. */
static double wait_for(struct t_stations *at, const struct shared *shared, unsigned up, double limit_s)
{
	double begun = t_seconds();
	while (t_seconds() - begun < limit_s && (up == 0 || shared->up < up)) {
		t_bridge_pump(at->rig);
		usleep(500);
	}
	return t_seconds() - begun;
}

static bool has_come(void *ctx)
{
	struct t_stations *at = ctx;
	t_bridge_pump(at->rig);
	return came >= at->rig->wanted;
}

static void steady(struct t_stations *at, const struct bench *bench, struct shared *shared, int child,
		   struct result *result)
{
	int bridge = t_process_pid(at->rig->process);
	double begun = t_seconds(), cpu = cpu_s(bridge), own = cpu_s(child);
	uint64_t sent = shared->sent;
	wait_for(at, shared, 0, bench->seconds);
	double took = t_seconds() - begun;
	result->cpu_percent = 100 * (cpu_s(bridge) - cpu) / took;
	result->generator_percent = 100 * (cpu_s(child) - own) / took;
	result->uplinks = (double)(shared->sent - sent) / took;
	result->cpu_us = result->uplinks > 0 ? 1e4 * result->cpu_percent / result->uplinks : 0;
	result->pss_mb = pss_mb(bridge);
	result->per_station_kb = 1024 * (result->pss_mb - result->idle_mb) / bench->stations;
	shared->quiet = 1;
	wait_for(at, shared, 0, 0.5);
	at->rig->wanted = (unsigned)shared->sent;
	t_wait_until(has_come, at, 10);
	result->lost = (double)shared->sent - (double)came;
}

/* Seconds from SIGTERM until the first and the last station are back. The process is started at once, as a supervisor does. */
static void restart(struct t_stations *at, const struct bench *bench, struct shared *shared,
		    struct result *result)
{
	double begun = t_seconds();
	t_int("orderly stop", 0, t_process_stop(at->rig->process));
	t_process_free(at->rig->process);
	t_bridge_run(at->rig);
	while (shared->up == bench->stations && t_seconds() - begun < LIMIT_S)
		usleep(500);
	wait_for(at, shared, 1, LIMIT_S);
	result->first_back_s = t_seconds() - begun;
	wait_for(at, shared, bench->stations, LIMIT_S);
	result->restart_s = t_seconds() - begun;
}

static struct result run(const struct bench *bench, struct shared *shared)
{
	struct t_stations at;
	struct result result = {0};
	memset(shared, 0, sizeof *shared);
	came = 0;
	t_stations_open(&at, bench->stations, T_STATION_FIRST, "  station_per_source: 10000\n");
	at.rig->upstream->on_uplink = on_uplink;
	result.idle_mb = pss_mb(t_process_pid(at.rig->process));
	fflush(NULL);
	pid_t child = fork();
	ASSERT(child >= 0);
	if (child == 0)
		generate(&at, bench, shared);
	result.up_s = wait_for(&at, shared, bench->stations, LIMIT_S);
	if (shared->up < bench->stations)
		printf("only %u of %u stations came up; %u attempts failed\n", shared->up, bench->stations,
		       shared->failed);
	steady(&at, bench, shared, (int)child, &result);
	shared->cut = bench->storm;
	while (shared->cut != 0)
		usleep(200);
	result.storm_s = wait_for(&at, shared, bench->stations, LIMIT_S);
	restart(&at, bench, shared, &result);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	t_stations_close(&at);
	return result;
}

/* --- the report --- */

static const struct column {
	const char *name, *unit;
	size_t offset;
} columns[] = {
	{"all are up", "s", offsetof(struct result, up_s)},
	{"gateway-bridge PSS", "MB", offsetof(struct result, pss_mb)},
	{"gateway-bridge PSS before they came", "MB", offsetof(struct result, idle_mb)},
	{"memory of a connection", "KiB", offsetof(struct result, per_station_kb)},
	{"gateway-bridge CPU", "% of a core", offsetof(struct result, cpu_percent)},
	{"gateway-bridge CPU, pings included", "us/uplink", offsetof(struct result, cpu_us)},
	{"generator CPU", "% of a core", offsetof(struct result, generator_percent)},
	{"uplinks", "uplinks/s", offsetof(struct result, uplinks)},
	{"lost", "uplinks", offsetof(struct result, lost)},
	{"back after a storm", "s", offsetof(struct result, storm_s)},
	{"first back after a restart", "s", offsetof(struct result, first_back_s)},
	{"all back after a restart", "s", offsetof(struct result, restart_s)},
};

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void report(const struct bench *bench, const struct result *results)
{
	struct utsname name;
	double load[1] = {0};
	json_t *rows = json_array();
	(void)!getloadavg(load, 1);
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		double values[RUNS_MAX] = {0};
		char row[128];
		for (unsigned i = 0; i < bench->runs; i++)
			memcpy(&values[i], (const char *)&results[i] + columns[c].offset, sizeof values[i]);
		qsort(values, bench->runs, sizeof *values, by_double);
		snprintf(row, sizeof row, "%u stations: %s", bench->stations, columns[c].name);
		printf("%-48s %10.2f %s\n", row, values[bench->runs / 2], columns[c].unit);
		json_array_append_new(rows,
				      json_pack("{ss ss sf sf sf si}", "name", row, "unit", columns[c].unit,
						"median", values[bench->runs / 2], "min", values[0], "max",
						values[bench->runs - 1], "runs", (int)bench->runs));
	}
	printf("load average of the machine: %.1f\n", load[0]);
	uname(&name);
	json_t *root = json_pack("{s{ss si sf si si} so}", "machine", "kernel", name.release, "cores",
				 (int)sysconf(_SC_NPROCESSORS_ONLN), "load", load[0], "storm",
				 (int)bench->storm, "seconds", (int)bench->seconds, "rows", rows);
	if (bench->json_file && json_dump_file(root, bench->json_file, JSON_INDENT(1)) != 0)
		fprintf(stderr, "bench_gateways: %s cannot be written\n", bench->json_file);
	json_decref(root);
}

static int usage_error(void)
{
	fprintf(stderr, "bench_gateways: usage: bench_gateways [--stations N] [--seconds N] [--every S] "
			"[--storm N] [--runs N] [--json FILE]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct result results[RUNS_MAX];
	struct bench bench = {.stations = 2000, .storm = 500, .runs = 1, .seconds = 60, .every_s = 10};
	for (int i = 1; i < argc; i += 2) {
		const char *value = argv[i + 1];
		if (i + 1 == argc)
			return usage_error();
		if (strcmp(argv[i], "--stations") == 0)
			bench.stations = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--seconds") == 0)
			bench.seconds = strtod(value, NULL);
		else if (strcmp(argv[i], "--every") == 0)
			bench.every_s = strtod(value, NULL);
		else if (strcmp(argv[i], "--storm") == 0)
			bench.storm = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--runs") == 0)
			bench.runs = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--json") == 0)
			bench.json_file = value;
		else
			return usage_error();
	}
	if (bench.runs == 0 || bench.runs > RUNS_MAX || bench.stations == 0 ||
	    bench.stations > T_BRIDGE_GATEWAYS - 8 || bench.storm > bench.stations)
		return usage_error();
	struct shared *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		/* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
		-1, 0);
	ASSERT(shared != MAP_FAILED);
	for (unsigned i = 0; i < bench.runs; i++)
		results[i] = run(&bench, shared);
	report(&bench, results);
	return 0;
}
