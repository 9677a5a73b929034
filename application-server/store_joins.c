#include "application-server/store_joins.h"

#include "application-server/store_private.h"
#include "common/base/check.h"
#include "common/proto/envelope.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 1024
#define SCRATCH  (16 * 1024)

enum {
	ATTEMPT_FIND,
	ATTEMPT_INSERT,
	ATTEMPT_UPDATE,
	ATTEMPT_SUPERSEDE,
	ATTEMPT_FORGET,
	ATTEMPTS_OF,
	ATTEMPTS_COUNT,
	ATTEMPTS_OF_CITY,
	ATTEMPTS_OF_AGENCY,
	ATTEMPTS_OLDEST,
	ATTEMPTS_PRUNE,
	COUNT
};

const char *const as_sql_joins[] = {
	[ATTEMPT_FIND] =
		"SELECT body, updated, agency, seq FROM join_attempts WHERE dev_eui = ?1 AND attempt = ?2",
	[ATTEMPT_INSERT] =
		"INSERT INTO join_attempts (dev_eui, attempt, agency, updated, is_last, body) VALUES (?1, "
		"?2, ?3, ?4, 1, ?5)",
	[ATTEMPT_UPDATE] = "UPDATE join_attempts SET agency = ?2, updated = ?3, body = ?4 WHERE seq = ?1",
	[ATTEMPT_SUPERSEDE] = "UPDATE join_attempts SET is_last = 0 WHERE dev_eui = ?1 AND is_last",
	[ATTEMPT_FORGET] =
		"DELETE FROM join_attempts WHERE dev_eui = ?1 AND seq <= (SELECT seq FROM join_attempts "
		"WHERE dev_eui = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
	[ATTEMPTS_OF] =
		"SELECT body, updated, agency FROM join_attempts WHERE dev_eui = ?3 AND " AS_SCOPE_OF_AGENCY
		" ORDER BY seq DESC LIMIT ?4",
	[ATTEMPTS_COUNT] = "SELECT count(*) FROM join_attempts WHERE dev_eui = ?1",
	/* Two texts, so that each walks an index from its end. */
	[ATTEMPTS_OF_CITY] =
		"SELECT body, updated, agency FROM join_attempts WHERE is_last AND updated >= ?3 AND ?1 "
		"ORDER BY updated DESC LIMIT ?4",
	[ATTEMPTS_OF_AGENCY] =
		"SELECT body, updated, agency FROM join_attempts WHERE is_last AND agency = ?2 AND "
		"updated >= ?3 AND " AS_SCOPE_OF_AGENCY " ORDER BY updated DESC LIMIT ?4",
	[ATTEMPTS_OLDEST] = "SELECT min(updated) FROM join_attempts",
	[ATTEMPTS_PRUNE] =
		"DELETE FROM join_attempts WHERE seq IN (SELECT seq FROM join_attempts WHERE updated < ?1 "
		"ORDER BY updated LIMIT ?2)",
};
const int as_sql_joins_count = COUNT;

void as_attempt_merge(struct as_attempt *attempt, const struct net_join_report *report, struct wall now)
{
	struct net_join_report *known = &attempt->report;
	attempt->updated = now;
	if (known->attempt != report->attempt) {
		*known = *report;
		return;
	}
	struct net_join_report before = *known;
	if (report->has_heard) {
		*known = *report;
		known->time = before.time;
		known->times += before.times;
	} else {
		known->verdict = report->verdict;
		memcpy(known->cause, report->cause, sizeof known->cause);
		known->has_tx = report->has_tx;
		known->tx_gateway = report->tx_gateway;
		known->tx_window = report->tx_window;
		known->tx_freq_hz = report->tx_freq_hz;
		known->left = report->left;
	}
	if (before.has_tx && !report->has_tx) {
		known->has_tx = true;
		known->tx_gateway = before.tx_gateway;
		known->tx_window = before.tx_window;
		known->tx_freq_hz = before.tx_freq_hz;
	}
	if (known->left == 0)
		known->left = before.left;
	known->unheard = report->unheard > before.unheard ? report->unheard : before.unheard;
}

/* --- rows --------------------------------------------------------------------------------------------------- */

/* Where a report is packed and unpacked; made at the first use. */
struct as_join_scratch {
	struct proto_message message;
	struct arena arena;
};

static struct as_join_scratch *scratch_of(struct as_store *store)
{
	if (!store->join_scratch) {
		store->join_scratch = calloc(1, sizeof *store->join_scratch);
		ASSERT(store->join_scratch);
		arena_init(&store->join_scratch->arena, SCRATCH);
	}
	return store->join_scratch;
}

void as_store_joins_release(struct as_store *store)
{
	if (store->join_scratch)
		arena_release(&store->join_scratch->arena);
	free(store->join_scratch);
}

/* Columns 0 to 2. False: not a row of ours. */
static bool read_row(struct as_store *store, int s, struct as_attempt *attempt)
{
	struct db *db = store->readings;
	struct as_join_scratch *scratch = scratch_of(store);
	size_t length;
	const void *body = db_column_blob(db, s, 0, &length);
	*attempt = (struct as_attempt){.updated = {db_column_i64(db, s, 1)}};
	attempt->has_owner = db_column_copy(db, s, 2, attempt->agency.bytes, sizeof attempt->agency.bytes);
	if (proto_unpack(&scratch->message, body, length, &scratch->arena) != ST_OK ||
	    scratch->message.kind != PROTO_JOIN_REPORT)
		return false;
	attempt->report = scratch->message.join_report;
	return true;
}

static bool pack(struct as_store *store, const struct net_join_report *report, uint8_t body[BODY_MAX],
		 size_t *length)
{
	struct proto_message *message = &scratch_of(store)->message;
	message->kind = PROTO_JOIN_REPORT;
	message->seq = 1;
	message->join_report = *report;
	return proto_pack(message, body, BODY_MAX, length) == ST_OK;
}

enum status as_store_attempt_get(struct as_store *store, const struct lw_eui64 *device, uint64_t number,
				 struct as_attempt *attempt, int64_t *seq)
{
	struct db *db = store->readings;
	int s = store->joins_base + ATTEMPT_FIND;
	db_bind_i64(db, s, 1, (int64_t)lw_eui64_number(device));
	db_bind_i64(db, s, 2, (int64_t)number);
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(db);
	*seq = db_column_i64(db, s, 3);
	bool good = read_row(store, s, attempt);
	db_reset(db, s);
	return good ? ST_OK : ST_NOT_FOUND;
}

static void bind_agency(struct db *db, int s, int parameter, const struct as_attempt *attempt)
{
	if (attempt->has_owner)
		db_bind_blob(db, s, parameter, attempt->agency.bytes, sizeof attempt->agency.bytes);
	else
		db_bind_null(db, s, parameter);
}

enum status as_store_attempt_put(struct as_store *store, const struct as_attempt *attempt, int64_t seq)
{
	struct db *db = store->readings;
	uint8_t body[BODY_MAX];
	size_t length;
	int64_t device = (int64_t)lw_eui64_number(&attempt->report.device);
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	if (!pack(store, &attempt->report, body, &length))
		return ST_NO_MEMORY;
	if (seq != 0) {
		int s = store->joins_base + ATTEMPT_UPDATE;
		db_bind_i64(db, s, 1, seq);
		bind_agency(db, s, 2, attempt);
		db_bind_i64(db, s, 3, attempt->updated.us);
		db_bind_blob(db, s, 4, body, length);
		return db_run(db, s);
	}
	int s = store->joins_base + ATTEMPT_SUPERSEDE;
	db_bind_i64(db, s, 1, device);
	status = db_run(db, s);
	if (status != ST_OK)
		return status;
	s = store->joins_base + ATTEMPT_INSERT;
	db_bind_i64(db, s, 1, device);
	db_bind_i64(db, s, 2, (int64_t)attempt->report.attempt);
	bind_agency(db, s, 3, attempt);
	db_bind_i64(db, s, 4, attempt->updated.us);
	db_bind_blob(db, s, 5, body, length);
	status = db_run(db, s);
	if (status != ST_OK)
		return status;
	s = store->joins_base + ATTEMPT_FORGET;
	db_bind_i64(db, s, 1, device);
	db_bind_i64(db, s, 2, AS_ATTEMPTS_KEPT);
	return db_run(db, s);
}

enum status as_store_attempts(struct as_store *store, const struct as_scope *scope,
			      const struct lw_eui64 *device, struct as_attempt *attempts, size_t limit,
			      size_t *count)
{
	struct db *db = store->readings;
	int s = store->joins_base + ATTEMPTS_OF;
	as_store_bind_scope(db, s, scope);
	db_bind_i64(db, s, 3, (int64_t)lw_eui64_number(device));
	db_bind_i64(db, s, 4, (int64_t)limit);
	enum db_step step;
	*count = 0;
	while ((step = db_step(db, s)) == DB_ROW)
		if (*count < limit && read_row(store, s, &attempts[*count]))
			++*count;
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

static unsigned count_of(struct as_store *store, const struct lw_eui64 *device)
{
	int s = store->joins_base + ATTEMPTS_COUNT;
	unsigned count = 0;
	db_bind_i64(store->readings, s, 1, (int64_t)lw_eui64_number(device));
	if (db_step(store->readings, s) == DB_ROW) {
		count = (unsigned)db_column_i64(store->readings, s, 0);
		db_reset(store->readings, s);
	}
	return count;
}

enum status as_store_attempts_last(struct as_store *store, const struct as_scope *scope, struct wall since,
				   struct as_attempt *attempts, unsigned *counts, size_t limit, size_t *count)
{
	struct db *db = store->readings;
	int s = store->joins_base + (as_scope_sees_all(scope) ? ATTEMPTS_OF_CITY : ATTEMPTS_OF_AGENCY);
	as_store_bind_scope(db, s, scope);
	db_bind_i64(db, s, 3, since.us);
	db_bind_i64(db, s, 4, (int64_t)limit);
	enum db_step step;
	*count = 0;
	while ((step = db_step(db, s)) == DB_ROW)
		if (*count < limit && read_row(store, s, &attempts[*count]))
			++*count;
	if (step != DB_DONE)
		return db_step_status(db);
	for (size_t i = 0; i < *count; i++)
		counts[i] = count_of(store, &attempts[i].report.device);
	return ST_OK;
}

enum status as_store_attempts_prune(struct as_store *store, struct wall before, unsigned limit)
{
	struct db *db = store->readings;
	int s = store->joins_base + ATTEMPTS_OLDEST;
	int64_t oldest = INT64_MAX;
	if (db_step(db, s) == DB_ROW) {
		if (!db_column_is_null(db, s, 0))
			oldest = db_column_i64(db, s, 0);
		db_reset(db, s);
	}
	if (oldest >= before.us)
		return ST_OK;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	s = store->joins_base + ATTEMPTS_PRUNE;
	db_bind_i64(db, s, 1, before.us);
	db_bind_i64(db, s, 2, limit);
	return db_run(db, s);
}
