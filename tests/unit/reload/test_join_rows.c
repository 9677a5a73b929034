/* Every row of join-server: what a reload of it does in the running core. */
#include "tests/harness/harness.h"
#include "tests/harness/join_world.h"
#include "tests/harness/process.h"
#include "tests/harness/reload_rows.h"
#include "tests/harness/temp.h"

#include "join-server/edge_reload.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 4242u

static struct js_config config;
static struct t_join_world world;
static struct js_keys keys;
static struct js_callers callers;
static struct js_peers peers;
static char new_kek[OPTION_PATH_MAX];
static uint16_t nonce;

static void make_key(const char *path, char first)
{
	char text[17] = "?234567890123456";
	text[0] = first;
	t_write_file(path, text);
	assert_int_equal(0, chmod(path, 0600));
}

/* The state directory is that of the default configuration, so both KEKs are named in every file. */
static void open_join(char *base, size_t capacity)
{
	char network[OPTION_PATH_MAX], application[OPTION_PATH_MAX];
	snprintf(network, sizeof network, "%s", t_temp("network"));
	snprintf(application, sizeof application, "%s", t_temp("application"));
	snprintf(new_kek, sizeof new_kek, "%s", t_temp("new"));
	make_key(network, 'n');
	make_key(application, 'a');
	make_key(new_kek, 'x');
	snprintf(base, capacity, "  keks: {network: %s, application: %s}\n", network, application);
	t_join_world_open(&world);
	struct js_record record = t_join_record(&world, 1, LW_MAC_1_0_4);
	t_join_provision(&world, &record);
}

static void close_join(void)
{
	t_join_world_close(&world);
}

static bool apply(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	(void)ctx;
	return js_reconfigure(&world.join, &keys, &callers, &peers, wanted, problem);
}

/* The AppSKey of a join opens with the key in `new_kek`. */
static bool keys_come_under_the_new_kek(void)
{
	static const uint8_t kek[] = "x234567890123456";
	nonce++;
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, nonce, nonce), answer;
	struct lw_key key;
	if (!t_int("join", JS_ACCEPTED, t_join_ask(&world, &request, &answer)))
		return false;
	const struct bi_key_envelope *envelope = &answer.join_ans.app_s_key;
	return aes_unwrap(kek, AES_KEY, envelope->key, BI_KEY_WRAPPED, key.bytes) == AES_WRAP_OK;
}

static bool somebody_may_ask_for_joins(void)
{
	return js_callers_allow(&callers, JS_CALL_JOINS, SOMEBODY);
}

static bool city_b_is_a_peer(void)
{
	static const uint8_t none[JS_PEER_FINGERPRINT];
	return js_peers_find(&peers, "b", none) != NULL;
}

static char keks_value[2 * OPTION_PATH_MAX];

static struct t_reload_case cases[] = {
	{"master_key", "/elsewhere", NULL, false},
	{"box_key", "/elsewhere", NULL, false},
	{"keks", keks_value, keys_come_under_the_new_kek, false},
	{"callers", "{joins: \"4242\"}", somebody_may_ask_for_joins, false},
	{"listen", "127.0.0.1:9443", NULL, false},
	{"certificate", "/elsewhere", NULL, false},
	{"key", "/elsewhere", NULL, false},
	{"ca", "/elsewhere", NULL, false},
	{"connections", "7", NULL, false},
	{"peers", "{city-b: {certificate: b, net_ids: [60000d], messages: [joins], join_euis: any}}",
	 city_b_is_a_peer, false},
	{"session_key_days", "7", NULL, false},
};

static void every_row(void **state)
{
	(void)state;
	snprintf(keks_value, sizeof keks_value, "{network: %s, application: %s}", t_temp("network"),
		 t_temp("new"));
	const struct t_reload_process process = {.program = {"join-server", "Tested.", js_config_rows,
							     js_config_row_count, &config, sizeof config},
						 .cases = cases,
						 .case_count = ARRAY_SIZE(cases),
						 .open = open_join,
						 .close = close_join,
						 .apply = apply};
	t_reload_walk(&process);
}

static const struct {
	const char *name, *keks, *users;
} refusals[] = {
	{"a key file that is not there", "/nowhere", "0"},
	{"a user whom nobody knows", NULL, "nobody-of-that-name"},
};

static void what_cannot_be_taken_changes_nothing(void **state)
{
	(void)state;
	struct config_common common = {.log_level = LOG_LEVEL_INFO};
	char base[1024], problem[CONFIG_ERROR_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct js_config wanted_config = {.callers = {.count = 1}};
		t_row(refusals[i].name);
		open_join(base, sizeof base);
		struct option_map *map = &wanted_config.keks, *users = &wanted_config.callers;
		map->count = 2;
		snprintf(map->entries[0].label, OPTION_LABEL_MAX, "network");
		snprintf(map->entries[0].value, OPTION_PATH_MAX, "%s", new_kek);
		snprintf(map->entries[1].label, OPTION_LABEL_MAX, "application");
		snprintf(map->entries[1].value, OPTION_PATH_MAX, "%s",
			 refusals[i].keks ? refusals[i].keks : new_kek);
		snprintf(users->entries[0].label, OPTION_LABEL_MAX, "joins");
		snprintf(users->entries[0].value, OPTION_PATH_MAX, "%s", refusals[i].users);
		struct js_options before = world.join.options;
		const struct reload_wanted wanted = {&common, &wanted_config, &common, &wanted_config};
		t_false("taken", js_reconfigure(&world.join, &keys, &callers, &peers, &wanted, problem));
		t_true("says why", strstr(problem, "join-server.") == problem);
		t_int("keys", 0, memcmp(before.keks, world.join.options.keks, sizeof before.keks));
		close_join();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_row),
		t_test(what_cannot_be_taken_changes_nothing),
	};
	return t_run(tests);
}
