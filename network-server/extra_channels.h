/* Channels beyond a dynamic region's own that devices get with their join-accept (RP002 §2, CFList type 0), from the
 * configuration's `extra_channels`: frequencies in MHz, and behind a stroke that of the channel's downlinks where RX1 is not
 * to be on the uplink's ("867.1 867.3/869.1": DlChannelReq). Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_EXTRA_CHANNELS_H
#define LAMPPOST_NETWORK_SERVER_EXTRA_CHANNELS_H

#include "common/base/options.h"
#include "common/lorawan/channel_plan.h"

#define NS_EXTRA_CHANNELS 5 /* a CFList holds no more */

struct ns_extra_channels {
	uint32_t freq_hz[NS_EXTRA_CHANNELS];
	uint32_t rx1_freq_hz[NS_EXTRA_CHANNELS]; /* 0: the uplink's */
	uint8_t count;
};

/* Fills what a region gets: what the table says, else the usual ones of that region. False with a phrase that names the
 * entry in `problem`: no frequency of the region, one between its sub-bands, one twice, too many, or a region of fixed
 * channels. */
bool ns_extra_channels_init(struct ns_extra_channels *extra, const struct option_map *table,
			    const struct lw_region *region, char *problem, size_t capacity);
/* Adds them to the plan of a device. */
void ns_extra_channels_add(const struct ns_extra_channels *extra, const struct lw_region *region,
			   struct lw_channel_plan *plan);

#endif
