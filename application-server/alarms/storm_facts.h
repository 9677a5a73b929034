/* What the network server says of a join storm (docs/storm.md), as two alarms of the city: that one lasts, and that devices which
 * asked in it have not joined since. Their details are sentences for people: how many, until when, and what stands out among the
 * requests that came to nothing. Pure. */
#ifndef LAMPPOST_AS_STORM_FACTS_H
#define LAMPPOST_AS_STORM_FACTS_H

#include "application-server/alarms/alarms.h"

#include <jansson.h>

#define AS_STORM_LEFT_S 86400 /* so long after a storm those that it left are told of */

enum as_storm_cause {
	AS_STORM_NO_TIME,
	AS_STORM_NO_AIRTIME,
	AS_STORM_TOO_LATE,
	AS_STORM_NO_PATH,
	AS_STORM_TOO_WEAK,
	AS_STORM_CAUSES
};

struct as_storm {
	bool known; /* false: there was none since the network server's start */
	bool on;
	int64_t lasts_s, ended_s; /* ended_s: ago, in calm */
	int64_t devices, joined, waiting;
	int64_t answered, failed, failed_no, failed_silent;
	int64_t refused, refused_by[AS_STORM_CAUSES];
	bool has_estimate;
	int64_t least_s, most_s;
};

/* Reads `join_storm` of the network server's /healthz; without it nothing is known. Negative numbers count as 0. */
void as_storm_read(const json_t *health, struct as_storm *storm);
/* A part of a round of AS_SOURCE_PROCESSES. `unknown`: the network server does not answer, what was told last stands. */
void as_storm_observe(struct as_alarms *alarms, const struct as_storm *storm, bool unknown, struct now now);

#endif
