/* The plan itself, CFList, NewChannelReq and DlChannelReq; channel_mask.c has masks and LinkADRReq. */
#include "common/lorawan/channel_plan.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

#define CFLIST_CHANNELS 5

void lw_plan_init(struct lw_channel_plan *plan, const struct lw_region *region)
{
	memset(plan, 0, sizeof *plan);
	for (uint8_t i = 0; i < region->uplink_channel_count; i++) {
		lw_mask_set(&plan->enabled, i, true);
		if (region->plan_type == LW_PLAN_FIXED)
			continue;
		const struct lw_channel *channel = &region->uplink_channels[i];
		ASSERT_CMP(i, <, LW_PLAN_DYNAMIC_MAX);
		plan->freq_hz[i] = channel->freq_hz;
		plan->dr_range[i] = (uint8_t)(channel->max_dr << 4 | channel->min_dr);
	}
}

bool lw_plan_channel(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index,
		     struct lw_channel *channel)
{
	if (index >= region->max_uplink_channels)
		return false;
	if (region->plan_type == LW_PLAN_FIXED) {
		if (index >= region->uplink_channel_count)
			return false;
		*channel = region->uplink_channels[index];
		return true;
	}
	if (index >= LW_PLAN_DYNAMIC_MAX || plan->freq_hz[index] == 0)
		return false;
	*channel = (struct lw_channel){
		.freq_hz = plan->freq_hz[index],
		.bandwidth_hz = region->uplink_channels[0].bandwidth_hz,
		.min_dr = plan->dr_range[index] & 15,
		.max_dr = plan->dr_range[index] >> 4,
	};
	return true;
}

bool lw_plan_limit(struct lw_channel_plan *plan, const struct lw_region *region,
		   const struct lw_channel_mask *mask)
{
	struct lw_channel channel;
	if (lw_mask_count(mask) == 0)
		return false;
	for (uint8_t i = 0; i < LW_UPLINK_CHANNELS_MAX; i++)
		if (lw_mask_get(mask, i) && !lw_plan_channel(plan, region, i, &channel))
			return false;
	plan->enabled = *mask;
	return true;
}

int lw_plan_find_channel(const struct lw_channel_plan *plan, const struct lw_region *region, uint32_t freq_hz,
			 uint8_t dr, uint8_t from)
{
	for (uint8_t i = from; i < region->max_uplink_channels; i++) {
		struct lw_channel channel;
		if (!lw_plan_channel(plan, region, i, &channel) || dr < channel.min_dr || dr > channel.max_dr)
			continue;
		uint32_t off_hz = freq_hz > channel.freq_hz ? freq_hz - channel.freq_hz
							    : channel.freq_hz - freq_hz;
		if (off_hz <= LW_FREQ_TOLERANCE_HZ)
			return i;
	}
	return -1;
}

bool lw_plan_rx1_freq(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index,
		      uint32_t *rx1_freq_hz)
{
	struct lw_channel channel;
	if (!lw_plan_channel(plan, region, index, &channel))
		return false;
	if (region->plan_type == LW_PLAN_DYNAMIC && plan->rx1_freq_hz[index] != 0) {
		*rx1_freq_hz = plan->rx1_freq_hz[index];
		return true;
	}
	return lw_region_rx1_freq(region, index, channel.freq_hz, rx1_freq_hz);
}

bool lw_plan_dr_usable(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t dr)
{
	if (!lw_region_data_rate(region, LW_UP, dr))
		return false;
	for (uint8_t i = 0; i < region->max_uplink_channels; i++) {
		struct lw_channel channel;
		if (lw_mask_get(&plan->enabled, i) && lw_plan_channel(plan, region, i, &channel) &&
		    dr >= channel.min_dr && dr <= channel.max_dr)
			return true;
	}
	return false;
}

/* --- CFList (TS001 §6.2.3, RP002 per region) --- */

static uint8_t cflist_dr_range(const struct lw_region *region)
{
	return (uint8_t)(region->cflist.max_dr << 4 | region->cflist.min_dr);
}

/* Five frequencies; the rates are implied, so a channel with others is left to NewChannelReq. */
static bool build_frequencies(const struct lw_channel_plan *wanted, const struct lw_region *region,
			      struct wr *wr)
{
	bool any = false;
	for (size_t i = 0; i < CFLIST_CHANNELS; i++) {
		size_t index = region->cflist.first_channel + i;
		uint32_t code = 0;
		bool fits = i < region->cflist.channel_count && index < LW_PLAN_DYNAMIC_MAX &&
			    wanted->freq_hz[index] != 0 &&
			    wanted->dr_range[index] == cflist_dr_range(region) &&
			    lw_region_freq_code(region, wanted->freq_hz[index], &code);
		wr_u24le(wr, fits ? code : 0);
		any = any || fits;
	}
	return any;
}

static bool build_masks(const struct lw_channel_plan *wanted, const struct lw_region *region, struct wr *wr)
{
	for (size_t i = 0; i < region->cflist.mask_count; i++)
		wr_u16le(wr, wanted->enabled.words[i]);
	wr_zeros(wr, LW_CFLIST_SIZE - 1 - 2U * region->cflist.mask_count);
	return region->cflist.mask_count > 0 &&
	       lw_mask_count(&wanted->enabled) < region->uplink_channel_count;
}

bool lw_cflist_build(const struct lw_channel_plan *wanted, const struct lw_region *region,
		     uint8_t cflist[LW_CFLIST_SIZE])
{
	uint8_t built[LW_CFLIST_SIZE];
	struct wr wr = wr_init(built, sizeof built);
	bool needed = region->cflist.type == 0 ? build_frequencies(wanted, region, &wr)
					       : build_masks(wanted, region, &wr);
	wr_u8(&wr, region->cflist.type);
	ASSERT(wr_ok(&wr) && wr_length(&wr) == sizeof built);
	if (needed)
		memcpy(cflist, built, sizeof built);
	return needed;
}

static bool apply_frequencies(struct lw_channel_plan *plan, const struct lw_region *region, struct rd *rd)
{
	for (size_t i = 0; i < CFLIST_CHANNELS; i++) {
		uint32_t freq_hz = lw_region_freq_from_code(region, rd_u24le(rd));
		size_t index = region->cflist.first_channel + i;
		if (freq_hz == 0)
			continue;
		if (i >= region->cflist.channel_count || index >= LW_PLAN_DYNAMIC_MAX ||
		    !lw_region_freq_ok(region, LW_UP, freq_hz))
			return false;
		plan->freq_hz[index] = freq_hz;
		plan->rx1_freq_hz[index] = 0;
		plan->dr_range[index] = cflist_dr_range(region);
		lw_mask_set(&plan->enabled, (uint8_t)index, true);
	}
	return true;
}

static bool apply_masks(struct lw_channel_plan *plan, const struct lw_region *region, struct rd *rd)
{
	struct lw_channel_mask mask = {0};
	for (size_t i = 0; i < region->cflist.mask_count; i++)
		mask.words[i] = rd_u16le(rd);
	return lw_plan_limit(plan, region, &mask);
}

bool lw_cflist_apply(struct lw_channel_plan *plan, const struct lw_region *region,
		     const uint8_t cflist[LW_CFLIST_SIZE])
{
	if (cflist[LW_CFLIST_SIZE - 1] != region->cflist.type)
		return false;
	struct lw_channel_plan changed = *plan;
	struct rd rd = rd_init(cflist, LW_CFLIST_SIZE - 1);
	bool legal = region->cflist.type == 0 ? apply_frequencies(&changed, region, &rd)
					      : apply_masks(&changed, region, &rd);
	if (legal && rd_ok(&rd))
		*plan = changed;
	return legal && rd_ok(&rd);
}

/* --- NewChannelReq, DlChannelReq (TS001 §5.6, §5.11) --- */

static bool dr_range_ok(const struct lw_region *region, uint8_t min_dr, uint8_t max_dr)
{
	if (min_dr > max_dr)
		return false;
	for (uint8_t dr = min_dr; dr <= max_dr; dr++)
		if (!lw_region_data_rate(region, LW_UP, dr))
			return false;
	return true;
}

uint8_t lw_plan_apply_new_channel(struct lw_channel_plan *plan, const struct lw_region *region,
				  const struct lw_new_channel *channel)
{
	uint8_t index = channel->index;
	/* Default channels cannot be changed; a fixed plan does not know the command. */
	if (!region->has_new_channel_req || region->plan_type != LW_PLAN_DYNAMIC ||
	    index < region->uplink_channel_count || index >= region->max_uplink_channels)
		return 0;
	bool removes = channel->freq_hz == 0;
	uint8_t answer = 0;
	if (removes || lw_region_freq_ok(region, LW_UP, channel->freq_hz))
		answer |= LW_NEW_CHANNEL_FREQ_OK;
	if (removes || dr_range_ok(region, channel->min_dr, channel->max_dr))
		answer |= LW_NEW_CHANNEL_DR_OK;
	if (answer != (LW_NEW_CHANNEL_FREQ_OK | LW_NEW_CHANNEL_DR_OK))
		return answer;
	plan->freq_hz[index] = channel->freq_hz;
	plan->rx1_freq_hz[index] = 0; /* a new definition ends what DlChannelReq set */
	plan->dr_range[index] = (uint8_t)(removes ? 0 : channel->max_dr << 4 | channel->min_dr);
	lw_mask_set(&plan->enabled, index, !removes);
	return answer;
}

uint8_t lw_plan_apply_dl_channel(struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index,
				 uint32_t freq_hz)
{
	struct lw_channel channel;
	if (!region->has_dl_channel_req || region->plan_type != LW_PLAN_DYNAMIC)
		return 0;
	uint8_t answer = 0;
	if (lw_region_freq_ok(region, LW_DOWN, freq_hz))
		answer |= LW_DL_CHANNEL_FREQ_OK;
	if (lw_plan_channel(plan, region, index, &channel))
		answer |= LW_DL_CHANNEL_EXISTS;
	if (answer == (LW_DL_CHANNEL_FREQ_OK | LW_DL_CHANNEL_EXISTS))
		plan->rx1_freq_hz[index] = freq_hz;
	return answer;
}

size_t lw_plan_new_channels(const struct lw_channel_plan *device, const struct lw_channel_plan *wanted,
			    const struct lw_region *region, struct lw_new_channel *channels, size_t max)
{
	size_t count = 0;
	if (region->plan_type != LW_PLAN_DYNAMIC || !region->has_new_channel_req)
		return 0;
	for (uint8_t i = region->uplink_channel_count; i < region->max_uplink_channels && count < max; i++) {
		if (device->freq_hz[i] == wanted->freq_hz[i] &&
		    (wanted->freq_hz[i] == 0 || device->dr_range[i] == wanted->dr_range[i]))
			continue;
		channels[count++] = (struct lw_new_channel){
			.index = i,
			.freq_hz = wanted->freq_hz[i],
			.min_dr = wanted->dr_range[i] & 15,
			.max_dr = wanted->dr_range[i] >> 4,
		};
	}
	return count;
}
