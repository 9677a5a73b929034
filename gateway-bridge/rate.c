#include "gateway-bridge/rate.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

struct gb_source {
	struct gb_address host; /* port 0 */
	struct gb_bucket bucket;
};

bool gb_bucket_take(struct gb_bucket *bucket, struct mono now, const struct gb_limit *limit)
{
	const int64_t one = 1000000;
	int64_t full = (int64_t)limit->burst * one;
	span_us passed = mono_since(now, bucket->at);
	/* An hour fills any bucket, and keeps the product small. */
	if (passed > 3600 * US_PER_S || passed < 0)
		passed = passed < 0 ? 0 : 3600 * US_PER_S;
	bucket->spent -= passed * limit->per_second;
	if (bucket->spent < 0)
		bucket->spent = 0;
	bucket->at = now;
	if (bucket->spent + one > full)
		return false;
	bucket->spent += one;
	return true;
}

void gb_sources_init(struct gb_sources *sources, struct rng *rng)
{
	*sources = (struct gb_sources){.slots = calloc(GB_SOURCES, sizeof *sources->slots),
				       .seed = rng_u64(rng)};
	ASSERT(sources->slots != NULL);
}

void gb_sources_release(struct gb_sources *sources)
{
	free(sources->slots);
	*sources = (struct gb_sources){0};
}

static size_t slot_of(const struct gb_sources *sources, const struct gb_address *host)
{
	uint64_t hash = sources->seed;
	for (size_t i = 0; i < sizeof host->bytes; i += 8) {
		uint64_t word;
		memcpy(&word, host->bytes + i, sizeof word);
		hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
		hash ^= hash >> 35;
	}
	return (hash ^ hash >> 28) % GB_SOURCES;
}

bool gb_sources_take(struct gb_sources *sources, struct mono now, const struct gb_address *from,
		     const struct gb_limit *limit)
{
	struct gb_source *source = &sources->slots[slot_of(sources, from)];
	/* A slot whose owner has been quiet for a second goes to the newcomer, full. */
	if (!gb_address_same_host(&source->host, from) && mono_since(now, source->bucket.at) > US_PER_S) {
		*source = (struct gb_source){.host = *from};
		source->host.port = 0;
	}
	return gb_bucket_take(&source->bucket, now, limit);
}
