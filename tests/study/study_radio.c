#include "tests/study/study.h"

#include "common/base/rng.h"
#include "simulator/plan.h"
#include "simulator/radio.h"

#include <math.h>

#define FREQ_HZ 868300000.0
#define PLACE   1000u /* the number under which a device's own place is drawn */

static const struct {
	struct sim_path_loss loss;
	double walls_db, own; /* own: share of the shadow's variance that is the device's place */
	double fading_db;     /* 0: what `loss` says */
} radios[STUDY_RADIOS] = {
	[STUDY_RADIO_A] = {{3.5, 8, SIM_FADING_RAYLEIGH}, 0, 0, 0},
	[STUDY_RADIO_B] = {{3.0, 10, SIM_FADING_NONE}, 14, 0.6, 4},
};

double study_chance(uint64_t seed, uint32_t who, uint32_t what, uint64_t which)
{
	uint64_t mixed = seed * UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)who << 32 | what);
	mixed = (mixed ^ mixed >> 31) * UINT64_C(0x94d049bb133111eb) ^ which;
	struct rng rng = rng_seeded(mixed);
	return ((double)(rng_u64(&rng) >> 11) + 0.5) / 9007199254740992.0;
}

double study_loss_db(enum study_radio radio, uint64_t seed, uint32_t device, uint32_t gateway,
		     double distance_m, uint32_t cell)
{
	const struct sim_path_loss *loss = &radios[radio].loss;
	uint64_t there = seed + (uint64_t)cell * UINT64_C(1000003);
	double own = radios[radio].own;
	double shadow = sqrt(1 - own) * sim_radio_shadowing_db(loss, there, device, gateway);
	if (own > 0)
		shadow += sqrt(own) * sim_radio_shadowing_db(loss, there, device, PLACE);
	return sim_radio_path_loss_db(loss, FREQ_HZ, distance_m) + radios[radio].walls_db + shadow;
}

double study_fading_db(enum study_radio radio, uint64_t seed, uint32_t device, uint32_t gateway,
		       uint64_t frame)
{
	if (radios[radio].fading_db <= 0)
		return sim_radio_fading_db(&radios[radio].loss, seed, device, gateway, frame);
	const struct sim_path_loss normal = {0, radios[radio].fading_db, SIM_FADING_NONE};
	return sim_radio_shadowing_db(&normal, seed ^ (frame + 1) * UINT64_C(0xbf58476d1ce4e5b9), device,
				      gateway);
}

double study_rejection_db(enum study_radio radio, uint8_t wanted_sf, uint8_t other_sf)
{
	if (radio == STUDY_RADIO_A)
		return sim_radio_rejection_db(wanted_sf, other_sf);
	return wanted_sf == other_sf ? 1 : -16;
}

double study_tx_mw(uint8_t power_index)
{
	return 40 + pow(10, (16 - 2 * power_index) / 10.0) / 0.35;
}

double study_listen_mj(uint8_t spreading_factor)
{
	double us = 8.0 * (double)(sim_symbol_us(spreading_factor, 125000) + sim_symbol_us(12, 125000));
	return us * STUDY_RX_MW * 1e-6;
}
