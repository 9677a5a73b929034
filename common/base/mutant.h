/* Faults that are built in on purpose, one at a time, to see that the world under a virtual clock notices them
 * (tests/simulation/world): `make mutants`. No ordinary build has one: MUTANT is 0 unless the build's own command line says
 * otherwise, and then it goes to a build folder of its own.
 *
 * A place in the product that can be wrong in such a way says so with two lines:
 *
 *	#if MUTANT == MUTANT_ACK_DROPPED
 *		...
 *	#endif */
#ifndef LAMPPOST_BASE_MUTANT_H
#define LAMPPOST_BASE_MUTANT_H

#ifndef MUTANT
#define MUTANT 0
#endif

#define MUTANT_REPLAY_ACCEPTED    1 /* an uplink counter that was used before is taken as new */
#define MUTANT_COUNTER_AFTER_SEND 2 /* FCntDown is not durable before its frame leaves */
#define MUTANT_ACK_DROPPED        3 /* confirmed uplinks are answered without the ACK bit */
#define MUTANT_WINDOW_TOO_LONG    4 /* deduplication waits beyond the receive windows */
#define MUTANT_KEY_OF_OLD_SESSION 5 /* after a join downlinks are signed with the key of the session before */
#define MUTANT_ROW_DELETED_EARLY  6 /* journal rows go before the application server has stored their events */
#define MUTANT_COUNTER_OF_RETRY   7 /* a confirmed downlink is sent again under the counter of its first try */
#define MUTANT_DEV_NONCE_ACCEPTED 8  /* a DevNonce is accepted a second time */
#define MUTANT_RX1_CHANNEL_OFF    9  /* RX1 goes out one channel beside its own */
#define MUTANT_RX2_RATE_OFF       10 /* RX2 goes out one data rate faster */
#define MUTANT_CFLIST_ORDER       11 /* the first two frequencies of a CFList change places */
#define MUTANT_DWELL_IGNORED      12 /* downlinks know no dwell time */
#define MUTANT_CONF_FCNT_OFF      13 /* 1.1: the MIC of an ACK names the uplink after the one acknowledged */
#define MUTANT_ACK_UNASKED        14 /* every downlink acknowledges, whether the uplink was confirmed or not */
#define MUTANT_COUNT              15

#endif
