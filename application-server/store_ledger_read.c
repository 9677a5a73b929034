/* The ledger's statements, and what is read of it: rows with what is in memory of them. */
#include "application-server/store_ledger.h"
#include "application-server/store_ledger_private.h"

#include "common/base/check.h"

#include <string.h>

#define SUMS(sign_less)                                                                                 \
	"upto = ?4, expected = expected + ?5, received = received + ?6, up_us = up_us + ?7, down_us = " \
	"down_us + ?8, deaf_us = deaf_us + ?9, ups = ups + ?10, downs = downs + ?11, joins = joins + "  \
	"?12, warned = max(warned, ?13), agency = ?3" sign_less
/* Right-hand sides see the row as it was. */
#define LAST                                                                                             \
	", low = CASE WHEN count = ?14 AND seen IS NOT NULL THEN low ELSE ?15 END, count = ?14, fcnt = " \
	"?16, seen = ?17, gateways = ?18, dr = ?19, spreading_factor = ?20, bandwidth_hz = ?21"
#define DAY_COLUMNS                                                                                          \
	"agency, expected, received, up_us, down_us, deaf_us, ups, downs, joins, warned, count, low, fcnt, " \
	"seen, gateways, dr, spreading_factor, bandwidth_hz"

const char *const as_sql_ledger[] = {
	[TAIL_PUT] = "INSERT INTO ledger_tail (turn, postings) VALUES (?1, ?2)",
	[TAIL_NEXT] = "SELECT turn, postings FROM ledger_tail WHERE turn > ?1 ORDER BY turn LIMIT 1",
	[TAIL_SHED] = "DELETE FROM ledger_tail WHERE turn <= ?1",
	[MARK_GET] = "SELECT value FROM ledger_marks WHERE name = ?1",
	[MARK_PUT] = "INSERT INTO ledger_marks (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE "
		     "SET value = ?2",
	[DAY_HEARD] = "UPDATE device_days SET " SUMS(LAST) " WHERE day = ?1 AND dev_eui = ?2 AND seen IS NOT "
							   "NULL",
	[DAY_PUT] = "INSERT INTO device_days (day, dev_eui, agency, upto, expected, received, up_us, "
		    "down_us, deaf_us, ups, downs, joins, warned, count, low, fcnt, seen, gateways, dr, "
		    "spreading_factor, bandwidth_hz) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
		    "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) ON CONFLICT (day, dev_eui) DO UPDATE "
		    "SET " SUMS("") ", low = CASE WHEN ?17 IS NULL THEN low ELSE ?15 END, count = CASE WHEN "
				    "?17 IS NULL THEN count ELSE ?14 END, fcnt = CASE WHEN ?17 IS NULL THEN "
				    "fcnt ELSE ?16 END, seen = coalesce(?17, seen), gateways = CASE WHEN ?17 "
				    "IS NULL THEN gateways ELSE ?18 END, dr = CASE WHEN ?17 IS NULL THEN dr "
				    "ELSE ?19 END, spreading_factor = CASE WHEN ?17 IS NULL THEN "
				    "spreading_factor ELSE ?20 END, bandwidth_hz = CASE WHEN ?17 IS NULL "
				    "THEN bandwidth_hz ELSE ?21 END",
	[DAY_UPTO] = "SELECT upto FROM device_days WHERE day = ?1 AND dev_eui = ?2",
	[DAY_GET] = "SELECT " DAY_COLUMNS " FROM device_days WHERE day = ?1 AND dev_eui = ?2",
	[HEARD_PUT] = "INSERT INTO device_heard (dev_eui, day) VALUES (?1, ?2) ON CONFLICT (dev_eui) DO "
		      "UPDATE SET day = max(day, ?2)",
	[HEARD_GET] = "SELECT day FROM device_heard WHERE dev_eui = ?1",
	[HOUR_PUT] = "INSERT INTO airtime_hours (agency, gateway, hour, upto, up_us, down_us, deaf_us, ups, "
		     "downs, warned) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (agency, "
		     "gateway, hour) DO UPDATE SET upto = ?4, up_us = up_us + ?5, down_us = down_us + ?6, "
		     "deaf_us = deaf_us + ?7, ups = ups + ?8, downs = downs + ?9, warned = max(warned, ?10)",
	[HOUR_UPTO] = "SELECT upto FROM airtime_hours WHERE agency = ?1 AND gateway = ?2 AND hour = ?3",
	[HOUR_GET] = "SELECT up_us, down_us, deaf_us, ups, downs, warned FROM airtime_hours WHERE agency = "
		     "?1 AND gateway = ?2 AND hour = ?3",
	[HOURS_OF_AGENCY] =
		"SELECT sum(up_us), sum(down_us), sum(deaf_us), sum(ups), sum(downs), max(warned) "
		"FROM airtime_hours WHERE agency = ?1 AND gateway = 0 AND hour BETWEEN ?2 AND ?3",
	[HOURS_OF_GATEWAY] = "SELECT agency, sum(down_us), sum(deaf_us), sum(downs) FROM airtime_hours "
			     "WHERE gateway = ?1 AND gateway != 0 AND hour BETWEEN ?2 AND ?3 GROUP BY agency",
	[SAID_PUT] = "INSERT INTO device_statuses (dev_eui, agency, time, battery, margin_db) VALUES (?1, "
		     "?2, ?3, ?4, ?5)",
	[SAID_LIST] = "SELECT agency, time, battery, margin_db FROM device_statuses WHERE dev_eui = ?1 ORDER "
		      "BY row DESC LIMIT ?2",
	[PRUNE_DAYS] = "DELETE FROM device_days WHERE (day, dev_eui) IN (SELECT day, dev_eui FROM "
		       "device_days WHERE day < ?1 ORDER BY day, dev_eui LIMIT ?2)",
	[OLDEST_DAY] = "SELECT min(day) FROM device_days",
	[PRUNE_HOURS] = "DELETE FROM airtime_hours WHERE (agency, gateway, hour) IN (SELECT agency, "
			"gateway, hour FROM airtime_hours WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
	[OLDEST_HOUR] = "SELECT min(hour) FROM airtime_hours",
	[PRUNE_SAID] = "DELETE FROM device_statuses WHERE row IN (SELECT row FROM (SELECT row, time FROM "
		       "device_statuses ORDER BY row LIMIT ?2) WHERE time < ?1)",
	[OLDEST_SAID] = "SELECT time FROM device_statuses ORDER BY row LIMIT 1",
};
_Static_assert(ARRAY_SIZE(as_sql_ledger) == LEDGER_STATEMENTS, "every statement has its text");
const int as_sql_ledger_count = LEDGER_STATEMENTS;

/* --- a device's days ------------------------------------------------------------------------------------------- */

static void read_day(struct db *db, int s, struct as_day_account *account)
{
	db_column_copy(db, s, 0, account->agency.bytes, sizeof account->agency.bytes);
	account->expected = db_column_i64(db, s, 1);
	account->received = db_column_i64(db, s, 2);
	account->up_us = db_column_i64(db, s, 3);
	account->down_us = db_column_i64(db, s, 4);
	account->deaf_us = db_column_i64(db, s, 5);
	account->ups = db_column_i64(db, s, 6);
	account->downs = db_column_i64(db, s, 7);
	account->joins = db_column_i64(db, s, 8);
	account->warned = db_column_i64(db, s, 9) != 0;
	account->count = (uint32_t)db_column_i64(db, s, 10);
	account->low = (uint32_t)db_column_i64(db, s, 11);
	account->fcnt = (uint32_t)db_column_i64(db, s, 12);
	account->heard = !db_column_is_null(db, s, 13);
	account->seen.us = db_column_i64(db, s, 13);
	account->gateways = (uint16_t)db_column_i64(db, s, 14);
	account->dr = (uint8_t)db_column_i64(db, s, 15);
	account->spreading_factor = (uint8_t)db_column_i64(db, s, 16);
	account->bandwidth_hz = (uint32_t)db_column_i64(db, s, 17);
}

void as_store_day(struct as_store *store, int64_t dev_eui, uint32_t day, struct as_day_account *account)
{
	struct db *db = store->readings;
	int s = store->ledger_base + DAY_GET;
	*account = (struct as_day_account){.key = {dev_eui, day}};
	db_bind_i64(db, s, 1, day);
	db_bind_i64(db, s, 2, dev_eui);
	if (db_step(db, s) == DB_ROW) {
		read_day(db, s, account);
		db_reset(db, s);
	}
	as_accounts_add_day(&store->ledger.accounts, account);
}

bool as_store_heard_last(struct as_store *store, int64_t dev_eui, struct wall now,
			 struct as_day_account *account)
{
	uint32_t today = as_day_of(now);
	int s = store->ledger_base + HEARD_GET;
	/* What is in memory is of an hour at most. */
	for (uint32_t back = 0; back < 2 && back < today; back++) {
		as_store_day(store, dev_eui, today - back, account);
		if (account->heard)
			return true;
	}
	db_bind_i64(store->readings, s, 1, dev_eui);
	uint64_t day = as_store_number(store->readings, s, 0);
	if (day)
		as_store_day(store, dev_eui, (uint32_t)day, account);
	return day && account->heard;
}

/* --- hours ------------------------------------------------------------------------------------------------------- */

void as_store_hour(struct as_store *store, const struct net_uuid *agency, int64_t gateway, uint32_t hour,
		   struct as_hour_account *account)
{
	struct db *db = store->readings;
	int s = store->ledger_base + HOUR_GET;
	*account = (struct as_hour_account){.key = {*agency, gateway, hour}};
	db_bind_blob(db, s, 1, agency->bytes, sizeof agency->bytes);
	db_bind_i64(db, s, 2, gateway);
	db_bind_i64(db, s, 3, hour);
	if (db_step(db, s) == DB_ROW) {
		account->up_us = db_column_i64(db, s, 0);
		account->down_us = db_column_i64(db, s, 1);
		account->deaf_us = db_column_i64(db, s, 2);
		account->ups = db_column_i64(db, s, 3);
		account->downs = db_column_i64(db, s, 4);
		account->warned = db_column_i64(db, s, 5) != 0;
		db_reset(db, s);
	}
	as_accounts_add_hour(&store->ledger.accounts, account);
}

void as_store_agency_air(struct as_store *store, const struct net_uuid *agency, uint32_t first_hour,
			 uint32_t last_hour, struct as_hour_account *sum)
{
	struct db *db = store->readings;
	int s = store->ledger_base + HOURS_OF_AGENCY;
	*sum = (struct as_hour_account){.key = {*agency, 0, first_hour}};
	db_bind_blob(db, s, 1, agency->bytes, sizeof agency->bytes);
	db_bind_i64(db, s, 2, first_hour);
	db_bind_i64(db, s, 3, last_hour);
	if (db_step(db, s) == DB_ROW) {
		sum->up_us = db_column_i64(db, s, 0);
		sum->down_us = db_column_i64(db, s, 1);
		sum->deaf_us = db_column_i64(db, s, 2);
		sum->ups = db_column_i64(db, s, 3);
		sum->downs = db_column_i64(db, s, 4);
		sum->warned = db_column_i64(db, s, 5) != 0;
		db_reset(db, s);
	}
	for (uint32_t hour = first_hour; hour <= last_hour; hour++) {
		sum->key.hour = hour;
		as_accounts_add_hour(&store->ledger.accounts, sum);
	}
}

enum status as_store_gateway_air(struct as_store *store, int64_t gateway, uint32_t first_hour,
				 uint32_t last_hour,
				 void (*each)(void *ctx, const struct as_hour_account *sum), void *ctx)
{
	struct db *db = store->readings;
	int s = store->ledger_base + HOURS_OF_GATEWAY;
	db_bind_i64(db, s, 1, gateway);
	db_bind_i64(db, s, 2, first_hour);
	db_bind_i64(db, s, 3, last_hour);
	enum db_step step;
	while ((step = db_step(db, s)) == DB_ROW) {
		struct as_hour_account sum = {.key = {.gateway = gateway}};
		db_column_copy(db, s, 0, sum.key.agency.bytes, sizeof sum.key.agency.bytes);
		sum.down_us = db_column_i64(db, s, 1);
		sum.deaf_us = db_column_i64(db, s, 2);
		sum.downs = db_column_i64(db, s, 3);
		each(ctx, &sum);
	}
	if (step == DB_FAILED)
		return db_step_status(db);
	as_accounts_each_hour(&store->ledger.accounts, gateway, first_hour, last_hour, each, ctx);
	return ST_OK;
}

/* --- what devices said ------------------------------------------------------------------------------------------- */

enum status as_store_said_put(struct as_store *store, int64_t dev_eui, const struct as_said *said)
{
	struct db *db = store->readings;
	int s = store->ledger_base + SAID_PUT;
	enum status status = as_store_write_readings(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(db, s, 1, dev_eui);
	if (said->has_agency)
		db_bind_blob(db, s, 2, said->agency.bytes, sizeof said->agency.bytes);
	else
		db_bind_null(db, s, 2);
	db_bind_i64(db, s, 3, said->time.us);
	db_bind_i64(db, s, 4, said->battery);
	db_bind_i64(db, s, 5, said->margin_db);
	return db_run(db, s);
}

enum status as_store_said_list(struct as_store *store, int64_t dev_eui, unsigned limit,
			       void (*each)(void *ctx, const struct as_said *said), void *ctx)
{
	struct db *db = store->readings;
	int s = store->ledger_base + SAID_LIST;
	db_bind_i64(db, s, 1, dev_eui);
	db_bind_i64(db, s, 2, limit);
	enum db_step step;
	while ((step = db_step(db, s)) == DB_ROW) {
		struct as_said said = {.has_agency = !db_column_is_null(db, s, 0),
				       .time = {db_column_i64(db, s, 1)},
				       .battery = (uint8_t)db_column_i64(db, s, 2),
				       .margin_db = (int16_t)db_column_i64(db, s, 3)};
		if (said.has_agency)
			db_column_copy(db, s, 0, said.agency.bytes, sizeof said.agency.bytes);
		each(ctx, &said);
	}
	return step == DB_FAILED ? db_step_status(db) : ST_OK;
}
