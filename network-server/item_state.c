#include "network-server/item_state.h"

#include "common/base/check.h"

#define ROW(from, event, guard, to, reported)                                            \
	{                                                                                \
		NS_ITEM_##from, NS_ITEM_##event, NS_ITEM_##guard, NS_ITEM_##to, reported \
	}

const struct ns_item_rule ns_item_rules[] = {
	ROW(NONE, ENQUEUE, ALWAYS, QUEUED, true),
	ROW(NONE, REFUSE, ALWAYS, REFUSED, true),
	ROW(NONE, COUNTER_PASSED, IF_ENCRYPTED, STALE, true),

	ROW(QUEUED, HOLD, ALWAYS, QUEUED, true),
	ROW(QUEUED, SEAL_REFUSED, ALWAYS, REFUSED, true),
	ROW(QUEUED, COUNTER_PASSED, IF_ENCRYPTED, STALE, true),
	ROW(QUEUED, PLAN, ALWAYS, PLANNED, true),
	ROW(QUEUED, EXPIRE, ALWAYS, EXPIRED, true),
	ROW(QUEUED, FLUSH, ALWAYS, FAILED, true),
	ROW(QUEUED, SESSION_ENDED, IF_ENCRYPTED, STALE, true),
	ROW(QUEUED, SESSION_ENDED, ALWAYS, QUEUED, false),
	ROW(QUEUED, DEVICE_GONE, ALWAYS, FAILED, true),

	/* In a frame: what comes meanwhile is remembered by the item, and judged with the gateway's answer. */
	ROW(PLANNED, TAKEN, IF_CONFIRMED, WAITING, true),
	ROW(PLANNED, TAKEN, ALWAYS, SENT, true),
	ROW(PLANNED, NOT_SENT, IF_FLUSHED, FAILED, true),
	ROW(PLANNED, NOT_SENT, IF_EXPIRED, EXPIRED, true),
	ROW(PLANNED, NOT_SENT, IF_ENCRYPTED, STALE, true),
	ROW(PLANNED, NOT_SENT, IF_SPENT, FAILED, true),
	ROW(PLANNED, NOT_SENT, ALWAYS, QUEUED, true),
	ROW(PLANNED, EXPIRE, ALWAYS, PLANNED, false),
	ROW(PLANNED, FLUSH, ALWAYS, PLANNED, false),
	ROW(PLANNED, SESSION_ENDED, ALWAYS, PLANNED, false),
	ROW(PLANNED, DEVICE_GONE, ALWAYS, FAILED, true),

	ROW(WAITING, ACK, ALWAYS, ACKNOWLEDGED, true),
	ROW(WAITING, NO_ACK, IF_ENCRYPTED, FAILED, true),
	ROW(WAITING, NO_ACK, IF_SPENT, FAILED, true),
	ROW(WAITING, NO_ACK, ALWAYS, QUEUED, true),
	ROW(WAITING, EXPIRE, ALWAYS, EXPIRED, true),
	ROW(WAITING, FLUSH, ALWAYS, FAILED, true),
	ROW(WAITING, SESSION_ENDED, IF_ENCRYPTED, FAILED, true),
	ROW(WAITING, SESSION_ENDED, IF_SPENT, FAILED, true),
	ROW(WAITING, SESSION_ENDED, ALWAYS, QUEUED, true),
	ROW(WAITING, DEVICE_GONE, ALWAYS, FAILED, true),
};
const size_t ns_item_rule_count = ARRAY_SIZE(ns_item_rules);

static bool holds(enum ns_item_guard guard, const struct ns_item_facts *facts)
{
	switch (guard) {
	case NS_ITEM_ALWAYS: return true;
	case NS_ITEM_IF_CONFIRMED: return facts->confirmed;
	case NS_ITEM_IF_ENCRYPTED: return facts->encrypted;
	case NS_ITEM_IF_FLUSHED: return facts->flushed;
	case NS_ITEM_IF_EXPIRED: return facts->expired;
	case NS_ITEM_IF_SPENT: return facts->spent;
	case NS_ITEM_GUARD_COUNT: break;
	}
	return false;
}

const struct ns_item_rule *ns_item_rule(enum ns_item_state from, enum ns_item_event event,
					const struct ns_item_facts *facts)
{
	for (size_t i = 0; i < ns_item_rule_count; i++)
		if (ns_item_rules[i].from == from && ns_item_rules[i].event == event &&
		    holds(ns_item_rules[i].guard, facts))
			return &ns_item_rules[i];
	return NULL;
}

bool ns_item_is_over(enum ns_item_state state)
{
	return state >= NS_ITEM_SENT;
}

enum net_item_status ns_item_status(enum ns_item_state state)
{
	static const enum net_item_status statuses[NS_ITEM_STATE_COUNT] = {
		[NS_ITEM_QUEUED] = NET_ITEM_QUEUED,
		[NS_ITEM_PLANNED] = NET_ITEM_PLANNED,
		[NS_ITEM_WAITING] = NET_ITEM_SENT,
		[NS_ITEM_SENT] = NET_ITEM_SENT,
		[NS_ITEM_ACKNOWLEDGED] = NET_ITEM_ACKNOWLEDGED,
		[NS_ITEM_FAILED] = NET_ITEM_FAILED,
		[NS_ITEM_EXPIRED] = NET_ITEM_EXPIRED,
		[NS_ITEM_REFUSED] = NET_ITEM_REFUSED,
		[NS_ITEM_STALE] = NET_ITEM_STALE_COUNTER,
	};
	ASSERT(state > NS_ITEM_NONE && state < NS_ITEM_STATE_COUNT);
	return statuses[state];
}

const char *ns_item_state_name(enum ns_item_state state)
{
	static const char *const names[] = {"none",         "queued", "planned", "waiting", "sent",
					    "acknowledged", "failed", "expired", "refused", "stale_counter"};
	return (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

const char *ns_item_event_name(enum ns_item_event event)
{
	static const char *const names[] = {
		"enqueue", "refuse", "hold",          "seal_refused", "counter_passed",
		"plan",    "taken",  "not_sent",      "ack",          "no_ack",
		"expire",  "flush",  "session_ended", "device_gone"};
	return (size_t)event < ARRAY_SIZE(names) ? names[event] : "unknown";
}
