/* What is counted of a storm: each request in one place at any time, whatever the join server, the gateways and the records do; each
 * device once; no gateway's time kept for nothing. */
#include "tests/harness/harness.h"
#include "tests/harness/storm_rig.h"

#include "network-server/join_flow.h"

#include <string.h>

#define SEEDS 40
#define STEPS 600

static struct storm_rig city;

/* Joins that the join server is asked for, of the storm that is counted. */
static uint64_t really_asking(const struct ns *ns)
{
	uint64_t asking = 0;
	for (uint32_t slot = 0; slot < ns->joins.high; slot++)
		asking += ns_slab_holds(&ns->joins, slot) && ns->storm.number != 0 &&
			  ((const struct ns_join *)ns_slab_at(&ns->joins, slot))->windows.storm ==
				  ns->storm.number;
	return asking;
}

static bool adds_up(const char *when)
{
	struct ns_storm_report report;
	const struct ns *ns = &city.rig.ns;
	ns_storm_tell(ns, city.rig.now, &report);
	const struct ns_storm_counts *counts = &report.counts;
	uint64_t sum = report.refused + counts->in_flight + counts->asking + counts->answered + report.failed;
	t_row(when);
	return t_uint("offered", counts->offered, sum) &&
	       t_uint("asking", really_asking(ns), counts->asking) &&
	       t_uint("devices", counts->devices, counts->joined + report.waiting) &&
	       t_true("joined of those that asked", counts->joined <= counts->devices);
}

/* --- one after another --- */

static uint64_t failed(enum ns_storm_failure why)
{
	return city.rig.ns.storm.counts.failed[why];
}

/* A storm in which nothing is on its way, and gateways have rested. */
static void calm_within_a_storm(void)
{
	storm_rig_init(&city, false);
	storm_rig_all_ask(&city, 5);
	rig_run(&city.rig, 20 * US_PER_S);
	city.answered = city.rig.join_count;
	t_true("storm", city.rig.ns.storm.on);
}

static void gateway_says(enum gw_tx_result result)
{
	rig_tx_ack(&city.rig, result);
}

static void the_server_says_no(void)
{
	storm_rig_answer(&city, BI_MIC_FAILED);
}

static void its_answer_is_no_use(void)
{
	city.rig.config.kek[0] ^= 1; /* it wraps under another key than ours */
	storm_rig_answer(&city, BI_SUCCESS);
	city.rig.config.kek[0] ^= 1;
}

static void it_is_silent(void)
{
	rig_run(&city.rig, 7 * US_PER_S);
}

static void it_says_yes(void)
{
	storm_rig_answer(&city, BI_SUCCESS);
}

static void the_gateway_sends(void)
{
	it_says_yes();
	gateway_says(GW_TX_OK);
}

static void all_windows_are_refused(void)
{
	it_says_yes();
	for (int i = 0; i < 4; i++) /* RX1, RX2, and no gateway is left */
		gateway_says(GW_TX_FREQ);
}

static void the_gateway_goes_away(void)
{
	const struct gw_presence away = {.gateway = rig_eui(1), .online = false, .known = true};
	ns_on_presence(&city.rig.ns, city.rig.now, RIG_LINK, ++city.rig.seq, &away);
	rig_turn(&city.rig);
	it_says_yes();
}

static void its_record_goes(void)
{
	const struct net_device record = {
		.version = ++city.rig.version, .dev_eui = city.devices[0].dev_eui, .deleted = true};
	rig_state_begin(&city.rig, false);
	ns_on_device(&city.rig.ns, city.rig.now, &record);
	rig_state_end(&city.rig);
	it_says_yes();
}

static void each_end_of_a_request(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*happens)(void);
		int failed; /* enum ns_storm_failure; −1: it is answered, −2: it is still asked for */
	} rows[] = {
		{"nothing yet", NULL, -2},
		{"the join server says no", the_server_says_no, NS_STORM_FAILED_NO},
		{"its answer is of no use", its_answer_is_no_use, NS_STORM_FAILED_NO},
		{"it is silent", it_is_silent, NS_STORM_FAILED_SILENT},
		{"it says yes", it_says_yes, -1},
		{"the gateway sends", the_gateway_sends, -1},
		{"every gateway refuses", all_windows_are_refused, NS_STORM_FAILED_NOT_SENT},
		{"the gateway goes away meanwhile", the_gateway_goes_away, NS_STORM_FAILED_NOT_SENT},
		{"its record goes meanwhile", its_record_goes, NS_STORM_FAILED_NO_ROOM},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		calm_within_a_storm();
		struct ns_storm_counts before = city.rig.ns.storm.counts;
		storm_rig_asks(&city, 0, 1, 5);
		rig_run(&city.rig, 250 * US_PER_MS);
		if (rows[i].happens)
			rows[i].happens();
		adds_up(rows[i].name);
		const struct ns_storm_counts *after = &city.rig.ns.storm.counts;
		t_uint("offered", before.offered + 1, after->offered);
		t_uint("asking", before.asking + (rows[i].failed == -2), after->asking);
		t_uint("answered", before.answered + (rows[i].failed == -1), after->answered);
		for (int why = 0; why < NS_STORM_FAILURE_COUNT; why++)
			t_uint("failed", before.failed[why] + (rows[i].failed == why),
			       failed((enum ns_storm_failure)why));
		storm_rig_release(&city);
	}
}

/* The rig has room for 16 joins. */
static void more_joins_than_there_is_room_for(void **state)
{
	(void)state;
	calm_within_a_storm();
	for (size_t i = 0; i < 40; i++) {
		storm_rig_asks(&city, i, 1 + i % 2, 5);
		rig_run(&city.rig, 60 * US_PER_MS);
	}
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("in the table", city.rig.ns.joins.capacity, city.rig.ns.joins.count);
	t_true("others had no room", failed(NS_STORM_FAILED_NO_ROOM) > 0);
	adds_up("full");
	rig_run(&city.rig, 8 * US_PER_S);
	t_uint("the join server never answered", 16, failed(NS_STORM_FAILED_SILENT));
	adds_up("over");
	storm_rig_release(&city);
}

static uint64_t waiting(void)
{
	struct ns_storm_report report;
	ns_storm_tell(&city.rig.ns, city.rig.now, &report);
	return report.waiting;
}

/* Counting goes on when it is calm again; the next storm begins a new account. */
static void after_the_storm(void **state)
{
	(void)state;
	calm_within_a_storm();
	uint64_t devices = city.rig.ns.storm.counts.devices;
	t_true("some wait", devices > 4 && waiting() == devices);
	storm_rig_asks(&city, (STORM_RIG_DEVICES - 1), 1, 5);
	rig_run(&city.rig, 120 * US_PER_S);
	t_true("it is over", !city.rig.ns.storm.on);
	uint32_t last = (STORM_RIG_DEVICES - 1);
	ns_storm_joined(&city.rig.ns, city.rig.now, last);
	t_uint("joined after it", devices - 1, waiting());
	ns_storm_joined(&city.rig.ns, city.rig.now, last);
	t_uint("once", devices - 1, waiting());
	city.devices[0] = city.devices[last - 1];
	its_record_goes();
	t_uint("the record of one that waits goes", devices - 2, waiting());
	city.devices[0] = city.devices[last];
	its_record_goes();
	t_uint("of one that has joined", devices - 2, waiting());
	t_uint("has not asked any more", devices - 2, city.rig.ns.storm.counts.devices);
	rig_otaa(&city.rig, &city.devices[last], 4000, 0);
	ns_storm_joined(&city.rig.ns, city.rig.now,
			ns_device_find(&city.rig.ns.sessions, &city.devices[last].dev_eui));
	t_uint("another device in its place has not", devices - 2, waiting());
	struct ns_storm_report report;
	ns_storm_tell(&city.rig.ns, city.rig.now, &report);
	t_true("how long ago", report.ended > 0 && report.ended < 120 * US_PER_S && !report.on);
	storm_rig_release(&city);
}

/* --- any order --- */

static struct rng rng;
static bool asked[STORM_RIG_DEVICES];
static uint32_t storm_seen;

/* Devices that asked in this storm, as the test saw it. */
static uint64_t really_asked(void)
{
	uint64_t count = 0;
	for (size_t i = 0; i < STORM_RIG_DEVICES; i++)
		count += asked[i];
	return count;
}

/* Who of those with open windows is counted now is seen by the table, whose slot is the device's number. */
static void look_who_asked(void)
{
	const struct ns *ns = &city.rig.ns;
	if (ns->storm.number != storm_seen)
		memset(asked, 0, sizeof asked);
	storm_seen = ns->storm.number;
	for (size_t i = 0; i < STORM_RIG_DEVICES; i++) {
		uint32_t slot = ns_device_find(&ns->sessions, &city.devices[i].dev_eui);
		asked[i] = slot != NS_NO_SLOT && storm_seen != 0 &&
			   ns->storm.devices[slot].storm == storm_seen;
	}
}

static void a_gateway_answers(void)
{
	static const enum gw_tx_result results[] = {GW_TX_OK, GW_TX_COLLISION_PACKET, GW_TX_TOO_LATE,
						    GW_TX_FREQ, GW_TX_NO_PATH};
	struct rig *rig = &city.rig;
	if (rig->downlink_count == 0)
		return;
	size_t back = rng_below(&rng, 4);
	if (back >= rig->downlink_count)
		return;
	const struct gw_downlink *downlink = &rig->downlinks[(rig->downlink_count - 1 - back) % RIG_SENT_MAX];
	const struct gw_tx_ack ack = {.id = downlink->id,
				      .gateway = downlink->attempts[0].gateway,
				      .result = results[rng_below(&rng, ARRAY_SIZE(results))],
				      .latency_us = 40 * US_PER_MS};
	ns_on_seq(&rig->ns, rig->now, RIG_LINK, ++rig->seq);
	ns_on_tx_ack(&rig->ns, rig->now, &ack);
	rig_turn(rig);
}

static void a_gateway_comes_or_goes(void)
{
	const struct gw_presence presence = {
		.gateway = rig_eui(1 + rng_below(&rng, 2)), .online = rng_below(&rng, 6) > 0, .known = true};
	ns_on_presence(&city.rig.ns, city.rig.now, RIG_LINK, ++city.rig.seq, &presence);
	rig_turn(&city.rig);
}

/* The record of a gateway goes and comes. */
static void a_gateway_is_taken_out(void)
{
	uint64_t number = 1 + rng_below(&rng, 2);
	const struct net_gateway record = {
		.version = ++city.rig.version, .gateway = {.eui = rig_eui(number)}, .deleted = true};
	rig_state_begin(&city.rig, false);
	if (rng_below(&rng, 4) == 0)
		ns_on_gateway(&city.rig.ns, city.rig.now, &record);
	else
		rig_gateway(&city.rig, number, "eu868", false);
	rig_state_end(&city.rig);
}

static void a_device_is_taken_out(void)
{
	size_t device = rng_below(&rng, STORM_RIG_DEVICES);
	const struct net_device record = {
		.version = ++city.rig.version, .dev_eui = city.devices[device].dev_eui, .deleted = true};
	rig_state_begin(&city.rig, false);
	ns_on_device(&city.rig.ns, city.rig.now, &record);
	rig_state_end(&city.rig);
	if (rng_below(&rng, 3))
		rig_otaa(&city.rig, &city.devices[device], device + 1, 0);
}

/* The join server looks at the calls of the last moments; older ones it has lost. */
static void the_server_answers(enum bi_result result)
{
	if (city.rig.join_count > city.answered + 6)
		city.answered = city.rig.join_count - 6;
	storm_rig_answer(&city, result);
}

static void something_happens(void)
{
	unsigned draw = rng_below(&rng, 100);
	if (draw < 60)
		storm_rig_asks(&city, rng_below(&rng, STORM_RIG_DEVICES), 1 + rng_below(&rng, 2),
			       (uint8_t)rng_below(&rng, 6));
	else if (draw < 75)
		the_server_answers(BI_SUCCESS);
	else if (draw < 80)
		the_server_answers(rng_below(&rng, 2) ? BI_MIC_FAILED : BI_OTHER);
	else if (draw < 92)
		a_gateway_answers();
	else if (draw < 94)
		a_gateway_comes_or_goes();
	else if (draw < 95)
		a_gateway_is_taken_out();
	else if (draw < 97)
		a_device_is_taken_out();
	else if (draw < 99)
		ns_storm_joined(&city.rig.ns, city.rig.now, rng_below(&rng, STORM_RIG_DEVICES));
	else
		city.rig.ns.config.first_come = rng_below(&rng, 4) == 0;
	rig_run(&city.rig, (span_us)rng_below(&rng, rng_below(&rng, 60) ? 90 : 40000) * US_PER_MS);
}

/* What is planned or kept at a gateway, when nobody asks any more. */
static void nothing_is_kept(void)
{
	rig_run(&city.rig, 30 * US_PER_S);
	for (uint32_t slot = 0; slot < city.rig.ns.gateways.slab.high; slot++) {
		if (!ns_slab_holds(&city.rig.ns.gateways.slab, slot))
			continue;
		struct ns_gateway *gateway = ns_gateways_at(&city.rig.ns.gateways, slot);
		t_uint("planned", 0, ns_gateway_pending(gateway, city.rig.now.mono));
	}
	t_uint("asked for", 0, city.rig.ns.storm.counts.asking);
}

static void every_request_is_in_one_place(void **state)
{
	(void)state;
	uint64_t places[4] = {0};
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		char name[48];
		storm_rig_init(&city, false);
		rng = rng_seeded(seed);
		storm_seen = 0;
		bool good = true;
		for (unsigned step = 0; step < STEPS && good; step++) {
			snprintf(name, sizeof name, "seed %u, step %u", (unsigned)seed, step);
			something_happens();
			look_who_asked();
			good = adds_up(name) &&
			       t_uint("devices that asked", really_asked(), city.rig.ns.storm.counts.devices);
		}
		const struct ns_storm_counts *counts = &city.rig.ns.storm.counts;
		places[0] += counts->in_flight;
		places[1] += counts->answered;
		for (int why = 0; why < NS_STORM_FAILURE_COUNT; why++)
			places[2] += counts->failed[why];
		places[3] += city.rig.ns.storm.storms;
		nothing_is_kept();
		storm_rig_release(&city);
	}
	t_row("all of it was there");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		t_true("in flight, answered, failed, storms", places[i] > SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_end_of_a_request),
		t_test(more_joins_than_there_is_room_for),
		t_test(after_the_storm),
		t_test(every_request_is_in_one_place),
	};
	return t_run(tests);
}
