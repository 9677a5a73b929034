/* Calls one behind the other (common/io/http_pipe.h) inside the world: those of machine_http.c, which has the caller's and the
 * server's turns, and loses what is under way when either dies. */
#include "common/io/http_pipe.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

struct marked {
	io_http_call_id id;
	uint64_t mark;
};

struct io_http_pipe {
	struct io_http_client *client;
	struct io_http_pipe_options options;
	char path[128], url[128];
	struct marked *calls; /* owned: those under way */
	size_t count, room;
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
	pipe->room = options->max_calls;
	pipe->calls = calloc(pipe->room, sizeof *pipe->calls);
	ASSERT(pipe->calls);
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
	free(pipe->calls);
	free(pipe);
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct io_http_pipe *pipe = ctx;
	size_t i = 0;
	while (i < pipe->count && pipe->calls[i].id != id)
		i++;
	ASSERT_CMP(i, <, pipe->count);
	uint64_t mark = pipe->calls[i].mark;
	pipe->calls[i] = pipe->calls[--pipe->count];
	pipe->options.on_done(pipe->options.ctx, now, mark, answer);
}

enum status io_http_pipe_call(struct io_http_pipe *pipe, uint64_t mark, const void *body, size_t length)
{
	const struct io_http_call call = {.method = IO_HTTP_POST,
					  .url = pipe->url,
					  .unix_path = pipe->path,
					  .body = body,
					  .length = length,
					  .timeout = pipe->options.timeout,
					  .answer_limit = pipe->options.answer_limit,
					  .on_done = on_done,
					  .ctx = pipe};
	io_http_call_id id;
	if (pipe->count == pipe->room)
		return ST_FULL;
	enum status status = io_http_client_start(pipe->client, &call, &id);
	if (status == ST_OK)
		pipe->calls[pipe->count++] = (struct marked){id, mark};
	return status;
}

size_t io_http_pipe_in_flight(const struct io_http_pipe *pipe)
{
	return pipe->count;
}

/* Here every answer finds its own call: there is no order to lose. */
void io_http_pipe_give_up(struct io_http_pipe *pipe)
{
	(void)pipe;
}
