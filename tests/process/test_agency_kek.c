/* An agency's KEK on its way from the command line to the join server, while processes die (SIGKILL): the application server with the call
 * under way, the join server with the call unread, either of them at any moment. What comes there is whole or nothing, comes without
 * anybody's help, and each version is one key. Then the file's life: an answer that got lost, a rotation, a file that is lost. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include "common/base/hex.h"
#include "common/crypto/sealed_kek.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LABEL     "agency-parks"
#define KEK       "/api/v1/agencies/parks/kek"
#define ROUNDS    8
#define LATEST_US 12000 /* after a PUT was sent; it and what follows it take a few milliseconds */

static struct t_network *network;
static char city_sock[T_PATH_MAX], join_sock[T_PATH_MAX], answer[1 << 16];
static uint8_t box[SECRET_KEY], keys[ROUNDS + 8][16];
static unsigned version; /* the newest that the agency sent */

static int open_world(void **state)
{
	char path[T_PATH_MAX], hex[80] = "";
	t_setup(state);
	assert_int_equal(ST_OK, secret_init());
	network = t_network_start("");
	snprintf(city_sock, sizeof city_sock, "%s/run/city.sock", t_network_dir(network));
	snprintf(join_sock, sizeof join_sock, "%s/run/join.sock", t_network_dir(network));
	snprintf(path, sizeof path, "%s/keys/join-server.box.pub", t_network_state(network));
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(hex, sizeof hex, file));
	fclose(file);
	hex[64] = '\0';
	assert_true(hex_decode_exact(box, sizeof box, hex));
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	return 0;
}

static int close_world(void **state)
{
	t_network_free(network);
	return t_teardown(state);
}

/* --- what the agency sends ---------------------------------------------------------------------------------------- */

static const char *sealed_body(unsigned of, const uint8_t key[16])
{
	static char body[300];
	uint8_t sealed[SEALED_KEK_LENGTH];
	char text[BASE64_ROOM(SEALED_KEK_LENGTH)];
	assert_int_equal(ST_OK, sealed_kek_seal(sealed, box, LABEL, of, key));
	base64_encode(text, sealed, sizeof sealed);
	snprintf(body, sizeof body, "{\"version\":%u,\"sealed\":\"%s\"}", of, text);
	return body;
}

/* The next version's, sealed once: a client that repeats sends the same. */
static const char *next_version(void)
{
	version++;
	assert_true(version < ARRAY_SIZE(keys));
	secret_random(keys[version], sizeof keys[version]);
	return sealed_body(version, keys[version]);
}

static bool is_taken(void *body)
{
	return t_unix_put(city_sock, KEK, body, answer, sizeof answer) == 200;
}

static bool is_in_use(void *ctx)
{
	(void)ctx;
	if (t_unix_get(city_sock, KEK, answer, sizeof answer) != 200)
		return false;
	json_t *kek = json_loads(answer, 0, NULL);
	const char *state = json_string_value(json_object_get(kek, "state"));
	bool is = state && strcmp(state, "in_use") == 0 &&
		  json_integer_value(json_object_get(kek, "version")) == version;
	json_decref(kek);
	return is;
}

/* --- what is there -------------------------------------------------------------------------------------------------- */

/* The key that the join server has for a version: a seal of the same key is taken again, one of another never. */
static void expect_key(unsigned of)
{
	uint8_t other[16];
	static char name[40];
	snprintf(name, sizeof name, "version %u", of);
	t_row(name);
	t_int("is whole: the same key again", 200,
	      t_unix_put(join_sock, "/keks/" LABEL, sealed_body(of, keys[of]), answer, sizeof answer));
	memcpy(other, keys[of], sizeof other);
	other[15] ^= 1;
	t_int("is one: another key for it", 409,
	      t_unix_put(join_sock, "/keks/" LABEL, sealed_body(of, other), answer, sizeof answer));
}

/* The join server has versions up to the newest, each once, the newest in use; `least`: it must have all from there on. */
static void expect_versions(unsigned least)
{
	unsigned times[ARRAY_SIZE(keys)] = {0};
	t_int("asked", 200, t_unix_get(join_sock, "/keks", answer, sizeof answer));
	json_t *body = json_loads(answer, 0, NULL), *item;
	size_t i;
	json_array_foreach(json_object_get(body, "keks"), i, item)
	{
		json_int_t its = json_integer_value(json_object_get(item, "version"));
		const char *label = json_string_value(json_object_get(item, "label"));
		if (!label || strcmp(label, LABEL) != 0)
			continue;
		assert_true(its >= 1 && its <= version);
		times[its]++;
		t_int("the newest wraps", its == version, json_is_true(json_object_get(item, "newest")));
	}
	json_decref(body);
	for (unsigned v = 1; v <= version; v++) {
		t_true("once, or passed over", times[v] == 1 || (v < least && times[v] == 0));
		if (times[v])
			expect_key(v);
	}
}

static void arrives(const char *body)
{
	t_true("well again", t_network_healthy(network));
	t_true("taken", t_wait_until(is_taken, (void *)(uintptr_t)body, T_SLOW_CEILING));
	t_true("in use, by itself", t_wait_until(is_in_use, NULL, T_SLOW_CEILING));
}

static void stop_or_go(enum t_role role, int signal)
{
	int pid = t_network_pid(network, role);
	assert_true(pid > 0);
	assert_int_equal(0, kill(pid, signal));
}

/* --- the tests ------------------------------------------------------------------------------------------------------ */

/* The join server stands still, so that the call is certainly under way when one of the two dies. */
static void whoever_dies_with_the_call_under_way_it_comes_there_once(void **state)
{
	static const struct {
		const char *name;
		enum t_role victim;
	} rows[] = {
		{"the application server dies: the call is read by nobody's caller", T_APPLICATION_SERVER},
		{"the join server dies: the call was never read", T_JOIN_SERVER}};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		const char *body = next_version();
		t_row(rows[r].name);
		stop_or_go(T_JOIN_SERVER, SIGSTOP);
		t_int("taken", 200, t_unix_put(city_sock, KEK, body, answer, sizeof answer));
		t_false("in use", is_in_use(NULL));
		t_true("killed", t_network_kill(network, rows[r].victim));
		if (rows[r].victim != T_JOIN_SERVER)
			stop_or_go(T_JOIN_SERVER, SIGCONT);
		arrives(body);
		expect_versions(version);
	}
}

/* SIGKILL so long after now, from another process. */
static pid_t kill_later(int victim, unsigned us)
{
	pid_t pid = fork();
	if (pid == 0) {
		usleep(us);
		kill(victim, SIGKILL);
		_exit(0);
	}
	return pid;
}

static void at_any_moment_a_version_is_whole_or_not_there(void **state)
{
	unsigned seed = 7;
	(void)state;
	for (unsigned i = 0; i < ROUNDS - 2; i++) {
		enum t_role role = i % 2 ? T_JOIN_SERVER : T_APPLICATION_SERVER;
		static char name[80];
		seed = seed * 1103515245 + 12345;
		unsigned after_us = (seed >> 8) % LATEST_US;
		const char *body = next_version();
		snprintf(name, sizeof name, "%s after %u us", t_role_name(role), after_us);
		t_row(name);
		pid_t killer = kill_later(t_network_pid(network, role), after_us);
		(void)t_unix_put(city_sock, KEK, body, answer, sizeof answer);
		waitpid(killer, NULL, 0);
		arrives(body);
		expect_versions(version);
	}
}

static void the_file_of_a_kek_has_no_dead_end(void **state)
{
	char first[T_PATH_MAX], second[T_PATH_MAX];
	(void)state;
	snprintf(first, sizeof first, "%s/parks.kek", t_network_dir(network));
	snprintf(second, sizeof second, "%s/parks-2.kek", t_network_dir(network));
	t_row("nobody has the file");
	t_cli_must(network, 3, "agency", "kek", "rotate", "parks", "--file", first);
	t_true("says the way out", strstr(t_cli_output(network), "--lost") != NULL);
	t_cli_must(network, 0, "agency", "kek", "rotate", "parks", "--file", first, "--lost");
	t_row("a file that is there is not written over");
	t_cli_must(network, 4, "agency", "kek", "rotate", "parks", "--file", first, "--lost");
	t_row("an answer that got lost");
	t_cli_must(network, 0, "agency", "kek", "rotate", "parks", "--file", first, "--again");
	t_true("it is there already", strstr(t_cli_output(network), "the join server has it") != NULL);
	t_cli_must(network, 0, "agency", "kek", "new", "parks", "--file", first, "--again");
	t_row("the next");
	t_cli_must(network, 0, "agency", "kek", "rotate", "parks", "--file", first);
	t_int("--lost is for rotate", 2,
	      t_cli(network, "agency", "kek", "rotate", "parks", "--again", "--lost"));
	t_int("for it alone", 2, t_cli(network, "agency", "kek", "new", "parks", "--file", second, "--lost"));
	t_cli_must(network, 4, "agency", "kek", "new", "parks", "--file", second);
	t_row("each was one version");
	t_int("asked", 200, t_unix_get(city_sock, KEK, answer, sizeof answer));
	json_t *kek = json_loads(answer, 0, NULL);
	t_int("version", version + 2, json_integer_value(json_object_get(kek, "version")));
	json_decref(kek);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"with the call under way", whoever_dies_with_the_call_under_way_it_comes_there_once,
		 open_world, t_teardown, NULL},
		{"at any moment", at_any_moment_a_version_is_whole_or_not_there, t_setup, t_teardown, NULL},
		{"the file", the_file_of_a_kek_has_no_dead_end, t_setup, close_world, NULL}};
	return t_run(tests);
}
