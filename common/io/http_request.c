/* From a whole request to its handler, and what the handler sees of it. */
#include "common/io/http_connection.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

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
	connection->extra_used = (size_t)snprintf(connection->extra, HTTP_EXTRA_MAX, "Allow: %s\r\n", allow);
	http_reply_problem(connection, 405, false);
}

void http_server_dispatch(struct http_connection *connection, struct now now)
{
	struct io_http_server *server = connection->server;
	const struct http_head *head = connection->head;
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
	return request->connection->head->method;
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
	const struct http_head *head = request->connection->head;
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

const struct io_tls_peer *io_http_request_certificate(const struct io_http_request *request)
{
	return request->connection->certificate;
}
