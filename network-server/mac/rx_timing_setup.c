/* RXTimingSetupReq (§5.8): an ABP device boots with a short RxDelay and is brought to what the network wants, 5 s by default. The
 * device uses the new value from the uplink with its answer on, and repeats the answer until a downlink comes; so the value
 * asked for is taken at the first one. */
#include "network-server/mac/mac.h"

enum ns_mac_urgency ns_mac_rx_timing_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	if (of->session->rx_delay_s == of->wish.rx_delay_s)
		return NS_MAC_NOTHING;
	ns_mac_block_add(ask, LW_CID_RX_TIMING_SETUP)->as.rx_timing_setup_req.delay = of->wish.rx_delay_s;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_rx_timing_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					 const struct ns_mac_block *answers)
{
	(void)answers;
	uint8_t delay_s = asked->commands[0].as.rx_timing_setup_req.delay;
	of->session->rx_delay_s = delay_s ? delay_s : 1;
	return NS_MAC_TAKEN;
}
