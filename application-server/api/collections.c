/* One set of handlers for every collection: what differs is in the record schema, in scope.c and in resolve.c. */
#include "application-server/api/collections.h"

#include "application-server/api/answer.h"
#include "application-server/api/claims.h"
#include "application-server/api/device_status.h"
#include "application-server/api/records.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"

#include <string.h>

static const struct record_schema *schema_of(const struct as_call *call, struct as_answer *answer)
{
	const struct record_schema *schema = record_schema_of_collection(call->collection);
	if (!schema)
		as_answer_not_found(answer, NULL);
	return schema;
}

json_t *as_get_or_answer(struct as_api *api, const struct as_call *call, enum record_kind kind,
			 struct as_answer *answer)
{
	json_t *record = NULL;
	enum status status = as_store_record_get(api->app->store, call->scope, kind, call->id, &record);
	if (status == ST_NOT_FOUND)
		as_answer_not_found(answer, record_schema(kind));
	else if (status == ST_CONFLICT)
		as_answer_problem(answer, 409, NULL,
				  "%s: several agencies have one of this slug, give the UUID",
				  record_schema(kind)->name);
	else if (status != ST_OK)
		as_answer_failed(answer, status);
	return record;
}

/* Resolves a filter (`agency`, `application`); false with an answer. */
static bool filter(struct as_api *api, const struct as_call *call, enum record_kind kind, struct net_uuid *id,
		   const struct net_uuid **used, struct as_answer *answer)
{
	const char *text = as_call_query(call, record_schema(kind)->name);
	if (!text)
		return true;
	struct as_call named = *call;
	named.id = text;
	json_t *record = as_get_or_answer(api, &named, kind, answer);
	if (!record)
		return false;
	bool parsed = as_uuid_parse(json_string_value(json_object_get(record, "id")), id);
	json_decref(record);
	*used = id;
	return parsed;
}

void as_handle_list(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct record_schema *schema = schema_of(call, answer);
	struct net_uuid agency, application;
	struct as_list_query query = {.after = as_call_query(call, "after")};
	char next[AS_CURSOR_TEXT];
	json_t *items = NULL, *item;
	size_t index;
	const char *unregistered = as_call_query(call, "unregistered");
	if (schema && schema->kind == RECORD_GATEWAY && unregistered && strcmp(unregistered, "true") == 0) {
		as_handle_unregistered(api, call, answer);
		return;
	}
	if (!schema || !as_call_limit(call, answer, &query.limit) ||
	    !filter(api, call, RECORD_AGENCY, &agency, &query.agency, answer) ||
	    !filter(api, call, RECORD_APPLICATION, &application, &query.application, answer))
		return;
	if (query.application && schema->kind != RECORD_DEVICE) {
		as_answer_problem(answer, 422, "application", "application filters devices alone");
		return;
	}
	if (schema->kind == RECORD_DEVICE && as_asks_for_status(call)) {
		as_list_status(api, call, &query, answer);
		return;
	}
	enum status status = as_store_record_list(api->app->store, call->scope, schema->kind, &query, &items,
						  next);
	if (status == ST_INVALID)
		as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
	else if (status != ST_OK)
		as_answer_failed(answer, status);
	if (status != ST_OK)
		return;
	json_array_foreach(items, index, item)
	{
		if (schema->kind == RECORD_DEVICE)
			as_add_last_seen(api, call, item);
		if (schema->kind == RECORD_GATEWAY)
			as_add_live(api, call->now, item, false);
	}
	as_answer_json(answer, 200, json_pack("{so ss?}", "items", items, "next", *next ? next : NULL));
}

void as_handle_get(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct record_schema *schema = schema_of(call, answer);
	json_t *record = schema ? as_get_or_answer(api, call, schema->kind, answer) : NULL;
	if (!record)
		return;
	if (schema->kind == RECORD_DEVICE) {
		as_add_last_seen(api, call, record);
		as_add_place(api, call, record);
	}
	if (schema->kind == RECORD_GATEWAY)
		as_add_live(api, call->now, record, true);
	as_answer_json(answer, 200, record);
}

/* Prepares, writes, and answers with the record as it is now stored. */
static void put(struct as_api *api, const struct as_call *call, const struct record_schema *schema,
		const json_t *stored, int status, struct as_answer *answer)
{
	struct as_resolver resolver = {.store = api->app->store,
				       .scope = call->scope,
				       .served = api->app->served,
				       .who = call->who,
				       .now = call->now.wall};
	struct record_problems problems = {.count = 0};
	struct as_prepared prepared;
	enum as_prepare_verdict verdict = as_prepare(api, &resolver, schema->kind, call->body, stored,
						     &prepared, &problems);
	if (verdict == AS_PREPARED)
		verdict = as_write_prepared(api, call->now, &prepared, &problems);
	if (verdict == AS_PREPARED) {
		bool by_eui = schema->kind == RECORD_DEVICE || schema->kind == RECORD_GATEWAY;
		struct as_call made = *call;
		made.id = json_string_value(
			json_object_get(prepared.record, by_eui ? schema->identifier : "id"));
		json_t *record = as_get_or_answer(api, &made, schema->kind, answer);
		if (record) {
			as_add_custody_note(schema->kind, stored, record);
			as_answer_json(answer, status, record);
		}
	} else
		as_answer_verdict(answer, verdict, &problems);
	as_prepared_release(&prepared);
}

void as_handle_create(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct record_schema *schema = schema_of(call, answer);
	if (schema && as_call_has_object(call, answer))
		put(api, call, schema, NULL, 201, answer);
}

void as_handle_change(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct record_schema *schema = schema_of(call, answer);
	json_t *stored = schema ? as_get_or_answer(api, call, schema->kind, answer) : NULL;
	if (stored && as_call_has_object(call, answer))
		put(api, call, schema, stored, 200, answer);
	json_decref(stored);
}

void as_handle_remove(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct record_schema *schema = schema_of(call, answer);
	json_t *stored = schema ? as_get_or_answer(api, call, schema->kind, answer) : NULL;
	struct net_uuid owner;
	if (!stored)
		return;
	bool owned = as_record_owner(schema->kind, stored, &owner);
	const char *slug = json_string_value(json_object_get(stored, "slug"));
	if (!as_scope_may_write(call->scope, schema->kind, owned ? &owner : NULL))
		as_answer_forbidden(answer);
	else if (schema->kind == RECORD_DEPLOYMENT && slug && strcmp(slug, AS_UNASSIGNED) == 0)
		as_answer_problem(answer, 409, NULL,
				  "the agency's default deployment stays as long as the agency");
	else {
		enum status status = as_store_record_remove(api->app->store, schema->kind, stored);
		if (status == ST_OK)
			*answer = (struct as_answer){.status = 204};
		else if (status == ST_CONFLICT)
			as_answer_problem(
				answer, 409, NULL, "other records refer to this %s%s", schema->name,
				schema->kind == RECORD_DEVICE
					? ": it stands in another's place; undo the replacement first"
					: "");
		else
			as_answer_failed(answer, status);
		if (schema->kind == RECORD_PROFILE)
			as_codecs_clear(&api->app->codecs);
	}
	json_decref(stored);
}
