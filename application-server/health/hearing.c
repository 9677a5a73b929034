#include "application-server/health/hearing.h"

#include <string.h>

#define HOUR_US    (3600 * US_PER_S)
#define TOLD_MAX   4 /* receptions of one uplink that are looked at: the first ones */
#define FULL       (AS_HEARING_MAX * 3 / 4)
#define UNMEASURED INT32_MIN

void as_hearing_init(struct as_hearing *hearing, struct rng *rng)
{
	*hearing = (struct as_hearing){.hour = 0};
	for (size_t i = 0; i < 2; i++)
		table_init(&hearing->tables[i], AS_HEARING_MAX, sizeof(struct as_hearing_row),
			   sizeof(int64_t), rng);
}

void as_hearing_release(struct as_hearing *hearing)
{
	for (size_t i = 0; i < 2; i++)
		table_release(&hearing->tables[i]);
	*hearing = (struct as_hearing){.hour = 0};
}

/* --- a row */

static void halve(struct as_hearing_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		row->hearers[i].heard = (row->hearers[i].heard + 1) / 2;
		row->hearers[i].best /= 2;
	}
}

/* Adds to the gateway's place, or takes the place of the one that was heard longest ago, and goes to the front. Whether it had
 * none. */
static bool add(struct as_hearing_row *row, const struct as_hearer *more)
{
	struct as_hearer sum = *more;
	size_t at = 0;
	while (at < row->count && row->hearers[at].gateway != more->gateway)
		at++;
	bool is_new = at == row->count;
	if (!is_new) {
		sum.heard += row->hearers[at].heard;
		sum.best += row->hearers[at].best;
		sum.last = row->hearers[at].last > more->last ? row->hearers[at].last : more->last;
	} else if (row->count < AS_HEARERS_MAX) {
		row->count++;
	} else {
		at = AS_HEARERS_MAX - 1;
	}
	memmove(&row->hearers[1], &row->hearers[0], at * sizeof row->hearers[0]);
	row->hearers[0] = sum;
	if (sum.heard >= AS_HEARING_HALVE)
		halve(row);
	return is_new;
}

void as_hearing_merge(struct as_hearing_row *a, const struct as_hearing_row *b)
{
	for (size_t i = b->count; i > 0; i--)
		(void)add(a, &b->hearers[i - 1]);
}

void as_hearing_write(const struct as_hearing_row *row, struct wr *wr)
{
	for (size_t i = 0; i < row->count; i++) {
		wr_u64le(wr, (uint64_t)row->hearers[i].gateway);
		wr_u32le(wr, row->hearers[i].last);
		wr_u32le(wr, row->hearers[i].heard);
		wr_u32le(wr, row->hearers[i].best);
	}
}

bool as_hearing_read(struct rd *rd, struct as_hearing_row *row)
{
	row->count = 0;
	while (rd_left(rd) > 0 && row->count < AS_HEARERS_MAX) {
		struct as_hearer *hearer = &row->hearers[row->count++];
		hearer->gateway = (int64_t)rd_u64le(rd);
		hearer->last = rd_u32le(rd);
		hearer->heard = rd_u32le(rd);
		hearer->best = rd_u32le(rd);
	}
	return rd_ok(rd) && rd_left(rd) == 0;
}

/* --- uplinks */

static size_t best_of(const struct net_up_event *event, size_t count)
{
	size_t best = 0;
	int32_t most = UNMEASURED;
	for (size_t i = 0; i < count; i++) {
		int32_t snr = event->receptions[i].has_snr ? event->receptions[i].snr_cdb
							   : 100 * event->receptions[i].rssi_dbm;
		if (snr > most) {
			most = snr;
			best = i;
		}
	}
	return best;
}

void as_hearing_uplink(struct as_hearing *hearing, const struct net_up_event *event, struct wall now)
{
	bool made;
	int64_t key = (int64_t)lw_eui64_number(&event->head.dev_eui);
	size_t count = event->reception_count < TOLD_MAX ? event->reception_count : TOLD_MAX;
	struct as_hearing_row *row = count ? table_put(&hearing->tables[hearing->filled], &key, &made) : NULL;
	if (!row)
		return;
	size_t best = best_of(event, count);
	bool is_new = false;
	for (size_t i = 0; i < count; i++) {
		const struct as_hearer heard = {
			.gateway = (int64_t)lw_eui64_number(&event->receptions[i].gateway),
			.last = (uint32_t)(now.us / HOUR_US),
			.heard = 1,
			.best = i == best};
		is_new = add(row, &heard) || is_new;
	}
	if (is_new && !row->waits && hearing->fresh_count < AS_HEARING_FRESH) {
		row->waits = true;
		hearing->fresh[hearing->fresh_count++] = key;
	}
}

bool as_hearing_is_due(struct as_hearing *hearing, struct wall now)
{
	uint32_t hour = (uint32_t)(now.us / HOUR_US);
	size_t count = hearing->tables[hearing->filled].count;
	if (hearing->folds)
		return true;
	if (count == 0 || (count < FULL && hour == hearing->hour))
		return false;
	hearing->hour = hour;
	hearing->full = count >= FULL;
	hearing->filled ^= 1;
	hearing->folds = true;
	hearing->at = 0;
	return true;
}

const struct as_hearing_row *as_hearing_take(struct as_hearing *hearing)
{
	struct table *folded = &hearing->tables[hearing->filled ^ 1];
	const struct as_hearing_row *row = hearing->folds ? table_next(folded, &hearing->at) : NULL;
	if (!row && hearing->folds) {
		table_clear(folded);
		hearing->folds = false;
	}
	return row;
}

void as_hearing_keep(struct as_hearing *hearing, const struct as_hearing_row *row)
{
	bool made;
	struct as_hearing_row *kept = hearing->full ? NULL
						    : table_put(&hearing->tables[hearing->filled],
								&row->dev_eui, &made);
	if (!kept)
		return;
	struct as_hearing_row newer = *kept;
	kept->count = 0;
	as_hearing_merge(kept, row);
	as_hearing_merge(kept, &newer);
}

bool as_hearing_take_fresh(struct as_hearing *hearing, int64_t *dev_eui)
{
	if (hearing->fresh_count == 0)
		return false;
	*dev_eui = hearing->fresh[--hearing->fresh_count];
	struct as_hearing_row *row = table_get(&hearing->tables[hearing->filled], dev_eui);
	if (row)
		row->waits = false;
	return true;
}

void as_hearing_written(struct as_hearing *hearing, int64_t dev_eui)
{
	(void)table_remove(&hearing->tables[hearing->filled], &dev_eui);
}

const struct as_hearing_row *as_hearing_new(const struct as_hearing *hearing, int64_t dev_eui)
{
	return table_get(&hearing->tables[hearing->filled], &dev_eui);
}

static uint32_t last_of(const struct as_hearing_row *row)
{
	uint32_t last = 0;
	for (size_t i = 0; i < row->count; i++)
		last = row->hearers[i].last > last ? row->hearers[i].last : last;
	return last;
}

static uint32_t heard_of(const struct as_hearing_row *row)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < row->count; i++)
		sum += row->hearers[i].heard;
	return sum;
}

bool as_hearing_differs(const struct as_hearing_row *a, const struct as_hearing_row *b)
{
	bool differs = last_of(a) / 24 != last_of(b) / 24 || heard_of(b) >= heard_of(a);
	for (size_t i = 0; i < b->count && !differs; i++) {
		size_t k = 0;
		while (k < a->count && a->hearers[k].gateway != b->hearers[i].gateway)
			k++;
		differs = k == a->count;
	}
	return differs;
}
