/* Basics Station's codec beyond the captured samples: each rule of the reference once; what the bridge writes is read by the
 * simulated station, which shares no code with it. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/gateway_plan.h"
#include "common/text/region_yaml.h"
#include "common/text/station_config.h"
#include "gateway-bridge/cups.h"
#include "gateway-bridge/station_down.h"
#include "simulator/station_down.h"

#include <stdio.h>
#include <string.h>

static struct gb_json *json;
static struct lw_region eu868;

static void verdict_is(const char *member, enum gb_verdict expected, enum gb_verdict got)
{
	t_str(member, gb_verdict_name(expected), gb_verdict_name(got));
}

/* --- who it is */

static void routers_have_many_forms(void **state)
{
	(void)state;
	static const struct {
		const char *name, *router;
		enum gb_verdict verdict;
		uint64_t eui;
	} rows[] = {
		{"four groups", "\"b827:ebff:fe12:3456\"", GB_ACCEPTED, 0xb827ebfffe123456},
		{"upper case", "\"B827:EBFF:FE12:3456\"", GB_ACCEPTED, 0xb827ebfffe123456},
		{"zeros in front", "\"::1\"", GB_ACCEPTED, 1},
		{"zeros behind", "\"1::\"", GB_ACCEPTED, 0x0001000000000000},
		{"one group of zeros", "\"1:2::4\"", GB_ACCEPTED, 0x0001000200000004},
		{"nothing but zeros", "\"::\"", GB_ACCEPTED, 0},
		{"with its category", "\"router-::1\"", GB_ACCEPTED, 1},
		{"an EUI with dashes", "\"B8-27-EB-FF-FE-12-34-56\"", GB_ACCEPTED, 0xb827ebfffe123456},
		{"an integer above 2^63", "13270025034653021270", GB_ACCEPTED, 13270025034653021270u},
		{"the greatest integer", "18446744073709551615", GB_ACCEPTED, UINT64_MAX},
		{"an integer beyond 64 bits", "18446744073709551616", GB_BAD_EUI, 0},
		{"a negative integer", "-1", GB_BAD_EUI, 0},
		{"a fraction", "1.0", GB_BAD_EUI, 0},
		{"three groups", "\"1:2:3\"", GB_BAD_EUI, 0},
		{"five groups", "\"1:2:3:4:5\"", GB_BAD_EUI, 0},
		{"four groups and zeros", "\"1:2:3:4::\"", GB_BAD_EUI, 0},
		{"zeros twice", "\"1::2::3\"", GB_BAD_EUI, 0},
		{"three colons", "\"1:::2\"", GB_BAD_EUI, 0},
		{"five digits", "\"12345::\"", GB_BAD_EUI, 0},
		{"a colon at the end", "\"1:2:3:4:\"", GB_BAD_EUI, 0},
		{"a colon in front", "\":1:2:3\"", GB_BAD_EUI, 0},
		{"an empty text", "\"\"", GB_BAD_EUI, 0},
		{"seven bytes with dashes", "\"b8-27-eb-ff-fe-12-34\"", GB_BAD_EUI, 0},
		{"dashes astray", "\"b82-7e-bf-ff-e1-23-45-6\"", GB_BAD_EUI, 0},
		{"true", "true", GB_WRONG_TYPE, 0},
		{"null", "null", GB_MISSING_MEMBER, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char text[128];
		struct lw_eui64 eui = {{0}};
		int length = snprintf(text, sizeof text, "{\"router\":%s}", rows[i].router);
		verdict_is("verdict", rows[i].verdict,
			   gb_station_discovery(json, text, (size_t)length, &eui));
		t_uint("EUI", rows[i].eui, lw_eui64_number(&eui));
	}
}

static void discovery_is_answered(void **state)
{
	(void)state;
	static const struct {
		const char *name, *uri;
		bool good;
	} rows[] = {
		{"as it should be", "wss://lns.example.org:3001/gateway/b827ebfffe123456", true},
		{"without TLS", "ws://10.0.0.1:3001/x", true},
		{"no port", "wss://lns.example.org/x", false},
		{"a port without a host", "wss://:3001/x", false},
		{"no path", "wss://lns.example.org:3001", false},
		{"another scheme", "https://lns.example.org:3001/x", false},
		{"a quote inside", "wss://lns.example.org:3001/\"x", false},
		{"127 characters",
		 "wss://lns.example.org:3001/"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaa",
		 true},
		{"128 characters",
		 "wss://lns.example.org:3001/"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaa",
		 false},
	};
	const struct lw_eui64 router = lw_eui64_from_number(0xb827ebfffe123456);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char text[GB_STATION_MESSAGE_MAX], uri[SIM_STATION_URI_MAX + 1];
		size_t length = gb_station_discovery_answer(text, &router, rows[i].uri, NULL);
		t_int("written", rows[i].good, length > 0);
		if (length == 0)
			continue;
		t_str("read by a station", "ok",
		      sim_station_verdict_name(sim_station_discovered(text, length, uri)));
		t_str("the same", rows[i].uri, uri);
	}
	char text[GB_STATION_MESSAGE_MAX], uri[SIM_STATION_URI_MAX + 1] = "x";
	size_t length = gb_station_discovery_answer(text, &router, NULL, "not \"known\"\n");
	t_str("an error", "{\"router\":\"b827:ebff:fe12:3456\",\"error\":\"not  known  \"}", text);
	t_str("read by a station", "ok", sim_station_verdict_name(sim_station_discovered(text, length, uri)));
	t_str("no URI", "", uri);
}

/* --- what stations say */

#define RADIO "\"DR\":5,\"Freq\":868100000,"
#define INFO  "\"upinfo\":{\"xtime\":59672695334098540,\"rssi\":-50.5,\"snr\":-7.25}"
#define DATA  "\"msgtype\":\"updf\",\"MHdr\":64,\"DevAddr\":-2,\"FCtrl\":1,\"FCnt\":65535,\"FOpts\":\"02\","

static enum gb_verdict parse(const char *body, struct gb_station_message *message)
{
	char text[4096];
	int length = snprintf(text, sizeof text, "{%s}", body);
	return gb_station_parse(json, text, (size_t)length, &eu868, message);
}

static void messages_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		enum gb_verdict verdict;
	} rows[] = {
		{"a frame", DATA "\"FPort\":0,\"FRMPayload\":\"\",\"MIC\":-1," RADIO INFO, GB_ACCEPTED},
		{"msgtype is a number", "\"msgtype\":5", GB_WRONG_TYPE},
		{"no msgtype", "\"MHdr\":64", GB_MISSING_MEMBER},
		{"an unknown msgtype", "\"msgtype\":\"upd\"", GB_UNKNOWN_MESSAGE},
		{"a server's msgtype", "\"msgtype\":\"dnmsg\"", GB_UNKNOWN_MESSAGE},
		{"a downlink's MHdr",
		 "\"msgtype\":\"updf\",\"MHdr\":96,\"DevAddr\":1,\"FCtrl\":0,\"FCnt\":1,\"FOpts\":\"\","
		 "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1," RADIO INFO,
		 GB_BAD_FRAME},
		{"FOptsLen of 1 with two bytes",
		 "\"msgtype\":\"updf\",\"MHdr\":64,\"DevAddr\":1,\"FCtrl\":1,\"FCnt\":1,\"FOpts\":\"0202\","
		 "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1," RADIO INFO,
		 GB_BAD_FRAME},
		{"no upinfo", DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1,\"DR\":5,\"Freq\":868100000",
		 GB_MISSING_MEMBER},
		{"no SNR",
		 DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1," RADIO
		      "\"upinfo\":{\"xtime\":1,\"rssi\":-50}",
		 GB_MISSING_MEMBER},
		{"a negative xtime",
		 DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1," RADIO
		      "\"upinfo\":{\"xtime\":-1,\"rssi\":-50,\"snr\":1}",
		 GB_OUT_OF_RANGE},
		{"an xtime beyond 63 bits",
		 DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1," RADIO
		      "\"upinfo\":{\"xtime\":9223372036854775808,\"rssi\":-50,\"snr\":1}",
		 GB_OUT_OF_RANGE},
		{"a frequency above the region",
		 DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1,\"DR\":5,\"Freq\":870002000," INFO,
		 GB_BAD_FREQUENCY},
		{"a downlink's data rate",
		 DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":1,\"DR\":15,\"Freq\":868100000," INFO,
		 GB_BAD_DATA_RATE},
		{"a proprietary frame", "\"msgtype\":\"propdf\",\"FRMPayload\":\"E0\"," RADIO INFO,
		 GB_ACCEPTED},
		{"one that is none", "\"msgtype\":\"propdf\",\"FRMPayload\":\"40\"," RADIO INFO,
		 GB_BAD_FRAME},
		{"an empty one", "\"msgtype\":\"propdf\",\"FRMPayload\":\"\"," RADIO INFO, GB_BAD_FRAME},
		{"a join-request of 1.1's type",
		 "\"msgtype\":\"jreq\",\"MHdr\":192,\"JoinEui\":\"08-07-06-05-04-03-02-01\",\"DevEui\":"
		 "\"18-17-16-15-14-13-12-11\",\"DevNonce\":1,\"MIC\":1," RADIO INFO,
		 GB_BAD_FRAME},
		{"a MAC for an EUI",
		 "\"msgtype\":\"jreq\",\"MHdr\":0,\"JoinEui\":\"08-07-06-05-04-03\",\"DevEui\":\"18-17-16-15-"
		 "14-13-12-11\",\"DevNonce\":1,\"MIC\":1," RADIO INFO,
		 GB_BAD_EUI},
		{"a MIC beyond 32 bits",
		 DATA "\"FPort\":1,\"FRMPayload\":\"\",\"MIC\":4294967296," RADIO INFO, GB_OUT_OF_RANGE},
		{"dntxed", "\"msgtype\":\"dntxed\",\"diid\":7,\"xtime\":9,\"DevEui\":\"::1\"", GB_ACCEPTED},
		{"dntxed for nothing", "\"msgtype\":\"dntxed\",\"xtime\":9", GB_MISSING_MEMBER},
		{"a feature that is no text", "\"msgtype\":\"version\",\"features\":[1]", GB_WRONG_TYPE},
		{"timesync", "\"msgtype\":\"timesync\",\"txtime\":1.5", GB_ACCEPTED},
		{"timesync without its time", "\"msgtype\":\"timesync\"", GB_MISSING_MEMBER},
		{"an event", "\"msgtype\":\"event\",\"evcat\":\"gps\"", GB_ACCEPTED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_station_message message;
		verdict_is("verdict", rows[i].verdict, parse(rows[i].body, &message));
	}
}

static void values_keep_every_bit(void **state)
{
	(void)state;
	struct gb_station_message message = {0};
	verdict_is("a frame", GB_ACCEPTED,
		   parse(DATA
			 "\"FPort\":0,\"FRMPayload\":\"Ab\",\"MIC\":-1," RADIO
			 "\"upinfo\":{\"rctx\":-9007199254740993,\"xtime\":9223372036854774783,\"gpstime\":"
			 "1479278350429561,\"fts\":999999999,\"rssi\":-112.5,\"snr\":-19.75}",
			 &message));
	char phy[64];
	hex_encode(phy, message.frame.phy, message.frame.phy_length);
	t_str("bytes", "40feffffff01ffff0200abffffffff", phy);
	t_int("xtime", INT64_C(9223372036854774783), message.frame.xtime);
	t_int("rctx", INT64_C(-9007199254740993), message.frame.rctx);
	t_int("GPS time", INT64_C(1479278350429561), message.frame.gps_time_us);
	t_uint("fine time", 999999999, message.frame.fine_time_ns);
	t_int("RSSI, halves away from zero", -113, message.frame.rssi_dbm);
	t_int("SNR", -1975, message.frame.snr_cdb);
	t_uint("spreading factor", 7, message.frame.modulation.spreading_factor);

	verdict_is("without times", GB_ACCEPTED,
		   parse(DATA "\"FPort\":-1,\"FRMPayload\":\"\",\"MIC\":-1," RADIO
			      "\"upinfo\":{\"xtime\":0,\"gpstime\":0,\"fts\":-1,\"rssi\":0,\"snr\":0}",
			 &message));
	hex_encode(phy, message.frame.phy, message.frame.phy_length);
	t_str("no port", "40feffffff01ffff02ffffffff", phy);
	t_false("no GPS time", message.frame.has_gps_time);
	t_false("no fine time", message.frame.has_fine_time);

	verdict_is("version", GB_ACCEPTED,
		   parse("\"msgtype\":\"version\",\"station\":\"2.0.6\",\"protocol\":2,\"model\":null,"
			 "\"features\":\"rmtsh gps\"",
			 &message));
	t_str("station", "2.0.6", message.version.station);
	t_int("protocol", 2, message.version.protocol);
	t_true("remote shells", message.version.rmtsh);
	t_true("GPS", message.version.gps);
	t_false("not for production", message.version.prod);
	verdict_is("features in an array", GB_ACCEPTED,
		   parse("\"msgtype\":\"version\",\"features\":[\"prod\"]", &message));
	t_true("for production", message.version.prod);
	verdict_is("timesync", GB_ACCEPTED,
		   parse("\"msgtype\":\"timesync\",\"txtime\":7719378049.25", &message));
	t_str("as it was written", "7719378049.25", message.txtime);
}

/* --- what a server says */

static struct gw_tx_attempt attempt_of(enum gw_window window, enum gw_timing timing, uint32_t freq_hz)
{
	return (struct gw_tx_attempt){.window = window, .timing = timing, .freq_hz = freq_hz};
}

static void read_back(const char *text, size_t length, struct sim_station_down *down)
{
	struct sim_station_config config;
	sim_station_config_default(&config);
	t_str("read by a station", "ok",
	      sim_station_verdict_name(sim_station_parse(text, length, &config, down)));
}

static void downlinks_reach_their_windows(void **state)
{
	(void)state;
	const uint8_t phy[] = {0x60, 1, 2, 3};
	const int64_t starts = INT64_C(0x00d4000012345678);
	struct gw_tx_attempt rx1 = attempt_of(GW_RX1, GW_AT_TICKS, 868100000);
	struct gw_tx_attempt rx2 = attempt_of(GW_RX2, GW_AT_TICKS, 869525000);
	struct gw_tx_attempt b = attempt_of(GW_CLASS_B, GW_AT_GPS_TIME, 869525000);
	struct gw_tx_attempt c = attempt_of(GW_CLASS_C, GW_IMMEDIATELY, 869525000);
	b.gps_time_us = 1479278351128708;
	char text[GB_STATION_MESSAGE_MAX];
	struct sim_station_down down;
	struct gb_station_downlink downlink = {.diid = INT64_MAX,
					       .first = &rx1,
					       .second = &rx2,
					       .first_dr = 5,
					       .second_dr = 0,
					       .xtime = starts,
					       .rctx = 3,
					       .mux_time = {1795243124921054},
					       .phy = phy,
					       .phy_length = sizeof phy};
	t_row("both windows");
	read_back(text, gb_station_dnmsg(text, &downlink), &down);
	t_bytes("frame", phy, sizeof phy, down.dnmsg.phy, down.dnmsg.phy_length);
	t_int("RX1 begins", starts, down.dnmsg.xtime + down.dnmsg.rx_delay_s * US_PER_S);
	t_uint("frequency of RX1", 868100000, down.dnmsg.rx1.freq_hz);
	t_uint("data rate of RX1", 5, down.dnmsg.rx1.dr);
	t_uint("frequency of RX2", 869525000, down.dnmsg.rx2.freq_hz);
	t_uint("data rate of RX2", 0, down.dnmsg.rx2.dr);
	t_int("diid", INT64_MAX, down.dnmsg.diid);
	t_int("rctx", 3, down.dnmsg.rctx);
	t_true("MuxTime", down.mux_time_s == 1795243124.921054);
	t_true("it will say that it has sent", lw_eui64_number(&down.dnmsg.dev_eui) != 0);

	t_row("RX2 alone");
	downlink.first = &rx2;
	downlink.second = NULL;
	downlink.first_dr = 3;
	downlink.mux_time.us = 0;
	read_back(text, gb_station_dnmsg(text, &downlink), &down);
	t_false("no RX1", down.dnmsg.rx1.open);
	t_int("RX2 begins", starts, down.dnmsg.xtime + (down.dnmsg.rx_delay_s + 1) * US_PER_S);
	t_uint("data rate", 3, down.dnmsg.rx2.dr);
	t_true("nobody keeps the clock: no MuxTime", down.mux_time_s == 0);
	t_true("not even one that says 1970", !strstr(text, "MuxTime"));

	t_row("class B");
	downlink.first = &b;
	read_back(text, gb_station_dnmsg(text, &downlink), &down);
	t_int("class", 1, down.dnmsg.device_class);
	t_int("its time", b.gps_time_us, down.dnmsg.gps_time_us);

	t_row("class C");
	downlink.first = &c;
	read_back(text, gb_station_dnmsg(text, &downlink), &down);
	t_int("class", 2, down.dnmsg.device_class);
	t_int("at once", 0, down.dnmsg.xtime);

	t_row("nothing that a station could send");
	downlink.first = &rx1;
	downlink.xtime = 0;
	t_uint("class A without xtime", 0, gb_station_dnmsg(text, &downlink));
	downlink.xtime = starts;
	downlink.phy_length = 0;
	t_uint("no bytes", 0, gb_station_dnmsg(text, &downlink));
	downlink.phy_length = LW_PHY_PAYLOAD_MAX;
	uint8_t longest[LW_PHY_PAYLOAD_MAX] = {0x60};
	downlink.phy = longest;
	t_true("255 bytes fit", gb_station_dnmsg(text, &downlink) > 0);
}

static void xtime_goes_with_the_counter(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t heard;
		uint32_t ticks;
		int64_t xtime;
	} rows[] = {
		{"later", 0x00d4000012345678, 0x12345679, 0x00d4000012345679},
		{"earlier", 0x00d4000012345678, 0x12345677, 0x00d4000012345677},
		{"over the counter's end", 0x00d40000fffffff0, 0x00000010, 0x00d4000100000010},
		{"back over it", 0x00d4000100000010, 0xfffffff0, 0x00d40000fffffff0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("xtime", rows[i].xtime,
		      gb_station_xtime_near(rows[i].heard, (struct gw_ticks){rows[i].ticks}));
		t_uint("and back", rows[i].ticks, gb_station_ticks(rows[i].xtime).us);
	}
	char text[GB_STATION_MESSAGE_MAX];
	struct sim_station_down down;
	read_back(text,
		  gb_station_timesync(text, "7719378049.25", 0, 1307776198073377,
				      (struct wall){1795243124000001}),
		  &down);
	t_true("MuxTime", down.mux_time_s == 1795243124.000001);
	t_int("GPS time", 1307776198073377, down.gps_time_us);
	t_true("echoed", down.txtime == 7719378049.25);
	read_back(text,
		  gb_station_timesync(text, NULL, 0x00d4000012345678, 1479278348928210, (struct wall){0}),
		  &down);
	t_int("pushed", 0x00d4000012345678, down.xtime);
}

/* Every channel of the plan is heard at its frequency by one of the station's demodulators. */
static void configurations_hear_the_plan(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region, *channels;
		unsigned expected; /* frequencies */
		bool sx1302;
	} rows[] = {
		{"eu868", "eu868", "", 8, false},
		{"eu868 on SX1302", "eu868", "", 8, true},
		{"us915, second sub-band", "us915", "8-15,65", 9, false},
		{"us915, eighth sub-band", "us915", "56-63,71", 9, false},
		{"au915, first sub-band", "au915", "0-7,64", 9, true},
		{"as923-1", "as923-1", "", 2, false},
		{"kr920", "kr920", "", 3, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct lw_region region;
		struct lw_channel_plan plan;
		struct lw_channel_mask mask;
		t_true("region", region_load(&region, rows[i].region));
		t_true("channels", lw_gateway_mask(&region, rows[i].channels, NULL, &mask));
		lw_plan_init(&plan, &region);
		if (region.plan_type == LW_PLAN_FIXED)
			t_true("limited", lw_plan_limit(&plan, &region, &mask));
		if (strcmp(region.id, "eu868") == 0)
			for (uint8_t k = 0; k < 5; k++)
				(void)lw_plan_apply_new_channel(
					&plan, &region,
					&(struct lw_new_channel){.index = (uint8_t)(3 + k),
								 .freq_hz = 867100000 + 200000u * k,
								 .max_dr = 5});
		char text[GB_STATION_MESSAGE_MAX], problem[GATEWAY_RADIO_PROBLEM_MAX] = "";
		struct sim_station_down down;
		size_t length = station_config_write(text, &region, &plan,
						     rows[i].sx1302 ? STATION_SX1302 : STATION_SX1301,
						     (struct wall){INT64_C(1790000000123456)}, problem);
		t_str("problem", "", problem);
		read_back(text, length, &down);
		t_str("region", station_region_name(&region), down.config.region);
		t_true("form", strstr(text, rows[i].sx1302 ? "sx1302_conf" : "sx1301_conf") != NULL);
		unsigned heard = 0;
		for (uint8_t channel = 0; channel < LW_UPLINK_CHANNELS_MAX; channel++) {
			struct lw_channel of;
			if (!lw_mask_get(&plan.enabled, channel) ||
			    !lw_plan_channel(&plan, &region, channel, &of))
				continue;
			for (size_t at = 0; at < 9; at++)
				if (down.config.channels_hz[at] == of.freq_hz) {
					heard++;
					break;
				}
		}
		t_uint("heard", rows[i].expected, heard);
		for (uint8_t dr = 0; dr < 16; dr++) {
			const struct lw_data_rate *rate = lw_region_data_rate(&region, LW_UP, dr);
			if (rate && rate->modulation.kind == LW_LORA)
				t_int("spreading factor", rate->modulation.spreading_factor,
				      down.config.rates[dr].spreading_factor);
			if (rate && rate->modulation.kind == LW_LR_FHSS)
				t_int("LR-FHSS is left undefined", -1,
				      down.config.rates[dr].spreading_factor);
		}
	}
	struct lw_region region;
	struct lw_channel_plan plan;
	char text[GB_STATION_MESSAGE_MAX], problem[GATEWAY_RADIO_PROBLEM_MAX] = "";
	t_true("region", region_load(&region, "in865"));
	lw_plan_init(&plan, &region);
	t_uint("a region that stations drop", 0,
	       station_config_write(text, &region, &plan, STATION_SX1301, (struct wall){1}, problem));
	t_true("is refused with its reason", strstr(problem, "in865") != NULL);
}

/* --- CUPS */

static void updates_have_their_layout(void **state)
{
	(void)state;
	uint8_t bytes[1024];
	struct wr wr = wr_init(bytes, sizeof bytes);
	struct sim_cups_answer answer;
	t_true("nothing to change", gb_cups_answer(&wr, &(struct gb_cups_update){0}));
	t_bytes("is 14 zeros", (const uint8_t[14]){0}, 14, bytes, wr_length(&wr));
	static const uint8_t credentials[300] = {1, 2}, signature[70] = {3}, firmware[5] = {4};
	struct gb_cups_update update = {.cups_uri = "https://c:3002",
					.tc_uri = "wss://t:3001",
					.tc_credentials = credentials,
					.tc_credentials_length = sizeof credentials,
					.key_crc = 0x11223344,
					.signature = signature,
					.signature_length = sizeof signature,
					.firmware = firmware,
					.firmware_length = sizeof firmware};
	wr = wr_init(bytes, sizeof bytes);
	t_true("written", gb_cups_answer(&wr, &update));
	t_str("read by a station", "ok",
	      sim_station_verdict_name(sim_cups_parse(bytes, wr_length(&wr), &answer)));
	t_bytes("CUPS URI", (const uint8_t *)"https://c:3002", 14, answer.cups_uri, answer.cups_uri_length);
	t_bytes("LNS URI", (const uint8_t *)"wss://t:3001", 12, answer.tc_uri, answer.tc_uri_length);
	t_uint("kept", 0, answer.cups_credentials_length);
	t_bytes("credentials", credentials, sizeof credentials, answer.tc_credentials,
		answer.tc_credentials_length);
	t_uint("key", 0x11223344, answer.key_crc);
	t_bytes("signature", signature, sizeof signature, answer.signature, answer.signature_length);
	t_bytes("firmware", firmware, sizeof firmware, answer.update, answer.update_length);
	for (size_t length = 0; length < wr_length(&wr); length++)
		t_str("cut short", "bad_length",
		      sim_station_verdict_name(sim_cups_parse(bytes, length, &answer)));

	wr = wr_init(bytes, 100);
	t_false("no room", gb_cups_answer(&wr, &update));
	update.signature_length = 129;
	wr = wr_init(bytes, sizeof bytes);
	t_false("a signature too long", gb_cups_answer(&wr, &update));
	update.signature_length = 0;
	update.tc_credentials_length = 65536;
	wr = wr_init(bytes, sizeof bytes);
	t_false("credentials too long", gb_cups_answer(&wr, &update));
}

static void questions_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		enum gb_verdict verdict;
	} rows[] = {
		{"the router alone", "{\"router\":\"::1\"}", GB_ACCEPTED},
		{"no router", "{\"tcUri\":null}", GB_MISSING_MEMBER},
		{"nine keys", "{\"router\":1,\"keys\":[1,2,3,4,5,6,7,8,9]}", GB_OUT_OF_RANGE},
		{"a key beyond 32 bits", "{\"router\":1,\"keys\":[4294967296]}", GB_OUT_OF_RANGE},
		{"a key that is text", "{\"router\":1,\"keys\":[\"1\"]}", GB_WRONG_TYPE},
		{"a CRC below 0", "{\"router\":1,\"tcCredCrc\":-1}", GB_OUT_OF_RANGE},
		{"an array", "[]", GB_NOT_AN_OBJECT},
		{"nothing", "", GB_NOT_JSON},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_cups_question question;
		verdict_is("verdict", rows[i].verdict,
			   gb_cups_question(json, rows[i].body, strlen(rows[i].body), &question));
	}
	struct gb_cups_question question;
	const char *text =
		"{\"router\":\"::a\",\"tcUri\":\"wss://t:1/\",\"tcCredCrc\":4294967295,\"keys\":[7,8]}";
	verdict_is("whole", GB_ACCEPTED, gb_cups_question(json, text, strlen(text), &question));
	t_uint("router", 10, lw_eui64_number(&question.router));
	t_uint("CRC", UINT32_MAX, question.tc_credentials_crc);
	t_uint("keys", 2, question.key_count);
	t_uint("second key", 8, question.keys[1]);
}

int main(void)
{
	json = gb_json_new();
	if (!region_load(&eu868, "eu868"))
		return 1;
	const struct CMUnitTest tests[] = {
		t_test(routers_have_many_forms),
		t_test(discovery_is_answered),
		t_test(messages_are_judged),
		t_test(values_keep_every_bit),
		t_test(downlinks_reach_their_windows),
		t_test(xtime_goes_with_the_counter),
		t_test(configurations_hear_the_plan),
		t_test(updates_have_their_layout),
		t_test(questions_are_read),
	};
	int failed = t_run(tests);
	gb_json_free(json);
	return failed;
}
