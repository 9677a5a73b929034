/* What is kept of gateways in readings.db: what came in each minute, hour and day, when each was heard last, its outages.
 *
 *	minute ──▶ rows of level 0 ──a walk, once an hour, gateway by gateway──▶ level 1 ──▶ level 2;  what is too old goes
 *
 * A minute is durable with its turn; sums of the levels above are made of what is stored, so that a restart loses nothing and
 * counts nothing twice. The walk takes a few gateways a step (no turn is long), and those that are no longer registered too,
 * so that nothing stays for ever. */
#ifndef LAMPPOST_AS_STORE_HEALTH_H
#define LAMPPOST_AS_STORE_HEALTH_H

#include "application-server/health/table.h"
#include "application-server/store.h"

#define AS_OUTAGES_KEPT 1000 /* of a gateway */
#define AS_OUTAGES_TIME (90 * 86400 * US_PER_S)

enum as_health_level { AS_HEALTH_MINUTES, AS_HEALTH_HOURS, AS_HEALTH_DAYS, AS_HEALTH_LEVELS };
/* "minute", "hour", "day". */
const char *as_health_level_name(enum as_health_level level);
int64_t as_health_level_s(enum as_health_level level);

/* How long each level is kept. */
struct as_health_kept {
	span_us spans[AS_HEALTH_LEVELS];
};

/* --- writing, within the turn's transaction; a failure spoils the turn */
/* Two looks in one minute are added up. */
enum status as_store_minute_put(struct as_store *store, const struct as_health_minute *minute) MUST_USE;
enum status as_store_heard_put(struct as_store *store, const struct as_gateway_health *row) MUST_USE;
enum status as_store_outage_put(struct as_store *store, const struct as_health_outage *outage) MUST_USE;
/* A step of the walk; `*more`: it is not at its end. Begins one when the hour is another than that of the last. */
enum status as_store_health_step(struct as_store *store, struct wall now, const struct as_health_kept *kept,
				 bool *more) MUST_USE;

/* --- reading */
/* Fills what is known of a gateway from before. */
void as_store_health_load(struct as_store *store, const struct lw_eui64 *eui, struct wall now,
			  struct as_health_mark *mark);

struct as_health_point {
	struct wall at;
	struct as_gateway_counts
		counts; /* results in groups: OK, TOO_LATE, COLLISION_PACKET, DUTY_CYCLE, NO_PATH, NO_ANSWER, OTHER */
	uint32_t offline_s;
	bool has_trip, has_drift, has_temperature;
	uint32_t trip_95_ms;
	int32_t drift_tenths_ppm, temperature_cdeg;
};
/* Points from `from` to before `to`, oldest first, at most `limit`; what is not summed yet is summed for the answer. */
enum status as_store_series(struct as_store *store, const struct lw_eui64 *eui, enum as_health_level level,
			    struct wall from, struct wall to, unsigned limit,
			    void (*each)(void *ctx, const struct as_health_point *point), void *ctx) MUST_USE;
/* Newest first. */
enum status as_store_outages(struct as_store *store, const struct lw_eui64 *eui, struct wall since,
			     unsigned limit, void (*each)(void *ctx, const struct as_health_outage *outage),
			     void *ctx) MUST_USE;

/* A keeper that keeps in this store. */
struct as_health_keeper as_store_keeper(struct as_store *store);

#endif
