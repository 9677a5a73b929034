/* When a channel is not to be disturbed: up to AS_QUIET_MAX spans of local time, each on some days of the week.
 *
 *	"22:00-07:00"                        every night
 *	"Mon-Fri 18:00-08:00; Sat Sun"       evenings of the week, and the whole week-end
 *
 * A span whose end is not behind its start goes on into the next day and belongs to the day on which it begins: "Fri 18:00-08:00"
 * ends on Saturday morning. A day without a span is quiet as a whole. */
#ifndef LAMPPOST_AS_QUIET_H
#define LAMPPOST_AS_QUIET_H

#include "application-server/alarms/local_time.h"

#define AS_QUIET_MAX  8
#define AS_QUIET_FORM "spans as in 'Mon-Fri 22:00-07:00; Sat Sun'"

struct as_quiet {
	unsigned count;
	struct {
		unsigned days;   /* a bit each, 1: Sunday */
		int from, until; /* minutes of the day; until 1440 is its end */
	} spans[AS_QUIET_MAX];
};

/* "" is never quiet. False, `quiet` untouched: not of that form. */
bool as_quiet_parse(const char *text, struct as_quiet *quiet);
bool as_quiet_holds(const struct as_quiet *quiet, struct as_local local);

#endif
