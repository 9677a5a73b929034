#include "tests/study/study_parts.h"

#include "simulator/plan.h"
#include "simulator/radio.h"

#include <math.h>

#define DEMODULATORS 8

static void disturb(struct study_tx *victim, const struct study_tx *by)
{
	if (by->end_us <= victim->vulnerable_us)
		return;
	for (int g = 0; g < STUDY_GATEWAYS; g++)
		if (by->power_dbm[g] > -160 && victim->power_dbm[g] > -160)
			victim->noise_mw[g][by->sf - 7] += (float)pow(10, by->power_dbm[g] / 10.0);
}

void study_air_start(struct study_air *air, int32_t device)
{
	struct study_tx *tx = &air->txs[device];
	double least = sim_radio_sensitivity_dbm(tx->sf, 125000);
	tx->vulnerable_us = tx->start_us + 3 * sim_symbol_us(tx->sf, 125000);
	for (int g = 0; g < STUDY_GATEWAYS; g++) {
		struct study_gateway *gateway = &air->gateways[g];
		for (int sf = 0; sf < STUDY_DRS; sf++)
			tx->noise_mw[g][sf] = 0;
		tx->locked[g] = !gateway->off && tx->power_dbm[g] >= least && gateway->busy < DEMODULATORS;
		gateway->busy += tx->locked[g];
	}
	for (int32_t i = air->first[tx->channel]; i >= 0; i = air->txs[i].next) {
		disturb(&air->txs[i], tx);
		disturb(tx, &air->txs[i]);
	}
	tx->next = air->first[tx->channel];
	air->first[tx->channel] = device;
}

static bool is_deaf(const struct study_gateway *gateway, const struct study_tx *tx)
{
	for (int i = 0; i < STUDY_DEAF; i++)
		if (gateway->deaf_us[i][0] < tx->end_us && gateway->deaf_us[i][1] > tx->start_us)
			return true;
	return false;
}

static bool stands_out(const struct study_air *air, const struct study_tx *tx, int gateway)
{
	for (int sf = 0; sf < STUDY_DRS; sf++)
		if (tx->noise_mw[gateway][sf] > 0 &&
		    tx->power_dbm[gateway] - 10 * log10(tx->noise_mw[gateway][sf]) <
			    study_rejection_db(air->radio, tx->sf, (uint8_t)(sf + 7)))
			return false;
	return true;
}

uint32_t study_air_end(struct study_air *air, int32_t device, double *snr_db, int *best, bool *strong)
{
	struct study_tx *tx = &air->txs[device];
	uint32_t heard = 0;
	*strong = false;
	int32_t *at = &air->first[tx->channel];
	while (*at != device)
		at = &air->txs[*at].next;
	*at = tx->next;
	*best = -1;
	for (int g = 0; g < STUDY_GATEWAYS; g++) {
		struct study_gateway *gateway = &air->gateways[g];
		if (!tx->locked[g])
			continue;
		gateway->busy--;
		*strong = true;
		if (gateway->off || is_deaf(gateway, tx) || !stands_out(air, tx, g))
			continue;
		heard |= 1u << g;
		ns_adr_load_note(&gateway->load, (uint8_t)(12 - tx->sf),
				 (uint32_t)(tx->end_us - tx->start_us), (struct mono){tx->end_us});
		if (*best < 0 || tx->power_dbm[g] > tx->power_dbm[*best])
			*best = g;
	}
	if (*best >= 0) {
		*snr_db = tx->power_dbm[*best] - sim_radio_noise_dbm(125000);
		air->gateways[*best].heard++;
	}
	return heard;
}

bool study_air_send(struct study_air *air, int gateway, int64_t start_us, int64_t end_us)
{
	struct study_gateway *at = &air->gateways[gateway];
	for (int i = 0; i < STUDY_DEAF; i++)
		if (at->deaf_us[i][0] < end_us && at->deaf_us[i][1] > start_us)
			return false;
	int64_t *deaf = at->deaf_us[at->deaf++ % STUDY_DEAF];
	deaf[0] = start_us;
	deaf[1] = end_us;
	return true;
}
