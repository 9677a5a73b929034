/* Requests of the network, exchange by exchange: what an uplink says in its FOpts, and which commands the downlink has that
 * answers it. Issued, taken, each bit refused, lost, repeated, across a crash, and answers to nothing. */
#include "common/base/hex.h"
#include "network-server/mac/mac.h"
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#define NO_FRAME NULL /* no downlink at all */
#define EMPTY    ""   /* a downlink without a command */

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static struct net_profile chosen;
#define PROFILE 7

/* All but identity and version. */
static void as_chosen(struct net_profile *profile)
{
	struct net_profile own = *profile;
	*profile = chosen;
	profile->version = own.version;
	profile->id = own.id;
	profile->mac_version = own.mac_version;
	memcpy(profile->region_id, own.region_id, sizeof profile->region_id);
}

/* What most rows begin with: nothing to ask for. */
static void choose_nothing(void)
{
	chosen = (struct net_profile){.rx2_dr = NET_REGIONS_OWN, .rx_delay_s = 5, .adr = true};
	net_profile_defaults(&chosen);
	chosen.dev_status_interval_h = 0;
}

static void setup(enum lw_mac_version version, const char *region)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	if (strcmp(region, "as923-1") == 0)
		rig_gateway(&rig, 4, region, false);
	rig_profile(&rig, PROFILE, version, region, as_chosen);
	rig_state_end(&rig);
	if (strcmp(region, "as923-1") == 0)
		ns_on_bridge(&rig.ns, rig.now, RIG_LINK);
	rig_abp(&rig, &device, 1, PROFILE, 0x26000001, version >= LW_MAC_1_1_0);
	device.dr = 5;
}

static struct ns_session *session(void)
{
	return ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, 0)->session);
}

static const struct lw_channel_plan *plan(void)
{
	return ns_session_plan(&rig.ns.sessions, session());
}

struct exchange {
	const char *name;
	const char *says;  /* FOpts, hex */
	const char *hears; /* commands of the answer, hex; NO_FRAME */
	enum { GOES_ON, RESTARTS } before;
	bool no_adr, adr_ack_req;
	uint32_t freq_hz; /* 0: 868.1 MHz */
	int snr_db;       /* of DR `device.dr` */
};

#define GATEWAY_OF(region) ((region) == 1 ? 3 : (region) == 2 ? 4 : 1)

/* Returns whether there was a downlink. */
static bool exchange(const struct exchange *row)
{
	uint8_t fopts[LW_FOPTS_MAX];
	size_t fopts_length = 0;
	if (row->before == RESTARTS)
		rig_restart(&rig);
	ASSERT(hex_decode(fopts, sizeof fopts, &fopts_length, row->says, strlen(row->says)));
	struct rig_frame frame = {.fport = 1,
				  .adr = !row->no_adr,
				  .adr_ack_req = row->adr_ack_req,
				  .fopts = fopts,
				  .fopts_length = (uint8_t)fopts_length};
	uint8_t region = session()->region;
	size_t before = rig.downlink_count;
	uint8_t length = rig_uplink(&rig, &device, &frame, phy);
	rig_hears_on(&rig, GATEWAY_OF(region), phy, length, 0,
		     row->freq_hz  ? row->freq_hz
		     : region == 1 ? 903900000
		     : region == 2 ? 923200000
				   : 868100000,
		     device.dr, (int16_t)(row->snr_db * 100));
	rig_run(&rig, 10 * US_PER_S);
	device.fcnt_up++;
	t_uint("frames", row->hears != NO_FRAME, rig.downlink_count - before);
	if (rig.downlink_count == before)
		return false;
	uint8_t commands[LW_PHY_PAYLOAD_MAX], count = 0, expected[LW_PHY_PAYLOAD_MAX];
	size_t expected_length = 0;
	struct lw_frame down;
	t_true("its MIC fits",
	       rig_last_downlink(&rig, &device, &down, (uint32_t)rig.downlink_count - 1, commands, &count));
	if (row->hears) {
		ASSERT(hex_decode(expected, sizeof expected, &expected_length, row->hears,
				  strlen(row->hears)));
		t_bytes("commands", expected, expected_length, commands, count);
	}
	return true;
}

static void exchanges(const struct exchange *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].name);
		exchange(&rows[i]);
	}
}
#define EXCHANGES(...)                                              \
	do {                                                        \
		static const struct exchange rows_[] = __VA_ARGS__; \
		exchanges(rows_, ARRAY_SIZE(rows_));                \
	} while (0)

/* --- DutyCycleReq ------------------------------------------------------------------------------------------- */

static void duty_cycle(void **state)
{
	(void)state;
	choose_nothing();
	chosen.max_duty_cycle = 7;
	setup(LW_MAC_1_0_3, "eu868");
	EXCHANGES({
		{.name = "asked", .says = "", .hears = "0407"},
		{.name = "the request was lost", .says = "", .hears = "0407"},
		{.name = "after a crash the answer finds its question",
		 .says = "04",
		 .hears = NO_FRAME,
		 .before = RESTARTS},
		{.name = "and there is peace", .says = "", .hears = NO_FRAME},
		{.name = "after another crash too", .says = "", .hears = NO_FRAME, .before = RESTARTS},
	});
	t_uint("confirmed", 7, session()->mac.max_duty_cycle);
	rig_release(&rig);
}

/* --- RXTimingSetupReq, RXParamSetupReq: answers stick --------------------------------------------------------- */

static void rx_timing(void **state)
{
	(void)state;
	choose_nothing();
	chosen.rx_delay_s = 2;
	setup(LW_MAC_1_0_3, "eu868");
	t_uint("boots with", 2, session()->rx_delay_s);
	EXCHANGES({
		{.name = "asked", .says = "", .hears = "0805"},
		{.name = "the answer was lost: it sticks to the next uplink, and is answered",
		 .says = "08",
		 .hears = EMPTY},
		{.name = "that was lost as well: a repeat, answered again", .says = "08", .hears = EMPTY},
		{.name = "repeated across a crash", .says = "08", .hears = EMPTY, .before = RESTARTS},
		{.name = "heard", .says = "", .hears = NO_FRAME},
	});
	t_uint("now", 5, session()->rx_delay_s);
	t_uint("one answer", 1,
	       rig.ns.mac_counts[NS_MAC_RX_TIMING_SETUP].taken + 1); /* counted before the crash */
	t_uint("a repeat since", 1, rig.ns.drops[NS_DROP_MAC_REPEATED]);
	t_uint("nothing unexpected", 0, rig.ns.drops[NS_DROP_MAC_UNEXPECTED]);
	rig_release(&rig);
}

static void rx_param(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *answer;
		const char *then; /* the downlink to it, which always comes; and to the uplink after */
		const char *after;
		uint8_t offset, dr;
		uint32_t freq_hz;
	} rows[] = {
		{"all taken", "0507", EMPTY, NO_FRAME, 0, 0, 869525000},
		{"offset refused: the rest is asked without it", "0503", EMPTY, "0520d2ad84", 2, 3,
		 869100000},
		{"data rate refused", "0505", EMPTY, "0503d2ad84", 2, 3, 869100000},
		{"frequency refused", "0506", EMPTY, "0500389d84", 2, 3, 869100000},
		{"all refused: nothing is left to ask", "0500", EMPTY, NO_FRAME, 2, 3, 869100000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_nothing();
		chosen.rx1_dr_offset = 2;
		chosen.rx2_dr = 3;
		chosen.rx2_freq_hz = 869100000;
		setup(LW_MAC_1_0_3, "eu868");
		t_row(rows[i].name);
		exchange(&(struct exchange){.says = "", .hears = "0500d2ad84"});
		t_uint("until its answer the old frequency", 869100000, session()->rx2_freq_hz);
		exchange(&(struct exchange){.says = rows[i].answer, .hears = rows[i].then});
		t_uint("offset", rows[i].offset, session()->rx1_dr_offset);
		t_uint("data rate", rows[i].dr, session()->rx2_dr);
		t_uint("frequency", rows[i].freq_hz, session()->rx2_freq_hz);
		exchange(&(struct exchange){.says = "", .hears = rows[i].after, .before = RESTARTS});
		rig_release(&rig);
	}
}

/* While a sticky answer is repeated no other request of its kind goes out. */
static void no_new_question_while_the_old_answer_sticks(void **state)
{
	(void)state;
	choose_nothing();
	chosen.rx1_dr_offset = 2;
	setup(LW_MAC_1_0_3, "eu868");
	EXCHANGES({
		{.name = "asked", .says = "", .hears = "0500d2ad84"},
		{.name = "refused", .says = "0503", .hears = EMPTY},
		{.name = "refused, repeated", .says = "0503", .hears = EMPTY},
		{.name = "nothing else is left", .says = "", .hears = NO_FRAME},
	});
	rig_release(&rig);
}

/* --- NewChannelReq, DlChannelReq ---------------------------------------------------------------------------- */

static void new_channel(void **state)
{
	(void)state;
	static const struct {
		const char *name, *answer, *then;
		uint32_t third_hz, fourth_hz;
	} rows[] = {
		{"both taken", "07030703", NO_FRAME, 867100000, 867300000},
		{"the first's frequency refused", "07020703", NO_FRAME, 0, 867300000},
		{"the second's data rates refused", "07030701", NO_FRAME, 867100000, 0},
		{"both refused", "07000700", NO_FRAME, 0, 0},
		{"one answer for two: the other is asked again", "0703", "0704e8568450", 867100000, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_nothing();
		setup(LW_MAC_1_0_3, "eu868");
		rig_extra_channels(&rig, "867.1 867.3");
		t_row(rows[i].name);
		exchange(&(struct exchange){.says = "", .hears = "0703184f84500704e8568450"});
		t_uint("not before its answer", 0, plan()->freq_hz[3]);
		exchange(&(struct exchange){
			.says = rows[i].answer, .hears = rows[i].then, .before = RESTARTS});
		t_uint("channel 3", rows[i].third_hz, plan()->freq_hz[3]);
		t_uint("channel 4", rows[i].fourth_hz, plan()->freq_hz[4]);
		if (!rows[i].then) {
			exchange(&(struct exchange){.says = "", .hears = NO_FRAME, .before = RESTARTS});
			rig_extra_channels(
				&rig, "867.5"); /* another wish: channel 3 is asked about again, 4 goes */
			const char *asks = rows[i].fourth_hz ? "0703b85e8450070400000000" : "0703b85e8450";
			exchange(&(struct exchange){.says = "", .hears = asks});
		}
		rig_release(&rig);
	}
}

/* The answer was lost, and the device uses the channel: in 1.1 its number is part of the MIC. */
static void a_new_channel_is_heard_before_its_answer(void **state)
{
	(void)state;
	static const enum lw_mac_version versions[] = {LW_MAC_1_0_3, LW_MAC_1_1_0};
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		choose_nothing();
		setup(versions[i], "eu868");
		rig_extra_channels(&rig, "867.1 867.3");
		t_row("asked");
		exchange(&(struct exchange){.says = "", .hears = "0703184f84500704e8568450"});
		t_row("heard on the new channel");
		device.channel = 4;
		/* Whatever became of the answer, channel 4 is there; channel 3 is asked again. */
		exchange(&(struct exchange){
			.says = "", .hears = "0703184f8450", .freq_hz = 867300000, .before = RESTARTS});
		t_uint("events", 2, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("RX1 is there", 867300000, rig.downlinks[rig.downlink_count - 1].attempts[0].freq_hz);
		t_uint("channel 4", 867300000, plan()->freq_hz[4]);
		t_uint("channel 3", 0, plan()->freq_hz[3]);
		device.channel = 0;
		rig_release(&rig);
	}
}

static void dl_channel(void **state)
{
	(void)state;
	static const struct {
		const char *name, *answer;
		uint32_t rx1_hz;
	} rows[] = {
		{"taken", "0a03", 869100000},
		{"frequency refused", "0a02", 0},
		{"no such uplink channel", "0a01", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_nothing();
		setup(LW_MAC_1_0_3, "eu868");
		rig_extra_channels(&rig, "867.1/869.1");
		t_row(rows[i].name);
		exchange(&(struct exchange){.says = "", .hears = "0703184f8450"});
		exchange(&(struct exchange){.says = "0703", .hears = "0a03389d84"});
		exchange(&(struct exchange){.says = rows[i].answer, .hears = EMPTY});
		t_uint("RX1 of the channel", rows[i].rx1_hz, plan()->rx1_freq_hz[3]);
		exchange(&(struct exchange){.says = rows[i].answer, .hears = EMPTY, .before = RESTARTS});
		exchange(&(struct exchange){.says = "", .hears = NO_FRAME, .freq_hz = 867100000});
		if (rows[i].rx1_hz) {
			exchange(&(struct exchange){
				.says = "", .hears = EMPTY, .freq_hz = 867100000, .adr_ack_req = true});
			t_uint("where RX1 is", 869100000,
			       rig.downlinks[rig.downlink_count - 1].attempts[0].freq_hz);
		}
		rig_release(&rig);
	}
}

/* A device up to 1.0.1 does not know DlChannelReq: it is not asked. */
static void only_what_the_version_knows(void **state)
{
	(void)state;
	choose_nothing();
	setup(LW_MAC_1_0_1, "eu868");
	rig_extra_channels(&rig, "867.1/869.1");
	EXCHANGES({
		{.name = "a channel", .says = "", .hears = "0703184f8450"},
		{.name = "and no more", .says = "0703", .hears = NO_FRAME},
	});
	rig_release(&rig);
}

/* --- TxParamSetupReq ---------------------------------------------------------------------------------------- */

static void tx_param(void **state)
{
	(void)state;
	choose_nothing();
	chosen.uplink_dwell = 1;
	chosen.downlink_dwell = 1;
	chosen.max_eirp_dbm = 14; /* index 4 */
	setup(LW_MAC_1_0_3, "as923-1");
	EXCHANGES({
		{.name = "asked", .says = "", .hears = "0934"},
		{.name = "after a crash the answer finds its question",
		 .says = "09",
		 .hears = EMPTY,
		 .before = RESTARTS},
		{.name = "repeated", .says = "09", .hears = EMPTY},
		{.name = "heard", .says = "", .hears = NO_FRAME, .before = RESTARTS},
	});
	t_uint("dwell times and power", 0x34, session()->mac.tx_param & 0x3f);
	rig_release(&rig);

	choose_nothing();
	chosen.uplink_dwell = 1;
	setup(LW_MAC_1_0_3, "eu868");
	EXCHANGES({{.name = "a region without it", .says = "", .hears = NO_FRAME}});
	rig_release(&rig);
}

/* Until the answer is here the device may use either dwell time: RX1's data rate is not certain, RX2's is. as923-1: DR0 is
 * answered at DR0, with the dwell limit at DR2. */
static void no_rx1_while_its_data_rate_is_not_certain(void **state)
{
	(void)state;
	choose_nothing();
	chosen.downlink_dwell = 1;
	chosen.adr = false;
	setup(LW_MAC_1_0_3, "as923-1");
	static const struct {
		const char *name, *says, *hears;
		bool certain;
		uint8_t rx1_dr;
	} rows[] = {
		{"asked; no answer yet", "", "0935", false, 0},
		{"asked again", "", "0935", false, 0},
		{"answered", "09", EMPTY, true, 2},
	};
	uint8_t dr = 99;
	t_true("before", ns_mac_rx1_dr(session(), &rig.regions[2], 0, &dr));
	t_uint("DR0", 0, dr);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		exchange(&(struct exchange){.says = rows[i].says, .hears = rows[i].hears});
		t_uint("certain", rows[i].certain, ns_mac_rx1_dr(session(), &rig.regions[2], 0, &dr));
		if (rows[i].certain)
			t_uint("data rate", rows[i].rx1_dr, dr);
		t_true("DR5 is DR5 with both", ns_mac_rx1_dr(session(), &rig.regions[2], 5, &dr));
		t_uint("DR5", 5, dr);
	}
	rig_release(&rig);
}

/* --- DevStatusReq ------------------------------------------------------------------------------------------- */

static void dev_status(void **state)
{
	(void)state;
	choose_nothing();
	chosen.dev_status_interval_h = 8;
	setup(LW_MAC_1_0_3, "eu868");
	EXCHANGES({
		{.name = "due, but no frame goes", .says = "", .hears = NO_FRAME},
		{.name = "with the first frame that goes", .says = "", .hears = "06", .adr_ack_req = true},
		{.name = "after a crash the answer finds its question",
		 .says = "06fe3f",
		 .hears = NO_FRAME,
		 .before = RESTARTS},
		{.name = "nobody asked", .says = "06fe3f", .hears = NO_FRAME},
		{.name = "not due", .says = "", .hears = EMPTY, .adr_ack_req = true},
	});
	t_uint("one event", 1, rig_events_of(&rig, PROTO_STATUS_EVENT));
	for (size_t i = 0; i < rig.event_count; i++)
		if (rig.events[i].kind == PROTO_STATUS_EVENT) {
			const struct net_status_event *event = &rig.events[i].status_event;
			t_uint("battery", 254, event->battery);
			t_int("margin", -1, event->margin_db);
			t_bytes("of its uplink", rig.events[i - 1].up_event.head.id.bytes, 16,
				event->uplink.bytes, 16);
		}
	t_uint("the second was unexpected", 1,
	       rig.ns.drops[NS_DROP_MAC_UNEXPECTED] + rig.ns.drops[NS_DROP_MAC_REPEATED]);
	rig_run(&rig, 9 * 3600 * US_PER_S);
	EXCHANGES({{.name = "due again, but no frame goes", .says = "", .hears = NO_FRAME}});
	rig_run(&rig, 2 * 3600 * US_PER_S);
	EXCHANGES({
		{.name = "overdue by a quarter: it makes a frame of its own", .says = "", .hears = "06"},
		{.name = "answered", .says = "060005", .hears = NO_FRAME},
	});
	t_uint("two events", 2, rig_events_of(&rig, PROTO_STATUS_EVENT));
	rig_release(&rig);
}

/* --- answers to nothing --------------------------------------------------------------------------------------- */

static void answers_to_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *name, *says, *hears;
	} rows[] = {
		{"LinkADRAns", "0307", NO_FRAME},     {"DutyCycleAns", "04", NO_FRAME},
		{"RXParamSetupAns", "0507", EMPTY},   {"DevStatusAns", "06ff00", NO_FRAME},
		{"NewChannelAns", "0703", NO_FRAME},  {"RXTimingSetupAns", "08", EMPTY},
		{"TxParamSetupAns", "09", EMPTY},     {"DlChannelAns", "0a03", EMPTY},
		{"ADRParamSetupAns", "0c", NO_FRAME},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		choose_nothing();
		setup(LW_MAC_1_0_3, "eu868");
		t_row(rows[i].name);
		struct ns_session before = *session();
		exchange(&(struct exchange){.says = rows[i].says, .hears = rows[i].hears});
		t_uint("unexpected", 1, rig.ns.drops[NS_DROP_MAC_UNEXPECTED]);
		t_uint("RxDelay", before.rx_delay_s, session()->rx_delay_s);
		t_uint("RX2", before.rx2_freq_hz, session()->rx2_freq_hz);
		t_uint("plan", before.plan, session()->plan);
		t_uint("power", 0, session()->mac.tx_power);
		t_uint("events", 1, rig.event_count);
		rig_release(&rig);
	}
	/* It holds up nothing else in the frame: a LinkCheckReq behind it. */
	choose_nothing();
	setup(LW_MAC_1_0_3, "eu868");
	EXCHANGES({{.name = "LinkADRAns, then LinkCheckReq", .says = "030702", .hears = "020701"}});
	rig_release(&rig);
}

/* --- a device that never answers -------------------------------------------------------------------------------- */

/* The pause between two requests grows: after the 1st and 2nd none, then 1, 3, 7... uplinks, 63 at most; for each kind by
 * itself. Application items go on as ever. */
static void pauses_grow(void **state)
{
	(void)state;
	choose_nothing();
	chosen.max_duty_cycle = 1;
	setup(LW_MAC_1_0_3, "eu868");
	unsigned asked_at[32], count = 0;
	for (unsigned uplink = 0; uplink < 400 && count < ARRAY_SIZE(asked_at); uplink++) {
		size_t before = rig.downlink_count;
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .adr = true}, phy);
		rig_hears_on(&rig, 1, phy, length, 0, 868100000, 5, -500);
		rig_run(&rig, 10 * US_PER_S);
		device.fcnt_up++;
		if (rig.downlink_count > before)
			asked_at[count++] = uplink;
		rig.event_count = 0;
	}
	static const unsigned expected[] = {0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384};
	t_uint("requests", ARRAY_SIZE(expected), count);
	for (size_t i = 0; i < ARRAY_SIZE(expected) && i < count; i++)
		t_uint("at uplink", expected[i], asked_at[i]);
	t_uint("without answer", count - 1, rig.ns.mac_counts[NS_MAC_DUTY_CYCLE].unanswered);
	struct net_enqueue item = {
		.item = rig_uuid(9), .dev_eui = device.dev_eui, .fport = 3, .length = 1, .encrypted = true};
	item.fcnt_down = ns_session_next_app_fcnt_down(session());
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
	EXCHANGES({{.name = "an item goes", .says = "", .hears = EMPTY}});
	rig_extra_channels(&rig, "867.1");
	EXCHANGES({
		{.name = "another kind is not held up", .says = "", .hears = "0703184f8450"},
		{.name = "and is answered", .says = "0703", .hears = NO_FRAME},
	});
	t_uint("channel 3", 867100000, plan()->freq_hz[3]);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(duty_cycle),  t_test(rx_timing),
		t_test(rx_param),    t_test(no_new_question_while_the_old_answer_sticks),
		t_test(new_channel), t_test(a_new_channel_is_heard_before_its_answer),
		t_test(dl_channel),  t_test(only_what_the_version_knows),
		t_test(tx_param),    t_test(no_rx1_while_its_data_rate_is_not_certain),
		t_test(dev_status),  t_test(answers_to_nothing),
		t_test(pauses_grow),
	};
	return t_run(tests);
}
