/* The record of a data frame: see record_uplink.c. */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_RECORD_UPLINK_H
#define LAMPPOST_NETWORK_SERVER_WHY_RECORD_UPLINK_H

#include "network-server/uplink.h"

/* Records what became of an uplink, `drop` NS_ACCEPTED or the verdict, which is counted elsewhere. */
void ns_record_uplink(struct ns *ns, struct now now, const struct ns_uplink *uplink, enum ns_drop drop);
/* Of an accepted one, before its commands are read: where it has more bytes than its data rate may carry (M of RP002), that is counted and told. */
void ns_record_too_long(struct ns *ns, struct now now, const struct ns_uplink *uplink);

#endif
