/* The station's clock against ours: where a step begins to be one, in either direction, and what it takes along. */
#include "tests/harness/harness.h"

#include "gateway-bridge/station_clock.h"

#define BEGIN   (INT64_C(100) * US_PER_S)
#define SESSION (INT64_C(1) << 48)
#define UNIT    (INT64_C(1) << 56)

static struct now at(span_us mono)
{
	return (struct now){.mono = {BEGIN + mono}, .wall = {INT64_C(1800000000) * US_PER_S}};
}

static void a_step_is_one_beyond_its_limit(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		span_us later, ran; /* by our clock, by the station's */
		enum gb_station_clock_verdict verdict;
		span_us off;
		bool forgets;
	} rows[] = {
		{"both ran alike", 30 * US_PER_S, 30 * US_PER_S, GB_CLOCK_STEADY, 0, false},
		{"ten seconds ahead, to the microsecond", US_PER_S, 11 * US_PER_S, GB_CLOCK_STEADY, 0, false},
		{"a microsecond more", US_PER_S, 11 * US_PER_S + 1, GB_CLOCK_JUMPED, 10 * US_PER_S + 1,
		 false},
		{"frames were held back ten seconds", 11 * US_PER_S, US_PER_S, GB_CLOCK_STEADY, 0, false},
		{"and a microsecond more", 11 * US_PER_S + 1, US_PER_S, GB_CLOCK_JUMPED, -10 * US_PER_S - 1,
		 false},
		{"a second back: another order", 0, -US_PER_S, GB_CLOCK_STEADY, 0, false},
		{"a microsecond more back", 0, -US_PER_S - 1, GB_CLOCK_BACK, -US_PER_S - 1, true},
		{"another session", US_PER_S, SESSION + US_PER_S, GB_CLOCK_BACK, US_PER_S, true},
		{"another unit's clock is another", US_PER_S, UNIT + 500 * US_PER_S, GB_CLOCK_STEADY, 0,
		 false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_station_clock clock = {.heard = false};
		const int64_t first = 50 * US_PER_S;
		span_us off = 77;
		int64_t xtime;
		t_row(rows[i].name);
		t_int("the first says nothing", GB_CLOCK_STEADY,
		      gb_station_clock_hear(&clock, at(0), first, 1, &off));
		t_int("verdict", rows[i].verdict,
		      gb_station_clock_hear(&clock, at(rows[i].later), first + rows[i].ran, 2, &off));
		t_int("off", rows[i].off, off);
		struct gw_ticks answer = {(uint32_t)(first + 5 * US_PER_S)};
		const struct gb_station_context *found = gb_station_clock_answered(&clock, answer, &xtime);
		bool by_the_second = found && found->rctx == 2;
		t_true("what was heard before is answered still",
		       rows[i].forgets ? !found || by_the_second : found != NULL);
	}
	struct gb_station_clock clock = {.heard = false};
	span_us off;
	int64_t xtime;
	t_row("no time at all");
	t_int("unknown", GB_CLOCK_UNKNOWN, gb_station_clock_hear(&clock, at(0), 0, 1, &off));
	t_true("and nothing remembered",
	       !clock.heard && !gb_station_clock_answered(&clock, (struct gw_ticks){US_PER_S}, &xtime));
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_step_is_one_beyond_its_limit)};
	return t_run(tests);
}
