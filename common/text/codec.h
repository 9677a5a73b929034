/* The declarative codec: a few lines of YAML that say where in a payload each reading is, for sensors that
 * need no script. Loading is strict; decoding is pure and total.
 *
 *	name: "Soil probe"
 *	fields:
 *	  - {offset: 0, width_bits: 16, endian: "big", signed: true, scale: 0.1, unit: "Cel", property:
 * "temperature"}
 *	  - {fport: 2, offset: 3, bit: 7, width_bits: 1, property: "alarm"}
 *
 * A field is the `width_bits` bits (1 to 53) from bit `bit` (0 lowest, default) of the integer that starts at
 * byte `offset` and is just long enough; `endian` is "big" (default) or "little". Value = raw × scale (1) +
 * add (0). With `fport` it is read from that port only. A value outside `min` .. `max` is marked and left out
 * of the JSON: sensors send such values when a probe is broken. Names of properties are unique on a port. */
#ifndef LAMPPOST_TEXT_CODEC_H
#define LAMPPOST_TEXT_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_NAME_MAX     64
#define CODEC_PROPERTY_MAX 48
#define CODEC_UNIT_MAX     16
#define CODEC_FIELDS_MAX   64
#define CODEC_ERROR_MAX    1024

struct codec_field {
	uint8_t fport; /* 0: every port */
	uint8_t offset;
	uint8_t bit;
	uint8_t width_bits;
	bool little_endian;
	bool is_signed;
	bool has_min;
	bool has_max;
	double scale;
	double add;
	double min;
	double max;
	char property[CODEC_PROPERTY_MAX];
	char unit[CODEC_UNIT_MAX]; /* "" when none is stated */
};

struct codec {
	char name[CODEC_NAME_MAX];
	size_t field_count;
	struct codec_field fields[CODEC_FIELDS_MAX];
};

struct codec_reading {
	const char *property; /* borrowed from the codec */
	const char *unit;
	double value;
	bool out_of_range;
};

struct codec_readings {
	size_t count;
	struct codec_reading items[CODEC_FIELDS_MAX];
};

enum codec_verdict {
	CODEC_DECODED,
	CODEC_NO_FIELDS,        /* no field of the codec is for this port */
	CODEC_PAYLOAD_TOO_SHORT /* a field of this port lies beyond the payload's end */
};
const char *codec_verdict_name(enum codec_verdict verdict);

/* Fills `codec`. False with one line in `error` ("FILE:LINE: PATH: VALUE: expected ..."). */
bool codec_load(struct codec *codec, const char *file, const char *text, size_t length,
		char error[CODEC_ERROR_MAX]);
/* Fills `readings` in the codec's order; with CODEC_PAYLOAD_TOO_SHORT `*short_field` (may be NULL) is the
 * field's index and the readings are none. */
enum codec_verdict codec_decode(const struct codec *codec, uint8_t fport, const uint8_t *payload,
				size_t length, struct codec_readings *readings, size_t *short_field);
/* Gives a new JSON object {property: number}, the caller releases it; NULL without memory. Numbers are rounded to nine
 * decimals: dump them with JSON_REAL_PRECISION(15), or 21.3 becomes 21.300000000000001. */
json_t *codec_readings_json(const struct codec_readings *readings);

#endif
