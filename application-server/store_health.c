#include "application-server/store_health.h"

#include "application-server/store_health_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_S   INT64_C(60)
#define HOUR_S     INT64_C(3600)
#define DAY_S      INT64_C(86400)
#define WALK_SLICE 4 /* gateways in a step: at most two days of minutes each */

#define SUMS                                                                                              \
	"sum(seconds), sum(offline_s), sum(received), sum(crc_errors), sum(forwarded), sum(dropped), "    \
	"sum(sent), sum(tx_ok), sum(tx_late), sum(tx_collision), sum(tx_duty), sum(tx_no_path), "         \
	"sum(tx_no_answer), sum(tx_other), sum(moves), sum(reconnects), sum(bytes_up), sum(bytes_down), " \
	"sum(airtime_ms), max(trip_95_ms), avg(drift_tenths_ppm), max(temperature_cdeg)"

const char *const as_sql_health[] = {
	[MINUTE_PUT] =
		"INSERT INTO gateway_series VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
		"?13, ?14, "
		"?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24) ON CONFLICT DO UPDATE SET "
		"seconds = seconds + ?3, offline_s = offline_s + ?4, received = received + ?5, "
		"crc_errors = crc_errors + ?6, forwarded = forwarded + ?7, dropped = dropped + ?8, sent = "
		"sent + ?9, "
		"tx_ok = tx_ok + ?10, tx_late = tx_late + ?11, tx_collision = tx_collision + ?12, "
		"tx_duty = tx_duty + ?13, tx_no_path = tx_no_path + ?14, tx_no_answer = tx_no_answer + ?15, "
		"tx_other = tx_other + ?16, moves = moves + ?17, reconnects = reconnects + ?18, "
		"bytes_up = bytes_up + ?19, bytes_down = bytes_down + ?20, airtime_ms = airtime_ms + ?21, "
		"trip_95_ms = ?22, drift_tenths_ppm = ?23, temperature_cdeg = ?24",
	[HEARD_PUT] =
		"INSERT INTO gateway_heard VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET heard = ?2, "
		"protocol = ?3, address = ?4",
	[HEARD_GET] = "SELECT heard, protocol, address FROM gateway_heard WHERE gateway = ?1",
	[OUTAGE_PUT] =
		"INSERT INTO gateway_outages VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET ended = ?3, "
		"reason = ?4",
	[OUTAGE_OPEN] =
		"SELECT began, ended, reason FROM gateway_outages WHERE gateway = ?1 ORDER BY began DESC "
		"LIMIT 1",
	[OUTAGES_SINCE] = "SELECT count(*) FROM gateway_outages WHERE gateway = ?1 AND began >= ?2",
	[OUTAGES_LIST] = "SELECT began, ended, reason FROM gateway_outages WHERE gateway = ?1 AND "
			 "(began >= ?2 OR ended IS NULL OR ended >= ?2) ORDER BY began DESC LIMIT ?3",
	[OUTAGES_SHED] = "DELETE FROM gateway_outages WHERE gateway = ?1 AND began <= (SELECT began FROM "
			 "gateway_outages WHERE gateway = ?1 ORDER BY began DESC LIMIT 1 OFFSET ?2)",
	[OUTAGES_OLD] = "DELETE FROM gateway_outages WHERE gateway = ?1 AND ended IS NOT NULL AND began < ?2",
	[MONTH_BYTES] =
		"SELECT sum(bytes_up + bytes_down) FROM gateway_series WHERE gateway = ?1 AND level = ?2 AND "
		"at >= ?3",
	[NEXT_GATEWAY] = "SELECT gateway FROM gateway_series WHERE gateway > ?1 ORDER BY gateway LIMIT 1",
	[NEXT_OUT] = "SELECT gateway FROM gateway_outages WHERE gateway > ?1 ORDER BY gateway LIMIT 1",
	[NEWEST] = "SELECT max(at) FROM gateway_series WHERE gateway = ?1 AND level = ?2",
	[SUM_UP] =
		"INSERT OR REPLACE INTO gateway_series SELECT gateway, ?2 + 1, at / ?3 * ?3, sum(seconds), "
		"sum(offline_s), sum(received), sum(crc_errors), sum(forwarded), sum(dropped), sum(sent), "
		"sum(tx_ok), sum(tx_late), sum(tx_collision), sum(tx_duty), sum(tx_no_path), "
		"sum(tx_no_answer), "
		"sum(tx_other), sum(moves), sum(reconnects), sum(bytes_up), sum(bytes_down), "
		"sum(airtime_ms), "
		"max(trip_95_ms), CAST(avg(drift_tenths_ppm) AS INTEGER), max(temperature_cdeg) "
		"FROM gateway_series WHERE gateway = ?1 AND level = ?2 AND at >= ?4 AND at < ?5 "
		"GROUP BY at / ?3",
	[SHED] = "DELETE FROM gateway_series WHERE gateway = ?1 AND level = ?2 AND at < ?3",
	/* Rows of the level itself up to where it is summed, and those below it from there on. */
	[SERIES] = "SELECT at / ?6 * ?6 AS start, " SUMS " FROM gateway_series WHERE gateway = ?1 AND "
		   "level = ?2 AND at >= ?3 AND at < ?4 GROUP BY start ORDER BY start LIMIT ?5",
};
const int as_sql_health_count = HEALTH_STATEMENTS;

const char *as_health_level_name(enum as_health_level level)
{
	static const char *const names[] = {"minute", "hour", "day"};
	ASSERT((unsigned)level < AS_HEALTH_LEVELS);
	return names[level];
}

int64_t as_health_level_s(enum as_health_level level)
{
	static const int64_t seconds[] = {MINUTE_S, HOUR_S, DAY_S};
	ASSERT((unsigned)level < AS_HEALTH_LEVELS);
	return seconds[level];
}

static int64_t key_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static int64_t sum_of(const struct as_gateway_counts *counts, enum gw_tx_result a, enum gw_tx_result b)
{
	return (int64_t)counts->results[a] + counts->results[b];
}

static void bind_or_null(struct db *db, int s, int parameter, bool known, int64_t value)
{
	if (known)
		db_bind_i64(db, s, parameter, value);
	else
		db_bind_null(db, s, parameter);
}

enum status as_store_minute_put(struct as_store *store, const struct as_health_minute *minute)
{
	struct db *db = store->readings;
	int s = store->health_base + MINUTE_PUT;
	const struct as_gateway_counts *counts = &minute->counts;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	int64_t collisions = sum_of(counts, GW_TX_COLLISION_PACKET, GW_TX_COLLISION_BEACON);
	int64_t late = sum_of(counts, GW_TX_TOO_LATE, GW_TX_TOO_EARLY);
	int64_t named = counts->results[GW_TX_OK] + late + collisions + counts->results[GW_TX_DUTY_CYCLE] +
			sum_of(counts, GW_TX_NO_PATH, GW_TX_NO_ANSWER);
	int64_t all = 0;
	for (size_t i = 0; i < GW_TX_RESULT_COUNT; i++)
		all += counts->results[i];
	const int64_t values[] = {
		counts->seconds,
		minute->offline_s,
		counts->received,
		counts->crc_errors,
		counts->forwarded,
		counts->dropped,
		counts->sent,
		counts->results[GW_TX_OK],
		late,
		collisions,
		counts->results[GW_TX_DUTY_CYCLE],
		counts->results[GW_TX_NO_PATH],
		counts->results[GW_TX_NO_ANSWER],
		all - named,
		counts->moves,
		counts->reconnects,
		(int64_t)counts->bytes_up,
		(int64_t)counts->bytes_down,
		(int64_t)counts->airtime_ms,
	};
	/* It is the minute before the look that most of it came in. */
	int64_t at = minute->at.us / US_PER_S - counts->seconds / 2;
	db_bind_i64(db, s, 1, key_of(&minute->eui));
	db_bind_i64(db, s, 2, at / MINUTE_S * MINUTE_S);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		db_bind_i64(db, s, 3 + (int)i, values[i]);
	bind_or_null(db, s, 22, minute->has_trip, minute->trip_95_ms);
	bind_or_null(db, s, 23, minute->has_drift, minute->drift_tenths_ppm);
	bind_or_null(db, s, 24, minute->has_temperature, minute->temperature_cdeg);
	return db_run(db, s);
}

enum status as_store_heard_put(struct as_store *store, const struct as_gateway_health *row)
{
	struct db *db = store->readings;
	int s = store->health_base + HEARD_PUT;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, s, 1, key_of(&row->eui));
	db_bind_i64(db, s, 2, row->last_heard.us);
	bind_or_null(db, s, 3, row->has_protocol, row->protocol);
	db_bind_text(db, s, 4, row->address);
	return db_run(db, s);
}

enum status as_store_outage_put(struct as_store *store, const struct as_health_outage *outage)
{
	struct db *db = store->readings;
	int s = store->health_base + OUTAGE_PUT;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, s, 1, key_of(&outage->eui));
	db_bind_i64(db, s, 2, outage->began.us);
	bind_or_null(db, s, 3, outage->ended.us != 0, outage->ended.us);
	db_bind_i64(db, s, 4, outage->reason);
	return db_run(db, s);
}

/* --- the walk --------------------------------------------------------------------------------------------------- */

int64_t as_store_first(struct db *db, int s, int64_t otherwise)
{
	int64_t value = otherwise;
	if (db_step(db, s) == DB_ROW) {
		if (!db_column_is_null(db, s, 0))
			value = db_column_i64(db, s, 0);
		db_reset(db, s);
	}
	return value;
}

int64_t as_store_summed_to(struct as_store *store, int64_t gateway, int level)
{
	int s = store->health_base + NEWEST;
	db_bind_i64(store->readings, s, 1, gateway);
	db_bind_i64(store->readings, s, 2, level);
	int64_t newest = as_store_first(store->readings, s, -1);
	return newest < 0 ? 0 : newest + as_health_level_s((enum as_health_level)level);
}

/* Sums the whole hours of minutes, or days of hours, that are over. */
static enum status sum_up(struct as_store *store, int64_t gateway, enum as_health_level level, int64_t now_s)
{
	struct db *db = store->readings;
	int s = store->health_base + SUM_UP;
	int64_t span = as_health_level_s(level + 1);
	db_bind_i64(db, s, 1, gateway);
	db_bind_i64(db, s, 2, level);
	db_bind_i64(db, s, 3, span);
	db_bind_i64(db, s, 4, as_store_summed_to(store, gateway, level + 1));
	db_bind_i64(db, s, 5, now_s / span * span);
	return db_run(db, s);
}

static enum status shed(struct as_store *store, int64_t gateway, enum as_health_level level, int64_t before_s)
{
	struct db *db = store->readings;
	int s = store->health_base + SHED;
	db_bind_i64(db, s, 1, gateway);
	db_bind_i64(db, s, 2, level);
	db_bind_i64(db, s, 3, before_s);
	return db_run(db, s);
}

static enum status shed_outages(struct as_store *store, int64_t gateway, struct wall now)
{
	struct db *db = store->readings;
	int s = store->health_base + OUTAGES_SHED;
	db_bind_i64(db, s, 1, gateway);
	db_bind_i64(db, s, 2, AS_OUTAGES_KEPT);
	enum status status = db_run(db, s);
	s = store->health_base + OUTAGES_OLD;
	db_bind_i64(db, s, 1, gateway);
	db_bind_i64(db, s, 2, now.us - AS_OUTAGES_TIME);
	return status == ST_OK ? db_run(db, s) : status;
}

static enum status walk_one(struct as_store *store, int64_t gateway, struct wall now,
			    const struct as_health_kept *kept)
{
	int64_t now_s = now.us / US_PER_S;
	enum status status = ST_OK;
	for (int level = AS_HEALTH_MINUTES; level < AS_HEALTH_DAYS && status == ST_OK; level++)
		status = sum_up(store, gateway, (enum as_health_level)level, now_s);
	for (int level = AS_HEALTH_MINUTES; level < AS_HEALTH_LEVELS && status == ST_OK; level++)
		status = shed(store, gateway, (enum as_health_level)level,
			      now_s - kept->spans[level] / US_PER_S);
	return status == ST_OK ? shed_outages(store, gateway, now) : status;
}

/* The next gateway that any row is about; false: there is none. */
static bool next_gateway(struct as_store *store, int64_t *gateway)
{
	static const int statements[] = {NEXT_GATEWAY, NEXT_OUT};
	int64_t least = INT64_MAX;
	bool found = false;
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		int s = store->health_base + statements[i];
		db_bind_i64(store->readings, s, 1, *gateway);
		if (db_step(store->readings, s) != DB_ROW)
			continue;
		int64_t next = db_column_i64(store->readings, s, 0);
		db_reset(store->readings, s);
		least = next < least ? next : least;
		found = true;
	}
	*gateway = least;
	return found;
}

enum status as_store_health_step(struct as_store *store, struct wall now, const struct as_health_kept *kept,
				 bool *more)
{
	int64_t hour = now.us / US_PER_S / HOUR_S;
	*more = false;
	if (!store->health_walks && hour == store->health_hour)
		return ST_OK;
	if (!store->health_walks) {
		store->health_walks = true;
		store->health_hour = hour;
		store->health_at = INT64_MIN;
	}
	for (int i = 0; i < WALK_SLICE; i++) {
		if (!next_gateway(store, &store->health_at)) {
			store->health_walks = false;
			return ST_OK;
		}
		enum status status = as_store_write_readings(store);
		if (status == ST_OK)
			status = walk_one(store, store->health_at, now, kept);
		if (status != ST_OK)
			return status;
	}
	*more = true;
	return ST_OK;
}
