#include "application-server/api/answer.h"

#include "application-server/why/why.h"
#include "common/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

static const struct {
	int status;
	const char *title;
} titles[] = {
	{400, "Bad request"},       {403, "Not permitted"},  {404, "Not found"}, {409, "Conflict"},
	{422, "Refused by a rule"}, {429, "Quota is spent"}, {500, "Failed"},    {503, "Not available"},
};

static const char *title_of(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Failed";
}

void as_answer_release(struct as_answer *answer)
{
	json_decref(answer->body);
	as_why_free(answer->why);
	free(answer->octets);
	*answer = (struct as_answer){0};
}

void as_answer_json(struct as_answer *answer, int status, json_t *body)
{
	if (!body)
		status = 500;
	*answer = (struct as_answer){.status = status, .body = body};
}

static json_t *problem(int status, const char *field, const char *detail)
{
	return json_pack("{ss ss si ss ss*}", "type", "about:blank", "title", title_of(status), "status",
			 status, "detail", detail, "field", field);
}

void as_answer_problem(struct as_answer *answer, int status, const char *field, const char *format, ...)
{
	char detail[300];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(detail, sizeof detail, format, arguments);
	va_end(arguments);
	*answer = (struct as_answer){.status = status, .body = problem(status, field, detail)};
}

void as_answer_problems(struct as_answer *answer, const struct record_problems *problems)
{
	char detail[300];
	const struct record_problem *first = &problems->items[0];
	ASSERT_CMP(problems->count, >, 0);
	/* Most reasons go on from the field's name: "slug must be ..."; "no such profile: x" does not. */
	const char *between = !*first->field ? "" : strncmp(first->reason, "no such ", 8) == 0 ? ": " : " ";
	snprintf(detail, sizeof detail, "%s%s%s", first->field, between, first->reason);
	json_t *body = problem(422, first->field, detail), *errors = json_array();
	for (size_t i = 0; i < problems->count; i++)
		json_array_append_new(errors, json_pack("{ss ss}", "field", problems->items[i].field,
							"reason", problems->items[i].reason));
	json_object_set_new(body, "errors", errors);
	*answer = (struct as_answer){.status = 422, .body = body};
}

void as_answer_failed(struct as_answer *answer, enum status status)
{
	as_answer_problem(answer, 500, NULL, "the store failed: %s", status_name(status));
}

void as_answer_not_found(struct as_answer *answer, const struct record_schema *schema)
{
	if (schema)
		as_answer_problem(answer, 404, NULL, "no such %s", schema->name);
	else
		as_answer_problem(answer, 404, NULL, "no such collection");
}

void as_answer_forbidden(struct as_answer *answer)
{
	as_answer_problem(answer, 403, NULL, "the caller's role does not permit this");
}

void as_answer_not_json(struct as_answer *answer, int line, int column, const char *why)
{
	const char *quoted = strstr(why, " near ");
	as_answer_problem(answer, 400, NULL, "the body is not JSON: line %d, column %d: %.*s", line, column,
			  (int)(quoted ? (size_t)(quoted - why) : strlen(why)), why);
}

json_t *as_body_parse(const uint8_t *bytes, size_t length, struct as_answer *answer)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		as_answer_not_json(answer, error.line, error.column, error.text);
	return json;
}

const char *as_call_query(const struct as_call *call, const char *name)
{
	const char *value = call->query ? call->query(call->query_ctx, name) : NULL;
	return value && *value ? value : NULL;
}

bool as_call_limit(const struct as_call *call, struct as_answer *answer, unsigned *limit)
{
	const char *text = as_call_query(call, "limit");
	char *end = NULL;
	long number = text ? strtol(text, &end, 10) : LIMIT_DEFAULT;
	if (text && (*end != '\0' || number < 1 || number > LIMIT_MAX)) {
		as_answer_problem(answer, 422, "limit", "limit must be 1 to %d", LIMIT_MAX);
		return false;
	}
	*limit = (unsigned)number;
	return true;
}

bool as_call_place(const struct as_call *call, struct as_answer *answer, uint64_t *place)
{
	const char *text = as_call_query(call, "after");
	char *end = NULL;
	*place = text ? strtoull(text, &end, 10) : 0;
	if (!text || (*end == '\0' && *place != 0))
		return true;
	as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
	return false;
}

bool as_call_has_object(const struct as_call *call, struct as_answer *answer)
{
	if (json_is_object(call->body))
		return true;
	as_answer_problem(answer, 400, NULL, "the body must be a JSON object");
	return false;
}
