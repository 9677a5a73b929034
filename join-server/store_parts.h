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
	LIST_DEVICES,
	IS_USED,
	LOAD_VAULT,
	SAVE_VAULT,
	LOAD_WRAPS,
	REMOVE_WRAPS,
	SAVE_WRAP,
	LOAD_KEKS,
	SAVE_KEK,
	SAVE_KEK_USE,
	REMOVE_KEK,
	LOAD_KEK_HIGHEST,
	SAVE_KEK_HIGHEST,
	PUT_AUDIT,
	LAST_AUDIT,
	LIST_AUDIT,
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

/* store_sqlite.c: the columns of a device as LOAD_DEVICE has them, of `statement`. */
bool js_store_read_device(struct db *db, int statement, struct js_device *device);
/* store_vault.c, store_keks.c: members of struct js_store. */
enum status js_store_list_devices(void *ctx, uint64_t *at, size_t limit, struct js_device *devices,
				  size_t *count, bool *done);
enum status js_store_load_vault(void *ctx, struct js_vault_rows *rows, bool *used);
enum status js_store_save_vault(void *ctx, const struct js_vault_rows *rows);
enum status js_store_load_keks(void *ctx, void (*take)(void *taker, const struct js_kek_row *row),
			       void *taker);
enum status js_store_save_kek(void *ctx, const struct js_kek_row *row);
enum status js_store_save_kek_use(void *ctx, const struct js_kek_row *row);
enum status js_store_remove_kek(void *ctx, const char *label, uint32_t version);
enum status js_store_load_kek_highest(void *ctx, const char *label, struct js_kek_highest *highest);
enum status js_store_put_audit(void *ctx, const struct js_audit_row *row);
enum status js_store_last_audit(void *ctx, struct js_audit_row *row);
enum status js_store_list_audit(void *ctx, uint64_t after, size_t limit, struct js_audit_row *rows,
				size_t *count);

#endif
