/* What of a configuration that was read again the join server takes over: callers, peers, and the KEKs with the contents of
 * their files. */
#ifndef LAMPPOST_JOIN_SERVER_RELOAD_H
#define LAMPPOST_JOIN_SERVER_RELOAD_H

#include "common/text/reload.h"
#include "join-server/callers.h"
#include "join-server/edge_keys.h"

/* All or nothing; false with one line in `problem`. */
bool js_reconfigure(struct js_join *join, struct js_keys *keys, struct js_callers *callers,
		    struct js_peers *peers, const struct reload_wanted *wanted,
		    char problem[CONFIG_ERROR_MAX]);

#endif
