/* A device changes its join server: what was used up at the first is used up at the second, over two real databases. */
#include "tests/harness/harness.h"

#include "join-server/store_sqlite.h"
#include "join-server/vault_import.h"
#include "tests/harness/join_world.h"
#include "tests/harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[T_DIR_MAX];
struct place {
	struct t_join_world world;
	struct db *db;
};
static struct place from, to;
static struct js_export_page exported;
static struct js_imported imported;
static uint32_t transaction;
static const struct lw_key other_key = {{9, 9, 9}};

static void commit(struct place *place)
{
	assert_int_equal(js_join_flush(&place->world.join), ST_OK);
	assert_int_equal(js_store_commit(place->db), ST_OK);
}

static void open_place(struct place *place, const char *name)
{
	char path[T_DIR_MAX + 32];
	snprintf(path, sizeof path, "%s/%s.db", dir, name);
	t_join_world_open(&place->world);
	js_join_release(&place->world.join);
	assert_int_equal(js_store_open(path, NULL, &place->db), ST_OK);
	place->world.options.store = js_store_sqlite(place->db);
	assert_int_equal(js_join_init(&place->world.join, &place->world.options, place->world.now), ST_OK);
}

static void close_place(struct place *place)
{
	t_join_world_close(&place->world);
	db_close(place->db);
}

static void open_places(void)
{
	t_temp_dir(dir);
	open_place(&from, "from");
	open_place(&to, "to");
	transaction = 0;
}

static void close_places(void)
{
	close_place(&from);
	close_place(&to);
	t_temp_dir_remove(dir);
}

static int open_both(void **state)
{
	open_places();
	return t_setup(state);
}

static int close_both(void **state)
{
	close_places();
	return t_teardown(state);
}

/* For the next row of a table: what failed before it stays said. */
static void begin_anew(void)
{
	close_places();
	open_places();
}

static void enter(struct place *place, enum lw_mac_version version, const struct lw_key *app_key)
{
	static uint64_t number;
	struct js_record record = t_join_record(&place->world, ++number, version);
	assert_int_equal(sealed_key_seal(record.app_key, secret_box_public(place->world.box), SEALED_APP_KEY,
					 record.dev_eui.bytes, app_key->bytes),
			 ST_OK);
	t_join_provision(&place->world, &record);
	commit(place);
}

static const char *join(struct place *place, enum lw_mac_version version, uint16_t dev_nonce)
{
	static struct bi_message answer;
	bool two = version == LW_MAC_1_1_0;
	struct bi_message request = t_join_request(&place->world, two ? &t_nwk_key : &t_app_key, version,
						   dev_nonce, ++transaction);
	enum js_verdict verdict = t_join_ask(&place->world, &request, &answer);
	commit(place);
	/* So that no answer is of a late copy or a retry. */
	place->world.now.wall.us += 2 * JS_LATE_COPY_US;
	place->world.now.mono.us += 2 * JS_LATE_COPY_US;
	return js_verdict_name(verdict);
}

static struct js_nonces *nonces_of(struct place *place)
{
	static struct js_nonces nonces;
	struct lw_eui64 dev_eui = lw_eui64_from_number(T_DEV_EUI),
			join_eui = lw_eui64_from_number(T_JOIN_EUI);
	const struct js_store *store = &place->world.options.store;
	if (store->load_nonces(store->ctx, &join_eui, &dev_eui, &nonces) != ST_OK)
		memset(&nonces, 0, sizeof nonces);
	return &nonces;
}

static void export_device(void)
{
	struct js_export_order order = {
		.one = true, .device = lw_eui64_from_number(T_DEV_EUI), .who = "uid 1"};
	memcpy(order.to, secret_box_public(to.world.box), SECRET_KEY);
	assert_int_equal(JS_EXPORTED, js_export(&from.world.join, from.world.now, &order, &exported));
	commit(&from);
}

static enum js_import_result import_page(const uint8_t *sealed, size_t length)
{
	static struct js_import_order order;
	order = (struct js_import_order){.length = length, .who = "uid 2"};
	memcpy(order.sealed, sealed, length);
	enum js_import_result result = js_import(&to.world.join, to.world.now, &order, &imported);
	commit(&to);
	return result;
}

static void import_device(void)
{
	assert_int_equal(JS_IMPORTED, import_page(exported.sealed, exported.length));
}

static uint64_t audited(struct place *place, const char *what)
{
	struct js_audit_row rows[64];
	const struct js_store *store = &place->world.options.store;
	size_t count;
	uint64_t found = 0;
	assert_int_equal(ST_OK, store->list_audit(store->ctx, 0, ARRAY_SIZE(rows), rows, &count));
	for (size_t i = 0; i < count; i++)
		found += strcmp(rows[i].what, what) == 0;
	return found;
}

/* --- the tests ----------------------------------------------------------------------------------------------------- */

static void what_was_used_there_is_used_here(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		bool registered_first;
		uint16_t used[3], next;
		const char *replayed;
	} rows[] = {
		{"1.0.3, registered behind the import",
		 LW_MAC_1_0_3,
		 false,
		 {40000, 7, 900},
		 12,
		 "dev_nonce_used"},
		{"1.0.3, registered before it", LW_MAC_1_0_3, true, {40001, 8, 901}, 12, "dev_nonce_used"},
		{"1.0.4", LW_MAC_1_0_4, false, {3, 7, 9}, 10, "dev_nonce_not_increasing"},
		{"1.1", LW_MAC_1_1_0, false, {3, 7, 9}, 10, "dev_nonce_not_increasing"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		if (i > 0)
			begin_anew();
		enter(&from, rows[i].version, &t_app_key);
		if (rows[i].registered_first)
			enter(&to, rows[i].version, &t_app_key);
		for (size_t k = 0; k < 3; k++)
			t_str("joins there", "accepted", join(&from, rows[i].version, rows[i].used[k]));
		export_device();
		import_device();
		t_uint("changed", 1, imported.changed);
		t_uint("not registered", !rows[i].registered_first, imported.unregistered);
		enter(&to, rows[i].version, &t_app_key);
		for (size_t k = 0; k < 3; k++)
			t_str("played again here", rows[i].replayed,
			      join(&to, rows[i].version, rows[i].used[k]));
		t_str("its next join", "accepted", join(&to, rows[i].version, rows[i].next));
		t_uint("its JoinNonce", 3 + JS_JOIN_NONCE_GAP + 1, nonces_of(&to)->join_nonce);
		t_uint("uses of the key", 4, nonces_of(&to)->uses);
		t_uint("told there", 1, audited(&from, "export"));
		t_uint("and here", 1, audited(&to, "import"));
	}
}

static void a_second_import_changes_nothing_but_the_audit(void **state)
{
	(void)state;
	enter(&from, LW_MAC_1_0_3, &t_app_key);
	join(&from, LW_MAC_1_0_3, 5);
	export_device();
	import_device();
	enter(&to, LW_MAC_1_0_3, &t_app_key);
	t_str("joins here", "accepted", join(&to, LW_MAC_1_0_3, 6));
	const struct js_nonces before = *nonces_of(&to);
	import_device();
	t_uint("changed", 0, imported.changed);
	t_uint("known", 1, imported.known);
	t_bytes("the row", (const uint8_t *)&before, sizeof before, (const uint8_t *)nonces_of(&to),
		sizeof before);
	t_uint("told twice", 2, audited(&to, "import"));
}

/* Whoever has an old export, and imports it late. */
static void nothing_is_ever_lowered(void **state)
{
	(void)state;
	enter(&from, LW_MAC_1_0_4, &t_app_key);
	join(&from, LW_MAC_1_0_4, 5);
	enter(&to, LW_MAC_1_0_4, &t_app_key);
	for (uint16_t i = 0; i < 3; i++)
		join(&to, LW_MAC_1_0_4, (uint16_t)(1000 + i));
	struct js_nonces high = *nonces_of(&to);
	high.join_nonce = 9000;
	high.has_rj_count1 = true;
	high.rj_count1 = 77;
	struct lw_eui64 dev_eui = lw_eui64_from_number(T_DEV_EUI),
			join_eui = lw_eui64_from_number(T_JOIN_EUI);
	assert_int_equal(ST_OK, to.world.options.store.save_nonces(to.db, &join_eui, &dev_eui, &high));
	export_device();
	import_device();
	const struct js_nonces *now = nonces_of(&to);
	t_uint("join_nonce", 9000, now->join_nonce);
	t_uint("counter", 1002, now->counter);
	t_uint("rj_count1", 77, now->rj_count1);
	t_uint("uses", 3, now->uses);
	t_true("its own used ones", js_nonces_used(now, 1000) && js_nonces_used(now, 1001));
	t_true("and the other's", js_nonces_used(now, 5));
	t_uint("no more", 4, now->count);
}

static void seal_one(const struct vault_record *record, uint8_t kind)
{
	struct vault_page page;
	vault_page_begin(&page);
	assert_true(vault_page_add(&page, record));
	page.plain[1] = kind;
	exported.length = vault_page_seal(exported.sealed, secret_box_public(to.world.box), &page);
}

static void devices_that_cannot_be_taken_are_named(void **state)
{
	(void)state;
	static const uint8_t none[] = {1}, odd[] = {1, 2}, five[] = {1, 5, 0};
	const struct {
		const char *name, *reason;
		const struct lw_key *registered; /* here, as 1.0.3; NULL: not */
		bool joined; /* here, and was removed after that where `registered` is NULL */
		struct vault_record record;
	} rows[] = {
		{"a new device", NULL, NULL, false, {.has_app_key = true, .used = five, .used_length = 3}},
		{"one that is registered here",
		 NULL,
		 &t_app_key,
		 false,
		 {.has_app_key = true, .used = none, .used_length = 1}},
		{"one that joined here",
		 NULL,
		 &t_app_key,
		 true,
		 {.has_app_key = true, .used = five, .used_length = 3}},
		{"another key here",
		 "another_key",
		 &other_key,
		 false,
		 {.has_app_key = true, .used = none, .used_length = 1}},
		{"a key of another kind alone",
		 "no_key",
		 NULL,
		 false,
		 {.has_nwk_key = true, .used = none, .used_length = 1}},
		{"half a DevNonce",
		 "malformed",
		 NULL,
		 false,
		 {.has_app_key = true, .used = odd, .used_length = 2}},
		{"a JoinNonce of 25 bits",
		 "malformed",
		 NULL,
		 false,
		 {.has_app_key = true, .join_nonce = 1 << 24, .used = none, .used_length = 1}},
		{"a NetID of 25 bits",
		 "malformed",
		 NULL,
		 false,
		 {.has_app_key = true,
		  .has_net_id = true,
		  .net_id = 1 << 24,
		  .used = none,
		  .used_length = 1}},
		{"removed here, and it joined with another key",
		 "nonces_of_another_key",
		 NULL,
		 true,
		 {.has_app_key = true, .used = five, .used_length = 3}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begin_anew();
		struct vault_record record = rows[i].record;
		struct lw_eui64 dev_eui = lw_eui64_from_number(T_DEV_EUI),
				join_eui = lw_eui64_from_number(T_JOIN_EUI);
		memcpy(record.dev_eui, dev_eui.bytes, 8);
		memcpy(record.join_eui, join_eui.bytes, 8);
		memcpy(record.version, (const uint8_t[]){1, 0, 3}, 3);
		memcpy(record.app_key,
		       rows[i].registered || !rows[i].joined ? t_app_key.bytes : other_key.bytes, 16);
		if (rows[i].registered || rows[i].joined)
			enter(&to, LW_MAC_1_0_3, rows[i].registered ? rows[i].registered : &t_app_key);
		if (rows[i].joined)
			t_str("joins", "accepted", join(&to, LW_MAC_1_0_3, 99));
		if (rows[i].joined && !rows[i].registered)
			assert_int_equal(ST_OK, to.world.options.store.remove_device(to.db, &dev_eui));
		const struct js_nonces before = *nonces_of(&to);
		seal_one(&record, 0x21);
		import_device();
		t_uint("refused", rows[i].reason != NULL, imported.refused_count);
		t_uint("taken", rows[i].reason == NULL, imported.changed);
		if (!rows[i].reason)
			continue;
		t_str("why", rows[i].reason, js_import_refusal_name(imported.refused[0].reason));
		t_bytes("left as it was", (const uint8_t *)&before, sizeof before,
			(const uint8_t *)nonces_of(&to), sizeof before);
	}
}

static void a_page_that_is_not_for_us_changes_nothing(void **state)
{
	(void)state;
	static const uint8_t none[] = {1};
	struct vault_record record = {
		.has_app_key = true, .version = {1, 0, 3}, .used = none, .used_length = 1};
	seal_one(&record, 0x21);
	exported.sealed[60] ^= 1;
	t_int("changed", JS_IMPORT_NOT_FOR_US, import_page(exported.sealed, exported.length));
	t_int("nothing", JS_IMPORT_NO_PAGE, import_page(exported.sealed, 0));
	seal_one(&record, 0x11);
	t_int("a master key's", JS_IMPORT_NO_PAGE, import_page(exported.sealed, exported.length));
	uint8_t before[4] = {1, 0x20, 0, 0}, sealed[4 + SECRET_BOX_OVERHEAD];
	assert_int_equal(ST_OK,
			 secret_box_seal(secret_box_public(to.world.box), before, sizeof before, sealed));
	t_int("of the release before", JS_IMPORT_OLD, import_page(sealed, sizeof sealed));
	t_uint("no row", 0, audited(&to, "import"));
	seal_one(&record, 0x21);
	to.world.join.audit.seq = JS_AUDIT_ROWS_MAX;
	t_int("a full audit", JS_IMPORT_AUDIT_FULL, import_page(exported.sealed, exported.length));
	t_uint("nothing was taken", 0, nonces_of(&to)->join_nonce);
}

/* A device whose key was changed, and that has not joined with it: the old key's DevNonces go nowhere. */
static void nonces_of_an_older_key_do_not_travel(void **state)
{
	(void)state;
	enter(&from, LW_MAC_1_0_3, &t_app_key);
	join(&from, LW_MAC_1_0_3, 5);
	enter(&from, LW_MAC_1_0_3, &other_key);
	export_device();
	import_device();
	t_false("not used with this key", js_nonces_used(nonces_of(&to), 5));
	t_uint("JoinNonces go on", 1 + JS_JOIN_NONCE_GAP, nonces_of(&to)->join_nonce);
}

/* Devices with so many DevNonces that no 100 of them fit into a page. */
static void an_export_of_many_goes_through_all_of_them(void **state)
{
	(void)state;
	enum { DEVICES = 23 };
	const struct js_store *store = &from.world.options.store;
	struct js_export_order order = {.who = "uid 1"};
	struct lw_eui64 join_eui = lw_eui64_from_number(T_JOIN_EUI);
	size_t pages = 0, devices = 0;
	enter(&from, LW_MAC_1_0_3, &t_app_key);
	for (uint64_t i = 0; i < DEVICES; i++) {
		/* From both halves of the numbers: the order is that of signed ones. */
		struct js_device device = {.dev_eui = lw_eui64_from_number((i & 1) << 63 | (i + 1)),
					   .version = 1,
					   .run = from.world.join.state.valid_run,
					   .mac_version = LW_MAC_1_0_3,
					   .join_eui = join_eui,
					   .has_app_key = i != 7};
		static struct js_nonces nonces;
		uint8_t mark[JS_KEY_MARK];
		js_key_vault_seal(&from.world.options.vault, &device.dev_eui, SEALED_APP_KEY, &other_key,
				  device.app_key);
		js_key_vault_mark(&from.world.options.vault, &device.dev_eui, &other_key, mark);
		js_nonces_init(&nonces, mark);
		for (uint32_t k = 0; k < 5000; k++)
			js_nonces_take(&nonces, LW_MAC_1_0_3, (uint16_t)(k * 13 + i), from.world.now.wall);
		assert_int_equal(ST_OK, store->save_device(store->ctx, &device));
		assert_int_equal(ST_OK, store->save_nonces(store->ctx, &join_eui, &device.dev_eui, &nonces));
	}
	commit(&from);
	memcpy(order.to, secret_box_public(to.world.box), SECRET_KEY);
	do {
		assert_int_equal(JS_EXPORTED, js_export(&from.world.join, from.world.now, &order, &exported));
		order.follows = true;
		order.after = exported.last;
		import_device();
		devices += imported.devices;
		t_uint("as many as it says", exported.devices, imported.devices);
	} while (exported.more && ++pages < 100);
	t_uint("each once, but for the one without a key", DEVICES, devices);
	struct lw_eui64 last = lw_eui64_from_number(DEVICES);
	static struct js_nonces taken;
	assert_int_equal(ST_OK, to.world.options.store.load_nonces(to.db, &join_eui, &last, &taken));
	t_uint("the whole set", 5000, taken.count);
	t_true("is its own",
	       js_nonces_used(&taken, DEVICES - 1 + 13) && !js_nonces_used(&taken, DEVICES + 13));
}

int main(void)
{
#define OF_BOTH(f)                                 \
	{                                          \
#f, f, open_both, close_both, NULL \
	}
	const struct CMUnitTest tests[] = {
		OF_BOTH(what_was_used_there_is_used_here),
		OF_BOTH(a_second_import_changes_nothing_but_the_audit),
		OF_BOTH(nothing_is_ever_lowered),
		OF_BOTH(devices_that_cannot_be_taken_are_named),
		OF_BOTH(a_page_that_is_not_for_us_changes_nothing),
		OF_BOTH(nonces_of_an_older_key_do_not_travel),
		OF_BOTH(an_export_of_many_goes_through_all_of_them),
	};
	return t_run(tests);
}
