/* Verified copies of a database: made through SQLite's online backup, synced, then read back and checked. */
#include "common/db/db.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_sound(sqlite3 *copy)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(copy, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK)
		return false;
	bool sound = sqlite3_step(stmt) == SQLITE_ROW &&
		     strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
	sqlite3_finalize(stmt);
	return sound;
}

static bool copy_all(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	if (!backup)
		return false;
	int code = sqlite3_backup_step(backup, -1);
	return sqlite3_backup_finish(backup) == SQLITE_OK && code == SQLITE_DONE;
}

static bool sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0;
	close(fd);
	return synced;
}

/* The file and its name: a backup that a power cut takes away is none. */
static bool sync_file_and_folder(const char *path)
{
	char *folder = strdup(path);
	ASSERT(folder);
	char *slash = strrchr(folder, '/');
	if (slash)
		*(slash == folder ? slash + 1 : slash) = 0;
	bool synced = sync_path(path) && sync_path(slash ? folder : ".");
	free(folder);
	return synced;
}

enum status db_backup(struct db *db, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		LOG_ERROR("backup", "file=\"%s\" to=\"%s\" reason=\"%s\"", db_path(db), path,
			  strerror(errno));
		return errno == EEXIST ? ST_EXISTS : ST_IO;
	}
	close(fd);
	sqlite3 *copy = NULL;
	bool done = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
		    copy_all(db_handle(db), copy) &&
		    /* One file without a WAL beside it, which restore can simply move into place. */
		    sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) == SQLITE_OK &&
		    is_sound(copy);
	if (!done)
		LOG_ERROR("backup", "file=\"%s\" to=\"%s\" reason=\"%s\"", db_path(db), path,
			  copy ? sqlite3_errmsg(copy) : "no memory");
	sqlite3_close(copy);
	if (done && sync_file_and_folder(path))
		return ST_OK;
	unlink(path);
	return ST_DATABASE;
}

bool db_examine(struct db *db, char *damage, size_t capacity)
{
	sqlite3_stmt *statement = NULL;
	bool whole = false;
	snprintf(damage, capacity, "it cannot be read");
	if (sqlite3_prepare_v2(db_handle(db), "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		const char *word = (const char *)sqlite3_column_text(statement, 0);
		whole = word && strcmp(word, "ok") == 0;
		snprintf(damage, capacity, "%s", whole || !word ? "" : word);
	}
	sqlite3_finalize(statement);
	return whole;
}

const char *db_library_version(int *number)
{
	*number = sqlite3_libversion_number();
	return sqlite3_libversion();
}
