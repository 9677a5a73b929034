/* What the application server asks: an item to send, items to drop. */
#include "network-server/downlink.h"
#include "network-server/item_parts.h"

#include "common/base/check.h"
#include "network-server/why/record_item.h"

static enum ns_drop judge(const struct ns *ns, uint32_t device, const struct net_enqueue *enqueue)
{
	if (device == NS_NO_SLOT)
		return NS_DROP_ITEM_UNKNOWN_DEVICE;
	if (!ns_item_valid(enqueue))
		return NS_DROP_ITEM_INVALID;
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, device));
	if (profile && enqueue->length > lw_region_longest_downlink(ns_region(ns, profile->region)))
		return NS_DROP_ITEM_TOO_LONG;
	return NS_ACCEPTED;
}

/* Of an item that does not come into the queue. */
static void turn_away(struct ns *ns, struct now now, uint32_t device, const struct net_enqueue *enqueue,
		      enum ns_item_event why, enum ns_drop cause)
{
	struct ns_item_facts facts = {.confirmed = enqueue->confirmed, .encrypted = enqueue->encrypted};
	const struct ns_item_rule *rule = ns_item_rule(NS_ITEM_NONE, why, &facts);
	ASSERT(rule);
	struct proto_message *message = ns_event(ns, PROTO_DOWNLINK_EVENT);
	struct net_downlink_event *event = &message->downlink_event;
	event->head.dev_eui = enqueue->dev_eui;
	event->item = enqueue->item;
	event->status = ns_item_status(rule->to);
	if (device != NS_NO_SLOT) {
		const struct ns_device *of = ns_device_at(&ns->sessions, device);
		const struct ns_profile *profile = ns_profile_of(ns, of);
		const struct ns_session *session = ns_item_session(ns, of);
		if (event->status == NET_ITEM_STALE_COUNTER)
			event->fcnt_down = session ? ns_session_next_app_fcnt_down(session) : 0;
		else
			ns_item_tell_max_payload(ns, event, of);
		if (cause == NS_DROP_ITEM_TOO_LONG && profile) { /* what would have been taken */
			event->has_max_payload = true;
			event->max_payload = lw_region_longest_downlink(ns_region(ns, profile->region));
		}
	}
	ns_record_item_refused(ns, now, device, enqueue, cause);
	ns_item_emit(ns, now, message, &(struct ns_item_told){.cause = cause});
}

bool ns_item_counter_has_passed(const struct ns *ns, const struct ns_device *device,
				const struct net_enqueue *enqueue)
{
	const struct ns_session *session = ns_item_session(ns, device);
	return enqueue->encrypted && session && enqueue->fcnt_down < ns_session_next_app_fcnt_down(session);
}

void ns_on_enqueue(struct ns *ns, struct now now, const struct net_enqueue *enqueue)
{
	uint32_t of = ns_device_find(&ns->sessions, &enqueue->dev_eui), slot;
	if (ns_queue_is_over(&ns->queue, &enqueue->item, ns->journal.stored_row)) {
		ns_record_item_refused(ns, now, of, enqueue, NS_DROP_ITEM_AGAIN);
		return; /* what became of it is on its way */
	}
	enum ns_drop drop = judge(ns, of, enqueue);
	if (drop != NS_ACCEPTED) {
		turn_away(ns, now, of, enqueue, NS_ITEM_REFUSE, drop);
		return;
	}
	struct ns_device *device = ns_device_at(&ns->sessions, of);
	if (ns_queue_find(&ns->queue, device, &enqueue->item) != NS_NO_SLOT) {
		ns_record_item_refused(ns, now, of, enqueue, NS_DROP_ITEM_AGAIN);
		return;
	}
	if (ns_item_counter_has_passed(ns, device, enqueue)) {
		turn_away(ns, now, of, enqueue, NS_ITEM_COUNTER_PASSED, NS_DROP_ITEM_STALE_COUNTER);
		return;
	}
	enum status status = ns_queue_add(&ns->queue, device, of, enqueue, 0, &slot);
	if (status != ST_OK) {
		turn_away(ns, now, of, enqueue, NS_ITEM_REFUSE,
			  status == ST_FULL ? NS_DROP_ITEM_QUEUE_FULL : NS_DROP_ITEMS_FULL);
		return;
	}
	if (ns_item_apply(ns, now, slot, NS_ITEM_ENQUEUE, &(struct ns_item_told){0}))
		ns_downlink_item_came(ns, now, of);
}

static void flush_item(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	item->flushed = true;
	(void)ns_item_apply(ns, now, slot, NS_ITEM_FLUSH,
			    &(struct ns_item_told){.cause = NS_DROP_ITEM_FLUSHED});
}

/* It asks for an item that is not here: lost with a network.db that was restored, or over and told. The answer ends it for
 * the application server too; one that has ended there ignores it. */
static void answer_flush(struct ns *ns, struct now now, const struct net_flush *flush)
{
	struct proto_message *message = ns_event(ns, PROTO_DOWNLINK_EVENT);
	struct net_downlink_event *event = &message->downlink_event;
	event->head.dev_eui = flush->dev_eui;
	event->item = flush->item;
	event->status = NET_ITEM_FAILED;
	ns_record_drop(ns, now, NS_DROP_ITEM_FLUSHED,
		       ns_of_item(ns, ns_device_find(&ns->sessions, &flush->dev_eui), &flush->item),
		       (struct ns_numbers){0});
	ns_item_emit(ns, now, message, &(struct ns_item_told){.cause = NS_DROP_ITEM_FLUSHED});
}

void ns_on_flush(struct ns *ns, struct now now, const struct net_flush *flush)
{
	uint32_t device = ns_device_find(&ns->sessions, &flush->dev_eui);
	if (device == NS_NO_SLOT)
		ns_record_drop(ns, now, NS_DROP_ITEM_UNKNOWN_DEVICE, ns_of_item(ns, NS_NO_SLOT, &flush->item),
			       ns_numbers_of_eui(&flush->dev_eui, 0));
	else if (!flush->one)
		ns_items_each(ns, now, device, flush_item);
	if (!flush->one)
		return;
	uint32_t slot = device == NS_NO_SLOT ? NS_NO_SLOT
					     : ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, device),
							     &flush->item);
	if (slot != NS_NO_SLOT)
		flush_item(ns, now, slot);
	else if (!ns_queue_is_over(&ns->queue, &flush->item, ns->journal.stored_row))
		answer_flush(ns, now, flush);
}
