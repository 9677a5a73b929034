/* A command that an application sends in reaction to an uplink makes the windows of that uplink: always with RxDelay 5 s;
 * with RxDelay 1 s wherever nothing else had to leave before it. And the share of answers that leave early enough. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/downlink.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void five_seconds(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void one_second(struct net_profile *profile)
{
	profile->rx_delay_s = 1;
}

static void setup(uint8_t rx_delay_s)
{
	rig_init(&rig);
	rig.ns.config.rx_delay_s = rx_delay_s;
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", rx_delay_s == 1 ? one_second : five_seconds);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
}

static void enqueue(uint8_t number)
{
	struct net_enqueue item = {
		.item = rig_uuid(number), .dev_eui = device.dev_eui, .fport = 2, .length = 3};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

static void answer_seal(void)
{
	const struct net_seal *asked = &rig.seals[rig.seal_count - 1];
	struct net_sealed sealed = {
		.item = asked->item, .fcnt_down = asked->fcnt_down, .ok = true, .frm_payload_length = 3};
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
}

/* Runs on, and answers Seals after 5 ms. */
static void run(span_us span)
{
	struct mono end = mono_add(rig.now.mono, span);
	while (rig.now.mono.us < end.us) {
		size_t seals = rig.seal_count;
		rig_run(&rig, US_PER_MS);
		if (rig.seal_count > seals) {
			rig_run(&rig, 5 * US_PER_MS);
			answer_seal();
		}
	}
}

/* Returns whether a frame with the item was sent for the window that opens `delay` behind the uplink. */
static bool sent_at(size_t frame, uint32_t uplink_ticks, span_us delay)
{
	struct lw_frame parsed;
	if (frame >= rig.downlink_count)
		return false;
	const struct gw_downlink *sent = &rig.downlinks[frame];
	return lw_frame_parse(&parsed, sent->phy, sent->phy_length, LW_DOWN) == LW_OK && parsed.has_fport &&
	       parsed.fport == 2 && sent->attempts[0].ticks.us == uplink_ticks + (uint32_t)delay;
}

static void a_reaction_makes_the_same_windows(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t rx_delay_s;
		bool confirmed; /* the uplink: an ACK has to leave */
		span_us after;  /* from the uplink's event to the command */
		enum { RX1, RX2, NEXT_UPLINK } expected;
		unsigned frames;
	} rows[] = {
		{"5 s: 300 ms behind an unconfirmed uplink", 5, false, 300000, RX1, 1},
		{"5 s: 300 ms behind a confirmed one: one frame with the ACK", 5, true, 300000, RX1, 1},
		{"5 s: four seconds behind", 5, true, 3900000, RX1, 1},
		{"5 s: past 800 ms before RX1, nothing has left yet", 5, false, 4200000, RX1, 1},
		{"5 s: too late for RX1, not for RX2", 5, false, 4700000, RX2, 1},
		{"5 s: too late for both", 5, false, 5700000, NEXT_UPLINK, 0},
		{"5 s: the ACK has left", 5, true, 4200000, NEXT_UPLINK, 1},
		{"1 s: 300 ms behind an unconfirmed uplink", 1, false, 300000, RX1, 1},
		{"1 s: 600 ms behind: RX2", 1, false, 600000, RX2, 1},
		{"1 s: 50 ms behind a confirmed one: the ACK waits for it", 1, true, 50000, RX1, 1},
		{"1 s: 300 ms behind a confirmed one: the ACK has left", 1, true, 300000, NEXT_UPLINK, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].rx_delay_s);
		t_row(rows[i].name);
		uint8_t length = rig_uplink(
			&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = rows[i].confirmed}, phy);
		uint32_t ticks = (uint32_t)(rig.now.mono.us - 30 * US_PER_MS + 1000000007);
		rig_hears(&rig, 1, phy, length, 0);
		while (rig_events_of(&rig, PROTO_UP_EVENT) == 0)
			rig_run(&rig, US_PER_MS);
		run(rows[i].after);
		enqueue(1);
		run(12 * US_PER_S);
		t_uint("frames", rows[i].frames, rig.downlink_count);
		span_us rx1 = rows[i].rx_delay_s * US_PER_S;
		size_t last = rig.downlink_count - 1;
		t_int("RX1", rows[i].expected == RX1, sent_at(last, ticks, rx1));
		t_int("RX2", rows[i].expected == RX2, sent_at(last, ticks, rx1 + US_PER_S));
		t_uint("or it waits", rows[i].expected == NEXT_UPLINK, rig.ns.queue.items.count);
		bool late = rows[i].frames == 1 && !rows[i].confirmed &&
			    (rows[i].after > 4 * US_PER_S || rows[i].rx_delay_s == 1);
		t_uint("late commands are counted for themselves", late, rig.ns.late_commands);
		t_uint("answers", rows[i].frames == 1 && !late, rig.ns.answers);
		t_uint("in time", rows[i].frames == 1 && !late, rig.ns.answers_early);
		rig_run(&rig, 10 * US_PER_S);
		t_uint("no opportunity is left", 0, rig.ns.downlinks.count);
		rig_release(&rig);
	}
}

/* With an item queued there is nothing to wait for. */
static void what_is_known_leaves_at_once(void **state)
{
	(void)state;
	setup(1);
	enqueue(1);
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 201 * US_PER_MS);
	t_uint("Seal is asked for at the window's end", 1, rig.seal_count);
	answer_seal();
	t_uint("the frame leaves", 1, rig.downlink_count);
	rig_release(&rig);
}

/* Many uplinks at once: those that wait for a command give way to those that have something to say. */
static void waiting_for_a_command_is_bounded(void **state)
{
	(void)state;
	static struct rig_device devices[20];
	setup(5);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		rig_abp(&rig, &devices[i], 2 + i, 1, (uint32_t)(0x26000002 + i), false);
	while (rig.ns.downlinks.count < 40) /* of others */
		assert_true(ns_slab_take(&rig.ns.downlinks) != NS_NO_SLOT);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		uint8_t length = rig_uplink(&rig, &devices[i], &(struct rig_frame){.fport = 1}, phy);
		rig_hears(&rig, 1, phy, length, 0);
	}
	rig_run(&rig, US_PER_S);
	t_uint("an eighth of the places is kept", 64 / 8 * 7, rig.ns.downlinks.count);
	rig_run(&rig, 3300 * US_PER_MS);
	t_uint("nobody waits on when it is crowded", 40, rig.ns.downlinks.count);
	while (rig.ns.downlinks.count < 44)
		assert_true(ns_slab_take(&rig.ns.downlinks) != NS_NO_SLOT);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		devices[i].fcnt_up++;
		uint8_t length = rig_uplink(&rig, &devices[i],
					    &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
		rig_hears(&rig, 1, phy, length, 0);
	}
	rig_run(&rig, US_PER_S);
	t_uint("answers that have to go find a place", 64, rig.ns.downlinks.count);
	t_uint("all of them", 0, rig.ns.drops[NS_DROP_DOWNLINK_FULL]);
	rig_release(&rig);
}

static void how_early_is_early(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ns_out_answer answer;
		span_us early;
		uint64_t answers, answers_early, accepts, accepts_early;
	} rows[] = {
		{"an answer half a second before RX1", NS_OUT_ANSWER, 500000, 1, 1, 0, 0},
		{"a microsecond later", NS_OUT_ANSWER, 499999, 1, 0, 0, 0},
		{"an answer behind RX1", NS_OUT_ANSWER, -200000, 1, 0, 0, 0},
		{"an accept three seconds before", NS_OUT_JOIN_ACCEPT, 3000000, 0, 0, 1, 1},
		{"an accept two seconds before", NS_OUT_JOIN_ACCEPT, 2000000, 0, 0, 1, 0},
		{"a second attempt", NS_OUT_NOT_COUNTED, 100000, 0, 0, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		const struct ns_out out = {.kind = NS_OUT_DOWNLINK,
					   .answer = rows[i].answer,
					   .rx1 = mono_add(rig.now.mono, rows[i].early)};
		ns_downlink_left(&rig.ns, rig.now.mono, &out);
		t_uint("answers", rows[i].answers, rig.ns.answers);
		t_uint("early", rows[i].answers_early, rig.ns.answers_early);
		t_uint("accepts", rows[i].accepts, rig.ns.accepts);
		t_uint("early", rows[i].accepts_early, rig.ns.accepts_early);
		rig_release(&rig);
	}
}

/* The first attempt counts, whatever becomes of it. */
static void an_answer_counts_once(void **state)
{
	(void)state;
	setup(5);
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_hears(&rig, 2, phy, length, 0);
	rig_run(&rig, 4210 * US_PER_MS);
	rig_tx_ack(&rig, GW_TX_COLLISION_PACKET);
	rig_tx_ack(&rig, GW_TX_COLLISION_PACKET);
	t_uint("frames", 3, rig.downlink_count);
	t_uint("answers", 1, rig.ns.answers);
	t_uint("early", 1, rig.ns.answers_early);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_reaction_makes_the_same_windows),
		t_test(what_is_known_leaves_at_once),
		t_test(waiting_for_a_command_is_bounded),
		t_test(how_early_is_early),
		t_test(an_answer_counts_once),
	};
	return t_run(tests);
}
