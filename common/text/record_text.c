/* Values of records as the text of an option or a CSV cell, and back. */
#include "common/text/record_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *number_from_text(const struct record_field *field, const char *text)
{
	char *end = NULL;
	errno = 0;
	if (field->type == RECORD_INTEGER) {
		long long number = strtoll(text, &end, 10);
		return errno == 0 && end != text && *end == '\0' ? json_integer(number) : NULL;
	}
	double number = strtod(text, &end);
	return errno == 0 && end != text && *end == '\0' ? json_real(number) : NULL;
}

static json_t *boolean_from_text(const char *text)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "1") == 0)
		return json_true();
	if (strcmp(text, "false") == 0 || strcmp(text, "no") == 0 || strcmp(text, "0") == 0)
		return json_false();
	return NULL;
}

/* "k=v;k=v"; a value may hold `=`, neither may hold `;`. */
static json_t *tags_from_text(const char *text)
{
	json_t *tags = json_object();
	while (tags && *text) {
		size_t length = strcspn(text, ";");
		const char *equals = memchr(text, '=', length);
		char key[256];
		if (!equals || equals == text || (size_t)(equals - text) >= sizeof key) {
			json_decref(tags);
			return NULL;
		}
		memcpy(key, text, (size_t)(equals - text));
		key[equals - text] = '\0';
		json_t *value = json_stringn(equals + 1, length - (size_t)(equals + 1 - text));
		if (!value || json_object_set_new(tags, key, value) != 0) {
			json_decref(tags);
			return NULL;
		}
		text += length;
		if (*text == ';')
			text++;
	}
	return tags;
}

static const char *expected(enum record_type type)
{
	switch (type) {
	case RECORD_INTEGER: return "must be an integer";
	case RECORD_NUMBER: return "must be a number";
	case RECORD_BOOLEAN: return "must be true or false";
	case RECORD_TAGS: return "must be written as k=v;k=v";
	case RECORD_OBJECT: return "must be a JSON object";
	default: return "must be UTF-8 text";
	}
}

static json_t *value_from_text(const struct record_field *field, const char *text)
{
	switch (field->type) {
	case RECORD_INTEGER:
	case RECORD_NUMBER: return number_from_text(field, text);
	case RECORD_BOOLEAN: return boolean_from_text(text);
	case RECORD_TAGS: return tags_from_text(text);
	case RECORD_OBJECT:
		return field->names && *text != '{' ? json_string(text)
						    : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	default: return json_string(text);
	}
}

enum status record_value_from_text(const struct record_field *field, const char *text, json_t **value,
				   struct record_problem *problem)
{
	bool null = *text == '\0' && (field->flags & RECORD_NULLABLE);
	json_t *made = null ? json_null() : value_from_text(field, text);
	if (!made) {
		snprintf(problem->field, sizeof problem->field, "%s", field->name);
		snprintf(problem->reason, sizeof problem->reason, "%s", expected(field->type));
		return ST_INVALID;
	}
	*value = made;
	return ST_OK;
}

static void append(char *text, size_t capacity, const char *piece)
{
	size_t used = strlen(text);
	snprintf(text + used, capacity - used, "%s", piece);
}

static void tags_to_text(const json_t *tags, char *text, size_t capacity)
{
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)tags, key, item)
	{
		if (*text)
			append(text, capacity, ";");
		append(text, capacity, key);
		append(text, capacity, "=");
		append(text, capacity, json_is_string(item) ? json_string_value(item) : "");
	}
}

void record_value_to_text(const struct record_field *field, const json_t *value, char *text, size_t capacity)
{
	if (capacity == 0)
		return;
	text[0] = '\0';
	if (!value || json_is_null(value) || (field->flags & RECORD_SECRET))
		return;
	if (json_is_string(value))
		append(text, capacity, json_string_value(value));
	else if (json_is_boolean(value))
		append(text, capacity, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		snprintf(text, capacity, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, capacity, "%.10g", json_real_value(value));
	else if (field->type == RECORD_TAGS)
		tags_to_text(value, text, capacity);
	else {
		size_t length = json_dumpb(value, text, capacity - 1,
					   JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
		text[length < capacity ? length : capacity - 1] = '\0';
	}
}
