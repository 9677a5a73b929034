/* The server's WebSocket sessions: the handshake that turns an exchange into one, and where a session meets its connection.
 *
 * A session that is over is told from an event (bytes, a second's sweep, the resume timer), never from a flush or from inside a
 * call of its owner; then the connection goes, at once or as HTTP_LAST after its close frame. */
#include "common/io/http_connection.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/io/clock.h"
#include "common/io/websocket_frame.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define KEEPALIVE_S 60
#define PINGED_ELSEWHERE \
	(40 * US_PER_S) /* by the owner, or not at all: what is said goes unacknowledged for a minute */

/* --- handshake */

/* Whether a header's list of words has `word`, in any case (RFC 9110 §5.6.1). */
static bool lists(const char *list, const char *word)
{
	size_t length = strlen(word);
	while (list && *list) {
		list += strspn(list, " \t,");
		size_t item = strcspn(list, " \t,");
		if (item == length && strncasecmp(list, word, length) == 0)
			return true;
		list += item;
	}
	return false;
}

/* Returns 0 or the HTTP status of the refusal (RFC 6455 §4.2.1). */
static int judge(const struct io_http_request *request)
{
	const struct http_head *head = request->connection->head;
	const char *version = io_http_request_header(request, "sec-websocket-version");
	const char *key = io_http_request_header(request, "sec-websocket-key");
	if (!lists(io_http_request_header(request, "upgrade"), "websocket") || head->head_only ||
	    head->method != IO_HTTP_GET || head->old_version ||
	    !lists(io_http_request_header(request, "connection"), "upgrade"))
		return 400;
	if (!version || strcmp(version, "13") != 0)
		return 426;
	return key && ws_key_valid(key) && request->connection->body.used == 0 ? 0 : 400;
}

static size_t queued(void *ctx)
{
	return http_connection_queued(ctx);
}

/* The kernel's own eyes for half-open connections, for peers whose pongs do not count; and what it holds for a peer that does not
 * read: as much again as we do, not the megabytes that it would grow to. */
static void keep_alive(struct http_connection *connection, const struct io_ws_options *options)
{
	uv_os_fd_t fd;
	int held = options->send_buffer < INT_MAX / 2 ? (int)options->send_buffer : INT_MAX / 2;
	if (connection->server->unix_path || uv_fileno(&connection->uv.handle, &fd) != 0)
		return;
	uv_tcp_keepalive(&connection->uv.tcp, 1, KEEPALIVE_S);
	span_us interval = options->ping_interval > 0 ? options->ping_interval : PINGED_ELSEWHERE;
	span_us patience = options->unacknowledged > 0 ? options->unacknowledged
						       : interval + options->pong_timeout;
	unsigned timeout_ms = (unsigned)(patience / US_PER_MS);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &held, sizeof held);
}

enum status io_ws_accept(const struct io_http_request *request, const struct io_ws_options *options,
			 io_ws_id *id)
{
	struct http_connection *connection = request->connection;
	struct io_http_server *server = connection->server;
	struct now now = clock_now();
	if (connection->state != HTTP_HANDLED || connection->exchange == 0)
		return ST_NOT_FOUND;
	int refused = server->stopped ? 503 : judge(request);
	if (refused) {
		server->ws_stats.failed++;
		if (refused == 426)
			(void)io_http_reply_header(server, connection->exchange, "Sec-WebSocket-Version",
						   "13");
		http_reply_problem(connection, refused, true);
		return ST_INVALID;
	}
	char accept[WS_ACCEPT_ROOM], reply[200];
	ws_accept_key(io_http_request_header(request, "sec-websocket-key"), accept);
	int length = snprintf(reply, sizeof reply,
			      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
			      "Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			      accept);
	struct ws_owner owner = {
		.queued = queued, .ctx = connection, .out = &connection->out, .stats = &server->ws_stats};
	struct ws_session *session = ws_session_new(options, &owner, connection->exchange, now);
	if (!session || !http_buffer_add(&connection->out, reply, (size_t)length)) {
		ws_session_free(session);
		http_reply_problem(connection, 503, true);
		return ST_NO_MEMORY;
	}
	connection->ws = session;
	connection->state = HTTP_WEBSOCKET;
	connection->exchange = 0;
	connection->deadline = MONO_NEVER;
	keep_alive(connection, &session->options);
	http_connection_touch(connection);
	*id = session->id;
	return ST_OK;
}

void http_websocket_shrink(struct http_connection *connection)
{
	free(connection->head);
	free(connection->extra);
	connection->head = NULL;
	connection->extra = NULL;
	http_buffer_release(&connection->body);
}

/* --- the connection's side */

/* After whatever a session did: if it is over, it is told and its connection goes. */
static void settle(struct http_connection *connection, struct now now)
{
	struct ws_session *session = connection->ws;
	http_connection_touch(connection);
	if (session->state != WS_IS_OVER)
		return;
	bool cut = session->cut;
	connection->state = HTTP_LAST;
	connection->ws = NULL;
	ws_session_tell(session, now);
	ws_session_free(session);
	if (cut)
		http_connection_close(connection, now);
}

void http_websocket_advance(struct http_connection *connection, struct now now)
{
	ws_session_feed(connection->ws, &connection->in, now);
	settle(connection, now);
}

void http_websocket_lost(struct http_connection *connection, struct now now)
{
	ws_session_lost(connection->ws);
	ws_session_tell(connection->ws, now);
}

void http_websocket_sweep(struct http_connection *connection, struct now now)
{
	if (ws_session_sweep(connection->ws, now))
		settle(connection, now);
}

void http_websocket_resume(struct http_connection *connection, struct now now)
{
	settle(connection, now);
}

/* --- the owner's side */

static struct http_connection *find(const struct io_http_server *server, io_ws_id id)
{
	size_t slot = id % HTTP_CONNECTIONS_MAX;
	if (id == 0 || slot >= server->slots || !server->connections[slot])
		return NULL;
	struct http_connection *connection = server->connections[slot];
	return connection->ws && connection->ws->id == id && !connection->closing ? connection : NULL;
}

/* Something was queued, or it is over, which an event of its own will tell. */
static void act(struct http_connection *connection)
{
	connection->resume |= connection->ws->state == WS_IS_OVER;
	http_connection_touch(connection);
}

enum status io_ws_send(struct io_http_server *server, io_ws_id id, bool text, const void *bytes,
		       size_t length)
{
	struct http_connection *connection = find(server, id);
	if (!connection)
		return ST_NOT_FOUND;
	enum status status = ws_session_send(connection->ws, text, bytes, length);
	act(connection);
	return status;
}

void io_ws_close(struct io_http_server *server, io_ws_id id, uint16_t code, const char *text)
{
	struct http_connection *connection = find(server, id);
	if (!connection)
		return;
	ws_session_close(connection->ws, IO_WS_CLOSED_BY_US, code, text, clock_now());
	act(connection);
}

enum status io_ws_ping(struct io_http_server *server, io_ws_id id)
{
	struct http_connection *connection = find(server, id);
	if (!connection)
		return ST_NOT_FOUND;
	enum status status = ws_session_ping(connection->ws, clock_now());
	act(connection);
	return status;
}

size_t io_ws_queued(const struct io_http_server *server, io_ws_id id)
{
	const struct http_connection *connection = find(server, id);
	return connection ? http_connection_queued(connection) : 0;
}

void io_ws_stop(struct io_http_server *server, uint16_t code, const char *text)
{
	struct now now = clock_now();
	io_http_server_stop_accepting(server);
	for (size_t i = 0; i < server->slots; i++) {
		struct http_connection *connection = server->connections[i];
		if (!connection || !connection->ws || connection->closing)
			continue;
		ws_session_close(connection->ws, IO_WS_SERVER_STOPS, code, text, now);
		act(connection);
	}
}

const struct io_ws_stats *io_ws_stats(const struct io_http_server *server)
{
	return &server->ws_stats;
}
