/* A value of a field is brought to its normal form, or refused with a reason that names what was expected: one
 * function a type of value. */
#include "common/text/record_value.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/printable.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAGS_MAX      32
#define TAG_KEY_MAX   63
#define TAG_VALUE_MAX 255
#define OBJECT_MAX    (64 * 1024)
#define SLUG_MAX      63
#define UUID_LENGTH   36

static bool refuse(struct record_reason *reason, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(struct record_reason *reason, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason->text, sizeof reason->text, format, arguments);
	va_end(arguments);
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool all_hex(const char *text, size_t length)
{
	if (strlen(text) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (hex_digit(text[i]) < 0)
			return false;
	return true;
}

static bool is_uuid(const char *text)
{
	if (strlen(text) != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		if (hyphen ? text[i] != '-' : hex_digit(text[i]) < 0)
			return false;
	}
	return true;
}

static bool is_slug(const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length > SLUG_MAX || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_digit(text[i]) && !(text[i] >= 'a' && text[i] <= 'z') && text[i] != '-')
			return false;
	return true;
}

static json_t *lower_case(const char *text)
{
	char lower[UUID_LENGTH + 1];
	size_t length = strlen(text);
	ASSERT_CMP(length, <, sizeof lower);
	for (size_t i = 0; i <= length; i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	return json_string(lower);
}

/* A JSON text may hold NUL, which C text may not. */
static const char *plain_text(const json_t *value, struct record_reason *reason)
{
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
		refuse(reason, "must be a text");
		return NULL;
	}
	return json_string_value(value);
}

static bool check_text(const struct record_field *field, const char *text, json_t **normal,
		       struct record_reason *reason)
{
	size_t length = strlen(text);
	if ((int64_t)length < field->min || (int64_t)length > field->max)
		return refuse(reason, "must have %lld to %lld bytes, has %zu", (long long)field->min,
			      (long long)field->max, length);
	if (!printable_is(text))
		return refuse(reason, "must not hold control characters");
	*normal = json_string(text);
	return true;
}

static bool check_slug(const struct record_field *field, const char *text, json_t **normal,
		       struct record_reason *reason)
{
	if (!is_slug(text))
		return refuse(reason, "must be 1 to 63 of a-z, 0-9 and -, without - at an end");
	if (field->max != 0 && (int64_t)strlen(text) > field->max)
		return refuse(reason, "must have at most %lld characters", (long long)field->max);
	if (is_uuid(text) || all_hex(text, 16))
		return refuse(reason, "must not look like a UUID or an EUI");
	*normal = json_string(text);
	return true;
}

static bool check_hex(const char *text, size_t digits, json_t **normal, struct record_reason *reason)
{
	if (!all_hex(text, digits))
		return refuse(reason, "must be %zu hexadecimal digits", digits);
	*normal = lower_case(text);
	return true;
}

/* The reason never repeats the value: it may be a key in clear. */
static bool check_sealed_key(const char *text, json_t **normal, struct record_reason *reason)
{
	uint8_t blob[RECORD_SEALED_KEY_SIZE];
	size_t length = 0;
	bool decoded = base64_decode(blob, sizeof blob, &length, text, strlen(text));
	if (all_hex(text, 32) || (decoded && length == 16))
		return refuse(reason,
			      "is a key in clear; keys travel sealed to their reader (GET /api/v1/keys)");
	if (!decoded || length != sizeof blob)
		return refuse(reason, "must be base64 of a sealed key (%d bytes)", RECORD_SEALED_KEY_SIZE);
	char encoded[BASE64_ROOM(RECORD_SEALED_KEY_SIZE)];
	base64_encode(encoded, blob, sizeof blob);
	*normal = json_string(encoded);
	return true;
}

static bool check_integer(const struct record_field *field, const json_t *value, json_t **normal,
			  struct record_reason *reason)
{
	double real = json_is_real(value) ? json_real_value(value) : 0;
	/* `10.0` is an integer too, for clients that know no other numbers. */
	bool whole = json_is_integer(value) ||
		     (json_is_real(value) && real == floor(real) && fabs(real) < 9e15);
	if (!whole)
		return refuse(reason, "must be an integer");
	int64_t number = json_is_integer(value) ? json_integer_value(value) : (int64_t)real;
	if (number < field->min || number > field->max)
		return refuse(reason, "must be %lld to %lld", (long long)field->min, (long long)field->max);
	*normal = json_integer(number);
	return true;
}

static bool check_number(const struct record_field *field, const json_t *value, json_t **normal,
			 struct record_reason *reason)
{
	if (!json_is_number(value))
		return refuse(reason, "must be a number");
	double number = json_number_value(value);
	if (!(number >= (double)field->min && number <= (double)field->max))
		return refuse(reason, "must be %lld to %lld", (long long)field->min, (long long)field->max);
	*normal = json_real(number);
	return true;
}

static bool check_enum(const struct record_field *field, const char *text, json_t **normal,
		       struct record_reason *reason)
{
	char list[sizeof reason->text - sizeof "must be one of "] = "";
	for (size_t i = 0; field->names[i]; i++) {
		if (strcmp(field->names[i], text) == 0) {
			*normal = json_string(text);
			return true;
		}
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", field->names[i]);
	}
	return refuse(reason, "must be one of %s", list);
}

static bool check_tags(const json_t *value, json_t **normal, struct record_reason *reason)
{
	if (!json_is_object(value))
		return refuse(reason, "must be an object of texts");
	if (json_object_size(value) > TAGS_MAX)
		return refuse(reason, "must have at most %d tags", TAGS_MAX);
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)value, key, item)
	{
		const char *text = plain_text(item, reason);
		if (!text)
			return refuse(reason, "every tag must be a text");
		if (strlen(key) < 1 || strlen(key) > TAG_KEY_MAX || !printable_is(key))
			return refuse(reason, "a tag's name must have 1 to %d bytes", TAG_KEY_MAX);
		if (strlen(text) > TAG_VALUE_MAX || !printable_is(text))
			return refuse(reason, "a tag's value must have at most %d bytes", TAG_VALUE_MAX);
	}
	*normal = json_deep_copy(value);
	return true;
}

static bool check_object(const struct record_field *field, const json_t *value, json_t **normal,
			 struct record_reason *reason)
{
	if (field->names && json_is_string(value))
		return check_enum(field, json_string_value(value), normal, reason);
	if (!json_is_object(value))
		return refuse(reason, "must be an object");
	if (json_dumpb(value, NULL, 0, JSON_COMPACT) > OBJECT_MAX)
		return refuse(reason, "must have at most %d bytes", OBJECT_MAX);
	*normal = json_deep_copy(value);
	return true;
}

static bool check_reference(const char *text, json_t **normal, struct record_reason *reason)
{
	if (is_uuid(text)) {
		*normal = lower_case(text);
		return true;
	}
	if (!is_slug(text))
		return refuse(reason, "must be a UUID or a slug");
	*normal = json_string(text);
	return true;
}

static bool is_written_as_text(enum record_type type)
{
	switch (type) {
	case RECORD_INTEGER:
	case RECORD_NUMBER:
	case RECORD_BOOLEAN:
	case RECORD_TAGS:
	case RECORD_OBJECT: return false;
	default: return true;
	}
}

bool record_value_check(const struct record_field *field, const json_t *value, json_t **normal,
			struct record_reason *reason)
{
	if (json_is_null(value)) {
		if (!(field->flags & RECORD_NULLABLE))
			return refuse(reason, "must not be null");
		*normal = json_null();
		return true;
	}
	const char *text = NULL;
	if (is_written_as_text(field->type)) {
		text = plain_text(value, reason);
		if (!text)
			return false;
	}
	switch (field->type) {
	case RECORD_TEXT: return check_text(field, text, normal, reason);
	case RECORD_SLUG: return check_slug(field, text, normal, reason);
	case RECORD_UUID:
		if (!is_uuid(text))
			return refuse(reason, "must be a UUID");
		*normal = lower_case(text);
		return true;
	case RECORD_EUI: return check_hex(text, 16, normal, reason);
	case RECORD_DEV_ADDR: return check_hex(text, 8, normal, reason);
	case RECORD_NET_ID: return check_hex(text, 6, normal, reason);
	case RECORD_SEALED_KEY: return check_sealed_key(text, normal, reason);
	case RECORD_INTEGER: return check_integer(field, value, normal, reason);
	case RECORD_NUMBER: return check_number(field, value, normal, reason);
	case RECORD_BOOLEAN:
		if (!json_is_boolean(value))
			return refuse(reason, "must be true or false");
		*normal = json_boolean(json_is_true(value));
		return true;
	case RECORD_ENUM: return check_enum(field, text, normal, reason);
	case RECORD_TAGS: return check_tags(value, normal, reason);
	case RECORD_OBJECT: return check_object(field, value, normal, reason);
	case RECORD_REFERENCE: return check_reference(text, normal, reason);
	case RECORD_TIME:
	case RECORD_TYPE_COUNT: break;
	}
	return refuse(reason, "is made by the server");
}
