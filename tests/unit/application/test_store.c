/* The store as it is asked for by many records: plans of its queries, pages, tombstones. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/store_desired.h"
#include "application-server/store_events.h"
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
	return json_pack("{ss ss sn sn ss ss ss sn sn sn s{}}", "eui", eui, "name", "n", "slug", "agency",
			 "region", "eu868", "channel_plan", "", "source_cidr", "", "lat", "lon", "altitude_m",
			 "tags");
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

/* A device that never speaks has the oldest item of all; 12,000 of others come after it and are done. */
static void ended_items_go_whatever_still_waits(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct wall later = {city->now.wall.us + US_PER_S};
	t_city_furnish(city);
	struct as_item item = {.fport = 1, .status = NET_ITEM_QUEUED};
	assert_true(lw_eui64_parse("0102030405060708", &item.dev_eui));
	for (unsigned i = 0; i < 12000; i++) {
		memcpy(item.item.bytes, &i, sizeof i);
		item.status = i == 0 ? NET_ITEM_QUEUED : NET_ITEM_SENT;
		assert_int_equal(ST_OK, as_store_item_put(city->store, &item, city->now.wall));
	}
	assert_int_equal(ST_OK, as_store_commit(city->store));
	bool more = true;
	unsigned slices = 0;
	for (; more && slices < 100; slices++)
		assert_int_equal(ST_OK, as_store_items_prune(city->store, city->now.wall, 1000, &more));
	t_uint("once through", 12, slices);
	t_true("what is young stays",
	       db_query_i64(city->store->city, "SELECT count(*) FROM downlinks", -1) == 12000);
	for (more = true; more && slices < 100; slices++)
		assert_int_equal(ST_OK, as_store_items_prune(city->store, later, 1000, &more));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_true("what waits stays",
	       db_query_i64(city->store->city, "SELECT count(*) FROM downlinks WHERE status = 0", -1) == 1);
	t_true("what ended is gone",
	       db_query_i64(city->store->city, "SELECT count(*) FROM downlinks", -1) == 1);
	t_city_free(city);
}

/* --- readings ----------------------------------------------------------------------------------------------- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(no_query_reads_a_whole_table), t_test(pages_hold_every_eui_once),
		t_test(tombstones_are_bounded),       t_test(ended_items_go_whatever_still_waits),
		t_test(readings_go_by_age_in_slices),
	};
	return t_run(tests);
}
