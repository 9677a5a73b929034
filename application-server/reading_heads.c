#include "application-server/reading_heads.h"

#include "common/base/check.h"

#include <stdlib.h>

void as_heads_init(struct as_reading_heads *heads, struct rng *rng)
{
	*heads = (struct as_reading_heads){.folding = calloc(AS_HEADS_MAX, sizeof *heads->folding)};
	ASSERT(heads->folding);
	table_init(&heads->changed, AS_HEADS_MAX, sizeof(struct as_head), sizeof(int64_t), rng);
}

void as_heads_release(struct as_reading_heads *heads)
{
	table_release(&heads->changed);
	free(heads->folding);
	*heads = (struct as_reading_heads){0};
}

static int by_device(const void *a, const void *b)
{
	const struct as_head *x = a, *y = b;
	return (x->dev_eui > y->dev_eui) - (x->dev_eui < y->dev_eui);
}

uint64_t as_heads_get(const struct as_reading_heads *heads, int64_t dev_eui)
{
	const struct as_head *head = table_get(&heads->changed, &dev_eui);
	if (!head && heads->fold_count)
		head = bsearch(&(struct as_head){.dev_eui = dev_eui}, heads->folding, heads->fold_count,
			       sizeof *heads->folding, by_device);
	return head ? head->seq : 0;
}

void as_heads_put(struct as_reading_heads *heads, int64_t dev_eui, uint64_t seq)
{
	bool made;
	struct as_head *head = table_put(&heads->changed, &dev_eui, &made);
	ASSERT(head);
	head->seq = seq;
}

void as_heads_begin(struct as_reading_heads *heads, uint64_t last)
{
	if (heads->fold_count ||
	    (heads->changed.count < AS_HEADS_FOLD && last - heads->written < AS_HEADS_TAIL))
		return;
	if (heads->changed.count == 0) {
		heads->written = last; /* nothing to write, and nothing to read again */
		return;
	}
	const struct as_head *head;
	for (size_t at = 0; (head = table_next(&heads->changed, &at));)
		heads->folding[heads->fold_count++] = *head;
	table_clear(&heads->changed);
	qsort(heads->folding, heads->fold_count, sizeof *heads->folding, by_device);
	heads->fold_next = 0;
	heads->fold_seq = last;
}

size_t as_heads_take(struct as_reading_heads *heads, size_t limit, const struct as_head **slice)
{
	size_t left = heads->fold_count - heads->fold_next;
	*slice = heads->folding + heads->fold_next;
	return left < limit ? left : limit;
}

bool as_heads_written(struct as_reading_heads *heads, size_t count)
{
	heads->fold_next += count;
	if (heads->fold_next < heads->fold_count || heads->fold_count == 0)
		return false;
	heads->fold_count = heads->fold_next = 0;
	heads->written = heads->fold_seq;
	return true;
}
