/* An HTTP/1.1 server on the process's loop, over a Unix socket (peer credentials) or TCP with TLS, behind a
 * table of routes.
 *
 * A request becomes an *exchange*, named by an id that is never used again. The handler answers at once or
 * keeps the id and answers later; when the client has gone meanwhile the answer is ST_NOT_FOUND, and
 * `on_gone` has said so. Nothing holds a pointer across events. Replies leave after the turn's commit
 * (loop.h).
 *
 * By itself: HEAD (as GET, without a body), 404, 405 with Allow, 400, 413 (body), 431 (headers), 408 (slow
 * request), 503 (too many), 504 (handler never answered). Its own errors are problem+json. Bodies may be
 * chunked or counted. */
#ifndef LAMPPOST_IO_HTTP_SERVER_H
#define LAMPPOST_IO_HTTP_SERVER_H

#include "common/base/status.h"
#include "common/base/units.h"
#include "common/io/address.h"
#include "common/io/http.h"
#include "common/io/loop.h"

typedef uint64_t io_http_exchange; /* 0: none */

struct io_http_server;
struct io_http_request; /* opaque; valid during the handler */

/* A pattern is an absolute path whose segments may be "{name}", which matches one non-empty segment; a last
 * segment "{name...}" matches the rest. An exact segment wins over a placeholder; otherwise the first row
 * wins. */
struct io_http_route {
	enum io_http_method method;
	const char *pattern;
	void (*handle)(void *ctx, struct now now, const struct io_http_request *request);
};

struct io_http_server_options {
	const char *unix_path; /* listens there, mode 0660; or NULL: TCP */
	const char *host;      /* TCP: numeric, "*" for all */
	uint16_t port;         /* TCP: 0: any free one */
	const char *cert_file; /* TCP: PEM chain; NULL: no TLS, allowed on loopback only (ST_REFUSED) */
	const char *key_file;
	size_t max_connections;  /* 0: 256 */
	size_t body_limit;       /* bytes; 0: 1 MiB */
	size_t stream_buffer;    /* bytes waiting for one slow reader; 0: 1 MiB */
	span_us request_timeout; /* from first byte to last, and of an idle connection; 0: 30 s */
	span_us reply_timeout;   /* a deferred reply; 0: 60 s */
	/* The client of an exchange that was neither answered nor ended has gone; may be NULL. */
	void (*on_gone)(void *ctx, struct now now, io_http_exchange exchange);
	void *ctx; /* on_gone's */
};

/* Listens at once, answers 404 until routes are added. ST_INVALID, ST_EXISTS (in use), ST_REFUSED, ST_IO;
 * logged. */
enum status io_http_server_open(struct io_loop *loop, const struct io_http_server_options *options,
				struct io_http_server **out) MUST_USE;
void io_http_server_free(struct io_http_server *server); /* NULL is allowed; no on_gone */
/* Adds rows; keeps a borrow of the table until freed. Asserts on a malformed pattern. At most 512 rows. */
void io_http_server_add(struct io_http_server *server, const struct io_http_route *routes, size_t count,
			void *ctx);
/* The port in use (TCP). */
uint16_t io_http_server_port(const struct io_http_server *server);

struct io_http_server_stats {
	uint64_t connections; /* open now */
	uint64_t accepted;
	uint64_t requests;
	uint64_t refused;      /* answered by the server itself with 4xx or 5xx */
	uint64_t slow_readers; /* streams closed because the reader did not keep up */
};
const struct io_http_server_stats *io_http_server_stats(const struct io_http_server *server);

/* --- inside a handler: what was asked. All lent during the handler; text is NUL-terminated. */
io_http_exchange io_http_request_exchange(const struct io_http_request *request);
enum io_http_method io_http_request_method(const struct io_http_request *request);
const char *io_http_request_path(const struct io_http_request *request); /* decoded, without the query */
const char *io_http_request_pattern(const struct io_http_request *request);
/* A placeholder's value, decoded; NULL: the pattern has none of that name. */
const char *io_http_request_param(const struct io_http_request *request, const char *name);
/* A query parameter's first value, decoded; NULL: none; "" when it has no value. */
const char *io_http_request_query(const struct io_http_request *request, const char *name);
/* A header's value, name in any case; NULL: none. */
const char *io_http_request_header(const struct io_http_request *request, const char *name);
const uint8_t *io_http_request_body(const struct io_http_request *request, size_t *length);
/* The credentials of a Unix peer; NULL over TCP. */
const struct io_peer *io_http_request_peer(const struct io_http_request *request);
/* The address of a TCP peer; NULL on a Unix socket. */
const struct io_address *io_http_request_from(const struct io_http_request *request);

/* --- answering, inside the handler or later. ST_NOT_FOUND: the client has gone, or it was answered already.
 */
/* One more header for the answer to come; at most 16, text without control characters (ST_INVALID). */
enum status io_http_reply_header(struct io_http_server *server, io_http_exchange exchange, const char *name,
				 const char *value);
/* Answers; `body` is copied; `content_type` NULL: application/json. Ends the exchange. */
enum status io_http_reply(struct io_http_server *server, io_http_exchange exchange, int status,
			  const char *content_type, const void *body, size_t length);
/* Begins a streamed answer (200); server-sent events when `content_type` is "text/event-stream". */
enum status io_http_stream_begin(struct io_http_server *server, io_http_exchange exchange,
				 const char *content_type);
/* Queues a piece. ST_FULL: the reader did not keep up and is being closed; no on_gone follows. */
enum status io_http_stream_send(struct io_http_server *server, io_http_exchange exchange, const void *bytes,
				size_t length);
/* Bytes that wait for the reader: for backpressure of long downloads. */
size_t io_http_stream_queued(const struct io_http_server *server, io_http_exchange exchange);
void io_http_stream_end(struct io_http_server *server, io_http_exchange exchange);

#endif
