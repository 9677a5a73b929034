/* Who may ask why about what, and what the application server has to say itself; the other processes' answers are made here. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/why/why.h"

#include <stdio.h>
#include <string.h>

#define OWN "0102030405060708" /* of t_city_furnish(), agency parks */

static struct t_city *city;

static int open_city(void **state)
{
	t_setup(state);
	city = t_city_new();
	t_city_furnish(city);
	t_int("another agency", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
			  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	t_int("its gateway", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/gateways",
			  "{\"eui\":\"aa555a0000000101\",\"name\":\"Roof\",\"region\":\"eu868\",\"agency\":"
			  "\"water\"}"));
	return 0;
}

static int close_city(void **state)
{
	t_city_free(city);
	return t_teardown(state);
}

static void who_may_ask(void **state)
{
	enum { CITY, PARKS, WATER, COLUMNS };
	static const struct {
		const char *name, *target;
		int expected[COLUMNS];
	} rows[] = {
		{"a device", "/api/v1/devices/" OWN "/why", {200, 200, 404}},
		{"what it has taken", "/api/v1/devices/" OWN "/mac", {200, 200, 404}},
		{"of one that is not registered", "/api/v1/devices/ffffffffffffff01/mac", {404, 404, 404}},
		{"its joins", "/api/v1/joins/" OWN "/why", {200, 200, 404}},
		{"one that is not registered", "/api/v1/devices/ffffffffffffff01/why", {200, 404, 404}},
		{"its joins", "/api/v1/joins/ffffffffffffff01/why", {200, 404, 404}},
		{"no EUI", "/api/v1/devices/17/why", {422, 404, 404}},
		{"a gateway", "/api/v1/gateways/aa555a0000000101/why", {200, 404, 200}},
		{"one that is not registered", "/api/v1/gateways/aa555a0000000199/why", {200, 404, 404}},
		{"a downlink that is not there",
		 "/api/v1/downlinks/0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11/why",
		 {404, 404, 404}},
		{"a frame by its MIC", "/api/v1/frames/why?frame=2b11ff0d", {200, 200, 200}},
		{"by address and counter", "/api/v1/frames/why?frame=01020304:7", {200, 200, 200}},
		{"by an event that is not there",
		 "/api/v1/frames/why?frame=0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11",
		 {404, 404, 404}},
		{"no frame", "/api/v1/frames/why?frame=xyz", {422, 422, 422}},
		{"none named", "/api/v1/frames/why", {422, 422, 422}},
		{"what names nobody", "/api/v1/why/server", {200, 403, 403}},
		{"the rules", "/api/v1/why/rules", {200, 200, 200}},
		{"a limit that is none", "/api/v1/devices/" OWN "/why?limit=0", {422, 422, 404}},
		{"a time that is none", "/api/v1/devices/" OWN "/why?since=soon", {422, 422, 404}},
	};
	(void)state;
	const struct as_scope nobody = {.role = AS_NOBODY};
	const struct as_scope scopes[COLUMNS] = {t_city_admin, t_city_scope(city, AS_READER, "parks"),
						 t_city_scope(city, AS_MANAGER, "water")};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		for (int column = 0; column < COLUMNS; column++) {
			int got = t_city_call(city, &scopes[column], "GET", rows[i].target, NULL);
			t_int(column == CITY    ? "city"
			      : column == PARKS ? "parks"
						: "water",
			      rows[i].expected[column], got);
			t_true("a question, or a refusal",
			       (got == 200) == (city->answer.why || city->answer.asks_network[0]));
		}
		t_int("nobody", 404, t_city_call(city, &nobody, "GET", rows[i].target, NULL));
	}
}

/* --- what an agency is shown --------------------------------------------------------------------------------------- */

static json_t *decision(const char *device, const char *verdict)
{
	json_t *made = json_pack("{ss ss ss ss ss}", "time", "2027-01-15T08:00:00.000Z", "process",
				 "network-server", "verdict", verdict, "sentence", "A sentence.", "next", "");
	if (device)
		json_object_set_new(made, "device", json_string(device));
	return made;
}

static bool shows(const struct as_scope *scope, const char *target, const char *device)
{
	json_t *made = decision(device, "mic");
	t_int("asked", 200, t_city_call(city, scope, "GET", target, NULL));
	bool shown = as_why_shows(city->store, city->answer.why, made);
	json_decref(made);
	return shown;
}

static void an_agency_sees_its_own(void **state)
{
	static const char frame[] = "/api/v1/frames/why?frame=2b11ff0d";
	static const char gateway[] = "/api/v1/gateways/aa555a0000000101/why";
	(void)state;
	const struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	const struct as_scope water = t_city_scope(city, AS_READER, "water");
	t_row("a frame of its device");
	t_true("shown", shows(&parks, frame, OWN));
	t_row("of another's");
	t_false("hidden", shows(&water, frame, OWN));
	t_row("of nobody's");
	t_false("hidden", shows(&parks, frame, NULL));
	t_true("not to the city", shows(&t_city_admin, frame, NULL));
	t_row("what its gateway heard");
	t_true("of nobody's", shows(&water, gateway, NULL));
	t_false("of another's", shows(&water, gateway, OWN));
}

static bool shows_text(const struct as_scope *scope, const char *target, const char *text)
{
	json_t *made = json_loads(text, 0, NULL);
	assert_non_null(made);
	t_int("asked", 200, t_city_call(city, scope, "GET", target, NULL));
	bool shown = as_why_shows(city->store, city->answer.why, made);
	json_decref(made);
	return shown;
}

static void what_a_gateway_hears_of_strangers_is_the_citys(void **state)
{
	static const char gateway[] = "/api/v1/gateways/aa555a0000000101/why";
	static const struct {
		const char *name, *decision;
		bool agency;
	} rows[] = {
		{"a frame that was passed on",
		 "{\"time\":\"2099-01-15T08:00:00.000Z\",\"frame\":\"2b11ff0d\",\"numbers\":{\"freq_hz\":1}}",
		 true},
		{"an address of nobody's",
		 "{\"time\":\"2099-01-15T08:00:00.000Z\",\"dev_addr\":\"26000002\",\"numbers\":{}}", false},
		{"a join of nobody's",
		 "{\"time\":\"2099-01-15T08:00:00.000Z\",\"numbers\":{\"dev_eui\":\"00000000000000aa\"}}",
		 false},
		{"from before it was the agency's", "{\"time\":\"2020-01-15T08:00:00.000Z\",\"numbers\":{}}",
		 false},
	};
	const struct as_scope water = t_city_scope(city, AS_READER, "water");
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("an agency", rows[i].agency, shows_text(&water, gateway, rows[i].decision));
		t_true("the city", shows_text(&t_city_admin, gateway, rows[i].decision));
	}
}

/* A DevEUI that another agency had, and gave up. */
static void an_agency_inherits_no_decisions(void **state)
{
	static const char device[] = "/api/v1/devices/" OWN "/why";
	const struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	(void)state;
	t_false("from before it was registered",
		shows_text(&parks, device, "{\"time\":\"2020-01-15T08:00:00.000Z\",\"device\":\"" OWN "\"}"));
	t_true("since then",
	       shows_text(&parks, device, "{\"time\":\"2099-01-15T08:00:00.000Z\",\"device\":\"" OWN "\"}"));
}

static void each_device_is_looked_up(void **state)
{
	static const char frame[] = "/api/v1/frames/why?frame=2b11ff0d";
	const struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	json_t *own = decision(OWN, "mic"), *strange = decision("ffffffffffffff01", "mic");
	(void)state;
	t_int("asked", 200, t_city_call(city, &parks, "GET", frame, NULL));
	t_true("its own", as_why_shows(city->store, city->answer.why, own));
	t_false("another's after it", as_why_shows(city->store, city->answer.why, strange));
	t_true("and its own again", as_why_shows(city->store, city->answer.why, own));
	json_decref(own);
	json_decref(strange);
}

static void a_downlink_is_its_agencys(void **state)
{
	static const char id[] = "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c22";
	static const char why[] = "/api/v1/downlinks/0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c22/why";
	const struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	const struct as_scope water = t_city_scope(city, AS_MANAGER, "water");
	char body[128];
	(void)state;
	snprintf(body, sizeof body, "{\"id\":\"%s\",\"f_port\":5,\"data\":\"AQI=\"}", id);
	t_int("sent", 202,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices/" OWN "/downlinks", body));
	t_int("its agency", 200, t_city_call(city, &parks, "GET", why, NULL));
	t_int("another", 404, t_city_call(city, &water, "GET", why, NULL));
	t_int("the city", 200, t_city_call(city, &t_city_admin, "GET", why, NULL));
}

static void facts_of_a_device(void **state)
{
	(void)state;
	t_int("asked", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/" OWN "/why", NULL));
	const json_t *facts = city->answer.why->facts;
	t_true("registered", json_is_true(json_object_get(facts, "registered")));
	t_true("enabled", json_is_true(json_object_get(facts, "enabled")));
	t_true("never heard", json_is_null(json_object_get(facts, "last_heard")));
	t_int("asked", 200,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/devices/ffffffffffffff01/why", NULL));
	t_true("not registered", json_is_false(json_object_get(city->answer.why->facts, "registered")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"who_may_ask", who_may_ask, open_city, close_city, NULL},
		{"an_agency_sees_its_own", an_agency_sees_its_own, open_city, close_city, NULL},
		{"what_a_gateway_hears_of_strangers_is_the_citys",
		 what_a_gateway_hears_of_strangers_is_the_citys, open_city, close_city, NULL},
		{"an_agency_inherits_no_decisions", an_agency_inherits_no_decisions, open_city, close_city,
		 NULL},
		{"each_device_is_looked_up", each_device_is_looked_up, open_city, close_city, NULL},
		{"a_downlink_is_its_agencys", a_downlink_is_its_agencys, open_city, close_city, NULL},
		{"facts_of_a_device", facts_of_a_device, open_city, close_city, NULL},
	};
	return t_run(tests);
}
