#include "application-server/store_stock.h"

#include "application-server/store_private.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

enum { PUT, GET, CLAIMED, REMOVE, LIST, ROOT_KEYS, TRIES_GET, TRIES_PUT, TRIES_CLEAR, TRIES_SHED, COUNT };

const char *const as_sql_stock[] = {
	[PUT] = "INSERT INTO stock (dev_eui, join_eui, holder, waits, token, app_key, nwk_key, vendor, "
		"vendor_profile, serial, changed_at) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		"ON CONFLICT (dev_eui) DO UPDATE SET join_eui = ?2, holder = ?3, waits = 1, token = ?4, "
		"app_key = ?5, nwk_key = ?6, vendor = ?7, vendor_profile = ?8, serial = ?9, changed_at = ?10",
	[GET] = "SELECT dev_eui, join_eui, holder, waits, token, app_key, nwk_key, vendor, vendor_profile, "
		"serial, changed_at FROM stock WHERE dev_eui = ?1",
	[CLAIMED] = "UPDATE stock SET waits = 0, token = NULL, app_key = NULL, nwk_key = NULL, changed_at = "
		    "?2 WHERE dev_eui = ?1",
	[REMOVE] = "DELETE FROM stock WHERE dev_eui = ?1",
	[LIST] = "SELECT dev_eui, join_eui, waits, vendor, vendor_profile, serial, changed_at, (SELECT slug "
		 "FROM agencies WHERE id = stock.holder) FROM stock WHERE (?1 OR holder = ?2) AND dev_eui >= "
		 "?3 ORDER BY dev_eui LIMIT ?4",
	[ROOT_KEYS] = "SELECT join_eui, app_key, nwk_key, agency FROM devices WHERE dev_eui = ?1",
	[TRIES_GET] = "SELECT failed, since, until FROM claim_tries WHERE subject = ?1",
	[TRIES_PUT] = "INSERT INTO claim_tries (subject, failed, since, until) VALUES (?1, ?2, ?3, ?4) "
		      "ON CONFLICT (subject) DO UPDATE SET failed = ?2, since = ?3, until = ?4",
	[TRIES_CLEAR] = "DELETE FROM claim_tries WHERE subject = ?1",
	[TRIES_SHED] = "DELETE FROM claim_tries WHERE subject IN (SELECT subject FROM claim_tries ORDER BY "
		       "until DESC, since DESC LIMIT -1 OFFSET ?1)",
};
const int as_sql_stock_count = COUNT;

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

static void bind_key(struct db *db, int s, int parameter, bool has, const uint8_t key[NET_SEALED_KEY_SIZE])
{
	if (has)
		db_bind_blob(db, s, parameter, key, NET_SEALED_KEY_SIZE);
	else
		db_bind_null(db, s, parameter);
}

enum status as_store_stock_put(struct as_store *store, const struct as_stock *stock)
{
	struct db *db = store->city;
	int s = store->stock_base + PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, s, 1, number_of(&stock->dev_eui));
	db_bind_i64(db, s, 2, number_of(&stock->join_eui));
	if (stock->has_holder)
		db_bind_blob(db, s, 3, stock->holder.bytes, sizeof stock->holder.bytes);
	else
		db_bind_null(db, s, 3);
	db_bind_blob(db, s, 4, stock->token, sizeof stock->token);
	bind_key(db, s, 5, stock->has_app_key, stock->app_key);
	bind_key(db, s, 6, stock->has_nwk_key, stock->nwk_key);
	db_bind_i64(db, s, 7, stock->vendor);
	db_bind_i64(db, s, 8, stock->vendor_profile);
	db_bind_text(db, s, 9, stock->serial);
	db_bind_i64(db, s, 10, stock->changed.us);
	return db_run(db, s);
}

enum status as_store_stock_get(struct as_store *store, const struct lw_eui64 *dev_eui, struct as_stock *stock)
{
	struct db *db = store->city;
	int s = store->stock_base + GET;
	db_bind_i64(db, s, 1, number_of(dev_eui));
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	*stock = (struct as_stock){.dev_eui = *dev_eui,
				   .join_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 1)),
				   .waits = db_column_i64(db, s, 3) != 0,
				   .vendor = (uint16_t)db_column_i64(db, s, 7),
				   .vendor_profile = (uint16_t)db_column_i64(db, s, 8),
				   .changed = {db_column_i64(db, s, 10)}};
	stock->has_holder = db_column_copy(db, s, 2, stock->holder.bytes, sizeof stock->holder.bytes);
	stock->waits = stock->waits && db_column_copy(db, s, 4, stock->token, sizeof stock->token);
	stock->has_app_key = db_column_copy(db, s, 5, stock->app_key, sizeof stock->app_key);
	stock->has_nwk_key = db_column_copy(db, s, 6, stock->nwk_key, sizeof stock->nwk_key);
	snprintf(stock->serial, sizeof stock->serial, "%s", db_column_text(db, s, 9));
	db_reset(db, s);
	return ST_OK;
}

enum status as_store_stock_claimed(struct as_store *store, const struct lw_eui64 *dev_eui, struct wall now)
{
	int s = store->stock_base + CLAIMED;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	db_bind_i64(store->city, s, 2, now.us);
	return db_run(store->city, s);
}

enum status as_store_stock_remove(struct as_store *store, const struct lw_eui64 *dev_eui)
{
	int s = store->stock_base + REMOVE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	return db_run(store->city, s);
}

static json_t *read_item(struct db *db, int s)
{
	char dev_eui[LW_EUI64_TEXT], join_eui[LW_EUI64_TEXT], profile[9], time[AS_TIME_TEXT];
	struct lw_eui64 device = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 0));
	struct lw_eui64 join = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 1));
	lw_eui64_format(dev_eui, &device);
	lw_eui64_format(join_eui, &join);
	snprintf(profile, sizeof profile, "%04X%04X", (unsigned)db_column_i64(db, s, 3) & 0xffff,
		 (unsigned)db_column_i64(db, s, 4) & 0xffff);
	return json_pack("{ss ss sb ss ss ss? ss}", "dev_eui", dev_eui, "join_eui", join_eui, "waits",
			 (int)(db_column_i64(db, s, 2) != 0), "profile_id", profile, "serial",
			 db_column_text(db, s, 5), "holder",
			 db_column_is_null(db, s, 7) ? NULL : db_column_text(db, s, 7), "changed_at",
			 as_time_format(time, (struct wall){db_column_i64(db, s, 6)}));
}

enum status as_store_stock_list(struct as_store *store, const struct as_scope *scope, int64_t from,
				unsigned limit, json_t **items, int64_t *next, bool *more)
{
	struct db *db = store->city;
	int s = store->stock_base + LIST;
	json_t *found = json_array();
	enum db_step step;
	if (!found)
		return ST_NO_MEMORY;
	*more = false;
	as_store_bind_scope(db, s, scope);
	db_bind_i64(db, s, 3, from);
	db_bind_i64(db, s, 4, (int64_t)limit + 1);
	while ((step = db_step(db, s)) == DB_ROW) {
		if (json_array_size(found) == limit) {
			*more = true;
			*next = db_column_i64(db, s, 0);
			db_reset(db, s);
			break;
		}
		json_array_append_new(found, read_item(db, s));
	}
	if (step == DB_FAILED) {
		json_decref(found);
		return db_step_status(db);
	}
	*items = found;
	return ST_OK;
}

enum status as_store_device_root_keys(struct as_store *store, const struct lw_eui64 *dev_eui,
				      struct as_stock *stock)
{
	struct db *db = store->city;
	int s = store->stock_base + ROOT_KEYS;
	db_bind_i64(db, s, 1, number_of(dev_eui));
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	*stock = (struct as_stock){.dev_eui = *dev_eui,
				   .join_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 0))};
	stock->has_app_key = db_column_copy(db, s, 1, stock->app_key, sizeof stock->app_key);
	stock->has_nwk_key = db_column_copy(db, s, 2, stock->nwk_key, sizeof stock->nwk_key);
	stock->has_holder = db_column_copy(db, s, 3, stock->holder.bytes, sizeof stock->holder.bytes);
	db_reset(db, s);
	return ST_OK;
}

/* --- tries ------------------------------------------------------------------------------------------------------- */

enum status as_store_tries_get(struct as_store *store, const char *subject, struct as_tries *tries)
{
	struct db *db = store->city;
	int s = store->stock_base + TRIES_GET;
	*tries = (struct as_tries){0};
	db_bind_text(db, s, 1, subject);
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_OK : db_step_status(db);
	*tries = (struct as_tries){.failed = (unsigned)db_column_i64(db, s, 0),
				   .since = {db_column_i64(db, s, 1)},
				   .until = {db_column_i64(db, s, 2)}};
	db_reset(db, s);
	return ST_OK;
}

enum status as_store_tries_put(struct as_store *store, const char *subject, const struct as_tries *tries)
{
	struct db *db = store->city;
	int put = store->stock_base + TRIES_PUT, shed = store->stock_base + TRIES_SHED;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(db, put, 1, subject);
	db_bind_i64(db, put, 2, tries->failed);
	db_bind_i64(db, put, 3, tries->since.us);
	db_bind_i64(db, put, 4, tries->until.us);
	status = db_run(db, put);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, shed, 1, AS_TRIES_MAX);
	return db_run(db, shed);
}

enum status as_store_tries_clear(struct as_store *store, const char *subject)
{
	int s = store->stock_base + TRIES_CLEAR;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(store->city, s, 1, subject);
	return db_run(store->city, s);
}
