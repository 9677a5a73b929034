/* One WebSocket session after its handshake, for common/io alone: frames in, events and frames out. Knows no socket; the server
 * (http_websocket.c) and the client (websocket_client.c) own one each connection.
 *
 *	OPEN ──ws_session_close()──▶ CLOSING ──the peer's close frame, or close_timeout──▶ OVER
 *	  └──the peer's close frame, a broken frame, a slow reader, no pong, lost──────────▶ OVER
 *
 * OVER with `cut`: the connection is closed at once; without: what is in `out` goes first. The owner calls ws_session_tell()
 * from an event, once it is OVER. */
#ifndef LAMPPOST_IO_WEBSOCKET_SESSION_H
#define LAMPPOST_IO_WEBSOCKET_SESSION_H

#include "common/base/rng.h"
#include "common/io/http_buffer.h"
#include "common/io/websocket.h"

enum ws_state { WS_IS_OPEN, WS_IS_CLOSING, WS_IS_OVER };

struct ws_owner {
	size_t (*queued)(void *ctx); /* bytes that wait for the peer, `out` included */
	void *ctx;
	struct http_buffer *out;   /* clear bytes to be written */
	struct io_ws_stats *stats; /* counted here; never NULL */
	struct rng *mask_rng;      /* a client's; NULL: a server */
};

struct ws_session {
	struct io_ws_options options;
	struct ws_owner owner;
	io_ws_id id;
	enum ws_state state;
	enum io_ws_reason reason; /* from CLOSING on */
	uint16_t code;
	bool cut;
	bool told;
	bool assembling;            /* fragments of a message came */
	bool text;                  /* of that message */
	struct http_buffer message; /* those fragments */
	uint64_t ping_number;       /* of the latest; its payload */
	struct mono ping_sent;      /* or the session's begin */
	bool ping_waits;            /* that one is not answered */
	bool ponged;                /* one was answered, ever */
	struct mono unanswered;     /* the first ping since anything was heard; MONO_NEVER: none */
	struct mono close_due;      /* while CLOSING */
};

/* NULL: no memory. `owner` is copied. */
struct ws_session *ws_session_new(const struct io_ws_options *options, const struct ws_owner *owner,
				  io_ws_id id, struct now now);
/* Without an event. NULL is allowed. */
void ws_session_free(struct ws_session *session);
/* Takes whole frames off `in`, as many as there are; calls the events. */
void ws_session_feed(struct ws_session *session, struct http_buffer *in, struct now now);
/* As io_ws_send() and the others. */
enum status ws_session_send(struct ws_session *session, bool text, const void *bytes, size_t length) MUST_USE;
void ws_session_close(struct ws_session *session, enum io_ws_reason reason, uint16_t code, const char *text,
		      struct now now);
enum status ws_session_ping(struct ws_session *session, struct now now) MUST_USE;
/* Judges the deadlines, sends the ping that is due. Returns whether there is something to do: bytes in `out`, or it is OVER. */
bool ws_session_sweep(struct ws_session *session, struct now now);
/* The connection is gone. */
void ws_session_lost(struct ws_session *session);
/* Calls on_close, once, when the session is OVER. */
void ws_session_tell(struct ws_session *session, struct now now);

#endif
