/* What became of an attempt, and what is done about it: the best remaining attempt in the time that is left, chosen by the
 * cause, with the same bytes; or a failure that is reported (DESIGN 5). Silence is not failure. */
#include "network-server/airtime_rows.h"
#include "network-server/downlink.h"
#include "network-server/join_course.h"

#include "common/base/check.h"

static struct ns_downlink *find(struct ns *ns, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	if (!ns_slab_holds(&ns->downlinks, slot))
		return NULL;
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, slot);
	return downlink->id == id && downlink->state == NS_DOWNLINK_SENT ? downlink : NULL;
}

static void succeed(struct ns *ns, struct now now, struct ns_downlink *downlink,
		    const struct lw_eui64 *gateway)
{
	ns->downlinks_acked++;
	ns_course_on_air(ns, now, downlink);
	if (downlink->has_item && ns_slab_holds(&ns->sessions.devices, downlink->device)) {
		struct lw_eui64 dev_eui = ns_device_at(&ns->sessions, downlink->device)->dev_eui;
		if (ns_downlink_take_item(ns, downlink->device, &downlink->item, NULL))
			ns_downlink_report(ns, now, &dev_eui, &downlink->item, NET_ITEM_SENT,
					   downlink->fcnt_down, gateway, "");
	}
	ns_downlink_close(ns, downlink);
}

void ns_downlink_silence(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct lw_eui64 gateway = downlink->plan.attempts[downlink->attempt].tx.gateway;
	succeed(ns, now, downlink, &gateway);
}

/* An item that no gateway sent stays first in its queue; the counter is spent. */
static void give_up(struct ns *ns, struct ns_downlink *downlink)
{
	ns_count(ns, NS_DROP_ATTEMPTS_SPENT);
	struct ns_session *session = ns_session_get(&ns->sessions, downlink->session, downlink->tag);
	if (session && downlink->item_confirmed && session->flags & NS_SESSION_CONF_DOWN &&
	    session->conf_fcnt_down == downlink->fcnt_down) {
		session->flags = (uint8_t)(session->flags & ~NS_SESSION_CONF_DOWN);
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, downlink->session);
	}
	ns_downlink_close(ns, downlink);
}

void ns_on_tx_ack(struct ns *ns, struct now now, const struct gw_tx_ack *ack)
{
	struct ns_downlink *downlink = find(ns, ack->id);
	uint32_t slot = ns_gateways_find(&ns->gateways, &ack->gateway);
	if (slot != NS_NO_SLOT && ack->latency_us > 0)
		ns_gateway_latency(ns_gateways_at(&ns->gateways, slot), ack->latency_us);
	if (!downlink || slot == NS_NO_SLOT ||
	    !lw_eui64_equal(&downlink->plan.attempts[downlink->attempt].tx.gateway, &ack->gateway)) {
		ns_count(ns, NS_DROP_UNKNOWN_TX_ACK);
		return;
	}
	if (ack->result == GW_TX_OK || ack->result == GW_TX_NO_ANSWER) {
		succeed(ns, now, downlink, &ack->gateway);
		return;
	}
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	const struct ns_attempt *failed = &downlink->plan.attempts[downlink->attempt];
	gateway->tx_refused++;
	ns_gateway_refused(gateway, ns_region(ns, gateway->region), failed->tx.freq_hz, failed->start,
			   failed->airtime_us);
	int next = ns_plan_next(&downlink->plan, downlink->attempt, ack->result, &downlink->windows,
				&ns->gateways, now.mono);
	if (next >= 0)
		ns_downlink_send(ns, now, downlink, (uint8_t)next);
	else {
		ns_course_not_sent(ns, now, downlink, NS_DROP_ATTEMPTS_SPENT,
				   ack->cause[0] ? ack->cause : gw_tx_result_name(ack->result));
		give_up(ns, downlink);
	}
}

void ns_downlink_report(struct ns *ns, struct now now, const struct lw_eui64 *dev_eui,
			const struct net_uuid *item, enum net_item_status status, uint32_t fcnt_down,
			const struct lw_eui64 *gateway, const char *cause)
{
	struct proto_message *message = ns_event(ns, PROTO_DOWNLINK_EVENT);
	struct net_downlink_event *event = &message->downlink_event;
	event->head.time = now.wall;
	event->head.dev_eui = *dev_eui;
	event->item = *item;
	event->status = status;
	event->fcnt_down = fcnt_down;
	if (gateway)
		event->gateway = *gateway;
	snprintf(event->cause, sizeof event->cause, "%s", cause);
	ASSERT(ns_emit(ns, now, NS_JOURNAL_EVENT, NULL, 0, message, &event->head) == ST_OK);
}

bool ns_downlink_take_item(struct ns *ns, uint32_t slot, const struct net_uuid *item,
			   struct net_enqueue *enqueue)
{
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	struct net_enqueue gone;
	if (!ns_queue_take(&ns->queue, &device->queue, &device->queued, item, &gone))
		return false;
	ns_queue_journal_gone(ns, &gone);
	if (enqueue)
		*enqueue = gone;
	return true;
}

void ns_on_enqueue(struct ns *ns, struct now now, const struct net_enqueue *enqueue)
{
	uint32_t slot = ns_device_find(&ns->sessions, &enqueue->dev_eui);
	if (slot == NS_NO_SLOT || !ns_item_valid(enqueue)) {
		enum ns_drop drop = slot == NS_NO_SLOT ? NS_DROP_ITEM_UNKNOWN_DEVICE : NS_DROP_ITEM_INVALID;
		ns_count(ns, drop);
		ns_downlink_report(ns, now, &enqueue->dev_eui, &enqueue->item, NET_ITEM_REFUSED, 0, NULL,
				   ns_verdict(drop)->name);
		return;
	}
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	enum status status = ns_queue_add(&ns->queue, &device->queue, &device->queued, enqueue);
	if (status == ST_FULL) {
		ns_count(ns, NS_DROP_ITEM_QUEUE_FULL);
		ns_downlink_report(ns, now, &enqueue->dev_eui, &enqueue->item, NET_ITEM_REFUSED, 0, NULL,
				   ns_verdict(NS_DROP_ITEM_QUEUE_FULL)->name);
	}
	if (status != ST_OK)
		return; /* the same item again: it is queued already */
	ns_queue_journal_item(ns, enqueue);
	ns_downlink_report(ns, now, &enqueue->dev_eui, &enqueue->item, NET_ITEM_QUEUED, 0, NULL, "");
}

void ns_on_flush(struct ns *ns, struct now now, const struct net_flush *flush)
{
	uint32_t slot = ns_device_find(&ns->sessions, &flush->dev_eui);
	if (slot == NS_NO_SLOT) {
		ns_count(ns, NS_DROP_ITEM_UNKNOWN_DEVICE);
		return;
	}
	if (flush->one) {
		if (ns_downlink_take_item(ns, slot, &flush->item, NULL))
			ns_downlink_report(ns, now, &flush->dev_eui, &flush->item, NET_ITEM_FAILED, 0, NULL,
					   "flushed");
		return;
	}
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	while (device->queue != NS_NO_SLOT) {
		const struct ns_item *first = ns_slab_at(&ns->queue.items, device->queue);
		struct net_uuid item = first->enqueue.item;
		(void)ns_downlink_take_item(ns, slot, &item, NULL);
		ns_downlink_report(ns, now, &flush->dev_eui, &item, NET_ITEM_FAILED, 0, NULL, "flushed");
	}
}
