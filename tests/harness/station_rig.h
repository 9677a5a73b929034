/* The real bridge with its listener for stations over TLS, a city's certificates, and a scripted network server (bridge_rig.h).
 *
 *	struct t_stations at;
 *	t_stations_open(&at, 500, T_STATION_FIRST, "");      500 gateways that may come by certificate, in the list
 *	struct t_swarm *swarm = t_swarm_new(&(struct t_swarm_options){.count = 500, .first_eui = T_STATION_FIRST,
 *		.port = at.port, .pki = &at.pki, .tls = at.tls});
 *	...
 *	t_stations_close(&at);
 *
 * The listening socket is the test's, handed over at every start of the bridge: it outlives it. */
#ifndef LAMPPOST_TESTS_STATION_RIG_H
#define LAMPPOST_TESTS_STATION_RIG_H

#include "tests/harness/bridge_rig.h"
#include "tests/harness/station_pki.h"
#include "tests/harness/station_swarm.h"

#define T_STATION_FIRST UINT64_C(0x0016c00100001000)

struct t_stations {
	char dir[T_DIR_MAX];
	struct t_pki pki;
	struct t_wire_tls *tls;
	struct t_bridge *rig;
	uint16_t port;
	int listener;
};

/* `settings`: more lines of section gateway-bridge. */
void t_stations_open(struct t_stations *at, unsigned gateways, uint64_t first, const char *settings);
/* The same on every address of this machine, or of the network namespace that the test made for itself. */
void t_stations_open_anywhere(struct t_stations *at, unsigned gateways, uint64_t first, const char *settings);
/* CUPS in place of the stations' listener. */
void t_stations_open_cups(struct t_stations *at, unsigned gateways, uint64_t first);
void t_stations_close(struct t_stations *at);
/* A wire to the data connection of a gateway (eui 0: to discovery), with its certificate or without; not pumped yet. */
struct t_wire *t_stations_dial(const struct t_stations *at, uint64_t eui, bool with_certificate);
/* The same with other options; port and TLS are filled, and the path unless it is given. */
struct t_wire *t_stations_dial_with(const struct t_stations *at, uint64_t eui, bool with_certificate,
				    const struct t_wire_options *options);

#endif
