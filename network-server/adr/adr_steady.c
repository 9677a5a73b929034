/* The cheapest settings under which few readings would be lost, by everything that was heard and by what was not.
 *
 * The history holds the best signal of each frame among all gateways, so that its spread is what several gateways leave of it; the
 * counters between say exactly how many frames nobody heard. From both follows what each setting would lose:
 *
 *	lost now      p = (lost / span) ^ (1 / NbTrans): of single transmissions
 *	to lose more  so many of the frames heard as would have fallen below the need of a faster rate or less power; at least what
 *	              the tail of a fading channel says of p: 1 − (1 − p) ^ (10 ^ (dB / 10))
 *	to lose less  the same tail with a gain
 *	readings      p ^ NbTrans
 *
 * Wanted are of all data rates, powers and repeats those that cost least (airtime × power × repeats) and lose at most LOSE; where none
 * does, those that lose least. They are asked for where the present ones lose more than LOSE_MOST, or where that saves a fifth. A data
 * rate is lowered by two at most at a time, and what a device refused is not among the limits: the next best is taken instead. */
#include "network-server/adr/adr_parts.h"

#include <math.h>

#define LOSE      0.15
#define LOSE_MOST 0.18
#define SAVE      0.80 /* of the cost, at most */
#define PRIOR     0.5  /* frames: a history without a loss is no proof that there is none */
#define FEW_CDB   500  /* what a short history may be wrong by */
#define STEP_BACK 2
#define POWERS    8

/* mW while sending, of a usual radio at 16 dBm and 2 dB less a step; of another the ratios are what counts. */
static const uint8_t draw_mw[POWERS] = {154, 112, 85, 69, 58, 51, 47, 45};

struct outlook {
	double loss, cost; /* of readings; of a reading, in any unit */
};

static double tail(double loss, double harder_db)
{
	return 1 - pow(1 - loss, pow(10, harder_db / 10));
}

/* Of single transmissions at another data rate and power. */
static double loss_at(const struct ns_adr_input *input, double now, int harder_cdb)
{
	const struct ns_adr_history *history = input->history;
	int least = input->limits.need_cdb[input->now.dr] + harder_cdb;
	unsigned under = 0;
	if (harder_cdb == 0)
		return now;
	double by_tail = tail(now, harder_cdb / 100.0);
	if (harder_cdb < 0)
		return by_tail;
	if (history->count < NS_ADR_HISTORY)
		least += FEW_CDB;
	for (uint8_t i = 0; i < history->count; i++)
		under += history->snr_qdb[i] * NS_ADR_QDB < least;
	double by_frames = now + (1 - now) * (under + PRIOR) / (history->count + 2 * PRIOR);
	return by_frames > by_tail ? by_frames : by_tail;
}

static bool is_better(const struct outlook *one, const struct outlook *other)
{
	if (one->loss <= LOSE)
		return other->loss > LOSE || one->cost < other->cost;
	return other->loss > LOSE && one->loss < other->loss;
}

static double cost_of(uint8_t power, uint8_t nb_trans, double airtime)
{
	return airtime * draw_mw[power < POWERS ? power : POWERS - 1] * nb_trans;
}

/* The best of all, beginning with what is. */
static struct outlook search(const struct ns_adr_input *input, double single, const struct outlook *here,
			     struct ns_adr_settings *choice)
{
	const struct ns_adr_limits *limits = &input->limits;
	const struct ns_adr_settings now = *choice;
	struct outlook best = *here;
	for (uint8_t dr = now.dr > STEP_BACK ? (uint8_t)(now.dr - STEP_BACK) : 0; dr < LW_DATA_RATES; dr++) {
		int more = limits->need_cdb[dr] - limits->need_cdb[now.dr];
		if (!ns_adr_may(limits->drs, dr) || limits->need_cdb[dr] == NS_ADR_NO_NEED)
			continue;
		double airtime = pow(10, -more / 1000.0); /* 2.5 dB a spreading factor, 1.8 times the time */
		for (uint8_t power = 0; power < LW_TX_POWERS - 1; power++) {
			if (!ns_adr_may(limits->powers, power))
				continue;
			double each = loss_at(input, single, more + 200 * (power - now.power)), loss = 1;
			for (uint8_t n = 1; n <= 3 && n <= limits->max_nb_trans; n++) {
				loss *= each;
				struct outlook of = {loss, cost_of(power, n, airtime)};
				if (!is_better(&of, &best))
					continue;
				best = of;
				*choice = (struct ns_adr_settings){dr, power, n};
			}
		}
	}
	return best;
}

struct ns_adr_decision ns_adr_steady(const struct ns_adr_input *input)
{
	uint8_t count = input->history->count;
	struct ns_adr_decision decision = ns_adr_usual(input);
	if (decision.reason == NS_ADR_OUTSIDE || decision.reason == NS_ADR_NO_SNR ||
	    decision.reason == NS_ADR_TOO_FEW)
		return decision;
	struct ns_adr_settings choice = input->now;
	choice.nb_trans = choice.nb_trans < 1 ? 1 : choice.nb_trans;
	decision.wanted = choice;
	decision.reason = NS_ADR_STEADY_KEEP;
	uint32_t span = input->span < count ? count : input->span;
	double readings = (span - count + PRIOR) / (span + 2 * PRIOR);
	double single = pow(readings, 1.0 / choice.nb_trans);
	struct outlook here = {readings, cost_of(choice.power, choice.nb_trans, 1)};
	struct outlook best = search(input, single, &here, &choice);
	decision.loss_percent = (uint8_t)((span - count) * 100 / span);
	decision.expect_percent = (uint8_t)lround(100 * here.loss);
	bool over = input->limits.max_nb_trans >= 1 && decision.wanted.nb_trans > input->limits.max_nb_trans;
	if (!over && here.loss <= LOSE_MOST && best.cost > here.cost * SAVE)
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
