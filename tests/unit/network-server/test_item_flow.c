/* Items on their way: tries of confirmed ones, flush, expiry and the end of a session in every state, what the device knows
 * before the gateway has said it. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/downlink_queue.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static size_t told; /* events that expect() has seen */

static void five_tries(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->confirmed_downlink_tries = 5;
}

static void one_try(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->confirmed_downlink_tries = 1;
}

static void as_usual(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

enum { USUAL = 1, FIVE, ONE, V1_1 };

static void setup(uint8_t profile)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, USUAL, LW_MAC_1_0_4, "eu868", as_usual);
	rig_profile(&rig, FIVE, LW_MAC_1_0_4, "eu868", five_tries);
	rig_profile(&rig, ONE, LW_MAC_1_0_4, "eu868", one_try);
	rig_profile(&rig, V1_1, LW_MAC_1_1_0, "eu868", as_usual);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, profile, 0x26000001, profile == V1_1);
	told = 0;
}

static void enqueue_for(uint8_t number, bool confirmed, span_us expires_in)
{
	struct net_enqueue item = {.item = rig_uuid(number),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = 3,
				   .confirmed = confirmed};
	if (expires_in)
		item.expires.us = rig.now.wall.us + expires_in;
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

static void enqueue(uint8_t number, bool confirmed)
{
	enqueue_for(number, confirmed, 0);
}

static void enqueue_encrypted(uint8_t number, bool confirmed, uint32_t fcnt_down)
{
	struct net_enqueue item = {.item = rig_uuid(number),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = 3,
				   .confirmed = confirmed,
				   .encrypted = true,
				   .fcnt_down = fcnt_down};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

static void seal_last(void)
{
	const struct net_seal *asked = &rig.seals[rig.seal_count - 1];
	struct net_sealed sealed = {
		.item = asked->item, .fcnt_down = asked->fcnt_down, .ok = true, .frm_payload_length = 3};
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
}

static void hears(bool ack)
{
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .ack = ack}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_hears(&rig, 2, phy, length, 0);
}

/* An uplink whose answer leaves; the Seal is answered. The device's counter moves on. */
static void uplink(bool ack)
{
	size_t seals = rig.seal_count;
	hears(ack);
	rig_run(&rig, 4210 * US_PER_MS);
	if (rig.seal_count > seals)
		seal_last();
	device.fcnt_up++;
}

static void pause_a_while(void)
{
	rig_run(&rig, 30 * US_PER_S);
}

/* The next event of an item; the lists of the tests are written "status:item[:cause][#tries]". */
static void expect(const char *expected)
{
	char text[128] = "nothing";
	for (; told < rig.event_count; told++) {
		if (rig.events[told].kind != PROTO_DOWNLINK_EVENT)
			continue;
		const struct net_downlink_event *event = &rig.events[told++].downlink_event;
		snprintf(text, sizeof text, "%s:%u%s%s%s%.0u", net_item_status_name(event->status),
			 event->item.bytes[15] - 1u, event->cause[0] ? ":" : "", event->cause,
			 event->tries ? "#" : "", event->tries);
		break;
	}
	t_str("event", expected, text);
}

static const struct net_downlink_event *last(void)
{
	return &rig.events[told - 1].downlink_event;
}

static void is_empty(void)
{
	t_uint("queue of the device", 0, ns_device_at(&rig.ns.sessions, 0)->queued);
	t_uint("queues", 0, rig.ns.queue.items.count);
	t_uint("deadlines", 0, rig.ns.queue.expiries.count);
	t_uint("no counter twice", 0, rig.counters_repeated);
	expect("nothing");
	rig_release(&rig);
}

static void a_confirmed_item_is_tried_again(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		unsigned tries, acked_at; /* 0: never */
	} rows[] = {
		{"acknowledged at once", USUAL, 3, 1},
		{"acknowledged at the second try", USUAL, 3, 2},
		{"acknowledged at the last try", USUAL, 3, 3},
		{"never acknowledged: three tries, as profiles have it", USUAL, 3, 0},
		{"never acknowledged: the profile gives five", FIVE, 5, 0},
		{"never acknowledged: the profile gives one", ONE, 1, 0},
		{"1.1: acknowledged at the second try", V1_1, 3, 2},
		{"1.1: never acknowledged", V1_1, 3, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[64];
		setup(rows[i].profile);
		t_row(rows[i].name);
		enqueue(1, true);
		expect("queued:1");
		for (unsigned try = 1; try <= rows[i].tries; try++) {
			uplink(false);
			if (try > 1) {
				snprintf(text, sizeof text, "queued:1:not_acknowledged#%u", try - 1);
				expect(text);
				t_true("by that uplink", last()->has_uplink);
			}
			snprintf(text, sizeof text, "planned:1#%u", try);
			expect(text);
			t_uint("a counter of its own", try - 1, last()->fcnt_down);
			t_true("the attempt", last()->has_tx && last()->freq_hz == 868100000 &&
						      last()->delay == 5 * US_PER_S);
			rig_tx_ack(&rig, GW_TX_OK);
			snprintf(text, sizeof text, "sent:1#%u", try);
			expect(text);
			t_uint("and gateway", lw_eui64_number(&rig.downlinks[try - 1].attempts[0].gateway),
			       lw_eui64_number(&last()->gateway));
			t_uint("frames", try, rig.downlink_count);
			pause_a_while();
			if (try == rows[i].acked_at)
				break;
		}
		device.conf_fcnt_down = (uint16_t)last()->fcnt_down;
		uplink(rows[i].acked_at != 0);
		if (rows[i].acked_at)
			snprintf(text, sizeof text, "acknowledged:1#%u", rows[i].acked_at);
		else
			snprintf(text, sizeof text, "failed:1:not_acknowledged#%u", rows[i].tries);
		expect(text);
		const struct net_up_event *up = NULL;
		for (size_t j = 0; j < rig.event_count; j++)
			if (rig.events[j].kind == PROTO_UP_EVENT)
				up = &rig.events[j].up_event;
		assert_non_null(up);
		t_bytes("the uplink that told", up->head.id.bytes, 16, last()->uplink.bytes, 16);
		is_empty();
	}
}

/* Only one item is on its way at a time: a device says that a frame arrived, not which. */
static void others_wait_for_the_ack(void **state)
{
	(void)state;
	setup(USUAL);
	enqueue(1, true);
	enqueue(2, false);
	expect("queued:1");
	expect("queued:2");
	uplink(false);
	expect("planned:1#1");
	struct lw_frame frame;
	assert_int_equal(LW_OK,
			 lw_frame_parse(&frame, rig.downlinks[0].phy, rig.downlinks[0].phy_length, LW_DOWN));
	t_int("confirmed", LW_CONFIRMED_DOWN, frame.ftype);
	t_true("there is more", frame.fctrl.f_pending);
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:1#1");
	/* The same uplink once more: nobody knows yet whether the item arrived. */
	rig_run(&rig, 3 * US_PER_S);
	device.fcnt_up--;
	uplink(false);
	t_uint("no second frame", 1, rig.downlink_count);
	expect("nothing");
	pause_a_while();
	uplink(true);
	expect("acknowledged:1#1");
	expect("planned:2#1");
	assert_int_equal(LW_OK,
			 lw_frame_parse(&frame, rig.downlinks[1].phy, rig.downlinks[1].phy_length, LW_DOWN));
	t_false("that is all", frame.fctrl.f_pending);
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:2#1");
	is_empty();
}

/* 1.1: the MIC of an uplink with an ACK is over the counter of the downlink that it acknowledges. The answer with the next
 * confirmed item was not heard: the repeat still names the one before, is answered, and acknowledges nothing new. */
static void a_repeated_ack_names_the_downlink_before(void **state)
{
	(void)state;
	setup(V1_1);
	enqueue(1, true);
	enqueue(2, true);
	uplink(false);
	rig_tx_ack(&rig, GW_TX_OK);
	pause_a_while();
	device.conf_fcnt_down = 0;
	uint8_t length = rig_uplink(&rig, &device,
				    &(struct rig_frame){.fport = 1, .confirmed = true, .ack = true}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 4210 * US_PER_MS);
	seal_last();
	t_uint("the second one is on its way", 2, rig.downlink_count);
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 4 * US_PER_S);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 4210 * US_PER_MS);
	t_uint("the repeat is answered", 3, rig.downlink_count);
	t_uint("no MIC was wrong", 0, rig.ns.drops[NS_DROP_MIC]);
	device.fcnt_up++;
	rig_tx_ack(&rig, GW_TX_OK);
	pause_a_while();
	t_int("it is waited for", NS_ITEM_WAITING, ns_queue_at(&rig.ns.queue, 1)->state);
	uplink(true); /* still the one before: the second did not arrive */
	t_int("and goes again", NS_ITEM_PLANNED, ns_queue_at(&rig.ns.queue, 1)->state);
	rig_tx_ack(&rig, GW_TX_OK);
	pause_a_while();
	device.conf_fcnt_down = 2;
	uplink(true);
	t_uint("acknowledged by its own counter", 0, rig.ns.queue.items.count);
	t_uint("no counter twice", 0, rig.counters_repeated);
	rig_release(&rig);
}

static void the_device_may_know_before_the_gateway_says(void **state)
{
	(void)state;
	setup(USUAL);
	enqueue(1, true);
	expect("queued:1");
	uplink(false);
	expect("planned:1#1");
	rig_run(&rig, 1900 * US_PER_MS); /* the TX_ACK was lost, and is not yet missed */
	hears(true);
	rig_run(&rig, 300 * US_PER_MS);
	expect("sent:1#1");
	expect("acknowledged:1#1");
	t_true("by that uplink", last()->has_uplink);
	rig_tx_ack(&rig, GW_TX_OK); /* late, of a frame that is over or carries nothing any more */
	is_empty();
}

/* --- what may happen in each state --- */

enum where { QUEUED, SEALING, PLANNED, WAITING, WHERES };
static const char *const wheres[WHERES] = {"queued", "being sealed", "in a frame", "waiting for the ACK"};

/* Brings item 1 there; its events are seen. */
static void bring(enum where where, bool confirmed, bool encrypted, span_us expires_in)
{
	if (encrypted)
		enqueue_encrypted(1, confirmed, 0);
	else
		enqueue_for(1, confirmed, expires_in);
	expect("queued:1");
	if (where == QUEUED)
		return;
	hears(false);
	rig_run(&rig, 4190 * US_PER_MS);
	while (rig.seal_count == 0 && rig.downlink_count == 0)
		rig_run(&rig, 5 * US_PER_MS);
	device.fcnt_up++;
	if (where == SEALING)
		return;
	if (!encrypted)
		seal_last();
	expect("planned:1#1");
	if (where == PLANNED)
		return;
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:1#1");
}

static void flush_it(bool all)
{
	ns_on_flush(&rig.ns, rig.now,
		    &(struct net_flush){.dev_eui = device.dev_eui, .one = !all, .item = rig_uuid(1)});
	rig_turn(&rig);
}

static void flushed_in_every_state(void **state)
{
	(void)state;
	static const struct {
		enum where where;
		bool confirmed, refused; /* then the gateway refuses the frame */
		const char *told, *then; /* at once; and after the gateway's answer */
	} rows[] = {
		{QUEUED, false, false, "failed:1:flushed", NULL},
		{QUEUED, true, false, "failed:1:flushed", NULL},
		{SEALING, false, false, "failed:1:flushed", NULL},
		{PLANNED, false, false, "nothing", "sent:1#1"},
		{PLANNED, false, true, "nothing", "failed:1:flushed"},
		{PLANNED, true, true, "nothing", "failed:1:flushed"},
		{WAITING, true, false, "failed:1:flushed#1", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int restart = 0; restart <= 1; restart++) {
			if (restart && rows[i].where == SEALING)
				continue; /* that is a queued item after a restart */
			setup(USUAL);
			t_row(wheres[rows[i].where]);
			bring(rows[i].where, rows[i].confirmed, false, 0);
			size_t frames = rig.downlink_count;
			flush_it(i % 2 == 0);
			expect(rows[i].told);
			if (restart)
				rig_restart(&rig);
			if (rows[i].then) {
				rig_tx_ack(&rig, rows[i].refused ? GW_TX_COLLISION_PACKET : GW_TX_OK);
				expect(rows[i].then);
				t_uint("nobody else is asked to send it", frames, rig.downlink_count);
			}
			if (rows[i].where == SEALING)
				seal_last();
			pause_a_while();
			is_empty();
		}
}

/* The application server has an item that nobody knows here, as after a network.db was restored: it comes to its end. */
static void flushed_and_not_here(void **state)
{
	(void)state;
	setup(USUAL);
	flush_it(false);
	expect("failed:1:flushed");
	t_row("one that is over is not told twice while its end is on its way");
	enqueue(1, false);
	expect("queued:1");
	flush_it(false);
	expect("failed:1:flushed");
	flush_it(false);
	expect("nothing");
	t_row("a device that is not here");
	struct lw_eui64 known = device.dev_eui;
	device.dev_eui = rig_eui(99);
	flush_it(true);
	expect("nothing");
	ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){rig.ns.journal.event_row});
	flush_it(false);
	device.dev_eui = known;
	expect("failed:1:flushed");
	is_empty();
}

/* A confirmed one that is flushed on its way was sent, and is waited for no longer. */
static void flushed_on_its_way_and_taken(void **state)
{
	(void)state;
	setup(USUAL);
	bring(PLANNED, true, false, 0);
	flush_it(false);
	expect("nothing");
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:1#1");
	expect("failed:1:flushed#1");
	uplink(true);
	is_empty();
}

static void expired_in_every_state(void **state)
{
	(void)state;
	static const struct {
		enum where where;
		bool confirmed;
		enum gw_tx_result result; /* after its time; GW_TX_RESULT_COUNT: nothing comes */
		const char *told, *then, *and;
	} rows[] = {
		{QUEUED, false, GW_TX_RESULT_COUNT, "expired:1:expired", NULL, NULL},
		{SEALING, false, GW_TX_RESULT_COUNT, "expired:1:expired", NULL, NULL},
		{PLANNED, false, GW_TX_OK, "nothing", "sent:1#1", NULL},
		{PLANNED, false, GW_TX_TOO_LATE, "nothing", "expired:1:tx_too_late", NULL},
		{PLANNED, true, GW_TX_OK, "nothing", "sent:1#1", "expired:1:not_acknowledged#1"},
		{WAITING, true, GW_TX_RESULT_COUNT, "expired:1:not_acknowledged#1", NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int restart = 0; restart <= 1; restart++) {
			if (restart && rows[i].where == SEALING)
				continue;
			/* Just after the frame leaves, 4.2 s behind the uplink. */
			span_us expires_in = rows[i].where == SEALING ? 4210 * US_PER_MS : 4300 * US_PER_MS;
			setup(USUAL);
			t_row(wheres[rows[i].where]);
			bring(rows[i].where, rows[i].confirmed, false, expires_in);
			if (restart)
				rig_restart(&rig);
			/* No uplink comes: the deadline tells. */
			rig_run(&rig, rows[i].where == QUEUED ? expires_in : 150 * US_PER_MS);
			expect(rows[i].told);
			size_t frames = rig.downlink_count;
			if (rows[i].then) {
				rig_tx_ack(&rig, rows[i].result);
				expect(rows[i].then);
				t_uint("nobody else is asked to send it", frames, rig.downlink_count);
			}
			rig_run(&rig, US_PER_MS);
			if (rows[i].and)
				expect(rows[i].and);
			pause_a_while();
			is_empty();
		}
}

/* The deadline follows the wall clock, whichever way that is set. */
static void expiry_and_a_clock_that_is_set(void **state)
{
	(void)state;
	setup(USUAL);
	enqueue_for(1, false, 3600 * US_PER_S);
	expect("queued:1");
	rig.now.wall.us -= 1800 * US_PER_S;
	rig_run(&rig, 3660 * US_PER_S);
	t_row("set back half an hour");
	expect("nothing");
	rig.now.wall.us += 1800 * US_PER_S;
	rig_run(&rig, 61 * US_PER_S);
	t_row("set forward half an hour");
	expect("expired:1:expired");
	is_empty();
}

static void device_joins_anew(uint8_t profile)
{
	struct net_device record;
	struct rig_device second = device;
	rig_abp_record(&rig, &second, &record, 1, profile, 0x26000002,
		       false); /* new address, the same keys */
	rig_state_begin(&rig, false);
	ns_on_device(&rig.ns, rig.now, &record);
	rig_state_end(&rig);
	device = second;
}

static void a_new_session_in_every_state(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum where where;
		bool confirmed, encrypted;
		uint8_t profile;
		const char *told;
		const char *then; /* after the gateway took the frame */
		bool again;       /* it goes under the new session */
	} rows[] = {
		{"queued: sealed under the new one", QUEUED, false, false, USUAL, "nothing", NULL, true},
		{"queued, encrypted under the old one", QUEUED, false, true, USUAL,
		 "stale_counter:1:session_ended", NULL, false},
		{"in a frame of the old one", PLANNED, false, false, USUAL, "nothing", "sent:1#1", false},
		{"waits for an ACK that cannot come", WAITING, true, false, USUAL, "queued:1:session_ended#1",
		 NULL, true},
		{"waits, and it was the only try", WAITING, true, false, ONE, "failed:1:session_ended#1",
		 NULL, false},
		{"waits, encrypted under the old one", WAITING, true, true, USUAL, "failed:1:session_ended#1",
		 NULL, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].profile);
		t_row(rows[i].name);
		bring(rows[i].where, rows[i].confirmed, rows[i].encrypted, 0);
		device_joins_anew(rows[i].profile);
		expect(rows[i].told);
		if (rows[i].then) {
			rig_tx_ack(&rig, GW_TX_OK);
			expect(rows[i].then);
		}
		pause_a_while();
		size_t frames = rig.downlink_count;
		uplink(false);
		t_uint("goes under the new one", frames + rows[i].again, rig.downlink_count);
		if (rows[i].again) {
			expect(rows[i].where == WAITING ? "planned:1#2" : "planned:1#1");
			t_uint("its counter begins anew", 0, last()->fcnt_down);
			flush_it(true);
			rig_tx_ack(&rig, GW_TX_FREQ);
			expect(rows[i].where == WAITING ? "failed:1:flushed#1" : "failed:1:flushed");
		}
		is_empty();
	}
}

static void a_new_session_while_a_confirmed_one_is_on_its_way(void **state)
{
	(void)state;
	setup(USUAL);
	bring(PLANNED, true, false, 0);
	device_joins_anew(USUAL);
	expect("nothing");
	rig_restart(&rig);
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:1#1");
	expect("queued:1:session_ended#1");
	pause_a_while();
	uplink(true); /* it acknowledges nothing of ours */
	expect("planned:1#2");
	flush_it(true);
	rig_tx_ack(&rig, GW_TX_FREQ);
	expect("failed:1:flushed#1");
	is_empty();
}

/* The ACK bit of a frame under the new session says nothing of a frame under the old one, before the gateway's word or
 * after it. */
static void an_ack_of_the_new_session_is_not_the_old_ones(void **state)
{
	(void)state;
	setup(USUAL);
	bring(PLANNED, true, false, 0);
	device_joins_anew(USUAL);
	hears(true);
	rig_run(&rig, 300 * US_PER_MS);
	expect("nothing");
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:1#1");
	expect("queued:1:session_ended#1");
	flush_it(true);
	expect("failed:1:flushed#1");
	rig_run(&rig, 30 * US_PER_S);
	is_empty();
}

static void a_device_that_is_removed(void **state)
{
	(void)state;
	for (enum where where = QUEUED; where < WHERES; where++) {
		setup(USUAL);
		t_row(wheres[where]);
		bring(where, true, false, 0);
		rig_state_begin(&rig, false);
		ns_on_device(&rig.ns, rig.now,
			     &(struct net_device){
				     .version = ++rig.version, .dev_eui = device.dev_eui, .deleted = true});
		rig_state_end(&rig);
		expect(where == QUEUED || where == SEALING ? "failed:1:device_removed"
							   : "failed:1:device_removed#1");
		if (where == SEALING)
			seal_last();
		if (where == PLANNED)
			rig_tx_ack(&rig, GW_TX_OK);
		pause_a_while();
		t_uint("queues", 0, rig.ns.queue.items.count);
		t_uint("downlinks", 0, rig.ns.downlinks.count);
		expect("nothing");
		rig_release(&rig);
	}
}

/* An item that its agency encrypted for one counter has one try; the next counter is told where it was never on the air. */
static void encrypted_items_have_one_try(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum gw_tx_result result;
		bool ack;
		const char *told[2];
	} rows[] = {
		{"acknowledged", GW_TX_OK, true, {"sent:1#1", "acknowledged:1#1"}},
		{"not acknowledged", GW_TX_OK, false, {"sent:1#1", "failed:1:not_acknowledged#1"}},
		{"no gateway takes it", GW_TX_GPS_UNLOCKED, false, {"stale_counter:1:tx_gps_unlocked", NULL}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(USUAL);
		t_row(rows[i].name);
		bring(PLANNED, true, true, 0);
		rig_tx_ack(&rig, rows[i].result);
		if (rows[i].result != GW_TX_OK)
			rig_tx_ack(&rig, rows[i].result); /* the other gateway */
		expect(rows[i].told[0]);
		if (rows[i].result != GW_TX_OK)
			t_uint("the next counter", 1, last()->fcnt_down);
		pause_a_while();
		uplink(rows[i].ack);
		if (rows[i].told[1])
			expect(rows[i].told[1]);
		is_empty();
	}
}

/* A frame that only acknowledges takes the counter that an agency encrypted for: it is told at once. */
static void a_counter_that_is_taken_is_told_at_once(void **state)
{
	(void)state;
	setup(USUAL);
	enqueue_encrypted(1, false, 0);
	enqueue(2, false);
	expect("queued:1");
	expect("queued:2");
	struct net_enqueue urgent = {
		.item = rig_uuid(3), .dev_eui = device.dev_eui, .fport = 2, .length = 3, .priority = 3};
	ns_on_enqueue(&rig.ns, rig.now, &urgent);
	rig_turn(&rig);
	expect("queued:3");
	uplink(false);
	expect("planned:3#1");
	expect("stale_counter:1:stale_counter");
	t_uint("the next one", 1, last()->fcnt_down);
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:3#1");
	pause_a_while();
	uplink(false);
	expect("planned:2#1");
	rig_tx_ack(&rig, GW_TX_OK);
	expect("sent:2#1");
	is_empty();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_confirmed_item_is_tried_again),
		t_test(others_wait_for_the_ack),
		t_test(a_repeated_ack_names_the_downlink_before),
		t_test(the_device_may_know_before_the_gateway_says),
		t_test(flushed_in_every_state),
		t_test(flushed_and_not_here),
		t_test(flushed_on_its_way_and_taken),
		t_test(expired_in_every_state),
		t_test(expiry_and_a_clock_that_is_set),
		t_test(a_new_session_in_every_state),
		t_test(a_new_session_while_a_confirmed_one_is_on_its_way),
		t_test(an_ack_of_the_new_session_is_not_the_old_ones),
		t_test(a_device_that_is_removed),
		t_test(encrypted_items_have_one_try),
		t_test(a_counter_that_is_taken_is_told_at_once),
	};
	return t_run(tests);
}
