#include "network-server/downlink_plan.h"

#include "common/base/check.h"
#include "common/lorawan/airtime.h"

#define LATEST_LEAD (30 * US_PER_MS) /* under this nothing reaches a gateway's queue in time */

static int32_t margin_of(const struct ns_copy *copy)
{
	int16_t floor_cdb;
	if (!copy->has_snr || !lw_snr_floor_cdb(&copy->modulation, &floor_cdb))
		return 0;
	return copy->snr_cdb - floor_cdb;
}

/* Above about 5 dB the SNR says little more: the stronger signal is then the better gateway. */
static bool better(const struct ns_hearer *a, const struct ns_hearer *b)
{
	bool both_clear = a->margin_cdb > 1500 && b->margin_cdb > 1500;
	if (!both_clear && a->margin_cdb != b->margin_cdb)
		return a->margin_cdb > b->margin_cdb;
	return a->rssi_dbm > b->rssi_dbm;
}

void ns_windows_hearers(struct ns_windows *windows, const struct ns_frame *frame)
{
	windows->count = 0;
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		const struct ns_copy *copy = &frame->copies[i];
		struct ns_hearer hearer = {copy->gateway_slot, copy->gateway,  copy->ticks, copy->sent,
					   margin_of(copy),    copy->rssi_dbm, copy->board, copy->antenna};
		uint8_t at = 0;
		while (at < windows->count && windows->by[at].gateway != hearer.gateway)
			at++;
		if (at < windows->count) { /* heard twice by one gateway: its better reception */
			if (!better(&hearer, &windows->by[at]))
				continue;
			memmove(&windows->by[at], &windows->by[at + 1],
				(size_t)(windows->count - at - 1) * sizeof hearer);
			windows->count--;
		}
		for (at = 0; at < windows->count && !better(&hearer, &windows->by[at]);)
			at++;
		if (at == NS_HEARERS_KEPT)
			continue;
		if (windows->count == NS_HEARERS_KEPT)
			windows->count--;
		memmove(&windows->by[at + 1], &windows->by[at],
			(size_t)(windows->count - at) * sizeof hearer);
		windows->by[at] = hearer;
		windows->count++;
	}
}

struct mono ns_windows_start(const struct ns_windows *windows)
{
	return mono_add(windows->by[0].sent, windows->rx1_delay);
}

uint8_t ns_windows_max_payload(const struct ns_windows *windows, const struct lw_region *region)
{
	if (windows->count == 0)
		return 0;
	bool dwell = region->dwell.downlink_default;
	uint8_t rx1 = windows->has_rx1 ? lw_region_max_payload(region, windows->rx1.dr, dwell, false).m : 0;
	uint8_t rx2 = lw_region_max_payload(region, windows->rx2.dr, dwell, false).m;
	return rx1 > rx2 ? rx1 : rx2;
}

/* Class A: MHDR and MIC are 5 of the PHYPayload's bytes. */
static bool fits(const struct lw_region *region, uint8_t dr, uint8_t phy_length)
{
	return lw_region_max_payload(region, dr, region->dwell.downlink_default, false).m + 5 >= phy_length;
}

static void add(struct ns_plan *plan, const struct ns_windows *windows, uint8_t index, enum gw_window window,
		const struct lw_region *region, const struct ns_gateways *gateways, struct mono now,
		uint8_t phy_length, bool *duty)
{
	const struct ns_hearer *hearer = &windows->by[index];
	const struct lw_rx_window *rx = window == GW_RX1 ? &windows->rx1 : &windows->rx2;
	const struct lw_data_rate *rate = lw_region_data_rate(region, LW_DOWN, rx->dr);
	const struct ns_gateway *gateway = ns_gateways_at(gateways, hearer->gateway);
	if (!rate || !fits(region, rx->dr, phy_length) || gateway->link == 0 ||
	    plan->count == GW_ATTEMPTS_MAX)
		return;
	span_us delay = windows->rx1_delay + (window == GW_RX2 ? US_PER_S : 0);
	struct ns_attempt attempt = {
		.hearer = index, .window = window, .start = mono_add(hearer->sent, delay)};
	attempt.airtime_us = lw_airtime_us(&rate->modulation, LW_DOWN, phy_length);
	if (!ns_attempt_in_time(&attempt, gateway, now) ||
	    ns_gateway_is_busy(gateway, attempt.start, attempt.airtime_us))
		return;
	if (!ns_gateway_duty_fits(gateway, region, rx->freq_hz, now, attempt.start, attempt.airtime_us)) {
		*duty = true;
		return;
	}
	attempt.tx = (struct gw_tx_attempt){
		.gateway = hearer->eui,
		.window = window,
		.timing = GW_AT_TICKS,
		.ticks = gw_ticks_add(hearer->ticks, delay),
		.freq_hz = rx->freq_hz,
		.modulation = rate->modulation,
		.power_dbm = (int16_t)(lw_region_max_eirp_cdbm(region, rx->freq_hz) / 100),
		.invert_polarity = rate->modulation.kind == LW_LORA,
		.board = hearer->board,
		.antenna = hearer->antenna,
	};
	plan->attempts[plan->count++] = attempt;
}

bool ns_plan_make(struct ns_plan *plan, const struct ns_windows *windows, const struct lw_region *region,
		  const struct ns_gateways *gateways, struct mono now, uint8_t phy_length, bool *why_not_duty)
{
	*plan = (struct ns_plan){0};
	*why_not_duty = false;
	for (uint8_t i = 0; i < windows->count && windows->has_rx1; i++)
		if (ns_slab_holds(&gateways->slab, windows->by[i].gateway))
			add(plan, windows, i, GW_RX1, region, gateways, now, phy_length, why_not_duty);
	for (uint8_t i = 0; i < windows->count; i++)
		if (ns_slab_holds(&gateways->slab, windows->by[i].gateway))
			add(plan, windows, i, GW_RX2, region, gateways, now, phy_length, why_not_duty);
	return plan->count > 0;
}

/* The lead is what the gateway usually needs; when that has passed already, a later window is the better bet. */
bool ns_attempt_in_time(const struct ns_attempt *attempt, const struct ns_gateway *gateway, struct mono now)
{
	span_us left = mono_since(attempt->start, now);
	span_us lead = ns_gateway_lead(gateway) - NS_LEAD_EXTRA;
	return left >= (lead > LATEST_LEAD ? lead : LATEST_LEAD);
}

int ns_plan_next(const struct ns_plan *plan, uint8_t failed, enum gw_tx_result result,
		 const struct ns_windows *windows, const struct ns_gateways *gateways, struct mono now)
{
	const struct ns_attempt *last = &plan->attempts[failed];
	bool other_gateway = result != GW_TX_TOO_LATE && result != GW_TX_TOO_EARLY &&
			     result != GW_TX_COLLISION_PACKET && result != GW_TX_COLLISION_BEACON;
	bool later = result == GW_TX_TOO_LATE;
	for (uint8_t i = 0; i < plan->count; i++) {
		const struct ns_attempt *attempt = &plan->attempts[i];
		bool same_gateway = attempt->hearer == last->hearer;
		if (attempt->spent || i == failed || (other_gateway && same_gateway) ||
		    (later && attempt->window == GW_RX1) || (same_gateway && attempt->window == last->window))
			continue;
		uint32_t slot = windows->by[attempt->hearer].gateway;
		if (!ns_slab_holds(&gateways->slab, slot))
			continue;
		const struct ns_gateway *gateway = ns_gateways_at(gateways, slot);
		if (gateway->link != 0 && ns_attempt_in_time(attempt, gateway, now))
			return i;
	}
	return -1;
}
