/* The link to network.sock: events in, acknowledgements, desired state, downlink items and sealed payloads out. */
#ifndef LAMPPOST_AS_EDGE_NETWORK_H
#define LAMPPOST_AS_EDGE_NETWORK_H

#include "application-server/application.h"
#include "application-server/joins/joins.h"
#include "application-server/replication/replica.h"
#include "common/io/link.h"
#include "common/proto/envelope.h"

#define AS_ORDERS_MAX 256

/* An order of a rejoin that the network server has not acknowledged; on another connection it is told again. */
struct as_order {
	uint64_t seq; /* in this connection; 0: not sent */
	struct net_force_rejoin order;
};

struct as_edge_network {
	struct as_application *app; /* borrowed */
	struct as_joins *joins;     /* borrowed; set after open, NULL: reports are not taken */
	/* Live frames; set after open, NULL: they are not taken. */
	void (*on_frame)(void *ctx, struct now now, const struct net_frame *frame);
	void *frame_ctx;
	struct io_loop *loop;
	struct io_link_client *link;
	struct as_replica replica;
	struct arena scratch;
	struct proto_message *in, *out; /* owned: too large for the stack */
	uint8_t *bytes;                 /* owned: PROTO_FRAME_MAX */
	bool said_hello;                /* the peer did */
	uint64_t seq;
	uint64_t acknowledged_row; /* sent in this connection */
	/* Downlink items up to this row, and requests to drop some up to that place, were handed over in this connection;
	 * all that there was when the store's items had `items_version`. */
	int64_t items_row, flushes_row;
	uint64_t items_version;
	struct as_order orders[AS_ORDERS_MAX]; /* the oldest first */
	size_t order_count;
	uint64_t malformed, connections;
};

enum status as_edge_network_open(struct as_edge_network *edge, struct io_loop *loop,
				 struct as_application *app, const char *run_dir, struct rng *rng) MUST_USE;
void as_edge_network_close(struct as_edge_network *edge);
/* After the commit: acknowledges, replicates, hands items over. Returns whether more waits for a later turn. */
bool as_edge_network_drain(struct as_edge_network *edge);
/* Tells the network server which frames a stream wants; false: it does not go out now. */
bool as_edge_network_want_frames(struct as_edge_network *edge, const struct net_frames_wanted *wanted);
/* For struct as_api; `ctx` is the edge. Keeps the order until the network server has it durably, whatever becomes of the link
 * meanwhile; only this process must not die before. False: there is no link, or AS_ORDERS_MAX wait. */
bool as_edge_network_force_rejoin(void *ctx, const struct net_force_rejoin *order);
bool as_edge_network_is_up(const struct as_edge_network *edge);

#endif
