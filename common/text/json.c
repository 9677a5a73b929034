#include "common/text/json.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/printable.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- errors --- */

static void append(char *text, size_t capacity, const char *more)
{
	size_t used = strlen(text);
	if (used < capacity)
		printable_copy(text + used, capacity - used, more);
}

static void append_path(char *text, size_t capacity, const struct jr *at)
{
	if (!at->parent)
		return;
	append_path(text, capacity, at->parent);
	append(text, capacity, "/");
	if (at->key) {
		char key[64 + 1];
		printable_copy(key, sizeof key, at->key);
		append(text, capacity, key);
		return;
	}
	char number[24];
	snprintf(number, sizeof number, "%zu", at->index);
	append(text, capacity, number);
}

void jr_fail(const struct jr *at, const char *format, ...)
{
	struct jr_doc *doc = at->doc;
	if (doc->failed)
		return;
	doc->failed = true;
	doc->error[0] = '\0';
	append_path(doc->error, sizeof doc->error - 96, at);
	if (!at->parent)
		append(doc->error, sizeof doc->error, "/");
	append(doc->error, sizeof doc->error, ": ");
	char message[160];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	append(doc->error, sizeof doc->error, message);
}

/* --- parsing --- */

/* Deepest nesting of brackets outside strings; jansson recurses as deep, so this is asked before. */
static unsigned nesting(const char *text, size_t length)
{
	unsigned depth = 0, deepest = 0;
	bool in_string = false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '[') && ++depth > deepest)
			deepest = depth;
		else if (!in_string && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return deepest;
}

bool jr_parse(struct jr_doc *doc, const char *text, size_t length, unsigned max_depth)
{
	*doc = (struct jr_doc){0};
	const struct jr root = {.doc = doc};
	if (length > JR_SIZE_MAX) {
		jr_fail(&root, "larger than %d bytes", JR_SIZE_MAX);
		return false;
	}
	if (nesting(text, length) > max_depth) {
		jr_fail(&root, "nested deeper than %u", max_depth);
		return false;
	}
	json_error_t error;
	doc->root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!doc->root) {
		doc->failed = true;
		snprintf(doc->error, sizeof doc->error, "line %d, column %d: ", error.line, error.column);
		append(doc->error, sizeof doc->error, error.text);
	}
	return !doc->failed;
}

void jr_release(struct jr_doc *doc)
{
	json_decref(doc->root);
	doc->root = NULL;
}

/* --- places --- */

struct jr jr_root(struct jr_doc *doc)
{
	return (struct jr){.doc = doc, .value = doc->root};
}

bool jr_is_there(const struct jr *at)
{
	return at->value != NULL && !at->doc->failed;
}

struct jr jr_optional(const struct jr *object, const char *key)
{
	struct jr member = {.doc = object->doc, .parent = object, .key = key};
	if (!jr_is_there(object))
		return member;
	if (!json_is_object(object->value)) {
		jr_fail(object, "expected an object");
		return member;
	}
	json_t *value = json_object_get(object->value, key);
	if (value && !json_is_null(value))
		member.value = value;
	return member;
}

struct jr jr_member(const struct jr *object, const char *key)
{
	struct jr member = jr_optional(object, key);
	if (!member.value && jr_is_there(object))
		jr_fail(&member, "missing");
	return member;
}

size_t jr_count(const struct jr *array, size_t max)
{
	if (!jr_is_there(array))
		return 0;
	if (!json_is_array(array->value)) {
		jr_fail(array, "expected an array");
		return 0;
	}
	size_t count = json_array_size(array->value);
	if (count > max) {
		jr_fail(array, "expected at most %zu elements, got %zu", max, count);
		return 0;
	}
	return count;
}

struct jr jr_element(const struct jr *array, size_t index)
{
	struct jr element = {.doc = array->doc, .parent = array, .index = index};
	if (jr_is_there(array))
		element.value = json_array_get(array->value, index);
	return element;
}

void jr_only(const struct jr *object, const char *const *names)
{
	if (!jr_is_there(object))
		return;
	const char *key;
	json_t *value;
	json_object_foreach(object->value, key, value)
	{
		size_t i = 0;
		while (names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!names[i]) {
			const struct jr member = {.doc = object->doc, .parent = object, .key = key};
			jr_fail(&member, "unknown member");
			return;
		}
	}
}

/* --- values --- */

int64_t jr_int(const struct jr *at, int64_t min, int64_t max)
{
	if (!jr_is_there(at))
		return 0;
	bool whole = json_is_integer(at->value);
	int64_t value = whole ? json_integer_value(at->value) : 0;
	if (json_is_real(at->value)) {
		double real = json_real_value(at->value);
		/* 2^53: beyond it a double no longer tells whole numbers apart. */
		whole = real == floor(real) && fabs(real) <= 9007199254740992.0;
		value = whole ? (int64_t)real : 0;
	}
	if (!whole || value < min || value > max) {
		jr_fail(at, "expected a whole number, %" PRId64 " to %" PRId64, min, max);
		return 0;
	}
	return value;
}

double jr_number(const struct jr *at, double min, double max)
{
	if (!jr_is_there(at))
		return 0;
	double value = json_number_value(at->value);
	if (!json_is_number(at->value) || !isfinite(value) || value < min || value > max) {
		jr_fail(at, "expected a number, %g to %g", min, max);
		return 0;
	}
	return value;
}

bool jr_bool(const struct jr *at)
{
	if (!jr_is_there(at))
		return false;
	if (!json_is_boolean(at->value))
		jr_fail(at, "expected true or false");
	return json_is_true(at->value);
}

const char *jr_string(const struct jr *at, size_t max)
{
	if (!jr_is_there(at))
		return "";
	if (!json_is_string(at->value)) {
		jr_fail(at, "expected a text");
		return "";
	}
	if (json_string_length(at->value) > max) {
		jr_fail(at, "expected at most %zu bytes", max);
		return "";
	}
	return json_string_value(at->value);
}

void jr_hex(const struct jr *at, uint8_t *bytes, size_t length)
{
	memset(bytes, 0, length);
	if (!jr_is_there(at))
		return;
	const char *text = json_string_value(at->value);
	if (!text || !hex_decode_exact(bytes, length, text)) {
		memset(bytes, 0, length);
		jr_fail(at, "expected %zu hex digits", 2 * length);
	}
}

size_t jr_hex_any(const struct jr *at, uint8_t *bytes, size_t capacity)
{
	if (!jr_is_there(at))
		return 0;
	const char *text = json_string_value(at->value);
	if (text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	size_t length = 0;
	if (!text || !hex_decode(bytes, capacity, &length, text, strlen(text))) {
		jr_fail(at, "expected hex digits, at most %zu bytes", capacity);
		return 0;
	}
	return length;
}

size_t jr_base64(const struct jr *at, uint8_t *bytes, size_t capacity)
{
	if (!jr_is_there(at))
		return 0;
	const char *text = json_string_value(at->value);
	size_t length = 0;
	if (!text || !base64_decode(bytes, capacity, &length, text, strlen(text))) {
		jr_fail(at, "expected base64, at most %zu bytes", capacity);
		return 0;
	}
	return length;
}

size_t jr_choice(const struct jr *at, const char *const *names)
{
	if (!jr_is_there(at))
		return 0;
	const char *text = json_string_value(at->value);
	char expected[128] = "";
	for (size_t i = 0; names[i]; i++) {
		if (text && strcmp(text, names[i]) == 0)
			return i;
		if (i > 0)
			append(expected, sizeof expected, ", ");
		append(expected, sizeof expected, names[i]);
	}
	jr_fail(at, "expected one of %s", expected);
	return 0;
}
