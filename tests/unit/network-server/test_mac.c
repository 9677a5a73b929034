/* MAC commands and the parameters of the windows: what the frames on the air say, row by row. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#define BACKHAUL     (30 * US_PER_MS)
#define GATEWAY_TICK INT64_C(1000000007) /* the rig's gateways count this much apart */

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static uint8_t commands[LW_PHY_PAYLOAD_MAX];
static uint8_t commands_length;
static struct gw_ticks sent_ticks; /* gateway 1's counter at the end of the last uplink that go() sent */

enum {
	PROFILE_BOOTS_1,
	PROFILE_BOOTS_5,
	PROFILE_LATE,
	PROFILE_11,
	PROFILE_OFFSET,
	PROFILE_US_OFFSET,
	PROFILE_11_US
};

static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void late_by_a_minute(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->late_uplink_s = 60;
}

static uint8_t offset; /* of the profiles with one */

static void with_offset(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->rx1_dr_offset = offset;
}

/* Windows of its own, all of them. */
static void boots_with_other_windows(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->rx1_dr_offset = 2;
	profile->rx2_dr = 3;
	profile->rx2_freq_hz = 869100000;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_BOOTS_5, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	rig_profile(&rig, PROFILE_LATE, LW_MAC_1_0_4, "eu868", late_by_a_minute);
	rig_profile(&rig, PROFILE_11, LW_MAC_1_1_0, "eu868", boots_with_5_s);
	rig_profile(&rig, PROFILE_OFFSET, LW_MAC_1_0_4, "eu868", with_offset);
	rig_profile(&rig, PROFILE_US_OFFSET, LW_MAC_1_0_4, "us915", with_offset);
	rig_profile(&rig, PROFILE_11_US, LW_MAC_1_1_0, "us915", boots_with_5_s);
	rig_state_end(&rig);
}

/* An uplink that gateway 1 hears at once, and time for all that follows. */
static void go(const struct rig_frame *frame)
{
	uint8_t length = rig_uplink(&rig, &device, frame, phy);
	sent_ticks = (struct gw_ticks){(uint32_t)(rig.now.mono.us - BACKHAUL + GATEWAY_TICK)};
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	device.fcnt_up++;
}

static const struct gw_tx_attempt *last_attempt(void)
{
	return &rig.downlinks[rig.downlink_count - 1].attempts[0];
}

static span_us last_delay(void)
{
	return gw_ticks_since(last_attempt()->ticks, sent_ticks);
}

/* The channel's number is part of a 1.1 MIC, and several channels may have been meant. */
static void tx_ch(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile, channel, dr;
		uint32_t own_hz; /* 0, or the frequency of channel `channel`, which is defined for the row */
		uint32_t heard_hz; /* by the row's gateway */
		uint32_t ghost_hz; /* 0, or where the same gateway heard it louder */
		uint64_t gateway;
		uint32_t rx1_hz; /* 0: dropped */
	} rows[] = {
		{"channel 0", PROFILE_11, 0, 5, 0, 868100000, 0, 1, 868100000},
		{"the last default channel", PROFILE_11, 2, 5, 0, 868500000, 0, 1, 868500000},
		{"the second of two channels on one frequency", PROFILE_11, 5, 5, 868100000, 868100000, 0, 1,
		 867700000},
		{"the last channel there is", PROFILE_11, 15, 5, 868300000, 868300000, 0, 1, 867700000},
		{"a ghost is louder on a neighbouring channel", PROFILE_11, 1, 5, 0, 868300000, 868500000, 1,
		 868300000},
		{"a number that is not on this frequency", PROFILE_11, 1, 5, 0, 868100000, 0, 1, 0},
		{"a 500 kHz channel", PROFILE_11_US, 65, 4, 0, 904600000, 0, 3, 923900000},
		{"channel 10 of 64", PROFILE_11_US, 10, 3, 0, 904300000, 0, 3, 924500000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, rows[i].profile, 0x26000001, true);
		struct ns_session *session = ns_session_at(&rig.ns.sessions, 0);
		if (rows[i].own_hz) {
			struct lw_new_channel channel = {rows[i].channel, rows[i].own_hz, 0, 5};
			struct lw_channel_plan plan = *ns_session_plan(&rig.ns.sessions, session);
			t_uint("defined", 3, lw_plan_apply_new_channel(&plan, &rig.regions[0], &channel));
			t_uint("and its RX1", 3,
			       lw_plan_apply_dl_channel(&plan, &rig.regions[0], rows[i].channel, 867700000));
			t_true("kept", ns_session_set_plan(&rig.ns.sessions, session, &plan));
		}
		device.channel = rows[i].channel;
		device.dr = rows[i].dr;
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		if (rows[i].ghost_hz)
			rig_hears_on(&rig, rows[i].gateway, phy, length, 0, rows[i].ghost_hz, rows[i].dr,
				     1000);
		rig_hears_on(&rig, rows[i].gateway, phy, length, 0, rows[i].heard_hz, rows[i].dr, 500);
		rig_run(&rig, 10 * US_PER_S);
		bool good = rows[i].rx1_hz != 0;
		t_uint("event", good, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("dropped", !good, rig.ns.drops[NS_DROP_MIC]);
		t_uint("answered", good, rig.downlink_count);
		if (good && rig.downlink_count == 1) {
			t_uint("frequency", rows[i].heard_hz, rig.events[0].up_event.freq_hz);
			t_uint("RX1 of that channel", rows[i].rx1_hz, last_attempt()->freq_hz);
		}
		rig_release(&rig);
	}
}

static void rx1_data_rate(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile, offset, dr, spreading_factor;
		uint32_t bandwidth_hz;
	} rows[] = {
		{"eu868, none", PROFILE_OFFSET, 0, 5, 7, 125000},
		{"eu868, 2 below", PROFILE_OFFSET, 2, 5, 9, 125000},
		{"eu868, 5 below", PROFILE_OFFSET, 5, 5, 12, 125000},
		{"eu868, never below DR0", PROFILE_OFFSET, 5, 2, 12, 125000},
		{"us915, none", PROFILE_US_OFFSET, 0, 3, 7, 500000},
		{"us915, 2 below", PROFILE_US_OFFSET, 2, 3, 9, 500000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		offset = rows[i].offset;
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, rows[i].profile, 0x26000001, false);
		bool us = rows[i].profile == PROFILE_US_OFFSET;
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		rig_hears_on(&rig, us ? 3 : 1, phy, length, 0, us ? 903900000 : 868100000, rows[i].dr, 500);
		rig_run(&rig, 10 * US_PER_S);
		t_uint("the ACK", 1, rig.downlink_count);
		t_int("in RX1", GW_RX1, last_attempt()->window);
		t_uint("SF", rows[i].spreading_factor, last_attempt()->modulation.spreading_factor);
		t_uint("bandwidth", rows[i].bandwidth_hz, last_attempt()->modulation.bandwidth_hz);
		rig_release(&rig);
	}
	offset = 0;
}

#define SECOND INT64_C(1384000000) /* of GPS time */

/* One copy of the DeviceTimeReq, heard on SF7. */
struct clock_row {
	int64_t gps_us;  /* 0: none; else microseconds past SECOND, less one */
	int64_t wall_us; /* the bridge's clock, microseconds of GPS time past SECOND */
	bool synchronised;
	unsigned latency_ms; /* of its gateway; 0: not known */
};

static void hears_by_clock(uint64_t number, uint8_t length, const struct clock_row *clock)
{
	struct lw_eui64 eui = rig_eui(number);
	for (unsigned i = 0; clock->latency_ms && i < 4; i++)
		ns_gateway_latency(ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui)),
				   clock->latency_ms * US_PER_MS);
	struct gw_uplink uplink = {
		.gateway = eui,
		.phy_length = length,
		.freq_hz = 868100000,
		.modulation = lw_region_data_rate(&rig.regions[0], LW_UP, 5)->modulation,
		.rssi_dbm = -60,
		.has_snr = true,
		.snr_cdb = 500,
		.ticks = {(uint32_t)(rig.now.mono.us - BACKHAUL + (int64_t)number * GATEWAY_TICK)},
		.has_gps_time = clock->gps_us != 0,
		.gps_time_us = SECOND * US_PER_S + clock->gps_us - 1,
		.arrival = wall_from_gps_us(SECOND * US_PER_S + clock->wall_us),
		.wall_synchronised = clock->synchronised,
		.protocol = GW_SEMTECH_UDP_V2,
	};
	memcpy(uplink.phy, phy, length);
	ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
	rig_turn(&rig);
}

static void device_time(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct clock_row copies[2];
		bool answered;
		int32_t second; /* relative to SECOND */
		uint8_t fraction;
	} rows[] = {
		{"GPS time of the first copy",
		 {{500001, 700000, true, 0}, {0, 800000, true, 0}},
		 true,
		 0,
		 128},
		{"GPS time of the second copy",
		 {{0, 700000, true, 0}, {250001, 800000, true, 0}},
		 true,
		 0,
		 64},
		{"GPS time, and no clock is synchronised",
		 {{0, 700000, false, 0}, {750001, 800000, false, 0}},
		 true,
		 0,
		 192},
		{"GPS time is not corrected", {{500001, 0, true, 80}, {0, 0, true, 80}}, true, 0, 128},
		{"just before the next second", {{1000000, 0, true, 0}, {0, 0, true, 0}}, true, 0, 255},
		{"just under a 256th", {{3907, 0, true, 0}, {0, 0, true, 0}}, true, 0, 0},
		{"just over a 256th", {{3908, 0, true, 0}, {0, 0, true, 0}}, true, 0, 1},
		{"the bridge's clock, the way not known",
		 {{0, 500000, true, 0}, {0, 900000, true, 0}},
		 true,
		 0,
		 128},
		{"the bridge's clock less half the round trip",
		 {{0, 540000, true, 80}, {0, 900000, true, 0}},
		 true,
		 0,
		 128},
		{"half the round trip reaches into the second before",
		 {{0, 20000, true, 80}, {0, 900000, true, 0}},
		 true,
		 -1,
		 250},
		{"the second copy's clock, and its gateway's round trip",
		 {{0, 999999, false, 80}, {0, 350000, true, 200}},
		 true,
		 0,
		 64},
		{"no clock is synchronised", {{0, 500000, false, 0}, {0, 500000, false, 0}}, false, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, PROFILE_BOOTS_5, 0x26000001, false);
		uint8_t length = rig_uplink(
			&rig, &device,
			&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x0d}, .fopts_length = 1},
			phy);
		hears_by_clock(1, length, &rows[i].copies[0]);
		hears_by_clock(2, length, &rows[i].copies[1]);
		rig_run(&rig, 10 * US_PER_S);
		t_uint("event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("answered", rows[i].answered, rig.downlink_count);
		t_uint("time unknown", !rows[i].answered, rig.ns.drops[NS_DROP_TIME_UNKNOWN]);
		struct lw_frame frame;
		if (rows[i].answered &&
		    t_true("its MIC fits",
			   rig_last_downlink(&rig, &device, &frame, 0, commands, &commands_length))) {
			uint32_t second = (uint32_t)(SECOND + rows[i].second);
			const uint8_t expected[] = {0x0d,
						    (uint8_t)second,
						    (uint8_t)(second >> 8),
						    (uint8_t)(second >> 16),
						    (uint8_t)(second >> 24),
						    rows[i].fraction};
			t_bytes("DeviceTimeAns", expected, sizeof expected, commands, commands_length);
		}
		rig_release(&rig);
	}
}

static void link_check(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t dr;
		struct {
			uint64_t gateway; /* 0: no more */
			uint32_t freq_hz;
			int16_t snr_cdb;
		} copies[4];
		uint8_t margin, gateways;
	} rows[] = {
		{"the first copy is the best", 5, {{1, 868100000, 450}, {2, 868100000, -200}}, 12, 2},
		{"the second copy is the best", 5, {{1, 868100000, -200}, {2, 868100000, 450}}, 12, 2},
		{"a slower rate has more margin", 0, {{1, 868100000, -1000}}, 10, 1},
		{"under the floor", 5, {{1, 868100000, -900}}, 0, 1},
		{"one gateway heard it on two channels",
		 5,
		 {{1, 868100000, -200}, {1, 868300000, 450}},
		 12,
		 1},
		{"three copies of two gateways",
		 5,
		 {{1, 868100000, 0}, {2, 868100000, 450}, {1, 868300000, 100}},
		 12,
		 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, PROFILE_BOOTS_5, 0x26000001, false);
		uint8_t length = rig_uplink(
			&rig, &device,
			&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x02}, .fopts_length = 1},
			phy);
		for (size_t j = 0; rows[i].copies[j].gateway != 0; j++)
			rig_hears_on(&rig, rows[i].copies[j].gateway, phy, length, 0,
				     rows[i].copies[j].freq_hz, rows[i].dr, rows[i].copies[j].snr_cdb);
		rig_run(&rig, 10 * US_PER_S);
		struct lw_frame frame;
		t_true("answered", rig_last_downlink(&rig, &device, &frame, 0, commands, &commands_length));
		t_bytes("LinkCheckAns", (const uint8_t[]){0x02, rows[i].margin, rows[i].gateways}, 3,
			commands, commands_length);
		rig_release(&rig);
	}
}

/* Every one of these frames asks for an ACK and for LinkCheckAns, and its window closed long ago. */
static void late_uplink(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		uint64_t gateway;
		span_us late;
		bool twice;
		enum ns_drop expected; /* NS_ACCEPTED: an event */
	} rows[] = {
		{"through a gateway with a token", PROFILE_LATE, 1, 40 * US_PER_S, false, NS_ACCEPTED},
		{"the same once more", PROFILE_LATE, 1, 40 * US_PER_S, true, NS_DROP_FCNT_OLD},
		{"through a gateway without a token", PROFILE_LATE, 2, 40 * US_PER_S, false,
		 NS_DROP_LATE_REFUSED},
		{"older than the profile allows", PROFILE_LATE, 1, 90 * US_PER_S, false,
		 NS_DROP_LATE_REFUSED},
		{"where the profile does not allow it", PROFILE_BOOTS_5, 1, 40 * US_PER_S, false,
		 NS_DROP_FCNT_OLD},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, rows[i].profile, 0x26000001, false);
		device.fcnt_up = 20;
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
		rig_hears(&rig, 1, phy, length, 0);
		rig_hears(&rig, 2, phy, length, 0);
		rig_run(&rig, 10 * US_PER_S);
		t_uint("the one on time", 1, rig_events_of(&rig, PROTO_UP_EVENT));
		t_false("is not late", rig.events[0].up_event.late);
		device.fcnt_up = 10;
		const struct rig_frame asks = {
			.fport = 1, .confirmed = true, .fopts = (const uint8_t[]){0x02}, .fopts_length = 1};
		length = rig_uplink(&rig, &device, &asks, phy);
		for (int times = rows[i].twice ? 2 : 1; times > 0; times--) {
			rig_hears(&rig, rows[i].gateway, phy, length, rows[i].late);
			rig_run(&rig, 10 * US_PER_S);
		}
		bool event = rows[i].twice || rows[i].expected == NS_ACCEPTED;
		t_uint("events", event ? 2 : 1, rig_events_of(&rig, PROTO_UP_EVENT));
		if (event) {
			t_true("marked late", rig.events[1].up_event.late);
			t_uint("its counter", 10, rig.events[1].up_event.fcnt_up);
		}
		if (rows[i].expected != NS_ACCEPTED)
			t_uint(ns_verdict(rows[i].expected)->name, 1, rig.ns.drops[rows[i].expected]);
		t_uint("no answer", 0, rig.downlink_count);
		t_uint("the counter stays", 21, ns_session_at(&rig.ns.sessions, 0)->fcnt_up);
		t_uint("no FCntDown is spent", 0, ns_session_at(&rig.ns.sessions, 0)->n_fcnt_down);
		rig_release(&rig);
	}
}

/* A late frame's ACK bit says nothing about the confirmed downlink that came after it. */
static void late_uplink_resolves_nothing(void **state)
{
	(void)state;
	setup();
	rig_abp(&rig, &device, 1, PROFILE_LATE, 0x26000001, false);
	device.fcnt_up = 20;
	struct net_enqueue item = {.item = rig_uuid(1),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = 1,
				   .confirmed = true,
				   .encrypted = true};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
	go(&(struct rig_frame){.fport = 1});
	t_uint("the confirmed downlink", 1, rig.downlink_count);
	rig_tx_ack(&rig, GW_TX_OK);
	unsigned events = rig_events_of(&rig, PROTO_DOWNLINK_EVENT);
	device.fcnt_up = 10;
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 40 * US_PER_S);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("accepted", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("nothing is said of the item", events, rig_events_of(&rig, PROTO_DOWNLINK_EVENT));
	device.fcnt_up = 21;
	go(&(struct rig_frame){.fport = 1, .ack = true});
	t_uint("the next one does", NET_ITEM_ACKNOWLEDGED,
	       rig.events[rig.event_count - 1].downlink_event.status);
	rig_release(&rig);
}

static void rx_timing_waits_for_its_answer(void **state)
{
	(void)state;
	setup();
	rig_abp(&rig, &device, 1, PROFILE_BOOTS_1, 0x26000001, false);
	struct lw_frame frame;
	static const struct {
		const char *name;
		bool answers, restart;
		span_us delay;
		bool asked;
	} rows[] = {
		{"the request goes out a second after", false, false, US_PER_S, true},
		{"it did not arrive: still a second", false, false, US_PER_S, true},
		{"nor after a restart", false, true, US_PER_S, true},
		{"with the answer it is 5 s", true, false, 5 * US_PER_S, false},
		{"and stays so", false, false, 5 * US_PER_S, false},
		{"after a restart too", false, true, 5 * US_PER_S, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		if (rows[i].restart)
			rig_restart(&rig);
		go(&(struct rig_frame){.fport = 1,
				       .confirmed = true,
				       .fopts = (const uint8_t[]){0x08},
				       .fopts_length = rows[i].answers});
		t_uint("answered", i + 1, rig.downlink_count);
		t_int("RX1", rows[i].delay, last_delay());
		device.fcnt_up--;
		t_true("its MIC fits",
		       rig_last_downlink(&rig, &device, &frame, (uint32_t)i, commands, &commands_length));
		device.fcnt_up++;
		t_bytes("RXTimingSetupReq", (const uint8_t[]){0x08, 5}, rows[i].asked ? 2 : 0, commands,
			commands_length);
	}
	rig_release(&rig);
}

/* An answer nobody asked for changes nothing. */
static void rx_timing_answer_unasked(void **state)
{
	(void)state;
	setup();
	rig_abp(&rig, &device, 1, PROFILE_BOOTS_5, 0x26000001, false);
	go(&(struct rig_frame){
		.fport = 1, .confirmed = true, .fopts = (const uint8_t[]){0x08}, .fopts_length = 1});
	t_uint("counted", 1, rig.ns.drops[NS_DROP_MAC_UNEXPECTED]);
	t_int("RX1", 5 * US_PER_S, last_delay());
	rig_release(&rig);
}

/* ResetInd: the device is back at what its profile says it boots with. */
static void reset_ind(void **state)
{
	(void)state;
	setup();
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_11, LW_MAC_1_1_0, "eu868", boots_with_other_windows);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, PROFILE_11, 0x26000001, true);
	for (int reset = 0; reset <= 1; reset++) {
		t_row(reset ? "after ResetInd" : "before");
		go(&(struct rig_frame){.fport = 1,
				       .confirmed = true,
				       .fopts = (const uint8_t[]){0x01, 0x01},
				       .fopts_length = reset ? 2 : 0});
		size_t first = rig.downlink_count;
		t_int("RX1", 5 * US_PER_S, last_delay());
		t_uint("two below", 9, last_attempt()->modulation.spreading_factor);
		const struct ns_session *session = ns_session_at(&rig.ns.sessions, 0);
		t_uint("RX2's data rate", 3, session->rx2_dr);
		t_uint("RX2's frequency", 869100000, session->rx2_freq_hz);
		t_uint("answered", (unsigned)reset + 1, first);
	}
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(tx_ch),
		t_test(rx1_data_rate),
		t_test(device_time),
		t_test(link_check),
		t_test(late_uplink),
		t_test(late_uplink_resolves_nothing),
		t_test(rx_timing_waits_for_its_answer),
		t_test(rx_timing_answer_unasked),
		t_test(reset_ind),
	};
	return t_run(tests);
}
