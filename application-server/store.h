/* The application server's two files as one store: city.db (records, session keys, downlink items) and readings.db
 * (events, readings, cursors). Everything that an event or a request writes goes into the transaction of the loop's turn,
 * opened at the first write; as_store_commit() ends it.
 *
 * Invariant: city.db is committed before readings.db. An event counts as stored once readings.db has it, and all that it
 * needs later (a join's session key) is then durable. A crash between the two repeats the event, which is harmless: what
 * goes to city.db is the same again.
 *
 * A failing write spoils the turn: as_store_commit() then fails and the process ends. Callers need not unwind. Opaque;
 * one thread. */
#ifndef LAMPPOST_AS_STORE_H
#define LAMPPOST_AS_STORE_H

#include "common/base/rng.h"
#include "common/base/status.h"
#include "common/base/units.h"
#include "common/proto/network_messages.h"

#include <stdbool.h>

struct as_store;

struct as_store_options {
	const char *city_path; /* ":memory:" in tests */
	const char *readings_path;
	const char *vfs;  /* NULL: the system's */
	bool checkpoints; /* a checkpoint thread for each file */
	struct rng *rng;  /* the city's UUID; used during open alone */
};

/* Opens or makes both files and migrates them. ST_DATABASE, ST_IO; logged. */
enum status as_store_open(const struct as_store_options *options, struct as_store **out) MUST_USE;
void as_store_close(struct as_store *store); /* rolls back what is open; NULL is allowed */
/* Takes back every text that queries lent: a query left open would hold the WAL. Done by as_store_commit() as well. */
void as_store_release(struct as_store *store);
/* The records that an event needs are read as one snapshot until then: six queries lock the file once. */
void as_store_hold(struct as_store *store);
/* Ends the turn. ST_OK: all of it is durable. */
enum status as_store_commit(struct as_store *store) MUST_USE;

/* Makes the turn fail: nothing of it is kept, and the process ends. */
void as_store_abandon(struct as_store *store);

/* This city.db's own identity, and the version of the desired state: both as the turn sees them. */
const struct net_uuid *as_store_city(const struct as_store *store);
uint64_t as_store_version(const struct as_store *store);
/* The weaker `PRAGMA synchronous` of city.db and readings.db; 2 is FULL. */
uint64_t as_store_synchronous(struct as_store *store);

#endif
