#include "network-server/item_flow.h"

#include "common/base/check.h"
#include "network-server/downlink.h"
#include "network-server/item_rows.h"

#define EXPIRED_A_TURN 256

static struct ns_device *device_of(const struct ns *ns, const struct ns_item *item)
{
	return ns_device_at(&ns->sessions, item->device);
}

static const struct ns_session *session_of(const struct ns *ns, const struct ns_device *device)
{
	return device->session == NS_NO_SLOT ? NULL : ns_session_at(&ns->sessions, device->session);
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

/* --- events to the application server --- */

static void tell_attempt(struct net_downlink_event *event, const struct ns_downlink *downlink)
{
	const struct ns_attempt *attempt = &downlink->plan.attempts[downlink->attempt];
	if (attempt->tx.freq_hz == 0) /* of before a restart */
		return;
	event->has_tx = true;
	event->freq_hz = attempt->tx.freq_hz;
	event->modulation = attempt->tx.modulation;
	event->power_dbm = attempt->tx.power_dbm;
	event->window = attempt->tx.window;
	event->delay = downlink->windows.rx1_delay + (attempt->tx.window == GW_RX2 ? US_PER_S : 0);
}

static void emit(struct ns *ns, struct now now, struct proto_message *message,
		 const struct ns_item_told *told)
{
	struct net_downlink_event *event = &message->downlink_event;
	const char *cause = told->cause == NS_ACCEPTED ? "" : ns_verdict(told->cause)->name;
	snprintf(event->cause, sizeof event->cause, "%s", told->cause_text ? told->cause_text : cause);
	event->head.time = now.wall;
	ASSERT(ns_emit(ns, now, NS_JOURNAL_EVENT, NULL, 0, message, &event->head) == ST_OK);
}

static void tell_max_payload(const struct ns *ns, struct net_downlink_event *event,
			     const struct ns_device *device)
{
	const struct ns_session *session = session_of(ns, device);
	if (!session || session->fcnt_up == 0)
		return;
	event->has_max_payload = true;
	event->max_payload = ns_session_max_payload(ns, session, session->last_dr);
}

static void tell(struct ns *ns, struct now now, const struct ns_item *item, const struct ns_item_told *told)
{
	struct proto_message *message = ns_event(ns, PROTO_DOWNLINK_EVENT);
	struct net_downlink_event *event = &message->downlink_event;
	const struct ns_device *device = device_of(ns, item);
	event->head.dev_eui = item->enqueue.dev_eui;
	event->item = item->enqueue.item;
	event->status = ns_item_status(item->state);
	event->tries = item->tries;
	if (item->downlink != 0)
		event->fcnt_down = item->fcnt_down;
	if (event->status == NET_ITEM_PLANNED || event->status == NET_ITEM_SENT) {
		event->gateway = item->gateway;
		if (told->downlink)
			tell_attempt(event, told->downlink);
	}
	if (event->status == NET_ITEM_QUEUED || event->status == NET_ITEM_REFUSED)
		tell_max_payload(ns, event, device);
	if (event->status == NET_ITEM_STALE_COUNTER) {
		const struct ns_session *session = session_of(ns, device);
		event->fcnt_down = session ? ns_session_next_app_fcnt_down(session) : 0;
	}
	if (told->uplink) {
		event->has_uplink = true;
		event->uplink = *told->uplink;
	}
	emit(ns, now, message, told);
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
	if (ns_item_is_over(rule->to)) {
		ns_queue_note_over(&ns->queue, &item->enqueue.item, ns_journal_next(&ns->journal));
		ns_item_journal_over(ns, item);
		tell(ns, now, item, told);
		ns_queue_remove(&ns->queue, device_of(ns, item), slot);
		return false;
	}
	if (rule->from == NS_ITEM_NONE)
		ns_item_journal(ns, item);
	else if (rule->from != rule->to || rule->to == NS_ITEM_PLANNED)
		ns_item_journal_state(ns, item);
	if (rule->reported)
		tell(ns, now, item, told);
	arm(ns, now, item);
	return true;
}

/* --- from the application server --- */

static enum ns_drop judge(const struct ns *ns, uint32_t device, const struct net_enqueue *enqueue)
{
	if (device == NS_NO_SLOT)
		return NS_DROP_ITEM_UNKNOWN_DEVICE;
	if (!ns_item_valid(enqueue))
		return NS_DROP_ITEM_INVALID;
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, device));
	if (profile && enqueue->length > ns_region_longest(ns_region(ns, profile->region)))
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
		const struct ns_session *session = session_of(ns, of);
		if (event->status == NET_ITEM_STALE_COUNTER)
			event->fcnt_down = session ? ns_session_next_app_fcnt_down(session) : 0;
		else
			tell_max_payload(ns, event, of);
		if (cause == NS_DROP_ITEM_TOO_LONG && profile) { /* what would have been taken */
			event->has_max_payload = true;
			event->max_payload = ns_region_longest(ns_region(ns, profile->region));
		}
	}
	ns_count(ns, cause);
	emit(ns, now, message, &(struct ns_item_told){.cause = cause});
}

static bool counter_has_passed(const struct ns *ns, const struct ns_device *device,
			       const struct net_enqueue *enqueue)
{
	const struct ns_session *session = session_of(ns, device);
	return enqueue->encrypted && session && enqueue->fcnt_down < ns_session_next_app_fcnt_down(session);
}

void ns_on_enqueue(struct ns *ns, struct now now, const struct net_enqueue *enqueue)
{
	uint32_t of = ns_device_find(&ns->sessions, &enqueue->dev_eui), slot;
	if (ns_queue_is_over(&ns->queue, &enqueue->item, ns->journal.stored_row)) {
		ns_count(ns, NS_DROP_ITEM_AGAIN);
		return; /* what became of it is on its way */
	}
	enum ns_drop drop = judge(ns, of, enqueue);
	if (drop != NS_ACCEPTED) {
		turn_away(ns, now, of, enqueue, NS_ITEM_REFUSE, drop);
		return;
	}
	struct ns_device *device = ns_device_at(&ns->sessions, of);
	if (ns_queue_find(&ns->queue, device, &enqueue->item) != NS_NO_SLOT) {
		ns_count(ns, NS_DROP_ITEM_AGAIN);
		return;
	}
	if (counter_has_passed(ns, device, enqueue)) {
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

static void flush(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	item->flushed = true;
	(void)ns_item_apply(ns, now, slot, NS_ITEM_FLUSH,
			    &(struct ns_item_told){.cause = NS_DROP_ITEM_FLUSHED});
}

/* Applies `to` to each item of a device. */
static void for_each(struct ns *ns, struct now now, uint32_t device,
		     void (*to)(struct ns *ns, struct now now, uint32_t slot))
{
	for (uint32_t slot = ns_device_at(&ns->sessions, device)->queue, next; slot != NS_NO_SLOT;
	     slot = next) {
		next = ns_queue_at(&ns->queue, slot)->next;
		to(ns, now, slot);
	}
}

void ns_on_flush(struct ns *ns, struct now now, const struct net_flush *wanted)
{
	uint32_t device = ns_device_find(&ns->sessions, &wanted->dev_eui);
	if (device == NS_NO_SLOT) {
		ns_count(ns, NS_DROP_ITEM_UNKNOWN_DEVICE);
		return;
	}
	if (!wanted->one) {
		for_each(ns, now, device, flush);
		return;
	}
	uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, device), &wanted->item);
	if (slot != NS_NO_SLOT)
		flush(ns, now, slot);
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
		ns_count(ns, NS_DROP_ITEM_NOT_ACKNOWLEDGED);
	(void)ns_item_apply(ns, now, slot, ack ? NS_ITEM_ACK : NS_ITEM_NO_ACK, &told);
}

static void judge_counter(struct ns *ns, struct now now, uint32_t slot)
{
	const struct ns_item *item = ns_queue_at(&ns->queue, slot);
	if (item->state == NS_ITEM_QUEUED && counter_has_passed(ns, device_of(ns, item), &item->enqueue)) {
		ns_count(ns, NS_DROP_ITEM_STALE_COUNTER);
		(void)ns_item_apply(ns, now, slot, NS_ITEM_COUNTER_PASSED,
				    &(struct ns_item_told){.cause = NS_DROP_ITEM_STALE_COUNTER});
	}
}

void ns_items_counter_moved(struct ns *ns, struct now now, uint32_t device)
{
	for_each(ns, now, device, judge_counter);
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
	for_each(ns, now, device, end_session);
}

static void lose_device(struct ns *ns, struct now now, uint32_t slot)
{
	(void)ns_item_apply(ns, now, slot, NS_ITEM_DEVICE_GONE,
			    &(struct ns_item_told){.cause = NS_DROP_ITEM_DEVICE_REMOVED});
}

void ns_items_device_gone(struct ns *ns, struct now now, uint32_t device)
{
	for_each(ns, now, device, lose_device);
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
		ns_count(ns, NS_DROP_ITEM_EXPIRED);
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
