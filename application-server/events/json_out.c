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

void json_out_integer(struct json_out *out, const char *name, int64_t value)
{
	char text[24];
	begin(out, name);
	snprintf(text, sizeof text, "%" PRId64, value);
	put(out, text);
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
