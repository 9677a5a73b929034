/* Downlink items: Seal, counters, what a gateway's answer leads to. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/airtime_rows.h"
#include "network-server/downlink.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static const uint8_t ciphertext[] = {0xc1, 0xc2, 0xc3};

static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void setup(bool v1_1)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	rig_profile(&rig, 2, LW_MAC_1_1_0, "eu868", boots_with_5_s);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, v1_1 ? 2 : 1, 0x26000001, v1_1);
}

static void enqueue(uint8_t number, bool confirmed)
{
	struct net_enqueue item = {.item = rig_uuid(number),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = 3,
				   .confirmed = confirmed};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

static void uplink(bool confirmed, bool ack)
{
	uint8_t length = rig_uplink(&rig, &device,
				    &(struct rig_frame){.fport = 1, .confirmed = confirmed, .ack = ack}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_hears(&rig, 2, phy, length, 0);
}

static void seal(bool ok)
{
	const struct net_seal *asked = &rig.seals[rig.seal_count - 1];
	struct net_sealed sealed = {
		.item = asked->item, .fcnt_down = asked->fcnt_down, .ok = ok, .frm_payload_length = 3};
	memcpy(sealed.frm_payload, ciphertext, 3);
	snprintf(sealed.cause, sizeof sealed.cause, "%s", ok ? "" : "no_session_key");
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
}

static const struct net_downlink_event *last_event(void)
{
	for (size_t i = rig.event_count; i-- > 0;)
		if (rig.events[i].kind == PROTO_DOWNLINK_EVENT)
			return &rig.events[i].downlink_event;
	return NULL;
}

static void expect_status(enum net_item_status status, uint8_t number)
{
	const struct net_downlink_event *event = last_event();
	t_true("an event", event != NULL);
	if (!event)
		return;
	t_str("status", net_item_status_name(status), net_item_status_name(event->status));
	struct net_uuid id = rig_uuid(number);
	t_bytes("item", id.bytes, 16, event->item.bytes, 16);
}

static void parse(struct lw_frame *frame)
{
	const struct gw_downlink *last = &rig.downlinks[rig.downlink_count - 1];
	assert_int_equal(LW_OK, lw_frame_parse(frame, last->phy, last->phy_length, LW_DOWN));
}

static void sealed_and_sent(void **state)
{
	(void)state;
	setup(false);
	uplink(false, false);
	rig_run(&rig, US_PER_S);
	enqueue(1, false); /* in reaction to the uplink: it makes the same window */
	expect_status(NET_ITEM_QUEUED, 1);
	rig_run(&rig, 3200 * US_PER_MS);
	t_uint("Seal", 1, rig.seal_count);
	t_uint("its counter", 0, rig.seals[0].fcnt_down);
	t_uint("nothing has left", 0, rig.downlink_count);
	seal(true);
	t_uint("the frame leaves", 1, rig.downlink_count);
	struct lw_frame frame;
	parse(&frame);
	t_uint("port", 2, frame.fport);
	t_bytes("payload", ciphertext, 3, frame.frm_payload, frame.frm_payload_length);
	rig_tx_ack(&rig, GW_TX_OK);
	expect_status(NET_ITEM_SENT, 1);
	t_uint("queue is empty", 0, ns_device_at(&rig.ns.sessions, 0)->queued);
	rig_release(&rig);
}

static void seal_comes_too_late(void **state)
{
	(void)state;
	for (int v1_1 = 0; v1_1 <= 1; v1_1++) {
		setup(v1_1);
		t_row(v1_1 ? "1.1" : "1.0.4");
		enqueue(1, false);
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		t_uint("Seal", 1, rig.seal_count);
		rig_run(&rig, 50 * US_PER_MS);
		t_uint("the frame left without it", 1, rig.downlink_count);
		struct lw_frame frame;
		parse(&frame);
		t_false("no payload", frame.has_fport);
		t_true("there is more", frame.fctrl.f_pending);
		seal(true);
		t_uint("too late", 1, rig.downlink_count);
		t_uint("stays first", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
		rig_run(&rig, 20 * US_PER_S);
		device.fcnt_up++;
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		t_uint("the next counter", 1, rig.seals[1].fcnt_down);
		seal(true);
		parse(&frame);
		t_true("now with it", frame.has_fport);
		t_uint("no counter twice", 0, rig.counters_repeated);
		rig_release(&rig);
	}
}

static void seal_is_refused(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){rig.ns.journal.event_row});
	seal(false);
	expect_status(NET_ITEM_REFUSED, 1);
	t_str("cause", "no_session_key", last_event()->cause);
	t_uint("out of the queue", 0, ns_device_at(&rig.ns.sessions, 0)->queued);
	rig_release(&rig);
}

/* The application server was away while the device joined, and has the session's key later than the item's Seal. */
static void the_key_may_come_after_the_seal(void **state)
{
	(void)state;
	for (int comes = 0; comes <= 1; comes++) {
		setup(false);
		t_row(comes ? "it comes" : "there is none");
		ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){rig.ns.journal.event_row});
		enqueue(1, false);
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		seal(false);
		expect_status(NET_ITEM_QUEUED, 1);
		t_str("cause", "no_session_key", last_event()->cause);
		t_uint("it waits", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
		rig_run(&rig, 20 * US_PER_S);
		device.fcnt_up++;
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		t_uint("asked once more", 2, rig.seal_count);
		seal(comes);
		expect_status(comes ? NET_ITEM_PLANNED : NET_ITEM_REFUSED, 1);
		rig_release(&rig);
	}
}

/* A bridge's link is full, or went in this very turn: what was not handed over was not sent, and nobody is told it was. */
static void a_downlink_that_reaches_no_bridge(void **state)
{
	(void)state;
	for (int two = 0; two <= 1; two++) {
		setup(false);
		t_row(two ? "another gateway heard the device" : "no other gateway did");
		enqueue(1, false);
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
		rig_hears(&rig, 1, phy, length, 0);
		if (two)
			rig_hears(&rig, 2, phy, length, 0);
		rig_run(&rig, 4210 * US_PER_MS);
		seal(true);
		expect_status(NET_ITEM_PLANNED, 1);
		t_uint("asked", 1, rig.downlink_count);
		const struct ns_out out = {.kind = NS_OUT_DOWNLINK, .downlink = rig.downlinks[0]};
		ns_downlink_unreached(&rig.ns, rig.now.mono, &out);
		rig_run(&rig, US_PER_MS);
		t_uint("the next one", two ? 2 : 1, rig.downlink_count);
		if (two) {
			t_uint("is the other gateway", 2,
			       lw_eui64_number(&rig.downlinks[1].attempts[0].gateway));
			rig_tx_ack(&rig, GW_TX_OK);
			expect_status(NET_ITEM_SENT, 1);
		} else {
			expect_status(NET_ITEM_QUEUED, 1);
			t_str("cause", "tx_no_path", last_event()->cause);
			t_uint("airtime", 0,
			       ns_gateway_airtime_us(ns_gateways_at(&rig.ns.gateways, 0), rig.now.mono));
		}
		rig_run(&rig, 20 * US_PER_S);
		t_uint("nothing is left", 0, rig.ns.downlinks.count);
		rig_release(&rig);
	}
}

/* The gateways went while the item was sealed: its counter is spent, and it is told why it stays. */
static void no_gateway_is_left_after_the_seal(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("Seal", 1, rig.seal_count);
	ns_on_bridge_gone(&rig.ns, rig.now, RIG_LINK);
	seal(true);
	expect_status(NET_ITEM_QUEUED, 1);
	t_str("cause", "no_gateway", last_event()->cause);
	t_uint("it waits", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
	t_uint("nothing left", 0, rig.downlink_count);
	rig_release(&rig);
}

/* Ciphertext for one counter must never leave under another (invariant 2), nor one of another length. */
static void a_seal_of_another_frame_is_nothing(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("Seal", 1, rig.seal_count);
	rig_run(&rig, 20 * US_PER_S);
	device.fcnt_up++;
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("asked again", 2, rig.seal_count);
	size_t frames = rig.downlink_count;
	struct net_sealed sealed = {.item = rig.seals[0].item,
				    .fcnt_down = rig.seals[0].fcnt_down,
				    .ok = true,
				    .frm_payload_length = 3};
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
	t_uint("the first one's answer is too late", frames, rig.downlink_count);
	t_uint("the item waits for its own", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
	sealed.fcnt_down = rig.seals[1].fcnt_down;
	sealed.frm_payload_length = 4;
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
	expect_status(NET_ITEM_REFUSED, 1);
	t_str("cause", "seal_refused", last_event()->cause);
	struct lw_frame frame;
	parse(&frame);
	t_false("no frame has a payload", frame.has_fport);
	rig_release(&rig);
}

/* What was a way out when the list was made may be none when its turn comes. */
static void an_attempt_whose_time_has_passed_is_not_made(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	seal(true);
	t_uint("one", 1, rig.downlink_count);
	rig_run(&rig, 1950 * US_PER_MS); /* RX1 began 1.2 s ago, RX2 0.2 s */
	expect_status(NET_ITEM_PLANNED, 1);
	rig_tx_ack(&rig, GW_TX_COLLISION_PACKET);
	t_uint("nobody is asked in vain", 1, rig.downlink_count);
	expect_status(NET_ITEM_QUEUED, 1);
	t_str("cause", "tx_collision_packet", last_event()->cause);
	rig_release(&rig);
}

/* What cannot leave, or nobody can seal, costs no counter; it goes with the first uplink after that. */
static void nothing_is_spent_where_nothing_can_leave(void **state)
{
	(void)state;
	for (int bridge = 0; bridge <= 1; bridge++) {
		setup(false);
		t_row(bridge ? "the bridge went" : "the application server is away");
		enqueue(1, false);
		if (!bridge)
			ns_on_app(&rig.ns, false);
		uplink(false, false);
		rig_run(&rig, US_PER_S);
		if (bridge)
			ns_on_bridge_gone(&rig.ns, rig.now, RIG_LINK);
		rig_run(&rig, 20 * US_PER_S);
		t_uint("no Seal", 0, rig.seal_count);
		t_uint("no counter", 0, ns_session_at(&rig.ns.sessions, 0)->n_fcnt_down);
		expect_status(NET_ITEM_QUEUED, 1);
		t_str("cause", bridge ? "no_gateway" : "", last_event()->cause);
		if (bridge) {
			rig_restart(&rig);
		} else {
			ns_on_app(&rig.ns, true);
		}
		device.fcnt_up++;
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		t_uint("Seal", 1, rig.seal_count);
		seal(true);
		expect_status(NET_ITEM_PLANNED, 1);
		rig_release(&rig);
	}
}

/* New ABP keys come while an item is sealed under the old ones: it is sealed again, not lost. */
static void a_session_that_ends_while_an_item_is_sealed(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("Seal", 1, rig.seal_count);
	rig_abp(&rig, &device, 1, 1, 0x26000002, false);
	seal(true);
	t_uint("it waits", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("Seal", 2, rig.seal_count);
	seal(true);
	expect_status(NET_ITEM_PLANNED, 1);
	rig_release(&rig);
}

/* One row for each word of a gateway. Where gateways 1 and 2 heard the device, who sends next; where gateway 1 alone did,
 * whether its other window is worth a try. RX2 of EU868 is another frequency in another sub-band. */
static void next_attempt_by_cause(void **state)
{
	(void)state;
	static const struct {
		enum gw_tx_result result;
		const char *verdict; /* NULL: it is on the air */
		bool certain;        /* its airtime comes back */
		struct {
			uint64_t gateway; /* 0: nobody */
			enum gw_window window;
		} of_two, of_one;
	} rows[GW_TX_RESULT_COUNT] = {
		{GW_TX_OK, NULL, false, {0, GW_RX1}, {0, GW_RX1}},
		{GW_TX_TOO_LATE, "tx_too_late", false, {1, GW_RX2}, {1, GW_RX2}},
		{GW_TX_TOO_EARLY, "tx_too_early", false, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_COLLISION_PACKET, "tx_collision_packet", false, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_COLLISION_BEACON, "tx_collision_beacon", true, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_FREQ, "tx_freq", true, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_POWER, "tx_power", true, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_GPS_UNLOCKED, "tx_gps_unlocked", true, {2, GW_RX1}, {0, GW_RX1}},
		{GW_TX_QUEUE_FULL, "tx_queue_full", false, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_DUTY_CYCLE, "tx_duty_cycle", false, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_IGNORED, "tx_ignored", false, {2, GW_RX1}, {1, GW_RX2}},
		{GW_TX_NO_PATH, "tx_no_path", true, {2, GW_RX1}, {0, GW_RX1}},
		{GW_TX_NO_ANSWER, NULL, false, {0, GW_RX1}, {0, GW_RX1}},
		{GW_TX_OTHER, "tx_other", false, {2, GW_RX1}, {1, GW_RX2}},
	};
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		enum gw_tx_result result = rows[i / 2].result;
		bool two = i % 2 == 0;
		uint64_t gateway = two ? rows[i / 2].of_two.gateway : rows[i / 2].of_one.gateway;
		enum gw_window window = two ? rows[i / 2].of_two.window : rows[i / 2].of_one.window;
		setup(false);
		t_row(gw_tx_result_name(result));
		t_uint("a row for each", i / 2, result);
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		rig_hears(&rig, 1, phy, length, 0);
		if (two)
			rig_hears(&rig, 2, phy, length, 0);
		rig_run(&rig, 4210 * US_PER_MS);
		t_uint("the ACK", 1, rig.downlink_count);
		t_uint("the better gateway", 1, lw_eui64_number(&rig.downlinks[0].attempts[0].gateway));
		struct ns_gateway *first = ns_gateways_at(&rig.ns.gateways, 0);
		uint64_t booked = ns_gateway_airtime_us(first, rig.now.mono);
		t_true("airtime is booked", booked > 0);
		rig_tx_ack(&rig, result);
		t_uint("again", gateway ? 2 : 1, rig.downlink_count);
		if (gateway && rig.downlink_count == 2) {
			const struct gw_downlink *one = &rig.downlinks[0], *other = &rig.downlinks[1];
			t_bytes("the same bytes", one->phy, one->phy_length, other->phy, other->phy_length);
			t_uint("gateway", gateway, lw_eui64_number(&other->attempts[0].gateway));
			t_int("window", window, other->attempts[0].window);
		}
		if (rows[i / 2].verdict) {
			enum ns_drop drop = NS_DROP_TX_TOO_LATE;
			while (strcmp(ns_verdict(drop)->name, rows[i / 2].verdict) != 0)
				drop++;
			t_uint("counted", 1, rig.ns.drops[drop]);
		}
		if (gateway != 1)
			t_uint("airtime", rows[i / 2].certain ? 0 : booked,
			       ns_gateway_airtime_us(first, rig.now.mono));
		rig_restart(&rig);
		first = ns_gateways_at(&rig.ns.gateways, 0);
		uint64_t kept = ns_gateway_airtime_us(first, rig.now.mono);
		if (gateway != 1)
			t_int("and after a restart", !rows[i / 2].certain, kept > 0);
		rig_release(&rig);
	}
}

/* Sent at once, 4.8 s before its window: the gateway keeps no frame for so long, and gets it again nearer to its time. */
static void too_early_is_tried_again_later(void **state)
{
	(void)state;
	setup(false);
	struct ns_windows windows = {
		.has_rx1 = true, .rx1 = {868100000, 5}, .rx2 = {869525000, 0}, .rx1_delay = 5 * US_PER_S};
	uplink(false, false);
	rig_run(&rig, 300 * US_PER_MS);
	windows.count = 1;
	windows.by[0] = (struct ns_hearer){.gateway = 0, .eui = rig_eui(1), .sent = rig.now.mono};
	static const uint8_t accept[17] = {0x20};
	size_t before = rig.downlink_count;
	ns_downlink_join(&rig.ns, rig.now, 0, &windows, accept, sizeof accept);
	rig_turn(&rig);
	t_uint("at once", before + 1, rig.downlink_count);
	rig_tx_ack(&rig, GW_TX_TOO_EARLY);
	t_uint("not yet", before + 1, rig.downlink_count);
	rig_run(&rig, 4190 * US_PER_MS);
	t_uint("not yet", before + 1, rig.downlink_count);
	rig_run(&rig, 20 * US_PER_MS);
	t_uint("800 ms before its window", before + 2, rig.downlink_count);
	const struct gw_downlink *one = &rig.downlinks[before], *other = &rig.downlinks[before + 1];
	t_uint("the same time on the air", one->attempts[0].ticks.us, other->attempts[0].ticks.us);
	t_uint("the same gateway", 1, lw_eui64_number(&other->attempts[0].gateway));
	rig_tx_ack(&rig, GW_TX_TOO_EARLY);
	t_uint("then its other window", before + 3, rig.downlink_count);
	t_int("RX2", GW_RX2, rig.downlinks[before + 2].attempts[0].window);
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 20 * US_PER_S);
	t_uint("nothing is left", 0, rig.ns.downlinks.count);
	rig_release(&rig);
}

static void attempts_run_out(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	seal(true);
	for (unsigned i = 0; i < 10 && rig.ns.drops[NS_DROP_ATTEMPTS_SPENT] == 0; i++)
		rig_tx_ack(&rig, GW_TX_COLLISION_PACKET);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_ATTEMPTS_SPENT]);
	t_true("more than one was tried", rig.downlink_count >= 3);
	t_uint("the item stays", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
	t_uint("the counter is spent", 1, ns_session_at(&rig.ns.sessions, 0)->n_fcnt_down);
	rig_release(&rig);
}

/* A word that comes twice, after the next gateway was asked, is not that gateway's. */
static void a_word_that_comes_twice_counts_once(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	seal(true);
	struct gw_tx_ack ack = {
		.id = rig.downlinks[0].id, .gateway = rig_eui(1), .result = GW_TX_COLLISION_PACKET};
	ns_on_tx_ack(&rig.ns, rig.now, &ack);
	rig_turn(&rig);
	t_uint("the other gateway", 2, lw_eui64_number(&rig.downlinks[1].attempts[0].gateway));
	ns_on_tx_ack(&rig.ns, rig.now, &ack);
	ack.result = GW_TX_OK;
	ns_on_tx_ack(&rig.ns, rig.now, &ack);
	rig_turn(&rig);
	t_uint("nobody else", 2, rig.downlink_count);
	expect_status(NET_ITEM_PLANNED, 1);
	t_uint("counted", 2, rig.ns.drops[NS_DROP_UNKNOWN_TX_ACK]);
	rig_tx_ack(&rig, GW_TX_OK);
	expect_status(NET_ITEM_SENT, 1);
	t_uint("the gateway that sent it", 2, lw_eui64_number(&last_event()->gateway));
	rig_release(&rig);
}

static void a_gateways_lead_is_measured_by_its_answers(void **state)
{
	(void)state;
	setup(false);
	const struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
	for (unsigned i = 0; i < 4; i++) {
		t_false("not known yet", ns_gateway_lead_is_known(gateway));
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		rig_hears(&rig, 1, phy, length, 0);
		rig_run(&rig, 4210 * US_PER_MS);
		rig_tx_ack(&rig, i == 1 ? GW_TX_TOO_LATE : GW_TX_OK);
		rig_run(&rig, 20 * US_PER_S);
		device.fcnt_up++;
	}
	t_true("known", ns_gateway_lead_is_known(gateway));
	t_int("40 ms and what is added", 40 * US_PER_MS + NS_LEAD_EXTRA, ns_gateway_lead(gateway));
	rig_release(&rig);
}

/* Nothing was on the air: the next uplink has nothing to acknowledge, whatever its ACK bit says. */
static void a_confirmed_item_that_no_gateway_sent_waits_for_no_ack(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool restart, ack;
	} rows[] = {
		{"without an ACK", false, false},
		{"with an ACK", false, true},
		{"after a restart, without an ACK", true, false},
		{"after a restart, with an ACK", true, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(false);
		t_row(rows[i].name);
		enqueue(1, true);
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		seal(true);
		for (unsigned j = 0; j < 10 && rig.ns.drops[NS_DROP_ATTEMPTS_SPENT] == 0; j++)
			rig_tx_ack(&rig, GW_TX_COLLISION_PACKET);
		t_uint("given up", 1, rig.ns.drops[NS_DROP_ATTEMPTS_SPENT]);
		if (rows[i].restart)
			rig_restart(&rig);
		rig_run(&rig, 20 * US_PER_S);
		unsigned events = rig_events_of(&rig, PROTO_DOWNLINK_EVENT);
		device.fcnt_up++;
		uplink(false, rows[i].ack);
		rig_run(&rig, 4210 * US_PER_MS);
		t_uint("nothing is said of it", events, rig_events_of(&rig, PROTO_DOWNLINK_EVENT));
		t_uint("it is tried again", 2, rig.seal_count);
		t_uint("under the next counter", 1, rig.seals[1].fcnt_down);
		seal(true);
		rig_tx_ack(&rig, GW_TX_OK);
		expect_status(NET_ITEM_SENT, 1);
		rig_restart(&rig); /* and what was asked now survives */
		device.fcnt_up++;
		uplink(false, true);
		rig_run(&rig, US_PER_S);
		expect_status(NET_ITEM_ACKNOWLEDGED, 1);
		rig_release(&rig);
	}
}

static void enqueue_encrypted(uint8_t number, uint32_t fcnt_down)
{
	struct net_enqueue item = {.item = rig_uuid(number),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = 3,
				   .encrypted = true,
				   .fcnt_down = fcnt_down};
	memcpy(item.frm_payload, ciphertext, 3);
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

/* Before each row a frame with an item and two with an ACK alone have left: 1.0.x has spent three counters, 1.1 one of the
 * application's and two of the network's. */
static void encrypted_items_and_their_counter(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool v1_1, restart;
		uint32_t fcnt_down;
		enum net_item_status expected;
		uint32_t reported; /* the counter that the last event says */
	} rows[] = {
		{"a counter that is spent", false, false, 2, NET_ITEM_STALE_COUNTER, 3},
		{"a counter that was spent before a restart", false, true, 0, NET_ITEM_STALE_COUNTER, 3},
		{"the next counter", false, false, 3, NET_ITEM_SENT, 3},
		{"a later counter waits", false, false, 4, NET_ITEM_QUEUED, 0},
		{"1.1: a counter that is spent", true, false, 0, NET_ITEM_STALE_COUNTER, 1},
		{"1.1: the application's next counter", true, true, 1, NET_ITEM_SENT, 1},
		{"1.1: a later counter waits", true, false, 2, NET_ITEM_QUEUED, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].v1_1);
		t_row(rows[i].name);
		device.dr = 5;
		enqueue_encrypted(1, 0);
		for (int frame = 0; frame < 3; frame++) {
			uplink(frame > 0, false);
			rig_run(&rig, 4210 * US_PER_MS);
			rig_tx_ack(&rig, GW_TX_OK);
			rig_run(&rig, 20 * US_PER_S);
			device.fcnt_up++;
		}
		t_uint("all left", 3, rig.downlink_count);
		expect_status(NET_ITEM_SENT, 1);
		if (rows[i].restart)
			rig_restart(&rig);
		enqueue_encrypted(2, rows[i].fcnt_down);
		uplink(false, false);
		rig_run(&rig, 20 * US_PER_S);
		expect_status(rows[i].expected, 2);
		t_uint("the counter it says", rows[i].reported, last_event()->fcnt_down);
		t_uint("a frame", rows[i].expected == NET_ITEM_SENT ? 4 : 3, rig.downlink_count);
		t_uint("left in the queue", rows[i].expected == NET_ITEM_QUEUED,
		       ns_device_at(&rig.ns.sessions, 0)->queued);
		t_uint("no counter twice", 0, rig.counters_repeated);
		rig_release(&rig);
	}
}

static void the_item_behind_a_stale_one_goes(void **state)
{
	(void)state;
	setup(false);
	uplink(true, false);
	rig_run(&rig, 20 * US_PER_S);
	device.fcnt_up++;
	enqueue_encrypted(1, 1);
	enqueue_encrypted(2, 2);
	uplink(true, false);
	rig_run(&rig, 4210 * US_PER_MS);
	expect_status(NET_ITEM_PLANNED, 1);
	rig_tx_ack(&rig, GW_TX_OK);
	expect_status(NET_ITEM_SENT, 1);
	rig_run(&rig, 20 * US_PER_S);
	enqueue_encrypted(3, 1);
	expect_status(NET_ITEM_STALE_COUNTER, 3);
	t_uint("with the next one", 2, last_event()->fcnt_down);
	device.fcnt_up++;
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("the other has left", 3, rig.downlink_count);
	rig_tx_ack(&rig, GW_TX_OK);
	expect_status(NET_ITEM_SENT, 2);
	rig_release(&rig);
}

static void confirmed_item(void **state)
{
	(void)state;
	for (int acknowledged = 0; acknowledged <= 1; acknowledged++) {
		setup(false);
		t_row(acknowledged ? "acknowledged" : "not acknowledged");
		enqueue(1, true);
		uplink(false, false);
		rig_run(&rig, 4210 * US_PER_MS);
		seal(true);
		rig_tx_ack(&rig, GW_TX_OK);
		rig_run(&rig, 20 * US_PER_S);
		rig_restart(&rig);
		device.fcnt_up++;
		uplink(false, acknowledged);
		rig_run(&rig, 20 * US_PER_S);
		expect_status(acknowledged ? NET_ITEM_ACKNOWLEDGED : NET_ITEM_QUEUED, 1);
		rig_release(&rig);
	}
}

static void queue_survives_a_restart(void **state)
{
	(void)state;
	setup(false);
	enqueue(1, false);
	enqueue(2, false);
	enqueue(1, false); /* the same again: a doubled command is one */
	rig_run(&rig, 30 * US_PER_S);
	uplink(false, false); /* sweeps run */
	rig_run(&rig, 4210 * US_PER_MS);
	seal(true);
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 60 * US_PER_S);
	rig_restart(&rig);
	t_uint("one left", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
	device.fcnt_up++;
	uplink(false, false);
	rig_run(&rig, 4210 * US_PER_MS);
	struct net_uuid second = rig_uuid(2);
	t_bytes("the second", second.bytes, 16, rig.seals[rig.seal_count - 1].item.bytes, 16);
	t_uint("its counter", 1, rig.seals[rig.seal_count - 1].fcnt_down);
	rig_release(&rig);
}

static void items_that_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t fport, length, priority;
		bool foreign;
		enum ns_drop expected;
	} rows[] = {
		{"port 0", 0, 1, 0, false, NS_DROP_ITEM_INVALID},
		{"port 226", 226, 1, 0, false, NS_DROP_ITEM_INVALID},
		{"longer than any frame", 1, 243, 0, false, NS_DROP_ITEM_INVALID},
		{"priority 7", 1, 1, 7, false, NS_DROP_ITEM_INVALID},
		{"no such device", 1, 1, 0, true, NS_DROP_ITEM_UNKNOWN_DEVICE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(false);
		t_row(rows[i].name);
		struct net_enqueue item = {.item = rig_uuid(1),
					   .dev_eui = device.dev_eui,
					   .fport = rows[i].fport,
					   .length = rows[i].length,
					   .priority = rows[i].priority};
		item.dev_eui.bytes[0] ^= rows[i].foreign;
		ns_on_enqueue(&rig.ns, rig.now, &item);
		rig_turn(&rig);
		t_uint("counted", 1, rig.ns.drops[rows[i].expected]);
		expect_status(NET_ITEM_REFUSED, 1);
		t_uint("not queued", 0, rig.ns.queue.items.count);
		rig_release(&rig);
	}
	setup(false);
	t_row("a full queue");
	for (uint8_t i = 0; i < NS_QUEUE_DEVICE_MAX + 1; i++)
		enqueue(i, false);
	t_uint("bounded", NS_QUEUE_DEVICE_MAX, ns_device_at(&rig.ns.sessions, 0)->queued);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_ITEM_QUEUE_FULL]);
	rig_release(&rig);
}

static void airtime_is_kept_over_a_restart(void **state)
{
	(void)state;
	setup(false);
	for (unsigned i = 0; i < 20; i++) {
		uplink(true, false);
		rig_run(&rig, 20 * US_PER_S);
		device.fcnt_up++;
	}
	struct lw_eui64 eui = rig_eui(1);
	struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways,
						    ns_gateways_find(&rig.ns.gateways, &eui));
	int band = lw_region_sub_band(&rig.regions[0], 868100000);
	assert_true(gateway->duty_ready >> band & 1);
	uint32_t before = lw_duty_used_us(&gateway->duty[band], rig.now.mono.us);
	t_true("there is some", before > 300000);
	rig_restart(&rig);
	gateway = ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui));
	assert_true(gateway->duty_ready >> band & 1);
	t_true("none is forgotten", lw_duty_used_us(&gateway->duty[band], rig.now.mono.us) >= before);
	rig_release(&rig);
}

/* The device is an ABP one that boots with RxDelay 1 s: the network has something to ask of it in every frame. */
static void requests_go_beside_an_item_only_where_there_is_room(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t length;
		bool along;
	} rows[] = {
		{"the longest item: no room for the request", NET_PAYLOAD_MAX, false},
		{"one byte of room", NET_PAYLOAD_MAX - 1, false},
		{"room for it", NET_PAYLOAD_MAX - 2, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		rig_init(&rig);
		rig_abp(&rig, &device, 1, 0, 0x26000001, false);
		struct net_enqueue item = {.item = rig_uuid(1),
					   .dev_eui = device.dev_eui,
					   .fport = 2,
					   .length = rows[i].length,
					   .encrypted = true};
		ns_on_enqueue(&rig.ns, rig.now, &item);
		rig_turn(&rig);
		uplink(false, false);
		rig_run(&rig, 2 * US_PER_S);
		t_uint("the frame leaves", 1, rig.downlink_count);
		struct lw_frame frame;
		parse(&frame);
		t_uint("with the item", rows[i].length, frame.frm_payload_length);
		t_uint("and the request", rows[i].along ? 2 : 0, frame.fctrl.fopts_length);
		rig_release(&rig);
	}
}

/* Their rows have no table of their own: a sweep writes them again behind itself before the old ones go. */
static void queue_and_airtime_outlive_the_journal_rows_they_came_in(void **state)
{
	(void)state;
	setup(false);
	uplink(true, false);
	rig_run(&rig, 4210 * US_PER_MS);
	rig_tx_ack(&rig, GW_TX_OK);
	enqueue(1, false);
	uint64_t came_in = rig.ns.journal.next_row;
	struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
	t_true("airtime was used", gateway->duty_ready != 0);
	for (unsigned i = 0; i < 6; i++) {
		ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){rig.ns.journal.event_row});
		ns_session_mark(&rig.ns.sessions, 0);
		rig_run(&rig, 10 * US_PER_S);
	}
	t_true("those rows have gone", rig.blob_count > 0 && rig.blobs[0].first >= came_in);
	uint8_t bands = gateway->duty_ready;
	rig_restart(&rig);
	t_uint("the item is there", 1, ns_device_at(&rig.ns.sessions, 0)->queued);
	t_uint("the airtime as well", bands, ns_gateways_at(&rig.ns.gateways, 0)->duty_ready);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(sealed_and_sent),
		t_test(seal_comes_too_late),
		t_test(seal_is_refused),
		t_test(the_key_may_come_after_the_seal),
		t_test(a_downlink_that_reaches_no_bridge),
		t_test(no_gateway_is_left_after_the_seal),
		t_test(a_seal_of_another_frame_is_nothing),
		t_test(an_attempt_whose_time_has_passed_is_not_made),
		t_test(nothing_is_spent_where_nothing_can_leave),
		t_test(a_session_that_ends_while_an_item_is_sealed),
		t_test(next_attempt_by_cause),
		t_test(too_early_is_tried_again_later),
		t_test(attempts_run_out),
		t_test(a_word_that_comes_twice_counts_once),
		t_test(a_gateways_lead_is_measured_by_its_answers),
		t_test(a_confirmed_item_that_no_gateway_sent_waits_for_no_ack),
		t_test(encrypted_items_and_their_counter),
		t_test(the_item_behind_a_stale_one_goes),
		t_test(confirmed_item),
		t_test(queue_survives_a_restart),
		t_test(items_that_are_refused),
		t_test(airtime_is_kept_over_a_restart),
		t_test(requests_go_beside_an_item_only_where_there_is_room),
		t_test(queue_and_airtime_outlive_the_journal_rows_they_came_in),
	};
	return t_run(tests);
}
