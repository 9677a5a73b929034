/* Time and radio quantities. Monotonic time, wall time and a gateway's wrapping counter are three types, so that
 * none can be added to another by mistake. Integers only: microseconds, hertz, hundredths of a decibel. */
#ifndef LAMPPOST_BASE_UNITS_H
#define LAMPPOST_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t span_us; /* a length of time in microseconds, may be negative */

#define US_PER_MS INT64_C(1000)
#define US_PER_S  INT64_C(1000000)

/* CLOCK_MONOTONIC of this machine, microseconds. Liveness and deadlines are judged by it (invariant 9). */
struct mono {
	int64_t us;
};

/* UTC, microseconds since 1970-01-01, leap seconds not counted. For records and people. */
struct wall {
	int64_t us;
};

/* A gateway's 32-bit microsecond counter. It wraps every 4294.967296 s and restarts with the gateway. */
struct gw_ticks {
	uint32_t us;
};

/* The one reading of the clocks that an event gets. Edges stamp it; cores only receive it (invariant 8). */
struct now {
	struct mono mono;
	struct wall wall;
	bool wall_synchronised; /* the kernel says that an NTP or PTP source disciplines the clock */
};

static inline struct mono mono_add(struct mono time, span_us span)
{
	return (struct mono){time.us + span};
}

/* Returns a − b. */
static inline span_us mono_since(struct mono a, struct mono b)
{
	return a.us - b.us;
}

/* Returns the counter `span` later, modulo 2^32; `span` may be negative. */
static inline struct gw_ticks gw_ticks_add(struct gw_ticks ticks, span_us span)
{
	return (struct gw_ticks){ticks.us + (uint32_t)(uint64_t)span};
}

/* Returns a − b in −2^31 .. 2^31 − 1 microseconds: the nearer way round. */
static inline int32_t gw_ticks_since(struct gw_ticks a, struct gw_ticks b)
{
	return (int32_t)(a.us - b.us);
}

/* GPS time is UTC without leap seconds: seconds between the epochs, and the leap seconds since 1980 (18 from 2017 on). */
#define GPS_EPOCH_UNIX_S INT64_C(315964800)
#define GPS_LEAP_S       INT64_C(18)

/* Returns microseconds since 1980-01-06 of a wall time after 2017. */
static inline int64_t gps_us_from_wall(struct wall wall)
{
	return wall.us - (GPS_EPOCH_UNIX_S - GPS_LEAP_S) * US_PER_S;
}

/* Returns the wall time of microseconds since 1980-01-06, after 2017. */
static inline struct wall wall_from_gps_us(int64_t gps_us)
{
	return (struct wall){gps_us + (GPS_EPOCH_UNIX_S - GPS_LEAP_S) * US_PER_S};
}

#endif
