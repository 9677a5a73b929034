/* What the bridge decided, by gateway, for whoever asks why (gb_rules): 32-byte records in a ring, one chain a gateway, registered
 * or not; what names no gateway that is listed stands under the EUI of zeroes.
 *
 * A flood costs little and drives nothing else out: the same verdict about the same gateway in one second is one record that
 * counts its times; what names no listed gateway gets one record a second and verdict. */
#ifndef LAMPPOST_BRIDGE_DECISIONS_H
#define LAMPPOST_BRIDGE_DECISIONS_H

#include "common/base/decision.h"
#include "gateway-bridge/gateways.h"
#include "gateway-bridge/verdicts.h"

#define GB_WHY_RECORDS 131072 /* 4 MB */
#define GB_WHY_NOBODY  (GB_KNOWN_MAX + GB_UNKNOWN_MAX)
#define GB_PRESENT_MAX 4 /* decisions about how a gateway is now, at most */

/* The numbers of a record, as the row of the verdict has them. */
struct gb_said {
	uint32_t a, b;
	uint16_t c;         /* only where the row's third number is its own */
	bool own_c;         /* it is: else c counts the times in this second */
	const uint8_t *mic; /* the last four bytes of the frame that it is about; NULL: of none. Borrowed */
};

struct gb_decisions {
	struct decision_ring ring;
	/* Of what names no listed gateway: when it was recorded last, and how often since. */
	struct mono noted[GB_VERDICT_COUNT];
	uint32_t skipped[GB_VERDICT_COUNT];
};

void gb_decisions_init(struct gb_decisions *decisions);
void gb_decisions_release(struct gb_decisions *decisions);

/* `index` of the gateway in the table (gb_gateways_index()), or GB_WHY_NOBODY. */
void gb_decisions_add(struct gb_decisions *decisions, struct now now, uint32_t index, enum gb_verdict verdict,
		      const struct gb_said *said);
/* Writes a verdict's sentence and what to do next, for whoever is told in its place; cut where it does not fit. */
void gb_verdict_say(enum gb_verdict verdict, const struct lw_eui64 *gateway, const struct gb_said *said,
		    char *text, size_t capacity);
/* How a gateway is now: fills the place-th of at most GB_PRESENT_MAX decisions, the most important first; false behind the last.
 * `began`: when the bridge did. */
bool gb_present(const struct gb_gateway *gateway, struct now now, struct mono began, unsigned place,
		struct decision *decision);

/* An IPv4 address as a number of a record; 0 stands for any other. */
uint32_t gb_address_number(const struct gb_address *address);

#endif
