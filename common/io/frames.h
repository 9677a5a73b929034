/* Splits a byte stream into messages: u32 little-endian length (1 .. IO_FRAME_MAX), then that many bytes
 * (DESIGN 11, Links). Pure: no socket, no clock. Invariant: at most IO_FRAME_MAX + 4 bytes and one read are
 * held. */
#ifndef LAMPPOST_IO_FRAMES_H
#define LAMPPOST_IO_FRAMES_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IO_FRAME_MAX (256u * 1024)

struct io_frames {
	uint8_t *bytes; /* owned; grows by doubling up to a bound, then stays */
	size_t start;   /* the first byte not yet given out */
	size_t end;
	size_t capacity;
};

void io_frames_init(struct io_frames *frames);
void io_frames_release(struct io_frames *frames);
/* Lends room for at least `least` more bytes (`*room` says how many); call io_frames_added() after reading
 * into it. NULL: no memory. Invalidates what io_frames_next() lent. */
uint8_t *io_frames_room(struct io_frames *frames, size_t least, size_t *room);
void io_frames_added(struct io_frames *frames, size_t count);

enum io_frame_verdict { IO_FRAME_MESSAGE, IO_FRAME_MORE, IO_FRAME_TOO_LONG, IO_FRAME_EMPTY };

/* Takes the next whole message, lent until the next io_frames_room(). IO_FRAME_MORE: none yet. The last two
 * are the peer's fault: close. */
enum io_frame_verdict io_frames_next(struct io_frames *frames, const uint8_t **message, size_t *length);

#endif
