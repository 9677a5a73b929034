/* Readings in readings.db, by device. A reading names the one before it of the same device, and the newest stands in
 * reading_heads.h: what is written for an uplink does not depend on how many devices there are. A walk along the chain reads a
 * row a step. Readings go by age, the oldest first, so that only the end of a chain can be missing. */
#ifndef LAMPPOST_AS_STORE_READINGS_H
#define LAMPPOST_AS_STORE_READINGS_H

#include "application-server/agencies/scope.h"
#include "application-server/store.h"

#include <jansson.h>

struct as_reading {
	struct lw_eui64 dev_eui;
	struct net_uuid agency;
	struct wall time;
	uint32_t fcnt_up;
	bool has_fport;
	uint8_t fport;
	const uint8_t *payload;
	size_t length;
	const char *object;  /* JSON text, NULL: none */
	uint8_t max_payload; /* that the next downlink holds; 0: not known */
	uint32_t next_fcnt_down;
	const char *
		held; /* JSON text: the payload is as it came, and this opens it for the agency alone; NULL: in clear */
};

/* Readings of a device, newest first, before the one of `before` (0: from the newest), as far as the scope sees them. Fills a
 * new array and the cursor of the next page (0: there is none). A page may hold fewer than `limit`, even none, and have a
 * next one: where a device changed hands, what the scope does not see is passed over in slices. A `before` that is no reading of
 * the device finds nothing. */
enum status as_store_readings(struct as_store *store, const struct as_scope *scope,
			      const struct lw_eui64 *dev_eui, uint64_t before, unsigned limit, json_t **items,
			      uint64_t *next) MUST_USE;
/* Whether a row is a reading of the device; whether the device has any. */
bool as_store_reading_is_of(struct as_store *store, const struct lw_eui64 *dev_eui, uint64_t seq);
bool as_store_has_readings(struct as_store *store, const struct lw_eui64 *dev_eui);
/* Removes up to `limit` of the oldest readings from before `before`; `*more`: there were such. */
enum status as_store_readings_prune(struct as_store *store, struct wall before, unsigned limit,
				    bool *more) MUST_USE;

/* What is known of a device's link from its last reading. */
struct as_last_seen {
	struct wall time;
	bool has_max_payload;
	uint8_t max_payload; /* longest payload that the next downlink holds, at the data rate of then */
	uint32_t
		next_fcnt_down; /* with has_max_payload: the counter that the next downlink for the application had then */
};
/* False: never heard, or only before what is kept. */
bool as_store_last_seen(struct as_store *store, const struct lw_eui64 *dev_eui, struct as_last_seen *seen);

#endif
