/* What downlink.c and downlink_send.c share. */
#ifndef LAMPPOST_NETWORK_SERVER_DOWNLINK_PARTS_H
#define LAMPPOST_NETWORK_SERVER_DOWNLINK_PARTS_H

#include "network-server/downlink.h"

/* Takes a place for one that is OPEN and due now; NULL: there is none. */
struct ns_downlink *ns_downlink_take(struct ns *ns, struct now now);
/* The one place where its state changes; asserts that it may. */
void ns_downlink_goto(struct ns *ns, struct ns_downlink *downlink, enum ns_downlink_state state,
		      struct mono due);
/* Its device's next uplink opens another one. */
void ns_downlink_forget_opportunity(struct ns *ns, struct ns_downlink *downlink);
/* Makes the list of attempts for the frame, and sends the best. The counter is spent, whether or not there is one. */
void ns_downlink_dispatch(struct ns *ns, struct now now, struct ns_downlink *downlink);

#endif
