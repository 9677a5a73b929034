/* What the bridge tells of gateways, round by round, and what the registry's records say of it. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/health/table.h"
#include "application-server/live/gateways.h"

#include <stdio.h>
#include <string.h>

#define A "aa00000000000001"
#define B "aa00000000000002"
#define C "aa00000000000003"

static struct now at(int64_t seconds)
{
	return (struct now){.mono = {seconds * US_PER_S}, .wall = {(1800000000 + seconds) * US_PER_S}};
}

static struct as_health judged; /* of the same pages, where a test has one */

static void round_of(struct as_live_gateways *live, const char *rows, struct now now)
{
	char text[1000];
	snprintf(text, sizeof text, "{\"gateways\":[%s],\"next\":null}", rows);
	json_t *page = json_loads(text, 0, NULL);
	assert_non_null(page);
	as_live_begin(live);
	as_live_put(live, page, now);
	as_live_end(live, now);
	if (judged.by_eui.entries)
		as_health_live(&judged, page, now);
	json_decref(page);
}

#define ROW(eui, known, online, silent)                                                               \
	"{\"eui\":\"" eui "\",\"known\":" known ",\"online\":" online ",\"from\":\"192.0.2.1:4711\"," \
	"\"silent_ms\":" silent ",\"datagrams\":7}"

static const char *state_of(const struct as_live_gateways *live, const char *text, struct now now)
{
	struct lw_eui64 eui;
	const struct as_live_gateway *row;
	assert_true(lw_eui64_parse(text, &eui));
	const char *name = as_live_state_name(as_live_gateway(live, &eui, now, &row));
	return name ? name : "?";
}

static void states(void **state)
{
	(void)state;
	struct as_live_gateways live;
	struct rng rng = rng_seeded(1);
	as_live_init(&live, &rng);
	t_row("nobody was asked");
	t_str("a", "?", state_of(&live, A, at(0)));
	t_row("three of them");
	round_of(&live,
		 ROW(A, "true", "true", "500") "," ROW(B, "true", "false", "90000") "," ROW(C, "true",
											    "false", "-1"),
		 at(10));
	t_str("a", "online", state_of(&live, A, at(11)));
	t_str("b", "silent", state_of(&live, B, at(11)));
	t_str("c", "never", state_of(&live, C, at(11)));
	t_str("one that the bridge does not know", "never", state_of(&live, "aa00000000000009", at(11)));
	t_row("the bridge started anew");
	round_of(&live, ROW(A, "true", "false", "-1") "," ROW(B, "true", "true", "0"), at(15));
	t_str("a was heard before", "silent", state_of(&live, A, at(16)));
	t_str("b", "online", state_of(&live, B, at(16)));
	t_row("a round without them");
	round_of(&live, "", at(20));
	t_str("b is told of no more", "silent", state_of(&live, B, at(21)));
	t_row("the bridge is away");
	t_str("b", "?", state_of(&live, B, at(60)));
	as_live_release(&live);
}

static void records_say_it(void **state)
{
	(void)state;
	struct as_live_gateways live;
	struct rng rng = rng_seeded(1);
	struct t_city *city = t_city_new();
	struct as_scope manager;
	t_city_furnish(city);
	manager = t_city_scope(city, AS_MANAGER, "parks");
	as_live_init(&live, &rng);
	city->api.live = &live;
	as_health_init(&judged, &(struct as_health_keeper){.ctx = NULL}, &rng);
	city->api.health = &judged;
	city->now = at(1);
	t_int("made", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/gateways",
			  "{\"eui\":\"" A "\",\"name\":\"Roof\",\"region\":\"eu868\"}"));
	t_row("nobody was asked");
	t_int("got", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/gateways/" A, NULL));
	t_true("state is null", json_is_null(json_object_get(t_city_answer(city), "state")));
	t_int("no list", 503,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/gateways?unregistered=true", NULL));
	t_row("it is heard, and another that nobody knows");
	round_of(&live, ROW(A, "true", "true", "1000") "," ROW(B, "false", "true", "2000"), at(1));
	t_int("got", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/gateways/" A, NULL));
	t_str("state", "online", t_city_text(city, "state"));
	t_str("address", "192.0.2.1:4711", t_city_text(city, "address"));
	t_true("heard", strncmp(t_city_text(city, "last_seen"), "2027-01-15T08:00:00", 19) == 0);
	t_int("listed", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/gateways", NULL));
	const json_t *item = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
	t_str("state in a list", "online", json_string_value(json_object_get(item, "state")));
	t_int("the other", 200,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/gateways?unregistered=true", NULL));
	const json_t *items = json_object_get(t_city_answer(city), "items");
	t_uint("alone", 1, json_array_size(items));
	t_str("eui", B, json_string_value(json_object_get(json_array_get(items, 0), "eui")));
	t_int("not for an agency", 403,
	      t_city_call(city, &manager, "GET", "/api/v1/gateways?unregistered=true", NULL));
	t_row("nobody may say it");
	t_int("state is the server's", 422,
	      t_city_call(city, &t_city_admin, "PATCH", "/api/v1/gateways/" A, "{\"state\":\"online\"}"));
	t_city_free(city);
	as_live_release(&live);
	as_health_release(&judged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(states), t_test(records_say_it)};
	return t_run(tests);
}
