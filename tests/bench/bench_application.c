/* What an uplink event costs the application server's core and store, without sockets and broker: as it comes from the link, to
 * stored and read again for delivery. Real files, real commits, the checkpoint thread beside it.
 *
 *	bench_application [--devices N] [--events N] [--turn N] [--gateways N]
 *
 * --turn: events that share a commit (a loaded server has 5 to 20). CPU is that of all threads, kernel included; `prepared` is
 * the same work without anything of the server's, and is taken off. Bytes written are what the process gave to write(). */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "application-server/store_events.h"
#include "application-server/store_keys.h"
#include "application-server/store_private.h"
#include "common/base/check.h"
#include "common/lorawan/cipher.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_DEV_EUI UINT64_C(0x4c50000000000000)
#define FIRST_GATEWAY UINT64_C(0x4c50475700000000)
#define HEARD_BY      3
#define PAYLOAD       8
#define COMMITS_MAX   1000000

struct bench {
	unsigned devices, events, turn, gateways;
	struct t_city *city;
	struct lw_key key;
	uint64_t row;
	size_t bytes;
	double commits[COMMITS_MAX];
	size_t commit_count;
	double commit_us; /* CPU of the loop's thread in commits */
};

static struct bench bench = {.devices = 10000, .events = 100000, .turn = 10, .gateways = 400};

static double cpu_us(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double written_bytes(void)
{
	char line[128];
	double bytes = 0;
	FILE *file = fopen("/proc/self/io", "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "wchar: %lf", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

/* --- the city ------------------------------------------------------------------------------------------------ */

static void must(const char *target, const char *body)
{
	ASSERT_CMP(t_city_call(bench.city, &t_city_admin, "POST", target, body), ==, 201);
}

/* The harness' city has none. */
static void start_checkpoints(struct as_store *store)
{
	ASSERT_CMP(checkpoint_start(store->city, NULL, 0, &store->city_checkpoint), ==, ST_OK);
	ASSERT_CMP(checkpoint_start(store->readings, NULL, 0, &store->readings_checkpoint), ==, ST_OK);
}

static void add_gateways(void)
{
	char body[256];
	for (unsigned i = 0; i < bench.gateways; i++) {
		snprintf(body, sizeof body,
			 "{\"eui\":\"%016" PRIx64 "\",\"name\":\"g%u\",\"region\":\"eu868\",\"lat\":40.7128,"
			 "\"lon\":-74.0060,\"altitude_m\":30}",
			 FIRST_GATEWAY + i, i);
		must("/api/v1/gateways", body);
	}
}

static void add_devices(void)
{
	static const struct net_session_id abp = {{0}};
	uint8_t sealed[AS_SEALED_SESSION_KEY];
	char body[256];
	for (unsigned i = 0; i < bench.devices; i++) {
		struct lw_eui64 dev_eui = lw_eui64_from_number(FIRST_DEV_EUI + i);
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"%016" PRIx64 "\",\"name\":\"Probe %u\",\"application\":\"meters\","
			 "\"profile\":\"plain\",\"join_eui\":\"0000000000000001\"}",
			 FIRST_DEV_EUI + i, i);
		must("/api/v1/devices", body);
		as_keys_seal_session(&bench.city->keys, &dev_eui, &abp, &bench.key, sealed);
		ASSERT_CMP(as_store_session_put(bench.city->store, &dev_eui, &abp, sealed, NULL,
						bench.city->now.wall),
			   ==, ST_OK);
		ASSERT_CMP(as_store_commit(bench.city->store), ==, ST_OK);
	}
}

/* --- events -------------------------------------------------------------------------------------------------- */

static struct net_up_event event_of(uint64_t row)
{
	uint64_t device = row * 7919 % bench.devices;
	struct wall time = {bench.city->now.wall.us + (int64_t)row * 100};
	struct net_up_event event = {.head = {.row = row, .time = time},
				     .dev_addr = {(uint32_t)device},
				     .fcnt_up = (uint32_t)(row / bench.devices),
				     .has_fport = true,
				     .fport = 2,
				     .adr = true,
				     .dr = 3,
				     .freq_hz = 902300000,
				     .modulation = {.kind = LW_LORA,
						    .spreading_factor = 7,
						    .bandwidth_hz = 125000,
						    .code_rate = "4/5"},
				     .region_id = "us915",
				     .frm_payload_length = PAYLOAD,
				     .gateway_count = HEARD_BY,
				     .reception_count = HEARD_BY};
	event.head.dev_eui = lw_eui64_from_number(FIRST_DEV_EUI + device);
	for (int i = 0; i < 8; i++)
		event.head.id.bytes[8 + i] = (uint8_t)(row >> (56 - 8 * i));
	for (unsigned i = 0; i < HEARD_BY; i++)
		event.receptions[i] = (struct net_reception){
			.gateway = lw_eui64_from_number(FIRST_GATEWAY + (row + i) % bench.gateways),
			.rssi_dbm = -70,
			.has_snr = true,
			.snr_cdb = 725,
			.channel = 3,
			.ticks = {(uint32_t)row * 1000},
			.arrival = time,
			.crc = GW_CRC_OK};
	return event;
}

static void commit(void)
{
	double begun = t_seconds(), cpu = cpu_us(CLOCK_THREAD_CPUTIME_ID);
	ASSERT_CMP(as_store_commit(bench.city->store), ==, ST_OK);
	bench.commit_us += cpu_us(CLOCK_THREAD_CPUTIME_ID) - cpu;
	if (bench.commit_count < COMMITS_MAX)
		bench.commits[bench.commit_count++] = (t_seconds() - begun) * 1e3;
}

static void deliver(uint64_t *sent)
{
	struct as_event event;
	while (as_store_event_next(bench.city->store, *sent, &event) == ST_OK) {
		bench.bytes += strlen(event.body);
		*sent = event.seq;
	}
	as_store_release(bench.city->store);
}

static double prepared(unsigned events)
{
	double begun = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
	unsigned sum = 0;
	for (unsigned i = 0; i < events; i++)
		sum += event_of(i + 1).frm_payload[0];
	return cpu_us(CLOCK_PROCESS_CPUTIME_ID) - begun + (sum == 1);
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void run(const char *what, unsigned events)
{
	uint64_t sent = as_store_events_last(bench.city->store);
	double written = written_bytes(), begun = t_seconds(), cpu = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
	bench.commit_count = bench.bytes = 0;
	bench.commit_us = 0;
	double loop = cpu_us(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 1; i <= events; i++) {
		struct net_up_event event = event_of(++bench.row);
		ASSERT_CMP(as_application_on_up(&bench.city->app, bench.city->now, &event), ==, ST_OK);
		if (i % bench.turn == 0 || i == events) {
			commit();
			deliver(&sent);
		}
	}
	loop = cpu_us(CLOCK_THREAD_CPUTIME_ID) - loop - bench.commit_us;
	double per_event = (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu - prepared(events)) / events;
	qsort(bench.commits, bench.commit_count, sizeof *bench.commits, by_double);
	printf("%-10s %7u events, %3u a turn: CPU %6.2f us (loop %5.2f, its commits %5.2f)  wall %6.2f us  "
	       "written %6.0f B  body %4zu B an "
	       "event; commit "
	       "p50 %.3f p99 %.3f ms\n",
	       what, events, bench.turn, per_event, loop / events, bench.commit_us / events,
	       (t_seconds() - begun) * 1e6 / events, (written_bytes() - written) / events,
	       bench.bytes / events, bench.commits[bench.commit_count / 2],
	       bench.commits[bench.commit_count * 99 / 100]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"devices", 1, NULL, 'd'}, {"events", 1, NULL, 'e'},
						{"turn", 1, NULL, 't'},    {"gateways", 1, NULL, 'g'},
						{"runs", 1, NULL, 'n'},    {NULL, 0, NULL, 0}};
	char dir[T_DIR_MAX], city[T_DIR_MAX + 16], readings[T_DIR_MAX + 16];
	unsigned runs = 3;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		switch (option) {
		case 'd': bench.devices = number; break;
		case 'e': bench.events = number; break;
		case 't': bench.turn = number; break;
		case 'g': bench.gateways = number; break;
		case 'n': runs = number; break;
		default: return 2;
		}
	}
	t_temp_dir(dir);
	snprintf(city, sizeof city, "%s/city.db", dir);
	snprintf(readings, sizeof readings, "%s/readings.db", dir);
	bench.city = t_city_new_at(city, readings);
	start_checkpoints(bench.city->store);
	t_city_furnish(bench.city);
	must("/api/v1/profiles",
	     "{\"slug\":\"plain\",\"name\":\"Plain\",\"region\":\"us915\",\"mac_version\":"
	     "\"1.0.3\"}");
	add_gateways();
	add_devices();
	run("warm-up", bench.devices);
	for (unsigned i = 0; i < runs; i++)
		run("measured", bench.events);
	t_city_free(bench.city);
	t_temp_dir_remove(dir);
	return 0;
}
