/* Times as RFC 3339 in UTC, written +00:00 with 0, 3 or 6 decimals, whichever suffices. */
#ifndef LAMPPOST_AS_TIME_TEXT_H
#define LAMPPOST_AS_TIME_TEXT_H

#include "common/base/units.h"

#include <stdbool.h>

#define AS_TIME_TEXT 40

/* Fills the text and returns it; years 1970 to 9999, else the nearest of them. */
const char *as_time_format(char text[AS_TIME_TEXT], struct wall time);
/* Reads one with any offset (`Z`, `+01:00`; none is refused: whose clock would it be) and any number of decimals, of which six
 * count. False, `time` untouched, for anything else. */
bool as_time_parse(const char *text, struct wall *time);

#endif
