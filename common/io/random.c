#include "common/io/random.h"

#include "common/base/check.h"

#include <openssl/rand.h>

static void fill(struct rng *rng, uint8_t *bytes, size_t length)
{
	(void)rng;
	ASSERT(RAND_bytes(bytes, (int)length) == 1);
}

struct rng io_random_rng(void)
{
	return (struct rng){.fill = fill};
}
