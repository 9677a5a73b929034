/* One call that never ends, made again when it does. */
#include "cli/frame_stream.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/sse.h"
#include "common/base/check.h"
#include "common/io/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_FIRST (100 * US_PER_MS)
#define DELAY_MAX   (5 * US_PER_S)

struct cli_frame_stream {
	struct cli_frame_hooks hooks;
	struct io_http_client *http;
	struct io_timer *again;
	struct cli_sse sse;
	char socket[CLI_SOCKET_MAX];
	char target[CLI_TARGET_MAX];
	io_http_call_id call; /* 0: none */
	bool linked, once;    /* it stands; it has stood */
	span_us delay;
	bool ended;
	int refused; /* reported already; CLI_DONE: it was not */
	/* Why it ended, if nobody wanted it to. */
	enum status status;
	int code;
	json_t *problem; /* owned */
};

/* The server says so first, and again whenever the network server goes or comes. */
static void begin(struct cli_frame_stream *stream, bool network)
{
	stream->linked = stream->once = true;
	stream->delay = DELAY_FIRST;
	if (stream->hooks.on_link)
		stream->hooks.on_link(stream->hooks.ctx, network ? NULL : "the network server is away");
}

static bool on_event(void *ctx, const char *id, const char *kind, const char *data)
{
	struct cli_frame_stream *stream = ctx;
	(void)id;
	json_t *json = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
	bool goes_on = true;
	if (json && strcmp(kind, "frame") == 0) {
		struct cli_frame frame;
		if (cli_frame_read(&frame, json))
			goes_on = stream->hooks.on_frame(stream->hooks.ctx, &frame);
	} else if (json && strcmp(kind, "lost") == 0) {
		json_int_t count = json_integer_value(json_object_get(json, "count"));
		if (stream->hooks.on_lost && count > 0)
			stream->hooks.on_lost(stream->hooks.ctx, (uint64_t)count);
	} else if (strcmp(kind, "live") == 0) {
		begin(stream, json_is_true(json_object_get(json, "networkServer")));
	}
	json_decref(json);
	stream->ended = stream->ended || !goes_on;
	return goes_on;
}

static void on_data(void *ctx, struct now now, io_http_call_id call, const uint8_t *bytes, size_t length)
{
	struct cli_frame_stream *stream = ctx;
	(void)now, (void)call;
	if (!stream->ended)
		cli_sse_take(&stream->sse, bytes, length);
}

/* A restart of the server is waited for; what it refuses for good ends the stream, and so does nobody at the first call. */
static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct cli_frame_stream *stream = ctx;
	(void)now, (void)call;
	bool refused = answer->status == ST_OK && answer->code >= 400;
	bool for_good = !stream->once || (refused && answer->code < 500);
	stream->call = 0;
	if (stream->ended)
		return;
	if (for_good && (refused || answer->status != ST_OK)) {
		stream->status = answer->status;
		stream->code = answer->code;
		stream->problem = json_loadb(stream->sse.buffer, stream->sse.used, JSON_REJECT_DUPLICATES,
					     NULL);
		stream->ended = true;
		return;
	}
	if (stream->linked && stream->hooks.on_link)
		stream->hooks.on_link(stream->hooks.ctx, "the server closed the stream");
	stream->linked = false;
	io_timer_start(stream->again, stream->delay, 0);
	stream->delay = stream->delay * 2 > DELAY_MAX ? DELAY_MAX : stream->delay * 2;
}

static void connect_now(void *ctx, struct now now)
{
	struct cli_frame_stream *stream = ctx;
	(void)now;
	char url[CLI_TARGET_MAX + 32];
	snprintf(url, sizeof url, "http://lamppost%s", stream->target);
	const struct io_http_call call = {.method = IO_HTTP_GET,
					  .url = url,
					  .unix_path = stream->socket,
					  .timeout = -1,
					  .on_data = on_data,
					  .on_done = on_done,
					  .ctx = stream};
	cli_sse_begin(&stream->sse);
	if (io_http_client_start(stream->http, &call, &stream->call) != ST_OK)
		io_timer_start(stream->again, stream->delay, 0);
}

static bool make_target(char target[CLI_TARGET_MAX], const struct cli_frame_filters *filters)
{
	const struct {
		const char *name, *value;
	} parameters[] = {
		{"gateway", filters->gateway},     {"device", filters->device},
		{"dev_addr", filters->dev_addr},   {"verdict", filters->verdict},
		{"direction", filters->direction},
	};
	snprintf(target, CLI_TARGET_MAX, "/api/v1/frames");
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (parameters[i].value &&
		    !cli_target_append_query(target, parameters[i].name, parameters[i].value))
			return false;
	return !filters->foreign || cli_target_append_query(target, "foreign", "true");
}

struct cli_frame_stream *cli_frame_stream_new(struct io_loop *loop, const struct cli_arguments *arguments,
					      const struct cli_frame_filters *filters,
					      const struct cli_frame_hooks *hooks)
{
	struct cli_frame_stream *stream = calloc(1, sizeof *stream);
	ASSERT(stream != NULL);
	stream->hooks = *hooks;
	stream->delay = DELAY_FIRST;
	stream->http = io_http_client_new(loop, NULL);
	stream->again = io_timer_new(loop, connect_now, stream);
	cli_sse_init(&stream->sse, on_event, stream);
	stream->refused = cli_socket_find(stream->socket, arguments);
	if (stream->refused == CLI_DONE && !make_target(stream->target, filters))
		stream->refused = cli_problem(CLI_USAGE, "frames", NULL, "the filters are too long");
	stream->ended = stream->refused != CLI_DONE;
	if (!stream->ended)
		io_timer_start(stream->again, 0, 0);
	return stream;
}

void cli_frame_stream_free(struct cli_frame_stream *stream)
{
	if (!stream)
		return;
	io_http_client_free(stream->http);
	io_timer_free(stream->again);
	cli_sse_release(&stream->sse);
	json_decref(stream->problem);
	free(stream);
}

bool cli_frame_stream_filter(struct cli_frame_stream *stream, const struct cli_frame_filters *filters)
{
	char target[CLI_TARGET_MAX];
	if (!make_target(target, filters))
		return false;
	snprintf(stream->target, sizeof stream->target, "%s", target);
	io_http_client_cancel(stream->http, stream->call);
	stream->call = 0;
	stream->linked = stream->ended = false;
	json_decref(stream->problem);
	stream->problem = NULL;
	stream->code = 0;
	stream->delay = DELAY_FIRST;
	io_timer_start(stream->again, 0, 0);
	return true;
}

bool cli_frame_stream_ended(const struct cli_frame_stream *stream)
{
	return stream->ended;
}

const char *cli_frame_stream_refusal(const struct cli_frame_stream *stream)
{
	const char *detail = json_string_value(json_object_get(stream->problem, "detail"));
	return stream->code < 400 ? NULL : detail ? detail : "the server refused";
}

int cli_frame_stream_report(const struct cli_frame_stream *stream)
{
	if (stream->refused)
		return stream->refused;
	if (stream->code >= 400)
		return cli_report_answer("frames", stream->code, stream->problem);
	if (stream->status != ST_OK)
		return cli_not_reached("frames", stream->socket);
	return CLI_DONE;
}

/* --- all of it in one call ------------------------------------------------------------------------------------- */

struct following {
	struct cli_frame_stream *stream;
	struct cli_frame_hooks hooks; /* the caller's */
	bool stopped;
};

static void on_stop(void *ctx, struct now now)
{
	(void)now;
	((struct following *)ctx)->stopped = true;
}

static bool is_over(void *ctx)
{
	const struct following *following = ctx;
	return following->stopped || cli_frame_stream_ended(following->stream);
}

static bool pass_frame(void *ctx, const struct cli_frame *frame)
{
	const struct following *following = ctx;
	return following->hooks.on_frame(following->hooks.ctx, frame);
}

static void pass_lost(void *ctx, uint64_t count)
{
	const struct following *following = ctx;
	if (following->hooks.on_lost)
		following->hooks.on_lost(following->hooks.ctx, count);
}

static void pass_link(void *ctx, const char *why)
{
	const struct following *following = ctx;
	if (following->hooks.on_link)
		following->hooks.on_link(following->hooks.ctx, why);
	else if (why)
		fprintf(stderr, "lamppost: frames: %s; waiting\n", why);
}

int cli_frames_follow(const struct cli_arguments *arguments, const struct cli_frame_filters *filters,
		      const struct cli_frame_hooks *hooks)
{
	struct following following = {.hooks = *hooks};
	const struct cli_frame_hooks passing = {pass_frame, pass_lost, pass_link, &following};
	const struct io_turn turn = {.on_stop = on_stop, .ctx = &following};
	struct io_loop *loop = io_loop_new(&turn);
	following.stream = cli_frame_stream_new(loop, arguments, filters, &passing);
	(void)io_loop_run_until(loop, is_over, &following, INT64_MAX / 4);
	int exit_code = following.stopped ? CLI_INTERRUPTED : cli_frame_stream_report(following.stream);
	cli_frame_stream_free(following.stream);
	io_loop_free(loop);
	return exit_code;
}
