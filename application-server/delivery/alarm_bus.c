#include "application-server/delivery/alarm_bus.h"

#include "common/base/check.h"

#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 128 /* PUBACKs of one message */

struct as_alarm_bus {
	struct io_mqtt *mqtt;
	void (*on_done)(void *ctx, size_t place, struct now now, const char *problem);
	void *ctx;
	int waiting[WAITING_MAX]; /* message ids */
	size_t count, place;
	bool sending;
};

static void finish(struct as_alarm_bus *bus, const char *problem)
{
	bus->count = 0;
	if (!bus->sending)
		return;
	bus->sending = false;
	bus->on_done(bus->ctx, bus->place, io_mqtt_now(bus->mqtt), problem);
}

static void on_published(struct mosquitto *client, void *ctx, int mid)
{
	struct as_alarm_bus *bus = io_mqtt_owner(ctx);
	(void)client;
	for (size_t i = 0; i < bus->count; i++)
		if (bus->waiting[i] == mid) {
			bus->waiting[i] = bus->waiting[--bus->count];
			break;
		}
	if (bus->sending && bus->count == 0)
		finish(bus, NULL);
}

static int configure(void *owner, struct mosquitto *client)
{
	(void)owner;
	mosquitto_publish_callback_set(client, on_published);
	return MOSQ_ERR_SUCCESS;
}

static void on_lost(void *owner)
{
	finish(owner, "the connection to the broker broke");
}

enum status as_alarm_bus_open(struct io_loop *loop, const struct io_mqtt_broker *broker,
			      void (*on_done)(void *ctx, size_t place, struct now now, const char *problem),
			      void *ctx, struct as_alarm_bus **out)
{
	struct as_alarm_bus *bus = calloc(1, sizeof *bus);
	ASSERT(bus);
	bus->on_done = on_done;
	bus->ctx = ctx;
	const struct io_mqtt_options options = {
		.broker = broker,
		.id = "lamppost-alarms",
		.label = "alarms",
		.clean = true,
		.hooks = {.configure = configure, .on_lost = on_lost, .owner = bus}};
	enum status status = io_mqtt_open(loop, &options, &bus->mqtt);
	if (status != ST_OK) {
		free(bus);
		return status;
	}
	*out = bus;
	return ST_OK;
}

void as_alarm_bus_close(struct as_alarm_bus *bus)
{
	if (!bus)
		return;
	bus->sending = false;
	io_mqtt_close(bus->mqtt);
	free(bus);
}

void as_alarm_bus_change(struct as_alarm_bus *bus, const struct io_mqtt_broker *broker)
{
	io_mqtt_change(bus->mqtt, broker, false);
}

static bool publish(struct as_alarm_bus *bus, struct mosquitto *client, const char *topic, const char *text,
		    bool retain)
{
	int mid;
	if (bus->count == WAITING_MAX)
		return false;
	if (mosquitto_publish(client, &mid, topic, (int)strlen(text), text, 1, retain) != MOSQ_ERR_SUCCESS)
		return false;
	bus->waiting[bus->count++] = mid;
	return true;
}

/* The state of one alarm, and its change. */
static bool publish_item(struct as_alarm_bus *bus, struct mosquitto *client, const json_t *item)
{
	const char *topic = json_string_value(json_object_get(item, "topic"));
	const char *state = json_string_value(json_object_get(item, "state"));
	char *text = json_dumps(item, JSON_COMPACT);
	bool over = state && strcmp(state, "cleared") == 0;
	bool sent = text && topic && publish(bus, client, topic, over ? "" : text, true) &&
		    publish(bus, client, AS_ALARM_EVENT_TOPIC, text, false);
	free(text);
	return sent;
}

enum status as_alarm_bus_send(struct as_alarm_bus *bus, size_t place, const json_t *message)
{
	struct mosquitto *client = io_mqtt_client(bus->mqtt);
	const json_t *item;
	size_t i;
	if (!client)
		return ST_UNAVAILABLE;
	if (bus->sending)
		return ST_FULL;
	bus->count = 0;
	bus->place = place;
	bool sent = true;
	json_array_foreach(json_object_get(message, "alarms"), i, item)
	{
		sent = sent && publish_item(bus, client, item);
	}
	if (json_is_true(json_object_get(message, "test"))) {
		char *text = json_dumps(message, JSON_COMPACT);
		sent = sent && text && publish(bus, client, AS_ALARM_EVENT_TOPIC, text, false);
		free(text);
	}
	bus->sending = sent;
	if (!sent || bus->count == 0) {
		bus->count = 0;
		bus->sending = false;
		return ST_UNAVAILABLE;
	}
	io_mqtt_flush(bus->mqtt);
	return ST_OK;
}
