/* The sockets of packet forwarders: datagrams into the core, its answers and downlinks out of it.
 *
 *	gateway-bridge.udp_listen, one socket an item, bound here or handed over ──▶ gb_bridge_on_datagram() ──▶ after()
 *
 * What the core says is queued at its socket and leaves at the end of the turn; a full queue drops, and counts. */
#ifndef LAMPPOST_BRIDGE_EDGE_UDP_H
#define LAMPPOST_BRIDGE_EDGE_UDP_H

#include "common/io/listen_fds.h"
#include "common/io/udp.h"
#include "gateway-bridge/bridge.h"
#include "gateway-bridge/config.h"
#include "gateway-bridge/edge_metrics.h"

struct gb_udp_edge;

struct gb_udp_socket {
	struct gb_udp_edge *edge;
	uint32_t index; /* the core's name for it */
};

struct gb_udp_edge {
	struct gb_bridge *bridge; /* borrowed */
	struct gb_udp_socket places[GB_SOCKETS_MAX];
	struct io_udp *sockets[GB_SOCKETS_MAX]; /* owned */
	size_t count;
	void (*after)(void *ctx,
		      struct now now); /* an event was handled: the core's outbox is to be emptied */
	void *ctx;
};

/* The socket of a list's item that `lamppost up` or systemd held for us; 0: none. */
int gb_take_handed(struct io_listen_fds *handed, const char *key, unsigned index, int type, const char *item);

/* Listens on all that the configuration names; `after` and `ctx` are set before. ST_IO, ST_INVALID: logged; what stands is released by
 * gb_udp_edge_close(). */
enum status gb_udp_edge_open(struct gb_udp_edge *edge, struct io_loop *loop, const struct gb_config *config,
			     struct io_listen_fds *handed, struct gb_bridge *bridge) MUST_USE;
/* Queues what the core has; whenever the outbox is emptied. */
void gb_udp_edge_take(struct gb_udp_edge *edge);
void gb_udp_edge_close(struct gb_udp_edge *edge);

#endif
