/* Alarms that reach nobody are none. */
#include "cli/doctor_judge.h"

void doctor_judge_alarms(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (!facts->channels_known)
		doctor_find(findings, DOCTOR_ALARMS_UNTOLD, NULL, "%s", "");
	else if (facts->channel_count == 0)
		doctor_find(findings, DOCTOR_ALARMS_OFF, NULL, "%s", "");
	for (size_t i = 0; i < facts->channel_count; i++) {
		const struct doctor_channel *channel = &facts->channels[i];
		if (channel->failing)
			doctor_find(findings, DOCTOR_ALARMS_FAILING, channel->name, "for %lld s: %s",
				    channel->failing_s, channel->problem);
		else if (channel->sent > 0)
			doctor_find(findings, DOCTOR_ALARMS_OK, channel->name,
				    "%lld sent, %lld attempts failed", channel->sent, channel->failed);
		else
			doctor_find(findings, DOCTOR_ALARMS_UNTRIED, channel->name, "%s", "");
	}
}
