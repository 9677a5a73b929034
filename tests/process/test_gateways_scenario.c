/* A city with every kind of gateway (simulator/scenarios/gateways.yaml) on the real processes, over real UDP, TLS and a real broker: a packet forwarder, a
 * station by certificate that learns from CUPS where to go, a station by token, and a gateway by MQTT. Each has a sensor that
 * it alone hears: it joins, its readings are delivered, its confirmed ones acknowledged.
 *
 * Meanwhile two more stations have one certificate and so one EUI, as a cloned memory card makes them: they replace each other again and
 * again, the city is told by an alarm, and the neighbours notice nothing. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KINDS 4
#define TWIN  "aa555a0000000205"

static const struct {
	const char *name;
	const char *gateway, *device;
} kinds[KINDS] = {
	{"a packet forwarder", "aa555a0000000201", "70b3d57ed0060001"},
	{"a station by certificate", "aa555a0000000202", "70b3d57ed0060002"},
	{"a station by token", "aa555a0000000203", "70b3d57ed0060003"},
	{"a gateway by MQTT", "aa555a0000000204", "70b3d57ed0060004"},
};

static struct t_network *network;
static struct t_subscriber *agency;
static struct t_process *twins;
static char root[T_PATH_MAX];

static const char *path_of(const char *name)
{
	static char path[2 * T_PATH_MAX];
	snprintf(path, sizeof path, "%s/simulator/scenarios/%s", root, name);
	return path;
}

static void register_sensors(void)
{
	static const char *const profiles[][3] = {{"air-1-0-4", "1.0.4", "air"},
						  {"climate-1-1", "1.1.0", "climate"},
						  {"water-1-0-3", "1.0.3", "water"},
						  {"people-1-0-4", "1.0.4", "people"}};
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "city-block", "--name", "City block",
		   "--agency", "parks");
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		char codec[2 * T_PATH_MAX];
		snprintf(codec, sizeof codec, "@%s/simulator/scenarios/codecs/%s.yaml", root, profiles[i][2]);
		t_cli_must(network, 0, "profile", "add", "--slug", profiles[i][0], "--name", profiles[i][0],
			   "--region", "eu868", "--mac-version", profiles[i][1], "--codec", codec);
	}
	t_cli_must(network, 0, "device", "import", path_of("gateways.csv"));
}

static void register_gateways(void)
{
	char lns[64], cups[64];
	snprintf(lns, sizeof lns, "wss://localhost:%u", t_network_station_port(network));
	snprintf(cups, sizeof cups, "https://localhost:%u", t_network_cups_port(network));
	t_cli_must(network, 0, "gateway", "add", kinds[0].gateway, "--name", "Gas works", "--region",
		   "eu868");
	t_cli_must(network, 0, "gateway", "add", kinds[1].gateway, "--name", "Mast", "--region", "eu868",
		   "--accept-udp", "false", "--accept-token", "false", "--tc-uri", lns);
	t_cli_must(network, 0, "gateway", "add", kinds[2].gateway, "--name", "Tower", "--region", "eu868",
		   "--accept-udp", "false", "--accept-certificate", "false", "--accept-token", "true");
	t_cli_must(network, 0, "gateway", "add", kinds[3].gateway, "--name", "Market", "--region", "eu868",
		   "--accept-udp", "false", "--accept-mqtt", "true");
	t_cli_must(network, 0, "gateway", "add", TWIN, "--name", "Twin", "--region", "eu868", "--accept-udp",
		   "false", "--accept-token", "false");
	t_cli_must(network, 0, "gateway", "certificate", TWIN, "issue", "--output", "twin", "--tc-uri", lns);
	t_cli_must(network, 0, "gateway", "certificate", kinds[1].gateway, "issue", "--output", "mast",
		   "--cups-uri", cups);
	t_cli_must(network, 0, "gateway", "token", kinds[2].gateway, "issue", "--output", "tower", "--tc-uri",
		   lns);
}

static void start_twins(void)
{
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/twins.yaml", t_network_dir(network));
	t_write_file(path, "region: eu868\ngateways:\n"
			   "  - {eui: " TWIN ", x: 0, y: 0, protocol: basics_station, home: twin}\n"
			   "  - {eui: " TWIN ", x: 9, y: 0, protocol: basics_station, home: twin}\n"
			   "devices: []\n");
	twins = t_network_program(network, "lamppost-sim", "twins",
				  (const char *const[]){"run", path, "--quiet", NULL});
}

static int open_network(void **state)
{
	int failed = t_setup(state);
	assert_non_null(getcwd(root, sizeof root));
	network = t_network_start_for_gateways("");
	register_gateways();
	register_sensors(); /* the last: what the join server has applied is known by it */
	t_network_replicated(network);
	start_twins();
	agency = t_network_subscribe(network);
	return failed;
}

static int close_network(void **state)
{
	t_int("the twins end in order", 0, t_process_stop(twins));
	t_process_free(twins);
	t_subscriber_free(agency);
	t_network_free(network);
	return t_teardown(state);
}

/* Whether a reading of this device was delivered, by that gateway. */
static bool was_delivered(size_t kind)
{
	char topic[64], gateway[48];
	snprintf(topic, sizeof topic, "/device/%s/event/up", kinds[kind].device);
	snprintf(gateway, sizeof gateway, "\"gatewayId\":\"%s\"", kinds[kind].gateway);
	for (size_t i = 0; i < t_subscriber_count(agency); i++)
		if (strstr(t_subscriber_topic(agency, i), topic) != NULL)
			return strstr(t_subscriber_payload(agency, i), gateway) != NULL;
	return false;
}

static bool all_is_delivered(void *ctx)
{
	(void)ctx;
	return t_network_check(network, agency, false, false) == 0;
}

static json_t *gateway_of(const json_t *report, size_t kind)
{
	return json_array_get(json_object_get(report, "gateways"), kind);
}

static void every_kind_of_gateway_carries_joins_and_readings(void **state)
{
	(void)state;
	char bridge[32], broker[48], report_file[T_PATH_MAX];
	snprintf(bridge, sizeof bridge, "127.0.0.1:%u", t_network_port(network));
	snprintf(broker, sizeof broker, "mqtt://127.0.0.1:%u", t_mosquitto_port(t_network_broker(network)));
	snprintf(report_file, sizeof report_file, "%s/sent.json", t_network_dir(network));
	struct t_process *simulator = t_network_program(
		network, "lamppost-sim", "simulator",
		(const char *const[]){"run", path_of("gateways.yaml"), "--bridge", bridge, "--broker", broker,
				      "--report", report_file, NULL});
	int code = t_process_wait(simulator);
	char log[16384];
	if (!t_int("what the scenario expects holds", 0, code))
		fprintf(stderr, "%s\n", t_process_log(simulator, log, sizeof log));
	t_process_free(simulator);
	if (!t_true("all that was sent is delivered once", t_wait_until(all_is_delivered, NULL, T_CEILING)))
		(void)t_network_check(network, agency, false, true);
	json_t *report = t_network_report(network);
	for (size_t i = 0; i < KINDS; i++) {
		t_row(kinds[i].name);
		t_true("delivered through it", was_delivered(i));
		t_true("sent its downlinks",
		       json_integer_value(json_object_get(gateway_of(report, i), "sent")) >= 2);
	}
	t_row("the stations");
	for (size_t i = 1; i <= 2; i++)
		t_str("state", "running",
		      json_string_value(
			      json_object_get(json_object_get(gateway_of(report, i), "station"), "state")));
	t_row("the gateway by MQTT");
	const json_t *mqtt = json_object_get(gateway_of(report, 3), "mqtt");
	t_true("statistics", json_integer_value(json_object_get(mqtt, "stats")) >= 2);
	t_int("commands that no gateway could carry out", 0,
	      json_integer_value(json_object_get(mqtt, "refused")));
	json_decref(report);
}

static bool is_told(void *ctx)
{
	(void)ctx;
	return t_cli(network, "alarm", "list", "--kind", "duplicate_eui", "--json") == 0 &&
	       strstr(t_cli_output(network), TWIN) != NULL;
}

/* The kind holds for half a minute before it is raised. */
static void two_stations_with_one_eui_are_an_alarm(void **state)
{
	(void)state;
	t_true("told", t_wait_until(is_told, NULL, T_SLOW_CEILING));
	t_true("what it is",
	       strstr(t_cli_output(network), "Two gateways seem to use the EUI of Twin") != NULL);
	for (size_t i = 0; i < KINDS; i++) {
		t_row(kinds[i].name);
		t_true("not its neighbour", strstr(t_cli_output(network), kinds[i].gateway) == NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_kind_of_gateway_carries_joins_and_readings,
						open_network, t_teardown),
		cmocka_unit_test_setup_teardown(two_stations_with_one_eui_are_an_alarm, t_setup,
						close_network),
	};
	return t_run(tests);
}
