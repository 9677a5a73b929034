#include "tests/harness/harness.h"

#include "common/text/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One field each; a payload and what it becomes in thousandths. */
static const struct {
	const char *name;
	const char *field;
	uint8_t payload[8];
	size_t length;
	long long thousandths;
} fields[] = {
	{"big-endian unsigned", "offset: 0, width_bits: 16", {0x01, 0x02}, 2, 258000},
	{"little-endian unsigned", "offset: 0, width_bits: 16, endian: little", {0x01, 0x02}, 2, 513000},
	{"signed below zero", "offset: 0, width_bits: 16, signed: true, scale: 0.1", {0xff, 0x9c}, 2, -10000},
	{"signed above zero", "offset: 0, width_bits: 16, signed: true, scale: 0.01", {0x08, 0x34}, 2, 21000},
	{"unsigned of the same bytes", "offset: 0, width_bits: 16", {0xff, 0x9c}, 2, 65436000},
	{"scale and offset", "offset: 1, width_bits: 8, scale: 0.5, add: -40", {0, 125}, 2, 22500},
	{"one bit", "offset: 0, bit: 7, width_bits: 1", {0x80}, 1, 1000},
	{"the bit beside it", "offset: 0, bit: 6, width_bits: 1", {0x80}, 1, 0},
	{"twelve bits over two bytes", "offset: 0, bit: 4, width_bits: 12", {0xab, 0xcd}, 2, 2748000},
	{"its low twelve", "offset: 0, width_bits: 12", {0xab, 0xcd}, 2, 3021000},
	{"twelve bits little-endian",
	 "offset: 0, bit: 4, width_bits: 12, endian: little",
	 {0xab, 0xcd},
	 2,
	 3290000},
	{"eight bits over two bytes", "offset: 0, bit: 4, width_bits: 8", {0xab, 0xcd}, 2, 188000},
	{"signed of three bits", "offset: 0, width_bits: 3, signed: true", {0x05}, 1, -3000},
	{"32 bits", "offset: 0, width_bits: 32, signed: true", {0xff, 0xff, 0xff, 0xfe}, 4, -2000},
	{"53 bits", "offset: 0, width_bits: 53, scale: 0.001", {0, 0, 0, 0, 0, 3, 0xe8}, 7, 1000},
};

static void fields_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		t_row(fields[i].name);
		char text[256], error[CODEC_ERROR_MAX] = "";
		snprintf(text, sizeof text, "name: x\nfields:\n  - {%s, property: value}\n", fields[i].field);
		struct codec codec;
		t_true("loads", codec_load(&codec, "c.yaml", text, strlen(text), error));
		t_str("error", "", error);
		struct codec_readings readings;
		t_int("verdict", CODEC_DECODED,
		      codec_decode(&codec, 1, fields[i].payload, fields[i].length, &readings, NULL));
		t_int("thousandths", fields[i].thousandths, llround(readings.items[0].value * 1000));
		t_int("one byte less", CODEC_PAYLOAD_TOO_SHORT,
		      codec_decode(&codec, 1, fields[i].payload, fields[i].length - 1, &readings, NULL));
		t_uint("then no reading", 0, readings.count);
	}
}

static void ports_ranges_and_json(void **state)
{
	(void)state;
	static const char text[] =
		"name: \"Soil probe\"\nfields:\n"
		"  - {offset: 0, width_bits: 16, signed: true, scale: 0.1, unit: Cel, property: temperature, "
		"min: -40, max: 85}\n"
		"  - {fport: 2, offset: 2, width_bits: 8, unit: \"%\", property: moisture}\n"
		"  - {fport: 3, offset: 4, width_bits: 8, property: moisture}\n";
	struct codec codec;
	char error[CODEC_ERROR_MAX] = "";
	assert_true(codec_load(&codec, "c.yaml", text, sizeof text - 1, error));
	t_str("name", "Soil probe", codec.name);
	struct codec_readings readings;
	const uint8_t payload[] = {0x00, 0xd5, 55};
	t_int("port 2", CODEC_DECODED, codec_decode(&codec, 2, payload, sizeof payload, &readings, NULL));
	t_uint("count", 2, readings.count);
	t_str("unit", "Cel", readings.items[0].unit);
	t_str("property", "moisture", readings.items[1].property);
	json_t *json = codec_readings_json(&readings);
	char *dump = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
	t_str("json", "{\"temperature\":21.3,\"moisture\":55}", dump);
	free(dump);
	json_decref(json);

	t_int("port 1", CODEC_DECODED, codec_decode(&codec, 1, payload, sizeof payload, &readings, NULL));
	t_uint("count", 1, readings.count);
	size_t short_field = 9;
	t_int("port 3", CODEC_PAYLOAD_TOO_SHORT,
	      codec_decode(&codec, 3, payload, sizeof payload, &readings, &short_field));
	t_uint("which", 2, short_field);

	const uint8_t broken[] = {0x7f, 0xff, 55};
	t_int("a broken probe", CODEC_DECODED,
	      codec_decode(&codec, 2, broken, sizeof broken, &readings, NULL));
	t_true("marked", readings.items[0].out_of_range);
	t_false("the other is not", readings.items[1].out_of_range);
	json = codec_readings_json(&readings);
	dump = json_dumps(json, JSON_COMPACT);
	t_str("left out", "{\"moisture\":55}", dump);
	free(dump);
	json_decref(json);

	static const char one_port[] =
		"name: x\nfields:\n  - {fport: 5, offset: 0, width_bits: 8, property: a}\n";
	assert_true(codec_load(&codec, "c.yaml", one_port, sizeof one_port - 1, error));
	t_int("another port", CODEC_NO_FIELDS,
	      codec_decode(&codec, 6, payload, sizeof payload, &readings, NULL));
}

static const struct {
	const char *name;
	const char *text;
	const char *error;
} refused[] = {
	{"no fields", "name: x\nfields: []\n", "c.yaml:2: fields: expected a field"},
	{"no name", "fields:\n  - {offset: 0, width_bits: 8, property: a}\n",
	 "c.yaml:1: key name is missing"},
	{"an unknown key", "name: x\nfields:\n  - {offset: 0, width: 8, property: a}\n",
	 "c.yaml:3: fields[0]: key width_bits is missing"},
	{"a key too many", "name: x\nfields:\n  - {offset: 0, width_bits: 8, property: a, colour: red}\n",
	 "c.yaml:3: fields[0].colour: unknown key"},
	{"no bits", "name: x\nfields:\n  - {offset: 0, width_bits: 0, property: a}\n",
	 "c.yaml:3: fields[0].width_bits: 0: expected 1 to 53"},
	{"port 0", "name: x\nfields:\n  - {fport: 0, offset: 0, width_bits: 8, property: a}\n",
	 "c.yaml:3: fields[0].fport: 0: expected 1 to 255"},
	{"a scale that is no number",
	 "name: x\nfields:\n  - {offset: 0, width_bits: 8, scale: .inf, property: a}\n",
	 "c.yaml:3: fields[0].scale: .inf: expected a number"},
	{"a property twice",
	 "name: x\nfields:\n  - {offset: 0, width_bits: 8, property: a}\n  - {fport: 2, offset: 1, "
	 "width_bits: 8, property: a}\n",
	 "c.yaml:4: fields[1]: property a stands twice for one port"},
	{"min above max", "name: x\nfields:\n  - {offset: 0, width_bits: 8, property: a, min: 2, max: 1}\n",
	 "c.yaml:3: fields[0]: min is above max"},
	{"an empty property", "name: x\nfields:\n  - {offset: 0, width_bits: 8, property: \"\"}\n",
	 "c.yaml:3: fields[0].property: \"\": expected a name"},
	{"an empty file", "", "c.yaml:1: empty"},
};

static void bad_codecs_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		t_row(refused[i].name);
		struct codec codec;
		char error[CODEC_ERROR_MAX] = "";
		t_false("loads",
			codec_load(&codec, "c.yaml", refused[i].text, strlen(refused[i].text), error));
		t_str("error", refused[i].error, error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(fields_are_read),
		t_test(ports_ranges_and_json),
		t_test(bad_codecs_are_refused),
	};
	return t_run(tests);
}
