#include "application-server/joins/joins.h"

#include "application-server/store_keys.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRE_EVERY (60 * US_PER_S)

struct pair {
	struct lw_eui64 dev_eui, join_eui;
};

struct stranger {
	struct pair pair; /* the key */
	struct as_attempt attempt;
};

void as_joins_init(struct as_joins *joins, struct as_store *store, struct rng *rng)
{
	*joins = (struct as_joins){.store = store};
	table_init(&joins->unknown, AS_STRANGERS_MAX, sizeof(struct stranger), sizeof(struct pair), rng);
	table_init(&joins->foreign, AS_STRANGERS_MAX, sizeof(struct stranger), sizeof(struct pair), rng);
	as_replays_init(&joins->replays, rng);
	joins->live = calloc(AS_LIVE_JOINS, sizeof *joins->live);
	ASSERT(joins->live);
}

void as_joins_release(struct as_joins *joins)
{
	table_release(&joins->unknown);
	table_release(&joins->foreign);
	as_replays_release(&joins->replays);
	free(joins->live);
	*joins = (struct as_joins){0};
}

/* --- taking ------------------------------------------------------------------------------------------------- */

static enum status find_owner(struct as_joins *joins, const struct lw_eui64 *device,
			      struct as_attempt *attempt)
{
	struct as_device_info info;
	enum status status = as_store_device_info(joins->store, device, &info);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	attempt->has_owner = true;
	attempt->agency = info.agency;
	attempt->application = info.application;
	return ST_OK;
}

static enum status keep(struct as_joins *joins, struct now now, const struct net_join_report *report,
			struct as_attempt *attempt)
{
	int64_t seq = 0;
	enum status status = as_store_attempt_get(joins->store, &report->device, report->attempt, attempt,
						  &seq);
	if (status == ST_NOT_FOUND) {
		*attempt = (struct as_attempt){.updated = now.wall};
		seq = 0;
	} else if (status != ST_OK) {
		return status;
	}
	as_attempt_merge(attempt, report, now.wall);
	attempt->has_owner = false;
	status = find_owner(joins, &report->device, attempt);
	return status == ST_OK ? as_store_attempt_put(joins->store, attempt, seq) : status;
}

static void make_room(struct as_joins *joins, struct table *table)
{
	const struct stranger *oldest = NULL, *row;
	size_t at = 0;
	while ((row = table_next(table, &at)))
		if (!oldest || row->attempt.updated.us < oldest->attempt.updated.us)
			oldest = row;
	if (oldest) {
		struct pair pair = oldest->pair;
		table_remove(table, &pair);
		joins->strangers_replaced++;
	}
}

/* Counts go on over the network server's numbers: it forgets a silent stranger sooner than we do. */
static void remember(struct as_joins *joins, struct now now, const struct net_join_report *report,
		     struct as_attempt *attempt)
{
	struct table *table = report->verdict == NET_JOIN_FOREIGN ? &joins->foreign : &joins->unknown;
	const struct pair pair = {report->dev_eui, report->join_eui};
	bool made;
	if (table->count == table->limit && !table_get(table, &pair))
		make_room(joins, table);
	struct stranger *stranger = table_put(table, &pair, &made);
	ASSERT(stranger);
	if (!made)
		stranger->attempt.report.attempt = report->attempt;
	as_attempt_merge(&stranger->attempt, report, now.wall);
	if (!report->has_device)
		*attempt = stranger->attempt;
}

static void publish(struct as_joins *joins, const struct as_attempt *attempt)
{
	uint64_t seq = ++joins->last;
	joins->live[seq % AS_LIVE_JOINS] = (struct as_live_join){seq, *attempt};
}

enum status as_joins_on_report(struct as_joins *joins, struct now now, const struct net_join_report *report)
{
	struct as_attempt attempt = {.updated = now.wall};
	enum status status = ST_OK;
	joins->reports++;
	if (report->has_device)
		status = keep(joins, now, report, &attempt);
	if (status != ST_OK)
		return status;
	as_replays_on_attempt(&joins->replays, now, &attempt);
	if (!report->has_device || !lw_eui64_equal(&report->device, &report->dev_eui))
		remember(joins, now, report, &attempt);
	publish(joins, &attempt);
	return ST_OK;
}

static void expire_table(struct table *table, struct wall before)
{
	for (bool more = true; more;) {
		struct pair old[64];
		size_t at = 0, count = 0;
		const struct stranger *row;
		while (count < ARRAY_SIZE(old) && (row = table_next(table, &at)))
			if (row->attempt.updated.us < before.us)
				old[count++] = row->pair;
		for (size_t i = 0; i < count; i++)
			table_remove(table, &old[i]);
		more = count == ARRAY_SIZE(old);
	}
}

void as_joins_expire(struct as_joins *joins, struct now now)
{
	if (mono_since(now.mono, joins->expired) < EXPIRE_EVERY)
		return;
	joins->expired = now.mono;
	struct wall before = {now.wall.us - AS_STRANGERS_KEPT};
	expire_table(&joins->unknown, before);
	expire_table(&joins->foreign, before);
	for (size_t i = 0; i < AS_LIVE_JOINS; i++)
		if (joins->live[i].seq != 0 && joins->live[i].attempt.updated.us < before.us)
			joins->live[i] = (struct as_live_join){0};
}

/* --- asking ------------------------------------------------------------------------------------------------- */

static int latest_first(const void *left, const void *right)
{
	const struct as_attempt *a = *(const struct as_attempt *const *)left,
				*b = *(const struct as_attempt *const *)right;
	return a->updated.us < b->updated.us ? 1 : a->updated.us > b->updated.us ? -1 : 0;
}

json_t *as_joins_strangers(struct as_joins *joins, struct now now, const struct lw_eui64 *dev_eui,
			   struct wall since, size_t limit)
{
	const struct as_attempt **found = calloc(2 * AS_STRANGERS_MAX, sizeof(struct as_attempt *));
	const struct table *tables[] = {&joins->unknown, &joins->foreign};
	json_t *items = json_array();
	size_t count = 0;
	for (size_t i = 0; found && i < ARRAY_SIZE(tables); i++) {
		size_t at = 0;
		for (const struct stranger *row; (row = table_next(tables[i], &at));) {
			const struct net_join_report *report = &row->attempt.report;
			if (row->attempt.updated.us >= since.us &&
			    row->attempt.updated.us >= now.wall.us - AS_STRANGERS_KEPT &&
			    (!dev_eui || lw_eui64_equal(dev_eui, &report->dev_eui)))
				found[count++] = &row->attempt;
		}
	}
	if (found)
		qsort(found, count, sizeof(struct as_attempt *), latest_first);
	for (size_t i = 0; i < count && json_array_size(items) < limit; i++) {
		struct as_device_info registered;
		if (as_store_device_info(joins->store, &found[i]->report.dev_eui, &registered) ==
		    ST_NOT_FOUND)
			json_array_append_new(items, as_attempt_json(joins, now, found[i], 0));
	}
	free(found);
	return items;
}

const struct as_live_join *as_joins_next(const struct as_joins *joins, uint64_t seq)
{
	if (seq >= joins->last)
		return NULL;
	uint64_t next = joins->last - seq > AS_LIVE_JOINS ? joins->last - AS_LIVE_JOINS + 1 : seq + 1;
	for (; next <= joins->last; next++)
		if (joins->live[next % AS_LIVE_JOINS].seq == next)
			return &joins->live[next % AS_LIVE_JOINS];
	return NULL;
}
