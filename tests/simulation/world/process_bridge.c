/* The gateway bridge in the world: its core; sockets, link and the kept list of main.c are written again here. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "gateway-bridge/bridge.h"

#include <stdlib.h>
#include <string.h>

#define RING_AGE   (900 * US_PER_S)
#define RING_BYTES (1u << 20)

struct bridge {
	struct gb_bridge *core;
	struct io_link_client *link;
	struct rng rng;
	struct arena arena;
	struct proto_message incoming, message;
	uint8_t bytes[PROTO_FRAME_MAX];
};

/* STATE/gateways.list: what was kept outlives the process. */
struct world_list {
	size_t count;
	struct gw_gateway_list parts[4];
};

/* Gateway n is at 10.0.0.n + 1, its two sockets at ports 40000 and 40001. */
static struct gb_peer peer_of(size_t gateway, enum sim_socket socket)
{
	struct gb_peer peer = {.address = {.family = 4, .port = (uint16_t)(40000 + socket)}};
	peer.address.bytes[0] = 10;
	peer.address.bytes[3] = (uint8_t)(gateway + 1);
	return peer;
}

static void datagram_leaves(struct machine *machine, struct outgoing *outgoing)
{
	world_to_gateway(machine->world, (size_t)outgoing->a, outgoing->bytes, outgoing->length);
}

/* After every event: its datagrams wait for the turn's end, its notes are of no use here. */
static void empty_outbox(struct machine *machine)
{
	struct bridge *self = machine->self;
	static struct gb_datagram datagram;
	struct gb_note note;
	while (gb_bridge_take_datagram(self->core, &datagram)) {
		uint8_t *copy = malloc(datagram.length);
		ASSERT(copy && datagram.to.address.bytes[3] > 0);
		memcpy(copy, datagram.bytes, datagram.length);
		machine_queue(machine, (struct outgoing){.leave = datagram_leaves,
							 .a = datagram.to.address.bytes[3] - 1u,
							 .bytes = copy,
							 .length = datagram.length});
	}
	while (gb_bridge_take_note(self->core, &note))
		;
	world_stations_empty(machine);
}

struct gb_bridge *world_bridge_core(struct machine *machine)
{
	return ((struct bridge *)machine->self)->core;
}

void world_bridge_settle(struct machine *machine)
{
	empty_outbox(machine);
	machine_settle(machine);
}

void world_bridge_datagram(struct machine *machine, size_t gateway, enum sim_socket socket,
			   const uint8_t *bytes, size_t length)
{
	struct bridge *self = machine->self;
	const struct gb_peer peer = peer_of(gateway, socket);
	gb_bridge_on_datagram(self->core, machine_now(machine), &peer, bytes, length);
	empty_outbox(machine);
}

/* --- the link --- */

static void on_open(void *ctx, struct now now, io_link_id link, const struct io_peer *peer)
{
	(void)link, (void)peer;
	struct machine *machine = ctx;
	gb_bridge_on_link_open(((struct bridge *)machine->self)->core, now);
}

static void on_message(void *ctx, struct now now, io_link_id link, const uint8_t *bytes, size_t length)
{
	(void)link;
	struct machine *machine = ctx;
	struct bridge *self = machine->self;
	enum status status = proto_unpack(&self->incoming, bytes, length, &self->arena);
	if (status == ST_OK)
		status = gb_bridge_on_network_message(self->core, now, &self->incoming);
	if (status != ST_OK || self->incoming.kind == PROTO_BYE) {
		world_break(machine->world, "bridge: misunderstood a %s of the network server",
			    proto_kind_name(self->incoming.kind));
		io_link_client_close(self->link);
	}
	empty_outbox(machine);
}

static void on_close(void *ctx, struct now now, io_link_id link, enum io_link_reason reason)
{
	(void)link, (void)reason;
	struct machine *machine = ctx;
	gb_bridge_on_link_close(((struct bridge *)machine->self)->core, now);
}

/* --- the process --- */

static bool start(struct machine *machine)
{
	struct bridge *self = calloc(1, sizeof *self);
	ASSERT(self);
	machine->self = self;
	self->rng = machine->rng = rng_seeded(rng_u64(&machine->rng));
	arena_init(&self->arena, 1u << 20);
	self->core = gb_bridge_new(&(struct gb_options){.name = "gateway-bridge",
							.ring_age = RING_AGE,
							.ring_bytes = RING_BYTES,
							.per_eui = {200, 400},
							.frames = {200, 400},
							.unknown = {2000, 2000}},
				   &self->rng);
	world_bridge_serves_stations(self->core);
	struct world *world = machine->world;
	if (!world->list)
		world->list = calloc(1, sizeof *world->list);
	ASSERT(world->list);
	struct world_list *list = world->list;
	for (size_t i = 0; i < list->count; i++)
		if (gb_bridge_restore_list(self->core, &list->parts[i]) == GB_LIST_BAD)
			return false;
	const struct io_link_client_options options = {.path = WORLD_RUN_DIR "/network.sock",
						       .out_buffer = 4u << 20,
						       .rng = &self->rng,
						       .events = {on_open, on_message, on_close, machine}};
	return io_link_client_open(&machine->loop, &options, &self->link) == ST_OK;
}

static void release(struct machine *machine)
{
	struct bridge *self = machine->self;
	world_stations_lose_bridge(machine->world);
	io_link_client_free(self->link);
	gb_bridge_free(self->core);
	arena_release(&self->arena);
	free(self);
	machine->self = NULL;
}

static enum status commit(struct machine *machine, struct now now)
{
	(void)now;
	struct bridge *self = machine->self;
	struct world_list *list = machine->world->list;
	if (!gb_bridge_take_list_changed(self->core))
		return ST_OK;
	size_t at = 0;
	list->count = 0;
	while (list->count < ARRAY_SIZE(list->parts) &&
	       gb_gateways_list_part(gb_bridge_gateways(self->core), &at, &list->parts[list->count]))
		list->count++;
	return ST_OK;
}

static void drain(struct machine *machine, struct now now)
{
	struct bridge *self = machine->self;
	while (gb_bridge_next_message(self->core, now, &self->message)) {
		size_t length;
		ASSERT(proto_pack(&self->message, self->bytes, sizeof self->bytes, &length) == ST_OK);
		if (io_link_client_send(self->link, self->bytes, length) != ST_OK)
			break;
		gb_bridge_message_sent(self->core);
	}
	const struct gb_ring_stats *ring = gb_bridge_ring(self->core);
	if (ring->bytes > RING_BYTES)
		world_break(machine->world, "bridge: its ring holds %llu bytes",
			    (unsigned long long)ring->bytes);
}

static struct mono next_deadline(struct machine *machine)
{
	return gb_bridge_next_deadline(((struct bridge *)machine->self)->core);
}

static void on_tick(struct machine *machine, struct now now)
{
	gb_bridge_on_tick(((struct bridge *)machine->self)->core, now);
	empty_outbox(machine);
}

const struct machine_kind world_bridge = {.name = "bridge",
					  .start = start,
					  .release = release,
					  .commit = commit,
					  .drain = drain,
					  .next_deadline = next_deadline,
					  .on_tick = on_tick};
