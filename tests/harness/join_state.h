/* A million devices that may join, written into join.db and network.db through the real stores, since provisioning them one by
 * one is not what a benchmark is about. The devices and gateways are those of join_load.h. `lamppost init` has made the keys;
 * no process runs on the state. */
#ifndef LAMPPOST_TESTS_JOIN_STATE_H
#define LAMPPOST_TESTS_JOIN_STATE_H

#include <stdint.h>

#define T_JOIN_STATE_REGION "us915"

struct t_join_state {
	const char *dir; /* borrowed: the state directory */
	uint32_t devices, gateways;
};

/* Each aborts when something fails. They share nothing: two processes may do them side by side. */
void t_join_state_fill_join(const struct t_join_state *state);
void t_join_state_fill_network(const struct t_join_state *state);

#endif
