/* What a run leaves behind: one JSON document for checkers, one line a record for people. No key is in either; payloads are those
 * of simulated sensors.
 *
 *	{"start": RFC 3339, "seconds", "digest",
 *	 "totals": {"joined", "readings", "readings_heard", "confirmed", "acknowledged", "downlinks", "repeated", "unanswered"},
 *	 "devices": [{"name", "dev_eui", "activation", "mac_version", "joined", "dev_addr", "fcnt_up",
 *	   "joins": [{"at_us", "dev_nonce", "phy", "heard_by"}],
 *	   "accepts": [{"at_us", "dev_nonce", "join_nonce", "dev_addr", "window"}],
 *	   "sent": [{"at_us", "dev_addr", "fcnt", "attempt", "fport", "payload", "reading", "confirmed", "ack", "dr", "freq_hz", "phy",
 *	             "heard_by"}],
 *	   "outcomes": [{"at_us", "fcnt", "attempts", "confirmed", "acknowledged", "reading"}],
 *	   "downlinks": [{"at_us", "result", "window", "fcnt", "counter", "fport", "payload", "confirmed", "ack", "unasked_ack"?, "phy"}]}],
 *	 "gateways": [{"eui", "heard", "ghosts", "push_data", "push_acks", "pull_data", "pull_acks", "pull_resp", "sent",
 *	               "refused": {CODE: N}, "missed": {REASON: N}, "bad_datagrams": {REASON: N}}],
 *	 "air": [{"at_us", "gateway", "token", "freq_hz", "phy"}]}
 *
 * `at_us` is world time: microseconds from the start. */
#ifndef LAMPPOST_SIM_REPORT_H
#define LAMPPOST_SIM_REPORT_H

#include "simulator/world.h"

#include <jansson.h>
#include <stdio.h>

/* Gives the document; the caller releases it. NULL without memory. */
json_t *sim_report_json(const struct sim_world *world, struct wall start, int64_t now_us);
/* Prints one line for a record. */
void sim_report_line(FILE *out, const struct sim_world *world, const struct sim_entry *entry);
/* Prints the totals and a line a device. */
void sim_report_summary(FILE *out, const struct sim_world *world, int64_t now_us);

#endif
