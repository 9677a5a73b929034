#include "gateway-bridge/rate.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

struct gb_source {
	struct gb_address host; /* as source_of() makes it */
	struct gb_bucket bucket;
};

#define ONE INT64_C(1000000)

static bool take(struct gb_bucket *bucket, struct mono now, const struct gb_limit *limit, int64_t full)
{
	span_us passed = mono_since(now, bucket->at);
	/* An hour fills any bucket, and keeps the product small. */
	if (passed > 3600 * US_PER_S || passed < 0)
		passed = passed < 0 ? 0 : 3600 * US_PER_S;
	bucket->spent -= passed * limit->per_second;
	if (bucket->spent < 0)
		bucket->spent = 0;
	bucket->at = now;
	if (bucket->spent + ONE > full)
		return false;
	bucket->spent += ONE;
	return true;
}

bool gb_bucket_take(struct gb_bucket *bucket, struct mono now, const struct gb_limit *limit)
{
	return take(bucket, now, limit, limit->burst * ONE);
}

bool gb_bucket_take_upper(struct gb_bucket *bucket, struct mono now, const struct gb_limit *limit)
{
	return take(bucket, now, limit, limit->burst * ONE / 2);
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

static struct gb_address source_of(const struct gb_address *from)
{
	struct gb_address source = *from;
	source.port = 0;
	if (source.family == 6)
		memset(source.bytes + 8, 0, 8);
	return source;
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
	const struct gb_address host = source_of(from);
	struct gb_source *source = &sources->slots[slot_of(sources, &host)];
	/* A slot whose owner has been quiet for a second goes to the newcomer, full. */
	if (!gb_address_same_host(&source->host, &host) && mono_since(now, source->bucket.at) > US_PER_S)
		*source = (struct gb_source){.host = host};
	return gb_bucket_take(&source->bucket, now, limit);
}
