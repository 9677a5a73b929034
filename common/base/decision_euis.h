/* Decisions by EUI, for processes that keep no dense numbers of their own: a ring (decision.h) and a bounded table of the EUIs
 * that have records in it. A new one takes the place of the one that nothing was recorded about for the longest time, so that the
 * last verdict of each of the newest `subjects` EUIs is always there. O(1), no allocation after the start. */
#ifndef LAMPPOST_BASE_DECISION_EUIS_H
#define LAMPPOST_BASE_DECISION_EUIS_H

#include "common/base/decision.h"
#include "common/base/table.h"

struct decision_euis {
	struct decision_ring ring;
	struct table by_eui;              /* of struct slot: 8 bytes of EUI, a number */
	struct decision_euis_link *links; /* owned: one a subject, in the order of their last record */
	uint32_t subjects, used;
	uint32_t oldest, newest;
	uint64_t displaced; /* EUIs that made room: a metric */
};

/* `records` as for decision_ring_init(), of which `subjects` are at most 3/4; aborts without memory (start-up only). */
void decision_euis_init(struct decision_euis *euis, uint32_t records, uint32_t subjects, struct rng *rng);
void decision_euis_release(struct decision_euis *euis); /* harmless when zeroed */

/* Records something about an EUI (8 bytes, in any order that the caller keeps to). */
void decision_euis_add(struct decision_euis *euis, struct wall now, const uint8_t eui[8],
		       const struct decision *decision);
/* Lends the newest decision about an EUI, NULL: none; decision_older() gives those before it. */
const struct decision *decision_euis_newest(const struct decision_euis *euis, const uint8_t eui[8]);
/* Lends the EUI that a decision is about. */
const uint8_t *decision_euis_eui(const struct decision_euis *euis, const struct decision *decision);

#endif
