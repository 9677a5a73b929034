/* Keys that only an agency holds, on the real suite: devices of LoRaWAN 1.0.4 and 1.1 are imported, join over the air, send, are
 * commanded, and join or rejoin again, while their AppSKeys are wrapped under a KEK that was made beside the suite. Then the AppSKeys and
 * the payloads, in both directions, are looked for at every kind of place:
 *
 *	files       all below the network's folder while it runs and after it stopped: databases, WALs, state, logs, the broker's
 *	sockets     everything that was said on the inner sockets and on the admin sockets, and at the broker
 *	memory      of every process at several moments: a core image, were one ever written, holds nothing else; none may be
 *
 * That the search finds things is shown at each of them by what has to be there: the payload of a device whose key the city holds, its
 * DevEUI, the KEK's label, a gateway's EUI. With the KEK a client reads the uplinks and sends commands that the devices open.
 *
 * Not looked into: the agency's own machine (a folder beside the network's) and command.log, in which the harness keeps what the
 * agency's own client printed last. The sensors are played by the test itself, so there are no captures of a simulator.
 *
 * Reading memory needs root: the processes are not dumpable. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
#include "tests/harness/needles.h"
#include "tests/harness/network.h"
#include "tests/harness/relay.h"
#include "tests/harness/sensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOIN_EUI "70b3d57ed0000001"
#define ROOF     "aa555a0000000101"
#define LABEL    "agency-parks"
#define CLIENT   "command.log" /* what the agency's own client said last */
#define RX2_S    4.0 /* windows of 3 s and 4 s, so that a machine with much else to do answers in time */
#define TRIES    4
#define PAYLOAD  24

static const char *const sockets[] = {"join.sock",
				      "network.sock",
				      "city.sock",
				      "join-server.admin.sock",
				      "application-server.admin.sock",
				      "network-server.admin.sock",
				      "gateway-bridge.admin.sock"};

struct device {
	const char *name;
	struct t_sensor sensor;
	uint8_t payload[PAYLOAD], command[PAYLOAD];
};

static struct device held = {.name = "Private",
			     .sensor = {.eui = "70b3d57ed00a0001",
					.join_eui = JOIN_EUI,
					.app_key = "a1c7f09e55d2483bb6e41d7790c3fa28"},
			     .command = "\x91\xd0\x3a\x77open gate 14 now\x55\xe2\x08\xfc"},
		     newer = {.name = "Private, of 1.1",
			      .sensor = {.eui = "70b3d57ed00a0011",
					 .join_eui = JOIN_EUI,
					 .app_key = "5e02b8d14c7f4f96a3d8e16b09f274c5",
					 .nwk_key = "c94b11d70e8a4be5927f63a0d8c5e314"},
			      .command = "\x0c\x6e\xf1\x93shut gate 15 now\xa7\x1d\x80\x42"},
		     open_ = {.name = "Public",
			      .sensor = {.eui = "70b3d57ed00a0002",
					 .join_eui = JOIN_EUI,
					 .app_key = "0b5d93e7124f4a6c8e90b1f7d3a25c68"}};

static struct t_network *network;
static struct t_subscriber *agency;
static struct t_relay *relays[ARRAY_SIZE(sockets)];
static struct t_gateway roof;
static char mine[T_DIR_MAX], kek[T_DIR_MAX + 16]; /* the agency's own machine */
static struct t_needles secrets, controls, roots, keks;

/* --- the world ------------------------------------------------------------------------------------------------ */

/* Takes the place of the inner sockets; whoever was connected is killed, so that it connects through the relay. Admin sockets, which are
 * asked anew each time, come last: whoever is started again makes its own anew. */
static void listen_in(void)
{
	static const enum t_role callers[][2] = {{T_NETWORK_SERVER, T_APPLICATION_SERVER},
						 {T_APPLICATION_SERVER, T_GATEWAY_BRIDGE}};
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		char path[T_PATH_MAX];
		snprintf(path, sizeof path, "%s/run/%s", t_network_dir(network), sockets[i]);
		relays[i] = t_relay_start(path);
		for (size_t c = 0; i < ARRAY_SIZE(callers) && c < 2; c++)
			t_true("killed", t_network_kill(network, callers[i][c]));
		t_true("well again", t_network_healthy(network));
	}
}

static void fill(uint8_t *bytes, size_t length)
{
	FILE *random = fopen("/dev/urandom", "re");
	assert_non_null(random);
	assert_int_equal(length, fread(bytes, 1, length, random));
	fclose(random);
}

/* The file of the agency's, with its devices' root keys: sealed before they leave. One is held by its application's word, one by its own. */
static void import(void)
{
	char path[T_DIR_MAX + 32], text[1024];
	snprintf(path, sizeof path, "%s/sensors.csv", mine);
	snprintf(text, sizeof text,
		 "dev_eui,name,application,profile,join_eui,app_key,nwk_key,key_custody\n"
		 "%s,Private,doors,probe,%s,%s,,\n"
		 "%s,Newer,soil,newer,%s,%s,%s,agency\n"
		 "%s,Public,soil,probe,%s,%s,,\n",
		 held.sensor.eui, JOIN_EUI, held.sensor.app_key, newer.sensor.eui, JOIN_EUI,
		 newer.sensor.app_key, newer.sensor.nwk_key, open_.sensor.eui, JOIN_EUI,
		 open_.sensor.app_key);
	t_write_file(path, text);
	t_cli_must(network, 0, "device", "import", path);
}

static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "doors", "--name", "Doors", "--agency",
		   "parks");
	t_cli_must(network, 0, "application", "add", "--slug", "soil", "--name", "Soil", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4", "--rx-delay-s", "3");
	t_cli_must(network, 0, "profile", "add", "--slug", "newer", "--name", "Newer", "--region", "us915",
		   "--mac-version", "1.1.0", "--rx-delay-s", "3");
	t_cli_must(network, 0, "gateway", "add", ROOF, "--name", "Roof", "--region", "us915");
	t_row("before there is a KEK");
	t_cli_must(network, 4, "application", "update", "doors", "--key-custody", "agency");
	t_row("the KEK");
	t_cli_must(network, 0, "agency", "kek", "new", "parks", "--file", kek);
	t_true("the join server has it", strstr(t_cli_output(network), "the join server has it") != NULL);
	t_cli_must(network, 4, "agency", "kek", "new", "parks", "--file", kek);
	t_cli_must(network, 0, "application", "update", "doors", "--key-custody", "agency");
	t_true("says when", strstr(t_cli_output(network), "next join") != NULL);
	import();
	t_network_replicated(network);
}

static int open_world(void **state)
{
	t_setup(state);
	assert_int_equal(0, geteuid());
	t_temp_dir(mine);
	snprintf(kek, sizeof kek, "%s/parks.kek", mine);
	network = t_network_start("network-server:\n  rx_delay_s: 3\n");
	listen_in();
	furnish();
	agency = t_network_subscribe(network);
	assert_true(t_gateway_open(&roof, t_network_port(network), 0xaa555a0000000101));
	return 0;
}

static int close_world(void **state)
{
	t_gateway_close(&roof);
	t_subscriber_free(agency);
	t_network_free(network);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		t_relay_free(relays[i]);
	t_temp_dir_remove(mine);
	return t_teardown(state);
}

/* --- on the air ------------------------------------------------------------------------------------------------- */

static void joins(struct device *device)
{
	t_row(device->name);
	assert_true(t_true("joined", t_sensor_joins(&device->sensor, &roof)));
}

struct wanted {
	const char *eui, *kind;
	json_int_t fcnt; /* −1: any */
	char payload[8192];
};

static bool has_event(void *ctx)
{
	struct wanted *wanted = ctx;
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		const char *topic = t_subscriber_topic(agency, i);
		if (!strstr(topic, wanted->eui) || !strstr(topic, wanted->kind))
			continue;
		json_t *event = json_loads(t_subscriber_payload(agency, i), 0, NULL);
		bool is = wanted->fcnt < 0 ||
			  json_integer_value(json_object_get(event, "fCnt")) == wanted->fcnt;
		json_decref(event);
		if (is) {
			snprintf(wanted->payload, sizeof wanted->payload, "%s",
				 t_subscriber_payload(agency, i));
			return true;
		}
	}
	return false;
}

/* Sends its payload; true when its event was delivered, which then stands in `event`. */
static bool sends(struct device *device, bool confirmed, struct wanted *event)
{
	struct t_sensor *sensor = &device->sensor;
	struct t_air air = t_sensor_sends(sensor, confirmed, 10, device->payload, PAYLOAD);
	*event = (struct wanted){
		.eui = sensor->eui, .kind = "/event/up", .fcnt = (json_int_t)sensor->fcnt_up - 1};
	t_row(device->name);
	t_true("heard", t_gateway_hears(&roof, &air));
	if (confirmed) {
		struct sim_txpk txpk;
		struct t_sensor_down down;
		t_true("answered", t_gateway_expects(&roof, &txpk));
		t_true("acknowledged", t_sensor_reads(sensor, &txpk, &down) && down.ack);
	}
	bool there = t_true("delivered", t_wait_until(has_event, event, T_CEILING));
	t_until(air.end + RX2_S);
	return there;
}

/* --- where nothing may be ---------------------------------------------------------------------------------------- */

/* Of the session that it is in now. */
static void add_key(const char *name, const struct device *device)
{
	t_needle_add(&secrets, name, device->sensor.keys.app_s_key.bytes, sizeof(struct lw_key));
}

static void add_root(const char *name, const char *digits)
{
	struct lw_key key;
	assert_true(lw_key_parse(digits, &key));
	t_needle_add(&roots, name, key.bytes, sizeof key.bytes);
}

static void add_needles(void)
{
	struct lw_eui64 eui;
	uint8_t kek_bytes[16];
	char line[80] = "";
	FILE *file = fopen(kek, "re");
	while (file && fgets(line, sizeof line, file) && strncmp(line, LABEL " ", sizeof LABEL) != 0)
		;
	assert_non_null(file);
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	assert_true(hex_decode_exact(kek_bytes, sizeof kek_bytes, line + sizeof LABEL));
	add_key("AppSKey", &held);
	add_key("AppSKey of 1.1", &newer);
	t_needle_add(&secrets, "payload", held.payload, PAYLOAD);
	t_needle_add(&secrets, "payload of 1.1", newer.payload, PAYLOAD);
	t_needle_add(&secrets, "command", held.command, PAYLOAD);
	t_needle_add(&secrets, "command of 1.1", newer.command, PAYLOAD);
	controls.silent = true;
	t_needle_add(&controls, "AppSKey", open_.sensor.keys.app_s_key.bytes, sizeof(struct lw_key));
	t_needle_add(&controls, "payload", open_.payload, PAYLOAD);
	assert_true(lw_eui64_parse(open_.sensor.eui, &eui));
	t_needle_add(&controls, "DevEUI", eui.bytes, sizeof eui.bytes);
	assert_true(lw_eui64_parse(ROOF, &eui));
	t_needle_add(&controls, "gateway", eui.bytes, sizeof eui.bytes);
	t_needle_add(&controls, "label", (const uint8_t *)LABEL, sizeof LABEL - 1);
	add_root("AppKey", held.sensor.app_key);
	add_root("AppKey of 1.1", newer.sensor.app_key);
	add_root("NwkKey", newer.sensor.nwk_key);
	keks.silent = true;
	t_needle_add(&keks, "KEK", kek_bytes, sizeof kek_bytes);
}

/* What any process of ours knows of this test: the device's name or the gateway's. */
static bool is_known(void)
{
	return t_needle_found(&controls, "DevEUI") + t_needle_found(&controls, "gateway") > 0;
}

static void expect_no_core(int pid)
{
	char path[64], line[256];
	bool none = false;
	snprintf(path, sizeof path, "/proc/%d/limits", pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		unsigned long soft = 1, hard = 1;
		none = none || (sscanf(line, "Max core file size %lu %lu", &soft, &hard) == 2 && soft == 0 &&
				hard == 0);
	}
	fclose(file);
	t_true("writes no core image", none);
}

static void look_into_memory(const char *moment)
{
	for (int role = 0; role < T_ROLE_COUNT; role++) {
		char name[80];
		snprintf(name, sizeof name, "%s, memory of %s", moment, t_role_name((enum t_role)role));
		t_row(name);
		int pid = t_network_pid(network, (enum t_role)role);
		t_uint("found", 0, t_needles_in_process(&secrets, name, pid));
		/* The join server has it in clear while it answers a join, and not a moment longer. */
		t_uint("root keys found", 0, t_needles_in_process(&roots, name, pid));
		bool has_kek = t_needles_in_process(&keks, name, pid) > 0;
		t_int("the KEK is the join server's alone", role == T_JOIN_SERVER, has_kek);
		expect_no_core(pid);
	}
}

static void look_into_files(const char *moment)
{
	static const char *const some[] = {"state/city.db", "state/readings.db",   "state/network.db",
					   "state/join.db", "state/gateways.list", "up.log",
					   "lamppost.yaml"};
	char name[T_PATH_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		snprintf(name, sizeof name, "%s/%s", t_network_dir(network), some[i]);
		t_true(some[i], t_file_exists(name));
	}
	snprintf(name, sizeof name, "%s, files", moment);
	t_row(name);
	t_uint("found", 0, t_needles_in_folder(&secrets, t_network_dir(network), CLIENT));
	t_uint("root keys found", 0, t_needles_in_folder(&roots, t_network_dir(network), CLIENT));
	t_uint("the KEK", 0, t_needles_in_folder(&keks, t_network_dir(network), CLIENT));
}

static void look_into_what_was_said(void)
{
	char name[80];
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		size_t length;
		const uint8_t *bytes = t_relay_bytes(relays[i], &length);
		t_row(sockets[i]);
		t_uint("found", 0, t_needles_in_bytes(&secrets, sockets[i], bytes, length));
		t_uint("root keys found", 0, t_needles_in_bytes(&roots, sockets[i], bytes, length));
		t_uint("the KEK", 0, t_needles_in_bytes(&keks, sockets[i], bytes, length));
	}
	snprintf(name, sizeof name, "what the broker delivered");
	t_row(name);
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		const char *payload = t_subscriber_payload(agency, i);
		t_uint("found", 0, t_needles_in_bytes(&secrets, name, payload, strlen(payload)));
	}
}

/* --- that the search finds ---------------------------------------------------------------------------------------- */

/* What the city is meant to have, and only where it is meant to be. */
static void the_search_finds_in_memory(void)
{
	for (int role = 0; role < T_ROLE_COUNT; role++) {
		char name[80];
		snprintf(name, sizeof name, "control: memory of %s", t_role_name((enum t_role)role));
		t_row(name);
		(void)t_needles_in_process(&controls, name, t_network_pid(network, (enum t_role)role));
		t_true("finds what it knows", is_known());
		if (role == T_APPLICATION_SERVER)
			t_true("and the payload", t_needle_found(&controls, "payload") > 0);
		else
			t_uint("and no payload", 0, t_needle_found(&controls, "payload"));
	}
}

static void the_search_finds_in_files(void)
{
	char path[T_PATH_MAX];
	t_row("control: files");
	(void)t_needles_in_folder(&controls, t_network_dir(network), CLIENT);
	t_true("a payload that the city decrypts", t_needle_found(&controls, "payload") > 0);
	t_uint("its AppSKey", 0, t_needle_found(&controls, "AppSKey"));
	t_row("control: logs");
	snprintf(path, sizeof path, "%s/up.log", t_network_dir(network));
	(void)t_needles_in_file(&controls, path);
	t_true("the KEK's label", t_needle_found(&controls, "label") > 0);
	t_uint("a payload", 0, t_needle_found(&controls, "payload"));
}

/* Commands that ask every process, so that each admin socket has something to say. */
static void ask_everybody(void)
{
	static const char *const metrics[] = {"/metrics", "/counters", "/healthz"};
	static char text[1 << 18];
	char target[80];
	t_cli_must(network, 0, "why", "device", open_.sensor.eui);
	t_cli_must(network, 0, "why", "device", held.sensor.eui);
	t_cli_must(network, 0, "why", "device", newer.sensor.eui);
	t_cli_must(network, 0, "why", "gateway", ROOF);
	t_cli_must(network, 0, "status");
	(void)t_cli(network, "doctor");
	for (int role = 0; role < T_ROLE_COUNT; role++) {
		const char *admin = t_network_admin(network, (enum t_role)role);
		bool is_bridge = role == T_GATEWAY_BRIDGE;
		snprintf(target, sizeof target, "/why/%s/%s", is_bridge ? "gateway" : "device",
			 is_bridge ? ROOF : open_.sensor.eui);
		t_row(target);
		t_int(admin, 200, t_unix_get(admin, target, text, sizeof text));
		for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
			t_int(metrics[i], 200, t_unix_get(admin, metrics[i], text, sizeof text));
	}
	snprintf(target, sizeof target, "/api/v1/devices/%s/readings", open_.sensor.eui);
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/run/city.sock", t_network_dir(network));
	t_int("readings", 200, t_unix_get(path, target, text, sizeof text));
}

static void the_search_finds_what_was_said(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		char name[80];
		size_t length;
		snprintf(name, sizeof name, "control: %s", sockets[i]);
		t_row(name);
		const uint8_t *bytes = t_relay_bytes(relays[i], &length);
		(void)t_needles_in_bytes(&controls, name, bytes, length);
		t_true("finds what was said", is_known());
		if (strcmp(sockets[i], "city.sock") == 0)
			t_true("and the payload", t_needle_found(&controls, "payload") > 0);
		else
			t_uint("and no payload", 0, t_needle_found(&controls, "payload"));
	}
	unsigned in_events = 0;
	t_row("control: the broker");
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		const char *payload = t_subscriber_payload(agency, i);
		in_events += t_needles_in_bytes(&controls, "broker", payload, strlen(payload)) > 0;
	}
	t_true("a payload that the city decrypts", in_events > 0);
}

/* --- the agency's client ------------------------------------------------------------------------------------------ */

static void the_client_reads(const struct device *device, const struct wanted *event)
{
	char path[T_DIR_MAX + 32], text[BASE64_ROOM(PAYLOAD)], shown[BASE64_ROOM(PAYLOAD) + 16];
	t_row(device->name);
	snprintf(path, sizeof path, "%s/event.json", mine);
	t_write_file(path, event->payload);
	base64_encode(text, device->payload, PAYLOAD);
	snprintf(shown, sizeof shown, "\"data\":\"%s\"", text);
	t_false("the event has it", strstr(event->payload, text) != NULL);
	t_cli_must(network, 0, "decrypt", "--kek", kek, path);
	t_true("decrypt shows it", strstr(t_cli_output(network), shown) != NULL);
}

static json_int_t next_counter(const struct wanted *event)
{
	json_t *json = json_loads(event->payload, 0, NULL);
	json_int_t next = json_integer_value(json_object_get(json, "nextFCntDown"));
	json_decref(json);
	return next;
}

static unsigned items_of(const struct device *device, const char *state, json_int_t *fcnt_down)
{
	unsigned count = 0;
	t_cli_must(network, 0, "downlink", "list", device->sensor.eui, "--state", state, "--json");
	json_t *items = json_loads(t_cli_output(network), 0, NULL);
	count = (unsigned)json_array_size(items);
	*fcnt_down = json_integer_value(json_object_get(json_array_get(items, 0), "f_cnt_down"));
	json_decref(items);
	return count;
}

static void the_client_commands(const struct device *device)
{
	char hex[2 * PAYLOAD + 1];
	hex_encode(hex, device->command, PAYLOAD);
	t_row("a command in clear");
	t_cli_must(network, 4, "downlink", "send", device->sensor.eui, "--port", "10", "--hex", "00010203");
	t_true("a sentence", strstr(t_cli_output(network), "isEncrypted") != NULL);
	t_row("a command under the KEK");
	t_cli_must(network, 0, "downlink", "send", device->sensor.eui, "--port", "10", "--hex", hex, "--kek",
		   kek);
}

/* The acknowledgement of a 1.0.x uplink took the counter that its event said was next: the first try is stale. */
static void the_first_try_was_stale(const struct device *device, json_int_t next)
{
	json_int_t stale, waiting;
	t_uint("its first counter had passed", 1, items_of(device, "stale_counter", &stale));
	t_uint("it waits under the next", 1, items_of(device, "waiting", &waiting));
	t_int("which the stale one said", stale, waiting);
	t_int("and is that", next, waiting);
}

/* Sends, again where nothing came by the end of its windows, until a frame for its application comes. */
static bool hears_a_command(struct device *device, struct t_sensor_down *down)
{
	bool came = false;
	for (int try = 0; !came && try < TRIES; try++) {
		struct t_air air = t_sensor_sends(&device->sensor, false, 10, device->payload, PAYLOAD);
		struct sim_down frame;
		t_true("heard", t_gateway_hears(&roof, &air));
		came = t_gateway_waits(&roof, SIM_DOWN_PULL_RESP, &frame, RX2_S) &&
		       t_sensor_reads(&device->sensor, &frame.txpk, down) && down->fport > 0;
		t_until(air.end + RX2_S);
	}
	return came;
}

/* Gives the counter that it came under; −1: it did not. */
static json_int_t the_device_opens_it(struct device *device)
{
	struct t_sensor_down down;
	t_row(device->name);
	if (!t_true("a downlink for it", hears_a_command(device, &down)))
		return -1;
	t_int("port", 10, down.fport);
	t_bytes("the command", device->command, PAYLOAD, down.payload, down.length);
	struct wanted sent = {.eui = device->sensor.eui, .kind = "/event/txack", .fcnt = -1};
	t_true("told as sent", t_wait_until(has_event, &sent, T_CEILING));
	return down.fcnt;
}

/* Under 1.1 frames without an application port spend NFCntDown: the acknowledgements that were sent take nothing from a command's
 * counter, and only another command makes it stale. */
static void commands_of_1_1_are_counted_by_themselves(struct device *device, const struct wanted *event)
{
	json_int_t counter;
	t_row("AFCntDown");
	t_int("not spent by acknowledgements", 0, next_counter(event));
	the_client_commands(device);
	t_uint("nothing is stale", 0, items_of(device, "stale_counter", &counter));
	t_uint("it waits", 1, items_of(device, "waiting", &counter));
	t_int("under the first", 0, counter);
	t_int("and comes so", 0, the_device_opens_it(device));
	t_row("AFCntDown that has passed");
	the_client_commands(device); /* the last uplink's event said 0 still */
	the_first_try_was_stale(device, 1);
	t_int("and comes so", 1, the_device_opens_it(device));
}

/* --- the test ---------------------------------------------------------------------------------------------------- */

static void an_agencys_keys_and_payloads_are_nowhere_but_with_the_agency(void **state)
{
	static struct wanted of_held, of_newer, of_open;
	(void)state;
	fill(held.payload, PAYLOAD);
	fill(newer.payload, PAYLOAD);
	fill(open_.payload, PAYLOAD);
	joins(&open_);
	joins(&held);
	joins(&newer);
	add_needles();
	look_into_memory("after the joins");
	t_row("uplinks");
	sends(&open_, false, &of_open);
	sends(&held, true, &of_held);
	sends(&newer, true, &of_newer);
	sends(&newer, true, &of_newer);
	the_client_reads(&held, &of_held);
	the_client_reads(&newer, &of_newer);
	the_client_commands(&held);
	the_first_try_was_stale(&held, 1);
	look_into_memory("while a command waits");
	t_int("the counter", 1, the_device_opens_it(&held));
	commands_of_1_1_are_counted_by_themselves(&newer, &of_newer);
	t_row("joined anew, and rejoined");
	joins(&held);
	assert_true(t_true("rejoined", t_sensor_rejoins(&newer.sensor, &roof)));
	add_key("AppSKey, the next", &held);
	add_key("AppSKey of 1.1, the next", &newer);
	sends(&held, false, &of_held);
	sends(&newer, false, &of_newer);
	the_client_reads(&held, &of_held);
	the_client_reads(&newer, &of_newer);
	ask_everybody();
	look_into_memory("at last");
	the_search_finds_in_memory();
	look_into_files("while it runs");
	t_network_stop(network);
	look_into_what_was_said();
	the_search_finds_what_was_said();
	look_into_files("after it stopped");
	the_search_finds_in_files();
	t_row("the search");
	t_true("looked at a lot", secrets.searched > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {{"agency's keys",
					    an_agencys_keys_and_payloads_are_nowhere_but_with_the_agency,
					    open_world, close_world, NULL}};
	return t_run(tests);
}
