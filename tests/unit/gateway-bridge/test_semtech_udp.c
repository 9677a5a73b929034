/* The codec of Semtech UDP beyond the captured samples: each rule of reference A once, good and bad. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "gateway-bridge/semtech_udp.h"
#include "simulator/semtech_gateway.h"

#include <stdio.h>
#include <string.h>

static struct gb_json *json;

static void verdict_is(const char *member, enum gb_verdict expected, enum gb_verdict got)
{
	t_str(member, gb_verdict_name(expected), gb_verdict_name(got));
}

/* --- headers */

static void headers_are_judged_alone(void **state)
{
	(void)state;
	static const struct {
		const char *name, *hex;
		enum gb_verdict verdict;
		const char *ack;
	} rows[] = {
		{"nothing at all", "", GB_TRUNCATED, NULL},
		{"three bytes", "02aabb", GB_TRUNCATED, NULL},
		{"PUSH_DATA, version 2", "02a1b200aa555a0000000101", GB_ACCEPTED, "02a1b201"},
		{"PUSH_DATA, version 1, is answered as version 1", "01a1b200aa555a0000000101", GB_ACCEPTED,
		 "01a1b201"},
		{"PULL_DATA", "02000002aa555a0000000101", GB_ACCEPTED, "02000004"},
		{"PULL_DATA with trailing bytes", "02000002aa555a00000001010000", GB_ACCEPTED, "02000004"},
		{"TX_ACK is not acknowledged", "02000005aa555a0000000101", GB_ACCEPTED, ""},
		{"an EUI cut short", "02000002aa555a00000001", GB_TRUNCATED, NULL},
		{"version 0", "00000002aa555a0000000101", GB_BAD_VERSION, NULL},
		{"version 3", "03000002aa555a0000000101", GB_BAD_VERSION, NULL},
		{"identifier 6", "02000006aa555a0000000101", GB_BAD_IDENTIFIER, NULL},
		{"PULL_RESP comes from servers only", "02000003aa555a0000000101", GB_WRONG_DIRECTION, NULL},
		{"PUSH_ACK comes from servers only", "02000001", GB_WRONG_DIRECTION, NULL},
		{"PULL_ACK comes from servers only", "02000004", GB_WRONG_DIRECTION, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t bytes[32], ack[GB_ACK_SIZE], expected[GB_ACK_SIZE];
		size_t length, expected_length;
		assert_true(hex_decode(bytes, sizeof bytes, &length, rows[i].hex, strlen(rows[i].hex)));
		struct gb_header header;
		verdict_is("verdict", rows[i].verdict, gb_header_parse(bytes, length, &header));
		if (rows[i].ack == NULL)
			continue;
		assert_true(hex_decode(expected, sizeof expected, &expected_length, rows[i].ack,
				       strlen(rows[i].ack)));
		size_t ack_length = gb_ack_build(&header, ack);
		t_bytes("acknowledgement", expected, expected_length, ack, ack_length);
		t_uint("gateway", 0xaa555a0000000101, lw_eui64_number(&header.gateway));
	}
}

/* --- entries */

#define GOOD "\"tmst\":100,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QAECAw==\""

/* Reads `{"rxpk":[ENTRY]}`: the body's verdict, or the entry's. */
static enum gb_verdict read_one(const char *entry, struct gb_rxpk *rxpk)
{
	char body[4096];
	int length = snprintf(body, sizeof body, "{\"rxpk\":[%s]}", entry);
	struct gb_push push;
	enum gb_verdict verdict = gb_push_open(json, (const uint8_t *)body, (size_t)length, &push);
	if (verdict != GB_ACCEPTED)
		return verdict;
	assert_true(gb_push_next(&push, rxpk, &verdict));
	enum gb_verdict more;
	struct gb_rxpk other;
	assert_false(gb_push_next(&push, &other, &more));
	return verdict;
}

static void members_have_types_and_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *name, *entry;
		enum gb_verdict verdict;
	} rows[] = {
		{"only what is required", "{" GOOD "}", GB_ACCEPTED},
		{"unknown members are ignored", "{" GOOD ",\"vendor\":{\"a\":[1,2]},\"x\":null}",
		 GB_ACCEPTED},
		{"an unknown member that stands twice", "{" GOOD ",\"x\":1,\"x\":1}", GB_DUPLICATE_MEMBER},
		{"a known member that stands twice", "{" GOOD ",\"tmst\":100}", GB_DUPLICATE_MEMBER},
		{"the same name written with an escape", "{" GOOD ",\"t\\u006dst\":100}",
		 GB_DUPLICATE_MEMBER},
		{"twice inside an ignored object", "{" GOOD ",\"meta\":{\"a\":1,\"a\":2}}",
		 GB_DUPLICATE_MEMBER},
		{"twice inside an array of an unknown member", "{" GOOD ",\"v\":[{\"a\":1,\"a\":2}]}",
		 GB_DUPLICATE_MEMBER},
		{"a null member counts as absent", "{" GOOD ",\"codr\":null,\"rssi\":null,\"size\":null}",
		 GB_ACCEPTED},
		{"no tmst", "{\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_MISSING_MEMBER},
		{"no freq", "{\"tmst\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_MISSING_MEMBER},
		{"no modu", "{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_MISSING_MEMBER},
		{"no datr", "{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"data\":\"QA==\"}",
		 GB_MISSING_MEMBER},
		{"no data", "{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\"}",
		 GB_MISSING_MEMBER},
		{"tmst null",
		 "{\"tmst\":null,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_MISSING_MEMBER},
		{"tmst as text",
		 "{\"tmst\":\"1\",\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_WRONG_TYPE},
		{"tmst with a fraction",
		 "{\"tmst\":1.5,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_WRONG_TYPE},
		{"tmst negative",
		 "{\"tmst\":-1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_OUT_OF_RANGE},
		{"tmst of 33 bits",
		 "{\"tmst\":4294967296,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA=="
		 "\"}",
		 GB_OUT_OF_RANGE},
		{"tmst of forty digits",
		 "{\"tmst\":1234567890123456789012345678901234567890,\"freq\":868.1,\"modu\":\"LORA\","
		 "\"datr\":\"SF7BW125\","
		 "\"data\":\"QA==\"}",
		 GB_OUT_OF_RANGE},
		{"the greatest tmst",
		 "{\"tmst\":4294967295,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA=="
		 "\"}",
		 GB_ACCEPTED},
		{"freq 0",
		 "{\"tmst\":1,\"freq\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_BAD_FREQUENCY},
		{"freq negative",
		 "{\"tmst\":1,\"freq\":-868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_BAD_FREQUENCY},
		{"freq in hertz",
		 "{\"tmst\":1,\"freq\":868100000,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_BAD_FREQUENCY},
		{"freq of 10,000 MHz",
		 "{\"tmst\":1,\"freq\":10000,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_ACCEPTED},
		{"freq as text",
		 "{\"tmst\":1,\"freq\":\"868.1\",\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_WRONG_TYPE},
		{"freq beyond a double",
		 "{\"tmst\":1,\"freq\":1e999,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_OUT_OF_RANGE},
		{"stat 0 and 1 and -1 alone", "{" GOOD ",\"stat\":2}", GB_OUT_OF_RANGE},
		{"rssi with a fraction", "{" GOOD ",\"rssi\":-60.5}", GB_ACCEPTED},
		{"rssi as text", "{" GOOD ",\"rssi\":\"-60\"}", GB_WRONG_TYPE},
		{"rssi beyond reason", "{" GOOD ",\"rssi\":1e9}", GB_OUT_OF_RANGE},
		{"delayed is a boolean", "{" GOOD ",\"delayed\":\"true\"}", GB_WRONG_TYPE},
		{"rsig is an array", "{" GOOD ",\"rsig\":{}}", GB_WRONG_TYPE},
		{"rsig of numbers", "{" GOOD ",\"rsig\":[1]}", GB_WRONG_TYPE},
		{"rsig, empty", "{" GOOD ",\"rsig\":[]}", GB_ACCEPTED},
		{"an antenna names a member twice", "{" GOOD ",\"rsig\":[{\"ant\":0,\"ant\":1}]}",
		 GB_DUPLICATE_MEMBER},
		{"time may be anything", "{" GOOD ",\"time\":12,\"ftime\":\"?\"}", GB_ACCEPTED},
		{"size agrees", "{" GOOD ",\"size\":4}", GB_ACCEPTED},
		{"size differs", "{" GOOD ",\"size\":5}", GB_SIZE_DIFFERS},
		{"modu unknown",
		 "{\"tmst\":1,\"freq\":868.1,\"modu\":\"GFSK\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_BAD_MODULATION},
		{"modu in small letters",
		 "{\"tmst\":1,\"freq\":868.1,\"modu\":\"lora\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
		 GB_BAD_MODULATION},
		{"no object", "12", GB_ENTRY_NOT_AN_OBJECT},
		{"null", "null", GB_ENTRY_NOT_AN_OBJECT},
		{"nested nine deep", "{" GOOD ",\"v\":[[[[[[1]]]]]]}", GB_TOO_DEEP},
		{"nested eight deep", "{" GOOD ",\"v\":[[[[[1]]]]]}", GB_ACCEPTED},
		{"nan", "{" GOOD ",\"lsnr\":nan}", GB_NOT_JSON},
		{"a number with a leading zero", "{" GOOD ",\"chan\":01}", GB_NOT_JSON},
		{"a number that ends with its point", "{" GOOD ",\"lsnr\":1.}", GB_NOT_JSON},
		{"a comma too many", "{" GOOD ",}", GB_NOT_JSON},
		{"a comma missing", "{" GOOD " \"chan\":1}", GB_NOT_JSON},
		{"a name without quotes", "{" GOOD ",chan:1}", GB_NOT_JSON},
		{"a control character in a string", "{" GOOD ",\"v\":\"a\tb\"}", GB_NOT_JSON},
		{"an escape that is none", "{" GOOD ",\"v\":\"\\x\"}", GB_NOT_JSON},
		{"half a surrogate", "{" GOOD ",\"v\":\"\\ud800\"}", GB_ACCEPTED},
		{"UTF-8 of four bytes", "{" GOOD ",\"v\":\"\xf0\x9f\x92\xa1\"}", GB_ACCEPTED},
		{"UTF-8, overlong", "{" GOOD ",\"v\":\"\xc0\xaf\"}", GB_BAD_UTF8},
		{"UTF-8, a surrogate", "{" GOOD ",\"v\":\"\xed\xa0\x80\"}", GB_BAD_UTF8},
		{"UTF-8, cut", "{" GOOD ",\"v\":\"\xe2\x82\"}", GB_BAD_UTF8},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_rxpk rxpk;
		verdict_is("verdict", rows[i].verdict, read_one(rows[i].entry, &rxpk));
	}
}

static void data_rates_are_those_of_the_modulation(void **state)
{
	(void)state;
	static const struct {
		const char *name, *modu, *datr;
		enum gb_verdict verdict;
		unsigned spreading_factor;
		uint32_t bandwidth_hz, bit_rate_bps;
		const char *text;
	} rows[] = {
		{"SF7", "LORA", "\"SF7BW125\"", GB_ACCEPTED, 7, 125000, 0, "SF7BW125"},
		{"SF5", "LORA", "\"SF5BW500\"", GB_ACCEPTED, 5, 500000, 0, "SF5BW500"},
		{"SF4 is below LoRa", "LORA", "\"SF4BW125\"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"SF13 is above it", "LORA", "\"SF13BW125\"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"2.4 GHz, exact", "LORA", "\"SF12BW812\"", GB_ACCEPTED, 12, 812500, 0, "SF12BW812"},
		{"2.4 GHz, rounded", "LORA", "\"SF12BW800\"", GB_ACCEPTED, 12, 812500, 0, "SF12BW800"},
		{"203.125 kHz", "LORA", "\"SF7BW203\"", GB_ACCEPTED, 7, 203125, 0, "SF7BW203"},
		{"203.125 kHz, rounded", "LORA", "\"SF7BW200\"", GB_ACCEPTED, 7, 203125, 0, "SF7BW200"},
		{"406.25 kHz", "LORA", "\"SF7BW406\"", GB_ACCEPTED, 7, 406250, 0, "SF7BW406"},
		{"406.25 kHz, rounded", "LORA", "\"SF7BW400\"", GB_ACCEPTED, 7, 406250, 0, "SF7BW400"},
		{"1625 kHz", "LORA", "\"SF7BW1625\"", GB_ACCEPTED, 7, 1625000, 0, "SF7BW1625"},
		{"1625 kHz, rounded", "LORA", "\"SF7BW1600\"", GB_ACCEPTED, 7, 1625000, 0, "SF7BW1600"},
		{"a bandwidth that LoRa lacks", "LORA", "\"SF7BW126\"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"a leading zero", "LORA", "\"SF07BW125\"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"something behind it", "LORA", "\"SF7BW125 \"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"a number for LoRa", "LORA", "7", GB_WRONG_TYPE, 0, 0, 0, NULL},
		{"FSK", "FSK", "50000", GB_ACCEPTED, 0, 0, 50000, "FSK50000"},
		{"FSK as text", "FSK", "\"50000\"", GB_WRONG_TYPE, 0, 0, 0, NULL},
		{"FSK of 0 bit/s", "FSK", "0", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"FSK with a fraction", "FSK", "50000.5", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"LR-FHSS", "LR-FHSS", "\"M0CW137\"", GB_ACCEPTED, 0, 137000, 0, "M0CW137"},
		{"LR-FHSS without its dash", "LRFHSS", "\"M0CW1523\"", GB_ACCEPTED, 0, 1523000, 0,
		 "M0CW1523"},
		{"LR-FHSS of any width", "LR-FHSS", "\"M0CW125\"", GB_ACCEPTED, 0, 125000, 0, "M0CW125"},
		{"LR-FHSS without a width", "LR-FHSS", "\"M0CW\"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
		{"LR-FHSS, another mode", "LR-FHSS", "\"M1CW137\"", GB_BAD_DATA_RATE, 0, 0, 0, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char entry[256];
		snprintf(entry, sizeof entry,
			 "{\"tmst\":1,\"freq\":868.1,\"modu\":\"%s\",\"datr\":%s,\"data\":\"QA==\"}",
			 rows[i].modu, rows[i].datr);
		struct gb_rxpk rxpk = {.freq_hz = 0};
		verdict_is("verdict", rows[i].verdict, read_one(entry, &rxpk));
		t_uint("spreading factor", rows[i].spreading_factor, rxpk.modulation.spreading_factor);
		t_uint("bandwidth", rows[i].bandwidth_hz, rxpk.modulation.bandwidth_hz);
		t_uint("bit rate", rows[i].bit_rate_bps, rxpk.modulation.bit_rate_bps);
		if (rows[i].text)
			t_str("text", rows[i].text, rxpk.data_rate);
	}
}

static void payloads_come_in_many_base64s(void **state)
{
	(void)state;
	static const struct {
		const char *name, *data;
		enum gb_verdict verdict;
		const char *hex;
	} rows[] = {
		{"standard", "+/+/", GB_ACCEPTED, "fbffbf"},
		{"for URLs", "-_-_", GB_ACCEPTED, "fbffbf"},
		{"both mixed", "+_-/", GB_ACCEPTED, "fbffbf"},
		{"without padding", "QAECAw", GB_ACCEPTED, "40010203"},
		{"with half its padding", "QAECAw=", GB_ACCEPTED, "40010203"},
		{"unused bits that are set", "QAECAx==", GB_ACCEPTED, "40010203"},
		{"an escaped line break", "QAEC\\r\\nAw==", GB_ACCEPTED, "40010203"},
		{"an escaped slash", "\\/w==", GB_ACCEPTED, "ff"},
		{"an escape by number", "\\u0051AECAw==", GB_ACCEPTED, "40010203"},
		{"nothing", "", GB_ACCEPTED, ""},
		{"one character left over", "QAECA", GB_BAD_BASE64, NULL},
		{"padding in the middle", "QA==ECAw", GB_BAD_BASE64, NULL},
		{"a foreign character", "QAE*Aw==", GB_BAD_BASE64, NULL},
		{"a NUL in it", "QAEC\\u0000Aw==", GB_BAD_BASE64, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char entry[256], hex[2 * LW_PHY_PAYLOAD_MAX + 1];
		snprintf(
			entry, sizeof entry,
			"{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"%s\"}",
			rows[i].data);
		struct gb_rxpk rxpk;
		verdict_is("verdict", rows[i].verdict, read_one(entry, &rxpk));
		if (rows[i].hex == NULL)
			continue;
		hex_encode(hex, rxpk.phy, rxpk.phy_length);
		t_str("payload", rows[i].hex, hex);
	}
}

static void payloads_end_at_255_bytes(void **state)
{
	(void)state;
	for (size_t size = 254; size <= 1200; size = size < 257 ? size + 1 : size + 300) {
		uint8_t bytes[1200] = {0};
		char text[BASE64_ROOM(1200)], entry[2048], name[32];
		base64_encode(text, bytes, size);
		snprintf(name, sizeof name, "%zu bytes", size);
		t_row(name);
		snprintf(
			entry, sizeof entry,
			"{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"%s\"}",
			text);
		struct gb_rxpk rxpk;
		verdict_is("verdict", size <= 255 ? GB_ACCEPTED : GB_TOO_LONG, read_one(entry, &rxpk));
	}
}

static void signal_comes_from_one_place(void **state)
{
	(void)state;
	static const struct {
		const char *name, *members;
		bool has_rssi;
		int rssi_dbm;
		bool has_snr;
		int snr_cdb;
		unsigned antenna;
	} rows[] = {
		{"neither", "\"chan\":1", false, 0, false, 0, 0},
		{"the entry's own", "\"rssi\":-60,\"lsnr\":5.1", true, -60, true, 510, 0},
		{"rounded away from zero", "\"rssi\":-60.5,\"lsnr\":-0.5", true, -61, true, -50, 0},
		{"its own goes before the antennas'",
		 "\"rssi\":-60,\"rsig\":[{\"ant\":1,\"rssic\":-50,\"lsnr\":9}]", true, -60, false, 0, 0},
		{"the antenna with the best SNR",
		 "\"rsig\":[{\"ant\":0,\"rssic\":-50,\"lsnr\":1},{\"ant\":1,\"rssic\":-90,\"lsnr\":2.5}]",
		 true, -90, true, 250, 1},
		{"of equals the strongest",
		 "\"rsig\":[{\"ant\":0,\"rssic\":-95,\"lsnr\":2},{\"ant\":1,\"rssic\":-88,\"lsnr\":2}]", true,
		 -88, true, 200, 1},
		{"an antenna with SNR before one without",
		 "\"rsig\":[{\"ant\":0,\"rssic\":-20},{\"ant\":1,\"rssic\":-99,\"lsnr\":-20}]", true, -99,
		 true, -2000, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char entry[512];
		snprintf(entry, sizeof entry, "{" GOOD ",%s}", rows[i].members);
		struct gb_rxpk rxpk;
		verdict_is("verdict", GB_ACCEPTED, read_one(entry, &rxpk));
		t_int("has rssi", rows[i].has_rssi, rxpk.has_rssi);
		t_int("rssi", rows[i].rssi_dbm, rxpk.rssi_dbm);
		t_int("has snr", rows[i].has_snr, rxpk.has_snr);
		t_int("snr", rows[i].snr_cdb, rxpk.snr_cdb);
		t_uint("antenna", rows[i].antenna, rxpk.antenna);
	}
}

static void times_are_read_where_they_make_sense(void **state)
{
	(void)state;
	static const struct {
		const char *name, *members;
		bool has_gps;
		int64_t gps_us;
		bool has_utc;
		int64_t utc_us;
		bool has_fine;
		uint32_t fine_ns;
	} rows[] = {
		{"none", "\"chan\":0", false, 0, false, 0, false, 0},
		{"GPS milliseconds", "\"tmms\":1285579871592", true, 1285579871592000, false, 0, false, 0},
		{"UTC with a fraction", "\"time\":\"2020-10-01T09:30:52.592567Z\"", false, 0, true,
		 1601544652592567, false, 0},
		{"UTC without one", "\"time\":\"2022-07-18T06:57:39Z\"", false, 0, true, 1658127459000000,
		 false, 0},
		{"a leap day", "\"time\":\"2024-02-29T00:00:00Z\"", false, 0, true, 1709164800000000, false,
		 0},
		{"the day after one", "\"time\":\"2024-03-01T00:00:00Z\"", false, 0, true, 1709251200000000,
		 false, 0},
		{"with an offset", "\"time\":\"2020-10-01T11:30:52+02:00\"", false, 0, true, 1601544652000000,
		 false, 0},
		{"nanoseconds", "\"time\":\"2020-10-01T09:30:52.592567999Z\"", false, 0, true,
		 1601544652592567, false, 0},
		{"before 2017 counts as none", "\"time\":\"2013-03-31T16:21:17.528002Z\"", false, 0, false, 0,
		 false, 0},
		{"another format", "\"time\":\"2020-10-01 09:30:52 GMT\"", false, 0, false, 0, false, 0},
		{"month 13", "\"time\":\"2020-13-01T09:30:52Z\"", false, 0, false, 0, false, 0},
		{"a fine time", "\"ftime\":999999999", false, 0, false, 0, true, 999999999},
		{"a fine time beyond a second", "\"ftime\":1255738435", false, 0, false, 0, false, 0},
		{"a fine time below zero", "\"ftime\":-1", false, 0, false, 0, false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char entry[512];
		snprintf(entry, sizeof entry, "{" GOOD ",%s}", rows[i].members);
		struct gb_rxpk rxpk;
		verdict_is("verdict", GB_ACCEPTED, read_one(entry, &rxpk));
		t_int("has gps", rows[i].has_gps, rxpk.has_gps_time);
		t_int("gps", rows[i].gps_us, rxpk.gps_time_us);
		t_int("has utc", rows[i].has_utc, rxpk.has_utc);
		t_int("utc", rows[i].utc_us, rxpk.utc.us);
		t_int("has fine time", rows[i].has_fine, rxpk.has_fine_time);
		t_uint("fine time", rows[i].fine_ns, rxpk.fine_time_ns);
	}
}

static void frequencies_are_exact(void **state)
{
	(void)state;
	static const struct {
		const char *name, *freq;
		uint64_t hz;
	} rows[] = {
		{"868.1", "868.1", 868100000},
		{"868.3", "868.300000", 868300000},
		{"869.525", "869.525", 869525000},
		{"923.3", "923.3", 923300000},
		{"not snapped", "868.099975", 868099975},
		{"with an exponent", "8.681e2", 868100000},
		{"an integer", "868", 868000000},
		{"beyond 32 bits", "5000.000001", 5000000001},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char entry[256];
		snprintf(entry, sizeof entry,
			 "{\"tmst\":1,\"freq\":%s,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"data\":\"QA==\"}",
			 rows[i].freq);
		struct gb_rxpk rxpk = {.freq_hz = 0};
		verdict_is("verdict", GB_ACCEPTED, read_one(entry, &rxpk));
		t_uint("hertz", rows[i].hz, rxpk.freq_hz);
	}
}

static void neighbours_of_a_bad_entry_stand(void **state)
{
	(void)state;
	static const char body[] =
		"{\"rxpk\":[{" GOOD "},{\"tmst\":\"x\"},null,{" GOOD ",\"size\":9},{" GOOD
		"}],\"stat\":{\"rxnb\":3,\"lati\":40.7,\"long\":-74.0,\"ackr\":99.5,\"temp\":-3.5}}";
	static const enum gb_verdict expected[] = {GB_ACCEPTED, GB_WRONG_TYPE, GB_ENTRY_NOT_AN_OBJECT,
						   GB_SIZE_DIFFERS, GB_ACCEPTED};
	struct gb_push push;
	t_row("five entries, three of them bad, and stat");
	verdict_is("body", GB_ACCEPTED, gb_push_open(json, (const uint8_t *)body, strlen(body), &push));
	struct gb_rxpk rxpk;
	enum gb_verdict verdict;
	size_t count = 0;
	while (gb_push_next(&push, &rxpk, &verdict)) {
		assert_true(count < ARRAY_SIZE(expected));
		verdict_is("entry", expected[count++], verdict);
	}
	t_uint("entries", ARRAY_SIZE(expected), count);
	struct gw_stats stats;
	assert_true(gb_push_stat(&push, &stats, &verdict));
	verdict_is("stat", GB_ACCEPTED, verdict);
	t_uint("received", 3, stats.rx_received);
	t_true("location", stats.has_location && stats.latitude_deg == 40.7 && stats.longitude_deg == -74.0);
	t_uint("acknowledged", 995, stats.ack_permille);
	t_int("temperature", -350, stats.temperature_cdeg);
}

static void bodies_are_refused_as_a_whole(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		size_t length; /* 0: all of it */
		enum gb_verdict verdict;
	} rows[] = {
		{"an empty object", "{}", 0, GB_ACCEPTED},
		{"blanks around it", " \t{ }\r\n", 0, GB_ACCEPTED},
		{"one NUL behind it", "{}\0", 3, GB_ACCEPTED},
		{"two NULs behind it", "{}\0\0", 4, GB_NOT_JSON},
		{"something behind it", "{}x", 0, GB_NOT_JSON},
		{"nothing", "", 0, GB_NOT_JSON},
		{"half of it", "{\"rxpk\":[", 0, GB_NOT_JSON},
		{"an array", "[]", 0, GB_NOT_AN_OBJECT},
		{"a number", "12", 0, GB_NOT_AN_OBJECT},
		{"rxpk an object", "{\"rxpk\":{}}", 0, GB_RXPK_NOT_AN_ARRAY},
		{"rxpk null", "{\"rxpk\":null}", 0, GB_ACCEPTED},
		{"rxpk twice", "{\"rxpk\":[],\"rxpk\":[]}", 0, GB_DUPLICATE_MEMBER},
		{"an unknown member twice", "{\"a\":1,\"a\":1}", 0, GB_DUPLICATE_MEMBER},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_push push;
		size_t length = rows[i].length ? rows[i].length : strlen(rows[i].body);
		verdict_is("verdict", rows[i].verdict,
			   gb_push_open(json, (const uint8_t *)rows[i].body, length, &push));
	}
}

static void stat_is_read_as_far_as_it_makes_sense(void **state)
{
	(void)state;
	static const struct {
		const char *name, *stat;
		enum gb_verdict verdict;
		bool has_counts, has_location;
	} rows[] = {
		{"nothing in it", "{}", GB_ACCEPTED, false, false},
		{"odd contents", "{\"rxnb\":\"3\",\"lati\":[],\"time\":{}}", GB_ACCEPTED, false, false},
		{"0/0 is no place", "{\"lati\":0.0,\"long\":0,\"alti\":0}", GB_ACCEPTED, false, false},
		{"nor is 10/20", "{\"lati\":10,\"long\":20,\"alti\":-1}", GB_ACCEPTED, false, false},
		{"a place beyond the poles", "{\"lati\":91,\"long\":20}", GB_ACCEPTED, false, false},
		{"counts", "{\"rxnb\":2,\"rxok\":2,\"rxfw\":2,\"dwnb\":0,\"txnb\":0}", GB_ACCEPTED, true,
		 false},
		{"text instead of an object", "\"up\"", GB_STAT_NOT_AN_OBJECT, false, false},
		{"a member twice", "{\"rxnb\":1,\"rxnb\":2}", GB_DUPLICATE_MEMBER, false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char body[256];
		int length = snprintf(body, sizeof body, "{\"stat\":%s,\"rxpk\":[{" GOOD "}]}", rows[i].stat);
		struct gb_push push;
		verdict_is("body", GB_ACCEPTED,
			   gb_push_open(json, (const uint8_t *)body, (size_t)length, &push));
		struct gb_rxpk rxpk;
		struct gw_stats stats = {.has_counts = false};
		enum gb_verdict verdict;
		assert_true(gb_push_next(&push, &rxpk, &verdict));
		verdict_is("the entry beside it", GB_ACCEPTED, verdict);
		assert_true(gb_push_stat(&push, &stats, &verdict));
		verdict_is("stat", rows[i].verdict, verdict);
		t_int("counts", rows[i].has_counts, stats.has_counts);
		t_int("location", rows[i].has_location, stats.has_location);
	}
}

/* --- TX_ACK */

static void every_cause_has_a_result(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		enum gb_verdict verdict;
		enum gb_tx_outcome outcome;
		enum gw_tx_result result;
		const char *cause;
	} rows[] = {
		{"no body", "", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"blanks", "  \r\n", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"an empty object", "{}", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"txpk_ack null", "{\"txpk_ack\":null}", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"no error", "{\"txpk_ack\":{\"tmst\":12}}", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"error null", "{\"txpk_ack\":{\"error\":null}}", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"error empty", "{\"txpk_ack\":{\"error\":\"\"}}", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"NONE", "{\"txpk_ack\":{\"error\":\"NONE\"}}", GB_ACCEPTED, GB_TX_OK, GW_TX_OK, ""},
		{"TOO_LATE", "{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_TOO_LATE, "TOO_LATE"},
		{"TOO_EARLY", "{\"txpk_ack\":{\"error\":\"TOO_EARLY\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_TOO_EARLY, "TOO_EARLY"},
		{"COLLISION_PACKET", "{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", GB_ACCEPTED,
		 GB_TX_ERROR, GW_TX_COLLISION_PACKET, "COLLISION_PACKET"},
		{"COLLISION_BEACON", "{\"txpk_ack\":{\"error\":\"COLLISION_BEACON\"}}", GB_ACCEPTED,
		 GB_TX_ERROR, GW_TX_COLLISION_BEACON, "COLLISION_BEACON"},
		{"TX_FREQ", "{\"txpk_ack\":{\"error\":\"TX_FREQ\"}}", GB_ACCEPTED, GB_TX_ERROR, GW_TX_FREQ,
		 "TX_FREQ"},
		{"TX_POWER as an error", "{\"txpk_ack\":{\"error\":\"TX_POWER\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_POWER, "TX_POWER"},
		{"GPS_UNLOCKED", "{\"txpk_ack\":{\"error\":\"GPS_UNLOCKED\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_GPS_UNLOCKED, "GPS_UNLOCKED"},
		{"QUEUE_FULL", "{\"txpk_ack\":{\"error\":\"QUEUE_FULL\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_QUEUE_FULL, "QUEUE_FULL"},
		{"DUTY_CYCLE_OVERFLOW", "{\"txpk_ack\":{\"error\":\"DUTY_CYCLE_OVERFLOW\"}}", GB_ACCEPTED,
		 GB_TX_ERROR, GW_TX_DUTY_CYCLE, "DUTY_CYCLE_OVERFLOW"},
		{"IGNORED", "{\"txpk_ack\":{\"error\":\"IGNORED\"}}", GB_ACCEPTED, GB_TX_ERROR, GW_TX_IGNORED,
		 "IGNORED"},
		{"INTERNAL_ERROR", "{\"txpk_ack\":{\"error\":\"INTERNAL_ERROR\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_OTHER, "INTERNAL_ERROR"},
		{"UNKNOWN", "{\"txpk_ack\":{\"error\":\"UNKNOWN\"}}", GB_ACCEPTED, GB_TX_ERROR, GW_TX_OTHER,
		 "UNKNOWN"},
		{"a cause nobody knows", "{\"txpk_ack\":{\"error\":\"PIGEONS\"}}", GB_ACCEPTED, GB_TX_ERROR,
		 GW_TX_OTHER, "PIGEONS"},
		{"a warning is a success", "{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}", GB_ACCEPTED,
		 GB_TX_WARNING, GW_TX_OK, "TX_POWER"},
		{"an error goes before a warning",
		 "{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20,\"error\":\"TX_FREQ\"}}", GB_ACCEPTED,
		 GB_TX_ERROR, GW_TX_FREQ, "TX_FREQ"},
		{"error as a number", "{\"txpk_ack\":{\"error\":5}}", GB_WRONG_TYPE, GB_TX_OK, GW_TX_OK, ""},
		{"value as text", "{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":\"20\"}}", GB_WRONG_TYPE,
		 GB_TX_OK, GW_TX_OK, ""},
		{"error twice", "{\"txpk_ack\":{\"error\":\"NONE\",\"error\":\"TX_FREQ\"}}",
		 GB_DUPLICATE_MEMBER, GB_TX_OK, GW_TX_OK, ""},
		{"txpk_ack an array", "{\"txpk_ack\":[]}", GB_WRONG_TYPE, GB_TX_OK, GW_TX_OK, ""},
		{"an array", "[]", GB_NOT_AN_OBJECT, GB_TX_OK, GW_TX_OK, ""},
		{"broken", "{bad", GB_NOT_JSON, GB_TX_OK, GW_TX_OK, ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_tx_ack ack = {.outcome = GB_TX_OK};
		verdict_is("verdict", rows[i].verdict,
			   gb_tx_ack_parse(json, (const uint8_t *)rows[i].body, strlen(rows[i].body), &ack));
		t_int("outcome", rows[i].outcome, ack.outcome);
		t_str("result", gw_tx_result_name(rows[i].result), gw_tx_result_name(ack.result));
		t_str("cause", rows[i].cause, ack.cause);
		t_int("power", ack.outcome == GB_TX_WARNING ? 20 : 0, ack.has_power ? ack.power_dbm : 0);
	}
}

/* --- PULL_RESP */

static void downlinks_are_what_a_gateway_reads(void **state)
{
	(void)state;
	static const struct lw_modulation lora = {
		.kind = LW_LORA, .spreading_factor = 12, .bandwidth_hz = 125000, .code_rate = "4/5"};
	static const struct lw_modulation fsk = {.kind = LW_FSK, .bit_rate_bps = 50000};
	static const struct {
		const char *name;
		struct gw_tx_attempt attempt;
		uint8_t length;
		const char *text;
	} rows[] = {
		{"at a counter value, class A",
		 {.timing = GW_AT_TICKS,
		  .ticks = {4294967295},
		  .freq_hz = 869525000,
		  .modulation = lora,
		  .power_dbm = 27,
		  .invert_polarity = true},
		 2,
		 "{\"txpk\":{\"imme\":false,\"tmst\":4294967295,\"freq\":869.525000,\"rfch\":0,\"powe\":27,"
		 "\"modu\":\"LORA\",\"datr\":"
		 "\"SF12BW125\",\"codr\":\"4/"
		 "5\",\"prea\":8,\"ipol\":true,\"ncrc\":true,\"size\":2,\"data\":\"YAE=\"}}"},
		{"at GPS time, with a negative power",
		 {.timing = GW_AT_GPS_TIME,
		  .gps_time_us = 1285579871592999,
		  .freq_hz = 868100001,
		  .modulation = lora,
		  .power_dbm = -3},
		 2,
		 "{\"txpk\":{\"imme\":false,\"tmms\":1285579871592,\"freq\":868.100001,\"rfch\":0,\"powe\":-"
		 "3,\"modu\":\"LORA\",\"datr\":"
		 "\"SF12BW125\",\"codr\":\"4/"
		 "5\",\"prea\":8,\"ipol\":false,\"ncrc\":true,\"size\":2,\"data\":\"YAE=\"}}"},
		{"at once, FSK, another board and antenna",
		 {.timing = GW_IMMEDIATELY,
		  .freq_hz = 868800000,
		  .modulation = fsk,
		  .power_dbm = 14,
		  .board = 1,
		  .antenna = 2,
		  .invert_polarity = true},
		 1,
		 "{\"txpk\":{\"imme\":true,\"freq\":868.800000,\"rfch\":0,\"powe\":14,\"modu\":\"FSK\","
		 "\"datr\":50000,\"fdev\":25000,"
		 "\"prea\":5,\"ipol\":true,\"ncrc\":true,\"brd\":1,\"ant\":2,\"size\":1,\"data\":\"YA==\"}}"},
		{"the longest frame",
		 {.timing = GW_IMMEDIATELY, .freq_hz = 868100000, .modulation = lora},
		 255,
		 NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t phy[LW_PHY_PAYLOAD_MAX] = {0x60, 1}, bytes[GB_PULL_RESP_ROOM + 1];
		size_t length = 0;
		const struct gb_token token = {{0x33, 0x44}};
		verdict_is(
			"verdict", GB_ACCEPTED,
			gb_pull_resp_build(2, token, &rows[i].attempt, phy, rows[i].length, bytes, &length));
		bytes[length] = 0;
		t_bytes("header", (const uint8_t[]){2, 0x33, 0x44, 3}, 4, bytes, 4);
		if (rows[i].text)
			t_str("text", rows[i].text, (const char *)bytes + 4);
		struct sim_down down;
		t_str("as the gateway reads it", "ok",
		      sim_semtech_parse_down(bytes, length, &down) == SIM_DOWN_OK ? "ok" : "no");
		t_uint("freq", rows[i].attempt.freq_hz, down.txpk.freq_hz);
		t_int("power", rows[i].attempt.power_dbm, down.txpk.power_dbm);
		t_bytes("payload", phy, rows[i].length, down.txpk.phy, down.txpk.length);
		t_int("polarity", rows[i].attempt.invert_polarity, down.txpk.inverted);
	}
	t_row("LR-FHSS never goes down");
	const struct gw_tx_attempt attempt = {.modulation = {.kind = LW_LR_FHSS}};
	uint8_t bytes[GB_PULL_RESP_ROOM];
	size_t length;
	verdict_is("verdict", GB_BEYOND_RADIO,
		   gb_pull_resp_build(2, (struct gb_token){{0, 0}}, &attempt, bytes, 1, bytes, &length));
}

static void every_verdict_has_a_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GB_VERDICT_COUNT; i++) {
		const struct decision_rule *row = gb_verdict_row((enum gb_verdict)i);
		assert_non_null(row->name);
		t_row(row->name);
		t_true("sentence", row->sentence != NULL && strlen(row->sentence) > 5);
		for (unsigned other = 0; other < i; other++)
			t_true("name is its own",
			       strcmp(row->name, gb_verdict_name((enum gb_verdict)other)) != 0);
	}
}

int main(void)
{
	json = gb_json_new();
	const struct CMUnitTest tests[] = {
		t_test(headers_are_judged_alone),
		t_test(members_have_types_and_ranges),
		t_test(data_rates_are_those_of_the_modulation),
		t_test(payloads_come_in_many_base64s),
		t_test(payloads_end_at_255_bytes),
		t_test(signal_comes_from_one_place),
		t_test(times_are_read_where_they_make_sense),
		t_test(frequencies_are_exact),
		t_test(neighbours_of_a_bad_entry_stand),
		t_test(bodies_are_refused_as_a_whole),
		t_test(stat_is_read_as_far_as_it_makes_sense),
		t_test(every_cause_has_a_result),
		t_test(downlinks_are_what_a_gateway_reads),
		t_test(every_verdict_has_a_row),
	};
	int code = t_run(tests);
	gb_json_free(json);
	return code;
}
