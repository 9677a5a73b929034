/* The core as a whole: datagrams and messages in, datagrams and messages out, time by hand. */
#include "tests/harness/harness.h"

#include "gateway-bridge/bridge.h"
#include "simulator/semtech_gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN    UINT64_C(0xaa555a0000000101)
#define KNOWN2   UINT64_C(0xaa555a0000000102)
#define PINNED   UINT64_C(0xaa555a0000000103)
#define NO_UDP   UINT64_C(0xaa555a0000000104)
#define STRANGER UINT64_C(0x1122334455667788)

static struct bench {
	struct gb_bridge *bridge;
	struct rng rng;
	struct now now;
	struct proto_message *message; /* scratch */
	uint64_t last_seq;
	/* what came out since the last look */
	char said[512]; /* kinds and their essence: "up(1000) ack(77,ok) here(pull_data) " */
	struct gw_uplink uplink;
	struct gw_tx_ack tx_ack;
	struct gw_presence presence;
	struct gb_datagram datagram; /* the last one */
	char sent[256];              /* identifiers: "PUSH_ACK PULL_RESP " */
} bench;

static void pass(int64_t milliseconds)
{
	bench.now.mono.us += milliseconds * US_PER_MS;
	bench.now.wall.us += milliseconds * US_PER_MS;
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

/* What the network server is told, once the link takes it. */
static const char *hear(void)
{
	bench.said[0] = 0;
	while (gb_bridge_next_message(bench.bridge, bench.now, bench.message)) {
		const struct proto_message *message = bench.message;
		switch (message->kind) {
		case PROTO_HELLO: say("hello "); break;
		case PROTO_GATEWAY_UPLINK:
			bench.uplink = message->gateway_uplink;
			say("up(%u) ", bench.uplink.ticks.us);
			break;
		case PROTO_GATEWAY_TX_ACK:
			bench.tx_ack = message->gateway_tx_ack;
			say("tx(%llu,%s) ", (unsigned long long)bench.tx_ack.id,
			    gw_tx_result_name(bench.tx_ack.result));
			break;
		case PROTO_GATEWAY_STATS: say("stats "); break;
		case PROTO_GATEWAY_PRESENCE:
			bench.presence = message->gateway_presence;
			say("%s(%s) ", bench.presence.online ? "here" : "gone", bench.presence.reason);
			break;
		default: say("? "); break;
		}
		bench.last_seq = message->seq;
		gb_bridge_message_sent(bench.bridge);
	}
	return bench.said;
}

static const char *sent(void)
{
	bench.sent[0] = 0;
	while (gb_bridge_take_datagram(bench.bridge, &bench.datagram)) {
		size_t used = strlen(bench.sent);
		snprintf(bench.sent + used, sizeof bench.sent - used, "%s ",
			 gb_identifier_name(bench.datagram.bytes[3]));
	}
	return bench.sent;
}

static uint64_t counted(enum gb_verdict verdict)
{
	return gb_bridge_counters(bench.bridge)->verdicts[verdict];
}

static enum status tell(void)
{
	return gb_bridge_on_network_message(bench.bridge, bench.now, bench.message);
}

static void greet(void)
{
	bench.message->kind = PROTO_HELLO;
	bench.message->hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	assert_int_equal(ST_OK, tell());
}

static void give_list(void)
{
	bench.message->kind = PROTO_GATEWAY_LIST;
	struct gw_gateway_list *list = &bench.message->gateway_list;
	*list = (struct gw_gateway_list){.version = 1, .first = true, .last = true, .count = 4};
	static const uint64_t euis[] = {KNOWN, KNOWN2, PINNED, NO_UDP};
	for (size_t i = 0; i < 4; i++)
		list->gateways[i] = (struct gw_gateway){.eui = lw_eui64_from_number(euis[i]),
							.region_id = "eu868",
							.accept = euis[i] != NO_UDP ? GW_ACCEPT_UDP
										    : GW_ACCEPT_TOKEN};
	snprintf(list->gateways[2].source_cidr, GW_CIDR_MAX, "198.51.100.0/24");
	assert_int_equal(ST_OK, tell());
}

/* A bridge that is linked and has its list. */
static void begin_with(bool forward_unknown)
{
	const struct gb_options options = {.name = "test",
					   .forward_unknown = forward_unknown,
					   .ring_age = 60 * US_PER_S,
					   .ring_bytes = 1 << 20,
					   .per_eui = {200, 400},
					   .frames = {1000, 2000},
					   .unknown = {2000, 2000}};
	free(bench.message);
	gb_bridge_free(bench.bridge);
	bench = (struct bench){.rng = rng_seeded(1),
			       .now = {.mono = {5000 * US_PER_S},
				       .wall = {1790000000 * US_PER_S},
				       .wall_synchronised = true}};
	bench.message = calloc(1, sizeof *bench.message);
	assert_non_null(bench.message);
	bench.bridge = gb_bridge_new(&options, &bench.rng);
	gb_bridge_on_link_open(bench.bridge, bench.now);
	hear();
	greet();
	give_list();
}

static void begin(void)
{
	begin_with(false);
}

static void arrive(uint8_t host, uint16_t port, const uint8_t *bytes, size_t length)
{
	const struct gb_peer from = {.address = {.bytes = {198, 51, 100, host}, .family = 4, .port = port},
				     .socket = 3};
	gb_bridge_on_datagram(bench.bridge, bench.now, &from, bytes, length);
}

static void datagram(uint8_t host, uint8_t version, enum gb_identifier identifier, const uint8_t token[2],
		     uint64_t eui, const char *body)
{
	uint8_t bytes[2048] = {version, token ? token[0] : 7, token ? token[1] : 8, (uint8_t)identifier};
	struct lw_eui64 gateway = lw_eui64_from_number(eui);
	memcpy(bytes + 4, gateway.bytes, 8);
	memcpy(bytes + 12, body, strlen(body));
	arrive(host, 1700, bytes, 12 + strlen(body));
}

static void push(uint64_t eui, uint32_t ticks)
{
	char body[256];
	snprintf(body, sizeof body,
		 "{\"rxpk\":[{\"tmst\":%u,\"freq\":868.1,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
		 "\"rssi\":-60,\"lsnr\":7,"
		 "\"data\":\"QAECAw==\"}]}",
		 ticks);
	datagram(1, 2, GB_PUSH_DATA, NULL, eui, body);
}

static void pull(uint8_t host, uint8_t version, uint64_t eui)
{
	datagram(host, version, GB_PULL_DATA, NULL, eui, "");
}

static void order_at(uint64_t eui, uint64_t id, enum gw_timing timing, uint32_t ticks)
{
	bench.message->kind = PROTO_GATEWAY_DOWNLINK;
	bench.message->gateway_downlink = (struct gw_downlink){
		.id = id, .phy = {0x60, 1, 2}, .phy_length = 3, .attempt_count = 1};
	bench.message->gateway_downlink.attempts[0] = (struct gw_tx_attempt){
		.gateway = lw_eui64_from_number(eui),
		.timing = timing,
		.ticks = {ticks},
		.freq_hz = 869525000,
		.modulation = {LW_LORA, 12, 125000, 0, 0, "4/5"},
		.power_dbm = 27,
		.invert_polarity = true};
	assert_int_equal(ST_OK, tell());
}

static void order(uint64_t eui, uint64_t id)
{
	order_at(eui, id, GW_IMMEDIATELY, 0);
}

static void uplinks_are_acknowledged_and_forwarded(void **state)
{
	(void)state;
	begin();
	t_row("a frame of a registered gateway");
	push(KNOWN, 1000);
	t_str("sent", "PUSH_ACK ", sent());
	t_bytes("token and version echoed", (const uint8_t[]){2, 7, 8, 1}, 4, bench.datagram.bytes,
		bench.datagram.length);
	t_uint("to the port it came from", 1700, bench.datagram.to.address.port);
	t_uint("through the socket that heard it", 3, bench.datagram.to.socket);
	pass(5);
	t_str("said", "here(push_data) up(1000) ", hear());
	t_int("age", 5000, bench.uplink.age_us);
	t_int("arrival", bench.now.wall.us - 5000, bench.uplink.arrival.us);
	t_int("rssi", -60, bench.uplink.rssi_dbm);
	t_int("protocol", GW_SEMTECH_UDP_V2, bench.uplink.protocol);
	t_row("stat");
	datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN, "{\"stat\":{\"rxnb\":1}}");
	t_str("said: they are kept with the gateway, nobody else is told", "", hear());
	t_row("a bad entry beside a good one");
	datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN,
		 "{\"rxpk\":[{\"tmst\":1},{\"tmst\":9,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
		 "\"data\":\"QA==\"}]}");
	t_str("said", "up(9) ", hear());
	t_int("without rssi", GW_RSSI_UNKNOWN, bench.uplink.rssi_dbm);
	t_uint("counted", 1, counted(GB_MISSING_MEMBER));
}

static void nothing_is_forwarded_that_policy_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *name, *members;
		enum gb_verdict verdict;
	} rows[] = {
		{"checksum failed", "\"freq\":868.1,\"stat\":-1,\"data\":\"QA==\"", GB_CRC_BAD},
		{"no payload", "\"freq\":868.1,\"data\":\"\"", GB_EMPTY_PAYLOAD},
		{"a frequency of no LoRaWAN radio", "\"freq\":5000,\"data\":\"QA==\"", GB_BEYOND_RADIO},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		char body[256];
		snprintf(body, sizeof body,
			 "{\"rxpk\":[{\"tmst\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",%s}]}",
			 rows[i].members);
		datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN, body);
		t_str("sent", "PUSH_ACK ", sent());
		t_str("said", "here(push_data) ", hear());
		t_uint("counted", 1, counted(rows[i].verdict));
	}
}

static void who_may_say_what(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t eui;
		bool forward_unknown;
		uint8_t host;
		const char *sent, *said;
		enum gb_verdict verdict;
	} rows[] = {
		{"a stranger is acknowledged and listed", STRANGER, false, 1, "PUSH_ACK ", "here(unknown) ",
		 GB_UNKNOWN_GATEWAY},
		{"and forwarded where that is wanted", STRANGER, true, 1, "PUSH_ACK ", "here(unknown) up(5) ",
		 GB_UNKNOWN_GATEWAY},
		{"a gateway inside its range", PINNED, false, 1, "PUSH_ACK ", "here(push_data) up(5) ",
		 GB_ACCEPTED},
		{"one of another protocol", NO_UDP, false, 1, "", "", GB_UDP_NOT_ALLOWED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin_with(rows[i].forward_unknown);
		push(rows[i].eui, 5);
		t_str("sent", rows[i].sent, sent());
		t_str("said", rows[i].said, hear());
		if (rows[i].verdict != GB_ACCEPTED)
			t_uint("counted", 1, counted(rows[i].verdict));
		t_row("a downlink for a stranger has no way");
		pull(1, 2, STRANGER);
		sent();
		hear();
		order(STRANGER, 4);
		t_str("sent", "", sent());
		t_str("said", "tx(4,no_path) ", hear());
	}
	t_row("a forger outside the range");
	begin();
	const uint8_t forged[12] = {2, 1, 1, GB_PULL_DATA, 0xaa, 0x55, 0x5a, 0, 0, 0, 1, 3};
	const struct gb_peer forger = {.address = {.bytes = {203, 0, 113, 66}, .family = 4, .port = 9}};
	gb_bridge_on_datagram(bench.bridge, bench.now, &forger, forged, sizeof forged);
	t_str("sent", "", sent());
	t_uint("counted", 1, counted(GB_FOREIGN_SOURCE));
	order(PINNED, 5);
	t_str("said", "tx(5,no_path) ", hear());
	t_row("a flood of it is charged to the forger");
	const uint64_t burst = 2000; /* begin() */
	for (uint64_t i = 0; i < burst + 100; i++)
		gb_bridge_on_datagram(bench.bridge, bench.now, &forger, forged, sizeof forged);
	t_uint("told apart while he has something left", burst, counted(GB_FOREIGN_SOURCE));
	t_uint("then not even that", 101, counted(GB_RATE_UNKNOWN));
	struct lw_eui64 pinned = lw_eui64_from_number(PINNED);
	struct gb_gateway *gateway = gb_gateways_find(gb_bridge_gateways(bench.bridge), &pinned);
	t_uint("each is counted beside the gateway whose name it has", burst + 101, gateway->dropped);
}

static void garbage_is_counted_and_not_answered(void **state)
{
	(void)state;
	begin();
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t length;
		enum gb_verdict verdict;
	} rows[] = {
		{"nothing", {0}, 0, GB_TRUNCATED},
		{"version 9", {9, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, 12, GB_BAD_VERSION},
		{"identifier 9", {2, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1}, 12, GB_BAD_IDENTIFIER},
		{"a reflected PULL_RESP", {2, 0, 0, 3, '{', '}'}, 6, GB_WRONG_DIRECTION},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		arrive(1, 1, rows[i].bytes, rows[i].length);
		t_str("sent", "", sent());
		t_uint("counted", 1, counted(rows[i].verdict));
	}
	t_row("acknowledged by its header, refused by its body");
	datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN, "{bad");
	t_str("sent", "PUSH_ACK ", sent());
	t_uint("counted", 1, counted(GB_NOT_JSON));
}

static void downlinks_go_to_the_last_pull(void **state)
{
	(void)state;
	begin();
	t_row("before any PULL_DATA");
	push(KNOWN, 1000);
	order(KNOWN, 1);
	t_str("said", "here(push_data) up(1000) tx(1,no_path) ", hear());
	sent();
	t_row("after one");
	pull(9, 2, KNOWN);
	t_str("acknowledged", "PULL_ACK ", sent());
	t_str("said", "here(pull_data) ", hear());
	order(KNOWN, 2);
	t_str("sent", "PULL_RESP ", sent());
	t_uint("to its host", 9, bench.datagram.to.address.bytes[3]);
	struct sim_down down;
	assert_int_equal(SIM_DOWN_OK,
			 sim_semtech_parse_down(bench.datagram.bytes, bench.datagram.length, &down));
	t_uint("freq", 869525000, down.txpk.freq_hz);
	t_row("its TX_ACK, from another port");
	pass(40);
	const uint8_t *token = bench.datagram.bytes + 1;
	uint8_t kept[2] = {token[0], token[1]};
	datagram(9, 2, GB_TX_ACK, kept, KNOWN, "");
	t_str("not acknowledged", "", sent());
	t_str("said", "tx(2,ok) ", hear());
	t_int("latency", 40000, bench.tx_ack.latency_us);
	t_row("the same TX_ACK again");
	datagram(9, 2, GB_TX_ACK, kept, KNOWN, "");
	t_str("said", "", hear());
	t_uint("counted", 1, counted(GB_TX_ACK_UNASKED));
	t_row("no PULL_DATA for 90 s");
	pass(90000);
	order(KNOWN, 3);
	t_str("said", "tx(3,no_path) ", hear());
}

static void results_find_their_downlink(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		uint64_t from; /* EUI */
		uint8_t host;
		const char *said, *cause;
	} rows[] = {
		{"an error", "{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", KNOWN, 9,
		 "tx(6,collision_packet) ", "COLLISION_PACKET"},
		{"an unknown error", "{\"txpk_ack\":{\"error\":\"PIGEONS\\u0007\"}}", KNOWN, 9,
		 "tx(6,other) ", "PIGEONS?"},
		{"a warning is a success", "{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}", KNOWN, 9,
		 "tx(6,ok) ", ""},
		{"another gateway's EUI", "", KNOWN2, 9, "here(tx_ack) ", ""},
		{"another host", "", KNOWN, 66, "", ""},
		{"a broken body", "{bad", KNOWN, 9, "", ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		pull(9, 2, KNOWN);
		sent();
		hear();
		order(KNOWN, 6);
		sent();
		uint8_t token[2] = {bench.datagram.bytes[1], bench.datagram.bytes[2]};
		datagram(rows[i].host, 2, GB_TX_ACK, token, rows[i].from, rows[i].body);
		t_str("said", rows[i].said, hear());
		t_str("cause", rows[i].cause, bench.tx_ack.cause);
		bool answered = rows[i].said[0] == 't';
		t_uint("in flight", !answered, gb_bridge_in_flight(bench.bridge));
		if (strstr(rows[i].body, "warn"))
			t_int("power", 20, bench.tx_ack.power_dbm);
	}
}

static void silence_is_an_answer_a_second_after_air_time(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t version;
		enum gw_timing timing;
		uint32_t ticks; /* the uplink's were 1,000,000 just now */
		int64_t due_ms;
	} rows[] = {
		{"version 1, at once", 1, GW_IMMEDIATELY, 0, 1000},
		{"version 1, in five seconds", 1, GW_AT_TICKS, 6000000, 6000},
		{"version 2 that does not answer", 2, GW_AT_TICKS, 2000000, 2000},
		{"a time in the past", 2, GW_AT_TICKS, 0, 1000},
		{"a time beyond belief", 2, GW_AT_TICKS, 1000000000, 21000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		pull(9, rows[i].version, KNOWN);
		datagram(9, rows[i].version, GB_PUSH_DATA, NULL, KNOWN,
			 "{\"rxpk\":[{\"tmst\":1000000,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":"
			 "\"SF7BW125\",\"data\":\"QA==\"}]}");
		hear();
		sent();
		order_at(KNOWN, 8, rows[i].timing, rows[i].ticks);
		t_str("sent", "PULL_RESP ", sent());
		t_uint("version", rows[i].version, bench.datagram.bytes[0]);
		if (rows[i].version == 1)
			t_bytes("no token", (const uint8_t[]){0, 0}, 2, bench.datagram.bytes + 1, 2);
		pass(rows[i].due_ms - 1);
		gb_bridge_on_tick(bench.bridge, bench.now);
		t_str("a moment before", "", hear());
		pass(1);
		t_int("the core asked to be woken by now", 1,
		      gb_bridge_next_deadline(bench.bridge).us <= bench.now.mono.us);
		gb_bridge_on_tick(bench.bridge, bench.now);
		t_str("said", "tx(8,no_answer) ", hear());
		t_uint("in flight", 0, gb_bridge_in_flight(bench.bridge));
	}
}

static void the_ring_outlives_the_link(void **state)
{
	(void)state;
	begin();
	t_row("frames while the network server is away");
	pull(9, 2, KNOWN);
	hear();
	bench.message->kind = PROTO_ACK;
	bench.message->ack.seq = bench.last_seq;
	assert_int_equal(ST_OK, tell());
	push(KNOWN, 1);
	hear();
	gb_bridge_on_link_close(bench.bridge, bench.now);
	push(KNOWN, 2);
	t_str("said", "", hear());
	t_str("acknowledged all the same", "PULL_ACK PUSH_ACK PUSH_ACK ", sent());
	t_row("it comes back: hello first, nothing before its own");
	pass(7000);
	gb_bridge_on_link_open(bench.bridge, bench.now);
	t_str("said", "hello ", hear());
	greet();
	t_str("said, what was not acknowledged and who is there", "up(1) up(2) here(pull_data) ", hear());
	t_int("age", 7 * US_PER_S, bench.uplink.age_us);
	t_row("acknowledged");
	bench.message->kind = PROTO_ACK;
	bench.message->ack.seq = bench.last_seq;
	assert_int_equal(ST_OK, tell());
	t_uint("kept", 0, gb_bridge_ring(bench.bridge)->entries);
	t_row("a minute is too long");
	gb_bridge_on_link_close(bench.bridge, bench.now);
	push(KNOWN, 3);
	pass(60000);
	gb_bridge_on_tick(bench.bridge, bench.now);
	t_uint("counted", 1, counted(GB_RING_EXPIRED));
}

static void rates_are_judged_by_the_header(void **state)
{
	(void)state;
	begin();
	t_row("a registered gateway that floods");
	unsigned answered = 0;
	for (int i = 0; i < 1000; i++) {
		pull(1, 2, KNOWN);
		answered += sent()[0] != 0;
	}
	t_uint("answered", 400, answered);
	t_uint("counted", 600, counted(GB_RATE_EUI));
	t_row("does not disturb its neighbour");
	pull(1, 2, KNOWN2);
	t_str("sent", "PULL_ACK ", sent());
	t_row("strangers behind one address share");
	answered = 0;
	for (uint64_t i = 0; i < 3000; i++) {
		pull(2, 2, STRANGER + i);
		answered += sent()[0] != 0;
		hear();
	}
	t_uint("answered", 2000, answered);
	t_uint("counted", 1000, counted(GB_RATE_UNKNOWN));
	t_row("and do not disturb another address, nor a registered gateway");
	pull(3, 2, STRANGER);
	t_str("sent", "PULL_ACK ", sent());
	pull(2, 2, KNOWN2);
	t_str("sent", "PULL_ACK ", sent());
}

static void frames_are_limited_however_they_are_packed(void **state)
{
	(void)state;
	begin();
	char body[1900] = "{\"rxpk\":[";
	for (unsigned i = 0; i < 20; i++) {
		size_t used = strlen(body);
		snprintf(body + used, sizeof body - used,
			 "%s{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":"
			 "\"QA==\"}",
			 i > 0 ? "," : "");
	}
	snprintf(body + strlen(body), sizeof body - strlen(body), "]}");
	for (unsigned i = 0; i < 150; i++)
		datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN, body);
	t_row("3,000 frames in 150 datagrams");
	t_uint("forwarded", 2000, gb_bridge_counters(bench.bridge)->uplinks);
	t_uint("counted", 1000, counted(GB_RATE_FRAMES));
	t_uint("no datagram was over its limit", 0, counted(GB_RATE_EUI));
	t_row("a neighbour is not concerned");
	push(KNOWN2, 3);
	t_uint("forwarded", 2001, gb_bridge_counters(bench.bridge)->uplinks);
	t_row("half a second later");
	pass(500);
	for (unsigned i = 0; i < 50; i++)
		datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN, body);
	t_uint("forwarded", 2501, gb_bridge_counters(bench.bridge)->uplinks);
}

static void a_forged_eui_does_not_spend_its_owners_share(void **state)
{
	(void)state;
	begin();
	pull(9, 2, KNOWN);
	sent();
	hear();
	unsigned forged = 0, lost = 0;
	for (unsigned i = 0; i < 10000; i++) {
		if (i % 10 == 0)
			pass(1);
		datagram(66, 2, GB_PUSH_DATA, NULL, KNOWN, "{}");
		forged += sent()[0] != 0;
		if (i % 100 != 0)
			continue;
		datagram(9, 2, GB_PUSH_DATA, NULL, KNOWN, "{}");
		lost += sent()[0] == 0;
	}
	t_row("10,000 datagrams a second with its EUI from elsewhere, 100 of its own");
	t_uint("its own that were lost", 0, lost);
	t_true("the forger's were limited", forged < 400);
	t_uint("counted", 10000 - forged, counted(GB_RATE_EUI));
}

static void an_answer_that_was_asked_for_costs_nothing(void **state)
{
	(void)state;
	begin();
	pull(9, 2, KNOWN);
	sent();
	hear();
	order(KNOWN, 6);
	sent();
	uint8_t token[2] = {bench.datagram.bytes[1], bench.datagram.bytes[2]};
	for (unsigned i = 0; i < 1000; i++) {
		datagram(9, 2, GB_PULL_DATA, NULL, KNOWN, "");
		sent();
	}
	hear();
	uint64_t before = counted(GB_RATE_EUI);
	t_row("broken, while the gateway has spent its share: once, it is looked at");
	for (unsigned i = 0; i < 10; i++)
		datagram(9, 2, GB_TX_ACK, token, KNOWN, "{bad");
	t_uint("looked at", 1, counted(GB_NOT_JSON));
	t_uint("counted", before + 9, counted(GB_RATE_EUI));
	t_row("a good one to another downlink");
	order(KNOWN, 7);
	sent();
	token[0] = bench.datagram.bytes[1];
	token[1] = bench.datagram.bytes[2];
	datagram(9, 2, GB_TX_ACK, token, KNOWN, "");
	t_str("said", "tx(7,ok) ", hear());
	t_row("of another gateway");
	order(KNOWN, 8);
	sent();
	uint8_t forged[2] = {bench.datagram.bytes[1], bench.datagram.bytes[2]};
	forged[0]++;
	datagram(9, 2, GB_TX_ACK, forged, KNOWN, "");
	t_uint("a guess is charged", before + 10, counted(GB_RATE_EUI));
}

static void flapping_is_told(void **state)
{
	(void)state;
	begin();
	pull(9, 2, KNOWN);
	hear();
	t_row("four moves within a minute");
	for (unsigned i = 0; i < 3; i++) {
		pass(1000);
		pull(i % 2 ? 9 : 10, 2, KNOWN);
		t_str("said", "here(moved) ", hear());
	}
	pass(1000);
	pull(9, 2, KNOWN);
	t_str("said", "here(moved) here(flapping) ", hear());
	t_uint("counted", 1, counted(GB_GATEWAY_FLAPPING));
	t_uint("moves", 4, counted(GB_GATEWAY_MOVED));
	t_row("more of it is no second alarm");
	pass(1000);
	pull(10, 2, KNOWN);
	t_str("said", "here(moved) ", hear());
	t_uint("counted", 1, counted(GB_GATEWAY_FLAPPING));
	t_row("its uplinks may come from anywhere and move nothing");
	push(KNOWN, 5);
	t_uint("moves", 5, counted(GB_GATEWAY_MOVED));
	hear();
	t_row("a minute in one place");
	pass(60001);
	pull(10, 2, KNOWN);
	t_str("said", "here(settled) ", hear());
	t_uint("counted", 1, counted(GB_GATEWAY_SETTLED));
	t_uint("flapping", 0, gb_gateways_flapping(gb_bridge_gateways(bench.bridge)));
}

/* Whatever comes, what goes back to where it says it came from is no longer than it: nobody's amplifier. */
static void answers_are_shorter_than_questions(void **state)
{
	(void)state;
	for (unsigned identifier = 0; identifier < 8; identifier++) {
		for (size_t length = 0; length <= 64; length++) {
			char name[64];
			snprintf(name, sizeof name, "identifier %u, %zu bytes", identifier, length);
			t_row(name);
			begin();
			uint8_t bytes[64] = {2, 1, 2, (uint8_t)identifier, 9, 9, 9, 9, 9, 9, 9, 9, '{', '}'};
			arrive(7, 1700, bytes, length);
			size_t answers = 0, bytes_out = 0;
			while (gb_bridge_take_datagram(bench.bridge, &bench.datagram)) {
				answers++;
				bytes_out += bench.datagram.length;
			}
			t_true("one at most", answers <= 1);
			t_true("shorter",
			       bytes_out == 0 || (bytes_out == GB_ACK_SIZE && length >= 3 * GB_ACK_SIZE));
		}
	}
}

static void presence_is_told(void **state)
{
	(void)state;
	begin();
	t_row("comes");
	pull(9, 2, KNOWN);
	t_str("said", "here(pull_data) ", hear());
	t_str("address", "198.51.100.9:1700", bench.presence.address);
	t_row("pulls again");
	pass(5000);
	pull(9, 2, KNOWN);
	t_str("said", "", hear());
	t_row("moves");
	pull(10, 2, KNOWN);
	t_str("said", "here(moved) ", hear());
	t_str("address", "198.51.100.10:1700", bench.presence.address);
	t_row("restarts");
	push(KNOWN, 4000000000u);
	pass(30000);
	hear();
	push(KNOWN, 2000000u);
	t_str("said", "here(restarted) up(2000000) ", hear());
	t_uint("counted", 1, counted(GB_GATEWAY_RESTARTED));
	t_row("goes");
	pass(90000);
	gb_bridge_on_tick(bench.bridge, bench.now);
	const char *said = hear();
	t_true("silent", strstr(said, "gone(silent) ") != NULL);
}

static void links_begin_with_a_hello(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct proto_message message;
		enum status status;
	} rows[] = {
		{"another role",
		 {.kind = PROTO_HELLO, .hello = {.role = PROTO_GATEWAY_BRIDGE, .major = PROTO_MAJOR}},
		 ST_INVALID},
		{"another major",
		 {.kind = PROTO_HELLO, .hello = {.role = PROTO_NETWORK_SERVER, .major = 99}},
		 ST_INVALID},
		{"no hello at all", {.kind = PROTO_ACK}, ST_INVALID},
		{"a later minor",
		 {.kind = PROTO_HELLO,
		  .hello = {.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR, .minor = 9}},
		 ST_OK},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		gb_bridge_on_link_close(bench.bridge, bench.now);
		gb_bridge_on_link_open(bench.bridge, bench.now);
		t_int("status", rows[i].status,
		      gb_bridge_on_network_message(bench.bridge, bench.now, &rows[i].message));
		t_int("linked", rows[i].status == ST_OK, gb_bridge_linked(bench.bridge));
	}
	t_row("a message that a bridge does not take");
	begin();
	bench.message->kind = PROTO_SEAL;
	t_int("status", ST_INVALID, tell());
	t_row("one of a later minor version is skipped");
	begin();
	bench.message->kind = PROTO_UNKNOWN;
	t_int("status", ST_OK, tell());
}

static void a_downlink_that_cannot_be_sent_leaves_nothing_behind(void **state)
{
	(void)state;
	begin();
	pull(9, 2, KNOWN);
	hear();
	sent();
	t_row("LR-FHSS is for uplinks alone");
	for (uint64_t id = 1; id <= 10; id++) {
		bench.message->kind = PROTO_GATEWAY_DOWNLINK;
		bench.message->gateway_downlink = (struct gw_downlink){
			.id = id, .phy = {0x60}, .phy_length = 1, .attempt_count = 1};
		bench.message->gateway_downlink.attempts[0] = (struct gw_tx_attempt){
			.gateway = lw_eui64_from_number(KNOWN),
			.timing = GW_IMMEDIATELY,
			.freq_hz = 869525000,
			.modulation = {.kind = LW_LR_FHSS}};
		assert_int_equal(ST_OK, tell());
	}
	t_uint("counted", 10, counted(GB_BEYOND_RADIO));
	t_str("sent", "", sent());
	t_uint("in flight", 0, gb_bridge_in_flight(bench.bridge));
	t_true("reported", strncmp(hear(), "tx(1,other) tx(2,other) ", 24) == 0);
	pass(60000);
	gb_bridge_on_tick(bench.bridge, bench.now);
	t_true("once", strstr(hear(), "tx(") == NULL);
}

static void a_move_names_both_addresses(void **state)
{
	(void)state;
	begin();
	struct gb_note note;
	pull(9, 2, KNOWN);
	pull(10, 2, KNOWN);
	bool found = false;
	while (!found && gb_bridge_take_note(bench.bridge, &note))
		found = note.verdict == GB_GATEWAY_MOVED;
	t_true("noted", found);
	t_uint("to", 10, note.from.bytes[3]);
	t_uint("from", 9, note.was.bytes[3]);
}

static void gps_time_is_believed_where_it_can_be(void **state)
{
	(void)state;
	/* The wall clock says 1,790,000,000 s: 2026-09-21T14:13:20Z. */
	static const struct {
		const char *name, *members;
		bool has;
	} rows[] = {
		{"tmms", "\"tmms\":1474035217000", true},
		{"tmms of 1980", "\"tmms\":1000", false},
		{"tmms in the future", "\"tmms\":1474135217000", false},
		{"time that agrees with our clock", "\"time\":\"2026-09-21T14:13:19.5Z\"", true},
		{"time of a clock that nobody set", "\"time\":\"2025-01-01T00:00:00Z\"", false},
		{"time of a minute ago", "\"time\":\"2026-09-21T14:12:20Z\"", false},
		{"time of the next minute", "\"time\":\"2026-09-21T14:14:20Z\"", false},
		{"neither", "\"chan\":1", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin();
		char body[256];
		snprintf(body, sizeof body,
			 "{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
			 "\"data\":\"QA==\",%s}]}",
			 rows[i].members);
		datagram(1, 2, GB_PUSH_DATA, NULL, KNOWN, body);
		hear();
		t_int("has GPS time", rows[i].has, bench.uplink.has_gps_time);
		if (rows[i].has)
			t_int("within 1.5 s of our clock", 0,
			      (bench.uplink.gps_time_us - gps_us_from_wall(bench.now.wall)) /
				      (3 * US_PER_S / 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(uplinks_are_acknowledged_and_forwarded),
		t_test(nothing_is_forwarded_that_policy_refuses),
		t_test(who_may_say_what),
		t_test(garbage_is_counted_and_not_answered),
		t_test(downlinks_go_to_the_last_pull),
		t_test(results_find_their_downlink),
		t_test(silence_is_an_answer_a_second_after_air_time),
		t_test(the_ring_outlives_the_link),
		t_test(rates_are_judged_by_the_header),
		t_test(frames_are_limited_however_they_are_packed),
		t_test(a_forged_eui_does_not_spend_its_owners_share),
		t_test(an_answer_that_was_asked_for_costs_nothing),
		t_test(flapping_is_told),
		t_test(answers_are_shorter_than_questions),
		t_test(presence_is_told),
		t_test(links_begin_with_a_hello),
		t_test(a_downlink_that_cannot_be_sent_leaves_nothing_behind),
		t_test(a_move_names_both_addresses),
		t_test(gps_time_is_believed_where_it_can_be),
	};
	int code = t_run(tests);
	free(bench.message);
	gb_bridge_free(bench.bridge);
	return code;
}
