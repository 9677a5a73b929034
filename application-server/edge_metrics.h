/* The rows of /metrics. */
#ifndef LAMPPOST_AS_EDGE_METRICS_H
#define LAMPPOST_AS_EDGE_METRICS_H

#include "application-server/delivery/mqtt.h"
#include "application-server/edge_api.h"
#include "application-server/edge_join.h"
#include "application-server/edge_network.h"
#include "common/io/admin.h"

#define AS_METRICS_MAX 40

struct as_metrics {
	struct io_metric rows[AS_METRICS_MAX];
	size_t count;
};

/* Keeps borrows of all. `mqtt` points to the server's pointer, which may be NULL. */
void as_metrics_init(struct as_metrics *metrics, const struct as_application *app,
		     const struct as_edge_network *network, const struct as_edge_join *join,
		     const struct as_edge_api *api, struct as_mqtt *const *mqtt,
		     const struct io_loop_stats *loop);

#endif
