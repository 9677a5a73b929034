/* What a row's facts amount to. A judgement is made with every live page that names the gateway; only what happened while
 * we listened counts: a bridge that was away heard nobody, and nobody is out for that. A gateway that was out before stays
 * out until it is heard. */
#include "application-server/health/table.h"

#include "common/base/check.h"

#define SLACK    US_PER_S        /* ages are told in milliseconds, and travel */
#define LOOK_MAX (30 * US_PER_S) /* between two judgements; more was not looked at */

const char *as_gateway_state_name(enum as_gateway_state state)
{
	static const char *const names[] = {
		[AS_GATEWAY_UNKNOWN] = "unknown", [AS_GATEWAY_NEVER_SEEN] = "never_seen",
		[AS_GATEWAY_ONLINE] = "online",   [AS_GATEWAY_UNSTABLE] = "unstable",
		[AS_GATEWAY_SILENT] = "silent",   [AS_GATEWAY_OFFLINE] = "offline",
	};
	_Static_assert(ARRAY_SIZE(names) == AS_GATEWAY_STATES, "a name for each");
	ASSERT((unsigned)state < AS_GATEWAY_STATES);
	return names[state];
}

static bool is_out(enum as_gateway_state state)
{
	return state == AS_GATEWAY_SILENT || state == AS_GATEWAY_OFFLINE;
}

struct judgement {
	enum as_gateway_state state;
	enum as_gateway_reason reason;
	uint32_t count;
	struct mono since; /* of one that is out: when it was heard last, or its connection ended */
};

static struct judgement judge_silence(const struct as_health *health, const struct as_health_row *row,
				      struct now now)
{
	struct judgement online = {AS_GATEWAY_ONLINE, AS_BECAUSE_HEARD, 0, row->heard};
	struct mono since = row->heard.us > health->listening.us ? row->heard : health->listening;
	struct judgement out = {AS_GATEWAY_SILENT, AS_BECAUSE_NOTHING_CAME, 0, row->heard};
	span_us quiet = mono_since(now.mono, since);
	/* One that was out and was not heard since stays so, however short we have listened. */
	bool still = row->out && !(row->has_connection && row->connected) &&
		     mono_since(row->heard, row->out_since) < SLACK;
	if (still) {
		out.reason = row->outage.reason;
		out.since = row->out_since;
		quiet = mono_since(now.mono, row->out_since);
		if (quiet < health->silent && out.reason == AS_BECAUSE_NOTHING_CAME)
			quiet = health->silent;
		if (out.reason != AS_BECAUSE_NOTHING_CAME)
			quiet = health->offline;
	}
	if (quiet < health->silent)
		return online;
	if (quiet >= health->offline)
		out.state = AS_GATEWAY_OFFLINE;
	return out;
}

static struct judgement judge_stability(const struct as_health_row *row, struct judgement online)
{
	const struct as_gateway_health *facts = &row->facts;
	uint32_t times = row->has_connection ? facts->hour.reconnects : facts->outages_hour;
	online.state = AS_GATEWAY_UNSTABLE;
	online.count = times;
	online.reason = AS_BECAUSE_OUTAGES;
	if (times >= AS_UNSTABLE_TIMES)
		return online;
	online.count = facts->hour.moves;
	online.reason = AS_BECAUSE_FLAPPING;
	if (facts->flapping)
		return online;
	online.reason = AS_BECAUSE_MOVES;
	if (facts->hour.moves >= AS_UNSTABLE_TIMES)
		return online;
	online.count = facts->acks_permille;
	online.reason = AS_BECAUSE_ACKS;
	if (facts->has_acks && facts->acks_permille < AS_UNSTABLE_ACKS)
		return online;
	return (struct judgement){AS_GATEWAY_ONLINE, AS_BECAUSE_HEARD, 0, online.since};
}

static struct judgement judge(const struct as_health *health, const struct as_health_row *row, struct now now)
{
	if (!row->facts.heard)
		return (struct judgement){AS_GATEWAY_NEVER_SEEN, AS_BECAUSE_NEVER, 0, now.mono};
	if (row->has_connection && !row->connected)
		return (struct judgement){AS_GATEWAY_OFFLINE, row->closed, 0, row->changed};
	struct judgement judgement = judge_silence(health, row, now);
	return judgement.state == AS_GATEWAY_ONLINE ? judge_stability(row, judgement) : judgement;
}

static struct wall wall_of(struct now now, struct mono then)
{
	return (struct wall){now.wall.us - mono_since(now.mono, then)};
}

static void begin_outage(struct as_health *health, struct as_health_row *row, struct now now,
			 const struct judgement *judgement)
{
	row->out = true;
	row->out_since = judgement->since;
	row->outage = (struct as_health_outage){
		.eui = row->facts.eui, .began = wall_of(now, judgement->since), .reason = judgement->reason};
	row->tenth_outages[row->tenth % 6]++;
	row->day_hours[row->day_hour % 24]++;
	if (health->keeper.outage)
		health->keeper.outage(health->keeper.ctx, &row->outage);
}

static void end_outage(struct as_health *health, struct as_health_row *row, struct now now)
{
	row->out = false;
	row->outage.ended = now.wall;
	if (health->keeper.outage)
		health->keeper.outage(health->keeper.ctx, &row->outage);
}

static void count_outages(struct as_health_row *row)
{
	row->facts.outages_hour = row->facts.outages_day = 0;
	for (size_t i = 0; i < 6; i++)
		row->facts.outages_hour += row->tenth_outages[i];
	for (size_t i = 0; i < 24; i++)
		row->facts.outages_day += row->day_hours[i];
}

void as_health_judge(struct as_health *health, struct as_health_row *row, struct now now)
{
	struct as_gateway_health *facts = &row->facts;
	as_health_turn(row, now);
	count_outages(row);
	struct judgement judgement = judge(health, row, now);
	span_us passed = mono_since(now.mono, row->judged);
	if (is_out(judgement.state) && row->judged.us != 0)
		row->offline_us += passed < LOOK_MAX ? passed : LOOK_MAX;
	row->judged = now.mono;
	if (is_out(judgement.state) && !row->out) {
		begin_outage(health, row, now, &judgement);
		count_outages(row);
	} else if (!is_out(judgement.state) && row->out) {
		end_outage(health, row, now);
	}
	if (judgement.state != facts->state || facts->since.us == 0)
		facts->since = is_out(judgement.state) ? row->outage.began : now.wall;
	facts->state = judgement.state;
	bool comes = facts->turned_away[0] && judgement.reason != AS_BECAUSE_REFUSED &&
		     (is_out(judgement.state) || judgement.state == AS_GATEWAY_NEVER_SEEN);
	facts->reason = comes ? AS_BECAUSE_TURNED_AWAY : judgement.reason;
	facts->reason_count = judgement.count;
}
