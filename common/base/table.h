/* A bounded hash table over fixed-size entries whose first `key_size` bytes are the key. All memory is taken at init;
 * an entry may move at any put or remove, so look up again after a change. Keys of
 * residents or attackers are hashed with a random seed, so that chains cannot be forced. */
#ifndef LAMPPOST_BASE_TABLE_H
#define LAMPPOST_BASE_TABLE_H

#include "common/base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
	uint8_t *entries; /* owned: slots × entry_size */
	uint8_t *used;    /* owned: one byte a slot */
	size_t entry_size;
	size_t key_size;
	size_t slots; /* a power of two, at least 4/3 of limit */
	size_t count;
	size_t limit;
	uint64_t seed;
};

/* Room for `limit` entries; aborts if there is no memory (start-up only). */
void table_init(struct table *table, size_t limit, size_t entry_size, size_t key_size, struct rng *rng);
void table_release(struct table *table);
/* Lends the entry of a key, or NULL; valid until the next put or remove. */
void *table_get(const struct table *table, const void *key);
/* Lends the entry of a key, made zeroed but for the key where there is none (`*made`); NULL when full. */
void *table_put(struct table *table, const void *key, bool *made);
/* Returns whether there was one. */
bool table_remove(struct table *table, const void *key);
/* Removes all. */
void table_clear(struct table *table);
/* Walks: start with *at = 0; lends each entry in turn, NULL at the end. No change during a walk. */
void *table_next(const struct table *table, size_t *at);

#endif
