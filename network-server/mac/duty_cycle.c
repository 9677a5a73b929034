/* DutyCycleReq (§5.3): the share of airtime that a device may use in all, 1/2^n. Its answer says yes and nothing else. */
#include "network-server/mac/mac.h"

enum ns_mac_urgency ns_mac_duty_cycle_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	if (of->wish.max_duty_cycle == of->session->mac.max_duty_cycle)
		return NS_MAC_NOTHING;
	ns_mac_block_add(ask, LW_CID_DUTY_CYCLE)->as.duty_cycle_req.max_dcycle = of->wish.max_duty_cycle;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_duty_cycle_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					  const struct ns_mac_block *answers)
{
	(void)answers;
	of->session->mac.max_duty_cycle = asked->commands[0].as.duty_cycle_req.max_dcycle;
	return NS_MAC_TAKEN;
}
