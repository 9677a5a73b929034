#include "common/text/cayenne_lpp.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ONE(bytes, is_signed, divisor)                  \
	1,                                              \
	{                                               \
		{                                       \
			NULL, bytes, is_signed, divisor \
		}                                       \
	}
#define THREE(a, b, c, bytes, is_signed, divisor)                               \
	3,                                                                      \
	{                                                                       \
		{a, bytes, is_signed, divisor}, {b, bytes, is_signed, divisor}, \
		{                                                               \
			c, bytes, is_signed, divisor                            \
		}                                                               \
	}

static const struct lpp_type types[] = {
	{0, "digitalInput", "", ONE(1, false, 1)},
	{1, "digitalOutput", "", ONE(1, false, 1)},
	{2, "analogInput", "", ONE(2, true, 100)},
	{3, "analogOutput", "", ONE(2, true, 100)},
	{100, "genericSensor", "", ONE(4, false, 1)},
	{101, "illuminanceSensor", "lx", ONE(2, false, 1)},
	{102, "presenceSensor", "", ONE(1, false, 1)},
	{103, "temperatureSensor", "Cel", ONE(2, true, 10)},
	{104, "humiditySensor", "%", ONE(1, false, 2)},
	{113, "accelerometer", "[g]", THREE("x", "y", "z", 2, true, 1000)},
	{115, "barometer", "hPa", ONE(2, false, 10)},
	{116, "voltage", "V", ONE(2, false, 100)},
	{117, "current", "A", ONE(2, false, 1000)},
	{118, "frequency", "Hz", ONE(4, false, 1)},
	{120, "percentage", "%", ONE(1, false, 1)},
	{121, "altitude", "m", ONE(2, true, 1)},
	{125, "concentration", "[ppm]", ONE(2, false, 1)},
	{128, "power", "W", ONE(2, false, 1)},
	{130, "distance", "m", ONE(4, false, 1000)},
	{131, "energy", "kW.h", ONE(4, false, 1000)},
	{132, "direction", "deg", ONE(2, false, 1)},
	{133, "unixTime", "s", ONE(4, false, 1)},
	{134, "gyrometer", "deg/s", THREE("x", "y", "z", 2, true, 100)},
	{135, "color", "", THREE("r", "g", "b", 1, false, 1)},
	{136,
	 "gpsLocation",
	 "deg",
	 3,
	 {{"latitude", 3, true, 10000}, {"longitude", 3, true, 10000}, {"altitude", 3, true, 100}}},
	{142, "switch", "", ONE(1, false, 1)},
};

/* Cayenne's own downlinks: no type byte. */
static const struct lpp_type untyped = {255, "value", "", ONE(2, true, 100)};

static const char *const verdicts[] = {"decoded", "truncated", "unknown_type", "too_long"};

const char *lpp_verdict_name(enum lpp_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, ARRAY_SIZE(verdicts));
	return verdicts[verdict];
}

const struct lpp_type *lpp_types(size_t *count)
{
	*count = ARRAY_SIZE(types);
	return types;
}

/* --- decoding */

static const struct lpp_type *type_numbered(uint8_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == number)
			return &types[i];
	return NULL;
}

static int64_t read_part(struct rd *rd, const struct lpp_part *part)
{
	uint32_t number = 0;
	ASSERT(part->bytes >= 1 && part->bytes <= 4);
	for (uint8_t i = 0; i < part->bytes; i++)
		number = number << 8 | rd_u8(rd);
	uint32_t sign = UINT32_C(1) << (8 * part->bytes - 1);
	return part->is_signed && (number & sign) ? (int64_t)number - 2 * (int64_t)sign : number;
}

enum lpp_verdict lpp_decode(struct lpp_values *values, const uint8_t *payload, size_t length, size_t *at)
{
	struct rd rd = rd_init(payload, length);
	size_t begun = 0;
	enum lpp_verdict verdict = LPP_DECODED;
	values->count = 0;
	while (rd_left(&rd) > 0 && verdict == LPP_DECODED) {
		struct lpp_value value = {.channel = 0};
		begun = length - rd_left(&rd);
		value.channel = rd_u8(&rd);
		uint8_t number = rd_u8(&rd);
		value.type = type_numbered(number);
		for (uint8_t i = 0; value.type && i < value.type->part_count; i++)
			value.numbers[i] = read_part(&rd, &value.type->parts[i]);
		if (rd_ok(&rd) && !value.type)
			verdict = LPP_UNKNOWN_TYPE;
		else if (rd_ok(&rd) && values->count == LPP_VALUES_MAX)
			verdict = LPP_TOO_LONG;
		else if (rd_ok(&rd))
			values->items[values->count++] = value;
	}
	if (!rd_ok(&rd))
		verdict = LPP_TRUNCATED;
	if (verdict == LPP_DECODED)
		return verdict;
	values->count = 0;
	if (at)
		*at = begun;
	return verdict;
}

static json_t *number_json(int64_t number, const struct lpp_part *part)
{
	return part->divisor == 1 ? json_integer(number) : json_real((double)number / part->divisor);
}

static json_t *value_json(const struct lpp_value *value)
{
	const struct lpp_type *type = value->type;
	if (type->part_count == 1)
		return number_json(value->numbers[0], &type->parts[0]);
	json_t *object = json_object();
	for (uint8_t i = 0; object && i < type->part_count; i++) {
		if (json_object_set_new(object, type->parts[i].name,
					number_json(value->numbers[i], &type->parts[i])) != 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

/* The object of a type's channels, made when it is the first. */
static json_t *channels_of(json_t *object, const char *name)
{
	json_t *channels = json_object_get(object, name);
	if (channels)
		return channels;
	channels = json_object();
	return channels && json_object_set_new(object, name, channels) == 0 ? channels : NULL;
}

json_t *lpp_json(const struct lpp_values *values)
{
	json_t *object = json_object();
	for (size_t i = 0; object && i < values->count; i++) {
		const struct lpp_value *value = &values->items[i];
		json_t *channels = channels_of(object, value->type->name);
		char channel[8];
		snprintf(channel, sizeof channel, "%u", value->channel);
		if (!channels || json_object_set_new(channels, channel, value_json(value)) != 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

/* --- encoding */

static const struct lpp_type *type_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return strcmp(untyped.name, name) == 0 ? &untyped : NULL;
}

/* "0" to "255", without a sign or a leading zero. */
static bool read_channel(const char *text, uint8_t *channel)
{
	unsigned number = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 3 || text[digits] || (text[0] == '0' && digits > 1))
		return false;
	for (size_t i = 0; i < digits; i++)
		number = 10 * number + (unsigned)(text[i] - '0');
	*channel = (uint8_t)number;
	return number <= 255;
}

static bool write_part(struct wr *wr, const struct lpp_part *part, const json_t *value)
{
	double number = json_is_number(value) ? round(json_number_value(value) * part->divisor) : NAN;
	double span = ldexp(1, 8 * part->bytes);
	double low = part->is_signed ? -span / 2 : 0;
	if (!(number >= low && number < low + span))
		return false;
	uint32_t bits = (uint32_t)(int64_t)number;
	for (int shift = 8 * (part->bytes - 1); shift >= 0; shift -= 8)
		wr_u8(wr, (uint8_t)(bits >> shift));
	return true;
}

/* Fails for a part that is missing, none, or beyond its range, and for members that are no parts. */
static bool write_parts(struct wr *wr, const struct lpp_type *type, const json_t *value)
{
	if (type->part_count == 1)
		return write_part(wr, &type->parts[0], value);
	bool good = json_object_size(value) == type->part_count;
	for (uint8_t i = 0; good && i < type->part_count; i++)
		good = write_part(wr, &type->parts[i], json_object_get(value, type->parts[i].name));
	return good;
}

static bool write_channels(struct wr *wr, const struct lpp_type *type, const json_t *channels,
			   char cause[LPP_CAUSE_MAX])
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)channels, name, value)
	{
		uint8_t channel;
		if (!read_channel(name, &channel)) {
			snprintf(cause, LPP_CAUSE_MAX, "%s.%.32s: expected a channel, 0 to 255", type->name,
				 name);
			return false;
		}
		wr_u8(wr, channel);
		if (type != &untyped)
			wr_u8(wr, type->type);
		if (!write_parts(wr, type, value)) {
			snprintf(cause, LPP_CAUSE_MAX, "%s.%u: not a value that this type holds", type->name,
				 channel);
			return false;
		}
	}
	return true;
}

bool lpp_encode(const json_t *object, uint8_t *payload, size_t capacity, size_t *length,
		char cause[LPP_CAUSE_MAX])
{
	struct wr wr = wr_init(payload, capacity);
	const char *name;
	json_t *channels;
	if (json_object_size(object) == 0) {
		snprintf(cause, LPP_CAUSE_MAX, "expected an object such as {\"digitalOutput\": {\"1\": 1}}");
		return false;
	}
	json_object_foreach((json_t *)object, name, channels)
	{
		const struct lpp_type *type = type_named(name);
		if (!type || json_object_size(channels) == 0) {
			snprintf(cause, LPP_CAUSE_MAX,
				 type ? "%.48s: expected an object of channels"
				      : "%.48s: no type of Cayenne LPP",
				 name);
			return false;
		}
		if (type == &untyped && json_object_size(object) > 1) {
			snprintf(cause, LPP_CAUSE_MAX, "value: stands alone, its form has no types");
			return false;
		}
		if (!write_channels(&wr, type, channels, cause))
			return false;
	}
	if (!wr_ok(&wr)) {
		snprintf(cause, LPP_CAUSE_MAX, "longer than %zu bytes", capacity);
		return false;
	}
	*length = wr_length(&wr);
	return true;
}
