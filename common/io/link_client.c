/*          connect ok                      broken
 * WAITING ────────────▶ (stream opened) ───────────▶ WAITING ...
 *    │  fails: back-off 50 ms, doubled to 1 s, each ± 25 %
 */
#include "common/io/link_stream.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define DELAY_FIRST_MS 50
#define DELAY_LAST_MS  1000

struct io_link_client {
	struct io_loop *loop;
	struct io_flusher flusher;
	struct io_link_events events;
	struct rng *rng;
	char *path; /* owned */
	size_t out_buffer;
	uv_timer_t timer;
	uv_connect_t connecting;
	struct link_stream *stream; /* owned; NULL while waiting */
	io_link_id last_id;
	uint64_t delay_ms;
	bool released;
	bool timer_closed;
};

static void try_connect(uv_timer_t *timer);

static void free_when_gone(struct io_link_client *client)
{
	if (!client->released || client->stream || !client->timer_closed)
		return;
	free(client->path);
	free(client);
}

static void wait_then_connect(struct io_link_client *client)
{
	uint64_t jittered = client->delay_ms * 3 / 4 +
			    rng_below(client->rng, (uint32_t)client->delay_ms / 2 + 1);
	client->delay_ms = client->delay_ms * 2 < DELAY_LAST_MS ? client->delay_ms * 2 : DELAY_LAST_MS;
	uv_update_time(io_loop_uv(client->loop));
	uv_timer_start(&client->timer, try_connect, jittered, 0);
}

static void on_gone(struct link_stream *stream)
{
	struct io_link_client *client = stream->owner;
	client->stream = NULL;
	free(stream);
	if (client->released)
		free_when_gone(client);
	else
		wait_then_connect(client);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct io_link_client *client = request->data;
	if (client->released || !client->stream || client->stream->closing)
		return;
	if (status != 0) {
		link_stream_close(client->stream, IO_LINK_IO);
		return;
	}
	client->delay_ms = DELAY_FIRST_MS;
	link_stream_open(client->stream, ++client->last_id);
}

static void try_connect(uv_timer_t *timer)
{
	struct io_link_client *client = timer->data;
	client->stream = calloc(1, sizeof *client->stream);
	ASSERT(client->stream);
	link_stream_init(client->stream, client->loop, client->out_buffer, &client->events);
	client->stream->owner = client;
	client->stream->on_gone = on_gone;
	client->connecting.data = client;
	uv_pipe_connect(&client->connecting, &client->stream->pipe, client->path, on_connected);
}

static void flush(void *ctx, struct now now)
{
	struct io_link_client *client = ctx;
	(void)now;
	if (client->stream)
		link_stream_flush(client->stream);
}

enum status io_link_client_open(struct io_loop *loop, const struct io_link_client_options *options,
				struct io_link_client **out)
{
	if (strlen(options->path) == 0 || strlen(options->path) > 107)
		return ST_INVALID;
	struct io_link_client *client = calloc(1, sizeof *client);
	ASSERT(client);
	client->loop = loop;
	client->events = options->events;
	client->rng = options->rng;
	client->out_buffer = options->out_buffer;
	client->path = strdup(options->path);
	client->delay_ms = DELAY_FIRST_MS;
	ASSERT(client->path && client->rng);
	uv_timer_init(io_loop_uv(loop), &client->timer);
	client->timer.data = client;
	uv_timer_start(&client->timer, try_connect, 0, 0);
	client->flusher = (struct io_flusher){.flush = flush, .ctx = client};
	io_loop_add_flusher(loop, &client->flusher);
	*out = client;
	return ST_OK;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct io_link_client *client = handle->data;
	client->timer_closed = true;
	free_when_gone(client);
}

void io_link_client_free(struct io_link_client *client)
{
	if (!client)
		return;
	client->released = true;
	io_loop_remove_flusher(client->loop, &client->flusher);
	if (client->stream) {
		client->stream->silent = true;
		link_stream_close(client->stream, IO_LINK_WE_CLOSED);
	}
	uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

bool io_link_client_is_open(const struct io_link_client *client)
{
	return client->stream && client->stream->opened && !client->stream->closing;
}

enum status io_link_client_send(struct io_link_client *client, const uint8_t *bytes, size_t length)
{
	return io_link_client_is_open(client) ? link_stream_send(client->stream, bytes, length)
					      : ST_UNAVAILABLE;
}

size_t io_link_client_queued(const struct io_link_client *client)
{
	return client->stream ? link_stream_queued(client->stream) : 0;
}

void io_link_client_close(struct io_link_client *client)
{
	if (!client->stream)
		return;
	client->stream->close_after_flush = true;
	io_loop_touch(client->loop);
}
