/* Once a minute: every gateway's counters from the bridge, what the network server plans with from that, page by page over
 * their admin sockets, into health/table.h. Pages are small and spread out, so that no turn of any loop is long. A gateway that
 * has just come into the list is looked at within seconds, by itself. */
#ifndef LAMPPOST_AS_EDGE_HEALTH_H
#define LAMPPOST_AS_EDGE_HEALTH_H

#include "application-server/health/table.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#define AS_HEALTH_PAGE 8 /* gateways of one turn */

struct as_edge_health {
	struct as_health *health; /* borrowed */
	struct io_http_client *client;
	struct io_timer *timer;
	char run_dir[256], after[24]; /* the next page; "": the first */
	bool asks_network;            /* which of the two is asked */
	bool asks_one;                /* the bridge, for a gateway that has just come */
	bool waits;                   /* for the minute to be over */
	unsigned pages;               /* of this one in this round */
	struct mono began;            /* the round */
};

enum status as_edge_health_open(struct as_edge_health *edge, struct io_loop *loop, struct as_health *health,
				const char *run_dir) MUST_USE;
void as_edge_health_close(struct as_edge_health *edge);

#endif
