/* Gateways that fall silent together are one alarm. Members of a group are the gateways of one backhaul (the record's word for the
 * line; without it the network that they come from), and all of them are the city.
 *
 * A group is down when at least AS_GROUP_LEAST of its members fell silent within AS_GROUP_WINDOW of each other and these are at
 * least AS_GROUP_RAISE % of those that were heard until then: a gateway that has been dead for weeks neither counts nor is
 * counted. It is up again when fewer than AS_GROUP_CLEAR % of its members are silent of it. While it is down the alarms of its
 * silent members are parts of its own and are not told; whoever falls silent later joins it. When it ends, a member that is
 * still silent is told by itself.
 *
 * For a network without a name (a carrier may put strangers behind one address) one more is needed. For the city it is nine
 * tenths.
 *
 * In an outage of a large city there is much to sort and to mark, so a round is judged in slices, each a turn of the loop:
 *
 *	as_groups_begin() ──▶ SORT ──▶ NEXT ──▶ COUNT ──▶ JUDGE ──▶ PARTS       as_groups_judge() until it says that it is done
 *	                       ▲      │ │  ▲                          │
 *	        once more: ────┘      │ │  └──── the next group ──────┘
 *	        the city as one       │ └──────────────────────────▶ END
 *
 * Between two slices the members stay as they are; the alarms may change. Pure. */
#ifndef LAMPPOST_AS_ALARM_GROUPS_H
#define LAMPPOST_AS_ALARM_GROUPS_H

#include "application-server/alarms/alarms.h"
#include "common/base/status.h"

#define AS_GROUP_LEAST      2
#define AS_GROUP_LEAST_NET  3
#define AS_GROUP_LEAST_CITY 3
#define AS_GROUP_RAISE      50 /* % */
#define AS_GROUP_RAISE_CITY 90
#define AS_GROUP_CLEAR      25
#define AS_GROUP_WINDOW     (300 * US_PER_S)

struct as_group_member {
	char group[AS_ALARM_SUBJECT]; /* "": of none but the city */
	bool named;                   /* by its record */
	bool silent;
	struct wall since; /* of its silence */
	char subject[AS_ALARM_SUBJECT], name[AS_ALARM_NAME];
};

#define AS_GROUPS_WORK 2048 /* of one slice, in steps of sorting or counting */

enum as_groups_phase {
	AS_GROUPS_SORT,
	AS_GROUPS_NEXT,
	AS_GROUPS_COUNT,
	AS_GROUPS_JUDGE,
	AS_GROUPS_PARTS,
	AS_GROUPS_END
};

/* Two neighbouring runs of `width` from place `from` on, and how much of each is merged. */
struct as_groups_sort {
	size_t width, from, left, right;
};

/* The group in hand: places [from, until) of the order, the silent ones first, by when they fell silent. */
struct as_group {
	char subject[AS_ALARM_SUBJECT];
	enum as_alarm_kind_id kind;
	bool named, raised;
	struct wall alarm_since; /* of the raised alarm */
	size_t from, until, silent;
	size_t window, fell; /* that fell silent together, and where the window of counting begins */
	struct wall since;   /* of the first of those */
	size_t of_it;        /* silent since the alarm is */
	size_t down;         /* what the alarm is about: `fell` or `of_it` */
	size_t part;         /* whose alarms are marked next */
};

struct as_groups {
	struct as_group_member *members; /* owned */
	uint32_t *order, *spare;         /* owned: places in `members` */
	size_t count, limit, silent;
	/* The round. */
	enum as_groups_phase phase;
	bool known, city, city_judged;
	struct as_groups_sort sort;
	struct as_group group;
	size_t work; /* of the last slice */
};

void as_groups_init(struct as_groups *groups, size_t limit);
void as_groups_release(struct as_groups *groups);
void as_groups_clear(struct as_groups *groups);
/* Copies it; one too many is left out. */
void as_groups_add(struct as_groups *groups, const struct as_group_member *member);
/* Begins to judge the members. With `known` false nothing is known of gateways now, and all stays as it is. After
 * as_alarms_step(), so that what it raised is seen. */
void as_groups_begin(struct as_groups *groups, struct as_alarms *alarms, bool known);
/* Does one slice: observes AS_ALARM_BACKHAUL_SILENT and AS_ALARM_CITY_SILENT, and makes members part of them. True: the round
 * is done. */
bool as_groups_judge(struct as_groups *groups, struct as_alarms *alarms, struct now now) MUST_USE;

/* The name of the network of an address "203.0.113.7:41022" or "[2001:db8::1]:7": its /24 or /48; "" for none. */
const char *as_group_of_address(char group[AS_ALARM_SUBJECT], const char *address);

#endif
