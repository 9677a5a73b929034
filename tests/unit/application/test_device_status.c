/* GET /api/v1/devices/{eui}/status, and the list that finds the devices that fare badly. Complaint 31: last seen is by the server's
 * clock. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/store_ledger.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define HOUR (3600 * US_PER_S)
#define DAY  (24 * HOUR)
#define EUI  "0102030405060708"

static struct t_city *city;
static uint64_t row;

static struct net_event_head head(struct wall time)
{
	row++;
	struct net_event_head made = {.row = row, .time = time};
	memcpy(made.id.bytes + 8, &row, sizeof row);
	ASSERT(lw_eui64_parse(EUI, &made.dev_eui));
	return made;
}

/* Noon of a day, so that an hour more or less is the same day. */
static void setup(void)
{
	city = t_city_new();
	city->now.wall.us = INT64_C(20000) * DAY + 9 * HOUR;
	t_city_furnish(city);
	city->now.wall.us += 3 * HOUR;
}

static void hear(int64_t ago, uint32_t fcnt, uint32_t missed)
{
	struct wall seen = {city->now.wall.us - ago};
	struct net_up_event up = {
		.head = head((struct wall){INT64_C(86400000000)}), /* 1970: a gateway's clock */
		.session = {{1}},
		.fcnt_up = fcnt,
		.region_id = "eu868",
		.dr = 3,
		.gateway_count = 2,
		.count = 7,
		.missed = missed,
		.airtime_us = 164864,
		.seen = seen};
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &up));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static void say(int64_t ago, uint8_t battery, int16_t margin)
{
	struct net_status_event event = {
		head((struct wall){city->now.wall.us - ago}), {{9}}, battery, margin};
	assert_int_equal(ST_OK, as_application_on_status(&city->app, city->now, &event));
	assert_int_equal(ST_OK, as_application_on_status(&city->app, city->now, &event)); /* at least once */
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static json_int_t integer(const json_t *object, const char *outer, const char *inner, const char *name)
{
	const json_t *at = json_object_get(object, outer);
	if (inner)
		at = json_object_get(at, inner);
	return json_integer_value(json_object_get(at, name));
}

static void one_device_has_its_history(void **state)
{
	(void)state;
	setup();
	hear(9 * DAY, 100, 0);
	hear(2 * DAY, 111, 10);
	hear(HOUR, 113, 1);
	hear(10 * 60 * US_PER_S, 114, 0);
	say(2 * DAY, 254, 10);
	say(HOUR, 127, -5);
	say(60 * US_PER_S, 0, -32);
	t_int("200", 200,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" EUI "/status?days=2", NULL));
	const json_t *body = t_city_answer(city);
	t_int("today expected", 3, integer(body, "loss", "today", "expected"));
	t_int("today lost", 1, integer(body, "loss", "today", "lost"));
	t_int("7 days lost", 11, integer(body, "loss", "7_days", "lost"));
	t_int("7 days received", 3, integer(body, "loss", "7_days", "received"));
	t_int("30 days expected", 15, integer(body, "loss", "30_days", "expected"));
	t_int("chosen: yesterday and today", 3, integer(body, "loss", "chosen", "expected"));
	t_int("airtime", 330, integer(body, "airtime_today", NULL, "uplink_ms"));
	t_int("silent", 600, json_integer_value(json_object_get(body, "silent_s")));
	t_int("gateways", 2, json_integer_value(json_object_get(body, "gateway_count")));
	t_int("data rate", 3, json_integer_value(json_object_get(body, "dr")));
	t_str("last seen by the server's clock", "2024-10-04T11:50:00+00:00", t_city_text(city, "last_seen"));
	t_true("external power", json_is_true(json_object_get(body, "external_power")));
	t_true("no percent then", json_is_null(json_object_get(body, "battery_percent")));
	t_str("whose", "parks", t_city_text(city, "agency_slug"));
	const json_t *history = json_object_get(body, "history");
	t_uint("history, each once", 3, json_array_size(history));
	t_int("newest first", -32,
	      json_integer_value(json_object_get(json_array_get(history, 0), "margin_db")));
	t_int("half", 50, json_integer_value(json_object_get(json_array_get(history, 1), "battery_percent")));
	t_uint("days with something", 1, json_array_size(json_object_get(body, "days")));
	t_int("its own agency", 200,
	      t_city_call(city,
			  &(struct as_scope){.role = AS_READER,
					     .agency = t_city_scope(city, AS_READER, "parks").agency},
			  "GET", "/api/v1/devices/" EUI "/status", NULL));
	t_int("another agency", 404,
	      t_city_call(city, &(struct as_scope){.role = AS_READER, .agency = {{1}}}, "GET",
			  "/api/v1/devices/" EUI "/status", NULL));
	t_int("days out of range", 422,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" EUI "/status?days=0", NULL));
	t_city_free(city);
}

static void complaint_31_last_seen_does_not_trust_a_gateways_clock(void **state)
{
	(void)state;
	setup();
	hear(5 * 60 * US_PER_S, 1, 0);
	t_int("200", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" EUI, NULL));
	t_str("the record", "2024-10-04T11:55:00+00:00", t_city_text(city, "last_seen"));
	t_int("200", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/devices?status=true", NULL));
	const json_t *item = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
	t_str("and the list say the same", "2024-10-04T11:55:00+00:00",
	      json_string_value(json_object_get(item, "last_seen")));
	t_city_free(city);
}

static void the_list_finds_the_bad_ones(void **state)
{
	static const struct {
		const char *name, *query;
		unsigned found;
	} rows[] = {
		{"all, with their status", "status=true", 1},
		{"silent for more than 5 minutes", "silent_s=300", 1},
		{"silent for 10 minutes is not more than that", "silent_s=600", 0},
		{"battery below 20 %", "battery_below=20", 1},
		{"battery below 10 %", "battery_below=10", 0},
		{"loss above 39 % in 7 days", "loss_above=39", 1},
		{"loss above 40 % in 7 days", "loss_above=40", 0},
		{"loss above 0 % today", "loss_above=0&days=1", 0},
		{"both must hold", "loss_above=39&battery_below=10", 0},
	};
	(void)state;
	setup();
	hear(2 * DAY, 9, 0);
	hear(2 * DAY - HOUR, 12, 2);
	hear(600 * US_PER_S, 13, 0);
	say(600 * US_PER_S, 38, 3); /* 14 % */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char target[120];
		t_row(rows[i].name);
		snprintf(target, sizeof target, "/api/v1/devices?%s", rows[i].query);
		t_int("200", 200, t_city_call(city, &t_city_admin, "GET", target, NULL));
		t_uint("found", rows[i].found,
		       json_array_size(json_object_get(t_city_answer(city), "items")));
	}
	t_row("a filter that is no number");
	t_int("422", 422, t_city_call(city, &t_city_admin, "GET", "/api/v1/devices?loss_above=many", NULL));
	t_city_free(city);
}

static void bring_late(uint32_t fcnt)
{
	struct net_up_event up = {.head = head(city->now.wall),
				  .session = {{1}},
				  .fcnt_up = fcnt,
				  .late = true,
				  .region_id = "eu868",
				  .gateway_count = 1,
				  .count = 7,
				  .seen = city->now.wall};
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &up));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

/* A late frame undoes the loss that was booked, once; where the counter has 16 bits that is across its end, too. */
static void a_late_frame_is_no_second_one(void **state)
{
	static const struct {
		const char *name;
		uint32_t first, second, missed, late, expected;
		unsigned lost;
	} rows[] = {
		{"lost and brought", 100, 105, 4, 103, 6, 3},
		{"before the first that was heard", 100, 105, 4, 97, 7, 4},
		{"16 bits: before the end, at the loss that goes across it", 65500, 5, 40, 65530, 42, 39},
		{"16 bits: behind the end, at the same", 65500, 5, 40, 3, 42, 39},
		{"16 bits: before the first that was heard", 65500, 5, 40, 65490, 43, 40},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int same_day = 0; same_day < 2; same_day++) {
			setup();
			t_row(rows[i].name);
			hear(same_day ? HOUR : DAY, rows[i].first, 0);
			hear(0, rows[i].second, rows[i].missed);
			bring_late(rows[i].late);
			t_int("200", 200,
			      t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" EUI "/status",
					  NULL));
			t_int("expected", rows[i].expected,
			      integer(t_city_answer(city), "loss", "7_days", "expected"));
			t_int("lost", rows[i].lost, integer(t_city_answer(city), "loss", "7_days", "lost"));
			t_city_free(city);
		}
}

/* What a device did and said under another agency is not its new one's to see. */
static void a_device_that_changed_hands_has_no_past(void **state)
{
	(void)state;
	setup();
	t_int("water", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
			  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	t_int("its application", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/applications",
			  "{\"slug\":\"pumps\",\"name\":\"Pumps\",\"agency\":\"water\"}"));
	hear(2 * DAY, 7, 3);
	say(2 * DAY, 100, 5);
	t_int("removed by parks", 204,
	      t_city_call(city, &t_city_admin, "DELETE", "/api/v1/devices/" EUI, NULL));
	t_int("registered by water", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"" EUI "\",\"name\":\"d\",\"application\":\"pumps\",\"profile\":"
			  "\"probe\",\"join_eui\":\"70b3d57ed0000001\"}"));
	struct as_scope water = t_city_scope(city, AS_READER, "water");
	t_int("200", 200, t_city_call(city, &water, "GET", "/api/v1/devices/" EUI "/status", NULL));
	const json_t *body = t_city_answer(city);
	t_int("loss", 0, integer(body, "loss", "7_days", "expected"));
	t_uint("days", 0, json_array_size(json_object_get(body, "days")));
	t_uint("history", 0, json_array_size(json_object_get(body, "history")));
	t_true("when it was heard", json_is_null(json_object_get(body, "last_seen")));
	t_true("battery", json_is_null(json_object_get(body, "battery_percent")));
	t_city_free(city);
}

/* Whoever was never heard is silent since it was registered; no other filter takes what is not known. */
static void a_device_that_was_never_heard_is_silent(void **state)
{
	(void)state;
	setup();
	t_int("200", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/devices?silent_s=3600", NULL));
	const json_t *item = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
	t_true("found", item != NULL);
	t_true("not seen", json_is_null(json_object_get(item, "last_seen")));
	static const char *const others[] = {"battery_below=101", "loss_above=0"};
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		char target[60];
		t_row(others[i]);
		snprintf(target, sizeof target, "/api/v1/devices?%s", others[i]);
		t_int("200", 200, t_city_call(city, &t_city_admin, "GET", target, NULL));
		t_uint("nothing is known", 0, json_array_size(json_object_get(t_city_answer(city), "items")));
	}
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(one_device_has_its_history),
		t_test(complaint_31_last_seen_does_not_trust_a_gateways_clock),
		t_test(the_list_finds_the_bad_ones),
		t_test(a_late_frame_is_no_second_one),
		t_test(a_device_that_changed_hands_has_no_past),
		t_test(a_device_that_was_never_heard_is_silent),
	};
	return t_run(tests);
}
