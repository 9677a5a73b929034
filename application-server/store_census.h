/* What a census of the devices reads: every device in order, and when each was heard the last few times. */
#ifndef LAMPPOST_AS_STORE_CENSUS_H
#define LAMPPOST_AS_STORE_CENSUS_H

#include "application-server/store.h"

#define AS_CENSUS_NAME 64

struct as_census_device {
	int64_t dev_eui;           /* as SQLite keeps it */
	char name[AS_CENSUS_NAME]; /* cut */
	bool enabled;
	bool waits; /* OTAA, and without a session */
};

/* Fills up to `limit` devices behind `after` (INT64_MIN: from the first), in order; `*count` of them. */
enum status as_store_census(struct as_store *store, int64_t after, unsigned limit,
			    struct as_census_device *devices, unsigned *count) MUST_USE;
/* Fills the times of a device's newest readings, the newest first; returns how many. */
unsigned as_store_heard(struct as_store *store, int64_t dev_eui, struct wall *times, unsigned limit);

#endif
