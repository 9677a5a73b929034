#include "simulator/plan.h"

#include "common/base/check.h"

#include <string.h>

/* SF12 to SF7 at 125 kHz, as most dynamic plans have them. */
#define SIX_RATES                                                                                          \
	{12, 125000, true, true, 59, 0}, {11, 125000, true, true, 59, 0}, {10, 125000, true, true, 59, 0}, \
		{9, 125000, true, true, 123, 0}, {8, 125000, true, true, 250, 0},                          \
	{                                                                                                  \
		7, 125000, true, true, 250, 0                                                              \
	}

/* The four AS923 plans (RP002 2.10) differ in where they are. */
#define AS923(of_name, first, lowest, highest)                                                        \
	{                                                                                             \
		.name = (of_name), .tx_param_setup = true, .first_hz = (first), .step_hz = 200000,    \
		.narrow_max_dr = 5, .join_dr = 2, .rx1_highest = 7, .rx1_faster = true,               \
		.default_channels = 2, .channels = 16, .max_dr = 6, .usual_dr = 5, .rx2_dr = 2,       \
		.rx2_freq_hz = (first), .min_hz = (lowest), .max_hz = (highest), .max_rx1_offset = 7, \
		.max_eirp_dbm = 16, .max_power_index = 7,                                             \
		.rates = {{12, 125000, true, true, 59, 0},   {11, 125000, true, true, 59, 0},         \
			  {10, 125000, true, true, 123, 19}, {9, 125000, true, true, 123, 61},        \
			  {8, 125000, true, true, 250, 133}, {7, 125000, true, true, 250, 250},       \
			  {7, 250000, true, true, 250, 250}},                                         \
		.bands = {{(first)-200000, (first) + 300000, 10}, {(lowest), (highest), 1000}},       \
	}

static const struct sim_plan plans[] = {
	{
		.name = "eu868",
		.first_hz = 868100000,
		.step_hz = 200000,
		.narrow_max_dr = 5,
		.rx1_highest = 7,
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
		.first_hz = 902300000,
		.step_hz = 200000,
		.wide_first_hz = 903000000,
		.narrow_max_dr = 3,
		.wide_dr = 4,
		.rx1_base = 10,
		.rx1_lowest = 8,
		.rx1_highest = 13,
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
	{
		.name = "au915",
		.fixed = true,
		.tx_param_setup = true,
		.first_hz = 915200000,
		.step_hz = 200000,
		.wide_first_hz = 915900000,
		.narrow_max_dr = 5,
		.wide_dr = 6,
		.join_dr = 2,
		.rx1_base = 8,
		.rx1_lowest = 8,
		.rx1_highest = 13,
		.default_channels = 72,
		.channels = 72,
		.max_dr = 6,
		.usual_dr = 5,
		.rx2_dr = 8,
		.rx2_freq_hz = 923300000,
		.min_hz = 915000000,
		.max_hz = 928000000,
		.max_rx1_offset = 5,
		.max_eirp_dbm = 30,
		.max_power_index = 14,
		.rates = {[0] = {12, 125000, true, false, 59, 0},
			  [1] = {11, 125000, true, false, 59, 0},
			  [2] = {10, 125000, true, false, 59, 19},
			  [3] = {9, 125000, true, false, 123, 61},
			  [4] = {8, 125000, true, false, 250, 133},
			  [5] = {7, 125000, true, false, 250, 250},
			  [6] = {8, 500000, true, false, 250, 250},
			  [8] = {12, 500000, false, true, 61, 61},
			  [9] = {11, 500000, false, true, 137, 137},
			  [10] = {10, 500000, false, true, 250, 250},
			  [11] = {9, 500000, false, true, 250, 250},
			  [12] = {8, 500000, false, true, 250, 250},
			  [13] = {7, 500000, false, true, 250, 250}},
		.bands = {{915000000, 928000000, 1000}},
	},
	AS923("as923-1", 923200000, 915000000, 928000000),
	AS923("as923-2", 921400000, 920000000, 923000000),
	AS923("as923-3", 916600000, 915000000, 921000000),
	AS923("as923-4", 917300000, 917000000, 920000000),
	{
		.name = "in865",
		.default_hz = {865062500, 865402500, 865985000},
		.narrow_max_dr = 5,
		.rx1_highest = 7,
		.rx1_faster = true,
		.default_channels = 3,
		.channels = 16,
		.max_dr = 5,
		.usual_dr = 5,
		.rx2_dr = 2,
		.rx2_freq_hz = 866550000,
		.min_hz = 865000000,
		.max_hz = 867000000,
		.max_rx1_offset = 7,
		.max_eirp_dbm = 30,
		.max_power_index = 10,
		.rates = {SIX_RATES},
		.bands = {{865000000, 867000000, 1000}},
	},
	{
		.name = "ru864",
		.first_hz = 868900000,
		.step_hz = 200000,
		.narrow_max_dr = 5,
		.rx1_highest = 7,
		.default_channels = 2,
		.channels = 16,
		.max_dr = 6,
		.usual_dr = 5,
		.rx2_freq_hz = 869100000,
		.min_hz = 864000000,
		.max_hz = 870000000,
		.max_rx1_offset = 5,
		.max_eirp_dbm = 16,
		.max_power_index = 7,
		.rates = {SIX_RATES, {7, 250000, true, true, 250, 0}},
		.bands = {{864000000, 865000000, 1}, {866000000, 868000000, 10}, {868700000, 869200000, 10}},
	},
	{
		.name = "eu433",
		.first_hz = 433175000,
		.step_hz = 200000,
		.narrow_max_dr = 5,
		.rx1_highest = 7,
		.default_channels = 3,
		.channels = 16,
		.max_dr = 6,
		.usual_dr = 5,
		.rx2_freq_hz = 434665000,
		.min_hz = 433175000,
		.max_hz = 434665000,
		.max_rx1_offset = 5,
		.max_eirp_dbm = 12,
		.max_power_index = 5,
		.rates = {SIX_RATES, {7, 250000, true, true, 250, 0}},
		.bands = {{433050000, 434790000, 100}},
	},
	{
		.name = "kr920",
		.first_hz = 922100000,
		.step_hz = 200000,
		.narrow_max_dr = 5,
		.rx1_highest = 5,
		.default_channels = 3,
		.channels = 16,
		.max_dr = 5,
		.usual_dr = 5,
		.rx2_freq_hz = 921900000,
		.min_hz = 920900000,
		.max_hz = 923300000,
		.max_rx1_offset = 5,
		.max_eirp_dbm = 14,
		.max_power_index = 7,
		.rates = {SIX_RATES},
		.bands = {{920900000, 923300000, 1000}},
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
	if (plan->step_hz == 0)
		return plan->default_hz[channel];
	return channel < 64 ? plan->first_hz + plan->step_hz * channel
			    : plan->wide_first_hz + 1600000u * (channel - 64u);
}

void sim_plan_default_rates(const struct sim_plan *plan, uint8_t channel, uint8_t *min_dr, uint8_t *max_dr)
{
	bool wide = plan->fixed && channel >= 64;
	*min_dr = wide ? plan->wide_dr : 0;
	*max_dr = wide ? plan->wide_dr : plan->narrow_max_dr;
}

uint8_t sim_plan_rx1_dr(const struct sim_plan *plan, uint8_t uplink_dr, uint8_t offset, bool dwell)
{
	int steps = plan->rx1_faster && offset > 5 ? 5 - offset : offset;
	int lowest = dwell && !plan->fixed && plan->tx_param_setup ? 2 : plan->rx1_lowest;
	int dr = plan->rx1_base + uplink_dr - steps;
	dr = dr < lowest ? lowest : dr > plan->rx1_highest ? plan->rx1_highest : dr;
	/* Where a rate between is not defined (DR6 of IN865), the one below. */
	if (dr < 7 && plan->rates[dr].spreading_factor == 0)
		dr--;
	return (uint8_t)dr;
}

uint8_t sim_plan_max_payload(const struct sim_plan *plan, uint8_t dr, bool dwell)
{
	return dwell ? plan->rates[dr].max_dwell_payload : plan->rates[dr].max_mac_payload;
}

uint8_t sim_plan_min_dr(const struct sim_plan *plan, bool dwell)
{
	uint8_t dr = plan->min_dr;
	while (dr < plan->max_dr && sim_plan_max_payload(plan, dr, dwell) == 0)
		dr++;
	return dr;
}

uint32_t sim_plan_rx1_freq_hz(const struct sim_plan *plan, uint8_t channel, uint32_t uplink_freq_hz)
{
	return plan->fixed ? 923300000u + 600000u * (channel % 8u) : uplink_freq_hz;
}

bool sim_plan_has_rate(const struct sim_plan *plan, uint8_t dr, bool up)
{
	if (dr >= SIM_RATES_MAX ||
	    (plan->rates[dr].spreading_factor == 0 && plan->rates[dr].bit_rate_bps == 0))
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

int64_t sim_rate_airtime_us(const struct sim_rate *rate, size_t length, bool crc)
{
	return rate->spreading_factor == 0
		       ? sim_airtime_fsk_us(rate->bit_rate_bps, length)
		       : sim_airtime_us(rate->spreading_factor, rate->bandwidth_hz, length, crc);
}

int64_t sim_rate_patience_us(const struct sim_rate *rate)
{
	if (rate->spreading_factor == 0)
		return INT64_C(5 * 8 * 1000000) / rate->bit_rate_bps;
	return 8 * sim_symbol_us(rate->spreading_factor, rate->bandwidth_hz);
}
