/* The network that is a device's home (home_net_id), as the city says it: registered, changed, imported, replaced; told to the join
 * server with the desired state; shown by `why`. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/store_desired.h"
#include "application-server/why/why.h"

#include <stdio.h>
#include <string.h>

#define EUI    "0102030405060708"
#define DEVICE "/api/v1/devices/" EUI

static struct t_city *city;

static int open_city(void **state)
{
	city = t_city_new();
	t_city_furnish(city);
	return t_setup(state);
}

static int close_city(void **state)
{
	t_city_free(city);
	return t_teardown(state);
}

static int call(const char *method, const char *target, const char *body)
{
	return t_city_call(city, &t_city_admin, method, target, body);
}

/* The newest word of the desired state about a device. */
static struct as_desired desired(uint64_t dev_eui)
{
	static struct as_desired records[64];
	struct as_desired last = {.version = 0};
	size_t count;
	assert_int_equal(ST_OK, as_store_desired_after(city->store, 0, records, ARRAY_SIZE(records), &count));
	for (size_t i = 0; i < count; i++)
		if (records[i].kind == RECORD_DEVICE &&
		    lw_eui64_number(&records[i].device.dev_eui) == dev_eui)
			last = records[i];
	return last;
}

static void expect_home(const char *what, uint64_t dev_eui, bool has, uint32_t home)
{
	struct as_desired record = desired(dev_eui);
	t_row(what);
	t_true("is desired", record.version > 0);
	t_int("said", has, record.has_home);
	if (has)
		t_uint("which", home, record.home.value);
}

static void a_record_says_whose_a_device_is(void **state)
{
	(void)state;
	expect_home("nothing is said by default", 0x0102030405060708, false, 0);
	t_int("shown", 200, call("GET", DEVICE, NULL));
	t_true("none", json_is_null(json_object_get(t_city_answer(city), "home_net_id")));
	uint64_t before = desired(0x0102030405060708).version;
	t_int("named", 200, call("PATCH", DEVICE, "{\"home_net_id\":\"60000D\"}"));
	t_str("as it is written everywhere", "60000d", t_city_text(city, "home_net_id"));
	expect_home("named", 0x0102030405060708, true, 0x60000d);
	t_true("the join server is told", desired(0x0102030405060708).version > before);
	t_int("another's name", 200, call("PATCH", DEVICE, "{\"name\":\"Bed 2\"}"));
	expect_home("a change of something else leaves it", 0x0102030405060708, true, 0x60000d);
	t_int("the NetID of experiments", 200, call("PATCH", DEVICE, "{\"home_net_id\":\"000000\"}"));
	expect_home("zero is a NetID too", 0x0102030405060708, true, 0);
	t_int("no NetID", 422, call("PATCH", DEVICE, "{\"home_net_id\":\"60000\"}"));
	t_int("taken back", 200, call("PATCH", DEVICE, "{\"home_net_id\":null}"));
	expect_home("nothing is said", 0x0102030405060708, false, 0);
}

static void a_device_is_registered_with_its_home(void **state)
{
	(void)state;
	t_int("registered", 201,
	      call("POST", "/api/v1/devices",
		   "{\"dev_eui\":\"0102030405060709\",\"name\":\"n\",\"application\":\"meters\","
		   "\"profile\":\"probe\",\"home_net_id\":\"000024\"}"));
	expect_home("one at a time", 0x0102030405060709, true, 0x24);
	t_int("imported", 200,
	      t_city_import(city, &t_city_admin,
			    "{\"rows\":[{\"line\":2,\"dev_eui\":\"010203040506070a\",\"name\":\"n\","
			    "\"application\":"
			    "\"meters\",\"profile\":\"probe\",\"home_net_id\":\"C00001\"}]}"));
	expect_home("many at a time", 0x010203040506070a, true, 0xc00001);
	t_int("replaced", 200,
	      call("POST", "/api/v1/devices/0102030405060709/replace", "{\"dev_eui\":\"010203040506070b\"}"));
	expect_home("what stands in its place", 0x010203040506070b, true, 0x24);
}

static void a_device_that_does_not_join_has_none(void **state)
{
	(void)state;
	t_int("registered", 201,
	      call("POST", "/api/v1/devices",
		   "{\"dev_eui\":\"0102030405060709\",\"name\":\"n\",\"application\":\"meters\","
		   "\"profile\":\"probe\",\"activation\":\"abp\",\"dev_addr\":\"01020304\"}"));
	t_int("later", 422,
	      call("PATCH", "/api/v1/devices/0102030405060709", "{\"home_net_id\":\"000024\"}"));
}

static void why_says_it(void **state)
{
	(void)state;
	const struct lw_eui64 eui = lw_eui64_from_number(0x0102030405060708);
	const struct why_part parts[WHY_PROCESS_COUNT] = {0};
	for (int named = 0; named < 2; named++) {
		t_row(named ? "named" : "not named");
		t_int("changed", 200,
		      call("PATCH", DEVICE,
			   named ? "{\"home_net_id\":\"60000d\"}" : "{\"home_net_id\":null}"));
		json_t *record = json_deep_copy(t_city_answer(city));
		json_t *facts = as_why_device_facts(&city->api, record, &eui);
		struct why_question question = {.now = city->now.wall, .facts = facts};
		question.subject = (struct why_subject){.kind = WHY_DEVICE, .text = EUI};
		json_t *answer = why_answer(&question, parts);
		const char *summary = json_string_value(json_object_get(answer, "summary"));
		t_int("said", named,
		      summary &&
			      strstr(summary, "home is the network of NetID 60000d: no other has it join"));
		json_decref(answer);
		json_decref(facts);
		json_decref(record);
	}
}

int main(void)
{
#define IN_CITY(f)                                 \
	{                                          \
#f, f, open_city, close_city, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_CITY(a_record_says_whose_a_device_is),
		IN_CITY(a_device_is_registered_with_its_home),
		IN_CITY(a_device_that_does_not_join_has_none),
		IN_CITY(why_says_it),
	};
	return t_run(tests);
}
