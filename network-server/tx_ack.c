/* What became of an attempt, and what is done about it: the best remaining attempt in the time that is left, chosen by the
 * cause (tx_result.h), with the same bytes; or a failure that is told. Silence is not failure. */
#include "network-server/air_tell.h"
#include "network-server/airtime_rows.h"
#include "network-server/downlink.h"
#include "network-server/item_flow.h"
#include "network-server/join_course.h"
#include "network-server/why/record_downlink.h"

#include "common/base/check.h"

static struct ns_downlink *find(struct ns *ns, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	if (!ns_slab_holds(&ns->downlinks, slot))
		return NULL;
	struct ns_downlink *downlink = ns_slab_at(&ns->downlinks, slot);
	return downlink->id == id && downlink->state == NS_DOWNLINK_SENT ? downlink : NULL;
}

/* `said`: by the gateway, `latency` after it got the frame. */
static void succeed(struct ns *ns, struct now now, struct ns_downlink *downlink, bool said, span_us latency)
{
	ns->downlinks_acked++;
	ns_record_sent(ns, now, downlink, said, latency);
	ns_course_on_air(ns, now, downlink);
	ns_item_taken(ns, now, downlink);
	ns_downlink_close(ns, downlink);
}

/* The counter is spent; an item stays in its place. `word` is the gateway's own. */
static void give_up(struct ns *ns, struct now now, struct ns_downlink *downlink, enum ns_drop cause,
		    const char *word)
{
	ns_record_given_up(ns, now, downlink, cause);
	if (downlink->is_join)
		ns_storm_not_sent(ns, downlink->windows.storm);
	ns_course_not_sent(ns, now, downlink, NS_DROP_ATTEMPTS_SPENT, word);
	ns_item_not_sent(ns, now, downlink, cause);
	ns_downlink_close(ns, downlink);
}

/* The transmitter is free again; the airtime comes back where nothing can have been on the air. */
static void release(struct ns *ns, struct now now, struct ns_gateway *gateway,
		    const struct ns_downlink *downlink, bool certain)
{
	const struct ns_attempt *failed = &downlink->plan.attempts[downlink->attempt];
	gateway->tx_refused++;
	ns_gateway_is_free(gateway, failed->start);
	if (!certain)
		return;
	ns_gateway_refused(gateway, ns_region(ns, gateway->region), failed->tx.freq_hz, failed->start,
			   failed->airtime_us);
	ns_airtime_journal_back(ns, now, gateway, failed->tx.freq_hz, failed->start, failed->airtime_us);
	ns_air_tell_downlink(ns, now, downlink, true);
}

static void try_next(struct ns *ns, struct now now, struct ns_downlink *downlink, enum ns_tx_next way,
		     enum ns_drop cause, const char *word)
{
	int next = ns_plan_next(&downlink->plan, downlink->attempt, way, &downlink->windows,
				ns_region(ns, downlink->windows.region), &ns->gateways, now.mono);
	if (next >= 0)
		ns_downlink_send(ns, now, downlink, (uint8_t)next);
	else
		give_up(ns, now, downlink, cause, word);
}

void ns_downlink_again(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	const struct ns_attempt *attempt = &downlink->plan.attempts[downlink->attempt];
	uint32_t slot = downlink->windows.by[attempt->hearer].gateway;
	const char *word = gw_tx_result_name(GW_TX_TOO_EARLY);
	if (ns_item_is_unwanted(ns, now, downlink))
		give_up(ns, now, downlink, NS_DROP_TX_TOO_EARLY, word);
	else if (ns_slab_holds(&ns->gateways.slab, slot) &&
		 ns_attempt_is_open(attempt, ns_gateways_at(&ns->gateways, slot),
				    ns_region(ns, downlink->windows.region), now.mono))
		ns_downlink_send(ns, now, downlink, downlink->attempt);
	else
		try_next(ns, now, downlink, NS_NEXT_ANY, NS_DROP_TX_TOO_EARLY, word);
}

/* An attempt was on no air, or nobody can say that it was: the next one, or the end. */
static void refused(struct ns *ns, struct now now, struct ns_downlink *downlink, enum gw_tx_result result,
		    const struct ns_tx_rule *rule, const char *word)
{
	const struct ns_attempt *failed = &downlink->plan.attempts[downlink->attempt];
	uint32_t slot = ns_gateways_find(&ns->gateways, &failed->tx.gateway);
	ns_record_refused(ns, now, downlink, rule->cause);
	if (ns_frames_followed(&ns->frames))
		ns_frames_answered(ns, now, downlink, result, rule, NULL);
	if (slot != NS_NO_SLOT)
		release(ns, now, ns_gateways_at(&ns->gateways, slot), downlink, rule->certain);
	if (ns_item_is_unwanted(ns, now, downlink))
		give_up(ns, now, downlink, rule->cause, word);
	else if (rule->next != NS_NEXT_SAME_LATER || !ns_downlink_hold(ns, now, downlink))
		try_next(ns, now, downlink, rule->next, rule->cause, word);
}

void ns_downlink_unreached(struct ns *ns, struct mono now, const struct ns_out *out)
{
	struct ns_downlink *downlink = find(ns, out->downlink.id);
	if (!downlink)
		return;
	downlink->unreached = true;
	ASSERT(deadlines_set(&ns->downlink_deadlines, &downlink->deadline, now) == ST_OK);
}

void ns_downlink_silence(struct ns *ns, struct now now, struct ns_downlink *downlink)
{
	if (downlink->unreached) {
		downlink->unreached = false;
		refused(ns, now, downlink, GW_TX_NO_PATH, ns_tx_rule(GW_TX_NO_PATH),
			gw_tx_result_name(GW_TX_NO_PATH));
		return;
	}
	if (!downlink->restored) {
		if (ns_frames_followed(&ns->frames))
			ns_frames_answered(ns, now, downlink, GW_TX_NO_ANSWER, ns_tx_rule(GW_TX_NO_ANSWER),
					   NULL);
		succeed(ns, now, downlink, false, 0);
		return;
	}
	/* Whether the message had left before the crash, nobody knows. */
	ns_record_drop(ns, now, NS_DROP_ITEM_RESTARTED, ns_of_item(ns, downlink->device, &downlink->item),
		       (struct ns_numbers){.a = downlink->fcnt_down});
	ns_item_not_sent(ns, now, downlink, NS_DROP_ITEM_RESTARTED);
	ns_downlink_close(ns, downlink);
}

void ns_on_tx_ack(struct ns *ns, struct now now, const struct gw_tx_ack *ack)
{
	struct ns_downlink *downlink = find(ns, ack->id);
	uint32_t slot = ns_gateways_find(&ns->gateways, &ack->gateway);
	if (slot != NS_NO_SLOT && ack->latency_us > 0)
		ns_gateway_latency(ns_gateways_at(&ns->gateways, slot), ack->latency_us);
	if (!downlink || slot == NS_NO_SLOT ||
	    !lw_eui64_equal(&downlink->plan.attempts[downlink->attempt].tx.gateway, &ack->gateway)) {
		if (slot == NS_NO_SLOT)
			ns_count(ns, NS_DROP_UNKNOWN_TX_ACK);
		else
			ns_record_drop(ns, now, NS_DROP_UNKNOWN_TX_ACK, ns_of_gateway(ns, slot),
				       (struct ns_numbers){.a = (uint32_t)ack->id});
		return;
	}
	const struct ns_tx_rule *rule = ns_tx_rule_of(ack);
	if (rule->sent) {
		if (ack->attempt == 1 && downlink->second != NS_NO_SECOND)
			ns_downlink_took_second(ns, now, downlink);
		if (ns_frames_followed(&ns->frames))
			ns_frames_answered(ns, now, downlink, ack->result, rule,
					   ack->has_power ? &ack->power_dbm : NULL);
		succeed(ns, now, downlink, ack->result != GW_TX_NO_ANSWER, ack->latency_us);
	} else {
		refused(ns, now, downlink, ack->result, rule,
			ack->cause[0] ? ack->cause : gw_tx_result_name(ack->result));
	}
}
