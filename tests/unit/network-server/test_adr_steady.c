/* ADR `steady`: which losses it holds against the signal and which against the air, what it makes of one lucky frame, and the table
 * of how busy the air around a gateway is. The complaints are those of other servers' users. */
#include "network-server/adr/adr.h"
#include "network-server/adr/adr_load.h"
#include "tests/harness/harness.h"

#define HOUR (3600 * US_PER_S)

static struct ns_adr_history samples;

/* 20 frames at a data rate between `weakest_cdb` and 4.75 dB above; all alike where `spread` is false. */
static struct ns_adr_input heard(uint8_t dr, int weakest_cdb, bool spread)
{
	samples = (struct ns_adr_history){.count = 0};
	for (int n = 0; n < NS_ADR_HISTORY; n++)
		ns_adr_note(&samples, dr, (int16_t)(weakest_cdb + (spread ? 25 * (n * 7 % 20) : 0)));
	struct ns_adr_input input = {
		.history = &samples,
		.span = NS_ADR_HISTORY,
		.now = {dr, 0, 1},
		.limits = {.drs = 0x3f, .powers = 0xff, .max_nb_trans = 3, .margin_db = 10},
	};
	for (int i = 0; i < LW_DATA_RATES; i++)
		input.limits.need_cdb[i] = (int16_t)(i < 6 ? -2000 + 250 * i : NS_ADR_NO_NEED);
	for (int i = 0; i < 6; i++) {
		input.limits.airtime_us[i] = 1800000u >> i;
		input.limits.listen_us[i] = 8 * (32768u + (32768u >> i));
	}
	return input;
}

static struct ns_adr_settings wanted(const struct ns_adr_input *input)
{
	return ns_adr_decide(NET_ADR_STEADY, input).wanted;
}

/* --- complaint 18: too bold where the radio changes, as with cars parked on sensors ---------------------------------- */

static void complaint_18_one_lucky_frame_moves_nobody(void **state)
{
	(void)state;
	struct ns_adr_input input = heard(0, -1900, true);
	samples.snr_qdb[7] = 10 * 4;
	t_true("the usual one goes by the luckiest", ns_adr_decide(NET_ADR_USUAL, &input).wanted.dr > 3);
	struct ns_adr_settings to = wanted(&input);
	t_uint("data rate", 0, to.dr);
	t_uint("power", 0, to.power);
}

static void complaint_18_a_profile_may_ask_for_more_margin(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t margin_db;
		uint8_t dr; /* heard at 0 to 4.75 dB at DR0 */
	} rows[] = {
		{"none: what is measured is enough", 0, 5},
		{"the usual", 10, 5},
		{"10 dB more: slower", 20, 3},
		{"the most there is: as it is", 30, 0},
	};
	uint8_t before = 6;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_adr_input input = heard(0, 0, true);
		input.limits.margin_db = rows[i].margin_db;
		uint8_t dr = wanted(&input).dr;
		t_uint("data rate", rows[i].dr, dr);
		t_true("never faster for more margin", dr <= before);
		before = dr;
	}
}

/* The chip tells no more than about 10 dB, however near the gateway: that is a least, and taken as what it says. */
static void a_gateway_that_tells_no_more_than_10_db(void **state)
{
	(void)state;
	struct ns_adr_input input = heard(0, 1000, false);
	t_uint("the highest data rate all the same", 5, wanted(&input).dr);
	input = heard(5, 1000, false);
	struct ns_adr_settings to = wanted(&input);
	t_uint("there it stays", 5, to.dr);
	t_true("and no power is asked for at which what was told would be too little",
	       1000 - 200 * to.power >= -750);
}

/* --- losses by collision and by a weak signal --------------------------------------------------------------------------- */

static void what_collides_is_not_weak(void **state)
{
	(void)state;
	/* Three of 23 lost at DR4, the others heard 13.5 dB above what DR5 needs or more. */
	struct ns_adr_input quiet = heard(4, 600, true), crowded = quiet;
	quiet.span = crowded.span = 23;
	crowded.busy[4] = 1300; /* 1 − e ^ −0.13: 12 % */
	quiet.limits.max_nb_trans = crowded.limits.max_nb_trans = 1;
	struct ns_adr_decision by_signal = ns_adr_decide(NET_ADR_STEADY, &quiet);
	struct ns_adr_decision by_air = ns_adr_decide(NET_ADR_STEADY, &crowded);
	t_uint("in quiet air the signal must be weak: no faster", 4, by_signal.wanted.dr);
	t_uint("nothing collides there", 0, by_signal.crowd_percent);
	t_uint("in crowded air the signal is not to blame: faster", 5, by_air.wanted.dr);
	t_uint("it says why", 12, by_air.crowd_percent);
}

static void a_crowded_rate_is_left_to_others(void **state)
{
	(void)state;
	struct ns_adr_input input = heard(4, 600, true);
	t_uint("the fastest, in quiet air", 5, wanted(&input).dr);
	input.busy[5] = 6000;
	t_uint("not where it is crowded", 4, wanted(&input).dr);
	input = heard(5, 600, true);
	input.span = 28;
	input.busy[5] = 3500;
	t_true("and who is there and loses by it gives way", wanted(&input).dr < 5);
}

/* --- the price of a reading ----------------------------------------------------------------------------------------------- */

static void energy_goes_where_it_buys_readings(void **state)
{
	(void)state;
	struct ns_adr_input far = heard(0, -1950, true);
	far.span = 24; /* a sixth lost */
	t_uint("far, a copy would cost as much as twenty near a gateway", 1, wanted(&far).nb_trans);
	far.span = 32;
	t_uint("but nobody is left to lose a third", 2, wanted(&far).nb_trans);
}

/* A profile that now allows fewer repeats than a device has is obeyed at once; all else waits for samples. */
static void a_lower_limit_of_repeats_moves_nothing_else(void **state)
{
	(void)state;
	struct ns_adr_input input = heard(5, 900, false);
	input.now.nb_trans = 3;
	input.limits.max_nb_trans = 1;
	for (uint8_t count = 0; count < NS_ADR_MIN; count++) {
		samples.count = count;
		input.span = count == 0 ? 60 : 2 * count;
		struct ns_adr_decision decision = ns_adr_decide(NET_ADR_STEADY, &input);
		t_int("for the repeats", NS_ADR_REPEATS, decision.reason);
		t_uint("data rate", 5, decision.wanted.dr);
		t_uint("power", 0, decision.wanted.power);
		t_uint("repeats", 1, decision.wanted.nb_trans);
	}
	input.span = 0; /* a device of which nothing was heard yet */
	samples.count = 0;
	t_uint("nothing to divide by", 1, wanted(&input).nb_trans);
}

/* What NbTrans hides is known all the same: of 22 readings two were lost although each was sent three times. */
static void repeats_hide_what_single_transmissions_lose(void **state)
{
	(void)state;
	struct ns_adr_input input = heard(5, -700, true);
	input.now.nb_trans = 3;
	input.span = 22;
	t_true("sent once most would be lost", wanted(&input).nb_trans > 1 || wanted(&input).dr < 5);
	input.span = 20;
	input.limits.max_nb_trans = 1;
	t_uint("but what the profile allows is obeyed", 1, wanted(&input).nb_trans);
}

static void a_short_history_is_trusted_less(void **state)
{
	(void)state;
	/* 4 dB above what DR4 needs, 1.5 dB above DR5. */
	struct ns_adr_input input = heard(4, -700, true);
	for (int n = 0; n < NS_ADR_HISTORY; n++)
		samples.snr_qdb[n] = -6 * 4;
	t_uint("20 frames", 5, wanted(&input).dr);
	samples.count = 10;
	input.span = 10;
	t_uint("10 frames", 4, wanted(&input).dr);
}

/* --- the table of a gateway ------------------------------------------------------------------------------------------------ */

static void load(void **state)
{
	(void)state;
	struct ns_adr_load load = {0};
	uint16_t busy[LW_DATA_RATES];
	struct mono now = {HOUR};
	ns_adr_load_share(&load, 8, now, busy);
	t_uint("nothing heard", 0, busy[0]);
	/* Six seconds of each minute, for five hours: a tenth of a channel. */
	for (int minute = 0; minute < 300; minute++, now.us += 60 * US_PER_S) {
		ns_adr_load_note(&load, 2, 6000000, now);
		ns_adr_load_note(&load, LW_DATA_RATES, 6000000, now);
	}
	ns_adr_load_share(&load, 1, now, busy);
	t_true("a tenth", busy[2] > 950 && busy[2] <= 1000);
	t_uint("of that data rate alone", 0, busy[3]);
	ns_adr_load_share(&load, 8, now, busy);
	t_true("of eight channels", busy[2] > 118 && busy[2] <= 125);
	ns_adr_load_share(&load, 0, now, busy);
	t_uint("of no channel", 0, busy[2]);
	now.us += HOUR;
	ns_adr_load_share(&load, 1, now, busy);
	t_true("a third after an hour of silence", busy[2] > 300 && busy[2] < 450);
	now.us += 24 * HOUR;
	ns_adr_load_share(&load, 1, now, busy);
	t_uint("forgotten after a day", 0, busy[2]);
	for (int i = 0; i < 3; i++)
		ns_adr_load_note(&load, 0, UINT32_MAX, now);
	now.us += NS_ADR_LOAD_SLICE;
	ns_adr_load_share(&load, 1, now, busy);
	t_uint("all of the time at most", NS_ADR_LOAD_ALL, busy[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(complaint_18_one_lucky_frame_moves_nobody),
		t_test(complaint_18_a_profile_may_ask_for_more_margin),
		t_test(a_gateway_that_tells_no_more_than_10_db),
		t_test(what_collides_is_not_weak),
		t_test(a_crowded_rate_is_left_to_others),
		t_test(energy_goes_where_it_buys_readings),
		t_test(a_lower_limit_of_repeats_moves_nothing_else),
		t_test(repeats_hide_what_single_transmissions_lose),
		t_test(a_short_history_is_trusted_less),
		t_test(load),
	};
	return t_run(tests);
}
