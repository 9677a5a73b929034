/* SIGHUP to a whole network while a thousand uplinks come in: each process takes over what may change, a broken file changes
 * nothing, what needs a restart is named, the broker's connection is made anew, and not one uplink is lost. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define UPLINKS  1000
#define DEVICES  20
#define TEXT(x)  TEXT_(x)
#define TEXT_(x) #x

static struct t_network *network;

static void furnish(void)
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

static struct t_process *start_load(void)
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

/* --- the file -------------------------------------------------------------------------------------------------- */

struct file {
	const char *level, *bridge, *network, *application; /* more lines of each section */
	bool broken;
};

static void write_file(const struct file *file)
{
	char path[T_PATH_MAX], text[2048];
	snprintf(path, sizeof path, "%s/lamppost.yaml", t_network_dir(network));
	snprintf(text, sizeof text,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s/run\"\n  log_level: %s\n"
		 "gateway-bridge:\n  udp_listen: [\"127.0.0.1:%u\"]\n"
		 "  station_listen: []\n  cups_listen: [\"127.0.0.1:%u\"]\n%s"
		 "network-server:\n  rx_delay_s: 5\n%s"
		 "application-server:\n  mqtt.host: \"127.0.0.1\"\n  mqtt.port: %u\n%s%s",
		 t_network_state(network), t_network_dir(network), file->level, t_network_port(network),
		 t_network_cups_port(network), file->bridge ? file->bridge : "",
		 file->network ? file->network : "", t_mosquitto_port(t_network_broker(network)),
		 file->application ? file->application : "", file->broken ? "common: again\n" : "");
	t_write_file(path, text);
}

struct readings {
	const char *outcome;
	double each;
};

/* Every process has read the file so often, with that outcome. */
static bool all_have_read(void *ctx)
{
	const struct readings *wanted = ctx;
	char name[80];
	snprintf(name, sizeof name, "lamppost_config_reloads_total{outcome=\"%s\"}", wanted->outcome);
	for (int i = 0; i < T_ROLE_COUNT; i++)
		if (t_metric(t_network_admin(network, (enum t_role)i), name) < wanted->each)
			return false;
	return true;
}

static void hang_up(const char *outcome, double each)
{
	struct readings wanted = {outcome, each};
	t_network_hangup(network);
	t_true("all have read it", t_wait_until(all_have_read, &wanted, T_CEILING));
}

/* Whether a process warns of that in /healthz; it stays healthy. */
static bool warns(enum t_role role, const char *warning)
{
	char body[4096];
	size_t i;
	json_t *item;
	bool found = false;
	t_int("healthy", 200, t_unix_get(t_network_admin(network, role), "/healthz", body, sizeof body));
	json_t *health = json_loads(body, 0, NULL);
	json_array_foreach(json_object_get(health, "warnings"), i, item)
	{
		found = found || strcmp(json_string_value(item), warning) == 0;
	}
	json_decref(health);
	return found;
}

static long long log_size(void)
{
	char path[T_PATH_MAX];
	struct stat seen;
	snprintf(path, sizeof path, "%s/up.log", t_network_dir(network));
	assert_int_equal(0, stat(path, &seen));
	return seen.st_size;
}

static double brokers_connections(void)
{
	return t_metric(t_network_admin(network, T_APPLICATION_SERVER),
			"lamppost_application_mqtt_connections_total");
}

static bool has_connected_again(void *ctx)
{
	return brokers_connections() > *(const double *)ctx;
}

/* --- what comes out -------------------------------------------------------------------------------------------- */

struct delivered {
	struct t_subscriber *agency;
	size_t looked_at;
	json_t *ids;
};

static bool all_came(void *ctx)
{
	struct delivered *of = ctx;
	for (; of->looked_at < t_subscriber_count(of->agency); of->looked_at++) {
		json_t *event = json_loads(t_subscriber_payload(of->agency, of->looked_at), 0, NULL);
		const char *id = json_string_value(json_object_get(event, "deduplicationId"));
		if (id)
			json_object_set_new(of->ids, id, json_true());
		json_decref(event);
	}
	return json_object_size(of->ids) >= UPLINKS;
}

/* --- the test -------------------------------------------------------------------------------------------------- */

static void the_steps(void)
{
	static const struct file good = {.level = "error"};
	double connections = brokers_connections();
	t_row("what may change is taken over by all");
	write_file(&(struct file){.level = "error", .application = "  mqtt.in_flight: 50\n"});
	hang_up("taken", 1);
	t_row("the broker's connection is made anew");
	t_true("one more", t_wait_until(has_connected_again, &connections, T_CEILING));
	t_row("a lower log level is quiet: nobody says that it read the file again");
	long long before = log_size();
	hang_up("taken", 2);
	t_int("bytes logged", 0, log_size() - before);
	t_row("a broken file changes nothing, and is a warning of each");
	write_file(&(struct file){.level = "debug", .broken = true});
	hang_up("refused", 1);
	for (int i = 0; i < T_ROLE_COUNT; i++)
		t_true("warns", warns((enum t_role)i, "configuration_refused"));
	before = log_size();
	write_file(&good);
	hang_up("taken", 3);
	t_int("bytes logged, the level was not taken from the broken file", 0, log_size() - before);
	for (int i = 0; i < T_ROLE_COUNT; i++)
		t_false("warns no more", warns((enum t_role)i, "configuration_refused"));
	t_row("what needs a restart is named by the process that it concerns");
	write_file(&(struct file){.level = "error", .network = "  max_devices: 5000\n"});
	hang_up("taken", 4);
	t_true("warns", warns(T_NETWORK_SERVER, "restart_needed"));
	t_false("the bridge warns", warns(T_GATEWAY_BRIDGE, "restart_needed"));
	t_row("and no more when the file says the old value again");
	write_file(&good);
	hang_up("taken", 5);
	t_false("warns", warns(T_NETWORK_SERVER, "restart_needed"));
	t_row("a process by itself");
	kill(t_network_pid(network, T_GATEWAY_BRIDGE), SIGHUP);
}

static void no_uplink_is_lost(void **state)
{
	(void)state;
	network = t_network_start("");
	furnish();
	struct delivered delivered = {.agency = t_network_subscribe(network), .ids = json_object()};
	struct t_process *load = start_load();
	the_steps();
	t_row("traffic");
	t_true("the load still ran", t_process_running(load));
	t_int("load", 0, t_process_wait(load));
	t_true("every uplink came", t_wait_until(all_came, &delivered, T_SLOW_CEILING));
	t_uint("and no other", UPLINKS, json_object_size(delivered.ids));
	for (int i = 0; i < T_ROLE_COUNT; i++)
		t_true("nobody died", t_metric(t_network_admin(network, (enum t_role)i),
					       "lamppost_config_reloads_total{outcome=\"taken\"}") >= 5);
	t_process_free(load);
	json_decref(delivered.ids);
	t_subscriber_free(delivered.agency);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(no_uplink_is_lost)};
	return t_run(tests);
}
