#include "application-server/edge_app_keys.h"

#include "application-server/custody.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/rng.h"

#include <stdio.h>
#include <string.h>

#define DELAY_FIRST (100 * US_PER_MS)
#define DELAY_MAX   (5 * US_PER_S)
#define AGAIN       (3600 * US_PER_S)
#define GIVEN_UP    (24 * AGAIN)
#define SLICE       64 /* sessions of other lanes that are passed over in one turn */

static bool is_ours(const struct as_app_key_lane *lane)
{
	return lane == &lane->edge->ours;
}

static struct bi_message request_of(const struct as_app_key_lane *lane)
{
	const char *as_id = lane->server.as_id[0] ? lane->server.as_id : "application-server";
	struct bi_message message = {.envelope = {.type = BI_APP_S_KEY_REQ,
						  .protocol = lane->server.protocol,
						  .transaction_id = lane->transaction}};
	snprintf(message.envelope.sender_id, sizeof message.envelope.sender_id, "%s", as_id);
	lw_eui64_format(message.envelope.receiver_id, &lane->held.join_eui);
	message.app_s_key_req.dev_eui = lane->dev_eui;
	message.app_s_key_req.session_key_id.length = lane->held.session_key_id_length;
	memcpy(message.app_s_key_req.session_key_id.bytes, lane->held.session_key_id,
	       lane->held.session_key_id_length);
	return message;
}

static void tell(const struct as_app_key_lane *lane, enum as_app_key_verdict verdict, const char *result)
{
	char eui[LW_EUI64_TEXT], quoted[80];
	lw_eui64_format(eui, &lane->dev_eui);
	if (verdict == AS_APP_KEY_FETCHED)
		LOG_DEBUG("app_s_key", "dev_eui=%s server=\"%s\" fetched=true", eui, lane->server.name);
	else
		LOG_WARN("app_s_key", "dev_eui=%s server=\"%s\" fetched=false reason=%s result=%s", eui,
			 lane->server.name, as_app_key_reason(verdict),
			 log_quote(quoted, sizeof quoted, result));
}

static void try_again(struct as_app_key_lane *lane, struct now now, int code, const char *why)
{
	bool first = lane->delay == DELAY_FIRST;
	if (first)
		tell(lane, AS_APP_KEY_NO_ANSWER, why);
	as_custody_on_no_app_key(lane->edge->app, now, &lane->dev_eui, code, first);
	lane->waits = true;
	io_timer_start(lane->timer, lane->delay, 0);
	lane->delay = lane->delay * 2 > DELAY_MAX ? DELAY_MAX : lane->delay * 2;
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_app_key_lane *lane = ctx;
	struct bi_message message, request = request_of(lane);
	struct bi_error error;
	(void)id;
	lane->calling = false;
	if (answer->status != ST_OK || answer->code != 200) {
		try_again(lane, now, answer->code,
			  answer->status == ST_OK ? "not_200" : status_name(answer->status));
		return;
	}
	lane->place = (struct as_held_place){lane->held.created, lane->dev_eui};
	lane->delay = DELAY_FIRST;
	bool is_answer = bi_read((const char *)answer->body, answer->length, &message, &error) &&
			 bi_answer_match(&request.envelope, &message.envelope) == BI_MATCH_OK;
	enum as_app_key_verdict verdict = as_custody_on_app_key(lane->edge->app, now, &lane->dev_eui,
								&lane->held, is_answer ? &message : NULL);
	tell(lane, verdict,
	     is_answer ? bi_result_name(message.envelope.result, message.envelope.protocol) : "no_answer");
	bi_message_wipe(&message);
}

static void ask(struct as_app_key_lane *lane, struct now now)
{
	char text[BI_WRITTEN_MAX];
	io_http_call_id id;
	lane->transaction++;
	lane->calls++;
	struct bi_message message = request_of(lane);
	size_t length = bi_write(&message, text, sizeof text);
	ASSERT(length > 0);
	struct io_http_call call = {.method = IO_HTTP_POST,
				    .url = "http://lamppost/",
				    .body = text,
				    .length = length,
				    .answer_limit = BI_BODY_MAX,
				    .on_done = on_done,
				    .ctx = lane};
	if (is_ours(lane)) {
		call.unix_path = lane->edge->socket;
	} else {
		call.url = lane->server.url;
		call.timeout = lane->server.timeout;
		io_http_identity_use(&lane->identity, &call);
	}
	lane->calling = io_http_client_start(lane->client, &call, &id) == ST_OK;
	if (!lane->calling)
		try_again(lane, now, 0, "too_many_calls");
}

static void on_timer(void *ctx, struct now now)
{
	struct as_app_key_lane *lane = ctx;
	(void)now;
	lane->waits = false;
}

/* Whether the session at hand is to be asked for by another lane. */
static bool is_anothers(const struct as_app_key_lane *lane)
{
	const struct as_edge_app_keys *edge = lane->edge;
	uint8_t place = bi_join_server_for(edge->servers, edge->count, &lane->held.join_eui);
	return lane != (place == BI_JOIN_SERVER_NONE ? &edge->ours : edge->lanes[place]);
}

/* The next session of the lane; ST_FULL: a slice of others' was passed over, and the walk goes on later. */
static enum status find(struct as_app_key_lane *lane)
{
	for (unsigned passed = 0; passed < SLICE; passed++) {
		enum status status = as_store_held_to_fetch(lane->edge->app->store, &lane->place,
							    &lane->dev_eui, &lane->held);
		if (status != ST_OK || !is_anothers(lane))
			return status;
		lane->place = (struct as_held_place){lane->held.created, lane->dev_eui};
	}
	return ST_FULL;
}

static void drain(struct as_app_key_lane *lane, struct now now)
{
	if (lane->calling || lane->waits)
		return;
	struct wall oldest = {now.wall.us - GIVEN_UP};
	bool begins = lane->began.us == 0 || now.wall.us - lane->began.us >= AGAIN ||
		      now.wall.us < lane->began.us;
	if (begins) {
		lane->began = now.wall;
		lane->place = (struct as_held_place){.after = oldest};
	} else if (lane->place.after.us < oldest.us)
		lane->place = (struct as_held_place){.after = oldest};
	switch (find(lane)) {
	case ST_OK: ask(lane, now); break;
	case ST_NOT_FOUND: break;
	case ST_FULL:
		lane->waits = true;
		io_timer_start(lane->timer, US_PER_MS, 0);
		break;
	default: try_again(lane, now, 0, "the_store_failed");
	}
}

void as_edge_app_keys_drain(struct as_edge_app_keys *edge, struct now now)
{
	drain(&edge->ours, now);
	for (uint8_t i = 0; i < edge->count; i++)
		drain(edge->lanes[i], now);
}

void as_app_key_lane_open(struct as_app_key_lane *lane, struct as_edge_app_keys *edge)
{
	lane->edge = edge;
	lane->delay = DELAY_FIRST;
	lane->transaction = rng_u32(edge->app->rng); /* no call of an earlier run has it */
	lane->client = io_http_client_new(edge->loop, &(struct io_http_client_options){.max_calls = 4});
	lane->timer = io_timer_new(edge->loop, on_timer, lane);
}

enum status as_edge_app_keys_open(struct as_edge_app_keys *edge, struct io_loop *loop,
				  struct as_application *app, const char *run_dir)
{
	*edge = (struct as_edge_app_keys){.app = app, .loop = loop};
	snprintf(edge->socket, sizeof edge->socket, "%s/join.sock", run_dir);
	as_app_key_lane_open(&edge->ours, edge);
	return ST_OK;
}

void as_edge_app_keys_close(struct as_edge_app_keys *edge)
{
	struct as_app_key_change nothing = {.count = 0};
	if (!edge->app)
		return;
	as_edge_app_keys_take_over(edge, &nothing);
	io_http_client_free(edge->ours.client);
	io_timer_free(edge->ours.timer);
	*edge = (struct as_edge_app_keys){.app = NULL};
}
