/* DevStatusReq (§5.5): battery and margin, every so many hours. It goes with a frame that goes anyway; only when a quarter of
 * the interval has passed without one does it make one of its own. The answer is an event. */
#include "network-server/why/record_mac.h"

#define HOUR (3600 * US_PER_S)

static uint32_t hour_of(struct now now)
{
	uint32_t hour = (uint32_t)(now.wall.us / HOUR);
	return hour ? hour : 1;
}

/* As a frame is made what was decided for its uplink holds: there is no clock then. */
enum ns_mac_urgency ns_mac_dev_status_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	struct ns_mac_state *mac = &of->session->mac;
	uint32_t interval = of->profile->dev_status_interval_h;
	if (interval == 0)
		return NS_MAC_NOTHING;
	enum ns_mac_urgency urgency = NS_MAC_IF_A_FRAME_GOES;
	if (of->uplink) {
		uint32_t hour = hour_of(of->now);
		/* The first is due at once; where the clock was set back it is due again. */
		if (mac->status_hour == 0 || mac->status_hour > hour)
			mac->status_hour = hour > interval ? hour - interval : 1;
		uint32_t passed = hour - mac->status_hour;
		if (passed < interval)
			return NS_MAC_NOTHING;
		if (passed > interval + interval / 4)
			urgency = NS_MAC_SEND;
	}
	ns_mac_block_add(ask, LW_CID_DEV_STATUS);
	return urgency;
}

enum ns_mac_said ns_mac_dev_status_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers)
{
	(void)asked;
	const struct lw_mac_command *answer = &answers->commands[0];
	of->session->mac.status_hour = hour_of(of->now);
	struct proto_message *message = ns_event(of->ns, PROTO_STATUS_EVENT);
	struct net_status_event *event = &message->status_event;
	event->head.time = ns_frame_seen(of->now, of->uplink->frame);
	event->head.dev_eui = of->session->dev_eui;
	event->uplink = of->uplink->event;
	event->battery = answer->as.dev_status_ans.battery;
	event->margin_db = answer->as.dev_status_ans.margin;
	if (ns_emit(of->ns, of->now, NS_JOURNAL_EVENT, NULL, 0, message, &event->head) != ST_OK)
		ns_record_drop(of->ns, of->now, NS_DROP_OUTBOX_FULL,
			       ns_of_device(of->ns, of->session->device), (struct ns_numbers){0});
	return NS_MAC_TAKEN;
}
