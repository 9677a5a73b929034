#include "common/lorawan/region.h"

#include "common/base/check.h"

/* --- names, as the YAML spells them --- */

const char *lw_plan_type_name(enum lw_plan_type type)
{
	static const char *const names[] = {"dynamic", "fixed"};
	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "unknown";
}

const char *lw_region_status_name(enum lw_region_status status)
{
	static const char *const names[] = {"active", "legacy", "deprecated", "not_lora_alliance"};
	return (size_t)status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

const char *lw_rx1_rule_name(enum lw_rx1_rule rule)
{
	static const char *const names[] = {"same_frequency", "modulo", "same_index"};
	return (size_t)rule < ARRAY_SIZE(names) ? names[rule] : "unknown";
}

const char *lw_mask_action_name(enum lw_mask_action action)
{
	static const char *const names[] = {
		"rfu",
		"mask16",
		"all_defined_on",
		"all_on",
		"all_off",
		"all_125khz_on_mask_500khz",
		"all_125khz_off_mask_500khz",
		"bank_mask",
	};
	return (size_t)action < ARRAY_SIZE(names) ? names[action] : "unknown";
}

const char *lw_hop_method_name(enum lw_hop_method method)
{
	static const char *const names[] = {"fixed", "hopping", "fixed_by_join_channel",
					    "hopping_by_join_channel"};
	return (size_t)method < ARRAY_SIZE(names) ? names[method] : "unknown";
}

/* --- data rates --- */

const struct lw_data_rate *lw_region_data_rate(const struct lw_region *region, enum lw_direction direction,
					       uint8_t dr)
{
	ASSERT(direction == LW_UP || direction == LW_DOWN);
	if (dr >= LW_DATA_RATES || !region->data_rates[direction][dr].defined)
		return NULL;
	return &region->data_rates[direction][dr];
}

/* Widths are rounded differently by everyone (812 or 812.5 kHz, 137 or 136.719 kHz): equal within 1 %. */
static bool same_width(uint32_t a, uint32_t b)
{
	uint32_t difference = a > b ? a - b : b - a;
	return difference <= b / 100;
}

/* Reads "2/3": one digit, a slash, one digit. */
static bool parse_fraction(const char *text, unsigned *above, unsigned *below)
{
	if (text[0] < '1' || text[0] > '9' || text[1] != '/' || text[2] < '1' || text[2] > '9')
		return false;
	*above = (unsigned)(text[0] - '0');
	*below = (unsigned)(text[2] - '0');
	return true;
}

/* "4/6" is the same rate as "2/3". */
static bool same_fraction(const char *a, const char *b)
{
	unsigned a_above, a_below, b_above, b_below;
	return parse_fraction(a, &a_above, &a_below) && parse_fraction(b, &b_above, &b_below) &&
	       a_above * b_below == b_above * a_below;
}

static bool same_modulation(const struct lw_modulation *heard, const struct lw_modulation *row)
{
	if (heard->kind != row->kind)
		return false;
	switch (heard->kind) {
	case LW_LORA:
		return heard->spreading_factor == row->spreading_factor &&
		       same_width(heard->bandwidth_hz, row->bandwidth_hz);
	case LW_FSK: return heard->bit_rate_bps == row->bit_rate_bps;
	case LW_LR_FHSS:
		return same_width(heard->bandwidth_hz, row->bandwidth_hz) &&
		       same_fraction(heard->code_rate, row->code_rate);
	}
	return false;
}

bool lw_region_find_dr(const struct lw_region *region, enum lw_direction direction,
		       const struct lw_modulation *modulation, uint8_t *dr)
{
	for (uint8_t i = 0; i < LW_DATA_RATES; i++) {
		const struct lw_data_rate *row = lw_region_data_rate(region, direction, i);
		if (row && same_modulation(modulation, &row->modulation)) {
			*dr = i;
			return true;
		}
	}
	return false;
}

bool lw_region_uplink_dr(const struct lw_region *region, const struct lw_modulation *modulation, uint8_t *dr)
{
	return lw_region_find_dr(region, LW_UP, modulation, dr);
}

bool lw_snr_floor_cdb(const struct lw_modulation *modulation, int16_t *floor_cdb)
{
	if (modulation->kind != LW_LORA || modulation->spreading_factor < 5 ||
	    modulation->spreading_factor > 12)
		return false;
	*floor_cdb = (int16_t)(-250 * (modulation->spreading_factor - 4));
	return true;
}

struct lw_max_payload lw_region_max_payload(const struct lw_region *region, uint8_t dr, bool dwell,
					    bool repeater)
{
	if (dr >= LW_DATA_RATES)
		return (struct lw_max_payload){0};
	bool table = dwell && region->has_payload_table[repeater][1];
	return region->max_payloads[repeater][table][dr];
}

uint8_t lw_region_longest_downlink(const struct lw_region *region)
{
	uint8_t longest = 0;
	for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++) {
		uint8_t n = lw_region_data_rate(region, LW_DOWN, dr)
				    ? lw_region_max_payload(region, dr, false, false).n
				    : 0;
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* --- channels and frequencies --- */

static bool near(uint32_t a, uint32_t b)
{
	return (a > b ? a - b : b - a) <= LW_FREQ_TOLERANCE_HZ;
}

int lw_region_uplink_channel(const struct lw_region *region, uint32_t freq_hz)
{
	for (int i = 0; i < region->uplink_channel_count; i++)
		if (near(region->uplink_channels[i].freq_hz, freq_hz))
			return i;
	return -1;
}

bool lw_region_freq_ok(const struct lw_region *region, enum lw_direction direction, uint32_t freq_hz)
{
	for (size_t i = 0; i < region->freq_range_count; i++) {
		const struct lw_freq_range *range = &region->freq_ranges[i];
		if (!(direction == LW_UP ? range->uplink : range->downlink))
			continue;
		if (freq_hz < range->min_hz || freq_hz > range->max_hz)
			continue;
		if (range->grid_step_hz == 0)
			return true;
		if (freq_hz >= range->grid_first_hz &&
		    (freq_hz - range->grid_first_hz) % range->grid_step_hz == 0)
			return true;
	}
	return false;
}

int lw_region_sub_band(const struct lw_region *region, uint32_t freq_hz)
{
	int narrowest = -1;
	uint32_t width = UINT32_MAX;
	for (int i = 0; i < region->sub_band_count; i++) {
		const struct lw_sub_band *band = &region->sub_bands[i];
		if (freq_hz >= band->min_hz && freq_hz <= band->max_hz &&
		    band->max_hz - band->min_hz < width) {
			width = band->max_hz - band->min_hz;
			narrowest = i;
		}
	}
	return narrowest;
}

int16_t lw_region_max_eirp_cdbm(const struct lw_region *region, uint32_t freq_hz)
{
	int band = lw_region_sub_band(region, freq_hz);
	return band >= 0 ? region->sub_bands[band].max_eirp_cdbm : region->default_max_eirp_cdbm;
}

bool lw_region_tx_power_cdbm(const struct lw_region *region, uint8_t index, int16_t max_eirp_cdbm,
			     int16_t *eirp_cdbm)
{
	if (index >= LW_TX_POWERS || !region->tx_powers[index].defined)
		return false;
	*eirp_cdbm = (int16_t)(max_eirp_cdbm + region->tx_powers[index].offset_cdb);
	return true;
}

bool lw_region_freq_code(const struct lw_region *region, uint32_t freq_hz, uint32_t *code)
{
	if (freq_hz % region->freq_step_hz != 0 || freq_hz / region->freq_step_hz > 0xffffff)
		return false;
	*code = freq_hz / region->freq_step_hz;
	return true;
}

uint32_t lw_region_freq_from_code(const struct lw_region *region, uint32_t code)
{
	return (code & 0xffffff) * region->freq_step_hz;
}

/* --- receive windows --- */

bool lw_region_rx1_freq(const struct lw_region *region, uint8_t channel, uint32_t freq_hz,
			uint32_t *rx1_freq_hz)
{
	uint32_t answer = 0;
	switch (region->rx1_rule) {
	case LW_RX1_SAME_FREQUENCY: answer = freq_hz; break;
	case LW_RX1_MODULO:
		if (region->rx1_modulo != 0 && channel % region->rx1_modulo < region->downlink_channel_count)
			answer = region->downlink_channels[channel % region->rx1_modulo].freq_hz;
		break;
	case LW_RX1_SAME_INDEX:
		if (channel < region->downlink_channel_count)
			answer = region->downlink_channels[channel].freq_hz;
		break;
	}
	if (answer == 0)
		return false;
	*rx1_freq_hz = answer;
	return true;
}

bool lw_region_rx1_dr(const struct lw_region *region, uint8_t uplink_dr, uint8_t offset, bool downlink_dwell,
		      uint8_t *rx1_dr)
{
	if (uplink_dr >= LW_DATA_RATES || offset >= LW_RX1_OFFSETS)
		return false;
	bool table = downlink_dwell && region->has_rx1_table[1];
	uint8_t dr = region->rx1_drs[table][uplink_dr][offset];
	if (!lw_region_data_rate(region, LW_DOWN, dr))
		return false;
	*rx1_dr = dr;
	return true;
}

const struct lw_join_channel *lw_region_join_channel(const struct lw_region *region, uint32_t freq_hz)
{
	for (size_t i = 0; i < region->join_channel_count; i++)
		if (near(region->join_channels[i].freq_hz, freq_hz))
			return &region->join_channels[i];
	return NULL;
}

bool lw_region_join_windows(const struct lw_region *region, uint32_t freq_hz, uint8_t uplink_dr,
			    struct lw_rx_window *rx1, struct lw_rx_window *rx2)
{
	const struct lw_join_channel *join = lw_region_join_channel(region, freq_hz);
	*rx2 = region->rx2;
	struct lw_rx_window first;
	if (join) {
		rx2->freq_hz = join->rx2_freq_hz;
		first.freq_hz = join->rx1_freq_hz;
	} else {
		int channel = lw_region_uplink_channel(region, freq_hz);
		if (channel < 0)
			return false;
		uint32_t exact_hz = region->uplink_channels[channel].freq_hz;
		if (!lw_region_rx1_freq(region, (uint8_t)channel, exact_hz, &first.freq_hz))
			return false;
	}
	if (!lw_region_rx1_dr(region, uplink_dr, 0, region->dwell.downlink_default, &first.dr))
		return false;
	*rx1 = first;
	return true;
}

/* --- class B --- */

/* `step` is what moves the hop: the period's number, plus the address for ping slots. */
static uint32_t hop_freq(const struct lw_hop *hop, uint32_t step, uint8_t join_channel)
{
	ASSERT(hop->freq_count > 0);
	uint32_t first = 0;
	uint32_t span = hop->freq_count;
	bool by_join = hop->method == LW_HOP_FIXED_BY_JOIN_CHANNEL ||
		       hop->method == LW_HOP_HOPPING_BY_JOIN_CHANNEL;
	if (by_join) {
		span = hop->channels_per_join_channel;
		if (join_channel > hop->first_join_channel)
			first = (uint32_t)(join_channel - hop->first_join_channel) * span;
	}
	bool hopping = hop->method == LW_HOP_HOPPING || hop->method == LW_HOP_HOPPING_BY_JOIN_CHANNEL;
	uint32_t index = first + (hopping ? step % span : 0);
	return hop->freqs_hz[index < hop->freq_count ? index : 0];
}

uint32_t lw_region_beacon_freq(const struct lw_region *region, uint32_t beacon_time_s, uint8_t join_channel)
{
	return hop_freq(&region->beacon.hop, beacon_time_s / region->beacon.period_s, join_channel);
}

uint32_t lw_region_ping_freq(const struct lw_region *region, struct lw_dev_addr dev_addr,
			     uint32_t beacon_time_s, uint8_t join_channel)
{
	/* The sum is not reduced to 32 bits (RP002: plain addition), hence 64 bits before the remainder. */
	uint64_t step = (uint64_t)dev_addr.value + beacon_time_s / region->beacon.period_s;
	const struct lw_hop *hop = &region->ping_slot;
	uint32_t span = hop->method == LW_HOP_HOPPING_BY_JOIN_CHANNEL ? hop->channels_per_join_channel
								      : hop->freq_count;
	return hop_freq(hop, (uint32_t)(step % span), join_channel);
}
