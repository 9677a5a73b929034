/* Which uplink channels a gateway is to hear: those that its record names in a fixed plan, and in a dynamic one the region's
 * own with those that the network adds. One place for the network server, which judges by it, and for the command line,
 * which writes gateways' configurations from it. Pure. */
#ifndef LAMPPOST_LORAWAN_GATEWAY_PLAN_H
#define LAMPPOST_LORAWAN_GATEWAY_PLAN_H

#include "common/lorawan/channel_plan.h"

#include <stddef.h>

/* What a gateway of a fixed plan hears when its record says nothing; a plan of fewer channels: all of it. */
#define LW_USUAL_FIXED_PLAN "8-15,65"

/* Reads a list of channels, "8-15,65", or of sub-bands, "sub-bands 1,3-4" or "sub-band 2": eight channels each and the wide
 * one among them where the region has such. False: neither, or one that the region does not have; `channels` untouched. */
bool lw_channels_parse(const struct lw_region *region, const char *text, struct lw_channel_mask *channels);
/* Writes it as a list of channels; cut if `capacity` is too small. Returns `out`. */
const char *lw_channels_format(char *out, size_t capacity, const struct lw_channel_mask *channels);

/* Fills the channels of a record's `channel_plan` (lw_channels_parse(); "": those of `network` unless it is NULL or has
 * none, else the usual ones); none for a dynamic region. False: not such a list, or not of this region. */
bool lw_gateway_mask(const struct lw_region *region, const char *channel_plan,
		     const struct lw_channel_mask *network, struct lw_channel_mask *channels);

/* Lends the channels beyond a region's own that cities use where nobody says otherwise, as "867.1 867.3"; "" for none. */
const char *lw_usual_extra_channels(const char *region_id);

/* Reads "867.1" (to the Hz) up to a blank, a comma, a stroke, an @ or the end, and moves past it. */
bool lw_mhz_take(const char **at, uint32_t *freq_hz);

#endif
