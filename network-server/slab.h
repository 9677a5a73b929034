/* The two shapes that the big tables share: a slab of equal entries in one mapping that core dumps leave out and that is
 * touched only as far as it is used, and an index from a hash to slots of a slab, with room for several slots of one key
 * (many devices may share a DevAddr).
 *
 * A slot stays the same number for as long as its entry lives, and over a restart: it is the row number in the store. */
#ifndef LAMPPOST_NETWORK_SERVER_SLAB_H
#define LAMPPOST_NETWORK_SERVER_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_NO_SLOT UINT32_MAX

struct ns_slab {
	uint8_t *entries; /* owned mapping */
	uint32_t *free;   /* owned mapping: stack of slots given back */
	uint8_t *used;    /* owned mapping: one bit a slot */
	size_t entry_size;
	uint32_t capacity;
	uint32_t high; /* slots from here on were never used */
	uint32_t free_count;
	uint32_t count;
};

/* Room for `capacity` entries; aborts if the mapping cannot be had (start-up only). */
void ns_slab_init(struct ns_slab *slab, uint32_t capacity, size_t entry_size);
/* Wipes and unmaps. */
void ns_slab_release(struct ns_slab *slab);
/* Takes a slot whose entry is zeroed, or NS_NO_SLOT when full. */
uint32_t ns_slab_take(struct ns_slab *slab);
/* Takes a certain slot (loading rows at start). False: out of range or used. Call ns_slab_loaded() after the last. */
bool ns_slab_take_at(struct ns_slab *slab, uint32_t slot);
void ns_slab_loaded(struct ns_slab *slab);
/* Wipes the entry and gives the slot back. */
void ns_slab_give(struct ns_slab *slab, uint32_t slot);
bool ns_slab_holds(const struct ns_slab *slab, uint32_t slot);
/* Before or while loading, from any thread: slots below `count` are about to be used, so their memory is fetched from the
 * kernel. Nothing is taken or changed. */
void ns_slab_expect(struct ns_slab *slab, uint32_t count);
/* Lends the entry of a used slot (asserted); stays where it is while the slot is used. */
void *ns_slab_at(const struct ns_slab *slab, uint32_t slot);

/* Linear probing over (tag, slot), at most 5/8 full: a cell is 8 bytes, and each is a page's worth of memory once a big city
 * has touched them all. The owner compares keys. */
struct ns_index {
	struct ns_index_cell {
		uint32_t slot_plus_1; /* 0: empty */
		uint32_t hash;
	} * cells; /* owned mapping */
	uint32_t mask;
	uint32_t count;
};

void ns_index_init(struct ns_index *index, uint32_t capacity);
void ns_index_release(struct ns_index *index);
void ns_index_add(struct ns_index *index, uint32_t hash, uint32_t slot);
void ns_index_remove(struct ns_index *index, uint32_t hash, uint32_t slot);
/* Walks the slots that may have a key of this hash: *at = 0 at first; NS_NO_SLOT at the end. No change during it. */
uint32_t ns_index_next(const struct ns_index *index, uint32_t hash, uint32_t *at);
/* Likewise, in large pages if the kernel has them: about so many are going to be added. */
void ns_index_expect(struct ns_index *index, uint32_t count);
/* A key of this hash is going to be looked for soon: its cell may come nearer meanwhile. */
void ns_index_foresee(const struct ns_index *index, uint32_t hash);
/* Mixes 64 bits and a seed into a hash. */
uint32_t ns_hash64(uint64_t value, uint64_t seed);

#endif
