/* Members of a JSON object, read strictly for the station's side of LoRa Basics Station: the first thing that is wrong stays.
 *
 *	struct sim_read of = {object, config, SIM_STATION_OK};
 *	int64_t diid = sim_read_int(&of, "diid", true, INT64_MIN, INT64_MAX);
 *	if (of.verdict != SIM_STATION_OK) ...
 *
 * A member that is null counts as absent. */
#ifndef LAMPPOST_SIM_STATION_READ_H
#define LAMPPOST_SIM_STATION_READ_H

#include "simulator/station_down.h"

#include <jansson.h>

struct sim_read {
	json_t *object;
	const struct sim_station_config *config; /* what the station runs with; NULL where none is needed */
	enum sim_station_verdict verdict;
};

void sim_read_fail(struct sim_read *of, enum sim_station_verdict verdict);
json_t *sim_read_member(const struct sim_read *of, const char *name); /* borrowed; NULL: absent */
bool sim_read_has(const struct sim_read *of, const char *name);
int64_t sim_read_int(struct sim_read *of, const char *name, bool needed, int64_t min, int64_t max);
double sim_read_number(struct sim_read *of, const char *name); /* 0 where absent */
bool sim_read_bool(struct sim_read *of, const char *name);     /* false where absent */
const char *sim_read_text(struct sim_read *of, const char *name);
/* "XX-XX-XX-XX-XX-XX-XX-XX", in either case. */
void sim_read_eui(struct sim_read *of, const char *name, struct lw_eui64 *eui);

/* station_config.c: the object of a router_config. */
void sim_read_config(struct sim_read *of, struct sim_station_down *down);

#endif
