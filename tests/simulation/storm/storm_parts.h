/* What the parts of a storm share: the city (storm_city.c), the servers (storm_servers.c), the run (storm.c). */
#ifndef LAMPPOST_TESTS_SIMULATION_STORM_PARTS_H
#define LAMPPOST_TESTS_SIMULATION_STORM_PARTS_H

#include "gateway-bridge/bridge.h"
#include "network-server/network.h"
#include "simulator/world.h"
#include "tests/simulation/storm/storm.h"

#define STORM_BEGINS_US (1500 * US_PER_S)
#define STORM_SENSORS   UINT64_C(0x70b3d57e10000000) /* DevEUI of the first */
#define STORM_LIGHTS    UINT64_C(0x70b3d57e20000000)
#define STORM_JOIN_EUI  UINT64_C(0x70b3d57e000fffff)
#define STORM_JOIN_LAG  (4 * US_PER_MS) /* of the join server's answer */
#define STORM_CALLS     65536

struct storm_call {
	int64_t due_us;
	struct ns_join_call call;
};

/* A light's request that some gateway received. */
struct storm_heard {
	uint32_t light;
	uint16_t dev_nonce;
	uint8_t dr;
};
#define STORM_HEARD_MAX 400000

/* An accept of a light, known by its first bytes. */
#define STORM_ACCEPTS_MAX  65536u
#define STORM_ACCEPT_BYTES 17
#define STORM_UNMADE       STORM_FATE_COUNT /* no gateway was given it */
struct storm_accept {
	uint8_t phy[STORM_ACCEPT_BYTES];
	uint8_t fate; /* enum storm_fate, or STORM_UNMADE */
	uint8_t spreading_factor;
	bool rx2;
	uint16_t dev_nonce;
	uint32_t light;
	float margin_db; /* at the light, without fading */
	int64_t made_us;
};

struct storm {
	const struct storm_setup *setup;
	struct storm_result *result;
	struct sim_scenario scenario;
	struct sim_plan plan; /* the devices': with their power */
	struct sim_world *world;
	/* lights */
	int64_t *joined_us; /* by light; −1 */
	int64_t *first_us;
	struct storm_heard *heard; /* STORM_HEARD_MAX */
	uint32_t heard_count;
	uint32_t *last_heard;         /* by light: index + 1 */
	struct storm_accept *accepts; /* STORM_ACCEPTS_MAX */
	uint32_t *accept_cells;       /* index + 1 */
	uint32_t accept_count;
	/* sensors */
	uint64_t made, delivered;
	uint32_t *last_fcnt; /* by sensor; UINT32_MAX */
	/* servers */
	struct gb_bridge *bridge;
	struct rng bridge_rng, ns_rng;
	struct lw_region region;
	struct secret_master *master;
	struct secret_box *box;
	struct ns ns;
	struct aes *aes;
	struct arena arena;
	struct proto_message message;
	uint64_t seq, version;
	uint32_t join_nonce;
	struct storm_call *calls; /* ring of STORM_CALLS */
	size_t call_first, call_count;
	int64_t now_us;
};

/* Sets scenario and world; the lights' requests begin as the setup says. */
void storm_city_open(struct storm *storm);
void storm_city_close(struct storm *storm);
/* A gateway's copy of a frame on its way to the network server: a light's request is noted, once for all its copies. */
void storm_note_heard(struct storm *storm, const struct gw_uplink *uplink);
/* The most lights that could have been answered out of the requests that gateways received (storm_bound.c). */
void storm_bound(struct storm *storm);

/* storm_accepts.c: what becomes of accepts. A light's was made; it was handed to a gateway. */
void storm_accepts_open(struct storm *storm);
void storm_accepts_close(struct storm *storm);
void storm_accept_made(struct storm *storm, uint32_t light, uint16_t dev_nonce, const uint8_t *phy);
void storm_accept_handed(struct storm *storm, const uint8_t *phy);
void storm_accepts_judge(struct storm *storm);

void storm_servers_open(struct storm *storm);
void storm_servers_close(struct storm *storm);
struct now storm_now(const struct storm *storm);
void storm_datagram(struct storm *storm, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		    size_t length);
/* The earliest of their deadlines, world time. */
int64_t storm_servers_next_us(const struct storm *storm);
void storm_servers_tick(struct storm *storm);

#endif
