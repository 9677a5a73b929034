/* A device's life in each region, with the real cores: it joins, is moved to every data rate and power, gets its answers in
 * RX1 and RX2 at every offset, has its channels changed. What is on the air is judged against the region's file by code that
 * shares nothing with the server (tests/harness/region_rig.h); the device has a plan of its own (simulator/plan.c). */
#include "tests/harness/harness.h"
#include "tests/harness/region_rig.h"

#define PATIENCE 40 /* exchanges until a wish has to be met */

static struct t_region world;

static const struct region_row {
	const char *name;         /* and the region's id up to a blank */
	const char *channel_plan; /* of the gateway; fixed plans */
	const char *other_plan;   /* that the gateway changes to */
	const char *extra;        /* dynamic plans */
	const char *other_extra;
	uint32_t rx2_freq_hz; /* that the profile changes to */
	uint8_t rx2_dr;
	uint8_t max_dr; /* of those that channels carry */
	uint8_t min_dr;
	uint8_t sub_band;
} rows[] = {
	{"eu868", "", "", "867.1@0-6 867.3", "867.1@0-6 867.5/869.1 867.7", 868300000, 3, 6, 0, 0},
	{"us915", "8-15,65", "16-23,66", "", "", 926300000, 10, 4, 0, 0},
	{"us915", "0-71", "0-7,64", "", "", 923900000, 9, 4, 0, 0},
	{"au915", "0-7,64", "24-31,67", "", "", 926900000, 10, 6, 2, 0},
	{"au915", "56-63,71", "0-71", "", "", 924500000, 13, 6, 2, 8},
	{"as923-1", "", "", "922.2@0-6 922.4", "922.2@0-6 922.6/923.0", 923400000, 4, 6, 2, 0},
	{"as923-2", "", "", "922.0@0-6 922.2", "922.0@0-6 922.4/922.6", 921600000, 3, 6, 2, 0},
	{"as923-3", "", "", "917.0@0-6 917.2", "917.0@0-6 917.4/917.6", 916800000, 5, 6, 2, 0},
	{"as923-4", "", "", "917.7@0-6 917.9", "917.7@0-6 918.1/918.3", 917500000, 2, 6, 2, 0},
	{"in865", "", "", "866.185 866.385", "866.185 866.585/866.785", 865402500, 0, 5, 0, 0},
	{"ru864", "", "", "864.3@0-6 866.1", "864.3@0-6 866.3/866.7 866.5", 866700000, 3, 6, 0, 0},
	{"eu433", "", "", "433.775@0-6 433.975", "433.775@0-6 434.175/434.375 434.575", 434175000, 3, 6, 0,
	 0},
	{"kr920", "", "", "922.7 922.9", "922.7 923.1/923.3", 922300000, 2, 5, 0, 0},
};

static void open_row(const struct region_row *row)
{
	t_row(row->name);
	t_region_open(&world, row->name, row->channel_plan, row->extra, row->sub_band);
}

/* --- channels --- */

static bool is_in_list(const char *list, unsigned channel)
{
	struct lw_channel_mask mask;
	return lw_mask_parse(list, &mask) && lw_mask_get(&mask, (uint8_t)channel);
}

/* The device may use the channels of the plan and no others. */
static bool has_plan(const char *plan)
{
	for (unsigned i = 0; i < 72; i++)
		if (world.device.channels[i].enabled != is_in_list(plan, i))
			return false;
	return true;
}

/* Its channels beyond the default ones are those of the text. */
static bool has_extra(const char *text)
{
	const struct sim_channel *channel =
		&world.device.channels[world.device.config.plan->default_channels];
	const struct sim_channel *end = world.device.channels + world.device.config.plan->channels;
	for (; *text; channel++) {
		double up = strtod(text, (char **)&text), down = 0;
		long min_dr = 0, max_dr = 5;
		if (*text == '/')
			down = strtod(text + 1, (char **)&text);
		if (*text == '@')
			min_dr = max_dr = strtol(text + 1, (char **)&text, 10);
		if (*text == '-')
			max_dr = strtol(text + 1, (char **)&text, 10);
		while (*text == ' ')
			text++;
		if (channel->min_dr != min_dr || channel->max_dr != max_dr)
			return false;
		if (!channel->enabled || channel->freq_hz != (uint32_t)(up * 1e6 + 0.5) ||
		    channel->down_freq_hz != (uint32_t)(down * 1e6 + 0.5))
			return false;
	}
	for (; channel < end; channel++)
		if (channel->freq_hz != 0)
			return false;
	return true;
}

static bool channels_are(const struct region_row *row, bool other)
{
	return world.device.config.plan->fixed ? has_plan(other ? row->other_plan : row->channel_plan)
					       : has_extra(other ? row->other_extra : row->extra);
}

/* The gateway or the configuration changes, and the device follows. */
static void change_channels(const struct region_row *row)
{
	bool fixed = world.device.config.plan->fixed;
	for (unsigned i = 0; i < PATIENCE && !channels_are(row, false); i++)
		t_region_exchange(&world);
	t_true("the channels of the start", channels_are(row, false));
	if (fixed)
		t_region_gateway(&world, row->other_plan);
	else
		t_region_extra(&world, row->other_extra);
	for (unsigned i = 0; i < PATIENCE && !channels_are(row, true); i++)
		t_region_exchange(&world);
	t_true("the channels that were changed to", channels_are(row, true));
	for (unsigned i = 0; i < 16; i++)
		t_region_exchange(&world);
	t_true("they stay", channels_are(row, true));
}

static void channels_are_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_row(&rows[i]);
		if (t_region_join(&world))
			change_channels(&rows[i]);
		t_region_close(&world);
	}
}

/* --- data rates and powers --- */

/* All but one are refused, so that whatever algorithm there is has one choice. */
static void move_to(uint8_t dr, uint8_t power)
{
	world.profile.min_dr = world.profile.max_dr = dr;
	t_region_profile(&world);
	for (unsigned i = 0; i < PATIENCE; i++) {
		struct ns_session *session = t_region_session(&world);
		if (!t_true("a session", session))
			return;
		session->mac.refused_powers = (uint16_t) ~(1u << power);
		session->mac.refused_drs = 0;
		if (world.device.dr == dr && world.device.power_index == power)
			break;
		t_region_exchange(&world);
	}
	t_uint("data rate", dr, world.device.dr);
	t_uint("power", power, world.device.power_index);
	t_region_exchange(&world);
	long uplink_dr = t_region_dr(&world, true, world.uplink.spreading_factor, world.uplink.bandwidth_hz);
	long most = 0, offset = 0;
	char cell[24];
	snprintf(cell, sizeof cell, "index: %u", power);
	const char *row = t_sheet_row(&world.sheet, "tx_power", (const char *const[]){cell, NULL});
	t_true("a power of the region", row && t_sheet_cell(row, "offset_db", &offset));
	t_true("an EIRP of the region", t_sheet_value(&world.sheet, "", "default_max_eirp_dbm", &most));
	t_int("data rate on the air", dr, uplink_dr);
	t_int("power on the air", most + offset, (long)world.uplink.eirp_dbm);
}

/* Each rate with each power. */
static void rates_and_powers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_row(&rows[i]);
		if (t_region_join(&world)) {
			for (uint8_t dr = rows[i].min_dr; dr <= rows[i].max_dr; dr++)
				for (size_t power = 0; t_sheet_row_at(&world.sheet, "tx_power", power);
				     power++)
					move_to(dr, (uint8_t)power);
			move_to(rows[i].min_dr, 0);
		}
		t_region_close(&world);
	}
}

/* --- windows --- */

static void windows_at(const struct region_row *row, uint8_t offset, bool other_rx2)
{
	/* The server takes RX2 where RX1 would be much slower: not so here. */
	uint8_t rx2_dr = offset == 5 && !world.device.config.plan->fixed ? 0 : row->rx2_dr;
	world.profile.rx1_dr_offset = offset;
	world.profile.rx2_dr = other_rx2 ? rx2_dr : 255;
	world.profile.rx2_freq_hz = other_rx2 ? row->rx2_freq_hz : 0;
	t_region_profile(&world);
	world.refused = T_NONE_REFUSED;
	for (unsigned i = 0; i < PATIENCE && world.device.rx1_offset != offset; i++)
		t_region_exchange(&world);
	t_uint("RX1DROffset", offset, world.device.rx1_offset);
	if (other_rx2) {
		t_uint("RX2 data rate", rx2_dr, world.device.rx2_dr);
		t_uint("RX2 frequency", row->rx2_freq_hz, world.device.rx2_freq_hz);
	}
	bool rx1 = false, rx2 = false;
	world.refused = T_RX2_REFUSED;
	for (unsigned i = 0; i < 6; i++) {
		t_region_exchange(&world);
		rx1 |= world.heard[0];
	}
	world.refused = T_RX1_REFUSED;
	for (unsigned i = 0; i < 4; i++) {
		t_region_exchange(&world);
		rx2 |= world.heard[1];
	}
	world.refused = T_NONE_REFUSED;
	t_true("heard in RX1", rx1);
	t_true("heard in RX2", rx2);
}

static void both_windows_at_every_offset(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_row(&rows[i]);
		long most = 0;
		t_true("offsets", t_sheet_value(&world.sheet, "", "max_rx1_dr_offset", &most));
		if (t_region_join(&world))
			for (uint8_t offset = 0; offset <= most; offset++)
				windows_at(&rows[i], offset, offset % 2);
		t_region_close(&world);
	}
}

/* The join-accept comes in either window, at the times and rates of the region, with the windows of the profile in it. */
static void joins_in_either_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int second = 0; second < 2; second++) {
			open_row(&rows[i]);
			world.refused = second ? T_RX1_REFUSED : T_RX2_REFUSED;
			world.profile.rx1_dr_offset = 1;
			t_region_profile(&world);
			if (t_region_join(&world)) {
				t_true("in that window", world.heard[second]);
				t_uint("RX1DROffset", 1, world.device.rx1_offset);
				world.refused = T_NONE_REFUSED; /* what a CFList does not hold comes after */
				for (unsigned k = 0; strchr(rows[i].extra, '@') && k < PATIENCE &&
						     !channels_are(&rows[i], false);
				     k++)
					t_region_exchange(&world);
				t_true("channels",
				       channels_are(&rows[i], false) || world.device.config.plan->fixed);
			}
			t_region_close(&world);
		}
}

/* --- dwell time --- */

static void dwell_is(bool uplink, bool downlink, uint8_t offset)
{
	world.profile.uplink_dwell = uplink;
	world.profile.downlink_dwell = downlink;
	world.profile.rx1_dr_offset = offset;
	t_region_profile(&world);
	for (unsigned i = 0;
	     i < PATIENCE && (world.device.uplink_dwell != uplink ||
			      world.device.downlink_dwell != downlink || world.device.rx1_offset != offset);
	     i++)
		t_region_exchange(&world);
	t_true("uplink dwell time", world.device.uplink_dwell == uplink);
	t_true("downlink dwell time", world.device.downlink_dwell == downlink);
	t_uint("RX1DROffset", offset, world.device.rx1_offset);
	for (unsigned i = 0; i < 3; i++)
		t_region_exchange(&world);
}

static void dwell_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_row(&rows[i]);
		long has = 0;
		t_true("said", t_sheet_value(&world.sheet, "dwell_time", "set_by_tx_param_setup", &has));
		if (has && t_region_join(&world)) {
			t_true("boots with it", world.device.uplink_dwell);
			dwell_is(false, false, 0);
			for (uint8_t dr = 0; dr <= 3; dr++)
				move_to(dr, 0);
			dwell_is(false, true, 2);
			dwell_is(true, true, 3);
			t_true("no rate that is too slow", world.device.dr >= 2);
			dwell_is(true, false, 1);
			dwell_is(false, false, 5);
		}
		t_region_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(joins_in_either_window),       t_test(channels_are_changed), t_test(rates_and_powers),
		t_test(both_windows_at_every_offset), t_test(dwell_times),
	};
	return t_run(tests);
}
