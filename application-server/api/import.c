#include "application-server/api/import.h"

#include "application-server/api/answer.h"
#include "application-server/api/claims.h"
#include "application-server/api/collections.h"
#include "application-server/api/import_body.h"
#include "application-server/api/import_euis.h"
#include "application-server/api/records.h"
#include "application-server/api/shelving.h"
#include "application-server/identity/audit.h"
#include "application-server/store_imports.h"
#include "application-server/store_records.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_ENOUGH  1000 /* a few more where one row has several; the rows behind are not looked at */
#define DROPPED_A_TURN 16   /* slices */

enum state { CHECKING, WRITING, DROPPING };

struct as_import {
	enum state state;
	bool shelves; /* rows of the shelf (shelving.h), not of devices */
	char who[AS_AUDIT_WHO_MAX];
	char first[LW_EUI64_TEXT]; /* of the shelf's, for the audit */
	struct as_scope scope;
	struct as_resolver resolver;
	char *text; /* owned; NULL: resumed */
	struct as_import_body body;
	struct as_import_euis seen;
	json_t *slice;             /* prepared rows of this turn */
	json_t *errors;            /* {"line", "field", "reason"} */
	json_int_t error_line;     /* of the last of these; of a row that names none: its place */
	bool cut;                  /* rows behind that were not looked at */
	uint64_t created, updated; /* the shelf's: put there, passed over */
	struct wall decided_at;
	struct as_answer answer; /* kept until what was laid down is gone */
};

static struct as_import *import_new(struct as_api *api, enum state state)
{
	struct as_import *import = calloc(1, sizeof *import);
	ASSERT(import && !api->import);
	import->state = state;
	import->slice = json_array();
	import->errors = json_array();
	import->resolver = (struct as_resolver){.store = api->app->store,
						.scope = &import->scope,
						.cache = json_object(),
						.who = import->who};
	api->import = import;
	return import;
}

void as_import_release(struct as_api *api)
{
	struct as_import *import = api->import;
	if (!import)
		return;
	as_import_euis_release(&import->seen);
	json_decref(import->slice);
	json_decref(import->errors);
	json_decref(import->resolver.cache);
	as_answer_release(&import->answer);
	free(import->text);
	free(import);
	api->import = NULL;
}

static void begin(struct as_api *api, const struct as_call *call, bool shelves, struct as_answer *answer)
{
	if (!call->text) {
		as_answer_problem(answer, 400, NULL, "the body must be a JSON object");
		return;
	}
	struct as_import *import = import_new(api, CHECKING);
	import->shelves = shelves;
	snprintf(import->who, sizeof import->who, "%s", call->who ? call->who : "nobody");
	import->text = malloc(call->text_length);
	ASSERT(import->text);
	memcpy(import->text, call->text, call->text_length);
	import->body = (struct as_import_body){
		.text = import->text, .length = call->text_length, .list = shelves ? "devices" : "rows"};
	import->scope = *call->scope;
	as_import_euis_init(&import->seen, call->text_length, api->rng);
	answer->later = true;
}

void as_handle_import(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	begin(api, call, false, answer);
}

void as_handle_stock_add(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	if (as_may_shelve(call, answer))
		begin(api, call, true, answer);
}

bool as_import_goes_on(const struct as_api *api)
{
	return api->import != NULL;
}

/* --- checking ----------------------------------------------------------------------------------------------- */

static void add_error(struct as_import *import, json_int_t line, const char *field, const char *reason)
{
	json_array_append_new(import->errors,
			      json_pack("{sI ss ss}", "line", line, "field", field, "reason", reason));
	import->error_line = line ? line : (json_int_t)import->body.rows;
}

static enum as_prepare_verdict prepare_row(struct as_api *api, const json_t *sent,
					   struct as_prepared *prepared, struct record_problems *problems)
{
	struct as_import *import = api->import;
	const json_t *eui = json_object_get(sent, "dev_eui");
	json_t *stored = NULL, *changes = NULL;
	if (json_is_string(eui)) {
		enum status status = as_store_record_get(api->app->store, &import->scope, RECORD_DEVICE,
							 json_string_value(eui), &stored);
		if (status != ST_OK && status != ST_NOT_FOUND)
			return AS_STORE_FAILED;
	}
	if (stored)
		changes = as_device_changes(sent, stored, problems);
	enum as_prepare_verdict verdict = problems->count ? AS_PROBLEMS
							  : as_prepare(api, &import->resolver, RECORD_DEVICE,
								       changes ? changes : sent, stored,
								       prepared, problems);
	json_decref(changes);
	json_decref(stored);
	if (verdict == AS_PREPARED && !as_prepared_opens(api, prepared, problems))
		verdict = AS_PROBLEMS;
	return verdict;
}

/* Puts a good row into the turn's slice. */
static void keep(struct as_import *import, json_int_t line, const struct as_prepared *prepared)
{
	const char *eui = json_string_value(json_object_get(prepared->record, "dev_eui"));
	if (as_import_euis_again(&import->seen, eui))
		add_error(import, line, "dev_eui", "stands in this import twice");
	json_array_append_new(import->slice, json_pack("{sb sO sO*}", "create", (int)prepared->create,
						       "record", prepared->record, "keys", prepared->keys));
	*(prepared->create ? &import->created : &import->updated) += 1;
}

/* The same for a row of the shelf. */
static bool check_shelf_row(struct as_api *api, const json_t *sent)
{
	struct as_import *import = api->import;
	const struct as_asking asking = {api->app->store, &import->scope, import->who, import->resolver.now};
	struct record_problems problems = {.count = 0};
	const json_t *line_value = json_object_get(sent, "line");
	json_int_t line = json_is_integer(line_value) ? json_integer_value(line_value)
						      : (json_int_t)import->body.rows;
	json_t *kept = NULL;
	bool left = false;
	enum status status = as_shelving_check(api, &asking, sent, &kept, &left, &problems);
	const char *eui = json_string_value(json_object_get(sent, "dev_eui"));
	if (as_import_euis_again(&import->seen, eui))
		record_problems_add(&problems, "dev_eui", "stands in this call twice");
	for (size_t i = 0; i < problems.count; i++)
		add_error(import, line, problems.items[i].field, problems.items[i].reason);
	if (kept)
		json_array_append_new(import->slice, kept);
	if (!*import->first)
		snprintf(import->first, sizeof import->first, "%s", eui ? eui : "");
	*(left ? &import->updated : &import->created) += problems.count == 0;
	return status == ST_OK;
}

/* False: the store failed. */
static bool check_row(struct as_api *api, json_t *sent)
{
	struct as_import *import = api->import;
	struct record_problems problems = {.count = 0};
	struct as_prepared prepared = {0};
	if (!json_is_object(sent)) {
		add_error(import, 0, "", "every row must be an object");
		return true;
	}
	if (import->shelves)
		return check_shelf_row(api, sent);
	const json_t *line_value = json_object_get(sent, "line");
	json_int_t line = json_integer_value(line_value);
	if (!json_is_integer(line_value))
		add_error(import, line, "line", "must be an integer");
	json_object_del(sent, "line");
	enum as_prepare_verdict verdict = prepare_row(api, sent, &prepared, &problems);
	if (verdict == AS_FORBIDDEN)
		add_error(import, line, "", "the caller's role does not permit this");
	for (size_t i = 0; i < problems.count; i++)
		add_error(import, line, problems.items[i].field, problems.items[i].reason);
	if (verdict == AS_PREPARED)
		keep(import, line, &prepared);
	as_prepared_release(&prepared);
	return verdict != AS_STORE_FAILED;
}

static enum status lay_down(struct as_api *api)
{
	struct as_import *import = api->import;
	bool wanted = json_array_size(import->errors) == 0 && !import->body.dry_run;
	char *text = wanted && json_array_size(import->slice) ? json_dumps(import->slice, JSON_COMPACT)
							      : NULL;
	enum status status = text ? as_store_import_add(api->app->store, text) : ST_OK;
	free(text);
	json_array_clear(import->slice);
	return status;
}

static void answer_with_counts(const struct as_import *import, struct as_answer *answer)
{
	as_answer_json(answer, 200,
		       json_pack("{sI sI sb}", import->shelves ? "shelved" : "created",
				 (json_int_t)import->created, import->shelves ? "claimed" : "updated",
				 (json_int_t)import->updated, "dry_run", (int)import->body.dry_run));
}

static enum status note_shelving(struct as_api *api, struct now now)
{
	const struct as_import *import = api->import;
	char detail[64];
	snprintf(detail, sizeof detail, "%llu devices", (unsigned long long)import->created);
	return import->created ? as_audit_write(api->app->store, now.wall, import->who, AS_AUDIT_STOCK_ADD,
						import->first, detail)
			       : ST_OK;
}

/* The body is at its end: what shall be? */
static enum status decide(struct as_api *api, struct now now)
{
	struct as_import *import = api->import;
	import->state = DROPPING;
	if (import->shelves && import->body.rows == 0) {
		as_answer_problem(&import->answer, 422, "devices", "devices must be an array of 1 to %d",
				  AS_IMPORT_ROWS_MAX);
		return ST_OK;
	}
	if (json_array_size(import->errors)) {
		as_answer_problem(&import->answer, 422, NULL,
				  import->shelves ? "nothing was put on the shelf" : "nothing was imported");
		json_object_set(import->answer.body, "errors", import->errors);
		if (import->cut)
			json_object_set_new(import->answer.body, "read_to_line",
					    json_integer(import->error_line));
		return ST_OK;
	}
	answer_with_counts(import, &import->answer);
	if (import->body.dry_run)
		return ST_OK;
	import->state = WRITING;
	import->decided_at = now.wall;
	enum status status = import->shelves ? note_shelving(api, now) : ST_OK;
	return status == ST_OK ? as_store_import_decide(api->app->store, now.wall) : status;
}

static enum status check(struct as_api *api, struct now now)
{
	struct as_import *import = api->import;
	enum as_import_part part = AS_IMPORT_ROW;
	int share = import->shelves ? AS_SHELVING_ROWS_TURN : AS_IMPORT_ROWS_TURN;
	import->resolver.now = now.wall;
	for (int i = 0; i < share && part == AS_IMPORT_ROW; i++) {
		json_t *row = NULL;
		part = as_import_body_next(&import->body, &row, &import->answer);
		import->cut = part == AS_IMPORT_ROW && json_array_size(import->errors) >= ERRORS_ENOUGH;
		bool failed = part == AS_IMPORT_ROW && !import->cut && !check_row(api, row);
		json_decref(row);
		if (failed)
			return ST_DATABASE;
		if (import->cut)
			part = AS_IMPORT_END;
	}
	enum status status = lay_down(api);
	if (status == ST_OK && part == AS_IMPORT_REFUSED)
		import->state = DROPPING;
	return status == ST_OK && part == AS_IMPORT_END ? decide(api, now) : status;
}

/* --- writing and dropping ----------------------------------------------------------------------------------- */

/* What was prepared cannot be refused, unless somebody exchanged files between two runs: a server that never starts again over
 * one device would be worse than one device missing. */
static enum status write_row(struct as_api *api, struct now now, json_t *row)
{
	if (as_shelving_is_kept(row))
		return as_shelving_write(api, api->import->decided_at, row);
	struct record_problems problems = {.count = 0};
	struct as_prepared prepared = {.kind = RECORD_DEVICE,
				       .create = json_is_true(json_object_get(row, "create")),
				       .record = json_incref(json_object_get(row, "record")),
				       .keys = json_incref(json_object_get(row, "keys"))};
	now.wall = api->import->decided_at;
	enum as_prepare_verdict verdict = as_write_prepared(api, now, &prepared, &problems);
	if (verdict == AS_PROBLEMS || verdict == AS_TAKEN)
		LOG_ERROR("imported_device_refused", "dev_eui=%s field=%s reason=\"%s\"",
			  json_string_value(json_object_get(prepared.record, "dev_eui")),
			  problems.items[0].field, problems.items[0].reason);
	as_prepared_release(&prepared);
	return verdict == AS_STORE_FAILED ? ST_DATABASE : ST_OK;
}

/* Registers the first slice; `*over` when there is none. */
static enum status write_slice(struct as_api *api, struct now now, bool *over)
{
	struct as_store *store = api->app->store;
	char *text = NULL;
	json_t *row;
	size_t index;
	bool more;
	enum status status = as_store_import_first(store, &text);
	if (status == ST_NOT_FOUND) {
		*over = true;
		return as_store_import_end(store);
	}
	if (status != ST_OK)
		return status;
	json_t *rows = json_loads(text, 0, NULL);
	free(text);
	json_array_foreach(rows, index, row)
	{
		if (status == ST_OK)
			status = write_row(api, now, row);
	}
	json_decref(rows);
	return status == ST_OK ? as_store_import_shift(store, 1, &more) : status;
}

static enum status drop_slices(struct as_api *api, bool *over)
{
	bool more = false;
	enum status status = as_store_import_shift(api->app->store, DROPPED_A_TURN, &more);
	*over = !more;
	return status;
}

bool as_import_step(struct as_api *api, struct now now, struct as_answer *answer)
{
	struct as_import *import = api->import;
	enum status status;
	bool over = false;
	ASSERT(import);
	if (import->state == CHECKING)
		status = check(api, now);
	else if (import->state == WRITING)
		status = write_slice(api, now, &over);
	else
		status = drop_slices(api, &over);
	if (status != ST_OK) {
		as_store_abandon(api->app->store);
		as_answer_release(&import->answer);
		as_answer_failed(&import->answer, status);
	}
	if (status == ST_OK && !over)
		return false;
	*answer = import->answer;
	import->answer = (struct as_answer){0};
	as_import_release(api);
	api->refused += answer->status >= 400;
	return true;
}

void as_import_forsake(struct as_api *api)
{
	if (api->import && api->import->state == CHECKING)
		api->import->state = DROPPING;
}

enum status as_import_resume(struct as_api *api)
{
	struct wall when;
	char *left = NULL;
	enum status status = as_store_import_decided(api->app->store, &when);
	if (status == ST_OK) {
		import_new(api, WRITING)->decided_at = when;
		return ST_OK;
	}
	if (status == ST_NOT_FOUND) {
		status = as_store_import_first(api->app->store, &left);
		free(left);
		if (status == ST_OK)
			import_new(api, DROPPING);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}
