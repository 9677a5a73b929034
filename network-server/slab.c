#include "network-server/slab.h"

#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)
#define SMALL_PAGE ((size_t)4096)

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    /* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
			    -1, 0);
	ASSERT(memory != MAP_FAILED);
	(void)madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

/* Asked only for memory that is going to be used throughout: a small city must not pay for a big one. Large pages are for what
 * is looked up at random, where each look-up walks through the page tables as well; zeroing them costs more than small ones
 * where the machine has to be given the memory first. The kernel may say no to either. In pieces, since others want the address
 * space changed meanwhile. */
static void expect_use(uint8_t *memory, size_t size, bool large)
{
	if (size < LARGE_PAGE)
		return;
	if (large)
		(void)madvise(memory, size, MADV_HUGEPAGE);
	for (size_t at = 0; at + LARGE_PAGE <= size; at += LARGE_PAGE)
		(void)madvise(memory + at, LARGE_PAGE, MADV_POPULATE_WRITE);
}

void ns_slab_init(struct ns_slab *slab, uint32_t capacity, size_t entry_size)
{
	ASSERT(capacity > 0 && capacity < NS_NO_SLOT);
	*slab = (struct ns_slab){.entry_size = (entry_size + 7) & ~(size_t)7, .capacity = capacity};
	slab->entries = map((size_t)capacity * slab->entry_size);
	slab->free = map((size_t)capacity * sizeof *slab->free);
	slab->used = map((size_t)capacity / 8 + 1);
}

void ns_slab_release(struct ns_slab *slab)
{
	if (!slab->entries)
		return;
	secret_wipe(slab->entries, (size_t)slab->high * slab->entry_size);
	munmap(slab->entries, (size_t)slab->capacity * slab->entry_size);
	munmap(slab->free, (size_t)slab->capacity * sizeof *slab->free);
	munmap(slab->used, (size_t)slab->capacity / 8 + 1);
	*slab = (struct ns_slab){0};
}

static void mark(struct ns_slab *slab, uint32_t slot, bool used)
{
	uint8_t bit = (uint8_t)(1u << (slot & 7));
	slab->used[slot >> 3] = (uint8_t)(used ? slab->used[slot >> 3] | bit : slab->used[slot >> 3] & ~bit);
}

uint32_t ns_slab_take(struct ns_slab *slab)
{
	uint32_t slot;
	if (slab->free_count > 0)
		slot = slab->free[--slab->free_count];
	else if (slab->high < slab->capacity)
		slot = slab->high++;
	else
		return NS_NO_SLOT;
	mark(slab, slot, true);
	slab->count++;
	memset(ns_slab_at(slab, slot), 0, slab->entry_size);
	return slot;
}

bool ns_slab_take_at(struct ns_slab *slab, uint32_t slot)
{
	if (slot >= slab->capacity || ns_slab_holds(slab, slot))
		return false;
	mark(slab, slot, true);
	slab->count++;
	if (slot >= slab->high)
		slab->high = slot + 1;
	return true;
}

void ns_slab_loaded(struct ns_slab *slab)
{
	slab->free_count = 0;
	for (uint32_t slot = slab->high; slot-- > 0;)
		if (!ns_slab_holds(slab, slot))
			slab->free[slab->free_count++] = slot;
}

void ns_slab_give(struct ns_slab *slab, uint32_t slot)
{
	secret_wipe(ns_slab_at(slab, slot), slab->entry_size);
	mark(slab, slot, false);
	slab->count--;
	if (slab->free_count < slab->capacity) /* while loading, the list is made anew at the end */
		slab->free[slab->free_count++] = slot;
}

bool ns_slab_holds(const struct ns_slab *slab, uint32_t slot)
{
	return slot < slab->capacity && (slab->used[slot >> 3] >> (slot & 7) & 1);
}

void ns_slab_expect(struct ns_slab *slab, uint32_t count)
{
	if (count > slab->capacity)
		count = slab->capacity;
	expect_use(slab->entries, (size_t)count * slab->entry_size / LARGE_PAGE * LARGE_PAGE, false);
}

void *ns_slab_at(const struct ns_slab *slab, uint32_t slot)
{
	ASSERT(ns_slab_holds(slab, slot));
	return slab->entries + (size_t)slot * slab->entry_size;
}

void ns_index_init(struct ns_index *index, uint32_t capacity)
{
	uint32_t cells = 16;
	while (cells / 8 * 5 < capacity && cells < (UINT32_C(1) << 31))
		cells *= 2;
	*index = (struct ns_index){.mask = cells - 1};
	index->cells = map((size_t)cells * sizeof *index->cells);
}

void ns_index_release(struct ns_index *index)
{
	if (index->cells)
		munmap(index->cells, ((size_t)index->mask + 1) * sizeof *index->cells);
	*index = (struct ns_index){0};
}

void ns_index_add(struct ns_index *index, uint32_t hash, uint32_t slot)
{
	ASSERT_CMP(index->count, <=, index->mask / 4 * 3);
	uint32_t at = hash & index->mask;
	while (index->cells[at].slot_plus_1 != 0)
		at = (at + 1) & index->mask;
	index->cells[at] = (struct ns_index_cell){slot + 1, hash};
	index->count++;
}

/* Backward shift: no tombstones, so the table never silts up. */
void ns_index_remove(struct ns_index *index, uint32_t hash, uint32_t slot)
{
	uint32_t at = hash & index->mask;
	while (index->cells[at].slot_plus_1 != slot + 1 || index->cells[at].hash != hash) {
		ASSERT(index->cells[at].slot_plus_1 != 0);
		at = (at + 1) & index->mask;
	}
	for (uint32_t next = at;;) {
		index->cells[at].slot_plus_1 = 0;
		uint32_t home;
		do {
			next = (next + 1) & index->mask;
			if (index->cells[next].slot_plus_1 == 0) {
				index->count--;
				return;
			}
			home = index->cells[next].hash & index->mask;
		} while (((next - home) & index->mask) < ((next - at) & index->mask));
		index->cells[at] = index->cells[next];
		at = next;
	}
}

uint32_t ns_index_next(const struct ns_index *index, uint32_t hash, uint32_t *at)
{
	for (;; (*at)++) {
		const struct ns_index_cell *cell = &index->cells[(hash + *at) & index->mask];
		if (cell->slot_plus_1 == 0)
			return NS_NO_SLOT;
		if (cell->hash == hash) {
			(*at)++;
			return cell->slot_plus_1 - 1;
		}
	}
}

void ns_index_expect(struct ns_index *index, uint32_t count)
{
	size_t size = ((size_t)index->mask + 1) * sizeof *index->cells;
	if (count >= size / SMALL_PAGE * 2)
		expect_use((uint8_t *)index->cells, size, true);
}

void ns_index_foresee(const struct ns_index *index, uint32_t hash)
{
	__builtin_prefetch(&index->cells[hash & index->mask], 1);
}

uint32_t ns_hash64(uint64_t value, uint64_t seed)
{
	uint64_t x = value ^ seed;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(x ^ (x >> 31));
}
