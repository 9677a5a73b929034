/* What is wrong with a frame. The rules are looked at in the order of the enum, the first one broken is the
 * verdict: length of MHDR, proprietary, Major, direction, lengths, FOpts, MIC. */
#ifndef LAMPPOST_LORAWAN_VERDICT_H
#define LAMPPOST_LORAWAN_VERDICT_H

enum lw_verdict {
	LW_OK = 0,
	LW_TOO_SHORT,         /* nothing at all, or a data frame under 12 bytes */
	LW_PROPRIETARY_FRAME, /* well formed, and none of the MAC's business */
	LW_UNSUPPORTED_MAJOR, /* Major is not 0 */
	LW_WRONG_DIRECTION,   /* a downlink's type received as an uplink, or the other way around */
	LW_OTHER_TYPE,        /* not of the type that the called parser reads */
	LW_UNKNOWN_REJOIN_TYPE,
	LW_BAD_LENGTH,        /* a join frame of any wrong length, or more than 255 bytes */
	LW_FOPTS_OVERRUN,     /* FOptsLen says more than there is */
	LW_FOPTS_WITH_FPORT0, /* MAC commands in two places */
	LW_BAD_MIC,
	LW_VERDICT_COUNT
};

/* "ok", "too_short", "proprietary", "unsupported_major", ... */
const char *lw_verdict_name(enum lw_verdict verdict);

#endif
