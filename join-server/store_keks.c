/* KEKs and the audit in join.db. */
#include "join-server/store_parts.h"

#include <stdio.h>
#include <string.h>

static bool read_kek(struct db *db, struct js_kek_row *row)
{
	const char *label = db_column_text(db, LOAD_KEKS, 0);
	*row = (struct js_kek_row){.version = (uint32_t)db_column_i64(db, LOAD_KEKS, 1),
				   .has_key = !db_column_is_null(db, LOAD_KEKS, 2),
				   .since.us = db_column_i64(db, LOAD_KEKS, 3),
				   .uses = (uint64_t)db_column_i64(db, LOAD_KEKS, 4),
				   .last_use.us = db_column_i64(db, LOAD_KEKS, 5)};
	bool good = strlen(label) < sizeof row->label && row->version > 0;
	if (good)
		memcpy(row->label, label, strlen(label) + 1);
	return good && (!row->has_key || db_column_copy(db, LOAD_KEKS, 2, row->sealed, sizeof row->sealed));
}

enum status js_store_load_keks(void *ctx, void (*take)(void *taker, const struct js_kek_row *row),
			       void *taker)
{
	struct db *db = ctx;
	struct js_kek_row row;
	enum db_step step;
	while ((step = db_step(db, LOAD_KEKS)) == DB_ROW) {
		if (!read_kek(db, &row)) {
			db_reset(db, LOAD_KEKS);
			return js_store_damaged("keks");
		}
		take(taker, &row);
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

static enum status save(struct db *db, int statement, const struct js_kek_row *row)
{
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_text(db, statement, 1, row->label);
	db_bind_i64(db, statement, 2, row->version);
	if (statement == SAVE_KEK)
		db_bind_blob(db, statement, 3, row->sealed, sizeof row->sealed);
	db_bind_i64(db, statement, 4, row->since.us);
	db_bind_i64(db, statement, 5, (int64_t)row->uses);
	if (row->last_use.us)
		db_bind_i64(db, statement, 6, row->last_use.us);
	else
		db_bind_null(db, statement, 6);
	return db_run(db, statement);
}

enum status js_store_save_kek(void *ctx, const struct js_kek_row *row)
{
	struct db *db = ctx;
	enum status status = save(db, SAVE_KEK, row);
	if (status != ST_OK)
		return status;
	db_bind_text(db, SAVE_KEK_HIGHEST, 1, row->label);
	db_bind_i64(db, SAVE_KEK_HIGHEST, 2, row->version);
	db_bind_blob(db, SAVE_KEK_HIGHEST, 3, row->mark, sizeof row->mark);
	return db_run(db, SAVE_KEK_HIGHEST);
}

enum status js_store_load_kek_highest(void *ctx, const char *label, struct js_kek_highest *highest)
{
	struct db *db = ctx;
	*highest = (struct js_kek_highest){.version = 0};
	db_bind_text(db, LOAD_KEK_HIGHEST, 1, label);
	enum db_step step = db_step(db, LOAD_KEK_HIGHEST);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_OK : db_step_status(db);
	highest->version = (uint32_t)db_column_i64(db, LOAD_KEK_HIGHEST, 0);
	highest->has_mark = !db_column_is_null(db, LOAD_KEK_HIGHEST, 1);
	bool good = !highest->has_mark ||
		    db_column_copy(db, LOAD_KEK_HIGHEST, 1, highest->mark, sizeof highest->mark);
	db_reset(db, LOAD_KEK_HIGHEST);
	return good ? ST_OK : js_store_damaged("kek_highest");
}

enum status js_store_save_kek_use(void *ctx, const struct js_kek_row *row)
{
	return save(ctx, SAVE_KEK_USE, row);
}

enum status js_store_remove_kek(void *ctx, const char *label, uint32_t version)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_text(db, REMOVE_KEK, 1, label);
	db_bind_i64(db, REMOVE_KEK, 2, version);
	return db_run(db, REMOVE_KEK);
}

enum status js_store_put_audit(void *ctx, const struct js_audit_row *row)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, PUT_AUDIT, 1, (int64_t)row->seq);
	db_bind_i64(db, PUT_AUDIT, 2, row->time.us);
	db_bind_text(db, PUT_AUDIT, 3, row->who);
	db_bind_text(db, PUT_AUDIT, 4, row->what);
	db_bind_text(db, PUT_AUDIT, 5, row->subject);
	db_bind_text(db, PUT_AUDIT, 6, row->detail);
	db_bind_blob(db, PUT_AUDIT, 7, row->hash, sizeof row->hash);
	return db_run(db, PUT_AUDIT);
}

/* A row that another hand changed is given as it is, cut to its room: whoever verifies it sees that it is not ours. */
static void read_audit(struct db *db, int statement, struct js_audit_row *row)
{
	*row = (struct js_audit_row){.seq = (uint64_t)db_column_i64(db, statement, 0),
				     .time.us = db_column_i64(db, statement, 1)};
	snprintf(row->who, sizeof row->who, "%s", db_column_text(db, statement, 2));
	snprintf(row->what, sizeof row->what, "%s", db_column_text(db, statement, 3));
	snprintf(row->subject, sizeof row->subject, "%s", db_column_text(db, statement, 4));
	snprintf(row->detail, sizeof row->detail, "%s", db_column_text(db, statement, 5));
	bool whole = db_column_copy(db, statement, 6, row->hash, sizeof row->hash);
	(void)whole; /* zeros then */
}

enum status js_store_last_audit(void *ctx, struct js_audit_row *row)
{
	struct db *db = ctx;
	enum db_step step = db_step(db, LAST_AUDIT);
	if (step == DB_DONE)
		return ST_NOT_FOUND;
	if (step == DB_FAILED)
		return db_step_status(db);
	read_audit(db, LAST_AUDIT, row);
	db_reset(db, LAST_AUDIT);
	return ST_OK;
}

enum status js_store_list_audit(void *ctx, uint64_t after, size_t limit, struct js_audit_row *rows,
				size_t *count)
{
	struct db *db = ctx;
	*count = 0;
	db_bind_i64(db, LIST_AUDIT, 1, (int64_t)after);
	db_bind_i64(db, LIST_AUDIT, 2, (int64_t)limit);
	enum db_step step;
	while ((step = db_step(db, LIST_AUDIT)) == DB_ROW)
		read_audit(db, LIST_AUDIT, &rows[(*count)++]);
	return step == DB_DONE ? ST_OK : db_step_status(db);
}
