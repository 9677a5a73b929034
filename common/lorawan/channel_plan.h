/* The uplink channels of one device, or of the network's wish for it, on top of a region: which are defined,
 * which are enabled, where RX1 follows, and the way between two plans in CFList, LinkADRReq, NewChannelReq
 * and DlChannelReq (TS001 §5.3, §5.6, §5.11; RP002 per region).
 *
 * A fixed plan only masks: its channels stay in the region. A dynamic plan has up to 16 channels of its own
 * here, of which the region's default ones come first and cannot be changed. 156 bytes, no pointers, so it
 * can be stored. */
#ifndef LAMPPOST_LORAWAN_CHANNEL_PLAN_H
#define LAMPPOST_LORAWAN_CHANNEL_PLAN_H

#include "common/lorawan/region.h"

#define LW_PLAN_DYNAMIC_MAX  16
#define LW_MASK_WORDS        (LW_UPLINK_CHANNELS_MAX / 16)
#define LW_CFLIST_SIZE       16
#define LW_MASK_COMMANDS_MAX 8 /* no plan needs more LinkADRReq in a block */

/* Bit i of word w is channel 16w + i. */
struct lw_channel_mask {
	uint16_t words[LW_MASK_WORDS];
};

struct lw_channel_plan {
	struct lw_channel_mask enabled;
	uint32_t freq_hz[LW_PLAN_DYNAMIC_MAX];     /* dynamic plans; 0: not defined */
	uint32_t rx1_freq_hz[LW_PLAN_DYNAMIC_MAX]; /* 0: the region's rule, else set by DlChannelReq */
	uint8_t dr_range[LW_PLAN_DYNAMIC_MAX];     /* highest << 4 | lowest */
};

/* The channel part of one LinkADRReq. */
struct lw_mask_command {
	uint8_t cntl; /* ChMaskCntl */
	uint16_t mask;
};

/* The fields of one NewChannelReq; freq_hz 0 removes the channel. */
struct lw_new_channel {
	uint8_t index;
	uint32_t freq_hz;
	uint8_t min_dr;
	uint8_t max_dr;
};

/* What a device would answer to a block of masks. */
enum lw_mask_verdict {
	LW_MASK_APPLIED,
	LW_MASK_CNTL_RFU,          /* a ChMaskCntl that the region does not define, or RFU bits set */
	LW_MASK_UNDEFINED_CHANNEL, /* enables a channel that the device does not know */
	LW_MASK_NOTHING_ENABLED    /* would leave the device without a channel */
};
const char *lw_mask_verdict_name(enum lw_mask_verdict verdict);

/* --- masks --- */

bool lw_mask_get(const struct lw_channel_mask *mask, uint8_t channel);
void lw_mask_set(struct lw_channel_mask *mask, uint8_t channel, bool on);
unsigned lw_mask_count(const struct lw_channel_mask *mask);
bool lw_mask_equal(const struct lw_channel_mask *a, const struct lw_channel_mask *b);
/* Parses "8-15,65". False on anything else, an index of 96 or more, or an empty list; `mask` untouched then.
 */
bool lw_mask_parse(const char *text, struct lw_channel_mask *mask);

/* --- a plan --- */

/* What a device has after a reset or before a join: default channels, or all of a fixed plan, enabled. */
void lw_plan_init(struct lw_channel_plan *plan, const struct lw_region *region);
/* The network's wish for a fixed plan. False when it holds a channel that the region lacks, or none. */
bool lw_plan_limit(struct lw_channel_plan *plan, const struct lw_region *region,
		   const struct lw_channel_mask *mask);
/* The definition of a channel. False when it is not defined. */
bool lw_plan_channel(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index,
		     struct lw_channel *channel);
/* Index of the next channel at or after `from` that an uplink can have used: frequency within
 * LW_FREQ_TOLERANCE_HZ and rate in range; −1 at the end. Two channels may share a frequency (1.1: try each
 * for TxCh). Enabled or not. */
int lw_plan_find_channel(const struct lw_channel_plan *plan, const struct lw_region *region, uint32_t freq_hz,
			 uint8_t dr, uint8_t from);
/* RX1 frequency for an uplink on a channel: what DlChannelReq set, else the region's rule. */
bool lw_plan_rx1_freq(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t channel,
		      uint32_t *rx1_freq_hz);
/* Whether an enabled channel carries this uplink data rate. */
bool lw_plan_dr_usable(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t dr);

/* --- join accept --- */

/* Builds the CFList that brings a fresh device nearest to `wanted`. False when there is nothing to say (no
 * channel beyond the defaults, no mask narrower than all); `cflist` untouched then. */
bool lw_cflist_build(const struct lw_channel_plan *wanted, const struct lw_region *region,
		     uint8_t cflist[LW_CFLIST_SIZE]);
/* What a device does with it. False, plan untouched, when the type is not the region's or a value is not
 * legal. */
bool lw_cflist_apply(struct lw_channel_plan *plan, const struct lw_region *region,
		     const uint8_t cflist[LW_CFLIST_SIZE]);

/* --- LinkADRReq --- */

/* Fills the fewest mask commands that take a device from `device` to the enabled channels of `wanted` (at
 * least one, since a LinkADRReq always carries a mask). With `device` NULL its state is not known and every
 * channel is stated. A sequence that does not depend on the device's state is preferred at equal length:
 * US915 with one sub-band gives ChMaskCntl 7 with the 500 kHz mask, then the bank. ChMaskCntl 5 is never sent
 * (devices disagree about it). Wanted channels that `device` does not define are left off: add them with
 * NewChannelReq first. Returns the count. */
size_t lw_plan_mask_commands(const struct lw_channel_plan *device, const struct lw_channel_plan *wanted,
			     const struct lw_region *region,
			     struct lw_mask_command commands[LW_MASK_COMMANDS_MAX]);
/* Applies a contiguous block as one atom: all of it or nothing (TS001-1.0.4 §5.3). */
enum lw_mask_verdict lw_plan_apply_masks(struct lw_channel_plan *plan, const struct lw_region *region,
					 const struct lw_mask_command *commands, size_t count);

/* --- NewChannelReq, DlChannelReq --- */

#define LW_NEW_CHANNEL_FREQ_OK 1 /* bits of NewChannelAns */
#define LW_NEW_CHANNEL_DR_OK   2
#define LW_DL_CHANNEL_FREQ_OK  1 /* bits of DlChannelAns */
#define LW_DL_CHANNEL_EXISTS   2

/* Returns the answer's bits; the change (channel defined and enabled, or removed) is made only when both are
 * set. */
uint8_t lw_plan_apply_new_channel(struct lw_channel_plan *plan, const struct lw_region *region,
				  const struct lw_new_channel *channel);
uint8_t lw_plan_apply_dl_channel(struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index,
				 uint32_t freq_hz);
/* Fills the NewChannelReq that make `device` define what `wanted` defines, at most `max`; returns how many.
 */
size_t lw_plan_new_channels(const struct lw_channel_plan *device, const struct lw_channel_plan *wanted,
			    const struct lw_region *region, struct lw_new_channel *channels, size_t max);

#endif
