/* network.sock: bridges and the one application server. The first message each way is a Hello; its role says what a peer
 * may send (the table below). Events go out live, or, after a reconnect and for a slow reader, from the journal. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/process.h"
#include "network-server/downlink.h"
#include "network-server/why/record.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define APP_QUEUE_MAX    (1u << 20) /* bytes waiting for the application server before replay pauses */
#define REPLAY_BLOBS     16
#define FRAMES_TURN      64
#define FRAMES_QUEUE_MAX (64u << 10)

static struct ns_edge_link *find_link(struct ns_edge *edge, io_link_id id)
{
	for (size_t i = 0; i < NS_LINKS_MAX; i++)
		if (edge->links[i].id == id)
			return &edge->links[i];
	return NULL;
}

/* `edge->message` is filled. */
static enum status send(struct ns_edge *edge, struct ns_edge_link *link)
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

static void refuse(struct ns_edge *edge, struct ns_edge_link *link, const char *reason)
{
	edge->links_refused++;
	LOG_WARN("link_refused", "name=%s reason=\"%s\"", link->name[0] ? link->name : "?", reason);
	edge->message->kind = PROTO_BYE;
	memset(&edge->message->bye, 0, sizeof edge->message->bye);
	snprintf(edge->message->bye.reason, sizeof edge->message->bye.reason, "%s", reason);
	(void)!send(edge, link);
	io_link_server_close(edge->links_server, link->id);
}

static void on_open(void *ctx, struct now now, io_link_id id, const struct io_peer *peer)
{
	(void)now;
	struct ns_edge *edge = ctx;
	struct ns_edge_link *link = find_link(edge, 0);
	if (!link) {
		io_link_server_close(edge->links_server, id);
		return;
	}
	*link = (struct ns_edge_link){.id = id, .uid = peer->uid};
	edge->message->kind = PROTO_HELLO;
	edge->message->hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER,
						    .name = "network-server",
						    .major = PROTO_MAJOR,
						    .minor = PROTO_MINOR};
	(void)!send(edge, link);
}

static void fill_wanted(struct ns_edge *edge)
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

static enum ns_caller caller_of(enum proto_role role)
{
	return role == PROTO_GATEWAY_BRIDGE ? NS_CALLER_BRIDGE : NS_CALLER_APPLICATION;
}

static void greet(struct ns_edge *edge, struct now now, struct ns_edge_link *link,
		  const struct proto_hello *hello)
{
	snprintf(link->name, sizeof link->name, "%s", hello->name);
	if (hello->major != PROTO_MAJOR) {
		refuse(edge, link, "unknown major protocol version");
		return;
	}
	if (!callers_allow(&edge->callers, caller_of(hello->role), link->uid)) {
		ns_record_drop(&edge->ns, now, NS_DROP_CALLER, ns_of_server(&edge->ns),
			       (struct ns_numbers){.a = link->uid, .c = hello->role != PROTO_GATEWAY_BRIDGE});
		refuse(edge, link, "this user may not: see network-server.callers");
		return;
	}
	if (hello->role == PROTO_GATEWAY_BRIDGE) {
		link->role = hello->role;
		link->greeted = true;
		ns_on_bridge(&edge->ns, now, link->id);
	} else if (hello->role == PROTO_APPLICATION_SERVER && edge->app == 0) {
		link->role = hello->role;
		link->greeted = true;
		edge->app = link->id;
		edge->app_sent_row = edge->ns.journal.stored_row;
		edge->app_live = false;
		fill_wanted(edge);
		(void)!send(edge, link);
		ns_on_app(&edge->ns, true);
	} else {
		refuse(edge, link,
		       hello->role == PROTO_APPLICATION_SERVER ? "another application server is connected"
							       : "no role for this socket");
		return;
	}
	LOG_INFO("link_open", "role=%s name=%s", proto_role_name(hello->role), link->name);
}

static bool from_bridge(struct ns_edge *edge, struct now now, struct ns_edge_link *link)
{
	const struct proto_message *message = edge->message;
	struct ns *ns = &edge->ns;
	switch (message->kind) {
	case PROTO_GATEWAY_UPLINK:
		ns_on_uplink(ns, now, link->id, message->seq, &message->gateway_uplink);
		return true;
	case PROTO_GATEWAY_TX_ACK:
		ns_on_seq(ns, now, link->id, message->seq);
		ns_on_tx_ack(ns, now, &message->gateway_tx_ack);
		return true;
	case PROTO_GATEWAY_STATS:
		ns_on_stats(ns, now, link->id, message->seq, &message->gateway_stats);
		return true;
	case PROTO_GATEWAY_PRESENCE:
		ns_on_presence(ns, now, link->id, message->seq, &message->gateway_presence);
		return true;
	default: return false;
	}
}

static bool from_app(struct ns_edge *edge, struct now now)
{
	const struct proto_message *message = edge->message;
	struct ns *ns = &edge->ns;
	switch (message->kind) {
	case PROTO_EVENT_STORED: ns_on_event_stored(ns, now, &message->event_stored); return true;
	case PROTO_STATE_BEGIN: ns_on_state_begin(ns, now, &message->state_begin); return true;
	case PROTO_STATE_END: ns_on_state_end(ns, now, &message->state_end); return true;
	case PROTO_PROFILE: ns_on_profile(ns, now, &message->profile); return true;
	case PROTO_DEVICE: ns_on_device(ns, now, &message->device); return true;
	case PROTO_GATEWAY: ns_on_gateway(ns, now, &message->gateway); return true;
	case PROTO_ENQUEUE: ns_on_enqueue(ns, now, &message->enqueue); return true;
	case PROTO_FLUSH: ns_on_flush(ns, now, &message->flush); return true;
	case PROTO_SEALED: ns_on_sealed(ns, now, &message->sealed); return true;
	case PROTO_FRAMES_WANTED: ns_on_frames_wanted(ns, now, &message->frames_wanted); return true;
	default: return false;
	}
}

static void on_message(void *ctx, struct now now, io_link_id id, const uint8_t *bytes, size_t length)
{
	struct ns_edge *edge = ctx;
	struct ns_edge_link *link = find_link(edge, id);
	if (!link || (ns_turn_is_full(&edge->ns) && !io_loop_end_turn_early(edge->loop)))
		return;
	enum status status = proto_unpack(edge->message, bytes, length, &edge->arena);
	enum proto_kind kind = edge->message->kind;
	if (status != ST_OK) {
		ns_record_protocol(&edge->ns, now, 0, kind);
		refuse(edge, link, "malformed message");
	} else if (!link->greeted) {
		struct proto_hello hello = edge->message->hello;
		if (kind == PROTO_HELLO)
			greet(edge, now, link, &hello);
		else
			refuse(edge, link, "the first message has to be a Hello");
	} else if (kind == PROTO_UNKNOWN || kind == PROTO_ACK) {
		return; /* of a later minor version */
	} else if (kind == PROTO_BYE) {
		io_link_server_close(edge->links_server, id);
	} else if (!(link->role == PROTO_GATEWAY_BRIDGE ? from_bridge(edge, now, link)
							: from_app(edge, now))) {
		ns_record_protocol(&edge->ns, now, 0, kind);
		refuse(edge, link, "a message that this role may not send");
	}
}

static void on_close(void *ctx, struct now now, io_link_id id, enum io_link_reason reason)
{
	struct ns_edge *edge = ctx;
	struct ns_edge_link *link = find_link(edge, id);
	if (!link)
		return;
	if (reason == IO_LINK_TOO_LONG || reason == IO_LINK_EMPTY)
		edge->links_refused++;
	LOG_INFO("link_closed", "name=%s reason=%s", link->name[0] ? link->name : "?",
		 io_link_reason_name(reason));
	if (link->greeted && link->role == PROTO_GATEWAY_BRIDGE)
		ns_on_bridge_gone(&edge->ns, now, id);
	if (edge->app == id) {
		edge->app = 0;
		edge->app_live = false;
		ns_on_app(&edge->ns, false);
	}
	*link = (struct ns_edge_link){0};
}

bool ns_edge_callers_init(struct callers *callers, const struct ns_options *options,
			  char problem[CONFIG_ERROR_MAX])
{
	static const char *const names[NS_CALLER_COUNT] = {
		[NS_CALLER_BRIDGE] = "bridges", [NS_CALLER_APPLICATION] = "applications"};
	char who[OPTION_EXPECT_MAX];
	bool good = callers_init(callers, names, NS_CALLER_COUNT, &options->callers, geteuid(), io_find_user,
				 who, sizeof who);
	if (!good)
		snprintf(problem, CONFIG_ERROR_MAX, "network-server.callers: %s", who);
	return good;
}

void ns_edge_network_set_callers(struct ns_edge *edge, const struct callers *callers)
{
	edge->callers = *callers;
	for (size_t i = 0; i < NS_LINKS_MAX; i++) {
		struct ns_edge_link *link = &edge->links[i];
		if (link->id != 0 && link->greeted &&
		    !callers_allow(callers, caller_of(link->role), link->uid))
			refuse(edge, link, "this user may not any more: see network-server.callers");
	}
}

enum status ns_edge_network_open(struct ns_edge *edge)
{
	char problem[CONFIG_ERROR_MAX];
	if (!ns_edge_callers_init(&edge->callers, &edge->options, problem)) {
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
		return ST_INVALID;
	}
	char path[OPTION_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/network.sock", edge->common.run_dir);
	edge->message = calloc(1, sizeof *edge->message);
	edge->bytes = malloc(PROTO_FRAME_MAX);
	arena_init(&edge->arena, 4u << 20);
	if (!edge->message || !edge->bytes)
		return ST_NO_MEMORY;
	const struct io_link_server_options options = {
		.path = path,
		.max_links = NS_LINKS_MAX,
		.events = {on_open, on_message, on_close, edge},
	};
	return io_link_server_open(edge->loop, &options, &edge->links_server);
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
	struct ns_edge_link *link = find_link(edge, to_bridge ? out->link : edge->app);
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
	case NS_OUT_STATE_WANTED: fill_wanted(edge); break;
	case NS_OUT_EVENT: send_live_event(edge, link, out); return;
	case NS_OUT_JOIN: return;
	}
	bool left = send(edge, link) == ST_OK;
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
		if (send(edge, app) != ST_OK)
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
		if (send(edge, app) != ST_OK)
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
		if (send(edge, link) != ST_OK)
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
	struct ns_edge_link *app = edge->app ? find_link(edge, edge->app) : NULL;
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
