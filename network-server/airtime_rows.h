/* Airtime in the journal (invariant 11): one row a transmission, one more where the gateway refused it; and once a sweep the whole of each gateway's sub-bands
 * is written again, so that older rows may go. */
#ifndef LAMPPOST_NETWORK_SERVER_AIRTIME_ROWS_H
#define LAMPPOST_NETWORK_SERVER_AIRTIME_ROWS_H

#include "network-server/network.h"

void ns_airtime_journal(struct ns *ns, struct now now, const struct ns_gateway *gateway, uint32_t freq_hz,
			struct mono start, uint32_t airtime_us);
void ns_airtime_journal_back(struct ns *ns, struct now now, const struct ns_gateway *gateway,
			     uint32_t freq_hz, struct mono start, uint32_t airtime_us);
/* Writes the state of one gateway again. */
void ns_airtime_rewrite(struct ns *ns, struct now now, uint32_t slot);
bool ns_airtime_replay(struct ns *ns, struct now now, const uint8_t *bytes, size_t length);

#endif
