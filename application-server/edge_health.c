#include "application-server/edge_health.h"

#include <stdio.h>

#define EVERY      (60 * US_PER_S)
#define FIRST      (2 * US_PER_S)
#define NEW_EVERY  (5 * US_PER_S) /* between two looks for gateways that have just come */
#define NEXT_PAGE  (10 * US_PER_MS)
#define TIMEOUT    (2 * US_PER_S)
#define PAGES_MAX  (AS_HEALTH_MAX / AS_HEALTH_PAGE)
#define ANSWER_MAX (1u << 17)

static span_us left_of_minute(const struct as_edge_health *edge, struct now now)
{
	span_us left = EVERY - mono_since(now.mono, edge->began);
	return left > NEXT_PAGE ? left : NEXT_PAGE;
}

/* Until the minute is over, or somebody new may have come. */
static void rest(struct as_edge_health *edge, struct now now)
{
	span_us left = left_of_minute(edge, now);
	edge->waits = true;
	io_timer_start(edge->timer, left < NEW_EVERY ? left : NEW_EVERY, 0);
}

/* The other one now; after both, sleep until the minute is over. */
static void finish(struct as_edge_health *edge, struct now now)
{
	edge->after[0] = '\0';
	edge->pages = 0;
	edge->asks_network = !edge->asks_network;
	if (edge->asks_network)
		io_timer_start(edge->timer, NEXT_PAGE, 0);
	else
		rest(edge, now);
}

static void on_answer(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_health *edge = ctx;
	bool good = answer->status == ST_OK && answer->code == 200;
	json_t *page = good ? json_loadb((const char *)answer->body, answer->length, 0, NULL) : NULL;
	const char *next = json_string_value(json_object_get(page, "next"));
	(void)id;
	if (page && edge->asks_network)
		as_health_network(edge->health, page, now);
	else if (page)
		as_health_counters(edge->health, page, now);
	if (edge->asks_one) {
		edge->asks_one = false;
		edge->waits = true;
		io_timer_start(edge->timer, NEXT_PAGE, 0);
	} else if (next && ++edge->pages < PAGES_MAX) {
		snprintf(edge->after, sizeof edge->after, "%s", next);
		io_timer_start(edge->timer, NEXT_PAGE, 0);
	} else {
		finish(edge, now);
	}
	json_decref(page);
}

static void call(struct as_edge_health *edge, const char *url)
{
	char path[320];
	io_http_call_id id;
	snprintf(path, sizeof path, "%s/%s.admin.sock", edge->run_dir,
		 edge->asks_network ? "network-server" : "gateway-bridge");
	const struct io_http_call asked = {.method = IO_HTTP_GET,
					   .url = url,
					   .unix_path = path,
					   .timeout = TIMEOUT,
					   .answer_limit = ANSWER_MAX,
					   .on_done = on_answer,
					   .ctx = edge};
	if (io_http_client_start(edge->client, &asked, &id) != ST_OK)
		io_timer_start(edge->timer, EVERY, 0);
}

static void ask_page(struct as_edge_health *edge)
{
	char url[100];
	snprintf(url, sizeof url, "http://lamppost/gateways?limit=%d%s%s%s", AS_HEALTH_PAGE,
		 edge->asks_network ? "" : "&health=1", edge->after[0] ? "&after=" : "", edge->after);
	call(edge, url);
}

static void ask_one(struct as_edge_health *edge, const struct lw_eui64 *eui)
{
	char url[100], text[LW_EUI64_TEXT];
	lw_eui64_format(text, eui);
	snprintf(url, sizeof url, "http://lamppost/gateways?limit=1&health=1&eui=%s", text);
	edge->asks_one = true;
	call(edge, url);
}

static void on_timer(void *ctx, struct now now)
{
	struct as_edge_health *edge = ctx;
	struct lw_eui64 eui;
	bool waited = edge->waits;
	edge->waits = false;
	if (waited && left_of_minute(edge, now) > NEXT_PAGE) {
		if (as_health_unlooked(edge->health, &eui))
			ask_one(edge, &eui);
		else
			rest(edge, now);
		return;
	}
	if (!edge->asks_network && !edge->after[0])
		edge->began = now.mono;
	ask_page(edge);
}

enum status as_edge_health_open(struct as_edge_health *edge, struct io_loop *loop, struct as_health *health,
				const char *run_dir)
{
	*edge = (struct as_edge_health){.health = health};
	snprintf(edge->run_dir, sizeof edge->run_dir, "%s", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = 2});
	if (!edge->client)
		return ST_NO_MEMORY;
	edge->timer = io_timer_new(loop, on_timer, edge);
	io_timer_start(edge->timer, FIRST, 0);
	return ST_OK;
}

void as_edge_health_close(struct as_edge_health *edge)
{
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	*edge = (struct as_edge_health){.health = NULL};
}
