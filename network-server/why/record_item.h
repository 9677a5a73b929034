/* The records of downlink items: every change of a state, and why one was not taken. Each is a record of its device. */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_RECORD_ITEM_H
#define LAMPPOST_NETWORK_SERVER_WHY_RECORD_ITEM_H

#include "network-server/item_state.h"
#include "network-server/why/record.h"

/* An item went `from` one state to that of `item`, by `event`, told by `cause`. */
void ns_record_item(struct ns *ns, struct now now, const struct ns_item *item, enum ns_item_state from,
		    enum ns_item_event event, enum ns_drop cause);
/* An item in the queue met `drop`: counts and records. */
void ns_record_item_drop(struct ns *ns, struct now now, const struct ns_item *item, enum ns_drop drop,
			 struct ns_numbers numbers);
void ns_record_item_expired(struct ns *ns, struct now now, const struct ns_item *item);
/* One that does not come into the queue: counts and records. `device` may be NS_NO_SLOT. */
void ns_record_item_refused(struct ns *ns, struct now now, uint32_t device, const struct net_enqueue *enqueue,
			    enum ns_drop drop);
/* An item's tries and their limit, in one number. */
uint16_t ns_item_tries(const struct ns *ns, const struct ns_item *item);

#endif
