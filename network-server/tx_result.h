/* What a gateway's word about an attempt means, one row for each: whether the frame is on the air, whether its airtime
 * comes back, and which of the remaining attempts are worth something after it (DESIGN 5). */
#ifndef LAMPPOST_NETWORK_SERVER_TX_RESULT_H
#define LAMPPOST_NETWORK_SERVER_TX_RESULT_H

#include "common/proto/gateway_messages.h"
#include "network-server/verdict.h"

/* Which of the remaining attempts are tried first, and which when there is none of those. The frame's bytes stay. */
enum ns_tx_next {
	NS_NEXT_NOTHING,       /* it is on the air */
	NS_NEXT_LATER_WINDOW,  /* RX2 of any gateway */
	NS_NEXT_SAME_LATER,    /* the same attempt, nearer to its time; else another gateway */
	NS_NEXT_OTHER_TIME,    /* another gateway's RX1; else RX2 of any */
	NS_NEXT_OTHER_GATEWAY, /* another gateway alone */
	NS_NEXT_OTHER_FREQ,    /* another gateway; else the same one on another frequency */
	NS_NEXT_OTHER_BAND,    /* another gateway; else the same one in another sub-band */
	NS_NEXT_ANY            /* another gateway; else the same one's other window */
};

struct ns_tx_rule {
	bool sent;    /* counted as on the air */
	bool certain; /* surely not on the air: its airtime is given back */
	enum ns_tx_next next;
	enum ns_drop cause; /* as it is counted and told; NS_ACCEPTED when sent */
};

/* Lends the row; asserts on a value outside the enum. */
const struct ns_tx_rule *ns_tx_rule(enum gw_tx_result result);
/* The same for what a bridge says: silence of a gateway that tells whatever it sends is a refusal. */
const struct ns_tx_rule *ns_tx_rule_of(const struct gw_tx_ack *ack);

#endif
