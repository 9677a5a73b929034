#include "application-server/store_events.h"

#include "application-server/store_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	EVENT_PUT,
	EVENTS_LAST,
	EVENTS_FIRST,
	EVENTS_COUNT,
	EVENT_NEXT,
	EVENT_FIND,
	EVENTS_PRUNE,
	CURSOR_KNOWN,
	CURSOR_GET,
	CURSOR_SET,
	COUNT
};

const char *const as_sql_events[] = {
	[EVENT_PUT] = "INSERT INTO events (seq, id, kind, dev_eui, agency, application, time, body) "
		      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[EVENTS_LAST] = "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(seq) "
			"FROM readings), "
			"0), coalesce((SELECT max(seq) FROM cursors), 0))",
	[EVENTS_FIRST] = "SELECT min(seq) FROM events",
	[EVENTS_COUNT] = "SELECT count(*) FROM events",
	[EVENT_NEXT] =
		"SELECT seq, id, kind, dev_eui, agency, application, time, body FROM events WHERE seq > ?1 "
		"ORDER BY seq LIMIT 1",
	[EVENT_FIND] =
		"SELECT seq, id, kind, dev_eui, agency, application, time, body FROM events WHERE id = ?1",
	[EVENTS_PRUNE] = "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?1)",
	[CURSOR_KNOWN] = "SELECT EXISTS (SELECT 1 FROM cursors WHERE name = ?1)",
	[CURSOR_GET] = "SELECT seq FROM cursors WHERE name = ?1",
	[CURSOR_SET] =
		"INSERT INTO cursors (name, seq) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET seq = ?2",
};
const int as_sql_events_count = COUNT;

/* The events that were put last, for consumers that are up to date: the broker asks for each as soon as it is durable. */
#define RECENT      512
#define RECENT_BODY 4096 /* longer ones are read from the file */

struct as_recent {
	struct as_event event; /* seq 0: none; its body stands below */
	char body[RECENT_BODY];
};

static void remember(struct as_store *store, const struct as_event *event)
{
	struct as_recent *recent = &store->recent[event->seq % RECENT];
	size_t length = strlen(event->body);
	recent->event = *event;
	if (!event->has_owner)
		recent->event.agency = recent->event.application = (struct net_uuid){{0}};
	if (length < RECENT_BODY)
		memcpy(recent->body, event->body, length + 1);
	else
		recent->event.seq = 0;
}

/* What is no longer kept. */
static void forget(struct as_store *store)
{
	for (size_t i = 0; store->stored_events < RECENT && i < RECENT; i++)
		if (store->recent[i].event.seq + store->stored_events <= store->last_seq)
			store->recent[i].event.seq = 0;
}

static const char *const kind_names[AS_EVENT_KIND_COUNT] = {
	[AS_EVENT_UP] = "up",       [AS_EVENT_JOIN] = "join",     [AS_EVENT_ACK] = "ack",
	[AS_EVENT_TXACK] = "txack", [AS_EVENT_STATUS] = "status", [AS_EVENT_LOG] = "log"};

const char *as_event_kind_name(enum as_event_kind kind)
{
	return (unsigned)kind < AS_EVENT_KIND_COUNT ? kind_names[kind] : "unknown";
}

uint64_t as_store_number(struct db *db, int statement, uint64_t otherwise)
{
	uint64_t number = otherwise;
	if (db_step(db, statement) == DB_ROW) {
		if (!db_column_is_null(db, statement, 0))
			number = (uint64_t)db_column_i64(db, statement, 0);
		db_reset(db, statement);
	}
	return number;
}

enum status as_store_events_load(struct as_store *store)
{
	store->recent = calloc(RECENT, sizeof *store->recent);
	if (!store->recent)
		return ST_NO_MEMORY;
	store->last_seq = as_store_number(store->readings, EVENTS_LAST, 0);
	store->stored_events = as_store_number(store->readings, EVENTS_COUNT, 0);
	return ST_OK;
}

void as_store_events_release(struct as_store *store)
{
	db_reset(store->readings, EVENT_NEXT);
	db_reset(store->readings, EVENT_FIND);
}

/* --- writing ------------------------------------------------------------------------------------------------ */

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
		status = as_store_reading_put(store, seq, reading);
	if (status != ST_OK)
		return status;
	event->seq = store->last_seq = seq;
	store->stored_events++;
	remember(store, event);
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
	if (status == ST_OK) {
		store->stored_events -= (uint64_t)db_changes(store->readings);
		forget(store);
	}
	return status;
}

uint64_t as_store_cursor_get(struct as_store *store, const char *name)
{
	db_bind_text(store->readings, CURSOR_GET, 1, name);
	return as_store_number(store->readings, CURSOR_GET, 0);
}

bool as_store_cursor_known(struct as_store *store, const char *name)
{
	db_bind_text(store->readings, CURSOR_KNOWN, 1, name);
	return as_store_number(store->readings, CURSOR_KNOWN, 0) != 0;
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
	return as_store_number(store->readings, EVENTS_FIRST, store->last_seq + 1);
}

/* The row is lent until the statement is reset. */
static enum status read_event(struct db *db, int s, struct as_event *event)
{
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	*event = (struct as_event){.seq = (uint64_t)db_column_i64(db, s, 0)};
	db_column_copy(db, s, 1, event->id.bytes, sizeof event->id.bytes);
	event->kind = (enum as_event_kind)db_column_i64(db, s, 2);
	event->dev_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 3));
	event->has_owner = db_column_copy(db, s, 4, event->agency.bytes, sizeof event->agency.bytes) &&
			   db_column_copy(db, s, 5, event->application.bytes,
					  sizeof event->application.bytes);
	event->time.us = db_column_i64(db, s, 6);
	event->body = db_column_text(db, s, 7);
	return ST_OK;
}

enum status as_store_event_next(struct as_store *store, uint64_t seq, struct as_event *event)
{
	struct db *db = store->readings;
	db_reset(db, EVENT_NEXT); /* the event of the call before was lent until now */
	if (seq >= store->last_seq)
		return ST_NOT_FOUND;
	const struct as_recent *recent = &store->recent[(seq + 1) % RECENT];
	if (recent->event.seq == seq + 1) {
		*event = recent->event;
		event->body = recent->body;
		return ST_OK;
	}
	db_hold(db); /* until as_store_release(): a slow broker gets hundreds in a turn */
	db_bind_i64(db, EVENT_NEXT, 1, (int64_t)seq);
	return read_event(db, EVENT_NEXT, event);
}

enum status as_store_event_find(struct as_store *store, const struct net_uuid *id, struct as_event *event)
{
	db_reset(store->readings, EVENT_FIND); /* as above */
	db_bind_blob(store->readings, EVENT_FIND, 1, id->bytes, sizeof id->bytes);
	return read_event(store->readings, EVENT_FIND, event);
}
