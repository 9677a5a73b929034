/* The real network server alone: this program is its bridges and its application server, well-behaved and hostile ones, over
 * the real network.sock; and kill -9 under load, after which no FCntDown carries two contents and no event is lost. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/base/rng.h"
#include "common/crypto/aes.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"
#include "common/proto/envelope.h"
#include "tests/harness/link_peer.h"
#include "tests/harness/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES 4
#define KILLS   10
#define ROUNDS  60

static char dir[T_DIR_MAX], network_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48], config[T_DIR_MAX + 32];
static struct aes *aes;
static struct t_process *server;
static struct proto_message out, in;

/* --- the server ---------------------------------------------------------------------------------------------- */

static void start(void)
{
	server = t_process_start(&(struct t_process_options){
		.program = "network-server", .arguments = {"-c", config}, .dir = dir});
	if (!t_true("healthy", t_wait_until(t_is_healthy, admin_sock, 3 * T_CEILING))) {
		static char log[4096];
		fputs(t_process_log(server, log, sizeof log), stderr);
	}
}

static int open_dir(void **state)
{
	t_temp_dir(dir);
	aes = aes_new();
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(network_sock, sizeof network_sock, "%s/run/network.sock", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/network-server.admin.sock", dir);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", dir}, .dir = dir});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	start();
	return secret_init() == ST_OK && aes ? t_setup(state) : -1;
}

static int close_dir(void **state)
{
	if (server) {
		t_int("orderly stop", 0, t_process_stop(server));
		t_process_free(server);
	}
	server = NULL;
	aes_free(aes);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

static bool greet(struct t_peer *peer, enum proto_role role, uint32_t major)
{
	return t_peer_greet(peer, network_sock, role, major);
}

/* --- the city ------------------------------------------------------------------------------------------------ */

static uint64_t version;

static uint64_t next_version(void)
{
	return ++version;
}

/* One for each device, so that their answers do not wait for one another's air time. */
static struct lw_eui64 gateway_of(unsigned device)
{
	return lw_eui64_from_number(0x6a00 + device);
}

static struct lw_key key_of(unsigned device)
{
	struct lw_key key;
	memset(key.bytes, 0x30 + (int)device, sizeof key.bytes);
	return key;
}

static void read_box_key(uint8_t public_key[SECRET_KEY])
{
	char path[T_DIR_MAX + 64], hex[80] = "";
	snprintf(path, sizeof path, "%s/keys/network-server.box.pub", dir);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(hex, sizeof hex, file));
	fclose(file);
	hex[64] = '\0';
	assert_true(hex_decode_exact(public_key, SECRET_KEY, hex));
}

static void register_all(struct t_peer *app)
{
	uint8_t public_key[SECRET_KEY];
	read_box_key(public_key);
	memset(&out, 0, sizeof out);
	out.state_begin = (struct net_state_begin){.city = {{7}}, .full = true};
	t_peer_send(app, PROTO_STATE_BEGIN, &out);
	out.profile = (struct net_profile){.version = next_version(),
					   .id = {{1}},
					   .mac_version = LW_MAC_1_0_4,
					   .region_id = "eu868",
					   .rx_delay_s = 1,
					   .rx2_dr = 255};
	net_profile_defaults(&out.profile);
	out.profile.dev_status_interval_h = 0;
	t_peer_send(app, PROTO_PROFILE, &out);
	for (unsigned i = 0; i < DEVICES; i++) {
		out.gateway = (struct net_gateway){
			.version = next_version(),
			.gateway = {.eui = gateway_of(i), .region_id = "eu868", .accept = GW_ACCEPT_UDP}};
		t_peer_send(app, PROTO_GATEWAY, &out);
	}
	for (unsigned i = 0; i < DEVICES; i++) {
		struct lw_key key = key_of(i);
		memset(&out, 0, sizeof out);
		out.device = (struct net_device){.version = next_version(),
						 .dev_eui = lw_eui64_from_number(0x1000 + i),
						 .enabled = true,
						 .profile = {{1}},
						 .activation = NET_ABP,
						 .dev_addr = {i + 1},
						 .has_nwk_s_key = true};
		assert_int_equal(ST_OK, sealed_key_seal(out.device.nwk_s_key, public_key, SEALED_NWK_S_KEY,
							out.device.dev_eui.bytes, key.bytes));
		t_peer_send(app, PROTO_DEVICE, &out);
	}
	out.state_end = (struct net_state_end){version};
	t_peer_send(app, PROTO_STATE_END, &out);
	t_true("applied", t_peer_expect(app, PROTO_STATE_APPLIED, &in));
	t_uint("up to", version, in.state_applied.version);
}

static bool send_uplink(struct t_peer *bridge, unsigned device, uint32_t fcnt)
{
	memset(&out, 0, sizeof out);
	struct gw_uplink *uplink = &out.gateway_uplink;
	struct lw_frame frame = {.ftype = LW_CONFIRMED_UP,
				 .dev_addr = {device + 1},
				 .fcnt = (uint16_t)fcnt,
				 .has_fport = true,
				 .fport = 1};
	uplink->phy_length = (uint8_t)lw_frame_encode(&frame, uplink->phy, sizeof uplink->phy);
	struct lw_key key = key_of(device);
	struct lw_mic_input input = {.direction = LW_UP,
				     .dev_addr = frame.dev_addr,
				     .fcnt = fcnt,
				     .msg = uplink->phy,
				     .length = (uint8_t)(uplink->phy_length - 4)};
	lw_frame_set_mic(uplink->phy, uplink->phy_length, lw_mic_1_0(aes, &key, &input));
	uplink->gateway = gateway_of(device);
	uplink->freq_hz = 868100000;
	uplink->modulation = (struct lw_modulation){
		.kind = LW_LORA, .spreading_factor = 7, .bandwidth_hz = 125000, .code_rate = "4/5"};
	uplink->ticks.us = (uint32_t)(int64_t)(t_seconds() * 1e6);
	uplink->rssi_dbm = -60;
	uplink->arrival.us = INT64_C(1800000000) * US_PER_S;
	return t_peer_send(bridge, PROTO_GATEWAY_UPLINK, &out);
}

static void start_bridge(struct t_peer *bridge)
{
	t_true("bridge greeted", greet(bridge, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR));
	for (unsigned i = 0; i < DEVICES; i++) {
		memset(&out, 0, sizeof out);
		out.gateway_presence = (struct gw_presence){
			.gateway = gateway_of(i), .online = true, .known = true};
		t_peer_send(bridge, PROTO_GATEWAY_PRESENCE, &out);
	}
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static bool says_nothing_first(struct t_peer *peer)
{
	memset(&out, 0, sizeof out);
	t_peer_open(peer, network_sock);
	return t_peer_send(peer, PROTO_ACK, &out);
}

static bool major_2(struct t_peer *peer)
{
	return greet(peer, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR + 1);
}

static bool our_own_role(struct t_peer *peer)
{
	return greet(peer, PROTO_NETWORK_SERVER, PROTO_MAJOR);
}

static bool garbage(struct t_peer *peer)
{
	t_peer_open(peer, network_sock);
	return t_peer_frame(peer, "\xff\xff\xff\xff garbage", 12);
}

static bool garbage_after_the_hello(struct t_peer *peer)
{
	return greet(peer, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR) && t_peer_frame(peer, "\x0a\xff\xff", 3);
}

static bool too_long(struct t_peer *peer)
{
	t_peer_open(peer, network_sock);
	return t_peer_write(peer, "\x01\x00\x04\x00", 4); /* 256 KiB and one byte */
}

static bool empty(struct t_peer *peer)
{
	t_peer_open(peer, network_sock);
	return t_peer_write(peer, "\0\0\0\0", 4);
}

static bool bridge_registers(struct t_peer *peer)
{
	bool greeted = greet(peer, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR);
	memset(&out, 0, sizeof out);
	return greeted && t_peer_send(peer, PROTO_STATE_BEGIN, &out);
}

static bool app_hears(struct t_peer *peer)
{
	return greet(peer, PROTO_APPLICATION_SERVER, PROTO_MAJOR) && send_uplink(peer, 0, 0);
}

static void hostile_peers(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool (*act)(struct t_peer *peer);
		const char *reason; /* of the Bye; NULL: closed without one */
		const char *counter;
	} rows[] = {
		{"a first message that is no Hello", says_nothing_first,
		 "the first message has to be a Hello", NULL},
		{"a major version that we do not speak", major_2, "unknown major protocol version", NULL},
		{"a role that nobody else has", our_own_role, "no role for this socket", NULL},
		{"garbage", garbage, "malformed message", "protocol"},
		{"garbage after the Hello", garbage_after_the_hello, "malformed message", "protocol"},
		{"a frame longer than any", too_long, NULL, NULL},
		{"an empty frame", empty, NULL, NULL},
		{"a bridge that registers devices", bridge_registers, "a message that this role may not send",
		 "protocol"},
		{"an application server that hears frames", app_hears,
		 "a message that this role may not send", "protocol"},
	};
	static struct t_peer peer;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char metric[96];
		snprintf(metric, sizeof metric, "lamppost_network_drops_total{reason=\"%s\"}",
			 rows[i].counter ? rows[i].counter : "protocol");
		double refused = t_metric(admin_sock, "lamppost_network_links_refused_total");
		double dropped = t_metric(admin_sock, metric);
		t_true("acts", rows[i].act(&peer));
		bool bye = t_peer_expect(&peer, PROTO_BYE, &in);
		t_int("Bye", rows[i].reason != NULL, bye);
		if (bye && rows[i].reason)
			t_str("reason", rows[i].reason, in.bye.reason);
		while (t_peer_receive(&peer, &in, T_CEILING))
			;
		t_true("closed", peer.closed);
		t_peer_close(&peer);
		t_true("counted",
		       t_metric(admin_sock, "lamppost_network_links_refused_total") == refused + 1);
		t_true("by its verdict", t_metric(admin_sock, metric) == dropped + (rows[i].counter ? 1 : 0));
		t_true("alive", t_process_running(server) && t_is_healthy(admin_sock));
	}
	t_row("half a frame, and gone");
	t_peer_open(&peer, network_sock);
	t_true("half", t_peer_write(&peer, "\x40\0\0\0half", 8));
	t_peer_close(&peer);
	t_true("alive", t_is_healthy(admin_sock));
}

static bool frame_taken_twice(void *ctx)
{
	const double *before = ctx;
	return t_metric(admin_sock, "lamppost_network_drops_total{reason=\"protocol\"}") == *before + 2;
}

/* One such message must not come again on every new link, before all that are behind it. */
static void a_value_out_of_range_is_passed_over(void **state)
{
	(void)state;
	static struct t_peer peer;
	static uint8_t packed[PROTO_FRAME_MAX];
	size_t length;
	double before = t_metric(admin_sock, "lamppost_network_drops_total{reason=\"protocol\"}");
	assert_true(greet(&peer, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR));
	for (int i = 0; i < 2; i++) {
		memset(&out, 0, sizeof out);
		out.kind = PROTO_GATEWAY_TX_ACK;
		out.seq = ++peer.seq;
		out.gateway_tx_ack = (struct gw_tx_ack){.id = 5, .result = GW_TX_OTHER};
		assert_int_equal(ST_OK, proto_pack(&out, packed, sizeof packed, &length));
		uint8_t *result = memmem(packed, length, (uint8_t[]){0x20, GW_TX_OTHER}, 2);
		assert_non_null(result);
		result[1] = 99;
		t_true("written", t_peer_frame(&peer, packed, (uint32_t)length));
	}
	t_true("counted", t_wait_until(frame_taken_twice, &before, T_CEILING));
	t_row("it is acknowledged, and the link goes on");
	uint64_t seq = 0;
	while (seq < peer.seq && t_peer_expect(&peer, PROTO_ACK, &in))
		seq = in.ack.seq;
	t_uint("acknowledged", peer.seq, seq);
	t_true("link", !peer.closed && send_uplink(&peer, 0, 1));
	while (seq < peer.seq && t_peer_expect(&peer, PROTO_ACK, &in))
		seq = in.ack.seq;
	t_uint("acknowledged", peer.seq, seq);
	t_row("a message that cannot be read ends it, and is named");
	t_true("written", t_peer_frame(&peer, "\x0a\xff\xff", 3));
	t_true("Bye", t_peer_expect(&peer, PROTO_BYE, &in));
	t_uint("the message after the last", peer.seq + 1, in.bye.seq);
	t_peer_close(&peer);
}

static void restart_with(const char *more_config)
{
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
	FILE *file = fopen(config, "a");
	assert_non_null(file);
	fputs(more_config, file);
	fclose(file);
	start();
}

static void users_may_be_what_the_table_says(void **state)
{
	(void)state;
	static struct t_peer peer;
	restart_with("network-server:\n  callers:\n    bridges: \"4294967000\"\n");
	double counted = t_metric(admin_sock, "lamppost_network_drops_total{reason=\"caller\"}");
	t_true("a bridge of ours", greet(&peer, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR));
	t_true("is refused", t_peer_expect(&peer, PROTO_BYE, &in));
	t_str("reason", "this user may not: see network-server.callers", in.bye.reason);
	t_peer_close(&peer);
	t_true("counted",
	       t_metric(admin_sock, "lamppost_network_drops_total{reason=\"caller\"}") == counted + 1);
	t_true("the application server", greet(&peer, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	t_true("is not", t_peer_expect(&peer, PROTO_STATE_WANTED, &in));
	t_peer_close(&peer);
}

static void one_application_server(void **state)
{
	(void)state;
	static struct t_peer first, second;
	t_true("the first", greet(&first, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	t_true("is told what we have", t_peer_expect(&first, PROTO_STATE_WANTED, &in));
	t_true("the second", greet(&second, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	t_true("is refused", t_peer_expect(&second, PROTO_BYE, &in));
	t_str("reason", "another application server is connected", in.bye.reason);
	t_peer_close(&second);
	register_all(&first);
	t_peer_close(&first);
	bool taken = false;
	for (double until = t_seconds() + T_CEILING; !taken && t_seconds() < until;) {
		taken = greet(&second, PROTO_APPLICATION_SERVER, PROTO_MAJOR) &&
			t_peer_receive(&second, &in, T_CEILING) && in.kind == PROTO_STATE_WANTED;
		if (!taken)
			t_peer_close(&second);
	}
	t_true("once the first has gone another is taken", taken);
	t_uint("and told what is applied", version, in.state_wanted.applied_version);
	t_peer_close(&second);
}

static void a_bridge_dies_and_another_takes_over(void **state)
{
	(void)state;
	static struct t_peer app, bridge, other;
	assert_true(greet(&app, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	register_all(&app);
	start_bridge(&bridge);
	t_true("uplink", send_uplink(&bridge, 0, 0));
	t_true("event", t_peer_expect(&app, PROTO_UP_EVENT, &in));
	t_true("its ACK", t_peer_expect(&bridge, PROTO_GATEWAY_DOWNLINK, &in));
	t_true("half a message", t_peer_write(&bridge, "\x40\0\0", 3));
	t_peer_close(&bridge);
	start_bridge(&other);
	t_true("uplink", send_uplink(&other, 0, 1));
	t_true("event", t_peer_expect(&app, PROTO_UP_EVENT, &in));
	t_uint("the next counter", 1, in.up_event.fcnt_up);
	t_true("its ACK, to the bridge that lives", t_peer_expect(&other, PROTO_GATEWAY_DOWNLINK, &in));
	t_peer_close(&other);
	t_peer_close(&app);
}

/* Every downlink that left, by device and counter: its bytes. */
static struct {
	bool sent;
	uint8_t length;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
} sent[DEVICES][4096];
static unsigned downlinks, contents_differ, events_differ;
static struct net_uuid event_of[DEVICES][4096];
static bool event_seen[DEVICES][4096];

static void note_downlink(const struct gw_downlink *downlink)
{
	struct lw_frame frame;
	assert_int_equal(LW_OK, lw_frame_parse(&frame, downlink->phy, downlink->phy_length, LW_DOWN));
	unsigned device = frame.dev_addr.value - 1;
	assert_true(device < DEVICES && frame.fcnt < 4096);
	downlinks++;
	if (sent[device][frame.fcnt].sent)
		contents_differ += memcmp(sent[device][frame.fcnt].phy, downlink->phy,
					  downlink->phy_length) != 0;
	sent[device][frame.fcnt].sent = true;
	memcpy(sent[device][frame.fcnt].phy, downlink->phy, downlink->phy_length);
}

static void note_event(const struct net_up_event *event)
{
	unsigned device = event->dev_addr.value - 1;
	assert_true(device < DEVICES && event->fcnt_up < 4096);
	if (event_seen[device][event->fcnt_up])
		events_differ += memcmp(&event_of[device][event->fcnt_up], &event->head.id,
					sizeof event->head.id) != 0;
	event_seen[device][event->fcnt_up] = true;
	event_of[device][event->fcnt_up] = event->head.id;
}

static void take_all(struct t_peer *app, struct t_peer *bridge, double seconds)
{
	double until = t_seconds() + seconds;
	do {
		while (t_peer_receive(bridge, &in, 0.002))
			if (in.kind == PROTO_GATEWAY_DOWNLINK)
				note_downlink(&in.gateway_downlink);
		while (t_peer_receive(app, &in, 0.002))
			if (in.kind == PROTO_UP_EVENT)
				note_event(&in.up_event);
	} while (t_seconds() < until);
}

static void kill_9_under_load(void **state)
{
	(void)state;
	static struct t_peer app, bridge;
	struct rng rng = rng_seeded(9);
	uint32_t fcnt[DEVICES] = {0};
	unsigned kills = 0;
	assert_true(greet(&app, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	register_all(&app);
	start_bridge(&bridge);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < DEVICES; i++)
			(void)send_uplink(&bridge, i, fcnt[i]);
		bool kill = kills < KILLS && rng_below(&rng, 3) == 0;
		take_all(&app, &bridge, kill ? 0.001 * rng_below(&rng, 600) : 0.35);
		if (kill) {
			t_process_kill(server);
			take_all(&app, &bridge, 0.01); /* what had left before */
			t_process_free(server);
			t_peer_close(&app);
			t_peer_close(&bridge);
			start();
			kills++;
			assert_true(greet(&app, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
			start_bridge(&bridge);
			take_all(&app, &bridge, 0.05);
		}
		/* A frame whose event came was committed; any other is sent again, as a bridge does. */
		for (unsigned i = 0; i < DEVICES; i++)
			fcnt[i] += event_seen[i][fcnt[i]] ? 1 : 0;
	}
	t_uint("killed", KILLS, kills);
	t_true("under load", downlinks > ROUNDS);
	t_uint("no downlink counter carries two contents", 0, contents_differ);
	t_uint("an event keeps its id", 0, events_differ);
	t_peer_close(&app);
	assert_true(greet(&app, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	memset(event_seen, 0, sizeof event_seen);
	take_all(&app, &bridge, 1);
	t_uint("ids of the events told again", 0, events_differ);
	for (unsigned i = 0; i < DEVICES; i++) {
		t_true("the device went on", fcnt[i] > ROUNDS / 3);
		for (uint32_t at = 0; at < fcnt[i]; at++)
			if (!event_seen[i][at])
				t_true("an event that was not stored is told again", false);
	}
	t_peer_close(&bridge);
	t_peer_close(&app);
}

static void gateways_by_the_page(void **state)
{
	(void)state;
	static char text[8192];
	struct t_peer app, bridge;
	t_true("application server greeted", greet(&app, PROTO_APPLICATION_SERVER, PROTO_MAJOR));
	register_all(&app);
	start_bridge(&bridge);
	unsigned seen = 0;
	char path[64] = "/gateways?limit=1";
	for (const char *next = ""; next; seen++) {
		char eui[64];
		t_int("a page", 200, t_unix_get(admin_sock, path, text, sizeof text));
		snprintf(eui, sizeof eui, "\"eui\":\"%016llx\"", 0x6a00ULL + seen);
		t_true("its gateway", strstr(text, eui) != NULL);
		t_true("its lead", strstr(text, "\"lead_ms\":300,\"lead_measured\":false") != NULL);
		t_true("its sub-bands", strstr(text, "\"limit_ms\":36000") != NULL);
		next = strstr(text, "\"next\":\"");
		if (next)
			snprintf(path, sizeof path, "/gateways?limit=1&after=%.*s",
				 (int)strcspn(next + 8, "\""), next + 8);
	}
	t_uint("all of them", DEVICES, seen);
	t_int("a limit that is none", 400, t_unix_get(admin_sock, "/gateways?limit=0", text, sizeof text));
	t_int("a cursor that is none", 400, t_unix_get(admin_sock, "/gateways?after=x", text, sizeof text));
	t_peer_close(&bridge);
	t_peer_close(&app);
}

int main(void)
{
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_DIR(hostile_peers),          IN_DIR(users_may_be_what_the_table_says),
		IN_DIR(one_application_server), IN_DIR(a_bridge_dies_and_another_takes_over),
		IN_DIR(gateways_by_the_page),   IN_DIR(a_value_out_of_range_is_passed_over),
		IN_DIR(kill_9_under_load),
	};
	return t_run(tests);
}
