/* The vault over real files and a real join.db: databases of before it are taken over; whichever instant a rotation is killed at, the next
 * start opens the vault and finds every key; the wrong key or passphrase is refused in words. */
#include "tests/harness/harness.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/key_file.h"
#include "join-server/edge_rotate.h"
#include "join-server/store_sqlite.h"
#include "tests/harness/fault_vfs.h"
#include "tests/harness/process.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[T_DIR_MAX];
static const char *vfs; /* of join.db; NULL: the system's */
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
	vfs = NULL;
	return t_setup(state);
}

/* The files of keys in memory, where there is such a folder: hundreds of rotations, each of which syncs its file. */
static int open_quick_dir(void **state)
{
	static char before[256];
	const char *set = getenv("TMPDIR");
	snprintf(before, sizeof before, "%s", set ? set : "");
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	int opened = open_dir(state);
	if (set)
		setenv("TMPDIR", before, 1);
	else
		unsetenv("TMPDIR");
	return opened;
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
	assert_int_equal(js_store_open(vfs ? "join.db" : in_dir("join.db"), vfs, &server->db), ST_OK);
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
	for (unsigned room = 0; room < 2; room++) {
		server.join.audit.seq = JS_AUDIT_ROWS_MAX - room;
		t_int("an audit without room for its two rows", JS_ROTATE_AUDIT_FULL,
		      js_rotate(&server.vault, clock_now(), &order, server.vault.master.path));
	}
	t_uint("one wrap", 1, server.vault.vault.rows.wrap_count);
	t_false("no half a key file", key_file_exists(in_dir("master.new")));
	stop(&server);
	t_int("starts", ST_OK, start(&server, true));
	stop(&server);
}

/* --- disks that fail ---------------------------------------------------------------------------------------------- */

/* What a disk does after the fault, before the next start. */
enum after { DIED, TORN, AFTER_COUNT };

static void end_at_once(struct server *server, enum after after)
{
	fault_vfs_crash_at(fault_vfs_operations() + 1); /* nothing is written on the way out */
	stop(server);
	if (after == DIED)
		fault_disk_restart(fault_vfs_disk(""));
	else
		fault_vfs_power_on(5);
}

static bool opens_with(const struct js_vault_rows *rows, const uint8_t bytes[SECRET_KEY])
{
	struct js_vault vault;
	struct secret_master *key = secret_master_from(bytes);
	bool opened = js_vault_open(&vault, rows, key, (struct wall){1}) == ST_OK;
	if (opened)
		js_vault_release(&vault);
	secret_master_free(key);
	return opened;
}

/* The next start, after a rotation whose `at`th operation on the disk failed. */
static void check_start(enum js_vault_source to, enum js_rotate_result result)
{
	static const uint8_t old[SECRET_KEY] = {1, 2, 3}, given[SECRET_KEY] = {5, 9, 9};
	struct server server;
	struct js_vault_rows rows;
	struct db *db;
	bool used;
	assert_int_equal(js_store_open("join.db", vfs, &db), ST_OK);
	struct js_store store = js_store_sqlite(db);
	assert_int_equal(store.load_vault(store.ctx, &rows, &used), ST_OK);
	db_close(db);
	t_true("the new key, if it was acknowledged",
	       to == JS_VAULT_FILE || (result != JS_ROTATED && result != JS_ROTATED_WAITS) ||
		       opens_with(&rows, given));
	if (to == JS_VAULT_PASSPHRASE) {
		t_true("one of the two, not both", opens_with(&rows, old) != opens_with(&rows, given));
		return;
	}
	t_int("starts", ST_OK, start(&server, true));
	t_true("the root key opens", key_opens(&server, 7));
	if (to == JS_VAULT_FILE) {
		uint8_t now[SECRET_KEY] = {0};
		t_uint("one master key", 1, server.vault.vault.rows.wrap_count);
		t_int("in its file", KEY_FILE_OK, key_file_read(in_dir("master"), now, sizeof now));
		t_true("the new one, if it was acknowledged",
		       result != JS_ROTATED || memcmp(now, old, sizeof now) != 0);
		t_false("no half a key file", key_file_exists(in_dir("master.new")));
	}
	stop(&server);
}

/* False: the rotation has no such operation. */
static bool fail_one(enum js_vault_source to, int code, uint64_t at, enum after after)
{
	struct server server;
	fault_vfs_reset();
	unlink(in_dir("master.new"));
	write_master("master", 1);
	assert_int_equal(start(&server, true), ST_OK);
	put_device(&server.join.options.store, &server.join.options.vault, 7);
	assert_int_equal(js_store_commit(server.db), ST_OK);
	/* A passphrase for a passphrase: what opened it is only what decides on the steps. */
	if (to == JS_VAULT_PASSPHRASE)
		server.vault.master.source = JS_VAULT_PASSPHRASE;
	fault_vfs_fail_at(fault_vfs_operations() + at, code);
	uint64_t last = fault_vfs_operations() + at;
	struct js_rotate_order order = {.form = {.source = to}, .who = "uid 1000"};
	if (to == JS_VAULT_PASSPHRASE)
		order.form.derive = secret_derive_new();
	if (to != JS_VAULT_FILE)
		order.key = secret_master_from((const uint8_t[SECRET_KEY]){5, 9, 9});
	enum js_rotate_result result = js_rotate(&server.vault, clock_now(), &order, in_dir("master"));
	secret_master_free(order.key);
	bool failed = fault_vfs_operations() >= last;
	bool done = result == JS_ROTATED || result == JS_ROTATED_WAITS;
	t_true("says that it failed, and so does the turn, or is done", done != server.vault.failed);
	t_true("done, when nothing failed", failed || done);
	end_at_once(&server, after);
	check_start(to, result);
	return failed;
}

static void a_disk_that_fails_in_a_rotation_leaves_the_old_or_the_new_key(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum js_vault_source to;
		int code;
	} rows[] = {
		{"file, disk full", JS_VAULT_FILE, SQLITE_FULL},
		{"file, write error", JS_VAULT_FILE, SQLITE_IOERR_WRITE},
		{"file, sync error", JS_VAULT_FILE, SQLITE_IOERR_FSYNC},
		{"credential, sync error", JS_VAULT_CREDENTIAL, SQLITE_IOERR_FSYNC},
		{"passphrase, sync error", JS_VAULT_PASSPHRASE, SQLITE_IOERR_FSYNC},
	};
	static const char *const names[AFTER_COUNT] = {"the process died", "power cut, writes torn"};
	vfs = FAULT_VFS;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (enum after after = 0; after < AFTER_COUNT; after++) {
			uint64_t at = 1;
			char name[80];
			do {
				snprintf(name, sizeof name, "%s at operation %d, %s", rows[i].name, (int)at,
					 names[after]);
				t_row(name);
			} while (fail_one(rows[i].to, rows[i].code, at, after) && at++ < 100);
			t_true("there are some, not without end", at > 3 && at < 100);
		}
	}
}

/* From step 2 on no file can be opened: the new key gets its name, and the folder cannot be synced. */
static void no_descriptors(void *ctx, int step)
{
	struct rlimit none = *(const struct rlimit *)ctx;
	none.rlim_cur = 0;
	if (step == 2)
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void a_folder_that_cannot_be_synced_leaves_two_keys(void **state)
{
	(void)state;
	struct server server;
	struct rlimit limit;
	uint8_t old[SECRET_KEY], now[SECRET_KEY];
	assert_int_equal(key_file_read(in_dir("master"), old, sizeof old), KEY_FILE_OK);
	assert_int_equal(start(&server, true), ST_OK);
	put_device(&server.join.options.store, &server.join.options.vault, 7);
	assert_int_equal(js_store_commit(server.db), ST_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	enum js_rotate_result result = rotate(&server, JS_VAULT_FILE, 0, no_descriptors, &limit);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	t_int("said", JS_ROTATE_UNSYNCED, result);
	t_uint("either key", 2, server.vault.vault.rows.wrap_count);
	assert_int_equal(key_file_read(in_dir("master"), now, sizeof now), KEY_FILE_OK);
	t_true("the new one has the name", memcmp(old, now, sizeof old) != 0);
	t_uint("and is what the next rotation keeps", 2, server.vault.vault.opened_by);
	stop(&server);
	t_int("starts with the new one", ST_OK, start(&server, true));
	t_true("the root key opens", key_opens(&server, 7));
	t_uint("the old one goes", 1, server.vault.vault.rows.wrap_count);
	stop(&server);
}

/* A folder has the name that the new key is to get. */
static void in_the_way(void *ctx, int step)
{
	if (step != 2)
		return;
	assert_int_equal(unlink(ctx), 0);
	assert_int_equal(mkdir(ctx, 0700), 0);
}

static void a_key_that_cannot_get_its_name_is_taken_back(void **state)
{
	(void)state;
	struct server server;
	char path[T_DIR_MAX + 64];
	snprintf(path, sizeof path, "%s", in_dir("master"));
	assert_int_equal(start(&server, true), ST_OK);
	put_device(&server.join.options.store, &server.join.options.vault, 7);
	assert_int_equal(js_store_commit(server.db), ST_OK);
	t_int("said", JS_ROTATE_FILE, rotate(&server, JS_VAULT_FILE, 0, in_the_way, path));
	t_uint("one key", 1, server.vault.vault.rows.wrap_count);
	stop(&server);
	assert_int_equal(rmdir(path), 0);
	write_master("master", 1);
	t_int("the old one opens it", ST_OK, start(&server, true));
	t_true("the root key opens", key_opens(&server, 7));
	t_uint("and no other", 1, server.vault.vault.rows.wrap_count);
	t_false("no half a key file", key_file_exists(in_dir("master.new")));
	stop(&server);
}

static void a_full_disk_under_the_key_file_changes_nothing(void **state)
{
	(void)state;
	struct server server;
	struct rlimit limit;
	vfs = FAULT_VFS;
	fault_vfs_reset();
	assert_int_equal(start(&server, true), ST_OK);
	struct js_vault_rows before = server.vault.vault.rows;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	struct rlimit none = {0, limit.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum js_rotate_result result = rotate(&server, JS_VAULT_FILE, 0, NULL, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	t_int("said", JS_ROTATE_FILE, result);
	t_false("the turn goes on", server.vault.failed);
	t_bytes("the rows", (uint8_t *)&before, sizeof before, (uint8_t *)&server.vault.vault.rows,
		sizeof before);
	t_false("no half a key file", key_file_exists(in_dir("master.new")));
	t_int("and with room", JS_ROTATED, rotate(&server, JS_VAULT_FILE, 0, NULL, NULL));
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
		{"a_disk_that_fails_in_a_rotation_leaves_the_old_or_the_new_key",
		 a_disk_that_fails_in_a_rotation_leaves_the_old_or_the_new_key, open_quick_dir, close_dir,
		 NULL},
		IN_DIR(a_folder_that_cannot_be_synced_leaves_two_keys),
		IN_DIR(a_key_that_cannot_get_its_name_is_taken_back),
		IN_DIR(a_full_disk_under_the_key_file_changes_nothing),
		IN_DIR(the_box_key_is_kept_in_the_vault),
		IN_DIR(a_row_of_the_audit_that_was_changed_is_seen),
	};
	return t_run(tests);
}
