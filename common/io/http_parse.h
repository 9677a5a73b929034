/* HTTP/1.1 requests from bytes, strictly (RFC 9112). Pure: no socket, no clock. Whatever two readers could understand
 * differently is refused: bare CR or LF, folded lines, blanks before the colon, two lengths, a length beside chunks, any
 * transfer coding but chunked. Nothing of a request is interpreted before its whole head is there. */
#ifndef LAMPPOST_IO_HTTP_PARSE_H
#define LAMPPOST_IO_HTTP_PARSE_H

#include "common/io/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX    16384 /* bytes of request line and headers */
#define HTTP_HEADERS_MAX 64

struct http_header {
	const char *name;  /* in lower case */
	const char *value; /* blanks around it removed */
};

struct http_head {
	enum io_http_method method;
	bool head_only;    /* HEAD: the method is GET */
	const char *path;  /* as sent, still encoded */
	const char *query; /* as sent, after the '?'; "" when none */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t header_count;
	bool old_version; /* HTTP/1.0 */
	bool keep_alive;
	bool expects_continue;
	bool chunked;
	uint64_t content_length;
	char text[HTTP_HEAD_MAX + HTTP_HEADERS_MAX * 2]; /* where the texts lie: do not copy the struct */
};

/* Returns the length of the head including its blank line, or 0 when it is not all there; looks from `searched` on. */
size_t http_head_length(const uint8_t *bytes, size_t length, size_t searched);
/* Parses a whole head of `length` bytes. Returns 0, or the HTTP status to refuse it with (400, 431, 501, 505). */
int http_head_parse(const uint8_t *bytes, size_t length, struct http_head *head);
/* Parses the whole head of an answer whose body has a length (or none: 204, 304). Fills headers, content_length and keep_alive,
 * and returns the status code; 0: not such an answer. */
int http_answer_parse(const uint8_t *bytes, size_t length, struct http_head *head);
/* A header's value by its lower-case name; NULL: none. */
const char *http_head_find(const struct http_head *head, const char *name);

/* Takes a chunked body apart (RFC 9112 §7.1); zeroed at the start. Extensions and trailers are read over. */
struct http_chunks {
	enum {
		CHUNK_SIZE,
		CHUNK_EXTENSION,
		CHUNK_SIZE_LF,
		CHUNK_DATA,
		CHUNK_DATA_CR,
		CHUNK_DATA_LF,
		CHUNK_TRAILER,
		CHUNK_TRAILER_LF,
		CHUNK_DONE,
		CHUNK_BAD
	} state;
	uint64_t left; /* of the current chunk */
	unsigned digits;
	size_t line;     /* bytes of the current trailer line */
	size_t overhead; /* bytes of extensions and trailers: bounded by HTTP_HEAD_MAX */
};

/* Reads up to `length` bytes and returns how many it used; *data and *data_length lend a piece of body, possibly empty. Call again
 * until all is used, or the state is CHUNK_DONE or CHUNK_BAD. */
size_t http_chunks_read(struct http_chunks *chunks, const uint8_t *bytes, size_t length, const uint8_t **data,
			size_t *data_length);

/* Decodes %XX (and '+' when `form`) into `out`, NUL-terminated. False: malformed, NUL inside, or no room. */
bool http_decode(const char *text, size_t length, bool form, char *out, size_t capacity);

#endif
