/* Channel plans of devices, each distinct one kept once: a million devices share a few dozen, and a session names its plan
 * by a number. A plan never changes: a session that changes gets another number. Numbers mean something only in this
 * process; stored rows hold the plan itself.
 *
 * What no session names any more goes when the table is full (ns_plans_sweep()). */
#ifndef LAMPPOST_NETWORK_SERVER_PLANS_H
#define LAMPPOST_NETWORK_SERVER_PLANS_H

#include "common/lorawan/channel_plan.h"

#define NS_PLANS_MAX 8192
#define NS_NO_PLAN   UINT16_MAX

struct ns_plans {
	struct lw_channel_plan *plans; /* owned, NS_PLANS_MAX */
	uint8_t *used;                 /* owned, NS_PLANS_MAX */
	uint16_t *cells;               /* owned: hash → number + 1 */
	uint16_t high;                 /* numbers from here on were never used */
	uint16_t count;
	uint16_t last; /* number that was asked for last: rows that are loaded often have the same */
};

/* Number 0 is the plan without a channel, so that a zeroed session has one. */
void ns_plans_init(struct ns_plans *plans);
void ns_plans_release(struct ns_plans *plans);
/* Returns the number of a plan, which is kept if it is new; NS_NO_PLAN when the table is full. */
uint16_t ns_plans_keep(struct ns_plans *plans, const struct lw_channel_plan *plan);
/* Lends the plan of a number, until the next sweep. */
const struct lw_channel_plan *ns_plans_at(const struct ns_plans *plans, uint16_t number);
/* Forgets every plan whose byte in `named` (NS_PLANS_MAX of them) is 0; the others keep their numbers. */
void ns_plans_sweep(struct ns_plans *plans, const uint8_t *named);

#endif
