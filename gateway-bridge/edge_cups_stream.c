/* Firmware: 512 KiB are fetched when less than 256 KiB wait for the station, so that the loop goes on and a slow line holds little
 * memory. A station that takes nothing for a minute is given up; it comes again. */
#include "gateway-bridge/edge_cups_parts.h"

#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FEED_EVERY   (20 * US_PER_MS)
#define FETCH_BELOW  (256u << 10)
#define PIECE_LIMIT  (1u << 20)
#define FETCH_WITHIN (10 * US_PER_S)
#define STALLED      (60 * US_PER_S)

void gb_cups_asking_end(struct gb_cups_asking *asking)
{
	struct gb_cups_edge *edge = asking->edge;
	if (asking->call)
		io_http_client_cancel(edge->client, asking->call);
	*asking = (struct gb_cups_asking){.edge = edge};
}

static void give_up(struct gb_cups_asking *asking, const char *reason)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &asking->eui);
	LOG_WARN("firmware_not_sent", "gateway=%s sent=%" PRIu64 " size=%" PRIu64 " reason=\"%s\"", eui,
		 asking->sent, asking->size, reason);
	io_http_stream_end(asking->edge->server, asking->exchange);
	gb_cups_asking_end(asking);
}

static void on_noted(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	(void)ctx, (void)now, (void)id, (void)said; /* its next question tells more */
}

/* All is sent: the application server notes it. */
static void finish(struct gb_cups_asking *asking)
{
	struct gb_cups_edge *edge = asking->edge;
	char url[112], eui[LW_EUI64_TEXT], body[48];
	io_http_call_id id;
	lw_eui64_format(eui, &asking->eui);
	snprintf(url, sizeof url, "http://lamppost/api/v1/gateways/%s/cups/delivered", eui);
	snprintf(body, sizeof body, "{\"firmware\":%" PRId64 "}", asking->firmware);
	const struct io_http_call call = {.method = IO_HTTP_POST,
					  .url = url,
					  .unix_path = edge->socket,
					  .body = body,
					  .length = strlen(body),
					  .on_done = on_noted,
					  .ctx = edge};
	enum status status = io_http_client_start(edge->client, &call, &id);
	(void)status; /* it stays "offered" then */
	io_http_stream_end(edge->server, asking->exchange);
	gb_cups_asking_end(asking);
}

static void on_piece(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct gb_cups_asking *asking = ctx;
	(void)id;
	asking->call = 0;
	if (said->status != ST_OK || said->code != 200 || said->length == 0 ||
	    said->length > asking->size - asking->sent) {
		give_up(asking, "the application server does not give it");
		return;
	}
	if (io_http_stream_send(asking->edge->server, asking->exchange, said->body, said->length) != ST_OK) {
		gb_cups_asking_end(asking);
		return;
	}
	asking->sent += said->length;
	asking->moved = now.mono;
	if (asking->sent == asking->size)
		finish(asking);
}

static void fetch(struct gb_cups_asking *asking)
{
	struct gb_cups_edge *edge = asking->edge;
	char url[128];
	snprintf(url, sizeof url, "http://lamppost/api/v1/firmware/%" PRId64 "/bytes?offset=%" PRIu64,
		 asking->firmware, asking->sent);
	const struct io_http_call call = {.method = IO_HTTP_GET,
					  .url = url,
					  .unix_path = edge->socket,
					  .timeout = FETCH_WITHIN,
					  .answer_limit = PIECE_LIMIT,
					  .on_done = on_piece,
					  .ctx = asking};
	if (io_http_client_start(edge->client, &call, &asking->call) != ST_OK)
		give_up(asking, "too many calls are under way");
}

void gb_cups_stream_begin(struct gb_cups_asking *asking, struct now now, const uint8_t *head, size_t length)
{
	struct gb_cups_edge *edge = asking->edge;
	asking->moved = now.mono;
	if (io_http_stream_begin_sized(edge->server, asking->exchange, "application/octet-stream",
				       length + asking->size) != ST_OK ||
	    io_http_stream_send(edge->server, asking->exchange, head, length) != ST_OK) {
		gb_cups_asking_end(asking);
		return;
	}
	io_timer_start(edge->feed, FEED_EVERY, FEED_EVERY);
	fetch(asking);
}

void gb_cups_feed(void *ctx, struct now now)
{
	struct gb_cups_edge *edge = ctx;
	bool any = false;
	for (size_t i = 0; i < GB_CUPS_ASKING; i++) {
		struct gb_cups_asking *asking = &edge->askings[i];
		if (asking->size == 0)
			continue;
		any = true;
		size_t queued = io_http_stream_queued(edge->server, asking->exchange);
		if (queued < asking->queued)
			asking->moved = now.mono;
		asking->queued = queued;
		if (mono_since(now.mono, asking->moved) > STALLED)
			give_up(asking, "the station takes nothing");
		else if (asking->call == 0 && queued < FETCH_BELOW)
			fetch(asking);
	}
	if (!any)
		io_timer_stop(edge->feed);
}
