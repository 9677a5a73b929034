/* The regional parameters of a device that was built by an older revision of them (RP001, RP002): what differs from the region's
 * sheet, one row a change. The sheets are RP002-1.0.4; a device of an older revision is served by a copy of the sheet
 * over which the rows of its revision were laid.
 *
 * Only what shows on devices has a row: regulation of gateways does not depend on what a device was built by.
 * docs/versions.md shows the rows and what was left out. */
#ifndef LAMPPOST_LORAWAN_REVISION_H
#define LAMPPOST_LORAWAN_REVISION_H

#include "common/lorawan/region.h"

enum lw_change {
	LW_CHANGE_NO_PLAN,        /* the plan does not exist yet */
	LW_CHANGE_NO_RATES,       /* `number`: bit a data rate that is not defined */
	LW_CHANGE_US915_RATES,    /* rates, RX1 table and payloads that us915 has */
	LW_CHANGE_POWERS,         /* `values`: all TXPower, dB below the highest; the rest is reserved */
	LW_CHANGE_PAYLOADS,       /* `values`: M by data rate without a dwell limit; 0 as it was */
	LW_CHANGE_REPEATER_SIZES, /* payloads are those behind a repeater */
	LW_CHANGE_RX1_MOST,       /* `number`: no RX1 data rate above it */
	LW_CHANGE_RX1_PLAIN,      /* RX1 data rate is the uplink's less the offset, at least 0 */
	LW_CHANGE_RX1_OFFSETS,    /* `number`: highest RX1DROffset */
	LW_CHANGE_NO_CFLIST,
	LW_CHANGE_NO_MASK_BANKS, /* ChMaskCntl 5 is reserved */
	LW_CHANGE_NO_TX_PARAM,   /* no TxParamSetupReq and no dwell limit */
	LW_CHANGE_COUNT
};

struct lw_revision_row {
	const char *plan;                /* region id, or how several begin: "as923-" */
	enum lw_regional_revision since; /* the first and the last that have it so */
	enum lw_regional_revision until;
	enum lw_change change;
	uint16_t number;
	uint8_t value_count;
	uint8_t values[LW_TX_POWERS];
	const char *meaning; /* a sentence */
};

/* Lends all rows. */
const struct lw_revision_row *lw_revision_rows(size_t *count);

/* Whether the revision knows the plan at all. */
bool lw_region_exists_in(const struct lw_region *region, enum lw_regional_revision revision);
/* Whether any row changes the sheet. */
bool lw_region_differs_in(const struct lw_region *region, enum lw_regional_revision revision);
/* Makes the sheet that `region` is a copy of that of the revision. */
void lw_region_revise(struct lw_region *region, enum lw_regional_revision revision);

#endif
