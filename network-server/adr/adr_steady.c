/* The settings whose readings cost least, those that are lost included, by everything that was heard and by what was not.
 *
 * The history holds the best signal of each frame among all gateways, so that its spread is what several gateways leave of it; the
 * counters between say exactly how many frames nobody heard. From both follows what each setting would lose:
 *
 *	lost now      p = (lost / span) ^ (1 / NbTrans): of single transmissions
 *	by collision  c = 1 − e ^ (−2 × share × busy): two frames of a data rate collide if one begins while the other lasts, and the
 *	              stronger mostly survives; `busy` is what the gateway that hears the device best hears at that rate
 *	by weakness   w = 1 − (1 − p) / (1 − c): no louder signal and no slower rate helps against c, none of it is held against the signal
 *	to lose more  so many of the frames heard as would have fallen below the need of a faster rate or less power; at least what
 *	              the tail of a fading channel says of w: 1 − (1 − w) ^ (10 ^ (dB / 10))
 *	to lose less  the same tail with a gain
 *	readings      (1 − (1 − w) (1 − c)) ^ NbTrans, with w and c of the setting
 *
 * A setting's price is that of a reading: energy of its transmissions and their receive windows (more where the rate is crowded: a frame
 * spoils as many as it meets) and PRICE for a reading that is lost. So energy goes where it buys most readings: devices near a gateway
 * lose hardly any, those far away up to LOSE. Of all data rates, powers and repeats the cheapest is wanted; it is asked for where it
 * saves a fifth, or where the present setting loses more than LOSE_MOST. A data rate is lowered by two at most at a time, and what a
 * device refused is not among the limits: the next best is taken instead.
 *
 * The profile's margin has no use in this: it stands for the spread that is measured here. Only what a profile asks for beyond the
 * usual 10 dB is kept: so much stronger must frames have been heard for a faster rate or less power. */
#include "network-server/adr/adr_load.h"
#include "network-server/adr/adr_parts.h"

#include <math.h>

#define LOSE       0.20
#define LOSE_MOST  0.22
#define PRICE      60.0 /* mJ: of a lost reading, in the energy of a usual radio */
#define FORBIDDEN  1e6  /* mJ: of a reading that is lost beyond LOSE */
#define SAVE       0.80 /* of the price, at most */
#define PRIOR      0.5  /* frames: a history without a loss is no proof that there is none */
#define FEW_CDB    500  /* what a short history may be wrong by */
#define USUAL_DB   10   /* margin of a profile that asks for nothing special */
#define STEP_BACK  2
#define SHARE      0.5 /* of the frames that meet another of their data rate are lost */
#define POWERS     8
#define LISTEN_MW  15.0
#define MOST_TIMES 3

/* mW while sending, of a usual radio at 16 dBm and 2 dB less a step; of another the ratios are what counts. */
static const uint8_t draw_mw[POWERS] = {154, 112, 85, 69, 58, 51, 47, 45};

struct outlook {
	double loss, price; /* of readings; mJ of one */
};

static double tail(double loss, double harder_db)
{
	return 1 - pow(1 - loss, pow(10, harder_db / 10));
}

static double meets(const struct ns_adr_input *input, uint8_t dr)
{
	return 2 * SHARE * input->busy[dr] / NS_ADR_LOAD_ALL;
}

static double crowd_at(const struct ns_adr_input *input, uint8_t dr)
{
	return 1 - exp(-meets(input, dr));
}

/* By a weak signal, of single transmissions at another data rate and power, as far as the frames heard tell; `now`: at the present
 * ones. */
static double weak_by_frames(const struct ns_adr_input *input, double now, int harder_cdb)
{
	const struct ns_adr_history *history = input->history;
	unsigned under = 0;
	if (harder_cdb <= 0)
		return 0;
	int least = input->limits.need_cdb[input->now.dr] + harder_cdb;
	if (input->limits.margin_db > USUAL_DB)
		least += 100 * (input->limits.margin_db - USUAL_DB);
	if (history->count < NS_ADR_HISTORY)
		least += FEW_CDB;
	for (uint8_t i = 0; i < history->count; i++)
		under += history->snr_qdb[i] * NS_ADR_QDB < least;
	return now + (1 - now) * (under + PRIOR) / (history->count + 2 * PRIOR);
}

static double weak_by_tail(double now, int harder_cdb)
{
	return harder_cdb == 0 ? now : tail(now, harder_cdb / 100.0);
}

static struct outlook outlook_of(const struct ns_adr_input *input, const struct ns_adr_settings *of,
				 double loss)
{
	const struct ns_adr_limits *limits = &input->limits;
	double sending = limits->airtime_us[of->dr] * 1e-6 *
			 draw_mw[of->power < POWERS ? of->power : POWERS - 1];
	double listening = limits->listen_us[of->dr] * 1e-6 * LISTEN_MW;
	double price = of->nb_trans * (sending + listening) * (1 + meets(input, of->dr)) + PRICE * loss;
	if (loss > LOSE)
		price += FORBIDDEN * (loss - LOSE);
	return (struct outlook){loss, price};
}

struct candidate {
	struct ns_adr_settings of;
	struct outlook outlook;
};

/* With the best number of repeats; `each`: lost of single transmissions. */
static struct candidate with_repeats(const struct ns_adr_input *input, uint8_t dr, uint8_t power, double each)
{
	struct candidate best = {{0}, {1, HUGE_VAL}};
	double loss = 1;
	for (uint8_t n = 1; n <= MOST_TIMES && n <= input->limits.max_nb_trans; n++) {
		const struct ns_adr_settings of = {dr, power, n};
		loss *= each;
		struct outlook outlook = outlook_of(input, &of, loss);
		if (outlook.price < best.outlook.price)
			best = (struct candidate){of, outlook};
	}
	return best;
}

/* The best of all, beginning with what is. `weak`: of single transmissions now. A tail costs ten times what all else does here, so
 * that it is asked only where a candidate would be the best without. */
static struct outlook search(const struct ns_adr_input *input, double weak, const struct outlook *here,
			     struct ns_adr_settings *choice)
{
	const struct ns_adr_limits *limits = &input->limits;
	const struct ns_adr_settings now = *choice;
	struct candidate best = {now, *here};
	for (uint8_t dr = now.dr > STEP_BACK ? (uint8_t)(now.dr - STEP_BACK) : 0; dr < LW_DATA_RATES; dr++) {
		if (!ns_adr_may(limits->drs, dr) || limits->need_cdb[dr] == NS_ADR_NO_NEED)
			continue;
		int more = limits->need_cdb[dr] - limits->need_cdb[now.dr];
		double clear = 1 - crowd_at(input, dr);
		for (uint8_t power = 0; power < LW_TX_POWERS - 1; power++) {
			if (!ns_adr_may(limits->powers, power))
				continue;
			int harder = more + 200 * (power - now.power);
			double by_frames = weak_by_frames(input, weak, harder);
			struct candidate that = with_repeats(input, dr, power, 1 - clear * (1 - by_frames));
			if (that.outlook.price >= best.outlook.price)
				continue;
			double by_tail = weak_by_tail(weak, harder);
			if (by_tail > by_frames)
				that = with_repeats(input, dr, power, 1 - clear * (1 - by_tail));
			if (that.outlook.price < best.outlook.price)
				best = that;
		}
	}
	*choice = best.of;
	return best.outlook;
}

struct ns_adr_decision ns_adr_steady(const struct ns_adr_input *input)
{
	uint8_t count = input->history->count;
	struct ns_adr_decision decision = ns_adr_usual(input);
	/* Too few say nothing of a loss, even where the profile wants fewer repeats at once. */
	if (decision.reason == NS_ADR_OUTSIDE || decision.reason == NS_ADR_NO_SNR || count < NS_ADR_MIN ||
	    input->history->dr != input->now.dr)
		return decision;
	struct ns_adr_settings choice = input->now;
	choice.nb_trans = choice.nb_trans < 1 ? 1 : choice.nb_trans;
	decision.wanted = choice;
	decision.reason = NS_ADR_STEADY_KEEP;
	uint32_t span = input->span < count ? count : input->span;
	double readings = (span - count + PRIOR) / (span + 2 * PRIOR);
	double crowd = crowd_at(input, choice.dr);
	double weak = 1 - (1 - pow(readings, 1.0 / choice.nb_trans)) / (1 - crowd);
	/* Of a device that loses less than the crowd explains, next to nothing is weak. */
	if (weak < PRIOR / (span + 2 * PRIOR) / 2)
		weak = PRIOR / (span + 2 * PRIOR) / 2;
	struct outlook here = outlook_of(input, &choice, readings);
	struct outlook best = search(input, weak, &here, &choice);
	decision.loss_percent = (uint8_t)((span - count) * 100 / span);
	decision.crowd_percent = (uint8_t)lround(100 * crowd);
	decision.expect_percent = (uint8_t)lround(100 * here.loss);
	bool over = input->limits.max_nb_trans >= 1 && decision.wanted.nb_trans > input->limits.max_nb_trans;
	if (!over && here.loss <= LOSE_MOST && best.price > here.price * SAVE)
		return decision;
	if (over && choice.nb_trans > input->limits.max_nb_trans)
		choice.nb_trans = input->limits.max_nb_trans;
	if (choice.dr == input->now.dr && choice.power == input->now.power &&
	    choice.nb_trans == decision.wanted.nb_trans)
		return decision;
	decision.wanted = choice;
	decision.expect_percent = (uint8_t)lround(100 * best.loss);
	decision.reason = NS_ADR_STEADY;
	return decision;
}
