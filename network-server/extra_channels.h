/* Channel plans of the network on top of its regions, from the configuration: `extra_channels` for regions whose channels the
 * network adds to (common/lorawan/extra_channels.h), `channel_plans` for those whose channels it chooses among
 * (common/lorawan/gateway_plan.h). Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_EXTRA_CHANNELS_H
#define LAMPPOST_NETWORK_SERVER_EXTRA_CHANNELS_H

#include "common/base/options.h"
#include "common/lorawan/extra_channels.h"

/* Fills what a region gets: what the table says, else the usual ones of that region. False with a phrase that names entry,
 * word and reason in `problem`. */
bool ns_extra_channels_init(struct lw_extra_channels *extra, const struct option_map *table,
			    const struct lw_region *region, char *problem, size_t capacity);
/* Fills the channels that the table lets devices of a region use; none where it does not name the region. Likewise. */
bool ns_channel_plan_init(struct lw_channel_mask *channels, const struct option_map *table,
			  const struct lw_region *region, char *problem, size_t capacity);

/* Writes channels as they are read; cut if `capacity` is too small, which GW_CHANNELS_MAX is not. */
void ns_extra_channels_format(char *out, size_t capacity, const struct lw_extra_channels *extra);

/* One entry of the tables, as the rows of the configuration check them: with the file and line of the entry. */
bool ns_extra_channels_check(const char *region_id, const char *text, char expect[OPTION_EXPECT_MAX]);
bool ns_channel_plan_check(const char *region_id, const char *text, char expect[OPTION_EXPECT_MAX]);

#endif
