/* How busy the air is around a gateway, by data rate: what it heard of any network in about the last hour, as airtime. ADR tells
 * from it which share of the losses is due to collisions, and weighs a crowded data rate as dearer than a quiet one.
 *
 * Counts alone, no identifiers. A frame that nobody could read is not counted: the air is at least as busy as said. Devices hop
 * over all channels that are enabled, so that the channels around a gateway bear alike and one number a data rate is enough.
 * Pure: the time comes in, monotonic. Of fixed size, one a gateway; not stored: after a start the air counts as quiet for ten
 * minutes, and as two thirds as busy as it is after an hour. */
#ifndef LAMPPOST_NETWORK_SERVER_ADR_ADR_LOAD_H
#define LAMPPOST_NETWORK_SERVER_ADR_ADR_LOAD_H

#include "common/base/units.h"
#include "common/lorawan/region.h"

#include <stdbool.h>
#include <stdint.h>

#define NS_ADR_LOAD_SLICE (600 * US_PER_S)
#define NS_ADR_LOAD_KEEP  6 /* slices: a slice that is over weighs 1/6, the next 5/36, and so on */
#define NS_ADR_LOAD_ALL   10000

struct ns_adr_load {
	bool begun;
	struct mono slice;                 /* since when `heard_us` counts */
	uint32_t heard_us[LW_DATA_RATES];  /* in this slice */
	uint32_t before_us[LW_DATA_RATES]; /* a slice of about the last hour */
};

/* A reception; `now` never runs back. */
void ns_adr_load_note(struct ns_adr_load *load, uint8_t dr, uint32_t airtime_us, struct mono now);
/* Fills the share of the time of one channel among `channels` that each data rate takes, in ten-thousandths. */
void ns_adr_load_share(const struct ns_adr_load *load, unsigned channels, struct mono now,
		       uint16_t busy[LW_DATA_RATES]);

#endif
