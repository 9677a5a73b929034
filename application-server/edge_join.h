/* Provisioning of the join server over join.sock: asks what it has, sends what it lacks in runs of at most 500 records,
 * tries again with back-off, and asks again now and then (it may have been restored from a backup). */
#ifndef LAMPPOST_AS_EDGE_JOIN_H
#define LAMPPOST_AS_EDGE_JOIN_H

#include "application-server/edge_app_keys.h"
#include "application-server/edge_keks.h"
#include "application-server/replication/replica.h"
#include "common/io/http_client.h"

#include <jansson.h>

struct as_edge_join {
	struct as_store *store;           /* borrowed */
	struct as_edge_keks keks;         /* the other half of its desired state, with a pace of its own */
	struct as_edge_app_keys app_keys; /* what joins left to be asked for */
	struct io_http_client *client;
	struct io_timer *timer;
	char socket[300];
	struct as_replica replica;
	bool calling;    /* a call is in flight */
	bool reached;    /* the last call was answered */
	bool beginning;  /* the run's BEGIN has not been sent yet */
	json_t *records; /* owned: of the next call; NULL: no run going on */
	span_us delay;   /* of the next try */
	uint64_t calls, failures, refused_keys;
};

/* `join_servers`: those of others that AppSKeys are fetched from. ST_INVALID: logged. */
enum status as_edge_join_open(struct as_edge_join *edge, struct io_loop *loop, struct as_application *app,
			      const struct option_map *join_servers, const char *run_dir) MUST_USE;
void as_edge_join_close(struct as_edge_join *edge);
/* After the commit: starts the next call where one is due. */
void as_edge_join_drain(struct as_edge_join *edge, struct now now);

#endif
