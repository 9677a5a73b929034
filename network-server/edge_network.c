/* network.sock: bridges and the one application server. The first message each way is a Hello; its role says what a peer
 * may send (the table below). What goes out: edge_network_send.c. */
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

/* `seq`: of the message that is the reason; 0: none is. */
static void refuse_message(struct ns_edge *edge, struct ns_edge_link *link, uint64_t seq, const char *reason)
{
	edge->links_refused++;
	LOG_WARN("link_refused", "name=%s reason=\"%s\"", link->name[0] ? link->name : "?", reason);
	edge->message->kind = PROTO_BYE;
	memset(&edge->message->bye, 0, sizeof edge->message->bye);
	snprintf(edge->message->bye.reason, sizeof edge->message->bye.reason, "%s", reason);
	edge->message->bye.seq = seq;
	(void)!ns_edge_link_send(edge, link);
	io_link_server_close(edge->links_server, link->id);
}

static void refuse(struct ns_edge *edge, struct ns_edge_link *link, const char *reason)
{
	refuse_message(edge, link, 0, reason);
}

static void on_open(void *ctx, struct now now, io_link_id id, const struct io_peer *peer)
{
	(void)now;
	struct ns_edge *edge = ctx;
	struct ns_edge_link *link = ns_edge_link_find(edge, 0);
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
	(void)!ns_edge_link_send(edge, link);
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
		ns_edge_fill_wanted(edge);
		(void)!ns_edge_link_send(edge, link);
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

/* Leaves after the commit of this turn, in which the order became durable. */
static void acknowledge(struct ns_edge *edge, const struct ns_edge_link *link)
{
	struct ns_out *out = ns_outbox_add(&edge->ns.outbox, NS_OUT_ACK);
	if (!out)
		return; /* it is told again, on another connection */
	out->link = link->id;
	out->seq = link->heard;
}

static bool from_app(struct ns_edge *edge, struct now now, const struct ns_edge_link *link)
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
	case PROTO_FORCE_REJOIN:
		ns_on_force_rejoin(ns, now, &message->force_rejoin);
		acknowledge(edge, link);
		return true;
	case PROTO_SEALED: ns_on_sealed(ns, now, &message->sealed); return true;
	case PROTO_FRAMES_WANTED: ns_on_frames_wanted(ns, now, &message->frames_wanted); return true;
	default: return false;
	}
}

/* What a bridge says of its gateways: each message stands for itself, so that one less breaks nothing. */
static bool stands_alone(const struct ns_edge_link *link, enum proto_kind kind)
{
	return link->greeted && link->role == PROTO_GATEWAY_BRIDGE &&
	       (kind == PROTO_GATEWAY_UPLINK || kind == PROTO_GATEWAY_TX_ACK || kind == PROTO_GATEWAY_STATS ||
		kind == PROTO_GATEWAY_PRESENCE);
}

/* A message that cannot be read. The link ends with it, or the peer would be told that it was taken; but a value outside its
 * range in a message that stands alone is passed over and acknowledged: refused, it would come first again on the next link,
 * and nothing behind it would ever arrive. */
static void misunderstood(struct ns_edge *edge, struct now now, struct ns_edge_link *link)
{
	enum proto_kind kind = edge->message->kind;
	if (stands_alone(link, kind)) {
		ns_record_protocol(&edge->ns, now, NS_PROTOCOL_VALUE, kind);
		ns_on_seq(&edge->ns, now, link->id, edge->message->seq);
	} else {
		ns_record_protocol(&edge->ns, now, NS_PROTOCOL_MESSAGE, kind);
		refuse_message(edge, link, link->greeted ? link->heard : 0, "malformed message");
	}
}

static void on_message(void *ctx, struct now now, io_link_id id, const uint8_t *bytes, size_t length)
{
	struct ns_edge *edge = ctx;
	struct ns_edge_link *link = ns_edge_link_find(edge, id);
	if (!link || (ns_turn_is_full(&edge->ns) && !io_loop_end_turn_early(edge->loop)))
		return;
	enum status status = proto_unpack(edge->message, bytes, length, &edge->arena);
	enum proto_kind kind = edge->message->kind;
	link->heard = edge->message->seq != 0 ? edge->message->seq : link->heard + 1;
	if (status != ST_OK) {
		misunderstood(edge, now, link);
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
							: from_app(edge, now, link))) {
		ns_record_protocol(&edge->ns, now, NS_PROTOCOL_MESSAGE, kind);
		refuse_message(edge, link, link->heard, "a message that this role may not send");
	}
}

static void on_close(void *ctx, struct now now, io_link_id id, enum io_link_reason reason)
{
	struct ns_edge *edge = ctx;
	struct ns_edge_link *link = ns_edge_link_find(edge, id);
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
