/* What world.c (events), world_air.c (frames on their way) and world_measure.c (questions) share. */
#ifndef LAMPPOST_SIM_WORLD_PARTS_H
#define LAMPPOST_SIM_WORLD_PARTS_H

#include "simulator/event_queue.h"
#include "simulator/world.h"

#define SIM_RECENT_MAX 64 /* downlinks that may still interfere */

#define SIM_LISTENERS_MAX 32

/* A frame on its way through the air. */
struct sim_air {
	bool down;
	size_t source; /* device or gateway */
	uint64_t id;
	size_t entry; /* the uplink's entry; SIZE_MAX: dropped */
	struct sim_uplink uplink;
	struct sim_transmission transmission;
	size_t listeners[SIM_LISTENERS_MAX]; /* devices that listen to the downlink */
	size_t listener_count;
};

/* A downlink that may still disturb another one. */
struct sim_recent {
	size_t gateway;
	double power_dbm;
	struct sim_signal signal;
};

/* A gateway that is a station, and its connection. */
struct sim_world_station {
	struct sim_station station;
	uint32_t asked, given, first; /* connections, by number; those below `first` were cut */
	int64_t up_us, down_us;       /* when the last of what is under way arrives */
};

/* A gateway that comes by MQTT. */
struct sim_world_mqtt {
	struct sim_mqtt_facts facts;
	int64_t up_us, down_us; /* when the last of what is under way arrives */
	uint32_t uplink_id;
};

struct sim_world {
	const struct sim_scenario *scenario;
	struct sim_port port;
	struct sim_station_port station_port;
	struct sim_mqtt_port mqtt_port;
	struct sim_air_port air_port;
	struct sim_world_station **stations; /* by gateway; NULL: no station */
	struct sim_world_mqtt **mqtts;       /* by gateway; NULL: does not come by MQTT */
	struct aes *aes;
	struct sim_device *devices;
	struct sim_gateway *gateways;
	double *loss_db; /* device × gateway: distance and shadow */
	struct sim_event_queue queue;
	int64_t now_us;
	uint64_t next_id;
	bool quiet;
	uint64_t digest;
	struct sim_recent recent[SIM_RECENT_MAX];
	size_t recent_next;
	struct sim_entry *entries;
	size_t entry_count;
	size_t entry_room;
	uint64_t entries_dropped;
	struct sim_sink watcher; /* takes records in their stead */
	struct sim_air_entry *sent;
	size_t sent_count;
	size_t sent_room;
	uint64_t repeated;
	uint64_t accepted;
};

void sim_world_mix(struct sim_world *world, const void *bytes, size_t length);
/* Grows an array by doubling up to SIM_RECORDS_MAX elements; false when there is no more room. */
bool sim_world_grow(void **array, size_t *room, size_t count, size_t size);
/* Puts an event; never before now, not at all at SIM_NEVER. Takes `owned`. */
void sim_world_schedule(struct sim_world *world, int64_t at_us, enum sim_event_kind kind, size_t index,
			void *owned);
void sim_world_schedule_device(struct sim_world *world, size_t device);
/* Sends what a gateway has put out on its way, and looks when it wants to be called again. */
void sim_world_settle_gateway(struct sim_world *world, size_t gateway);

/* world_air.c. `entry` is the uplink's record, SIZE_MAX where it was dropped. */
void sim_world_uplink_starts(struct sim_world *world, size_t device, const struct sim_uplink *uplink,
			     size_t entry);
void sim_world_uplink_ends(struct sim_world *world, const struct sim_air *air);
void sim_world_downlink_starts(struct sim_world *world, size_t gateway,
			       const struct sim_transmission *transmission);
void sim_world_downlink_ends(struct sim_world *world, const struct sim_air *air);

/* world_station.c */
bool sim_world_stations_init(struct sim_world *world, struct wall start); /* false: no memory */
void sim_world_stations_free(struct sim_world *world);
void sim_world_settle_station(struct sim_world *world, size_t gateway);
/* Says what its radio has heard; whether it went to the server. */
bool sim_world_station_hears(struct sim_world *world, size_t gateway);
void sim_world_on_station(struct sim_world *world, size_t gateway);
void sim_world_on_station_up(struct sim_world *world, size_t gateway, const void *owned);
void sim_world_on_station_down(struct sim_world *world, size_t gateway, const void *owned);
/* One passage of what nothing but time is lost of: TCP sends it again. */
int64_t sim_world_passage_us(struct sim_world *world, size_t gateway);
/* A fault: its connection breaks; it starts again. */
void sim_world_station_fault(struct sim_world *world, size_t gateway, bool breaks, bool restarts);

/* world_mqtt.c */
bool sim_world_mqtts_init(struct sim_world *world); /* false: no memory */
void sim_world_mqtts_free(struct sim_world *world);
/* Publishes what its radio has heard; whether there was a connection for it. */
bool sim_world_mqtt_hears(struct sim_world *world, size_t gateway);
void sim_world_on_mqtt(struct sim_world *world, size_t gateway);
void sim_world_on_mqtt_up(struct sim_world *world, size_t gateway, const void *owned);
void sim_world_on_mqtt_down(struct sim_world *world, size_t gateway, const void *owned);
/* Its gateway went off or its backhaul down, or came back. */
void sim_world_mqtt_fault(struct sim_world *world, size_t gateway);

#endif
