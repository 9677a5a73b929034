/* HTTP calls inside the world, in place of common/io/http_client.c: a call leaves with the caller's turn, is answered with the turn
 * of the process that serves the socket, and breaks off when either dies. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT (10 * US_PER_S)
#define LATENCY_MIN     100
#define LATENCY_SPREAD  900

/* A call lives until its caller has been told, or has died. */
struct call {
	struct call *next;
	uint64_t id;
	struct machine *caller, *server;
	uint32_t caller_incarnation, server_incarnation;
	bool taken; /* the server has it */
	enum io_http_method method;
	char url[96];
	void (*on_done)(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer);
	void *ctx;
	uint8_t *request; /* owned */
	size_t request_length;
};

struct io_http_client {
	struct machine *machine;
	size_t max_calls;
};

const char *io_http_method_name(enum io_http_method method)
{
	static const char *const names[IO_HTTP_METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	return names[method];
}

static struct call *find(struct world *world, uint64_t id)
{
	struct call *call = world->calls;
	while (call && call->id != id)
		call = call->next;
	return call;
}

static void forget(struct world *world, struct call *call)
{
	struct call **at = &world->calls;
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	free(call->request);
	free(call);
}

static int64_t soon(struct world *world)
{
	return world->now_us + LATENCY_MIN + rng_below(&world->rng, LATENCY_SPREAD);
}

/* --- the answer --- */

static void tell(struct world *world, struct call *call, const struct io_http_answer *answer)
{
	struct machine *caller = call->caller;
	struct call told = *call;
	call->request = NULL;
	forget(world, call);
	if (answer->status == ST_OK && told.server->id == WORLD_JOIN &&
	    strcmp(told.url, "http://lamppost/") == 0)
		judge_join_answer(world, told.request, told.request_length, answer->body, answer->length);
	told.on_done(told.ctx, machine_now(caller), told.id, answer);
	free(told.request);
	machine_settle(caller);
}

/* `b`: the code, or 0 with the status in `length`. */
static void answer_arrives(struct world *world, const struct world_event *event)
{
	struct call *call = find(world, event->a);
	if (!call)
		return;
	struct io_http_answer answer = {.status = ST_OK,
					.code = (int)event->b,
					.content_type = "application/json",
					.body = event->bytes,
					.length = event->length,
					.reason = ""};
	tell(world, call, &answer);
}

static void call_fails(struct world *world, const struct world_event *event)
{
	struct call *call = find(world, event->a);
	if (!call)
		return;
	struct io_http_answer answer = {.status = (enum status)event->b,
					.content_type = "",
					.body = (const uint8_t *)"",
					.reason = "it broke off"};
	tell(world, call, &answer);
}

static void put_at_caller(struct world *world, const struct call *call, int64_t at_us,
			  struct world_event event)
{
	event.at_us = at_us;
	event.owner = call->caller;
	event.incarnation = call->caller_incarnation;
	event.a = call->id;
	world_put(world, event);
}

static void reply_leaves(struct machine *machine, struct outgoing *outgoing)
{
	struct world *world = machine->world;
	struct call *call = find(world, outgoing->a);
	if (!call)
		return;
	call->taken = false; /* its answer is on its way, whatever happens to the server now */
	put_at_caller(world, call, soon(world),
		      (struct world_event){.happen = answer_arrives,
					   .b = outgoing->b,
					   .bytes = outgoing->bytes,
					   .length = outgoing->length - 1});
	outgoing->bytes = NULL;
}

void machine_reply(struct machine *machine, uint64_t call, int code, const void *body, size_t length)
{
	uint8_t *copy = calloc(1, length + 1); /* NUL stands behind it */
	ASSERT(copy);
	memcpy(copy, body, length);
	machine_queue(machine, (struct outgoing){.leave = reply_leaves,
						 .a = call,
						 .b = (uint64_t)code,
						 .bytes = copy,
						 .length = length + 1});
}

void machine_calls_break(struct machine *machine)
{
	struct world *world = machine->world;
	for (struct call *call = world->calls; call; call = call->next)
		if (call->taken && call->server == machine) {
			call->taken = false;
			put_at_caller(world, call, soon(world),
				      (struct world_event){.happen = call_fails, .b = ST_UNAVAILABLE});
		}
}

/* --- the request --- */

static void request_arrives(struct world *world, const struct world_event *event)
{
	struct call *call = find(world, event->a);
	if (!call)
		return;
	struct machine *server = event->object;
	if (!server->up) {
		put_at_caller(world, call, soon(world),
			      (struct world_event){.happen = call_fails, .b = ST_UNAVAILABLE});
		return;
	}
	if (server->stalled_us > world->now_us) {
		world_put(world, (struct world_event){.at_us = server->stalled_us,
						      .happen = request_arrives,
						      .object = server,
						      .a = call->id});
		return;
	}
	call->taken = true;
	server->kind->on_call(server, machine_now(server), call->id, call->method, call->url, call->request,
			      call->request_length);
	machine_settle(server);
}

static void request_leaves(struct machine *machine, struct outgoing *outgoing)
{
	struct world *world = machine->world;
	struct call *call = find(world, outgoing->a);
	if (call)
		world_put(world, (struct world_event){.at_us = soon(world),
						      .happen = request_arrives,
						      .object = call->server,
						      .a = call->id});
}

enum status io_http_client_start(struct io_http_client *client, const struct io_http_call *from,
				 io_http_call_id *id)
{
	struct machine *machine = client->machine;
	struct world *world = machine->world;
	if (io_http_client_in_flight(client) >= client->max_calls)
		return ST_FULL;
	struct call *call = calloc(1, sizeof *call);
	ASSERT(call && from->unix_path && strstr(from->unix_path, "join.sock"));
	*call = (struct call){.next = world->calls,
			      .id = ++world->next_call,
			      .caller = machine,
			      .caller_incarnation = machine->incarnation,
			      .server = &world->machines[WORLD_JOIN],
			      .method = from->method,
			      .on_done = from->on_done,
			      .ctx = from->ctx,
			      .request = malloc(from->length + 1),
			      .request_length = from->length};
	ASSERT(call->request);
	if (from->length)
		memcpy(call->request, from->body, from->length);
	snprintf(call->url, sizeof call->url, "%s", from->url);
	world->calls = call;
	*id = call->id;
	machine_queue(machine, (struct outgoing){.leave = request_leaves, .a = call->id});
	machine_touch(machine);
	put_at_caller(world, call, world->now_us + (from->timeout > 0 ? from->timeout : TIMEOUT_DEFAULT),
		      (struct world_event){.happen = call_fails, .b = ST_TIMEOUT});
	return ST_OK;
}

/* --- life --- */

struct io_http_client *io_http_client_new(struct io_loop *loop, const struct io_http_client_options *options)
{
	struct io_http_client *client = calloc(1, sizeof *client);
	ASSERT(client);
	client->machine = loop->machine;
	client->max_calls = options && options->max_calls ? options->max_calls : 256;
	return client;
}

void io_http_client_cancel(struct io_http_client *client, io_http_call_id id)
{
	struct call *call = find(client->machine->world, id);
	if (call)
		forget(client->machine->world, call);
}

void io_http_client_free(struct io_http_client *client)
{
	if (!client)
		return;
	struct world *world = client->machine->world;
	for (struct call *call = world->calls, *next; call; call = next) {
		next = call->next;
		if (call->caller == client->machine)
			forget(world, call);
	}
	free(client);
}

size_t io_http_client_in_flight(const struct io_http_client *client)
{
	size_t count = 0;
	for (const struct call *call = client->machine->world->calls; call; call = call->next)
		count += call->caller == client->machine;
	return count;
}

void machine_calls_release(struct world *world)
{
	while (world->calls)
		forget(world, world->calls);
}
