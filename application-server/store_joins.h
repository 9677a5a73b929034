/* The last join attempts of each registered device, in readings.db: at most AS_ATTEMPTS_KEPT a device. Devices that are not
 * registered never come here (invariant 12): they are in memory alone (joins/joins.h). */
#ifndef LAMPPOST_AS_STORE_JOINS_H
#define LAMPPOST_AS_STORE_JOINS_H

#include "application-server/agencies/scope.h"
#include "application-server/store.h"
#include "common/proto/join_report.h"

#define AS_ATTEMPTS_KEPT 10

/* One attempt with all that is known of it. */
struct as_attempt {
	struct net_join_report report; /* what came later merged in; `times`: the sum */
	struct wall updated;
	bool has_owner;                      /* `device` is registered */
	struct net_uuid agency, application; /* application: not stored */
};

/* Adds what a report says to what is known of its attempt. */
void as_attempt_merge(struct as_attempt *attempt, const struct net_join_report *report, struct wall now);

/* Fills the attempt of that number; ST_NOT_FOUND. `*seq` is for as_store_attempt_put(). */
enum status as_store_attempt_get(struct as_store *store, const struct lw_eui64 *device, uint64_t number,
				 struct as_attempt *attempt, int64_t *seq) MUST_USE;
/* Writes it: over the row `seq`, or as a new one (0), after which the device's oldest go. */
enum status as_store_attempt_put(struct as_store *store, const struct as_attempt *attempt,
				 int64_t seq) MUST_USE;
/* Fills up to `limit` attempts of a device, newest first, as the scope shows them. */
enum status as_store_attempts(struct as_store *store, const struct as_scope *scope,
			      const struct lw_eui64 *device, struct as_attempt *attempts, size_t limit,
			      size_t *count) MUST_USE;
/* The last attempt of each device, the latest first, updated since `since`; `counts[i]` is how many of it are kept. */
enum status as_store_attempts_last(struct as_store *store, const struct as_scope *scope, struct wall since,
				   struct as_attempt *attempts, unsigned *counts, size_t limit,
				   size_t *count) MUST_USE;
/* Removes up to `limit` attempts from before `before`. */
enum status as_store_attempts_prune(struct as_store *store, struct wall before, unsigned limit) MUST_USE;

#endif
