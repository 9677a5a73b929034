/* Loss and airtime over the real path: a thousand uplinks, network server and application server killed in their midst. What the
 * ledger says is what the events say, each counted once; and a quota refuses a command at the command line. */
#include "tests/harness/harness.h"

#include "tests/harness/network.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPLINKS  1000
#define DEVICES  20
#define TEXT(x)  TEXT_(x)
#define TEXT_(x) #x

static void furnish(struct t_network *network)
{
	char csv[T_PATH_MAX];
	snprintf(csv, sizeof csv, "%s/load.csv", t_network_dir(network));
	struct t_process *sessions = t_process_start(&(struct t_process_options){
		.program = "lamppost-sim",
		.arguments = {"sessions", "--devices", TEXT(DEVICES), "--csv", csv},
		.dir = t_network_dir(network),
		.name = "sessions"});
	t_int("sessions", 0, t_process_wait(sessions));
	t_process_free(sessions);
	t_cli_must(network, 0, "agency", "add", "--slug", "water", "--name", "Water");
	t_cli_must(network, 0, "application", "add", "--slug", "load", "--name", "Meters", "--agency",
		   "water");
	t_cli_must(network, 0, "profile", "add", "--slug", "load", "--name", "Meter", "--region", "us915",
		   "--mac-version", "1.0.3");
	t_cli_must(network, 0, "gateway", "add", "4c50475700000000", "--name", "One", "--region", "us915");
	t_cli_must(network, 0, "device", "import", csv);
	t_network_replicated(network);
}

static struct t_process *start_load(struct t_network *network)
{
	char bridge[32];
	snprintf(bridge, sizeof bridge, "127.0.0.1:%u", t_network_port(network));
	return t_process_start(&(struct t_process_options){
		.program = "lamppost-sim",
		.arguments = {"load", "--bridge", bridge, "--devices", TEXT(DEVICES), "--gateways", "1",
			      "--rate", "125", "--seconds", "8"},
		.dir = t_network_dir(network),
		.name = "load"});
}

static json_t *list_devices(struct t_network *network)
{
	t_cli_must(network, 0, "device", "list", "--status", "--json");
	json_t *items = json_loads(t_cli_output(network), 0, NULL);
	assert_true(json_is_array(items));
	return items;
}

static json_int_t sum_of(const json_t *items, const char *outer, const char *name)
{
	json_int_t sum = 0;
	size_t i;
	const json_t *item;
	json_array_foreach(items, i, item)
	{
		sum += json_integer_value(json_object_get(json_object_get(item, outer), name));
	}
	return sum;
}

struct expected_sum {
	struct t_network *network;
	const char *outer, *name;
	json_int_t least;
};

static bool sum_is_reached(void *ctx)
{
	const struct expected_sum *wanted = ctx;
	json_t *items = list_devices(wanted->network);
	json_int_t sum = sum_of(items, wanted->outer, wanted->name);
	json_decref(items);
	return sum >= wanted->least;
}

struct truth {
	json_int_t received, expected;
};

/* The events themselves say what came: of each device from its first counter to its last. */
static struct truth read_events(const struct t_network *network)
{
	static const char sql[] = "SELECT sum(n), sum(last - first + 1) FROM (SELECT count(DISTINCT f) AS n, "
				  "max(f) AS last, min(f) "
				  "AS first FROM (SELECT dev_eui, json_extract(body, '$.fCnt') AS f FROM "
				  "events WHERE kind = 0) "
				  "GROUP BY dev_eui)";
	char path[T_PATH_MAX];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	snprintf(path, sizeof path, "%s/readings.db", t_network_state(network));
	assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
	assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
	struct truth truth = {sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1)};
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return truth;
}

/* Each filter asks what it says: nobody was silent for an hour, none told a battery, nothing is lost beyond 100 %, and all are silent
 * for a second once the load is over. */
static bool all_are_silent(void *ctx)
{
	struct t_network *network = ctx;
	t_cli_must(network, 0, "device", "list", "--silent", "1s", "--json");
	json_t *items = json_loads(t_cli_output(network), 0, NULL);
	size_t count = json_array_size(items);
	json_decref(items);
	return count == DEVICES;
}

static void how_they_fare_at_the_command_line(struct t_network *network, const char *eui)
{
	static const char *const none[][2] = {
		{"--silent", "1h"}, {"--battery-below", "100"}, {"--loss-above", "100"}};
	t_row("the list finds who is silent");
	t_true("all", t_wait_until(all_are_silent, network, T_SLOW_CEILING));
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		t_row(none[i][0]);
		t_cli_must(network, 0, "device", "list", none[i][0], none[i][1], "--json");
		t_true("nobody is like that", strncmp(t_cli_output(network), "[]", 2) == 0);
	}
	t_row("one device for people");
	t_cli_must(network, 0, "device", "status", eui);
	t_true("when", strstr(t_cli_output(network), " ago, by 1 gateway(s), DR") != NULL);
	t_true("what it lost", strstr(t_cli_output(network), "lost today       ") != NULL);
	t_true("a row of today", strstr(t_cli_output(network), "EXPECTED  RECEIVED  LOST") != NULL);
	t_row("what it has taken");
	t_cli_must(network, 0, "device", "mac", eui);
	t_true("a line a parameter", strstr(t_cli_output(network), "\nrx1_dr_offset ") != NULL);
	t_row("a rejoin of a device of ABP");
	t_cli_must(network, 4, "device", "rejoin", eui);
	t_true("says why", strstr(t_cli_output(network), "a device of ABP has no rejoin") != NULL);
}

static void the_ledger_is_exact_through_kills(void **state)
{
	(void)state;
	struct t_network *network = t_network_start("");
	furnish(network);
	struct t_process *load = start_load(network);
	struct expected_sum wanted = {network, "loss", "received", UPLINKS / 5};
	t_row("killed in the midst");
	t_true("taken", t_wait_until(sum_is_reached, &wanted, T_SLOW_CEILING));
	t_true("killed", t_network_kill(network, T_NETWORK_SERVER));
	t_true("well again", t_network_healthy(network));
	wanted.least = UPLINKS / 2;
	t_true("taken", t_wait_until(sum_is_reached, &wanted, T_SLOW_CEILING));
	t_true("killed", t_network_kill(network, T_APPLICATION_SERVER));
	t_int("load", 0, t_process_wait(load));
	t_process_free(load);
	t_true("well again", t_network_healthy(network));
	wanted.name = "expected";
	wanted.least = UPLINKS;
	t_true("the last of each device was heard", t_wait_until(sum_is_reached, &wanted, T_SLOW_CEILING));
	t_true("killed", t_network_kill(network, T_APPLICATION_SERVER));
	t_true("well again", t_network_healthy(network));
	json_t *items = list_devices(network);
	struct truth truth = read_events(network);
	t_row("loss");
	t_int("expected", truth.expected, sum_of(items, "loss", "expected"));
	t_int("received", truth.received, sum_of(items, "loss", "received"));
	t_int("lost", truth.expected - truth.received, sum_of(items, "loss", "lost"));
	t_row("airtime");
	t_int("an uplink each", truth.received, sum_of(items, "airtime", "uplinks"));
	t_cli_must(network, 0, "airtime", "--agency", "water", "--json");
	json_t *answer = json_loads(t_cli_output(network), 0, NULL);
	const json_t *water = json_array_get(json_object_get(answer, "agencies"), 0);
	t_int("the agency's uplinks", truth.received, json_integer_value(json_object_get(water, "uplinks")));
	json_decref(answer);
	const char *eui = json_string_value(json_object_get(json_array_get(items, 0), "dev_eui"));
	how_they_fare_at_the_command_line(network, eui);
	t_row("a quota at the command line");
	t_cli_must(network, 0, "downlink", "send", eui, "--port", "1", "--hex", "01");
	t_cli_must(network, 0, "agency", "update", "water", "--device-airtime-down-s-per-day", "0");
	t_cli_must(network, 4, "downlink", "send", eui, "--port", "1", "--hex", "02");
	t_true("says which",
	       strstr(t_cli_output(network), "the device may use 0 s of downlink airtime") != NULL);
	t_true("and what next", strstr(t_cli_output(network), "Try: lamppost airtime.") != NULL);
	t_cli_must(network, 0, "agency", "update", "water", "--device-airtime-down-s-per-day", "");
	t_cli_must(network, 0, "downlink", "send", eui, "--port", "1", "--hex", "02");
	json_decref(items);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(the_ledger_is_exact_through_kills)};
	return t_run(tests);
}
