/* The network server's side of network.sock as a script: it takes desired state, and delivers a numbered series of events
 * of one ABP device until each is acknowledged, as a journal does. For tests of the real application server.
 *
 *	struct t_network_script *network = t_script_open(run_dir);
 *	t_script_series(network, 1000, key, dev_eui, dev_addr);
 *	t_true("all stored", t_script_run(network, t_script_all_stored, T_CEILING));
 *
 * Event n has row n, FCntUp n − 1 and the plain payload {n >> 8, n} on FPort 2. */
#ifndef LAMPPOST_TESTS_NETWORK_SCRIPT_H
#define LAMPPOST_TESTS_NETWORK_SCRIPT_H

#include "common/lorawan/types.h"
#include "common/proto/envelope.h"

struct t_network_script; /* opaque */

#define T_SCRIPT_ITEMS 1024

/* What it saw so far. */
struct t_script_seen {
	unsigned hellos;
	unsigned runs, full_runs, ends;
	unsigned profiles, devices, gateways, tombstones;
	struct net_device device; /* the last one */
	struct net_profile profile;
	unsigned enqueued;          /* repeats included */
	struct net_enqueue enqueue; /* the last one */
	size_t item_count;          /* distinct items, the first T_SCRIPT_ITEMS of them kept */
	struct net_enqueue items[T_SCRIPT_ITEMS];
	unsigned flushed;
	struct net_flush flush; /* the last one */
	unsigned sealed_count;
	struct net_sealed sealed;
	unsigned frames_wanted;          /* messages that ask for frames, not those that end it */
	struct net_frames_wanted wanted; /* the last one, of either sort */
	uint64_t stored_row;
};

struct t_network_script *t_script_open(const char *run_dir);
void t_script_free(struct t_network_script *network);
const struct t_script_seen *t_script_seen(const struct t_network_script *network);
/* Deliver rows 1 .. `count` from now on; those that are acknowledged are not sent again. */
void t_script_series(struct t_network_script *network, uint64_t count, const struct lw_key *app_s_key,
		     const char *dev_eui, uint32_t dev_addr);
/* Sends one message now; false when nobody is connected. */
bool t_script_send(struct t_network_script *network, const struct proto_message *message);
/* Runs its loop until the condition holds, or the ceiling (seconds) has passed; returns what it said last. */
bool t_script_run(struct t_network_script *network, bool (*condition)(struct t_network_script *network),
		  double ceiling);
bool t_script_all_stored(struct t_network_script *network);
/* Makes row n of a series. */
struct net_up_event t_script_event(uint64_t row, const struct lw_key *app_s_key, const char *dev_eui,
				   uint32_t dev_addr);

#endif
