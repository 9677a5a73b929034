#include "simulator/edge_station.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/websocket_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct socket {
	struct sim_edge_stations *of;
	size_t gateway;
	io_ws_id id; /* of the connection that the station asked for last; 0: none */
	char header[SIM_PATH + 32];
};

struct sim_edge_stations {
	struct io_ws_client *client;
	struct sim_world *world;
	struct mono start;
	struct socket *sockets; /* by gateway */
};

static int64_t world_us(const struct socket *socket, struct now now)
{
	return mono_since(now.mono, socket->of->start);
}

/* --- what happens at a socket; only the latest connection is the station's --- */

static void on_open(void *ctx, struct now now, io_ws_id id)
{
	struct socket *socket = ctx;
	if (id == socket->id)
		sim_world_station_opened(socket->of->world, world_us(socket, now), socket->gateway);
}

static void on_message(void *ctx, struct now now, io_ws_id id, bool text, const uint8_t *bytes, size_t length)
{
	struct socket *socket = ctx;
	if (id == socket->id && text)
		sim_world_station_text(socket->of->world, world_us(socket, now), socket->gateway,
				       (const char *)bytes, length);
}

static void on_close(void *ctx, struct now now, io_ws_id id, enum io_ws_reason reason, uint16_t code)
{
	struct socket *socket = ctx;
	(void)reason;
	(void)code;
	if (id != socket->id)
		return;
	socket->id = 0;
	sim_world_station_closed(socket->of->world, world_us(socket, now), socket->gateway);
}

/* --- what a station does --- */

static const char *or_none(const char *text)
{
	return text[0] != 0 ? text : NULL;
}

static void dial(struct socket *socket, int64_t now_us, const char *uri)
{
	struct sim_world *world = socket->of->world;
	const struct sim_scenario_tls *tls = &sim_world_scenario(world)->gateways[socket->gateway].tls;
	const char *headers[] = {socket->header, NULL};
	bool secure = strncmp(uri, "wss://", 6) == 0;
	struct io_ws_dial dial = {
		.url = uri,
		.headers = socket->header[0] != 0 ? headers : NULL,
		.ca_file = secure ? or_none(tls->trust) : NULL,
		.cert_file = secure ? or_none(tls->certificate) : NULL,
		.key_file = secure ? or_none(tls->key) : NULL,
		.server_name = secure ? or_none(tls->server_name) : NULL,
		.tls_1_2_only = true,
		.session = {.events = {.on_open = on_open, .on_message = on_message, .on_close = on_close},
			    .ctx = socket}};
	if (io_ws_client_dial(socket->of->client, &dial, &socket->id) != ST_OK) {
		socket->id = 0;
		sim_world_station_closed(world, now_us, socket->gateway);
	}
}

static void act(void *ctx, int64_t now_us, size_t gateway, const struct sim_station_act *act)
{
	struct sim_edge_stations *of = ctx;
	struct socket *socket = &of->sockets[gateway];
	io_ws_id id = socket->id;
	switch (act->kind) {
	case SIM_STATION_OPEN: dial(socket, now_us, act->text); break;
	case SIM_STATION_SAY:
		/* What finds no room is lost with its connection, whose end is told. */
		if (id != 0)
			(void)!io_ws_client_send(of->client, id, true, act->text, act->length);
		break;
	case SIM_STATION_SHUT:
		socket->id = 0;
		if (id != 0)
			io_ws_client_close(of->client, id, 1000, NULL);
		break;
	case SIM_STATION_CUT:
		socket->id = 0;
		if (id != 0)
			io_ws_client_cut(of->client, id, true);
		break;
	}
}

/* --- life --- */

bool sim_edge_stations_set_lns(struct sim_scenario *scenario, const char *lns)
{
	if ((strncmp(lns, "ws://", 5) != 0 && strncmp(lns, "wss://", 6) != 0) ||
	    strlen(lns) > SIM_STATION_URI_MAX)
		return false;
	for (size_t i = 0; i < scenario->gateway_count; i++) {
		struct sim_scenario_gateway *gateway = &scenario->gateways[i];
		if (gateway->config.is_station && gateway->lns[0] == 0)
			snprintf(gateway->lns, sizeof gateway->lns, "%s", lns);
	}
	return true;
}

struct sim_edge_stations *sim_edge_stations_new(struct io_loop *loop, struct sim_world *world,
						struct mono start)
{
	const struct sim_scenario *scenario = sim_world_scenario(world);
	size_t count = 0;
	for (size_t g = 0; g < scenario->gateway_count; g++)
		count += scenario->gateways[g].config.is_station;
	if (count == 0)
		return NULL;
	struct sim_edge_stations *of = calloc(1, sizeof *of);
	ASSERT(of != NULL);
	of->world = world;
	of->start = start;
	of->client = io_ws_client_new(loop, NULL);
	of->sockets = calloc(scenario->gateway_count, sizeof *of->sockets);
	ASSERT(of->client != NULL && of->sockets != NULL);
	for (size_t g = 0; g < scenario->gateway_count; g++) {
		const char *token = scenario->gateways[g].tls.token;
		of->sockets[g] = (struct socket){.of = of, .gateway = g};
		if (token[0] != 0)
			snprintf(of->sockets[g].header, sizeof of->sockets[g].header,
				 "Authorization: Bearer %s", token);
	}
	sim_world_connect_stations(world, (struct sim_station_port){act, of});
	return of;
}

void sim_edge_stations_free(struct sim_edge_stations *stations)
{
	if (stations == NULL)
		return;
	io_ws_client_free(stations->client);
	free(stations->sockets);
	free(stations);
}
