#include "application-server/store_firmware.h"

#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

enum {
	KEY_PUT,
	KEY_GET,
	PUT,
	GET,
	NEXT,
	FIND,
	ORDER_PUT,
	ORDER_GET,
	ORDER_MOVE,
	ORDER_REMOVE,
	ORDER_NEXT,
	OF_MODEL,
	COUNT
};

#define FIRMWARE "SELECT id, model, version, size, sha512, signature, key, added_by, added_at FROM firmware "
#define ORDER                                                                                       \
	"SELECT gateway, firmware, state, reason, ordered_by, ordered_at, offers, changed_at FROM " \
	"firmware_orders "

const char *const as_sql_firmware[] = {
	[KEY_PUT] = "INSERT INTO firmware_keys (name, point, crc, added_by, added_at) VALUES (?1, ?2, ?3, "
		    "?4, ?5)",
	[KEY_GET] = "SELECT name, point, crc, added_by FROM firmware_keys WHERE name = ?1",
	[PUT] = "INSERT INTO firmware (model, version, size, sha512, signature, key, added_by, added_at) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[GET] = FIRMWARE "WHERE id = ?1",
	[NEXT] = FIRMWARE "WHERE id > ?1 ORDER BY id LIMIT 1",
	[FIND] = FIRMWARE "WHERE model = ?1 AND version = ?2",
	[ORDER_PUT] = "INSERT OR REPLACE INTO firmware_orders (gateway, firmware, state, reason, ordered_by, "
		      "ordered_at, offers, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ORDER_GET] = ORDER "WHERE gateway = ?1",
	[ORDER_MOVE] = "UPDATE firmware_orders SET state = ?2, reason = ?3, offers = offers + ?4, "
		       "changed_at = ?5 WHERE gateway = ?1",
	[ORDER_REMOVE] = "DELETE FROM firmware_orders WHERE gateway = ?1",
	[ORDER_NEXT] = ORDER "WHERE ?1 IS NULL OR gateway > ?1 ORDER BY gateway LIMIT 1",
	[OF_MODEL] = "SELECT gateway FROM gateway_stations WHERE model = ?1 AND (?2 IS NULL OR gateway > ?2) "
		     "ORDER BY gateway LIMIT 1",
};
const int as_sql_firmware_count = COUNT;

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

static enum status first_row(struct as_store *store, int s)
{
	enum db_step step = db_step(store->city, s);
	return step == DB_ROW ? ST_OK : step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
}

static void take_text(struct db *db, int s, int column, char *text, size_t capacity)
{
	snprintf(text, capacity, "%s", db_column_text(db, s, column));
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

enum status as_store_firmware_key_put(struct as_store *store, const struct as_firmware_key *key,
				      struct wall now)
{
	int s = store->firmware_base + KEY_PUT;
	struct as_firmware_key known;
	if (as_store_firmware_key_get(store, key->name, &known) == ST_OK)
		return ST_EXISTS;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(store->city, s, 1, key->name);
	db_bind_blob(store->city, s, 2, key->point, sizeof key->point);
	db_bind_i64(store->city, s, 3, key->crc);
	db_bind_text(store->city, s, 4, key->added_by);
	db_bind_i64(store->city, s, 5, now.us);
	return db_run(store->city, s);
}

enum status as_store_firmware_key_get(struct as_store *store, const char *name, struct as_firmware_key *key)
{
	struct db *db = store->city;
	int s = store->firmware_base + KEY_GET;
	db_bind_text(db, s, 1, name);
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	take_text(db, s, 0, key->name, sizeof key->name);
	bool whole = db_column_copy(db, s, 1, key->point, sizeof key->point);
	key->crc = (uint32_t)db_column_i64(db, s, 2);
	take_text(db, s, 3, key->added_by, sizeof key->added_by);
	db_reset(db, s);
	return whole ? ST_OK : ST_DATABASE;
}

/* --- packages ------------------------------------------------------------------------------------------------------ */

enum status as_store_firmware_put(struct as_store *store, struct as_firmware_row *row)
{
	int s = store->firmware_base + PUT;
	struct as_firmware_row known;
	if (as_store_firmware_find(store, row->model, row->version, &known) == ST_OK)
		return ST_EXISTS;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(store->city, s, 1, row->model);
	db_bind_text(store->city, s, 2, row->version);
	db_bind_i64(store->city, s, 3, (int64_t)row->size);
	db_bind_blob(store->city, s, 4, row->sha512, sizeof row->sha512);
	db_bind_blob(store->city, s, 5, row->signature, row->signature_length);
	db_bind_text(store->city, s, 6, row->key);
	db_bind_text(store->city, s, 7, row->added_by);
	db_bind_i64(store->city, s, 8, row->added.us);
	status = db_run(store->city, s);
	if (status == ST_OK)
		row->id = db_last_row(store->city);
	return status;
}

static enum status take_firmware(struct as_store *store, int s, struct as_firmware_row *row)
{
	struct db *db = store->city;
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	row->id = db_column_i64(db, s, 0);
	take_text(db, s, 1, row->model, sizeof row->model);
	take_text(db, s, 2, row->version, sizeof row->version);
	row->size = (uint64_t)db_column_i64(db, s, 3);
	bool whole = db_column_copy(db, s, 4, row->sha512, sizeof row->sha512);
	const void *signature = db_column_blob(db, s, 5, &row->signature_length);
	whole = whole && row->signature_length > 0 && row->signature_length <= sizeof row->signature;
	if (whole)
		memcpy(row->signature, signature, row->signature_length);
	take_text(db, s, 6, row->key, sizeof row->key);
	take_text(db, s, 7, row->added_by, sizeof row->added_by);
	row->added.us = db_column_i64(db, s, 8);
	db_reset(db, s);
	return whole ? ST_OK : ST_DATABASE;
}

enum status as_store_firmware_get(struct as_store *store, int64_t id, struct as_firmware_row *row)
{
	db_bind_i64(store->city, store->firmware_base + GET, 1, id);
	return take_firmware(store, store->firmware_base + GET, row);
}

enum status as_store_firmware_next(struct as_store *store, int64_t after, struct as_firmware_row *row)
{
	db_bind_i64(store->city, store->firmware_base + NEXT, 1, after);
	return take_firmware(store, store->firmware_base + NEXT, row);
}

enum status as_store_firmware_find(struct as_store *store, const char *model, const char *version,
				   struct as_firmware_row *row)
{
	int s = store->firmware_base + FIND;
	db_bind_text(store->city, s, 1, model);
	db_bind_text(store->city, s, 2, version);
	return take_firmware(store, s, row);
}

/* --- orders -------------------------------------------------------------------------------------------------------- */

static const char *const state_names[AS_ORDER_STATES] = {
	[AS_ORDERED] = "ordered",           [AS_ORDER_REFUSED] = "refused", [AS_ORDER_OFFERED] = "offered",
	[AS_ORDER_DELIVERED] = "delivered", [AS_ORDER_DONE] = "done",
};

const char *as_order_state_name(enum as_order_state state)
{
	return (unsigned)state < AS_ORDER_STATES ? state_names[state] : "unknown";
}

static enum as_order_state state_named(const char *name)
{
	for (int i = 0; i < AS_ORDER_STATES; i++)
		if (strcmp(state_names[i], name) == 0)
			return (enum as_order_state)i;
	return AS_ORDERED;
}

enum status as_store_order_put(struct as_store *store, const struct as_firmware_order *order)
{
	int s = store->firmware_base + ORDER_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(&order->gateway));
	db_bind_i64(store->city, s, 2, order->firmware);
	db_bind_text(store->city, s, 3, as_order_state_name(order->state));
	db_bind_text(store->city, s, 4, order->reason);
	db_bind_text(store->city, s, 5, order->ordered_by);
	db_bind_i64(store->city, s, 6, order->ordered.us);
	db_bind_i64(store->city, s, 7, order->offers);
	db_bind_i64(store->city, s, 8, order->changed.us);
	return db_run(store->city, s);
}

static enum status take_order(struct as_store *store, int s, struct as_firmware_order *order)
{
	struct db *db = store->city;
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	order->gateway = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 0));
	order->firmware = db_column_i64(db, s, 1);
	order->state = state_named(db_column_text(db, s, 2));
	take_text(db, s, 3, order->reason, sizeof order->reason);
	take_text(db, s, 4, order->ordered_by, sizeof order->ordered_by);
	order->ordered.us = db_column_i64(db, s, 5);
	order->offers = (uint32_t)db_column_i64(db, s, 6);
	order->changed.us = db_column_i64(db, s, 7);
	db_reset(db, s);
	return ST_OK;
}

enum status as_store_order_get(struct as_store *store, const struct lw_eui64 *gateway,
			       struct as_firmware_order *order)
{
	db_bind_i64(store->city, store->firmware_base + ORDER_GET, 1, number_of(gateway));
	return take_order(store, store->firmware_base + ORDER_GET, order);
}

enum status as_store_order_move(struct as_store *store, const struct lw_eui64 *gateway,
				enum as_order_state state, const char *reason, bool offered, struct wall now)
{
	int s = store->firmware_base + ORDER_MOVE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	db_bind_text(store->city, s, 2, as_order_state_name(state));
	db_bind_text(store->city, s, 3, reason);
	db_bind_i64(store->city, s, 4, offered);
	db_bind_i64(store->city, s, 5, now.us);
	return db_run(store->city, s);
}

enum status as_store_order_remove(struct as_store *store, const struct lw_eui64 *gateway)
{
	int s = store->firmware_base + ORDER_REMOVE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	status = db_run(store->city, s);
	return status == ST_OK && db_changes(store->city) == 0 ? ST_NOT_FOUND : status;
}

static void bind_after(struct as_store *store, int s, int parameter, const struct lw_eui64 *after)
{
	if (after)
		db_bind_i64(store->city, s, parameter, number_of(after));
	else
		db_bind_null(store->city, s, parameter);
}

enum status as_store_order_next(struct as_store *store, const struct lw_eui64 *after,
				struct as_firmware_order *order)
{
	bind_after(store, store->firmware_base + ORDER_NEXT, 1, after);
	return take_order(store, store->firmware_base + ORDER_NEXT, order);
}

enum status as_store_station_of_model(struct as_store *store, const char *model, const struct lw_eui64 *after,
				      struct lw_eui64 *gateway)
{
	int s = store->firmware_base + OF_MODEL;
	db_bind_text(store->city, s, 1, model);
	bind_after(store, s, 2, after);
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	*gateway = lw_eui64_from_number((uint64_t)db_column_i64(store->city, s, 0));
	db_reset(store->city, s);
	return ST_OK;
}
