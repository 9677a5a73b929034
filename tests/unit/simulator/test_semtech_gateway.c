/* The gateway's side of Semtech UDP: what is written, byte by byte, and what is refused, by name. The
 * published samples of direction `down` run against the same parser in the sample runner. */
#include "simulator/semtech_gateway.h"

#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#define GOOD                                                                                              \
	"\"freq\":868.5,\"rfch\":0,\"powe\":14,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\"," \
	"\"ipol\":true,\"size\":4,\"data\":\"3q2+7w==\""
#define TXPK(members) "{\"txpk\":{" members "}}"

static const struct {
	const char *name;
	const char *json;
	enum sim_down_verdict verdict;
	const char *member;
} bodies[] = {
	{"a plain downlink", TXPK("\"imme\":false,\"tmst\":1000," GOOD), SIM_DOWN_OK, NULL},
	{"immediately", TXPK("\"imme\":true," GOOD), SIM_DOWN_OK, NULL},
	{"at a GPS time", TXPK("\"tmms\":1285579871592," GOOD), SIM_DOWN_OK, NULL},
	{"null members are absent", TXPK("\"tmst\":1,\"tmms\":null,\"fdev\":null," GOOD), SIM_DOWN_OK, NULL},
	{"unknown members are read over", TXPK("\"tmst\":1,\"x\":[{}]," GOOD), SIM_DOWN_OK, NULL},
	{"white space and a trailing NUL", " " TXPK("\"tmst\":1," GOOD) "\n", SIM_DOWN_OK, NULL},
	{"broken JSON", "{bad", SIM_DOWN_BAD_JSON, NULL},
	{"an empty body", "", SIM_DOWN_BAD_JSON, NULL},
	{"a duplicate member", TXPK("\"tmst\":1,\"tmst\":2," GOOD), SIM_DOWN_BAD_JSON, NULL},
	{"nan is no number", TXPK("\"tmst\":1,\"x\":nan," GOOD), SIM_DOWN_BAD_JSON, NULL},
	{"invalid UTF-8", TXPK("\"tmst\":1,\"x\":\"\xff\"," GOOD), SIM_DOWN_BAD_JSON, NULL},
	{"nine levels", TXPK("\"x\":[[[[[[[]]]]]]]," GOOD), SIM_DOWN_TOO_DEEP, NULL},
	{"an array", "[]", SIM_DOWN_NO_TXPK, NULL},
	{"no txpk", "{\"rxpk\":[]}", SIM_DOWN_NO_TXPK, NULL},
	{"no timing member", TXPK("\"imme\":false," GOOD), SIM_DOWN_NO_TIMING, "tmst"},
	{"a boolean as a string", TXPK("\"imme\":\"true\"," GOOD), SIM_DOWN_WRONG_TYPE, "imme"},
	{"a number as a string", TXPK("\"tmst\":\"1\"," GOOD), SIM_DOWN_WRONG_TYPE, "tmst"},
	{"a fraction for an integer", TXPK("\"tmst\":1.5," GOOD), SIM_DOWN_WRONG_TYPE, "tmst"},
	{"tmst over 32 bits", TXPK("\"tmst\":4294967296," GOOD), SIM_DOWN_OUT_OF_RANGE, "tmst"},
	{"tmst below zero", TXPK("\"tmst\":-1," GOOD), SIM_DOWN_OUT_OF_RANGE, "tmst"},
	{"a frequency in hertz",
	 TXPK("\"tmst\":1,\"freq\":868100000,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/"
	      "5\","
	      "\"size\":0,\"data\":\"\""),
	 SIM_DOWN_OUT_OF_RANGE, "freq"},
	{"LR-FHSS is for uplinks",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LR-FHSS\",\"datr\":\"M0CW137\",\"codr\":\"1/"
	      "3\","
	      "\"size\":0,\"data\":\"\""),
	 SIM_DOWN_BAD_MODULATION, "modu"},
	{"a spreading factor out of range",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF13BW125\",\"codr\":\"4/"
	      "5\","
	      "\"size\":0,\"data\":\"\""),
	 SIM_DOWN_BAD_DATA_RATE, "datr"},
	{"LoRa with a number for a rate",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":50000,\"codr\":\"4/5\","
	      "\"size\":0,\"data\":\"\""),
	 SIM_DOWN_WRONG_TYPE, "datr"},
	{"an unknown coding rate",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"5/4\","
	      "\"size\":0,\"data\":\"\""),
	 SIM_DOWN_BAD_CODING_RATE, "codr"},
	{"FSK without a deviation",
	 TXPK("\"tmst\":1,\"freq\":868.8,\"rfch\":0,\"modu\":\"FSK\",\"datr\":50000,\"size\":0,\"data\":"
	      "\"\""),
	 SIM_DOWN_MISSING, "fdev"},
	{"padding in the middle",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\","
	      "\"size\":4,\"data\":\"3q=+7w==\""),
	 SIM_DOWN_BAD_BASE64, "data"},
	{"size larger than the data",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\","
	      "\"size\":5,\"data\":\"3q2+7w==\""),
	 SIM_DOWN_SIZE_DIFFERS, "size"},
	{"no data",
	 TXPK("\"tmst\":1,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/5\","
	      "\"size\":5"),
	 SIM_DOWN_MISSING, "data"},
};

static void pull_resp_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		uint8_t datagram[1024] = {2, 0x12, 0x34, 3};
		size_t length = strlen(bodies[i].json);
		memcpy(datagram + 4, bodies[i].json, length);
		struct sim_down down;
		const char *member;
		t_row(bodies[i].name);
		enum sim_down_verdict got = sim_semtech_parse_down_member(datagram, 4 + length, &down,
									  &member);
		t_str("verdict", sim_down_verdict_name(bodies[i].verdict), sim_down_verdict_name(got));
		t_str("member", bodies[i].member ? bodies[i].member : "", member ? member : "");
		/* One trailing NUL changes nothing. */
		t_int("verdict with NUL", bodies[i].verdict,
		      sim_semtech_parse_down(datagram, 5 + length, &down));
	}
}

static const struct {
	const char *name;
	size_t length;
	uint8_t bytes[8];
	enum sim_down_verdict verdict;
} heads[] = {
	{"three bytes", 3, {2, 0, 0}, SIM_DOWN_TRUNCATED},
	{"PUSH_ACK", 4, {2, 0x1a, 0x2b, 1}, SIM_DOWN_OK},
	{"PULL_ACK of version 1", 4, {1, 0x1a, 0x2b, 4}, SIM_DOWN_OK},
	{"PUSH_ACK with a fifth byte", 5, {2, 0x1a, 0x2b, 1, 0}, SIM_DOWN_BAD_LENGTH},
	{"version 3", 4, {3, 0, 0, 1}, SIM_DOWN_BAD_VERSION},
	{"a PUSH_DATA comes from gateways", 4, {2, 0, 0, 0}, SIM_DOWN_BAD_IDENTIFIER},
	{"identifier 7", 4, {2, 0, 0, 7}, SIM_DOWN_BAD_IDENTIFIER},
};

static void datagram_heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct sim_down down = {.token = 0xdead};
		t_row(heads[i].name);
		enum sim_down_verdict got = sim_semtech_parse_down(heads[i].bytes, heads[i].length, &down);
		t_str("verdict", sim_down_verdict_name(heads[i].verdict), sim_down_verdict_name(got));
		t_uint("token", heads[i].verdict == SIM_DOWN_OK ? 0x1a2b : 0xdead, down.token);
	}
}

static void values_of_a_downlink(void **state)
{
	(void)state;
	static const char text[] =
		"\x02\x33\x44\x03{\"txpk\":{\"imme\":false,\"tmst\":4294967295,\"freq\":926.9000244140625,"
		"\"rfch\":1,\"powe\":-3,\"modu\":\"LORA\",\"datr\":\"SF10BW500\",\"codr\":\"4/5\","
		"\"ipol\":true,\"ncrc\":true,\"prea\":8,\"size\":4,\"data\":\"3q2-7w\"}}";
	struct sim_down down;
	t_row("every member");
	t_int("verdict", SIM_DOWN_OK, sim_semtech_parse_down((const uint8_t *)text, sizeof text - 1, &down));
	t_int("kind", SIM_DOWN_PULL_RESP, down.kind);
	t_int("timing", SIM_TIMING_TICKS, down.txpk.timing);
	t_uint("tmst", UINT32_MAX, down.txpk.tmst.us);
	t_uint("freq", 926900024, down.txpk.freq_hz);
	t_int("power", -3, down.txpk.power_dbm);
	t_int("sf", 10, down.txpk.modulation.spreading_factor);
	t_uint("bandwidth", 500000, down.txpk.modulation.bandwidth_hz);
	t_true("inverted", down.txpk.inverted);
	t_true("no crc", down.txpk.no_crc);
	t_bytes("phy", (const uint8_t *)"\xde\xad\xbe\xef", 4, down.txpk.phy, down.txpk.length);
}

static const struct lw_eui64 eui = {{0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1}};

static void what_is_written(void **state)
{
	(void)state;
	uint8_t out[SIM_DATAGRAM_MAX];
	static const struct semtech_rxpk rxpk = {.tmst = {3512348611u},
						 .freq_hz = 868500000,
						 .chan = 2,
						 .spreading_factor = 7,
						 .bandwidth_hz = 125000,
						 .crc = 1,
						 .rssi_dbm = -60,
						 .snr_cdb = 900,
						 .phy = (const uint8_t *)"\x40\x01\x02\x03",
						 .length = 4};
	static const char push[] = "\x02\x7c\x11\0\xaa\x55\x5a\0\0\0\x01\x01"
				   "{\"rxpk\":[{\"tmst\":3512348611,\"chan\":2,\"rfch\":0,\"freq\":868."
				   "500000,\"stat\":1,\"modu\":\"LORA\","
				   "\"datr\":\"SF7BW125\",\"codr\":\"4/"
				   "5\",\"lsnr\":9.0,\"rssi\":-60,\"size\":4,\"data\":\"QAECAw==\"}]}";
	t_row("PUSH_DATA");
	size_t length = semtech_write_push_data(out, sizeof out, 2, 0x7c11, &eui, &rxpk, 1, NULL);
	t_bytes("datagram", (const uint8_t *)push, sizeof push - 1, out, length);
	t_row("PUSH_DATA of FSK");
	static const char fsk[] =
		"{\"rxpk\":[{\"tmst\":7,\"chan\":8,\"rfch\":1,\"freq\":868.800000,\"stat\":1,"
		"\"modu\":\"FSK\",\"datr\":50000,\"rssi\":-75,\"size\":0,\"data\":\"\"}]}";
	const struct semtech_rxpk plain = {.tmst = {7},
					   .freq_hz = 868800000,
					   .chan = 8,
					   .rfch = 1,
					   .bit_rate_bps = 50000,
					   .crc = 1,
					   .rssi_dbm = -75,
					   .phy = (const uint8_t *)""};
	length = semtech_write_push_data(out, sizeof out, 2, 1, &eui, &plain, 1, NULL);
	t_bytes("body", (const uint8_t *)fsk, sizeof fsk - 1, out + 12, length - 12);
	t_row("a buffer that is too small");
	t_uint("length", 0, semtech_write_push_data(out, 40, 2, 0x7c11, &eui, &rxpk, 1, NULL));
	t_row("PUSH_DATA with nothing but a stat");
	static const char stat_text[] =
		"\x01\0\x01\0\xaa\x55\x5a\0\0\0\x01\x01{\"stat\":{\"time\":\"2026-01-02 03:04:05 GMT\","
		"\"lati\":40.71280,\"long\":-74.00600,\"alti\":12,\"rxnb\":2,\"rxok\":1,\"rxfw\":1,"
		"\"ackr\":99.5,\"dwnb\":3,\"txnb\":2}}";
	static const struct semtech_stat stat = {.time = {1767323045000000},
						 .latitude_deg = 40.7128,
						 .longitude_deg = -74.006,
						 .altitude_m = 12,
						 .received = 2,
						 .received_good = 1,
						 .forwarded = 1,
						 .ack_permille = 995,
						 .downlinks = 3,
						 .transmissions = 2};
	length = semtech_write_push_data(out, sizeof out, 1, 1, &eui, NULL, 0, &stat);
	t_bytes("datagram", (const uint8_t *)stat_text, sizeof stat_text - 1, out, length);
	t_row("PULL_DATA");
	length = semtech_write_pull_data(out, sizeof out, 2, 0xa1b2, &eui);
	t_bytes("datagram", (const uint8_t *)"\x02\xa1\xb2\x02\xaa\x55\x5a\0\0\0\x01\x01", 12, out, length);
	t_row("TX_ACK");
	length = sim_semtech_write_tx_ack(out, sizeof out, 2, 0x3344, &eui, SIM_JIT_OK, false, 0);
	t_bytes("success has no body", (const uint8_t *)"\x02\x33\x44\x05\xaa\x55\x5a\0\0\0\x01\x01", 12, out,
		length);
	length = sim_semtech_write_tx_ack(out, sizeof out, 2, 0x3344, &eui, SIM_JIT_TOO_LATE, false, 0);
	t_bytes("error", (const uint8_t *)"{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}", 33, out + 12,
		length - 12);
	length = sim_semtech_write_tx_ack(out, sizeof out, 2, 0x3344, &eui, SIM_JIT_TX_POWER, true, 20);
	t_bytes("warning", (const uint8_t *)"{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}", 43,
		out + 12, length - 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(pull_resp_bodies),
		t_test(datagram_heads),
		t_test(values_of_a_downlink),
		t_test(what_is_written),
	};
	return t_run(tests);
}
