/* One connection of the HTTP server; used by http_connection.c, http_reply.c and http_server.c alone.
 *
 *   HEAD ──▶ BODY ──▶ HANDLED ──reply, keep-alive──▶ HEAD     the next request, perhaps already in the buffer
 *    │        │          ├──stream_begin──▶ STREAM ──end──▶ HEAD
 *    │ refused│          │ reply, no keep-alive
 *    └────────┴──────────┴──────────▶ LAST (all written, then closed)
 */
#ifndef LAMPPOST_IO_HTTP_CONNECTION_H
#define LAMPPOST_IO_HTTP_CONNECTION_H

#include "common/io/http_parse.h"
#include "common/io/http_routes.h"
#include "common/io/http_server.h"
#include "common/io/tls.h"

#include <uv.h>

enum http_state { HTTP_HEAD, HTTP_BODY, HTTP_HANDLED, HTTP_STREAM, HTTP_LAST };

#define HTTP_CONNECTIONS_MAX 4096
#define HTTP_PIPELINE_MAX    (64u * 1024) /* bytes of later requests held while one is handled */
#define HTTP_EXTRA_MAX       4096         /* bytes of headers added to one reply */
#define HTTP_EXTRA_COUNT     16
#define HTTP_QUERY_MAX       64

/* A growing buffer; its owner says how far. */
struct http_buffer {
	uint8_t *bytes; /* owned */
	size_t used;
	size_t capacity;
};

bool http_buffer_add(struct http_buffer *buffer, const void *bytes, size_t length); /* false: no memory */
void http_buffer_drop(struct http_buffer *buffer, size_t count);                    /* from the front */
void http_buffer_release(struct http_buffer *buffer);

struct http_connection {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} uv;
	struct io_http_server *server;
	size_t slot;
	struct io_tls *tls; /* owned; NULL without */
	struct io_peer peer;
	struct io_address from;
	enum http_state state;
	io_http_exchange exchange; /* of the request in HANDLED or STREAM; else 0 */
	struct mono deadline;      /* of the state; MONO_NEVER in STREAM */
	struct http_head head;
	size_t searched; /* how far `in` was looked through for the head's end */
	struct http_chunks chunks;
	struct http_buffer in;      /* as received, clear */
	struct http_buffer body;    /* of the request, NUL behind it */
	struct http_buffer out;     /* to be written at the end of the turn, clear */
	char extra[HTTP_EXTRA_MAX]; /* headers for the reply to come */
	size_t extra_used;
	unsigned extra_count;
	bool closing;
	bool ended; /* the peer sent its last byte */
	bool shut;  /* our last byte was handed over */
	bool in_handler;
	bool resume; /* a reply came from outside on_read: look at `in` again */
};

/* What a handler sees. */
struct io_http_request {
	struct http_connection *connection;
	struct http_match *match;
	const char *path;
	struct {
		const char *name, *value;
	} query[HTTP_QUERY_MAX];
	size_t query_count;
};

struct io_http_server {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} listener;
	struct io_loop *loop;
	struct io_flusher flusher;
	uv_timer_t sweep;  /* once a second: deadlines */
	uv_timer_t resume; /* at once: replies that were given outside on_read */
	struct io_http_server_options options;
	char *unix_path; /* owned */
	struct io_tls_context *tls;
	struct http_routes routes;
	struct http_connection **connections; /* owned array of owned; NULL: free */
	size_t slots;
	uint64_t last_exchange;
	struct io_http_server_stats stats;
	unsigned handles; /* of the server itself */
	bool released;
};

/* The handle is accepted: reads. */
void http_connection_start(struct http_connection *connection);
/* Parses and handles what is in `in`, as far as it goes. */
void http_connection_advance(struct http_connection *connection, struct now now);
void http_connection_flush(struct http_connection *connection);
void http_connection_sweep(struct http_connection *connection, struct now now);
void http_connection_close(struct http_connection *connection, struct now now);
size_t http_connection_queued(const struct http_connection *connection);
/* The request is answered: ready for the next, or the last. */
void http_connection_answered(struct http_connection *connection);
/* Routes a whole request to its handler. */
void http_server_dispatch(struct http_connection *connection, struct now now);
void http_server_gone(struct http_connection *connection);
/* Writes a reply of the server itself, problem+json; the connection ends when `last`. */
void http_reply_problem(struct http_connection *connection, int status, bool last);

#endif
