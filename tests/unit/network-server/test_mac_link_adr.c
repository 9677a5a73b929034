/* LinkADRReq: blocks of every version, each bit refused, ADR's wish and the device's own mind, and ADR's loop with a device
 * that obeys. */
#include "common/base/hex.h"
#include "network-server/mac/mac.h"
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#define PROFILE  7
#define NO_FRAME NULL

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static uint8_t commands[LW_PHY_PAYLOAD_MAX];
static uint8_t commands_length; /* of the last answer; 0: none */
static struct net_profile chosen;

static void as_chosen(struct net_profile *profile)
{
	struct net_profile own = *profile;
	*profile = chosen;
	profile->version = own.version;
	profile->id = own.id;
	profile->mac_version = own.mac_version;
	memcpy(profile->region_id, own.region_id, sizeof profile->region_id);
}

static void choose_usual(void)
{
	chosen = (struct net_profile){.rx2_dr = NET_REGIONS_OWN, .rx_delay_s = 5, .adr = true};
	net_profile_defaults(&chosen);
	chosen.dev_status_interval_h = 0;
}

static void setup(enum lw_mac_version version, const char *region)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE, version, region, as_chosen);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, PROFILE, 0x26000001, version >= LW_MAC_1_1_0);
}

static struct ns_session *session(void)
{
	return ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, 0)->session);
}

static const struct lw_channel_plan *plan(void)
{
	return ns_session_plan(&rig.ns.sessions, session());
}

struct uplink {
	const char *says; /* FOpts, hex; NULL: none */
	uint8_t dr;
	int snr_cdb;
	bool no_adr, adr_ack_req, restart, confirmed;
	bool lost; /* nobody hears it */
	uint8_t channel;
};

/* Sends one and takes the answer. True: there was a downlink. */
static bool sends(const struct uplink *uplink)
{
	uint8_t fopts[LW_FOPTS_MAX];
	size_t length = 0;
	if (uplink->restart)
		rig_restart(&rig);
	if (uplink->says)
		ASSERT(hex_decode(fopts, sizeof fopts, &length, uplink->says, strlen(uplink->says)));
	struct rig_frame frame = {.fport = 1,
				  .confirmed = uplink->confirmed,
				  .adr = !uplink->no_adr,
				  .adr_ack_req = uplink->adr_ack_req,
				  .fopts = fopts,
				  .fopts_length = (uint8_t)length};
	bool us = session()->region == 1;
	size_t before = rig.downlink_count = 0;
	device.dr = uplink->dr;
	device.channel = us ? 8 : uplink->channel;
	uint8_t phy_length = rig_uplink(&rig, &device, &frame, phy);
	if (!uplink->lost)
		rig_hears_on(&rig, us ? 3 : 1, phy, phy_length, 0,
			     us ? 903900000 : 868100000 + 200000u * uplink->channel, uplink->dr,
			     (int16_t)uplink->snr_cdb);
	rig_run(&rig, 10 * US_PER_S);
	device.fcnt_up++;
	rig.event_count = 0;
	commands_length = 0;
	if (rig.downlink_count == before)
		return false;
	struct lw_frame down;
	t_true("its MIC fits", rig_last_downlink(&rig, &device, &down, session()->n_fcnt_down - 1, commands,
						 &commands_length));
	return true;
}

static void expect(const char *hex)
{
	uint8_t expected[LW_PHY_PAYLOAD_MAX];
	size_t length = 0;
	ASSERT(hex_decode(expected, sizeof expected, &length, hex ? hex : "", hex ? strlen(hex) : 0));
	t_bytes("commands", expected, length, commands, commands_length);
}

/* As many uplinks at a data rate as ADR needs for a first step: the last one brings the request. */
static void five(uint8_t dr, int snr_cdb)
{
	for (int i = 0; i < 5; i++)
		sends(&(struct uplink){.dr = dr, .snr_cdb = snr_cdb});
}

/* --- refusals ------------------------------------------------------------------------------------------------- */

/* eu868, SNR 7 dB at DR0: 14 dB to spare with five frames, four steps: LinkADRReq of DR4. */
static void refusals(void **state)
{
	(void)state;
	static const struct {
		const char *name, *answer;
		const char *then; /* the request that follows, after another five uplinks where need be */
		uint8_t dr_after; /* at which the device goes on */
		uint8_t power, nb_trans;
		bool taken;
	} rows[] = {
		{"all taken", "0307", NO_FRAME, 4, 0, 1, true},
		{"data rate refused: the next one above it", "0305", "0350070001", 0, 0, 1, false},
		{"power 0 refused: 1 is the loudest there is", "0303", "0301070001", 0, 0, 1, false},
		{"mask refused: nothing else can be asked", "0306", NO_FRAME, 0, 0, 1, false},
		{"data rate and mask refused", "0304", "0350070001", 0, 0, 1, false},
		{"all refused", "0300", "0301070001", 0, 0, 1, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		setup(LW_MAC_1_0_3, "eu868");
		t_row(rows[i].name);
		five(0, 700);
		expect("0340070001");
		sends(&(struct uplink){
			.says = rows[i].answer, .dr = rows[i].dr_after, .snr_cdb = 700, .restart = true});
		expect(rows[i].then);
		t_uint("taken", rows[i].taken, rig.ns.mac_counts[NS_MAC_LINK_ADR].taken);
		t_uint("power", rows[i].power, session()->mac.tx_power);
		t_uint("NbTrans", rows[i].nb_trans, session()->nb_trans);
		t_uint("data rate", rows[i].dr_after, session()->last_dr);
		/* What was refused is refused after a restart too. */
		uint16_t drs = session()->mac.refused_drs, powers = session()->mac.refused_powers;
		rig_restart(&rig);
		t_uint("data rates refused", drs, session()->mac.refused_drs);
		t_uint("powers refused", powers, session()->mac.refused_powers);
		rig_release(&rig);
	}
}

/* Too little power for the device: it is capped there. DR5, SNR 13.5 dB: 19.5 − 8.5 − ... 13.5 + 7.5 − 10 − 3 = 8: 2 steps. */
static void refused_power_is_a_cap(void **state)
{
	(void)state;
	choose_usual();
	setup(LW_MAC_1_0_3, "eu868");
	five(5, 1350);
	expect("0352070001");
	sends(&(struct uplink){.says = "0303", .dr = 5, .snr_cdb = 1350});
	expect("0351070001");
	sends(&(struct uplink){.says = "0307", .dr = 5, .snr_cdb = 1350});
	t_uint("one step", 1, session()->mac.tx_power);
	for (int i = 0; i < 30; i++) {
		sends(&(struct uplink){.dr = 5, .snr_cdb = 1350});
		expect(NO_FRAME);
	}
	rig_release(&rig);
}

/* --- lost and repeated ------------------------------------------------------------------------------------------ */

static void lost(void **state)
{
	(void)state;
	choose_usual();
	setup(LW_MAC_1_0_3, "eu868");
	five(0, 700);
	expect("0340070001");
	t_row("the request was lost: it is asked again");
	sends(&(struct uplink){.dr = 0, .snr_cdb = 700});
	expect("0340070001");
	t_uint("once without answer", 1, rig.ns.mac_counts[NS_MAC_LINK_ADR].unanswered);
	t_row("the answer was lost: the device is where it was asked to go");
	sends(&(struct uplink){.dr = 4, .snr_cdb = 700, .restart = true});
	expect(NO_FRAME);
	t_uint("taken", 1, rig.ns.mac_counts[NS_MAC_LINK_ADR].taken);
	t_uint("nothing is in flight", 0, session()->mac.question_length);
	t_row("a late answer, twice");
	sends(&(struct uplink){.says = "03070307", .dr = 4, .snr_cdb = 700});
	expect(NO_FRAME);
	t_uint("a repeat", 1, rig.ns.drops[NS_DROP_MAC_REPEATED]);
	rig_release(&rig);
}

/* --- blocks, by version ------------------------------------------------------------------------------------------ */

#define US_BLOCK     \
	"0330020071" \
	"033000ff01"
#define US_ONE_BY_ONE \
	"033000ff01"  \
	"0330020041"  \
	"0330000011"  \
	"0330000021"  \
	"0330000031"

/* us915, ABP: all 72 channels are on, the gateway hears 8 to 15 and 65. */
static void blocks(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		const char *block, *answer;
		const char *then;
		unsigned channels;
	} rows[] = {
		{"1.1: one answer for the block", LW_MAC_1_1_0, US_BLOCK, "0307", NO_FRAME, 9},
		{"1.1: answered one by one all the same", LW_MAC_1_1_0, US_BLOCK, "03070307", NO_FRAME, 9},
		{"1.0.4: an answer each, all alike", LW_MAC_1_0_4, US_BLOCK, "03070307", NO_FRAME, 9},
		{"1.0.2: one answer all the same", LW_MAC_1_0_2, US_BLOCK, "0307", NO_FRAME, 9},
		{"1.0.2: answers that differ: nothing was taken", LW_MAC_1_0_2, US_BLOCK, "03070306",
		 "0330ff0061", 72},
		{"1.0.3: more answers than requests", LW_MAC_1_0_3, US_BLOCK, "0307030703070307", NO_FRAME,
		 9},
		{"1.0.1: each stands for itself", LW_MAC_1_0_1, US_ONE_BY_ONE, "03070307030703070307",
		 NO_FRAME, 9},
		{"1.0.1: one of them refused: the others hold", LW_MAC_1_0_1, US_ONE_BY_ONE,
		 "03070307030603070307", NO_FRAME, 25},
		{"1.0.1: one answer for the block", LW_MAC_1_0_1, US_ONE_BY_ONE, "0307", NO_FRAME, 9},
		{"1.0.3: refused: at least all channels, so that it is known", LW_MAC_1_0_3, US_BLOCK,
		 "03060306", "0330ff0061", 72},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		setup(rows[i].version, "us915");
		t_row(rows[i].name);
		sends(&(struct uplink){.dr = 3});
		expect(rows[i].block);
		t_uint("not before the answer", 72, lw_mask_count(&plan()->enabled));
		sends(&(struct uplink){.says = rows[i].answer, .dr = 3, .restart = true});
		expect(rows[i].then);
		t_uint("channels", rows[i].channels, lw_mask_count(&plan()->enabled));
		if (rows[i].channels == 9) {
			t_true("8", lw_mask_get(&plan()->enabled, 8));
			t_true("15", lw_mask_get(&plan()->enabled, 15));
			t_true("65", lw_mask_get(&plan()->enabled, 65));
		}
		if (rows[i].then)
			sends(&(struct uplink){.says = "0307", .dr = 3});
		sends(&(struct uplink){.dr = 3, .restart = true});
		expect(NO_FRAME);
		rig_release(&rig);
	}
}

/* Without the ADR bit, or where the profile has none: the mask alone. */
static void without_adr(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		const char *region;
		bool device_has, profile_has;
		const char *asked, *answer;
	} rows[] = {
		{"the device will not", LW_MAC_1_0_3, "eu868", false, true, NO_FRAME, NULL},
		{"the profile will not", LW_MAC_1_0_3, "eu868", true, false, NO_FRAME, NULL},
		{"1.0.4: data rate and power are kept", LW_MAC_1_0_4, "us915", false, true,
		 "03ff020071"
		 "03ff00ff01",
		 "03010301"},
		{"1.0.3: they are what they are", LW_MAC_1_0_3, "us915", false, true, US_BLOCK, "03010301"},
		{"1.0.3: all is taken", LW_MAC_1_0_3, "us915", false, true, US_BLOCK, "03070307"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		chosen.adr = rows[i].profile_has;
		setup(rows[i].version, rows[i].region);
		t_row(rows[i].name);
		uint8_t dr = rows[i].asked ? 3 : 0;
		sends(&(struct uplink){.dr = dr, .snr_cdb = 1500, .no_adr = !rows[i].device_has});
		expect(rows[i].asked);
		if (rows[i].answer)
			sends(&(struct uplink){.says = rows[i].answer, .dr = dr, .no_adr = true});
		for (int more = 0; more < 25; more++) {
			sends(&(struct uplink){.dr = dr, .snr_cdb = 1500, .no_adr = !rows[i].device_has});
			expect(NO_FRAME);
		}
		if (rows[i].answer)
			t_uint("channels", 9, lw_mask_count(&plan()->enabled));
		sends(&(struct uplink){.dr = dr, .no_adr = true, .adr_ack_req = true});
		struct lw_frame down;
		t_true("answered", lw_frame_parse(&down, rig.downlinks[0].phy, rig.downlinks[0].phy_length,
						  LW_DOWN) == LW_OK);
		t_uint("the ADR bit of the downlink", rows[i].profile_has, down.fctrl.adr);
		rig_release(&rig);
	}
}

/* --- a CFList that should have been taken ---------------------------------------------------------------------------- */

static void trust(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned heard_of_8; /* of eight uplinks each */
		bool asked;
	} rows[] = {
		{"all are heard: it is believed", 8, false},
		{"one in eight is heard: the device is on other channels", 1, true},
		{"six in eight", 6, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		chosen.adr = false;
		setup(LW_MAC_1_0_3, "us915");
		t_row(rows[i].name);
		struct lw_channel_plan wanted = ns_wanted(&rig.ns, 1)->plan;
		t_true("as after a join", ns_session_set_plan(&rig.ns.sessions, session(), &wanted));
		session()->flags = NS_SESSION_TRUSTED;
		bool asked = false;
		for (unsigned n = 0; n < 48; n++) {
			bool lost = n % 8 >= rows[i].heard_of_8;
			asked |= sends(&(struct uplink){.dr = 3, .lost = lost, .snr_cdb = 0});
		}
		t_uint("asked", rows[i].asked, asked);
		rig_release(&rig);
	}
}

/* --- the device's own mind ---------------------------------------------------------------------------------------------- */

static void back_off(void **state)
{
	(void)state;
	choose_usual();
	setup(LW_MAC_1_0_3, "eu868");
	five(5, 1350);
	expect("0352070001");
	sends(&(struct uplink){.says = "0307", .dr = 5, .snr_cdb = 900});
	t_uint("power", 2, session()->mac.tx_power);
	t_row("it slows down by itself: it went to full power before");
	sends(&(struct uplink){.dr = 4, .snr_cdb = 0, .adr_ack_req = true});
	t_uint("power", 0, session()->mac.tx_power);
	t_uint("answered, with nothing to ask", 0, commands_length);
	t_uint("a new history", 1, session()->adr.count);
	sends(&(struct uplink){.dr = 4, .snr_cdb = 0, .restart = true});
	t_uint("also after a restart", 0, session()->mac.tx_power);
	rig_release(&rig);
}

/* The first copy of a confirmed frame that anybody heard may be a retry at a lower data rate: up to 1.0.3 that is no back-off. */
static void a_slower_retry(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		bool confirmed;
		unsigned times;
		uint8_t power, dr;
	} rows[] = {
		{"a confirmed frame, once", LW_MAC_1_0_3, true, 1, 2, 5},
		{"three in a row: so much may be lost", LW_MAC_1_0_3, true, 3, 2, 5},
		{"four in a row: the device is slower", LW_MAC_1_0_3, true, 4, 0, 3},
		{"one without confirmation is", LW_MAC_1_0_3, false, 1, 0, 3},
		{"from 1.0.4 on retries keep the rate", LW_MAC_1_0_4, true, 1, 0, 3},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		setup(rows[i].version, "eu868");
		t_row(rows[i].name);
		five(5, 1350);
		sends(&(struct uplink){.says = "0307", .dr = 5, .snr_cdb = 900});
		t_uint("power at first", 2, session()->mac.tx_power);
		uint8_t samples = session()->adr.count;
		for (unsigned n = 0; n < rows[i].times; n++)
			sends(&(struct uplink){.dr = 3, .snr_cdb = 900, .confirmed = rows[i].confirmed});
		t_uint("power", rows[i].power, session()->mac.tx_power);
		t_uint("data rate", rows[i].dr, session()->last_dr);
		if (rows[i].dr == 5)
			t_uint("no sample", samples, session()->adr.count);
		rig_restart(&rig);
		t_uint("data rate after a restart", rows[i].dr, session()->last_dr);
		rig_release(&rig);
	}
}

/* Worlds of seeds 132 and 351: the device has slowed down as it was asked to, and says so in a frame that may be a slower retry.
 * The next frame is no step of its own back-off, after which it would be at full power. */
static void an_answer_in_a_slower_retry(void **state)
{
	(void)state;
	choose_usual();
	chosen.adr_algorithm = NET_ADR_FIXED;
	chosen.adr_fixed_dr = 3;
	setup(LW_MAC_1_0_3, "eu868");
	sends(&(struct uplink){.dr = 5, .snr_cdb = 900});
	expect("0330070001");
	sends(&(struct uplink){.says = "0307", .dr = 3, .snr_cdb = 900, .confirmed = true});
	t_uint("the rate it was asked for", 3, session()->last_dr);
	rig_restart(&rig);
	t_uint("also after a restart", 3, session()->last_dr);
	sends(&(struct uplink){.dr = 3, .snr_cdb = 900});
	t_uint("no step back", 3, session()->last_dr);
	rig_release(&rig);
}

/* An ABP device that lost its power and listens as it boots: it asks whether anybody hears it, and gets no answer where the
 * network thinks that it listens. */
static void deaf(void **state)
{
	(void)state;
	choose_usual();
	chosen.rx_delay_s = 1;
	setup(LW_MAC_1_0_3, "eu868");
	sends(&(struct uplink){.dr = 5});
	expect("0805");
	sends(&(struct uplink){.says = "08", .dr = 5});
	t_uint("5 s", 5, session()->rx_delay_s);
	for (int i = 0; i < 4; i++) {
		t_uint("not yet", 5, session()->rx_delay_s);
		sends(&(struct uplink){.dr = 5, .adr_ack_req = true});
	}
	t_uint("as it boots", 1, session()->rx_delay_s);
	expect("0805");
	rig_restart(&rig);
	t_uint("after a restart too", 1, session()->rx_delay_s);
	for (int i = 0; i < 4; i++)
		sends(&(struct uplink){.dr = 5, .adr_ack_req = true});
	t_uint("or as it was asked", 5, session()->rx_delay_s);
	sends(&(struct uplink){.dr = 5});
	for (int i = 0; i < 3; i++)
		sends(&(struct uplink){.dr = 5, .adr_ack_req = true});
	t_uint("heard once: counted anew", 5, session()->rx_delay_s);
	rig_release(&rig);
}

/* A repeat of a frame is no sample, nor does it bring a second request's try. */
static void a_repeat_is_no_sample(void **state)
{
	(void)state;
	choose_usual();
	setup(LW_MAC_1_0_3, "eu868");
	sends(&(struct uplink){.dr = 0, .snr_cdb = 700});
	t_uint("one", 1, session()->adr.count);
	device.fcnt_up--;
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .adr = true}, phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868100000, 0, 900);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("a repeat", 1, rig.ns.drops[NS_DROP_REPEATED]);
	t_uint("still one", 1, session()->adr.count);
	device.fcnt_up++;
	sends(&(struct uplink){.dr = 0, .snr_cdb = 500, .restart = true});
	t_uint("two, one of them from before the crash", 2, session()->adr.count);
	t_int("the newest", 20, session()->adr.snr_qdb[0]);
	t_int("the one before", 28, session()->adr.snr_qdb[1]);
	rig_release(&rig);
}

/* Samples that no session row has yet come back out of the journal. */
static void samples_come_back_from_the_journal(void **state)
{
	(void)state;
	choose_usual();
	setup(LW_MAC_1_0_4, "eu868");
	device.dr = 2;
	do {
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .adr = true}, phy);
		rig_hears_on(&rig, 1, phy, length, 0, 868100000, 2, (int16_t)(-100 * (int)device.fcnt_up));
		rig_run(&rig, US_PER_S);
		device.fcnt_up++;
	} while ((rig.ns.sessions.dirty_count == 0 || rig.ns.fold.active) && device.fcnt_up < NS_ADR_HISTORY);
	t_uint("not in a row yet", 1, rig.ns.sessions.dirty_count);
	struct ns_adr_history before = session()->adr;
	before.told = 0;    /* not stored: it is recorded once more */
	before.gateway = 0; /* nor this: the next uplink tells */
	t_uint("one each", device.fcnt_up, before.count);
	rig_restart(&rig);
	t_bytes("all of them", (const uint8_t *)&before, sizeof before, (const uint8_t *)&session()->adr,
		sizeof before);
	rig_restart(&rig);
	t_bytes("and not twice", (const uint8_t *)&before, sizeof before, (const uint8_t *)&session()->adr,
		sizeof before);
	rig_release(&rig);
}

/* --- the whole loop ------------------------------------------------------------------------------------------------------ */

/* A device that obeys: SNR at full power, less 2 dB a step of power. */
static void the_loop(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int snr_cdb;   /* at full power */
		unsigned lose; /* every n-th frame is lost; 0: none */
		uint8_t max_nb_trans;
		uint8_t dr, power, nb_trans; /* in the end */
	} rows[] = {
		/* 12 + 7.5 − 10 = 9.5 dB at DR5: 3 steps; then 6 dB less: 3.5, a step more; 2 dB less: none */
		{"near a gateway: the highest data rate, less power", 1200, 0, 3, 5, 4, 1},
		/* −9.5 + 20 − 10 = 0.5 */
		{"far: it stays", -950, 0, 3, 0, 0, 1},
		/* −3 + 20 − 10 = 7: DR2 at once, and there −3 + 15 − 10 = 2: no step */
		{"between", -300, 0, 3, 2, 0, 1},
		{"far, and every fourth is lost: three repeats", -950, 4, 3, 0, 0, 3},
		{"the profile allows two", -950, 4, 2, 0, 0, 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		chosen.max_nb_trans = rows[i].max_nb_trans;
		setup(LW_MAC_1_0_4, "eu868");
		t_row(rows[i].name);
		uint8_t dr = 0, power = 0, nb_trans = 1;
		bool answers = false;
		for (unsigned n = 0; n < 300; n++) {
			bool lost = rows[i].lose && n % rows[i].lose == 1;
			sends(&(struct uplink){.says = answers ? "0307" : NULL,
					       .dr = dr,
					       .snr_cdb = rows[i].snr_cdb - 200 * power,
					       .lost = lost,
					       .restart = n % 50 == 49});
			answers = commands_length >= 5 && commands[0] == 0x03;
			if (answers) {
				dr = commands[1] >> 4;
				power = commands[1] & 15;
				nb_trans = commands[4] & 15;
			}
		}
		t_uint("data rate", rows[i].dr, dr);
		t_uint("power", rows[i].power, power);
		t_uint("NbTrans", rows[i].nb_trans, nb_trans);
		rig_release(&rig);
	}
}

/* The profile's data rate, whatever the signal; refused, it is not asked for again, and the device is left where it is. */
static void a_fixed_data_rate(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t fixed_dr, from;
		const char *answer;
		uint8_t dr; /* in the end */
		unsigned asked;
	} rows[] = {
		{"taken", 3, 0, "0307", 3, 1},
		{"slower than the signal allows", 2, 5, "0307", 2, 1},
		{"out of min_dr and max_dr", 5, 0, "0307", 5, 1},
		{"the device has it", 3, 3, NULL, 3, 0},
		{"refused once and for all", 3, 0, "0305", 0, 1},
		{"the region has none such", 12, 0, NULL, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		chosen.adr_algorithm = NET_ADR_FIXED;
		chosen.adr_fixed_dr = rows[i].fixed_dr;
		chosen.min_dr = 1;
		chosen.max_dr = 4;
		setup(LW_MAC_1_0_4, "eu868");
		t_row(rows[i].name);
		uint8_t dr = rows[i].from;
		unsigned asked = 0;
		const char *says = NULL;
		for (unsigned n = 0; n < 60; n++) {
			sends(&(struct uplink){.says = says, .dr = dr, .snr_cdb = 900});
			says = NULL;
			if (commands_length < 5 || commands[0] != 0x03)
				continue;
			bool rate = commands[1] >> 4 != dr;
			asked += rate;
			says = rate ? rows[i].answer : "0307";
			if (says && !strcmp(says, "0307"))
				dr = commands[1] >> 4;
		}
		t_uint("data rate", rows[i].dr, dr);
		t_uint("asked", rows[i].asked, asked);
		rig_release(&rig);
	}
}

/* --- what users of other servers complain of --------------------------------------------------------------------------------- */

struct obeys {
	uint8_t dr, power, nb_trans;
	unsigned asked, refused;
	const char *says; /* what it answers next; NULL: nothing */
};

/* A device near a gateway. `with`: what it answers; "": nothing, ever. */
static void goes_on(struct obeys *device_is, unsigned uplinks, const char *with)
{
	for (unsigned n = 0; n < uplinks; n++) {
		sends(&(struct uplink){.says = device_is->says,
				       .dr = device_is->dr,
				       .snr_cdb = 1000 - 200 * device_is->power,
				       .restart = n % 200 == 199});
		device_is->says = NULL;
		if (commands_length < 5 || commands[0] != 0x03)
			continue;
		device_is->asked++;
		device_is->says = with[0] ? with : NULL;
		if (strcmp(with, "0307") != 0)
			continue;
		device_is->dr = commands[commands_length - 4] >> 4;
		device_is->power = commands[commands_length - 4] & 15;
		device_is->nb_trans = commands[commands_length - 1] & 15;
	}
}

static void complaint_17_a_refusal_does_not_pin_a_device_to_the_lowest_data_rate(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum net_adr_algorithm algorithm;
		const char *answer;
	} rows[] = {
		{"usual: all refused", NET_ADR_USUAL, "0300"},
		{"steady: all refused", NET_ADR_STEADY, "0300"},
		{"steady: every data rate refused", NET_ADR_STEADY, "0305"},
		{"steady: every power refused", NET_ADR_STEADY, "0303"},
		{"steady: every mask refused", NET_ADR_STEADY, "0306"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_usual();
		chosen.adr_algorithm = rows[i].algorithm;
		setup(LW_MAC_1_0_4, "eu868");
		t_row(rows[i].name);
		struct obeys one = {.nb_trans = 1};
		goes_on(&one, NS_MAC_FORGIVE - 10, rows[i].answer);
		t_true("asked", one.asked >= 1);
		t_true("not flooded", one.asked <= 24);
		t_uint("where it was", 0, one.dr);
		goes_on(&one, 60, "0307");
		t_uint("the highest data rate once it takes it", 5, one.dr);
		rig_release(&rig);
	}
}

/* chirpstack#850: after the channels had been set, ADR did no more. */
static void complaint_17_the_power_falls_after_the_channel_mask_was_changed(void **state)
{
	(void)state;
	static const enum net_adr_algorithm algorithms[] = {NET_ADR_USUAL, NET_ADR_STEADY};
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		choose_usual();
		chosen.adr_algorithm = algorithms[i];
		setup(LW_MAC_1_0_4, "us915");
		t_row(net_adr_algorithm_name(algorithms[i]));
		struct obeys one = {.nb_trans = 1};
		goes_on(&one, 100, "0307");
		t_uint("channels", 9, lw_mask_count(&plan()->enabled));
		t_uint("data rate", 3, one.dr);
		t_true("less power, where that saves much", one.power >= (algorithms[i] == NET_ADR_USUAL));
		t_true("soon settled", one.asked <= 8);
		rig_release(&rig);
	}
}

static void complaint_20_a_device_that_never_answers_is_not_flooded(void **state)
{
	(void)state;
	static const enum net_adr_algorithm algorithms[] = {NET_ADR_USUAL, NET_ADR_FIXED, NET_ADR_STEADY};
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		choose_usual();
		chosen.adr_algorithm = algorithms[i];
		chosen.adr_fixed_dr = 4;
		setup(LW_MAC_1_0_4, "eu868");
		t_row(net_adr_algorithm_name(algorithms[i]));
		struct obeys one = {.nb_trans = 1};
		goes_on(&one, 400, "");
		t_true("asked", one.asked >= 1);
		t_true("ever more seldom", one.asked <= 8 + 400 / NS_MAC_WAIT_MAX);
		t_uint("and not taken for moved", 0, session()->mac.tx_power);
		rig_release(&rig);
	}
}

/* The profile's limits, and a rate of a wider channel: us915's DR4 is SF8 of 500 kHz, which needs 3.5 dB more than DR3. */
static void what_may_be_asked(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		enum net_adr_algorithm algorithm;
		uint8_t min_dr, max_dr, dr;
		int snr_cdb;
		uint8_t asked_dr;
	} rows[] = {
		{"usual: as fast as the profile lets", "eu868", NET_ADR_USUAL, 0, 3, 0, 1000, 3},
		{"steady: as fast as the profile lets", "eu868", NET_ADR_STEADY, 0, 3, 0, 1000, 3},
		{"usual: at least as fast as it says", "eu868", NET_ADR_USUAL, 2, 5, 0, -1900, 2},
		{"steady: at least as fast as it says", "eu868", NET_ADR_STEADY, 2, 5, 0, -1900, 2},
		{"3 dB to spare: power alone", "us915", NET_ADR_USUAL, 0, 4, 3, 550, 3},
		{"3.75 dB: the wide channel", "us915", NET_ADR_USUAL, 0, 4, 3, 625, 4},
		{"the region's highest does not go there", "us915", NET_ADR_USUAL, 0, NET_REGIONS_OWN, 3,
		 1000, 3},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t asked_dr = 0;
		choose_usual();
		chosen.adr_algorithm = rows[i].algorithm;
		chosen.min_dr = rows[i].min_dr;
		chosen.max_dr = rows[i].max_dr;
		setup(LW_MAC_1_0_4, rows[i].region);
		t_row(rows[i].name);
		for (int n = 0; n < 40; n++) {
			sends(&(struct uplink){.dr = rows[i].dr, .snr_cdb = rows[i].snr_cdb});
			if (commands_length >= 5 && commands[0] == 0x03 && asked_dr < commands[1] >> 4)
				asked_dr = commands[1] >> 4;
		}
		t_uint("data rate", rows[i].asked_dr, asked_dr);
		rig_release(&rig);
	}
}

/* A gateway tells how busy the air around it is by all that it hears, and ADR is told of the one that hears best. */
static void the_load_of_the_gateway_that_hears_best(void **state)
{
	(void)state;
	choose_usual();
	setup(LW_MAC_1_0_4, "eu868");
	sends(&(struct uplink){.dr = 0, .snr_cdb = 500});
	uint16_t gateway = session()->adr.gateway;
	t_true("remembered", gateway > 0);
	uint16_t busy[LW_DATA_RATES];
	rig_run(&rig, NS_ADR_LOAD_SLICE);
	ns_adr_load_share(&ns_gateways_at(&rig.ns.gateways, gateway - 1u)->load, 1, rig.now.mono, busy);
	t_true("a frame at DR0 is on the air", busy[0] > 0);
	t_uint("none at DR5", 0, busy[5]);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(refusals),
		t_test(refused_power_is_a_cap),
		t_test(lost),
		t_test(blocks),
		t_test(without_adr),
		t_test(trust),
		t_test(back_off),
		t_test(a_slower_retry),
		t_test(an_answer_in_a_slower_retry),
		t_test(deaf),
		t_test(a_repeat_is_no_sample),
		t_test(samples_come_back_from_the_journal),
		t_test(the_loop),
		t_test(a_fixed_data_rate),
		t_test(complaint_17_a_refusal_does_not_pin_a_device_to_the_lowest_data_rate),
		t_test(complaint_17_the_power_falls_after_the_channel_mask_was_changed),
		t_test(complaint_20_a_device_that_never_answers_is_not_flooded),
		t_test(what_may_be_asked),
		t_test(the_load_of_the_gateway_that_hears_best),
	};
	return t_run(tests);
}
