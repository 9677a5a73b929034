#include "network-server/why/record_downlink.h"

static const struct ns_attempt *attempt_of(const struct ns_downlink *downlink)
{
	return &downlink->plan.attempts[downlink->attempt];
}

/* A restored one has no bytes any more. */
static struct ns_whom whom_of(const struct ns *ns, const struct ns_downlink *downlink)
{
	uint32_t gateway = ns_gateways_find(&ns->gateways, &attempt_of(downlink)->tx.gateway);
	return ns_of_frame(ns, downlink->device, gateway, downlink->phy, downlink->phy_length);
}

static unsigned attempts_made(const struct ns_downlink *downlink)
{
	unsigned made = 0;
	for (uint8_t i = 0; i < downlink->plan.count; i++)
		made += downlink->plan.attempts[i].spent;
	return made > 0 ? made : 1;
}

static uint16_t ms_between(struct mono later, struct mono earlier)
{
	return decision_u16(mono_since(later, earlier) / US_PER_MS);
}

/* Join-accepts have no counter. */
static uint32_t counter_of(const struct ns_downlink *downlink)
{
	return downlink->is_join ? UINT32_MAX : downlink->fcnt_down;
}

void ns_record_planned(struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	const struct ns_attempt *attempt = attempt_of(downlink);
	const struct ns_windows *windows = &downlink->windows;
	uint8_t dr = attempt->window == GW_RX1 ? windows->rx1.dr : windows->rx2.dr;
	struct ns_whom whom = whom_of(ns, downlink);
	struct ns_numbers numbers = {
		.a = attempt->tx.freq_hz,
		.b = decision_halves((uint8_t)(attempt->score / 100) | downlink->plan.count << 8,
				     ms_between(attempt->start, now.mono)),
		.c = (uint16_t)((dr & 15u) | (attempts_made(downlink) & 15u) << 4 |
				(unsigned)attempt->window << 8),
	};
	ns_record_note(ns, now, NS_NOTE_PLANNED, whom, numbers);
	ns_record_last(ns, now, NS_TABLE_NOTE, NS_NOTE_PLANNED, NS_GATEWAY_SENT, whom, numbers);
}

void ns_record_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink, bool said,
		    span_us latency)
{
	const struct ns_attempt *attempt = attempt_of(downlink);
	enum ns_note note = said ? NS_NOTE_SENT : NS_NOTE_SENT_SILENTLY;
	uint16_t ms = said ? decision_u16(latency / US_PER_MS) : ms_between(now.mono, attempt->start);
	struct ns_whom whom = whom_of(ns, downlink);
	struct ns_numbers numbers = {
		.a = counter_of(downlink),
		.b = decision_halves(ms, decision_u16(attempt->airtime_us / US_PER_MS)),
	};
	ns_record_note(ns, now, note, whom, numbers);
	ns_record_last(ns, now, NS_TABLE_NOTE, note, NS_GATEWAY_SENT, whom, numbers);
}

void ns_record_refused(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause)
{
	const struct ns_attempt *attempt = attempt_of(downlink);
	struct ns_whom whom = whom_of(ns, downlink);
	uint16_t rule = ns_rule_of_drop(cause);
	struct ns_numbers numbers = {
		.a = attempt->tx.freq_hz,
		.b = ms_between(attempt->start, downlink->handed),
		.c = (uint16_t)((attempts_made(downlink) & UINT8_MAX) | (unsigned)attempt->window << 8),
	};
	ns_record_drop(ns, now, cause, whom, numbers);
	ns_record_last(ns, now, (enum ns_table)(rule >> 8), rule & UINT8_MAX, NS_GATEWAY_SENT, whom, numbers);
	if (whom.gateway == NS_NO_SLOT)
		return;
	whom.subject = ns_subject_of_gateway(ns, whom.gateway, NS_GATEWAY_TROUBLE);
	whom.about = DECISION_ABOUT_NOTHING; /* the frame is found through its device */
	ns_record_rule(ns, now, cause, whom, numbers);
}

void ns_record_held(struct ns *ns, struct now now, const struct ns_downlink *downlink, span_us wait)
{
	ns_record_note(ns, now, NS_NOTE_HELD_FOR_GATEWAY, whom_of(ns, downlink),
		       (struct ns_numbers){.a = decision_u32(wait / US_PER_MS)});
}

void ns_record_given_up(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop cause)
{
	ns_record_drop(ns, now, NS_DROP_ATTEMPTS_SPENT, whom_of(ns, downlink),
		       (struct ns_numbers){.a = attempts_made(downlink), .c = ns_rule_of_drop(cause)});
}

void ns_record_no_way(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop drop,
		      const struct ns_plan_why *why)
{
	struct ns_whom whom = ns_of_device(ns, downlink->device);
	whom.gateway = why->gateway;
	ns_record_drop(ns, now, drop, whom, why->numbers);
}
