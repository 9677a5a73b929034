#include "network-server/off_plan.h"

#include "common/base/check.h"
#include "common/lorawan/gateway_plan.h"
#include "network-server/network.h"
#include "network-server/why/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool near(uint32_t a_hz, uint32_t b_hz)
{
	return (a_hz > b_hz ? a_hz - b_hz : b_hz - a_hz) <= LW_FREQ_TOLERANCE_HZ;
}

bool ns_off_plan_inside(const struct ns *ns, const struct ns_gateway *gateway, uint32_t freq_hz)
{
	const struct lw_region *region = ns_region(ns, gateway->region);
	int channel = lw_region_uplink_channel(region, freq_hz);
	if (region->plan_type == LW_PLAN_FIXED)
		return channel >= 0 && lw_mask_get(&gateway->channels, (uint8_t)channel);
	if (channel >= 0)
		return true;
	const struct lw_extra_channels *extra = &ns->config.extra[gateway->region];
	for (uint8_t i = 0; i < extra->count; i++)
		if (near(extra->at[i].freq_hz, freq_hz))
			return true;
	const struct ns_plans *plans = &ns->sessions.plans;
	for (uint16_t number = 0; number < plans->high; number++)
		for (size_t i = 0; plans->used[number] && i < LW_PLAN_DYNAMIC_MAX; i++)
			if (plans->plans[number].freq_hz[i] != 0 &&
			    near(plans->plans[number].freq_hz[i], freq_hz))
				return true;
	return false;
}

static void shift(struct ns_off_plan_count *count)
{
	count->before = count->now;
	count->now = 0;
}

static uint32_t sum(struct ns_off_plan_count count)
{
	return count.before + count.now;
}

static void shift_all(struct ns_off_plan *off_plan)
{
	shift(&off_plan->all);
	shift(&off_plan->off);
	for (size_t i = 0; i < NS_OFF_PLAN_FREQS; i++) {
		shift(&off_plan->freqs[i].heard);
		if (sum(off_plan->freqs[i].heard) == 0)
			off_plan->freqs[i] = (struct ns_off_plan_freq){.freq_hz = 0};
	}
}

/* Begins a new half where the present one is over; frequencies that were not heard for a whole window leave the table. */
static void rotate(struct ns_off_plan *off_plan, struct mono now)
{
	int64_t since = now.us - off_plan->half_began.us;
	if (!off_plan->begun)
		off_plan->half_began = off_plan->before_began = now;
	else if (since >= 2 * NS_OFF_PLAN_HALF)
		off_plan->half_began = off_plan->before_began = now;
	else if (since >= NS_OFF_PLAN_HALF) {
		off_plan->before_began = off_plan->half_began;
		off_plan->half_began = mono_add(off_plan->half_began, NS_OFF_PLAN_HALF);
	}
	if (off_plan->begun && since >= NS_OFF_PLAN_HALF)
		shift_all(off_plan);
	if (off_plan->begun && since >= 2 * NS_OFF_PLAN_HALF)
		shift_all(off_plan);
	off_plan->begun = true;
}

/* Lends the row of a frequency, made if there is room; NULL without. */
static struct ns_off_plan_freq *row_of(const struct ns *ns, struct ns_gateway *gateway, uint32_t freq_hz)
{
	struct ns_off_plan_freq *free_row = NULL;
	for (size_t i = 0; i < NS_OFF_PLAN_FREQS; i++) {
		struct ns_off_plan_freq *row = &gateway->off_plan.freqs[i];
		if (row->freq_hz != 0 && near(row->freq_hz, freq_hz))
			return row;
		if (row->freq_hz == 0 && !free_row)
			free_row = row;
	}
	if (free_row)
		*free_row = (struct ns_off_plan_freq){.freq_hz = freq_hz,
						      .inside = ns_off_plan_inside(ns, gateway, freq_hz)};
	return free_row;
}

/* One report fewer outside: it was a ghost. */
static void take_back(struct ns_off_plan *off_plan, const struct ns_off_plan_report *report)
{
	if (off_plan->off.now > 0)
		off_plan->off.now--;
	if (off_plan->all.now > 0)
		off_plan->all.now--;
	for (size_t i = 0; i < NS_OFF_PLAN_FREQS; i++)
		if (off_plan->freqs[i].freq_hz != 0 && near(off_plan->freqs[i].freq_hz, report->freq_hz) &&
		    off_plan->freqs[i].heard.now > 0)
			off_plan->freqs[i].heard.now--;
}

/* Notes a report, and settles it with others of the same signal. Returns whether it counts. */
static bool settle(struct ns_off_plan *off_plan, struct mono now, uint32_t mic, uint32_t freq_hz, bool inside)
{
	bool ghost = false;
	for (size_t i = 0; i < NS_OFF_PLAN_RECENT; i++) {
		struct ns_off_plan_report *other = &off_plan->recent[i];
		bool same = other->freq_hz != 0 && other->mic == mic &&
			    now.us - other->at.us <= NS_OFF_PLAN_SAME;
		if (!same || other->inside == inside)
			continue;
		ghost = ghost || !inside;
		if (inside && other->counted) {
			take_back(off_plan, other);
			other->counted = false;
		}
	}
	off_plan->recent[off_plan->next] = (struct ns_off_plan_report){
		.at = now, .mic = mic, .freq_hz = freq_hz, .inside = inside, .counted = !ghost};
	off_plan->next = (uint8_t)((off_plan->next + 1) % NS_OFF_PLAN_RECENT);
	return !ghost;
}

/* Keeps it for `lamppost why gateway`. */
static void record(struct ns *ns, struct now now, const struct ns_gateway *gateway)
{
	const struct ns_off_plan *off_plan = &gateway->off_plan;
	struct ns_off_plan_sum total = ns_off_plan_sum(off_plan, now.mono);
	uint32_t slot = ns_gateways_find(&ns->gateways, &gateway->record.gateway.eui);
	ns_record_note(
		ns, now, off_plan->raised ? NS_NOTE_OFF_PLAN : NS_NOTE_ON_PLAN, ns_of_gateway(ns, slot),
		(struct ns_numbers){.a = total.freq_hz,
				    .b = decision_halves(decision_u16(total.off), decision_u16(total.all)),
				    .c = decision_u16(total.minutes)});
}

static void set_raised(struct ns *ns, struct now now, struct ns_gateway *gateway, bool raised)
{
	struct ns_off_plan *off_plan = &gateway->off_plan;
	if (off_plan->raised == raised)
		return;
	off_plan->raised = raised;
	ns->off_plan_changes++;
	ns->off_plan_raised = raised ? ns->off_plan_raised + 1 : ns->off_plan_raised - 1;
	if (raised && ns->off_plan_raised == 1)
		ns->off_plan_check = mono_add(now.mono, NS_OFF_PLAN_CHECK);
	record(ns, now, gateway);
}

static void judge(struct ns *ns, struct now now, struct ns_gateway *gateway)
{
	struct ns_off_plan *off_plan = &gateway->off_plan;
	uint64_t off = sum(off_plan->off), all = sum(off_plan->all);
	if (off >= NS_OFF_PLAN_LEAST && off * 100 >= all * NS_OFF_PLAN_PERCENT)
		set_raised(ns, now, gateway, true);
	else if (off < NS_OFF_PLAN_LEAST / 2 || off * 100 < all * NS_OFF_PLAN_PERCENT / 2)
		set_raised(ns, now, gateway, false);
}

void ns_off_plan_hear(struct ns *ns, struct now now, struct ns_gateway *gateway,
		      const struct gw_uplink *uplink)
{
	struct ns_off_plan *off_plan = &gateway->off_plan;
	/* An LR-FHSS frame hops over a band: its frequency is no channel's. */
	if (uplink->crc == GW_CRC_BAD || uplink->modulation.kind == LW_LR_FHSS || uplink->phy_length < 4)
		return;
	rotate(off_plan, now.mono);
	struct ns_off_plan_freq *row = row_of(ns, gateway, uplink->freq_hz);
	bool inside = row ? row->inside : ns_off_plan_inside(ns, gateway, uplink->freq_hz);
	uint32_t mic;
	memcpy(&mic, uplink->phy + uplink->phy_length - sizeof mic, sizeof mic);
	if (!settle(off_plan, now.mono, mic, uplink->freq_hz, inside))
		return;
	off_plan->all.now++;
	if (row)
		row->heard.now++;
	if (!inside) {
		off_plan->off.now++;
		ns->off_plan_receptions++;
	}
	if (!inside || off_plan->raised)
		judge(ns, now, gateway);
}

void ns_off_plan_forget(struct ns *ns, struct ns_gateway *gateway)
{
	struct ns_off_plan *off_plan = &gateway->off_plan;
	*off_plan = (struct ns_off_plan){.raised = off_plan->raised, .logged = off_plan->logged};
	if (off_plan->raised)
		ns->off_plan_check = (struct mono){0}; /* the next tick finds nothing outside, and ends it */
}

void ns_off_plan_removed(struct ns *ns, const struct ns_gateway *gateway)
{
	ns->off_plan_raised -= gateway->off_plan.raised;
}

void ns_off_plan_forget_all(struct ns *ns)
{
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++)
		if (ns_slab_holds(&ns->gateways.slab, slot))
			ns_off_plan_forget(ns, ns_gateways_at(&ns->gateways, slot));
}

void ns_off_plan_tick(struct ns *ns, struct now now)
{
	if (ns->off_plan_raised == 0 || now.mono.us < ns->off_plan_check.us)
		return;
	ns->off_plan_check = mono_add(now.mono, NS_OFF_PLAN_CHECK);
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++) {
		if (!ns_slab_holds(&ns->gateways.slab, slot))
			continue;
		struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
		if (!gateway->off_plan.raised)
			continue;
		rotate(&gateway->off_plan, now.mono);
		judge(ns, now, gateway);
	}
}

struct mono ns_off_plan_next(const struct ns *ns)
{
	return ns->off_plan_raised > 0 ? ns->off_plan_check : (struct mono){INT64_MAX};
}

/* --- what it says ------------------------------------------------------------------------------------------------- */

struct ns_off_plan_sum ns_off_plan_sum(const struct ns_off_plan *off_plan, struct mono now)
{
	struct ns_off_plan_sum total = {.off = sum(off_plan->off), .all = sum(off_plan->all)};
	int64_t length = off_plan->begun ? now.us - off_plan->before_began.us : 0;
	total.minutes = (unsigned)((length + 60 * US_PER_S - 1) / (60 * US_PER_S));
	if (total.minutes == 0)
		total.minutes = 1;
	uint32_t most = 0;
	for (size_t i = 0; i < NS_OFF_PLAN_FREQS; i++) {
		const struct ns_off_plan_freq *row = &off_plan->freqs[i];
		if (row->freq_hz == 0 || row->inside || sum(row->heard) == 0)
			continue;
		total.freqs++;
		if (sum(row->heard) <= most)
			continue;
		most = sum(row->heard);
		total.freq_hz = row->freq_hz;
	}
	return total;
}

__attribute__((format(printf, 2, 3))) static void append(char text[NS_OFF_PLAN_TEXT], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + used, NS_OFF_PLAN_TEXT - used, format, arguments);
	va_end(arguments);
}

/* 903900000 → "903.9", to the 100 Hz. */
static void append_mhz(char text[NS_OFF_PLAN_TEXT], uint32_t freq_hz)
{
	char digits[16];
	snprintf(digits, sizeof digits, "%04u", (freq_hz + 50) % 1000000 / 100);
	for (size_t end = 4; end > 1 && digits[end - 1] == '0'; end--)
		digits[end - 1] = '\0';
	append(text, "%u.%s", (freq_hz + 50) / 1000000, digits);
}

const char *ns_off_plan_plan(char text[NS_OFF_PLAN_TEXT], const struct ns *ns,
			     const struct ns_gateway *gateway)
{
	const struct lw_region *region = ns_region(ns, gateway->region);
	text[0] = '\0';
	if (region->plan_type == LW_PLAN_FIXED) {
		if (gateway->record.channel_plan[0])
			append(text, "%s", gateway->record.channel_plan);
		else
			(void)lw_channels_format(text, NS_OFF_PLAN_TEXT, &gateway->channels);
		return text;
	}
	for (uint8_t i = 0; i < region->uplink_channel_count; i++) {
		append_mhz(text, region->uplink_channels[i].freq_hz);
		append(text, " ");
	}
	const struct lw_extra_channels *extra = &ns->config.extra[gateway->region];
	for (uint8_t i = 0; i < extra->count; i++) {
		append_mhz(text, extra->at[i].freq_hz);
		append(text, " ");
	}
	append(text, "MHz");
	return text;
}

const char *ns_off_plan_say(char text[NS_OFF_PLAN_TEXT], const struct ns *ns,
			    const struct ns_gateway *gateway, struct mono now)
{
	char eui[LW_EUI64_TEXT], plan[NS_OFF_PLAN_TEXT];
	struct ns_off_plan_sum total = ns_off_plan_sum(&gateway->off_plan, now);
	lw_eui64_format(eui, &gateway->record.gateway.eui);
	text[0] = '\0';
	append(text, "gateway %s hears ", eui);
	append_mhz(text, total.freq_hz);
	append(text,
	       " MHz%s (%u of its %u frames in the last %u min were outside its plan), its plan is %s: ",
	       total.freqs > 1 ? " and more" : "", total.off, total.all, total.minutes,
	       ns_off_plan_plan(plan, ns, gateway));
	append(text,
	       "its channel configuration differs; next: lamppost gateway config %s --for lora_pkt_fwd "
	       "--server "
	       "HOST (or "
	       "--for station, chirpstack)",
	       eui);
	return text;
}
