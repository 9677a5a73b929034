/* The rows of /metrics. */
#ifndef LAMPPOST_AS_EDGE_METRICS_H
#define LAMPPOST_AS_EDGE_METRICS_H

#include "application-server/delivery/commands.h"
#include "application-server/delivery/mqtt.h"
#include "application-server/edge_alarms.h"
#include "application-server/edge_api.h"
#include "application-server/edge_frames.h"
#include "application-server/edge_join.h"
#include "application-server/edge_network.h"
#include "common/io/admin.h"

#define AS_METRICS_MAX 80

struct as_metrics {
	struct io_metric rows[AS_METRICS_MAX];
	size_t count;
	struct as_verdict_row {
		struct as_commands *const *commands;
		enum as_intake_verdict verdict;
		char label[40];
	} verdicts[AS_INTAKE_VERDICTS];
	char app_key_labels[AS_APP_KEY_VERDICT_COUNT][32];
};

/* Keeps borrows of all. `mqtt` points to the server's pointer, which may be NULL. */
void as_metrics_init(struct as_metrics *metrics, const struct as_application *app,
		     const struct as_edge_network *network, const struct as_edge_join *join,
		     const struct as_edge_api *api, struct as_mqtt *const *mqtt,
		     const struct io_loop_stats *loop);

/* The rows of downlink items and of commands; `commands` as `mqtt` above. */
void as_metrics_add_commands(struct as_metrics *metrics, const struct as_application *app,
			     struct as_commands *const *commands);

/* The rows of live frames. */
void as_metrics_add_frames(struct as_metrics *metrics, const struct as_edge_frames *frames);

/* The rows of alarms and of the channels that tell them. */
void as_metrics_add_alarms(struct as_metrics *metrics, const struct as_edge_alarms *alarms);

#endif
