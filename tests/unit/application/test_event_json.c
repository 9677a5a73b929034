/* Our events beside the sample files: every member of ours is in the form that subscribers know, name and type. */
#include "tests/harness/harness.h"

#include "application-server/events/downlink_json.h"
#include "application-server/events/event_json.h"
#include "application-server/events/json_out.h"
#include "application-server/time_text.h"

#include <stdio.h>
#include <string.h>

/* Members of ours that the samples do not have; docs say so. */
static const char *const extra[] = {"gatewayCount",  "request",   "nextFCntDown", "maxPayload", "late",
				    "fCntRestarted", "encrypted", "tries",        "window",     "eventId"};

static bool is_extra(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(extra); i++)
		if (strcmp(extra[i], name) == 0)
			return true;
	return false;
}

static bool same_type(const json_t *ours, const json_t *theirs)
{
	return json_is_boolean(ours) ? json_is_boolean(theirs) : json_typeof(ours) == json_typeof(theirs);
}

/* Looks in all samples for a member at the same place and of the same type. */
static bool known_at(const json_t *samples, const char *const *path, size_t depth, const json_t *value)
{
	size_t index;
	json_t *sample;
	json_array_foreach(samples, index, sample)
	{
		const json_t *at = sample;
		for (size_t i = 0; i < depth && at; i++) {
			while (json_is_array(at))
				at = json_array_get(at, 0);
			at = json_object_get(at, path[i]);
		}
		if (at && same_type(value, at))
			return true;
	}
	return false;
}

static void compare(const json_t *samples, const json_t *object, const char **path, size_t depth)
{
	const char *name;
	json_t *value;
	if (json_is_array(object)) {
		compare(samples, json_array_get(object, 0), path, depth);
		return;
	}
	json_object_foreach((json_t *)object, name, value)
	{
		path[depth] = name;
		if (depth == 0 && is_extra(name))
			continue;
		t_true(name, known_at(samples, path, depth + 1, value));
		bool data = strcmp(name, "tags") == 0 || strcmp(name, "object") == 0;
		if (!data && (json_is_object(value) || json_is_array(value)))
			compare(samples, value, path, depth + 1);
	}
}

static json_t *samples_of(const char *name)
{
	char path[100];
	snprintf(path, sizeof path, "tests/vectors/chirpstack-events/%s.json", name);
	json_t *samples = json_load_file(path, 0, NULL);
	assert_non_null(samples);
	return samples;
}

static const struct as_device_info device = {
	.name = "Probe \"1\"",
	.agency_name = "Parks",
	.application_name = "Soil",
	.profile_name = "Probe",
	.device_class = 'C',
	.application_tags = "{\"a\":\"application\",\"b\":\"application\",\"c\":\"x\"}",
	.profile_tags = "{\"b\":\"profile\",\"c\":\"x\"}",
	.device_tags = "{\"c\":\"device\"}"};

static struct net_up_event up_event(enum lw_modulation_kind kind)
{
	struct net_up_event event = {.head = {.time = {INT64_C(1772602405118000)}},
				     .fcnt_up = 0,
				     .has_fport = true,
				     .fport = 2,
				     .freq_hz = 868500000,
				     .modulation = {.kind = kind,
						    .spreading_factor = 7,
						    .bandwidth_hz = 125000,
						    .bit_rate_bps = 50000,
						    .code_rate = "4/5"},
				     .region_id = "eu868",
				     .frm_payload_length = 2,
				     .gateway_count = 2,
				     .reception_count = 2};
	event.receptions[0] = (struct net_reception){.rssi_dbm = -97,
						     .has_snr = true,
						     .snr_cdb = -980,
						     .channel = 5,
						     .rf_chain = 1,
						     .board = 1,
						     .antenna = 1,
						     .has_gps_time = true,
						     .gps_time_us = INT64_C(1456637623118000),
						     .has_fine_time = true,
						     .fine_time_ns = 117998204,
						     .arrival = {INT64_C(1772602405164238)}};
	event.receptions[1] = (struct net_reception){.has_snr = true, .crc = GW_CRC_NONE, .arrival = {0}};
	return event;
}

static json_t *up_json(const struct net_up_event *event, const json_t *object, char *text)
{
	static const struct as_place places[2] = {{true, 50.5, 14.25, 231}, {true, 0, 0, 0}};
	const struct as_up_parts parts = {.event = event,
					  .device = &device,
					  .data = (const uint8_t *)"\x01\x02",
					  .data_length = 2,
					  .object = object,
					  .places = places};
	size_t length = 0;
	assert_true(as_up_json(text, AS_EVENT_MAX, &parts, &length));
	assert_int_equal(strlen(text), length);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static char text[AS_EVENT_MAX];

static void up_events_have_the_members_of_the_samples(void **state)
{
	(void)state;
	static const char *const kinds[] = {"LoRa", "FSK", "LR-FHSS"};
	json_t *samples = samples_of("up"), *object = json_pack("{si s[if]}", "count", 10, "list", 1, 7.5);
	for (int kind = LW_LORA; kind <= LW_LR_FHSS; kind++) {
		t_row(kinds[kind]);
		const char *path[16];
		struct net_up_event event = up_event((enum lw_modulation_kind)kind);
		json_t *json = up_json(&event, object, text);
		compare(samples, json, path, 0);
		/* What is always there at the event level, defaults or not. */
		static const char *const always[] = {"deduplicationId",
						     "time",
						     "deviceInfo",
						     "devAddr",
						     "adr",
						     "dr",
						     "fCnt",
						     "fPort",
						     "confirmed",
						     "data",
						     "rxInfo",
						     "txInfo",
						     "regionConfigId"};
		for (size_t i = 0; i < ARRAY_SIZE(always); i++)
			t_true(always[i], json_object_get(json, always[i]) != NULL);
		json_decref(json);
	}
	json_decref(object);
	json_decref(samples);
}

static void values_of_an_up_event(void **state)
{
	(void)state;
	json_t *object = json_pack("{si}", "count", 10);
	struct net_up_event event = up_event(LW_LORA);
	json_t *json = up_json(&event, object, text);
	const json_t *first = json_array_get(json_object_get(json, "rxInfo"), 0);
	const json_t *second = json_array_get(json_object_get(json, "rxInfo"), 1);
	const json_t *info = json_object_get(json, "deviceInfo"), *tags = json_object_get(info, "tags");
	t_str("time", "2026-03-04T05:33:25.118+00:00", json_string_value(json_object_get(json, "time")));
	t_true("floats keep .0", strstr(text, "\"object\":{\"count\":10.0}") != NULL);
	t_true("snr", strstr(text, "\"snr\":-9.8,") != NULL);
	t_true("snr at 0 dB too", strstr(text, "\"snr\":0.0") != NULL);
	t_str("gps", "1456637623.118s", json_string_value(json_object_get(first, "timeSinceGpsEpoch")));
	t_str("fine", "1456637623.117998204s",
	      json_string_value(json_object_get(first, "fineTimeSinceGpsEpoch")));
	t_true("no rssi at 0", json_object_get(second, "rssi") == NULL);
	t_true("no channel 0", json_object_get(second, "channel") == NULL);
	t_true("no crcStatus without CRC", json_object_get(second, "crcStatus") == NULL);
	t_uint("a gateway at 0,0 has an empty location", 0,
	       json_object_size(json_object_get(second, "location")));
	t_str("name is escaped", "Probe \"1\"", json_string_value(json_object_get(info, "deviceName")));
	t_str("class", "CLASS_C", json_string_value(json_object_get(info, "deviceClassEnabled")));
	t_str("application's tag", "application", json_string_value(json_object_get(tags, "a")));
	t_str("profile's tag wins", "profile", json_string_value(json_object_get(tags, "b")));
	t_str("device's tag wins", "device", json_string_value(json_object_get(tags, "c")));
	t_str("data", "AQI=", json_string_value(json_object_get(json, "data")));
	json_decref(json);
	json_decref(object);
}

static void join_events_have_the_members_of_the_samples(void **state)
{
	(void)state;
	const char *path[16];
	size_t length;
	json_t *samples = samples_of("join");
	const struct net_join_event event = {.dev_addr = {0x01a4c7e2}, .region_id = "eu868"};
	assert_true(as_join_json(text, sizeof text, &event, &device, NULL, &length));
	json_t *json = json_loads(text, 0, NULL);
	compare(samples, json, path, 0);
	t_uint("members", 5, json_object_size(json));
	json_decref(json);
	struct net_join_event rejoin = event;
	rejoin.request = NET_REQUEST_REJOIN_0;
	assert_true(as_join_json(text, sizeof text, &rejoin, &device, NULL, &length));
	json = json_loads(text, 0, NULL);
	compare(samples, json, path, 0);
	t_str("of a rejoin", "rejoin_0", json_string_value(json_object_get(json, "request")));
	json_decref(json);
	json_decref(samples);
}

/* Compares with the samples and checks that each member that is always there is. */
static json_t *like_samples(const char *kind, const char *const *always, size_t count)
{
	const char *path[16];
	json_t *samples = samples_of(kind), *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	t_row(kind);
	compare(samples, json, path, 0);
	for (size_t i = 0; i < count; i++)
		t_true(always[i], json_object_get(json, always[i]) != NULL);
	json_decref(samples);
	return json;
}

static const struct net_downlink_event sent = {
	.head = {.id = {{5}}, .row = 0x100000007},
	.status = NET_ITEM_SENT,
	.fcnt_down = 13,
	.tries = 2,
	.has_tx = true,
	.freq_hz = 868100000,
	.modulation = {.kind = LW_LORA, .spreading_factor = 9, .bandwidth_hz = 125000, .code_rate = "4/5"},
	.power_dbm = 16,
	.window = GW_RX1,
	.delay = 5 * US_PER_S};

static void txack_events_have_the_members_of_the_samples(void **state)
{
	(void)state;
	static const char *const always[] = {"downlinkId", "time",      "deviceInfo", "queueItemId",
					     "fCntDown",   "gatewayId", "txInfo"};
	static const struct {
		enum gw_window window;
		span_us delay;
		const char *timing;
	} timings[] = {{GW_RX1, 5 * US_PER_S, "\"timing\":{\"delay\":{\"delay\":\"5s\"}}"},
		       {GW_RX2, 6 * US_PER_S, "\"timing\":{\"delay\":{\"delay\":\"6s\"}}"},
		       {GW_CLASS_C, 0, "\"timing\":{\"immediately\":{}}"}};
	size_t length;
	for (size_t i = 0; i < ARRAY_SIZE(timings); i++) {
		struct net_downlink_event event = sent;
		event.window = timings[i].window;
		event.delay = timings[i].delay;
		assert_true(as_txack_json(text, sizeof text, &event, &device, &length));
		json_t *json = like_samples("txack", always, ARRAY_SIZE(always));
		t_true(timings[i].timing, strstr(text, timings[i].timing) != NULL);
		t_true("polarization", strstr(text, "\"polarizationInversion\":true") != NULL);
		t_str("the event's id", "05000000-0000-0000-0000-000000000000",
		      json_string_value(json_object_get(json, "eventId")));
		t_int("a number of 32 bits", 7, json_integer_value(json_object_get(json, "downlinkId")));
		json_decref(json);
	}
}

static void ack_events_have_the_members_of_the_samples(void **state)
{
	(void)state;
	static const char *const always[] = {"deduplicationId", "time",         "deviceInfo",
					     "queueItemId",     "acknowledged", "fCntDown"};
	struct net_downlink_event event = {
		.status = NET_ITEM_ACKNOWLEDGED, .has_uplink = true, .uplink = {{9}}};
	size_t length;
	assert_true(as_ack_json(text, sizeof text, &event, &device, &length));
	json_t *json = like_samples("ack", always, ARRAY_SIZE(always));
	t_true("acknowledged", json_is_true(json_object_get(json, "acknowledged")));
	t_str("the uplink that said so", "09000000-0000-0000-0000-000000000000",
	      json_string_value(json_object_get(json, "deduplicationId")));
	json_decref(json);
	event = (struct net_downlink_event){.status = NET_ITEM_FAILED, .tries = 8};
	assert_true(as_ack_json(text, sizeof text, &event, &device, &length));
	json = like_samples("ack", always, ARRAY_SIZE(always));
	t_true("not acknowledged", json_is_false(json_object_get(json, "acknowledged")));
	t_str("without an uplink", "", json_string_value(json_object_get(json, "deduplicationId")));
	json_decref(json);
}

static void status_events_have_the_values_of_the_samples(void **state)
{
	(void)state;
	static const char *const always[] = {
		"deduplicationId",         "time",        "deviceInfo", "margin", "externalPowerSource",
		"batteryLevelUnavailable", "batteryLevel"};
	static const struct {
		uint8_t battery;
		const char *level;
		bool external, unavailable;
	} levels[] = {{237, "93.30708", false, false},
		      {1, "0.39370078", false, false},
		      {254, "100.0", false, false},
		      {0, "0.0", true, false},
		      {255, "0.0", false, true}};
	size_t length;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		char member[60];
		const struct net_status_event event = {.battery = levels[i].battery, .margin_db = -32};
		assert_true(as_status_json(text, sizeof text, &event, &device, &length));
		json_t *json = like_samples("status", always, ARRAY_SIZE(always));
		snprintf(member, sizeof member, "\"batteryLevel\":%s,", levels[i].level);
		t_true(member, strstr(text, member) != NULL);
		t_int("external", levels[i].external,
		      json_is_true(json_object_get(json, "externalPowerSource")));
		t_int("unavailable", levels[i].unavailable,
		      json_is_true(json_object_get(json, "batteryLevelUnavailable")));
		t_int("margin", -32, json_integer_value(json_object_get(json, "margin")));
		json_decref(json);
	}
}

static void log_events_have_the_members_of_the_samples(void **state)
{
	(void)state;
	static const char *const always[] = {"time", "deviceInfo", "level", "code", "description", "context"};
	struct as_log log = {
		.id = {{7}}, .level = AS_LOG_ERROR, .code = "DOWNLINK_PAYLOAD_SIZE", .description = "d"};
	size_t length;
	as_log_add_item(&log, &(struct net_uuid){{1}});
	as_log_add(&log, "max_payload_size", "%d", 51);
	as_log_add(&log, "item_size", "%d", 64);
	assert_true(as_log_json(text, sizeof text, &log, &device, &length));
	json_t *json = like_samples("log", always, ARRAY_SIZE(always));
	t_str("the event's id", "07000000-0000-0000-0000-000000000000",
	      json_string_value(json_object_get(json, "eventId")));
	t_str("numbers are texts", "64",
	      json_string_value(json_object_get(json_object_get(json, "context"), "item_size")));
	json_decref(json);
}

static void too_little_room_is_said(void **state)
{
	(void)state;
	size_t length;
	char small[100];
	const struct net_join_event event = {.region_id = "eu868"};
	t_false("fits", as_join_json(small, sizeof small, &event, &device, NULL, &length));
}

static const struct {
	const char *name;
	double value;
	const char *text;
} floats[] = {
	{"a whole number", 25, "25.0"},
	{"a fraction", 0.1, "0.1"},
	{"a sum", 0.1 + 0.2, "0.30000000000000004"},
	{"zero", 0.0, "0.0"},
	{"negative zero", -0.0, "-0.0"},
	{"negative", -9.8, "-9.8"},
	{"below one", -0.05, "-0.05"},
	{"six decimals", 40.712776, "40.712776"},
	{"seven decimals", 40.7127761, "40.7127761"},
	{"a carry", 0.9999999, "0.9999999"},
	{"nine digits", 999999999.999999, "999999999.999999"},
	{"ten digits", 1234567890.5, "1234567890.5"},
	{"the smallest without an exponent", 0.0001, "0.0001"},
	{"the largest with one", 0.00001, "1e-05"},
	{"large", 1e300, "1e+300"},
	{"infinity", 1e308 * 10, "null"},
};

static void floats_are_the_shortest_that_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(floats); i++) {
		char written[64];
		size_t length;
		t_row(floats[i].name);
		struct json_out out = json_out_init(written, sizeof written);
		json_out_float(&out, NULL, floats[i].value);
		t_true("fits", json_out_done(&out, &length));
		t_str("text", floats[i].text, written);
	}
	t_row("every signal-to-noise ratio");
	for (int cdb = -3000; cdb <= 3000; cdb++) {
		char written[64], expected[64];
		size_t length;
		struct json_out out = json_out_init(written, sizeof written);
		json_out_float(&out, NULL, cdb / 100.0);
		json_out_integer(&out, NULL, cdb);
		t_true("fits", json_out_done(&out, &length));
		snprintf(expected, sizeof expected, "%.15g%s,%d", cdb / 100.0, cdb % 100 ? "" : ".0", cdb);
		if (!t_str("text", expected, written))
			break;
	}
}

static const struct {
	const char *name;
	int64_t us;
	const char *text;
} times[] = {
	{"the epoch", 0, "1970-01-01T00:00:00+00:00"},
	{"before the epoch", -5, "1970-01-01T00:00:00+00:00"},
	{"milliseconds", INT64_C(1709164800120000), "2024-02-29T00:00:00.120+00:00"},
	{"microseconds", INT64_C(1735689599999999), "2024-12-31T23:59:59.999999+00:00"},
	{"a century that leaps", INT64_C(951782400000000), "2000-02-29T00:00:00+00:00"},
	{"a century that does not", INT64_C(4107542400000000), "2100-03-01T00:00:00+00:00"},
	{"the last second", INT64_MAX, "9999-12-31T23:59:59+00:00"},
};

static void times_as_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char written[AS_TIME_TEXT];
		t_row(times[i].name);
		t_str("text", times[i].text, as_time_format(written, (struct wall){times[i].us}));
	}
}

static const struct {
	const char *name, *text;
	int64_t us; /* −1: refused */
} readable[] = {
	{"UTC", "2026-03-04T16:00:00Z", INT64_C(1772640000000000)},
	{"an offset", "2026-03-04T17:00:00.250+01:00", INT64_C(1772640000250000)},
	{"an offset behind", "2026-03-04T11:30:00-04:30", INT64_C(1772640000000000)},
	{"nine decimals", "2026-03-04T16:00:00.123456789Z", INT64_C(1772640000123456)},
	{"the 29th of February", "2024-02-29T00:00:00.120Z", INT64_C(1709164800120000)},
	{"a leap year that is none", "2100-02-29T00:00:00Z", -1},
	{"the 31st of April", "2026-04-31T00:00:00Z", -1},
	{"the 13th month", "2026-13-01T00:00:00Z", -1},
	{"no offset", "2026-03-04T16:00:00", -1},
	{"no time", "2026-03-04", -1},
	{"something behind", "2026-03-04T16:00:00Zx", -1},
	{"a point and no decimals", "2026-03-04T16:00:00.Z", -1},
	{"the 25th hour", "2026-03-04T25:00:00Z", -1},
	{"words", "tomorrow", -1},
	{"nothing", "", -1},
};

static void times_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
		struct wall time = {-1};
		t_row(readable[i].name);
		t_int("read", readable[i].us >= 0, as_time_parse(readable[i].text, &time));
		t_int("time", readable[i].us, time.us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(up_events_have_the_members_of_the_samples),
		t_test(values_of_an_up_event),
		t_test(join_events_have_the_members_of_the_samples),
		t_test(too_little_room_is_said),
		t_test(floats_are_the_shortest_that_read_back),
		t_test(times_as_text),
		t_test(txack_events_have_the_members_of_the_samples),
		t_test(ack_events_have_the_members_of_the_samples),
		t_test(status_events_have_the_values_of_the_samples),
		t_test(log_events_have_the_members_of_the_samples),
		t_test(times_are_read),
	};
	return t_run(tests);
}
