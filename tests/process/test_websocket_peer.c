/* Our WebSocket server and client against an implementation of others: Debian's python3-websockets. Skipped where that is not
 * installed (`make deps-test` installs it). */
#include "tests/harness/certificates.h"
#include "tests/harness/harness.h"
#include "tests/harness/loop_wait.h"
#include "tests/harness/process.h"

#include "common/io/websocket.h"
#include "common/io/websocket_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CEILING ((span_us)(T_CEILING * 1e6))
#define SCRIPT  "tests/process/websocket_peer.py"
#define LONG    100000

static char dir[T_DIR_MAX], script[512];

struct world {
	struct io_loop *loop;
	struct io_http_server *server;
	struct io_ws_client *client;
	struct t_process *peer;
	io_ws_id id;
	int opened, closed, texts, binaries;
	size_t bytes;
	enum io_ws_reason reason;
	uint16_t code;
};

static struct t_process *python(const char *a, const char *b, const char *c)
{
	return t_process_start(&(struct t_process_options){
		.program = "/usr/bin/python3", .arguments = {a, b, c}, .dir = dir, .name = "peer"});
}

static void need_the_peer(void)
{
	struct t_process *process = python("-c", "import websockets", NULL);
	int code = t_process_wait(process);
	t_process_free(process);
	if (code != 0) {
		print_message("python3-websockets is not installed: make deps-test\n");
		skip();
	}
}

/* --- our server */

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct world *world = ctx;
	(void)now;
	if (text && strcmp((const char *)bytes, "close 4001") == 0)
		io_ws_close(world->server, id, 4001, "as you wish");
	else
		t_int("echoed", ST_OK, io_ws_send(world->server, id, text, bytes, length));
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	struct world *world = ctx;
	(void)now, (void)id;
	world->closed++;
	world->reason = reason;
	world->code = code;
}

static void on_socket(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	struct io_ws_options options = {.events = {.on_message = on_message, .on_close = on_close},
					.ctx = world,
					.message_max = LONG,
					.send_buffer = 4 * LONG};
	t_int("accepted", ST_OK, io_ws_accept(request, &options, &world->id));
}

static const struct io_http_route routes[] = {{IO_HTTP_GET, "/socket", on_socket}};

static bool peer_ended(void *ctx)
{
	return !t_process_running(((struct world *)ctx)->peer);
}

static void our_server_is_understood(void **state)
{
	(void)state;
	need_the_peer();
	struct t_ca ca;
	struct t_identity identity;
	t_ca_make(&ca, "peer");
	t_ca_issue(&ca, X509_FOR_SERVER, "server", 1760000000, 86400, "peer-server", &identity);
	for (int tls = 0; tls < 2; tls++) {
		char url[100];
		struct world world = {.loop = io_loop_new(NULL)};
		t_row(tls ? "with TLS" : "plain");
		assert_int_equal(ST_OK, io_http_server_open(world.loop,
							    &(struct io_http_server_options){
								    .host = "127.0.0.1",
								    .cert_file = tls ? identity.cert : NULL,
								    .key_file = tls ? identity.key : NULL},
							    &world.server));
		io_http_server_add(world.server, routes, ARRAY_SIZE(routes), &world);
		snprintf(url, sizeof url, "%s://localhost:%u/socket", tls ? "wss" : "ws",
			 io_http_server_port(world.server));
		world.peer = t_process_start(
			&(struct t_process_options){.program = "/usr/bin/python3",
						    .arguments = {script, "client", url, ca.file},
						    .dir = dir,
						    .name = "peer"});
		t_true("ended", t_wait_on_loop(world.loop, peer_ended, &world, T_CEILING));
		if (!t_int("content", 0, t_process_wait(world.peer))) {
			static char log[8192];
			fputs(t_process_log(world.peer, log, sizeof log), stderr);
		}
		t_int("closed", 1, world.closed);
		t_str("reason", "closed_by_us", io_ws_reason_name(world.reason));
		t_process_free(world.peer);
		io_http_server_free(world.server);
		io_loop_free(world.loop);
	}
	t_ca_free(&ca);
}

/* --- our client */

static void on_open(void *ctx, struct now now, io_ws_id id)
{
	(void)now, (void)id;
	((struct world *)ctx)->opened++;
}

static void on_echo(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct world *world = ctx;
	(void)now, (void)id;
	if (text)
		t_str("text", "fragmented", (const char *)bytes);
	world->texts += text;
	world->binaries += !text;
	world->bytes += text ? 0 : length;
}

static bool has_port(void *ctx)
{
	unsigned *port = ctx;
	char path[T_DIR_MAX + 16];
	snprintf(path, sizeof path, "%s/port", dir);
	FILE *file = fopen(path, "r");
	bool found = file && fscanf(file, "%u", port) == 1;
	if (file)
		fclose(file);
	return found;
}

static bool opened(void *ctx)
{
	return ((struct world *)ctx)->opened > 0;
}

static bool all_echoed(void *ctx)
{
	struct world *world = ctx;
	return world->texts == 1 && world->binaries == 2;
}

static bool closed(void *ctx)
{
	return ((struct world *)ctx)->closed > 0;
}

static void our_client_is_understood(void **state)
{
	(void)state;
	need_the_peer();
	static uint8_t big[LONG];
	char url[64], port_file[T_DIR_MAX + 16];
	unsigned port = 0;
	struct world world = {.loop = io_loop_new(NULL)};
	snprintf(port_file, sizeof port_file, "%s/port", dir);
	world.peer = python(script, "server", port_file);
	assert_true(t_wait_until(has_port, &port, T_CEILING));
	snprintf(url, sizeof url, "ws://127.0.0.1:%u/", port);
	world.client = io_ws_client_new(world.loop, NULL);
	struct io_ws_dial dial = {.url = url,
				  .session = {.events = {on_open, on_echo, NULL, on_close},
					      .ctx = &world,
					      .message_max = LONG}};
	assert_int_equal(ST_OK, io_ws_client_dial(world.client, &dial, &world.id));
	assert_true(io_loop_run_until(world.loop, opened, &world, CEILING));
	t_int("text", ST_OK, io_ws_client_send(world.client, world.id, true, "fragmented", 10));
	t_int("bytes", ST_OK, io_ws_client_send(world.client, world.id, false, big, sizeof big));
	t_int("none", ST_OK, io_ws_client_send(world.client, world.id, false, big, 0));
	t_true("echoed", io_loop_run_until(world.loop, all_echoed, &world, CEILING));
	t_uint("all bytes", sizeof big, world.bytes);
	t_int("close", ST_OK, io_ws_client_send(world.client, world.id, true, "close", 5));
	t_true("closed", io_loop_run_until(world.loop, closed, &world, CEILING));
	t_str("reason", "peer_closed", io_ws_reason_name(world.reason));
	t_int("code", 4002, world.code);
	t_true("ended",
	       t_wait_on_loop(world.loop, peer_ended, &world, T_CEILING)); /* our close goes out meanwhile */
	t_int("the peer is content", 0, t_process_wait(world.peer));
	t_process_free(world.peer);
	io_ws_client_free(world.client);
	io_loop_free(world.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(our_server_is_understood),
		t_test(our_client_is_understood),
	};
	char *here = realpath(SCRIPT, NULL);
	ASSERT(here != NULL);
	snprintf(script, sizeof script, "%s", here);
	free(here);
	signal(SIGPIPE, SIG_IGN);
	t_temp_dir(dir);
	int code = t_run(tests);
	t_temp_dir_remove(dir);
	return code;
}
