/* TS002 on its sockets: join.sock for this machine, and HTTPS with client certificates for servers on other machines
 * (peers.h), whose answers go back in the response or, where the peer wants that, as a POST to its own URL. */
#ifndef LAMPPOST_JOIN_SERVER_JOINS_H
#define LAMPPOST_JOIN_SERVER_JOINS_H

#include "common/io/http_client.h"
#include "common/io/http_server.h"
#include "join-server/callers.h"
#include "join-server/config.h"
#include "join-server/join.h"

#define JS_ANSWERS_MAX  256 /* asynchronous ones on their way, of all peers */
#define JS_ANSWER_TRIES 3
#define JS_ANSWER_WAIT  (US_PER_S / 2)     /* before the second try; twice as long before the third */
#define JS_ANSWER_TIME  (1100 * US_PER_MS) /* of one try: with the waits less than the 5 s of a device */

/* One asynchronous answer. */
struct js_answer_slot {
	bool used;
	io_http_call_id call; /* 0: waits for its next try */
	struct mono due;
	unsigned tries;
	char peer[OPTION_LABEL_MAX];
	char url[OPTION_PATH_MAX];
	uint16_t length;
	char text[BI_WRITTEN_MAX];
};

struct js_joins_counters {
	uint64_t strangers; /* messages under a certificate that is nobody's */
	uint64_t limited;   /* refused: a peer's rate, or its answers do not leave */
	uint64_t posted, post_failures, given_up;
};

/* Keeps borrows of loop, core, callers and configuration. */
struct js_edge_joins {
	struct io_loop *loop;
	struct js_join *join;
	const struct js_callers *callers;
	const struct js_config *config;
	struct js_peers peers;
	struct io_http_server *here, *there; /* there: NULL where nothing is served to other machines */
	struct io_http_client *client;       /* of asynchronous answers */
	struct io_timer *timer;
	struct js_answer_slot *answers; /* owned, JS_ANSWERS_MAX */
	struct js_joins_counters counters;
	/* Refusals are logged one by one up to a rate; the metrics count them all. */
	int64_t log_second;
	unsigned log_lines;
};

/* Adds the route to `here`, and opens the other socket if the configuration names one. ST_INVALID, ST_REFUSED, ST_EXISTS, ST_IO:
 * logged. */
enum status js_edge_joins_open(struct js_edge_joins *edge) MUST_USE;
/* Certificate, key and authorities are read again. */
void js_edge_joins_reload(struct js_edge_joins *edge);
void js_edge_joins_release(struct js_edge_joins *edge);

#endif
