/* The store as it is asked for by many records: plans of its queries, pages, tombstones. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "application-server/store_desired.h"
#include "application-server/store_device.h"
#include "application-server/store_events.h"
#include "application-server/store_items.h"
#include "application-server/store_keys.h"
#include "application-server/store_private.h"
#include "application-server/store_records.h"
#include "application-server/store_records_private.h"

#include <stdio.h>
#include <string.h>

/* --- plans -------------------------------------------------------------------------------------------------- */

/* Checks that SQLite answers a statement from its indexes alone, whatever the tables hold. */
static void check_plan(const struct db_migrations *migrations, const char *sql)
{
	char explained[5000];
	const char *const statements[] = {explained};
	struct db *db = NULL;
	snprintf(explained, sizeof explained, "EXPLAIN QUERY PLAN %s", sql);
	t_row(sql);
	assert_int_equal(ST_OK, db_open(&(struct db_options){.path = ":memory:",
							     .migrations = migrations,
							     .statements = statements,
							     .statement_count = 1},
					&db));
	while (db_step(db, 0) == DB_ROW) {
		char detail[200];
		snprintf(detail, sizeof detail, "%s", db_column_text(db, 0, 3));
		t_true(detail, strncmp(detail, "SCAN ", 5) != 0 || strcmp(detail, "SCAN CONSTANT ROW") == 0);
		/* The key of a desired record is used whole, not its kind alone. */
		if (strstr(detail, "desired USING PRIMARY KEY"))
			t_true(detail, strstr(detail, "(kind=? AND key=?)") != NULL);
	}
	db_close(db);
}

static void no_query_reads_a_whole_table(void **state)
{
	(void)state;
	char **sql = as_records_sql_new();
	assert_non_null(sql);
	for (int i = 0; i < as_records_sql_count(); i++) {
		bool of_kind = i < RECORD_KIND_COUNT * PER_KIND;
		int kind = i / PER_KIND, statement = i % PER_KIND;
		/* Slugs are of kinds of which there are few, but for gateways; an agency goes once in a decade. */
		if (of_kind && ((statement == GET_BY_SLUG && kind != RECORD_GATEWAY) ||
				(statement == REMOVE && kind == RECORD_AGENCY)))
			continue;
		check_plan(&db_migrations_application_server, sql[i]);
	}
	as_records_sql_free(sql);
	for (int i = 0; i < as_sql_keys_count; i++)
		check_plan(&db_migrations_application_server, as_sql_keys[i]);
	for (int i = 0; i < as_sql_items_count; i++)
		check_plan(&db_migrations_application_server, as_sql_items[i]);
	for (int i = 0; i < as_sql_device_count; i++)
		check_plan(&db_migrations_application_server, as_sql_device[i]);
}

/* --- pages -------------------------------------------------------------------------------------------------- */

static void pages_hold_every_eui_once(void **state)
{
	(void)state;
	static const char *const euis[] = {"0000000000000000", "7fffffffffffffff", "8000000000000000",
					   "8000000000000001", "ffffffffffffffff"};
	for (int limit = 1; limit <= 6; limit++) {
		struct t_city *city = t_city_new();
		char target[100], row[40];
		unsigned seen[ARRAY_SIZE(euis)] = {0};
		snprintf(row, sizeof row, "pages of %d", limit);
		t_row(row);
		for (size_t i = 0; i < ARRAY_SIZE(euis); i++) {
			char body[100];
			snprintf(body, sizeof body, "{\"eui\":\"%s\",\"name\":\"n\",\"region\":\"eu868\"}",
				 euis[i]);
			t_int("created", 201,
			      t_city_call(city, &t_city_admin, "POST", "/api/v1/gateways", body));
		}
		snprintf(target, sizeof target, "/api/v1/gateways?limit=%d", limit);
		for (int page = 0; page < 6; page++) {
			size_t index;
			json_t *item;
			t_int("page", 200, t_city_call(city, &t_city_admin, "GET", target, NULL));
			json_array_foreach(json_object_get(t_city_answer(city), "items"), index, item)
			{
				for (size_t i = 0; i < ARRAY_SIZE(euis); i++)
					seen[i] += strcmp(euis[i],
							  json_string_value(json_object_get(item, "eui"))) ==
						   0;
			}
			if (!*t_city_text(city, "next"))
				break;
			snprintf(target, sizeof target, "/api/v1/gateways?limit=%d&after=%s", limit,
				 t_city_text(city, "next"));
		}
		for (size_t i = 0; i < ARRAY_SIZE(euis); i++)
			t_uint(euis[i], 1, seen[i]);
		t_city_free(city);
	}
}

/* --- tombstones --------------------------------------------------------------------------------------------- */

static int64_t tombstones(struct t_city *city)
{
	return db_query_i64(city->store->city, "SELECT count(*) FROM desired WHERE deleted = 1", -1);
}

static json_t *gateway(unsigned number)
{
	char eui[17];
	snprintf(eui, sizeof eui, "%016x", number);
	json_t *record = json_pack("{ss ss ss}", "eui", eui, "name", "n", "region", "eu868");
	assert_int_equal(ST_OK, record_fill(record_schema(RECORD_GATEWAY), record));
	return record;
}

/* One gateway after the other comes and goes, so that no removal ever has an even version. */
static void tombstones_are_bounded(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	for (unsigned i = 0; i < AS_TOMBSTONES_MAX + 2048; i++) {
		json_t *record = gateway(i);
		assert_int_equal(ST_OK,
				 as_store_record_insert(city->store, RECORD_GATEWAY, record, city->now.wall));
		assert_int_equal(ST_OK, as_store_record_remove(city->store, RECORD_GATEWAY, record));
		json_decref(record);
		if (i == 1000) {
			assert_int_equal(ST_OK, as_store_commit(city->store));
			t_true("few are all kept", tombstones(city) == 1001);
			t_true("whoever is at the start gets changes",
			       as_store_desired_continues(city->store, as_store_city(city->store), 1));
		}
	}
	assert_int_equal(ST_OK, as_store_commit(city->store));
	uint64_t version = as_store_version(city->store);
	t_true("not more than promised", tombstones(city) <= AS_TOMBSTONES_MAX + 1024);
	t_true("the newer half stays", tombstones(city) >= AS_TOMBSTONES_MAX / 2);
	t_false("a replica from before the oldest needs everything",
		as_store_desired_continues(city->store, as_store_city(city->store), 1));
	t_true("a recent one gets changes",
	       as_store_desired_continues(city->store, as_store_city(city->store), version - 100));
	struct as_desired first;
	size_t count = 0;
	t_int("read", ST_OK, as_store_desired_after(city->store, 0, &first, 1, &count));
	t_true("what a recent one needs is there",
	       count == 1 && as_store_desired_continues(city->store, as_store_city(city->store),
							first.version - 1));
	t_city_free(city);
}

/* --- downlink items ----------------------------------------------------------------------------------------- */

static struct as_item new_item(unsigned number, const char *dev_eui)
{
	struct as_item item = {.fport = 1, .status = NET_ITEM_QUEUED, .agency = {{1}}};
	memcpy(item.item.bytes, &number, sizeof number);
	assert_true(lw_eui64_parse(dev_eui, &item.dev_eui));
	return item;
}

/* 100 devices that each have one that waits, the oldest of all, and 60 behind it that are done. */
static void ended_items_go_whatever_still_waits(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct wall later = {city->now.wall.us + US_PER_S};
	unsigned number = 0;
	t_city_furnish(city);
	for (unsigned device = 0; device < 100; device++) {
		char body[200], eui[17];
		snprintf(eui, sizeof eui, "%016x", 0x100 + device);
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"%s\",\"name\":\"n\",\"application\":\"meters\",\"profile\":"
			 "\"probe\"}",
			 eui);
		assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/devices", body));
		for (unsigned i = 0; i <= 60; i++) {
			struct as_item item = new_item(++number, eui);
			item.ended = i > 0;
			item.status = i > 0 ? NET_ITEM_SENT : NET_ITEM_QUEUED;
			assert_int_equal(ST_OK, as_store_item_put(city->store, &item, city->now.wall));
		}
	}
	assert_int_equal(ST_OK, as_store_commit(city->store));
	bool more = true;
	unsigned slices = 0;
	for (; more && slices < 100; slices++)
		assert_int_equal(ST_OK, as_store_items_prune(city->store, city->now.wall, 1000, &more));
	t_uint("once through", 7, slices);
	t_int("what is young stays", 6100,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM downlinks", -1));
	for (more = true; more && slices < 100; slices++)
		assert_int_equal(ST_OK, as_store_items_prune(city->store, later, 1000, &more));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_int("what waits stays", 100,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM downlinks WHERE status = 0",
				      -1));
	t_int("what ended is gone", 100,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM downlinks", -1));
	t_city_free(city);
}

static void a_device_keeps_a_bounded_past(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	for (unsigned i = 0; i < 3 * AS_ITEMS_KEPT; i++) {
		struct as_item item = new_item(i + 1, "0102030405060708");
		item.ended = i > 0; /* the oldest of all waits */
		item.status = i > 0 ? NET_ITEM_SENT : NET_ITEM_QUEUED;
		assert_int_equal(ST_OK, as_store_item_put(city->store, &item, city->now.wall));
	}
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_int("ended ones", AS_ITEMS_KEPT,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM downlinks WHERE ended = 1",
				      -1));
	t_int("the one that waits stays", 1,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM downlinks WHERE ended = 0",
				      -1));
	t_int("changes went with them", AS_ITEMS_KEPT + 1,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM downlink_changes", -1));
	t_city_free(city);
}

static void what_waits_for_an_agency_is_counted(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	struct as_item item = new_item(1, "0102030405060708"), after;
	struct as_change sent = {.event = {{7}}, .status = NET_ITEM_SENT, .cause = "", .tries = 1};
	enum as_move move;
	for (unsigned i = 1; i <= 3; i++) {
		item = new_item(i, "0102030405060708");
		assert_int_equal(ST_OK, as_store_item_put(city->store, &item, city->now.wall));
	}
	t_uint("three wait", 3, as_store_items_of_agency(city->store, &item.agency));
	t_uint("nobody else's", 0, as_store_items_of_agency(city->store, &(struct net_uuid){{2}}));
	assert_int_equal(ST_OK, as_store_item_move(city->store, &item.item, &sent, &move, &after));
	t_uint("one was sent", 2, as_store_items_of_agency(city->store, &item.agency));
	t_int("the device goes", 204,
	      t_city_call(city, &t_city_admin, "DELETE", "/api/v1/devices/0102030405060708", NULL));
	t_uint("and all with it", 0, as_store_items_of_agency(city->store, &item.agency));
	t_city_free(city);
}

/* The hand-over stands behind a row: one that is used again would never be handed over. */
static void rows_are_never_used_again(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct as_item items[4];
	int64_t at = 0;
	size_t count;
	t_city_furnish(city);
	t_int("another device", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"0102030405060709\",\"name\":\"n\",\"application\":\"meters\","
			  "\"profile\":\"probe\"}"));
	struct as_item item = new_item(1, "0102030405060709");
	assert_int_equal(ST_OK, as_store_item_put(city->store, &item, city->now.wall));
	assert_int_equal(ST_OK, as_store_items_queued(city->store, &at, items, 4, &count));
	t_uint("handed over", 1, count);
	t_int("the device goes", 204,
	      t_city_call(city, &t_city_admin, "DELETE", "/api/v1/devices/0102030405060709", NULL));
	item = new_item(2, "0102030405060708");
	assert_int_equal(ST_OK, as_store_item_put(city->store, &item, city->now.wall));
	assert_int_equal(ST_OK, as_store_items_queued(city->store, &at, items, 4, &count));
	t_uint("the next one is handed over too", 1, count);
	t_city_free(city);
}

/* --- commands without an id ----------------------------------------------------------------------------------- */

static void commands_are_known_again(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t digest;
		int mid;
		int64_t later_s;
		bool seen;
	} known[] = {
		{"a minute has not passed", 1, 9, 59, true},
		{"a minute has passed", 1, 9, 61, false},
		{"under the same message id, hours later", 1, 5, 7200, true},
		{"under the same message id, days later", 1, 5, 2 * 86400, false},
		{"other bytes", 2, 5, 1, false},
	};
	struct t_city *city = t_city_new();
	struct wall now = city->now.wall;
	uint8_t digest[SECRET_HASH] = {1};
	assert_int_equal(ST_OK, as_store_command_remember(city->store, digest, 5, now));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		t_row(known[i].name);
		digest[0] = known[i].digest;
		t_int("seen", known[i].seen,
		      as_store_command_seen(city->store, digest, known[i].mid,
					    (struct wall){now.us + known[i].later_s * US_PER_S}));
	}
	t_row("the table is bounded");
	for (int i = 0; i < AS_COMMANDS_KEPT + 10; i++)
		assert_int_equal(ST_OK, as_store_command_remember(city->store, digest, 6, now));
	t_int("rows", AS_COMMANDS_KEPT,
	      (long long)db_query_i64(city->store->city, "SELECT count(*) FROM commands_seen", -1));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_city_free(city);
}

/* --- readings ----------------------------------------------------------------------------------------------- */

/* A wall clock that is set back must not make the latest join look like the oldest. */
static void latest_session_stays_when_the_clock_is_set_back(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct lw_eui64 dev_eui;
	uint8_t key[AS_SEALED_SESSION_KEY] = {1};
	t_city_furnish(city);
	assert_true(lw_eui64_parse("0102030405060708", &dev_eui));
	for (uint8_t join = 1; join <= 3 * AS_SESSIONS_KEPT; join++) {
		struct net_session_id session = {{join}}, before = {{(uint8_t)(join - AS_SESSIONS_KEPT)}};
		struct wall now = {city->now.wall.us - join * US_PER_S};
		t_int("put", ST_OK, as_store_session_put(city->store, &dev_eui, &session, key, NULL, now));
		t_int("the latest is there", ST_OK,
		      as_store_session_get(city->store, &dev_eui, &session, key));
		if (join > AS_SESSIONS_KEPT)
			t_int("the oldest has gone", ST_NOT_FOUND,
			      as_store_session_get(city->store, &dev_eui, &before, key));
	}
	t_city_free(city);
}

/* Accepts that a device does not hear, one after the other: it goes on with the session that it has. */
static void the_session_in_use_stays(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct lw_eui64 dev_eui;
	uint8_t key[AS_SEALED_SESSION_KEY] = {1};
	const struct net_session_id in_use = {{1}};
	t_city_furnish(city);
	assert_true(lw_eui64_parse("0102030405060708", &dev_eui));
	for (uint8_t join = 1; join <= 3 * AS_SESSIONS_KEPT; join++) {
		struct net_session_id session = {{join}};
		t_int("put", ST_OK,
		      as_store_session_put(city->store, &dev_eui, &session, key, join > 1 ? &in_use : NULL,
					   city->now.wall));
		t_int("the one in use is there", ST_OK,
		      as_store_session_get(city->store, &dev_eui, &in_use, key));
	}
	const struct net_session_id second = {{2}}, other = {{100}};
	t_int("others have gone", ST_NOT_FOUND, as_store_session_get(city->store, &dev_eui, &second, key));
	t_int("put", ST_OK, as_store_session_put(city->store, &dev_eui, &other, key, &other, city->now.wall));
	t_int("and this one when another is in use", ST_NOT_FOUND,
	      as_store_session_get(city->store, &dev_eui, &in_use, key));
	t_city_free(city);
}

static void readings_go_by_age_in_slices(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct as_event event = {.kind = AS_EVENT_UP, .has_owner = true, .body = "{}"};
	for (unsigned i = 0; i < 25; i++) {
		struct as_reading reading = {
			.time = {(int64_t)i}, .fcnt_up = i, .payload = (const uint8_t *)""};
		memcpy(event.id.bytes, &i, sizeof i);
		assert_int_equal(ST_OK, as_store_event_put(city->store, &event, &reading));
	}
	t_row("the same event again");
	t_int("refused", ST_EXISTS, as_store_event_put(city->store, &event, NULL));
	bool more = true;
	unsigned slices = 0;
	for (; more && slices < 10; slices++)
		assert_int_equal(ST_OK, as_store_readings_prune(city->store, (struct wall){20}, 10, &more));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_row("older than 20");
	t_uint("two slices, and one that finds nothing", 3, slices);
	t_true("the younger stay", db_query_i64(city->store->readings,
						"SELECT count(*) FROM readings WHERE time >= 20", -1) == 5);
	t_true("the older are gone",
	       db_query_i64(city->store->readings, "SELECT count(*) FROM readings", -1) == 5);
	t_row("events are kept by number");
	assert_int_equal(ST_OK, as_store_events_prune(city->store, 20, 3));
	t_uint("a slice", 22, as_store_events_count(city->store));
	assert_int_equal(ST_OK, as_store_events_prune(city->store, 20, 3));
	assert_int_equal(ST_OK, as_store_events_prune(city->store, 20, 3));
	t_uint("no more than is due", 20, as_store_events_count(city->store));
	t_uint("the oldest went", 6, as_store_events_first(city->store));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_city_free(city);
}

/* --- events -------------------------------------------------------------------------------------------------- */

/* The newest are lent from memory, the others and the long ones from the file: a reader that follows sees no difference. */
static void events_are_read_in_order_wherever_they_stand(void **state)
{
	static char body[6000];
	struct t_city *city = t_city_new();
	uint64_t seq = 0;
	(void)state;
	for (unsigned i = 1; i <= 1500; i++) {
		memset(body, 'a' + (char)(i % 26), sizeof body);
		body[i % 7 == 0 ? 5000 : 4095 + i % 2] = '\0'; /* about the longest that memory takes */
		struct as_event event = {.kind = (enum as_event_kind)(i % 2),
					 .has_owner = i % 3 == 0,
					 .agency = {{(uint8_t)i}},
					 .body = body};
		memcpy(event.id.bytes, &i, sizeof i);
		assert_int_equal(ST_OK, as_store_event_put(city->store, &event, NULL));
		t_uint("seq", i, event.seq);
	}
	assert_int_equal(ST_OK, as_store_commit(city->store));
	for (unsigned i = 1; i <= 1500; i++) {
		struct as_event event;
		unsigned id;
		if (!t_int("there is one", ST_OK, as_store_event_next(city->store, seq, &event)))
			break;
		memcpy(&id, event.id.bytes, sizeof id);
		t_uint("its id", i, id);
		t_uint("its kind", i % 2, event.kind);
		t_true("its owner", event.has_owner == (i % 3 == 0));
		t_uint("its agency", event.has_owner ? (uint8_t)i : 0, event.agency.bytes[0]);
		t_uint("its body", 'a' + i % 26, (unsigned char)event.body[0]);
		t_uint("all of its body", i % 7 == 0 ? 5000 : 4095 + i % 2, strlen(event.body));
		seq = event.seq;
	}
	struct as_event none;
	t_int("no more", ST_NOT_FOUND, as_store_event_next(city->store, seq, &none));
	t_row("what is no longer kept");
	for (int i = 0; i < 2; i++)
		assert_int_equal(ST_OK, as_store_events_prune(city->store, 3, 1000));
	t_int("an event", ST_OK, as_store_event_next(city->store, seq - 100, &none));
	t_uint("the oldest kept", seq - 2, none.seq);
	t_city_free(city);
}

/* An upgrade changes nobody's radio: a profile of the first release chooses data rates as it did, and has nothing that it never asked
 * for, whatever new profiles begin with. */
static void a_profile_of_before_keeps_what_it_had(void **state)
{
	(void)state;
	static const char insert[] =
		"INSERT INTO profiles (id, slug, name, region, mac_version, class, rx_delay_s, "
		"rx1_dr_offset, adr, "
		"allow_fcnt_reset, late_uplink_s, tags, created_at) VALUES (zeroblob(16), 'old', 'Old', "
		"'us915', '1.0.3', 'A', 0, 0, 1, 0, 0, '{}', 0)";
	static const char kept[] =
		"SELECT count(*) FROM profiles WHERE slug = 'old' AND adr_algorithm = 'usual' AND "
		"regional_revision = 'rp002-1.0.4' AND rejoin = 'all' AND fcnt_16_bit = 0 AND "
		"quirk_force_rejoin_high_byte_first + quirk_fopts_before_erratum + "
		"quirk_duplicate_link_adr_ans = 0 AND coalesce(adr_ack_limit_exp, adr_ack_delay_exp, "
		"rejoin_time_exp, rejoin_count_exp, beacon_freq_hz, ping_slot_freq_hz, ping_slot_dr) IS NULL";
	struct db_migrations before = db_migrations_application_server;
	before.count = 1;
	char dir[T_DIR_MAX], path[T_DIR_MAX + 10];
	struct db *db = NULL;
	t_temp_dir(dir);
	snprintf(path, sizeof path, "%s/city.db", dir);
	assert_int_equal(ST_OK, db_open(&(struct db_options){.path = path, .migrations = &before}, &db));
	assert_int_equal(ST_OK, db_exec(db, insert));
	db_close(db);
	assert_int_equal(ST_OK, db_open(&(struct db_options){.path = path,
							     .migrations = &db_migrations_application_server},
					&db));
	t_int("as it was", 1, db_query_i64(db, kept, -1));
	db_close(db);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(no_query_reads_a_whole_table),
		t_test(pages_hold_every_eui_once),
		t_test(tombstones_are_bounded),
		t_test(ended_items_go_whatever_still_waits),
		t_test(readings_go_by_age_in_slices),
		t_test(events_are_read_in_order_wherever_they_stand),
		t_test(latest_session_stays_when_the_clock_is_set_back),
		t_test(the_session_in_use_stays),
		t_test(a_device_keeps_a_bounded_past),
		t_test(what_waits_for_an_agency_is_counted),
		t_test(rows_are_never_used_again),
		t_test(commands_are_known_again),
		t_test(a_profile_of_before_keeps_what_it_had),
	};
	return t_run(tests);
}
