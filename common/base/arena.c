#include "common/base/arena.h"

#include "common/base/check.h"

#include <stdlib.h>

void arena_init(struct arena *arena, size_t capacity)
{
	*arena = (struct arena){.memory = malloc(capacity), .capacity = capacity};
	ASSERT(arena->memory != NULL);
}

void arena_release(struct arena *arena)
{
	free(arena->memory);
	*arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t start = (arena->used + 15) & ~(size_t)15;
	if (start > arena->capacity || size > arena->capacity - start)
		return NULL;
	arena->used = start + size;
	return arena->memory + start;
}

void arena_reset(struct arena *arena)
{
	arena->used = 0;
}
