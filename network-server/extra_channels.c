#include "network-server/extra_channels.h"

#include "common/lorawan/gateway_plan.h"
#include "common/text/region_yaml.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 40 /* characters of a word */

/* NULL: not named. */
static const char *find(const struct option_map *table, const char *region_id)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->entries[i].label, region_id) == 0)
			return table->entries[i].value;
	return NULL;
}

static bool read_extra(struct lw_extra_channels *extra, const struct lw_region *region, const char *text,
		       char *problem, size_t capacity)
{
	const char *word;
	size_t length;
	enum lw_extra_verdict verdict = lw_extra_channels_read(extra, region, text, &word, &length);
	if (verdict == LW_EXTRA_TAKEN)
		return true;
	snprintf(problem, capacity, "%.*s: %s", (int)(length < SHOWN ? length : SHOWN), word,
		 lw_extra_verdict_name(verdict));
	return false;
}

static bool read_plan(struct lw_channel_mask *channels, const struct lw_region *region, const char *text,
		      char *problem, size_t capacity)
{
	if (lw_channels_parse(region, text, channels))
		return true;
	snprintf(problem, capacity, "%s",
		 region->plan_type == LW_PLAN_FIXED
			 ? "expected channels that the region has, as in 8-15,65, or sub-bands, as in "
			   "sub-bands 1-2"
			 : "the network adds to the region's channels: extra_channels names them");
	return false;
}

bool ns_extra_channels_init(struct lw_extra_channels *extra, const struct option_map *table,
			    const struct lw_region *region, char *problem, size_t capacity)
{
	char why[OPTION_EXPECT_MAX];
	const char *text = find(table, region->id);
	if (read_extra(extra, region, text ? text : lw_usual_extra_channels(region->id), why, sizeof why))
		return true;
	snprintf(problem, capacity, "extra_channels.%s: %s", region->id, why);
	return false;
}

static void format_mhz(char *out, size_t capacity, uint32_t freq_hz)
{
	snprintf(out, capacity, "%u.%06u", freq_hz / 1000000u, freq_hz % 1000000u);
	for (size_t length = strlen(out); length > 1 && out[length - 1] == '0' && out[length - 2] != '.';)
		out[--length] = 0;
}

void ns_extra_channels_format(char *out, size_t capacity, const struct lw_extra_channels *extra)
{
	size_t at = 0;
	out[0] = 0;
	for (size_t i = 0; i < extra->count && at < capacity; i++) {
		const struct lw_extra_channel *channel = &extra->at[i];
		char up[16], down[17] = "";
		format_mhz(up, sizeof up, channel->freq_hz);
		if (channel->rx1_freq_hz) {
			down[0] = '/';
			format_mhz(down + 1, sizeof down - 1, channel->rx1_freq_hz);
		}
		at += (size_t)snprintf(out + at, capacity - at, "%s%s%s@%u-%u", i ? " " : "", up, down,
				       channel->min_dr, channel->max_dr);
	}
}

bool ns_channel_plan_init(struct lw_channel_mask *channels, const struct option_map *table,
			  const struct lw_region *region, char *problem, size_t capacity)
{
	char why[OPTION_EXPECT_MAX];
	const char *text = find(table, region->id);
	*channels = (struct lw_channel_mask){0};
	if (!text || read_plan(channels, region, text, why, sizeof why))
		return true;
	snprintf(problem, capacity, "channel_plans.%s: %s", region->id, why);
	return false;
}

static bool load(struct lw_region *region, const char *region_id, char expect[OPTION_EXPECT_MAX])
{
	if (region_load(region, region_id))
		return true;
	snprintf(expect, OPTION_EXPECT_MAX, "there is no region %.*s", SHOWN, region_id);
	return false;
}

bool ns_extra_channels_check(const char *region_id, const char *text, char expect[OPTION_EXPECT_MAX])
{
	struct lw_region region;
	struct lw_extra_channels extra;
	return load(&region, region_id, expect) &&
	       read_extra(&extra, &region, text, expect, OPTION_EXPECT_MAX);
}

bool ns_channel_plan_check(const char *region_id, const char *text, char expect[OPTION_EXPECT_MAX])
{
	struct lw_region region;
	struct lw_channel_mask channels;
	return load(&region, region_id, expect) &&
	       read_plan(&channels, &region, text, expect, OPTION_EXPECT_MAX);
}
