/* A frame that is made leaves: the list of attempts, the first of them and the next ones, what is counted and what lasts. */
#include "network-server/downlink.h"

#include "common/base/check.h"
#include "network-server/air_tell.h"
#include "network-server/airtime_rows.h"
#include "network-server/downlink_parts.h"
#include "network-server/item_flow.h"
#include "network-server/join_course.h"
#include "network-server/why/record_downlink.h"

void ns_downlink_dispatch(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	enum ns_drop drop = ns_plan_make(&downlink->plan, &downlink->windows, region, &ns->gateways, now.mono,
					 downlink->phy_length);
	if (drop != NS_ACCEPTED) {
		ns_record_no_way(ns, now, downlink, drop, &downlink->plan.why);
		if (downlink->is_join)
			ns_storm_failed(ns, downlink->windows.storm, NS_STORM_FAILED_NOT_SENT);
		ns_course_not_sent(ns, now, downlink, drop, "");
		ns_item_stays(ns, now, downlink, drop);
		ns_downlink_close(ns, downlink);
		return;
	}
	ns_downlink_forget_opportunity(ns, downlink);
	ns_downlink_send(ns, now, downlink, 0);
	if (downlink->is_join)
		ns_storm_answered(ns, now, downlink->windows.storm);
	ns_item_planned(ns, now, downlink);
}

static enum ns_out_answer counted_as(const struct ns_downlink *downlink)
{
	if (downlink->state == NS_DOWNLINK_SENT || downlink->state == NS_DOWNLINK_HELD || downlink->late)
		return NS_OUT_NOT_COUNTED;
	return downlink->is_join ? NS_OUT_JOIN_ACCEPT : NS_OUT_ANSWER;
}

/* RX2 of the gateway that sends RX1, if it can be made as things stand: NS_NO_SECOND where not. */
static uint8_t second_of(struct ns *ns, struct now now, const struct ns_downlink *downlink, uint8_t index,
			 const struct ns_gateway *gateway)
{
	const struct ns_attempt *first = &downlink->plan.attempts[index];
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	for (uint8_t i = 0; first->tx.window == GW_RX1 && i < downlink->plan.count; i++) {
		const struct ns_attempt *other = &downlink->plan.attempts[i];
		if (other->hearer == first->hearer && other->tx.window == GW_RX2 && !other->spent &&
		    ns_attempt_is_open(other, gateway, region, now.mono))
			return i;
	}
	return NS_NO_SECOND;
}

/* Its airtime counts from now on, and its transmitter is taken. */
static void book(struct ns *ns, struct now now, struct ns_downlink *downlink, struct ns_gateway *gateway)
{
	const struct ns_attempt *attempt = &downlink->plan.attempts[downlink->attempt];
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	ns_gateway_transmits(gateway, region, attempt->tx.freq_hz, now.mono, attempt->start,
			     attempt->airtime_us);
	ns_airtime_journal(ns, now, gateway, attempt->tx.freq_hz, attempt->start, attempt->airtime_us);
	ns_air_tell_downlink(ns, now, downlink, false);
}

void ns_downlink_took_second(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	const struct ns_attempt *first = &downlink->plan.attempts[downlink->attempt];
	uint32_t slot = downlink->windows.by[first->hearer].gateway;
	uint8_t second = downlink->second;
	downlink->second = NS_NO_SECOND;
	if (!ns_slab_holds(&ns->gateways.slab, slot))
		return;
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	const struct lw_region *region = ns_region(ns, downlink->windows.region);
	ns_gateway_is_free(gateway, first->start);
	ns_gateway_refused(gateway, region, first->tx.freq_hz, first->start, first->airtime_us);
	ns_airtime_journal_back(ns, now, gateway, first->tx.freq_hz, first->start, first->airtime_us);
	ns_air_tell_downlink(ns, now, downlink, true);
	downlink->attempt = second;
	downlink->plan.attempts[second].spent = true;
	book(ns, now, downlink, gateway);
}

void ns_downlink_send(struct ns *ns, struct now now, struct ns_downlink *downlink, uint8_t index)
{
	struct ns_attempt *attempt = &downlink->plan.attempts[index];
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways,
						    downlink->windows.by[attempt->hearer].gateway);
	struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_DOWNLINK);
	ASSERT(out);
	out->answer = counted_as(downlink);
	out->rx1 = ns_windows_start(&downlink->windows);
	out->link = gateway->link;
	out->downlink.id = downlink->id;
	memcpy(out->downlink.phy, downlink->phy, downlink->phy_length);
	out->downlink.phy_length = downlink->phy_length;
	out->downlink.attempt_count = 1;
	out->downlink.attempts[0] = attempt->tx;
	attempt->spent = true;
	downlink->attempt = index;
	downlink->second = second_of(ns, now, downlink, index, gateway);
	const struct ns_attempt *last = attempt;
	if (downlink->second != NS_NO_SECOND) {
		last = &downlink->plan.attempts[downlink->second];
		out->downlink.attempts[out->downlink.attempt_count++] = last->tx;
	}
	downlink->handed = now.mono;
	book(ns, now, downlink, gateway);
	gateway->downlinks++;
	ns->downlinks_sent++;
	if (downlink->late && downlink->state != NS_DOWNLINK_SENT)
		ns->late_commands++;
	/* Silence counts as sent (DESIGN 11); a bridge that lives has said it before. */
	ns_downlink_goto(ns, downlink, NS_DOWNLINK_SENT,
			 mono_add(last->start, (span_us)last->airtime_us + NS_SILENCE));
	ns_record_planned(ns, now, downlink);
	ns_course_sent(ns, now, downlink);
	if (ns_frames_followed(&ns->frames))
		ns_frames_sent(ns, now, downlink);
}

bool ns_downlink_hold(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	struct mono again = mono_add(downlink->plan.attempts[downlink->attempt].start, -NS_CLASS_A_LEAD);
	if (again.us <= now.mono.us)
		return false;
	ns_downlink_goto(ns, downlink, NS_DOWNLINK_HELD, again);
	ns_record_held(ns, now, downlink, mono_since(again, now.mono));
	return true;
}

void ns_downlink_left(struct ns *ns, struct mono now, const struct ns_out *out)
{
	span_us early = mono_since(out->rx1, now);
	switch (out->answer) {
	case NS_OUT_NOT_COUNTED: return;
	case NS_OUT_ANSWER:
		ns->answers++;
		ns->answers_early += early >= NS_ANSWER_EARLY;
		return;
	case NS_OUT_JOIN_ACCEPT:
		ns->accepts++;
		ns->accepts_early += early >= NS_ACCEPT_EARLY;
		return;
	}
}

bool ns_downlink_restore(struct ns *ns, struct now now, const struct ns_item *item)
{
	uint32_t slot = (uint32_t)item->downlink;
	if (slot >= ns->downlinks.capacity || !ns_slab_take_at(&ns->downlinks, slot))
		return false;
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, slot);
	downlink->id = item->downlink;
	downlink->state = NS_DOWNLINK_SENT;
	downlink->restored = true;
	downlink->second = NS_NO_SECOND;
	downlink->device = item->device;
	downlink->tag = item->session_tag;
	downlink->has_item = true;
	downlink->item = item->enqueue.item;
	downlink->fcnt_down = item->fcnt_down;
	downlink->plan.count = 1;
	downlink->plan.attempts[0] = (struct ns_attempt){.spent = true, .tx = {.gateway = item->gateway}};
	downlink->windows.region = ns_profile_of(ns, ns_device_at(&ns->sessions, item->device))->region;
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline,
			     mono_add(now.mono, NS_ITEM_RECOVERY)) == ST_OK);
	return true;
}

void ns_downlink_join(struct ns *ns, struct now now, uint32_t device, const struct ns_windows *windows,
		      const uint8_t *phy, uint8_t length)
{
	uint32_t attempt = ns_device_at(&ns->sessions, device)->attempt;
	struct ns_downlink *downlink = ns_downlink_take(ns, now);
	if (!downlink) {
		ns_record_drop(ns, now, NS_DROP_DOWNLINK_FULL, ns_of_device(ns, device),
			       (struct ns_numbers){.a = ns->downlinks.count});
		ns_course_not_sent(
			ns, now,
			&(struct ns_downlink){.is_join = true, .device = device, .join_attempt = attempt},
			NS_DROP_DOWNLINK_FULL, "");
		ns_storm_failed(ns, windows->storm, NS_STORM_FAILED_NO_ROOM);
		return;
	}
	downlink->is_join = true;
	downlink->join_attempt = attempt;
	downlink->device = device;
	downlink->windows = *windows;
	memcpy(downlink->phy, phy, length);
	downlink->phy_length = length;
	ns_downlink_dispatch(ns, now, downlink);
}
