/* From a delivery to a reading, and from a broken sensor to the next one, end to end: the real processes, simulated radio, the public
 * command line. A shelved device is claimed by the code on its label and joins; it is replaced, the next one joins, and both are
 * one history; the old one is refused by name. The label is read back by another's program. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST "70b3d57ed0070001"
#define NEXT  "70b3d57ed0070002"
#define JOIN  "70b3d57ed0000000"
#define KEY_1 "8a1f6c02d94e4b7fa3b05c6de7182901"
#define KEY_2 "8a1f6c02d94e4b7fa3b05c6de7182902"
#define CODE  "LW:D0:70B3D57ED0000000:70B3D57ED0070001:AABB1122:OABCD1234:SN1"

static struct t_network *network;

static const char *write_file(const char *name, const char *text)
{
	static char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", t_network_dir(network), name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "soil", "--name", "Soil", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "Roof", "--region", "us915",
		   "--channel-plan", "8-15,65");
}

static struct t_process *switch_on(const char *eui, const char *key)
{
	static unsigned times;
	char name[32], text[1200];
	snprintf(name, sizeof name, "probe%u.yaml", ++times);
	snprintf(
		text, sizeof text,
		"seed: 7\nregion: us915\narea_m: 200\npath_loss: {exponent: 2.7, shadowing_db: 0, fading: "
		"none}\ngateways:\n  - {eui: \"aa555a0000000101\", x: 20, y: 50, protocol: udp2, sub_band: "
		"2, first_tmst: %u}\ndevices:\n  - {name: \"probe\", dev_eui: \"%s\", join_eui: \"" JOIN
		"\", activation: otaa, mac_version: \"1.0.4\", app_key: \"%s\", x: 0, y: 0, sub_band: 2, dr: "
		"3, first_s: 0.5, interval_s: 3, payload: counter, dev_nonce: %u}\n",
		times * 700000000u, eui, key, times * 100);
	return t_network_simulate(network, write_file(name, text), NULL);
}

static void switch_off(struct t_process *process)
{
	(void)t_process_stop(process);
	t_process_free(process);
}

/* How many of the place's readings, as the new device's history has them, are of `of`. */
static size_t readings(const char *asked, const char *of)
{
	char socket[T_PATH_MAX], target[120];
	static char body[1 << 20];
	size_t count = 0, index;
	snprintf(socket, sizeof socket, "%s/run/city.sock", t_network_dir(network));
	snprintf(target, sizeof target, "/api/v1/devices/%s/readings", asked);
	if (t_unix_get(socket, target, body, sizeof body) != 200)
		return 0;
	json_t *answer = json_loads(strchr(body, '{') ? strchr(body, '{') : "", 0, NULL), *item;
	json_array_foreach(json_object_get(answer, "items"), index, item)
	{
		const char *eui = json_string_value(json_object_get(item, "devEui"));
		count += eui && strcmp(eui, of) == 0;
	}
	json_decref(answer);
	return count;
}

struct asked {
	const char *asked, *of;
};

static bool has_reading(void *ctx)
{
	const struct asked *asked = ctx;
	return readings(asked->asked, asked->of) > 0;
}

static bool is_refused(void *ctx)
{
	(void)ctx;
	return t_cli(network, "why", "device", FIRST) == 0 &&
	       strstr(t_cli_output(network), "stands in its place") != NULL;
}

static void from_the_shelf_into_a_place(void **state)
{
	(void)state;
	network = t_network_start("");
	furnish();
	t_row("on the shelf");
	const char *file = write_file("delivery.csv", "QR;App Key\n" CODE
						      ";8A 1F 6C 02 D9 4E 4B 7F A3 B0 5C 6D E7 18 29 01\n");
	t_cli_must(network, 0, "device", "shelve", file);
	t_cli_must(network, 0, "device", "shelf");
	t_true("waits", strstr(t_cli_output(network), FIRST "  waits") != NULL);

	t_row("claimed");
	t_cli_must(network, 4, "device", "claim", "--qr",
		   "LW:D0:70B3D57ED0000000:70B3D57ED0070001:AABB1122:OABCD1235", "--application", "soil",
		   "--profile", "probe");
	t_cli_must(network, 0, "device", "claim", "--qr", CODE, "--application", "soil", "--profile", "probe",
		   "--name", "Bed 1");
	t_network_replicated(network);
	struct t_process *sensor = switch_on(FIRST, KEY_1);
	t_true("joins with the shelf's key and sends",
	       t_wait_until(has_reading, &(struct asked){FIRST, FIRST}, T_SLOW_CEILING));
	switch_off(sensor);

	t_row("replaced");
	file = write_file("key.txt", KEY_2 "\n");
	char word[T_PATH_MAX + 1];
	snprintf(word, sizeof word, "@%s", file);
	t_cli_must(network, 0, "device", "replace", FIRST, NEXT, "--app-key", word);
	t_cli_must(network, 0, "device", "show", NEXT);
	t_true("the same name", strstr(t_cli_output(network), "Bed 1") != NULL);
	t_true("whose place it has", strstr(t_cli_output(network), FIRST) != NULL);
	t_true("no counters of ABP", strstr(t_cli_output(network), "fcnt_") == NULL);
	t_cli_must(network, 0, "device", "show", FIRST);
	t_true("what has its place", strstr(t_cli_output(network), NEXT) != NULL);
	t_network_replicated(network);
	sensor = switch_on(NEXT, KEY_2);
	t_true("the new one joins and sends",
	       t_wait_until(has_reading, &(struct asked){NEXT, NEXT}, T_SLOW_CEILING));
	t_true("one history", readings(NEXT, FIRST) > 0);
	t_int("the old one has its own", 0, readings(FIRST, NEXT));
	switch_off(sensor);
	t_true("the old one is refused by name", t_wait_until(is_refused, NULL, T_SLOW_CEILING));

	t_row("its label");
	char png[T_PATH_MAX], command[T_PATH_MAX + 80], read[400] = "";
	snprintf(png, sizeof png, "%s/label.png", t_network_dir(network));
	t_cli_must(network, 0, "device", "qr", FIRST, "--png", png);
	snprintf(command, sizeof command, "zbarimg -q --raw '%s' 2>/dev/null", png);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	t_true("read", fgets(read, sizeof read, pipe) != NULL);
	pclose(pipe);
	t_true("as it was written",
	       strncmp(read, "LW:D0:70B3D57ED0000000:70B3D57ED0070001:00000000:C", 49) == 0);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(from_the_shelf_into_a_place)};
	return t_run(tests);
}
