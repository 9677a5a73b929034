/* Commands from an MQTT broker: `application/+/device/+/command/+` at QoS 1, in a session that the broker keeps while we are
 * away (fixed client id). A command is acknowledged when it is durable (common/io/mqtt_client.h, `held`); what becomes of it is
 * downlinks/intake.h's to say. */
#ifndef LAMPPOST_AS_COMMANDS_H
#define LAMPPOST_AS_COMMANDS_H

#include "common/io/mqtt_client.h"
#include "application-server/downlinks/intake.h"

#define AS_COMMANDS_FILTER "application/+/device/+/command/+"

struct as_commands; /* opaque */

/* Keeps a borrow of the application; ST_NO_MEMORY, ST_INVALID (no such CA file). */
enum status as_commands_open(struct io_loop *loop, struct as_application *app,
			     const struct io_mqtt_broker *broker, struct as_commands **out) MUST_USE;
/* The configuration changed: connects anew if the broker differs. */
void as_commands_change(struct as_commands *commands, const struct io_mqtt_broker *broker);
void as_commands_close(struct as_commands *commands); /* NULL is allowed */
/* After the commit: acknowledges. */
void as_commands_drain(struct as_commands *commands);
/* "off" (`commands` NULL), "waiting", "connecting", "up", "refused" (the broker does not let us subscribe). */
const char *as_commands_state(const struct as_commands *commands);
/* Messages that came to this verdict; 0 for NULL. */
uint64_t as_commands_count(const struct as_commands *commands, enum as_intake_verdict verdict);

#endif
