#include "application-server/edge_keks.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_FIRST (100 * US_PER_MS)
#define DELAY_MAX   (5 * US_PER_S)
#define ASK_AGAIN   (30 * US_PER_S)

static void fail(struct as_edge_keks *edge, const char *what, int code, const char *reason)
{
	char quoted[200];
	if (edge->reached || edge->failures == 0)
		LOG_WARN("keks", "call=%s code=%d reason=%s", what, code,
			 log_quote(quoted, sizeof quoted, reason));
	edge->failures++;
	edge->reached = edge->walking = false;
	io_timer_start(edge->timer, edge->delay, 0);
	edge->delay = edge->delay * 2 > DELAY_MAX ? DELAY_MAX : edge->delay * 2;
}

static void call(struct as_edge_keks *edge, enum io_http_method method, const char *url, const char *body,
		 void (*on_done)(void *, struct now, io_http_call_id, const struct io_http_answer *))
{
	io_http_call_id id;
	const struct io_http_call options = {.method = method,
					     .url = url,
					     .unix_path = edge->socket,
					     .body = body,
					     .length = body ? strlen(body) : 0,
					     .on_done = on_done,
					     .ctx = edge};
	edge->calls++;
	edge->calling = io_http_client_start(edge->client, &options, &id) == ST_OK;
	if (!edge->calling)
		fail(edge, "start", 0, "too many calls");
}

/* --- asking --------------------------------------------------------------------------------------------------- */

/* Gives label → newest version; NULL when the answer is none. */
static json_t *read_list(const struct io_http_answer *answer)
{
	json_t *body = answer->status == ST_OK && answer->code == 200
			       ? json_loadb((const char *)answer->body, answer->length, 0, NULL)
			       : NULL;
	const json_t *keks = json_object_get(body, "keks");
	json_t *there = json_is_array(keks) ? json_object() : NULL, *item;
	size_t index;
	json_array_foreach(keks, index, item)
	{
		const char *label = json_string_value(json_object_get(item, "label"));
		json_t *version = json_object_get(item, "version");
		const json_t *known = label ? json_object_get(there, label) : NULL;
		if (label && json_is_integer(version) &&
		    json_integer_value(known) < json_integer_value(version))
			json_object_set(there, label, version);
	}
	json_decref(body);
	return there;
}

static void on_list(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_keks *edge = ctx;
	(void)now, (void)id;
	edge->calling = false;
	json_t *there = read_list(answer);
	if (!there) {
		fail(edge, "list", answer->code, answer->reason);
		return;
	}
	json_decref(edge->there);
	edge->there = there;
	edge->reached = edge->walking = true;
	edge->delay = DELAY_FIRST;
	edge->at[0] = '\0';
	edge->version = as_store_keks_version(edge->store);
	io_timer_start(edge->timer, ASK_AGAIN, 0);
}

static void on_timer(void *ctx, struct now now)
{
	struct as_edge_keks *edge = ctx;
	(void)now;
	if (edge->calling || edge->walking)
		io_timer_start(edge->timer, ASK_AGAIN, 0);
	else
		call(edge, IO_HTTP_GET, "http://lamppost/keks", NULL, on_list);
}

/* --- bringing there ------------------------------------------------------------------------------------------- */

static uint32_t version_there(const struct as_edge_keks *edge, const char *label)
{
	return (uint32_t)json_integer_value(json_object_get(edge->there, label));
}

static void set_problem(struct as_edge_keks *edge, const char *label, const char *problem)
{
	/* A store that fails fails the turn as well. */
	if (as_store_kek_set_problem(edge->store, label, problem) != ST_OK)
		as_store_abandon(edge->store);
}

/* A refusal is the world's word, in the join server's own words where it has some. */
static void refused(struct as_edge_keks *edge, const struct io_http_answer *answer)
{
	char text[AS_KEK_PROBLEM_MAX], quoted[AS_KEK_PROBLEM_MAX + 40];
	json_t *body = json_loadb((const char *)answer->body, answer->length, 0, NULL);
	const char *detail = json_string_value(json_object_get(body, "detail"));
	snprintf(text, sizeof text, "%.190s", detail ? detail : "the join server does not take it");
	json_decref(body);
	edge->refused++;
	LOG_WARN("kek_refused", "label=%s version=%" PRIu32 " code=%d reason=%s", edge->kek.label,
		 edge->kek.version, answer->code, log_quote(quoted, sizeof quoted, text));
	set_problem(edge, edge->kek.label, text);
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_keks *edge = ctx;
	(void)now, (void)id;
	edge->calling = false;
	bool answered = answer->status == ST_OK;
	bool gone = edge->kek.given_up && answered && answer->code == 404;
	if (answered && ((answer->code >= 200 && answer->code < 300) || gone)) {
		LOG_INFO("kek_applied", "label=%s version=%" PRIu32 " given_up=%s", edge->kek.label,
			 edge->kek.version, edge->kek.given_up ? "true" : "false");
		if (edge->kek.given_up)
			json_object_del(edge->there, edge->kek.label);
		else
			json_object_set_new(edge->there, edge->kek.label, json_integer(edge->kek.version));
	} else if (answered && (answer->code == 409 || answer->code == 422))
		refused(edge, answer);
	else
		fail(edge, edge->kek.given_up ? "forget" : "put", answer->code, answer->reason);
}

static void put(struct as_edge_keks *edge, const char *url)
{
	char sealed[BASE64_ROOM(SEALED_KEK_LENGTH)];
	base64_encode(sealed, edge->kek.sealed, sizeof edge->kek.sealed);
	json_t *body = json_pack("{sI ss ss}", "version", (json_int_t)edge->kek.version, "sealed", sealed,
				 "who", "application-server");
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	ASSERT(text);
	call(edge, IO_HTTP_PUT, url, text, on_done);
	free(text);
}

/* What is to be done about the KEK at hand. */
static void settle(struct as_edge_keks *edge)
{
	char url[120];
	const struct as_agency_kek *kek = &edge->kek;
	uint32_t there = version_there(edge, kek->label);
	if (kek->given_up && there) {
		/* The agency's word counts for more than envelopes that it can open itself. */
		snprintf(url, sizeof url, "http://lamppost/keks/%s?force=true&who=application-server",
			 kek->label);
		call(edge, IO_HTTP_DELETE, url, NULL, on_done);
	} else if (!kek->given_up && there < kek->version && !kek->problem[0]) {
		snprintf(url, sizeof url, "http://lamppost/keks/%s", kek->label);
		put(edge, url);
	} else if (!kek->given_up && there > kek->version && !kek->problem[0]) {
		char problem[AS_KEK_PROBLEM_MAX];
		snprintf(problem, sizeof problem,
			 "the join server has version %" PRIu32
			 " of it: this city.db is older; lamppost agency kek rotate until the version is "
			 "above that",
			 there);
		set_problem(edge, kek->label, problem);
	}
}

void as_edge_keks_drain(struct as_edge_keks *edge)
{
	if (!edge->walking && !edge->calling && edge->reached &&
	    edge->version != as_store_keks_version(edge->store))
		call(edge, IO_HTTP_GET, "http://lamppost/keks", NULL, on_list);
	while (edge->walking && !edge->calling) {
		enum status status = as_store_kek_next(edge->store, edge->at, &edge->kek);
		if (status != ST_OK) {
			edge->walking = false;
			if (status != ST_NOT_FOUND)
				fail(edge, "store", 0, "the store failed");
			return;
		}
		memcpy(edge->at, edge->kek.label, sizeof edge->at);
		settle(edge);
	}
}

bool as_edge_keks_is_applied(void *ctx, const struct as_agency_kek *kek)
{
	const struct as_edge_keks *edge = ctx;
	return edge->there && version_there(edge, kek->label) >= kek->version;
}

/* --- life ------------------------------------------------------------------------------------------------------ */

enum status as_edge_keks_open(struct as_edge_keks *edge, struct io_loop *loop, struct as_store *store,
			      const char *run_dir)
{
	*edge = (struct as_edge_keks){.store = store, .delay = DELAY_FIRST};
	snprintf(edge->socket, sizeof edge->socket, "%s/join.sock", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = 4});
	if (!edge->client)
		return ST_NO_MEMORY;
	edge->timer = io_timer_new(loop, on_timer, edge);
	io_timer_start(edge->timer, 1, 0);
	return ST_OK;
}

void as_edge_keks_close(struct as_edge_keks *edge)
{
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	json_decref(edge->there);
	*edge = (struct as_edge_keks){.store = NULL};
}
