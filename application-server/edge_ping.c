#include "application-server/edge_ping.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT      (14 * US_PER_S) /* the bridge gives up before */
#define ANSWER_LIMIT (64u << 10)

const struct as_ping_words as_ping_bridge = {"Not pinged", "the gateway bridge does not answer",
					     "too many gateways are pinged at once",
					     "the gateway bridge does not know this gateway"};
const struct as_ping_words as_ping_join = {"Not asked", "the join server does not answer",
					   "too many such questions are under way", NULL};

static void problem(struct as_edge_ping *edge, io_http_exchange exchange, int code, const char *detail)
{
	char text[200];
	int length = snprintf(text, sizeof text, "{\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
			      edge->words->title, code, detail);
	enum status sent = io_http_reply(edge->server, exchange, code, "application/problem+json", text,
					 (size_t)length);
	(void)sent; /* the client may have gone */
}

/* The process's own words, a refusal included. */
static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct as_ping_asking *asking = ctx;
	io_http_exchange exchange = asking->exchange;
	(void)now, (void)id;
	asking->exchange = 0;
	const struct as_ping_words *words = asking->edge->words;
	if (said->status != ST_OK || (said->code == 404 && words->unknown)) {
		problem(asking->edge, exchange, 503, said->status != ST_OK ? words->away : words->unknown);
		return;
	}
	enum status sent = io_http_reply(asking->edge->server, exchange, said->code,
					 said->code >= 400 ? "application/problem+json" : NULL,
					 (const char *)said->body, said->length);
	(void)sent;
}

void as_edge_ping_ask(struct as_edge_ping *edge, io_http_exchange exchange, const char *target,
		      const json_t *json)
{
	struct as_ping_asking *asking = NULL;
	char url[128];
	for (size_t i = 0; i < AS_PINGS_MAX && !asking; i++)
		if (edge->askings[i].exchange == 0)
			asking = &edge->askings[i];
	if (!asking) {
		problem(edge, exchange, 503, edge->words->many);
		return;
	}
	snprintf(url, sizeof url, "http://lamppost%s", target);
	*asking = (struct as_ping_asking){.exchange = exchange, .edge = edge};
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	const struct io_http_call options = {.method = IO_HTTP_POST,
					     .url = url,
					     .unix_path = edge->socket,
					     .body = body,
					     .length = body ? strlen(body) : 0,
					     .timeout = TIMEOUT,
					     .answer_limit = ANSWER_LIMIT,
					     .on_done = on_done,
					     .ctx = asking};
	enum status status = io_http_client_start(edge->client, &options, &asking->id);
	free(body); /* copied */
	if (status == ST_OK)
		return;
	asking->exchange = 0;
	problem(edge, exchange, 503, edge->words->away);
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
		       const char *run_dir, const char *socket, const struct as_ping_words *words)
{
	*edge = (struct as_edge_ping){.server = server, .words = words};
	snprintf(edge->socket, sizeof edge->socket, "%s/%s", run_dir, socket);
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
