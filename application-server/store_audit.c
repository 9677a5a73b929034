#include "application-server/store_audit.h"

#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>

enum { AUDIT_PUT, AUDIT_NEXT, COUNT };

const char *const as_sql_audit[] = {
	[AUDIT_PUT] = "INSERT INTO audit (at, who, what, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
	[AUDIT_NEXT] = "SELECT seq, at, who, what, subject, detail FROM audit WHERE seq < ?1 AND "
		       "(?2 IS NULL OR subject = ?2) ORDER BY seq DESC LIMIT 1",
};
const int as_sql_audit_count = COUNT;

static void take_text(struct db *db, int s, int column, char *text, size_t capacity)
{
	snprintf(text, capacity, "%s", db_column_text(db, s, column));
}

enum status as_store_audit_put(struct as_store *store, struct wall now, const char *who, const char *what,
			       const char *subject, const char *detail)
{
	int s = store->audit_base + AUDIT_PUT;
	const char *texts[] = {who, what, subject, detail};
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, now.us);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		db_bind_text(store->city, s, 2 + (int)i, texts[i]);
	return db_run(store->city, s);
}

enum status as_audit_next(struct as_store *store, const char *subject, uint64_t before,
			  struct as_audit_row *row)
{
	struct db *db = store->city;
	int s = store->audit_base + AUDIT_NEXT;
	db_bind_i64(db, s, 1, before ? (int64_t)before : INT64_MAX);
	db_bind_text(db, s, 2, subject);
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	row->seq = (uint64_t)db_column_i64(db, s, 0);
	row->at.us = db_column_i64(db, s, 1);
	take_text(db, s, 2, row->who, sizeof row->who);
	take_text(db, s, 3, row->what, sizeof row->what);
	take_text(db, s, 4, row->subject, sizeof row->subject);
	take_text(db, s, 5, row->detail, sizeof row->detail);
	db_reset(db, s);
	return ST_OK;
}
