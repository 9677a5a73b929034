/* A message that the network server cannot take must not hold up those behind it for ever: the ring by itself, against a
 * server that is written here, and the core. */
#include "tests/harness/harness.h"

#include "gateway-bridge/bridge.h"
#include "simulator/semtech_gateway.h"

#include <stdio.h>
#include <string.h>

#define ENDS_MAX 200 /* of links, in a test: more would be for ever */

/* A server that takes what comes in order, and acknowledges all at the end of what came; at the poison it ends the link before
 * it has acknowledged anything, as one does whose turn is not over. */
struct server {
	struct gb_ring *ring;
	uint32_t poison; /* ticks */
	bool names_it;   /* in a Bye */
	bool acknowledges_first;
	unsigned ends, sent;
	uint32_t taken[64];
	size_t taken_count;
	struct gb_report gone;
	unsigned gone_count;
};

static void put(struct gb_ring *ring, uint32_t ticks)
{
	struct gb_report report = {.kind = PROTO_GATEWAY_STATS, .stats = {.rx_ok = ticks}};
	gb_ring_put(ring, (struct mono){US_PER_S}, &report);
}

/* One link: true when the server took everything. */
static bool serve_link(struct server *server)
{
	struct gb_report report;
	uint64_t seq = 2;
	for (;;) {
		uint64_t first = seq;
		bool poisoned = false;
		uint64_t poison_seq = 0;
		while (gb_ring_next(server->ring, (struct mono){US_PER_S}, &report)) {
			gb_ring_sent(server->ring, seq);
			server->sent++;
			if (!poisoned && report.stats.rx_ok == server->poison) {
				poisoned = true;
				poison_seq = seq;
			}
			if (!poisoned && server->taken_count < 64)
				server->taken[server->taken_count++] = report.stats.rx_ok;
			seq++;
		}
		if (poisoned) {
			if (server->acknowledges_first && poison_seq > first)
				gb_ring_acknowledge(server->ring, poison_seq - 1);
			server->ends++;
			bool gone = server->names_it
					    ? gb_ring_refused(server->ring, poison_seq, &server->gone)
					    : gb_ring_fell(server->ring, &server->gone);
			server->gone_count += gone;
			return false;
		}
		if (seq == first)
			return true;
		gb_ring_acknowledge(server->ring, seq - 1);
	}
}

static void what_is_behind_a_poisoned_message_arrives(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t count, poison;
		bool names_it, acknowledges_first;
		unsigned most_ends;
	} rows[] = {
		{"alone, named", 1, 1, true, false, GB_RING_REFUSALS},
		{"first of ten, named", 10, 1, true, false, GB_RING_REFUSALS},
		{"last of ten, named", 10, 10, true, false, GB_RING_REFUSALS},
		{"in the middle, named, those before acknowledged", 10, 5, true, true, GB_RING_REFUSALS},
		{"alone, without a word", 1, 1, false, false, GB_RING_FALLS},
		{"first of twenty, without a word", 20, 1, false, false, GB_RING_FALLS + 8},
		{"last of twenty, without a word", 20, 20, false, false, GB_RING_FALLS + 24},
		{"in the middle, without a word", 20, 11, false, false, GB_RING_FALLS + 24},
		{"in the middle, those before acknowledged", 20, 11, false, true, GB_RING_FALLS + 8},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct server server = {.ring = gb_ring_new(1 << 20, 60 * US_PER_S),
					.poison = rows[i].poison,
					.names_it = rows[i].names_it,
					.acknowledges_first = rows[i].acknowledges_first};
		for (uint32_t n = 1; n <= rows[i].count; n++)
			put(server.ring, n);
		while (server.ends < ENDS_MAX && !serve_link(&server))
			;
		t_true("so many links", server.ends <= rows[i].most_ends);
		t_uint("given up", 1, server.gone_count);
		t_uint("the right one", rows[i].poison, server.gone.stats.rx_ok);
		t_uint("none is left", 0, gb_ring_stats(server.ring)->entries);
		bool came[32] = {false};
		for (size_t n = 0; n < server.taken_count; n++)
			came[server.taken[n] % 32] = true;
		for (uint32_t n = 1; n <= rows[i].count; n++)
			if (!t_true("every other one arrived", came[n] == (n != rows[i].poison)))
				break;
		t_row("and afterwards nothing is held back");
		for (uint32_t n = 1; n <= 3 * 64; n++) {
			put(server.ring, 100 + n);
			if (n % 64 == 0)
				t_true("taken", serve_link(&server));
		}
		server.sent = 0;
		struct gb_report report;
		for (uint32_t n = 0; n < 64; n++)
			put(server.ring, 1000);
		while (gb_ring_next(server.ring, (struct mono){US_PER_S}, &report)) {
			gb_ring_sent(server.ring, 2 + server.sent);
			server.sent++;
		}
		t_uint("on their way at once", 64, server.sent);
		gb_ring_free(server.ring);
	}
}

static void an_ordinary_restart_slows_nothing_down(void **state)
{
	(void)state;
	struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
	struct gb_report report;
	unsigned sent = 0;
	put(ring, 1);
	assert_true(gb_ring_next(ring, (struct mono){US_PER_S}, &report));
	gb_ring_sent(ring, 2);
	t_true("kept", !gb_ring_fell(ring, &report));
	for (uint32_t n = 2; n <= 50; n++)
		put(ring, n);
	while (gb_ring_next(ring, (struct mono){US_PER_S}, &report))
		gb_ring_sent(ring, 2 + sent++);
	t_uint("all at once", 50, sent);
	t_row("ends with acknowledgements between them are no strikes");
	gb_ring_acknowledge(ring, 51);
	for (unsigned i = 0; i < 3 * GB_RING_FALLS; i++) {
		put(ring, i);
		put(ring, i);
		assert_true(gb_ring_next(ring, (struct mono){US_PER_S}, &report));
		gb_ring_sent(ring, 2);
		t_true("kept", !gb_ring_fell(ring, &report));
		assert_true(gb_ring_next(ring, (struct mono){US_PER_S}, &report));
		gb_ring_sent(ring, 2);
		assert_true(gb_ring_next(ring, (struct mono){US_PER_S}, &report));
		gb_ring_sent(ring, 3);
		gb_ring_acknowledge(ring, 3);
	}
	t_row("a number that is not on its way");
	put(ring, 9);
	for (unsigned i = 0; i < 2 * GB_RING_REFUSALS; i++)
		t_true("nothing goes", !gb_ring_refused(ring, i, &report));
	t_uint("kept", 1, gb_ring_stats(ring)->entries);
	gb_ring_free(ring);
}

/* --- the core */

#define KNOWN UINT64_C(0xaa555a0000000101)

static struct gb_bridge *bridge;
static struct now now = {.mono = {1000 * US_PER_S}, .wall = {INT64_C(1800000000) * US_PER_S}};
static struct proto_message message;

static void tell(enum proto_kind kind)
{
	message.kind = kind;
	assert_int_equal(ST_OK, gb_bridge_on_network_message(bridge, now, &message));
}

/* Sends all that is to be sent; returns the number of the uplink with these ticks, 0 without. */
static uint64_t send_all(uint32_t ticks)
{
	uint64_t seq = 0;
	while (gb_bridge_next_message(bridge, now, &message)) {
		if (message.kind == PROTO_GATEWAY_UPLINK && message.gateway_uplink.ticks.us == ticks)
			seq = message.seq;
		gb_bridge_message_sent(bridge);
	}
	return seq;
}

static void greet(void)
{
	gb_bridge_on_link_open(bridge, now);
	memset(&message, 0, sizeof message);
	message.hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	tell(PROTO_HELLO);
	message.gateway_list = (struct gw_gateway_list){
		.version = 1, .first = true, .last = true, .count = 1};
	message.gateway_list.gateways[0] = (struct gw_gateway){
		.eui = lw_eui64_from_number(KNOWN), .region_id = "eu868", .accept = GW_ACCEPT_UDP};
	tell(PROTO_GATEWAY_LIST);
}

static void push(uint32_t tmst)
{
	char json[256];
	uint8_t datagram[300] = {2, (uint8_t)tmst, 7, 0, 0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1};
	int length = snprintf(json, sizeof json,
			      "{\"rxpk\":[{\"tmst\":%u,\"freq\":868.1,\"stat\":1,\"modu\":\"LORA\",\"datr\":"
			      "\"SF7BW125\",\"codr\":\"4/5\",\"lsnr\":9,\"rssi\":-60,\"size\":12,\"data\":"
			      "\"QAECAwQAAAAJCAcG\"}]}",
			      tmst);
	memcpy(datagram + 12, json, (size_t)length);
	struct gb_peer from = {.address = {.family = 4, .bytes = {192, 0, 2, 1}, .port = 1700}};
	gb_bridge_on_datagram(bridge, now, &from, datagram, 12 + (size_t)length);
}

static uint64_t given_up(void)
{
	return gb_bridge_counters(bridge)->verdicts[GB_REPORT_REFUSED];
}

static void the_core_gives_up_what_ends_its_links(void **state)
{
	(void)state;
	static struct rng rng;
	const struct gb_options options = {.name = "test",
					   .ring_age = 60 * US_PER_S,
					   .ring_bytes = 1 << 20,
					   .per_eui = {200, 400},
					   .frames = {1000, 2000},
					   .unknown = {2000, 2000}};
	static const struct {
		const char *name;
		bool bye, names_it;
		unsigned ends; /* 0: never */
	} rows[] = {
		{"a Bye that names it", true, true, GB_RING_REFUSALS},
		{"no word, again and again", false, false, GB_RING_FALLS},
		{"a Bye for another reason is none of its fault", true, false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		rng = rng_seeded(1);
		bridge = gb_bridge_new(&options, &rng);
		greet();
		push(1000);
		unsigned ends = 0;
		for (; ends < 3 * GB_RING_FALLS && given_up() == 0; ends++) {
			uint64_t seq = send_all(1000);
			t_true("sent", seq != 0);
			/* What else waits is acknowledged as far as it stands before it. */
			message.ack.seq = seq - 1;
			tell(PROTO_ACK);
			message.bye = (struct proto_bye){"malformed message", rows[i].names_it ? seq : 0};
			if (rows[i].bye)
				tell(PROTO_BYE);
			gb_bridge_on_link_close(bridge, now);
			gb_bridge_on_link_open(bridge, now);
			message.hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER,
							     .major = PROTO_MAJOR};
			tell(PROTO_HELLO);
		}
		t_uint("given up", rows[i].ends > 0, given_up());
		if (rows[i].ends > 0)
			t_true("after so many ends", ends <= rows[i].ends + 4 && ends >= rows[i].ends);
		t_true("it is no longer sent", (send_all(1000) == 0) == (rows[i].ends > 0));
		push(2000);
		bool arrived = false;
		for (int turn = 0; turn < 10 && !arrived; turn++) {
			message.ack.seq = 1000;
			tell(PROTO_ACK);
			arrived = send_all(2000) != 0;
		}
		t_true("the next one is", arrived);
		gb_bridge_free(bridge);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_behind_a_poisoned_message_arrives),
		t_test(an_ordinary_restart_slows_nothing_down),
		t_test(the_core_gives_up_what_ends_its_links),
	};
	return t_run(tests);
}
