/* The newest reading of each device, where its chain of readings begins (store_readings.c). In memory stand only the heads
 * that changed since they were last written; the others are rows of reading_heads.
 *
 *	put ──▶ changed ──AS_HEADS_FOLD or AS_HEADS_TAIL──▶ folding (sorted) ──slices──▶ rows
 *
 * A fold writes its heads in key order, so that many heads share a page; while it is under way new changes gather beside it.
 * A head that changes again meanwhile is written twice, the newer later. Pure. */
#ifndef LAMPPOST_AS_READING_HEADS_H
#define LAMPPOST_AS_READING_HEADS_H

#include "common/base/table.h"

#define AS_HEADS_FOLD 16384 /* changed heads that are worth a fold */
#define AS_HEADS_TAIL 65536 /* readings since the last one: so many are read again at a start */
#define AS_HEADS_MAX  (2 * AS_HEADS_FOLD)

struct as_head {
	int64_t dev_eui; /* as SQLite keeps it */
	uint64_t seq;
};

struct as_reading_heads {
	struct table changed;    /* struct as_head by dev_eui */
	struct as_head *folding; /* owned, sorted by dev_eui */
	size_t fold_count, fold_next;
	uint64_t fold_seq; /* rows hold every head up to it when this fold is done */
	uint64_t written;  /* rows hold every head up to it */
};

void as_heads_init(struct as_reading_heads *heads, struct rng *rng);
void as_heads_release(struct as_reading_heads *heads);
/* 0: not in memory; the row holds. */
uint64_t as_heads_get(const struct as_reading_heads *heads, int64_t dev_eui);
/* There must be room: a fold is finished before changes are AS_HEADS_MAX. */
void as_heads_put(struct as_reading_heads *heads, int64_t dev_eui, uint64_t seq);
/* Begins a fold where one is due; `last` is the newest reading's seq. */
void as_heads_begin(struct as_reading_heads *heads, uint64_t last);
/* The heads that are to be written next, at most `limit`; 0: none. */
size_t as_heads_take(struct as_reading_heads *heads, size_t limit, const struct as_head **slice);
/* What was taken is in the transaction. True: that was the last of the fold. */
bool as_heads_written(struct as_reading_heads *heads, size_t count);

#endif
