/* Readings by device: chains through a table that is written in order of arrival, and their heads, through folds and restarts. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "application-server/store_events.h"
#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static const struct net_uuid parks = {{1}}, water = {{2}};
static unsigned number; /* of the last reading; its counter too */

static void put(struct as_store *store, unsigned device, const struct net_uuid *agency)
{
	struct as_event event = {.kind = AS_EVENT_UP, .has_owner = true, .body = "{}"};
	number++;
	memcpy(event.id.bytes, &number, sizeof number);
	struct as_reading reading = {.dev_eui = lw_eui64_from_number(device),
				     .agency = *agency,
				     .time = {number},
				     .fcnt_up = number,
				     .payload = (const uint8_t *)""};
	assert_int_equal(ST_OK, as_store_event_put(store, &event, &reading));
}

static void commit(struct as_store *store)
{
	assert_int_equal(ST_OK, as_store_commit(store));
}

/* Reads all pages of a device and returns the number of readings; they must be its own, newest first. */
static unsigned read_all(struct as_store *store, const struct as_scope *scope, unsigned device,
			 unsigned devices, unsigned limit)
{
	struct lw_eui64 eui = lw_eui64_from_number(device);
	uint64_t before = 0, next = 1;
	unsigned count = 0, pages = 0;
	json_int_t last = INT64_MAX;
	for (; next; before = next, pages++) {
		json_t *items = NULL, *item;
		size_t i;
		assert_int_equal(ST_OK, as_store_readings(store, scope, &eui, before, limit, &items, &next));
		json_array_foreach(items, i, item)
		{
			json_int_t fcnt = json_integer_value(json_object_get(item, "fCnt"));
			t_true("newest first", fcnt < last);
			t_uint("its own", device, (unsigned)(fcnt - 1) % devices);
			last = fcnt;
			count++;
		}
		json_decref(items);
		if (!t_true("pages end", pages < 1000))
			break;
	}
	as_store_release(store);
	return count;
}

static void chains_hold_through_folds_and_restarts(void **state)
{
	static const struct {
		const char *name;
		unsigned devices, readings;
	} rows[] = {
		{"three devices, nothing folded", 3, 30},
		{"so many devices that heads are folded", AS_HEADS_FOLD + 100, 2 * AS_HEADS_FOLD + 700},
		{"few devices, so many readings that heads are folded", 50, AS_HEADS_TAIL + 5000},
		{"more devices in a turn than there is room for", AS_HEADS_MAX + 500, AS_HEADS_MAX + 1500},
	};
	char dir[T_DIR_MAX], city_path[T_DIR_MAX + 16], readings_path[T_DIR_MAX + 16];
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		unsigned devices = rows[r].devices, turn = r == 3 ? devices + 1 : 700;
		t_row(rows[r].name);
		t_temp_dir(dir);
		snprintf(city_path, sizeof city_path, "%s/city.db", dir);
		snprintf(readings_path, sizeof readings_path, "%s/readings.db", dir);
		struct t_city *city = t_city_new_at(city_path, readings_path);
		number = 0;
		for (unsigned i = 0; i < rows[r].readings; i++) {
			put(city->store, i % devices, &parks);
			if (i % turn == 0)
				commit(city->store);
		}
		commit(city->store);
		for (int life = 0; life < 2; life++) {
			for (unsigned d = 0; d < devices; d += devices / 3) {
				unsigned expected = rows[r].readings / devices +
						    (d < rows[r].readings % devices);
				struct as_last_seen seen = {.has_max_payload = false};
				struct lw_eui64 eui = lw_eui64_from_number(d);
				t_uint(life ? "after a restart" : "readings", expected,
				       read_all(city->store, &t_city_admin, d, devices, 7 + 50 * (r == 2)));
				t_true("seen", as_store_last_seen(city->store, &eui, &seen));
				t_int("last", (int64_t)(expected - 1) * devices + d + 1, seen.time.us);
			}
			t_city_free(city);
			city = t_city_new_at(city_path, readings_path);
		}
		t_row("heads that were folded are not read again");
		t_true("the tail is bounded",
		       number - city->store->heads.written < AS_HEADS_TAIL + 2 * AS_HEADS_MAX);
		t_city_free(city);
		t_temp_dir_remove(dir);
	}
}

static void a_reading_is_seen_by_whoever_had_the_device_then(void **state)
{
	static const struct {
		const char *name;
		struct as_scope scope;
		unsigned limit, expected;
	} rows[] = {
		{"the first agency", {.role = AS_READER, .agency = {{1}}}, 10, 60},
		{"the second, behind more than one walk of the first's",
		 {.role = AS_READER, .agency = {{2}}},
		 10,
		 2},
		{"another", {.role = AS_READER, .agency = {{3}}}, 10, 0},
		{"the city", {.role = AS_CITY}, 1000, 25062},
	};
	struct t_city *city = t_city_new();
	(void)state;
	number = 0;
	put(city->store, 0, &water);
	for (int i = 0; i < 25000; i++)
		put(city->store, 0, &(struct net_uuid){{9}});
	for (int i = 0; i < 60; i++)
		put(city->store, 0, &parks);
	put(city->store, 0, &water);
	commit(city->store);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_uint("readings", rows[i].expected,
		       read_all(city->store, &rows[i].scope, 0, 1, rows[i].limit));
	}
	t_city_free(city);
}

static void chains_end_where_the_oldest_went(void **state)
{
	struct t_city *city = t_city_new();
	bool more = true;
	(void)state;
	number = 0;
	for (unsigned i = 0; i < 3 * AS_HEADS_FOLD; i++) /* heads of the first are rows, folded */
		put(city->store, i % AS_HEADS_FOLD, &parks);
	commit(city->store);
	while (more) {
		assert_int_equal(ST_OK,
				 as_store_readings_prune(city->store, (struct wall){2 * AS_HEADS_FOLD + 10},
							 1000, &more));
		commit(city->store);
	}
	struct as_last_seen seen;
	struct lw_eui64 third = lw_eui64_from_number(3), late = lw_eui64_from_number(300);
	t_uint("all of it went but the last of some", 0,
	       read_all(city->store, &t_city_admin, 3, AS_HEADS_FOLD, 10));
	t_true("never heard, as far as is kept", !as_store_last_seen(city->store, &third, &seen));
	t_uint("one stays", 1, read_all(city->store, &t_city_admin, 300, AS_HEADS_FOLD, 10));
	t_true("heard", as_store_last_seen(city->store, &late, &seen));
	number += 3; /* so that it is the third device's turn */
	put(city->store, 3, &parks);
	t_uint("a new chain", 1, read_all(city->store, &t_city_admin, 3, AS_HEADS_FOLD, 10));
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(chains_hold_through_folds_and_restarts),
		t_test(a_reading_is_seen_by_whoever_had_the_device_then),
		t_test(chains_end_where_the_oldest_went),
	};
	return t_run(tests);
}
