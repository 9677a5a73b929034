/* Open addressing with linear probing and backward-shift removal: no tombstones, so a long life of insertions and
 * removals costs nothing. */
#include "common/base/table.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, size_t limit, size_t entry_size, size_t key_size, struct rng *rng)
{
	ASSERT(limit > 0 && key_size > 0 && key_size <= entry_size);
	size_t slots = 8;
	while (slots < limit + limit / 3 + 1)
		slots *= 2;
	*table = (struct table){
		.entries = calloc(slots, entry_size),
		.used = calloc(slots, 1),
		.entry_size = entry_size,
		.key_size = key_size,
		.slots = slots,
		.limit = limit,
		.seed = rng_u64(rng),
	};
	ASSERT(table->entries != NULL && table->used != NULL);
}

void table_release(struct table *table)
{
	free(table->entries);
	free(table->used);
	*table = (struct table){0};
}

static size_t home_slot(const struct table *table, const void *key)
{
	const uint8_t *bytes = key;
	uint64_t hash = table->seed;
	size_t left = table->key_size;
	while (left > 0) {
		uint64_t word = 0;
		size_t chunk = left < sizeof word ? left : sizeof word;
		memcpy(&word, bytes, chunk);
		hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
		bytes += chunk;
		left -= chunk;
	}
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 29;
	return (size_t)hash & (table->slots - 1);
}

static uint8_t *slot_entry(const struct table *table, size_t slot)
{
	return table->entries + slot * table->entry_size;
}

/* Returns the slot of the key, or the free slot where it would go. */
static size_t find_slot(const struct table *table, const void *key)
{
	size_t slot = home_slot(table, key);
	while (table->used[slot] && memcmp(slot_entry(table, slot), key, table->key_size) != 0)
		slot = (slot + 1) & (table->slots - 1);
	return slot;
}

void *table_get(const struct table *table, const void *key)
{
	size_t slot = find_slot(table, key);
	return table->used[slot] ? slot_entry(table, slot) : NULL;
}

void *table_put(struct table *table, const void *key, bool *made)
{
	size_t slot = find_slot(table, key);
	*made = !table->used[slot];
	if (*made) {
		if (table->count == table->limit)
			return NULL;
		uint8_t *entry = slot_entry(table, slot);
		memset(entry, 0, table->entry_size);
		memcpy(entry, key, table->key_size);
		table->used[slot] = 1;
		table->count++;
	}
	return slot_entry(table, slot);
}

bool table_remove(struct table *table, const void *key)
{
	size_t mask = table->slots - 1;
	size_t hole = find_slot(table, key);
	if (!table->used[hole])
		return false;
	for (size_t next = (hole + 1) & mask; table->used[next]; next = (next + 1) & mask) {
		size_t home = home_slot(table, slot_entry(table, next));
		/* The entry at `next` may fill the hole unless its home lies between the two. */
		if (((next - home) & mask) >= ((next - hole) & mask)) {
			memcpy(slot_entry(table, hole), slot_entry(table, next), table->entry_size);
			hole = next;
		}
	}
	memset(slot_entry(table, hole), 0, table->entry_size);
	table->used[hole] = 0;
	table->count--;
	return true;
}

void table_clear(struct table *table)
{
	if (table->count)
		memset(table->used, 0, table->slots); /* entries are zeroed when they are made */
	table->count = 0;
}

void *table_next(const struct table *table, size_t *at)
{
	while (*at < table->slots) {
		size_t slot = (*at)++;
		if (table->used[slot])
			return slot_entry(table, slot);
	}
	return NULL;
}
