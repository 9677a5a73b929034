#include "tests/harness/harness.h"

#include "common/lorawan/duty_cycle.h"

#include "common/base/rng.h"

#include <string.h>

#define SECOND US_PER_S
#define HOUR   (3600 * SECOND)
#define START  (1000 * HOUR) /* some time, aligned to a bucket */

static const struct {
	const char *name;
	int64_t used_at_s; /* 36 s of airtime in a band of 1 % (a whole budget), relative to now */
	int64_t start_s;
	uint32_t airtime_us;
	uint8_t percent;
	enum lw_duty_verdict verdict;
} checks[] = {
	{"an hour later it is forgotten", -3700, 0, 1000000, 100, LW_DUTY_FITS},
	{"within the hour it is not", -3500, 0, 1000000, 100, LW_DUTY_SPENT},
	{"just used", -40, 0, 1, 100, LW_DUTY_SPENT},
	{"what is reserved ahead counts", 300, 0, 1000000, 100, LW_DUTY_SPENT},
	{"a reservation ahead sees what was used", -3300, 200, 1000000, 100, LW_DUTY_SPENT},
	{"a reservation ahead does not see what will be over", -3500, 200, 1000000, 100, LW_DUTY_FITS},
	{"further ahead than the accounting reaches", -3700, 421, 1000000, 100, LW_DUTY_TOO_FAR},
	{"at the reach", -3700, 420, 1000000, 100, LW_DUTY_FITS},
	{"in the past", -3700, -31, 1000000, 100, LW_DUTY_TOO_FAR},
	{"the whole budget at once", -3700, 0, 36000000, 100, LW_DUTY_FITS},
	{"more than the budget", -3700, 0, 36000001, 100, LW_DUTY_SPENT},
	{"40 % for the least priority", -3700, 0, 14400000, 40, LW_DUTY_FITS},
	{"above 40 %", -3700, 0, 14400001, 40, LW_DUTY_SPENT},
};

static void checks_look_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		t_row(checks[i].name);
		struct lw_duty_cycle duty;
		lw_duty_init(&duty, 10, START - 2 * HOUR);
		int64_t used_at = START + checks[i].used_at_s * SECOND;
		int64_t used_now = used_at > START ? START : used_at;
		lw_duty_use(&duty, used_now, used_at, 36000000);
		t_int("verdict", checks[i].verdict,
		      lw_duty_check(&duty, START, START + checks[i].start_s * SECOND, checks[i].airtime_us,
				    checks[i].percent));
	}
}

static void no_limit_is_no_limit(void **state)
{
	(void)state;
	struct lw_duty_cycle duty;
	lw_duty_init(&duty, 1000, START);
	lw_duty_use(&duty, START, START, 3600000000U);
	t_int("fits", LW_DUTY_FITS, lw_duty_check(&duty, START, START, 3600000000U, 100));
}

/* What the accounting lets pass is added up exactly, over every hour that begins or ends with a transmission. */
static void no_hour_ever_holds_more_than_the_budget(void **state)
{
	(void)state;
	enum { SENT_MAX = 20000 };
	static struct {
		int64_t start_us;
		uint32_t airtime_us;
	} sent[SENT_MAX];
	size_t count = 0, refused = 0;
	struct rng rng = rng_seeded(7);
	struct lw_duty_cycle duty;
	lw_duty_init(&duty, 10, START);
	int64_t now = START;
	while (now < START + 5 * HOUR) {
		now += rng_below(&rng, 4 * SECOND);
		int64_t start = now + rng_below(&rng, 60 * SECOND);
		uint32_t airtime = 50000 + rng_below(&rng, 1500000);
		if (lw_duty_check(&duty, now, start, airtime, 100) != LW_DUTY_FITS) {
			refused++;
			continue;
		}
		lw_duty_use(&duty, now, start, airtime);
		assert_true(count < SENT_MAX);
		sent[count].start_us = start;
		sent[count++].airtime_us = airtime;
	}
	t_true("refused some", refused > 100);
	int64_t most = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t windows[2] = {sent[i].start_us, sent[i].start_us + sent[i].airtime_us - HOUR};
		for (size_t w = 0; w < 2; w++) {
			int64_t sum = 0;
			for (size_t j = 0; j < count; j++) {
				int64_t from = sent[j].start_us, to = from + sent[j].airtime_us;
				from = from > windows[w] ? from : windows[w];
				to = to < windows[w] + HOUR ? to : windows[w] + HOUR;
				sum += to > from ? to - from : 0;
			}
			most = sum > most ? sum : most;
		}
	}
	t_true("never above 36 s", most <= 36 * SECOND);
	t_true("and close to it", most > 34 * SECOND);
}

static void refunds_give_back(void **state)
{
	(void)state;
	struct lw_duty_cycle duty;
	lw_duty_init(&duty, 10, START);
	/* Over a border of two buckets. */
	lw_duty_use(&duty, START, START + 29 * SECOND, 2 * SECOND);
	t_uint("used", 2 * SECOND, lw_duty_used_us(&duty, START + 60 * SECOND));
	lw_duty_refund(&duty, START + 29 * SECOND, 2 * SECOND);
	t_uint("given back", 0, lw_duty_used_us(&duty, START + 60 * SECOND));
	lw_duty_refund(&duty, START + 29 * SECOND, 2 * SECOND);
	t_uint("never below nothing", 0, lw_duty_used_us(&duty, START + 60 * SECOND));
}

static void a_wild_time_pushes_nothing_out(void **state)
{
	(void)state;
	struct lw_duty_cycle duty;
	lw_duty_init(&duty, 10, START);
	lw_duty_use(&duty, START, START, 36 * SECOND);
	lw_duty_use(&duty, START, START + 500 * HOUR, SECOND);
	t_int("still spent", LW_DUTY_SPENT,
	      lw_duty_check(&duty, START + 60 * SECOND, START + 60 * SECOND, SECOND, 100));
	lw_duty_use(&duty, START, START - 500 * HOUR, SECOND);
	t_uint("a forgotten past is not counted", 36 * SECOND, lw_duty_used_us(&duty, START + 40 * SECOND));
}

static const struct {
	const char *name;
	int64_t elapsed_s;
	int64_t later_s; /* asked this long after the load */
	enum lw_duty_verdict verdict;
} restarts[] = {
	{"restarted at once", 0, 0, LW_DUTY_SPENT},
	{"the clock ran back", -500, 0, LW_DUTY_SPENT},
	{"the clock ran back: just sent, not sent later", -500, 3670, LW_DUTY_FITS},
	{"half an hour later", 1800, 0, LW_DUTY_SPENT},
	{"half an hour away and half an hour up", 1800, 1870, LW_DUTY_FITS},
	{"unknown time away counts from the start", 0, 3500, LW_DUTY_SPENT},
	{"to the second", 0, 3558, LW_DUTY_SPENT},
	{"and is over an hour later", 0, 3670, LW_DUTY_FITS},
	{"a long time away", 100000, 0, LW_DUTY_FITS},
};

static void use_survives_a_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(restarts); i++) {
		t_row(restarts[i].name);
		struct lw_duty_cycle duty, loaded;
		lw_duty_init(&duty, 10, START);
		lw_duty_use(&duty, START, START, 36 * SECOND);
		uint8_t bytes[LW_DUTY_STORED_SIZE];
		struct wr wr = wr_init(bytes, sizeof bytes);
		lw_duty_store(&duty, START + 40 * SECOND, &wr);
		t_uint("size", LW_DUTY_STORED_SIZE, wr_length(&wr));
		/* Another line of time, as after a reboot, and not aligned. */
		int64_t now = 17 * SECOND + 3;
		lw_duty_init(&loaded, 10, now);
		struct rd rd = rd_init(bytes, wr_length(&wr));
		t_true("loads", lw_duty_load(&loaded, &rd, now, restarts[i].elapsed_s * SECOND));
		int64_t then = now + restarts[i].later_s * SECOND;
		t_int("verdict", restarts[i].verdict, lw_duty_check(&loaded, then, then, SECOND, 100));
	}
	struct lw_duty_cycle duty;
	uint8_t bytes[LW_DUTY_STORED_SIZE] = {0};
	lw_duty_init(&duty, 10, START);
	t_row("malformed");
	struct rd short_rd = rd_init(bytes, 20);
	t_false("short", lw_duty_load(&duty, &short_rd, START, 0));
	struct rd zero_rd = rd_init(bytes, sizeof bytes);
	t_false("wrong count", lw_duty_load(&duty, &zero_rd, START, 0));
}

static void an_unknown_hour_is_spent(void **state)
{
	(void)state;
	struct lw_duty_cycle duty;
	lw_duty_init(&duty, 10, START);
	lw_duty_spend(&duty, START);
	t_int("spent", LW_DUTY_SPENT,
	      lw_duty_check(&duty, START + 1800 * SECOND, START + 1800 * SECOND, 1, 100));
	t_int("over", LW_DUTY_FITS,
	      lw_duty_check(&duty, START + 3660 * SECOND, START + 3660 * SECOND, 1, 100));
	t_str("name", "duty_cycle_spent", lw_duty_verdict_name(LW_DUTY_SPENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(checks_look_both_ways),
		t_test(no_limit_is_no_limit),
		t_test(no_hour_ever_holds_more_than_the_budget),
		t_test(refunds_give_back),
		t_test(a_wild_time_pushes_nothing_out),
		t_test(use_survives_a_restart),
		t_test(an_unknown_hour_is_spent),
	};
	return t_run(tests);
}
