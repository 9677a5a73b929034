#include "join-server/store_parts.h"

#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

static const char *const statements[STATEMENT_COUNT] = {
	[LOAD_DEVICE] = "SELECT version, run, enabled, join_eui, mac_version, app_key, nwk_key, "
			"app_kek_label, home_net_id "
			"FROM devices WHERE dev_eui = ?1",
	[SAVE_DEVICE] =
		"INSERT OR REPLACE INTO devices (dev_eui, version, run, enabled, join_eui, "
		"mac_version, app_key, "
		"nwk_key, app_kek_label, home_net_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[REMOVE_DEVICE] = "DELETE FROM devices WHERE dev_eui = ?1",
	[LOAD_NONCES] = "SELECT join_nonce, key_mark, counter, last_dev_nonce, last_time, used, rj_count1, "
			"rj_time, net_id, ns_id, allowed_until, uses, used_at "
			"FROM nonces "
			"WHERE dev_eui = ?1 AND join_eui = ?2",
	[SAVE_NONCES] =
		"INSERT INTO nonces (dev_eui, join_eui, join_nonce, key_mark, counter, last_dev_nonce, "
		"last_time, "
		"used, rj_count1, rj_time, net_id, ns_id, allowed_until, uses, used_at) VALUES (?1, ?2, ?3, "
		"?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
		"ON CONFLICT (dev_eui, join_eui) DO UPDATE SET "
		"join_nonce = ?3, key_mark = ?4, counter = ?5, last_dev_nonce = ?6, last_time = ?7, used = "
		"?8, rj_count1 = ?9, rj_time = ?10, net_id = ?11, ns_id = ?12, "
		"allowed_until = ?13, uses = ?14, used_at = ?15",
	[LOAD_STATE] = "SELECT city, applied_version, run, valid_run, swept_run FROM state WHERE id = 1",
	[SAVE_STATE] =
		"UPDATE state SET city = ?1, applied_version = ?2, run = ?3, valid_run = ?4, swept_run = ?5 "
		"WHERE id = 1",
	/* The key that stands `limit` rows further on; null at the end. */
	[SWEEP_END] = "SELECT dev_eui FROM devices WHERE dev_eui >= ?1 ORDER BY dev_eui LIMIT 1 OFFSET ?2",
	[SWEEP] = "DELETE FROM devices WHERE dev_eui >= ?1 AND dev_eui <= ?2 AND run < ?3",
	[SAVE_SESSION] = "INSERT OR REPLACE INTO session_keys (dev_eui, slot, session_key_id, time, "
			 "kek_label, app_s_key) "
			 "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[LOAD_SESSION] = "SELECT slot, time, kek_label, app_s_key FROM session_keys "
			 "WHERE dev_eui = ?1 AND session_key_id = ?2",
	[REMOVE_SESSIONS] = "DELETE FROM session_keys WHERE dev_eui = ?1",
	[SWEEP_SESSIONS_END] =
		"SELECT dev_eui FROM session_keys WHERE dev_eui >= ?1 ORDER BY dev_eui LIMIT 1 OFFSET ?2",
	[SWEEP_SESSIONS] = "DELETE FROM session_keys WHERE dev_eui >= ?1 AND dev_eui <= ?2 AND time < ?3",
	/* The first columns as LOAD_DEVICE has them. */
	[LIST_DEVICES] = "SELECT version, run, enabled, join_eui, mac_version, app_key, nwk_key, "
			 "app_kek_label, home_net_id, dev_eui "
			 "FROM devices WHERE dev_eui >= ?1 ORDER BY dev_eui LIMIT ?2",
	[IS_USED] = "SELECT EXISTS (SELECT 1 FROM devices) OR EXISTS (SELECT 1 FROM nonces)",
	[LOAD_VAULT] = "SELECT mark_key, before, box, made, rotated, audit_key FROM vault WHERE id = 1",
	[SAVE_VAULT] = "INSERT OR REPLACE INTO vault (id, mark_key, before, box, made, rotated, audit_key) "
		       "VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
	[LOAD_WRAPS] = "SELECT id, source, fingerprint, salt, passes, memory, wrapped, time, opened "
		       "FROM vault_wraps ORDER BY id",
	[REMOVE_WRAPS] = "DELETE FROM vault_wraps",
	[SAVE_WRAP] =
		"INSERT INTO vault_wraps (id, source, fingerprint, salt, passes, memory, wrapped, time, "
		"opened) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[LOAD_KEKS] = "SELECT label, version, sealed, time, uses, last_use FROM keks ORDER BY label, version",
	[SAVE_KEK] = "INSERT INTO keks (label, version, sealed, time, uses, last_use) "
		     "VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
		     "ON CONFLICT (label, version) DO UPDATE SET sealed = ?3, time = ?4",
	[SAVE_KEK_USE] = "INSERT INTO keks (label, version, sealed, time, uses, last_use) "
			 "VALUES (?1, ?2, NULL, ?4, ?5, ?6) "
			 "ON CONFLICT (label, version) DO UPDATE SET uses = ?5, last_use = ?6",
	[REMOVE_KEK] = "DELETE FROM keks WHERE label = ?1 AND version = ?2",
	[LOAD_KEK_HIGHEST] = "SELECT version, mark FROM kek_highest WHERE label = ?1",
	[SAVE_KEK_HIGHEST] = "INSERT INTO kek_highest (label, version, mark) VALUES (?1, ?2, ?3) "
			     "ON CONFLICT (label) DO UPDATE SET version = ?2, mark = ?3 WHERE ?2 >= version",
	[PUT_AUDIT] = "INSERT INTO audit (seq, time, who, what, subject, detail, hash) "
		      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[LAST_AUDIT] = "SELECT seq, time, who, what, subject, detail, hash FROM audit "
		       "ORDER BY seq DESC LIMIT 1",
	[LIST_AUDIT] = "SELECT seq, time, who, what, subject, detail, hash FROM audit "
		       "WHERE seq > ?1 ORDER BY seq LIMIT ?2",
};

enum status js_store_open(const char *path, const char *vfs, struct db **db)
{
	const struct db_options options = {
		.path = path,
		.migrations = &db_migrations_join_server,
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.vfs = vfs,
	};
	return db_open(&options, db);
}

enum status js_store_commit(struct db *db)
{
	return db_in_transaction(db) ? db_commit(db) : ST_OK;
}

enum status js_store_begin(struct db *db)
{
	return db_in_transaction(db) ? ST_OK : db_begin(db);
}

/* An EUI as the signed integer of the same bits. */
int64_t js_store_key(const struct lw_eui64 *eui)
{
	uint64_t number = lw_eui64_number(eui);
	int64_t signed_number;
	memcpy(&signed_number, &number, sizeof number);
	return signed_number;
}

static struct lw_eui64 eui_of(int64_t signed_number)
{
	uint64_t number;
	memcpy(&number, &signed_number, sizeof number);
	return lw_eui64_from_number(number);
}

/* A row that we did not write: the file was changed by another hand. */
enum status js_store_damaged(const char *what)
{
	LOG_ERROR("database_row_damaged", "table=%s", what);
	return ST_DATABASE;
}

static bool read_key(struct db *db, int statement, int column, bool *present,
		     uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	*present = !db_column_is_null(db, statement, column);
	return !*present || db_column_copy(db, statement, column, sealed, JS_SEALED_ROOT_KEY);
}

bool js_store_read_device(struct db *db, int statement, struct js_device *device)
{
	device->version = (uint64_t)db_column_i64(db, statement, 0);
	device->run = (uint64_t)db_column_i64(db, statement, 1);
	device->enabled = db_column_i64(db, statement, 2) != 0;
	device->join_eui = eui_of(db_column_i64(db, statement, 3));
	const char *label = db_column_text(db, statement, 7);
	if (strlen(label) >= sizeof device->app_kek_label)
		return false;
	memcpy(device->app_kek_label, label, strlen(label) + 1);
	device->has_home = !db_column_is_null(db, statement, 8);
	device->home.value = (uint32_t)db_column_i64(db, statement, 8);
	return lw_mac_version_parse(db_column_text(db, statement, 4), &device->mac_version) &&
	       read_key(db, statement, 5, &device->has_app_key, device->app_key) &&
	       read_key(db, statement, 6, &device->has_nwk_key, device->nwk_key);
}

static enum status load_device(void *ctx, const struct lw_eui64 *dev_eui, struct js_device *device)
{
	struct db *db = ctx;
	db_bind_i64(db, LOAD_DEVICE, 1, js_store_key(dev_eui));
	enum db_step step = db_step(db, LOAD_DEVICE);
	if (step == DB_DONE)
		return ST_NOT_FOUND;
	if (step == DB_FAILED)
		return db_step_status(db);
	struct js_device read = {.dev_eui = *dev_eui};
	bool good = js_store_read_device(db, LOAD_DEVICE, &read);
	db_reset(db, LOAD_DEVICE);
	if (!good)
		return js_store_damaged("devices");
	*device = read;
	return ST_OK;
}

static void bind_key(struct db *db, int parameter, bool present, const uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	if (present)
		db_bind_blob(db, SAVE_DEVICE, parameter, sealed, JS_SEALED_ROOT_KEY);
	else
		db_bind_null(db, SAVE_DEVICE, parameter);
}

static enum status save_device(void *ctx, const struct js_device *device)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, SAVE_DEVICE, 1, js_store_key(&device->dev_eui));
	db_bind_i64(db, SAVE_DEVICE, 2, (int64_t)device->version);
	db_bind_i64(db, SAVE_DEVICE, 3, (int64_t)device->run);
	db_bind_i64(db, SAVE_DEVICE, 4, device->enabled);
	db_bind_i64(db, SAVE_DEVICE, 5, js_store_key(&device->join_eui));
	db_bind_text(db, SAVE_DEVICE, 6, lw_mac_version_name(device->mac_version));
	bind_key(db, 7, device->has_app_key, device->app_key);
	bind_key(db, 8, device->has_nwk_key, device->nwk_key);
	db_bind_text(db, SAVE_DEVICE, 9, device->app_kek_label);
	if (device->has_home)
		db_bind_i64(db, SAVE_DEVICE, 10, device->home.value);
	else
		db_bind_null(db, SAVE_DEVICE, 10);
	return db_run(db, SAVE_DEVICE);
}

static enum status remove_device(void *ctx, const struct lw_eui64 *dev_eui)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, REMOVE_DEVICE, 1, js_store_key(dev_eui));
	status = db_run(db, REMOVE_DEVICE);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, REMOVE_SESSIONS, 1, js_store_key(dev_eui));
	return db_run(db, REMOVE_SESSIONS);
}

static bool read_nonces(struct db *db, struct js_nonces *nonces)
{
	nonces->join_nonce = (uint32_t)db_column_i64(db, LOAD_NONCES, 0);
	nonces->has_counter = !db_column_is_null(db, LOAD_NONCES, 2);
	nonces->counter = (uint16_t)db_column_i64(db, LOAD_NONCES, 2);
	nonces->has_last = !db_column_is_null(db, LOAD_NONCES, 3);
	nonces->last_dev_nonce = (uint16_t)db_column_i64(db, LOAD_NONCES, 3);
	nonces->last_time.us = db_column_i64(db, LOAD_NONCES, 4);
	nonces->has_rj_count1 = !db_column_is_null(db, LOAD_NONCES, 6);
	nonces->rj_count1 = (uint16_t)db_column_i64(db, LOAD_NONCES, 6);
	nonces->rj_time.us = db_column_i64(db, LOAD_NONCES, 7);
	nonces->has_net_id = !db_column_is_null(db, LOAD_NONCES, 8);
	nonces->net_id.value = (uint32_t)db_column_i64(db, LOAD_NONCES, 8);
	nonces->has_ns_id = !db_column_is_null(db, LOAD_NONCES, 9);
	nonces->ns_id = nonces->has_ns_id ? eui_of(db_column_i64(db, LOAD_NONCES, 9))
					  : (struct lw_eui64){{0}};
	nonces->allowed_until.us = db_column_i64(db, LOAD_NONCES, 10); /* null: 0 */
	nonces->uses = (uint64_t)db_column_i64(db, LOAD_NONCES, 11);
	nonces->used_at.us = db_column_i64(db, LOAD_NONCES, 12);
	size_t length;
	const uint8_t *used = db_column_blob(db, LOAD_NONCES, 5, &length);
	return db_column_copy(db, LOAD_NONCES, 1, nonces->key_mark, JS_KEY_MARK) &&
	       js_nonces_decode(nonces, used, length) == ST_OK;
}

static enum status load_nonces(void *ctx, const struct lw_eui64 *join_eui, const struct lw_eui64 *dev_eui,
			       struct js_nonces *nonces)
{
	struct db *db = ctx;
	db_bind_i64(db, LOAD_NONCES, 1, js_store_key(dev_eui));
	db_bind_i64(db, LOAD_NONCES, 2, js_store_key(join_eui));
	enum db_step step = db_step(db, LOAD_NONCES);
	if (step == DB_DONE)
		return ST_NOT_FOUND;
	if (step == DB_FAILED)
		return db_step_status(db);
	bool good = read_nonces(db, nonces);
	db_reset(db, LOAD_NONCES);
	return good ? ST_OK : js_store_damaged("nonces");
}

static void bind_optional(struct db *db, int parameter, bool present, int64_t value)
{
	if (present)
		db_bind_i64(db, SAVE_NONCES, parameter, value);
	else
		db_bind_null(db, SAVE_NONCES, parameter);
}

static enum status save_nonces(void *ctx, const struct lw_eui64 *join_eui, const struct lw_eui64 *dev_eui,
			       const struct js_nonces *nonces)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	uint8_t used[JS_NONCES_USED_MAX];
	size_t length = js_nonces_encode(nonces, used);
	db_bind_i64(db, SAVE_NONCES, 1, js_store_key(dev_eui));
	db_bind_i64(db, SAVE_NONCES, 2, js_store_key(join_eui));
	db_bind_i64(db, SAVE_NONCES, 3, nonces->join_nonce);
	db_bind_blob(db, SAVE_NONCES, 4, nonces->key_mark, JS_KEY_MARK);
	bind_optional(db, 5, nonces->has_counter, nonces->counter);
	bind_optional(db, 6, nonces->has_last, nonces->last_dev_nonce);
	bind_optional(db, 7, nonces->has_last, nonces->last_time.us);
	db_bind_blob(db, SAVE_NONCES, 8, used, length);
	bind_optional(db, 9, nonces->has_rj_count1, nonces->rj_count1);
	bind_optional(db, 10, nonces->has_rj_count1, nonces->rj_time.us);
	bind_optional(db, 11, nonces->has_net_id, nonces->net_id.value);
	bind_optional(db, 12, nonces->has_ns_id, js_store_key(&nonces->ns_id));
	bind_optional(db, 13, nonces->allowed_until.us != 0, nonces->allowed_until.us);
	db_bind_i64(db, SAVE_NONCES, 14, (int64_t)nonces->uses);
	bind_optional(db, 15, nonces->used_at.us != 0, nonces->used_at.us);
	return db_run(db, SAVE_NONCES);
}

static enum status load_state(void *ctx, struct js_state *state)
{
	struct db *db = ctx;
	enum db_step step = db_step(db, LOAD_STATE);
	if (step == DB_DONE)
		return js_store_damaged("state");
	if (step == DB_FAILED)
		return db_step_status(db);
	struct js_state read = {
		.applied_version = (uint64_t)db_column_i64(db, LOAD_STATE, 1),
		.run = (uint64_t)db_column_i64(db, LOAD_STATE, 2),
		.valid_run = (uint64_t)db_column_i64(db, LOAD_STATE, 3),
		.swept_run = (uint64_t)db_column_i64(db, LOAD_STATE, 4),
	};
	const char *city = db_column_text(db, LOAD_STATE, 0);
	bool good = strlen(city) < sizeof read.city;
	if (good)
		memcpy(read.city, city, strlen(city) + 1);
	db_reset(db, LOAD_STATE);
	if (!good)
		return js_store_damaged("state");
	*state = read;
	return ST_OK;
}

static enum status save_state(void *ctx, const struct js_state *state)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_text(db, SAVE_STATE, 1, state->city);
	db_bind_i64(db, SAVE_STATE, 2, (int64_t)state->applied_version);
	db_bind_i64(db, SAVE_STATE, 3, (int64_t)state->run);
	db_bind_i64(db, SAVE_STATE, 4, (int64_t)state->valid_run);
	db_bind_i64(db, SAVE_STATE, 5, (int64_t)state->swept_run);
	return db_run(db, SAVE_STATE);
}

/* *at counts from the lowest signed key, so that 0 means the first. */
int64_t js_store_sweep_key(uint64_t at)
{
	uint64_t number = at ^ UINT64_C(1) << 63;
	int64_t signed_number;
	memcpy(&signed_number, &number, sizeof number);
	return signed_number;
}

static enum status sweep(void *ctx, uint64_t valid_run, int limit, uint64_t *at, bool *done)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	int64_t from = js_store_sweep_key(*at);
	db_bind_i64(db, SWEEP_END, 1, from);
	db_bind_i64(db, SWEEP_END, 2, limit);
	enum db_step step = db_step(db, SWEEP_END);
	if (step == DB_FAILED)
		return db_step_status(db);
	int64_t end = step == DB_ROW ? db_column_i64(db, SWEEP_END, 0) : INT64_MAX;
	db_reset(db, SWEEP_END);
	*done = step == DB_DONE;
	db_bind_i64(db, SWEEP, 1, from);
	db_bind_i64(db, SWEEP, 2, *done ? end : end - 1);
	db_bind_i64(db, SWEEP, 3, (int64_t)valid_run);
	*at = (uint64_t)end ^ UINT64_C(1) << 63;
	return db_run(db, SWEEP);
}

struct js_store js_store_sqlite(struct db *db)
{
	return (struct js_store){
		.ctx = db,
		.load_device = load_device,
		.save_device = save_device,
		.remove_device = remove_device,
		.load_nonces = load_nonces,
		.save_nonces = save_nonces,
		.load_state = load_state,
		.save_state = save_state,
		.sweep = sweep,
		.save_session = js_store_save_session,
		.load_session = js_store_load_session,
		.sweep_sessions = js_store_sweep_sessions,
		.list_devices = js_store_list_devices,
		.load_vault = js_store_load_vault,
		.save_vault = js_store_save_vault,
		.load_keks = js_store_load_keks,
		.save_kek = js_store_save_kek,
		.save_kek_use = js_store_save_kek_use,
		.remove_kek = js_store_remove_kek,
		.load_kek_highest = js_store_load_kek_highest,
		.put_audit = js_store_put_audit,
		.last_audit = js_store_last_audit,
		.list_audit = js_store_list_audit,
	};
}
