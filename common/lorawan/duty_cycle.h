/* Airtime of one gateway in one sub-band over a sliding hour (ETSI EN 300 220). A transmission fits when no
 * hour that touches it, back or ahead, would hold more than the budget: transmissions are planned out of
 * order, so what is reserved later counts as well.
 *
 * Memory is fixed: buckets of 30 s, and a window counts every bucket that it touches, so that the answer errs
 * by 30 s at most and always to the safe side. Times are microseconds on the caller's own line (monotonic, or
 * wall). */
#ifndef LAMPPOST_LORAWAN_DUTY_CYCLE_H
#define LAMPPOST_LORAWAN_DUTY_CYCLE_H

#include "common/base/bytes.h"
#include "common/base/units.h"

#define LW_DUTY_BUCKET_US   (30 * US_PER_S)
#define LW_DUTY_HOUR        120 /* buckets */
#define LW_DUTY_BUCKETS     136
#define LW_DUTY_AHEAD_US    (7 * 60 * US_PER_S) /* how far ahead of `now` a transmission may start */
#define LW_DUTY_NO_LIMIT    1000
#define LW_DUTY_STORED_SIZE (12 + 4 * LW_DUTY_BUCKETS)

struct lw_duty_cycle {
	int64_t newest; /* number of the newest bucket: its start divided by the bucket's length */
	uint32_t used_us[LW_DUTY_BUCKETS]; /* by bucket number modulo the count */
	uint32_t budget_us;                /* per hour */
};

enum lw_duty_verdict {
	LW_DUTY_FITS,
	LW_DUTY_SPENT,  /* an hour would hold more than its share of the budget */
	LW_DUTY_TOO_FAR /* starts further ahead than the accounting reaches, or in a forgotten past */
};
const char *lw_duty_verdict_name(enum lw_duty_verdict verdict);

/* Nothing used. `permille` 1000 or more: no limit, everything fits. */
void lw_duty_init(struct lw_duty_cycle *duty, uint16_t permille, int64_t now_us);
/* May `airtime_us` be sent at `start_us` within `percent` (1..100, by priority) of the budget? Changes
 * nothing. */
enum lw_duty_verdict lw_duty_check(const struct lw_duty_cycle *duty, int64_t now_us, int64_t start_us,
				   uint32_t airtime_us, uint8_t percent);
/* Counts a transmission, whether or not it fits: what was sent was sent. Beyond the reach it counts at its
 * edge. */
void lw_duty_use(struct lw_duty_cycle *duty, int64_t now_us, int64_t start_us, uint32_t airtime_us);
/* Takes back what the gateway refused to send. */
void lw_duty_refund(struct lw_duty_cycle *duty, int64_t start_us, uint32_t airtime_us);
/* Airtime in the hour that ends at `now_us`. */
uint32_t lw_duty_used_us(const struct lw_duty_cycle *duty, int64_t now_us);
/* Takes the whole hour as spent: for a start that does not know what went before (invariant 11). */
void lw_duty_spend(struct lw_duty_cycle *duty, int64_t now_us);

/* Writes the state relative to `now_us`; LW_DUTY_STORED_SIZE is enough. */
void lw_duty_store(const struct lw_duty_cycle *duty, int64_t now_us, struct wr *wr);
/* Reads it back on a line where it is now `now_us` and at least `elapsed_us` went by since it was stored (0
 * when that is not known, or below 0: then it counts as just sent). False, `duty` untouched, when malformed.
 * The budget stays. */
bool lw_duty_load(struct lw_duty_cycle *duty, struct rd *rd, int64_t now_us, int64_t elapsed_us);

#endif
