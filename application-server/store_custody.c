#include "application-server/store_custody.h"

#include "application-server/store_keys.h"
#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define SLICE 256 /* devices in one turn */

#define HELD_COLUMNS "session, dev_addr, join_eui, kek_label, wrapped, session_key_id, heard, created_at"
#define AGENCY_HOLDS                                                                           \
	"dev_eui = ?1 AND (SELECT coalesce(d.key_custody, a.key_custody) FROM devices d JOIN " \
	"applications a ON a.id = d.application WHERE d.dev_eui = ?1) = 'agency'"
#define KEK_COLUMNS "agency, label, version, sealed, made_at, changed_at, problem"

enum {
	HELD_PUT,
	HELD_PRUNE,
	HELD_GET,
	HELD_HEARD,
	HELD_CURRENT,
	HELD_TO_FETCH,
	HELD_FETCHED,
	HELD_LAST_COUNTER,
	SESSION_ANY,
	KEK_GET,
	KEK_NEXT,
	KEK_PUT,
	KEK_PROBLEM,
	KEK_TAKEN,
	KEK_WANTED,
	CHANGED,
	CHANGED_DEVICES,
	CHANGED_UP_TO,
	CHANGED_DONE,
	FORGET_SESSION,
	FORGET_KEY,
	COUNT
};

const char *const as_sql_custody[] = {
	/* In order even when the wall clock was set back, among the sessions of which the city has the key too. */
	[HELD_PUT] = "INSERT INTO held_sessions (dev_eui, session, dev_addr, join_eui, kek_label, wrapped, "
		     "session_key_id, heard, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, max(?8, "
		     "coalesce((SELECT max(created_at) + 1 FROM (SELECT created_at FROM sessions WHERE "
		     "dev_eui = ?1 "
		     "UNION ALL SELECT created_at FROM held_sessions WHERE dev_eui = ?1)), 0))) "
		     "ON CONFLICT (dev_eui, session) DO UPDATE SET kek_label = ?5, wrapped = ?6 WHERE "
		     "wrapped IS NULL",
	[HELD_PRUNE] =
		"DELETE FROM held_sessions WHERE dev_eui = ?1 AND session <> ?3 AND session NOT IN "
		"(SELECT session FROM held_sessions WHERE dev_eui = ?1 ORDER BY created_at DESC LIMIT ?2)",
	[HELD_GET] = "SELECT " HELD_COLUMNS " FROM held_sessions WHERE dev_eui = ?1 AND session = ?2",
	[HELD_HEARD] = "UPDATE held_sessions SET heard = 1 WHERE dev_eui = ?1 AND session = ?2",
	[HELD_CURRENT] = "SELECT " HELD_COLUMNS " FROM held_sessions WHERE dev_eui = ?1 AND created_at > "
			 "coalesce((SELECT max(created_at) FROM sessions WHERE dev_eui = ?1), -1) "
			 "ORDER BY heard DESC, created_at DESC LIMIT 1",
	[HELD_TO_FETCH] =
		"SELECT " HELD_COLUMNS ", dev_eui FROM held_sessions WHERE wrapped IS NULL AND "
		"session_key_id IS NOT NULL AND (created_at, dev_eui) > (?1, ?2) ORDER BY created_at, "
		"dev_eui LIMIT 1",
	[HELD_FETCHED] =
		"UPDATE held_sessions SET kek_label = ?3, wrapped = ?4 WHERE dev_eui = ?1 AND session = ?2",
	[HELD_LAST_COUNTER] =
		"SELECT max(fcnt_given) FROM downlinks WHERE dev_eui = ?1 AND encrypted = 1 AND "
		"ended = 0",
	[SESSION_ANY] = "SELECT 1 FROM sessions WHERE dev_eui = ?1 LIMIT 1",
	[KEK_GET] = "SELECT " KEK_COLUMNS " FROM agency_keks WHERE agency = ?1",
	[KEK_NEXT] = "SELECT " KEK_COLUMNS " FROM agency_keks WHERE label > ?1 ORDER BY label LIMIT 1",
	[KEK_PUT] =
		"INSERT INTO agency_keks (" KEK_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, '') "
		"ON CONFLICT (agency) DO UPDATE SET version = ?3, sealed = ?4, changed_at = ?6, problem = ''",
	[KEK_PROBLEM] = "UPDATE agency_keks SET problem = ?2 WHERE label = ?1",
	[KEK_TAKEN] = "SELECT 1 FROM agency_keks WHERE label = ?1",
	[KEK_WANTED] =
		"SELECT EXISTS (SELECT 1 FROM applications WHERE agency = ?1 AND key_custody = 'agency') OR "
		"EXISTS (SELECT 1 FROM devices WHERE agency = ?1 AND key_custody = 'agency')",
	[CHANGED] = "SELECT application, after FROM custody_changes LIMIT 1",
	[CHANGED_DEVICES] =
		"SELECT dev_eui FROM devices WHERE application = ?1 AND dev_eui > ?2 ORDER BY dev_eui "
		"LIMIT ?3",
	[CHANGED_UP_TO] = "UPDATE custody_changes SET after = ?2 WHERE application = ?1",
	[CHANGED_DONE] = "DELETE FROM custody_changes WHERE application = ?1",
	[FORGET_SESSION] = "DELETE FROM sessions WHERE session = zeroblob(16) AND " AGENCY_HOLDS,
	[FORGET_KEY] = "UPDATE devices SET app_s_key = NULL WHERE app_s_key IS NOT NULL AND " AGENCY_HOLDS,
};
const int as_sql_custody_count = COUNT;

static int statement(const struct as_store *store, int which)
{
	return store->custody_base + which;
}

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

/* A foreign key that dangles means that the device is not there. */
static enum status no_device(enum status status)
{
	return status == ST_CONFLICT ? ST_NOT_FOUND : status;
}

/* --- sessions ------------------------------------------------------------------------------------------------ */

static void bind_session(struct as_store *store, int s, const struct lw_eui64 *dev_eui,
			 const struct net_session_id *session)
{
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	db_bind_blob(store->city, s, 2, session->bytes, sizeof session->bytes);
}

static void read_held(struct db *db, int s, struct as_held *held)
{
	size_t length;
	*held = (struct as_held){.dev_addr = {(uint32_t)db_column_i64(db, s, 1)},
				 .join_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 2)),
				 .heard = db_column_i64(db, s, 6) != 0,
				 .created = {db_column_i64(db, s, 7)}};
	db_column_copy(db, s, 0, held->session.bytes, sizeof held->session.bytes);
	snprintf(held->kek_label, sizeof held->kek_label, "%s", db_column_text(db, s, 3));
	held->has_key = db_column_copy(db, s, 4, held->wrapped, sizeof held->wrapped);
	const void *id = db_column_blob(db, s, 5, &length);
	if (id && length <= sizeof held->session_key_id) {
		memcpy(held->session_key_id, id, length);
		held->session_key_id_length = (uint8_t)length;
	}
}

/* Ends a query of one session. */
static enum status one_held(struct as_store *store, int s, struct as_held *held, struct lw_eui64 *dev_eui)
{
	enum db_step step = db_step(store->city, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
	read_held(store->city, s, held);
	if (dev_eui)
		*dev_eui = lw_eui64_from_number((uint64_t)db_column_i64(store->city, s, 8));
	db_reset(store->city, s);
	return ST_OK;
}

enum status as_store_held_put(struct as_store *store, const struct lw_eui64 *dev_eui,
			      const struct as_held *held, const struct net_session_id *in_use,
			      struct wall now)
{
	int put = statement(store, HELD_PUT), prune = statement(store, HELD_PRUNE);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store, put, dev_eui, &held->session);
	db_bind_i64(store->city, put, 3, held->dev_addr.value);
	db_bind_i64(store->city, put, 4, number_of(&held->join_eui));
	db_bind_text(store->city, put, 5, held->kek_label);
	if (held->has_key)
		db_bind_blob(store->city, put, 6, held->wrapped, sizeof held->wrapped);
	if (held->session_key_id_length)
		db_bind_blob(store->city, put, 7, held->session_key_id, held->session_key_id_length);
	db_bind_i64(store->city, put, 8, now.us);
	status = no_device(db_run(store->city, put));
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, prune, 1, number_of(dev_eui));
	db_bind_i64(store->city, prune, 2, AS_SESSIONS_KEPT);
	db_bind_blob(store->city, prune, 3, (in_use ? in_use : &held->session)->bytes,
		     sizeof held->session.bytes);
	return db_run(store->city, prune);
}

enum status as_store_held_get(struct as_store *store, const struct lw_eui64 *dev_eui,
			      const struct net_session_id *session, struct as_held *held)
{
	int s = statement(store, HELD_GET);
	bind_session(store, s, dev_eui, session);
	return one_held(store, s, held, NULL);
}

enum status as_store_held_heard(struct as_store *store, const struct lw_eui64 *dev_eui,
				const struct net_session_id *session)
{
	int s = statement(store, HELD_HEARD);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store, s, dev_eui, session);
	return db_run(store->city, s);
}

enum status as_store_held_current(struct as_store *store, const struct lw_eui64 *dev_eui,
				  struct as_held *held)
{
	int s = statement(store, HELD_CURRENT);
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	return one_held(store, s, held, NULL);
}

enum status as_store_held_to_fetch(struct as_store *store, const struct as_held_place *place,
				   struct lw_eui64 *dev_eui, struct as_held *held)
{
	int s = statement(store, HELD_TO_FETCH);
	db_bind_i64(store->city, s, 1, place->after.us);
	db_bind_i64(store->city, s, 2, number_of(&place->dev_eui));
	return one_held(store, s, held, dev_eui);
}

enum status as_store_held_fetched(struct as_store *store, const struct lw_eui64 *dev_eui,
				  const struct as_held *held)
{
	int s = statement(store, HELD_FETCHED);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	bind_session(store, s, dev_eui, &held->session);
	db_bind_text(store->city, s, 3, held->kek_label);
	db_bind_blob(store->city, s, 4, held->wrapped, sizeof held->wrapped);
	return db_run(store->city, s);
}

bool as_store_session_any(struct as_store *store, const struct lw_eui64 *dev_eui)
{
	int s = statement(store, SESSION_ANY);
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	return as_store_number(store->city, s, 0) != 0;
}

int64_t as_store_held_last_counter(struct as_store *store, const struct lw_eui64 *dev_eui)
{
	int s = statement(store, HELD_LAST_COUNTER);
	int64_t last = -1;
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	if (db_step(store->city, s) != DB_ROW)
		return last;
	if (!db_column_is_null(store->city, s, 0))
		last = db_column_i64(store->city, s, 0);
	db_reset(store->city, s);
	return last;
}

/* --- agencies' KEKs ------------------------------------------------------------------------------------------- */

static enum status one_kek(struct as_store *store, int s, struct as_agency_kek *kek)
{
	struct db *db = store->city;
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	*kek = (struct as_agency_kek){.version = (uint32_t)db_column_i64(db, s, 2),
				      .made = {db_column_i64(db, s, 4)},
				      .changed = {db_column_i64(db, s, 5)}};
	db_column_copy(db, s, 0, kek->agency.bytes, sizeof kek->agency.bytes);
	snprintf(kek->label, sizeof kek->label, "%s", db_column_text(db, s, 1));
	kek->given_up = !db_column_copy(db, s, 3, kek->sealed, sizeof kek->sealed);
	snprintf(kek->problem, sizeof kek->problem, "%s", db_column_text(db, s, 6));
	db_reset(db, s);
	return ST_OK;
}

enum status as_store_kek_get(struct as_store *store, const struct net_uuid *agency, struct as_agency_kek *kek)
{
	int s = statement(store, KEK_GET);
	db_bind_blob(store->city, s, 1, agency->bytes, sizeof agency->bytes);
	return one_kek(store, s, kek);
}

enum status as_store_kek_next(struct as_store *store, const char *after, struct as_agency_kek *kek)
{
	int s = statement(store, KEK_NEXT);
	db_bind_text(store->city, s, 1, after);
	return one_kek(store, s, kek);
}

enum status as_store_kek_put(struct as_store *store, const struct as_agency_kek *kek)
{
	int s = statement(store, KEK_PUT);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_blob(store->city, s, 1, kek->agency.bytes, sizeof kek->agency.bytes);
	db_bind_text(store->city, s, 2, kek->label);
	db_bind_i64(store->city, s, 3, kek->version);
	if (!kek->given_up)
		db_bind_blob(store->city, s, 4, kek->sealed, sizeof kek->sealed);
	db_bind_i64(store->city, s, 5, kek->made.us);
	db_bind_i64(store->city, s, 6, kek->changed.us);
	store->keks_version++;
	return db_run(store->city, s);
}

enum status as_store_kek_set_problem(struct as_store *store, const char *label, const char *problem)
{
	int s = statement(store, KEK_PROBLEM);
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_text(store->city, s, 1, label);
	db_bind_text(store->city, s, 2, problem);
	return db_run(store->city, s);
}

bool as_store_kek_label_is_taken(struct as_store *store, const char *label)
{
	int s = statement(store, KEK_TAKEN);
	db_bind_text(store->city, s, 1, label);
	return as_store_number(store->city, s, 0) != 0;
}

uint64_t as_store_keks_version(const struct as_store *store)
{
	return store->keks_version;
}

bool as_store_kek_is_wanted(struct as_store *store, const struct net_uuid *agency)
{
	int s = statement(store, KEK_WANTED);
	db_bind_blob(store->city, s, 1, agency->bytes, sizeof agency->bytes);
	return as_store_number(store->city, s, 1) != 0;
}

/* --- custody of applications ---------------------------------------------------------------------------------- */

enum status as_store_custody_forget(struct as_store *store, int64_t dev_eui)
{
	static const int both[] = {FORGET_SESSION, FORGET_KEY};
	enum status status = as_store_write_city(store);
	for (size_t i = 0; status == ST_OK && i < ARRAY_SIZE(both); i++) {
		db_bind_i64(store->city, statement(store, both[i]), 1, dev_eui);
		status = db_run(store->city, statement(store, both[i]));
	}
	return status;
}

/* Fills the devices of an application behind `after`, in order. */
static enum status devices_after(struct as_store *store, const struct net_uuid *application, int64_t after,
				 int64_t euis[SLICE], unsigned *count)
{
	int s = statement(store, CHANGED_DEVICES);
	enum db_step step;
	*count = 0;
	db_bind_blob(store->city, s, 1, application->bytes, sizeof application->bytes);
	db_bind_i64(store->city, s, 2, after);
	db_bind_i64(store->city, s, 3, SLICE);
	while ((step = db_step(store->city, s)) == DB_ROW)
		euis[(*count)++] = db_column_i64(store->city, s, 0);
	return step == DB_FAILED ? db_step_status(store->city) : ST_OK;
}

static enum status change_slice(struct as_store *store, bool *more)
{
	int s = statement(store, CHANGED);
	struct net_uuid application;
	int64_t euis[SLICE];
	unsigned count;
	enum db_step found = db_step(store->city, s);
	if (found != DB_ROW)
		return found == DB_DONE ? ST_OK : db_step_status(store->city);
	db_column_copy(store->city, s, 0, application.bytes, sizeof application.bytes);
	int64_t after = db_column_i64(store->city, s, 1);
	db_reset(store->city, s);
	*more = true;
	enum status status = as_store_write_city(store);
	if (status == ST_OK)
		status = devices_after(store, &application, after, euis, &count);
	for (unsigned i = 0; status == ST_OK && i < count; i++) {
		status = as_store_custody_forget(store, euis[i]);
		if (status == ST_OK)
			status = as_store_bump(store, RECORD_DEVICE, euis[i], NULL, false);
	}
	if (status != ST_OK)
		return status;
	int end = statement(store, count < SLICE ? CHANGED_DONE : CHANGED_UP_TO);
	db_bind_blob(store->city, end, 1, application.bytes, sizeof application.bytes);
	if (count == SLICE)
		db_bind_i64(store->city, end, 2, euis[count - 1]);
	return db_run(store->city, end);
}

bool as_store_custody_step(struct as_store *store)
{
	bool more = false;
	if (change_slice(store, &more) != ST_OK)
		as_store_abandon(store);
	return more;
}
