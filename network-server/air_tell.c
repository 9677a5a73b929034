#include "network-server/air_tell.h"

#include "common/base/check.h"

/* There is room: NS_JOURNAL_RESERVE. */
static void emit(struct ns *ns, struct proto_message *message)
{
	struct net_event_head *head = &message->air_event.head;
	ASSERT(ns_emit(ns, (struct now){0}, NS_JOURNAL_EVENT, NULL, 0, message, head) == ST_OK);
}

void ns_air_tell_uplink(struct ns *ns, enum net_air_kind kind, const struct lw_eui64 *dev_eui,
			struct wall time, uint32_t airtime_us)
{
	struct proto_message *message = ns_event(ns, PROTO_AIR_EVENT);
	message->air_event = (struct net_air_event){
		.head = {.time = time, .dev_eui = *dev_eui}, .kind = kind, .airtime_us = airtime_us};
	emit(ns, message);
}

void ns_air_tell_downlink(struct ns *ns, struct now now, const struct ns_downlink *downlink, bool back)
{
	const struct ns_attempt *attempt = &downlink->plan.attempts[downlink->attempt];
	if (downlink->restored || !ns_slab_holds(&ns->sessions.devices, downlink->device))
		return; /* its numbers have gone */
	const struct ns_device *device = ns_device_at(&ns->sessions, downlink->device);
	struct proto_message *message = ns_event(ns, PROTO_AIR_EVENT);
	message->air_event = (struct net_air_event){
		.head = {.time = {now.wall.us + mono_since(attempt->start, now.mono)},
			 .dev_eui = device->dev_eui},
		.kind = downlink->is_join    ? NET_AIR_JOIN_ACCEPT
			: downlink->has_item ? NET_AIR_ITEM
					     : NET_AIR_MAC,
		.back = back,
		.airtime_us = attempt->airtime_us,
		.deaf_us = attempt->airtime_us + NET_DEAF_EXTRA,
		.gateway = attempt->tx.gateway};
	emit(ns, message);
}
