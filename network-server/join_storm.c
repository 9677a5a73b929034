#include "network-server/join_storm.h"

#include "common/base/check.h"
#include "common/lorawan/airtime.h"
#include "network-server/join_flow.h"

#include <string.h>

#define LEAVE_PERMILLE 100 /* of what may be sent */
#define STILL_ASK      20  /* of those that wait one in so many asked within the last minute */
#define ENTER_PERMILLE 500
#define ACCEPT_LONG    33
#define ACCEPT_SHORT   17

const char *const ns_storm_cause_names[NS_STORM_CAUSE_COUNT + 1] = {
	[NS_STORM_NO_TIME] = "the gateways that heard it already send as much as leaves their receivers open "
			     "for others, or send at that moment",
	[NS_STORM_NO_AIRTIME] = "the gateways that heard it have no airtime left in the hour's duty cycle",
	[NS_STORM_TOO_LATE] = "it came too late for both windows",
	[NS_STORM_NO_PATH] = "no gateway that heard it can be reached",
};

void ns_storm_init(struct ns_storm *storm, uint32_t max_devices, struct rng *rng)
{
	*storm = (struct ns_storm){.next = MONO_NEVER};
	uint32_t most = max_devices / 4;
	table_init(&storm->devices, most < 16384 ? 16384 : most, sizeof(struct ns_storm_device),
		   sizeof(uint32_t), rng);
}

void ns_storm_release(struct ns_storm *storm)
{
	table_release(&storm->devices);
}

/* --- what is offered against what can be answered --- */

static struct ns_storm_second *second_of(struct ns_storm *storm, struct mono now)
{
	int64_t second = now.us / US_PER_S;
	struct ns_storm_second *row = &storm->seconds[second % NS_STORM_SECONDS];
	if (row->second != second)
		*row = (struct ns_storm_second){.second = second};
	return row;
}

struct look {
	uint64_t offered, answered, need_us;
};

static struct look look_back(const struct ns_storm *storm, struct mono now, int64_t seconds)
{
	int64_t present = now.us / US_PER_S;
	struct look look = {0};
	for (size_t i = 0; i < NS_STORM_SECONDS; i++) {
		const struct ns_storm_second *row = &storm->seconds[i];
		if (row->second <= present - seconds || row->second > present)
			continue;
		look.offered += row->offered;
		look.answered += row->answered;
		look.need_us += row->need_us;
	}
	return look;
}

/* What the gateways that heard requests may send meanwhile. */
static uint64_t supply_us(const struct ns_gateways *gateways, struct mono now, int64_t seconds)
{
	int64_t present = now.us / US_PER_S;
	uint64_t hear = 0;
	for (uint32_t slot = 0; slot < gateways->slab.high; slot++)
		hear += ns_slab_holds(&gateways->slab, slot) &&
			ns_gateways_at(gateways, slot)->heard_join_s > present - seconds;
	return hear * (uint64_t)seconds * US_PER_S * NS_STORM_TX_PERMILLE / 1000;
}

static uint64_t need_permille(const struct ns *ns, struct mono now, int64_t seconds, uint64_t need_us)
{
	uint64_t may_us = supply_us(&ns->gateways, now, seconds);
	return may_us == 0 ? 0 : need_us * 1000 / may_us;
}

static void begin(struct ns *ns, struct now now)
{
	struct ns_storm *storm = &ns->storm;
	storm->on = true;
	storm->storms++;
	storm->since = now.mono;
	storm->since_wall = now.wall;
	storm->ebb = MONO_NEVER;
	storm->counts = (struct ns_storm_counts){0};
	memset(storm->joined_in, 0, sizeof storm->joined_in);
	table_clear(&storm->devices);
	storm->next = mono_add(now.mono, US_PER_S);
}

/* The accept in RX1 as the request was heard best; without RX1, in RX2. */
static uint32_t accept_airtime_us(const struct ns *ns, const struct ns_join *join)
{
	const struct lw_region *region = ns_region(ns, join->windows.region);
	uint8_t dr = join->windows.has_rx1 ? join->windows.rx1.dr : join->windows.rx2.dr;
	const struct lw_data_rate *rate = lw_region_data_rate(region, LW_DOWN, dr);
	uint8_t length = join->call.request.has_cflist ? ACCEPT_LONG : ACCEPT_SHORT;
	return rate ? lw_airtime_us(&rate->modulation, LW_DOWN, length) : 0;
}

static void note_device(struct ns_storm *storm, uint32_t slot)
{
	bool made;
	struct ns_storm_device *device = table_put(&storm->devices, &slot, &made);
	if (!device) {
		storm->counts.untold++;
		return;
	}
	storm->counts.devices += made;
	device->asked = (uint8_t)(device->asked + (device->asked < UINT8_MAX));
}

void ns_storm_offered(struct ns *ns, struct now now, const struct ns_join *join)
{
	struct ns_storm *storm = &ns->storm;
	struct ns_storm_second *second = second_of(storm, now.mono);
	second->offered++;
	second->need_us += accept_airtime_us(ns, join);
	storm->requests++;
	if (join->windows.count > 0)
		ns_gateways_at(&ns->gateways, join->windows.by[0].gateway)->heard_join_s = now.mono.us /
											   US_PER_S;
	if (!storm->on) {
		struct look look = look_back(storm, now.mono, NS_STORM_LOOK);
		if (ns->config.first_come || look.offered < NS_STORM_ENTER ||
		    need_permille(ns, now.mono, NS_STORM_LOOK, look.need_us) < ENTER_PERMILLE)
			return;
		begin(ns, now);
	}
	storm->counts.offered++;
	note_device(storm, join->device);
}

bool ns_storm_is_answered(const struct ns *ns, struct now now, const struct lw_eui64 *dev_eui)
{
	uint32_t slot = ns_device_find(&ns->sessions, dev_eui);
	if (slot == NS_NO_SLOT)
		return false;
	const struct ns_device *device = ns_device_at(&ns->sessions, slot);
	uint16_t since = (uint16_t)((uint16_t)(now.mono.us / US_PER_S) - device->attempt_s);
	return device->attempt != 0 && since <= NS_STORM_WINDOWS &&
	       (device->attempt_is == NET_JOIN_WAITING || device->attempt_is == NET_JOIN_ACCEPT_SENT ||
		device->attempt_is == NET_JOIN_ACCEPTED);
}

void ns_storm_in_flight(struct ns *ns, struct now now)
{
	second_of(&ns->storm, now.mono)->offered++;
	ns->storm.requests++;
	ns->storm.counts.offered++;
	ns->storm.counts.in_flight++;
}

enum ns_storm_class ns_storm_class_of(const struct ns *ns, uint32_t device)
{
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, device));
	const struct ns_storm_device *of = table_get(&ns->storm.devices, &device);
	if (of && of->joined)
		return NS_STORM_SERVED;
	if (profile && profile->record.device_class != NET_CLASS_A)
		return NS_STORM_COMMANDED;
	return of && of->asked > NS_STORM_PATIENCE ? NS_STORM_PATIENT : NS_STORM_USUAL;
}

/* --- admission --- */

static enum ns_storm_cause cause_of(enum ns_drop drop)
{
	switch ((int)drop) {
	case NS_DROP_DUTY_CYCLE: return NS_STORM_NO_AIRTIME;
	case NS_DROP_TOO_LATE: return NS_STORM_TOO_LATE;
	case NS_DROP_NO_GATEWAY: return NS_STORM_NO_PATH;
	default: return NS_STORM_NO_TIME;
	}
}

enum ns_drop ns_storm_admit(struct ns *ns, struct now now, struct ns_join *join)
{
	struct ns_storm *storm = &ns->storm;
	if (!storm->on)
		return NS_ACCEPTED;
	struct ns_plan plan;
	uint8_t length = join->call.request.has_cflist ? ACCEPT_LONG : ACCEPT_SHORT;
	const struct lw_region *region = ns_region(ns, join->windows.region);
	join->windows.policy = NS_POLICY_STORM;
	join->windows.unheard = ns_device_at(&ns->sessions, join->device)->unheard;
	join->windows.unheard = join->windows.unheard < 4 ? join->windows.unheard : 4;
	join->windows.storm_class = ns_storm_class_of(ns, join->device);
	enum ns_drop drop = ns_plan_make(&plan, &join->windows, region, &ns->gateways, now.mono, length);
	if (drop != NS_ACCEPTED) {
		join->storm_cause = cause_of(drop);
		storm->counts.refused[join->storm_cause]++;
		struct ns_storm_device *of = table_get(&storm->devices, &join->device);
		if (of)
			of->refused = (uint8_t)(of->refused + (of->refused < UINT8_MAX));
		return NS_DROP_JOIN_STORM;
	}
	const struct ns_attempt *attempt = &plan.attempts[0];
	join->kept = (struct ns_kept){.held = true,
				      .gateway = join->windows.by[attempt->hearer].gateway,
				      .freq_hz = attempt->tx.freq_hz,
				      .start = attempt->start,
				      .airtime_us = attempt->airtime_us};
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, join->kept.gateway);
	ns_gateway_transmits(gateway, region, attempt->tx.freq_hz, now.mono, attempt->start,
			     attempt->airtime_us);
	return NS_ACCEPTED;
}

bool ns_storm_has_refused(const struct ns *ns, uint32_t slot)
{
	const struct ns_storm_device *device = table_get(&ns->storm.devices, &slot);
	return device && device->refused > 1;
}

void ns_storm_let_go(struct ns *ns, struct ns_join *join)
{
	const struct ns_kept *kept = &join->kept;
	if (!kept->held)
		return;
	join->kept.held = false;
	if (!ns_slab_holds(&ns->gateways.slab, kept->gateway))
		return;
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, kept->gateway);
	ns_gateway_is_free(gateway, kept->start);
	ns_gateway_refused(gateway, ns_region(ns, join->windows.region), kept->freq_hz, kept->start,
			   kept->airtime_us);
	uint64_t *total = &gateway->airtime_total_us;
	*total -= *total < kept->airtime_us ? *total : kept->airtime_us;
}

void ns_storm_answered(struct ns *ns, struct now now)
{
	second_of(&ns->storm, now.mono)->answered++;
	ns->storm.counts.answered += ns->storm.on;
}

void ns_storm_failed(struct ns *ns)
{
	ns->storm.counts.failed += ns->storm.on;
}

static size_t minute_of(const struct ns_storm *storm, struct mono now)
{
	return (size_t)(mono_since(now, storm->since) / (60 * US_PER_S)) % NS_STORM_MINUTES;
}

void ns_storm_joined(struct ns *ns, struct now now, uint32_t device)
{
	struct ns_storm *storm = &ns->storm;
	struct ns_storm_device *known = storm->on ? table_get(&storm->devices, &device) : NULL;
	if (!known || known->joined)
		return;
	known->joined = true;
	storm->counts.joined++;
	storm->joined_in[minute_of(storm, now.mono)]++;
}

/* --- its end, and what is told --- */

/* Whether devices still ask in vain; those that wait and are silent have lost their power again, or the wish. */
static bool still_wait(const struct ns_storm *storm, const struct look *look)
{
	uint64_t waiting = storm->counts.devices - storm->counts.joined;
	return waiting >= NS_STORM_ENTER && look->offered * STILL_ASK >= waiting;
}

void ns_storm_tick(struct ns *ns, struct now now)
{
	struct ns_storm *storm = &ns->storm;
	if (!storm->on || now.mono.us < storm->next.us)
		return;
	storm->next = mono_add(now.mono, US_PER_S);
	size_t next_minute = (minute_of(storm, now.mono) + 1) % NS_STORM_MINUTES;
	storm->joined_in[next_minute] = 0;
	struct look look = look_back(storm, now.mono, NS_STORM_CALM);
	if (mono_since(now.mono, storm->since) < NS_STORM_CALM * US_PER_S ||
	    (look.offered >= NS_STORM_ENTER &&
	     need_permille(ns, now.mono, NS_STORM_CALM, look.need_us) > LEAVE_PERMILLE)) {
		storm->ebb = MONO_NEVER;
		return;
	}
	if (storm->ebb.us == MONO_NEVER.us)
		storm->ebb = now.mono;
	if (still_wait(storm, &look) && mono_since(now.mono, storm->ebb) < NS_STORM_EBB * US_PER_S)
		return;
	storm->on = false;
	storm->until = now.mono;
	storm->until_wall = now.wall;
	storm->next = MONO_NEVER;
}

struct mono ns_storm_next(const struct ns_storm *storm)
{
	return storm->next;
}

/* At the best and at the worst rate of the last full minutes, five at most; the last few devices take longest. */
static void estimate(const struct ns_storm *storm, struct mono now, struct ns_storm_report *report)
{
	int64_t minutes = mono_since(now, storm->since) / (60 * US_PER_S);
	uint32_t best = 0, worst = UINT32_MAX;
	for (int64_t i = minutes - 1; i >= 0 && i >= minutes - 5; i--) {
		uint32_t joined = storm->joined_in[(size_t)i % NS_STORM_MINUTES];
		best = joined > best ? joined : best;
		worst = joined < worst ? joined : worst;
	}
	report->has_estimate = best > 0;
	if (best == 0)
		return;
	worst = worst * 2 < best ? best - best / 2 : worst;
	ASSERT(worst > 0);
	report->least_s = (uint32_t)(report->waiting * 60 / best);
	report->most_s = (uint32_t)(report->waiting * 60 / worst * 2);
}

void ns_storm_tell(const struct ns *ns, struct now now, struct ns_storm_report *report)
{
	const struct ns_storm *storm = &ns->storm;
	struct look look = look_back(storm, now.mono, NS_STORM_LOOK);
	*report = (struct ns_storm_report){
		.on = storm->on,
		.since = storm->since_wall,
		.until = storm->until_wall,
		.lasts = mono_since(storm->on ? now.mono : storm->until, storm->since),
		.counts = storm->counts,
		.waiting = storm->counts.devices - storm->counts.joined,
		.offered_10s = (uint32_t)look.offered,
		.answered_10s = (uint32_t)look.answered,
		.need_permille = (uint32_t)need_permille(ns, now.mono, NS_STORM_LOOK, look.need_us),
	};
	if (storm->on)
		estimate(storm, now.mono, report);
}
