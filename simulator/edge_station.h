/* The sockets of a run's stations: WebSockets over TCP or TLS, with a client certificate or a token, as each station's scenario has it. */
#ifndef LAMPPOST_SIM_EDGE_STATION_H
#define LAMPPOST_SIM_EDGE_STATION_H

#include "simulator/world.h"

#include "common/io/loop.h"

struct sim_edge_stations; /* opaque */

/* Connects the world's stations to real sockets; `start` is the time at the world's time 0. NULL where the scenario has none. Keeps
 * borrows of loop, world and scenario until freed. */
struct sim_edge_stations *sim_edge_stations_new(struct io_loop *loop, struct sim_world *world,
						struct mono start);
/* Cuts every connection. NULL is allowed. */
void sim_edge_stations_free(struct sim_edge_stations *stations);

/* Gives stations without an `lns` of their own the command line's; false: not a URI of at most 127 characters with its path. */
bool sim_edge_stations_set_lns(struct sim_scenario *scenario, const char *lns);

#endif
