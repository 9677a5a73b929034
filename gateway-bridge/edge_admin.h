/* RUN/gateway-bridge.admin.sock:
 *
 *	GET /healthz    status; gateways, online, flapping, unknown; the receive buffers asked for and given; kernel_drops;
 *	                "warnings": what an engineer should look at, by name
 *	GET /metrics    edge_metrics.h
 *	GET /why/gateway/EUI, /why/frame/MIC, /why/rules    common/io/admin_why.h; the EUI of zeroes is what names no listed gateway
 *	GET /gateways   {"began": ID, "gateways": [...], "next": CURSOR or null}, rows as in edge_health.h; ?limit=1 to 1000,
 *	                ?after=CURSOR, ?state=known|unknown|online|silent|flapping, ?eui=HEX, ?health=1 (then limit 1 to 100);
 *	                ID is another one after each start: counters began anew
 *
 *	what engineers ask of a gateway (ping, run, shell): edge_remote.h
 *
 * Pages follow the order of the pool, which stays while gateways come and go: one that is there all the time stands on
 * one page. */
#ifndef LAMPPOST_BRIDGE_EDGE_ADMIN_H
#define LAMPPOST_BRIDGE_EDGE_ADMIN_H

#include "common/io/admin.h"
#include "common/io/admin_why.h"
#include "common/io/udp.h"
#include "common/text/reload.h"
#include "gateway-bridge/bridge.h"
#include "gateway-bridge/edge_metrics.h"

#define GB_ANSWER_ROWS 1000 /* gateways in one answer of GET /gateways */

struct gb_admin {
	const struct gb_bridge *bridge;         /* borrowed */
	const struct reload *reload;            /* borrowed */
	const struct gb_station_edge *stations; /* borrowed */
	struct io_udp *sockets[GB_SOCKETS_MAX];
	size_t socket_count;
	uint64_t began; /* names this start: the wall clock's microseconds then */
	struct gb_metrics metrics;
	struct io_why why;
	struct io_admin *admin;
};

/* Keeps a borrow of all until released. */
enum status gb_admin_open(struct gb_admin *admin, struct io_loop *loop, const char *path,
			  const struct gb_bridge *bridge, const struct reload *reload,
			  struct io_udp *const *sockets, size_t socket_count,
			  const struct gb_station_edge *stations) MUST_USE;
void gb_admin_release(struct gb_admin *admin); /* one that was never opened is allowed */

#endif
