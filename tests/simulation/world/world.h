/* A whole city under a virtual clock: the real cores, edges and stores of all four servers, the simulator's devices, radio and
 * gateways, and between them links, backhauls, clocks and disks that a seed breaks. A scenario is a list of verbs:
 *
 *	struct world *world = world_new(7);
 *	world_devices(world, 4, WORLD_OTAA_1_0_3);
 *	world_devices(world, 2, WORLD_ABP_1_0_3);
 *	world_gateways(world, 2);
 *	world_begin(world);
 *	world_run_hours(world, 2);
 *	world_crash(world, WORLD_NETWORK, WORLD_AFTER_COMMIT);
 *	world_cut(world, 0, 60);
 *	world_run_hours(world, 2);
 *	world_settle(world);                      faults stop, every device gets through
 *	t_str("what is promised holds", "", world_broken(world));
 *	world_free(world);
 *
 * One virtual clock and one seed decide everything: the same seed and verbs give the same digest. After every step the
 * judge (judge.h) looks at what has newly happened on the air, at the devices, at the subscriber and in the servers; the first
 * invariant that does not hold stops the world and is told by world_broken(), with the time and the device.
 *
 * What is real, what is modelled:
 *
 *	devices, radio, gateways      simulator/world.h; they share bytes and ciphers with the servers, nothing else
 *	backhauls                     modelled: lost, doubled, reordered, late, cut (backhaul.c)
 *	gateway-bridge                its core; main.c's turn is modelled (process_bridge.c), stations' sockets (stations.c)
 *	network-server                its core, its edges, its store (process_network.c)
 *	join-server                   its core and its store; main.c's routes are modelled (process_join.c)
 *	application-server            its core, its edges, its store, its API (process_application.c)
 *	common/io                     modelled: loop, timers, links, HTTP calls (machine.h); cut by a crash as sockets are
 *	disk                          tests/harness/fault_vfs.h under SQLite, one a process
 *	subscriber                    modelled: takes events in order, at least once, acknowledges late (subscriber.c) */
#ifndef LAMPPOST_TESTS_WORLD_H
#define LAMPPOST_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_DEVICES_MAX  4096
#define WORLD_GATEWAYS_MAX 16

enum world_process { WORLD_BRIDGE, WORLD_NETWORK, WORLD_JOIN, WORLD_APPLICATION, WORLD_PROCESS_COUNT };
const char *world_process_name(enum world_process process);

/* Where in its turn a process dies. */
enum world_moment {
	WORLD_BEFORE_COMMIT, /* the turn's changes are lost, nothing of it was said */
	WORLD_IN_COMMIT,     /* the power goes within the commit: what was not synced is lost or torn */
	WORLD_AFTER_COMMIT,  /* all is durable, nothing was said */
	WORLD_HALF_DRAINED,  /* some of what was to be said has left */
	WORLD_MOMENT_COUNT
};

/* Kinds of devices; the name says activation and version. */
enum world_profile {
	WORLD_OTAA_1_0_3, /* ADR, every fourth reading is confirmed */
	WORLD_OTAA_1_0_4, /* ADR, link checks, every third reading is confirmed */
	WORLD_OTAA_1_1,   /* ADR, every third reading is confirmed */
	WORLD_ABP_1_0_3,  /* every second reading is confirmed */
	WORLD_PROFILE_COUNT
};

/* Kinds of faults, each counted where it takes effect. */
enum world_fault {
	WORLD_FAULT_LOST, /* datagrams */
	WORLD_FAULT_DOUBLED,
	WORLD_FAULT_REORDERED,  /* held back for less than a second */
	WORLD_FAULT_LATE,       /* held back for seconds */
	WORLD_FAULT_CUT,        /* a backhaul was cut */
	WORLD_FAULT_CLOCK,      /* the servers' wall clock jumped */
	WORLD_FAULT_GATEWAY,    /* a gateway restarted: its counter began anew */
	WORLD_FAULT_STALL,      /* a process stood still for a while */
	WORLD_FAULT_REPLAY,     /* somebody played a recorded frame again */
	WORLD_FAULT_DEVICE,     /* a device lost its power and joined again */
	WORLD_FAULT_DEAF,       /* a device missed downlinks */
	WORLD_FAULT_BLACKOUT,   /* the power of all processes went at once */
	WORLD_FAULT_SUBSCRIBER, /* the subscriber was away */
	WORLD_FAULT_CRASH_BEFORE_COMMIT,
	WORLD_FAULT_CRASH_IN_COMMIT,
	WORLD_FAULT_CRASH_AFTER_COMMIT,
	WORLD_FAULT_CRASH_HALF_DRAINED,
	WORLD_FAULT_TORN, /* of those in a commit: some but not all of what was not synced had reached the disk */
	WORLD_FAULT_BRIDGE_CRASH,
	WORLD_FAULT_NETWORK_CRASH,
	WORLD_FAULT_JOIN_CRASH,
	WORLD_FAULT_APPLICATION_CRASH,
	WORLD_FAULT_COUNT
};
const char *world_fault_name(enum world_fault fault);

struct world;

/* --- before it begins */
struct world *world_new(uint64_t seed);
void world_free(struct world *world); /* NULL is allowed */
/* More devices of a kind, in coverage of every gateway; each has a record at the application server from the beginning. */
void world_devices(struct world *world, unsigned count, enum world_profile profile);
void world_gateways(struct world *world, unsigned count);
/* The first so many gateways are Basics Stations, with a certificate; the others speak Semtech UDP. */
void world_stations(struct world *world, unsigned count);
/* Seconds between a device's readings; 300 unless told. */
void world_interval(struct world *world, unsigned seconds);
/* Devices keep their requests to join apart, as the specification's back-off spreads them over the hour. */
void world_paced_joins(struct world *world);
/* Puts one device that far from the first gateway, at a data rate; otherwise places are drawn, and it starts as usual. */
void world_place(struct world *world, unsigned device, unsigned metres, unsigned dr);
/* What a device is set to. */
unsigned world_device_dr(const struct world *world, unsigned device);
unsigned world_device_power(const struct world *world, unsigned device);
/* After the beginning: changes members of the profile of a kind, through the API. */
void world_profile(struct world *world, enum world_profile profile, const char *body);
/* Registers everything through the API and starts the processes. */
void world_begin(struct world *world);

/* --- time passes. All return whether everything that is promised has held so far. */
bool world_run_seconds(struct world *world, double seconds);
bool world_run_hours(struct world *world, double hours);
bool world_run_days(struct world *world, double days);
/* Faults stop, what is cut or dead comes back, no new command comes; then every device must get a reading through and every
 * item must reach its end. */
bool world_settle(struct world *world);

/* --- faults */
/* The process dies at its next turn, at that moment, and is started again by its supervisor 0.1 to 2 s later. */
void world_crash(struct world *world, enum world_process process, enum world_moment moment);
/* Nothing passes a gateway's backhaul for so long. */
void world_cut(struct world *world, unsigned gateway, double seconds);
/* The servers' wall clock jumps; the monotonic one never does. */
void world_jump_clock(struct world *world, double seconds);
/* A gateway's backhaul takes so long each way. */
void world_slow(struct world *world, unsigned gateway, unsigned milliseconds);
/* The gateway's forwarder restarts. */
void world_restart_gateway(struct world *world, unsigned gateway);
/* Somebody in the middle of the city plays a frame again that a device sent some time before. */
void world_replay(struct world *world);
/* The same with the last rejoin-request of a type of one device; false: it made none. */
bool world_replay_rejoin(struct world *world, unsigned device, unsigned type);
/* A device loses its power for so long; an OTAA device joins again. */
void world_power_cycle(struct world *world, unsigned device, double seconds);
/* A device misses the next downlinks. */
void world_deafen(struct world *world, unsigned device, unsigned downlinks);
/* A device of 1.1 that has joined sends a rejoin-request of a type (0, 1, 2) when its channels are free. */
void world_rejoin(struct world *world, unsigned device, unsigned type);
/* The city orders one of it through the API; returns the HTTP status. */
int world_order_rejoin(struct world *world, unsigned device, const char *body);
/* Rejoin-requests of a type that it has sent, or accepts to them that it took. */
unsigned world_rejoins(const struct world *world, unsigned device, unsigned type, bool accepted);
/* Its address; 0: it has not joined. */
uint32_t world_device_addr(const struct world *world, unsigned device);
/* All processes lose their power at once, in the midst of whatever they write. */
void world_blackout(struct world *world);
/* The process stands still. */
void world_stall(struct world *world, enum world_process process, double seconds);
/* For so long the join server says no to whatever it is asked; takes so long to begin with each call. */
void world_join_refuses(struct world *world, double seconds);
void world_join_slows(struct world *world, double seconds, unsigned milliseconds);
/* The subscriber's broker is away. */
void world_subscriber_away(struct world *world, double seconds);
/* The same, at the moment at which the next event has almost reached it: it has not got it, and nobody says so. */
void world_subscriber_leaves(struct world *world, double seconds);
/* Datagrams of every backhaul, in thousandths. */
struct world_backhaul {
	unsigned lost, doubled, reordered, late;
};
void world_backhaul(struct world *world, struct world_backhaul backhaul);
/* All of the above, drawn from the seed, so many an hour in the mean. */
void world_faults(struct world *world, double an_hour);
/* Devices of 1.1 rejoin among them, of their own or because the city orders it. */
void world_rejoins_too(struct world *world);

/* --- people */
/* An agency sends a command to a device: through the API with an id of its own, calling again until the answer is 202, or through its
 * broker, with an id or without; the seed draws which. */
void world_send_command(struct world *world, unsigned device, bool confirmed);
/* The same, drawn from the seed, so many an hour and device in the mean. */
void world_commands(struct world *world, double an_hour);

/* --- what became of it */
/* "", or the invariant that does not hold, when and for whom. */
const char *world_broken(const struct world *world);
uint64_t world_digest(const struct world *world);
uint64_t world_count(const struct world *world, enum world_fault fault);

/* Of a gateway that is a station: times it was configured, frames that it sent, downlinks of a session that was over. */
uint64_t world_station_sessions(const struct world *world, unsigned gateway);
uint64_t world_station_sent(const struct world *world, unsigned gateway);
/* Frames on the air at that frequency. */
uint64_t world_sent_at(const struct world *world, uint32_t freq_hz);
uint64_t world_station_stale(const struct world *world, unsigned gateway);

/* What the network server says of join storms, as `lamppost status` and the alarms are told, and what is kept for them. */
struct world_storm {
	bool up;           /* false: the process does not run, all else is 0 */
	char health[1400]; /* its members of /healthz about storms, as an object; "{}" before the first */
	unsigned
		asked; /* devices that asked in the last storm; of them, those that have no session at the device */
	unsigned without_session;
	unsigned kept;    /* gateways' time that is kept for joins that the join server is asked for */
	uint64_t planned; /* transmissions at gateways that lie ahead, kept or real */
};
void world_storm(const struct world *world, struct world_storm *storm);

struct world_totals {
	uint64_t steps;               /* after each of which the judge looked */
	uint64_t readings, delivered; /* made by devices; different ones at the subscriber */
	uint64_t joins;               /* accepts that devices took */
	uint64_t sessions;            /* that the network server made, heard of or not */
	uint64_t downlinks;           /* frames on the air */
	uint64_t commands, commands_received;
	uint64_t airtime_percent; /* the most that a gateway used of a sub-band's share of an hour */
};
struct world_totals world_totals(const struct world *world);

#endif
