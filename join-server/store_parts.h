/* What the files of the store share: its statements, and how EUIs stand in rows. Private to them. */
#ifndef LAMPPOST_JOIN_SERVER_STORE_PARTS_H
#define LAMPPOST_JOIN_SERVER_STORE_PARTS_H

#include "join-server/store_sqlite.h"

enum {
	LOAD_DEVICE,
	SAVE_DEVICE,
	REMOVE_DEVICE,
	LOAD_NONCES,
	SAVE_NONCES,
	LOAD_STATE,
	SAVE_STATE,
	SWEEP_END,
	SWEEP,
	SAVE_SESSION,
	LOAD_SESSION,
	REMOVE_SESSIONS,
	SWEEP_SESSIONS_END,
	SWEEP_SESSIONS,
	STATEMENT_COUNT
};

/* Begins the turn's transaction if none is open. */
enum status js_store_begin(struct db *db) MUST_USE;
/* An EUI as the signed integer of the same bits. */
int64_t js_store_key(const struct lw_eui64 *eui);
/* A place of a sweep, which counts from the lowest signed key, as that key. */
int64_t js_store_sweep_key(uint64_t at);
/* A row that we did not write: the file was changed by another hand. Logs, and says ST_DATABASE. */
enum status js_store_damaged(const char *what) MUST_USE;

/* store_sessions.c */
enum status js_store_save_session(void *ctx, const struct js_session *session);
enum status js_store_load_session(void *ctx, const struct lw_eui64 *dev_eui,
				  const uint8_t id[JS_SESSION_KEY_ID], struct js_session *session);
enum status js_store_sweep_sessions(void *ctx, struct wall expired, int limit, uint64_t *at, bool *done);

#endif
