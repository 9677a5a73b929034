/* Cayenne Low Power Payload: the built-in codec `cayenne-lpp`. A payload is a sequence of values, each with a channel and a
 * type, big-endian:
 *
 *	channel (1) type (1) value (1 to 9, by type)   channel (1) type (1) value ...
 *
 * The types are rows of a table: the twelve of the original and those that the extended libraries added. As JSON they are
 * grouped by type and named by channel, as ChirpStack does: {"temperatureSensor": {"3": 27.2, "5": 25.5}}. A value that
 * comes twice for one channel and type stands once: the last.
 *
 * Downlinks have the same form; and Cayenne's own, which knows no types: channel (1), value × 100 (2, signed), written
 * {"value": {"2": -50.51}}.
 *
 * Decoding is pure and total: a payload decodes as a whole or not at all. A value is an integer with a divisor, so that
 * nothing is lost before it is written. */
#ifndef LAMPPOST_TEXT_CAYENNE_LPP_H
#define LAMPPOST_TEXT_CAYENNE_LPP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LPP_NAME       "cayenne-lpp" /* of the codec, where a profile chooses one */
#define LPP_PARTS_MAX  3
#define LPP_VALUES_MAX 85 /* of the shortest kind in 255 bytes */
#define LPP_CAUSE_MAX  128

struct lpp_part {
	const char *name; /* "x"; NULL: the value is this part alone */
	uint8_t bytes;    /* 1 to 4 */
	bool is_signed;
	uint16_t divisor; /* value = integer / divisor */
};

struct lpp_type {
	uint8_t type;
	const char *name; /* "temperatureSensor" */
	const char *unit; /* of the first part, UCUM; "" when there is none */
	uint8_t part_count;
	struct lpp_part parts[LPP_PARTS_MAX];
};

struct lpp_value {
	uint8_t channel;
	const struct lpp_type *type;
	int64_t numbers[LPP_PARTS_MAX]; /* before division */
};

struct lpp_values {
	size_t count;
	struct lpp_value items[LPP_VALUES_MAX];
};

enum lpp_verdict {
	LPP_DECODED,
	LPP_TRUNCATED,    /* it ends within a value */
	LPP_UNKNOWN_TYPE, /* its length cannot be known: nothing behind it can be read */
	LPP_TOO_LONG      /* more than LPP_VALUES_MAX values: longer than any LoRaWAN payload */
};
const char *lpp_verdict_name(enum lpp_verdict verdict);

/* Rows of the types, for documents and tests. */
const struct lpp_type *lpp_types(size_t *count);

/* Fills the values in the order of the payload; on any other verdict `*at` (may be NULL) is the byte where the value
 * begins that cannot be read, and the values are none. An empty payload has none. */
enum lpp_verdict lpp_decode(struct lpp_values *values, const uint8_t *payload, size_t length, size_t *at);
/* Gives a new JSON object; the caller releases it; NULL without memory. Types without a divisor are integers, the others
 * reals, whatever their value: dump them with JSON_REAL_PRECISION(15), or 27.2 becomes 27.199999999999999. */
json_t *lpp_json(const struct lpp_values *values);
/* Writes a downlink's payload, numbers rounded to what the type holds. False with the cause: not of that form, a name or
 * channel that is none, a number outside the type's range, or more than `capacity` bytes. */
bool lpp_encode(const json_t *object, uint8_t *payload, size_t capacity, size_t *length,
		char cause[LPP_CAUSE_MAX]);

#endif
