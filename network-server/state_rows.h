/* The stored form of desired state, both ways: one blob a record, versioned by its first byte. Sealed keys of ABP devices
 * are not kept: they became a session. */
#ifndef LAMPPOST_NETWORK_SERVER_STATE_ROWS_H
#define LAMPPOST_NETWORK_SERVER_STATE_ROWS_H

#include "network-server/network.h"

void ns_state_write_profile(struct ns *ns, const struct net_profile *profile);
void ns_state_write_device(struct ns *ns, const struct net_device *device);
void ns_state_write_gateway(struct ns *ns, const struct net_gateway *gateway);
void ns_state_write_meta(struct ns *ns);

/* Into memory alone (state_apply.c); false: counted and not taken. */
bool ns_state_put_profile(struct ns *ns, struct now now, const struct net_profile *profile);
bool ns_state_put_device(struct ns *ns, struct now now, const struct net_device *device, uint32_t *slot);
bool ns_state_put_gateway(struct ns *ns, struct now now, const struct net_gateway *gateway);
/* The session of an ABP device's record (state_abp.c): begins, goes on as it is, or NS_ACCEPTED is not said. */
enum ns_drop ns_state_apply_abp(struct ns *ns, struct now now, const struct net_device *record,
				uint32_t slot);

#endif
