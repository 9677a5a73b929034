/* Adaptive data rate, the usual algorithm (TS001 §4.3.1.1 leaves it to the network): from the best signal among the last
 * 20 frames to data rate, power and repeats.
 *
 *	spare = greatest SNR of the history − what the data rate needs − margin        (fewer than 20 frames: 3 dB less)
 *	steps = spare / 3 dB, towards zero
 *	steps > 0    data rate up, a step each, as far as the limits go; what is left: power down, a step each
 *	steps < 0    power up, a step each, where the history is whole
 *	repeats      by the loss over the history (gaps in FCntUp), where it is whole:
 *
 *	                  NbTrans now   1  2  3
 *	                  under 5 %     1  1  2
 *	                  under 10 %    1  2  3
 *	                  under 30 %    2  3  3
 *	                  30 % and more 3  3  3
 *
 *	last resort  a data rate down, one step, where loss stays at 10 % or more with full power and as many repeats as
 *	             are allowed. The frames of the history show that the device is still heard: a device that is not is left to its
 *	             own back-off.
 *
 * Under NS_ADR_MIN samples nothing is decided. Pure: history and limits in, settings and their reason out. */
#ifndef LAMPPOST_NETWORK_SERVER_ADR_ADR_H
#define LAMPPOST_NETWORK_SERVER_ADR_ADR_H

#include "network-server/session.h"
#include "network-server/verdict.h"

#define NS_ADR_MIN     5
#define NS_ADR_NO_NEED INT16_MAX

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
	int16_t need_cdb[LW_DATA_RATES]; /* least SNR; NS_ADR_NO_NEED where SNR says nothing (FSK, LR-FHSS) */
};

struct ns_adr_input {
	const struct ns_adr_history *history; /* borrowed */
	uint32_t span;                        /* counters that the history covers, lost ones included */
	struct ns_adr_settings now;           /* what the device uses */
	struct ns_adr_limits limits;
};

enum ns_adr_reason {
	NS_ADR_KEEP,    /* nothing to gain */
	NS_ADR_TOO_FEW, /* under NS_ADR_MIN samples */
	NS_ADR_NO_SNR,  /* the data rate has no SNR to judge by */
	NS_ADR_OUTSIDE, /* data rate or power is not one that may be given */
	NS_ADR_FASTER,  /* data rate up, perhaps power down as well */
	NS_ADR_QUIETER, /* power down */
	NS_ADR_LOUDER,  /* power up */
	NS_ADR_REPEATS, /* NbTrans alone */
	NS_ADR_SLOWER,  /* data rate down, as last resort */
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
	uint8_t samples;
};

struct ns_adr_decision ns_adr_decide(const struct ns_adr_input *input);

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
