/* NewChannelReq (§5.6): the channels beside the region's own, two in a frame. A channel that the device refuses is not
 * used, and not asked for again until the network wants other channels. A device may use a new channel in the very uplink
 * that carries its answer, or in one after the uplink with the answer was lost: ns_mac_observe(). */
#include "network-server/mac/mac.h"

#define IN_A_FRAME 2 /* fit into FOpts */

static struct lw_new_channel fields_of(const struct lw_mac_command *command)
{
	return (struct lw_new_channel){
		.index = command->as.new_channel_req.ch_index,
		.freq_hz = command->as.new_channel_req.frequency_hz,
		.min_dr = command->as.new_channel_req.min_dr,
		.max_dr = command->as.new_channel_req.max_dr,
	};
}

static bool apply(struct lw_channel_plan *plan, const struct lw_region *region,
		  const struct lw_mac_command *command)
{
	struct lw_new_channel channel = fields_of(command);
	return lw_plan_apply_new_channel(plan, region, &channel) ==
	       (LW_NEW_CHANNEL_FREQ_OK | LW_NEW_CHANNEL_DR_OK);
}

enum ns_mac_urgency ns_mac_new_channel_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	struct lw_new_channel missing[LW_PLAN_DYNAMIC_MAX];
	size_t count = lw_plan_new_channels(&of->plan, of->wanted, of->region, missing, LW_PLAN_DYNAMIC_MAX);
	for (size_t i = 0; i < count && ask->count < IN_A_FRAME; i++) {
		if (of->session->mac.refused_channels >> missing[i].index & 1)
			continue;
		struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_NEW_CHANNEL);
		command->as.new_channel_req.ch_index = missing[i].index;
		command->as.new_channel_req.frequency_hz = missing[i].freq_hz;
		command->as.new_channel_req.min_dr = missing[i].min_dr;
		command->as.new_channel_req.max_dr = missing[i].max_dr;
	}
	return ask->count > 0 ? NS_MAC_SEND : NS_MAC_NOTHING;
}

enum ns_mac_said ns_mac_new_channel_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					   const struct ns_mac_block *answers)
{
	enum ns_mac_said said = NS_MAC_TAKEN;
	for (uint8_t i = 0; i < asked->count && i < answers->count; i++) {
		const struct lw_mac_command *answer = &answers->commands[i];
		if (answer->as.new_channel_ans.channel_frequency_ok &&
		    answer->as.new_channel_ans.data_rate_range_ok &&
		    apply(&of->plan, of->region, &asked->commands[i]))
			continue;
		uint8_t index = asked->commands[i].as.new_channel_req.ch_index;
		of->session->mac.refused_channels = (uint16_t)(of->session->mac.refused_channels |
							       1u << index);
		said = NS_MAC_REFUSED;
	}
	return said;
}

bool ns_mac_plan_asked(const struct ns *ns, const struct ns_session *session, struct lw_channel_plan *plan)
{
	struct ns_mac_block asked;
	const struct lw_region *region = ns_region(ns, session->region);
	if (!ns_mac_question(session, NS_MAC_NEW_CHANNEL, region->freq_step_hz, &asked))
		return false;
	*plan = *ns_session_plan(&ns->sessions, session);
	for (uint8_t i = 0; i < asked.count; i++)
		(void)apply(plan, region, &asked.commands[i]);
	return true;
}

void ns_mac_observe(struct ns *ns, struct ns_uplink *uplink)
{
	struct ns_mac_block asked;
	struct ns_session *session = uplink->session;
	if (!uplink->on_asked_channel ||
	    !ns_mac_question(session, NS_MAC_NEW_CHANNEL, uplink->region->freq_step_hz, &asked))
		return;
	struct lw_channel_plan plan = *ns_session_plan(&ns->sessions, session);
	for (uint8_t i = 0; i < asked.count; i++)
		if (asked.commands[i].as.new_channel_req.ch_index == uplink->heard.channel)
			(void)apply(&plan, uplink->region, &asked.commands[i]);
	(void)ns_session_set_plan(&ns->sessions, session, &plan);
	ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
}
