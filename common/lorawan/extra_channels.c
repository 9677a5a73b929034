#include "common/lorawan/extra_channels.h"

#include "common/base/check.h"
#include "common/lorawan/gateway_plan.h"

#include <string.h>

#define BLANKS " ,"

const char *lw_extra_verdict_name(enum lw_extra_verdict verdict)
{
	static const char *const names[LW_EXTRA_VERDICTS] = {
		[LW_EXTRA_TAKEN] = "taken",
		[LW_EXTRA_SPELLING] = ("expected frequencies in MHz with blanks between, as in 867.1, "
				       "867.3/869.1 (downlinks elsewhere) or 868.8@0-6 (data rates)"),
		[LW_EXTRA_FIXED_PLAN] = "the region's channels are fixed: channel_plans chooses among them",
		[LW_EXTRA_TOO_MANY] = "more channels than devices of the region keep",
		[LW_EXTRA_FREQUENCY] = "a frequency that the region does not have",
		[LW_EXTRA_STEP] = "finer than the steps in which devices are told frequencies",
		[LW_EXTRA_GAP] = "reaches out of the region's sub-bands, where nobody may send",
		[LW_EXTRA_DOWNLINK] = "a downlink frequency that the region does not have",
		[LW_EXTRA_DOWNLINK_GAP] =
			"downlinks reach out of the region's sub-bands, where nobody may send",
		[LW_EXTRA_DATA_RATE] = "a data rate that the region's uplinks do not have",
		[LW_EXTRA_SAME] = "a frequency that another channel has at the same data rate",
		[LW_EXTRA_OVERLAP] = "overlaps another channel",
	};
	return (size_t)verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

/* --- one word --- */

static bool take_dr(const char **at, uint8_t *dr)
{
	unsigned value = 0, digits = 0;
	for (; **at >= '0' && **at <= '9' && digits < 2; (*at)++, digits++)
		value = value * 10 + (unsigned)(**at - '0');
	*dr = (uint8_t)value;
	return digits > 0 && value < LW_DATA_RATES;
}

static bool ends(char c)
{
	return c == '\0' || strchr(BLANKS, c) != NULL;
}

/* Moves past the word. */
static bool spelled(const char **at, struct lw_extra_channel *channel)
{
	if (!lw_mhz_take(at, &channel->freq_hz))
		return false;
	if (**at == '/') {
		(*at)++;
		if (!lw_mhz_take(at, &channel->rx1_freq_hz) || channel->rx1_freq_hz == 0)
			return false;
	}
	if (**at == '@') {
		(*at)++;
		if (!take_dr(at, &channel->min_dr))
			return false;
		channel->max_dr = channel->min_dr;
		if (**at == '-') {
			(*at)++;
			if (!take_dr(at, &channel->max_dr) || channel->max_dr < channel->min_dr)
				return false;
		}
	}
	return ends(**at);
}

/* --- what the region says to it --- */

/* What one channel of the region's own is wide. */
static uint32_t usual_width_hz(const struct lw_region *region)
{
	return region->uplink_channels[0].bandwidth_hz;
}

/* What the widest of its rates needs. */
static uint32_t width_hz(const struct lw_region *region, const struct lw_extra_channel *channel)
{
	uint32_t width = usual_width_hz(region);
	for (uint8_t dr = channel->min_dr; dr <= channel->max_dr; dr++) {
		const struct lw_data_rate *rate = lw_region_data_rate(region, LW_UP, dr);
		if (rate && rate->modulation.bandwidth_hz > width)
			width = rate->modulation.bandwidth_hz;
	}
	return width;
}

/* Outside the sub-bands nobody may send; devices refuse such a channel. A region's only sub-band says nothing of what is
 * beside it: there the countries' rules count. */
static bool out_of_bands(const struct lw_region *region, uint32_t freq_hz)
{
	return region->sub_band_count > 1 && lw_region_sub_band(region, freq_hz) < 0;
}

/* A range with a grid lists centres, and so do its sub-bands. */
static bool lists_centres(const struct lw_region *region)
{
	bool grid = false;
	for (size_t i = 0; i < region->freq_range_count; i++)
		grid |= region->freq_ranges[i].grid_step_hz != 0;
	return grid;
}

static bool reaches_out(const struct lw_region *region, uint32_t freq_hz, uint32_t width)
{
	uint32_t half = lists_centres(region) ? 0 : width / 2;
	return out_of_bands(region, freq_hz - half) || out_of_bands(region, freq_hz) ||
	       out_of_bands(region, freq_hz + half);
}

static bool rates_ok(const struct lw_region *region, const struct lw_extra_channel *channel)
{
	for (uint8_t dr = channel->min_dr; dr <= channel->max_dr; dr++)
		if (!lw_region_data_rate(region, LW_UP, dr))
			return false;
	return true;
}

static enum lw_extra_verdict beside(const struct lw_region *region, uint32_t other_hz, uint8_t min_dr,
				    uint8_t max_dr, const struct lw_extra_channel *channel)
{
	uint32_t apart = other_hz > channel->freq_hz ? other_hz - channel->freq_hz
						     : channel->freq_hz - other_hz;
	if (apart == 0)
		return min_dr <= channel->max_dr && channel->min_dr <= max_dr ? LW_EXTRA_SAME
									      : LW_EXTRA_TAKEN;
	return apart < usual_width_hz(region) ? LW_EXTRA_OVERLAP : LW_EXTRA_TAKEN;
}

static enum lw_extra_verdict beside_others(const struct lw_extra_channels *extra,
					   const struct lw_region *region,
					   const struct lw_extra_channel *channel)
{
	enum lw_extra_verdict verdict = LW_EXTRA_TAKEN;
	for (uint8_t i = 0; i < region->uplink_channel_count && verdict == LW_EXTRA_TAKEN; i++)
		verdict = beside(region, region->uplink_channels[i].freq_hz,
				 region->uplink_channels[i].min_dr, region->uplink_channels[i].max_dr,
				 channel);
	for (uint8_t i = 0; i < extra->count && verdict == LW_EXTRA_TAKEN; i++)
		verdict = beside(region, extra->at[i].freq_hz, extra->at[i].min_dr, extra->at[i].max_dr,
				 channel);
	return verdict;
}

static enum lw_extra_verdict judge(const struct lw_extra_channels *extra, const struct lw_region *region,
				   const struct lw_extra_channel *channel)
{
	uint32_t width = width_hz(region, channel), code;
	if (!lw_region_freq_ok(region, LW_UP, channel->freq_hz))
		return LW_EXTRA_FREQUENCY;
	if (!lw_region_freq_code(region, channel->freq_hz, &code) ||
	    !lw_region_freq_code(region, channel->rx1_freq_hz, &code))
		return LW_EXTRA_STEP;
	if (channel->rx1_freq_hz != 0 &&
	    (!region->has_dl_channel_req || !lw_region_freq_ok(region, LW_DOWN, channel->rx1_freq_hz)))
		return LW_EXTRA_DOWNLINK;
	if (!rates_ok(region, channel))
		return LW_EXTRA_DATA_RATE;
	if (reaches_out(region, channel->freq_hz, width))
		return LW_EXTRA_GAP;
	if (channel->rx1_freq_hz != 0 && reaches_out(region, channel->rx1_freq_hz, width))
		return LW_EXTRA_DOWNLINK_GAP;
	return beside_others(extra, region, channel);
}

enum lw_extra_verdict lw_extra_channels_read(struct lw_extra_channels *extra, const struct lw_region *region,
					     const char *text, const char **word, size_t *length)
{
	*extra = (struct lw_extra_channels){.count = 0};
	for (const char *at = text + strspn(text, BLANKS); *at; at += strspn(at, BLANKS)) {
		*word = at;
		*length = strcspn(at, BLANKS);
		struct lw_extra_channel channel = {.min_dr = region->cflist.min_dr,
						   .max_dr = region->cflist.max_dr};
		if (region->plan_type != LW_PLAN_DYNAMIC || region->cflist.type != 0)
			return LW_EXTRA_FIXED_PLAN;
		if (!spelled(&at, &channel))
			return LW_EXTRA_SPELLING;
		enum lw_extra_verdict verdict = judge(extra, region, &channel);
		if (verdict != LW_EXTRA_TAKEN)
			return verdict;
		if (extra->count + region->uplink_channel_count >= region->max_uplink_channels ||
		    extra->count + region->uplink_channel_count >= LW_PLAN_DYNAMIC_MAX)
			return LW_EXTRA_TOO_MANY;
		extra->at[extra->count++] = channel;
	}
	return LW_EXTRA_TAKEN;
}

void lw_extra_channels_add(const struct lw_extra_channels *extra, const struct lw_region *region,
			   struct lw_channel_plan *plan)
{
	for (uint8_t i = 0; i < extra->count; i++) {
		struct lw_new_channel channel = {.index = (uint8_t)(region->uplink_channel_count + i),
						 .freq_hz = extra->at[i].freq_hz,
						 .min_dr = extra->at[i].min_dr,
						 .max_dr = extra->at[i].max_dr};
		ASSERT(lw_plan_apply_new_channel(plan, region, &channel) ==
		       (LW_NEW_CHANNEL_FREQ_OK | LW_NEW_CHANNEL_DR_OK));
		if (extra->at[i].rx1_freq_hz != 0)
			ASSERT(lw_plan_apply_dl_channel(plan, region, channel.index,
							extra->at[i].rx1_freq_hz) ==
			       (LW_DL_CHANNEL_FREQ_OK | LW_DL_CHANNEL_EXISTS));
	}
}
