/* The MQTT clients of a run's gateways: one for each gateway of protocol chirpstack_mqtt, with its own session, topics and last will. */
#ifndef LAMPPOST_SIM_EDGE_MQTT_H
#define LAMPPOST_SIM_EDGE_MQTT_H

#include "simulator/world.h"

#include "common/io/loop.h"

struct sim_edge_mqtts; /* opaque */

/* Gives gateways without a `broker` of their own the command line's; false: not mqtt[s]://HOST:PORT, theirs or its. */
bool sim_edge_mqtts_set_broker(struct sim_scenario *scenario, const char *broker);

/* Connects the world's forwarders to their brokers, and keeps them connected; `start` is the time at the world's time 0. NULL where the
 * scenario has none, or with `*failed` where a file cannot be read (told on standard error). Keeps borrows of all until freed. */
struct sim_edge_mqtts *sim_edge_mqtts_new(struct io_loop *loop, struct sim_world *world, struct mono start,
					  bool *failed);
/* Says OFFLINE in their names and disconnects. NULL is allowed. */
void sim_edge_mqtts_free(struct sim_edge_mqtts *mqtts);

#endif
