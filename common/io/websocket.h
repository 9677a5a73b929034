/* WebSocket (RFC 6455) on the HTTP server: the handler of a GET route turns its exchange into a session.
 *
 *	handler ──io_ws_accept()──▶ OPEN ──▶ messages both ways ──▶ on_close(), exactly once
 *
 * A session is named by an id that is never used again; nothing holds a pointer across events. Whatever is sent leaves
 * after the turn's commit (loop.h). No extensions, no sub-protocol. Our frames are whole (FIN), unfragmented and
 * unmasked, as gateways need them; incoming fragments are put together.
 *
 * on_close() comes for every session that io_ws_accept() began, also for those that io_ws_close() ends; never from
 * within io_ws_send() or io_ws_close(), only from a later event, and not after io_http_server_free(). From the first of
 * io_ws_close(), a failed io_ws_send() and on_close() on, no message comes any more.
 *
 * The events and reasons serve the client (websocket_client.h) as well. */
#ifndef LAMPPOST_IO_WEBSOCKET_H
#define LAMPPOST_IO_WEBSOCKET_H

#include "common/io/http_server.h"

#include <stdbool.h>

typedef uint64_t io_ws_id; /* 0: none */

/* Why a session ended. */
enum io_ws_reason {
	IO_WS_PEER_CLOSED,      /* the peer's close frame; its code is given, 1005 when it named none */
	IO_WS_CONNECTION_LOST,  /* TCP or TLS ended without a close frame (1006) */
	IO_WS_SLOW_READER,      /* more waited for the peer than send_buffer allows (1008) */
	IO_WS_PONG_MISSING,     /* half-open: nothing came back within pong_timeout (1006) */
	IO_WS_CLOSED_BY_US,     /* io_ws_close(); its code */
	IO_WS_SERVER_STOPS,     /* io_ws_stop(): 1001 unless told otherwise */
	IO_WS_TOO_LONG,         /* a message past message_max (1009) */
	IO_WS_UNMASKED,         /* a frame of a client without mask (1002); of a server with one */
	IO_WS_BAD_OPCODE,       /* a reserved opcode (1002) */
	IO_WS_RESERVED_BITS,    /* RSV set though nothing was negotiated (1002) */
	IO_WS_BAD_LENGTH,       /* a length not in its shortest form, or of 2^63 and more (1002) */
	IO_WS_CONTROL_TOO_LONG, /* a control frame of more than 125 bytes (1002) */
	IO_WS_CONTROL_FRAGMENT, /* a control frame without FIN (1002) */
	IO_WS_BAD_SEQUENCE, /* a continuation of nothing, or a message inside another's fragments (1002) */
	IO_WS_BAD_UTF8,     /* in a text message or a close frame's text (1007) */
	IO_WS_BAD_CLOSE,    /* a close frame of one byte, or with a code that may not be sent (1002) */
	IO_WS_NO_MEMORY,    /* (1011) */
	IO_WS_NOT_REACHED,  /* client: no such host, refused, no answer in time */
	IO_WS_TLS_REFUSED,  /* client: the handshake failed, or the server's certificate is not good */
	IO_WS_HANDSHAKE_FAILED, /* client: answered with something else than 101; the code is the HTTP status, or 0 */
	IO_WS_REASON_COUNT
};

/* "peer_closed"... */
const char *io_ws_reason_name(enum io_ws_reason reason);
/* "the peer closed"...: for people. */
const char *io_ws_reason_text(enum io_ws_reason reason);

struct io_ws_events {
	/* Client: the handshake is done, messages may be sent. Not called on the server. May be NULL. */
	void (*on_open)(void *ctx, struct now now, io_ws_id id);
	/* A whole message; `bytes` are lent during the call, NUL behind them; text is valid UTF-8. */
	void (*on_message)(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes,
			   size_t length);
	/* The peer answered the latest ping, ours or io_ws_ping()'s. May be NULL. */
	void (*on_pong)(void *ctx, struct now now, io_ws_id id, span_us round_trip);
	/* It is over. `code`: see enum io_ws_reason. May be NULL. */
	void (*on_close)(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code);
};

struct io_ws_options {
	struct io_ws_events events; /* copied */
	void *ctx;                  /* of the events */
	size_t message_max;         /* bytes of an incoming message, all fragments together; 0: 64 KiB */
	size_t send_buffer;         /* bytes that may wait for the peer, kernel's buffer aside; 0: 256 KiB */
	span_us ping_interval; /* a ping after so long without a word from the peer; 0: 30 s; negative: none */
	span_us pong_timeout;  /* without a word after a ping; 0: 20 s */
	/* The peer's pongs are known to be broken (Basics Station before 2.0.4): a missing pong counts only once this
	 * session has answered a ping. */
	bool forgive_pong;
	/* On the server: what the peer's kernel did not acknowledge for so long ends the connection (TCP_USER_TIMEOUT), which finds
	 * half-open ones whose pongs do not count; 0: ping_interval (none: 40 s) and pong_timeout together. */
	span_us unacknowledged;
	span_us close_timeout; /* how long the peer's close frame is waited for; 0: 2 s */
};

/* Inside the handler of a GET route: answers 101 and begins a session. ST_INVALID: no WebSocket handshake; it is answered
 * (400, or 426 with Sec-WebSocket-Version where the version is not 13). ST_NOT_FOUND: the exchange was answered before. */
enum status io_ws_accept(const struct io_http_request *request, const struct io_ws_options *options,
			 io_ws_id *id) MUST_USE;
/* Queues one message. ST_NOT_FOUND: no such session, or it is closing. ST_FULL: the peer reads too slowly; the session is
 * being closed (IO_WS_SLOW_READER). */
enum status io_ws_send(struct io_http_server *server, io_ws_id id, bool text, const void *bytes,
		       size_t length) MUST_USE;
/* Begins the closing handshake: `code` 1000, 1001, 1008, 3000 to 4999..., `text` (at most 123 bytes; NULL: none) tells the
 * peer why. Harmless for a session that is closing or gone. */
void io_ws_close(struct io_http_server *server, io_ws_id id, uint16_t code, const char *text);
/* Sends a ping now. ST_NOT_FOUND. */
enum status io_ws_ping(struct io_http_server *server, io_ws_id id) MUST_USE;
/* Bytes that wait for the peer; 0 for a session that is gone. */
size_t io_ws_queued(const struct io_http_server *server, io_ws_id id);
/* Every session gets a close frame (1001; 1012 where the service restarts at once) and IO_WS_SERVER_STOPS; nothing new is
 * accepted. For SIGTERM: call it, then io_http_server_drained() says when all of it has left; free the server then, or when
 * your patience ends. */
void io_ws_stop(struct io_http_server *server, uint16_t code, const char *text);

struct io_ws_stats {
	uint64_t open;   /* now */
	uint64_t begun;  /* since the start */
	uint64_t failed; /* handshakes refused */
	uint64_t messages_in, messages_out;
	uint64_t bytes_in, bytes_out; /* of messages */
	uint64_t ended[IO_WS_REASON_COUNT];
};
const struct io_ws_stats *io_ws_stats(const struct io_http_server *server);

#endif
