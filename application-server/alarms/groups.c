#include "application-server/alarms/groups.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void as_groups_init(struct as_groups *groups, size_t limit)
{
	*groups = (struct as_groups){.members = calloc(limit, sizeof *groups->members), .limit = limit};
	ASSERT(groups->members);
}

void as_groups_release(struct as_groups *groups)
{
	free(groups->members);
	*groups = (struct as_groups){.members = NULL};
}

void as_groups_clear(struct as_groups *groups)
{
	groups->count = 0;
}

void as_groups_add(struct as_groups *groups, const struct as_group_member *member)
{
	if (groups->count < groups->limit)
		groups->members[groups->count++] = *member;
}

const char *as_group_of_address(char group[AS_ALARM_SUBJECT], const char *address)
{
	unsigned a, b, c, d;
	char first[8], second[8], third[8];
	group[0] = '\0';
	if (sscanf(address, "%3u.%3u.%3u.%3u", &a, &b, &c, &d) == 4)
		snprintf(group, AS_ALARM_SUBJECT, "%u.%u.%u.0/24", a, b, c);
	else if (sscanf(address, "[%4[0-9a-f]:%4[0-9a-f]:%4[0-9a-f]:", first, second, third) == 3)
		snprintf(group, AS_ALARM_SUBJECT, "%s:%s:%s::/48", first, second, third);
	return group;
}

/* By group, the silent ones first, by when they fell silent. */
static int compare(const void *left, const void *right)
{
	const struct as_group_member *a = left, *b = right;
	int order = strcmp(a->group, b->group);
	if (order == 0)
		order = (int)b->silent - (int)a->silent;
	if (order == 0 && a->since.us != b->since.us)
		order = a->since.us < b->since.us ? -1 : 1;
	return order ? order : strcmp(a->subject, b->subject);
}

/* --- one group ----------------------------------------------------------------------------------------------- */

struct group {
	const char *subject, *name;
	enum as_alarm_kind_id kind;
	bool named;
	const struct as_group_member *members; /* borrowed; the silent ones first, by when they fell silent */
	size_t count, silent;
	size_t down, heard; /* that fell silent together; the others that were heard until then */
	struct wall since;  /* of the first of those */
};

/* The most that fell silent within one window; on a tie the latest. */
static void find_fall(struct group *group)
{
	size_t from = 0;
	for (size_t until = 0; until < group->silent; until++) {
		while (group->members[until].since.us - group->members[from].since.us > AS_GROUP_WINDOW)
			from++;
		if (until - from + 1 >= group->down) {
			group->down = until - from + 1;
			group->since = group->members[from].since;
		}
	}
	group->heard = group->count - group->silent;
}

static size_t least_of(const struct group *group)
{
	if (group->kind == AS_ALARM_CITY_SILENT)
		return AS_GROUP_LEAST_CITY;
	return group->named ? AS_GROUP_LEAST : AS_GROUP_LEAST_NET;
}

/* Whoever fell silent since the group did, or in the window before. */
static size_t count_of_it(const struct group *group, struct wall since)
{
	size_t count = 0;
	for (size_t i = 0; i < group->silent; i++)
		count += group->members[i].since.us >= since.us - AS_GROUP_WINDOW;
	return count;
}

static void describe(const struct group *group, size_t down, char detail[AS_ALARM_DETAIL])
{
	size_t used = (size_t)snprintf(detail, AS_ALARM_DETAIL, "%zu of %zu gateways silent: ", down,
				       down + group->heard);
	size_t told = 0;
	for (size_t i = group->silent - down; i < group->silent; i++) {
		const char *name = group->members[i].name;
		if (used + strlen(name) + 20 >= AS_ALARM_DETAIL)
			break;
		used += (size_t)snprintf(detail + used, AS_ALARM_DETAIL - used, "%s%s", told ? ", " : "",
					 name);
		told++;
	}
	if (told < down)
		snprintf(detail + used, AS_ALARM_DETAIL - used, " and %zu more", down - told);
}

static void set_parts(const struct group *group, struct as_alarms *alarms, size_t down,
		      const struct as_alarm *whole, struct now now)
{
	static const enum as_alarm_kind_id kinds[] = {AS_ALARM_SILENT, AS_ALARM_OFFLINE};
	bool raised = whole && whole->state == AS_RAISED;
	for (size_t i = 0; i < group->count; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
			const struct as_group_member *member = &group->members[i];
			struct as_alarm *alarm = as_alarms_find(alarms, kinds[k], member->subject);
			if (!alarm || as_alarm_is_part(alarms, alarm))
				continue;
			if (raised && i >= group->silent - down && i < group->silent)
				as_alarm_set_part(alarm, whole, now);
			else if (alarm->part_of)
				as_alarm_set_part(alarm, NULL, now);
		}
}

static void judge(struct group *group, struct as_alarms *alarms, bool known, struct now now)
{
	char detail[AS_ALARM_DETAIL] = "";
	const struct as_alarm *alarm = as_alarms_find(alarms, group->kind, group->subject);
	bool raised = alarm && alarm->state == AS_RAISED;
	unsigned share = group->kind == AS_ALARM_CITY_SILENT ? AS_GROUP_RAISE_CITY : AS_GROUP_RAISE;
	find_fall(group);
	size_t down = raised ? count_of_it(group, alarm->since) : group->down;
	size_t all = down + group->heard;
	bool bad = raised ? down * 100 >= all * AS_GROUP_CLEAR && down > 0
			  : down >= least_of(group) && down * 100 >= all * share;
	if (bad)
		describe(group, down, detail);
	as_alarms_observe(alarms,
			  &(struct as_observation){.kind = group->kind,
						   .subject = group->subject,
						   .name = group->name,
						   .detail = detail,
						   .unknown = !known,
						   .value = bad ? (int64_t)down : 0},
			  now);
	if (bad && !raised) { /* it counts from when its members fell silent */
		struct as_alarm *made = as_alarms_find(alarms, group->kind, group->subject);
		if (made && made->state != AS_RAISED)
			made->since = group->since;
	}
	if (known)
		set_parts(group, alarms, down, alarm, now);
}

/* Nobody is silent and no group is down: most rounds. Nothing is sorted then. */
static bool is_calm(const struct as_groups *groups, const struct as_alarms *alarms)
{
	const struct as_alarm *alarm;
	for (size_t i = 0; i < groups->count; i++)
		if (groups->members[i].silent)
			return false;
	for (size_t at = 0; (alarm = as_alarms_next(alarms, &at));)
		if (alarm->state != AS_CLEARED && as_alarm_kind_of(alarm)->source == AS_SOURCE_GROUPS)
			return false;
	return true;
}

/* --- all of them --------------------------------------------------------------------------------------------- */

void as_groups_judge(struct as_groups *groups, struct as_alarms *alarms, bool known, struct now now)
{
	const struct as_group_member *list = groups->members;
	as_alarms_begin(alarms, AS_SOURCE_GROUPS);
	if (known && is_calm(groups, alarms)) {
		as_alarms_end(alarms, AS_SOURCE_GROUPS, now);
		return;
	}
	qsort(groups->members, groups->count, sizeof *groups->members, compare);
	for (size_t from = 0, until; from < groups->count; from = until) {
		struct group group = {.subject = list[from].group,
				      .name = list[from].group,
				      .kind = AS_ALARM_BACKHAUL_SILENT,
				      .named = list[from].named,
				      .members = list + from};
		for (until = from; until < groups->count && strcmp(list[until].group, group.subject) == 0;
		     until++)
			group.silent += list[until].silent;
		group.count = until - from;
		if (group.subject[0])
			judge(&group, alarms, known, now);
	}
	/* The city: all of them as one group. */
	for (size_t i = 0; i < groups->count; i++)
		groups->members[i].group[0] = '\0';
	qsort(groups->members, groups->count, sizeof *groups->members, compare);
	struct group city = {.subject = "",
			     .name = "city",
			     .kind = AS_ALARM_CITY_SILENT,
			     .members = list,
			     .count = groups->count};
	for (size_t i = 0; i < groups->count; i++)
		city.silent += groups->members[i].silent;
	judge(&city, alarms, known, now);
	as_alarms_end(alarms, AS_SOURCE_GROUPS, now);
	if (!known)
		return;
	/* A line that is down because all are down. */
	const struct as_alarm *whole = as_alarms_find(alarms, AS_ALARM_CITY_SILENT, "");
	struct as_alarm *alarm;
	for (size_t at = 0; (alarm = as_alarms_next(alarms, &at));) {
		if (alarm->key.kind != AS_ALARM_BACKHAUL_SILENT || as_alarm_is_part(alarms, alarm))
			continue;
		if (whole && whole->state == AS_RAISED && alarm->state != AS_CLEARED)
			as_alarm_set_part(alarm, whole, now);
		else if (alarm->part_of)
			as_alarm_set_part(alarm, NULL, now);
	}
}
