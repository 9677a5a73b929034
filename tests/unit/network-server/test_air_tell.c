/* What the application server is told for its accounts of loss and airtime: counters passed over, where a run of them begins, and
 * each transmission beside the uplinks. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/airtime.h"

static struct rig rig;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

enum { PROFILE_103, PROFILE_RESET, PROFILE_LATE };

static void allow_reset(struct net_profile *profile)
{
	profile->allow_fcnt_reset = true;
}

static void allow_late(struct net_profile *profile)
{
	profile->late_uplink_s = 3600;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_RESET, LW_MAC_1_0_3, "eu868", allow_reset);
	rig_profile(&rig, PROFILE_LATE, LW_MAC_1_0_4, "eu868", allow_late);
	rig_gateway(&rig, 1, "eu868", true);
	rig_state_end(&rig);
}

static uint8_t send(struct rig_device *device, uint32_t fcnt, bool confirmed)
{
	device->fcnt_up = fcnt;
	uint8_t length = rig_uplink(
		&rig, device,
		&(struct rig_frame){
			.confirmed = confirmed, .fport = 1, .payload = (const uint8_t[]){1}, .length = 1},
		phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	return length;
}

static const struct net_up_event *last_up(void)
{
	for (size_t i = rig.event_count; i-- > 0;)
		if (rig.events[i].kind == PROTO_UP_EVENT)
			return &rig.events[i].up_event;
	return NULL;
}

static void what_was_missed_is_told(void **state)
{
	static const struct {
		const char *name;
		uint8_t profile;
		uint32_t first, second;
		uint32_t missed; /* told of the second */
		bool new_count;
	} rows[] = {
		{"the next one", PROFILE_103, 7, 8, 0, false},
		{"three are missing", PROFILE_103, 7, 11, 3, false},
		{"a restart: the frames before it in the new run are missing", PROFILE_RESET, 500, 2, 2,
		 true},
		{"a restart at 0", PROFILE_RESET, 500, 0, 0, true},
		{"counters were set back by a replay: where the device really is, nothing was missed",
		 PROFILE_RESET, 5, 20000, 0, false},
		{"one that comes late was missed before", PROFILE_LATE, 20, 10, 0, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig_device device;
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, rows[i].profile, 0x26000001, false);
		uint8_t length = send(&device, rows[i].first, false);
		struct net_up_event first = *last_up();
		t_uint("where an ABP device stands at first nobody knows", 0, first.missed);
		t_uint("airtime", lw_airtime_us(&first.modulation, LW_UP, length), first.airtime_us);
		t_true("a count has a name", first.count != 0);
		send(&device, rows[i].second, false);
		t_uint("counter", rows[i].second, last_up()->fcnt_up);
		t_uint("missed", rows[i].missed, last_up()->missed);
		t_true("count", (last_up()->count != first.count) == rows[i].new_count);
		rig_release(&rig);
	}
}

static void what_was_seen_is_by_our_own_clock(void **state)
{
	struct rig_device device;
	(void)state;
	setup();
	rig_abp(&rig, &device, 1, PROFILE_103, 0x26000001, false);
	int64_t before = rig.now.wall.us;
	send(&device, 0, false);
	int64_t seen = last_up()->seen.us;
	t_true("when the first copy came", seen >= before && seen < before + 100 * US_PER_MS);
	rig_release(&rig);
}

static void a_repeat_and_its_answers_are_told(void **state)
{
	struct rig_device device;
	(void)state;
	setup();
	rig_abp(&rig, &device, 1, PROFILE_103, 0x26000001, false);
	send(&device, 0, true);
	t_uint("the acknowledgement", 1, rig.air_count);
	const struct net_air_event *down = &rig.airs[0];
	t_uint("the network's own", NET_AIR_MAC, down->kind);
	t_uint("airtime",
	       lw_airtime_us(&rig.downlinks[0].attempts[0].modulation, LW_DOWN, rig.downlinks[0].phy_length),
	       down->airtime_us);
	t_uint("deaf", down->airtime_us + 5000, down->deaf_us);
	t_true("gateway", lw_eui64_equal(&down->gateway, &rig.downlinks[0].attempts[0].gateway));
	uint32_t up = last_up()->airtime_us;
	send(&device, 0, true);
	t_uint("the repeat, and its answer", 3, rig.air_count);
	t_uint("a repeat", NET_AIR_REPEAT, rig.airs[1].kind);
	t_uint("as long as the first", up, rig.airs[1].airtime_us);
	t_uint("one uplink", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	for (size_t i = 1; i < rig.air_count; i++)
		t_true("rows grow", rig.airs[i].head.row > rig.airs[i - 1].head.row);
	rig_release(&rig);
}

static void what_a_gateway_refused_comes_back(void **state)
{
	static const struct {
		const char *name;
		enum gw_tx_result result;
		size_t back;
	} rows[] = {
		{"sent", GW_TX_OK, 0},
		{"refused for certain", GW_TX_FREQ, 1},
		{"refused, but a copy may have been sent", GW_TX_TOO_LATE, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig_device device;
		setup();
		t_row(rows[i].name);
		rig_abp(&rig, &device, 1, PROFILE_103, 0x26000001, false);
		device.fcnt_up = 0;
		uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.confirmed = true}, phy);
		rig_hears(&rig, 1, phy, length, 0);
		rig_run(&rig, 400 * US_PER_MS);
		t_uint("handed out", 1, rig.air_count);
		rig_tx_ack(&rig, rows[i].result);
		size_t back = 0;
		for (size_t j = 1; j < rig.air_count; j++)
			if (rig.airs[j].back) {
				back++;
				t_uint("as much", rig.airs[0].deaf_us, rig.airs[j].deaf_us);
				t_true("of then", rig.airs[0].head.time.us == rig.airs[j].head.time.us);
			}
		t_uint("taken back", rows[i].back, back);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_was_missed_is_told),
		t_test(what_was_seen_is_by_our_own_clock),
		t_test(a_repeat_and_its_answers_are_told),
		t_test(what_a_gateway_refused_comes_back),
	};
	return t_run(tests);
}
