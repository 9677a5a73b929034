#include "application-server/edge_app_keys.h"

#include "application-server/custody.h"
#include "common/backend/ts002.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

#define DELAY_FIRST (100 * US_PER_MS)
#define DELAY_MAX   (5 * US_PER_S)
#define AGAIN       (3600 * US_PER_S)
#define GIVEN_UP    (24 * AGAIN)

static struct bi_message request_of(const struct as_edge_app_keys *edge)
{
	struct bi_message message = {.envelope = {.type = BI_APP_S_KEY_REQ,
						  .protocol = BI_PROTOCOL_1_0,
						  .sender_id = "application-server",
						  .transaction_id = edge->transaction}};
	lw_eui64_format(message.envelope.receiver_id, &edge->held.join_eui);
	message.app_s_key_req.dev_eui = edge->dev_eui;
	message.app_s_key_req.session_key_id.length = edge->held.session_key_id_length;
	memcpy(message.app_s_key_req.session_key_id.bytes, edge->held.session_key_id,
	       edge->held.session_key_id_length);
	return message;
}

static void tell(const struct as_edge_app_keys *edge, enum as_app_key_verdict verdict, const char *result)
{
	char eui[LW_EUI64_TEXT], quoted[80];
	lw_eui64_format(eui, &edge->dev_eui);
	if (verdict == AS_APP_KEY_FETCHED)
		LOG_DEBUG("app_s_key", "dev_eui=%s fetched=true", eui);
	else
		LOG_WARN("app_s_key", "dev_eui=%s fetched=false reason=%s result=%s", eui,
			 as_app_key_reason(verdict), log_quote(quoted, sizeof quoted, result));
}

static void try_again(struct as_edge_app_keys *edge, struct now now, int code, const char *why)
{
	bool first = edge->delay == DELAY_FIRST;
	if (first)
		tell(edge, AS_APP_KEY_NO_ANSWER, why);
	as_custody_on_no_app_key(edge->app, now, &edge->dev_eui, code, first);
	edge->waits = true;
	io_timer_start(edge->timer, edge->delay, 0);
	edge->delay = edge->delay * 2 > DELAY_MAX ? DELAY_MAX : edge->delay * 2;
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_app_keys *edge = ctx;
	struct bi_message message, request = request_of(edge);
	struct bi_error error;
	(void)id;
	edge->calling = false;
	if (answer->status != ST_OK || answer->code != 200) {
		try_again(edge, now, answer->code,
			  answer->status == ST_OK ? "not_200" : status_name(answer->status));
		return;
	}
	edge->place = (struct as_held_place){edge->held.created, edge->dev_eui};
	edge->delay = DELAY_FIRST;
	bool is_answer = bi_read((const char *)answer->body, answer->length, &message, &error) &&
			 bi_answer_match(&request.envelope, &message.envelope) == BI_MATCH_OK;
	enum as_app_key_verdict verdict = as_custody_on_app_key(edge->app, now, &edge->dev_eui, &edge->held,
								is_answer ? &message : NULL);
	tell(edge, verdict,
	     is_answer ? bi_result_name(message.envelope.result, message.envelope.protocol) : "no_answer");
	bi_message_wipe(&message);
}

static void ask(struct as_edge_app_keys *edge, struct now now)
{
	char text[BI_WRITTEN_MAX];
	io_http_call_id id;
	edge->transaction++;
	struct bi_message message = request_of(edge);
	size_t length = bi_write(&message, text, sizeof text);
	ASSERT(length > 0);
	const struct io_http_call call = {.method = IO_HTTP_POST,
					  .url = "http://lamppost/",
					  .unix_path = edge->socket,
					  .body = text,
					  .length = length,
					  .answer_limit = BI_BODY_MAX,
					  .on_done = on_done,
					  .ctx = edge};
	edge->calling = io_http_client_start(edge->client, &call, &id) == ST_OK;
	if (!edge->calling)
		try_again(edge, now, 0, "too_many_calls");
}

static void on_timer(void *ctx, struct now now)
{
	struct as_edge_app_keys *edge = ctx;
	(void)now;
	edge->waits = false;
}

void as_edge_app_keys_drain(struct as_edge_app_keys *edge, struct now now)
{
	if (edge->calling || edge->waits)
		return;
	struct wall oldest = {now.wall.us - GIVEN_UP};
	bool begins = edge->began.us == 0 || now.wall.us - edge->began.us >= AGAIN ||
		      now.wall.us < edge->began.us;
	if (begins) {
		edge->began = now.wall;
		edge->place = (struct as_held_place){.after = oldest};
	} else if (edge->place.after.us < oldest.us)
		edge->place = (struct as_held_place){.after = oldest};
	enum status status = as_store_held_to_fetch(edge->app->store, &edge->place, &edge->dev_eui,
						    &edge->held);
	if (status == ST_OK)
		ask(edge, now);
	else if (status != ST_NOT_FOUND)
		try_again(edge, now, 0, "the_store_failed");
}

enum status as_edge_app_keys_open(struct as_edge_app_keys *edge, struct io_loop *loop,
				  struct as_application *app, const char *run_dir)
{
	*edge = (struct as_edge_app_keys){.app = app, .delay = DELAY_FIRST};
	snprintf(edge->socket, sizeof edge->socket, "%s/join.sock", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = 4});
	if (!edge->client)
		return ST_NO_MEMORY;
	edge->timer = io_timer_new(loop, on_timer, edge);
	return ST_OK;
}

void as_edge_app_keys_close(struct as_edge_app_keys *edge)
{
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	*edge = (struct as_edge_app_keys){.app = NULL};
}
