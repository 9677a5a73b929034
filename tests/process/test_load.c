/* The load generator's uplinks through the real processes: each arrives at the subscriber, once, with its bytes. Small: what is fast is
 * measured by `make bench`; that nothing is lost and nothing is another's is proved here. */
#include "common/base/check.h"
#include "tests/harness/harness.h"
#include "tests/harness/load_subscriber.h"
#include "tests/harness/network.h"

#include <stdio.h>

#define DEVICES 50
#define UPLINKS 200

static bool has_sessions(void *ctx)
{
	return t_metric(ctx, "lamppost_network_sessions") >= DEVICES;
}

static bool bridge_knows(void *ctx)
{
	return t_metric(ctx, "lamppost_bridge_gateways{state=\"known\"}") >= 3;
}

static bool all_received(void *ctx)
{
	return t_load_counts(ctx).received >= UPLINKS;
}

static int simulator(const struct t_network *network, const char *const *words)
{
	struct t_process_options options = {.program = "lamppost-sim", .dir = t_network_dir(network)};
	for (size_t i = 0; words[i]; i++)
		options.arguments[i] = words[i];
	struct t_process *process = t_process_start(&options);
	int code = t_process_wait(process);
	t_process_free(process);
	return code;
}

static void register_load(struct t_network *network, const char *csv)
{
	static const char *const gateways[] = {"4c50475700000000", "4c50475700000001", "4c50475700000002"};
	t_cli_must(network, 0, "agency", "add", "--slug", "load", "--name", "Load");
	t_cli_must(network, 0, "application", "add", "--slug", "load", "--name", "Load", "--agency", "load");
	t_cli_must(network, 0, "profile", "add", "--slug", "load", "--name", "Load", "--region", "us915",
		   "--mac-version", "1.0.3");
	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++)
		t_cli_must(network, 0, "gateway", "add", gateways[i], "--name", gateways[i], "--region",
			   "us915", "--channel-plan", "8-15,65");
	t_int("sessions written", 0,
	      simulator(network, (const char *const[]){"sessions", "--devices", "50", "--csv", csv, NULL}));
	t_cli_must(network, 0, "device", "import", csv);
	t_true("sessions", t_wait_until(has_sessions, (void *)t_network_admin(network, T_NETWORK_SERVER),
					T_SLOW_CEILING));
	t_true("gateways", t_wait_until(bridge_knows, (void *)t_network_admin(network, T_GATEWAY_BRIDGE),
					T_SLOW_CEILING));
}

/* Every PULL_RESP was for the gateway at whose socket it came, and in it a frame that its device accepts. */
static void check_downlinks(const char *report)
{
	json_t *load = json_load_file(report, 0, NULL);
	t_true("a report", load != NULL);
	t_int("downlinks that nobody can read", 0,
	      json_integer_value(json_object_get(load, "bad_downlinks")));
	t_int("each is of a device", json_integer_value(json_object_get(load, "pull_resp")),
	      json_integer_value(json_object_get(load, "downlinks")));
	json_decref(load);
}

static void every_uplink_arrives_once_with_its_bytes(void **state)
{
	(void)state;
	char csv[T_PATH_MAX], report[T_PATH_MAX], bridge[32];
	struct t_network *network = t_network_start("");
	snprintf(csv, sizeof csv, "%s/load.csv", t_network_dir(network));
	snprintf(report, sizeof report, "%s/load.json", t_network_dir(network));
	snprintf(bridge, sizeof bridge, "127.0.0.1:%u", t_network_port(network));
	register_load(network, csv);
	struct t_load_subscriber *subscriber = t_load_subscribe(t_mosquitto_port(t_network_broker(network)),
								1);
	t_load_expect(subscriber, &(struct t_load_span){.devices = DEVICES, .count = UPLINKS});
	t_int("generator", 0,
	      simulator(network, (const char *const[]){"load", "--bridge", bridge, "--devices", "50",
						       "--gateways", "3", "--rate", "100", "--seconds", "2",
						       "--report", report, NULL}));
	t_true("all received", t_wait_until(all_received, subscriber, T_SLOW_CEILING));
	struct t_load_counts counts = t_load_counts(subscriber);
	t_int("received", UPLINKS, counts.received);
	t_int("repeats", 0, counts.repeats);
	t_int("wrong", 0, counts.wrong);
	check_downlinks(report);
	t_load_free(subscriber);
	t_network_free(network);
}

static void stores_are_durable_and_say_so(void **state)
{
	(void)state;
	static const struct {
		enum t_role role;
		const char *metric;
	} rows[] = {{T_JOIN_SERVER, "lamppost_join_store_synchronous"},
		    {T_NETWORK_SERVER, "lamppost_network_store_synchronous"},
		    {T_APPLICATION_SERVER, "lamppost_application_store_synchronous"}};
	struct t_network *network = t_network_start("");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(t_role_name(rows[i].role));
		t_int(rows[i].metric, 2,
		      (int)t_metric(t_network_admin(network, rows[i].role), rows[i].metric));
	}
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(every_uplink_arrives_once_with_its_bytes),
					   t_test(stores_are_durable_and_say_so)};
	return t_run(tests);
}
