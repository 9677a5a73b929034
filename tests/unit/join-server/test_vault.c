/* The vault over real files and a real join.db: databases of before it are taken over; whichever instant a rotation is killed at, the next
 * start opens the vault and finds every key; the wrong key or passphrase is refused in words. */
#include "tests/harness/harness.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/key_file.h"
#include "join-server/edge_rotate.h"
#include "join-server/store_sqlite.h"
#include "tests/harness/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[T_DIR_MAX];
static struct config_common common;
static struct js_config config;
static struct secret_box *box;
static const struct lw_key root_key = {{0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static const char *in_dir(const char *name)
{
	static char paths[4][T_DIR_MAX + 64];
	static unsigned at;
	char *path = paths[at++ % ARRAY_SIZE(paths)];
	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void write_master(const char *name, uint8_t first)
{
	uint8_t bytes[SECRET_KEY] = {first, 2, 3};
	unlink(in_dir(name));
	assert_int_equal(key_file_create(in_dir(name), bytes, sizeof bytes, 0600), KEY_FILE_OK);
}

static int open_dir(void **state)
{
	assert_int_equal(secret_init(), ST_OK);
	t_temp_dir(dir);
	memset(&config, 0, sizeof config);
	snprintf(common.state_dir, sizeof common.state_dir, "%s", dir);
	snprintf(config.master_key, sizeof config.master_key, "%s/master", dir);
	write_master("master", 1);
	box = secret_box_generate();
	unsetenv("LAMPPOST_VAULT_FD");
	return t_setup(state);
}

static int close_dir(void **state)
{
	secret_box_free(box);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* A join server as far as the vault goes: its database, its vault, its core. */
struct server {
	struct db *db;
	struct js_edge_vault vault;
	struct js_join join;
	struct aes *aes;
	struct rng rng;
	struct secret_box *box;
	bool has_core;
};

static enum status start(struct server *server, bool with_box_file)
{
	memset(server, 0, sizeof *server);
	struct now now = clock_now();
	assert_int_equal(js_store_open(in_dir("join.db"), NULL, &server->db), ST_OK);
	if (with_box_file)
		server->box = secret_box_from(secret_box_secret(box));
	enum status status = js_edge_vault_open(&server->vault, server->db, &common, &config, &server->box,
						now);
	if (status != ST_OK)
		return status;
	server->aes = aes_new();
	server->rng = rng_seeded(1);
	struct js_options options = {.store = js_store_sqlite(server->db),
				     .vault = js_edge_vault_keys(&server->vault, server->box),
				     .aes = server->aes,
				     .rng = &server->rng,
				     .retry_entries = 8};
	status = js_join_init(&server->join, &options, now);
	server->has_core = status == ST_OK;
	return status == ST_OK ? js_edge_vault_begin(&server->vault, &server->join, now) : status;
}

static void stop(struct server *server)
{
	if (server->has_core)
		js_join_release(&server->join);
	js_edge_vault_release(&server->vault);
	secret_box_free(server->box);
	aes_free(server->aes);
	db_close(server->db);
}

static struct js_device device_of(uint64_t number)
{
	return (struct js_device){.dev_eui = lw_eui64_from_number(number),
				  .version = 1,
				  .enabled = true,
				  .mac_version = LW_MAC_1_0_4,
				  .has_app_key = true,
				  .app_kek_label = "application"};
}

static void put_device(const struct js_store *store, const struct js_key_vault *keys, uint64_t number)
{
	struct js_device device = device_of(number);
	js_key_vault_seal(keys, &device.dev_eui, SEALED_APP_KEY, &root_key, device.app_key);
	assert_int_equal(store->save_device(store->ctx, &device), ST_OK);
}

/* Whether the device's root key opens with what the core has. */
static bool key_opens(const struct server *server, uint64_t number)
{
	const struct js_options *options = &server->join.options;
	struct lw_eui64 eui = lw_eui64_from_number(number);
	struct js_device device;
	struct lw_key key;
	return options->store.load_device(options->store.ctx, &eui, &device) == ST_OK &&
	       js_key_vault_open(&options->vault, &eui, SEALED_APP_KEY, device.app_key, &key) == ST_OK &&
	       memcmp(&key, &root_key, sizeof key) == 0;
}

static enum js_rotate_result rotate(struct server *server, enum js_vault_source source, uint8_t first,
				    void (*after_step)(void *ctx, int step), void *ctx)
{
	uint8_t bytes[SECRET_KEY] = {first, 9, 9};
	struct js_rotate_order order = {.form = {.source = source}, .after_step = after_step, .ctx = ctx};
	snprintf(order.who, sizeof order.who, "uid 1000");
	if (source != JS_VAULT_FILE)
		order.key = secret_master_from(bytes);
	enum js_rotate_result result = js_rotate(
		&server->vault, clock_now(), &order,
		server->vault.master.source == JS_VAULT_FILE ? server->vault.master.path : in_dir("another"));
	secret_master_free(order.key);
	return result;
}

/* --- the tests ----------------------------------------------------------------------------------------------------- */

static void a_database_of_before_is_taken_over(void **state)
{
	(void)state;
	enum { DEVICES = 100 };
	uint8_t old[SECRET_KEY] = {1, 2, 3}, mark_before[JS_KEY_MARK], mark_after[JS_KEY_MARK];
	struct secret_master *master = secret_master_from(old);
	const struct js_key_vault direct = {.master = master, .box = box};
	struct lw_eui64 first = lw_eui64_from_number(1);
	struct server server;
	struct db *db;
	assert_int_equal(js_store_open(in_dir("join.db"), NULL, &db), ST_OK);
	struct js_store store = js_store_sqlite(db);
	for (uint64_t i = 1; i <= DEVICES; i++)
		put_device(&store, &direct, i);
	assert_int_equal(js_store_commit(db), ST_OK);
	db_close(db);
	js_key_vault_mark(&direct, &first, &root_key, mark_before);
	secret_master_free(master);

	assert_int_equal(start(&server, true), ST_OK);
	t_true("the old key still opens some", server.vault.vault.rows.before);
	t_true("a key opens at once", key_opens(&server, 1) && key_opens(&server, DEVICES));
	js_key_vault_mark(&server.join.options.vault, &first, &root_key, mark_after);
	t_bytes("no device's DevNonces are forgotten", mark_before, JS_KEY_MARK, mark_after, JS_KEY_MARK);
	/* One slice, and the process is gone. */
	assert_int_equal(js_edge_vault_on_tick(&server.vault, clock_now()), ST_OK);
	assert_int_equal(js_store_commit(server.db), ST_OK);
	stop(&server);
	assert_int_equal(start(&server, true), ST_OK);
	t_true("opens between the slices", key_opens(&server, 1) && key_opens(&server, DEVICES));
	struct now now = clock_now();
	for (int i = 0; i < 20 && server.vault.vault.rows.before; i++) {
		now.mono.us += US_PER_S;
		assert_int_equal(js_edge_vault_on_tick(&server.vault, now), ST_OK);
		assert_int_equal(js_store_commit(server.db), ST_OK);
	}
	t_false("all are sealed anew", server.vault.vault.rows.before);
	t_uint("the rest of them, in this run", DEVICES - JS_RESEAL_SLICE, server.vault.counters.resealed);
	t_true("the old key is not asked any more", server.join.options.vault.before == NULL);
	stop(&server);
	assert_int_equal(start(&server, true), ST_OK);
	for (uint64_t i = 1; i <= DEVICES; i++)
		t_true("opens under the vault key alone", key_opens(&server, i));
	js_key_vault_mark(&server.join.options.vault, &first, &root_key, mark_after);
	t_bytes("the marks are the same", mark_before, JS_KEY_MARK, mark_after, JS_KEY_MARK);
	stop(&server);
}

static void die(void *ctx, int step)
{
	if (step == *(const int *)ctx)
		kill(getpid(), SIGKILL);
}

/* The steps of a file's rotation; one beyond the last: it is not killed. */
static void a_rotation_killed_at_any_step_leaves_a_vault_that_opens(void **state)
{
	(void)state;
	struct server server;
	assert_int_equal(start(&server, true), ST_OK);
	put_device(&server.join.options.store, &server.join.options.vault, 7);
	assert_int_equal(js_store_commit(server.db), ST_OK);
	stop(&server);
	for (int step = 1; step <= 5; step++) {
		char name[32];
		snprintf(name, sizeof name, "killed after step %d", step);
		t_row(name);
		pid_t child = fork();
		if (child == 0) {
			if (start(&server, true) != ST_OK)
				_exit(2);
			_exit(rotate(&server, JS_VAULT_FILE, 0, die, &step) == JS_ROTATED ? 0 : 3);
		}
		int end = 0;
		assert_int_equal(waitpid(child, &end, 0), child);
		t_int("killed", step <= 4, WIFSIGNALED(end));
		t_int("or went through", step <= 4 ? end : 0, end);
		t_int("starts", ST_OK, start(&server, true));
		t_true("the root key opens", key_opens(&server, 7));
		t_uint("one master key is left", 1, server.vault.vault.rows.wrap_count);
		t_false("no half a key file", key_file_exists(in_dir("master.new")));
		stop(&server);
	}
}

static void the_old_file_opens_nothing_after_a_rotation(void **state)
{
	(void)state;
	struct server server;
	uint8_t old[SECRET_KEY], new[SECRET_KEY];
	assert_int_equal(key_file_read(in_dir("master"), old, sizeof old), KEY_FILE_OK);
	assert_int_equal(start(&server, true), ST_OK);
	t_int("rotated", JS_ROTATED, rotate(&server, JS_VAULT_FILE, 0, NULL, NULL));
	stop(&server);
	assert_int_equal(key_file_read(in_dir("master"), new, sizeof new), KEY_FILE_OK);
	t_true("another key", memcmp(old, new, sizeof old) != 0);
	write_master("master", 1);
	t_int("the old one", ST_REFUSED, start(&server, true));
	t_true("refused as the wrong key", server.vault.refused);
	stop(&server);
}

static void another_source_waits_for_its_first_start(void **state)
{
	(void)state;
	struct server server;
	assert_int_equal(start(&server, true), ST_OK);
	put_device(&server.join.options.store, &server.join.options.vault, 7);
	t_int("rotated", JS_ROTATED_WAITS, rotate(&server, JS_VAULT_CREDENTIAL, 5, NULL, NULL));
	t_int("the same key again", JS_ROTATE_SAME_KEY, rotate(&server, JS_VAULT_CREDENTIAL, 5, NULL, NULL));
	stop(&server);
	t_int("the old one opens it", ST_OK, start(&server, true));
	t_uint("two keys", 2, server.vault.vault.rows.wrap_count);
	stop(&server);
	/* systemd hands the new one over. */
	uint8_t bytes[SECRET_KEY] = {5, 9, 9};
	assert_int_equal(key_file_create(in_dir("vault"), bytes, sizeof bytes, 0440), KEY_FILE_OK);
	snprintf(config.master_key, sizeof config.master_key, "credential:vault");
	unsetenv("CREDENTIALS_DIRECTORY");
	t_int("without systemd", ST_REFUSED, start(&server, true));
	stop(&server);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	t_int("with it", ST_OK, start(&server, true));
	t_true("the root key opens", key_opens(&server, 7));
	t_uint("one key", 1, server.vault.vault.rows.wrap_count);
	stop(&server);
	snprintf(config.master_key, sizeof config.master_key, "%s/master", dir);
	t_int("the old one, now", ST_REFUSED, start(&server, true));
	stop(&server);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_key_file_that_cannot_be_written_changes_nothing(void **state)
{
	(void)state;
	struct server server;
	assert_int_equal(start(&server, true), ST_OK);
	struct js_vault_rows before = server.vault.vault.rows;
	struct js_rotate_order order = {.form = {.source = JS_VAULT_FILE}, .who = "uid 1000"};
	t_int("no such folder", JS_ROTATE_FILE,
	      js_rotate(&server.vault, clock_now(), &order, in_dir("none/master")));
	write_master("there", 3);
	t_int("a file is there", JS_ROTATE_FILE_THERE,
	      js_rotate(&server.vault, clock_now(), &order, in_dir("there")));
	t_bytes("the rows", (uint8_t *)&before, sizeof before, (uint8_t *)&server.vault.vault.rows,
		sizeof before);
	server.join.audit.seq = JS_AUDIT_ROWS_MAX;
	t_int("a full audit", JS_ROTATE_AUDIT_FULL,
	      js_rotate(&server.vault, clock_now(), &order, server.vault.master.path));
	t_uint("one wrap", 1, server.vault.vault.rows.wrap_count);
	t_false("no half a key file", key_file_exists(in_dir("master.new")));
	stop(&server);
	t_int("starts", ST_OK, start(&server, true));
	stop(&server);
}

static void the_box_key_is_kept_in_the_vault(void **state)
{
	(void)state;
	struct server server;
	t_int("neither file nor vault", ST_REFUSED, start(&server, false));
	stop(&server);
	assert_int_equal(start(&server, true), ST_OK);
	stop(&server);
	t_int("without its file", ST_OK, start(&server, false));
	t_bytes("the same", secret_box_public(box), SECRET_KEY, secret_box_public(server.box), SECRET_KEY);
	stop(&server);
}

static void a_row_of_the_audit_that_was_changed_is_seen(void **state)
{
	(void)state;
	struct server server;
	struct js_audit_row rows[8];
	uint8_t before[SECRET_HASH] = {0};
	size_t count;
	assert_int_equal(start(&server, true), ST_OK);
	t_int("rotated", JS_ROTATED, rotate(&server, JS_VAULT_FILE, 0, NULL, NULL));
	const struct js_store *store = &server.join.options.store;
	assert_int_equal(store->list_audit(store->ctx, 0, 8, rows, &count), ST_OK);
	t_uint("made, box, the audit's key, rotate, settle", 5, count);
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].what);
		t_true("good", js_audit_is_good(&server.join.audit, &rows[i], before));
		struct js_audit_row changed = rows[i];
		changed.detail[0] ^= 1;
		t_false("a changed byte", js_audit_is_good(&server.join.audit, &changed, before));
		changed = rows[i];
		changed.time.us++;
		t_false("a changed time", js_audit_is_good(&server.join.audit, &changed, before));
		if (i > 0) {
			uint8_t other[SECRET_HASH] = {0};
			t_false("another row before it",
				js_audit_is_good(&server.join.audit, &rows[i], other));
		}
		memcpy(before, rows[i].hash, sizeof before);
	}
	t_row("the table itself");
	t_true("no row can be changed", db_exec(server.db, "UPDATE audit SET who = 'x'") != ST_OK);
	t_true("nor deleted", db_exec(server.db, "DELETE FROM audit") != ST_OK);
	stop(&server);
}

int main(void)
{
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_DIR(a_database_of_before_is_taken_over),
		IN_DIR(a_rotation_killed_at_any_step_leaves_a_vault_that_opens),
		IN_DIR(the_old_file_opens_nothing_after_a_rotation),
		IN_DIR(another_source_waits_for_its_first_start),
		IN_DIR(a_key_file_that_cannot_be_written_changes_nothing),
		IN_DIR(the_box_key_is_kept_in_the_vault),
		IN_DIR(a_row_of_the_audit_that_was_changed_is_seen),
	};
	return t_run(tests);
}
