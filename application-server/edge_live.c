#include "application-server/edge_live.h"

#include <stdio.h>

#define AGAIN \
	(50 * US_PER_MS) /* after a start, until every gateway's row is loaded: ten of a page in a round */
#define FIRST      (300 * US_PER_MS)
#define TIMEOUT    (2 * US_PER_S)
#define PAGES_MAX  656 /* of 25: 16384 gateways */
#define ANSWER_MAX (1u << 20)

static void ask(struct as_edge_live *edge);

static void on_answer(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_live *edge = ctx;
	bool good = answer->status == ST_OK && answer->code == 200;
	json_t *page = good ? json_loadb((const char *)answer->body, answer->length, 0, NULL) : NULL;
	const char *next = json_string_value(json_object_get(page, "next"));
	(void)id;
	as_live_put(edge->live, page, now);
	if (page)
		as_health_live(edge->health, page, now);
	else
		as_health_unheard(edge->health, now);
	if (next && ++edge->pages < PAGES_MAX) {
		snprintf(edge->after, sizeof edge->after, "%s", next);
		ask(edge);
	} else {
		if (page) {
			as_live_end(edge->live, now);
			as_health_end(edge->health, now);
		}
		span_us next_look = as_health_look_next(edge->health, now.mono);
		io_timer_start(edge->timer, page && as_health_waits(edge->health) ? AGAIN : next_look, 0);
	}
	json_decref(page);
}

static void ask(struct as_edge_live *edge)
{
	char url[100];
	io_http_call_id id;
	snprintf(url, sizeof url, "http://lamppost/gateways?limit=25%s%s", edge->after[0] ? "&after=" : "",
		 edge->after);
	const struct io_http_call call = {.method = IO_HTTP_GET,
					  .url = url,
					  .unix_path = edge->socket,
					  .timeout = TIMEOUT,
					  .answer_limit = ANSWER_MAX,
					  .on_done = on_answer,
					  .ctx = edge};
	if (io_http_client_start(edge->client, &call, &id) != ST_OK)
		io_timer_start(edge->timer, as_health_look_every(edge->health->silent), 0);
}

static void on_timer(void *ctx, struct now now)
{
	struct as_edge_live *edge = ctx;
	(void)now;
	edge->after[0] = '\0';
	edge->pages = 0;
	as_live_begin(edge->live);
	as_health_begin(edge->health);
	ask(edge);
}

enum status as_edge_live_open(struct as_edge_live *edge, struct io_loop *loop, struct as_live_gateways *live,
			      struct as_health *health, const char *run_dir)
{
	*edge = (struct as_edge_live){.live = live, .health = health};
	snprintf(edge->socket, sizeof edge->socket, "%s/gateway-bridge.admin.sock", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = 2});
	if (!edge->client)
		return ST_NO_MEMORY;
	edge->timer = io_timer_new(loop, on_timer, edge);
	io_timer_start(edge->timer, FIRST, 0);
	return ST_OK;
}

void as_edge_live_close(struct as_edge_live *edge)
{
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	*edge = (struct as_edge_live){.live = NULL};
}
