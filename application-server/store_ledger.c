#include "application-server/store_ledger.h"

#include "application-server/store_ledger_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define FOLD_SLICE  256  /* accounts written in one turn */
#define TAIL_FOLD   4096 /* rows of the tail that are worth a fold: so many are read again at a start */
#define TAIL_SLICE  512  /* rows of it removed in one turn */
#define PRUNE_SLICE 500

static enum status write_tail(struct as_store *store)
{
	struct as_ledger *ledger = &store->ledger;
	size_t length = wr_length(&ledger->tail);
	int s = store->ledger_base + TAIL_PUT;
	if (length == 0)
		return ST_OK;
	db_bind_i64(store->readings, s, 1, (int64_t)(ledger->turn + 1));
	db_bind_blob(store->readings, s, 2, ledger->bytes, length);
	ledger->turn++;
	ledger->tail = wr_init(ledger->bytes, AS_TAIL_BYTES);
	return db_run(store->readings, s);
}

static uint64_t mark(struct as_store *store, const char *name)
{
	int s = store->ledger_base + MARK_GET;
	db_bind_text(store->readings, s, 1, name);
	return as_store_number(store->readings, s, 0);
}

static enum status set_mark(struct as_store *store, const char *name, uint64_t value)
{
	int s = store->ledger_base + MARK_PUT;
	enum status status = as_store_write_readings(store);
	db_bind_text(store->readings, s, 1, name);
	db_bind_i64(store->readings, s, 2, (int64_t)value);
	return status == ST_OK ? db_run(store->readings, s) : status;
}

/* --- folding --------------------------------------------------------------------------------------------------- */

static void bind_day_sums(struct db *db, int s, const struct as_day_account *day)
{
	db_bind_i64(db, s, 1, (int64_t)day->key.day);
	db_bind_i64(db, s, 2, day->key.dev_eui);
	db_bind_blob(db, s, 3, day->agency.bytes, sizeof day->agency.bytes);
	db_bind_i64(db, s, 5, day->expected);
	db_bind_i64(db, s, 6, day->received);
	db_bind_i64(db, s, 7, day->up_us);
	db_bind_i64(db, s, 8, day->down_us);
	db_bind_i64(db, s, 9, day->deaf_us);
	db_bind_i64(db, s, 10, day->ups);
	db_bind_i64(db, s, 11, day->downs);
	db_bind_i64(db, s, 12, day->joins);
	db_bind_i64(db, s, 13, day->warned);
	db_bind_i64(db, s, 14, day->count);
	db_bind_i64(db, s, 15, day->low);
	db_bind_i64(db, s, 16, day->fcnt);
	if (day->heard)
		db_bind_i64(db, s, 17, day->seen.us);
	else
		db_bind_null(db, s, 17);
	db_bind_i64(db, s, 18, day->gateways);
	db_bind_i64(db, s, 19, day->dr);
	db_bind_i64(db, s, 20, day->spreading_factor);
	db_bind_i64(db, s, 21, day->bandwidth_hz);
}

/* Most days were heard before: then the row is there, and so is the device's last day. */
static enum status write_day(struct as_store *store, const struct as_day_account *day)
{
	struct db *db = store->readings;
	int heard = store->ledger_base + DAY_HEARD, put = store->ledger_base + DAY_PUT;
	int last = store->ledger_base + HEARD_PUT;
	if (day->heard) {
		bind_day_sums(db, heard, day);
		db_bind_i64(db, heard, 4, (int64_t)store->ledger.fold_turn);
		enum status status = db_run(db, heard);
		if (status != ST_OK || db_changes(db) > 0)
			return status;
	}
	bind_day_sums(db, put, day);
	db_bind_i64(db, put, 4, (int64_t)store->ledger.fold_turn);
	enum status status = db_run(db, put);
	if (status != ST_OK || !day->heard)
		return status;
	db_bind_i64(db, last, 1, day->key.dev_eui);
	db_bind_i64(db, last, 2, (int64_t)day->key.day);
	return db_run(db, last);
}

static enum status write_hour(struct as_store *store, const struct as_hour_account *hour)
{
	struct db *db = store->readings;
	int s = store->ledger_base + HOUR_PUT;
	db_bind_blob(db, s, 1, hour->key.agency.bytes, sizeof hour->key.agency.bytes);
	db_bind_i64(db, s, 2, hour->key.gateway);
	db_bind_i64(db, s, 3, (int64_t)hour->key.hour);
	db_bind_i64(db, s, 4, (int64_t)store->ledger.fold_turn);
	db_bind_i64(db, s, 5, hour->up_us);
	db_bind_i64(db, s, 6, hour->down_us);
	db_bind_i64(db, s, 7, hour->deaf_us);
	db_bind_i64(db, s, 8, hour->ups);
	db_bind_i64(db, s, 9, hour->downs);
	db_bind_i64(db, s, 10, hour->warned);
	return db_run(db, s);
}

/* Writes up to `limit` accounts of the fold; with the last of them the tail up to it is done with. */
static enum status write_slice(struct as_store *store, size_t limit)
{
	struct as_ledger *ledger = &store->ledger;
	enum status status = ST_OK;
	if (!as_accounts_folding(&ledger->accounts))
		return ST_OK;
	const struct as_day_account *day;
	const struct as_hour_account *hour;
	for (; limit > 0 && status == ST_OK && (day = as_accounts_take_day(&ledger->accounts)); limit--)
		status = write_day(store, day);
	for (; limit > 0 && status == ST_OK && (hour = as_accounts_take_hour(&ledger->accounts)); limit--)
		status = write_hour(store, hour);
	if (status != ST_OK || as_accounts_folding(&ledger->accounts))
		return status;
	ledger->done_turn = ledger->fold_turn;
	return set_mark(store, AS_MARK_FOLDED, ledger->done_turn);
}

static enum status shed_tail(struct as_store *store)
{
	struct as_ledger *ledger = &store->ledger;
	int s = store->ledger_base + TAIL_SHED;
	if (ledger->shed_turn >= ledger->done_turn)
		return ST_OK;
	uint64_t upto = ledger->shed_turn + TAIL_SLICE < ledger->done_turn ? ledger->shed_turn + TAIL_SLICE
									   : ledger->done_turn;
	db_bind_i64(store->readings, s, 1, (int64_t)upto);
	ledger->shed_turn = upto;
	return db_run(store->readings, s);
}

/* All that is posted stands in the tail's rows. */
static void begin(struct as_ledger *ledger)
{
	as_accounts_begin(&ledger->accounts);
	ledger->fold_turn = ledger->turn;
	ledger->fold_hour = ledger->hour;
}

static bool fold_is_due(const struct as_ledger *ledger)
{
	const struct as_accounts *accounts = &ledger->accounts;
	return !as_accounts_folding(accounts) && as_accounts_changed(accounts) &&
	       (accounts->days.count >= AS_ACCOUNTS_FOLD || accounts->hours.count >= AS_ACCOUNTS_FOLD ||
		ledger->turn - ledger->fold_turn >= TAIL_FOLD || ledger->hour != ledger->fold_hour);
}

enum status as_store_ledger_fold(struct as_store *store)
{
	enum status status = write_tail(store);
	if (status == ST_OK && fold_is_due(&store->ledger))
		begin(&store->ledger);
	if (status == ST_OK)
		status = write_slice(store, FOLD_SLICE);
	return status == ST_OK ? shed_tail(store) : status;
}

/* More accounts in one turn than there is room for. */
static enum status fold_all(struct as_store *store)
{
	enum status status = write_tail(store);
	for (int rest = 0; rest < 2 && status == ST_OK; rest++) {
		if (rest == 1)
			begin(&store->ledger);
		status = write_slice(store, SIZE_MAX);
	}
	return status;
}

/* --- posting --------------------------------------------------------------------------------------------------- */

enum status as_store_post(struct as_store *store, const struct as_posting *posting)
{
	struct as_ledger *ledger = &store->ledger;
	enum status status = as_store_write_readings(store);
	if (status == ST_OK && wr_room(&ledger->tail) < AS_POSTING_BYTES)
		status = write_tail(store);
	if (status == ST_OK && as_accounts_full(&ledger->accounts))
		status = fold_all(store);
	if (status != ST_OK)
		return status;
	as_posting_write(posting, &ledger->tail);
	as_accounts_post(&ledger->accounts, posting, 0, NULL);
	ledger->hour = as_hour_of(posting->at);
	return ST_OK;
}

/* The event's id begins with epoch and partition: rows of another epoch are others. */
static void name_journal(char name[32], const struct net_uuid *event)
{
	const uint8_t *id = event->bytes;
	snprintf(name, 32, "air-%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2], id[3], id[4], id[5]);
}

enum status as_store_post_is_new(struct as_store *store, const struct net_event_head *head, bool *is_new)
{
	struct as_ledger *ledger = &store->ledger;
	char name[32];
	name_journal(name, &head->id);
	if (strcmp(name, ledger->journal) != 0) {
		snprintf(ledger->journal, sizeof ledger->journal, "%s", name);
		ledger->journal_row = mark(store, name);
	}
	*is_new = head->row > ledger->journal_row;
	if (!*is_new)
		return ST_OK;
	ledger->journal_row = head->row;
	return set_mark(store, name, head->row);
}

/* How far a counter is behind the newest of its run. Only one of 16 bits that has begun again at 0 can be above it. */
static uint32_t behind(uint32_t newest, uint32_t fcnt)
{
	return newest >= fcnt ? newest - fcnt : (uint16_t)(newest - fcnt);
}

uint32_t as_store_lost_on(struct as_store *store, int64_t dev_eui, uint32_t count, uint32_t fcnt,
			  uint32_t today)
{
	uint32_t found = 0, low = 0, newest = 0;
	for (uint32_t day = today; day > 0 && today - day < AS_REPAIR_DAYS; day--) {
		struct as_day_account account;
		as_store_day(store, dev_eui, day, &account);
		if (!account.heard)
			continue;
		newest = found ? newest : account.fcnt;
		if (account.count != count || behind(newest, account.fcnt) > behind(newest, fcnt))
			break;
		found = day;
		low = account.low;
	}
	return found && behind(newest, fcnt) <= behind(newest, low) ? found : 0;
}

/* --- start and time ---------------------------------------------------------------------------------------------- */

static uint64_t upto_of_day(void *ctx, const struct as_day_key *key)
{
	struct as_store *store = ctx;
	int s = store->ledger_base + DAY_UPTO;
	db_bind_i64(store->readings, s, 1, (int64_t)key->day);
	db_bind_i64(store->readings, s, 2, key->dev_eui);
	return as_store_number(store->readings, s, 0);
}

static uint64_t upto_of_hour(void *ctx, const struct as_hour_key *key)
{
	struct as_store *store = ctx;
	int s = store->ledger_base + HOUR_UPTO;
	db_bind_blob(store->readings, s, 1, key->agency.bytes, sizeof key->agency.bytes);
	db_bind_i64(store->readings, s, 2, key->gateway);
	db_bind_i64(store->readings, s, 3, (int64_t)key->hour);
	return as_store_number(store->readings, s, 0);
}

static bool read_row(struct as_store *store, uint64_t turn, const uint8_t *bytes, size_t length)
{
	const struct as_upto upto = {upto_of_day, upto_of_hour, store};
	struct rd rd = rd_init(bytes, length);
	struct as_posting posting;
	while (rd_left(&rd) > 0) {
		if (!as_posting_read(&rd, &posting))
			return false;
		as_accounts_post(&store->ledger.accounts, &posting, turn, &upto);
		store->ledger.hour = as_hour_of(posting.at);
	}
	return true;
}

/* The rows that one turn of the tail holds change at most so many accounts; with less room than that all is written first. */
static enum status make_room_for_row(struct as_store *store)
{
	const struct as_accounts *accounts = &store->ledger.accounts;
	size_t most = AS_ACCOUNTS_STEP * (AS_TAIL_BYTES / AS_POSTING_BYTES + 1);
	if (accounts->days.count + most <= AS_ACCOUNTS_MAX && accounts->hours.count + most <= AS_ACCOUNTS_MAX)
		return ST_OK;
	enum status status = as_store_write_readings(store);
	if (status == ST_OK)
		status = fold_all(store);
	return status == ST_OK ? db_commit(store->readings) : status;
}

enum status as_store_ledger_load(struct as_store *store, struct rng *rng)
{
	struct as_ledger *ledger = &store->ledger;
	struct db *db = store->readings;
	int s = store->ledger_base + TAIL_NEXT;
	enum db_step step;
	as_accounts_init(&ledger->accounts, rng);
	ledger->tail = wr_init(ledger->bytes, AS_TAIL_BYTES);
	/* Every account holds what stands up to the mark. */
	ledger->turn = ledger->fold_turn = mark(store, AS_MARK_FOLDED);
	ledger->done_turn = ledger->shed_turn = ledger->turn;
	db_bind_i64(db, s, 1, (int64_t)ledger->turn);
	while ((step = db_step(db, s)) == DB_ROW) {
		static uint8_t row[AS_TAIL_BYTES];
		size_t length;
		uint64_t turn = (uint64_t)db_column_i64(db, s, 0);
		const void *bytes = db_column_blob(db, s, 1, &length);
		if (length > sizeof row)
			length = sizeof row;
		memcpy(row, bytes, length);
		db_reset(db, s);
		enum status status = make_room_for_row(store);
		if (status != ST_OK)
			return status;
		if (!read_row(store, turn, row, length))
			return ST_DATABASE;
		ledger->turn = turn;
		db_bind_i64(db, s, 1, (int64_t)turn);
	}
	if (step == DB_FAILED)
		return db_step_status(db);
	ledger->fold_hour = ledger->hour;
	return ST_OK;
}

void as_store_ledger_release(struct as_store *store)
{
	as_accounts_release(&store->ledger.accounts);
}

enum status as_store_ledger_tick(struct as_store *store, struct wall now, struct wall before, bool *more)
{
	struct as_ledger *ledger = &store->ledger;
	static const enum as_ledger_statement prunes[] = {PRUNE_DAYS, PRUNE_HOURS, PRUNE_SAID};
	const int64_t bounds[] = {as_day_of(before), as_hour_of(before), before.us};
	bool is_work = as_accounts_folding(&ledger->accounts) || ledger->shed_turn < ledger->done_turn;
	*more = is_work;
	if (ledger->hour && ledger->hour != as_hour_of(now) && as_accounts_changed(&ledger->accounts)) {
		ledger->hour = as_hour_of(now);
		is_work = true;
	}
	enum status status = is_work ? as_store_write_readings(store) : ST_OK; /* its commit folds */
	for (size_t i = 0; i < ARRAY_SIZE(prunes) && status == ST_OK; i++) {
		int prune = store->ledger_base + (int)prunes[i], oldest = prune + 1;
		if ((int64_t)as_store_number(store->readings, oldest, INT64_MAX) >= bounds[i])
			continue;
		status = as_store_write_readings(store);
		db_bind_i64(store->readings, prune, 1, bounds[i]);
		db_bind_i64(store->readings, prune, 2, PRUNE_SLICE);
		if (status == ST_OK)
			status = db_run(store->readings, prune);
		*more = true;
	}
	return status;
}
