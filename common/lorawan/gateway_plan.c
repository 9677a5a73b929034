#include "common/lorawan/gateway_plan.h"

#include "common/base/check.h"

#include <string.h>

/* What cities use beside the three that every device knows. */
static const struct {
	const char *region_id, *mhz;
} usual[] = {
	{"eu868", "867.1 867.3 867.5 867.7 867.9"},
};

#define SUB_BAND_CHANNELS 8
#define FIRST_WIDE        64

/* --- lists of channels --- */

/* Behind "sub-band" or "sub-bands" and a blank; NULL for other texts. */
static const char *behind_sub_bands(const char *text)
{
	static const char word[] = "sub-band";
	if (strncmp(text, word, sizeof word - 1) != 0)
		return NULL;
	text += sizeof word - 1;
	text += *text == 's';
	return *text == ' ' ? text + 1 : NULL;
}

static void add_sub_band(const struct lw_region *region, uint8_t sub_band, struct lw_channel_mask *channels)
{
	uint8_t first = (uint8_t)((sub_band - 1) * SUB_BAND_CHANNELS),
		wide = (uint8_t)(FIRST_WIDE + sub_band - 1);
	for (uint8_t i = 0; i < SUB_BAND_CHANNELS; i++)
		lw_mask_set(channels, (uint8_t)(first + i), true);
	if (wide < region->uplink_channel_count &&
	    region->uplink_channels[wide].bandwidth_hz > region->uplink_channels[first].bandwidth_hz)
		lw_mask_set(channels, wide, true);
}

/* Channels of the width of the first one come in eights. */
static bool has_sub_band(const struct lw_region *region, uint8_t sub_band)
{
	unsigned last = sub_band * SUB_BAND_CHANNELS - 1u;
	return sub_band > 0 && last < region->uplink_channel_count &&
	       region->uplink_channels[last].bandwidth_hz == region->uplink_channels[0].bandwidth_hz;
}

bool lw_channels_parse(const struct lw_region *region, const char *text, struct lw_channel_mask *channels)
{
	const char *list = behind_sub_bands(text);
	struct lw_channel_mask parsed, limited = {0};
	struct lw_channel_plan plan;
	if (region->plan_type != LW_PLAN_FIXED || !lw_mask_parse(list ? list : text, &parsed))
		return false;
	for (uint8_t i = 0; list && i < LW_UPLINK_CHANNELS_MAX; i++) {
		if (!lw_mask_get(&parsed, i))
			continue;
		if (i > LW_UPLINK_CHANNELS_MAX / SUB_BAND_CHANNELS || !has_sub_band(region, i))
			return false;
		add_sub_band(region, i, &limited);
	}
	lw_plan_init(&plan, region);
	if (!lw_plan_limit(&plan, region, list ? &limited : &parsed))
		return false;
	*channels = plan.enabled;
	return true;
}

struct text {
	char *at;
	size_t left;
};

static void put(struct text *text, char c)
{
	if (text->left < 2)
		return;
	*text->at++ = c;
	text->left--;
}

static void put_index(struct text *text, unsigned index)
{
	if (index >= 10)
		put(text, (char)('0' + index / 10));
	put(text, (char)('0' + index % 10));
}

const char *lw_channels_format(char *out, size_t capacity, const struct lw_channel_mask *channels)
{
	struct text text = {out, capacity};
	for (unsigned first = 0, last; first < LW_UPLINK_CHANNELS_MAX; first = last + 1) {
		last = first;
		if (!lw_mask_get(channels, (uint8_t)first))
			continue;
		while (last + 1 < LW_UPLINK_CHANNELS_MAX && lw_mask_get(channels, (uint8_t)(last + 1)))
			last++;
		if (text.at != out)
			put(&text, ',');
		put_index(&text, first);
		if (last == first)
			continue;
		put(&text, '-');
		put_index(&text, last);
	}
	*text.at = '\0';
	return out;
}

bool lw_gateway_mask(const struct lw_region *region, const char *channel_plan,
		     const struct lw_channel_mask *network, struct lw_channel_mask *channels)
{
	*channels = (struct lw_channel_mask){0};
	if (region->plan_type != LW_PLAN_FIXED)
		return true;
	if (channel_plan[0])
		return lw_channels_parse(region, channel_plan, channels);
	if (network && lw_mask_count(network) > 0) {
		*channels = *network;
	} else if (!lw_channels_parse(region, LW_USUAL_FIXED_PLAN, channels)) {
		struct lw_channel_plan all; /* a fixed plan of fewer channels: all of it */
		lw_plan_init(&all, region);
		*channels = all.enabled;
	}
	return true;
}

/* --- frequencies --- */

const char *lw_usual_extra_channels(const char *region_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (strcmp(usual[i].region_id, region_id) == 0)
			return usual[i].mhz;
	return "";
}

bool lw_mhz_take(const char **at, uint32_t *freq_hz)
{
	uint64_t hz = 0, unit = 1000000;
	bool digits = false, point = false;
	for (; (**at >= '0' && **at <= '9') || (**at == '.' && !point); (*at)++) {
		if (**at == '.') {
			point = true;
			continue;
		}
		if (point)
			unit /= 10;
		hz = point ? hz + (uint64_t)(**at - '0') * unit : hz * 10 + (uint64_t)(**at - '0') * unit;
		digits = true;
		if (hz > UINT32_MAX || unit == 0)
			return false;
	}
	*freq_hz = (uint32_t)hz;
	return digits && strchr(" ,/@", **at) != NULL;
}
