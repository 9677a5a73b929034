#include "common/io/link_stream.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/unix_socket.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct io_link_server {
	uv_pipe_t listener;
	struct io_loop *loop;
	struct io_flusher flusher;
	struct io_link_events events;
	char *path;                 /* owned */
	struct link_stream **links; /* owned array; NULL: free slot */
	size_t max_links;
	size_t count;
	size_t out_buffer;
	io_link_id last_id;
	bool released; /* freed when the last handle is gone */
};

static void free_when_empty(struct io_link_server *server)
{
	if (!server->released || server->count > 0)
		return;
	free(server->links);
	free(server->path);
	free(server);
}

static void on_gone(struct link_stream *stream)
{
	struct io_link_server *server = stream->owner;
	for (size_t i = 0; i < server->max_links; i++)
		if (server->links[i] == stream)
			server->links[i] = NULL;
	server->count--;
	free(stream);
	free_when_empty(server);
}

static struct link_stream *find(const struct io_link_server *server, io_link_id link)
{
	for (size_t i = 0; i < server->max_links; i++)
		if (server->links[i] && server->links[i]->id == link && server->links[i]->opened)
			return server->links[i];
	return NULL;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct io_link_server *server = listener->data;
	if (status < 0)
		return;
	size_t slot = 0;
	while (slot < server->max_links && server->links[slot])
		slot++;
	struct link_stream *stream = calloc(1, sizeof *stream);
	ASSERT(stream);
	link_stream_init(stream, server->loop, server->out_buffer, &server->events);
	stream->owner = server;
	stream->on_gone = on_gone;
	server->count++;
	bool accepted = uv_accept(listener, (uv_stream_t *)&stream->pipe) == 0;
	if (!accepted || slot == server->max_links) {
		LOG_WARN("link_refused", "path=\"%s\" links=%zu limit=%zu", server->path, server->count - 1,
			 server->max_links);
		link_stream_close(stream, IO_LINK_WE_CLOSED);
		return;
	}
	server->links[slot] = stream;
	link_stream_open(stream, ++server->last_id);
}

static void flush(void *ctx, struct now now)
{
	struct io_link_server *server = ctx;
	(void)now;
	for (size_t i = 0; i < server->max_links; i++)
		if (server->links[i])
			link_stream_flush(server->links[i]);
}

enum status io_link_server_open(struct io_loop *loop, const struct io_link_server_options *options,
				struct io_link_server **out)
{
	int fd;
	enum status status = io_unix_bind(options->path, &fd);
	if (status != ST_OK)
		return status;
	struct io_link_server *server = calloc(1, sizeof *server);
	ASSERT(server);
	server->loop = loop;
	server->events = options->events;
	server->max_links = options->max_links ? options->max_links : 64;
	server->out_buffer = options->out_buffer;
	server->links = calloc(server->max_links, sizeof *server->links);
	server->path = strdup(options->path);
	ASSERT(server->links && server->path);
	uv_pipe_init(io_loop_uv(loop), &server->listener, 0);
	server->listener.data = server;
	server->flusher = (struct io_flusher){.flush = flush, .ctx = server};
	io_loop_add_flusher(loop, &server->flusher);
	if (uv_pipe_open(&server->listener, fd) != 0 ||
	    uv_listen((uv_stream_t *)&server->listener, 128, on_connection) != 0) {
		io_link_server_free(server);
		return ST_IO;
	}
	*out = server;
	return ST_OK;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct io_link_server *server = handle->data;
	server->released = true;
	free_when_empty(server);
}

void io_link_server_free(struct io_link_server *server)
{
	if (!server)
		return;
	io_loop_remove_flusher(server->loop, &server->flusher);
	unlink(server->path);
	for (size_t i = 0; i < server->max_links; i++) {
		if (!server->links[i])
			continue;
		server->links[i]->silent = true;
		link_stream_close(server->links[i], IO_LINK_WE_CLOSED);
	}
	uv_close((uv_handle_t *)&server->listener, on_listener_closed);
}

enum status io_link_server_send(struct io_link_server *server, io_link_id link, const uint8_t *bytes,
				size_t length)
{
	struct link_stream *stream = find(server, link);
	return stream ? link_stream_send(stream, bytes, length) : ST_NOT_FOUND;
}

size_t io_link_server_queued(const struct io_link_server *server, io_link_id link)
{
	const struct link_stream *stream = find(server, link);
	return stream ? link_stream_queued(stream) : 0;
}

void io_link_server_close(struct io_link_server *server, io_link_id link)
{
	struct link_stream *stream = find(server, link);
	if (!stream)
		return;
	stream->close_after_flush = true;
	io_loop_touch(server->loop);
}

size_t io_link_server_count(const struct io_link_server *server)
{
	return server->count;
}
