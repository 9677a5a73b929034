/* What is recorded of uplinks: each verdict with its numbers, of whom, and how often. */
#include "tests/harness/harness.h"
#include "tests/harness/network_why.h"

#include "common/base/hex.h"
#include "common/lorawan/join_frame.h"
#include "network-server/why/explain.h"

#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX], phy_length;

enum { PROFILE_103, PROFILE_104, PROFILE_RESET, PROFILE_LATE };

static void reset(struct net_profile *profile)
{
	profile->allow_fcnt_reset = true;
}

static void late(struct net_profile *profile)
{
	profile->late_uplink_s = 600;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_104, LW_MAC_1_0_4, "eu868", NULL);
	rig_profile(&rig, PROFILE_RESET, LW_MAC_1_0_3, "eu868", reset);
	rig_profile(&rig, PROFILE_LATE, LW_MAC_1_0_4, "eu868", late);
	rig_state_end(&rig);
}

static void registered(uint8_t profile)
{
	rig_abp(&rig, &device, 1, profile, 0x26000001, false);
}

static void expects(uint32_t fcnt_up)
{
	ns_session_at(&rig.ns.sessions, 0)->fcnt_up = fcnt_up;
}

static void send_by(uint32_t fcnt, uint8_t content, uint64_t gateway)
{
	device.fcnt_up = fcnt;
	phy_length = rig_uplink(&rig, &device,
				&(struct rig_frame){.fport = 1, .payload = &content, .length = 1}, phy);
	rig_hears(&rig, gateway, phy, phy_length, 0);
	rig_run(&rig, 10 * US_PER_S);
}

static void send(uint32_t fcnt, uint8_t content)
{
	send_by(fcnt, content, 1);
}

static void two_gateways_hear(void)
{
	registered(PROFILE_104);
	device.fcnt_up = 3;
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears_on(&rig, 1, phy, phy_length, 0, 868100000, 4, -725);
	rig_hears_on(&rig, 2, phy, phy_length, 0, 868100000, 4, -300);
	rig_run(&rig, 10 * US_PER_S);
}

/* At DR0 of eu868 a frame has 59 bytes of MACPayload at most: 51 of payload. */
static void heard_at_dr0(uint8_t length)
{
	static const uint8_t payload[64] = {1};
	registered(PROFILE_104);
	device.fcnt_up = 3;
	phy_length = rig_uplink(&rig, &device,
				&(struct rig_frame){.fport = 1, .payload = payload, .length = length}, phy);
	rig_hears_on(&rig, 1, phy, phy_length, 0, 868100000, 0, -300);
	rig_run(&rig, 10 * US_PER_S);
}

static void as_long_as_may_be(void)
{
	heard_at_dr0(51);
}

static void a_byte_too_long(void)
{
	heard_at_dr0(52);
}

static void an_old_counter(void)
{
	registered(PROFILE_103);
	expects(6);
	send(3, 1);
}

static void a_gap(void)
{
	registered(PROFILE_103);
	expects(6);
	send(20000, 1);
}

static void a_restart(void)
{
	registered(PROFILE_103);
	expects(500);
	send(0, 1);
}

static void an_allowed_restart(void)
{
	registered(PROFILE_RESET);
	expects(500);
	send(0, 1);
}

static void a_repeat(void)
{
	registered(PROFILE_104);
	send(4, 1);
	send(4, 1);
}

static void repeats(void)
{
	for (unsigned i = 0; i < 9; i++)
		a_repeat();
}

static void not_enabled(void)
{
	registered(PROFILE_104);
	ns_device_at(&rig.ns.sessions, 0)->flags = NS_DEVICE_ABP;
	send(7, 1);
}

static void another_key(void)
{
	registered(PROFILE_104);
	device.keys.f_nwk_s_int_key.bytes[0] ^= 1;
	send(7, 1);
}

static void another_key_of_two(void)
{
	struct rig_device second;
	rig_abp(&rig, &second, 2, PROFILE_104, 0x26000001, false);
	another_key();
}

static void no_session(void)
{
	registered(PROFILE_104);
	device.dev_addr.value = 0x26000002;
	send_by(9, 1, 2);
}

static void another_region(void)
{
	registered(PROFILE_104);
	send_by(7, 1, 3);
}

static void no_data_rate(void)
{
	registered(PROFILE_104);
	device.fcnt_up = 0;
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	struct gw_uplink odd = {.gateway = rig_eui(1),
				.phy_length = phy_length,
				.freq_hz = 868100000,
				.modulation = {LW_LORA, 6, 500000, 0, 0, "4/5"}};
	memcpy(odd.phy, phy, phy_length);
	ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &odd);
	rig_run(&rig, 10 * US_PER_S);
}

static void a_full_journal(void)
{
	registered(PROFILE_104);
	rig.ns.journal.disk_low = true;
	rig.ns.journal.limit = UINT64_C(64) << 20;
	send(7, 1);
}

static void a_late_frame(void)
{
	registered(PROFILE_LATE);
	expects(20);
	send(10, 1);
}

static void a_late_frame_of_whom(void)
{
	registered(PROFILE_LATE);
	expects(20);
	send_by(10, 1, 2); /* a gateway without a token */
}

static void an_unknown_command(void)
{
	registered(PROFILE_104);
	phy_length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x02, 0x7e, 1}, .fopts_length = 3},
		phy);
	rig_hears(&rig, 1, phy, phy_length, 0);
	rig_run(&rig, 10 * US_PER_S);
}

static void an_answer_to_nothing(void)
{
	registered(PROFILE_104);
	phy_length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x03, 0x07}, .fopts_length = 2},
		phy);
	rig_hears(&rig, 1, phy, phy_length, 0);
	rig_run(&rig, 10 * US_PER_S);
}

static void no_time(void)
{
	registered(PROFILE_104);
	phy_length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x0d}, .fopts_length = 1}, phy);
	struct gw_uplink heard = {.gateway = rig_eui(1),
				  .phy_length = phy_length,
				  .freq_hz = 868100000,
				  .modulation = lw_region_data_rate(&rig.regions[0], LW_UP, 5)->modulation};
	memcpy(heard.phy, phy, phy_length);
	ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &heard);
	rig_run(&rig, 10 * US_PER_S);
}

static void a_join_of_nobody(void)
{
	static const uint8_t request[LW_JOIN_REQUEST_LENGTH] = {
		0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0, 0, 0, 0, 0, 0, 0, 0x67, 0x12, 1, 2, 3, 4};
	const struct lw_eui64 join_eui = {{0, 0, 0, 0, 0, 0, 0, 1}};
	registered(PROFILE_104);
	(void)ns_foreign_add_join_eui(&rig.ns.foreign, &join_eui);
	rig_hears(&rig, 1, request, sizeof request, 0);
}

static const struct {
	const char *name;
	void (*happens)(void);
	const char *about; /* NULL: the device */
	const char *verdict, *numbers;
} rows[] = {
	{"accepted", two_gateways_hear, NULL, "uplink", "fcnt:3,dr:4,gateways:2,snr_db:-3,rssi_dbm:-62"},
	{"as long as its data rate allows", as_long_as_may_be, NULL, "uplink_too_long", "nothing"},
	{"a byte longer", a_byte_too_long, NULL, "uplink_too_long", "fcnt:3,length:60,dr:0,most:59"},
	{"and it is accepted", a_byte_too_long, NULL, "uplink",
	 "fcnt:3,dr:0,gateways:1,snr_db:-3,rssi_dbm:-61"},
	{"an old counter", an_old_counter, NULL, "fcnt_old", "fcnt:3,expected:6"},
	{"a gap", a_gap, NULL, "fcnt_gap", "fcnt:20000,limit:16384,expected:6"},
	{"a restart", a_restart, NULL, "fcnt_reset", "fcnt:0,expected:500"},
	{"an allowed restart", an_allowed_restart, NULL, "counters_restarted", "fcnt:0,expected:500"},
	{"and it is accepted", an_allowed_restart, NULL, "uplink",
	 "fcnt:0,dr:5,gateways:1,snr_db:7,rssi_dbm:-61"},
	{"a repeat", a_repeat, NULL, "repeated", "fcnt:4,answers:1,limit:15"},
	{"one repeat too many", repeats, NULL, "repeat_limit", "fcnt:4,answers:15,limit:15"},
	{"not approved", not_enabled, NULL, "device_disabled", "number:7"},
	{"another key, and one session", another_key, NULL, "mic", "sessions:1,dev_addr:26000001,fcnt:7"},
	{"another key, and two sessions", another_key_of_two, "server", "mic",
	 "sessions:2,dev_addr:26000001,fcnt:7"},
	{"no session", no_session, "server", "unknown_dev_addr", "dev_addr:26000002,fcnt:9,snr_db:6"},
	{"no session, by its address", no_session, "addr:26000002", "unknown_dev_addr",
	 "dev_addr:26000002,fcnt:9,snr_db:6"},
	{"another region", another_region, NULL, "region",
	 "gateway_region:us915,device_region:eu868,dev_addr:26000001"},
	{"no data rate", no_data_rate, NULL, "data_rate",
	 "sf:6,bandwidth_khz:500,freq_hz:868100000,region:eu868"},
	{"the disk is full", a_full_journal, NULL, "journal_full",
	 "used_mb:0,limit_mb:64,floor:the floor of free disk space"},
	{"a late frame", a_late_frame, NULL, "uplink_late", "fcnt:10,dr:5,snr_db:7,rssi_dbm:-61,gateways:1"},
	{"a late frame of a gateway without a token", a_late_frame_of_whom, NULL, "late_refused",
	 "fcnt:10,age_s:0,limit_s:600"},
	{"an unknown command", an_unknown_command, NULL, "mac_unknown", "cid:0x7e,length:3"},
	{"an answer to nothing", an_answer_to_nothing, NULL, "mac_unexpected", "cid:0x03"},
	{"no clock", no_time, NULL, "time_unknown", "cid:0x0d,receptions:1"},
	{"what the gateway heard last", an_old_counter, "gateway:0000000000000001", "accepted",
	 "freq_hz:868100000,rssi_dbm:-61,snr_db:7,length:14"},
	{"what the gateway heard last, of no session", no_session, "gateway:0000000000000002",
	 "unknown_dev_addr", "dev_addr:26000002,fcnt:9,snr_db:6"},
	{"what the gateway heard last, a join of nobody's", a_join_of_nobody, "gateway:0000000000000001",
	 "join_unknown_device", "dev_eui:00000000000000aa,dev_nonce:4711"},
};

static void verdicts_have_their_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rows[i].happens();
		const char *about = rows[i].about;
		t_str(rows[i].verdict, rows[i].numbers,
		      about ? rig_decided(&rig, about, rows[i].verdict)
			    : rig_decided_of_device(&rig, rows[i].verdict));
		rig_release(&rig);
	}
}

static void frames_are_found_by_their_mic(void **state)
{
	(void)state;
	setup();
	an_old_counter();
	char about[16] = "frame:";
	for (unsigned i = 0; i < 4; i++)
		snprintf(about + 6 + 2 * i, 3, "%02x", phy[phy_length - 4 + i]);
	t_str("the frame", "fcnt_old", rig_verdicts(&rig, about));
	t_str("another", "", rig_verdicts(&rig, "frame:01020304"));
	char *text = rig_why(&rig, about, 20);
	t_true("names its device", strstr(text, "\"device\":\"") != NULL);
	t_true("and its gateway", strstr(text, "\"gateway\":\"") != NULL);
	t_true("and itself", strstr(text, about + 6) != NULL);
	free(text);
	rig_release(&rig);
}

/* A newer frame whose MIC falls on the same place hides an older one; not from who knows whose it was. */
static void a_hidden_frame_is_found_by_its_device(void **state)
{
	(void)state;
	setup();
	an_old_counter();
	char mic[16], about[48], eui[LW_EUI64_TEXT];
	hex_encode(mic, phy + phy_length - 4, 4);
	uint32_t ref = decision_ref(phy + phy_length - 4);
	*decision_bucket(&rig.ns.decisions, DECISION_ABOUT_FRAME, ref) = 0;
	snprintf(about, sizeof about, "frame:%s", mic);
	/* Its gateway's last reception still tells that it was heard. */
	t_str("hidden by its MIC alone", "accepted", rig_verdicts(&rig, about));
	snprintf(about, sizeof about, "frame:%s@26000001", mic);
	t_str("found by its address", "fcnt_old", rig_verdicts(&rig, about));
	lw_eui64_format(eui, &device.dev_eui);
	snprintf(about, sizeof about, "frame:%s@%s", mic, eui);
	t_str("found by its device", "fcnt_old", rig_verdicts(&rig, about));
	snprintf(about, sizeof about, "frame:%s@26000009", mic);
	t_str("not as another's", "accepted", rig_verdicts(&rig, about));
	rig_release(&rig);
}

/* Which rules the summary of an answer calls problems. */
static void rules_have_their_kinds(void **state)
{
	const struct {
		const char *name;
		const struct decision_rule *rule;
		enum decision_kind kind;
	} kinds[] = {
		{"accepted", &ns_note_rules[NS_NOTE_UPLINK], DECISION_GOOD},
		{"an address without a session", &ns_drop_rules_up[NS_DROP_UNKNOWN_DEV_ADDR],
		 DECISION_PROBLEM},
		{"another key", &ns_drop_rules_up[NS_DROP_MIC], DECISION_PROBLEM},
		{"a late copy", &ns_drop_rules_up[NS_DROP_LATE_COPY], DECISION_GOING},
		{"a request to the device", &ns_mac_rules[ns_mac_rule(NS_MAC_LINK_ADR, NS_MAC_ASKED)],
		 DECISION_GOING},
		{"that it refused", &ns_mac_rules[ns_mac_rule(NS_MAC_LINK_ADR, NS_MAC_WAS_REFUSED)],
		 DECISION_GOING},
		{"an item that waits", &ns_item_note_rules[NS_ITEM_NOTE_HELD], DECISION_GOING},
		{"an item that failed", &ns_item_note_rules[NS_ITEM_NOTE_FAILED], DECISION_PROBLEM},
		{"an attempt that was late", &ns_drop_rules_down[NS_DROP_TX_TOO_LATE - NS_DROP_SECOND],
		 DECISION_GOING},
		{"no attempt left", &ns_drop_rules_down[NS_DROP_ATTEMPTS_SPENT - NS_DROP_SECOND],
		 DECISION_PROBLEM},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		t_str(kinds[i].name, decision_kind_name(kinds[i].kind),
		      decision_kind_name(kinds[i].rule->kind));
}

/* Invariant 12: neighbours' frames leave nothing, copies one record of their gateway. */
static void foreign_frames_and_copies_leave_no_record(void **state)
{
	(void)state;
	setup();
	registered(PROFILE_104);
	uint64_t before = rig.ns.decisions.added;
	device.dev_addr.value = 0x48000001;
	for (uint32_t i = 0; i < 10; i++)
		send(i, 1);
	memset(phy, 0, sizeof phy);
	for (uint8_t i = 0; i < 10; i++) {
		phy[17] = i;
		rig_hears(&rig, 1, phy, 23, 0);
	}
	t_uint("of foreign frames a gateway's number", before + 1, rig.ns.decisions.added);
	t_str("of their gateway", "hears_others", rig_verdicts(&rig, "gateway:0000000000000001"));
	t_str("how many", "receptions:20", rig_decided(&rig, "gateway:0000000000000001", "hears_others"));
	char *text = rig_why(&rig, "gateway:0000000000000001", 20);
	t_false("no address, no MIC", strstr(text, "48000001") || strstr(text, "\"frame\""));
	free(text);
	device.dev_addr.value = 0x26000001;
	device.fcnt_up = 1;
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	for (int i = 0; i < 3; i++)
		rig_hears(&rig, 2, phy, phy_length, 0);
	rig_run(&rig, 10 * US_PER_S);
	char about[32] = "device:";
	lw_eui64_format(about + 7, &device.dev_eui);
	t_str("of three copies",
	      "downlink_sent_silently downlink_planned mac_rx_timing_setup_asked uplink session_abp",
	      rig_verdicts(&rig, about));
	t_str("of the gateway", "downlink_sent_silently copy",
	      rig_verdicts(&rig, "gateway:0000000000000002"));
	rig_hears(&rig, 1, phy, phy_length, 0);
	t_str("a frame of ours ends the row", "accepted", rig_verdicts(&rig, "gateway:0000000000000001"));
	device.dev_addr.value = 0x48000001;
	send(99, 1);
	t_str("which begins anew", "receptions:1",
	      rig_decided(&rig, "gateway:0000000000000001", "hears_others"));
	rig_release(&rig);
}

static void an_unknown_address_is_told_once(void **state)
{
	(void)state;
	setup();
	registered(PROFILE_104);
	device.dev_addr.value = 0x26000002;
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, phy_length, 0);
	rig_hears(&rig, 2, phy, phy_length, 0);
	t_uint("both were dropped", 2, rig.ns.drops[NS_DROP_UNKNOWN_DEV_ADDR]);
	t_str("one record", "unknown_dev_addr", rig_verdicts(&rig, "server"));
	rig_release(&rig);
}

static void who_is_removed_is_forgotten(void **state)
{
	(void)state;
	setup();
	an_old_counter();
	char mic[16] = "frame:";
	for (unsigned i = 0; i < 4; i++)
		snprintf(mic + 6 + 2 * i, 3, "%02x", phy[phy_length - 4 + i]);
	rig_state_begin(&rig, false);
	struct net_device gone = {.version = ++rig.version, .dev_eui = device.dev_eui, .deleted = true};
	ns_on_device(&rig.ns, rig.now, &gone);
	struct net_gateway gateway = {
		.version = ++rig.version, .gateway = {.eui = rig_eui(1)}, .deleted = true};
	ns_on_gateway(&rig.ns, rig.now, &gateway);
	rig_state_end(&rig);
	char about[32] = "device:";
	lw_eui64_format(about + 7, &device.dev_eui);
	t_str("the device", "", rig_verdicts(&rig, about));
	t_str("its frame", "", rig_verdicts(&rig, mic));
	rig_abp(&rig, &device, 9, PROFILE_104, 0x26000009, false);
	t_uint("in the same slot", 0, ns_device_find(&rig.ns.sessions, &device.dev_eui));
	lw_eui64_format(about + 7, &device.dev_eui);
	t_str("who comes after inherits nothing", "session_abp", rig_verdicts(&rig, about));
	rig_release(&rig);
}

/* A gateway in the slot of another is not named by records from before. */
static void another_gateway_of_the_slot_is_not_named(void **state)
{
	(void)state;
	setup();
	an_old_counter();
	rig_state_begin(&rig, false);
	struct net_gateway gateway = {
		.version = ++rig.version, .gateway = {.eui = rig_eui(1)}, .deleted = true};
	ns_on_gateway(&rig.ns, rig.now, &gateway);
	rig_gateway(&rig, 5, "eu868", false);
	rig_state_end(&rig);
	struct lw_eui64 five = rig_eui(5);
	t_uint("in the same slot", 0, ns_gateways_find(&rig.ns.gateways, &five));
	char about[32] = "device:";
	lw_eui64_format(about + 7, &device.dev_eui);
	char *text = rig_why(&rig, about, 20);
	t_true("the record stands", strstr(text, "fcnt_old") != NULL);
	t_false("and names no gateway", strstr(text, "\"gateway\"") != NULL);
	free(text);
	rig_release(&rig);
}

static void answers_are_bounded(void **state)
{
	(void)state;
	setup();
	registered(PROFILE_104);
	for (uint32_t i = 1; i <= 300; i++)
		send(i, 1);
	char about[32] = "device:";
	lw_eui64_format(about + 7, &device.dev_eui);
	char *text = rig_why(&rig, about, 2);
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, "\"verdict\":")); at++)
		count++;
	t_uint("as many as were asked for", 2, count);
	free(text);
	text = rig_why(&rig, about, 5000);
	count = 0;
	for (const char *at = text; (at = strstr(at, "\"verdict\":")); at++)
		count++;
	t_uint("never more", NS_WHY_LIMIT_MAX, count);
	free(text);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(verdicts_have_their_numbers),
		t_test(frames_are_found_by_their_mic),
		t_test(a_hidden_frame_is_found_by_its_device),
		t_test(rules_have_their_kinds),
		t_test(foreign_frames_and_copies_leave_no_record),
		t_test(an_unknown_address_is_told_once),
		t_test(who_is_removed_is_forgotten),
		t_test(another_gateway_of_the_slot_is_not_named),
		t_test(answers_are_bounded),
	};
	return t_run(tests);
}
