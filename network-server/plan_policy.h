/* How dear an attempt may be: by which rule attempts are put in order, and which are not made at all. A row of a table for each
 * way of planning (downlink_plan.h plans with the row that its windows name):
 *
 *	usual   the score of downlink_plan.h; who comes first is served first
 *	storm   join-accepts while more joins are offered than can be answered (join_storm.h). The best attempt is the one of the least
 *	        price: its airtime as a share of what its gateway has left to send within an hour, in the attempt's sub-band (duty cycle)
 *	        and in all (a gateway that sends hears nothing), divided by the chance that the device hears it. So a fast answer
 *	        takes RX1, and a slow one goes where duty cycle is cheap, without a rule for any region.
 *
 * In a storm each gateway keeps its receivers open for running sensors: it sends NS_STORM_LEAK_PERMILLE of the time at most, in the mean;
 * short answers may come in waves. (NS_STORM_TX_PERMILLE, which is more, only says when a storm begins and ends.)
 * Part of that, and of each sub-band's duty cycle, is kept for devices of a better class (trunk reservation), so that none waits behind
 * others and none starves. Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_PLAN_POLICY_H
#define LAMPPOST_NETWORK_SERVER_PLAN_POLICY_H

#include "common/lorawan/region.h"
#include "network-server/gateways.h"
#include "network-server/verdict.h"

enum ns_policy { NS_POLICY_USUAL, NS_POLICY_STORM, NS_POLICY_COUNT };

/* Of a device that asks to join in a storm; the best first. */
enum ns_storm_class {
	NS_STORM_COMMANDED, /* class B or C: commands wait for it */
	NS_STORM_PATIENT,   /* it has asked several times in vain */
	NS_STORM_USUAL,
	NS_STORM_SERVED, /* it has joined in this storm before, and asks again */
	NS_STORM_CLASS_COUNT
};
const char *ns_storm_class_name(enum ns_storm_class which);

struct ns_policy_row {
	const char *name;
	bool priced;
	uint8_t pending_most; /* transmissions that may wait in a gateway's queue; 0: no limit here */
	/* By class: a sub-band with a duty cycle is kept for short answers: none is longer than this part of its hour. */
	uint8_t longest_part[NS_STORM_CLASS_COUNT];
	/* By class: how much of the time that the gateway may send, and of a sub-band's hour, may be gone afterwards, percent. */
	uint8_t share_percent[NS_STORM_CLASS_COUNT], duty_percent[NS_STORM_CLASS_COUNT];
	/* By class: how likely the device has to hear an accept in a sub-band with a duty cycle, percent: what is sent in vain there is
	 * another's airtime. Who is refused asks again at another rate or in a better moment, and becomes patient if not. */
	uint8_t chance_least[NS_STORM_CLASS_COUNT];
};
const struct ns_policy_row *ns_policy(enum ns_policy policy);

/* Whether a gateway may take such a transmission under a priced row. NS_ACCEPTED, NS_DROP_GATEWAYS_BUSY, NS_DROP_DUTY_CYCLE. */
enum ns_drop ns_policy_admits(const struct ns_policy_row *row, enum ns_storm_class which,
			      const struct ns_gateway *gateway, const struct lw_region *region,
			      uint32_t freq_hz, struct mono now, struct mono start, uint32_t airtime_us);
/* Whether an accept over a link of that margin is worth sending under a priced row. */
bool ns_policy_is_likely(const struct ns_policy_row *row, enum ns_storm_class which, int32_t margin_cdb);
/* Its price as a score: the less, the worse. `margin_cdb`: of the link. */
int32_t ns_policy_score(const struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			struct mono now, uint32_t airtime_us, int32_t margin_cdb);

#endif
