#include "join-server/edge_answers.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A peer that a reload took away has no state. */
static struct js_peer_state *state_of(struct js_edge_joins *edge, const char *name)
{
	for (size_t i = 0; i < edge->peers.count; i++)
		if (strcmp(edge->peers.peers[i].name, name) == 0)
			return &edge->peers.states[i];
	return NULL;
}

static void finish(struct js_edge_joins *edge, struct js_answer_slot *slot, bool arrived)
{
	struct js_peer_state *state = state_of(edge, slot->peer);
	if (state) {
		state->waiting -= state->waiting > 0;
		state->answers += arrived;
		state->answers_failed += !arrived;
	}
	edge->counters.posted += arrived;
	edge->counters.given_up += !arrived;
	secret_wipe(slot, sizeof *slot);
}

static void try_later(struct js_edge_joins *edge, struct now now, struct js_answer_slot *slot)
{
	edge->counters.post_failures++;
	if (slot->tries == JS_ANSWER_TRIES) {
		LOG_WARN("answer_given_up", "peer=\"%s\"", slot->peer);
		finish(edge, slot, false);
		return;
	}
	slot->call = 0;
	slot->due = mono_add(now.mono, JS_ANSWER_WAIT << (slot->tries - 1));
	io_timer_start(edge->timer, JS_ANSWER_WAIT / 5, 0);
}

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct js_edge_joins *edge = ctx;
	struct js_answer_slot *slot = edge->answers;
	while (slot < edge->answers + JS_ANSWERS_MAX && !(slot->used && slot->call == call))
		slot++;
	if (slot == edge->answers + JS_ANSWERS_MAX)
		return;
	bool arrived = answer->status == ST_OK && answer->code >= 200 && answer->code < 300;
	if (arrived) {
		finish(edge, slot, true);
		return;
	}
	LOG_WARN("answer_failed", "peer=\"%s\" status=%s code=%d", slot->peer, status_name(answer->status),
		 answer->code);
	try_later(edge, now, slot);
}

static void post(struct js_edge_joins *edge, struct now now, struct js_answer_slot *slot)
{
	const struct js_config *config = edge->config;
	const struct io_http_call call = {
		.method = IO_HTTP_POST,
		.url = slot->url,
		.body = slot->text,
		.length = slot->length,
		.timeout = JS_ANSWER_TIME,
		.answer_limit = BI_BODY_MAX,
		.ca_file = config->ca,
		.cert_file = config->certificate,
		.key_file = config->key,
		.on_done = on_done,
		.ctx = edge,
	};
	slot->tries++;
	if (io_http_client_start(edge->client, &call, &slot->call) != ST_OK)
		try_later(edge, now, slot);
}

static void on_timer(void *ctx, struct now now)
{
	struct js_edge_joins *edge = ctx;
	bool more = false;
	for (size_t i = 0; i < JS_ANSWERS_MAX; i++) {
		struct js_answer_slot *slot = &edge->answers[i];
		if (!slot->used || slot->call)
			continue;
		if (mono_since(slot->due, now.mono) <= 0)
			post(edge, now, slot);
		else
			more = true;
	}
	if (more)
		io_timer_start(edge->timer, JS_ANSWER_WAIT / 5, 0);
}

void js_answers_add(struct js_edge_joins *edge, struct now now, const struct js_peer *peer, const char *text,
		    size_t length)
{
	struct js_answer_slot *slot = edge->answers;
	while (slot < edge->answers + JS_ANSWERS_MAX && slot->used)
		slot++;
	struct js_peer_state *state = js_peer_state(&edge->peers, peer);
	if (slot == edge->answers + JS_ANSWERS_MAX) {
		edge->counters.given_up++;
		state->answers_failed++;
		return;
	}
	*slot = (struct js_answer_slot){.used = true, .length = (uint16_t)length};
	snprintf(slot->peer, sizeof slot->peer, "%s", peer->name);
	snprintf(slot->url, sizeof slot->url, "%s", peer->url);
	memcpy(slot->text, text, length);
	state->waiting++;
	post(edge, now, slot);
}

void js_answers_open(struct js_edge_joins *edge)
{
	const struct io_http_client_options options = {.max_calls = JS_ANSWERS_MAX, .max_connections = 4};
	edge->answers = calloc(JS_ANSWERS_MAX, sizeof *edge->answers);
	ASSERT(edge->answers);
	edge->client = io_http_client_new(edge->loop, &options);
	edge->timer = io_timer_new(edge->loop, on_timer, edge);
}

void js_answers_release(struct js_edge_joins *edge)
{
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	if (edge->answers)
		secret_wipe(edge->answers, JS_ANSWERS_MAX * sizeof *edge->answers);
	free(edge->answers);
	edge->answers = NULL;
}
