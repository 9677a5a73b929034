/* One device in another's place: what goes over, what is refused, what both have sent read as one, and the way back. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/store_desired.h"
#include "application-server/store_events.h"
#include "application-server/store_items.h"
#include "application-server/store_private.h"
#include "common/crypto/sealed_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD     "0102030405060708"
#define NEW     "70b3d57ed00000a7"
#define THIRD   "70b3d57ed00000a8"
#define MINE    "70b3d57ed00000b1"
#define DEVICES "/api/v1/devices/"

static struct t_city *city;
static struct as_scope parks, water;
static unsigned number;

static void begins(void)
{
	city = t_city_new();
	t_city_furnish(city);
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
					  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	parks = t_city_scope(city, AS_MANAGER, "parks");
	water = t_city_scope(city, AS_MANAGER, "water");
	assert_int_equal(200, t_city_call(city, &parks, "PATCH", DEVICES OLD,
					  "{\"name\":\"Bed 1\",\"lat\":40.7,\"lon\":-73.9,\"tags\":{\"bed\":"
					  "\"1\"}}"));
	number = 0;
}

static int replace(const struct as_scope *scope, const char *old_eui, const char *new_eui, const char *more)
{
	char target[80], body[400], sealed[T_SEALED_TEXT];
	snprintf(target, sizeof target, DEVICES "%s/replace", old_eui);
	snprintf(body, sizeof body, "{\"dev_eui\":\"%s\",\"app_key\":\"%s\"%s}", new_eui,
		 t_seal(sealed, city->join_box, SEALED_APP_KEY, strlen(new_eui) == 16 ? new_eui : NEW,
			"00112233445566778899aabbccddeeff"),
		 more);
	return t_city_call(city, scope, "POST", target, body);
}

static struct net_device wanted(const char *dev_eui)
{
	static struct as_desired records[64];
	struct lw_eui64 eui;
	struct net_device found = {.version = 0};
	size_t count = 0;
	assert_true(lw_eui64_parse(dev_eui, &eui));
	assert_int_equal(ST_OK, as_store_desired_after(city->store, 0, records, ARRAY_SIZE(records), &count));
	for (size_t i = 0; i < count; i++)
		if (records[i].kind == RECORD_DEVICE && lw_eui64_equal(&records[i].device.dev_eui, &eui))
			found = records[i].device;
	return found;
}

static void sends(const char *dev_eui)
{
	struct as_reading reading = {.time = {city->now.wall.us + ++number},
				     .fcnt_up = number,
				     .agency = parks.agency,
				     .payload = (const uint8_t *)"x",
				     .length = 1};
	struct as_event event = {.id = {{(uint8_t)number, 9}},
				 .kind = AS_EVENT_UP,
				 .has_owner = true,
				 .agency = parks.agency,
				 .time = reading.time,
				 .body = "{}"};
	assert_true(lw_eui64_parse(dev_eui, &reading.dev_eui));
	event.dev_eui = reading.dev_eui;
	assert_int_equal(ST_OK, as_store_event_put(city->store, &event, &reading));
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

/* The counters of all readings that a device's pages of `limit` show, newest first: "5 4 3". */
static const char *history(const struct as_scope *scope, const char *dev_eui, unsigned limit,
			   const char *more)
{
	static char text[200];
	char target[120], next[24] = "";
	size_t used = 0;
	text[0] = '\0';
	for (int page = 0; page < 50; page++) {
		snprintf(target, sizeof target, DEVICES "%s/readings?limit=%u%s%s%s", dev_eui, limit, more,
			 *next ? "&after=" : "", next);
		assert_int_equal(200, t_city_call(city, scope, "GET", target, NULL));
		const json_t *items = json_object_get(t_city_answer(city), "items"), *item;
		size_t index;
		json_array_foreach((json_t *)(uintptr_t)items, index, item)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", used ? " " : "",
						 (int)json_integer_value(json_object_get(item, "fCnt")));
		snprintf(next, sizeof next, "%s", t_city_text(city, "next"));
		if (!*next)
			break;
	}
	return text;
}

static void the_place_goes_over(void **state)
{
	(void)state;
	begins();
	t_int("replaced", 200, replace(&parks, OLD, NEW, ""));
	t_int("the new one", 200, t_city_call(city, &parks, "GET", DEVICES NEW, NULL));
	t_str("name", "Bed 1", t_city_text(city, "name"));
	t_str("application", "meters", t_city_text(city, "application_slug"));
	t_str("profile", "probe", t_city_text(city, "profile_slug"));
	t_str("in the place of", OLD, t_city_text(city, "replaces"));
	t_true("position", json_real_value(json_object_get(t_city_answer(city), "lat")) == 40.7);
	t_str("tags", "1",
	      json_string_value(json_object_get(json_object_get(t_city_answer(city), "tags"), "bed")));
	t_int("the old one", 200, t_city_call(city, &parks, "GET", DEVICES OLD, NULL));
	t_str("replaced by", NEW, t_city_text(city, "replaced_by"));
	t_true("the air: the new one", wanted(NEW).enabled && !wanted(NEW).replaced);
	t_true("the air: the old one", !wanted(OLD).enabled && wanted(OLD).replaced);
	t_int("enabling does not bring it back", 200,
	      t_city_call(city, &parks, "PATCH", DEVICES OLD, "{\"enabled\":true}"));
	t_false("refused still", wanted(OLD).enabled);
	t_int("the one in the place stays", 409, t_city_call(city, &parks, "DELETE", DEVICES NEW, NULL));

	t_row("undone");
	t_int("by others", 404, t_city_call(city, &water, "DELETE", DEVICES OLD "/replacement", NULL));
	t_int("taken back", 200, t_city_call(city, &parks, "DELETE", DEVICES OLD "/replacement", NULL));
	t_true("on the air again", wanted(OLD).enabled && !wanted(OLD).replaced);
	t_false("the other is not", wanted(NEW).enabled);
	t_int("once", 409, t_city_call(city, &parks, "DELETE", DEVICES OLD "/replacement", NULL));
	t_int("and done again, with the one that is there", 200, replace(&parks, OLD, NEW, ""));
	t_true("on the air", wanted(NEW).enabled && wanted(OLD).replaced);
	t_city_free(city);
}

static void a_place_has_one_history(void **state)
{
	(void)state;
	begins();
	sends(OLD);
	sends(OLD);
	sends(OLD);
	t_int("replaced", 200, replace(&parks, OLD, NEW, ""));
	t_str("before the new one spoke", "3 2 1", history(&parks, NEW, 10, ""));
	sends(NEW);
	sends(NEW);
	t_int("and again", 200, replace(&parks, NEW, THIRD, ""));
	sends(THIRD);
	for (unsigned limit = 1; limit <= 7; limit++)
		t_str("all of the place, in pages", "6 5 4 3 2 1", history(&parks, THIRD, limit, ""));
	t_str("the one of before", "5 4 3 2 1", history(&parks, NEW, 2, ""));
	t_str("itself alone", "6", history(&parks, THIRD, 2, "&alone=true"));
	t_int("each says whose it is", 200,
	      t_city_call(city, &parks, "GET", DEVICES THIRD "/readings", NULL));
	const json_t *items = json_object_get(t_city_answer(city), "items");
	t_str("the newest", THIRD, json_string_value(json_object_get(json_array_get(items, 0), "devEui")));
	t_str("the oldest", OLD, json_string_value(json_object_get(json_array_get(items, 5), "devEui")));
	t_int("undone", 200, t_city_call(city, &parks, "DELETE", DEVICES NEW "/replacement", NULL));
	t_str("apart again", "6", history(&parks, THIRD, 2, ""));
	t_city_free(city);
}

static size_t waiting(const char *dev_eui)
{
	struct lw_eui64 eui;
	assert_true(lw_eui64_parse(dev_eui, &eui));
	return as_store_items_waiting(city->store, &eui);
}

static void commands_are_moved_or_dropped(void **state)
{
	(void)state;
	static const char *const command = "{\"f_port\":7,\"data\":\"AQID\",\"confirmed\":true}";
	for (int moves = 0; moves < 2; moves++) {
		begins();
		t_row(moves ? "moved" : "dropped");
		t_int("one", 202, t_city_call(city, &parks, "POST", DEVICES OLD "/downlinks", command));
		t_int("two", 202, t_city_call(city, &parks, "POST", DEVICES OLD "/downlinks", command));
		t_int("not without a word", 409, replace(&parks, OLD, NEW, ""));
		t_str("which", "queue", t_city_text(city, "field"));
		t_int("nothing happened", 404, t_city_call(city, &parks, "GET", DEVICES NEW, NULL));
		t_int("replaced", 200,
		      replace(&parks, OLD, NEW, moves ? ",\"queue\":\"move\"" : ",\"queue\":\"drop\""));
		t_int("moved", moves ? 2 : 0,
		      json_integer_value(json_object_get(t_city_answer(city), "commands_moved")));
		t_int("dropped", moves ? 0 : 2,
		      json_integer_value(json_object_get(t_city_answer(city), "commands_dropped")));
		t_int("the new one's", moves ? 2 : 0, waiting(NEW));
		t_int("as they were", 200, t_city_call(city, &parks, "GET", DEVICES NEW "/downlinks", NULL));
		const json_t *first = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
		t_true("payload",
		       !moves || strcmp(json_string_value(json_object_get(first, "data")), "AQID") == 0);
		t_true("confirmed", !moves || json_is_true(json_object_get(first, "confirmed")));
		t_city_free(city);
	}
}

static void others_devices_are_not_told_of(void **state)
{
	(void)state;
	char said[400];
	begins();
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/applications",
					  "{\"slug\":\"mains\",\"name\":\"Mains\",\"agency\":\"water\"}"));
	assert_int_equal(201, t_city_call(city, &water, "POST", "/api/v1/devices",
					  "{\"dev_eui\":\"" MINE "\",\"name\":\"Valve\",\"application\":"
					  "\"mains\",\"profile\":\"probe\"}"));
	t_int("replaced", 200, replace(&parks, OLD, NEW, ""));
	t_int("apart, in another's place", 409, replace(&water, MINE, NEW, ""));
	snprintf(said, sizeof said, "%s", t_city_text(city, "detail"));
	t_false("not which it shares a place with", strstr(said, OLD));
	t_int("as whoever adds it", 409,
	      t_city_call(city, &water, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"" NEW "\",\"name\":\"x\",\"application\":\"mains\",\"profile\":"
			  "\"probe\"}"));
	t_str("in the same words", t_city_text(city, "detail"), said);

	t_row("the city gives the new one to another agency");
	t_int("moved", 200,
	      t_city_call(city, &t_city_admin, "PATCH", DEVICES NEW,
			  "{\"application\":\"mains\",\"deployment\":null}"));
	t_int("the old one", 200, t_city_call(city, &parks, "GET", DEVICES OLD, NULL));
	t_true("does not name it", json_is_null(json_object_get(t_city_answer(city), "replaced_by")));
	t_int("the new one", 200, t_city_call(city, &water, "GET", DEVICES NEW, NULL));
	t_true("does not name the old", json_is_null(json_object_get(t_city_answer(city), "replaces")));
	t_int("and is not disabled by the other agency", 409,
	      t_city_call(city, &parks, "DELETE", DEVICES OLD "/replacement", NULL));
	t_true("it is on the air", wanted(NEW).enabled);
	t_city_free(city);
}

static void what_is_refused(void **state)
{
	(void)state;
	begins();
	t_int("another's", 404, replace(&water, OLD, NEW, ""));
	t_int("by itself", 422, replace(&parks, OLD, OLD, ""));
	t_int("no EUI", 422, replace(&parks, OLD, "70b3", ""));
	t_int("a queue that there is not", 422, replace(&parks, OLD, NEW, ",\"queue\":\"keep\""));
	t_int("a member that there is not", 422, replace(&parks, OLD, NEW, ",\"colour\":\"red\""));
	t_int("a token that opens nothing", 403,
	      replace(&parks, OLD, NEW,
		      ",\"join_eui\":\"70b3d57ed0000000\",\"token_digest\":"
		      "\"0000000000000000000000000000000000000000000000000000000000000000\""));
	t_int("nothing happened", 404, t_city_call(city, &parks, "GET", DEVICES NEW, NULL));
	t_int("replaced", 200, replace(&parks, OLD, NEW, ""));
	t_int("twice", 409, replace(&parks, OLD, THIRD, ""));
	t_int("by one that stands elsewhere", 409, replace(&parks, NEW, OLD, ""));
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_place_goes_over),
		t_test(a_place_has_one_history),
		t_test(commands_are_moved_or_dropped),
		t_test(others_devices_are_not_told_of),
		t_test(what_is_refused),
	};
	return t_run(tests);
}
