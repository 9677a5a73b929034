/*           call                flush             connected
 * NO LINE ────────▶ bytes wait ───────▶ DIALLING ───────────▶ OPEN ──▶ answers, in the order of the ring
 *    ▲                                      │                  │
 *    └── every call of the ring fails ◀─────┴── broken, late ──┘
 *
 * The ring holds what is asked; `out` holds bytes that no line has taken yet. A line is freed when libuv has closed it; until
 * then it belongs to nobody and says nothing. */
#include "common/io/http_pipe.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/http_buffer.h"
#include "common/io/http_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define READ_SIZE    (64u * 1024)
#define MAX_CALLS    256
#define ANSWER_LIMIT (64u * 1024)
#define TIMEOUT      (10 * US_PER_S)
#define PATH_MAX_UN  107
#define TARGET_MAX   64

struct pipe_call {
	uint64_t mark;
	struct mono made;
};

struct line {
	uv_pipe_t uv;
	uv_connect_t connecting;
	struct io_http_pipe *pipe; /* NULL: left behind */
	bool open;
	uint8_t bytes[READ_SIZE]; /* of one read */
};

struct pipe_write {
	uv_write_t request;
	uint8_t *bytes; /* owned */
};

struct io_http_pipe {
	struct io_loop *loop;
	struct io_flusher flusher;
	struct io_timer
		*timer; /* when the silence has been too long, or at once where a line broke in a flush */
	struct io_http_pipe_options options;
	char path[PATH_MAX_UN + 1], target[TARGET_MAX];
	struct line *line; /* NULL: none */
	bool broken;
	struct http_buffer in, out;
	size_t taken; /* bytes of `in` that were read */
	struct http_head head;
	struct pipe_call *calls; /* owned ring */
	size_t first, count;
	struct mono heard; /* the last answer */
};

/* --- failing ----------------------------------------------------------------------------------------------------- */

static void on_line_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void leave_line(struct io_http_pipe *pipe)
{
	if (!pipe->line)
		return;
	pipe->line->pipe = NULL;
	uv_close((uv_handle_t *)&pipe->line->uv, on_line_closed);
	pipe->line = NULL;
}

static struct pipe_call take_first(struct io_http_pipe *pipe)
{
	struct pipe_call call = pipe->calls[pipe->first];
	pipe->first = (pipe->first + 1) % pipe->options.max_calls;
	pipe->count--;
	return call;
}

/* How long silence may go on: counted from the last answer, or from when the oldest call was made. */
static span_us patience(const struct io_http_pipe *pipe, struct mono now)
{
	struct mono made = pipe->calls[pipe->first].made;
	struct mono since = made.us > pipe->heard.us ? made : pipe->heard;
	return mono_since(mono_add(since, pipe->options.timeout), now);
}

static void arm(struct io_http_pipe *pipe)
{
	if (pipe->count == 0 && !pipe->broken) {
		io_timer_stop(pipe->timer);
		return;
	}
	span_us left = pipe->broken ? 0 : patience(pipe, clock_mono());
	io_timer_start(pipe->timer, left > 0 ? left : 0, 0);
}

/* Ends every call that is under way; those that their callbacks make go over another line. */
static void fail(struct io_http_pipe *pipe, enum status status, const char *reason)
{
	static const uint8_t nothing[1] = {0};
	const struct io_http_answer answer = {
		.status = status, .content_type = "", .body = nothing, .reason = reason, .sent = true};
	leave_line(pipe);
	pipe->broken = false;
	pipe->in.used = pipe->taken = pipe->out.used = 0;
	io_loop_touch(pipe->loop);
	for (size_t left = pipe->count; left > 0; left--)
		pipe->options.on_done(pipe->options.ctx, clock_now(), take_first(pipe).mark, &answer);
	arm(pipe);
}

static void on_timer(void *ctx, struct now now)
{
	struct io_http_pipe *pipe = ctx;
	if (pipe->broken)
		fail(pipe, ST_UNAVAILABLE, "the connection broke");
	else if (pipe->count > 0 && patience(pipe, now.mono) <= 0)
		fail(pipe, ST_TIMEOUT, "no answer in time");
	else
		arm(pipe);
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

/* Takes one whole answer; false: there is none yet, or the line was left. */
static bool take_answer(struct io_http_pipe *pipe)
{
	const uint8_t *bytes = pipe->in.bytes + pipe->taken;
	size_t length = pipe->in.used - pipe->taken;
	size_t head = length > 0 ? http_head_length(bytes, length, 0) : 0;
	if (head == 0) {
		/* The begin of an answer that nobody waits for would be taken for the next call's. */
		if (length > HTTP_HEAD_MAX || (length > 0 && pipe->count == 0))
			fail(pipe, ST_INVALID, "malformed answer");
		return false;
	}
	int code = pipe->count > 0 ? http_answer_parse(bytes, head, &pipe->head) : 0;
	if (code == 0 || pipe->head.content_length > pipe->options.answer_limit) {
		fail(pipe, code == 0 ? ST_INVALID : ST_FULL, "malformed or long answer");
		return false;
	}
	size_t body = (size_t)pipe->head.content_length;
	if (length - head < body)
		return false;
	bool last = !pipe->head.keep_alive;
	const char *type = http_head_find(&pipe->head, "content-type");
	uint8_t *text = pipe->in.bytes + pipe->taken + head;
	uint8_t next = text[body]; /* of the answer behind it: a NUL stands there while this one is lent */
	text[body] = 0;
	const struct io_http_answer answer = {.status = ST_OK,
					      .code = code,
					      .content_type = type ? type : "",
					      .body = text,
					      .length = body,
					      .reason = "",
					      .sent = true};
	struct line *line = pipe->line;
	pipe->heard = clock_mono(); /* a whole answer: bytes that trickle in are silence */
	pipe->options.on_done(pipe->options.ctx, clock_now(), take_first(pipe).mark, &answer);
	text[body] = next;
	pipe->taken += head + body;
	if (last)
		fail(pipe, ST_UNAVAILABLE, "the server closed the connection");
	return pipe->line == line;
}

static void take_in(struct io_http_pipe *pipe, const uint8_t *bytes, size_t length)
{
	static const uint8_t room[1] = {0};
	if (!http_buffer_add(&pipe->in, bytes, length) || !http_buffer_add(&pipe->in, room, 1)) {
		fail(pipe, ST_NO_MEMORY, "no memory");
		return;
	}
	pipe->in.used--; /* the byte is there for the last answer's NUL */
	while (!pipe->broken && take_answer(pipe))
		;
	http_buffer_drop(&pipe->in, pipe->taken);
	pipe->taken = 0;
	arm(pipe);
}

/* --- the line ---------------------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct line *line = handle->data;
	(void)suggested;
	*buffer = uv_buf_init((char *)line->bytes, sizeof line->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct line *line = stream->data;
	struct io_http_pipe *pipe = line->pipe;
	if (!pipe || count == 0)
		return;
	io_loop_touch(pipe->loop);
	if (count < 0)
		fail(pipe, ST_UNAVAILABLE, "the connection broke");
	else
		take_in(pipe, (const uint8_t *)buffer->base, (size_t)count);
}

static void on_written(uv_write_t *request, int status)
{
	struct line *line = request->handle->data;
	struct pipe_write *write = (struct pipe_write *)(void *)request;
	free(write->bytes);
	free(write);
	if (status != 0 && line->pipe)
		fail(line->pipe, ST_UNAVAILABLE, "the connection broke");
}

/* A line that broke where no callback may come is failed by the timer. */
void io_http_pipe_give_up(struct io_http_pipe *pipe)
{
	pipe->broken = true;
	arm(pipe);
}

static void write_out(struct io_http_pipe *pipe)
{
	struct pipe_write *write = calloc(1, sizeof *write);
	ASSERT(write);
	write->bytes = pipe->out.bytes;
	uv_buf_t buffer = uv_buf_init((char *)pipe->out.bytes, (unsigned)pipe->out.used);
	pipe->out = (struct http_buffer){0};
	if (uv_write(&write->request, (uv_stream_t *)&pipe->line->uv, &buffer, 1, on_written) == 0)
		return;
	free(write->bytes);
	free(write);
	io_http_pipe_give_up(pipe);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct line *line = request->handle->data;
	struct io_http_pipe *pipe = line->pipe;
	if (!pipe)
		return;
	io_loop_touch(pipe->loop);
	if (status != 0 || uv_read_start((uv_stream_t *)&line->uv, on_alloc, on_read) != 0) {
		fail(pipe, ST_UNAVAILABLE, "the socket is not served");
		return;
	}
	line->open = true; /* the turn's end writes */
}

static void dial(struct io_http_pipe *pipe)
{
	struct line *line = calloc(1, sizeof *line);
	ASSERT(line && uv_pipe_init(io_loop_uv(pipe->loop), &line->uv, 0) == 0);
	line->uv.data = line;
	line->pipe = pipe;
	pipe->line = line;
	uv_pipe_connect(&line->connecting, &line->uv, pipe->path, on_connected);
}

static void flush(void *ctx, struct now now)
{
	struct io_http_pipe *pipe = ctx;
	(void)now;
	if (pipe->out.used == 0 || pipe->broken)
		return;
	if (!pipe->line)
		dial(pipe);
	else if (pipe->line->open)
		write_out(pipe);
}

/* --- life -------------------------------------------------------------------------------------------------------- */

enum status io_http_pipe_open(struct io_loop *loop, const struct io_http_pipe_options *options,
			      struct io_http_pipe **out)
{
	size_t length = strlen(options->unix_path);
	if (length == 0 || length > PATH_MAX_UN)
		return ST_INVALID;
	struct io_http_pipe *pipe = calloc(1, sizeof *pipe);
	ASSERT(pipe && options->on_done && strlen(options->target) < TARGET_MAX);
	pipe->loop = loop;
	pipe->options = *options;
	memcpy(pipe->path, options->unix_path, length + 1);
	snprintf(pipe->target, sizeof pipe->target, "%s", options->target);
	if (pipe->options.max_calls == 0)
		pipe->options.max_calls = MAX_CALLS;
	if (pipe->options.answer_limit == 0)
		pipe->options.answer_limit = ANSWER_LIMIT;
	if (pipe->options.timeout == 0)
		pipe->options.timeout = TIMEOUT;
	pipe->calls = calloc(pipe->options.max_calls, sizeof *pipe->calls);
	ASSERT(pipe->calls);
	pipe->timer = io_timer_new(loop, on_timer, pipe);
	pipe->flusher = (struct io_flusher){.flush = flush, .ctx = pipe};
	io_loop_add_flusher(loop, &pipe->flusher);
	*out = pipe;
	return ST_OK;
}

void io_http_pipe_free(struct io_http_pipe *pipe)
{
	if (!pipe)
		return;
	leave_line(pipe);
	io_loop_remove_flusher(pipe->loop, &pipe->flusher);
	io_timer_free(pipe->timer);
	http_buffer_release(&pipe->in);
	http_buffer_release(&pipe->out);
	free(pipe->calls);
	free(pipe);
}

enum status io_http_pipe_call(struct io_http_pipe *pipe, uint64_t mark, const void *body, size_t length)
{
	if (pipe->count == pipe->options.max_calls)
		return ST_FULL;
	char head[256];
	int used = snprintf(head, sizeof head,
			    "POST %s HTTP/1.1\r\nHost: lamppost\r\nUser-Agent: lamppost/" LAMPPOST_VERSION
			    "\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			    pipe->target, length);
	ASSERT(used > 0 && (size_t)used < sizeof head);
	size_t before = pipe->out.used;
	if (!http_buffer_add(&pipe->out, head, (size_t)used) || !http_buffer_add(&pipe->out, body, length)) {
		pipe->out.used = before;
		return ST_NO_MEMORY;
	}
	pipe->calls[(pipe->first + pipe->count) % pipe->options.max_calls] = (struct pipe_call){mark,
												clock_mono()};
	if (++pipe->count == 1)
		arm(pipe);
	io_loop_touch(pipe->loop);
	return ST_OK;
}

size_t io_http_pipe_in_flight(const struct io_http_pipe *pipe)
{
	return pipe->count;
}
