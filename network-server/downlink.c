#include "network-server/downlink.h"

#include "common/base/check.h"
#include "common/lorawan/airtime.h"
#include "network-server/airtime_rows.h"
#include "network-server/downlink_frame.h"
#include "network-server/join_course.h"
#include "network-server/mac/mac.h"

static const bool allowed[NS_DOWNLINK_STATE_COUNT][NS_DOWNLINK_STATE_COUNT] = {
	[NS_DOWNLINK_OPEN] = {[NS_DOWNLINK_SEALING] = true, [NS_DOWNLINK_SENT] = true},
	[NS_DOWNLINK_SEALING] = {[NS_DOWNLINK_SENT] = true},
	[NS_DOWNLINK_SENT] = {[NS_DOWNLINK_SENT] = true},
};

/* Which downlink waits for an item to be sealed; at most NS_SEALS_MAX at once (DESIGN 11). */
struct sealing {
	struct net_uuid item;
	uint32_t slot;
};

static void downlink_goto(struct ns *ns, struct ns_downlink *downlink, enum ns_downlink_state state,
			  struct mono due)
{
	ASSERT(allowed[downlink->state][state]);
	if (downlink->state == NS_DOWNLINK_SEALING)
		table_remove(&ns->sealing, &downlink->sealing);
	downlink->state = state;
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline, due) == ST_OK);
}

static struct ns_downlink *take(struct ns *ns, struct now now)
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

static void forget_opportunity(struct ns *ns, struct ns_downlink *downlink)
{
	if (!downlink->is_join && ns_slab_holds(&ns->sessions.devices, downlink->device)) {
		struct ns_device *device = ns_device_at(&ns->sessions, downlink->device);
		if (device->opportunity == slot_of(downlink))
			device->opportunity = NS_NO_SLOT;
	}
}

void ns_downlink_close(struct ns *ns, struct ns_downlink *downlink)
{
	forget_opportunity(ns, downlink);
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

/* max(now, RX start − 800 ms); with RxDelay 1 s that is now, and an application's reaction is waited for, as long as the
 * frame still leaves half a second before its window. */
static struct mono leave_at(const struct ns *ns, struct now now, const struct ns_windows *windows)
{
	struct mono start = ns_windows_start(windows);
	struct mono leave = mono_add(start, -NS_CLASS_A_LEAD);
	if (leave.us < now.mono.us && ns->app_connected && windows->rx1_delay == US_PER_S) {
		struct mono latest = mono_add(start, -(US_PER_S / 2 + 50 * US_PER_MS));
		leave = mono_add(now.mono, NS_REACTION_TIME);
		if (leave.us > latest.us)
			leave = latest;
	}
	return leave.us > now.mono.us ? leave : now.mono;
}

void ns_downlink_open(struct ns *ns, struct now now, uint32_t session, const struct ns_windows *windows,
		      const struct ns_answer *answer)
{
	const struct ns_session *of = ns_session_at(&ns->sessions, session);
	ns_downlink_cancel(ns, of->device);
	struct ns_downlink *downlink = take(ns, now);
	if (!downlink) {
		ns_count(ns, NS_DROP_DOWNLINK_FULL);
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
	downlink->windows = *windows;
	ns_device_at(&ns->sessions, of->device)->opportunity = slot_of(downlink);
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline, leave_at(ns, now, windows)) ==
	       ST_OK);
}

/* The counter is spent from here on, whatever becomes of the frame (invariant 2). */
static bool spend_fcnt_down(struct ns *ns, uint32_t slot, struct ns_session *session, bool application,
			    uint32_t *fcnt)
{
	bool a_counter = application && (session->flags & NS_SESSION_1_1);
	uint32_t *next = a_counter ? &session->a_fcnt_down : &session->n_fcnt_down;
	if (*next == UINT32_MAX) {
		ns_count(ns, NS_DROP_FCNT_DOWN_EXHAUSTED);
		return false;
	}
	uint8_t row[14];
	struct wr wr = wr_init(row, sizeof row);
	wr_u32le(&wr, slot);
	wr_u32le(&wr, session->tag);
	wr_u8(&wr, a_counter);
	wr_u32le(&wr, *next);
	wr_u8(&wr, session->repeats);
	ns_journal_put(ns, NS_JOURNAL_FCNT_DOWN, row, wr_length(&wr), NULL, 0);
	*fcnt = (*next)++;
	ns_session_mark(&ns->sessions, slot);
	return true;
}

static void expire_items(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	struct net_enqueue gone;
	while (ns_queue_take_expired(&ns->queue, &device->queue, &device->queued, now.wall, &gone)) {
		ns_queue_journal_gone(ns, &gone);
		ns_downlink_report(ns, now, &gone.dev_eui, &gone.item, NET_ITEM_EXPIRED, 0, NULL, "");
	}
}

/* The agency chose the counter of a frame it encrypted itself: it is that one now or never. */
static bool take_stale(struct ns *ns, struct now now, uint32_t device, const struct ns_session *session,
		       const struct net_enqueue *item)
{
	if (!item->encrypted || item->fcnt_down == ns_session_next_app_fcnt_down(session))
		return false;
	if (item->fcnt_down > ns_session_next_app_fcnt_down(session))
		return false;
	struct net_enqueue gone;
	struct net_uuid id = item->item;
	(void)ns_downlink_take_item(ns, device, &id, &gone);
	ns_downlink_report(ns, now, &gone.dev_eui, &gone.item, NET_ITEM_STALE_COUNTER,
			   ns_session_next_app_fcnt_down(session), NULL, "stale_counter");
	return true;
}

static const struct net_enqueue *next_item(struct ns *ns, struct now now, const struct ns_downlink *downlink,
					   const struct ns_session *session)
{
	expire_items(ns, now, downlink->device);
	const struct ns_device *device = ns_device_at(&ns->sessions, downlink->device);
	const struct net_enqueue *item;
	while ((item = ns_queue_first(&ns->queue, device->queue, now.wall)) != NULL &&
	       take_stale(ns, now, downlink->device, session, item))
		;
	if (!item || (item->encrypted && item->fcnt_down != ns_session_next_app_fcnt_down(session)))
		return NULL;
	uint8_t room = ns_windows_max_payload(&downlink->windows, ns_region(ns, session->region));
	bool fits = ns_frame_overhead(downlink, session) + item->length <= room;
	return fits && (item->encrypted || ns->app_connected) ? item : NULL;
}

/* Makes the list of attempts for the frame, and sends the best. */
static void send_frame(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	bool duty;
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	if (!ns_plan_make(&downlink->plan, &downlink->windows, region, &ns->gateways, now.mono,
			  downlink->phy_length, &duty)) {
		enum ns_drop drop = duty ? NS_DROP_DUTY_CYCLE
				    : ns_windows_start(&downlink->windows).us + US_PER_S < now.mono.us
					    ? NS_DROP_TOO_LATE
					    : NS_DROP_NO_GATEWAY;
		ns_count(ns, drop);
		ns_course_not_sent(ns, now, downlink, drop, "");
		ns_downlink_close(ns, downlink);
		return;
	}
	forget_opportunity(ns, downlink);
	ns_downlink_send(ns, now, downlink, 0);
}

void ns_downlink_send(struct ns *ns, struct now now, struct ns_downlink *downlink, uint8_t index)
{
	struct ns_attempt *attempt = &downlink->plan.attempts[index];
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways,
						    downlink->windows.by[attempt->hearer].gateway);
	struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_DOWNLINK);
	ASSERT(out);
	out->link = gateway->link;
	out->downlink.id = downlink->id;
	memcpy(out->downlink.phy, downlink->phy, downlink->phy_length);
	out->downlink.phy_length = downlink->phy_length;
	out->downlink.attempt_count = 1;
	out->downlink.attempts[0] = attempt->tx;
	attempt->spent = true;
	downlink->attempt = index;
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	ns_gateway_transmits(gateway, region, attempt->tx.freq_hz, now.mono, attempt->start,
			     attempt->airtime_us);
	ns_airtime_journal(ns, now, gateway, attempt->tx.freq_hz, attempt->start, attempt->airtime_us);
	gateway->downlinks++;
	ns->downlinks_sent++;
	/* Silence until the frame is over and a second more counts as sent (DESIGN 11). */
	downlink_goto(ns, downlink, NS_DOWNLINK_SENT,
		      mono_add(attempt->start, (span_us)attempt->airtime_us + 2 * US_PER_S));
	ns_course_sent(ns, now, downlink);
}

void ns_downlink_join(struct ns *ns, struct now now, uint32_t device, const struct ns_windows *windows,
		      const uint8_t *phy, uint8_t length)
{
	uint32_t attempt = ns_device_at(&ns->sessions, device)->attempt;
	struct ns_downlink *downlink = take(ns, now);
	if (!downlink) {
		ns_count(ns, NS_DROP_DOWNLINK_FULL);
		ns_course_not_sent(
			ns, now,
			&(struct ns_downlink){.is_join = true, .device = device, .join_attempt = attempt},
			NS_DROP_DOWNLINK_FULL, "");
		return;
	}
	downlink->is_join = true;
	downlink->join_attempt = attempt;
	downlink->device = device;
	downlink->windows = *windows;
	memcpy(downlink->phy, phy, length);
	downlink->phy_length = length;
	send_frame(ns, now, downlink);
}

static void build_and_send(struct ns *ns, struct now now, struct ns_downlink *downlink,
			   struct ns_session *session, const struct net_enqueue *item, const uint8_t *payload)
{
	ns_frame_build(ns, downlink, session, item, payload);
	if (item && item->confirmed) {
		session->flags |= NS_SESSION_CONF_DOWN;
		session->conf_fcnt_down = downlink->fcnt_down;
		session->conf_item = item->item;
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, downlink->session);
	}
	send_frame(ns, now, downlink);
}

/* The counter was meant for the item and is spent: 1.0.x sends the frame under it without the item; 1.1 needs one of the
 * network's own, since AFCntDown numbers frames with an application port alone. */
static void send_without_item(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	downlink->has_item = false;
	if (!session || (session->flags & NS_SESSION_1_1 &&
			 !spend_fcnt_down(ns, downlink->session, session, false, &downlink->fcnt_down))) {
		ns_downlink_close(ns, downlink);
		return;
	}
	build_and_send(ns, now, downlink, session, NULL, NULL);
}

/* The frame leaves now: what it says is decided, its counter spent. */
static void fire(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	const struct net_enqueue *item = session ? next_item(ns, now, downlink, session) : NULL;
	if (!session || (!item && !downlink->must) || downlink->windows.count == 0) {
		if (session && downlink->must)
			ns_count(ns, NS_DROP_NO_GATEWAY);
		ns_downlink_close(ns, downlink);
		return;
	}
	if (!spend_fcnt_down(ns, downlink->session, session, item != NULL, &downlink->fcnt_down)) {
		ns_downlink_close(ns, downlink);
		return;
	}
	if (!item || item->encrypted) {
		downlink->has_item = item != NULL;
		if (item)
			downlink->item = item->item;
		build_and_send(ns, now, downlink, session, item, item ? item->frm_payload : NULL);
		return;
	}
	downlink->has_item = true;
	downlink->item = downlink->sealing = item->item;
	bool made;
	struct sealing *row = table_put(&ns->sealing, &item->item, &made);
	if (!row || !made) {
		ns_count(ns, NS_DROP_SEAL_TIMEOUT);
		send_without_item(ns, now, downlink);
		return;
	}
	row->slot = slot_of(downlink);
	struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_SEAL);
	ASSERT(out);
	out->seal = (struct net_seal){item->item, session->dev_eui, session->id, session->dev_addr,
				      downlink->fcnt_down};
	downlink_goto(ns, downlink, NS_DOWNLINK_SEALING, mono_add(now.mono, NS_SEAL_TIMEOUT));
}

void ns_on_sealed(struct ns *ns, struct now now, const struct net_sealed *sealed)
{
	const struct sealing *row = table_get(&ns->sealing, &sealed->item);
	if (!row || !ns_slab_holds(&ns->downlinks, row->slot)) {
		ns_count(ns, NS_DROP_SEAL_TIMEOUT);
		return; /* too late: the frame has left without it */
	}
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, row->slot);
	if (downlink->state != NS_DOWNLINK_SEALING || downlink->fcnt_down != sealed->fcnt_down)
		return;
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	const struct ns_device *device = ns_device_at(&ns->sessions, downlink->device);
	const struct net_enqueue *item = ns_queue_find(&ns->queue, device->queue, &downlink->item);
	if (session && item && sealed->ok && sealed->frm_payload_length == item->length) {
		build_and_send(ns, now, downlink, session, item, sealed->frm_payload);
		return;
	}
	ns_count(ns, NS_DROP_SEAL_REFUSED);
	if (item && !sealed->ok && ns_downlink_take_item(ns, downlink->device, &sealed->item, NULL))
		ns_downlink_report(ns, now, &device->dev_eui, &sealed->item, NET_ITEM_REFUSED,
				   sealed->fcnt_down, NULL, sealed->cause);
	send_without_item(ns, now, downlink);
}

void ns_downlink_tick(struct ns *ns, struct now now)
{
	struct ns_downlink *downlink;
	while (!ns_turn_is_full(ns) &&
	       (downlink = (struct ns_downlink *)(void *)deadlines_pop(&ns->downlink_deadlines, now.mono))) {
		switch (downlink->state) {
		case NS_DOWNLINK_OPEN: fire(ns, now, downlink); break;
		case NS_DOWNLINK_SEALING:
			ns_count(ns, NS_DROP_SEAL_TIMEOUT);
			send_without_item(ns, now, downlink);
			break;
		case NS_DOWNLINK_SENT: ns_downlink_silence(ns, now, downlink); break;
		case NS_DOWNLINK_STATE_COUNT: ASSERT(false);
		}
	}
}
