/* The calls /keks of join.sock (kek_orders.h). */
#ifndef LAMPPOST_JOIN_SERVER_EDGE_KEKS_H
#define LAMPPOST_JOIN_SERVER_EDGE_KEKS_H

#include "common/io/http_server.h"
#include "join-server/callers.h"
#include "join-server/join.h"

struct js_edge_keks {
	struct io_http_server *http; /* these three are borrowed */
	const struct js_callers *callers;
	struct js_join *join;
};

/* Adds its routes. */
void js_edge_keks_open(struct js_edge_keks *keks);

#endif
