/* Heads of the audit, noted elsewhere: whatever was done to join.db while the join server stood, by somebody with the file or with the vault's key itself, the
 * noted head does not fit what is there now. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/io/key_file.h"
#include "join-server/audit.h"
#include "join-server/store_sqlite.h"
#include "tests/harness/process.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 64

static char dir[T_DIR_MAX], config[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48];
static struct t_process *server;

static const char *in_dir(const char *name)
{
	static char paths[8][T_DIR_MAX + 64];
	static unsigned at;
	char *path = paths[at++ % ARRAY_SIZE(paths)];
	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static int shell(const char *line)
{
	struct t_process *process = t_process_start(&(struct t_process_options){
		.program = "/bin/sh", .arguments = {"-c", line}, .dir = dir, .name = "shell"});
	int code = t_process_wait(process);
	t_process_free(process);
	return code;
}

static int lamppost(const char *arguments, const char *to)
{
	char program[T_DIR_MAX + 256], line[8192];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(line, sizeof line, "exec %s %s -c %s %s 2>>%s/said.err", program, arguments, config, to,
		 dir);
	return shell(line);
}

static void start(void)
{
	server = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", config}, .dir = dir});
	t_true("healthy", t_wait_until(t_is_healthy, admin_sock, T_CEILING));
}

static void stop(void)
{
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
	server = NULL;
}

/* Some rows, a head, some more, another. */
static void furnish(void)
{
	start();
	for (int i = 0; i < 2; i++)
		t_int("rotate", 0, lamppost("vault rotate", ">/dev/null"));
	t_int("head", 0, lamppost("vault audit head --json", ">>heads"));
	for (int i = 0; i < 2; i++)
		t_int("rotate", 0, lamppost("vault rotate", ">/dev/null"));
	t_int("head", 0, lamppost("vault audit head --json", ">>heads"));
	t_int("a head to read", 0, lamppost("vault audit head", ">head.txt"));
	t_int("its key", 0,
	      shell("sed -n 's/^key  *//p' head.txt >audit.pub && test $(wc -c <audit.pub) = 65"));
	stop();
	t_int("kept", 0, shell("mkdir kept && cp join.db* kept/"));
}

static int open_dir(void **state)
{
	char text[1024];
	assert_int_equal(ST_OK, secret_init());
	t_setup(state);
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/join-server.admin.sock", dir);
	snprintf(text, sizeof text,
		 "common: {state_dir: \"%s\", run_dir: \"%s/run\"}\n"
		 "gateway-bridge: {udp_listen: [\"127.0.0.1:%u\"], station_listen: [], cups_listen: []}\n",
		 dir, dir, t_free_udp_port());
	t_write_file(config, text);
	t_int("init", 0, lamppost("init", ">/dev/null"));
	furnish();
	return 0;
}

static int close_dir(void **state)
{
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* --- what is done to the file ----------------------------------------------------------------------------------- */

static void without_triggers(struct db *db)
{
	assert_int_equal(ST_OK, db_exec(db, "DROP TRIGGER audit_is_not_changed"));
	assert_int_equal(ST_OK, db_exec(db, "DROP TRIGGER audit_is_not_deleted"));
}

static void cut(struct db *db)
{
	assert_int_equal(ST_OK, db_exec(db, "DELETE FROM audit WHERE seq > 5"));
}

static void empty(struct db *db)
{
	assert_int_equal(ST_OK, db_exec(db, "DELETE FROM audit"));
}

static void take_out(struct db *db)
{
	assert_int_equal(ST_OK, db_exec(db, "DELETE FROM audit WHERE seq = 4"));
}

static void swap(struct db *db)
{
	assert_int_equal(ST_OK, db_exec(db, "UPDATE audit SET seq = -4 WHERE seq = 4"));
	assert_int_equal(ST_OK, db_exec(db, "UPDATE audit SET seq = 4 WHERE seq = 5"));
	assert_int_equal(ST_OK, db_exec(db, "UPDATE audit SET seq = 5 WHERE seq = -4"));
}

static void change(struct db *db)
{
	assert_int_equal(ST_OK, db_exec(db, "UPDATE audit SET who = 'nobody' WHERE seq = 4"));
}

static enum js_audit_what what_of(const char *name)
{
	enum js_audit_what what = 0;
	while (what < JS_AUDIT_COUNT && strcmp(js_audit_name(what), name) != 0)
		what++;
	assert_true(what < JS_AUDIT_COUNT);
	return what;
}

/* By somebody who has the master key: every row anew, with another user in one of them. The chain is whole. */
static void write_anew(struct db *db)
{
	static struct js_audit_row rows[ROWS];
	struct js_store store = js_store_sqlite(db);
	struct js_vault_rows stored;
	struct js_vault vault;
	struct js_audit audit;
	uint8_t bytes[SECRET_KEY];
	size_t count;
	bool used;
	assert_int_equal(KEY_FILE_OK, key_file_read(in_dir("keys/join-server.master"), bytes, sizeof bytes));
	struct secret_master *master = secret_master_from(bytes);
	assert_int_equal(ST_OK, store.load_vault(store.ctx, &stored, &used));
	assert_int_equal(ST_OK, js_vault_open(&vault, &stored, master, (struct wall){1}));
	assert_int_equal(ST_OK, js_audit_init(&audit, &store, vault.mark_key));
	assert_int_equal(ST_OK, store.list_audit(store.ctx, 0, ROWS, rows, &count));
	assert_int_equal(ST_OK, db_exec(db, "DELETE FROM audit"));
	audit.seq = 0;
	memset(audit.head, 0, sizeof audit.head);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(ST_OK,
				 js_audit_write(&audit, &store, rows[i].time, i == 3 ? "uid 7" : rows[i].who,
						what_of(rows[i].what), rows[i].subject, rows[i].detail));
	assert_int_equal(ST_OK, js_store_commit(db));
	js_vault_release(&vault);
	secret_master_free(master);
}

static void alter(void (*how)(struct db *db))
{
	struct db *db;
	t_int("as it was", 0, shell("rm -f join.db* && cp kept/join.db* ."));
	if (!how)
		return;
	assert_int_equal(ST_OK, js_store_open(in_dir("join.db"), NULL, &db));
	without_triggers(db);
	how(db);
	db_close(db);
}

/* --- the tests ----------------------------------------------------------------------------------------------------- */

static void an_altered_audit_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*how)(struct db *db);
		int grown;            /* rotations after that, of two rows each */
		int listed, verified; /* exit codes without the heads and with them */
	} rows[] = {
		{"untouched", NULL, 0, 0, 0},
		{"untouched, and it went on", NULL, 2, 0, 0},
		{"rows cut off", cut, 0, 0, 1},
		{"rows cut off, and as many written since", cut, 4, 0, 1},
		{"all of them", empty, 0, 0, 1},
		{"one taken out", take_out, 0, 1, 1},
		{"two in another order", swap, 0, 1, 1},
		{"one changed", change, 0, 1, 1},
		{"all written anew with the vault's key", write_anew, 0, 0, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		/* Rotations write another master key: its file goes back with the database. */
		t_int("the key", 0,
		      shell("test -f kept/master || cp keys/join-server.master kept/master; "
			    "cp kept/master keys/join-server.master"));
		alter(rows[i].how);
		start();
		for (int k = 0; k < rows[i].grown; k++)
			t_int("rotate", 0, lamppost("vault rotate", ">/dev/null"));
		t_int("listed", rows[i].listed, lamppost("vault audit", ">/dev/null"));
		t_int("verified", rows[i].verified, lamppost("vault audit --verify heads", ">/dev/null"));
		stop();
	}
}

/* A line of a head, changed. */
static void write_head(const char *name, const json_t *head)
{
	char *text = json_dumps(head, JSON_COMPACT);
	t_write_file(in_dir(name), text);
	free(text);
}

static json_t *noted_head(void)
{
	json_t *head;
	FILE *file = fopen(in_dir("heads"), "r");
	assert_non_null(file);
	head = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(file);
	assert_non_null(head);
	return head;
}

static void flip(json_t *head, const char *member)
{
	char text[200];
	snprintf(text, sizeof text, "%s", json_string_value(json_object_get(head, member)));
	text[9] = text[9] == '0' ? '1' : '0';
	json_object_set_new(head, member, json_string(text));
}

static void sign_with_another_key(json_t *head)
{
	char text[2 * SECRET_SIGNATURE + 1];
	struct secret_signer *signer = secret_signer_from((const uint8_t[SECRET_KEY]){7});
	struct audit_head forged = {.seq = (uint64_t)json_integer_value(json_object_get(head, "seq")),
				    .time.us = json_integer_value(json_object_get(head, "time_us"))};
	assert_true(hex_decode_exact(forged.hash, sizeof forged.hash,
				     json_string_value(json_object_get(head, "hash"))));
	audit_head_sign(&forged, signer);
	hex_encode(text, forged.signature, SECRET_SIGNATURE);
	json_object_set_new(head, "signature", json_string(text));
	hex_encode(text, secret_signer_public(signer), SECRET_KEY);
	json_object_set_new(head, "public_key", json_string(text));
	t_write_file(in_dir("forged.pub"), text);
	secret_signer_free(signer);
}

static void a_forged_head_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *name, *member;
		int code;
	} rows[] = {
		{"as it was noted", NULL, 0},          {"another hash", "hash", 1},
		{"another signature", "signature", 1}, {"another row", "seq", 1},
		{"another time", "time_us", 1},        {"signed with another key", "public_key", 1},
		{"no signature", "none", 4},
	};
	t_row("the join server");
	t_int("the key", 0, shell("cp kept/master keys/join-server.master"));
	alter(NULL);
	start();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		json_t *head = noted_head();
		const char *member = rows[i].member;
		if (member && (strcmp(member, "seq") == 0 || strcmp(member, "time_us") == 0))
			json_object_set_new(
				head, member,
				json_integer(json_integer_value(json_object_get(head, member)) - 1));
		else if (member && strcmp(member, "public_key") == 0)
			sign_with_another_key(head);
		else if (member && strcmp(member, "none") == 0)
			json_object_del(head, "signature");
		else if (member)
			flip(head, member);
		write_head("one", head);
		json_decref(head);
		t_int("verified", rows[i].code, lamppost("vault audit --verify one", ">/dev/null"));
	}
	t_row("with the key that was noted");
	t_int("the right one", 0, lamppost("vault audit --verify heads --public audit.pub", ">/dev/null"));
	t_int("another", 1, lamppost("vault audit --verify heads --public forged.pub", ">/dev/null"));
	t_int("an empty file", 4, lamppost("vault audit --verify /dev/null", ">/dev/null"));
	t_int("no file", 3, lamppost("vault audit --verify none", ">/dev/null"));
	t_int("another word", 2, lamppost("vault audit tail", ">/dev/null"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"an_altered_audit_is_found", an_altered_audit_is_found, open_dir, NULL, NULL},
		{"a_forged_head_is_found", a_forged_head_is_found, NULL, close_dir, NULL},
	};
	return t_run(tests);
}
