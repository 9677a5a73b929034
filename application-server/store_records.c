/* The SQL is made from the record schema when the file is opened: a field's parameter and result column are both its
 * place in the schema, so that one pair of functions binds and reads every kind.
 *
 *	types    EUI, DevAddr, time, boolean: integer; UUID, reference: 16 bytes; sealed key: 74 bytes;
 *	         tags, object: JSON text */
#include "application-server/store_records.h"

#include "application-server/store_private.h"
#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/types.h"
#include "common/text/record_schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum statement {
	INSERT,
	UPDATE,
	REMOVE,
	GET,
	GET_BY_SLUG,
	LIST,
	LIST_OF_AGENCY,
	LIST_OF_APPLICATION,
	PER_KIND
};

#define KEY_STATEMENTS 6 /* one for each secret of a device */
#define SQL_MAX        4096

#define AFTER 3 /* parameters of queries behind the scope's two */
#define LIMIT 4
#define WHOSE 5

static const char *key_column(enum record_kind kind)
{
	return kind == RECORD_DEVICE ? "dev_eui" : kind == RECORD_GATEWAY ? "eui" : "id";
}

static const char *order_column(enum record_kind kind)
{
	return kind == RECORD_DEVICE ? "dev_eui" : kind == RECORD_GATEWAY ? "eui" : "row";
}

/* Fields that are no columns: they are put together from elsewhere. */
static bool is_column(const struct record_field *field)
{
	return strcmp(field->name, "version") != 0 && strcmp(field->name, "last_seen") != 0;
}

static bool may_update(const struct record_field *field)
{
	bool owner = strcmp(field->name, "agency") == 0;
	return is_column(field) && !(field->flags & (RECORD_FIXED | RECORD_SECRET)) &&
	       (!(field->flags & RECORD_SERVER) || owner);
}

/* --- making the statements ---------------------------------------------------------------------------------- */

struct text {
	char bytes[SQL_MAX];
	size_t length;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int written = vsnprintf(text->bytes + text->length, sizeof text->bytes - text->length, format,
				arguments);
	va_end(arguments);
	ASSERT(written >= 0 && (size_t)written < sizeof text->bytes - text->length);
	text->length += (size_t)written;
}

static void make_insert(const struct record_schema *schema, struct text *sql)
{
	add(sql, "INSERT INTO %s (", schema->collection);
	const char *comma = "";
	for (size_t i = 0; i < schema->field_count; i++)
		if (is_column(&schema->fields[i]))
			add(sql, "%s%s", comma, schema->fields[i].name), comma = ", ";
	add(sql, ") VALUES (");
	comma = "";
	for (size_t i = 0; i < schema->field_count; i++)
		if (is_column(&schema->fields[i]))
			add(sql, "%s?%zu", comma, i + 1), comma = ", ";
	add(sql, ")");
}

static size_t key_parameter(const struct record_schema *schema)
{
	return (size_t)(record_field(schema, key_column(schema->kind)) - schema->fields) + 1;
}

static void make_update(const struct record_schema *schema, struct text *sql)
{
	add(sql, "UPDATE %s SET ", schema->collection);
	const char *comma = "";
	for (size_t i = 0; i < schema->field_count; i++)
		if (may_update(&schema->fields[i]))
			add(sql, "%s%s = ?%zu", comma, schema->fields[i].name, i + 1), comma = ", ";
	add(sql, " WHERE %s = ?%zu", key_column(schema->kind), key_parameter(schema));
}

static void make_select(const struct record_schema *schema, struct text *sql)
{
	add(sql, "SELECT ");
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (strcmp(field->name, "version") == 0)
			add(sql, "(SELECT version FROM desired WHERE kind = %d AND key = %s.%s), ",
			    schema->kind, schema->collection, key_column(schema->kind));
		else if (!is_column(field) || (field->flags & RECORD_SECRET))
			add(sql, "NULL, ");
		else
			add(sql, "%s, ", field->name);
	}
	add(sql, "%s FROM %s WHERE %s", order_column(schema->kind), schema->collection,
	    as_scope_condition(schema->kind));
}

static void make_list(const struct record_schema *schema, struct text *sql, const char *whose)
{
	make_select(schema, sql);
	if (whose)
		add(sql, " AND %s = ?%d", whose, WHOSE);
	add(sql, " AND %s > ?%d ORDER BY %s LIMIT ?%d", order_column(schema->kind), AFTER,
	    order_column(schema->kind), LIMIT);
}

static void make(const struct record_schema *schema, enum statement statement, struct text *sql)
{
	bool slug = record_field(schema, "slug") != NULL;
	switch (statement) {
	case INSERT: make_insert(schema, sql); break;
	case UPDATE: make_update(schema, sql); break;
	case REMOVE:
		add(sql, "DELETE FROM %s WHERE %s = ?1", schema->collection, key_column(schema->kind));
		break;
	case GET:
		make_select(schema, sql);
		add(sql, " AND %s = ?3", key_column(schema->kind));
		break;
	case GET_BY_SLUG:
		make_select(schema, sql);
		add(sql, " AND %s = ?3 LIMIT 2", slug ? "slug" : "''");
		break;
	case LIST: make_list(schema, sql, NULL); break;
	case LIST_OF_AGENCY: make_list(schema, sql, schema->kind == RECORD_AGENCY ? "id" : "agency"); break;
	case LIST_OF_APPLICATION:
		make_list(schema, sql, schema->kind == RECORD_DEVICE ? "application" : "NULL");
		break;
	case PER_KIND: break;
	}
}

/* Lends the n-th secret of a device. */
static const struct record_field *secret_field(int index)
{
	const struct record_schema *schema = record_schema(RECORD_DEVICE);
	for (size_t i = 0; i < schema->field_count; i++)
		if ((schema->fields[i].flags & RECORD_SECRET) && index-- == 0)
			return &schema->fields[i];
	ASSERT(!"a secret field");
	return NULL;
}

int as_records_sql_count(void)
{
	return RECORD_KIND_COUNT * PER_KIND + KEY_STATEMENTS;
}

char **as_records_sql_new(void)
{
	char **sql = calloc((size_t)as_records_sql_count() + 1, sizeof *sql);
	for (int i = 0; sql && i < as_records_sql_count(); i++) {
		struct text text = {.length = 0};
		int key = i - RECORD_KIND_COUNT * PER_KIND;
		if (key >= 0)
			add(&text, "UPDATE devices SET %s = ?2 WHERE dev_eui = ?1", secret_field(key)->name);
		else
			make(record_schema((enum record_kind)(i / PER_KIND)), (enum statement)(i % PER_KIND),
			     &text);
		sql[i] = strdup(text.bytes);
		if (!sql[i]) {
			as_records_sql_free(sql);
			return NULL;
		}
	}
	return sql;
}

void as_records_sql_free(char **sql)
{
	for (size_t i = 0; sql && sql[i]; i++)
		free(sql[i]);
	free(sql);
}

static int statement_of(const struct as_store *store, enum record_kind kind, enum statement statement)
{
	return store->record_base + (int)kind * PER_KIND + (int)statement;
}

/* --- values ------------------------------------------------------------------------------------------------- */

static int64_t eui_number(const char *text)
{
	struct lw_eui64 eui;
	ASSERT(lw_eui64_parse(text, &eui)); /* records are checked by the schema before they come here */
	return (int64_t)lw_eui64_number(&eui);
}

static void bind_json(struct db *db, int statement, int parameter, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	db_bind_text(db, statement, parameter, text);
	free(text);
}

static void bind_value(struct db *db, int statement, int parameter, const struct record_field *field,
		       const json_t *value)
{
	if (!value || json_is_null(value)) {
		db_bind_null(db, statement, parameter);
		return;
	}
	const char *text = json_string_value(value);
	switch (field->type) {
	case RECORD_TEXT:
	case RECORD_SLUG:
	case RECORD_ENUM: db_bind_text(db, statement, parameter, text); break;
	case RECORD_UUID:
	case RECORD_REFERENCE: {
		struct net_uuid uuid;
		ASSERT(as_uuid_parse(text, &uuid));
		db_bind_blob(db, statement, parameter, uuid.bytes, sizeof uuid.bytes);
		break;
	}
	case RECORD_EUI: db_bind_i64(db, statement, parameter, eui_number(text)); break;
	case RECORD_DEV_ADDR: {
		struct lw_dev_addr dev_addr;
		ASSERT(lw_dev_addr_parse(text, &dev_addr));
		db_bind_i64(db, statement, parameter, dev_addr.value);
		break;
	}
	case RECORD_SEALED_KEY: {
		uint8_t blob[RECORD_SEALED_KEY_SIZE];
		size_t length = 0;
		ASSERT(base64_decode(blob, sizeof blob, &length, text, strlen(text)));
		db_bind_blob(db, statement, parameter, blob, length);
		break;
	}
	case RECORD_BOOLEAN: db_bind_i64(db, statement, parameter, json_is_true(value)); break;
	case RECORD_INTEGER:
	case RECORD_TIME: db_bind_i64(db, statement, parameter, json_integer_value(value)); break;
	case RECORD_NUMBER: db_bind_real(db, statement, parameter, json_number_value(value)); break;
	case RECORD_TAGS:
	case RECORD_OBJECT: bind_json(db, statement, parameter, value); break;
	case RECORD_TYPE_COUNT: break;
	}
}

static json_t *read_value(struct db *db, int statement, int column, const struct record_field *field)
{
	if (db_column_is_null(db, statement, column))
		return json_null();
	int64_t number = db_column_i64(db, statement, column);
	switch (field->type) {
	case RECORD_UUID:
	case RECORD_REFERENCE: {
		struct net_uuid uuid;
		char text[AS_UUID_TEXT];
		db_column_copy(db, statement, column, uuid.bytes, sizeof uuid.bytes);
		return json_string(as_uuid_format(text, &uuid));
	}
	case RECORD_EUI: {
		struct lw_eui64 eui = lw_eui64_from_number((uint64_t)number);
		char text[LW_EUI64_TEXT];
		lw_eui64_format(text, &eui);
		return json_string(text);
	}
	case RECORD_DEV_ADDR: {
		char text[LW_DEV_ADDR_TEXT];
		lw_dev_addr_format(text, (struct lw_dev_addr){(uint32_t)number});
		return json_string(text);
	}
	case RECORD_TIME: {
		char text[AS_TIME_TEXT];
		return json_string(as_time_format(text, (struct wall){number}));
	}
	case RECORD_BOOLEAN: return json_boolean(number != 0);
	case RECORD_INTEGER: return json_integer(number);
	case RECORD_NUMBER: return json_real(db_column_real(db, statement, column));
	case RECORD_TAGS:
	case RECORD_OBJECT: return json_loads(db_column_text(db, statement, column), 0, NULL);
	default: return json_string(db_column_text(db, statement, column));
	}
}

/* Gives the record of the current row; NULL without memory. */
static json_t *read_record(struct db *db, int statement, const struct record_schema *schema)
{
	json_t *record = json_object();
	for (size_t i = 0; record && i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (field->flags & RECORD_SECRET)
			continue;
		if (json_object_set_new(record, field->name, read_value(db, statement, (int)i, field)) != 0) {
			json_decref(record);
			return NULL;
		}
	}
	return record;
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
	json_t *found = read_record(store->city, statement, schema);
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

static bool parse_cursor(const char *text, int64_t *after)
{
	char *end = NULL;
	if (!text) {
		*after = INT64_MIN;
		return true;
	}
	*after = strtoll(text, &end, 10);
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
	int64_t after;
	if (!parse_cursor(query->after, &after))
		return ST_INVALID;
	json_t *found = json_array();
	if (!found)
		return ST_NO_MEMORY;
	as_store_bind_scope(db, statement, scope);
	db_bind_i64(db, statement, AFTER, after);
	db_bind_i64(db, statement, LIMIT, (int64_t)query->limit + 1);
	if (whose)
		db_bind_blob(db, statement, WHOSE, whose->bytes, sizeof whose->bytes);
	next[0] = '\0';
	enum db_step step = DB_DONE;
	bool whole = true;
	while (whole && (step = db_step(db, statement)) == DB_ROW) {
		if (json_array_size(found) == query->limit) {
			snprintf(next, AS_CURSOR_TEXT, "%" PRId64, after);
			break;
		}
		after = db_column_i64(db, statement, (int)schema->field_count);
		whole = json_array_append_new(found, read_record(db, statement, schema)) == 0;
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
	const char *key = json_string_value(json_object_get(record, key_column(kind)));
	if (kind == RECORD_PROFILE) {
		ASSERT(key && as_uuid_parse(key, &id));
		return as_store_bump(store, kind, 0, &id, deleted);
	}
	if (kind == RECORD_DEVICE || kind == RECORD_GATEWAY)
		return as_store_bump(store, kind, eui_number(key), NULL, deleted);
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
		else if (is_column(field))
			bind_value(store->city, statement, (int)i + 1, field,
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
		if (may_update(field) || i + 1 == key_parameter(schema))
			bind_value(store->city, statement, (int)i + 1, field,
				   json_object_get(record, field->name));
	}
	status = db_run(store->city, statement);
	return status == ST_OK ? bump(store, kind, record, false) : status;
}

enum status as_store_device_set_key(struct as_store *store, const char *dev_eui, const char *field,
				    const json_t *sealed)
{
	int index = 0;
	while (strcmp(secret_field(index)->name, field) != 0)
		index++;
	int statement = store->record_base + RECORD_KIND_COUNT * PER_KIND + index;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, statement, 1, eui_number(dev_eui));
	bind_value(store->city, statement, 2, secret_field(index), sealed);
	status = db_run(store->city, statement);
	return status == ST_OK ? as_store_bump(store, RECORD_DEVICE, eui_number(dev_eui), NULL, false)
			       : status;
}

enum status as_store_record_remove(struct as_store *store, enum record_kind kind, const json_t *record)
{
	const struct record_schema *schema = record_schema(kind);
	int statement = statement_of(store, kind, REMOVE);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	const char *key = key_column(kind);
	bind_value(store->city, statement, 1, record_field(schema, key), json_object_get(record, key));
	status = db_run(store->city, statement);
	return status == ST_OK ? bump(store, kind, record, true) : status;
}
