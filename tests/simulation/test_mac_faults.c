/* MAC commands where something goes wrong: answers lost, repeated, missing or refused, commands that a version does not know, a
 * command of nobody's in the middle, orders that nothing comes of, restarts in between. */
#include "network-server/mac/report.h"
#include "tests/harness/harness.h"
#include "tests/harness/mac_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 40

static struct t_mac mac;
static struct sim_device *const device = &mac.region.device;
static struct net_profile *const profile = &mac.region.profile;
static struct ns *const ns = &mac.region.rig.ns;

static void open_as(enum lw_mac_version version, void (*change)(struct sim_device_config *config))
{
	t_mac_open(&mac, &(struct t_mac_setup){.version = version, .device = change});
}

/* --- wishes, and whether both sides have met them --- */

static void want_duty(void)
{
	profile->max_duty_cycle = 3;
}

static bool has_duty(struct t_mac *at)
{
	return at->region.device.duty_exponent == 3 && t_mac_session(at)->mac.max_duty_cycle == 3;
}

static void want_windows(void)
{
	profile->rx1_dr_offset = 2;
}

static bool has_windows(struct t_mac *at)
{
	return at->region.device.rx1_offset == 2 && t_mac_session(at)->rx1_dr_offset == 2;
}

static void want_delay(void)
{
	profile->rx_delay_s = 7;
}

static bool has_delay(struct t_mac *at)
{
	return at->region.device.rx_delay_s == 7 && t_mac_session(at)->rx_delay_s == 7;
}

static void want_status(void)
{
	profile->dev_status_interval_h = 1;
}

static bool has_status(struct t_mac *at)
{
	return rig_events_of(&at->region.rig, PROTO_STATUS_EVENT) > 0;
}

static void want_adr_param(void)
{
	profile->adr_ack_limit_exp = 3;
}

static bool has_adr_param(struct t_mac *at)
{
	return at->region.device.adr_limit == 8 && t_mac_rare(at)->adr_limit_exp == 3;
}

static void want_rejoin_param(void)
{
	profile->rejoin_count_exp = 9;
}

static bool has_rejoin_param(struct t_mac *at)
{
	return at->region.device.rejoin_max_count_n == 9 && t_mac_rare(at)->rejoin_count_exp == 9;
}

static void want_beacon(void)
{
	profile->beacon_freq_hz = 868300000;
}

static bool has_beacon(struct t_mac *at)
{
	return at->region.device.beacon_freq_hz == 868300000 && t_mac_rare(at)->beacon_freq_hz == 868300000;
}

static void want_ping_slot(void)
{
	profile->ping_slot_dr = 2;
}

static bool has_ping_slot(struct t_mac *at)
{
	return at->region.device.ping_slot_dr == 2 && t_mac_rare(at)->ping_slot_dr == 2;
}

static const struct wish_row {
	const char *name;
	enum ns_mac_kind kind;
	void (*want)(void);
	bool (*has)(struct t_mac *at);
	bool sticky;
} wishes[] = {
	{"DutyCycleReq", NS_MAC_DUTY_CYCLE, want_duty, has_duty, false},
	{"RXParamSetupReq", NS_MAC_RX_PARAM_SETUP, want_windows, has_windows, true},
	{"RXTimingSetupReq", NS_MAC_RX_TIMING_SETUP, want_delay, has_delay, true},
	{"DevStatusReq", NS_MAC_DEV_STATUS, want_status, has_status, false},
	{"ADRParamSetupReq", NS_MAC_ADR_PARAM_SETUP, want_adr_param, has_adr_param, false},
	{"RejoinParamSetupReq", NS_MAC_REJOIN_PARAM_SETUP, want_rejoin_param, has_rejoin_param, false},
	{"BeaconFreqReq", NS_MAC_BEACON_FREQ, want_beacon, has_beacon, false},
	{"PingSlotChannelReq", NS_MAC_PING_SLOT_CHANNEL, want_ping_slot, has_ping_slot, true},
};

/* Opens it, lets the usual requests pass, wishes, and goes on until the request has gone out. */
static bool ask_for(const struct wish_row *row)
{
	open_as(LW_MAC_1_1_0, NULL);
	t_mac_exchanges(&mac, 3);
	row->want();
	t_mac_profile(&mac);
	uint64_t before = t_mac_asked(&mac, row->kind);
	for (unsigned i = 0; i < PATIENCE && t_mac_asked(&mac, row->kind) == before; i++)
		t_mac_exchange(&mac);
	return t_uint("asked once", before + 1, t_mac_asked(&mac, row->kind));
}

/* A sticky answer comes again by itself, any other is asked for again. */
static void an_answer_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		t_row(wishes[i].name);
		if (ask_for(&wishes[i])) {
			t_mac_lost_uplink(&mac);
			t_true("both sides nevertheless", t_mac_until(&mac, wishes[i].has, 4));
			t_uint("asked", wishes[i].sticky ? 1 : 2, t_mac_asked(&mac, wishes[i].kind));
			t_uint("nothing unexpected", 0, ns->drops[NS_DROP_MAC_UNEXPECTED]);
		}
		t_mac_close(&mac);
	}
}

/* The device hears nothing for a while, so it says again what is sticky: that changes nothing, and nothing is asked meanwhile. */
static void an_answer_is_repeated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		t_row(wishes[i].name);
		if (ask_for(&wishes[i])) {
			device->miss_downlinks = 3;
			t_mac_exchanges(&mac, 4);
			t_true("both sides", wishes[i].has(&mac));
			t_uint("asked once", 1, t_mac_asked(&mac, wishes[i].kind));
			t_uint("taken once", 1, ns->mac_counts[wishes[i].kind].taken);
			t_true("repeats", (ns->drops[NS_DROP_MAC_REPEATED] > 0) == wishes[i].sticky);
			t_mac_exchanges(&mac, 3);
			t_uint("none is left", 0, device->answer_count);
		}
		t_mac_close(&mac);
	}
}

/* The question is stored before it leaves: its answer finds it after a crash. */
static void the_server_restarts_between_question_and_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		t_row(wishes[i].name);
		if (ask_for(&wishes[i])) {
			rig_restart(&mac.region.rig);
			t_region_extra(&mac.region, "");
			t_true("both sides", t_mac_until(&mac, wishes[i].has, 2));
			t_uint("not asked again", 0, t_mac_asked(&mac, wishes[i].kind));
			rig_restart(&mac.region.rig);
			t_mac_exchanges(&mac, 3);
			t_uint("nor after another one", 0, t_mac_asked(&mac, wishes[i].kind));
		}
		t_mac_close(&mac);
	}
}

/* --- refusals --- */

/* A device built for less than the region has. */
static struct sim_plan narrow;

static void built_narrow(struct sim_device_config *config)
{
	narrow = *config->plan;
	narrow.max_hz = 869600000;
	config->plan = &narrow;
}

static void a_refused_frequency_is_not_asked_for_again(void **state)
{
	(void)state;
	open_as(LW_MAC_1_0_4, built_narrow);
	profile->beacon_freq_hz = 869800000;
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, PATIENCE);
	t_uint("asked once", 1, t_mac_asked(&mac, NS_MAC_BEACON_FREQ));
	t_uint("refused", 1, ns->mac_counts[NS_MAC_BEACON_FREQ].refused);
	t_uint("the device has its own", 0, device->beacon_freq_hz);
	t_uint("and the server knows", 0, t_mac_rare(&mac)->beacon_freq_hz);
	rig_restart(&mac.region.rig);
	t_region_extra(&mac.region, "");
	t_mac_exchanges(&mac, 4);
	t_uint("nor after a restart", 0, t_mac_asked(&mac, NS_MAC_BEACON_FREQ));
	want_beacon();
	t_mac_profile(&mac);
	t_true("another one is asked for, and taken", t_mac_until(&mac, has_beacon, 4));
	t_mac_close(&mac);
}

/* What was refused stays as it is; the rest of the same request is asked for without it. */
static void a_parameter_is_refused_and_not_its_kind(void **state)
{
	(void)state;
	open_as(LW_MAC_1_0_4, built_narrow);
	profile->ping_slot_freq_hz = 869800000;
	profile->ping_slot_dr = 2;
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, PATIENCE);
	t_uint("asked with both, and without the frequency", 2, t_mac_asked(&mac, NS_MAC_PING_SLOT_CHANNEL));
	t_true("the data rate", has_ping_slot(&mac));
	t_uint("the region's frequency", 0, device->ping_slot_freq_hz);
	profile->rx2_freq_hz = 869800000;
	profile->rx1_dr_offset = 2;
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, 4);
	t_true("so with the windows", has_windows(&mac));
	t_uint("RX2 as it was", 869525000, device->rx2_freq_hz);
	t_mac_close(&mac);
}

static void has_no_timer(struct sim_device_config *config)
{
	config->no_rejoin_timer = true;
}

static void a_refused_time_leaves_the_count(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, has_no_timer);
	profile->rejoin_time_exp = 4;
	profile->rejoin_count_exp = 9;
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, PATIENCE);
	t_uint("asked once", 1, t_mac_asked(&mac, NS_MAC_REJOIN_PARAM_SETUP));
	t_true("the count is taken", has_rejoin_param(&mac));
	t_false("the time is not", t_mac_rare(&mac)->known & NS_RARE_REJOIN_TIME);
	t_uint("at the device either", 255, device->rejoin_max_time_n);
	profile->rejoin_count_exp = 10;
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, 4);
	t_uint("another count is asked for", 2, t_mac_asked(&mac, NS_MAC_REJOIN_PARAM_SETUP));
	t_uint("and taken", 10, device->rejoin_max_count_n);
	t_mac_close(&mac);
}

/* --- what is not known --- */

static void a_version_is_never_asked_what_it_does_not_know(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *region;
		enum lw_mac_version version;
		bool tx_param, dl_channel;
	} rows[] = {
		{"1.0.1 has neither", "as923-1", LW_MAC_1_0_1, false, false},
		{"1.0.2 has TxParamSetupReq and DlChannelReq", "as923-1", LW_MAC_1_0_2, true, true},
		{"1.0.4 has those of 1.0.2", "as923-1", LW_MAC_1_0_4, true, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_mac_open(&mac, &(struct t_mac_setup){.region = rows[i].region,
						       .extra = "922.2 922.4/923.0",
						       .version = rows[i].version});
		profile->uplink_dwell = 0;
		profile->adr_ack_limit_exp = profile->rejoin_time_exp = 3;
		t_mac_profile(&mac);
		t_mac_exchanges(&mac, PATIENCE);
		t_uint("ADRParamSetupReq", 0, t_mac_asked(&mac, NS_MAC_ADR_PARAM_SETUP));
		t_uint("RejoinParamSetupReq", 0, t_mac_asked(&mac, NS_MAC_REJOIN_PARAM_SETUP));
		t_uint("TxParamSetupReq", rows[i].tx_param, t_mac_asked(&mac, NS_MAC_TX_PARAM_SETUP));
		t_uint("DlChannelReq", rows[i].dl_channel, t_mac_asked(&mac, NS_MAC_DL_CHANNEL));
		t_int("a rejoin cannot be ordered", NS_ORDER_NOT_OF_ITS_VERSION,
		      ns_mac_order_rejoin(ns, mac.region.rig.now, t_mac_slot(&mac),
					  &(struct ns_rejoin_order){0, 0, 0, 0}));
		t_mac_close(&mac);
	}
}

/* What stands before it counts, what follows is not read, the reading is delivered, and the server asks again. */
static void a_command_of_nobodys_in_the_middle(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, NULL);
	t_mac_exchanges(&mac, 3);
	want_duty();
	want_adr_param();
	t_mac_profile(&mac);
	t_mac_exchange(&mac);
	t_uint("two answers wait", 2, device->answer_count);
	device->answers[2] = device->answers[1];
	device->answers[1] = (struct sim_answer){.bytes = {0x9c, 0x77}, .length = 2};
	device->answer_count = 3;
	unsigned events = rig_events_of(&mac.region.rig, PROTO_UP_EVENT);
	t_mac_exchange(&mac);
	t_uint("delivered", events + 1, rig_events_of(&mac.region.rig, PROTO_UP_EVENT));
	t_uint("said", 1, ns->drops[NS_DROP_MAC_UNKNOWN]);
	t_true("what stands before it", has_duty(&mac));
	t_false("what follows", t_mac_rare(&mac)->known & NS_RARE_ADR_PARAM);
	t_true("is asked again", t_mac_until(&mac, has_adr_param, 3));
	t_uint("and nothing else is", 1, t_mac_asked(&mac, NS_MAC_DUTY_CYCLE));
	t_mac_close(&mac);
}

/* --- the order --- */

static const struct ns_rejoin_order order = {1, 2, 0, 5};

static void an_order_is_repeated_and_given_up(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, NULL);
	t_mac_exchanges(&mac, 3);
	t_int("ordered", NS_ORDER_TAKEN,
	      ns_mac_order_rejoin(ns, mac.region.rig.now, t_mac_slot(&mac), &order));
	rig_turn(&mac.region.rig);
	rig_restart(&mac.region.rig);
	t_region_extra(&mac.region, "");
	t_uint("it stands after a restart", NS_REJOIN_ORDER_TRIES, ns_mac_rejoin_left(ns, t_mac_slot(&mac)));
	for (unsigned i = 0; i < PATIENCE && ns_mac_rejoin_left(ns, t_mac_slot(&mac)) > 0; i++)
		t_mac_exchange(&mac);
	t_uint("so often", NS_REJOIN_ORDER_TRIES, mac.seen[LW_DOWN][LW_CID_FORCE_REJOIN]);
	t_mac_exchanges(&mac, PATIENCE);
	t_uint("and no more", NS_REJOIN_ORDER_TRIES, mac.seen[LW_DOWN][LW_CID_FORCE_REJOIN]);
	t_uint("given up", 1, ns->mac_counts[NS_MAC_FORCE_REJOIN].unanswered);
	t_uint("nothing stands", 0, t_mac_rare(&mac)->order);
	t_mac_close(&mac);
}

static void an_order_ends_with_the_rejoin(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, NULL);
	t_mac_exchanges(&mac, 3);
	t_int("ordered", NS_ORDER_TAKEN,
	      ns_mac_order_rejoin(ns, mac.region.rig.now, t_mac_slot(&mac), &order));
	t_mac_exchange(&mac);
	ns_mac_rejoin_seen(ns, mac.region.rig.now, t_mac_slot(&mac));
	rig_turn(&mac.region.rig);
	t_mac_exchanges(&mac, PATIENCE);
	t_uint("asked once", 1, mac.seen[LW_DOWN][LW_CID_FORCE_REJOIN]);
	t_uint("taken", 1, ns->mac_counts[NS_MAC_FORCE_REJOIN].taken);
	t_int("what no device could do", NS_ORDER_OUT_OF_RANGE,
	      ns_mac_order_rejoin(ns, mac.region.rig.now, t_mac_slot(&mac),
				  &(struct ns_rejoin_order){8, 0, 0, 0}));
	t_mac_close(&mac);
}

/* --- many at once --- */

/* Everything is wished at once: all is met, in frames of which none is too long, and in the order that the specification's
 * dependencies ask for (mac_rig.h holds every frame against it). */
static void everything_is_wished_at_once(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		wishes[i].want();
	t_region_extra(&mac.region, "867.1 867.3/869.1 867.5");
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, PATIENCE);
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		t_true(wishes[i].name, wishes[i].has(&mac));
	t_uint("channels", 867500000, device->channels[5].freq_hz);
	t_uint("RX1 elsewhere", 869100000, device->channels[4].down_freq_hz);
	t_uint("nothing in flight", 0, t_mac_session(&mac)->mac.question_length);
	t_mac_close(&mac);
}

static void is_mute(struct sim_device_config *config)
{
	config->mac_fault = SIM_MAC_MUTE;
}

/* Complaint 20 of other servers' users: requests to devices that never answer cost the airtime of every downlink. */
static void complaint_20_a_device_that_never_answers_is_not_flooded(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, is_mute);
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		wishes[i].want();
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, 64);
	uint64_t sent = ns->downlinks_sent;
	t_mac_exchanges(&mac, 256);
	t_true("at most one frame of ten uplinks is for them", ns->downlinks_sent - sent <= 26);
	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++)
		t_true(wishes[i].name, t_mac_asked(&mac, wishes[i].kind) >= 4);
	t_mac_close(&mac);
}

/* --- what an engineer sees --- */

/* The parameter's object in the report, up to its end; NULL: it has none. */
static const char *parameter(const char *report, const char *name, char text[256])
{
	char key[64];
	snprintf(key, sizeof key, "{\"name\":\"%s\",", name);
	const char *at = strstr(report, key);
	if (!at)
		return NULL;
	snprintf(text, 256, "%.*s", (int)strcspn(at, "}") + 1, at);
	return text;
}

static void parameter_is(const char *name, const char *command, const char *rest)
{
	char *report = NULL, got[256], expected[256];
	size_t length = 0;
	FILE *out = open_memstream(&report, &length);
	assert_non_null(out);
	struct lw_eui64 dev_eui = lw_eui64_from_number(T_DEV_EUI);
	t_true("a report", ns_mac_report(ns, &dev_eui, out));
	fclose(out);
	snprintf(expected, sizeof expected, "none");
	if (rest)
		snprintf(expected, sizeof expected, "{\"name\":\"%s\",\"command\":\"%s\",%s}", name, command,
			 rest);
	t_str(name, expected, parameter(report, name, got) ? got : "none");
	free(report);
}

static void the_report_follows_a_parameter(void **state)
{
	(void)state;
	open_as(LW_MAC_1_1_0, built_narrow);
	t_mac_exchanges(&mac, 3);
	parameter_is("max_duty_cycle", "DutyCycleReq",
		     "\"desired\":0,\"confirmed\":0,\"state\":\"agreed\",\"tries\":0,\"next_in_uplinks\":0");
	want_duty();
	profile->beacon_freq_hz = 869800000;
	profile->rejoin_count_exp = 9;
	t_mac_profile(&mac);
	parameter_is("max_duty_cycle", "DutyCycleReq",
		     "\"desired\":3,\"confirmed\":0,\"state\":\"due\",\"tries\":0,\"next_in_uplinks\":0");
	parameter_is("rejoin_count_exp", "RejoinParamSetupReq",
		     "\"desired\":9,\"confirmed\":null,\"state\":\"due\",\"tries\":0,\"next_in_uplinks\":0");
	t_mac_exchange(&mac);
	parameter_is("max_duty_cycle", "DutyCycleReq",
		     "\"desired\":3,\"confirmed\":0,\"state\":\"asked\",\"tries\":1,\"next_in_uplinks\":0");
	t_mac_exchanges(&mac, 3);
	parameter_is("max_duty_cycle", "DutyCycleReq",
		     "\"desired\":3,\"confirmed\":3,\"state\":\"agreed\",\"tries\":0,\"next_in_uplinks\":0");
	parameter_is("beacon_freq_hz", "BeaconFreqReq",
		     "\"desired\":869800000,\"confirmed\":0,\"state\":\"refused\",\"tries\":0,"
		     "\"next_in_uplinks\":0");
	parameter_is("channels", "LinkADRReq",
		     "\"desired\":\"0-2\",\"confirmed\":\"0-2\",\"state\":\"agreed\",\"tries\":0,"
		     "\"next_in_uplinks\":0");
	t_mac_close(&mac);
	open_as(LW_MAC_1_0_3, NULL);
	want_adr_param();
	t_mac_profile(&mac);
	t_mac_exchange(&mac);
	parameter_is("adr_ack_limit_exp", "ADRParamSetupReq",
		     "\"desired\":3,\"confirmed\":6,\"state\":\"not_known_to_version\",\"tries\":0,"
		     "\"next_in_uplinks\":0");
	struct lw_eui64 nobody = lw_eui64_from_number(99);
	t_false("a device that is not known", ns_mac_report(ns, &nobody, stderr));
	t_mac_close(&mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_answer_is_lost),
		t_test(an_answer_is_repeated),
		t_test(the_server_restarts_between_question_and_answer),
		t_test(a_refused_frequency_is_not_asked_for_again),
		t_test(a_parameter_is_refused_and_not_its_kind),
		t_test(a_refused_time_leaves_the_count),
		t_test(a_version_is_never_asked_what_it_does_not_know),
		t_test(a_command_of_nobodys_in_the_middle),
		t_test(an_order_is_repeated_and_given_up),
		t_test(an_order_ends_with_the_rejoin),
		t_test(everything_is_wished_at_once),
		t_test(the_report_follows_a_parameter),
		t_test(complaint_20_a_device_that_never_answers_is_not_flooded),
	};
	return t_run(tests);
}
