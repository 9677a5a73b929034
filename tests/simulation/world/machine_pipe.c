/* Calls one behind the other (common/io/http_pipe.h) inside the world: those of machine_http.c, which has the caller's and the
 * server's turns, and loses what is under way when either dies. */
#include "common/io/http_pipe.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

struct io_http_pipe {
	struct io_http_client *client;
	struct io_http_pipe_options options;
	char path[128], url[128];
};

enum status io_http_pipe_open(struct io_loop *loop, const struct io_http_pipe_options *options,
			      struct io_http_pipe **out)
{
	struct io_http_pipe *pipe = calloc(1, sizeof *pipe);
	ASSERT(pipe);
	pipe->client = io_http_client_new(
		loop,
		&(struct io_http_client_options){.max_calls = options->max_calls, .max_connections = 1});
	pipe->options = *options;
	snprintf(pipe->path, sizeof pipe->path, "%s", options->unix_path);
	snprintf(pipe->url, sizeof pipe->url, "http://lamppost%s", options->target);
	*out = pipe;
	return ST_OK;
}

void io_http_pipe_free(struct io_http_pipe *pipe)
{
	if (!pipe)
		return;
	io_http_client_free(pipe->client);
	free(pipe);
}

enum status io_http_pipe_call(struct io_http_pipe *pipe, const void *body, size_t length, io_http_call_id *id)
{
	return io_http_client_start(pipe->client,
				    &(struct io_http_call){.method = IO_HTTP_POST,
							   .url = pipe->url,
							   .unix_path = pipe->path,
							   .body = body,
							   .length = length,
							   .timeout = pipe->options.timeout,
							   .answer_limit = pipe->options.answer_limit,
							   .on_done = pipe->options.on_done,
							   .ctx = pipe->options.ctx},
				    id);
}

size_t io_http_pipe_in_flight(const struct io_http_pipe *pipe)
{
	return io_http_client_in_flight(pipe->client);
}
