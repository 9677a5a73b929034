/* The journal over a disk that loses what was not synced: at every step of a run of joins, uplinks and downlinks the power
 * goes; after the start no committed uplink is lost, and no FCntDown that left is used again. */
#include "tests/harness/fault_vfs.h"
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/store_network.h"

static struct rig rig;
static struct ns_store store;

/* What left the network server: only after a commit. */
static struct {
	uint32_t fcnt_up;   /* the last whose commit returned */
	uint32_t fcnt_down; /* the greatest that was sent */
	bool any_up, any_down;
	uint32_t sending; /* the uplink that is on its way */
} left;

static enum status turn(struct now now)
{
	enum status status = ns_store_commit(&store, &rig.ns, now);
	if (status != ST_OK)
		return status;
	for (size_t i = 0; i < rig.ns.outbox.count; i++) {
		const struct ns_out *out = &rig.ns.outbox.entries[i];
		struct lw_frame frame;
		if (out->kind == NS_OUT_EVENT) {
			left.any_up = true;
			left.fcnt_up = left.sending;
		}
		if (out->kind == NS_OUT_DOWNLINK &&
		    lw_frame_parse(&frame, out->downlink.phy, out->downlink.phy_length, LW_DOWN) == LW_OK) {
			if (left.any_down && frame.fcnt <= left.fcnt_down)
				t_true("a downlink counter was used twice", false);
			left.fcnt_down = frame.fcnt;
			left.any_down = true;
		}
	}
	ns_outbox_clear(&rig.ns.outbox);
	return ST_OK;
}

static bool run_to(span_us span)
{
	struct mono end = mono_add(rig.now.mono, span);
	for (struct mono next; (next = ns_next_deadline(&rig.ns)).us <= end.us;) {
		if (next.us > rig.now.mono.us) {
			rig.now.wall.us += next.us - rig.now.mono.us;
			rig.now.mono = next;
		}
		ns_on_tick(&rig.ns, rig.now);
		if (turn(rig.now) != ST_OK)
			return false;
	}
	rig.now.wall.us += end.us - rig.now.mono.us;
	rig.now.mono = end;
	return true;
}

static bool open_core(void)
{
	if (ns_store_open(&store, "network.db", FAULT_VFS) != ST_OK)
		return false;
	ns_init(&rig.ns, &rig.config, &rig.rng);
	if (ns_store_load(&store, &rig.ns, rig.now) != ST_OK) {
		ns_release(&rig.ns);
		ns_store_close(&store);
		return false;
	}
	ns_on_bridge(&rig.ns, rig.now, RIG_LINK);
	ns_on_app(&rig.ns, true);
	return true;
}

static void close_core(void)
{
	ns_release(&rig.ns);
	ns_store_close(&store);
}

/* Confirmed uplinks, one a minute, so that sweeps and deletions happen as well. False: the power went. */
static bool send_uplinks(struct rig_device *device, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		uint8_t length = rig_uplink(&rig, device, &(struct rig_frame){.fport = 1, .confirmed = true},
					    phy);
		struct gw_uplink uplink = {
			.gateway = rig_eui(1),
			.phy_length = length,
			.freq_hz = 868100000,
			.modulation = lw_region_data_rate(&rig.regions[0], LW_UP, 5)->modulation,
			.ticks = {(uint32_t)rig.now.mono.us}};
		memcpy(uplink.phy, phy, length);
		ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
		uint64_t accepted = rig.ns.uplinks;
		left.sending = device->fcnt_up;
		if (turn(rig.now) != ST_OK || !run_to(10 * US_PER_S))
			return false;
		t_uint("accepted", accepted + 1, rig.ns.uplinks);
		device->fcnt_up++;
		if (i % 3 == 2) {
			struct net_event_stored stored = {rig.ns.journal.event_row};
			ns_on_event_stored(&rig.ns, rig.now, &stored);
			if (turn(rig.now) != ST_OK)
				return false;
		}
		if (!run_to(50 * US_PER_S))
			return false;
	}
	return true;
}

/* No MAC request whose row would carry the counters along. */
static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static bool register_all(void)
{
	rig.version = 0;
	rig_state_begin(&rig, true);
	rig_gateway(&rig, 1, "eu868", true);
	rig_profile(&rig, 0, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	struct net_state_end end = {rig.version};
	ns_on_state_end(&rig.ns, rig.now, &end);
	return turn(rig.now) == ST_OK;
}

/* The rig's own verbs take turns in memory; here each turn is a real transaction, so the device is registered by hand. */
static bool register_device(struct rig_device *device)
{
	struct net_device record;
	rig_abp_record(&rig, device, &record, 1, 0, 0x26000001, false);
	rig_state_begin(&rig, false);
	ns_on_device(&rig.ns, rig.now, &record);
	struct net_state_end end = {rig.version};
	ns_on_state_end(&rig.ns, rig.now, &end);
	return turn(rig.now) == ST_OK;
}

/* One life up to the crash, then another without; returns the operations of the first. */
static uint64_t live(uint64_t crash_at, uint64_t seed)
{
	fault_vfs_reset();
	memset(&left, 0, sizeof left);
	fault_vfs_crash_at(crash_at);
	struct rig_device device;
	bool registered = false;
	if (open_core()) {
		rig.seq = 0;
		registered = register_all() && register_device(&device);
		if (registered)
			(void)!send_uplinks(&device, 8);
		close_core();
	}
	uint64_t operations = fault_vfs_operations();
	fault_vfs_power_on(seed);
	fault_vfs_crash_at(0);
	if (!open_core()) {
		t_true("starts after the crash", false);
		return operations;
	}
	if (registered) {
		uint32_t slot = ns_device_find(&rig.ns.sessions, &device.dev_eui);
		t_true("the device is there", slot != NS_NO_SLOT);
		const struct ns_session *session = ns_session_at(
			&rig.ns.sessions, ns_device_at(&rig.ns.sessions, slot)->session);
		if (left.any_up)
			t_true("no committed uplink is lost", session->fcnt_up > left.fcnt_up);
		if (left.any_down)
			t_true("every counter that left is spent", session->n_fcnt_down > left.fcnt_down);
		/* The device goes on; the one in flight it repeats or has given up. */
		device.fcnt_up = session->fcnt_up;
		t_true("goes on", send_uplinks(&device, 4));
	}
	close_core();
	return operations;
}

static void power_cut_at_every_step(void **state)
{
	(void)state;
	rig_init(&rig);
	ns_release(&rig.ns);
	uint64_t operations = live(0, 0);
	t_true("there is something to cut", operations > 50);
	for (uint64_t at = 1; at <= operations; at++) {
		char name[64];
		snprintf(name, sizeof name, "power cut at operation %u of %u", (unsigned)at,
			 (unsigned)operations);
		t_row(name);
		(void)live(at, 0);
		(void)live(at, at + 1);
	}
	ns_init(&rig.ns, &rig.config, &rig.rng);
	rig_release(&rig);
}

static unsigned events_seen;
static uint64_t last_row;

static bool see(void *ctx, uint64_t row, const uint8_t *event, size_t length)
{
	(void)ctx;
	(void)event;
	(void)length;
	t_true("rows increase", row > last_row);
	last_row = row;
	events_seen++;
	return true;
}

static void events_stay_until_they_are_stored(void **state)
{
	(void)state;
	rig_init(&rig);
	ns_release(&rig.ns);
	fault_vfs_reset();
	memset(&left, 0, sizeof left);
	struct rig_device device;
	assert_true(open_core());
	rig.ns.fold.next = rig.now.mono;
	assert_true(register_all() && register_device(&device));
	uint64_t seen;
	for (unsigned i = 0; i < 6; i++) { /* none is stored */
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
		struct gw_uplink uplink = {
			.gateway = rig_eui(1),
			.phy_length = length,
			.freq_hz = 868100000,
			.modulation = lw_region_data_rate(&rig.regions[0], LW_UP, 5)->modulation};
		memcpy(uplink.phy, phy, length);
		ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
		assert_true(run_to(60 * US_PER_S));
		device.fcnt_up++;
	}
	last_row = 0;
	while (ns_store_events(&store, last_row, 2, see, NULL, &seen))
		last_row = seen;
	t_uint("all are there", 6, events_seen);
	close_core();
	assert_true(open_core());
	events_seen = 0;
	last_row = 0;
	(void)ns_store_events(&store, 0, 1000, see, NULL, &seen);
	t_uint("and after a restart", 6, events_seen);
	uint64_t next_row = rig.ns.journal.next_row;
	struct net_event_stored stored = {last_row};
	ns_on_event_stored(&rig.ns, rig.now, &stored);
	assert_true(run_to(60 * US_PER_S) && turn(rig.now) == ST_OK);
	for (unsigned i = 0; i < 5; i++) /* what was written meanwhile is folded in its turn */
		assert_true(turn(rig.now) == ST_OK);
	events_seen = 0;
	last_row = 0;
	(void)ns_store_events(&store, 0, 1000, see, NULL, &seen);
	t_uint("folded and stored: gone", 0, events_seen);
	close_core();
	assert_true(open_core());
	t_true("row numbers go on", rig.ns.journal.next_row >= next_row);
	uint32_t slot = ns_device_find(&rig.ns.sessions, &device.dev_eui);
	t_uint("the counter stands in the row", device.fcnt_up,
	       ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, slot)->session)->fcnt_up);
	rig_release(&rig);
	ns_store_close(&store);
}

static void rows_and_limits(void **state)
{
	(void)state;
	struct ns_journal journal;
	ns_journal_init(&journal, 100, 3, 7);
	struct net_uuid a = ns_journal_event_id(&journal, 1), b = ns_journal_event_id(&journal, 2);
	t_true("ids differ by row", memcmp(&a, &b, sizeof a) != 0);
	const uint8_t bytes[60] = {0};
	t_true("open", ns_journal_open(&journal));
	t_int("adds", ST_OK, ns_journal_add(&journal, NS_JOURNAL_EVENT, NULL, 0, bytes, sizeof bytes, NULL));
	ns_journal_is_event(&journal);
	ns_journal_turn_done(&journal);
	t_false("no alarm", ns_journal_alarm(&journal));
	t_uint("an event that is not stored stays", 0, ns_journal_deletable(&journal));
	journal.folded_row = journal.next_row;
	t_uint("folded is not enough", 0, ns_journal_deletable(&journal));
	journal.stored_row = 1;
	t_uint("folded and stored", 1, ns_journal_deletable(&journal));
	t_int("adds", ST_OK, ns_journal_add(&journal, NS_JOURNAL_EVENT, NULL, 0, bytes, sizeof bytes, NULL));
	t_false("at the limit", ns_journal_open(&journal));
	ns_journal_turn_done(&journal);
	t_true("alarm", ns_journal_alarm(&journal));
	ns_journal_release(&journal);

	const uint8_t cut[] = {NS_JOURNAL_EVENT, 9, 0, 1, 2};
	struct ns_journal_reader reader;
	struct ns_journal_entry entry;
	ns_journal_read(&reader, 5, cut, sizeof cut);
	t_false("an entry cut short is not read", ns_journal_entry(&reader, &entry));
	t_false("and shows", rd_ok(&reader.rd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(rows_and_limits),
		t_test(events_stay_until_they_are_stored),
		t_test(power_cut_at_every_step),
	};
	return t_run(tests);
}
