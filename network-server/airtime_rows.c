/* Two kinds of rows that have no table of their own: the journal is their only home.
 *
 *	airtime   1 | EUI 8 | sub-band | wall time of the start i64 | air time u32
 *	          2 | EUI 8 | sub-band | wall time of writing i64 | lw_duty_store()
 *	queue     1 | item as ns_item_encode()        2 | DevEUI 8 | item 16
 */
#include "network-server/airtime_rows.h"

#include "common/base/check.h"

enum { AIRTIME_SENT = 1, AIRTIME_STATE = 2, QUEUE_ITEM = 1, QUEUE_GONE = 2 };

static void add(struct ns *ns, enum ns_journal_kind kind, const struct wr *wr)
{
	ASSERT(wr_ok(wr));
	ns_journal_put(ns, kind, wr->start, wr_length(wr), NULL, 0);
}

static bool limited(const struct lw_region *region, int band)
{
	return band >= 0 && band < NS_SUB_BANDS &&
	       region->sub_bands[band].duty_cycle_permille < LW_DUTY_NO_LIMIT;
}

void ns_airtime_journal(struct ns *ns, struct now now, const struct ns_gateway *gateway, uint32_t freq_hz,
			struct mono start, uint32_t airtime_us)
{
	const struct lw_region *region = ns_region(ns, gateway->region);
	int band = lw_region_sub_band(region, freq_hz);
	if (!limited(region, band))
		return;
	uint8_t row[32];
	struct wr wr = wr_init(row, sizeof row);
	wr_u8(&wr, AIRTIME_SENT);
	wr_copy(&wr, gateway->record.gateway.eui.bytes, 8);
	wr_u8(&wr, (uint8_t)band);
	wr_u64le(&wr, (uint64_t)(now.wall.us + mono_since(start, now.mono)));
	wr_u32le(&wr, airtime_us);
	add(ns, NS_JOURNAL_AIRTIME, &wr);
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
		wr_u8(&wr, AIRTIME_STATE);
		wr_copy(&wr, gateway->record.gateway.eui.bytes, 8);
		wr_u8(&wr, (uint8_t)band);
		wr_u64le(&wr, (uint64_t)now.wall.us);
		lw_duty_store(&gateway->duty[band], now.mono.us, &wr);
		add(ns, NS_JOURNAL_AIRTIME, &wr);
	}
}

bool ns_airtime_replay(struct ns *ns, struct now now, const uint8_t *bytes, size_t length)
{
	struct rd rd = rd_init(bytes, length);
	uint8_t kind = rd_u8(&rd);
	struct lw_eui64 eui;
	rd_copy(&rd, eui.bytes, 8);
	uint8_t band = rd_u8(&rd);
	int64_t wall = (int64_t)rd_u64le(&rd);
	uint32_t slot = rd_ok(&rd) ? ns_gateways_find(&ns->gateways, &eui) : NS_NO_SLOT;
	if (slot == NS_NO_SLOT)
		return rd_ok(&rd); /* the gateway has gone */
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	const struct lw_region *region = ns_region(ns, gateway->region);
	if (!limited(region, band))
		return false;
	if (!(gateway->duty_ready >> band & 1))
		lw_duty_init(&gateway->duty[band], region->sub_bands[band].duty_cycle_permille, now.mono.us);
	gateway->duty_ready = (uint8_t)(gateway->duty_ready | 1u << band);
	int64_t elapsed = now.wall.us - wall;
	if (kind == AIRTIME_STATE)
		return lw_duty_load(&gateway->duty[band], &rd, now.mono.us, elapsed);
	uint32_t airtime_us = rd_u32le(&rd);
	if (!rd_ok(&rd))
		return false;
	if (elapsed < 0)
		elapsed = 0; /* the clock went back: it counts as just sent */
	if (elapsed < LW_DUTY_HOUR * LW_DUTY_BUCKET_US)
		lw_duty_use(&gateway->duty[band], now.mono.us, now.mono.us - elapsed, airtime_us);
	return true;
}

void ns_queue_journal_item(struct ns *ns, const struct net_enqueue *enqueue)
{
	uint8_t row[1 + NS_ITEM_BYTES], item[NS_ITEM_BYTES];
	struct wr wr = wr_init(row, sizeof row);
	wr_u8(&wr, QUEUE_ITEM);
	wr_copy(&wr, item, ns_item_encode(enqueue, item));
	add(ns, NS_JOURNAL_QUEUE, &wr);
}

void ns_queue_journal_gone(struct ns *ns, const struct net_enqueue *enqueue)
{
	uint8_t row[32];
	struct wr wr = wr_init(row, sizeof row);
	wr_u8(&wr, QUEUE_GONE);
	wr_copy(&wr, enqueue->dev_eui.bytes, 8);
	wr_copy(&wr, enqueue->item.bytes, sizeof enqueue->item.bytes);
	add(ns, NS_JOURNAL_QUEUE, &wr);
}

bool ns_queue_replay(struct ns *ns, const uint8_t *bytes, size_t length)
{
	struct rd rd = rd_init(bytes, length);
	uint8_t kind = rd_u8(&rd);
	struct net_enqueue item = {0};
	if (kind == QUEUE_ITEM) {
		size_t left = rd_left(&rd);
		const uint8_t *at = rd_take(&rd, left);
		if (!at || !ns_item_decode(&item, at, left))
			return false;
	} else {
		rd_copy(&rd, item.dev_eui.bytes, 8);
		rd_copy(&rd, item.item.bytes, sizeof item.item.bytes);
		if (!rd_ok(&rd))
			return false;
	}
	uint32_t slot = ns_device_find(&ns->sessions, &item.dev_eui);
	if (slot == NS_NO_SLOT)
		return true; /* the device has gone */
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	if (kind == QUEUE_GONE) {
		(void)ns_queue_take(&ns->queue, &device->queue, &device->queued, &item.item, NULL);
		return true;
	}
	enum status status = ns_queue_add(&ns->queue, &device->queue, &device->queued, &item);
	return status == ST_OK || status == ST_EXISTS;
}
