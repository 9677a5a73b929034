#include "common/io/websocket_line.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/io/clock.h"

#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define READ_SIZE (64u * 1024)
#define LINGER    (2 * US_PER_S) /* for the server, which closes first */

struct write {
	uv_write_t request;
	uint8_t *bytes; /* owned */
};

/* --- ends */

static void on_closed(uv_handle_t *handle)
{
	struct ws_line *line = handle->data;
	line->closed = true;
	if (!line->looking)
		ws_client_gone(line);
}

void ws_line_close(struct ws_line *line, bool reset)
{
	if (line->closing)
		return;
	line->closing = true;
	if (line->looking)
		uv_cancel((uv_req_t *)&line->lookup);
	if (!reset || uv_tcp_close_reset(&line->tcp, on_closed) != 0)
		uv_close((uv_handle_t *)&line->tcp, on_closed);
}

/* A dial that does not open: told by an event of its own. */
__attribute__((format(printf, 4, 5))) static void fail(struct ws_line *line, enum io_ws_reason reason,
						       int code, const char *format, ...)
{
	if (line->failed || line->session)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line->detail, sizeof line->detail, format, arguments);
	va_end(arguments);
	line->failed = true;
	line->reason = reason;
	line->code = (uint16_t)code;
	line->resume = true;
	ws_line_touch(line);
}

/* From events alone: what is over is told, then the connection goes. */
static void settle(struct ws_line *line, struct now now)
{
	struct ws_session *session = line->session;
	bool over = line->failed || (session && session->state == WS_IS_OVER);
	if (!over || line->told)
		return;
	bool cut = line->cut || (session && session->cut);
	line->told = true;
	line->state = WS_LAST;
	line->due = mono_add(now.mono, LINGER);
	if (session) {
		ws_session_tell(session, now); /* which can look at the detail still */
	} else {
		line->client->stats.ended[line->reason]++;
		if (line->options.events.on_close)
			line->options.events.on_close(line->options.ctx, now, line->id, line->reason,
						      line->code);
	}
	if (cut)
		ws_line_close(line, line->reset);
	else
		ws_line_touch(line);
}

static void lost(struct ws_line *line, const char *why)
{
	if (line->session)
		ws_session_lost(line->session);
	else
		fail(line,
		     line->state == WS_TLS       ? IO_WS_TLS_REFUSED
		     : line->state == WS_UPGRADE ? IO_WS_HANDSHAKE_FAILED
						 : IO_WS_NOT_REACHED,
		     0, "%s", why);
}

/* --- bytes */

static size_t queued(void *ctx)
{
	const struct ws_line *line = ctx;
	return line->out.used + uv_stream_get_write_queue_size((const uv_stream_t *)&line->tcp);
}

static void begin_upgrade(struct ws_line *line)
{
	line->state = WS_UPGRADE;
	if (!http_buffer_add(&line->out, line->request.bytes, line->request.used))
		fail(line, IO_WS_NO_MEMORY, 0, "no memory");
	http_buffer_release(&line->request);
	ws_line_touch(line);
}

static void take_answer(struct ws_line *line, struct now now)
{
	size_t used;
	int code;
	enum ws_answer answer = ws_answer_read(line->in.bytes, line->in.used, line->key, &used, &code);
	if (answer == WS_ANSWER_MORE)
		return;
	if (answer == WS_ANSWER_REFUSED) {
		fail(line, IO_WS_HANDSHAKE_FAILED, code, "the server answered %d", code);
		return;
	}
	http_buffer_drop(&line->in, used);
	struct ws_owner owner = {.queued = queued,
				 .ctx = line,
				 .out = &line->out,
				 .stats = &line->client->stats,
				 .mask_rng = &line->client->rng};
	line->session = ws_session_new(&line->options, &owner, line->id, now);
	if (!line->session) {
		fail(line, IO_WS_NO_MEMORY, 0, "no memory");
		return;
	}
	line->state = WS_LINE_OPEN;
	line->due = MONO_NEVER;
	if (line->options.events.on_open)
		line->options.events.on_open(line->options.ctx, now, line->id);
}

/* Returns whether the connection lives. */
static bool take_in(struct ws_line *line, const uint8_t *bytes, size_t length)
{
	if (!line->tls)
		return http_buffer_add(&line->in, bytes, length);
	io_tls_feed(line->tls, bytes, length);
	uint8_t clear[16384];
	ssize_t count;
	while ((count = io_tls_read(line->tls, clear, sizeof clear)) > 0)
		if (!http_buffer_add(&line->in, clear, (size_t)count))
			return false;
	if (line->state == WS_TLS && io_tls_ready(line->tls))
		begin_upgrade(line);
	return count == 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)handle;
	(void)suggested;
	buffer->base = malloc(READ_SIZE);
	buffer->len = buffer->base ? READ_SIZE : 0;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct ws_line *line = stream->data;
	struct now now = clock_now();
	ws_line_touch(line);
	bool lives = count >= 0 && take_in(line, (const uint8_t *)buffer->base, (size_t)count);
	free(buffer->base);
	if (line->state == WS_UPGRADE && line->in.used > 0)
		take_answer(line, now);
	if (line->state == WS_LINE_OPEN && line->in.used > 0 && !line->closing)
		ws_session_feed(line->session, &line->in, now);
	if (!lives && !line->closing) {
		uv_read_stop(stream);
		const char *why = line->tls ? io_tls_problem(line->tls) : "";
		lost(line, count < 0 && count != UV_EOF ? uv_strerror((int)count)
			   : why[0]                     ? why
							: "the server closed");
	}
	if (line->state == WS_LAST && !line->closing) {
		line->in.used = 0;
		if (!lives)
			ws_line_close(line, false);
		return;
	}
	settle(line, now);
}

void ws_line_read(struct ws_line *line)
{
	if (line->closing || line->state < WS_TLS)
		return;
	if (line->held)
		uv_read_stop((uv_stream_t *)&line->tcp);
	else
		uv_read_start((uv_stream_t *)&line->tcp, on_alloc, on_read);
}

static void on_written(uv_write_t *request, int status)
{
	struct ws_line *line = request->handle->data;
	free(((struct write *)request)->bytes);
	free(request);
	if (status == 0 || status == UV_ECANCELED || line->closing)
		return;
	ws_line_touch(line);
	lost(line, uv_strerror(status));
	settle(line, clock_now());
}

/* Takes `bytes`. */
static bool hand_over(struct ws_line *line, uint8_t *bytes, size_t length)
{
	struct write *write = calloc(1, sizeof *write);
	uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)length);
	if (write)
		write->bytes = bytes;
	if (write && uv_write(&write->request, (uv_stream_t *)&line->tcp, &buffer, 1, on_written) == 0)
		return true;
	free(bytes);
	free(write);
	return false;
}

static bool write_out(struct ws_line *line)
{
	struct http_buffer out = line->out;
	if (!line->tls) {
		line->out = (struct http_buffer){0};
		return out.used == 0 || hand_over(line, out.bytes, out.used);
	}
	bool sealed = io_tls_write(line->tls, out.bytes, out.used) == ST_OK;
	http_buffer_release(&line->out);
	size_t length;
	uint8_t *bytes = io_tls_take(line->tls, &length);
	return (!bytes || hand_over(line, bytes, length)) && sealed;
}

void ws_line_flush(struct ws_line *line)
{
	if (line->closing || line->cut || line->state < WS_TLS)
		return;
	bool written = write_out(line);
	if (line->failed && line->told) { /* what TLS had to say about it went first */
		ws_line_close(line, false);
	} else if (!written) {
		lost(line, "the connection ended");
		line->resume = true;
	}
}

/* --- the way to the server */

static void on_connect(uv_connect_t *request, int status)
{
	struct ws_line *line = request->data;
	if (line->closing)
		return;
	ws_line_touch(line);
	if (status != 0) {
		fail(line, IO_WS_NOT_REACHED, 0, "%s", uv_strerror(status));
		settle(line, clock_now());
		return;
	}
	uv_tcp_nodelay(&line->tcp, 1);
	line->state = WS_TLS;
	if (!line->trust) {
		begin_upgrade(line);
	} else {
		line->tls = io_tls_new(line->trust->context, line->server_name);
		uint8_t none[1];
		if (!line->tls || io_tls_read(line->tls, none, sizeof none) < 0)
			fail(line, IO_WS_TLS_REFUSED, 0, "%s",
			     line->tls ? io_tls_problem(line->tls) : "no memory");
	}
	ws_line_read(line);
}

static void connect_to(struct ws_line *line, const struct sockaddr *address)
{
	line->state = WS_CONNECT;
	line->connect.data = line;
	int error = uv_tcp_connect(&line->connect, &line->tcp, address, on_connect);
	if (error != 0)
		fail(line, IO_WS_NOT_REACHED, 0, "%s", uv_strerror(error));
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct ws_line *line = request->data;
	line->looking = false;
	if (line->closed) /* and only waited for this */
		ws_client_gone(line);
	if (line->closed || line->closing) {
		uv_freeaddrinfo(found);
		return;
	}
	ws_line_touch(line);
	if (status != 0)
		fail(line, IO_WS_NOT_REACHED, 0, "%s", uv_strerror(status));
	else
		connect_to(line, found->ai_addr);
	uv_freeaddrinfo(found);
}

void ws_line_begin(struct ws_line *line, const char *connect_host)
{
	const char *host = connect_host ? connect_host : line->url.host;
	struct io_address address;
	struct sockaddr_storage numeric;
	if (io_address_parse(host, line->url.port, &address) == ST_OK) {
		io_address_to_sockaddr(&address, &numeric);
		connect_to(line, (struct sockaddr *)&numeric);
		return;
	}
	char port[8];
	snprintf(port, sizeof port, "%u", line->url.port);
	line->lookup.data = line;
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	int error = uv_getaddrinfo(io_loop_uv(line->client->loop), &line->lookup, on_lookup, host, port,
				   &hints);
	line->looking = error == 0;
	if (error != 0)
		fail(line, IO_WS_NOT_REACHED, 0, "%s", uv_strerror(error));
}

/* --- events of the client's timers */

void ws_line_resume(struct ws_line *line, struct now now)
{
	if (line->cut && !line->session)
		lost(line, "cut");
	settle(line, now);
}

void ws_line_sweep(struct ws_line *line, struct now now)
{
	if (line->closing)
		return;
	if (line->state == WS_LINE_OPEN && ws_session_sweep(line->session, now))
		ws_line_touch(line);
	bool late = mono_since(line->due, now.mono) <= 0;
	if (late && line->state == WS_LAST)
		ws_line_close(line, false);
	else if (late && line->state < WS_LINE_OPEN)
		fail(line,
		     line->state == WS_UPGRADE ? IO_WS_HANDSHAKE_FAILED
		     : line->state == WS_TLS   ? IO_WS_TLS_REFUSED
					       : IO_WS_NOT_REACHED,
		     0, "no answer in time");
	settle(line, now);
}
