/* Asks another process over its socket (POST) and passes the answer on: the gateway bridge for a round trip to a gateway (POST
 * /gateways/EUI/ping), the join server for what of a device it allows. Who may ask was judged before (api/gateway_health.c,
 * api/allow_once.c). */
#ifndef LAMPPOST_AS_EDGE_PING_H
#define LAMPPOST_AS_EDGE_PING_H

#include "common/io/http_client.h"
#include "common/io/http_server.h"

#include <jansson.h>

#define AS_PINGS_MAX 16 /* questions at once; more are 503 */

/* What whoever asked is told where the process has no words of its own. */
struct as_ping_words {
	const char *title, *away, *many;
	const char *unknown; /* in place of its 404; NULL: its own words */
};
extern const struct as_ping_words as_ping_bridge, as_ping_join;

struct as_edge_ping {
	const struct as_ping_words *words;
	struct io_http_server *server; /* borrowed: where the answers go */
	struct io_http_client *client;
	char socket[320];
	struct as_ping_asking {
		io_http_exchange exchange; /* 0: free */
		io_http_call_id id;
		struct as_edge_ping *edge;
	} askings[AS_PINGS_MAX];
};

void as_edge_ping_open(struct as_edge_ping *edge, struct io_loop *loop, struct io_http_server *server,
		       const char *run_dir, const char *socket, const struct as_ping_words *words);
void as_edge_ping_close(struct as_edge_ping *edge); /* one that was never opened is allowed */
/* Takes the question: `target` of the process ("/gateways/0016c001ff10a235/ping"), with a body or NULL. It is answered in any
 * case. */
void as_edge_ping_ask(struct as_edge_ping *edge, io_http_exchange exchange, const char *target,
		      const json_t *json);
/* The client of that exchange has gone. */
void as_edge_ping_forget(struct as_edge_ping *edge, io_http_exchange exchange);

#endif
