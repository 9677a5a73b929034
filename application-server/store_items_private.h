/* What store_items.c and its statements (store_items_sql.c) share. */
#ifndef LAMPPOST_AS_STORE_ITEMS_PRIVATE_H
#define LAMPPOST_AS_STORE_ITEMS_PRIVATE_H

#include "application-server/store_items.h"
#include "application-server/store_private.h"

enum {
	ITEM_PUT,
	ITEM_GET,
	ITEM_MOVE,
	ITEM_SHED,
	CHANGE_PUT,
	CHANGE_SHED,
	CHANGE_KNOWN,
	HISTORY,
	WAITING,
	WAITING_OF_AGENCY,
	AIRTIME,
	AIRTIME_OF_AGENCY,
	QUEUED,
	FLUSHING,
	FLUSH_LAST,
	FLUSH_NEXT,
	FLUSH_ONE,
	FLUSHING_COUNT,
	LIST,
	ITEMS_LAST,
	ITEMS_PRUNE,
	ITEM_STATEMENTS
};

/* Columns of every query that reads whole items. */
enum {
	C_ROW,
	C_ITEM,
	C_DEV_EUI,
	C_AGENCY,
	C_FPORT,
	C_LENGTH,
	C_CONFIRMED,
	C_PRIORITY,
	C_EXPIRES,
	C_ENCRYPTED,
	C_FCNT_GIVEN,
	C_DIGEST,
	C_STATUS,
	C_ENDED,
	C_FLUSH,
	C_FCNT_DOWN,
	C_GATEWAY,
	C_TRIES,
	C_CAUSE,
	C_CREATED,
	C_CHANGED,
	C_PAYLOAD
};

#endif
