/* Links inside the world, in place of common/io/link_server.c and link_client.c: ordered, a fraction of a millisecond slow, cut by
 * the death of either side. What had left still arrives, then the other side learns that it was closed; a client
 * tries again by itself, as the real one does.
 *
 *	send ──▶ queued in the turn ──turn's end──▶ on its way ──▶ on_message of the other side, if it lives */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/io/process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELAY_FIRST_MS 50
#define DELAY_LAST_MS  1000
#define LATENCY_MIN    20
#define LATENCY_SPREAD 180

enum side { SERVER, CLIENT };

/* A connection lives as long as the world: events refer to it. */
struct connection {
	struct connection *next;
	struct machine *machines[2];
	uint32_t incarnations[2];
	struct io_link_events events[2];
	io_link_id ids[2];
	bool open[2];       /* on_open was called, on_close was not */
	bool closing[2];    /* this side has asked for the end */
	int64_t last_us[2]; /* when the last thing arrives at that side */
	size_t queued[2];   /* bytes that wait for that side to read them */
	size_t limit[2];    /* of what that side may have unsent */
	bool broken;
};

struct io_link_server {
	struct io_link_server *next; /* of the world */
	struct machine *machine;
	char path[128];
	size_t max_links, out_buffer;
	struct io_link_events events;
	io_link_id last_id;
};

struct io_link_client {
	struct machine *machine;
	char path[128];
	size_t out_buffer;
	struct io_link_events events;
	struct rng *rng;
	struct connection *connection; /* NULL while waiting */
	io_link_id last_id;
	uint32_t delay_ms;
};

const char *io_link_reason_name(enum io_link_reason reason)
{
	static const char *const names[IO_LINK_REASON_COUNT] = {
		[IO_LINK_PEER_CLOSED] = "peer_closed", [IO_LINK_IO] = "io",
		[IO_LINK_TOO_LONG] = "too_long",       [IO_LINK_EMPTY] = "empty",
		[IO_LINK_NO_MEMORY] = "no_memory",     [IO_LINK_WE_CLOSED] = "we_closed"};
	return names[reason];
}

bool io_find_user(const char *name, uint32_t *uid)
{
	(void)name, (void)uid;
	return false;
}

static int64_t arrival(struct connection *connection, enum side to)
{
	struct world *world = connection->machines[to]->world;
	int64_t at = world->now_us + LATENCY_MIN + rng_below(&world->rng, LATENCY_SPREAD);
	if (at <= connection->last_us[to])
		at = connection->last_us[to] + 1;
	connection->last_us[to] = at;
	return at;
}

/* Puts an event at one side, for the incarnation that made the connection. */
static void put_at(struct connection *connection, enum side to, struct world_event event)
{
	event.at_us = arrival(connection, to);
	event.owner = connection->machines[to];
	event.incarnation = connection->incarnations[to];
	event.object = connection;
	event.a = to;
	world_put(connection->machines[to]->world, event);
}

static void try_later(struct io_link_client *client);

/* --- the end of a connection --- */

static void side_closed(struct world *world, const struct world_event *event)
{
	(void)world;
	struct connection *connection = event->object;
	enum side side = (enum side)event->a;
	struct machine *machine = connection->machines[side];
	if (!connection->open[side])
		return;
	connection->open[side] = false;
	connection->events[side].on_close(connection->events[side].ctx, machine_now(machine),
					  connection->ids[side], (enum io_link_reason)event->b);
	struct io_link_client *client = machine->clients;
	if (side == CLIENT && client && client->connection == connection) {
		client->connection = NULL;
		try_later(client);
	}
	machine_settle(machine);
}

/* Both sides learn of it, each after what is on its way to it. */
static void break_connection(struct connection *connection, enum side by)
{
	if (connection->broken)
		return;
	connection->broken = true;
	enum side other = by == SERVER ? CLIENT : SERVER;
	put_at(connection, other, (struct world_event){.happen = side_closed, .b = IO_LINK_PEER_CLOSED});
	put_at(connection, by, (struct world_event){.happen = side_closed, .b = IO_LINK_WE_CLOSED});
}

static void close_leaves(struct machine *machine, struct outgoing *outgoing)
{
	(void)machine;
	break_connection(outgoing->object, (enum side)outgoing->a);
}

static void close_side(struct connection *connection, enum side side)
{
	if (!connection || connection->closing[side])
		return;
	connection->closing[side] = true;
	machine_queue(connection->machines[side],
		      (struct outgoing){.leave = close_leaves, .object = connection, .a = side});
	machine_touch(connection->machines[side]);
}

/* The process has ended: the kernel closes. */
static void abandon(struct machine *machine, enum side side)
{
	for (struct connection *c = machine->world->connections; c; c = c->next)
		if (c->machines[side] == machine && !c->broken)
			break_connection(c, side);
}

/* --- messages --- */

static void message_arrives(struct world *world, const struct world_event *event)
{
	(void)world;
	struct connection *connection = event->object;
	enum side side = (enum side)event->a;
	struct machine *machine = connection->machines[side];
	connection->queued[side] -= event->length;
	if (!connection->open[side] || connection->closing[side])
		return;
	connection->events[side].on_message(connection->events[side].ctx, machine_now(machine),
					    connection->ids[side], event->bytes, event->length);
	machine_settle(machine);
}

static void message_leaves(struct machine *machine, struct outgoing *outgoing)
{
	(void)machine;
	struct connection *connection = outgoing->object;
	enum side to = (enum side)outgoing->a;
	if (connection->broken)
		return;
	put_at(connection, to,
	       (struct world_event){
		       .happen = message_arrives, .bytes = outgoing->bytes, .length = outgoing->length});
	outgoing->bytes = NULL;
}

static enum status send_from(struct connection *connection, enum side side, const uint8_t *bytes,
			     size_t length)
{
	enum side to = side == SERVER ? CLIENT : SERVER;
	if (connection->closing[side] || connection->broken)
		return side == SERVER ? ST_NOT_FOUND : ST_UNAVAILABLE;
	if (connection->queued[to] + length > connection->limit[side])
		return ST_FULL;
	uint8_t *copy = malloc(length);
	ASSERT(copy);
	memcpy(copy, bytes, length);
	connection->queued[to] += length;
	machine_queue(connection->machines[side], (struct outgoing){.leave = message_leaves,
								    .object = connection,
								    .a = to,
								    .bytes = copy,
								    .length = length});
	machine_touch(connection->machines[side]);
	/* cppcheck-suppress memleak ; the queue owns it */
	return ST_OK;
}

/* --- connecting --- */

static void side_opens(struct world *world, const struct world_event *event)
{
	(void)world;
	struct connection *connection = event->object;
	enum side side = (enum side)event->a;
	struct machine *machine = connection->machines[side];
	const struct io_peer peer = {.uid = (uint32_t)geteuid()};
	connection->open[side] = true;
	connection->events[side].on_open(connection->events[side].ctx, machine_now(machine),
					 connection->ids[side], &peer);
	machine_settle(machine);
}

static struct io_link_server *find_server(struct world *world, const char *path)
{
	struct io_link_server *server = world->link_servers;
	while (server && strcmp(server->path, path) != 0)
		server = server->next;
	return server;
}

static void try_connect(struct world *world, const struct world_event *event)
{
	struct io_link_client *client = event->object;
	struct io_link_server *server = find_server(world, client->path);
	if (!server) {
		try_later(client);
		return;
	}
	struct connection *connection = calloc(1, sizeof *connection);
	ASSERT(connection);
	*connection = (struct connection){
		.next = world->connections,
		.machines = {server->machine, client->machine},
		.incarnations = {server->machine->incarnation, client->machine->incarnation},
		.events = {server->events, client->events},
		.ids = {++server->last_id, ++client->last_id},
		.limit = {server->out_buffer, client->out_buffer}};
	world->connections = connection;
	client->connection = connection;
	client->delay_ms = DELAY_FIRST_MS;
	put_at(connection, SERVER, (struct world_event){.happen = side_opens});
	put_at(connection, CLIENT, (struct world_event){.happen = side_opens});
}

static void try_later(struct io_link_client *client)
{
	uint32_t jittered = client->delay_ms * 3 / 4 + rng_below(client->rng, client->delay_ms / 2 + 1);
	client->delay_ms = client->delay_ms * 2 < DELAY_LAST_MS ? client->delay_ms * 2 : DELAY_LAST_MS;
	machine_put(client->machine, client->machine->world->now_us + jittered * US_PER_MS,
		    (struct world_event){.happen = try_connect, .object = client});
}

/* --- the functions of common/io/link.h --- */

enum status io_link_server_open(struct io_loop *loop, const struct io_link_server_options *options,
				struct io_link_server **out)
{
	struct world *world = loop->machine->world;
	struct io_link_server *server = calloc(1, sizeof *server);
	ASSERT(server && !find_server(world, options->path));
	*server = (struct io_link_server){.next = world->link_servers,
					  .machine = loop->machine,
					  .max_links = options->max_links ? options->max_links : 64,
					  .out_buffer = options->out_buffer ? options->out_buffer
									    : IO_LINK_BUFFER_DEFAULT,
					  .events = options->events};
	snprintf(server->path, sizeof server->path, "%s", options->path);
	world->link_servers = server;
	*out = server;
	return ST_OK;
}

void io_link_server_free(struct io_link_server *server)
{
	if (!server)
		return;
	struct io_link_server **at = &server->machine->world->link_servers;
	while (*at != server)
		at = &(*at)->next;
	*at = server->next;
	abandon(server->machine, SERVER);
	free(server);
}

static struct connection *find_link(const struct io_link_server *server, io_link_id link)
{
	struct connection *c = server->machine->world->connections;
	while (c && (c->machines[SERVER] != server->machine || c->ids[SERVER] != link ||
		     c->incarnations[SERVER] != server->machine->incarnation))
		c = c->next;
	return c;
}

enum status io_link_server_send(struct io_link_server *server, io_link_id link, const uint8_t *bytes,
				size_t length)
{
	struct connection *connection = find_link(server, link);
	return connection ? send_from(connection, SERVER, bytes, length) : ST_NOT_FOUND;
}

size_t io_link_server_queued(const struct io_link_server *server, io_link_id link)
{
	const struct connection *connection = find_link(server, link);
	return connection && !connection->broken ? connection->queued[CLIENT] : 0;
}

void io_link_server_close(struct io_link_server *server, io_link_id link)
{
	close_side(find_link(server, link), SERVER);
}

size_t io_link_server_count(const struct io_link_server *server)
{
	size_t count = 0;
	for (const struct connection *c = server->machine->world->connections; c; c = c->next)
		count += c->machines[SERVER] == server->machine && c->open[SERVER];
	return count;
}

enum status io_link_client_open(struct io_loop *loop, const struct io_link_client_options *options,
				struct io_link_client **out)
{
	struct io_link_client *client = calloc(1, sizeof *client);
	ASSERT(client && !loop->machine->clients);
	*client = (struct io_link_client){.machine = loop->machine,
					  .out_buffer = options->out_buffer ? options->out_buffer
									    : IO_LINK_BUFFER_DEFAULT,
					  .events = options->events,
					  .rng = options->rng,
					  .delay_ms = DELAY_FIRST_MS};
	snprintf(client->path, sizeof client->path, "%s", options->path);
	loop->machine->clients = client;
	machine_put(client->machine, client->machine->world->now_us,
		    (struct world_event){.happen = try_connect, .object = client});
	*out = client;
	return ST_OK;
}

void io_link_client_free(struct io_link_client *client)
{
	if (!client)
		return;
	abandon(client->machine, CLIENT);
	client->machine->clients = NULL;
	free(client);
}

enum status io_link_client_send(struct io_link_client *client, const uint8_t *bytes, size_t length)
{
	return io_link_client_is_open(client) ? send_from(client->connection, CLIENT, bytes, length)
					      : ST_UNAVAILABLE;
}

size_t io_link_client_queued(const struct io_link_client *client)
{
	return client->connection ? client->connection->queued[SERVER] : 0;
}

bool io_link_client_is_open(const struct io_link_client *client)
{
	return client->connection && client->connection->open[CLIENT] && !client->connection->broken &&
	       !client->connection->closing[CLIENT];
}

void io_link_client_close(struct io_link_client *client)
{
	close_side(client->connection, CLIENT);
}

void machine_links_release(struct world *world)
{
	while (world->connections) {
		struct connection *next = world->connections->next;
		free(world->connections);
		world->connections = next;
	}
}
