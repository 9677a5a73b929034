#include "network-server/extra_channels.h"

#include "common/base/check.h"
#include "common/lorawan/gateway_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *find(const struct option_map *table, const char *region_id)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->entries[i].label, region_id) == 0)
			return table->entries[i].value;
	return lw_usual_extra_channels(region_id);
}

/* The second half of "867.3/869.1". Moves past it. */
static bool read_downlink_mhz(const char **at, uint32_t *freq_hz)
{
	*freq_hz = 0;
	if (**at != '/')
		return true;
	(*at)++;
	return lw_mhz_take(at, freq_hz) && **at != '/';
}

/* In a gap between two sub-bands nobody may send; devices refuse such a channel. A region's only sub-band says nothing of
 * what is beside it: there the countries' rules count. */
static bool in_a_gap(const struct lw_region *region, uint32_t freq_hz)
{
	bool below = false, above = false;
	for (uint8_t i = 0; i < region->sub_band_count; i++) {
		below |= region->sub_bands[i].max_hz < freq_hz;
		above |= region->sub_bands[i].min_hz > freq_hz;
	}
	return below && above && lw_region_sub_band(region, freq_hz) < 0;
}

static bool is_there(const struct ns_extra_channels *extra, const struct lw_region *region, uint32_t freq_hz)
{
	struct lw_channel_plan own;
	struct lw_channel channel;
	lw_plan_init(&own, region);
	for (uint8_t i = 0; i < LW_UPLINK_CHANNELS_MAX; i++)
		if (lw_plan_channel(&own, region, i, &channel) && channel.freq_hz == freq_hz)
			return true;
	for (uint8_t i = 0; i < extra->count; i++)
		if (extra->freq_hz[i] == freq_hz)
			return true;
	return false;
}

bool ns_extra_channels_init(struct ns_extra_channels *extra, const struct option_map *table,
			    const struct lw_region *region, char *problem, size_t capacity)
{
	*extra = (struct ns_extra_channels){.count = 0};
	const char *at = find(table, region->id);
	for (at += strspn(at, " ,"); *at; at += strspn(at, " ,")) {
		uint32_t freq_hz, rx1_freq_hz;
		const char *why = NULL;
		if (!lw_mhz_take(&at, &freq_hz) || !read_downlink_mhz(&at, &rx1_freq_hz))
			why = "expected frequencies in MHz with blanks between";
		else if (region->plan_type != LW_PLAN_DYNAMIC || region->cflist.type != 0)
			why = "the region's channels are fixed";
		else if (!lw_region_freq_ok(region, LW_UP, freq_hz))
			why = "a frequency that the region does not have";
		else if (rx1_freq_hz != 0 &&
			 (!region->has_dl_channel_req || !lw_region_freq_ok(region, LW_DOWN, rx1_freq_hz)))
			why = "a downlink frequency that the region does not have";
		else if (in_a_gap(region, freq_hz) || (rx1_freq_hz != 0 && in_a_gap(region, rx1_freq_hz)))
			why = "a frequency between the region's sub-bands";
		else if (is_there(extra, region, freq_hz))
			why = "a frequency that another channel has";
		else if (extra->count == NS_EXTRA_CHANNELS || extra->count == region->cflist.channel_count)
			why = "at most five frequencies";
		if (why) {
			snprintf(problem, capacity, "extra_channels.%s: %s", region->id, why);
			return false;
		}
		extra->rx1_freq_hz[extra->count] = rx1_freq_hz;
		extra->freq_hz[extra->count++] = freq_hz;
	}
	return true;
}

void ns_extra_channels_add(const struct ns_extra_channels *extra, const struct lw_region *region,
			   struct lw_channel_plan *plan)
{
	for (uint8_t i = 0; i < extra->count; i++) {
		struct lw_new_channel channel = {.index = (uint8_t)(region->cflist.first_channel + i),
						 .freq_hz = extra->freq_hz[i],
						 .min_dr = region->cflist.min_dr,
						 .max_dr = region->cflist.max_dr};
		ASSERT(lw_plan_apply_new_channel(plan, region, &channel) ==
		       (LW_NEW_CHANNEL_FREQ_OK | LW_NEW_CHANNEL_DR_OK));
		if (extra->rx1_freq_hz[i] != 0)
			ASSERT(lw_plan_apply_dl_channel(plan, region, channel.index, extra->rx1_freq_hz[i]) ==
			       (LW_DL_CHANNEL_FREQ_OK | LW_DL_CHANNEL_EXISTS));
	}
}
