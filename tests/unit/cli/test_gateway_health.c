/* Gateways at the command line: the order of trouble, and what one's screen says. */
#include "tests/harness/harness.h"

#include "cli/gateway_health.h"

#include <stdlib.h>
#include <string.h>

static json_t *parsed(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);
	assert_non_null(value);
	return value;
}

static void the_worst_come_first(void **state)
{
	(void)state;
	static const char *const expected[] = {"down",    "mute",     "shaky", "fresh",
					       "unasked", "bad line", "a",     "b"};
	json_t *items = parsed(
		"[{\"name\":\"b\",\"state\":\"online\"},{\"name\":\"a\",\"state\":\"online\"},"
		"{\"name\":\"fresh\",\"state\":\"never_seen\"},{\"name\":\"unasked\",\"state\":null},"
		"{\"name\":\"bad line\",\"state\":\"online\",\"loss_percent\":12.5},"
		"{\"name\":\"shaky\",\"state\":\"unstable\"},{\"name\":\"down\",\"state\":\"offline\"},"
		"{\"name\":\"mute\",\"state\":\"silent\"}]");
	cli_gateways_sort(items);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		t_str("place", expected[i],
		      json_string_value(json_object_get(json_array_get(items, i), "name")));
	t_uint("online", 3, cli_gateways_count(items, "online"));
	t_uint("unknown", 1, cli_gateways_count(items, ""));
	json_decref(items);
}

static void ages_are_short(void **state)
{
	(void)state;
	static const struct {
		const char *then, *expected;
	} rows[] = {
		{"2027-01-15T08:00:00+00:00", "0 s"},     {"2027-01-15T07:58:30.123+00:00", "90 s"},
		{"2027-01-15T07:30:00+00:00", "30 min"},  {"2027-01-15T02:00:00+00:00", "6 h"},
		{"2027-01-01T08:00:00+00:00", "14 days"}, {"", ""},
		{"2027-01-15T09:00:00+00:00", "0 s"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[32];
		t_str(rows[i].then, rows[i].expected, cli_gateway_age(text, rows[i].then, 1800000000));
	}
}

static const char record[] =
	"{\"eui\":\"0016c001ff10a235\",\"name\":\"Roof\",\"region\":\"eu868\",\"channel_plan\":\"\",\"lat\":"
	"52.5,"
	"\"lon\":13.4,\"site\":\"City Hall\",\"permission_until\":\"2027-01-25\",\"data_plan_mb\":5,"
	"\"backhaul\":\"LTE north\",\"model\":\"outdoor "
	"8\",\"state\":\"offline\",\"reason\":\"nothing_came\","
	"\"since\":\"2027-01-15T08:00:00+00:00\",\"says\":\"nothing heard for 14 min; last from "
	"192.0.2.1:4711\","
	"\"next_step\":\"Check its line "
	"first\",\"address\":\"192.0.2.1:4711\",\"height_m\":22.5,\"altitude_m\":40,"
	"\"antenna_gain_dbi\":3,\"health\":{\"hour\":{\"seconds\":3600,\"received\":100,"
	"\"forwarded\":40,\"crc_errors\":60,\"dropped\":2,\"sent\":4,\"results\":{\"ok\":3,\"too_late\":1},"
	"\"reconnects\":2},\"refused_hour\":1,\"month_bytes\":4500000,\"outages_hour\":1,\"outages_day\":3,"
	"\"airtime_hour_ms\":1500,\"duplicate_suspected\":true,\"duty_cycle\":[{\"min_hz\":869400000,\"max_"
	"hz\":869650000,"
	"\"used_ms\":300000,\"limit_ms\":360000}],\"channels\":{\"plan\":\"eu868\",\"off_plan\":true,\"off_"
	"plan_hz\":"
	"[864100000]},\"protocol\":\"semtech-udp-2\",\"trip_ms\":40,\"trip_95_ms\":90,\"drift_ppm\":-12.5,"
	"\"temperature_c\":41.5,\"acks_percent\":70.5,\"station\":\"\",\"model\":\"\",\"firmware\":\"2.1\","
	"\"certificate_until\":null,\"gps\":{\"lat\":52.51,\"lon\":13.4,\"apart_m\":1111,\"far\":true},"
	"\"permission_days\":10}}";

/* The record anew; gives its health. */
static json_t *parsed_again(json_t **shown)
{
	json_decref(*shown);
	*shown = parsed(record);
	return json_object_get(*shown, "health");
}

static void a_screen_says_what_is_wrong(void **state)
{
	(void)state;
	static const char *const expected[] = {
		"0016c001ff10a235",
		"offline since 2027-01-15 08:00:00: nothing heard for 14 min; last from 192.0.2.1:4711",
		"Check its line first",
		"100 heard, 40 forwarded, checksum wrong 60 %, 2 dropped at its limits; 4 sent, 1 refused, "
		"too_late 1",
		"semtech-udp-2 from 192.0.2.1:4711, LTE north, round trip 40 ms (95 of 100 within 90 ms)",
		"70.5 % of its messages answered",
		"4.5 MB this month of 5 MB",
		"outages: 1 in the hour, 3 in the day",
		"2 new connections in the hour",
		"perhaps two gateways with this EUI",
		"869.40 to 869.65 MHz: 83 % of its duty cycle",
		"it hears outside its plan (eu868): 864.1",
		"outdoor 8 by its record, firmware 2.1 as it says, its clock runs -12.5 ppm, 41.5 degrees C",
		"City Hall, 3 dBi, 22.5 m above the ground, 40 m above the sea",
		"(1111 m from the record: was it moved?)",
		"may stand there until 2027-01-25 (10 days)",
		"2 min 20 s  nothing_came",
		"goes on",
	};
	char *text = NULL;
	size_t length = 0;
	json_t *shown = parsed(record);
	json_t *outages = parsed(
		"[{\"began\":\"2027-01-15T08:00:00+00:00\",\"seconds\":null,\"reason\":\"nothing_came\"},"
		"{\"began\":\"2027-01-14T08:00:00+00:00\",\"seconds\":140,\"reason\":\"nothing_came\"}]");
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	cli_gateway_print(out, shown, outages, 0);
	fclose(out);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		if (!t_true(expected[i], strstr(text, expected[i]) != NULL))
			print_error("%s\n", text);
	free(text);
	t_row("one of which nothing is known");
	json_decref(shown);
	shown = parsed(
		"{\"eui\":\"0016c001ff10a235\",\"name\":\"Roof\",\"region\":\"eu868\",\"state\":null}");
	out = open_memstream(&text, &length);
	assert_non_null(out);
	cli_gateway_print(out, shown, NULL, 80);
	fclose(out);
	t_true("unknown", strstr(text, "unknown") != NULL);
	free(text);
	t_row("nothing is counted in the first minute");
	json_object_set_new(json_object_get(parsed_again(&shown), "hour"), "seconds", json_integer(0));
	out = open_memstream(&text, &length);
	assert_non_null(out);
	cli_gateway_print(out, shown, NULL, 0);
	fclose(out);
	t_true("said so", strstr(text, "nothing is counted yet") != NULL);
	t_true("no noughts", strstr(text, "heard, ") == NULL);
	free(text);
	json_decref(shown);
	json_decref(outages);
}

static void a_ping_says_what_was_measured(void **state)
{
	(void)state;
	static const struct {
		const char *name, *answer, *expected;
	} rows[] = {
		{"a station", "{\"how\":\"websocket_ping\",\"round_trip_ms\":41.5,\"waited_ms\":42}",
		 "aa: 41.5 ms, websocket_ping\n"},
		{"one that cannot be asked",
		 "{\"how\":\"next_datagram\",\"round_trip_ms\":null,\"waited_ms\":3120}",
		 "aa: heard 3.12 s after the question. Its protocol has no way to ask, so this is no round "
		 "trip; "
		 "lamppost gateway show aa has that of its downlinks\n"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[400] = "";
		FILE *out = fmemopen(text, sizeof text, "w");
		json_t *answer = parsed(rows[i].answer);
		assert_non_null(out);
		cli_gateway_print_ping(out, "aa", answer);
		fclose(out);
		t_str(rows[i].name, rows[i].expected, text);
		json_decref(answer);
	}
}

static void a_history_is_a_table(void **state)
{
	(void)state;
	static const char *const expected[] = {
		"from (UTC)        heard  crc bad  forwarded  sent  refused  airtime s  kB   trip ms  drift "
		"ppm  "
		"deg C  out s",
		"2027-01-15 08:00  30     4        26         9     2        1.5        4.5  90       -12.5  "
		"    "
		"41.5   20",
		"2027-01-15 09:00  0      0        0          0     0        0.0        0.0",
	};
	char text[2000] = "";
	json_t *points = parsed(
		"[{\"at\":\"2027-01-15T08:00:00+00:00\",\"received\":30,\"crc_errors\":4,\"forwarded\":26,"
		"\"sent\":9,\"results\":{\"ok\":6,\"no_answer\":1,\"too_late\":1,\"no_path\":1},"
		"\"airtime_ms\":1500,\"bytes_up\":4000,\"bytes_down\":500,\"trip_95_ms\":90,"
		"\"drift_ppm\":-12.5,\"temperature_c\":41.5,\"offline_s\":20},"
		"{\"at\":\"2027-01-15T09:00:00+00:00\",\"trip_95_ms\":null,\"drift_ppm\":null}]");
	FILE *out = fmemopen(text, sizeof text, "w");
	assert_non_null(out);
	cli_gateway_print_history(out, points, 0);
	fclose(out);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		if (!t_true(expected[i], strstr(text, expected[i]) != NULL))
			print_error("%s\n", text);
	json_decref(points);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_worst_come_first),        t_test(ages_are_short),
		t_test(a_screen_says_what_is_wrong), t_test(a_ping_says_what_was_measured),
		t_test(a_history_is_a_table),
	};
	return t_run(tests);
}
