/* Keys that only an agency holds, on the real suite: a device joins over the air, sends and is commanded, while its AppSKey is wrapped
 * under a KEK that was made beside the suite. Then the AppSKey and the payloads, in both directions, are looked for in every file, in
 * everything that was said on the inner sockets and at the broker, and in the memory of every process at several moments: a core image,
 * were one ever written, holds nothing else. That the search finds things is shown by a device whose key the city holds. With the KEK a
 * client reads the uplink and sends a command that the device opens.
 *
 * Reading memory needs root: the processes are not dumpable. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/keys.h"
#include "tests/harness/needles.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"
#include "tests/harness/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOIN_EUI   "70b3d57ed0000001"
#define JOIN_RX2_S 7.0 /* its second window is over by then */
#define JOIN_TRIES 4
#define RX2_S      2.0
#define PAYLOAD    24

static const char *const sockets[] = {"join.sock", "network.sock", "city.sock"};

struct sensor {
	const char *name, *eui, *app_key, *application;
	uint16_t dev_nonce;
	struct t_device device;
	uint8_t payload[PAYLOAD];
};

static struct sensor held = {.name = "Private",
			     .eui = "70b3d57ed00a0001",
			     .app_key = "a1c7f09e55d2483bb6e41d7790c3fa28",
			     .application = "doors",
			     .dev_nonce = 7};
static struct sensor open_ = {.name = "Public",
			      .eui = "70b3d57ed00a0002",
			      .app_key = "0b5d93e7124f4a6c8e90b1f7d3a25c68",
			      .application = "soil",
			      .dev_nonce = 9};
static const uint8_t command[PAYLOAD] = "\x91\xd0\x3a\x77open gate 14 now\x55\xe2\x08\xfc";

static struct t_network *network;
static struct t_subscriber *agency;
static struct t_relay *relays[ARRAY_SIZE(sockets)];
static struct t_gateway roof;
static char mine[T_DIR_MAX], kek[T_DIR_MAX + 16]; /* the agency's own machine */
static struct t_needles secrets, controls, roots;

/* --- the world ------------------------------------------------------------------------------------------------ */

/* Takes the place of the inner sockets; whoever was connected is killed, so that it connects through the relay. */
static void listen_in(void)
{
	static const enum t_role callers[ARRAY_SIZE(sockets)][2] = {{T_NETWORK_SERVER, T_APPLICATION_SERVER},
								    {T_APPLICATION_SERVER, T_GATEWAY_BRIDGE},
								    {T_ROLE_COUNT, T_ROLE_COUNT}};
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		char path[T_PATH_MAX];
		snprintf(path, sizeof path, "%s/run/%s", t_network_dir(network), sockets[i]);
		relays[i] = t_relay_start(path);
		for (size_t c = 0; c < 2 && callers[i][c] < T_ROLE_COUNT; c++)
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

static void add_device(const struct sensor *sensor)
{
	t_cli_must(network, 0, "device", "add", sensor->eui, "--name", sensor->name, "--application",
		   sensor->application, "--profile", "probe", "--join-eui", JOIN_EUI, "--app-key",
		   sensor->app_key);
}

static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "doors", "--name", "Doors", "--agency",
		   "parks");
	t_cli_must(network, 0, "application", "add", "--slug", "soil", "--name", "Soil", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4", "--rx-delay-s", "1");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "Roof", "--region", "us915");
	t_row("before there is a KEK");
	t_cli_must(network, 4, "application", "update", "doors", "--key-custody", "agency");
	t_row("the KEK");
	t_cli_must(network, 0, "agency", "kek", "new", "parks", "--file", kek);
	t_true("the join server has it", strstr(t_cli_output(network), "the join server has it") != NULL);
	t_cli_must(network, 4, "agency", "kek", "new", "parks", "--file", kek);
	t_cli_must(network, 0, "application", "update", "doors", "--key-custody", "agency");
	t_true("says when", strstr(t_cli_output(network), "next join") != NULL);
	add_device(&held);
	add_device(&open_);
	t_network_replicated(network);
}

static int open_world(void **state)
{
	t_setup(state);
	assert_int_equal(0, geteuid());
	t_temp_dir(mine);
	snprintf(kek, sizeof kek, "%s/parks.kek", mine);
	network = t_network_start("network-server:\n  rx_delay_s: 1\n");
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
	t_network_stop(network);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		t_relay_free(relays[i]);
	t_network_free(network);
	t_temp_dir_remove(mine);
	return t_teardown(state);
}

/* --- on the air ------------------------------------------------------------------------------------------------- */

static bool read_accept(struct sensor *sensor, struct aes *aes, const struct lw_key *app_key,
			const struct sim_txpk *txpk)
{
	uint8_t phy[LW_JOIN_ACCEPT_MAX];
	struct lw_join_accept accept;
	struct lw_session_keys keys;
	if (txpk->length > sizeof phy || txpk->phy[0] >> 5 != 1)
		return false;
	memcpy(phy, txpk->phy, txpk->length);
	if (lw_join_accept_decrypt(aes, app_key, phy, txpk->length) != LW_OK ||
	    lw_join_accept_parse(&accept, phy, txpk->length) != LW_OK)
		return false;
	lw_session_keys_1_0(aes, app_key, accept.join_nonce, accept.net_id, sensor->dev_nonce, &keys);
	sensor->device = (struct t_device){
		.dev_addr = accept.dev_addr, .nwk_s_key = keys.f_nwk_s_int_key, .app_s_key = keys.app_s_key};
	return true;
}

/* Sends the join-request of the sensor's DevNonce; gives whether the accept came by the end of its windows. */
static bool asks(const struct sensor *sensor, struct aes *aes, const struct lw_key *app_key,
		 struct sim_txpk *txpk)
{
	struct lw_join_request request = {.dev_nonce = sensor->dev_nonce};
	struct t_air air = {.length = LW_JOIN_REQUEST_LENGTH};
	struct sim_down down;
	assert_true(lw_eui64_parse(sensor->eui, &request.dev_eui));
	assert_true(lw_eui64_parse(JOIN_EUI, &request.join_eui));
	assert_int_equal(air.length, lw_join_request_encode(&request, air.phy));
	request.mic = lw_mic_join(aes, app_key, air.phy, (uint8_t)(air.length - 4));
	assert_int_equal(air.length, lw_join_request_encode(&request, air.phy));
	air.end = t_seconds();
	t_true("heard", t_gateway_hears(&roof, &air));
	if (!t_gateway_waits(&roof, SIM_DOWN_PULL_RESP, &down, JOIN_RX2_S))
		return false;
	*txpk = down.txpk;
	return true;
}

/* As a device does: it asks again, with another DevNonce, while no accept comes. */
static void joins(struct sensor *sensor)
{
	struct lw_key app_key;
	struct sim_txpk txpk = {0};
	struct aes *aes = aes_new();
	assert_non_null(aes);
	t_row(sensor->name);
	assert_true(lw_key_parse(sensor->app_key, &app_key));
	bool came = asks(sensor, aes, &app_key, &txpk);
	for (int again = 0; !came && again < JOIN_TRIES; again++) {
		sensor->dev_nonce++;
		came = asks(sensor, aes, &app_key, &txpk);
	}
	t_true("an accept it can read", came && read_accept(sensor, aes, &app_key, &txpk));
	aes_free(aes);
	assert_true(came);
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
static bool sends(struct sensor *sensor, bool confirmed, struct wanted *event)
{
	struct t_air air = t_device_sends(&sensor->device, confirmed, 10, sensor->payload, PAYLOAD);
	*event = (struct wanted){
		.eui = sensor->eui, .kind = "/event/up", .fcnt = (json_int_t)sensor->device.fcnt_up - 1};
	t_true("heard", t_gateway_hears(&roof, &air));
	if (confirmed) {
		struct sim_txpk txpk;
		struct lw_frame frame;
		t_true("answered", t_gateway_expects(&roof, &txpk));
		t_true("acknowledged", t_device_reads(&sensor->device, &txpk, &frame) && frame.fctrl.ack);
	}
	bool there = t_true("delivered", t_wait_until(has_event, event, T_CEILING));
	t_until(air.end + RX2_S);
	return there;
}

/* --- where nothing may be ---------------------------------------------------------------------------------------- */

static void add_secrets(void)
{
	struct lw_key app_key;
	t_needle_add(&secrets, "AppSKey", held.device.app_s_key.bytes, sizeof(struct lw_key));
	t_needle_add(&secrets, "payload", held.payload, PAYLOAD);
	t_needle_add(&secrets, "command", command, PAYLOAD);
	controls.silent = true;
	t_needle_add(&controls, "AppSKey", open_.device.app_s_key.bytes, sizeof(struct lw_key));
	t_needle_add(&controls, "payload", open_.payload, PAYLOAD);
	assert_true(lw_key_parse(held.app_key, &app_key));
	t_needle_add(&roots, "AppKey", app_key.bytes, sizeof app_key.bytes);
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
	}
}

static void look_into_the_rest(const char *moment)
{
	char name[80];
	snprintf(name, sizeof name, "%s, files", moment);
	t_row(name);
	t_uint("found", 0, t_needles_in_folder(&secrets, t_network_dir(network), NULL));
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		size_t length;
		const uint8_t *bytes = t_relay_bytes(relays[i], &length);
		snprintf(name, sizeof name, "%s, what was said on %s", moment, sockets[i]);
		t_row(name);
		t_true("something was", length > 100);
		t_uint("found", 0, t_needles_in_bytes(&secrets, name, bytes, length));
	}
	snprintf(name, sizeof name, "%s, what the broker delivered", moment);
	t_row(name);
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		const char *payload = t_subscriber_payload(agency, i);
		t_uint("found", 0, t_needles_in_bytes(&secrets, name, payload, strlen(payload)));
	}
}

/* The same search finds what the city is meant to have, and only where it is meant to be. */
static void the_search_finds_what_is_there(void)
{
	size_t length;
	unsigned in_events = 0;
	t_row("control: a payload that the city decrypts");
	for (size_t i = 0; i < t_subscriber_count(agency); i++) {
		const char *payload = t_subscriber_payload(agency, i);
		in_events += t_needles_in_bytes(&controls, "broker", payload, strlen(payload)) > 0;
	}
	t_true("at the broker", in_events > 0);
	(void)t_needles_in_folder(&controls, t_network_dir(network), NULL);
	t_true("in files", t_needle_found(&controls, "payload") > 0);
	t_uint("its AppSKey in files", 0, t_needle_found(&controls, "AppSKey"));
	(void)t_needles_in_process(&controls, "application-server",
				   t_network_pid(network, T_APPLICATION_SERVER));
	t_true("in the application server's memory", t_needle_found(&controls, "payload") > 0);
	const uint8_t *bytes = t_relay_bytes(relays[1], &length);
	t_uint("on network.sock", 0, t_needles_in_bytes(&controls, "network.sock", bytes, length));
	(void)t_needles_in_process(&controls, "network-server", t_network_pid(network, T_NETWORK_SERVER));
	t_uint("in the network server's memory", 0, t_needle_found(&controls, "payload"));
}

/* --- the agency's client ------------------------------------------------------------------------------------------ */

static void the_client_reads(const struct wanted *event)
{
	char path[T_DIR_MAX + 32], text[BASE64_ROOM(PAYLOAD)], shown[BASE64_ROOM(PAYLOAD) + 16];
	t_row("with the KEK");
	snprintf(path, sizeof path, "%s/event.json", mine);
	t_write_file(path, event->payload);
	base64_encode(text, held.payload, PAYLOAD);
	snprintf(shown, sizeof shown, "\"data\":\"%s\"", text);
	t_false("the event has it", strstr(event->payload, text) != NULL);
	t_cli_must(network, 0, "decrypt", "--kek", kek, path);
	t_true("decrypt shows it", strstr(t_cli_output(network), shown) != NULL);
}

static unsigned items_of(const char *state, json_int_t *fcnt_down)
{
	unsigned count = 0;
	t_cli_must(network, 0, "downlink", "list", held.eui, "--state", state, "--json");
	json_t *items = json_loads(t_cli_output(network), 0, NULL);
	count = (unsigned)json_array_size(items);
	*fcnt_down = json_integer_value(json_object_get(json_array_get(items, 0), "f_cnt_down"));
	json_decref(items);
	return count;
}

/* The acknowledgement of the uplink took the counter that its event said was next: the first try is stale. */
static void the_client_commands(void)
{
	char hex[2 * PAYLOAD + 1];
	json_int_t stale, waiting;
	hex_encode(hex, command, PAYLOAD);
	t_row("a command in clear");
	t_cli_must(network, 4, "downlink", "send", held.eui, "--port", "10", "--hex", "00010203");
	t_true("a sentence", strstr(t_cli_output(network), "isEncrypted") != NULL);
	t_row("a command under the KEK");
	t_cli_must(network, 0, "downlink", "send", held.eui, "--port", "10", "--hex", hex, "--kek", kek);
	t_uint("its first counter had passed", 1, items_of("stale_counter", &stale));
	t_uint("it waits under the next", 1, items_of("waiting", &waiting));
	t_int("which the stale one said", stale, waiting);
}

static void the_device_opens_it(void)
{
	struct t_air air = t_device_sends(&held.device, false, 10, held.payload, PAYLOAD);
	struct sim_txpk txpk;
	struct lw_frame frame;
	uint8_t plain[LW_PHY_PAYLOAD_MAX];
	t_row("the device");
	t_true("heard", t_gateway_hears(&roof, &air));
	if (!t_true("a downlink", t_gateway_expects(&roof, &txpk)) ||
	    !t_true("for it", t_device_reads(&held.device, &txpk, &frame)))
		return;
	struct aes *aes = aes_new();
	assert_non_null(aes);
	lw_cipher_frm_payload(aes, &held.device.app_s_key, LW_DOWN, held.device.dev_addr, frame.fcnt,
			      frame.frm_payload, frame.frm_payload_length, plain);
	aes_free(aes);
	t_int("port", 10, frame.fport);
	t_bytes("the command", command, PAYLOAD, plain, frame.frm_payload_length);
	struct wanted sent = {.eui = held.eui, .kind = "/event/txack", .fcnt = -1};
	t_true("told as sent", t_wait_until(has_event, &sent, T_CEILING));
	t_until(air.end + RX2_S);
}

/* --- the test ---------------------------------------------------------------------------------------------------- */

static void an_agencys_key_and_payloads_are_nowhere_but_with_the_agency(void **state)
{
	static struct wanted private, public;
	(void)state;
	fill(held.payload, PAYLOAD);
	fill(open_.payload, PAYLOAD);
	joins(&open_);
	joins(&held);
	add_secrets();
	look_into_memory("after the join");
	t_row("uplinks");
	sends(&open_, false, &public);
	sends(&held, true, &private);
	look_into_memory("after the uplink");
	the_client_reads(&private);
	the_client_commands();
	look_into_memory("while the command waits");
	the_device_opens_it();
	look_into_memory("after the command");
	look_into_the_rest("while it runs");
	t_row("the search");
	t_true("looked at a lot", secrets.searched > 1000000);
	the_search_finds_what_is_there();
}

int main(void)
{
	const struct CMUnitTest tests[] = {{"an agency's key",
					    an_agencys_key_and_payloads_are_nowhere_but_with_the_agency,
					    open_world, close_world, NULL}};
	return t_run(tests);
}
