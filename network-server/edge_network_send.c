/* What leaves over network.sock: messages of the outbox, join reports, live frames, gateway lists. Events go out live, or, after
 * a reconnect and for a slow reader, from the journal. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "network-server/downlink.h"

#include <string.h>

#define APP_QUEUE_MAX    (1u << 20) /* bytes waiting for the application server before replay pauses */
#define REPLAY_BLOBS     16
#define FRAMES_TURN      64
#define FRAMES_QUEUE_MAX (64u << 10)

struct ns_edge_link *ns_edge_link_find(struct ns_edge *edge, io_link_id id)
{
	for (size_t i = 0; i < NS_LINKS_MAX; i++)
		if (edge->links[i].id == id)
			return &edge->links[i];
	return NULL;
}

enum status ns_edge_link_send(struct ns_edge *edge, struct ns_edge_link *link)
{
	size_t length;
	edge->message->seq = link->seq + 1;
	enum status status = proto_pack(edge->message, edge->bytes, PROTO_FRAME_MAX, &length);
	if (status == ST_OK)
		status = io_link_server_send(edge->links_server, link->id, edge->bytes, length);
	if (status == ST_OK)
		link->seq++;
	return status;
}

void ns_edge_fill_wanted(struct ns_edge *edge)
{
	edge->message->kind = PROTO_STATE_WANTED;
	edge->message->state_wanted = (struct net_state_wanted){
		.city = edge->ns.state.city, .applied_version = edge->ns.state.applied_version};
	char *regions = edge->message->state_wanted.regions;
	for (uint8_t i = 0; i < edge->ns.config.region_count; i++) {
		size_t used = strlen(regions);
		snprintf(regions + used, NET_REGIONS_MAX - used, "%s%s", used > 0 ? " " : "",
			 edge->ns.config.regions[i].id);
	}
}

/* The row in the journal was packed without a sequence number; protobuf takes the last value of a field, so the link's
 * own is appended: seq is field 1, a varint. */
static enum status send_event(struct ns_edge *edge, struct ns_edge_link *link, const uint8_t *event,
			      size_t length)
{
	uint8_t seq[11] = {1 << 3};
	size_t used = 1;
	uint64_t value = link->seq + 1;
	for (; value > 0x7f; value >>= 7)
		seq[used++] = (uint8_t)(value | 0x80);
	seq[used++] = (uint8_t)value;
	ASSERT_CMP(length + used, <=, PROTO_FRAME_MAX);
	memcpy(edge->bytes, event, length);
	memcpy(edge->bytes + length, seq, used);
	enum status status = io_link_server_send(edge->links_server, link->id, edge->bytes, length + used);
	if (status == ST_OK) {
		link->seq++;
		edge->app_events_sent++;
	}
	return status;
}

static void send_live_event(struct ns_edge *edge, struct ns_edge_link *link, const struct ns_out *out)
{
	if (!edge->app_live || out->event.row <= edge->app_sent_row)
		return; /* replay takes it from the journal */
	if (send_event(edge, link, edge->ns.journal.turn + out->event.offset, out->event.length) == ST_OK)
		edge->app_sent_row = out->event.row;
	else
		edge->app_live = false;
}

void ns_edge_network_send(struct ns_edge *edge, const struct ns_out *out)
{
	bool to_bridge = out->kind == NS_OUT_ACK || out->kind == NS_OUT_DOWNLINK;
	struct ns_edge_link *link = ns_edge_link_find(edge, to_bridge ? out->link : edge->app);
	if (!link || link->id == 0) {
		if (out->kind == NS_OUT_DOWNLINK)
			ns_downlink_unreached(&edge->ns, clock_now().mono, out);
		return;
	}
	switch (out->kind) {
	case NS_OUT_ACK:
		edge->message->kind = PROTO_ACK;
		edge->message->ack.seq = out->seq;
		break;
	case NS_OUT_DOWNLINK:
		edge->message->kind = PROTO_GATEWAY_DOWNLINK;
		edge->message->gateway_downlink = out->downlink;
		break;
	case NS_OUT_SEAL:
		edge->message->kind = PROTO_SEAL;
		edge->message->seal = out->seal;
		break;
	case NS_OUT_STATE_APPLIED:
		edge->message->kind = PROTO_STATE_APPLIED;
		edge->message->state_applied.version = out->seq;
		break;
	case NS_OUT_STATE_WANTED: ns_edge_fill_wanted(edge); break;
	case NS_OUT_EVENT: send_live_event(edge, link, out); return;
	case NS_OUT_JOIN: return;
	}
	bool left = ns_edge_link_send(edge, link) == ST_OK;
	if (!left)
		LOG_WARN("link_full", "name=%s", link->name);
	if (out->kind == NS_OUT_DOWNLINK)
		(left ? ns_downlink_left : ns_downlink_unreached)(&edge->ns, clock_now().mono, out);
}

/* What became of joins: best effort, so it waits in its ring while the link has much to carry. */
static void send_join_reports(struct ns_edge *edge, struct ns_edge_link *app)
{
	const struct net_join_report *report;
	while ((report = ns_join_reports_first(&edge->ns.join_reports)) != NULL &&
	       io_link_server_queued(edge->links_server, app->id) <= APP_QUEUE_MAX) {
		edge->message->kind = PROTO_JOIN_REPORT;
		edge->message->join_report = *report;
		if (ns_edge_link_send(edge, app) != ST_OK)
			return;
		ns_join_reports_take(&edge->ns.join_reports);
	}
}

/* Frames are the least of what the link carries: a few a turn, and only while it is all but empty. */
static void send_frames(struct ns_edge *edge, struct ns_edge_link *app)
{
	const struct net_frame *frame;
	for (int i = 0; i < FRAMES_TURN && (frame = ns_frames_first(&edge->ns.frames)) != NULL; i++) {
		if (io_link_server_queued(edge->links_server, app->id) > FRAMES_QUEUE_MAX)
			return;
		edge->message->kind = PROTO_FRAME;
		edge->message->frame = *frame;
		if (ns_edge_link_send(edge, app) != ST_OK)
			return;
		ns_frames_take(&edge->ns.frames);
	}
}

static void send_list(struct ns_edge *edge, struct ns_edge_link *link)
{
	if (!link->list_running) {
		if (link->list_sent && link->list_version == edge->ns.gateways.version)
			return;
		link->list_running = true;
		link->list_cursor = 0;
		link->list_version = edge->ns.gateways.version;
	}
	while (link->list_running) {
		uint32_t cursor = link->list_cursor;
		edge->message->kind = PROTO_GATEWAY_LIST;
		memset(&edge->message->gateway_list, 0, sizeof edge->message->gateway_list);
		bool more = ns_gateway_list_part(&edge->ns, &cursor, &edge->message->gateway_list);
		if (ns_edge_link_send(edge, link) != ST_OK)
			return;
		link->list_cursor = cursor;
		link->list_running = more;
		link->list_sent = !more;
	}
}

struct replay {
	struct ns_edge *edge;
	struct ns_edge_link *link;
};

static bool replay_event(void *ctx, uint64_t row, const uint8_t *event, size_t length)
{
	(void)row;
	struct replay *replay = ctx;
	if (io_link_server_queued(replay->edge->links_server, replay->link->id) > APP_QUEUE_MAX)
		return false;
	return send_event(replay->edge, replay->link, event, length) == ST_OK;
}

void ns_edge_network_drain(struct ns_edge *edge)
{
	for (size_t i = 0; i < NS_LINKS_MAX; i++)
		if (edge->links[i].greeted && edge->links[i].role == PROTO_GATEWAY_BRIDGE)
			send_list(edge, &edge->links[i]);
	struct ns_edge_link *app = edge->app ? ns_edge_link_find(edge, edge->app) : NULL;
	if (app)
		send_join_reports(edge, app);
	if (app && ns_frames_followed(&edge->ns.frames))
		send_frames(edge, app);
	if (!app || edge->app_live)
		return;
	struct replay replay = {edge, app};
	uint64_t seen;
	edge->app_live = !ns_store_events(&edge->store, edge->app_sent_row, REPLAY_BLOBS, replay_event,
					  &replay, &seen);
	edge->app_sent_row = seen;
}

bool ns_edge_network_waits(const struct ns_edge *edge)
{
	return edge->app != 0 && (!edge->app_live || ns_join_reports_first(&edge->ns.join_reports) ||
				  ns_frames_first(&edge->ns.frames));
}
