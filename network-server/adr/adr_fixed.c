/* A fixed data rate: the profile's, full power, each uplink once, from the first uplink on; signal and loss are not asked. A device
 * that was given a rate it is not heard at backs off by itself, and is given it again at the next uplink: that is what the
 * profile says. */
#include "network-server/adr/adr_parts.h"

struct ns_adr_decision ns_adr_fixed(const struct ns_adr_input *input)
{
	const struct ns_adr_limits *limits = &input->limits;
	struct ns_adr_decision decision = {
		.wanted = input->now, .reason = NS_ADR_FIXED_NOT, .samples = input->history->count};
	decision.wanted.nb_trans = 1;
	if (limits->powers != 0)
		decision.wanted.power = ns_adr_may(limits->powers, 0) ? 0 : ns_adr_next(limits->powers, 0, 1);
	if (!ns_adr_may(limits->drs, limits->fixed_dr))
		return decision;
	decision.wanted.dr = limits->fixed_dr;
	bool held = decision.wanted.dr == input->now.dr && decision.wanted.power == input->now.power &&
		    input->now.nb_trans <= 1;
	decision.reason = held ? NS_ADR_FIXED_HELD : NS_ADR_FIXED;
	return decision;
}
