/* Requests from anywhere: the head's parser, the chunks' reader and the router agree with their contracts on any bytes. */
#include "common/base/check.h"
#include "common/io/http_parse.h"
#include "common/io/http_routes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void handle(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	(void)request;
}

static const struct io_http_route table[] = {
	{IO_HTTP_GET, "/a/{b}", handle},
	{IO_HTTP_POST, "/a/b/{c...}", handle},
	{IO_HTTP_GET, "/", handle},
};

static void read_chunks(const uint8_t *bytes, size_t length)
{
	struct http_chunks whole = {0}, pieces = {0};
	size_t sums[2] = {0, 0};
	const uint8_t *data;
	size_t data_length;
	for (size_t at = 0; at < length && whole.state < CHUNK_DONE;) {
		size_t used = http_chunks_read(&whole, bytes + at, length - at, &data, &data_length);
		ASSERT(used > 0 && used <= length - at && data >= bytes &&
		       data + data_length <= bytes + length);
		at += used;
		sums[0] += data_length;
	}
	/* Byte by byte it must be the same body. */
	for (size_t at = 0; at < length && pieces.state < CHUNK_DONE; at++) {
		ASSERT(http_chunks_read(&pieces, bytes + at, 1, &data, &data_length) == 1);
		sums[1] += data_length;
	}
	ASSERT(whole.state == pieces.state && sums[0] == sums[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct http_head *head = malloc(sizeof *head);
	struct http_match *match = malloc(sizeof *match);
	struct http_routes *routes = calloc(1, sizeof *routes);
	ASSERT(head && match && routes);
	http_routes_add(routes, table, ARRAY_SIZE(table), NULL);
	size_t head_length = http_head_length(bytes, length, 0);
	ASSERT(head_length <= length);
	if (head_length > 0) {
		int refused = http_head_parse(bytes, head_length, head);
		ASSERT(refused == 0 || refused == 400 || refused == 431 || refused == 501 || refused == 505);
		if (refused == 0) {
			ASSERT(head->path[0] == '/' && head->header_count <= HTTP_HEADERS_MAX);
			ASSERT(!(head->chunked && head->content_length > 0));
			if (strlen(head->path) < HTTP_PATH_MAX &&
			    http_routes_find(routes, head->method, head->path, match))
				for (size_t i = 0; i < match->param_count; i++)
					ASSERT(match->params[i].value[0] != 0);
		}
	}
	if (head_length > 0) { /* the same bytes as an answer (http_pipe.c) */
		int code = http_answer_parse(bytes, head_length, head);
		ASSERT(code == 0 || (code >= 200 && code <= 999));
		ASSERT(code == 0 || head->header_count <= HTTP_HEADERS_MAX);
		ASSERT((code != 204 && code != 304) || head->content_length == 0);
	}
	read_chunks(bytes + head_length, length - head_length);
	free(routes);
	free(match);
	free(head);
	return 0;
}
