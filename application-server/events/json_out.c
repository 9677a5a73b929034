#include "application-server/events/json_out.h"

#include "common/base/hex.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE64_MAX 255 /* bytes of the longest payload */

struct json_out json_out_init(char *text, size_t capacity)
{
	return (struct json_out){.wr = wr_init((uint8_t *)text, capacity)};
}

bool json_out_done(struct json_out *out, size_t *length)
{
	*length = wr_length(&out->wr);
	wr_u8(&out->wr, 0);
	return wr_ok(&out->wr);
}

static void put(struct json_out *out, const char *text)
{
	wr_copy(&out->wr, (const uint8_t *)text, strlen(text));
}

static void put_escaped(struct json_out *out, const char *text)
{
	wr_u8(&out->wr, '"');
	while (*text) {
		size_t plain = 0;
		while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
			plain++;
		wr_copy(&out->wr, (const uint8_t *)text, plain);
		text += plain;
		if (!*text)
			break;
		char escape[8];
		if (*text == '"' || *text == '\\')
			snprintf(escape, sizeof escape, "\\%c", *text);
		else
			snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*text);
		put(out, escape);
		text++;
	}
	wr_u8(&out->wr, '"');
}

static void begin(struct json_out *out, const char *name)
{
	if (out->comma)
		wr_u8(&out->wr, ',');
	out->comma = true;
	if (name) {
		wr_u8(&out->wr, '"');
		put(out, name);
		put(out, "\":");
	}
}

void json_out_open(struct json_out *out, const char *name, char bracket)
{
	begin(out, name);
	wr_u8(&out->wr, (uint8_t)bracket);
	out->comma = false;
}

void json_out_close(struct json_out *out, char bracket)
{
	wr_u8(&out->wr, (uint8_t)bracket);
	out->comma = true;
}

void json_out_text(struct json_out *out, const char *name, const char *text)
{
	begin(out, name);
	put_escaped(out, text);
}

void json_out_tag(struct json_out *out, const char *name, const char *text)
{
	begin(out, NULL);
	put_escaped(out, name);
	wr_u8(&out->wr, ':');
	put_escaped(out, text);
}

static void put_number(struct json_out *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	wr_copy(&out->wr, (const uint8_t *)digits + at, sizeof digits - at);
}

void json_out_integer(struct json_out *out, const char *name, int64_t value)
{
	begin(out, name);
	if (value < 0)
		wr_u8(&out->wr, '-');
	put_number(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* `units` / 10^decimals, without zeros at the end but the one behind the point. */
static void put_decimal(struct json_out *out, bool negative, uint64_t units, unsigned decimals)
{
	uint64_t scale = 1;
	for (unsigned i = 0; i < decimals; i++)
		scale *= 10;
	uint64_t fraction = units % scale;
	if (negative)
		wr_u8(&out->wr, '-');
	put_number(out, units / scale);
	wr_u8(&out->wr, '.');
	do {
		scale /= 10;
		wr_u8(&out->wr, (uint8_t)('0' + fraction / scale));
		fraction %= scale;
	} while (fraction > 0);
}

/* Nearly every number of an event is a decimal of few places. A decimal of up to 15 digits is told apart from its neighbours
 * by a double, one of up to 6 by a float, so that these are their shortest digits; only what has no such form is printed
 * and read back. Below 0.0001 the printed form has an exponent. */
static bool put_short_double(struct json_out *out, double value)
{
	double size = fabs(value);
	if (!(size < 1e9) || (size < 1e-4 && (size > 0 || signbit(value))))
		return false;
	uint64_t units = (uint64_t)llround(size * 1e6);
	if ((double)units / 1e6 != size)
		return false;
	put_decimal(out, value < 0, units, 6);
	return true;
}

static bool put_short_float(struct json_out *out, float value)
{
	float size = fabsf(value);
	if (!(size < 1e4F) || (size < 1e-2F && (size > 0 || signbit(value))))
		return false;
	uint64_t units = (uint64_t)lround((double)size * 100);
	if ((float)((double)units / 100) != size)
		return false;
	put_decimal(out, value < 0, units, 2);
	return true;
}

void json_out_bool(struct json_out *out, const char *name, bool value)
{
	begin(out, name);
	put(out, value ? "true" : "false");
}

void json_out_float(struct json_out *out, const char *name, double value)
{
	char text[40];
	begin(out, name);
	if (!isfinite(value)) {
		put(out, "null");
		return;
	}
	if (put_short_double(out, value))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put(out, text);
	if (!strpbrk(text, ".e"))
		put(out, ".0");
}

void json_out_single(struct json_out *out, const char *name, float value)
{
	char text[40];
	begin(out, name);
	if (!isfinite(value)) {
		put(out, "null");
		return;
	}
	if (put_short_float(out, value))
		return;
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	put(out, text);
	if (!strpbrk(text, ".e"))
		put(out, ".0");
}

void json_out_base64(struct json_out *out, const char *name, const uint8_t *bytes, size_t length)
{
	char text[BASE64_ROOM(BASE64_MAX)];
	if (length > BASE64_MAX)
		wr_fail(&out->wr);
	else
		base64_encode(text, bytes, length);
	json_out_text(out, name, length > BASE64_MAX ? "" : text);
}

static void put_floats(struct json_out *out, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t index;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_out_open(out, NULL, '{');
		json_object_foreach((json_t *)value, key, item)
		{
			begin(out, NULL);
			put_escaped(out, key);
			wr_u8(&out->wr, ':');
			out->comma = false;
			put_floats(out, item);
		}
		json_out_close(out, '}');
		break;
	case JSON_ARRAY:
		json_out_open(out, NULL, '[');
		json_array_foreach(value, index, item)
		{
			put_floats(out, item);
		}
		json_out_close(out, ']');
		break;
	case JSON_STRING: json_out_text(out, NULL, json_string_value(value)); break;
	case JSON_INTEGER:
	case JSON_REAL: json_out_float(out, NULL, json_number_value(value)); break;
	case JSON_TRUE: json_out_bool(out, NULL, true); break;
	case JSON_FALSE: json_out_bool(out, NULL, false); break;
	case JSON_NULL:
		begin(out, NULL);
		put(out, "null");
		break;
	}
}

void json_out_floats(struct json_out *out, const char *name, const json_t *value)
{
	begin(out, name);
	out->comma = false;
	put_floats(out, value);
}
