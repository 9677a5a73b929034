#include "network-server/join_storm.h"

#include "common/base/check.h"
#include "common/lorawan/airtime.h"
#include "network-server/join_flow.h"

#include <stdlib.h>
#include <string.h>

#define LEAVE_PERMILLE 100 /* of what may be sent */
#define STILL_ASK      20  /* of those that wait one in so many asked within the last minute */
#define ENTER_PERMILLE 500
#define ACCEPT_LONG    33
#define ACCEPT_SHORT   17

const char *const ns_storm_cause_names[NS_STORM_CAUSE_COUNT + 1] = {
	[NS_STORM_NO_TIME] =
		("the gateways that heard it already send as much as leaves their receivers open "
		 "for others, or send at that moment"),
	[NS_STORM_NO_AIRTIME] = "the gateways that heard it have no airtime left in the hour's duty cycle",
	[NS_STORM_TOO_LATE] = "it came too late for both windows",
	[NS_STORM_NO_PATH] = "no gateway that heard it can be reached",
	[NS_STORM_TOO_WEAK] =
		"it was heard so faintly for its data rate that it would hardly hear the answer",
};

void ns_storm_init(struct ns_storm *storm, uint32_t max_devices)
{
	*storm = (struct ns_storm){.next = MONO_NEVER, .device_count = max_devices};
	storm->devices = calloc(max_devices, sizeof *storm->devices);
	ASSERT(storm->devices);
}

void ns_storm_release(struct ns_storm *storm)
{
	free(storm->devices);
	*storm = (struct ns_storm){0};
}

/* What is known of a device that has asked in the last storm; NULL: it has not. */
static struct ns_storm_device *known(const struct ns_storm *storm, uint32_t slot)
{
	bool asked = slot < storm->device_count && storm->number != 0 &&
		     storm->devices[slot].storm == storm->number;
	return asked ? &storm->devices[slot] : NULL;
}

static void begin(struct ns *ns, struct now now)
{
	struct ns_storm *storm = &ns->storm;
	storm->on = true;
	storm->storms++;
	storm->number++;
	storm->since = now.mono;
	storm->since_wall = now.wall;
	storm->ebb = MONO_NEVER;
	storm->counts = (struct ns_storm_counts){0};
	memset(storm->joined_in, 0, sizeof storm->joined_in);
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

static struct ns_storm_device *note_device(struct ns_storm *storm, uint32_t slot)
{
	ASSERT_CMP(slot, <, storm->device_count);
	struct ns_storm_device *device = &storm->devices[slot];
	if (device->storm != storm->number) {
		*device = (struct ns_storm_device){.storm = storm->number};
		storm->counts.devices++;
	}
	return device;
}

void ns_storm_offered(struct ns *ns, struct now now, struct ns_join *join)
{
	struct ns_storm *storm = &ns->storm;
	storm->requests++;
	ns_join_load_offered(&storm->load, now.mono, accept_airtime_us(ns, join));
	if (join->windows.count > 0)
		ns_join_load_heard(&storm->load, now.mono,
				   &ns_gateways_at(&ns->gateways, join->windows.by[0].gateway)->heard_join_s);
	if (!storm->on) {
		struct ns_join_look look = ns_join_load_look(&storm->load, now.mono, NS_STORM_LOOK);
		if (ns->config.first_come || look.offered < NS_STORM_ENTER ||
		    look.need_permille < ENTER_PERMILLE)
			return;
		begin(ns, now);
	}
	struct ns_storm_device *device = note_device(storm, join->device);
	device->asked = (uint8_t)(device->asked + (device->asked < UINT8_MAX));
	storm->counts.offered++;
	storm->counts.asking++;
	join->windows.storm = storm->number;
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

void ns_storm_in_flight(struct ns *ns, struct now now, const struct lw_eui64 *dev_eui)
{
	uint32_t slot = ns_device_find(&ns->sessions, dev_eui);
	ASSERT(slot != NS_NO_SLOT);
	ns_join_load_offered(&ns->storm.load, now.mono, 0);
	ns->storm.requests++;
	ns->storm.counts.offered++;
	ns->storm.counts.in_flight++;
	(void)note_device(&ns->storm, slot);
}

enum ns_storm_class ns_storm_class_of(const struct ns *ns, uint32_t device)
{
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, device));
	const struct ns_storm_device *of = known(&ns->storm, device);
	if (of && of->joined)
		return NS_STORM_SERVED;
	if (profile && profile->record.device_class != NET_CLASS_A)
		return NS_STORM_COMMANDED;
	return of && of->asked > NS_STORM_PATIENCE ? NS_STORM_PATIENT : NS_STORM_USUAL;
}

/* --- admission --- */

static enum ns_storm_cause cause_of(enum ns_drop drop, const struct ns_plan_why *why)
{
	switch ((int)drop) {
	case NS_DROP_DUTY_CYCLE: return NS_STORM_NO_AIRTIME;
	case NS_DROP_TOO_LATE: return NS_STORM_TOO_LATE;
	case NS_DROP_NO_GATEWAY: return why->weak > 0 ? NS_STORM_TOO_WEAK : NS_STORM_NO_PATH;
	default: return NS_STORM_NO_TIME;
	}
}

enum ns_drop ns_storm_admit(struct ns *ns, struct now now, struct ns_join *join)
{
	struct ns_storm *storm = &ns->storm;
	if (!storm->on || ns->config.first_come)
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
		join->storm_cause = cause_of(drop, &plan.why);
		storm->counts.asking--;
		storm->counts.refused[join->storm_cause]++;
		struct ns_storm_device *of = known(storm, join->device);
		of->refused = (uint8_t)(of->refused + (of->refused < UINT8_MAX));
		return NS_DROP_JOIN_STORM;
	}
	const struct ns_attempt *attempt = &plan.attempts[0];
	join->kept = (struct ns_kept){.held = true,
				      .gateway = join->windows.by[attempt->hearer].gateway,
				      .eui = attempt->tx.gateway,
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
	const struct ns_storm_device *device = known(&ns->storm, slot);
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
	if (!lw_eui64_equal(&gateway->record.gateway.eui, &kept->eui))
		return; /* another stands in its slot */
	ns_gateway_is_free(gateway, kept->start);
	ns_gateway_refused(gateway, ns_region(ns, join->windows.region), kept->freq_hz, kept->start,
			   kept->airtime_us);
	uint64_t *total = &gateway->airtime_total_us;
	*total -= *total < kept->airtime_us ? *total : kept->airtime_us;
}

/* Whether a request is in the account that is kept. */
static bool is_counted(const struct ns_storm *storm, uint32_t number)
{
	return number != 0 && number == storm->number;
}

void ns_storm_answered(struct ns *ns, struct now now, uint32_t number)
{
	struct ns_storm *storm = &ns->storm;
	ns_join_load_answered(&storm->load, now.mono);
	if (!is_counted(storm, number))
		return;
	storm->counts.asking--;
	storm->counts.answered++;
}

void ns_storm_failed(struct ns *ns, uint32_t number, enum ns_storm_failure why)
{
	struct ns_storm *storm = &ns->storm;
	if (!is_counted(storm, number))
		return;
	storm->counts.asking--;
	storm->counts.failed[why]++;
}

void ns_storm_not_sent(struct ns *ns, uint32_t number)
{
	struct ns_storm *storm = &ns->storm;
	if (!is_counted(storm, number))
		return;
	storm->counts.answered--;
	storm->counts.failed[NS_STORM_FAILED_NOT_SENT]++;
}

static size_t minute_of(const struct ns_storm *storm, struct mono now)
{
	return (size_t)(mono_since(now, storm->since) / (60 * US_PER_S)) % NS_STORM_MINUTES;
}

void ns_storm_joined(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_storm *storm = &ns->storm;
	struct ns_storm_device *device = known(storm, slot);
	if (!device || device->joined)
		return;
	device->joined = true;
	storm->counts.joined++;
	if (storm->on)
		storm->joined_in[minute_of(storm, now.mono)]++;
}

void ns_storm_forget(struct ns *ns, uint32_t slot)
{
	struct ns_storm_device *device = known(&ns->storm, slot);
	if (!device)
		return;
	ns->storm.counts.devices--;
	ns->storm.counts.joined -= device->joined;
	*device = (struct ns_storm_device){0};
}

/* --- its end, and what is told --- */

/* Whether devices still ask in vain; those that wait and are silent have lost their power again, or the wish. */
static bool still_wait(const struct ns_storm *storm, const struct ns_join_look *look)
{
	uint64_t waiting = storm->counts.devices - storm->counts.joined;
	return waiting >= NS_STORM_ENTER && look->offered * STILL_ASK >= waiting;
}

static void end(struct ns_storm *storm, struct now now)
{
	storm->on = false;
	storm->until = now.mono;
	storm->until_wall = now.wall;
	storm->next = MONO_NEVER;
}

void ns_storm_tick(struct ns *ns, struct now now)
{
	struct ns_storm *storm = &ns->storm;
	if (!storm->on || now.mono.us < storm->next.us)
		return;
	storm->next = mono_add(now.mono, US_PER_S);
	size_t next_minute = (minute_of(storm, now.mono) + 1) % NS_STORM_MINUTES;
	storm->joined_in[next_minute] = 0;
	struct ns_join_look look = ns_join_load_look(&storm->load, now.mono, NS_STORM_CALM);
	if (ns->config.first_come) {
		end(storm, now);
		return;
	}
	if (mono_since(now.mono, storm->since) < NS_STORM_CALM * US_PER_S ||
	    (look.offered >= NS_STORM_ENTER && look.need_permille > LEAVE_PERMILLE)) {
		storm->ebb = MONO_NEVER;
		return;
	}
	if (storm->ebb.us == MONO_NEVER.us)
		storm->ebb = now.mono;
	if (still_wait(storm, &look) && mono_since(now.mono, storm->ebb) < NS_STORM_EBB * US_PER_S)
		return;
	end(storm, now);
}

struct mono ns_storm_next(const struct ns_storm *storm)
{
	return storm->next;
}
