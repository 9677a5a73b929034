/* ADR: each row's numbers are worked by hand from the table in adr.h. Needs of eu868, SF12 to SF7: −20, −17.5, −15,
 * −12.5, −10, −7.5 dB. */
#include "network-server/adr/adr.h"
#include "tests/harness/harness.h"

#define ALL_DRS    0x3f /* 0 to 5 */
#define ALL_POWERS 0xff /* 0 to 7 */
#define NO_LOSS    0

static struct ns_adr_history history_of(uint8_t count, uint8_t dr, int snr_cdb)
{
	struct ns_adr_history history = {.count = 0};
	for (uint8_t i = 0; i < count; i++) /* the best is neither the newest nor the oldest */
		ns_adr_note(&history, dr, (int16_t)(i == count / 2 ? snr_cdb : snr_cdb - 400));
	return history;
}

static void needs(struct ns_adr_limits *limits)
{
	for (int dr = 0; dr < LW_DATA_RATES; dr++)
		limits->need_cdb[dr] = (int16_t)(dr < 6 ? -2000 + 250 * dr : NS_ADR_NO_NEED);
	for (int dr = 0; dr < 6; dr++) {
		limits->airtime_us[dr] = 1800000u >> dr;
		limits->listen_us[dr] = 8 * (32768u + (32768u >> dr));
	}
}

static void decisions(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t samples;
		int snr_cdb;
		uint8_t lost; /* of the span */
		struct ns_adr_settings now;
		uint16_t drs, powers;
		uint8_t margin_db, max_nb_trans;
		struct ns_adr_settings wanted;
		enum ns_adr_reason reason;
		int spare_cdb, steps;
	} rows[] = {
		/* 7 + 20 − 10 = 17 dB: 5 steps, all of them data rates */
		{"near: from the lowest to the highest data rate",
		 20,
		 700,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 0, 1},
		 NS_ADR_FASTER,
		 1700,
		 5},
		/* 13 + 20 − 10 = 23: 7 steps, 5 data rates and 2 powers */
		{"nearer: and two steps of power",
		 20,
		 1300,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 2, 1},
		 NS_ADR_FASTER,
		 2300,
		 7},
		/* 10 + 7.5 − 10 = 7.5: 2 steps */
		{"at the highest data rate: power alone",
		 20,
		 1000,
		 0,
		 {5, 1, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 3, 1},
		 NS_ADR_QUIETER,
		 750,
		 2},
		{"no more power than there is to take",
		 20,
		 3000,
		 0,
		 {5, 6, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 7, 1},
		 NS_ADR_QUIETER,
		 2750,
		 9},
		/* −8 + 20 − 10 = 2: less than a step */
		{"less than a step to spare",
		 20,
		 -800,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 1},
		 NS_ADR_KEEP,
		 200,
		 0},
		{"a step exactly",
		 20,
		 -700,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {1, 0, 1},
		 NS_ADR_FASTER,
		 300,
		 1},
		{"a margin of 15 dB takes two steps",
		 20,
		 700,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 15,
		 3,
		 {4, 0, 1},
		 NS_ADR_FASTER,
		 1200,
		 4},
		/* −6 + 7.5 − 10 = −8.5: 2 steps short */
		{"short: power up",
		 20,
		 -600,
		 0,
		 {5, 4, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 2, 1},
		 NS_ADR_LOUDER,
		 -850,
		 -2},
		{"short at full power: the data rate is never lowered for it",
		 20,
		 -600,
		 0,
		 {5, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 0, 1},
		 NS_ADR_KEEP,
		 -850,
		 -2},
		{"short of half a step",
		 20,
		 100,
		 0,
		 {5, 4, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 4, 1},
		 NS_ADR_KEEP,
		 -150,
		 0},
		/* fewer than 20: 3 dB less to spare */
		{"five frames: a step less",
		 5,
		 700,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {4, 0, 1},
		 NS_ADR_FASTER,
		 1400,
		 4},
		{"19 frames: still a step less",
		 19,
		 700,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {4, 0, 1},
		 NS_ADR_FASTER,
		 1400,
		 4},
		{"four frames decide nothing",
		 4,
		 700,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 1},
		 NS_ADR_TOO_FEW,
		 0,
		 0},
		{"five frames never raise the power",
		 5,
		 -600,
		 0,
		 {5, 4, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 4, 1},
		 NS_ADR_KEEP,
		 -1150,
		 -3},
		{"nor do they tell loss",
		 19,
		 -900,
		 19,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 1},
		 NS_ADR_KEEP,
		 -200,
		 0},
		/* limits */
		{"the profile's highest data rate",
		 20,
		 700,
		 0,
		 {0, 0, 1},
		 0x0f,
		 ALL_POWERS,
		 10,
		 3,
		 {3, 2, 1},
		 NS_ADR_FASTER,
		 1700,
		 5},
		{"a data rate that was refused is stepped over",
		 20,
		 700,
		 0,
		 {2, 0, 1},
		 0x37,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 2, 1},
		 NS_ADR_FASTER,
		 1200,
		 4},
		{"below the profile's lowest: raised whatever the signal",
		 20,
		 -1900,
		 0,
		 {0, 0, 1},
		 0x3c,
		 ALL_POWERS,
		 10,
		 3,
		 {2, 0, 1},
		 NS_ADR_OUTSIDE,
		 0,
		 0},
		{"above the profile's highest: lowered",
		 20,
		 700,
		 0,
		 {5, 0, 1},
		 0x0f,
		 ALL_POWERS,
		 10,
		 3,
		 {3, 0, 1},
		 NS_ADR_OUTSIDE,
		 0,
		 0},
		{"the power that the device refused caps it",
		 20,
		 1000,
		 0,
		 {5, 1, 1},
		 ALL_DRS,
		 0x07,
		 10,
		 3,
		 {5, 2, 1},
		 NS_ADR_QUIETER,
		 750,
		 2},
		{"a device without power index 0 is given 1",
		 20,
		 -1000,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 0xfe,
		 10,
		 3,
		 {0, 1, 1},
		 NS_ADR_OUTSIDE,
		 0,
		 0},
		{"a data rate that SNR says nothing of (FSK)",
		 20,
		 700,
		 0,
		 {7, 0, 1},
		 0xff,
		 ALL_POWERS,
		 10,
		 3,
		 {7, 0, 1},
		 NS_ADR_NO_SNR,
		 0,
		 0},
		/* loss; the signal has nothing to spare: −9 + 20 − 10 = 1 */
		{"no loss",
		 20,
		 -900,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 1},
		 NS_ADR_KEEP,
		 100,
		 0},
		{"1 of 21 lost, 4 %",
		 20,
		 -900,
		 1,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 1},
		 NS_ADR_KEEP,
		 100,
		 0},
		{"2 of 22, 9 %: two repeats stay two",
		 20,
		 -900,
		 2,
		 {0, 0, 2},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 2},
		 NS_ADR_KEEP,
		 100,
		 0},
		{"4 of 24, 16 %: one becomes two",
		 20,
		 -900,
		 4,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 2},
		 NS_ADR_REPEATS,
		 100,
		 0},
		{"4 of 24: two become three",
		 20,
		 -900,
		 4,
		 {0, 0, 2},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 3},
		 NS_ADR_REPEATS,
		 100,
		 0},
		{"10 of 30, 33 %: one becomes three",
		 20,
		 -900,
		 10,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 3},
		 NS_ADR_REPEATS,
		 100,
		 0},
		{"the profile allows two",
		 20,
		 -900,
		 10,
		 {0, 0, 1},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 2,
		 {0, 0, 2},
		 NS_ADR_REPEATS,
		 100,
		 0},
		{"the profile allows two now: three becomes two",
		 4,
		 -900,
		 0,
		 {0, 0, 3},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 2,
		 {0, 0, 2},
		 NS_ADR_REPEATS,
		 0,
		 0},
		{"no loss any more: three become two",
		 20,
		 -900,
		 0,
		 {0, 0, 3},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 2},
		 NS_ADR_REPEATS,
		 100,
		 0},
		{"and two become one",
		 20,
		 -900,
		 0,
		 {0, 0, 2},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {0, 0, 1},
		 NS_ADR_REPEATS,
		 100,
		 0},
		/* 2 + 7.5 − 10 = −0.5 */
		{"three repeats at full power still lose: a data rate down",
		 20,
		 200,
		 10,
		 {5, 0, 3},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {4, 0, 3},
		 NS_ADR_SLOWER,
		 -50,
		 0},
		{"not while there is power left",
		 20,
		 200,
		 10,
		 {5, 1, 3},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 1, 3},
		 NS_ADR_KEEP,
		 -50,
		 0},
		{"not below the lowest",
		 20,
		 200,
		 10,
		 {5, 0, 3},
		 0x20,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 0, 3},
		 NS_ADR_KEEP,
		 -50,
		 0},
		{"not where few are lost",
		 20,
		 200,
		 2,
		 {5, 0, 3},
		 ALL_DRS,
		 ALL_POWERS,
		 10,
		 3,
		 {5, 0, 3},
		 NS_ADR_KEEP,
		 -50,
		 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_adr_history history = history_of(rows[i].samples, rows[i].now.dr, rows[i].snr_cdb);
		struct ns_adr_input input = {
			.history = &history,
			.span = rows[i].samples + (uint32_t)rows[i].lost,
			.now = rows[i].now,
			.limits = {.drs = rows[i].drs,
				   .powers = rows[i].powers,
				   .max_nb_trans = rows[i].max_nb_trans,
				   .margin_db = rows[i].margin_db},
		};
		needs(&input.limits);
		struct ns_adr_decision decision = ns_adr_decide(NET_ADR_USUAL, &input);
		t_uint("data rate", rows[i].wanted.dr, decision.wanted.dr);
		t_uint("power", rows[i].wanted.power, decision.wanted.power);
		t_uint("NbTrans", rows[i].wanted.nb_trans, decision.wanted.nb_trans);
		t_str("reason", ns_adr_reason_name(rows[i].reason), ns_adr_reason_name(decision.reason));
		t_int("to spare", rows[i].spare_cdb, decision.spare_cdb);
		t_int("steps", rows[i].steps, decision.steps);
		t_uint("samples", rows[i].samples, decision.samples);
	}
}

/* Where the next data rate needs more than a step more: a wider channel. us915: DR3 is SF7 of 125 kHz (−7.5), DR4 SF8 of
 * 500 kHz, which at a signal measured in 125 kHz is −10 + 6 = −4. */
static void a_wider_channel_needs_more(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int snr_cdb;
		uint8_t dr;
	} rows[] = {
		{"a step, but not 3.5 dB", 550, 3},
		{"3.5 dB", 600, 4},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_adr_history history = history_of(20, 3, rows[i].snr_cdb);
		struct ns_adr_input input = {
			.history = &history,
			.span = 20,
			.now = {3, 0, 1},
			.limits = {.drs = 0x1f, .powers = 1, .max_nb_trans = 1, .margin_db = 10},
		};
		needs(&input.limits);
		input.limits.need_cdb[3] = -750;
		input.limits.need_cdb[4] = -400;
		t_uint("data rate", rows[i].dr, ns_adr_decide(NET_ADR_USUAL, &input).wanted.dr);
	}
}

static void fixed(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t samples, fixed_dr;
		struct ns_adr_settings now;
		uint16_t drs, powers;
		struct ns_adr_settings wanted;
		enum ns_adr_reason reason;
	} rows[] = {
		{"from the first uplink on", 1, 3, {0, 0, 1}, 1 << 3, ALL_POWERS, {3, 0, 1}, NS_ADR_FIXED},
		{"without a sample", 0, 3, {5, 0, 1}, 1 << 3, ALL_POWERS, {3, 0, 1}, NS_ADR_FIXED},
		{"full power and one transmission", 20, 3, {3, 4, 2}, 8, ALL_POWERS, {3, 0, 1}, NS_ADR_FIXED},
		{"the device has it", 20, 3, {3, 0, 1}, 1 << 3, ALL_POWERS, {3, 0, 1}, NS_ADR_FIXED_HELD},
		{"the power that it takes", 20, 3, {3, 2, 1}, 1 << 3, 0xfc, {3, 2, 1}, NS_ADR_FIXED_HELD},
		{"refused: it stays as it is", 20, 3, {1, 0, 1}, 0, ALL_POWERS, {1, 0, 1}, NS_ADR_FIXED_NOT},
		{"no power is left to give", 20, 3, {1, 5, 1}, 1 << 3, 0, {3, 5, 1}, NS_ADR_FIXED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_adr_history samples = history_of(rows[i].samples, rows[i].now.dr, 1300);
		struct ns_adr_input input = {
			.history = &samples,
			.span = 40,
			.now = rows[i].now,
			.limits = {.drs = rows[i].drs,
				   .powers = rows[i].powers,
				   .max_nb_trans = 3,
				   .margin_db = 10,
				   .fixed_dr = rows[i].fixed_dr},
		};
		needs(&input.limits);
		struct ns_adr_decision decision = ns_adr_decide(NET_ADR_FIXED, &input);
		t_uint("data rate", rows[i].wanted.dr, decision.wanted.dr);
		t_uint("power", rows[i].wanted.power, decision.wanted.power);
		t_uint("NbTrans", rows[i].wanted.nb_trans, decision.wanted.nb_trans);
		t_str("reason", ns_adr_reason_name(rows[i].reason), ns_adr_reason_name(decision.reason));
	}
}

/* The frames of a row lie between its SNR and 4.75 dB above. */
static void steady(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t samples;
		int snr_cdb; /* of the weakest */
		uint8_t lost;
		struct ns_adr_settings now;
		uint16_t drs, powers;
		uint8_t max_nb_trans;
		enum ns_adr_reason reason;
		int dr, power, nb_trans; /* -1: as it is; -2: does not matter */
	} rows[] = {
		{"four frames decide nothing",
		 4,
		 1000,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 0xff,
		 3,
		 NS_ADR_TOO_FEW,
		 -1,
		 -1,
		 -1},
		{"near: the highest data rate",
		 20,
		 1200,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 0xff,
		 3,
		 NS_ADR_STEADY,
		 5,
		 -2,
		 -2},
		{"far, and nothing is lost: it stays",
		 20,
		 -1990,
		 0,
		 {0, 0, 1},
		 ALL_DRS,
		 0xff,
		 1,
		 NS_ADR_STEADY_KEEP,
		 -1,
		 -1,
		 -1},
		{"far, and a third is lost: more copies",
		 20,
		 -1990,
		 10,
		 {0, 0, 1},
		 ALL_DRS,
		 0xff,
		 3,
		 NS_ADR_STEADY,
		 0,
		 0,
		 2},
		{"a third is lost and no copies are allowed: slower",
		 20,
		 -700,
		 10,
		 {5, 0, 1},
		 ALL_DRS,
		 0xff,
		 1,
		 NS_ADR_STEADY,
		 3,
		 1,
		 1},
		{"at most two rates slower at a time",
		 6,
		 -700,
		 60,
		 {5, 0, 1},
		 ALL_DRS,
		 0xff,
		 1,
		 NS_ADR_STEADY,
		 3,
		 0,
		 1},
		{"slower with less than 20 frames as well",
		 6,
		 -700,
		 6,
		 {5, 0, 1},
		 ALL_DRS,
		 0xff,
		 1,
		 NS_ADR_STEADY,
		 3,
		 0,
		 1},
		{"what was refused is not asked for again",
		 20,
		 -700,
		 10,
		 {5, 0, 1},
		 0x37,
		 0xff,
		 1,
		 NS_ADR_STEADY,
		 4,
		 0,
		 1},
		{"a device that refused all others stays",
		 20,
		 1200,
		 0,
		 {2, 0, 1},
		 0x04,
		 0x01,
		 1,
		 NS_ADR_STEADY_KEEP,
		 -1,
		 -1,
		 -1},
		{"nothing else may be given, and much is lost",
		 20,
		 -700,
		 20,
		 {5, 0, 1},
		 0x20,
		 0x01,
		 1,
		 NS_ADR_STEADY_KEEP,
		 -1,
		 -1,
		 -1},
		{"outside of the limits", 20, 700, 0, {0, 0, 1}, 0x3c, 0xff, 3, NS_ADR_OUTSIDE, 2, 0, 1},
		{"the profile allows fewer copies than there are",
		 20,
		 -1990,
		 0,
		 {0, 0, 3},
		 ALL_DRS,
		 0x01,
		 2,
		 NS_ADR_STEADY,
		 0,
		 0,
		 -2},
		{"a data rate without a need (FSK)",
		 20,
		 700,
		 0,
		 {7, 0, 1},
		 0xff,
		 0xff,
		 3,
		 NS_ADR_NO_SNR,
		 -1,
		 -1,
		 -1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_adr_history samples = {.count = 0};
		for (int n = 0; n < rows[i].samples; n++)
			ns_adr_note(&samples, rows[i].now.dr, (int16_t)(rows[i].snr_cdb + 25 * (n * 7 % 20)));
		struct ns_adr_input input = {
			.history = &samples,
			.span = rows[i].samples + (uint32_t)rows[i].lost,
			.now = rows[i].now,
			.limits = {.drs = rows[i].drs,
				   .powers = rows[i].powers,
				   .max_nb_trans = rows[i].max_nb_trans,
				   .margin_db = 10},
		};
		needs(&input.limits);
		struct ns_adr_decision decision = ns_adr_decide(NET_ADR_STEADY, &input);
		const struct ns_adr_settings *wanted = &decision.wanted, *now = &rows[i].now;
		t_str("reason", ns_adr_reason_name(rows[i].reason), ns_adr_reason_name(decision.reason));
		if (rows[i].dr != -2)
			t_uint("data rate", rows[i].dr < 0 ? now->dr : rows[i].dr, wanted->dr);
		if (rows[i].power != -2)
			t_uint("power", rows[i].power < 0 ? now->power : rows[i].power, wanted->power);
		if (rows[i].nb_trans != -2)
			t_uint("NbTrans", rows[i].nb_trans < 0 ? now->nb_trans : rows[i].nb_trans,
			       wanted->nb_trans);
		t_true("as many as allowed", wanted->nb_trans <= rows[i].max_nb_trans);
	}
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < NET_ADR_ALGORITHMS; i++) {
		enum net_adr_algorithm parsed = NET_ADR_ALGORITHMS;
		t_row(net_adr_algorithm_name((enum net_adr_algorithm)i));
		t_true("parsed",
		       net_adr_algorithm_parse(net_adr_algorithm_name((enum net_adr_algorithm)i), &parsed));
		t_int("the same", i, parsed);
		t_true("a function", ns_adr_algorithms[i].decide != NULL);
	}
	enum net_adr_algorithm parsed;
	t_false("another", net_adr_algorithm_parse("best", &parsed));
}

static void history(void **state)
{
	(void)state;
	struct ns_adr_history samples = {.count = 0};
	for (int i = 0; i < 25; i++)
		ns_adr_note(&samples, 3, (int16_t)(i * 100));
	t_uint("20 at most", 20, samples.count);
	t_int("the newest first", 24 * 4, samples.snr_qdb[0]);
	t_int("the oldest", 5 * 4, samples.snr_qdb[19]);
	ns_adr_note(&samples, 3, 32767);
	t_int("as loud as can be told", INT8_MAX, samples.snr_qdb[0]);
	ns_adr_note(&samples, 3, -32768);
	t_int("as quiet", INT8_MIN, samples.snr_qdb[0]);
	ns_adr_note(&samples, 4, -125);
	t_uint("another data rate begins anew", 1, samples.count);
	t_uint("its data rate", 4, samples.dr);
	t_int("quarters", -5, samples.snr_qdb[0]);
}

/* The counters that the samples cover, lost ones included, out of the bits of what was seen. */
static void span(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned every; /* so many counters are one frame heard */
		uint8_t samples;
		uint32_t span;
	} rows[] = {
		{"nothing lost", 1, 20, 20},
		{"every second lost", 2, 20, 39},
		{"five samples of them", 2, 5, 9},
		{"more lost than is remembered", 9, 20, 128},
		{"no sample", 1, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_session session = {.adr.count = rows[i].samples};
		for (uint32_t fcnt = 0; fcnt < 300; fcnt++)
			if (fcnt % rows[i].every == 299 % rows[i].every)
				ns_session_note(&session, fcnt);
		if (rows[i].samples == 0)
			session.fcnt_up = 0;
		t_uint("span", rows[i].span, ns_adr_span(&session));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(decisions), t_test(a_wider_channel_needs_more),
		t_test(fixed),     t_test(names),
		t_test(steady),    t_test(history),
		t_test(span),
	};
	return t_run(tests);
}
