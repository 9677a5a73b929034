/* The table of gateways.h from inside, for gateways.c and gateways_list.c alone. */
#ifndef LAMPPOST_BRIDGE_GATEWAYS_PARTS_H
#define LAMPPOST_BRIDGE_GATEWAYS_PARTS_H

#include "gateway-bridge/gateways.h"

#define GB_GATEWAYS_POOL (GB_KNOWN_MAX + GB_UNKNOWN_MAX)

struct gb_gateways {
	struct gb_gateway *pool;         /* owned: GB_GATEWAYS_POOL */
	struct decision_ring *decisions; /* borrowed; NULL: none */
	uint32_t first_free;             /* chained by `newer` */
	uint32_t used;       /* entries of the pool that ever were in use: the rest is untouched memory */
	struct table by_eui; /* of struct slot */
	struct deadlines silences;
	uint32_t oldest, newest; /* of the unknown ones */
	span_us silent;
	uint64_t known, unknown, online, flapping;
	uint64_t version;          /* of the list */
	uint32_t mark;             /* of the list's last take-over */
	struct gw_gateway *staged; /* owned: parts that have come, grown as they come; NULL between lists */
	size_t staged_count, staged_room;
};

/* Lends an entry of the pool. */
struct gb_gateway *gb_gateways_in(const struct gb_gateways *gateways, size_t index);
/* Takes a place in the pool, which has room. */
struct gb_gateway *gb_gateways_make(struct gb_gateways *gateways, const struct lw_eui64 *eui);
void gb_gateways_discard(struct gb_gateways *gateways, struct gb_gateway *gateway);
/* An unknown one is to be so no longer. */
void gb_gateways_unchain(struct gb_gateways *gateways, struct gb_gateway *gateway);

#endif
