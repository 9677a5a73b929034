/* The channels are sorted by frequency; a radio hears a run of them. Every way to part them between two radios is tried (nine
 * runs, and the service and FSK channel on either), and the one whose channels are nearest to their radio's centre is
 * taken; one radio alone is preferred where it is enough. */
#include "common/text/gateway_radios.h"

#include "common/base/check.h"
#include "common/text/mac_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CENTRE_STEP_HZ 100000

int32_t gateway_if_limit_hz(uint32_t bandwidth_hz)
{
	switch (bandwidth_hz) {
	case 500000: return 1100000 / 2 - 500000 / 2;
	case 250000: return 1000000 / 2 - 250000 / 2;
	default: return 925000 / 2 - 125000 / 2;
	}
}

/* --- which channels ---------------------------------------------------------------------------------------------- */

/* There is one such demodulator: whoever comes second is left out, unless it is the same channel. */
static void add_service(struct gateway_radios *radios, const struct lw_channel *channel,
			const struct lw_data_rate *rate)
{
	radios->left_out += radios->has_service;
	if (!radios->has_service)
		radios->service = (struct gateway_channel){
			.freq_hz = channel->freq_hz,
			.bandwidth_hz = rate->modulation.bandwidth_hz,
			.spreading_factor = rate->modulation.spreading_factor};
	radios->has_service = true;
}

/* Takes a channel's data rates to the demodulators that hear them. */
static bool add_rates(struct gateway_radios *radios, const struct lw_region *region,
		      const struct lw_channel *channel, char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	bool multi = false;
	for (uint8_t dr = channel->min_dr; dr <= channel->max_dr && dr < LW_DATA_RATES; dr++) {
		const struct lw_data_rate *rate = lw_region_data_rate(region, LW_UP, dr);
		if (!rate || rate->modulation.kind == LW_LR_FHSS)
			continue;
		if (rate->modulation.kind == LW_FSK) {
			radios->left_out += radios->has_fsk;
			if (!radios->has_fsk)
				radios->fsk = (struct gateway_channel){
					.freq_hz = channel->freq_hz,
					.bandwidth_hz = 125000,
					.bit_rate_bps = rate->modulation.bit_rate_bps};
			radios->has_fsk = true;
		} else if (rate->modulation.bandwidth_hz == 125000) {
			multi = true;
		} else if (rate->modulation.bandwidth_hz == 250000 ||
			   rate->modulation.bandwidth_hz == 500000) {
			add_service(radios, channel, rate);
		} else {
			char text[MAC_WORDS_MAX];
			snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX,
				 "%s has channels of %u kHz, at %s: an SX1301, SX1302 or SX1303 hears 125, "
				 "250 and 500 kHz",
				 region->id, rate->modulation.bandwidth_hz / 1000,
				 mac_words_freq(text, channel->freq_hz));
			return false;
		}
	}
	for (size_t i = 0; i < radios->multi_count && i < GATEWAY_MULTI_SF; i++)
		multi = multi && radios->multi[i].freq_hz != channel->freq_hz; /* one demodulator is enough */
	if (!multi)
		return true;
	if (radios->multi_count < GATEWAY_MULTI_SF)
		radios->multi[radios->multi_count] = (struct gateway_channel){.freq_hz = channel->freq_hz,
									      .bandwidth_hz = 125000};
	radios->multi_count++;
	return true;
}

static int by_frequency(const void *a, const void *b)
{
	const struct gateway_channel *left = a, *right = b;
	return left->freq_hz < right->freq_hz ? -1 : left->freq_hz > right->freq_hz;
}

static bool collect(struct gateway_radios *radios, const struct lw_region *region,
		    const struct lw_channel_plan *plan, char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	unsigned wide = 0;
	for (unsigned i = 0; i < LW_UPLINK_CHANNELS_MAX; i++) {
		struct lw_channel channel;
		if (!lw_mask_get(&plan->enabled, (uint8_t)i) ||
		    !lw_plan_channel(plan, region, (uint8_t)i, &channel))
			continue;
		wide += channel.bandwidth_hz == 500000;
		if (!add_rates(radios, region, &channel, problem))
			return false;
	}
	if (radios->multi_count > GATEWAY_MULTI_SF || wide > 1) {
		snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX,
			 "the plan has %zu channels of 125 kHz and %u of 500 kHz; a gateway hears 8 and 1. "
			 "Name the ones "
			 "that this gateway hears in its record (channel_plan)",
			 radios->multi_count, wide);
		return false;
	}
	if (radios->multi_count == 0 && !radios->has_service && !radios->has_fsk) {
		snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX, "the plan has no channel");
		return false;
	}
	qsort(radios->multi, radios->multi_count, sizeof *radios->multi, by_frequency);
	return true;
}

/* --- which radio -------------------------------------------------------------------------------------------------- */

/* The channels of one radio: where its centre may be, and what it has to reach. */
struct band {
	int64_t least_hz, most_hz; /* of the centre */
	int64_t low_hz, high_hz;   /* of the channels */
	bool used;
};

static void reach(struct band *band, const struct gateway_channel *channel)
{
	int64_t limit = gateway_if_limit_hz(channel->bandwidth_hz), freq = channel->freq_hz;
	if (!band->used)
		*band = (struct band){freq - limit, freq + limit, freq, freq, true};
	if (freq - limit > band->least_hz)
		band->least_hz = freq - limit;
	if (freq + limit < band->most_hz)
		band->most_hz = freq + limit;
	if (freq < band->low_hz)
		band->low_hz = freq;
	if (freq > band->high_hz)
		band->high_hz = freq;
}

static int64_t centre_of(const struct band *band)
{
	int64_t middle = (band->low_hz + band->high_hz) / 2;
	int64_t centre = (middle + CENTRE_STEP_HZ / 2) / CENTRE_STEP_HZ * CENTRE_STEP_HZ;
	if (centre < band->least_hz || centre > band->most_hz)
		centre = middle < band->least_hz  ? band->least_hz
			 : middle > band->most_hz ? band->most_hz
						  : middle;
	return centre;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* One way to part the channels: which radio each is on. */
struct parting {
	size_t first; /* multi-SF channels of radio 0; the others are radio 1's */
	uint8_t service_radio, fsk_radio;
};

/* Places the channels; −1 when it cannot be, else how far the farthest is from its centre. A second radio counts as far. */
static int64_t place(struct gateway_radios *radios, struct parting parting)
{
	struct band bands[GATEWAY_RADIOS] = {{.used = false}, {.used = false}};
	int64_t farthest = 0;
	struct gateway_channel *channels[GATEWAY_MULTI_SF + 2];
	size_t count = 0;
	for (size_t i = 0; i < radios->multi_count; i++) {
		radios->multi[i].radio = i >= parting.first;
		channels[count++] = &radios->multi[i];
	}
	radios->service.radio = parting.service_radio;
	radios->fsk.radio = parting.fsk_radio;
	if (radios->has_service)
		channels[count++] = &radios->service;
	if (radios->has_fsk)
		channels[count++] = &radios->fsk;
	for (size_t i = 0; i < count; i++)
		reach(&bands[channels[i]->radio], channels[i]);
	for (size_t i = 0; i < GATEWAY_RADIOS; i++)
		if (bands[i].used && bands[i].least_hz > bands[i].most_hz)
			return -1;
	if (!bands[0].used)
		return -1; /* the radio that sends is radio 0 */
	radios->centre_hz[0] = (uint32_t)centre_of(&bands[0]);
	radios->centre_hz[1] = bands[1].used ? (uint32_t)centre_of(&bands[1]) : radios->centre_hz[0];
	for (size_t i = 0; i < count; i++) {
		int64_t centre = radios->centre_hz[channels[i]->radio];
		channels[i]->if_hz = (int32_t)(channels[i]->freq_hz - centre);
		if (distance(channels[i]->freq_hz, centre) > farthest)
			farthest = distance(channels[i]->freq_hz, centre);
	}
	return farthest + (bands[1].used ? 1000000 : 0);
}

bool gateway_radios_fit(struct gateway_radios *radios, const struct lw_region *region,
			const struct lw_channel_plan *plan, char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	memset(radios, 0, sizeof *radios);
	if (!collect(radios, region, plan, problem))
		return false;
	struct gateway_radios best;
	int64_t least = -1;
	for (size_t first = 0; first <= radios->multi_count; first++)
		for (uint8_t sides = 0; sides < 4; sides++) {
			int64_t cost = place(radios,
					     (struct parting){first, sides & 1u, (uint8_t)(sides >> 1)});
			if (cost >= 0 && (least < 0 || cost < least)) {
				least = cost;
				best = *radios;
			}
		}
	if (least >= 0) {
		*radios = best;
		return true;
	}
	char low[MAC_WORDS_MAX], high[MAC_WORDS_MAX];
	uint32_t last = radios->multi_count ? radios->multi[radios->multi_count - 1].freq_hz : 0;
	snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX,
		 "its channels from %s to %s do not fit two radios, each of which hears 0.8 MHz of centre "
		 "frequencies (0.6 "
		 "for 500 kHz channels): take channels that lie closer together",
		 mac_words_freq(low, radios->multi[0].freq_hz), mac_words_freq(high, last));
	return false;
}
