#include "application-server/edge_network.h"

#include "application-server/store_items.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define QUEUED_MAX    (1u << 20) /* bytes that wait for the peer before desired state pauses */
#define ITEMS_A_TURN  64
#define RECORDS_TURN  512
#define SCRATCH_BYTES (512 * 1024)

/* Sends edge->out; false when it did not fit or nobody is there. */
static bool send_message(struct as_edge_network *edge, enum proto_kind kind)
{
	size_t length;
	edge->out->seq = edge->seq + 1;
	edge->out->kind = kind;
	if (proto_pack(edge->out, edge->bytes, PROTO_FRAME_MAX, &length) != ST_OK ||
	    io_link_client_send(edge->link, edge->bytes, length) != ST_OK)
		return false;
	edge->seq++;
	return true;
}

static void drop_link(struct as_edge_network *edge, const char *reason)
{
	LOG_WARN("network_link", "closing=\"%s\"", reason);
	io_link_client_close(edge->link);
}

/* --- the link ----------------------------------------------------------------------------------------------- */

static void forget_connection(struct as_edge_network *edge)
{
	as_replica_lost(&edge->replica);
	edge->said_hello = false;
	edge->seq = edge->acknowledged_row = 0;
	edge->app->stored_row = 0; /* what was not acknowledged comes again */
	edge->items_row = edge->flushes_row = 0;
	edge->items_version = UINT64_MAX;
	for (size_t i = 0; i < edge->order_count; i++)
		edge->orders[i].seq = 0;
}

static void on_open(void *ctx, struct now now, io_link_id link, const struct io_peer *peer)
{
	struct as_edge_network *edge = ctx;
	(void)now, (void)link, (void)peer;
	forget_connection(edge);
	edge->connections++;
	edge->out->hello = (struct proto_hello){.role = PROTO_APPLICATION_SERVER,
						.name = "application-server",
						.major = PROTO_MAJOR,
						.minor = PROTO_MINOR};
	if (!send_message(edge, PROTO_HELLO))
		drop_link(edge, "hello does not go out");
}

static void on_close(void *ctx, struct now now, io_link_id link, enum io_link_reason reason)
{
	struct as_edge_network *edge = ctx;
	(void)now, (void)link;
	if (edge->said_hello)
		LOG_INFO("network_link", "lost=%s", io_link_reason_name(reason));
	forget_connection(edge);
}

static void on_hello(struct as_edge_network *edge, const struct proto_hello *hello)
{
	if (hello->role != PROTO_NETWORK_SERVER || hello->major != PROTO_MAJOR) {
		drop_link(edge, "not a network server of this protocol version");
		return;
	}
	edge->said_hello = true;
	LOG_INFO("network_link", "up=true protocol=%" PRIu32 ".%" PRIu32, hello->major, hello->minor);
}

static void on_seal(struct as_edge_network *edge, struct now now, const struct net_seal *seal)
{
	as_application_on_seal(edge->app, now, seal, &edge->out->sealed);
	bool sent = send_message(edge, PROTO_SEALED); /* if not, the frame leaves without the item */
	secret_wipe(&edge->out->sealed, sizeof edge->out->sealed);
	if (!sent)
		LOG_WARN("seal", "sent=false");
}

/* --- orders of rejoins: told until they are acknowledged ----------------------------------------------------- */

/* Returns whether some wait. */
static bool send_orders(struct as_edge_network *edge)
{
	for (size_t i = 0; i < edge->order_count; i++) {
		struct as_order *order = &edge->orders[i];
		if (order->seq != 0)
			continue;
		edge->out->force_rejoin = order->order;
		if (!send_message(edge, PROTO_FORCE_REJOIN))
			return true;
		order->seq = edge->seq;
	}
	return false;
}

static void on_ack(struct as_edge_network *edge, uint64_t seq)
{
	size_t kept = 0;
	for (size_t i = 0; i < edge->order_count; i++)
		if (edge->orders[i].seq == 0 || edge->orders[i].seq > seq)
			edge->orders[kept++] = edge->orders[i];
	edge->order_count = kept;
}

bool as_edge_network_force_rejoin(void *ctx, const struct net_force_rejoin *order)
{
	struct as_edge_network *edge = ctx;
	if (!edge->said_hello || edge->order_count == AS_ORDERS_MAX)
		return false;
	edge->orders[edge->order_count++] = (struct as_order){.order = *order};
	if (edge->replica.state == AS_REPLICA_READY)
		(void)send_orders(edge);
	return true;
}

static enum status dispatch(struct as_edge_network *edge, struct now now)
{
	const struct proto_message *in = edge->in;
	switch (in->kind) {
	case PROTO_HELLO: on_hello(edge, &in->hello); return ST_OK;
	case PROTO_BYE: LOG_WARN("network_link", "peer_says_bye=true"); return ST_OK;
	case PROTO_STATE_WANTED:
		as_replica_wanted(&edge->replica, edge->app->store, &in->state_wanted.city,
				  in->state_wanted.applied_version);
		snprintf(edge->app->served, sizeof edge->app->served, "%s", in->state_wanted.regions);
		return ST_OK;
	case PROTO_STATE_APPLIED: as_replica_applied(&edge->replica, in->state_applied.version); return ST_OK;
	case PROTO_UP_EVENT: return as_application_on_up(edge->app, now, &in->up_event);
	case PROTO_JOIN_EVENT: return as_application_on_join(edge->app, now, &in->join_event);
	case PROTO_DOWNLINK_EVENT: return as_application_on_downlink(edge->app, now, &in->downlink_event);
	case PROTO_STATUS_EVENT: return as_application_on_status(edge->app, now, &in->status_event);
	case PROTO_AIR_EVENT: return as_application_on_air(edge->app, &in->air_event);
	case PROTO_JOIN_REPORT:
		return edge->joins ? as_joins_on_report(edge->joins, now, &in->join_report) : ST_OK;
	case PROTO_FRAME:
		if (edge->on_frame)
			edge->on_frame(edge->frame_ctx, now, &in->frame);
		return ST_OK;
	case PROTO_SEAL: on_seal(edge, now, &in->seal); return ST_OK;
	case PROTO_ACK: on_ack(edge, in->ack.seq); return ST_OK;
	default: return ST_OK; /* of a later minor version, or not for us */
	}
}

static void on_message(void *ctx, struct now now, io_link_id link, const uint8_t *bytes, size_t length)
{
	struct as_edge_network *edge = ctx;
	(void)link;
	if (proto_unpack(edge->in, bytes, length, &edge->scratch) != ST_OK) {
		edge->malformed++;
		drop_link(edge, "malformed message");
		return;
	}
	if (!edge->said_hello && edge->in->kind != PROTO_HELLO) {
		drop_link(edge, "no hello");
		return;
	}
	enum status status = dispatch(edge, now);
	if (status != ST_OK) {
		LOG_ERROR("event", "stored=false reason=%s", status_name(status));
		as_store_abandon(
			edge->app->store); /* the turn will not commit, and nothing is acknowledged */
	}
}

/* --- after the commit --------------------------------------------------------------------------------------- */

static void acknowledge(struct as_edge_network *edge)
{
	if (edge->app->stored_row <= edge->acknowledged_row)
		return;
	edge->out->event_stored = (struct net_event_stored){.row = edge->app->stored_row};
	if (send_message(edge, PROTO_EVENT_STORED))
		edge->acknowledged_row = edge->app->stored_row;
}

static bool send_record(struct as_edge_network *edge, const struct as_desired *record)
{
	if (record->kind == RECORD_PROFILE) {
		edge->out->profile = record->profile;
		return send_message(edge, PROTO_PROFILE);
	}
	if (record->kind == RECORD_DEVICE) {
		edge->out->device = record->device;
		return send_message(edge, PROTO_DEVICE);
	}
	edge->out->gateway = record->gateway;
	return send_message(edge, PROTO_GATEWAY);
}

static bool send_step(struct as_edge_network *edge, enum as_replica_step step,
		      const struct as_desired *record)
{
	switch (step) {
	case AS_STEP_BEGIN:
		edge->out->state_begin = (struct net_state_begin){.city = *as_store_city(edge->app->store),
								  .full = edge->replica.full};
		return send_message(edge, PROTO_STATE_BEGIN);
	case AS_STEP_RECORD: return send_record(edge, record);
	case AS_STEP_END:
		edge->out->state_end = (struct net_state_end){.version = edge->replica.sent};
		return send_message(edge, PROTO_STATE_END);
	default: return false;
	}
}

/* Returns whether more waits. */
static bool replicate(struct as_edge_network *edge)
{
	const struct as_desired *record = NULL;
	for (int i = 0; i < RECORDS_TURN; i++) {
		if (io_link_client_queued(edge->link) > QUEUED_MAX)
			return true;
		enum as_replica_step step = as_replica_next(&edge->replica, edge->app->store, &record);
		if (step == AS_STEP_NOTHING)
			return false;
		if (!send_step(edge, step, record)) {
			drop_link(edge, "desired state does not go out");
			return false;
		}
	}
	return true;
}

/* --- downlink items: on each connection all that wait, then what comes new; each is known by its id over there -------- */

static bool send_enqueue(struct as_edge_network *edge, const struct as_item *item)
{
	struct net_enqueue *enqueue = &edge->out->enqueue;
	*enqueue = (struct net_enqueue){.item = item->item,
					.dev_eui = item->dev_eui,
					.fport = item->fport,
					.length = item->length,
					.confirmed = item->confirmed,
					.priority = item->priority,
					.expires = item->expires,
					.encrypted = item->encrypted,
					.fcnt_down = item->fcnt_given};
	/* What the agency encrypted itself is all that the network server ever sees of a payload. */
	if (item->encrypted && !as_item_open(edge->app->keys, item, enqueue->frm_payload)) {
		LOG_ERROR("downlink", "payload_unreadable=true");
		return true; /* it would not open the next time either */
	}
	return send_message(edge, PROTO_ENQUEUE);
}

static bool send_flush(struct as_edge_network *edge, const struct as_item *item)
{
	edge->out->flush = (struct net_flush){.dev_eui = item->dev_eui, .one = true, .item = item->item};
	return send_message(edge, PROTO_FLUSH);
}

/* Sends one batch and moves the cursor over it, if all of it went out. Returns whether more waits. */
static bool send_batch(struct as_edge_network *edge, int64_t *row,
		       enum status (*read)(struct as_store *store, int64_t *at, struct as_item *items,
					   size_t limit, size_t *count),
		       bool (*send)(struct as_edge_network *edge, const struct as_item *item))
{
	static struct as_item items[ITEMS_A_TURN];
	size_t count = 0;
	int64_t end = *row;
	if (io_link_client_queued(edge->link) > QUEUED_MAX)
		return true;
	if (read(edge->app->store, &end, items, ITEMS_A_TURN, &count) != ST_OK)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!send(edge, &items[i]))
			return true; /* all of this batch again */
	*row = end;
	return count == ITEMS_A_TURN;
}

/* Returns whether more waits. What is to be dropped follows when all is handed over, so that the network server knows what it
 * is asked to drop, and answers. */
static bool hand_over_items(struct as_edge_network *edge)
{
	uint64_t version = as_store_items_version(edge->app->store);
	if (version == edge->items_version)
		return false;
	if (send_batch(edge, &edge->items_row, as_store_items_queued, send_enqueue) ||
	    send_batch(edge, &edge->flushes_row, as_store_items_flushing, send_flush))
		return true;
	edge->items_version = version;
	return false;
}

bool as_edge_network_drain(struct as_edge_network *edge)
{
	if (!edge->said_hello || !io_link_client_is_open(edge->link))
		return false;
	acknowledge(edge);
	bool more = replicate(edge);
	/* An item or an order for a device that the network server does not know yet would be refused. */
	if (!more && edge->replica.state == AS_REPLICA_READY)
		more = send_orders(edge) || hand_over_items(edge);
	return more;
}

bool as_edge_network_want_frames(struct as_edge_network *edge, const struct net_frames_wanted *wanted)
{
	edge->out->frames_wanted = *wanted;
	return io_link_client_queued(edge->link) <= QUEUED_MAX && send_message(edge, PROTO_FRAMES_WANTED);
}

bool as_edge_network_is_up(const struct as_edge_network *edge)
{
	return edge->said_hello;
}

enum status as_edge_network_open(struct as_edge_network *edge, struct io_loop *loop,
				 struct as_application *app, const char *run_dir, struct rng *rng)
{
	char path[300];
	*edge = (struct as_edge_network){.app = app, .loop = loop};
	edge->in = malloc(sizeof *edge->in);
	edge->out = malloc(sizeof *edge->out);
	edge->bytes = malloc(PROTO_FRAME_MAX);
	ASSERT(edge->in && edge->out && edge->bytes);
	arena_init(&edge->scratch, SCRATCH_BYTES);
	snprintf(path, sizeof path, "%s/network.sock", run_dir);
	struct io_link_client_options options = {
		.path = path,
		.rng = rng,
		.events = {.on_open = on_open, .on_message = on_message, .on_close = on_close, .ctx = edge}};
	return io_link_client_open(loop, &options, &edge->link);
}

void as_edge_network_close(struct as_edge_network *edge)
{
	io_link_client_free(edge->link);
	if (edge->bytes)
		arena_release(&edge->scratch);
	free(edge->in);
	free(edge->out);
	free(edge->bytes);
	*edge = (struct as_edge_network){.loop = NULL};
}
