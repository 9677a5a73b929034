/* What few devices were told beyond windows and channels: ADR's and the rejoin's parameters, beacon and ping slot, class,
 * and what they refused of these. A million sessions share a handful of such sets, so each distinct one is kept once and a
 * session names it by a number, as with its channels (plans.h); number 0 is the set that a device boots with. A set never
 * changes: a session that changes gets another number. Stored rows hold the set itself (session_tail.c).
 *
 * What no session names any more goes when the table is full (ns_rares_sweep()). */
#ifndef LAMPPOST_NETWORK_SERVER_RARE_H
#define LAMPPOST_NETWORK_SERVER_RARE_H

#include <stdbool.h>
#include <stdint.h>

#define NS_RARES_MAX 8192
#define NS_NO_RARE   UINT16_MAX

/* Which members a device confirmed; the others are what it boots with. */
enum ns_rare_known {
	NS_RARE_ADR_PARAM = 1,
	NS_RARE_REJOIN_TIME = 2,
	NS_RARE_REJOIN_COUNT = 4,
	NS_RARE_PING_SLOT_DR = 8,
	NS_RARE_PERIODICITY = 16
};

/* No padding: sets are compared as bytes. */
struct ns_rare {
	uint32_t beacon_freq_hz;                         /* 0: the region's */
	uint32_t ping_slot_freq_hz;                      /* 0: the region's */
	uint16_t refused_beacon_freq, refused_ping_freq; /* hash of the frequency; 0: none */
	uint16_t order;           /* ForceRejoinReq that is still to be sent, as its payload's value */
	uint8_t order_left;       /* times; 0: no order */
	uint8_t known;            /* enum ns_rare_known */
	uint8_t adr_limit_exp;    /* ADR_ACK_LIMIT = 2^n */
	uint8_t adr_delay_exp;    /* ADR_ACK_DELAY = 2^n */
	uint8_t rejoin_time_exp;  /* 2^(n+10) s */
	uint8_t rejoin_count_exp; /* 2^(n+4) uplinks */
	uint8_t refused_time_exp; /* + 1; 0: none */
	uint8_t ping_slot_dr;
	uint8_t refused_ping_dr;  /* + 1; 0: none */
	uint8_t ping_periodicity; /* a slot every 2^n seconds */
	uint8_t device_mode;      /* as the device said: 0 class A, 2 class C */
	uint8_t zeros[3];
};

struct ns_rares {
	struct ns_rare *rares; /* owned, NS_RARES_MAX */
	uint8_t *used;         /* owned, NS_RARES_MAX */
	uint16_t *cells;       /* owned: hash → number + 1 */
	uint16_t high;         /* numbers from here on were never used */
	uint16_t count;
};

void ns_rares_init(struct ns_rares *rares);
void ns_rares_release(struct ns_rares *rares);
/* Returns the number of a set, which is kept if it is new; NS_NO_RARE when the table is full. */
uint16_t ns_rares_keep(struct ns_rares *rares, const struct ns_rare *rare);
/* Lends the set of a number, until the next sweep. */
const struct ns_rare *ns_rares_at(const struct ns_rares *rares, uint16_t number);
/* Forgets every set whose byte in `named` (NS_RARES_MAX of them) is 0; the others keep their numbers. */
void ns_rares_sweep(struct ns_rares *rares, const uint8_t *named);

#endif
