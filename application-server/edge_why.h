/* Asks the other processes' admin sockets "why?", in parallel and with a short time-out, and answers the call when all have
 * said something or their time is over. What a process that is away would have said is named as missing; the rest is answered. */
#ifndef LAMPPOST_AS_EDGE_WHY_H
#define LAMPPOST_AS_EDGE_WHY_H

#include "application-server/why/why.h"
#include "common/io/http_client.h"
#include "common/io/http_server.h"

#define AS_WHYS_MAX 16 /* questions at once; more are 503 */

struct as_edge_why;

struct as_why_asking {
	io_http_exchange exchange; /* 0: free */
	struct as_edge_why *edge;
	struct as_why *why; /* owned */
	struct as_why_call {
		struct as_why_asking *asking;
		enum why_process process;
		io_http_call_id id; /* 0: not under way */
	} calls[WHY_PROCESS_COUNT];
	bool asked[WHY_PROCESS_COUNT], reached[WHY_PROCESS_COUNT];
	json_t *answers[WHY_PROCESS_COUNT]; /* owned */
	unsigned waiting;
};

struct as_edge_why {
	struct as_api *api;            /* borrowed */
	struct io_http_server *server; /* borrowed: where the answers go */
	struct io_http_client *client;
	char run_dir[256];
	struct as_why_asking askings[AS_WHYS_MAX];
	io_http_call_id learning;  /* the call for the network server's rules; 0: none */
	uint64_t asked, unreached; /* counters */
};

void as_edge_why_open(struct as_edge_why *edge, struct io_loop *loop, struct as_api *api,
		      struct io_http_server *server, const char *run_dir);
void as_edge_why_close(struct as_edge_why *edge); /* one that was never opened is allowed */
/* Takes the question. False: too many are under way; it is the caller's then to answer. */
bool as_edge_why_ask(struct as_edge_why *edge, struct now now, io_http_exchange exchange, struct as_why *why);
/* The network server is there, perhaps another version of it: its rules are asked for, for api->network_rules. */
void as_edge_why_learn(struct as_edge_why *edge);
/* The client of that exchange has gone. */
void as_edge_why_forget(struct as_edge_why *edge, io_http_exchange exchange);

#endif
