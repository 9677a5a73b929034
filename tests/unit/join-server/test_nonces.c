/* The nonce policy by version, the exact set over all its sizes, and its stored form. */
#include "tests/harness/harness.h"

#include "join-server/nonces.h"

#include <string.h>

static const uint8_t mark_a[JS_KEY_MARK] = {1};
static const uint8_t mark_b[JS_KEY_MARK] = {2};
static struct js_nonces nonces, other;
static bool allowed;

static struct wall at(int64_t seconds)
{
	return (struct wall){seconds * US_PER_S};
}

/* One device's DevNonces in order, each with the verdict that it gets. */
static void the_policy_follows_the_version(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		bool restart; /* a new device begins here */
		uint16_t dev_nonce;
		int64_t seconds;
		enum js_verdict verdict;
	} rows[] = {
		{"1.0.3: any first one", LW_MAC_1_0_3, true, 40000, 0, JS_ACCEPTED},
		{"1.0.3: a smaller one", LW_MAC_1_0_3, false, 7, 10, JS_ACCEPTED},
		{"1.0.3: the last one again at once", LW_MAC_1_0_3, false, 7, 11, JS_LATE_COPY},
		{"1.0.3: the last one at 10 minutes", LW_MAC_1_0_3, false, 7, 610, JS_LATE_COPY},
		{"1.0.3: the last one after 10 minutes", LW_MAC_1_0_3, false, 7, 611, JS_DEV_NONCE_USED},
		{"1.0.3: the last one, the clock set back", LW_MAC_1_0_3, false, 7, -500, JS_LATE_COPY},
		{"1.0.3: the one before the last is no late copy", LW_MAC_1_0_3, false, 40000, 12,
		 JS_DEV_NONCE_USED},
		{"1.0.3: zero", LW_MAC_1_0_3, false, 0, 13, JS_ACCEPTED},
		{"1.0.3: the greatest", LW_MAC_1_0_3, false, 65535, 14, JS_ACCEPTED},
		{"1.0.0 does as 1.0.3", LW_MAC_1_0_0, false, 65535, 900, JS_DEV_NONCE_USED},
		{"1.0.4: zero first", LW_MAC_1_0_4, true, 0, 0, JS_ACCEPTED},
		{"1.0.4: one more", LW_MAC_1_0_4, false, 1, 10, JS_ACCEPTED},
		{"1.0.4: a gap", LW_MAC_1_0_4, false, 100, 20, JS_ACCEPTED},
		{"1.0.4: the last one at once", LW_MAC_1_0_4, false, 100, 21, JS_LATE_COPY},
		{"1.0.4: the last one much later", LW_MAC_1_0_4, false, 100, 2000,
		 JS_DEV_NONCE_NOT_INCREASING},
		{"1.0.4: one in the gap", LW_MAC_1_0_4, false, 50, 30, JS_DEV_NONCE_NOT_INCREASING},
		{"1.0.4: the greatest", LW_MAC_1_0_4, false, 65535, 40, JS_ACCEPTED},
		{"1.0.4: no wrap", LW_MAC_1_0_4, false, 0, 700, JS_DEV_NONCE_NOT_INCREASING},
		{"1.1 counts as 1.0.4", LW_MAC_1_1_0, true, 5, 0, JS_ACCEPTED},
		{"1.1: smaller", LW_MAC_1_1_0, false, 4, 10, JS_DEV_NONCE_NOT_INCREASING},
		{"corrected to 1.0.3: smaller is new", LW_MAC_1_0_3, false, 4, 20, JS_ACCEPTED},
		{"corrected to 1.0.3: used as a counter", LW_MAC_1_0_3, false, 5, 30, JS_DEV_NONCE_USED},
		{"corrected to 1.0.3: a random one", LW_MAC_1_0_3, false, 9, 40, JS_ACCEPTED},
		{"back to 1.1: used as a random one", LW_MAC_1_1_0, false, 9, 700, JS_DEV_NONCE_USED},
		{"back to 1.1: the counter goes on", LW_MAC_1_1_0, false, 6, 710, JS_ACCEPTED},
	};
	uint32_t join_nonce = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		if (rows[i].restart) {
			js_nonces_init(&nonces, mark_a);
			join_nonce = 0;
		}
		struct wall now = at(1000000 + rows[i].seconds);
		enum js_verdict verdict = js_nonces_judge(&nonces, rows[i].version, rows[i].dev_nonce, now,
							  &allowed);
		t_str("verdict", js_verdict_name(rows[i].verdict), js_verdict_name(verdict));
		if (verdict == JS_ACCEPTED)
			t_uint("join_nonce", ++join_nonce,
			       js_nonces_take(&nonces, rows[i].version, rows[i].dev_nonce, now));
	}
}

static void store_and_load(void)
{
	uint8_t used[JS_NONCES_USED_MAX];
	size_t length = js_nonces_encode(&nonces, used);
	other = nonces;
	other.count = 0;
	memset(other.list, 0xee, sizeof other.list);
	assert_int_equal(js_nonces_decode(&other, used, length), ST_OK);
	t_uint("count", nonces.count, other.count);
	t_int("is_bitmap", nonces.is_bitmap, other.is_bitmap);
	nonces = other;
}

/* All 65,536 in a scattered order, stored and loaded at every size around the change of form. */
static void the_set_is_exact(void **state)
{
	(void)state;
	static bool taken[65536];
	js_nonces_init(&nonces, mark_a);
	uint32_t dev_nonce = 12345;
	for (uint32_t i = 0; i < 65536; i++) {
		dev_nonce = (dev_nonce * 5 + 13) % 65536; /* a full cycle */
		if (taken[dev_nonce])
			t_true("the generator visits each once", false);
		enum js_verdict verdict = js_nonces_judge(&nonces, LW_MAC_1_0_3, (uint16_t)dev_nonce, at(0),
							  &allowed);
		if (verdict != JS_ACCEPTED)
			t_str("verdict", "accepted", js_verdict_name(verdict));
		else
			js_nonces_take(&nonces, LW_MAC_1_0_3, (uint16_t)dev_nonce, at(0));
		taken[dev_nonce] = true;
		if ((i >= 4094 && i <= 4098) || i == 65535) {
			store_and_load();
			t_int("a bitmap above 4,096", i >= 4096, nonces.is_bitmap);
			unsigned wrong = 0;
			for (uint32_t n = 0; n < 65536; n++)
				wrong += js_nonces_used(&nonces, (uint16_t)n) != taken[n];
			t_uint("wrong members", 0, wrong);
		}
	}
	t_uint("count", 65536, nonces.count);
}

static void stored_forms_that_are_none(void **state)
{
	(void)state;
	static uint8_t used[JS_NONCES_USED_MAX + 2];
	static const struct {
		const char *name;
		uint8_t form;
		size_t length;
		enum status status;
	} rows[] = {
		{"nothing", 1, 0, ST_INVALID},
		{"an empty list", 1, 1, ST_OK},
		{"half a member", 1, 2, ST_INVALID},
		{"a full list", 1, 1 + 8192, ST_OK},
		{"a list that should be a bitmap", 1, 1 + 8194, ST_INVALID},
		{"a short bitmap", 2, 8192, ST_INVALID},
		{"a bitmap", 2, 8193, ST_OK},
		{"a form of nobody", 3, 1, ST_INVALID},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		used[0] = rows[i].form;
		js_nonces_init(&nonces, mark_a);
		t_str("status", status_name(rows[i].status),
		      status_name(js_nonces_decode(&nonces, used, rows[i].length)));
	}
}

static void join_nonces_end(void **state)
{
	(void)state;
	js_nonces_init(&nonces, mark_a);
	nonces.join_nonce = JS_JOIN_NONCE_MAX - 1;
	t_int("the last one", JS_ACCEPTED, js_nonces_judge(&nonces, LW_MAC_1_0_4, 1, at(0), &allowed));
	t_uint("is given", JS_JOIN_NONCE_MAX, js_nonces_take(&nonces, LW_MAC_1_0_4, 1, at(0)));
	t_int("then none", JS_JOIN_NONCE_EXHAUSTED,
	      js_nonces_judge(&nonces, LW_MAC_1_0_4, 2, at(1), &allowed));
	t_int("a late copy is still told", JS_LATE_COPY,
	      js_nonces_judge(&nonces, LW_MAC_1_0_4, 1, at(1), &allowed));
}

static void a_new_key_begins_the_dev_nonces_anew(void **state)
{
	(void)state;
	js_nonces_init(&nonces, mark_a);
	js_nonces_take(&nonces, LW_MAC_1_0_4, 100, at(0));
	js_nonces_rekey(&nonces, mark_a);
	t_int("the same key", JS_DEV_NONCE_NOT_INCREASING,
	      js_nonces_judge(&nonces, LW_MAC_1_0_4, 1, at(10), &allowed));
	js_nonces_rekey(&nonces, mark_b);
	t_int("another key", JS_ACCEPTED, js_nonces_judge(&nonces, LW_MAC_1_0_4, 1, at(10), &allowed));
	t_int("no late copy under another key", JS_ACCEPTED,
	      js_nonces_judge(&nonces, LW_MAC_1_0_4, 100, at(10), &allowed));
	t_uint("the JoinNonce goes on", 2, js_nonces_take(&nonces, LW_MAC_1_0_4, 1, at(10)));
}

/* A device that joined with 10, 20 and 30 (1.0.4), or 30, 10 and 20 (1.0.3), 1,000 s ago. */
static void one_join_may_be_allowed(void **state)
{
	(void)state;
	enum { NO, YES, LATE, FULL }; /* what is allowed when the row begins: YES for 100 s */
	static const struct {
		const char *name;
		enum lw_mac_version version;
		int grant;
		uint16_t dev_nonce;
		int64_t seconds;
		enum js_verdict verdict;
		bool needed, open; /* afterwards */
	} rows[] = {
		{"1.0.4, not allowed", LW_MAC_1_0_4, NO, 5, 1000, JS_DEV_NONCE_NOT_INCREASING, false, false},
		{"1.0.4: too low, new", LW_MAC_1_0_4, YES, 5, 1000, JS_ACCEPTED, true, false},
		{"1.0.4: used", LW_MAC_1_0_4, YES, 10, 1000, JS_ACCEPTED, true, false},
		{"1.0.4: the last one, no late copy any more", LW_MAC_1_0_4, YES, 30, 1000, JS_ACCEPTED, true,
		 false},
		{"1.0.4: a late copy uses nothing up", LW_MAC_1_0_4, YES, 30, 100, JS_LATE_COPY, false, true},
		{"1.0.4: a good one needs nothing, and ends it", LW_MAC_1_0_4, YES, 31, 1000, JS_ACCEPTED,
		 false, false},
		{"1.0.4: a moment too late", LW_MAC_1_0_4, LATE, 5, 1000, JS_DEV_NONCE_NOT_INCREASING, false,
		 false},
		{"1.0.4: no JoinNonce left", LW_MAC_1_0_4, FULL, 5, 1000, JS_JOIN_NONCE_EXHAUSTED, false,
		 true},
		{"1.0.3, not allowed", LW_MAC_1_0_3, NO, 10, 1000, JS_DEV_NONCE_USED, false, false},
		{"1.0.3: used", LW_MAC_1_0_3, YES, 10, 1000, JS_ACCEPTED, true, false},
		{"1.1: too low", LW_MAC_1_1_0, YES, 0, 1000, JS_ACCEPTED, true, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		enum lw_mac_version version = rows[i].version;
		struct wall now = at(rows[i].seconds);
		js_nonces_init(&nonces, mark_a);
		for (uint16_t n = 10; n <= 30; n = (uint16_t)(n + 10))
			js_nonces_take(&nonces, version, n, at(0));
		if (rows[i].grant == FULL)
			nonces.join_nonce = JS_JOIN_NONCE_MAX;
		if (rows[i].grant != NO)
			nonces.allowed_until = at(rows[i].seconds + (rows[i].grant == LATE ? 0 : 100));
		uint32_t before = nonces.join_nonce, count = nonces.count;
		bool known = js_nonces_used(&nonces, rows[i].dev_nonce);
		enum js_verdict verdict = js_nonces_judge(&nonces, version, rows[i].dev_nonce, now, &allowed);
		t_str("verdict", js_verdict_name(rows[i].verdict), js_verdict_name(verdict));
		t_int("needed", rows[i].needed, allowed);
		if (verdict == JS_ACCEPTED) {
			t_uint("the JoinNonce is the next", before + 1,
			       js_nonces_take(&nonces, version, rows[i].dev_nonce, now));
			t_uint("the set has it once", count + !known, nonces.count);
			t_true("used now", js_nonces_used(&nonces, rows[i].dev_nonce));
		}
		t_int("open", rows[i].open, js_nonces_allowed_for(&nonces, now) > 0);
		if (!rows[i].needed || verdict != JS_ACCEPTED)
			continue;
		uint16_t second = rows[i].dev_nonce == 10 ? 20 : 10;
		t_true("a second reuse is refused",
		       js_nonces_judge(&nonces, version, second, now, &allowed) != JS_ACCEPTED && !allowed);
		t_int("its own copy is a late copy", JS_LATE_COPY,
		      js_nonces_judge(&nonces, version, rows[i].dev_nonce, now, &allowed));
		if (version != LW_MAC_1_0_3)
			t_uint("the highest stays", 30, nonces.counter);
	}
	t_row("a new key");
	nonces.allowed_until = at(5000);
	js_nonces_rekey(&nonces, mark_b);
	t_true("ends it", js_nonces_allowed_for(&nonces, at(1)) == 0);
	t_row("a rejoin");
	nonces.allowed_until = at(5000);
	js_nonces_take_rejoin(&nonces, 1, 7, at(1));
	t_true("does not", js_nonces_allowed_for(&nonces, at(1)) > 0);
}

/* --- merging ------------------------------------------------------------------------------------------------- */

static void where_join_nonces_go_on(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t own, theirs, expected;
	} rows[] = {
		{"neither joined", 0, 0, 4096},
		{"new here", 0, 17, 17 + 4096},
		{"lower here", 4112, 17, 17 + 4096},
		{"as high here", 4113, 17, 17 + 4096},
		{"higher here", 5000, 17, 5000},
		{"the gap just fits", 0, 0xffffff - 8192, 0xffffff - 4096},
		{"half of what is left", 0, 0xffffff - 100, 0xffffff - 50},
		{"one is left", 0, 0xfffffe, 0xfffffe},
		{"none is left", 0, 0xffffff, 0xffffff},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		js_nonces_init(&nonces, mark_a);
		js_nonces_init(&other, mark_b);
		nonces.join_nonce = rows[i].own;
		other.join_nonce = rows[i].theirs;
		t_int("changed", rows[i].own < rows[i].expected, js_nonces_merge(&nonces, &other));
		t_uint("join_nonce", rows[i].expected, nonces.join_nonce);
		t_false("again", js_nonces_merge(&nonces, &other));
		t_uint("the same", rows[i].expected, nonces.join_nonce);
	}
}

/* Of every pair of forms, with members that both have. */
static void a_merged_set_is_the_union(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t own, theirs;
	} rows[] = {{"list and list", 100, 200},         {"lists that make a bitmap", 4000, 4000},
		    {"list and bitmap", 50, 6000},       {"bitmap and list", 6000, 50},
		    {"two bitmaps", 30000, 40000},       {"nothing and list", 0, 9},
		    {"list and nothing", 9, 0},          {"nothing and all", 0, 65536},
		    {"exactly the list", 2048, 2 * 2048}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		js_nonces_init(&nonces, mark_a);
		js_nonces_init(&other, mark_a);
		/* Own: multiples of 2 from 0; theirs: multiples of 3 from 65,535 down. */
		static bool expected[65536];
		memset(expected, 0, sizeof expected);
		for (uint32_t n = 0; n < rows[i].own; n++) {
			uint16_t member = (uint16_t)(n * 2 + (n >= 32768));
			js_nonces_take(&nonces, LW_MAC_1_0_3, member, at(0));
			expected[member] = true;
		}
		for (uint32_t n = 0; n < rows[i].theirs; n++) {
			uint16_t member = (uint16_t)(65535 - n * 3);
			js_nonces_take(&other, LW_MAC_1_0_3, member, at(0));
			expected[member] = true;
		}
		uint32_t count = 0, wrong = 0;
		js_nonces_merge(&nonces, &other);
		for (uint32_t n = 0; n < 65536; n++) {
			count += expected[n];
			wrong += js_nonces_used(&nonces, (uint16_t)n) != expected[n];
		}
		t_uint("wrong members", 0, wrong);
		t_uint("count", count, nonces.count);
		t_false("again", js_nonces_merge(&nonces, &other));
		store_and_load();
		t_uint("stored", count, nonces.count);
	}
}

static void what_else_is_merged_is_never_lowered(void **state)
{
	(void)state;
	js_nonces_init(&nonces, mark_a);
	js_nonces_init(&other, mark_a);
	other.has_counter = other.has_rj_count1 = other.has_net_id = true;
	other.counter = 9;
	other.rj_count1 = 5;
	other.rj_time = other.last_time = other.allowed_until = at(1000);
	other.has_last = true;
	other.last_dev_nonce = 9;
	other.net_id.value = 7;
	other.uses = 40;
	other.used_at = at(50);
	t_true("changed", js_nonces_merge(&nonces, &other));
	t_true("counter", nonces.has_counter && nonces.counter == 9);
	t_true("rj_count1", nonces.has_rj_count1 && nonces.rj_count1 == 5);
	t_true("network", nonces.has_net_id && nonces.net_id.value == 7);
	t_true("uses", nonces.uses == 40 && nonces.used_at.us == at(50).us);
	t_false("no late copy of a join elsewhere", nonces.has_last || nonces.rj_time.us != 0);
	t_int("nobody allowed anything here", 0, nonces.allowed_until.us);
	const struct js_nonces before = nonces;
	other.counter = other.rj_count1 = 4;
	other.net_id.value = 8;
	other.uses = 1;
	other.used_at = at(1);
	t_false("lower ones", js_nonces_merge(&nonces, &other));
	t_bytes("change nothing", (const uint8_t *)&before, sizeof before, (const uint8_t *)&nonces,
		sizeof before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_policy_follows_the_version),
		t_test(the_set_is_exact),
		t_test(stored_forms_that_are_none),
		t_test(join_nonces_end),
		t_test(a_new_key_begins_the_dev_nonces_anew),
		t_test(one_join_may_be_allowed),
		t_test(where_join_nonces_go_on),
		t_test(a_merged_set_is_the_union),
		t_test(what_else_is_merged_is_never_lowered),
	};
	return t_run(tests);
}
