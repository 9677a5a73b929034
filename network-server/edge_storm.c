/* The state of joins in /healthz and /metrics of network-server.admin.sock (join_storm.h). */
#include "network-server/edge_process.h"

#include <inttypes.h>

static const char *const storm_cause_words[NS_STORM_CAUSE_COUNT] = {
	[NS_STORM_NO_TIME] = "no_time",
	[NS_STORM_NO_AIRTIME] = "no_airtime",
	[NS_STORM_TOO_LATE] = "too_late",
	[NS_STORM_NO_PATH] = "no_path",
};

/* `more` gets members, beginning with a comma; nothing before the first storm. */
void ns_edge_storm_health(const struct ns_edge *edge, struct now now, char *warnings, size_t warnings_room,
			  char *more, size_t room)
{
	struct ns_storm_report report;
	more[0] = 0;
	if (edge->ns.storm.storms == 0)
		return;
	ns_storm_tell(&edge->ns, now, &report);
	size_t used = strlen(warnings);
	if (report.on)
		snprintf(warnings + used, warnings_room - used, "%s\"join_storm\"", used ? "," : "");
	const struct ns_storm_counts *counts = &report.counts;
	int length = snprintf(
		more, room,
		",\"join_storm\":{\"state\":\"%s\",\"storms\":%" PRIu64 ",\"lasts_s\":%" PRId64
		",\"devices\":%" PRIu64 ",\"joined\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"offered\":%" PRIu64
		",\"answered\":%" PRIu64 ",\"in_flight\":%" PRIu64 ",\"failed\":%" PRIu64
		",\"offered_10s\":%u,\"answered_10s\":%u,\"need_percent\":%u",
		report.on ? "storm" : "calm", edge->ns.storm.storms, report.lasts / US_PER_S, counts->devices,
		counts->joined, report.waiting, counts->offered, counts->answered, counts->in_flight,
		counts->failed, report.offered_10s, report.answered_10s, report.need_permille / 10);
	for (int cause = 0; cause < NS_STORM_CAUSE_COUNT; cause++)
		length += snprintf(more + length, room - (size_t)length, ",\"refused_%s\":%" PRIu64,
				   storm_cause_words[cause], counts->refused[cause]);
	if (report.has_estimate)
		length += snprintf(more + length, room - (size_t)length,
				   ",\"over_in_s\":{\"least\":%u,\"most\":%u}", report.least_s,
				   report.most_s);
	snprintf(more + length, room - (size_t)length, "}");
}

uint64_t ns_edge_storm_on(void *ctx)
{
	return ((const struct ns_edge *)ctx)->ns.storm.on;
}

uint64_t ns_edge_storm_waiting(void *ctx)
{
	const struct ns_storm *storm = &((const struct ns_edge *)ctx)->ns.storm;
	return storm->on ? storm->counts.devices - storm->counts.joined : 0;
}
