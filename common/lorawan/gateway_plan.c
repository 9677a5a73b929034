#include "common/lorawan/gateway_plan.h"

#include "common/base/check.h"

#include <string.h>

/* What cities use beside the three that every device knows. */
static const struct {
	const char *region_id, *mhz;
} usual[] = {
	{"eu868", "867.1 867.3 867.5 867.7 867.9"},
};

bool lw_gateway_mask(const struct lw_region *region, const char *channel_plan,
		     struct lw_channel_mask *channels)
{
	*channels = (struct lw_channel_mask){0};
	if (region->plan_type != LW_PLAN_FIXED)
		return true;
	struct lw_channel_plan limited;
	lw_plan_init(&limited, region);
	const char *wanted = channel_plan[0] ? channel_plan : LW_USUAL_FIXED_PLAN;
	if (!lw_mask_parse(wanted, channels))
		return false;
	if (lw_plan_limit(&limited, region, channels))
		return true;
	*channels = limited.enabled; /* a fixed plan of fewer channels: all of it */
	return channel_plan[0] == 0;
}

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
	return digits && strchr(" ,/", **at) != NULL;
}
