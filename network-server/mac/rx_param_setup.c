/* RXParamSetupReq (§5.4): offset of RX1's data rate, data rate and frequency of RX2. The device uses them from the uplink with
 * its answer on, if it took all three; what it refused of them stays as it is, and the rest is asked again without it. */
#include "network-server/mac/mac.h"

enum ns_mac_urgency ns_mac_rx_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	const struct ns_session *session = of->session;
	const struct ns_mac_state *mac = &session->mac;
	const struct ns_wish *wish = &of->wish;
	uint8_t offset = mac->refused_offset == wish->rx1_dr_offset + 1 ? session->rx1_dr_offset
									: wish->rx1_dr_offset;
	uint8_t dr = mac->refused_rx2_dr == wish->rx2_dr + 1 ? session->rx2_dr : wish->rx2_dr;
	bool freq_refused = mac->refused_rx2_freq ==
			    ns_mac_hash(&wish->rx2_freq_hz, sizeof wish->rx2_freq_hz);
	uint32_t freq_hz = freq_refused ? session->rx2_freq_hz : wish->rx2_freq_hz;
	if (offset == session->rx1_dr_offset && dr == session->rx2_dr && freq_hz == session->rx2_freq_hz)
		return NS_MAC_NOTHING;
	struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_RX_PARAM_SETUP);
	command->as.rx_param_setup_req.rx1_dr_offset = offset;
	command->as.rx_param_setup_req.rx2_data_rate = dr;
	command->as.rx_param_setup_req.frequency_hz = freq_hz;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_rx_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					const struct ns_mac_block *answers)
{
	struct ns_session *session = of->session;
	const struct lw_mac_command *request = &asked->commands[0], *answer = &answers->commands[0];
	uint8_t offset = request->as.rx_param_setup_req.rx1_dr_offset;
	uint8_t dr = request->as.rx_param_setup_req.rx2_data_rate;
	uint32_t freq_hz = request->as.rx_param_setup_req.frequency_hz;
	if (answer->as.rx_param_setup_ans.rx1_dr_offset_ack &&
	    answer->as.rx_param_setup_ans.rx2_data_rate_ack && answer->as.rx_param_setup_ans.channel_ack) {
		session->rx1_dr_offset = offset;
		session->rx2_dr = dr;
		session->rx2_freq_hz = freq_hz;
		/* A wish that is met ends what was remembered of another. */
		if (offset == of->wish.rx1_dr_offset)
			session->mac.refused_offset = 0;
		if (dr == of->wish.rx2_dr)
			session->mac.refused_rx2_dr = 0;
		if (freq_hz == of->wish.rx2_freq_hz)
			session->mac.refused_rx2_freq = 0;
		return NS_MAC_TAKEN;
	}
	if (!answer->as.rx_param_setup_ans.rx1_dr_offset_ack)
		session->mac.refused_offset = (uint8_t)(offset + 1);
	if (!answer->as.rx_param_setup_ans.rx2_data_rate_ack)
		session->mac.refused_rx2_dr = (uint8_t)(dr + 1);
	if (!answer->as.rx_param_setup_ans.channel_ack)
		session->mac.refused_rx2_freq = ns_mac_hash(&freq_hz, sizeof freq_hz);
	return NS_MAC_REFUSED;
}
