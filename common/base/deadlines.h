/* A heap of deadlines: the owner's entries embed a `struct deadline`, so nothing is allocated per deadline and any can
 * be moved or cancelled in O(log n). The heap keeps borrows of entries from set to cancel or pop. */
#ifndef LAMPPOST_BASE_DEADLINES_H
#define LAMPPOST_BASE_DEADLINES_H

#include "common/base/status.h"
#include "common/base/units.h"

#include <stddef.h>

struct deadline {
	struct mono due;
	size_t slot; /* 1 + index in the heap; 0 when not set */
};

struct deadlines {
	struct deadline **heap; /* owned array of borrows */
	size_t count;
	size_t capacity;
};

/* Returned by deadlines_next() when none is set. */
#define MONO_NEVER ((struct mono){INT64_MAX})

/* Room for `capacity` deadlines; aborts if there is no memory (start-up only). */
void deadlines_init(struct deadlines *deadlines, size_t capacity);
void deadlines_release(struct deadlines *deadlines);
/* Sets or moves. ST_FULL when the heap has no room. */
enum status deadlines_set(struct deadlines *deadlines, struct deadline *deadline, struct mono due) MUST_USE;
/* Harmless when not set. */
void deadlines_cancel(struct deadlines *deadlines, struct deadline *deadline);
/* The earliest due time, or MONO_NEVER. */
struct mono deadlines_next(const struct deadlines *deadlines);
/* Takes the earliest deadline that is due at `now`, or NULL. Entries of equal time come in no promised order. */
struct deadline *deadlines_pop(struct deadlines *deadlines, struct mono now);

#endif
