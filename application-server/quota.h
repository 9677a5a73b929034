/* Quotas of airtime: seconds a day (UTC) that an agency's devices, and each device, may use, for uplinks and for downlinks. What is
 * null has none; a device without one of its own has its agency's for devices.
 *
 *	downlink    refused as it is enqueued, where what was used today, what waits and this one are more than the quota. Never refused:
 *	            what the network sends by itself (join-accepts, acknowledgements, MAC commands), though it counts
 *	uplink      never dropped: the first of a day beyond it is told, once a day for a device, and for an agency
 *
 * What waits is counted by its length at the data rate that the device was heard at last, until it has ended. */
#ifndef LAMPPOST_AS_QUOTA_H
#define LAMPPOST_AS_QUOTA_H

#include "application-server/application.h"
#include "application-server/downlinks/queue.h"
#include "application-server/ledger/posting.h"

#define AS_QUOTA_WHY_MAX AS_COMMAND_WHY_MAX

struct as_quota {
	int64_t limit_s;    /* −1: none */
	int64_t used_us;    /* today */
	int64_t waiting_us; /* of downlinks */
};

/* When today's airtime is forgotten: the next midnight, UTC. */
struct wall as_quota_frees(struct wall now);
/* How a quota stands; `limit_s` −1 needs no looking. */
struct as_quota as_quota_of(struct as_store *store, enum as_quota_kind kind, int64_t limit_s, int64_t dev_eui,
			    const struct net_uuid *agency, struct wall now);

/* Judges a downlink: fills its `airtime_us`; AS_ENQUEUED, or AS_DEVICE_QUOTA or AS_AGENCY_QUOTA with `why` and `quota`. */
enum as_enqueued as_quota_judge(struct as_application *app, struct wall now,
				const struct as_device_info *device, struct as_item *item,
				struct as_quota *quota, char why[AS_QUOTA_WHY_MAX]);

/* An uplink is to be posted: returns the flags of its posting (enum as_posting_flag), having told what is beyond a quota. */
enum status as_quota_uplink(struct as_application *app, struct now now, const struct as_device_info *device,
			    const struct net_event_head *head, struct as_posting *posting) MUST_USE;

/* What is posted was on the air beside the uplinks (a repeat, a join-request): it counts, and is told with the next uplink. */
void as_quota_heard(struct as_application *app, const struct as_posting *posting);

#endif
