/* One connection of the WebSocket client; for websocket_line.c, websocket_client.c and websocket_trust.c alone.
 *
 *   LOOKUP ──▶ CONNECT ──▶ TLS ──▶ UPGRADE ──101──▶ OPEN ──over──▶ LAST ──▶ closed
 *      └──────────┴─────────┴─────────┴──refused, timeout──────────▶ closed
 */
#ifndef LAMPPOST_IO_WEBSOCKET_LINE_H
#define LAMPPOST_IO_WEBSOCKET_LINE_H

#include "common/base/rng.h"
#include "common/io/http_buffer.h"
#include "common/io/tls.h"
#include "common/io/websocket_client.h"
#include "common/io/websocket_dial.h"
#include "common/io/websocket_session.h"

#include <uv.h>

enum ws_line_state { WS_LOOKUP, WS_CONNECT, WS_TLS, WS_UPGRADE, WS_LINE_OPEN, WS_LAST };

#define WS_LINES_MAX  65536
#define WS_DETAIL_MAX 160

/* A TLS context and the files it was read from. */
struct ws_trust {
	struct ws_trust *next;
	struct io_tls_context *context; /* owned */
	char *key;                      /* owned: files, their states, name of the server */
	size_t lines;                   /* that use it */
};

struct ws_line {
	uv_tcp_t tcp;
	uv_getaddrinfo_t lookup;
	uv_connect_t connect;
	struct io_ws_client *client;
	size_t slot;
	io_ws_id id;
	enum ws_line_state state;
	struct io_ws_options options;
	struct ws_url url;
	char *server_name; /* owned */
	char key[32];      /* Sec-WebSocket-Key */
	struct http_buffer request;
	struct ws_trust *trust;
	struct io_tls *tls;         /* owned */
	struct ws_session *session; /* owned; from OPEN on */
	struct http_buffer in, out; /* clear */
	struct mono due;            /* of the state */
	enum io_ws_reason reason;   /* of a dial that failed, when `failed` */
	uint16_t code;
	char detail[WS_DETAIL_MAX];
	bool failed;  /* before it opened */
	bool told;    /* on_close was called */
	bool cut;     /* io_ws_client_cut(): nothing leaves any more */
	bool reset;   /* and the server is to see a reset */
	bool resume;  /* an event of its own has something to do */
	bool looking; /* libuv has `lookup` */
	bool held;
	bool closing;
	bool closed; /* the handle */
	bool listed;
	struct ws_line *next_listed;
};

struct io_ws_client {
	struct io_loop *loop;
	struct io_flusher flusher;
	uv_timer_t sweep, resume;
	struct rng rng;
	struct io_ws_stats stats;
	struct ws_line **lines; /* owned: slots; NULL: free */
	size_t slots;
	size_t count; /* of lines, closing ones included */
	io_ws_id last_id;
	struct ws_trust *trusts;
	struct ws_line *listed; /* to be flushed at the end of the turn */
	unsigned handles;
	bool released;
};

/* Something is to be written or told. */
void ws_line_touch(struct ws_line *line);
/* Looks up and connects; a failure is told by an event. */
void ws_line_begin(struct ws_line *line, const char *connect_host);
void ws_line_flush(struct ws_line *line);
void ws_line_sweep(struct ws_line *line, struct now now);
void ws_line_resume(struct ws_line *line, struct now now);
/* Closes without an event. */
void ws_line_close(struct ws_line *line, bool reset);
/* Reads unless held. */
void ws_line_read(struct ws_line *line);
/* The handle is closed: forgets the line. */
void ws_client_gone(struct ws_line *line);

/* The context of a dial's files, made or found; NULL: they cannot be read (logged). */
struct ws_trust *ws_trust_take(struct io_ws_client *client, const struct io_ws_dial *dial,
			       const char *server_name);
void ws_trust_give_back(struct ws_trust *trust); /* NULL is allowed */
void ws_trust_release(struct io_ws_client *client);

#endif
