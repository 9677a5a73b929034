/* ADRParamSetupReq (TS001-1.1 §5.10): after how many uplinks without a downlink a device asks whether it is heard, and after how
 * many more it slows down. A fixed sensor may ask seldom, one that moves often. Its answer says yes and nothing else. */
#include "network-server/mac/mac.h"

static uint8_t limit_of(const struct ns_rare *rare)
{
	return rare->known & NS_RARE_ADR_PARAM ? rare->adr_limit_exp : NS_ADR_LIMIT_EXP;
}

static uint8_t delay_of(const struct ns_rare *rare)
{
	return rare->known & NS_RARE_ADR_PARAM ? rare->adr_delay_exp : NS_ADR_DELAY_EXP;
}

enum ns_mac_urgency ns_mac_adr_param_ask(const struct ns_mac_case *of, struct ns_mac_block *ask)
{
	const struct ns_wish *wish = &of->wish;
	if (wish->adr_limit_exp == limit_of(&of->rare) && wish->adr_delay_exp == delay_of(&of->rare))
		return NS_MAC_NOTHING;
	struct lw_mac_command *command = ns_mac_block_add(ask, LW_CID_ADR_PARAM_SETUP);
	command->as.adr_param_setup_req.limit_exp = wish->adr_limit_exp;
	command->as.adr_param_setup_req.delay_exp = wish->adr_delay_exp;
	return NS_MAC_SEND;
}

enum ns_mac_said ns_mac_adr_param_answer(struct ns_mac_case *of, const struct ns_mac_block *asked,
					 const struct ns_mac_block *answers)
{
	(void)answers;
	of->rare.adr_limit_exp = asked->commands[0].as.adr_param_setup_req.limit_exp;
	of->rare.adr_delay_exp = asked->commands[0].as.adr_param_setup_req.delay_exp;
	of->rare.known |= NS_RARE_ADR_PARAM;
	return NS_MAC_TAKEN;
}
