#include "join-server/retry_cache.h"

#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <stdlib.h>
#include <string.h>

/* Without padding, since it is compared as bytes. */
struct key {
	char sender_id[BI_ID_TEXT + 3];
	uint32_t transaction_id;
	uint8_t body_hash[SECRET_HASH];
};

struct slot {
	struct key key;
	uint32_t place;
};

struct js_retry_entry {
	struct key key;
	struct mono time;
	bool used;
	uint16_t length;
	char answer[JS_RETRY_ANSWER_MAX];
};

static void make_key(struct key *key, const struct bi_envelope *request, const uint8_t *body, size_t length)
{
	memset(key, 0, sizeof *key);
	memcpy(key->sender_id, request->sender_id, strlen(request->sender_id));
	key->transaction_id = request->transaction_id;
	secret_hash(key->body_hash, body, length);
}

void js_retry_cache_init(struct js_retry_cache *cache, uint32_t size, struct rng *rng)
{
	memset(cache, 0, sizeof *cache);
	cache->ring = calloc(size, sizeof *cache->ring);
	ASSERT(cache->ring);
	cache->size = size;
	table_init(&cache->index, size, sizeof(struct slot), sizeof(struct key), rng);
}

void js_retry_cache_release(struct js_retry_cache *cache)
{
	if (!cache->ring)
		return;
	for (uint32_t i = 0; i < cache->size; i++)
		if (cache->ring[i].used)
			secret_wipe(&cache->ring[i], sizeof cache->ring[i]);
	free(cache->ring);
	cache->ring = NULL;
	table_release(&cache->index);
}

const char *js_retry_cache_get(const struct js_retry_cache *cache, struct mono now,
			       const struct bi_envelope *request, const uint8_t *body, size_t body_length,
			       size_t *length)
{
	struct key key;
	make_key(&key, request, body, body_length);
	const struct slot *slot = table_get(&cache->index, &key);
	if (!slot)
		return NULL;
	const struct js_retry_entry *entry = &cache->ring[slot->place];
	ASSERT(entry->used);
	if (mono_since(now, entry->time) > JS_RETRY_SPAN_US)
		return NULL;
	*length = entry->length;
	return entry->answer;
}

static void forget(struct js_retry_cache *cache, struct js_retry_entry *entry)
{
	if (!entry->used)
		return;
	bool removed = table_remove(&cache->index, &entry->key);
	ASSERT(removed);
	secret_wipe(entry, sizeof *entry);
}

void js_retry_cache_put(struct js_retry_cache *cache, struct mono now, const struct bi_envelope *request,
			const uint8_t *body, size_t body_length, const char *answer, size_t length)
{
	if (length > JS_RETRY_ANSWER_MAX)
		return;
	struct key key;
	make_key(&key, request, body, body_length);
	struct slot *slot = table_get(&cache->index, &key);
	if (slot)
		forget(cache, &cache->ring[slot->place]);
	struct js_retry_entry *entry = &cache->ring[cache->next];
	forget(cache, entry);
	bool made;
	slot = table_put(&cache->index, &key, &made);
	ASSERT(slot && made);
	slot->place = cache->next;
	cache->next = (cache->next + 1) % cache->size;
	entry->key = key;
	entry->time = now;
	entry->used = true;
	entry->length = (uint16_t)length;
	memcpy(entry->answer, answer, length);
}
