#include "application-server/store_readings.h"

#include "application-server/store_census.h"
#include "application-server/store_events.h"
#include "application-server/store_private.h"
#include "application-server/time_text.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#define CURSOR     "reading_heads"
#define WALK_MAX   10000 /* rows looked at for one page */
#define FOLD_SLICE 512   /* heads written in one turn */

enum { PUT, OLDEST, PRUNE, PRUNE_HEADS, AT, SEEN, HEAD, HEAD_PUT, TAIL, HEARD, COUNT };

const char *const as_sql_readings[] = {
	[PUT] = "INSERT INTO readings (seq, dev_eui, agency, time, fcnt_up, fport, payload, object, "
		"max_payload, next_fcnt_down, prev, held) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
		"?11, ?12)",
	[OLDEST] = "SELECT time FROM readings ORDER BY seq LIMIT 1",
	[PRUNE] = "DELETE FROM readings WHERE seq IN (SELECT seq FROM (SELECT seq, time FROM readings ORDER "
		  "BY seq LIMIT ?2) WHERE time < ?1)",
	[PRUNE_HEADS] = "DELETE FROM reading_heads WHERE (dev_eui, seq) IN (SELECT dev_eui, seq FROM (SELECT "
			"dev_eui, seq, time FROM readings ORDER BY seq LIMIT ?2) WHERE time < ?1)",
	[AT] = "SELECT coalesce(prev, 0), " AS_SCOPE_OF_AGENCY
	       ", seq, time, fcnt_up, fport, payload, object, held "
	       "FROM readings WHERE seq = ?3 AND dev_eui = ?4",
	[SEEN] = "SELECT time, max_payload, next_fcnt_down FROM readings WHERE seq = ?1",
	[HEAD] = "SELECT seq FROM reading_heads WHERE dev_eui = ?1",
	[HEAD_PUT] = "INSERT INTO reading_heads (dev_eui, seq) VALUES (?1, ?2) "
		     "ON CONFLICT (dev_eui) DO UPDATE SET seq = ?2",
	[HEARD] = "SELECT time, coalesce(prev, 0) FROM readings WHERE seq = ?1",
	[TAIL] = "SELECT dev_eui, seq FROM readings WHERE seq > ?1 ORDER BY seq LIMIT ?2",
};
const int as_sql_readings_count = COUNT;

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

/* 0: the device has no reading. */
static uint64_t head_of(struct as_store *store, int64_t dev_eui)
{
	uint64_t seq = as_heads_get(&store->heads, dev_eui);
	if (seq)
		return seq;
	int s = store->readings_base + HEAD;
	db_bind_i64(store->readings, s, 1, dev_eui);
	return as_store_number(store->readings, s, 0);
}

/* --- heads --------------------------------------------------------------------------------------------------- */

static enum status write_slice(struct as_store *store, size_t limit)
{
	const struct as_head *slice;
	int s = store->readings_base + HEAD_PUT;
	size_t count = as_heads_take(&store->heads, limit, &slice);
	for (size_t i = 0; i < count; i++) {
		db_bind_i64(store->readings, s, 1, slice[i].dev_eui);
		db_bind_i64(store->readings, s, 2, (int64_t)slice[i].seq);
		enum status status = db_run(store->readings, s);
		if (status != ST_OK)
			return status;
	}
	return as_heads_written(&store->heads, count)
		       ? as_store_cursor_set(store, CURSOR, store->heads.written)
		       : ST_OK;
}

enum status as_store_readings_fold(struct as_store *store)
{
	as_heads_begin(&store->heads, store->last_seq);
	return write_slice(store, FOLD_SLICE);
}

/* More devices in one turn than heads have room for. */
static enum status make_room(struct as_store *store)
{
	enum status status = ST_OK;
	if (store->heads.changed.count < AS_HEADS_MAX)
		return ST_OK;
	for (int rest = 0; rest < 2 && status == ST_OK; rest++) {
		status = write_slice(store, AS_HEADS_MAX);
		as_heads_begin(&store->heads, store->last_seq);
	}
	return status;
}

/* Reads again what stands above the last fold, a slice at a time: folds that come due meanwhile need it to stand still. */
enum status as_store_readings_load(struct as_store *store, struct rng *rng)
{
	struct db *db = store->readings;
	int s = store->readings_base + TAIL;
	as_heads_init(&store->heads, rng);
	store->heads.written = as_store_cursor_get(store, CURSOR);
	uint64_t from = store->heads.written;
	for (size_t count = AS_HEADS_FOLD; count == AS_HEADS_FOLD;) {
		enum db_step step;
		count = 0;
		db_bind_i64(db, s, 1, (int64_t)from);
		db_bind_i64(db, s, 2, AS_HEADS_FOLD);
		while ((step = db_step(db, s)) == DB_ROW) {
			from = (uint64_t)db_column_i64(db, s, 1);
			as_heads_put(&store->heads, db_column_i64(db, s, 0), from);
			count++;
		}
		if (step == DB_FAILED)
			return db_step_status(db);
		if (store->heads.changed.count < AS_HEADS_FOLD)
			continue;
		enum status status = as_store_write_readings(store);
		as_heads_begin(&store->heads, from);
		if (status == ST_OK)
			status = write_slice(store, AS_HEADS_MAX);
		if (status == ST_OK)
			status = db_commit(db);
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

enum status as_store_reading_put(struct as_store *store, uint64_t seq, const struct as_reading *reading)
{
	struct db *db = store->readings;
	int s = store->readings_base + PUT;
	int64_t dev_eui = number_of(&reading->dev_eui);
	enum status status = make_room(store);
	if (status != ST_OK)
		return status;
	uint64_t prev = head_of(store, dev_eui);
	db_bind_i64(db, s, 1, (int64_t)seq);
	db_bind_i64(db, s, 2, dev_eui);
	db_bind_blob(db, s, 3, reading->agency.bytes, sizeof reading->agency.bytes);
	db_bind_i64(db, s, 4, reading->time.us);
	db_bind_i64(db, s, 5, reading->fcnt_up);
	if (reading->has_fport)
		db_bind_i64(db, s, 6, reading->fport);
	else
		db_bind_null(db, s, 6);
	db_bind_blob(db, s, 7, reading->payload, reading->length);
	db_bind_text(db, s, 8, reading->object);
	if (reading->max_payload) {
		db_bind_i64(db, s, 9, reading->max_payload);
		db_bind_i64(db, s, 10, reading->next_fcnt_down);
	}
	if (prev)
		db_bind_i64(db, s, 11, (int64_t)prev);
	db_bind_text(db, s, 12, reading->held);
	status = db_run(db, s);
	if (status == ST_OK)
		as_heads_put(&store->heads, dev_eui, seq);
	return status;
}

static enum status prune(struct as_store *store, int statement, struct wall before, unsigned limit)
{
	int s = store->readings_base + statement;
	db_bind_i64(store->readings, s, 1, before.us);
	db_bind_i64(store->readings, s, 2, limit);
	return db_run(store->readings, s);
}

enum status as_store_readings_prune(struct as_store *store, struct wall before, unsigned limit, bool *more)
{
	int oldest = store->readings_base + OLDEST;
	*more = (int64_t)as_store_number(store->readings, oldest, INT64_MAX) < before.us;
	if (!*more)
		return ST_OK;
	enum status status = as_store_write_readings(store);
	if (status == ST_OK)
		status = prune(store, PRUNE_HEADS, before, limit);
	return status == ST_OK ? prune(store, PRUNE, before, limit) : status;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static json_t *read_reading(struct db *db, int s)
{
	char time[AS_TIME_TEXT], data[BASE64_ROOM(NET_PAYLOAD_MAX)];
	size_t length;
	const void *payload = db_column_blob(db, s, 6, &length);
	base64_encode(data, payload, length <= NET_PAYLOAD_MAX ? length : 0);
	json_t *object = db_column_is_null(db, s, 7) ? NULL : json_loads(db_column_text(db, s, 7), 0, NULL);
	json_t *port = db_column_is_null(db, s, 5) ? NULL : json_integer(db_column_i64(db, s, 5));
	json_t *reading = json_pack("{sI ss sI so? ss so?}", "seq", (json_int_t)db_column_i64(db, s, 2),
				    "time", as_time_format(time, (struct wall){db_column_i64(db, s, 3)}),
				    "fCnt", (json_int_t)db_column_i64(db, s, 4), "fPort", port, "data", data,
				    "object", object);
	if (!db_column_is_null(db, s, 8)) {
		json_t *held = json_loads(db_column_text(db, s, 8), 0, NULL);
		json_object_update(reading, held);
		json_object_set_new(reading, "encrypted", json_true());
		json_decref(held);
	}
	return reading;
}

struct walk {
	struct as_store *store;
	const struct as_scope *scope;
	int64_t dev_eui;
	uint64_t at;  /* the row to look at */
	bool visible; /* of the row that was looked at */
};

/* Looks at the row that is due and moves on to the one before it; the row is lent until it is reset. */
static enum db_step step_back(struct walk *walk)
{
	struct db *db = walk->store->readings;
	int s = walk->store->readings_base + AT;
	as_store_bind_scope(db, s, walk->scope);
	db_bind_i64(db, s, 3, (int64_t)walk->at);
	db_bind_i64(db, s, 4, walk->dev_eui);
	enum db_step step = db_step(db, s);
	if (step == DB_ROW) {
		walk->at = (uint64_t)db_column_i64(db, s, 0);
		walk->visible = db_column_i64(db, s, 1) != 0;
	}
	return step;
}

/* Fills a page; `*last` is the row that was looked at last, `*more` whether a page may come after it. */
static enum db_step walk_page(struct walk *walk, unsigned limit, json_t *found, uint64_t *last, bool *more)
{
	struct db *db = walk->store->readings;
	int s = walk->store->readings_base + AT;
	enum db_step step = DB_DONE;
	for (unsigned looked = 0; walk->at; looked++) {
		uint64_t row = walk->at;
		step = step_back(walk);
		if (step != DB_ROW)
			return step;
		bool full = json_array_size(found) == limit;
		if (walk->visible && !full)
			json_array_append_new(found, read_reading(db, s));
		db_reset(db, s);
		*more = walk->visible && full;
		if (*more)
			return DB_DONE;
		*last = row;
		*more = looked == WALK_MAX && walk->at;
		if (*more)
			return DB_DONE;
	}
	return DB_DONE;
}

enum status as_store_readings(struct as_store *store, const struct as_scope *scope,
			      const struct lw_eui64 *dev_eui, uint64_t before, unsigned limit, json_t **items,
			      uint64_t *next)
{
	struct walk walk = {.store = store, .scope = scope, .dev_eui = number_of(dev_eui), .at = before};
	enum db_step step = DB_DONE;
	uint64_t last = before;
	bool more = false;
	json_t *found = json_array();
	if (!found)
		return ST_NO_MEMORY;
	db_hold(store->readings); /* until as_store_release() */
	if (before) {
		step = step_back(&walk);
		if (step == DB_ROW)
			db_reset(store->readings, store->readings_base + AT);
		else
			walk.at = 0;
	} else
		walk.at = head_of(store, walk.dev_eui);
	if (step != DB_FAILED)
		step = walk_page(&walk, limit, found, &last, &more);
	if (step == DB_FAILED) {
		json_decref(found);
		return db_step_status(store->readings);
	}
	*items = found;
	*next = more ? last : 0;
	return ST_OK;
}

bool as_store_reading_is_of(struct as_store *store, const struct lw_eui64 *dev_eui, uint64_t seq)
{
	static const struct as_scope everything = {.role = AS_CITY};
	struct walk walk = {.store = store, .scope = &everything, .dev_eui = number_of(dev_eui), .at = seq};
	if (step_back(&walk) != DB_ROW)
		return false;
	db_reset(store->readings, store->readings_base + AT);
	return true;
}

bool as_store_has_readings(struct as_store *store, const struct lw_eui64 *dev_eui)
{
	return head_of(store, number_of(dev_eui)) != 0;
}

bool as_store_last_seen(struct as_store *store, const struct lw_eui64 *dev_eui, struct as_last_seen *seen)
{
	struct db *db = store->readings;
	int s = store->readings_base + SEEN;
	db_bind_i64(db, s, 1, (int64_t)head_of(store, number_of(dev_eui)));
	if (db_step(db, s) != DB_ROW)
		return false;
	*seen = (struct as_last_seen){.time = {db_column_i64(db, s, 0)},
				      .has_max_payload = !db_column_is_null(db, s, 1),
				      .max_payload = (uint8_t)db_column_i64(db, s, 1),
				      .next_fcnt_down = (uint32_t)db_column_i64(db, s, 2)};
	db_reset(db, s);
	return true;
}

unsigned as_store_heard(struct as_store *store, int64_t dev_eui, struct wall *times, unsigned limit)
{
	struct db *db = store->readings;
	int s = store->readings_base + HEARD;
	unsigned count = 0;
	for (uint64_t at = head_of(store, dev_eui); at && count < limit; count++) {
		db_bind_i64(db, s, 1, (int64_t)at);
		if (db_step(db, s) != DB_ROW)
			break;
		times[count] = (struct wall){db_column_i64(db, s, 0)};
		at = (uint64_t)db_column_i64(db, s, 1);
		db_reset(db, s);
	}
	return count;
}
