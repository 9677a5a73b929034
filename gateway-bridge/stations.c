#include "gateway-bridge/stations.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct row {
	uint64_t id;
	uint32_t index;
};

struct gb_stations *gb_stations_new(struct rng *rng)
{
	struct gb_stations *stations = calloc(1, sizeof *stations);
	ASSERT(stations != NULL);
	stations->pool = calloc(GB_STATIONS_MAX, sizeof *stations->pool);
	ASSERT(stations->pool != NULL);
	stations->first_free = NONE;
	table_init(&stations->by_id, GB_STATIONS_MAX, sizeof(struct row), sizeof(uint64_t), rng);
	deadlines_init(&stations->deadlines, GB_STATIONS_MAX);
	return stations;
}

void gb_stations_free(struct gb_stations *stations)
{
	if (stations == NULL)
		return;
	free(stations->pool);
	table_release(&stations->by_id);
	deadlines_release(&stations->deadlines);
	free(stations);
}

struct gb_station *gb_stations_find(const struct gb_stations *stations, uint64_t id)
{
	const struct row *row = table_get(&stations->by_id, &id);
	return row ? &stations->pool[row->index] : NULL;
}

struct gb_station *gb_stations_add(struct gb_stations *stations, uint64_t id)
{
	if (stations->count == GB_STATIONS_MAX)
		return NULL;
	uint32_t index = stations->first_free;
	if (index == NONE)
		index = stations->used++;
	else
		stations->first_free = stations->pool[index].next_free;
	bool made;
	struct row *row = table_put(&stations->by_id, &id, &made);
	ASSERT(row != NULL && made);
	row->index = index;
	stations->pool[index] = (struct gb_station){.id = id, .round_trip_us = -1};
	stations->count++;
	return &stations->pool[index];
}

void gb_stations_remove(struct gb_stations *stations, struct gb_station *station)
{
	deadlines_cancel(&stations->deadlines, &station->deadline);
	table_remove(&stations->by_id, &station->id);
	station->id = 0;
	station->next_free = stations->first_free;
	stations->first_free = (uint32_t)(station - stations->pool);
	stations->count--;
}

struct gb_station *gb_stations_next(const struct gb_stations *stations, uint32_t *at)
{
	while (*at < stations->used) {
		struct gb_station *station = &stations->pool[(*at)++];
		if (station->id != 0)
			return station;
	}
	return NULL;
}

void gb_stations_due(struct gb_stations *stations, struct gb_station *station, struct mono due)
{
	enum status status = deadlines_set(&stations->deadlines, &station->deadline, due);
	ASSERT_CMP(status, ==, ST_OK);
}

const struct lw_region *gb_stations_region(const struct gb_stations *stations, const char *region_id)
{
	for (size_t i = 0; i < stations->region_count; i++)
		if (strcmp(stations->regions[i].id, region_id) == 0)
			return &stations->regions[i];
	return NULL;
}

size_t gb_stations_room(const struct gb_stations *stations)
{
	return GB_STATION_OUTBOX_MAX - stations->outbox_count;
}

struct gb_station_out *gb_stations_post(struct gb_stations *stations, const struct gb_station *station,
					enum gb_station_out_kind kind)
{
	if (stations->outbox_count == GB_STATION_OUTBOX_MAX)
		return NULL;
	size_t at = (stations->outbox_first + stations->outbox_count++) % GB_STATION_OUTBOX_MAX;
	struct gb_station_out *out = &stations->outbox[at];
	out->kind = kind;
	out->id = station->id;
	out->code = 0;
	out->reason[0] = 0;
	out->length = 0;
	return out;
}

void gb_stations_unpost(struct gb_stations *stations)
{
	stations->outbox_count--;
}
