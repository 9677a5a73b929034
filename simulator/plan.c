#include "simulator/plan.h"

#include "common/base/check.h"

#include <string.h>

static const struct sim_plan plans[] = {
	{
		.name = "eu868",
		.default_channels = 3,
		.channels = 16,
		.min_dr = 0,
		.max_dr = 6,
		.usual_dr = 5,
		.rx2_dr = 0,
		.rx2_freq_hz = 869525000,
		.min_hz = 863000000,
		.max_hz = 870000000,
		.max_rx1_offset = 5,
		.max_eirp_dbm = 16,
		.max_power_index = 7,
		.rates = {{12, 125000, true, true, 59},
			  {11, 125000, true, true, 59},
			  {10, 125000, true, true, 59},
			  {9, 125000, true, true, 123},
			  {8, 125000, true, true, 250},
			  {7, 125000, true, true, 250},
			  {7, 250000, true, true, 250}},
		.bands = {{863000000, 865000000, 1},
			  {865000000, 868000000, 10},
			  {868000000, 868600000, 10},
			  {868700000, 869200000, 1},
			  {869400000, 869650000, 100},
			  {869700000, 870000000, 10}},
	},
	{
		.name = "us915",
		.fixed = true,
		.default_channels = 72,
		.channels = 72,
		.min_dr = 0,
		.max_dr = 4,
		.usual_dr = 3,
		.rx2_dr = 8,
		.rx2_freq_hz = 923300000,
		.min_hz = 902000000,
		.max_hz = 928000000,
		.max_rx1_offset = 3,
		.max_eirp_dbm = 30,
		.max_power_index = 14,
		.rates = {[0] = {10, 125000, true, false, 19},
			  [1] = {9, 125000, true, false, 61},
			  [2] = {8, 125000, true, false, 133},
			  [3] = {7, 125000, true, false, 250},
			  [4] = {8, 500000, true, false, 250},
			  [8] = {12, 500000, false, true, 61},
			  [9] = {11, 500000, false, true, 137},
			  [10] = {10, 500000, false, true, 250},
			  [11] = {9, 500000, false, true, 250},
			  [12] = {8, 500000, false, true, 250},
			  [13] = {7, 500000, false, true, 250}},
		.bands = {{902000000, 928000000, 1000}},
	},
};

const struct sim_plan *sim_plan_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		if (strcmp(plans[i].name, name) == 0)
			return &plans[i];
	}
	return NULL;
}

uint32_t sim_plan_default_freq_hz(const struct sim_plan *plan, uint8_t channel)
{
	ASSERT_CMP(channel, <, plan->default_channels);
	if (!plan->fixed)
		return 868100000u + 200000u * channel;
	return channel < 64 ? 902300000u + 200000u * channel : 903000000u + 1600000u * (channel - 64u);
}

void sim_plan_default_rates(const struct sim_plan *plan, uint8_t channel, uint8_t *min_dr, uint8_t *max_dr)
{
	bool wide = plan->fixed && channel >= 64;
	*min_dr = wide ? 4 : 0;
	*max_dr = wide ? 4 : (plan->fixed ? 3 : 5);
}

uint8_t sim_plan_rx1_dr(const struct sim_plan *plan, uint8_t uplink_dr, uint8_t offset)
{
	int base = plan->fixed ? 10
			       : 0; /* uplink DR0 (SF10/125) answers with DR10 (SF10/500) in fixed plans */
	int lowest = plan->fixed ? 8 : 0;
	int highest = plan->fixed ? 13 : 7;
	int dr = base + uplink_dr - offset;
	return (uint8_t)(dr < lowest ? lowest : dr > highest ? highest : dr);
}

uint32_t sim_plan_rx1_freq_hz(const struct sim_plan *plan, uint8_t channel, uint32_t uplink_freq_hz)
{
	return plan->fixed ? 923300000u + 600000u * (channel % 8u) : uplink_freq_hz;
}

bool sim_plan_has_rate(const struct sim_plan *plan, uint8_t dr, bool up)
{
	if (dr >= SIM_RATES_MAX || plan->rates[dr].spreading_factor == 0)
		return false;
	return up ? plan->rates[dr].up : plan->rates[dr].down;
}

size_t sim_plan_band(const struct sim_plan *plan, uint32_t freq_hz)
{
	size_t best = SIM_BANDS_MAX;
	for (size_t i = 0; i < SIM_BANDS_MAX && plan->bands[i].max_hz != 0; i++) {
		const struct sim_band *band = &plan->bands[i];
		if (freq_hz < band->min_hz || freq_hz > band->max_hz)
			continue;
		if (best == SIM_BANDS_MAX ||
		    band->max_hz - band->min_hz < plan->bands[best].max_hz - plan->bands[best].min_hz)
			best = i;
	}
	return best;
}

int64_t sim_symbol_us(uint8_t spreading_factor, uint32_t bandwidth_hz)
{
	return (INT64_C(1000000) << spreading_factor) / bandwidth_hz;
}

/* Semtech AN1200.13: a preamble of 8 + 4.25 symbols, 8 symbols of header, then blocks of 5 symbols (4/5) that
 * carry 4 × SF bits each, or 4 × (SF − 2) where the symbol is 16 ms or longer. */
int64_t sim_airtime_us(uint8_t spreading_factor, uint32_t bandwidth_hz, size_t length, bool crc)
{
	int64_t symbol_us = sim_symbol_us(spreading_factor, bandwidth_hz);
	int64_t block_bits = 4 * (spreading_factor - (symbol_us >= 16000 ? 2 : 0));
	int64_t bits = 8 * (int64_t)length - 4 * spreading_factor + 28 + (crc ? 16 : 0);
	int64_t blocks = bits > 0 ? (bits + block_bits - 1) / block_bits : 0;
	int64_t quarters = 4 * (8 + 8 + 5 * blocks) + 17;
	return quarters * symbol_us / 4;
}

int64_t sim_airtime_fsk_us(uint32_t bit_rate_bps, size_t length)
{
	return (int64_t)(5 + 3 + 1 + length + 2) * 8 * 1000000 / bit_rate_bps;
}
