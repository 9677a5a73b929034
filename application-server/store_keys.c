#include "application-server/store_keys.h"

#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

enum {
	SESSION_PUT,
	SESSION_PRUNE,
	SESSION_GET,
	SESSION_REMOVE,
	DEVICE_INFO,
	CODEC,
	PROFILE_USED,
	GATEWAY_PLACE,
	ITEM_PUT,
	ITEM_GET,
	ITEM_SET_STATUS,
	ITEMS_WAITING,
	ITEMS_QUEUED,
	ITEMS_LAST,
	ITEMS_PRUNE,
	COUNT
};

#define ITEM_COLUMNS "row, item, dev_eui, fport, confirmed, payload, status"

const char *const as_sql_keys[] = {
	[SESSION_PUT] =
		"INSERT INTO sessions (dev_eui, session, app_s_key, created_at) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (dev_eui, session) DO UPDATE SET app_s_key = ?3",
	[SESSION_PRUNE] =
		"DELETE FROM sessions WHERE dev_eui = ?1 AND session <> zeroblob(16) AND session NOT IN "
		"(SELECT session FROM sessions WHERE dev_eui = ?1 AND session <> zeroblob(16) "
		"ORDER BY created_at DESC LIMIT ?2)",
	[SESSION_GET] = "SELECT app_s_key FROM sessions WHERE dev_eui = ?1 AND session = ?2",
	[SESSION_REMOVE] = "DELETE FROM sessions WHERE dev_eui = ?1 AND session = ?2",
	[DEVICE_INFO] =
		"SELECT d.agency, d.application, d.profile, d.name, a.name, ap.name, p.name, p.class, "
		"p.codec IS NOT NULL, ap.tags, p.tags, d.tags FROM devices d JOIN agencies a ON a.id = "
		"d.agency "
		"JOIN applications ap ON ap.id = d.application JOIN profiles p ON p.id = d.profile "
		"WHERE d.dev_eui = ?1",
	[CODEC] = "SELECT codec FROM profiles WHERE id = ?1 AND codec IS NOT NULL",
	[PROFILE_USED] = "SELECT EXISTS (SELECT 1 FROM devices WHERE profile = ?1)",
	[GATEWAY_PLACE] =
		"SELECT lat, lon, coalesce(altitude_m, 0) FROM gateways WHERE eui = ?1 AND lat IS NOT NULL "
		"AND lon IS NOT NULL",
	[ITEM_PUT] =
		"INSERT INTO downlinks (item, dev_eui, fport, confirmed, payload, status, cause, created_at, "
		"changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?7)",
	[ITEM_GET] = "SELECT " ITEM_COLUMNS " FROM downlinks WHERE item = ?1",
	[ITEM_SET_STATUS] = "UPDATE downlinks SET status = ?2, fcnt_down = ?3, cause = ?4, changed_at = ?5 "
			    "WHERE item = ?1",
	[ITEMS_WAITING] = "SELECT count(*) FROM downlinks WHERE dev_eui = ?1 AND status <= 1",
	[ITEMS_QUEUED] = "SELECT " ITEM_COLUMNS
			 " FROM downlinks WHERE status = 0 AND row > ?1 ORDER BY row LIMIT ?2",
	[ITEMS_LAST] = "SELECT max(row) FROM downlinks",
	[ITEMS_PRUNE] =
		"DELETE FROM downlinks WHERE row > ?1 AND row <= ?2 AND status > 1 AND changed_at < ?3",
};
const int as_sql_keys_count = COUNT;

_Static_assert(NET_ITEM_QUEUED == 0 && NET_ITEM_PLANNED == 1, "the SQL above says so");

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

void as_store_keys_release(struct as_store *store)
{
	db_reset(store->city, store->keys_base + DEVICE_INFO);
	db_reset(store->city, store->keys_base + CODEC);
}

/* A foreign key that dangles means that the device is not there. */
static enum status no_device(enum status status)
{
	return status == ST_CONFLICT ? ST_NOT_FOUND : status;
}

static void bind_session(struct db *db, int s, const struct lw_eui64 *dev_eui,
			 const struct net_session_id *session)
{
	db_bind_i64(db, s, 1, number_of(dev_eui));
	db_bind_blob(db, s, 2, session->bytes, sizeof session->bytes);
}

enum status as_store_session_put(struct as_store *store, const struct lw_eui64 *dev_eui,
				 const struct net_session_id *session,
				 const uint8_t key[AS_SEALED_SESSION_KEY], struct wall now)
{
	int put = store->keys_base + SESSION_PUT, prune = store->keys_base + SESSION_PRUNE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store->city, put, dev_eui, session);
	db_bind_blob(store->city, put, 3, key, AS_SEALED_SESSION_KEY);
	db_bind_i64(store->city, put, 4, now.us);
	status = no_device(db_run(store->city, put));
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, prune, 1, number_of(dev_eui));
	db_bind_i64(store->city, prune, 2, AS_SESSIONS_KEPT);
	return db_run(store->city, prune);
}

enum status as_store_session_get(struct as_store *store, const struct lw_eui64 *dev_eui,
				 const struct net_session_id *session, uint8_t key[AS_SEALED_SESSION_KEY])
{
	int s = store->keys_base + SESSION_GET;
	bind_session(store->city, s, dev_eui, session);
	enum db_step step = db_step(store->city, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
	bool whole = db_column_copy(store->city, s, 0, key, AS_SEALED_SESSION_KEY);
	db_reset(store->city, s);
	return whole ? ST_OK : ST_NOT_FOUND;
}

enum status as_store_session_remove(struct as_store *store, const struct lw_eui64 *dev_eui,
				    const struct net_session_id *session)
{
	int s = store->keys_base + SESSION_REMOVE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store->city, s, dev_eui, session);
	return db_run(store->city, s);
}

/* --- devices ------------------------------------------------------------------------------------------------ */

static void take_name(struct db *db, int s, int column, char name[AS_NAME_MAX])
{
	snprintf(name, AS_NAME_MAX, "%s", db_column_text(db, s, column));
}

enum status as_store_device_info(struct as_store *store, const struct lw_eui64 *dev_eui,
				 struct as_device_info *info)
{
	struct db *db = store->city;
	int s = store->keys_base + DEVICE_INFO;
	db_reset(db, s); /* the row of the call before was lent until now */
	db_bind_i64(db, s, 1, number_of(dev_eui));
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	db_column_copy(db, s, 0, info->agency.bytes, sizeof info->agency.bytes);
	db_column_copy(db, s, 1, info->application.bytes, sizeof info->application.bytes);
	db_column_copy(db, s, 2, info->profile.bytes, sizeof info->profile.bytes);
	take_name(db, s, 3, info->name);
	take_name(db, s, 4, info->agency_name);
	take_name(db, s, 5, info->application_name);
	take_name(db, s, 6, info->profile_name);
	info->device_class = *db_column_text(db, s, 7);
	info->has_codec = db_column_i64(db, s, 8) != 0;
	info->application_tags = db_column_text(db, s, 9);
	info->profile_tags = db_column_text(db, s, 10);
	info->device_tags = db_column_text(db, s, 11);
	return ST_OK;
}

enum status as_store_codec(struct as_store *store, const struct net_uuid *profile, const char **text)
{
	int s = store->keys_base + CODEC;
	db_reset(store->city, s);
	db_bind_blob(store->city, s, 1, profile->bytes, sizeof profile->bytes);
	enum db_step step = db_step(store->city, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
	*text = db_column_text(store->city, s, 0);
	return ST_OK;
}

bool as_store_profile_is_used(struct as_store *store, const struct net_uuid *profile)
{
	int s = store->keys_base + PROFILE_USED;
	db_bind_blob(store->city, s, 1, profile->bytes, sizeof profile->bytes);
	if (db_step(store->city, s) != DB_ROW)
		return true; /* the store failed: nothing changes */
	bool used = db_column_i64(store->city, s, 0) != 0;
	db_reset(store->city, s);
	return used;
}

bool as_store_gateway_place(struct as_store *store, const struct lw_eui64 *eui, double *lat, double *lon,
			    double *altitude_m)
{
	int s = store->keys_base + GATEWAY_PLACE;
	db_bind_i64(store->city, s, 1, number_of(eui));
	if (db_step(store->city, s) != DB_ROW)
		return false;
	*lat = db_column_real(store->city, s, 0);
	*lon = db_column_real(store->city, s, 1);
	*altitude_m = db_column_real(store->city, s, 2);
	db_reset(store->city, s);
	return true;
}

/* --- downlink items ----------------------------------------------------------------------------------------- */

enum status as_store_item_put(struct as_store *store, const struct as_item *item, struct wall now)
{
	int s = store->keys_base + ITEM_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_blob(store->city, s, 1, item->item.bytes, sizeof item->item.bytes);
	db_bind_i64(store->city, s, 2, number_of(&item->dev_eui));
	db_bind_i64(store->city, s, 3, item->fport);
	db_bind_i64(store->city, s, 4, item->confirmed);
	db_bind_blob(store->city, s, 5, item->payload, item->length);
	db_bind_i64(store->city, s, 6, item->status);
	db_bind_i64(store->city, s, 7, now.us);
	return no_device(db_run(store->city, s));
}

static void read_item(struct db *db, int s, struct as_item *item)
{
	size_t length;
	db_column_copy(db, s, 1, item->item.bytes, sizeof item->item.bytes);
	item->dev_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 2));
	item->fport = (uint8_t)db_column_i64(db, s, 3);
	item->confirmed = db_column_i64(db, s, 4) != 0;
	const void *payload = db_column_blob(db, s, 5, &length);
	item->length = (uint8_t)(length <= NET_PAYLOAD_MAX ? length : 0);
	if (item->length)
		memcpy(item->payload, payload, item->length);
	item->status = (enum net_item_status)db_column_i64(db, s, 6);
}

enum status as_store_item_get(struct as_store *store, const struct net_uuid *id, struct as_item *item)
{
	int s = store->keys_base + ITEM_GET;
	db_bind_blob(store->city, s, 1, id->bytes, sizeof id->bytes);
	enum db_step step = db_step(store->city, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
	read_item(store->city, s, item);
	db_reset(store->city, s);
	return ST_OK;
}

enum status as_store_item_set_status(struct as_store *store, const struct net_uuid *id,
				     enum net_item_status status, uint32_t fcnt_down, const char *cause,
				     struct wall now)
{
	int s = store->keys_base + ITEM_SET_STATUS;
	enum status written = as_store_write_city(store);
	if (written != ST_OK)
		return written;
	db_bind_blob(store->city, s, 1, id->bytes, sizeof id->bytes);
	db_bind_i64(store->city, s, 2, status);
	db_bind_i64(store->city, s, 3, fcnt_down);
	db_bind_text(store->city, s, 4, cause);
	db_bind_i64(store->city, s, 5, now.us);
	return db_run(store->city, s);
}

size_t as_store_items_waiting(struct as_store *store, const struct lw_eui64 *dev_eui)
{
	int s = store->keys_base + ITEMS_WAITING;
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	if (db_step(store->city, s) != DB_ROW)
		return 0;
	size_t count = (size_t)db_column_i64(store->city, s, 0);
	db_reset(store->city, s);
	return count;
}

enum status as_store_items_queued(struct as_store *store, int64_t *row, struct as_item *items, size_t limit,
				  size_t *count)
{
	int s = store->keys_base + ITEMS_QUEUED;
	enum db_step step;
	size_t found = 0;
	db_bind_i64(store->city, s, 1, *row);
	db_bind_i64(store->city, s, 2, (int64_t)limit);
	while ((step = db_step(store->city, s)) == DB_ROW) {
		ASSERT_CMP(found, <, limit);
		*row = db_column_i64(store->city, s, 0);
		read_item(store->city, s, &items[found++]);
	}
	*count = found;
	return step == DB_DONE ? ST_OK : db_step_status(store->city);
}

/* The table is gone through in slices of rows, since those that wait may stand anywhere among those that are done. */
enum status as_store_items_prune(struct as_store *store, struct wall before, unsigned limit, bool *more)
{
	int last = store->keys_base + ITEMS_LAST, s = store->keys_base + ITEMS_PRUNE;
	int64_t end = 0;
	if (db_step(store->city, last) != DB_ROW)
		return db_step_status(store->city);
	end = db_column_i64(store->city, last, 0);
	db_reset(store->city, last);
	*more = store->items_looked_at + limit < end;
	if (end == 0)
		return ST_OK;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, store->items_looked_at);
	db_bind_i64(store->city, s, 2, store->items_looked_at + limit);
	db_bind_i64(store->city, s, 3, before.us);
	store->items_looked_at = *more ? store->items_looked_at + limit : 0;
	return db_run(store->city, s);
}
