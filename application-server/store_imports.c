#include "application-server/store_imports.h"

#include "application-server/store_private.h"

#include <string.h>

enum { ADD, DECIDE, DECIDED, FIRST, SHIFT, ANY, END, COUNT };

const char *const as_sql_imports[] = {
	[ADD] = "INSERT INTO import_slices (records) VALUES (?1)",
	[DECIDE] = "INSERT INTO import (one, decided_at) VALUES (1, ?1)",
	[DECIDED] = "SELECT decided_at FROM import",
	[FIRST] = "SELECT records FROM import_slices ORDER BY row LIMIT 1",
	/* Rows count up without a hole: they go from the front alone. */
	[SHIFT] = "DELETE FROM import_slices WHERE row < ?1 + (SELECT min(row) FROM import_slices)",
	[ANY] = "SELECT EXISTS (SELECT 1 FROM import_slices)",
	[END] = "DELETE FROM import",
};
const int as_sql_imports_count = COUNT;

enum status as_store_import_add(struct as_store *store, const char *records)
{
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(store->city, store->imports_base + ADD, 1, records);
	return db_run(store->city, store->imports_base + ADD);
}

enum status as_store_import_decide(struct as_store *store, struct wall now)
{
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, store->imports_base + DECIDE, 1, now.us);
	return db_run(store->city, store->imports_base + DECIDE);
}

/* Steps a query of one row or none; ST_OK: it stands on the row. */
static enum status step_one(struct as_store *store, int statement)
{
	enum db_step step = db_step(store->city, statement);
	if (step == DB_FAILED)
		return db_step_status(store->city);
	return step == DB_ROW ? ST_OK : ST_NOT_FOUND;
}

enum status as_store_import_decided(struct as_store *store, struct wall *when)
{
	int s = store->imports_base + DECIDED;
	enum status status = step_one(store, s);
	if (status == ST_OK) {
		when->us = db_column_i64(store->city, s, 0);
		db_reset(store->city, s);
	}
	return status;
}

enum status as_store_import_first(struct as_store *store, char **records)
{
	int s = store->imports_base + FIRST;
	enum status status = step_one(store, s);
	if (status != ST_OK)
		return status;
	char *copy = strdup(db_column_text(store->city, s, 0));
	db_reset(store->city, s);
	if (!copy)
		return ST_NO_MEMORY;
	*records = copy;
	return ST_OK;
}

enum status as_store_import_shift(struct as_store *store, int count, bool *more)
{
	int shift = store->imports_base + SHIFT, any = store->imports_base + ANY;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, shift, 1, count);
	status = db_run(store->city, shift);
	if (status == ST_OK)
		status = step_one(store, any);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_DATABASE : status;
	*more = db_column_i64(store->city, any, 0) != 0;
	db_reset(store->city, any);
	return ST_OK;
}

enum status as_store_import_end(struct as_store *store)
{
	enum status status = as_store_write_city(store);
	return status == ST_OK ? db_run(store->city, store->imports_base + END) : status;
}
