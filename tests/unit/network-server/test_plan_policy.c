/* Prices in a join storm: who is let through by what its gateway owes, by the sub-band's hour and by the gateway's queue, and which of
 * two answers is the dearer one. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/plan_policy.h"

#include <string.h>

#define MS 1000u

static struct rig rig;
static struct ns_gateway *gateway;

static void setup(void)
{
	const struct lw_eui64 eui = rig_eui(1);
	rig_init(&rig);
	gateway = ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui));
}

static const struct lw_region *region_of(const char *id)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(rig.regions[i].id, id) == 0)
			return &rig.regions[i];
	fail_msg("no region %s", id);
	return NULL;
}

/* A frame of some minutes ago: it is over, and all of it counts. */
static void has_sent(const char *region, uint32_t freq_hz, uint32_t airtime_us)
{
	ns_gateway_transmits(gateway, region_of(region), freq_hz, rig.now.mono,
			     mono_add(rig.now.mono, -600 * US_PER_S), airtime_us);
}

static enum ns_drop admits(enum ns_storm_class which, const char *region, uint32_t freq_hz,
			   uint32_t airtime_us)
{
	return ns_policy_admits(ns_policy(NS_POLICY_STORM), which, gateway, region_of(region), freq_hz,
				rig.now.mono, mono_add(rig.now.mono, 5 * US_PER_S), airtime_us);
}

/* us915 has no duty cycle. */
static void by_what_the_gateway_owes(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ns_storm_class which;
		uint32_t owed_ms, airtime_us;
		bool admitted;
	} rows[] = {
		{"a short answer of a gateway that rested", NS_STORM_USUAL, 0, 100 * MS, true},
		{"short answers fill 20 s", NS_STORM_USUAL, 19700, 300 * MS, true},
		{"and no more", NS_STORM_USUAL, 19701, 300 * MS, false},
		{"a long one has 4 s", NS_STORM_USUAL, 3699, 301 * MS, true},
		{"and no more, though a short one were let through", NS_STORM_USUAL, 3700, 301 * MS, false},
		{"who has joined before has half of it", NS_STORM_SERVED, 9900, 100 * MS, true},
		{"and no more", NS_STORM_SERVED, 9901, 100 * MS, false},
		{"who has asked in vain has a fifth more", NS_STORM_PATIENT, 23900, 100 * MS, true},
		{"and no more", NS_STORM_PATIENT, 23901, 100 * MS, false},
		{"whom commands wait for has half more", NS_STORM_COMMANDED, 29900, 100 * MS, true},
		{"and no more", NS_STORM_COMMANDED, 29901, 100 * MS, false},
		{"that of long ones as well", NS_STORM_COMMANDED, 5699, 301 * MS, true},
		{"and no more", NS_STORM_COMMANDED, 5700, 301 * MS, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup();
		has_sent("us915", 923300000, rows[i].owed_ms * MS);
		t_int("verdict", rows[i].admitted ? NS_ACCEPTED : NS_DROP_GATEWAYS_BUSY,
		      admits(rows[i].which, "us915", 923300000, rows[i].airtime_us));
		rig_release(&rig);
	}
}

/* Firmware to a group all night, and in the morning the power comes back. */
static void a_gateway_that_sent_all_night(void **state)
{
	(void)state;
	setup();
	for (unsigned second = 0; second < 7200; second += 2) {
		has_sent("us915", 923300000, 1000 * MS);
		rig.now.mono = mono_add(rig.now.mono, 2 * US_PER_S);
	}
	has_sent("us915", 923300000, 1000 * MS);
	t_int("owes what there is at most", NS_STORM_OWED_MOST, ns_gateway_share(gateway, rig.now.mono));
	for (int which = 0; which < NS_STORM_CLASS_COUNT; which++)
		t_int("answers nobody", NS_DROP_GATEWAYS_BUSY,
		      admits((enum ns_storm_class)which, "us915", 923300000, 50 * MS));
	rig.now.mono = mono_add(rig.now.mono, 2 * US_PER_S);
	t_int("whom commands wait for at once", NS_ACCEPTED,
	      admits(NS_STORM_COMMANDED, "us915", 923300000, 50 * MS));
	rig.now.mono = mono_add(rig.now.mono, 90 * US_PER_S);
	t_int("everybody within two minutes", NS_ACCEPTED,
	      admits(NS_STORM_USUAL, "us915", 923300000, 50 * MS));
	rig.now.mono = mono_add(rig.now.mono, 150 * US_PER_S);
	t_int("slow ones within five", NS_ACCEPTED, admits(NS_STORM_USUAL, "us915", 923300000, 400 * MS));
	rig_release(&rig);
}

/* A forwarder's queue holds 32; some of them are kept for others than accepts. */
static void by_the_gateways_queue(void **state)
{
	(void)state;
	setup();
	for (int i = 1; i <= 28; i++) {
		t_int("room", NS_ACCEPTED, admits(NS_STORM_USUAL, "us915", 923300000, MS));
		ns_gateway_transmits(gateway, region_of("us915"), 923300000, rig.now.mono,
				     mono_add(rig.now.mono, i * 10 * US_PER_MS), MS);
	}
	t_int("full", NS_DROP_GATEWAYS_BUSY, admits(NS_STORM_COMMANDED, "us915", 923300000, MS));
	rig_release(&rig);
}

/* eu868 has 36 s an hour for RX1, and 360 s for RX2. */
static void by_the_sub_bands_hour(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ns_storm_class which;
		uint32_t freq_hz, spent_ms, airtime_us;
		bool admitted;
	} rows[] = {
		{"a 190th of the hour is not too long", NS_STORM_USUAL, 868100000, 0, 189 * MS, true},
		{"more is", NS_STORM_USUAL, 868100000, 0, 190 * MS, false},
		{"for who has joined before as well", NS_STORM_SERVED, 868100000, 0, 190 * MS, false},
		{"who has asked in vain may have a 140th", NS_STORM_PATIENT, 868100000, 0, 257 * MS, true},
		{"and no more", NS_STORM_PATIENT, 868100000, 0, 258 * MS, false},
		{"whom commands wait for a 70th", NS_STORM_COMMANDED, 868100000, 0, 514 * MS, true},
		{"and no more", NS_STORM_COMMANDED, 868100000, 0, 515 * MS, false},
		{"where there is ten times as much, ten times as long", NS_STORM_USUAL, 869525000, 0,
		 1483 * MS, true},
		{"95 of 100 of the hour are for everybody", NS_STORM_USUAL, 868100000, 34000, 100 * MS, true},
		{"and no more", NS_STORM_USUAL, 868100000, 34200, 100 * MS, false},
		{"some more for who has asked in vain", NS_STORM_PATIENT, 868100000, 34200, 100 * MS, true},
		{"but 98", NS_STORM_PATIENT, 868100000, 35300, 100 * MS, false},
		{"all of it where commands wait", NS_STORM_COMMANDED, 868100000, 35300, 100 * MS, true},
		{"but no more than all", NS_STORM_COMMANDED, 868100000, 36000, 100 * MS, false},
		{"half for who has joined before", NS_STORM_SERVED, 868100000, 17800, 100 * MS, true},
		{"and no more", NS_STORM_SERVED, 868100000, 18000, 100 * MS, false},
		{"another sub-band has an hour of its own", NS_STORM_USUAL, 869525000, 36000, 100 * MS, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup();
		has_sent("eu868", 868100000, rows[i].spent_ms * MS);
		gateway->share_us = 0;
		t_int("verdict", rows[i].admitted ? NS_ACCEPTED : NS_DROP_DUTY_CYCLE,
		      admits(rows[i].which, "eu868", rows[i].freq_hz, rows[i].airtime_us));
		rig_release(&rig);
	}
}

static int32_t score(const char *region, uint32_t freq_hz, uint32_t airtime_us, int32_t margin_cdb)
{
	return ns_policy_score(gateway, region_of(region), freq_hz, rig.now.mono, airtime_us, margin_cdb);
}

static void what_is_dear(void **state)
{
	(void)state;
	setup();
	int32_t usual = score("eu868", 868100000, 70 * MS, 1000);
	t_true("a longer answer", score("eu868", 868100000, 140 * MS, 1000) < usual);
	t_true("a device that hardly hears", score("eu868", 868100000, 70 * MS, 0) < usual);
	t_true("a slow answer where duty cycle is cheap is less so than where it is dear",
	       score("eu868", 869525000, 1000 * MS, 1000) > score("eu868", 868100000, 1000 * MS, 1000));
	t_true("a fast one in RX1 less so than a slow one there",
	       usual > score("eu868", 869525000, 1000 * MS, 1000));
	has_sent("eu868", 868100000, 18000 * MS);
	gateway->share_us = 0;
	t_true("a sub-band half of which is gone", score("eu868", 868100000, 70 * MS, 1000) < usual);
	rig_release(&rig);

	setup();
	usual = score("us915", 923300000, 70 * MS, 1000);
	has_sent("us915", 923300000, 2000 * MS);
	int32_t half = score("us915", 923300000, 70 * MS, 1000);
	t_true("a gateway that owes half of what it may at once", half < usual && half > usual * 3);
	has_sent("us915", 923300000, 20000 * MS);
	t_true("one that owes more", score("us915", 923300000, 70 * MS, 1000) < half);
	rig_release(&rig);
}

/* The chance that the device hears it, percent: the price is that much higher. */
static void the_chance_follows_from_the_margin(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int32_t margin_cdb, percent;
	} rows[] = {
		{"far below", -5000, 7}, {"at its beginning", -400, 7}, {"between two steps", -300, 15},
		{"a step", -200, 23},    {"at the floor", 0, 50},       {"above it", 200, 77},
		{"well above", 400, 93}, {"sure enough", 600, 99},      {"strong", 3000, 99},
	};
	setup();
	const int64_t price = -(int64_t)score("us915", 923300000, 100000 * MS, 3000) * 99 / 100;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		int64_t percent = price * 100 / -score("us915", 923300000, 100000 * MS, rows[i].margin_cdb);
		t_true("percent", percent >= rows[i].percent - 1 && percent <= rows[i].percent);
	}
	rig_release(&rig);
}

/* Worth sending: from 75 in a hundred on, and always to who has waited long or whom commands wait for. */
static void whom_an_accept_is_likely_to_reach(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ns_policy policy;
		enum ns_storm_class which;
		int32_t margin_cdb;
		bool likely;
	} rows[] = {
		{"three of four hear it", NS_POLICY_STORM, NS_STORM_USUAL, 186, true},
		{"fewer", NS_POLICY_STORM, NS_STORM_USUAL, 185, false},
		{"three of four of who has joined before", NS_POLICY_STORM, NS_STORM_SERVED, 186, true},
		{"fewer of those", NS_POLICY_STORM, NS_STORM_SERVED, 185, false},
		{"who has asked in vain, however faint", NS_POLICY_STORM, NS_STORM_PATIENT, -5000, true},
		{"whom commands wait for, however faint", NS_POLICY_STORM, NS_STORM_COMMANDED, -5000, true},
		{"anybody in calm", NS_POLICY_USUAL, NS_STORM_USUAL, -5000, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("likely", rows[i].likely,
		      ns_policy_is_likely(ns_policy(rows[i].policy), rows[i].which, rows[i].margin_cdb));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(by_what_the_gateway_owes),
		t_test(whom_an_accept_is_likely_to_reach),
		t_test(a_gateway_that_sent_all_night),
		t_test(by_the_gateways_queue),
		t_test(by_the_sub_bands_hour),
		t_test(what_is_dear),
		t_test(the_chance_follows_from_the_margin),
	};
	return t_run(tests);
}
