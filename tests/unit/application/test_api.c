#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/api/answer.h"
#include "application-server/store_desired.h"
#include "application-server/store_items.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/crypto/sealed_key.h"

#include <stdio.h>
#include <string.h>

#define KEY_HEX "000102030405060708090a0b0c0d0e0f"

static struct t_city *city;

static void furnished(void)
{
	city = t_city_new();
	t_city_furnish(city);
}

static int call(const char *method, const char *target, const char *body)
{
	return t_city_call(city, &t_city_admin, method, target, body);
}

static const struct {
	const char *name, *method, *target, *body;
	int status;
	const char *field;
} rows[] = {
	{"a record is found by slug", "GET", "/api/v1/agencies/parks", NULL, 200, ""},
	{"a device is found by EUI in capitals", "GET", "/api/v1/devices/0102030405060708", NULL, 200, ""},
	{"an unknown record", "GET", "/api/v1/agencies/roads", NULL, 404, ""},
	{"an unknown collection", "GET", "/api/v1/cats", NULL, 404, ""},
	{"a slug that is taken", "POST", "/api/v1/agencies", "{\"slug\":\"parks\",\"name\":\"P\"}", 409,
	 "slug"},
	{"an EUI that is taken", "POST", "/api/v1/devices",
	 "{\"dev_eui\":\"0102030405060708\",\"name\":\"n\",\"application\":\"meters\",\"profile\":\"probe\"}",
	 409, "dev_eui"},
	{"a body that is no object", "POST", "/api/v1/agencies", "[]", 400, ""},
	{"a reference to nothing", "POST", "/api/v1/devices",
	 "{\"dev_eui\":\"0102030405060709\",\"name\":\"n\",\"application\":\"x\",\"profile\":\"probe\"}", 422,
	 "application"},
	{"an offset that the region lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"us915\",\"mac_version\":\"1.0.3\",\"rx1_dr_offset\":4}",
	 422, "rx1_dr_offset"},
	{"a revision that has no such region yet", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"as923-2\",\"mac_version\":\"1.0.2\","
	 "\"regional_revision\":\"rp001-1.0.2b\"}",
	 422, "regional_revision"},
	{"16 bits of a version that has 32", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.4\",\"fcnt_16_bit\":"
	 "true}",
	 422, "fcnt_16_bit"},
	{"restarts of a version that knows none", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.1.0\","
	 "\"allow_fcnt_reset\":true}",
	 422, "allow_fcnt_reset"},
	{"a rate that the device's revision lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\","
	 "\"regional_revision\":\"rp001-1.0.3a\",\"max_dr\":8}",
	 422, "max_dr"},
	{"a data rate of RX2 that the region lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"us915\",\"mac_version\":\"1.0.3\",\"rx2_dr\":4}", 422,
	 "rx2_dr"},
	{"a frequency of RX2 that the region lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"rx2_freq_hz\":"
	 "915000000}",
	 422, "rx2_freq_hz"},
	{"a frequency of beacons that the region lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"us915\",\"mac_version\":\"1.1.0\",\"beacon_freq_hz\":"
	 "868100000}",
	 422, "beacon_freq_hz"},
	{"a frequency of ping slots between two steps of 100 Hz", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.1.0\",\"ping_slot_freq_"
	 "hz\":"
	 "869525050}",
	 422, "ping_slot_freq_hz"},
	{"a data rate of ping slots that the region lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"us915\",\"mac_version\":\"1.1.0\",\"ping_slot_dr\":3}",
	 422, "ping_slot_dr"},
	{"a fixed data rate that no uplink of the region has", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"us915\",\"mac_version\":\"1.0.3\",\"adr_algorithm\":"
	 "\"fixed\",\"adr_fixed_dr\":12}",
	 422, "adr_fixed_dr"},
	{"a highest data rate under the lowest", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"min_dr\":4,\"max_"
	 "dr\":3}",
	 422, "min_dr"},
	{"a highest data rate that the region lacks", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"max_dr\":14}", 422,
	 "max_dr"},
	{"a dwell time where devices know none", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"uplink_dwell\":"
	 "true}",
	 422, "uplink_dwell"},
	{"four repeats", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"max_nb_trans\":4}",
	 422, "max_nb_trans"},
	{"an ADR algorithm that does not exist", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"adr_algorithm\":"
	 "\"best\"}",
	 422, "adr_algorithm"},
	{"a fixed data rate of 15", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"adr_fixed_dr\":15}",
	 422, "adr_fixed_dr"},
	{"nine tries", "POST", "/api/v1/profiles",
	 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\",\"confirmed_downlink_"
	 "tries\":9}",
	 422, "confirmed_downlink_tries"},
	{"a region that does not exist", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"mars\"}", 422, "region"},
	{"channels of a dynamic region", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"eu868\",\"channel_plan\":\"0-7\"}", 422,
	 "channel_plan"},
	{"channels that are none", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"us915\",\"channel_plan\":\"all\"}", 422,
	 "channel_plan"},
	{"channels that the region lacks", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"us915\",\"channel_plan\":\"8-15,72\"}",
	 422, "channel_plan"},
	{"channels of a fixed plan", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"us915\",\"channel_plan\":\"8-15,65\"}",
	 201, ""},
	{"a source that is no network", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"eu868\",\"source_cidr\":\"10.0.0.1/8\"}",
	 422, "source_cidr"},
	{"a source", "POST", "/api/v1/gateways",
	 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"eu868\",\"source_cidr\":\"2001:db8::/"
	 "32\"}",
	 201, ""},
	{"a codec that does not load", "PATCH", "/api/v1/profiles/probe", "{\"codec\":{\"name\":\"x\"}}", 422,
	 "codec"},
	{"another version under devices", "PATCH", "/api/v1/profiles/probe", "{\"mac_version\":\"1.1.0\"}",
	 422, "mac_version"},
	{"another region under devices", "PATCH", "/api/v1/profiles/probe", "{\"region\":\"us915\"}", 422,
	 "region"},
	{"the version that it has", "PATCH", "/api/v1/profiles/probe",
	 "{\"mac_version\":\"1.0.4\",\"rx_delay_s\":2}", 200, ""},
	{"a key of 1.1 on a device of 1.0", "PUT", "/api/v1/devices/0102030405060708/keys", "SEALED nwk_key",
	 422, "nwk_key"},
	{"a key of ABP on an OTAA device", "PUT", "/api/v1/devices/0102030405060708/keys", "SEALED app_s_key",
	 422, "app_s_key"},
	{"a key in clear", "PUT", "/api/v1/devices/0102030405060708/keys", "{\"app_key\":\"" KEY_HEX "\"}",
	 422, "app_key"},
	{"a sealed key", "PUT", "/api/v1/devices/0102030405060708/keys", "SEALED app_key", 204, ""},
	{"what is no key", "PUT", "/api/v1/devices/0102030405060708/keys", "{\"name\":\"x\"}", 422, "name"},
	{"an application with devices", "DELETE", "/api/v1/applications/meters", NULL, 409, ""},
	{"an agency with applications", "DELETE", "/api/v1/agencies/parks", NULL, 409, ""},
	{"the default deployment stays", "DELETE", "/api/v1/deployments/unassigned", NULL, 409, ""},
	{"the default deployment keeps its name", "PATCH", "/api/v1/deployments/unassigned",
	 "{\"slug\":\"x\"}", 422, "slug"},
	{"a change", "PATCH", "/api/v1/devices/0102030405060708", "{\"name\":\"Probe one\"}", 200, ""},
	{"a change of half a place", "PATCH", "/api/v1/devices/0102030405060708", "{\"lat\":1}", 422, "lat"},
	{"a limit out of range", "GET", "/api/v1/devices?limit=0", NULL, 422, "limit"},
	{"a cursor that is none", "GET", "/api/v1/devices?after=x", NULL, 422, "after"},
	{"a filter", "GET", "/api/v1/devices?application=meters", NULL, 200, ""},
	{"a filter by nothing", "GET", "/api/v1/devices?application=x", NULL, 404, ""},
	{"a downlink", "POST", "/api/v1/devices/0102030405060708/downlinks",
	 "{\"f_port\":5,\"data\":\"AQI=\"}", 202, ""},
	{"a downlink on no port", "POST", "/api/v1/devices/0102030405060708/downlinks",
	 "{\"f_port\":0,\"data\":\"\"}", 422, "f_port"},
	{"a downlink on a port too high", "POST", "/api/v1/devices/0102030405060708/downlinks",
	 "{\"f_port\":256,\"data\":\"\"}", 422, "f_port"},
	{"a downlink without data", "POST", "/api/v1/devices/0102030405060708/downlinks", "{\"f_port\":1}",
	 422, "data"},
	{"a downlink with a field too many", "POST", "/api/v1/devices/0102030405060708/downlinks",
	 "{\"f_port\":1,\"data\":\"\",\"x\":1}", 422, "x"},
	{"readings of a silent device", "GET", "/api/v1/devices/0102030405060708/readings", NULL, 200, ""},
	{"the public keys", "GET", "/api/v1/keys", NULL, 200, ""},
	{"the status", "GET", "/api/v1/status", NULL, 200, ""},
	{"a stream of everything", "GET", "/api/v1/events", NULL, 200, ""},
	{"a stream after an event", "GET", "/api/v1/events?after=0", NULL, 200, ""},
	{"a stream after what is not yet", "GET", "/api/v1/events?after=1", NULL, 422, "after"},
	{"a stream after less than nothing", "GET", "/api/v1/events?after=-1", NULL, 422, "after"},
	{"a stream after no number", "GET", "/api/v1/events?after=x", NULL, 422, "after"},
	{"a stream of an application", "GET", "/api/v1/events?application=meters", NULL, 200, ""},
	{"a stream of no application", "GET", "/api/v1/events?application=x", NULL, 404, ""},
	{"a stream of no device", "GET", "/api/v1/events?device=0102030405060777", NULL, 404, ""},
};

static void calls_and_their_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char body[300], sealed[T_SEALED_TEXT];
		const char *text = rows[i].body;
		furnished();
		t_row(rows[i].name);
		if (text && strncmp(text, "SEALED ", 7) == 0) {
			snprintf(body, sizeof body, "{\"%s\":\"%s\"}", text + 7,
				 t_seal(sealed, city->join_box, SEALED_APP_KEY, "0102030405060708", KEY_HEX));
			text = body;
		}
		int status = call(rows[i].method, rows[i].target, text);
		if (!t_int("status", rows[i].status, status))
			printf("%s\n", t_city_text(city, "detail"));
		t_str("field", rows[i].field, t_city_text(city, "field"));
		if (status >= 400)
			t_int("problem's status", status,
			      json_integer_value(json_object_get(t_city_answer(city), "status")));
		t_city_free(city);
	}
}

/* What the network server cannot take is refused before it is a record: there it would hold up all that comes after it. */
static void regions_that_are_not_served_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *served, *region;
		int status;
	} served[] = {
		{"the network server has not been heard of", "", "kr920", 201},
		{"the first", "eu868 us915", "eu868", 201},
		{"the last", "eu868 us915", "us915", 201},
		{"another", "eu868 us915", "kr920", 422},
		{"the beginning of a longer one", "cn470-20a eu868", "cn470", 422},
		{"the end of a longer one", "as923-1 us915", "us91", 422},
	};
	for (size_t i = 0; i < ARRAY_SIZE(served); i++) {
		char gateway[200], profile[200];
		furnished();
		t_row(served[i].name);
		snprintf(city->app.served, sizeof city->app.served, "%s", served[i].served);
		snprintf(gateway, sizeof gateway,
			 "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"%s\"}", served[i].region);
		snprintf(profile, sizeof profile,
			 "{\"slug\":\"p\",\"name\":\"n\",\"region\":\"%s\",\"mac_version\":\"1.0.3\"}",
			 served[i].region);
		t_int("gateway", served[i].status, call("POST", "/api/v1/gateways", gateway));
		t_int("profile", served[i].status, call("POST", "/api/v1/profiles", profile));
		if (served[i].status != 201)
			t_str("field", "region", t_city_text(city, "field"));
		t_city_free(city);
	}
}

/* Every route, called by another agency's manager about what it must not see, and by nobody. */
static void cross_agency_access_answers_404(void **state)
{
	(void)state;
	static const char *const records[] = {
		"agencies/parks",           "applications/meters",       "deployments/own",
		"devices/0102030405060708", "gateways/0102030405060708", "profiles/own"};
	furnished();
	call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}");
	call("POST", "/api/v1/deployments", "{\"slug\":\"own\",\"name\":\"n\",\"agency\":\"parks\"}");
	call("POST", "/api/v1/gateways",
	     "{\"eui\":\"0102030405060708\",\"name\":\"n\",\"region\":\"eu868\",\"agency\":\"parks\"}");
	call("POST", "/api/v1/profiles",
	     "{\"slug\":\"own\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.4\",\"agency\":"
	     "\"parks\"}");
	const struct as_scope scopes[] = {{.role = AS_NOBODY}, t_city_scope(city, AS_MANAGER, "water")};
	for (size_t s = 0; s < ARRAY_SIZE(scopes); s++) {
		for (size_t r = 0; r < as_route_count; r++) {
			const struct as_route *route = &as_routes[r];
			bool of_record = strstr(route->pattern, "{collection}/{id}") != NULL;
			bool of_device = strstr(route->pattern, "devices/{id}") != NULL;
			for (size_t i = 0; (of_record || of_device) && i < ARRAY_SIZE(records); i++) {
				char target[128], row[200];
				if (of_device && strncmp(records[i], "devices", 7) != 0)
					continue;
				snprintf(target, sizeof target, "/api/v1/%s%s", records[i],
					 of_device ? strstr(route->pattern, "{id}") + 4 : "");
				snprintf(row, sizeof row, "%s %s as %s", route->method, target,
					 as_role_name(scopes[s].role));
				t_row(row);
				t_int("owner's sight", 200,
				      call("GET",
					   strstr(target, "devices") ? "/api/v1/devices/0102030405060708"
								     : "/api/v1/agencies/parks",
					   NULL));
				t_int("status", 404,
				      t_city_call(city, &scopes[s], route->method, target, "{}"));
			}
		}
		for (int kind = 0; kind < RECORD_KIND_COUNT; kind++) {
			const struct record_schema *schema = record_schema((enum record_kind)kind);
			char target[128];
			t_row(schema->collection);
			snprintf(target, sizeof target, "/api/v1/%s", schema->collection);
			int status = t_city_call(city, &scopes[s], "GET", target, NULL);
			t_int("list", scopes[s].role == AS_NOBODY ? 404 : 200, status);
			if (status == 404)
				continue;
			const json_t *items = json_object_get(t_city_answer(city), "items");
			size_t index;
			json_t *item;
			json_array_foreach(items, index, item)
			{
				const char *slug = json_string_value(json_object_get(item, "slug"));
				/* Its own, and the city's profiles. */
				t_true("only what it may see", scopes[s].role == AS_MANAGER && slug &&
								       (strcmp(slug, "water") == 0 ||
									strcmp(slug, "unassigned") == 0 ||
									strcmp(slug, "probe") == 0));
			}
			t_true("a list", json_is_array(items));
		}
		t_row("status of the whole city");
		t_int("status", 404, t_city_call(city, &scopes[s], "GET", "/api/v1/status", NULL));
		t_row("import into another agency's application");
		t_int("import", scopes[s].role == AS_NOBODY ? 404 : 422,
		      t_city_import(city, &scopes[s],
				    "{\"rows\":[{\"line\":2,\"dev_eui\":\"0102030405060711\",\"name\":\"n\","
				    "\"application\":"
				    "\"meters\",\"profile\":\"probe\"}]}"));
		t_row("import over another agency's device");
		t_int("import", scopes[s].role == AS_NOBODY ? 404 : 422,
		      t_city_import(
			      city, &scopes[s],
			      "{\"rows\":[{\"line\":2,\"dev_eui\":\"0102030405060708\",\"name\":\"mine\","
			      "\"application\":"
			      "\"meters\",\"profile\":\"probe\"}]}"));
		t_row("events of another agency's application and device");
		t_int("application", 404,
		      t_city_call(city, &scopes[s], "GET", "/api/v1/events?application=meters", NULL));
		t_int("device", 404,
		      t_city_call(city, &scopes[s], "GET", "/api/v1/events?device=0102030405060708", NULL));
		t_row("a list filtered by another agency");
		t_int("list", 404,
		      t_city_call(city, &scopes[s], "GET", "/api/v1/devices?agency=parks", NULL));
	}
	call("GET", "/api/v1/devices/0102030405060708", NULL);
	t_str("unchanged", "Probe 1", t_city_text(city, "name"));
	t_city_free(city);
}

/* Nobody is refused at the one place that every route passes. */
static void nobody_gets_404_on_every_route(void **state)
{
	(void)state;
	static const struct as_scope nobody = {.role = AS_NOBODY};
	furnished();
	for (size_t r = 0; r < as_route_count; r++) {
		struct as_answer answer = {0};
		const struct as_call called = {
			.scope = &nobody, .collection = "agencies", .id = "parks", .now = city->now};
		t_row(as_routes[r].pattern);
		as_api_call(&city->api, &as_routes[r], &called, &answer);
		t_int("status", 404, answer.status);
		t_false("streams", answer.streams);
		as_answer_release(&answer);
	}
	t_city_free(city);
}

static struct as_event event_of(const char *agency, const char *application, const char *dev_eui)
{
	struct as_event event = {.kind = AS_EVENT_UP, .has_owner = agency != NULL};
	json_t *record = NULL;
	assert_true(lw_eui64_parse(dev_eui, &event.dev_eui));
	if (!agency)
		return event;
	event.agency = t_city_scope(city, AS_MANAGER, agency).agency;
	assert_int_equal(ST_OK, as_store_record_get(city->store, &t_city_admin, RECORD_APPLICATION,
						    application, &record));
	assert_true(as_uuid_parse(json_string_value(json_object_get(record, "id")), &event.application));
	json_decref(record);
	return event;
}

static const struct {
	const char *name, *agency; /* NULL: the city */
	const char *target;
	bool parks, other_of_parks, water, unknown; /* which events it shows */
} views[] = {
	{"the city sees all", NULL, "/api/v1/events", true, true, true, true},
	{"an agency sees its own", "parks", "/api/v1/events", true, true, false, false},
	{"another agency sees its own", "water", "/api/v1/events", false, false, true, false},
	{"an application's", "parks", "/api/v1/events?application=meters", true, false, false, false},
	{"a device's", "parks", "/api/v1/events?device=0102030405060708", true, false, false, false},
	{"the city, an application's", NULL, "/api/v1/events?application=pipes", false, false, true, false},
};

static void a_stream_shows_what_its_caller_may_see(void **state)
{
	(void)state;
	furnished();
	call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}");
	call("POST", "/api/v1/applications", "{\"slug\":\"pipes\",\"name\":\"P\",\"agency\":\"water\"}");
	call("POST", "/api/v1/applications", "{\"slug\":\"soil\",\"name\":\"S\",\"agency\":\"parks\"}");
	struct as_event parks = event_of("parks", "meters", "0102030405060708"),
			other = event_of("parks", "soil", "0102030405060701"),
			water = event_of("water", "pipes", "0102030405060702"),
			unknown = event_of(NULL, NULL, "0102030405060703");
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		struct as_scope scope = views[i].agency ? t_city_scope(city, AS_READER, views[i].agency)
							: t_city_admin;
		t_row(views[i].name);
		t_int("status", 200, t_city_call(city, &scope, "GET", views[i].target, NULL));
		const struct as_view *view = &city->answer.view;
		t_true("streams", city->answer.streams);
		t_int("parks", views[i].parks, as_view_shows(view, &parks));
		t_int("another of parks", views[i].other_of_parks, as_view_shows(view, &other));
		t_int("water", views[i].water, as_view_shows(view, &water));
		t_int("of an unknown device", views[i].unknown, as_view_shows(view, &unknown));
	}
	t_false("no scope, no events", as_view_shows(&(struct as_view){.at = 0}, &parks));
	t_false("nor nobody's", as_view_shows(&(struct as_view){.at = 0}, &unknown));
	t_city_free(city);
}

static void a_broken_body_is_not_repeated(void **state)
{
	(void)state;
	static const char *const bodies[] = {"{\"app_key\": 00112233445566778899aabbccddeeff}",
					     "{\"app_key\": aabbccddeeffaabbccddeeff}",
					     "{\"app_key\" \"00112233445566778899aabbccddeeff\"}",
					     "{\"app_key\": \"a\" \"00112233445566778899aabbccddeeff\"}",
					     "{\"app_key\": \"00112233445566778899aabbccddeeff"};
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct as_answer answer = {0};
		t_row(bodies[i]);
		t_true("refused",
		       as_body_parse((const uint8_t *)bodies[i], strlen(bodies[i]), &answer) == NULL);
		const char *detail = json_string_value(json_object_get(answer.body, "detail"));
		t_int("status", 400, answer.status);
		t_true("says where", strstr(detail, "line 1, column ") != NULL);
		t_true("says nothing of the key", !strstr(detail, "00112233") && !strstr(detail, "aabbcc"));
		as_answer_release(&answer);
	}
}

static void roles_that_see_but_must_not_change(void **state)
{
	(void)state;
	furnished();
	struct as_scope reader = t_city_scope(city, AS_READER, "parks"),
			manager = t_city_scope(city, AS_MANAGER, "parks");
	t_int("reader reads", 200,
	      t_city_call(city, &reader, "GET", "/api/v1/devices/0102030405060708", NULL));
	t_int("reader changes", 403,
	      t_city_call(city, &reader, "PATCH", "/api/v1/devices/0102030405060708", "{\"name\":\"x\"}"));
	t_int("reader removes", 403,
	      t_city_call(city, &reader, "DELETE", "/api/v1/devices/0102030405060708", NULL));
	t_int("reader commands", 403,
	      t_city_call(city, &reader, "POST", "/api/v1/devices/0102030405060708/downlinks",
			  "{\"f_port\":1,\"data\":\"\"}"));
	t_int("manager changes the city's profile", 403,
	      t_city_call(city, &manager, "PATCH", "/api/v1/profiles/probe", "{\"name\":\"x\"}"));
	t_int("manager makes an agency", 403,
	      t_city_call(city, &manager, "POST", "/api/v1/agencies", "{\"slug\":\"x\",\"name\":\"x\"}"));
	t_int("manager makes a gateway", 403,
	      t_city_call(city, &manager, "POST", "/api/v1/gateways",
			  "{\"eui\":\"0102030405060709\",\"name\":\"n\",\"region\":\"eu868\"}"));
	t_int("manager need not name its agency", 201,
	      t_city_call(city, &manager, "POST", "/api/v1/applications", "{\"slug\":\"x\",\"name\":\"x\"}"));
	t_int("manager changes its device", 200,
	      t_city_call(city, &manager, "PATCH", "/api/v1/devices/0102030405060708", "{\"name\":\"x\"}"));
	t_int("manager removes its device", 204,
	      t_city_call(city, &manager, "DELETE", "/api/v1/devices/0102030405060708", NULL));
	t_city_free(city);
}

#define ROW(line, eui, more)                    \
	"{\"line\":" line ",\"dev_eui\":\"" eui \
	"\",\"name\":\"n\",\"application\":\"meters\",\"profile\":\"probe\"" more "}"

static const struct {
	const char *name, *body;
	int status, created, updated;
	long line; /* of the first error */
	const char *field;
	int devices; /* afterwards */
} imports[] = {
	{"two new ones",
	 "{\"rows\":[" ROW("2", "0102030405060711", "") "," ROW("3", "0102030405060712", "") "]}", 200, 2, 0,
	 0, "", 3},
	{"a dry run does nothing", "{\"dry_run\":true,\"rows\":[" ROW("2", "0102030405060711", "") "]}", 200,
	 1, 0, 0, "", 1},
	{"one bad row keeps all out",
	 "{\"rows\":[" ROW("2", "0102030405060711", "") "," ROW("3", "01", "") "]}", 422, 0, 0, 3, "dev_eui",
	 1},
	{"an existing one is changed",
	 "{\"rows\":[" ROW("2", "0102030405060708", ",\"tags\":{\"k\":\"v\"}") "]}", 200, 0, 1, 0, "", 1},
	{"what is fixed stays",
	 "{\"rows\":[" ROW("2", "0102030405060708", ",\"activation\":\"abp\",\"dev_addr\":\"01020304\"") "]}",
	 422, 0, 0, 2, "activation", 1},
	{"twice the same",
	 "{\"rows\":[" ROW("2", "0102030405060711", "") "," ROW("3", "0102030405060711", "") "]}", 422, 0, 0,
	 3, "dev_eui", 1},
	{"an unknown column", "{\"rows\":[" ROW("7", "0102030405060711", ",\"colour\":\"x\"") "]}", 422, 0, 0,
	 7, "colour", 1},
	{"no line",
	 "{\"rows\":[{\"dev_eui\":\"0102030405060711\",\"name\":\"n\",\"application\":\"meters\",\"profile\":"
	 "\"probe\"}]}",
	 422, 0, 0, 0, "line", 1},
	{"rows that are none", "{\"rows\":{}}", 422, 0, 0, -1, "rows", 1},
	{"rows that are no objects", "{\"rows\":[1]}", 422, 0, 0, 0, "", 1},
	{"an AppSKey not sealed to us", "FOREIGN", 422, 0, 0, 2, "app_s_key", 1},
};

static void import_is_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(imports); i++) {
		char foreign[600], sealed[T_SEALED_TEXT];
		furnished();
		t_row(imports[i].name);
		uint64_t version = as_store_version(city->store);
		const char *body = imports[i].body;
		if (strcmp(body, "FOREIGN") == 0) {
			snprintf(foreign, sizeof foreign,
				 "{\"rows\":[" ROW("2", "0102030405060711",
						   ",\"activation\":\"abp\",\"dev_addr\":\"01020304\",\"app_"
						   "s_key\":\"%s\"") "]}",
				 t_seal(sealed, city->join_box, SEALED_APP_S_KEY, "0102030405060711",
					KEY_HEX));
			body = foreign;
		}
		t_int("status", imports[i].status, t_city_import(city, &t_city_admin, body));
		const json_t *answer = t_city_answer(city);
		if (imports[i].status == 200) {
			t_int("created", imports[i].created,
			      json_integer_value(json_object_get(answer, "created")));
			t_int("updated", imports[i].updated,
			      json_integer_value(json_object_get(answer, "updated")));
		} else if (imports[i].line >= 0) {
			const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);
			t_int("line", imports[i].line, json_integer_value(json_object_get(error, "line")));
			t_str("field", imports[i].field, json_string_value(json_object_get(error, "field")));
			t_uint("nothing changed", version, as_store_version(city->store));
		}
		call("GET", "/api/v1/devices", NULL);
		t_uint("devices", imports[i].devices,
		       json_array_size(json_object_get(t_city_answer(city), "items")));
		t_city_free(city);
	}
}

static void a_list_comes_in_pages(void **state)
{
	(void)state;
	furnished();
	for (int i = 0; i < 5; i++) {
		char body[200];
		snprintf(body, sizeof body,
			 "{\"dev_eui\":\"f0000000000000%02x\",\"name\":\"n\",\"application\":\"meters\","
			 "\"profile\":\"probe\"}",
			 i);
		t_int("created", 201, call("POST", "/api/v1/devices", body));
	}
	char target[100] = "/api/v1/devices?limit=4", seen[7][17];
	size_t count = 0;
	for (int page = 0; page < 2; page++) {
		call("GET", target, NULL);
		size_t index;
		json_t *item;
		json_array_foreach(json_object_get(t_city_answer(city), "items"), index, item)
		{
			const char *eui = json_string_value(json_object_get(item, "dev_eui"));
			for (size_t i = 0; i < count; i++)
				t_true("once", strcmp(seen[i], eui) != 0);
			snprintf(seen[count++], 17, "%s", eui);
		}
		snprintf(target, sizeof target, "/api/v1/devices?limit=4&after=%s",
			 t_city_text(city, "next"));
	}
	t_uint("all", 6, count);
	t_str("the end", "", t_city_text(city, "next"));
	t_city_free(city);
}

/* Slugs are an agency's own: whoever sees several is asked for the UUID, everybody else finds theirs. */
static void a_slug_of_two_agencies(void **state)
{
	(void)state;
	furnished();
	call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}");
	t_int("the same slug", 201,
	      call("POST", "/api/v1/applications",
		   "{\"slug\":\"meters\",\"name\":\"M\",\"agency\":\"water\"}"));
	t_int("the city asks by slug", 409, call("GET", "/api/v1/applications/meters", NULL));
	t_int("the city registers by slug", 422,
	      call("POST", "/api/v1/devices",
		   "{\"dev_eui\":\"0102030405060709\",\"name\":\"n\",\"application\":\"meters\",\"profile\":"
		   "\"probe\"}"));
	t_str("field", "application", t_city_text(city, "field"));
	static const char *const agencies[] = {"parks", "water"};
	for (size_t i = 0; i < ARRAY_SIZE(agencies); i++) {
		struct as_scope scope = t_city_scope(city, AS_READER, agencies[i]);
		t_row(agencies[i]);
		t_int("finds its own", 200,
		      t_city_call(city, &scope, "GET", "/api/v1/applications/meters", NULL));
		t_str("agency", agencies[i], t_city_text(city, "agency_slug"));
	}
	t_city_free(city);
}

static void references_have_their_slugs_beside_them(void **state)
{
	(void)state;
	static const struct {
		const char *target, *member, *slug;
	} expected[] = {
		{"/api/v1/devices/0102030405060708", "application_slug", "meters"},
		{"/api/v1/devices/0102030405060708", "profile_slug", "probe"},
		{"/api/v1/devices/0102030405060708", "deployment_slug", "unassigned"},
		{"/api/v1/devices/0102030405060708", "agency_slug", "parks"},
		{"/api/v1/applications/meters", "agency_slug", "parks"},
		{"/api/v1/profiles/probe", "agency_slug", ""},
	};
	furnished();
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		char target[100];
		t_row(expected[i].target);
		t_int("status", 200, call("GET", expected[i].target, NULL));
		t_str(expected[i].member, expected[i].slug, t_city_text(city, expected[i].member));
		snprintf(target, sizeof target, "%.*s",
			 (int)(strrchr(expected[i].target, '/') - expected[i].target), expected[i].target);
		call("GET", target, NULL);
		const json_t *item = json_array_get(json_object_get(t_city_answer(city), "items"), 0);
		const json_t *slug = json_object_get(item, expected[i].member);
		t_true("member of the list", slug != NULL);
		t_str("in the list", expected[i].slug, json_is_string(slug) ? json_string_value(slug) : "");
	}
	t_row("after a change");
	call("POST", "/api/v1/applications", "{\"slug\":\"soil\",\"name\":\"S\",\"agency\":\"parks\"}");
	t_int("change", 200, call("PATCH", "/api/v1/devices/0102030405060708", "{\"application\":\"soil\"}"));
	t_str("the new one", "soil", t_city_text(city, "application_slug"));
	t_city_free(city);
}

static void secrets_never_come_back(void **state)
{
	(void)state;
	char body[300], sealed[T_SEALED_TEXT];
	furnished();
	snprintf(body, sizeof body, "{\"app_key\":\"%s\"}",
		 t_seal(sealed, city->join_box, SEALED_APP_KEY, "0102030405060708", KEY_HEX));
	t_int("set", 204, call("PUT", "/api/v1/devices/0102030405060708/keys", body));
	call("GET", "/api/v1/devices/0102030405060708", NULL);
	t_true("no key in the record", json_object_get(t_city_answer(city), "app_key") == NULL);
	struct as_desired records[8];
	size_t count = 0;
	t_int("read", ST_OK, as_store_desired_after(city->store, 0, records, 8, &count));
	t_uint("profile and device", 2, count);
	t_int("device", RECORD_DEVICE, records[1].kind);
	t_true("the sealed key is replicated", records[1].root_keys.has_app_key);
	t_city_free(city);
}

static void versions_and_tombstones(void **state)
{
	(void)state;
	struct as_desired records[8];
	size_t count = 0;
	furnished();
	t_uint("profile, device", 2, as_store_version(city->store));
	call("PATCH", "/api/v1/profiles/probe", "{\"rx_delay_s\":5,\"rx2_dr\":3}");
	call("DELETE", "/api/v1/devices/0102030405060708", NULL);
	t_int("read", ST_OK, as_store_desired_after(city->store, 2, records, 8, &count));
	t_uint("two changes", 2, count);
	t_uint("profile's version", 3, records[0].profile.version);
	t_int("delay", 5, records[0].profile.rx_delay_s);
	t_int("dr", 3, records[0].profile.rx2_dr);
	t_int("margin", 10, records[0].profile.adr_margin_db);
	t_int("highest data rate", NET_REGIONS_OWN, records[0].profile.max_dr);
	t_int("power", NET_REGIONS_OWN, records[0].profile.max_eirp_dbm);
	t_int("tries", 3, records[0].profile.confirmed_downlink_tries);
	t_int("ADR of a new profile", NET_ADR_STEADY, records[0].profile.adr_algorithm);
	t_int("revision", LW_RP002_1_0_4, records[0].profile.regional_revision);
	t_int("ADRParamSetupReq", NET_DEVICES_OWN, records[0].profile.adr_ack_limit_exp);
	t_int("RejoinParamSetupReq", NET_DEVICES_OWN, records[0].profile.rejoin_time_exp);
	t_int("rejoin", NET_REJOIN_ALL, records[0].profile.rejoin);
	t_uint("BeaconFreqReq", 0, records[0].profile.beacon_freq_hz);
	t_int("PingSlotChannelReq", NET_REGIONS_OWN, records[0].profile.ping_slot_dr);
	t_int("quirks", 0, records[0].profile.quirks);
	t_true("tombstone", records[1].deleted && records[1].device.deleted);
	t_uint("tombstone's version", 4, records[1].device.version);
	t_true("continues", as_store_desired_continues(city->store, as_store_city(city->store), 4));
	t_false("from the future", as_store_desired_continues(city->store, as_store_city(city->store), 5));
	t_false("another city", as_store_desired_continues(city->store, &(struct net_uuid){{9}}, 1));
	call("POST", "/api/v1/profiles",
	     "{\"slug\":\"mac\",\"name\":\"n\",\"region\":\"as923-1\",\"mac_version\":\"1.0.3\",\"adr_margin_"
	     "db\":15,"
	     "\"min_dr\":1,\"max_dr\":4,\"max_nb_trans\":2,\"dev_status_interval_h\":168,\"max_duty_cycle\":"
	     "7,"
	     "\"uplink_dwell\":true,\"downlink_dwell\":false,\"max_eirp_dbm\":14,\"adr_algorithm\":\"fixed\","
	     "\"adr_fixed_dr\":3,\"confirmed_downlink_tries\":8,\"regional_revision\":\"rp001-1.0.2b\","
	     "\"fcnt_16_bit\":true,\"adr_ack_limit_exp\":5,\"adr_ack_delay_exp\":4,\"rejoin\":\"keys\","
	     "\"rejoin_time_exp\":10,\"rejoin_count_exp\":12,\"beacon_freq_hz\":923400000,"
	     "\"ping_slot_freq_hz\":923200000,\"ping_slot_dr\":3,\"quirk_force_rejoin_high_byte_first\":true,"
	     "\"quirk_duplicate_link_adr_ans\":true}");
	t_int("read", ST_OK, as_store_desired_after(city->store, 4, records, 8, &count));
	t_uint("one more", 1, count);
	const struct net_profile *mac = &records[0].profile;
	t_int("margin", 15, mac->adr_margin_db);
	t_int("lowest data rate", 1, mac->min_dr);
	t_int("highest data rate", 4, mac->max_dr);
	t_int("NbTrans", 2, mac->max_nb_trans);
	t_int("DevStatusReq", 168, mac->dev_status_interval_h);
	t_int("duty cycle", 7, mac->max_duty_cycle);
	t_int("dwell time of uplinks", 1, mac->uplink_dwell);
	t_int("dwell time of downlinks", 0, mac->downlink_dwell);
	t_int("power", 14, mac->max_eirp_dbm);
	t_int("tries", 8, mac->confirmed_downlink_tries);
	t_int("ADR", NET_ADR_FIXED, mac->adr_algorithm);
	t_int("its data rate", 3, mac->adr_fixed_dr);
	t_int("revision", LW_RP001_1_0_2B, mac->regional_revision);
	t_true("counters of 16 bits", mac->fcnt_16_bit);
	t_int("ADR_ACK_LIMIT", 5, mac->adr_ack_limit_exp);
	t_int("ADR_ACK_DELAY", 4, mac->adr_ack_delay_exp);
	t_int("rejoin", NET_REJOIN_KEYS, mac->rejoin);
	t_int("rejoin time", 10, mac->rejoin_time_exp);
	t_int("rejoin count", 12, mac->rejoin_count_exp);
	t_uint("beacon", 923400000, mac->beacon_freq_hz);
	t_uint("ping slots", 923200000, mac->ping_slot_freq_hz);
	t_int("their data rate", 3, mac->ping_slot_dr);
	t_int("quirks", NET_QUIRK_FORCE_REJOIN_HIGH_BYTE_FIRST | NET_QUIRK_DUPLICATE_LINK_ADR_ANS,
	      mac->quirks);
	t_uint("devices' version", 4, as_store_desired_devices(city->store));
	t_city_free(city);
}

static void a_profile_without_devices_changes_freely(void **state)
{
	(void)state;
	furnished();
	t_int("removed", 204, call("DELETE", "/api/v1/devices/0102030405060708", NULL));
	t_int("changed", 200,
	      call("PATCH", "/api/v1/profiles/probe", "{\"mac_version\":\"1.1.0\",\"region\":\"us915\"}"));
	t_str("version", "1.1.0", t_city_text(city, "mac_version"));
	t_city_free(city);
}

static void a_repeated_downlink_is_one(void **state)
{
	(void)state;
	const char *body = "{\"f_port\":5,\"data\":\"AQI=\",\"id\":\"11111111-2222-4333-8444-555555555555\"}";
	struct lw_eui64 eui;
	furnished();
	assert_true(lw_eui64_parse("0102030405060708", &eui));
	t_int("first", 202, call("POST", "/api/v1/devices/0102030405060708/downlinks", body));
	t_int("again", 200, call("POST", "/api/v1/devices/0102030405060708/downlinks", body));
	t_str("id", "11111111-2222-4333-8444-555555555555", t_city_text(city, "id"));
	t_uint("one waits", 1, as_store_items_waiting(city->store, &eui));
	for (int i = 1; i < AS_ITEMS_MAX; i++)
		call("POST", "/api/v1/devices/0102030405060708/downlinks", "{\"f_port\":5,\"data\":\"\"}");
	t_int("the queue is full", 409,
	      call("POST", "/api/v1/devices/0102030405060708/downlinks", "{\"f_port\":5,\"data\":\"\"}"));
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(calls_and_their_refusals),
		t_test(regions_that_are_not_served_are_refused),
		t_test(cross_agency_access_answers_404),
		t_test(nobody_gets_404_on_every_route),
		t_test(a_stream_shows_what_its_caller_may_see),
		t_test(a_broken_body_is_not_repeated),
		t_test(roles_that_see_but_must_not_change),
		t_test(import_is_all_or_nothing),
		t_test(a_list_comes_in_pages),
		t_test(a_slug_of_two_agencies),
		t_test(references_have_their_slugs_beside_them),
		t_test(secrets_never_come_back),
		t_test(versions_and_tombstones),
		t_test(a_profile_without_devices_changes_freely),
		t_test(a_repeated_downlink_is_one),
	};
	return t_run(tests);
}
