/* Buckets by number modulo the ring's size. `newest` only grows; the ring then holds newest − 135 .. newest,
 * and an hour takes 121 buckets where it is not aligned, so 14 of them (7 minutes) are left for what is
 * reserved ahead.
 *
 *	now − 1 h                 now        now + 7 min
 *	|------- 121 buckets ------|--- 14 ---|
 *	                                      newest, at most
 */
#include "common/lorawan/duty_cycle.h"

#include "common/base/check.h"

#include <string.h>

#define HOUR_US (LW_DUTY_HOUR * LW_DUTY_BUCKET_US)

const char *lw_duty_verdict_name(enum lw_duty_verdict verdict)
{
	static const char *const names[] = {"fits", "duty_cycle_spent", "too_far_ahead"};
	return (size_t)verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

static int64_t bucket_of(int64_t time_us)
{
	int64_t bucket = time_us / LW_DUTY_BUCKET_US;
	return time_us < bucket * LW_DUTY_BUCKET_US ? bucket - 1 : bucket;
}

static size_t slot_of(int64_t bucket)
{
	int64_t slot = bucket % LW_DUTY_BUCKETS;
	return (size_t)(slot < 0 ? slot + LW_DUTY_BUCKETS : slot);
}

static int64_t oldest_bucket(const struct lw_duty_cycle *duty)
{
	return duty->newest - LW_DUTY_BUCKETS + 1;
}

/* Airtime counted in a bucket; what is not in the ring is 0. */
static uint32_t used_in(const struct lw_duty_cycle *duty, int64_t bucket)
{
	if (bucket > duty->newest || bucket < oldest_bucket(duty))
		return 0;
	return duty->used_us[slot_of(bucket)];
}

/* Moves the ring on so that it holds `bucket`. */
static void reach(struct lw_duty_cycle *duty, int64_t bucket)
{
	if (bucket - duty->newest >= LW_DUTY_BUCKETS) {
		memset(duty->used_us, 0, sizeof duty->used_us);
		duty->newest = bucket;
	}
	while (duty->newest < bucket)
		duty->used_us[slot_of(++duty->newest)] = 0;
}

void lw_duty_init(struct lw_duty_cycle *duty, uint16_t permille, int64_t now_us)
{
	uint32_t share = permille < LW_DUTY_NO_LIMIT ? permille : LW_DUTY_NO_LIMIT;
	*duty = (struct lw_duty_cycle){
		.newest = bucket_of(now_us),
		.budget_us = (uint32_t)(HOUR_US / 1000 * share),
	};
}

static bool unlimited(const struct lw_duty_cycle *duty)
{
	return duty->budget_us == HOUR_US;
}

enum lw_duty_verdict lw_duty_check(const struct lw_duty_cycle *duty, int64_t now_us, int64_t start_us,
				   uint32_t airtime_us, uint8_t percent)
{
	ASSERT(percent >= 1 && percent <= 100);
	if (unlimited(duty))
		return LW_DUTY_FITS;
	if (start_us > now_us + LW_DUTY_AHEAD_US || start_us < now_us - LW_DUTY_BUCKET_US)
		return LW_DUTY_TOO_FAR;
	uint64_t budget = (uint64_t)duty->budget_us * percent / 100;
	if (airtime_us > budget)
		return LW_DUTY_SPENT;
	/* Slides an hour from the one that ends with the transmission to the one that begins with it. */
	int64_t from = bucket_of(start_us + airtime_us - HOUR_US);
	int64_t last_from = bucket_of(start_us);
	uint64_t sum = airtime_us;
	for (int64_t bucket = from; bucket <= from + LW_DUTY_HOUR; bucket++)
		sum += used_in(duty, bucket);
	for (;;) {
		if (sum > budget)
			return LW_DUTY_SPENT;
		if (from == last_from)
			return LW_DUTY_FITS;
		sum -= used_in(duty, from);
		from++;
		sum += used_in(duty, from + LW_DUTY_HOUR);
	}
}

void lw_duty_use(struct lw_duty_cycle *duty, int64_t now_us, int64_t start_us, uint32_t airtime_us)
{
	/* Held within the reach, so that a wild time can push nothing out of the ring. */
	if (start_us > now_us + LW_DUTY_AHEAD_US)
		start_us = now_us + LW_DUTY_AHEAD_US;
	reach(duty, bucket_of(now_us));
	int64_t end_us = start_us + airtime_us;
	while (start_us < end_us) {
		int64_t bucket = bucket_of(start_us);
		int64_t bucket_end_us = (bucket + 1) * LW_DUTY_BUCKET_US;
		int64_t part_end_us = end_us < bucket_end_us ? end_us : bucket_end_us;
		reach(duty, bucket);
		if (bucket >= oldest_bucket(duty)) {
			uint32_t *used = &duty->used_us[slot_of(bucket)];
			uint32_t part = (uint32_t)(part_end_us - start_us);
			*used = part > UINT32_MAX - *used ? UINT32_MAX : *used + part;
		}
		start_us = part_end_us;
	}
}

void lw_duty_refund(struct lw_duty_cycle *duty, int64_t start_us, uint32_t airtime_us)
{
	int64_t end_us = start_us + airtime_us;
	while (start_us < end_us) {
		int64_t bucket = bucket_of(start_us);
		int64_t bucket_end_us = (bucket + 1) * LW_DUTY_BUCKET_US;
		int64_t part_end_us = end_us < bucket_end_us ? end_us : bucket_end_us;
		if (bucket >= oldest_bucket(duty) && bucket <= duty->newest) {
			uint32_t *used = &duty->used_us[slot_of(bucket)];
			uint32_t part = (uint32_t)(part_end_us - start_us);
			*used = part > *used ? 0 : *used - part;
		}
		start_us = part_end_us;
	}
}

uint32_t lw_duty_used_us(const struct lw_duty_cycle *duty, int64_t now_us)
{
	uint64_t sum = 0;
	for (int64_t bucket = bucket_of(now_us - HOUR_US); bucket <= bucket_of(now_us); bucket++)
		sum += used_in(duty, bucket);
	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

void lw_duty_spend(struct lw_duty_cycle *duty, int64_t now_us)
{
	reach(duty, bucket_of(now_us));
	duty->used_us[slot_of(bucket_of(now_us))] = duty->budget_us;
}

/* Stored: u64 age of the newest bucket's start (two's complement: negative when it lies ahead), u32 how many,
 * then the buckets from newest to oldest, little-endian. */
void lw_duty_store(const struct lw_duty_cycle *duty, int64_t now_us, struct wr *wr)
{
	wr_u64le(wr, (uint64_t)(now_us - duty->newest * LW_DUTY_BUCKET_US));
	wr_u32le(wr, LW_DUTY_BUCKETS);
	for (int64_t bucket = duty->newest; bucket >= oldest_bucket(duty); bucket--)
		wr_u32le(wr, used_in(duty, bucket));
}

bool lw_duty_load(struct lw_duty_cycle *duty, struct rd *rd, int64_t now_us, int64_t elapsed_us)
{
	struct lw_duty_cycle loaded = {.budget_us = duty->budget_us};
	int64_t age_us = (int64_t)rd_u64le(rd);
	uint32_t count = rd_u32le(rd);
	uint32_t used_us[LW_DUTY_BUCKETS];
	for (size_t i = 0; i < LW_DUTY_BUCKETS; i++)
		used_us[i] = rd_u32le(rd);
	/* Nothing is ahead of the reach plus the bucket that a transmission runs over into. */
	if (!rd_ok(rd) || count != LW_DUTY_BUCKETS || age_us < -(LW_DUTY_AHEAD_US + 10 * LW_DUTY_BUCKET_US))
		return false;
	if (elapsed_us < 0)
		elapsed_us = 0;
	if (age_us > HOUR_US + LW_DUTY_BUCKET_US || elapsed_us > 2 * HOUR_US) {
		lw_duty_init(&loaded, 0, now_us);
		loaded.budget_us = duty->budget_us;
		*duty = loaded;
		return true;
	}
	/* The buckets' borders fall elsewhere on the new line: rounded to the later one, the safe side. */
	loaded.newest = bucket_of(now_us - elapsed_us - age_us + LW_DUTY_BUCKET_US - 1);
	for (size_t i = 0; i < LW_DUTY_BUCKETS; i++)
		loaded.used_us[slot_of(loaded.newest - (int64_t)i)] = used_us[i];
	reach(&loaded, bucket_of(now_us));
	*duty = loaded;
	return true;
}
