/* The vector runner can fail: small files, each with one thing wrong, are given to the real program. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRY(kind, input, expect, verified)                                                                \
	"[{\"name\":\"n\",\"kind\":\"" kind "\",\"source\":\"s\",\"input\":{" input "},\"expect\":{" expect \
	"},\"verified\":" verified "}]"
#define BLOCK_INPUT \
	"\"key\":\"000102030405060708090a0b0c0d0e0f\",\"plain\":\"00112233445566778899aabbccddeeff\""
#define BLOCK   "\"cipher\":\"69c4e0d86a7b0430d8cdb78070b4c55a\""
#define UP      "\"direction\":\"up\","
#define FCTRL   "\"adr\":true,\"ack\":false,\"adr_ack_req\":false,\"class_b\":false,\"fopts_len\":"
#define COMMAND "{\"cid\":2,\"command\":\"LinkCheckReq\",\"fields\":{}}"
#define REQUEST                                                               \
	"\"phy\":\"0039363463336913aa05693574323831330489c65b1304\",\"key\":" \
	"\"98929b92c49edba9676d646d3b612456\""
#define FIELDS                                                                                               \
	"\"join_eui\":\"aa13693363343639\",\"dev_eui\":\"3331383274356905\",\"dev_nonce\":\"8904\",\"mic\":" \
	"\"c65b1304\""

static const struct {
	const char *name;
	const char *file;
	const char *last_line;
	const char *failure; /* part of the failure line, or NULL */
} rows[] = {
	{"a good block", ENTRY("aes_block", BLOCK_INPUT, BLOCK, "true"), "1 passed, 0 failed, 0 skipped",
	 NULL},
	{"a wrong value",
	 ENTRY("aes_block", BLOCK_INPUT, "\"cipher\":\"69c4e0d86a7b0430d8cdb78070b4c55b\"", "true"),
	 "0 passed, 1 failed, 0 skipped",
	 "FAIL tampered.json: n: cipher: expected 69c4e0d86a7b0430d8cdb78070b4c55b, got"},
	{"a member that nobody reads", ENTRY("aes_block", BLOCK_INPUT, BLOCK ",\"more\":1", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: expect.more: expected 1"},
	{"an input that nobody reads", ENTRY("aes_block", BLOCK_INPUT ",\"iv\":\"00\"", BLOCK, "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: input.iv"},
	{"an input that is missing",
	 ENTRY("aes_block", "\"key\":\"000102030405060708090a0b0c0d0e0f\"", BLOCK, "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: input.plain"},
	{"an input that is no hex",
	 ENTRY("aes_block", "\"key\":\"000102030405060708090a0b0c0d0e0g\",\"plain\":\"00\"", BLOCK, "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: input.key"},
	{"an expectation that is missing", ENTRY("aes_block", BLOCK_INPUT, "", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: cipher: expected nothing"},
	{"an unknown kind", ENTRY("aes_blok", BLOCK_INPUT, BLOCK, "true"), "0 passed, 1 failed, 0 skipped",
	 "FAIL tampered.json: n: kind: expected aes_blok"},
	{"a value that is not verified", ENTRY("aes_block", BLOCK_INPUT, "\"cipher\":\"00\"", "false"),
	 "0 passed, 0 failed, 1 skipped", NULL},
	{"no word on being verified", ENTRY("aes_block", BLOCK_INPUT, BLOCK, "null"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: entry"},
	{"a flag for a number", ENTRY("fctrl", UP "\"byte\":\"82\"", FCTRL "true", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: fopts_len: expected true, got 2"},
	{"a good FCtrl", ENTRY("fctrl", UP "\"byte\":\"82\"", FCTRL "2", "true"),
	 "1 passed, 0 failed, 0 skipped", NULL},
	{"a command", ENTRY("uplink", UP "\"bytes\":\"02\"", "\"commands\":[" COMMAND "]", "true"),
	 "1 passed, 0 failed, 0 skipped", NULL},
	{"a command too many in the data",
	 ENTRY("uplink", UP "\"bytes\":\"02\"", "\"commands\":[" COMMAND "," COMMAND "]", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: commands: expected elements"},
	{"a command too few in the data",
	 ENTRY("uplink", UP "\"bytes\":\"0202\"", "\"commands\":[" COMMAND "]", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: commands: expected no further command"},
	{"a field of a command that nobody reads",
	 ENTRY("uplink", UP "\"bytes\":\"02\"",
	       "\"commands\":[{\"cid\":2,\"command\":\"LinkCheckReq\",\"fields\":{\"margin\":1}}]", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: fields.margin: expected 1"},
	{"a reading that stops without a word",
	 ENTRY("sequence_stop", UP "\"bytes\":\"0299\"", "\"commands\":[" COMMAND "]", "true"),
	 "0 passed, 1 failed, 0 skipped",
	 "FAIL tampered.json: n: commands: expected everything read, got unknown_cid"},
	{"a good join-request", ENTRY("join_request", REQUEST, FIELDS ",\"mic_valid\":true", "true"),
	 "1 passed, 0 failed, 0 skipped", NULL},
	{"a MIC said to be wrong", ENTRY("join_request", REQUEST, FIELDS ",\"mic_valid\":false", "true"),
	 "0 passed, 1 failed, 0 skipped", "FAIL tampered.json: n: mic_valid: expected false, got true"},
	{"no entries", "[]", "0 passed, 1 failed, 0 skipped", "FAIL tampered.json"},
	{"no JSON", "[", "0 passed, 1 failed, 0 skipped", "FAIL tampered.json"},
};

/* This program is TESTS/unit/lorawan/test_vector_runner, the runner TESTS/run-vectors. */
static void runner_path(char *path, size_t capacity)
{
	char self[512];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	assert_true(length > 0);
	self[length] = '\0';
	for (int up = 0; up < 3; up++)
		*strrchr(self, '/') = '\0';
	snprintf(path, capacity, "%s/run-vectors", self);
}

static void tampered_files_fail(void **state)
{
	(void)state;
	char folder[] = "/tmp/vectors-XXXXXX", file[64], runner[600], command[1024];
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/tampered.json", folder);
	runner_path(runner, sizeof runner);
	snprintf(command, sizeof command, "'%s' '%s'", runner, file);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		FILE *out = fopen(file, "w");
		assert_non_null(out);
		fputs(rows[i].file, out);
		fclose(out);
		FILE *in = popen(command, "r");
		assert_non_null(in);
		char line[2048], last[2048] = "";
		bool found = rows[i].failure == NULL;
		while (fgets(line, sizeof line, in)) {
			line[strcspn(line, "\n")] = '\0';
			if (rows[i].failure && strncmp(line, rows[i].failure, strlen(rows[i].failure)) == 0)
				found = true;
			memcpy(last, line, sizeof last);
		}
		int code = pclose(in);
		t_str("last line", rows[i].last_line, last);
		t_true(rows[i].failure ? rows[i].failure : "no failure line", found);
		t_int("exit code", rows[i].failure ? 1 : 0, WEXITSTATUS(code));
	}
	unlink(file);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(tampered_files_fail)};
	return t_run(tests);
}
