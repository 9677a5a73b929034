/* A join storm: when it begins and ends, who is answered, what is refused before the join server is asked, what is told. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"
#include "network-server/join_storm.h"
#include "network-server/why/record.h"

#define DEVICES 60

static struct rig rig;
static struct rig_device devices[DEVICES];
static uint16_t dev_nonce;
static const uint32_t channels[] = {868100000, 868300000, 868500000};

static void setup(bool first_come)
{
	rig_init(&rig);
	rig.ns.config.first_come = first_come;
	for (size_t i = 0; i < DEVICES; i++)
		rig_otaa(&rig, &devices[i], i + 1, 0);
	dev_nonce = 1;
}

static void asks_at(size_t device, uint8_t dr)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	struct lw_join_request join = {.join_eui = devices[device].join_eui,
				       .dev_eui = devices[device].dev_eui,
				       .dev_nonce = dev_nonce};
	uint8_t length = (uint8_t)lw_join_request_encode(&join, phy);
	dev_nonce++;
	rig_hears_on(&rig, 1, phy, length, 0, channels[device % 3], dr, 800);
}

static void asks(size_t device)
{
	asks_at(device, 5);
}

/* The join server says yes to all that it was asked since. */
static size_t answered;
static void join_server_answers(void)
{
	for (; answered < rig.join_count; answered++) {
		const struct ns_join_call *call = &rig.joins[answered % RIG_SENT_MAX];
		struct bi_message message = {.envelope = {.type = BI_JOIN_ANS,
							  .transaction_id = call->transaction,
							  .result = BI_SUCCESS}};
		struct bi_join_ans *answer = &message.join_ans;
		struct lw_key key = {{0x61}};
		answer->phy_length = call->request.has_cflist ? 33 : 17;
		memset(answer->phy_payload, 0x20, answer->phy_length);
		snprintf(answer->nwk_s_key.label, sizeof answer->nwk_s_key.label, "network");
		answer->nwk_s_key.length = BI_KEY_WRAPPED;
		assert_int_equal(AES_WRAP_OK,
				 aes_wrap(rig.config.kek, 16, key.bytes, 16, answer->nwk_s_key.key));
		answer->app_s_key.length = BI_KEY_WRAPPED;
		ns_on_join_answer(&rig.ns, rig.now, call->transaction, &message);
		rig_turn(&rig);
	}
}

/* All devices ask within three seconds. */
static void all_ask(uint8_t dr)
{
	answered = rig.join_count;
	for (size_t i = 0; i < DEVICES; i++) {
		asks_at(i, dr);
		rig_run(&rig, 50 * US_PER_MS);
		join_server_answers();
	}
	rig_run(&rig, 250 * US_PER_MS);
	join_server_answers();
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
			asks_at(d, rows[i].dr);
			rig_run(&rig, rows[i].between);
		}
		rig_run(&rig, 250 * US_PER_MS);
		t_true("storm", rig.ns.storm.on == rows[i].on);
		t_uint("all were counted", rows[i].devices, rig.ns.storm.requests);
		rig_run(&rig, 55 * US_PER_S);
		t_true("it stays for a minute", rig.ns.storm.on == rows[i].on);
		rig_run(&rig, 30 * US_PER_S);
		t_true("then it is over", !rig.ns.storm.on);
		rig_release(&rig);
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
		rig_run(&rig, 8 * US_PER_S);
		all_ask(5); /* those that asked before it was seen */
		t_true("storm", rig.ns.storm.on);
		t_uint("all are known", DEVICES, rig.ns.storm.counts.devices);
		for (uint32_t d = 0; d < rows[i].join; d++)
			ns_storm_joined(&rig.ns, rig.now, d);
		for (size_t n = 0; n < rows[i].minutes * 20; n++) {
			if (rows[i].ask > 0)
				asks(DEVICES - 1 - n % rows[i].ask);
			rig_run(&rig, 3 * US_PER_S);
		}
		t_true("storm", rig.ns.storm.on == rows[i].on);
		rig_release(&rig);
	}
}

static void refuses_before_it_asks(void **state)
{
	(void)state;
	setup(false);
	all_ask(0); /* SF12: each accept takes 1.8 s of a gateway */
	t_true("storm", rig.ns.storm.on);
	rig_run(&rig, 20 * US_PER_S);
	const struct ns_storm_counts *counts = &rig.ns.storm.counts;
	size_t asked = rig.join_count, sent = rig.downlink_count;
	uint64_t refused = rig.ns.drops[NS_DROP_JOIN_STORM], failed = counts->failed;
	all_ask(0);
	t_true("some are answered", rig.join_count > asked);
	t_uint("all others are refused", DEVICES,
	       rig.join_count - asked + rig.ns.drops[NS_DROP_JOIN_STORM] - refused);
	t_uint("whoever the join server was asked for is answered", rig.join_count - asked,
	       rig.downlink_count - sent);
	t_uint("none failed", failed, counts->failed);
	refused = 0;
	for (size_t i = 0; i < NS_STORM_CAUSE_COUNT; i++)
		refused += counts->refused[i];
	t_uint("counted by cause and by verdict", rig.ns.drops[NS_DROP_JOIN_STORM], refused);
	rig_release(&rig);
}

static void asks_and_hears(size_t device)
{
	answered = rig.join_count;
	asks(device);
	rig_run(&rig, 250 * US_PER_MS);
	join_server_answers();
}

static void in_flight(void **state)
{
	(void)state;
	setup(false);
	all_ask(5);
	t_true("storm", rig.ns.storm.on);
	rig_run(&rig, 20 * US_PER_S);
	size_t sent = rig.downlink_count;
	asks_and_hears(0);
	t_uint("is answered", sent + 1, rig.downlink_count);
	rig_run(&rig, 2 * US_PER_S);
	asks_and_hears(0);
	t_uint("again while its accept is on the way: it is not", sent + 1, rig.downlink_count);
	t_uint("verdict", 1, rig.ns.drops[NS_DROP_JOIN_IN_FLIGHT]);
	asks_and_hears(1);
	t_uint("another device is", sent + 2, rig.downlink_count);
	rig_run(&rig, 6 * US_PER_S);
	asks_and_hears(0);
	t_uint("after its windows it is again", sent + 3, rig.downlink_count);
	t_uint("verdict", 1, rig.ns.drops[NS_DROP_JOIN_IN_FLIGHT]);
	t_uint("counted", 1, rig.ns.storm.counts.in_flight);
	rig_release(&rig);
}

/* What is kept for one join while the join server thinks, no other gets; what it does not need is free again. */
static void keeps_a_place(void **state)
{
	(void)state;
	setup(false);
	all_ask(5);
	rig_run(&rig, 40 * US_PER_S);
	t_true("storm", rig.ns.storm.on);
	struct ns_gateway *gateway = ns_gateways_at(
		&rig.ns.gateways,
		ns_gateways_find(&rig.ns.gateways, &(struct lw_eui64){{0, 0, 0, 0, 0, 0, 0, 1}}));
	t_uint("nothing planned", 0, ns_gateway_pending(gateway, rig.now.mono));
	asks(0);
	asks(3); /* the same channel at the same moment */
	rig_run(&rig, 250 * US_PER_MS);
	t_uint("both are asked for", 2, ns_gateway_pending(gateway, rig.now.mono));
	rig_run(&rig, 8 * US_PER_S);
	t_uint("the join server was silent: nothing was sent", 2, rig.ns.drops[NS_DROP_JOIN_TIMEOUT]);
	t_uint("their time is over", 0, ns_gateway_pending(gateway, rig.now.mono));
	t_int("and was given back", 0, ns_gateway_share(gateway, rig.now.mono));
	rig_release(&rig);
}

static void tells(void **state)
{
	(void)state;
	struct ns_storm_report report;
	setup(false);
	all_ask(5);
	ns_storm_tell(&rig.ns, rig.now, &report);
	t_true("on", report.on);
	t_true("those that asked since it began wait",
	       report.waiting > 0 && report.waiting == report.counts.devices);
	t_true("no estimate before anybody has joined", !report.has_estimate);
	for (uint32_t d = 0; d < DEVICES; d++)
		ns_storm_joined(&rig.ns, rig.now, d);
	rig_run(&rig, 30 * US_PER_S);
	all_ask(5);
	rig_run(&rig, 30 * US_PER_S);
	ns_storm_tell(&rig.ns, rig.now, &report);
	t_true("an estimate as a range", report.has_estimate && report.most_s >= report.least_s);
	t_uint("joined", report.counts.devices, report.counts.joined + report.waiting);
	rig_release(&rig);
}

static void classes(void **state)
{
	(void)state;
	setup(false);
	all_ask(5);
	t_int("usual", NS_STORM_USUAL, ns_storm_class_of(&rig.ns, DEVICES - 1));
	for (int i = 0; i < NS_STORM_PATIENCE; i++) {
		rig_run(&rig, 8 * US_PER_S);
		asks(DEVICES - 1);
		rig_run(&rig, 250 * US_PER_MS);
	}
	t_int("asked in vain", NS_STORM_PATIENT, ns_storm_class_of(&rig.ns, DEVICES - 1));
	ns_storm_joined(&rig.ns, rig.now, DEVICES - 1);
	t_int("has joined", NS_STORM_SERVED, ns_storm_class_of(&rig.ns, DEVICES - 1));
	rig.ns.profiles[ns_device_at(&rig.ns.sessions, 0)->profile].record.device_class = NET_CLASS_C;
	t_int("commands wait", NS_STORM_COMMANDED, ns_storm_class_of(&rig.ns, 0));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(begins_and_ends),
		t_test(is_kept_for_those_that_wait),
		t_test(refuses_before_it_asks),
		t_test(in_flight),
		t_test(keeps_a_place),
		t_test(tells),
		t_test(classes),
	};
	return t_run(tests);
}
