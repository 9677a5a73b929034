/* Local hours of a time zone from its rule in the form of POSIX ("CET-1CEST,M3.5.0,M10.5.0/3"), which is also the last line of
 * each file of the system's time zone database: pure, for today and the future, which is all that quiet times need. */
#ifndef LAMPPOST_AS_LOCAL_TIME_H
#define LAMPPOST_AS_LOCAL_TIME_H

#include "common/base/units.h"

#include <stdbool.h>

struct as_zone_change {
	enum { AS_ZONE_JULIAN, AS_ZONE_DAY, AS_ZONE_MONTH } form; /* Jn, n, Mm.w.d */
	int day, month, week;                                     /* month: day is 0 (Sunday) to 6 */
	int time_s;                                               /* of local time, −167 h to 167 h */
};

struct as_zone {
	int standard_s, summer_s; /* what is added to UTC */
	bool has_summer;
	struct as_zone_change begins, ends; /* of summer */
};

struct as_local {
	int weekday; /* 0: Sunday */
	int minute;  /* of the day, 0 to 1439 */
};

/* Reads a rule; false, `zone` untouched, when it is not one. "UTC0" is the simplest. */
bool as_zone_parse(const char *text, struct as_zone *zone);
/* What is added to UTC at that time, in seconds. */
int as_zone_offset(const struct as_zone *zone, struct wall time);
struct as_local as_local_time(const struct as_zone *zone, struct wall time);

#endif
