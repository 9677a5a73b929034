/* CUPS in the core of gateway-bridge: who may ask. A question that is let in is answered with 200 whatever happens behind it, so
 * that a known station never looks elsewhere because something of ours is down; anybody else gets 401 and nothing. */
#ifndef LAMPPOST_BRIDGE_BRIDGE_CUPS_H
#define LAMPPOST_BRIDGE_BRIDGE_CUPS_H

#include "gateway-bridge/bridge.h"
#include "gateway-bridge/identity.h"

/* Judges a question from `from` that names `eui`, and counts and records what it says. GB_ACCEPTED, or as of gb_identity_judge(),
 * or GB_RATE_UNKNOWN: the source asks too often. What it presented and was not let in by is taken out of `presented`. */
enum gb_verdict gb_bridge_admit_cups(struct gb_bridge *bridge, struct now now, const struct lw_eui64 *eui,
				     struct gb_presented *presented, const struct gb_address *from);
/* A body that is no question (a verdict of gb_cups_question()); `length` of it. */
void gb_bridge_refuse_cups(struct gb_bridge *bridge, struct now now, enum gb_verdict verdict, size_t length,
			   const struct gb_address *from);

#endif
