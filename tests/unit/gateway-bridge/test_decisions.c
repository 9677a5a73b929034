/* What the bridge can say of a gateway: how it is now, on a virtual clock, and what was refused of it; and that a flood neither costs
 * a record each time nor drives others out. */
#include "tests/harness/harness.h"

#include "gateway-bridge/bridge.h"
#include "simulator/semtech_gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN    UINT64_C(0xaa555a0000000101)
#define STRANGER UINT64_C(0x1122334455667788)
#define WALL     (INT64_C(1800000000) * US_PER_S)

static struct gb_bridge *bridge;
static struct rng rng;
static struct now now;

static void pass(int64_t seconds)
{
	now.mono.us += seconds * US_PER_S;
	now.wall.us += seconds * US_PER_S;
	gb_bridge_on_tick(bridge, now);
}

static int open_bridge(void **state)
{
	t_setup(state);
	const struct gb_options options = {.name = "test",
					   .ring_age = 60 * US_PER_S,
					   .ring_bytes = 1 << 20,
					   .per_eui = {200, 400},
					   .frames = {50, 100},
					   .unknown = {2000, 2000}};
	static struct gw_gateway_list list;
	memset(&list, 0, sizeof list);
	rng = rng_seeded(3);
	now = (struct now){.mono = {US_PER_S}, .wall = {WALL}};
	bridge = gb_bridge_new(&options, &rng);
	list = (struct gw_gateway_list){.version = 1, .first = true, .last = true, .count = 1};
	list.gateways[0] = (struct gw_gateway){
		.eui = lw_eui64_from_number(KNOWN), .region_id = "eu868", .accept = GW_ACCEPT_UDP};
	t_int("list", GB_LIST_CHANGED, gb_bridge_restore_list(bridge, &list));
	gb_bridge_on_tick(bridge, now);
	return 0;
}

static int close_bridge(void **state)
{
	gb_bridge_free(bridge);
	return t_teardown(state);
}

static void send(uint64_t eui, uint8_t host, uint8_t identifier, const char *body)
{
	struct gb_peer from = {.address = {.bytes = {10, 0, 0, host}, .port = 1700, .family = 4}};
	struct lw_eui64 name = lw_eui64_from_number(eui);
	struct gb_datagram sent;
	uint8_t bytes[512] = {2, 7, 7, identifier};
	memcpy(bytes + 4, name.bytes, sizeof name.bytes);
	memcpy(bytes + 12, body, strlen(body));
	gb_bridge_on_datagram(bridge, now, &from, bytes, 12 + strlen(body));
	while (gb_bridge_take_datagram(bridge, &sent))
		;
}

static const struct gb_gateway *gateway(uint64_t eui)
{
	struct lw_eui64 name = lw_eui64_from_number(eui);
	return gb_gateways_find(gb_bridge_gateways(bridge), &name);
}

static const char *sentence(const struct decision *decision)
{
	static char text[DECISION_TEXT];
	const struct decision_names names = {.gateway = "aa555a0000000101"};
	text[0] = '\0';
	if (decision)
		decision_say(text, &gb_rules, decision, &names);
	return text;
}

static const char *present(unsigned place)
{
	struct decision decision;
	return gb_present(gateway(KNOWN), now, gb_bridge_began(bridge), place, &decision)
		       ? sentence(&decision)
		       : "";
}

static const struct decision *newest(uint64_t eui)
{
	const struct gb_gateway *found = gateway(eui);
	return decision_newest(&gb_bridge_decisions(bridge)->ring,
			       found ? gb_gateways_index(gb_bridge_gateways(bridge), found) : GB_WHY_NOBODY);
}

static void how_a_gateway_is(void **state)
{
	(void)state;
	pass(30);
	t_row("never heard");
	t_str("is",
	      "Gateway aa555a0000000101 is registered, and no datagram of it was taken in the 30 s since the "
	      "bridge "
	      "started; 0 were refused.",
	      present(0));
	t_str("nothing more", "", present(1));

	t_row("its uplinks alone come");
	send(KNOWN, 5, 0, "{\"stat\":{}}");
	pass(2);
	t_str("is",
	      "Gateway aa555a0000000101 is heard from 10.0.0.5 (2 s ago, 0 frames forwarded), and nothing "
	      "can be sent to "
	      "it: it has not pulled for 90 s.",
	      present(0));
	t_str("pulled",
	      "No PULL_DATA was taken in the 32 s since the bridge started: nothing can be sent to gateway "
	      "aa555a0000000101.",
	      present(1));

	t_row("it pulls");
	send(KNOWN, 5, 2, "");
	pass(1);
	t_str("is",
	      "Gateway aa555a0000000101 is online: heard 1 s ago from 10.0.0.5, 0 frames forwarded since the "
	      "bridge "
	      "started.",
	      present(0));
	t_str("pushed",
	      "The last PUSH_DATA came 3 s ago; 0 restarts of gateway aa555a0000000101 since the bridge "
	      "started.",
	      present(2));

	t_row("it moves");
	send(KNOWN, 6, 2, "");
	t_str("moved",
	      "Gateway aa555a0000000101 now pulls from 10.0.0.6, before that from 10.0.0.5; move number 1.",
	      sentence(newest(KNOWN)));

	t_row("it stops");
	pass(720);
	t_str("is",
	      "Gateway aa555a0000000101 is silent: its last datagram came 720 s ago from 10.0.0.6, 1 move "
	      "since the "
	      "bridge started.",
	      present(0));
	t_str("pulled", "The last PULL_DATA came 720 s ago from 10.0.0.6; 1 move since the bridge started.",
	      present(1));
	t_str("recorded",
	      "Nothing was heard from gateway aa555a0000000101 for 90 s; it was last heard from 10.0.0.6.",
	      sentence(newest(KNOWN)));
}

static void what_was_refused_and_where(void **state)
{
	(void)state;
	send(KNOWN, 5, 0,
	     "{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\","
	     "\"size\":1,\"data\":\"AQ==\"},{\"tmst\":2,\"freq\":868.1}]}");
	t_str("the second entry",
	      "Entry 2 of a report from 10.0.0.5 was refused: a member that it must have is missing (1 "
	      "time).",
	      sentence(newest(KNOWN)));
	send(KNOWN, 5, 0, "{\"rxpk\":17}");
	t_str("the body",
	      "The body of 11 bytes from 10.0.0.5 was refused: rxpk must be an array, even for one packet (1 "
	      "time).",
	      sentence(newest(KNOWN)));
	send(KNOWN, 5, 0,
	     "{\"rxpk\":[{\"tmst\":1,\"freq\":868.5,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/"
	     "5\",\"stat\":-1,"
	     "\"rssi\":-117,\"lsnr\":-12.5,\"size\":5,\"data\":\"AQIDBAU=\"}]}");
	t_str("a bad checksum",
	      "The frame on 868.5 MHz at -117 dBm, SNR -12.5 dB, failed its checksum: heard, not forwarded "
	      "(1 time).",
	      sentence(newest(KNOWN)));
	const struct decision *frame = decision_find(&gb_bridge_decisions(bridge)->ring, DECISION_ABOUT_FRAME,
						     UINT32_C(0x02030405));
	t_true("found by its last four bytes", frame && frame == newest(KNOWN));
	pass(100);
	send(KNOWN, 5, 0, "{}");
	t_str("counted",
	      "Of the frames that gateway aa555a0000000101 heard since the bridge started, 1 failed their "
	      "checksum and 1 were forwarded (50 % bad).",
	      present(3));
}

static void a_flood_is_a_record_a_second(void **state)
{
	(void)state;
	uint64_t before = gb_bridge_decisions(bridge)->ring.added;
	for (int i = 0; i < 50000; i++)
		send(STRANGER, 9, 9, "");
	t_true("of what cannot be read", gb_bridge_decisions(bridge)->ring.added - before <= 2);
	before = gb_bridge_decisions(bridge)->ring.added;
	for (int i = 0; i < 1000; i++)
		send(STRANGER, 9, 2, "");
	t_true("of a gateway that is not registered", gb_bridge_decisions(bridge)->ring.added - before <= 2);
	t_str("counted",
	      "Gateway aa555a0000000101 is not registered: what it says from 10.0.0.9 is not forwarded (1000 "
	      "times).",
	      sentence(newest(STRANGER)));
	pass(1);
	send(STRANGER, 9, 9, "");
	t_str("the next second tells how many were not",
	      "A datagram of 12 bytes from 10.0.0.9 has an identifier that the protocol does not have "
	      "(50000 times).",
	      sentence(newest(0)));
}

static void a_gateway_that_goes_leaves_nothing(void **state)
{
	static struct gw_gateway_list none;
	(void)state;
	none = (struct gw_gateway_list){.version = 2, .first = true, .last = true};
	send(KNOWN, 5, 2, "");
	uint32_t index = gb_gateways_index(gb_bridge_gateways(bridge), gateway(KNOWN));
	t_true("recorded", decision_newest(&gb_bridge_decisions(bridge)->ring, index) != NULL);
	t_int("list", GB_LIST_CHANGED, gb_bridge_restore_list(bridge, &none));
	t_true("forgotten", decision_newest(&gb_bridge_decisions(bridge)->ring, index) == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"how_a_gateway_is", how_a_gateway_is, open_bridge, close_bridge, NULL},
		{"what_was_refused_and_where", what_was_refused_and_where, open_bridge, close_bridge, NULL},
		{"a_flood_is_a_record_a_second", a_flood_is_a_record_a_second, open_bridge, close_bridge,
		 NULL},
		{"a_gateway_that_goes_leaves_nothing", a_gateway_that_goes_leaves_nothing, open_bridge,
		 close_bridge, NULL},
	};
	return t_run(tests);
}
