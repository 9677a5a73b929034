/* How the devices are, all together: how many are registered, were heard in a day, are silent longer than is usual for them,
 * and wait to join. Counted when somebody asks, in slices, so that a million of them costs no turn more than a moment; what is
 * answered is the last count that was finished. Pure but for the store.
 *
 *	ask() ──▶ counting ──step(), AS_CENSUS_SLICE devices each──▶ known, until it is stale
 *
 * Usual is the median of the last gaps between a device's readings. Silent: not heard for three times that, and for
 * AS_CENSUS_PATIENCE at least; a device with fewer than two gaps, for a day. Disabled devices are neither. */
#ifndef LAMPPOST_AS_CENSUS_H
#define LAMPPOST_AS_CENSUS_H

#include "application-server/store_census.h"

#include <jansson.h>

#define AS_CENSUS_SLICE    32
#define AS_CENSUS_FRESH    US_PER_S /* and twenty times what the count took */
#define AS_CENSUS_PATIENCE (10 * 60 * US_PER_S)
#define AS_CENSUS_GAPS     5
#define AS_CENSUS_WORST    5

struct as_silent_device {
	int64_t dev_eui;
	char name[AS_CENSUS_NAME];
	struct wall heard;
	span_us usual; /* 0: not known */
	double times;  /* how many times the usual it is silent */
};

struct as_census_count {
	uint64_t registered, disabled, heard_day, silent, waiting;
	struct as_silent_device worst[AS_CENSUS_WORST]; /* the most times the usual first */
	unsigned worst_count;
};

struct as_census {
	struct as_store *store; /* borrowed */
	bool counting;
	int64_t after;
	struct as_census_count now, last;
	bool known;               /* `last` holds */
	struct mono begun, taken; /* when it was finished */
};

void as_census_init(struct as_census *census, struct as_store *store);
/* Begins a count unless a fresh one is there, and takes its first slices: a few devices are counted at once. */
void as_census_ask(struct as_census *census, struct now now);
/* One slice. Returns whether it goes on. */
bool as_census_step(struct as_census *census, struct now now);
/* Gives what is known for GET /api/v1/status; null while the first count goes on. */
json_t *as_census_json(const struct as_census *census, struct now now);

#endif
