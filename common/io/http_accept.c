/* Letting connections in: the limits of http_admission.h, who it is, and its TLS handshake. */
#include "common/io/http_connection.h"

#include "common/io/clock.h"
#include "common/io/unix_socket.h"

#include <stdlib.h>
#include <sys/socket.h>

void http_server_handshake_ended(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	if (!connection->handshaking)
		return;
	connection->handshaking = false;
	http_admission_handshake_ended(&server->admission);
	server->stats.handshaking = server->admission.handshaking;
}

void http_server_leaves(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	http_server_handshake_ended(connection);
	if (connection->entered)
		http_admission_leave(&server->admission, &connection->from);
	connection->entered = false;
	if (server->connections[connection->slot] == connection)
		server->connections[connection->slot] = NULL;
	server->stats.connections--;
}

/* Returns whether the source may come in. */
static bool enter(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	enum http_admitted admitted = http_admission_enter(&server->admission, clock_mono(),
							   &connection->from);
	server->stats.source_connections += admitted == HTTP_SOURCE_FULL;
	server->stats.source_rate += admitted == HTTP_SOURCE_TOO_FAST;
	if (admitted != HTTP_ADMITTED)
		return false;
	connection->entered = true;
	connection->handshaking = true;
	server->stats.handshaking = server->admission.handshaking;
	if (!server->tls)
		http_server_handshake_ended(connection);
	return true;
}

static bool identify(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	if (server->unix_path) {
		uv_os_fd_t fd = -1;
		uv_fileno(&connection->uv.handle, &fd);
		connection->peer = io_unix_peer(fd);
		return true;
	}
	struct sockaddr_storage name;
	int length = sizeof name;
	if (uv_tcp_getpeername(&connection->uv.tcp, (struct sockaddr *)&name, &length) != 0)
		return false;
	connection->from = io_address_from_sockaddr((struct sockaddr *)&name);
	if (!enter(connection))
		return false;
	uv_tcp_nodelay(&connection->uv.tcp, 1);
	if (!server->tls)
		return true;
	if (server->stats.connections >
	    server->options.max_connections) { /* a 503 is not worth a handshake */
		server->stats.full++;
		return false;
	}
	connection->tls = io_tls_new(server->tls, NULL);
	return connection->tls;
}

static void wait_for_room(struct io_http_server *server, span_us wait)
{
	server->waits = true;
	uv_timer_start(&server->admit, server->admit.timer_cb, (uint64_t)(wait / US_PER_MS), 0);
}

static void take_connection(struct io_http_server *server)
{
	struct http_connection *connection = calloc(1, sizeof *connection);
	if (!connection) {
		wait_for_room(server, US_PER_S);
		return;
	}
	io_loop_touch(server->loop);
	connection->server = server;
	connection->head = calloc(1, sizeof *connection->head); /* a refusal may come before any request */
	connection->extra = malloc(HTTP_EXTRA_MAX);
	if (server->unix_path)
		uv_pipe_init(io_loop_uv(server->loop), &connection->uv.pipe, 0);
	else
		uv_tcp_init(io_loop_uv(server->loop), &connection->uv.tcp);
	connection->uv.handle.data = connection;
	while (connection->slot < server->slots && server->connections[connection->slot])
		connection->slot++;
	server->handles++;
	server->stats.connections++;
	server->stats.accepted++;
	bool accepted = uv_accept(&server->listener.stream, &connection->uv.stream) == 0;
	if (connection->slot == server->slots) { /* past the last one, kept for saying no */
		connection->slot = 0;
		server->stats.full++;
		http_connection_close(connection, clock_now());
		return;
	}
	server->connections[connection->slot] = connection;
	if (!accepted || !connection->head || !connection->extra || !identify(connection)) {
		http_connection_close(connection, clock_now());
		return;
	}
	http_connection_start(connection);
	if (server->stats.connections > server->options.max_connections && !connection->closing)
		http_reply_problem(connection, 503, true);
}

/* What is not accepted here stays with the kernel: libuv holds one and asks for no more until it is taken. */
static void admit(struct io_http_server *server)
{
	span_us wait;
	bool room = server->unix_path || http_admission_has_room(&server->admission, clock_mono(), &wait);
	if (!room) {
		server->stats.waited += !server->waits;
		wait_for_room(server, wait);
		return;
	}
	server->waits = false;
	take_connection(server);
}

void http_server_on_admit(uv_timer_t *timer)
{
	struct io_http_server *server = timer->data;
	if (server->waits && !server->stopped)
		admit(server);
}

void http_server_on_connection(uv_stream_t *listener, int status)
{
	if (status == 0)
		admit(listener->data);
}

/* The handshake has ended one way or the other, or goes on. */
void http_connection_judge_handshake(struct http_connection *connection, bool lives, bool spoke,
				     struct now now)
{
	struct io_http_server_stats *stats = &connection->server->stats;
	if (lives && !io_tls_ready(connection->tls))
		return;
	http_server_handshake_ended(connection);
	if (!lives && spoke) {
		stats->handshakes_failed++;
		stats->certificates_refused += io_tls_certificate_refused(connection->tls);
		return;
	}
	if (!lives) {
		stats->handshakes_slow++;
		return;
	}
	stats->handshakes++;
	stats->resumed += io_tls_resumed(connection->tls);
	struct io_tls_peer peer;
	if (io_tls_peer(connection->tls, now.wall, &peer) &&
	    (connection->certificate = malloc(sizeof peer)) != NULL)
		*connection->certificate = peer;
	connection->deadline = mono_add(now.mono, connection->server->options.request_timeout);
}
