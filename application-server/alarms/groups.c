#include "application-server/alarms/groups.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_WORK 4 /* two alarms are looked up */

void as_groups_init(struct as_groups *groups, size_t limit)
{
	*groups = (struct as_groups){.members = calloc(limit, sizeof *groups->members),
				     .order = calloc(limit, sizeof *groups->order),
				     .spare = calloc(limit, sizeof *groups->spare),
				     .limit = limit};
	ASSERT(groups->members && groups->order && groups->spare);
}

void as_groups_release(struct as_groups *groups)
{
	free(groups->members);
	free(groups->order);
	free(groups->spare);
	*groups = (struct as_groups){.members = NULL};
}

void as_groups_clear(struct as_groups *groups)
{
	groups->count = groups->silent = 0;
}

void as_groups_add(struct as_groups *groups, const struct as_group_member *member)
{
	if (groups->count == groups->limit)
		return;
	groups->silent += member->silent;
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

/* The one at a place of the order. */
static const struct as_group_member *at(const struct as_groups *groups, size_t place)
{
	return &groups->members[groups->order[place]];
}

/* --- the order ----------------------------------------------------------------------------------------------- */

/* By group (for the city all are one), the silent ones first, by when they fell silent. */
static int compare(const struct as_groups *groups, uint32_t left, uint32_t right)
{
	const struct as_group_member *a = &groups->members[left], *b = &groups->members[right];
	int order = groups->city ? 0 : strcmp(a->group, b->group);
	if (order == 0)
		order = (int)b->silent - (int)a->silent;
	if (order == 0 && a->since.us != b->since.us)
		order = a->since.us < b->since.us ? -1 : 1;
	return order ? order : strcmp(a->subject, b->subject);
}

static void start_sort(struct as_groups *groups)
{
	groups->sort = (struct as_groups_sort){.width = 1};
	groups->phase = AS_GROUPS_SORT;
}

/* The next pair of runs, or the next pass over all of them with runs twice as long. */
static void next_runs(struct as_groups *groups)
{
	struct as_groups_sort *sort = &groups->sort;
	size_t end = sort->from + 2 * sort->width;
	if (end >= groups->count) {
		uint32_t *sorted = groups->spare;
		groups->spare = groups->order;
		groups->order = sorted;
		sort->width *= 2;
		end = 0;
	}
	sort->from = end;
	sort->left = sort->right = 0;
}

/* Merges runs of growing width from `order` into `spare`, one member for each unit of work. */
static void sort_some(struct as_groups *groups, size_t *work)
{
	struct as_groups_sort *sort = &groups->sort;
	for (; sort->width < groups->count && *work < AS_GROUPS_WORK; ++*work) {
		size_t first = sort->from, room = groups->count - first;
		size_t lefts = room < sort->width ? room : sort->width;
		size_t rights = room - lefts < sort->width ? room - lefts : sort->width;
		const uint32_t *left = groups->order + first + sort->left;
		const uint32_t *right = groups->order + first + lefts + sort->right;
		bool take_left = sort->right == rights ||
				 (sort->left < lefts && compare(groups, *left, *right) <= 0);
		groups->spare[first + sort->left + sort->right] = take_left ? *left : *right;
		if (take_left)
			sort->left++;
		else
			sort->right++;
		if (sort->left + sort->right == lefts + rights)
			next_runs(groups);
	}
	if (sort->width >= groups->count) {
		groups->group.from = groups->group.until = 0;
		groups->phase = AS_GROUPS_NEXT;
	}
}

/* --- one group ----------------------------------------------------------------------------------------------- */

static void finish_part(struct as_groups *groups)
{
	groups->phase = AS_GROUPS_NEXT;
	groups->group.from = groups->group.until;
}

static void start_group(struct as_groups *groups, const struct as_alarms *alarms)
{
	struct as_group *group = &groups->group;
	size_t from = group->from;
	const struct as_group_member *first = from < groups->count ? at(groups, from) : NULL;
	const struct as_alarm *alarm;
	if (groups->city ? groups->city_judged : !first) {
		if (groups->city) {
			groups->phase = AS_GROUPS_END;
		} else {
			groups->city = true;
			start_sort(groups);
		}
		return;
	}
	*group = (struct as_group){.from = from, .until = from, .window = from};
	group->kind = groups->city ? AS_ALARM_CITY_SILENT : AS_ALARM_BACKHAUL_SILENT;
	group->named = !groups->city && first->named;
	snprintf(group->subject, sizeof group->subject, "%s", groups->city ? "" : first->group);
	groups->city_judged = groups->city;
	alarm = as_alarms_find(alarms, group->kind, group->subject);
	group->raised = alarm && alarm->state == AS_RAISED;
	if (alarm)
		group->alarm_since = alarm->since;
	groups->phase = AS_GROUPS_COUNT;
}

static bool belongs(const struct as_groups *groups, size_t place)
{
	return place < groups->count &&
	       (groups->city || strcmp(at(groups, place)->group, groups->group.subject) == 0);
}

/* One step: of the window in which they fell silent together (on a tie the latest counts), or the next member. Who fell silent
 * since the group did, or in the window before, is of it. */
static void count_step(struct as_groups *groups)
{
	struct as_group *group = &groups->group;
	const struct as_group_member *member = at(groups, group->until);
	struct wall since = member->since;
	if (member->silent && since.us - at(groups, group->window)->since.us > AS_GROUP_WINDOW) {
		group->window++;
		return;
	}
	group->until++;
	if (!member->silent)
		return;
	group->silent++;
	group->of_it += since.us >= group->alarm_since.us - AS_GROUP_WINDOW;
	if (group->until - group->window >= group->fell) {
		group->fell = group->until - group->window;
		group->since = at(groups, group->window)->since;
	}
}

static void count_some(struct as_groups *groups, size_t *work)
{
	for (; *work < AS_GROUPS_WORK && belongs(groups, groups->group.until); ++*work)
		count_step(groups);
	if (!belongs(groups, groups->group.until))
		groups->phase = AS_GROUPS_JUDGE;
}

static size_t least_of(const struct as_group *group)
{
	if (group->kind == AS_ALARM_CITY_SILENT)
		return AS_GROUP_LEAST_CITY;
	return group->named ? AS_GROUP_LEAST : AS_GROUP_LEAST_NET;
}

static void describe(const struct as_groups *groups, size_t heard, char detail[AS_ALARM_DETAIL])
{
	const struct as_group *group = &groups->group;
	size_t told = 0, down = group->down, end = group->from + group->silent;
	size_t used = (size_t)snprintf(detail, AS_ALARM_DETAIL, "%zu of %zu gateways silent: ", down,
				       down + heard);
	for (size_t i = end - down; i < end; i++) {
		const char *name = at(groups, i)->name;
		if (used + strlen(name) + 20 >= AS_ALARM_DETAIL)
			break;
		used += (size_t)snprintf(detail + used, AS_ALARM_DETAIL - used, "%s%s", told ? ", " : "",
					 name);
		told++;
	}
	if (told < down)
		snprintf(detail + used, AS_ALARM_DETAIL - used, " and %zu more", down - told);
}

static void judge(struct as_groups *groups, struct as_alarms *alarms, struct now now)
{
	char detail[AS_ALARM_DETAIL] = "";
	struct as_group *group = &groups->group;
	unsigned share = groups->city ? AS_GROUP_RAISE_CITY : AS_GROUP_RAISE;
	size_t heard = group->until - group->from - group->silent;
	group->down = group->raised ? group->of_it : group->fell;
	size_t down = group->down, all = down + heard;
	bool bad = group->raised ? down * 100 >= all * AS_GROUP_CLEAR && down > 0
				 : down >= least_of(group) && down * 100 >= all * share;
	if (!groups->city && !group->subject[0]) { /* of none but the city */
		finish_part(groups);
		return;
	}
	if (bad)
		describe(groups, heard, detail);
	as_alarms_observe(alarms,
			  &(struct as_observation){.kind = group->kind,
						   .subject = group->subject,
						   .name = groups->city ? "city" : group->subject,
						   .detail = detail,
						   .value = bad ? (int64_t)down : 0},
			  now);
	if (bad && !group->raised) { /* it counts from when its members fell silent */
		struct as_alarm *made = as_alarms_find(alarms, group->kind, group->subject);
		if (made && made->state != AS_RAISED)
			made->since = group->since;
	}
	group->part = group->from;
	groups->phase = AS_GROUPS_PARTS;
}

static void set_part(const struct as_groups *groups, const struct as_alarms *alarms, size_t place,
		     const struct as_alarm *whole, struct now now)
{
	static const enum as_alarm_kind_id kinds[] = {AS_ALARM_SILENT, AS_ALARM_OFFLINE};
	const struct as_group *group = &groups->group;
	size_t end = group->from + group->silent;
	bool raised = whole && whole->state == AS_RAISED;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		struct as_alarm *alarm = as_alarms_find(alarms, kinds[k], at(groups, place)->subject);
		if (!alarm || as_alarm_is_part(alarms, alarm))
			continue;
		if (raised && place >= end - group->down && place < end)
			as_alarm_set_part(alarm, whole, now);
		else if (alarm->part_of)
			as_alarm_set_part(alarm, NULL, now);
	}
}

static void set_some_parts(struct as_groups *groups, const struct as_alarms *alarms, size_t *work,
			   struct now now)
{
	struct as_group *group = &groups->group;
	const struct as_alarm *whole = as_alarms_find(alarms, group->kind, group->subject);
	for (; *work < AS_GROUPS_WORK && group->part < group->until; group->part++, *work += PART_WORK)
		set_part(groups, alarms, group->part, whole, now);
	if (group->part == group->until)
		finish_part(groups);
}

/* --- all of them --------------------------------------------------------------------------------------------- */

/* In most rounds none is and nobody is silent: nothing is sorted then. */
static bool is_any_down(const struct as_alarms *alarms)
{
	const struct as_alarm *alarm;
	for (size_t i = 0; (alarm = as_alarms_next(alarms, &i));)
		if (alarm->state != AS_CLEARED && as_alarm_kind_of(alarm)->source == AS_SOURCE_GROUPS)
			return true;
	return false;
}

/* A line that is down because all are down. */
static void set_lines(const struct as_alarms *alarms, struct now now)
{
	const struct as_alarm *whole = as_alarms_find(alarms, AS_ALARM_CITY_SILENT, "");
	struct as_alarm *alarm;
	for (size_t i = 0; (alarm = as_alarms_next(alarms, &i));) {
		if (alarm->key.kind != AS_ALARM_BACKHAUL_SILENT || as_alarm_is_part(alarms, alarm))
			continue;
		if (whole && whole->state == AS_RAISED && alarm->state != AS_CLEARED)
			as_alarm_set_part(alarm, whole, now);
		else if (alarm->part_of)
			as_alarm_set_part(alarm, NULL, now);
	}
}

void as_groups_begin(struct as_groups *groups, struct as_alarms *alarms, bool known)
{
	groups->known = known;
	groups->phase = AS_GROUPS_END;
	if (!known)
		return;
	as_alarms_begin(alarms, AS_SOURCE_GROUPS);
	if (groups->silent == 0 && !is_any_down(alarms))
		return;
	groups->city = groups->city_judged = false;
	for (uint32_t i = 0; i < groups->count; i++)
		groups->order[i] = i;
	start_sort(groups);
}

bool as_groups_judge(struct as_groups *groups, struct as_alarms *alarms, struct now now)
{
	size_t work = 0;
	while (work < AS_GROUPS_WORK && groups->phase != AS_GROUPS_END) {
		work++;
		if (groups->phase == AS_GROUPS_SORT)
			sort_some(groups, &work);
		else if (groups->phase == AS_GROUPS_NEXT)
			start_group(groups, alarms);
		else if (groups->phase == AS_GROUPS_COUNT)
			count_some(groups, &work);
		else if (groups->phase == AS_GROUPS_JUDGE)
			judge(groups, alarms, now);
		else
			set_some_parts(groups, alarms, &work, now);
	}
	groups->work = work;
	if (groups->phase != AS_GROUPS_END)
		return false;
	if (groups->known) {
		as_alarms_end(alarms, AS_SOURCE_GROUPS, now);
		set_lines(alarms, now);
	}
	return true;
}
