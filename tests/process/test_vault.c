/* The vault of the real join server: another master key while joins go on, with kill -9 in the middle; exports that one key alone opens; a
 * passphrase that `lamppost up` hands over at the start and at the restart after a kill, and that stands nowhere. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/base/hex.h"
#include "common/crypto/aes.h"
#include "common/crypto/sealed_key.h"
#include "common/io/unix_socket.h"
#include "common/lorawan/join_frame.h"
#include "tests/harness/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CITY       "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define DEV_EUI    UINT64_C(0xa000000000000001)
#define JOIN_EUI   UINT64_C(0x0807060504030201)
#define PASSPHRASE "correct horse battery staple"
#define ANSWER     8192

static char dir[T_DIR_MAX], join_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48], config[T_DIR_MAX + 32];
static struct aes *aes;
static const struct lw_key app_key = {{0x5c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xe7}};

static int lamppost(const char *out, const char *arguments)
{
	char program[T_DIR_MAX + 256], line[4096];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(line, sizeof line, "exec %s %s >%s/%s 2>>%s/lamppost.err", program, arguments, dir, out,
		 dir);
	struct t_process *shell = t_process_start(&(struct t_process_options){
		.program = "/bin/sh", .arguments = {"-c", line}, .dir = dir, .name = "shell"});
	int code = t_process_wait(shell);
	t_process_free(shell);
	return code;
}

static const char *text_of(const char *name)
{
	static char text[65536];
	char path[T_DIR_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (file)
		fclose(file);
	text[length] = '\0';
	return text;
}

static void make_state(const char *more_config)
{
	char line[T_DIR_MAX + 64];
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(join_sock, sizeof join_sock, "%s/run/join.sock", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/join-server.admin.sock", dir);
	char text[2048];
	snprintf(text, sizeof text,
		 "common: {state_dir: \"%s\", run_dir: \"%s/run\"}\n"
		 "gateway-bridge: {udp_listen: [\"127.0.0.1:%u\"], station_listen: [], cups_listen: []}\n%s",
		 dir, dir, t_free_udp_port(), more_config);
	t_write_file(config, text);
	snprintf(line, sizeof line, "init -c %s", config);
	t_int("init", 0, lamppost("init.out", line));
}

static struct t_process *start_server(void)
{
	struct t_process *server = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", config}, .dir = dir});
	t_true("healthy", t_wait_until(t_is_healthy, admin_sock, T_CEILING));
	return server;
}

static int open_dir(void **state)
{
	t_temp_dir(dir);
	aes = aes_new();
	return secret_init() == ST_OK && aes ? t_setup(state) : -1;
}

static int close_dir(void **state)
{
	aes_free(aes);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* --- a device ---------------------------------------------------------------------------------------------------- */

static void provision(void)
{
	char hex[80], body[2048], answer[ANSWER], text[BASE64_ROOM(SEALED_KEY_LENGTH)];
	uint8_t public_key[SECRET_KEY], sealed[SEALED_KEY_LENGTH];
	struct lw_eui64 eui = lw_eui64_from_number(DEV_EUI);
	snprintf(hex, sizeof hex, "%.64s", text_of("keys/join-server.box.pub"));
	assert_true(hex_decode_exact(public_key, sizeof public_key, hex));
	assert_int_equal(sealed_key_seal(sealed, public_key, SEALED_APP_KEY, eui.bytes, app_key.bytes),
			 ST_OK);
	base64_encode(text, sealed, sizeof sealed);
	snprintf(
		body, sizeof body,
		"{\"city\":\"" CITY "\",\"full\":true,\"end\":true,\"records\":[{\"version\":1,"
		"\"dev_eui\":\"%016llx\",\"enabled\":true,\"join_eui\":\"%016llx\",\"mac_version\":\"1.0.4\","
		"\"app_key\":\"%s\"}]}",
		(unsigned long long)DEV_EUI, (unsigned long long)JOIN_EUI, text);
	t_int("provisioned", 200,
	      t_unix_post(join_sock, "/provisioning/v1/records", body, answer, sizeof answer));
}

static uint16_t dev_nonce;

/* False: no whole answer. */
static bool ask(struct bi_message *answer)
{
	struct bi_message request = {.envelope = {.type = BI_JOIN_REQ,
						  .sender_id = "000000",
						  .receiver_id = "0807060504030201",
						  .transaction_id = ++dev_nonce},
				     .join_req = {.mac_version = LW_MAC_1_0_4,
						  .phy_length = LW_JOIN_REQUEST_LENGTH,
						  .dev_eui = lw_eui64_from_number(DEV_EUI),
						  .dev_addr = {0x01020304},
						  .rx_delay = 5}};
	struct lw_join_request frame = {.join_eui = lw_eui64_from_number(JOIN_EUI),
					.dev_eui = request.join_req.dev_eui,
					.dev_nonce = dev_nonce};
	uint8_t mac[AES_BLOCK], *phy = request.join_req.phy_payload;
	lw_join_request_encode(&frame, phy);
	aes_cmac(aes, app_key.bytes, phy, LW_JOIN_REQUEST_LENGTH - 4, mac);
	memcpy(phy + LW_JOIN_REQUEST_LENGTH - 4, mac, 4);
	char text[BI_WRITTEN_MAX], body[ANSWER];
	struct bi_error error;
	bi_write(&request, text, sizeof text);
	return t_unix_post(join_sock, "/", text, body, sizeof body) == 200 &&
	       bi_read(body, strlen(body), answer, &error);
}

/* --- rotation ------------------------------------------------------------------------------------------------ */

struct rotating {
	unsigned rotations;
	atomic_bool over;
	int code;
};

static void *rotate(void *argument)
{
	struct rotating *rotating = argument;
	char line[T_DIR_MAX + 64];
	snprintf(line, sizeof line, "vault rotate -c %s", config);
	for (unsigned i = 0; i < rotating->rotations && rotating->code == 0; i++)
		rotating->code = lamppost("rotate.out", line);
	atomic_store(&rotating->over, true);
	return NULL;
}

static void joins_go_on_while_the_master_key_changes(void **state)
{
	(void)state;
	char line[T_DIR_MAX + 64];
	struct bi_message answer = {0};
	make_state("");
	struct t_process *server = start_server();
	provision();
	char before[SECRET_KEY];
	memcpy(before, text_of("keys/join-server.master"), sizeof before);
	struct rotating rotating = {.rotations = 4};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, rotate, &rotating), 0);
	unsigned joins = 0, refused = 0;
	while (!atomic_load(&rotating.over) || joins < 20) {
		bool answered = ask(&answer);
		refused += !answered || answer.envelope.result != BI_SUCCESS;
		joins++;
	}
	pthread_join(thread, NULL);
	t_int("rotated", 0, rotating.code);
	t_uint("joins that were not accepted", 0, refused);
	t_true("another key stands in the file",
	       memcmp(before, text_of("keys/join-server.master"), sizeof before) != 0);
	/* And kill -9 wherever the server is just then. */
	for (unsigned round = 0; round < 6; round++) {
		struct rotating killed = {.rotations = 100};
		assert_int_equal(pthread_create(&thread, NULL, rotate, &killed), 0);
		for (unsigned i = 0; i < 20 + 13 * round; i++)
			(void)ask(&answer);
		t_process_kill(server);
		t_process_free(server);
		pthread_join(thread, NULL);
		server = start_server();
		t_true("answers", ask(&answer));
		t_int("a join after the kill", BI_SUCCESS, answer.envelope.result);
	}
	snprintf(line, sizeof line, "vault status -c %s", config);
	t_int("status", 0, lamppost("status.out", line));
	t_true("one master key opens it", strstr(text_of("status.out"), "two keys open") == NULL);
	snprintf(line, sizeof line, "vault audit -c %s", config);
	t_int("the chain holds over the kills", 0, lamppost("audit.out", line));
	t_true("rotations stand in it", strstr(text_of("audit.out"), " rotate ") != NULL);
	t_true("rotations are counted", t_metric(admin_sock, "lamppost_join_vault_master_keys") == 1);
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
}

/* Takes what is sent, and answers nothing. */
static void *hang_up(void *listener)
{
	char some[4096];
	for (int fd; (fd = accept(*(const int *)listener, NULL, NULL)) >= 0; close(fd))
		if (read(fd, some, sizeof some) < 0)
			break;
	return NULL;
}

static void a_rotation_without_an_answer_says_where_to_look(void **state)
{
	(void)state;
	char line[T_DIR_MAX + 64];
	int listener;
	pthread_t thread;
	make_state("");
	assert_int_equal(ST_OK, io_unix_bind(join_sock, &listener));
	assert_int_equal(0, fcntl(listener, F_SETFL, 0)); /* the thread waits */
	assert_int_equal(0, listen(listener, 1));
	assert_int_equal(pthread_create(&thread, NULL, hang_up, &listener), 0);
	snprintf(line, sizeof line, "vault rotate -c %s", config);
	t_int("failed", 1, lamppost("rotate.out", line));
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	t_true("said", strstr(text_of("lamppost.err"), "may have changed") != NULL);
	close(listener);
	snprintf(line, sizeof line, "%s/lamppost.err", dir);
	t_write_file(line, "");
	snprintf(line, sizeof line, "vault rotate -c %s", config);
	t_row("and where nobody listened, nothing can have changed");
	t_int("not reached", 5, lamppost("rotate.out", line));
	t_true("not said", strstr(text_of("lamppost.err"), "may have changed") == NULL);
}

/* --- exports ----------------------------------------------------------------------------------------------------- */

static void an_export_opens_with_one_key_alone(void **state)
{
	(void)state;
	char line[4 * T_DIR_MAX + 256], key_hex[33];
	make_state("");
	struct t_process *server = start_server();
	provision();
	hex_encode(key_hex, app_key.bytes, 16);
	snprintf(line, sizeof line, "vault keypair %s/move.key", dir);
	t_int("keypair", 0, lamppost("pair.out", line));
	snprintf(line, sizeof line, "vault keypair %s/other.key", dir);
	t_int("another", 0, lamppost("pair.out", line));
	snprintf(line, sizeof line, "vault export -c %s --to %s/move.key.pub --all", config, dir);
	t_int("export", 0, lamppost("city.export", line));
	t_true("not in clear", strstr(text_of("city.export"), key_hex) == NULL);
	snprintf(line, sizeof line, "vault open %s/city.export --key %s/move.key", dir, dir);
	t_int("open", 0, lamppost("open.csv", line));
	t_true("the device", strstr(text_of("open.csv"), "a000000000000001") != NULL);
	t_true("its key", strstr(text_of("open.csv"), key_hex) != NULL);
	snprintf(line, sizeof line, "vault open %s/city.export --key %s/other.key", dir, dir);
	t_int("with another key", 4, lamppost("other.csv", line));
	t_true("nothing of it", strstr(text_of("other.csv"), key_hex) == NULL);
	/* Cut behind its first page. */
	char cut[T_DIR_MAX + 32], whole[8192];
	snprintf(whole, sizeof whole, "%s", text_of("city.export"));
	char *end = strstr(whole, "{\"end\"");
	assert_non_null(end);
	*end = '\0';
	snprintf(cut, sizeof cut, "%s/cut.export", dir);
	t_write_file(cut, whole);
	snprintf(line, sizeof line, "vault open %s --key %s/move.key", cut, dir);
	t_int("cut", 1, lamppost("cut.csv", line));
	snprintf(line, sizeof line, "vault export -c %s --to %s/move.key.pub --device 1122334455667788",
		 config, dir);
	t_int("no such device", 3, lamppost("none.export", line));
	snprintf(line, sizeof line, "vault audit -c %s", config);
	t_int("audit", 0, lamppost("audit.out", line));
	t_true("the export stands in it",
	       strstr(text_of("audit.out"), "root keys and nonces of 1 devices, sealed to") != NULL);
	t_int("orderly stop", 0, t_process_stop(server));
	t_process_free(server);
}

/* --- a passphrase ------------------------------------------------------------------------------------------------ */

static struct t_process *up(const char *passphrase)
{
	char program[T_DIR_MAX + 256], line[4096], path[T_DIR_MAX + 32];
	snprintf(path, sizeof path, "%s/phrase", dir);
	t_write_file(path, passphrase);
	t_program_path(program, sizeof program, "lamppost");
	snprintf(line, sizeof line, "exec %s up -c %s --passphrase-fd 0 <%s", program, config, path);
	return t_process_start(&(struct t_process_options){
		.program = "/bin/sh", .arguments = {"-c", line}, .dir = dir, .name = "up"});
}

static bool is_another_process(void *ctx)
{
	char body[ANSWER];
	const int *old = ctx;
	if (t_unix_get(admin_sock, "/healthz", body, sizeof body) != 200)
		return false;
	const char *at = strstr(body, "\"pid\":");
	return at && strtol(at + 6, NULL, 10) != *old;
}

static int server_pid(void)
{
	char body[ANSWER];
	t_unix_get(admin_sock, "/healthz", body, sizeof body);
	const char *at = strstr(body, "\"pid\":");
	return at ? (int)strtol(at + 6, NULL, 10) : 0;
}

/* Neither what it was started with, nor what it said. */
static void stands_nowhere(int pid, const char *phrase)
{
	static const char *const names[] = {"cmdline", "environ"};
	static char bytes[65536];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/%s", pid, names[i]);
		FILE *file = fopen(path, "r");
		size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
		if (file)
			fclose(file);
		t_true(names[i], memmem(bytes, length, phrase, strlen(phrase)) == NULL);
	}
	t_true("what was said", strstr(text_of("up.log"), phrase) == NULL);
}

static void a_passphrase_opens_the_vault_and_a_restart_needs_nobody(void **state)
{
	(void)state;
	int none = 0;
	make_state("join-server: {master_key: passphrase}\n");
	t_true("no master key stands in a file", text_of("keys/join-server.master")[0] == '\0' &&
							 text_of("keys/join-server.box.pub")[0] != '\0');
	struct t_process *network = up(PASSPHRASE "\n");
	assert_true(t_wait_until(is_another_process, &none, T_CEILING));
	int first = server_pid();
	stands_nowhere(first, PASSPHRASE);
	stands_nowhere(t_process_pid(network), PASSPHRASE);
	kill(first, SIGKILL);
	t_true("again, and nobody was asked", t_wait_until(is_another_process, &first, T_CEILING));
	t_int("orderly stop", 0, t_process_stop(network));
	t_process_free(network);
	network = up("another phrase altogether\n");
	t_int("a wrong one refuses the start", 4, t_process_wait(network));
	t_process_free(network);
	network = up(PASSPHRASE "\n");
	t_true("the right one", t_wait_until(is_another_process, &none, T_CEILING));
	t_int("orderly stop", 0, t_process_stop(network));
	t_process_free(network);
}

int main(void)
{
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_DIR(joins_go_on_while_the_master_key_changes),
		IN_DIR(a_rotation_without_an_answer_says_where_to_look),
		IN_DIR(an_export_opens_with_one_key_alone),
		IN_DIR(a_passphrase_opens_the_vault_and_a_restart_needs_nobody),
	};
	return t_run(tests);
}
