/* Stations in the core: who comes in, what they say, what they are given to send. */
#include "tests/harness/harness.h"
#include "tests/harness/station_bench.h"

#include "common/lorawan/airtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- discovery */

static void discovery_tells_where_or_why_not(void **state)
{
	(void)state;
	const struct gb_presented roof = t_certificate_of(T_ROOF), tower = t_certificate_of(T_TOWER),
				  china = t_certificate_of(T_CHINA), crowded = t_certificate_of(T_CROWDED),
				  nothing = {0};
	const struct {
		const char *name;
		uint64_t router;
		const struct gb_presented *presented;
		const char *answer; /* a part of it */
		enum gb_verdict verdict;
	} rows[] = {
		{"a registered gateway", T_ROOF, &roof,
		 "\"uri\":\"wss://lns.example.org:3001/gateway/aa555a0000000301\"", GB_STATION_DISCOVERED},
		{"another region", T_TOWER, &tower, "/gateway/aa555a0000000302\"", GB_STATION_DISCOVERED},
		{"a stranger", T_STRANGER, &roof, "lamppost gateway add", GB_UNKNOWN_GATEWAY},
		{"with another gateway's certificate", T_TOWER, &roof, "\"error\":", GB_CERTIFICATE_FOREIGN},
		{"without a credential", T_ROOF, &nothing, "\"error\":", GB_CREDENTIAL_MISSING},
		{"a region that stations drop", T_CHINA, &china, "drop every downlink", GB_STATION_REGION},
		{"a plan that fits no receiver", T_CROWDED, &crowded, "do not fit its receiver",
		 GB_STATION_PLAN},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		char body[64], uri[SIM_STATION_URI_MAX + 1];
		uint64_t id = t_open_with(GB_STATION_DISCOVERY, 0, 1, rows[i].presented, NULL);
		snprintf(body, sizeof body, "{\"router\":%" PRIu64 "}", rows[i].router);
		t_text(id, body);
		t_str("answered", "t_text(1) ", t_sent());
		t_true("answer", strstr(t_bench.text.bytes, rows[i].answer) != NULL);
		t_uint("counted", 1, t_counted(rows[i].verdict));
		t_str("read by a station", "ok",
		      sim_station_verdict_name(
			      sim_station_discovered(t_bench.text.bytes, t_bench.text.length, uri)));
		t_int("a uri where it may come", rows[i].verdict == GB_STATION_DISCOVERED, uri[0] != 0);
		t_row("it asks once");
		t_text(id, body);
		t_str("no second answer", "", t_sent());
		t_uint("out of turn", 1, t_counted(GB_STATION_OUT_OF_TURN));
		t_row("and the connection ends by itself");
		t_pass(10000);
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		t_str("closed", "close(1,1000) ", t_sent());
		t_uint("gone", 0, gb_bridge_stations(t_bench.bridge));
	}
	t_row("a stranger is listed for whoever registers it");
	const struct lw_eui64 eui = lw_eui64_from_number(T_STRANGER);
	t_begin();
	t_text(t_open_with(GB_STATION_DISCOVERY, 0, 1, &roof, NULL), "{\"router\":\"1122:3344:5566:7788\"}");
	t_true("listed", gb_gateways_find(gb_bridge_gateways(t_bench.bridge), &eui) != NULL);
}

static void the_host_header_is_a_fallback_that_is_checked(void **state)
{
	(void)state;
	static const struct {
		const char *name, *host, *uri; /* NULL: none is given */
	} rows[] = {
		{"a name and a port", "lns.city:3001", "wss://lns.city:3001/gateway/aa555a0000000301"},
		{"an address", "[2001:db8::1]:3001", "wss://[2001:db8::1]:3001/gateway/aa555a0000000301"},
		{"no port", "lns.city", NULL},
		{"no header", NULL, NULL},
		{"somebody else's path", "evil.org/x:80", NULL},
		{"a user before the host", "lns.city@evil.org:80", NULL},
		{"a quote", "lns\".city:80", NULL},
		{"a port that is none", "lns.city:3o01", NULL},
	};
	const struct gb_presented roof = t_certificate_of(T_ROOF);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		t_bench.options.station_url[0] = 0;
		gb_bridge_reconfigure(t_bench.bridge, &t_bench.options);
		char uri[SIM_STATION_URI_MAX + 1] = "";
		t_text(t_open_with(GB_STATION_DISCOVERY, 0, 1, &roof, rows[i].host),
		       "{\"router\":\"aa55:5a00::301\"}");
		t_sent();
		(void)sim_station_discovered(t_bench.text.bytes, t_bench.text.length, uri);
		t_str("uri", rows[i].uri ? rows[i].uri : "", uri);
		t_uint("said why not", rows[i].uri == NULL, t_counted(GB_STATION_NO_URL));
	}
}

/* --- who may come in */

static void a_connection_is_let_in_by_what_it_presents(void **state)
{
	(void)state;
	const struct gb_presented roof = t_certificate_of(T_ROOF), nothing = {0};
	const struct {
		const char *name;
		uint64_t eui;
		const struct gb_presented *presented;
		unsigned status;
		enum gb_verdict verdict;
	} rows[] = {
		{"its own certificate", T_ROOF, &roof, 0, GB_ACCEPTED},
		{"another's", T_TOWER, &roof, 403, GB_CERTIFICATE_FOREIGN},
		{"nothing", T_ROOF, &nothing, 401, GB_CREDENTIAL_MISSING},
		{"a stranger", T_STRANGER, &roof, 404, GB_UNKNOWN_GATEWAY},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		(void)t_open_with(GB_STATION_DATA, rows[i].eui, 1, rows[i].presented, NULL);
		t_uint("status", rows[i].status, t_bench.refused);
		if (rows[i].verdict != GB_ACCEPTED)
			t_uint("counted", 1, t_counted(rows[i].verdict));
	}
	t_row("one that is registered for certificates is refused on UDP");
	t_begin();
	const uint8_t pull[12] = {2, 1, 1, GB_PULL_DATA, 0xaa, 0x55, 0x5a, 0, 0, 0, 3, 2};
	const struct gb_peer peer = {.address = {.bytes = {198, 51, 100, 9}, .family = 4, .port = 9}};
	gb_bridge_on_datagram(t_bench.bridge, t_bench.now, &peer, pull, sizeof pull);
	t_uint("counted", 1, t_counted(GB_UDP_NOT_ALLOWED));
	t_str("said", "", t_hear());
}

/* --- a connection */

static void version_brings_its_channels(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t eui;
		const char *region, *radio;
		unsigned channels;
		uint32_t first_hz;
	} rows[] = {
		{"a dynamic region with the network's channels", T_ROOF, "EU863", "\"sx1301_conf\"", 5,
		 867100000},
		{"a fixed one, on an SX1302", T_TOWER, "US902", "\"sx1302_conf\"", 8, 903900000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_open_data(rows[i].eui, 1);
		t_str("nothing before it asks", "", t_sent());
		t_version(id);
		t_str("answered", "t_text(1) ", t_sent());
		t_true("radio", strstr(t_bench.text.bytes, rows[i].radio) != NULL);
		t_str("region", rows[i].region, t_bench.config.region);
		t_true("known to stations", t_bench.config.region_known);
		t_true("no filter of networks",
		       t_bench.config.all_net_ids && t_bench.config.range_count == 0);
		unsigned channels = 0;
		for (size_t c = 0; c < 8; c++)
			channels += t_bench.config.channels_hz[c] != 0;
		t_uint("channels", rows[i].channels, channels);
		t_uint("first", rows[i].first_hz, t_bench.config.channels_hz[0]);
		t_str("presence", "here(connected) ", t_hear());
		t_uint("protocol", GW_BASICS_STATION, t_bench.presence.protocol);
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		t_str("pinged", "ping(1) ", t_sent());
		struct gb_station_state now;
		const struct lw_eui64 eui = lw_eui64_from_number(rows[i].eui);
		t_true("shown", gb_bridge_station_of(t_bench.bridge, &eui, &now));
		t_str("model", "corecell", now.version->model);
	}
	t_row("a region that stations drop");
	t_begin();
	t_version(t_open_data(T_CHINA, 1));
	t_str("closed", "close(1,1008) ", t_sent());
	t_true("reason", strstr(t_bench.close.reason, "station_region") != NULL);
	t_uint("counted", 1, t_counted(GB_STATION_REGION));
	t_str("never here", "", t_hear());
}

static void frames_are_forwarded(void **state)
{
	(void)state;
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1);
	t_row("a frame whose clock is beyond 32 bits");
	int64_t xtime = t_uplink(id);
	char expect[64];
	snprintf(expect, sizeof expect, "up(%u) ", (uint32_t)(uint64_t)xtime);
	t_pass(5);
	t_str("said", expect, t_hear());
	t_int("age", 5000, t_bench.uplink.age_us);
	t_int("rssi", -50, t_bench.uplink.rssi_dbm);
	t_int("snr", 725, t_bench.uplink.snr_cdb);
	t_uint("frequency", 868100000, t_bench.uplink.freq_hz);
	t_int("spreading factor", 7, t_bench.uplink.modulation.spreading_factor);
	t_int("protocol", GW_BASICS_STATION, t_bench.uplink.protocol);
	t_bytes("PHYPayload", (const uint8_t[]){0x40, 0xfe, 0xff, 0xff, 0xff, 0, 7, 0, 1, 0xab, 1, 0, 0, 0},
		14, t_bench.uplink.phy, t_bench.uplink.phy_length);
	static const struct {
		const char *name, *body, *said;
		enum gb_verdict verdict;
	} rows[] = {
		{"a join-request",
		 "{\"msgtype\":\"jreq\",\"MHdr\":0,\"JoinEui\":\"08-07-06-05-04-03-02-01\",\"DevEui\":\"18-"
		 "17-16-15-"
		 "14-13-12-11\",\"DevNonce\":1,\"MIC\":1,\"DR\":0,\"Freq\":868100000,\"upinfo\":{\"xtime\":"
		 "18577348462903296,\"rctx\":0,\"rssi\":-50,\"snr\":1}}",
		 "up(0) ", GB_VERDICT_COUNT},
		{"a proprietary one",
		 "{\"msgtype\":\"propdf\",\"FRMPayload\":\"E00102\",\"DR\":0,\"Freq\":868100000,\"upinfo\":{"
		 "\"xtime\":18577348462903296,\"rctx\":0,\"rssi\":-50,\"snr\":1}}",
		 "up(0) ", GB_VERDICT_COUNT},
		{"not JSON", "{", "", GB_NOT_JSON},
		{"a msgtype that nobody has", "{\"msgtype\":\"hello\"}", "", GB_UNKNOWN_MESSAGE},
		{"wrong types", "{\"msgtype\":\"updf\",\"MHdr\":\"64\"}", "", GB_WRONG_TYPE},
		{"a second version", "{\"msgtype\":\"version\",\"protocol\":2}", "", GB_STATION_OUT_OF_TURN},
		{"an event", "{\"msgtype\":\"event\",\"x\":1}", "", GB_STATION_EVENT},
		{"an error", "{\"msgtype\":\"error\",\"error\":\"x\"}", "", GB_STATION_ERROR},
		{"getxtime", "{\"msgtype\":\"getxtime\"}", "", GB_STATION_UNUSED},
		{"a frequency of another region",
		 "{\"msgtype\":\"propdf\",\"FRMPayload\":\"E00102\",\"DR\":0,\"Freq\":902300000,\"upinfo\":{"
		 "\"xtime\":1,\"rctx\":0,\"rssi\":-50,\"snr\":1}}",
		 "", GB_BAD_FREQUENCY},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		id = t_come_up(T_ROOF, 1);
		t_text(id, rows[i].body);
		t_str("said", rows[i].said, t_hear());
		t_str("the connection stays", "", t_sent());
		if (rows[i].verdict != GB_VERDICT_COUNT)
			t_uint("counted", 1, t_counted(rows[i].verdict));
		t_uplink(id);
		t_true("and works", strncmp(t_hear(), "up(", 3) == 0);
	}
	t_row("a frame before version");
	t_begin();
	id = t_open_data(T_ROOF, 1);
	t_uplink(id);
	t_str("said", "", t_hear());
	t_uint("counted", 1, t_counted(GB_STATION_OUT_OF_TURN));
}

/* --- downlinks */

static void a_class_a_answer_takes_both_windows(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned delay_s;
	} rows[] = {{"RxDelay 1", 1}, {"RxDelay 5", 5}, {"RxDelay 15", 15}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_come_up(T_ROOF, 1);
		t_uplink_at(id, t_clock_now() - 7 * US_PER_S, 77);
		int64_t xtime = t_uplink(id);
		t_uplink_at(id, t_clock_now() + 1000, 78);
		t_hear();
		t_pass(200);
		t_order_both(T_ROOF, 9, gb_station_ticks(xtime), rows[i].delay_s);
		t_str("sent", "t_text(1) ", t_sent());
		const struct sim_station_dnmsg *dnmsg = &t_bench.down.dnmsg;
		t_uint("class", 0, dnmsg->device_class);
		t_true("both windows", dnmsg->rx1.open && dnmsg->rx2.open);
		t_uint("RX1", 868100000, dnmsg->rx1.freq_hz);
		t_uint("RX1's rate", 3, dnmsg->rx1.dr);
		t_uint("RX2", 869525000, dnmsg->rx2.freq_hz);
		t_uint("RX2's rate", 0, dnmsg->rx2.dr);
		t_int("RX1 begins", xtime + rows[i].delay_s * US_PER_S,
		      dnmsg->xtime + dnmsg->rx_delay_s * US_PER_S);
		t_int("the context of the uplink that is answered", 3, dnmsg->rctx);
		t_true("it will say so when it has sent", lw_eui64_number(&dnmsg->dev_eui) != 0);
		t_row("sent in RX1");
		t_dntxed(id, dnmsg->diid, xtime + rows[i].delay_s * US_PER_S);
		t_str("told", "tx(9.0,ok) ", t_hear());
		t_int("the way to it and back", 40 * US_PER_MS, t_bench.tx_ack.latency_us);
		t_dntxed(id, dnmsg->diid, xtime);
		t_str("told once", "", t_hear());
		t_uint("counted", 1, t_counted(GB_DNTXED_UNASKED));
		t_row("sent in RX2");
		int64_t diid = dnmsg->diid;
		t_order_both(T_ROOF, 10, gb_station_ticks(xtime), rows[i].delay_s);
		const struct gw_downlink both = t_bench.message->gateway_downlink;
		t_sent();
		t_true("another number", t_bench.down.dnmsg.diid != diid);
		t_dntxed(id, t_bench.down.dnmsg.diid, xtime + (rows[i].delay_s + 1) * US_PER_S);
		t_str("told", "tx(10.1,ok) ", t_hear());
		t_row("RX2 of another gateway does not go along");
		t_bench.message->kind = PROTO_GATEWAY_DOWNLINK;
		t_bench.message->gateway_downlink = both;
		t_bench.message->gateway_downlink.id = 11;
		t_bench.message->gateway_downlink.attempts[1].gateway = lw_eui64_from_number(T_TOWER);
		t_tell();
		t_str("sent", "t_text(1) ", t_sent());
		t_true("RX1 alone", t_bench.down.dnmsg.rx1.open && !t_bench.down.dnmsg.rx2.open);
	}
}

static void downlinks_that_cannot_be_sent_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct gw_tx_attempt attempt;
		int64_t behind_us; /* the last uplink, where it is at ticks */
		const char *said;
	} rows[] = {
		{"half a second behind the uplink",
		 {.window = GW_RX1, .freq_hz = 868100000, .modulation = T_SF9},
		 500000,
		 "tx(5.0,no_path:station_context_gone) "},
		{"a microsecond off",
		 {.window = GW_RX1, .freq_hz = 868100000, .modulation = T_SF9},
		 1000001,
		 "tx(5.0,no_path:station_context_gone) "},
		{"17 s behind it",
		 {.window = GW_RX2, .freq_hz = 868100000, .modulation = T_SF9},
		 17000000,
		 "tx(5.0,no_path:station_context_gone) "},
		{"another region's frequency",
		 {.window = GW_RX1, .freq_hz = 923300000, .modulation = T_SF9},
		 1000000,
		 "tx(5.0,no_path:station_cannot_send) "},
		{"a rate that the region does not have",
		 {.window = GW_RX1, .freq_hz = 868100000, .modulation = {LW_LORA, 9, 500000, 0, 0, "4/5"}},
		 1000000,
		 "tx(5.0,no_path:station_cannot_send) "},
		{"class A at once",
		 {.window = GW_RX1, .timing = GW_IMMEDIATELY, .freq_hz = 868100000, .modulation = T_SF9},
		 0,
		 "tx(5.0,no_path:station_cannot_send) "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_come_up(T_ROOF, 1);
		int64_t xtime = t_uplink(id);
		t_hear();
		struct gw_tx_attempt attempt = rows[i].attempt;
		attempt.ticks = gw_ticks_add(gb_station_ticks(xtime), rows[i].behind_us);
		t_order(T_ROOF, 5, &attempt, 1);
		t_str("sent", "", t_sent());
		t_str("said", rows[i].said, t_hear());
		t_uint("nothing waits", 0, gb_bridge_in_flight(t_bench.bridge));
	}
}

static void class_b_and_c_have_their_forms(void **state)
{
	(void)state;
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1);
	t_row("class C before any uplink");
	const struct gw_tx_attempt at_once = {
		.window = GW_CLASS_C, .timing = GW_IMMEDIATELY, .freq_hz = 869525000, .modulation = T_SF12};
	t_order(T_ROOF, 1, &at_once, 1);
	t_str("sent", "t_text(1) ", t_sent());
	t_uint("class", 2, t_bench.down.dnmsg.device_class);
	t_true("RX2 alone", t_bench.down.dnmsg.rx2.open && !t_bench.down.dnmsg.rx1.open);
	t_int("no time", 0, t_bench.down.dnmsg.xtime);
	t_dntxed(id, t_bench.down.dnmsg.diid, t_clock_now());
	t_str("told", "tx(1.0,ok) ", t_hear());
	t_row("class B");
	const int64_t gps_us = gps_us_from_wall(t_bench.now.wall) + 4 * US_PER_S;
	const struct gw_tx_attempt ping_slot = {.window = GW_CLASS_B,
						.timing = GW_AT_GPS_TIME,
						.gps_time_us = gps_us,
						.freq_hz = 869525000,
						.modulation = T_SF9};
	t_order(T_ROOF, 2, &ping_slot, 1);
	t_str("sent", "t_text(1) ", t_sent());
	t_uint("class", 1, t_bench.down.dnmsg.device_class);
	t_int("GPS time", gps_us, t_bench.down.dnmsg.gps_time_us);
	const struct lw_modulation sf9 = T_SF9;
	const int64_t over_us = 4 * US_PER_S + lw_airtime_us(&sf9, LW_DOWN, 4) + GB_STATION_ANSWER_US;
	t_pass(over_us / US_PER_MS);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("not yet", "", t_hear());
	t_pass(1);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("silence", "tx(2.0,no_answer:no_dntxed) ", t_hear());
	t_row("class C at a GPS time goes out as a schedule");
	const int64_t later_us = gps_us_from_wall(t_bench.now.wall) + 4 * US_PER_S;
	const struct gw_tx_attempt multicast = {.window = GW_CLASS_C,
						.timing = GW_AT_GPS_TIME,
						.gps_time_us = later_us,
						.freq_hz = 869525000,
						.modulation = T_SF9};
	t_sent();
	t_order(T_ROOF, 3, &multicast, 1);
	t_str("sent", "t_text(1) ", t_sent());
	t_uint("kind", SIM_STATION_DNSCHED, t_bench.down.kind);
	t_int("GPS time", later_us, t_bench.down.schedule[0].gps_time_us);
	t_pass(20000);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("nobody will say: counted as sent", "tx(3.0,no_answer) ", t_hear());
}

static void silence_is_told_when_the_last_window_is_over(void **state)
{
	(void)state;
	t_begin();
	uint64_t id = t_come_up(T_ROOF, 1);
	int64_t xtime = t_uplink(id);
	t_hear();
	t_pass(200);
	t_order_both(T_ROOF, 9, gb_station_ticks(xtime), 1);
	t_sent();
	/* RX2 begins 2 s behind the uplink; T_SF12 with 4 bytes takes 827,392 µs; 2.5 s more */
	t_pass(1800 + 827 + 2500);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("not yet", "", t_hear());
	t_pass(1);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("told", "tx(9.0,no_answer:no_dntxed) ", t_hear());
	t_uint("counted", 1, t_counted(GB_NO_DNTXED));
	t_dntxed(id, t_bench.down.dnmsg.diid, xtime);
	t_str("late: told once", "", t_hear());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(discovery_tells_where_or_why_not),
		t_test(the_host_header_is_a_fallback_that_is_checked),
		t_test(a_connection_is_let_in_by_what_it_presents),
		t_test(version_brings_its_channels),
		t_test(frames_are_forwarded),
		t_test(a_class_a_answer_takes_both_windows),
		t_test(downlinks_that_cannot_be_sent_are_refused),
		t_test(class_b_and_c_have_their_forms),
		t_test(silence_is_told_when_the_last_window_is_over),
	};
	int code = t_run(tests);
	t_end();
	return code;
}
