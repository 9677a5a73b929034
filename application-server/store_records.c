#include "application-server/store_records.h"

#include "application-server/store_records_private.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/lorawan/types.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int statement_of(const struct as_store *store, enum record_kind kind,
			enum as_record_statement statement)
{
	return store->record_base + (int)kind * PER_KIND + (int)statement;
}

/* --- queries ------------------------------------------------------------------------------------------------ */

enum status as_store_record_get(struct as_store *store, const struct as_scope *scope, enum record_kind kind,
				const char *id, json_t **record)
{
	const struct record_schema *schema = record_schema(kind);
	bool by_eui = kind == RECORD_DEVICE || kind == RECORD_GATEWAY;
	struct lw_eui64 eui;
	struct net_uuid uuid;
	int statement = statement_of(store, kind, GET);
	if (by_eui && lw_eui64_parse(id, &eui))
		db_bind_i64(store->city, statement, 3, (int64_t)lw_eui64_number(&eui));
	else if (!by_eui && as_uuid_parse(id, &uuid))
		db_bind_blob(store->city, statement, 3, uuid.bytes, sizeof uuid.bytes);
	else if (record_field(schema, "slug")) {
		statement = statement_of(store, kind, GET_BY_SLUG);
		db_bind_text(store->city, statement, 3, id);
	} else
		return ST_NOT_FOUND;
	as_store_bind_scope(store->city, statement, scope);
	enum db_step step = db_step(store->city, statement);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
	json_t *found = as_record_read(store->city, statement, schema);
	step = db_step(store->city, statement);
	if (step == DB_ROW)
		db_reset(store->city, statement);
	if (!found || step != DB_DONE) {
		json_decref(found);
		return !found ? ST_NO_MEMORY : step == DB_ROW ? ST_CONFLICT : db_step_status(store->city);
	}
	*record = found;
	return ST_OK;
}

/* A cursor is where the next page begins. EUIs are kept as signed numbers: 8000000000000000 is the first of all. */
static bool parse_cursor(const char *text, int64_t *from)
{
	char *end = NULL;
	if (!text) {
		*from = INT64_MIN;
		return true;
	}
	*from = strtoll(text, &end, 10);
	return end != text && *end == '\0';
}

enum status as_store_record_list(struct as_store *store, const struct as_scope *scope, enum record_kind kind,
				 const struct as_list_query *query, json_t **items, char next[AS_CURSOR_TEXT])
{
	const struct record_schema *schema = record_schema(kind);
	struct db *db = store->city;
	/* An agency's own list goes by the agency's index; profiles are few, and the city's are among them. */
	const struct net_uuid *own = kind == RECORD_PROFILE ? NULL : as_scope_agency(scope);
	const struct net_uuid *whose = query->application ? query->application
				       : query->agency    ? query->agency
							  : own;
	int statement = statement_of(store, kind,
				     query->application ? LIST_OF_APPLICATION
				     : whose            ? LIST_OF_AGENCY
							: LIST);
	int64_t from;
	if (!parse_cursor(query->after, &from))
		return ST_INVALID;
	json_t *found = json_array();
	if (!found)
		return ST_NO_MEMORY;
	as_store_bind_scope(db, statement, scope);
	db_bind_i64(db, statement, AS_FROM, from);
	db_bind_i64(db, statement, AS_LIMIT, (int64_t)query->limit + 1);
	if (whose)
		db_bind_blob(db, statement, AS_WHOSE, whose->bytes, sizeof whose->bytes);
	next[0] = '\0';
	enum db_step step = DB_DONE;
	bool whole = true;
	while (whole && (step = db_step(db, statement)) == DB_ROW) {
		if (json_array_size(found) == query->limit) {
			snprintf(next, AS_CURSOR_TEXT, "%" PRId64,
				 db_column_i64(db, statement, (int)schema->field_count));
			break;
		}
		whole = json_array_append_new(found, as_record_read(db, statement, schema)) == 0;
	}
	if (step == DB_ROW)
		db_reset(db, statement);
	if (!whole || step == DB_FAILED) {
		json_decref(found);
		return whole ? db_step_status(db) : ST_NO_MEMORY;
	}
	*items = found;
	return ST_OK;
}

/* --- changes ------------------------------------------------------------------------------------------------ */

/* Gives a changed record its next version, where the kind is replicated. */
static enum status bump(struct as_store *store, enum record_kind kind, const json_t *record, bool deleted)
{
	struct net_uuid id = {{0}};
	const char *key = json_string_value(json_object_get(record, as_record_key_column(kind)));
	if (kind == RECORD_PROFILE) {
		ASSERT(key && as_uuid_parse(key, &id));
		return as_store_bump(store, kind, 0, &id, deleted);
	}
	if (kind == RECORD_DEVICE || kind == RECORD_GATEWAY)
		return as_store_bump(store, kind, as_record_eui(key), NULL, deleted);
	return ST_OK;
}

enum status as_store_record_insert(struct as_store *store, enum record_kind kind, const json_t *record,
				   struct wall now)
{
	const struct record_schema *schema = record_schema(kind);
	int statement = statement_of(store, kind, INSERT);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (strcmp(field->name, "created_at") == 0)
			db_bind_i64(store->city, statement, (int)i + 1, now.us);
		else if (as_record_is_column(field))
			as_record_bind(store->city, statement, (int)i + 1, field,
				       json_object_get(record, field->name));
	}
	status = db_run(store->city, statement);
	return status == ST_OK ? bump(store, kind, record, false) : status;
}

enum status as_store_record_update(struct as_store *store, enum record_kind kind, const json_t *record)
{
	const struct record_schema *schema = record_schema(kind);
	int statement = statement_of(store, kind, UPDATE);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (as_record_may_update(field) || i + 1 == as_record_key_parameter(schema))
			as_record_bind(store->city, statement, (int)i + 1, field,
				       json_object_get(record, field->name));
	}
	status = db_run(store->city, statement);
	return status == ST_OK ? bump(store, kind, record, false) : status;
}

enum status as_store_device_set_key(struct as_store *store, const char *dev_eui, const char *field,
				    const json_t *sealed)
{
	int index = 0;
	while (strcmp(as_record_secret(index)->name, field) != 0)
		index++;
	int statement = store->record_base + RECORD_KIND_COUNT * PER_KIND + index;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, statement, 1, as_record_eui(dev_eui));
	as_record_bind(store->city, statement, 2, as_record_secret(index), sealed);
	status = db_run(store->city, statement);
	return status == ST_OK ? as_store_bump(store, RECORD_DEVICE, as_record_eui(dev_eui), NULL, false)
			       : status;
}

enum status as_store_record_remove(struct as_store *store, enum record_kind kind, const json_t *record)
{
	const struct record_schema *schema = record_schema(kind);
	int statement = statement_of(store, kind, REMOVE);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	const char *key = as_record_key_column(kind);
	as_record_bind(store->city, statement, 1, record_field(schema, key), json_object_get(record, key));
	status = db_run(store->city, statement);
	return status == ST_OK ? bump(store, kind, record, true) : status;
}
