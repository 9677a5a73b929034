/* LinkCheckReq (§5.2): the margin of the best reception over the demodulation floor, and how many gateways heard it. */
#include "network-server/mac/mac.h"

void ns_mac_link_check(struct ns *ns, struct now now, struct ns_uplink *uplink,
		       const struct lw_mac_command *command)
{
	(void)now;
	(void)command;
	int32_t best = 0;
	for (uint8_t i = 0; i < uplink->frame->copy_count; i++) {
		const struct ns_copy *copy = &uplink->frame->copies[i];
		int16_t floor_cdb;
		if (copy->has_snr && lw_snr_floor_cdb(&copy->modulation, &floor_cdb) &&
		    copy->snr_cdb - floor_cdb > best)
			best = copy->snr_cdb - floor_cdb;
	}
	uint32_t count = uplink->frame->gateway_count;
	struct lw_mac_command answer = {.direction = LW_DOWN, .cid = LW_CID_LINK_CHECK};
	answer.as.link_check_ans.margin = (uint8_t)(best / 100 > 254 ? 254 : best / 100);
	answer.as.link_check_ans.gw_cnt = (uint8_t)(count > 255 ? 255 : count);
	ns_mac_answer(ns, uplink, &answer);
}
