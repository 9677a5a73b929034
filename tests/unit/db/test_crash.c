/* A power cut at every write, truncate and sync of a small workload, with what was not synced lost or torn: what was committed
 * is there, what was not is not, and the file is sound. */
#include "tests/harness/fault_vfs.h"
#include "tests/harness/harness.h"

#include "common/db/db.h"

#include <sqlite3.h>
#include <string.h>

#define TRANSACTIONS 12
#define ROWS         3

enum { INSERT, STATEMENTS };
static const char *const statements[STATEMENTS] = {
	[INSERT] = "INSERT INTO journal(turn, item, bytes) VALUES (?, ?, zeroblob(1500))",
};
static const char *const schema[] = {
	"CREATE TABLE journal(id INTEGER PRIMARY KEY, turn INTEGER, item INTEGER, bytes BLOB);"};
static const struct db_migrations migrations = {"test", schema, 1};

static enum status open_db(struct db **db)
{
	return db_open(&(struct db_options){.path = "crash.db",
					    .migrations = &migrations,
					    .statements = statements,
					    .statement_count = STATEMENTS,
					    .vfs = FAULT_VFS},
		       db);
}

/* As the checkpoint thread does it, on this connection. */
static void checkpoint(struct db *db)
{
	int log, done;
	sqlite3_wal_checkpoint_v2(db_handle(db), NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	sqlite3_wal_checkpoint_v2(db_handle(db), NULL, SQLITE_CHECKPOINT_RESTART, &log, &done);
}

/* Returns how many transactions were acknowledged. */
static int work(struct db *db)
{
	for (int turn = 0; turn < TRANSACTIONS; turn++) {
		if (db_begin(db) != ST_OK)
			return turn;
		for (int item = 0; item < ROWS; item++) {
			db_bind_i64(db, INSERT, 1, turn);
			db_bind_i64(db, INSERT, 2, item);
			if (db_run(db, INSERT) != ST_OK) {
				db_rollback(db);
				return turn;
			}
		}
		if (db_commit(db) != ST_OK)
			return turn;
		if (turn % 4 == 3)
			checkpoint(db);
	}
	return TRANSACTIONS;
}

/* After the reboot: all of what was acknowledged, at most one more, each whole. */
static void check(const char *name, int acknowledged)
{
	struct db *db = NULL;
	t_row(name);
	t_int("opens again", ST_OK, open_db(&db));
	if (!db)
		return;
	int64_t turns = db_query_i64(db, "SELECT count(DISTINCT turn) FROM journal", -1);
	t_true("all that was acknowledged is there", turns >= acknowledged);
	t_true("at most the one in flight besides", turns <= acknowledged + 1);
	t_int("no half of one", turns * ROWS, db_query_i64(db, "SELECT count(*) FROM journal", -1));
	t_int("in order", turns - 1, db_query_i64(db, "SELECT coalesce(max(turn), -1) FROM journal", -2));
	t_int("sound", 1,
	      db_query_i64(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'", 0));
	t_int("and works on", ST_OK, db_exec(db, "DELETE FROM journal"));
	db_close(db);
}

static uint64_t count_operations(void)
{
	struct db *db;
	fault_vfs_reset();
	assert_int_equal(ST_OK, open_db(&db));
	assert_int_equal(TRANSACTIONS, work(db));
	uint64_t operations = fault_vfs_operations();
	db_close(db);
	return operations;
}

static void a_power_cut_at_any_operation(void **state)
{
	(void)state;
	uint64_t operations = count_operations();
	assert_true(operations > 50);
	for (uint64_t at = 1; at <= operations; at++) {
		for (uint64_t seed = 0; seed < 4; seed++) {
			char name[64];
			snprintf(name, sizeof name, "power cut at operation %d, seed %d", (int)at, (int)seed);
			struct db *db = NULL;
			int acknowledged = 0;
			fault_vfs_reset();
			fault_vfs_crash_at(at);
			if (open_db(&db) == ST_OK)
				acknowledged = work(db);
			db_close(db);
			fault_vfs_power_on(seed);
			check(name, acknowledged);
		}
	}
}

static void a_write_or_sync_that_fails_is_never_acknowledged(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int code;
	} rows[] = {
		{"disk full", SQLITE_FULL},
		{"write error", SQLITE_IOERR_WRITE},
		{"sync error", SQLITE_IOERR_FSYNC},
	};
	uint64_t operations = count_operations();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (uint64_t at = 1; at <= operations; at++) {
			struct db *db = NULL;
			int acknowledged = 0;
			fault_vfs_reset();
			fault_vfs_fail_at(at, rows[i].code);
			if (open_db(&db) == ST_OK)
				acknowledged = work(db);
			/* The process ends at the first failing commit, and the power goes as well. */
			fault_vfs_crash_at(fault_vfs_operations() + 1);
			db_close(db);
			fault_vfs_power_on(0);
			check(rows[i].name, acknowledged);
		}
	}
}

/* The test of the test: without syncs the store model must lose something, or it proves nothing. */
static void the_disk_does_lose_what_is_not_synced(void **state)
{
	(void)state;
	struct db *db;
	fault_vfs_reset();
	assert_int_equal(ST_OK, open_db(&db));
	assert_int_equal(ST_OK, db_exec(db, "PRAGMA synchronous=OFF"));
	assert_int_equal(TRANSACTIONS, work(db));
	fault_vfs_crash_at(fault_vfs_operations() + 1);
	db_close(db);
	fault_vfs_power_on(0);
	assert_int_equal(ST_OK, open_db(&db));
	t_true("lost", db_query_i64(db, "SELECT count(DISTINCT turn) FROM journal", -1) < TRANSACTIONS);
	db_close(db);
	fault_vfs_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_power_cut_at_any_operation),
		t_test(a_write_or_sync_that_fails_is_never_acknowledged),
		t_test(the_disk_does_lose_what_is_not_synced),
	};
	return t_run(tests);
}
