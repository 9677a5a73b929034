/* What the files of the world share; scenarios see world.h alone. */
#ifndef LAMPPOST_TESTS_WORLD_PARTS_H
#define LAMPPOST_TESTS_WORLD_PARTS_H

#include "common/lorawan/types.h"
#include "common/proto/network_messages.h"
#include "simulator/world.h"
#include "tests/simulation/world/machine.h"

#define WORLD_RUN_DIR "run"
#define WORLD_REGION  "eu868"
#define WORLD_NEVER   INT64_MAX

/* World time 0 on the servers' clocks. */
#define WORLD_MONO_START (1000 * US_PER_S)
#define WORLD_WALL_START (INT64_C(1790000000) * US_PER_S)

struct connection;
struct call;
struct judge;

/* A command that an agency sends. */
enum command_state { COMMAND_WAITS, COMMAND_CALLED, COMMAND_ACCEPTED, COMMAND_REFUSED };
/* By a call of the API with an id, or published to the broker with or without one. */
enum command_way { COMMAND_CALL, COMMAND_PUBLISH, COMMAND_PUBLISH_NAMELESS, COMMAND_WAYS };
struct world_command {
	struct net_uuid id;
	uint32_t device;
	bool confirmed;
	enum command_way way;
	bool named;         /* its id is known: given by the sender, or learned from the first event of it */
	uint64_t published; /* which publication of all it was */
	enum command_state state;
};

struct world {
	uint64_t seed;
	struct rng rng;        /* of the plumbing: latencies */
	struct rng fault_rng;  /* of faults */
	struct rng people_rng; /* of commands */
	struct rng sodium_rng; /* what libsodium draws */
	int64_t now_us;
	int64_t clock_jump_us; /* of the servers' wall clock */
	uint64_t sequence;
	struct world_event *queue; /* heap */
	size_t queued, queue_room;
	struct machine machines[WORLD_PROCESS_COUNT];
	bool begun, healed, broken, traced;
	char why[512], api_problem[200], api_id[40], application[40];
	uint64_t steps;
	uint64_t digest;
	int64_t join_refuses_until_us, join_slow_until_us, join_slow_us;
	uint64_t faults[WORLD_FAULT_COUNT];
	double faults_an_hour, commands_an_hour;
	bool rejoins_too, paced_joins;
	/* devices and gateways */
	unsigned device_count, gateway_count, interval_s;
	enum world_profile profiles[WORLD_DEVICES_MAX];
	struct {
		unsigned device, metres, dr;
	} placed[32];
	unsigned placed_count;
	struct sim_scenario scenario;
	struct sim_world *sim;
	struct world_backhaul backhaul;
	int64_t cut_until_us[WORLD_GATEWAYS_MAX];
	unsigned station_count;               /* the first gateways are stations */
	uint64_t sockets[WORLD_GATEWAYS_MAX]; /* a station's connection, by the bridge's id; 0: none */
	uint64_t last_socket;
	/* plumbing */
	struct io_link_server *link_servers;
	struct connection *connections;
	struct call *calls;
	uint64_t next_call;
	struct mosquitto *mqtt_clients;
	struct world_kept *kept; /* commands at the broker, not acknowledged yet */
	int last_kept;
	uint64_t publications;
	uint64_t last_mqtt;
	int64_t broker_away_until_us;
	double broker_leaves_s; /* with the next event that comes to it, for so long; 0: it does not */
	/* what outlives the processes: keys in their files, the bridge's list */
	struct world_keys *keys;
	struct world_list *list;
	/* people */
	struct world_command *commands;
	size_t command_count, command_room;
	struct judge *judge;
};

/* The one that lives: for what libraries call without saying for whom. */
extern struct world *world_of_now;

extern const struct machine_kind world_bridge, world_network, world_join, world_application;

/* --- world.c */
/* The first broken promise stands. */
void world_break(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* TRACE=1: what a person needs to follow a seed goes to standard output. */
void world_trace(const struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_mix(struct world *world, const void *bytes, size_t length);
void world_fault_happened(struct world *world, enum world_fault fault);

/* --- process_network.c */
/* Its verdicts and gateways, for whoever follows a seed. */
void world_trace_network(struct world *world);

/* --- broker.c */
/* An agency publishes a command at QoS 1; false: the broker is away. */
bool world_broker_publish(struct world *world, const char *topic, const char *body);
void world_broker_release(struct world *world);

/* --- keys.c: key files of all processes, drawn from the seed */
struct world_keys {
	struct secret_master *master[WORLD_PROCESS_COUNT];
	struct secret_box *box[WORLD_PROCESS_COUNT];
	uint8_t kek_network[16], kek_application[16];
};
void world_keys_make(struct world *world);
void world_keys_release(struct world *world);

/* --- city.c: devices and gateways, as the simulator has them and as the application server's records */
uint64_t world_dev_eui(size_t device);
void world_scenario_make(struct world *world);
void world_register(struct world *world);

/* --- process_application.c */
/* Calls a route of its API by its pattern, in its turn; the HTTP status. */
int world_api(struct world *world, const char *method, const char *pattern, const char *collection,
	      const char *id, const char *text);
/* What the application server says of an item; false: it is down, or does not know it. */
bool world_item_status(struct world *world, const struct net_uuid *id, enum net_item_status *status);

/* --- backhaul.c */
/* The simulator's port: a datagram of a gateway has passed its backhaul's usual delay. */
void world_from_gateway(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket,
			const uint8_t *bytes, size_t length);
/* A datagram of the bridge to a gateway. */
void world_to_gateway(struct world *world, size_t gateway, const uint8_t *bytes, size_t length);
/* stations.c: the same for Basics Stations, whose port world_station_act() is. */
struct gb_bridge;
void world_station_act(void *ctx, int64_t now_us, size_t gateway, const struct sim_station_act *act);
void world_bridge_serves_stations(struct gb_bridge *core);
void world_stations_empty(struct machine *machine); /* the core's outbox */
void world_stations_lose_bridge(struct world *world);
void world_station_cut(struct world *world, size_t gateway); /* no station: nothing */
void world_station_restart(struct world *world, size_t gateway);
/* process_bridge.c: its core; and what follows every event of it. */
struct gb_bridge *world_bridge_core(struct machine *machine);
void world_bridge_settle(struct machine *machine);
/* process_bridge.c: it has arrived. */
void world_bridge_datagram(struct machine *machine, size_t gateway, enum sim_socket socket,
			   const uint8_t *bytes, size_t length);

/* --- faults.c */
void world_faults_begin(struct world *world);
/* When something comes again that comes so often an hour in the mean. */
int64_t world_next_us(struct world *world, struct rng *rng, double an_hour);

/* --- people.c */
#define WORLD_COMMAND_PORT  77
#define WORLD_COMMAND_BYTES 5
void world_people_begin(struct world *world);
void world_command_payload(size_t number, uint8_t payload[WORLD_COMMAND_BYTES]);

/* --- judge */
void judge_new(struct world *world);
void judge_free(struct world *world);
/* After every step. */
void judge_step(struct world *world);
/* After the world has settled. */
void judge_end(struct world *world);
/* What the network server holds for confirmed of a device's windows, channels and repeats, and the device has otherwise, though
 * no request is in flight; NULL: nothing. Static text. */
const char *world_mac_differs(const struct world *world, unsigned index);
/* What a network server that had two quiet minutes should have cleaned up (invariant 7), or NULL. */
const char *world_journal_left(const struct world *world);
/* An event of the network server is durable (packed, as on the link). */
void judge_committed(struct world *world, const uint8_t *event, size_t length);
/* The join server has answered the network server. */
void judge_join_answer(struct world *world, const uint8_t *request, size_t request_length,
		       const uint8_t *answer, size_t answer_length);
/* The subscriber got a message. */
void judge_delivered(struct world *world, const char *topic, const uint8_t *payload, size_t length);
/* Whether every device got a reading through since `since_us`, and every item is at its end. `who` says which not. */
bool judge_all_served(struct world *world, int64_t since_us, char *who, size_t capacity);

#endif
