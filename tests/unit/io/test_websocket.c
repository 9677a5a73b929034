/* Server and client of WebSocket on one loop, over real sockets; what frames mean is test_websocket_frame.c's. */
#include "tests/harness/harness.h"

#include "common/io/websocket.h"
#include "common/io/websocket_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CEILING (30 * US_PER_S)

struct side {
	struct world *world;
	io_ws_id id;
	char seen[512];
	int messages, opened, closed, pongs;
	size_t bytes;
	enum io_ws_reason reason;
	uint16_t code;
	char detail[160];
};

struct world {
	uint16_t port;
	struct io_loop *loop;
	struct io_http_server *server;
	struct io_ws_client *client;
	struct io_ws_options accepts;
	struct side at_server, at_client;
	enum status accepted;
	bool echo;
	char header[64];
	enum status commit_says;
	int raw;
	char answer[1024];
};

static struct world *standing;

static void note(struct side *side, const char *what)
{
	size_t used = strlen(side->seen);
	snprintf(side->seen + used, sizeof side->seen - used, "%.100s ", what);
}

static void on_open(void *ctx, struct now now, io_ws_id id)
{
	struct side *side = ctx;
	(void)now;
	side->opened++;
	side->id = id;
}

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct side *side = ctx;
	(void)now;
	side->messages++;
	side->bytes += length;
	if (length < 100)
		note(side, (const char *)bytes);
	if (side->world->echo && side == &side->world->at_server)
		t_int("echoed", ST_OK, io_ws_send(side->world->server, id, text, bytes, length));
}

static void on_pong(void *ctx, struct now now, io_ws_id id, span_us round_trip)
{
	struct side *side = ctx;
	(void)now;
	(void)id;
	t_true("a round trip", round_trip >= 0 && round_trip < CEILING);
	side->pongs++;
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	struct side *side = ctx;
	(void)now;
	side->closed++;
	side->reason = reason;
	side->code = code;
	if (side == &side->world->at_client)
		snprintf(side->detail, sizeof side->detail, "%s",
			 io_ws_client_detail(side->world->client, id));
}

static const struct io_ws_events events = {
	.on_open = on_open, .on_message = on_message, .on_pong = on_pong, .on_close = on_close};

static void on_socket(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	struct io_ws_options options = world->accepts;
	options.events = events;
	options.ctx = &world->at_server;
	world->accepted = io_ws_accept(request, &options, &world->at_server.id);
	const char *header = io_http_request_header(request, "authorization"); /* still there */
	snprintf(world->header, sizeof world->header, "%s", header ? header : "");
}

static void on_plain(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	assert_int_equal(ST_OK, io_http_reply(world->server, io_http_request_exchange(request), 200,
					      "text/plain", "plain", 5));
}

static const struct io_http_route routes[] = {
	{IO_HTTP_GET, "/socket", on_socket},
	{IO_HTTP_GET, "/plain", on_plain},
};

static enum status commit(void *ctx)
{
	return ((struct world *)ctx)->commit_says;
}

static void teardown(struct world *world)
{
	io_ws_client_free(world->client);
	io_http_server_free(world->server);
	io_loop_free(world->loop);
	free(world);
	standing = NULL;
}

static struct world *setup(struct io_ws_options accepts)
{
	if (standing)
		teardown(standing);
	struct world *world = calloc(1, sizeof *world);
	assert_non_null(world);
	standing = world;
	world->accepts = accepts;
	world->at_server.world = world->at_client.world = world;
	world->loop = io_loop_new(&(struct io_turn){.commit = commit, .ctx = world});
	assert_int_equal(ST_OK, io_http_server_open(world->loop,
						    &(struct io_http_server_options){.host = "127.0.0.1"},
						    &world->server));
	io_http_server_add(world->server, routes, ARRAY_SIZE(routes), world);
	world->port = io_http_server_port(world->server);
	world->client = io_ws_client_new(world->loop, NULL);
	return world;
}

static const char *url_of(const struct world *world, const char *path)
{
	static char url[100];
	snprintf(url, sizeof url, "ws://127.0.0.1:%u%s", world->port, path);
	return url;
}

static bool decided(void *ctx)
{
	struct world *world = ctx;
	return world->at_client.opened || world->at_client.closed;
}

static void dial(struct world *world, const char *path)
{
	static const char *const headers[] = {"Authorization: Bearer abc", NULL};
	world->at_client = (struct side){.world = world};
	assert_int_equal(ST_OK, io_ws_client_dial(world->client,
						  &(struct io_ws_dial){.url = url_of(world, path),
								       .headers = headers,
								       .session = {.events = events,
										   .ctx = &world->at_client}},
						  &world->at_client.id));
	assert_true(io_loop_run_until(world->loop, decided, world, CEILING));
}

static bool both_closed(void *ctx)
{
	struct world *world = ctx;
	return world->at_client.closed && world->at_server.closed;
}

static void wait_for(struct world *world, bool (*done)(void *))
{
	assert_true(io_loop_run_until(world->loop, done, world, CEILING));
}

static bool got_three(void *ctx)
{
	return ((struct world *)ctx)->at_client.messages == 3;
}

static bool got_pongs(void *ctx)
{
	struct world *world = ctx;
	return world->at_client.pongs == 1 && world->at_server.pongs == 1;
}

static void messages_go_both_ways(void **state)
{
	(void)state;
	struct world *world = setup((struct io_ws_options){.message_max = 2 << 20, .send_buffer = 4 << 20});
	world->echo = true;
	dial(world, "/socket");
	t_row("the upgrade");
	t_int("opened", 1, world->at_client.opened);
	t_str("the request's header", "Bearer abc", world->header);
	static char big[1000000];
	memset(big, 'x', sizeof big);
	io_ws_id id = world->at_client.id;
	world->at_client.bytes = 0;
	t_int("text", ST_OK, io_ws_client_send(world->client, id, true, "hello", 5));
	t_int("another", ST_OK, io_ws_client_send(world->client, id, true, "world", 5));
	/* The client's own limit is 64 KiB, the echo of this is longer. */
	t_int("bytes", ST_OK, io_ws_client_send(world->client, id, false, big, 60000));
	wait_for(world, got_three);
	t_str("echoed in order", "hello world ", world->at_client.seen);
	t_uint("all bytes", 60010, world->at_client.bytes);
	t_row("pings");
	t_int("ours", ST_OK, io_ws_ping(world->server, world->at_server.id));
	t_int("theirs", ST_OK, io_ws_client_ping(world->client, id));
	wait_for(world, got_pongs);
	t_row("the client closes");
	io_ws_client_close(world->client, id, 1000, "done");
	t_int("not told from inside", 0, world->at_client.closed);
	wait_for(world, both_closed);
	t_str("client", "closed_by_us", io_ws_reason_name(world->at_client.reason));
	t_str("server", "peer_closed", io_ws_reason_name(world->at_server.reason));
	t_int("code", 1000, world->at_server.code);
	t_int("gone", ST_NOT_FOUND, io_ws_send(world->server, world->at_server.id, true, "a", 1));
	const struct io_ws_stats *stats = io_ws_stats(world->server);
	t_uint("messages in", 3, stats->messages_in);
	t_uint("messages out", 3, stats->messages_out);
	t_uint("bytes", 60010, stats->bytes_in);
	t_uint("by reason", 1, stats->ended[IO_WS_PEER_CLOSED]);
	t_row("a message past the limit of the receiver");
	world->at_server.closed = 0;
	dial(world, "/socket");
	t_int("sent", ST_OK, io_ws_send(world->server, world->at_server.id, false, big, sizeof big));
	wait_for(world, both_closed);
	t_str("client", "too_long", io_ws_reason_name(world->at_client.reason));
	t_str("server", "peer_closed", io_ws_reason_name(world->at_server.reason));
	t_int("code", 1009, world->at_server.code);
	teardown(world);
}

static bool server_closed(void *ctx)
{
	return ((struct world *)ctx)->at_server.closed > 0;
}

static void the_ways_a_session_ends_are_told_apart(void **state)
{
	(void)state;
	struct world *world = setup((struct io_ws_options){.ping_interval = -1, .close_timeout = 500000});
	t_row("the server closes");
	dial(world, "/socket");
	io_ws_close(world->server, world->at_server.id, 4001, "another connection of this gateway");
	wait_for(world, both_closed);
	t_str("server", "closed_by_us", io_ws_reason_name(world->at_server.reason));
	t_str("client", "peer_closed", io_ws_reason_name(world->at_client.reason));
	t_int("code", 4001, world->at_client.code);
	static const bool resets[] = {false, true};
	for (size_t i = 0; i < ARRAY_SIZE(resets); i++) {
		t_row(resets[i] ? "the line is reset" : "the line ends");
		world->at_server = (struct side){.world = world};
		dial(world, "/socket");
		io_ws_client_cut(world->client, world->at_client.id, resets[i]);
		wait_for(world, both_closed);
		t_str("server", "connection_lost", io_ws_reason_name(world->at_server.reason));
		t_str("client", "connection_lost", io_ws_reason_name(world->at_client.reason));
		t_int("code", 1006, world->at_server.code);
	}
	t_row("a peer that does not answer the close");
	world->at_server = (struct side){.world = world};
	dial(world, "/socket");
	io_ws_client_hold(world->client, world->at_client.id, true);
	io_ws_close(world->server, world->at_server.id, 1000, NULL);
	wait_for(world, server_closed);
	t_str("server", "closed_by_us", io_ws_reason_name(world->at_server.reason));
	t_uint("none is open", 0, io_ws_stats(world->server)->open);
	teardown(world);
}

static void half_open_and_slow_peers_are_cut(void **state)
{
	(void)state;
	struct world *world = setup((struct io_ws_options){
		.ping_interval = 200000, .pong_timeout = 300000, .send_buffer = 300000});
	t_row("half-open");
	dial(world, "/socket");
	io_ws_client_hold(world->client, world->at_client.id, true);
	wait_for(world, server_closed);
	t_str("reason", "pong_missing", io_ws_reason_name(world->at_server.reason));
	io_ws_client_cut(world->client, world->at_client.id, false);
	wait_for(world, both_closed);
	t_row("slow");
	world->accepts.ping_interval = -1;
	world->at_server = (struct side){.world = world};
	dial(world, "/socket");
	io_ws_client_hold(world->client, world->at_client.id, true);
	static char piece[100000];
	enum status status;
	int sent = 0;
	while ((status = io_ws_send(world->server, world->at_server.id, false, piece, sizeof piece)) ==
		       ST_OK &&
	       sent < 50)
		sent++;
	t_int("full", ST_FULL, status);
	t_int("in the buffer", 2, sent);
	t_int("not told from inside", 0, world->at_server.closed);
	wait_for(world, server_closed);
	t_str("reason", "slow_reader", io_ws_reason_name(world->at_server.reason));
	teardown(world);
}

static bool drained(void *ctx)
{
	return io_http_server_drained(((struct world *)ctx)->server);
}

static void a_server_that_stops_says_so(void **state)
{
	(void)state;
	struct world *world = setup((struct io_ws_options){0});
	dial(world, "/socket");
	t_row("a message and the close");
	t_int("sent", ST_OK, io_ws_send(world->server, world->at_server.id, true, "last words", 10));
	io_ws_stop(world->server, 1012, "restart");
	t_false("not yet", io_http_server_drained(world->server));
	wait_for(world, drained);
	wait_for(world, both_closed);
	t_str("the client has all", "last words ", world->at_client.seen);
	t_int("code", 1012, world->at_client.code);
	t_str("reason", "server_stops", io_ws_reason_name(world->at_server.reason));
	t_row("nobody is let in any more");
	dial(world, "/socket");
	t_int("opened", 0, world->at_client.opened);
	t_str("reason", "not_reached", io_ws_reason_name(world->at_client.reason));
	teardown(world);
}

/* --- handshakes, as bytes */

static bool raw_answered(void *ctx)
{
	struct world *world = ctx;
	ssize_t count;
	do {
		size_t used = strlen(world->answer);
		count = recv(world->raw, world->answer + used, sizeof world->answer - used - 1, MSG_DONTWAIT);
	} while (count > 0);
	return count == 0 || strstr(world->answer, "\r\n\r\n");
}

#define UPGRADE "Upgrade: websocket\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define CONNECT "Connection: Upgrade\r\n"

static void connect_raw(struct world *world, const char *bytes, size_t length)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(world->port)};
	world->raw = socket(AF_INET, SOCK_STREAM, 0);
	memset(world->answer, 0, sizeof world->answer);
	assert_int_equal(0, connect(world->raw, (struct sockaddr *)&address, sizeof address));
	assert_int_equal((ssize_t)length, send(world->raw, bytes, length, MSG_NOSIGNAL));
}

static void handshakes_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *name, *request, *contains;
		enum status status;
	} rows[] = {
		{"as the specification has it",
		 "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY VERSION "\r\n",
		 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", ST_OK},
		{"as a station writes it, and a browser",
		 "GET /socket HTTP/1.1\r\nHost: a\r\nupgrade: WebSocket\r\nConnection: keep-alive, "
		 "upgrade\r\n" KEY VERSION "\r\n",
		 "HTTP/1.1 101 ", ST_OK},
		{"extensions are not taken up",
		 "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY VERSION
		 "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: x\r\n\r\n",
		 "HTTP/1.1 101 ", ST_OK},
		{"no key", "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT VERSION "\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"a key of the wrong length",
		 "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT VERSION
		 "Sec-WebSocket-Key: YQ==\r\n\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"another version",
		 "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY "Sec-WebSocket-Version: 8\r\n\r\n",
		 "Sec-WebSocket-Version: 13\r\n", ST_INVALID},
		{"another version is 426",
		 "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY
		 "Sec-WebSocket-Version: 14\r\n\r\n",
		 "HTTP/1.1 426 ", ST_INVALID},
		{"no version", "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY "\r\n",
		 "HTTP/1.1 426 ", ST_INVALID},
		{"no upgrade", "GET /socket HTTP/1.1\r\nHost: a\r\n" CONNECT KEY VERSION "\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"another upgrade",
		 "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n" CONNECT KEY VERSION "\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"connection does not say so",
		 "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE "Connection: close\r\n" KEY VERSION "\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"a body",
		 "GET /socket HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" UPGRADE CONNECT KEY VERSION
		 "\r\nx",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"HEAD", "HEAD /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY VERSION "\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
		{"HTTP/1.0", "GET /socket HTTP/1.0\r\nHost: a\r\n" UPGRADE CONNECT KEY VERSION "\r\n",
		 "HTTP/1.1 400 ", ST_INVALID},
	};
	struct world *world = setup((struct io_ws_options){0});
	uint64_t refused = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		world->at_server = (struct side){.world = world};
		connect_raw(world, rows[i].request, strlen(rows[i].request));
		wait_for(world, raw_answered);
		t_true(world->answer, strstr(world->answer, rows[i].contains) != NULL);
		t_true("no extension", strstr(world->answer, "Extensions") == NULL);
		t_int("status", rows[i].status, world->accepted);
		refused += rows[i].status != ST_OK;
		t_uint("counted", refused, io_ws_stats(world->server)->failed);
		close(world->raw);
	}
	t_row("a client at a route that is none");
	dial(world, "/plain");
	t_str("reason", "handshake_failed", io_ws_reason_name(world->at_client.reason));
	t_int("code", 200, world->at_client.code);
	t_str("detail", "the server answered 200", world->at_client.detail);
	teardown(world);
}

static bool got_message(void *ctx)
{
	return ((struct world *)ctx)->at_server.messages > 0;
}

#define GOOD "GET /socket HTTP/1.1\r\nHost: a\r\n" UPGRADE CONNECT KEY VERSION "\r\n"

static void a_frame_may_come_with_the_request(void **state)
{
	(void)state;
	static const char request[] = GOOD "\x81\x85\0\0\0\0early";
	struct world *world = setup((struct io_ws_options){0});
	connect_raw(world, request, sizeof request - 1);
	wait_for(world, got_message);
	t_str("heard", "early ", world->at_server.seen);
	close(world->raw);
	teardown(world);
}

static void nothing_leaves_before_the_commit(void **state)
{
	(void)state;
	struct world *world = setup((struct io_ws_options){0});
	world->echo = true;
	connect_raw(world, GOOD, sizeof GOOD - 1);
	wait_for(world, raw_answered);
	static const char frame[] = "\x81\x85\0\0\0\0early";
	assert_int_equal(sizeof frame - 1, send(world->raw, frame, sizeof frame - 1, MSG_NOSIGNAL));
	world->commit_says = ST_DATABASE;
	t_int("the process ends", 1, io_loop_run(world->loop));
	t_int("it was handled", 1, world->at_server.messages);
	char got[64];
	t_int("nothing came", -1, recv(world->raw, got, sizeof got, MSG_DONTWAIT));
	close(world->raw);
	teardown(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(messages_go_both_ways),
		t_test(the_ways_a_session_ends_are_told_apart),
		t_test(half_open_and_slow_peers_are_cut),
		t_test(a_server_that_stops_says_so),
		t_test(nothing_leaves_before_the_commit),
		t_test(handshakes_are_judged),
		t_test(a_frame_may_come_with_the_request),
	};
	return t_run(tests);
}
