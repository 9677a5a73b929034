/* The bytes of a class A downlink: what fits of MAC commands and the item, ciphers and MIC (TS001 §4). */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_FRAME_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_FRAME_H

#include "network-server/downlink.h"

/* MACPayload bytes of a frame with FPort and an empty FRMPayload, its answers in FOpts. */
uint8_t ns_frame_overhead(const struct ns_downlink *downlink, const struct ns_session *session);
/* Fills downlink->phy from downlink->fcnt_down, flags and answers; `item` NULL or with its ciphered `payload`. Adds the
 * session's MAC requests where there is room, and journals them. */
void ns_frame_build(struct ns *ns, struct ns_downlink *downlink, struct ns_session *session,
		    const struct net_enqueue *item, const uint8_t *payload);

#endif
