/* The real join server on a real join.sock: records sealed as the command line seals them, joins of every version as a
 * device sees them, callers that may not, key files that are not right, and kill -9 in a stream of joins: no JoinNonce is
 * given twice and no DevNonce accepted twice. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/base/hex.h"
#include "common/base/rng.h"
#include "common/crypto/aes.h"
#include "common/crypto/sealed_key.h"
#include "common/io/key_file.h"
#include "common/lorawan/join_frame.h"
#include "tests/harness/process.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CITY     "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define JOIN_EUI UINT64_C(0x0807060504030201)
#define DEVICES  6
#define ROUNDS   12
#define NONCES   4000
#define ANSWER   8192

static char dir[T_DIR_MAX], join_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48], config[T_DIR_MAX + 32];
static struct aes *aes;
static struct t_process *server;

/* --- the server ---------------------------------------------------------------------------------------------- */

static void make_state(const char *more_config)
{
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", dir}, .dir = dir});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	FILE *file = fopen(config, "a");
	assert_non_null(file);
	fputs(more_config, file);
	fclose(file);
	snprintf(join_sock, sizeof join_sock, "%s/run/join.sock", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/join-server.admin.sock", dir);
}

static struct t_process *spawn(void)
{
	return t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", config}, .dir = dir});
}

static void start(void)
{
	server = spawn();
	if (!t_true("healthy", t_wait_until(t_is_healthy, admin_sock, T_CEILING))) {
		static char log[4096];
		fputs(t_process_log(server, log, sizeof log), stderr);
	}
}

static int open_dir(void **state)
{
	t_temp_dir(dir);
	aes = aes_new();
	return secret_init() == ST_OK && aes ? t_setup(state) : -1;
}

static int close_dir(void **state)
{
	if (server)
		t_process_free(server);
	server = NULL;
	aes_free(aes);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* --- the city ------------------------------------------------------------------------------------------------ */

static struct lw_key root_key(unsigned device, enum sealed_key_kind kind)
{
	struct lw_key key;
	memset(key.bytes, 0x40 + (int)device, sizeof key.bytes);
	key.bytes[0] = (uint8_t)kind;
	return key;
}

static void seal(char text[BASE64_ROOM(SEALED_KEY_LENGTH)], unsigned device, uint64_t dev_eui,
		 enum sealed_key_kind kind)
{
	char path[T_DIR_MAX + 64], hex[80] = "";
	uint8_t public_key[SECRET_KEY], sealed[SEALED_KEY_LENGTH];
	snprintf(path, sizeof path, "%s/keys/join-server.box.pub", dir);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(hex, sizeof hex, file));
	fclose(file);
	hex[64] = '\0';
	assert_true(hex_decode_exact(public_key, sizeof public_key, hex));
	struct lw_eui64 eui = lw_eui64_from_number(dev_eui);
	struct lw_key key = root_key(device, kind);
	assert_int_equal(sealed_key_seal(sealed, public_key, kind, eui.bytes, key.bytes), ST_OK);
	base64_encode(text, sealed, sizeof sealed);
}

static enum lw_mac_version version_of(unsigned device)
{
	static const enum lw_mac_version versions[] = {LW_MAC_1_0_3, LW_MAC_1_0_4, LW_MAC_1_1_0};
	return versions[device % 3];
}

static uint64_t eui_of(unsigned device)
{
	return 0xa000000000000000 + device;
}

static int provision(void)
{
	static char body[16384], answer[ANSWER];
	char app_key[BASE64_ROOM(SEALED_KEY_LENGTH)], nwk_key[BASE64_ROOM(SEALED_KEY_LENGTH)];
	size_t used = (size_t)snprintf(body, sizeof body,
				       "{\"city\":\"" CITY "\",\"full\":true,\"end\":true,\"records\":[");
	for (unsigned i = 0; i < DEVICES; i++) {
		seal(app_key, i, eui_of(i), SEALED_APP_KEY);
		seal(nwk_key, i, eui_of(i), SEALED_NWK_KEY);
		used += (size_t)snprintf(
			body + used, sizeof body - used,
			"%s{\"version\":%u,\"dev_eui\":\"%016llx\",\"enabled\":true,\"join_eui\":"
			"\"%016llx\",\"mac_version\":\"%s\",\"app_key\":\"%s\",\"nwk_key\":\"%s\"}",
			i ? "," : "", i + 1, (unsigned long long)eui_of(i), (unsigned long long)JOIN_EUI,
			lw_mac_version_name(version_of(i)), app_key, nwk_key);
	}
	snprintf(body + used, sizeof body - used, "]}");
	int code = t_unix_post(join_sock, "/provisioning/v1/records", body, answer, sizeof answer);
	if (code == 200)
		t_str("applied", "{\"applied_version\":6,\"refused\":[]}", answer);
	return code;
}

/* --- the devices --------------------------------------------------------------------------------------------- */

static uint32_t transaction = 1;

static struct lw_key join_key(unsigned device)
{
	return root_key(device, version_of(device) >= LW_MAC_1_1_0 ? SEALED_NWK_KEY : SEALED_APP_KEY);
}

/* Asks for a join; false when no whole answer came. `join_nonce` is what the device decrypts, when the result is Success. */
static bool ask(unsigned device, uint16_t dev_nonce, struct bi_message *answer, uint32_t *join_nonce)
{
	struct bi_message request = {
		.envelope = {.type = BI_JOIN_REQ,
			     .sender_id = "000000",
			     .receiver_id = "0807060504030201",
			     .transaction_id = transaction++},
		.join_req = {.mac_version = version_of(device),
			     .phy_length = LW_JOIN_REQUEST_LENGTH,
			     .dev_eui = lw_eui64_from_number(eui_of(device)),
			     .dev_addr = {0x01020304},
			     .dl_settings = version_of(device) >= LW_MAC_1_1_0 ? 0x80 : 0,
			     .rx_delay = 5}};
	struct lw_join_request frame = {.join_eui = lw_eui64_from_number(JOIN_EUI),
					.dev_eui = request.join_req.dev_eui,
					.dev_nonce = dev_nonce};
	struct lw_key key = join_key(device);
	uint8_t mac[AES_BLOCK], *phy = request.join_req.phy_payload;
	lw_join_request_encode(&frame, phy);
	aes_cmac(aes, key.bytes, phy, LW_JOIN_REQUEST_LENGTH - 4, mac);
	memcpy(phy + LW_JOIN_REQUEST_LENGTH - 4, mac, 4);
	char text[BI_WRITTEN_MAX], body[ANSWER];
	bi_write(&request, text, sizeof text);
	struct bi_error error;
	if (t_unix_post(join_sock, "/", text, body, sizeof body) != 200 ||
	    !bi_read(body, strlen(body), answer, &error))
		return false;
	if (answer->envelope.result != BI_SUCCESS)
		return true;
	struct lw_join_accept accept;
	t_int("decrypt", LW_OK,
	      lw_join_accept_decrypt(aes, &key, answer->join_ans.phy_payload, answer->join_ans.phy_length));
	t_int("parse", LW_OK,
	      lw_join_accept_parse(&accept, answer->join_ans.phy_payload, answer->join_ans.phy_length));
	t_uint("dev_addr", 0x01020304, accept.dev_addr.value);
	*join_nonce = accept.join_nonce;
	return true;
}

/* --- where no key may stand ---------------------------------------------------------------------------------- */

static bool holds(const char *bytes, size_t length, const struct lw_key *key)
{
	char hex[33], base64[BASE64_ROOM(16)];
	hex_encode(hex, key->bytes, sizeof key->bytes);
	base64_encode(base64, key->bytes, sizeof key->bytes);
	return memmem(bytes, length, key->bytes, sizeof key->bytes) || memmem(bytes, length, hex, 32) ||
	       memmem(bytes, length, base64, 22);
}

/* Looks through every file of the state directory, its logs among them. */
static unsigned files_that_hold(const struct lw_key *key, unsigned *looked_at)
{
	static char bytes[8 << 20];
	unsigned found = 0;
	DIR *folder = opendir(dir);
	assert_non_null(folder);
	/* cppcheck-suppress readdirCalled */
	for (struct dirent *entry; (entry = readdir(folder));) {
		char path[T_DIR_MAX + 300];
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		FILE *file = entry->d_type == DT_REG ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		size_t length = fread(bytes, 1, sizeof bytes, file);
		fclose(file);
		++*looked_at;
		found += holds(bytes, length, key);
	}
	closedir(folder);
	return found;
}

static struct lw_key unwrap(const char *kek_file, const struct bi_key_envelope *envelope)
{
	char path[T_DIR_MAX + 64];
	uint8_t kek[16];
	struct lw_key key = {{0}};
	snprintf(path, sizeof path, "%s/keys/%s", dir, kek_file);
	assert_int_equal(key_file_read(path, kek, sizeof kek), KEY_FILE_OK);
	t_int("unwraps", AES_WRAP_OK,
	      aes_unwrap(kek, sizeof kek, envelope->key, envelope->length, key.bytes));
	return key;
}

/* --- tests --------------------------------------------------------------------------------------------------- */

static void joins_of_every_version(void **state)
{
	(void)state;
	make_state("");
	start();
	t_int("provisioned", 200, provision());
	for (unsigned device = 0; device < 3; device++) {
		t_row(lw_mac_version_name(version_of(device)));
		struct bi_message answer = {0};
		uint32_t join_nonce = 0;
		assert_true(ask(device, 7, &answer, &join_nonce));
		t_int("result", BI_SUCCESS, answer.envelope.result);
		t_uint("join_nonce", 1, join_nonce);
		const struct bi_join_ans *ans = &answer.join_ans;
		bool is_1_1 = version_of(device) >= LW_MAC_1_1_0;
		t_uint("NwkSKey", is_1_1 ? 0 : BI_KEY_WRAPPED, ans->nwk_s_key.length);
		t_uint("NwkSEncKey", is_1_1 ? BI_KEY_WRAPPED : 0, ans->nwk_s_enc_key.length);
		t_str("network label", "network", is_1_1 ? ans->nwk_s_enc_key.label : ans->nwk_s_key.label);
		t_str("application label", "application", ans->app_s_key.label);
		assert_true(ask(device, 7, &answer, &join_nonce));
		t_int("the same again", BI_JOIN_REQ_FAILED, answer.envelope.result);
	}
	t_row("counters");
	t_int("accepted", 3, t_metric(admin_sock, "lamppost_join_messages_total{verdict=\"accepted\"}"));
	t_int("late copies", 3, t_metric(admin_sock, "lamppost_join_messages_total{verdict=\"late_copy\"}"));
	t_int("orderly stop", 0, t_process_stop(server));
}

static void no_key_stands_in_clear_anywhere(void **state)
{
	(void)state;
	make_state("");
	char text[1024];
	snprintf(text, sizeof text,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s/run\"\n  log_level: debug\n", dir, dir);
	t_write_file(config, text);
	start();
	t_int("provisioned", 200, provision());
	struct bi_message answer = {0};
	uint32_t join_nonce = 0;
	assert_true(ask(0, 1, &answer, &join_nonce));
	const struct lw_key keys[] = {
		root_key(0, SEALED_APP_KEY), root_key(2, SEALED_NWK_KEY),
		unwrap("kek-network.network-server", &answer.join_ans.nwk_s_key),
		unwrap("kek-application.application-server", &answer.join_ans.app_s_key)};
	assert_true(ask(2, 1, &answer, &join_nonce));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		unsigned looked_at = 0;
		t_uint("files that hold a key", 0, files_that_hold(&keys[i], &looked_at));
		t_true("database, WAL, logs and configuration were looked at", looked_at >= 4);
	}
}

static void bad_input_harms_nobody(void **state)
{
	(void)state;
	make_state("");
	start();
	static char big[70000], body[ANSWER];
	memset(big, ' ', sizeof big - 1);
	big[0] = '{';
	t_int("over 32 KB", 413, t_unix_post(join_sock, "/", big, body, sizeof body));
	t_int("no JSON", 400, t_unix_post(join_sock, "/", "hello", body, sizeof body));
	t_true("names the field", strstr(body, "\"detail\"") != NULL);
	t_int("no records", 422, t_unix_post(join_sock, "/provisioning/v1/records", "{}", body, sizeof body));
	t_int("another city", 409,
	      t_unix_post(join_sock, "/provisioning/v1/records", "{\"city\":\"" CITY "\",\"records\":[]}",
			  body, sizeof body));
	t_int("no such path", 404, t_unix_get(join_sock, "/keys", body, sizeof body));
	t_int("state", 200, t_unix_get(join_sock, "/provisioning/v1/state", body, sizeof body));
	t_str("untouched", "{\"city\":\"\",\"applied_version\":0}", body);
	t_int("counted", 2, t_metric(admin_sock, "lamppost_join_messages_total{verdict=\"unreadable\"}"));
}

static void callers_may_do_what_the_table_says(void **state)
{
	(void)state;
	char body[ANSWER];
	make_state("join-server:\n  callers:\n    provisioning: \"54321\"\n");
	start();
	t_int("we may not provision", 403, provision());
	t_int("nor look", 403, t_unix_get(join_sock, "/provisioning/v1/state", body, sizeof body));
	struct bi_message answer = {0};
	uint32_t join_nonce = 0;
	t_true("we may join", ask(0, 1, &answer, &join_nonce));
	t_int("a device that is not there", BI_UNKNOWN_DEV_EUI, answer.envelope.result);
}

static void key_files_that_are_not_right_refuse_the_start(void **state)
{
	(void)state;
	static const struct {
		const char *name, *file;
		int mode; /* chmod; 0: removed; −1: cut */
	} rows[] = {
		{"the master key is open to the group", "join-server.master", 0640},
		{"the box key is open to others", "join-server.box", 0604},
		{"a KEK is missing", "kek-network.join-server", 0},
		{"the master key is missing", "join-server.master", 0},
		{"a KEK is too short", "kek-application.join-server", -1},
	};
	make_state("");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char path[T_DIR_MAX + 64], aside[T_DIR_MAX + 80];
		snprintf(path, sizeof path, "%s/keys/%s", dir, rows[i].file);
		snprintf(aside, sizeof aside, "%s.aside", path);
		if (rows[i].mode > 0)
			assert_int_equal(chmod(path, (mode_t)rows[i].mode), 0);
		else
			assert_int_equal(rename(path, aside), 0);
		if (rows[i].mode < 0) {
			t_write_file(path, "short");
			assert_int_equal(chmod(path, 0600), 0);
		}
		struct t_process *refused = spawn();
		t_int("exit code", 1, t_process_wait(refused));
		t_process_free(refused);
		if (rows[i].mode > 0)
			assert_int_equal(chmod(path, 0600), 0);
		else
			assert_int_equal(rename(aside, path), 0);
	}
	t_row("all right again");
	start();
}

/* What the devices know, over all the kills. */
static struct {
	bool accepted[65536];
	uint16_t order[NONCES];
	unsigned count;
	uint32_t join_nonce; /* the last one decrypted */
	uint16_t next;       /* DevNonce */
} devices[DEVICES];

/* Kills while the next question is asked: after so many answers, at whatever point of the server's turn that is. */
struct killer {
	struct t_process *victim;
	const atomic_uint *answered;
	unsigned enough;
};

static bool has_answered_enough(void *ctx)
{
	const struct killer *killer = ctx;
	return atomic_load(killer->answered) >= killer->enough;
}

static void *kill_after(void *argument)
{
	struct killer *killer = argument;
	(void)t_wait_until(has_answered_enough, killer, T_CEILING);
	t_process_signal(killer->victim, SIGKILL);
	return NULL;
}

static void note_join(unsigned device, uint16_t dev_nonce, uint32_t join_nonce)
{
	if (devices[device].accepted[dev_nonce])
		t_true("a DevNonce was accepted twice", false);
	if (join_nonce <= devices[device].join_nonce)
		t_true("a JoinNonce did not increase", false);
	devices[device].accepted[dev_nonce] = true;
	devices[device].join_nonce = join_nonce;
	if (devices[device].count < NONCES)
		devices[device].order[devices[device].count++] = dev_nonce;
}

/* One question of a random device: a new join, or a replay of one that was accepted. False: no answer. */
static bool one_question(struct rng *rng)
{
	unsigned device = rng_below(rng, DEVICES);
	bool replay = devices[device].count > 0 && rng_below(rng, 4) == 0;
	/* 65,536 random numbers in a cycle for 1.0.3, a counter from 1.0.4 on. */
	uint16_t dev_nonce = replay ? devices[device].order[rng_below(rng, devices[device].count)]
			     : version_of(device) == LW_MAC_1_0_3 ? (uint16_t)(devices[device].next * 40503u)
								  : devices[device].next;
	if (!replay)
		devices[device].next++;
	struct bi_message answer;
	uint32_t join_nonce = 0;
	if (!ask(device, dev_nonce, &answer, &join_nonce))
		return false;
	if (answer.envelope.result == BI_SUCCESS)
		note_join(device, dev_nonce, join_nonce);
	else if (!replay)
		t_true("a new join was refused", false);
	return true;
}

static void kill_9_at_random_moments_repeats_no_nonce(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(20);
	memset(devices, 0, sizeof devices);
	for (unsigned i = 0; i < DEVICES; i++)
		devices[i].next = 1;
	make_state("");
	start();
	t_int("provisioned", 200, provision());
	static atomic_uint answered;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct killer killer = {server, &answered, atomic_load(&answered) + 1 + rng_below(&rng, 100)};
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, kill_after, &killer), 0);
		while (one_question(&rng))
			answered++;
		pthread_join(thread, NULL);
		t_int("killed", 128 + SIGKILL, t_process_wait(server));
		t_process_free(server);
		start();
	}
	while (answered < 100 && one_question(&rng))
		answered++;
	t_true("there was a stream of joins", answered >= 100);
	t_row("at the end every accepted DevNonce is refused");
	for (unsigned device = 0; device < DEVICES; device++) {
		for (unsigned i = 0; i < devices[device].count; i += 1 + devices[device].count / 20) {
			struct bi_message answer = {0};
			uint32_t join_nonce = 0;
			assert_true(ask(device, devices[device].order[i], &answer, &join_nonce));
			t_int("result", BI_JOIN_REQ_FAILED, answer.envelope.result);
		}
	}
}

int main(void)
{
#define IN_DIR(f)                                \
	{                                        \
#f, f, open_dir, close_dir, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_DIR(joins_of_every_version),
		IN_DIR(no_key_stands_in_clear_anywhere),
		IN_DIR(bad_input_harms_nobody),
		IN_DIR(callers_may_do_what_the_table_says),
		IN_DIR(key_files_that_are_not_right_refuse_the_start),
		IN_DIR(kill_9_at_random_moments_repeats_no_nonce),
	};
	return t_run(tests);
}
