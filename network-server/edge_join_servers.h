/* The clients of others' join servers, and how a reload changes them:
 *
 *	the file's rows ─▶ ns_edge_join_servers_prepare(): keys, certificates and headers are read, clients made; or what is wrong
 *	                ─▶ ns_edge_join_servers_take(): the core's list and these change in one step, calls to what left are dropped
 *
 * One whose words and files are as before is not touched: what it was asked it answers. */
#ifndef LAMPPOST_NETWORK_SERVER_EDGE_JOIN_SERVERS_H
#define LAMPPOST_NETWORK_SERVER_EDGE_JOIN_SERVERS_H

#include "common/io/http_identity.h"
#include "network-server/edge_process.h"

/* A call whose answer is awaited. */
struct ns_edge_join_slot {
	bool used;
	io_http_call_id id; /* 0: the response came, and was empty: the answer comes by itself */
	struct mono since;
	struct bi_envelope request;
};

struct ns_edge_join_server {
	struct ns_edge *edge;
	uint8_t place; /* in the core's list */
	struct io_http_client *client;
	struct ns_edge_join_slot *slots; /* owned */
	size_t slot_count;
	struct io_http_identity identity;
};

struct ns_edge_join_change {
	uint8_t count;
	struct bi_join_server wanted[NS_JOIN_SERVERS_MAX]; /* with their keys */
	uint8_t places[NS_JOIN_SERVERS_MAX];
	bool renewed[NS_JOIN_SERVERS_MAX];
	struct ns_edge_join_server *made[NS_JOIN_SERVERS_MAX]; /* owned; NULL: the one that is there stays */
};

/* Fills a change to the list of `config`. False with one line in `problem`, and nothing is held. */
bool ns_edge_join_servers_prepare(struct ns_edge *edge, const struct ns_config *config,
				  struct ns_edge_join_change *change, char problem[CONFIG_ERROR_MAX]);
/* Puts it in force; or drops it. Either ends it. */
void ns_edge_join_servers_take_over(struct ns_edge *edge, struct now now, struct ns_edge_join_change *change);
void ns_edge_join_servers_drop(struct ns_edge_join_change *change);

#endif
