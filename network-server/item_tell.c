/* What the application server is told of an item: one event for each change. */
#include "network-server/item_parts.h"

#include "common/base/check.h"

const struct ns_session *ns_item_session(const struct ns *ns, const struct ns_device *device)
{
	return device->session == NS_NO_SLOT ? NULL : ns_session_at(&ns->sessions, device->session);
}

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

void ns_item_emit(struct ns *ns, struct now now, struct proto_message *message,
		  const struct ns_item_told *told)
{
	struct net_downlink_event *event = &message->downlink_event;
	const char *cause = told->cause == NS_ACCEPTED ? "" : ns_verdict(told->cause)->name;
	snprintf(event->cause, sizeof event->cause, "%s", told->cause_text ? told->cause_text : cause);
	event->head.time = now.wall;
	ASSERT(ns_emit(ns, now, NS_JOURNAL_EVENT, NULL, 0, message, &event->head) == ST_OK);
}

void ns_item_tell_max_payload(const struct ns *ns, struct net_downlink_event *event,
			      const struct ns_device *device)
{
	const struct ns_session *session = ns_item_session(ns, device);
	if (!session || session->fcnt_up == 0)
		return;
	event->has_max_payload = true;
	event->max_payload = ns_session_max_payload(ns, session, session->last_dr);
}

void ns_item_tell(struct ns *ns, struct now now, const struct ns_item *item, const struct ns_item_told *told)
{
	struct proto_message *message = ns_event(ns, PROTO_DOWNLINK_EVENT);
	struct net_downlink_event *event = &message->downlink_event;
	const struct ns_device *device = ns_device_at(&ns->sessions, item->device);
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
		ns_item_tell_max_payload(ns, event, device);
	if (event->status == NET_ITEM_STALE_COUNTER) {
		const struct ns_session *session = ns_item_session(ns, device);
		event->fcnt_down = session ? ns_session_next_app_fcnt_down(session) : 0;
	}
	if (told->uplink) {
		event->has_uplink = true;
		event->uplink = *told->uplink;
	}
	ns_item_emit(ns, now, message, told);
}
