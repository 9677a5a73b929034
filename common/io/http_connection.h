/* One connection of the HTTP server; used by the http_*.c alone.
 *
 *   HEAD ──▶ BODY ──▶ HANDLED ──reply, keep-alive──▶ HEAD     the next request, perhaps already in the buffer
 *    │        │          ├──stream_begin──▶ STREAM ──end──▶ HEAD
 *    │        │          ├──io_ws_accept──▶ WEBSOCKET ──over──▶ LAST
 *    │ refused│          │ reply, no keep-alive
 *    └────────┴──────────┴──────────▶ LAST (all written, then closed)
 */
#ifndef LAMPPOST_IO_HTTP_CONNECTION_H
#define LAMPPOST_IO_HTTP_CONNECTION_H

#include "common/io/http_admission.h"
#include "common/io/http_buffer.h"
#include "common/io/http_parse.h"
#include "common/io/http_routes.h"
#include "common/io/http_server.h"
#include "common/io/tls.h"
#include "common/io/websocket_session.h"

#include <uv.h>

enum http_state { HTTP_HEAD, HTTP_BODY, HTTP_HANDLED, HTTP_STREAM, HTTP_WEBSOCKET, HTTP_LAST };

#define HTTP_CONNECTIONS_MAX 4096
#define HTTP_PIPELINE_MAX    (64u * 1024) /* bytes of later requests held while one is handled */
#define HTTP_EXTRA_MAX       4096         /* bytes of headers added to one reply */
#define HTTP_EXTRA_COUNT     16
#define HTTP_QUERY_MAX       64

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
	struct http_head *head;    /* owned; NULL in WEBSOCKET and what follows it */
	size_t searched;           /* how far `in` was looked through for the head's end */
	struct http_chunks chunks;
	struct http_buffer in;   /* as received, clear */
	struct http_buffer body; /* of the request, NUL behind it */
	struct http_buffer out;  /* to be written at the end of the turn, clear */
	char *extra;             /* owned: HTTP_EXTRA_MAX; headers for the reply to come; as head */
	size_t extra_used;
	unsigned extra_count;
	bool sized;          /* STREAM: of a length that was said; else in chunks */
	uint64_t sized_left; /* of it */
	bool closing;
	bool ended; /* the peer sent its last byte */
	bool shut;  /* our last byte was handed over */
	bool in_handler;
	bool resume; /* a reply came from outside on_read: look at `in` again; a session is over: tell it */
	bool handshaking;                /* TLS; counted by the admission */
	bool entered;                    /* counted there for its source */
	struct ws_session *ws;           /* owned; in WEBSOCKET */
	struct io_tls_peer *certificate; /* owned; of the client; NULL: none */
	bool listed;                     /* in the server's list of those to be flushed */
	struct http_connection *next_listed;
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
	char *cert_file, *key_file, *ca_file; /* owned; read again by a reload */
	struct http_routes routes;
	struct http_connection **connections; /* owned array of owned; NULL: free */
	size_t slots;
	uint64_t last_exchange;
	struct io_http_server_stats stats;
	struct io_ws_stats ws_stats;
	struct http_admission admission; /* TCP */
	uv_timer_t admit;                /* while a connection waits in the backlog */
	bool waits;
	bool stopped;                   /* accepts nothing new */
	struct http_connection *listed; /* to be flushed at the end of the turn */
	unsigned handles; /* of the server itself and its connections, until libuv has let go of them */
	bool released;
};

/* Something is to be written, or to be judged, at the end of the turn. Every change of a connection calls it. */
void http_connection_touch(struct http_connection *connection);
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
/* The session of WEBSOCKET: bytes came; the connection is going; the second's deadlines; a later event than the one that ended
 * it. */
void http_websocket_advance(struct http_connection *connection, struct now now);
void http_websocket_shrink(struct http_connection *connection); /* what only a request needs is freed */
void http_websocket_lost(struct http_connection *connection, struct now now);
void http_websocket_sweep(struct http_connection *connection, struct now now);
void http_websocket_resume(struct http_connection *connection, struct now now);
/* Routes a whole request to its handler. */
void http_server_dispatch(struct http_connection *connection, struct now now);
void http_server_gone(struct http_connection *connection);
/* Callbacks of the listener and of its timer while a connection waits. */
void http_server_on_connection(uv_stream_t *listener, int status);
void http_server_on_admit(uv_timer_t *timer);
/* Bytes came while the handshake was under way: `lives` as TLS says, `spoke`: the peer did not just leave. */
void http_connection_judge_handshake(struct http_connection *connection, bool lives, bool spoke,
				     struct now now);
/* It closes: its place is free, though libuv still holds it. Once. */
void http_server_leaves(struct http_connection *connection);
/* Its handshake has ended, one way or the other: another may begin. Harmless when done. */
void http_server_handshake_ended(struct http_connection *connection);
/* Writes a reply of the server itself, problem+json; the connection ends when `last`. */
void http_reply_problem(struct http_connection *connection, int status, bool last);

#endif
