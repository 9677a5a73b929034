#include "common/io/http_buffer.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

bool http_buffer_add(struct http_buffer *buffer, const void *bytes, size_t length)
{
	if (buffer->capacity - buffer->used < length) {
		size_t capacity = buffer->capacity ? buffer->capacity : 1024;
		while (capacity - buffer->used < length)
			capacity *= 2;
		uint8_t *grown = realloc(buffer->bytes, capacity);
		if (!grown)
			return false;
		buffer->bytes = grown;
		buffer->capacity = capacity;
	}
	if (length > 0)
		memcpy(buffer->bytes + buffer->used, bytes, length);
	buffer->used += length;
	return true;
}

void http_buffer_drop(struct http_buffer *buffer, size_t count)
{
	ASSERT_CMP(count, <=, buffer->used);
	buffer->used -= count;
	if (count > 0 && buffer->used > 0)
		memmove(buffer->bytes, buffer->bytes + count, buffer->used);
}

void http_buffer_release(struct http_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct http_buffer){0};
}
