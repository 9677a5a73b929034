/* Joins: the request to the join server, its answer, the pending session, the first uplink under it. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

enum { PROFILE_103, PROFILE_11, PROFILE_US, PROFILE_US_102, PROFILE_CHOSEN };

static struct net_profile chosen;

static void as_chosen(struct net_profile *profile)
{
	profile->rx_delay_s = chosen.rx_delay_s;
	profile->rx1_dr_offset = chosen.rx1_dr_offset;
	profile->rx2_dr = chosen.rx2_dr;
	profile->rx2_freq_hz = chosen.rx2_freq_hz;
}

static void setup(uint8_t profile)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_11, LW_MAC_1_1_0, "eu868", NULL);
	rig_profile(&rig, PROFILE_US, LW_MAC_1_0_3, "us915", NULL);
	rig_profile(&rig, PROFILE_US_102, LW_MAC_1_0_2, "us915", NULL);
	rig_profile(&rig, PROFILE_CHOSEN, LW_MAC_1_0_3, "eu868", NULL);
	rig_state_end(&rig);
	rig_otaa(&rig, &device, 1, profile);
}

static void request(uint16_t dev_nonce, uint64_t gateway)
{
	struct lw_join_request join = {
		.join_eui = device.join_eui, .dev_eui = device.dev_eui, .dev_nonce = dev_nonce};
	uint8_t length = (uint8_t)lw_join_request_encode(&join, phy);
	rig_hears(&rig, gateway, phy, length, 0);
}

static void wrap(struct bi_key_envelope *envelope, const struct lw_key *key, const char *label)
{
	snprintf(envelope->label, sizeof envelope->label, "%s", label);
	envelope->length = BI_KEY_WRAPPED;
	assert_int_equal(AES_WRAP_OK, aes_wrap(rig.config.kek, 16, key->bytes, 16, envelope->key));
}

/* The join server's answer to the last call, as far as the network server looks at it. */
static struct bi_message answer_of(enum bi_result result)
{
	const struct ns_join_call *call = &rig.joins[rig.join_count - 1];
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_ANS, .transaction_id = call->transaction, .result = result}};
	struct bi_join_ans *answer = &message.join_ans;
	answer->phy_length = call->request.has_cflist ? 33 : 17;
	memset(answer->phy_payload, 0x20, answer->phy_length);
	device.dev_addr = call->request.dev_addr;
	device.v1_1 = call->request.dl_settings >> 7;
	memset(device.keys.f_nwk_s_int_key.bytes, 0x61, 16);
	memset(device.keys.s_nwk_s_int_key.bytes, device.v1_1 ? 0x62 : 0x61, 16);
	memset(device.keys.nwk_s_enc_key.bytes, device.v1_1 ? 0x63 : 0x61, 16);
	if (device.v1_1) {
		wrap(&answer->f_nwk_s_int_key, &device.keys.f_nwk_s_int_key, "network");
		wrap(&answer->s_nwk_s_int_key, &device.keys.s_nwk_s_int_key, "network");
		wrap(&answer->nwk_s_enc_key, &device.keys.nwk_s_enc_key, "network");
	} else {
		wrap(&answer->nwk_s_key, &device.keys.f_nwk_s_int_key, "network");
	}
	snprintf(answer->app_s_key.label, sizeof answer->app_s_key.label, "application");
	answer->app_s_key.length = BI_KEY_WRAPPED;
	memset(answer->app_s_key.key, 0xa5, BI_KEY_WRAPPED);
	return message;
}

static void give(const struct bi_message *message)
{
	ns_on_join_answer(&rig.ns, rig.now, rig.joins[rig.join_count - 1].transaction, message);
	rig_turn(&rig);
}

static void joins(void)
{
	static uint16_t dev_nonce = 100;
	request(dev_nonce++, rig.ns.profiles[ns_device_at(&rig.ns.sessions, 0)->profile].region == 1 ? 3 : 1);
	rig_run(&rig, 250 * US_PER_MS);
	struct bi_message answer = answer_of(BI_SUCCESS);
	give(&answer);
	device.fcnt_up = 0;
}

static void accepted(void **state)
{
	(void)state;
	setup(PROFILE_103);
	request(1, 1);
	request(1, 2);
	rig_run(&rig, 250 * US_PER_MS);
	t_uint("one call for two copies", 1, rig.join_count);
	const struct bi_join_req *call = &rig.joins[0].request;
	t_uint("RxDelay", 5, call->rx_delay);
	t_uint("DLSettings", 0x00, call->dl_settings);
	t_uint("prefix", 0x26000000, call->dev_addr.value & 0xfe000000);
	struct bi_message answer = answer_of(BI_SUCCESS);
	give(&answer);
	t_uint("the accept leaves at once", 1, rig.downlink_count);
	const struct gw_tx_attempt *attempt = &rig.downlinks[0].attempts[0];
	t_uint("RX1", 868100000, attempt->freq_hz);
	t_int("5 s after the request", 5 * US_PER_S - 250 * US_PER_MS - 30 * US_PER_MS,
	      gw_ticks_since(attempt->ticks, (struct gw_ticks){(uint32_t)(rig.now.mono.us + 1000000007)}));
	t_uint("event", 1, rig_events_of(&rig, PROTO_JOIN_EVENT));
	t_str("AppSKey's label", "application", rig.events[0].join_event.app_s_key_label);
	t_uint("pending", 1, ns_device_at(&rig.ns.sessions, 0)->pending != NS_NO_SLOT);
	rig_release(&rig);
}

static void first_uplink_takes_over(void **state)
{
	(void)state;
	setup(PROFILE_103);
	joins();
	struct rig_device old = device;
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_bytes("session of the join's event", rig.events[0].join_event.session.bytes, 16,
		rig.events[1].up_event.session.bytes, 16);
	joins();
	t_true("another address", old.dev_addr.value != device.dev_addr.value);
	t_row("while the new session is pending the old one still works");
	old.fcnt_up = 1;
	length = rig_uplink(&rig, &old, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("event", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	rig_restart(&rig);
	length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	t_row("then the old one is over, also after a restart");
	t_uint("event", 3, rig_events_of(&rig, PROTO_UP_EVENT));
	rig_restart(&rig);
	old.fcnt_up = 2;
	length = rig_uplink(&rig, &old, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("no event", 3, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("sessions", 1, rig.ns.sessions.slab.count);
	rig_release(&rig);
}

static void rekey(void **state)
{
	(void)state;
	setup(PROFILE_11);
	joins();
	t_true("OptNeg", rig.joins[0].request.dl_settings >> 7);
	device.channel = 0;
	uint8_t length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.fport = 1, .fopts = (const uint8_t[]){0x0b, 0x02}, .fopts_length = 2},
		phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	struct lw_frame frame;
	uint8_t commands[LW_PHY_PAYLOAD_MAX], count = 0;
	t_true("a downlink under the new keys",
	       rig_last_downlink(&rig, &device, &frame, 0, commands, &count));
	t_bytes("RekeyConf of the lesser minor", (const uint8_t[]){0x0b, 0x01}, 2, commands, count);
	rig_release(&rig);
}

static void us915_gets_masks(void **state)
{
	(void)state;
	setup(PROFILE_US);
	joins();
	const struct bi_join_req *call = &rig.joins[0].request;
	t_true("CFList", call->has_cflist);
	const uint8_t masks[] = {0x00, 0xff, 0, 0, 0, 0, 0, 0, 0x02};
	t_bytes("masks", masks, sizeof masks, call->cflist, sizeof masks);
	t_uint("type 1", 1, call->cflist[15]);
	rig_release(&rig);
}

/* Masks in a CFList came with 1.0.3: such a device is believed to have them, one of before is told by LinkADRReq. */
static void us915_after_the_join(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		unsigned channels, commands;
	} rows[] = {
		{"1.0.3: no LinkADRReq", PROFILE_US, 9, 0},
		{"1.0.2: LinkADRReq of two masks", PROFILE_US_102, 72, 10},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].profile);
		t_row(rows[i].name);
		joins();
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		rig_hears(&rig, 3, phy, length, 0);
		rig_run(&rig, 10 * US_PER_S);
		const struct ns_session *session = ns_session_at(&rig.ns.sessions,
								 ns_device_at(&rig.ns.sessions, 0)->session);
		t_uint("channels", rows[i].channels,
		       lw_mask_count(&ns_session_plan(&rig.ns.sessions, session)->enabled));
		struct lw_frame frame;
		uint8_t commands[LW_PHY_PAYLOAD_MAX], count = 0;
		t_true("answered", rig_last_downlink(&rig, &device, &frame, 0, commands, &count));
		t_uint("bytes of commands", rows[i].commands, count);
		rig_release(&rig);
	}
}

/* An accept does not name RX2's frequency: the first downlink of the session asks for it. */
static void rx2_frequency_after_the_join(void **state)
{
	(void)state;
	setup(PROFILE_CHOSEN);
	chosen = (struct net_profile){.rx1_dr_offset = 1, .rx2_dr = 3, .rx2_freq_hz = 869100000};
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_CHOSEN, LW_MAC_1_0_3, "eu868", as_chosen);
	rig_state_end(&rig);
	joins();
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	struct lw_frame frame;
	uint8_t commands[LW_PHY_PAYLOAD_MAX], count = 0;
	t_true("a downlink", rig_last_downlink(&rig, &device, &frame, 0, commands, &count));
	t_bytes("RXParamSetupReq", (const uint8_t[]){0x05, 0x13, 0x38, 0x9d, 0x84}, 5, commands, count);
	rig_release(&rig);
}

static void eu868_gets_eight_channels(void **state)
{
	(void)state;
	setup(PROFILE_11);
	rig_extra_channels(&rig, NULL);
	joins();
	const struct bi_join_req *call = &rig.joins[0].request;
	t_true("CFList", call->has_cflist);
	const uint8_t frequencies[] = {0x18, 0x4f, 0x84, 0xe8, 0x56, 0x84, 0xb8, 0x5e,
				       0x84, 0x88, 0x66, 0x84, 0x58, 0x6e, 0x84, 0};
	t_bytes("867.1 to 867.9, type 0", frequencies, sizeof frequencies, call->cflist, sizeof call->cflist);
	static const uint32_t heard[] = {868100000, 868500000, 867100000, 867900000};
	static const uint8_t channels[] = {0, 2, 3, 7};
	for (size_t i = 0; i < ARRAY_SIZE(heard); i++) { /* the channel's number is part of a 1.1 MIC */
		device.channel = channels[i];
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		size_t downlinks = rig.downlink_count;
		rig_hears_on(&rig, 1, phy, length, 0, heard[i], 5, 700);
		rig_run(&rig, 10 * US_PER_S);
		t_uint("events", i + 1, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("answered", downlinks + 1, rig.downlink_count);
		t_uint("on its own channel", heard[i],
		       rig.downlinks[rig.downlink_count - 1].attempts[0].freq_hz);
		device.fcnt_up++;
		if (i == 1)
			rig_restart(&rig);
	}
	rig_release(&rig);
}

/* What the accept says is what the windows of the session are then. */
static void windows_of_the_profile(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t rx_delay_s, rx1_dr_offset, rx2_dr; /* of the profile */
		uint32_t rx2_freq_hz;
		uint8_t rx_delay, dl_settings; /* of the accept */
		uint8_t rx1_sf, rx2_sf;
	} rows[] = {
		{"nothing chosen", 0, 0, 255, 0, 5, 0x00, 7, 12},
		{"RxDelay", 7, 0, 255, 0, 7, 0x00, 7, 12},
		{"RxDelay of a second", 1, 0, 255, 0, 1, 0x00, 7, 12},
		{"RX1DROffset", 0, 2, 255, 0, 5, 0x20, 9, 12},
		{"data rate of RX2", 0, 0, 3, 0, 5, 0x03, 7, 9},
		{"all of them", 7, 3, 4, 0, 7, 0x34, 10, 8},
		{"an offset that the region lacks", 0, 6, 255, 0, 5, 0x00, 7, 12},
		{"a data rate that the region lacks", 0, 0, 15, 0, 5, 0x00, 7, 12},
		{"RX2's frequency, of which an accept says nothing", 0, 0, 255, 869100000, 5, 0x00, 7, 12},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(PROFILE_CHOSEN);
		t_row(rows[i].name);
		chosen = (struct net_profile){.rx_delay_s = rows[i].rx_delay_s,
					      .rx1_dr_offset = rows[i].rx1_dr_offset,
					      .rx2_dr = rows[i].rx2_dr,
					      .rx2_freq_hz = rows[i].rx2_freq_hz};
		rig_state_begin(&rig, false);
		rig_profile(&rig, PROFILE_CHOSEN, LW_MAC_1_0_3, "eu868", as_chosen);
		rig_state_end(&rig);
		joins();
		t_uint("RxDelay", rows[i].rx_delay, rig.joins[0].request.rx_delay);
		t_uint("DLSettings", rows[i].dl_settings, rig.joins[0].request.dl_settings);
		rig_tx_ack(&rig, GW_TX_OK);
		rig_run(&rig, 10 * US_PER_S);
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		struct gw_ticks sent = {(uint32_t)(rig.now.mono.us - 30 * US_PER_MS + 1000000007)};
		rig_hears(&rig, 1, phy, length, 0);
		size_t before = rig.downlink_count;
		rig_run(&rig, (rows[i].rx_delay - 1) * US_PER_S + 310 * US_PER_MS);
		t_uint("the ACK", before + 1, rig.downlink_count);
		const struct gw_tx_attempt *attempt = &rig.downlinks[rig.downlink_count - 1].attempts[0];
		t_int("RX1", GW_RX1, attempt->window);
		t_int("after", rows[i].rx_delay * US_PER_S, gw_ticks_since(attempt->ticks, sent));
		t_uint("SF", rows[i].rx1_sf, attempt->modulation.spreading_factor);
		rig_tx_ack(&rig, GW_TX_TOO_LATE);
		attempt = &rig.downlinks[rig.downlink_count - 1].attempts[0];
		t_int("RX2", GW_RX2, attempt->window);
		t_int("a second later", (rows[i].rx_delay + 1) * US_PER_S,
		      gw_ticks_since(attempt->ticks, sent));
		t_uint("SF of RX2", rows[i].rx2_sf, attempt->modulation.spreading_factor);
		t_uint("frequency of RX2", 869525000, attempt->freq_hz);
		rig_release(&rig);
	}
}

static void refusals(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int change;
		enum ns_drop expected;
		unsigned calls;
	} rows[] = {
		{"the join server says no", 1, NS_DROP_JOIN_REFUSED, 1},
		{"keys under another label", 2, NS_DROP_JOIN_BAD_ANSWER, 1},
		{"keys that do not unwrap", 3, NS_DROP_JOIN_BAD_ANSWER, 1},
		{"keys in clear", 4, NS_DROP_JOIN_BAD_ANSWER, 1},
		{"no accept", 5, NS_DROP_JOIN_BAD_ANSWER, 1},
		{"another kind of message", 6, NS_DROP_JOIN_BAD_ANSWER, 1},
		{"an unknown device with a JoinEUI of ours", 7, NS_DROP_JOIN_UNKNOWN_DEVICE, 0},
		{"a device that is not approved", 8, NS_DROP_DEVICE_DISABLED, 0},
		{"a device of ABP", 9, NS_DROP_JOIN_NOT_OTAA, 0},
		{"the journal is full", 10, NS_DROP_JOURNAL_FULL, 0},
		{"a gateway of another region", 11, NS_DROP_REGION, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(PROFILE_103);
		t_row(rows[i].name);
		int change = rows[i].change;
		struct ns_device *record = ns_device_at(&rig.ns.sessions, 0);
		if (change == 7)
			device.dev_eui.bytes[7] ^= 1;
		if (change == 8)
			record->flags = 0;
		if (change == 9)
			record->flags |= NS_DEVICE_ABP;
		if (change == 10)
			rig.ns.journal.disk_low = true;
		request(1, change == 11 ? 3 : 1);
		rig_run(&rig, 250 * US_PER_MS);
		t_uint("calls", rows[i].calls, rig.join_count);
		if (rig.join_count > 0) {
			struct bi_message answer = answer_of(change == 1 ? BI_MIC_FAILED : BI_SUCCESS);
			if (change == 2)
				snprintf(answer.join_ans.nwk_s_key.label, BI_LABEL_TEXT, "other");
			if (change == 3)
				answer.join_ans.nwk_s_key.key[3] ^= 1;
			if (change == 4) {
				answer.join_ans.nwk_s_key.length = BI_KEY_CLEAR;
				answer.join_ans.nwk_s_key.label[0] = 0;
			}
			if (change == 5)
				answer.join_ans.phy_length = 0;
			if (change == 6)
				answer.envelope.type = BI_APP_S_KEY_ANS;
			give(&answer);
		}
		rig_run(&rig, 10 * US_PER_S);
		t_uint(ns_verdict(rows[i].expected)->name, 1, rig.ns.drops[rows[i].expected]);
		t_uint("no session", 0, rig.ns.sessions.slab.count);
		t_uint("no event", 0, rig_events_of(&rig, PROTO_JOIN_EVENT));
		t_uint("no accept", 0, rig.downlink_count);
		t_uint("nothing in flight", 0, rig.ns.joins.count);
		rig_release(&rig);
	}
}

static void called_again_with_the_same_transaction(void **state)
{
	(void)state;
	setup(PROFILE_103);
	request(1, 1);
	rig_run(&rig, 250 * US_PER_MS);
	uint32_t transaction = rig.joins[0].transaction;
	ns_on_join_answer(&rig.ns, rig.now, transaction, NULL); /* the call failed */
	rig_run(&rig, 2500 * US_PER_MS);
	t_uint("calls", 3, rig.join_count);
	for (size_t i = 0; i < rig.join_count; i++) {
		t_uint("transaction", transaction, rig.joins[i].transaction);
		t_uint("address", rig.joins[0].request.dev_addr.value, rig.joins[i].request.dev_addr.value);
	}
	struct bi_message answer = answer_of(BI_SUCCESS);
	give(&answer);
	t_uint("still in time", 1, rig.downlink_count);
	give(&answer);
	t_uint("a second answer changes nothing", 1, rig.downlink_count);
	rig_release(&rig);

	setup(PROFILE_103);
	request(1, 1);
	rig_run(&rig, 20 * US_PER_S);
	t_uint("given up", 1, rig.ns.drops[NS_DROP_JOIN_TIMEOUT]);
	t_uint("nothing in flight", 0, rig.ns.joins.count);
	rig_release(&rig);
}

static void a_late_copy_of_the_request_is_nothing(void **state)
{
	(void)state;
	setup(PROFILE_103);
	joins();
	size_t calls = rig.join_count;
	rig_run(&rig, 4 * US_PER_S);
	rig_hears(&rig, 2, phy, LW_JOIN_REQUEST_LENGTH, 4 * US_PER_S);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("no second call", calls, rig.join_count);
	rig_release(&rig);
}

/* Somebody sends what they recorded, or a device lost its counter and begins with the DevNonce that it began with before: the bytes are
 * the same, and whether they were used is for the join server to say. */
static void the_same_bytes_later(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		span_us later;
		size_t asked;
	} rows[] = {
		{"within ten minutes they are a late copy", 595 * US_PER_S, 0},
		{"after them the join server judges", 601 * US_PER_S, 1},
		{"an hour later as well", 3600 * US_PER_S, 1},
		{"and a day later, though nobody else was heard meanwhile", 86400 * US_PER_S, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup(PROFILE_103);
		request(7, 1);
		rig_run(&rig, 250 * US_PER_MS);
		t_uint("asked", 1, rig.join_count);
		rig_run(&rig, rows[i].later);
		size_t asked = rig.join_count; /* it was silent, and was asked more than once */
		request(7, 1);
		rig_run(&rig, 250 * US_PER_MS);
		t_uint("asked again", asked + rows[i].asked, rig.join_count);
		t_uint("told", !rows[i].asked, rig.ns.drops[NS_DROP_JOIN_REPEATED]);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(accepted),
		t_test(first_uplink_takes_over),
		t_test(rekey),
		t_test(us915_gets_masks),
		t_test(us915_after_the_join),
		t_test(rx2_frequency_after_the_join),
		t_test(eu868_gets_eight_channels),
		t_test(windows_of_the_profile),
		t_test(refusals),
		t_test(called_again_with_the_same_transaction),
		t_test(a_late_copy_of_the_request_is_nothing),
		t_test(the_same_bytes_later),
	};
	return t_run(tests);
}
