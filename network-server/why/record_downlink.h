/* The records of a downlink's way: an attempt that was handed over, and what its gateway said. Each is a record of the
 * device, and replaces the gateway's last; a refusal is one of the gateway's troubles as well. */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_RECORD_DOWNLINK_H
#define LAMPPOST_NETWORK_SERVER_WHY_RECORD_DOWNLINK_H

#include "network-server/downlink.h"
#include "network-server/why/record.h"

/* Handed to the bridge of its attempt's gateway: which way, and why that one. */
void ns_record_planned(struct ns *ns, struct now now, const struct ns_downlink *downlink);
/* Its gateway took it (`latency` of its answer), or said nothing. */
void ns_record_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink, bool said,
		    span_us latency);
/* Its gateway refused it: counts and records. */
void ns_record_refused(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause);
/* The same attempt is made again later. */
void ns_record_held(struct ns *ns, struct now now, const struct ns_downlink *downlink, span_us wait);
/* No attempt is left; the last one ended with `cause`: counts and records. */
void ns_record_given_up(struct ns *ns, struct now now, const struct ns_downlink *downlink,
			enum ns_drop cause);

#endif
