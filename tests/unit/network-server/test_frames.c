/* Live frames: which verdict is told of what, to whom, with which facts, and what nobody's following costs. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void follow(uint32_t follower, uint32_t lease_s, const struct net_frame_filter *filter)
{
	const struct net_frames_wanted wanted = {follower, lease_s, *filter};
	ns_on_frames_wanted(&rig.ns, rig.now, &wanted);
}

static void follow_all(void)
{
	follow(0, NET_FRAMES_LEASE_S, &(struct net_frame_filter){.foreign = true});
}

static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
}

/* The next frame that was told; NULL when there is none. Valid until the next call. */
static const struct net_frame *told(void)
{
	static struct net_frame frame;
	const struct net_frame *first = ns_frames_first(&rig.ns.frames);
	if (!first)
		return NULL;
	frame = *first;
	ns_frames_take(&rig.ns.frames);
	return &frame;
}

static void send(uint32_t fcnt, const struct rig_frame *frame)
{
	device.fcnt_up = fcnt;
	rig_hears(&rig, 1, phy, rig_uplink(&rig, &device, frame, phy), 0);
	rig_run(&rig, US_PER_S);
}

static const struct rig_frame plain = {.fport = 1, .payload = (const uint8_t *)"x", .length = 1};

static void an_accepted_uplink_is_told_with_its_facts(void **state)
{
	(void)state;
	setup();
	follow_all();
	device.fcnt_up = 7;
	uint8_t length = rig_uplink(&rig, &device, &plain, phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 3, -200);
	rig_hears_on(&rig, 2, phy, length, 0, 868300000, 3, 550);
	rig_run(&rig, US_PER_S);
	const struct net_frame *frame = told();
	t_true("told", frame != NULL);
	if (!frame)
		return;
	t_str("verdict", "accepted", frame->verdict);
	t_int("standing", NET_FRAME_GOOD, frame->standing);
	t_true("a sentence", frame->sentence[0] != '\0');
	t_int("direction", LW_UP, frame->direction);
	t_bytes("bytes as on the air", phy, length, frame->phy, frame->phy_length);
	t_true("device", frame->has_device && lw_eui64_equal(&frame->dev_eui, &device.dev_eui));
	t_uint("address", 0x26000001, frame->has_dev_addr ? frame->dev_addr.value : 0);
	t_uint("counter", 7, frame->has_fcnt ? frame->fcnt : 0);
	t_str("region", "eu868", frame->region_id);
	t_uint("frequency", 868300000, frame->freq_hz);
	t_uint("rate", 3, frame->has_dr ? frame->dr : 99);
	t_uint("gateways", 2, frame->gateway_count);
	t_uint("receptions", 2, frame->reception_count);
	t_int("the best first", 550, frame->receptions[0].snr_cdb);
	t_false("another time", frame->retransmission);
	t_true("once", told() == NULL);
	rig_release(&rig);
}

/* What a person does to a good frame, and the verdict that is told of it. */
static void each_way_to_be_dropped_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int change;
		enum ns_drop expected; /* NS_DROP_COUNT: nothing is told */
		enum net_frame_standing standing;
		bool has_device;
	} rows[] = {
		{"another key", 1, NS_DROP_MIC, NET_FRAME_PROBLEM, false},
		{"no session of this address", 2, NS_DROP_UNKNOWN_DEV_ADDR, NET_FRAME_PROBLEM, false},
		{"another network's address", 3, NS_DROP_FOREIGN_DEV_ADDR, NET_FRAME_FOREIGN, false},
		{"a gateway of another region", 4, NS_DROP_REGION, NET_FRAME_PROBLEM, false},
		{"a bad CRC is nobody's frame", 5, NS_DROP_COUNT, NET_FRAME_NOTE, false},
		{"cut short", 6, NS_DROP_MALFORMED, NET_FRAME_PROBLEM, false},
		{"a downlink of somebody", 7, NS_DROP_DOWNLINK_FRAME, NET_FRAME_FOREIGN, false},
		{"proprietary", 8, NS_DROP_PROPRIETARY, NET_FRAME_FOREIGN, false},
		{"the journal is at its limit", 9, NS_DROP_JOURNAL_FULL, NET_FRAME_PROBLEM, true},
		{"the device is not approved", 10, NS_DROP_DEVICE_DISABLED, NET_FRAME_PROBLEM, true},
		{"a rejoin-request of nobody's", 11, NS_DROP_FOREIGN_REJOIN, NET_FRAME_FOREIGN, false},
		{"an unknown JoinEUI", 12, NS_DROP_FOREIGN_JOIN_EUI, NET_FRAME_FOREIGN, false},
		{"a counter of before", 13, NS_DROP_FCNT_OLD, NET_FRAME_PROBLEM, true},
		{"the last frame once more", 14, NS_DROP_REPEATED, NET_FRAME_NOTE, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup();
		int change = rows[i].change;
		uint32_t fcnt = change == 13 ? 3 : 5;
		if (change >= 13)
			send(5, &plain);
		follow_all();
		if (change == 1)
			device.keys.f_nwk_s_int_key.bytes[0] ^= 1;
		if (change == 2 || change == 3)
			device.dev_addr.value = change == 2 ? 0x26000002 : 0x48000001;
		device.fcnt_up = fcnt;
		uint8_t length = rig_uplink(&rig, &device, &plain, phy);
		if (change == 6)
			length = 11;
		if (change == 7)
			phy[0] = 0x60;
		if (change == 8)
			phy[0] = 0xe0;
		if (change == 9)
			rig.ns.journal.bytes = rig.ns.journal.limit;
		if (change == 10)
			ns_device_at(&rig.ns.sessions, 0)->flags = NS_DEVICE_ABP;
		if (change == 11) {
			length = 19;
			phy[0] = 0xc0;
			phy[1] = 0;
		}
		if (change == 12) {
			memset(phy, 0, sizeof phy);
			length = 23;
		}
		if (change == 5) {
			struct gw_uplink bad = {
				.gateway = rig_eui(1), .phy_length = length, .crc = GW_CRC_BAD};
			ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &bad);
		} else {
			rig_run(&rig, 8 * US_PER_S);
			rig_hears(&rig, change == 4 ? 3 : 1, phy, length, 0);
		}
		rig_run(&rig, US_PER_S);
		const struct net_frame *frame = told();
		bool expected = rows[i].expected != NS_DROP_COUNT;
		if (!t_int("told", expected, frame != NULL) || !expected) {
			rig_release(&rig);
			continue;
		}
		t_str("verdict", ns_verdict(rows[i].expected)->name, frame->verdict);
		t_int("standing", rows[i].standing, frame->standing);
		t_bytes("bytes", phy, length, frame->phy, frame->phy_length);
		t_int("device", rows[i].has_device, frame->has_device);
		t_uint("once", 1, frame->reception_count);
		rig_release(&rig);
	}
}

static void copies_of_what_ends_early_are_collected(void **state)
{
	(void)state;
	setup();
	follow_all();
	device.dev_addr.value = 0x48000001;
	uint8_t length = rig_uplink(&rig, &device, &plain, phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 3, -200);
	t_true("not before the window is over", told() == NULL);
	rig_hears_on(&rig, 2, phy, length, 0, 868300000, 3, 550);
	rig_run(&rig, US_PER_S);
	const struct net_frame *frame = told();
	t_uint("gateways", 2, frame ? frame->gateway_count : 0);
	t_int("the best first", 550, frame ? frame->receptions[0].snr_cdb : 0);
	t_true("once", told() == NULL);
	rig_release(&rig);
}

static void more_than_can_be_held_is_told_as_it_comes(void **state)
{
	(void)state;
	setup();
	follow_all();
	device.dev_addr.value = 0x48000001;
	for (uint32_t i = 0; i < NS_FRAMES_HELD_MAX + 3; i++) {
		device.fcnt_up = i;
		rig_hears(&rig, 1, phy, rig_uplink(&rig, &device, &plain, phy), 0);
	}
	unsigned count = 0;
	while (told())
		count++;
	t_uint("at once", 3, count);
	rig_run(&rig, US_PER_S);
	while (told())
		count++;
	t_uint("all", NS_FRAMES_HELD_MAX + 3, count);
	rig_release(&rig);
}

static void join_request(uint16_t dev_nonce)
{
	const struct lw_join_request join = {
		.join_eui = device.join_eui, .dev_eui = device.dev_eui, .dev_nonce = dev_nonce};
	rig_hears(&rig, 1, phy, (uint8_t)lw_join_request_encode(&join, phy), 0);
	rig_run(&rig, 250 * US_PER_MS);
}

/* However many a gateway hears of another network: joins are held for the join server's word. */
static void frames_that_nobody_asks_for_take_no_place(void **state)
{
	(void)state;
	setup();
	follow(0, NET_FRAMES_LEASE_S, &(struct net_frame_filter){.foreign = true});
	follow(0, NET_FRAMES_LEASE_S, &(struct net_frame_filter){.foreign = true});
	follow(1, NET_FRAMES_LEASE_S, &(struct net_frame_filter){.foreign = true});
	t_uint("two ask for them", 2, rig.ns.frames.foreign_count);
	follow(0, NET_FRAMES_LEASE_S, &(struct net_frame_filter){.foreign = false});
	follow(1, 0, &(struct net_frame_filter){.foreign = false});
	t_uint("none is left", 0, rig.ns.frames.foreign_count);
	struct rig_device stranger = device;
	stranger.dev_addr.value = 0x48000001;
	for (stranger.fcnt_up = 0; stranger.fcnt_up < NS_FRAMES_HELD_MAX; stranger.fcnt_up++)
		rig_hears(&rig, 1, phy, rig_uplink(&rig, &stranger, &plain, phy), 0);
	t_uint("held", 0, rig.ns.frames.held_count);
	rig_otaa(&rig, &device, 2, 1);
	join_request(1);
	t_true("the join waits", told() == NULL);
	t_uint("held", 1, rig.ns.frames.held_count);
	rig_release(&rig);
}

static void a_downlink_is_told_when_it_leaves_and_at_the_gateways_word(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum gw_tx_result result; /* GW_TX_NO_ANSWER: none comes */
		const char *verdict;
		enum net_frame_standing standing;
	} rows[] = {
		{"taken", GW_TX_OK, "tx_ok", NET_FRAME_GOOD},
		{"silence", GW_TX_NO_ANSWER, "tx_no_answer", NET_FRAME_NOTE},
		{"refused", GW_TX_FREQ, "tx_freq", NET_FRAME_PROBLEM},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup();
		follow(0, 30, &(struct net_frame_filter){.directions = NET_FRAMES_DOWN});
		device.fcnt_up = 0;
		rig_hears(&rig, 1, phy,
			  rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy),
			  0);
		rig_run(&rig, 4500 * US_PER_MS);
		const struct net_frame *frame = told();
		if (!t_true("told", frame != NULL))
			continue;
		const struct gw_downlink *sent = &rig.downlinks[0];
		t_str("verdict", "sent", frame->verdict);
		t_int("direction", LW_DOWN, frame->direction);
		t_bytes("bytes", sent->phy, sent->phy_length, frame->phy, frame->phy_length);
		t_true("device", frame->has_device && lw_eui64_equal(&frame->dev_eui, &device.dev_eui));
		t_uint("counter", 0, frame->has_fcnt ? frame->fcnt : 99);
		t_true("gateway", lw_eui64_equal(&frame->tx.gateway, &sent->attempts[0].gateway));
		t_uint("frequency", sent->attempts[0].freq_hz, frame->freq_hz);
		t_false("answered", frame->answered);
		t_true("some time left", frame->left > 0 && frame->left < US_PER_S);
		uint64_t id = frame->downlink;
		if (rows[i].result != GW_TX_NO_ANSWER)
			rig_tx_ack(&rig, rows[i].result);
		rig_run(&rig, 10 * US_PER_S);
		frame = told();
		if (!t_true("the word is told", frame != NULL))
			continue;
		t_str("verdict", rows[i].verdict, frame->verdict);
		t_int("standing", rows[i].standing, frame->standing);
		t_true("answered", frame->answered);
		t_uint("of the same downlink", id, frame->downlink);
		rig_release(&rig);
	}
}

static void a_join_request_is_told_with_the_join_servers_word(void **state)
{
	(void)state;
	setup();
	follow_all();
	rig_otaa(&rig, &device, 2, 1);
	join_request(1);
	t_true("not before", told() == NULL);
	struct bi_message no = {.envelope = {.type = BI_JOIN_ANS,
					     .transaction_id = rig.joins[0].transaction,
					     .result = BI_MIC_FAILED}};
	ns_on_join_answer(&rig.ns, rig.now, rig.joins[0].transaction, &no);
	rig_turn(&rig);
	const struct net_frame *frame = told();
	if (!t_true("told", frame != NULL))
		return;
	t_str("verdict", "join_refused", frame->verdict);
	t_str("what it means", net_join_row(NET_JOIN_WRONG_KEY)->sentence, frame->sentence);
	t_str("what to do", net_join_row(NET_JOIN_WRONG_KEY)->next, frame->next);
	t_true("device", frame->has_device && lw_eui64_equal(&frame->dev_eui, &device.dev_eui));
	t_bytes("bytes", phy, 23, frame->phy, frame->phy_length);
	rig_run(&rig, 10 * US_PER_S);
	follow_all();
	join_request(2);
	rig_run(&rig, 10 * US_PER_S);
	frame = told();
	t_str("nobody answers", "join_timeout", frame ? frame->verdict : "");
	t_true("once", told() == NULL);
	device.join_eui = rig_eui(99);
	follow_all();
	join_request(3);
	frame = told();
	t_str("refused before", "join_eui_differs", frame ? frame->verdict : "");
	rig_release(&rig);
}

static void filters_end_where_the_frame_is_made(void **state)
{
	(void)state;
	setup();
	follow(3, 30, &(struct net_frame_filter){.verdicts = "mic", .directions = NET_FRAMES_UP});
	send(1, &plain);
	t_true("accepted is not asked for", told() == NULL);
	follow(4, 30,
	       &(struct net_frame_filter){
		       .by_device = true, .dev_eui = device.dev_eui, .directions = NET_FRAMES_UP});
	send(2, &plain);
	t_true("another follower asks for it", told() != NULL);
	follow(4, 0, &(struct net_frame_filter){.foreign = false});
	send(3, &plain);
	t_true("that one has gone", told() == NULL);
	t_uint("one is left", 1, rig.ns.frames.follower_count);
	rig_release(&rig);
}

static void a_lease_that_is_not_renewed_ends(void **state)
{
	(void)state;
	setup();
	const struct net_frame_filter up = {.directions = NET_FRAMES_UP};
	follow(0, 30, &up);
	rig_run(&rig, 20 * US_PER_S);
	follow(0, 30, &up);
	rig_run(&rig, 20 * US_PER_S);
	send(1, &plain);
	t_true("renewed", told() != NULL);
	rig_run(&rig, 30 * US_PER_S);
	send(2, &plain);
	t_true("past its end", told() == NULL);
	t_false("nobody follows", ns_frames_followed(&rig.ns.frames));
	follow(0, 3600, &up);
	rig_run(&rig, 31 * US_PER_S);
	send(3, &plain);
	t_true("no lease is longer than the longest", told() == NULL);
	follow(0, 30, &up);
	follow(1, 30, &up);
	ns_on_app(&rig.ns, false);
	t_false("followers go with the link", ns_frames_followed(&rig.ns.frames));
	rig_release(&rig);
}

static void the_ring_keeps_the_newest_and_the_numbers_tell(void **state)
{
	(void)state;
	setup();
	follow_all();
	for (uint32_t i = 0; i < NS_FRAMES_MAX + 40; i++) {
		device.fcnt_up = i;
		rig_hears(&rig, 1, phy, rig_uplink(&rig, &device, &plain, phy), 0);
		rig_run(&rig, 300 * US_PER_MS);
		follow_all();
	}
	uint64_t dropped = rig.ns.frames.dropped;
	t_uint("waiting", NS_FRAMES_MAX, rig.ns.frames.count);
	t_true("some went", dropped >= 40);
	t_uint("the first that is left", dropped + 1, told()->number);
	t_uint("all are delivered", NS_FRAMES_MAX + 40, rig.ns.uplinks);
	rig_release(&rig);
}

static void without_a_follower_nothing_is_made(void **state)
{
	(void)state;
	setup();
	send(1, &plain);
	device.dev_addr.value = 0x48000001;
	send(2, &plain);
	t_uint("told", 0, rig.ns.frames.number);
	t_uint("held", 0, rig.ns.frames.held_count);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_accepted_uplink_is_told_with_its_facts),
		t_test(each_way_to_be_dropped_is_told),
		t_test(copies_of_what_ends_early_are_collected),
		t_test(more_than_can_be_held_is_told_as_it_comes),
		t_test(frames_that_nobody_asks_for_take_no_place),
		t_test(a_downlink_is_told_when_it_leaves_and_at_the_gateways_word),
		t_test(a_join_request_is_told_with_the_join_servers_word),
		t_test(filters_end_where_the_frame_is_made),
		t_test(a_lease_that_is_not_renewed_ends),
		t_test(the_ring_keeps_the_newest_and_the_numbers_tell),
		t_test(without_a_follower_nothing_is_made),
	};
	return t_run(tests);
}
