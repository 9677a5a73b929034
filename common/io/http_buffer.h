/* A growing run of bytes, for common/io alone; its owner says how far it may grow. */
#ifndef LAMPPOST_IO_HTTP_BUFFER_H
#define LAMPPOST_IO_HTTP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_buffer {
	uint8_t *bytes; /* owned */
	size_t used;
	size_t capacity;
};

bool http_buffer_add(struct http_buffer *buffer, const void *bytes, size_t length); /* false: no memory */
void http_buffer_drop(struct http_buffer *buffer, size_t count);                    /* from the front */
void http_buffer_release(struct http_buffer *buffer);

#endif
