/* The bytes of a class A downlink: what fits of MAC commands and the item, ciphers and MIC (TS001 §4). */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_FRAME_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_FRAME_H

#include "network-server/downlink.h"

/* Fills downlink->phy from downlink->fcnt_down, flags and answers; `item` NULL or with its ciphered `payload`. Adds the
 * session's MAC requests where there is room, and journals them. */
void ns_frame_build(struct ns *ns, struct now now, struct ns_downlink *downlink, struct ns_session *session,
		    const struct net_enqueue *item, const uint8_t *payload);

#endif
