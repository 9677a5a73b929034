#include "network-server/join_reload.h"

#include "common/base/check.h"
#include "network-server/join_flow.h"

#include <stdio.h>
#include <string.h>

static bool is_named(const struct ns *ns, uint8_t place)
{
	return ns->config.join_servers[place].block_count > 0;
}

static bool is_free(const struct ns *ns, uint8_t place)
{
	return !is_named(ns, place) && ns->join_server_states[place].in_flight == 0;
}

bool ns_join_servers_place(const struct ns *ns, const struct bi_join_server *wanted, uint8_t count,
			   uint8_t places[NS_JOIN_SERVERS_MAX])
{
	bool taken[NS_JOIN_SERVER_PLACES] = {false};
	for (uint8_t i = 0; i < count; i++) {
		places[i] = NS_JOIN_SERVER_OURS;
		for (uint8_t place = 0; place < NS_JOIN_SERVER_PLACES; place++)
			if (is_named(ns, place) &&
			    strcmp(ns->config.join_servers[place].name, wanted[i].name) == 0)
				places[i] = place;
	}
	for (uint8_t i = 0; i < count; i++) {
		uint8_t place = 0;
		while (places[i] == NS_JOIN_SERVER_OURS && place < NS_JOIN_SERVER_PLACES &&
		       (taken[place] || !is_free(ns, place)))
			place++;
		if (place == NS_JOIN_SERVER_PLACES)
			return false;
		if (places[i] == NS_JOIN_SERVER_OURS)
			places[i] = place;
		taken[places[i]] = true;
	}
	return true;
}

static void put(struct ns *ns, uint8_t place, const struct bi_join_server *wanted)
{
	struct ns_join_server_state *state = &ns->join_server_states[place];
	if (!is_named(ns, place))
		*state = (struct ns_join_server_state){0};
	state->breaker = NS_BREAKER_CLOSED;
	state->failures = 0;
	state->pause = 0;
	ns->config.join_servers[place] = *wanted;
}

static void leave(struct ns *ns, const bool stays[NS_JOIN_SERVER_PLACES])
{
	for (uint8_t place = 0; place < NS_JOIN_SERVER_PLACES; place++)
		if (!stays[place])
			ns->config.join_servers[place].block_count = 0;
}

static void count_places(struct ns *ns)
{
	ns->config.join_server_count = 0;
	for (uint8_t place = 0; place < NS_JOIN_SERVER_PLACES; place++)
		if (is_named(ns, place))
			ns->config.join_server_count = (uint8_t)(place + 1);
}

/* Its next step is taken in the turn's tick, a slice at a time: to be asked again, or to be given up. */
static void settle(struct ns *ns, struct now now, struct ns_join *join,
		   const bool anew[NS_JOIN_SERVER_PLACES])
{
	uint8_t place = bi_join_server_for(ns->config.join_servers, ns->config.join_server_count,
					   &join->call.join_eui);
	if (place == join->call.server && !anew[place])
		return;
	if (place != join->call.server) {
		snprintf(join->cause, sizeof join->cause, "taken out of the configuration");
		join->give_up = now.mono;
	}
	join->calling = false;
	ASSERT(deadlines_set(&ns->join_deadlines, &join->deadline, now.mono) == ST_OK);
}

void ns_join_servers_set(struct ns *ns, struct now now, const struct bi_join_server *wanted, uint8_t count,
			 const uint8_t places[NS_JOIN_SERVERS_MAX], const bool renewed[NS_JOIN_SERVERS_MAX])
{
	bool stays[NS_JOIN_SERVER_PLACES] = {false}, anew[NS_JOIN_SERVER_PLACES] = {false};
	for (uint8_t i = 0; i < count; i++) {
		stays[places[i]] = true;
		anew[places[i]] = renewed[i];
		if (renewed[i])
			put(ns, places[i], &wanted[i]);
	}
	leave(ns, stays);
	count_places(ns);
	for (uint32_t slot = 0; slot < ns->joins.high; slot++) {
		struct ns_join *join = ns_slab_holds(&ns->joins, slot) ? ns_slab_at(&ns->joins, slot) : NULL;
		if (join && join->call.server != NS_JOIN_SERVER_OURS)
			settle(ns, now, join, anew);
	}
}
