/* Local hours and quiet times: over midnight, over the week-end, over the changes of summer time. */
#include "application-server/alarms/quiet.h"
#include "application-server/time_text.h"
#include "tests/harness/harness.h"

#include <string.h>

#define LONDON   "GMT0BST,M3.5.0/1,M10.5.0"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define SYDNEY   "AEST-10AEDT,M10.1.0,M4.1.0/3"
#define KOLKATA  "IST-5:30"

static struct wall at(const char *text)
{
	struct wall time = {0};
	bool read = as_time_parse(text, &time);
	assert_true(read);
	return time;
}

static void offsets(void **state)
{
	(void)state;
	static const struct {
		const char *name, *zone, *time;
		int offset_s;
	} rows[] = {
		{"UTC is UTC", "UTC0", "2026-07-01T12:00:00Z", 0},
		{"half an hour counts", KOLKATA, "2026-07-01T12:00:00Z", 19800},
		{"London in winter", LONDON, "2026-01-15T12:00:00Z", 0},
		{"London, the second before summer", LONDON, "2026-03-29T00:59:59Z", 0},
		{"London, summer begins", LONDON, "2026-03-29T01:00:00Z", 3600},
		{"London, the last second of summer", LONDON, "2026-10-25T00:59:59Z", 3600},
		{"London, summer ends", LONDON, "2026-10-25T01:00:00Z", 0},
		{"New York, summer begins on the second Sunday of March", NEW_YORK, "2026-03-08T07:00:00Z",
		 -14400},
		{"New York, the second before", NEW_YORK, "2026-03-08T06:59:59Z", -18000},
		{"New York, summer ends on the first Sunday of November", NEW_YORK, "2026-11-01T06:00:00Z",
		 -18000},
		{"Sydney has summer in January", SYDNEY, "2026-01-01T00:00:00Z", 39600},
		{"Sydney has winter in July", SYDNEY, "2026-07-01T00:00:00Z", 36000},
		{"Sydney on New Year's Eve in UTC", SYDNEY, "2026-12-31T23:30:00Z", 39600},
		{"a zone with a name in brackets", "<+0330>-3:30", "2026-01-01T00:00:00Z", 12600},
		{"a day of the year", "AAA0BBB,J60/0,J300/0", "2028-03-01T00:00:00Z", 3600},
		{"a leap day is not counted", "AAA0BBB,J60/0,J300/0", "2028-02-29T23:59:59Z", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_zone zone;
		t_row(rows[i].name);
		if (t_true("read", as_zone_parse(rows[i].zone, &zone)))
			t_int("offset", rows[i].offset_s, as_zone_offset(&zone, at(rows[i].time)));
	}
}

static void what_is_no_zone(void **state)
{
	(void)state;
	static const char *const rows[] = {"",
					   "UTC",
					   "X0",
					   "Europe/London",
					   "EST5EDT,M3",
					   "EST5EDT,M13.1.0,M11.1.0",
					   "EST5EDT,M3.2.7,M11.1.0",
					   "UTC0x",
					   "EST5EDT,M3.2.0",
					   "<>0",
					   "UTC999"};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_zone zone;
		t_row(rows[i]);
		t_false("read", as_zone_parse(rows[i], &zone));
	}
}

static void quiet_hours(void **state)
{
	(void)state;
	static const struct {
		const char *name, *quiet, *zone, *time;
		bool holds;
	} rows[] = {
		{"never", "", "UTC0", "2026-07-01T03:00:00Z", false},
		{"every night, before midnight", "22:00-07:00", "UTC0", "2026-07-01T22:00:00Z", true},
		{"every night, behind midnight", "22:00-07:00", "UTC0", "2026-07-01T06:59:59Z", true},
		{"every night, its end", "22:00-07:00", "UTC0", "2026-07-01T07:00:00Z", false},
		{"every night, before its start", "22:00-07:00", "UTC0", "2026-07-01T21:59:59Z", false},
		{"Friday's night goes into Saturday", "Fri 18:00-08:00", "UTC0", "2026-07-04T07:00:00Z",
		 true},
		{"Friday's night is not Friday's morning", "Fri 18:00-08:00", "UTC0", "2026-07-03T07:00:00Z",
		 false},
		{"a whole week-end", "Mon-Fri 18:00-08:00; Sat Sun", "UTC0", "2026-07-05T12:00:00Z", true},
		{"Monday's noon", "Mon-Fri 18:00-08:00; Sat Sun", "UTC0", "2026-07-06T12:00:00Z", false},
		{"Monday's early morning is Sunday's night and not quiet", "Mon-Fri 18:00-08:00; Sat Sun",
		 "UTC0", "2026-07-06T03:00:00Z", false},
		{"days over the week's end", "Sat-Mon 00:00-24:00", "UTC0", "2026-07-06T23:59:00Z", true},
		{"local hours, winter", "22:00-07:00", NEW_YORK, "2026-01-15T11:59:00Z", true},
		{"local hours, winter, over", "22:00-07:00", NEW_YORK, "2026-01-15T12:00:00Z", false},
		{"local hours, summer, over an hour earlier", "22:00-07:00", NEW_YORK, "2026-07-15T11:00:00Z",
		 false},
		{"the night that is an hour shorter ends at seven", "22:00-07:00", LONDON,
		 "2026-03-29T06:00:00Z", false},
		{"a minute before", "22:00-07:00", LONDON, "2026-03-29T05:59:00Z", true},
		{"the night that is an hour longer ends at seven", "22:00-07:00", LONDON,
		 "2026-10-25T06:59:00Z", true},
		{"and is over then", "22:00-07:00", LONDON, "2026-10-25T07:00:00Z", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_quiet quiet;
		struct as_zone zone;
		t_row(rows[i].name);
		if (t_true("read",
			   as_quiet_parse(rows[i].quiet, &quiet) && as_zone_parse(rows[i].zone, &zone)))
			t_int("quiet", rows[i].holds,
			      as_quiet_holds(&quiet, as_local_time(&zone, at(rows[i].time))));
	}
}

static void what_is_no_quiet_time(void **state)
{
	(void)state;
	static const char *const rows[] = {"night",       "25:00-07:00",         "22:00", "22-7",
					   "22:60-07:00", "Mon 22:00-07:00 Tue", "Mon-",  ";",
					   "24:00-07:00", "1:00-2:00;1:00"};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_quiet quiet;
		t_row(rows[i]);
		t_false("read", as_quiet_parse(rows[i], &quiet));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(offsets), t_test(what_is_no_zone), t_test(quiet_hours),
					   t_test(what_is_no_quiet_time)};
	return t_run(tests);
}
