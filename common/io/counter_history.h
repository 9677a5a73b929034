/* What counters were a minute ago, five minutes ago, an hour ago: a sample of every row a minute, 61 of them, so that a person
 * who asks once is told a rate and not a sum since the start. Pure.
 *
 * All counters were 0 when the history began: it begins with the process. */
#ifndef LAMPPOST_IO_COUNTER_HISTORY_H
#define LAMPPOST_IO_COUNTER_HISTORY_H

#include "common/base/units.h"

#include <stddef.h>
#include <stdint.h>

#define COUNTER_SAMPLES  61
#define COUNTER_INTERVAL (60 * US_PER_S)
#define COUNTER_RECENT   (5 * COUNTER_INTERVAL)
#define COUNTER_HOUR     (60 * COUNTER_INTERVAL)

struct counter_history {
	size_t rows;
	uint64_t *values; /* owned: COUNTER_SAMPLES × rows, a ring */
	struct mono taken[COUNTER_SAMPLES];
	size_t count, next;
};

/* The first sample: zeros, of now. */
void counter_history_init(struct counter_history *history, size_t rows, struct mono now);
void counter_history_release(struct counter_history *history);
/* Takes a sample; `values` has `rows` of them. */
void counter_history_take(struct counter_history *history, const uint64_t *values, struct mono now);
/* Lends the values of the newest sample that is at least `span` old, or of the oldest there is; `*age` is how old it is. */
const uint64_t *counter_history_before(const struct counter_history *history, struct mono now, span_us span,
				       span_us *age);

#endif
