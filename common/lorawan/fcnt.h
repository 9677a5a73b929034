/* Frame counters: 16 bits on the air, 32 in the state (TS001-1.0.4 §4.3.1.5). Counters are kept as the next
 * value expected, so that "nothing yet" is 0 and not a special case. */
#ifndef LAMPPOST_LORAWAN_FCNT_H
#define LAMPPOST_LORAWAN_FCNT_H

#include "common/lorawan/types.h"

#define LW_MAX_FCNT_GAP 16384 /* where LW_FCNT_GAP_LIMIT holds (version.h) */

enum lw_fcnt_verdict {
	LW_FCNT_NEW = 0,
	LW_FCNT_REPEAT,    /* the frame before `next`: sent again, or a late copy */
	LW_FCNT_LATE,      /* further back */
	LW_FCNT_GAP,       /* more than LW_MAX_FCNT_GAP ahead, where the version has that rule */
	LW_FCNT_EXHAUSTED, /* 0xffffffff: the session ends here */
	LW_FCNT_VERDICT_COUNT
};

/* "new", "repeat", "late", "gap", "exhausted". */
const char *lw_fcnt_verdict_name(enum lw_fcnt_verdict verdict);

/* Returns the 32-bit value with the low half `air` that is nearest to `next`; where that would be below 0,
 * the one above. Of two equally near the lower. A result below `next` is a repeat or a late frame; if its MIC
 * fails, the same plus 0x10000 is the second guess, which finds a gap of 32768 or more. */
uint32_t lw_fcnt_reconstruct(uint32_t next, uint16_t air);

/* Judges a counter whose MIC was right. The gap rule holds where the version has it. */
enum lw_fcnt_verdict lw_fcnt_judge(uint32_t next, uint32_t fcnt, enum lw_mac_version version);

#endif
