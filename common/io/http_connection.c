#include "common/io/http_connection.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/io/clock.h"

#include <stdlib.h>
#include <string.h>

#define READ_SIZE (64u * 1024)
#define LINGER    (2 * US_PER_S) /* for a peer that is still sending what we refused */
#define OUT_PIPED (1u << 20)     /* pipelined requests wait while this much is to be written */

struct write {
	uv_write_t request;
	uint8_t *bytes; /* owned */
};

static void set_deadline(struct http_connection *connection, span_us span)
{
	connection->deadline = mono_add(clock_mono(), span);
}

size_t http_connection_queued(const struct http_connection *connection)
{
	return connection->out.used + uv_stream_get_write_queue_size(&connection->uv.stream);
}

/* --- closing */

static void on_closed(uv_handle_t *handle)
{
	struct http_connection *connection = handle->data;
	io_tls_free(connection->tls);
	ws_session_free(connection->ws);
	free(connection->certificate);
	free(connection->head);
	free(connection->extra);
	http_buffer_release(&connection->in);
	http_buffer_release(&connection->body);
	http_buffer_release(&connection->out);
	http_server_gone(connection);
}

void http_connection_close(struct http_connection *connection, struct now now)
{
	if (connection->closing)
		return;
	connection->closing = true;
	http_server_leaves(connection);
	io_http_exchange exchange = connection->exchange;
	struct io_http_server *server = connection->server;
	connection->exchange = 0;
	uv_close(&connection->uv.handle, on_closed);
	if (connection->ws && !server->released)
		http_websocket_lost(connection, now);
	if (exchange && !server->released && server->options.on_gone) {
		io_loop_touch(server->loop);
		server->options.on_gone(server->options.ctx, now, exchange);
	}
}

/* --- reading a request */

static void refuse(struct http_connection *connection, int status)
{
	http_reply_problem(connection, status, true);
}

/* Returns whether a whole head was taken. */
static bool read_head(struct http_connection *connection)
{
	struct http_buffer *in = &connection->in;
	/* A blank line before a request is forgiven, once (RFC 9112 §2.2). */
	if (connection->searched == 0 && in->used >= 2 && memcmp(in->bytes, "\r\n", 2) == 0)
		http_buffer_drop(in, 2);
	size_t length = in->used > 0 ? http_head_length(in->bytes, in->used, connection->searched) : 0;
	connection->searched = in->used;
	if (length == 0) {
		if (in->used >= HTTP_HEAD_MAX)
			refuse(connection, 431);
		return false;
	}
	connection->searched = 0;
	int refused = http_head_parse(in->bytes, length, connection->head);
	http_buffer_drop(in, length);
	connection->body.used = 0;
	connection->chunks = (struct http_chunks){0};
	if (!refused && connection->head->content_length > connection->server->options.body_limit)
		refused = 413;
	if (refused) {
		refuse(connection, refused);
		return false;
	}
	if (connection->head->expects_continue &&
	    !http_buffer_add(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n", 25))
		http_connection_close(connection, clock_now());
	connection->state = HTTP_BODY;
	return true;
}

static bool take_body(struct http_connection *connection, const uint8_t *bytes, size_t length)
{
	if (connection->body.used + length > connection->server->options.body_limit) {
		refuse(connection, 413);
		return false;
	}
	if (!http_buffer_add(&connection->body, bytes, length)) {
		refuse(connection, 503);
		return false;
	}
	return true;
}

static bool read_chunked(struct http_connection *connection)
{
	struct http_buffer *in = &connection->in;
	size_t done = 0;
	while (done < in->used && connection->chunks.state != CHUNK_DONE) {
		const uint8_t *data;
		size_t length;
		done += http_chunks_read(&connection->chunks, in->bytes + done, in->used - done, &data,
					 &length);
		if (!take_body(connection, data, length))
			return false;
		if (connection->chunks.state == CHUNK_BAD) {
			refuse(connection, 400);
			return false;
		}
	}
	http_buffer_drop(in, done);
	return connection->chunks.state == CHUNK_DONE;
}

/* Returns whether the whole body is there. */
static bool read_body(struct http_connection *connection)
{
	if (connection->head->chunked)
		return read_chunked(connection);
	struct http_buffer *in = &connection->in;
	size_t missing = (size_t)connection->head->content_length - connection->body.used;
	size_t piece = in->used < missing ? in->used : missing;
	if (piece > 0 && !take_body(connection, in->bytes, piece))
		return false;
	http_buffer_drop(in, piece);
	return piece == missing;
}

void http_connection_advance(struct http_connection *connection, struct now now)
{
	while (!connection->closing && http_connection_queued(connection) < OUT_PIPED) {
		if (connection->state == HTTP_HEAD && !read_head(connection))
			break;
		if (connection->closing || connection->state != HTTP_BODY || !read_body(connection))
			break;
		uint8_t nul = 0; /* handlers may read the body as text */
		if (!http_buffer_add(&connection->body, &nul, 1)) {
			refuse(connection, 503);
			break;
		}
		connection->body.used--;
		connection->state = HTTP_HANDLED;
		connection->deadline = mono_add(now.mono, connection->server->options.reply_timeout);
		connection->server->stats.requests++;
		http_server_dispatch(connection, now);
	}
	if (connection->state == HTTP_WEBSOCKET && !connection->closing && connection->in.used > 0)
		http_websocket_advance(connection, now); /* sent behind the request */
	if (connection->state == HTTP_LAST)
		connection->in.used = 0; /* read, to keep the peer from a reset, and thrown away */
}

void http_connection_answered(struct http_connection *connection)
{
	connection->exchange = 0;
	connection->extra_used = 0;
	connection->extra_count = 0;
	if (connection->body.capacity > READ_SIZE)
		http_buffer_release(&connection->body);
	set_deadline(connection, connection->server->options.request_timeout);
	connection->state = connection->head->keep_alive ? HTTP_HEAD : HTTP_LAST;
	/* Inside the handler the loop of http_connection_advance() goes on by itself. */
	if (!connection->in_handler && (connection->in.used > 0 || connection->ended)) {
		connection->resume = true;
		http_connection_touch(connection);
	}
}

/* --- bytes */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)handle;
	(void)suggested;
	/* Libuv calls on_read straight after: one static buffer would do, but one that is freed there needs no care. */
	buffer->base = malloc(READ_SIZE);
	buffer->len = buffer->base ? READ_SIZE : 0;
}

/* Returns whether the connection lives. */
static bool take_in(struct http_connection *connection, const uint8_t *bytes, size_t length)
{
	if (!connection->tls)
		return http_buffer_add(&connection->in, bytes, length);
	io_tls_feed(connection->tls, bytes, length);
	uint8_t clear[16384];
	ssize_t count;
	while ((count = io_tls_read(connection->tls, clear, sizeof clear)) > 0)
		if (!http_buffer_add(&connection->in, clear, (size_t)count))
			return false;
	return count == 0;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct http_connection *connection = stream->data;
	struct now now = clock_now();
	http_connection_touch(connection);
	bool lives = count >= 0 && take_in(connection, (const uint8_t *)buffer->base, (size_t)count);
	free(buffer->base);
	if (connection->handshaking)
		http_connection_judge_handshake(connection, lives, count >= 0, now);
	if (!lives) {
		connection->ended = true;
		uv_read_stop(stream);
		/* What was answered in this turn still goes out; the turn's end then closes. */
		if (connection->state == HTTP_WEBSOCKET) /* a close frame may stand before the end */
			http_websocket_advance(connection, now);
		bool owes = connection->state >= HTTP_HANDLED && connection->state <= HTTP_WEBSOCKET;
		if (owes || connection->shut || (count < 0 && count != UV_EOF))
			http_connection_close(connection, now);
		return;
	}
	if (connection->state == HTTP_WEBSOCKET)
		http_websocket_advance(connection, now);
	else
		http_connection_advance(connection, now);
	/* While one request is handled only so much of later ones is taken. */
	if (!connection->closing && connection->state == HTTP_HANDLED &&
	    connection->in.used > HTTP_PIPELINE_MAX)
		uv_read_stop(stream);
}

void http_connection_start(struct http_connection *connection)
{
	const struct io_http_server *server = connection->server;
	set_deadline(connection, connection->handshaking ? server->admission.limits.handshake_timeout
							 : server->options.request_timeout);
	if (uv_read_start(&connection->uv.stream, on_alloc, on_read) != 0)
		http_connection_close(connection, clock_now());
}

static void on_written(uv_write_t *request, int status)
{
	struct http_connection *connection = request->handle->data;
	free(((struct write *)request)->bytes);
	free(request);
	if (connection->state == HTTP_STREAM)
		http_connection_touch(connection); /* whoever feeds the stream may go on */
	if (status != 0 && status != UV_ECANCELED) {
		http_connection_touch(connection);
		http_connection_close(connection, clock_now());
	} else if (status == 0 && !connection->closing && connection->in.used > 0 &&
		   connection->state == HTTP_HEAD) {
		connection->resume = true; /* pipelined requests waited for room */
		uv_timer_start(&connection->server->resume, connection->server->resume.timer_cb, 0, 0);
	}
}

/* Hands over bytes to libuv, which writes at once what the socket takes. Takes `bytes`. */
static bool hand_over(struct http_connection *connection, uint8_t *bytes, size_t length)
{
	struct write *write = calloc(1, sizeof *write);
	if (!write) {
		free(bytes);
		return false;
	}
	write->bytes = bytes;
	uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)length);
	if (uv_write(&write->request, &connection->uv.stream, &buffer, 1, on_written) == 0)
		return true;
	free(bytes);
	free(write);
	return false;
}

static bool write_sealed(struct http_connection *connection)
{
	size_t length;
	uint8_t *bytes = io_tls_take(connection->tls, &length);
	return !bytes || hand_over(connection, bytes, length);
}

static bool write_out(struct http_connection *connection)
{
	struct http_buffer *out = &connection->out;
	if (connection->tls) {
		bool sealed = io_tls_write(connection->tls, out->bytes, out->used) == ST_OK;
		if (connection->state >= HTTP_WEBSOCKET)
			http_buffer_release(out); /* an idle session keeps no buffer */
		out->used = 0;
		return sealed && write_sealed(connection);
	}
	if (out->used == 0)
		return true;
	uint8_t *bytes = out->bytes;
	size_t length = out->used;
	*out = (struct http_buffer){0};
	return hand_over(connection, bytes, length);
}

static void on_shut(uv_shutdown_t *request, int status)
{
	struct http_connection *connection = request->handle->data;
	free(request);
	/* One that cannot be shut down is gone already, reset by a peer that did not wait for our last word. */
	if (status != 0 || connection->ended)
		http_connection_close(connection, clock_now());
}

/* All is answered: says so, and waits a moment for the peer's end, since a close with unread bytes would reset the
 * connection and take our answer away. */
static void shut(struct http_connection *connection)
{
	if (connection->shut)
		return;
	connection->shut = true;
	if (connection->tls) {
		io_tls_end(connection->tls);
		write_sealed(connection);
	}
	uv_shutdown_t *request = malloc(sizeof *request);
	if (!request || uv_shutdown(request, &connection->uv.stream, on_shut) != 0) {
		free(request);
		http_connection_close(connection, clock_now());
		return;
	}
	set_deadline(connection, LINGER);
}

void http_connection_flush(struct http_connection *connection)
{
	if (connection->closing)
		return;
	if (connection->state == HTTP_WEBSOCKET)
		http_websocket_shrink(connection);
	if (!write_out(connection)) {
		if (connection->state ==
		    HTTP_WEBSOCKET) { /* its end is told by an event, not between turns */
			ws_session_lost(connection->ws);
			connection->resume = true;
			return;
		}
		http_connection_close(connection, clock_now());
		return;
	}
	bool nothing_more = connection->ended && connection->state <= HTTP_BODY && !connection->resume;
	if (connection->state == HTTP_LAST || nothing_more)
		shut(connection);
}

void http_connection_sweep(struct http_connection *connection, struct now now)
{
	if (connection->closing)
		return;
	if (connection->state == HTTP_WEBSOCKET)
		http_websocket_sweep(connection, now);
	if (connection->closing || mono_since(connection->deadline, now.mono) > 0)
		return;
	http_connection_touch(connection);
	if (connection->handshaking) {
		connection->server->stats.handshakes_slow++;
		http_connection_close(connection, now);
		return;
	}
	bool begun = connection->state == HTTP_BODY ||
		     (connection->state == HTTP_HEAD && connection->in.used > 0);
	if (connection->state == HTTP_HANDLED) {
		io_http_exchange exchange = connection->exchange;
		http_reply_problem(connection, 504, true);
		if (connection->server->options.on_gone)
			connection->server->options.on_gone(connection->server->options.ctx, now, exchange);
	} else if (begun) {
		refuse(connection, 408);
	} else if (connection->state != HTTP_STREAM && connection->state != HTTP_WEBSOCKET) {
		http_connection_close(connection, now);
	}
}
