/* The sockets of a run's stations: WebSockets over TCP or TLS, with a client certificate or a token, as each station's scenario has it. */
#ifndef LAMPPOST_SIM_EDGE_STATION_H
#define LAMPPOST_SIM_EDGE_STATION_H

#include "simulator/edge_cups.h"
#include "simulator/world.h"

#include "common/io/loop.h"

struct sim_edge_stations; /* opaque */

/* Gives stations without an `lns` of their own the command line's, and those with a `home` what stands there. False, with a line on
 * standard error: not a URI of at most 127 characters, or a home that cannot be read. */
bool sim_edge_stations_prepare(struct sim_scenario *scenario, const char *lns);

/* Connects the world's stations to real sockets, and to CUPS those that are to ask there; `start` is the time at the world's time 0. NULL
 * where the scenario has none, or with `*failed` where a home cannot be read (told on standard error). `once`: each asks CUPS until it
 * is answered, no more. Keeps borrows of loop, world and scenario until freed. */
struct sim_edge_stations *sim_edge_stations_new(struct io_loop *loop, struct sim_world *world,
						struct mono start, bool once, bool *failed);
/* Cuts every connection. NULL is allowed. */
void sim_edge_stations_free(struct sim_edge_stations *stations);

/* Of one that asks CUPS: what came of its last question (NULL: nothing yet), what it has now, and whether it asks no more. */
const struct sim_cups_news *sim_edge_stations_news(const struct sim_edge_stations *stations, size_t gateway);
const struct sim_cups *sim_edge_stations_cups(const struct sim_edge_stations *stations, size_t gateway);
bool sim_edge_stations_settled(const struct sim_edge_stations *stations, size_t gateway);

#endif
