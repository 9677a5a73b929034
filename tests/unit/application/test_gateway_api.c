/* What the API says of gateways' health: lists, one in full, series, outages, counts by state, what a loss would cost. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/identity/audit.h"
#include "application-server/health/table.h"
#include "application-server/store_health.h"
#include "application-server/store_events.h"
#include "application-server/store_hearing.h"

#include <stdio.h>
#include <string.h>

#define A  "aa00000000000001"
#define B  "aa00000000000002"
#define D1 "0102030405060708"
#define D2 "0102030405060709"

static struct t_city *city;
static struct as_health health;

static struct now at(int64_t seconds)
{
	return (struct now){.mono = {(100000 + seconds) * US_PER_S},
			    .wall = {(1800000000 + seconds) * US_PER_S}};
}

static void page(const char *rows, bool counters)
{
	char text[3000];
	snprintf(text, sizeof text, "{\"began\":\"1\",\"gateways\":[%s],\"next\":null}", rows);
	json_t *read = json_loads(text, 0, NULL);
	assert_non_null(read);
	as_health_begin(&health);
	if (counters)
		as_health_counters(&health, read, city->now);
	else
		as_health_live(&health, read, city->now);
	json_decref(read);
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static void begin(void)
{
	static struct rng rng;
	rng = rng_seeded(1);
	city = t_city_new();
	t_city_furnish(city);
	city->now = at(0);
	const struct as_health_keeper keeper = as_store_keeper(city->store);
	as_health_init(&health, &keeper, &rng);
	city->api.health = &health;
	static const char *const gateways[] = {
		"{\"eui\":\"" A "\",\"name\":\"Roof\",\"region\":\"eu868\",\"lat\":52.5,\"lon\":13.4,"
		"\"permission_until\":\"2027-01-25\"}",
		"{\"eui\":\"" B "\",\"name\":\"Yard\",\"region\":\"eu868\"}"};
	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++)
		assert_int_equal(201,
				 t_city_call(city, &t_city_admin, "POST", "/api/v1/gateways", gateways[i]));
}

static void end(void)
{
	as_health_release(&health);
	t_city_free(city);
}

static int get(const char *target)
{
	return t_city_call(city, &t_city_admin, "GET", target, NULL);
}

static const json_t *item(size_t i)
{
	return json_array_get(json_object_get(t_city_answer(city), "items"), i);
}

static json_int_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

#define LIVE(eui, silent) \
	"{\"eui\":\"" eui "\",\"known\":true,\"from\":\"192.0.2.1:4711\",\"silent_ms\":" silent "}"

static void a_gateway_is_shown_with_its_health(void **state)
{
	(void)state;
	begin();
	page(LIVE(A, "100") "," LIVE(B, "-1"), false);
	page("{\"eui\":\"" A "\",\"health\":{\"received\":10,\"forwarded\":10}}", true);
	city->now = at(60);
	page("{\"eui\":\"" A
	     "\",\"health\":{\"received\":40,\"forwarded\":36,\"crc_errors\":4,\"bytes_up\":4000,"
	     "\"results\":{\"ok\":3,\"too_late\":1},\"trip_ms\":40,\"trip_95_ms\":90,\"drift_tenths_ppm\":-"
	     "125,"
	     "\"temperature_cdeg\":4150,\"acks_permille\":985,\"station\":\"2.0.6\",\"model\":\"indoor\","
	     "\"position\":{\"lat\":52.51,\"lon\":13.4,\"altitude_m\":40}}}",
	     true);
	page(LIVE(A, "100") "," LIVE(B, "-1"), false);
	t_row("in a list");
	t_int("listed", 200, get("/api/v1/gateways"));
	t_str("state", "online", json_string_value(json_object_get(item(0), "state")));
	t_int("uplinks an hour", 36 - 10, number(item(0), "uplinks_hour"));
	t_str("the other", "never_seen", json_string_value(json_object_get(item(1), "state")));
	t_true("says", json_string_length(json_object_get(item(1), "says")) > 0);
	t_true("next step, its command as it is to be typed",
	       strstr(json_string_value(json_object_get(item(1), "next_step")), "gateway config " B) != NULL);
	t_true("no health in a list", json_object_get(item(0), "health") == NULL);
	t_row("in full");
	t_int("got", 200, get("/api/v1/gateways/" A));
	const json_t *whole = json_object_get(t_city_answer(city), "health");
	const json_t *hour = json_object_get(whole, "hour"), *gps = json_object_get(whole, "gps");
	t_int("received", 30, number(hour, "received"));
	t_int("too late", 1, number(json_object_get(hour, "results"), "too_late"));
	t_int("refused", 1, number(whole, "refused_hour"));
	t_int("bytes of the month", 4000, number(whole, "month_bytes"));
	t_int("round trip", 90, number(whole, "trip_95_ms"));
	t_true("drift", json_number_value(json_object_get(whole, "drift_ppm")) == -12.5);
	t_int("the two positions are apart", 1111, number(gps, "apart_m"));
	t_true("too far", json_is_true(json_object_get(gps, "far")));
	t_str("used", "hand", json_string_value(json_object_get(gps, "used")));
	t_int("days of the permission left", 10, number(whole, "permission_days"));
	t_row("the day after the permission's end");
	city->now = at(11 * 86400);
	t_int("got", 200, get("/api/v1/gateways/" A));
	t_int("days", -1, number(json_object_get(t_city_answer(city), "health"), "permission_days"));
	t_row("the bridge goes");
	city->now = at(100);
	as_health_unheard(&health, city->now);
	t_int("got", 200, get("/api/v1/gateways/" A));
	t_true("no state", json_is_null(json_object_get(t_city_answer(city), "state")));
	t_str("why", "no_bridge", t_city_text(city, "reason"));
	end();
}

/* The latitude that the newest uplink's event gives A, 0: none. */
static double uplink_from_a(void)
{
	static uint8_t number;
	struct as_event event;
	struct net_up_event up = {.head = {.id = {{9, ++number}}, .time = city->now.wall},
				  .fcnt_up = number,
				  .region_id = "eu868",
				  .modulation = {LW_LORA, 9, 125000, 0, 0, "4/5"},
				  .reception_count = 1,
				  .seen = city->now.wall};
	double latitude = 0;
	assert_true(lw_eui64_parse(D1, &up.head.dev_eui));
	assert_true(lw_eui64_parse(A, &up.receptions[0].gateway));
	assert_int_equal(ST_OK, as_application_on_up(&city->app, city->now, &up));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	for (uint64_t after = 0; as_store_event_next(city->store, after, &event) == ST_OK;
	     after = event.seq) {
		json_t *json = json_loads(event.body, 0, NULL);
		const json_t *reception = json_array_get(json_object_get(json, "rxInfo"), 0);
		if (event.kind == AS_EVENT_UP)
			latitude = json_number_value(
				json_object_get(json_object_get(reception, "location"), "latitude"));
		json_decref(json);
	}
	as_store_release(city->store);
	return latitude;
}

static bool is_near(double a, double b)
{
	return a - b < 0.00001 && b - a < 0.00001;
}

static void an_uplink_says_the_place_that_counts(void **state)
{
	(void)state;
	begin();
	city->app.health = &health;
	t_true("by hand", is_near(52.5, uplink_from_a()));
	t_row("its GPS is to count");
	t_int("changed", 200,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/gateways/" A,
			  "{\"position_from\":\"gps\"}"));
	t_true("until it has said so, by hand", is_near(52.5, uplink_from_a()));
	page(LIVE(A, "100"), false);
	page("{\"eui\":\"" A "\",\"health\":{\"position\":{\"lat\":52.51,\"lon\":13.4,\"altitude_m\":40}}}",
	     true);
	t_true("by GPS", is_near(52.51, uplink_from_a()));
	t_int("got", 200, get("/api/v1/gateways/" A));
	t_str("said", "gps",
	      json_string_value(json_object_get(
		      json_object_get(json_object_get(t_city_answer(city), "health"), "gps"), "used")));
	t_row("by hand again");
	t_int("changed", 200,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/gateways/" A,
			  "{\"position_from\":\"hand\"}"));
	t_true("by hand", is_near(52.5, uplink_from_a()));
	end();
}

static void commands_are_audited(const struct as_scope *manager)
{
	t_row("a command is the bridge's to pass on, and stands in the audit");
	json_t *body = json_pack("{s:s,s:[s]}", "command", "reboot", "arguments", "-f");
	struct as_answer answer = {0};
	const struct as_call call = {.scope = &t_city_admin,
				     .now = city->now,
				     .who = "uid 7",
				     .collection = "gateways",
				     .id = A,
				     .body = body};
	t_int("not for an agency", 403,
	      t_city_call(city, manager, "POST", "/api/v1/gateways/" A "/run", NULL));
	t_int("no command", 422,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/gateways/" A "/run", "{}"));
	for (size_t i = 0; i < as_route_count; i++)
		if (strcmp(as_routes[i].pattern, "/api/v1/gateways/{id}/run") == 0)
			as_routes[i].handle(&city->api, &call, &answer);
	t_int("asked", AS_REMOTE_RUN, answer.remote.kind);
	t_str("of", A, answer.remote.eui);
	t_str("with", "reboot", json_string_value(json_object_get(answer.body, "command")));
	struct as_audit_row row = {.seq = 0};
	t_int("a row", ST_OK, as_audit_next(city->api.app->store, A, 0, &row));
	t_str("what", "remote_command", row.what);
	t_str("who", "uid 7", row.who);
	as_answer_release(&answer);
	json_decref(body);
}

static void series_and_outages_are_given(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		int status;
	} refused[] = {
		{"/api/v1/gateways/" A "/health?by=week", 422},
		{"/api/v1/gateways/" A "/health?from=yesterday", 422},
		{"/api/v1/gateways/" A "/health?by=minute&from=2020-01-01T00:00:00Z", 422},
		{"/api/v1/gateways/aa00000000000009/health", 404},
		{"/api/v1/gateways/" A "/outages?since=x", 422},
	};
	begin();
	page(LIVE(A, "100"), false);
	for (int64_t s = 0; s <= 180; s += 60) {
		char said[200];
		city->now = at(s);
		snprintf(said, sizeof said, "{\"eui\":\"" A "\",\"health\":{\"received\":%lld}}",
			 (long long)s);
		page(said, true);
	}
	for (int64_t silent = 0; silent <= 120; silent += 15) {
		char rows[200];
		city->now = at(60 + silent);
		snprintf(rows, sizeof rows,
			 "{\"eui\":\"" A "\",\"known\":true,\"from\":\"192.0.2.1:4711\",\"silent_ms\":%lld}",
			 (long long)silent * 1000);
		page(rows, false);
	}
	city->now = at(200);
	page(LIVE(A, "10"), false);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		t_int(refused[i].target, refused[i].status, get(refused[i].target));
	t_row("by the minute");
	t_int("got", 200, get("/api/v1/gateways/" A "/health?by=minute"));
	t_uint("points", 3, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_int("received", 60, number(item(1), "received"));
	t_row("by the hour, that in hand");
	t_int("got", 200, get("/api/v1/gateways/" A "/health"));
	t_uint("points", 1, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_int("received", 180, number(item(0), "received"));
	t_row("its outage");
	t_int("got", 200, get("/api/v1/gateways/" A "/outages"));
	t_uint("one", 1, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_int("seconds", 140, number(item(0), "seconds"));
	t_str("reason", "nothing_came", json_string_value(json_object_get(item(0), "reason")));
	t_row("counts by state");
	t_int("got", 200, get("/api/v1/gateways/summary"));
	t_int("online", 1, number(json_object_get(t_city_answer(city), "states"), "online"));
	struct as_scope manager = t_city_scope(city, AS_MANAGER, "parks");
	t_int("not for an agency", 403, t_city_call(city, &manager, "GET", "/api/v1/gateways/summary", NULL));
	t_int("nor a ping", 403, t_city_call(city, &manager, "POST", "/api/v1/gateways/" A "/ping", NULL));
	t_row("a ping is the bridge's to answer");
	struct as_answer answer = {0};
	const struct as_call call = {
		.scope = &t_city_admin, .now = city->now, .collection = "gateways", .id = A};
	for (size_t i = 0; i < as_route_count; i++)
		if (strcmp(as_routes[i].pattern, "/api/v1/gateways/{id}/ping") == 0)
			as_routes[i].handle(&city->api, &call, &answer);
	t_str("asked", "/gateways/" A "/ping", answer.asks_bridge);
	commands_are_audited(&manager);
	end();
}

/* --- what a loss would cost */

static void heard_by(const char *device, const char *first, const char *second)
{
	static struct net_up_event event;
	event = (struct net_up_event){.reception_count = second ? 2 : 1};
	assert_true(lw_eui64_parse(device, &event.head.dev_eui));
	assert_true(lw_eui64_parse(first, &event.receptions[0].gateway));
	event.receptions[0].has_snr = true;
	event.receptions[0].snr_cdb = 700;
	if (second) {
		assert_true(lw_eui64_parse(second, &event.receptions[1].gateway));
		event.receptions[1].has_snr = true;
		event.receptions[1].snr_cdb = -300;
	}
	as_store_hears(city->store, &event, city->now.wall);
}

static void fold(void)
{
	for (bool more = true; more;) {
		assert_int_equal(ST_OK, as_store_hearing_step(city->store, city->now.wall, &more));
		assert_int_equal(ST_OK, as_store_commit(city->store));
	}
}

static void a_loss_is_counted_by_device(void **state)
{
	int64_t devices[4];
	struct lw_eui64 eui;
	(void)state;
	begin();
	t_int("made", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"" D2
			  "\",\"name\":\"Two\",\"application\":\"meters\",\"profile\":\"probe\"}"));
	heard_by(D1, A, NULL);
	heard_by(D2, B, A);
	heard_by("0102030405060777", A, NULL); /* of nobody */
	fold();
	t_row("of A: one alone, one that B hears better");
	t_int("got", 200, get("/api/v1/gateways/" A "/impact"));
	t_uint("devices", 2, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_true("only", json_is_true(json_object_get(item(0), "only")));
	t_true("best", json_is_true(json_object_get(item(0), "best")));
	t_false("two of them", json_is_true(json_object_get(item(1), "only")));
	t_false("B is better", json_is_true(json_object_get(item(1), "best")));
	t_true("no further page", json_is_null(json_object_get(t_city_answer(city), "next")));
	t_row("what came since the last fold counts for whom is known already");
	heard_by(D1, B, NULL);
	t_int("got", 200, get("/api/v1/gateways/" A "/impact"));
	t_false("no longer alone", json_is_true(json_object_get(item(0), "only")));
	t_row("and of whom it heard for the first time within seconds, without waiting for the hour");
	fold();
	t_int("got", 200, get("/api/v1/gateways/" B "/impact"));
	t_uint("devices", 2, json_array_size(json_object_get(t_city_answer(city), "items")));
	assert_true(lw_eui64_parse(B, &eui));
	t_uint("durable", 2,
	       as_store_devices_of(city->store, (int64_t)lw_eui64_number(&eui), INT64_MIN, devices, 4));
	t_row("ten days later, D1 heard by B alone");
	city->now = at(10 * 86400);
	for (int i = 0; i < 3; i++)
		heard_by(D1, B, NULL);
	fold();
	t_int("got", 200, get("/api/v1/gateways/" A "/impact?days=7"));
	t_uint("nobody", 0, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_int("got", 200, get("/api/v1/gateways/" B "/impact?days=7"));
	t_uint("one", 1, json_array_size(json_object_get(t_city_answer(city), "items")));
	t_true("only", json_is_true(json_object_get(item(0), "only")));
	t_row("another agency's people see nothing of it");
	t_int("agency", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
			  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	struct as_scope water = t_city_scope(city, AS_MANAGER, "water");
	int code = t_city_call(city, &water, "GET", "/api/v1/gateways/" B "/impact", NULL);
	t_true("nothing", code == 404 || json_array_size(json_object_get(t_city_answer(city), "items")) == 0);
	t_row("after 90 days all is forgotten");
	city->now = at(120 * 86400);
	fold();
	t_int("got", 200, get("/api/v1/gateways/" B "/impact?days=90"));
	t_uint("no row", 0,
	       as_store_devices_of(city->store, (int64_t)lw_eui64_number(&eui), INT64_MIN, devices, 4));
	t_row("many devices are pages");
	char device[20], target[100];
	for (unsigned i = 0; i < 60; i++) {
		snprintf(device, sizeof device, "01020304050608%02x", i);
		heard_by(device, A, NULL); /* of nobody */
	}
	heard_by(D1, A, NULL);
	fold();
	t_int("got", 200, get("/api/v1/gateways/" A "/impact"));
	t_uint("the one that somebody owns", 1,
	       json_array_size(json_object_get(t_city_answer(city), "items")));
	snprintf(target, sizeof target, "/api/v1/gateways/" A "/impact?after=%s", t_city_text(city, "next"));
	t_int("the rest", 200, get(target));
	t_true("is the last page", json_is_null(json_object_get(t_city_answer(city), "next")));
	t_row("a wrong question");
	t_int("days", 422, get("/api/v1/gateways/" A "/impact?days=0"));
	t_int("after", 422, get("/api/v1/gateways/" A "/impact?after=x"));
	end();
}

static void a_row_remembers_the_last_six(void **state)
{
	(void)state;
	struct as_hearing_row row = {.dev_eui = 1}, more = {.dev_eui = 1, .count = 1}, read;
	uint8_t bytes[AS_HEARERS_MAX * AS_HEARING_BYTES];
	for (int64_t gateway = 1; gateway <= 8; gateway++) {
		more.hearers[0] = (struct as_hearer){gateway, (uint32_t)gateway, 1, 0};
		as_hearing_merge(&row, &more);
	}
	t_uint("count", AS_HEARERS_MAX, row.count);
	t_int("the newest first", 8, row.hearers[0].gateway);
	t_int("the oldest that stays", 3, row.hearers[5].gateway);
	t_row("counts stay small, and their proportion stays");
	for (int i = 0; i < 5000; i++) {
		more.hearers[0] = (struct as_hearer){1 + i % 2, 9, 1, i % 2 == 0};
		as_hearing_merge(&row, &more);
	}
	t_true("below the limit", row.hearers[0].heard < AS_HEARING_HALVE);
	struct wr wr = wr_init(bytes, sizeof bytes);
	as_hearing_write(&row, &wr);
	struct rd rd = rd_init(bytes, wr_length(&wr));
	t_true("read", as_hearing_read(&rd, &read));
	t_uint("the same", row.hearers[1].best, read.hearers[1].best);
	t_row("half a row is none");
	rd = rd_init(bytes, AS_HEARING_BYTES + 3);
	t_false("read", as_hearing_read(&rd, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_uplink_says_the_place_that_counts), t_test(a_gateway_is_shown_with_its_health),
		t_test(series_and_outages_are_given),         t_test(a_loss_is_counted_by_device),
		t_test(a_row_remembers_the_last_six),
	};
	return t_run(tests);
}
