/* Inside store_ledger*.c alone: the ledger's statements. */
#ifndef LAMPPOST_AS_STORE_LEDGER_PRIVATE_H
#define LAMPPOST_AS_STORE_LEDGER_PRIVATE_H

#include "application-server/store_private.h"

#define AS_MARK_FOLDED "folded" /* the last turn of the tail that every account holds */

enum as_ledger_statement {
	TAIL_PUT,
	TAIL_NEXT,
	TAIL_SHED,
	MARK_GET,
	MARK_PUT,
	DAY_HEARD,
	DAY_PUT,
	DAY_UPTO,
	DAY_GET,
	HEARD_PUT,
	HEARD_GET,
	HOUR_PUT,
	HOUR_UPTO,
	HOUR_GET,
	HOURS_OF_AGENCY,
	HOURS_OF_GATEWAY,
	SAID_PUT,
	SAID_LIST,
	/* Each with the statement that finds the oldest behind it. */
	PRUNE_DAYS,
	OLDEST_DAY,
	PRUNE_HOURS,
	OLDEST_HOUR,
	PRUNE_SAID,
	OLDEST_SAID,
	LEDGER_STATEMENTS
};

#endif
