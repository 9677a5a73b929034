/* What one event adds to the accounts of loss and airtime: a posting. Its stored form stands in ledger_tail until the accounts
 * hold it (store_ledger.h), so it names every fact that they need. Pure.
 *
 *	kind u8 | flags u8 | dev_eui 8 | agency 16 | gateway 8 | at i64 | airtime u32 | deaf u32 | count u32 | fcnt u32 | missed u32
 *	repairs u32 | gateways u16 | dr u8 | spreading_factor u8 | bandwidth u32 */
#ifndef LAMPPOST_AS_POSTING_H
#define LAMPPOST_AS_POSTING_H

#include "common/base/bytes.h"
#include "common/base/units.h"
#include "common/proto/network_messages.h"

#define AS_POSTING_BYTES 75

/* Numbers are stored: new kinds come at the end. */
enum as_posting_kind {
	AS_POST_UPLINK,
	AS_POST_REPEAT,
	AS_POST_JOIN_REQUEST,
	AS_POST_JOIN_ACCEPT,
	AS_POST_ITEM,
	AS_POST_MAC,
	AS_POST_KIND_COUNT
};

enum as_posting_flag {
	AS_POST_LATE = 1,          /* an uplink that was buffered: it is not the device's newest */
	AS_POST_BACK = 2,          /* a downlink that was not on the air after all */
	AS_POST_WARNED_DEVICE = 4, /* with it the device's quota of the day is spent, and that was told */
	AS_POST_WARNED_AGENCY = 8, /* likewise its agency's */
	AS_POST_FLAGS = 15
};

struct as_posting {
	enum as_posting_kind kind;
	unsigned flags;
	int64_t dev_eui; /* as SQLite keeps it */
	struct net_uuid agency;
	int64_t gateway; /* of a downlink; 0 else */
	struct wall at;  /* by the server's clock */
	uint32_t airtime_us, deaf_us;
	/* Of an uplink. */
	uint32_t count, fcnt, missed; /* net_up_event */
	uint32_t repairs;             /* a late one: the day on which its loss was booked; 0: it never was */
	uint16_t gateways;
	uint8_t dr, spreading_factor;
	uint32_t bandwidth_hz;
};

/* Days and hours since 1970. */
uint32_t as_day_of(struct wall at);
uint32_t as_hour_of(struct wall at);

void as_posting_write(const struct as_posting *posting, struct wr *wr);
/* False: malformed. */
bool as_posting_read(struct rd *rd, struct as_posting *posting);

#endif
