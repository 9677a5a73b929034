/* Stations in the core: how connections end, what keeps them, their clocks, and what engineers ask of them. */
#include "tests/harness/harness.h"
#include "tests/harness/station_bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TXTIME "123456.75"

/* --- its end */

static void a_reconnect_makes_what_was_before_void(void **state)
{
	(void)state;
	t_begin();
	uint64_t first = t_come_up(T_ROOF, 1);
	int64_t xtime = t_uplink(first);
	t_hear();
	t_order_both(T_ROOF, 1, gb_station_ticks(xtime), 5);
	t_sent();
	int64_t diid = t_bench.down.dnmsg.diid;
	t_row("it breaks");
	gb_bridge_on_station_close(t_bench.bridge, t_bench.now, first, GB_STATION_LOST);
	t_str("what waited is given up, and it is gone", "tx(1.0,no_answer:station_cut) gone(station_lost) ",
	      t_hear());
	t_order_both(T_ROOF, 2, gb_station_ticks(xtime), 5);
	t_str("no way", "tx(2.0,no_path:no_path) ", t_hear());
	t_row("it is back");
	uint64_t second = t_come_up(T_ROOF, 1);
	t_true("another", second != first);
	t_order_both(T_ROOF, 3, gb_station_ticks(xtime), 5);
	t_str("before any uplink nothing of class A", "tx(3.0,no_path:station_context_gone) ", t_hear());
	int64_t again = t_uplink(second);
	t_hear();
	t_order_both(T_ROOF, 4, gb_station_ticks(again - 3), 5);
	t_str("nor of the session before", "tx(4.0,no_path:station_context_gone) ", t_hear());
	t_order_both(T_ROOF, 5, gb_station_ticks(again), 5);
	t_str("but of this one", "t_text(2) ", t_sent());
	t_dntxed(second, diid, again);
	t_uint("a dntxed of before is nobody's", 1, t_counted(GB_DNTXED_UNASKED));
	t_str("said", "", t_hear());
}

static void a_new_connection_takes_the_old_ones_place(void **state)
{
	(void)state;
	t_begin();
	uint64_t old = t_come_up(T_ROOF, 1);
	uint64_t id = t_open_data(T_ROOF, 2);
	t_str("while it sets up the old one stays", "", t_sent());
	t_version(id);
	t_str("configured, and the old one ends", "t_text(2) close(1,1000) ", t_sent());
	t_true("reason", strstr(t_bench.close.reason, "station_replaced") != NULL);
	t_str("it never was away", "here(connected) ", t_hear());
	t_uplink(old);
	gb_bridge_on_station_close(t_bench.bridge, t_bench.now, old, GB_STATION_LEFT);
	t_str("what the old one says is nobody's", "", t_hear());
	t_uplink(id);
	t_true("the new one's is taken", strncmp(t_hear(), "up(", 3) == 0);
	t_row("two that take turns");
	for (unsigned i = 0; i < 3; i++) {
		t_pass(2000);
		id = t_come_up(T_ROOF, i % 2 ? 1 : 2);
	}
	t_uint("alarm", 1, t_counted(GB_STATION_ALTERNATES));
	t_uint("flapping", 1, gb_gateways_flapping(gb_bridge_gateways(t_bench.bridge)));
	t_row("and end to");
	for (unsigned i = 0; i < 4; i++) {
		t_pass(33000);
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, id, 1000);
	}
	t_uint("settled", 1, t_counted(GB_STATION_SETTLED));
	t_uint("none", 0, gb_gateways_flapping(gb_bridge_gateways(t_bench.bridge)));
}

static void ends_have_their_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum gb_station_end end;
		enum gb_verdict verdict;
		enum gb_close close;
	} rows[] = {
		{"it left", GB_STATION_LEFT, GB_STATION_ENDED, GB_CLOSE_PEER},
		{"lost", GB_STATION_LOST, GB_STATION_BROKE, GB_CLOSE_LOST},
		{"a slow reader", GB_STATION_SLOW, GB_STATION_SLOW_READER, GB_CLOSE_SLOW},
		{"a message too long", GB_STATION_TOO_LONG, GB_STATION_LONG_MESSAGE, GB_CLOSE_PROTOCOL},
		{"no WebSocket", GB_STATION_BAD_WEBSOCKET, GB_STATION_NOT_WEBSOCKET, GB_CLOSE_PROTOCOL},
		{"we end", GB_STATION_STOPPING, GB_STATION_STOPPED, GB_CLOSE_RESTART},
	};
	const struct lw_eui64 eui = lw_eui64_from_number(T_ROOF);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_come_up(T_ROOF, 1);
		gb_bridge_on_station_close(t_bench.bridge, t_bench.now, id, rows[i].end);
		t_uint("counted", 1, t_counted(rows[i].verdict));
		char expect[64];
		snprintf(expect, sizeof expect, "gone(%s) ", gb_verdict_name(rows[i].verdict));
		t_str("told", expect, t_hear());
		const struct gb_health *health =
			&gb_gateways_find(gb_bridge_gateways(t_bench.bridge), &eui)->health;
		t_uint("of its health", 1, health->closed[rows[i].close]);
		t_uint("none is up", 0, gb_bridge_stations_up(t_bench.bridge));
	}
}

static void half_open_connections_end(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool pongs, talks;
		uint64_t closed;
	} rows[] = {
		{"one that answered before, and is silent", true, false, 1},
		{"one that answered before, and talks on without", true, true, 0},
		{"one that never answered a ping", false, false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_open_data(T_ROOF, 1);
		t_version(id);
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		if (rows[i].pongs)
			gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, id, 1000);
		for (unsigned second = 0; second < 120; second++) {
			t_pass(1000);
			gb_bridge_on_tick(t_bench.bridge, t_bench.now);
			t_sent();
			if (rows[i].talks)
				t_uplink(id);
		}
		t_uint("closed", rows[i].closed, t_counted(GB_STATION_NO_PONG));
		t_uint("up", 1 - rows[i].closed, gb_bridge_stations_up(t_bench.bridge));
		t_uint("online", 1 - rows[i].closed, gb_gateways_online(gb_bridge_gateways(t_bench.bridge)));
	}
	t_row("one that never says its version");
	t_begin();
	(void)t_open_data(T_ROOF, 1);
	t_pass(59999);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("not yet", "", t_sent());
	t_pass(1);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("closed", "close(1,1008) ", t_sent());
	t_uint("counted", 1, t_counted(GB_STATION_NO_VERSION));
}

static void pings_do_not_go_in_step(void **state)
{
	(void)state;
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1);
	int64_t last = t_bench.now.mono.us, least = INT64_MAX, most = 0;
	for (unsigned pings = 0; pings < 50;) {
		t_pass(10);
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		if (!strstr(t_sent(), "ping"))
			continue;
		int64_t gap = t_bench.now.mono.us - last;
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
		last = t_bench.now.mono.us;
		gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, id, 1000);
		pings++;
	}
	t_true("never under 27 s, never over 33 s", least >= 27 * US_PER_S && most <= 33 * US_PER_S + 10000);
	t_true("spread", most - least > 3 * US_PER_S);
}

/* --- the list, limits */

static void another_list_is_taken_to_connections(void **state)
{
	(void)state;
	t_begin();
	uint64_t roof = t_come_up(T_ROOF, 1), tower = t_come_up(T_TOWER, 2);
	t_row("the same list again");
	t_give_list(2, "867.1 867.3");
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("nobody is disturbed", "", t_sent());
	t_row("other channels for one");
	t_give_list(3, "867.1");
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	char expect[64];
	snprintf(expect, sizeof expect, "close(%" PRIu64 ",1012) ", roof);
	t_str("it is to come again", expect, t_sent());
	t_uint("counted", 1, t_counted(GB_STATION_CHANGED));
	t_row("the other is taken off the list");
	t_bench.message->kind = PROTO_GATEWAY_LIST;
	t_bench.message->gateway_list = (struct gw_gateway_list){.version = 4, .first = true, .last = true};
	t_tell();
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	snprintf(expect, sizeof expect, "close(%" PRIu64 ",1008) ", tower);
	t_str("closed", expect, t_sent());
	t_true("reason", strstr(t_bench.close.reason, "unknown_gateway") != NULL);
	t_row("a certificate is revoked");
	t_begin();
	t_come_up(T_ROOF, 1);
	t_bench.message->kind = PROTO_GATEWAY_LIST;
	struct gw_gateway_list *list = &t_bench.message->gateway_list;
	*list = (struct gw_gateway_list){.version = 5, .first = true, .last = true, .count = 1};
	list->gateways[0] = (struct gw_gateway){.eui = lw_eui64_from_number(T_ROOF),
						.region_id = "eu868",
						.channels = "867.1 867.3",
						.accept = GW_ACCEPT_CERTIFICATE,
						.certificates_void_us = 1780000000 * US_PER_S};
	t_tell();
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("closed", "close(1,1008) ", t_sent());
	t_uint("counted", 1, t_counted(GB_CERTIFICATE_VOID));
}

static void floods_are_limited_and_end(void **state)
{
	(void)state;
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1), neighbour = t_come_up(T_TOWER, 2);
	for (unsigned i = 0; i < 500; i++)
		t_text(id, "{\"msgtype\":\"getxtime\"}");
	t_uint("the burst is taken, the rest dropped unread", 101, t_counted(GB_RATE_EUI));
	for (unsigned i = 0; i < 9898; i++)
		t_text(id, "{\"msgtype\":\"getxtime\"}");
	t_str("not yet", "", t_sent());
	t_text(id, "{\"msgtype\":\"getxtime\"}");
	t_str("closed", "close(1,1008) ", t_sent());
	t_uint("counted", 1, t_counted(GB_STATION_FLOODS));
	t_hear();
	t_text(neighbour, "{\"msgtype\":\"event\"}");
	t_uint("the neighbour is heard", 1, t_counted(GB_STATION_EVENT));
	t_row("connections that say nothing");
	t_begin();
	const struct gb_presented roof = t_certificate_of(T_ROOF);
	t_bench.options.unknown = (struct gb_limit){100000, 100000};
	gb_bridge_reconfigure(t_bench.bridge, &t_bench.options);
	for (unsigned i = 0; i < GB_STATION_SET_UP_MAX; i++)
		t_true("let in", t_open_with(GB_STATION_DISCOVERY, 0, (uint8_t)i, &roof, NULL) != 0);
	t_true("no more", t_open_data(T_ROOF, 1) == 0);
	t_uint("status", 503, t_bench.refused);
	t_uint("counted", 1, t_counted(GB_STATIONS_FULL));
	t_pass(60000);
	for (unsigned i = 0; i < GB_STATION_SET_UP_MAX; i++) {
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		t_sent();
	}
	t_uint("they end", 0, gb_bridge_stations(t_bench.bridge));
	t_true("and others come in", t_open_data(T_ROOF, 1) != 0);
}

/* --- time */

static void its_clock_is_watched(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t step_us; /* of the second uplink, a second later */
		enum gb_verdict verdict;
		bool answers_the_first;
	} rows[] = {
		{"as it should", 1000000, GB_ACCEPTED, true},
		{"two demodulators tell in another order", -200000, GB_ACCEPTED, true},
		{"backwards", -2000003, GB_STATION_CLOCK_BACK, false},
		{"another session on the same connection", (INT64_C(1) << 48) + 777, GB_STATION_CLOCK_BACK,
		 false},
		{"a minute ahead", 61000000, GB_STATION_CLOCK_JUMPED, true},
		{"a delay explains what is off by less than ten seconds", 10900000, GB_ACCEPTED, true},
		{"ten seconds and more are a jump", 11100000, GB_STATION_CLOCK_JUMPED, true},
		{"another unit's clock", (INT64_C(1) << 56) + 777, GB_ACCEPTED, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_come_up(T_ROOF, 1);
		int64_t xtime = t_uplink(id);
		t_pass(1000);
		t_uplink_at(id, xtime + rows[i].step_us, 3);
		t_hear();
		if (rows[i].verdict != GB_ACCEPTED)
			t_uint("counted", 1, t_counted(rows[i].verdict));
		else
			t_uint("nothing to say", 0,
			       t_counted(GB_STATION_CLOCK_BACK) + t_counted(GB_STATION_CLOCK_JUMPED));
		t_order_both(T_ROOF, 1, gb_station_ticks(xtime), 5);
		t_str("the first is answered still", rows[i].answers_the_first ? "t_text(1) " : "", t_sent());
	}
	t_row("no time at all");
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1);
	int64_t xtime = t_uplink(id);
	t_hear();
	t_pass(1000);
	t_bench.now.mono.us += 7;
	t_uplink_at(id, 0, 0);
	t_true("forwarded", strncmp(t_hear(), "up(", 3) == 0);
	t_uint("at its likely moment", (uint32_t)(uint64_t)(xtime + US_PER_S + 7), t_bench.uplink.ticks.us);
	t_uint("counted", 1, t_counted(GB_STATION_NO_XTIME));
	t_order_both(T_ROOF, 1, t_bench.uplink.ticks, 6);
	t_str("and not answered by it", "", t_sent());
}

static void the_time_is_told(void **state)
{
	(void)state;
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1);
	t_row("asked");
	t_text(id, "{\"msgtype\":\"timesync\",\"txtime\":" TXTIME "}");
	t_str("answered", "t_text(1) ", t_sent());
	t_true("its own time goes back as it was written",
	       strstr(t_bench.text.bytes, "\"txtime\":" TXTIME) != NULL);
	t_int("GPS time", gps_us_from_wall(t_bench.now.wall), t_bench.down.gps_time_us);
	t_row("our clock is not synchronised");
	t_bench.now.wall_synchronised = false;
	t_text(id, "{\"msgtype\":\"timesync\",\"txtime\":" TXTIME "}");
	t_str("no answer", "", t_sent());
	t_uint("counted", 1, t_counted(GB_STATION_NO_TIME));
	t_row("to one without a PPS by itself");
	t_begin();
	id = t_come_up(T_ROOF, 1);
	unsigned pushes = 0;
	int64_t xtime = 0, heard_gps = 0;
	for (unsigned second = 0; second < 400; second++) {
		t_pass(1000);
		if (second == 35) {
			xtime = t_uplink(id);
			heard_gps = gps_us_from_wall(t_bench.now.wall);
		}
		if (second == 36)
			t_uplink_at(id, t_clock_now() - 500000, 3); /* late by half a second: not believed */
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		bool pushed = strstr(t_sent(), "text") != NULL;
		if (pushed && pushes++ == 0) {
			t_int("a moment of its own", xtime, t_bench.down.xtime);
			t_int("less half the way", heard_gps - 20 * US_PER_MS, t_bench.down.gps_time_us);
		}
		gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, id, 40 * US_PER_MS);
	}
	t_uint("once, since it was heard once", 1, pushes);
}

/* --- people */

static void commands_are_off_by_default(void **state)
{
	(void)state;
	t_begin();
	const struct lw_eui64 roof = lw_eui64_from_number(T_ROOF), tower = lw_eui64_from_number(T_TOWER);
	const char *const arguments[] = {"-r", "say \"hi\"", NULL};
	uint64_t id = t_come_up(T_ROOF, 1), to;
	t_int("off", GB_REMOTE_OFF,
	      gb_bridge_station_run(t_bench.bridge, t_bench.now, &roof, "reboot", arguments));
	t_int("off", GB_REMOTE_OFF,
	      gb_bridge_station_shell(t_bench.bridge, t_bench.now, &roof, true, "ann", "xterm", &to));
	t_str("nothing went out", "", t_sent());
	t_bench.options.station_remote = true;
	gb_bridge_reconfigure(t_bench.bridge, &t_bench.options);
	t_row("allowed");
	t_int("run", GB_REMOTE_DONE,
	      gb_bridge_station_run(t_bench.bridge, t_bench.now, &roof, "reboot", arguments));
	t_str("sent", "t_text(1) ", t_sent());
	t_str("text",
	      "{\"msgtype\":\"runcmd\",\"command\":\"reboot\",\"arguments\":[\"-r\",\"say \\\"hi\\\"\"]}",
	      t_bench.text.bytes);
	t_int("shell", GB_REMOTE_DONE,
	      gb_bridge_station_shell(t_bench.bridge, t_bench.now, &roof, true, "ann", "xterm", &to));
	t_uint("its connection", id, to);
	t_sent();
	t_int("input", GB_REMOTE_DONE,
	      gb_bridge_station_shell_input(t_bench.bridge, t_bench.now, &roof, (const uint8_t *)"ls\n", 3));
	t_str("sent", "binary(1,4) ", t_sent());
	t_int("not here", GB_REMOTE_NOT_HERE,
	      gb_bridge_station_run(t_bench.bridge, t_bench.now, &tower, "reboot", arguments));
	t_uint("recorded", 2, t_counted(GB_STATION_REMOTE));
	t_row("a ping of an engineer's");
	t_true("sent", gb_bridge_station_ping(t_bench.bridge, t_bench.now, &roof, &to));
	t_str("goes out", "ping(1) ", t_sent());
	t_true("nobody there", !gb_bridge_station_ping(t_bench.bridge, t_bench.now, &tower, &to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_reconnect_makes_what_was_before_void),
		t_test(a_new_connection_takes_the_old_ones_place),
		t_test(ends_have_their_names),
		t_test(half_open_connections_end),
		t_test(pings_do_not_go_in_step),
		t_test(another_list_is_taken_to_connections),
		t_test(floods_are_limited_and_end),
		t_test(its_clock_is_watched),
		t_test(the_time_is_told),
		t_test(commands_are_off_by_default),
	};
	int code = t_run(tests);
	t_end();
	return code;
}
