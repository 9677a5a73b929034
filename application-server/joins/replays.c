#include "application-server/joins/replays.h"

#include "common/base/check.h"

#include <stdio.h>

struct as_replay {
	struct lw_eui64 dev_eui; /* the key */
	uint64_t attempt;        /* counted last */
	int64_t count;
	struct mono last;
	uint16_t dev_nonce; /* of the last one */
	bool has_nonce;     /* false: known from before the start alone */
	bool has_agency;
	bool is_named; /* since it was counted last */
	struct net_uuid agency;
	char name[AS_ALARM_NAME];
};

void as_replays_init(struct as_replays *replays, struct rng *rng)
{
	table_init(&replays->table, AS_REPLAYS_MAX, sizeof(struct as_replay), sizeof(struct lw_eui64), rng);
}

void as_replays_release(struct as_replays *replays)
{
	table_release(&replays->table);
}

static void make_room(struct table *table)
{
	const struct as_replay *oldest = NULL, *row;
	for (size_t at = 0; (row = table_next(table, &at));)
		if (!oldest || row->last.us < oldest->last.us)
			oldest = row;
	if (oldest) {
		struct lw_eui64 dev_eui = oldest->dev_eui;
		table_remove(table, &dev_eui);
	}
}

static struct as_replay *row_of(struct as_replays *replays, const struct lw_eui64 *dev_eui)
{
	struct table *table = &replays->table;
	bool made;
	if (table->count == table->limit && !table_get(table, dev_eui))
		make_room(table);
	struct as_replay *row = table_put(table, dev_eui, &made);
	ASSERT(row);
	return row;
}

static bool is_replay(const struct net_join_report *report)
{
	return report->verdict == NET_JOIN_DEV_NONCE_USED ||
	       report->verdict == NET_JOIN_DEV_NONCE_NOT_INCREASING;
}

static bool is_over(const struct as_replay *row, struct now now)
{
	return mono_since(now.mono, row->last) >= AS_REPLAY_SPAN;
}

void as_replays_on_attempt(struct as_replays *replays, struct now now, const struct as_attempt *attempt)
{
	const struct net_join_report *report = &attempt->report;
	if (!is_replay(report) || !attempt->has_owner || !report->has_device)
		return;
	struct as_replay *row = row_of(replays, &report->device);
	if (row->count > 0 && row->attempt == report->attempt)
		return;
	if (is_over(row, now))
		row->count = 0;
	row->count++;
	row->attempt = report->attempt;
	row->last = now.mono;
	row->dev_nonce = report->dev_nonce;
	row->has_nonce = true;
	row->has_agency = true;
	row->is_named = false;
	row->agency = attempt->agency;
}

void as_replays_restore(struct as_replays *replays, struct now now, const struct as_alarm *alarm)
{
	struct lw_eui64 dev_eui;
	if (alarm->key.kind != AS_ALARM_JOIN_REPLAYED || alarm->state != AS_RAISED ||
	    !lw_eui64_parse(alarm->key.subject, &dev_eui))
		return;
	struct as_replay *row = row_of(replays, &dev_eui);
	row->count = alarm->value;
	row->last = now.mono;
	row->has_agency = alarm->has_agency;
	row->agency = alarm->agency;
}

/* Once over the table: what a removal moves comes to the place that was left, or further on. */
static void forget_old(struct table *table, struct now now)
{
	const struct as_replay *row;
	for (size_t at = 0; (row = table_next(table, &at));) {
		if (!is_over(row, now))
			continue;
		struct lw_eui64 dev_eui = row->dev_eui;
		table_remove(table, &dev_eui);
		at--;
	}
}

void as_replays_observe(struct as_replays *replays, struct as_alarms *alarms, struct now now,
			void (*name_of)(void *ctx, const struct lw_eui64 *dev_eui, char name[AS_ALARM_NAME]),
			void *ctx)
{
	struct as_replay *row;
	unsigned names = AS_REPLAY_NAMES;
	forget_old(&replays->table, now);
	as_alarms_begin(alarms, AS_SOURCE_JOINS);
	for (size_t at = 0; (row = table_next(&replays->table, &at));) {
		char subject[LW_EUI64_TEXT], detail[AS_ALARM_DETAIL] = "";
		lw_eui64_format(subject, &row->dev_eui);
		if (row->name[0] == '\0')
			snprintf(row->name, sizeof row->name, "%s", subject);
		if (!row->is_named && names > 0) {
			names--;
			row->is_named = true;
			name_of(ctx, &row->dev_eui, row->name);
		}
		if (row->has_nonce)
			snprintf(detail, sizeof detail, "The last had DevNonce %u.", row->dev_nonce);
		const struct as_observation seen = {.kind = AS_ALARM_JOIN_REPLAYED,
						    .subject = subject,
						    .name = row->name,
						    .detail = detail,
						    .value = row->count,
						    .agency = row->has_agency ? &row->agency : NULL};
		as_alarms_observe(alarms, &seen, now);
	}
	as_alarms_end(alarms, AS_SOURCE_JOINS, now);
}
