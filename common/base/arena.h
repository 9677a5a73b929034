/* Scratch memory of one event: taken in order, given back all at once. Bounded: past its size it answers NULL, and the
 * caller treats that as ST_NO_MEMORY. The edge resets it at the end of the event. */
#ifndef LAMPPOST_BASE_ARENA_H
#define LAMPPOST_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
	uint8_t *memory; /* owned */
	size_t used;
	size_t capacity;
};

/* Allocates `capacity` bytes once; aborts if there is no memory (start-up only). */
void arena_init(struct arena *arena, size_t capacity);
void arena_release(struct arena *arena);
/* Lends `size` bytes aligned to 16, not zeroed, until the next reset; NULL when full. */
void *arena_alloc(struct arena *arena, size_t size);
void arena_reset(struct arena *arena);

#endif
