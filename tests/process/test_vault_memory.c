/* What of the vault stands in memory. The passphrase, the file's master key: nowhere once the vault is open. The vault key has to be there,
 * in memory that no core dump gets (VmFlags dd); the same search finds it, which shows that it finds. */
#include "tests/harness/harness.h"

#include "common/io/key_file.h"
#include "join-server/store_sqlite.h"
#include "tests/harness/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSPHRASE "correct horse battery staple"

static char dir[T_DIR_MAX], config[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48];

static void make_state(const char *more)
{
	char text[1024];
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/join-server.admin.sock", dir);
	snprintf(text, sizeof text,
		 "common: {state_dir: \"%s\", run_dir: \"%s/run\"}\n"
		 "gateway-bridge: {udp_listen: [\"127.0.0.1:%u\"], station_listen: [], cups_listen: []}\n%s",
		 dir, dir, t_free_udp_port(), more);
	t_write_file(config, text);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "-c", config}, .dir = dir, .name = "init"});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
}

static int open_dir(void **state)
{
	assert_int_equal(ST_OK, secret_init());
	assert_int_equal(0, geteuid());
	t_temp_dir(dir);
	return t_setup(state);
}

static int close_dir(void **state)
{
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* The vault key, as whoever has the master key gets it from join.db. */
static void vault_key(const uint8_t master_bytes[SECRET_KEY], uint8_t key[SECRET_KEY])
{
	char path[T_DIR_MAX + 32];
	struct db *db;
	struct js_vault_rows rows;
	struct js_vault vault;
	bool used;
	snprintf(path, sizeof path, "%s/join.db", dir);
	assert_int_equal(ST_OK, js_store_open(path, NULL, &db));
	struct js_store store = js_store_sqlite(db);
	struct secret_master *master = secret_master_from(master_bytes);
	assert_int_equal(ST_OK, store.load_vault(store.ctx, &rows, &used));
	assert_int_equal(ST_OK, js_vault_open(&vault, &rows, master, (struct wall){1}));
	memcpy(key, secret_master_bytes(vault.key), SECRET_KEY);
	js_vault_release(&vault);
	secret_master_free(master);
	db_close(db);
}

/* Bytes found in mappings that a core dump has, and in those that it leaves out. */
static void find(int pid, const uint8_t *bytes, size_t length, unsigned *dumped, unsigned *left_out)
{
	char path[64], line[512], flags[512];
	uint64_t from = 0, to = 0;
	char rights[8] = "";
	*dumped = *left_out = 0;
	snprintf(path, sizeof path, "/proc/%d/smaps", pid);
	FILE *maps = fopen(path, "re");
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	FILE *mem = fopen(path, "re");
	assert_non_null(maps);
	assert_non_null(mem);
	setvbuf(mem, NULL, _IONBF, 0);
	while (fgets(line, sizeof line, maps)) {
		uint64_t a, b;
		char r[8];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &a, &b, r) == 3) {
			from = a;
			to = b;
			memcpy(rights, r, sizeof rights);
			continue;
		}
		if (sscanf(line, "VmFlags: %511[^\n]", flags) != 1 || to - from > 64u << 20 ||
		    rights[3] != 'p' || strstr(flags, "io"))
			continue;
		uint8_t *all = malloc(to - from);
		assert_non_null(all);
		size_t got = fseek(mem, (long)from, SEEK_SET) == 0 ? fread(all, 1, to - from, mem) : 0;
		bool left = strstr(flags, "dd") != NULL;
		for (uint8_t *at = all; (at = memmem(at, got - (size_t)(at - all), bytes, length)); at++)
			++*(left ? left_out : dumped);
		explicit_bzero(all, to - from);
		free(all);
	}
	fclose(maps);
	fclose(mem);
}

static void the_master_key_is_forgotten_and_the_vault_key_in_no_core(void **state)
{
	(void)state;
	uint8_t master[SECRET_KEY], key[SECRET_KEY];
	char path[T_DIR_MAX + 64];
	unsigned dumped, left_out;
	make_state("");
	struct t_process *server = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", config}, .dir = dir});
	t_true("healthy", t_wait_until(t_is_healthy, admin_sock, T_CEILING));
	int pid = t_process_pid(server);
	snprintf(path, sizeof path, "%s/keys/join-server.master", dir);
	assert_int_equal(KEY_FILE_OK, key_file_read(path, master, sizeof master));
	vault_key(master, key);
	t_row("the master key");
	find(pid, master, sizeof master, &dumped, &left_out);
	t_uint("where a core has it", 0, dumped);
	t_uint("anywhere", 0, left_out);
	t_row("half of it");
	find(pid, master + 16, 16, &dumped, &left_out);
	t_uint("anywhere", 0, dumped + left_out);
	t_row("the vault key");
	find(pid, key, sizeof key, &dumped, &left_out);
	t_uint("where a core has it", 0, dumped);
	t_true("and it is there: the search finds", left_out > 0);
	t_row("after a rotation, which makes a key");
	struct t_process *rotate = t_process_start(
		&(struct t_process_options){.program = "lamppost",
					    .arguments = {"vault", "rotate", "-c", config},
					    .dir = dir,
					    .name = "rotate"});
	t_int("rotate", 0, t_process_wait(rotate));
	t_process_free(rotate);
	assert_int_equal(KEY_FILE_OK, key_file_read(path, master, sizeof master));
	find(pid, master, sizeof master, &dumped, &left_out);
	t_uint("anywhere", 0, dumped + left_out);
	t_row("the control in clear");
	find(pid, (const uint8_t *)dir, strlen(dir), &dumped, &left_out);
	t_true("what is no secret is found where a core has it", dumped > 0);
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
}

/* The master key that the passphrase makes. */
static void derived_key(uint8_t master[SECRET_KEY])
{
	char path[T_DIR_MAX + 32];
	struct db *db;
	struct js_vault_rows rows;
	bool used;
	snprintf(path, sizeof path, "%s/join.db", dir);
	assert_int_equal(ST_OK, js_store_open(path, NULL, &db));
	struct js_store store = js_store_sqlite(db);
	assert_int_equal(ST_OK, store.load_vault(store.ctx, &rows, &used));
	db_close(db);
	struct secret_master *key = secret_master_derive(&rows.wraps[0].form.derive, PASSPHRASE,
							 strlen(PASSPHRASE));
	assert_non_null(key);
	memcpy(master, secret_master_bytes(key), SECRET_KEY);
	secret_master_free(key);
}

static int server_pid(void)
{
	char body[8192] = "";
	t_unix_get(admin_sock, "/healthz", body, sizeof body);
	const char *at = strstr(body, "\"pid\":");
	return at ? (int)strtol(at + 6, NULL, 10) : 0;
}

static void a_passphrase_stands_nowhere_once_the_vault_is_open(void **state)
{
	(void)state;
	char program[T_DIR_MAX + 256], line[4096], path[T_DIR_MAX + 32];
	unsigned dumped, left_out;
	make_state("join-server: {master_key: passphrase}\n");
	snprintf(path, sizeof path, "%s/phrase", dir);
	t_write_file(path, PASSPHRASE "\n");
	t_program_path(program, sizeof program, "lamppost");
	snprintf(line, sizeof line, "exec %s up -c %s --passphrase-fd 0 <%s", program, config, path);
	struct t_process *up = t_process_start(&(struct t_process_options){
		.program = "/bin/sh", .arguments = {"-c", line}, .dir = dir, .name = "up"});
	assert_true(t_wait_until(t_is_healthy, admin_sock, T_CEILING));
	uint8_t master[SECRET_KEY];
	derived_key(master);
	int pids[] = {server_pid(), t_process_pid(up)};
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		t_row(i == 0 ? "the join server" : "lamppost up");
		find(pids[i], (const uint8_t *)PASSPHRASE, strlen(PASSPHRASE), &dumped, &left_out);
		t_uint("the passphrase", 0, dumped + left_out);
		find(pids[i], (const uint8_t *)dir, strlen(dir), &dumped, &left_out);
		t_true("what is no secret is found", dumped > 0);
		find(pids[i], master, sizeof master, &dumped, &left_out);
		t_uint("the key that was made of it, where a core has it", 0, dumped);
		/* `up` starts the join server again without asking. */
		t_int("and anywhere", i == 1, left_out > 0);
	}
	t_int("orderly stop", 0, t_process_stop(up));
	t_process_free(up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"the_master_key_is_forgotten_and_the_vault_key_in_no_core",
		 the_master_key_is_forgotten_and_the_vault_key_in_no_core, open_dir, close_dir, NULL},
		{"a_passphrase_stands_nowhere_once_the_vault_is_open",
		 a_passphrase_stands_nowhere_once_the_vault_is_open, open_dir, close_dir, NULL},
	};
	return t_run(tests);
}
