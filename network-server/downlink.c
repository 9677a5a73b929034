#include "network-server/downlink.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/airtime.h"
#include "network-server/downlink_frame.h"
#include "network-server/downlink_parts.h"
#include "network-server/item_flow.h"
#include "network-server/mac/mac.h"
#include "network-server/why/record.h"

static const bool allowed[NS_DOWNLINK_STATE_COUNT][NS_DOWNLINK_STATE_COUNT] = {
	[NS_DOWNLINK_OPEN] =
		{[NS_DOWNLINK_OPEN] = true, [NS_DOWNLINK_SEALING] = true, [NS_DOWNLINK_SENT] = true},
	[NS_DOWNLINK_SEALING] = {[NS_DOWNLINK_SENT] = true},
	[NS_DOWNLINK_SENT] = {[NS_DOWNLINK_SENT] = true, [NS_DOWNLINK_HELD] = true},
	[NS_DOWNLINK_HELD] = {[NS_DOWNLINK_SENT] = true},
};

/* Which downlink waits for an item to be sealed; at most NS_SEALS_MAX at once (DESIGN 11). */
struct sealing {
	struct net_uuid item;
	uint32_t slot;
};

void ns_downlink_goto(struct ns *ns, struct ns_downlink *downlink, enum ns_downlink_state state,
		      struct mono due)
{
	ASSERT(allowed[downlink->state][state]);
	if (downlink->state == NS_DOWNLINK_SEALING)
		table_remove(&ns->sealing, &downlink->sealing);
	downlink->state = state;
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline, due) == ST_OK);
}

struct ns_downlink *ns_downlink_take(struct ns *ns, struct now now)
{
	uint32_t slot = ns_slab_take(&ns->downlinks);
	if (slot == NS_NO_SLOT)
		return NULL;
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, slot);
	/* The slot stands in the id, so that an answer finds its downlink without a table. */
	downlink->id = ns->next_downlink_id++ << 32 | slot;
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline, now.mono) == ST_OK);
	return downlink;
}

static uint32_t slot_of(const struct ns_downlink *downlink)
{
	return (uint32_t)downlink->id;
}

void ns_downlink_forget_opportunity(struct ns *ns, struct ns_downlink *downlink)
{
	if (!downlink->is_join && ns_slab_holds(&ns->sessions.devices, downlink->device)) {
		struct ns_device *device = ns_device_at(&ns->sessions, downlink->device);
		if (device->opportunity == slot_of(downlink))
			device->opportunity = NS_NO_SLOT;
	}
}

void ns_downlink_close(struct ns *ns, struct ns_downlink *downlink)
{
	ns_downlink_forget_opportunity(ns, downlink);
	if (downlink->state == NS_DOWNLINK_SEALING)
		table_remove(&ns->sealing, &downlink->sealing);
	deadlines_cancel(&ns->downlink_deadlines, &downlink->deadline);
	ns_slab_give(&ns->downlinks, slot_of(downlink));
}

void ns_downlink_cancel(struct ns *ns, uint32_t device)
{
	uint32_t slot = ns_device_at(&ns->sessions, device)->opportunity;
	if (slot != NS_NO_SLOT)
		ns_downlink_close(ns, ns_slab_at(&ns->downlinks, slot));
}

/* max(now, RX start − 800 ms); with RxDelay 1 s that is now. Then a frame that has to go waits for an application's
 * reaction, as long as it still leaves half a second before its window; one that has an item to carry need not. */
static struct mono leave_at(const struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	struct mono start = ns_windows_start(&downlink->windows);
	struct mono leave = mono_add(start, -NS_CLASS_A_LEAD);
	bool has_items = ns_device_at(&ns->sessions, downlink->device)->queued > 0;
	if (leave.us <= now.mono.us && ns->app_connected && downlink->must && !has_items) {
		struct mono latest = mono_add(start, -(NS_ANSWER_EARLY + 50 * US_PER_MS));
		leave = mono_add(now.mono, NS_REACTION_TIME);
		if (leave.us > latest.us)
			leave = latest;
	}
	return leave.us > now.mono.us ? leave : now.mono;
}

/* The last moment at which a command may still come: its Seal and its way to the gateway fit before RX2. */
static struct mono last_chance(const struct ns *ns, const struct ns_windows *windows)
{
	span_us lead = NS_LEAD_UNKNOWN;
	if (ns_slab_holds(&ns->gateways.slab, windows->by[0].gateway))
		lead = ns_gateway_lead(ns_gateways_at(&ns->gateways, windows->by[0].gateway));
	return mono_add(ns_windows_start(windows), US_PER_S - lead - NS_SEAL_TIMEOUT);
}

/* When the table fills up, opportunities with nothing to say make room for answers that have to go. */
static bool may_be_idle(const struct ns *ns)
{
	return ns->downlinks.count < ns->downlinks.capacity / 8;
}

static bool is_worth_a_place(const struct ns *ns, uint32_t device, bool must)
{
	return must || ns_device_at(&ns->sessions, device)->queued > 0 ||
	       ns->downlinks.count < ns->downlinks.capacity / 8 * 7;
}

void ns_downlink_open(struct ns *ns, struct now now, uint32_t session, const struct ns_windows *windows,
		      const struct ns_answer *answer)
{
	const struct ns_session *of = ns_session_at(&ns->sessions, session);
	ns_downlink_cancel(ns, of->device);
	if (!is_worth_a_place(ns, of->device, answer->must))
		return;
	struct ns_downlink *downlink = ns_downlink_take(ns, now);
	if (!downlink) {
		ns_record_drop(ns, now, NS_DROP_DOWNLINK_FULL, ns_of_device(ns, of->device),
			       (struct ns_numbers){.a = ns->downlinks.count});
		return;
	}
	downlink->device = of->device;
	downlink->session = session;
	downlink->tag = of->tag;
	downlink->must = answer->must;
	downlink->ack = answer->ack;
	downlink->acked_fcnt_up = answer->fcnt_up;
	memcpy(downlink->answers, answer->answers, answer->answers_length);
	downlink->answers_length = answer->answers_length;
	downlink->beacon_from_gps_us = answer->beacon_from_gps_us;
	downlink->windows = *windows;
	ns_device_at(&ns->sessions, of->device)->opportunity = slot_of(downlink);
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline, leave_at(ns, now, downlink)) ==
	       ST_OK);
}

void ns_downlink_item_came(struct ns *ns, struct now now, uint32_t device)
{
	uint32_t slot = ns_device_at(&ns->sessions, device)->opportunity;
	if (slot == NS_NO_SLOT)
		return;
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, slot);
	if (downlink->state != NS_DOWNLINK_OPEN || !downlink->idle)
		return;
	downlink->late = true;
	ns_downlink_goto(ns, downlink, NS_DOWNLINK_OPEN, now.mono);
}

/* The counter is spent from here on, whatever becomes of the frame (invariant 2). */
static bool spend_fcnt_down(struct ns *ns, struct now now, uint32_t slot, struct ns_session *session,
			    bool application, uint32_t *fcnt)
{
	bool a_counter = application && ns_session_behaves(session, LW_FCNT_DOWN_PAIR);
	uint32_t *next = a_counter ? &session->a_fcnt_down : &session->n_fcnt_down;
	if (*next == UINT32_MAX) {
		ns_record_drop(ns, now, NS_DROP_FCNT_DOWN_EXHAUSTED, ns_of_device(ns, session->device),
			       (struct ns_numbers){.a = *next});
		return false;
	}
	uint8_t row[14];
	struct wr wr = wr_init(row, sizeof row);
	wr_u32le(&wr, slot);
	wr_u32le(&wr, session->tag);
	wr_u8(&wr, a_counter);
	wr_u32le(&wr, *next);
	wr_u8(&wr, session->repeats);
#if MUTANT != MUTANT_COUNTER_AFTER_SEND
	ns_journal_put(ns, NS_JOURNAL_FCNT_DOWN, row, wr_length(&wr), NULL, 0);
#endif
	*fcnt = ns_session_fcnt(session, (*next)++);
	ns_session_mark(&ns->sessions, slot);
	return true;
}

static void build_and_send(struct ns *ns, struct now now, struct ns_downlink *downlink,
			   struct ns_session *session, const struct net_enqueue *item, const uint8_t *payload)
{
	uint32_t device = downlink->device;
	ns_frame_build(ns, now, downlink, session, item, payload);
	if (item && item->confirmed) {
		session->conf_fcnt_down =
			downlink->fcnt_down; /* 1.1: in the MIC of the uplink with its ACK */
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, downlink->session);
	}
	ns_downlink_dispatch(ns, now, downlink);
	ns_items_counter_moved(ns, now, device);
}

/* The counter was meant for the item and is spent: 1.0.x sends the frame under it without the item; 1.1 needs one of the
 * network's own, since AFCntDown numbers frames with an application port alone. */
static void send_without_item(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	downlink->has_item = false;
	if (!session ||
	    (ns_session_behaves(session, LW_FCNT_DOWN_PAIR) &&
	     !spend_fcnt_down(ns, now, downlink->session, session, false, &downlink->fcnt_down))) {
		ns_downlink_close(ns, downlink);
		return;
	}
	build_and_send(ns, now, downlink, session, NULL, NULL);
}

/* The item stays first in its queue. */
static void not_sealed(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	ns_record_drop(ns, now, NS_DROP_SEAL_TIMEOUT, ns_of_item(ns, downlink->device, &downlink->item),
		       (struct ns_numbers){downlink->fcnt_down, 0, NS_SEAL_TIMEOUT / US_PER_MS});
	ns_item_stays(ns, now, downlink, NS_DROP_SEAL_TIMEOUT);
	downlink->more = true;
	send_without_item(ns, now, downlink);
}

/* Whether a gateway could send a frame with an item of that length, before a counter is spent for it. */
static enum ns_drop can_leave(const struct ns *ns, struct now now, const struct ns_downlink *downlink,
			      uint8_t room, const struct net_enqueue *item, struct ns_plan_why *why)
{
	struct ns_plan plan;
	unsigned fopts = downlink->answers_length < LW_FOPTS_MAX ? downlink->answers_length : LW_FOPTS_MAX;
	unsigned length = 7 + fopts + (item ? 1u + item->length : 0);
	enum ns_drop drop = ns_plan_make(&plan, &downlink->windows, ns_region(ns, downlink->windows.region),
					 &ns->gateways, now.mono,
					 (uint8_t)(5 + (length < room ? length : room)));
	*why = plan.why;
	return drop;
}

/* Nothing to say: for as long as a gateway could still be reached, something may come. */
static void stay_open(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct mono last = last_chance(ns, &downlink->windows);
	if (last.us <= now.mono.us || !may_be_idle(ns)) {
		ns_downlink_close(ns, downlink);
		return;
	}
	downlink->idle = true;
	downlink->late = false;
	ns_downlink_goto(ns, downlink, NS_DOWNLINK_OPEN, last);
}

static void ask_for_seal(struct ns *ns, struct now now, struct ns_downlink *downlink,
			 const struct ns_session *session)
{
	bool made;
	struct sealing *row = table_put(&ns->sealing, &downlink->item, &made);
	if (!row || !made) {
		not_sealed(ns, now, downlink);
		return;
	}
	row->slot = slot_of(downlink);
	downlink->sealing = downlink->item;
	struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_SEAL);
	ASSERT(out);
	out->seal = (struct net_seal){downlink->item, session->dev_eui, session->id, session->dev_addr,
				      downlink->fcnt_down};
	ns_downlink_goto(ns, downlink, NS_DOWNLINK_SEALING, mono_add(now.mono, NS_SEAL_TIMEOUT));
}

/* What the frame says is decided. Returns the item that it carries, or NULL; `*go`: whether there is a frame at all. */
static const struct net_enqueue *decide(struct ns *ns, struct now now, struct ns_downlink *downlink,
					const struct ns_session *session, bool *go)
{
	uint8_t room = ns_windows_max_payload(&downlink->windows, ns_region(ns, session->region));
	uint8_t fopts = downlink->answers_length < LW_FOPTS_MAX ? downlink->answers_length : LW_FOPTS_MAX;
	uint32_t slot = ns_item_pick(ns, now, downlink->device, session, room, fopts, &downlink->more);
	const struct net_enqueue *item = slot == NS_NO_SLOT ? NULL : &ns_queue_at(&ns->queue, slot)->enqueue;
	*go = item || downlink->must;
	struct ns_plan_why why;
	enum ns_drop drop = item ? can_leave(ns, now, downlink, room, item, &why) : NS_ACCEPTED;
	if (drop != NS_ACCEPTED) {
		ns_record_no_way(ns, now, downlink, drop, &why);
		ns_item_hold(ns, now, slot, drop);
		item = NULL;
		downlink->more = true;
		*go = downlink->must;
	}
	if (*go && !item && (drop = can_leave(ns, now, downlink, room, NULL, &why)) != NS_ACCEPTED) {
		ns_record_no_way(ns, now, downlink, drop, &why);
		*go = false;
		downlink->must = false; /* there is no way, and it will not open up */
	}
	return item;
}

/* The frame leaves now: its counter is spent from here on. */
static void fire(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	if (!session || downlink->windows.count == 0) {
		if (session && downlink->must)
			ns_record_drop(ns, now, NS_DROP_NO_GATEWAY, ns_of_device(ns, downlink->device),
				       (struct ns_numbers){0});
		ns_downlink_close(ns, downlink);
		return;
	}
	bool go;
	const struct net_enqueue *item = decide(ns, now, downlink, session, &go);
	if (!go) {
		stay_open(ns, now, downlink);
		return;
	}
	if (!spend_fcnt_down(ns, now, downlink->session, session, item != NULL, &downlink->fcnt_down)) {
		ns_downlink_close(ns, downlink);
		return;
	}
	downlink->has_item = item != NULL;
	if (item)
		downlink->item = item->item;
#if MUTANT == MUTANT_COUNTER_OF_RETRY
	if (item && item->confirmed) {
		uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, downlink->device),
					      &downlink->item);
		if (ns_queue_at(&ns->queue, slot)->tries > 0)
			downlink->fcnt_down = ns_queue_at(&ns->queue, slot)->fcnt_down;
	}
#endif
	if (item && !item->encrypted)
		ask_for_seal(ns, now, downlink, session);
	else
		build_and_send(ns, now, downlink, session, item, item ? item->frm_payload : NULL);
}

/* An application server that has not stored all events yet (it was away) may hear of the session's key later than of the
 * item: without that key it is asked once more, in the next frame. Any other word is its last. */
static void seal_refused(struct ns *ns, struct now now, uint32_t slot, const struct net_sealed *sealed)
{
	struct ns_item *item = ns_queue_at(&ns->queue, slot);
	struct ns_item_told told = {.cause = NS_DROP_SEAL_REFUSED,
				    .cause_text = sealed->cause[0] ? sealed->cause : NULL};
	bool behind = ns->journal.stored_row < ns->journal.event_row;
	bool again = behind && strcmp(sealed->cause, NET_NO_SESSION_KEY) == 0 &&
		     item->held != NS_DROP_SEAL_REFUSED;
	if (again)
		item->held = NS_DROP_SEAL_REFUSED;
	(void)ns_item_apply(ns, now, slot, again ? NS_ITEM_HOLD : NS_ITEM_SEAL_REFUSED, &told);
}

void ns_on_sealed(struct ns *ns, struct now now, const struct net_sealed *sealed)
{
	const struct sealing *row = table_get(&ns->sealing, &sealed->item);
	if (!row || !ns_slab_holds(&ns->downlinks, row->slot)) {
		ns_record_drop(ns, now, NS_DROP_SEAL_TIMEOUT, ns_of_item(ns, NS_NO_SLOT, &sealed->item),
			       (struct ns_numbers){sealed->fcnt_down, 0, NS_SEAL_TIMEOUT / US_PER_MS});
		return; /* too late: the frame has left without it */
	}
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, row->slot);
	if (downlink->state != NS_DOWNLINK_SEALING || downlink->fcnt_down != sealed->fcnt_down)
		return;
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	uint32_t slot = ns_queue_find(&ns->queue, ns_device_at(&ns->sessions, downlink->device),
				      &downlink->item);
	const struct net_enqueue *item = slot == NS_NO_SLOT ? NULL : &ns_queue_at(&ns->queue, slot)->enqueue;
	if (session && item && sealed->ok && sealed->frm_payload_length == item->length) {
		build_and_send(ns, now, downlink, session, item, sealed->frm_payload);
		return;
	}
	ns_record_drop(ns, now, NS_DROP_SEAL_REFUSED, ns_of_item(ns, downlink->device, &downlink->item),
		       (struct ns_numbers){.a = downlink->fcnt_down});
	if (session && item)
		seal_refused(ns, now, slot, sealed);
	send_without_item(ns, now, downlink);
}

void ns_downlink_tick(struct ns *ns, struct now now)
{
	struct ns_downlink *downlink;
	while (!ns_turn_is_full(ns) &&
	       (downlink = (struct ns_downlink *)(void *)deadlines_pop(&ns->downlink_deadlines, now.mono))) {
		switch (downlink->state) {
		case NS_DOWNLINK_OPEN: fire(ns, now, downlink); break;
		case NS_DOWNLINK_SEALING: not_sealed(ns, now, downlink); break;
		case NS_DOWNLINK_SENT: ns_downlink_silence(ns, now, downlink); break;
		case NS_DOWNLINK_HELD: ns_downlink_again(ns, now, downlink); break;
		case NS_DOWNLINK_STATE_COUNT: ASSERT(false);
		}
	}
}
