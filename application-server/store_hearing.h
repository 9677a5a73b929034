/* Who hears whom, as it is kept (health/hearing.h): a row a device, and an index from a gateway to its devices that is written
 * when a device gains or loses a gateway alone. */
#ifndef LAMPPOST_AS_STORE_HEARING_H
#define LAMPPOST_AS_STORE_HEARING_H

#include "application-server/health/hearing.h"
#include "application-server/store.h"

#define AS_HEARING_DAYS 90 /* a device that was not heard for so long is forgotten */

/* An uplink of a registered device. */
void as_store_hears(struct as_store *store, const struct net_up_event *event, struct wall now);
/* Once a while: a slice of the fold that is under way, or due; and of the forgetting, once a day. `*more`: soon again. */
enum status as_store_hearing_step(struct as_store *store, struct wall now, bool *more) MUST_USE;

/* What a device is heard by, what is not folded yet included; false: by nobody that is known. */
bool as_store_hearers(struct as_store *store, int64_t dev_eui, struct as_hearing_row *row);
/* The devices that a gateway hears (or did, a while ago), in order of their EUI as SQLite keeps it, behind `after`
 * (INT64_MIN: from the first). Returns how many were filled. What was heard since the last fold is not among them. */
size_t as_store_devices_of(struct as_store *store, int64_t gateway, int64_t after, int64_t *devices,
			   size_t limit);

#endif
