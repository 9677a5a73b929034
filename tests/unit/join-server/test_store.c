/* join.db: what is committed is there after a reopening, what was not is not; EUIs of any bits; the sweep in slices. */
#include "tests/harness/harness.h"

#include "join-server/store_sqlite.h"
#include "tests/harness/process.h"

#include <stdio.h>
#include <string.h>

static char dir[T_DIR_MAX], path[T_DIR_MAX + 16];
static struct db *db;
static struct js_store store;

static void reopen(void)
{
	db_close(db);
	assert_int_equal(js_store_open(path, NULL, &db), ST_OK);
	store = js_store_sqlite(db);
}

static int open_store(void **state)
{
	t_temp_dir(dir);
	snprintf(path, sizeof path, "%s/join.db", dir);
	db = NULL;
	reopen();
	return t_setup(state);
}

static int close_store(void **state)
{
	db_close(db);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

static struct js_device device_of(uint64_t number, uint64_t run)
{
	struct js_device device = {
		.dev_eui = lw_eui64_from_number(number),
		.version = 5,
		.run = run,
		.enabled = true,
		.join_eui = lw_eui64_from_number(~number),
		.mac_version = LW_MAC_1_1_0,
		.has_app_key = true,
		.app_kek_label = "parks",
		.has_home = number % 2 == 1,
		.home = {number % 2 ? 0xffffff : 0},
	};
	memset(device.app_key, 0xaa, sizeof device.app_key);
	return device;
}

static const uint64_t numbers[] = {0, 1, 0x0102030405060708, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};

static void devices_come_back_as_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct js_device device = device_of(numbers[i], i);
		device.has_nwk_key = device.enabled = i % 2;
		memset(device.nwk_key, device.has_nwk_key ? 0xbb : 0, sizeof device.nwk_key);
		t_int("save", ST_OK, store.save_device(store.ctx, &device));
	}
	t_int("commit", ST_OK, js_store_commit(db));
	reopen();
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct js_device expected = device_of(numbers[i], i), got;
		expected.has_nwk_key = expected.enabled = i % 2;
		memset(expected.nwk_key, expected.has_nwk_key ? 0xbb : 0, sizeof expected.nwk_key);
		assert_int_equal(store.load_device(store.ctx, &expected.dev_eui, &got), ST_OK);
		t_bytes("device", (uint8_t *)&expected, sizeof expected, (uint8_t *)&got, sizeof got);
	}
	struct lw_eui64 first = lw_eui64_from_number(0);
	struct js_device got;
	t_int("remove", ST_OK, store.remove_device(store.ctx, &first));
	t_int("remove again", ST_OK, store.remove_device(store.ctx, &first));
	t_int("gone at once", ST_NOT_FOUND, store.load_device(store.ctx, &first, &got));
	reopen();
	t_int("not committed: there again", ST_OK, store.load_device(store.ctx, &first, &got));
}

static void nonces_come_back_as_they_were(void **state)
{
	(void)state;
	static struct js_nonces nonces, got;
	const uint8_t mark[JS_KEY_MARK] = {7};
	struct lw_eui64 dev_eui = lw_eui64_from_number(UINT64_MAX), join_eui = lw_eui64_from_number(1),
			other = lw_eui64_from_number(2);
	t_int("none", ST_NOT_FOUND, store.load_nonces(store.ctx, &join_eui, &dev_eui, &got));
	js_nonces_init(&nonces, mark);
	for (uint16_t i = 0; i < 5000; i++) {
		js_nonces_take(&nonces, i % 2 ? LW_MAC_1_0_4 : LW_MAC_1_0_3, (uint16_t)(7 * i),
			       (struct wall){i});
		if (i == 4095) {
			js_nonces_take_rejoin(&nonces, 1, 65535, (struct wall){-5});
			js_nonces_answered(&nonces, (struct lw_net_id){0xffffff},
					   &(struct lw_eui64){{0x80, 2, 3, 4, 5, 6, 7, 8}});
		}
		if (i != 0 && i != 4095 && i != 4999)
			continue;
		nonces.allowed_until.us = i == 4095 ? 1800000000000001 : 0;
		t_int("save", ST_OK, store.save_nonces(store.ctx, &join_eui, &dev_eui, &nonces));
		t_int("commit", ST_OK, js_store_commit(db));
		reopen();
		memset(&got, 0, sizeof got);
		assert_int_equal(store.load_nonces(store.ctx, &join_eui, &dev_eui, &got), ST_OK);
		t_uint("join_nonce", nonces.join_nonce, got.join_nonce);
		t_bytes("mark", mark, sizeof mark, got.key_mark, sizeof got.key_mark);
		t_int("has_counter", nonces.has_counter, got.has_counter);
		t_uint("counter", nonces.counter, got.counter);
		t_uint("last", nonces.last_dev_nonce, got.last_dev_nonce);
		t_int("allowed until", nonces.allowed_until.us, got.allowed_until.us);
		t_int("last time", nonces.last_time.us, got.last_time.us);
		t_int("has_rj_count1", nonces.has_rj_count1, got.has_rj_count1);
		t_uint("rj_count1", nonces.rj_count1, got.rj_count1);
		t_int("rj_time", nonces.rj_time.us, got.rj_time.us);
		t_int("has_net_id", nonces.has_net_id, got.has_net_id);
		t_uint("net_id", nonces.net_id.value, got.net_id.value);
		t_int("has_ns_id", nonces.has_ns_id, got.has_ns_id);
		t_uint("ns_id", lw_eui64_number(&nonces.ns_id), lw_eui64_number(&got.ns_id));
		t_uint("count", nonces.count, got.count);
		t_true("set", memcmp(nonces.bitmap, got.bitmap, sizeof got.bitmap) == 0);
	}
	t_int("another JoinEUI has its own", ST_NOT_FOUND,
	      store.load_nonces(store.ctx, &other, &dev_eui, &got));
}

static struct js_session session_of(uint64_t dev_eui, uint8_t slot, int64_t time)
{
	struct js_session session = {.dev_eui = lw_eui64_from_number(dev_eui), .slot = slot, .time = {time}};
	snprintf(session.kek_label, sizeof session.kek_label, "label-%u", slot);
	memset(session.id, 0x10 + slot, sizeof session.id);
	memset(session.app_s_key, 0x20 + slot, sizeof session.app_s_key);
	return session;
}

static void sessions_take_each_other_s_place(void **state)
{
	(void)state;
	struct js_session first = session_of(7, 0, 100), second = session_of(7, 1, 200),
			  third = session_of(7, 0, 300), got;
	memset(third.id, 0x77, sizeof third.id);
	t_int("none", ST_NOT_FOUND, store.load_session(store.ctx, &first.dev_eui, first.id, &got));
	t_int("save", ST_OK, store.save_session(store.ctx, &first));
	t_int("save", ST_OK, store.save_session(store.ctx, &second));
	t_int("save", ST_OK, store.save_session(store.ctx, &third));
	t_int("commit", ST_OK, js_store_commit(db));
	reopen();
	t_int("the first made room", ST_NOT_FOUND,
	      store.load_session(store.ctx, &first.dev_eui, first.id, &got));
	memset(&got, 0, sizeof got);
	assert_int_equal(store.load_session(store.ctx, &second.dev_eui, second.id, &got), ST_OK);
	t_bytes("the second", (uint8_t *)&second, sizeof second, (uint8_t *)&got, sizeof got);
	assert_int_equal(store.load_session(store.ctx, &third.dev_eui, third.id, &got), ST_OK);
	t_bytes("the third", (uint8_t *)&third, sizeof third, (uint8_t *)&got, sizeof got);
	struct lw_eui64 other = lw_eui64_from_number(8);
	t_int("not another device's", ST_NOT_FOUND, store.load_session(store.ctx, &other, second.id, &got));
	t_int("a device that is removed", ST_OK, store.remove_device(store.ctx, &second.dev_eui));
	t_int("takes them along", ST_NOT_FOUND,
	      store.load_session(store.ctx, &second.dev_eui, second.id, &got));
}

static void sessions_expire_in_slices(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 20; i++) {
		struct js_session session = session_of(i < 10 ? i : UINT64_MAX - (i - 10), i % 2, (int64_t)i);
		assert_int_equal(store.save_session(store.ctx, &session), ST_OK);
	}
	uint64_t at = 0;
	bool done = false;
	unsigned slices = 0;
	for (; !done && slices < 100; slices++)
		assert_int_equal(store.sweep_sessions(store.ctx, (struct wall){15}, 3, &at, &done), ST_OK);
	t_true("in slices", slices > 3 && slices < 15);
	for (uint64_t i = 0; i < 20; i++) {
		struct js_session session = session_of(i < 10 ? i : UINT64_MAX - (i - 10), i % 2, (int64_t)i),
				  got;
		t_int("only what has expired goes", i < 15 ? ST_NOT_FOUND : ST_OK,
		      store.load_session(store.ctx, &session.dev_eui, session.id, &got));
	}
}

static void state_comes_back(void **state)
{
	(void)state;
	struct js_state got, saved = {"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", 12, 3, 2, 1};
	assert_int_equal(store.load_state(store.ctx, &got), ST_OK);
	t_str("no city at first", "", got.city);
	t_int("save", ST_OK, store.save_state(store.ctx, &saved));
	t_int("commit", ST_OK, js_store_commit(db));
	reopen();
	memset(&got, 0, sizeof got);
	assert_int_equal(store.load_state(store.ctx, &got), ST_OK);
	t_str("city", saved.city, got.city);
	t_uint("applied_version", 12, got.applied_version);
	t_uint("runs", 321, got.run * 100 + got.valid_run * 10 + got.swept_run);
	t_int("an empty turn commits", ST_OK, js_store_commit(db));
}

static void the_sweep_goes_in_slices(void **state)
{
	(void)state;
	/* Old and new rows in turn, at both ends of the numbers. */
	for (uint64_t i = 0; i < 20; i++) {
		struct js_device device = device_of(i < 10 ? i : UINT64_MAX - (i - 10), i % 2);
		assert_int_equal(store.save_device(store.ctx, &device), ST_OK);
	}
	struct js_device edge = device_of(INT64_MAX, 0);
	assert_int_equal(store.save_device(store.ctx, &edge), ST_OK);
	uint64_t at = 0;
	bool done = false;
	int slices = 0;
	while (!done && slices < 100) {
		assert_int_equal(store.sweep(store.ctx, 1, 4, &at, &done), ST_OK);
		slices++;
	}
	t_int("slices of four", 6, slices);
	t_int("commit", ST_OK, js_store_commit(db));
	t_int("the new rows stay", 10, db_query_i64(db, "SELECT count(*) FROM devices", -1));
	t_int("the old have gone", 0, db_query_i64(db, "SELECT count(*) FROM devices WHERE run = 0", -1));
}

static void a_damaged_row_is_a_failure_not_a_guess(void **state)
{
	(void)state;
	struct js_device device = device_of(1, 0), got;
	assert_int_equal(store.save_device(store.ctx, &device), ST_OK);
	assert_int_equal(js_store_commit(db), ST_OK);
	assert_int_equal(db_exec(db, "UPDATE devices SET app_key = x'00'"), ST_OK);
	t_int("a short key", ST_DATABASE, store.load_device(store.ctx, &device.dev_eui, &got));
	assert_int_equal(db_exec(db, "UPDATE devices SET app_key = NULL, mac_version = '9'"), ST_OK);
	t_int("a version of nobody", ST_DATABASE, store.load_device(store.ctx, &device.dev_eui, &got));
}

int main(void)
{
#define WITH_STORE(f)                                \
	{                                            \
#f, f, open_store, close_store, NULL \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE(devices_come_back_as_they_were),
		WITH_STORE(nonces_come_back_as_they_were),
		WITH_STORE(state_comes_back),
		WITH_STORE(sessions_take_each_other_s_place),
		WITH_STORE(sessions_expire_in_slices),
		WITH_STORE(the_sweep_goes_in_slices),
		WITH_STORE(a_damaged_row_is_a_failure_not_a_guess),
	};
	return t_run(tests);
}
