/* Join storms in a simulated city (storm/storm.h): the network server's planning of a storm against serving who comes first, in one
 * world with the same seed. Without an argument: a small city, asserted. `test_storm report [SEEDS]`: the whole one, 10,000 lights and
 * 20 gateways, as a table (make bench-storm). */
#include "tests/harness/harness.h"
#include "tests/simulation/storm/storm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 9

static const char *const regions[] = {"us915", "eu868"};

static struct storm_setup small_city(const char *region)
{
	return (struct storm_setup){.region = region,
				    .seed = 1,
				    .gateways = 4,
				    .devices = 1200,
				    .sensors = 300,
				    .nb_trans = 3,
				    .spread_s = 10,
				    .measured_s = 900};
}

/* --- asserted --- */

static void nothing_is_late(const struct storm_result *result)
{
	t_uint("accepts that came to a gateway too late", 0, result->too_late);
	t_true("a storm was seen", result->storm_s > 0);
	t_true("requests were refused before the join server was asked", result->asked < result->offered);
}

/* Joined at the end, in how many of a hundred; −1 never stands for late. */
static double at(double quantile_s)
{
	return quantile_s < 0 ? 1e9 : quantile_s;
}

static void us915_has_joined(void **state)
{
	(void)state;
	struct storm_setup setup = small_city("us915");
	struct storm_result ours, first;
	storm_run(&setup, &ours);
	setup.first_come = true;
	storm_run(&setup, &first);
	nothing_is_late(&ours);
	t_true("fewer nonces for accepts that were not sent", ours.nonces_lost <= first.nonces_lost);
	t_true("95 % have joined within 15 minutes", ours.joined_percent >= 95);
	t_true("first come, first served knows no storm", first.storm_s == 0);
	for (size_t i = 2; i < STORM_QUANTILES; i++)
		t_true("sooner than who comes first, in this quantile",
		       at(ours.quantile_s[i]) <= at(first.quantile_s[i]));
	t_true("sensors deliver more", ours.delivered_percent > first.delivered_percent);
}

static void eu868_joins_more(void **state)
{
	(void)state;
	struct storm_setup setup = small_city("eu868");
	struct storm_result ours, first;
	storm_run(&setup, &ours);
	setup.first_come = true;
	storm_run(&setup, &first);
	nothing_is_late(&ours);
	t_true("fewer nonces for accepts that were not sent", ours.nonces_lost < first.nonces_lost);
	t_true("the state lasts while lights wait", ours.storm_s > 850);
	t_true("the bound holds", ours.joined <= ours.bound && ours.bound <= ours.heard_lights);
	t_true("more have joined", ours.joined_percent > first.joined_percent);
	t_true("sensors deliver more", ours.delivered_percent > first.delivered_percent);
	t_true("gateways listen more", ours.deaf_percent < first.deaf_percent);
}

/* --- the table --- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double values[SEEDS_MAX], unsigned count)
{
	double sorted[SEEDS_MAX];
	memcpy(sorted, values, sizeof sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	return sorted[count / 2];
}

static void row(const char *name, struct storm_result results[SEEDS_MAX], unsigned seeds)
{
	double values[SEEDS_MAX];
#define MEDIAN(member)                                 \
	for (unsigned s = 0; s < seeds; s++)           \
		values[s] = (double)results[s].member; \
	printf("  %8.1f", median(values, seeds))
	printf("%-12s", name);
	MEDIAN(joined_percent);
	for (size_t q = 0; q < STORM_QUANTILES; q++) {
		for (unsigned s = 0; s < seeds; s++)
			values[s] = at(results[s].quantile_s[q]);
		double middle = median(values, seeds);
		if (middle > 1e8)
			printf("  %6s", "-");
		else
			printf("  %6.0f", middle);
	}
	MEDIAN(delivered_percent);
	MEDIAN(deaf_percent);
	MEDIAN(offered);
	MEDIAN(answered);
	MEDIAN(heard_lights);
	MEDIAN(bound);
	for (unsigned s = 0; s < seeds; s++)
		values[s] = results[s].bound ? 100.0 * results[s].joined / results[s].bound : 0;
	printf("  %8.1f", median(values, seeds));
	MEDIAN(refused[0]);
	MEDIAN(refused[1]);
	MEDIAN(wall_s);
#undef MEDIAN
	printf("\n");
	fflush(stdout);
}

static int report(unsigned seeds)
{
	static const struct {
		const char *name;
		bool calm, silent, first_come, open;
	} kinds[] = {{.name = "calm", .calm = true},
		     {.name = "unanswered", .silent = true},
		     {.name = "first come", .first_come = true},
		     {.name = "storm", .calm = false},
		     {.name = "never deaf", .open = true}};
	printf("10,000 lights offered in 10 s, one in ten without back-off, 20 gateways, 2,000 sensors, 900 "
	       "s; "
	       "medians of %u seeds\n",
	       seeds);
	for (size_t r = 0; r < ARRAY_SIZE(regions); r++) {
		printf("\n%-12s  joined %%", regions[r]);
		for (size_t q = 0; q < STORM_QUANTILES; q++)
			printf("  %4u %%", storm_quantiles[q]);
		printf("  sensors%%  sending%%  requests   accepts     heard     bound  of it %%   no time  "
		       "no airtime  wall s\n");
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			struct storm_result results[SEEDS_MAX];
			for (unsigned s = 0; s < seeds; s++) {
				struct storm_setup setup = small_city(regions[r]);
				setup.seed = s + 1;
				setup.gateways = 20;
				setup.devices = 10000;
				setup.sensors = 2000;
				setup.calm = kinds[k].calm;
				setup.silent = kinds[k].silent;
				setup.first_come = kinds[k].first_come;
				setup.open = kinds[k].open;
				storm_run(&setup, &results[s]);
			}
			row(kinds[k].name, results, seeds);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "report") == 0) {
		unsigned long seeds = argc > 2 ? strtoul(argv[2], NULL, 10) : 3;
		return report(seeds == 0 ? 1 : seeds > SEEDS_MAX ? SEEDS_MAX : (unsigned)seeds);
	}
	const struct CMUnitTest tests[] = {t_test(us915_has_joined), t_test(eu868_joins_more)};
	return t_run(tests);
}
