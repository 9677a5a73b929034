/* The connections of stations, for bridge_station*.c: a pool that never moves, found by the edge's id, one deadline each, and what
 * is to go out to them. What a connection means is told in bridge_station.h. Pure. */
#ifndef LAMPPOST_BRIDGE_STATIONS_H
#define LAMPPOST_BRIDGE_STATIONS_H

#include "common/base/deadlines.h"
#include "common/base/table.h"
#include "gateway-bridge/bridge_station.h"
#include "gateway-bridge/identity.h"
#include "gateway-bridge/station_clock.h"

enum gb_station_stage { GB_STATION_OPENED, GB_STATION_IS_UP };

struct gb_station {
	struct deadline deadline; /* first member; of its stage, or of its pings */
	uint64_t id;              /* 0: free */
	uint32_t next_free;
	enum gb_station_path path;
	enum gb_station_stage stage;
	bool answered; /* DISCOVERY: it may leave */
	bool stale;    /* the list has changed since it was judged */
	struct lw_eui64 eui;
	struct gb_address from;
	bool tls;
	char host[GB_STATION_URI_MAX + 1]; /* as the peer named us; "": not, or too long */
	struct gb_presented presented;
	/* DATA: what its router_config is made of. */
	const struct lw_region *region; /* NULL: none that we have */
	char region_id[GW_REGION_ID_MAX];
	char channels[GW_CHANNELS_MAX];
	enum gw_chip chip;

	struct mono opened, up;
	struct gb_station_version version;
	struct mono ping_at; /* the last ping's; 0: none yet */
	struct mono ping_due, push_due;
	bool ever_ponged;
	uint8_t owed; /* pings without a word since */
	span_us round_trip_us;
	bool asks_time;
	bool shell_runs, shell_ended; /* as it said since the last start; ended: after it ran */
	struct gb_station_clock clock;
	uint64_t texts, uplinks, downlinks, sent;
	struct mono flood_from; /* what was over the limits since then */
	uint32_t flood;
};

struct gb_stations {
	struct gb_station *pool; /* owned: GB_STATIONS_MAX */
	uint32_t first_free, used;
	uint64_t count, up;
	struct table by_id;
	struct deadlines deadlines;
	const struct lw_region *regions; /* borrowed */
	size_t region_count;
	struct gb_station_out outbox[GB_STATION_OUTBOX_MAX];
	size_t outbox_first, outbox_count;
};

struct gb_stations *gb_stations_new(struct rng *rng);
void gb_stations_free(struct gb_stations *stations);

/* Lends the connection of an id, or NULL. */
struct gb_station *gb_stations_find(const struct gb_stations *stations, uint64_t id);
/* Makes one, zeroed but for its id; NULL when there is no room. */
struct gb_station *gb_stations_add(struct gb_stations *stations, uint64_t id);
void gb_stations_remove(struct gb_stations *stations, struct gb_station *station);
/* Walks all: start with *at = 0; NULL at the end. */
struct gb_station *gb_stations_next(const struct gb_stations *stations, uint32_t *at);
void gb_stations_due(struct gb_stations *stations, struct gb_station *station, struct mono due);
/* Lends a region, or NULL. */
const struct lw_region *gb_stations_region(const struct gb_stations *stations, const char *region_id);

/* Lends room in the outbox, its kind and id filled; NULL when it is full. */
struct gb_station_out *gb_stations_post(struct gb_stations *stations, const struct gb_station *station,
					enum gb_station_out_kind kind);
/* Gives back what was posted last. */
void gb_stations_unpost(struct gb_stations *stations);
size_t gb_stations_room(const struct gb_stations *stations);

#endif
