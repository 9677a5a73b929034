/* The network server's side of network.sock as a script: it takes desired state, and delivers a numbered series of events
 * of one ABP device until each is acknowledged, as a journal does. For tests of the real application server.
 *
 *	struct t_network *network = t_network_open(run_dir);
 *	t_network_series(network, 1000, key, dev_eui, dev_addr);
 *	t_true("all stored", t_network_run(network, t_network_all_stored, T_CEILING));
 *
 * Event n has row n, FCntUp n − 1 and the plain payload {n >> 8, n} on FPort 2. */
#ifndef LAMPPOST_TESTS_NETWORK_SCRIPT_H
#define LAMPPOST_TESTS_NETWORK_SCRIPT_H

#include "common/lorawan/types.h"
#include "common/proto/envelope.h"

struct t_network; /* opaque */

/* What it saw so far. */
struct t_network_seen {
	unsigned hellos;
	unsigned runs, full_runs, ends;
	unsigned profiles, devices, gateways, tombstones;
	struct net_device device; /* the last one */
	struct net_profile profile;
	unsigned enqueued;
	struct net_enqueue enqueue;
	unsigned sealed_count;
	struct net_sealed sealed;
	uint64_t stored_row;
};

struct t_network *t_network_open(const char *run_dir);
void t_network_free(struct t_network *network);
const struct t_network_seen *t_network_seen(const struct t_network *network);
/* Deliver rows 1 .. `count` from now on; those that are acknowledged are not sent again. */
void t_network_series(struct t_network *network, uint64_t count, const struct lw_key *app_s_key,
		      const char *dev_eui, uint32_t dev_addr);
/* Sends one message now; false when nobody is connected. */
bool t_network_send(struct t_network *network, const struct proto_message *message);
/* Runs its loop until the condition holds, or the ceiling (seconds) has passed; returns what it said last. */
bool t_network_run(struct t_network *network, bool (*condition)(struct t_network *network), double ceiling);
bool t_network_all_stored(struct t_network *network);
/* Makes row n of a series. */
struct net_up_event t_network_event(uint64_t row, const struct lw_key *app_s_key, const char *dev_eui,
				    uint32_t dev_addr);

#endif
