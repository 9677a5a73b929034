/* Joins per second through the whole path of a join: load generator ─UDP─▶ gateway-bridge ─▶ network-server ─▶ join-server ─▶ back
 * to the gateway. Real processes on a state of their own, with a million devices in join.db and in network.db; both are written
 * directly, through the real stores, since provisioning a million is not what is measured. What counts is a join-accept at the
 * gateway that its device would take (tests/harness/join_load.h), made durable by join server and network server before it left.
 *
 *	bench_join [--devices 1000000] [--gateways 2000] [--copies 3] [--rates 1000,3000,5000] [--seconds 10] [--runs 3] [--json FILE]
 *
 * Beside each rate stand where joins were lost, latency beyond the deduplication window from the moment a request was due, CPU by
 * process, joins a commit, and how long the disk takes to flush 4 KiB. The generator runs on the same machine and is part of
 * the load. No application server runs: events stay in the network server's journal, as they do while one is away.
 *
 * The number of gateways is what physics asks: an accept is planned five seconds ahead, and a gateway holds so many
 * (NS_BUSY), so 5,000 joins a second need several hundred of them whatever the servers can do.
 *
 * Refused: a store whose PRAGMA synchronous is not FULL, a state directory in memory, a sanitized build. */
#include "tests/harness/join_load.h"
#include "tests/harness/join_state.h"
#include "tests/harness/process.h"

#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RATES_MAX    16
#define RUNS_MAX     9
#define TMPFS        0x01021994
#define DEDUP_MS     200.0 /* network-server.dedup_window_ms by default */
#define QUIET_S      3.0
#define KEPT_UP      0.97
#define FLUSHES      200
#define LIMIT_S      300.0
#define METRICS_ROOM (1 << 18)

enum part { BRIDGE, NETWORK, JOIN, PARTS };

static const struct {
	const char *program, *synchronous, *turns, *commit_us;
} parts[PARTS] = {
	[BRIDGE] = {"gateway-bridge", NULL, NULL, NULL},
	[NETWORK] = {"network-server", "lamppost_network_store_synchronous", "lamppost_network_turns_total",
		     "lamppost_network_commit_us_total"},
	[JOIN] = {"join-server", "lamppost_join_store_synchronous", "lamppost_join_turns_total",
		  "lamppost_join_commit_us_total"},
};

struct bench {
	unsigned devices, gateways, copies, seconds, runs;
	double rates[RATES_MAX];
	size_t rate_count;
	const char *json_file;
	char dir[T_DIR_MAX], config[T_DIR_MAX + 32], admin[PARTS][T_DIR_MAX + 64];
	uint16_t port;
	struct t_process *processes[PARTS];
	struct t_join_load *load;
};

struct result {
	double offered, achieved, sent, answered, lost, wrong, repeated, again;
	double p50_ms, p99_ms, p999_ms, max_ms, lag_ms;
	double generator_us, cpu_us[PARTS], pss_mb[PARTS];
	double joins_a_commit[PARTS], commit_ms[PARTS];
	double failures, unacknowledged;
	double flush_ms, flush_p99_ms, others;
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

/* Median and p99 of overwriting 4 KiB and fdatasync(), in the state directory. */
static void measure_flush(const struct bench *bench, struct result *result)
{
	char path[T_DIR_MAX + 16], block[4096] = {0};
	double times[FLUSHES] = {0};
	snprintf(path, sizeof path, "%s/flush", bench->dir);
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

/* Seconds of all cores: busy, and in all. */
static void read_machine(double *busy_s, double *all_s)
{
	double ticks[8] = {0}, hz = (double)sysconf(_SC_CLK_TCK);
	FILE *file = fopen("/proc/stat", "r");
	int read = file ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
				 &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7])
			: 0;
	ASSERT(read == 8);
	fclose(file);
	*all_s = 0;
	for (int i = 0; i < 8; i++)
		*all_s += ticks[i] / hz;
	*busy_s = *all_s - (ticks[3] + ticks[4]) / hz;
}

/* --- set-up -------------------------------------------------------------------------------------------------- */

/* In a process of its own, so that both cores are at work and the memory is gone afterwards. */
static pid_t begin_filling(const struct bench *bench, void (*fill)(const struct t_join_state *state))
{
	pid_t pid = fork();
	ASSERT(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fill(&(struct t_join_state){bench->dir, bench->devices, bench->gateways});
	_exit(0);
}

static void finished(pid_t pid, const char *what)
{
	int status;
	if (waitpid(pid, &status, 0) == pid && status == 0)
		return;
	fprintf(stderr, "bench: %s could not be filled\n", what);
	exit(1);
}

static void make_state(struct bench *bench)
{
	char text[1024];
	struct statfs disk;
	t_temp_dir(bench->dir);
	if (statfs(bench->dir, &disk) != 0 || disk.f_type == TMPFS) {
		fprintf(stderr, "bench: refused: %s is in memory; set TMPDIR to a directory on a disk\n",
			bench->dir);
		exit(1);
	}
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", bench->dir}, .dir = bench->dir});
	ASSERT(t_process_wait(init) == 0);
	t_process_free(init);
	bench->port = t_free_udp_port();
	snprintf(bench->config, sizeof bench->config, "%s/lamppost.yaml", bench->dir);
	snprintf(
		text, sizeof text,
		"common:\n  state_dir: \"%s\"\n  run_dir: \"%s/run\"\n"
		"gateway-bridge:\n  udp_listen: [\"127.0.0.1:%u\"]\n  station_listen: []\n  cups_listen: []\n"
		"network-server:\n  regions: [\"" T_JOIN_STATE_REGION "\"]\n  max_devices: %u\n"
		/* no air is simulated: what is measured is the path */
		"  join_storm: false\n",
		bench->dir, bench->dir, bench->port, bench->devices + 1000);
	t_write_file(bench->config, text);
	double begun = t_seconds();
	pid_t join = begin_filling(bench, t_join_state_fill_join),
	      network = begin_filling(bench, t_join_state_fill_network);
	finished(join, "join.db");
	double join_s = t_seconds() - begun;
	finished(network, "network.db");
	printf("%u devices: join.db in %.1f s, network.db in %.1f s, side by side\n", bench->devices, join_s,
	       t_seconds() - begun);
}

static void start(struct bench *bench, enum part part)
{
	double begun = t_seconds();
	snprintf(bench->admin[part], sizeof bench->admin[part], "%s/run/%s.admin.sock", bench->dir,
		 parts[part].program);
	bench->processes[part] = t_process_start(&(struct t_process_options){
		.program = parts[part].program, .arguments = {"-c", bench->config}, .dir = bench->dir});
	if (!t_wait_until(t_is_healthy, bench->admin[part], LIMIT_S)) {
		static char log[4096];
		fputs(t_process_log(bench->processes[part], log, sizeof log), stderr);
		exit(1);
	}
	if (parts[part].synchronous && t_metric(bench->admin[part], parts[part].synchronous) != 2) {
		fprintf(stderr, "bench: refused: %s is not 2 (FULL): that would measure another product\n",
			parts[part].synchronous);
		exit(1);
	}
	printf("%s healthy after %.2f s\n", parts[part].program, t_seconds() - begun);
}

static bool all_are_heard(void *ctx)
{
	struct bench *bench = ctx;
	t_join_load_keep_alive(bench->load);
	usleep(100000);
	return t_metric(bench->admin[BRIDGE], "lamppost_bridge_gateways{state=\"online\"}") >=
	       bench->gateways;
}

static bool has_list(void *ctx)
{
	const struct bench *bench = ctx;
	return t_metric(bench->admin[BRIDGE], "lamppost_bridge_gateways{state=\"known\"}") >= bench->gateways;
}

static void set_up(struct bench *bench)
{
	make_state(bench);
	start(bench, JOIN);
	start(bench, NETWORK);
	start(bench, BRIDGE);
	bench->load = t_join_load_new(&(struct t_join_load_options){.port = bench->port,
								    .devices = bench->devices,
								    .gateways = bench->gateways,
								    .copies = bench->copies});
	if (!t_wait_until(has_list, bench, LIMIT_S) || !t_wait_until(all_are_heard, bench, LIMIT_S)) {
		fprintf(stderr, "bench: the bridge does not know or hear all gateways\n");
		exit(1);
	}
}

/* --- one run ------------------------------------------------------------------------------------------------- */

struct reading {
	double cpu_s[PARTS], turns[PARTS], commit_us[PARTS], failures, busy_s, all_s;
	char metrics[PARTS][METRICS_ROOM];
};

static void read_all(const struct bench *bench, struct reading *now)
{
	for (int i = 0; i < PARTS; i++) {
		now->cpu_s[i] = cpu_s(t_process_pid(bench->processes[i]));
		if (parts[i].turns) {
			now->turns[i] = t_metric(bench->admin[i], parts[i].turns);
			now->commit_us[i] = t_metric(bench->admin[i], parts[i].commit_us);
		}
		if (t_unix_get(bench->admin[i], "/metrics", now->metrics[i], METRICS_ROOM) != 200)
			now->metrics[i][0] = '\0';
	}
	now->failures = t_metric(bench->admin[NETWORK], "lamppost_network_join_failures_total");
	read_machine(&now->busy_s, &now->all_s);
}

static double sample(const char *metrics, const char *name)
{
	const char *at = strstr(metrics, name);
	return at ? strtod(at + strlen(name), NULL) : 0;
}

/* Every verdict of that family that grew, with how much. */
static void tell_reasons(const char *before, const char *after, const char *family)
{
	size_t length = strlen(family);
	for (const char *line = after; line; line = strchr(line, '\n')) {
		char name[160];
		line += line[0] == '\n';
		const char *end = strchr(line, '}');
		if (strncmp(line, family, length) != 0 || !end || (size_t)(end - line) >= sizeof name - 2)
			continue;
		snprintf(name, sizeof name, "%.*s ", (int)(end - line) + 1, line);
		double grew = sample(after, name) - sample(before, name);
		if (grew > 0 && !strstr(name, "accepted"))
			printf("          %s%.0f\n", name, grew);
	}
}

static void judge_parts(const struct bench *bench, const struct reading *before, const struct reading *after,
			struct result *result)
{
	double ours = 0;
	for (int i = 0; i < PARTS; i++) {
		double turns = after->turns[i] - before->turns[i], used = after->cpu_s[i] - before->cpu_s[i];
		ours += used;
		result->cpu_us[i] = used * 1e6 / result->sent;
		result->pss_mb[i] = pss_mb(t_process_pid(bench->processes[i]));
		if (turns > 0) {
			result->joins_a_commit[i] = result->sent / turns;
			result->commit_ms[i] = (after->commit_us[i] - before->commit_us[i]) / turns / 1e3;
		}
	}
	ours += result->generator_us * result->sent / 1e6;
	result->failures = after->failures - before->failures;
	result->others = (after->busy_s - before->busy_s - ours) / (after->all_s - before->all_s);
}

static struct result run(const struct bench *bench, double rate)
{
	static struct reading before, after;
	struct t_join_run run;
	struct result result = {.offered = rate};
	measure_flush(bench, &result);
	read_all(bench, &before);
	t_join_load_run(bench->load, rate, bench->seconds, QUIET_S, &run);
	read_all(bench, &after);
	result.sent = run.sent;
	result.answered = run.answered;
	result.lost = run.sent - run.answered;
	result.wrong = run.wrong;
	result.repeated = run.repeated;
	result.again = run.again;
	result.unacknowledged = run.unacknowledged;
	result.lag_ms = run.lag_ms;
	double took_s = run.took_s - DEDUP_MS / 1e3; /* no join can be answered within its window */
	result.achieved = took_s > 0 ? run.answered / took_s : 0;
	result.generator_us = run.cpu_s * 1e6 / run.sent;
	result.p50_ms = quantile(run.latency_ms, run.answered, 0.5) - DEDUP_MS;
	result.p99_ms = quantile(run.latency_ms, run.answered, 0.99) - DEDUP_MS;
	result.p999_ms = quantile(run.latency_ms, run.answered, 0.999) - DEDUP_MS;
	result.max_ms = quantile(run.latency_ms, run.answered, 1) - DEDUP_MS;
	judge_parts(bench, &before, &after, &result);
	printf("%7.0f/s %8.0f/s %7.0f %5.0f %8.1f %8.1f %8.1f %8.1f %6.0f %6.0f %6.0f %6.0f %7.1f %6.2f "
	       "%6.2f %5.0f%%\n",
	       rate, result.achieved, result.answered, result.lost, result.p50_ms, result.p99_ms,
	       result.p999_ms, result.max_ms, result.generator_us, result.cpu_us[BRIDGE],
	       result.cpu_us[NETWORK], result.cpu_us[JOIN], result.joins_a_commit[JOIN],
	       result.commit_ms[JOIN], result.flush_ms, 100 * result.others);
	if (result.wrong + result.repeated + result.again + result.failures + result.unacknowledged > 0)
		printf("          wrong %.0f, repeated %.0f, again %.0f, calls failed %.0f, unacknowledged "
		       "%.0f, "
		       "generator %.0f ms late\n",
		       result.wrong, result.repeated, result.again, result.failures, result.unacknowledged,
		       result.lag_ms);
	tell_reasons(before.metrics[NETWORK], after.metrics[NETWORK], "lamppost_network_drops_total{");
	tell_reasons(before.metrics[JOIN], after.metrics[JOIN], "lamppost_join_messages_total{");
	fflush(stdout);
	return result;
}

/* --- the table ----------------------------------------------------------------------------------------------- */

#define RESULT(name, unit, member)                          \
	{                                                   \
		name, unit, offsetof(struct result, member) \
	}

static const struct column {
	const char *name, *unit;
	size_t offset;
} columns[] = {
	RESULT("achieved", "joins/s", achieved),
	RESULT("answered", "joins", answered),
	RESULT("lost", "joins", lost),
	RESULT("wrong", "accepts", wrong),
	RESULT("JoinNonces repeated", "accepts", repeated),
	RESULT("latency beyond the window p50", "ms", p50_ms),
	RESULT("latency beyond the window p99", "ms", p99_ms),
	RESULT("latency beyond the window p99.9", "ms", p999_ms),
	RESULT("latency beyond the window max", "ms", max_ms),
	RESULT("generator late at most", "ms", lag_ms),
	RESULT("generator CPU", "us/join", generator_us),
	RESULT("gateway-bridge CPU", "us/join", cpu_us[BRIDGE]),
	RESULT("network-server CPU", "us/join", cpu_us[NETWORK]),
	RESULT("join-server CPU", "us/join", cpu_us[JOIN]),
	RESULT("network-server joins a commit", "", joins_a_commit[NETWORK]),
	RESULT("join-server joins a commit", "", joins_a_commit[JOIN]),
	RESULT("network-server commit", "ms", commit_ms[NETWORK]),
	RESULT("join-server commit", "ms", commit_ms[JOIN]),
	RESULT("gateway-bridge PSS", "MB", pss_mb[BRIDGE]),
	RESULT("network-server PSS", "MB", pss_mb[NETWORK]),
	RESULT("join-server PSS", "MB", pss_mb[JOIN]),
	RESULT("disk flush of 4 KiB", "ms", flush_ms),
	RESULT("disk flush of 4 KiB p99", "ms", flush_p99_ms),
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
	for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
		for (unsigned i = 0; i < bench->runs; i++)
			memcpy(&values[i], (const char *)&results[i] + columns[c].offset, sizeof values[i]);
		snprintf(name, sizeof name, "%.0f/s: %s", results[0].offered, columns[c].name);
		add_row(rows, name, columns[c].unit, values, bench->runs);
	}
	for (unsigned i = 0; i < bench->runs; i++)
		good = good && results[i].lost == 0 && results[i].wrong == 0 && results[i].repeated == 0 &&
		       results[i].achieved >= KEPT_UP * results[i].offered;
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
			 (int)bench->gateways, "copies", (int)bench->copies, "seconds", (int)bench->seconds);
}

static void run_all(struct bench *bench)
{
	static struct result results[RUNS_MAX];
	json_t *rows = json_array();
	double best = 0;
	printf("%9s %10s %7s %5s %8s %8s %8s %8s %6s %6s %6s %6s %7s %6s %6s %6s\n", "offered", "achieved",
	       "joined", "lost", "p50 ms", "p99 ms", "p99.9", "max ms", "gen us", "bridge", "netw", "join",
	       "a comm.", "com ms", "flush", "others");
	for (size_t r = 0; r < bench->rate_count; r++) {
		for (unsigned i = 0; i < bench->runs; i++)
			results[i] = run(bench, bench->rates[r]);
		if (add_rows(rows, bench, results) && bench->rates[r] > best)
			best = bench->rates[r];
	}
	json_array_append_new(rows,
			      json_pack("{ss ss sf sf sf si}", "name",
					"greatest rate kept up with, without a loss", "unit", "joins/s",
					"median", best, "min", best, "max", best, "runs", (int)bench->runs));
	json_t *root = json_pack("{so so}", "machine", describe_machine(bench), "rows", rows);
	if (json_dump_file(root, bench->json_file, JSON_INDENT(1)) != 0)
		fprintf(stderr, "bench: %s: cannot be written\n", bench->json_file);
	json_decref(root);
	printf("greatest rate at which all of %u runs of %u s lost nothing and kept up: %.0f joins/s, "
	       "durable; "
	       "%s\n",
	       bench->runs, bench->seconds, best, bench->json_file);
}

/* --- options ------------------------------------------------------------------------------------------------- */

static bool take_options(struct bench *bench, int argc, char **argv)
{
	static const struct option options[] = {{"devices", 1, NULL, 'd'}, {"gateways", 1, NULL, 'g'},
						{"copies", 1, NULL, 'c'},  {"rates", 1, NULL, 'r'},
						{"seconds", 1, NULL, 's'}, {"runs", 1, NULL, 'n'},
						{"json", 1, NULL, 'j'},    {NULL, 0, NULL, 0}};
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		char *rest = optarg;
		unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		switch (option) {
		case 'd': bench->devices = number; break;
		case 'g': bench->gateways = number; break;
		case 'c': bench->copies = number; break;
		case 's': bench->seconds = number; break;
		case 'n': bench->runs = number; break;
		case 'j': bench->json_file = optarg; break;
		case 'r':
			for (bench->rate_count = 0; *rest && bench->rate_count < RATES_MAX;
			     rest += *rest == ',')
				bench->rates[bench->rate_count++] = strtod(rest, &rest);
			break;
		default: return false;
		}
	}
	bool good = optind == argc && bench->devices && bench->gateways && bench->copies &&
		    bench->copies <= 8 && bench->copies <= bench->gateways && bench->seconds && bench->runs &&
		    bench->runs <= RUNS_MAX && bench->rate_count;
	for (size_t i = 0; i < bench->rate_count; i++)
		good = good && bench->rates[i] >= 1;
	return good;
}

int main(int argc, char **argv)
{
	struct bench bench = {.devices = 1000000,
			      .gateways = 2000,
			      .copies = 3,
			      .runs = 3,
			      .seconds = 10,
			      .rates = {1000, 3000, 5000},
			      .rate_count = 3,
			      .json_file = "bench-join.json"};
	if (!take_options(&bench, argc, argv)) {
		fprintf(stderr,
			"usage: bench_join [--devices N] [--gateways N] [--copies 1..8] [--rates N,N...] "
			"[--seconds N] [--runs N] [--json FILE]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	ASSERT(secret_init() == ST_OK);
	set_up(&bench);
	run_all(&bench);
	t_join_load_free(bench.load);
	int code = 0;
	for (int i = 0; i < PARTS; i++) {
		code |= t_process_stop(bench.processes[i]) != 0;
		t_process_free(bench.processes[i]);
	}
	t_temp_dir_remove(bench.dir);
	return code;
}
