#include "common/io/http_connection.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/unix_socket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 1000

/* --- from a whole request to its handler */

static bool parse_query(struct io_http_request *request, const char *query, char *text, size_t capacity)
{
	while (*query) {
		size_t item = strcspn(query, "&"), name = strcspn(query, "=&");
		if (item > 0) {
			if (request->query_count == HTTP_QUERY_MAX)
				return false;
			const char *value = name < item ? query + name + 1 : query + item;
			char *out_name = text;
			if (!http_decode(query, name, true, out_name, capacity))
				return false;
			size_t used = strlen(out_name) + 1;
			char *out_value = text + used;
			if (!http_decode(value, (size_t)(query + item - value), true, out_value,
					 capacity - used))
				return false;
			used += strlen(out_value) + 1;
			text += used;
			capacity -= used;
			request->query[request->query_count].name = out_name;
			request->query[request->query_count++].value = out_value;
		}
		query += item;
		query += *query == '&';
	}
	return true;
}

static void refuse_method(struct http_connection *connection, unsigned methods)
{
	char allow[64];
	size_t used = 0;
	for (int i = 0; i < IO_HTTP_METHOD_COUNT; i++)
		if (methods & (1u << i))
			used += (size_t)snprintf(allow + used, sizeof allow - used, "%s%s%s",
						 used ? ", " : "",
						 io_http_method_name((enum io_http_method)i),
						 i == IO_HTTP_GET ? ", HEAD" : "");
	connection->extra_used = (size_t)snprintf(connection->extra, sizeof connection->extra,
						  "Allow: %s\r\n", allow);
	http_reply_problem(connection, 405, false);
}

void http_server_dispatch(struct http_connection *connection, struct now now)
{
	struct io_http_server *server = connection->server;
	const struct http_head *head = &connection->head;
	struct http_match match;
	struct io_http_request request = {.connection = connection, .match = &match};
	char path[HTTP_PATH_MAX], query[HTTP_HEAD_MAX + 2];
	connection->in_handler = true;
	if (strlen(head->path) >= HTTP_PATH_MAX ||
	    !http_decode(head->path, strlen(head->path), false, path, sizeof path) ||
	    !http_routes_find(&server->routes, head->method, head->path, &match) ||
	    !parse_query(&request, head->query, query, sizeof query)) {
		http_reply_problem(connection, 400, false);
	} else if (!match.route && match.methods == 0) {
		http_reply_problem(connection, 404, false);
	} else if (!match.route) {
		refuse_method(connection, match.methods);
	} else {
		request.path = path;
		connection->exchange = ++server->last_exchange * HTTP_CONNECTIONS_MAX + connection->slot;
		match.route->handle(match.ctx, now, &request);
	}
	connection->in_handler = false;
}

io_http_exchange io_http_request_exchange(const struct io_http_request *request)
{
	return request->connection->exchange;
}

enum io_http_method io_http_request_method(const struct io_http_request *request)
{
	return request->connection->head.method;
}

const char *io_http_request_path(const struct io_http_request *request)
{
	return request->path;
}

const char *io_http_request_pattern(const struct io_http_request *request)
{
	return request->match->route->pattern;
}

const char *io_http_request_param(const struct io_http_request *request, const char *name)
{
	const struct http_match *match = request->match;
	for (size_t i = 0; i < match->param_count; i++)
		if (strlen(name) == match->params[i].name_length &&
		    memcmp(name, match->params[i].name, match->params[i].name_length) == 0)
			return match->params[i].value;
	return NULL;
}

const char *io_http_request_query(const struct io_http_request *request, const char *name)
{
	for (size_t i = 0; i < request->query_count; i++)
		if (strcmp(request->query[i].name, name) == 0)
			return request->query[i].value;
	return NULL;
}

const char *io_http_request_header(const struct io_http_request *request, const char *name)
{
	const struct http_head *head = &request->connection->head;
	for (size_t i = 0; i < head->header_count; i++)
		if (strcasecmp(head->headers[i].name, name) == 0)
			return head->headers[i].value;
	return NULL;
}

const uint8_t *io_http_request_body(const struct io_http_request *request, size_t *length)
{
	*length = request->connection->body.used;
	return request->connection->body.bytes;
}

const struct io_peer *io_http_request_peer(const struct io_http_request *request)
{
	return request->connection->server->unix_path ? &request->connection->peer : NULL;
}

const struct io_address *io_http_request_from(const struct io_http_request *request)
{
	return request->connection->server->unix_path ? NULL : &request->connection->from;
}

/* --- listening */

static void free_when_empty(struct io_http_server *server)
{
	if (!server->released || server->handles > 0 || server->stats.connections > 0)
		return;
	io_tls_context_free(server->tls);
	free(server->connections);
	free(server->unix_path);
	free(server);
}

void http_server_gone(struct http_connection *connection)
{
	struct io_http_server *server = connection->server;
	if (server->connections[connection->slot] == connection)
		server->connections[connection->slot] = NULL;
	server->stats.connections--;
	free(connection);
	free_when_empty(server);
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
	uv_tcp_nodelay(&connection->uv.tcp, 1);
	if (server->tls)
		connection->tls = io_tls_new(server->tls);
	return !server->tls || connection->tls;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct io_http_server *server = listener->data;
	struct http_connection *connection = status == 0 ? calloc(1, sizeof *connection) : NULL;
	if (!connection)
		return;
	io_loop_touch(server->loop);
	connection->server = server;
	if (server->unix_path)
		uv_pipe_init(io_loop_uv(server->loop), &connection->uv.pipe, 0);
	else
		uv_tcp_init(io_loop_uv(server->loop), &connection->uv.tcp);
	connection->uv.handle.data = connection;
	while (connection->slot < server->slots && server->connections[connection->slot])
		connection->slot++;
	server->stats.connections++;
	server->stats.accepted++;
	bool accepted = uv_accept(listener, &connection->uv.stream) == 0;
	if (connection->slot == server->slots) { /* past the last one, kept for saying no */
		connection->slot = 0;
		http_connection_close(connection, clock_now());
		return;
	}
	server->connections[connection->slot] = connection;
	if (!accepted || !identify(connection)) {
		http_connection_close(connection, clock_now());
		return;
	}
	http_connection_start(connection);
	if (server->stats.connections > server->options.max_connections && !connection->closing)
		http_reply_problem(connection, 503, true);
}

static void flush(void *ctx, struct now now)
{
	struct io_http_server *server = ctx;
	(void)now;
	bool resume = false;
	for (size_t i = 0; i < server->slots; i++) {
		if (!server->connections[i])
			continue;
		http_connection_flush(server->connections[i]);
		resume |= server->connections[i]->resume;
	}
	if (resume)
		uv_timer_start(&server->resume, server->resume.timer_cb, 0, 0);
}

static void on_resume(uv_timer_t *timer)
{
	struct io_http_server *server = timer->data;
	io_loop_touch(server->loop);
	for (size_t i = 0; i < server->slots; i++) {
		struct http_connection *connection = server->connections[i];
		if (!connection || !connection->resume)
			continue;
		connection->resume = false;
		http_connection_advance(connection, clock_now());
		if (!connection->closing && !connection->ended)
			http_connection_start(connection); /* harmless when it reads already */
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct io_http_server *server = timer->data;
	struct now now = clock_now();
	for (size_t i = 0; i < server->slots; i++)
		if (server->connections[i])
			http_connection_sweep(server->connections[i], now);
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
			       uv_listen(&server->listener.stream, 128, on_connection) == 0
		       ? ST_OK
		       : ST_IO;
}

static bool is_loopback(const struct io_address *address)
{
	static const uint8_t loopback6[16] = {[15] = 1};
	return address->family == 4 ? address->bytes[0] == 127 : memcmp(address->bytes, loopback6, 16) == 0;
}

static enum status listen_tcp(struct io_http_server *server)
{
	const struct io_http_server_options *options = &server->options;
	struct io_address address;
	struct sockaddr_storage bound;
	uv_tcp_init(io_loop_uv(server->loop), &server->listener.tcp);
	if (io_address_parse(options->host, options->port, &address) != ST_OK)
		return ST_INVALID;
	if (!options->cert_file && !is_loopback(&address)) {
		LOG_ERROR("http_listen", "host=\"%s\" reason=\"without TLS only on loopback\"",
			  options->host);
		return ST_REFUSED;
	}
	enum status status = ST_OK;
	if (options->cert_file)
		status = io_tls_context_new(options->cert_file, options->key_file, &server->tls);
	if (status != ST_OK)
		return status;
	io_address_to_sockaddr(&address, &bound);
	int error = uv_tcp_bind(&server->listener.tcp, (struct sockaddr *)&bound, 0);
	if (error == 0)
		error = uv_listen(&server->listener.stream, 128, on_connection);
	if (error != 0)
		LOG_ERROR("http_listen", "host=\"%s\" port=%u reason=\"%s\"", options->host, options->port,
			  uv_strerror(error));
	return error == 0 ? ST_OK : error == UV_EADDRINUSE ? ST_EXISTS : ST_IO;
}

static void fill_defaults(struct io_http_server_options *options)
{
	options->max_connections = options->max_connections ? options->max_connections : 256;
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
	enum status status = options->unix_path ? listen_unix(server) : listen_tcp(server);
	server->listener.handle.data = server->sweep.data = server->resume.data = server;
	server->handles = 3;
	server->flusher = (struct io_flusher){.flush = flush, .ctx = server};
	io_loop_add_flusher(loop, &server->flusher);
	server->resume.timer_cb = on_resume;
	uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	if (status != ST_OK) {
		io_http_server_free(server);
		return status;
	}
	*out = server;
	return ST_OK;
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
	uv_close(&server->listener.handle, on_handle_closed);
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
	struct sockaddr_storage name;
	int length = sizeof name;
	if (server->unix_path ||
	    uv_tcp_getsockname(&server->listener.tcp, (struct sockaddr *)&name, &length) != 0)
		return 0;
	return io_address_from_sockaddr((struct sockaddr *)&name).port;
}

const struct io_http_server_stats *io_http_server_stats(const struct io_http_server *server)
{
	return &server->stats;
}
