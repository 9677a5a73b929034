#include "simulator/edge_station.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/websocket_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_MAX 10

struct socket {
	struct sim_edge_stations *of;
	size_t gateway;
	io_ws_id id; /* of the connection that the station asked for last; 0: none */
	bool is_open;
	unsigned failures;           /* connections in a row that did not come about */
	struct sim_scenario_tls tls; /* how it proves who it is */
	struct sim_edge_cups *cups;  /* NULL: it does not ask CUPS */
	bool is_sent, has_news;
	struct sim_cups_news news; /* of CUPS, the last */
	char reason[160];          /* of the news */
};

struct sim_edge_stations {
	struct io_ws_client *client;
	struct io_http_client *http;
	struct sim_world *world;
	struct mono start;
	bool once;
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
	if (id != socket->id)
		return;
	socket->is_open = true;
	socket->failures = 0;
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
	/* An LNS that is not there, or does not let it in: CUPS may know better. */
	if (!socket->is_open && ++socket->failures >= FAILURES_MAX && socket->cups != NULL) {
		socket->failures = 0;
		sim_edge_cups_hurry(socket->cups);
	}
}

/* --- what a station does --- */

static const char *or_none(const char *text)
{
	return text[0] != 0 ? text : NULL;
}

static void dial(struct socket *socket, int64_t now_us, const char *uri)
{
	struct sim_world *world = socket->of->world;
	const struct sim_scenario_tls *tls = &socket->tls;
	char header[SIM_PATH + 32];
	const char *headers[] = {header, NULL};
	bool secure = strncmp(uri, "wss://", 6) == 0;
	snprintf(header, sizeof header, "Authorization: Bearer %s", tls->token);
	socket->is_open = false;
	struct io_ws_dial dial = {
		.url = uri,
		.headers = tls->token[0] != 0 ? headers : NULL,
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

/* --- CUPS --- */

/* It goes where it was sent, with what it was given; one that CUPS did not answer goes where it was sent before. */
static void on_news(void *ctx, struct now now, const struct sim_cups_news *news)
{
	struct socket *socket = ctx;
	const struct sim_cups_set *tc = &sim_edge_cups_state(socket->cups)->tc[SIM_CUPS_REG];
	const char *home = sim_world_scenario(socket->of->world)->gateways[socket->gateway].home;
	char error[SIM_HOME_ERROR];
	bool good = news->result == SIM_CUPS_UNCHANGED || news->result == SIM_CUPS_CHANGED;
	(void)now;
	socket->has_news = true;
	socket->news = *news;
	snprintf(socket->reason, sizeof socket->reason, "%s", news->reason);
	socket->news.reason = socket->reason;
	if (tc->uri[0] == 0 || (!good && socket->of->once))
		return;
	if (socket->is_sent && !news->tc_uri && !news->tc_set && news->firmware == 0)
		return;
	if (!sim_home_tls(home, tc, &socket->tls, error)) {
		snprintf(socket->reason, sizeof socket->reason, "%.*s", (int)sizeof socket->reason - 1,
			 error);
		return;
	}
	socket->is_sent = true;
	sim_world_station_sent_to(socket->of->world, socket->gateway, tc->uri);
}

const struct sim_cups_news *sim_edge_stations_news(const struct sim_edge_stations *stations, size_t gateway)
{
	const struct socket *socket = &stations->sockets[gateway];
	return socket->has_news ? &socket->news : NULL;
}

const struct sim_cups *sim_edge_stations_cups(const struct sim_edge_stations *stations, size_t gateway)
{
	return sim_edge_cups_state(stations->sockets[gateway].cups);
}

bool sim_edge_stations_settled(const struct sim_edge_stations *stations, size_t gateway)
{
	return sim_edge_cups_is_over(stations->sockets[gateway].cups);
}

/* --- life --- */

static bool is_lns(const char *lns)
{
	return (strncmp(lns, "ws://", 5) == 0 || strncmp(lns, "wss://", 6) == 0) &&
	       strlen(lns) <= SIM_STATION_URI_MAX;
}

/* What stands in a home of one that does not ask CUPS. */
static bool take_home(struct sim_scenario_gateway *gateway, char error[SIM_HOME_ERROR])
{
	struct sim_cups *cups = malloc(sizeof *cups);
	ASSERT(cups != NULL);
	const struct sim_cups_set *tc = &cups->tc[SIM_CUPS_REG];
	bool good = sim_home_load(gateway->home, &gateway->config.eui, cups, error) &&
		    sim_home_tls(gateway->home, tc, &gateway->tls, error);
	if (good && gateway->lns[0] == 0)
		snprintf(gateway->lns, sizeof gateway->lns, "%s", tc->uri);
	explicit_bzero(cups, sizeof *cups);
	free(cups);
	return good;
}

bool sim_edge_stations_prepare(struct sim_scenario *scenario, const char *lns)
{
	char error[SIM_HOME_ERROR];
	for (size_t i = 0; i < scenario->gateway_count; i++) {
		struct sim_scenario_gateway *gateway = &scenario->gateways[i];
		if (!gateway->config.is_station || gateway->cups)
			continue;
		if (gateway->home[0] != 0 ? !take_home(gateway, error)
					  : !sim_home_files(&gateway->tls, error)) {
			fprintf(stderr, "lamppost-sim: %s\n", error);
			return false;
		}
		if (gateway->lns[0] == 0)
			snprintf(gateway->lns, sizeof gateway->lns, "%s", lns);
		if (!is_lns(gateway->lns)) {
			fprintf(stderr,
				"lamppost-sim: --lns %s, or a gateway's: expected ws[s]://HOST:PORT\n",
				gateway->lns);
			return false;
		}
	}
	return true;
}

static bool ask_cups(struct sim_edge_stations *of, struct io_loop *loop, size_t g)
{
	const struct sim_scenario_gateway *from = &sim_world_scenario(of->world)->gateways[g];
	char error[SIM_HOME_ERROR];
	const struct sim_cups_options options = {.home = from->home,
						 .eui = from->config.eui,
						 .every_us = from->cups_every_us,
						 .once = of->once,
						 .on_news = on_news,
						 .ctx = &of->sockets[g]};
	of->sockets[g].cups = sim_edge_cups_new(loop, of->http, &options, error);
	if (of->sockets[g].cups == NULL)
		fprintf(stderr, "lamppost-sim: %s\n", error);
	return of->sockets[g].cups != NULL;
}

struct sim_edge_stations *sim_edge_stations_new(struct io_loop *loop, struct sim_world *world,
						struct mono start, bool once, bool *failed)
{
	const struct sim_scenario *scenario = sim_world_scenario(world);
	size_t count = 0;
	*failed = false;
	for (size_t g = 0; g < scenario->gateway_count; g++)
		count += scenario->gateways[g].config.is_station;
	if (count == 0)
		return NULL;
	struct sim_edge_stations *of = calloc(1, sizeof *of);
	ASSERT(of != NULL);
	of->world = world;
	of->start = start;
	of->once = once;
	of->client = io_ws_client_new(loop, NULL);
	of->http = io_http_client_new(loop, NULL);
	of->sockets = calloc(scenario->gateway_count, sizeof *of->sockets);
	ASSERT(of->client != NULL && of->http != NULL && of->sockets != NULL);
	sim_world_connect_stations(world, (struct sim_station_port){act, of});
	for (size_t g = 0; g < scenario->gateway_count && !*failed; g++) {
		of->sockets[g] = (struct socket){.of = of, .gateway = g, .tls = scenario->gateways[g].tls};
		*failed = scenario->gateways[g].cups && !ask_cups(of, loop, g);
	}
	return of;
}

void sim_edge_stations_free(struct sim_edge_stations *stations)
{
	if (stations == NULL)
		return;
	for (size_t g = 0; g < sim_world_scenario(stations->world)->gateway_count; g++)
		sim_edge_cups_free(stations->sockets[g].cups);
	io_http_client_free(stations->http);
	io_ws_client_free(stations->client);
	free(stations->sockets);
	free(stations);
}
