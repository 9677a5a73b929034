/* How much joining is asked for, second by second, against what the gateways concerned may send: what join_storm.c judges by. A
 * request counts by the airtime of its accept; a gateway counts in the second of the last request that it heard best, so that
 * nobody has to walk all gateways at a request. Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_LOAD_H
#define LAMPPOST_NETWORK_SERVER_JOIN_LOAD_H

#include "common/base/units.h"

#include <stdint.h>

#define NS_JOIN_SECONDS 64 /* remembered */

struct ns_join_load {
	struct ns_join_second {
		int64_t second; /* of the monotonic clock */
		uint32_t offered, answered;
		uint32_t hearers; /* gateways that heard their last request in it */
		uint64_t need_us; /* airtime of the accepts */
	} seconds[NS_JOIN_SECONDS];
};

struct ns_join_look {
	uint64_t offered, answered, hearers;
	uint64_t need_permille; /* of NS_STORM_TX_PERMILLE of the hearers' time; 0 without one */
};

void ns_join_load_offered(struct ns_join_load *load, struct mono now, uint32_t need_us);
/* A gateway heard a request best. `last`: its own second of the one before, which is moved on; 0: none. */
void ns_join_load_heard(struct ns_join_load *load, struct mono now, int64_t *last);
void ns_join_load_answered(struct ns_join_load *load, struct mono now);
/* The present second and those before it, `seconds` in all; NS_JOIN_SECONDS at most. */
struct ns_join_look ns_join_load_look(const struct ns_join_load *load, struct mono now, int64_t seconds);

#endif
