/* DeviceTimeReq (§5.11): GPS time at the end of the uplink. A GPS time of any copy is exact; else the bridge's clock at
 * arrival less half the round trip to that gateway; while that clock is not synchronised there is no answer, since a wrong
 * time is worse than none. */
#include "network-server/why/record_mac.h"

bool ns_mac_end_of_uplink(const struct ns *ns, const struct ns_frame *frame, int64_t *gps_us)
{
	const struct ns_copy *clock = NULL;
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		if (frame->copies[i].has_gps_time) {
			*gps_us = frame->copies[i].gps_time_us;
			return true;
		}
		if (!clock && frame->copies[i].wall_synchronised)
			clock = &frame->copies[i];
	}
	if (!clock)
		return false;
	const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, clock->gateway_slot);
	span_us trip = gateway->latency_count >= 4 ? ns_gateway_lead(gateway) - NS_LEAD_EXTRA : 0;
	*gps_us = gps_us_from_wall((struct wall){clock->wall.us - trip / 2});
	return true;
}

void ns_mac_device_time(struct ns *ns, struct now now, struct ns_uplink *uplink,
			const struct lw_mac_command *command)
{
	int64_t gps_us;
	if (!ns_mac_end_of_uplink(ns, uplink->frame, &gps_us) || gps_us < 0) {
		ns_record_drop(ns, now, NS_DROP_TIME_UNKNOWN, ns_of_device(ns, uplink->session->device),
			       (struct ns_numbers){
				       .a = decision_bytes(uplink->frame->copy_count, command->cid, 0, 0)});
		return;
	}
	struct lw_mac_command answer = {.direction = LW_DOWN, .cid = LW_CID_DEVICE_TIME};
	answer.as.device_time_ans.gps_seconds = (uint32_t)(gps_us / US_PER_S);
	answer.as.device_time_ans.fraction_256 = (uint8_t)(gps_us % US_PER_S * 256 / US_PER_S);
	ns_mac_answer(ns, uplink, &answer);
}
