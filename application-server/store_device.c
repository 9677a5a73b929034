#include "application-server/store_device.h"

#include "application-server/store_private.h"

enum { STATUS_PUT, STATUS_GET, AGENCY, COMMAND_SEEN, COMMAND_PUT, COMMANDS_SHED, COUNT };

const char *const as_sql_device[] = {
	[STATUS_PUT] =
		"INSERT INTO device_status (dev_eui, time, battery, margin_db) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (dev_eui) DO UPDATE SET time = ?2, battery = ?3, margin_db = ?4 WHERE time <= "
		"?2",
	[STATUS_GET] = "SELECT time, battery, margin_db FROM device_status WHERE dev_eui = ?1",
	[AGENCY] = "SELECT agency FROM devices WHERE dev_eui = ?1",
	[COMMAND_SEEN] = "SELECT 1 FROM commands_seen WHERE digest = ?1 AND (time > ?2 OR (mid = ?3 AND "
			 "time > ?4)) LIMIT 1",
	[COMMAND_PUT] = "INSERT INTO commands_seen (digest, mid, time) VALUES (?1, ?2, ?3)",
	[COMMANDS_SHED] = "DELETE FROM commands_seen WHERE row <= (SELECT max(row) FROM commands_seen) - ?1",
};
const int as_sql_device_count = COUNT;

enum status as_store_device_status_put(struct as_store *store, const struct lw_eui64 *dev_eui,
				       const struct as_device_status *said)
{
	struct db *db = store->city;
	int s = store->device_base + STATUS_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, s, 1, (int64_t)lw_eui64_number(dev_eui));
	db_bind_i64(db, s, 2, said->time.us);
	db_bind_i64(db, s, 3, said->battery);
	db_bind_i64(db, s, 4, said->margin_db);
	status = db_run(db, s);
	return status == ST_CONFLICT ? ST_NOT_FOUND : status;
}

bool as_store_device_status(struct as_store *store, const struct lw_eui64 *dev_eui,
			    struct as_device_status *status)
{
	struct db *db = store->city;
	int s = store->device_base + STATUS_GET;
	db_bind_i64(db, s, 1, (int64_t)lw_eui64_number(dev_eui));
	if (db_step(db, s) != DB_ROW)
		return false;
	*status = (struct as_device_status){.time = {db_column_i64(db, s, 0)},
					    .battery = (uint8_t)db_column_i64(db, s, 1),
					    .margin_db = (int16_t)db_column_i64(db, s, 2)};
	db_reset(db, s);
	return true;
}

enum status as_store_device_agency(struct as_store *store, const struct lw_eui64 *dev_eui,
				   struct net_uuid *agency)
{
	struct db *db = store->city;
	int s = store->device_base + AGENCY;
	db_bind_i64(db, s, 1, (int64_t)lw_eui64_number(dev_eui));
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	bool whole = db_column_copy(db, s, 0, agency->bytes, sizeof agency->bytes);
	db_reset(db, s);
	return whole ? ST_OK : ST_DATABASE;
}

bool as_store_command_seen(struct as_store *store, const uint8_t digest[SECRET_HASH], int mid,
			   struct wall now)
{
	struct db *db = store->city;
	int s = store->device_base + COMMAND_SEEN;
	db_bind_blob(db, s, 1, digest, SECRET_HASH);
	db_bind_i64(db, s, 2, now.us - AS_COMMAND_WINDOW);
	db_bind_i64(db, s, 3, mid);
	db_bind_i64(db, s, 4, now.us - AS_COMMAND_SAME_MID);
	bool seen = db_step(db, s) == DB_ROW;
	db_reset(db, s);
	return seen;
}

enum status as_store_command_remember(struct as_store *store, const uint8_t digest[SECRET_HASH], int mid,
				      struct wall now)
{
	struct db *db = store->city;
	int put = store->device_base + COMMAND_PUT, shed = store->device_base + COMMANDS_SHED;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_blob(db, put, 1, digest, SECRET_HASH);
	db_bind_i64(db, put, 2, mid);
	db_bind_i64(db, put, 3, now.us);
	status = db_run(db, put);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, shed, 1, AS_COMMANDS_KEPT);
	return db_run(db, shed);
}
