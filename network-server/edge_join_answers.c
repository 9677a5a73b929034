/* Asynchronous answers of others' join servers: they post them here, over HTTPS with a client certificate, whose common name
 * says which server's they are. What nothing waits for any more is answered as well, with 200: it is late, and no more. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

#define CONNECTIONS 64

static void reply(struct ns_edge *edge, const struct io_http_request *request, int code)
{
	enum status status = io_http_reply(edge->answers_server, io_http_request_exchange(request), code,
					   NULL, "", 0);
	(void)status; /* the client may have gone */
}

static void on_answer(void *ctx, struct now now, const struct io_http_request *request)
{
	struct ns_edge *edge = ctx;
	const struct ns_config *config = &edge->ns.config;
	const struct io_tls_peer *peer = io_http_request_certificate(request);
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	bool known = false, taken = false;
	for (uint8_t i = 0; i < config->join_server_count && !taken; i++) {
		const struct bi_join_server *server = &config->join_servers[i];
		if (server->block_count == 0 || !server->asynchronous || !peer ||
		    peer->verdict != IO_TLS_PEER_GOOD || strcmp(server->answers_from, peer->common_name) != 0)
			continue;
		known = true;
		taken = ns_edge_join_servers_take(edge, now, i, body, length);
	}
	if (!known) {
		edge->answers_refused++;
		LOG_WARN("join_answer_refused", "reason=\"certificate of no join server\"");
	} else if (!taken) {
		edge->answers_late++;
	}
	reply(edge, request, known ? 200 : 403);
}

static const struct io_http_route routes[] = {{IO_HTTP_POST, "/", on_answer}};

static enum status listen_there(struct ns_edge *edge, const struct ns_options *wanted,
				struct io_http_server **server)
{
	struct io_address address;
	char host[IO_ADDRESS_TEXT];
	if (io_address_parse_pair(wanted->answers_listen, &address) != ST_OK ||
	    !wanted->answers_certificate[0] || !wanted->answers_key[0] || !wanted->answers_ca[0])
		return ST_INVALID;
	const struct io_http_server_options options = {
		.host = io_address_format_host(host, &address),
		.port = address.port,
		.cert_file = wanted->answers_certificate,
		.key_file = wanted->answers_key,
		.ca_file = wanted->answers_ca,
		.client_certificates = IO_TLS_CLIENTS_REQUIRED,
		.admission = {.source_connections = CONNECTIONS / 2},
		.max_connections = CONNECTIONS,
		.body_limit = BI_BODY_MAX,
		.request_timeout = 10 * US_PER_S,
	};
	enum status status = io_http_server_open(edge->loop, &options, server);
	if (status == ST_OK)
		io_http_server_add(*server, routes, ARRAY_SIZE(routes), edge);
	return status;
}

/* What is in force is edge->options, once there is a server. */
static enum status change(struct ns_edge *edge, const struct ns_options *wanted)
{
	struct io_http_server *server = NULL;
	enum status status = ST_OK;
	bool same = edge->answers_server && strcmp(edge->options.answers_listen, wanted->answers_listen) == 0;
	if (same)
		return io_http_server_set_tls(edge->answers_server, wanted->answers_certificate,
					      wanted->answers_key, wanted->answers_ca);
	if (wanted->answers_listen[0])
		status = listen_there(edge, wanted, &server);
	if (status == ST_OK) {
		io_http_server_free(edge->answers_server);
		edge->answers_server = server;
	}
	return status;
}

static void say(enum status status, char problem[CONFIG_ERROR_MAX])
{
	if (status == ST_INVALID)
		snprintf(problem, CONFIG_ERROR_MAX,
			 "network-server.join_answers: expected listen, a numeric address and a port, and "
			 "certificate, key and ca that go together");
	else
		snprintf(problem, CONFIG_ERROR_MAX,
			 "network-server.join_answers.listen: cannot listen there: %s", status_name(status));
}

bool ns_edge_join_answers_change(struct ns_edge *edge, const struct ns_options *options,
				 char problem[CONFIG_ERROR_MAX])
{
	enum status status = change(edge, options);
	if (status != ST_OK)
		say(status, problem);
	return status == ST_OK;
}

enum status ns_edge_join_answers_open(struct ns_edge *edge)
{
	char problem[CONFIG_ERROR_MAX];
	enum status status = change(edge, &edge->options);
	if (status != ST_OK) {
		say(status, problem);
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
	}
	return status;
}

void ns_edge_join_answers_release(struct ns_edge *edge)
{
	io_http_server_free(edge->answers_server);
}
