/* Asks the gateway bridge every few seconds which gateways it hears, page by page over its admin socket, and keeps the answer in
 * live/gateways.h and health/table.h. A bridge that is away costs nothing but the knowledge. */
#ifndef LAMPPOST_AS_EDGE_LIVE_H
#define LAMPPOST_AS_EDGE_LIVE_H

#include "application-server/health/table.h"
#include "application-server/live/gateways.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

struct as_edge_live {
	struct as_live_gateways *live; /* borrowed */
	struct as_health *health;      /* borrowed; judged with every page */
	struct io_http_client *client;
	struct io_timer *timer;
	char socket[300], after[24]; /* the next page; "": the first */
	unsigned pages;              /* of this round */
};

enum status as_edge_live_open(struct as_edge_live *edge, struct io_loop *loop, struct as_live_gateways *live,
			      struct as_health *health, const char *run_dir) MUST_USE;
void as_edge_live_close(struct as_edge_live *edge);

#endif
