/* DlChannelReq (§5.11), where the region has it: the frequency of RX1 for a channel whose downlinks go elsewhere than its
 * uplinks (configuration `extra_channels`, UPLINK/DOWNLINK). The device uses it from the uplink with its answer on. */
#include "network-server/mac/mac.h"

#define IN_A_FRAME 3 /* fit into FOpts */

/* Where RX1 of a channel is: the plan's own, else the uplink's frequency. */
static uint32_t rx1_of(const struct lw_channel_plan *plan, const struct lw_channel *channel, uint8_t index)
{
	return plan->rx1_freq_hz[index] != 0 ? plan->rx1_freq_hz[index] : channel->freq_hz;
}

enum ns_mac_urgency ns_mac_dl_channel_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	if (of->region->plan_type != LW_PLAN_DYNAMIC || !of->region->has_dl_channel_req)
		return NS_MAC_NOTHING;
	for (uint8_t i = 0; i < LW_PLAN_DYNAMIC_MAX && ask->count < IN_A_FRAME; i++) {
		struct lw_channel channel, wanted;
		if (!lw_plan_channel(&of->plan, of->region, i, &channel) ||
		    !lw_plan_channel(of->wanted, of->region, i, &wanted) ||
		    channel.freq_hz != wanted.freq_hz || of->session->mac.refused_dl_channels >> i & 1)
			continue;
		uint32_t freq_hz = rx1_of(of->wanted, &wanted, i);
		if (freq_hz == rx1_of(&of->plan, &channel, i))
			continue;
		struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_DL_CHANNEL);
		command->as.dl_channel_req.ch_index = i;
		command->as.dl_channel_req.frequency_hz = freq_hz;
	}
	return ask->count > 0 ? NS_MAC_SEND : NS_MAC_NOTHING;
}

enum ns_mac_said ns_mac_dl_channel_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers)
{
	enum ns_mac_said said = NS_MAC_TAKEN;
	for (uint8_t i = 0; i < asked->count && i < answers->count; i++) {
		const struct lw_mac_command *answer = &answers->commands[i];
		uint8_t index = asked->commands[i].as.dl_channel_req.ch_index;
		if (answer->as.dl_channel_ans.channel_frequency_ok &&
		    answer->as.dl_channel_ans.uplink_frequency_exists &&
		    lw_plan_apply_dl_channel(&of->plan, of->region, index,
					     asked->commands[i].as.dl_channel_req.frequency_hz) ==
			    (LW_DL_CHANNEL_FREQ_OK | LW_DL_CHANNEL_EXISTS))
			continue;
		of->session->mac.refused_dl_channels = (uint16_t)(of->session->mac.refused_dl_channels |
								  1u << index);
		said = NS_MAC_REFUSED;
	}
	return said;
}
