/* The study behind `make radio-report` is to be believed: the same seed gives the same run, chance does not depend on the algorithm,
 * and what is simulated shows in what is measured. */
#include "tests/harness/harness.h"
#include "tests/study/study.h"

static struct study_result run(enum study_scenario scenario, enum net_adr_algorithm algorithm, uint64_t seed)
{
	struct study_job job = {STUDY_RADIO_A, scenario, algorithm, seed};
	struct study_result result;
	study_run(&job, &result);
	return result;
}

static double delivery(const struct study_result *result)
{
	return result->delivered / result->made;
}

static void a_run_is_its_seed(void **state)
{
	(void)state;
	struct study_result first = run(STUDY_STATIC_500, NET_ADR_USUAL, 7);
	struct study_result again = run(STUDY_STATIC_500, NET_ADR_USUAL, 7);
	struct study_result other = run(STUDY_STATIC_500, NET_ADR_USUAL, 8);
	t_bytes("the same", (const uint8_t *)&first, sizeof first, (const uint8_t *)&again, sizeof again);
	t_true("another city", first.delivered != other.delivered);
}

static void what_is_simulated_shows(void **state)
{
	(void)state;
	struct study_result usual = run(STUDY_STATIC_500, NET_ADR_USUAL, 7);
	struct study_result fixed = run(STUDY_STATIC_500, NET_ADR_FIXED, 7);
	struct study_result parked = run(STUDY_PARKED, NET_ADR_FIXED, 7);
	struct study_result lost = run(STUDY_LOST_GATEWAY, NET_ADR_FIXED, 7);
	double frames = 0;
	for (int dr = 0; dr < STUDY_DRS; dr++)
		frames += fixed.frames[dr];
	t_true("48 hours of 500 devices, a reading every 10 minutes",
	       usual.made > 500 * 48 * 6 - 600 && usual.made < 500 * 48 * 6 + 600);
	t_true("most readings arrive", delivery(&usual) > 0.8 && delivery(&usual) <= 1);
	t_true("a fixed data rate is given to all that hear", fixed.frames[2] > 0.95 * frames);
	t_true("the usual one goes to the highest", usual.frames[5] > usual.frames[2]);
	t_true("which is cheaper", usual.energy_mj / usual.delivered < fixed.energy_mj / fixed.delivered);
	t_true("a car costs readings", delivery(&parked) < delivery(&fixed) - 0.1);
	t_true("so does a gateway", delivery(&lost) < delivery(&fixed) - 0.01);
}

/* One seed of what docs/radio-report.md says of many. */
static void steady_is_steadier(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum study_scenario scenario;
		double least; /* of what it delivers more, as a share of the readings */
	} rows[] = {
		{"static: no worse", STUDY_STATIC_500, -0.005},
		{"under parked cars", STUDY_PARKED, 0.02},
		{"moving", STUDY_MOVING, 0.02},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct study_result usual = run(rows[i].scenario, NET_ADR_USUAL, 7);
		struct study_result steady = run(rows[i].scenario, NET_ADR_STEADY, 7);
		t_true("delivered", delivery(&steady) >= delivery(&usual) + rows[i].least);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_run_is_its_seed),
		t_test(what_is_simulated_shows),
		t_test(steady_is_steadier),
	};
	return t_run(tests);
}
