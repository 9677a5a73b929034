/* A WebSocket client on the process's loop, over TCP or TLS: for the simulator's stations and for tests. Events, ids, reasons and
 * the moment at which bytes leave are those of websocket.h; frames are masked. A dial either opens (on_open) or ends
 * (on_close); on_close comes exactly once and never from inside a call.
 *
 * TLS contexts are kept by the files they were read from, read again when a file changed; a server's session ticket is kept
 * with them, so that dialling again resumes. */
#ifndef LAMPPOST_IO_WEBSOCKET_CLIENT_H
#define LAMPPOST_IO_WEBSOCKET_CLIENT_H

#include "common/base/rng.h"
#include "common/io/websocket.h"

struct io_ws_client;

struct io_ws_dial {
	const char *url; /* "ws://host:port/path" or "wss://..."; the port may be left out (80, 443) */
	const char *
		connect_to; /* a numeric host that is dialled instead of the URL's; NULL: the URL's, looked up */
	const char *const *headers; /* "Name: value" each, NULL-terminated; NULL: none */
	const char *ca_file;        /* wss: whom to trust (PEM); NULL: the system's */
	const char *cert_file;      /* wss: the client's own chain and key (PEM); NULL: none */
	const char *key_file;
	const char
		*server_name; /* wss: SNI, and the name in the server's certificate; NULL: the URL's host */
	bool tls_1_2_only;    /* as Basics Station speaks it */
	span_us open_timeout; /* from here to on_open; 0: 10 s */
	struct io_ws_options session; /* ping_interval 0: none, as a station */
};

struct io_ws_client_options {
	size_t max_sessions; /* 0: 1024 */
	uint64_t seed;       /* of masks and keys; 0: random */
};

/* `options` may be NULL. */
struct io_ws_client *io_ws_client_new(struct io_loop *loop, const struct io_ws_client_options *options);
/* Everything is cut off, without events. NULL is allowed. */
void io_ws_client_free(struct io_ws_client *client);
/* Copies all it needs. ST_FULL: too many sessions. ST_INVALID: the URL, or files that cannot be read (logged). */
enum status io_ws_client_dial(struct io_ws_client *client, const struct io_ws_dial *dial,
			      io_ws_id *id) MUST_USE;
/* As io_ws_send(), io_ws_close(), io_ws_ping(), io_ws_queued(). */
enum status io_ws_client_send(struct io_ws_client *client, io_ws_id id, bool text, const void *bytes,
			      size_t length) MUST_USE;
void io_ws_client_close(struct io_ws_client *client, io_ws_id id, uint16_t code, const char *text);
enum status io_ws_client_ping(struct io_ws_client *client, io_ws_id id) MUST_USE;
size_t io_ws_client_queued(const struct io_ws_client *client, io_ws_id id);
/* Cuts the connection without a close frame, as a backhaul does; on_close follows (IO_WS_CONNECTION_LOST). With `reset` the
 * server sees a reset, otherwise an end. */
void io_ws_client_cut(struct io_ws_client *client, io_ws_id id, bool reset);
/* Stops reading (or goes on): the peer's bytes pile up, as with a hung station. */
void io_ws_client_hold(struct io_ws_client *client, io_ws_id id, bool hold);
/* Why the session that ends did not open, for people: lent during on_close; "" when there is nothing to add. */
const char *io_ws_client_detail(const struct io_ws_client *client, io_ws_id id);
/* Whether the TLS session was resumed. */
bool io_ws_client_resumed(const struct io_ws_client *client, io_ws_id id);
size_t io_ws_client_sessions(const struct io_ws_client *client);

#endif
