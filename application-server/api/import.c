/* Bulk registration: one request, one transaction, all or nothing. The first pass checks and prepares every row and
 * writes nothing; only if no row has a problem does the second pass write, and then nothing can be refused. A dry run is
 * the first pass alone. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/store_records.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ROWS_MAX   200000
#define ERRORS_MAX 1000 /* reported; an import with more has other troubles */

struct import {
	struct as_api *api;
	const struct as_call *call;
	struct as_resolver resolver;
	json_t *seen;   /* EUIs of this request */
	json_t *errors; /* {"line", "field", "reason"} */
	struct as_prepared *rows;
	size_t count, created, updated;
	bool failed;
};

static void add_error(struct import *import, json_int_t line, const char *field, const char *reason)
{
	if (json_array_size(import->errors) < ERRORS_MAX)
		json_array_append_new(import->errors, json_pack("{sI ss ss}", "line", line, "field", field,
								"reason", reason));
}

/* An existing device: what may not change must be as it is, the rest are changes. */
static json_t *changes_of(const json_t *sent, const json_t *stored, struct record_problems *problems)
{
	const struct record_schema *schema = record_schema(RECORD_DEVICE);
	json_t *changes = json_copy((json_t *)sent);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		const char *given = json_string_value(json_object_get(sent, field->name));
		const char *is = json_string_value(json_object_get(stored, field->name));
		if (!(field->flags & RECORD_FIXED))
			continue;
		if (given && is && strcasecmp(given, is) != 0)
			record_problems_add(problems, field->name, "is %s and may not change", is);
		json_object_del(changes, field->name);
	}
	return changes;
}

static enum as_prepare_verdict prepare_row(struct import *import, const json_t *sent,
					   struct as_prepared *prepared, struct record_problems *problems)
{
	const json_t *eui = json_object_get(sent, "dev_eui");
	json_t *stored = NULL, *changes = NULL;
	if (json_is_string(eui)) {
		enum status status = as_store_record_get(import->api->app->store, import->call->scope,
							 RECORD_DEVICE, json_string_value(eui), &stored);
		if (status != ST_OK && status != ST_NOT_FOUND)
			return AS_STORE_FAILED;
	}
	if (stored)
		changes = changes_of(sent, stored, problems);
	enum as_prepare_verdict verdict = problems->count
						  ? AS_PROBLEMS
						  : as_prepare(import->api, &import->resolver, RECORD_DEVICE,
							       changes ? changes : sent, stored, prepared,
							       problems);
	json_decref(changes);
	json_decref(stored);
	return verdict;
}

static void check_row(struct import *import, const json_t *given)
{
	struct record_problems problems = {.count = 0};
	struct as_prepared prepared = {0};
	const json_t *line_value = json_object_get(given, "line");
	json_int_t line = json_integer_value(line_value);
	if (!json_is_object(given)) {
		add_error(import, 0, "", "every row must be an object");
		return;
	}
	json_t *sent = json_copy((json_t *)given);
	json_object_del(sent, "line");
	enum as_prepare_verdict verdict = prepare_row(import, sent, &prepared, &problems);
	json_decref(sent);
	if (!json_is_integer(line_value))
		add_error(import, line, "line", "must be an integer");
	if (verdict == AS_FORBIDDEN)
		add_error(import, line, "", "the caller's role does not permit this");
	for (size_t i = 0; i < problems.count; i++)
		add_error(import, line, problems.items[i].field, problems.items[i].reason);
	if (verdict == AS_STORE_FAILED)
		import->failed = true;
	if (verdict == AS_PREPARED) {
		const char *eui = json_string_value(json_object_get(prepared.record, "dev_eui"));
		if (json_object_get(import->seen, eui))
			add_error(import, line, "dev_eui", "stands in this import twice");
		json_object_set_new(import->seen, eui, json_true());
		import->rows[import->count++] = prepared;
		*(prepared.create ? &import->created : &import->updated) += 1;
	} else
		as_prepared_release(&prepared);
}

/* An AppSKey that does not open is found at the first write of its row: it is tried before anything is written. */
static void check_app_s_keys(struct import *import, const json_t *rows)
{
	for (size_t i = 0; i < import->count; i++) {
		struct record_problems problems = {.count = 0};
		if (as_prepared_opens(import->api, &import->rows[i], &problems))
			continue;
		json_int_t line = json_integer_value(json_object_get(json_array_get(rows, i), "line"));
		add_error(import, line, problems.items[0].field, problems.items[0].reason);
	}
}

static void write_rows(struct import *import)
{
	for (size_t i = 0; i < import->count && !import->failed; i++) {
		struct record_problems problems = {.count = 0};
		import->failed = as_write_prepared(import->api, import->call->now, &import->rows[i],
						   &problems) != AS_PREPARED;
	}
	/* Prepared rows cannot be refused; if one is, the turn must not keep the others. */
	if (import->failed)
		as_store_abandon(import->api->app->store);
}

static void run(struct import *import, const json_t *rows, bool dry_run, struct as_answer *answer)
{
	const json_t *row;
	size_t index;
	json_array_foreach(rows, index, row)
	{
		if (!import->failed)
			check_row(import, row);
	}
	if (!import->failed && json_array_size(import->errors) == 0)
		check_app_s_keys(import, rows);
	if (!import->failed && json_array_size(import->errors) == 0 && !dry_run)
		write_rows(import);
	if (import->failed)
		as_answer_failed(answer, ST_DATABASE);
	else if (json_array_size(import->errors)) {
		as_answer_problem(answer, 422, NULL, "nothing was imported");
		json_object_set(answer->body, "errors", import->errors);
	} else
		as_answer_json(answer, 200,
			       json_pack("{sI sI sb}", "created", (json_int_t)import->created, "updated",
					 (json_int_t)import->updated, "dry_run", dry_run));
}

void as_handle_import(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const json_t *rows = json_object_get(call->body, "rows"),
		     *dry_run = json_object_get(call->body, "dry_run");
	if (!as_call_has_object(call, answer))
		return;
	if (!json_is_array(rows) || json_array_size(rows) > ROWS_MAX) {
		as_answer_problem(answer, 422, "rows", "rows must be an array of at most %d", ROWS_MAX);
		return;
	}
	if (dry_run && !json_is_boolean(dry_run)) {
		as_answer_problem(answer, 422, "dry_run", "dry_run must be true or false");
		return;
	}
	struct import import = {.api = api, .call = call, .seen = json_object(), .errors = json_array()};
	import.resolver = (struct as_resolver){api->app->store, call->scope, json_object()};
	import.rows = calloc(json_array_size(rows) + 1, sizeof *import.rows);
	ASSERT(import.rows);
	run(&import, rows, json_is_true(dry_run), answer);
	for (size_t i = 0; i < import.count; i++)
		as_prepared_release(&import.rows[i]);
	free(import.rows);
	json_decref(import.seen);
	json_decref(import.errors);
	json_decref(import.resolver.cache);
}
