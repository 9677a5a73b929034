/* The join server's counters as rows for /metrics. */
#ifndef LAMPPOST_JOIN_SERVER_METRICS_H
#define LAMPPOST_JOIN_SERVER_METRICS_H

#include "common/db/db.h"
#include "common/io/admin.h"
#include "common/io/loop.h"
#include "join-server/edge_joins.h"
#include "join-server/edge_vault.h"

#define JS_PEER_METRICS 4
#define JS_METRICS_MAX  (JS_VERDICT_COUNT + 24 + JS_PEER_METRICS * JS_PEERS_MAX)

struct js_metrics {
	char labels[JS_VERDICT_COUNT][64];
	char peers[JS_PEERS_MAX][OPTION_LABEL_MAX + 16]; /* "": no peer at that place */
	struct io_metric rows[JS_METRICS_MAX];
	size_t count;
};

/* Fills the rows, which keep a borrow of all. */
void js_metrics_init(struct js_metrics *metrics, const struct js_join *join,
		     const struct js_edge_joins *joins, const struct js_edge_vault *vault,
		     const struct io_loop_stats *loop, struct db *db);
/* After a reload: the peers' rows have their names again. */
void js_metrics_name_peers(struct js_metrics *metrics, const struct js_peers *peers);

#endif
