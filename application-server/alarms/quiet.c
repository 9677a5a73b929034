#include "application-server/alarms/quiet.h"

#include <string.h>

#define ALL_DAYS 0x7fu

static int day_of(const char *at)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	for (int day = 0; day < 7; day++) {
		bool same = true;
		for (int i = 0; i < 3 && same; i++)
			same = (at[i] | 0x20) == names[day][i];
		if (same)
			return day;
	}
	return -1;
}

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == ',')
		at++;
	return at;
}

/* "Mon", "Mon-Fri", several with blanks or commas between. */
static bool read_days(const char **at, unsigned *days)
{
	*days = 0;
	for (int day; (day = day_of(*at)) >= 0; *at = skip_blanks(*at)) {
		int last = day;
		*at += 3;
		if (**at == '-') {
			++*at;
			last = day_of(*at);
			if (last < 0)
				return false;
			*at += 3;
		}
		for (int i = day;; i = (i + 1) % 7) {
			*days |= 1u << i;
			if (i == last)
				break;
		}
	}
	return true;
}

static bool read_clock(const char **at, int *minute)
{
	const char *text = *at;
	for (int i = 0; i < 5; i++)
		if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
			return false;
	int hours = (text[0] - '0') * 10 + text[1] - '0', minutes = (text[3] - '0') * 10 + text[4] - '0';
	*minute = hours * 60 + minutes;
	*at = text + 5;
	return minutes < 60 && *minute <= 1440;
}

bool as_quiet_parse(const char *text, struct as_quiet *quiet)
{
	struct as_quiet read = {0};
	const char *at = skip_blanks(text);
	while (*at) {
		if (read.count == AS_QUIET_MAX)
			return false;
		unsigned days;
		int from = 0, until = 1440;
		if (!read_days(&at, &days))
			return false;
		bool has_span = *at >= '0' && *at <= '9';
		if (has_span && (!read_clock(&at, &from) || *at++ != '-' || !read_clock(&at, &until)))
			return false;
		if ((!has_span && days == 0) || from == 1440)
			return false;
		read.spans[read.count].days = days ? days : ALL_DAYS;
		read.spans[read.count].from = from;
		read.spans[read.count++].until = until;
		at = skip_blanks(at);
		if (*at == ';')
			at = skip_blanks(at + 1);
		else if (*at)
			return false;
	}
	*quiet = read;
	return true;
}

bool as_quiet_holds(const struct as_quiet *quiet, struct as_local local)
{
	unsigned today = 1u << local.weekday, before = 1u << ((local.weekday + 6) % 7);
	for (unsigned i = 0; i < quiet->count; i++) {
		int from = quiet->spans[i].from, until = quiet->spans[i].until;
		unsigned days = quiet->spans[i].days;
		if (until > from) {
			if ((days & today) && local.minute >= from && local.minute < until)
				return true;
		} else if (((days & today) && local.minute >= from) ||
			   ((days & before) && local.minute < until)) {
			return true;
		}
	}
	return false;
}
