/* Validation by the rows of record_schema.c: every given field's value, then what is required, then the rules over
 * several fields, one function a kind. */
#include "common/text/record_value.h"

#include "common/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void record_problems_add(struct record_problems *problems, const char *field, const char *format, ...)
{
	if (problems->count >= RECORD_PROBLEMS_MAX)
		return;
	struct record_problem *problem = &problems->items[problems->count++];
	snprintf(problem->field, sizeof problem->field, "%s", field);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(problem->reason, sizeof problem->reason, format, arguments);
	va_end(arguments);
}

static bool is_set(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return value && !json_is_null(value);
}

static void check_place(enum record_mode mode, const json_t *normal, struct record_problems *problems)
{
	bool lat = is_set(normal, "lat"), lon = is_set(normal, "lon");
	if (mode != RECORD_CHANGE && lat != lon)
		record_problems_add(problems, lat ? "lon" : "lat", "must be given together with %s",
				    lat ? "lat" : "lon");
}

static void check_device(enum record_mode mode, const json_t *normal, struct record_problems *problems)
{
	static const char *const otaa_only[] = {"app_key", "nwk_key", "home_net_id"};
	static const char *const abp_only[] = {"dev_addr", "nwk_s_key", "s_nwk_s_int_key", "nwk_s_enc_key",
					       "app_s_key"};
	check_place(mode, normal, problems);
	const char *activation = json_string_value(json_object_get(normal, "activation"));
	if (mode == RECORD_CHANGE)
		return;
	bool abp = activation && strcmp(activation, "abp") == 0;
	if (abp && !is_set(normal, "dev_addr"))
		record_problems_add(problems, "dev_addr", "is required with activation abp");
	for (size_t i = 0; abp && i < ARRAY_SIZE(otaa_only); i++)
		if (is_set(normal, otaa_only[i]))
			record_problems_add(problems, otaa_only[i], "does not belong to activation abp");
	for (size_t i = 0; !abp && i < ARRAY_SIZE(abp_only); i++)
		if (is_set(normal, abp_only[i]))
			record_problems_add(problems, abp_only[i], "belongs to activation abp");
}

/* A day of the calendar, as in 2027-05-31. */
static bool is_day(const char *text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, end = 0;
	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != 10 || month < 1 ||
	    month > 12)
		return false;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return year >= 2000 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

static void check_gateway(enum record_mode mode, const json_t *normal, struct record_problems *problems)
{
	check_place(mode, normal, problems);
	const char *until = json_string_value(json_object_get(normal, "permission_until"));
	if (until && until[0] && !is_day(until))
		record_problems_add(problems, "permission_until", "must be a day, as in 2027-05-31");
}

enum status record_fill(const struct record_schema *schema, json_t *normal)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if ((field->flags & RECORD_SERVER) || json_object_get(normal, field->name))
			continue;
		json_t *value = NULL;
		if (field->standard)
			value = json_loads(field->standard, JSON_DECODE_ANY, NULL);
		else if (field->flags & RECORD_NULLABLE)
			value = json_null();
		else
			continue;
		if (!value || json_object_set_new(normal, field->name, value) != 0)
			return ST_NO_MEMORY;
	}
	return ST_OK;
}

static void check_given(const struct record_schema *schema, enum record_mode mode, const json_t *object,
			json_t *out, struct record_problems *problems, bool *no_memory)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value)
	{
		const struct record_field *field = record_field(schema, name);
		struct record_reason reason = {""};
		json_t *normal = NULL;
		if (!field)
			record_problems_add(problems, name, "is not a field (of: %s)", schema->name);
		else if (field->flags & RECORD_SERVER)
			record_problems_add(problems, name, "is made by the server");
		else if (mode == RECORD_CHANGE && (field->flags & RECORD_FIXED))
			record_problems_add(problems, name, "may not change after creation");
		else if (!record_value_check(field, value, &normal, &reason))
			record_problems_add(problems, name, "%s", reason.text);
		else if (!normal || json_object_set_new(out, name, normal) != 0)
			*no_memory = true;
	}
}

enum status record_check(const struct record_schema *schema, enum record_mode mode, const json_t *object,
			 json_t **normal, struct record_problems *problems)
{
	problems->count = 0;
	if (!json_is_object(object)) {
		record_problems_add(problems, "", "must be a JSON object");
		return ST_INVALID;
	}
	json_t *out = json_object();
	bool no_memory = !out;
	if (no_memory)
		return ST_NO_MEMORY;
	check_given(schema, mode, object, out, problems, &no_memory);
	for (size_t i = 0; mode != RECORD_CHANGE && i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if ((field->flags & RECORD_REQUIRED) && !json_object_get(object, field->name))
			record_problems_add(problems, field->name, "is required");
	}
	if (problems->count == 0 && schema->kind == RECORD_DEVICE)
		check_device(mode, out, problems);
	if (problems->count == 0 && schema->kind == RECORD_GATEWAY)
		check_gateway(mode, out, problems);
	if (!no_memory && problems->count == 0 && mode == RECORD_CREATE)
		no_memory = record_fill(schema, out) != ST_OK;
	if (no_memory || problems->count) {
		json_decref(out);
		return no_memory ? ST_NO_MEMORY : ST_INVALID;
	}
	*normal = out;
	return ST_OK;
}
