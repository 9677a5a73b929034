#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/db/checkpoint.h"
#include "common/db/db.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INSERT, SELECT, CHILD, COUNT_ALL, STATEMENTS };
static const char *const statements[STATEMENTS] = {
	[INSERT] = "INSERT INTO item(name, bytes, size) VALUES (?, ?, ?)",
	[SELECT] = "SELECT id, name, bytes, size FROM item WHERE name = ?",
	[CHILD] = "INSERT INTO child(item) VALUES (?)",
	[COUNT_ALL] = "SELECT count(*) FROM item",
};
static const char *const schema[] = {
	"CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes BLOB, size REAL);"
	"CREATE TABLE child(item INTEGER NOT NULL REFERENCES item(id));",
};
static const struct db_migrations migrations = {"test", schema, 1};

static struct db *open_db(const char *name)
{
	struct db *db = NULL;
	assert_int_equal(ST_OK, db_open(&(struct db_options){.path = t_temp(name),
							     .migrations = &migrations,
							     .statements = statements,
							     .statement_count = STATEMENTS},
					&db));
	return db;
}

static enum status insert(struct db *db, const char *name, const void *bytes, size_t length)
{
	db_bind_text(db, INSERT, 1, name);
	db_bind_blob(db, INSERT, 2, bytes, length);
	db_bind_real(db, INSERT, 3, 0.5);
	return db_run(db, INSERT);
}

static int64_t count_items(struct db *db)
{
	int64_t count = db_step(db, COUNT_ALL) == DB_ROW ? db_column_i64(db, COUNT_ALL, 0) : -1;
	db_reset(db, COUNT_ALL);
	return count;
}

static void what_is_held_is_one_snapshot(void **state)
{
	(void)state;
	struct db *reader = open_db("held.db"), *writer = open_db("held.db");
	db_hold(reader);
	t_int("before", 0, count_items(reader));
	assert_int_equal(ST_OK, insert(writer, "one", "x", 1));
	t_int("held", 0, count_items(reader));
	db_let_go(reader);
	db_let_go(reader);
	t_int("let go", 1, count_items(reader));
	db_hold(reader);
	t_int("held again", 1, count_items(reader));
	assert_int_equal(ST_OK, insert(writer, "two", "x", 1));
	t_row("a transaction ends what was held, and holding inside it is nothing");
	assert_int_equal(ST_OK, db_begin(reader));
	db_hold(reader);
	t_int("in the transaction", 2, count_items(reader));
	db_let_go(reader);
	t_true("still open", db_in_transaction(reader));
	assert_int_equal(ST_OK, insert(reader, "three", "x", 1));
	assert_int_equal(ST_OK, db_commit(reader));
	t_int("the other sees it", 3, count_items(writer));
	db_hold(writer); /* closing lets go */
	db_close(reader);
	db_close(writer);
}

static void *write_for_a_while(void *writer)
{
	(void)usleep(50000); /* for the other to find it locked; it is in time however long that takes */
	assert_int_equal(ST_OK, db_commit(writer));
	return NULL;
}

/* As the checkpoint's thread holds the write lock for a moment, whoever reads. */
static void the_write_lock_is_waited_for_while_a_query_is_open(void **state)
{
	(void)state;
	struct db *reader = open_db("waits.db"), *writer = open_db("waits.db");
	pthread_t thread;
	assert_int_equal(ST_OK, insert(reader, "one", "x", 1));
	t_int("a row", DB_ROW, db_step(reader, COUNT_ALL)); /* and not reset */
	assert_int_equal(ST_OK, db_begin(writer));
	assert_int_equal(0, pthread_create(&thread, NULL, write_for_a_while, writer));
	t_int("begun", ST_OK, db_begin(reader));
	assert_int_equal(0, pthread_join(thread, NULL));
	db_reset(reader, COUNT_ALL);
	assert_int_equal(ST_OK, db_commit(reader));
	db_close(reader);
	db_close(writer);
}

static void settings_are_the_durable_ones(void **state)
{
	(void)state;
	struct db *db = open_db("settings.db");
	static const struct {
		const char *name, *sql;
		int64_t expected;
	} rows[] = {
		{"synchronous is FULL", "PRAGMA synchronous", 2},
		{"foreign keys are on", "PRAGMA foreign_keys", 1},
		{"no commit checkpoints", "PRAGMA wal_autocheckpoint", 0},
		{"the WAL keeps its size", "PRAGMA journal_size_limit", -1},
		{"journal is the WAL", "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1},
		{"schema has its version", "PRAGMA user_version", 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("value", rows[i].expected, db_query_i64(db, rows[i].sql, -99));
	}
	struct stat stat_of;
	assert_int_equal(0, stat(db_path(db), &stat_of));
	t_row("the file is its owner's alone");
	t_int("mode", 0600, stat_of.st_mode & 0777);
	db_close(db);
}

static void values_come_back(void **state)
{
	(void)state;
	struct db *db = open_db("values.db");
	const uint8_t bytes[3] = {1, 0, 255};
	t_int("insert", ST_OK, insert(db, "one", bytes, 3));
	t_int("changes", 1, db_changes(db));
	t_int("insert an empty blob", ST_OK, insert(db, "empty", NULL, 0));
	db_bind_text(db, SELECT, 1, "one");
	t_int("step", DB_ROW, db_step(db, SELECT));
	t_int("id", 1, db_column_i64(db, SELECT, 0));
	t_str("name", "one", db_column_text(db, SELECT, 1));
	uint8_t copy[4] = {9, 9, 9, 9};
	t_false("a blob of another length is refused", db_column_copy(db, SELECT, 2, copy, 4));
	t_bytes("and zeroed", (const uint8_t[]){0, 0, 0, 0}, 4, copy, 4);
	t_true("a blob of that length is copied", db_column_copy(db, SELECT, 2, copy, 3));
	t_bytes("bytes", bytes, 3, copy, 3);
	t_true("real", db_column_real(db, SELECT, 3) == 0.5);
	t_int("end", DB_DONE, db_step(db, SELECT));
	db_bind_text(db, SELECT, 1, "empty");
	t_int("step", DB_ROW, db_step(db, SELECT));
	t_false("an empty blob is not null", db_column_is_null(db, SELECT, 2));
	db_reset(db, SELECT);
	db_close(db);
}

static void constraints_are_verdicts_not_failures(void **state)
{
	(void)state;
	struct db *db = open_db("constraints.db");
	t_int("begin", ST_OK, db_begin(db));
	t_int("first", ST_OK, insert(db, "a", "x", 1));
	t_int("again", ST_EXISTS, insert(db, "a", "x", 1));
	t_int("not null", ST_CONFLICT, insert(db, NULL, "x", 1));
	db_bind_i64(db, CHILD, 1, 77);
	t_int("foreign key", ST_CONFLICT, db_run(db, CHILD));
	t_int("commit", ST_OK, db_commit(db));
	t_int("rows", 1, db_query_i64(db, "SELECT count(*) FROM item", -1));
	db_close(db);
}

static void a_rollback_and_a_spoiled_transaction_leave_nothing(void **state)
{
	(void)state;
	struct db *db = open_db("rollback.db");
	t_int("begin", ST_OK, db_begin(db));
	t_int("insert", ST_OK, insert(db, "a", "x", 1));
	db_rollback(db);
	t_int("rows", 0, db_query_i64(db, "SELECT count(*) FROM item", -1));
	t_int("begin", ST_OK, db_begin(db));
	t_int("insert", ST_OK, insert(db, "a", "x", 1));
	/* A statement that fails in the middle: too big a blob is refused at bind. */
	db_bind_text(db, INSERT, 1, "big");
	db_bind_blob(db, INSERT, 2, "", (size_t)3 << 30);
	t_int("too big", ST_DATABASE, db_run(db, INSERT));
	t_int("commit is refused", ST_DATABASE, db_commit(db));
	t_false("nothing is open", db_in_transaction(db));
	t_int("rows", 0, db_query_i64(db, "SELECT count(*) FROM item", -1));
	db_close(db);
}

static void a_checkpoint_thread_keeps_the_wal_small(void **state)
{
	(void)state;
	struct db *db = open_db("checkpoint.db");
	struct checkpoint *checkpoint;
	assert_int_equal(ST_OK, checkpoint_start(db, NULL, 20, &checkpoint));
	uint8_t page[3000] = {0};
	for (int i = 0; i < 200000; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", i);
		assert_int_equal(ST_OK, db_begin(db));
		assert_int_equal(ST_OK, insert(db, name, page, sizeof page));
		assert_int_equal(ST_OK, db_commit(db));
		if (i >= 200 && checkpoint_stats(checkpoint).restarts >= 5)
			break;
	}
	struct checkpoint_stats stats = checkpoint_stats(checkpoint);
	t_true("the WAL began anew while commits went on", stats.restarts >= 5);
	t_int("failures", 0, stats.failures);
	t_true("pages were moved", stats.pages > 100);
	int64_t rows = db_query_i64(db, "SELECT count(*) FROM item", -1);
	checkpoint_stop(checkpoint);
	/* All is in the file: readable when the WAL is taken away. */
	const char *copy = t_temp("checkpoint-copy.db");
	char command[1024];
	snprintf(command, sizeof command, "cp '%s' '%s'", db_path(db), copy);
	assert_int_equal(0, system(command));
	struct db *other;
	assert_int_equal(ST_OK, db_open(&(struct db_options){.path = copy}, &other));
	t_int("rows in the file alone", rows, db_query_i64(other, "SELECT count(*) FROM item", -1));
	db_close(other);
	db_close(db);
}

static void a_backup_is_whole_and_never_overwrites(void **state)
{
	(void)state;
	struct db *db = open_db("backup.db");
	t_int("insert", ST_OK, insert(db, "a", "x", 1));
	const char *path = t_temp("backup.copy");
	t_int("backup", ST_OK, db_backup(db, path));
	t_int("again", ST_EXISTS, db_backup(db, path));
	struct stat stat_of;
	assert_int_equal(0, stat(path, &stat_of));
	t_int("mode", 0600, stat_of.st_mode & 0777);
	struct db *copy;
	assert_int_equal(ST_OK, db_open(&(struct db_options){.path = path, .read_only = true}, &copy));
	t_int("rows", 1, db_query_i64(copy, "SELECT count(*) FROM item", -1));
	db_close(copy);
	db_close(db);
}

static void what_cannot_be_opened_is_a_status(void **state)
{
	(void)state;
	struct db *db = NULL;
	t_int("read only and absent", ST_NOT_FOUND,
	      db_open(&(struct db_options){.path = t_temp("absent.db"), .read_only = true}, &db));
	t_int("no such folder", ST_IO,
	      db_open(&(struct db_options){.path = t_temp("no/such/folder.db")}, &db));
	FILE *file = fopen(t_temp("garbage.db"), "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is not a database\n", file);
	fclose(file);
	t_int("garbage", ST_DATABASE, db_open(&(struct db_options){.path = t_temp("garbage.db")}, &db));
	static const char *const wrong[] = {"SELECT nothing FROM nowhere"};
	t_int("a statement that does not compile", ST_DATABASE,
	      db_open(&(struct db_options){.path = t_temp("wrong.db"),
					   .statements = wrong,
					   .statement_count = 1},
		      &db));
	t_true("out-parameter is untouched", db == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_held_is_one_snapshot),
		t_test(the_write_lock_is_waited_for_while_a_query_is_open),
		t_test(settings_are_the_durable_ones),
		t_test(values_come_back),
		t_test(constraints_are_verdicts_not_failures),
		t_test(a_rollback_and_a_spoiled_transaction_leave_nothing),
		t_test(a_checkpoint_thread_keeps_the_wal_small),
		t_test(a_backup_is_whole_and_never_overwrites),
		t_test(what_cannot_be_opened_is_a_status),
	};
	return t_run(tests);
}
