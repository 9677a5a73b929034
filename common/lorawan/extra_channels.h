/* Channels beyond a dynamic region's own, as the network's operator writes them:
 *
 *	867.1 867.3/869.1 868.8@0-6 868.3@6
 *
 * Each word is a frequency in MHz; behind a stroke that of the channel's downlinks, where RX1 is not to be on the uplink's
 * (DlChannelReq, TS001 §5.11); behind an @ the channel's data rates, lowest and highest or the only one. Without an @ they are
 * those of the region's CFList. As many as the region's devices keep beside their default ones (NewChannelReq, §5.6).
 *
 * Every channel that was read is one that a device of the region can take: frequencies of its ranges and grid, inside one
 * sub-band with their whole width, at rates that the region has, and apart from each other. Pure. */
#ifndef LAMPPOST_LORAWAN_EXTRA_CHANNELS_H
#define LAMPPOST_LORAWAN_EXTRA_CHANNELS_H

#include "common/lorawan/channel_plan.h"

struct lw_extra_channel {
	uint32_t freq_hz;
	uint32_t rx1_freq_hz; /* 0: the uplink's */
	uint8_t min_dr;
	uint8_t max_dr;
};

struct lw_extra_channels {
	struct lw_extra_channel at[LW_PLAN_DYNAMIC_MAX];
	uint8_t count;
};

/* Why a word is refused. */
enum lw_extra_verdict {
	LW_EXTRA_TAKEN,
	LW_EXTRA_SPELLING,
	LW_EXTRA_FIXED_PLAN, /* the region's channels are enumerated */
	LW_EXTRA_TOO_MANY,   /* devices of the region keep no more */
	LW_EXTRA_FREQUENCY,  /* in none of the region's ranges, or off their grid */
	LW_EXTRA_STEP,       /* no whole number of the steps that MAC commands count in */
	LW_EXTRA_GAP,        /* it reaches out of the sub-bands, where nobody may send */
	LW_EXTRA_DOWNLINK,   /* of the downlink: as LW_EXTRA_FREQUENCY, or the region has no DlChannelReq */
	LW_EXTRA_DOWNLINK_GAP,
	LW_EXTRA_DATA_RATE, /* a rate that uplinks of the region do not have */
	LW_EXTRA_SAME,      /* another channel has the frequency and one of the rates */
	LW_EXTRA_OVERLAP,   /* nearer to another channel than a channel is wide */
	LW_EXTRA_VERDICTS
};
/* "a frequency that the region does not have" and the like. */
const char *lw_extra_verdict_name(enum lw_extra_verdict verdict);

/* Fills the channels of `text`. Otherwise returns why not, `extra` unspecified, and `*word` and `*length` lend the word. */
enum lw_extra_verdict lw_extra_channels_read(struct lw_extra_channels *extra, const struct lw_region *region,
					     const char *text, const char **word, size_t *length);
/* Adds them to a plan, behind the region's default channels, in their order. */
void lw_extra_channels_add(const struct lw_extra_channels *extra, const struct lw_region *region,
			   struct lw_channel_plan *plan);

#endif
