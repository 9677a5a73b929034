/* The outer two levels are read here; each value inside them is jansson's, which says where it ended. */
#include "application-server/api/import_body.h"

#include <string.h>

#define WHOLE_VALUE (JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY)

/* The next byte that is no white space; '\0' at the end. */
static char peek(struct as_import_body *body)
{
	static const char white[] = {' ', '\t', '\r', '\n'};
	while (body->at < body->length && memchr(white, body->text[body->at], sizeof white))
		body->at++;
	return body->at < body->length ? body->text[body->at] : '\0';
}

static bool take(struct as_import_body *body, char wanted)
{
	if (peek(body) != wanted)
		return false;
	body->at++;
	return true;
}

static enum as_import_part refuse(const struct as_import_body *body, size_t place, const char *why,
				  struct as_answer *answer)
{
	int line = 1, column = 1;
	for (size_t i = 0; i < place && i < body->length; i++) {
		column = body->text[i] == '\n' ? 1 : column + 1;
		line += body->text[i] == '\n';
	}
	as_answer_not_json(answer, line, column, why);
	return AS_IMPORT_REFUSED;
}

/* Gives the value that begins here; NULL with an answer. */
static json_t *value(struct as_import_body *body, struct as_answer *answer)
{
	json_error_t error;
	peek(body);
	json_t *json = json_loadb(body->text + body->at, body->length - body->at, WHOLE_VALUE, &error);
	if (json)
		body->at += (size_t)error.position;
	else
		refuse(body, body->at + (error.position > 0 ? (size_t)error.position : 0), error.text,
		       answer);
	return json;
}

static const char *list_of(const struct as_import_body *body)
{
	return body->list ? body->list : "rows";
}

static enum as_import_part refuse_field(const char *field, const char *rule, struct as_answer *answer)
{
	as_answer_problem(answer, 422, field, "%s %s", field, rule);
	return AS_IMPORT_REFUSED;
}

/* A member's name and colon are read; its value follows. END: go on. */
static enum as_import_part member(struct as_import_body *body, const char *name, struct as_answer *answer)
{
	size_t place = body->at;
	if (strcmp(name, list_of(body)) == 0) {
		if (body->has_rows)
			return refuse(body, place, "duplicate object key", answer);
		body->has_rows = body->in_rows = take(body, '[');
		if (!body->has_rows)
			return refuse_field(list_of(body), "must be an array", answer);
		return AS_IMPORT_END;
	}
	json_t *json = value(body, answer);
	if (!json)
		return AS_IMPORT_REFUSED;
	bool is_dry_run = strcmp(name, "dry_run") == 0, is_boolean = json_is_boolean(json);
	bool again = is_dry_run && body->has_dry_run;
	if (is_dry_run) {
		body->dry_run = json_is_true(json);
		body->has_dry_run = true;
	}
	json_decref(json);
	if (again)
		return refuse(body, place, "duplicate object key", answer);
	return is_dry_run && !is_boolean ? refuse_field("dry_run", "must be true or false", answer)
					 : AS_IMPORT_END;
}

/* Reads from one member of the object to the next, or into the rows. */
static enum as_import_part next_member(struct as_import_body *body, bool first, struct as_answer *answer)
{
	if (!first && !take(body, ','))
		return refuse(body, body->at, "',' or '}' is missing", answer);
	if (peek(body) != '"')
		return refuse(body, body->at, "a name in quotes is missing", answer);
	json_t *name = value(body, answer);
	if (!name)
		return AS_IMPORT_REFUSED;
	enum as_import_part part = take(body, ':') ? member(body, json_string_value(name), answer)
						   : refuse(body, body->at, "':' is missing", answer);
	json_decref(name);
	return part;
}

static enum as_import_part next_row(struct as_import_body *body, json_t **row, struct as_answer *answer)
{
	if (body->rows == AS_IMPORT_ROWS_MAX) {
		as_answer_problem(answer, 422, list_of(body), "%s must be an array of at most %d",
				  list_of(body), AS_IMPORT_ROWS_MAX);
		return AS_IMPORT_REFUSED;
	}
	json_t *json = value(body, answer);
	if (!json)
		return AS_IMPORT_REFUSED;
	*row = json;
	body->rows++;
	return AS_IMPORT_ROW;
}

enum as_import_part as_import_body_next(struct as_import_body *body, json_t **row, struct as_answer *answer)
{
	bool first = !body->begun;
	if (first && !take(body, '{')) {
		as_answer_problem(answer, 400, NULL, "the body must be a JSON object");
		return AS_IMPORT_REFUSED;
	}
	body->begun = true;
	for (;;) {
		if (body->in_rows && take(body, ']'))
			body->in_rows = false;
		else if (body->in_rows && (body->rows == 0 || take(body, ',')))
			return next_row(body, row, answer);
		else if (body->in_rows)
			return refuse(body, body->at, "',' or ']' is missing", answer);
		else if (take(body, '}'))
			break;
		else {
			enum as_import_part part = next_member(body, first, answer);
			if (part == AS_IMPORT_REFUSED)
				return part;
			first = false;
		}
	}
	if (peek(body) != '\0' || body->at < body->length)
		return refuse(body, body->at, "something follows the object", answer);
	return body->has_rows ? AS_IMPORT_END : refuse_field(list_of(body), "must be an array", answer);
}
