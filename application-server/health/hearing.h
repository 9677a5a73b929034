/* Who hears whom. Of each device a few gateways are remembered, each with how often it heard the device, how often best of all,
 * and when last: enough to say what a gateway's loss would cost. Uplinks change a bounded table in memory; when it is full, or
 * once an hour, it is folded into rows in slices (store_hearing.c), so that an uplink costs a table look-up and a device's row is
 * written once for many uplinks. Which gateways hear a device is written
 * within seconds; a crash loses what was counted since the last fold, and the counts are estimates.
 *
 * Stored form of a row, AS_HEARING_BYTES each: gateway u64 | last u32 (hours since 1970) | heard u32 | best u32. Pure. */
#ifndef LAMPPOST_AS_HEARING_H
#define LAMPPOST_AS_HEARING_H

#include "common/base/bytes.h"
#include "common/base/table.h"
#include "common/base/units.h"
#include "common/proto/network_messages.h"

#define AS_HEARERS_MAX   6
#define AS_HEARING_BYTES 20
#define AS_HEARING_MAX   24576 /* devices that changed since the last fold */
#define AS_HEARING_FRESH 4096  /* devices that a gateway heard anew; more wait for the fold */
#define AS_HEARING_HALVE \
	1000 /* at so many receptions all counts are halved: the last weeks count, not the first */

struct as_hearer {
	int64_t gateway; /* as SQLite keeps it */
	uint32_t last;   /* hours since 1970 */
	uint32_t heard, best;
};

struct as_hearing_row {
	int64_t dev_eui;
	uint8_t count;
	bool waits;                               /* in `fresh` */
	struct as_hearer hearers[AS_HEARERS_MAX]; /* the one that heard last first */
};

struct as_hearing {
	struct table tables[2]; /* as_hearing_row by dev_eui: one is filled, the other folded */
	unsigned filled;
	bool folds, full; /* a fold is under way; it began because there was no room left */
	size_t at;        /* of it */
	/* Devices of which a gateway stands in memory that may not stand in their row: they are written within seconds. */
	int64_t fresh[AS_HEARING_FRESH];
	size_t fresh_count;
	uint32_t hour; /* in which the last one began */
};

void as_hearing_init(struct as_hearing *hearing, struct rng *rng);
void as_hearing_release(struct as_hearing *hearing);
/* An uplink of a registered device: its first receptions, of which the one with the best SNR is the best. */
void as_hearing_uplink(struct as_hearing *hearing, const struct net_up_event *event, struct wall now);
/* Whether there is something to fold: the table is nearly full, or the hour has changed. Begins it. */
bool as_hearing_is_due(struct as_hearing *hearing, struct wall now);
/* Lends the next row of the fold until the next call, or NULL: it is over. */
const struct as_hearing_row *as_hearing_take(struct as_hearing *hearing);
/* A row of the fold was not worth a write: it stays for the next one, unless the fold began for want of room. */
void as_hearing_keep(struct as_hearing *hearing, const struct as_hearing_row *row);
/* Takes the next device that may have a gateway that its row does not name. False: none. */
bool as_hearing_take_fresh(struct as_hearing *hearing, int64_t *dev_eui);
/* Forgets what came of a device since the last fold: it was written. */
void as_hearing_written(struct as_hearing *hearing, int64_t dev_eui);
/* Lends what came of a device since the last fold, or NULL. */
const struct as_hearing_row *as_hearing_new(const struct as_hearing *hearing, int64_t dev_eui);
/* Whether b says something that a does not: another gateway, another day, or as much again. */
bool as_hearing_differs(const struct as_hearing_row *a, const struct as_hearing_row *b);

/* Adds b to a: the gateways that heard last stay. */
void as_hearing_merge(struct as_hearing_row *a, const struct as_hearing_row *b);
void as_hearing_write(const struct as_hearing_row *row, struct wr *wr);
/* False: malformed. */
bool as_hearing_read(struct rd *rd, struct as_hearing_row *row);

#endif
