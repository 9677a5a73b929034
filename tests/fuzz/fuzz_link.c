/* The frame splitter: however a stream is cut, the same messages come out, and no more is held than promised. */
#include "common/base/check.h"
#include "common/io/frames.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct seen {
	size_t messages;
	size_t bytes;
	uint32_t mix; /* of the content, in order */
	enum io_frame_verdict last;
};

static void drain(struct io_frames *frames, struct seen *seen)
{
	const uint8_t *message;
	size_t length;
	while ((seen->last = io_frames_next(frames, &message, &length)) == IO_FRAME_MESSAGE) {
		ASSERT(length >= 1 && length <= IO_FRAME_MAX);
		seen->messages++;
		seen->bytes += length;
		for (size_t i = 0; i < length; i++)
			seen->mix = seen->mix * 31 + message[i];
	}
}

static struct seen split(const uint8_t *bytes, size_t length, size_t step)
{
	struct io_frames frames;
	struct seen seen = {.last = IO_FRAME_MORE};
	io_frames_init(&frames);
	for (size_t at = 0; at < length && seen.last == IO_FRAME_MORE;) {
		size_t piece = length - at < step ? length - at : step, room;
		uint8_t *into = io_frames_room(&frames, piece, &room);
		ASSERT(into && room >= piece);
		memcpy(into, bytes + at, piece);
		io_frames_added(&frames, piece);
		at += piece;
		drain(&frames, &seen);
		ASSERT(frames.capacity <= 4 * (IO_FRAME_MAX + 4 + step));
	}
	io_frames_release(&frames);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	struct seen whole = split(bytes, length, length), pieces = split(bytes, length, 3),
		    single = split(bytes, length, 1);
	ASSERT(whole.messages == pieces.messages && whole.mix == pieces.mix && whole.bytes == pieces.bytes);
	ASSERT(whole.messages == single.messages && whole.mix == single.mix && whole.last == single.last);
	return 0;
}
