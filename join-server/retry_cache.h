/* Answers of the last minute, by request: a network server that lost an answer asks again with the same bytes, and must
 * get the same answer, since running the join again would be a replay. Keyed by (SenderID, TransactionID, hash of the
 * body), bounded in number and bytes: the oldest makes room. Pure. */
#ifndef LAMPPOST_JOIN_SERVER_RETRY_CACHE_H
#define LAMPPOST_JOIN_SERVER_RETRY_CACHE_H

#include "common/backend/ts002.h"
#include "common/base/rng.h"
#include "common/base/table.h"
#include "common/base/units.h"

#define JS_RETRY_SPAN_US    (60 * US_PER_S)
#define JS_RETRY_ENTRIES    16384u
#define JS_RETRY_ANSWER_MAX 1536u /* a longer answer is not kept */

struct js_retry_entry;

struct js_retry_cache {
	struct js_retry_entry *ring; /* owned; memory is touched as it fills */
	uint32_t size;
	uint32_t next;      /* where the next one goes */
	struct table index; /* key → place in the ring */
};

/* `size` entries; aborts if there is no memory (start-up only). */
void js_retry_cache_init(struct js_retry_cache *cache, uint32_t size, struct rng *rng);
/* Wipes and frees. */
void js_retry_cache_release(struct js_retry_cache *cache);
/* Lends the answer to the same request (`*length` bytes), valid until the next put; NULL when there is none. */
const char *js_retry_cache_get(const struct js_retry_cache *cache, struct mono now,
			       const struct bi_envelope *request, const uint8_t *body, size_t body_length,
			       size_t *length);
/* Keeps a copy of an answer. */
void js_retry_cache_put(struct js_retry_cache *cache, struct mono now, const struct bi_envelope *request,
			const uint8_t *body, size_t body_length, const char *answer, size_t length);

#endif
