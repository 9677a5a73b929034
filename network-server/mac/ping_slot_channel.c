/* PingSlotChannelReq (TS001-1.0.4 §14.2): frequency and data rate of class B ping slots; frequency 0 is the region's own, or its
 * hopping. Both or none are taken; what was refused of them stays as it is, and the rest is asked again without it. The device
 * repeats its answer until a downlink comes. */
#include "network-server/mac/mac.h"

static uint8_t dr_of(const struct ns_mac_case *of)
{
	return of->rare.known & NS_RARE_PING_SLOT_DR ? of->rare.ping_slot_dr : of->region->ping_slot.dr;
}

enum ns_mac_urgency ns_mac_ping_slot_channel_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	const struct ns_wish *wish = &of->wish;
	bool freq_refused = of->rare.refused_ping_freq ==
			    ns_mac_hash(&wish->ping_slot_freq_hz, sizeof wish->ping_slot_freq_hz);
	uint32_t freq_hz = freq_refused ? of->rare.ping_slot_freq_hz : wish->ping_slot_freq_hz;
	uint8_t dr = of->rare.refused_ping_dr == wish->ping_slot_dr + 1 ? dr_of(of) : wish->ping_slot_dr;
	if (freq_hz == of->rare.ping_slot_freq_hz && dr == dr_of(of))
		return NS_MAC_NOTHING;
	struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_PING_SLOT_CHANNEL);
	command->as.ping_slot_channel_req.frequency_hz = freq_hz;
	command->as.ping_slot_channel_req.data_rate = dr;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_ping_slot_channel_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
						 const struct ns_mac_block *answers)
{
	uint32_t freq_hz = asked->commands[0].as.ping_slot_channel_req.frequency_hz;
	uint8_t dr = asked->commands[0].as.ping_slot_channel_req.data_rate;
	bool freq_ok = answers->commands[0].as.ping_slot_channel_ans.channel_frequency_ok;
	bool dr_ok = answers->commands[0].as.ping_slot_channel_ans.data_rate_ok;
	if (freq_ok && dr_ok) {
		of->rare.ping_slot_freq_hz = freq_hz;
		of->rare.ping_slot_dr = dr;
		of->rare.known |= NS_RARE_PING_SLOT_DR;
		/* A wish that is met ends what was remembered of another. */
		if (freq_hz == of->wish.ping_slot_freq_hz)
			of->rare.refused_ping_freq = 0;
		if (dr == of->wish.ping_slot_dr)
			of->rare.refused_ping_dr = 0;
		return NS_MAC_TAKEN;
	}
	if (!freq_ok)
		of->rare.refused_ping_freq = ns_mac_hash(&freq_hz, sizeof freq_hz);
	if (!dr_ok)
		of->rare.refused_ping_dr = (uint8_t)(dr + 1);
	return NS_MAC_REFUSED;
}
