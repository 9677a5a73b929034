/* KEKs by label and version over a real join.db: what is put wraps the next join's AppSKey, under the label that says which; old
 * versions stay while envelopes of them may be asked for; a restart finds all of it, and no key in clear is in the file. */
#include "tests/harness/harness.h"

#include "join-server/kek_orders.h"
#include "join-server/store_sqlite.h"
#include "tests/harness/join_world.h"
#include "tests/harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[T_DIR_MAX], path[T_DIR_MAX + 16];
static struct t_join_world world;
static struct db *db;
static uint32_t transaction;
static uint16_t dev_nonce;

static void start(void)
{
	assert_int_equal(js_store_open(path, NULL, &db), ST_OK);
	world.options.store = js_store_sqlite(db);
	assert_int_equal(js_join_init(&world.join, &world.options, world.now), ST_OK);
}

static void commit(void)
{
	assert_int_equal(js_join_flush(&world.join), ST_OK);
	assert_int_equal(js_store_commit(db), ST_OK);
}

static void restart(void)
{
	js_join_release(&world.join);
	db_close(db);
	start();
}

static int open_world(void **state)
{
	t_temp_dir(dir);
	snprintf(path, sizeof path, "%s/join.db", dir);
	t_join_world_open(&world);
	js_join_release(&world.join);
	transaction = dev_nonce = 0;
	start();
	return t_setup(state);
}

static int close_world(void **state)
{
	t_join_world_close(&world);
	db_close(db);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

static const uint8_t *key_of(uint8_t number)
{
	static uint8_t key[16];
	memset(key, 0x40 + number, sizeof key);
	key[3] = 0x99;
	return key;
}

static struct js_kek_order order_of(const char *label, uint32_t version, uint8_t key)
{
	struct js_kek_order order = {.version = version, .length = SEALED_KEK_LENGTH, .who = "uid 1000"};
	snprintf(order.label, sizeof order.label, "%s", label);
	/* A label that cannot be is refused before its seal is looked at. */
	if (sealed_kek_label_is_good(label))
		assert_int_equal(sealed_kek_seal(order.sealed, secret_box_public(world.box), label, version,
						 key_of(key)),
				 ST_OK);
	return order;
}

static enum js_kek_result put(const char *label, uint32_t version, uint8_t key)
{
	struct js_kek_order order = order_of(label, version, key);
	enum js_kek_result result = js_kek_put(&world.join, world.now, &order);
	commit();
	return result;
}

static enum js_kek_result drop(const char *label, uint32_t version, bool force)
{
	struct js_kek_order order = {.version = version, .force = force, .who = "uid 1000"};
	snprintf(order.label, sizeof order.label, "%s", label);
	enum js_kek_result result = js_kek_delete(&world.join, world.now, &order);
	commit();
	return result;
}

static void pass(int64_t seconds)
{
	world.now.wall.us += seconds * US_PER_S;
	world.now.mono.us += seconds * US_PER_S;
}

/* The device joins: the label of its AppSKey's envelope, opened with a KEK (0: not looked at). */
static const char *join(uint8_t key)
{
	static struct bi_message answer;
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, ++dev_nonce,
						   ++transaction);
	enum js_verdict verdict = t_join_ask(&world, &request, &answer);
	commit();
	if (verdict != JS_ACCEPTED)
		return js_verdict_name(verdict);
	uint8_t opened[16];
	const struct bi_key_envelope *envelope = &answer.join_ans.app_s_key;
	if (key)
		t_int("the envelope opens", AES_WRAP_OK,
		      aes_unwrap(key_of(key), 16, envelope->key, envelope->length, opened));
	return envelope->label;
}

static void register_device(const char *label, uint64_t version)
{
	struct js_record record = t_join_record(&world, version, LW_MAC_1_0_4);
	snprintf(record.app_kek_label, sizeof record.app_kek_label, "%s", label);
	t_join_provision(&world, &record);
	commit();
}

static void a_rotated_kek_wraps_what_joins_next(void **state)
{
	(void)state;
	register_device("parks", 1);
	t_str("before the KEK is there", "no_kek", join(0));
	t_int("put", JS_KEK_DONE, put("parks", 1, 1));
	t_str("the first", "parks", join(1));
	t_int("rotate", JS_KEK_DONE, put("parks", 2, 2));
	t_str("the second", "parks.2", join(2));
	restart();
	t_str("after a restart", "parks.2", join(2));
	t_int("a gap is no harm", JS_KEK_DONE, put("parks", 10, 3));
	t_str("the tenth", "parks.10", join(3));
	const struct js_kek *kek = js_keks_exact(&world.join.keks, "parks", 2, false);
	t_true("the second is kept", kek != NULL);
	t_uint("its uses, over the restart", 2, kek ? kek->uses : 0);
}

static void what_is_refused_changes_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *name, *label;
		uint32_t version;
		uint8_t key;
		bool spoiled;
		enum js_kek_result result;
	} rows[] = {
		{"the same again", "parks", 2, 2, false, JS_KEK_DONE},
		{"another key for a version that is there", "parks", 2, 3, false, JS_KEK_OTHER_KEY},
		{"below the newest", "parks", 1, 1, false, JS_KEK_OLD_VERSION},
		{"a label of a file", "application", 2, 4, false, JS_KEK_IS_FILE},
		{"a label that cannot be", "Parks Dept", 3, 4, false, JS_KEK_BAD_LABEL},
		{"a label with a version in it", "parks.3", 3, 4, false, JS_KEK_BAD_LABEL},
		{"a seal that was changed", "parks", 3, 4, true, JS_KEK_BAD_SEAL},
	};
	t_int("put", JS_KEK_DONE, put("parks", 2, 2));
	uint64_t audited = world.join.audit.seq;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct js_kek_order order = order_of(rows[i].label, rows[i].version, rows[i].key);
		order.sealed[50] ^= rows[i].spoiled;
		t_int("result", rows[i].result, js_kek_put(&world.join, world.now, &order));
		t_true("the reason is a sentence",
		       rows[i].result == JS_KEK_DONE || strlen(js_kek_reason(rows[i].result)) > 20);
		commit();
		t_uint("KEKs", 1, js_keks_versions(&world.join.keks, "parks"));
		t_uint("nothing audited", audited, world.join.audit.seq);
	}
	struct js_kek_order moved = order_of("parks", 3, 3);
	snprintf(moved.label, sizeof moved.label, "water");
	t_int("another's, relayed to this label", JS_KEK_BAD_SEAL,
	      js_kek_put(&world.join, world.now, &moved));
}

static void an_old_version_goes_when_no_envelope_needs_it(void **state)
{
	(void)state;
	register_device("parks", 1);
	t_int("put", JS_KEK_DONE, put("parks", 1, 1));
	t_str("used", "parks", join(1));
	t_int("rotated", JS_KEK_DONE, put("parks", 2, 2));
	t_int("its envelopes may be asked for", JS_KEK_NEEDED, drop("parks", 1, false));
	pass(JS_SESSION_SPAN_US / US_PER_S - 1);
	t_int("a second before they expire", JS_KEK_NEEDED, drop("parks", 1, false));
	pass(1);
	t_int("when they have", JS_KEK_DONE, drop("parks", 1, false));
	t_int("it is gone", JS_KEK_UNKNOWN, drop("parks", 1, false));
	t_str("the newest still wraps", "parks.2", join(2));
	t_int("all versions, insisting", JS_KEK_DONE, drop("parks", 0, true));
	t_str("none is left", "no_kek", join(0));
	restart();
	t_str("nor after a restart", "no_kek", join(0));
	t_int("a file's", JS_KEK_IS_FILE, drop("application", 0, true));
}

/* An envelope names its key by label and version alone. */
static void a_version_never_comes_again_with_another_key(void **state)
{
	(void)state;
	t_int("put", JS_KEK_DONE, put("parks", 3, 1));
	t_int("all of it goes", JS_KEK_DONE, drop("parks", 0, true));
	restart();
	t_int("a lower one", JS_KEK_OLD_VERSION, put("parks", 2, 2));
	t_int("the same with another key", JS_KEK_OTHER_KEY, put("parks", 3, 2));
	t_int("the same with its own", JS_KEK_DONE, put("parks", 3, 1));
	t_int("again gone", JS_KEK_DONE, drop("parks", 0, true));
	t_int("the next", JS_KEK_DONE, put("parks", 4, 2));
	t_int("another label is its own", JS_KEK_DONE, put("water", 1, 2));
	t_row("a file's version that made an envelope");
	struct lw_kek files[2] = {world.options.keks[0]};
	snprintf(files[1].label, sizeof files[1].label, "doors");
	files[1].length = 16;
	memcpy(files[1].bytes, key_of(5), 16);
	register_device("doors", 1);
	js_join_set_keks(&world.join, files, 2, world.now.wall);
	t_str("used", "doors", join(5));
	js_join_set_keks(&world.join, files, 1, world.now.wall);
	t_int("does not come as another's", JS_KEK_OTHER_KEY, put("doors", 1, 6));
	t_int("nor as itself", JS_KEK_OTHER_KEY, put("doors", 1, 5));
	t_int("the next does", JS_KEK_DONE, put("doors", 2, 6));
}

static void a_file_at_a_version_that_was_put_is_left_out(void **state)
{
	(void)state;
	struct lw_kek files[2] = {world.options.keks[0]};
	register_device("parks", 1);
	t_int("put", JS_KEK_DONE, put("parks", 1, 1));
	snprintf(files[1].label, sizeof files[1].label, "parks");
	files[1].length = 16;
	memcpy(files[1].bytes, key_of(2), 16);
	t_true("it clashes", js_keks_clash(&world.join.keks, files, 2) == &files[1]);
	js_join_set_keks(&world.join, files, 2, world.now.wall);
	t_uint("left out", 1, world.join.keks.files_ignored);
	t_str("what was put goes on", "parks", join(1));
	snprintf(files[1].label, sizeof files[1].label, "parks.2");
	t_true("the next number does not", js_keks_clash(&world.join.keks, files, 2) == NULL);
	js_join_set_keks(&world.join, files, 2, world.now.wall);
	t_uint("none left out", 0, world.join.keks.files_ignored);
	t_str("and wins", "parks.2", join(2));
}

static void files_win_and_rotate_by_label_too(void **state)
{
	(void)state;
	register_device("parks", 1);
	t_int("put", JS_KEK_DONE, put("parks", 7, 1));
	struct lw_kek files[3] = {world.options.keks[0]};
	for (uint32_t i = 1; i <= 2; i++) {
		sealed_kek_name(files[i].label, "parks", i);
		files[i].length = 16;
		memcpy(files[i].bytes, key_of((uint8_t)(i + 2)), 16);
	}
	js_join_set_keks(&world.join, files, 3, world.now.wall);
	t_str("the newest of the files", "parks.2", join(4));
	js_join_set_keks(&world.join, files, 2, world.now.wall);
	t_str("the one file that is left", "parks", join(3));
	js_join_set_keks(&world.join, files, 1, world.now.wall);
	t_str("no file: what was put", "parks.7", join(1));
}

static void uses_of_a_root_key_are_counted(void **state)
{
	(void)state;
	struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI), join_eui = lw_eui64_from_number(T_JOIN_EUI);
	struct js_nonces nonces;
	register_device("application", 1);
	for (int i = 0; i < 3; i++)
		t_str("joins", "application", join(0));
	dev_nonce--;
	t_str("a late copy is no use", "late_copy", join(0));
	restart();
	const struct js_store *store = &world.options.store;
	assert_int_equal(store->load_nonces(store->ctx, &join_eui, &eui, &nonces), ST_OK);
	t_uint("uses", 3, nonces.uses);
	t_int("the last", world.now.wall.us, nonces.used_at.us);
	uint8_t other[JS_KEY_MARK] = {1};
	js_nonces_rekey(&nonces, other);
	t_uint("of a new key", 0, nonces.uses);
}

static void limits_hold(void **state)
{
	(void)state;
	for (uint32_t version = 1; version <= JS_KEK_VERSIONS_MAX; version++)
		assert_int_equal(put("parks", version, 1), JS_KEK_DONE);
	t_int("one version too many", JS_KEK_TOO_MANY, put("parks", JS_KEK_VERSIONS_MAX + 1, 1));
	for (unsigned label = 1; label < JS_KEK_LABELS_MAX; label++) {
		char text[16];
		snprintf(text, sizeof text, "agency-%u", label);
		struct js_kek_order order = order_of(text, 1, 1);
		assert_int_equal(js_kek_put(&world.join, world.now, &order), JS_KEK_DONE);
	}
	t_int("one label too many", JS_KEK_TOO_MANY, put("water", 1, 1));
	t_uint("labels", JS_KEK_LABELS_MAX, js_keks_labels(&world.join.keks));
	restart();
	t_uint("after a restart", JS_KEK_LABELS_MAX, js_keks_labels(&world.join.keks));
}

static void lists_have_no_key_and_the_file_none_in_clear(void **state)
{
	(void)state;
	put("parks", 1, 1);
	json_t *list = js_keks_json(&world.join);
	char *text = json_dumps(list, 0);
	t_uint("files and what was put", 4, json_array_size(json_object_get(list, "keks")));
	t_true("no key in the list",
	       strstr(text, "41414199") == NULL && memmem(text, strlen(text), key_of(1), 16) == NULL);
	free(text);
	json_decref(list);
	char name[T_DIR_MAX + 32];
	static const char *const suffixes[] = {"", "-wal"};
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		static uint8_t bytes[4 << 20];
		snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		FILE *file = fopen(name, "r");
		assert_non_null(file);
		size_t length = fread(bytes, 1, sizeof bytes, file);
		fclose(file);
		t_true("something is there", length > 0);
		t_true("not in clear", memmem(bytes, length, key_of(1), 16) == NULL);
	}
}

static void orders_are_read_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body;
		bool good;
	} rows[] = {
		{"whole", "{\"version\": 1, \"sealed\": \"AAAA\", \"who\": \"anna\"}", true},
		{"without who", "{\"version\": 999999, \"sealed\": \"AAAA\"}", true},
		{"no version", "{\"sealed\": \"AAAA\"}", false},
		{"version 0", "{\"version\": 0, \"sealed\": \"AAAA\"}", false},
		{"a great version", "{\"version\": 1000000, \"sealed\": \"AAAA\"}", false},
		{"a text for a version", "{\"version\": \"1\", \"sealed\": \"AAAA\"}", false},
		{"no seal", "{\"version\": 1}", false},
		{"no base64", "{\"version\": 1, \"sealed\": \"!\"}", false},
		{"a control character in who", "{\"version\": 1, \"sealed\": \"AAAA\", \"who\": \"a\\nb\"}",
		 false},
		{"a quote in who", "{\"version\": 1, \"sealed\": \"AAAA\", \"who\": \"a\\\"b\"}", false},
		{"a member of no meaning", "{\"version\": 1, \"sealed\": \"AAAA\", \"key\": \"00\"}", false},
		{"a list", "[]", false},
		{"nothing", "", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct js_kek_order order = {.label = "parks"};
		char problem[JS_KEK_PROBLEM] = "";
		t_int("good", rows[i].good,
		      js_kek_order_parse((const uint8_t *)rows[i].body, strlen(rows[i].body), 1000, &order,
					 problem));
		t_int("a problem is named", !rows[i].good, problem[0] != '\0');
	}
}

int main(void)
{
#define WITH_WORLD(f)                                \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_rotated_kek_wraps_what_joins_next),
		WITH_WORLD(what_is_refused_changes_nothing),
		WITH_WORLD(an_old_version_goes_when_no_envelope_needs_it),
		WITH_WORLD(a_version_never_comes_again_with_another_key),
		WITH_WORLD(a_file_at_a_version_that_was_put_is_left_out),
		WITH_WORLD(files_win_and_rotate_by_label_too),
		WITH_WORLD(uses_of_a_root_key_are_counted),
		WITH_WORLD(limits_hold),
		WITH_WORLD(lists_have_no_key_and_the_file_none_in_clear),
		WITH_WORLD(orders_are_read_strictly),
	};
	return t_run(tests);
}
