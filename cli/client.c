/* One loop, one call at a time: the command line is a person's tool, so simple beats parallel. */
#include "cli/client.h"

#include "cli/command.h"
#include "cli/key_rules.h"
#include "cli/place.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/sse.h"
#include "common/base/check.h"
#include "common/base/printable.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_TIMEOUT (120 * US_PER_S)
#define GET_TIMEOUT  (30 * US_PER_S) /* changes nothing, and may be asked again */
#define BYTES_A_SECOND \
	(128u << 10) /* an import is one call: that much of it is registered in a second, at the least */
#define TRY_TIMEOUT  (5 * US_PER_S)
#define ANSWER_LIMIT (64u << 20)
#define WHEEL_US     (100 * US_PER_MS)

struct cli_client {
	struct io_loop *loop;
	struct io_http_client *http;
	char socket[CLI_SOCKET_MAX];
	bool allows_known_keys;
	int refused; /* why no call can be made, reported; CLI_DONE: calls can */
	bool interrupted;
	struct io_timer *wheel; /* turns while a person waits */
	struct progress progress;
	/* The call in flight. */
	bool done;
	enum status status;
	bool reads, sent; /* nothing is changed by it; it left, whatever came back */
	int code;
	json_t *body;
	/* The stream that is followed. */
	struct cli_sse sse;
};

static void on_stop(void *ctx, struct now now)
{
	struct cli_client *client = ctx;
	(void)now;
	client->interrupted = true;
}

static void on_wheel(void *ctx, struct now now)
{
	struct cli_client *client = ctx;
	(void)now;
	progress_spin(&client->progress);
}

int cli_socket_find(char socket[CLI_SOCKET_MAX], const struct cli_arguments *arguments)
{
	const char *path = arguments->socket ? arguments->socket : getenv("LAMPPOST_SOCKET");
	int length;
	if (path && *path) {
		length = snprintf(socket, CLI_SOCKET_MAX, "%s", path);
	} else {
		struct cli_place place;
		int refused = cli_place_find(&place, "configuration", NULL, NULL);
		if (refused)
			return refused;
		length = snprintf(socket, CLI_SOCKET_MAX, "%s/city.sock", place.run);
	}
	return length < CLI_SOCKET_MAX
		       ? CLI_DONE
		       : cli_problem(CLI_USAGE, "--socket", NULL, "longer than %d bytes", CLI_SOCKET_MAX - 1);
}

struct cli_client *cli_client_new(const struct cli_arguments *arguments)
{
	struct cli_client *client = calloc(1, sizeof *client);
	ASSERT(client != NULL);
	const struct io_turn turn = {.on_stop = on_stop, .ctx = client};
	client->loop = io_loop_new(&turn);
	client->http = io_http_client_new(client->loop, NULL);
	client->wheel = io_timer_new(client->loop, on_wheel, client);
	client->refused = cli_socket_find(client->socket, arguments);
	client->allows_known_keys = cli_argument_if_any(arguments, KEY_ALLOW_OPTION) != NULL;
	return client;
}

void cli_client_free(struct cli_client *client)
{
	if (!client)
		return;
	io_timer_free(client->wheel);
	io_http_client_free(client->http);
	io_loop_free(client->loop);
	cli_sse_release(&client->sse);
	free(client);
}

const char *cli_client_socket(const struct cli_client *client)
{
	return client->socket;
}

bool cli_client_allows_known_keys(const struct cli_client *client)
{
	return client->allows_known_keys;
}

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct cli_client *client = ctx;
	(void)now;
	(void)call;
	client->done = true;
	client->status = answer->status;
	client->sent = answer->sent;
	client->code = answer->code;
	if (answer->length > 0)
		client->body = json_loadb((const char *)answer->body, answer->length, JSON_REJECT_DUPLICATES,
					  NULL);
}

static bool is_done(void *ctx)
{
	const struct cli_client *client = ctx;
	return client->done || client->interrupted || client->sse.ended;
}

/* Waits for the call in flight; the wheel turns once that lasts. */
static void wait_for_answer(struct cli_client *client, const char *what, span_us limit)
{
	char shown[41], text[80];
	printable_copy(shown, sizeof shown, what);
	snprintf(text, sizeof text, "%s: waiting for the server", shown);
	progress_start(&client->progress, text);
	if (client->progress.terminal)
		io_timer_start(client->wheel, WHEEL_US, WHEEL_US);
	client->status = ST_TIMEOUT;
	(void)io_loop_run_until(client->loop, is_done, client, limit);
	io_timer_stop(client->wheel);
	progress_end(&client->progress);
}

int cli_not_reached(const char *what, const char *socket)
{
	if (access(socket, W_OK) != 0 && errno == EACCES)
		return cli_problem(
			CLI_REFUSED, what,
			"the city's engineers, who give a user or group its rights (docs/operators.md), "
			"or sudo",
			"this user may not use %s", socket);
	return cli_problem(CLI_NOT_REACHED, what,
			   "start it with `lamppost up`, or name its socket with --socket or LAMPPOST_SOCKET",
			   "no server answers on %s", socket);
}

static int report_transport(const struct cli_client *client, const char *what)
{
	if (client->interrupted)
		return cli_problem(CLI_INTERRUPTED, what, NULL,
				   "interrupted; what was sent may still take effect");
	switch (client->status) {
	case ST_TIMEOUT:
		return cli_problem(CLI_TIMED_OUT, what, "lamppost status",
				   "the server did not answer in time");
	case ST_UNAVAILABLE:
		return client->reads || !client->sent
			       ? cli_not_reached(what, client->socket)
			       : cli_problem(CLI_FAILED, what, "lamppost status",
					     "the server ended without an answer; it may have taken effect");
	default:
		return cli_problem(CLI_FAILED, what, "lamppost status", "the call failed: %s",
				   status_name(client->status));
	}
}

static enum status start(struct cli_client *client, enum io_http_method method, const char *target,
			 const char *text, struct io_http_call *call)
{
	char url[CLI_TARGET_MAX + 32];
	snprintf(url, sizeof url, "http://lamppost%s", target);
	call->method = method;
	call->url = url;
	call->unix_path = client->socket;
	call->body = text;
	call->length = text ? strlen(text) : 0;
	call->on_done = on_done;
	call->ctx = client;
	client->done = client->sent = false;
	client->reads = method == IO_HTTP_GET;
	client->code = 0;
	client->body = NULL;
	io_http_call_id id;
	return io_http_client_start(client->http, call, &id);
}

int cli_call_raw(struct cli_client *client, const char *what, enum io_http_method method, const char *target,
		 json_t *body, json_t **answer, int *code)
{
	if (client->refused)
		return client->refused;
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	span_us timeout = method == IO_HTTP_GET ? GET_TIMEOUT : CALL_TIMEOUT;
	timeout += (span_us)(text ? strlen(text) / BYTES_A_SECOND : 0) * US_PER_S;
	struct io_http_call call = {.timeout = timeout, .answer_limit = ANSWER_LIMIT};
	client->status = start(client, method, target, text, &call);
	client->reads |= json_is_true(json_object_get(body, "dry_run"));
	if (client->status == ST_OK)
		wait_for_answer(client, what, timeout + US_PER_S);
	if (text) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
	if (client->status != ST_OK || client->interrupted)
		return report_transport(client, what);
	*answer = client->body;
	*code = client->code;
	return CLI_DONE;
}

static int exit_of(int code)
{
	if (code == 404)
		return CLI_NOT_FOUND;
	if (code == 504 || code == 408)
		return CLI_TIMED_OUT;
	if (code >= 400 && code < 500)
		return CLI_REFUSED;
	return CLI_FAILED;
}

/* Fills what to try where something is not there: "no such device" has a `lamppost device list`. */
static const char *next_for_missing(const char *detail, char text[80])
{
	static const char begin[] = "no such ";
	char kind[32];
	if (strncmp(detail, begin, sizeof begin - 1) != 0)
		return NULL;
	snprintf(kind, sizeof kind, "%.*s", (int)strcspn(detail + sizeof begin - 1, " :"),
		 detail + sizeof begin - 1);
	snprintf(text, 80, "lamppost %s list", kind);
	return cli_command_named(kind, "list") ? text : NULL;
}

int cli_report_answer(const char *what, int code, const json_t *problem)
{
	const char *title = json_string_value(json_object_get(problem, "title"));
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const json_t *errors = json_object_get(problem, "errors");
	if (!detail)
		detail = title ? title : "the server gave no reason";
	char next[80];
	(void)cli_problem(CLI_FAILED, what,
			  code == 404   ? next_for_missing(detail, next)
			  : code == 429 ? "lamppost airtime"
					: NULL,
			  "%s", detail);
	size_t i;
	const json_t *error;
	json_array_foreach(errors, i, error)
	{
		const char *field = json_string_value(json_object_get(error, "field"));
		const char *reason = json_string_value(json_object_get(error, "reason"));
		if (reason && strstr(detail, reason))
			continue; /* the detail has told it */
		(void)cli_problem(CLI_FAILED, field && *field ? field : what, NULL, "%s",
				  reason ? reason : "refused");
	}
	return exit_of(code);
}

int cli_call(struct cli_client *client, const char *what, enum io_http_method method, const char *target,
	     json_t *body, json_t **answer)
{
	json_t *got = NULL;
	int code = 0;
	int exit_code = cli_call_raw(client, what, method, target, body, &got, &code);
	if (exit_code != CLI_DONE)
		return exit_code;
	if (code < 200 || code > 299) {
		exit_code = cli_report_answer(what, code, got);
		json_decref(got);
		return exit_code;
	}
	if (answer)
		*answer = got;
	else
		json_decref(got);
	return CLI_DONE;
}

json_t *cli_try(struct cli_client *client, const char *target)
{
	return cli_try_within(client, target, TRY_TIMEOUT);
}

json_t *cli_try_within(struct cli_client *client, const char *target, span_us patience)
{
	if (client->refused || client->interrupted)
		return NULL;
	struct io_http_call call = {.timeout = patience, .answer_limit = ANSWER_LIMIT};
	client->status = start(client, IO_HTTP_GET, target, NULL, &call);
	if (client->status == ST_OK)
		wait_for_answer(client, "looking", patience + US_PER_S / 5);
	json_t *body = client->body;
	client->body = NULL;
	if (client->status == ST_OK && client->code == 200)
		return body;
	json_decref(body);
	return NULL;
}

static void on_data(void *ctx, struct now now, io_http_call_id call, const uint8_t *bytes, size_t length)
{
	struct cli_client *client = ctx;
	(void)now;
	(void)call;
	cli_sse_take(&client->sse, bytes, length);
}

int cli_follow(struct cli_client *client, const char *what, const char *target,
	       bool (*on_event)(void *ctx, const char *id, const char *kind, const char *data), void *ctx)
{
	if (client->refused)
		return client->refused;
	cli_sse_release(&client->sse);
	cli_sse_init(&client->sse, on_event, ctx);
	struct io_http_call call = {.timeout = -1, .on_data = on_data};
	client->status = start(client, IO_HTTP_GET, target, NULL, &call);
	if (client->status == ST_OK)
		(void)io_loop_run_until(client->loop, is_done, client, INT64_MAX / 4);
	if (client->sse.ended)
		return CLI_DONE;
	if (client->interrupted)
		return CLI_INTERRUPTED;
	if (client->status != ST_OK)
		return report_transport(client, what);
	if (client->code < 200 || client->code > 299) {
		/* What came was no stream but the problem itself. */
		json_t *problem = json_loadb(client->sse.buffer, client->sse.used, JSON_REJECT_DUPLICATES,
					     NULL);
		int exit_code = cli_report_answer(what, client->code, problem);
		json_decref(problem);
		return exit_code;
	}
	return cli_problem(CLI_NOT_REACHED, what, "lamppost status", "the server closed the stream");
}

bool cli_target_append(char target[CLI_TARGET_MAX], const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = strlen(target);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     c == '-' || c == '_' || c == '.' || c == '~';
		if (used + 4 > CLI_TARGET_MAX)
			return false;
		if (plain) {
			target[used++] = (char)c;
		} else {
			target[used++] = '%';
			target[used++] = digits[c >> 4];
			target[used++] = digits[c & 15];
		}
		target[used] = '\0';
	}
	return true;
}

bool cli_target_append_query(char target[CLI_TARGET_MAX], const char *name, const char *value)
{
	size_t used = strlen(target);
	int more = snprintf(target + used, CLI_TARGET_MAX - used, "%c%s=", strchr(target, '?') ? '&' : '?',
			    name);
	return more > 0 && used + (size_t)more < CLI_TARGET_MAX && cli_target_append(target, value);
}
