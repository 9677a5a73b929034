/* Many Basics Stations over TLS in one thread, cheap: discovery, version, router_config, uplinks in turn, pongs. What each says is what the
 * simulated station says (simulator/station_up.c), shortened. Used as neighbours in tests of faults, and as the generator of
 * bench_gateways.
 *
 *	struct t_swarm *swarm = t_swarm_new(&options);
 *	t_swarm_pump(swarm, 100);        reads, writes, reconnects, sends what is due
 *
 * Nothing is done but by t_swarm_pump(). */
#ifndef LAMPPOST_TESTS_STATION_SWARM_H
#define LAMPPOST_TESTS_STATION_SWARM_H

#include "tests/harness/station_pki.h"
#include "tests/harness/station_wire.h"

struct t_swarm_options {
	unsigned count;
	uint64_t first_eui; /* the others follow */
	uint16_t port;
	const struct t_pki *pki;      /* NULL: clear text, without credentials */
	const struct t_wire_tls *tls; /* with `pki` */
	double uplink_every_s;        /* of each; 0: none */
	unsigned at_once;             /* connections that are being made at a time; 0: 64 */
	double back_off_s;            /* before a lost session is tried again; 0: 1 */
};

struct t_swarm_counts {
	unsigned up;     /* configured now */
	unsigned ends;   /* sessions that ended without being cut here */
	unsigned failed; /* attempts that did not come up */
	uint64_t sent;   /* uplinks */
	uint64_t pings;
};

struct t_swarm;
struct t_swarm *t_swarm_new(const struct t_swarm_options *options);
void t_swarm_free(struct t_swarm *swarm);
/* Waits so many milliseconds at most for something to do, and does all there is. */
void t_swarm_pump(struct t_swarm *swarm, int timeout_ms);
struct t_swarm_counts t_swarm_counts(const struct t_swarm *swarm);
/* Resets the first `count` connections; each dials again at once, to where it was told last. */
void t_swarm_cut(struct t_swarm *swarm, unsigned count);
/* No uplinks from now on, or again. */
void t_swarm_quiet(struct t_swarm *swarm, bool quiet);
/* Uplinks of a station so far; each has its own DevAddr, FCnt counts from 0. */
uint32_t t_swarm_sent(const struct t_swarm *swarm, unsigned station);

#endif
