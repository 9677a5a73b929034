#include "network-server/downlink_plan.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/airtime.h"

#define LATEST_LEAD       (30 * US_PER_MS) /* under this nothing reaches a gateway's queue in time */
#define MARGIN_ENOUGH_CDB 1000
#define AIRTIME_US_A_CDB  2000 /* 0.5 dB for 100 ms */
#define RX1_CDB           300
#define LOAD_US_A_CDB     120000 /* 1 dB for 12 s */
#define LOAD_MAX_CDB      300
#define HURRY_CDB         600
#define CAPTURE_DB        6   /* by which a frame has to be the stronger one */
#define UNHEARD_CDB       200 /* less margin than it seemed, for each accept that was not heard */

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
		struct ns_hearer hearer = {.gateway = copy->gateway_slot,
					   .eui = copy->gateway,
					   .ticks = copy->ticks,
					   .sent = copy->sent,
					   .has_snr = copy->has_snr,
					   .snr_cdb = copy->snr_cdb,
					   .bandwidth_hz = copy->modulation.bandwidth_hz,
					   .margin_cdb = margin_of(copy),
					   .rssi_dbm = copy->rssi_dbm,
					   .board = copy->board,
					   .antenna = copy->antenna};
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

#define FRAME_OVERHEAD 5 /* MHDR and MIC */

/* M of the table, less where a frame of that length would break the dwell time: au915 has no such table. */
static uint8_t room_of(const struct lw_region *region, uint8_t dr, bool dwell)
{
	uint8_t m = lw_region_max_payload(region, dr, dwell, false).m;
	const struct lw_data_rate *rate = lw_region_data_rate(region, LW_DOWN, dr);
	uint32_t limit_us = region->dwell.limit_ms * (uint32_t)US_PER_MS;
	while (dwell && rate && limit_us > 0 && m > 0 &&
	       lw_airtime_us(&rate->modulation, LW_DOWN, m + FRAME_OVERHEAD) > limit_us)
		m--;
	return m;
}

uint8_t ns_windows_max_payload(const struct ns_windows *windows, const struct lw_region *region)
{
	if (windows->count == 0)
		return 0;
	uint8_t rx1 = windows->has_rx1 ? room_of(region, windows->rx1.dr, windows->dwell) : 0;
	uint8_t rx2 = room_of(region, windows->rx2.dr, windows->dwell);
	return rx1 > rx2 ? rx1 : rx2;
}

/* --- one attempt --- */

static bool fits(const struct lw_region *region, bool dwell, uint8_t dr, uint8_t phy_length,
		 uint32_t airtime_us)
{
	if (dwell && airtime_us > region->dwell.limit_ms * (uint32_t)US_PER_MS)
		return false;
	return lw_region_max_payload(region, dr, dwell, false).m + FRAME_OVERHEAD >= phy_length;
}

/* The lead is what the gateway usually needs; when that has passed already, a later window is the better bet. */
static bool in_time(const struct ns_attempt *attempt, const struct ns_gateway *gateway, struct mono now)
{
	span_us left = mono_since(attempt->start, now);
	span_us lead = ns_gateway_lead(gateway) - NS_LEAD_EXTRA;
	return left >= (lead > LATEST_LEAD ? lead : LATEST_LEAD);
}

/* Why judge() said no, in numbers. */
static struct ns_numbers numbers_of(enum ns_drop drop, const struct ns_attempt *attempt,
				    const struct ns_gateway *gateway, const struct lw_region *region,
				    struct mono now)
{
	uint16_t airtime_ms = decision_u16(attempt->airtime_us / US_PER_MS);
	uint32_t freq_hz = attempt->tx.freq_hz;
	int band = lw_region_sub_band(region, freq_hz);
	if (drop == NS_DROP_TOO_LATE)
		return (struct ns_numbers){
			(uint32_t)(int32_t)(mono_since(attempt->start, now) / US_PER_MS),
			decision_u32((ns_gateway_lead(gateway) - NS_LEAD_EXTRA) / US_PER_MS), 0};
	if (drop == NS_DROP_DUTY_CYCLE && band >= 0 && band < NS_SUB_BANDS)
		return (struct ns_numbers){
			freq_hz,
			decision_halves(lw_duty_used_us(&gateway->duty[band], attempt->start.us) / US_PER_S,
					region->sub_bands[band].duty_cycle_permille * 3600 / 1000),
			airtime_ms};
	return (struct ns_numbers){freq_hz, 0, airtime_ms};
}

static enum ns_drop judge(const struct ns_attempt *attempt, const struct ns_gateway *gateway,
			  const struct lw_region *region, struct mono now)
{
	if (gateway->link == 0)
		return NS_DROP_NO_GATEWAY;
	if (!in_time(attempt, gateway, now))
		return NS_DROP_TOO_LATE;
	if (ns_gateway_is_busy(gateway, attempt->start, attempt->airtime_us))
		return NS_DROP_GATEWAYS_BUSY;
	if (!ns_gateway_duty_fits(gateway, region, attempt->tx.freq_hz, now, attempt->start,
				  attempt->airtime_us))
		return NS_DROP_DUTY_CYCLE;
	return NS_ACCEPTED;
}

bool ns_attempt_is_open(const struct ns_attempt *attempt, const struct ns_gateway *gateway,
			const struct lw_region *region, struct mono now)
{
	return judge(attempt, gateway, region, now) == NS_ACCEPTED;
}

/* Twice the bandwidth lets in twice the noise. */
static int32_t noise_cdb(uint32_t up_hz, uint32_t down_hz)
{
	int32_t cdb = 0;
	for (; up_hz > 0 && up_hz < down_hz; up_hz *= 2)
		cdb += 301;
	for (; down_hz > 0 && down_hz < up_hz; down_hz *= 2)
		cdb -= 301;
	return cdb;
}

/* How the device will hear it, if it hears as well as it is heard. What it sends with is not known: a gateway that may
 * send with more than any device counts as that much better. */
static int32_t link_cdb(const struct ns_hearer *hearer, const struct gw_tx_attempt *tx,
			const struct lw_region *region)
{
	int16_t floor_cdb;
	if (!hearer->has_snr || !lw_snr_floor_cdb(&tx->modulation, &floor_cdb))
		return MARGIN_ENOUGH_CDB; /* FSK is for the strong */
	int32_t power = lw_region_max_eirp_cdbm(region, tx->freq_hz) - region->default_max_eirp_cdbm;
	int32_t margin = hearer->snr_cdb - floor_cdb + (power > 0 ? power : 0) -
			 noise_cdb(hearer->bandwidth_hz, tx->modulation.bandwidth_hz);
	return margin < MARGIN_ENOUGH_CDB ? margin : MARGIN_ENOUGH_CDB;
}

static int32_t load_cdb(const struct ns_gateway *gateway, struct mono now)
{
	uint64_t load = ns_gateway_airtime_us(gateway, now) / LOAD_US_A_CDB;
	return load < LOAD_MAX_CDB ? (int32_t)load : LOAD_MAX_CDB;
}

static int32_t score_of(const struct ns_attempt *attempt, const struct ns_hearer *hearer,
			const struct lw_region *region, const struct ns_gateway *gateway, struct mono now,
			enum ns_policy policy, uint8_t unheard)
{
	bool hurry = mono_since(attempt->start, now) < ns_gateway_lead(gateway);
	if (ns_policy(policy)->priced)
		return ns_policy_score(gateway, region, attempt->tx.freq_hz, now, attempt->airtime_us,
				       link_cdb(hearer, &attempt->tx, region) - UNHEARD_CDB * unheard);
	return link_cdb(hearer, &attempt->tx, region) - (int32_t)(attempt->airtime_us / AIRTIME_US_A_CDB) +
	       (attempt->window == GW_RX1 ? RX1_CDB : 0) - load_cdb(gateway, now) - (hurry ? HURRY_CDB : 0);
}

/* --- the list --- */

/* The best first; of equals the one that was added first. */
static void insert(struct ns_plan *plan, const struct ns_attempt *attempt)
{
	uint8_t at = plan->count;
	for (; at > 0 && plan->attempts[at - 1].score < attempt->score; at--)
		plan->attempts[at] = plan->attempts[at - 1];
	plan->attempts[at] = *attempt;
	plan->count++;
}

/* Whether another gateway that the device hears about as well sends at that data rate then: the device would read neither. As the
 * device is heard, it hears. */
static bool is_drowned(const struct ns_windows *windows, const struct ns_attempt *attempt,
		       const struct ns_gateways *gateways)
{
	for (uint8_t i = 0; i < windows->count; i++) {
		const struct ns_hearer *other = &windows->by[i];
		if (i == attempt->hearer || !ns_slab_holds(&gateways->slab, other->gateway) ||
		    other->rssi_dbm <= windows->by[attempt->hearer].rssi_dbm - CAPTURE_DB)
			continue;
		if (ns_gateway_sends_like(ns_gateways_at(gateways, other->gateway), attempt->tx.freq_hz,
					  attempt->start, attempt->airtime_us))
			return true;
	}
	return false;
}

/* What only a storm's policy asks of an attempt. */
static bool is_weak(const struct ns_windows *windows, const struct ns_attempt *attempt,
		    const struct lw_region *region)
{
	const struct ns_hearer *hearer = &windows->by[attempt->hearer];
	return ns_gateway_duty_budget(region, attempt->tx.freq_hz) < UINT32_MAX &&
	       !ns_policy_is_likely(ns_policy(windows->policy), windows->storm_class,
				    link_cdb(hearer, &attempt->tx, region) - UNHEARD_CDB * windows->unheard);
}

static enum ns_drop judge_in_storm(const struct ns_windows *windows, const struct ns_attempt *attempt,
				   const struct lw_region *region, const struct ns_gateways *gateways,
				   struct mono now)
{
	const struct ns_gateway *gateway = ns_gateways_at(gateways, windows->by[attempt->hearer].gateway);
	if (is_drowned(windows, attempt, gateways))
		return NS_DROP_GATEWAYS_BUSY;
	return ns_policy_admits(ns_policy(windows->policy), windows->storm_class, gateway, region,
				attempt->tx.freq_hz, now, attempt->start, attempt->airtime_us);
}

static enum ns_drop add(struct ns_plan *plan, const struct ns_windows *windows, uint8_t index,
			enum gw_window window, const struct lw_region *region,
			const struct ns_gateways *gateways, struct mono now, uint8_t phy_length,
			struct ns_numbers *numbers)
{
	const struct ns_hearer *hearer = &windows->by[index];
	const struct lw_rx_window *rx = window == GW_RX1 ? &windows->rx1 : &windows->rx2;
	const struct lw_data_rate *rate = lw_region_data_rate(region, LW_DOWN, rx->dr);
#if MUTANT == MUTANT_RX2_RATE_OFF
	if (window == GW_RX2)
		rate = lw_region_data_rate(region, LW_DOWN, (uint8_t)(rx->dr + 1));
#endif
	if (!rate || !ns_slab_holds(&gateways->slab, hearer->gateway))
		return NS_DROP_NO_GATEWAY;
	const struct ns_gateway *gateway = ns_gateways_at(gateways, hearer->gateway);
	span_us delay = windows->rx1_delay + (window == GW_RX2 ? US_PER_S : 0);
	struct ns_attempt attempt = {
		.hearer = index, .window = window, .start = mono_add(hearer->sent, delay)};
	attempt.airtime_us = lw_airtime_us(&rate->modulation, LW_DOWN, phy_length);
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
#if MUTANT == MUTANT_RX1_CHANNEL_OFF
	attempt.tx.freq_hz += window == GW_RX1 ? 200000 : 0;
#endif
	if (!fits(region, windows->dwell, rx->dr, phy_length, attempt.airtime_us)) {
		plan->why.too_long++;
		return NS_DROP_NO_GATEWAY;
	}
	if (ns_policy(windows->policy)->priced && is_weak(windows, &attempt, region)) {
		plan->why.weak++;
		return NS_DROP_NO_GATEWAY;
	}
	enum ns_drop drop = judge(&attempt, gateway, region, now);
	if (drop == NS_ACCEPTED && ns_policy(windows->policy)->priced)
		drop = judge_in_storm(windows, &attempt, region, gateways, now);
	if (drop != NS_ACCEPTED) {
		plan->why.offline = (uint8_t)(plan->why.offline + (drop == NS_DROP_NO_GATEWAY));
		*numbers = numbers_of(drop, &attempt, gateway, region, now);
		return drop;
	}
	attempt.score = score_of(&attempt, hearer, region, gateway, now, windows->policy, windows->unheard);
	insert(plan, &attempt);
	return NS_ACCEPTED;
}

/* Of several reasons the one that says most: airtime, a busy transmitter, time, no gateway. */
static enum ns_drop weightier(enum ns_drop a, enum ns_drop b)
{
	static const enum ns_drop order[] = {NS_DROP_DUTY_CYCLE, NS_DROP_GATEWAYS_BUSY, NS_DROP_TOO_LATE};
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a;
}

enum ns_drop ns_plan_make(struct ns_plan *plan, const struct ns_windows *windows,
			  const struct lw_region *region, const struct ns_gateways *gateways, struct mono now,
			  uint8_t phy_length)
{
	*plan = (struct ns_plan){0};
	plan->why.gateway = NS_NO_SLOT;
	enum ns_drop why = NS_DROP_NO_GATEWAY;
	for (enum gw_window window = windows->has_rx1 ? GW_RX1 : GW_RX2; window <= GW_RX2; window++)
		for (uint8_t i = 0; i < windows->count; i++) {
			struct ns_numbers numbers;
			enum ns_drop drop = add(plan, windows, i, window, region, gateways, now, phy_length,
						&numbers);
			why = weightier(why, drop);
			if (drop == why && drop != NS_DROP_NO_GATEWAY) {
				plan->why.numbers = numbers;
				plan->why.gateway = windows->by[i].gateway;
			}
		}
	if (why == NS_DROP_NO_GATEWAY)
		plan->why.numbers = (struct ns_numbers){
			.a = decision_bytes(windows->count, plan->why.offline, plan->why.too_long, 0),
			.b = phy_length};
	return plan->count > 0 ? NS_ACCEPTED : why;
}

/* --- after a refusal --- */

static bool same_band(const struct lw_region *region, const struct ns_attempt *a, const struct ns_attempt *b)
{
	return lw_region_sub_band(region, a->tx.freq_hz) == lw_region_sub_band(region, b->tx.freq_hz);
}

/* Whether an attempt is worth something after `last`; `second`: there was nothing better. */
static bool helps(const struct ns_attempt *attempt, const struct ns_attempt *last, enum ns_tx_next next,
		  const struct lw_region *region, bool second)
{
	bool other = attempt->hearer != last->hearer, rx2 = attempt->window != GW_RX1;
	switch (next) {
	case NS_NEXT_NOTHING: return false;
	case NS_NEXT_LATER_WINDOW: return rx2;
	case NS_NEXT_OTHER_TIME: return second ? rx2 : other && !rx2;
	case NS_NEXT_SAME_LATER:
	case NS_NEXT_ANY: return second || other;
	case NS_NEXT_OTHER_GATEWAY: return other;
	case NS_NEXT_OTHER_FREQ: return second ? attempt->tx.freq_hz != last->tx.freq_hz : other;
	case NS_NEXT_OTHER_BAND: return second ? !same_band(region, attempt, last) : other;
	}
	return false;
}

/* What a gateway has said of one attempt holds for its others as well. */
static void rule_out(struct ns_plan *plan, const struct ns_attempt *last, enum ns_tx_next next,
		     const struct lw_region *region)
{
	for (uint8_t i = 0; i < plan->count; i++) {
		struct ns_attempt *attempt = &plan->attempts[i];
		if (attempt->hearer == last->hearer &&
		    (next == NS_NEXT_OTHER_GATEWAY ||
		     (next == NS_NEXT_OTHER_FREQ && attempt->tx.freq_hz == last->tx.freq_hz) ||
		     (next == NS_NEXT_OTHER_BAND && same_band(region, attempt, last))))
			attempt->spent = true;
	}
}

int ns_plan_next(struct ns_plan *plan, uint8_t failed, enum ns_tx_next next, const struct ns_windows *windows,
		 const struct lw_region *region, const struct ns_gateways *gateways, struct mono now)
{
	const struct ns_attempt *last = &plan->attempts[failed];
	rule_out(plan, last, next, region);
	for (int second = 0; second <= 1; second++)
		for (uint8_t i = 0; i < plan->count; i++) {
			const struct ns_attempt *attempt = &plan->attempts[i];
			uint32_t slot = windows->by[attempt->hearer].gateway;
			if (attempt->spent || i == failed || !ns_slab_holds(&gateways->slab, slot) ||
			    !helps(attempt, last, next, region, second))
				continue;
			if (ns_attempt_is_open(attempt, ns_gateways_at(gateways, slot), region, now))
				return i;
		}
	return -1;
}
