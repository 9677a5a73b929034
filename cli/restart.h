/* When a process that ended is started again: the first time at once, then after 0.5 s, doubling to 30 s; after a minute
 * of health the count begins anew. Pure. */
#ifndef LAMPPOST_CLI_RESTART_H
#define LAMPPOST_CLI_RESTART_H

#include "common/base/units.h"

#include <stdbool.h>

#define CLI_RESTART_FIRST_US   (500 * US_PER_MS)
#define CLI_RESTART_LONGEST_US (30 * US_PER_S)
#define CLI_RESTART_HEALTHY_US (60 * US_PER_S)

struct cli_restart {
	unsigned failures; /* ends since the last minute of health */
	bool healthy;
	struct mono healthy_since;
};

/* It answered that it is well, or that it is not. */
void cli_restart_health(struct cli_restart *restart, struct mono now, bool healthy);
/* It ended. Returns how long to wait before it is started. */
span_us cli_restart_after_end(struct cli_restart *restart, struct mono now);

#endif
