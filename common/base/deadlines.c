#include "common/base/deadlines.h"

#include "common/base/check.h"

#include <stdlib.h>

void deadlines_init(struct deadlines *deadlines, size_t capacity)
{
	*deadlines = (struct deadlines){.heap = calloc(capacity, sizeof *deadlines->heap),
					.capacity = capacity};
	ASSERT(deadlines->heap != NULL);
}

void deadlines_release(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){0};
}

static void place(struct deadlines *deadlines, size_t index, struct deadline *deadline)
{
	deadlines->heap[index] = deadline;
	deadline->slot = index + 1;
}

static void sift(struct deadlines *deadlines, size_t index)
{
	struct deadline *moved = deadlines->heap[index];
	while (index > 0) {
		size_t parent = (index - 1) / 2;
		if (deadlines->heap[parent]->due.us <= moved->due.us)
			break;
		place(deadlines, index, deadlines->heap[parent]);
		index = parent;
	}
	for (;;) {
		size_t child = 2 * index + 1;
		if (child >= deadlines->count)
			break;
		if (child + 1 < deadlines->count &&
		    deadlines->heap[child + 1]->due.us < deadlines->heap[child]->due.us)
			child++;
		if (moved->due.us <= deadlines->heap[child]->due.us)
			break;
		place(deadlines, index, deadlines->heap[child]);
		index = child;
	}
	place(deadlines, index, moved);
}

enum status deadlines_set(struct deadlines *deadlines, struct deadline *deadline, struct mono due)
{
	if (deadline->slot == 0) {
		if (deadlines->count == deadlines->capacity)
			return ST_FULL;
		place(deadlines, deadlines->count++, deadline);
	}
	deadline->due = due;
	sift(deadlines, deadline->slot - 1);
	return ST_OK;
}

void deadlines_cancel(struct deadlines *deadlines, struct deadline *deadline)
{
	if (deadline->slot == 0)
		return;
	size_t index = deadline->slot - 1;
	deadline->slot = 0;
	struct deadline *last = deadlines->heap[--deadlines->count];
	if (last == deadline)
		return;
	place(deadlines, index, last);
	sift(deadlines, index);
}

struct mono deadlines_next(const struct deadlines *deadlines)
{
	return deadlines->count ? deadlines->heap[0]->due : MONO_NEVER;
}

struct deadline *deadlines_pop(struct deadlines *deadlines, struct mono now)
{
	if (deadlines->count == 0 || deadlines->heap[0]->due.us > now.us)
		return NULL;
	struct deadline *first = deadlines->heap[0];
	deadlines_cancel(deadlines, first);
	return first;
}
