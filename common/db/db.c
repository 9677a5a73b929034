#include "common/db/db.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/db/write_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS   5000
#define CACHE_KIB 16384

/* One prepared statement; `bind_error` sticks from a failed bind to the run or reset. */
struct prepared {
	sqlite3_stmt *stmt;
	int bind_error;
};

struct db {
	sqlite3 *handle;
	char *path;
	struct prepared *statements; /* owned array */
	int statement_count;
	enum status step_status; /* of the last db_step() that failed */
	int busy_ms;
	bool in_transaction;
	bool held;    /* a read transaction of db_hold() */
	bool spoiled; /* something failed inside the transaction: it must not be committed */
};

static enum status status_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return ST_OK;
	case SQLITE_CONSTRAINT:
		return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
				       code == SQLITE_CONSTRAINT_ROWID
			       ? ST_EXISTS
			       : ST_CONFLICT;
	case SQLITE_NOMEM: return ST_NO_MEMORY;
	default: return ST_DATABASE;
	}
}

/* SQLite's message of a constraint names tables and columns, of a syntax error our own SQL: never a value. */
static void log_failure(const struct db *db, const char *what)
{
	LOG_ERROR("database", "file=\"%s\" step=%s code=%d reason=\"%s\"", db->path, what,
		  sqlite3_extended_errcode(db->handle), sqlite3_errmsg(db->handle));
}

const char *db_path(const struct db *db)
{
	return db->path;
}

const char *db_error(const struct db *db)
{
	return sqlite3_errmsg(db->handle);
}

struct sqlite3 *db_handle(struct db *db)
{
	return db->handle;
}

enum status db_exec(struct db *db, const char *sql)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return ST_OK;
	log_failure(db, "exec");
	return status_of(code) == ST_OK ? ST_DATABASE : status_of(code);
}

int64_t db_query_i64(struct db *db, const char *sql, int64_t otherwise)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK)
		return otherwise;
	int64_t value = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : otherwise;
	sqlite3_finalize(stmt);
	return value;
}

/* --- opening */

static enum status make_file(const struct db_options *options)
{
	if (options->vfs || strcmp(options->path, ":memory:") == 0)
		return ST_OK; /* another VFS makes its own, memory is no file */
	if (options->read_only)
		return access(options->path, F_OK) == 0 ? ST_OK : ST_NOT_FOUND;
	int fd = open(options->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		LOG_ERROR("database", "file=\"%s\" step=create reason=\"%s\"", options->path,
			  strerror(errno));
		return ST_IO;
	}
	close(fd); /* before SQLite opens it: closing later would drop its locks */
	return ST_OK;
}

static enum status open_handle(struct db *db, const struct db_options *options)
{
	int flags = (options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int code = sqlite3_open_v2(options->path, &db->handle, flags, options->vfs);
	if (code != SQLITE_OK) {
		LOG_ERROR("database", "file=\"%s\" step=open reason=\"%s\"", db->path,
			  db->handle ? sqlite3_errmsg(db->handle) : "no memory");
		return ST_DATABASE;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	db->busy_ms = options->busy_ms ? options->busy_ms : BUSY_MS;
	sqlite3_busy_timeout(db->handle, db->busy_ms);
	char cache[48];
	snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d",
		 options->cache_kib ? options->cache_kib : CACHE_KIB);
	enum status status = db_exec(db, cache);
	if (status == ST_OK)
		status = db_exec(db, "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF");
	if (status == ST_OK && !options->read_only)
		status = db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
				     "locking_mode=NORMAL; PRAGMA journal_size_limit=-1; "
				     "PRAGMA wal_autocheckpoint=0");
	if (status == ST_OK && !options->read_only && db_query_i64(db, "PRAGMA synchronous", -1) != 2)
		status = ST_DATABASE;
	return status;
}

static enum status prepare(struct db *db, const struct db_options *options)
{
	db->statements = calloc(options->statement_count ? (size_t)options->statement_count : 1,
				sizeof *db->statements);
	ASSERT(db->statements);
	for (int i = 0; i < options->statement_count; i++) {
		ASSERT(options->statements[i]);
		db->statement_count = i + 1;
		if (sqlite3_prepare_v3(db->handle, options->statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &db->statements[i].stmt, NULL) != SQLITE_OK) {
			LOG_ERROR("database", "file=\"%s\" step=prepare statement=%d reason=\"%s\"", db->path,
				  i, sqlite3_errmsg(db->handle));
			return ST_DATABASE;
		}
	}
	return ST_OK;
}

enum status db_open(const struct db_options *options, struct db **out)
{
	enum status status = make_file(options);
	if (status != ST_OK)
		return status;
	struct db *db = calloc(1, sizeof *db);
	ASSERT(db);
	db->path = strdup(options->path);
	ASSERT(db->path);
	status = open_handle(db, options);
	if (status == ST_OK && options->migrations && !options->read_only)
		status = db_migrate(db, options->migrations);
	if (status == ST_OK)
		status = prepare(db, options);
	if (status != ST_OK) {
		db_close(db);
		return status;
	}
	*out = db;
	return ST_OK;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < db->statement_count; i++)
		sqlite3_finalize(db->statements[i].stmt);
	db_rollback(db);
	db_let_go(db);
	if (db->handle) {
		/* The last connection checkpoints and deletes the WAL: an orderly stop leaves one file. */
		int code = sqlite3_close(db->handle);
		ASSERT(code == SQLITE_OK); /* a statement or backup was left open */
	}
	free(db->statements);
	free(db->path);
	free(db);
}

/* --- transactions */

enum status db_begin(struct db *db)
{
	ASSERT(!db->in_transaction);
	db_let_go(db);
	if (db_write_lock(db->handle, db->busy_ms) != SQLITE_OK) {
		log_failure(db, "begin");
		return ST_DATABASE;
	}
	db->in_transaction = true;
	db->spoiled = false;
	return ST_OK;
}

enum status db_commit(struct db *db)
{
	ASSERT(db->in_transaction);
	int code = SQLITE_OK;
	if (!db->spoiled) {
		code = sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL);
		if (code == SQLITE_OK) {
			db->in_transaction = false;
			return ST_OK;
		}
		log_failure(db, "commit");
	}
	db_rollback(db);
	return code == SQLITE_OK ? ST_DATABASE : status_of(code);
}

void db_rollback(struct db *db)
{
	if (!db->in_transaction)
		return;
	/* SQLite may have rolled back by itself (disk full, I/O error): then this answers an error that means
	 * nothing. */
	sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->in_transaction = false;
	db->spoiled = false;
}

void db_hold(struct db *db)
{
	if (!db->in_transaction && !db->held)
		db->held = sqlite3_exec(db->handle, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

void db_let_go(struct db *db)
{
	if (!db->held)
		return;
	db->held = false;
	sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL); /* nothing was written */
}

bool db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}

/* --- statements */

static struct prepared *get(const struct db *db, int statement)
{
	ASSERT(statement >= 0 && statement < db->statement_count);
	return &db->statements[statement];
}

static void bound(struct prepared *prepared, int code)
{
	/* A parameter that the statement does not have is a bug in the store. */
	ASSERT((code & 0xff) != SQLITE_RANGE && (code & 0xff) != SQLITE_MISUSE);
	if (code != SQLITE_OK)
		prepared->bind_error = code;
}

void db_bind_i64(struct db *db, int statement, int parameter, int64_t value)
{
	struct prepared *prepared = get(db, statement);
	bound(prepared, sqlite3_bind_int64(prepared->stmt, parameter, value));
}

void db_bind_real(struct db *db, int statement, int parameter, double value)
{
	struct prepared *prepared = get(db, statement);
	bound(prepared, sqlite3_bind_double(prepared->stmt, parameter, value));
}

void db_bind_text(struct db *db, int statement, int parameter, const char *text)
{
	struct prepared *prepared = get(db, statement);
	bound(prepared, sqlite3_bind_text64(prepared->stmt, parameter, text, text ? strlen(text) : 0,
					    SQLITE_TRANSIENT, SQLITE_UTF8));
}

void db_bind_blob(struct db *db, int statement, int parameter, const void *bytes, size_t length)
{
	struct prepared *prepared = get(db, statement);
	/* A NULL pointer would bind null; an empty blob is not null. */
	bound(prepared, sqlite3_bind_blob64(prepared->stmt, parameter, length > 0 ? bytes : "", length,
					    SQLITE_TRANSIENT));
}

void db_bind_null(struct db *db, int statement, int parameter)
{
	struct prepared *prepared = get(db, statement);
	bound(prepared, sqlite3_bind_null(prepared->stmt, parameter));
}

/* Gives the status of a failed step, and spoils the transaction unless the world said no (a constraint). */
static enum status failed(struct db *db, int code)
{
	enum status status = status_of(code);
	if (status == ST_EXISTS || status == ST_CONFLICT)
		return status;
	log_failure(db, "run");
	if (db->in_transaction)
		db->spoiled = true;
	return status == ST_OK ? ST_DATABASE : status;
}

enum db_step db_step(struct db *db, int statement)
{
	struct prepared *prepared = get(db, statement);
	int code = prepared->bind_error ? prepared->bind_error : sqlite3_step(prepared->stmt);
	if (code == SQLITE_ROW)
		return DB_ROW;
	if (code != SQLITE_DONE)
		db->step_status = failed(db, code);
	db_reset(db, statement);
	return code == SQLITE_DONE ? DB_DONE : DB_FAILED;
}

enum status db_step_status(const struct db *db)
{
	return db->step_status;
}

void db_reset(struct db *db, int statement)
{
	struct prepared *prepared = get(db, statement);
	sqlite3_reset(prepared->stmt);
	sqlite3_clear_bindings(prepared->stmt); /* nothing secret stays bound */
	prepared->bind_error = SQLITE_OK;
}

enum status db_run(struct db *db, int statement)
{
	enum db_step step = db_step(db, statement);
	ASSERT(step != DB_ROW); /* a query: use db_step() */
	return step == DB_DONE ? ST_OK : db->step_status;
}

bool db_column_is_null(struct db *db, int statement, int column)
{
	return sqlite3_column_type(get(db, statement)->stmt, column) == SQLITE_NULL;
}

int64_t db_column_i64(struct db *db, int statement, int column)
{
	return sqlite3_column_int64(get(db, statement)->stmt, column);
}

double db_column_real(struct db *db, int statement, int column)
{
	return sqlite3_column_double(get(db, statement)->stmt, column);
}

const char *db_column_text(struct db *db, int statement, int column)
{
	const unsigned char *text = sqlite3_column_text(get(db, statement)->stmt, column);
	return text ? (const char *)text : "";
}

const void *db_column_blob(struct db *db, int statement, int column, size_t *length)
{
	sqlite3_stmt *stmt = get(db, statement)->stmt;
	const void *bytes = sqlite3_column_blob(stmt, column);
	*length = bytes ? (size_t)sqlite3_column_bytes(stmt, column) : 0;
	return bytes;
}

bool db_column_copy(struct db *db, int statement, int column, void *out, size_t length)
{
	size_t stored;
	const void *bytes = db_column_blob(db, statement, column, &stored);
	if (!bytes || stored != length) {
		memset(out, 0, length);
		return false;
	}
	memcpy(out, bytes, length);
	return true;
}

int64_t db_last_row(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}
