/* Devices change their join server: joined at A, exported, imported at B by the real programs. What was used at A is refused at B, and its JoinNonces
 * go on above A's; with B killed in the middle of an import, and the file sent again, it is whole. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/base/hex.h"
#include "common/crypto/aes.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/join_frame.h"
#include "tests/harness/process.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CITY     "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define DEV_EUI  UINT64_C(0xa000000000000001)
#define JOIN_EUI UINT64_C(0x0807060504030201)
#define DEVICES  230 /* three pages */
#define ANSWER   8192

struct place {
	char dir[T_DIR_MAX], config[T_DIR_MAX + 32], join_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48];
	struct t_process *server;
};
static struct place a, b;
static struct aes *aes;
static const struct lw_key app_key = {{0x5c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xe7}};

static int lamppost(const struct place *place, const char *out, const char *arguments)
{
	char program[T_DIR_MAX + 256], line[4096];
	t_program_path(program, sizeof program, "lamppost");
	snprintf(line, sizeof line, "exec %s %s -c %s >%s/%s 2>%s/said.err", program, arguments,
		 place->config, place->dir, out, place->dir);
	struct t_process *shell = t_process_start(&(struct t_process_options){
		.program = "/bin/sh", .arguments = {"-c", line}, .dir = place->dir, .name = "shell"});
	int code = t_process_wait(shell);
	t_process_free(shell);
	return code;
}

static const char *text_of(const struct place *place, const char *name)
{
	static char text[65536];
	char path[T_DIR_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", place->dir, name);
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (file)
		fclose(file);
	text[length] = '\0';
	return text;
}

static void start(struct place *place)
{
	place->server = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", place->config}, .dir = place->dir});
	t_true("healthy", t_wait_until(t_is_healthy, place->admin_sock, T_CEILING));
}

static void found(struct place *place)
{
	char text[2048];
	t_temp_dir(place->dir);
	snprintf(place->config, sizeof place->config, "%s/lamppost.yaml", place->dir);
	snprintf(place->join_sock, sizeof place->join_sock, "%s/run/join.sock", place->dir);
	snprintf(place->admin_sock, sizeof place->admin_sock, "%s/run/join-server.admin.sock", place->dir);
	snprintf(text, sizeof text,
		 "common: {state_dir: \"%s\", run_dir: \"%s/run\"}\n"
		 "gateway-bridge: {udp_listen: [\"127.0.0.1:%u\"], station_listen: [], cups_listen: []}\n",
		 place->dir, place->dir, t_free_udp_port());
	t_write_file(place->config, text);
	t_int("init", 0, lamppost(place, "init.out", "init"));
	start(place);
}

static int open_places(void **state)
{
	if (secret_init() != ST_OK || !(aes = aes_new()))
		return -1;
	t_setup(state);
	found(&a);
	found(&b);
	return 0;
}

static void leave(struct place *place)
{
	t_int("orderly stop", 0, t_process_stop(place->server));
	t_process_free(place->server);
	t_temp_dir_remove(place->dir);
}

static int close_places(void **state)
{
	leave(&a);
	leave(&b);
	aes_free(aes);
	return t_teardown(state);
}

/* --- devices: odd ones are 1.0.3, with DevNonces at random; even ones count ----------------------------------- */

static struct lw_eui64 eui_of(unsigned i)
{
	return lw_eui64_from_number(DEV_EUI + i);
}

static enum lw_mac_version version_of(unsigned i)
{
	return i % 2 ? LW_MAC_1_0_3 : LW_MAC_1_0_4;
}

static void provision(const struct place *place)
{
	char hex[80], answer[ANSWER], text[BASE64_ROOM(SEALED_KEY_LENGTH)];
	uint8_t public_key[SECRET_KEY], sealed[SEALED_KEY_LENGTH];
	snprintf(hex, sizeof hex, "%.64s", text_of(place, "keys/join-server.box.pub"));
	assert_true(hex_decode_exact(public_key, sizeof public_key, hex));
	json_t *records = json_array();
	for (unsigned i = 0; i < DEVICES; i++) {
		char eui[LW_EUI64_TEXT];
		struct lw_eui64 dev_eui = eui_of(i);
		assert_int_equal(
			sealed_key_seal(sealed, public_key, SEALED_APP_KEY, dev_eui.bytes, app_key.bytes),
			ST_OK);
		base64_encode(text, sealed, sizeof sealed);
		lw_eui64_format(eui, &dev_eui);
		json_array_append_new(
			records, json_pack("{s:i, s:s, s:b, s:s, s:s, s:s}", "version", (int)i + 1, "dev_eui",
					   eui, "enabled", 1, "join_eui", "0807060504030201", "mac_version",
					   lw_mac_version_name(version_of(i)), "app_key", text));
	}
	json_t *body = json_pack("{s:s, s:b, s:b, s:o}", "city", CITY, "full", 1, "end", 1, "records",
				 records);
	char *written = json_dumps(body, JSON_COMPACT);
	t_int("provisioned", 200,
	      t_unix_post(place->join_sock, "/provisioning/v1/records", written, answer, sizeof answer));
	free(written);
	json_decref(body);
}

/* The JoinNonce of its accept; 0: refused. */
static uint32_t join(const struct place *place, unsigned i, uint16_t dev_nonce)
{
	static uint32_t transaction;
	static struct bi_message answer;
	struct bi_message request = {.envelope = {.type = BI_JOIN_REQ,
						  .sender_id = "000000",
						  .receiver_id = "0807060504030201",
						  .transaction_id = ++transaction},
				     .join_req = {.mac_version = version_of(i),
						  .phy_length = LW_JOIN_REQUEST_LENGTH,
						  .dev_eui = eui_of(i),
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
	struct lw_join_accept accept;
	bi_write(&request, text, sizeof text);
	t_int("asked", 200, t_unix_post(place->join_sock, "/", text, body, sizeof body));
	t_true("answered", bi_read(body, strlen(body), &answer, &error));
	struct bi_join_ans *ans = &answer.join_ans;
	if (answer.envelope.result != BI_SUCCESS ||
	    lw_join_accept_decrypt(aes, &app_key, ans->phy_payload, ans->phy_length) != LW_OK ||
	    lw_join_accept_parse(&accept, ans->phy_payload, ans->phy_length) != LW_OK)
		return 0;
	return accept.join_nonce;
}

/* --- the move ---------------------------------------------------------------------------------------------------- */

static json_int_t count(const char *member)
{
	json_t *answer = json_loads(text_of(&b, "import.json"), 0, NULL);
	json_int_t value = json_integer_value(json_object_get(answer, member));
	json_decref(answer);
	return value;
}

static int import(const char *more)
{
	char line[3 * T_DIR_MAX + 128];
	snprintf(line, sizeof line, "vault import %s/city.export --key %s/move.key --json %s", a.dir, b.dir,
		 more);
	return lamppost(&b, "import.json", line);
}

static void *import_in_between(void *argument)
{
	*(int *)argument = import("");
	return NULL;
}

/* Wherever in the import it happens to be; the last is not killed. */
static void import_with_kills(void)
{
	for (unsigned round = 0; round < 4; round++) {
		pthread_t thread;
		int code = 0;
		assert_int_equal(pthread_create(&thread, NULL, import_in_between, &code), 0);
		usleep(20000 + 15000 * round);
		t_process_kill(b.server);
		t_process_free(b.server);
		pthread_join(thread, NULL);
		t_true("done, or the server was gone", code == 0 || code == 1 || code == 5);
		start(&b);
	}
	t_int("again, to the end", 0, import(""));
	t_int("devices", DEVICES, count("devices"));
	t_int("all of them", DEVICES, count("changed") + count("known"));
	t_int("not registered yet", DEVICES, count("unregistered"));
}

static void files_that_are_none(void)
{
	static char whole[65536];
	char path[T_DIR_MAX + 32], line[3 * T_DIR_MAX + 128];
	snprintf(whole, sizeof whole, "%s", text_of(&a, "city.export"));
	char *end = strstr(whole, "{\"end\"");
	assert_non_null(end);
	*end = '\0';
	snprintf(path, sizeof path, "%s/cut.export", b.dir);
	t_write_file(path, whole);
	snprintf(line, sizeof line, "vault import %s --key %s/move.key", path, b.dir);
	t_int("cut", 1, lamppost(&b, "cut.out", line));
	snprintf(line, sizeof line, "vault import %s/city.export", a.dir);
	t_int("sealed to the key, and sent as it is", 4, lamppost(&b, "cut.out", line));
	snprintf(line, sizeof line, "vault import %s/none --key %s/move.key", b.dir, b.dir);
	t_int("no file", 3, lamppost(&b, "cut.out", line));
	t_row("exported to B's own box");
	snprintf(line, sizeof line, "vault export --to %s/keys/join-server.box.pub --device a000000000000001",
		 b.dir);
	t_int("export", 0, lamppost(&a, "one.export", line));
	snprintf(line, sizeof line, "vault import %s/one.export", a.dir);
	t_int("import needs no key", 0, lamppost(&b, "one.out", line));
}

static void what_was_used_at_a_is_used_at_b(void **state)
{
	(void)state;
	char line[3 * T_DIR_MAX + 128], key_hex[33];
	const uint16_t used[] = {9, 40, 51};
	uint32_t highest = 0;
	provision(&a);
	for (unsigned i = 0; i < DEVICES; i += 37)
		for (size_t k = 0; k < ARRAY_SIZE(used); k++) {
			uint32_t join_nonce = join(&a, i, used[k]);
			t_uint("JoinNonce at A", k + 1, join_nonce);
			highest = join_nonce > highest ? join_nonce : highest;
		}
	t_row("the export");
	snprintf(line, sizeof line, "%s/move.key", b.dir);
	struct t_process *pair = t_process_start(
		&(struct t_process_options){.program = "lamppost",
					    .arguments = {"vault", "keypair", line},
					    .dir = b.dir,
					    .name = "pair"});
	t_int("keypair", 0, t_process_wait(pair));
	t_process_free(pair);
	snprintf(line, sizeof line, "vault export --to %s/move.key.pub --all", b.dir);
	t_int("export", 0, lamppost(&a, "city.export", line));
	hex_encode(key_hex, app_key.bytes, 16);
	t_true("not in clear", strstr(text_of(&a, "city.export"), key_hex) == NULL);
	t_row("the import, before the devices are registered");
	import_with_kills();
	t_row("registered at B");
	provision(&b);
	for (unsigned i = 0; i < DEVICES; i += 37) {
		for (size_t k = 0; k < ARRAY_SIZE(used); k++)
			t_uint("played again", 0, join(&b, i, used[k]));
		t_true("its next join, above all before", join(&b, i, 60) > highest + 4096 - 1);
	}
	t_true("one that never joined", join(&b, 1, 9) > 0);
	t_row("a second import");
	t_int("import", 0, import(""));
	t_int("changed", 0, count("changed"));
	t_int("known", DEVICES, count("known"));
	t_uint("and joins go on", 4096 + 3 + 2, join(&b, 37, 61));
	t_row("the audits");
	t_int("A's", 0, lamppost(&a, "audit.out", "vault audit"));
	t_true("the export", strstr(text_of(&a, "audit.out"), "sealed to") != NULL);
	t_int("B's", 0, lamppost(&b, "audit.out", "vault audit"));
	t_true("the import",
	       strstr(text_of(&b, "audit.out"), "nonces of 100 devices: 0 changed, 100 known") != NULL);
	files_that_are_none();
}

int main(void)
{
	const struct CMUnitTest tests[] = {{"what_was_used_at_a_is_used_at_b",
					    what_was_used_at_a_is_used_at_b, open_places, close_places,
					    NULL}};
	return t_run(tests);
}
