#include "application-server/edge_ping.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT      (14 * US_PER_S) /* the bridge gives up before */
#define ANSWER_LIMIT (64u << 10)

static void problem(struct as_edge_ping *edge, io_http_exchange exchange, int code, const char *detail)
{
	char text[200];
	int length = snprintf(text, sizeof text, "{\"title\":\"Not pinged\",\"status\":%d,\"detail\":\"%s\"}",
			      code, detail);
	enum status sent = io_http_reply(edge->server, exchange, code, "application/problem+json", text,
					 (size_t)length);
	(void)sent; /* the client may have gone */
}

/* The bridge's own words, a refusal (no connection, no answer in time) included. */
static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct as_ping_asking *asking = ctx;
	io_http_exchange exchange = asking->exchange;
	(void)now, (void)id;
	asking->exchange = 0;
	if (said->status != ST_OK || said->code == 404) {
		problem(asking->edge, exchange, 503,
			said->status != ST_OK ? "the gateway bridge does not answer"
					      : "the gateway bridge does not know this gateway");
		return;
	}
	enum status sent = io_http_reply(asking->edge->server, exchange, said->code,
					 said->code >= 400 ? "application/problem+json" : NULL,
					 (const char *)said->body, said->length);
	(void)sent;
}

void as_edge_ping_ask(struct as_edge_ping *edge, io_http_exchange exchange, const char *target,
		      const char *body)
{
	struct as_ping_asking *asking = NULL;
	char url[128];
	for (size_t i = 0; i < AS_PINGS_MAX && !asking; i++)
		if (edge->askings[i].exchange == 0)
			asking = &edge->askings[i];
	if (!asking) {
		problem(edge, exchange, 503, "too many gateways are pinged at once");
		return;
	}
	snprintf(url, sizeof url, "http://lamppost%s", target);
	*asking = (struct as_ping_asking){.exchange = exchange, .edge = edge};
	const struct io_http_call options = {.method = IO_HTTP_POST,
					     .url = url,
					     .unix_path = edge->socket,
					     .body = body,
					     .length = body ? strlen(body) : 0,
					     .timeout = TIMEOUT,
					     .answer_limit = ANSWER_LIMIT,
					     .on_done = on_done,
					     .ctx = asking};
	if (io_http_client_start(edge->client, &options, &asking->id) == ST_OK)
		return;
	asking->exchange = 0;
	problem(edge, exchange, 503, "the gateway bridge does not answer");
}

void as_edge_ping_forget(struct as_edge_ping *edge, io_http_exchange exchange)
{
	for (size_t i = 0; i < AS_PINGS_MAX; i++)
		if (edge->askings[i].exchange == exchange) {
			io_http_client_cancel(edge->client, edge->askings[i].id);
			edge->askings[i].exchange = 0;
		}
}

void as_edge_ping_open(struct as_edge_ping *edge, struct io_loop *loop, struct io_http_server *server,
		       const char *run_dir)
{
	*edge = (struct as_edge_ping){.server = server};
	snprintf(edge->socket, sizeof edge->socket, "%s/gateway-bridge.admin.sock", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = AS_PINGS_MAX});
	ASSERT(edge->client);
}

void as_edge_ping_close(struct as_edge_ping *edge)
{
	for (size_t i = 0; i < AS_PINGS_MAX; i++)
		if (edge->askings[i].exchange)
			io_http_client_cancel(edge->client, edge->askings[i].id);
	io_http_client_free(edge->client);
	*edge = (struct as_edge_ping){.server = NULL};
}
