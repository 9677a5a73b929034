#include "gateway-bridge/station_clock.h"

#define COUNTER      ((INT64_C(1) << 48) - 1)
#define UNIT(xtime)  ((xtime) >> 56)
#define WHICH(xtime) ((xtime) >> 48) /* unit and session */

/* Whether the clock that the newest uplink had is the one of this xtime, and where that one has to be now. */
static enum gb_station_clock_verdict judge(const struct gb_station_clock *clock, struct now now,
					   int64_t xtime, span_us *off)
{
	*off = 0;
	if (!clock->heard || UNIT(xtime) != UNIT(clock->newest.xtime))
		return GB_CLOCK_STEADY;
	span_us ran = (xtime & COUNTER) - (clock->newest.xtime & COUNTER);
	span_us late = ran - mono_since(now.mono, clock->at);
	if (WHICH(xtime) != WHICH(clock->newest.xtime) || ran < -GB_STATION_BACK_US) {
		*off = ran;
		return GB_CLOCK_BACK;
	}
	if (late > GB_STATION_JUMP_US || late < -GB_STATION_JUMP_US) {
		*off = late;
		return GB_CLOCK_JUMPED;
	}
	return GB_CLOCK_STEADY;
}

static void note_gps(struct gb_station_clock *clock, struct now now, int64_t xtime)
{
	int64_t offset = gps_us_from_wall(now.wall) - (xtime & COUNTER);
	if (!now.wall_synchronised)
		return;
	if (clock->has_fast && WHICH(clock->fast_xtime) == WHICH(xtime) && clock->fast_offset_us <= offset)
		return;
	clock->has_fast = true;
	clock->fast_xtime = xtime;
	clock->fast_offset_us = offset;
}

enum gb_station_clock_verdict gb_station_clock_hear(struct gb_station_clock *clock, struct now now,
						    int64_t xtime, int64_t rctx, span_us *off)
{
	if (xtime == 0)
		return GB_CLOCK_UNKNOWN;
	enum gb_station_clock_verdict verdict = judge(clock, now, xtime, off);
	if (verdict == GB_CLOCK_BACK)
		clock->count = 0;
	if (verdict != GB_CLOCK_STEADY)
		clock->has_fast = false;
	clock->heard = true;
	clock->newest = (struct gb_station_context){xtime, rctx};
	clock->at = now.mono;
	clock->contexts[clock->count++ % GB_STATION_CONTEXTS] = clock->newest;
	note_gps(clock, now, xtime);
	return verdict;
}

const struct gb_station_context *gb_station_clock_answered(const struct gb_station_clock *clock,
							   struct gw_ticks ticks, int64_t *xtime)
{
	uint32_t kept = clock->count < GB_STATION_CONTEXTS ? clock->count : GB_STATION_CONTEXTS;
	for (uint32_t back = 1; back <= kept; back++) {
		const struct gb_station_context *context =
			&clock->contexts[(clock->count - back) % GB_STATION_CONTEXTS];
		int32_t delay = gw_ticks_since(ticks, (struct gw_ticks){(uint32_t)(uint64_t)context->xtime});
		if (delay < US_PER_S || delay > GB_STATION_RX_DELAYS * US_PER_S || delay % US_PER_S != 0)
			continue;
		*xtime = context->xtime + delay;
		return context;
	}
	return NULL;
}

bool gb_station_clock_gps(struct gb_station_clock *clock, span_us delay, int64_t *xtime, int64_t *gps_us)
{
	if (!clock->has_fast)
		return false;
	*xtime = clock->fast_xtime;
	*gps_us = (clock->fast_xtime & COUNTER) + clock->fast_offset_us - delay;
	clock->has_fast = false;
	return true;
}
