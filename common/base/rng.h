/* Randomness as a port: a core draws from the generator it was given, seeded in tests and simulation, the system's
 * in production (`secret_rng()` in common/crypto). Never for keys outside common/crypto. */
#ifndef LAMPPOST_BASE_RNG_H
#define LAMPPOST_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	void (*fill)(struct rng *rng, uint8_t *bytes, size_t length);
	uint64_t state[4]; /* the seeded generator's; unused by the system's */
};

/* Makes a reproducible generator (xoshiro256**, seeded through splitmix64). Not for secrets. */
struct rng rng_seeded(uint64_t seed);

void rng_fill(struct rng *rng, uint8_t *bytes, size_t length);
uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
/* Returns a number in 0 .. limit − 1 without bias; `limit` is not 0. */
uint32_t rng_below(struct rng *rng, uint32_t limit);

#endif
