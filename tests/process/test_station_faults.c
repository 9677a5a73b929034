/* Stations that do wrong, at the real bridge over TLS: each ends in a cause that is counted by name, and its neighbours notice nothing:
 * not one of their sessions ends, and every uplink of theirs arrives. The culprit is a light client that says whatever it is told
 * to (tests/harness/station_wire.h), the neighbours are a swarm that sends all the while. */
#include "tests/harness/harness.h"
#include "tests/harness/station_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEIGHBOURS   6
#define EVERY_S      0.3
#define CULPRITS     (T_STATION_FIRST + 0x100)
#define ELSEWHERE    (T_STATION_FIRST + 0x200) /* of a region that stations do not know */
#define XTIME        (INT64_C(0x31) << 48)
#define CULPRIT_ROWS 60

static struct world {
	struct t_stations at;
	struct t_swarm *swarm;
	struct t_wire *culprit;
	uint64_t came;
	const char *verdict;
	double before;
} world;

static void on_uplink(void *ctx, const struct gw_uplink *uplink)
{
	(void)ctx;
	world.came += lw_eui64_number(&uplink->gateway) - T_STATION_FIRST < NEIGHBOURS;
}

static void pump(void)
{
	t_bridge_pump(world.at.rig);
	t_swarm_pump(world.swarm, 0);
	if (world.culprit)
		t_wire_pump(world.culprit);
}

/* --- conditions --- */

static bool all_up(void *ctx)
{
	(void)ctx;
	pump();
	return t_swarm_counts(world.swarm).up == NEIGHBOURS;
}

static bool all_came(void *ctx)
{
	(void)ctx;
	pump();
	return world.came >= t_swarm_counts(world.swarm).sent;
}

static bool is_open(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(world.culprit) >= T_WIRE_OPEN;
}

static bool is_closed(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(world.culprit) == T_WIRE_CLOSED;
}

static bool has_text(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_texts(world.culprit) > 0;
}

static bool is_pinged(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_pings(world.culprit) > 0;
}

static bool is_counted(void *ctx)
{
	(void)ctx;
	pump();
	return t_bridge_verdict(world.at.rig, world.verdict) > world.before;
}

static bool has_sent_more(void *ctx)
{
	const uint64_t *wanted = ctx;
	pump();
	return t_swarm_counts(world.swarm).sent >= *wanted;
}

static bool wait_for(bool (*condition)(void *ctx))
{
	return t_wait_until(condition, NULL, T_CEILING);
}

/* --- a culprit that is up --- */

static void expect(const char *verdict)
{
	world.verdict = verdict;
	world.before = t_bridge_verdict(world.at.rig, verdict);
}

static void come_up(uint64_t eui, const struct t_wire_options *options)
{
	world.culprit = t_stations_dial_with(&world.at, eui, true, options);
	t_true("connects", wait_for(is_open));
	t_uint("upgraded", 101, t_wire_http_status(world.culprit));
	t_wire_text(world.culprit,
		    "{\"msgtype\":\"version\",\"station\":\"2.0.6\",\"firmware\":null,\"package\":"
		    "null,\"model\":\"culprit\",\"protocol\":2,\"features\":\"\"}");
	t_true("router_config", wait_for(has_text));
}

static void leave(void)
{
	t_wire_free(world.culprit);
	world.culprit = NULL;
}

static void say_uplink(int64_t xtime, const char *dr, uint32_t freq_hz, unsigned fcnt)
{
	char text[512];
	snprintf(text, sizeof text,
		 "{\"msgtype\":\"updf\",\"MHdr\":64,\"DevAddr\":5,\"FCtrl\":0,\"FCnt\":%u,\"FOpts\":\"\","
		 "\"FPort\":1,"
		 "\"FRMPayload\":\"01\",\"MIC\":7,\"RefTime\":0.0,\"DR\":%s,\"Freq\":%u,\"upinfo\":{\"rctx\":"
		 "0,"
		 "\"xtime\":%" PRId64 ",\"gpstime\":0,\"fts\":-1,\"rssi\":-90,\"snr\":7,\"rxtime\":1.5}}",
		 fcnt, dr, freq_hz, xtime);
	t_wire_text(world.culprit, text);
}

/* --- what it does --- */

static void frame(uint8_t head, size_t length, uint64_t claimed, bool unmasked)
{
	static uint8_t bytes[65536];
	memset(bytes, 'x', sizeof bytes);
	t_wire_frame(world.culprit, &(struct t_wire_frame){.head = head,
							   .unmasked = unmasked,
							   .bytes = bytes,
							   .length = length,
							   .claimed = claimed});
}

static void cut_message(void)
{
	frame(0x81, 10, 500, false);
	t_wire_reset(world.culprit);
}

static void half_head(void)
{
	t_wire_raw(world.culprit, "\x81", 1);
	t_wire_reset(world.culprit);
}

static void oversized(void)
{
	frame(0x81, 40000, 0, false);
}

static void claims_much(void)
{
	frame(0x81, 10, UINT64_C(1) << 40, false);
}

static void unmasked(void)
{
	frame(0x81, 10, 0, true);
}

static void reserved_opcode(void)
{
	frame(0x83, 10, 0, false);
}

static void reserved_bits(void)
{
	frame(0xc1, 10, 0, false);
}

static void long_ping(void)
{
	frame(0x89, 126, 0, false);
}

static void orphan_continuation(void)
{
	frame(0x80, 10, 0, false);
}

static void not_utf8(void)
{
	t_wire_frame(world.culprit,
		     &(struct t_wire_frame){.head = 0x81, .bytes = "{\"\xff\xfe\"}", .length = 6});
}

static void garbage_under_tls(void)
{
	t_wire_garbage(world.culprit, "\x17\x03\x03\x00\x20 this is no record of this session ", 40);
}

static void no_json(void)
{
	t_wire_text(world.culprit, "{\"msgtype\":\"updf\",");
}

static void unknown_message(void)
{
	t_wire_text(world.culprit, "{\"msgtype\":\"nonsense\"}");
}

static void wrong_type(void)
{
	say_uplink(XTIME + 1000, "\"5\"", 868100000, 1);
}

static void wrong_frequency(void)
{
	say_uplink(XTIME + 2000, "5", 915000000, 2);
}

static void wrong_rate(void)
{
	say_uplink(XTIME + 3000, "14", 868100000, 3);
}

static void clock_back(void)
{
	say_uplink(XTIME + 500 * US_PER_S, "5", 868100000, 4);
	say_uplink(XTIME + 400 * US_PER_S, "5", 868100000, 5);
}

static void clock_ahead(void)
{
	say_uplink(XTIME + 500 * US_PER_S, "5", 868100000, 6);
	say_uplink(XTIME + 900 * US_PER_S, "5", 868100000, 7);
}

static void no_clock(void)
{
	say_uplink(0, "5", 868100000, 8);
}

static void leaves_without_a_word(void)
{
	t_wire_reset(world.culprit);
}

static const struct row {
	const char *name;
	void (*act)(void);
	const char *verdict;
	unsigned code; /* of the close frame; 0: none comes */
	bool ends;     /* the session */
} rows[] = {
	{"a message cut in its middle", cut_message, "station_lost", 0, true},
	{"a frame cut in its head", half_head, "station_lost", 0, true},
	{"an oversized message", oversized, "station_long_message", 1009, true},
	{"a length of a terabyte", claims_much, "station_long_message", 1009, true},
	{"a frame without its mask", unmasked, "station_not_websocket", 1002, true},
	{"a reserved opcode", reserved_opcode, "station_not_websocket", 1002, true},
	{"reserved bits", reserved_bits, "station_not_websocket", 1002, true},
	{"a ping that is too long", long_ping, "station_not_websocket", 1002, true},
	{"a continuation of nothing", orphan_continuation, "station_not_websocket", 1002, true},
	{"a text that is not UTF-8", not_utf8, "station_not_websocket", 1007, true},
	{"bytes under the TLS", garbage_under_tls, "station_lost", 0, true},
	{"a reset", leaves_without_a_word, "station_lost", 0, true},
	{"no JSON", no_json, "not_json", 0, false},
	{"a message of no kind", unknown_message, "unknown_message", 0, false},
	{"a data rate as text", wrong_type, "wrong_type", 0, false},
	{"a frequency of another region", wrong_frequency, "bad_frequency", 0, false},
	{"a data rate of another region", wrong_rate, "bad_data_rate", 0, false},
	{"xtime goes back", clock_back, "station_clock_back", 0, false},
	{"xtime jumps ahead", clock_ahead, "station_clock_jumped", 0, false},
	{"no xtime", no_clock, "station_no_xtime", 0, false},
};

/* --- tests --- */

static int open_world_with(const char *settings)
{
	memset(&world, 0, sizeof world);
	t_stations_open(&world.at, NEIGHBOURS, T_STATION_FIRST, settings);
	struct t_upstream *upstream = world.at.rig->upstream;
	upstream->on_uplink = on_uplink;
	for (unsigned i = 0; i < CULPRIT_ROWS; i++)
		t_upstream_add(upstream, CULPRITS + i)->accept = GW_ACCEPT_CERTIFICATE;
	struct gw_gateway *elsewhere = t_upstream_add(upstream, ELSEWHERE);
	elsewhere->accept = GW_ACCEPT_CERTIFICATE;
	snprintf(elsewhere->region_id, sizeof elsewhere->region_id, "in865");
	t_upstream_give_list(upstream);
	assert_true(t_bridge_has_list(world.at.rig));
	world.swarm = t_swarm_new(&(struct t_swarm_options){.count = NEIGHBOURS,
							    .first_eui = T_STATION_FIRST,
							    .port = world.at.port,
							    .pki = &world.at.pki,
							    .tls = world.at.tls,
							    .uplink_every_s = EVERY_S});
	assert_true(wait_for(all_up));
	return t_setup(NULL);
}

/* A flood is over its limits soon; the neighbours are far from theirs. */
static int open_world(void **state)
{
	(void)state;
	return open_world_with("  rate_per_eui: 20\n");
}

static int open_quick_world(void **state)
{
	(void)state;
	return open_world_with("  station_ping: 1\n");
}

/* What every test ends with: the neighbours go on, lost nothing, and were never cut. */
static void neighbours_noticed_nothing(void)
{
	t_row("the neighbours");
	uint64_t wanted = t_swarm_counts(world.swarm).sent + 2 * NEIGHBOURS;
	t_true("go on", t_wait_until(has_sent_more, &wanted, T_CEILING));
	t_swarm_quiet(world.swarm, true);
	t_true("all of their uplinks arrived", wait_for(all_came));
	struct t_swarm_counts counts = t_swarm_counts(world.swarm);
	t_uint("came", counts.sent, world.came);
	t_uint("sessions that ended", 0, counts.ends);
	t_uint("are up", NEIGHBOURS, counts.up);
}

static int close_world(void **state)
{
	t_wire_free(world.culprit);
	t_swarm_free(world.swarm);
	t_stations_close(&world.at);
	return t_teardown(state);
}

static void each_fault_has_its_cause(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		come_up(CULPRITS + i, &(struct t_wire_options){0});
		expect(rows[i].verdict);
		rows[i].act();
		t_true(rows[i].verdict, wait_for(is_counted));
		if (rows[i].ends)
			t_true("ends", wait_for(is_closed));
		else
			t_int("stays", T_WIRE_OPEN, t_wire_state(world.culprit));
		t_uint("close code", rows[i].code, t_wire_close_code(world.culprit));
		leave();
	}
	neighbours_noticed_nothing();
}

/* A connection whose other end is gone without a word: its gateway comes again, and is served at once. */
static void a_half_open_connection_gives_way(void **state)
{
	(void)state;
	t_row("the gateway comes again");
	come_up(CULPRITS, &(struct t_wire_options){.is_deaf = true});
	struct t_wire *old = world.culprit;
	expect("station_replaced");
	come_up(CULPRITS, &(struct t_wire_options){0});
	t_true("station_replaced", wait_for(is_counted));
	t_int("the new one is up", T_WIRE_OPEN, t_wire_state(world.culprit));
	leave();
	world.culprit = old;
	t_true("the old one is told", wait_for(is_closed));
	t_true("with a close frame", t_wire_close_code(old) != 0);
	neighbours_noticed_nothing();
}

/* Two stations with the credential of one gateway: each takes the other's place. */
static void two_with_one_name_are_told_from_one_that_comes_again(void **state)
{
	(void)state;
	char target[64], answer[1 << 16];
	struct t_wire *before = NULL;
	t_row("again and again");
	expect("station_alternates");
	for (unsigned i = 0; i < 10; i++) {
		come_up(CULPRITS, &(struct t_wire_options){0});
		t_wire_free(before);
		before = world.culprit;
	}
	t_true("station_alternates", wait_for(is_counted));
	snprintf(target, sizeof target, "/why/gateway/%016" PRIx64 "?limit=10", CULPRITS);
	t_int("asked", 200, t_unix_get(world.at.rig->admin, target, answer, sizeof answer));
	t_true("its beginning is not among the newest", strstr(answer, "\"station_alternates\"") == NULL);
	t_true("why says so all the same", strstr(answer, "\"now_station_alternates\"") != NULL);
	leave();
	neighbours_noticed_nothing();
}

/* The same, and nobody comes: a connection that answered pings falls silent without a word. */
static void a_connection_that_falls_silent_is_ended(void **state)
{
	(void)state;
	t_row("two pings without an answer");
	come_up(CULPRITS, &(struct t_wire_options){0});
	t_true("answers a ping", wait_for(is_pinged));
	struct t_wire *silent = world.culprit;
	world.culprit = NULL; /* it reads and says nothing from now on */
	expect("station_no_pong");
	t_true("station_no_pong", wait_for(is_counted));
	world.culprit = silent;
	t_true("its connection ends", wait_for(is_closed));
	leave();
	neighbours_noticed_nothing();
}

/* Downlinks to a station that takes none of them: what waits for it is limited, in the kernel too. */
static void a_slow_reader_is_cut(void **state)
{
	(void)state;
	enum { ORDERS_MAX = 30000 };
	unsigned orders = 0;
	t_row("a station that reads nothing");
	come_up(CULPRITS, &(struct t_wire_options){.receive_buffer = 4096});
	struct t_wire *slow = world.culprit;
	world.culprit = NULL;
	expect("station_slow_reader");
	for (; orders < ORDERS_MAX && !is_counted(NULL); orders++) {
		struct t_upstream *upstream = world.at.rig->upstream;
		t_upstream_fill_order(upstream, CULPRITS, 1000 + orders);
		upstream->message.gateway_downlink.attempts[0].window = GW_CLASS_C;
		t_upstream_send_order(upstream);
	}
	t_true("station_slow_reader", orders < ORDERS_MAX);
	world.culprit = slow;
	t_true("its connection ends", wait_for(is_closed));
	leave();
	neighbours_noticed_nothing();
}

static void a_flood_ends_its_connection_alone(void **state)
{
	(void)state;
	t_row("ten thousand messages over the limit");
	come_up(CULPRITS, &(struct t_wire_options){0});
	expect("station_floods");
	for (unsigned i = 0; i < 20000 && t_wire_state(world.culprit) == T_WIRE_OPEN; i++) {
		say_uplink(XTIME + i, "5", 868100000, i);
		if (i % 50 == 0)
			pump();
	}
	t_true("station_floods", wait_for(is_counted));
	t_true("ends", wait_for(is_closed));
	t_true("what was over was counted", t_bridge_verdict(world.at.rig, "rate_eui") >= 5000);
	leave();
	neighbours_noticed_nothing();
}

/* Garbage, silence and half handshakes on many connections: the handshakes of others are still done. */
static void a_flood_of_handshakes_lets_others_in(void **state)
{
	(void)state;
	static const char failed[] = "lamppost_bridge_station_handshakes_total{outcome=\"failed\"}";
	enum { COUNT = 150 };
	struct t_wire *wires[COUNT];
	double before = t_metric(world.at.rig->admin, failed);
	t_row("connections that say nothing, or no TLS");
	for (unsigned i = 0; i < COUNT; i++) {
		wires[i] = t_wire_open(&(struct t_wire_options){.port = world.at.port});
		t_wire_pump(wires[i]);
		if (i % 3 != 0)
			t_wire_raw(wires[i],
				   i % 3 == 1 ? "GET / HTTP/1.0\r\n\r\n" : "\x16\x03\x01\x00\xff\x01",
				   i % 3 == 1 ? 18 : 6);
		pump();
	}
	t_row("a station comes in meanwhile");
	come_up(CULPRITS, &(struct t_wire_options){0});
	t_true("what was no TLS is counted", t_metric(world.at.rig->admin, failed) >= before + COUNT / 3);
	leave();
	for (unsigned i = 0; i < COUNT; i++)
		t_wire_free(wires[i]);
	neighbours_noticed_nothing();
}

static void a_region_that_stations_do_not_know_is_refused(void **state)
{
	(void)state;
	t_row("discovery names the reason");
	expect("station_region");
	struct t_wire_options with = {0};
	uint8_t certificate[X509_DER_MAX];
	with.port = world.at.port;
	with.tls = world.at.tls;
	with.path = "/router-info";
	with.certificate = certificate;
	with.certificate_length = t_pki_gateway(&world.at.pki, ELSEWHERE, INT64_C(1700000000000000),
						certificate);
	with.key = world.at.pki.gateway_key_der;
	with.key_length = world.at.pki.gateway_key_length;
	world.culprit = t_wire_open(&with);
	t_true("connects", wait_for(is_open));
	char text[80];
	snprintf(text, sizeof text, "{\"router\":%" PRIu64 "}", ELSEWHERE);
	t_wire_text(world.culprit, text);
	t_true("answered", wait_for(has_text));
	t_true("with an error", strstr(t_wire_last(world.culprit), "\"error\"") != NULL);
	t_true("station_region", wait_for(is_counted));
	t_row("and whoever asks for the gateway is told");
	static char body[4096];
	snprintf(text, sizeof text, "/gateways?eui=%016" PRIx64, ELSEWHERE);
	t_int("asked", 200, t_unix_get(world.at.rig->admin, text, body, sizeof body));
	t_true("refused", strstr(body, "\"refused\":\"station_region\"") != NULL);
	neighbours_noticed_nothing();
}

#define FAULT(test)                                        \
	{                                                  \
#test, test, open_world, close_world, NULL \
	}
int main(void)
{
	const struct CMUnitTest tests[] = {FAULT(each_fault_has_its_cause),
					   FAULT(two_with_one_name_are_told_from_one_that_comes_again),
					   FAULT(a_half_open_connection_gives_way),
					   {"a_connection_that_falls_silent_is_ended",
					    a_connection_that_falls_silent_is_ended, open_quick_world,
					    close_world, NULL},
					   FAULT(a_slow_reader_is_cut),
					   FAULT(a_flood_ends_its_connection_alone),
					   FAULT(a_flood_of_handshakes_lets_others_in),
					   FAULT(a_region_that_stations_do_not_know_is_refused)};
	return t_run(tests);
}
