/* RejoinParamSetupReq (TS001-1.1 §5.14): after what time and how many uplinks a device makes a rejoin-request of type 0 by
 * itself. Every device has to take the count; one without a clock refuses the time (TimeOK 0), which is remembered, and the
 * count counts nevertheless. */
#include "network-server/mac/mac.h"

static bool time_differs(const struct ns_mac_case *of)
{
	bool known = of->rare.known & NS_RARE_REJOIN_TIME;
	return (!known || of->rare.rejoin_time_exp != of->wish.rejoin_time_exp) &&
	       of->rare.refused_time_exp != of->wish.rejoin_time_exp + 1;
}

static bool count_differs(const struct ns_mac_case *of)
{
	bool known = of->rare.known & NS_RARE_REJOIN_COUNT;
	return !known || of->rare.rejoin_count_exp != of->wish.rejoin_count_exp;
}

enum ns_mac_urgency ns_mac_rejoin_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	if (!of->wish.rejoin || (!time_differs(of) && !count_differs(of)))
		return NS_MAC_NOTHING;
	struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_REJOIN_PARAM_SETUP);
	command->as.rejoin_param_setup_req.max_time_n = of->wish.rejoin_time_exp;
	command->as.rejoin_param_setup_req.max_count_n = of->wish.rejoin_count_exp;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_rejoin_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					    const struct ns_mac_block *answers)
{
	const struct lw_mac_command *request = &asked->commands[0];
	uint8_t time_exp = request->as.rejoin_param_setup_req.max_time_n;
	of->rare.rejoin_count_exp = request->as.rejoin_param_setup_req.max_count_n;
	of->rare.known |= NS_RARE_REJOIN_COUNT;
	if (!answers->commands[0].as.rejoin_param_setup_ans.time_ok) {
		of->rare.refused_time_exp = (uint8_t)(time_exp + 1);
		return NS_MAC_REFUSED;
	}
	of->rare.rejoin_time_exp = time_exp;
	of->rare.refused_time_exp = 0;
	of->rare.known |= NS_RARE_REJOIN_TIME;
	return NS_MAC_TAKEN;
}
