/* What is told of a join-request: for every verdict that can end a join a case that produces it, the numbers beside it, and
 * what a stranger can and cannot do to all this. */
#include "tests/harness/harness.h"
#include "tests/harness/network_why.h"

#include "common/lorawan/join_frame.h"
#include "network-server/join_course.h"

static struct rig rig;
static struct rig_device device;
static struct lw_join_request sends; /* what the device puts in its requests */
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

enum { PROFILE_103, PROFILE_US };

static void setup(uint8_t profile)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_US, LW_MAC_1_0_3, "us915", NULL);
	rig_state_end(&rig);
	rig_otaa(&rig, &device, 1, profile);
	sends = (struct lw_join_request){
		.join_eui = device.join_eui, .dev_eui = device.dev_eui, .dev_nonce = 1000};
}

static void request(uint64_t gateway)
{
	sends.dev_nonce++;
	rig_hears(&rig, gateway, phy, (uint8_t)lw_join_request_encode(&sends, phy), 0);
}

/* Heard by gateway 1, window closed. */
static void asks(void)
{
	request(1);
	rig_run(&rig, 400 * US_PER_MS);
}

static void server_says(enum bi_result result, const char *description)
{
	const struct ns_join_call *call = &rig.joins[(rig.join_count - 1) % RIG_SENT_MAX];
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_ANS, .transaction_id = call->transaction, .result = result}};
	snprintf(message.envelope.description, BI_DESCRIPTION_TEXT, "%s", description);
	struct bi_join_ans *answer = &message.join_ans;
	answer->phy_length = call->request.has_cflist ? 33 : 17;
	device.dev_addr = call->request.dev_addr;
	device.fcnt_up = 0;
	memset(device.keys.f_nwk_s_int_key.bytes, 0x61, 16);
	device.keys.s_nwk_s_int_key = device.keys.nwk_s_enc_key = device.keys.f_nwk_s_int_key;
	snprintf(answer->nwk_s_key.label, BI_LABEL_TEXT, "network");
	answer->nwk_s_key.length = BI_KEY_WRAPPED;
	assert_int_equal(AES_WRAP_OK, aes_wrap(rig.config.kek, 16, device.keys.f_nwk_s_int_key.bytes, 16,
					       answer->nwk_s_key.key));
	snprintf(answer->app_s_key.label, BI_LABEL_TEXT, "application");
	answer->app_s_key.length = BI_KEY_WRAPPED;
	ns_on_join_answer(&rig.ns, rig.now, call->transaction, &message);
	rig_turn(&rig);
}

static void sends_uplink(void)
{
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, US_PER_S);
}

static const struct net_join_report *last(void)
{
	static const struct net_join_report none = {.verdict = NET_JOIN_VERDICT_COUNT};
	return rig.report_count ? &rig.reports[(rig.report_count - 1) % RIG_SENT_MAX] : &none;
}

static struct ns_device *record(void)
{
	return ns_device_at(&rig.ns.sessions, ns_device_find(&rig.ns.sessions, &device.dev_eui));
}

/* --- one case for each end ---------------------------------------------------------------------------------- */

static void another_device(void)
{
	sends.dev_eui.bytes[7] ^= 1;
	asks();
}

static void mirrored(void)
{
	sends.dev_eui = lw_eui64_reverse(&device.dev_eui);
	asks();
}

static void swapped(void)
{
	sends.dev_eui = device.join_eui;
	sends.join_eui = device.dev_eui;
	asks();
}

static void foreign(void)
{
	sends.dev_eui = rig_eui(77);
	sends.join_eui = rig_eui(78);
	asks();
}

static void other_join_eui(void)
{
	sends.join_eui = rig_eui(78);
	asks();
}

static void mirrored_join_eui(void)
{
	sends.join_eui = lw_eui64_reverse(&device.join_eui);
	asks();
}

static void of_abp(void)
{
	record()->flags |= NS_DEVICE_ABP;
	asks();
}

static void disabled(void)
{
	record()->flags = 0;
	asks();
}

static void replaced(void)
{
	record()->flags = NS_DEVICE_REPLACED;
	asks();
}

static void other_region(void)
{
	request(3);
	rig_run(&rig, 400 * US_PER_MS);
}

static void no_profile(void)
{
	rig.ns.profiles[record()->profile].used = false;
	asks();
}

static void no_data_rate(void)
{
	sends.dev_nonce++;
	uint8_t length = (uint8_t)lw_join_request_encode(&sends, phy);
	struct gw_uplink uplink = {.gateway = rig_eui(1),
				   .phy_length = length,
				   .freq_hz = 868100000,
				   .modulation = {LW_LORA, 8, 500000, 0, 0, "4/5"},
				   .rssi_dbm = -60,
				   .arrival = rig.now.wall};
	memcpy(uplink.phy, phy, length);
	ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
	rig_turn(&rig);
	rig_run(&rig, 400 * US_PER_MS);
}

static void refused(const char *description)
{
	asks();
	server_says(BI_JOIN_REQ_FAILED, description);
}

static void wrong_key(void)
{
	asks();
	server_says(BI_MIC_FAILED, "mic_failed");
}

static void no_key(void)
{
	refused("no_key");
}

static void used(void)
{
	refused("dev_nonce_used: 1001, the last was 7");
}

static void not_increasing(void)
{
	refused("dev_nonce_not_increasing: 1001, the last was 2000");
}

static void not_provisioned(void)
{
	asks();
	server_says(BI_UNKNOWN_DEV_EUI, "unknown_device");
}

static void exhausted(void)
{
	refused("join_nonce_exhausted");
}

static void refused_otherwise(void)
{
	asks();
	server_says(BI_OTHER, "store_failed");
}

static void repeated(void)
{
	asks();
	server_says(BI_MIC_FAILED, "mic_failed");
	rig_run(&rig, 10 * US_PER_S);
	rig_hears(&rig, 1, phy, LW_JOIN_REQUEST_LENGTH, 0);
	rig_run(&rig, 400 * US_PER_MS);
}

static void silent_server(void)
{
	asks();
	rig_run(&rig, 20 * US_PER_S);
}

static void unusable_answer(void)
{
	asks();
	rig.config.kek[0] ^= 1;
	server_says(BI_SUCCESS, "");
}

static void disk_full(void)
{
	rig.ns.journal.disk_low = true;
	asks();
}

static void no_address(void)
{
	rig.ns.foreign.prefix_count = 0;
	asks();
}

static void sessions_full(void)
{
	asks();
	while (ns_slab_take(&rig.ns.sessions.slab) != NS_NO_SLOT)
		;
	server_says(BI_SUCCESS, "");
}

static void joins_full(void)
{
	while (ns_slab_take(&rig.ns.joins) != NS_NO_SLOT)
		;
	asks();
}

static void frames_full(void)
{
	while (ns_slab_take(&rig.ns.dedup.frames) != NS_NO_SLOT)
		;
	request(1);
}

static void downlinks_full(void)
{
	asks();
	while (ns_slab_take(&rig.ns.downlinks) != NS_NO_SLOT)
		;
	server_says(BI_SUCCESS, "");
}

static void gateway_gone(void)
{
	asks();
	ns_on_bridge_gone(&rig.ns, rig.now, RIG_LINK);
	server_says(BI_SUCCESS, "");
}

static void late_answer(void)
{
	asks();

	struct ns_join *join = ns_slab_at(&rig.ns.joins, 0);
	for (uint8_t i = 0; i < join->windows.count; i++)
		join->windows.by[i].sent.us -= 8 * US_PER_S;
	server_says(BI_SUCCESS, "");
}

static void no_airtime(void)
{
	asks();
	const struct ns_join *join = ns_slab_at(&rig.ns.joins, 0);
	const struct lw_region *region = &rig.regions[0];
	struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, join->windows.by[0].gateway);
	const struct lw_rx_window *windows[] = {&join->windows.rx1, &join->windows.rx2};
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++)
		for (unsigned j = 0; j < 200; j++) {
			struct mono start = mono_add(rig.now.mono,
						     (span_us)j * 10 * US_PER_S + 60 * US_PER_S);
			if (ns_gateway_duty_fits(gateway, region, windows[i]->freq_hz, rig.now.mono, start,
						 4000000))
				ns_gateway_transmits(gateway, region, windows[i]->freq_hz, rig.now.mono,
						     start, 4000000);
			if (ns_gateway_duty_fits(gateway, region, windows[i]->freq_hz, rig.now.mono,
						 rig.now.mono, 50000))
				ns_gateway_transmits(gateway, region, windows[i]->freq_hz, rig.now.mono,
						     rig.now.mono, 50000);
		}
	server_says(BI_SUCCESS, "");
}

static void refused_by_gateway(void)
{
	asks();
	server_says(BI_SUCCESS, "");
	for (unsigned i = 0; i < 4 && last()->verdict != NET_JOIN_GATEWAY_REFUSED; i++)
		rig_tx_ack(&rig, GW_TX_FREQ);
}

static void waits(void)
{
	asks();
	rig_run(&rig, 1200 * US_PER_MS);
}

static void accept_sent(void)
{
	asks();
	server_says(BI_SUCCESS, "");
}

static void accepted(void)
{
	accept_sent();
	rig_tx_ack(&rig, GW_TX_OK);
}

static void joined(void)
{
	accepted();
	rig_run(&rig, 10 * US_PER_S);
	sends_uplink();
}

/* The old attempt's last word is followed by the new one's, so what is looked at is the report before the last. */
static void unheard(void)
{
	accepted();
	rig_run(&rig, 10 * US_PER_S);
	asks();
	rig_run(&rig, 10 * US_PER_S);
	for (size_t i = rig.report_count; i > 0; i--)
		if (rig.reports[i - 1].verdict == NET_JOIN_ACCEPT_UNHEARD)
			rig.report_count = i;
}

static const struct end {
	const char *name;
	void (*happens)(void);
	enum net_join_verdict verdict;
	enum ns_drop drop; /* counted as well; NS_ACCEPTED: none */
} rows[] = {
	{"no such DevEUI", another_device, NET_JOIN_UNKNOWN_DEV_EUI, NS_DROP_JOIN_UNKNOWN_DEVICE},
	{"the mirror image", mirrored, NET_JOIN_DEV_EUI_REVERSED, NS_DROP_JOIN_UNKNOWN_DEVICE},
	{"the two EUIs swapped", swapped, NET_JOIN_EUIS_SWAPPED, NS_DROP_JOIN_UNKNOWN_DEVICE},
	{"neither is known", foreign, NET_JOIN_FOREIGN, NS_DROP_FOREIGN_JOIN_EUI},
	{"another JoinEUI", other_join_eui, NET_JOIN_JOIN_EUI_DIFFERS, NS_DROP_JOIN_EUI_DIFFERS},
	{"the JoinEUI's mirror image", mirrored_join_eui, NET_JOIN_JOIN_EUI_REVERSED,
	 NS_DROP_JOIN_EUI_DIFFERS},
	{"registered for ABP", of_abp, NET_JOIN_NOT_OTAA, NS_DROP_JOIN_NOT_OTAA},
	{"not enabled", disabled, NET_JOIN_DEVICE_DISABLED, NS_DROP_DEVICE_DISABLED},
	{"replaced", replaced, NET_JOIN_DEVICE_REPLACED, NS_DROP_DEVICE_REPLACED},
	{"a gateway of another region", other_region, NET_JOIN_WRONG_REGION, NS_DROP_REGION},
	{"the profile is not there", no_profile, NET_JOIN_NO_PROFILE, NS_DROP_REGION},
	{"no data rate of the region", no_data_rate, NET_JOIN_DATA_RATE, NS_DROP_DATA_RATE},
	{"wrong key", wrong_key, NET_JOIN_WRONG_KEY, NS_DROP_JOIN_REFUSED},
	{"no key", no_key, NET_JOIN_NO_KEY, NS_DROP_JOIN_REFUSED},
	{"DevNonce used", used, NET_JOIN_DEV_NONCE_USED, NS_DROP_JOIN_REFUSED},
	{"DevNonce not greater", not_increasing, NET_JOIN_DEV_NONCE_NOT_INCREASING, NS_DROP_JOIN_REFUSED},
	{"the same bytes again", repeated, NET_JOIN_DEV_NONCE_REPEATED, NS_DROP_JOIN_REPEATED},
	{"not known to the join server", not_provisioned, NET_JOIN_NOT_PROVISIONED, NS_DROP_JOIN_REFUSED},
	{"JoinNonces used up", exhausted, NET_JOIN_JOIN_NONCE_EXHAUSTED, NS_DROP_JOIN_REFUSED},
	{"refused for another reason", refused_otherwise, NET_JOIN_SERVER_REFUSED, NS_DROP_JOIN_REFUSED},
	{"the join server is silent", silent_server, NET_JOIN_SERVER_AWAY, NS_DROP_JOIN_TIMEOUT},
	{"an answer under another KEK", unusable_answer, NET_JOIN_BAD_ANSWER, NS_DROP_JOIN_BAD_ANSWER},
	{"the disk is full", disk_full, NET_JOIN_JOURNAL_FULL, NS_DROP_JOURNAL_FULL},
	{"no address", no_address, NET_JOIN_NO_ADDRESS, NS_DROP_JOIN_NO_ADDRESS},
	{"no room for a session", sessions_full, NET_JOIN_SESSIONS_FULL, NS_DROP_SESSIONS_FULL},
	{"no room for a join", joins_full, NET_JOIN_BUSY, NS_DROP_JOIN_FULL},
	{"no room for a frame", frames_full, NET_JOIN_BUSY, NS_DROP_DEDUP_FULL},
	{"no room for a downlink", downlinks_full, NET_JOIN_BUSY, NS_DROP_DOWNLINK_FULL},
	{"the gateway is gone", gateway_gone, NET_JOIN_NO_GATEWAY, NS_DROP_NO_GATEWAY},
	{"every window has passed", late_answer, NET_JOIN_TOO_LATE, NS_DROP_TOO_LATE},
	{"no airtime left", no_airtime, NET_JOIN_DUTY_CYCLE, NS_DROP_DUTY_CYCLE},
	{"the gateway refuses", refused_by_gateway, NET_JOIN_GATEWAY_REFUSED, NS_DROP_ATTEMPTS_SPENT},
	{"the join server takes its time", waits, NET_JOIN_WAITING, NS_ACCEPTED},
	{"the accept left", accept_sent, NET_JOIN_ACCEPT_SENT, NS_ACCEPTED},
	{"the accept was sent", accepted, NET_JOIN_ACCEPTED, NS_ACCEPTED},
	{"the first uplink came", joined, NET_JOIN_JOINED, NS_ACCEPTED},
	{"it asks again", unheard, NET_JOIN_ACCEPT_UNHEARD, NS_ACCEPTED},
};

/* Of the device, or of nobody; foreign ones leave none (invariant 12). */
static bool is_recorded(enum ns_drop drop)
{
	const char *name = ns_verdict(drop)->name;
	return drop == NS_DROP_FOREIGN_JOIN_EUI ||
	       strcmp(rig_decided_of_device(&rig, name), "nothing") != 0 ||
	       strcmp(rig_decided(&rig, "server", name), "nothing") != 0;
}

static void every_end_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(PROFILE_103);
		t_row(rows[i].name);
		rows[i].happens();
		const struct net_join_report *report = last();
		t_true("told", report->verdict < NET_JOIN_VERDICT_COUNT);
		if (report->verdict < NET_JOIN_VERDICT_COUNT)
			t_str("verdict", net_join_row(rows[i].verdict)->name,
			      net_join_row(report->verdict)->name);
		if (rows[i].drop != NS_ACCEPTED)
			t_true(ns_verdict(rows[i].drop)->name, rig.ns.drops[rows[i].drop] > 0);
		if (rows[i].drop != NS_ACCEPTED)
			t_true("recorded", is_recorded(rows[i].drop));
		t_bytes("DevEUI as sent", sends.dev_eui.bytes, 8, report->dev_eui.bytes, 8);
		rig_release(&rig);
	}
}

/* Their cases are in test_rejoin.c, in test_join_servers.c, and in test_join_storm.c. */
static bool is_of_others(enum net_join_verdict verdict)
{
	return (verdict >= NET_JOIN_REJOIN_NET_ID && verdict <= NET_JOIN_RJ_COUNT) ||
	       (verdict >= NET_JOIN_FOREIGN_REFUSED && verdict <= NET_JOIN_FOREIGN_BUSY) ||
	       verdict == NET_JOIN_STORM;
}

/* Walks both tables: a verdict without a case here is a verdict nobody has seen. */
static void every_verdict_has_its_case(void **state)
{
	(void)state;
	for (unsigned drop = 1; drop < NS_DROP_COUNT; drop++) {
		enum net_join_verdict verdict;
		if (!ns_course_end((enum ns_drop)drop, &verdict) || drop == NS_DROP_OUTBOX_FULL)
			continue; /* the outbox cannot be filled from outside: ns_turn_is_full() is before it */
		if (is_of_others(verdict))
			continue;
		t_row(ns_verdict((enum ns_drop)drop)->name);
		bool found = false;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			found |= rows[i].drop == drop;
		t_true("has a case", found);
	}
	for (unsigned verdict = 0; verdict < NET_JOIN_VERDICT_COUNT; verdict++) {
		if (verdict == NET_JOIN_NO_UPLINK || verdict == NET_JOIN_WRONG_SUB_BAND)
			continue; /* made by the application server out of others */
		if (is_of_others((enum net_join_verdict)verdict))
			continue;
		t_row(net_join_row((enum net_join_verdict)verdict)->name);
		bool found = false;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			found |= rows[i].verdict == verdict;
		t_true("has a case", found);
	}
}

/* --- the numbers -------------------------------------------------------------------------------------------- */

static void a_join_is_one_attempt(void **state)
{
	(void)state;
	setup(PROFILE_103);
	request(1);
	rig_hears(&rig, 2, phy, LW_JOIN_REQUEST_LENGTH, 0);
	rig_run(&rig, 400 * US_PER_MS);
	t_uint("nothing is told before there is something to tell", 0, rig.report_count);
	server_says(BI_SUCCESS, "");
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 10 * US_PER_S);
	sends_uplink();
	t_uint("reports", 3, rig.report_count);
	const struct net_join_report *sent = &rig.reports[0];
	t_uint("DevNonce", sends.dev_nonce, sent->dev_nonce);
	t_uint("gateways", 2, sent->gateway_count);
	t_uint("the best", 1, lw_eui64_number(&sent->gateway));
	t_int("RSSI", -61, sent->rssi_dbm);
	t_int("SNR", 700, sent->snr_cdb);
	t_uint("frequency", 868100000, sent->freq_hz);
	t_str("region", "eu868", sent->region_id);
	t_true("the accept", sent->has_tx);
	t_int("in RX1", GW_RX1, sent->tx_window);
	t_uint("by", 1, lw_eui64_number(&sent->tx_gateway));
	t_int("time left", 5 * US_PER_S - 400 * US_PER_MS, sent->left);
	t_true("its channel is not found fault with", !sent->off_plan);
	t_uint("accepts not heard", 0, sent->unheard);
	for (size_t i = 1; i < rig.report_count; i++)
		t_true("one attempt", rig.reports[i].attempt == sent->attempt);
	t_int("then", NET_JOIN_ACCEPTED, rig.reports[1].verdict);
	t_int("then", NET_JOIN_JOINED, rig.reports[2].verdict);
	rig_release(&rig);
}

static void the_registered_eui_stands_beside(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*happens)(void);
	} cases[] = {{"reversed", mirrored}, {"swapped", swapped}, {"another JoinEUI", other_join_eui}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(PROFILE_103);
		t_row(cases[i].name);
		cases[i].happens();
		t_true("of a registered device", last()->has_device);
		t_bytes("DevEUI", device.dev_eui.bytes, 8, last()->device.bytes, 8);
		t_bytes("JoinEUI", device.join_eui.bytes, 8, last()->device_join_eui.bytes, 8);
		rig_release(&rig);
	}
}

static void causes(void **state)
{
	(void)state;
	setup(PROFILE_103);
	used();
	t_str("with the last one", "JoinReqFailed: dev_nonce_used: 1001, the last was 7", last()->cause);
	rig_release(&rig);
	setup(PROFILE_103);
	refused_by_gateway();
	t_str("the gateway's word", "tx_freq", last()->cause);
	rig_release(&rig);
	setup(PROFILE_103);
	other_region();
	t_str("the device's region", "eu868", last()->cause);
	t_str("the gateway's", "us915", last()->region_id);
	rig_release(&rig);
}

static void accepts_not_heard_are_counted(void **state)
{
	(void)state;
	setup(PROFILE_103);
	for (unsigned i = 0; i < 3; i++) {
		accepted();
		t_uint("before this one", i, rig.reports[rig.report_count - 2].unheard);
		rig_run(&rig, 10 * US_PER_S);
	}
	accepted();
	rig_run(&rig, 10 * US_PER_S);
	sends_uplink();
	t_int("at last", NET_JOIN_JOINED, last()->verdict);
	accepted();
	t_uint("begun anew", 0, rig.reports[rig.report_count - 2].unheard);
	rig_release(&rig);
}

static void channels_of_us915(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t freq_hz;
		uint8_t dr;
		bool off_plan;
		uint8_t channel, sub_band;
	} channels[] = {
		{"sub-band 2, as planned", 903900000, 3, false, 8, 2},
		{"its 500 kHz channel", 904600000, 4, false, 65, 2},
		{"sub-band 1", 902300000, 3, true, 0, 1},
		{"sub-band 8", 914900000, 3, true, 63, 8},
		{"the 500 kHz channel of sub-band 7", 912600000, 4, true, 70, 7},
	};
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		setup(PROFILE_US);
		t_row(channels[i].name);
		sends.dev_nonce++;
		uint8_t length = (uint8_t)lw_join_request_encode(&sends, phy);
		rig_hears_on(&rig, 3, phy, length, 0, channels[i].freq_hz, channels[i].dr, 500);
		rig_run(&rig, 400 * US_PER_MS);
		server_says(BI_SUCCESS, "");
		t_int("the accept is sent all the same", NET_JOIN_ACCEPT_SENT, last()->verdict);
		t_int("off the plan", channels[i].off_plan, last()->off_plan);
		t_uint("channel", channels[i].channel, last()->channel);
		t_uint("sub-band", channels[i].sub_band, last()->sub_band);
		t_str("plan", "8-15,65", last()->plan);
		rig_release(&rig);
	}
}

/* What a gateway says of an earlier accept is not taken for news of the request that came since; and what it says late, of one
 * that has led to a session, takes nothing back. */
static void late_words_of_a_gateway(void **state)
{
	(void)state;
	setup(PROFILE_103);
	t_row("after another request");
	accept_sent();
	rig_run(&rig, 2 * US_PER_S);
	asks();
	size_t before = rig.report_count;
	t_int("the first is told to be unheard", NET_JOIN_ACCEPT_UNHEARD, last()->verdict);
	rig_tx_ack(&rig, GW_TX_OK);
	t_uint("nothing is told", before, rig.report_count);
	t_int("the second still waits", NET_JOIN_WAITING, record()->attempt_is);
	rig_release(&rig);

	setup(PROFILE_103);
	t_row("after the first uplink");
	accept_sent();
	sends_uplink();
	t_int("joined", NET_JOIN_JOINED, last()->verdict);
	rig_tx_ack(&rig, GW_TX_OK);
	t_int("still", NET_JOIN_JOINED, last()->verdict);
	rig_release(&rig);
}

/* The answer to the first of two requests comes when the second was already heard: what follows belongs to the first. */
static void an_answer_after_the_next_request(void **state)
{
	(void)state;
	setup(PROFILE_103);
	asks();
	uint32_t attempt = record()->attempt;
	struct ns_join_call first = rig.joins[(rig.join_count - 1) % RIG_SENT_MAX];
	rig_run(&rig, 2 * US_PER_S);
	request(1);
	rig_run(&rig, 400 * US_PER_MS);
	rig.joins[(rig.join_count - 1) % RIG_SENT_MAX] = first;
	t_true("the device's last is the second", record()->attempt != attempt);
	server_says(BI_SUCCESS, "");
	t_int("the accept of the first", NET_JOIN_ACCEPT_SENT, last()->verdict);
	rig_tx_ack(&rig, GW_TX_OK);
	t_int("was sent", NET_JOIN_ACCEPTED, last()->verdict);
	t_true("and belongs to it", (uint32_t)last()->attempt == attempt);
	rig_release(&rig);
}

static void a_thousand_accepts_not_heard(void **state)
{
	(void)state;
	setup(PROFILE_103);
	record()->unheard = UINT8_MAX;
	accepted();
	rig_run(&rig, 10 * US_PER_S);
	accepted();
	t_uint("the count stays at its end", UINT8_MAX, record()->unheard);
	rig_release(&rig);
}

/* --- strangers ---------------------------------------------------------------------------------------------- */

static void flood(span_us length, bool new_eui_each, bool our_join_eui)
{
	struct lw_join_request strange = {.join_eui = our_join_eui ? device.join_eui : rig_eui(5000)};
	span_us step = US_PER_MS;
	for (span_us at = 0; at < length; at += step) {
		strange.dev_eui = rig_eui(UINT64_C(0x9900000000000000) + (new_eui_each ? (uint64_t)at : 0));
		strange.dev_nonce++;
		rig_hears(&rig, 1, phy, (uint8_t)lw_join_request_encode(&strange, phy), 0);
		rig_run(&rig, step);
	}
}

static void a_flood_of_strangers_is_little(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool new_eui_each, our_join_eui;
		unsigned at_least, at_most; /* reports of 10 s */
	} floods[] = {
		{"one device, 1,000 a second", false, false, 1, 2},
		{"a new device each, 1,000 a second", true, false, 20, 11 * NS_STRANGER_REPORTS},
		{"one device with our JoinEUI", false, true, 1, 2},
		{"a new one each with our JoinEUI", true, true, 20, 11 * NS_STRANGER_REPORTS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(floods); i++) {
		setup(PROFILE_103);
		t_row(floods[i].name);
		flood(10 * US_PER_S, floods[i].new_eui_each, floods[i].our_join_eui);
		t_true("reports: enough", rig.report_count >= floods[i].at_least);
		t_true("reports: not many", rig.report_count <= floods[i].at_most);
		t_uint("no window was opened", 0, ns_dedup_open_count(&rig.ns.dedup));
		t_uint("nothing is remembered of them", 0, rig.ns.dedup.memory.count);
		enum ns_drop drop = floods[i].our_join_eui ? NS_DROP_JOIN_UNKNOWN_DEVICE
							   : NS_DROP_FOREIGN_JOIN_EUI;
		t_uint("each is counted", 10000, rig.ns.drops[drop]);
		size_t before = rig.report_count;
		joined();
		t_int("ours joins and is told of", NET_JOIN_JOINED, last()->verdict);
		t_true("among them", rig.report_count > before);
		rig_release(&rig);
	}
}

static void a_stranger_is_counted_over_time(void **state)
{
	(void)state;
	setup(PROFILE_103);
	flood(5 * US_PER_S, false, true);
	rig_run(&rig, 60 * US_PER_S);
	unsigned times = 0;
	for (size_t i = 0; i < rig.report_count; i++) {
		times += rig.reports[i].times;
		t_true("one attempt", rig.reports[i].attempt == rig.reports[0].attempt);
	}
	t_uint("every request is in a report", 5000, times);
	t_uint("then it is forgotten", 0, rig.ns.strangers.ours.table.count);
	rig_release(&rig);
}

static void the_gateways_of_a_stranger(void **state)
{
	(void)state;
	setup(PROFILE_103);
	sends.dev_eui = rig_eui(77);
	request(2);
	rig_hears(&rig, 1, phy, LW_JOIN_REQUEST_LENGTH, 0);
	rig_hears(&rig, 2, phy, LW_JOIN_REQUEST_LENGTH, 0);
	rig_run(&rig, US_PER_S);
	t_uint("one report", 1, rig.report_count);
	t_uint("of two requests: by gateway 2 it was heard twice", 2, last()->times);
	t_uint("by two gateways", 2, last()->gateway_count);
	t_uint("the best", 1, lw_eui64_number(&last()->gateway));
	t_str("of region", "eu868", last()->region_id);
	rig_hears(&rig, 1, phy, LW_JOIN_REQUEST_LENGTH, 0);
	rig_run(&rig, 60 * US_PER_S);
	t_uint("a copy that comes after it says nothing new", 1, rig.report_count);
	rig_release(&rig);
}

static void reports_wait_for_the_application_server(void **state)
{
	(void)state;
	setup(PROFILE_103);
	ns_on_app(&rig.ns, false);
	another_device();
	t_uint("kept", 1, rig.ns.join_reports.count);
	for (unsigned i = 0; i < NS_JOIN_REPORTS_MAX + 10; i++)
		(void)ns_join_reports_add(&rig.ns.join_reports, ns_join_reports_number(&rig.ns.join_reports),
					  false);
	t_uint("bounded", NS_JOIN_REPORTS_MAX, rig.ns.join_reports.count);
	t_uint("what went is counted", 11, rig.ns.join_reports.dropped);
	t_true("a stranger finds no room then",
	       !ns_join_reports_add(&rig.ns.join_reports, ns_join_reports_number(&rig.ns.join_reports),
				    true));
	rig_release(&rig);
}

/* Somebody who sends a registered device's EUIs cannot fill the ring with its name. */
static void forged_requests_of_one_device(void **state)
{
	(void)state;
	setup(PROFILE_103);
	for (unsigned i = 0; i < 500; i++) {
		request(1);
		rig_run(&rig, 20 * US_PER_MS);
		if (rig.join_count > 0)
			server_says(BI_MIC_FAILED, "mic_failed");
	}
	t_true("10 s of them: few reports", rig.report_count <= 10 / NS_COURSE_PAUSE + 1);
	t_true("and some", rig.report_count >= 2);
	rig_release(&rig);
}

static void prefixes_of_join_euis(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
		uint64_t inside, outside; /* 0: not asked */
	} prefixes[] = {
		{"70b3d57ed0000000/36", true, UINT64_C(0x70b3d57ed0ffffff), UINT64_C(0x70b3d57ee0000000)},
		{"70B3D57ED0000000/40", true, UINT64_C(0x70b3d57ed0ffffff), UINT64_C(0x70b3d57ed1000000)},
		{"70b3d57ed0000001/64", true, UINT64_C(0x70b3d57ed0000001), UINT64_C(0x70b3d57ed0000002)},
		{"8000000000000000/1", true, UINT64_C(0xffffffffffffffff), 1},
		{"70b3d57ed0000000/0", false, 0, 0},
		{"70b3d57ed0000000/65", false, 0, 0},
		{"70b3d57ed0000001/36", false, 0, 0},
		{"70b3d57ed0000000", false, 0, 0},
		{"70b3d57ed000000/36", false, 0, 0},
		{"70b3d57ed0000000/3x", false, 0, 0},
		{"70b3d57ed0000000/", false, 0, 0},
		{"", false, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct lw_eui_prefix prefix;
		t_row(prefixes[i].text);
		t_int("read", prefixes[i].good, lw_eui_prefix_parse(prefixes[i].text, &prefix));
		if (!prefixes[i].good)
			continue;
		setup(PROFILE_103);
		ns_foreign_allow_join_euis(&rig.ns.foreign, &prefix, 1);
		sends.dev_eui = rig_eui(77);
		sends.join_eui = rig_eui(prefixes[i].inside);
		asks();
		t_int("ours", NET_JOIN_UNKNOWN_DEV_EUI, last()->verdict);
		sends.join_eui = rig_eui(prefixes[i].outside);
		asks();
		t_int("not ours", NET_JOIN_FOREIGN, last()->verdict);
		rig_release(&rig);
	}
}

static void refusals_of_join_servers(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum bi_result result;
		const char *description;
		enum net_join_verdict verdict;
	} answers[] = {
		{"ours names it", BI_JOIN_REQ_FAILED, "dev_nonce_used", NET_JOIN_DEV_NONCE_USED},
		{"with numbers", BI_JOIN_REQ_FAILED, "dev_nonce_used: 1", NET_JOIN_DEV_NONCE_USED},
		{"a longer word is another word", BI_JOIN_REQ_FAILED, "dev_nonce_used_up",
		 NET_JOIN_SERVER_REFUSED},
		{"disabled there", BI_ACTIVATION_DISALLOWED, "disabled", NET_JOIN_DEVICE_DISABLED},
		{"a late copy", BI_FRAME_REPLAYED, "late_copy", NET_JOIN_DEV_NONCE_REPEATED},
		{"a foreign one: MIC", BI_MIC_FAILED, "", NET_JOIN_WRONG_KEY},
		{"a foreign one: DevEUI", BI_UNKNOWN_DEV_EUI, "no idea", NET_JOIN_NOT_PROVISIONED},
		{"a foreign one: replayed", BI_FRAME_REPLAYED, "", NET_JOIN_DEV_NONCE_USED},
		{"a foreign one: failed", BI_JOIN_REQ_FAILED, "", NET_JOIN_SERVER_REFUSED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		t_row(answers[i].name);
		t_int("verdict", answers[i].verdict,
		      ns_course_refusal(answers[i].result, answers[i].description));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_end_is_told),
		t_test(every_verdict_has_its_case),
		t_test(a_join_is_one_attempt),
		t_test(the_registered_eui_stands_beside),
		t_test(causes),
		t_test(accepts_not_heard_are_counted),
		t_test(channels_of_us915),
		t_test(late_words_of_a_gateway),
		t_test(an_answer_after_the_next_request),
		t_test(a_thousand_accepts_not_heard),
		t_test(a_flood_of_strangers_is_little),
		t_test(a_stranger_is_counted_over_time),
		t_test(the_gateways_of_a_stranger),
		t_test(reports_wait_for_the_application_server),
		t_test(forged_requests_of_one_device),
		t_test(prefixes_of_join_euis),
		t_test(refusals_of_join_servers),
	};
	return t_run(tests);
}
