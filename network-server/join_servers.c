#include "network-server/join_servers.h"

#include "common/base/check.h"

enum ns_join_admission ns_join_server_admit(const struct bi_join_server *server,
					    const struct ns_join_server_state *state, struct mono now)
{
	if (state->breaker == NS_BREAKER_OPEN && now.us < state->until.us)
		return NS_JOIN_SHUNNED;
	if (state->breaker != NS_BREAKER_CLOSED && state->in_flight > 0)
		return NS_JOIN_SHUNNED;
	return state->in_flight < server->in_flight ? NS_JOIN_ADMITTED : NS_JOIN_BUSY;
}

void ns_join_server_began(struct ns_join_server_state *state, struct mono now)
{
	ASSERT(state->breaker != NS_BREAKER_OPEN || now.us >= state->until.us);
	if (state->breaker == NS_BREAKER_OPEN)
		state->breaker = NS_BREAKER_PROBING;
	state->in_flight++;
	state->joins++;
}

void ns_join_server_ended(struct ns_join_server_state *state)
{
	ASSERT_CMP(state->in_flight, >, 0u);
	state->in_flight--;
}

void ns_join_server_answered(struct ns_join_server_state *state)
{
	state->answers++;
	state->breaker = NS_BREAKER_CLOSED;
	state->failures = 0;
	state->pause = 0;
}

void ns_join_server_failed(struct ns_join_server_state *state, struct mono now)
{
	state->failed++;
	state->failures++;
	if (state->breaker == NS_BREAKER_OPEN ||
	    (state->breaker == NS_BREAKER_CLOSED && state->failures < NS_BREAKER_FAILURES))
		return;
	state->pause = state->pause == 0 ? NS_BREAKER_PAUSE : 2 * state->pause;
	if (state->pause > NS_BREAKER_LONGEST)
		state->pause = NS_BREAKER_LONGEST;
	state->breaker = NS_BREAKER_OPEN;
	state->until = mono_add(now, state->pause);
}

bool ns_join_server_may_repeat(const struct ns_join_server_state *state)
{
	return state->breaker != NS_BREAKER_OPEN;
}
