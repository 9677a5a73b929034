/* One replica of the desired state (the network server, the join server) as this side sees it: what it has applied, and
 * what to say next. Pure: the edges carry the steps over their own kind of connection.
 *
 *	AWAY ──as_replica_wanted()──▶ READY ──behind, or full──▶ IN_RUN ──all sent──▶ READY
 *	  ▲                             │                          │
 *	  └────────as_replica_lost()────┴──────────────────────────┘
 *
 * A run is BEGIN, records in order of version, END. A run is `full` when the replica comes from another city.db, from one
 * newer than this, or is older than the tombstones kept; then removed records are left out. */
#ifndef LAMPPOST_AS_REPLICA_H
#define LAMPPOST_AS_REPLICA_H

#include "application-server/store_desired.h"

#define AS_REPLICA_BATCH 64

enum as_replica_state { AS_REPLICA_AWAY, AS_REPLICA_READY, AS_REPLICA_IN_RUN };

struct as_replica {
	enum as_replica_state state;
	bool full;              /* the run to come, or going on, is a full one */
	uint64_t sent;          /* everything up to here was sent in this connection */
	uint64_t applied;       /* what the replica said last; kept while it is away */
	uint64_t runs, records; /* counters */
	struct as_desired batch[AS_REPLICA_BATCH];
	size_t batch_at, batch_count;
};

/* The replica is there and says what it has. */
void as_replica_wanted(struct as_replica *replica, const struct as_store *store, const struct net_uuid *city,
		       uint64_t version);
/* It has made a run durable. */
void as_replica_applied(struct as_replica *replica, uint64_t version);
void as_replica_lost(struct as_replica *replica);

enum as_replica_step {
	AS_STEP_NOTHING, /* away, or up to date */
	AS_STEP_BEGIN,   /* `full` says of which kind */
	AS_STEP_RECORD,  /* `*record` is lent until the next call */
	AS_STEP_END,     /* `sent` is the version it brings to */
	AS_STEP_FAILED   /* the store failed */
};
/* Takes the next step. To be called after a commit: what it reads is then durable. */
enum as_replica_step as_replica_next(struct as_replica *replica, struct as_store *store,
				     const struct as_desired **record);

#endif
