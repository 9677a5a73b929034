/* What became of join-requests, as the application server keeps it for whoever asks:
 *
 *	registered devices   the last attempts in readings.db (store_joins.h); each agency sees its own
 *	what is not          two tables in memory, 1,024 rows each, least recent out, gone after 24 h, for the city's
 *	                     engineers alone: requests with a JoinEUI of ours or a mistaken EUI, and foreign ones
 *	live                 a ring of the last 1,024 reports, for streams
 *
 * Identifiers of what is not registered are residents' data: they never reach a file or a log (invariant 12). */
#ifndef LAMPPOST_AS_JOINS_H
#define LAMPPOST_AS_JOINS_H

#include "application-server/joins/replays.h"
#include "application-server/store_joins.h"
#include "common/base/table.h"

#include <jansson.h>

#define AS_STRANGERS_MAX  1024 /* of each sort */
#define AS_STRANGERS_KEPT (INT64_C(86400) * US_PER_S)
#define AS_LIVE_JOINS     1024

struct as_joins {
	struct as_store *store; /* borrowed */
	struct table unknown, foreign;
	struct as_replays replays; /* of registered devices, for the alarm */
	struct as_live_join {
		uint64_t seq; /* 0: empty */
		struct as_attempt attempt;
	} * live;      /* owned ring */
	uint64_t last; /* seq of the newest */
	struct mono expired;
	uint64_t reports, strangers_replaced;
};

void as_joins_init(struct as_joins *joins, struct as_store *store, struct rng *rng);
void as_joins_release(struct as_joins *joins);
/* Takes a report of the network server. ST_DATABASE ends the process, as with every event. */
enum status as_joins_on_report(struct as_joins *joins, struct now now,
			       const struct net_join_report *report) MUST_USE;
/* Drops what is older than 24 h. */
void as_joins_expire(struct as_joins *joins, struct now now);

/* Gives a new array of what is not registered (by now) and was heard since `since`, the latest first: all of it, or what was
 * sent with a DevEUI. Only for AS_CITY: the caller checks. */
json_t *as_joins_strangers(struct as_joins *joins, struct now now, const struct lw_eui64 *dev_eui,
			   struct wall since, size_t limit);

/* Lends the report after `seq`, NULL: there is none. */
const struct as_live_join *as_joins_next(const struct as_joins *joins, uint64_t seq);

/* Gives one attempt as JSON: docs/contract.md has its members. `attempts`: how many of the device are kept; 0: not said. */
json_t *as_attempt_json(struct as_joins *joins, struct now now, const struct as_attempt *attempt,
			unsigned attempts);

#endif
