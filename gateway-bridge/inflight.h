/* Downlinks that were sent to a gateway and wait for its TX_ACK, found by gateway and token. Bounded; each has a
 * deadline, one second after the frame's time on the air, at which silence becomes the answer (version 1 has no other).
 * A token that is random and bound to one gateway cannot be guessed by another.
 *
 * A station's are found by their diid, which is never used twice: the place in the pool below a number that counts up. */
#ifndef LAMPPOST_BRIDGE_INFLIGHT_H
#define LAMPPOST_BRIDGE_INFLIGHT_H

#include "common/base/deadlines.h"
#include "common/base/rng.h"
#include "common/base/table.h"
#include "common/lorawan/types.h"
#include "gateway-bridge/address.h"
#include "gateway-bridge/semtech_udp.h"

#define GB_INFLIGHT_MAX 4096

struct gb_inflight {
	struct deadline deadline; /* the table's */
	uint64_t id;              /* of the gw_downlink */
	uint8_t attempt;
	struct lw_eui64 gateway;
	struct gb_token token; /* zero for version 1, which has none */
	bool has_token;
	struct gb_address sent_to;
	struct mono sent_at;
	uint16_t nonce;      /* by MQTT: the other half of the downlink's number */
	uint8_t items;       /* by MQTT: attempts that were sent together; else 0 */
	uint64_t connection; /* of a station; 0: of a UDP gateway */
	int64_t diid;        /* the table's, of a station */
	bool has_second;     /* RX2 goes along: attempt + 1 */
	int64_t first_xtime; /* when the windows begin, in the station's time; 0: not in its time */
	bool untold;         /* it is sent in a way that stations say nothing about */
	bool claimed;        /* the table's: an answer was let in for it */
	uint32_t next_free;  /* the table's */
};

struct gb_inflights {
	struct gb_inflight *pool; /* owned: GB_INFLIGHT_MAX */
	uint32_t first_free;
	uint32_t count;
	int64_t rounds; /* what the next diid begins with */
	struct table by_token;
	struct deadlines deadlines;
};

void gb_inflights_init(struct gb_inflights *inflights, struct rng *rng);
void gb_inflights_release(struct gb_inflights *inflights);
/* Adds a copy of `entry` with a token drawn from `rng` if it `has_token`. Lends it until it is removed; NULL when full. */
const struct gb_inflight *gb_inflights_add(struct gb_inflights *inflights, struct rng *rng,
					   const struct gb_inflight *entry, struct mono due);
/* Whether a TX_ACK with this token is one that we asked for: once true, then no more. */
bool gb_inflights_claim(struct gb_inflights *inflights, const struct lw_eui64 *gateway,
			struct gb_token token);
/* Lends the entry that this TX_ACK answers, or NULL. */
const struct gb_inflight *gb_inflights_find(const struct gb_inflights *inflights,
					    const struct lw_eui64 *gateway, struct gb_token token);
/* Lends the entry that a station's dntxed answers, or NULL. */
const struct gb_inflight *gb_inflights_of_station(const struct gb_inflights *inflights, uint64_t connection,
						  int64_t diid);
/* Removes one of a connection into `entry`; false when it has none. */
bool gb_inflights_cut(struct gb_inflights *inflights, uint64_t connection, struct gb_inflight *entry);
void gb_inflights_remove(struct gb_inflights *inflights, const struct gb_inflight *entry);
/* Removes the first one that is due into `entry`; false when none is. */
bool gb_inflights_pop(struct gb_inflights *inflights, struct mono now, struct gb_inflight *entry);
struct mono gb_inflights_deadline(const struct gb_inflights *inflights);

#endif
