/* What is told of one live frame (frames.h): its facts from the flows' structs, and its verdict in words. */
#ifndef LAMPPOST_NETWORK_SERVER_FRAME_FACTS_H
#define LAMPPOST_NETWORK_SERVER_FRAME_FACTS_H

#include "network-server/frames.h"

/* How a verdict of the table is to be taken. */
enum net_frame_standing ns_facts_standing(enum ns_drop drop);

/* Fill a frame whole, but for its number. */
void ns_facts_stopped(const struct ns *ns, const struct gw_uplink *uplink, enum ns_drop drop,
		      struct net_frame *frame);
void ns_facts_uplink(const struct ns *ns, const struct ns_uplink *uplink, enum ns_drop drop,
		     struct net_frame *frame);
void ns_facts_join(const struct ns *ns, const struct ns_frame *heard, enum ns_drop drop,
		   struct net_frame *frame);
/* All but the verdict. False: its bytes are not known (it left before a restart). */
bool ns_facts_downlink(const struct ns *ns, struct now now, const struct ns_downlink *downlink,
		       struct net_frame *frame);

/* Fill the verdict of a frame that has been filled. */
void ns_facts_joined(const struct ns *ns, enum ns_drop drop, const struct bi_envelope *answer,
		     struct net_frame *frame);
void ns_facts_sent(struct net_frame *frame);
void ns_facts_answered(struct net_frame *frame, enum gw_tx_result result, const struct ns_tx_rule *rule,
		       const int16_t *power_dbm);

/* Adds another reception of the same bytes. */
void ns_facts_one_more(struct net_frame *frame, const struct gw_uplink *uplink);

#endif
