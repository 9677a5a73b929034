/* GPS time: seconds since 1980-01-06T00:00:00Z with leap seconds counted, so that it never repeats or skips one (DeviceTime
 * and beacons, TS001-1.0.4 §5.9, §10; TS003, TS005, TS006 speak it too). UTC here is Unix time, in which a leap second
 * has no number of its own: it shares that of the second after it.
 *
 * The leap seconds are a table that ends with the last one announced (2017). All quantities are whole seconds. */
#ifndef LAMPPOST_LORAWAN_GPS_TIME_H
#define LAMPPOST_LORAWAN_GPS_TIME_H

#include <stdint.h>

/* Returns the leap seconds that GPS time is ahead of UTC by at a Unix time: 0 in 1980, 18 from 2017 on. */
int lw_leap_seconds(int64_t unix_s);
/* Returns the GPS time of a Unix time; negative before 1980-01-06. */
int64_t lw_gps_from_unix(int64_t unix_s);
/* Returns the Unix time of a GPS time; within a leap second that of the second after it. */
int64_t lw_unix_from_gps(int64_t gps_s);

#endif
