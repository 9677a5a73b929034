/* TxParamSetupReq (§5.9), where the region has it: dwell time of both directions, and the device's greatest EIRP. It changes
 * which data rates can be used and how RX1's follows from the uplink's; so it goes before all that depends on it. */
#include "network-server/mac/mac.h"

enum ns_mac_urgency ns_mac_tx_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	uint8_t wish = of->wish.tx_param;
	if (!of->region->has_tx_param_setup_req || wish == of->session->mac.tx_param ||
	    (of->session->mac.tx_param == 0 && wish == ns_boot_tx_param(of->region)))
		return NS_MAC_NOTHING;
	struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_TX_PARAM_SETUP);
	command->as.tx_param_setup_req.downlink_dwell_time = wish >> 5 & 1;
	command->as.tx_param_setup_req.uplink_dwell_time = wish >> 4 & 1;
	command->as.tx_param_setup_req.max_eirp = wish & 15;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_tx_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					const struct ns_mac_block *answers)
{
	(void)answers;
	const struct lw_mac_command *request = &asked->commands[0];
	of->session->mac.tx_param = (uint8_t)(NS_TX_PARAM_KNOWN |
					      request->as.tx_param_setup_req.downlink_dwell_time << 5 |
					      request->as.tx_param_setup_req.uplink_dwell_time << 4 |
					      request->as.tx_param_setup_req.max_eirp);
	return NS_MAC_TAKEN;
}
