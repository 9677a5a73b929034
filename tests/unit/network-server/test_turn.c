/* A turn that is full ends early: whatever one step writes still fits behind that mark, and what had to wait is not lost
 * (network.h, ns_turn_is_full). */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/downlink_queue.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void setup(void)
{
	rig_init(&rig);
	rig_abp(&rig, &device, 1, 0, 0x26000001, false);
}

static void uplink(void)
{
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	rig_hears(&rig, 1, phy, length, 0);
}

/* Each fills up to the mark, or to the last point under it. */
static void fill_journal(bool under)
{
	static const uint8_t filler[NS_JOURNAL_ENTRY_MAX];
	struct ns_journal *journal = &rig.ns.journal;
	size_t mark = NS_JOURNAL_RESERVE + (under ? 1 : 0);
	while (wr_room(&journal->wr) > mark) {
		size_t left = wr_room(&journal->wr) - mark;
		size_t length = left >= sizeof filler + 6 ? sizeof filler : left > 3 ? left - 3 : 0;
		assert_int_equal(ST_OK,
				 ns_journal_add(journal, NS_JOURNAL_EVENT, NULL, 0, filler, length, NULL));
	}
}

static void fill_outbox(bool under)
{
	while (ns_outbox_room(&rig.ns.outbox) >= NS_OUTBOX_RESERVE + (under ? 1u : 0u))
		assert_non_null(ns_outbox_add(&rig.ns.outbox, NS_OUT_ACK));
}

static void fill_writes(bool under)
{
	rig.ns.write_count = NS_WRITES_MAX - NS_WRITES_RESERVE + (under ? 0 : 1);
}

static const struct {
	const char *name;
	void (*fill)(bool under);
} full[] = {
	{"the journal's turn is full", fill_journal},
	{"the outbox is full", fill_outbox},
	{"the rows to write are full", fill_writes},
};

static void empty(void)
{
	ns_outbox_clear(&rig.ns.outbox);
	ns_turn_done(&rig.ns);
}

static void what_is_due_waits_for_the_next_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(full); i++) {
		setup();
		t_row(full[i].name);
		uplink();
		uint64_t acked = rig.acked_seq;
		rig.now.mono = mono_add(rig.now.mono, US_PER_S);
		full[i].fill(false);
		t_true("full", ns_turn_is_full(&rig.ns));
		size_t out = rig.ns.outbox.count;
		ns_on_tick(&rig.ns, rig.now);
		t_uint("not handled", 0, rig.ns.uplinks);
		t_uint("nothing said, no acknowledgement above all", out, rig.ns.outbox.count);
		t_true("still due", ns_next_deadline(&rig.ns).us <= rig.now.mono.us);
		empty();
		ns_on_tick(&rig.ns, rig.now);
		rig_turn(&rig);
		t_uint("handled", 1, rig.ns.uplinks);
		t_uint("its event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
		t_true("and acknowledged", rig.acked_seq > acked);
		rig_release(&rig);
	}
}

/* Each aborts if it did not fit. */
static void any_one_step_fits_behind_the_mark(void **state)
{
	(void)state;
	enum { ENQUEUE, FLUSH, REMOVE, EXPIRE, UPLINK, SWEEP, STEPS };
	static const char *const names[STEPS] = {"an item",
						 "a queue of 32 is flushed",
						 "a device with 32 items is removed",
						 "32 items expire when a frame is made",
						 "an uplink",
						 "a sweep writes again"};
	for (size_t i = 0; i < ARRAY_SIZE(full); i++)
		for (int step = 0; step < STEPS; step++) {
			setup();
			t_row(names[step]);
			for (uint8_t item = 0; step != ENQUEUE && item < NS_QUEUE_DEVICE_MAX; item++) {
				struct net_enqueue enqueue = {.item = rig_uuid(item),
							      .dev_eui = device.dev_eui,
							      .fport = 1,
							      .length = NET_PAYLOAD_MAX,
							      .encrypted = step != EXPIRE && step != UPLINK,
							      .expires = {rig.now.wall.us + 30 * US_PER_S}};
				ns_on_enqueue(&rig.ns, rig.now, &enqueue);
				rig_turn(&rig);
			}
			size_t writes = rig.ns.write_count;
			t_uint("turn is empty", 0, writes);
			if (step == EXPIRE) /* the frame is made a while after the uplink */
				ns_session_at(&rig.ns.sessions, 0)->rx_delay_s = 5;
			if (step == EXPIRE || step == UPLINK)
				uplink();
			if (step == EXPIRE || step == UPLINK)
				rig.now.mono = mono_add(rig.now.mono, 250 * US_PER_MS);
			if (step ==
			    EXPIRE) { /* the uplink fills the turn, the frame is made in the next one */
				full[i].fill(true);
				ns_on_tick(&rig.ns, rig.now);
				empty();
				rig.now.mono = mono_add(rig.now.mono, 4 * US_PER_S);
				rig.now.wall.us += 40 * US_PER_S; /* the clock was set: no deadline tells */
			}
			full[i].fill(step == EXPIRE || step == UPLINK);
			t_int("full", step != EXPIRE && step != UPLINK, ns_turn_is_full(&rig.ns));
			if (step == ENQUEUE) {
				struct net_enqueue item = {
					.item = rig_uuid(1), .dev_eui = device.dev_eui, .fport = 1};
				ns_on_enqueue(&rig.ns, rig.now, &item);
			} else if (step == FLUSH) {
				ns_on_flush(&rig.ns, rig.now, &(struct net_flush){.dev_eui = device.dev_eui});
				t_uint("flushed", 0, rig.ns.queue.items.count);
			} else if (step == REMOVE) {
				rig_state_begin(&rig, false);
				ns_on_device(&rig.ns, rig.now,
					     &(struct net_device){.version = ++rig.version,
								  .dev_eui = device.dev_eui,
								  .deleted = true});
				t_uint("removed", 0, rig.ns.sessions.devices.count);
			} else if (step == SWEEP) {
				uint32_t slots[64];
				rig.ns.fold.next = rig.now.mono;
				rig.ns.fold.active = false;
				ns_session_mark(&rig.ns.sessions, 0);
				t_true("swept", ns_fold_slice(&rig.ns, rig.now, slots, 64) > 0);
			} else {
				ns_on_tick(&rig.ns, rig.now);
				t_uint("the uplink", 1, rig.ns.uplinks);
				t_uint("items", step == EXPIRE ? 0 : NS_QUEUE_DEVICE_MAX,
				       rig.ns.queue.items.count);
			}
			rig_release(&rig);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_due_waits_for_the_next_turn),
		t_test(any_one_step_fits_behind_the_mark),
	};
	return t_run(tests);
}
