/* The table of an item's states: every row is walked, and every pair that is not in it is refused. The expectations are
 * written down a second time here, pair by pair. */
#include "tests/harness/harness.h"

#include "network-server/item_state.h"

enum { C = 1, E = 2, F = 4, X = 8, S = 16 }; /* confirmed, encrypted, flushed, expired, spent */

static struct ns_item_facts facts_of(unsigned bits)
{
	return (struct ns_item_facts){bits & C, bits & E, bits & F, bits & X, bits & S};
}

/* Names, so that a change in the table is a change in words. "-": stays without a word to anybody. */
static const struct row {
	const char *name, *from, *event;
	unsigned facts;
	const char *to, *told;
} rows[] = {
	{"it comes", "none", "enqueue", 0, "queued", "queued"},
	{"it comes encrypted and confirmed", "none", "enqueue", C | E, "queued", "queued"},
	{"it cannot be", "none", "refuse", 0, "refused", "refused"},
	{"it comes with a spent counter", "none", "counter_passed", E, "stale_counter", "stale_counter"},
	{"too long for now", "queued", "hold", 0, "queued", "queued"},
	{"not sealed in time", "queued", "hold", C, "queued", "queued"},
	{"cannot be sealed", "queued", "seal_refused", 0, "refused", "refused"},
	{"its counter was taken", "queued", "counter_passed", E, "stale_counter", "stale_counter"},
	{"goes into a frame", "queued", "plan", 0, "planned", "planned"},
	{"goes into a frame again", "queued", "plan", C, "planned", "planned"},
	{"its time passes in the queue", "queued", "expire", X, "expired", "expired"},
	{"flushed in the queue", "queued", "flush", C, "failed", "failed"},
	{"a new session: sealed under that", "queued", "session_ended", C, "queued", "-"},
	{"a new session: encrypted under the old one", "queued", "session_ended", E, "stale_counter",
	 "stale_counter"},
	{"queued, and the device goes", "queued", "device_gone", 0, "failed", "failed"},
	{"a gateway takes it", "planned", "taken", 0, "sent", "sent"},
	{"a gateway takes a confirmed one", "planned", "taken", C, "waiting", "sent"},
	{"a gateway takes one that has expired", "planned", "taken", X, "sent", "sent"},
	{"a gateway takes one that was flushed", "planned", "taken", F, "sent", "sent"},
	{"no gateway takes it", "planned", "not_sent", 0, "queued", "queued"},
	{"no gateway takes a confirmed one", "planned", "not_sent", C, "queued", "queued"},
	{"not sent and flushed", "planned", "not_sent", F | X | E, "failed", "failed"},
	{"not sent and expired", "planned", "not_sent", X | E, "expired", "expired"},
	{"not sent: its counter is spent", "planned", "not_sent", E | C | S, "stale_counter",
	 "stale_counter"},
	{"not known whether sent, and it was the last try", "planned", "not_sent", C | S, "failed", "failed"},
	{"its time passes on the way", "planned", "expire", X, "planned", "-"},
	{"flushed on the way", "planned", "flush", C, "planned", "-"},
	{"a new session while on the way", "planned", "session_ended", E, "planned", "-"},
	{"on the way, and the device goes", "planned", "device_gone", C, "failed", "failed"},
	{"acknowledged", "waiting", "ack", C, "acknowledged", "acknowledged"},
	{"acknowledged at the last try", "waiting", "ack", C | S, "acknowledged", "acknowledged"},
	{"no ACK: again", "waiting", "no_ack", C, "queued", "queued"},
	{"no ACK after the last try", "waiting", "no_ack", C | S, "failed", "failed"},
	{"no ACK of one that was encrypted for one counter", "waiting", "no_ack", C | E, "failed", "failed"},
	{"its time passes without an ACK", "waiting", "expire", C | X, "expired", "expired"},
	{"flushed while waited for", "waiting", "flush", C, "failed", "failed"},
	{"a new session: again under that", "waiting", "session_ended", C, "queued", "queued"},
	{"a new session after the last try", "waiting", "session_ended", C | S, "failed", "failed"},
	{"a new session, encrypted under the old one", "waiting", "session_ended", C | E, "failed", "failed"},
	{"waited for, and the device goes", "waiting", "device_gone", C, "failed", "failed"},
};

static enum ns_item_state state_of(const char *name)
{
	enum ns_item_state state = NS_ITEM_NONE;
	while (state < NS_ITEM_STATE_COUNT && strcmp(ns_item_state_name(state), name) != 0)
		state++;
	t_true(name, state < NS_ITEM_STATE_COUNT);
	return state;
}

static enum ns_item_event event_of(const char *name)
{
	enum ns_item_event event = NS_ITEM_ENQUEUE;
	while (event < NS_ITEM_EVENT_COUNT && strcmp(ns_item_event_name(event), name) != 0)
		event++;
	t_true(name, event < NS_ITEM_EVENT_COUNT);
	return event;
}

static bool listed(enum ns_item_state from, enum ns_item_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (state_of(rows[i].from) == from && event_of(rows[i].event) == event)
			return true;
	return false;
}

static void every_row_is_walked(void **state)
{
	(void)state;
	bool walked[64] = {false};
	assert_true(ns_item_rule_count < ARRAY_SIZE(walked));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_item_facts facts = facts_of(rows[i].facts);
		const struct ns_item_rule *rule = ns_item_rule(state_of(rows[i].from),
							       event_of(rows[i].event), &facts);
		t_true("allowed", rule != NULL);
		if (!rule)
			continue;
		walked[rule - ns_item_rules] = true;
		t_str("to", rows[i].to, ns_item_state_name(rule->to));
		t_str("told", rows[i].told,
		      rule->reported ? net_item_status_name(ns_item_status(rule->to)) : "-");
	}
	for (size_t i = 0; i < ns_item_rule_count; i++) {
		t_row(ns_item_event_name(ns_item_rules[i].event));
		t_true(ns_item_state_name(ns_item_rules[i].from), walked[i]);
	}
}

static void every_other_pair_is_not_allowed(void **state)
{
	(void)state;
	unsigned refused = 0;
	for (enum ns_item_state from = NS_ITEM_NONE; from < NS_ITEM_STATE_COUNT; from++)
		for (enum ns_item_event event = NS_ITEM_ENQUEUE; event < NS_ITEM_EVENT_COUNT; event++) {
			t_row(ns_item_state_name(from));
			if (listed(from, event))
				continue;
			refused++;
			for (unsigned bits = 0; bits < 32; bits++) {
				struct ns_item_facts facts = facts_of(bits);
				t_true(ns_item_event_name(event), !ns_item_rule(from, event, &facts));
			}
		}
	t_uint("pairs", NS_ITEM_STATE_COUNT * NS_ITEM_EVENT_COUNT - 23, refused);
}

/* A change of state is always told; an end is never left; nothing but encrypted items can have a stale counter. */
static void what_holds_for_the_whole_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ns_item_rule_count; i++) {
		const struct ns_item_rule *rule = &ns_item_rules[i];
		t_row(ns_item_event_name(rule->event));
		t_true("a change is told", rule->from == rule->to || rule->reported);
		t_false("no way out of an end", ns_item_is_over(rule->from));
		t_true("nothing comes back to none", rule->to != NS_ITEM_NONE);
		t_true("a stale counter is of an encrypted one",
		       rule->to != NS_ITEM_STALE || rule->guard == NS_ITEM_IF_ENCRYPTED);
	}
}

/* Whatever the facts, a pair of the table leads somewhere: the last row of each pair asks nothing, but for counters, which
 * only an encrypted item has. */
static void no_facts_leave_a_listed_pair_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned bits = 0; bits < 32; bits++) {
			enum ns_item_event event = event_of(rows[i].event);
			struct ns_item_facts facts = facts_of(bits);
			t_row(rows[i].name);
			t_int("allowed", event != NS_ITEM_COUNTER_PASSED || facts.encrypted,
			      ns_item_rule(state_of(rows[i].from), event, &facts) != NULL);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_row_is_walked),
		t_test(every_other_pair_is_not_allowed),
		t_test(what_holds_for_the_whole_table),
		t_test(no_facts_leave_a_listed_pair_open),
	};
	return t_run(tests);
}
