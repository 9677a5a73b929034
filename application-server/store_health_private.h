/* Inside store_health*.c alone: their statements. */
#ifndef LAMPPOST_AS_STORE_HEALTH_PRIVATE_H
#define LAMPPOST_AS_STORE_HEALTH_PRIVATE_H

#include "application-server/store_private.h"

enum as_health_statement {
	MINUTE_PUT,
	HEARD_PUT,
	HEARD_GET,
	OUTAGE_PUT,
	OUTAGE_OPEN,
	OUTAGES_SINCE,
	OUTAGES_LIST,
	OUTAGES_SHED,
	OUTAGES_OLD,
	MONTH_BYTES,
	NEXT_GATEWAY,
	NEXT_OUT,
	NEWEST,
	SUM_UP,
	SHED,
	SERIES,
	HEALTH_STATEMENTS
};

/* Where the sums of a level end for a gateway, in seconds since 1970; 0: there are none. */
int64_t as_store_summed_to(struct as_store *store, int64_t gateway, int level);
/* The first column of the first row; `otherwise`: there is none, or null. */
int64_t as_store_first(struct db *db, int s, int64_t otherwise);

#endif
