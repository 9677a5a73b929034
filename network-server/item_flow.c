#include "network-server/item_flow.h"

#include "common/base/check.h"
#include "network-server/downlink.h"
#include "network-server/item_parts.h"
#include "network-server/item_rows.h"
#include "network-server/why/record_item.h"

#define EXPIRED_A_TURN 256

static struct ns_device *device_of(const struct ns *ns, const struct ns_item *item)
{
	return ns_device_at(&ns->sessions, item->device);
}

static struct ns_item_facts facts_of(const struct ns *ns, struct now now, const struct ns_item *item)
{
	const struct ns_profile *profile = ns_profile_of(ns, device_of(ns, item));
	uint8_t tries = profile ? profile->record.confirmed_downlink_tries : 1;
	return (struct ns_item_facts){
		.confirmed = item->enqueue.confirmed,
		.encrypted = item->enqueue.encrypted,
		.flushed = item->flushed,
		.expired = ns_item_has_expired(item, now.wall),
		.spent = item->enqueue.confirmed && item->tries >= tries,
	};
}

/* --- the one place where a state changes --- */

/* While it is in a frame its time does not matter: that is judged with the gateway's answer. */
static void arm(struct ns *ns, struct now now, struct ns_item *item)
{
	bool may_expire = item->enqueue.expires.us != 0 && item->state != NS_ITEM_PLANNED;
	if (!may_expire) {
		deadlines_cancel(&ns->queue.expiries, &item->expiry);
		return;
	}
	span_us left = item->enqueue.expires.us - now.wall.us;
	span_us pause = left < 0 ? 0 : left > NS_ITEM_LOOK_AGAIN ? NS_ITEM_LOOK_AGAIN : left;
	ASSERT(deadlines_set(&ns->queue.expiries, &item->expiry, mono_add(now.mono, pause)) == ST_OK);
}

bool ns_item_apply(struct ns *ns, struct now now, uint32_t slot, enum ns_item_event event,
		   const struct ns_item_told *told)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	struct ns_item_facts facts = facts_of(ns, now, item);
	const struct ns_item_rule *rule = ns_item_rule(item->state, event, &facts);
	ASSERT(rule);
	item->state = rule->to;
	ns_record_item(ns, now, item, rule->from, event, told->cause);
	if (ns_item_is_over(rule->to)) {
		ns_queue_note_over(&ns->queue, &item->enqueue.item, ns_journal_next(&ns->journal));
		ns_item_journal_over(ns, item);
		ns_item_tell(ns, now, item, told);
		ns_queue_remove(&ns->queue, device_of(ns, item), slot);
		return false;
	}
	if (rule->from == NS_ITEM_NONE)
		ns_item_journal(ns, item);
	else if (rule->from != rule->to || rule->to == NS_ITEM_PLANNED)
		ns_item_journal_state(ns, item);
	if (rule->reported)
		ns_item_tell(ns, now, item, told);
	arm(ns, now, item);
	return true;
}

void ns_items_each(struct ns *ns, struct now now, uint32_t device,
		   void (*to)(struct ns *ns, struct now now, uint32_t slot))
{
	for (uint32_t slot = ns_device_at(&ns->sessions, device)->queue, next; slot != NS_NO_SLOT;
	     slot = next) {
		next = ns_queue_at(&ns->queue, slot)->next;
		to(ns, now, slot);
	}
}

/* --- frames --- */

/* The item that a frame carries, if it still does. */
static uint32_t item_of(const struct ns *ns, const struct ns_downlink *downlink)
{
	if (!downlink->has_item || !ns_slab_holds(&ns->sessions.devices, downlink->device))
		return NS_NO_SLOT;
	uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, downlink->device),
				      &downlink->item);
	if (slot == NS_NO_SLOT)
		return NS_NO_SLOT;
	const struct ns_item *item = ns_queue_at(&ns->queue, slot);
	return item->state == NS_ITEM_PLANNED && item->downlink == downlink->id ? slot : NS_NO_SLOT;
}

void ns_item_hold(struct ns *ns, struct now now, uint32_t slot, enum ns_drop cause)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	if (item->held == cause)
		return;
	item->held = cause;
	(void)ns_item_apply(ns, now, slot, NS_ITEM_HOLD, &(struct ns_item_told){.cause = cause});
}

void ns_item_stays(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause)
{
	if (!downlink->has_item)
		return;
	uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, downlink->device),
				      &downlink->item);
	if (slot != NS_NO_SLOT)
		ns_item_hold(ns, now, slot, cause);
}

void ns_item_planned(struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	if (!downlink->has_item)
		return;
	uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, downlink->device),
				      &downlink->item);
	ASSERT(slot != NS_NO_SLOT);
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	item->tries++;
	item->held = NS_ACCEPTED;
	item->crowded = false;
	item->session_tag = downlink->tag;
	item->fcnt_down = downlink->fcnt_down;
	item->downlink = downlink->id;
	item->gateway = downlink->plan.attempts[downlink->attempt].tx.gateway;
	(void)ns_item_apply(ns, now, slot, NS_ITEM_PLAN, &(struct ns_item_told){.downlink = downlink});
}

/* What came while it was in the frame is judged now. */
static void after_taken(struct ns *ns, struct now now, uint32_t slot)
{
	const struct ns_item *item = ns_queue_at(&ns->queue, slot);
	if (item->flushed)
		(void)ns_item_apply(ns, now, slot, NS_ITEM_FLUSH,
				    &(struct ns_item_told){.cause = NS_DROP_ITEM_FLUSHED});
	else if (item->session_ended)
		(void)ns_item_apply(ns, now, slot, NS_ITEM_SESSION_ENDED,
				    &(struct ns_item_told){.cause = NS_DROP_ITEM_SESSION_ENDED});
}

void ns_item_taken(struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	uint32_t slot = item_of(ns, downlink);
	if (slot == NS_NO_SLOT)
		return;
	ns_queue_at(&ns->queue, slot)->gateway = downlink->plan.attempts[downlink->attempt].tx.gateway;
	if (ns_item_apply(ns, now, slot, NS_ITEM_TAKEN, &(struct ns_item_told){.downlink = downlink}))
		after_taken(ns, now, slot);
}

void ns_item_not_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause)
{
	uint32_t slot = item_of(ns, downlink);
	if (slot == NS_NO_SLOT)
		return;
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	if (cause != NS_DROP_ITEM_RESTARTED && item->tries > 0)
		item->tries--; /* it was on no air */
	if (item->flushed)
		cause = NS_DROP_ITEM_FLUSHED;
	item->session_ended = false; /* nothing of the old session waits for it */
	(void)ns_item_apply(ns, now, slot, NS_ITEM_NOT_SENT, &(struct ns_item_told){.cause = cause});
}

bool ns_item_is_unwanted(const struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	uint32_t slot = item_of(ns, downlink);
	if (slot == NS_NO_SLOT)
		return downlink->has_item;
	const struct ns_item *item = ns_queue_at(&ns->queue, slot);
	return item->flushed || ns_item_has_expired(item, now.wall);
}

/* --- uplinks, sessions --- */

void ns_items_uplink(struct ns *ns, struct now now, uint32_t device, bool ack, const struct net_uuid *event)
{
	uint32_t slot = ns_queue_in_flight(&ns->queue, ns_device_at(&ns->sessions, device));
	if (slot == NS_NO_SLOT)
		return;
	const struct ns_item *item = ns_queue_at(&ns->queue, slot);
	/* The device knows more than the gateway has said. */
	if (item->state == NS_ITEM_PLANNED && item->enqueue.confirmed && !item->session_ended && ack &&
	    !ns_item_apply(ns, now, slot, NS_ITEM_TAKEN, &(struct ns_item_told){0}))
		return;
	if (item->state != NS_ITEM_WAITING)
		return;
	struct ns_item_told told = {.uplink = event,
				    .cause = ack ? NS_ACCEPTED : NS_DROP_ITEM_NOT_ACKNOWLEDGED};
	if (!ack)
		ns_record_item_drop(ns, now, item, NS_DROP_ITEM_NOT_ACKNOWLEDGED,
				    (struct ns_numbers){.a = item->fcnt_down, .c = ns_item_tries(ns, item)});
	(void)ns_item_apply(ns, now, slot, ack ? NS_ITEM_ACK : NS_ITEM_NO_ACK, &told);
}

static void judge_counter(struct ns *ns, struct now now, uint32_t slot)
{
	const struct ns_item *item = ns_queue_at(&ns->queue, slot);
	if (item->state == NS_ITEM_QUEUED &&
	    ns_item_counter_has_passed(ns, device_of(ns, item), &item->enqueue)) {
		uint32_t next = ns_session_next_app_fcnt_down(ns_item_session(ns, device_of(ns, item)));
		ns_record_item_drop(ns, now, item, NS_DROP_ITEM_STALE_COUNTER,
				    (struct ns_numbers){.a = item->enqueue.fcnt_down, .b = next});
		(void)ns_item_apply(ns, now, slot, NS_ITEM_COUNTER_PASSED,
				    &(struct ns_item_told){.cause = NS_DROP_ITEM_STALE_COUNTER});
	}
}

void ns_items_counter_moved(struct ns *ns, struct now now, uint32_t device)
{
	ns_items_each(ns, now, device, judge_counter);
}

static void end_session(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	item->session_ended = item->state == NS_ITEM_PLANNED;
	(void)ns_item_apply(ns, now, slot, NS_ITEM_SESSION_ENDED,
			    &(struct ns_item_told){.cause = NS_DROP_ITEM_SESSION_ENDED});
}

void ns_items_session_ended(struct ns *ns, struct now now, uint32_t device)
{
	ns_items_each(ns, now, device, end_session);
}

static void lose_device(struct ns *ns, struct now now, uint32_t slot)
{
	(void)ns_item_apply(ns, now, slot, NS_ITEM_DEVICE_GONE,
			    &(struct ns_item_told){.cause = NS_DROP_ITEM_DEVICE_REMOVED});
}

void ns_items_device_gone(struct ns *ns, struct now now, uint32_t device)
{
	ns_items_each(ns, now, device, lose_device);
}

/* --- time --- */

void ns_items_tick(struct ns *ns, struct now now)
{
	struct ns_item *item;
	for (unsigned i = 0; i < EXPIRED_A_TURN && !ns_turn_is_full(ns) &&
			     (item = (struct ns_item *)(void *)deadlines_pop(&ns->queue.expiries, now.mono));
	     i++) {
		if (!ns_item_has_expired(item, now.wall)) {
			arm(ns, now, item); /* the wall clock was set, or it is only time to look at it */
			continue;
		}
		bool waits = item->state == NS_ITEM_WAITING;
		uint32_t slot = ns_queue_find(&ns->queue, device_of(ns, item), &item->enqueue.item);
		ns_record_item_expired(ns, now, item);
		(void)ns_item_apply(ns, now, slot, NS_ITEM_EXPIRE,
				    &(struct ns_item_told){.cause = waits ? NS_DROP_ITEM_NOT_ACKNOWLEDGED
									  : NS_DROP_ITEM_EXPIRED});
	}
}

void ns_items_loaded(struct ns *ns, struct now now)
{
	for (uint32_t slot = 0; slot < ns->queue.items.high; slot++) {
		if (!ns_slab_holds(&ns->queue.items, slot))
			continue;
		struct ns_item *item = ns_queue_at(&ns->queue, slot);
		arm(ns, now, item);
		if (item->state == NS_ITEM_PLANNED && !ns_downlink_restore(ns, now, item))
			(void)ns_item_apply(ns, now, slot, NS_ITEM_NOT_SENT,
					    &(struct ns_item_told){.cause = NS_DROP_ITEM_RESTARTED});
	}
	ns_slab_loaded(&ns->downlinks);
}
