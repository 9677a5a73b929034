/* The world under a virtual clock (world/world.h): named scenarios, and worlds that a seed draws. */
#include "tests/harness/harness.h"
#include "tests/simulation/world/world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SEEDS 200 /* unless SEEDS says otherwise */
#define FAR_M 15000
#define CROWD 24
#define TWICE 5 /* so many of them run a second time */
#define AGAIN "again: SEED=%" PRIu64 " build/tests/simulation/test_world"

/* --- a world of one seed --- */

static struct world *draw(uint64_t seed)
{
	struct world *world = world_new(seed);
	world_gateways(world, 1 + (unsigned)(seed % 3));
	world_devices(world, 2, WORLD_OTAA_1_0_3);
	world_devices(world, 1, WORLD_OTAA_1_0_4);
	world_devices(world, 1, WORLD_OTAA_1_1);
	world_devices(world, 1, WORLD_ABP_1_0_3);
	world_interval(world, 60);
	world_faults(world, 90);
	world_commands(world, 6);
	world_begin(world);
	world_run_hours(world, 1);
	world_settle(world);
	return world;
}

static void print(const struct world *world, uint64_t seed)
{
	struct world_totals totals = world_totals(world);
	printf("seed %" PRIu64 " digest %016" PRIx64 " steps %" PRIu64 " readings %" PRIu64
	       " delivered %" PRIu64 " joins %" PRIu64 " downlinks %" PRIu64 " commands %" PRIu64
	       " received %" PRIu64 " airtime %" PRIu64 " %%\n",
	       seed, world_digest(world), totals.steps, totals.readings, totals.delivered, totals.joins,
	       totals.downlinks, totals.commands, totals.commands_received, totals.airtime_percent);
	if (*world_broken(world))
		printf("  %s\n  " AGAIN "\n", world_broken(world), seed);
	fflush(stdout);
}

/* A world in which the product aborts says which one it was. */
static char dying_words[128];

static void says_which(int signal_number)
{
	(void)!write(STDOUT_FILENO, dying_words, strlen(dying_words));
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Runs one; false when something promised did not hold. */
static bool run_seed(uint64_t seed, uint64_t *digest, uint64_t faults[WORLD_FAULT_COUNT])
{
	snprintf(dying_words, sizeof dying_words, "  seed %" PRIu64 " died; " AGAIN "\n", seed, seed);
	signal(SIGABRT, says_which);
	struct world *world = draw(seed);
	bool holds = *world_broken(world) == '\0';
	*digest = world_digest(world);
	for (int i = 0; i < WORLD_FAULT_COUNT; i++)
		faults[i] += world_count(world, (enum world_fault)i);
	print(world, seed);
	world_free(world);
	signal(SIGABRT, SIG_DFL);
	return holds;
}

/* --- ADR with devices that share nothing with the server --- */

/* One beside its gateway and one far away, both at DR0 at first, heard for half a day: the near one ends at the highest data rate, by
 * the usual algorithm with less power, where the far one stays; the steady one, of new profiles, weighs copies as well. */
static void adr_brings_the_near_one_up(void **state)
{
	(void)state;
	static const enum world_profile profiles[] = {WORLD_OTAA_1_0_3, WORLD_OTAA_1_0_4, WORLD_OTAA_1_1,
						      WORLD_ABP_1_0_3};
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		char name[32];
		struct world *world = world_new(4242 + i);
		snprintf(name, sizeof name, "kind %zu", i);
		t_row(name);
		world_gateways(world, 1);
		world_devices(world, 2, profiles[i]);
		world_place(world, 0, 60, 0);
		world_place(world, 1, FAR_M, 0);
		world_interval(world, 300);
		world_begin(world);
		world_run_hours(world, 12);
		t_uint("near: data rate", 5, world_device_dr(world, 0));
		bool usual = profiles[i] == WORLD_OTAA_1_0_3 || profiles[i] == WORLD_OTAA_1_1;
		t_true("near: less power", world_device_power(world, 0) > 0 || !usual);
		t_true("far: slow", world_device_dr(world, 1) <= (usual ? 1 : 3));
		t_uint("far: full power", 0, world_device_power(world, 1));
		if (getenv("V"))
			printf("%s: near DR%u power %u, far DR%u power %u\n", name, world_device_dr(world, 0),
			       world_device_power(world, 0), world_device_dr(world, 1),
			       world_device_power(world, 1));
		t_str("all that is promised", "", world_broken(world));
		world_free(world);
	}
}

/* --- named scenarios; several are what a seed once found --- */

static void nothing_goes_wrong(struct world *world)
{
	world_commands(world, 6);
	world_run_hours(world, 1);
}

/* The application server took the key of a join for an old one, and readings stayed encrypted. */
static void clock_is_set_back_between_joins(struct world *world)
{
	for (int i = 0; i < 8; i++) {
		world_run_seconds(world, 200);
		world_jump_clock(world, -86400);
		world_power_cycle(world, 0, 1);
	}
}

/* The network server took a gateway for too slow for every window, and never sent to it again. */
static void backhauls_are_slow_for_a_while(struct world *world)
{
	world_backhaul(world, (struct world_backhaul){.late = 500});
	world_run_hours(world, 1);
	world_crash(world, WORLD_NETWORK, WORLD_AFTER_COMMIT);
	world_run_hours(world, 1);
}

/* A join-request that came half a minute late took the place of the session that its device had entered. */
static void joins_over_slow_backhauls_and_restarts(struct world *world)
{
	world_backhaul(world, (struct world_backhaul){.late = 300, .doubled = 300});
	for (int i = 0; i < 40; i++) {
		world_power_cycle(world, (unsigned)i % 4, 1);
		world_run_seconds(world, 20);
		world_crash(world, WORLD_NETWORK, WORLD_HALF_DRAINED);
		world_run_seconds(world, 20);
	}
}

static void power_goes_again_and_again(struct world *world)
{
	world_commands(world, 6);
	for (int i = 0; i < 20; i++) {
		world_run_seconds(world, 90);
		world_blackout(world);
	}
}

static void broker_is_away_for_an_hour(struct world *world)
{
	world_commands(world, 6);
	world_run_seconds(world, 600);
	world_subscriber_away(world, 3600);
	world_run_seconds(world, 1200);
	world_crash(world, WORLD_APPLICATION, WORLD_HALF_DRAINED);
	world_run_seconds(world, 3000);
}

static const struct scenario {
	const char *name;
	void (*happens)(struct world *world);
} scenarios[] = {
	{"nothing goes wrong", nothing_goes_wrong},
	{"the wall clock is set back between joins", clock_is_set_back_between_joins},
	{"backhauls are slow for a while", backhauls_are_slow_for_a_while},
	{"joins over slow backhauls, while the network server restarts",
	 joins_over_slow_backhauls_and_restarts},
	{"the power of everything goes again and again", power_goes_again_and_again},
	{"the broker is away for an hour, and the application server dies", broker_is_away_for_an_hour},
};

static void scenarios_keep_what_is_promised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		t_row(scenarios[i].name);
		struct world *world = world_new(i + 1);
		world_gateways(world, 2);
		world_devices(world, 2, WORLD_OTAA_1_0_3);
		world_devices(world, 1, WORLD_OTAA_1_0_4);
		world_devices(world, 1, WORLD_OTAA_1_1);
		world_devices(world, 1, WORLD_ABP_1_0_3);
		world_interval(world, 60);
		world_begin(world);
		scenarios[i].happens(world);
		world_settle(world);
		t_str("broken", "", world_broken(world));
		world_free(world);
	}
}

/* --- a gateway that has more to say than its hour allows --- */

/* Far devices whose confirmed frames ask for more airtime than the sub-bands have, and a network server that dies every few
 * minutes: what it had used up before counts all the same (invariant 11; the judge has its own table of shares). */
static void airtime_outlasts_crashes(void **state)
{
	(void)state;
	struct world *world = world_new(11);
	world_gateways(world, 1);
	world_devices(world, CROWD, WORLD_ABP_1_0_3);
	for (unsigned i = 0; i < CROWD; i++)
		world_place(world, i, 9000 + 100 * i, 0);
	world_interval(world, 60);
	world_begin(world);
	for (unsigned i = 0; i < 24 && world_run_seconds(world, 300); i++)
		world_crash(world, WORLD_NETWORK, (enum world_moment)(i % WORLD_MOMENT_COUNT));
	t_true("the network server died", world_count(world, WORLD_FAULT_NETWORK_CRASH) > 10);
	t_str("all that is promised", "", world_broken(world));
	t_true("the share of an hour was used", world_totals(world).airtime_percent >= 95);
	if (getenv("V"))
		print(world, 11);
	world_free(world);
}

/* --- what the suite says of all of them --- */

static uint64_t seed_count(void)
{
	const char *text = getenv("SEEDS");
	uint64_t count = text ? strtoull(text, NULL, 10) : 0;
	return count > 0 && count < SEEDS ? count : SEEDS;
}

static uint64_t faults[WORLD_FAULT_COUNT];
static uint64_t digests[SEEDS];

static void every_seed_keeps_what_is_promised(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < seed_count(); i++) {
		char name[32];
		snprintf(name, sizeof name, "seed %" PRIu64, i + 1);
		t_row(name);
		t_true("all that is promised", run_seed(i + 1, &digests[i], faults));
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void seeds_differ_and_come_again(void **state)
{
	(void)state;
	uint64_t count = seed_count(), different = 1, again, ignored[WORLD_FAULT_COUNT] = {0};
	for (uint64_t i = 0; i < count && i < TWICE; i++) {
		run_seed(i + 1, &again, ignored);
		t_uint("the same seed, the same digest", digests[i], again);
	}
	qsort(digests, count, sizeof digests[0], compare);
	for (uint64_t i = 1; i < count; i++)
		different += digests[i] != digests[i - 1];
	t_true("99 % of the digests differ", different * 100 >= count * 99);
}

static void every_kind_of_fault_occurs(void **state)
{
	(void)state;
	for (int i = 0; i < WORLD_FAULT_COUNT; i++) {
		t_row(world_fault_name((enum world_fault)i));
		t_true("occurred", faults[i] > 0);
		if (getenv("V"))
			printf("%-40s %" PRIu64 "\n", world_fault_name((enum world_fault)i), faults[i]);
	}
}

static int run_one(uint64_t seed)
{
	uint64_t digest, ignored[WORLD_FAULT_COUNT] = {0};
	return run_seed(seed, &digest, ignored) ? 0 : 1;
}

/* --- modes beside the suite --- */

/* A thousand devices, each with a reading an hour, for a day: for measuring. */
static int run_thousand_device_days(void)
{
	struct world *world = world_new(1);
	world_gateways(world, 3);
	world_devices(world, 400, WORLD_OTAA_1_0_3);
	world_devices(world, 300, WORLD_OTAA_1_0_4);
	world_devices(world, 200, WORLD_OTAA_1_1);
	world_devices(world, 100, WORLD_ABP_1_0_3);
	world_interval(world, 3600);
	world_faults(world, 2);
	world_begin(world);
	world_run_days(world, 1);
	world_settle(world);
	print(world, 1);
	int broken = *world_broken(world) != '\0';
	world_free(world);
	return broken;
}

/* One seed after the other until one is broken; for `make mutants`. */
static int run_until_broken(void)
{
	uint64_t digest, ignored[WORLD_FAULT_COUNT] = {0};
	for (uint64_t seed = 1; seed <= seed_count(); seed++)
		if (!run_seed(seed, &digest, ignored))
			return 1;
	return 0;
}

/* Seeds that nobody has run before, for so many seconds. */
static int soak(double seconds)
{
	uint64_t digest, ignored[WORLD_FAULT_COUNT] = {0}, count = 0;
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	uint64_t seed = (uint64_t)time(NULL) * 1000;
	do {
		if (!run_seed(++seed, &digest, ignored))
			return 1;
		count++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - start.tv_sec) < seconds);
	printf("%" PRIu64 " worlds, the last seed %" PRIu64 ": all that is promised holds\n", count, seed);
	return 0;
}

int main(int argc, char **argv)
{
	const char *seed = getenv("SEED");
	if (argc == 2 && strcmp(argv[1], "thousand-device-days") == 0)
		return run_thousand_device_days();
	if (argc == 2 && strcmp(argv[1], "until-broken") == 0)
		return run_until_broken();
	if (argc == 3 && strcmp(argv[1], "soak") == 0)
		return soak(strtod(argv[2], NULL));
	if (seed)
		return run_one(strtoull(seed, NULL, 10));
	const struct CMUnitTest tests[] = {
		t_test(adr_brings_the_near_one_up),  t_test(scenarios_keep_what_is_promised),
		t_test(airtime_outlasts_crashes),    t_test(every_seed_keeps_what_is_promised),
		t_test(seeds_differ_and_come_again), t_test(every_kind_of_fault_occurs),
	};
	return t_run(tests);
}
