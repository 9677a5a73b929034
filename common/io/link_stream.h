/* One connected link, the same on both sides; used by link_server.c and link_client.c alone. It reads frames,
 * collects a turn's messages in one buffer, hands that to the kernel in one write, and closes itself with a
 * reason. */
#ifndef LAMPPOST_IO_LINK_STREAM_H
#define LAMPPOST_IO_LINK_STREAM_H

#include "common/io/link.h"

#include <uv.h>

struct link_stream {
	uv_pipe_t pipe;
	struct io_loop *loop;
	struct io_frames in;
	io_link_id id;
	uint8_t *out; /* owned: what this turn queued, framed */
	size_t out_used;
	size_t out_capacity;
	size_t out_limit; /* out plus what libuv still holds */
	uint8_t *spare;   /* owned: a written buffer, kept for the next turn */
	size_t spare_capacity;
	bool opened; /* on_open was called */
	bool closing;
	bool close_after_flush; /* we close at the end of this turn, what was queued goes out first */
	bool silent;            /* its owner is being released: no callback any more */
	enum io_link_reason reason;
	const struct io_link_events *events; /* the owner's; outlives the stream unless silent */
	/* The handle is gone; frees or reuses the stream. Called after on_close. */
	void (*on_gone)(struct link_stream *stream);
	void *owner;
};

/* Prepares a handle that is not connected; `stream` was zeroed by the caller. */
void link_stream_init(struct link_stream *stream, struct io_loop *loop, size_t out_limit,
		      const struct io_link_events *events);
/* The handle is connected: announces it and reads. */
void link_stream_open(struct link_stream *stream, io_link_id id);
enum status link_stream_send(struct link_stream *stream, const uint8_t *bytes, size_t length) MUST_USE;
void link_stream_flush(struct link_stream *stream);
size_t link_stream_queued(const struct link_stream *stream);
void link_stream_close(struct link_stream *stream, enum io_link_reason reason);

#endif
