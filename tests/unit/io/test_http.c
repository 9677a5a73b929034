#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/io/admin.h"
#include "common/io/http_client.h"
#include "common/io/http_server.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CEILING (20 * US_PER_S)

struct world {
	struct io_loop *loop;
	struct io_http_server *server;
	struct io_http_client *client;
	io_http_exchange kept; /* of /deferred and /stream */
	io_http_exchange gone;
	char seen[256]; /* what the handler saw */
	struct io_peer peer;
	size_t body_length;
	int handled;
	/* the client's side */
	int done, want;
	enum status status;
	int code;
	char answer[8192];
	char type[64];
	size_t streamed;
	enum status commit_says;
	bool in_commit;
};

static void reply(struct world *world, const struct io_http_request *request, const char *text)
{
	assert_int_equal(ST_OK, io_http_reply(world->server, io_http_request_exchange(request), 200,
					      "text/plain", text, strlen(text)));
}

static void on_echo(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	world->handled++;
	const uint8_t *body = io_http_request_body(request, &world->body_length);
	const char *id = io_http_request_param(request, "id");
	const char *query = io_http_request_query(request, "q");
	const char *header = io_http_request_header(request, "X-Test");
	if (io_http_request_peer(request))
		world->peer = *io_http_request_peer(request);
	snprintf(world->seen, sizeof world->seen, "%s id=%s q=%s x=%s body=%.40s",
		 io_http_method_name(io_http_request_method(request)), id ? id : "-", query ? query : "-",
		 header ? header : "-", world->body_length ? (const char *)body : "");
	t_int("header", ST_OK,
	      io_http_reply_header(world->server, io_http_request_exchange(request), "X-Extra", "yes"));
	t_int("a header cannot be smuggled in", ST_INVALID,
	      io_http_reply_header(world->server, io_http_request_exchange(request), "X-Bad", "a\r\nb: c"));
	reply(world, request, world->seen);
}

static void on_keep(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	world->kept = io_http_request_exchange(request);
}

static void on_stream(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	(void)now;
	world->kept = io_http_request_exchange(request);
	assert_int_equal(ST_OK, io_http_stream_begin(world->server, world->kept, "text/event-stream"));
	assert_int_equal(ST_OK, io_http_stream_send(world->server, world->kept, "data: 1\n\n", 9));
}

static void on_special(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, "special");
}

static const struct io_http_route routes[] = {
	{IO_HTTP_GET, "/items/{id}", on_echo},       {IO_HTTP_POST, "/items/{id}", on_echo},
	{IO_HTTP_GET, "/items/special", on_special}, {IO_HTTP_DELETE, "/items/{id}", on_echo},
	{IO_HTTP_GET, "/files/{id...}", on_echo},    {IO_HTTP_GET, "/keep", on_keep},
	{IO_HTTP_GET, "/stream", on_stream},
};

static void on_gone(void *ctx, struct now now, io_http_exchange exchange)
{
	(void)now;
	((struct world *)ctx)->gone = exchange;
}

static enum status commit(void *ctx)
{
	return ((struct world *)ctx)->commit_says;
}

static void teardown(struct world *world);
static struct world *standing; /* what a test that failed midway left; the next one clears it away */

static struct world *setup(const struct io_http_server_options *given)
{
	if (standing)
		teardown(standing);
	struct world *world = calloc(1, sizeof *world);
	assert_non_null(world);
	standing = world;
	world->loop = io_loop_new(&(struct io_turn){.commit = commit, .ctx = world});
	struct io_http_server_options options = given ? *given : (struct io_http_server_options){0};
	if (!options.host)
		options.unix_path = t_temp("http.sock");
	options.on_gone = on_gone;
	options.ctx = world;
	assert_int_equal(ST_OK, io_http_server_open(world->loop, &options, &world->server));
	io_http_server_add(world->server, routes, ARRAY_SIZE(routes), world);
	world->client = io_http_client_new(world->loop, NULL);
	return world;
}

static void teardown(struct world *world)
{
	io_http_client_free(world->client);
	io_http_server_free(world->server);
	io_loop_free(world->loop);
	free(world);
	standing = NULL;
}

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct world *world = ctx;
	(void)now;
	(void)call;
	world->done++;
	world->status = answer->status;
	world->code = answer->code;
	snprintf(world->answer, sizeof world->answer, "%s", (const char *)answer->body);
	snprintf(world->type, sizeof world->type, "%s", answer->content_type);
}

static void on_data(void *ctx, struct now now, io_http_call_id call, const uint8_t *bytes, size_t length)
{
	struct world *world = ctx;
	(void)now;
	(void)call;
	(void)bytes;
	world->streamed += length;
}

static bool is_done(void *ctx)
{
	struct world *world = ctx;
	return world->done >= world->want;
}
static bool is_kept(void *ctx)
{
	return ((struct world *)ctx)->kept != 0;
}
static bool is_gone(void *ctx)
{
	return ((struct world *)ctx)->gone != 0;
}
static bool has_streamed(void *ctx)
{
	struct world *world = ctx;
	return world->streamed >= (size_t)world->want;
}
static bool has_arrived(void *fd)
{
	char first;
	return recv(*(const int *)fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static io_http_call_id start(struct world *world, struct io_http_call call)
{
	io_http_call_id id;
	call.on_done = on_done;
	call.ctx = world;
	if (!call.unix_path && !call.ca_file)
		call.unix_path = t_temp("http.sock");
	assert_int_equal(ST_OK, io_http_client_start(world->client, &call, &id));
	return id;
}

static void ask(struct world *world, struct io_http_call call)
{
	world->want = world->done + 1;
	start(world, call);
	assert_true(io_loop_run_until(world->loop, is_done, world, CEILING));
}

static void requests_reach_their_handler(void **state)
{
	(void)state;
	static const char *const headers[] = {"x-test:  blanks around  ", NULL};
	static const struct {
		const char *name;
		enum io_http_method method;
		const char *url, *body;
		int code;
		const char *answer;
	} rows[] = {
		{"a placeholder", IO_HTTP_GET, "http://l/items/7", NULL, 200,
		 "GET id=7 q=- x=blanks around body="},
		{"an exact segment wins", IO_HTTP_GET, "http://l/items/special", NULL, 200, "special"},
		{"an encoded slash does not separate", IO_HTTP_GET, "http://l/items/a%2Fb", NULL, 200,
		 "GET id=a/b q=- x=blanks around body="},
		{"a query is decoded", IO_HTTP_GET, "http://l/items/7?a=1&q=x+y%26z", NULL, 200,
		 "GET id=7 q=x y&z x=blanks around body="},
		{"the rest of a path", IO_HTTP_GET, "http://l/files/a/b.js", NULL, 200,
		 "GET id=a/b.js q=- x=blanks around body="},
		{"a body", IO_HTTP_POST, "http://l/items/7", "{\"a\":1}", 200,
		 "POST id=7 q=- x=blanks around body={\"a\":1}"},
		{"an empty body", IO_HTTP_POST, "http://l/items/7", "", 200,
		 "POST id=7 q=- x=blanks around body="},
		{"delete", IO_HTTP_DELETE, "http://l/items/7", NULL, 200,
		 "DELETE id=7 q=- x=blanks around body="},
		{"no such path", IO_HTTP_GET, "http://l/nothing", NULL, 404,
		 "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n"},
		{"an empty placeholder", IO_HTTP_GET, "http://l/items/", NULL, 404,
		 "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n"},
		{"no such method there", IO_HTTP_PUT, "http://l/items/7", "x", 405,
		 "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405}\n"},
		{"an escape that is none", IO_HTTP_GET, "http://l/items/%zz", NULL, 400,
		 "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400}\n"},
		{"a NUL in the path", IO_HTTP_GET, "http://l/items/%00", NULL, 400,
		 "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400}\n"},
	};
	struct world *world = setup(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		ask(world, (struct io_http_call){.method = rows[i].method,
						 .url = rows[i].url,
						 .headers = headers,
						 .body = rows[i].body,
						 .length = rows[i].body ? strlen(rows[i].body) : 0});
		t_int("status", ST_OK, world->status);
		t_int("code", rows[i].code, world->code);
		t_str("answer", rows[i].answer, world->answer);
	}
	t_row("who asks is known");
	t_uint("uid", getuid(), world->peer.uid);
	t_uint("pid", getpid(), world->peer.pid);
	t_uint("one connection serves all", 1, io_http_server_stats(world->server)->accepted);
	teardown(world);
}

static void a_reply_may_come_later(void **state)
{
	(void)state;
	struct world *world = setup(NULL);
	world->want = 1;
	start(world, (struct io_http_call){.url = "http://l/keep"});
	assert_true(io_loop_run_until(world->loop, is_kept, world, CEILING));
	t_int("reply", ST_OK, io_http_reply(world->server, world->kept, 201, NULL, "{}", 2));
	t_int("once", ST_NOT_FOUND, io_http_reply(world->server, world->kept, 201, NULL, "{}", 2));
	assert_true(io_loop_run_until(world->loop, is_done, world, CEILING));
	t_int("code", 201, world->code);
	t_str("type", "application/json", world->type);
	ask(world, (struct io_http_call){.url = "http://l/items/1"});
	t_int("the connection goes on", 200, world->code);
	t_uint("connections", 1, io_http_server_stats(world->server)->accepted);
	teardown(world);
}

static void a_client_that_goes_is_told(void **state)
{
	(void)state;
	struct world *world = setup(NULL);
	io_http_call_id id = start(world, (struct io_http_call){.url = "http://l/keep"});
	assert_true(io_loop_run_until(world->loop, is_kept, world, CEILING));
	io_http_client_cancel(world->client, id);
	assert_true(io_loop_run_until(world->loop, is_gone, world, CEILING));
	t_true("that exchange", world->gone == world->kept);
	t_int("reply", ST_NOT_FOUND, io_http_reply(world->server, world->kept, 200, NULL, "{}", 2));
	t_int("no callback of a cancelled call", 0, world->done);
	teardown(world);
}

static void no_reply_leaves_before_the_commit(void **state)
{
	(void)state;
	struct world *world = setup(NULL);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_temp("http.sock"));
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
	static const char request[] = "GET /items/7 HTTP/1.1\r\nHost: l\r\n\r\n";
	assert_int_equal(sizeof request - 1, write(fd, request, sizeof request - 1));
	assert_true(io_loop_run_until(world->loop, has_arrived, &fd, CEILING));
	world->handled = 0;
	char got[4096];
	assert_true(recv(fd, got, sizeof got, MSG_DONTWAIT) > 0);
	assert_int_equal(sizeof request - 1, write(fd, request, sizeof request - 1));
	world->commit_says = ST_DATABASE;
	t_int("the process ends", 1, io_loop_run(world->loop));
	t_int("it was handled", 1, world->handled);
	t_int("nothing came", -1, recv(fd, got, sizeof got, MSG_DONTWAIT));
	close(fd);
	teardown(world);
}

static void streams_flow_and_slow_readers_are_closed(void **state)
{
	(void)state;
	struct world *world = setup(&(struct io_http_server_options){.stream_buffer = 100000});
	io_http_call_id id = start(
		world, (struct io_http_call){.url = "http://l/stream", .timeout = -1, .on_data = on_data});
	world->want = 9;
	assert_true(io_loop_run_until(world->loop, has_streamed, world, CEILING));
	static char piece[50000];
	t_int("send", ST_OK, io_http_stream_send(world->server, world->kept, piece, sizeof piece));
	world->want = 50009;
	assert_true(io_loop_run_until(world->loop, has_streamed, world, CEILING));
	io_http_stream_end(world->server, world->kept);
	world->want = 1;
	assert_true(io_loop_run_until(world->loop, is_done, world, CEILING));
	t_int("status", ST_OK, world->status);
	t_str("type", "text/event-stream", world->type);
	world->kept = 0;
	id = start(world, (struct io_http_call){.url = "http://l/stream", .timeout = -1, .on_data = on_data});
	assert_true(io_loop_run_until(world->loop, is_kept, world, CEILING));
	enum status status = ST_OK;
	int sent = 0;
	while ((status = io_http_stream_send(world->server, world->kept, piece, sizeof piece)) == ST_OK &&
	       sent < 50)
		sent++;
	t_int("a reader that does not read", ST_FULL, status);
	t_int("pieces in the buffer", 1, sent);
	t_uint("counted", 1, io_http_server_stats(world->server)->slow_readers);
	io_http_client_cancel(world->client, id);
	teardown(world);
}

static void limits_of_the_client_hold(void **state)
{
	(void)state;
	struct world *world = setup(NULL);
	ask(world, (struct io_http_call){.url = "http://l/items/7", .answer_limit = 10});
	t_int("too long an answer", ST_FULL, world->status);
	ask(world, (struct io_http_call){.url = "http://l/keep", .timeout = 50000});
	t_int("no answer in time", ST_TIMEOUT, world->status);
	ask(world, (struct io_http_call){.url = "http://l/", .unix_path = "/nowhere/at/all.sock"});
	t_int("nobody there", ST_UNAVAILABLE, world->status);
	ask(world, (struct io_http_call){.url = "gopher://l/"});
	t_int("another protocol", ST_INVALID, world->status);
	teardown(world);
}

static bool raw_answered(void *ctx)
{
	struct world *world = ctx;
	ssize_t count;
	do {
		size_t used = strlen(world->answer);
		count = recv(world->want, world->answer + used, sizeof world->answer - used - 1,
			     MSG_DONTWAIT);
	} while (count > 0);
	return count == 0;
}

/* Writes bytes as they are and reads until the server closes. */
static void raw(struct world *world, const char *bytes, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_temp("http.sock"));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
	memset(world->answer, 0, sizeof world->answer);
	assert_int_equal((ssize_t)length, send(fd, bytes, length, MSG_NOSIGNAL));
	shutdown(fd, SHUT_WR);
	world->want = fd;
	assert_true(io_loop_run_until(world->loop, raw_answered, world, CEILING));
	close(fd);
}

static void what_is_no_http_is_refused_by_name(void **state)
{
	(void)state;
	static char long_header[20000], long_trailer[20000];
	static const char trailer_begins[] =
		"POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: ";
	memset(long_header, 'a', sizeof long_header - 1);
	memset(long_trailer, 'a', sizeof long_trailer - 1);
	memcpy(long_trailer, trailer_begins, sizeof trailer_begins - 1);
	memcpy(long_header, "GET / HTTP/1.1\r\nHost: ", 22);
	static const struct {
		const char *name, *request, *begins;
	} rows[] = {
		{"not HTTP", "hello\r\n\r\n", "HTTP/1.1 400 "},
		{"no host", "GET /items/7 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"two hosts", "GET /items/7 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400 "},
		{"a blank before the colon", "GET /items/7 HTTP/1.1\r\nHost : a\r\n\r\n", "HTTP/1.1 400 "},
		{"a folded line", "GET /items/7 HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "HTTP/1.1 400 "},
		{"a bare line feed", "GET /items/7 HTTP/1.1\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
		{"two lengths",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		 "HTTP/1.1 400 "},
		{"length and chunks",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n0\r\n\r\n",
		 "HTTP/1.1 400 "},
		{"a signed length", "POST /items/7 HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
		 "HTTP/1.1 400 "},
		{"another coding",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		 "HTTP/1.1 501 "},
		{"a method of no use", "BREW /items/7 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501 "},
		{"another version", "GET /items/7 HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 "},
		{"a chunk that is none",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		 "HTTP/1.1 400 "},
		{"two codings",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 "HTTP/1.1 400 "},
		{"a chunk's length of nine digits",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "000000001\r\na\r\n0\r\n\r\n",
		 "HTTP/1.1 400 "},
		{"trailers too long", long_trailer, "HTTP/1.1 400 "},
		{"a body too long", "POST /items/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n",
		 "HTTP/1.1 413 "},
		{"chunks too long",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "33\r\n012345678901234567890123456789012345678901234567890\r\n"
		 "33\r\n012345678901234567890123456789012345678901234567890\r\n0\r\n\r\n",
		 "HTTP/1.1 413 "},
		{"headers too long", long_header, "HTTP/1.1 431 "},
		{"a path that climbs", "GET /files/../x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		 "HTTP/1.1 400 "},
	};
	struct world *world = setup(&(struct io_http_server_options){.body_limit = 100});
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		raw(world, rows[i].request, strlen(rows[i].request));
		t_true(world->answer, strncmp(world->answer, rows[i].begins, strlen(rows[i].begins)) == 0);
		if (strcmp(rows[i].begins, "HTTP/1.1 413 ") == 0)
			t_true("says the limit", strstr(world->answer, "at most 100 bytes") != NULL);
	}
	t_row("none reached a handler");
	t_int("handled", 0, world->handled);
	teardown(world);
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;
	while ((text = strstr(text, what))) {
		count++;
		text += strlen(what);
	}
	return count;
}

static void unusual_but_right_requests_are_served(void **state)
{
	(void)state;
	static const struct {
		const char *name, *request, *contains;
		size_t answers;
	} rows[] = {
		{"chunks",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n",
		 "body=abcdefg", 1},
		{"three at once",
		 "GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /items/2 HTTP/1.1\r\nHost: "
		 "a\r\nContent-Length: 2\r\n\r\nab"
		 "GET /items/3 HTTP/1.1\r\nHost: a\r\n\r\n",
		 "id=3", 3},
		{"HTTP/1.0", "GET /items/7 HTTP/1.0\r\n\r\nGET /items/8 HTTP/1.0\r\n\r\n",
		 "Connection: close", 1},
		{"HEAD has no body", "HEAD /items/7 HTTP/1.1\r\nHost: a\r\n\r\n",
		 "Content-Length: 22\r\n\r\n", 1},
		{"100-continue",
		 "POST /items/7 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
		 "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", 2},
		{"the method that would do", "PUT /items/7 HTTP/1.1\r\nHost: a\r\n\r\n",
		 "Allow: GET, HEAD, POST, DELETE\r\n", 1},
	};
	struct world *world = setup(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		raw(world, rows[i].request, strlen(rows[i].request));
		t_true(world->answer, strstr(world->answer, rows[i].contains) != NULL);
		t_uint("answers", rows[i].answers, count_of(world->answer, "HTTP/1.1 "));
	}
	teardown(world);
}

static void slow_requests_and_silent_handlers_end(void **state)
{
	(void)state;
	struct world *world = setup(
		&(struct io_http_server_options){.request_timeout = 100000, .reply_timeout = 100000});
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_temp("http.sock"));
	assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(5, write(fd, "GET /", 5));
	world->want = fd;
	memset(world->answer, 0, sizeof world->answer);
	assert_true(io_loop_run_until(world->loop, raw_answered, world, CEILING));
	t_true("408", strncmp(world->answer, "HTTP/1.1 408 ", 13) == 0);
	close(fd);
	world->done = 0;
	ask(world, (struct io_http_call){.url = "http://l/keep"});
	t_int("504", 504, world->code);
	t_true("and the handler is told", world->gone == world->kept && world->kept != 0);
	teardown(world);
}

static uint64_t seven(void *ctx)
{
	(void)ctx;
	return 7;
}

static void admin_tells_health_and_metrics(void **state)
{
	(void)state;
	static const uint64_t counter = 42;
	static const struct io_metric metrics[] = {
		{"lamppost_test_drops_total", "reason=\"full\"", "Drops.", IO_METRIC_COUNTER, &counter, NULL,
		 NULL},
		{"lamppost_test_drops_total", "reason=\"late\"", "Drops.", IO_METRIC_COUNTER, &counter, NULL,
		 NULL},
		{"lamppost_test_links", NULL, "Links.", IO_METRIC_GAUGE, NULL, seven, NULL},
	};
	struct world *world = setup(NULL);
	struct io_admin *admin;
	assert_int_equal(ST_OK, io_admin_open(world->loop,
					      &(struct io_admin_options){.path = t_temp("admin.sock"),
									 .process = "test",
									 .metrics = metrics,
									 .metric_count = ARRAY_SIZE(metrics)},
					      &admin));
	ask(world, (struct io_http_call){.url = "http://l/metrics", .unix_path = t_temp("admin.sock")});
	t_str("metrics",
	      "# HELP lamppost_test_drops_total Drops.\n# TYPE lamppost_test_drops_total counter\n"
	      "lamppost_test_drops_total{reason=\"full\"} 42\nlamppost_test_drops_total{reason=\"late\"} 42\n"
	      "# HELP lamppost_test_links Links.\n# TYPE lamppost_test_links gauge\nlamppost_test_links 7\n",
	      world->answer);
	ask(world, (struct io_http_call){.url = "http://l/healthz", .unix_path = t_temp("admin.sock")});
	t_int("code", 200, world->code);
	t_true("healthy", strncmp(world->answer, "{\"status\":\"ok\",\"process\":\"test\",", 32) == 0);
	ask(world, (struct io_http_call){.url = "http://l/counters", .unix_path = t_temp("admin.sock")});
	t_int("counters", 200, world->code);
	const char *rows = strstr(world->answer, "\"counters\":");
	t_str("rows",
	      "\"counters\":[{\"name\":\"lamppost_test_drops_total\",\"labels\":\"reason=\\\"full\\\"\","
	      "\"total\":42,\"recent\":42,\"hour\":42},{\"name\":\"lamppost_test_drops_total\","
	      "\"labels\":\"reason=\\\"late\\\"\",\"total\":42,\"recent\":42,\"hour\":42}]}\n",
	      rows);
	io_admin_free(admin);
	teardown(world);
}

static bool was_handled(void *ctx)
{
	struct world *world = ctx;
	return world->handled >= world->want;
}

/* Such a client's end cannot be told (its kernel resets what arrives), so nobody waits for its own. */
static void clients_that_close_at_once_take_no_room(void **state)
{
	(void)state;
	static const char request[] = "GET /items/1 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world *world = setup(
		&(struct io_http_server_options){.host = "127.0.0.1", .max_connections = 4});
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(io_http_server_port(world->server)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (world->want = 1; world->want <= 60; world->want++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof address));
		assert_int_equal(sizeof request - 1, write(fd, request, sizeof request - 1));
		close(fd);
		assert_true(io_loop_run_until(world->loop, was_handled, world, CEILING));
	}
	t_uint("nobody was told that it is full", 0, io_http_server_stats(world->server)->full);
	teardown(world);
}

static void tcp_wants_tls_beyond_loopback(void **state)
{
	(void)state;
	struct world *world = setup(&(struct io_http_server_options){.host = "127.0.0.1"});
	struct io_http_server *other = NULL;
	t_int("any address without TLS", ST_REFUSED,
	      io_http_server_open(world->loop, &(struct io_http_server_options){.host = "*"}, &other));
	char cert[400], key[400], command[1200], url[100];
	snprintf(cert, sizeof cert, "%s", t_temp("cert.pem"));
	snprintf(key, sizeof key, "%s", t_temp("key.pem"));
	snprintf(command, sizeof command,
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
		 "/CN=localhost "
		 "-addext subjectAltName=IP:127.0.0.1 -keyout '%s' -out '%s' 2>/dev/null",
		 key, cert);
	assert_int_equal(0, system(command));
	assert_int_equal(ST_OK,
			 io_http_server_open(world->loop,
					     &(struct io_http_server_options){
						     .host = "127.0.0.1", .cert_file = cert, .key_file = key},
					     &other));
	struct io_http_server *plain = world->server;
	world->server = other;
	io_http_server_add(other, routes, ARRAY_SIZE(routes), world);
	snprintf(url, sizeof url, "https://127.0.0.1:%u/items/7?q=tls", io_http_server_port(other));
	ask(world, (struct io_http_call){.url = url, .ca_file = cert});
	t_int("status", ST_OK, world->status);
	t_str("answer", "GET id=7 q=tls x=- body=", world->answer);
	static char big[600000];
	memset(big, 'x', sizeof big);
	ask(world,
	    (struct io_http_call){
		    .method = IO_HTTP_POST, .url = url, .ca_file = cert, .body = big, .length = sizeof big});
	t_int("a long body", 200, world->code);
	t_uint("length", sizeof big, world->body_length);
	ask(world, (struct io_http_call){.url = url, .ca_file = "/etc/ssl/certs/ca-certificates.crt"});
	t_int("a certificate of nobody's", ST_REFUSED, world->status);
	io_http_server_free(plain);
	teardown(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(requests_reach_their_handler),
		t_test(a_reply_may_come_later),
		t_test(a_client_that_goes_is_told),
		t_test(no_reply_leaves_before_the_commit),
		t_test(streams_flow_and_slow_readers_are_closed),
		t_test(limits_of_the_client_hold),
		t_test(what_is_no_http_is_refused_by_name),
		t_test(unusual_but_right_requests_are_served),
		t_test(slow_requests_and_silent_handlers_end),
		t_test(admin_tells_health_and_metrics),
		t_test(clients_that_close_at_once_take_no_room),
		t_test(tcp_wants_tls_beyond_loopback),
	};
	return t_run(tests);
}
