/* Which uplink channels a gateway is to hear: those that its record names in a fixed plan, and in a dynamic one the region's
 * own with those that the network adds. One place for the network server, which judges by it, and for the command line,
 * which writes gateways' configurations from it. Pure. */
#ifndef LAMPPOST_LORAWAN_GATEWAY_PLAN_H
#define LAMPPOST_LORAWAN_GATEWAY_PLAN_H

#include "common/lorawan/channel_plan.h"

/* What a gateway of a fixed plan hears when its record says nothing; a plan of fewer channels: all of it. */
#define LW_USUAL_FIXED_PLAN "8-15,65"

/* Fills the channels of a record's `channel_plan` ("8-15,65"; "" is the usual one); none for a dynamic region. False: not
 * such a list, or not of this region. */
bool lw_gateway_mask(const struct lw_region *region, const char *channel_plan,
		     struct lw_channel_mask *channels);

/* Lends the channels beyond a region's own that cities use where nobody says otherwise, as "867.1 867.3"; "" for none. */
const char *lw_usual_extra_channels(const char *region_id);

/* Reads "867.1" (to the Hz) up to a blank, a comma, a stroke or the end, and moves past it. */
bool lw_mhz_take(const char **at, uint32_t *freq_hz);

#endif
