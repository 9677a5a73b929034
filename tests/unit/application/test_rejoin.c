/* POST /api/v1/devices/{eui}/rejoin: which devices can be told, who may, and what the network server is given. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define REJOIN "/api/v1/devices/0102030405060708/rejoin"

static struct t_city *city;
static struct net_force_rejoin told;
static unsigned orders;
static bool reached;

static bool take(void *ctx, const struct net_force_rejoin *order)
{
	(void)ctx;
	told = *order;
	orders += reached;
	return reached;
}

/* The device's profile becomes one of that version. */
static void furnished(const char *mac_version, const char *rejoin)
{
	char body[200];
	city = t_city_new();
	t_city_furnish(city);
	city->api.force_rejoin = take;
	snprintf(body, sizeof body,
		 "{\"slug\":\"newer\",\"name\":\"N\",\"region\":\"eu868\",\"mac_version\":\"%s\",\"rejoin\":"
		 "\"%s\"}",
		 mac_version, rejoin);
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/profiles", body));
	assert_int_equal(200, t_city_call(city, &t_city_admin, "PATCH", "/api/v1/devices/0102030405060708",
					  "{\"profile\":\"newer\"}"));
	reached = true;
	orders = 0;
}

static const struct {
	const char *name, *mac_version, *rejoin, *body;
	bool away;
	int status;
	struct net_force_rejoin told; /* of 202 */
} rows[] = {
	{"as usual", "1.1.0", "all", "{}", false, 202, {{{0}}, 2, 0, 7, false, 0}},
	{"all chosen",
	 "1.1.0",
	 "all",
	 "{\"rejoin_type\":0,\"data_rate\":3,\"period\":2,\"max_retries\":1}",
	 false,
	 202,
	 {{{0}}, 0, 2, 1, true, 3}},
	{"DR 0 is a choice", "1.1.0", "all", "{\"data_rate\":0}", false, 202, {{{0}}, 2, 0, 7, true, 0}},
	{"keys alone, type 2", "1.1.0", "keys", "{}", false, 202, {{{0}}, 2, 0, 7, false, 0}},
	{"keys alone, type 0",
	 "1.1.0",
	 "keys",
	 "{\"rejoin_type\":0}",
	 false,
	 409,
	 {{{0}}, 0, 0, 0, false, 0}},
	{"none", "1.1.0", "none", "{}", false, 409, {{{0}}, 0, 0, 0, false, 0}},
	{"1.0.4", "1.0.4", "all", "{}", false, 409, {{{0}}, 0, 0, 0, false, 0}},
	{"type 1 is the device's own",
	 "1.1.0",
	 "all",
	 "{\"rejoin_type\":1}",
	 false,
	 422,
	 {{{0}}, 0, 0, 0, false, 0}},
	{"type 3", "1.1.0", "all", "{\"rejoin_type\":3}", false, 422, {{{0}}, 0, 0, 0, false, 0}},
	{"a period of 8", "1.1.0", "all", "{\"period\":8}", false, 422, {{{0}}, 0, 0, 0, false, 0}},
	{"8 retries", "1.1.0", "all", "{\"max_retries\":8}", false, 422, {{{0}}, 0, 0, 0, false, 0}},
	{"DR 16", "1.1.0", "all", "{\"data_rate\":16}", false, 422, {{{0}}, 0, 0, 0, false, 0}},
	{"DR 13, which EU868 does not have",
	 "1.1.0",
	 "all",
	 "{\"data_rate\":13}",
	 false,
	 422,
	 {{{0}}, 0, 0, 0, false, 0}},
	{"a word", "1.1.0", "all", "{\"period\":\"soon\"}", false, 422, {{{0}}, 0, 0, 0, false, 0}},
	{"a member that there is not",
	 "1.1.0",
	 "all",
	 "{\"now\":true}",
	 false,
	 422,
	 {{{0}}, 0, 0, 0, false, 0}},
	{"no network server", "1.1.0", "all", "{}", true, 503, {{{0}}, 0, 0, 0, false, 0}},
};

static void what_may_be_ordered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		furnished(rows[i].mac_version, rows[i].rejoin);
		reached = !rows[i].away;
		t_int("status", rows[i].status,
		      t_city_call(city, &t_city_admin, "POST", REJOIN, rows[i].body));
		t_uint("passed on", rows[i].status == 202, orders);
		if (rows[i].status == 202) {
			t_uint("type", rows[i].told.rejoin_type, told.rejoin_type);
			t_uint("period", rows[i].told.period, told.period);
			t_uint("retries", rows[i].told.max_retries, told.max_retries);
			t_int("rate chosen", rows[i].told.has_data_rate, told.has_data_rate);
			t_uint("rate", rows[i].told.data_rate, told.data_rate);
			t_str("what comes next is true of a device that was never heard",
			      "the device was never heard: without a session it joins by itself, and the "
			      "order "
			      "is dropped",
			      t_city_text(city, "note"));
			t_true("of that device", told.dev_eui.bytes[0] == 1 && told.dev_eui.bytes[7] == 8);
		} else {
			t_true("says why", strlen(t_city_text(city, "detail")) > 10);
		}
		t_city_free(city);
	}
}

static void an_abp_device_has_none(void **state)
{
	(void)state;
	furnished("1.1.0", "all");
	t_int("an ABP device", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices",
			  "{\"dev_eui\":\"0102030405060709\",\"name\":\"A\",\"application\":\"meters\","
			  "\"profile\":\"newer\","
			  "\"activation\":\"abp\",\"dev_addr\":\"26000001\"}"));
	t_int("status", 409,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/devices/0102030405060709/rejoin", "{}"));
	t_uint("passed on", 0, orders);
	t_city_free(city);
}

static void who_may_order(void **state)
{
	(void)state;
	furnished("1.1.0", "all");
	assert_int_equal(201, t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
					  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	struct as_scope manager = t_city_scope(city, AS_MANAGER, "parks"),
			reader = t_city_scope(city, AS_READER, "parks"),
			other = t_city_scope(city, AS_MANAGER, "water");
	t_int("its agency's manager", 202, t_city_call(city, &manager, "POST", REJOIN, "{}"));
	t_int("its agency's reader", 403, t_city_call(city, &reader, "POST", REJOIN, "{}"));
	t_int("another agency's manager", 404, t_city_call(city, &other, "POST", REJOIN, "{}"));
	t_int("a device that there is not", 404,
	      t_city_call(city, &manager, "POST", "/api/v1/devices/0102030405060709/rejoin", "{}"));
	t_uint("passed on", 1, orders);
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_may_be_ordered),
		t_test(an_abp_device_has_none),
		t_test(who_may_order),
	};
	return t_run(tests);
}
