/* What a device does from one frame to the next: acknowledgements, repeats, answers that are said again, counters, joins and what they
 * begin anew. Each row was found by a fault that was planted in the device and that nothing else noticed. */
#include "simulator/device_parts.h"

#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
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
	stand.device.rekey = false;
}

static void sends(void)
{
	t_true("sends", t_stand_sends(&stand, INT64_MAX - 1));
}

static enum sim_down_result told(const char *commands)
{
	uint32_t fcnt = stand.device.seen_down[0] ? stand.device.fcnt_down[0] + 1 : 0;
	return t_stand_answer(&stand, 1, &(struct t_down){.fcnt = fcnt, .fopts = commands, .fport = -1});
}

static void apply(const char *hex)
{
	uint8_t bytes[64];
	size_t length = 0;
	t_true("hex", hex_decode(bytes, sizeof bytes, &length, hex, strlen(hex)));
	sim_device_apply_commands(&stand.device, 0, bytes, length);
}

static struct lw_frame sent_frame(void)
{
	struct lw_frame frame = {0};
	t_int("parsed", LW_OK, lw_frame_parse(&frame, stand.uplink.phy, stand.uplink.length, LW_UP));
	if (stand.device.rules_1_1)
		lw_cipher_fopts(aes, &stand.device.keys.nwk_s_enc_key, LW_UP, frame.dev_addr,
				stand.device.frame_fcnt, LW_FOPTS_FCNT_UP, frame.fopts,
				frame.fctrl.fopts_length, frame.fopts);
	return frame;
}

static void confirmed_frames(void **state)
{
	(void)state;
	const struct sim_record *sent = &stand.last[SIM_RECORD_UPLINK],
				*outcome = &stand.last[SIM_RECORD_OUTCOME];
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_4, SIM_ABP);
	config.confirmed_every = 1;
	t_stand_set_up(&stand, aes, &config);
	t_row("1.0.4: a downlink ends the frame, with the ACK or without");
	sends();
	t_int("heard", SIM_DOWN_ACCEPTED, told(NULL));
	t_true("over, not acknowledged", stand.counts[SIM_RECORD_OUTCOME] == 1 && !outcome->acknowledged);
	sends();
	t_uint("the next counter", 1, sent->fcnt);
	t_row("and so does silence, after NbTrans transmissions");
	sends();
	t_uint("the next counter", 2, sent->fcnt);
	t_row("also where NbTrans would allow another");
	t_stand_set_up(&stand, aes, &config);
	stand.device.nb_trans = 2;
	sends();
	t_int("heard", SIM_DOWN_ACCEPTED, told(NULL));
	sends();
	t_uint("the next counter", 1, sent->fcnt);
	t_row("1.0.3: RX2 has closed a second or more before the repeat");
	config = t_stand_config("us915", LW_MAC_1_0_3, SIM_ABP);
	config.confirmed_every = 1;
	t_stand_set_up(&stand, aes, &config);
	sends();
	int64_t rx2_us = stand.device.rx2_us;
	sends();
	t_uint("the same counter", 0, sent->fcnt);
	t_true("1 to 3 s", stand.uplink.start_us >= rx2_us + S && stand.uplink.start_us <= rx2_us + 4 * S);
	t_row("an ACK for what was not confirmed acknowledges nothing");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	sends();
	t_int("heard", SIM_DOWN_ACCEPTED,
	      t_stand_answer(&stand, 1, &(struct t_down){.ack = true, .fport = -1}));
	t_false("outcome", outcome->acknowledged);
}

static void acknowledging(void **state)
{
	(void)state;
	t_row("a confirmed downlink is acknowledged in the next frame, once, and soon");
	set_up("us915", LW_MAC_1_0_4, SIM_ABP);
	sends();
	t_false("no ACK yet", sent_frame().fctrl.ack);
	t_int("heard", SIM_DOWN_ACCEPTED,
	      t_stand_answer(&stand, 1, &(struct t_down){.confirmed = true, .fport = 7, .payload = "01"}));
	int64_t heard_us = stand.now_us;
	sends();
	t_true("within 3 s", stand.uplink.start_us <= heard_us + 3 * S);
	t_true("ACK", sent_frame().fctrl.ack);
	sends();
	t_false("not again", sent_frame().fctrl.ack);
	t_row("1.1: ConfFCnt is the counter of the downlink that is acknowledged");
	set_up("eu868", LW_MAC_1_1_0, SIM_ABP);
	stand.device.seen_down[0] = true;
	stand.device.fcnt_down[0] = 40;
	sends();
	struct t_down down = {.confirmed = true, .fcnt = 7, .fport = 5, .payload = "01"};
	t_int("heard", SIM_DOWN_ACCEPTED, t_stand_answer(&stand, 1, &down));
	sends();
	t_true("ACK", sent_frame().fctrl.ack);
	t_uint("AFCntDown", 7, stand.device.frame_conf_fcnt);
	t_row("FPending asks for a frame soon");
	set_up("us915", LW_MAC_1_0_4, SIM_ABP);
	sends();
	t_int("heard", SIM_DOWN_ACCEPTED,
	      t_stand_answer(&stand, 1, &(struct t_down){.f_pending = true, .fport = -1}));
	heard_us = stand.now_us;
	sends();
	t_true("within 3 s", stand.uplink.start_us <= heard_us + 3 * S);
	t_row("a frame for somebody else in RX1 leaves RX2 open");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	sends();
	static const uint8_t foreign[12] = {0x60, 9, 9, 9, 9};
	t_int("not ours", SIM_DOWN_NOT_OURS, t_stand_hears(&stand, 1, foreign, sizeof foreign));
	t_true("until after RX2", sim_device_next_us(&stand.device) > stand.device.rx2_us);
	t_int("heard in RX2", SIM_DOWN_ACCEPTED, t_stand_answer(&stand, 2, &(struct t_down){.fport = -1}));
}

static void counters(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		enum sim_down_result again;
	} rows[] = {{"1.0.4 has one downlink counter", LW_MAC_1_0_4, SIM_DOWN_REPEATED},
		    {"1.1 has two", LW_MAC_1_1_0, SIM_DOWN_ACCEPTED}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		set_up("eu868", rows[i].version, SIM_ABP);
		sends();
		t_int("port 5", SIM_DOWN_ACCEPTED,
		      t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 3, .fport = 5, .payload = "01"}));
		sends();
		t_int("no port", rows[i].again,
		      t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 3, .fport = -1}));
	}
	t_row("1.1: commands beside a payload of the application are ciphered by AFCntDown");
	set_up("eu868", LW_MAC_1_1_0, SIM_ABP);
	sends();
	struct t_down down = {.fcnt = 3, .fopts = "06", .fport = 5, .payload = "01"};
	t_int("heard", SIM_DOWN_ACCEPTED, t_stand_answer(&stand, 1, &down));
	sends();
	t_uint("DevStatusAns", 0x06, sent_frame().fopts[0]);
	t_row("ADR_ACK_CNT begins anew with a downlink");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	stand.device.adr_count = 70;
	sends();
	t_true("ADRACKReq", sent_frame().fctrl.adr_ack_req);
	t_int("heard", SIM_DOWN_ACCEPTED, told(NULL));
	sends();
	t_false("no more", sent_frame().fctrl.adr_ack_req);
	t_row("at the lowest rate and full power 1.0.3 does not ask, 1.0.4 does");
	for (int newer = 0; newer < 2; newer++) {
		set_up("eu868", newer ? LW_MAC_1_0_4 : LW_MAC_1_0_3, SIM_ABP);
		stand.device.dr = 0;
		stand.device.adr_count = 70;
		sends();
		t_true("ADRACKReq", sent_frame().fctrl.adr_ack_req == (newer == 1));
	}
	t_row("more than 15 bytes of answers go on port 0");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	apply("060606060606");
	sends();
	t_int("port", 0, stand.last[SIM_RECORD_UPLINK].fport);
	t_uint("bytes", 18, stand.last[SIM_RECORD_UPLINK].length);
	t_uint("no FOpts beside", 0, sent_frame().fctrl.fopts_length);
}

/* 6.1 of the fact sheet: what is said until a class A downlink comes, and what once. */
static void answers_said_again(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region, *request;
		uint8_t cid;
		bool again;
	} rows[] = {
		{"LinkADRAns", "eu868", "0350070001", 0x03, false},
		{"DutyCycleAns", "eu868", "0400", 0x04, false},
		{"RXParamSetupAns", "eu868", "0513d2ad84", 0x05, true},
		{"DevStatusAns", "eu868", "06", 0x06, false},
		{"NewChannelAns", "eu868", "0703184f8450", 0x07, false},
		{"RXTimingSetupAns", "eu868", "0803", 0x08, true},
		{"TxParamSetupAns", "as923-1", "0915", 0x09, true},
		{"DlChannelAns", "eu868", "0a01184f84", 0x0a, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		set_up(rows[i].region, LW_MAC_1_0_4, SIM_ABP);
		sends();
		t_int("heard", SIM_DOWN_ACCEPTED, told(rows[i].request));
		sends();
		struct lw_frame frame = sent_frame();
		t_true("said", frame.fctrl.fopts_length > 0 && frame.fopts[0] == rows[i].cid);
		for (int more = 0; more < 2; more++) {
			sends();
			t_true("said again", (sent_frame().fctrl.fopts_length > 0) == rows[i].again);
		}
		t_int("heard", SIM_DOWN_ACCEPTED, told(NULL));
		sends();
		t_uint("over", 0, sent_frame().fctrl.fopts_length);
	}
}

/* --- joins --------------------------------------------------------------------------------------------------- */

static enum sim_down_result accepted(uint8_t join_nonce, uint8_t dl_settings)
{
	uint8_t body[12] = {[0] = join_nonce, [6] = 0x42, [10] = dl_settings};
	return t_stand_accept(&stand, body);
}

static void join_again(void)
{
	sim_device_power_cycle(&stand.device, stand.now_us, S);
	uint32_t before = stand.counts[SIM_RECORD_JOIN_REQUEST];
	sends();
	t_uint("a join-request", before + 1, stand.counts[SIM_RECORD_JOIN_REQUEST]);
}

static void joining(void **state)
{
	(void)state;
	t_row("1.1: JoinNonce rises");
	set_up("eu868", LW_MAC_1_1_0, SIM_OTAA);
	sends();
	t_int("5", SIM_DOWN_ACCEPTED, accepted(5, 0x80));
	join_again();
	t_int("4", SIM_DOWN_JOIN_NONCE, accepted(4, 0x80));
	join_again();
	t_int("5 again", SIM_DOWN_JOIN_NONCE, accepted(5, 0x80));
	join_again();
	t_int("6", SIM_DOWN_ACCEPTED, accepted(6, 0x80));
	t_row("1.0.4: JoinNonce is another one than the last");
	set_up("eu868", LW_MAC_1_0_4, SIM_OTAA);
	sends();
	t_int("5", SIM_DOWN_ACCEPTED, accepted(5, 0));
	join_again();
	t_int("4", SIM_DOWN_ACCEPTED, accepted(4, 0));
	join_again();
	t_int("4 again", SIM_DOWN_JOIN_NONCE, accepted(4, 0));
	t_row("a join begins the counters anew");
	stand.device.fcnt_up = 900;
	stand.device.seen_down[0] = true;
	stand.device.fcnt_down[0] = 900;
	join_again();
	t_int("6", SIM_DOWN_ACCEPTED, accepted(6, 0));
	sends();
	t_uint("up", 0, stand.last[SIM_RECORD_UPLINK].fcnt);
	t_int("down", SIM_DOWN_ACCEPTED, t_stand_answer(&stand, 1, &(struct t_down){.fcnt = 0, .fport = -1}));
	t_row("OptNeg is nothing to a 1.0.4 device");
	join_again();
	t_int("accepted", SIM_DOWN_ACCEPTED, accepted(7, 0x80));
	t_false("rules of 1.0", stand.device.rules_1_1);
	t_row("RxDelay 0 is one second");
	t_uint("RxDelay", 1, stand.device.rx_delay_s);
}

static void key_confirmation(void **state)
{
	(void)state;
	t_row("RekeyInd in every uplink until RekeyConf");
	set_up("eu868", LW_MAC_1_1_0, SIM_OTAA);
	sends();
	t_int("accepted", SIM_DOWN_ACCEPTED, accepted(1, 0x80));
	for (int i = 0; i < 3; i++) {
		sends();
		struct lw_frame frame = sent_frame();
		t_true("0b 01",
		       frame.fctrl.fopts_length == 2 && frame.fopts[0] == 0x0b && frame.fopts[1] == 1);
		t_int("heard", SIM_DOWN_ACCEPTED, told(i < 2 ? "0101" : "0b01"));
	}
	sends();
	t_uint("over", 0, sent_frame().fctrl.fopts_length);
	t_row("not in a session of 1.0 rules");
	set_up("eu868", LW_MAC_1_1_0, SIM_OTAA);
	sends();
	t_int("accepted", SIM_DOWN_ACCEPTED, accepted(1, 0));
	sends();
	t_uint("nothing", 0, sent_frame().fctrl.fopts_length);
	t_row("ResetInd again after the battery was out");
	set_up("eu868", LW_MAC_1_1_0, SIM_ABP);
	sends();
	sim_device_power_cycle(&stand.device, stand.now_us, S);
	sends();
	t_uint("0x01", 0x01, sent_frame().fopts[0]);
	t_row("but the counters go on");
	t_uint("up", 1, stand.last[SIM_RECORD_UPLINK].fcnt);
}

static void join_attempts(void **state)
{
	(void)state;
	t_row("a DevNonce is not spent while the band rests");
	set_up("eu868", LW_MAC_1_0_4, SIM_OTAA);
	stand.device.band_free_us[sim_plan_band(stand.device.config.plan, 868100000)] = 100 * S;
	t_false("waits", t_stand_sends(&stand, 99 * S));
	sends();
	t_uint("the first", 1, stand.last[SIM_RECORD_JOIN_REQUEST].dev_nonce);
	t_row("airtime of joins: 36 s in the first hour, 36 s in the next ten, 8.7 s a day");
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_4, SIM_OTAA);
	config.dr = 0;
	t_stand_set_up(&stand, aes, &config);
	static const int64_t ends_s[] = {3600, 39600, 39600 + 86400, 39600 + 172800};
	static const int64_t budgets_us[] = {36 * S, 36 * S, 8700000, 8700000};
	int64_t first_us = -1;
	size_t step = 0;
	int64_t spent_us[4] = {0};
	while (t_stand_sends(&stand, INT64_MAX - 1)) {
		first_us = first_us < 0 ? stand.uplink.start_us : first_us;
		while (step < 4 && stand.uplink.start_us >= first_us + ends_s[step] * S)
			step++;
		if (step == 4)
			break;
		spent_us[step] += stand.uplink.end_us - stand.uplink.start_us;
	}
	for (step = 0; step < 4; step++)
		t_true("within the budget, and most of it",
		       spent_us[step] <= budgets_us[step] && spent_us[step] > budgets_us[step] - 1500000);
}

/* --- parameters ---------------------------------------------------------------------------------------------- */

static void what_a_device_boots_with(void **state)
{
	(void)state;
	t_row("as923-1: uplinks of 400 ms, downlinks of any length");
	set_up("as923-1", LW_MAC_1_0_4, SIM_ABP);
	t_true("dwell", stand.device.uplink_dwell && !stand.device.downlink_dwell);
	t_row("the dwell time takes the rate along");
	apply("0905");
	stand.device.dr = 0;
	apply("0915");
	t_uint("dr", 2, stand.device.dr);
	t_row("downlinks of 400 ms: RX1 is not below DR2, from the uplink on that says so");
	apply("0905");
	stand.device.dr = 3;
	stand.device.rx1_offset = 3;
	sends();
	t_uint("as long as they may be long", 0, stand.device.rx1_dr);
	apply("0925");
	sends();
	t_uint("RX1", 2, stand.device.rx1_dr);
	t_row("sub-band 2");
	struct sim_device_config config = t_stand_config("us915", LW_MAC_1_0_4, SIM_OTAA);
	config.sub_band = 2;
	t_stand_set_up(&stand, aes, &config);
	for (size_t i = 0; i < 72; i++)
		t_true("channel", stand.device.channels[i].enabled == ((i >= 8 && i < 16) || i == 65));
	t_row("channels of the CFList carry DR0 to DR5");
	static const uint8_t cflist[16] = {0x18, 0x4f, 0x84};
	set_up("eu868", LW_MAC_1_0_4, SIM_OTAA);
	sim_device_apply_cflist(&stand.device, cflist);
	t_uint("max_dr", 5, stand.device.channels[3].max_dr);
	t_uint("min_dr", 0, stand.device.channels[3].min_dr);
}

static void what_requests_leave_behind(void **state)
{
	(void)state;
	t_row("LinkADRReq that is refused in part leaves everything");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	apply("0381010001");
	t_true("mask", stand.device.channels[1].enabled);
	t_uint("power", 0, stand.device.power_index);
	t_row("of a block the last one's rate counts, and masks add up");
	set_up("us915", LW_MAC_1_0_4, SIM_ABP);
	apply("0310000071"
	      "0322ff0001");
	t_uint("dr", 2, stand.device.dr);
	t_uint("power", 2, stand.device.power_index);
	t_true("0 to 7 alone", stand.device.channels[7].enabled && !stand.device.channels[8].enabled &&
				       !stand.device.channels[64].enabled);
	t_row("ChMaskCntl 5 takes the 500 kHz channel of a bank along");
	set_up("us915", LW_MAC_1_0_4, SIM_ABP);
	apply("0330020051");
	for (size_t i = 0; i < 72; i++)
		t_true("channel", stand.device.channels[i].enabled == ((i >= 8 && i < 16) || i == 65));
	static const struct {
		const char *name;
		enum lw_mac_version version;
		uint8_t nb_trans;
	} rows[] = {{"NbTrans 0 keeps in 1.0.2", LW_MAC_1_0_2, 3},
		    {"NbTrans 0 is 1 in 1.0.4", LW_MAC_1_0_4, 1},
		    {"NbTrans 0 keeps in 1.1", LW_MAC_1_1_0, 3}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		set_up("eu868", rows[i].version, SIM_ABP);
		apply("0350070003");
		t_uint("3", 3, stand.device.nb_trans);
		stand.device.answer_count = 0;
		apply("0350070000");
		t_uint("then", rows[i].nb_trans, stand.device.nb_trans);
	}
	t_row("DlChannelReq for a channel that is not there leaves no trace");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	apply("0a05184f84");
	t_uint("frequency", 0, stand.device.channels[5].down_freq_hz);
	t_row("a new channel is on");
	apply("0703184f8450");
	t_true("on", stand.device.channels[3].enabled);
}

static void adr_back_off_ends(void **state)
{
	(void)state;
	t_row("at the lowest rate: default channels and NbTrans 1");
	set_up("eu868", LW_MAC_1_0_4, SIM_ABP);
	stand.device.dr = 0;
	stand.device.nb_trans = 2;
	stand.device.channels[0].enabled = false;
	stand.device.adr_count = 96;
	sends();
	t_true("channel 0", stand.device.channels[0].enabled);
	t_uint("NbTrans", 1, stand.device.nb_trans);
	t_row("without ADR nothing is backed off");
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_4, SIM_ABP);
	config.adr = false;
	t_stand_set_up(&stand, aes, &config);
	stand.device.adr_count = 96;
	sends();
	t_uint("dr", 5, stand.device.dr);
	t_false("no ADRACKReq", sent_frame().fctrl.adr_ack_req);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(confirmed_frames),
		t_test(acknowledging),
		t_test(counters),
		t_test(answers_said_again),
		t_test(joining),
		t_test(key_confirmation),
		t_test(join_attempts),
		t_test(what_a_device_boots_with),
		t_test(what_requests_leave_behind),
		t_test(adr_back_off_ends),
	};
	aes = aes_new();
	int code = t_run(tests);
	aes_free(aes);
	return code;
}
