/* Token buckets: so many a second, and a burst. Pure: `now` comes in. A bucket of zeros is a full one. */
#ifndef LAMPPOST_BRIDGE_RATE_H
#define LAMPPOST_BRIDGE_RATE_H

#include "common/base/rng.h"
#include "common/base/units.h"
#include "gateway-bridge/address.h"

struct gb_limit {
	uint32_t per_second;
	uint32_t burst;
};

struct gb_bucket {
	int64_t spent;  /* millionths of a datagram that are missing from the burst */
	struct mono at; /* when that was true */
};

/* Takes one; false when the bucket is empty, and nothing is taken. */
bool gb_bucket_take(struct gb_bucket *bucket, struct mono now, const struct gb_limit *limit);
/* The same for one who may not take the bucket below half of its burst: what is left there is for others. */
bool gb_bucket_take_upper(struct gb_bucket *bucket, struct mono now, const struct gb_limit *limit);

/* Buckets by source, in a table of fixed size: a source without a slot of its own shares the one of another, which can
 * only make the limit stricter. Slots are chosen by a seeded hash. A source is an IPv4 host or an IPv6 /64, since whoever
 * has one address of a /64 has all of them. */
#define GB_SOURCES 4096

struct gb_sources {
	struct gb_source *slots; /* owned: GB_SOURCES */
	uint64_t seed;
};

void gb_sources_init(struct gb_sources *sources, struct rng *rng);
void gb_sources_release(struct gb_sources *sources);
bool gb_sources_take(struct gb_sources *sources, struct mono now, const struct gb_address *from,
		     const struct gb_limit *limit);

#endif
