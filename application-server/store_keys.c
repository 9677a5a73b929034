#include "application-server/store_keys.h"

#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

enum {
	SESSION_PUT,
	SESSION_PRUNE,
	SESSION_IN_PLACE,
	SESSION_PLACE_LEFT,
	SESSION_GET,
	SESSION_REMOVE,
	DEVICE_INFO,
	CODEC,
	PROFILE_USED,
	GATEWAY_PLACE,
	COUNT
};

const char *const as_sql_keys[] = {
	/* In order even when the wall clock was set back: the latest session is the last to go. */
	[SESSION_PUT] =
		"INSERT INTO sessions (dev_eui, session, app_s_key, created_at) VALUES (?1, ?2, ?3, max(?4, "
		"coalesce((SELECT max(created_at) + 1 FROM (SELECT created_at FROM sessions WHERE dev_eui = "
		"?1 "
		"UNION ALL SELECT created_at FROM held_sessions WHERE dev_eui = ?1)), 0))) "
		"ON CONFLICT (dev_eui, session) DO UPDATE SET app_s_key = ?3",
	[SESSION_PRUNE] =
		"DELETE FROM sessions WHERE dev_eui = ?1 AND session <> zeroblob(16) AND session <> ?3 AND "
		"session NOT IN "
		"(SELECT session FROM sessions WHERE dev_eui = ?1 AND session <> zeroblob(16) "
		"ORDER BY created_at DESC LIMIT ?2)",
	/* At the place in time of the join that it belongs to. */
	[SESSION_IN_PLACE] =
		"INSERT INTO sessions (dev_eui, session, app_s_key, created_at) SELECT dev_eui, session, ?3, "
		"created_at FROM held_sessions WHERE dev_eui = ?1 AND session = ?2 "
		"ON CONFLICT (dev_eui, session) DO UPDATE SET app_s_key = ?3",
	[SESSION_PLACE_LEFT] = "DELETE FROM held_sessions WHERE dev_eui = ?1 AND session = ?2",
	[SESSION_GET] = "SELECT app_s_key FROM sessions WHERE dev_eui = ?1 AND session = ?2",
	[SESSION_REMOVE] = "DELETE FROM sessions WHERE dev_eui = ?1 AND session = ?2",
	[DEVICE_INFO] =
		"SELECT d.agency, d.application, d.profile, d.name, a.name, ap.name, p.name, p.class, "
		"p.codec IS NOT NULL, ap.tags, p.tags, d.tags, p.region, coalesce(d.airtime_up_s_per_day, "
		"a.device_airtime_up_s_per_day, -1), coalesce(d.airtime_down_s_per_day, "
		"a.device_airtime_down_s_per_day, -1), coalesce(a.airtime_up_s_per_day, -1), "
		"coalesce(a.airtime_down_s_per_day, -1), coalesce(d.key_custody, ap.key_custody) = 'agency' "
		"FROM devices d JOIN agencies a ON "
		"a.id = "
		"d.agency "
		"JOIN applications ap ON ap.id = d.application JOIN profiles p ON p.id = d.profile "
		"WHERE d.dev_eui = ?1",
	[CODEC] = "SELECT codec FROM profiles WHERE id = ?1 AND codec IS NOT NULL",
	[PROFILE_USED] = "SELECT EXISTS (SELECT 1 FROM devices WHERE profile = ?1)",
	[GATEWAY_PLACE] = "SELECT lat, lon, coalesce(altitude_m, 0), position_from = 'gps' FROM gateways "
			  "WHERE eui = ?1",
};
const int as_sql_keys_count = COUNT;

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
				 const uint8_t key[AS_SEALED_SESSION_KEY],
				 const struct net_session_id *in_use, struct wall now)
{
	int put = store->keys_base + SESSION_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store->city, put, dev_eui, session);
	db_bind_blob(store->city, put, 3, key, AS_SEALED_SESSION_KEY);
	db_bind_i64(store->city, put, 4, now.us);
	status = no_device(db_run(store->city, put));
	return status == ST_OK ? as_store_sessions_prune(store, dev_eui, in_use ? in_use : session) : status;
}

enum status as_store_sessions_prune(struct as_store *store, const struct lw_eui64 *dev_eui,
				    const struct net_session_id *in_use)
{
	int prune = store->keys_base + SESSION_PRUNE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, prune, 1, number_of(dev_eui));
	db_bind_i64(store->city, prune, 2, AS_SESSIONS_KEPT);
	db_bind_blob(store->city, prune, 3, in_use->bytes, sizeof in_use->bytes);
	return db_run(store->city, prune);
}

enum status as_store_session_take_place(struct as_store *store, const struct lw_eui64 *dev_eui,
					const struct net_session_id *session,
					const uint8_t key[AS_SEALED_SESSION_KEY])
{
	int put = store->keys_base + SESSION_IN_PLACE, left = store->keys_base + SESSION_PLACE_LEFT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store->city, put, dev_eui, session);
	db_bind_blob(store->city, put, 3, key, AS_SEALED_SESSION_KEY);
	status = db_run(store->city, put);
	if (status != ST_OK)
		return status;
	bind_session(store->city, left, dev_eui, session);
	return db_run(store->city, left);
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
	snprintf(info->region, sizeof info->region, "%s", db_column_text(db, s, 12));
	for (int i = 0; i < AS_QUOTAS; i++)
		info->quota_s[i] = db_column_i64(db, s, 13 + i);
	info->agency_holds = db_column_i64(db, s, 13 + AS_QUOTAS) != 0;
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

struct as_gateway_place as_store_gateway_place(struct as_store *store, const struct lw_eui64 *eui)
{
	struct as_gateway_place place = {.known = false};
	int s = store->keys_base + GATEWAY_PLACE;
	db_bind_i64(store->city, s, 1, number_of(eui));
	if (db_step(store->city, s) != DB_ROW)
		return place;
	place.known = !db_column_is_null(store->city, s, 0) && !db_column_is_null(store->city, s, 1);
	place.lat = db_column_real(store->city, s, 0);
	place.lon = db_column_real(store->city, s, 1);
	place.altitude_m = db_column_real(store->city, s, 2);
	place.by_gps = db_column_i64(store->city, s, 3) != 0;
	db_reset(store->city, s);
	return place;
}
