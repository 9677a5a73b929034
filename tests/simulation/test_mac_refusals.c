/* Devices that refuse all that an answer can refuse, or that answer nothing, in every version and both kinds of regions: what
 * they are sent is counted over many uplinks. What was refused is not asked again until something else is wanted, and where
 * there is always something else (a device that changes its data rate by itself), ever more seldom. */
#include "network-server/mac/report.h"
#include "tests/harness/harness.h"
#include "tests/harness/mac_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE 20  /* exchanges in which refusals may be found out */
#define LONG   200 /* exchanges that are counted */

static struct t_mac mac;
static struct sim_device *const device = &mac.region.device;
static struct net_profile *const profile = &mac.region.profile;
static struct ns *const ns = &mac.region.rig.ns;

static void refuses(struct sim_device_config *config)
{
	config->mac_fault = SIM_MAC_REFUSES;
}

static void refuses_with_adr(struct sim_device_config *config)
{
	config->mac_fault = SIM_MAC_REFUSES;
	config->adr = true;
}

static void is_mute(struct sim_device_config *config)
{
	config->mac_fault = SIM_MAC_MUTE;
}

/* --- how many frames --- */

static void wish_for_everything(const char *region)
{
	if (strcmp(region, "eu868") == 0) {
		t_region_extra(&mac.region, "867.1 867.3/869.1 867.5");
		profile->beacon_freq_hz = 868300000;
	}
	profile->rx1_dr_offset = 1;
	profile->rejoin_time_exp = 4;
	profile->ping_slot_dr = 10;
	t_mac_profile(&mac);
}

/* Frames in the long run, where nobody asks the server for an answer. */
static uint64_t frames_in_the_long_run(bool wanders)
{
	t_mac_exchanges(&mac, SETTLE);
	uint64_t before = ns->downlinks_sent;
	for (unsigned i = 0; i < LONG; i++) {
		if (wanders)
			device->dr = (uint8_t)(i % 4);
		t_mac_exchange(&mac);
	}
	return ns->downlinks_sent - before;
}

static void a_device_that_refuses_is_not_flooded(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		bool abp, wanders;
		void (*device)(struct sim_device_config *config);
		uint64_t most;
	} rows[] = {
		{"eu868", "eu868", false, false, refuses, 0},
		{"eu868, changes its data rate", "eu868", false, true, refuses, 0},
		{"eu868, ADR: it asks for an answer at times", "eu868", false, false, refuses_with_adr, 5},
		{"us915", "us915", false, false, refuses, 0},
		{"us915, changes its data rate", "us915", false, true, refuses, LONG / 20},
		{"us915, ABP", "us915", true, false, refuses, 0},
		{"us915, ABP, changes its data rate", "us915", true, true, refuses, LONG / 20},
		{"us915, ADR", "us915", false, false, refuses_with_adr, 5},
		{"us915, ADR, changes its data rate", "us915", false, true, refuses_with_adr, LONG / 20},
		{"us915, answers nothing", "us915", true, true, is_mute, LONG / 8},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int version = 0; version < LW_MAC_VERSION_COUNT; version++) {
			char name[96];
			snprintf(name, sizeof name, "%s, %s", rows[i].name,
				 lw_mac_version_name((enum lw_mac_version)version));
			t_row(name);
			t_mac_open(&mac, &(struct t_mac_setup){.region = rows[i].region,
							       .version = (enum lw_mac_version)version,
							       .abp = rows[i].abp,
							       .device = rows[i].device});
			wish_for_everything(rows[i].region);
			uint64_t frames = frames_in_the_long_run(rows[i].wanders);
			t_true("frames", frames <= rows[i].most);
			t_mac_close(&mac);
		}
}

/* What a device took in the end is asked without a pause again: its refusals of before do not stand against it. */
static void who_comes_to_take_something_is_asked_at_once(void **state)
{
	(void)state;
	t_mac_open(&mac,
		   &(struct t_mac_setup){.region = "us915", .version = LW_MAC_1_0_2, .device = refuses});
	(void)frames_in_the_long_run(true);
	const struct ns_mac_state *kept = &t_mac_session(&mac)->mac;
	t_true("pauses", kept->tries[NS_MAC_LINK_ADR] > 5);
	device->config.mac_fault = SIM_MAC_SOUND;
	for (unsigned i = 0; i < NS_MAC_WAIT_MAX + 2 && t_mac_session(&mac)->flags & NS_SESSION_SETTLE; i++) {
		device->dr = (uint8_t)(i % 4);
		t_mac_exchange(&mac);
	}
	t_false("settled", t_mac_session(&mac)->flags & NS_SESSION_SETTLE);
	t_uint("no pause", 0, t_mac_session(&mac)->mac.tries[NS_MAC_LINK_ADR]);
	t_mac_close(&mac);
}

/* A device that hears nothing repeats its answer with every uplink: it is sent a downlink for it each time at first, then now and
 * then, for it may be out of reach. */
static void an_answer_that_is_repeated_for_ever_is_not_answered_for_ever(void **state)
{
	(void)state;
	t_mac_open(&mac, &(struct t_mac_setup){.version = LW_MAC_1_0_4});
	t_mac_exchanges(&mac, 3);
	profile->rx1_dr_offset = 2;
	t_mac_profile(&mac);
	t_mac_exchange(&mac);
	t_uint("asked", 1, t_mac_asked(&mac, NS_MAC_RX_PARAM_SETUP));
	uint64_t before = ns->downlinks_sent;
	device->miss_downlinks = NS_MAC_STICKY;
	t_mac_exchanges(&mac, NS_MAC_STICKY);
	t_uint("one each", before + NS_MAC_STICKY, ns->downlinks_sent);
	device->miss_downlinks = 160;
	t_mac_exchanges(&mac, 160);
	t_uint("every sixteenth", before + NS_MAC_STICKY + 10, ns->downlinks_sent);
	device->miss_downlinks = 0;
	t_mac_exchanges(&mac, NS_MAC_STICKY_EVERY + 1);
	t_uint("the device is done with it", 0, device->answer_count);
	t_uint("and the server", 0, t_mac_session(&mac)->mac.sticky);
	t_uint("asked once", 1, t_mac_asked(&mac, NS_MAC_RX_PARAM_SETUP));
	t_mac_close(&mac);
}

/* --- wishes that come back --- */

static struct sim_plan narrow;

static void built_narrow(struct sim_device_config *config)
{
	narrow = *config->plan;
	narrow.max_hz = 869600000;
	config->plan = &narrow;
}

static void want_freqs(uint32_t freq_hz)
{
	profile->rx2_freq_hz = profile->beacon_freq_hz = profile->ping_slot_freq_hz = freq_hz;
	t_mac_profile(&mac);
	t_mac_exchanges(&mac, 6);
}

/* What was refused is asked again after something else was wanted and had. */
static void a_wish_that_comes_back_is_asked_again(void **state)
{
	(void)state;
	static const enum ns_mac_kind kinds[] = {NS_MAC_RX_PARAM_SETUP, NS_MAC_BEACON_FREQ,
						 NS_MAC_PING_SLOT_CHANNEL};
	t_mac_open(&mac, &(struct t_mac_setup){.version = LW_MAC_1_0_4, .device = built_narrow});
	want_freqs(869800000);
	want_freqs(869100000);
	narrow.max_hz = 870000000;
	want_freqs(869800000);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		t_row(ns_mac_kind_name(kinds[i]));
		t_uint("asked", 3, t_mac_asked(&mac, kinds[i]));
		t_uint("refused", 1, ns->mac_counts[kinds[i]].refused);
		t_uint("taken", 2, ns->mac_counts[kinds[i]].taken);
	}
	t_uint("RX2", 869800000, t_mac_session(&mac)->rx2_freq_hz);
	t_mac_close(&mac);
}

/* --- what an engineer is told of it --- */

static void state_is(const char *name, const char *expected)
{
	char *report = NULL, key[64], got[32] = "none";
	size_t length = 0;
	FILE *out = open_memstream(&report, &length);
	assert_non_null(out);
	struct lw_eui64 dev_eui = lw_eui64_from_number(T_DEV_EUI);
	t_true("a report", ns_mac_report(ns, &dev_eui, out));
	fclose(out);
	snprintf(key, sizeof key, "{\"name\":\"%s\",", name);
	const char *at = strstr(report, key);
	at = at ? strstr(at, "\"state\":\"") : NULL;
	if (at)
		snprintf(got, sizeof got, "%.*s", (int)strcspn(at + 9, "\""), at + 9);
	t_str(name, expected, got);
	free(report);
}

static void the_report_says_refused_and_not_due(void **state)
{
	(void)state;
	t_mac_open(&mac,
		   &(struct t_mac_setup){.region = "us915", .version = LW_MAC_1_0_2, .device = refuses});
	wish_for_everything("us915");
	t_mac_exchanges(&mac, SETTLE);
	state_is("channels", "refused");
	state_is("rx1_dr_offset", "refused");
	t_mac_close(&mac);
	t_mac_open(&mac, &(struct t_mac_setup){.version = LW_MAC_1_0_4, .device = refuses});
	wish_for_everything("eu868");
	t_mac_exchanges(&mac, SETTLE);
	state_is("channel_3_freq_hz", "refused");
	state_is("beacon_freq_hz", "refused");
	t_mac_close(&mac);
}

/* It names another part than the one that was new: the same request is not made again, and the report says why. */
static void the_report_says_refused_of_what_was_refused_together(void **state)
{
	(void)state;
	t_mac_open(&mac, &(struct t_mac_setup){.version = LW_MAC_1_0_4, .device = is_mute});
	t_mac_exchanges(&mac, 3);
	profile->rx1_dr_offset = 2;
	t_mac_profile(&mac);
	state_is("rx1_dr_offset", "due");
	t_mac_exchange(&mac);
	state_is("rx1_dr_offset", "asked");
	device->answers[0] = (struct sim_answer){.bytes = {LW_CID_RX_PARAM_SETUP, 6}, .length = 2};
	device->answer_count = 1;
	t_mac_exchanges(&mac, SETTLE);
	t_uint("asked once", 1, t_mac_asked(&mac, NS_MAC_RX_PARAM_SETUP));
	state_is("rx1_dr_offset", "refused");
	t_mac_close(&mac);
}

/* RX1 at the channel's own frequency is said as that frequency, whether a plan names it or not. */
static void the_report_names_where_rx1_is(void **state)
{
	(void)state;
	t_mac_open(&mac, &(struct t_mac_setup){.version = LW_MAC_1_0_4, .extra = "867.1/869.1"});
	t_mac_exchanges(&mac, SETTLE);
	state_is("channel_3_rx1_freq_hz", "agreed");
	t_region_extra(&mac.region, "867.1");
	state_is("channel_3_rx1_freq_hz", "due");
	t_mac_exchanges(&mac, SETTLE);
	t_uint("both are back", 867100000, device->channels[3].down_freq_hz);
	state_is("channel_3_rx1_freq_hz", "agreed");
	t_mac_close(&mac);
}

/* A device of 1.1 without the keys of 1.1 is asked as one of 1.0.4, and the report says so. */
static void the_report_follows_the_sessions_version(void **state)
{
	(void)state;
	t_mac_open(&mac, &(struct t_mac_setup){.version = LW_MAC_1_0_4});
	profile->adr_ack_limit_exp = 3;
	t_mac_profile(&mac);
	t_mac_session(&mac)->mac_version = LW_MAC_1_1_0;
	t_mac_exchanges(&mac, 3);
	t_uint("not asked", 0, t_mac_asked(&mac, NS_MAC_ADR_PARAM_SETUP));
	state_is("adr_ack_limit_exp", "not_known_to_version");
	t_mac_close(&mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_device_that_refuses_is_not_flooded),
		t_test(who_comes_to_take_something_is_asked_at_once),
		t_test(an_answer_that_is_repeated_for_ever_is_not_answered_for_ever),
		t_test(a_wish_that_comes_back_is_asked_again),
		t_test(the_report_says_refused_and_not_due),
		t_test(the_report_says_refused_of_what_was_refused_together),
		t_test(the_report_names_where_rx1_is),
		t_test(the_report_follows_the_sessions_version),
	};
	return t_run(tests);
}
