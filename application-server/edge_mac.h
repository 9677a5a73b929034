/* Asks the network server's admin socket what a device has taken of what the network wants of it, and passes the answer on
 * (network-server/mac/report.h). Who may ask was judged before (api/mac.c). */
#ifndef LAMPPOST_AS_EDGE_MAC_H
#define LAMPPOST_AS_EDGE_MAC_H

#include "common/io/http_client.h"
#include "common/io/http_server.h"

#define AS_MACS_MAX 16 /* questions at once; more are 503 */

struct as_edge_mac {
	struct io_http_server *server; /* borrowed: where the answers go */
	struct io_http_client *client;
	char socket[320];
	struct as_mac_asking {
		io_http_exchange exchange; /* 0: free */
		io_http_call_id id;
		struct as_edge_mac *edge;
	} askings[AS_MACS_MAX];
};

void as_edge_mac_open(struct as_edge_mac *edge, struct io_loop *loop, struct io_http_server *server,
		      const char *run_dir);
void as_edge_mac_close(struct as_edge_mac *edge); /* one that was never opened is allowed */
/* Takes the question: `target` of the network server ("/mac/device/0004a30b001c0530"). It is answered in any case. */
void as_edge_mac_ask(struct as_edge_mac *edge, io_http_exchange exchange, const char *target);
/* The client of that exchange has gone. */
void as_edge_mac_forget(struct as_edge_mac *edge, io_http_exchange exchange);

#endif
