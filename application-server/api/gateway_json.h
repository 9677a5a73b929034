/* A gateway's health as JSON, beside its record. Every function gives a new value. */
#ifndef LAMPPOST_AS_GATEWAY_JSON_H
#define LAMPPOST_AS_GATEWAY_JSON_H

#include "application-server/health/health.h"

#include <jansson.h>

#define AS_POSITION_FAR_M 200 /* between a position by hand and by GPS: one of them is wrong */

/* {"seconds", "received", "crc_errors", "forwarded", "dropped", "sent", "results", "moves", "reconnects", "bytes_up",
 * "bytes_down", "airtime_ms"} */
json_t *as_counts_json(const struct as_gateway_counts *counts);
json_t *as_number_or_null(bool known, double number);
/* Adds "state", "reason", "since", "says", "next_step", "last_seen", "address", "uplinks_hour", "loss_percent". */
void as_gateway_add_state(json_t *record, const struct as_gateway_health *row, struct wall now);
/* All that is known; `record` tells the position by hand and the permission's end. */
json_t *as_gateway_health_json(const struct as_gateway_health *row, const json_t *record, struct wall now);

#endif
