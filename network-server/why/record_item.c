#include "network-server/why/record_item.h"

#include "network-server/downlink_plan.h"
#include "network-server/item_parts.h"

uint16_t ns_item_tries(const struct ns *ns, const struct ns_item *item)
{
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, item->device));
	unsigned limit = profile && item->enqueue.confirmed ? profile->record.confirmed_downlink_tries : 1;
	return (uint16_t)(item->tries | limit << 8);
}

/* Which note a change of state is; false: none, the item stays what it was. */
static bool note_of(enum ns_item_state from, enum ns_item_state to, enum ns_item_event event,
		    enum ns_item_note *note)
{
	static const enum ns_item_note ends[NS_ITEM_STATE_COUNT] = {
		[NS_ITEM_QUEUED] = NS_ITEM_NOTE_BACK,
		[NS_ITEM_PLANNED] = NS_ITEM_NOTE_PLANNED,
		[NS_ITEM_WAITING] = NS_ITEM_NOTE_WAITING,
		[NS_ITEM_SENT] = NS_ITEM_NOTE_SENT,
		[NS_ITEM_ACKNOWLEDGED] = NS_ITEM_NOTE_ACKNOWLEDGED,
		[NS_ITEM_FAILED] = NS_ITEM_NOTE_FAILED,
		[NS_ITEM_EXPIRED] = NS_ITEM_NOTE_EXPIRED,
		[NS_ITEM_REFUSED] = NS_ITEM_NOTE_REFUSED,
		[NS_ITEM_STALE] = NS_ITEM_NOTE_STALE,
	};
	*note = event == NS_ITEM_ENQUEUE ? NS_ITEM_NOTE_QUEUED
		: event == NS_ITEM_HOLD  ? NS_ITEM_NOTE_HELD
					 : ends[to];
	return from != to || event == NS_ITEM_HOLD;
}

void ns_record_item(struct ns *ns, struct now now, const struct ns_item *item, enum ns_item_state from,
		    enum ns_item_event event, enum ns_drop cause)
{
	enum ns_item_note note;
	if (!note_of(from, item->state, event, &note))
		return;
	struct ns_whom whom = ns_of_item(ns, item->device, &item->enqueue.item);
	if (note == NS_ITEM_NOTE_PLANNED)
		whom.gateway = ns_gateways_find(&ns->gateways, &item->gateway);
	uint16_t tries = ns_item_tries(ns, item);
	ns_record(ns, now, NS_TABLE_ITEM, note, whom,
		  (struct ns_numbers){
			  .a = item->fcnt_down,
			  .b = decision_bytes(tries, tries >> 8, item->enqueue.length, item->enqueue.fport),
			  .c = ns_rule_of_drop(cause)});
}

void ns_record_item_drop(struct ns *ns, struct now now, const struct ns_item *item, enum ns_drop drop,
			 struct ns_numbers numbers)
{
	ns_record_drop(ns, now, drop, ns_of_item(ns, item->device, &item->enqueue.item), numbers);
}

void ns_record_item_expired(struct ns *ns, struct now now, const struct ns_item *item)
{
	span_us late = now.wall.us - item->enqueue.expires.us;
	ns_record_item_drop(ns, now, item, NS_DROP_ITEM_EXPIRED,
			    (struct ns_numbers){.a = decision_u32(late / US_PER_S), .c = item->tries});
}

static struct ns_numbers refused_numbers(const struct ns *ns, uint32_t device,
					 const struct net_enqueue *enqueue, enum ns_drop drop)
{
	if (drop == NS_DROP_ITEM_INVALID)
		return (struct ns_numbers){.a = decision_bytes(enqueue->fport, enqueue->length, 0, 0)};
	if (drop == NS_DROP_ITEMS_FULL)
		return (struct ns_numbers){.a = ns->queue.items.count};
	if (device == NS_NO_SLOT)
		return ns_numbers_of_eui(&enqueue->dev_eui, 0);
	const struct ns_device *of = ns_device_at(&ns->sessions, device);
	const struct ns_session *session = ns_item_session(ns, of);
	const struct ns_profile *profile = ns_profile_of(ns, of);
	if (drop == NS_DROP_ITEM_TOO_LONG && profile)
		return (struct ns_numbers){
			.a = decision_bytes(enqueue->length,
					    lw_region_longest_downlink(ns_region(ns, profile->region)), 0,
					    0)};
	if (drop == NS_DROP_ITEM_STALE_COUNTER && session)
		return (struct ns_numbers){enqueue->fcnt_down, ns_session_next_app_fcnt_down(session), 0};
	if (drop == NS_DROP_ITEM_QUEUE_FULL)
		return (struct ns_numbers){.a = of->queued};
	return (struct ns_numbers){0};
}

void ns_record_item_refused(struct ns *ns, struct now now, uint32_t device, const struct net_enqueue *enqueue,
			    enum ns_drop drop)
{
	ns_record_drop(ns, now, drop, ns_of_item(ns, device, &enqueue->item),
		       refused_numbers(ns, device, enqueue, drop));
}
