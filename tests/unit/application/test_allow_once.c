/* /api/v1/devices/{eui}/join-allow-once: who may allow one join, what the join server is then asked, and the audit of it. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/identity/audit.h"

#include <stdio.h>
#include <string.h>

#define DEVICE "0102030405060708"
#define ABP    "0102030405060709"
#define ROUTE  "/api/v1/devices/{id}/join-allow-once"

static struct t_city *city;

static void begins(void)
{
	city = t_city_new();
	t_city_furnish(city);
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
					  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
					  "{\"dev_eui\":\"" ABP "\",\"name\":\"A\",\"application\":"
					  "\"meters\",\"profile\":\"probe\",\"activation\":\"abp\","
					  "\"dev_addr\":\"26000001\"}"));
}

/* Calls the route; the answer's status, or 0 with the join server's question in `question`. */
static int call(const struct as_scope *scope, const char *method, const char *id, const char *body,
		char question[200])
{
	struct as_answer answer = {0};
	json_t *json = body ? json_loads(body, JSON_DECODE_ANY, NULL) : NULL;
	const struct as_call asked = {.scope = scope,
				      .now = city->now,
				      .who = "uid 7",
				      .collection = "devices",
				      .id = id,
				      .body = json};
	for (size_t i = 0; i < as_route_count; i++)
		if (strcmp(as_routes[i].pattern, ROUTE) == 0 && strcmp(as_routes[i].method, method) == 0)
			as_api_call(&city->api, &as_routes[i], &asked, &answer);
	int status = answer.asks_join ? 0 : answer.status;
	char *text = answer.asks_join ? json_dumps(answer.body, JSON_COMPACT) : NULL;
	snprintf(question, 200, "%s", text ? text : "");
	free(text);
	json_decref(json);
	as_answer_release(&answer);
	return status;
}

/* "WHAT DETAIL" of the newest row about the device; "" for none. */
static const char *audited(char text[500])
{
	struct as_audit_row row = {.seq = 0};
	text[0] = '\0';
	if (as_audit_next(city->api.app->store, DEVICE, 0, &row) == ST_OK)
		snprintf(text, 500, "%s %s: %s", row.who, row.what, row.detail);
	return text;
}

static void what_may_be_asked(void **state)
{
	(void)state;
	static const struct {
		const char *name, *method, *id, *body;
		int status; /* 0: the join server is asked */
		const char *question, *audit;
	} rows[] = {
		{"asked", "GET", DEVICE, NULL, 0, "{\"dev_eui\":\"" DEVICE "\"}", ""},
		{"half a minute", "POST", DEVICE, "{\"for_s\":30}", 422, "", ""},
		{"two days", "POST", DEVICE, "{\"for_s\":172800}", 422, "", ""},
		{"a word", "POST", DEVICE, "{\"for_s\":\"1h\"}", 422, "", ""},
		{"a member that there is not", "POST", DEVICE, "{\"joins\":2}", 422, "", ""},
		{"no object", "POST", DEVICE, "[]", 400, "", ""},
		{"a device that there is not", "POST", "0102030405060799", "{}", 404, "", ""},
		{"a device of ABP", "POST", ABP, "{}", 409, "", ""},
		{"as usual", "POST", DEVICE, "{}", 0, "{\"dev_eui\":\"" DEVICE "\",\"for_s\":3600}",
		 "uid 7 join_allow_once: for 3600 s"},
		{"for ten minutes", "POST", DEVICE, "{\"for_s\":600}", 0,
		 "{\"dev_eui\":\"" DEVICE "\",\"for_s\":600}", "uid 7 join_allow_once: for 600 s"},
		{"taken back", "DELETE", DEVICE, NULL, 0, "{\"dev_eui\":\"" DEVICE "\",\"for_s\":0}",
		 "uid 7 join_allow_withdraw: "},
	};
	begins();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char question[200], audit[500];
		t_row(rows[i].name);
		int status = call(&t_city_admin, rows[i].method, rows[i].id, rows[i].body, question);
		if (rows[i].status == 400)
			t_true("refused", status == 400 || status == 422);
		else
			t_int("status", rows[i].status, status);
		t_str("question", rows[i].question, question);
		t_str("audit", rows[i].audit, audited(audit));
	}
	t_city_free(city);
}

static void who_may(void **state)
{
	(void)state;
	begins();
	const struct as_scope manager = t_city_scope(city, AS_MANAGER, "parks"),
			      reader = t_city_scope(city, AS_READER, "parks"),
			      other = t_city_scope(city, AS_MANAGER, "water");
	const struct {
		const char *name;
		const struct as_scope *scope;
		int asks, allows; /* 0: the join server is asked */
	} rows[] = {
		{"another agency's manager", &other, 404, 404},
		{"the agency's reader", &reader, 0, 403},
		{"the agency's manager", &manager, 0, 0},
		{"the city's engineers", &t_city_admin, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char question[200], audit[500];
		t_row(rows[i].name);
		t_int("asks", rows[i].asks, call(rows[i].scope, "GET", DEVICE, NULL, question));
		t_int("allows", rows[i].allows, call(rows[i].scope, "POST", DEVICE, "{}", question));
		t_int("is audited", rows[i].allows == 0, audited(audit)[0] != '\0');
		t_int("takes back", rows[i].allows, call(rows[i].scope, "DELETE", DEVICE, NULL, question));
	}
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_may_be_asked),
		t_test(who_may),
	};
	return t_run(tests);
}
