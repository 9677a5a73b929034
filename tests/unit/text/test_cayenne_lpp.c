#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/text/cayenne_lpp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_of(uint8_t *bytes, size_t capacity, const char *hex)
{
	size_t length = 0;
	ASSERT(hex_decode(bytes, capacity, &length, hex, strlen(hex)));
	return length;
}

/* Each type at its ends; the JSON is what subscribers get. */
static const struct {
	const char *name, *payload, *json;
} both_ways[] = {
	{"digital input", "01002a", "{\"digitalInput\":{\"1\":42}}"},
	{"digital output", "0101ff", "{\"digitalOutput\":{\"1\":255}}"},
	{"analog input, lowest", "01028000", "{\"analogInput\":{\"1\":-327.68}}"},
	{"analog output, highest", "01037fff", "{\"analogOutput\":{\"1\":327.67}}"},
	{"generic sensor", "0164ffffffff", "{\"genericSensor\":{\"1\":4294967295}}"},
	{"illuminance", "0165ffff", "{\"illuminanceSensor\":{\"1\":65535}}"},
	{"presence", "016601", "{\"presenceSensor\":{\"1\":1}}"},
	{"temperature without a long tail", "03670110", "{\"temperatureSensor\":{\"3\":27.2}}"},
	{"temperature below zero", "0367ffff", "{\"temperatureSensor\":{\"3\":-0.1}}"},
	{"temperature, lowest", "03678000", "{\"temperatureSensor\":{\"3\":-3276.8}}"},
	{"temperature of a whole number stays a real", "036700fa", "{\"temperatureSensor\":{\"3\":25.0}}"},
	{"humidity", "016863", "{\"humiditySensor\":{\"1\":49.5}}"},
	{"accelerometer", "067104d2fb2e0000",
	 "{\"accelerometer\":{\"6\":{\"x\":1.234,\"y\":-1.234,\"z\":0.0}}}"},
	{"barometer", "017327dd", "{\"barometer\":{\"1\":1020.5}}"},
	{"voltage", "017400e7", "{\"voltage\":{\"1\":2.31}}"},
	{"current", "017504d2", "{\"current\":{\"1\":1.234}}"},
	{"frequency", "017633bbeea0", "{\"frequency\":{\"1\":867954336}}"},
	{"percentage", "017864", "{\"percentage\":{\"1\":100}}"},
	{"altitude below the sea", "0179fffe", "{\"altitude\":{\"1\":-2}}"},
	{"concentration", "017d0190", "{\"concentration\":{\"1\":400}}"},
	{"power", "0180ffff", "{\"power\":{\"1\":65535}}"},
	{"distance", "018200000001", "{\"distance\":{\"1\":0.001}}"},
	{"energy, highest", "0183ffffffff", "{\"energy\":{\"1\":4294967.295}}"},
	{"direction", "01840167", "{\"direction\":{\"1\":359}}"},
	{"time", "018569000000", "{\"unixTime\":{\"1\":1761607680}}"},
	{"gyrometer", "0186ffff00017fff", "{\"gyrometer\":{\"1\":{\"x\":-0.01,\"y\":0.01,\"z\":327.67}}}"},
	{"colour", "0187ff0080", "{\"color\":{\"1\":{\"r\":255,\"g\":0,\"b\":128}}}"},
	{"a place", "018806765ff2960a0003e8",
	 "{\"gpsLocation\":{\"1\":{\"latitude\":42.3519,\"longitude\":-87.9094,\"altitude\":10.0}}}"},
	{"a place at the ends of three bytes", "01888000007fffff800000",
	 "{\"gpsLocation\":{\"1\":{\"latitude\":-838.8608,\"longitude\":838.8607,\"altitude\":-83886.08}}}"},
	{"switch", "018e01", "{\"switch\":{\"1\":1}}"},
	{"two channels of a type", "03670110056700ff", "{\"temperatureSensor\":{\"3\":27.2,\"5\":25.5}}"},
	{"channels 0 and 255", "006701ffff670001", "{\"temperatureSensor\":{\"0\":51.1,\"255\":0.1}}"},
	{"one channel of two types", "0167011001685a",
	 "{\"temperatureSensor\":{\"1\":27.2},\"humiditySensor\":{\"1\":45.0}}"},
};

static void types_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both_ways); i++) {
		t_row(both_ways[i].name);
		uint8_t payload[64], written[64];
		size_t length = bytes_of(payload, sizeof payload, both_ways[i].payload), back = 0;
		struct lpp_values values;
		char cause[LPP_CAUSE_MAX] = "";
		if (!t_int("decoded", LPP_DECODED, lpp_decode(&values, payload, length, NULL)))
			continue;
		json_t *object = lpp_json(&values);
		char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
		t_str("JSON", both_ways[i].json, text);
		free(text);
		json_decref(object);
		object = json_loads(both_ways[i].json, 0, NULL);
		t_true("encoded", lpp_encode(object, written, sizeof written, &back, cause));
		t_bytes("payload", payload, length, written, back);
		json_decref(object);
	}
}

static void every_type_is_tried(void **state)
{
	(void)state;
	size_t count;
	const struct lpp_type *types = lpp_types(&count);
	for (size_t i = 0; i < count; i++) {
		t_row(types[i].name);
		bool tried = false;
		for (size_t row = 0; row < ARRAY_SIZE(both_ways); row++) {
			char member[64];
			snprintf(member, sizeof member, "\"%s\":", types[i].name);
			tried |= strstr(both_ways[row].json, member) != NULL;
		}
		t_true("in the table above", tried);
	}
}

static void odd_payloads(void **state)
{
	(void)state;
	static const struct {
		const char *name, *payload;
		enum lpp_verdict verdict;
		size_t at;        /* of what cannot be read */
		const char *json; /* of what can */
	} rows[] = {
		{"nothing", "", LPP_DECODED, 0, "{}"},
		{"a value comes twice: the last", "0367011003670111", LPP_DECODED, 0,
		 "{\"temperatureSensor\":{\"3\":27.3}}"},
		{"a channel alone", "03", LPP_TRUNCATED, 0, NULL},
		{"a channel and a type", "0367", LPP_TRUNCATED, 0, NULL},
		{"half a value behind a whole one", "03670110056701", LPP_TRUNCATED, 4, NULL},
		{"a place without its altitude", "018806765ff2960a", LPP_TRUNCATED, 0, NULL},
		{"a type that nobody knows, behind one that is known", "036701100563", LPP_UNKNOWN_TYPE, 4,
		 NULL},
		{"the type of Cayenne's downlinks has no number", "01ff0000", LPP_UNKNOWN_TYPE, 0, NULL},
		{"padding of zeros is a digital input of channel 0", "000000", LPP_DECODED, 0,
		 "{\"digitalInput\":{\"0\":0}}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t payload[64];
		size_t length = bytes_of(payload, sizeof payload, rows[i].payload), at = 0;
		struct lpp_values values;
		t_str("verdict", lpp_verdict_name(rows[i].verdict),
		      lpp_verdict_name(lpp_decode(&values, payload, length, &at)));
		t_uint("at", rows[i].at, at);
		if (!rows[i].json) {
			t_uint("no values", 0, values.count);
			continue;
		}
		json_t *object = lpp_json(&values);
		char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
		t_str("JSON", rows[i].json, text);
		free(text);
		json_decref(object);
	}
	t_row("more values than any frame holds");
	uint8_t payload[3 * (LPP_VALUES_MAX + 1)] = {0};
	struct lpp_values values;
	t_int("as many as fit", LPP_DECODED, lpp_decode(&values, payload, 3 * LPP_VALUES_MAX, NULL));
	t_int("one more", LPP_TOO_LONG, lpp_decode(&values, payload, sizeof payload, NULL));
}

static void what_cannot_be_written(void **state)
{
	(void)state;
	static const struct {
		const char *name, *json, *cause;
	} rows[] = {
		{"a number", "7", "expected an object such as {\"digitalOutput\": {\"1\": 1}}"},
		{"nothing", "{}", "expected an object such as {\"digitalOutput\": {\"1\": 1}}"},
		{"a type that is none", "{\"temperature\":{\"1\":1}}", "temperature: no type of Cayenne LPP"},
		{"a value without a channel", "{\"switch\":1}", "switch: expected an object of channels"},
		{"no channel", "{\"switch\":{}}", "switch: expected an object of channels"},
		{"channel 256", "{\"switch\":{\"256\":1}}", "switch.256: expected a channel, 0 to 255"},
		{"channel 01", "{\"switch\":{\"01\":1}}", "switch.01: expected a channel, 0 to 255"},
		{"channel -1", "{\"switch\":{\"-1\":1}}", "switch.-1: expected a channel, 0 to 255"},
		{"channel one", "{\"switch\":{\"one\":1}}", "switch.one: expected a channel, 0 to 255"},
		{"no channel's name", "{\"switch\":{\"\":1}}", "switch.: expected a channel, 0 to 255"},
		{"a text", "{\"switch\":{\"1\":\"on\"}}", "switch.1: not a value that this type holds"},
		{"true", "{\"switch\":{\"1\":true}}", "switch.1: not a value that this type holds"},
		{"too much", "{\"digitalOutput\":{\"1\":256}}",
		 "digitalOutput.1: not a value that this type holds"},
		{"too little", "{\"digitalOutput\":{\"1\":-1}}",
		 "digitalOutput.1: not a value that this type holds"},
		{"just too hot", "{\"temperatureSensor\":{\"1\":3276.75}}",
		 "temperatureSensor.1: not a value that this type holds"},
		{"just too cold", "{\"temperatureSensor\":{\"1\":-3276.86}}",
		 "temperatureSensor.1: not a value that this type holds"},
		{"beyond any integer", "{\"energy\":{\"1\":1e300}}",
		 "energy.1: not a value that this type holds"},
		{"a part is missing", "{\"accelerometer\":{\"1\":{\"x\":1,\"y\":2}}}",
		 "accelerometer.1: not a value that this type holds"},
		{"a part too many", "{\"color\":{\"1\":{\"r\":1,\"g\":2,\"b\":3,\"a\":4}}}",
		 "color.1: not a value that this type holds"},
		{"a number for parts", "{\"color\":{\"1\":7}}", "color.1: not a value that this type holds"},
		{"with and without types", "{\"switch\":{\"1\":1},\"value\":{\"2\":1}}",
		 "value: stands alone, its form has no types"},
		{"longer than there is room", "{\"generic\":0,\"genericSensor\":{\"1\":1,\"2\":2}}",
		 "generic: no type of Cayenne LPP"},
		{"longer than there is room", "{\"genericSensor\":{\"1\":1,\"2\":2}}", "longer than 8 bytes"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t written[8];
		size_t length = 77;
		char cause[LPP_CAUSE_MAX] = "";
		json_t *object = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		ASSERT(object != NULL);
		t_false("written", lpp_encode(object, written, sizeof written, &length, cause));
		t_str("cause", rows[i].cause, cause);
		t_uint("untouched", 77, length);
		json_decref(object);
	}
}

static void numbers_are_rounded(void **state)
{
	(void)state;
	static const struct {
		const char *name, *json, *payload;
	} rows[] = {
		{"27.2 is not cut to 27.1", "{\"temperatureSensor\":{\"1\":27.2}}", "01670110"},
		{"to the nearest tenth", "{\"temperatureSensor\":{\"1\":27.26}}", "01670111"},
		{"below zero as well", "{\"temperatureSensor\":{\"1\":-27.26}}", "0167feef"},
		{"a whole number will do", "{\"temperatureSensor\":{\"1\":27}}", "0167010e"},
		{"half a percent", "{\"humiditySensor\":{\"1\":49.6}}", "016863"},
		{"Cayenne's own downlink", "{\"value\":{\"2\":-50.51}}", "02ec45"},
		{"two of them", "{\"value\":{\"2\":-50.51,\"3\":1}}", "02ec45030064"},
		{"in the order they are written",
		 "{\"switch\":{\"9\":1},\"digitalOutput\":{\"2\":0,\"1\":1}}", "098e01020100010101"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t written[64], expected[64];
		size_t length = 0, wanted = bytes_of(expected, sizeof expected, rows[i].payload);
		char cause[LPP_CAUSE_MAX] = "";
		json_t *object = json_loads(rows[i].json, 0, NULL);
		t_true("written", lpp_encode(object, written, sizeof written, &length, cause));
		t_str("cause", "", cause);
		t_bytes("payload", expected, wanted, written, length);
		json_decref(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(types_go_both_ways),  t_test(every_type_is_tried),    t_test(odd_payloads),
		t_test(numbers_are_rounded), t_test(what_cannot_be_written),
	};
	return t_run(tests);
}
