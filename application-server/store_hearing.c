#include "application-server/store_hearing.h"

#include "application-server/store_private.h"
#include "common/base/check.h"

#include <string.h>

#define FOLD_SLICE  32  /* devices folded in a step: some 20 us each */
#define WALK_SLICE  100 /* devices looked at in a step of the forgetting: some 5 us each */
#define HOURS_A_DAY 24
#define DAY_US      (86400 * US_PER_S)
#define HOUR_US     (3600 * US_PER_S)

enum { ROW_GET, ROW_PUT, ROW_DROP, NEXT_ROW, PAIR_PUT, PAIR_DROP, DEVICES_OF, COUNT };

const char *const as_sql_hearing[] = {
	[ROW_GET] = "SELECT heard FROM device_hearing WHERE dev_eui = ?1",
	[ROW_PUT] = "INSERT INTO device_hearing VALUES (?1, ?2) ON CONFLICT DO UPDATE SET heard = ?2",
	[ROW_DROP] = "DELETE FROM device_hearing WHERE dev_eui = ?1",
	[NEXT_ROW] = "SELECT dev_eui, heard FROM device_hearing WHERE dev_eui > ?1 ORDER BY dev_eui LIMIT 1",
	[PAIR_PUT] = "INSERT OR IGNORE INTO gateway_hears VALUES (?1, ?2)",
	[PAIR_DROP] = "DELETE FROM gateway_hears WHERE gateway = ?1 AND dev_eui = ?2",
	[DEVICES_OF] =
		"SELECT dev_eui FROM gateway_hears WHERE gateway = ?1 AND dev_eui > ?2 ORDER BY 1 LIMIT ?3",
};
const int as_sql_hearing_count = COUNT;

void as_store_hears(struct as_store *store, const struct net_up_event *event, struct wall now)
{
	as_hearing_uplink(&store->hearing, event, now);
}

/* Fills what is stored of a device; an empty row where there is nothing. */
static void read_row(struct as_store *store, int64_t dev_eui, struct as_hearing_row *row)
{
	struct db *db = store->readings;
	int s = store->hearing_base + ROW_GET;
	size_t length;
	*row = (struct as_hearing_row){.dev_eui = dev_eui};
	db_bind_i64(db, s, 1, dev_eui);
	if (db_step(db, s) != DB_ROW)
		return;
	const void *bytes = db_column_blob(db, s, 0, &length);
	struct rd rd = rd_init(bytes, length);
	if (!as_hearing_read(&rd, row))
		row->count = 0;
	db_reset(db, s);
}

static bool has(const struct as_hearing_row *row, int64_t gateway)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->hearers[i].gateway == gateway)
			return true;
	return false;
}

static enum status pair(struct as_store *store, int statement, int64_t gateway, int64_t dev_eui)
{
	int s = store->hearing_base + statement;
	db_bind_i64(store->readings, s, 1, gateway);
	db_bind_i64(store->readings, s, 2, dev_eui);
	return db_run(store->readings, s);
}

/* The index follows what changed from `before` to `after`. */
static enum status follow(struct as_store *store, const struct as_hearing_row *before,
			  const struct as_hearing_row *after)
{
	enum status status = ST_OK;
	for (size_t i = 0; i < before->count && status == ST_OK; i++)
		if (!has(after, before->hearers[i].gateway))
			status = pair(store, PAIR_DROP, before->hearers[i].gateway, before->dev_eui);
	for (size_t i = 0; i < after->count && status == ST_OK; i++)
		if (!has(before, after->hearers[i].gateway))
			status = pair(store, PAIR_PUT, after->hearers[i].gateway, before->dev_eui);
	return status;
}

static enum status write_row(struct as_store *store, const struct as_hearing_row *row)
{
	uint8_t bytes[AS_HEARERS_MAX * AS_HEARING_BYTES];
	struct db *db = store->readings;
	struct wr wr = wr_init(bytes, sizeof bytes);
	int s = store->hearing_base + (row->count ? ROW_PUT : ROW_DROP);
	as_hearing_write(row, &wr);
	db_bind_i64(db, s, 1, row->dev_eui);
	if (row->count)
		db_bind_blob(db, s, 2, bytes, wr_length(&wr));
	return db_run(db, s);
}

static enum status fold(struct as_store *store, struct wall now)
{
	const struct as_hearing_row *more;
	enum status status = ST_OK;
	if (!as_hearing_is_due(&store->hearing, now))
		return ST_OK;
	for (int i = 0; i < FOLD_SLICE && status == ST_OK && (more = as_hearing_take(&store->hearing)); i++) {
		struct as_hearing_row before, after;
		read_row(store, more->dev_eui, &before);
		if (!as_hearing_differs(&before, more)) {
			as_hearing_keep(&store->hearing, more);
			continue;
		}
		status = as_store_write_readings(store);
		after = before;
		as_hearing_merge(&after, more);
		if (status == ST_OK)
			status = follow(store, &before, &after);
		if (status == ST_OK)
			status = write_row(store, &after);
	}
	return status;
}

/* Devices that a gateway hears for the first time: a loss is to be told right from then on, and a crash forgets nobody. */
static enum status write_fresh(struct as_store *store, bool *more)
{
	int64_t device;
	enum status status = ST_OK;
	int looked_at = 0;
	while (looked_at < FOLD_SLICE && status == ST_OK && as_hearing_take_fresh(&store->hearing, &device)) {
		struct as_hearing_row before, after;
		const struct as_hearing_row *heard = as_hearing_new(&store->hearing, device);
		looked_at++;
		if (!heard)
			continue; /* the fold has it */
		read_row(store, device, &before);
		if (!as_hearing_differs(&before, heard))
			continue;
		status = as_store_write_readings(store);
		after = before;
		as_hearing_merge(&after, heard);
		if (status == ST_OK)
			status = follow(store, &before, &after);
		if (status == ST_OK)
			status = write_row(store, &after);
		if (status == ST_OK)
			as_hearing_written(&store->hearing, device);
	}
	*more = looked_at == FOLD_SLICE;
	return status;
}

/* --- forgetting */

/* Takes out who has not heard the device for too long. */
static enum status forget(struct as_store *store, const struct as_hearing_row *before, uint32_t oldest)
{
	struct as_hearing_row after = {.dev_eui = before->dev_eui};
	for (size_t i = 0; i < before->count; i++)
		if (before->hearers[i].last >= oldest)
			after.hearers[after.count++] = before->hearers[i];
	if (after.count == before->count)
		return ST_OK;
	enum status status = as_store_write_readings(store);
	if (status == ST_OK)
		status = follow(store, before, &after);
	return status == ST_OK ? write_row(store, &after) : status;
}

static enum status walk(struct as_store *store, struct wall now)
{
	struct db *db = store->readings;
	int s = store->hearing_base + NEXT_ROW;
	uint32_t hour = (uint32_t)(now.us / HOUR_US);
	uint32_t oldest = hour > AS_HEARING_DAYS * HOURS_A_DAY ? hour - AS_HEARING_DAYS * HOURS_A_DAY : 0;
	if (!store->hearing_walks && store->hearing_day == now.us / DAY_US)
		return ST_OK;
	if (!store->hearing_walks) {
		store->hearing_walks = true;
		store->hearing_day = now.us / DAY_US;
		store->hearing_at = INT64_MIN;
	}
	for (int i = 0; i < WALK_SLICE; i++) {
		size_t length;
		struct as_hearing_row row;
		db_bind_i64(db, s, 1, store->hearing_at);
		if (db_step(db, s) != DB_ROW) {
			store->hearing_walks = false;
			return ST_OK;
		}
		row.dev_eui = db_column_i64(db, s, 0);
		const void *bytes = db_column_blob(db, s, 1, &length);
		struct rd rd = rd_init(bytes, length);
		bool good = as_hearing_read(&rd, &row);
		db_reset(db, s);
		store->hearing_at = row.dev_eui;
		enum status status = good ? forget(store, &row, oldest) : ST_OK;
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

enum status as_store_hearing_step(struct as_store *store, struct wall now, bool *more)
{
	bool fresh = false;
	enum status status = fold(store, now);
	if (status == ST_OK)
		status = write_fresh(store, &fresh);
	if (status == ST_OK)
		status = walk(store, now);
	*more = fresh || store->hearing_walks || store->hearing.folds;
	return status;
}

/* --- reading */

bool as_store_hearers(struct as_store *store, int64_t dev_eui, struct as_hearing_row *row)
{
	read_row(store, dev_eui, row);
	const struct as_hearing_row *more = as_hearing_new(&store->hearing, dev_eui);
	if (more)
		as_hearing_merge(row, more);
	return row->count > 0;
}

size_t as_store_devices_of(struct as_store *store, int64_t gateway, int64_t after, int64_t *devices,
			   size_t limit)
{
	struct db *db = store->readings;
	int s = store->hearing_base + DEVICES_OF;
	size_t count = 0;
	db_bind_i64(db, s, 1, gateway);
	db_bind_i64(db, s, 2, after);
	db_bind_i64(db, s, 3, (int64_t)limit);
	while (db_step(db, s) == DB_ROW)
		if (count < limit)
			devices[count++] = db_column_i64(db, s, 0);
	return count;
}
