#include "application-server/edge_remote.h"

#include "application-server/time_text.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT      (14 * US_PER_S)
#define LOOK_EVERY   (1 * US_PER_S)
#define ANSWER_LIMIT (64u << 10)

/* --- words */

static void problem(struct as_edge_remote *edge, io_http_exchange exchange, int code, const char *detail)
{
	json_t *body = json_pack("{s:s,s:i,s:s}", "title", "Not done", "status", code, "detail", detail);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	enum status sent = io_http_reply(edge->server, exchange, code, "application/problem+json", text,
					 text ? strlen(text) : 0);
	(void)sent; /* the client may have gone */
	free(text);
	json_decref(body);
}

/* Fills why, of what the bridge answered or that it did not. */
static void reason_of(char reason[AS_REMOTE_REASON_MAX], enum status status, int code, const char *body,
		      size_t length)
{
	json_t *json = status == ST_OK ? json_loadb(body, length, 0, NULL) : NULL;
	const char *detail = json_string_value(json_object_get(json, "detail"));
	if (status != ST_OK)
		snprintf(reason, AS_REMOTE_REASON_MAX, "the gateway bridge does not answer");
	else if (detail)
		snprintf(reason, AS_REMOTE_REASON_MAX, "%s", detail);
	else
		snprintf(reason, AS_REMOTE_REASON_MAX, "the gateway bridge answered %d", code);
	json_decref(json);
}

static void write_audit(struct as_edge_remote *edge, struct now now, enum as_audit_what what, const char *who,
			const char *eui, const char *detail)
{
	enum status status = as_audit_write(edge->api->app->store, now.wall, who, what, eui, detail);
	if (status != ST_OK)
		LOG_ERROR("audit_not_written", "gateway=%s status=%s", eui, status_name(status));
}

/* --- commands, input and ends: a question and its answer */

static void on_answered(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct as_remote_call *call = ctx;
	struct as_edge_remote *edge = call->edge;
	char reason[AS_REMOTE_REASON_MAX], detail[AS_REMOTE_REASON_MAX + 16];
	bool done = said->status == ST_OK && said->code < 300;
	(void)id;
	reason_of(reason, said->status, said->code, (const char *)said->body, said->length);
	snprintf(detail, sizeof detail, done ? "sent to the station" : "refused: %s", reason);
	if (call->command)
		write_audit(edge, now, AS_AUDIT_REMOTE_COMMAND, call->who, call->eui, detail);
	if (!call->gone && done) {
		enum status sent = io_http_reply(edge->server, call->exchange, said->code, NULL,
						 (const char *)said->body, said->length);
		(void)sent;
	} else if (!call->gone) {
		problem(edge, call->exchange, said->status == ST_OK ? said->code : 503, reason);
	}
	call->exchange = 0;
}

static void ask(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
		const struct as_answer *answer, enum io_http_method method, const char *path,
		const void *body, size_t length)
{
	const struct as_remote_wish *wish = &answer->remote;
	struct as_remote_call *call = NULL;
	char url[160];
	for (size_t i = 0; i < AS_REMOTE_CALLS_MAX && !call; i++)
		if (edge->calls[i].exchange == 0)
			call = &edge->calls[i];
	snprintf(url, sizeof url, "http://lamppost/gateways/%s%s", wish->eui, path);
	if (call) {
		*call = (struct as_remote_call){
			.edge = edge, .exchange = exchange, .command = wish->kind == AS_REMOTE_RUN};
		snprintf(call->eui, sizeof call->eui, "%s", wish->eui);
		snprintf(call->who, sizeof call->who, "%s", wish->who);
	}
	const struct io_http_call options = {.method = method,
					     .url = url,
					     .unix_path = edge->socket,
					     .body = body,
					     .length = length,
					     .timeout = TIMEOUT,
					     .answer_limit = ANSWER_LIMIT,
					     .on_done = on_answered,
					     .ctx = call};
	if (call && io_http_client_start(edge->client, &options, &call->id) == ST_OK)
		return;
	if (call)
		call->exchange = 0;
	if (wish->kind == AS_REMOTE_RUN)
		write_audit(edge, now, AS_AUDIT_REMOTE_COMMAND, wish->who, wish->eui,
			    "refused: too many such calls are under way");
	problem(edge, exchange, 503, "too many such calls are under way");
}

static void run(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
		const struct as_answer *answer)
{
	char *text = json_dumps(answer->body, JSON_COMPACT);
	ASSERT(text);
	ask(edge, now, exchange, answer, IO_HTTP_POST, "/run", text, strlen(text));
	free(text); /* copied */
}

/* --- shells */

static struct as_shell *shell_of(struct as_edge_remote *edge, const char *eui)
{
	for (size_t i = 0; i < AS_SHELLS_MAX; i++)
		if (edge->shells[i].exchange && strcmp(edge->shells[i].eui, eui) == 0)
			return &edge->shells[i];
	return NULL;
}

/* The row of its end; its place is free. */
static void note_end(struct now now, struct as_shell *shell, const char *why)
{
	char detail[AS_REMOTE_REASON_MAX];
	int64_t seconds = mono_since(now.mono, shell->since.mono) / US_PER_S;
	snprintf(detail, sizeof detail, "closed after %" PRId64 " s: %s", seconds, why);
	if (shell->open)
		write_audit(shell->edge, now, AS_AUDIT_REMOTE_SHELL, shell->who, shell->eui, detail);
	shell->exchange = 0;
}

/* Ends a shell with a word to its reader. */
static void end_shell(struct now now, struct as_shell *shell, const char *why)
{
	struct as_edge_remote *edge = shell->edge;
	char text[AS_REMOTE_REASON_MAX];
	io_http_exchange exchange = shell->exchange;
	int length = snprintf(text, sizeof text, "\r\nlamppost: the shell was closed: %s\r\n", why);
	io_http_client_cancel(edge->client, shell->id);
	bool open = shell->open;
	note_end(now, shell, why);
	if (!open) {
		problem(edge, exchange, 409, why);
		return;
	}
	if (io_http_stream_send(edge->server, exchange, text, (size_t)length) == ST_OK)
		io_http_stream_end(edge->server, exchange);
}

static void on_begin(void *ctx, struct now now, io_http_call_id id, int code)
{
	struct as_shell *shell = ctx;
	(void)id;
	shell->code = code;
	if (code != 200)
		return;
	shell->open = true;
	shell->since = now;
	shell->spoken = now.mono;
	write_audit(shell->edge, now, AS_AUDIT_REMOTE_SHELL, shell->who, shell->eui, "opened");
	enum status begun = io_http_stream_begin(shell->edge->server, shell->exchange,
						 "application/octet-stream");
	(void)begun; /* whoever asked may have gone: as_edge_remote_forget() is on the way */
}

static void on_data(void *ctx, struct now now, io_http_call_id id, const uint8_t *bytes, size_t length)
{
	struct as_shell *shell = ctx;
	if (!shell->open) {
		size_t room = sizeof shell->said - shell->said_length;
		size_t more = length < room ? length : room;
		memcpy(shell->said + shell->said_length, bytes, more);
		shell->said_length += more;
		return;
	}
	shell->spoken = now.mono;
	shell->received += length;
	if (io_http_stream_send(shell->edge->server, shell->exchange, bytes, length) == ST_OK)
		return;
	io_http_client_cancel(shell->edge->client, id);
	note_end(now, shell, "its reader did not keep up");
}

static void on_over(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_shell *shell = ctx;
	struct as_edge_remote *edge = shell->edge;
	char reason[AS_REMOTE_REASON_MAX], detail[AS_REMOTE_REASON_MAX + 16];
	io_http_exchange exchange = shell->exchange;
	(void)id;
	if (shell->open) {
		note_end(now, shell,
			 answer->status == ST_OK ? "the station ended it, or left"
						 : "the gateway bridge went away");
		io_http_stream_end(edge->server, exchange);
		return;
	}
	reason_of(reason, answer->status, shell->code, shell->said, shell->said_length);
	snprintf(detail, sizeof detail, "refused: %s", reason);
	write_audit(edge, now, AS_AUDIT_REMOTE_SHELL, shell->who, shell->eui, detail);
	shell->exchange = 0;
	problem(edge, exchange, answer->status == ST_OK ? shell->code : 503, reason);
}

static enum status start_shell(struct as_shell *shell, const char *term)
{
	char url[240], user[2 * AS_AUDIT_WHO_MAX];
	size_t used = 0;
	/* A name for the station's log: what is no letter or digit becomes '-'. */
	for (const char *at = shell->who; *at && used < 31; at++) {
		bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
			     (*at >= 'A' && *at <= 'Z');
		user[used++] = plain ? *at : '-';
	}
	user[used] = 0;
	snprintf(url, sizeof url, "http://lamppost/gateways/%s/shell?user=%s&term=%s", shell->eui, user,
		 term);
	const struct io_http_call options = {.method = IO_HTTP_POST,
					     .url = url,
					     .unix_path = shell->edge->socket,
					     .timeout = -1,
					     .on_begin = on_begin,
					     .on_data = on_data,
					     .on_done = on_over,
					     .ctx = shell};
	return io_http_client_start(shell->edge->client, &options, &shell->id);
}

static void open_shell(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
		       const struct as_remote_wish *wish)
{
	char reason[AS_REMOTE_REASON_MAX] = "", detail[AS_REMOTE_REASON_MAX + 16];
	struct as_shell *shell = NULL, *other = shell_of(edge, wish->eui);
	int code = 409;
	for (size_t i = 0; i < AS_SHELLS_MAX && !shell; i++)
		if (edge->shells[i].exchange == 0)
			shell = &edge->shells[i];
	if (other) {
		snprintf(reason, sizeof reason, "%s has a shell there", other->who);
	} else if (!shell) {
		code = 503;
		snprintf(reason, sizeof reason, "%d shells are open already", AS_SHELLS_MAX);
	} else {
		*shell = (struct as_shell){
			.edge = edge, .exchange = exchange, .since = now, .spoken = now.mono};
		snprintf(shell->eui, sizeof shell->eui, "%s", wish->eui);
		snprintf(shell->who, sizeof shell->who, "%s", wish->who);
		if (start_shell(shell, wish->term) == ST_OK)
			return;
		shell->exchange = 0;
		code = 503;
		snprintf(reason, sizeof reason, "too many such calls are under way");
	}
	snprintf(detail, sizeof detail, "refused: %s", reason);
	write_audit(edge, now, AS_AUDIT_REMOTE_SHELL, wish->who, wish->eui, detail);
	problem(edge, exchange, code, reason);
}

static void type(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
		 const struct as_answer *answer)
{
	struct as_shell *shell = shell_of(edge, answer->remote.eui);
	if (!shell || !shell->open) {
		problem(edge, exchange, 409, "nobody has a shell there");
	} else if (strcmp(shell->who, answer->remote.who) != 0) {
		problem(edge, exchange, 403, "that shell is somebody else's");
	} else {
		shell->spoken = now.mono;
		shell->sent += answer->octet_count;
		ask(edge, now, exchange, answer, IO_HTTP_POST, "/shell/input", answer->octets,
		    answer->octet_count);
	}
}

static void close_shell(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
			const struct as_answer *answer)
{
	struct as_shell *shell = shell_of(edge, answer->remote.eui);
	char why[AS_REMOTE_REASON_MAX];
	snprintf(why, sizeof why, "%s closed it", answer->remote.who);
	if (shell)
		end_shell(now, shell, why);
	/* One at the bridge that is not ours is ended as well. */
	ask(edge, now, exchange, answer, IO_HTTP_DELETE, "/shell", NULL, 0);
}

static void list(struct as_edge_remote *edge, struct now now, io_http_exchange exchange)
{
	json_t *items = json_array(), *body = json_pack("{s:o}", "items", items);
	for (size_t i = 0; i < AS_SHELLS_MAX; i++) {
		const struct as_shell *shell = &edge->shells[i];
		char since[AS_TIME_TEXT];
		if (shell->exchange == 0)
			continue;
		as_time_format(since, shell->since.wall);
		json_array_append_new(
			items, json_pack("{s:s,s:s,s:b,s:s,s:I,s:I,s:I}", "eui", shell->eui, "who",
					 shell->who, "open", shell->open, "since", since, "idle_s",
					 (json_int_t)(mono_since(now.mono, shell->spoken) / US_PER_S), "sent",
					 (json_int_t)shell->sent, "received", (json_int_t)shell->received));
	}
	char *text = json_dumps(body, JSON_COMPACT);
	enum status sent = io_http_reply(edge->server, exchange, 200, NULL, text, text ? strlen(text) : 0);
	(void)sent;
	free(text);
	json_decref(body);
}

void as_edge_remote_ask(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
			const struct as_answer *answer)
{
	switch (answer->remote.kind) {
	case AS_REMOTE_NONE: break;
	case AS_REMOTE_RUN: run(edge, now, exchange, answer); break;
	case AS_REMOTE_SHELL: open_shell(edge, now, exchange, &answer->remote); break;
	case AS_REMOTE_INPUT: type(edge, now, exchange, answer); break;
	case AS_REMOTE_CLOSE: close_shell(edge, now, exchange, answer); break;
	case AS_REMOTE_LIST: list(edge, now, exchange); break;
	}
}

void as_edge_remote_forget(struct as_edge_remote *edge, struct now now, io_http_exchange exchange)
{
	for (size_t i = 0; i < AS_SHELLS_MAX; i++)
		if (edge->shells[i].exchange == exchange) {
			io_http_client_cancel(edge->client, edge->shells[i].id);
			note_end(now, &edge->shells[i], "whoever opened it left");
		}
	for (size_t i = 0; i < AS_REMOTE_CALLS_MAX; i++)
		edge->calls[i].gone = edge->calls[i].gone || edge->calls[i].exchange == exchange;
}

void as_edge_remote_end_all(struct as_edge_remote *edge)
{
	for (size_t i = 0; i < AS_SHELLS_MAX; i++)
		if (edge->shells[i].exchange)
			end_shell(clock_now(), &edge->shells[i], "who may call has changed");
}

/* --- life */

static void on_look(void *ctx, struct now now)
{
	struct as_edge_remote *edge = ctx;
	const span_us limit = edge->config->gateway_shell_idle_us;
	char why[AS_REMOTE_REASON_MAX];
	snprintf(why, sizeof why, "nothing was said for %" PRId64 " s", limit / US_PER_S);
	for (size_t i = 0; i < AS_SHELLS_MAX; i++)
		if (edge->shells[i].exchange && mono_since(now.mono, edge->shells[i].spoken) >= limit)
			end_shell(now, &edge->shells[i], why);
}

void as_edge_remote_open(struct as_edge_remote *edge, struct io_loop *loop, struct io_http_server *server,
			 struct as_api *api, const struct as_config *config, const char *run_dir)
{
	*edge = (struct as_edge_remote){.api = api, .server = server, .config = config};
	snprintf(edge->socket, sizeof edge->socket, "%s/gateway-bridge.admin.sock", run_dir);
	edge->client = io_http_client_new(
		loop,
		&(struct io_http_client_options){.max_calls = AS_SHELLS_MAX + AS_REMOTE_CALLS_MAX,
						 .max_connections = AS_SHELLS_MAX + AS_REMOTE_CALLS_MAX});
	edge->look = io_timer_new(loop, on_look, edge);
	ASSERT(edge->client && edge->look);
	io_timer_start(edge->look, LOOK_EVERY, LOOK_EVERY);
}

void as_edge_remote_close(struct as_edge_remote *edge)
{
	io_timer_free(edge->look);
	io_http_client_free(edge->client);
	*edge = (struct as_edge_remote){.server = NULL};
}
