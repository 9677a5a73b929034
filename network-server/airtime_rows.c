/* Rows of airtime have no table of their own: the journal is their only home.
 *
 *	1 | EUI 8 | sub-band | time of the start | air time u32     sent
 *	2 | EUI 8 | sub-band | time of writing | lw_duty_store()    all of it again
 *	3 | as 1                                                   given back: the gateway refused
 *
 * A time is wall i64 and, where the kind has the bit 0x80 (rows of before have not), monotonic i64: a wall clock that was set
 * forward must not make an hour pass. */
#include "network-server/airtime_rows.h"

#include "common/base/check.h"

enum { AIRTIME_SENT = 1, AIRTIME_STATE = 2, AIRTIME_BACK = 3, AIRTIME_MONO = 0x80 };

static void add(struct ns *ns, enum ns_journal_kind kind, const struct wr *wr)
{
	ASSERT(wr_ok(wr));
	ns_journal_put(ns, kind, wr->start, wr_length(wr), NULL, 0);
}

static void put_head(struct wr *wr, struct now now, uint8_t kind, const struct ns_gateway *gateway, int band,
		     struct mono at)
{
	wr_u8(wr, kind | AIRTIME_MONO);
	wr_copy(wr, gateway->record.gateway.eui.bytes, 8);
	wr_u8(wr, (uint8_t)band);
	wr_u64le(wr, (uint64_t)(now.wall.us + mono_since(at, now.mono)));
	wr_u64le(wr, (uint64_t)at.us);
}

/* What went by since a row's time; below 0 while it lies ahead. The less of what the two clocks say, so that airtime counts
 * for longer rather than for less; after a start of the machine the monotonic one says nothing. */
static int64_t elapsed_since(struct now now, int64_t wall_us, bool has_mono, int64_t mono_us)
{
	int64_t by_wall = now.wall.us - wall_us, by_mono = now.mono.us - mono_us;
	bool same_start = has_mono && by_mono >= -LW_DUTY_AHEAD_US;
	return same_start && by_mono < by_wall ? by_mono : by_wall;
}

static bool limited(const struct lw_region *region, int band)
{
	return band >= 0 && band < NS_SUB_BANDS && band < region->sub_band_count &&
	       region->sub_bands[band].duty_cycle_permille < LW_DUTY_NO_LIMIT;
}

static void journal(struct ns *ns, struct now now, uint8_t kind, const struct ns_gateway *gateway,
		    uint32_t freq_hz, struct mono start, uint32_t airtime_us)
{
	const struct lw_region *region = ns_region(ns, gateway->region);
	int band = lw_region_sub_band(region, freq_hz);
	if (!limited(region, band))
		return;
	uint8_t row[32];
	struct wr wr = wr_init(row, sizeof row);
	put_head(&wr, now, kind, gateway, band, start);
	wr_u32le(&wr, airtime_us);
	add(ns, NS_JOURNAL_AIRTIME, &wr);
}

void ns_airtime_journal(struct ns *ns, struct now now, const struct ns_gateway *gateway, uint32_t freq_hz,
			struct mono start, uint32_t airtime_us)
{
	journal(ns, now, AIRTIME_SENT, gateway, freq_hz, start, airtime_us);
}

void ns_airtime_journal_back(struct ns *ns, struct now now, const struct ns_gateway *gateway,
			     uint32_t freq_hz, struct mono start, uint32_t airtime_us)
{
	journal(ns, now, AIRTIME_BACK, gateway, freq_hz, start, airtime_us);
}

void ns_airtime_rewrite(struct ns *ns, struct now now, uint32_t slot)
{
	const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	const struct lw_region *region = ns_region(ns, gateway->region);
	for (int band = 0; band < NS_SUB_BANDS; band++) {
		if (!(gateway->duty_ready >> band & 1) || !limited(region, band) ||
		    lw_duty_used_us(&gateway->duty[band], now.mono.us + LW_DUTY_AHEAD_US) == 0)
			continue;
		uint8_t row[32 + LW_DUTY_STORED_SIZE];
		struct wr wr = wr_init(row, sizeof row);
		put_head(&wr, now, AIRTIME_STATE, gateway, band, now.mono);
		lw_duty_store(&gateway->duty[band], now.mono.us, &wr);
		add(ns, NS_JOURNAL_AIRTIME, &wr);
	}
}

bool ns_airtime_replay(struct ns *ns, struct now now, const uint8_t *bytes, size_t length)
{
	struct rd rd = rd_init(bytes, length);
	uint8_t written = rd_u8(&rd), kind = (uint8_t)(written & ~AIRTIME_MONO);
	struct lw_eui64 eui;
	rd_copy(&rd, eui.bytes, 8);
	uint8_t band = rd_u8(&rd);
	int64_t wall = (int64_t)rd_u64le(&rd);
	int64_t mono = written & AIRTIME_MONO ? (int64_t)rd_u64le(&rd) : 0;
	uint32_t slot = rd_ok(&rd) ? ns_gateways_find(&ns->gateways, &eui) : NS_NO_SLOT;
	if (slot == NS_NO_SLOT)
		return rd_ok(&rd); /* the gateway has gone */
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	const struct lw_region *region = ns_region(ns, gateway->region);
	if (!limited(region, band)) /* of a region that the gateway has left since */
		return band < NS_SUB_BANDS;
	if (!(gateway->duty_ready >> band & 1))
		lw_duty_init(&gateway->duty[band], region->sub_bands[band].duty_cycle_permille, now.mono.us);
	gateway->duty_ready = (uint8_t)(gateway->duty_ready | 1u << band);
	int64_t elapsed = elapsed_since(now, wall, written & AIRTIME_MONO, mono);
	if (kind == AIRTIME_STATE)
		return lw_duty_load(&gateway->duty[band], &rd, now.mono.us, elapsed);
	uint32_t airtime_us = rd_u32le(&rd);
	if (!rd_ok(&rd))
		return false;
	/* Below 0: it was planned for later than now, and counts when it is on the air; or the clock went back, then it counts
	 * for longer than it has to. */
	if (kind == AIRTIME_BACK)
		lw_duty_refund(&gateway->duty[band], now.mono.us - elapsed, airtime_us);
	else if (elapsed < LW_DUTY_HOUR * LW_DUTY_BUCKET_US)
		lw_duty_use(&gateway->duty[band], now.mono.us, now.mono.us - elapsed, airtime_us);
	return true;
}
