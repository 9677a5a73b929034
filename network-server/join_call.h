/* The calls of a join to the join server of its JoinEUI: which one, when, again, and when it is given up.
 *
 *	ours       asked again every second while there is time for the accept
 *	another's  asked again when a call failed or its time is over, each time after a longer pause, unless its breaker has
 *	           opened (join_servers.h); always with the same TransactionID, so that it answers the same and burns no
 *	           second nonce */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_CALL_H
#define LAMPPOST_NETWORK_SERVER_JOIN_CALL_H

#include "network-server/join_flow.h"

#define NS_JOIN_GRACE (100 * US_PER_MS) /* beyond a call's own time, before it counts as failed */
#define NS_JOIN_PAUSE (250 * US_PER_MS) /* before the second call; twice as long before each further one */

/* A row of ns->joins_by_transaction. */
struct ns_join_row {
	uint32_t transaction;
	uint32_t slot;
};

/* Finds the join server of join->call.join_eui. NS_DROP_JOIN_SERVER_BUSY, NS_DROP_JOIN_SERVER_SHUNNED. */
enum ns_drop ns_join_choose(struct ns *ns, struct now now, struct ns_join *join);
/* Begins to wait: the first call. `join` stands in the slab. */
void ns_join_ask(struct ns *ns, struct now now, struct ns_join *join);
/* Lends the call of a join that still waits, until the next event; NULL: it does not any more. */
const struct ns_join_call *ns_join_waiting(const struct ns *ns, uint32_t transaction);
/* Its join server answered, and that became of it. */
void ns_join_answered(struct ns *ns, const struct ns_join *join, enum ns_drop drop);
void ns_join_close(struct ns *ns, struct ns_join *join, uint32_t slot);

#endif
