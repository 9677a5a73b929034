#include "common/io/mqtt_parts.h"

#include "common/base/log.h"

#include <mosquitto.h>

#define REFUSED     0x80 /* a SUBACK's reason */
#define PAYLOAD_MAX 268435455u

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *got)
{
	struct io_mqtt *mqtt = ctx;
	(void)client;
	mqtt->heard = mqtt->now.mono;
	const struct io_mqtt_message message = {.topic = got->topic,
						.bytes = got->payload,
						.length = (size_t)got->payloadlen,
						.retained = got->retain};
	mqtt->hooks.on_message(mqtt->hooks.owner, mqtt->now, &message);
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct io_mqtt *mqtt = ctx;
	(void)client, (void)mid;
	if (count >= 1 && granted[0] < REFUSED) {
		mqtt->granted++;
		return;
	}
	LOG_WARN(mqtt->label, "subscribed=false reason=\"the broker refuses\"");
	if (mqtt->hooks.on_refused)
		mqtt->hooks.on_refused(mqtt->hooks.owner, mqtt->now);
}

static void on_publish(struct mosquitto *client, void *ctx, int mid)
{
	struct io_mqtt *mqtt = ctx;
	(void)client, (void)mid;
	mqtt->pending -= mqtt->pending > 0;
}

void io_mqtt_messages_configure(struct io_mqtt *mqtt)
{
	mosquitto_message_callback_set(mqtt->client, on_message);
	mosquitto_subscribe_callback_set(mqtt->client, on_subscribe);
	mosquitto_publish_callback_set(mqtt->client, on_publish);
}

void io_mqtt_messages_forget(struct io_mqtt *mqtt)
{
	mqtt->heard = (struct mono){0};
	mqtt->asked = mqtt->granted = mqtt->pending = 0;
}

bool io_mqtt_is_quiet(const struct io_mqtt *mqtt, struct mono now)
{
	return mqtt->quiet > 0 && mqtt->heard.us != 0 && mono_since(now, mqtt->heard) > mqtt->quiet;
}

enum status io_mqtt_subscribe(struct io_mqtt *mqtt, const char *filter, int qos)
{
	if (mqtt->phase != IO_MQTT_UP)
		return ST_UNAVAILABLE;
	int code = mosquitto_subscribe(mqtt->client, NULL, filter, qos);
	if (code != MOSQ_ERR_SUCCESS) {
		LOG_WARN(mqtt->label, "subscribed=false reason=\"%s\"", mosquitto_strerror(code));
		return ST_INVALID;
	}
	mqtt->asked++;
	return ST_OK;
}

bool io_mqtt_is_subscribed(const struct io_mqtt *mqtt)
{
	return mqtt->phase == IO_MQTT_UP && mqtt->asked > 0 && mqtt->granted == mqtt->asked;
}

enum status io_mqtt_publish(struct io_mqtt *mqtt, const char *topic, const uint8_t *bytes, size_t length,
			    int qos, bool retain)
{
	if (mqtt->phase != IO_MQTT_UP)
		return ST_UNAVAILABLE;
	if (mqtt->pending >= IO_MQTT_PENDING_MAX)
		return ST_FULL;
	if (length > PAYLOAD_MAX)
		return ST_INVALID;
	mqtt->pending++; /* before the call: a message that leaves at once is reported from inside it */
	int code = mosquitto_publish(mqtt->client, NULL, topic, (int)length, bytes, qos, retain);
	if (code == MOSQ_ERR_SUCCESS)
		return ST_OK;
	mqtt->pending -= mqtt->pending > 0;
	return code == MOSQ_ERR_NO_CONN || code == MOSQ_ERR_CONN_LOST ? ST_UNAVAILABLE : ST_INVALID;
}
