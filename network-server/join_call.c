#include "network-server/join_call.h"

#include "common/base/check.h"
#include "network-server/join_course.h"
#include "network-server/why/record_join.h"

static const struct bi_join_server *server_of(const struct ns *ns, const struct ns_join *join)
{
	return join->call.server == NS_JOIN_SERVER_OURS ? NULL : &ns->config.join_servers[join->call.server];
}

static struct ns_join_server_state *state_of(struct ns *ns, const struct ns_join *join)
{
	return &ns->join_server_states[join->call.server];
}

enum ns_drop ns_join_choose(struct ns *ns, struct now now, struct ns_join *join)
{
	join->call.server = bi_join_server_for(ns->config.join_servers, ns->config.join_server_count,
					       &join->call.join_eui);
	const struct bi_join_server *server = server_of(ns, join);
	if (!server)
		return NS_ACCEPTED;
	struct ns_join_server_state *state = state_of(ns, join);
	switch (ns_join_server_admit(server, state, now.mono)) {
	case NS_JOIN_ADMITTED: return NS_ACCEPTED;
	case NS_JOIN_BUSY: state->busy++; return NS_DROP_JOIN_SERVER_BUSY;
	case NS_JOIN_SHUNNED: state->shunned++; return NS_DROP_JOIN_SERVER_SHUNNED;
	}
	ASSERT(!"an admission of nobody");
	return NS_DROP_JOIN_SERVER_BUSY;
}

/* Of another's no later than it is given up, so that its place is free again. */
static void set_deadline(struct ns *ns, struct ns_join *join, struct mono at)
{
	if (join->call.server != NS_JOIN_SERVER_OURS && at.us > join->give_up.us)
		at = join->give_up;
	ASSERT(deadlines_set(&ns->join_deadlines, &join->deadline, at) == ST_OK);
}

static void call(struct ns *ns, struct now now, struct ns_join *join)
{
	const struct bi_join_server *server = server_of(ns, join);
	struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_JOIN);
	ASSERT(out);
	out->join = join->call;
	set_deadline(ns, join, mono_add(now.mono, server ? server->timeout + NS_JOIN_GRACE : NS_JOIN_RETRY));
	if (!server)
		return;
	join->calling = true;
	join->tries++;
	state_of(ns, join)->calls++;
}

void ns_join_ask(struct ns *ns, struct now now, struct ns_join *join)
{
	if (join->call.server != NS_JOIN_SERVER_OURS)
		ns_join_server_began(state_of(ns, join), now.mono);
	call(ns, now, join);
}

const struct ns_join_call *ns_join_waiting(const struct ns *ns, uint32_t transaction)
{
	const struct ns_join_row *row = table_get(&ns->joins_by_transaction, &transaction);
	return row ? &((const struct ns_join *)ns_slab_at(&ns->joins, row->slot))->call : NULL;
}

void ns_join_answered(struct ns *ns, const struct ns_join *join, enum ns_drop drop)
{
	if (join->call.server == NS_JOIN_SERVER_OURS)
		return;
	struct ns_join_server_state *state = state_of(ns, join);
	ns_join_server_answered(state);
	state->accepted += drop == NS_ACCEPTED;
	state->refused += drop == NS_DROP_JOIN_REFUSED;
	state->unusable += drop == NS_DROP_JOIN_BAD_ANSWER;
}

void ns_join_close(struct ns *ns, struct ns_join *join, uint32_t slot)
{
	if (join->call.server != NS_JOIN_SERVER_OURS)
		ns_join_server_ended(state_of(ns, join));
	ns_storm_let_go(ns, join);
	table_remove(&ns->joins_by_transaction, &join->transaction);
	deadlines_cancel(&ns->join_deadlines, &join->deadline);
	ns_slab_give(&ns->joins, slot);
}

static void call_failed(struct ns *ns, struct now now, struct ns_join *join, const char *cause)
{
	join->calling = false;
	snprintf(join->cause, sizeof join->cause, "%s", cause);
	ns_join_server_failed(state_of(ns, join), now.mono);
	ns_course_waits(ns, join);
}

void ns_on_join_failure(struct ns *ns, struct now now, uint32_t transaction, const char *cause)
{
	const struct ns_join_row *row = table_get(&ns->joins_by_transaction, &transaction);
	struct ns_join *join = row ? ns_slab_at(&ns->joins, row->slot) : NULL;
	if (!join || join->call.server == NS_JOIN_SERVER_OURS || !join->calling)
		return;
	call_failed(ns, now, join, cause);
	unsigned doubled = join->tries < 4 ? join->tries - 1u : 3;
	set_deadline(ns, join, mono_add(now.mono, (span_us)NS_JOIN_PAUSE << doubled));
}

static void give_up(struct ns *ns, struct now now, struct ns_join *join, uint32_t slot)
{
	ns_count(ns, NS_DROP_JOIN_TIMEOUT);
	ns_storm_failed(ns, join->windows.storm, NS_STORM_FAILED_SILENT);
	ns_record_join_end(ns, now, join, NS_DROP_JOIN_TIMEOUT, NULL);
	ns_course_refused(ns, join, NS_DROP_JOIN_TIMEOUT);
	if (ns_frames_followed(&ns->frames))
		ns_frames_joined(ns, now, join, NS_DROP_JOIN_TIMEOUT, NULL);
	ns_join_close(ns, join, slot);
}

void ns_join_tick(struct ns *ns, struct now now)
{
	struct ns_join *join;
	while (!ns_turn_is_full(ns) &&
	       (join = (struct ns_join *)(void *)deadlines_pop(&ns->join_deadlines, now.mono))) {
		const struct ns_join_row *row = table_get(&ns->joins_by_transaction, &join->transaction);
		ASSERT(row);
		if (join->calling)
			call_failed(ns, now, join, "no answer in time");
		if (now.mono.us >= join->give_up.us) {
			give_up(ns, now, join, row->slot);
		} else if (join->call.server != NS_JOIN_SERVER_OURS &&
			   !ns_join_server_may_repeat(state_of(ns, join))) {
			set_deadline(ns, join, join->give_up);
		} else {
			ns_course_waits(ns, join);
			ns_record_join_again(ns, now, join);
			call(ns, now, join);
		}
	}
}
