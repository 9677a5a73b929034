#include "application-server/store_alarms.h"

#include "application-server/store_private.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALARM_PUT,
	ALARM_TURN,
	ALARM_TURNS_SHED,
	ALARM_TELL,
	ALARMS_LOAD,
	ALARMS_LAST,
	ALARMS_LIST,
	ALARM_GET,
	ALARM_TURNS,
	ALARM_TOLD,
	ALARMS_OLDEST,
	ALARMS_PRUNE,
	MESSAGE_PUT,
	MESSAGE_GET,
	GATEWAYS,
	SERVER_CERTIFICATE,
	COUNT
};

#define COLUMNS                                                                                       \
	"id, kind, subject, name, agency, state, severity, value, detail, change, times, part_of, "   \
	"part_kind, "                                                                                 \
	"part_subject, first_us, since_us, cleared_us, acknowledged, ack_us, ack_until_us, ack_who, " \
	"ack_note "

const char *const as_sql_alarms[] = {
	[ALARM_PUT] =
		"INSERT INTO alarms (" COLUMNS ", changed_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
		"?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) ON CONFLICT (id) DO "
		"UPDATE SET name = ?4, agency = ?5, state = ?6, severity = ?7, value = ?8, detail = ?9, "
		"change = ?10, times = ?11, part_of = ?12, part_kind = ?13, part_subject = ?14, first_us = "
		"?15, since_us = ?16, cleared_us = ?17, acknowledged = ?18, ack_us = ?19, ack_until_us = "
		"?20, ack_who = ?21, ack_note = ?22, changed_us = ?23",
	[ALARM_TURN] = "INSERT OR IGNORE INTO alarm_changes (alarm, change, at_us, value) VALUES (?1, ?2, "
		       "?3, ?4)",
	[ALARM_TURNS_SHED] = "DELETE FROM alarm_changes WHERE alarm = ?1 AND change <= ?2",
	[ALARM_TELL] =
		"INSERT INTO alarm_told (alarm, channel, change, owed, severity, at_us) VALUES (?1, ?2, ?3, "
		"?4, ?5, ?6) ON CONFLICT (alarm, channel) DO UPDATE SET change = ?3, owed = ?4, severity = "
		"?5, at_us = ?6",
	[ALARMS_LOAD] = "SELECT " COLUMNS "FROM alarms WHERE state = ?1 AND changed_us >= ?2 ORDER BY "
			"changed_us DESC LIMIT ?3",
	[ALARMS_LAST] = "SELECT max(id) FROM alarms",
	[ALARMS_LIST] = "SELECT " COLUMNS "FROM alarms WHERE " AS_SCOPE_OF_AGENCY
			" AND changed_us >= ?3 AND (state = ?4 OR state = ?5) AND (?6 IS NULL OR kind = ?6) "
			"AND (?7 IS NULL OR subject = ?7) AND id < ?8 ORDER BY id DESC LIMIT ?9",
	[ALARM_GET] = "SELECT " COLUMNS "FROM alarms WHERE id = ?3 AND " AS_SCOPE_OF_AGENCY,
	[ALARM_TURNS] = "SELECT change, at_us, value FROM alarm_changes WHERE alarm = ?1 ORDER BY change "
			"DESC LIMIT ?2",
	[ALARM_TOLD] = "SELECT channel, change, owed, severity, at_us FROM alarm_told WHERE alarm = ?1",
	[ALARMS_OLDEST] = "SELECT min(changed_us) FROM alarms WHERE state = 2",
	[ALARMS_PRUNE] = "DELETE FROM alarms WHERE id IN (SELECT id FROM alarms WHERE state = 2 AND "
			 "changed_us < ?1 ORDER BY changed_us LIMIT ?2)",
	[MESSAGE_PUT] =
		"INSERT INTO alarm_messages (channel, sequence, quiet, body) VALUES (?1, ?2, ?3, ?4) ON "
		"CONFLICT (channel) DO UPDATE SET sequence = ?2, quiet = ?3, body = ?4",
	[MESSAGE_GET] = "SELECT sequence, quiet, body FROM alarm_messages WHERE channel = ?1",
	[GATEWAYS] =
		"SELECT eui, name, agency, backhaul, accept_udp AND source_cidr = '', permission_until, "
		"data_plan_mb, (SELECT until_us FROM gateway_certificates WHERE gateway = eui AND issued_us "
		"> certificates_void_us ORDER BY issued_us DESC LIMIT 1) FROM gateways WHERE eui >= ?2 ORDER "
		"BY eui LIMIT "
		"?1",
	[SERVER_CERTIFICATE] = "SELECT until_us FROM server_certificates ORDER BY issued_us DESC LIMIT 1",
};
const int as_sql_alarms_count = COUNT;

/* --- alarms -------------------------------------------------------------------------------------------------- */

static enum status put_told(struct as_store *store, const struct as_alarm *alarm,
			    const struct as_notify *notify)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARM_TELL;
	enum status status = ST_OK;
	for (size_t i = 0; i < notify->count && status == ST_OK; i++) {
		const struct as_told *told = &alarm->told[i];
		if (told->change == 0 && told->owed == 0)
			continue;
		db_bind_i64(db, s, 1, alarm->id);
		db_bind_text(db, s, 2, notify->channels[i].rules.name);
		db_bind_i64(db, s, 3, told->change);
		db_bind_i64(db, s, 4, told->owed);
		db_bind_i64(db, s, 5, told->severity);
		db_bind_i64(db, s, 6, told->at.us);
		status = db_run(db, s);
	}
	return status;
}

static enum status put_turn(struct as_store *store, const struct as_alarm *alarm)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARM_TURN;
	db_bind_i64(db, s, 1, alarm->id);
	db_bind_i64(db, s, 2, alarm->change);
	db_bind_i64(db, s, 3, alarm->state == AS_RAISED ? alarm->since.us : alarm->cleared.us);
	db_bind_i64(db, s, 4, alarm->value);
	enum status status = db_run(db, s);
	if (status != ST_OK || alarm->change <= AS_ALARM_CHANGES_KEPT)
		return status;
	s = store->alarms_base + ALARM_TURNS_SHED;
	db_bind_i64(db, s, 1, alarm->id);
	db_bind_i64(db, s, 2, (int64_t)alarm->change - AS_ALARM_CHANGES_KEPT);
	return db_run(db, s);
}

enum status as_store_alarm_put(struct as_store *store, const struct as_alarm *alarm,
			       const struct as_notify *notify, struct now now)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARM_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, s, 1, alarm->id);
	db_bind_text(db, s, 2, as_alarm_kind_of(alarm)->name);
	db_bind_text(db, s, 3, alarm->key.subject);
	db_bind_text(db, s, 4, alarm->name);
	if (alarm->has_agency)
		db_bind_blob(db, s, 5, alarm->agency.bytes, sizeof alarm->agency.bytes);
	else
		db_bind_null(db, s, 5);
	db_bind_i64(db, s, 6, alarm->state);
	db_bind_i64(db, s, 7, alarm->severity);
	db_bind_i64(db, s, 8, alarm->value);
	db_bind_text(db, s, 9, alarm->detail);
	db_bind_i64(db, s, 10, alarm->change);
	db_bind_i64(db, s, 11, alarm->times);
	db_bind_i64(db, s, 12, alarm->part_of);
	db_bind_text(db, s, 13, alarm->part_of ? as_alarm_kinds[alarm->part_key.kind].name : "");
	db_bind_text(db, s, 14, alarm->part_of ? alarm->part_key.subject : "");
	db_bind_i64(db, s, 15, alarm->first.us);
	db_bind_i64(db, s, 16, alarm->since.us);
	db_bind_i64(db, s, 17, alarm->cleared.us);
	db_bind_i64(db, s, 18, alarm->acknowledged);
	db_bind_i64(db, s, 19, alarm->ack_at.us);
	db_bind_i64(db, s, 20, alarm->ack_until.us);
	db_bind_text(db, s, 21, alarm->ack_who);
	db_bind_text(db, s, 22, alarm->ack_note);
	db_bind_i64(db, s, 23, now.wall.us);
	status = db_run(db, s);
	if (status == ST_OK)
		status = put_turn(store, alarm);
	return status == ST_OK ? put_told(store, alarm, notify) : status;
}

/* False: a kind that this version does not have. */
static bool read_row(struct db *db, int s, struct as_alarm *alarm)
{
	enum as_alarm_kind_id kind, part;
	if (!as_alarm_kind_find(db_column_text(db, s, 1), &kind))
		return false;
	*alarm = (struct as_alarm){.key = {.kind = (uint8_t)kind}, .id = db_column_i64(db, s, 0)};
	snprintf(alarm->key.subject, AS_ALARM_SUBJECT, "%s", db_column_text(db, s, 2));
	snprintf(alarm->name, sizeof alarm->name, "%s", db_column_text(db, s, 3));
	alarm->has_agency = db_column_copy(db, s, 4, alarm->agency.bytes, sizeof alarm->agency.bytes);
	alarm->state = db_column_i64(db, s, 5) == AS_RAISED ? AS_RAISED : AS_CLEARED;
	int64_t severity = db_column_i64(db, s, 6);
	alarm->severity = severity >= 0 && severity < AS_SEVERITIES ? (enum as_severity)severity : AS_NOTICE;
	alarm->value = db_column_i64(db, s, 7);
	snprintf(alarm->detail, sizeof alarm->detail, "%s", db_column_text(db, s, 8));
	alarm->change = (uint32_t)db_column_i64(db, s, 9);
	alarm->times = (uint32_t)db_column_i64(db, s, 10);
	if (as_alarm_kind_find(db_column_text(db, s, 12), &part)) {
		alarm->part_of = db_column_i64(db, s, 11);
		alarm->part_key.kind = (uint8_t)part;
		snprintf(alarm->part_key.subject, AS_ALARM_SUBJECT, "%s", db_column_text(db, s, 13));
	}
	alarm->first.us = db_column_i64(db, s, 14);
	alarm->since.us = db_column_i64(db, s, 15);
	alarm->cleared.us = db_column_i64(db, s, 16);
	alarm->acknowledged = db_column_i64(db, s, 17) != 0;
	alarm->ack_at.us = db_column_i64(db, s, 18);
	alarm->ack_until.us = db_column_i64(db, s, 19);
	snprintf(alarm->ack_who, sizeof alarm->ack_who, "%s", db_column_text(db, s, 20));
	snprintf(alarm->ack_note, sizeof alarm->ack_note, "%s", db_column_text(db, s, 21));
	return true;
}

/* --- loading ------------------------------------------------------------------------------------------------- */

static void load_told(struct as_store *store, const struct as_notify *notify, struct as_alarm *alarm)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARM_TOLD;
	db_bind_i64(db, s, 1, alarm->id);
	while (db_step(db, s) == DB_ROW) {
		int place = as_notify_find(notify, db_column_text(db, s, 0));
		if (place < 0)
			continue;
		alarm->told[place] = (struct as_told){.change = (uint32_t)db_column_i64(db, s, 1),
						      .owed = (uint32_t)db_column_i64(db, s, 2),
						      .severity = (enum as_severity)db_column_i64(db, s, 3),
						      .at = {db_column_i64(db, s, 4)}};
	}
}

static enum status load_state(struct as_store *store, struct as_alarms *alarms,
			      const struct as_notify *notify, enum as_alarm_state state, struct wall since,
			      struct now now)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARMS_LOAD;
	db_bind_i64(db, s, 1, state);
	db_bind_i64(db, s, 2, since.us);
	db_bind_i64(db, s, 3, AS_ALARMS_MAX / 2);
	enum db_step step;
	while ((step = db_step(db, s)) == DB_ROW) {
		struct as_alarm alarm;
		if (!read_row(db, s, &alarm))
			continue;
		load_told(store, notify, &alarm);
		/* The newest of a kind and subject stands; an older one of the same is history. */
		if (!as_alarms_find(alarms, (enum as_alarm_kind_id)alarm.key.kind, alarm.key.subject))
			(void)as_alarms_restore(alarms, &alarm, now);
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

enum status as_store_alarms_load(struct as_store *store, struct as_alarms *alarms,
				 const struct as_notify *notify, struct now now)
{
	struct db *db = store->city;
	alarms->last_id = (int64_t)as_store_number(db, store->alarms_base + ALARMS_LAST, 0);
	enum status status = load_state(store, alarms, notify, AS_RAISED, (struct wall){INT64_MIN}, now);
	if (status == ST_OK)
		status = load_state(store, alarms, notify, AS_CLEARED,
				    (struct wall){now.wall.us - AS_CLEARED_KEPT}, now);
	return status;
}

/* --- asking -------------------------------------------------------------------------------------------------- */

enum status as_store_alarms_list(struct as_store *store, const struct as_scope *scope,
				 const struct as_alarm_query *query, struct as_alarm *alarms, size_t *count)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARMS_LIST;
	as_store_bind_scope(db, s, scope);
	db_bind_i64(db, s, 3, query->since.us);
	db_bind_i64(db, s, 4, query->raised ? AS_RAISED : -1);
	db_bind_i64(db, s, 5, query->cleared ? AS_CLEARED : -1);
	db_bind_text(db, s, 6, query->kind < 0 ? NULL : as_alarm_kinds[query->kind].name);
	db_bind_text(db, s, 7, query->subject);
	db_bind_i64(db, s, 8, query->before > 0 ? query->before : INT64_MAX);
	db_bind_i64(db, s, 9, query->limit);
	enum db_step step;
	*count = 0;
	while ((step = db_step(db, s)) == DB_ROW)
		if (*count < query->limit && read_row(db, s, &alarms[*count]))
			++*count;
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

enum status as_store_alarm_get(struct as_store *store, const struct as_scope *scope, int64_t id,
			       struct as_alarm *alarm)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARM_GET;
	as_store_bind_scope(db, s, scope);
	db_bind_i64(db, s, 3, id);
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	bool known = read_row(db, s, alarm);
	db_reset(db, s);
	return known ? ST_OK : ST_NOT_FOUND;
}

enum status as_store_alarm_turns(struct as_store *store, int64_t id,
				 struct as_alarm_turn turns[AS_ALARM_CHANGES_KEPT], size_t *count)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARM_TURNS;
	db_bind_i64(db, s, 1, id);
	db_bind_i64(db, s, 2, AS_ALARM_CHANGES_KEPT);
	enum db_step step;
	*count = 0;
	while ((step = db_step(db, s)) == DB_ROW)
		turns[(*count)++] = (struct as_alarm_turn){.change = (uint32_t)db_column_i64(db, s, 0),
							   .at = {db_column_i64(db, s, 1)},
							   .value = db_column_i64(db, s, 2)};
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

enum status as_store_alarms_prune(struct as_store *store, struct wall before, unsigned limit)
{
	struct db *db = store->city;
	int s = store->alarms_base + ALARMS_OLDEST;
	int64_t oldest = INT64_MAX;
	if (db_step(db, s) == DB_ROW) {
		if (!db_column_is_null(db, s, 0))
			oldest = db_column_i64(db, s, 0);
		db_reset(db, s);
	}
	if (oldest >= before.us)
		return ST_OK;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	s = store->alarms_base + ALARMS_PRUNE;
	db_bind_i64(db, s, 1, before.us);
	db_bind_i64(db, s, 2, limit);
	return db_run(db, s);
}

/* --- messages ------------------------------------------------------------------------------------------------ */

enum status as_store_alarm_message_put(struct as_store *store, const struct as_channel *channel,
				       const char *body)
{
	struct db *db = store->city;
	int s = store->alarms_base + MESSAGE_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(db, s, 1, channel->rules.name);
	db_bind_i64(db, s, 2, (int64_t)channel->sequence);
	db_bind_i64(db, s, 3, channel->quiet);
	db_bind_text(db, s, 4, body);
	return db_run(db, s);
}

char *as_store_alarm_message(struct as_store *store, struct as_channel *channel)
{
	struct db *db = store->city;
	int s = store->alarms_base + MESSAGE_GET;
	char *body = NULL;
	db_bind_text(db, s, 1, channel->rules.name);
	if (db_step(db, s) == DB_ROW) {
		channel->sequence = (uint64_t)db_column_i64(db, s, 0);
		channel->quiet = db_column_i64(db, s, 1) != 0;
		if (!db_column_is_null(db, s, 2))
			body = strdup(db_column_text(db, s, 2));
		db_reset(db, s);
	}
	return body;
}

/* --- gateways ------------------------------------------------------------------------------------------------ */

/* "2027-01-31": the end of that day, UTC. */
static struct wall end_of_day(const char *date)
{
	char text[AS_TIME_TEXT];
	struct wall time = {0};
	snprintf(text, sizeof text, "%.10sT23:59:59Z", date);
	return as_time_parse(text, &time) ? time : (struct wall){0};
}

enum status as_store_alarm_gateways(struct as_store *store, int64_t *from, struct as_gateway_record *records,
				    size_t limit, size_t *count)
{
	struct db *db = store->city;
	int s = store->alarms_base + GATEWAYS;
	db_bind_i64(db, s, 1, (int64_t)limit);
	db_bind_i64(db, s, 2, *from);
	enum db_step step;
	*count = 0;
	while ((step = db_step(db, s)) == DB_ROW) {
		int64_t eui = db_column_i64(db, s, 0);
		struct as_gateway_record *record = &records[*count];
		*record = (struct as_gateway_record){.eui = lw_eui64_from_number((uint64_t)eui)};
		*from = eui < INT64_MAX ? eui + 1 : eui;
		snprintf(record->name, sizeof record->name, "%s", db_column_text(db, s, 1));
		record->has_agency = db_column_copy(db, s, 2, record->agency.bytes,
						    sizeof record->agency.bytes);
		snprintf(record->backhaul, sizeof record->backhaul, "%s", db_column_text(db, s, 3));
		record->udp_open = db_column_i64(db, s, 4) != 0;
		record->permission_until = end_of_day(db_column_text(db, s, 5));
		record->data_plan_mb = (uint32_t)db_column_i64(db, s, 6);
		record->certificate_until.us = db_column_i64(db, s, 7);
		++*count;
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

struct wall as_store_alarm_server_certificate(struct as_store *store)
{
	int s = store->alarms_base + SERVER_CERTIFICATE;
	return (struct wall){(int64_t)as_store_number(store->city, s, 0)};
}
