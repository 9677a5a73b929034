/* A gateway's row of GET /gateways (edge_admin.h), as JSON:
 *
 *	{"eui", "known", "online", "from", "path", "source", "silent_ms", "datagrams", "uplinks", "dropped", "moves", "flapping",
 *	 "restarts", "shared_eui", "protocol", "connected", "changed_ms", "closed"}
 *
 * and with ?health=1 beside them
 *
 *	"health": {"received", "crc_errors", "forwarded", "bytes_up", "bytes_down", "sent", "results": {NAME: n}, "opened",
 *	 "closed": {CAUSE: n}, "certificate_until", "trip_ms", "trip_95_ms", "drift_tenths_ppm", "temperature_cdeg", "acks_permille",
 *	 "stats": {"age_ms", "rx_received", "rx_ok", "rx_forwarded", "tx_received", "tx_emitted"},
 *	 "position": {"lat", "lon", "altitude_m"}, "station", "model", "firmware"}
 *
 * `path` is where its downlinks go: an address of UDP, the topic of its commands by MQTT; "": nowhere, or by the connection of a
 * station. Counters only grow while the bridge runs; "began" of the answer's head is another one after a restart. `protocol` and
 * `connected` are null where there is none: a gateway that was never heard, a protocol without connections (UDP). `closed` is
 * the cause of the last connection's end, `changed_ms` how long ago the connection opened or ended. What was not measured or
 * said is null; results and causes that never were are left out. */
#ifndef LAMPPOST_BRIDGE_EDGE_HEALTH_H
#define LAMPPOST_BRIDGE_EDGE_HEALTH_H

#include "gateway-bridge/gateways.h"

#include <stdio.h>

#define GB_HEALTH_ROWS 100 /* rows of one answer with health: a turn of the loop stays short */

/* `topic`: of its commands, where it is reached by MQTT; else "". */
void gb_write_gateway(FILE *out, const struct gb_gateway *gateway, const char *topic, struct now now,
		      bool health);

#endif
