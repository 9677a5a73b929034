/* What a decision record costs: the ring alone, with as many subjects as a big city has, while it fills and when it goes
 * round. A flow that says early whom it will record of (decision_prefetch()) waits for less of it.
 *
 *	bench_decisions [SUBJECTS...]     default: 1000 20000 1000000 */
#include "common/base/check.h"
#include "common/base/decision.h"
#include "common/base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ADDS    3000000
#define RECORDS (5u << 18) /* as the network server has */
#define GATEWAY 4096
#define RUNS    3

#define WHEN ((struct wall){INT64_C(1795284000000000)})

/* Of this process alone: what others do on the machine is not counted, though its caches are shared. */
static double cpu_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Nanoseconds of the slowest thousand records in a row. */
static double slowest;

static double fill(struct decision_ring *ring, struct rng *rng, uint32_t subjects, uint32_t count)
{
	struct decision decision = {.about = DECISION_ABOUT_FRAME, .other = 3, .a = 1, .b = 2};
	double before = cpu_ns(), last = before;
	for (uint32_t i = 0; i < count; i++) {
		decision.ref = rng_u32(rng);
		decision_add(ring, WHEN, rng_u32(rng) % subjects, &decision);
		if (i % 1000 == 999) {
			double now = cpu_ns();
			slowest = now - last > slowest ? now - last : slowest;
			last = now;
		}
	}
	return (cpu_ns() - before) / count;
}

/* A gateway's last reception, in its place. */
static double replace(struct decision_ring *ring, struct rng *rng, uint32_t subjects)
{
	struct decision decision = {.about = DECISION_ABOUT_FRAME, .other = 3};
	double before = cpu_ns();
	for (uint32_t i = 0; i < ADDS; i++) {
		decision.a = i;
		decision_replace(ring, WHEN, subjects + rng_u32(rng) % 400, &decision);
	}
	return (cpu_ns() - before) / ADDS;
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = {1000, 20000, 1000000};
	size_t count = argc > 1 ? (size_t)argc - 1 : ARRAY_SIZE(usual);
	printf("%10s %16s %16s %22s %14s\n", "subjects", "add, filling", "add, going round",
	       "slowest 1000 adds", "replace");
	for (size_t i = 0; i < count; i++) {
		uint32_t subjects = argc > 1 ? (uint32_t)strtoul(argv[i + 1], NULL, 10) : usual[i];
		for (int run = 0; run < RUNS; run++) {
			struct rng rng = rng_seeded((uint64_t)run);
			struct decision_ring ring;
			decision_ring_init(&ring, RECORDS, subjects + GATEWAY);
			slowest = 0;
			double filling = fill(&ring, &rng, subjects, RECORDS);
			double round = fill(&ring, &rng, subjects, ADDS);
			double replaced = replace(&ring, &rng, subjects);
			printf("%10u %13.0f ns %13.0f ns %19.0f us %11.0f ns\n", subjects, filling, round,
			       slowest / 1000, replaced);
			decision_ring_release(&ring);
		}
	}
	return 0;
}
