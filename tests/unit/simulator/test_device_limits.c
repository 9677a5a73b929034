/* Where a device's rules meet: what a frame may carry at the rate it leaves at, when a change of the windows is in force, counters
 * that end, channels that are taken away. Each row was once a mistake of the simulated device. */
#include "simulator/device_parts.h"

#include "common/base/hex.h"
#include "common/lorawan/frame.h"

#include "tests/harness/device_stand.h"
#include "tests/harness/harness.h"

#include <string.h>

#define S INT64_C(1000000)

static struct aes *aes;
static struct t_stand stand;

static void set_up(const char *region, enum lw_mac_version version, enum sim_activation activation)
{
	struct sim_device_config config = t_stand_config(region, version, activation);
	t_stand_set_up(&stand, aes, &config);
}

/* The network says this in RX1 to the uplink before, without an acknowledgement. */
static enum sim_down_result told(const char *commands)
{
	uint32_t fcnt = stand.device.seen_down[0] ? stand.device.fcnt_down[0] + 1 : 0;
	return t_stand_answer(&stand, 1, &(struct t_down){.fcnt = fcnt, .fopts = commands, .fport = -1});
}

static const struct sim_record *sent(void)
{
	return &stand.last[SIM_RECORD_UPLINK];
}

static struct lw_frame sent_frame(void)
{
	struct lw_frame frame = {0};
	t_int("parsed", LW_OK, lw_frame_parse(&frame, stand.uplink.phy, stand.uplink.length, LW_UP));
	return frame;
}

static void a_frame_fits_the_rate_it_leaves_at(void **state)
{
	(void)state;
	t_row("back-off from DR1 to DR0 of us915, where 19 bytes go");
	set_up("us915", LW_MAC_1_0_4, SIM_ABP);
	stand.device.dr = 1;
	stand.device.adr_count = 96;
	for (int i = 0; i < 5; i++)
		sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x06", 1);
	t_true("sends", t_stand_sends(&stand, S));
	t_uint("SF10", 10, stand.uplink.spreading_factor);
	t_true("at most 19 bytes of MACPayload", stand.uplink.length - 5 <= 19);
	t_row("no channel carries the rate in use, the next lower one is taken");
	set_up("us915", LW_MAC_1_0_4, SIM_ABP);
	for (size_t i = 0; i < 64; i++)
		stand.device.channels[i].max_dr = 0;
	for (int i = 0; i < 5; i++)
		sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x06", 1);
	t_true("sends", t_stand_sends(&stand, S));
	t_uint("SF10", 10, stand.uplink.spreading_factor);
	t_true("at most 19 bytes of MACPayload", stand.uplink.length - 5 <= 19);
}

static void a_frame_that_has_to_wait_is_kept(void **state)
{
	(void)state;
	t_row("back-off leaves only channels whose band rests");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x07\x03\x18\x4f\x84\x55", 6);
	sim_device_answers_sent(&stand.device);
	stand.device.answer_count = 0;
	for (size_t i = 0; i < 3; i++)
		stand.device.channels[i].max_dr = 4;
	stand.device.adr_count = 96;
	stand.device.band_free_us[sim_plan_band(stand.device.config.plan, 868100000)] = 50 * S;
	t_false("not yet", t_stand_sends(&stand, 49 * S));
	t_true("then", t_stand_sends(&stand, 50 * S));
	t_uint("the first counter", 0, sent()->fcnt);
	t_true("and the first reading", sent()->reading);
	t_int("at DR4", 4, sent()->dr);
	t_true("the next", t_stand_sends(&stand, 400 * S));
	t_uint("counter", 1, sent()->fcnt);
}

/* 4.3.1: every transmission changes the channel. */
static void repeats_change_the_channel(void **state)
{
	(void)state;
	t_row("NbTrans 3 on three channels");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	stand.device.nb_trans = 3;
	uint32_t before_hz = 0;
	for (int i = 0; i < 60; i++) {
		t_true("sends", t_stand_sends(&stand, INT64_MAX - 1));
		if (sent()->attempt > 1)
			t_true("another channel", stand.uplink.freq_hz != before_hz);
		t_uint("counter", (unsigned)i / 3, sent()->fcnt);
		before_hz = stand.uplink.freq_hz;
	}
}

/* 5.4, 5.7: what the answer says holds from the uplink that carries it, not for a repeat of what was said before. */
static void windows_change_with_the_answer(void **state)
{
	(void)state;
	t_row("1.0.2 repeats a confirmed frame after a downlink without its acknowledgement");
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_2, SIM_ABP);
	config.confirmed_every = 1;
	t_stand_set_up(&stand, aes, &config);
	t_true("sends", t_stand_sends(&stand, S));
	t_int("heard", SIM_DOWN_ACCEPTED,
	      told("0803"
		   "0523e85684"
		   "0a00184f84"));
	t_true("again", t_stand_sends(&stand, 50 * S));
	t_int("the second attempt", 2, sent()->attempt);
	t_int("RX1 as before", stand.uplink.end_us + S, stand.device.rx1_us);
	t_uint("its rate as before", stand.device.tx_dr, stand.device.rx1_dr);
	t_uint("its frequency as before", stand.uplink.freq_hz, stand.device.rx1_freq_hz);
	t_uint("RX2 as before", 869525000, stand.device.window_rx2_freq_hz);
	t_int("acknowledged", SIM_DOWN_ACCEPTED,
	      t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 1, .ack = true, .fport = -1}));
	t_row("the next frame has the answers, and the windows are as asked");
	t_true("sends", t_stand_sends(&stand, 200 * S));
	t_uint("answers", 5, sent_frame().fctrl.fopts_length);
	t_int("RX1", stand.uplink.end_us + 3 * S, stand.device.rx1_us);
	t_uint("RX2", 867300000, stand.device.window_rx2_freq_hz);
	t_uint("its rate", 3, stand.device.window_rx2_dr);
	t_uint("RX1's frequency", 867100000, stand.device.rx1_freq_hz);
}

static void counters_end(void **state)
{
	(void)state;
	t_row("the last counter of 32 bits: a device that joined joins anew");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	stand.device.fcnt_up = UINT32_MAX - 1;
	t_true("sends", t_stand_sends(&stand, S));
	t_uint("counter", UINT32_MAX - 1, sent()->fcnt);
	struct sim_device saved = stand.device;
	stand.device.config.activation = SIM_OTAA;
	t_true("sends", t_stand_sends(&stand, 400 * S));
	t_uint("a join-request", 1, stand.counts[SIM_RECORD_JOIN_REQUEST]);
	t_row("one of ABP says no more");
	stand.device = saved;
	t_false("nothing", t_stand_sends(&stand, INT64_MAX - 1));
	t_row("counters of 16 bits go round");
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_2, SIM_ABP);
	config.fcnt_16 = true;
	config.first_fcnt_up = 65535;
	t_stand_set_up(&stand, aes, &config);
	stand.device.seen_down[0] = true;
	stand.device.fcnt_down[0] = 65535;
	t_true("sends", t_stand_sends(&stand, S));
	t_uint("the last", 65535, sent()->fcnt);
	t_int("0 comes after 65,535", SIM_DOWN_ACCEPTED,
	      t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 0, .fport = -1}));
	t_true("sends", t_stand_sends(&stand, 200 * S));
	t_uint("the first", 0, sent()->fcnt);
	t_int("65,535 is over", SIM_DOWN_REPEATED,
	      t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 65535, .fport = -1}));
	t_row("the gap holds for them as well");
	t_true("sends", t_stand_sends(&stand, 400 * S));
	t_int("16,384 ahead", SIM_DOWN_GAP,
	      t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 16384, .fport = -1}));
	t_row("an old ABP device that was without power");
	config = t_stand_config("eu868", LW_MAC_1_0_2, SIM_ABP);
	config.forgets_counters = true;
	t_stand_set_up(&stand, aes, &config);
	t_true("sends", t_stand_sends(&stand, S) && t_stand_sends(&stand, 200 * S));
	sim_device_power_cycle(&stand.device, 200 * S, 10 * S);
	t_true("sends", t_stand_sends(&stand, 400 * S));
	t_uint("from 0 again", 0, sent()->fcnt);
}

static void decibels(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int snr_cdb, margin;
	} rows[] = {{"-1.6 dB is nearest to -2", -160, -2},
		    {"1.6 dB to 2", 160, 2},
		    {"-1.4 dB to -1", -140, -1},
		    {"40 dB is 31, the most", 4000, 31},
		    {"-40 dB is -32, the least", -4000, -32}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t phy[255];
		set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
		t_true("sends", t_stand_sends(&stand, S));
		size_t length = t_stand_downlink(&stand, &(struct t_down){.fport = -1}, phy);
		struct sim_downlink downlink = t_stand_in_window(&stand, 1);
		t_true("listens", sim_device_listens(&stand.device, &downlink));
		sim_device_receive(&stand.device, downlink.end_us, rows[i].snr_cdb, phy, length);
		t_int("margin", rows[i].margin, stand.device.margin_db);
	}
	static const struct {
		const char *name, *region, *command;
		int eirp_dbm;
	} bounds[] = {{"TxParamSetupReq's 36 dBm is not more than the device can", "au915", "090f", 30},
		      {"its 12 dBm is less", "au915", "0902", 12},
		      {"36 dBm in as923-1", "as923-1", "093f", 16}};
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		uint8_t command[2];
		size_t length = 0;
		t_row(bounds[i].name);
		set_up(bounds[i].region, LW_MAC_1_0_4, SIM_ABP);
		t_true("hex", hex_decode(command, sizeof command, &length, bounds[i].command, 4));
		sim_device_apply_commands(&stand.device, 0, command, length);
		t_true("sends", t_stand_sends(&stand, S));
		t_int("EIRP", bounds[i].eirp_dbm, (int)stand.uplink.eirp_dbm);
	}
}

static void silence(void **state)
{
	(void)state;
	t_row("DutyCycleReq 255 up to 1.0.1: not a word more");
	set_up("eu868", LW_MAC_1_0_1, SIM_ABP);
	t_true("sends", t_stand_sends(&stand, S));
	t_int("heard", SIM_DOWN_ACCEPTED, told("04ff"));
	t_false("silent", t_stand_sends(&stand, INT64_MAX - 1));
	t_row("until the battery was out");
	sim_device_power_cycle(&stand.device, 1000 * S, S);
	t_true("sends", t_stand_sends(&stand, 2000 * S));
	t_row("from 1.0.2 on its low four bits count: one in 32,768");
	set_up("eu868", LW_MAC_1_0_2, SIM_ABP);
	t_true("sends", t_stand_sends(&stand, S));
	t_int("heard", SIM_DOWN_ACCEPTED, told("04ff"));
	t_true("sends", t_stand_sends(&stand, 10000 * S));
}

static void channels_taken_away(void **state)
{
	(void)state;
	t_row("NewChannelReq removes the only channel that is on: the default ones are on again");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x07\x03\x18\x4f\x84\x50", 6);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x03\x50\x08\x00\x01", 5);
	t_true("3 alone", stand.device.channels[3].enabled && !stand.device.channels[0].enabled);
	sim_device_apply_commands(&stand.device, 0, (const uint8_t *)"\x07\x03\x00\x00\x00\x00", 6);
	t_true("sends", t_stand_sends(&stand, S));
	t_true("on a default channel",
	       stand.uplink.freq_hz >= 868100000 && stand.uplink.freq_hz <= 868500000);
	t_row("masks in the CFList: 1.0.3 goes by them");
	static const uint8_t one_bank[16] = {0x00, 0xff, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 1};
	static const uint8_t none[16] = {[15] = 1};
	set_up("us915", LW_MAC_1_0_3, SIM_OTAA);
	sim_device_apply_cflist(&stand.device, one_bank);
	t_true("8 to 15 and 65", stand.device.channels[8].enabled && !stand.device.channels[7].enabled &&
					 stand.device.channels[65].enabled &&
					 !stand.device.channels[64].enabled);
	t_row("a CFList without any channel leaves the default ones");
	sim_device_apply_cflist(&stand.device, none);
	t_true("on", stand.device.channels[0].enabled && stand.device.channels[71].enabled);
	t_row("before 1.0.3 there are no masks in the CFList");
	set_up("us915", LW_MAC_1_0_2, SIM_OTAA);
	sim_device_apply_cflist(&stand.device, one_bank);
	t_true("all on", stand.device.channels[0].enabled && stand.device.channels[64].enabled);
}

static void link_adr_by_version(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		enum lw_mac_version version;
		const char *down, *up;
	} rows[] = {
		{"ChMaskCntl 5 before 1.0.3", "us915", LW_MAC_1_0_2, "033f020051", "0302"},
		{"ChMaskCntl 5 from 1.0.3 on", "us915", LW_MAC_1_0_3, "0330020051", "0307"},
		{"two blocks in 1.0.4: the first alone", "eu868", LW_MAC_1_0_4, "0351070001060350070001",
		 "030706e600"},
		{"two blocks in 1.1: the first alone", "eu868", LW_MAC_1_1_0, "0351070001060350070001",
		 "030706e600"},
		{"two blocks in 1.0.3: both", "eu868", LW_MAC_1_0_3, "0351070001060350070001",
		 "030706e6000307"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t down[32], expected[32], up[64];
		size_t down_length = 0, expected_length = 0;
		t_row(rows[i].name);
		set_up(rows[i].region, rows[i].version, SIM_OTAA);
		t_true("hex",
		       hex_decode(down, sizeof down, &down_length, rows[i].down, strlen(rows[i].down)) &&
			       hex_decode(expected, sizeof expected, &expected_length, rows[i].up,
					  strlen(rows[i].up)));
		sim_device_apply_commands(&stand.device, 0, down, down_length);
		t_bytes("answers", expected, expected_length, up,
			sim_device_write_commands(&stand.device, up, sizeof up));
	}
}

static void a_downlink_longer_than_its_rate_carries(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		int window;
		unsigned bytes; /* of the payload; 8 more are in the MACPayload */
		enum sim_down_result result;
	} rows[] = {
		{"RX2 of us915 has 61 bytes", "us915", 2, 53, SIM_DOWN_ACCEPTED},
		{"and not 62", "us915", 2, 54, SIM_DOWN_TOO_LONG},
		{"RX2 of eu868 has 59", "eu868", 2, 51, SIM_DOWN_ACCEPTED},
		{"and not 60", "eu868", 2, 52, SIM_DOWN_TOO_LONG},
		{"RX1 at DR5 has 230 and more", "eu868", 1, 222, SIM_DOWN_ACCEPTED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char payload[2 * 255 + 1] = "";
		memset(payload, '0', (size_t)2 * rows[i].bytes);
		t_row(rows[i].name);
		set_up(rows[i].region, LW_MAC_1_0_4, SIM_ABP);
		t_true("sends", t_stand_sends(&stand, S));
		struct t_down down = {.fport = 7, .payload = payload};
		t_str("result", sim_down_result_name(rows[i].result),
		      sim_down_result_name(t_stand_answer(&stand, rows[i].window, &down)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_frame_fits_the_rate_it_leaves_at),
		t_test(a_frame_that_has_to_wait_is_kept),
		t_test(repeats_change_the_channel),
		t_test(windows_change_with_the_answer),
		t_test(counters_end),
		t_test(decibels),
		t_test(silence),
		t_test(channels_taken_away),
		t_test(link_adr_by_version),
		t_test(a_downlink_longer_than_its_rate_carries),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
