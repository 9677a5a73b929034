#include "tests/harness/harness.h"

#include "common/base/rng.h"

#include <string.h>

static void same_seed_same_numbers(void **state)
{
	(void)state;
	struct rng a = rng_seeded(42), b = rng_seeded(42), c = rng_seeded(43);
	uint64_t first = rng_u64(&a);
	t_uint("same", first, rng_u64(&b));
	t_true("another seed", first != rng_u64(&c));
	t_true("goes on", first != rng_u64(&a));
	/* xoshiro256** over splitmix64 as published: the state of seed 0 begins with splitmix64's first numbers. */
	struct rng zero = rng_seeded(0);
	t_uint("splitmix64 first", UINT64_C(0xe220a8397b1dcdaf), zero.state[0]);
	t_uint("splitmix64 second", UINT64_C(0x6e789e6aa1b965f4), zero.state[1]);
	/* rotl(s1 * 5, 7) * 9 */
	uint64_t s1 = UINT64_C(0x6e789e6aa1b965f4) * 5;
	t_uint("xoshiro first", (s1 << 7 | s1 >> 57) * 9, rng_u64(&zero));
	uint8_t bytes[11] = {0}, none[11] = {0};
	rng_fill(&a, bytes, sizeof bytes);
	t_true("filled", memcmp(bytes, none, sizeof bytes) != 0);
	t_true("to the last byte", bytes[8] || bytes[9] || bytes[10]);
}

static void below_is_even(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(1);
	unsigned counts[7] = {0};
	for (int i = 0; i < 70000; i++) {
		uint32_t value = rng_below(&rng, 7);
		assert_true(value < 7);
		counts[value]++;
	}
	/* Each has 10,000 ± 93 (one standard deviation); the seed is fixed. */
	for (size_t i = 0; i < 7; i++)
		t_true("even", counts[i] > 9500 && counts[i] < 10500);
	for (int i = 0; i < 100; i++)
		t_uint("of one", 0, rng_below(&rng, 1));
	/* Where the limit does not divide 2^32, the upper half must not be rarer: of 3 × 2^30, a third below 2^30. */
	unsigned low = 0;
	for (int i = 0; i < 30000; i++)
		low += rng_below(&rng, 3U << 30) < 1U << 30;
	t_true("no bias", low > 9500 && low < 10500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(same_seed_same_numbers),
		t_test(below_is_even),
	};
	return t_run(tests);
}
