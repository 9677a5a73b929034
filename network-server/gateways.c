#include "network-server/gateways.h"

#include "common/base/check.h"

#define MAP_REACH     (INT64_C(2100) * US_PER_S) /* the counter is told apart this far from the last arrival */
#define MAP_LOST      (120 * US_PER_S)           /* no backhaul holds a frame so long while others pass */
#define MAP_DRIFT_PPM 100
#define MAP_MISFITS   8
#define MAP_ALIKE     (100 * US_PER_MS) /* so alike are the delays of frames after a restart */

void ns_gateways_init(struct ns_gateways *gateways, uint32_t capacity, uint64_t seed)
{
	*gateways = (struct ns_gateways){.seed = seed};
	ns_slab_init(&gateways->slab, capacity, sizeof(struct ns_gateway));
	ns_index_init(&gateways->by_eui, capacity);
}

void ns_gateways_release(struct ns_gateways *gateways)
{
	ns_slab_release(&gateways->slab);
	ns_index_release(&gateways->by_eui);
}

static uint32_t hash(const struct ns_gateways *gateways, const struct lw_eui64 *eui)
{
	return ns_hash64(lw_eui64_number(eui), gateways->seed);
}

uint32_t ns_gateways_find(const struct ns_gateways *gateways, const struct lw_eui64 *eui)
{
	uint32_t at = 0, slot;
	while ((slot = ns_index_next(&gateways->by_eui, hash(gateways, eui), &at)) != NS_NO_SLOT)
		if (lw_eui64_equal(&ns_gateways_at(gateways, slot)->record.gateway.eui, eui))
			return slot;
	return NS_NO_SLOT;
}

struct ns_gateway *ns_gateways_at(const struct ns_gateways *gateways, uint32_t slot)
{
	return ns_slab_at(&gateways->slab, slot);
}

uint32_t ns_gateways_put(struct ns_gateways *gateways, const struct net_gateway *record, uint8_t region,
			 const struct lw_channel_mask *channels)
{
	uint32_t slot = ns_gateways_find(gateways, &record->gateway.eui);
	if (slot == NS_NO_SLOT) {
		slot = ns_slab_take(&gateways->slab);
		if (slot == NS_NO_SLOT)
			return NS_NO_SLOT;
		ns_index_add(&gateways->by_eui, hash(gateways, &record->gateway.eui), slot);
	}
	struct ns_gateway *gateway = ns_gateways_at(gateways, slot);
	gateway->record = *record;
	if (gateway->region != region)
		gateway->duty_ready = 0;
	gateway->region = region;
	gateway->channels = *channels;
	gateways->version++;
	return slot;
}

void ns_gateways_remove(struct ns_gateways *gateways, uint32_t slot)
{
	ns_index_remove(&gateways->by_eui,
			hash(gateways, &ns_gateways_at(gateways, slot)->record.gateway.eui), slot);
	ns_slab_give(&gateways->slab, slot);
	gateways->version++;
}

void ns_gateway_latency(struct ns_gateway *gateway, span_us latency)
{
	if (latency <= 0 || latency > 10 * US_PER_S)
		return;
	gateway->latencies[gateway->latency_next] = latency < NS_LATENCY_MOST ? latency : NS_LATENCY_MOST;
	gateway->latency_next = (uint8_t)((gateway->latency_next + 1) % NS_LATENCIES);
	if (gateway->latency_count < NS_LATENCIES)
		gateway->latency_count++;
}

bool ns_gateway_lead_is_known(const struct ns_gateway *gateway)
{
	return gateway->latency_count >= 4;
}

/* The 95th percentile of at most 32 values is the second greatest of 20 or more, else the greatest. */
span_us ns_gateway_lead(const struct ns_gateway *gateway)
{
	if (!ns_gateway_lead_is_known(gateway))
		return NS_LEAD_UNKNOWN;
	span_us first = 0, second = 0;
	for (uint8_t i = 0; i < gateway->latency_count; i++) {
		span_us latency = gateway->latencies[i];
		if (latency > first) {
			second = first;
			first = latency;
		} else if (latency > second) {
			second = latency;
		}
	}
	return (gateway->latency_count >= 20 ? second : first) + NS_LEAD_EXTRA;
}

/* The line is held by the fastest arrivals: an earlier one than expected moves it at once; otherwise it follows the
 * crystals' drift slowly. A restart of the gateway shows as an impossible delay, as the same delay again a second later
 * (what a congested backhaul lets go comes in bursts, or faster and faster), or as many delays in a row. To believe in one
 * that was none costs little: the next frame that is not late puts the line back. */
static bool has_restarted(struct ns_gateway *gateway, struct mono arrival, span_us late)
{
	if (late <= US_PER_S) {
		gateway->misfits = 0;
		return false;
	}
	span_us apart = late - gateway->misfit_late;
	bool alike = gateway->misfits > 0 && apart < MAP_ALIKE && apart > -MAP_ALIKE;
	gateway->misfits++;
	if (!alike) {
		gateway->misfit_at = arrival;
		gateway->misfit_late = late;
	}
	return late > MAP_LOST || gateway->misfits >= MAP_MISFITS ||
	       (alike && mono_since(arrival, gateway->misfit_at) >= US_PER_S);
}

static struct mono by_former(const struct ns_gateway *gateway, struct gw_ticks ticks)
{
	return mono_add(gateway->former_at, gw_ticks_since(ticks, gateway->former_ticks));
}

static void keep_former(struct ns_gateway *gateway)
{
	if (gateway->has_former)
		return;
	gateway->has_former = true;
	gateway->former_ticks = gateway->ticks;
	gateway->former_at = gateway->at;
}

/* An arrival on it shows that it was right; one out of its reach can show nothing any more. Returns whether it was right. */
static bool review_former(struct ns_gateway *gateway, struct gw_ticks ticks, struct mono arrival)
{
	span_us off = mono_since(arrival, by_former(gateway, ticks));
	bool fits = off <= US_PER_S && off >= -US_PER_S;
	if (fits || mono_since(arrival, gateway->former_at) > MAP_REACH)
		gateway->has_former = false;
	return fits;
}

void ns_gateway_map(struct ns_gateway *gateway, struct gw_ticks ticks, struct mono arrival)
{
	span_us passed = mono_since(arrival, gateway->at);
	bool fresh = !gateway->mapped || passed > MAP_REACH || passed < -MAP_REACH;
	bool former_was_right = gateway->has_former && review_former(gateway, ticks, arrival);
	if (!fresh) {
		span_us elapsed = gw_ticks_since(ticks, gateway->ticks);
		struct mono expected = mono_add(gateway->at, elapsed);
		span_us late = mono_since(arrival, expected);
		bool restarted = has_restarted(gateway, arrival, late);
		if (!former_was_right && (restarted || late < -MAP_LOST))
			keep_former(gateway);
		if (restarted) {
			fresh = true;
		} else if (elapsed < 0) {
			return; /* out of order: says nothing new */
		} else {
			span_us drift = elapsed / (US_PER_S / MAP_DRIFT_PPM);
			span_us step = late < 0 ? late : (late < drift ? late : drift);
			gateway->ticks = ticks;
			gateway->at = mono_add(expected, step);
		}
	}
	if (fresh) {
		gateway->mapped = true;
		gateway->misfits = 0;
		gateway->ticks = ticks;
		gateway->at = arrival;
	}
}

bool ns_gateway_place(const struct ns_gateway *gateway, struct gw_ticks ticks, struct mono now,
		      struct mono *at)
{
	if (!gateway->mapped || mono_since(now, gateway->at) > MAP_REACH)
		return false;
	*at = mono_add(gateway->at, gw_ticks_since(ticks, gateway->ticks));
	return true;
}

bool ns_gateway_age(const struct ns_gateway *gateway, struct gw_ticks ticks, struct mono now, span_us *age)
{
	struct mono sent;
	if (!ns_gateway_place(gateway, ticks, now, &sent))
		return false;
	*age = mono_since(now, sent);
	if (!gateway->has_former || mono_since(now, gateway->former_at) > MAP_REACH)
		return true;
	span_us former = mono_since(now, by_former(gateway, ticks));
	if (former > *age)
		*age = former;
	return former >= -US_PER_S;
}

/* An entry of zeros lies before any time that is asked about. */
bool ns_gateway_is_busy(const struct ns_gateway *gateway, struct mono start, span_us length)
{
	for (size_t i = 0; i < NS_BUSY; i++)
		if (gateway->busy[i].end.us + NS_BUSY_GUARD > start.us &&
		    gateway->busy[i].start.us < start.us + length + NS_BUSY_GUARD)
			return true;
	return false;
}

bool ns_gateway_sends_like(const struct ns_gateway *gateway, uint32_t freq_hz, struct mono start,
			   span_us length)
{
	for (size_t i = 0; i < NS_BUSY; i++) {
		const struct ns_busy *busy = &gateway->busy[i];
		if (busy->freq_hz == freq_hz && mono_since(busy->end, busy->start) == length &&
		    busy->end.us > start.us && busy->start.us < start.us + length)
			return true;
	}
	return false;
}

unsigned ns_gateway_pending(const struct ns_gateway *gateway, struct mono now)
{
	unsigned pending = 0;
	for (size_t i = 0; i < NS_BUSY; i++)
		pending += gateway->busy[i].end.us > now.us;
	return pending;
}

span_us ns_gateway_share(const struct ns_gateway *gateway, struct mono now)
{
	span_us leaked = mono_since(now, gateway->share_at) * NS_STORM_LEAK_PERMILLE / 1000;
	return gateway->share_us > leaked ? gateway->share_us - leaked : 0;
}

static void add_share(struct ns_gateway *gateway, struct mono now, span_us airtime)
{
	span_us owed = ns_gateway_share(gateway, now) + airtime;
	gateway->share_us = owed < NS_STORM_OWED_MOST ? owed : NS_STORM_OWED_MOST;
	gateway->share_at = now;
}

uint32_t ns_gateway_duty_budget(const struct lw_region *region, uint32_t freq_hz)
{
	int band = lw_region_sub_band(region, freq_hz);
	if (band < 0 || band >= NS_SUB_BANDS ||
	    region->sub_bands[band].duty_cycle_permille >= LW_DUTY_NO_LIMIT)
		return UINT32_MAX;
	return region->sub_bands[band].duty_cycle_permille * 3600u * 1000u;
}

uint32_t ns_gateway_duty_left(const struct ns_gateway *gateway, const struct lw_region *region,
			      uint32_t freq_hz, struct mono start)
{
	uint32_t budget = ns_gateway_duty_budget(region, freq_hz);
	if (budget == UINT32_MAX)
		return UINT32_MAX;
	int band = lw_region_sub_band(region, freq_hz);
	uint32_t used = gateway->duty_ready >> band & 1 ? lw_duty_used_us(&gateway->duty[band], start.us) : 0;
	return used < budget ? budget - used : 0;
}

bool ns_gateway_duty_fits(const struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			  struct mono now, struct mono start, uint32_t airtime_us)
{
	return ns_gateway_duty_fits_in(gateway, region, freq_hz, now, start, airtime_us, 100);
}

bool ns_gateway_duty_fits_in(const struct ns_gateway *gateway, const struct lw_region *region,
			     uint32_t freq_hz, struct mono now, struct mono start, uint32_t airtime_us,
			     uint8_t percent)
{
	int band = lw_region_sub_band(region, freq_hz);
	if (band < 0 || band >= NS_SUB_BANDS ||
	    region->sub_bands[band].duty_cycle_permille >= LW_DUTY_NO_LIMIT)
		return true;
	if (!(gateway->duty_ready >> band & 1))
		return true;
	return lw_duty_check(&gateway->duty[band], now.us, start.us, airtime_us, percent) != LW_DUTY_SPENT;
}

void ns_gateway_transmits(struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			  struct mono now, struct mono start, uint32_t airtime_us)
{
	size_t place = 0; /* the one that is over first */
	for (size_t i = 1; i < NS_BUSY; i++)
		if (gateway->busy[i].end.us < gateway->busy[place].end.us)
			place = i;
	gateway->busy[place] = (struct ns_busy){start, mono_add(start, airtime_us), freq_hz};
	gateway->airtime_total_us += airtime_us;
	add_share(gateway, now, airtime_us);
	int band = lw_region_sub_band(region, freq_hz);
	if (band < 0 || band >= NS_SUB_BANDS)
		return;
	if (!(gateway->duty_ready >> band & 1)) {
		lw_duty_init(&gateway->duty[band], region->sub_bands[band].duty_cycle_permille, now.us);
		gateway->duty_ready = (uint8_t)(gateway->duty_ready | 1u << band);
	}
	lw_duty_use(&gateway->duty[band], now.us, start.us, airtime_us);
}

uint64_t ns_gateway_airtime_us(const struct ns_gateway *gateway, struct mono now)
{
	uint64_t sum = 0;
	for (int band = 0; band < NS_SUB_BANDS; band++)
		if (gateway->duty_ready >> band & 1)
			sum += lw_duty_used_us(&gateway->duty[band], now.us + LW_DUTY_BUCKET_US);
	return sum;
}

void ns_gateway_is_free(struct ns_gateway *gateway, struct mono start)
{
	for (size_t i = 0; i < NS_BUSY; i++)
		if (gateway->busy[i].start.us == start.us)
			gateway->busy[i] = (struct ns_busy){0};
}

void ns_gateway_refused(struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			struct mono start, uint32_t airtime_us)
{
	int band = lw_region_sub_band(region, freq_hz);
	gateway->share_us -= gateway->share_us < (int64_t)airtime_us ? gateway->share_us
								     : (int64_t)airtime_us;
	if (band >= 0 && band < NS_SUB_BANDS && (gateway->duty_ready >> band & 1))
		lw_duty_refund(&gateway->duty[band], start.us, airtime_us);
}
