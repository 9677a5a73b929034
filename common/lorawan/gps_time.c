#include "common/lorawan/gps_time.h"

#include "common/base/check.h"
#include "common/base/units.h"

/* The Unix time that follows each leap second since the GPS epoch (IERS Bulletin C). */
static const int64_t after_leap[] = {
	362793600,  /* 1981-07-01 */
	394329600,  /* 1982-07-01 */
	425865600,  /* 1983-07-01 */
	489024000,  /* 1985-07-01 */
	567993600,  /* 1988-01-01 */
	631152000,  /* 1990-01-01 */
	662688000,  /* 1991-01-01 */
	709948800,  /* 1992-07-01 */
	741484800,  /* 1993-07-01 */
	773020800,  /* 1994-07-01 */
	820454400,  /* 1996-01-01 */
	867715200,  /* 1997-07-01 */
	915148800,  /* 1999-01-01 */
	1136073600, /* 2006-01-01 */
	1230768000, /* 2009-01-01 */
	1341100800, /* 2012-07-01 */
	1435708800, /* 2015-07-01 */
	1483228800, /* 2017-01-01 */
};

int lw_leap_seconds(int64_t unix_s)
{
	int count = 0;
	while (count < (int)ARRAY_SIZE(after_leap) && unix_s >= after_leap[count])
		count++;
	return count;
}

int64_t lw_gps_from_unix(int64_t unix_s)
{
	return unix_s - GPS_EPOCH_UNIX_S + lw_leap_seconds(unix_s);
}

int64_t lw_unix_from_gps(int64_t gps_s)
{
	/* The leap second itself has the Unix time of the second after it: one more is counted from that one on. */
	int count = 0;
	while (count < (int)ARRAY_SIZE(after_leap) && gps_s > after_leap[count] - GPS_EPOCH_UNIX_S + count)
		count++;
	return gps_s + GPS_EPOCH_UNIX_S - count;
}
