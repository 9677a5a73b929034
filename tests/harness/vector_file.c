#include "tests/harness/vector_file.h"

#include "tests/harness/harness.h"

#include "common/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX 64

size_t t_hex_member(const json_t *object, const char *key, uint8_t *bytes, size_t capacity)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t length = 0;
	if (text != NULL)
		ASSERT(hex_decode(bytes, capacity, &length, text, strlen(text)));
	return length;
}

bool t_has_member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return value != NULL && !json_is_null(value);
}

uint32_t t_hex_number(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? (uint32_t)strtoul(text, NULL, 16) : 0;
}

long long t_int_member(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

bool t_true_member(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool t_text_is(const json_t *object, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL && strcmp(text, value) == 0;
}

struct lw_key t_key_member(const json_t *object, const char *key)
{
	struct lw_key value = {{0}};
	t_hex_member(object, key, value.bytes, sizeof value.bytes);
	return value;
}

struct lw_eui64 t_eui_member(const json_t *object, const char *key)
{
	struct lw_eui64 value = {{0}};
	t_hex_member(object, key, value.bytes, sizeof value.bytes);
	return value;
}

static void run_entries(const json_t *entries, const struct t_vector_kind *kinds, size_t count,
			unsigned (*sums)[2])
{
	size_t at;
	const json_t *entry;
	json_array_foreach(entries, at, entry)
	{
		size_t row = 0;
		if (!t_true_member(entry, "verified"))
			continue;
		while (row < count && !t_text_is(entry, "kind", kinds[row].kind))
			row++;
		t_row(json_string_value(json_object_get(entry, "name")));
		if (!t_true("has a row of its kind", row < count))
			continue;
		const json_t *input = json_object_get(entry, "input"),
			     *expect = json_object_get(entry, "expect");
		bool ran = kinds[row].run != NULL && kinds[row].run(input, expect);
		sums[row][ran ? 0 : 1]++;
	}
}

void t_vector_file(const char *file, const struct t_vector_kind *kinds, size_t count)
{
	char path[128];
	unsigned sums[KINDS_MAX][2] = {{0}};
	json_error_t error;
	ASSERT_CMP(count, <=, KINDS_MAX);
	snprintf(path, sizeof path, "tests/vectors/%s", file);
	json_t *entries = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	t_row(path);
	t_true("is there", json_array_size(entries) > 0);
	run_entries(entries, kinds, count, sums);
	for (size_t i = 0; i < count; i++) {
		t_row(kinds[i].kind);
		t_uint("entries that ran", kinds[i].ran, sums[i][0]);
		t_uint("entries of another side", kinds[i].not_run, sums[i][1]);
		t_true("and why", (kinds[i].not_run > 0) == (kinds[i].why_not != NULL));
	}
	json_decref(entries);
}
