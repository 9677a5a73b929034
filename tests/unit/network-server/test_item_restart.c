/* The process dies at every point of an item's way: before a turn's commit, between the commit and what it sends, and after
 * that. No item is lost, none is sent twice without its reported reason, no counter has two contents.
 *
 * The world around it is small and honest: the bridge repeats an answer that was not committed, the application server
 * enqueues again what it has not heard of, the device receives every frame that reached a gateway in time and acknowledges
 * a confirmed one in its next uplink. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/downlink_queue.h"

enum death { NOT_AT_ALL, BEFORE_COMMIT, BEFORE_SENDING, AFTER_SENDING, DEATHS };
static const char *const deaths[DEATHS] = {"lives", "dies before the commit",
					   "dies between commit and sending", "dies after sending"};

#define UPLINKS 8

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static unsigned turn, kill_at;
static enum death death;
static bool died;

/* What the world has still to do; MONO_NEVER: nothing. */
static struct mono seal_due, tx_ack_due, uplink_due;
static struct net_seal seal;
static struct gw_tx_ack tx_ack;
static unsigned uplinks, received;
static bool ack_due;

static void five_seconds(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

/* Ends a turn, or the process. Returns whether the turn was committed. */
static bool end_turn(void)
{
	bool dies = ++turn == kill_at;
	if (dies && death == BEFORE_COMMIT) {
		died = true;
		rig_restart(&rig);
		return false;
	}
	size_t downlinks = rig.downlink_count, seals = rig.seal_count;
	rig_turn(&rig);
	if (dies && death == BEFORE_SENDING) {
		rig.downlink_count = downlinks;
		rig.seal_count = seals;
	}
	if (dies) {
		died = true;
		rig_restart(&rig);
	}
	return true;
}

static unsigned told(enum net_item_status status, const char *cause)
{
	unsigned count = 0;
	for (size_t i = 0; i < rig.event_count; i++) {
		const struct net_downlink_event *event = &rig.events[i].downlink_event;
		count += rig.events[i].kind == PROTO_DOWNLINK_EVENT && event->status == status &&
			 (!cause || strcmp(event->cause, cause) == 0);
	}
	return count;
}

static void enqueue(bool confirmed, bool encrypted)
{
	struct net_enqueue item = {.item = rig_uuid(1),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = 3,
				   .confirmed = confirmed,
				   .encrypted = encrypted};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	(void)end_turn();
}

/* A frame reached a gateway: it says so, and the device gets it. */
static void gateway_sends(const struct gw_downlink *downlink)
{
	struct lw_frame frame;
	assert_int_equal(LW_OK, lw_frame_parse(&frame, downlink->phy, downlink->phy_length, LW_DOWN));
	tx_ack = (struct gw_tx_ack){.id = downlink->id,
				    .gateway = downlink->attempts[0].gateway,
				    .result = GW_TX_OK,
				    .latency_us = 40 * US_PER_MS};
	tx_ack_due = mono_add(rig.now.mono, 40 * US_PER_MS);
	if (frame.has_fport && frame.fport == 2) {
		received++;
		ack_due = frame.ftype == LW_CONFIRMED_DOWN;
		device.conf_fcnt_down = frame.fcnt;
	}
}

static void device_sends(void)
{
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .ack = ack_due}, phy);
	ack_due = false;
	struct gw_uplink uplink = {
		.gateway = rig_eui(1),
		.phy_length = length,
		.freq_hz = 868100000,
		.modulation = lw_region_data_rate(&rig.regions[0], LW_UP, 5)->modulation,
		.rssi_dbm = -60,
		.has_snr = true,
		.snr_cdb = 800,
		.ticks = {(uint32_t)rig.now.mono.us},
		.arrival = rig.now.wall,
		.wall_synchronised = true,
		.protocol = GW_SEMTECH_UDP_V2,
	};
	memcpy(uplink.phy, phy, length);
	ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
	device.fcnt_up++;
	uplinks++;
	(void)end_turn();
}

static void answer_seal(void)
{
	struct net_sealed sealed = {
		.item = seal.item, .fcnt_down = seal.fcnt_down, .ok = true, .frm_payload_length = 3};
	sealed.frm_payload[0] = (uint8_t)seal.fcnt_down; /* another ciphertext for another counter */
	seal_due = MONO_NEVER;
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	(void)end_turn();
}

static void step(void)
{
	size_t downlinks = rig.downlink_count, seals = rig.seal_count;
	struct mono *due = &uplink_due, next = ns_next_deadline(&rig.ns);
	if (seal_due.us < due->us)
		due = &seal_due;
	if (tx_ack_due.us < due->us)
		due = &tx_ack_due;
	struct mono at = next.us < due->us ? next : *due;
	if (at.us > rig.now.mono.us) {
		rig.now.wall.us += at.us - rig.now.mono.us;
		rig.now.mono = at;
	}
	if (next.us < due->us) {
		ns_on_tick(&rig.ns, rig.now);
		(void)end_turn();
	} else if (due == &seal_due) {
		answer_seal();
	} else if (due == &tx_ack_due) {
		ns_on_tx_ack(&rig.ns, rig.now, &tx_ack);
		if (end_turn()) /* else the bridge says it again */
			tx_ack_due = MONO_NEVER;
	} else {
		uplink_due = uplinks + 1 < UPLINKS ? mono_add(rig.now.mono, 30 * US_PER_S) : MONO_NEVER;
		device_sends();
	}
	if (rig.downlink_count > downlinks)
		gateway_sends(&rig.downlinks[rig.downlink_count - 1]);
	if (rig.seal_count > seals) {
		seal = rig.seals[rig.seal_count - 1];
		seal_due = mono_add(rig.now.mono, 5 * US_PER_MS);
	}
}

static void live(bool v1_1, bool confirmed, bool encrypted)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", five_seconds);
	rig_profile(&rig, 2, LW_MAC_1_1_0, "eu868", five_seconds);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, v1_1 ? 2 : 1, 0x26000001, v1_1);
	turn = uplinks = received = 0;
	ack_due = died = false;
	seal_due = tx_ack_due = MONO_NEVER;
	uplink_due = mono_add(rig.now.mono, 10 * US_PER_S);
	while (told(NET_ITEM_QUEUED, "") == 0)
		enqueue(confirmed, encrypted);
	struct mono end = mono_add(rig.now.mono, (UPLINKS + 1) * 30 * US_PER_S);
	while (rig.now.mono.us < end.us && (uplink_due.us < end.us || ns_next_deadline(&rig.ns).us < end.us))
		step();
}

static void check(bool confirmed, bool encrypted)
{
	unsigned ends = told(NET_ITEM_ACKNOWLEDGED, NULL) + told(NET_ITEM_FAILED, NULL) +
			told(NET_ITEM_STALE_COUNTER, NULL) + (confirmed ? 0 : told(NET_ITEM_SENT, NULL));
	unsigned reasons = told(NET_ITEM_QUEUED, "restarted") + told(NET_ITEM_QUEUED, "not_acknowledged");
	t_uint("one end", 1, ends);
	t_uint("the queue is empty", 0, rig.ns.queue.items.count);
	t_uint("no counter has two contents", 0, rig.counters_repeated);
	t_true("not sent twice without a reason", received <= 1 + reasons);
	/* Encrypted for one counter: where that was spent unsent, it comes back. */
	bool stale = encrypted && told(NET_ITEM_STALE_COUNTER, NULL) == 1;
	t_true("not lost", received >= 1 || stale);
	if (confirmed && !encrypted)
		t_uint("acknowledged", 1, told(NET_ITEM_ACKNOWLEDGED, NULL));
	t_true("each frame with it is told", told(NET_ITEM_PLANNED, NULL) >= received);
}

static void dies_at_every_point(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool v1_1, confirmed, encrypted;
	} rows[] = {
		{"unconfirmed", false, false, false},     {"confirmed", false, true, false},
		{"encrypted", false, false, true},        {"encrypted and confirmed", false, true, true},
		{"1.1, unconfirmed", true, false, false}, {"1.1, confirmed", true, true, false},
		{"1.1, encrypted", true, false, true},
	};
	unsigned unknown = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (death = NOT_AT_ALL; death < DEATHS; death++) {
			died = true;
			for (kill_at = 1; died; kill_at++) {
				char name[96];
				live(rows[i].v1_1, rows[i].confirmed, rows[i].encrypted);
				snprintf(name, sizeof name, "%s, %s, turn %u", rows[i].name, deaths[death],
					 kill_at);
				t_row(name);
				check(rows[i].confirmed, rows[i].encrypted);
				unknown += told(NET_ITEM_QUEUED, "restarted");
				rig_release(&rig);
				if (death == NOT_AT_ALL)
					break;
			}
			t_true("enough points", death == NOT_AT_ALL || kill_at > 15);
		}
	t_true("some deaths leave it open whether it was sent", unknown > 0);
}

/* The gateway's word comes after the restart: it counts, good or bad, and so does the device's. */
static void an_answer_after_the_restart(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum gw_tx_result result;
		enum net_item_status status;
		const char *cause;
		uint8_t tries; /* one that may have been sent is a try */
	} rows[] = {
		{"taken", GW_TX_OK, NET_ITEM_SENT, "", 1},
		{"refused", GW_TX_TOO_LATE, NET_ITEM_QUEUED, "tx_too_late", 0},
		{"sent without an answer", GW_TX_NO_ANSWER, NET_ITEM_SENT, "", 1},
		{"nothing comes", GW_TX_RESULT_COUNT, NET_ITEM_QUEUED, "restarted", 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		kill_at = 0;
		death = NOT_AT_ALL;
		rig_init(&rig);
		rig_state_begin(&rig, false);
		rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", five_seconds);
		rig_state_end(&rig);
		rig_abp(&rig, &device, 1, 1, 0x26000001, false);
		seal_due = tx_ack_due = MONO_NEVER;
		uplinks = UPLINKS - 1;
		uplink_due = mono_add(rig.now.mono, US_PER_S);
		enqueue(true, false);
		while (rig.downlink_count == 0)
			step();
		rig_restart(&rig);
		t_int("in a frame", NS_ITEM_PLANNED, ns_queue_at(&rig.ns.queue, 0)->state);
		if (rows[i].result != GW_TX_RESULT_COUNT)
			rig_tx_ack(&rig, rows[i].result);
		rig_run(&rig, 20 * US_PER_S);
		t_uint("told", 1, told(rows[i].status, rows[i].cause));
		t_uint("tries", rows[i].tries, rig.events[rig.event_count - 1].downlink_event.tries);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(dies_at_every_point),
		t_test(an_answer_after_the_restart),
	};
	return t_run(tests);
}
