/* The virtual world: devices, gateways and the air between them, as one queue of events in the order of their time. It reads no clock: whoever
 * drives it says up to when it shall run. Driven by a virtual clock it simulates an hour in a blink; driven by the real one, with
 * sockets behind the port, its gateways talk to a real bridge. Every event is handled at its own time, however late the driver calls,
 * so a gateway's counter is exact in both.
 *
 * Same scenario and same datagrams from the server at the same times: same events, bit for bit; sim_world_digest() says so.
 * World time is microseconds from the start. Opaque. */
#ifndef LAMPPOST_SIM_WORLD_H
#define LAMPPOST_SIM_WORLD_H

#include "simulator/scenario.h"
#include "simulator/station.h"

#define SIM_RECORDS_MAX 1000000

/* Where datagrams of the gateways leave the world. `bytes` are lent during the call, which happens inside sim_world_run(). */
struct sim_port {
	void (*send)(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		     size_t length);
	void *ctx;
};

/* Where stations' sockets are: what a station does there, inside sim_world_run(). The act is lent. */
struct sim_station_port {
	void (*act)(void *ctx, int64_t now_us, size_t gateway, const struct sim_station_act *act);
	void *ctx;
};

/* Where MQTT clients are: what a forwarder publishes ("event/up"), inside sim_world_run(), lent; and whether its connection is
 * to be cut until told otherwise. */
struct sim_mqtt_port {
	void (*publish)(void *ctx, size_t gateway, const char *what, const uint8_t *bytes, size_t length);
	void (*cut)(void *ctx, size_t gateway, bool cut);
	void *ctx;
};

/* How a gateway with ChirpStack's MQTT forwarder fares. */
struct sim_mqtt_facts {
	bool connected;
	uint64_t connects, uplinks, stats;
	uint64_t lost;              /* said while there was no connection */
	uint64_t commands, refused; /* refused: no forwarder could carry it out, `why` of the last */
	char why[48];
};

/* A device's record and what the world knows beside it. */
struct sim_entry {
	struct sim_record record;
	uint8_t heard_by; /* uplinks: gateways that heard it */
};

/* A frame that a gateway sent. */
struct sim_air_entry {
	int64_t at_us;
	uint16_t gateway;
	uint16_t token;
	uint32_t freq_hz;
	uint8_t spreading_factor;
	uint8_t length;
	uint8_t phy[255];
};

/* Who wants to know what becomes of downlinks in the air, beside the devices' records: `sent` as one begins, with the devices that hear
 * its preamble and have locked onto it; `heard` for each of these as it ends, after the device. */
struct sim_air_port {
	void (*sent)(void *ctx, size_t gateway, const struct sim_transmission *transmission,
		     const size_t *listeners, size_t count);
	void (*heard)(void *ctx, size_t device, const struct sim_transmission *transmission,
		      enum sim_reception reception);
	void *ctx;
};

struct sim_world;

/* Builds the world of a scenario, which must live as long; `start` is the wall time at world time 0. NULL if there is no memory. */
struct sim_world *sim_world_new(const struct sim_scenario *scenario, struct wall start, struct sim_port port);
void sim_world_free(struct sim_world *world); /* NULL is allowed */

/* From now on records go there and are not kept: for worlds with more of them than memory. */
void sim_world_watch(struct sim_world *world, struct sim_sink watcher);

void sim_world_watch_air(struct sim_world *world, struct sim_air_port port);
/* Power at which a device gets a frame that a gateway sends, without fading. */
double sim_world_link_dbm(const struct sim_world *world, size_t device, size_t gateway, double power_dbm);

/* The time of the next event; SIM_NEVER for none. */
int64_t sim_world_next_us(const struct sim_world *world);
/* Handles every event up to and including `until_us`. */
void sim_world_run(struct sim_world *world, int64_t until_us);
/* A datagram from the server enters a gateway's backhaul; `now_us` is not before what was run. */
void sim_world_deliver(struct sim_world *world, int64_t now_us, size_t gateway, const uint8_t *bytes,
		       size_t length);
/* For a scenario with stations, before the first sim_world_run(). */
void sim_world_connect_stations(struct sim_world *world, struct sim_station_port port);
/* What happened at a station's socket, the one that was opened last, enters its backhaul: it stands; it ended or did not come about; a
 * text came. */
void sim_world_station_opened(struct sim_world *world, int64_t now_us, size_t gateway);
void sim_world_station_closed(struct sim_world *world, int64_t now_us, size_t gateway);
void sim_world_station_text(struct sim_world *world, int64_t now_us, size_t gateway, const char *text,
			    size_t length);
/* A station that waited, or was connected, begins anew at this URI. */
void sim_world_station_sent_to(struct sim_world *world, size_t gateway, const char *tc_uri);
/* The same for gateways that come by MQTT: their port; the client is at the broker, or is not any more; a command came. */
void sim_world_connect_mqtt(struct sim_world *world, struct sim_mqtt_port port);
void sim_world_mqtt_connected(struct sim_world *world, int64_t now_us, size_t gateway, bool connected);
void sim_world_mqtt_command(struct sim_world *world, int64_t now_us, size_t gateway, const uint8_t *bytes,
			    size_t length);
/* From now on no device begins a new frame; what is under way goes on. */
void sim_world_quieten(struct sim_world *world);
/* Whether a device still has a frame under way. */
bool sim_world_is_quiet(const struct sim_world *world);

/* A hash over all that happened. */
uint64_t sim_world_digest(const struct sim_world *world);
int64_t sim_world_measure(const struct sim_world *world, enum sim_measure measure);
/* Whether all expectations of the scenario hold; the first that does not is written to `why`. */
bool sim_world_expectations_hold(const struct sim_world *world, char *why, size_t capacity);

const struct sim_scenario *sim_world_scenario(const struct sim_world *world);
const struct sim_device *sim_world_device(const struct sim_world *world, size_t index);
const struct sim_gateway *sim_world_gateway(const struct sim_world *world, size_t index);
/* NULL for one that does not come by MQTT. */
const struct sim_mqtt_facts *sim_world_mqtt(const struct sim_world *world, size_t g);
/* NULL for one that is no station. */
const struct sim_station *sim_world_station(const struct sim_world *world, size_t g);
const struct sim_entry *sim_world_entries(const struct sim_world *world, size_t *count, uint64_t *dropped);
const struct sim_air_entry *sim_world_air(const struct sim_world *world, size_t *count);

#endif
