/* Answers to "why": the recorded decisions of a device, gateway, frame or address as JSON, newest first, `{"decisions":[...]}`
 * (common/base/decision_text.h). Each costs what it shows: walks of chains are bounded, so the loop waits for none. A key or
 * a payload is in no record (invariant 5). */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_EXPLAIN_H
#define LAMPPOST_NETWORK_SERVER_WHY_EXPLAIN_H

#include "network-server/why/record.h"

#include <stdio.h>

#define NS_WHY_LIMIT     20 /* decisions in an answer, unless asked otherwise */
#define NS_WHY_LIMIT_MAX 200
#define NS_WHY_WALK      4096 /* records looked at for one answer */

/* Whom a record names, as the tables have them now. A gateway that was registered after the record is not its gateway. */
void ns_why_names(const struct ns *ns, const struct decision *decision, struct decision_names *names);

/* Each writes its answer and returns true, or writes nothing: who is asked about is not known here. `limit` is at most
 * NS_WHY_LIMIT_MAX. */
bool ns_why_device(const struct ns *ns, const struct lw_eui64 *dev_eui, unsigned limit, FILE *out);
/* Its last reception, its last downlink, and what it refused. */
bool ns_why_gateway(const struct ns *ns, const struct lw_eui64 *eui, unsigned limit, FILE *out);
/* Whose a frame is, where whoever asks knows it: one of the two, or neither. */
struct ns_why_whose {
	const struct lw_dev_addr *dev_addr; /* borrowed */
	const struct lw_eui64 *dev_eui;     /* borrowed */
};
/* Frames by their MIC, up or down. By the MIC alone found as long as no newer frame fell on its place among half a million;
 * with whose it is, as long as the device's records are kept. */
bool ns_why_frame(const struct ns *ns, const uint8_t mic[4], struct ns_why_whose whose, unsigned limit,
		  FILE *out);
/* Of the devices that have a session with this address, and of frames that no session fitted. */
bool ns_why_dev_addr(const struct ns *ns, struct lw_dev_addr dev_addr, unsigned limit, FILE *out);
/* What names no device or gateway: frames and joins of unknown devices, records, messages and callers refused. */
bool ns_why_server(const struct ns *ns, unsigned limit, FILE *out);

/* The sentence of a frame's verdict with its numbers, for who follows frames. Of a drop that keeps no record (foreign) its
 * rule's. False, nothing filled: there is none (any more). */
bool ns_why_sentence(const struct ns *ns, const uint8_t *phy, uint8_t length, const struct lw_eui64 *gateway,
		     enum ns_drop drop, char sentence[DECISION_TEXT], const char **next);

#endif
