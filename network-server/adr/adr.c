#include "network-server/adr/adr.h"

#include "common/base/check.h"

#include <string.h>

#define STEP_CDB  300
#define FEW_CDB   300 /* less spare while the history is not whole */
#define SNR_QDB   25  /* hundredths of dB in a quarter */
#define LOSS_LAST 10  /* percent, from which a slower rate is the last resort */

static const char *const names[NS_ADR_REASON_COUNT] = {
	[NS_ADR_KEEP] = "keep",       [NS_ADR_TOO_FEW] = "too_few", [NS_ADR_NO_SNR] = "no_snr",
	[NS_ADR_OUTSIDE] = "outside", [NS_ADR_FASTER] = "faster",   [NS_ADR_QUIETER] = "quieter",
	[NS_ADR_LOUDER] = "louder",   [NS_ADR_REPEATS] = "repeats", [NS_ADR_SLOWER] = "slower",
};

const char *ns_adr_reason_name(enum ns_adr_reason reason)
{
	return (unsigned)reason < NS_ADR_REASON_COUNT ? names[reason] : "unknown";
}

void ns_adr_clear(struct ns_adr_history *history)
{
	*history = (struct ns_adr_history){.count = 0};
}

void ns_adr_note(struct ns_adr_history *history, uint8_t dr, int16_t snr_cdb)
{
	if (history->count > 0 && history->dr != dr)
		ns_adr_clear(history);
	history->dr = dr;
	int quarters = snr_cdb / SNR_QDB;
	quarters = quarters > INT8_MAX ? INT8_MAX : quarters < INT8_MIN ? INT8_MIN : quarters;
	memmove(history->snr_qdb + 1, history->snr_qdb, NS_ADR_HISTORY - 1);
	history->snr_qdb[0] = (int8_t)quarters;
	if (history->count < NS_ADR_HISTORY)
		history->count++;
}

uint32_t ns_adr_span(const struct ns_session *session)
{
	unsigned found = 0;
	for (uint32_t back = 0; back < NS_SEEN_BITS && back < session->fcnt_up; back++) {
		found += (unsigned)(session->seen[back / 64] >> (back % 64) & 1);
		if (found == session->adr.count)
			return back + 1;
	}
	return session->fcnt_up < NS_SEEN_BITS ? session->fcnt_up : NS_SEEN_BITS;
}

static bool may(uint16_t bits, int index)
{
	return index >= 0 && index < 16 && (bits >> index & 1);
}

/* The next index that may be given in a direction, or `from` where there is none. */
static uint8_t next(uint16_t bits, uint8_t from, int direction)
{
	for (int i = from + direction; i >= 0 && i < 16; i += direction)
		if (may(bits, i))
			return (uint8_t)i;
	return from;
}

static uint8_t nearest(uint16_t bits, uint8_t index)
{
	if (may(bits, index))
		return index;
	uint8_t below = next(bits, index, -1);
	return may(bits, below) ? below : next(bits, index, 1);
}

static int16_t snr_max(const struct ns_adr_history *history)
{
	int8_t best = INT8_MIN;
	for (uint8_t i = 0; i < history->count; i++)
		if (history->snr_qdb[i] > best)
			best = history->snr_qdb[i];
	return (int16_t)(best * SNR_QDB);
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
		uint8_t dr = next(limits->drs, wanted->dr, 1);
		/* A rate of a wider channel may need more than a step. */
		if (dr == wanted->dr || limits->need_cdb[dr] == NS_ADR_NO_NEED ||
		    limits->need_cdb[dr] - decision->need_cdb > decision->spare_cdb)
			break;
		wanted->dr = dr;
		decision->reason = NS_ADR_FASTER;
	}
	for (; steps > 0; steps--) {
		uint8_t power = next(limits->powers, wanted->power, 1);
		if (power == wanted->power)
			break;
		wanted->power = power;
		if (decision->reason != NS_ADR_FASTER)
			decision->reason = NS_ADR_QUIETER;
	}
	if (input->history->count < NS_ADR_HISTORY)
		return;
	for (; steps < 0; steps++) {
		uint8_t power = next(limits->powers, wanted->power, -1);
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
	bool loudest = next(limits->powers, input->now.power, -1) == input->now.power;
	bool most = input->now.nb_trans >= limits->max_nb_trans || input->now.nb_trans >= 3;
	uint8_t slower = next(limits->drs, input->now.dr, -1);
	if (decision->loss_percent >= LOSS_LAST && loudest && most && decision->steps <= 0 &&
	    slower != input->now.dr) {
		decision->wanted.dr = slower;
		decision->reason = NS_ADR_SLOWER;
	}
}

struct ns_adr_decision ns_adr_decide(const struct ns_adr_input *input)
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
	    (!may(limits->drs, input->now.dr) || !may(limits->powers, input->now.power))) {
		decision.wanted.dr = nearest(limits->drs, input->now.dr);
		decision.wanted.power = nearest(limits->powers, input->now.power);
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
