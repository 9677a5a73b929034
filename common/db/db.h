/* SQLite behind a table of statements. One writer a file: WAL, synchronous=FULL, foreign keys on, locking
 * normal; the WAL keeps its size and no commit ever checkpoints (checkpoint.h does; DESIGN 3). Statements are
 * an enum and an array, prepared at open; a `store_*.c` names them and nothing else holds SQL.
 *
 *	enum { INSERT_UPLINK, LOAD_SESSIONS, STATEMENT_COUNT };
 *	static const char *const statements[STATEMENT_COUNT] = {[INSERT_UPLINK] = "INSERT INTO ...", ...};
 *
 *	db_bind_i64(db, INSERT_UPLINK, 1, row);
 *	db_bind_blob(db, INSERT_UPLINK, 2, bytes, length);
 *	status = db_run(db, INSERT_UPLINK);
 *
 * A failed bind sticks until that statement is run or reset, and db_run() or db_step() report it. A failure
 * inside a transaction makes db_commit() fail (and roll back): no half of a turn is ever kept. Opaque. */
#ifndef LAMPPOST_DB_DB_H
#define LAMPPOST_DB_DB_H

#include "common/base/status.h"
#include "common/db/migrations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct sqlite3;

struct db_options {
	const char *path;
	const struct db_migrations *migrations; /* brought up to this at open; NULL: schema taken as it is */
	const char *const *statements;          /* keeps a borrow; may be NULL */
	int statement_count;
	int busy_ms;     /* how long to wait for another connection; 0: 5000 */
	int cache_kib;   /* page cache; 0: 16384 */
	bool read_only;  /* no file is made, nothing migrates */
	const char *vfs; /* NULL: the system's */
};

/* Opens or makes the file (0600), migrates it, prepares the statements. ST_DATABASE with the reason logged:
 * damaged, newer schema than ours, a statement that does not compile. ST_NOT_FOUND: read only, and there is
 * none. */
enum status db_open(const struct db_options *options, struct db **out) MUST_USE;
void db_close(struct db *db); /* rolls back what is open; NULL is allowed */
const char *db_path(const struct db *db);
/* SQLite's message of the last failure; never holds a bound value. */
const char *db_error(const struct db *db);

/* --- transactions; not nested (asserted). */
/* Waits up to `busy_ms` for whoever writes, also while a query is not read to its end. */
enum status db_begin(struct db *db) MUST_USE;
/* ST_OK: durable. Else rolled back. */
enum status db_commit(struct db *db) MUST_USE;
void db_rollback(struct db *db); /* harmless when none is open */
bool db_in_transaction(const struct db *db);
/* Keeps what the next queries read as one snapshot, so that each need not lock and unlock the file by itself (four system calls a
 * query). Nothing while a transaction is open; db_begin() ends it. Whoever holds lets go in the same turn: a snapshot that is
 * kept keeps the WAL from starting again. Failing to hold costs speed only. */
void db_hold(struct db *db);
void db_let_go(struct db *db); /* harmless when nothing is held */

/* --- statements. Parameters count from 1, columns from 0. Text and blobs are copied at bind. */
void db_bind_i64(struct db *db, int statement, int parameter, int64_t value);
void db_bind_real(struct db *db, int statement, int parameter, double value);
void db_bind_text(struct db *db, int statement, int parameter, const char *text); /* NULL: null */
void db_bind_blob(struct db *db, int statement, int parameter, const void *bytes, size_t length);
void db_bind_null(struct db *db, int statement, int parameter);

enum db_step { DB_ROW, DB_DONE, DB_FAILED };
/* Steps a query; after DB_DONE and DB_FAILED it is reset by itself. On leaving earlier: db_reset(). */
enum db_step db_step(struct db *db, int statement) MUST_USE;
void db_reset(struct db *db, int statement);
/* Runs a statement that yields no rows, and resets it. ST_EXISTS: a unique key is taken; ST_CONFLICT: another
 * constraint (foreign key, check, not null); these two do not spoil the transaction. ST_DATABASE: anything
 * else. */
enum status db_run(struct db *db, int statement) MUST_USE;
/* Why the last db_step() said DB_FAILED, as db_run() would. */
enum status db_step_status(const struct db *db) MUST_USE;

bool db_column_is_null(struct db *db, int statement, int column);
int64_t db_column_i64(struct db *db, int statement, int column);
double db_column_real(struct db *db, int statement, int column);
/* Lends until the next step or reset; "" for null. */
const char *db_column_text(struct db *db, int statement, int column);
const void *db_column_blob(struct db *db, int statement, int column, size_t *length);
/* Copies a blob that must be exactly `length` bytes; false (and zeros) if it is not. */
bool db_column_copy(struct db *db, int statement, int column, void *out, size_t length);

int64_t db_last_row(const struct db *db); /* rowid of the last insert */
int64_t db_changes(const struct db *db);  /* rows changed by the last db_run() */

/* --- for set-up, tools and tests; logged on failure. */
enum status db_exec(struct db *db, const char *sql) MUST_USE;
/* The first column of the first row as an integer; `otherwise` when none or failed. */
int64_t db_query_i64(struct db *db, const char *sql, int64_t otherwise);
/* What `PRAGMA synchronous` of this connection says at the moment: 2 is FULL; UINT64_MAX when it cannot be asked.
 * For a gauge: whoever measures can see that the store was durable while it did. */
static inline uint64_t db_synchronous(struct db *db)
{
	return (uint64_t)db_query_i64(db, "PRAGMA synchronous", -1);
}
/* Writes a consistent copy to a new file (0600), synced, and verifies it (integrity_check). ST_EXISTS: the
 * file is there. */
enum status db_backup(struct db *db, const char *path) MUST_USE;
/* Reads the whole file through (quick_check); false with the first thing that is wrong in `damage`. Takes long. */
bool db_examine(struct db *db, char *damage, size_t capacity);
/* The version of the SQLite that runs, and its number (3040001). */
const char *db_library_version(int *number);
struct sqlite3 *db_handle(struct db *db); /* for common/db and tests */

#endif
