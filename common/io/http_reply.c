/* Answers: whole, streamed, and those of the server itself. */
#include "common/io/http_connection.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/io/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return "Other";
}

__attribute__((format(printf, 2, 3))) static bool add_text(struct http_buffer *out, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	ASSERT(length >= 0 && (size_t)length < sizeof text);
	return http_buffer_add(out, text, (size_t)length);
}

static bool has_line_break(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 && *text != '\t')
			return true;
	return false;
}

/* Begins a reply: status line and the headers that every reply has. */
static bool add_head(struct http_connection *connection, int status, const char *content_type)
{
	char date[40];
	time_t seconds = (time_t)(clock_now().wall.us / US_PER_S);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
	struct http_buffer *out = &connection->out;
	return add_text(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, reason_of(status), date) &&
	       (status == 204 || status == 304 || add_text(out, "Content-Type: %.200s\r\n", content_type)) &&
	       http_buffer_add(out, connection->extra, connection->extra_used);
}

static bool add_connection(struct http_connection *connection)
{
	if (!connection->head->keep_alive)
		return add_text(&connection->out, "Connection: close\r\n\r\n");
	return add_text(&connection->out,
			connection->head->old_version ? "Connection: keep-alive\r\n\r\n" : "\r\n");
}

/* Writes a whole reply into the connection; no memory closes it. */
static void write_reply(struct http_connection *connection, int status, const char *content_type,
			const void *body, size_t length)
{
	bool has_body = status != 204 && status != 304;
	bool done = add_head(connection, status, content_type) &&
		    (!has_body || add_text(&connection->out, "Content-Length: %zu\r\n", length)) &&
		    add_connection(connection) &&
		    (!has_body || connection->head->head_only ||
		     http_buffer_add(&connection->out, body, length));
	http_connection_answered(connection);
	http_connection_touch(connection);
	if (!done)
		http_connection_close(connection, clock_now());
}

void http_reply_problem(struct http_connection *connection, int status, bool last)
{
	char detail[80] = "", body[256];
	if (status == 413)
		snprintf(detail, sizeof detail, ",\"detail\":\"a body has at most %zu bytes\"",
			 connection->server->options.body_limit);
	int length = snprintf(body, sizeof body,
			      "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d%s}\n",
			      reason_of(status), status, detail);
	if (last)
		connection->head->keep_alive = false;
	connection->server->stats.refused++;
	connection->exchange = 0;
	write_reply(connection, status, "application/problem+json", body, (size_t)length);
}

static struct http_connection *find(const struct io_http_server *server, io_http_exchange exchange)
{
	size_t slot = exchange % HTTP_CONNECTIONS_MAX;
	if (exchange == 0 || slot >= server->slots || !server->connections[slot])
		return NULL;
	struct http_connection *connection = server->connections[slot];
	return connection->exchange == exchange && !connection->closing ? connection : NULL;
}

enum status io_http_reply_header(struct io_http_server *server, io_http_exchange exchange, const char *name,
				 const char *value)
{
	struct http_connection *connection = find(server, exchange);
	if (!connection || connection->state != HTTP_HANDLED)
		return ST_NOT_FOUND;
	if (has_line_break(name) || has_line_break(value) || strpbrk(name, ": \t"))
		return ST_INVALID;
	size_t room = HTTP_EXTRA_MAX - connection->extra_used;
	int length = snprintf(connection->extra + connection->extra_used, room, "%s: %s\r\n", name, value);
	if (connection->extra_count == HTTP_EXTRA_COUNT || length < 0 || (size_t)length >= room)
		return ST_FULL;
	connection->extra_used += (size_t)length;
	connection->extra_count++;
	return ST_OK;
}

enum status io_http_reply(struct io_http_server *server, io_http_exchange exchange, int status,
			  const char *content_type, const void *body, size_t length)
{
	struct http_connection *connection = find(server, exchange);
	if (!connection || connection->state != HTTP_HANDLED)
		return ST_NOT_FOUND;
	write_reply(connection, status, content_type ? content_type : "application/json", body, length);
	return ST_OK;
}

/* `framing` is the header that says where the body ends; "": the close of the connection does. */
static enum status begin(struct http_connection *connection, const char *content_type, const char *framing)
{
	bool done = add_head(connection, 200, content_type) &&
		    add_text(&connection->out, "Cache-Control: no-store\r\n%s", framing) &&
		    add_connection(connection);
	http_connection_touch(connection);
	connection->state = HTTP_STREAM;
	connection->deadline = MONO_NEVER;
	if (connection->head->head_only)
		http_connection_answered(connection);
	if (!done) {
		connection->exchange = 0;
		http_connection_close(connection, clock_now());
		return ST_NO_MEMORY;
	}
	return connection->head->head_only ? ST_NOT_FOUND : ST_OK;
}

enum status io_http_stream_begin(struct io_http_server *server, io_http_exchange exchange,
				 const char *content_type)
{
	struct http_connection *connection = find(server, exchange);
	if (!connection || connection->state != HTTP_HANDLED)
		return ST_NOT_FOUND;
	if (connection->head->old_version)
		connection->head->keep_alive = false; /* HTTP/1.0 has no chunks: the end is the close */
	connection->sized = false;
	return begin(connection, content_type,
		     connection->head->old_version ? "" : "Transfer-Encoding: chunked\r\n");
}

enum status io_http_stream_begin_sized(struct io_http_server *server, io_http_exchange exchange,
				       const char *content_type, uint64_t length)
{
	char framing[48];
	struct http_connection *connection = find(server, exchange);
	if (!connection || connection->state != HTTP_HANDLED)
		return ST_NOT_FOUND;
	connection->sized = true;
	connection->sized_left = length;
	snprintf(framing, sizeof framing, "Content-Length: %" PRIu64 "\r\n", length);
	return begin(connection, content_type, framing);
}

enum status io_http_stream_send(struct io_http_server *server, io_http_exchange exchange, const void *bytes,
				size_t length)
{
	struct http_connection *connection = find(server, exchange);
	if (!connection || connection->state != HTTP_STREAM)
		return ST_NOT_FOUND;
	if (length == 0)
		return ST_OK; /* an empty chunk would be the end */
	http_connection_touch(connection);
	bool chunked = !connection->head->old_version && !connection->sized;
	if (connection->sized) {
		ASSERT_CMP(length, <=, connection->sized_left);
		connection->sized_left -= length;
	}
	if (http_connection_queued(connection) + length > server->options.stream_buffer) {
		server->stats.slow_readers++;
	} else if ((!chunked || add_text(&connection->out, "%zx\r\n", length)) &&
		   http_buffer_add(&connection->out, bytes, length) &&
		   (!chunked || add_text(&connection->out, "\r\n"))) {
		return ST_OK;
	}
	connection->exchange = 0; /* the caller is told here: no on_gone */
	http_connection_close(connection, clock_now());
	return ST_FULL;
}

bool io_http_exchange_is_open(const struct io_http_server *server, io_http_exchange exchange)
{
	return find(server, exchange) != NULL;
}

size_t io_http_stream_queued(const struct io_http_server *server, io_http_exchange exchange)
{
	const struct http_connection *connection = find(server, exchange);
	return connection ? http_connection_queued(connection) : 0;
}

void io_http_stream_end(struct io_http_server *server, io_http_exchange exchange)
{
	struct http_connection *connection = find(server, exchange);
	if (!connection || connection->state != HTTP_STREAM)
		return;
	bool done = connection->sized
			    ? connection->sized_left == 0
			    : connection->head->old_version || add_text(&connection->out, "0\r\n\r\n");
	http_connection_answered(connection);
	http_connection_touch(connection);
	if (!done)
		http_connection_close(connection, clock_now());
}
