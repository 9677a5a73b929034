/* A repeat is not a copy (DESIGN 8): what the device sent again is answered again under a new counter, what a slow
 * backhaul brings late is nothing. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static uint8_t length;

static void setup(void)
{
	rig_init(&rig);
	rig_abp(&rig, &device, 1, 0, 0x26000001, false);
}

/* Both gateways' clocks become known by an earlier frame, and RxDelay settles at 5 s. */
static void warm_up(void)
{
	for (unsigned i = 0; i < 2; i++) {
		length = rig_uplink(&rig, &device,
				    &(struct rig_frame){.fport = 1,
							.fopts = (const uint8_t[]){0x08},
							.fopts_length = (uint8_t)i},
				    phy);
		rig_hears(&rig, 1, phy, length, 0);
		rig_hears(&rig, 2, phy, length, 0);
		rig_run(&rig, 20 * US_PER_S);
		device.fcnt_up++;
	}
	rig.event_count = rig.downlink_count = 0;
}

static void device_sends(bool confirmed)
{
	const uint8_t payload[] = {1, 2, 3};
	length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.confirmed = confirmed, .fport = 1, .payload = payload, .length = 3},
		phy);
}

static void expect_ack(const char *name, uint32_t fcnt)
{
	struct lw_frame frame;
	uint8_t commands[LW_PHY_PAYLOAD_MAX], count;
	t_row(name);
	bool fits = rig_last_downlink(&rig, &device, &frame, fcnt, commands, &count);
	t_true("a downlink under that counter", fits);
	if (fits)
		t_true("ACK", frame.fctrl.ack);
}

static void lost_ack(bool restart)
{
	setup();
	warm_up();
	uint32_t fcnt = ns_session_at(&rig.ns.sessions, 0)->n_fcnt_down;
	device_sends(true);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 5 * US_PER_S + US_PER_S); /* RX1, RX2: the ACK was sent and not heard */
	t_uint("one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("one downlink", 1, rig.downlink_count);
	expect_ack("the first ACK", fcnt);
	if (restart)
		rig_restart(&rig);
	rig_run(&rig, 3200 * US_PER_MS); /* after its RX2 */
	rig_hears(&rig, 1, phy, length, 0);
	rig_hears(&rig, 2, phy, length, 20 * US_PER_MS);
	rig_run(&rig, 10 * US_PER_S);
	t_row(restart ? "after a restart" : "repeat");
	t_uint("still one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("two downlinks", 2, rig.downlink_count);
	expect_ack("the second ACK, another counter", fcnt + 1);
	const struct gw_tx_attempt *attempt = &rig.downlinks[rig.downlink_count - 1].attempts[0];
	t_int("timed from its own copy", 5 * US_PER_S,
	      gw_ticks_since(
		      attempt->ticks,
		      (struct gw_ticks){(uint32_t)(rig.now.mono.us - 10 * US_PER_S - 30 * US_PER_MS +
						   (int64_t)lw_eui64_number(&attempt->gateway) * 1000000007 -
						   (lw_eui64_number(&attempt->gateway) == 2 ? 20000 : 0))}));
	t_uint("no counter carries two contents", 0, rig.counters_repeated);
	rig_release(&rig);
}

static void ack_lost_and_device_repeats(void **state)
{
	(void)state;
	lost_ack(false);
}

static void repeat_is_known_after_a_restart(void **state)
{
	(void)state;
	lost_ack(true);
}

static void copy_four_seconds_late(void **state)
{
	(void)state;
	setup();
	warm_up();
	device_sends(true);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 4 * US_PER_S);
	size_t downlinks = rig.downlink_count;
	rig_hears(&rig, 2, phy, length, 4 * US_PER_S);
	rig_run(&rig, 20 * US_PER_S);
	t_uint("one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("the ACK of the frame itself and nothing for the copy", 1, rig.downlink_count);
	t_true("which had left or was on its way", downlinks <= 1);
	t_uint("late copies", 1, rig.ns.drops[NS_DROP_LATE_COPY]);
	rig_release(&rig);
}

/* The ACK has left when the copy comes: a second one would be for nothing. */
static void copy_six_seconds_late(void **state)
{
	(void)state;
	setup();
	warm_up();
	device_sends(true);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 6 * US_PER_S);
	t_uint("the ACK has left", 1, rig.downlink_count);
	rig_hears(&rig, 2, phy, length, 6 * US_PER_S);
	rig_run(&rig, 20 * US_PER_S);
	t_uint("one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("no second one", 1, rig.downlink_count);
	rig_release(&rig);
}

/* Nobody else heard it: the windows are where the device opens them, not where the copy came. */
static void frame_that_comes_late_is_answered_in_its_own_window(void **state)
{
	(void)state;
	setup();
	warm_up();
	device_sends(true);
	span_us sent = rig.now.mono.us - 30 * US_PER_MS;
	rig_run(&rig, 3 * US_PER_S);
	rig_hears(&rig, 1, phy, length, 3 * US_PER_S);
	rig_run(&rig, 5 * US_PER_S + 40 * US_PER_MS - 3 * US_PER_S - 500 * US_PER_MS);
	t_uint("left in time", 1, rig.downlink_count);
	t_int("for RX1 of the transmission", sent + 5 * US_PER_S,
	      (int64_t)sent + gw_ticks_since(rig.downlinks[0].attempts[0].ticks,
					     (struct gw_ticks){(uint32_t)(sent + 1000000007)}));
	rig_release(&rig);
}

static void unconfirmed_copy_late_gives_no_downlink(void **state)
{
	(void)state;
	setup();
	warm_up();
	device_sends(false);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 4 * US_PER_S);
	rig_hears(&rig, 2, phy, length, 4 * US_PER_S);
	rig_run(&rig, 20 * US_PER_S);
	t_uint("one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("no downlink", 0, rig.downlink_count);
	rig_release(&rig);
}

static void repeats_are_limited(void **state)
{
	(void)state;
	setup();
	warm_up();
	device_sends(true);
	for (unsigned i = 0; i < 12; i++) {
		rig_hears(&rig, 1, phy, length, 0);
		rig_run(&rig, 10 * US_PER_S);
	}
	t_uint("one event", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("the frame and eight repeats are answered", 9, rig.downlink_count);
	t_uint("counted", 3, rig.ns.drops[NS_DROP_REPEAT_LIMIT]);
	t_uint("no counter carries two contents", 0, rig.counters_repeated);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(ack_lost_and_device_repeats),
		t_test(repeat_is_known_after_a_restart),
		t_test(copy_four_seconds_late),
		t_test(copy_six_seconds_late),
		t_test(frame_that_comes_late_is_answered_in_its_own_window),
		t_test(unconfirmed_copy_late_gives_no_downlink),
		t_test(repeats_are_limited),
	};
	return t_run(tests);
}
