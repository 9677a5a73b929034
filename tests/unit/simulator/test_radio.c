/* The radio against figures worked out by hand, and the device's airtime formula against the published table.
 */
#include "simulator/plan.h"
#include "simulator/radio.h"

#include "tests/harness/harness.h"

#include <math.h>

static int hundredths(double value)
{
	return (int)lround(value * 100);
}

static const struct {
	const char *name;
	uint8_t spreading_factor;
	uint32_t bandwidth_hz;
	size_t length;
	bool crc;
	int64_t us;
} airtimes[] = {
	{"13 bytes at SF7", 7, 125000, 13, true, 46336},
	{"23 bytes at SF7", 7, 125000, 23, true, 61696},
	{"242 bytes at SF7", 7, 125000, 242, true, 379136},
	{"23 bytes at SF10", 10, 125000, 23, true, 370688},
	{"33 bytes at SF11", 11, 125000, 33, true, 987136},
	{"51 bytes at SF12", 12, 125000, 51, true, 2465792},
	{"23 bytes at SF7 in 250 kHz", 7, 250000, 23, true, 30848},
	{"23 bytes at SF8 in 500 kHz", 8, 500000, 23, true, 28288},
	{"23 bytes at SF12 in 500 kHz", 12, 500000, 23, true, 329728},
	{"12 bytes down at SF7", 7, 125000, 12, false, 41216},
	{"12 bytes down at SF12", 12, 125000, 12, false, 991232},
	{"33 bytes down at SF11", 11, 125000, 33, false, 905216},
};

static void airtime(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(airtimes); i++) {
		t_row(airtimes[i].name);
		t_int("us", airtimes[i].us,
		      sim_airtime_us(airtimes[i].spreading_factor, airtimes[i].bandwidth_hz,
				     airtimes[i].length, airtimes[i].crc));
	}
	t_row("FSK");
	t_int("13 bytes", 3840, sim_airtime_fsk_us(50000, 13));
	t_int("242 bytes", 40480, sim_airtime_fsk_us(50000, 242));
}

static void rx1_rates(void **state)
{
	(void)state;
	static const struct {
		const char *name, *plan;
		uint8_t up, down[8];
		size_t offsets;
		bool dwell;
	} rows[] = {
		{"eu868 DR0", "eu868", 0, {0, 0, 0, 0, 0, 0}, 6, false},
		{"eu868 DR3", "eu868", 3, {3, 2, 1, 0, 0, 0}, 6, false},
		{"eu868 DR6", "eu868", 6, {6, 5, 4, 3, 2, 1}, 6, false},
		{"us915 DR0", "us915", 0, {10, 9, 8, 8}, 4, false},
		{"us915 DR2", "us915", 2, {12, 11, 10, 9}, 4, false},
		{"us915 DR3", "us915", 3, {13, 12, 11, 10}, 4, false},
		{"us915 DR4", "us915", 4, {13, 13, 12, 11}, 4, false},
		{"au915 DR0", "au915", 0, {8, 8, 8, 8, 8, 8}, 6, false},
		{"au915 DR6", "au915", 6, {13, 13, 12, 11, 10, 9}, 6, false},
		{"au915 DR5, dwell on", "au915", 5, {13, 12, 11, 10, 9, 8}, 6, true},
		{"as923 DR2", "as923-1", 2, {2, 1, 0, 0, 0, 0, 3, 4}, 8, false},
		{"as923 DR2, dwell on", "as923-2", 2, {2, 2, 2, 2, 2, 2, 3, 4}, 8, true},
		{"as923 DR5, dwell on", "as923-4", 5, {5, 4, 3, 2, 2, 2, 6, 7}, 8, true},
		{"in865 DR4", "in865", 4, {4, 3, 2, 1, 0, 0, 5, 5}, 8, false},
		{"in865 DR5", "in865", 5, {5, 4, 3, 2, 1, 0, 5, 7}, 8, false},
		{"kr920 DR5", "kr920", 5, {5, 4, 3, 2, 1, 0}, 6, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		for (uint8_t offset = 0; offset < rows[i].offsets; offset++)
			t_int("rx1 dr", rows[i].down[offset],
			      sim_plan_rx1_dr(sim_plan_find(rows[i].plan), rows[i].up, offset,
					      rows[i].dwell));
	}
	const struct sim_plan *us915 = sim_plan_find("us915");
	t_row("us915 frequencies");
	t_uint("channel 8", 903900000, sim_plan_default_freq_hz(us915, 8));
	t_uint("channel 63", 914900000, sim_plan_default_freq_hz(us915, 63));
	t_uint("channel 65", 904600000, sim_plan_default_freq_hz(us915, 65));
	t_uint("rx1 of channel 15", 927500000, sim_plan_rx1_freq_hz(us915, 15, 905300000));
	t_uint("rx1 of channel 65", 923900000, sim_plan_rx1_freq_hz(us915, 65, 904600000));
}

/* Free space at 1 m and 868.1 MHz: 20 log10(4 π 868.1e6 / c) = 31.22 dB. At 1 km, exponent 2: 60 dB more. */
static void losses(void **state)
{
	(void)state;
	struct sim_path_loss loss = {.exponent = 2};
	t_row("distance");
	t_int("1 m", 3122, hundredths(sim_radio_path_loss_db(&loss, 868.1e6, 1)));
	t_int("nearer than 1 m", 3122, hundredths(sim_radio_path_loss_db(&loss, 868.1e6, 0)));
	t_int("1 km", 9122, hundredths(sim_radio_path_loss_db(&loss, 868.1e6, 1000)));
	loss.exponent = 3.5;
	t_int("1 km in a street", 13622, hundredths(sim_radio_path_loss_db(&loss, 868.1e6, 1000)));
	t_row("sensitivity");
	t_int("noise in 125 kHz", -11703, hundredths(sim_radio_noise_dbm(125000)));
	t_int("SF7", -12453, hundredths(sim_radio_sensitivity_dbm(7, 125000)));
	t_int("SF12", -13703, hundredths(sim_radio_sensitivity_dbm(12, 125000)));
	t_int("SF8 in 500 kHz", -12101, hundredths(sim_radio_sensitivity_dbm(8, 500000)));
	t_row("what is reported");
	t_int("SNR is clipped", SIM_SNR_MAX_CDB, sim_radio_reported_snr_cdb(57));
	t_int("SNR below zero", -1230, sim_radio_reported_snr_cdb(-12.34));
	t_int("RSSI of a weak frame is the noise", -117, sim_radio_reported_rssi_dbm(-135, -117.03));
	t_int("RSSI of a strong frame", -60, sim_radio_reported_rssi_dbm(-60, -117.03));
}

static void draws(void **state)
{
	(void)state;
	struct sim_path_loss loss = {.exponent = 2, .shadowing_db = 8, .fading = SIM_FADING_RAYLEIGH};
	double sum = 0, squares = 0, power = 0;
	enum { N = 20000 };
	for (uint32_t i = 0; i < N; i++) {
		double shadow = sim_radio_shadowing_db(&loss, 7, i, 3);
		sum += shadow;
		squares += shadow * shadow;
		power += pow(10, sim_radio_fading_db(&loss, 7, 1, 2, i) / 10);
	}
	t_row("shadowing");
	t_true("mean is about 0 dB", fabs(sum / N) < 0.3);
	t_true("deviation is about 8 dB", fabs(sqrt(squares / N) - 8) < 0.3);
	t_true("stays with the link",
	       sim_radio_shadowing_db(&loss, 7, 1, 3) == sim_radio_shadowing_db(&loss, 7, 1, 3));
	t_true("differs by seed",
	       sim_radio_shadowing_db(&loss, 8, 1, 3) != sim_radio_shadowing_db(&loss, 7, 1, 3));
	t_row("fading");
	t_true("mean power is about 1", fabs(power / N - 1) < 0.05);
	t_true("differs by frame",
	       sim_radio_fading_db(&loss, 7, 1, 2, 0) != sim_radio_fading_db(&loss, 7, 1, 2, 1));
	loss.fading = SIM_FADING_NONE;
	t_int("none", 0, hundredths(sim_radio_fading_db(&loss, 7, 1, 2, 0)));
}

/* The wanted frame: SF7, 0 .. 50 ms, 868.1 MHz, −100 dBm. Its first three symbols end at 3,072 µs. */
static const struct {
	const char *name;
	struct sim_signal others[3];
	size_t count;
	enum sim_reception reception;
} collisions[] = {
	{"alone", {{0}}, 0, SIM_RECEIVED},
	{"5 dB weaker, same factor", {{2, 10000, 60000, 868100000, 125000, 7, -105}}, 1, SIM_COLLIDED},
	{"6 dB weaker is captured", {{2, 10000, 60000, 868100000, 125000, 7, -106}}, 1, SIM_RECEIVED},
	{"two of them add up",
	 {{2, 10000, 60000, 868100000, 125000, 7, -107}, {3, 10000, 60000, 868100000, 125000, 7, -107}},
	 2,
	 SIM_COLLIDED},
	{"the next channel does no harm", {{2, 10000, 60000, 868300000, 125000, 7, -60}}, 1, SIM_RECEIVED},
	{"a wide frame covers both channels",
	 {{2, 10000, 60000, 868200000, 250000, 7, -100}},
	 1,
	 SIM_COLLIDED},
	{"over before it counts", {{2, -60000, 3072, 868100000, 125000, 7, -60}}, 1, SIM_RECEIVED},
	{"over one microsecond too late", {{2, -60000, 3073, 868100000, 125000, 7, -60}}, 1, SIM_COLLIDED},
	{"begins when the frame has ended", {{2, 50000, 60000, 868100000, 125000, 7, -60}}, 1, SIM_RECEIVED},
	{"another factor 8 dB stronger", {{2, 10000, 60000, 868100000, 125000, 9, -92}}, 1, SIM_RECEIVED},
	{"another factor 9 dB stronger", {{2, 10000, 60000, 868100000, 125000, 9, -91}}, 1, SIM_COLLIDED},
	{"itself is no interferer", {{1, 0, 50000, 868100000, 125000, 7, -100}}, 1, SIM_RECEIVED},
};

static void capture(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(collisions); i++) {
		struct sim_signal wanted = {1, 0, 50000, 868100000, 125000, 7, -100};
		t_row(collisions[i].name);
		t_str("reception", sim_reception_name(collisions[i].reception),
		      sim_reception_name(
			      sim_radio_judge(&wanted, collisions[i].others, collisions[i].count)));
	}
	struct sim_signal weak = {1, 0, 50000, 868100000, 125000, 7, -124.6};
	t_row("below the sensitivity of SF7");
	t_int("reception", SIM_TOO_WEAK, sim_radio_judge(&weak, NULL, 0));
	weak.power_dbm = -124.5;
	t_row("at the sensitivity of SF7");
	t_int("reception", SIM_RECEIVED, sim_radio_judge(&weak, NULL, 0));
	t_row("SF12 bears what is 23 dB stronger");
	t_true("rejection", sim_radio_rejection_db(12, 7) < -23 && sim_radio_rejection_db(12, 7) > -25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(airtime), t_test(rx1_rates), t_test(losses), t_test(draws), t_test(capture),
	};
	return t_run(tests);
}
