/* What item_flow.c, item_tell.c and item_requests.c share. */
#ifndef LAMPPOST_NETWORK_SERVER_ITEM_PARTS_H
#define LAMPPOST_NETWORK_SERVER_ITEM_PARTS_H

#include "network-server/downlink.h"
#include "network-server/item_flow.h"

/* Lends the session in use, or NULL. */
const struct ns_session *ns_item_session(const struct ns *ns, const struct ns_device *device);
/* Whether an item was encrypted under a counter that is spent. */
bool ns_item_counter_has_passed(const struct ns *ns, const struct ns_device *device,
				const struct net_enqueue *enqueue);
/* Applies `to` to each item of a device; it may remove that item. */
void ns_items_each(struct ns *ns, struct now now, uint32_t device,
		   void (*to)(struct ns *ns, struct now now, uint32_t slot));

/* Emits the event of an item in its present state. */
void ns_item_tell(struct ns *ns, struct now now, const struct ns_item *item, const struct ns_item_told *told);
/* Emits an event that is filled but for cause and time. */
void ns_item_emit(struct ns *ns, struct now now, struct proto_message *message,
		  const struct ns_item_told *told);
/* Says what fits at the data rate of the last uplink, where there was one. */
void ns_item_tell_max_payload(const struct ns *ns, struct net_downlink_event *event,
			      const struct ns_device *device);

#endif
