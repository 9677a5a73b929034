#include "application-server/retention.h"

#include "application-server/store_events.h"
#include "application-server/store_health.h"
#include "application-server/store_hearing.h"
#include "application-server/store_items.h"
#include "application-server/store_joins.h"
#include "application-server/store_ledger.h"
#include "application-server/store_readings.h"

#define PRUNE_ROWS    1000 /* removed in one step */
#define ITEMS_EVERY   (600 * US_PER_S)
#define ITEMS_KEPT    (7 * 86400 * US_PER_S)
#define ATTEMPTS_KEPT (90 * 86400 * US_PER_S)

bool as_retention_step(struct as_retention *retention, struct now now)
{
	struct as_store *store = retention->store;
	struct wall oldest_reading = {now.wall.us - retention->config->readings_kept_us};
	uint64_t kept = (uint64_t)retention->config->events_kept;
	bool more = false;
	enum status status = as_store_events_prune(store, kept, PRUNE_ROWS);
	if (status == ST_OK)
		status = as_store_readings_prune(store, oldest_reading, PRUNE_ROWS, &more);
	if (status == ST_OK &&
	    (retention->items_left || mono_since(now.mono, retention->items_pruned) > ITEMS_EVERY)) {
		retention->items_pruned = now.mono;
		status = as_store_items_prune(store, (struct wall){now.wall.us - ITEMS_KEPT}, PRUNE_ROWS,
					      &retention->items_left);
	}
	if (status == ST_OK)
		status = as_store_attempts_prune(store, (struct wall){now.wall.us - ATTEMPTS_KEPT},
						 PRUNE_ROWS);
	bool ledger = false;
	if (status == ST_OK)
		status = as_store_ledger_tick(store, now.wall, oldest_reading, &ledger);
	bool walks = false;
	const struct as_health_kept kept_series = {{retention->config->health_minutes_us,
						    retention->config->health_hours_us,
						    retention->config->health_days_us}};
	if (status == ST_OK)
		status = as_store_health_step(store, now.wall, &kept_series, &walks);
	bool hears = false;
	if (status == ST_OK)
		status = as_store_hearing_step(store, now.wall, &hears);
	if (status != ST_OK)
		as_store_abandon(store);
	return more || ledger || walks || hears || retention->items_left ||
	       as_store_events_count(store) > kept;
}
