/* A storm in time: the estimate, what a restart, a reload and gateways that vanish do to it, devices that do not hear their accepts,
 * and what strangers can and cannot do. */
#include "tests/harness/harness.h"
#include "tests/harness/storm_rig.h"

#include "common/lorawan/join_frame.h"
#include "network-server/join_flow.h"
#include "network-server/why/record.h"

#define LAST (STORM_RIG_DEVICES - 1)

static struct storm_rig city;

static void begin_storm(void)
{
	storm_rig_init(&city, false);
	storm_rig_all_ask(&city, 5);
	t_true("storm", city.rig.ns.storm.on);
}

/* Time passes, in which another device goes on asking in vain. */
static void seconds_of_storm(unsigned seconds)
{
	while (seconds-- > 0) {
		storm_rig_asks(&city, LAST, 2, 0);
		rig_run(&city.rig, US_PER_S);
	}
}

static struct ns_storm_report told(void)
{
	struct ns_storm_report report;
	ns_storm_tell(&city.rig.ns, city.rig.now, &report);
	return report;
}

/* --- the estimate --- */

/* A minute in which devices go on asking, the next so many of them joining in its middle. */
static void minute_passes(uint32_t *next, unsigned join)
{
	for (unsigned s = 0; s < 60; s++) {
		if (s == 30)
			for (unsigned i = 0; i < join; i++)
				ns_storm_joined(&city.rig.ns, city.rig.now, (*next)++);
		storm_rig_asks(&city, LAST, 1, 0);
		rig_run(&city.rig, US_PER_S);
	}
}

static void the_estimate(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned minutes, joined[8];
		unsigned seconds; /* of the next minute, in which three more join */
		bool any;
		uint64_t waits;
		unsigned best, worst; /* a minute */
	} rows[] = {
		{"nobody has joined", 3, {0}, 0, false, 60, 0, 0},
		{"some have, within the first minute", 0, {0}, 40, false, 57, 0, 0},
		{"the first minute is over", 1, {10}, 0, true, 50, 10, 10},
		{"the minute that goes on does not count", 1, {10}, 40, true, 47, 10, 10},
		{"more a minute each time", 3, {2, 6, 8}, 0, true, 44, 8, 4},
		{"fewer a minute each time", 3, {8, 6, 5}, 0, true, 41, 8, 5},
		{"a minute without anybody counts as half the best", 2, {10, 0}, 0, true, 50, 10, 5},
		{"odd halves are rounded up", 2, {9, 1}, 0, true, 50, 9, 5},
		{"five minutes count", 6, {30, 1, 2, 2, 2, 2}, 0, true, 21, 2, 1},
		{"nobody for five minutes", 6, {30, 0, 0, 0, 0, 0}, 0, false, 30, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t next = 0;
		begin_storm();
		storm_rig_all_ask(&city, 5); /* those too that asked before it was seen */
		city.rig.ns.storm.since = city.rig.now.mono;
		for (unsigned m = 0; m < rows[i].minutes; m++)
			minute_passes(&next, rows[i].joined[m]);
		rig_run(&city.rig, US_PER_MS);
		for (unsigned s = 0; s < rows[i].seconds; s++) {
			storm_rig_asks(&city, LAST, 1, 0);
			rig_run(&city.rig, US_PER_S);
			if (s == 10)
				for (int n = 0; n < 3; n++)
					ns_storm_joined(&city.rig.ns, city.rig.now, next++);
		}
		struct ns_storm_report report = told();
		t_row(rows[i].name);
		t_true("storm", report.on);
		t_uint("wait", rows[i].waits, report.waiting);
		t_int("an estimate", rows[i].any, report.has_estimate);
		if (rows[i].any) {
			t_uint("least", (rows[i].waits * 60 + rows[i].best - 1) / rows[i].best,
			       report.least_s);
			t_uint("most", (rows[i].waits * 120 + rows[i].worst - 1) / rows[i].worst,
			       report.most_s);
		}
		storm_rig_release(&city);
	}
}

/* What is told follows what is so: more wait, and it takes longer; fewer, and it takes less; none, and there is nothing to tell. */
static void the_estimate_grows_and_shrinks(void **state)
{
	(void)state;
	uint32_t next = 0;
	begin_storm();
	city.rig.ns.storm.since = city.rig.now.mono;
	uint64_t waited = told().waiting;
	minute_passes(&next, 0);
	for (uint32_t slot = STORM_RIG_DEVICES - 8; slot < LAST; slot++) /* these asked after it began */
		ns_storm_joined(&city.rig.ns, city.rig.now, slot);
	storm_rig_asks(&city, LAST, 1, 0);
	for (unsigned s = 0; s < 60; s++) {
		storm_rig_asks(&city, LAST, 1, 0);
		rig_run(&city.rig, US_PER_S);
	}
	struct ns_storm_report before = told();
	t_true("an estimate", before.has_estimate && before.waiting < waited);
	storm_rig_all_ask(&city, 5);
	struct ns_storm_report more = told();
	t_true("more wait", more.waiting > before.waiting);
	t_true("it takes longer", more.least_s > before.least_s && more.most_s > before.most_s);
	for (uint32_t slot = 0; slot < 40; slot++)
		ns_storm_joined(&city.rig.ns, city.rig.now, slot);
	struct ns_storm_report fewer = told();
	t_true("it takes less", fewer.has_estimate && fewer.most_s < more.most_s);
	for (uint32_t slot = 40; slot < STORM_RIG_DEVICES; slot++)
		ns_storm_joined(&city.rig.ns, city.rig.now, slot);
	t_true("nobody waits: no estimate", told().waiting == 0 && !told().has_estimate);
	storm_rig_release(&city);
}

/* --- accepts that are not heard --- */

static const struct ns_join *asked_for(uint32_t device)
{
	for (uint32_t slot = 0; slot < city.rig.ns.joins.high; slot++) {
		if (!ns_slab_holds(&city.rig.ns.joins, slot))
			continue;
		const struct ns_join *join = ns_slab_at(&city.rig.ns.joins, slot);
		if (join->device == device)
			return join;
	}
	return NULL;
}

static void say_yes_to(const struct ns_join *join)
{
	const struct rig *rig = &city.rig;
	for (size_t i = rig->join_count; join && i-- > 0;)
		if (rig->joins[i % RIG_SENT_MAX].transaction == join->transaction) {
			city.answered = i;
			break;
		}
	storm_rig_answer(&city, BI_SUCCESS);
}

static void unheard_accepts_reach_the_plan(void **state)
{
	(void)state;
	begin_storm();
	seconds_of_storm(30);
	city.answered = city.rig.join_count;
	for (unsigned n = 0; n < 7; n++) {
		storm_rig_asks(&city, 0, 1, 5);
		rig_run(&city.rig, 250 * US_PER_MS);
		const struct ns_join *join = asked_for(0);
		t_true("asked for", join != NULL);
		/* Its first accept, of before the storm was seen, was not heard either. */
		t_uint("accepts in a row, four at most", n + 1 < 4 ? n + 1 : 4,
		       join ? join->windows.unheard : 99);
		t_int("by price", NS_POLICY_STORM, join ? join->windows.policy : NS_POLICY_COUNT);
		say_yes_to(join);
		seconds_of_storm(8);
	}
	t_uint("counted", 7, ns_device_at(&city.rig.ns.sessions, 0)->unheard);
	storm_rig_release(&city);
}

/* --- what befalls the servers --- */

static void presence(uint64_t gateway, bool online)
{
	const struct gw_presence presence = {.gateway = rig_eui(gateway), .online = online, .known = true};
	ns_on_presence(&city.rig.ns, city.rig.now, RIG_LINK, ++city.rig.seq, &presence);
	rig_turn(&city.rig);
}

static void gateways_vanish(void **state)
{
	(void)state;
	begin_storm();
	rig_run(&city.rig, 30 * US_PER_S);
	city.answered = city.rig.join_count;
	size_t asked = city.rig.join_count;
	storm_rig_asks(&city, 0, 1, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("asked for", asked + 1, city.rig.join_count);
	for (size_t i = 1; i < 5; i++)
		storm_rig_asks(&city, i, 1, 5);
	presence(1, false); /* before their windows close */
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("whom nobody can answer is not asked for", asked + 1, city.rig.join_count);
	t_uint("by its cause", 4, city.rig.ns.storm.counts.refused[NS_STORM_NO_PATH]);
	storm_rig_asks(&city, 5, 2, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("whom the other gateway hears is", asked + 2, city.rig.join_count);
	storm_rig_answers(&city);
	t_true("and is answered by that",
	       city.rig.downlink_count > 0 &&
		       lw_eui64_number(&city.rig.downlinks[(city.rig.downlink_count - 1) % RIG_SENT_MAX]
						.attempts[0]
						.gateway) == 2);
	t_uint("the one of before is not", 1, city.rig.ns.storm.counts.failed[NS_STORM_FAILED_NOT_SENT]);
	presence(1, true);
	rig_run(&city.rig, 7 * US_PER_S);
	storm_rig_asks_and_hears(&city, 6);
	t_uint("back again, it is asked for", asked + 3, city.rig.join_count);
	t_true("storm", told().on);
	storm_rig_release(&city);
}

/* The record of a gateway goes while its time is kept, and another's takes its slot: that one is not touched. */
static void a_gateway_takes_anothers_slot(void **state)
{
	(void)state;
	begin_storm();
	rig_run(&city.rig, 40 * US_PER_S);
	city.answered = city.rig.join_count;
	storm_rig_asks(&city, 0, 1, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	const struct ns_join *join = asked_for(0);
	uint32_t slot = ns_gateways_find(&city.rig.ns.gateways, &(struct lw_eui64){{0, 0, 0, 0, 0, 0, 0, 1}});
	t_true("its time is kept", join && join->kept.held && join->kept.gateway == slot);
	const struct net_gateway record = {
		.version = ++city.rig.version, .gateway = {.eui = rig_eui(1)}, .deleted = true};
	rig_state_begin(&city.rig, false);
	ns_on_gateway(&city.rig.ns, city.rig.now, &record);
	rig_gateway(&city.rig, 9, "eu868", false);
	rig_state_end(&city.rig);
	struct ns_gateway *other = ns_gateways_at(&city.rig.ns.gateways, slot);
	t_uint("another is there", 9, lw_eui64_number(&other->record.gateway.eui));
	other->airtime_total_us = other->share_us = 7 * US_PER_S;
	storm_rig_answer(&city, BI_MIC_FAILED);
	t_uint("its own airtime stays", 7 * US_PER_S, other->airtime_total_us);
	t_int("and its share", 7 * US_PER_S, other->share_us);
	storm_rig_release(&city);
}

static void a_restart(void **state)
{
	(void)state;
	begin_storm();
	rig_run(&city.rig, 30 * US_PER_S);
	storm_rig_asks_and_hears(&city, 0);
	t_true("its session waits for its first uplink",
	       ns_device_at(&city.rig.ns.sessions, 0)->pending != NS_NO_SLOT);
	storm_rig_asks(&city, 1, 1, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("one is asked for", 1, city.rig.ns.storm.counts.asking);
	struct lw_eui64 eui = city.devices[0].dev_eui;
	rig_restart(&city.rig);
	t_true("nothing is known of a storm",
	       !told().on && told().counts.offered == 0 && told().waiting == 0);
	t_true("the session is",
	       ns_device_at(&city.rig.ns.sessions, ns_device_find(&city.rig.ns.sessions, &eui))->pending !=
		       NS_NO_SLOT);
	storm_rig_answers(&city);
	t_uint("the answer to what was asked before is nobody's", 1, city.rig.ns.drops[NS_DROP_JOIN_TIMEOUT]);
	t_uint("nor counted", 0, told().failed + told().counts.answered);
	presence(1, true);
	presence(2, true);
	storm_rig_all_ask(&city, 5);
	t_true("they ask on: it is seen again", told().on);
	t_uint("the first since the start", 1, city.rig.ns.storm.storms);
	storm_rig_release(&city);
}

static void a_reload_switches_it_off(void **state)
{
	(void)state;
	begin_storm();
	rig_run(&city.rig, 30 * US_PER_S);
	city.answered = city.rig.join_count;
	storm_rig_asks(&city, 0, 1, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	t_true("a place is kept", asked_for(0) && asked_for(0)->kept.held);
	city.rig.ns.config.first_come = true;                           /* as ns_reconfigure() does it */
	city.rig.ns.storm.next = mono_add(city.rig.now.mono, US_PER_S); /* until when the state stays */
	uint64_t refused = city.rig.ns.drops[NS_DROP_JOIN_STORM];
	for (size_t i = 1; i < 30; i++)
		storm_rig_asks(&city, i, 1, 0);
	rig_run(&city.rig, 250 * US_PER_MS);
	t_true("the state lasts a moment still", city.rig.ns.storm.on);
	t_uint("nobody is refused by price any more", refused, city.rig.ns.drops[NS_DROP_JOIN_STORM]);
	rig_run(&city.rig, US_PER_S);
	t_true("it is over within a second", !told().on);
	storm_rig_answers(&city);
	struct ns_gateway *gateway = ns_gateways_at(&city.rig.ns.gateways, 0);
	rig_run(&city.rig, 20 * US_PER_S);
	t_uint("nothing is kept", 0, ns_gateway_pending(gateway, city.rig.now.mono));
	t_uint("what it was asked in the storm is in its account", 0, told().counts.asking);
	storm_rig_all_ask(&city, 5);
	t_true("none is seen", !told().on);
	city.rig.ns.config.first_come = false;
	rig_run(&city.rig, 30 * US_PER_S);
	storm_rig_all_ask(&city, 5);
	t_true("switched on again, one is", told().on);
	t_uint("the second", 2, city.rig.ns.storm.storms);
	storm_rig_release(&city);
}

/* --- strangers --- */

/* Requests of DevEUIs that nobody has registered, at a rate that the bridge lets pass of a gateway, with our JoinEUI. */
static void strangers_ask(unsigned count)
{
	struct lw_join_request join = {.join_eui = city.devices[0].join_eui};
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	for (unsigned i = 0; i < count; i++) {
		join.dev_eui = rig_eui(UINT64_C(0xdead000000000000) + i * UINT64_C(0x9e3779b97f));
		join.dev_nonce = (uint16_t)i;
		rig_hears_on(&city.rig, 2, phy, (uint8_t)lw_join_request_encode(&join, phy), 0, 868100000, 5,
			     500);
		rig_run(&city.rig, 5 * US_PER_MS);
	}
}

static void a_hundred_thousand_strangers(void **state)
{
	(void)state;
	storm_rig_init(&city, false);
	strangers_ask(100000);
	t_uint("no storm", 0, city.rig.ns.storm.storms);
	t_uint("no request of the network's", 0, city.rig.ns.storm.requests);
	t_true("counted as what they are", city.rig.ns.drops[NS_DROP_JOIN_UNKNOWN_DEVICE] > 50000);
	storm_rig_all_ask(&city, 5);
	storm_rig_all_ask(&city, 5);
	struct ns_storm_report before = told();
	t_true("a storm of the city's devices", before.on && before.waiting == STORM_RIG_DEVICES);
	strangers_ask(2000);
	struct ns_storm_report after = told();
	t_uint("nobody was put out", before.waiting, after.waiting);
	t_uint("nor came in", before.counts.devices, after.counts.devices);
	t_uint("offered", before.counts.offered, after.counts.offered);
	size_t sent = city.rig.downlink_count;
	storm_rig_asks_and_hears(&city, 3);
	t_uint("a device is answered as before", sent + 1, city.rig.downlink_count);
	storm_rig_release(&city);
}

/* Somebody who heard DevEUIs on the air sends requests in their names. A storm is seen, and so is whose fault it is; the devices are
 * answered meanwhile. */
static void requests_that_are_forged(void **state)
{
	(void)state;
	storm_rig_init(&city, false);
	for (size_t i = 0; i < 3 * STORM_RIG_DEVICES; i++) {
		storm_rig_asks(&city, i % STORM_RIG_DEVICES, 1, 5);
		rig_run(&city.rig, 50 * US_PER_MS);
		while (storm_rig_answer(&city, BI_MIC_FAILED))
			;
	}
	struct ns_storm_report report = told();
	t_true("a storm is seen", report.on);
	t_true("all that were asked for were refused",
	       report.counts.failed[NS_STORM_FAILED_NO] > 50 && report.counts.answered == 0);
	struct ns_gateway *gateway = ns_gateways_at(&city.rig.ns.gateways, 0);
	t_uint("no gateway's time is kept for them", 0, ns_gateway_pending(gateway, city.rig.now.mono));
	t_int("nor was used", 0, ns_gateway_share(gateway, city.rig.now.mono));
	size_t sent = city.rig.downlink_count;
	storm_rig_asks(&city, 7, 1, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	while (storm_rig_answer(&city, BI_MIC_FAILED))
		;
	rig_run(&city.rig, 300 * US_PER_MS);
	storm_rig_asks_and_hears(&city, 7);
	t_uint("the device itself is answered, half a second after the other", sent + 1,
	       city.rig.downlink_count);
	storm_rig_release(&city);
}

static void what_is_remembered_is_bounded(void **state)
{
	(void)state;
	begin_storm();
	t_uint("bytes a device", 8, sizeof *city.rig.ns.storm.devices);
	t_uint("as many as devices can be registered", city.rig.config.max_devices,
	       city.rig.ns.storm.device_count);
	for (unsigned i = 0; i < 300; i++) {
		storm_rig_asks(&city, 0, 1, 0);
		rig_run(&city.rig, US_PER_S);
		while (storm_rig_answer(&city, BI_MIC_FAILED))
			;
	}
	t_true("storm", told().on);
	t_uint("asks counted to the end of its byte", UINT8_MAX, city.rig.ns.storm.devices[0].asked);
	t_int("it is patient", NS_STORM_PATIENT, ns_storm_class_of(&city.rig.ns, 0));
	storm_rig_release(&city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_estimate),
		t_test(the_estimate_grows_and_shrinks),
		t_test(unheard_accepts_reach_the_plan),
		t_test(gateways_vanish),
		t_test(a_gateway_takes_anothers_slot),
		t_test(a_restart),
		t_test(a_reload_switches_it_off),
		t_test(a_hundred_thousand_strangers),
		t_test(requests_that_are_forged),
		t_test(what_is_remembered_is_bounded),
	};
	return t_run(tests);
}
