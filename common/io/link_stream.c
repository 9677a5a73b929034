#include "common/io/link_stream.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/unix_socket.h"

#include <stdlib.h>
#include <string.h>

#define READ_SIZE  (64u * 1024)
#define SPARE_KEPT (1u << 20)

struct write {
	uv_write_t request;
	uint8_t *bytes; /* owned */
	size_t capacity;
};

const char *io_link_reason_name(enum io_link_reason reason)
{
	static const char *const names[IO_LINK_REASON_COUNT] = {
		[IO_LINK_PEER_CLOSED] = "peer_closed", [IO_LINK_IO] = "io",
		[IO_LINK_TOO_LONG] = "too_long",       [IO_LINK_EMPTY] = "empty",
		[IO_LINK_NO_MEMORY] = "no_memory",     [IO_LINK_WE_CLOSED] = "we_closed",
	};
	return (unsigned)reason < IO_LINK_REASON_COUNT ? names[reason] : "unknown";
}

void link_stream_init(struct link_stream *stream, struct io_loop *loop, size_t out_limit,
		      const struct io_link_events *events)
{
	stream->loop = loop;
	stream->out_limit = out_limit ? out_limit : IO_LINK_BUFFER_DEFAULT;
	stream->events = events;
	io_frames_init(&stream->in);
	ASSERT(uv_pipe_init(io_loop_uv(loop), &stream->pipe, 0) == 0);
	stream->pipe.data = stream;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct link_stream *stream = handle->data;
	(void)suggested;
	size_t room = 0;
	buffer->base = (char *)io_frames_room(&stream->in, READ_SIZE, &room);
	buffer->len = buffer->base ? room : 0;
}

static void deliver(struct link_stream *stream, struct now now)
{
	const uint8_t *message;
	size_t length;
	while (!stream->closing && !stream->close_after_flush) {
		switch (io_frames_next(&stream->in, &message, &length)) {
		case IO_FRAME_MESSAGE:
			if (stream->events->on_message)
				stream->events->on_message(stream->events->ctx, now, stream->id, message,
							   length);
			break;
		case IO_FRAME_MORE: return;
		case IO_FRAME_TOO_LONG: link_stream_close(stream, IO_LINK_TOO_LONG); return;
		case IO_FRAME_EMPTY: link_stream_close(stream, IO_LINK_EMPTY); return;
		}
	}
}

static void on_read(uv_stream_t *handle, ssize_t count, const uv_buf_t *buffer)
{
	struct link_stream *stream = handle->data;
	(void)buffer;
	if (count == 0)
		return;
	io_loop_touch(stream->loop);
	if (count < 0) {
		link_stream_close(stream, count == UV_EOF || count == UV_ECONNRESET ? IO_LINK_PEER_CLOSED
					  : count == UV_ENOBUFS                     ? IO_LINK_NO_MEMORY
										    : IO_LINK_IO);
		return;
	}
	io_frames_added(&stream->in, (size_t)count);
	deliver(stream, clock_now());
}

void link_stream_open(struct link_stream *stream, io_link_id id)
{
	stream->id = id;
	stream->opened = true;
	uv_os_fd_t fd = -1;
	uv_fileno((uv_handle_t *)&stream->pipe, &fd);
	struct io_peer peer = io_unix_peer(fd);
	io_loop_touch(stream->loop);
	if (stream->events->on_open)
		stream->events->on_open(stream->events->ctx, clock_now(), id, &peer);
	if (!stream->closing && uv_read_start((uv_stream_t *)&stream->pipe, on_alloc, on_read) != 0)
		link_stream_close(stream, IO_LINK_IO);
}

size_t link_stream_queued(const struct link_stream *stream)
{
	return stream->out_used + uv_stream_get_write_queue_size((const uv_stream_t *)&stream->pipe);
}

static bool make_room(struct link_stream *stream, size_t length)
{
	if (stream->out_capacity - stream->out_used >= length)
		return true;
	size_t capacity = stream->out_capacity ? stream->out_capacity : 4096;
	while (capacity - stream->out_used < length)
		capacity *= 2;
	uint8_t *bytes = realloc(stream->out, capacity);
	if (!bytes)
		return false;
	stream->out = bytes;
	stream->out_capacity = capacity;
	return true;
}

enum status link_stream_send(struct link_stream *stream, const uint8_t *bytes, size_t length)
{
	ASSERT(length >= 1 && length <= IO_FRAME_MAX);
	if (stream->closing || stream->close_after_flush || !stream->opened)
		return ST_NOT_FOUND;
	if (link_stream_queued(stream) + length + 4 > stream->out_limit)
		return ST_FULL;
	if (!make_room(stream, length + 4))
		return ST_NO_MEMORY;
	struct wr wr = wr_init(stream->out + stream->out_used, stream->out_capacity - stream->out_used);
	wr_u32le(&wr, (uint32_t)length);
	wr_copy(&wr, bytes, length);
	ASSERT(wr_ok(&wr));
	stream->out_used += length + 4;
	io_loop_touch(stream->loop);
	return ST_OK;
}

static void on_written(uv_write_t *request, int status)
{
	struct write *write = (struct write *)request;
	struct link_stream *stream = request->handle->data;
	if (!stream->spare && write->capacity <= SPARE_KEPT) {
		stream->spare = write->bytes;
		stream->spare_capacity = write->capacity;
	} else {
		free(write->bytes);
	}
	free(write);
	if (status != 0 && status != UV_ECANCELED)
		link_stream_close(stream, status == UV_EPIPE || status == UV_ECONNRESET ? IO_LINK_PEER_CLOSED
											: IO_LINK_IO);
}

static void write_out(struct link_stream *stream)
{
	struct write *write = calloc(1, sizeof *write);
	if (!write) {
		link_stream_close(stream, IO_LINK_NO_MEMORY);
		return;
	}
	uv_buf_t buffer = uv_buf_init((char *)stream->out, (unsigned)stream->out_used);
	write->bytes = stream->out;
	write->capacity = stream->out_capacity;
	stream->out = stream->spare;
	stream->out_capacity = stream->spare_capacity;
	stream->out_used = 0;
	stream->spare = NULL;
	stream->spare_capacity = 0;
	/* libuv writes at once what the socket takes and keeps the rest: one system call a turn. */
	int error = uv_write(&write->request, (uv_stream_t *)&stream->pipe, &buffer, 1, on_written);
	if (error != 0) {
		free(write->bytes);
		free(write);
		link_stream_close(stream, IO_LINK_IO);
	}
}

void link_stream_flush(struct link_stream *stream)
{
	if (stream->closing)
		return;
	if (stream->out_used > 0)
		write_out(stream);
	if (stream->close_after_flush)
		link_stream_close(stream, IO_LINK_WE_CLOSED);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct link_stream *stream = handle->data;
	bool tell = stream->opened && !stream->silent;
	io_frames_release(&stream->in);
	free(stream->out);
	free(stream->spare);
	stream->out = stream->spare = NULL;
	if (tell) {
		io_loop_touch(stream->loop);
		if (stream->events->on_close)
			stream->events->on_close(stream->events->ctx, clock_now(), stream->id,
						 stream->reason);
	}
	stream->on_gone(stream);
}

void link_stream_close(struct link_stream *stream, enum io_link_reason reason)
{
	if (stream->closing)
		return;
	stream->closing = true;
	stream->reason = reason;
	uv_close((uv_handle_t *)&stream->pipe, on_handle_closed);
}
