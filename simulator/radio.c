#include "simulator/radio.h"

#include "simulator/plan.h"

#include "common/base/check.h"
#include "common/base/rng.h"

#include <math.h>

#define LIGHT_M_S 299792458.0
#define PI        3.14159265358979323846
#define RICIAN_K  10.0 /* 10 dB: a line of sight with some scatter */

static const char *const reception_names[SIM_RECEPTION_COUNT] = {
	[SIM_RECEIVED] = "received",   [SIM_TOO_WEAK] = "too_weak", [SIM_COLLIDED] = "collided",
	[SIM_NOT_TUNED] = "not_tuned", [SIM_DEAF] = "deaf",         [SIM_NO_DEMODULATOR] = "no_demodulator",
};

const char *sim_reception_name(enum sim_reception reception)
{
	return (unsigned)reception < SIM_RECEPTION_COUNT ? reception_names[reception] : "unknown";
}

double sim_radio_path_loss_db(const struct sim_path_loss *loss, double freq_hz, double distance_m)
{
	double reference_db = 20 * log10(4 * PI * freq_hz / LIGHT_M_S);
	return reference_db + 10 * loss->exponent * log10(distance_m < 1 ? 1 : distance_m);
}

/* A generator that belongs to one link, or to one frame on one link. */
static struct rng link_rng(uint64_t seed, uint32_t link_a, uint32_t link_b, uint64_t frame)
{
	uint64_t mixed = seed * UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)link_a << 32 | link_b);
	mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9) ^ frame;
	return rng_seeded(mixed);
}

/* In the open interval 0 .. 1. */
static double uniform(struct rng *rng)
{
	return ((double)(rng_u64(rng) >> 11) + 0.5) / 9007199254740992.0;
}

/* Two independent normal values (Box and Muller). */
static void normal_pair(struct rng *rng, double *first, double *second)
{
	double radius = sqrt(-2 * log(uniform(rng)));
	double angle = 2 * PI * uniform(rng);
	*first = radius * cos(angle);
	*second = radius * sin(angle);
}

double sim_radio_shadowing_db(const struct sim_path_loss *loss, uint64_t seed, uint32_t link_a,
			      uint32_t link_b)
{
	struct rng rng = link_rng(seed, link_a, link_b, UINT64_MAX);
	double value, spare;
	normal_pair(&rng, &value, &spare);
	return loss->shadowing_db * value;
}

double sim_radio_fading_db(const struct sim_path_loss *loss, uint64_t seed, uint32_t link_a, uint32_t link_b,
			   uint64_t frame)
{
	if (loss->fading == SIM_FADING_NONE)
		return 0;
	struct rng rng = link_rng(seed, link_a, link_b, frame);
	double in_phase, quadrature;
	normal_pair(&rng, &in_phase, &quadrature);
	double sight = loss->fading == SIM_FADING_RICIAN ? RICIAN_K : 0;
	double scatter = sqrt(1 / (2 * (sight + 1)));
	double real = sqrt(sight / (sight + 1)) + scatter * in_phase;
	double imaginary = scatter * quadrature;
	return 10 * log10(real * real + imaginary * imaginary);
}

double sim_radio_noise_dbm(uint32_t bandwidth_hz)
{
	return -174 + 10 * log10((double)bandwidth_hz) + SIM_NOISE_FIGURE_DB;
}

double sim_radio_required_snr_db(uint8_t spreading_factor)
{
	return -7.5 - 2.5 * (spreading_factor - 7);
}

double sim_radio_sensitivity_dbm(uint8_t spreading_factor, uint32_t bandwidth_hz)
{
	return sim_radio_noise_dbm(bandwidth_hz) + sim_radio_required_snr_db(spreading_factor);
}

/* Other factors are almost orthogonal: a slow frame bears an interferer stronger than itself, by its own
 * coding gain. The figures follow the published measurements within 2 dB: about 8 dB for SF7 to 24 dB for
 * SF12. */
double sim_radio_rejection_db(uint8_t wanted_sf, uint8_t interferer_sf)
{
	if (interferer_sf == 0)
		return 0;
	if (wanted_sf == interferer_sf)
		return SIM_CAPTURE_DB;
	return -8.5 - 3.1 * (wanted_sf - 7);
}

int sim_radio_reported_snr_cdb(double snr_db)
{
	double cdb = round(snr_db * 10) * 10;
	if (cdb < SIM_SNR_MIN_CDB)
		return SIM_SNR_MIN_CDB;
	return cdb > SIM_SNR_MAX_CDB ? SIM_SNR_MAX_CDB : (int)cdb;
}

int sim_radio_reported_rssi_dbm(double signal_dbm, double noise_dbm)
{
	return (int)lround(10 * log10(pow(10, signal_dbm / 10) + pow(10, noise_dbm / 10)));
}

bool sim_radio_same_channel(const struct sim_signal *a, const struct sim_signal *b)
{
	double gap = fabs((double)a->freq_hz - (double)b->freq_hz);
	return gap < ((double)a->bandwidth_hz + (double)b->bandwidth_hz) / 2;
}

enum sim_reception sim_radio_judge(const struct sim_signal *wanted, const struct sim_signal *others,
				   size_t count)
{
	double milliwatts[16] = {0}; /* by spreading factor; 0: not LoRa */
	ASSERT(wanted->spreading_factor >= 5 && wanted->spreading_factor <= 12);
	if (wanted->power_dbm < sim_radio_sensitivity_dbm(wanted->spreading_factor, wanted->bandwidth_hz))
		return SIM_TOO_WEAK;
	int64_t vulnerable_us = wanted->start_us +
				3 * sim_symbol_us(wanted->spreading_factor, wanted->bandwidth_hz);
	for (size_t i = 0; i < count; i++) {
		const struct sim_signal *other = &others[i];
		if (other->id == wanted->id || other->end_us <= vulnerable_us ||
		    other->start_us >= wanted->end_us)
			continue;
		if (sim_radio_same_channel(wanted, other))
			milliwatts[other->spreading_factor & 15] += pow(10, other->power_dbm / 10);
	}
	for (unsigned factor = 0; factor < ARRAY_SIZE(milliwatts); factor++) {
		if (milliwatts[factor] <= 0)
			continue;
		double above_db = wanted->power_dbm - 10 * log10(milliwatts[factor]);
		if (above_db < sim_radio_rejection_db(wanted->spreading_factor, (uint8_t)factor))
			return SIM_COLLIDED;
	}
	return SIM_RECEIVED;
}
