/* The SQL of records, made from the record schema when the file is opened, so that every kind has the same statements. */
#include "application-server/store_records_private.h"

#include "common/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX 4096

const char *as_record_key_column(enum record_kind kind)
{
	return kind == RECORD_DEVICE ? "dev_eui" : kind == RECORD_GATEWAY ? "eui" : "id";
}

static const char *order_column(enum record_kind kind)
{
	return kind == RECORD_DEVICE ? "dev_eui" : kind == RECORD_GATEWAY ? "eui" : "row";
}

/* Fields that are no columns: they are put together from elsewhere. */
bool as_record_is_column(const struct record_field *field)
{
	static const char *const made[] = {
		"version",         "last_seen",      "gateway_count", "dr",        "max_payload",
		"battery_percent", "external_power", "margin_db",     "status_at", "state",
		"address",         "reason",         "since",         "says",      "next_step",
		"uplinks_hour",    "loss_percent"};
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		if (strcmp(field->name, made[i]) == 0)
			return false;
	return true;
}

bool as_record_may_update(const struct record_field *field)
{
	bool owner = strcmp(field->name, "agency") == 0;
	return as_record_is_column(field) && !(field->flags & (RECORD_FIXED | RECORD_SECRET)) &&
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
		if (as_record_is_column(&schema->fields[i]))
			add(sql, "%s%s", comma, schema->fields[i].name), comma = ", ";
	add(sql, ") VALUES (");
	comma = "";
	for (size_t i = 0; i < schema->field_count; i++)
		if (as_record_is_column(&schema->fields[i]))
			add(sql, "%s?%zu", comma, i + 1), comma = ", ";
	add(sql, ")");
}

size_t as_record_key_parameter(const struct record_schema *schema)
{
	return (size_t)(record_field(schema, as_record_key_column(schema->kind)) - schema->fields) + 1;
}

static void make_update(const struct record_schema *schema, struct text *sql)
{
	add(sql, "UPDATE %s SET ", schema->collection);
	const char *comma = "";
	for (size_t i = 0; i < schema->field_count; i++)
		if (as_record_may_update(&schema->fields[i]))
			add(sql, "%s%s = ?%zu", comma, schema->fields[i].name, i + 1), comma = ", ";
	add(sql, " WHERE %s = ?%zu", as_record_key_column(schema->kind), as_record_key_parameter(schema));
}

static void make_select(const struct record_schema *schema, struct text *sql)
{
	add(sql, "SELECT ");
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (strcmp(field->name, "version") == 0)
			/* `+` takes the column's affinity off, without which the index on `key` serves
			 * nothing. */
			add(sql, "(SELECT version FROM desired WHERE kind = %d AND key = +%s.%s), ",
			    schema->kind, schema->collection, as_record_key_column(schema->kind));
		else if (!as_record_is_column(field) || (field->flags & RECORD_SECRET))
			add(sql, "NULL, ");
		else
			add(sql, "%s, ", field->name);
	}
	add(sql, "%s", order_column(schema->kind));
	for (size_t i = 0; i < schema->field_count; i++)
		if (schema->fields[i].type == RECORD_REFERENCE)
			add(sql, ", (SELECT slug FROM %s WHERE id = %s.%s)",
			    record_schema(schema->fields[i].reference)->collection, schema->collection,
			    schema->fields[i].name);
	add(sql, " FROM %s WHERE %s", schema->collection, as_scope_condition(schema->kind));
}

static void make_list(const struct record_schema *schema, struct text *sql, const char *whose)
{
	make_select(schema, sql);
	if (whose)
		add(sql, " AND %s = ?%d", whose, AS_WHOSE);
	add(sql, " AND %s >= ?%d ORDER BY %s LIMIT ?%d", order_column(schema->kind), AS_FROM,
	    order_column(schema->kind), AS_LIMIT);
}

static void make(const struct record_schema *schema, enum as_record_statement statement, struct text *sql)
{
	bool slug = record_field(schema, "slug") != NULL;
	switch (statement) {
	case INSERT: make_insert(schema, sql); break;
	case UPDATE: make_update(schema, sql); break;
	case REMOVE:
		add(sql, "DELETE FROM %s WHERE %s = ?1", schema->collection,
		    as_record_key_column(schema->kind));
		break;
	case GET:
		make_select(schema, sql);
		add(sql, " AND %s = ?3", as_record_key_column(schema->kind));
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

const struct record_field *as_record_secret(int index)
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
	return RECORD_KIND_COUNT * PER_KIND + AS_KEY_STATEMENTS;
}

char **as_records_sql_new(void)
{
	char **sql = calloc((size_t)as_records_sql_count() + 1, sizeof *sql);
	for (int i = 0; sql && i < as_records_sql_count(); i++) {
		struct text text = {.length = 0};
		int key = i - RECORD_KIND_COUNT * PER_KIND;
		if (key >= 0)
			add(&text, "UPDATE devices SET %s = ?2 WHERE dev_eui = ?1",
			    as_record_secret(key)->name);
		else
			make(record_schema((enum record_kind)(i / PER_KIND)),
			     (enum as_record_statement)(i % PER_KIND), &text);
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
