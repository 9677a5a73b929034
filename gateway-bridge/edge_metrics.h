/* The bridge's counters as rows for /metrics, and its gateways as JSON for GET /gateways on the admin socket. */
#ifndef LAMPPOST_BRIDGE_EDGE_METRICS_H
#define LAMPPOST_BRIDGE_EDGE_METRICS_H

#include "common/io/admin.h"
#include "common/io/udp.h"
#include "gateway-bridge/bridge.h"

#define GB_SOCKETS_MAX 8
#define GB_METRICS_MAX (GB_VERDICT_COUNT + 32 + GB_SOCKETS_MAX * 8)
#define GB_ANSWER_ROWS 1000 /* gateways in one answer of GET /gateways */

struct gb_metrics {
	char verdict_labels[GB_VERDICT_COUNT][48];
	char socket_labels[GB_SOCKETS_MAX][96];
	struct io_metric rows[GB_METRICS_MAX];
	size_t count;
};

/* Fills the rows, which keep a borrow of all. */
void gb_metrics_init(struct gb_metrics *metrics, const struct gb_bridge *bridge,
		     struct io_udp *const *sockets, size_t socket_count);

/* Writes the gateways that were heard, or are registered, as a JSON array; given to the caller, who frees it. NULL: no
 * memory. */
char *gb_gateways_json(const struct gb_bridge *bridge, struct now now);

#endif
