/* Airtime in the journal (invariant 11): one row a transmission; and once a sweep the whole of each gateway's sub-bands
 * is written again, so that older rows may go. */
#ifndef LAMPPOST_NETWORK_SERVER_AIRTIME_ROWS_H
#define LAMPPOST_NETWORK_SERVER_AIRTIME_ROWS_H

#include "network-server/network.h"

void ns_airtime_journal(struct ns *ns, struct now now, const struct ns_gateway *gateway, uint32_t freq_hz,
			struct mono start, uint32_t airtime_us);
/* Writes the state of one gateway again. */
void ns_airtime_rewrite(struct ns *ns, struct now now, uint32_t slot);
bool ns_airtime_replay(struct ns *ns, struct now now, const uint8_t *bytes, size_t length);

/* An item came or went (kind queue). */
void ns_queue_journal_item(struct ns *ns, const struct net_enqueue *enqueue);
void ns_queue_journal_gone(struct ns *ns, const struct net_enqueue *enqueue);
bool ns_queue_replay(struct ns *ns, const uint8_t *bytes, size_t length);

#endif
