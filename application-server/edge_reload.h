/* What of a configuration that was read again the application server takes over: callers, and the broker with the contents
 * of its password file. Retention is read from what is in force. */
#ifndef LAMPPOST_AS_EDGE_RELOAD_H
#define LAMPPOST_AS_EDGE_RELOAD_H

#include "application-server/edge_alarms.h"
#include "application-server/edge_api.h"
#include "application-server/edge_app_keys.h"
#include "application-server/edge_delivery.h"
#include "common/text/reload.h"

/* All or nothing; false with one line in `problem`. */
bool as_reconfigure(struct as_delivery *delivery, struct as_edge_api *edge_api, struct as_edge_alarms *alarms,
		    struct as_health *health, struct as_edge_app_keys *app_keys,
		    const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX]);

#endif
