/* The usual algorithm: from the best signal among the last 20 frames to data rate, power and repeats.
 *
 *	spare = greatest SNR of the history − what the data rate needs − margin        (fewer than 20 frames: 3 dB less)
 *	steps = spare / 3 dB, towards zero
 *	steps > 0    data rate up, a step each, as far as the limits go; what is left: power down, a step each
 *	steps < 0    power up, a step each, where the history is whole
 *	repeats      by the loss over the history (gaps in FCntUp), where it is whole:
 *
 *	                  NbTrans now   1  2  3
 *	                  under 5 %     1  1  2
 *	                  under 10 %    1  2  3
 *	                  under 30 %    2  3  3
 *	                  30 % and more 3  3  3
 *
 *	last resort  a data rate down, one step, where loss stays at 10 % or more with full power and as many repeats as
 *	             are allowed. The frames of the history show that the device is still heard: a device that is not is left to its
 *	             own back-off.
 *
 * Under NS_ADR_MIN samples nothing is decided. */
#include "network-server/adr/adr_parts.h"

#include "common/base/check.h"

#define STEP_CDB  300
#define FEW_CDB   300 /* less spare while the history is not whole */
#define LOSS_LAST 10  /* percent, from which a slower rate is the last resort */

static int16_t snr_max(const struct ns_adr_history *history)
{
	int8_t best = INT8_MIN;
	for (uint8_t i = 0; i < history->count; i++)
		if (history->snr_qdb[i] > best)
			best = history->snr_qdb[i];
	return (int16_t)(best * NS_ADR_QDB);
}

static uint8_t repeats(uint8_t percent, uint8_t now, uint8_t most)
{
	static const uint8_t table[4][3] = {{1, 1, 2}, {1, 2, 3}, {2, 3, 3}, {3, 3, 3}};
	size_t row = percent < 5 ? 0 : percent < 10 ? 1 : percent < 30 ? 2 : 3;
	uint8_t column = now < 1 ? 0 : now > 3 ? 2 : (uint8_t)(now - 1);
	uint8_t wanted = table[row][column];
	most = most < 1 ? 1 : most;
	return wanted > most ? most : wanted;
}

static void spend_steps(const struct ns_adr_input *input, struct ns_adr_decision *decision)
{
	const struct ns_adr_limits *limits = &input->limits;
	struct ns_adr_settings *wanted = &decision->wanted;
	int steps = decision->steps;
	for (; steps > 0; steps--) {
		uint8_t dr = ns_adr_next(limits->drs, wanted->dr, 1);
		/* A rate of a wider channel may need more than a step. */
		if (dr == wanted->dr || limits->need_cdb[dr] == NS_ADR_NO_NEED ||
		    limits->need_cdb[dr] - decision->need_cdb > decision->spare_cdb)
			break;
		wanted->dr = dr;
		decision->reason = NS_ADR_FASTER;
	}
	for (; steps > 0; steps--) {
		uint8_t power = ns_adr_next(limits->powers, wanted->power, 1);
		if (power == wanted->power)
			break;
		wanted->power = power;
		if (decision->reason != NS_ADR_FASTER)
			decision->reason = NS_ADR_QUIETER;
	}
	if (input->history->count < NS_ADR_HISTORY)
		return;
	for (; steps < 0; steps++) {
		uint8_t power = ns_adr_next(limits->powers, wanted->power, -1);
		if (power == wanted->power)
			break;
		wanted->power = power;
		decision->reason = NS_ADR_LOUDER;
	}
}

static void mind_loss(const struct ns_adr_input *input, struct ns_adr_decision *decision)
{
	const struct ns_adr_limits *limits = &input->limits;
	uint8_t count = input->history->count;
	if (count < NS_ADR_HISTORY || input->span < count)
		return;
	decision->loss_percent = (uint8_t)((input->span - count) * 100 / input->span);
	decision->wanted.nb_trans = repeats(decision->loss_percent, input->now.nb_trans,
					    limits->max_nb_trans);
	if (decision->reason != NS_ADR_KEEP)
		return;
	if (decision->wanted.nb_trans != input->now.nb_trans) {
		decision->reason = NS_ADR_REPEATS;
		return;
	}
	bool loudest = ns_adr_next(limits->powers, input->now.power, -1) == input->now.power;
	bool most = input->now.nb_trans >= limits->max_nb_trans || input->now.nb_trans >= 3;
	uint8_t slower = ns_adr_next(limits->drs, input->now.dr, -1);
	if (decision->loss_percent >= LOSS_LAST && loudest && most && decision->steps <= 0 &&
	    slower != input->now.dr) {
		decision->wanted.dr = slower;
		decision->reason = NS_ADR_SLOWER;
	}
}

struct ns_adr_decision ns_adr_usual(const struct ns_adr_input *input)
{
	const struct ns_adr_history *history = input->history;
	const struct ns_adr_limits *limits = &input->limits;
	struct ns_adr_decision decision = {
		.wanted = input->now, .reason = NS_ADR_KEEP, .samples = history->count};
	if (input->now.nb_trans < 1)
		decision.wanted.nb_trans = 1;
	if (limits->max_nb_trans >= 1 && decision.wanted.nb_trans > limits->max_nb_trans) {
		decision.wanted.nb_trans = limits->max_nb_trans;
		decision.reason = NS_ADR_REPEATS;
	}
	ASSERT_CMP(input->now.dr, <, LW_DATA_RATES);
	if (limits->drs != 0 && limits->powers != 0 &&
	    (!ns_adr_may(limits->drs, input->now.dr) || !ns_adr_may(limits->powers, input->now.power))) {
		decision.wanted.dr = ns_adr_nearest(limits->drs, input->now.dr);
		decision.wanted.power = ns_adr_nearest(limits->powers, input->now.power);
		decision.reason = NS_ADR_OUTSIDE;
		return decision;
	}
	if (history->count < NS_ADR_MIN || history->dr != input->now.dr) {
		if (decision.reason == NS_ADR_KEEP)
			decision.reason = NS_ADR_TOO_FEW;
		return decision;
	}
	decision.need_cdb = limits->need_cdb[input->now.dr];
	if (decision.need_cdb == NS_ADR_NO_NEED) {
		decision.reason = NS_ADR_NO_SNR;
		return decision;
	}
	decision.snr_max_cdb = snr_max(history);
	decision.spare_cdb = (int16_t)(decision.snr_max_cdb - decision.need_cdb - limits->margin_db * 100 -
				       (history->count < NS_ADR_HISTORY ? FEW_CDB : 0));
	decision.steps = (int16_t)(decision.spare_cdb / STEP_CDB);
	spend_steps(input, &decision);
	mind_loss(input, &decision);
	return decision;
}
