/* Calls one behind the other over a Unix socket: against our own server, which answers a turn's calls in one turn, and against a
 * scripted one that answers in pieces, wrongly, or not at all. */
#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/io/http_pipe.h"
#include "common/io/http_server.h"
#include "common/io/unix_socket.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CEILING (20 * US_PER_S)
#define CALLS   300
#define SLOW    (60 * US_PER_S)

struct done {
	uint64_t id;
	enum status status;
	int code;
	char body[64];
};

struct world {
	struct io_loop *loop;
	struct io_http_server *server;
	struct io_http_pipe *pipe;
	struct done done[2 * CALLS];
	size_t done_count, want;
	uint64_t last_id;
	size_t handled, handled_in_turn, most_in_turn;
	const char *again; /* called with it from inside the next callback */
	/* The scripted server. */
	int listener, peer;
	struct io_watch *watch;
	const char *script; /* what it writes once it was written to */
	size_t script_step; /* bytes at a time; 0: all */
	bool hang_up;       /* then */
	struct io_timer *drip;
	bool gives_up; /* at the next answer */
};

static struct world *standing; /* what a test that failed midway left */

static void on_done(void *ctx, struct now now, uint64_t id, const struct io_http_answer *answer)
{
	struct world *world = ctx;
	(void)now;
	assert_true(world->done_count < ARRAY_SIZE(world->done));
	struct done *done = &world->done[world->done_count++];
	*done = (struct done){.id = id, .status = answer->status, .code = answer->code};
	snprintf(done->body, sizeof done->body, "%s", (const char *)answer->body);
	t_uint("length", strlen((const char *)answer->body), answer->length);
	if (world->gives_up) {
		world->gives_up = false;
		io_http_pipe_give_up(world->pipe);
	}
	if (world->again) {
		const char *body = world->again;
		world->again = NULL;
		assert_int_equal(ST_OK, io_http_pipe_call(world->pipe, ++world->last_id, body, strlen(body)));
	}
}

static void on_request(void *ctx, struct now now, const struct io_http_request *request)
{
	struct world *world = ctx;
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	(void)now;
	world->handled++;
	world->handled_in_turn++;
	enum status status = io_http_reply(world->server, io_http_request_exchange(request), 200, NULL, body,
					   length);
	assert_int_equal(ST_OK, status);
}

static const struct io_http_route routes[] = {{IO_HTTP_POST, "/", on_request}};

static enum status commit(void *ctx)
{
	struct world *world = ctx;
	if (world->handled_in_turn > world->most_in_turn)
		world->most_in_turn = world->handled_in_turn;
	world->handled_in_turn = 0;
	return ST_OK;
}

static void teardown(struct world *world)
{
	io_http_pipe_free(world->pipe);
	io_http_server_free(world->server);
	io_watch_free(world->watch);
	io_timer_free(world->drip);
	if (world->peer > 0)
		close(world->peer);
	if (world->listener > 0)
		close(world->listener);
	io_loop_free(world->loop);
	free(world);
	standing = NULL;
}

static struct world *setup(span_us timeout)
{
	if (standing)
		teardown(standing);
	struct world *world = calloc(1, sizeof *world);
	assert_non_null(world);
	standing = world;
	world->loop = io_loop_new(&(struct io_turn){.commit = commit, .ctx = world});
	const struct io_http_pipe_options options = {.unix_path = t_temp("pipe.sock"),
						     .target = "/",
						     .max_calls = CALLS,
						     .answer_limit = 50,
						     .timeout = timeout,
						     .on_done = on_done,
						     .ctx = world};
	assert_int_equal(ST_OK, io_http_pipe_open(world->loop, &options, &world->pipe));
	return world;
}

static void serve(struct world *world)
{
	const struct io_http_server_options options = {.unix_path = t_temp("pipe.sock")};
	assert_int_equal(ST_OK, io_http_server_open(world->loop, &options, &world->server));
	io_http_server_add(world->server, routes, ARRAY_SIZE(routes), world);
}

static void call(struct world *world, const char *body)
{
	assert_int_equal(ST_OK, io_http_pipe_call(world->pipe, ++world->last_id, body, strlen(body)));
}

static bool has_all(void *ctx)
{
	const struct world *world = ctx;
	return world->done_count >= world->want;
}

static void wait_for(struct world *world, size_t count)
{
	world->want = count;
	t_true("all are done", io_loop_run_until(world->loop, has_all, world, CEILING));
	t_uint("and no more", count, world->done_count);
}

/* --- our own server ---------------------------------------------------------------------------------------------- */

static void calls_of_a_turn_are_answered_in_order_and_in_one_turn(void **state)
{
	(void)state;
	struct world *world = setup(SLOW);
	char text[32];
	serve(world);
	for (unsigned i = 0; i < CALLS; i++) {
		snprintf(text, sizeof text, "{\"n\":%u}", i);
		call(world, text);
	}
	t_int("one too many", ST_FULL, io_http_pipe_call(world->pipe, 0, "{}", 2));
	t_uint("in flight", CALLS, io_http_pipe_in_flight(world->pipe));
	wait_for(world, CALLS);
	t_uint("handled", CALLS, world->handled);
	t_true("many of them in one turn", world->most_in_turn >= 50);
	for (unsigned i = 0; i < CALLS; i++) {
		snprintf(text, sizeof text, "{\"n\":%u}", i);
		t_str("in order", text, world->done[i].body);
		t_int("code", 200, world->done[i].code);
		t_uint("id", i + 1, world->done[i].id);
	}
	t_row("again over the same connection, from inside a callback");
	world->again = "from inside";
	call(world, "once more");
	wait_for(world, CALLS + 2);
	t_str("answered", "from inside", world->done[CALLS + 1].body);
	t_uint("connections", 1, io_http_server_stats(world->server)->accepted);
	teardown(world);
}

static void a_server_that_is_not_there_fails_all_and_the_next_call_dials(void **state)
{
	(void)state;
	struct world *world = setup(SLOW);
	call(world, "a");
	call(world, "b");
	wait_for(world, 2);
	for (unsigned i = 0; i < 2; i++)
		t_int("unavailable", ST_UNAVAILABLE, world->done[i].status);
	serve(world);
	call(world, "c");
	wait_for(world, 3);
	t_int("ok", ST_OK, world->done[2].status);
	t_str("answered", "c", world->done[2].body);
	t_row("it goes, and comes back");
	io_http_server_free(world->server);
	world->server = NULL;
	call(world, "d");
	wait_for(world, 4);
	t_int("unavailable", ST_UNAVAILABLE, world->done[3].status);
	serve(world);
	call(world, "e");
	wait_for(world, 5);
	t_str("answered", "e", world->done[4].body);
	teardown(world);
}

/* --- a scripted server ------------------------------------------------------------------------------------------- */

static void on_ready(void *ctx, struct now now, bool readable, bool writable)
{
	struct world *world = ctx;
	char bytes[4096];
	(void)now;
	(void)writable;
	if (!readable)
		return;
	if (world->peer <= 0) {
		world->peer = accept(world->listener, NULL, NULL);
		io_watch_free(world->watch);
		world->watch = io_watch_new(world->loop, world->peer, on_ready, world);
		io_watch_set(world->watch, true, false);
		return;
	}
	ssize_t length = recv(world->peer, bytes, sizeof bytes, MSG_DONTWAIT);
	if (length <= 0) {
		io_watch_set(world->watch, false, false);
		return;
	}
	const char *text = world->script;
	world->script = NULL;
	for (size_t left = text ? strlen(text) : 0; left > 0;) {
		size_t piece = world->script_step && world->script_step < left ? world->script_step : left;
		assert_int_equal(piece, send(world->peer, text, piece, MSG_NOSIGNAL));
		text += piece;
		left -= piece;
	}
	if (text && world->hang_up)
		assert_int_equal(0, shutdown(world->peer, SHUT_RDWR));
}

static void listen_again(struct world *world)
{
	io_watch_free(world->watch);
	close(world->peer);
	world->peer = 0;
	world->watch = io_watch_new(world->loop, world->listener, on_ready, world);
	io_watch_set(world->watch, true, false);
}

static struct world *scripted(span_us timeout, const char *script, size_t step)
{
	struct world *world = setup(timeout);
	const char *path = t_temp("scripted.sock");
	assert_int_equal(ST_OK, io_unix_bind(path, &world->listener));
	assert_int_equal(0, listen(world->listener, 4));
	io_http_pipe_free(world->pipe);
	const struct io_http_pipe_options options = {.unix_path = path,
						     .target = "/",
						     .answer_limit = 50,
						     .timeout = timeout,
						     .on_done = on_done,
						     .ctx = world};
	assert_int_equal(ST_OK, io_http_pipe_open(world->loop, &options, &world->pipe));
	world->watch = io_watch_new(world->loop, world->listener, on_ready, world);
	io_watch_set(world->watch, true, false);
	world->script = script;
	world->script_step = step;
	return world;
}

#define HANG_UP SIZE_MAX
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "

/* Three calls are under way; what comes for each. */
static const struct {
	const char *name, *script;
	size_t step; /* HANG_UP: all, and the connection ends */
	enum status statuses[3];
	const char *bodies[3];
} rows[] = {
	{"three answers, a byte at a time",
	 OK_HEAD "1\r\n\r\na" OK_HEAD "2\r\n\r\nbb" OK_HEAD "0\r\n\r\n",
	 1,
	 {ST_OK, ST_OK, ST_OK},
	 {"a", "bb", ""}},
	{"three answers at once",
	 OK_HEAD "1\r\n\r\na" OK_HEAD "2\r\n\r\nbb" OK_HEAD "3\r\n\r\nccc",
	 0,
	 {ST_OK, ST_OK, ST_OK},
	 {"a", "bb", "ccc"}},
	{"the connection ends after one",
	 "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
	 0,
	 {ST_OK, ST_UNAVAILABLE, ST_UNAVAILABLE},
	 {"a", "", ""}},
	{"it ends in the middle of a body",
	 OK_HEAD "1\r\n\r\na" OK_HEAD "9\r\n\r\nbbbb",
	 HANG_UP,
	 {ST_OK, ST_UNAVAILABLE, ST_UNAVAILABLE},
	 {"a", "", ""}},
	{"it ends in the middle of a head",
	 OK_HEAD "1\r\n\r\na" OK_HEAD,
	 HANG_UP,
	 {ST_OK, ST_UNAVAILABLE, ST_UNAVAILABLE},
	 {"a", "", ""}},
	{"no HTTP", "220 mail.example ready\r\n\r\n", 0, {ST_INVALID, ST_INVALID, ST_INVALID}, {"", "", ""}},
	{"no length", "HTTP/1.1 200 OK\r\n\r\n", 0, {ST_INVALID, ST_INVALID, ST_INVALID}, {"", "", ""}},
	{"two lengths",
	 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\naa",
	 0,
	 {ST_INVALID, ST_INVALID, ST_INVALID},
	 {"", "", ""}},
	{"chunks",
	 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	 0,
	 {ST_INVALID, ST_INVALID, ST_INVALID},
	 {"", "", ""}},
	{"longer than the limit", OK_HEAD "51\r\n\r\n", 0, {ST_FULL, ST_FULL, ST_FULL}, {"", "", ""}},
	{"one more than was asked",
	 OK_HEAD "1\r\n\r\na" OK_HEAD "1\r\n\r\nb" OK_HEAD "1\r\n\r\nc" OK_HEAD "1\r\n\r\nd",
	 0,
	 {ST_OK, ST_OK, ST_OK},
	 {"a", "b", "c"}},
};

static void what_comes_back_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		bool hang_up = rows[i].step == HANG_UP;
		struct world *world = scripted(SLOW, rows[i].script, hang_up ? 0 : rows[i].step);
		world->hang_up = hang_up;
		call(world, "1");
		call(world, "2");
		call(world, "3");
		wait_for(world, 3);
		for (unsigned j = 0; j < 3; j++) {
			t_str("status", status_name(rows[i].statuses[j]), status_name(world->done[j].status));
			t_str("body", rows[i].bodies[j], world->done[j].body);
			t_uint("id", j + 1, world->done[j].id);
		}
		teardown(world);
	}
}

static void silence_ends_in_time_for_all_that_wait(void **state)
{
	(void)state;
	struct world *world = scripted(50 * US_PER_MS, OK_HEAD "1\r\n\r\na", 0);
	call(world, "1");
	call(world, "2");
	call(world, "3");
	wait_for(world, 3);
	t_int("answered", ST_OK, world->done[0].status);
	t_int("late", ST_TIMEOUT, world->done[1].status);
	t_int("late", ST_TIMEOUT, world->done[2].status);
	t_uint("in flight", 0, io_http_pipe_in_flight(world->pipe));
	teardown(world);
}

/* One more byte of a head that never ends. */
static void on_drip(void *ctx, struct now now)
{
	struct world *world = ctx;
	(void)now;
	if (world->peer > 0)
		(void)!send(world->peer, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void bytes_that_trickle_in_are_silence(void **state)
{
	(void)state;
	struct world *world = scripted(50 * US_PER_MS, "HTTP/1.1 200 OK\r\nX: ", 0);
	world->drip = io_timer_new(world->loop, on_drip, world);
	io_timer_start(world->drip, 10 * US_PER_MS, 10 * US_PER_MS);
	call(world, "1");
	call(world, "2");
	wait_for(world, 2);
	t_int("late", ST_TIMEOUT, world->done[0].status);
	t_int("late", ST_TIMEOUT, world->done[1].status);
	teardown(world);
}

static bool is_left(void *ctx)
{
	const struct world *world = ctx;
	char byte;
	return recv(world->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void what_nobody_asked_for_answers_no_later_call(void **state)
{
	(void)state;
	struct world *world = scripted(SLOW, OK_HEAD "1\r\n\r\na" OK_HEAD, 0);
	call(world, "1");
	wait_for(world, 1);
	t_str("answered", "a", world->done[0].body);
	t_true("the connection is left", io_loop_run_until(world->loop, is_left, world, CEILING));
	teardown(world);
}

static void a_caller_that_gives_up_gets_nothing_of_that_connection(void **state)
{
	(void)state;
	struct world *world = scripted(SLOW, OK_HEAD "1\r\n\r\nb" OK_HEAD "1\r\n\r\na", 0);
	world->gives_up = true;
	call(world, "a");
	call(world, "b");
	wait_for(world, 2);
	t_str("the first is what it came for", "b", world->done[0].body);
	t_int("the second is not handed out", ST_UNAVAILABLE, world->done[1].status);
	t_row("the next call");
	listen_again(world);
	world->script = OK_HEAD "1\r\n\r\nc";
	call(world, "c");
	wait_for(world, 3);
	t_str("answered", "c", world->done[2].body);
	teardown(world);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as io_harden() has it */
	const struct CMUnitTest tests[] = {
		t_test(calls_of_a_turn_are_answered_in_order_and_in_one_turn),
		t_test(a_server_that_is_not_there_fails_all_and_the_next_call_dials),
		t_test(what_comes_back_is_judged),
		t_test(silence_ends_in_time_for_all_that_wait),
		t_test(bytes_that_trickle_in_are_silence),
		t_test(what_nobody_asked_for_answers_no_later_call),
		t_test(a_caller_that_gives_up_gets_nothing_of_that_connection),
	};
	return t_run(tests);
}
