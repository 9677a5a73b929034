#include "gateway-bridge/edge_station.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/text/region_yaml.h"
#include "gateway-bridge/edge_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY   (2 * US_PER_S) /* for files that are not there yet, and for new ones */
#define LOOKS_AGAIN  15             /* after the address was refused, unless its files are other ones */
#define SEND_BUFFER  (64u << 10)    /* a station reads 40 kB at most; more waits for nobody */
#define BODY_LIMIT   4096
#define PROBLEM_ROOM 512

/* --- sessions */

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct gb_station_edge *edge = ctx;
	if (text)
		gb_bridge_on_station_text(edge->bridge, now, id, (const char *)bytes, length);
	if (text)
		gb_remote_text(edge->remote, now, id);
	else
		gb_remote_binary(edge->remote, now, id, bytes, length);
	edge->after(edge->ctx, now);
}

static void on_pong(void *ctx, struct now now, io_ws_id id, span_us round_trip)
{
	struct gb_station_edge *edge = ctx;
	gb_bridge_on_station_pong(edge->bridge, now, id, round_trip);
	gb_remote_pong(edge->remote, now, id, round_trip);
	edge->after(edge->ctx, now);
}

static enum gb_station_end end_of(enum io_ws_reason reason)
{
	switch (reason) {
	case IO_WS_PEER_CLOSED:
	case IO_WS_CLOSED_BY_US: return GB_STATION_LEFT;
	case IO_WS_SLOW_READER: return GB_STATION_SLOW;
	case IO_WS_SERVER_STOPS: return GB_STATION_STOPPING;
	case IO_WS_TOO_LONG: return GB_STATION_TOO_LONG;
	case IO_WS_CONNECTION_LOST:
	case IO_WS_PONG_MISSING:
	case IO_WS_NO_MEMORY: return GB_STATION_LOST;
	default: return GB_STATION_BAD_WEBSOCKET;
	}
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	struct gb_station_edge *edge = ctx;
	(void)code;
	gb_bridge_on_station_close(edge->bridge, now, id, end_of(reason));
	gb_remote_closed(edge->remote, now, id);
	edge->after(edge->ctx, now);
}

/* --- requests */

static void refuse(struct gb_station_edge *edge, const struct io_http_request *request, unsigned status,
		   const char *reason)
{
	char body[PROBLEM_ROOM];
	int length = snprintf(body, sizeof body, "{\"status\":%u,\"detail\":\"%s\"}", status, reason);
	enum status sent = io_http_reply(edge->server, io_http_request_exchange(request), (int)status,
					 "application/problem+json", body, (size_t)length);
	(void)sent; /* the peer may have gone */
}

static void open_session(struct gb_station_edge *edge, struct now now, const struct io_http_request *request,
			 enum gb_station_path path, const struct lw_eui64 *eui)
{
	const struct io_ws_options options = {
		.events = {.on_message = on_message, .on_pong = on_pong, .on_close = on_close},
		.ctx = edge,
		.message_max = GB_STATION_TEXT_LIMIT,
		.send_buffer = SEND_BUFFER,
		.ping_interval = -1, /* the core pings, and judges what comes back */
		/* Of a station that never answers a ping: as many pings that its machine did not even take. */
		.unacknowledged = GB_STATION_PONGS_OWED * edge->config->station_ping * US_PER_S,
		.forgive_pong = true};
	const struct gb_presented presented = gb_tls_presented(request);
	char reason[GB_STATION_REASON_MAX];
	const struct gb_station_open open = {.path = path,
					     .eui = *eui,
					     .from = gb_address_from_io(io_http_request_from(request)),
					     .tls = edge->config->station_tls,
					     .presented = &presented,
					     .host = io_http_request_header(request, "Host")};
	unsigned refused = gb_bridge_admit_station(edge->bridge, now, &open, reason);
	io_ws_id id;
	if (refused != 0)
		refuse(edge, request, refused, reason);
	else if (io_ws_accept(request, &options, &id) == ST_OK)
		gb_bridge_on_station_open(edge->bridge, now, id, &open);
	edge->after(edge->ctx, now);
}

static void on_router_info(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct lw_eui64 nobody = {{0}};
	open_session(ctx, now, request, GB_STATION_DISCOVERY, &nobody);
}

static void on_gateway(void *ctx, struct now now, const struct io_http_request *request)
{
	struct lw_eui64 eui;
	if (lw_eui64_parse(io_http_request_param(request, "eui"), &eui))
		open_session(ctx, now, request, GB_STATION_DATA, &eui);
	else
		refuse(ctx, request, 404, "The path names no EUI.");
}

/* --- what the core gives */

void gb_station_edge_drain(struct gb_station_edge *edge)
{
	struct gb_station_out *out = &edge->out;
	while (gb_bridge_take_station(edge->bridge, out)) {
		enum status status = ST_OK;
		if (edge->server == NULL)
			continue;
		switch (out->kind) {
		case GB_STATION_TEXT:
		case GB_STATION_BINARY:
			status = io_ws_send(edge->server, out->id, out->kind == GB_STATION_TEXT, out->bytes,
					    out->length);
			break;
		case GB_STATION_PING: status = io_ws_ping(edge->server, out->id); break;
		case GB_STATION_CLOSE: io_ws_close(edge->server, out->id, out->code, out->reason); break;
		}
		(void)status; /* one that reads too slowly, or has gone: its end is on the way */
	}
}

/* --- life */

static enum status listen_now(struct gb_station_edge *edge)
{
	static const struct io_http_route routes[] = {{IO_HTTP_GET, "/router-info", on_router_info},
						      {IO_HTTP_GET, "/gateway/{eui}", on_gateway}};
	const struct gb_config *config = edge->config;
	bool tls = config->station_tls;
	char host[GB_HOST_MAX];
	uint16_t port;
	bool parsed = gb_listen_parse(config->station_listen.items[0], host, &port);
	ASSERT(parsed); /* the row's check let it pass */
	const struct io_http_server_options options = {
		.host = host,
		.port = port,
		.listen_fd = edge->handed_over,
		.backlog = 4096,
		.cert_file = tls ? edge->files.certificate : NULL,
		.key_file = tls ? edge->files.key : NULL,
		.ca_file = tls ? edge->files.ca : NULL,
		.client_certificates = tls ? IO_TLS_CLIENTS_OPTIONAL : IO_TLS_CLIENTS_NONE,
		.admission = {.source_connections = (unsigned)config->station_per_source},
		.max_connections = GB_STATIONS_MAX,
		.body_limit = BODY_LIMIT};
	enum status status = io_http_server_open(edge->loop, &options, &edge->server);
	if (status != ST_OK)
		return status;
	edge->handed_over = 0; /* the server's now */
	io_http_server_add(edge->server, routes, ARRAY_SIZE(routes), edge);
	LOG_INFO("stations_listen", "address=%s tls=%s", config->station_listen.items[0],
		 tls ? "true" : "false");
	return ST_OK;
}

static void say_waiting(struct gb_station_edge *edge)
{
	if (!edge->waiting_said)
		LOG_INFO("stations_wait", "address=%s missing=\"%s, its key or the CA\"",
			 edge->config->station_listen.items[0], edge->files.certificate);
	edge->waiting_said = true;
}

/* A port that is taken is no reason to end what UDP gateways use: it is looked at again, and said. */
static enum status look(struct gb_station_edge *edge)
{
	enum gb_tls_look found = edge->config->station_tls ? gb_tls_files_look(&edge->files) : GB_TLS_SAME;
	if (found == GB_TLS_MISSING && !edge->server) {
		say_waiting(edge);
		return ST_OK;
	}
	/* The old ones go on; it was logged. A pair that is being written, or cannot be read yet: look again. */
	if (edge->server && found == GB_TLS_NEW && io_http_server_reload_tls(edge->server) != ST_OK)
		memset(edge->files.stamps, 0, sizeof edge->files.stamps);
	if (edge->server)
		return ST_OK;
	if (edge->refused && found != GB_TLS_NEW && ++edge->looks < LOOKS_AGAIN)
		return ST_OK;
	edge->looks = 0;
	enum status status = listen_now(edge);
	if (status != ST_OK && !edge->refused)
		LOG_ERROR("stations_listen_refused", "address=%s status=%s",
			  edge->config->station_listen.items[0], status_name(status));
	edge->refused = status != ST_OK;
	return status == ST_REFUSED ? status : ST_OK;
}

static void on_look(void *ctx, struct now now)
{
	struct gb_station_edge *edge = ctx;
	(void)now;
	enum status status = edge->stopping ? ST_OK : look(edge);
	(void)status; /* refused was told at the start */
}

enum status gb_station_edge_open(struct gb_station_edge *edge, struct io_loop *loop, struct gb_bridge *bridge,
				 const struct gb_config *config, const char *state_dir)
{
	edge->loop = loop;
	edge->bridge = bridge;
	edge->config = config;
	if (config->station_listen.count == 0)
		return ST_OK;
	struct lw_region *regions = calloc(region_source_count, sizeof *regions);
	ASSERT(regions != NULL);
	edge->regions = regions;
	for (size_t i = 0; i < region_source_count; i++) {
		bool loaded = region_load(&regions[i], region_sources[i].id);
		ASSERT(loaded);
	}
	gb_bridge_serve_stations(bridge, &(struct gb_station_service){regions, region_source_count});
	gb_tls_files_init(&edge->files, config, state_dir);
	edge->look = io_timer_new(loop, on_look, edge);
	io_timer_start(edge->look, LOOK_EVERY, LOOK_EVERY);
	return look(edge);
}

struct wall gb_station_edge_certificate_until(const struct gb_station_edge *edge)
{
	return edge->server ? io_http_server_certificate_until(edge->server) : (struct wall){0};
}

void gb_station_edge_stop(struct gb_station_edge *edge)
{
	edge->stopping = true;
	if (edge->server == NULL)
		return;
	io_http_server_stop_accepting(edge->server);
	io_ws_stop(edge->server, 1012, "the gateway bridge restarts");
}

bool gb_station_edge_stopped(const struct gb_station_edge *edge)
{
	return edge->server == NULL || io_http_server_drained(edge->server);
}

void gb_station_edge_release(struct gb_station_edge *edge)
{
	io_timer_free(edge->look);
	io_http_server_free(edge->server);
	edge->server = NULL;
	free(edge->regions);
}
