/* The state of joins in /healthz and /metrics of network-server.admin.sock (join_storm.h). */
#include "network-server/edge_process.h"

#include "common/base/check.h"

#include <inttypes.h>

static const char *const storm_cause_words[NS_STORM_CAUSE_COUNT] = {
	[NS_STORM_NO_TIME] = "no_time",   [NS_STORM_NO_AIRTIME] = "no_airtime",
	[NS_STORM_TOO_LATE] = "too_late", [NS_STORM_NO_PATH] = "no_path",
	[NS_STORM_TOO_WEAK] = "too_weak",
};

static const char *const storm_failure_words[NS_STORM_FAILURE_COUNT] = {
	[NS_STORM_FAILED_NO] = "no",
	[NS_STORM_FAILED_SILENT] = "silent",
	[NS_STORM_FAILED_NOT_SENT] = "not_sent",
	[NS_STORM_FAILED_NO_ROOM] = "no_room",
};

static void put(char *text, size_t room, size_t *used, const char *member, uint64_t value)
{
	int length = snprintf(text + *used, room - *used, ",\"%s\":%" PRIu64, member, value);
	ASSERT(length > 0 && (size_t)length < room - *used);
	*used += (size_t)length;
}

static void put_causes(char *text, size_t room, size_t *used, const struct ns_storm_counts *counts)
{
	char member[32];
	for (int cause = 0; cause < NS_STORM_CAUSE_COUNT; cause++) {
		snprintf(member, sizeof member, "refused_%s", storm_cause_words[cause]);
		put(text, room, used, member, counts->refused[cause]);
	}
	for (int why = 0; why < NS_STORM_FAILURE_COUNT; why++) {
		snprintf(member, sizeof member, "failed_%s", storm_failure_words[why]);
		put(text, room, used, member, counts->failed[why]);
	}
}

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
	used = (size_t)snprintf(more, room, ",\"join_storm\":{\"state\":\"%s\"",
				report.on ? "storm" : "calm");
	put(more, room, &used, "storms", edge->ns.storm.storms);
	put(more, room, &used, "lasts_s", (uint64_t)(report.lasts / US_PER_S));
	if (!report.on)
		put(more, room, &used, "ended_s", (uint64_t)(report.ended / US_PER_S));
	put(more, room, &used, "devices", counts->devices);
	put(more, room, &used, "joined", counts->joined);
	put(more, room, &used, "waiting", report.waiting);
	put(more, room, &used, "offered", counts->offered);
	put(more, room, &used, "refused", report.refused);
	put(more, room, &used, "in_flight", counts->in_flight);
	put(more, room, &used, "asking", counts->asking);
	put(more, room, &used, "answered", counts->answered);
	put(more, room, &used, "failed", report.failed);
	put_causes(more, room, &used, counts);
	put(more, room, &used, "offered_10s", report.offered_10s);
	put(more, room, &used, "answered_10s", report.answered_10s);
	put(more, room, &used, "need_percent", report.need_permille / 10);
	if (report.has_estimate)
		used += (size_t)snprintf(more + used, room - used,
					 ",\"over_in_s\":{\"least\":%u,\"most\":%u}", report.least_s,
					 report.most_s);
	snprintf(more + used, room - used, "}");
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
