/* A sensor that lost its counter, end to end: the real processes, simulated radio, the public command line. It is refused and the
 * reason names the command; an alarm counts its tries; allowed once it joins; another reuse is refused. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include <stdio.h>
#include <string.h>

#define EUI  "70b3d57ed0060001"
#define JOIN "70b3d57ed0000001"
#define KEY  "8a1f6c02d94e4b7fa3b05c6de7182901"

static struct t_network *network;

static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "soil", "--name", "Soil", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "Roof", "--region", "us915",
		   "--channel-plan", "8-15,65");
	static char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/sensors.csv", t_network_dir(network));
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "dev_eui,name,application,profile,activation,join_eui,app_key\n"
		      "" EUI ",Probe 1,soil,probe,otaa," JOIN "," KEY "\n");
	fclose(file);
	t_cli_must(network, 0, "device", "import", path);
	t_network_replicated(network);
}

/* The sensor switched on: its DevNonces begin there and count up. */
static struct t_process *switch_on(unsigned dev_nonce)
{
	static unsigned times;
	static char path[T_PATH_MAX];
	times++;
	snprintf(path, sizeof path, "%s/probe%u.yaml", t_network_dir(network), times);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"seed: 7\nregion: us915\narea_m: 200\npath_loss: {exponent: 2.7, shadowing_db: 0, fading: "
		"none}\ngateways:\n  - {eui: \"aa555a0000000101\", x: 20, y: 50, protocol: udp2, sub_band: "
		"2, first_tmst: %u}\ndevices:\n  - {name: \"probe\", dev_eui: \"" EUI "\", join_eui: \"" JOIN
		"\", activation: otaa, mac_version: \"1.0.4\", app_key: \"" KEY
		"\", x: 0, y: 0, sub_band: 2, dr: 3, first_s: 0.5, interval_s: 5, payload: counter, "
		"dev_nonce: %u}\n",
		times * 700000000u, dev_nonce);
	fclose(file);
	return t_network_simulate(network, path, NULL);
}

static void switch_off(struct t_process *process)
{
	(void)t_process_stop(process);
	t_process_free(process);
}

/* Gives the answer of a command that says JSON; NULL: it failed. */
#define JSON_OF(...) (t_cli(network, __VA_ARGS__) == 0 ? json_loads(t_cli_output(network), 0, NULL) : NULL)

/* Gives the device's last attempt. */
static json_t *last_attempt(void)
{
	json_t *answer = JSON_OF("join", "list", "--json");
	json_t *item = json_incref(json_array_get(json_object_get(answer, "items"), 0));
	json_decref(answer);
	return item;
}

static bool says(const json_t *object, const char *member, const char *part)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text && strstr(text, part);
}

static bool has_joined(void *ctx)
{
	(void)ctx;
	json_t *attempt = last_attempt();
	bool joined = says(attempt, "verdict", "joined");
	json_decref(attempt);
	return joined;
}

static bool is_refused(void *ctx)
{
	(void)ctx;
	json_t *attempt = last_attempt();
	bool refused = says(attempt, "problem", "dev_nonce_not_increasing") &&
		       says(attempt, "next", "lamppost device join-allow-once");
	json_decref(attempt);
	return refused;
}

static bool is_alarm(void *ctx)
{
	(void)ctx;
	json_t *answer = JSON_OF("alarm", "list", "--kind", "join_replayed", "--json");
	const json_t *items = json_is_array(answer) ? answer : json_object_get(answer, "items");
	const json_t *alarm = json_array_get(items, 0);
	bool is = says(alarm, "subject", EUI) && json_integer_value(json_object_get(alarm, "value")) > 0;
	json_decref(answer);
	return is;
}

static bool shows_allowed(const char *group, const char *name, const char *option)
{
	if (option)
		t_cli_must(network, 0, group, name, option, EUI);
	else
		t_cli_must(network, 0, group, name, EUI);
	return strstr(t_cli_output(network), "one join is allowed") != NULL;
}

/* In what the last command wrote. */
static unsigned times(const char *word)
{
	unsigned count = 0;
	for (const char *at = t_cli_output(network); (at = strstr(at, word)); at += strlen(word))
		count++;
	return count;
}

static void a_sensor_that_lost_its_counter(void **state)
{
	(void)state;
	network = t_network_start("");
	furnish();
	t_row("before it ever joined");
	t_cli_must(network, 4, "device", "join-allow-once", EUI);

	t_row("it joins, and loses its counter");
	struct t_process *sensor = switch_on(500);
	t_true("joined", t_wait_until(has_joined, NULL, T_SLOW_CEILING));
	switch_off(sensor);
	sensor = switch_on(10);
	t_true("is refused with the reason and the command", t_wait_until(is_refused, NULL, T_SLOW_CEILING));
	t_true("an alarm counts", t_wait_until(is_alarm, NULL, T_SLOW_CEILING));
	t_true("nothing is allowed yet", !shows_allowed("device", "show", NULL));

	t_row("allowed and taken back");
	switch_off(sensor);
	t_cli_must(network, 0, "device", "join-allow-once", EUI, "--for", "10m");
	t_true("device show says so", shows_allowed("device", "show", NULL));
	t_true("join list says so", shows_allowed("join", "list", "--device"));
	t_cli_must(network, 0, "device", "join-allow-once", EUI, "--withdraw");
	t_true("no longer", !shows_allowed("device", "show", NULL));
	t_cli_must(network, 2, "device", "join-allow-once", EUI, "--withdraw", "--for", "1h");
	t_cli_must(network, 2, "device", "join-allow-once", EUI, "--for", "soon");
	t_cli_must(network, 3, "device", "join-allow-once", "70b3d57ed00600ff");

	t_row("allowed, over a crash of everything");
	t_cli_must(network, 0, "device", "join-allow-once", EUI);
	t_network_crash(network);
	t_true("back", t_network_resume(network));
	t_true("still allowed", shows_allowed("device", "show", NULL));
	sensor = switch_on(100);
	t_true("it joins", t_wait_until(has_joined, NULL, T_SLOW_CEILING));
	switch_off(sensor);
	t_true("it is used up", !shows_allowed("device", "show", NULL));

	t_row("a second time");
	sensor = switch_on(100);
	t_true("is refused", t_wait_until(is_refused, NULL, T_SLOW_CEILING));
	switch_off(sensor);

	t_row("the audit");
	t_cli_must(network, 0, "vault", "audit");
	t_uint("the join server was told once for each order", 1, times("for 600 s"));
	t_uint("of either", 1, times("allow_withdraw"));
	t_cli_must(network, 0, "audit", "list", "--json");
	t_true("who allowed it", strstr(t_cli_output(network), "join_allow_once") != NULL &&
					 strstr(t_cli_output(network), "for 600 s") != NULL);
	t_true("who took it back", strstr(t_cli_output(network), "join_allow_withdraw") != NULL);
	t_network_stop(network);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_sensor_that_lost_its_counter)};
	return t_run(tests);
}
