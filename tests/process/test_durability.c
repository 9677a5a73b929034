/* Durability, from the device's and the subscriber's side: traffic of many devices, confirmed readings and joins among it, while every
 * process is killed (-9) at random moments, and all of them at once; then what devices had acknowledged, what the servers committed
 * and what the subscriber got are held against each other, and every counter and nonce on the air. The moments come from a seed that
 * is printed; LAMPPOST_TEST_SEED sets it. */
#include "tests/harness/harness.h"

#include "application-server/uuid.h"
#include "common/base/arena.h"
#include "common/base/rng.h"
#include "common/proto/envelope.h"
#include "network-server/store_network.h"
#include "tests/harness/network.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS    3
#define KILLS     3 /* of each process a round; beside them all at once */
#define OTAA      6
#define METERS    8
#define CYCLES    6 /* power cycles of each OTAA device: joins all the time */
#define FILE_ROOM 16384

static struct rng rng;

/* --- the devices --------------------------------------------------------------------------------------------- */

/* Of the devices of 1.1, each its own; "" of the others. */
static const char *nwk_key(unsigned number, const char *before, const char *behind)
{
	static char text[80];
	snprintf(text, sizeof text, "%sb%u4960e8d114c53a07ce9d3481b625f0%s", before, number, behind);
	return number % 3 == 1 ? text : "";
}

static void write_scenario(const char *dir)
{
	static const char *const versions[] = {"1.0.4", "1.1.0", "1.0.3"};
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/durability.yaml", dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("seed: 7\nregion: us915\narea_m: 500\npath_loss: {exponent: 2.7}\ngateways:\n"
	      "  - {eui: \"aa555a0000000101\", x: -100, y: 50, protocol: udp2, backhaul_ms: 5, keepalive_s: "
	      "1}\n"
	      "  - {eui: \"aa555a0000000102\", x: 100, y: -50, protocol: udp1, backhaul_ms: 9, keepalive_s: "
	      "1}\n"
	      "devices:\n",
	      file);
	for (unsigned i = 0; i < OTAA; i++)
		fprintf(file,
			"  - {name: sensor-%u, dev_eui: \"70b3d57ed007000%u\", join_eui: "
			"\"70b3d57ed0000001\", "
			"activation: otaa, mac_version: \"%s\", app_key: "
			"\"a%u1f6c02d94e4b7fa3b05c6de7182930\", %s sub_band: 2, dr: 3, first_s: %u, "
			"interval_s: 3, payload: counter, fport: 10, confirmed_every: 2}\n",
			i, i, versions[i % 3], i, nwk_key(i, "nwk_key: \"", "\","), i);
	fprintf(file,
		"  - {count: %d, name: meter, dev_eui: \"70b3d57ed0080001\", activation: abp, mac_version: "
		"\"1.0.4\", dev_addr: \"01018001\", nwk_s_key: \"c40b5a9971e24f3d8e06b27d1f83ac00\", "
		"app_s_key: \"37d8e10fa6bc4920815e4c9b6a02f700\", sub_band: 2, dr: 3, interval_s: 3, "
		"payload: "
		"counter, fport: 11, confirmed_every: 2}\nfaults:\n",
		METERS);
	for (unsigned cycle = 0; cycle < CYCLES; cycle++) {
		for (unsigned i = 0; i < OTAA; i++)
			fprintf(file, "  - {at_s: %u, kind: device_off, target: sensor-%u, for_s: 0.5}\n",
				15 * (cycle + 1) + 2 * i, i);
	}
	fclose(file);
}

static void write_csv(const char *dir)
{
	static const char *const profiles[] = {"air-1-0-4", "climate-1-1", "water-1-0-3"};
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/durability.csv", dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("dev_eui,name,application,profile,activation,join_eui,app_key,nwk_key,dev_addr,nwk_s_key,app_s_"
	      "key\n",
	      file);
	for (unsigned i = 0; i < OTAA; i++)
		fprintf(file,
			"70b3d57ed007000%u,sensor-%u,city-block,%s,otaa,70b3d57ed0000001,"
			"a%u1f6c02d94e4b7fa3b05c6de7182930,%s,,,\n",
			i, i, profiles[i % 3], i, nwk_key(i, "", ""));
	for (unsigned i = 0; i < METERS; i++)
		fprintf(file,
			"70b3d57ed008000%u,meter-%u,city-block,parking-abp,abp,,,,0101800%u,"
			"c40b5a9971e24f3d8e06b27d1f83ac%02x,37d8e10fa6bc4920815e4c9b6a02f7%02x\n",
			i + 1, i + 1, i + 1, i, i);
	fclose(file);
}

/* --- killing ------------------------------------------------------------------------------------------------- */

static bool has_passed(void *moment)
{
	return t_seconds() >= *(double *)moment;
}

static void a_random_while(uint32_t at_most_ms)
{
	double moment = t_seconds() + rng_below(&rng, at_most_ms) / 1000.0;
	t_wait_until(has_passed, &moment, T_CEILING);
}

struct victim {
	struct t_network *network;
	enum t_role role;
};

static bool kill_it(void *ctx)
{
	const struct victim *victim = ctx;
	return t_network_kill(victim->network, victim->role);
}

/* Kills each KILLS times in random order; one that waits for its restart is killed as soon as it runs again. */
static void kill_a_round(struct t_network *network)
{
	struct victim victims[KILLS * T_ROLE_COUNT];
	for (unsigned i = 0; i < ARRAY_SIZE(victims); i++)
		victims[i] = (struct victim){network, (enum t_role)(i % T_ROLE_COUNT)};
	for (uint32_t i = ARRAY_SIZE(victims) - 1; i > 0; i--) {
		uint32_t j = rng_below(&rng, i + 1);
		struct victim victim = victims[i];
		victims[i] = victims[j];
		victims[j] = victim;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(victims); i++) {
		a_random_while(1500);
		t_row(t_role_name(victims[i].role));
		t_true("killed", t_wait_until(kill_it, &victims[i], T_SLOW_CEILING));
	}
	t_row("all at once");
	a_random_while(1500);
	t_network_crash(network);
	t_true("all are well again", t_network_resume(network));
}

/* --- what the servers committed ------------------------------------------------------------------------------ */

struct ids {
	struct t_subscriber *agency;
	json_t *delivered; /* event id → true */
	unsigned committed, missing;
	struct arena arena;
};

static void look_for(struct ids *ids, const char *id)
{
	ids->committed++;
	if (!json_object_get(ids->delivered, id)) {
		ids->missing++;
		fprintf(stderr, "event %s was committed, but not delivered\n", id);
	}
}

static void look_for_event(struct ids *ids, const struct net_event_head *head)
{
	char text[AS_UUID_TEXT];
	look_for(ids, as_uuid_format(text, &head->id));
}

/* What an agency tells repeats by: readings and joins have the event's id as `deduplicationId`, all others as `eventId`. */
static const char *id_of(const json_t *event)
{
	const json_t *id = json_object_get(event, "eventId");
	return json_string_value(id ? id : json_object_get(event, "deduplicationId"));
}

static bool visit_journal(void *ctx, uint64_t row, const uint8_t *event, size_t length)
{
	static struct proto_message message;
	struct ids *ids = ctx;
	(void)row;
	if (proto_unpack(&message, event, length, &ids->arena) != ST_OK)
		ids->missing++;
	else if (message.kind == PROTO_UP_EVENT)
		look_for_event(ids, &message.up_event.head);
	else if (message.kind == PROTO_JOIN_EVENT)
		look_for_event(ids, &message.join_event.head);
	else if (message.kind == PROTO_STATUS_EVENT)
		look_for_event(ids, &message.status_event.head);
	return true;
}

static void look_into_stores(struct t_network *network, struct ids *ids)
{
	char path[T_PATH_MAX];
	sqlite3 *readings = NULL;
	sqlite3_stmt *statement = NULL;
	snprintf(path, sizeof path, "%s/readings.db", t_network_state(network));
	t_int("open readings.db", SQLITE_OK, sqlite3_open_v2(path, &readings, SQLITE_OPEN_READWRITE, NULL));
	t_int("events", SQLITE_OK,
	      sqlite3_prepare_v2(readings, "SELECT id FROM events", -1, &statement, NULL));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct net_event_head head;
		memcpy(head.id.bytes, sqlite3_column_blob(statement, 0), sizeof head.id.bytes);
		look_for_event(ids, &head);
	}
	sqlite3_finalize(statement);
	sqlite3_close(readings);
	struct ns_store store;
	uint64_t seen = 0;
	snprintf(path, sizeof path, "%s/network.db", t_network_state(network));
	t_int("open network.db", ST_OK, ns_store_open(&store, path, NULL));
	while (ns_store_events(&store, seen, 1000, visit_journal, ids, &seen)) {
	}
	ns_store_close(&store);
}

static void committed_means_delivered(struct t_network *network, struct t_subscriber *agency)
{
	struct ids ids = {.agency = agency, .delivered = json_object()};
	arena_init(&ids.arena, 1 << 20);
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		json_t *event = json_loads(t_subscriber_payload(agency, i), 0, NULL);
		json_object_set_new(ids.delivered, id_of(event), json_true());
		json_decref(event);
	}
	look_into_stores(network, &ids);
	t_uint("committed, but not delivered", 0, ids.missing);
	t_true("something was committed", ids.committed > 0);
	json_decref(ids.delivered);
	arena_release(&ids.arena);
}

/* --- the test ------------------------------------------------------------------------------------------------ */

struct settled {
	struct t_network *network;
	struct t_subscriber *agency;
};

static bool holds(void *ctx)
{
	const struct settled *settled = ctx;
	return t_network_check(settled->network, settled->agency, true, false) == 0;
}

static void nothing_is_lost_and_nothing_repeated(void **state)
{
	(void)state;
	struct t_network *network = t_network_start("network-server:\n  rx_delay_s: 1\n");
	const char *dir = t_network_dir(network);
	char path[T_PATH_MAX];
	t_network_furnish(network);
	write_scenario(dir);
	write_csv(dir);
	snprintf(path, sizeof path, "%s/durability.csv", dir);
	t_cli_must(network, 0, "device", "import", path);
	t_network_replicated(network);
	struct t_subscriber *agency = t_network_subscribe(network);
	snprintf(path, sizeof path, "%s/durability.yaml", dir);
	struct t_process *simulator = t_network_simulate(network, path, NULL);
	t_row("traffic flows");
	t_true("events", t_subscriber_wait(agency, 2 * (METERS + OTAA), T_SLOW_CEILING));
	for (unsigned round = 0; round < ROUNDS; round++)
		kill_a_round(network);
	t_row("traffic flows again");
	t_true("events", t_subscriber_wait(agency, t_subscriber_count(agency) + 5 * METERS, T_SLOW_CEILING));
	t_int("simulator", 0, t_process_stop(simulator));
	t_process_free(simulator);
	t_row("the checker");
	struct settled settled = {network, agency};
	t_true("holds", t_wait_until(holds, &settled, T_CEILING));
	t_network_check(network, agency, true, true);
	t_network_stop(network);
	committed_means_delivered(network, agency);
	t_row("the test meant something");
	json_t *report = t_network_report(network), *totals = json_object_get(report, "totals");
	t_true("acknowledged", json_integer_value(json_object_get(totals, "acknowledged")) > 20);
	t_true("joined", json_integer_value(json_object_get(totals, "joined")) > 0);
	json_decref(report);
	t_subscriber_free(agency);
	t_network_free(network);
}

int main(void)
{
	const char *given = getenv("LAMPPOST_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10)
			      : (uint64_t)(t_seconds() * 1e6) ^ (uint64_t)getpid();
	printf("LAMPPOST_TEST_SEED=%llu\n", (unsigned long long)seed);
	rng = rng_seeded(seed);
	const struct CMUnitTest tests[] = {t_test(nothing_is_lost_and_nothing_repeated)};
	return t_run(tests);
}
