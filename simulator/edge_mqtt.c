/* A forwarder at its broker, as ChirpStack's is: a clean session, command/+ subscribed, then ONLINE, retained; OFFLINE is the last
 * will, and what is said at an orderly end. Events go at QoS 0. A connection that is cut (a fault of the backhaul) is broken
 * without a word, so that the broker says the will, and comes back when the fault is over. */
#include "simulator/edge_mqtt.h"

#include "simulator/chirpstack_gateway.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/mqtt_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_ROOM 128
#define ID_TEXT    17

struct client {
	struct sim_edge_mqtts *of;
	size_t gateway;
	struct io_mqtt *mqtt; /* owned; NULL: cut, or no forwarder */
	char id[ID_TEXT];
};

struct sim_edge_mqtts {
	struct io_loop *loop;
	struct sim_world *world;
	struct mono start;
	struct client *clients; /* by gateway */
};

static const struct sim_scenario_mqtt *settings_of(const struct client *client)
{
	return &sim_world_scenario(client->of->world)->gateways[client->gateway].mqtt;
}

static void topic_of(const struct client *client, const char *what, char topic[TOPIC_ROOM])
{
	const char *prefix = settings_of(client)->prefix;
	snprintf(topic, TOPIC_ROOM, "%s%sgateway/%s/%s", prefix, prefix[0] != 0 ? "/" : "", client->id, what);
}

static int64_t world_us(const struct client *client, struct now now)
{
	return mono_since(now.mono, client->of->start);
}

/* --- what happens at the broker --- */

static void say_state(struct client *client, bool online)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[TOPIC_ROOM];
	topic_of(client, "state/conn", topic);
	(void)!io_mqtt_publish(client->mqtt, topic, bytes,
			       sim_chirpstack_write_conn(bytes, client->id, online), 0, true);
}

static void on_up(void *owner, struct mosquitto *unused)
{
	struct client *client = owner;
	char filter[TOPIC_ROOM];
	(void)unused;
	topic_of(client, "command/+", filter);
	if (io_mqtt_subscribe(client->mqtt, filter, 0) != ST_OK)
		return;
	say_state(client, true);
	sim_world_mqtt_connected(client->of->world, world_us(client, clock_now()), client->gateway, true);
}

static void on_lost(void *owner)
{
	struct client *client = owner;
	sim_world_mqtt_connected(client->of->world, world_us(client, clock_now()), client->gateway, false);
}

static void on_message(void *owner, struct now now, const struct io_mqtt_message *message)
{
	struct client *client = owner;
	char topic[TOPIC_ROOM];
	topic_of(client, "command/down", topic);
	if (strcmp(message->topic, topic) == 0)
		sim_world_mqtt_command(client->of->world, world_us(client, now), client->gateway,
				       message->bytes, message->length);
}

/* --- the connection --- */

/* mqtt[s]://HOST:PORT; false: something else. */
static bool read_broker(const char *url, char host[256], uint16_t *port, bool *tls)
{
	const char *at = url;
	*tls = strncmp(at, "mqtts://", 8) == 0;
	if (!*tls && strncmp(at, "mqtt://", 7) != 0)
		return false;
	at += *tls ? 8 : 7;
	const char *colon = strrchr(at, ':');
	char *end;
	if (colon == NULL || colon == at || colon - at > 255)
		return false;
	unsigned long number = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != 0 || number == 0 || number > 65535)
		return false;
	snprintf(host, 256, "%.*s", (int)(colon - at), at);
	*port = (uint16_t)number;
	return true;
}

static bool connect_client(struct client *client)
{
	const struct sim_scenario_mqtt *settings = settings_of(client);
	char host[256], topic[TOPIC_ROOM], name[40];
	uint8_t offline[SIM_CHIRPSTACK_BODY_ROOM + 1];
	struct io_mqtt_broker broker = {.host = host,
					.username = settings->username,
					.password = settings->password,
					.ca_file = settings->trust,
					.certificate_file = settings->certificate,
					.key_file = settings->key};
	if (!read_broker(settings->broker, host, &broker.port, &broker.tls))
		return false;
	if (!broker.tls)
		broker.ca_file = "";
	topic_of(client, "state/conn", topic);
	/* An OFFLINE has no byte of zero: proto3 leaves the zero out. */
	offline[sim_chirpstack_write_conn(offline, client->id, false)] = 0;
	snprintf(name, sizeof name, "lamppost-sim-%s", client->id);
	const struct io_mqtt_options options = {
		.broker = &broker,
		.id = name,
		.label = "forwarder",
		.clean = true,
		.will = {.topic = topic, .text = (const char *)offline, .qos = 0, .retain = true},
		.hooks = {.on_up = on_up, .on_lost = on_lost, .on_message = on_message, .owner = client}};
	return io_mqtt_open(client->of->loop, &options, &client->mqtt) == ST_OK;
}

/* --- what a forwarder does --- */

static void publish(void *ctx, size_t gateway, const char *what, const uint8_t *bytes, size_t length)
{
	struct sim_edge_mqtts *of = ctx;
	struct client *client = &of->clients[gateway];
	char topic[TOPIC_ROOM];
	topic_of(client, what, topic);
	/* What finds no connection is lost, as QoS 0 is. */
	if (client->mqtt != NULL)
		(void)!io_mqtt_publish(client->mqtt, topic, bytes, length, 0, false);
}

static void cut(void *ctx, size_t gateway, bool cut_off)
{
	struct sim_edge_mqtts *of = ctx;
	struct client *client = &of->clients[gateway];
	if (cut_off && client->mqtt != NULL) {
		io_mqtt_lose(client->mqtt, "backhaul down");
		io_mqtt_close(client->mqtt);
		client->mqtt = NULL;
	} else if (!cut_off && client->mqtt == NULL && !connect_client(client)) {
		client->mqtt = NULL;
	}
}

/* --- life --- */

bool sim_edge_mqtts_set_broker(struct sim_scenario *scenario, const char *broker)
{
	char host[256];
	uint16_t port;
	bool tls, good = true;
	for (size_t i = 0; i < scenario->gateway_count; i++) {
		struct sim_scenario_gateway *gateway = &scenario->gateways[i];
		if (!gateway->config.is_mqtt)
			continue;
		if (gateway->mqtt.broker[0] == 0)
			snprintf(gateway->mqtt.broker, sizeof gateway->mqtt.broker, "%s", broker);
		good = good && read_broker(gateway->mqtt.broker, host, &port, &tls);
	}
	return good;
}

struct sim_edge_mqtts *sim_edge_mqtts_new(struct io_loop *loop, struct sim_world *world, struct mono start,
					  bool *failed)
{
	const struct sim_scenario *scenario = sim_world_scenario(world);
	size_t count = 0;
	*failed = false;
	for (size_t g = 0; g < scenario->gateway_count; g++)
		count += scenario->gateways[g].config.is_mqtt;
	if (count == 0)
		return NULL;
	struct sim_edge_mqtts *of = calloc(1, sizeof *of);
	ASSERT(of != NULL);
	*of = (struct sim_edge_mqtts){.loop = loop, .world = world, .start = start};
	of->clients = calloc(scenario->gateway_count, sizeof *of->clients);
	ASSERT(of->clients != NULL);
	for (size_t g = 0; g < scenario->gateway_count && !*failed; g++) {
		of->clients[g] = (struct client){.of = of, .gateway = g};
		lw_eui64_format(of->clients[g].id, &scenario->gateways[g].config.eui);
		if (scenario->gateways[g].config.is_mqtt && !connect_client(&of->clients[g])) {
			fprintf(stderr, "lamppost-sim: gateway %s: its files for %s cannot be read\n",
				of->clients[g].id, scenario->gateways[g].mqtt.broker);
			*failed = true;
		}
	}
	sim_world_connect_mqtt(world, (struct sim_mqtt_port){publish, cut, of});
	return of;
}

void sim_edge_mqtts_free(struct sim_edge_mqtts *mqtts)
{
	if (mqtts == NULL)
		return;
	for (size_t g = 0; g < sim_world_scenario(mqtts->world)->gateway_count; g++) {
		struct client *client = &mqtts->clients[g];
		if (client->mqtt != NULL && io_mqtt_client(client->mqtt) != NULL) {
			say_state(client, false);
			io_mqtt_flush(client->mqtt);
		}
		io_mqtt_close(client->mqtt);
	}
	free(mqtts->clients);
	free(mqtts);
}
