/* The bridge's counters as rows for /metrics. */
#ifndef LAMPPOST_BRIDGE_EDGE_METRICS_H
#define LAMPPOST_BRIDGE_EDGE_METRICS_H

#include "common/io/admin.h"
#include "common/io/udp.h"
#include "gateway-bridge/bridge_mqtt.h"
#include "gateway-bridge/edge_station.h"

#define GB_SOCKETS_MAX 8
#define GB_METRICS_MAX (GB_VERDICT_COUNT + 32 + GB_SOCKETS_MAX * 8)

struct gb_metrics {
	char verdict_labels[GB_VERDICT_COUNT][48];
	char socket_labels[GB_SOCKETS_MAX][96];
	struct io_metric rows[GB_METRICS_MAX];
	size_t count;
};

/* Fills the rows, which keep a borrow of all. */
void gb_metrics_init(struct gb_metrics *metrics, const struct gb_bridge *bridge,
		     struct io_udp *const *sockets, size_t socket_count,
		     const struct gb_station_edge *stations);

#endif
