/* Stations' sockets around the core (bridge_station.h): one listener of WebSockets, with TLS and the city's CA.
 *
 *	GET /router-info     discovery
 *	GET /gateway/{eui}   the data connection of that gateway
 *
 * It listens when its certificate, key and CA are there (edge_tls.h), and looks for them until they are; new ones are taken over
 * while it runs. Without TLS (`station_tls: false`) it listens on a loopback address alone, for what ends TLS in front of it.
 *
 *	SIGTERM ──▶ stop(): every session gets a close frame (1012), so that its station connects anew at once ──▶ stopped() */
#ifndef LAMPPOST_BRIDGE_EDGE_STATION_H
#define LAMPPOST_BRIDGE_EDGE_STATION_H

#include "common/io/http_server.h"
#include "common/io/loop.h"
#include "common/io/websocket.h"
#include "gateway-bridge/bridge_station.h"
#include "gateway-bridge/config.h"
#include "gateway-bridge/edge_remote.h"
#include "gateway-bridge/edge_tls.h"

struct gb_station_edge {
	struct io_loop *loop;           /* borrowed */
	struct gb_bridge *bridge;       /* borrowed */
	const struct gb_config *config; /* borrowed */
	int handed_over;                /* a listening socket; 0: none */
	struct gb_tls_files files;
	struct io_http_server *server; /* NULL: not listening (yet) */
	struct io_timer *look;
	struct lw_region *regions; /* owned: all that there are */
	unsigned looks;            /* since the address was refused */
	bool waiting_said, refused, stopping;
	struct gb_station_out out; /* scratch */
	/* The process's: after every event of a station. */
	void (*after)(void *ctx, struct now now);
	struct gb_remote *remote; /* borrowed: whoever waits for a pong, a shell's words, an end */
	void *ctx;
};

/* Fills and, where it can, listens. The caller has set `after`, `ctx`, `remote`, and `handed_over`. ST_OK even where it cannot
 * listen yet, which is logged once; ST_REFUSED: plain on an address that is not loopback; ST_INVALID. */
enum status gb_station_edge_open(struct gb_station_edge *edge, struct io_loop *loop, struct gb_bridge *bridge,
				 const struct gb_config *config, const char *state_dir) MUST_USE;
/* What the core has for stations, to their sockets. */
void gb_station_edge_drain(struct gb_station_edge *edge);
/* Until when the certificate is good that stations are shown; 0: none is, since nothing listens with TLS (yet). */
struct wall gb_station_edge_certificate_until(const struct gb_station_edge *edge);
void gb_station_edge_stop(struct gb_station_edge *edge);
bool gb_station_edge_stopped(const struct gb_station_edge *edge);
void gb_station_edge_release(struct gb_station_edge *edge);

#endif
