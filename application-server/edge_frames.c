#include "application-server/edge_frames.h"

#include "application-server/frames/frame_json.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RENEW       (NET_FRAMES_LEASE_S / 3 * US_PER_S)
#define FRAME_QUEUE (128u << 10) /* bytes that wait for a slow reader before it misses frames */

_Static_assert(AS_STREAMS_MAX <= NET_FOLLOWERS_MAX, "each stream is a follower");

static bool has_room(const struct as_edge_frames *edge, const struct as_stream *stream)
{
	return io_http_stream_queued(edge->api->server, stream->exchange) <= FRAME_QUEUE;
}

static void send(struct as_edge_frames *edge, struct as_stream *stream, struct now now, const char *head,
		 const char *body, size_t length)
{
	struct io_http_server *server = edge->api->server;
	stream->beat = now.mono;
	if (io_http_stream_send(server, stream->exchange, head, strlen(head)) != ST_OK ||
	    io_http_stream_send(server, stream->exchange, body, length) != ST_OK ||
	    io_http_stream_send(server, stream->exchange, "\n\n", 2) != ST_OK)
		stream->exchange = 0;
}

static void send_lost(struct as_edge_frames *edge, struct as_stream *stream, struct now now)
{
	char body[48];
	int length = snprintf(body, sizeof body, "{\"count\":%" PRIu64 "}", stream->frames_lost);
	stream->frames_lost = 0;
	send(edge, stream, now, "event: lost\ndata: ", body, (size_t)length);
}

static bool is_up(const struct as_edge_frames *edge)
{
	return as_edge_network_is_up(edge->network);
}

/* The first word, and whether frames can come at all: said again when that changes. */
static void send_live(struct as_edge_frames *edge, struct as_stream *stream, struct now now)
{
	char body[128];
	int length = snprintf(
		body, sizeof body,
		"{\"live\":true,\"networkServer\":%s,\"note\":\"live only: what passed before is not kept\"}",
		is_up(edge) ? "true" : "false");
	stream->frames_live = is_up(edge) ? AS_FRAMES_UP : AS_FRAMES_AWAY;
	send(edge, stream, now, "event: live\ndata: ", body, (size_t)length);
}

static void show(struct as_edge_frames *edge, struct as_stream *stream, struct now now,
		 const struct net_frame *frame, size_t length)
{
	char head[64];
	if (stream->exchange && stream->frames_lost > 0)
		send_lost(edge, stream, now);
	if (!stream->exchange)
		return;
	snprintf(head, sizeof head, "id: %" PRIu64 "\nevent: frame\ndata: ", frame->number);
	send(edge, stream, now, head, edge->text, length);
	edge->shown++;
}

/* What the network server could not send, as its numbers tell. Which streams would have been shown it is not known. */
static uint64_t missing(struct as_edge_frames *edge, uint64_t number)
{
	bool same = edge->connection == edge->network->connections && edge->number > 0;
	uint64_t count = same && number > edge->number ? number - edge->number - 1 : 0;
	edge->connection = edge->network->connections;
	edge->number = number;
	return count;
}

static void take(void *ctx, struct now now, const struct net_frame *frame)
{
	struct as_edge_frames *edge = ctx;
	struct as_device_info info;
	uint64_t gone = missing(edge, frame->number);
	bool known = frame->has_device &&
		     as_store_device_info(edge->api->api->app->store, &frame->dev_eui, &info) == ST_OK;
	size_t length = 0; /* 0: not made yet */
	for (size_t i = 0; i < AS_STREAMS_MAX; i++) {
		struct as_stream *stream = &edge->api->streams[i];
		if (stream->exchange == 0 || !stream->view.frames)
			continue;
		stream->frames_lost += gone;
		edge->lost += gone;
		if (!as_view_shows_frame(&stream->view, frame, known ? &info.agency : NULL))
			continue;
		if (!has_room(edge, stream)) {
			stream->frames_lost++;
			edge->lost++;
			continue;
		}
		if (length == 0 &&
		    !as_frame_json(edge->text, AS_FRAME_MAX, frame, known ? &info : NULL, &length))
			return; /* larger than any frame can be */
		show(edge, stream, now, frame, length);
	}
}

/* --- who wants what ------------------------------------------------------------------------------------------ */

static void ask(struct as_edge_frames *edge, size_t place, const struct as_stream *stream, struct now now)
{
	const struct net_frames_wanted wanted = {(uint32_t)place, NET_FRAMES_LEASE_S,
						 stream->view.frame_filter};
	if (!as_edge_network_want_frames(edge->network, &wanted))
		return;
	edge->asked[place].exchange = stream->exchange;
	edge->asked[place].connection = edge->network->connections;
	edge->asked[place].at = now.mono;
}

static void settle(struct as_edge_frames *edge, size_t place, struct now now)
{
	const struct as_stream *stream = &edge->api->streams[place];
	bool open = stream->exchange != 0 && stream->view.frames;
	bool asked = edge->asked[place].exchange != 0 &&
		     edge->asked[place].connection == edge->network->connections;
	if (open) {
		if (!asked || edge->asked[place].exchange != stream->exchange ||
		    mono_since(now.mono, edge->asked[place].at) >= RENEW)
			ask(edge, place, stream, now);
		return;
	}
	if (asked && !as_edge_network_want_frames(edge->network,
						  &(struct net_frames_wanted){.follower = (uint32_t)place}))
		return;
	edge->asked[place].exchange = 0;
}

void as_edge_frames_drain(struct as_edge_frames *edge, struct now now)
{
	if (is_up(edge) && edge->learned != edge->network->connections) {
		edge->learned = edge->network->connections;
		as_edge_why_learn(&edge->api->why);
	}
	for (size_t i = 0; i < AS_STREAMS_MAX; i++) {
		struct as_stream *stream = &edge->api->streams[i];
		if (is_up(edge))
			settle(edge, i, now);
		if (stream->exchange == 0 || !stream->view.frames || !has_room(edge, stream))
			continue;
		if (stream->frames_live != (is_up(edge) ? AS_FRAMES_UP : AS_FRAMES_AWAY))
			send_live(edge, stream, now);
		if (stream->exchange && stream->frames_lost > 0)
			send_lost(edge, stream, now);
	}
}

/* --- life ---------------------------------------------------------------------------------------------------- */

void as_edge_frames_init(struct as_edge_frames *edge, struct as_edge_api *api,
			 struct as_edge_network *network)
{
	*edge = (struct as_edge_frames){.api = api, .network = network, .text = malloc(AS_FRAME_MAX)};
	ASSERT(edge->text);
	network->on_frame = take;
	network->frame_ctx = edge;
}

void as_edge_frames_release(struct as_edge_frames *edge)
{
	if (edge->network)
		edge->network->on_frame = NULL;
	free(edge->text);
	*edge = (struct as_edge_frames){.api = NULL};
}
