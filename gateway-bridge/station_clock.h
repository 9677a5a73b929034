/* What one connection of a station knows of the station's clock: the uplinks that a class A downlink may answer, whether the
 * clock runs as ours does, and how it lies against GPS time. Pure.
 *
 * xtime: bits 62 to 56 the unit, 55 to 48 the session, 47 to 0 microseconds. Two units of one gateway have clocks of their own.
 *
 * Invariant: what is remembered was heard on this connection, since its clock last went back. */
#ifndef LAMPPOST_BRIDGE_STATION_CLOCK_H
#define LAMPPOST_BRIDGE_STATION_CLOCK_H

#include "common/base/units.h"

#include <stddef.h>

#define GB_STATION_CONTEXTS  256             /* uplinks that are remembered */
#define GB_STATION_RX_DELAYS 16              /* RX2 of RxDelay 15: the last second that answers an uplink */
#define GB_STATION_BACK_US   US_PER_S        /* frames of one moment may come in another order */
#define GB_STATION_JUMP_US   (10 * US_PER_S) /* further off than any delay explains */

struct gb_station_context {
	int64_t xtime; /* at the end of the uplink */
	int64_t rctx;
};

struct gb_station_clock {
	struct gb_station_context contexts[GB_STATION_CONTEXTS]; /* at `count` modulo their number */
	uint32_t count;                                          /* ever remembered */
	bool heard;
	struct gb_station_context newest;
	struct mono at; /* when that arrived */
	/* Of the arrivals since gb_station_clock_gps() last told: the least delayed. */
	bool has_fast;
	int64_t fast_xtime;
	int64_t fast_offset_us; /* GPS time of its arrival − its xtime */
};

enum gb_station_clock_verdict {
	GB_CLOCK_UNKNOWN, /* xtime 0: nothing was remembered */
	GB_CLOCK_STEADY,
	GB_CLOCK_BACK,  /* behind an earlier uplink: all before is forgotten */
	GB_CLOCK_JUMPED /* not where our clock puts it: frames held back, or a clock that was set */
};
/* An uplink ended at `xtime`; `*off` by how much it is off (BACK, JUMPED). `now`: when it came. */
enum gb_station_clock_verdict gb_station_clock_hear(struct gb_station_clock *clock, struct now now,
						    int64_t xtime, int64_t rctx, span_us *off);
/* Lends the uplink that a class A transmission at `ticks` answers: the newest that lies a whole number of seconds, 1 to
 * GB_STATION_RX_DELAYS, before it; fills when that is in the station's time. NULL: none that is remembered. */
const struct gb_station_context *gb_station_clock_answered(const struct gb_station_clock *clock,
							   struct gw_ticks ticks, int64_t *xtime);
/* Fills a moment in the station's and in GPS time, by the least delayed of the arrivals since it was asked last; `delay`: how
 * long the way from the station takes. False: nothing arrived while our clock was synchronised. */
bool gb_station_clock_gps(struct gb_station_clock *clock, span_us delay, int64_t *xtime, int64_t *gps_us);

#endif
