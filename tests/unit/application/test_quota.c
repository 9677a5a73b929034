/* Quotas of airtime: what is refused and says so by REST, by MQTT and in `why`; what is told of uplinks and never dropped; who sees what
 * was used. Complaint 21: airtime accounting and quotas. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/downlinks/intake.h"
#include "application-server/store_events.h"
#include "application-server/store_ledger.h"
#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define EUI     "0102030405060708"
#define DEVICE  "/api/v1/devices/" EUI
#define GATEWAY "0016c001ff10a235"
#define HOUR    (3600 * US_PER_S)

static struct t_city *city;
static uint64_t row;

static int call(const char *method, const char *target, const char *body)
{
	return t_city_call(city, &t_city_admin, method, target, body);
}

static struct net_event_head head(void)
{
	row++;
	struct net_event_head made = {.row = row, .time = city->now.wall};
	memcpy(made.id.bytes + 8, &row, sizeof row);
	ASSERT(lw_eui64_parse(EUI, &made.dev_eui));
	return made;
}

/* Noon, UTC. A frame of 14 bytes at SF9 is 164.864 ms up, and without its CRC as long down (mac-layer.md 11.5). */
static void setup(void)
{
	city = t_city_new();
	city->now.wall.us = INT64_C(20000) * 24 * HOUR + 12 * HOUR;
	t_city_furnish(city);
	t_int("gateway", 201,
	      call("POST", "/api/v1/gateways",
		   "{\"eui\":\"" GATEWAY "\",\"name\":\"Roof\",\"region\":\"eu868\"}"));
}

static void hear(uint32_t fcnt, uint32_t airtime_us)
{
	struct net_up_event up = {.head = head(),
				  .session = {{1}},
				  .fcnt_up = fcnt,
				  .region_id = "eu868",
				  .dr = 3,
				  .modulation = {LW_LORA, 9, 125000, 0, 0, "4/5"},
				  .gateway_count = 1,
				  .count = 7,
				  .airtime_us = airtime_us,
				  .seen = city->now.wall};
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &up));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static void send(enum net_air_kind kind, uint32_t airtime_us, bool back)
{
	struct net_air_event air = {.head = head(),
				    .kind = kind,
				    .back = back,
				    .airtime_us = airtime_us,
				    .deaf_us = airtime_us + 5000};
	ASSERT(lw_eui64_parse(GATEWAY, &air.gateway));
	assert_int_equal(ST_OK, as_application_on_air(&city->app, &air));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static int enqueue(void)
{
	return call("POST", DEVICE "/downlinks", "{\"f_port\":1,\"hex\":\"01\"}");
}

static void a_downlink_beyond_the_quota_is_refused(void **state)
{
	static const struct {
		const char *name, *target, *quota, *says, *verdict;
	} rows[] = {
		{"the device's own", DEVICE, "{\"airtime_down_s_per_day\":10}", "the device may use 10 s",
		 "command_device_quota"},
		{"its agency's for devices", "/api/v1/agencies/parks",
		 "{\"device_airtime_down_s_per_day\":10}", "the device may use 10 s", "command_device_quota"},
		{"its agency's", "/api/v1/agencies/parks", "{\"airtime_down_s_per_day\":10}",
		 "the agency may use 10 s", "command_agency_quota"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup();
		hear(0, 164864);
		t_int("without a quota", 202, enqueue());
		t_int("flushed", 202, call("DELETE", DEVICE "/downlinks", NULL));
		t_int("set", 200, call("PATCH", rows[i].target, rows[i].quota));
		send(NET_AIR_MAC, 9600000, false);
		t_int("what waits, this one and 9.6 s are within 10 s", 202, enqueue());
		t_int("one more is not", 429, enqueue());
		const char *detail = t_city_text(city, "detail");
		t_true(detail, strstr(detail, rows[i].says) != NULL);
		t_true("used", strstr(detail, "9.600 s are used") != NULL);
		t_true("when it frees", strstr(detail, "it frees at 2024-10-05T00:00:00+00:00") != NULL);
		json_t *decisions = json_array();
		struct lw_eui64 eui;
		ASSERT(lw_eui64_parse(EUI, &eui));
		as_rules_list(&city->app.decisions, &eui, 1, decisions);
		t_str("why", rows[i].verdict,
		      json_string_value(json_object_get(json_array_get(decisions, 0), "verdict")));
		json_decref(decisions);
		send(NET_AIR_MAC, 9600000, true);
		t_int("what was not on the air is given back", 202, enqueue());
		send(NET_AIR_MAC, 9600000, false);
		t_int("refused", 429, enqueue());
		city->now.wall.us += 13 * HOUR;
		t_int("the next day", 202, enqueue());
		t_int("lifted", 200,
		      call("PATCH", rows[i].target,
			   i == 1 ? "{\"device_airtime_down_s_per_day\":null}"
				  : "{\"airtime_down_s_per_day\":null}"));
		t_city_free(city);
	}
}

/* What the network sends by itself counts, and nobody asks whether it may. */
static void complaint_21_what_a_device_makes_the_network_send_counts(void **state)
{
	(void)state;
	setup();
	hear(0, 164864);
	t_int("set", 200, call("PATCH", DEVICE, "{\"airtime_down_s_per_day\":1}"));
	for (int i = 0; i < 20; i++)
		send(i % 2 ? NET_AIR_JOIN_ACCEPT : NET_AIR_MAC, 100000, false);
	t_int("beyond it", 429, enqueue());
	t_int("200", 200, call("GET", DEVICE "/status?days=1", NULL));
	const json_t *air = json_object_get(t_city_answer(city), "airtime_today");
	t_int("acknowledgements and accepts", 2000, json_integer_value(json_object_get(air, "downlink_ms")));
	t_int("deaf", 2100, json_integer_value(json_object_get(air, "deaf_ms")));
	t_city_free(city);
}

static void a_command_by_mqtt_is_refused_with_its_event(void **state)
{
	struct as_intake intake;
	enum as_intake_verdict verdict;
	char topic[200], application[40];
	(void)state;
	setup();
	hear(0, 164864);
	t_int("set", 200, call("PATCH", DEVICE, "{\"airtime_down_s_per_day\":0}"));
	t_int("200", 200, call("GET", "/api/v1/applications/meters", NULL));
	snprintf(application, sizeof application, "%s", t_city_text(city, "id"));
	snprintf(topic, sizeof topic, "application/%s/device/" EUI "/command/down", application);
	as_intake_init(&intake, &city->app);
	const char *bytes = "{\"devEui\":\"" EUI "\",\"fPort\":1,\"data\":\"AQ==\"}";
	const struct as_intake_message message = {topic, bytes, strlen(bytes), 1, false, false};
	assert_int_equal(ST_OK, as_intake_take(&intake, city->now, &message, &verdict));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	t_int("refused", AS_INTAKE_REFUSED, verdict);
	struct as_event event;
	assert_int_equal(ST_OK,
			 as_store_event_next(city->store, as_store_events_last(city->store) - 1, &event));
	t_int("a log", AS_EVENT_LOG, event.kind);
	t_true("its code", strstr(event.body, "AIRTIME_QUOTA") != NULL);
	t_true("its cause", strstr(event.body, "the device may use 0 s of downlink airtime a day") != NULL);
	as_intake_release(&intake);
	t_city_free(city);
}

static unsigned logs_since(uint64_t seq)
{
	struct as_event event;
	unsigned count = 0;
	for (; as_store_event_next(city->store, seq, &event) == ST_OK; seq = event.seq)
		count += event.kind == AS_EVENT_LOG && strstr(event.body, "AIRTIME_QUOTA") != NULL;
	as_store_release(city->store);
	return count;
}

static void uplinks_beyond_the_quota_are_told_once_a_day(void **state)
{
	static const struct {
		const char *name, *target, *quota;
	} rows[] = {
		{"the device's own", DEVICE, "{\"airtime_up_s_per_day\":1}"},
		{"its agency's for devices", "/api/v1/agencies/parks", "{\"device_airtime_up_s_per_day\":1}"},
		{"its agency's", "/api/v1/agencies/parks", "{\"airtime_up_s_per_day\":1}"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup();
		t_int("set", 200, call("PATCH", rows[i].target, rows[i].quota));
		uint64_t seq = as_store_events_last(city->store);
		for (uint32_t fcnt = 0; fcnt < 3; fcnt++)
			hear(fcnt, 300000);
		t_uint("within", 0, logs_since(seq));
		for (uint32_t fcnt = 3; fcnt < 9; fcnt++)
			hear(fcnt, 300000);
		t_uint("once", 1, logs_since(seq));
		t_uint("nothing is dropped", 9, city->app.counters.uplinks);
		memset(city->app.agency_days, 0, sizeof city->app.agency_days); /* as after a start */
		hear(9, 300000);
		t_uint("not again after a restart", 1, logs_since(seq));
		city->now.wall.us += 13 * HOUR;
		for (uint32_t fcnt = 10; fcnt < 16; fcnt++)
			hear(fcnt, 300000);
		t_uint("once more the next day", 2, logs_since(seq));
		t_city_free(city);
	}
}

/* With the agency's sum in memory, too, a repeat counts: what is used is what is told. */
static void repeats_and_joins_count_for_the_agency(void **state)
{
	static const enum net_air_kind kinds[] = {NET_AIR_REPEAT, NET_AIR_JOIN_REQUEST};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		setup();
		t_int("set", 200, call("PATCH", "/api/v1/agencies/parks", "{\"airtime_up_s_per_day\":1}"));
		uint64_t seq = as_store_events_last(city->store);
		hear(0, 100000);
		struct net_air_event air = {.head = head(), .kind = kinds[i], .airtime_us = 900000};
		assert_int_equal(ST_OK, as_application_on_air(&city->app, &air));
		assert_int_equal(ST_OK, as_application_on_air(&city->app, &air)); /* at least once */
		assert_int_equal(ST_OK, as_store_commit(city->store));
		t_uint("exactly the quota", 0, logs_since(seq));
		hear(1, 1);
		t_uint("beyond it", 1, logs_since(seq));
		t_city_free(city);
	}
}

static json_int_t member(const json_t *item, const char *name)
{
	return json_integer_value(json_object_get(item, name));
}

static void the_ledger_is_shown_to_who_may_see_it(void **state)
{
	(void)state;
	setup();
	t_int("water", 201, call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}"));
	t_int("set", 200, call("PATCH", "/api/v1/agencies/parks", "{\"airtime_down_s_per_day\":60}"));
	city->now.wall.us -= 24 * HOUR;
	hear(0, 1000000);
	city->now.wall.us += 24 * HOUR;
	hear(1, 164864);
	send(NET_AIR_MAC, 2000000, false);
	t_int("200", 200, call("GET", "/api/v1/airtime", NULL));
	const json_t *items = json_object_get(t_city_answer(city), "items");
	t_uint("both agencies", 2, json_array_size(items));
	const json_t *parks = json_array_get(items, 0);
	t_int("uplinks today", 165, member(parks, "uplink_ms"));
	t_int("downlinks today", 2000, member(parks, "downlink_ms"));
	t_int("deaf", 2005, member(parks, "deaf_ms"));
	const json_t *quotas = json_object_get(parks, "quotas_today");
	t_int("left", 58000, member(json_object_get(quotas, "downlink"), "left_ms"));
	t_true("no quota for uplinks", json_is_null(json_object_get(quotas, "uplink")));
	t_int("200", 200, call("GET", "/api/v1/airtime?agency=parks&days=2&by=day", NULL));
	parks = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
	t_int("two days", 1165, member(parks, "uplink_ms"));
	t_uint("day by day", 2, json_array_size(json_object_get(parks, "spans")));
	t_int("200", 200, call("GET", "/api/v1/airtime/gateways", NULL));
	const json_t *gateway = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
	t_int("sent", 2000, member(gateway, "downlink_ms"));
	t_true("deaf for 2 of 43,200 s",
	       json_number_value(json_object_get(gateway, "deaf_percent")) == 0.0046);
	t_uint("for one agency", 1, json_array_size(json_object_get(gateway, "agencies")));
	struct as_scope water = t_city_scope(city, AS_MANAGER, "water");
	t_int("another agency", 200, t_city_call(city, &water, "GET", "/api/v1/airtime", NULL));
	items = json_object_get(t_city_answer(city), "items");
	t_uint("sees itself alone", 1, json_array_size(items));
	t_int("and has used nothing", 0, member(json_array_get(items, 0), "uplink_ms"));
	t_int("not by name either", 404,
	      t_city_call(city, &water, "GET", "/api/v1/airtime?agency=parks", NULL));
	t_int("nor the city's gateways", 200,
	      t_city_call(city, &water, "GET", "/api/v1/airtime/gateways", NULL));
	t_uint("none", 0, json_array_size(json_object_get(t_city_answer(city), "items")));
	struct as_scope parks_scope = t_city_scope(city, AS_MANAGER, "parks");
	t_int("an agency cannot lift its own quota", 403,
	      t_city_call(city, &parks_scope, "PATCH", "/api/v1/agencies/parks",
			  "{\"airtime_down_s_per_day\":null}"));
	t_city_free(city);
}

/* What others send through an agency's gateway is theirs: totals with it would tell. */
static void an_agencys_gateway_shows_its_own_use_alone(void **state)
{
	(void)state;
	setup();
	t_int("water", 201, call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}"));
	/* No record can say it yet. */
	assert_int_equal(ST_OK, db_exec(city->store->city, "UPDATE gateways SET agency = (SELECT id FROM "
							   "agencies WHERE slug = 'water')"));
	send(NET_AIR_MAC, 2000000, false); /* to a device of parks */
	struct as_scope water = t_city_scope(city, AS_MANAGER, "water");
	const struct {
		const char *name;
		const struct as_scope *scope;
		unsigned downlinks, deaf_ms, agencies;
	} rows[] = {{"the city", &t_city_admin, 1, 2005, 1}, {"its owner", &water, 0, 0, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("200", 200,
		      t_city_call(city, rows[i].scope, "GET", "/api/v1/airtime/gateways?gateway=" GATEWAY,
				  NULL));
		const json_t *gateway = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
		t_int("downlinks", rows[i].downlinks, member(gateway, "downlinks"));
		t_int("deaf", rows[i].deaf_ms, member(gateway, "deaf_ms"));
		t_true("percent", (json_number_value(json_object_get(gateway, "deaf_percent")) > 0) ==
					  (rows[i].deaf_ms > 0));
		t_uint("for whom", rows[i].agencies, json_array_size(json_object_get(gateway, "agencies")));
	}
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_downlink_beyond_the_quota_is_refused),
		t_test(complaint_21_what_a_device_makes_the_network_send_counts),
		t_test(a_command_by_mqtt_is_refused_with_its_event),
		t_test(uplinks_beyond_the_quota_are_told_once_a_day),
		t_test(repeats_and_joins_count_for_the_agency),
		t_test(the_ledger_is_shown_to_who_may_see_it),
		t_test(an_agencys_gateway_shows_its_own_use_alone),
	};
	return t_run(tests);
}
