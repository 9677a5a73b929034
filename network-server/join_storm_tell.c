/* What people are told of a storm: its account, and until when it will last. */
#include "network-server/join_storm.h"

#include "common/base/check.h"
#include "network-server/network.h"

#define LOOK_MINUTES 5

/* Those that wait at the rate of the best of the last full minutes, and twice the time at that of the worst: the last few devices
 * take longest. A worst minute of less than half the best is chance, and counts as half. Without a full minute in which anybody
 * joined nobody can tell. */
static void estimate(const struct ns_storm *storm, struct mono now, struct ns_storm_report *report)
{
	int64_t minutes = mono_since(now, storm->since) / (60 * US_PER_S);
	uint32_t best = 0, worst = UINT32_MAX;
	for (int64_t i = minutes - 1; i >= 0 && i >= minutes - LOOK_MINUTES; i--) {
		uint32_t joined = storm->joined_in[(size_t)i % NS_STORM_MINUTES];
		best = joined > best ? joined : best;
		worst = joined < worst ? joined : worst;
	}
	report->has_estimate = best > 0 && report->waiting > 0;
	if (!report->has_estimate)
		return;
	worst = worst * 2 < best ? best - best / 2 : worst;
	ASSERT(worst > 0);
	report->least_s = (uint32_t)((report->waiting * 60 + best - 1) / best);
	report->most_s = (uint32_t)((report->waiting * 120 + worst - 1) / worst);
}

void ns_storm_tell(const struct ns *ns, struct now now, struct ns_storm_report *report)
{
	const struct ns_storm *storm = &ns->storm;
	struct ns_join_look look = ns_join_load_look(&storm->load, now.mono, NS_STORM_LOOK);
	*report = (struct ns_storm_report){
		.on = storm->on,
		.since = storm->since_wall,
		.until = storm->until_wall,
		.lasts = mono_since(storm->on ? now.mono : storm->until, storm->since),
		.ended = storm->on ? 0 : mono_since(now.mono, storm->until),
		.counts = storm->counts,
		.waiting = storm->counts.devices - storm->counts.joined,
		.offered_10s = (uint32_t)look.offered,
		.answered_10s = (uint32_t)look.answered,
		.need_permille = (uint32_t)look.need_permille,
	};
	for (int cause = 0; cause < NS_STORM_CAUSE_COUNT; cause++)
		report->refused += storm->counts.refused[cause];
	for (int why = 0; why < NS_STORM_FAILURE_COUNT; why++)
		report->failed += storm->counts.failed[why];
	if (storm->on)
		estimate(storm, now.mono, report);
}
