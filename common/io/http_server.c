#include "common/io/http_connection.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/random.h"
#include "common/io/unix_socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 1000

/* --- listening */

static void free_when_empty(struct io_http_server *server)
{
	if (!server->released || server->handles > 0)
		return;
	io_tls_context_free(server->tls);
	free(server->cert_file);
	free(server->key_file);
	free(server->ca_file);
	if (!server->unix_path)
		http_admission_release(&server->admission);
	free(server->connections);
	free(server->unix_path);
	free(server);
}

/* --- the list of those to be flushed */

void http_connection_touch(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	io_loop_touch(server->loop);
	if (connection->listed)
		return;
	connection->listed = true;
	connection->next_listed = server->listed;
	server->listed = connection;
}

static void unlist(struct http_connection *connection)
{
	struct http_connection **at = &connection->server->listed;
	while (connection->listed && *at != connection)
		at = &(*at)->next_listed;
	if (connection->listed)
		*at = connection->next_listed;
}

static void flush(void *ctx, struct now now)
{
	struct io_http_server *server = ctx;
	(void)now;
	bool resume = false;
	for (struct http_connection *connection; (connection = server->listed);) {
		server->listed = connection->next_listed;
		connection->listed = false;
		http_connection_flush(connection);
		resume |= connection->resume;
	}
	if (resume)
		uv_timer_start(&server->resume, server->resume.timer_cb, 0, 0);
}

void http_server_gone(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	unlist(connection);
	free(connection);
	server->handles--;
	free_when_empty(server);
}

/* --- time */

static void on_resume(uv_timer_t *timer)
{
	struct io_http_server *server = timer->data;
	struct now now = clock_now();
	for (size_t i = 0; i < server->slots && !server->released; i++) {
		struct http_connection *connection = server->connections[i];
		if (!connection || !connection->resume)
			continue;
		connection->resume = false;
		http_connection_touch(connection);
		if (connection->state == HTTP_WEBSOCKET) {
			http_websocket_resume(connection, now);
			continue;
		}
		http_connection_advance(connection, now);
		if (!connection->closing && !connection->ended && connection->state != HTTP_WEBSOCKET)
			http_connection_start(connection); /* harmless when it reads already */
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct io_http_server *server = timer->data;
	struct now now = clock_now();
	for (size_t i = 0; i < server->slots && !server->released; i++)
		if (server->connections[i])
			http_connection_sweep(server->connections[i], now);
	if (!server->unix_path)
		http_admission_sweep(&server->admission, now.mono);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct io_http_server *server = handle->data;
	server->handles--;
	free_when_empty(server);
}

static enum status listen_unix(struct io_http_server *server)
{
	int fd;
	enum status status = io_unix_bind(server->options.unix_path, &fd);
	uv_pipe_init(io_loop_uv(server->loop), &server->listener.pipe, 0);
	if (status != ST_OK)
		return status;
	server->unix_path = strdup(server->options.unix_path);
	ASSERT(server->unix_path);
	return uv_pipe_open(&server->listener.pipe, fd) == 0 &&
			       uv_listen(&server->listener.stream, 128, http_server_on_connection) == 0
		       ? ST_OK
		       : ST_IO;
}

static bool is_loopback(const struct io_address *address)
{
	static const uint8_t loopback6[16] = {[15] = 1};
	return address->family == 4 ? address->bytes[0] == 127 : memcmp(address->bytes, loopback6, 16) == 0;
}

static enum status make_tls(const struct io_http_server *server, struct io_tls_context **out)
{
	return io_tls_context_new(&(struct io_tls_options){.cert_file = server->cert_file,
							   .key_file = server->key_file,
							   .ca_file = server->ca_file,
							   .clients = server->options.client_certificates},
				  out);
}

static struct io_address bound_address(const struct io_http_server *server)
{
	struct sockaddr_storage name;
	int length = sizeof name;
	if (uv_tcp_getsockname(&server->listener.tcp, (struct sockaddr *)&name, &length) != 0)
		return (struct io_address){0};
	return io_address_from_sockaddr((struct sockaddr *)&name);
}

/* A copy of the socket: the caller's own is closed when all has gone well, and can be tried again where it has not. */
static enum status take_over(struct io_http_server *server, struct io_address *address)
{
	int copy = fcntl(server->options.listen_fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return ST_IO;
	if (uv_tcp_open(&server->listener.tcp, copy) != 0) {
		close(copy);
		return ST_IO;
	}
	*address = bound_address(server);
	return ST_OK;
}

static enum status bind_tcp(struct io_http_server *server, struct io_address *address)
{
	const struct io_http_server_options *options = &server->options;
	struct sockaddr_storage bound;
	int error;
	if (options->listen_fd)
		return take_over(server, address);
	if (io_address_parse(options->host, options->port, address) != ST_OK)
		return ST_INVALID;
	io_address_to_sockaddr(address, &bound);
	error = uv_tcp_bind(&server->listener.tcp, (struct sockaddr *)&bound, 0);
	return error == 0 ? ST_OK : error == UV_EADDRINUSE ? ST_EXISTS : ST_IO;
}

static enum status listen_tcp(struct io_http_server *server)
{
	const struct io_http_server_options *options = &server->options;
	struct rng rng = io_random_rng();
	struct io_address address;
	http_admission_init(&server->admission, &options->admission, server->slots, &rng);
	uv_tcp_init(io_loop_uv(server->loop), &server->listener.tcp);
	enum status status = bind_tcp(server, &address);
	if (status == ST_OK && !options->cert_file && !options->plain_anywhere && !is_loopback(&address)) {
		LOG_ERROR("http_listen", "host=\"%s\" reason=\"without TLS only on loopback\"",
			  options->host ? options->host : "handed over");
		return ST_REFUSED;
	}
	if (status == ST_OK && options->cert_file)
		status = make_tls(server, &server->tls);
	if (status != ST_OK)
		return status;
	int error = uv_listen(&server->listener.stream, (int)options->backlog, http_server_on_connection);
	if (error != 0)
		LOG_ERROR("http_listen", "host=\"%s\" port=%u reason=\"%s\"",
			  options->host ? options->host : "handed over", address.port, uv_strerror(error));
	return error == 0 ? ST_OK : error == UV_EADDRINUSE ? ST_EXISTS : ST_IO;
}

enum status io_http_server_reload_tls(struct io_http_server *server)
{
	if (!server->tls)
		return ST_NOT_FOUND;
	struct io_tls_context *renewed;
	enum status status = make_tls(server, &renewed);
	if (status != ST_OK)
		return status;
	io_tls_context_free(server->tls); /* connections that were made from it keep what they need */
	server->tls = renewed;
	return ST_OK;
}

static char *copy_of(const char *text)
{
	char *copy = text ? strdup(text) : NULL;
	ASSERT(copy || !text);
	return copy;
}

enum status io_http_server_set_tls(struct io_http_server *server, const char *cert_file, const char *key_file,
				   const char *ca_file)
{
	char *before[] = {server->cert_file, server->key_file, server->ca_file};
	server->cert_file = copy_of(cert_file);
	server->key_file = copy_of(key_file);
	server->ca_file = copy_of(ca_file);
	enum status status = io_http_server_reload_tls(server);
	char *after[] = {server->cert_file, server->key_file, server->ca_file};
	if (status != ST_OK) {
		server->cert_file = before[0];
		server->key_file = before[1];
		server->ca_file = before[2];
	}
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		free(status == ST_OK ? before[i] : after[i]);
	return status;
}

struct wall io_http_server_certificate_until(const struct io_http_server *server)
{
	return server->tls ? io_tls_context_until(server->tls) : (struct wall){0};
}

static void fill_defaults(struct io_http_server_options *options)
{
	options->max_connections = options->max_connections ? options->max_connections : 256;
	options->backlog = options->backlog ? options->backlog : 128;
	if (options->max_connections > HTTP_CONNECTIONS_MAX - 16)
		options->max_connections = HTTP_CONNECTIONS_MAX - 16;
	options->body_limit = options->body_limit ? options->body_limit : 1 << 20;
	options->stream_buffer = options->stream_buffer ? options->stream_buffer : 1 << 20;
	options->request_timeout = options->request_timeout ? options->request_timeout : 30 * US_PER_S;
	options->reply_timeout = options->reply_timeout ? options->reply_timeout : 60 * US_PER_S;
}

enum status io_http_server_open(struct io_loop *loop, const struct io_http_server_options *options,
				struct io_http_server **out)
{
	struct io_http_server *server = calloc(1, sizeof *server);
	ASSERT(server);
	server->loop = loop;
	server->options = *options;
	fill_defaults(&server->options);
	server->slots = server->options.max_connections + 16; /* 16 that are told 503 */
	server->connections = calloc(server->slots, sizeof(struct http_connection *));
	ASSERT(server->connections);
	uv_timer_init(io_loop_uv(loop), &server->sweep);
	uv_timer_init(io_loop_uv(loop), &server->resume);
	uv_timer_init(io_loop_uv(loop), &server->admit);
	server->cert_file = copy_of(options->cert_file);
	server->key_file = copy_of(options->key_file);
	server->ca_file = copy_of(options->ca_file);
	enum status status = options->unix_path ? listen_unix(server) : listen_tcp(server);
	server->listener.handle.data = server->sweep.data = server->resume.data = server;
	server->admit.data = server;
	server->handles = 4;
	server->flusher = (struct io_flusher){.flush = flush, .ctx = server};
	io_loop_add_flusher(loop, &server->flusher);
	server->resume.timer_cb = on_resume;
	server->admit.timer_cb = http_server_on_admit;
	uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	if (status != ST_OK) {
		io_http_server_free(server);
		return status;
	}
	if (options->listen_fd)
		close(options->listen_fd);
	*out = server;
	return ST_OK;
}

void io_http_server_stop_accepting(struct io_http_server *server)
{
	if (server->stopped)
		return;
	server->stopped = true;
	uv_close(&server->listener.handle, on_handle_closed);
}

/* Whether all that was said has left; idle connections owe nothing. */
static bool drained(const struct http_connection *connection)
{
	return connection->closing || (!connection->ws && http_connection_queued(connection) == 0 &&
				       (connection->state != HTTP_LAST || connection->shut));
}

bool io_http_server_drained(const struct io_http_server *server)
{
	for (size_t i = 0; i < server->slots; i++)
		if (server->connections[i] && !drained(server->connections[i]))
			return false;
	return true;
}

void io_http_server_free(struct io_http_server *server)
{
	if (!server)
		return;
	server->released = true;
	io_loop_remove_flusher(server->loop, &server->flusher);
	if (server->unix_path)
		unlink(server->unix_path);
	for (size_t i = 0; i < server->slots; i++)
		if (server->connections[i])
			http_connection_close(server->connections[i], clock_now());
	io_http_server_stop_accepting(server);
	uv_close((uv_handle_t *)&server->admit, on_handle_closed);
	uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
	uv_close((uv_handle_t *)&server->resume, on_handle_closed);
}

void io_http_server_add(struct io_http_server *server, const struct io_http_route *routes, size_t count,
			void *ctx)
{
	http_routes_add(&server->routes, routes, count, ctx);
}

uint16_t io_http_server_port(const struct io_http_server *server)
{
	return server->unix_path ? 0 : bound_address(server).port;
}

const struct io_http_server_stats *io_http_server_stats(const struct io_http_server *server)
{
	return &server->stats;
}
