/* An MQTT 3.1.1 broker that a test plays by hand, for what a real one does not do on demand: a message delivered again, with its
 * DUP flag and under its old id, exactly when the test wants it; and every PUBACK seen.
 *
 *	struct t_mqtt_script *broker = t_mqtt_script_open();
 *	... a client is started with t_mqtt_script_port(broker) ...
 *	t_true("subscribed", t_mqtt_script_run(broker, t_mqtt_script_subscribed, T_CEILING));
 *	t_mqtt_script_deliver(broker, topic, payload, 7, false);
 *	t_true("acknowledged", ...t_mqtt_script_pubacks(broker) == 1...);
 *
 * Every client may connect; what they publish is acknowledged and forgotten. The one that subscribes is the one that gets
 * messages. Nothing happens but in t_mqtt_script_run(). */
#ifndef LAMPPOST_TESTS_MQTT_SCRIPT_H
#define LAMPPOST_TESTS_MQTT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

struct t_mqtt_script; /* opaque */

struct t_mqtt_script *t_mqtt_script_open(void);
void t_mqtt_script_free(struct t_mqtt_script *broker);
uint16_t t_mqtt_script_port(const struct t_mqtt_script *broker);
/* Plays until the condition holds or `ceiling` seconds have passed; returns what it said last. */
bool t_mqtt_script_run(struct t_mqtt_script *broker, bool (*condition)(struct t_mqtt_script *broker),
		       double ceiling);
/* A client is there that has subscribed. */
bool t_mqtt_script_subscribed(struct t_mqtt_script *broker);
/* From now on every subscription is refused. */
void t_mqtt_script_refuse(struct t_mqtt_script *broker);
/* Whether that client asked for a session that is kept, and for QoS 1. */
bool t_mqtt_script_keeps_session(const struct t_mqtt_script *broker);
/* Sends a message at QoS 1 to the subscriber; false: there is none. */
bool t_mqtt_script_deliver(struct t_mqtt_script *broker, const char *topic, const char *payload, uint16_t mid,
			   bool dup);
/* PUBACKs of the subscriber so far, and the id of the last. */
unsigned t_mqtt_script_pubacks(const struct t_mqtt_script *broker);
uint16_t t_mqtt_script_last_mid(const struct t_mqtt_script *broker);
/* Closes the subscriber's connection. */
void t_mqtt_script_cut(struct t_mqtt_script *broker);

#endif
