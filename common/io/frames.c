#include "common/io/frames.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST (64u * 1024)

void io_frames_init(struct io_frames *frames)
{
	*frames = (struct io_frames){0};
}

void io_frames_release(struct io_frames *frames)
{
	free(frames->bytes);
	io_frames_init(frames);
}

uint8_t *io_frames_room(struct io_frames *frames, size_t least, size_t *room)
{
	size_t held = frames->end - frames->start;
	if (frames->start > 0) {
		if (held > 0)
			memmove(frames->bytes, frames->bytes + frames->start, held);
		frames->start = 0;
		frames->end = held;
	}
	size_t capacity = frames->capacity ? frames->capacity : CAPACITY_FIRST;
	while (capacity - held < least)
		capacity *= 2;
	if (capacity != frames->capacity) {
		uint8_t *bytes = realloc(frames->bytes, capacity);
		if (!bytes)
			return NULL;
		frames->bytes = bytes;
		frames->capacity = capacity;
	}
	*room = frames->capacity - frames->end;
	return frames->bytes + frames->end;
}

void io_frames_added(struct io_frames *frames, size_t count)
{
	ASSERT_CMP(count, <=, frames->capacity - frames->end);
	frames->end += count;
}

enum io_frame_verdict io_frames_next(struct io_frames *frames, const uint8_t **message, size_t *length)
{
	struct rd rd = rd_init(frames->bytes + frames->start, frames->end - frames->start);
	uint32_t announced = rd_u32le(&rd);
	if (!rd_ok(&rd))
		return IO_FRAME_MORE;
	if (announced > IO_FRAME_MAX)
		return IO_FRAME_TOO_LONG;
	if (announced == 0)
		return IO_FRAME_EMPTY;
	const uint8_t *bytes = rd_take(&rd, announced);
	if (!rd_ok(&rd))
		return IO_FRAME_MORE;
	frames->start += 4 + announced;
	*message = bytes;
	*length = announced;
	return IO_FRAME_MESSAGE;
}
