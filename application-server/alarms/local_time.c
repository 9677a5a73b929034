#include "application-server/alarms/local_time.h"

#include <string.h>

#define DAY_S 86400

/* --- days and years ------------------------------------------------------------------------------------------ */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of a year. */
static int64_t days_before_year(int year)
{
	int64_t past = year - 1;
	return (int64_t)(year - 1970) * 365 + (past / 4 - 492) - (past / 100 - 19) + (past / 400 - 4);
}

static int year_of(int64_t unix_s)
{
	int year = (int)(1970 + unix_s / (365 * DAY_S + DAY_S / 4));
	while (days_before_year(year) * DAY_S > unix_s)
		year--;
	while (days_before_year(year + 1) * DAY_S <= unix_s)
		year++;
	return year;
}

static int days_in(int month, int year)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* 1970-01-01 was a Thursday. */
static int weekday_of(int64_t days)
{
	int64_t weekday = (days + 4) % 7;
	return (int)(weekday < 0 ? weekday + 7 : weekday);
}

/* The day of a change as days from 1970-01-01. */
static int64_t change_day(const struct as_zone_change *change, int year)
{
	int64_t first = days_before_year(year);
	if (change->form == AS_ZONE_JULIAN) /* 1 to 365, the 29th of February is never counted */
		return first + change->day - 1 + (is_leap(year) && change->day > 59);
	if (change->form == AS_ZONE_DAY)
		return first + change->day;
	for (int month = 1; month < change->month; month++)
		first += days_in(month, year);
	int day = (change->day - weekday_of(first) + 7) % 7 + (change->week - 1) * 7;
	while (day >= days_in(change->month, year)) /* week 5 is the last */
		day -= 7;
	return first + day;
}

int as_zone_offset(const struct as_zone *zone, struct wall time)
{
	if (!zone->has_summer)
		return zone->standard_s;
	int64_t utc = time.us / US_PER_S;
	int year = year_of(utc + zone->standard_s);
	int64_t begins = change_day(&zone->begins, year) * DAY_S + zone->begins.time_s - zone->standard_s;
	int64_t ends = change_day(&zone->ends, year) * DAY_S + zone->ends.time_s - zone->summer_s;
	bool summer = begins < ends ? utc >= begins && utc < ends : utc < ends || utc >= begins;
	return summer ? zone->summer_s : zone->standard_s;
}

struct as_local as_local_time(const struct as_zone *zone, struct wall time)
{
	int64_t local = time.us / US_PER_S + as_zone_offset(zone, time);
	int64_t days = local / DAY_S - (local % DAY_S < 0);
	return (struct as_local){.weekday = weekday_of(days), .minute = (int)((local - days * DAY_S) / 60)};
}

/* --- reading a rule ------------------------------------------------------------------------------------------ */

/* A name: three letters or more, or anything but `>` in angle brackets. */
static bool skip_name(const char **at)
{
	const char *start = *at;
	if (*start == '<') {
		const char *end = strchr(start, '>');
		if (!end || end == start + 1)
			return false;
		*at = end + 1;
		return true;
	}
	while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z'))
		++*at;
	return *at - start >= 3;
}

static bool read_number(const char **at, int max, int *value)
{
	const char *start = *at;
	*value = 0;
	while (**at >= '0' && **at <= '9' && *value <= max)
		*value = *value * 10 + (*(*at)++ - '0');
	return *at > start && *value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **at, int *seconds)
{
	int sign = **at == '-' ? -1 : 1, hours, part;
	if (**at == '+' || **at == '-')
		++*at;
	if (!read_number(at, 167, &hours))
		return false;
	*seconds = hours * 3600;
	for (int scale = 60; scale >= 1 && **at == ':'; scale /= 60) {
		++*at;
		if (!read_number(at, 59, &part))
			return false;
		*seconds += part * scale;
	}
	*seconds *= sign;
	return true;
}

static bool read_month_form(const char **at, struct as_zone_change *change)
{
	if (!read_number(at, 12, &change->month) || change->month == 0 || *(*at)++ != '.')
		return false;
	if (!read_number(at, 5, &change->week) || change->week == 0 || *(*at)++ != '.')
		return false;
	return read_number(at, 6, &change->day);
}

static bool read_change(const char **at, struct as_zone_change *change)
{
	if (*(*at)++ != ',')
		return false;
	*change = (struct as_zone_change){.form = AS_ZONE_DAY, .time_s = 2 * 3600};
	bool read;
	if (**at == 'M') {
		++*at;
		change->form = AS_ZONE_MONTH;
		read = read_month_form(at, change);
	} else if (**at == 'J') {
		++*at;
		change->form = AS_ZONE_JULIAN;
		read = read_number(at, 365, &change->day) && change->day > 0;
	} else {
		read = read_number(at, 365, &change->day);
	}
	if (read && **at == '/') {
		++*at;
		read = read_time(at, &change->time_s);
	}
	return read;
}

bool as_zone_parse(const char *text, struct as_zone *zone)
{
	struct as_zone read = {0};
	const char *at = text;
	int west;
	if (!skip_name(&at) || !read_time(&at, &west))
		return false;
	read.standard_s = read.summer_s = -west;
	if (*at) {
		read.has_summer = true;
		read.summer_s += 3600;
		if (!skip_name(&at))
			return false;
		if (*at != ',') {
			if (!read_time(&at, &west))
				return false;
			read.summer_s = -west;
		}
		if (!read_change(&at, &read.begins) || !read_change(&at, &read.ends))
			return false;
	}
	if (*at)
		return false;
	*zone = read;
	return true;
}
