/* Alarms at an MQTT broker: each alarm's state as a retained message on its own topic (emptied when it is over, so that nothing
 * stays behind), and each change as a message on AS_ALARM_EVENT_TOPIC. QoS 1: a message of the notifier (alarms/notify.h) is taken
 * when the broker has acknowledged all of it. Opaque. */
#ifndef LAMPPOST_AS_ALARM_BUS_H
#define LAMPPOST_AS_ALARM_BUS_H

#include "common/io/mqtt_client.h"

#include <jansson.h>

#define AS_ALARM_EVENT_TOPIC "lamppost/alarm/event"

struct as_alarm_bus;

/* `on_done` comes once for each message that was sent; `problem` NULL: the broker has it. */
enum status as_alarm_bus_open(struct io_loop *loop, const struct io_mqtt_broker *broker,
			      void (*on_done)(void *ctx, size_t place, struct now now, const char *problem),
			      void *ctx, struct as_alarm_bus **out) MUST_USE;
void as_alarm_bus_close(struct as_alarm_bus *bus); /* NULL is allowed */
void as_alarm_bus_change(struct as_alarm_bus *bus, const struct io_mqtt_broker *broker);
/* Sends a message in the form of as_message_json(); on_done gets `place` back. ST_UNAVAILABLE: not connected; ST_FULL: one is
 * under way; on_done does not follow then. */
enum status as_alarm_bus_send(struct as_alarm_bus *bus, size_t place, const json_t *message) MUST_USE;

#endif
