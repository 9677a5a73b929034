#include "gateway-bridge/edge_mqtt.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"

#include <stdio.h>
#include <string.h>

#define QUIET        (120 * US_PER_S) /* gateways send their statistics every 30 s */
#define FILTER_MAX   160
#define PASSWORD_MAX 256
#define ANY_PREFIX   "+"

/* --- what the broker brings ------------------------------------------------------------------------------------------ */

static struct gb_address address_of(const struct io_mqtt *mqtt)
{
	struct io_address peer = {.family = 0};
	(void)!io_mqtt_peer(mqtt, &peer); /* one that has gone already has none */
	struct gb_address address = {.scope = peer.scope, .port = peer.port, .family = peer.family};
	memcpy(address.bytes, peer.bytes, sizeof address.bytes);
	return address;
}

static void subscribe(struct gb_mqtt_edge *edge, const char *prefix)
{
	static const char *const kinds[] = {"event", "state"};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char filter[FILTER_MAX];
		snprintf(filter, sizeof filter, "%s%sgateway/+/%s/+", prefix, *prefix ? "/" : "", kinds[i]);
		if (io_mqtt_subscribe(edge->mqtt, filter, edge->qos) != ST_OK)
			gb_bridge_on_subscription_refused(edge->bridge, io_mqtt_now(edge->mqtt));
	}
}

/* The core hears of the broker first: retained states come right behind the subscription. */
static void on_up(void *owner, struct mosquitto *client)
{
	struct gb_mqtt_edge *edge = owner;
	struct now now = io_mqtt_now(edge->mqtt);
	const struct gb_address broker = address_of(edge->mqtt);
	(void)client;
	gb_bridge_on_broker(edge->bridge, now, &broker);
	for (size_t i = 0; i < edge->prefixes.count; i++)
		subscribe(edge, edge->prefixes.items[i]);
	if (edge->prefixes.count == 0) {
		subscribe(edge, "");
		subscribe(edge, ANY_PREFIX);
	}
	edge->after(edge->ctx, now);
}

static void on_lost(void *owner)
{
	struct gb_mqtt_edge *edge = owner;
	gb_bridge_on_broker_away(edge->bridge, io_mqtt_now(edge->mqtt));
}

static void on_refused(void *owner, struct now now)
{
	struct gb_mqtt_edge *edge = owner;
	gb_bridge_on_subscription_refused(edge->bridge, now);
	edge->after(edge->ctx, now);
}

static void on_message(void *owner, struct now now, const struct io_mqtt_message *message)
{
	struct gb_mqtt_edge *edge = owner;
	const struct gb_mqtt_in in = {.topic = message->topic,
				      .bytes = message->bytes,
				      .length = message->length,
				      .retained = message->retained};
	gb_bridge_on_mqtt(edge->bridge, now, &in);
	edge->after(edge->ctx, now);
}

/* --- what goes out --------------------------------------------------------------------------------------------------- */

void gb_mqtt_edge_take(struct gb_mqtt_edge *edge, struct now now)
{
	struct gb_mqtt_out out;
	while (edge->mqtt && gb_bridge_take_mqtt(edge->bridge, &out))
		if (io_mqtt_publish(edge->mqtt, out.topic, out.bytes, out.length, edge->qos, false) != ST_OK)
			gb_bridge_on_mqtt_not_taken(edge->bridge, now, &out);
}

void gb_mqtt_edge_flush(struct gb_mqtt_edge *edge)
{
	if (edge->mqtt)
		io_mqtt_flush(edge->mqtt);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static bool read_password(const char *path, char text[PASSWORD_MAX])
{
	text[0] = 0;
	if (!*path)
		return true;
	FILE *file = fopen(path, "re");
	bool read = file && fgets(text, PASSWORD_MAX, file) && text[strcspn(text, "\r\n")] != 0;
	text[strcspn(text, "\r\n")] = 0;
	if (file)
		fclose(file);
	if (!read)
		LOG_ERROR("file_refused",
			  "file=%s reason=\"its first line is to be the password at the broker\"", path);
	return read;
}

enum status gb_mqtt_edge_open(struct gb_mqtt_edge *edge, struct io_loop *loop, const struct gb_config *config,
			      struct gb_bridge *bridge, struct rng *rng,
			      void (*after)(void *ctx, struct now now), void *ctx)
{
	char host[GB_HOST_MAX], password[PASSWORD_MAX], id[32];
	struct io_mqtt_broker broker = {.host = host,
					.username = config->mqtt_username,
					.password = password,
					.ca_file = config->mqtt_ca,
					.certificate_file = config->mqtt_certificate,
					.key_file = config->mqtt_key};
	*edge = (struct gb_mqtt_edge){.bridge = bridge,
				      .prefixes = config->mqtt_topic_prefixes,
				      .qos = (int)config->mqtt_qos,
				      .after = after,
				      .ctx = ctx};
	if (!config->mqtt_url[0])
		return ST_OK;
	if (!gb_mqtt_url_parse(config->mqtt_url, host, &broker.port, &broker.tls) ||
	    !read_password(config->mqtt_password_file, password))
		return ST_INVALID;
	snprintf(id, sizeof id, "lamppost-bridge-%08x", rng_u32(rng));
	gb_bridge_serve_mqtt(bridge, clock_now());
	enum status status = io_mqtt_open(loop,
					  &(struct io_mqtt_options){.broker = &broker,
								    .id = id,
								    .label = "mqtt",
								    .clean = true,
								    .held = true,
								    .quiet = QUIET,
								    .hooks = {.on_up = on_up,
									      .on_lost = on_lost,
									      .on_message = on_message,
									      .on_refused = on_refused,
									      .owner = edge}},
					  &edge->mqtt);
	explicit_bzero(password, sizeof password);
	if (status != ST_OK)
		LOG_ERROR("mqtt_refused", "status=%s reason=\"mqtt.ca, mqtt.certificate or mqtt.key\"",
			  status_name(status));
	return status;
}

void gb_mqtt_edge_close(struct gb_mqtt_edge *edge)
{
	io_mqtt_close(edge->mqtt);
	edge->mqtt = NULL;
}
