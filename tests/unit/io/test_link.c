#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/io/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CEILING (20 * US_PER_S)

/* Both ends on one loop: what each has seen. */
struct end {
	int opened, closed, messages;
	size_t bytes;
	io_link_id last;
	enum io_link_reason reason;
	struct io_peer peer;
	uint8_t first[64];
	bool in_order;
};

struct world {
	struct io_loop *loop;
	struct io_link_server *server;
	struct io_link_client *client;
	struct rng rng;
	struct end at_server, at_client;
	enum status commit_says;
	int commits, want;
};

static void on_open(void *ctx, struct now now, io_link_id link, const struct io_peer *peer)
{
	struct end *end = ctx;
	(void)now;
	end->opened++;
	end->last = link;
	end->peer = *peer;
}

static void on_message(void *ctx, struct now now, io_link_id link, const uint8_t *bytes, size_t length)
{
	struct end *end = ctx;
	(void)now;
	(void)link;
	if (bytes[0] != (uint8_t)end->messages)
		end->in_order = false;
	if (end->messages == 0)
		memcpy(end->first, bytes, length < sizeof end->first ? length : sizeof end->first);
	end->messages++;
	end->bytes += length;
}

static void on_close(void *ctx, struct now now, io_link_id link, enum io_link_reason reason)
{
	struct end *end = ctx;
	(void)now;
	(void)link;
	end->closed++;
	end->reason = reason;
}

static struct io_link_events events_of(struct end *end)
{
	end->in_order = true;
	return (struct io_link_events){on_open, on_message, on_close, end};
}

static enum status commit(void *ctx)
{
	struct world *world = ctx;
	world->commits++;
	return world->commit_says;
}

static void open_server(struct world *world, size_t max_links)
{
	assert_int_equal(ST_OK, io_link_server_open(world->loop,
						    &(struct io_link_server_options){
							    .path = t_temp("link.sock"),
							    .max_links = max_links,
							    .out_buffer = 1 << 20,
							    .events = events_of(&world->at_server)},
						    &world->server));
}

static struct world *setup(void)
{
	struct world *world = calloc(1, sizeof *world);
	world->loop = io_loop_new(&(struct io_turn){.commit = commit, .ctx = world});
	world->rng = rng_seeded(1);
	open_server(world, 2);
	assert_int_equal(ST_OK, io_link_client_open(world->loop,
						    &(struct io_link_client_options){
							    .path = t_temp("link.sock"),
							    .rng = &world->rng,
							    .events = events_of(&world->at_client)},
						    &world->client));
	return world;
}

static void teardown(struct world *world)
{
	io_link_client_free(world->client);
	io_link_server_free(world->server);
	io_loop_free(world->loop);
	free(world);
}

static bool both_open(void *ctx)
{
	struct world *world = ctx;
	return world->at_server.opened > world->at_server.closed && io_link_client_is_open(world->client);
}
static bool server_has_messages(void *ctx)
{
	struct world *world = ctx;
	return world->at_server.messages >= world->want;
}
static bool client_has_messages(void *ctx)
{
	struct world *world = ctx;
	return world->at_client.messages >= world->want;
}
static bool client_closed(void *ctx)
{
	return ((struct world *)ctx)->at_client.closed > 0;
}
static bool server_closed(void *ctx)
{
	struct world *world = ctx;
	return world->at_server.closed >= world->want;
}
static bool server_opened(void *ctx)
{
	struct world *world = ctx;
	return world->at_server.opened >= world->want;
}

static void messages_arrive_whole_and_in_order(void **state)
{
	(void)state;
	struct world *world = setup();
	assert_true(io_loop_run_until(world->loop, both_open, world, CEILING));
	t_int("uid of the peer", getuid(), world->at_server.peer.uid);
	t_int("pid of the peer", getpid(), world->at_server.peer.pid);
	struct stat stat_of;
	assert_int_equal(0, stat(t_temp("link.sock"), &stat_of));
	t_int("mode", 0660, stat_of.st_mode & 0777);
	static uint8_t big[IO_FRAME_MAX];
	size_t sum = 0;
	for (int i = 0; i < 200; i++) {
		size_t length = i == 100 ? IO_FRAME_MAX : (size_t)(i * 37 % 1500 + 1);
		big[0] = (uint8_t)i;
		assert_int_equal(ST_OK, io_link_client_send(world->client, big, length));
		assert_int_equal(ST_OK,
				 io_link_server_send(world->server, world->at_server.last, big, length));
		sum += length;
	}
	world->want = 200;
	t_true("server has all", io_loop_run_until(world->loop, server_has_messages, world, CEILING));
	t_true("client has all", io_loop_run_until(world->loop, client_has_messages, world, CEILING));
	t_uint("bytes", sum, world->at_server.bytes);
	t_uint("bytes back", sum, world->at_client.bytes);
	t_true("in order", world->at_server.in_order && world->at_client.in_order);
	t_uint("nothing waits", 0, io_link_client_queued(world->client));
	teardown(world);
}

static void the_out_buffer_is_bounded(void **state)
{
	(void)state;
	struct world *world = setup();
	assert_true(io_loop_run_until(world->loop, both_open, world, CEILING));
	static uint8_t big[IO_FRAME_MAX];
	enum status status = ST_OK;
	int sent = 0;
	while ((status = io_link_server_send(world->server, world->at_server.last, big, sizeof big)) ==
		       ST_OK &&
	       sent < 100)
		sent++;
	t_int("status", ST_FULL, status);
	t_int("messages in 1 MiB", 3, sent);
	t_uint("queued", 3 * (sizeof big + 4), io_link_server_queued(world->server, world->at_server.last));
	world->want = 3;
	t_true("what was queued arrives",
	       io_loop_run_until(world->loop, client_has_messages, world, CEILING));
	t_int("a link that never was", ST_NOT_FOUND, io_link_server_send(world->server, 999, big, 1));
	teardown(world);
}

static void nothing_leaves_when_the_commit_fails(void **state)
{
	(void)state;
	struct world *world = setup();
	assert_true(io_loop_run_until(world->loop, both_open, world, CEILING));
	world->commit_says = ST_DATABASE;
	assert_int_equal(ST_OK, io_link_client_send(world->client, (const uint8_t *)"x", 1));
	t_int("exit code", 1, io_loop_run(world->loop));
	t_uint("still queued", 5, io_link_client_queued(world->client));
	t_int("received", 0, world->at_server.messages);
	teardown(world);
}

static void the_client_comes_back(void **state)
{
	(void)state;
	struct world *world = setup();
	assert_true(io_loop_run_until(world->loop, both_open, world, CEILING));
	io_link_server_free(world->server);
	assert_true(io_loop_run_until(world->loop, client_closed, world, CEILING));
	t_int("reason", IO_LINK_PEER_CLOSED, world->at_client.reason);
	t_int("sending meanwhile", ST_UNAVAILABLE,
	      io_link_client_send(world->client, (const uint8_t *)"x", 1));
	world->at_server = (struct end){0};
	open_server(world, 2);
	t_true("connected again", io_loop_run_until(world->loop, both_open, world, CEILING));
	t_true("under another id", world->at_client.last == 2);
	teardown(world);
}

static int raw_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_temp("link.sock"));
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
	return fd;
}

static void a_hostile_peer_is_closed_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t bytes[8];
		size_t length;
		enum io_link_reason reason;
	} rows[] = {
		{"one byte too long", {1, 0, 4, 0, 1}, 5, IO_LINK_TOO_LONG},
		{"as long as it gets", {255, 255, 255, 255}, 4, IO_LINK_TOO_LONG},
		{"empty", {0, 0, 0, 0}, 4, IO_LINK_EMPTY},
		{"gone in the middle of a message", {4, 0, 0, 0, 1, 2}, 6, IO_LINK_PEER_CLOSED},
	};
	struct world *world = setup();
	assert_true(io_loop_run_until(world->loop, both_open, world, CEILING));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		world->at_server.closed = 0;
		world->want = world->at_server.opened + 1;
		int fd = raw_connect();
		assert_true(io_loop_run_until(world->loop, server_opened, world, CEILING));
		assert_int_equal((ssize_t)rows[i].length, write(fd, rows[i].bytes, rows[i].length));
		if (rows[i].reason == IO_LINK_PEER_CLOSED)
			close(fd);
		world->want = 1;
		t_true("closed", io_loop_run_until(world->loop, server_closed, world, CEILING));
		t_str("reason", io_link_reason_name(rows[i].reason),
		      io_link_reason_name(world->at_server.reason));
		if (rows[i].reason != IO_LINK_PEER_CLOSED)
			close(fd);
	}
	t_row("others are not disturbed");
	t_true("client", io_link_client_is_open(world->client));
	teardown(world);
}

static void a_message_before_our_close_still_leaves(void **state)
{
	(void)state;
	struct world *world = setup();
	assert_true(io_loop_run_until(world->loop, both_open, world, CEILING));
	assert_int_equal(ST_OK, io_link_server_send(world->server, world->at_server.last,
						    (const uint8_t *)"\0bye", 4));
	io_link_server_close(world->server, world->at_server.last);
	assert_true(io_loop_run_until(world->loop, client_closed, world, CEILING));
	t_int("messages", 1, world->at_client.messages);
	t_int("server's reason", IO_LINK_WE_CLOSED, world->at_server.reason);
	teardown(world);
}

static void a_path_is_taken_over_only_when_stale(void **state)
{
	(void)state;
	struct world *world = setup();
	struct io_link_server *other = NULL;
	struct io_link_server_options options = {.path = t_temp("link.sock")};
	t_int("served", ST_EXISTS, io_link_server_open(world->loop, &options, &other));
	options.path = t_temp("file");
	close(open(options.path, O_CREAT | O_WRONLY, 0600));
	t_int("a file", ST_EXISTS, io_link_server_open(world->loop, &options, &other));
	t_int("the file is still there", 0, access(options.path, F_OK));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_temp("stale.sock"));
	assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
	close(fd);
	options.path = t_temp("stale.sock");
	t_int("stale", ST_OK, io_link_server_open(world->loop, &options, &other));
	io_link_server_free(other);
	teardown(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(messages_arrive_whole_and_in_order),   t_test(the_out_buffer_is_bounded),
		t_test(nothing_leaves_when_the_commit_fails), t_test(the_client_comes_back),
		t_test(a_hostile_peer_is_closed_by_name),     t_test(a_message_before_our_close_still_leaves),
		t_test(a_path_is_taken_over_only_when_stale),
	};
	return t_run(tests);
}
