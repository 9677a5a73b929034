/* Counting, and the two measurements that are more than counting: round trips and drift.
 *
 * Drift. With o = our time of arrival − the gateway's counter, a counter as fast as our clock keeps o level, one that is faster
 * lets it fall, and every delay lifts single points, never lowers them:
 *
 *	o  │      ·            ·
 *	   │  ·       ·   ·          ·       the lowest point of each span of two minutes (x) is near the line without delay;
 *	   │ x    ·  x  ·      x   ·   x     a span in which all were late (a backhaul that buffered) gives one wrong point,
 *	   └──────────────────────────────   which the median of the slopes between all pairs passes over */
#include "gateway-bridge/health.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define POINTS_NEEDED  4
#define TRIP_UNIT_US   100
#define PAIRS          (GB_HEALTH_POINTS * (GB_HEALTH_POINTS - 1) / 2)
#define DRIFT_BEYOND   INT32_C(100000) /* tenths of a ppm: no crystal, a counter that jumped */
#define TENTHS_PER_ONE INT64_C(10000000)

const char *gb_close_name(enum gb_close cause)
{
	static const char *const names[] = {
		[GB_CLOSE_PEER] = "peer",         [GB_CLOSE_LOST] = "lost",
		[GB_CLOSE_SILENT] = "silent",     [GB_CLOSE_SLOW] = "slow",
		[GB_CLOSE_FLOOD] = "flood",       [GB_CLOSE_PROTOCOL] = "protocol",
		[GB_CLOSE_REPLACED] = "replaced", [GB_CLOSE_TAKEN] = "taken",
		[GB_CLOSE_REFUSED] = "refused",   [GB_CLOSE_RESTART] = "restart",
	};
	_Static_assert(ARRAY_SIZE(names) == GB_CLOSE_COUNT, "a name for each");
	ASSERT((unsigned)cause < GB_CLOSE_COUNT);
	return names[cause];
}

void gb_health_in(struct gb_health *health, size_t bytes)
{
	health->bytes_up += bytes;
}

void gb_health_out(struct gb_health *health, size_t bytes)
{
	health->bytes_down += bytes;
}

void gb_health_frame(struct gb_health *health, bool forwarded, bool crc_error)
{
	health->received++;
	health->forwarded += forwarded ? 1 : 0;
	health->crc_errors += crc_error ? 1 : 0;
}

/* The lowest point of the span in hand; a new span begins a new one over the oldest. */
static void take_point(struct gb_health *health, struct mono now, int64_t offset)
{
	uint8_t at = health->point_newest;
	bool same = health->point_count > 0 &&
		    now.us / GB_HEALTH_SPAN == health->points[at].at_us / GB_HEALTH_SPAN;
	if (same && offset >= health->points[at].offset_us)
		return;
	if (!same) {
		at = (uint8_t)((at + 1) % GB_HEALTH_POINTS);
		health->point_newest = at;
		if (health->point_count < GB_HEALTH_POINTS)
			health->point_count++;
	}
	health->points[at].at_us = now.us;
	health->points[at].offset_us = offset;
}

void gb_health_counter(struct gb_health *health, struct mono now, struct gw_ticks ticks, bool began_anew)
{
	int64_t counter = ticks.us;
	if (health->has_counter && !began_anew) {
		/* It is near where our clock puts it: that says how often it wrapped. */
		int64_t expected = health->counter_us + mono_since(now, health->counter_at);
		counter = expected + gw_ticks_since(ticks, (struct gw_ticks){(uint32_t)(uint64_t)expected});
	} else {
		health->has_counter = true;
		health->point_count = 0;
		health->counter_us = INT64_MIN;
	}
	if (counter > health->counter_us) {
		health->counter_us = counter;
		health->counter_at = now;
	}
	take_point(health, now, now.us - counter);
}

void gb_health_sent(struct gb_health *health)
{
	health->sent++;
}

void gb_health_result(struct gb_health *health, enum gw_tx_result result)
{
	ASSERT((unsigned)result < GW_TX_RESULT_COUNT);
	health->results[result]++;
}

void gb_health_trip(struct gb_health *health, span_us trip)
{
	span_us units = trip / TRIP_UNIT_US;
	health->trips[health->trip_count++ % GB_HEALTH_TRIPS] = (uint16_t)(units < 0            ? 0
									   : units > UINT16_MAX ? UINT16_MAX
												: units);
}

void gb_health_opened(struct gb_health *health, struct mono now)
{
	if (health->connected)
		gb_health_closed(health, now, GB_CLOSE_REPLACED);
	health->has_connection = true;
	health->connected = true;
	health->changed = now;
	health->opened++;
}

void gb_health_closed(struct gb_health *health, struct mono now, enum gb_close cause)
{
	ASSERT((unsigned)cause < GB_CLOSE_COUNT);
	health->connected = false;
	health->last_close = cause;
	health->changed = now;
	health->closed[cause]++;
}

void gb_health_stats(struct gb_health *health, struct mono now, const struct gw_stats *stats)
{
	health->has_stats = true;
	health->stats = *stats;
	health->stats_at = now;
	if (stats->has_location) {
		health->has_location = true;
		health->latitude_deg = stats->latitude_deg;
		health->longitude_deg = stats->longitude_deg;
		health->altitude_m = stats->altitude_m;
	}
}

/* What a stranger wrote goes into JSON and onto screens: printable ASCII, without what JSON escapes. */
static void copy_text(char out[GB_HEALTH_TEXT], const char *text)
{
	size_t length = 0;
	for (; text && *text && length < GB_HEALTH_TEXT - 1; text++)
		out[length++] = *text < ' ' || *text > '~' || *text == '"' || *text == '\\' ? '?' : *text;
	out[length] = '\0';
}

void gb_health_version(struct gb_health *health, const char *station, const char *model, const char *firmware)
{
	copy_text(health->station, station);
	copy_text(health->model, model);
	copy_text(health->firmware, firmware);
}

void gb_health_certificate(struct gb_health *health, struct wall until)
{
	health->certificate_until = until;
}

span_us gb_health_trip_last(const struct gb_health *health)
{
	if (health->trip_count == 0)
		return -1;
	return (span_us)health->trips[(health->trip_count - 1) % GB_HEALTH_TRIPS] * TRIP_UNIT_US;
}

static int by_length(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

span_us gb_health_trip_95(const struct gb_health *health)
{
	uint16_t sorted[GB_HEALTH_TRIPS];
	size_t count = health->trip_count < GB_HEALTH_TRIPS ? health->trip_count : GB_HEALTH_TRIPS;
	if (count == 0)
		return -1;
	memcpy(sorted, health->trips, sizeof sorted);
	qsort(sorted, count, sizeof sorted[0], by_length);
	return (span_us)sorted[(95 * count + 99) / 100 - 1] * TRIP_UNIT_US;
}

static int by_slope(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

bool gb_health_drift(const struct gb_health *health, int32_t *tenths_ppm)
{
	int64_t slopes[PAIRS];
	size_t count = 0;
	if (health->point_count < POINTS_NEEDED)
		return false;
	for (size_t i = 0; i < health->point_count; i++)
		for (size_t k = i + 1; k < health->point_count; k++) {
			/* Back from the newest. Two points that are close say more about delay than about drift. */
			size_t first = (health->point_newest + GB_HEALTH_POINTS - i) % GB_HEALTH_POINTS;
			size_t second = (health->point_newest + GB_HEALTH_POINTS - k) % GB_HEALTH_POINTS;
			int64_t passed = health->points[first].at_us - health->points[second].at_us;
			int64_t lag = health->points[first].offset_us - health->points[second].offset_us;
			if (passed >= GB_HEALTH_SPAN)
				slopes[count++] = -lag * TENTHS_PER_ONE / passed;
		}
	if (count == 0)
		return false;
	qsort(slopes, count, sizeof slopes[0], by_slope);
	int64_t middle = slopes[count / 2];
	if (middle > DRIFT_BEYOND || middle < -DRIFT_BEYOND)
		return false;
	*tenths_ppm = (int32_t)middle;
	return true;
}
