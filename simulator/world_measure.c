/* Questions to a world: counts, expectations, and what was recorded. */
#include "simulator/world_parts.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t sim_world_digest(const struct sim_world *world)
{
	return world->digest;
}

static int64_t count_entries(const struct sim_world *world, enum sim_measure measure)
{
	int64_t count = 0;
	for (size_t i = 0; i < world->entry_count; i++) {
		const struct sim_record *record = &world->entries[i].record;
		bool reading = record->kind == SIM_RECORD_UPLINK && record->reading;
		bool over = record->kind == SIM_RECORD_OUTCOME && record->confirmed;
		switch (measure) {
		case SIM_MEASURE_READINGS: count += reading && record->attempt == 1; break;
		case SIM_MEASURE_CONFIRMED: count += over; break;
		case SIM_MEASURE_ACKNOWLEDGED: count += over && record->acknowledged; break;
		default: break;
		}
	}
	return count;
}

/* A reading counts once, however many of its transmissions were heard: the repeats of a frame follow it before the
 * device's next one, so the last counter seen for a device is enough. */
static int64_t count_heard(const struct sim_world *world)
{
	int64_t count = 0;
	int64_t *last = malloc((world->scenario->device_count + 1) * sizeof *last);
	ASSERT(last != NULL);
	for (size_t d = 0; d < world->scenario->device_count; d++)
		last[d] = -1;
	for (size_t i = 0; i < world->entry_count; i++) {
		const struct sim_record *record = &world->entries[i].record;
		if (record->kind == SIM_RECORD_JOINED)
			last[record->device] = -1;
		if (record->kind != SIM_RECORD_UPLINK || !record->reading ||
		    world->entries[i].heard_by == 0 || last[record->device] == (int64_t)record->fcnt)
			continue;
		last[record->device] = record->fcnt;
		count++;
	}
	free(last);
	return count;
}

int64_t sim_world_measure(const struct sim_world *world, enum sim_measure measure)
{
	int64_t count = 0;
	switch (measure) {
	case SIM_MEASURE_JOINED:
		for (size_t d = 0; d < world->scenario->device_count; d++)
			count += world->devices[d].joined;
		return count;
	case SIM_MEASURE_HEARD: return count_heard(world);
	case SIM_MEASURE_DOWNLINKS: return (int64_t)world->accepted;
	case SIM_MEASURE_REPEATED: return (int64_t)world->repeated;
	case SIM_MEASURE_UNANSWERED:
		for (size_t g = 0; g < world->scenario->gateway_count; g++)
			count += (int64_t)(world->gateways[g].counters.push_data -
					   world->gateways[g].counters.push_acks);
		return count;
	default: return count_entries(world, measure);
	}
}

bool sim_world_expectations_hold(const struct sim_world *world, char *why, size_t capacity)
{
	for (size_t i = 0; i < world->scenario->expectation_count; i++) {
		const struct sim_expectation *wanted = &world->scenario->expectations[i];
		int64_t got = sim_world_measure(world, wanted->what);
		if (got >= wanted->at_least && got <= wanted->at_most)
			continue;
		snprintf(why, capacity, "%s: expected %lld to %lld, got %lld", sim_measure_name(wanted->what),
			 (long long)wanted->at_least, (long long)wanted->at_most, (long long)got);
		return false;
	}
	return true;
}

const struct sim_scenario *sim_world_scenario(const struct sim_world *world)
{
	return world->scenario;
}

const struct sim_device *sim_world_device(const struct sim_world *world, size_t index)
{
	return &world->devices[index];
}

const struct sim_gateway *sim_world_gateway(const struct sim_world *world, size_t index)
{
	return &world->gateways[index];
}

const struct sim_entry *sim_world_entries(const struct sim_world *world, size_t *count, uint64_t *dropped)
{
	*count = world->entry_count;
	*dropped = world->entries_dropped;
	return world->entries;
}

const struct sim_air_entry *sim_world_air(const struct sim_world *world, size_t *count)
{
	*count = world->sent_count;
	return world->sent;
}
