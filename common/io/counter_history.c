#include "common/io/counter_history.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *sample(const struct counter_history *history, size_t place)
{
	return history->values + place * history->rows;
}

void counter_history_init(struct counter_history *history, size_t rows, struct mono now)
{
	*history = (struct counter_history){
		.rows = rows, .values = calloc(COUNTER_SAMPLES * (rows ? rows : 1), sizeof *history->values)};
	ASSERT(history->values);
	history->taken[0] = now;
	history->count = history->next = 1;
}

void counter_history_release(struct counter_history *history)
{
	free(history->values);
	*history = (struct counter_history){0};
}

void counter_history_take(struct counter_history *history, const uint64_t *values, struct mono now)
{
	memcpy(sample(history, history->next), values, history->rows * sizeof *values);
	history->taken[history->next] = now;
	history->next = (history->next + 1) % COUNTER_SAMPLES;
	history->count += history->count < COUNTER_SAMPLES;
}

const uint64_t *counter_history_before(const struct counter_history *history, struct mono now, span_us span,
				       span_us *age)
{
	size_t place = 0;
	for (size_t back = 1; back <= history->count; back++) {
		place = (history->next + COUNTER_SAMPLES - back) % COUNTER_SAMPLES;
		*age = mono_since(now, history->taken[place]);
		if (*age >= span)
			break;
	}
	return sample(history, place);
}
