#include "application-server/alarms/alarms.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *as_alarm_state_name(enum as_alarm_state state)
{
	static const char *const names[] = {"pending", "raised", "cleared"};
	return names[state];
}

void as_alarms_init(struct as_alarms *alarms, struct rng *rng, int64_t last_id)
{
	*alarms = (struct as_alarms){.last_id = last_id, .silent = GW_SILENT_US, .offline = 600 * US_PER_S};
	table_init(&alarms->table, AS_ALARMS_MAX, sizeof(struct as_alarm), sizeof(struct as_alarm_key), rng);
}

void as_alarms_set_spans(struct as_alarms *alarms, span_us silent, span_us offline)
{
	alarms->silent = silent;
	alarms->offline = offline > silent ? offline : silent;
}

/* As long as its row says where the span of silence is the usual one or longer, and shorter by as much as that is shorter. */
static span_us hold(const struct as_alarms *alarms, const struct as_alarm_kind *kind, span_us span)
{
	if (!kind->of_silence || alarms->silent >= GW_SILENT_US)
		return span;
	return span * alarms->silent / GW_SILENT_US;
}

span_us as_alarms_hold_raise(const struct as_alarms *alarms, const struct as_alarm_kind *kind)
{
	return hold(alarms, kind, kind->hold_raise);
}

span_us as_alarms_hold_clear(const struct as_alarms *alarms, const struct as_alarm_kind *kind)
{
	return hold(alarms, kind, kind->hold_clear);
}

void as_alarms_release(struct as_alarms *alarms)
{
	table_release(&alarms->table);
}

static struct as_alarm_key key_of(enum as_alarm_kind_id kind, const char *subject)
{
	struct as_alarm_key key = {.kind = (uint8_t)kind};
	as_alarm_letters(key.subject, AS_ALARM_SUBJECT, subject);
	return key;
}

struct as_alarm *as_alarms_find(const struct as_alarms *alarms, enum as_alarm_kind_id kind,
				const char *subject)
{
	const struct as_alarm_key key = key_of(kind, subject);
	return table_get(&alarms->table, &key);
}

struct as_alarm *as_alarms_next(const struct as_alarms *alarms, size_t *at)
{
	return table_next(&alarms->table, at);
}

struct as_alarm *as_alarms_by_id(const struct as_alarms *alarms, int64_t id)
{
	struct as_alarm *alarm;
	for (size_t at = 0; id != 0 && (alarm = table_next(&alarms->table, &at));)
		if (alarm->id == id)
			return alarm;
	return NULL;
}

/* --- places -------------------------------------------------------------------------------------------------- */

/* Takes out the alarm that is cleared for longest; false: none is. */
static bool make_room(struct as_alarms *alarms)
{
	struct as_alarm *alarm, *oldest = NULL;
	for (size_t at = 0; (alarm = table_next(&alarms->table, &at));)
		if (alarm->state == AS_CLEARED && !alarm->dirty &&
		    (!oldest || alarm->cleared.us < oldest->cleared.us))
			oldest = alarm;
	if (!oldest)
		return false;
	const struct as_alarm_key key = oldest->key;
	return table_remove(&alarms->table, &key);
}

static struct as_alarm *put(struct as_alarms *alarms, const struct as_alarm_key *key, bool *made)
{
	struct as_alarm *alarm = table_put(&alarms->table, key, made);
	if (!alarm && make_room(alarms))
		alarm = table_put(&alarms->table, key, made);
	return alarm;
}

bool as_alarms_restore(struct as_alarms *alarms, const struct as_alarm *kept, struct now now)
{
	bool made;
	struct as_alarm *alarm = put(alarms, &kept->key, &made);
	if (!alarm)
		return false;
	ASSERT(made);
	*alarm = *kept;
	alarm->bad = kept->state == AS_RAISED;
	alarm->turned = now.mono;
	alarm->dirty = false;
	if (alarm->id > alarms->last_id)
		alarms->last_id = alarm->id;
	return true;
}

/* --- rounds -------------------------------------------------------------------------------------------------- */

void as_alarms_begin(struct as_alarms *alarms, enum as_alarm_source source)
{
	alarms->rounds[source]++;
}

static void turn(struct as_alarm *alarm, bool bad, struct now now)
{
	if (alarm->bad == bad)
		return;
	alarm->bad = bad;
	alarm->turned = now.mono;
}

/* What people see of it; while it is raised alone, so that a cleared one keeps the numbers that it had. */
static void describe(struct as_alarm *alarm, const struct as_observation *seen)
{
	const char *name = seen->name && *seen->name ? seen->name : alarm->key.subject;
	as_alarm_letters(alarm->name, sizeof alarm->name, name);
	as_alarm_letters(alarm->detail, sizeof alarm->detail, seen->detail ? seen->detail : "");
	alarm->value = seen->value;
	alarm->has_agency = seen->agency != NULL;
	if (seen->agency)
		alarm->agency = *seen->agency;
}

/* A raised alarm whose value goes on: worse voids who took it on. */
static void judge_severity(struct as_alarm *alarm)
{
	enum as_severity severity = as_alarm_severity(as_alarm_kind_of(alarm), alarm->value);
	if (severity == alarm->severity)
		return;
	if (severity > alarm->severity)
		alarm->acknowledged = false;
	alarm->severity = severity;
	alarm->dirty = true;
}

void as_alarms_observe(struct as_alarms *alarms, const struct as_observation *seen, struct now now)
{
	const struct as_alarm_kind *kind = &as_alarm_kinds[seen->kind];
	const struct as_alarm_key key = key_of(seen->kind, seen->subject);
	struct as_alarm *alarm = table_get(&alarms->table, &key);
	bool bad = !seen->unknown && as_alarm_is_bad(kind, seen->value);
	bool made = false;
	if (!alarm && !bad)
		return;
	if (!alarm)
		alarm = put(alarms, &key, &made);
	if (!alarm) {
		alarms->left_out++;
		return;
	}
	alarm->round = alarms->rounds[kind->source];
	if (seen->unknown)
		return;
	if (made) {
		alarm->state = AS_PENDING;
		alarm->bad = true;
		alarm->turned = now.mono;
		alarm->since = now.wall;
	}
	if (bad || !as_alarm_is_good(kind, seen->value)) {
		bool raised = alarm->state == AS_RAISED;
		if (bad && !alarm->bad && alarm->state == AS_CLEARED)
			alarm->since = now.wall;
		if (bad)
			turn(alarm, true, now);
		if (bad || raised)
			describe(alarm, seen);
		if (raised)
			judge_severity(alarm);
		return;
	}
	turn(alarm, false, now);
}

void as_alarms_end(struct as_alarms *alarms, enum as_alarm_source source, struct now now)
{
	struct as_alarm *alarm;
	for (size_t at = 0; (alarm = table_next(&alarms->table, &at));)
		if (as_alarm_kind_of(alarm)->source == source && alarm->round != alarms->rounds[source])
			turn(alarm, false, now);
}

/* --- time ---------------------------------------------------------------------------------------------------- */

static void raise_alarm(struct as_alarms *alarms, struct as_alarm *alarm, struct now now)
{
	bool again = alarm->state == AS_CLEARED;
	if (!again)
		alarm->id = ++alarms->last_id;
	if (!again || now.wall.us - alarm->cleared.us > AS_TIMES_SPAN)
		alarm->times = 0;
	if (alarm->times == 0)
		alarm->first = alarm->since;
	alarm->times++;
	alarm->state = AS_RAISED;
	alarm->change++;
	alarm->acknowledged = false;
	alarm->severity = as_alarm_severity(as_alarm_kind_of(alarm), alarm->value);
	alarm->dirty = true;
	alarms->raised++;
}

static void clear_alarm(struct as_alarms *alarms, struct as_alarm *alarm, struct now now)
{
	alarm->state = AS_CLEARED;
	alarm->change++;
	alarm->acknowledged = false;
	alarm->cleared = now.wall;
	alarm->dirty = true;
	alarms->cleared++;
}

/* Which alarm of the same subject takes it in; 0: none. */
static void judge_within(const struct as_alarms *alarms, struct as_alarm *alarm, struct now now)
{
	enum as_alarm_kind_id within = as_alarm_kind_of(alarm)->within;
	if (within == AS_ALARM_KINDS || as_alarm_is_part(alarms, alarm))
		return;
	const struct as_alarm *whole = as_alarms_find(alarms, within, alarm->key.subject);
	if (whole && whole->state == AS_RAISED)
		as_alarm_set_part(alarm, whole, now);
	else if (alarm->part_of)
		as_alarm_set_part(alarm, NULL, now);
}

void as_alarms_step(struct as_alarms *alarms, struct now now)
{
	struct as_alarm *alarm;
	size_t gone_count = 0;
	struct as_alarm_key gone[64]; /* the rest at the next step */
	for (size_t at = 0; (alarm = table_next(&alarms->table, &at));) {
		const struct as_alarm_kind *kind = as_alarm_kind_of(alarm);
		span_us held = mono_since(now.mono, alarm->turned);
		bool over = false;
		if (alarm->state != AS_RAISED && alarm->bad && held >= as_alarms_hold_raise(alarms, kind))
			raise_alarm(alarms, alarm, now);
		else if (alarm->state == AS_RAISED && !alarm->bad &&
			 held >= as_alarms_hold_clear(alarms, kind))
			clear_alarm(alarms, alarm, now);
		else if (alarm->state == AS_PENDING && !alarm->bad)
			over = true;
		else if (alarm->state == AS_CLEARED && !alarm->bad && !alarm->dirty)
			over = now.wall.us - alarm->cleared.us > AS_CLEARED_KEPT;
		if (over && gone_count < sizeof gone / sizeof *gone)
			gone[gone_count++] = alarm->key;
		if (alarm->acknowledged && alarm->ack_until.us != 0 && now.wall.us >= alarm->ack_until.us) {
			alarm->acknowledged = false;
			alarm->dirty = true;
		}
		judge_within(alarms, alarm, now);
	}
	for (size_t i = 0; i < gone_count; i++)
		(void)table_remove(&alarms->table, &gone[i]);
}

/* --- parts, acknowledgements, counts ------------------------------------------------------------------------- */

bool as_alarm_is_part(const struct as_alarms *alarms, const struct as_alarm *alarm)
{
	if (alarm->part_of == 0)
		return false;
	const struct as_alarm *whole = table_get(&alarms->table, &alarm->part_key);
	return whole && whole->id == alarm->part_of && whole->state == AS_RAISED;
}

void as_alarm_set_part(struct as_alarm *alarm, const struct as_alarm *whole, struct now now)
{
	if (alarm->part_of == (whole ? whole->id : 0))
		return;
	if (whole) {
		alarm->part_of = whole->id;
		alarm->part_key = whole->key;
	} else {
		alarm->part_of = 0;
		alarm->freed = now.mono;
		alarm->was_part = true;
	}
	alarm->dirty = alarm->id != 0;
}

bool as_alarm_acknowledge(struct as_alarm *alarm, const char *who, const char *note, struct wall until,
			  struct wall now)
{
	if (alarm->state != AS_RAISED)
		return false;
	alarm->acknowledged = true;
	alarm->ack_at = now;
	alarm->ack_until = until;
	as_alarm_letters(alarm->ack_who, sizeof alarm->ack_who, who);
	as_alarm_letters(alarm->ack_note, sizeof alarm->ack_note, note ? note : "");
	alarm->dirty = true;
	return true;
}

struct as_alarm_counts as_alarms_count(const struct as_alarms *alarms)
{
	struct as_alarm_counts counts = {0};
	const struct as_alarm *alarm;
	for (size_t at = 0; (alarm = table_next(&alarms->table, &at));) {
		if (alarm->state != AS_RAISED)
			continue;
		if (as_alarm_is_part(alarms, alarm))
			counts.parts++;
		else if (alarm->acknowledged)
			counts.acknowledged++;
		else
			counts.open[alarm->severity]++;
	}
	return counts;
}
