/* The simulated device's rules one by one (the published vectors: test_device_vectors.c): windows, answers to MAC commands, joins,
 * back-offs, duty cycle. */
#include "simulator/device.h"
#include "simulator/device_parts.h"

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mac_command.h"

#include "tests/harness/harness.h"

#include <string.h>

#define S INT64_C(1000000)

struct stand {
	struct sim_device device;
	struct sim_record last[SIM_RECORD_KIND_COUNT];
	unsigned counts[SIM_RECORD_KIND_COUNT];
	struct sim_uplink uplink;
	int64_t now_us;
};

static struct aes *aes;
static struct stand stand;

static void keep(void *ctx, const struct sim_record *record)
{
	struct stand *kept = ctx;
	kept->last[record->kind] = *record;
	kept->counts[record->kind]++;
}

static struct sim_device_config config_of(const char *region, enum lw_mac_version version,
					  enum sim_activation activation)
{
	struct sim_device_config config = {.plan = sim_plan_find(region),
					   .mac_version = version,
					   .activation = activation,
					   .interval_us = 100 * S,
					   .payload = SIM_PAYLOAD_COUNTER,
					   .fport = 10,
					   .adr = true,
					   .dev_addr = {0x01000042}};
	config.dr = config.plan->usual_dr;
	return config;
}

static void set_up(const struct sim_device_config *config)
{
	memset(&stand, 0, sizeof stand);
	sim_device_init(&stand.device, config, 0, aes, 7, (struct sim_sink){keep, &stand});
}

/* Ticks the device at its own deadlines until it sends; false if it has not by `until_us`. */
static bool sends(int64_t until_us)
{
	while (sim_device_next_us(&stand.device) <= until_us) {
		stand.now_us = sim_device_next_us(&stand.device);
		if (sim_device_tick(&stand.device, stand.now_us, &stand.uplink))
			return true;
	}
	return false;
}

/* A downlink as the window asks for it. */
static struct sim_downlink in_window(int window)
{
	uint8_t dr = window == 1 ? stand.device.rx1_dr : stand.device.window_rx2_dr;
	const struct sim_rate *rate = &stand.device.config.plan->rates[dr];
	int64_t start_us = window == 1 ? stand.device.rx1_us : stand.device.rx2_us;
	return (struct sim_downlink){.start_us = start_us,
				     .end_us = start_us + 50000,
				     .freq_hz = window == 1 ? stand.device.rx1_freq_hz
							    : stand.device.window_rx2_freq_hz,
				     .spreading_factor = rate->spreading_factor,
				     .bandwidth_hz = rate->bandwidth_hz,
				     .inverted = true};
}

static enum sim_down_result hears(int window, const uint8_t *phy, size_t length)
{
	struct sim_downlink downlink = in_window(window);
	t_true("listens", sim_device_listens(&stand.device, &downlink));
	return sim_device_receive(&stand.device, downlink.end_us, 500, phy, length);
}

/* --- windows ------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int window;
	int64_t off_us;
	int32_t off_hz;
	int off_sf;
	bool upright;
	bool heard;
} windows[] = {
	{"RX1 on time", 1, 0, 0, 0, false, true},
	{"RX1 10 ms early", 1, -10000, 0, 0, false, true},
	{"RX1 10 ms late", 1, 10000, 0, 0, false, true},
	{"RX1 a microsecond too early", 1, -10001, 0, 0, false, false},
	{"RX1 a microsecond too late", 1, 10001, 0, 0, false, false},
	{"RX1 on the next channel", 1, 0, 200000, 0, false, false},
	{"RX1 at another rate", 1, 0, 0, 1, false, false},
	{"RX1 without inverted polarity", 1, 0, 0, 0, true, false},
	{"RX2 on time", 2, 0, 0, 0, false, true},
	{"RX2 10 ms late", 2, 10000, 0, 0, false, true},
	{"RX2 a microsecond too late", 2, 10001, 0, 0, false, false},
	{"RX2 at another rate", 2, 0, 0, -1, false, false},
	{"RX2 a second early", 2, -1000000, 0, 0, false, false},
};

static void windows_open_and_close(void **state)
{
	(void)state;
	static const char *const regions[] = {"eu868", "us915"};
	for (size_t r = 0; r < ARRAY_SIZE(regions); r++) {
		for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
			struct sim_device_config config = config_of(regions[r], LW_MAC_1_0_4, SIM_ABP);
			set_up(&config);
			t_row(windows[i].name);
			t_true("sends", sends(S));
			struct sim_downlink downlink = in_window(windows[i].window);
			downlink.start_us += windows[i].off_us;
			downlink.freq_hz += (uint32_t)windows[i].off_hz;
			downlink.spreading_factor = (uint8_t)(downlink.spreading_factor + windows[i].off_sf);
			downlink.inverted = !windows[i].upright;
			t_true(regions[r], sim_device_listens(&stand.device, &downlink) == windows[i].heard);
		}
	}
}

static void window_times_and_places(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("eu868", LW_MAC_1_0_4, SIM_ABP);
	config.rx_delay_s = 3;
	set_up(&config);
	t_row("data in eu868, RECEIVE_DELAY1 3 s");
	t_true("sends", sends(S));
	t_int("RX1", stand.uplink.end_us + 3 * S, stand.device.rx1_us);
	t_int("RX2", stand.uplink.end_us + 4 * S, stand.device.rx2_us);
	t_uint("RX1 on the uplink's channel", stand.uplink.freq_hz, stand.device.rx1_freq_hz);
	t_uint("RX2", 869525000, stand.device.window_rx2_freq_hz);
	config = config_of("us915", LW_MAC_1_0_4, SIM_OTAA);
	config.rx_delay_s = 3;
	config.sub_band = 2;
	set_up(&config);
	t_row("a join in us915");
	t_true("sends", sends(S));
	t_int("RX1 after 5 s", stand.uplink.end_us + 5 * S, stand.device.rx1_us);
	t_int("RX2 after 6 s", stand.uplink.end_us + 6 * S, stand.device.rx2_us);
	uint32_t channel = (stand.uplink.freq_hz - 902300000) / 200000;
	t_uint("RX1 frequency", 923300000 + 600000 * (channel % 8), stand.device.rx1_freq_hz);
	t_uint("RX1 rate", 10, stand.device.rx1_dr);
	t_row("a frame for another device in RX1 leaves RX2 open");
	static const uint8_t other[17] = {0x20, 1, 2, 3};
	t_int("result", SIM_DOWN_MIC, hears(1, other, sizeof other));
	struct sim_downlink second = in_window(2);
	t_true("RX2", sim_device_listens(&stand.device, &second));
	sim_device_lost(&stand.device, second.end_us);
	t_int("is over then", second.end_us, sim_device_next_us(&stand.device));
}

/* --- MAC commands -------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *region;
	enum lw_mac_version version;
	bool no_adr;
	const char *down, *up;
} commands[] = {
	{"LinkADRReq", "eu868", LW_MAC_1_0_4, false, "0351070001", "0307"},
	{"LinkADRReq for a channel that is not defined", "eu868", LW_MAC_1_0_4, false, "0351070101", "0306"},
	{"LinkADRReq for a power that it has not", "eu868", LW_MAC_1_0_4, false, "0358070001", "0303"},
	{"LinkADRReq for a rate that it has not", "eu868", LW_MAC_1_0_4, false, "0380070001", "0305"},
	{"LinkADRReq with no channel left", "eu868", LW_MAC_1_0_4, false, "0350000001", "0304"},
	{"LinkADRReq with a ChMaskCntl that is reserved", "eu868", LW_MAC_1_0_4, false, "0350070011", "0306"},
	{"LinkADRReq with all defined channels", "eu868", LW_MAC_1_0_4, false, "0350000061", "0307"},
	{"LinkADRReq 0xF keeps, from 1.0.4 on", "eu868", LW_MAC_1_0_4, false, "03ff070001", "0307"},
	{"LinkADRReq 0xF is a number before", "eu868", LW_MAC_1_0_3, false, "03ff070001", "0301"},
	{"two LinkADRReq, 1.0.4", "us915", LW_MAC_1_0_4, false, "033f0200710333 00ff01", "03070307"},
	{"two LinkADRReq, 1.1", "us915", LW_MAC_1_1_0, false, "033f020071033300ff01", "0307"},
	{"two LinkADRReq, 1.0.2", "us915", LW_MAC_1_0_2, false, "0330020071033000ff01", "03070307"},
	{"two LinkADRReq, 1.0.1: the first alone leaves no channel for DR3", "us915", LW_MAC_1_0_1, false,
	 "0330020071033000ff01", "03050307"},
	{"two LinkADRReq, the second's ChMaskCntl without sense, 1.0.2: both are refused", "eu868",
	 LW_MAC_1_0_2, false,
	 "0350070001"
	 "0350070011",
	 "03060306"},
	{"LinkADRReq by banks", "us915", LW_MAC_1_0_4, false, "033f020051", "0307"},
	{"LinkADRReq without ADR: the mask alone", "eu868", LW_MAC_1_0_4, true, "0351010001", "0301"},
	{"DutyCycleReq", "eu868", LW_MAC_1_0_4, false, "0405", "04"},
	{"RXParamSetupReq", "eu868", LW_MAC_1_0_4, false, "0513d2ad84", "0507"},
	{"RXParamSetupReq with offset 7", "eu868", LW_MAC_1_0_4, false, "0570d2ad84", "0503"},
	{"RXParamSetupReq with an uplink's rate", "us915", LW_MAC_1_0_4, false, "050308688c", "0505"},
	{"RXParamSetupReq on 433 MHz", "eu868", LW_MAC_1_0_4, false, "0500a81242", "0506"},
	{"DevStatusReq", "eu868", LW_MAC_1_0_4, false, "06", "06e600"},
	{"NewChannelReq", "eu868", LW_MAC_1_0_4, false, "0703184f8450", "0703"},
	{"NewChannelReq for a default channel", "eu868", LW_MAC_1_0_4, false, "0700184f8450", "0700"},
	{"NewChannelReq with FSK", "eu868", LW_MAC_1_0_4, false, "0703184f8477", "0701"},
	{"NewChannelReq in a fixed plan", "us915", LW_MAC_1_0_4, false, "0703184f8450", ""},
	{"RXTimingSetupReq", "eu868", LW_MAC_1_0_4, false, "0803", "08"},
	{"TxParamSetupReq means nothing here", "eu868", LW_MAC_1_0_4, false, "0900", ""},
	{"DlChannelReq", "eu868", LW_MAC_1_0_4, false, "0a01184f84", "0a03"},
	{"DlChannelReq for a channel that is not defined", "eu868", LW_MAC_1_0_4, false, "0a05184f84",
	 "0a01"},
	{"ADRParamSetupReq in 1.1", "eu868", LW_MAC_1_1_0, false, "0c55", "0c"},
	{"ADRParamSetupReq before", "eu868", LW_MAC_1_0_4, false, "0c55", ""},
	{"RejoinParamSetupReq in 1.1", "eu868", LW_MAC_1_1_0, false, "0f00", "0f01"},
	{"several, answered in their order", "eu868", LW_MAC_1_0_4, false, "060803040506",
	 "06e600080406e600"},
	{"what follows an unknown command is not read", "eu868", LW_MAC_1_0_4, false, "0680 06", "06e600"},
};

static void commands_are_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct sim_device_config config = config_of(commands[i].region, commands[i].version,
							    SIM_OTAA);
		char clean[64];
		size_t at = 0, length = 0, expected_length = 0;
		uint8_t down[64], expected[64], up[64];
		config.adr = !commands[i].no_adr;
		set_up(&config);
		for (const char *c = commands[i].down; *c != '\0'; c++) {
			if (*c != ' ')
				clean[at++] = *c;
		}
		t_row(commands[i].name);
		t_true("hex", hex_decode(down, sizeof down, &length, clean, at));
		t_true("hex", hex_decode(expected, sizeof expected, &expected_length, commands[i].up,
					 strlen(commands[i].up)));
		sim_device_apply_commands(&stand.device, 0, down, length);
		size_t got = sim_device_write_commands(&stand.device, up, sizeof up);
		t_bytes("answers", expected, expected_length, up, got);
	}
}

static void devices_that_are_not_as_specified(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum sim_mac_fault fault;
		const char *down, *up;
		uint8_t power;
	} rows[] = {
		{"takes no power but the highest", SIM_MAC_REFUSES_POWER, "0351070001", "0303", 0},
		{"but the highest", SIM_MAC_REFUSES_POWER, "0350070001", "0307", 0},
		{"answers twice", SIM_MAC_DOUBLES_LINK_ADR, "0351070001", "03070307", 1},
		{"neither does nor answers", SIM_MAC_MUTE, "0351070001040506", "", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct sim_device_config config = config_of("eu868", LW_MAC_1_0_4, SIM_OTAA);
		uint8_t down[64], expected[64], up[64];
		size_t length = 0, expected_length = 0;
		config.adr = true;
		config.mac_fault = rows[i].fault;
		set_up(&config);
		t_true("hex", hex_decode(down, sizeof down, &length, rows[i].down, strlen(rows[i].down)));
		t_true("hex", hex_decode(expected, sizeof expected, &expected_length, rows[i].up,
					 strlen(rows[i].up)));
		sim_device_apply_commands(&stand.device, 0, down, length);
		size_t got = sim_device_write_commands(&stand.device, up, sizeof up);
		t_bytes("answers", expected, expected_length, up, got);
		t_uint("power", rows[i].power, stand.device.power_index);
	}
}

static void commands_take_effect(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("us915", LW_MAC_1_0_4, SIM_ABP);
	set_up(&config);
	sim_device_apply_commands(&stand.device, 0,
				  (const uint8_t *)"\x03\x23\x02\x00\x72\x03\x23\x00\xff\x02", 10);
	t_row("one sub-band, DR2, power 3, NbTrans 2");
	unsigned enabled = 0;
	for (size_t i = 0; i < 72; i++)
		enabled += stand.device.channels[i].enabled;
	t_uint("channels", 9, enabled);
	t_true("8, 15 and 65", stand.device.channels[8].enabled && stand.device.channels[15].enabled &&
				       stand.device.channels[65].enabled);
	t_int("dr", 2, stand.device.dr);
	t_int("NbTrans", 2, stand.device.nb_trans);
	t_true("sends", sends(S));
	t_int("SF8", 8, stand.uplink.spreading_factor);
	t_int("24 dBm", 24, (int)stand.uplink.eirp_dbm);
	t_true("and again", sends(10 * S));
	t_int("the second attempt", 2, stand.last[SIM_RECORD_UPLINK].attempt);
	t_int("of the same frame", 0, (int)stand.last[SIM_RECORD_UPLINK].fcnt);
	config = config_of("eu868", LW_MAC_1_0_4, SIM_ABP);
	set_up(&config);
	t_row("DlChannelReq and RXParamSetupReq move the windows");
	for (uint8_t channel = 0; channel < 3; channel++)
		sim_device_apply_commands(&stand.device, 0,
					  (const uint8_t[]){0x0a, channel, 0x18, 0x4f, 0x84}, 5);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x05\x23\xe8\x56\x84", 5);
	t_true("sends", sends(S));
	t_uint("RX1", 867100000, stand.device.rx1_freq_hz);
	t_uint("RX1 rate is two lower", 3, stand.device.rx1_dr);
	t_uint("RX2", 867300000, stand.device.window_rx2_freq_hz);
	t_uint("RX2 rate", 3, stand.device.window_rx2_dr);
	t_row("RXParamSetupReq with one bad part changes nothing");
	set_up(&config);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x05\x13\x00\xa8\x12", 5);
	t_true("sends", sends(S));
	t_uint("RX1 rate", stand.device.tx_dr, stand.device.rx1_dr);
	t_uint("RX2", 869525000, stand.device.window_rx2_freq_hz);
	t_row("RXTimingSetupReq 0 is one second");
	set_up(&config);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x08\x00", 2);
	t_true("sends", sends(S));
	t_int("RX1", stand.uplink.end_us + S, stand.device.rx1_us);
	t_row("DutyCycleReq 1/32 over all bands");
	set_up(&config);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x04\x05", 2);
	t_true("sends", sends(S));
	t_int("rests 31 airtimes", stand.uplink.end_us + 31 * (stand.uplink.end_us - stand.uplink.start_us),
	      stand.device.duty_free_us);
}

/* TS001 5.11: the time of the end of the uplink that asked, however late the answer is. */
static void device_time_is_that_of_the_uplinks_end(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("eu868", LW_MAC_1_0_4, SIM_ABP);
	set_up(&config);
	t_true("sends", sends(S));
	int64_t end_us = stand.uplink.end_us;
	t_row("the answer in either window says the same");
	for (int64_t later_us = S; later_us <= 2 * S; later_us += S) {
		/* 1,400,000,000.5 s of GPS time */
		sim_device_apply_commands(&stand.device, end_us + later_us,
					  (const uint8_t *)"\x0d\x00\x4e\x72\x53\x80", 6);
		t_true("has time", stand.device.has_time);
		t_int("offset", INT64_C(1400000000500000) - end_us, stand.device.gps_offset_us);
	}
}

static void commands_that_do_not_fit(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("us915", LW_MAC_1_0_4, SIM_ABP);
	config.dr = 0; /* 11 bytes of payload */
	set_up(&config);
	for (int i = 0; i < 3; i++)
		sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x06", 1);
	t_row("9 bytes of answers and 4 of payload at DR0");
	t_true("sends", sends(S));
	t_int("the answers go first, on port 0", 0, stand.last[SIM_RECORD_UPLINK].fport);
	t_int("length", 9, stand.last[SIM_RECORD_UPLINK].length);
	t_true("sends", sends(20 * S));
	t_int("then the reading", 10, stand.last[SIM_RECORD_UPLINK].fport);
	t_true("counted once", stand.last[SIM_RECORD_UPLINK].reading && stand.device.readings == 1);
}

/* --- joins, back-offs ---------------------------------------------------------------------------------------- */

static void joins_alternate_and_back_off(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("us915", LW_MAC_1_0_4, SIM_OTAA);
	set_up(&config);
	t_row("us915: 125 kHz and 500 kHz by turns");
	uint32_t narrow = 0, wide = 0;
	bool seen[72] = {false};
	for (int i = 0; i < 40; i++) {
		t_true("sends", sends(INT64_MAX - 1));
		t_int("DevNonce counts up", i + 1, stand.last[SIM_RECORD_JOIN_REQUEST].dev_nonce);
		bool is_wide = stand.uplink.bandwidth_hz == 500000;
		t_true("by turns", is_wide == (i % 2 == 1));
		t_int("factor", is_wide ? 8 : 10, stand.uplink.spreading_factor);
		seen[is_wide ? 64 + (stand.uplink.freq_hz - 903000000) / 1600000
			     : (stand.uplink.freq_hz - 902300000) / 200000] = true;
		narrow += !is_wide;
		wide += is_wide;
	}
	uint32_t channels = 0;
	for (size_t i = 0; i < 72; i++)
		channels += seen[i];
	t_true("hops over many channels", channels > 15);
	t_uint("as many", narrow, wide);
	config = config_of("eu868", LW_MAC_1_0_3, SIM_OTAA);
	set_up(&config);
	t_row("eu868, 1.0.3: lower rates, random nonces, and rest when the hour's 36 s are spent");
	int64_t airtime_us = 0;
	uint16_t first = 0, second = 0;
	for (int i = 0; i < 100; i++) {
		sends(INT64_MAX - 1);
		if (i == 0)
			first = stand.last[SIM_RECORD_JOIN_REQUEST].dev_nonce;
		if (i == 1)
			second = stand.last[SIM_RECORD_JOIN_REQUEST].dev_nonce;
		if (stand.uplink.end_us < 3600 * S)
			airtime_us += stand.uplink.end_us - stand.uplink.start_us;
	}
	t_true("nonces are no counter", second != (uint16_t)(first + 1));
	t_int("slowest rate in the end", 12, stand.uplink.spreading_factor);
	t_true("36 s at most", airtime_us <= 36 * S && airtime_us > 34 * S);
	t_true("later than the first hour", stand.now_us > 3600 * S);
	t_row("a DevNonce counter that is used up");
	config = config_of("eu868", LW_MAC_1_0_4, SIM_OTAA);
	config.first_dev_nonce = 0xfffe;
	set_up(&config);
	t_true("the last one", sends(10 * S));
	t_uint("nonce", 0xffff, stand.last[SIM_RECORD_JOIN_REQUEST].dev_nonce);
	t_false("and no more", sends(INT64_MAX - 1));
}

static void adr_back_off(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("us915", LW_MAC_1_0_4, SIM_ABP);
	config.interval_us = 5 * S;
	set_up(&config);
	stand.device.power_index = 4;
	t_row("nothing is ever heard");
	for (int i = 1; i <= 240; i++) {
		sends(INT64_MAX - 1);
		struct lw_frame frame;
		t_int("parsed", LW_OK, lw_frame_parse(&frame, stand.uplink.phy, stand.uplink.length, LW_UP));
		t_int("ADRACKReq after 64", i > 64, frame.fctrl.adr_ack_req);
		t_int("full power after 96", i > 96 ? 30 : 22, (int)stand.uplink.eirp_dbm);
		int lower = i > 128 ? (i - 129) / 32 + 1 : 0;
		t_int("then a rate lower every 32", 7 + (lower > 3 ? 3 : lower),
		      stand.uplink.spreading_factor);
	}
}

static void duty_cycle(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("eu868", LW_MAC_1_0_4, SIM_ABP);
	config.dr = 0;
	config.interval_us = 3 * S;
	set_up(&config);
	int64_t airtime_us = 0;
	t_row("eu868, SF12 every 3 s is more than 1 %");
	while (sends(3600 * S))
		airtime_us += stand.uplink.end_us - stand.uplink.start_us;
	t_true("1 % of the hour, and one frame", airtime_us > 34 * S && airtime_us < 38 * S);
}

static void a_band_rests_to_the_microsecond(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("eu868", LW_MAC_1_0_4, SIM_ABP);
	config.interval_us = S / 100;
	set_up(&config);
	t_row("the default channels share a band of 1 %");
	t_true("sends", sends(S));
	int64_t airtime_us = stand.uplink.end_us - stand.uplink.start_us, end_us = stand.uplink.end_us;
	t_true("again", sends(3600 * S));
	t_int("after 99 airtimes", end_us + 99 * airtime_us, stand.uplink.start_us);
}

static void confirmed_frames_of_old_devices_slow_down(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("eu868", LW_MAC_1_0_2, SIM_ABP);
	config.confirmed_every = 1;
	config.interval_us = 10000 * S;
	set_up(&config);
	t_row("one rate every second attempt, of eight");
	static const uint8_t factors[] = {7, 7, 8, 8, 9, 9, 10, 10};
	for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
		t_true("sends", sends(9000 * S));
		t_uint("attempt", i + 1, stand.last[SIM_RECORD_UPLINK].attempt);
		t_uint("factor", factors[i], stand.uplink.spreading_factor);
	}
}

static void repeated_answers(void **state)
{
	(void)state;
	struct sim_device_config config = config_of("eu868", LW_MAC_1_0_4, SIM_ABP);
	uint8_t out[16];
	set_up(&config);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x06\x08\x02", 3);
	t_row("DevStatusAns goes once, RXTimingSetupAns until a downlink");
	t_uint("both", 4, sim_device_write_commands(&stand.device, out, sizeof out));
	sim_device_answers_sent(&stand.device);
	t_uint("the sticky one", 1, sim_device_write_commands(&stand.device, out, sizeof out));
	t_int("is RXTimingSetupAns", 0x08, out[0]);
	sim_device_answers_sent(&stand.device);
	t_uint("again", 1, sim_device_write_commands(&stand.device, out, sizeof out));
	sim_device_answers_heard(&stand.device);
	t_uint("no more", 0, sim_device_write_commands(&stand.device, out, sizeof out));
	config = config_of("eu868", LW_MAC_1_1_0, SIM_ABP);
	set_up(&config);
	t_row("ResetInd of 1.1 ABP until ResetConf");
	t_uint("ResetInd", 2, sim_device_write_commands(&stand.device, out, sizeof out));
	t_int("is ResetInd", 0x01, out[0]);
	sim_device_answers_heard(&stand.device);
	t_uint("again", 2, sim_device_write_commands(&stand.device, out, sizeof out));
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x01\x01", 2);
	t_uint("no more", 0, sim_device_write_commands(&stand.device, out, sizeof out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(windows_open_and_close),
		t_test(window_times_and_places),
		t_test(commands_are_answered),
		t_test(devices_that_are_not_as_specified),
		t_test(commands_take_effect),
		t_test(device_time_is_that_of_the_uplinks_end),
		t_test(commands_that_do_not_fit),
		t_test(joins_alternate_and_back_off),
		t_test(adr_back_off),
		t_test(duty_cycle),
		t_test(a_band_rests_to_the_microsecond),
		t_test(confirmed_frames_of_old_devices_slow_down),
		t_test(repeated_answers),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
