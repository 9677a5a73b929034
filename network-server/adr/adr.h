/* Adaptive data rate (TS001 §4.3.1.1 leaves it to the network): what a device shall use, decided from what was heard of it. The
 * profile names the algorithm; each is a row of ns_adr_algorithms[], a function of history and limits:
 *
 *	usual   by the best signal of the last 20 frames                            adr_usual.c, where its rules stand
 *	fixed   the profile's data rate, full power, each uplink once               adr_fixed.c
 *	steady  the settings whose readings cost least, lost ones included          adr_steady.c, of new profiles
 *
 * All are asked at an uplink alone, so that a data rate is lowered only while the device is still heard: one that is not is left
 * to its own back-off. What a device refused, and what its channels, region or profile do not allow, is not in the limits.
 * Pure: history and limits in, settings, their reason and its numbers out. */
#ifndef LAMPPOST_NETWORK_SERVER_ADR_ADR_H
#define LAMPPOST_NETWORK_SERVER_ADR_ADR_H

#include "network-server/session.h"
#include "network-server/verdict.h"

#define NS_ADR_MIN     5
#define NS_ADR_NO_NEED INT16_MAX
#define NS_ADR_FRAME   30 /* bytes of a frame whose airtime is weighed */
#define NS_ADR_LISTEN  8  /* symbols of a receive window in which nothing comes */

struct ns_adr_settings {
	uint8_t dr;
	uint8_t power; /* index of TXPower: 0 the highest */
	uint8_t nb_trans;
};

struct ns_adr_limits {
	uint16_t drs;    /* bit an index: data rates that may be given */
	uint16_t powers; /* bit an index: powers that may be given */
	uint8_t max_nb_trans;
	uint8_t margin_db;
	uint8_t fixed_dr;                /* of the algorithm `fixed`, whose `drs` have at most this one */
	int16_t need_cdb[LW_DATA_RATES]; /* least SNR; NS_ADR_NO_NEED where SNR says nothing (FSK, LR-FHSS) */
	/* What a transmission costs a device, of a frame of NS_ADR_FRAME bytes; steady. */
	uint32_t airtime_us[LW_DATA_RATES];
	uint32_t listen_us[LW_DATA_RATES]; /* its two receive windows, where nothing comes */
};

struct ns_adr_input {
	const struct ns_adr_history *history; /* borrowed */
	uint32_t span;                        /* counters that the history covers, lost ones included */
	struct ns_adr_settings now;           /* what the device uses */
	struct ns_adr_limits limits;
	/* How busy a channel is around the gateway that hears the device best, by data rate (adr_load.h); steady. */
	uint16_t busy[LW_DATA_RATES];
};

enum ns_adr_reason {
	NS_ADR_KEEP,        /* nothing to gain */
	NS_ADR_TOO_FEW,     /* under NS_ADR_MIN samples */
	NS_ADR_NO_SNR,      /* the data rate has no SNR to judge by */
	NS_ADR_OUTSIDE,     /* data rate or power is not one that may be given */
	NS_ADR_FASTER,      /* data rate up, perhaps power down as well */
	NS_ADR_QUIETER,     /* power down */
	NS_ADR_LOUDER,      /* power up */
	NS_ADR_REPEATS,     /* NbTrans alone */
	NS_ADR_SLOWER,      /* data rate down, as last resort */
	NS_ADR_FIXED,       /* the profile's fixed data rate is given */
	NS_ADR_FIXED_HELD,  /* the device has it */
	NS_ADR_FIXED_NOT,   /* it may not be given: refused by the device, or no channel or region has it */
	NS_ADR_STEADY_KEEP, /* little to gain */
	NS_ADR_STEADY,      /* other settings lose less, or cost less and lose few enough */
	NS_ADR_REASON_COUNT
};
const char *ns_adr_reason_name(enum ns_adr_reason reason); /* "faster" */

/* What was decided, and the numbers it was decided by. */
struct ns_adr_decision {
	struct ns_adr_settings wanted;
	enum ns_adr_reason reason;
	int16_t snr_max_cdb, need_cdb, spare_cdb;
	int16_t steps;
	uint8_t loss_percent;
	uint8_t expect_percent; /* of readings that will be lost with what is wanted; steady */
	uint8_t crowd_percent;  /* of transmissions that are lost by collision with what is now; steady */
	uint8_t samples;
};

struct ns_adr_algorithm {
	struct ns_adr_decision (*decide)(const struct ns_adr_input *input);
};
extern const struct ns_adr_algorithm ns_adr_algorithms[NET_ADR_ALGORITHMS];
struct ns_adr_decision ns_adr_decide(enum net_adr_algorithm algorithm, const struct ns_adr_input *input);

/* A rule a reason, and the numbers that it names, from `now` to what was decided (adr_rules.c). */
extern const struct decision_rule ns_adr_rules[NS_ADR_REASON_COUNT];
struct ns_numbers ns_adr_numbers(const struct ns_adr_input *input, const struct ns_adr_decision *decision);

/* --- the history of a session --- */

/* Adds the best SNR of one transmission at `dr`; samples of another data rate go. */
void ns_adr_note(struct ns_adr_history *history, uint8_t dr, int16_t snr_cdb);
void ns_adr_clear(struct ns_adr_history *history);
/* Counters from the oldest sample of the history to the last accepted one; at most what `seen` covers. */
uint32_t ns_adr_span(const struct ns_session *session);

#endif
