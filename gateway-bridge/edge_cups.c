#include "gateway-bridge/edge_cups.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"
#include "gateway-bridge/edge_address.h"
#include "gateway-bridge/edge_cups_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY   (2 * US_PER_S)
#define LOOKS_AGAIN  15 /* after the address was refused, unless its files are other ones */
#define ASK_WITHIN   (2 * US_PER_S)
#define BODY_LIMIT   8192
#define ANSWER_LIMIT GB_JSON_TEXT_MAX
#define SEGMENTS_MAX (2 * GB_CUPS_CREDENTIALS + 1024)
#define STREAM_ROOM  (2u << 20)
#define OCTETS       "application/octet-stream"

/* --- the answer ---------------------------------------------------------------------------------------------------- */

static void forget(struct gb_cups_asking *asking)
{
	struct gb_cups_edge *edge = asking->edge;
	*asking = (struct gb_cups_asking){.edge = edge};
}

static size_t segments_of(const struct gb_cups_told *told, uint8_t *bytes, size_t capacity)
{
	const struct gb_cups_update update = {
		.cups_uri = told->cups_uri,
		.tc_uri = told->tc_uri,
		.cups_credentials = told->cups_credentials,
		.cups_credentials_length = told->cups_credentials_length,
		.tc_credentials = told->tc_credentials,
		.tc_credentials_length = told->tc_credentials_length,
		.key_crc = told->key_crc,
		.signature = told->signature,
		.signature_length = told->firmware ? told->signature_length : 0,
		.firmware_length = told->firmware ? (size_t)told->firmware_size : 0,
	};
	struct wr wr = wr_init(bytes, capacity);
	return gb_cups_answer(&wr, &update) ? wr_length(&wr) : 0;
}

static size_t streams(const struct gb_cups_edge *edge)
{
	size_t count = 0;
	for (size_t i = 0; i < GB_CUPS_ASKING; i++)
		count += edge->askings[i].size > 0;
	return count;
}

/* Answers with what is to change; zeroed: nothing. */
static void answer(struct gb_cups_asking *asking, struct now now, struct gb_cups_told *told)
{
	struct gb_cups_edge *edge = asking->edge;
	uint8_t bytes[SEGMENTS_MAX];
	if (told->firmware && streams(edge) == GB_CUPS_STREAMS)
		told->firmware = 0; /* there is no place for it now: it is offered again */
	size_t length = segments_of(told, bytes, sizeof bytes);
	if (length == 0) {
		memset(told, 0, sizeof *told);
		length = segments_of(told, bytes, sizeof bytes);
	}
	if (told->firmware) {
		asking->firmware = told->firmware;
		asking->size = told->firmware_size;
		gb_cups_stream_begin(asking, now, bytes, length);
	} else {
		enum status sent = io_http_reply(edge->server, asking->exchange, 200, OCTETS, bytes, length);
		(void)sent; /* the station may have gone */
		forget(asking);
	}
	secret_wipe(bytes, sizeof bytes);
}

static void on_answer(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct gb_cups_asking *asking = ctx;
	struct gb_cups_edge *edge = asking->edge;
	(void)id;
	asking->call = 0;
	memset(edge->told, 0, sizeof *edge->told);
	bool good = said->status == ST_OK && said->code == 200 &&
		    gb_cups_told_read(edge->json, (const char *)said->body, said->length, edge->told);
	if (!good) {
		edge->unanswered++;
		LOG_WARN("cups_unanswered", "code=%d reason=\"%s\"", said->code, said->reason);
	}
	answer(asking, now, edge->told);
	secret_wipe(edge->told, sizeof *edge->told);
}

/* --- the question -------------------------------------------------------------------------------------------------- */

static void say(struct gb_cups_edge *edge, io_http_exchange exchange, int status)
{
	enum status sent = io_http_reply(edge->server, exchange, status, OCTETS, "", 0);
	(void)sent;
}

static struct gb_cups_asking *place_for(struct gb_cups_edge *edge)
{
	for (size_t i = 0; i < GB_CUPS_ASKING; i++)
		if (edge->askings[i].exchange == 0)
			return &edge->askings[i];
	return NULL;
}

static void ask(struct gb_cups_edge *edge, struct now now, io_http_exchange exchange,
		const struct gb_cups_question *question, const struct gb_presented *presented)
{
	char url[96], eui[LW_EUI64_TEXT], text[GB_CUPS_ASK_TEXT];
	struct gb_cups_asking none = {.edge = edge, .exchange = exchange}, *asking = place_for(edge);
	if (asking)
		*asking = none;
	lw_eui64_format(eui, &question->router);
	snprintf(url, sizeof url, "http://lamppost/api/v1/gateways/%s/cups", eui);
	gb_cups_ask_write(text, question, presented);
	if (asking)
		asking->eui = question->router;
	const struct io_http_call call = {.method = IO_HTTP_POST,
					  .url = url,
					  .unix_path = edge->socket,
					  .body = text,
					  .length = strlen(text),
					  .timeout = ASK_WITHIN,
					  .answer_limit = ANSWER_LIMIT,
					  .on_done = on_answer,
					  .ctx = asking};
	if (asking && io_http_client_start(edge->client, &call, &asking->call) == ST_OK)
		return;
	edge->unanswered++;
	memset(edge->told, 0, sizeof *edge->told);
	answer(asking ? asking : &none, now, edge->told);
}

static void on_update_info(void *ctx, struct now now, const struct io_http_request *request)
{
	struct gb_cups_edge *edge = ctx;
	struct gb_cups_question question;
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	io_http_exchange exchange = io_http_request_exchange(request);
	const struct gb_address from = gb_address_from_io(io_http_request_from(request));
	struct gb_presented presented = gb_tls_presented(request);
	enum gb_verdict verdict = gb_cups_question(edge->json, (const char *)body, length, &question);
	edge->asked++;
	if (verdict != GB_ACCEPTED) {
		gb_bridge_refuse_cups(edge->bridge, now, verdict, length, &from);
		say(edge, exchange, 400);
	} else if (gb_bridge_admit_cups(edge->bridge, now, &question.router, &presented, &from) !=
		   GB_ACCEPTED) {
		edge->refusals++;
		say(edge, exchange, 401);
	} else {
		ask(edge, now, exchange, &question, &presented);
	}
	edge->after(edge->ctx, now);
}

static void on_gone(void *ctx, struct now now, io_http_exchange exchange)
{
	struct gb_cups_edge *edge = ctx;
	(void)now;
	for (size_t i = 0; i < GB_CUPS_ASKING; i++)
		if (edge->askings[i].exchange == exchange)
			gb_cups_asking_end(&edge->askings[i]);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static enum status listen_now(struct gb_cups_edge *edge)
{
	static const struct io_http_route routes[] = {{IO_HTTP_POST, "/update-info", on_update_info}};
	char host[GB_HOST_MAX];
	uint16_t port;
	bool parsed = gb_listen_parse(edge->config->cups_listen.items[0], host, &port);
	ASSERT(parsed); /* the row's check let it pass */
	const struct io_http_server_options options = {.host = host,
						       .port = port,
						       .listen_fd = edge->handed_over,
						       .backlog = 1024,
						       .cert_file = edge->files.certificate,
						       .key_file = edge->files.key,
						       .ca_file = edge->files.ca,
						       .client_certificates = IO_TLS_CLIENTS_OPTIONAL,
						       .admission = {.source_handshakes_per_s = 200},
						       .max_connections = 2 * GB_CUPS_ASKING,
						       .body_limit = BODY_LIMIT,
						       .stream_buffer = STREAM_ROOM,
						       .on_gone = on_gone,
						       .ctx = edge};
	enum status status = io_http_server_open(edge->loop, &options, &edge->server);
	if (status != ST_OK)
		return status;
	edge->handed_over = 0; /* the server's now */
	io_http_server_add(edge->server, routes, ARRAY_SIZE(routes), edge);
	LOG_INFO("cups_listens", "address=%s", edge->config->cups_listen.items[0]);
	return ST_OK;
}

static void look(struct gb_cups_edge *edge)
{
	enum gb_tls_look found = gb_tls_files_look(&edge->files);
	if (found == GB_TLS_MISSING && !edge->server && !edge->said) {
		LOG_INFO("cups_waits", "address=%s missing=\"%s, its key or the CA\"",
			 edge->config->cups_listen.items[0], edge->files.certificate);
		edge->said = true;
	}
	if (found == GB_TLS_MISSING)
		return;
	/* A pair that is being written: look again. */
	if (edge->server && found == GB_TLS_NEW && io_http_server_reload_tls(edge->server) != ST_OK)
		memset(edge->files.stamps, 0, sizeof edge->files.stamps);
	if (edge->server || (edge->refused && found != GB_TLS_NEW && ++edge->looks < LOOKS_AGAIN))
		return;
	edge->looks = 0;
	enum status status = listen_now(edge);
	if (status != ST_OK && !edge->refused)
		LOG_ERROR("cups_listen_refused", "address=%s status=%s", edge->config->cups_listen.items[0],
			  status_name(status));
	edge->refused = status != ST_OK;
}

static void on_look(void *ctx, struct now now)
{
	(void)now;
	look(ctx);
}

void gb_cups_edge_open(struct gb_cups_edge *edge, struct io_loop *loop, struct gb_bridge *bridge,
		       const struct gb_config *config, const struct config_common *common)
{
	edge->loop = loop;
	edge->bridge = bridge;
	edge->config = config;
	for (size_t i = 0; i < GB_CUPS_ASKING; i++)
		edge->askings[i].edge = edge;
	if (config->cups_listen.count == 0)
		return;
	edge->json = gb_json_new();
	edge->told = calloc(1, sizeof *edge->told);
	edge->client = io_http_client_new(loop,
					  &(struct io_http_client_options){.max_calls = 2 * GB_CUPS_ASKING});
	ASSERT(edge->told && edge->client);
	snprintf(edge->socket, sizeof edge->socket, "%s/city.sock", common->run_dir);
	gb_tls_files_init(&edge->files, config, common->state_dir);
	edge->look = io_timer_new(loop, on_look, edge);
	edge->feed = io_timer_new(loop, gb_cups_feed, edge);
	io_timer_start(edge->look, LOOK_EVERY, LOOK_EVERY);
	look(edge);
}

void gb_cups_edge_release(struct gb_cups_edge *edge)
{
	io_http_server_free(edge->server);
	io_http_client_free(edge->client);
	io_timer_free(edge->look);
	io_timer_free(edge->feed);
	gb_json_free(edge->json);
	free(edge->told);
}
