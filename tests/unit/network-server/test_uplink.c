/* One data frame through all its steps: which are accepted, which dropped and under what name, and what is answered. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/mac_command.h"

static struct rig rig;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static uint8_t commands[LW_PHY_PAYLOAD_MAX];
static uint8_t commands_length;

enum { PROFILE_103, PROFILE_104, PROFILE_RESET, PROFILE_LATE, PROFILE_11, PROFILE_US };

static void allow_reset(struct net_profile *profile)
{
	profile->allow_fcnt_reset = true;
}

static void allow_late(struct net_profile *profile)
{
	profile->late_uplink_s = 3600;
}

static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_104, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	rig_profile(&rig, PROFILE_RESET, LW_MAC_1_0_3, "eu868", allow_reset);
	rig_profile(&rig, PROFILE_LATE, LW_MAC_1_0_4, "eu868", allow_late);
	rig_profile(&rig, PROFILE_11, LW_MAC_1_1_0, "eu868", boots_with_5_s);
	rig_profile(&rig, PROFILE_US, LW_MAC_1_0_3, "us915", boots_with_5_s);
	rig_state_end(&rig);
}

static void send(struct rig_device *device, uint32_t fcnt, const struct rig_frame *frame)
{
	device->fcnt_up = fcnt;
	uint8_t length = rig_uplink(&rig, device, frame, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
}

/* Counters: a first frame, a second one, what becomes of the second. */
static const struct row {
	const char *name;
	uint8_t profile;
	uint32_t first, second;
	bool other_content;
	enum ns_drop expected; /* NS_ACCEPTED: an event */
} rows[] = {
	{"the next counter", PROFILE_103, 0, 1, true, NS_ACCEPTED},
	{"counter 0 is a counter", PROFILE_103, 0, 0, false, NS_DROP_REPEATED},
	{"same counter, same bytes: a repeat", PROFILE_103, 5, 5, false, NS_DROP_REPEATED},
	{"same counter, other bytes", PROFILE_103, 5, 5, true, NS_DROP_FCNT_OLD},
	{"an older counter", PROFILE_103, 5, 3, true, NS_DROP_FCNT_OLD},
	{"ten are missing", PROFILE_103, 5, 16, true, NS_ACCEPTED},
	{"16,385 are missing", PROFILE_103, 5, 5 + 16386, true, NS_DROP_FCNT_GAP},
	{"16,385 are missing and the version allows it", PROFILE_104, 5, 5 + 16386, true, NS_ACCEPTED},
	{"40,000 are missing and the version allows it", PROFILE_104, 5, 40005, true, NS_ACCEPTED},
	{"past 16 bits", PROFILE_104, 65535, 65536, true, NS_ACCEPTED},
	{"a restart where it is not allowed", PROFILE_103, 500, 0, true, NS_DROP_FCNT_RESET},
	{"a restart where it is allowed", PROFILE_RESET, 500, 0, true, NS_ACCEPTED},
	{"a restart past 16 bits", PROFILE_RESET, 70000, 0, true, NS_ACCEPTED},
	{"a late frame where the profile allows it", PROFILE_LATE, 20, 10, true, NS_ACCEPTED},
	{"a late frame beyond the last 128", PROFILE_LATE, 200, 10, true, NS_DROP_FCNT_OLD},
	{"a late frame that was seen", PROFILE_LATE, 20, 20, true, NS_DROP_FCNT_OLD},
};

static void counters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		struct rig_device device;
		rig_abp(&rig, &device, 1, rows[i].profile, 0x26000001, false);
		ns_session_at(&rig.ns.sessions, 0)->fcnt_up = rows[i].first; /* so that 65,535 is no gap */
		send(&device, rows[i].first,
		     &(struct rig_frame){.fport = 1, .payload = (const uint8_t[]){1}, .length = 1});
		t_uint("first", 1, rig_events_of(&rig, PROTO_UP_EVENT));
		struct rig_frame second = {
			.fport = 1, .payload = (const uint8_t[]){rows[i].other_content ? 2 : 1}, .length = 1};
		send(&device, rows[i].second, &second);
		bool accepted = rows[i].expected == NS_ACCEPTED;
		t_uint("events", accepted ? 2 : 1, rig_events_of(&rig, PROTO_UP_EVENT));
		if (accepted)
			t_uint("counter", rows[i].second, rig.events[1].up_event.fcnt_up);
		else
			t_uint(ns_verdict(rows[i].expected)->name, 1, rig.ns.drops[rows[i].expected]);
		t_uint("no counter twice", 0, rig.counters_repeated);
		rig_release(&rig);
	}
}

static void what_is_dropped_and_why(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int change; /* which step below */
		enum ns_drop expected;
	} drops[] = {
		{"another key", 1, NS_DROP_MIC},
		{"no session of this address", 2, NS_DROP_UNKNOWN_DEV_ADDR},
		{"another network's address", 3, NS_DROP_FOREIGN_DEV_ADDR},
		{"a gateway nobody registered", 4, NS_DROP_UNKNOWN_GATEWAY},
		{"a gateway of another region", 5, NS_DROP_REGION},
		{"a bad CRC", 6, NS_DROP_CRC},
		{"cut short", 7, NS_DROP_MALFORMED},
		{"a downlink", 8, NS_DROP_DOWNLINK_FRAME},
		{"proprietary", 9, NS_DROP_PROPRIETARY},
		{"another major version", 10, NS_DROP_MALFORMED},
		{"the journal is at its limit", 11, NS_DROP_JOURNAL_FULL},
		{"the disk is nearly full", 12, NS_DROP_JOURNAL_FULL},
		{"the device is not approved", 13, NS_DROP_DEVICE_DISABLED},
		{"another device stands in its place", 16, NS_DROP_DEVICE_REPLACED},
		{"a rejoin-request of nobody's", 14, NS_DROP_FOREIGN_REJOIN},
		{"an unknown JoinEUI", 15, NS_DROP_FOREIGN_JOIN_EUI},
	};
	for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
		setup();
		t_row(drops[i].name);
		struct rig_device device;
		rig_abp(&rig, &device, 1, PROFILE_104, 0x26000001, false);
		int change = drops[i].change;
		if (change == 1)
			device.keys.f_nwk_s_int_key.bytes[0] ^= 1;
		if (change == 2)
			device.dev_addr.value = 0x26000002;
		if (change == 3)
			device.dev_addr.value = 0x48000001;
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		if (change == 7)
			length = 11;
		if (change == 8)
			phy[0] = 0x60;
		if (change == 9)
			phy[0] = 0xe0;
		if (change == 10)
			phy[0] |= 1;
		if (change == 11)
			rig.ns.journal.bytes = rig.ns.journal.limit;
		if (change == 12)
			rig.ns.journal.disk_low = true;
		if (change == 13)
			ns_device_at(&rig.ns.sessions, 0)->flags = NS_DEVICE_ABP;
		if (change == 16)
			ns_device_at(&rig.ns.sessions, 0)->flags = NS_DEVICE_ABP | NS_DEVICE_REPLACED;
		if (change == 14) {
			length = 19;
			phy[0] = 0xc0;
			phy[1] = 0;
		}
		if (change == 15) {
			memset(phy, 0, sizeof phy);
			length = 23;
		}
		if (change == 6) {
			struct gw_uplink bad = {
				.gateway = rig_eui(1), .phy_length = length, .crc = GW_CRC_BAD};
			memcpy(bad.phy, phy, length);
			ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &bad);
		} else {
			rig_hears(&rig, change == 4 ? 9 : change == 5 ? 3 : 1, phy, length, 0);
		}
		rig_run(&rig, 10 * US_PER_S);
		t_uint(ns_verdict(drops[i].expected)->name, 1, rig.ns.drops[drops[i].expected]);
		t_uint("no event", 0, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("no answer", 0, rig.downlink_count);
		t_uint("the counter has not moved", 0, ns_session_at(&rig.ns.sessions, 0)->fcnt_up);
		rig_release(&rig);
	}
}

static void the_repeat_after_a_full_journal_is_accepted(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_104, 0x26000001, false);
	rig.ns.journal.disk_low = true;
	send(&device, 0, &(struct rig_frame){.fport = 1, .confirmed = true});
	rig.ns.journal.disk_low = false;
	send(&device, 0, &(struct rig_frame){.fport = 1, .confirmed = true});
	t_uint("event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("ACK", 1, rig.downlink_count);
	rig_release(&rig);
}

/* A device that lost its memory: from then on its new counters are the ones that last, though greater ones are still in the
 * journal; what it sent is not taken as another restart. */
static void a_restart_outlasts_a_crash(void **state)
{
	(void)state;
	struct rig_device device;
	const struct rig_frame frame = {.fport = 1, .payload = (const uint8_t *)"r", .length = 1};
	setup();
	rig_abp(&rig, &device, 1, PROFILE_RESET, 0x26000001, false);
	send(&device, 500, &frame);
	send(&device, 0, &frame);
	t_uint("both are events", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	rig_restart(&rig);
	t_uint("its counter", 1, ns_session_at(&rig.ns.sessions, 0)->fcnt_up);
	send(&device, 0, &frame);
	t_uint("the same frame is a repeat", 1, rig.ns.drops[NS_DROP_REPEATED]);
	t_uint("and no event", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	send(&device, 1, &frame);
	t_uint("the next is one", 3, rig_events_of(&rig, PROTO_UP_EVENT));
	rig_release(&rig);
}

static void several_devices_share_an_address(void **state)
{
	(void)state;
	setup();
	struct rig_device devices[5];
	for (unsigned i = 0; i < 5; i++)
		rig_abp(&rig, &devices[i], i + 1, PROFILE_104, 0x26000001, false);
	for (unsigned i = 0; i < 5; i++) {
		send(&devices[i], i * 7, &(struct rig_frame){.fport = 1});
		t_bytes("whose", devices[i].dev_eui.bytes, 8, rig.events[i].up_event.head.dev_eui.bytes, 8);
	}
	rig_release(&rig);
}

static void first_downlink(const char *name, const struct rig_device *device, uint32_t fcnt)
{
	struct lw_frame frame;
	t_row(name);
	t_uint("one downlink", 1, rig.downlink_count);
	t_true("its MIC fits", rig_last_downlink(&rig, device, &frame, fcnt, commands, &commands_length));
}

static void link_check_and_device_time(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_104, 0x26000001, false);
	uint8_t length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x02, 0x0d}, .fopts_length = 2},
		phy);
	int64_t sent = gps_us_from_wall(rig.now.wall);
	rig_hears_on(&rig, 1, phy, length, 0, 868100000, 5, 450);
	rig_hears_on(&rig, 2, phy, length, 0, 868100000, 5, -200);
	rig_run(&rig, 10 * US_PER_S);
	first_downlink("LinkCheckAns and DeviceTimeAns", &device, 0);
	uint32_t seconds = (uint32_t)(sent / US_PER_S);
	const uint8_t expected[] = {0x02,
				    12,
				    2,
				    0x0d,
				    (uint8_t)seconds,
				    (uint8_t)(seconds >> 8),
				    (uint8_t)(seconds >> 16),
				    (uint8_t)(seconds >> 24),
				    (uint8_t)(sent % US_PER_S * 256 / US_PER_S)};
	t_bytes("commands", expected, sizeof expected, commands, commands_length);
	rig_release(&rig);
}

static void ghost_on_a_neighbouring_channel(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_104, 0x26000001, false);
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868500000, 5, 1000); /* the ghost, stronger there */
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 5, 900);
	rig_hears_on(&rig, 2, phy, length, 0, 868300000, 5, -300);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("frequency that most heard", 868300000, rig.events[0].up_event.freq_hz);
	t_uint("RX1 there", 868300000, rig.downlinks[0].attempts[0].freq_hz);
	t_uint("gateways", 2, rig.events[0].up_event.gateway_count);
	t_uint("receptions", 3, rig.events[0].up_event.reception_count);
	rig_release(&rig);
}

static void abp_reaches_rx_delay_5(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_103, 0x26000001, false);
	t_uint("boots with", 1, ns_session_at(&rig.ns.sessions, 0)->rx_delay_s);
	send(&device, 0, &(struct rig_frame){.fport = 1});
	first_downlink("RXTimingSetupReq", &device, 0);
	t_bytes("command", (const uint8_t[]){0x08, 5}, 2, commands, commands_length);
	rig_restart(&rig); /* after a crash the answer still finds its question */
	send(&device, 1,
	     &(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x08}, .fopts_length = 1});
	t_uint("now", 5, ns_session_at(&rig.ns.sessions, 0)->rx_delay_s);
	t_uint("a downlink ends the repeated answer", 2, rig.downlink_count);
	send(&device, 2, &(struct rig_frame){.fport = 1});
	t_uint("and then there is peace", 2, rig.downlink_count);
	t_uint("no counter twice", 0, rig.counters_repeated);
	rig_release(&rig);
}

static void us915_device_is_settled(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_US, 0x26000001, false);
	device.dr = 3;
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .adr = true}, phy);
	rig_hears(&rig, 3, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	first_downlink("LinkADRReq for sub-band 2", &device, 0);
	const uint8_t expected[] = {0x03, 0x30, 0x02, 0x00, 0x71, 0x03, 0x30, 0x00, 0xff, 0x01};
	t_bytes("block", expected, sizeof expected, commands, commands_length);
	/* Channel 8 is 903.9 MHz: RX1 on downlink channel 0. */
	t_uint("RX1", 923300000, rig.downlinks[0].attempts[0].freq_hz);
	device.fcnt_up++;
	length = rig_uplink(&rig, &device,
			    &(struct rig_frame){.fport = 1,
						.adr = true,
						.fopts = (const uint8_t[]){0x03, 0x07, 0x03, 0x07},
						.fopts_length = 4},
			    phy);
	rig_hears(&rig, 3, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	const struct ns_session *session = ns_session_at(&rig.ns.sessions, 0);
	t_uint("channels", 9, lw_mask_count(&ns_session_plan(&rig.ns.sessions, session)->enabled));
	t_true("500 kHz", lw_mask_get(&ns_session_plan(&rig.ns.sessions, session)->enabled, 65));
	t_uint("no more requests", 1, rig.downlink_count);
	rig_release(&rig);
}

static void session_of_1_1(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_11, 0x26000001, true);
	device.channel = 0;
	device.dr = 5;
	send(&device, 0,
	     &(struct rig_frame){.fport = 1,
				 .confirmed = true,
				 .fopts = (const uint8_t[]){0x01, 0x01},
				 .fopts_length = 2});
	t_uint("event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	first_downlink("ResetConf, ciphered, under NFCntDown", &device, 0);
	t_bytes("command", (const uint8_t[]){0x01, 0x01}, 2, commands, commands_length);
	/* The device repeats on another channel: its MIC is another, the frame is the same. */
	device.channel = 1;
	uint8_t length = rig_uplink(&rig, &device,
				    &(struct rig_frame){.fport = 1,
							.confirmed = true,
							.fopts = (const uint8_t[]){0x01, 0x01},
							.fopts_length = 2},
				    phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 5, 500);
	rig_run(&rig, 10 * US_PER_S);
	t_row("the repeat on another channel");
	t_uint("still one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("answered again", 2, rig.downlink_count);
	device.channel = 2; /* but heard on channel 1's frequency */
	device.fcnt_up = 1;
	length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 5, 500);
	rig_run(&rig, 10 * US_PER_S);
	t_row("a MIC made for another channel");
	t_uint("dropped", 1, rig.ns.drops[NS_DROP_MIC]);
	rig_release(&rig);
}

static void acknowledged_only_after_the_window(void **state)
{
	(void)state;
	setup();
	struct rig_device device;
	rig_abp(&rig, &device, 1, PROFILE_104, 0x26000001, false);
	rig_run(&rig, 5 * US_PER_S);
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	uint64_t seq = rig.seq;
	rig_run(&rig, 150 * US_PER_MS);
	t_true("not while the window is open", rig.acked_seq < seq);
	rig_run(&rig, US_PER_S);
	t_uint("after it", seq, rig.acked_seq);
	t_uint("event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(counters),
		t_test(what_is_dropped_and_why),
		t_test(the_repeat_after_a_full_journal_is_accepted),
		t_test(a_restart_outlasts_a_crash),
		t_test(several_devices_share_an_address),
		t_test(link_check_and_device_time),
		t_test(ghost_on_a_neighbouring_channel),
		t_test(abp_reaches_rx_delay_5),
		t_test(us915_device_is_settled),
		t_test(session_of_1_1),
		t_test(acknowledged_only_after_the_window),
	};
	return t_run(tests);
}
