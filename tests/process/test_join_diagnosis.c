/* Ten sensors on a desk, each broken in one way, and one that is well: the real processes, simulated radio, the public command
 * line. `lamppost join list` and `device watch` have to name each cause, and only that one.
 *
 * Four gateways, told apart by their sub-bands: the second is the network's, the first is set wrongly (its record says the
 * second), the third transmits nothing, the fourth refuses to transmit. A fifth was
 * forgotten in the registry. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_EUI  "70b3d57ed0000001"
#define FORGOTTEN "aa555a0000000105"

static const struct sensor {
	const char *name;
	const char *registered; /* DevEUI; NULL: not registered */
	const char *registered_join_eui;
	const char *sends, *sends_join_eui;
	const char *registered_key_tail, *key_tail; /* last two digits of the AppKey */
	const char *problem;                        /* expected; NULL: none */
	unsigned sub_band;
} sensors[] = {
	{"good", "70b3d57ed0060001", JOIN_EUI, "70b3d57ed0060001", JOIN_EUI, "01", "01", NULL, 2},
	{"wrong-key", "70b3d57ed0060002", JOIN_EUI, "70b3d57ed0060002", JOIN_EUI, "02", "ff", "wrong_key", 2},
	{"reversed", "03000ad07ed5b370", JOIN_EUI, "70b3d57ed00a0003", JOIN_EUI, "03", "03",
	 "dev_eui_reversed", 2},
	{"other-join-eui", "70b3d57ed0060004", "70b3d57ed0000099", "70b3d57ed0060004", JOIN_EUI, "04", "04",
	 "join_eui_differs", 2},
	{"reversed-join-eui", "70b3d57ed0060005", "010000d07ed5b370", "70b3d57ed0060005", JOIN_EUI, "05",
	 "05", "join_eui_reversed", 2},
	{"unregistered", NULL, NULL, "70b3d57ed0060006", JOIN_EUI, NULL, "06", "unknown_dev_eui", 2},
	{"neighbour", NULL, NULL, "a84041ffff123456", "a84041ffff000001", NULL, "07", "foreign", 2},
	{"old-nonce", "70b3d57ed0060008", JOIN_EUI, "70b3d57ed0060008", JOIN_EUI, "08", "08",
	 "dev_nonce_not_increasing", 2},
	{"sub-band", "70b3d57ed0060009", JOIN_EUI, "70b3d57ed0060009", JOIN_EUI, "09", "09", "wrong_sub_band",
	 1},
	{"disabled", "70b3d57ed006000a", JOIN_EUI, "70b3d57ed006000a", JOIN_EUI, "0a", "0a",
	 "device_disabled", 2},
	{"mute-gateway", "70b3d57ed006000b", JOIN_EUI, "70b3d57ed006000b", JOIN_EUI, "0b", "0b",
	 "accept_not_heard", 3},
	{"gateway-refuses", "70b3d57ed006000c", JOIN_EUI, "70b3d57ed006000c", JOIN_EUI, "0c", "0c",
	 "gateway_refused", 4},
};

enum { GOOD, OLD_NONCE = 7, UNREGISTERED = 5, NEIGHBOUR = 6 };

#define KEY_HEAD "8a1f6c02d94e4b7fa3b05c6de71829"

static struct t_network *network;
static char path[T_PATH_MAX];

static void furnish(void)
{
	static const char *const plans[] = {"8-15,65", "8-15,65", "16-23,66", "24-31,67"};
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "desk", "--name", "Desk", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4");
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		char eui[] = "aa555a0000000101", name[] = "Gateway 1";
		eui[15] = name[8] = (char)('1' + i);
		t_cli_must(network, 0, "gateway", "add", eui, "--name", name, "--region", "us915",
			   "--channel-plan", plans[i]);
	}
	snprintf(path, sizeof path, "%s/sensors.csv", t_network_dir(network));
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "dev_eui,name,application,profile,activation,join_eui,app_key\n");
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++)
		if (sensors[i].registered)
			fprintf(file, "%s,%s,desk,probe,otaa,%s,%s%s\n", sensors[i].registered,
				sensors[i].name, sensors[i].registered_join_eui, KEY_HEAD,
				sensors[i].registered_key_tail);
	fclose(file);
	t_cli_must(network, 0, "device", "import", path);
	t_cli_must(network, 0, "device", "update", "70b3d57ed006000a", "--enabled", "false");
	t_network_replicated(network);
}

/* Only the sensor `alone`, whose DevNonce then begins high; or all of them (−1). */
static struct t_process *simulate(int alone)
{
	snprintf(path, sizeof path, "%s/desk%d.yaml", t_network_dir(network), alone);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"seed: 7\nregion: us915\narea_m: 200\npath_loss: {exponent: 2.7, shadowing_db: 0, fading: "
		"none}\ngateways:\n");
	for (unsigned i = 1; i <= 5; i++) {
		static const unsigned sub_bands[] = {0, 2, 1, 3, 4, 5};
		fprintf(file,
			"  - {eui: \"aa555a000000010%u\", x: %u, y: 50, protocol: udp2, sub_band: %u, "
			"first_tmst: %u%s}\n",
			i, 20 * i, sub_bands[i], alone < 0 ? 3000000000u : 1000000u,
			i == 4 ? ", max_power_dbm: 3, power_is_error: true" : "");
	}
	fprintf(file, "devices:\n");
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++)
		if (alone < 0 || i == (size_t)alone)
			fprintf(file,
				"  - {name: \"%s\", dev_eui: \"%s\", join_eui: \"%s\", activation: otaa, "
				"mac_version: \"1.0.4\", app_key: \"%s%s\", x: 0, y: 0, sub_band: %u, dr: 3, "
				"first_s: %.1f, interval_s: 5, payload: counter, dev_nonce: %u}\n",
				sensors[i].name, sensors[i].sends, sensors[i].sends_join_eui, KEY_HEAD,
				sensors[i].key_tail, sensors[i].sub_band, 0.5 + 0.45 * (double)i,
				alone < 0 ? 10u : 500u);
	if (alone < 0)
		fprintf(file,
			"faults:\n  - {at_s: 0, kind: gateway_mute, target: \"aa555a0000000103\", for_s: "
			"600}\n");
	fclose(file);
	return t_network_simulate(network, path, NULL);
}

/* --- answers ------------------------------------------------------------------------------------------------ */

static json_t *items(bool unknown)
{
	int code = unknown ? t_cli(network, "join", "list", "--unknown", "--json")
			   : t_cli(network, "join", "list", "--json");
	if (code != 0)
		return NULL;
	json_t *answer = json_loads(t_cli_output(network), 0, NULL);
	json_t *list = json_incref(json_object_get(answer, "items"));
	json_decref(answer);
	return list;
}

/* Lends the item of a sensor, or NULL. */
static const json_t *find(const json_t *list, const struct sensor *sensor)
{
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		const char *sent = json_string_value(json_object_get(item, "dev_eui"));
		const char *device = json_string_value(json_object_get(item, "device"));
		if (strcmp(sent, sensor->sends) == 0 &&
		    (!sensor->registered || (device && strcmp(device, sensor->registered) == 0)))
			return item;
	}
	return NULL;
}

static bool says(const json_t *item, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(item, member));
	return text ? value && strcmp(value, text) == 0 : !value;
}

/* The muted gateway's device waits for its accepts, so its last attempt is on its way as often as not: what counts is that
 * accepts before it were not heard. */
static bool is_named(const json_t *item, const struct sensor *sensor)
{
	if (sensor->problem && strcmp(sensor->problem, "accept_not_heard") == 0)
		return json_integer_value(json_object_get(item, "accepts_unheard")) > 0;
	if (!sensor->problem || strcmp(sensor->problem, "wrong_sub_band") == 0)
		return says(item, "problem", sensor->problem) && says(item, "verdict", "joined");
	return says(item, "problem", sensor->problem);
}

static bool all_named(void *ctx)
{
	(void)ctx;
	json_t *known = items(false), *unknown = items(true);
	bool named = known && unknown;
	for (size_t i = 0; i < ARRAY_SIZE(sensors) && named; i++) {
		const json_t *item = find(sensors[i].registered ? known : unknown, &sensors[i]);
		named = item && is_named(item, &sensors[i]);
	}
	json_decref(known);
	json_decref(unknown);
	return named;
}

static bool has_joined(void *ctx)
{
	const struct sensor *sensor = ctx;
	json_t *known = items(false);
	const json_t *item = find(known, sensor);
	bool joined = item && says(item, "verdict", "joined");
	json_decref(known);
	return joined;
}

/* --- watching ----------------------------------------------------------------------------------------------- */

static struct t_process *watch(const char *name, const char *eui, const char *count)
{
	static char socket_path[T_PATH_MAX];
	snprintf(socket_path, sizeof socket_path, "%s/run/city.sock", t_network_dir(network));
	return t_process_start(&(struct t_process_options){
		.program = "lamppost",
		.arguments = {"device", "watch", eui, "--json", "--count", count, "--socket", socket_path},
		.dir = t_network_dir(network),
		.name = name});
}

static bool is_watching(void *ctx)
{
	static char log[65536];
	return strstr(t_process_log(ctx, log, sizeof log), "\"known\"") != NULL;
}

/* Whether a line of the kind has the member with that text. */
static bool watched(struct t_process *process, const char *kind, const char *member, const char *text)
{
	static char log[65536];
	bool found = false;
	t_process_log(process, log, sizeof log);
	for (char *line = log, *end; line && *line && !found; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		json_t *event = json_loads(line, 0, NULL);
		found = event && says(event, "kind", kind) &&
			says(json_object_get(event, "event"), member, text);
		json_decref(event);
	}
	return found;
}

/* --- tests -------------------------------------------------------------------------------------------------- */

static void each_cause_is_named(void **state)
{
	(void)state;
	network = t_network_start("");
	furnish();

	struct t_process *before = simulate(OLD_NONCE);
	t_row("the sensor that will lose its counter joins once");
	t_true("joined", t_wait_until(has_joined, (void *)&sensors[OLD_NONCE], T_SLOW_CEILING));
	(void)t_process_stop(before);
	t_process_free(before);

	t_row("watching from the start");
	struct t_process *good = watch("watch-good", "70-B3-D5-7E-D0-06-00-01", "7");
	struct t_process *stranger = watch("watch-stranger", "70b3d57ed0060006", "1");
	t_true("of the good one", t_wait_until(is_watching, good, T_SLOW_CEILING));
	t_true("of one that is not registered", t_wait_until(is_watching, stranger, T_SLOW_CEILING));

	struct t_process *simulator = simulate(-1);
	bool named = t_wait_until(all_named, NULL, 3 * T_SLOW_CEILING);
	json_t *known = items(false), *unknown = items(true);
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
		t_row(sensors[i].name);
		const json_t *item = find(sensors[i].registered ? known : unknown, &sensors[i]);
		t_true("is listed", item != NULL);
		if (item && !t_true("with its cause", is_named(item, &sensors[i])))
			json_dumpf(item, stderr, JSON_INDENT(1));
		if (item && sensors[i].problem)
			t_true("and what to do next",
			       json_string_length(json_object_get(item, "next")) > 0 ||
				       strcmp(sensors[i].problem, "accept_not_heard") == 0);
	}
	t_row("all");
	t_true("named", named);
	t_uint("nobody but the sensors that are registered", 10, json_array_size(known));
	t_true("the neighbour is not among them", find(known, &sensors[NEIGHBOUR]) == NULL);
	json_decref(known);
	json_decref(unknown);

	t_row("what the watchers saw");
	t_int("watch of the good one ended", 0, t_process_wait(good));
	t_int("watch of the stranger ended", 0, t_process_wait(stranger));
	t_true("the accept", watched(good, "join_attempt", "verdict", "accept_sent"));
	t_true("the first uplink", watched(good, "join_attempt", "verdict", "joined"));
	t_true("its reading", watched(good, "up", "regionConfigId", "us915"));
	char log[8192];
	t_true("the gateway that is not registered",
	       strstr(t_process_log(stranger, log, sizeof log), "\"unknown_gateways\":[\"" FORGOTTEN "\"]"));
	t_true("the stranger's cause", watched(stranger, "join_attempt", "problem", "unknown_dev_eui"));
	t_process_free(good);
	t_process_free(stranger);
	(void)t_process_stop(simulator);
	t_process_free(simulator);

	t_row("after a restart of everything");
	t_network_crash(network);
	t_true("back", t_network_resume(network));
	known = items(false);
	t_uint("the last attempts are still there", 10, json_array_size(known));
	json_decref(known);
	t_cli_must(network, 0, "join", "list");
	t_cli_must(network, 0, "join", "list", "--device", "70b3d57ed0060002");
	t_true("in words", strstr(t_cli_output(network), "wrong_key") != NULL);
	t_cli_must(network, 2, "join", "list", "--since", "soon");
	t_cli_must(network, 2, "device", "watch", "70b3");
	struct t_process *endless = watch("watch-endless", "70b3d57ed006000a", "1000");
	t_true("watching", t_wait_until(is_watching, endless, T_SLOW_CEILING));
	t_process_signal(endless, SIGINT);
	t_int("Ctrl-C ends it", 130, t_process_wait(endless));
	t_true("it had said how the last join-request went", watched(endless, "known", "region", "us915"));
	t_process_free(endless);
}

/* Identifiers of what is not registered are residents' data (invariant 12); keys are nobody's (5). */
static void no_log_names_a_stranger(void **state)
{
	(void)state;
	t_network_stop(network);
	static char text[1 << 20];
	DIR *dir = opendir(t_network_dir(network));
	assert_non_null(dir);
	unsigned logs = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".log") != 0 || strncmp(entry->d_name, "up", 2) != 0)
			continue; /* the supervisor's has what its four processes say */
		snprintf(path, sizeof path, "%s/%.100s", t_network_dir(network), entry->d_name);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		text[fread(text, 1, sizeof text - 1, file)] = '\0';
		fclose(file);
		logs++;
		t_row(entry->d_name);
		t_true("no DevEUI of a neighbour", !strstr(text, sensors[NEIGHBOUR].sends));
		t_true("nor its JoinEUI", !strstr(text, sensors[NEIGHBOUR].sends_join_eui));
		t_true("nor what somebody forgot to register", !strstr(text, sensors[UNREGISTERED].sends));
		t_true("no key", !strstr(text, KEY_HEAD));
	}
	closedir(dir);
	t_true("there are logs", logs > 0);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_cause_is_named),
		t_test(no_log_names_a_stranger),
	};
	return t_run(tests);
}
