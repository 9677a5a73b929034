/* Short accepts. While more devices ask to join than can be answered, and duty cycle limits the answers, an accept goes without its CFList
 * (TS001-1.0.4 §6.2.3): 17 bytes instead of 33, a third less airtime at every data rate, so half as many again can join. The device
 * has the region's own channels until NewChannelReq (§5.6) brings the others: the debt of the storm.
 *
 * It is paid slowly. During the storm NewChannelReq goes along with what is sent anyway; for a day after it, a gateway sends a frame
 * for its sake every NS_SHORT_PAUSE at most. Fixed plans always have their CFList: there it keeps the device on channels that are heard. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_SHORT_H
#define LAMPPOST_NETWORK_SERVER_JOIN_SHORT_H

#include "network-server/join_flow.h"

#define NS_SHORT_PAUSE (20 * US_PER_S)
#define NS_SHORT_DEBT  (24 * 3600 * US_PER_S) /* after a storm */

/* Whether the accept of this request, whose windows are known, goes without its CFList. */
bool ns_short_accept(const struct ns *ns, const struct ns_join *join);
/* Whether a frame may go through the gateway for NewChannelReq alone; yes counts as one that went. */
bool ns_short_pays(struct ns *ns, struct now now, uint32_t gateway);

#endif
