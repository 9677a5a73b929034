/* Gateways by MQTT in the core: messages and commands as bytes, the broker and time by hand. The gateway's side is the simulator's. */
#include "tests/harness/harness.h"

#include "gateway-bridge/bridge_mqtt.h"
#include "simulator/chirpstack_gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOF     UINT64_C(0x0016c001ff10a235)
#define ROOF_ID  "0016c001ff10a235"
#define TOWER    UINT64_C(0x0016c001ff10a236) /* UDP and MQTT */
#define TOWER_ID "0016c001ff10a236"
#define UDP      UINT64_C(0x0016c001ff10a237) /* UDP alone */
#define UDP_ID   "0016c001ff10a237"
#define STRANGER "1122334455667788"

static struct bench {
	struct gb_bridge *bridge;
	struct rng rng;
	struct now now;
	struct proto_message *message; /* scratch */
	char said[512];
	struct gw_uplink uplink;
	struct gw_tx_ack tx_ack;
	struct gw_presence presence;
	struct gb_mqtt_out out;
	struct sim_chirpstack_down down; /* as the gateway reads it */
} bench;

static const struct gb_address broker = {.family = 4, .bytes = {192, 0, 2, 5}, .port = 1883};

static void pass(int64_t milliseconds)
{
	bench.now.mono.us += milliseconds * US_PER_MS;
	bench.now.wall.us += milliseconds * US_PER_MS;
	gb_bridge_on_tick(bench.bridge, bench.now);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	size_t used = strlen(bench.said);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(bench.said + used, sizeof bench.said - used, format, arguments);
	va_end(arguments);
}

static const char *hear(void)
{
	bench.said[0] = 0;
	while (gb_bridge_next_message(bench.bridge, bench.now, bench.message)) {
		const struct proto_message *message = bench.message;
		switch (message->kind) {
		case PROTO_GATEWAY_UPLINK:
			bench.uplink = message->gateway_uplink;
			say("up ");
			break;
		case PROTO_GATEWAY_TX_ACK:
			bench.tx_ack = message->gateway_tx_ack;
			say("tx(%llu,%u,%s) ", (unsigned long long)bench.tx_ack.id, bench.tx_ack.attempt,
			    gw_tx_result_name(bench.tx_ack.result));
			break;
		case PROTO_GATEWAY_PRESENCE:
			bench.presence = message->gateway_presence;
			say("%s(%s) ", bench.presence.online ? "here" : "gone", bench.presence.reason);
			break;
		default: break;
		}
		gb_bridge_message_sent(bench.bridge);
	}
	return bench.said;
}

static uint64_t counted(enum gb_verdict verdict)
{
	return gb_bridge_counters(bench.bridge)->verdicts[verdict];
}

static void tell(void)
{
	assert_int_equal(ST_OK, gb_bridge_on_network_message(bench.bridge, bench.now, bench.message));
}

static void give_list(uint8_t accept_roof)
{
	bench.message->kind = PROTO_GATEWAY_LIST;
	struct gw_gateway_list *list = &bench.message->gateway_list;
	*list = (struct gw_gateway_list){.version = 1, .first = true, .last = true, .count = 3};
	const struct {
		uint64_t eui;
		uint8_t accept;
	} rows[] = {{ROOF, accept_roof}, {TOWER, GW_ACCEPT_UDP | GW_ACCEPT_MQTT}, {UDP, GW_ACCEPT_UDP}};
	for (size_t i = 0; i < 3; i++)
		list->gateways[i] = (struct gw_gateway){.eui = lw_eui64_from_number(rows[i].eui),
							.region_id = "eu868",
							.accept = rows[i].accept};
	tell();
}

static void begin_without_broker(void)
{
	const struct gb_options options = {.name = "test",
					   .ring_age = 60 * US_PER_S,
					   .ring_bytes = 1 << 20,
					   .per_eui = {200, 400},
					   .frames = {1000, 2000},
					   .unknown = {20, 20}};
	free(bench.message);
	gb_bridge_free(bench.bridge);
	bench = (struct bench){.rng = rng_seeded(1),
			       .now = {.mono = {5000 * US_PER_S},
				       .wall = {1790000000 * US_PER_S},
				       .wall_synchronised = true}};
	bench.message = calloc(1, sizeof *bench.message);
	assert_non_null(bench.message);
	bench.bridge = gb_bridge_new(&options, &bench.rng);
	gb_bridge_serve_mqtt(bench.bridge, bench.now);
	gb_bridge_on_link_open(bench.bridge, bench.now);
	hear();
	bench.message->kind = PROTO_HELLO;
	bench.message->hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	tell();
	give_list(GW_ACCEPT_MQTT);
}

static void begin(void)
{
	begin_without_broker();
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
}

static void arrive(const char *topic, const uint8_t *bytes, size_t length)
{
	const struct gb_mqtt_in message = {.topic = topic, .bytes = bytes, .length = length};
	gb_bridge_on_mqtt(bench.bridge, bench.now, &message);
}

static void conn(const char *id, bool online)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[64];
	snprintf(topic, sizeof topic, "eu868/gateway/%s/state/conn", id);
	arrive(topic, bytes, sim_chirpstack_write_conn(bytes, id, online));
}

static void stats(const char *id)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[64];
	snprintf(topic, sizeof topic, "eu868/gateway/%s/event/stats", id);
	arrive(topic, bytes, sim_chirpstack_write_stats(bytes, id, 5, 4, 1, 40.7, -74, 10, "rak"));
}

static struct sim_chirpstack_up frame(uint32_t ticks)
{
	struct sim_chirpstack_up up = {.id = ROOF_ID,
				       .phy = {0x40, 1, 2, 3, 4, 0, 5, 6, 7, 8, 9, 10},
				       .phy_length = 12,
				       .freq_hz = 868100000,
				       .modulation = {SIM_CHIRPSTACK_LORA, 125000, 7, .code_rate = 1},
				       .rssi_dbm = -70,
				       .snr_db = 5,
				       .crc = 2,
				       .context = {(uint8_t)(ticks >> 24), (uint8_t)(ticks >> 16),
						   (uint8_t)(ticks >> 8), (uint8_t)ticks},
				       .context_length = 4};
	return up;
}

static void up_as(const char *prefix, const char *id, struct sim_chirpstack_up what)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[96];
	what.id = id;
	snprintf(topic, sizeof topic, "%sgateway/%s/event/up", prefix, id);
	arrive(topic, bytes, sim_chirpstack_write_up(bytes, &what));
}

static struct gw_downlink *order(uint64_t eui, uint64_t id, size_t attempts, uint32_t ticks)
{
	struct gw_downlink *downlink = &bench.message->gateway_downlink;
	bench.message->kind = PROTO_GATEWAY_DOWNLINK;
	*downlink = (struct gw_downlink){
		.id = id, .phy = {0x60, 1, 2, 3, 4}, .phy_length = 5, .attempt_count = (uint8_t)attempts};
	for (size_t i = 0; i < attempts; i++)
		downlink->attempts[i] = (struct gw_tx_attempt){
			.gateway = lw_eui64_from_number(eui),
			.window = i ? GW_RX2 : GW_RX1,
			.timing = GW_AT_TICKS,
			.ticks = {ticks + (uint32_t)i * 1000000},
			.freq_hz = i ? 869525000 : 868100000,
			.modulation = {LW_LORA, i ? 12 : 7, 125000, .code_rate = "4/5"},
			.power_dbm = 16,
			.invert_polarity = true};
	return downlink;
}

/* The command that is to be published, as the gateway reads it. */
static const char *commands(void)
{
	static char topics[256];
	topics[0] = 0;
	while (gb_bridge_take_mqtt(bench.bridge, &bench.out)) {
		size_t used = strlen(topics);
		const char *wrong = sim_chirpstack_read_down(bench.out.bytes, bench.out.length, &bench.down);
		snprintf(topics + used, sizeof topics - used, "%s%s ", bench.out.topic, wrong ? wrong : "");
	}
	return topics;
}

static void acknowledge(uint32_t id, const uint32_t *statuses, size_t count)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	arrive("eu868/gateway/" ROOF_ID "/event/ack", bytes,
	       sim_chirpstack_write_ack(bytes, ROOF_ID, id, statuses, count));
}

/* --- up */

static void a_gateway_comes_and_is_heard(void **state)
{
	(void)state;
	begin();
	t_row("its state says so");
	conn(ROOF_ID, true);
	t_str("presence", "here(mqtt) ", hear());
	t_str("where", "mqtt:eu868@192.0.2.5:1883", bench.presence.address);
	t_int("protocol", GW_CHIRPSTACK_MQTT, bench.presence.protocol);
	t_row("an uplink");
	up_as("eu868/", ROOF_ID, frame(77000));
	t_str("goes up", "up ", hear());
	t_uint("ticks", 77000, bench.uplink.ticks.us);
	t_int("rssi", -70, bench.uplink.rssi_dbm);
	t_int("protocol", GW_CHIRPSTACK_MQTT, bench.uplink.protocol);
	t_row("statistics are kept with its health");
	stats(ROOF_ID);
	t_str("nothing goes up", "", hear());
	const struct lw_eui64 roof = lw_eui64_from_number(ROOF);
	const struct gb_gateway *gateway = gb_gateways_find(gb_bridge_gateways(bench.bridge), &roof);
	t_uint("received", 5, gateway->health.stats.rx_received);
	t_str("model", "rak", gateway->health.model);
	t_uint("frames", 1, gateway->health.forwarded);
	t_true("connected", gateway->health.connected);
	t_uint("online", 1, gb_bridge_mqtt_online(bench.bridge));
	t_str("prefix", "eu868", gb_bridge_mqtt_prefix(bench.bridge, gateway));
	t_row("another prefix is a move");
	up_as("", ROOF_ID, frame(5077000));
	t_str("told", "here(moved) up ", hear());
	t_str("where", "mqtt:192.0.2.5:1883", bench.presence.address);
	t_uint("verdict", 1, counted(GB_MQTT_PREFIX_MOVED));
	t_row("without a state: the first uplink is enough");
	begin();
	up_as("eu868/", ROOF_ID, frame(1));
	t_str("told", "here(mqtt) up ", hear());
}

static void what_is_refused_has_a_verdict(void **state)
{
	(void)state;
	static const struct {
		const char *name, *topic, *id;
		enum gb_verdict verdict;
		bool known, heard;
	} rows[] = {
		{"a topic that is none", "eu868/gateway/roof/event/up", ROOF_ID, GB_MQTT_TOPIC, false, false},
		{"another gateway in the body", "eu868/gateway/" ROOF_ID "/event/up", TOWER_ID, GB_ID_DIFFERS,
		 true, true},
		{"no gateway in the body", "eu868/gateway/" ROOF_ID "/event/up", "", GB_MISSING_MEMBER, true,
		 true},
		{"one that may not come by MQTT", "eu868/gateway/" UDP_ID "/event/up", UDP_ID,
		 GB_MQTT_NOT_ALLOWED, true, false},
		{"one that is not registered", "eu868/gateway/" STRANGER "/event/up", STRANGER,
		 GB_UNKNOWN_GATEWAY, false, true},
		{"an event that is not used", "eu868/gateway/" ROOF_ID "/event/exec", ROOF_ID, GB_MQTT_UNUSED,
		 true, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
		struct sim_chirpstack_up what = frame(1);
		t_row(rows[i].name);
		begin();
		what.id = rows[i].id;
		arrive(rows[i].topic, bytes, sim_chirpstack_write_up(bytes, &what));
		t_uint("counted", 1, counted(rows[i].verdict));
		hear();
		t_true("nothing goes up", strstr(bench.said, "up ") == NULL);
		t_int("heard", rows[i].heard, bench.said[0] != 0);
	}
	t_row("an unregistered one is listed");
	begin();
	stats(STRANGER);
	t_uint("listed", 1, gb_gateways_unknown(gb_bridge_gateways(bench.bridge)));
	t_str("told", "here(unknown) ", hear());
	t_row("JSON");
	arrive("eu868/gateway/" ROOF_ID "/event/up", (const uint8_t *)"{\"a\":1}", 7);
	t_uint("named", 1, counted(GB_MQTT_JSON));
	t_row("an odd state makes nobody heard");
	begin();
	arrive("eu868/gateway/" ROOF_ID "/state/conn", (const uint8_t *)"offline", 7);
	t_uint("named", 1, counted(GB_NOT_PROTOBUF));
	t_str("not heard", "", hear());
}

static void what_the_broker_kept_is_not_of_now(void **state)
{
	(void)state;
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	struct sim_chirpstack_up what = frame(77000);
	struct gb_mqtt_in message = {.bytes = bytes, .retained = true};
	begin();
	t_row("a frame makes nobody heard");
	message.topic = "eu868/gateway/" ROOF_ID "/event/up";
	message.length = sim_chirpstack_write_up(bytes, &what);
	gb_bridge_on_mqtt(bench.bridge, bench.now, &message);
	t_str("nothing told", "", hear());
	t_uint("named", 1, counted(GB_MQTT_RETAINED));
	t_row("nor does it list a stranger");
	message.topic = "eu868/gateway/" STRANGER "/event/up";
	gb_bridge_on_mqtt(bench.bridge, bench.now, &message);
	t_uint("unknown", 0, gb_gateways_unknown(gb_bridge_gateways(bench.bridge)));
	t_row("a state is meant to be kept");
	message.topic = "eu868/gateway/" ROOF_ID "/state/conn";
	message.length = sim_chirpstack_write_conn(bytes, ROOF_ID, true);
	gb_bridge_on_mqtt(bench.bridge, bench.now, &message);
	t_str("told", "here(mqtt) ", hear());
}

static const struct gb_gateway *roof(void)
{
	const struct lw_eui64 eui = lw_eui64_from_number(ROOF);
	return gb_gateways_find(gb_bridge_gateways(bench.bridge), &eui);
}

static void two_gateways_with_one_eui(void **state)
{
	(void)state;
	const struct gb_gateways *gateways;
	uint32_t ticks = 1000;
	begin();
	gateways = gb_bridge_gateways(bench.bridge);
	t_row("in turn under two prefixes: told when it begins");
	up_as("north/", ROOF_ID, frame(ticks));
	hear();
	for (unsigned i = 0; i < 20; i++, pass(500))
		up_as(i % 2 ? "north/" : "south/", ROOF_ID, frame(ticks += 500000));
	t_str("told four times, the frames beside it",
	      "here(moved) up here(moved) up here(moved) up here(flapping) up up up up up up up up up up up "
	      "up "
	      "up up up up up ",
	      hear());
	t_uint("one verdict", 1, counted(GB_MQTT_ALTERNATES));
	t_uint("flapping", 1, gb_gateways_flapping(gateways));
	t_uint("moves", 20, roof()->moves);
	t_row("one of them falls silent");
	for (unsigned i = 0; i < 4; i++, pass(20500)) {
		up_as("north/", ROOF_ID, frame(ticks += 20500000));
		t_str("settled after a minute", i < 3 ? "up " : "here(settled) up ", hear());
	}
	t_uint("named", 1, counted(GB_MQTT_SETTLED));
	t_uint("flapping", 0, gb_gateways_flapping(gateways));
	t_row("who leaves while it flaps does not flap any more");
	for (unsigned i = 0; i < 6; i++)
		up_as(i % 2 ? "north/" : "south/", ROOF_ID, frame(ticks += 500000));
	t_uint("flapping", 1, gb_gateways_flapping(gateways));
	conn(ROOF_ID, false);
	pass(2000);
	t_uint("flapping", 0, gb_gateways_flapping(gateways));
}

static void two_gateways_with_one_eui_under_one_prefix(void **state)
{
	(void)state;
	const uint32_t apart = 1800000000; /* between their counters */
	uint32_t ticks = 1000;
	begin();
	t_row("what a gateway sends late comes in order: a line that was away");
	for (unsigned i = 0; i < 20; i++)
		up_as("eu868/", ROOF_ID, frame(ticks += 40000000));
	t_uint("no verdict", 0, counted(GB_MQTT_TWO_COUNTERS));
	t_uint("no move", 0, roof()->moves);
	t_row("one restart");
	up_as("eu868/", ROOF_ID, frame(ticks = 5000));
	t_uint("no verdict", 0, counted(GB_MQTT_TWO_COUNTERS));
	hear();
	t_row("in turn: told once");
	for (unsigned i = 0; i < 20; i++, pass(500))
		up_as("eu868/", ROOF_ID, frame((ticks += 500000) + (i % 2 ? apart : 0)));
	t_true("told", strstr(hear(), "here(flapping)") != NULL);
	t_uint("one verdict", 1, counted(GB_MQTT_TWO_COUNTERS));
	t_uint("flapping", 1, gb_gateways_flapping(gb_bridge_gateways(bench.bridge)));
	t_row("one of them falls silent");
	up_as("eu868/", ROOF_ID, frame(ticks += 500000));
	for (unsigned i = 0; i < 4; i++, pass(20500))
		up_as("eu868/", ROOF_ID, frame(ticks += 20500000));
	t_uint("settled", 1, counted(GB_MQTT_SETTLED));
	t_uint("flapping", 0, gb_gateways_flapping(gb_bridge_gateways(bench.bridge)));
}

static void where_its_commands_go(void **state)
{
	(void)state;
	char topic[GB_CHIRPSTACK_TOPIC_MAX];
	begin();
	t_row("never heard");
	t_false("none", gb_bridge_mqtt_path(bench.bridge, roof(), bench.now, topic));
	t_str("", "", topic);
	t_row("heard");
	conn(ROOF_ID, true);
	t_true("one", gb_bridge_mqtt_path(bench.bridge, roof(), bench.now, topic));
	t_str("its topic", "eu868/gateway/" ROOF_ID "/command/down", topic);
	t_row("left");
	conn(ROOF_ID, false);
	t_false("none", gb_bridge_mqtt_path(bench.bridge, roof(), bench.now, topic));
	t_row("the broker went and came: it is to be heard anew");
	conn(ROOF_ID, true);
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	t_false("none", gb_bridge_mqtt_path(bench.bridge, roof(), bench.now, topic));
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
	t_false("none", gb_bridge_mqtt_path(bench.bridge, roof(), bench.now, topic));
	conn(ROOF_ID, true);
	t_true("one", gb_bridge_mqtt_path(bench.bridge, roof(), bench.now, topic));
}

static void a_refused_subscription_shows(void **state)
{
	(void)state;
	begin();
	t_uint("none", 0, gb_bridge_refused_subscriptions(bench.bridge));
	gb_bridge_on_subscription_refused(bench.bridge, bench.now);
	gb_bridge_on_subscription_refused(bench.bridge, bench.now);
	t_uint("two", 2, gb_bridge_refused_subscriptions(bench.bridge));
	t_uint("named", 2, counted(GB_MQTT_NOT_SUBSCRIBED));
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	t_uint("of a connection that has gone: none", 0, gb_bridge_refused_subscriptions(bench.bridge));
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
	t_uint("the next begins anew", 0, gb_bridge_refused_subscriptions(bench.bridge));
}

static void each_has_its_limit(void **state)
{
	(void)state;
	begin();
	t_row("a gateway that floods spends its own");
	for (int i = 0; i < 1000; i++)
		stats(ROOF_ID);
	t_uint("over its limit", 600, counted(GB_RATE_EUI));
	stats(TOWER_ID);
	t_uint("its neighbour is heard", 2, gb_bridge_mqtt_online(bench.bridge));
	t_row("all that are not registered share one");
	for (int i = 0; i < 50; i++) {
		char id[17];
		snprintf(id, sizeof id, "%016x", i + 1);
		stats(id);
	}
	t_uint("over the limit", 30, counted(GB_RATE_UNKNOWN));
	t_uint("listed", 20, gb_gateways_unknown(gb_bridge_gateways(bench.bridge)));
}

/* --- presence */

static void a_gateway_goes(void **state)
{
	(void)state;
	begin();
	conn(ROOF_ID, true);
	hear();
	t_row("its last will");
	pass(5000);
	conn(ROOF_ID, false);
	t_str("not believed at once", "", hear());
	order(ROOF, 7, 1, 0);
	bench.message->gateway_downlink.attempts[0].timing = GW_IMMEDIATELY;
	tell();
	t_str("but no way down", "tx(7,0,no_path) ", hear());
	pass(1999);
	t_str("not yet", "", hear());
	pass(1);
	t_str("told", "gone(mqtt_offline) ", hear());
	t_uint("named", 1, counted(GB_MQTT_OFFLINE));
	t_row("a second one, retained");
	conn(ROOF_ID, false);
	t_str("told once", "", hear());
	order(ROOF, 1, 1, 1000000);
	tell();
	t_str("no way down", "tx(1,0,no_path) ", hear());
	t_uint("named", 2, counted(GB_MQTT_NO_PATH));
	t_row("it comes back");
	conn(ROOF_ID, true);
	t_str("told", "here(mqtt) ", hear());
	t_row("a connection that is made anew within two seconds");
	conn(ROOF_ID, false);
	pass(1000);
	conn(ROOF_ID, true);
	pass(10000);
	t_str("nothing to tell", "", hear());
	t_row("statistics keep it alive");
	for (int i = 0; i < 10; i++) {
		pass(30000);
		stats(ROOF_ID);
	}
	t_str("nothing to tell", "", hear());
	t_row("nothing for 90 s");
	pass(89000);
	t_str("not yet", "", hear());
	pass(1001);
	t_str("told", "gone(silent) ", hear());
}

static void a_broker_that_is_away_is_one_cause(void **state)
{
	(void)state;
	begin();
	conn(ROOF_ID, true);
	conn(TOWER_ID, true);
	hear();
	t_row("a restart that is short");
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	pass(9000);
	order(ROOF, 1, 1, 1000000);
	tell();
	t_str("no way down", "tx(1,0,no_path) ", hear());
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
	pass(9000);
	t_str("nobody went", "", hear());
	t_uint("no verdict", 0, counted(GB_MQTT_BROKER_AWAY));
	t_row("what the broker was told before is not relied on");
	order(ROOF, 2, 1, 1000000);
	bench.message->gateway_downlink.attempts[0].timing = GW_IMMEDIATELY;
	tell();
	t_str("no way down", "tx(2,0,no_path) ", hear());
	stats(ROOF_ID);
	order(ROOF, 3, 1, 1000000);
	bench.message->gateway_downlink.attempts[0].timing = GW_IMMEDIATELY;
	tell();
	t_str("heard again: down", "eu868/gateway/" ROOF_ID "/command/down ", commands());
	pass(30000);
	hear();
	t_row("longer");
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	pass(10000);
	t_str("both, with the reason", "gone(broker_away) gone(broker_away) ", hear());
	t_uint("one verdict", 1, counted(GB_MQTT_BROKER_AWAY));
	pass(200000);
	t_str("and no more", "", hear());
	t_uint("no silence", 0, counted(GB_GATEWAY_SILENT));
	t_uint("still one", 1, counted(GB_MQTT_BROKER_AWAY));
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
	t_uint("back", 1, counted(GB_MQTT_BROKER_BACK));
	conn(ROOF_ID, true);
	conn(TOWER_ID, true);
	t_str("both are here", "here(mqtt) here(mqtt) ", hear());
	t_row("a broker that ends says all wills first: that is one cause as well");
	hear();
	conn(ROOF_ID, false);
	conn(TOWER_ID, false);
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	pass(9999);
	t_str("not yet", "", hear());
	pass(1);
	t_str("the broker", "gone(broker_away) gone(broker_away) ", hear());
	t_uint("nobody left", 0, counted(GB_MQTT_OFFLINE));
	t_row("it ends and is back at once: who does not come back has left");
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
	conn(ROOF_ID, true);
	conn(TOWER_ID, true);
	hear();
	conn(ROOF_ID, false);
	conn(TOWER_ID, false);
	gb_bridge_on_broker_away(bench.bridge, bench.now);
	pass(3000);
	gb_bridge_on_broker(bench.bridge, bench.now, &broker);
	conn(ROOF_ID, true);
	pass(9999);
	t_str("not yet", "", hear());
	pass(1);
	t_str("one", "gone(mqtt_offline) ", hear());
	t_row("a broker that was never reached");
	begin_without_broker();
	pass(9999);
	t_uint("not yet", 0, counted(GB_MQTT_BROKER_AWAY));
	t_true("a deadline", gb_bridge_next_deadline(bench.bridge).us == 5010 * US_PER_S);
	pass(1);
	t_uint("named", 1, counted(GB_MQTT_BROKER_AWAY));
}

/* --- two protocols */

static void udp(uint64_t eui)
{
	const struct gb_peer from = {.address = {.family = 4, .bytes = {198, 51, 100, 9}, .port = 40000}};
	uint8_t bytes[12] = {2, 1, 1, GB_PULL_DATA};
	const struct lw_eui64 name = lw_eui64_from_number(eui);
	memcpy(bytes + 4, name.bytes, 8);
	gb_bridge_on_datagram(bench.bridge, bench.now, &from, bytes, sizeof bytes);
}

static void one_eui_by_two_protocols(void **state)
{
	(void)state;
	begin();
	t_row("UDP takes nothing from a gateway that is there by MQTT");
	conn(TOWER_ID, true);
	hear();
	udp(TOWER);
	t_uint("named", 1, counted(GB_OTHER_PROTOCOL));
	t_str("nothing told", "", hear());
	struct gb_datagram datagram;
	t_false("not even acknowledged", gb_bridge_take_datagram(bench.bridge, &datagram));
	order(TOWER, 1, 1, 0);
	bench.message->gateway_downlink.attempts[0].timing = GW_IMMEDIATELY;
	tell();
	t_str("its downlinks go by MQTT", "eu868/gateway/" TOWER_ID "/command/down ", commands());
	t_row("MQTT takes it from UDP");
	begin();
	udp(TOWER);
	t_str("by UDP", "here(pull_data) ", hear());
	conn(TOWER_ID, true);
	t_str("by MQTT", "here(mqtt) ", hear());
	t_uint("named", 1, counted(GB_OTHER_PROTOCOL));
	t_uint("online once", 1, gb_gateways_online(gb_bridge_gateways(bench.bridge)));
	t_row("one that has gone from MQTT may come by UDP");
	conn(TOWER_ID, false);
	pass(2000);
	udp(TOWER);
	t_str("told", "gone(mqtt_offline) here(pull_data) ", hear());
	t_row("its OFFLINE, retained, says nothing about that");
	conn(TOWER_ID, false);
	t_str("nothing told", "", hear());
}

/* --- down */

static void both_windows_in_one_list(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t count;
		uint32_t statuses[3];
		const char *told, *cause;
		uint64_t refused;
	} rows[] = {
		{"RX1 is taken", 2, {1, 0}, "tx(9,0,ok) ", "", 0},
		{"RX1 too late, RX2 taken", 2, {2, 1}, "tx(9,1,ok) ", "", 1},
		{"both refused", 2, {2, 6}, "tx(9,1,tx_freq) ", "TX_FREQ", 1},
		{"an internal error, RX2 not tried", 2, {10, 0}, "tx(9,0,other) ", "INTERNAL_ERROR", 0},
		{"duty cycle", 2, {11, 11}, "tx(9,1,duty_cycle) ", "DUTY_CYCLE_OVERFLOW", 1},
		{"neither tried", 2, {0, 0}, "tx(9,0,ignored) ", "IGNORED", 0},
		{"a status of later", 2, {99, 0}, "tx(9,0,other) ", "STATUS_99", 0},
		{"fewer than asked: an old gateway", 1, {1}, "tx(9,0,ok) ", "", 0},
		{"more than asked", 3, {1, 0, 0}, "", "", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		up_as("eu868/", ROOF_ID, frame(1000000));
		hear();
		pass(200);
		order(ROOF, 9, 2, 2000000);
		tell();
		t_str("topic", "eu868/gateway/" ROOF_ID "/command/down ", commands());
		t_uint("items", 2, bench.down.count);
		t_int("RX1", 1000000, bench.down.items[0].time_us);
		t_int("RX2", 2000000, bench.down.items[1].time_us);
		t_bytes("context", (const uint8_t[]){0x00, 0x0f, 0x42, 0x40}, 4, bench.down.items[1].context,
			bench.down.items[1].context_length);
		pass(50);
		acknowledge(bench.down.id, rows[i].statuses, rows[i].count);
		t_str("told", rows[i].told, hear());
		if (rows[i].told[0]) {
			t_str("cause", rows[i].cause, bench.tx_ack.cause);
			t_int("latency", 50000, bench.tx_ack.latency_us);
		}
		t_uint("refused items", rows[i].refused, counted(GB_MQTT_ITEM_REFUSED));
		t_row("and once only");
		acknowledge(bench.down.id, rows[i].statuses, rows[i].count);
		t_str("nothing more", "", hear());
		t_uint("named", rows[i].told[0] ? 1 : 2, counted(GB_MQTT_ACK_UNASKED));
	}
}

static void an_opaque_context_goes_back(void **state)
{
	(void)state;
	begin();
	struct sim_chirpstack_up what = frame(0);
	what.context_length = 11;
	memcpy(what.context, "any context", 11);
	up_as("eu868/", ROOF_ID, what);
	t_str("up", "here(mqtt) up ", hear());
	order(ROOF, 5, 1, bench.uplink.ticks.us + 5000000);
	tell();
	t_str("down", "eu868/gateway/" ROOF_ID "/command/down ", commands());
	t_bytes("context", (const uint8_t *)"any context", 11, bench.down.items[0].context,
		bench.down.items[0].context_length);
	t_int("delay", 5000000, bench.down.items[0].time_us);
	t_row("two in one microsecond have counters of their own");
	uint32_t before = bench.uplink.ticks.us;
	what.context[0] = 'A';
	up_as("eu868/", ROOF_ID, what);
	hear();
	t_uint("the next", before + 1, bench.uplink.ticks.us);
	order(ROOF, 6, 1, bench.uplink.ticks.us + 1000000);
	tell();
	commands();
	t_int("its own", 'A', bench.down.items[0].context[0]);
	t_row("one that is too long: taken, and not answered");
	what.context_length = 65;
	up_as("eu868/", ROOF_ID, what);
	t_str("up", "up ", hear());
	t_uint("named", 1, counted(GB_CONTEXT_TOO_LONG));
	order(ROOF, 7, 1, bench.uplink.ticks.us + 1000000);
	tell();
	t_str("refused", "tx(7,0,no_path) ", hear());
	t_str("cause", "context_gone", bench.tx_ack.cause);
	t_str("nothing sent", "", commands());
}

static void class_b_and_c_need_no_context(void **state)
{
	(void)state;
	begin();
	conn(ROOF_ID, true);
	hear();
	struct gw_downlink *downlink = order(ROOF, 5, 1, 0);
	downlink->attempts[0].timing = GW_IMMEDIATELY;
	tell();
	commands();
	t_int("at once", SIM_CHIRPSTACK_NOW, bench.down.items[0].timing);
	downlink = order(ROOF, 6, 1, 0);
	downlink->attempts[0].timing = GW_AT_GPS_TIME;
	downlink->attempts[0].gps_time_us = INT64_C(1474035218000000);
	tell();
	commands();
	t_int("at a time", SIM_CHIRPSTACK_GPS, bench.down.items[0].timing);
	t_int("its time", INT64_C(1474035218000000), bench.down.items[0].time_us);
	t_row("what a gateway does not send");
	downlink = order(ROOF, 7, 1, 0);
	downlink->attempts[0].timing = GW_IMMEDIATELY;
	downlink->attempts[0].modulation.kind = LW_LR_FHSS;
	tell();
	t_str("refused", "tx(7,0,other) ", hear());
	t_str("nothing sent", "", commands());
	t_row("the list ends at another gateway's attempt");
	up_as("eu868/", ROOF_ID, frame(1000000));
	downlink = order(ROOF, 8, 3, 2000000);
	downlink->attempts[2].gateway = lw_eui64_from_number(TOWER);
	tell();
	commands();
	t_uint("items", 2, bench.down.count);
}

static void silence_is_an_answer(void **state)
{
	(void)state;
	begin();
	up_as("eu868/", ROOF_ID, frame(1000000));
	hear();
	order(ROOF, 9, 2, 6000000); /* RX1 in 5 s, RX2 in 6 s */
	tell();
	commands();
	pass(6999);
	t_str("not yet", "", hear());
	pass(2);
	t_str("a second behind the last of the list", "tx(9,0,no_answer) ", hear());
	t_uint("named", 1, counted(GB_MQTT_NO_ACK));
	t_uint("not as UDP's", 0, counted(GB_NO_TX_ACK));
	t_row("an answer after that");
	acknowledge(bench.down.id, (const uint32_t[]){1, 0}, 2);
	t_str("nothing", "", hear());
	t_row("of another downlink's number");
	order(ROOF, 10, 1, 2000000);
	bench.message->gateway_downlink.attempts[0].timing = GW_IMMEDIATELY;
	tell();
	commands();
	acknowledge(bench.down.id ^ 0x10000, (const uint32_t[]){1}, 1);
	t_str("nothing", "", hear());
	t_uint("named", 2, counted(GB_MQTT_ACK_UNASKED));
	t_row("the connection took none");
	gb_bridge_on_mqtt_not_taken(bench.bridge, bench.now, &bench.out);
	t_str("told at once", "tx(10,0,no_path) ", hear());
	t_str("cause", "mqtt_not_taken", bench.tx_ack.cause);
	t_uint("nothing in flight", 0, gb_bridge_in_flight(bench.bridge));
}

static void a_record_that_changes_counts_at_once(void **state)
{
	(void)state;
	begin();
	conn(ROOF_ID, true);
	hear();
	give_list(GW_ACCEPT_UDP);
	order(ROOF, 1, 1, 0);
	bench.message->gateway_downlink.attempts[0].timing = GW_IMMEDIATELY;
	tell();
	t_str("no way down", "tx(1,0,no_path) ", hear());
	stats(ROOF_ID);
	t_uint("nor up", 1, counted(GB_MQTT_NOT_ALLOWED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_gateway_comes_and_is_heard),
		t_test(what_is_refused_has_a_verdict),
		t_test(what_the_broker_kept_is_not_of_now),
		t_test(two_gateways_with_one_eui),
		t_test(two_gateways_with_one_eui_under_one_prefix),
		t_test(where_its_commands_go),
		t_test(a_refused_subscription_shows),
		t_test(each_has_its_limit),
		t_test(a_gateway_goes),
		t_test(a_broker_that_is_away_is_one_cause),
		t_test(one_eui_by_two_protocols),
		t_test(both_windows_in_one_list),
		t_test(an_opaque_context_goes_back),
		t_test(class_b_and_c_need_no_context),
		t_test(silence_is_an_answer),
		t_test(a_record_that_changes_counts_at_once),
	};
	int code = t_run(tests);
	free(bench.message);
	gb_bridge_free(bench.bridge);
	return code;
}
