/* BeaconFreqReq (TS001-1.0.4 §14.3): where class B devices look for the beacon; 0 is the region's own frequency, or its hopping.
 * A frequency that the device cannot tune to is refused, and not asked for again. */
#include "network-server/mac/mac.h"

enum ns_mac_urgency ns_mac_beacon_freq_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	uint32_t freq_hz = of->wish.beacon_freq_hz;
	if (freq_hz == of->rare.beacon_freq_hz ||
	    of->rare.refused_beacon_freq == ns_mac_hash(&freq_hz, sizeof freq_hz))
		return NS_MAC_NOTHING;
	ns_mac_block_add(ask, LW_CID_BEACON_FREQ)->as.beacon_freq_req.frequency_hz = freq_hz;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_beacon_freq_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					   const struct ns_mac_block *answers)
{
	uint32_t freq_hz = asked->commands[0].as.beacon_freq_req.frequency_hz;
	if (!answers->commands[0].as.beacon_freq_ans.beacon_frequency_ok) {
		of->rare.refused_beacon_freq = ns_mac_hash(&freq_hz, sizeof freq_hz);
		return NS_MAC_REFUSED;
	}
	of->rare.beacon_freq_hz = freq_hz;
	of->rare.refused_beacon_freq = 0;
	return NS_MAC_TAKEN;
}
