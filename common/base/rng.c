#include "common/base/rng.h"

#include "common/base/check.h"

#include <string.h>

static uint64_t rotate_left(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static uint64_t xoshiro_next(uint64_t state[4])
{
	uint64_t result = rotate_left(state[1] * 5, 7) * 9;
	uint64_t shifted = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= shifted;
	state[3] = rotate_left(state[3], 45);
	return result;
}

static void seeded_fill(struct rng *rng, uint8_t *bytes, size_t length)
{
	while (length > 0) {
		uint64_t word = xoshiro_next(rng->state);
		size_t chunk = length < sizeof word ? length : sizeof word;
		memcpy(bytes, &word, chunk);
		bytes += chunk;
		length -= chunk;
	}
}

struct rng rng_seeded(uint64_t seed)
{
	struct rng rng = {.fill = seeded_fill};
	for (size_t i = 0; i < ARRAY_SIZE(rng.state); i++) {
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t mixed = seed;
		mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
		rng.state[i] = mixed ^ mixed >> 31;
	}
	return rng;
}

void rng_fill(struct rng *rng, uint8_t *bytes, size_t length)
{
	rng->fill(rng, bytes, length);
}

uint64_t rng_u64(struct rng *rng)
{
	uint64_t value;
	rng->fill(rng, (uint8_t *)&value, sizeof value);
	return value;
}

uint32_t rng_u32(struct rng *rng)
{
	return (uint32_t)(rng_u64(rng) >> 32);
}

uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	ASSERT(limit > 0);
	uint32_t threshold = (uint32_t)(-limit) %
			     limit; /* 2^32 mod limit: below it the draw would be biased */
	uint32_t value;
	do {
		value = rng_u32(rng);
	} while (value < threshold);
	return value % limit;
}
