/* How a gateway's counter is laid on our clock: late frames, restarts, and the difference between the two. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/gateways.h"

#define FRAMES_MAX 10

/* Seconds of our clock and of the gateway's counter. */
static const struct {
	const char *name;
	struct {
		double at_s, ticks_s; /* our clock at the arrival, the counter */
		double late_s; /* expected: how long after its end the frame came, as far as is known then */
	} frames[FRAMES_MAX];
} rows[] = {
	{"steady", {{10, 10, 0}, {20, 20, 0}, {30, 30, 0}}},
	{"one that comes late", {{10, 10, 0}, {20, 17, 3}, {30, 30, 0}}},
	{"late by less than a second, each", {{10, 10, 0}, {20, 19.5, .5}, {30, 29.5, .499}}},
	{"a backhaul lets go what it held",
	 {{10, 10, 0}, {60, 20, 40}, {60.01, 30, 30.01}, {60.02, 40, 20.02}, {61.5, 61.5, 0}}},
	{"a backhaul lets go a burst",
	 {{10, 10, 0}, {60, 20, 40}, {60.01, 20.05, 39.96}, {60.02, 20.08, 39.94}}},
	{"out of order and late", {{10, 10, 0}, {12, 8, 4}, {13, 13, 0}}},
	{"began again long after", {{1000, 1000, 0}, {1010, 5, 0}, {1015, 10, 0}}},
	{"began again a few seconds behind: the second frame tells",
	 {{10, 10, 0}, {14, 4, 10}, {20, 10, 0}, {21, 11, 0}}},
	{"began again, several at once, then another",
	 {{10, 10, 0}, {14, 4, 10}, {14.3, 4.3, 10}, {14.6, 4.55, 10.05}, {15.2, 5.15, 0}, {16, 6, 0}}},
	{"it was a slow backhaul after all",
	 {{10, 10, 0}, {20, 17, 3}, {30, 27, 0}, {40, 40, 0}, {50, 47, 3}}},
};

static struct mono at(double s)
{
	return (struct mono){1000 * US_PER_S + (int64_t)(s * 1e6 + .5)};
}

static void counters_are_placed_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ns_gateway gateway = {0};
		t_row(rows[i].name);
		for (size_t j = 0; j < FRAMES_MAX && rows[i].frames[j].at_s > 0; j++) {
			struct mono now = at(rows[i].frames[j].at_s), sent = {0};
			struct gw_ticks ticks = {(uint32_t)(rows[i].frames[j].ticks_s * 1e6 + .5)};
			ns_gateway_map(&gateway, ticks, now);
			t_true("placed", ns_gateway_place(&gateway, ticks, now, &sent));
			int64_t late_ms = (int64_t)(rows[i].frames[j].late_s * 1e3 + .5);
			int64_t off_ms = mono_since(now, sent) / US_PER_MS - late_ms;
			t_true("late as expected, to 5 ms", off_ms >= -5 && off_ms <= 5);
		}
	}
}

/* What a gateway kept while its backhaul was down comes at once: how old each is, in seconds; -1: cannot be told. */
static void kept_frames_have_their_age(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct {
			double at_s, ticks_s;
			int age_s;
		} frames[FRAMES_MAX];
	} kept[] = {
		{"three, then a live one, then one more that was kept",
		 {{10, 10, 0}, {1000, 400, 600}, {1000.1, 500, 500}, {1000.2, 900, 100}, {1001, 1001, 0}}},
		{"after the live one the line is right again",
		 {{10, 10, 0}, {1000, 400, 600}, {1001, 1001, 0}, {1001.5, 401.5, 600}}},
		{"older than the counter tells", {{3000, 3000, 0}, {3010, 610, -1}, {3011, 3011, 0}}},
		{"it began again long after, and is believed to have kept nothing",
		 {{1000, 1000, 0}, {3200, 5, 0}, {3210, 15, 0}}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		struct ns_gateway gateway = {0};
		t_row(kept[i].name);
		for (size_t j = 0; j < FRAMES_MAX && kept[i].frames[j].at_s > 0; j++) {
			struct mono now = at(kept[i].frames[j].at_s);
			struct gw_ticks ticks = {(uint32_t)(kept[i].frames[j].ticks_s * 1e6 + .5)};
			span_us age;
			ns_gateway_map(&gateway, ticks, now);
			bool known = ns_gateway_age(&gateway, ticks, now, &age);
			t_int("age", kept[i].frames[j].age_s, known ? (age + US_PER_S / 2) / US_PER_S : -1);
		}
	}
}

/* The bridge tells of a restart before it hands on the frame that showed it. */
static void the_bridge_knows_of_a_restart(void **state)
{
	(void)state;
	static const struct {
		const char *reason;
		bool mapped;
	} presences[] = {{"pull_data", true}, {"moved", true}, {"restarted", false}};
	struct rig rig;
	rig_init(&rig);
	struct gw_presence presence = {.gateway = rig_eui(1), .online = true};
	for (size_t i = 0; i < ARRAY_SIZE(presences); i++) {
		t_row(presences[i].reason);
		struct ns_gateway *gateway = ns_gateways_at(
			&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &presence.gateway));
		ns_gateway_map(gateway, (struct gw_ticks){7}, rig.now.mono);
		snprintf(presence.reason, sizeof presence.reason, "%s", presences[i].reason);
		ns_on_presence(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &presence);
		struct mono sent;
		t_int("known how its counter lies", presences[i].mapped,
		      ns_gateway_place(gateway, (struct gw_ticks){7}, rig.now.mono, &sent));
	}
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(counters_are_placed_in_time),
		t_test(kept_frames_have_their_age),
		t_test(the_bridge_knows_of_a_restart),
	};
	return t_run(tests);
}
