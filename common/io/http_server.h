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
#include "common/io/tls_peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* What a server on the open network lets in. A zero is the default or, where it says so, no limit. IPv6 sources are told
 * apart by their first 64 bits. */
struct io_http_admission {
	/* TLS handshakes under way, and new ones a second, of all sources: more wait in the kernel's backlog, refused
	 * by nobody, so that a city's gateways that all come back at once are served one after the other. */
	unsigned handshakes_at_once; /* 0: 64 */
	unsigned handshakes_per_s;   /* 0: no limit */
	/* Of one source: closed before a byte is read. */
	unsigned source_connections;      /* 0: no limit */
	unsigned source_handshakes_per_s; /* with a burst of 4 s; 0: no limit */
	span_us handshake_timeout;        /* from the connection to the end of its handshake; 0: 10 s */
};

struct io_http_server_options {
	const char *unix_path; /* listens there, mode 0660; or NULL: TCP */
	const char *host;      /* TCP: numeric, "*" for all */
	uint16_t port;         /* TCP: 0: any free one */
	int listen_fd; /* a listening TCP socket that was handed over (taken with ST_OK); 0: none, host and port are opened */
	unsigned backlog;      /* connections the kernel holds until they are accepted; 0: 128 */
	const char *cert_file; /* TCP: PEM chain; NULL: no TLS, allowed on loopback only (ST_REFUSED) */
	const char *key_file;
	const char *ca_file; /* PEM: whose client certificates are good; needed when they are asked for */
	enum io_tls_clients client_certificates;
	bool plain_anywhere; /* without TLS on any host: for a network of one's own, or behind what ends TLS */
	struct io_http_admission admission;
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
/* Reads certificate, key and CA again; sessions and connections stay, new ones get the new ones. ST_INVALID: the old ones go
 * on; logged. ST_NOT_FOUND: the server has no TLS. */
enum status io_http_server_reload_tls(struct io_http_server *server) MUST_USE;
/* The same, from other files from here on. Where they are not good, the old ones go on. */
enum status io_http_server_set_tls(struct io_http_server *server, const char *cert_file, const char *key_file,
				   const char *ca_file) MUST_USE;
/* Until when the certificate is good that new connections are shown; 0: the server has no TLS. */
struct wall io_http_server_certificate_until(const struct io_http_server *server);
/* Accepts nothing new from here on: what waits in the backlog of a socket that was handed over is the successor's. */
void io_http_server_stop_accepting(struct io_http_server *server);
/* Whether nothing waits to be written any more and no session is closing (io_ws_stop()). */
bool io_http_server_drained(const struct io_http_server *server);
/* The port in use (TCP). */
uint16_t io_http_server_port(const struct io_http_server *server);

struct io_http_server_stats {
	uint64_t connections; /* open now */
	uint64_t accepted;
	uint64_t requests;
	uint64_t refused;      /* answered by the server itself with 4xx or 5xx */
	uint64_t slow_readers; /* streams closed because the reader did not keep up */
	uint64_t handshakes;   /* TLS: completed */
	uint64_t resumed;      /* of these, with a ticket of an earlier one */
	uint64_t handshaking;  /* now */
	/* Connections that were closed before a request could arrive, by cause. */
	uint64_t handshakes_failed;    /* TLS said no: version, cipher, certificate, no TLS at all */
	uint64_t certificates_refused; /* of these: the client's certificate, or that there was none */
	uint64_t handshakes_slow;      /* handshake_timeout passed, or the peer left within */
	uint64_t source_connections;   /* source had too many */
	uint64_t source_rate;          /* source came too often */
	uint64_t full;                 /* max_connections */
	uint64_t waited;               /* connections that had to wait in the backlog: not refused */
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

/* The client's certificate and how it was judged; NULL: it showed none, or the server asks for none. */
const struct io_tls_peer *io_http_request_certificate(const struct io_http_request *request);

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
/* The same (200) with a known length: `length` bytes follow by io_http_stream_send(), uncut by chunks, for clients that know none. An
 * end before all of them closes the connection, so that nobody takes a part for the whole. */
enum status io_http_stream_begin_sized(struct io_http_server *server, io_http_exchange exchange,
				       const char *content_type, uint64_t length);
/* Queues a piece. ST_FULL: the reader did not keep up and is being closed; no on_gone follows. */
enum status io_http_stream_send(struct io_http_server *server, io_http_exchange exchange, const void *bytes,
				size_t length);
/* Whether its client is still there and waits for an answer, or for more of a stream. */
bool io_http_exchange_is_open(const struct io_http_server *server, io_http_exchange exchange);
/* Bytes that wait for the reader: for backpressure of long downloads. */
size_t io_http_stream_queued(const struct io_http_server *server, io_http_exchange exchange);
void io_http_stream_end(struct io_http_server *server, io_http_exchange exchange);

#endif
