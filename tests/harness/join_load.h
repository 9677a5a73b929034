/* Devices that join, over real UDP: what `make bench-join` offers. OTAA, LoRaWAN 1.0.4, us915, SF7 on channels 8 to 15, everything
 * computed from the device's number n:
 *
 *	DevEUI   4c4a000000000000 + n      JoinEUI  4c4a4f494e000000
 *	AppKey   4a 6f 69 6e 4c 6f 61 64 | n as 8 bytes, big-endian
 *	gateway  4c504a4700000000 + g
 *
 * The frames of a run are made before it begins. Each is reported by `copies` gateways chosen by chance, each in a datagram of its
 * own, as gateways far apart do. Every copy has a tmst of its own, so that the downlink names the join. Each accept is taken with
 * a TX_ACK and looked at as its device would: it decrypts under its AppKey, its MIC is right, its window is one of its request's,
 * and its JoinNonce is greater than all before.
 *
 * Devices are taken in an order that jumps about, none twice before all had their turn; a DevNonce goes up with every turn. */
#ifndef LAMPPOST_TESTS_JOIN_LOAD_H
#define LAMPPOST_TESTS_JOIN_LOAD_H

#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define T_JOIN_LOAD_EUI UINT64_C(0x4c4a4f494e000000)

struct t_join_load; /* opaque */

struct t_join_load_options {
	uint16_t port; /* of the bridge, on 127.0.0.1 */
	uint32_t devices, gateways, copies;
};

struct t_join_run {
	double rate, seconds;
	uint32_t sent, answered;
	uint32_t wrong;          /* downlinks that no device would take: MIC, window, length */
	uint32_t repeated;       /* a JoinNonce that was not greater than all before */
	uint32_t again;          /* the same accept once more, for another window */
	uint32_t unacknowledged; /* PUSH_DATA without PUSH_ACK */
	double lag_ms;           /* how late a request left, at most */
	double took_s;           /* from the first due to the last accept */
	double cpu_s;            /* of the generator */
	/* From when a request was due to when its accept came, sorted; one for each that was answered. */
	double *latency_ms; /* owned by the load, until the next run */
};

struct lw_eui64 t_join_load_dev_eui(uint32_t device);
struct lw_key t_join_load_app_key(uint32_t device);
struct lw_eui64 t_join_load_gateway(uint32_t gateway);

/* Aborts where there is no memory or no socket. */
struct t_join_load *t_join_load_new(const struct t_join_load_options *options);
void t_join_load_free(struct t_join_load *load);
/* Sends PULL_DATA of all gateways; to be called until the bridge knows them, and every few seconds (a run does). */
void t_join_load_keep_alive(struct t_join_load *load);
/* Offers `rate` joins a second for so long, then waits until all are answered or nothing has come for `quiet_s`. */
void t_join_load_run(struct t_join_load *load, double rate, double seconds, double quiet_s,
		     struct t_join_run *run);

#endif
