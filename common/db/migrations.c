/* How an old database becomes a new one without anybody having to be brave:
 *
 *	1. copy ─▶ <file>.backup-v<N>, verified; one that an earlier attempt left is replaced only by a whole one
 *	2. rehearse on a second copy: all scripts in one transaction, then the checks
 *	3. the same on the file itself; only if the checks hold is it committed
 *
 * The checks: every table that was there and still is has no fewer rows than before, and no foreign key
 * dangles. A migration that means to remove rows drops the table and makes another, or is a tool of its own.
 */
#include "common/db/migrations.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/db/db.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLES_MAX 256

struct table_rows {
	char *name; /* owned */
	int64_t rows;
};

struct census {
	struct table_rows tables[TABLES_MAX];
	int count;
};

static void census_release(struct census *census)
{
	for (int i = 0; i < census->count; i++)
		free(census->tables[i].name);
	census->count = 0;
}

/* Counts a table's rows; −1 when there is no such table. */
static int64_t count_rows(struct db *db, const char *table)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", table);
	ASSERT(sql);
	int64_t rows = db_query_i64(db, sql, -1);
	sqlite3_free(sql);
	return rows;
}

static enum status census_take(struct db *db, struct census *census)
{
	sqlite3_stmt *stmt;
	census->count = 0;
	if (sqlite3_prepare_v2(
		    db_handle(db),
		    "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'", -1,
		    &stmt, NULL) != SQLITE_OK)
		return ST_DATABASE;
	int code;
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW && census->count < TABLES_MAX) {
		struct table_rows *table = &census->tables[census->count++];
		table->name = strdup((const char *)sqlite3_column_text(stmt, 0));
		ASSERT(table->name);
		table->rows = count_rows(db, table->name);
	}
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? ST_OK : ST_DATABASE;
}

static enum status check_after(struct db *db, const struct census *before)
{
	for (int i = 0; i < before->count; i++) {
		int64_t rows = count_rows(db, before->tables[i].name);
		if (rows >= 0 && rows < before->tables[i].rows) {
			LOG_ERROR("migration", "file=\"%s\" table=%s rows_before=%lld rows_after=%lld",
				  db_path(db), before->tables[i].name, (long long)before->tables[i].rows,
				  (long long)rows);
			return ST_DATABASE;
		}
	}
	/* Its rows are the dangling keys: no row is what we want. */
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db_handle(db), "PRAGMA foreign_key_check", -1, &stmt, NULL) != SQLITE_OK)
		return ST_DATABASE;
	int code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		LOG_ERROR("migration", "file=\"%s\" reason=\"foreign key dangles\" table=%s", db_path(db),
			  (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? ST_OK : ST_DATABASE;
}

/* All scripts from `version` on, the checks and the new version in one transaction. */
static enum status run_scripts(struct db *db, const struct db_migrations *migrations, int version)
{
	struct census *before = calloc(1, sizeof *before);
	ASSERT(before);
	char pragma[48];
	snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", migrations->count);
	/* Rebuilding a table that others refer to needs the keys off; they are checked as a whole before the
	 * commit. The pragma does nothing inside a transaction. */
	enum status status = db_exec(db, "PRAGMA foreign_keys=OFF");
	if (status == ST_OK)
		status = census_take(db, before);
	if (status == ST_OK)
		status = db_begin(db);
	for (int i = version; status == ST_OK && i < migrations->count; i++) {
		status = db_exec(db, migrations->texts[i]);
		if (status == ST_OK && sqlite3_get_autocommit(db_handle(db))) {
			LOG_ERROR("migration",
				  "file=\"%s\" number=%d reason=\"the script ends the transaction\"",
				  db_path(db), i + 1);
			status = ST_DATABASE;
		}
		if (status != ST_OK)
			LOG_ERROR("migration", "file=\"%s\" number=%d reason=\"script failed\"", db_path(db),
				  i + 1);
	}
	if (status == ST_OK)
		status = check_after(db, before);
	if (status == ST_OK)
		status = db_exec(db, pragma);
	if (status == ST_OK)
		status = db_commit(db);
	else
		db_rollback(db);
	census_release(before);
	free(before);
	enum status keys = db_exec(db, "PRAGMA foreign_keys=ON");
	return status != ST_OK ? ST_DATABASE : keys;
}

static char *name_beside(const struct db *db, const char *suffix, int version)
{
	char *name = sqlite3_mprintf("%s.%s-v%d", db_path(db), suffix, version);
	ASSERT(name);
	return name;
}

static enum status rehearse(struct db *db, const struct db_migrations *migrations, int version)
{
	char *name = name_beside(db, "rehearsal", version);
	unlink(name); /* of an attempt that was cut short */
	struct db *copy = NULL;
	enum status status = db_backup(db, name);
	if (status == ST_OK)
		status = db_open(&(struct db_options){.path = name}, &copy);
	if (status == ST_OK)
		status = run_scripts(copy, migrations, version);
	db_close(copy);
	unlink(name);
	sqlite3_free(name);
	return status;
}

static bool is_whole_backup(const char *name, int version)
{
	struct db *copy = NULL;
	if (db_open(&(struct db_options){.path = name, .read_only = true}, &copy) != ST_OK)
		return false;
	bool whole = db_query_i64(copy, "PRAGMA user_version", -1) == version &&
		     db_query_i64(copy,
				  "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'",
				  0) == 1;
	db_close(copy);
	return whole;
}

/* The file may have changed since an earlier attempt made its backup, so a fresh one takes the name; the
 * older is replaced only after the new one is whole. */
static enum status back_up(struct db *db, int version)
{
	char *name = name_beside(db, "backup", version);
	char *fresh = name_beside(db, "backup-new", version);
	unlink(fresh);
	enum status status = db_backup(db, fresh);
	if (status == ST_OK && !is_whole_backup(fresh, version))
		status = ST_DATABASE;
	if (status == ST_OK && rename(fresh, name) != 0)
		status = ST_IO;
	if (status == ST_OK)
		LOG_INFO("migration", "file=\"%s\" backup=\"%s\"", db_path(db), name);
	sqlite3_free(fresh);
	sqlite3_free(name);
	return status;
}

enum status db_migrate(struct db *db, const struct db_migrations *migrations)
{
	int version = (int)db_query_i64(db, "PRAGMA user_version", -1);
	if (version == migrations->count)
		return ST_OK;
	if (version < 0 || version > migrations->count) {
		LOG_ERROR("migration", "file=\"%s\" version=%d ours=%d reason=\"made by a newer Lamppost\"",
			  db_path(db), version, migrations->count);
		return ST_DATABASE;
	}
	bool fresh = version == 0 && db_query_i64(db, "SELECT count(*) FROM sqlite_schema", -1) == 0;
	enum status status = ST_OK;
	if (!fresh)
		status = back_up(db, version);
	if (status == ST_OK && !fresh)
		status = rehearse(db, migrations, version);
	if (status == ST_OK)
		status = run_scripts(db, migrations, version);
	if (status == ST_OK)
		LOG_INFO("migration", "file=\"%s\" from=%d to=%d", db_path(db), version, migrations->count);
	return status;
}
