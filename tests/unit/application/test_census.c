/* The census of devices: who is silent for longer than usual, who waits to join, and that a large city is counted in slices. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/census.h"
#include "application-server/store_events.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define MINUTE (60 * US_PER_S)
#define NOW    (2000000000 * US_PER_S)

static const struct {
	const char *name;
	span_us gap; /* between its readings */
	unsigned readings;
	span_us silent; /* since the last */
	bool is_silent, heard_day;
} rows[] = {
	{"never heard", 0, 0, 0, false, false},
	{"heard now", 10 * MINUTE, 6, MINUTE, false, true},
	{"silent for three times the usual", 10 * MINUTE, 6, 30 * MINUTE, false, true},
	{"silent for more than that", 10 * MINUTE, 6, 31 * MINUTE, true, true},
	{"a talkative one is given ten minutes", MINUTE, 6, 9 * MINUTE, false, true},
	{"and not more", MINUTE, 6, 11 * MINUTE, true, true},
	{"one of a daily reading, after two days", 1440 * MINUTE, 6, 2880 * MINUTE, false, false},
	{"the same after four", 1440 * MINUTE, 6, 5760 * MINUTE, true, false},
	{"heard once, hours ago", 0, 1, 600 * MINUTE, false, true},
	{"heard once, days ago", 0, 1, 2880 * MINUTE, true, false},
};

static unsigned number;

static void hear(struct t_city *city, const struct lw_eui64 *eui, int64_t time_us)
{
	static const struct net_uuid parks = {{1}};
	struct as_event event = {.kind = AS_EVENT_UP, .has_owner = true, .body = "{}"};
	number++;
	memcpy(event.id.bytes, &number, sizeof number);
	struct as_reading reading = {.dev_eui = *eui,
				     .agency = parks,
				     .time = {time_us},
				     .fcnt_up = number,
				     .payload = (const uint8_t *)""};
	assert_int_equal(ST_OK, as_store_event_put(city->store, &event, &reading));
}

static void add_device(struct t_city *city, unsigned row, const char *more)
{
	char body[400];
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"a1b2000000000%03x\",\"name\":\"Device %u\",\"application\":\"meters\","
		 "\"profile\":\"probe\",\"join_eui\":\"0000000000000001\"%s}",
		 row, row, more);
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/devices", body));
}

static struct now at(int64_t after_us)
{
	return (struct now){.mono = {after_us}, .wall = {NOW + after_us}};
}

static void each_is_judged_by_its_own_habit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_census census;
		struct t_city *city = t_city_new();
		t_row(rows[i].name);
		t_city_furnish(city);
		add_device(city, 1, "");
		add_device(city, 2, ",\"enabled\":false");
		struct lw_eui64 eui = lw_eui64_from_number(0xa1b2000000000001),
				off = lw_eui64_from_number(0xa1b2000000000002);
		for (unsigned r = rows[i].readings; r > 0; r--) {
			int64_t time = NOW - rows[i].silent - (r - 1) * rows[i].gap;
			hear(city, &eui, time);
			hear(city, &off, time);
		}
		as_census_init(&census, city->store);
		as_census_ask(&census, at(0));
		t_true("known at once", census.known);
		/* Beside the one that t_city_furnish() made. */
		t_uint("registered", 3, census.last.registered);
		t_uint("disabled", 1, census.last.disabled);
		t_uint("silent", rows[i].is_silent, census.last.silent);
		t_uint("heard in a day", rows[i].heard_day, census.last.heard_day);
		t_uint("wait to join", 2, census.last.waiting);
		json_t *json = as_census_json(&census, at(0));
		const json_t *worst = json_array_get(json_object_get(json, "longest_silent"), 0);
		t_str("named", rows[i].is_silent ? "a1b2000000000001" : NULL,
		      json_string_value(json_object_get(worst, "dev_eui")));
		if (worst)
			t_int("silent for", rows[i].silent / US_PER_S,
			      json_integer_value(json_object_get(worst, "silent_s")));
		json_decref(json);
		t_city_free(city);
	}
}

static void many_are_counted_in_slices(void **state)
{
	(void)state;
	struct as_census census;
	struct t_city *city = t_city_new();
	t_city_furnish(city);
	for (unsigned i = 0; i < 3 * AS_CENSUS_SLICE; i++) {
		struct lw_eui64 eui = lw_eui64_from_number(0xa1b2000000000000 + i);
		add_device(city, i, "");
		/* All silent, each longer than the one before. */
		for (unsigned r = 3; r > 0; r--)
			hear(city, &eui, NOW - (20 + i + r) * MINUTE);
	}
	as_census_init(&census, city->store);
	as_census_ask(&census, at(0));
	t_false("not known yet", census.known);
	json_t *json = as_census_json(&census, at(0));
	t_true("and not told", json_is_null(json));
	json_decref(json);
	unsigned slices = 2;
	while (as_census_step(&census, at(US_PER_S)))
		slices++;
	t_uint("slices", 3, slices);
	t_uint("registered", 3 * AS_CENSUS_SLICE + 1, census.last.registered);
	t_uint("silent", 3 * AS_CENSUS_SLICE, census.last.silent);
	t_uint("told of", AS_CENSUS_WORST, census.last.worst_count);
	t_str("the worst first", "Device 95", census.last.worst[0].name);
	t_str("then the next", "Device 94", census.last.worst[1].name);
	t_row("a question soon after");
	as_census_ask(&census, at(US_PER_S + 1));
	t_false("counts nothing", census.counting);
	as_census_ask(&census, at(60 * US_PER_S));
	t_true("later it does", census.counting);
	t_true("and tells what is known meanwhile", census.known);
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(each_is_judged_by_its_own_habit),
					   t_test(many_are_counted_in_slices)};
	return t_run(tests);
}
