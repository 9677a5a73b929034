#include "application-server/edge_mac.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT      (1500 * US_PER_MS) /* a process that is well answers in a millisecond */
#define ANSWER_LIMIT (64u << 10)

static void problem(struct as_edge_mac *edge, io_http_exchange exchange, int code, const char *detail)
{
	char text[200];
	int length = snprintf(text, sizeof text, "{\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
			      code == 404 ? "Not Found" : "Service Unavailable", code, detail);
	enum status sent = io_http_reply(edge->server, exchange, code, "application/problem+json", text,
					 (size_t)length);
	(void)sent; /* the client may have gone */
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct as_mac_asking *asking = ctx;
	io_http_exchange exchange = asking->exchange;
	(void)now, (void)id;
	asking->exchange = 0;
	if (said->status != ST_OK || (said->code != 200 && said->code != 404)) {
		problem(asking->edge, exchange, 503, "the network server is not reached");
		return;
	}
	if (said->code == 404) {
		problem(asking->edge, exchange, 404, "the device has no session: it has not joined yet");
		return;
	}
	enum status sent = io_http_reply(asking->edge->server, exchange, 200, NULL, (const char *)said->body,
					 said->length);
	(void)sent;
}

void as_edge_mac_ask(struct as_edge_mac *edge, io_http_exchange exchange, const char *target)
{
	struct as_mac_asking *asking = NULL;
	char url[128];
	for (size_t i = 0; i < AS_MACS_MAX && !asking; i++)
		if (edge->askings[i].exchange == 0)
			asking = &edge->askings[i];
	if (!asking) {
		problem(edge, exchange, 503, "too many questions of this kind are under way");
		return;
	}
	snprintf(url, sizeof url, "http://lamppost%s", target);
	*asking = (struct as_mac_asking){.exchange = exchange, .edge = edge};
	const struct io_http_call options = {.method = IO_HTTP_GET,
					     .url = url,
					     .unix_path = edge->socket,
					     .timeout = TIMEOUT,
					     .answer_limit = ANSWER_LIMIT,
					     .on_done = on_done,
					     .ctx = asking};
	if (io_http_client_start(edge->client, &options, &asking->id) == ST_OK)
		return;
	asking->exchange = 0;
	problem(edge, exchange, 503, "the network server is not reached");
}

void as_edge_mac_forget(struct as_edge_mac *edge, io_http_exchange exchange)
{
	for (size_t i = 0; i < AS_MACS_MAX; i++)
		if (edge->askings[i].exchange == exchange) {
			io_http_client_cancel(edge->client, edge->askings[i].id);
			edge->askings[i].exchange = 0;
		}
}

void as_edge_mac_open(struct as_edge_mac *edge, struct io_loop *loop, struct io_http_server *server,
		      const char *run_dir)
{
	*edge = (struct as_edge_mac){.server = server};
	snprintf(edge->socket, sizeof edge->socket, "%s/network-server.admin.sock", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = AS_MACS_MAX});
	ASSERT(edge->client);
}

void as_edge_mac_close(struct as_edge_mac *edge)
{
	for (size_t i = 0; i < AS_MACS_MAX; i++)
		if (edge->askings[i].exchange)
			io_http_client_cancel(edge->client, edge->askings[i].id);
	io_http_client_free(edge->client);
	*edge = (struct as_edge_mac){.server = NULL};
}
