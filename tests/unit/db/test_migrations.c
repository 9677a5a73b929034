#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/db/db.h"

#include <stdio.h>
#include <unistd.h>

static const char *const first[] = {"CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT);"
				    "CREATE TABLE child(item INTEGER REFERENCES item(id));"};

#define NEXT(name, sql) static const char *const name[] = {first_text, sql}
#define first_text                                              \
	"CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT);" \
	"CREATE TABLE child(item INTEGER REFERENCES item(id));"
NEXT(adds, "ALTER TABLE item ADD COLUMN size INTEGER DEFAULT 7;");
NEXT(rebuilds,
     "CREATE TABLE item2(id INTEGER PRIMARY KEY, name TEXT, n INTEGER);"
     "INSERT INTO item2 SELECT id, name, 1 FROM item; DROP TABLE item; ALTER TABLE item2 RENAME TO item;");
NEXT(drops, "DROP TABLE child;");
NEXT(loses, "DELETE FROM item WHERE id = 2;");
NEXT(dangles,
     "CREATE TABLE item2(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item2 SELECT id + 10, name FROM "
     "item; DROP TABLE item; ALTER TABLE item2 RENAME TO item;");
NEXT(broken, "CREATE TABLE more(x); CREATE TABEL wrong(y);");
NEXT(commits, "CREATE TABLE more(x); COMMIT; CREATE TABLE another(y);");

static enum status open_with(const char *path, const char *const *texts, int count, struct db **db)
{
	const struct db_migrations migrations = {"test", texts, count};
	return db_open(&(struct db_options){.path = path, .migrations = &migrations}, db);
}

static void make_first(const char *path)
{
	struct db *db;
	assert_int_equal(ST_OK, open_with(path, first, 1, &db));
	assert_int_equal(
		ST_OK, db_exec(db, "INSERT INTO item VALUES (1,'a'),(2,'b'); INSERT INTO child VALUES (1)"));
	db_close(db);
}

static void an_upgrade_is_kept_only_when_it_is_whole(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *const *texts;
		enum status status;
		int64_t version;
	} rows[] = {
		{"a column is added", adds, ST_OK, 2},
		{"a table that others refer to is rebuilt", rebuilds, ST_OK, 2},
		{"a table is dropped on purpose", drops, ST_OK, 2},
		{"rows are lost", loses, ST_DATABASE, 1},
		{"a foreign key dangles", dangles, ST_DATABASE, 1},
		{"a script is wrong in its middle", broken, ST_DATABASE, 1},
		{"a script ends the transaction", commits, ST_DATABASE, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char file[32], backup[300], rehearsal[300];
		snprintf(file, sizeof file, "m%zu.db", i);
		const char *path = t_temp(file);
		snprintf(backup, sizeof backup, "%s.backup-v1", path);
		snprintf(rehearsal, sizeof rehearsal, "%s.rehearsal-v1", path);
		make_first(path);
		struct db *db = NULL;
		t_row(rows[i].name);
		t_int("status", rows[i].status, open_with(path, rows[i].texts, 2, &db));
		db_close(db);
		t_int("the backup is there", 0, access(backup, F_OK));
		t_int("the rehearsal is not", -1, access(rehearsal, F_OK));
		assert_int_equal(ST_OK, db_open(&(struct db_options){.path = path}, &db));
		t_int("version", rows[i].version, db_query_i64(db, "PRAGMA user_version", -1));
		t_int("rows", 2, db_query_i64(db, "SELECT count(*) FROM item", -1));
		t_int("nothing half-done", 0,
		      db_query_i64(
			      db,
			      "SELECT count(*) FROM sqlite_schema WHERE name IN ('more','item2','another')",
			      -1));
		db_close(db);
		assert_int_equal(ST_OK,
				 db_open(&(struct db_options){.path = backup, .read_only = true}, &db));
		t_int("version of the backup", 1, db_query_i64(db, "PRAGMA user_version", -1));
		t_int("rows of the backup", 2, db_query_i64(db, "SELECT count(*) FROM item", -1));
		db_close(db);
	}
}

static void a_newer_database_is_refused(void **state)
{
	(void)state;
	const char *path = t_temp("newer.db");
	struct db *db = NULL;
	assert_int_equal(ST_OK, open_with(path, adds, 2, &db));
	db_close(db);
	db = NULL;
	t_int("status", ST_DATABASE, open_with(path, first, 1, &db));
	t_true("nothing given", db == NULL);
	assert_int_equal(ST_OK, open_with(path, adds, 2, &db));
	db_close(db);
}

static void a_fresh_database_needs_no_backup(void **state)
{
	(void)state;
	const char *path = t_temp("fresh.db");
	char backup[300];
	snprintf(backup, sizeof backup, "%s.backup-v0", path);
	struct db *db;
	assert_int_equal(ST_OK, open_with(path, adds, 2, &db));
	t_int("version", 2, db_query_i64(db, "PRAGMA user_version", -1));
	t_int("no backup", -1, access(backup, F_OK));
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_upgrade_is_kept_only_when_it_is_whole),
		t_test(a_newer_database_is_refused),
		t_test(a_fresh_database_needs_no_backup),
	};
	return t_run(tests);
}
