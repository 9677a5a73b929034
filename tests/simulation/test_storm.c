/* Join storms in a simulated city (storm/storm.h): the network server's planning of a storm against serving who comes first, in one
 * world with the same seed. Without an argument: a small city, asserted. `test_storm report [SEEDS]`: the whole one, 10,000 lights and
 * 20 gateways, as a table (make bench-storm). `test_storm one REGION SEED [whole] [first] [calm] [silent] [open]`: one run, all that is
 * known of it. */
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

static void is_sooner(const struct storm_result *ours, const struct storm_result *first)
{
	for (size_t i = 0; i < STORM_QUANTILES; i++) {
		char what[64];
		snprintf(what, sizeof what, "sooner than who comes first: %u %%", storm_quantiles[i]);
		t_true(what, at(ours->quantile_s[i]) <= at(first->quantile_s[i]));
	}
}

static void accepts_are_followed(const struct storm_result *result)
{
	t_uint("as many accepts made a light join as have joined", result->joined,
	       result->fates[STORM_JOINED]);
	t_uint("no light that listened was sent an accept that it could not take", 0,
	       result->fates[STORM_NOT_TAKEN] + result->fates[STORM_NO_WINDOW]);
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
	accepts_are_followed(&ours);
	t_true("fewer nonces for accepts that were not sent", ours.nonces_lost <= first.nonces_lost);
	t_true("95 % have joined within 15 minutes", ours.joined_percent >= 95);
	t_true("first come, first served knows no storm", first.storm_s == 0);
	is_sooner(&ours, &first);
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
	accepts_are_followed(&ours);
	is_sooner(&ours, &first);
	t_true("85 % of what duty cycle allows have joined", ours.joined * 100 >= ours.bound * 85);
	t_true("the state lasts while lights wait", ours.storm_s > 300);
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
	double sorted[SEEDS_MAX] = {0};
	for (unsigned i = 0; i < count; i++)
		sorted[i] = values[i];
	qsort(sorted, count, sizeof *sorted, compare);
	return sorted[count / 2];
}

static void row(const char *name, struct storm_result results[SEEDS_MAX], unsigned seeds)
{
	double values[SEEDS_MAX] = {0};
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

/* Of a hundred accepts that were handed to gateways. */
static void fates(struct storm_result results[SEEDS_MAX], unsigned seeds)
{
	double values[SEEDS_MAX];
	for (size_t i = 0; i < STORM_FATE_COUNT; i++) {
		for (unsigned s = 0; s < seeds; s++)
			values[s] = results[s].answered ? 100.0 * (double)results[s].fates[i] /
								  (double)results[s].answered
							: 0;
		printf("  of 100 accepts %5.1f  %s\n", median(values, seeds), storm_fate_names[i]);
	}
}

static int report(unsigned seeds)
{
	static const struct {
		const char *name;
		bool calm, silent, first_come, open, fates;
	} kinds[] = {{.name = "calm", .calm = true},
		     {.name = "unanswered", .silent = true},
		     {.name = "first come", .first_come = true},
		     {.name = "storm", .fates = true},
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
			if (kinds[k].fates)
				fates(results, seeds);
		}
	}
	return 0;
}

/* One run, all that is known of it. */
static int one(int argc, char **argv)
{
	struct storm_setup setup = small_city(argc > 2 ? argv[2] : "eu868");
	setup.seed = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	for (int i = 4; i < argc; i++) {
		setup.first_come |= strcmp(argv[i], "first") == 0;
		setup.calm |= strcmp(argv[i], "calm") == 0;
		setup.silent |= strcmp(argv[i], "silent") == 0;
		setup.open |= strcmp(argv[i], "open") == 0;
		if (strcmp(argv[i], "whole") == 0) {
			setup.gateways = 20;
			setup.devices = 10000;
			setup.sensors = 2000;
		}
	}
	struct storm_result result;
	storm_run(&setup, &result);
	printf("%s seed %llu: joined %.1f %% (%u), bound %u (%.1f %%), heard %u\n", setup.region,
	       (unsigned long long)setup.seed, result.joined_percent, result.joined, result.bound,
	       result.bound ? 100.0 * result.joined / result.bound : 0, result.heard_lights);
	for (size_t q = 0; q < STORM_QUANTILES; q++)
		printf("  %u %%: %.0f s", storm_quantiles[q], result.quantile_s[q]);
	printf("\n  sensors %.2f %%, sending %.2f %%, medians %.0f %.0f s\n", result.delivered_percent,
	       result.deaf_percent, result.median_s[0], result.median_s[1]);
	printf("  offered %llu asked %llu answered %llu in flight %llu refused %llu %llu %llu %llu weak %llu "
	       "late %llu "
	       "collisions %llu lost nonces %llu\n",
	       (unsigned long long)result.offered, (unsigned long long)result.asked,
	       (unsigned long long)result.answered, (unsigned long long)result.in_flight,
	       (unsigned long long)result.refused[0], (unsigned long long)result.refused[1],
	       (unsigned long long)result.refused[2], (unsigned long long)result.refused[3],
	       (unsigned long long)result.refused[4], (unsigned long long)result.too_late,
	       (unsigned long long)result.collisions, (unsigned long long)result.nonces_lost);
	printf("  heard by rate:");
	for (size_t i = 0; i < 8; i++)
		printf(" %llu", (unsigned long long)result.heard[i]);
	printf("\n");
	for (size_t i = 0; i < STORM_FATE_COUNT; i++)
		printf("  %-36s %llu\n", storm_fate_names[i], (unsigned long long)result.fates[i]);
	for (size_t w = 0; w < 2; w++)
		for (size_t sf = 7; sf <= 12; sf++)
			printf("  RX%zu SF%-2zu  joined %5llu  weak %4llu  drowned %4llu  elsewhere %4llu  "
			       "no window %llu\n",
			       w + 1, sf, (unsigned long long)result.by_rate[w][sf][STORM_JOINED],
			       (unsigned long long)result.by_rate[w][sf][STORM_WEAK],
			       (unsigned long long)result.by_rate[w][sf][STORM_DROWNED],
			       (unsigned long long)result.by_rate[w][sf][STORM_ELSEWHERE],
			       (unsigned long long)result.by_rate[w][sf][STORM_NO_WINDOW]);
	printf("  data downlinks %llu storm %.0f s\n", (unsigned long long)result.downlinks_data,
	       result.storm_s);
	printf("  wall %.1f s\n", result.wall_s);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "report") == 0) {
		unsigned long seeds = argc > 2 ? strtoul(argv[2], NULL, 10) : 3;
		return report(seeds == 0 ? 1 : seeds > SEEDS_MAX ? SEEDS_MAX : (unsigned)seeds);
	}
	if (argc > 1 && strcmp(argv[1], "one") == 0)
		return one(argc, argv);
	const struct CMUnitTest tests[] = {t_test(us915_has_joined), t_test(eu868_joins_more)};
	return t_run(tests);
}
