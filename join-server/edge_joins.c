#include "join-server/edge_joins.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"
#include "join-server/edge_answers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_LINES_PER_S 20
#define BODY_LIMIT \
	(2 * BI_BODY_MAX) /* what is longer is not even read; what is longer than BI_BODY_MAX is told so */

/* --- telling ---------------------------------------------------------------------------------------------------- */

static bool may_log(struct js_edge_joins *edge, struct now now)
{
	int64_t second = now.mono.us / US_PER_S;
	if (second != edge->log_second) {
		edge->log_second = second;
		edge->log_lines = 0;
	}
	return edge->log_lines++ < LOG_LINES_PER_S;
}

/* A DevEUI is named only when it is one of ours (invariant 12). `who`: the peer's label, "" on this machine. */
static void log_outcome(struct js_edge_joins *edge, struct now now, const char *who,
			const struct js_outcome *outcome)
{
	enum log_level level = js_verdict_level(outcome->verdict);
	if (level < LOG_LEVEL_DEBUG && !may_log(edge, now))
		return;
	const char *name = js_verdict_name(outcome->verdict);
	if (outcome->verdict == JS_ERROR_NOTIFIED) {
		log_write(level, "message", "verdict=%s peer=\"%s\" result=%s", name, who,
			  bi_result_name(outcome->notified, BI_PROTOCOL_1_1));
	} else if (outcome->has_device) {
		char dev_eui[LW_EUI64_TEXT];
		lw_eui64_format(dev_eui, &outcome->dev_eui);
		log_write(level, "join",
			  "verdict=%s dev_eui=%s dev_nonce=%u join_nonce=%" PRIu32 " peer=\"%s\"%s", name,
			  dev_eui, outcome->dev_nonce, outcome->join_nonce, who,
			  outcome->allowed_once ? " allowed_once=true" : "");
	} else {
		log_write(level, "message", "verdict=%s type=%s field=%s peer=\"%s\"", name,
			  bi_type_name(outcome->type), outcome->field, who);
	}
}

static void reply_problem(struct io_http_server *server, io_http_exchange exchange, int code,
			  const char *title, const char *detail)
{
	char text[512];
	int length = snprintf(text, sizeof text,
			      "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
			      title, code, detail);
	enum status status = io_http_reply(server, exchange, code, "application/problem+json", text,
					   (size_t)length);
	(void)status; /* the client may have gone */
}

/* --- messages --------------------------------------------------------------------------------------------------- */

static void answer(struct js_edge_joins *edge, struct io_http_server *server, struct now now,
		   const struct io_http_request *request, const struct js_peer *peer, const char *who)
{
	io_http_exchange exchange = io_http_request_exchange(request);
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	char text[BI_WRITTEN_MAX];
	struct js_outcome outcome;
	size_t written = js_join_on_message(edge->join, now, body, length, peer, text, &outcome);
	log_outcome(edge, now, who, &outcome);
	if (outcome.verdict == JS_UNREADABLE) {
		reply_problem(server, exchange, length > BI_BODY_MAX ? 413 : 400, "Not a TS002 message",
			      outcome.rule);
		return;
	}
	bool later = peer && peer->url[0] && written > 0;
	if (later)
		js_answers_add(edge, now, peer, text, written);
	enum status status = io_http_reply(server, exchange, 200, NULL, text, later ? 0 : written);
	(void)status; /* the client may have gone */
	secret_wipe(text, written);
}

static void on_here(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_edge_joins *edge = ctx;
	const struct io_peer *user = io_http_request_peer(request);
	const struct js_peer peer = js_peer_local(user ? js_callers_rights(edge->callers, user->uid) : 0);
	if (peer.rights == 0) {
		LOG_WARN("caller_refused", "call=joins uid=%ld", user ? (long)user->uid : -1);
		reply_problem(
			edge->here, io_http_request_exchange(request), 403, "Forbidden",
			"this user may not make this call: see join-server.callers in the configuration");
		return;
	}
	answer(edge, edge->here, now, request, &peer, "");
}

/* The handshake has refused who has no certificate of our authorities; whose it is is looked at here. */
static void on_there(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_edge_joins *edge = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	const struct io_tls_peer *certificate = io_http_request_certificate(request);
	if (!certificate || certificate->verdict != IO_TLS_PEER_GOOD) {
		reply_problem(edge->there, exchange, 403, "Forbidden", "a client certificate is needed");
		return;
	}
	struct js_peer *peer = js_peers_find(&edge->peers, certificate->common_name,
					     certificate->fingerprint);
	if (!peer) {
		edge->counters.strangers++;
		if (may_log(edge, now)) {
			char quoted[2 * sizeof certificate->common_name + 8];
			LOG_WARN("peer_unknown", "certificate=%s",
				 log_quote(quoted, sizeof quoted, certificate->common_name));
		}
		answer(edge, edge->there, now, request, NULL, "?");
		return;
	}
	const struct js_peer_state *state = js_peer_state(&edge->peers, peer);
	if (!js_peer_admit(&edge->peers, peer, now.mono) ||
	    (peer->url[0] && state->waiting >= JS_PEER_WAITING)) {
		edge->counters.limited++;
		enum status status = io_http_reply_header(edge->there, exchange, "Retry-After", "1");
		(void)status;
		reply_problem(edge->there, exchange, state->waiting >= JS_PEER_WAITING ? 503 : 429,
			      "Too many messages",
			      "this peer sends more than it may, or does not take its answers");
		return;
	}
	answer(edge, edge->there, now, request, peer, peer->name);
}

/* --- life ------------------------------------------------------------------------------------------------------- */

static const struct io_http_route routes_here[] = {{IO_HTTP_POST, "/", on_here}};
static const struct io_http_route routes_there[] = {{IO_HTTP_POST, "/", on_there}};

static enum status open_there(struct js_edge_joins *edge)
{
	const struct js_config *config = edge->config;
	struct io_address address;
	char host[IO_ADDRESS_TEXT];
	if (io_address_parse_pair(config->listen, &address) != ST_OK || !config->certificate[0] ||
	    !config->key[0] || !config->ca[0]) {
		LOG_ERROR("configuration_refused", "reason=\"join-server.listen: expected a numeric address "
						   "and a port, and certificate, key "
						   "and ca\"");
		return ST_INVALID;
	}
	const struct io_http_server_options options = {
		.host = io_address_format_host(host, &address),
		.port = address.port,
		.cert_file = config->certificate,
		.key_file = config->key,
		.ca_file = config->ca,
		.client_certificates = IO_TLS_CLIENTS_REQUIRED,
		/* One address that says nothing keeps 10 s what it has: the other half is for the others. */
		.admission = {.handshakes_at_once = (unsigned)config->connections,
			      .source_connections = (unsigned)(config->connections + 1) / 2},
		.max_connections = (size_t)config->connections,
		.body_limit = BODY_LIMIT,
		.request_timeout = 10 * US_PER_S,
	};
	enum status status = io_http_server_open(edge->loop, &options, &edge->there);
	if (status == ST_OK)
		io_http_server_add(edge->there, routes_there, ARRAY_SIZE(routes_there), edge);
	return status;
}

enum status js_edge_joins_open(struct js_edge_joins *edge)
{
	char problem[256];
	if (!js_peers_init(&edge->peers, &edge->config->peers, problem, sizeof problem)) {
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
		return ST_INVALID;
	}
	io_http_server_add(edge->here, routes_here, ARRAY_SIZE(routes_here), edge);
	js_answers_open(edge);
	return edge->config->listen[0] ? open_there(edge) : ST_OK;
}

void js_edge_joins_reload(struct js_edge_joins *edge)
{
	enum status status = edge->there ? io_http_server_reload_tls(edge->there) : ST_OK;
	(void)status; /* logged; the old ones go on */
}

void js_edge_joins_release(struct js_edge_joins *edge)
{
	js_answers_release(edge);
	io_http_server_free(edge->there);
}
