#include "tests/vectors/vectors.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void v_fail(struct vector *vector, const char *member, const char *expected, const char *got)
{
	printf("FAIL %s: %s: %s: expected %s, got %s\n", vector->file, vector->name, member, expected, got);
	vector->failures++;
}

static const char *json_words(json_t *value, char *out, size_t capacity)
{
	char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	snprintf(out, capacity, "%s", text ? text : "nothing");
	free(text);
	return out;
}

static void fail_json(struct vector *vector, const char *member, json_t *expected, const char *got)
{
	char text[256];
	v_fail(vector, member, json_words(expected, text, sizeof text), got);
}

/* Takes a member out of an object; the caller owns what it gets, NULL if it is not there. */
static json_t *take(json_t *from, const char *member)
{
	json_t *value = json_object_get(from, member);
	json_incref(value);
	json_object_del(from, member);
	return value;
}

static void leftovers_of(struct vector *vector, const char *where, json_t *object)
{
	const char *member;
	json_t *value;
	json_object_foreach(object, member, value)
	{
		char name[128], text[256];
		snprintf(name, sizeof name, "%s.%s", where, member);
		v_fail(vector, name, json_words(value, text, sizeof text), "a runner that does not read it");
	}
}

void v_leftovers(struct vector *vector)
{
	leftovers_of(vector, "input", vector->input);
	leftovers_of(vector, "expect", vector->expect);
	for (size_t i = 0; i < vector->part_count; i++) {
		leftovers_of(vector, vector->part_names[i], vector->parts[i]);
		if (json_array_size(vector->parts[i]) > 0)
			v_fail(vector, vector->part_names[i], "elements", "a runner that does not read them");
		json_decref(vector->parts[i]);
	}
	vector->part_count = 0;
}

static bool read_hex(const json_t *value, struct bytes *bytes)
{
	const char *text = json_string_value(value);
	return text && hex_decode(bytes->at, sizeof bytes->at, &bytes->length, text, strlen(text));
}

static bool read_hex_number(json_t *value, uint64_t *number)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;
	*number = 0;
	for (size_t i = 0; i < length; i++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, text[i]);
		if (!digit)
			return false;
		*number = *number << 4 | (uint64_t)(digit - digits);
	}
	return length > 0 && length <= 16;
}

bool v_has(struct vector *vector, const char *member)
{
	json_t *value = json_object_get(vector->input, member);
	if (!json_is_null(value))
		return value != NULL;
	json_object_del(vector->input, member);
	return false;
}

static json_t *input(struct vector *vector, const char *member, json_type type)
{
	json_t *value = take(vector->input, member);
	if (value && json_typeof(value) == type)
		return value;
	char name[128];
	snprintf(name, sizeof name, "input.%s", member);
	fail_json(vector, name, value, "a runner that cannot use it");
	json_decref(value);
	return NULL;
}

static void unusable(struct vector *vector, const char *member)
{
	char name[128];
	snprintf(name, sizeof name, "input.%s", member);
	v_fail(vector, name, "a usable value", "a runner that cannot use it");
}

struct bytes v_bytes(struct vector *vector, const char *member)
{
	struct bytes bytes = {.length = 0};
	json_t *value = input(vector, member, JSON_STRING);
	if (value && !read_hex(value, &bytes))
		unusable(vector, member);
	json_decref(value);
	return bytes;
}

struct bytes v_hex(struct vector *vector, const char *member, const json_t *value)
{
	struct bytes bytes = {.length = 0};
	if (!read_hex(value, &bytes))
		unusable(vector, member);
	return bytes;
}

static struct bytes input_exact(struct vector *vector, const char *member, size_t length)
{
	struct bytes bytes = v_bytes(vector, member);
	if (bytes.length != length) {
		unusable(vector, member);
		memset(&bytes, 0, sizeof bytes);
	}
	return bytes;
}

struct lw_key v_key(struct vector *vector, const char *member)
{
	struct lw_key key;
	memcpy(key.bytes, input_exact(vector, member, sizeof key.bytes).at, sizeof key.bytes);
	return key;
}

struct lw_eui64 v_eui(struct vector *vector, const char *member)
{
	struct lw_eui64 eui;
	memcpy(eui.bytes, input_exact(vector, member, sizeof eui.bytes).at, sizeof eui.bytes);
	return eui;
}

uint64_t v_hex_number(struct vector *vector, const char *member)
{
	uint64_t number = 0;
	json_t *value = input(vector, member, JSON_STRING);
	if (value && !read_hex_number(value, &number))
		unusable(vector, member);
	json_decref(value);
	return number;
}

struct lw_dev_addr v_dev_addr(struct vector *vector, const char *member)
{
	return (struct lw_dev_addr){(uint32_t)v_hex_number(vector, member)};
}

struct lw_net_id v_net_id(struct vector *vector, const char *member)
{
	return (struct lw_net_id){(uint32_t)v_hex_number(vector, member)};
}

uint64_t v_uint(struct vector *vector, const char *member)
{
	json_t *value = input(vector, member, JSON_INTEGER);
	json_int_t number = json_integer_value(value);
	if (number < 0)
		unusable(vector, member);
	json_decref(value);
	return number < 0 ? 0 : (uint64_t)number;
}

/* The text stays in a part of its own until the entry ends. */
const char *v_text(struct vector *vector, const char *member)
{
	json_t *value = input(vector, member, JSON_STRING);
	if (!value)
		return "";
	ASSERT_CMP(vector->part_count, <, V_PARTS_MAX);
	vector->part_names[vector->part_count] = member;
	vector->parts[vector->part_count++] = value;
	return json_string_value(value);
}

enum lw_direction v_direction(struct vector *vector)
{
	const char *text = v_text(vector, "direction");
	if (strcmp(text, "up") != 0 && strcmp(text, "down") != 0)
		unusable(vector, "direction");
	return strcmp(text, "down") == 0 ? LW_DOWN : LW_UP;
}

void v_ignore(struct vector *vector, const char *member)
{
	json_object_del(vector->input, member);
}

bool x_has(json_t *from, const char *member)
{
	return json_object_get(from, member) != NULL;
}

json_t *x_part(struct vector *vector, json_t *from, const char *member)
{
	json_t *value = take(from, member);
	if (!json_is_object(value) && !json_is_array(value)) {
		fail_json(vector, member, value, "an object or array");
		json_decref(value);
		value = json_object();
	}
	ASSERT_CMP(vector->part_count, <, V_PARTS_MAX);
	vector->part_names[vector->part_count] = member;
	vector->parts[vector->part_count++] = value;
	return value;
}

int64_t x_int(struct vector *vector, json_t *from, const char *member, int64_t got)
{
	json_t *value = take(from, member);
	json_int_t expected = json_integer_value(value);
	if (!json_is_integer(value) || expected != got) {
		char text[32];
		snprintf(text, sizeof text, "%" PRId64, got);
		fail_json(vector, member, value, text);
	}
	json_decref(value);
	return expected;
}

uint64_t x_uint(struct vector *vector, json_t *from, const char *member, uint64_t got)
{
	return (uint64_t)x_int(vector, from, member, (int64_t)got);
}

bool x_bool(struct vector *vector, json_t *from, const char *member, bool got)
{
	json_t *value = take(from, member);
	bool expected = json_is_true(value);
	if (!json_is_boolean(value) || expected != got)
		fail_json(vector, member, value, got ? "true" : "false");
	json_decref(value);
	return expected;
}

void x_null(struct vector *vector, json_t *from, const char *member, bool got_null)
{
	json_t *value = take(from, member);
	if (!json_is_null(value) || !got_null)
		fail_json(vector, member, value, got_null ? "null" : "a value");
	json_decref(value);
}

void x_text(struct vector *vector, json_t *from, const char *member, const char *got)
{
	json_t *value = take(from, member);
	if (!json_is_string(value) || strcmp(json_string_value(value), got) != 0)
		fail_json(vector, member, value, got);
	json_decref(value);
}

void v_fail_bytes(struct vector *vector, const char *member, const struct bytes *expected, const uint8_t *got,
		  size_t length)
{
	char texts[2][2 * BYTES_MAX + 1];
	ASSERT_CMP(length, <=, BYTES_MAX);
	hex_encode(texts[0], expected->at, expected->length);
	hex_encode(texts[1], got, length);
	v_fail(vector, member, texts[0], texts[1]);
}

void x_built(struct vector *vector, const char *member, const struct bytes *expected, const uint8_t *got,
	     size_t length)
{
	if (expected->length != length || (length > 0 && memcmp(expected->at, got, length) != 0))
		v_fail_bytes(vector, member, expected, got, length);
}

struct bytes x_bytes(struct vector *vector, json_t *from, const char *member, const uint8_t *got,
		     size_t length)
{
	struct bytes expected = {.length = 0};
	json_t *value = take(from, member);
	if (read_hex(value, &expected))
		x_built(vector, member, &expected, got, length);
	else
		fail_json(vector, member, value, "bytes");
	json_decref(value);
	return expected;
}

/* As many bytes as were expected, zeros if there were others. */
static struct bytes exact(struct vector *vector, json_t *from, const char *member, const uint8_t *got,
			  size_t length)
{
	struct bytes bytes = x_bytes(vector, from, member, got, length);
	if (bytes.length != length)
		memset(&bytes, 0, sizeof bytes);
	return bytes;
}

struct lw_key x_key(struct vector *vector, json_t *from, const char *member, struct lw_key got)
{
	struct lw_key key;
	memcpy(key.bytes, exact(vector, from, member, got.bytes, sizeof got.bytes).at, sizeof key.bytes);
	return key;
}

struct lw_eui64 x_eui(struct vector *vector, json_t *from, const char *member, struct lw_eui64 got)
{
	struct lw_eui64 eui;
	memcpy(eui.bytes, exact(vector, from, member, got.bytes, sizeof got.bytes).at, sizeof eui.bytes);
	return eui;
}

uint64_t x_hex_number(struct vector *vector, json_t *from, const char *member, uint64_t got)
{
	uint64_t expected = 0;
	json_t *value = take(from, member);
	if (!read_hex_number(value, &expected) || expected != got) {
		char text[32];
		snprintf(text, sizeof text, "%" PRIx64, got);
		fail_json(vector, member, value, text);
	}
	json_decref(value);
	return expected;
}

struct lw_dev_addr x_dev_addr(struct vector *vector, json_t *from, const char *member, struct lw_dev_addr got)
{
	return (struct lw_dev_addr){(uint32_t)x_hex_number(vector, from, member, got.value)};
}

struct lw_net_id x_net_id(struct vector *vector, json_t *from, const char *member, struct lw_net_id got)
{
	return (struct lw_net_id){(uint32_t)x_hex_number(vector, from, member, got.value)};
}

void x_reject(struct vector *vector, const char *got)
{
	x_bool(vector, vector->expect, "reject", true);
	x_text(vector, vector->expect, "reason", got);
}
