/* What the running join server says of its vault and takes over: two master keys after a rotation to another kind of source, one once it was started with the
 * new one, handed over as systemd does; a KEK's file that clashes with one that was put is refused by a reload, and all goes on. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/crypto/sealed_kek.h"
#include "tests/harness/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER 16384

static char dir[T_DIR_MAX], config[T_DIR_MAX + 32], join_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48];
static struct t_process *server;

static int lamppost(const char *arguments)
{
	char program[T_DIR_MAX + 256], line[4096];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(line, sizeof line, "exec %s %s -c %s >/dev/null 2>>%s/said.err", program, arguments, config,
		 dir);
	struct t_process *shell = t_process_start(&(struct t_process_options){
		.program = "/bin/sh", .arguments = {"-c", line}, .dir = dir, .name = "shell"});
	int code = t_process_wait(shell);
	t_process_free(shell);
	return code;
}

static void configure(const char *join_server)
{
	char text[2048];
	snprintf(text, sizeof text,
		 "common: {state_dir: \"%s\", run_dir: \"%s/run\"}\n"
		 "gateway-bridge: {udp_listen: [\"127.0.0.1:1\"], station_listen: [], cups_listen: []}\n%s",
		 dir, dir, join_server);
	t_write_file(config, text);
}

static void start(const char *variable)
{
	server = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", config}, .variables = {variable}, .dir = dir});
	t_true("healthy", t_wait_until(t_is_healthy, admin_sock, T_CEILING));
}

static void stop(void)
{
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
}

static bool says(void *word)
{
	char body[ANSWER] = "";
	return t_unix_get(admin_sock, "/healthz", body, sizeof body) == 200 && strstr(body, word) != NULL;
}

static bool is_silent_about(void *word)
{
	char body[ANSWER] = "";
	return t_unix_get(admin_sock, "/healthz", body, sizeof body) == 200 && strstr(body, word) == NULL;
}

static int open_dir(void **state)
{
	assert_int_equal(ST_OK, secret_init());
	t_setup(state);
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(join_sock, sizeof join_sock, "%s/run/join.sock", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/join-server.admin.sock", dir);
	configure("");
	t_int("init", 0, lamppost("init"));
	return 0;
}

static int close_dir(void **state)
{
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

static void two_master_keys_are_told_until_the_new_one_came_from_systemd(void **state)
{
	(void)state;
	char line[T_DIR_MAX + 128], variable[T_DIR_MAX + 64], path[T_DIR_MAX + 64];
	start(NULL);
	t_false("one key", says("vault_two_master_keys"));
	snprintf(path, sizeof path, "%s/credentials", dir);
	assert_int_equal(0, mkdir(path, 0700));
	snprintf(line, sizeof line, "vault rotate --to credential --key %s/credentials/vault", dir);
	t_int("rotate", 0, lamppost(line));
	t_true("two keys", says("\"vault_two_master_keys\""));
	stop();
	start(NULL);
	t_true("and still, after a start with the old one", says("\"vault_two_master_keys\""));
	stop();
	/* systemd gives 0400, and a folder that is not to be written. */
	snprintf(path, sizeof path, "%s/credentials/vault", dir);
	assert_int_equal(0, chmod(path, 0400));
	snprintf(path, sizeof path, "%s/credentials", dir);
	assert_int_equal(0, chmod(path, 0500));
	snprintf(variable, sizeof variable, "CREDENTIALS_DIRECTORY=%s/credentials", dir);
	configure("join-server: {master_key: \"credential:vault\"}\n");
	start(variable);
	t_false("one key, the new one", says("vault_two_master_keys"));
	t_true("counted", t_metric(admin_sock, "lamppost_join_vault_master_keys") == 1);
	stop();
	t_row("open to everybody");
	snprintf(path, sizeof path, "%s/credentials/vault", dir);
	assert_int_equal(0, chmod(path, 0404));
	server = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", config}, .variables = {variable}, .dir = dir});
	t_true("refused", t_process_wait(server) != 0);
	t_process_free(server);
}

static void put_kek(const char *label)
{
	char hex[65], path[T_DIR_MAX + 64], body[1024], answer[ANSWER], text[BASE64_ROOM(SEALED_KEK_LENGTH)];
	uint8_t box[SECRET_KEY], sealed[SEALED_KEK_LENGTH], key[16] = {7, 1};
	snprintf(path, sizeof path, "%s/keys/join-server.box.pub", dir);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(hex, sizeof hex, file));
	fclose(file);
	assert_true(hex_decode_exact(box, sizeof box, hex));
	assert_int_equal(ST_OK, sealed_kek_seal(sealed, box, label, 1, key));
	base64_encode(text, sealed, sizeof sealed);
	snprintf(body, sizeof body, "{\"version\":1,\"sealed\":\"%s\"}", text);
	snprintf(path, sizeof path, "/keks/%s", label);
	t_int("put", 200, t_unix_put(join_sock, path, body, answer, sizeof answer));
}

static bool has_kek(const char *label)
{
	char answer[ANSWER] = "", wanted[64];
	snprintf(wanted, sizeof wanted, "\"label\":\"%s\"", label);
	char *at = answer;
	t_int("asked", 200, t_unix_get(join_sock, "/keks", answer, sizeof answer));
	/* JSON of either spacing. */
	for (char *from = answer; *from; from++)
		if (*from != ' ')
			*at++ = *from;
	*at = '\0';
	return strstr(answer, wanted) != NULL;
}

static void a_file_that_clashes_with_a_kek_is_refused_by_a_reload(void **state)
{
	(void)state;
	char text[T_DIR_MAX + 128], path[T_DIR_MAX + 32];
	start(NULL);
	put_kek("parks");
	snprintf(path, sizeof path, "%s/parks.kek", dir);
	t_write_file(path, "0123456789abcdef");
	assert_int_equal(0, chmod(path, 0600));
	snprintf(text, sizeof text, "join-server: {keks: {parks: \"%s\"}}\n", path);
	configure(text);
	t_process_signal(server, SIGHUP);
	t_true("refused", t_wait_until(says, (void *)(uintptr_t) "configuration_refused", T_CEILING));
	t_true("it has the one that was put", has_kek("parks"));
	t_row("under the next number");
	snprintf(text, sizeof text, "join-server: {keks: {parks.2: \"%s\"}}\n", path);
	configure(text);
	t_process_signal(server, SIGHUP);
	t_true("taken",
	       t_wait_until(is_silent_about, (void *)(uintptr_t) "configuration_refused", T_CEILING));
	t_true("both", has_kek("parks"));
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"two_master_keys_are_told_until_the_new_one_came_from_systemd",
		 two_master_keys_are_told_until_the_new_one_came_from_systemd, open_dir, close_dir, NULL},
		{"a_file_that_clashes_with_a_kek_is_refused_by_a_reload",
		 a_file_that_clashes_with_a_kek_is_refused_by_a_reload, open_dir, close_dir, NULL},
	};
	return t_run(tests);
}
