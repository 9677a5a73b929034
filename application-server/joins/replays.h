/* Join-requests whose DevNonce was used, or is too low, counted by device for the alarm `join_replayed`: somebody sends what they
 * recorded, or a device lost its counter. From the reports of the network server, which says `dev_nonce_repeated` for late
 * copies: those are nothing. Only registered devices are counted (invariant 12).
 *
 * A device's count goes on while its refusals come within AS_REPLAY_SPAN of each other; then it is forgotten, and the alarm
 * clears. Bounded: AS_REPLAYS_MAX devices, the one heard longest ago makes room. In memory: a restart begins from the alarms that
 * the store kept. Pure. */
#ifndef LAMPPOST_AS_REPLAYS_H
#define LAMPPOST_AS_REPLAYS_H

#include "application-server/alarms/alarms.h"
#include "application-server/store_joins.h"

#define AS_REPLAYS_MAX  1024
#define AS_REPLAY_SPAN  (INT64_C(3600) * US_PER_S)
#define AS_REPLAY_NAMES 16 /* asked for in a round: each is a query */

struct as_replays {
	struct table table; /* struct as_replay by DevEUI */
};

void as_replays_init(struct as_replays *replays, struct rng *rng);
void as_replays_release(struct as_replays *replays);
/* Looks at what a report said of an attempt (merged, with its owner); counts it if it is such a refusal. */
void as_replays_on_attempt(struct as_replays *replays, struct now now, const struct as_attempt *attempt);
/* Goes on from a raised alarm that the store kept. */
void as_replays_restore(struct as_replays *replays, struct now now, const struct as_alarm *alarm);
/* A round of AS_SOURCE_JOINS. `name_of` fills a device's name, or leaves it; it is asked once for each device that was counted since the
 * round before, of AS_REPLAY_NAMES devices at most: the others are told of by their DevEUI until the next round. */
void as_replays_observe(struct as_replays *replays, struct as_alarms *alarms, struct now now,
			void (*name_of)(void *ctx, const struct lw_eui64 *dev_eui, char name[AS_ALARM_NAME]),
			void *ctx);

#endif
