/* The AppSKeys of the last sessions in join.db, wrapped as they were sent. */
#include "join-server/store_parts.h"

#include <string.h>

enum status js_store_save_session(void *ctx, const struct js_session *session)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, SAVE_SESSION, 1, js_store_key(&session->dev_eui));
	db_bind_i64(db, SAVE_SESSION, 2, session->slot);
	db_bind_blob(db, SAVE_SESSION, 3, session->id, sizeof session->id);
	db_bind_i64(db, SAVE_SESSION, 4, session->time.us);
	db_bind_text(db, SAVE_SESSION, 5, session->kek_label);
	db_bind_blob(db, SAVE_SESSION, 6, session->app_s_key, sizeof session->app_s_key);
	return db_run(db, SAVE_SESSION);
}

enum status js_store_load_session(void *ctx, const struct lw_eui64 *dev_eui,
				  const uint8_t id[JS_SESSION_KEY_ID], struct js_session *session)
{
	struct db *db = ctx;
	db_bind_i64(db, LOAD_SESSION, 1, js_store_key(dev_eui));
	db_bind_blob(db, LOAD_SESSION, 2, id, JS_SESSION_KEY_ID);
	enum db_step step = db_step(db, LOAD_SESSION);
	if (step == DB_DONE)
		return ST_NOT_FOUND;
	if (step == DB_FAILED)
		return db_step_status(db);
	struct js_session read = {.dev_eui = *dev_eui,
				  .slot = (uint8_t)db_column_i64(db, LOAD_SESSION, 0),
				  .time.us = db_column_i64(db, LOAD_SESSION, 1)};
	memcpy(read.id, id, sizeof read.id);
	const char *label = db_column_text(db, LOAD_SESSION, 2);
	bool good = strlen(label) < sizeof read.kek_label &&
		    db_column_copy(db, LOAD_SESSION, 3, read.app_s_key, sizeof read.app_s_key);
	if (good)
		memcpy(read.kek_label, label, strlen(label) + 1);
	db_reset(db, LOAD_SESSION);
	if (!good)
		return js_store_damaged("session_keys");
	*session = read;
	return ST_OK;
}

enum status js_store_sweep_sessions(void *ctx, struct wall expired, int limit, uint64_t *at, bool *done)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	int64_t from = js_store_sweep_key(*at);
	db_bind_i64(db, SWEEP_SESSIONS_END, 1, from);
	db_bind_i64(db, SWEEP_SESSIONS_END, 2, limit);
	enum db_step step = db_step(db, SWEEP_SESSIONS_END);
	if (step == DB_FAILED)
		return db_step_status(db);
	int64_t end = step == DB_ROW ? db_column_i64(db, SWEEP_SESSIONS_END, 0) : INT64_MAX;
	db_reset(db, SWEEP_SESSIONS_END);
	*done = step == DB_DONE;
	db_bind_i64(db, SWEEP_SESSIONS, 1, from);
	db_bind_i64(db, SWEEP_SESSIONS, 2, *done || end == INT64_MIN ? end : end - 1);
	db_bind_i64(db, SWEEP_SESSIONS, 3, expired.us);
	*at = (uint64_t)end ^ UINT64_C(1) << 63;
	return db_run(db, SWEEP_SESSIONS);
}
