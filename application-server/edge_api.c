#include "application-server/edge_api.h"

#include "application-server/api/answer.h"
#include "application-server/api/import.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LIMIT    (64u << 20)      /* an import of 200,000 devices */
#define REPLY_TIMEOUT (600 * US_PER_S) /* of a large import */
#define STREAM_QUEUE  (256u << 10)     /* bytes that wait for a slow reader before its stream pauses */
#define EVENTS_TURN   256              /* of one stream */
#define BEAT          (15 * US_PER_S)

/* --- who calls ---------------------------------------------------------------------------------------------- */

/* The configuration's agency, as it is now; nobody when there is none of that name. */
static struct as_scope scope_of(struct as_edge_api *edge, const struct io_http_request *request)
{
	const struct io_peer *peer = io_http_request_peer(request);
	const struct as_caller *caller = peer ? as_callers_find(&edge->callers, peer->uid, peer->gid) : NULL;
	struct as_scope scope = {.role = AS_NOBODY};
	json_t *agency = NULL;
	if (!caller)
		return scope;
	scope.bridge = caller->role == AS_BRIDGE || peer->uid == 0 || peer->uid == edge->callers.own_uid;
	if (caller->role == AS_CITY || caller->role == AS_BRIDGE) {
		scope.role = caller->role;
		return scope;
	}
	if (as_store_record_get(edge->api->app->store, &(struct as_scope){.role = AS_CITY}, RECORD_AGENCY,
				caller->agency, &agency) == ST_OK &&
	    as_uuid_parse(json_string_value(json_object_get(agency, "id")), &scope.agency))
		scope.role = caller->role;
	json_decref(agency);
	return scope;
}

/* --- calls -------------------------------------------------------------------------------------------------- */

static void reply(struct as_edge_api *edge, io_http_exchange exchange, struct as_answer *answer)
{
	char *text = answer->body ? json_dumps(answer->body, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
	const char *type = answer->status >= 400 ? "application/problem+json"
			   : answer->octets      ? "application/octet-stream"
						 : NULL;
	enum status status = io_http_reply(edge->server, exchange, answer->status, type,
					   answer->octets ? (const void *)answer->octets : text,
					   answer->octets ? answer->octet_count
					   : text         ? strlen(text)
							  : 0);
	(void)status; /* the client may have gone */
	free(text);
	as_answer_release(answer);
}

static const char *query_value(void *ctx, const char *name)
{
	return io_http_request_query(ctx, name);
}

static const struct as_route *route_of(const struct io_http_request *request)
{
	const char *method = io_http_method_name(io_http_request_method(request));
	for (size_t i = 0; i < as_route_count; i++)
		if (strcmp(as_routes[i].pattern, io_http_request_pattern(request)) == 0 &&
		    strcmp(as_routes[i].method, method) == 0)
			return &as_routes[i];
	return NULL;
}

/* A free place for another stream of that caller's; NULL with an answer. */
static struct as_stream *free_stream(struct as_edge_api *edge, const struct as_scope *scope,
				     struct as_answer *answer)
{
	struct as_stream *found = NULL;
	unsigned own = 0, share = as_stream_share(scope);
	for (size_t i = 0; i < AS_STREAMS_MAX; i++) {
		struct as_stream *stream = &edge->streams[i];
		if (stream->exchange == 0)
			found = found ? found : stream;
		else
			own += as_scope_same_owner(&stream->view.scope, scope);
	}
	if (own >= share) {
		as_answer_problem(answer, 503, NULL, "%u streams of yours are open already", own);
		return NULL;
	}
	if (!found)
		as_answer_problem(answer, 503, NULL, "%d streams are open already", AS_STREAMS_MAX);
	return found;
}

static void begin_stream(struct as_edge_api *edge, struct now now, io_http_exchange exchange,
			 struct as_answer *answer)
{
	const struct as_view view = answer->view;
	struct as_stream *stream = free_stream(edge, &view.scope, answer);
	if (!stream) {
		edge->streams_refused++;
		reply(edge, exchange, answer);
		return;
	}
	if (io_http_stream_begin(edge->server, exchange, "text/event-stream") != ST_OK)
		return; /* the client has gone */
	*stream = (struct as_stream){.exchange = exchange, .view = view, .beat = now.mono};
	/* A first byte, so that the client knows that it listens. */
	if (io_http_stream_send(edge->server, exchange, ": open\n\n", 8) != ST_OK)
		stream->exchange = 0;
}

/* The question goes to the other processes; whoever asks when too many are under way is told so. */
static void ask_why(struct as_edge_api *edge, struct now now, io_http_exchange exchange,
		    struct as_answer *answer)
{
	if (as_edge_why_ask(&edge->why, now, exchange, answer->why)) {
		answer->why = NULL;
		return;
	}
	as_answer_release(answer);
	as_answer_problem(answer, 503, NULL, "%d questions of this kind are under way", AS_WHYS_MAX);
	reply(edge, exchange, answer);
}

static void answer_call(struct as_edge_api *edge, struct now now, io_http_exchange exchange,
			struct as_answer *answer)
{
	if (answer->later)
		edge->importer = exchange;
	else if (answer->why)
		ask_why(edge, now, exchange, answer);
	else if (answer->asks_network[0])
		as_edge_mac_ask(&edge->mac, exchange, answer->asks_network);
	else if (answer->remote.kind != AS_REMOTE_NONE) {
		as_edge_remote_ask(&edge->remote, now, exchange, answer);
		as_answer_release(answer); /* it was copied */
	} else if (answer->asks_bridge[0] || answer->asks_join) {
		as_edge_ping_ask(answer->asks_join ? &edge->join : &edge->ping, exchange,
				 answer->asks_join ? "/provisioning/v1/allow-once" : answer->asks_bridge,
				 answer->body);
		as_answer_release(answer); /* it was copied */
	} else if (answer->streams)
		begin_stream(edge, now, exchange, answer);
	else
		reply(edge, exchange, answer);
}

/* `call` is whole but for the body as JSON. */
static void serve(struct as_edge_api *edge, io_http_exchange exchange, const struct as_route *route,
		  struct as_call *call)
{
	struct as_answer answer = {0};
	/* Nobody's body is not worth a look. */
	bool reads = call->text && call->scope->role != AS_NOBODY && !as_route_takes_text(route);
	json_t *json = reads ? as_body_parse((const uint8_t *)call->text, call->text_length, &answer) : NULL;
	call->body = json;
	if (reads && !json) {
		edge->api->calls++;
		edge->api->refused++;
	} else
		as_api_call(edge->api, route, call, &answer);
	json_decref(json);
	answer_call(edge, call->now, exchange, &answer);
}

static void on_call(void *ctx, struct now now, const struct io_http_request *request)
{
	struct as_edge_api *edge = ctx;
	const struct as_route *route = route_of(request);
	io_http_exchange exchange = io_http_request_exchange(request);
	struct as_scope scope = scope_of(edge, request);
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	const struct io_peer *peer = io_http_request_peer(request);
	char who[24] = "nobody";
	if (peer)
		snprintf(who, sizeof who, "uid %u", (unsigned)peer->uid);
	struct as_call call = {.scope = &scope,
			       .now = now,
			       .who = who,
			       .collection = io_http_request_param(request, "collection"),
			       .id = io_http_request_param(request, "id"),
			       .item = io_http_request_param(request, "item"),
			       .text = length ? (const char *)body : NULL,
			       .text_length = length,
			       .last_event_id = io_http_request_header(request, "Last-Event-ID"),
			       .query = query_value,
			       .query_ctx = (void *)request};
	ASSERT(route);
	bool waits = scope.role != AS_NOBODY && as_route_changes_records(route) &&
		     (as_import_goes_on(edge->api) || edge->waiting.count > 0);
	if (!waits || !as_waiting_add(&edge->waiting, exchange, route, &call))
		serve(edge, exchange, route, &call);
}

/* --- an import goes on, and who waits for its end -------------------------------------------------------------- */

static void serve_waiting(struct as_edge_api *edge, struct now now, struct as_waiting_call *waiting)
{
	struct as_call call = {.scope = &waiting->scope,
			       .now = now,
			       .who = waiting->who,
			       .collection = waiting->collection,
			       .id = waiting->id,
			       .text = waiting->text,
			       .text_length = waiting->text_length};
	serve(edge, waiting->ticket, waiting->route, &call);
	as_waiting_call_free(waiting);
}

void as_edge_api_step(struct as_edge_api *edge, struct now now)
{
	struct as_answer answer = {0};
	struct as_waiting_call *waiting;
	if (!as_import_goes_on(edge->api)) {
		while (!as_import_goes_on(edge->api) && (waiting = as_waiting_take(&edge->waiting)))
			serve_waiting(edge, now, waiting);
	} else if (as_import_step(edge->api, now, &answer)) {
		reply(edge, edge->importer, &answer);
		edge->importer = 0;
	}
}

/* --- streams ------------------------------------------------------------------------------------------------ */

static void on_gone(void *ctx, struct now now, io_http_exchange exchange)
{
	struct as_edge_api *edge = ctx;
	as_waiting_forget(&edge->waiting, exchange);
	as_edge_why_forget(&edge->why, exchange);
	as_edge_mac_forget(&edge->mac, exchange);
	as_edge_ping_forget(&edge->ping, exchange);
	as_edge_ping_forget(&edge->join, exchange);
	as_edge_remote_forget(&edge->remote, now, exchange);
	if (edge->importer == exchange) {
		edge->importer = 0;
		as_import_forsake(edge->api);
	}
	for (size_t i = 0; i < AS_STREAMS_MAX; i++)
		if (edge->streams[i].exchange == exchange)
			edge->streams[i].exchange = 0;
}

/* Sends one event; false when the reader has gone or does not keep up. */
static bool send_event(struct as_edge_api *edge, struct as_stream *stream, uint64_t seq, const char *kind,
		       const char *body, struct now now)
{
	char head[80];
	int length = snprintf(head, sizeof head, "id: %" PRIu64 "\nevent: %s\ndata: ", seq, kind);
	stream->beat = now.mono;
	if (io_http_stream_send(edge->server, stream->exchange, head, (size_t)length) == ST_OK &&
	    io_http_stream_send(edge->server, stream->exchange, body, strlen(body)) == ST_OK &&
	    io_http_stream_send(edge->server, stream->exchange, "\n\n", 2) == ST_OK)
		return true;
	stream->exchange = 0;
	return false;
}

/* Joins have no place in the events table: the stream's id stays where it is. */
static void feed_joins(struct as_edge_api *edge, struct as_stream *stream, struct now now)
{
	const struct as_live_join *join;
	while (stream->exchange && io_http_stream_queued(edge->server, stream->exchange) <= STREAM_QUEUE &&
	       (join = as_joins_next(edge->api->joins, stream->view.joins_at))) {
		stream->view.joins_at = join->seq;
		if (!as_view_shows_join(&stream->view, &join->attempt))
			continue;
		json_t *body = as_attempt_json(edge->api->joins, now, &join->attempt, 0);
		char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
		json_decref(body);
		if (text && !send_event(edge, stream, stream->view.at, "join_attempt", text, now))
			stream->exchange = 0;
		free(text);
	}
}

static bool send_gap(struct as_edge_api *edge, struct as_stream *stream, uint64_t to, struct now now)
{
	char body[128];
	snprintf(body, sizeof body, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"count\":%" PRIu64 "}",
		 stream->view.at + 1, to, to - stream->view.at);
	edge->gaps++;
	stream->view.at = to;
	return send_event(edge, stream, to, "gap", body, now);
}

/* Returns whether more waits. A reader that does not keep up does not count: its socket wakes the loop. */
static bool feed(struct as_edge_api *edge, struct as_stream *stream, struct now now)
{
	struct as_event event;
	for (int i = 0; i < EVENTS_TURN; i++) {
		if (io_http_stream_queued(edge->server, stream->exchange) > STREAM_QUEUE)
			return false;
		if (as_store_event_next(edge->api->app->store, stream->view.at, &event) != ST_OK)
			return false;
		if (event.seq > stream->view.at + 1 && !send_gap(edge, stream, event.seq - 1, now))
			return false;
		stream->view.at = event.seq;
		if (as_view_shows(&stream->view, &event) &&
		    !send_event(edge, stream, event.seq, as_event_kind_name(event.kind), event.body, now))
			return false;
	}
	return true;
}

bool as_edge_api_drain(struct as_edge_api *edge, struct now now)
{
	bool more = as_import_goes_on(edge->api) || edge->waiting.count > 0;
	for (size_t i = 0; i < AS_STREAMS_MAX; i++) {
		struct as_stream *stream = &edge->streams[i];
		if (stream->exchange == 0)
			continue;
		if (!stream->view.frames)
			more = feed(edge, stream, now) || more;
		if (stream->exchange && stream->view.joins)
			feed_joins(edge, stream, now);
		if (stream->exchange && mono_since(now.mono, stream->beat) > BEAT) {
			stream->beat = now.mono;
			if (io_http_stream_send(edge->server, stream->exchange, ":\n\n", 3) != ST_OK)
				stream->exchange = 0;
		}
	}
	return more;
}

size_t as_edge_api_streams(const struct as_edge_api *edge)
{
	size_t count = 0;
	for (size_t i = 0; i < AS_STREAMS_MAX; i++)
		count += edge->streams[i].exchange != 0;
	return count;
}

/* --- life --------------------------------------------------------------------------------------------------- */

enum status as_edge_api_open(struct as_edge_api *edge, struct io_loop *loop, struct as_api *api,
			     const struct as_callers *callers, const struct as_config *config,
			     const char *run_dir)
{
	char path[300];
	*edge = (struct as_edge_api){.api = api, .callers = *callers};
	snprintf(path, sizeof path, "%s/city.sock", run_dir);
	const struct io_http_server_options options = {.unix_path = path,
						       .body_limit = BODY_LIMIT,
						       .reply_timeout = REPLY_TIMEOUT,
						       .on_gone = on_gone,
						       .ctx = edge};
	enum status status = io_http_server_open(loop, &options, &edge->server);
	if (status != ST_OK)
		return status;
	edge->routes = calloc(as_route_count, sizeof *edge->routes);
	ASSERT(edge->routes);
	for (size_t i = 0; i < as_route_count; i++)
		edge->routes[i] = (struct io_http_route){io_http_method_named(as_routes[i].method),
							 as_routes[i].pattern, on_call};
	io_http_server_add(edge->server, edge->routes, as_route_count, edge);
	as_edge_why_open(&edge->why, loop, api, edge->server, run_dir);
	as_edge_mac_open(&edge->mac, loop, edge->server, run_dir);
	as_edge_ping_open(&edge->ping, loop, edge->server, run_dir, "gateway-bridge.admin.sock",
			  &as_ping_bridge);
	as_edge_ping_open(&edge->join, loop, edge->server, run_dir, "join.sock", &as_ping_join);
	as_edge_remote_open(&edge->remote, loop, edge->server, api, config, run_dir);
	return ST_OK;
}

void as_edge_api_set_callers(struct as_edge_api *edge, const struct as_callers *callers)
{
	if (as_callers_equal(&edge->callers, callers))
		return;
	edge->callers = *callers;
	as_edge_remote_end_all(&edge->remote);
	for (size_t i = 0; i < AS_STREAMS_MAX; i++) {
		if (edge->streams[i].exchange)
			io_http_stream_end(edge->server, edge->streams[i].exchange);
		edge->streams[i].exchange = 0;
	}
}

void as_edge_api_close(struct as_edge_api *edge)
{
	as_edge_why_close(&edge->why);
	as_edge_mac_close(&edge->mac);
	as_edge_ping_close(&edge->ping);
	as_edge_ping_close(&edge->join);
	as_edge_remote_close(&edge->remote);
	io_http_server_free(edge->server);
	as_waiting_release(&edge->waiting);
	free(edge->routes);
	*edge = (struct as_edge_api){.api = NULL};
}
