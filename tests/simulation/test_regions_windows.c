/* A device's receive windows in each region, every one of them: RX1 at every RX1DROffset after uplinks of every data rate, with
 * and without the dwell time of downlinks, RX2 at every data rate; and what fits into them, to the byte. What is on the air
 * is judged against the region's file by code that shares nothing with the server (tests/harness/region_rig.h). */
#include "tests/harness/harness.h"
#include "tests/harness/region_rig.h"

#include "network-server/mac/mac.h"

#define PATIENCE 40 /* exchanges until a wish has to be met */
#define OVERHEAD 13 /* bytes of a frame beside its payload */

static struct t_region world;

static const struct window_row {
	const char *name; /* and the region's id up to a blank */
	const char *channel_plan;
	const char *extra; /* with a channel of every rate that devices have */
	uint8_t min_dr, max_dr;
	uint8_t slow_dr; /* of RX2, so that the server prefers RX1 */
	bool dwell;
} rows[] = {
	{"eu868", "", "867.1@0-6", 0, 6, 0, false},   {"us915", "8-15,65", "", 0, 4, 8, false},
	{"au915", "0-7,64", "", 0, 6, 8, false},      {"as923-1", "", "922.2@0-6", 0, 6, 0, false},
	{"au915", "0-7,64", "", 2, 6, 9, true},       {"as923-1", "", "922.2@0-6", 2, 6, 2, true},
	{"as923-2", "", "922.0@0-6", 0, 6, 0, false}, {"as923-2", "", "922.0@0-6", 2, 6, 2, true},
	{"as923-3", "", "917.0@0-6", 0, 6, 0, false}, {"as923-3", "", "917.0@0-6", 2, 6, 2, true},
	{"as923-4", "", "917.7@0-6", 0, 6, 0, false}, {"as923-4", "", "917.7@0-6", 2, 6, 2, true},
	{"in865", "", "866.185", 0, 5, 0, false},     {"ru864", "", "864.3@0-6", 0, 6, 0, false},
	{"eu433", "", "433.775@0-6", 0, 6, 0, false}, {"kr920", "", "922.7", 0, 5, 0, false},
};

static bool open_row(const struct window_row *row)
{
	t_row(row->name);
	t_region_open(&world, row->name, row->channel_plan, row->extra, 0);
	world.profile.rx2_dr = row->slow_dr;
	world.profile.uplink_dwell = world.profile.downlink_dwell = row->dwell;
	t_region_profile(&world);
	if (!t_region_join(&world))
		return false;
	for (unsigned i = 0; i < PATIENCE && (world.device.rx2_dr != row->slow_dr ||
					      world.device.downlink_dwell != row->dwell ||
					      world.device.uplink_dwell != row->dwell);
	     i++)
		t_region_exchange(&world);
	t_uint("RX2 data rate", row->slow_dr, world.device.rx2_dr);
	return t_true("dwell time", world.device.downlink_dwell == row->dwell);
}

static void set_offset(uint8_t offset)
{
	world.profile.rx1_dr_offset = offset;
	t_region_profile(&world);
	for (unsigned i = 0; i < PATIENCE && world.device.rx1_offset != offset; i++)
		t_region_exchange(&world);
	t_uint("RX1DROffset", offset, world.device.rx1_offset);
}

static void set_dr(uint8_t dr)
{
	world.profile.min_dr = world.profile.max_dr = dr;
	t_region_profile(&world);
	for (unsigned i = 0; i < PATIENCE && world.device.dr != dr; i++) {
		t_region_session(&world)->mac.refused_drs = 0;
		t_region_exchange(&world);
	}
	t_uint("data rate", dr, world.device.dr);
}

/* --- RX1 --- */

static void first_window(uint8_t dr, uint8_t offset)
{
	bool heard = false;
	long expected = t_region_rx1_dr(&world, dr, offset, world.device.downlink_dwell);
	t_true("the region has one", expected >= 0);
	world.refused = T_RX2_REFUSED;
	for (unsigned i = 0; i < 6 && !heard; i++) {
		t_region_exchange(&world);
		heard = world.heard[0];
	}
	world.refused = T_NONE_REFUSED;
	long sent = t_region_dr(&world, true, world.uplink.spreading_factor, world.uplink.bandwidth_hz);
	t_int("data rate of the uplink", dr, sent);
	t_true("heard in RX1", heard);
}

static void rx1_at_every_offset_and_rate(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long most = 0;
		if (open_row(&rows[i])) {
			t_true("offsets", t_sheet_value(&world.sheet, "", "max_rx1_dr_offset", &most));
			for (uint8_t offset = 0; offset <= most; offset++) {
				set_offset(offset);
				for (uint8_t dr = rows[i].min_dr; dr <= rows[i].max_dr; dr++) {
					set_dr(dr);
					first_window(dr, offset);
				}
			}
		}
		t_region_close(&world);
	}
}

/* --- after LR-FHSS --- */

static const struct {
	const char *name, *channel_plan, *extra;
	uint32_t freq_hz;
	long rx1_hz;
	uint8_t first_dr, last_dr, slow_dr;
} hopping[] = {
	{"eu868", "", "867.1@8-11", 867100000, 867100000, 8, 11, 0},
	{"us915", "8-15,65", "", 904600000, 923900000, 5, 6, 8},
	{"au915", "8-15,65", "", 917500000, 923900000, 7, 7, 8},
};

/* The device does not speak it: its keys do, and what the gateway is told to send is looked at. */
static void answer_to(const struct rig_device *device, uint32_t freq_hz, long rx1_hz, uint8_t dr,
		      uint8_t offset)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	struct rig *rig = &world.rig;
	uint64_t before = rig->downlink_count;
	uint8_t length = rig_uplink(rig, device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	rig_hears_on(rig, world.gateway, phy, length, 0, freq_hz, dr, 900);
	rig_run(rig, 8 * US_PER_S);
	world.downlinks_done = rig->downlink_count;
	if (!t_true("an answer", rig->downlink_count > before))
		return;
	const struct gw_downlink *sent = &rig->downlinks[before % RIG_SENT_MAX];
	const struct gw_tx_attempt *attempt = &sent->attempts[0];
	t_int("in RX1", GW_RX1, attempt->window);
	t_int("frequency", rx1_hz, attempt->freq_hz);
	t_int("data rate", t_region_rx1_dr(&world, dr, offset, false),
	      t_region_dr(&world, false, attempt->modulation.spreading_factor,
			  attempt->modulation.bandwidth_hz));
}

/* The channel that this device refuses, as another one would have taken it. */
static void gets_the_channel(void)
{
	struct ns_session *session = t_region_session(&world);
	struct lw_channel_plan plan = ns_wanted(&world.rig.ns, (uint8_t)world.index)->plan;
	t_true("kept", ns_session_set_plan(&world.rig.ns.sessions, session, &plan));
}

static void rx1_after_lr_fhss(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hopping); i++) {
		long most = 0;
		const struct window_row row = {hopping[i].name, hopping[i].channel_plan, hopping[i].extra,
					       .slow_dr = hopping[i].slow_dr};
		if (open_row(&row)) {
			t_true("offsets", t_sheet_value(&world.sheet, "", "max_rx1_dr_offset", &most));
			for (uint8_t offset = 0; offset <= most; offset++) {
				set_offset(offset);
				for (unsigned k = 0; k < 6; k++) /* what is left to be told */
					t_region_exchange(&world);
				for (uint8_t dr = hopping[i].first_dr; dr <= hopping[i].last_dr; dr++) {
					gets_the_channel();
					struct rig_device device = {.dev_addr = world.device.dev_addr,
								    .keys = world.device.keys,
								    .fcnt_up = world.device.fcnt_up++};
					answer_to(&device, hopping[i].freq_hz, hopping[i].rx1_hz, dr, offset);
				}
			}
		}
		t_region_close(&world);
	}
}

/* --- RX2 --- */

static void second_window(uint8_t dr)
{
	bool heard = false;
	world.profile.rx2_dr = dr;
	t_region_profile(&world);
	for (unsigned i = 0; i < PATIENCE && world.device.rx2_dr != dr; i++)
		t_region_exchange(&world);
	t_uint("RX2 data rate", dr, world.device.rx2_dr);
	world.refused = T_RX1_REFUSED;
	for (unsigned i = 0; i < 6 && !heard; i++) {
		t_region_exchange(&world);
		heard = world.heard[1];
	}
	world.refused = T_NONE_REFUSED;
	t_true("heard in RX2", heard);
}

static void rx2_at_every_rate(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned tried = 0;
		if (open_row(&rows[i]))
			for (uint8_t dr = 0; dr < 16; dr++) {
				if (!sim_plan_has_rate(world.device.config.plan, dr, false) ||
				    t_region_max_n(&world, dr, rows[i].dwell) == 0)
					continue;
				second_window(dr);
				tried++;
			}
		t_true("several", tried >= 4);
		t_region_close(&world);
	}
}

/* --- what fits --- */

/* An item that the agency has encrypted, so that nobody has to seal it. Whether it went in one of three frames. */
static bool goes_down(uint8_t length)
{
	static uint8_t number;
	bool went = false;
	struct rig *rig = &world.rig;
	for (unsigned i = 0; i < 3 && !went; i++) {
		struct net_enqueue item = {
			.item = rig_uuid(++number),
			.dev_eui = lw_eui64_from_number(T_DEV_EUI),
			.fport = 2,
			.length = length,
			.encrypted = true,
			.fcnt_down = ns_session_next_app_fcnt_down(t_region_session(&world))};
		ns_on_enqueue(&rig->ns, rig->now, &item);
		rig_turn(rig);
		t_region_exchange(&world);
		went = world.longest == (size_t)length + OVERHEAD;
		t_true("an acknowledgement all the same", world.heard[0] || world.heard[1]);
		ns_on_flush(&rig->ns, rig->now, &(struct net_flush){.dev_eui = item.dev_eui});
		rig_turn(rig);
	}
	return went;
}

/* The table does not hold the dwell time of downlinks everywhere (au915): the server has to. */
static long longest_at(long dr, bool dwell)
{
	const struct sim_rate *rate = &world.device.config.plan->rates[dr];
	long n = t_region_max_n(&world, dr, dwell), limit_ms = 0;
	t_true("dwell time", t_sheet_value(&world.sheet, "dwell_time", "limit_ms", &limit_ms));
	while (dwell && n > 0 && sim_rate_airtime_us(rate, (size_t)n + OVERHEAD, false) > limit_ms * 1000)
		n--;
	return n;
}

static void the_longest_downlink(uint8_t dr, bool dwell)
{
	long rx1 = longest_at(t_region_rx1_dr(&world, dr, 0, dwell), dwell);
	long rx2 = longest_at(world.device.rx2_dr, dwell), most = rx1 > rx2 ? rx1 : rx2;
	t_true("as long as the region allows", goes_down((uint8_t)most));
	t_false("not a byte longer", goes_down((uint8_t)(most + 1)));
}

static void downlinks_to_the_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (open_row(&rows[i]))
			for (uint8_t dr = rows[i].min_dr; dr <= rows[i].max_dr; dr++) {
				set_dr(dr);
				the_longest_downlink(dr, rows[i].dwell);
			}
		t_region_close(&world);
	}
}

/* The server takes the longest uplink of each rate, with the dwell time and without. */
static void uplinks_to_the_byte(void **state)
{
	static uint8_t payload[255];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!open_row(&rows[i])) {
			t_region_close(&world);
			continue;
		}
		struct rig_device device = {.dev_addr = world.device.dev_addr, .keys = world.device.keys};
		for (uint8_t dr = rows[i].min_dr; dr <= rows[i].max_dr; dr++) {
			set_dr(dr);
			t_region_exchange(&world);
			uint8_t phy[LW_PHY_PAYLOAD_MAX];
			device.fcnt_up = world.device.fcnt_up++;
			long most = t_region_max_n(&world, dr, rows[i].dwell);
			uint8_t length = rig_uplink(
				&world.rig, &device,
				&(struct rig_frame){
					.fport = 1, .adr = true, .payload = payload, .length = (uint8_t)most},
				phy);
			t_uint("length", (unsigned long)most + OVERHEAD, length);
			rig_hears_on(&world.rig, world.gateway, phy, length, 0, world.uplink.freq_hz, dr,
				     900);
			rig_run(&world.rig, 2 * US_PER_S);
			t_uint("taken", device.fcnt_up + 1, t_region_session(&world)->fcnt_up);
			/* And the device has the same limit in mind. */
			t_int("the device's own limit", most + 8,
			      sim_plan_max_payload(world.device.config.plan, dr, rows[i].dwell));
		}
		t_region_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(rx1_at_every_offset_and_rate), t_test(rx1_after_lr_fhss),
					   t_test(rx2_at_every_rate), t_test(downlinks_to_the_byte),
					   t_test(uplinks_to_the_byte)};
	return t_run(tests);
}
