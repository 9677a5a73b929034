/* What is kept for how long: events by number, readings by age, commands that have ended for a week, attempts to join for a
 * quarter. Removed in slices, so that no turn is long. */
#ifndef LAMPPOST_AS_RETENTION_H
#define LAMPPOST_AS_RETENTION_H

#include "application-server/config.h"
#include "application-server/store.h"
#include "common/base/units.h"

struct as_retention {
	struct as_store *store; /* borrowed */
	const struct as_config
		*config; /* borrowed; read at every step, so that a reload is seen by the next */
	struct mono items_pruned;
	bool items_left; /* the going through them is not at its end */
};

/* One slice, within the turn's transaction. Returns whether there is more to remove soon. */
bool as_retention_step(struct as_retention *retention, struct now now);

#endif
