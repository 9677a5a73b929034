/* A join storm: when it begins and ends, who is answered, what is refused before the join server is asked, what is told. */
#include "tests/harness/harness.h"
#include "tests/harness/storm_rig.h"

#include "network-server/join_storm.h"
#include "network-server/why/record.h"

#define DEVICES STORM_RIG_DEVICES

static struct storm_rig city;

static void setup(bool first_come)
{
	storm_rig_init(&city, first_come);
}

static void all_ask(uint8_t dr)
{
	storm_rig_all_ask(&city, dr);
}

static void asks(size_t device)
{
	storm_rig_asks(&city, device, 1, 5);
}

static void begins_and_ends(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t devices;
		span_us between;
		uint8_t dr;
		bool first_come, on;
	} rows[] = {
		{"a few requests are none", 20, 50 * US_PER_MS, 0, false, false},
		{"many at once that two gateways cannot answer", 60, 50 * US_PER_MS, 5, false, true},
		{"as many in a minute are none", 60, US_PER_S, 5, false, false},
		{"first come, first served knows none", 60, 50 * US_PER_MS, 5, true, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup(rows[i].first_come);
		for (size_t d = 0; d < rows[i].devices; d++) {
			storm_rig_asks(&city, d, 1, rows[i].dr);
			rig_run(&city.rig, rows[i].between);
		}
		rig_run(&city.rig, 250 * US_PER_MS);
		t_true("storm", city.rig.ns.storm.on == rows[i].on);
		t_uint("all were counted", rows[i].devices, city.rig.ns.storm.requests);
		rig_run(&city.rig, 55 * US_PER_S);
		t_true("it stays for a minute", city.rig.ns.storm.on == rows[i].on);
		rig_run(&city.rig, 30 * US_PER_S);
		t_true("then it is over", !city.rig.ns.storm.on);
		storm_rig_release(&city);
	}
}

static void is_kept_for_those_that_wait(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t join, ask; /* devices that join after the rush; that ask on, one every 3 s */
		unsigned minutes;
		bool on;
	} rows[] = {
		{"fifty and more ask on", 0, 50, 4, true},
		{"they have fallen silent", 0, 0, 4, false},
		{"few of them wait", 30, 20, 4, false},
		{"for a quarter of an hour at most", 0, 50, 18, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup(false);
		all_ask(5);
		rig_run(&city.rig, 8 * US_PER_S);
		all_ask(5); /* those that asked before it was seen */
		t_true("storm", city.rig.ns.storm.on);
		t_uint("all are known", DEVICES, city.rig.ns.storm.counts.devices);
		for (uint32_t d = 0; d < rows[i].join; d++)
			ns_storm_joined(&city.rig.ns, city.rig.now, d);
		for (size_t n = 0; n < rows[i].minutes * 20; n++) {
			if (rows[i].ask > 0)
				asks(DEVICES - 1 - n % rows[i].ask);
			rig_run(&city.rig, 3 * US_PER_S);
		}
		t_true("storm", city.rig.ns.storm.on == rows[i].on);
		storm_rig_release(&city);
	}
}

static uint64_t failures(const struct ns_storm_counts *counts)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < NS_STORM_FAILURE_COUNT; i++)
		sum += counts->failed[i];
	return sum;
}

static void refuses_before_it_asks(void **state)
{
	(void)state;
	setup(false);
	all_ask(0); /* SF12: each accept takes 1.8 s of a gateway */
	t_true("storm", city.rig.ns.storm.on);
	rig_run(&city.rig, 20 * US_PER_S);
	const struct ns_storm_counts *counts = &city.rig.ns.storm.counts;
	size_t asked = city.rig.join_count, sent = city.rig.downlink_count;
	uint64_t refused = city.rig.ns.drops[NS_DROP_JOIN_STORM], failed = failures(counts);
	all_ask(0);
	t_true("some are answered", city.rig.join_count > asked);
	t_uint("all others are refused", DEVICES,
	       city.rig.join_count - asked + city.rig.ns.drops[NS_DROP_JOIN_STORM] - refused);
	t_uint("whoever the join server was asked for is answered", city.rig.join_count - asked,
	       city.rig.downlink_count - sent);
	t_uint("none failed", failed, failures(counts));
	refused = 0;
	for (size_t i = 0; i < NS_STORM_CAUSE_COUNT; i++)
		refused += counts->refused[i];
	t_uint("counted by cause and by verdict", city.rig.ns.drops[NS_DROP_JOIN_STORM], refused);
	storm_rig_release(&city);
}

static void in_flight(void **state)
{
	(void)state;
	setup(false);
	all_ask(5);
	t_true("storm", city.rig.ns.storm.on);
	rig_run(&city.rig, 20 * US_PER_S);
	size_t sent = city.rig.downlink_count;
	storm_rig_asks_and_hears(&city, 0);
	t_uint("is answered", sent + 1, city.rig.downlink_count);
	rig_run(&city.rig, 2 * US_PER_S);
	storm_rig_asks_and_hears(&city, 0);
	t_uint("again while its accept is on the way: it is not", sent + 1, city.rig.downlink_count);
	t_uint("verdict", 1, city.rig.ns.drops[NS_DROP_JOIN_IN_FLIGHT]);
	storm_rig_asks_and_hears(&city, 1);
	t_uint("another device is", sent + 2, city.rig.downlink_count);
	rig_run(&city.rig, 6 * US_PER_S);
	storm_rig_asks_and_hears(&city, 0);
	t_uint("after its windows it is again", sent + 3, city.rig.downlink_count);
	t_uint("verdict", 1, city.rig.ns.drops[NS_DROP_JOIN_IN_FLIGHT]);
	t_uint("counted", 1, city.rig.ns.storm.counts.in_flight);
	storm_rig_release(&city);
}

/* Its only request in the storm comes while an accept of before is on its way: it waits as the others do, but has not asked in vain. */
static void in_flight_waits_too(void **state)
{
	(void)state;
	setup(false);
	const size_t last = DEVICES - 1;
	for (size_t i = 0; i < last && !city.rig.ns.storm.on; i++) {
		storm_rig_asks(&city, i == 44 ? last : i, 1, 5); /* it is seen at the fiftieth */
		rig_run(&city.rig, 50 * US_PER_MS);
		storm_rig_answers(&city);
	}
	t_true("storm", city.rig.ns.storm.on);
	rig_run(&city.rig, 250 * US_PER_MS); /* windows that were open */
	storm_rig_answers(&city);
	uint64_t devices = city.rig.ns.storm.counts.devices;
	for (unsigned i = 0; i < NS_STORM_PATIENCE + 1; i++)
		storm_rig_asks_and_hears(&city, last);
	t_uint("in flight", NS_STORM_PATIENCE + 1, city.rig.ns.storm.counts.in_flight);
	t_uint("one device more", devices + 1, city.rig.ns.storm.counts.devices);
	t_int("not in vain", NS_STORM_USUAL, ns_storm_class_of(&city.rig.ns, (uint32_t)last));
	ns_storm_joined(&city.rig.ns, city.rig.now, (uint32_t)last);
	t_uint("joined", 1, city.rig.ns.storm.counts.joined);
	storm_rig_release(&city);
}

/* What is kept for one join while the join server thinks, no other gets; what it does not need is free again. */
static void keeps_a_place(void **state)
{
	(void)state;
	setup(false);
	all_ask(5);
	rig_run(&city.rig, 40 * US_PER_S);
	t_true("storm", city.rig.ns.storm.on);
	struct ns_gateway *gateway = ns_gateways_at(
		&city.rig.ns.gateways,
		ns_gateways_find(&city.rig.ns.gateways, &(struct lw_eui64){{0, 0, 0, 0, 0, 0, 0, 1}}));
	t_uint("nothing planned", 0, ns_gateway_pending(gateway, city.rig.now.mono));
	asks(0);
	asks(3); /* the same channel at the same moment */
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("both are asked for", 2, ns_gateway_pending(gateway, city.rig.now.mono));
	rig_run(&city.rig, 8 * US_PER_S);
	t_uint("the join server was silent: nothing was sent", 2, city.rig.ns.drops[NS_DROP_JOIN_TIMEOUT]);
	t_uint("their time is over", 0, ns_gateway_pending(gateway, city.rig.now.mono));
	t_int("and was given back", 0, ns_gateway_share(gateway, city.rig.now.mono));
	storm_rig_release(&city);
}

static void tells(void **state)
{
	(void)state;
	struct ns_storm_report report;
	setup(false);
	all_ask(5);
	ns_storm_tell(&city.rig.ns, city.rig.now, &report);
	t_true("on", report.on);
	t_true("those that asked since it began wait",
	       report.waiting > 0 && report.waiting == report.counts.devices);
	t_true("no estimate before anybody has joined", !report.has_estimate);
	for (uint32_t d = 0; d < DEVICES; d++)
		ns_storm_joined(&city.rig.ns, city.rig.now, d);
	rig_run(&city.rig, 30 * US_PER_S);
	all_ask(5);
	rig_run(&city.rig, 30 * US_PER_S);
	ns_storm_tell(&city.rig.ns, city.rig.now, &report);
	t_true("an estimate as a range", report.has_estimate && report.most_s >= report.least_s);
	t_uint("joined", report.counts.devices, report.counts.joined + report.waiting);
	storm_rig_release(&city);
}

static void classes(void **state)
{
	(void)state;
	setup(false);
	all_ask(5);
	t_int("usual", NS_STORM_USUAL, ns_storm_class_of(&city.rig.ns, DEVICES - 1));
	for (int i = 0; i < NS_STORM_PATIENCE; i++) {
		rig_run(&city.rig, 8 * US_PER_S);
		asks(DEVICES - 1);
		rig_run(&city.rig, 250 * US_PER_MS);
	}
	t_int("asked in vain", NS_STORM_PATIENT, ns_storm_class_of(&city.rig.ns, DEVICES - 1));
	ns_storm_joined(&city.rig.ns, city.rig.now, DEVICES - 1);
	t_int("has joined", NS_STORM_SERVED, ns_storm_class_of(&city.rig.ns, DEVICES - 1));
	city.rig.ns.profiles[ns_device_at(&city.rig.ns.sessions, 0)->profile].record.device_class =
		NET_CLASS_C;
	t_int("commands wait", NS_STORM_COMMANDED, ns_storm_class_of(&city.rig.ns, 0));
	storm_rig_release(&city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(begins_and_ends),
		t_test(is_kept_for_those_that_wait),
		t_test(refuses_before_it_asks),
		t_test(in_flight),
		t_test(in_flight_waits_too),
		t_test(keeps_a_place),
		t_test(tells),
		t_test(classes),
	};
	return t_run(tests);
}
