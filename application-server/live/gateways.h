/* Which gateways are online, as the gateway bridge tells it every few seconds: beside the registry, never in it. What the
 * bridge said last is forgotten when it has not been heard for AS_LIVE_STALE, since a wrong "online" is worse than none; when
 * a gateway was heard last outlives a restart of the bridge. Pure.
 *
 *	begin() ── put() for each gateway of each page ── end(): what was not told of is not online any more */
#ifndef LAMPPOST_AS_LIVE_GATEWAYS_H
#define LAMPPOST_AS_LIVE_GATEWAYS_H

#include "common/base/table.h"
#include "common/base/units.h"
#include "common/lorawan/types.h"

#include <jansson.h>

#define AS_LIVE_MAX     12000 /* gateways; more are not told apart from those never heard */
#define AS_LIVE_STALE   (20 * US_PER_S)
#define AS_LIVE_ADDRESS 64

enum as_live_state { AS_LIVE_UNKNOWN, AS_LIVE_NEVER, AS_LIVE_SILENT, AS_LIVE_ONLINE };
/* "online", "silent", "never"; NULL for AS_LIVE_UNKNOWN. */
const char *as_live_state_name(enum as_live_state state);

struct as_live_gateway {
	struct lw_eui64 eui;
	bool registered, online;
	bool heard;                    /* ever, as far as is known */
	struct wall last;              /* when, if so */
	char address[AS_LIVE_ADDRESS]; /* that it sent from */
	uint64_t datagrams;
	unsigned round; /* that told of it last */
};

struct as_live_gateways {
	struct table table; /* struct as_live_gateway by eui */
	unsigned round;
	bool told;         /* a round was finished, ever */
	struct mono taken; /* when the last was */
};

void as_live_init(struct as_live_gateways *live, struct rng *rng);
void as_live_release(struct as_live_gateways *live);

void as_live_begin(struct as_live_gateways *live);
/* One page of the bridge's /gateways. */
void as_live_put(struct as_live_gateways *live, const json_t *page, struct now now);
void as_live_end(struct as_live_gateways *live, struct now now);

/* What is known of a gateway; `*row` is lent where there is one, else NULL. */
enum as_live_state as_live_gateway(const struct as_live_gateways *live, const struct lw_eui64 *eui,
				   struct now now, const struct as_live_gateway **row);
/* Whether the bridge was heard lately. */
bool as_live_is_fresh(const struct as_live_gateways *live, struct now now);

#endif
