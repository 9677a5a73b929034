#include "application-server/store_events.h"

#include "application-server/store_private.h"
#include "application-server/time_text.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdlib.h>
#include <string.h>

enum {
	EVENT_PUT,
	READING_PUT,
	EVENTS_LAST,
	EVENTS_FIRST,
	EVENTS_COUNT,
	EVENT_NEXT,
	EVENTS_PRUNE,
	READINGS_OLDEST,
	READINGS_PRUNE,
	CURSOR_GET,
	CURSOR_SET,
	READINGS,
	LAST_SEEN,
	COUNT
};

const char *const as_sql_events[] = {
	[EVENT_PUT] = "INSERT INTO events (seq, id, kind, dev_eui, agency, application, time, body) "
		      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[READING_PUT] = "INSERT INTO readings (seq, dev_eui, agency, time, fcnt_up, fport, payload, object, "
			"max_payload, next_fcnt_down) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[EVENTS_LAST] = "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(seq) "
			"FROM readings), "
			"0), coalesce((SELECT max(seq) FROM cursors), 0))",
	[EVENTS_FIRST] = "SELECT min(seq) FROM events",
	[EVENTS_COUNT] = "SELECT count(*) FROM events",
	[EVENT_NEXT] =
		"SELECT seq, id, kind, dev_eui, agency, application, time, body FROM events WHERE seq > ?1 "
		"ORDER BY seq LIMIT 1",
	[EVENTS_PRUNE] = "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?1)",
	[READINGS_OLDEST] = "SELECT time FROM readings ORDER BY seq LIMIT 1",
	[READINGS_PRUNE] =
		"DELETE FROM readings WHERE seq IN (SELECT seq FROM (SELECT seq, time FROM readings ORDER BY "
		"seq LIMIT ?2) WHERE time < ?1)",
	[CURSOR_GET] = "SELECT seq FROM cursors WHERE name = ?1",
	[CURSOR_SET] =
		"INSERT INTO cursors (name, seq) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET seq = ?2",
	[READINGS] = "SELECT seq, time, fcnt_up, fport, payload, object FROM readings WHERE dev_eui = ?3 AND "
		     "seq < ?4 AND " AS_SCOPE_OF_AGENCY " ORDER BY seq DESC LIMIT ?5",
	[LAST_SEEN] = "SELECT time, max_payload FROM readings WHERE dev_eui = ?1 ORDER BY seq DESC LIMIT 1",
};
const int as_sql_events_count = COUNT;

static const char *const kind_names[AS_EVENT_KIND_COUNT] = {
	[AS_EVENT_UP] = "up",       [AS_EVENT_JOIN] = "join",     [AS_EVENT_ACK] = "ack",
	[AS_EVENT_TXACK] = "txack", [AS_EVENT_STATUS] = "status", [AS_EVENT_LOG] = "log"};

const char *as_event_kind_name(enum as_event_kind kind)
{
	return (unsigned)kind < AS_EVENT_KIND_COUNT ? kind_names[kind] : "unknown";
}

static uint64_t query_number(struct as_store *store, int s, uint64_t otherwise)
{
	uint64_t number = otherwise;
	if (db_step(store->readings, s) == DB_ROW) {
		if (!db_column_is_null(store->readings, s, 0))
			number = (uint64_t)db_column_i64(store->readings, s, 0);
		db_reset(store->readings, s);
	}
	return number;
}

enum status as_store_events_load(struct as_store *store)
{
	store->last_seq = query_number(store, EVENTS_LAST, 0);
	store->stored_events = query_number(store, EVENTS_COUNT, 0);
	return ST_OK;
}

void as_store_events_release(struct as_store *store)
{
	db_reset(store->readings, EVENT_NEXT);
}

/* --- writing ------------------------------------------------------------------------------------------------ */

static enum status put_reading(struct as_store *store, uint64_t seq, const struct as_reading *reading)
{
	struct db *db = store->readings;
	db_bind_i64(db, READING_PUT, 1, (int64_t)seq);
	db_bind_i64(db, READING_PUT, 2, (int64_t)lw_eui64_number(&reading->dev_eui));
	db_bind_blob(db, READING_PUT, 3, reading->agency.bytes, sizeof reading->agency.bytes);
	db_bind_i64(db, READING_PUT, 4, reading->time.us);
	db_bind_i64(db, READING_PUT, 5, reading->fcnt_up);
	if (reading->has_fport)
		db_bind_i64(db, READING_PUT, 6, reading->fport);
	else
		db_bind_null(db, READING_PUT, 6);
	db_bind_blob(db, READING_PUT, 7, reading->payload, reading->length);
	db_bind_text(db, READING_PUT, 8, reading->object);
	if (reading->max_payload) {
		db_bind_i64(db, READING_PUT, 9, reading->max_payload);
		db_bind_i64(db, READING_PUT, 10, reading->next_fcnt_down);
	}
	return db_run(db, READING_PUT);
}

enum status as_store_event_put(struct as_store *store, struct as_event *event,
			       const struct as_reading *reading)
{
	struct db *db = store->readings;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	uint64_t seq = store->last_seq + 1;
	db_bind_i64(db, EVENT_PUT, 1, (int64_t)seq);
	db_bind_blob(db, EVENT_PUT, 2, event->id.bytes, sizeof event->id.bytes);
	db_bind_i64(db, EVENT_PUT, 3, event->kind);
	db_bind_i64(db, EVENT_PUT, 4, (int64_t)lw_eui64_number(&event->dev_eui));
	if (event->has_owner) {
		db_bind_blob(db, EVENT_PUT, 5, event->agency.bytes, sizeof event->agency.bytes);
		db_bind_blob(db, EVENT_PUT, 6, event->application.bytes, sizeof event->application.bytes);
	}
	db_bind_i64(db, EVENT_PUT, 7, event->time.us);
	db_bind_text(db, EVENT_PUT, 8, event->body);
	status = db_run(db, EVENT_PUT);
	if (status == ST_OK && reading)
		status = put_reading(store, seq, reading);
	if (status != ST_OK)
		return status;
	event->seq = store->last_seq = seq;
	store->stored_events++;
	return ST_OK;
}

enum status as_store_events_prune(struct as_store *store, uint64_t keep, unsigned limit)
{
	if (store->stored_events <= keep)
		return ST_OK;
	uint64_t surplus = store->stored_events - keep;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->readings, EVENTS_PRUNE, 1, (int64_t)(surplus < limit ? surplus : limit));
	status = db_run(store->readings, EVENTS_PRUNE);
	if (status == ST_OK)
		store->stored_events -= (uint64_t)db_changes(store->readings);
	return status;
}

enum status as_store_readings_prune(struct as_store *store, struct wall before, unsigned limit, bool *more)
{
	*more = (int64_t)query_number(store, READINGS_OLDEST, INT64_MAX) < before.us;
	if (!*more)
		return ST_OK;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->readings, READINGS_PRUNE, 1, before.us);
	db_bind_i64(store->readings, READINGS_PRUNE, 2, limit);
	return db_run(store->readings, READINGS_PRUNE);
}

uint64_t as_store_cursor_get(struct as_store *store, const char *name)
{
	db_bind_text(store->readings, CURSOR_GET, 1, name);
	return query_number(store, CURSOR_GET, 0);
}

enum status as_store_cursor_set(struct as_store *store, const char *name, uint64_t seq)
{
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	db_bind_text(store->readings, CURSOR_SET, 1, name);
	db_bind_i64(store->readings, CURSOR_SET, 2, (int64_t)seq);
	return db_run(store->readings, CURSOR_SET);
}

/* --- reading ------------------------------------------------------------------------------------------------ */

bool as_store_is_writing_events(const struct as_store *store)
{
	return db_in_transaction(store->readings);
}

uint64_t as_store_events_last(const struct as_store *store)
{
	return store->last_seq;
}

uint64_t as_store_events_count(const struct as_store *store)
{
	return store->stored_events;
}

uint64_t as_store_events_first(struct as_store *store)
{
	return query_number(store, EVENTS_FIRST, store->last_seq + 1);
}

enum status as_store_event_next(struct as_store *store, uint64_t seq, struct as_event *event)
{
	struct db *db = store->readings;
	db_reset(db, EVENT_NEXT); /* the event of the call before was lent until now */
	if (seq >= store->last_seq)
		return ST_NOT_FOUND;
	db_hold(db); /* until as_store_release(): a slow broker gets hundreds in a turn */
	db_bind_i64(db, EVENT_NEXT, 1, (int64_t)seq);
	enum db_step step = db_step(db, EVENT_NEXT);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	*event = (struct as_event){.seq = (uint64_t)db_column_i64(db, EVENT_NEXT, 0)};
	db_column_copy(db, EVENT_NEXT, 1, event->id.bytes, sizeof event->id.bytes);
	event->kind = (enum as_event_kind)db_column_i64(db, EVENT_NEXT, 2);
	event->dev_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, EVENT_NEXT, 3));
	event->has_owner = db_column_copy(db, EVENT_NEXT, 4, event->agency.bytes,
					  sizeof event->agency.bytes) &&
			   db_column_copy(db, EVENT_NEXT, 5, event->application.bytes,
					  sizeof event->application.bytes);
	event->time.us = db_column_i64(db, EVENT_NEXT, 6);
	event->body = db_column_text(db, EVENT_NEXT, 7);
	return ST_OK;
}

static json_t *read_reading(struct db *db)
{
	char time[AS_TIME_TEXT], data[BASE64_ROOM(NET_PAYLOAD_MAX)];
	size_t length;
	const void *payload = db_column_blob(db, READINGS, 4, &length);
	base64_encode(data, payload, length <= NET_PAYLOAD_MAX ? length : 0);
	json_t *object = db_column_is_null(db, READINGS, 5)
				 ? NULL
				 : json_loads(db_column_text(db, READINGS, 5), 0, NULL);
	json_t *port = db_column_is_null(db, READINGS, 3) ? NULL
							  : json_integer(db_column_i64(db, READINGS, 3));
	return json_pack("{sI ss sI so? ss so?}", "seq", (json_int_t)db_column_i64(db, READINGS, 0), "time",
			 as_time_format(time, (struct wall){db_column_i64(db, READINGS, 1)}), "fCnt",
			 (json_int_t)db_column_i64(db, READINGS, 2), "fPort", port, "data", data, "object",
			 object);
}

enum status as_store_readings(struct as_store *store, const struct as_scope *scope,
			      const struct lw_eui64 *dev_eui, uint64_t before, unsigned limit, json_t **items,
			      uint64_t *next)
{
	struct db *db = store->readings;
	json_t *found = json_array();
	if (!found)
		return ST_NO_MEMORY;
	as_store_bind_scope(db, READINGS, scope);
	db_bind_i64(db, READINGS, 3, (int64_t)lw_eui64_number(dev_eui));
	db_bind_i64(db, READINGS, 4, before ? (int64_t)before : INT64_MAX);
	db_bind_i64(db, READINGS, 5, (int64_t)limit + 1);
	enum db_step step;
	uint64_t oldest = 0, more = 0;
	while ((step = db_step(db, READINGS)) == DB_ROW) {
		if (json_array_size(found) == limit) {
			more = oldest;
			db_reset(db, READINGS);
			step = DB_DONE;
			break;
		}
		oldest = (uint64_t)db_column_i64(db, READINGS, 0);
		json_array_append_new(found, read_reading(db));
	}
	if (step == DB_FAILED) {
		json_decref(found);
		return db_step_status(db);
	}
	*items = found;
	*next = more;
	return ST_OK;
}

bool as_store_last_seen(struct as_store *store, const struct lw_eui64 *dev_eui, struct as_last_seen *seen)
{
	struct db *db = store->readings;
	db_bind_i64(db, LAST_SEEN, 1, (int64_t)lw_eui64_number(dev_eui));
	if (db_step(db, LAST_SEEN) != DB_ROW)
		return false;
	*seen = (struct as_last_seen){.time = {db_column_i64(db, LAST_SEEN, 0)},
				      .has_max_payload = !db_column_is_null(db, LAST_SEEN, 1),
				      .max_payload = (uint8_t)db_column_i64(db, LAST_SEEN, 1)};
	db_reset(db, LAST_SEEN);
	return true;
}
