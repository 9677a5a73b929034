/* The gateways' CA and firmware in the process: opened with the store, looked after once an hour, and when its
 * configuration has changed. */
#ifndef LAMPPOST_AS_EDGE_IDENTITY_H
#define LAMPPOST_AS_EDGE_IDENTITY_H

#include "application-server/edge_server_files.h"
#include "application-server/store_packages.h"

struct as_edge_identity {
	struct as_authority authority;
	struct as_packages *packages;   /* owned */
	const struct as_config *config; /* borrowed: as it is now */
	const char *state_dir;          /* borrowed */
	struct mono looked;
	struct option_list hosts; /* as they were then */
};

/* Loads or makes the CA, and the bridge's files, and commits. */
enum status as_edge_identity_open(struct as_edge_identity *edge, struct as_store *store,
				  const struct as_keys *keys, struct rng *rng, const struct as_config *config,
				  const char *state_dir) MUST_USE;
void as_edge_identity_close(struct as_edge_identity *edge); /* harmless on zeroes */
/* In a turn, every second. */
void as_edge_identity_tick(struct as_edge_identity *edge, struct now now);

#endif
