#include "application-server/edge_why.h"

#include "application-server/why/rules.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT      (1500 * US_PER_MS) /* a process that is well answers in a millisecond */
#define ANSWER_LIMIT (4u << 20)

/* --- the answer ----------------------------------------------------------------------------------------------- */

static void release(struct as_why_asking *asking)
{
	for (int i = 0; i < WHY_PROCESS_COUNT; i++) {
		if (asking->calls[i].id)
			io_http_client_cancel(asking->edge->client, asking->calls[i].id);
		json_decref(asking->answers[i]);
	}
	as_why_free(asking->why);
	*asking = (struct as_why_asking){.exchange = 0};
}

static bool shows(void *ctx, const json_t *decision)
{
	const struct as_why_asking *asking = ctx;
	return as_why_shows(asking->edge->api->app->store, asking->why, decision);
}

static void answer(struct as_why_asking *asking, struct now now)
{
	const struct as_why *why = asking->why;
	struct why_part parts[WHY_PROCESS_COUNT];
	const struct why_question question = {.subject = why->subject,
					      .now = now.wall,
					      .since = why->since,
					      .limit = why->limit,
					      .facts = why->facts,
					      .decisions = why->decisions,
					      .shows = shows,
					      .ctx = asking};
	for (int i = 0; i < WHY_PROCESS_COUNT; i++)
		parts[i] = (struct why_part){asking->asked[i], asking->reached[i], asking->answers[i]};
	json_t *body = why_answer(&question, parts);
	char *text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
	enum status status = io_http_reply(asking->edge->server, asking->exchange, text ? 200 : 500, NULL,
					   text ? text : "{}", text ? strlen(text) : 2);
	(void)status; /* the client may have gone */
	free(text);
	json_decref(body);
	release(asking);
}

/* --- asking ---------------------------------------------------------------------------------------------------- */

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct as_why_call *call = ctx;
	struct as_why_asking *asking = call->asking;
	(void)id;
	call->id = 0;
	if (said->status == ST_OK && said->code == 200)
		asking->answers[call->process] = json_loadb((const char *)said->body, said->length,
							    JSON_REJECT_DUPLICATES, NULL);
	/* What cannot be read is missing as well. */
	bool reached = asking->answers[call->process] || (said->status == ST_OK && said->code == 404);
	asking->reached[call->process] = reached;
	asking->edge->unreached += !reached;
	if (--asking->waiting == 0)
		answer(asking, now);
}

static void ask_one(struct as_why_asking *asking, enum why_process process)
{
	struct as_edge_why *edge = asking->edge;
	char target[WHY_TARGET_MAX], url[WHY_TARGET_MAX + 20], path[320];
	if (!why_target(&asking->why->subject, process, asking->why->limit, target))
		return;
	asking->asked[process] = true;
	if (process == WHY_APPLICATION_SERVER) {
		/* That is us: what the ring has about a device is among our decisions already. */
		asking->reached[process] = true;
		if (asking->why->subject.kind == WHY_RULES)
			asking->answers[process] = as_rules_json();
		return;
	}
	snprintf(url, sizeof url, "http://lamppost%s", target);
	snprintf(path, sizeof path, "%s/%s.admin.sock", edge->run_dir, why_process_name(process));
	struct as_why_call *call = &asking->calls[process];
	*call = (struct as_why_call){.asking = asking, .process = process};
	const struct io_http_call options = {.method = IO_HTTP_GET,
					     .url = url,
					     .unix_path = path,
					     .timeout = TIMEOUT,
					     .answer_limit = ANSWER_LIMIT,
					     .on_done = on_done,
					     .ctx = call};
	if (io_http_client_start(edge->client, &options, &call->id) == ST_OK)
		asking->waiting++;
	else
		call->id = 0;
}

bool as_edge_why_ask(struct as_edge_why *edge, struct now now, io_http_exchange exchange, struct as_why *why)
{
	struct as_why_asking *asking = NULL;
	for (size_t i = 0; i < AS_WHYS_MAX && !asking; i++)
		if (edge->askings[i].exchange == 0)
			asking = &edge->askings[i];
	if (!asking)
		return false;
	edge->asked++;
	*asking = (struct as_why_asking){.exchange = exchange, .edge = edge, .why = why};
	for (int i = 0; i < WHY_PROCESS_COUNT; i++)
		ask_one(asking, (enum why_process)i);
	if (asking->waiting == 0)
		answer(asking, now);
	return true;
}

void as_edge_why_forget(struct as_edge_why *edge, io_http_exchange exchange)
{
	for (size_t i = 0; i < AS_WHYS_MAX; i++)
		if (edge->askings[i].exchange == exchange)
			release(&edge->askings[i]);
}

/* --- the network server's rules --------------------------------------------------------------------------------- */

/* What it does not say leaves them unknown, and nothing is refused for it. */
static void on_rules(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct as_edge_why *edge = ctx;
	(void)now, (void)id;
	edge->learning = 0;
	if (said->status != ST_OK || said->code != 200)
		return;
	json_t *answer = json_loadb((const char *)said->body, said->length, JSON_REJECT_DUPLICATES, NULL);
	json_decref(edge->api->network_rules);
	edge->api->network_rules = json_incref(json_object_get(answer, "rules"));
	json_decref(answer);
}

void as_edge_why_learn(struct as_edge_why *edge)
{
	char path[320];
	if (edge->learning)
		return;
	snprintf(path, sizeof path, "%s/network-server.admin.sock", edge->run_dir);
	const struct io_http_call options = {.method = IO_HTTP_GET,
					     .url = "http://lamppost/why/rules",
					     .unix_path = path,
					     .timeout = TIMEOUT,
					     .answer_limit = ANSWER_LIMIT,
					     .on_done = on_rules,
					     .ctx = edge};
	if (io_http_client_start(edge->client, &options, &edge->learning) != ST_OK)
		edge->learning = 0;
}

/* --- life ------------------------------------------------------------------------------------------------------- */

void as_edge_why_open(struct as_edge_why *edge, struct io_loop *loop, struct as_api *api,
		      struct io_http_server *server, const char *run_dir)
{
	*edge = (struct as_edge_why){.api = api, .server = server};
	snprintf(edge->run_dir, sizeof edge->run_dir, "%s", run_dir);
	edge->client = io_http_client_new(
		loop, &(struct io_http_client_options){.max_calls = AS_WHYS_MAX * WHY_PROCESS_COUNT + 1});
	ASSERT(edge->client);
}

void as_edge_why_close(struct as_edge_why *edge)
{
	for (size_t i = 0; i < AS_WHYS_MAX; i++)
		if (edge->askings[i].exchange)
			release(&edge->askings[i]);
	io_http_client_free(edge->client);
	if (edge->api) {
		json_decref(edge->api->network_rules);
		edge->api->network_rules = NULL;
	}
	*edge = (struct as_edge_why){.api = NULL};
}
