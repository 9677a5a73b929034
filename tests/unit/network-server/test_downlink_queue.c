/* The queue itself: order, limits, what is passed over, what is told at enqueue, what a doubled enqueue is. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/downlink_queue.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void five_seconds(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void setup_region(const char *region)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, region, five_seconds);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
}

static void setup(void)
{
	setup_region("eu868");
}

static void enqueue(uint8_t number, uint8_t length, uint8_t priority)
{
	struct net_enqueue item = {.item = rig_uuid(number),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = length,
				   .priority = priority};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

static const struct net_downlink_event *last(void)
{
	for (size_t i = rig.event_count; i-- > 0;)
		if (rig.events[i].kind == PROTO_DOWNLINK_EVENT)
			return &rig.events[i].downlink_event;
	fail();
	return NULL;
}

static void expect(enum net_item_status status, uint8_t number, const char *cause)
{
	t_str("status", net_item_status_name(status), net_item_status_name(last()->status));
	t_uint("item", number, last()->item.bytes[15] - 1u);
	t_str("cause", cause, last()->cause);
}

/* An uplink at a data rate, whose answer leaves with whatever is sealed. Returns the item that went, or −1. */
static int uplink_with(uint8_t dr, const uint8_t *fopts, uint8_t fopts_length, bool *pending)
{
	size_t seals = rig.seal_count, frames = rig.downlink_count;
	device.dr = dr;
	uint8_t length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){
			.fport = 1, .confirmed = true, .fopts = fopts, .fopts_length = fopts_length},
		phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868100000, dr, 800);
	rig_run(&rig, 4190 * US_PER_MS);
	while (rig.seal_count == seals && rig.downlink_count == frames)
		rig_run(&rig, US_PER_MS);
	int went = -1;
	if (rig.seal_count > seals) {
		const struct net_seal *asked = &rig.seals[rig.seal_count - 1];
		struct net_sealed sealed = {.item = asked->item, .fcnt_down = asked->fcnt_down, .ok = true};
		uint32_t slot = ns_queue_find(&rig.ns.queue, ns_device_at(&rig.ns.sessions, 0), &asked->item);
		sealed.frm_payload_length = ns_queue_at(&rig.ns.queue, slot)->enqueue.length;
		went = asked->item.bytes[15] - 1;
		ns_on_sealed(&rig.ns, rig.now, &sealed);
		rig_turn(&rig);
	}
	struct lw_frame frame;
	const struct gw_downlink *sent = &rig.downlinks[(rig.downlink_count - 1) % RIG_SENT_MAX];
	assert_int_equal(LW_OK, lw_frame_parse(&frame, sent->phy, sent->phy_length, LW_DOWN));
	*pending = frame.fctrl.f_pending;
	t_int("an item or none", went >= 0, frame.has_fport && frame.fport > 0);
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 20 * US_PER_S);
	device.fcnt_up++;
	return went;
}

static int uplink(uint8_t dr)
{
	bool pending;
	return uplink_with(dr, NULL, 0, &pending);
}

static void higher_priority_first_then_in_order(void **state)
{
	(void)state;
	static const struct {
		uint8_t number, priority;
	} rows[] = {{1, 0}, {2, 3}, {3, 0}, {4, 6}, {5, 3}, {6, 6}, {7, 1}};
	static const int order[] = {4, 6, 2, 5, 7, 1, 3};
	for (int restart = 0; restart <= 1; restart++) {
		setup();
		t_row(restart ? "after a restart" : "as they came");
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			enqueue(rows[i].number, 3, rows[i].priority);
		for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
			bool pending;
			if (restart)
				rig_restart(&rig);
			t_int("item", order[i], uplink_with(5, NULL, 0, &pending));
			t_int("FPending", i + 1 < ARRAY_SIZE(order), pending);
		}
		rig_release(&rig);
	}
}

/* Slots are used again, so that the order in memory is another than that of arrival; the rows that they came in are gone. */
static void the_order_outlives_the_journal_rows_they_came_in(void **state)
{
	(void)state;
	setup();
	for (uint8_t i = 1; i <= 4; i++)
		enqueue(i, 3, 0);
	for (uint8_t i = 1; i <= 3; i++) {
		ns_on_flush(&rig.ns, rig.now,
			    &(struct net_flush){.dev_eui = device.dev_eui, .one = true, .item = rig_uuid(i)});
		rig_turn(&rig);
	}
	for (uint8_t i = 5; i <= 7; i++)
		enqueue(i, 3, 0);
	uint64_t came_in = rig.ns.journal.next_row;
	for (unsigned i = 0; i < 6; i++) {
		ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){rig.ns.journal.event_row});
		ns_session_mark(&rig.ns.sessions, 0);
		rig_run(&rig, 10 * US_PER_S);
	}
	t_true("those rows have gone", rig.blob_count > 0 && rig.blobs[0].first >= came_in);
	rig_restart(&rig);
	for (int i = 4; i <= 7; i++)
		t_int("item", i, uplink(5));
	rig_release(&rig);
}

static void what_is_too_long_for_now_blocks_nobody(void **state)
{
	(void)state;
	setup();
	bool pending;
	enqueue(1, 60, 3); /* SF12 holds 51, SF9 115 */
	enqueue(2, 51, 0);
	enqueue(3, 10, 0);
	t_int("the next one that fits", 2, uplink_with(0, NULL, 0, &pending));
	t_true("another one fits", pending);
	t_uint("told once", 1, rig.ns.drops[NS_DROP_ITEM_TOO_LONG_NOW]);
	t_int("and the next", 3, uplink_with(0, NULL, 0, &pending));
	t_false("a device is not made to ask for what it cannot get", pending);
	t_int("nothing fits", -1, uplink_with(0, NULL, 0, &pending));
	t_uint("still told once", 1, rig.ns.drops[NS_DROP_ITEM_TOO_LONG_NOW]);
	unsigned holds = 0;
	for (size_t i = 0; i < rig.event_count; i++)
		if (rig.events[i].kind == PROTO_DOWNLINK_EVENT &&
		    strcmp(rig.events[i].downlink_event.cause, "item_too_long_now") == 0) {
			holds++;
			t_uint("the number", 51, rig.events[i].downlink_event.max_payload);
		}
	t_uint("one event", 1, holds);
	t_int("a better data rate takes it", 1, uplink_with(3, NULL, 0, &pending));
	t_uint("all gone", 0, rig.ns.queue.items.count);
	rig_release(&rig);
}

/* Ten LinkCheckReq are answered with more than FOpts beside the item hold: the answers come first, once. */
static void answers_do_not_starve_an_item(void **state)
{
	(void)state;
	static const uint8_t checks[] = {2, 2, 2, 2, 2};
	bool pending;
	setup();
	enqueue(1, 51, 0);
	t_int("the answers go", -1, uplink_with(0, checks, sizeof checks, &pending));
	t_true("and say that there is more", pending);
	t_int("then the item", 1, uplink_with(0, checks, sizeof checks, &pending));
	t_uint("all gone", 0, rig.ns.queue.items.count);
	rig_release(&rig);
}

static void what_fits_is_told(void **state)
{
	(void)state;
	setup();
	enqueue(1, 3, 0);
	expect(NET_ITEM_QUEUED, 1, "");
	t_false("no data rate is known yet", last()->has_max_payload);
	static const struct {
		uint8_t dr, rx1, max_payload; /* RX2 is SF12: 51 */
	} rows[] = {{0, 0, 51}, {2, 2, 51}, {3, 3, 115}, {4, 4, 242}, {5, 5, 242}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)uplink(rows[i].dr);
		const struct net_up_event *up = NULL;
		for (size_t j = 0; j < rig.event_count; j++)
			if (rig.events[j].kind == PROTO_UP_EVENT)
				up = &rig.events[j].up_event;
		assert_non_null(up);
		t_uint("with the uplink", rows[i].max_payload, up->max_payload);
		rig_restart(&rig);
		enqueue((uint8_t)(10 + i), 3, 0);
		t_true("with the item", last()->has_max_payload);
		t_uint("with the item", rows[i].max_payload, last()->max_payload);
	}
	rig_release(&rig);
}

static void longer_than_any_data_rate_is_refused_with_the_number(void **state)
{
	(void)state;
	static const struct {
		const char *region;
		uint8_t length;
		bool refused;
	} rows[] = {{"eu868", 242, false}, {"us915", 242, false}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup_region(rows[i].region);
		t_row(rows[i].region);
		enqueue(1, rows[i].length, 0);
		expect(NET_ITEM_QUEUED, 1, "");
		rig_release(&rig);
	}
	setup();
	t_row("a region that takes 100 bytes");
	for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++)
		for (int dwell = 0; dwell <= 1; dwell++) {
			struct lw_max_payload *row = &rig.regions[0].max_payloads[0][dwell][dr];
			if (row->n > 100)
				*row = (struct lw_max_payload){108, 100};
		}
	enqueue(1, 101, 0);
	expect(NET_ITEM_REFUSED, 1, "item_too_long");
	t_true("the number", last()->has_max_payload);
	t_uint("the number", 100, last()->max_payload);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_ITEM_TOO_LONG]);
	enqueue(2, 100, 0);
	expect(NET_ITEM_QUEUED, 2, "");
	rig_release(&rig);
}

static void limits(void **state)
{
	(void)state;
	setup();
	for (uint8_t i = 0; i < NS_QUEUE_DEVICE_MAX; i++)
		enqueue(i, 3, 0);
	expect(NET_ITEM_QUEUED, NS_QUEUE_DEVICE_MAX - 1, "");
	enqueue(100, 3, 6);
	expect(NET_ITEM_REFUSED, 100, "item_queue_full");
	t_int("one goes", 0, uplink(5));
	enqueue(101, 3, 0);
	expect(NET_ITEM_QUEUED, 101, "");
	struct rig_device others[2];
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		rig_abp(&rig, &others[i], 2 + i, 1, (uint32_t)(0x26000002 + i), false);
	struct rig_device first = device;
	device = others[0];
	t_uint("room for all of them", 64, rig.config.max_items);
	for (uint8_t i = 0; i < NS_QUEUE_DEVICE_MAX; i++)
		enqueue((uint8_t)(128 + i), 3, 0);
	t_uint("the table is full", 64, rig.ns.queue.items.count);
	device = others[1];
	enqueue(200, 3, 0);
	expect(NET_ITEM_REFUSED, 200, "items_full");
	t_uint("counted", 1, rig.ns.drops[NS_DROP_ITEMS_FULL]);
	rig_restart(&rig);
	t_uint("a full table outlives a restart", 64, rig.ns.queue.items.count);
	device = first;
	t_int("in its order", 1, uplink(5));
	rig_release(&rig);
}

/* An enqueue that crossed the event that its item is over must not send it again. */
static void an_item_that_is_over_does_not_come_back(void **state)
{
	(void)state;
	for (int restart = 0; restart <= 1; restart++) {
		setup();
		t_row(restart ? "after a restart" : "");
		enqueue(1, 3, 0);
		enqueue(1, 3, 0);
		t_uint("queued once", 1, rig.ns.queue.items.count);
		t_int("goes", 1, uplink(5));
		expect(NET_ITEM_SENT, 1, "");
		if (restart)
			rig_restart(&rig);
		unsigned events = rig_events_of(&rig, PROTO_DOWNLINK_EVENT);
		enqueue(1, 3, 0);
		t_uint("nothing is queued", 0, rig.ns.queue.items.count);
		t_uint("nothing is said", events, rig_events_of(&rig, PROTO_DOWNLINK_EVENT));
		t_uint("counted", restart ? 1 : 2, rig.ns.drops[NS_DROP_ITEM_AGAIN]);
		ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){rig.ns.journal.event_row});
		enqueue(1, 3, 0);
		expect(NET_ITEM_QUEUED, 1, ""); /* the application server knows: it is meant */
		rig_release(&rig);
	}
}

static void what_is_remembered_of_items_that_are_over_is_bounded(void **state)
{
	(void)state;
	setup();
	for (unsigned i = 0; i < 3 * rig.config.max_items; i++) {
		enqueue((uint8_t)(i % 250), 3, 0);
		ns_on_flush(&rig.ns, rig.now, &(struct net_flush){.dev_eui = device.dev_eui});
		rig_turn(&rig);
	}
	t_true("bounded", rig.ns.queue.ring_count <= rig.config.max_items);
	t_uint("and the table", rig.ns.queue.ring_count, rig.ns.queue.over.count);
	rig_release(&rig);
}

/* Many deadlines at once are told a slice a turn, none is forgotten. */
static void expiry_is_bounded_a_turn(void **state)
{
	(void)state;
	setup();
	struct rig_device second;
	rig_abp(&rig, &second, 2, 1, 0x26000002, false);
	for (uint8_t i = 0; i < 64; i++) {
		struct net_enqueue item = {.item = rig_uuid(i),
					   .dev_eui = i < 32 ? device.dev_eui : second.dev_eui,
					   .fport = 2,
					   .length = 3,
					   .expires = {rig.now.wall.us + 10 * US_PER_S}};
		ns_on_enqueue(&rig.ns, rig.now, &item);
		rig_turn(&rig);
	}
	rig_run(&rig, 9900 * US_PER_MS);
	t_uint("none before its time", 64, rig.ns.queue.items.count);
	rig_run(&rig, 200 * US_PER_MS);
	t_uint("all after it", 0, rig.ns.queue.items.count);
	t_uint("counted", 64, rig.ns.drops[NS_DROP_ITEM_EXPIRED]);
	t_uint("told, each once", 128, rig_events_of(&rig, PROTO_DOWNLINK_EVENT));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(higher_priority_first_then_in_order),
		t_test(the_order_outlives_the_journal_rows_they_came_in),
		t_test(what_is_too_long_for_now_blocks_nobody),
		t_test(answers_do_not_starve_an_item),
		t_test(what_fits_is_told),
		t_test(longer_than_any_data_rate_is_refused_with_the_number),
		t_test(limits),
		t_test(an_item_that_is_over_does_not_come_back),
		t_test(what_is_remembered_of_items_that_are_over_is_bounded),
		t_test(expiry_is_bounded_a_turn),
	};
	return t_run(tests);
}
