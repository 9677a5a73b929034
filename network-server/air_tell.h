/* What is told of airtime beside the uplinks' own events (net_air_event): a journal row each, so that the application server's
 * account holds across a crash of either side, and counts nothing twice: it knows a row by its number.
 *
 * Counted are uplinks of registered devices that were accepted, their repeats, join-requests that were accepted, and every downlink
 * from when it is handed out; what a gateway refused for certain is taken back. */
#ifndef LAMPPOST_NETWORK_SERVER_AIR_TELL_H
#define LAMPPOST_NETWORK_SERVER_AIR_TELL_H

#include "network-server/downlink.h"

/* A transmission of a device that is no event of its own. */
void ns_air_tell_uplink(struct ns *ns, enum net_air_kind kind, const struct lw_eui64 *dev_eui,
			struct wall time, uint32_t airtime_us);
/* The present attempt of a downlink: handed out, or taken `back`. */
void ns_air_tell_downlink(struct ns *ns, struct now now, const struct ns_downlink *downlink, bool back);

#endif
