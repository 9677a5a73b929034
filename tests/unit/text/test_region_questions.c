/* The questions of common/lorawan/region.h, over the real regions. */
#include "tests/harness/harness.h"

#include "common/lorawan/class_b.h"
#include "common/lorawan/region.h"
#include "common/text/region_yaml.h"

static struct lw_region load(const char *id)
{
	struct lw_region region;
	assert_true(region_load(&region, id));
	return region;
}

#define LORA(sf, bandwidth)                                                            \
	{                                                                              \
		.kind = LW_LORA, .spreading_factor = (sf), .bandwidth_hz = (bandwidth) \
	}
#define FHSS(width, rate)                                                      \
	{                                                                      \
		.kind = LW_LR_FHSS, .bandwidth_hz = (width), .code_rate = rate \
	}

static const struct {
	const char *name;
	const char *region;
	enum lw_direction direction;
	struct lw_modulation modulation;
	int dr; /* −1: none */
} rates[] = {
	{"eu868 SF12", "eu868", LW_UP, LORA(12, 125000), 0},
	{"eu868 SF7 at 250 kHz", "eu868", LW_UP, LORA(7, 250000), 6},
	{"eu868 FSK", "eu868", LW_UP, {.kind = LW_FSK, .bit_rate_bps = 50000}, 7},
	{"eu868 FSK at another rate", "eu868", LW_UP, {.kind = LW_FSK, .bit_rate_bps = 25000}, -1},
	{"eu868 LR-FHSS 2/3 on 137 kHz", "eu868", LW_UP, FHSS(137000, "2/3"), 9},
	{"eu868 LR-FHSS as gateways write it", "eu868", LW_UP, FHSS(136719, "4/6"), 9},
	{"eu868 LR-FHSS on 336 kHz", "eu868", LW_UP, FHSS(336000, "1/3"), 10},
	{"eu868 LR-FHSS without a code rate", "eu868", LW_UP, FHSS(336000, ""), -1},
	{"eu868 LR-FHSS is no downlink", "eu868", LW_DOWN, FHSS(137000, "1/3"), -1},
	{"us915 SF10", "us915", LW_UP, LORA(10, 125000), 0},
	{"us915 SF8 at 500 kHz up", "us915", LW_UP, LORA(8, 500000), 4},
	{"us915 SF8 at 500 kHz down", "us915", LW_DOWN, LORA(8, 500000), 12},
	{"us915 SF12 is not defined up", "us915", LW_UP, LORA(12, 125000), -1},
	{"ism2400 whose bandwidth is rounded", "ism2400", LW_UP, LORA(12, 812500), 0},
};

static void data_rates_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		t_row(rates[i].name);
		struct lw_region region = load(rates[i].region);
		uint8_t dr = 0;
		bool found = lw_region_find_dr(&region, rates[i].direction, &rates[i].modulation, &dr);
		t_int("dr", rates[i].dr, found ? dr : -1);
	}
}

static const struct {
	const char *name;
	const char *region;
	uint32_t freq_hz;
	uint8_t dr;
	uint8_t offset;
	bool dwell;
	int channel;
	uint32_t rx1_hz; /* 0: none */
	int rx1_dr;      /* −1: none */
} windows[] = {
	{"eu868 same frequency", "eu868", 868300000, 5, 0, false, 1, 868300000, 5},
	{"eu868 offset 2", "eu868", 868300000, 5, 2, false, 1, 868300000, 3},
	{"eu868 offset past the table", "eu868", 868300000, 5, 6, false, 1, 868300000, -1},
	{"eu868 LR-FHSS", "eu868", 868100000, 9, 0, false, 0, 868100000, 2},
	{"us915 channel 9", "us915", 904100000, 0, 0, false, 9, 923900000, 10},
	{"us915 channel 65", "us915", 904600000, 4, 0, false, 65, 923900000, 13},
	{"us915 offset 3", "us915", 904100000, 3, 3, false, 9, 923900000, 10},
	{"us915 a frequency between channels", "us915", 904200000, 0, 0, false, -1, 0, 10},
	{"au915 channel 63", "au915", 927800000, 5, 0, false, 63, 927500000, 13},
	{"as923 dwell off", "as923-1", 923200000, 2, 1, false, 0, 923200000, 1},
	{"as923 dwell on", "as923-1", 923200000, 2, 1, true, 0, 923200000, 2},
	{"eu868 has no table for dwell on: that for off", "eu868", 868100000, 5, 1, true, 0, 868100000, 4},
	{"cn470-rp001 modulo 48", "cn470-rp001", 480100000, 0, 0, false, 49, 500500000, 0},
	{"cn470-20a same index", "cn470-20a", 503500000, 1, 0, false, 32, 490300000, 1},
	{"ism2400 above 31 bits", "ism2400", 2403000000U, 7, 0, false, 0, 2403000000U, 7},
};

static void windows_follow_uplinks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		t_row(windows[i].name);
		struct lw_region region = load(windows[i].region);
		int channel = lw_region_uplink_channel(&region, windows[i].freq_hz);
		t_int("channel", windows[i].channel, channel);
		uint32_t rx1_hz = 0;
		bool has_freq = channel >= 0 &&
				lw_region_rx1_freq(&region, (uint8_t)channel, windows[i].freq_hz, &rx1_hz);
		t_uint("frequency", windows[i].rx1_hz, has_freq ? rx1_hz : 0);
		uint8_t dr = 0;
		bool has_dr = lw_region_rx1_dr(&region, windows[i].dr, windows[i].offset, windows[i].dwell,
					       &dr);
		t_int("dr", windows[i].rx1_dr, has_dr ? dr : -1);
	}
}

static void join_windows(void **state)
{
	(void)state;
	struct lw_rx_window rx1, rx2;
	struct lw_region us = load("us915");
	t_true("us915", lw_region_join_windows(&us, 904600000, 4, &rx1, &rx2));
	t_uint("rx1", 923900000, rx1.freq_hz);
	t_uint("rx1 dr", 13, rx1.dr);
	t_uint("rx2", 923300000, rx2.freq_hz);
	t_uint("rx2 dr", 8, rx2.dr);
	struct lw_region cn = load("cn470-20a");
	t_true("cn470-20a", lw_region_join_windows(&cn, 504100000, 5, &rx1, &rx2));
	t_uint("rx1", 490900000, rx1.freq_hz);
	t_uint("rx2", 491700000, rx2.freq_hz);
	t_false("a frequency of no channel", lw_region_join_windows(&us, 904200000, 0, &rx1, &rx2));
	t_uint("rx2 is there still", 923300000, rx2.freq_hz);
}

static void payloads_and_powers(void **state)
{
	(void)state;
	struct lw_region us = load("us915"), as = load("as923-1"), eu = load("eu868");
	t_uint("us915 DR0", 11, lw_region_max_payload(&us, 0, false, false).n);
	t_uint("us915 dwell on uses the rows for off", 19, lw_region_max_payload(&us, 0, true, false).m);
	t_uint("as923 DR2 dwell off", 123, lw_region_max_payload(&as, 2, false, false).m);
	t_uint("as923 DR2 dwell on", 19, lw_region_max_payload(&as, 2, true, false).m);
	t_uint("as923 DR0 dwell on: not allowed", 0, lw_region_max_payload(&as, 0, true, false).m);
	t_uint("behind a repeater", 230, lw_region_max_payload(&eu, 5, false, true).m);
	t_uint("undefined", 0, lw_region_max_payload(&eu, 15, false, false).m);
	t_uint("past the table", 0, lw_region_max_payload(&eu, 200, false, false).m);
	int16_t power = 0;
	t_true("us915 power 5", lw_region_tx_power_cdbm(&us, 5, us.default_max_eirp_cdbm, &power));
	t_int("20 dBm", 2000, power);
	t_false("power 15 is not defined", lw_region_tx_power_cdbm(&us, 15, 3000, &power));
	t_int("eu868 band P", 2915, lw_region_max_eirp_cdbm(&eu, 869525000));
	t_int("eu868 band M", 1615, lw_region_max_eirp_cdbm(&eu, 868100000));
	t_int("eu868 between bands", 1600, lw_region_max_eirp_cdbm(&eu, 868650000));
	int16_t floor_cdb = 0;
	struct lw_modulation sf12 = LORA(12, 125000), sf7 = LORA(7, 125000), fsk = {.kind = LW_FSK};
	t_true("SF12", lw_snr_floor_cdb(&sf12, &floor_cdb) && floor_cdb == -2000);
	t_true("SF7", lw_snr_floor_cdb(&sf7, &floor_cdb) && floor_cdb == -750);
	t_false("FSK has none", lw_snr_floor_cdb(&fsk, &floor_cdb));
}

static const struct {
	const char *name;
	const char *region;
	uint32_t freq_hz;
	bool up;
	bool down;
	int sub_band;
} frequencies[] = {
	{"a European channel", "eu868", 867100000, true, true, 1},
	{"on the border: the narrower band", "eu868", 868000000, true, true, 2},
	{"RX2's band", "eu868", 869525000, true, true, 4},
	{"between two bands", "eu868", 868650000, true, true, -1},
	{"outside", "eu868", 870000001, false, false, -1},
	{"zero", "eu868", 0, false, false, -1},
	{"an American uplink channel", "us915", 902300000, true, false, 0},
	{"off its grid", "us915", 902400000, false, false, 0},
	{"an American 500 kHz channel", "us915", 903000000, true, false, 0},
	{"an American downlink channel", "us915", 923900000, false, true, 1},
};

static void frequencies_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frequencies); i++) {
		t_row(frequencies[i].name);
		struct lw_region region = load(frequencies[i].region);
		t_int("up", frequencies[i].up, lw_region_freq_ok(&region, LW_UP, frequencies[i].freq_hz));
		t_int("down", frequencies[i].down,
		      lw_region_freq_ok(&region, LW_DOWN, frequencies[i].freq_hz));
		t_int("sub-band", frequencies[i].sub_band,
		      lw_region_sub_band(&region, frequencies[i].freq_hz));
	}
	t_row("the narrower band wherever it stands");
	struct lw_region eu = load("eu868");
	struct lw_sub_band wide = eu.sub_bands[1];
	eu.sub_bands[1] = eu.sub_bands[2];
	eu.sub_bands[2] = wide;
	t_int("sub-band", 1, lw_region_sub_band(&eu, 868000000));
	t_row("codes");
	struct lw_region ism = load("ism2400");
	uint32_t code = 0;
	t_true("868.1 MHz", lw_region_freq_code(&eu, 868100000, &code));
	t_uint("in steps of 100 Hz", 8681000, code);
	t_false("not a whole step", lw_region_freq_code(&eu, 868100050, &code));
	t_true("2.403 GHz", lw_region_freq_code(&ism, 2403000000U, &code));
	t_uint("in steps of 200 Hz", 12015000, code);
	t_uint("and back", 2403000000U, lw_region_freq_from_code(&ism, 12015000));
	t_false("too high for 24 bits", lw_region_freq_code(&eu, 2403000000U, &code));
}

static const struct {
	const char *name;
	const char *region;
	uint32_t beacon_time_s;
	uint32_t dev_addr;
	uint8_t join_channel;
	uint32_t beacon_hz;
	uint32_t ping_hz;
} hops[] = {
	{"eu868 stays", "eu868", 1280, 7, 0, 869525000, 869525000},
	{"us915 hops with the period", "us915", 128 * 10, 3, 0, 924500000, 926300000},
	{"the sum is not cut to 32 bits", "us915", 128, 0xffffffff, 0, 923900000, 923300000},
	{"cn470-20a by join channel", "cn470-20a", 128 * 3, 2, 1, 486100000, 486500000},
	{"cn470-20b beacon is fixed by join channel", "cn470-20b", 128, 0, 9, 501500000, 497100000},
};

static void class_b_frequencies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hops); i++) {
		t_row(hops[i].name);
		struct lw_region region = load(hops[i].region);
		t_uint("beacon", hops[i].beacon_hz,
		       lw_region_beacon_freq(&region, hops[i].beacon_time_s, hops[i].join_channel));
		t_uint("ping", hops[i].ping_hz,
		       lw_region_ping_freq(&region, (struct lw_dev_addr){hops[i].dev_addr},
					   hops[i].beacon_time_s, hops[i].join_channel));
	}
}

/* Beacons are built and read by a layout that names what varies; the rest of every region's file must be as it is. */
static void beacon_layouts_are_those_of_class_b(void **state)
{
	(void)state;
	static const char *const ids[] = {"as923-1",   "as923-2",   "as923-3",   "as923-4",   "au915",
					  "cn470-20a", "cn470-20b", "cn470-26a", "cn470-26b", "cn470-rp001",
					  "cn779",     "eu433",     "eu868",     "in865",     "ism2400",
					  "kr920",     "ru864",     "us915"};
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		t_row(ids[i]);
		struct lw_region region = load(ids[i]);
		struct lw_beacon_layout layout = lw_beacon_layout(&region.beacon);
		t_uint("total", region.beacon.total_bytes, lw_beacon_length(&layout));
		t_uint("Param", 1, region.beacon.param_bytes);
		t_uint("Time", 4, region.beacon.time_bytes);
		t_uint("GwSpecific", 7, region.beacon.gw_specific_bytes);
		t_uint("period", LW_BEACON_PERIOD_S, region.beacon.period_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(data_rates_are_found),
		t_test(windows_follow_uplinks),
		t_test(join_windows),
		t_test(payloads_and_powers),
		t_test(frequencies_are_judged),
		t_test(class_b_frequencies),
		t_test(beacon_layouts_are_those_of_class_b),
	};
	return t_run(tests);
}
