/* A gateway with ChirpStack's MQTT forwarder at a real broker: its state, retained, with its last will; frames, answers, and the
 * commands that it got. A thread of libmosquitto's own.
 *
 *	struct t_mqtt_gateway *roof = t_mqtt_gateway_start(port, "eu868", ROOF);     ONLINE is published
 *	t_mqtt_gateway_uplink(roof, 1000);
 *	t_true("command", t_mqtt_gateway_wait(roof, 1));
 *	t_mqtt_gateway_answer(roof, t_mqtt_gateway_command(roof).id, (const uint32_t[]){1, 0}, 2);
 *	t_mqtt_gateway_free(roof);                                                     OFFLINE is published */
#ifndef LAMPPOST_TESTS_MQTT_GATEWAY_H
#define LAMPPOST_TESTS_MQTT_GATEWAY_H

#include "simulator/chirpstack_gateway.h"

struct t_mqtt_gateway; /* opaque */

/* Connects, subscribes to its commands and says that it is there; comes back by itself when the broker does. Aborts when it cannot. */
struct t_mqtt_gateway *t_mqtt_gateway_start(uint16_t port, const char *prefix, uint64_t eui);
void t_mqtt_gateway_free(struct t_mqtt_gateway *gateway); /* NULL is allowed */
/* Its connection ends without a word; the broker says its will. Only free() may follow. */
void t_mqtt_gateway_break(struct t_mqtt_gateway *gateway);

/* A frame that it heard on that frequency with that factor on 125 kHz; its context is this counter. */
void t_mqtt_gateway_hears(struct t_mqtt_gateway *gateway, uint32_t ticks, uint32_t freq_hz,
			  uint8_t spreading_factor, const uint8_t *phy, size_t length);
/* A frame of SF7 on 868.1 MHz whose context is this counter. */
void t_mqtt_gateway_uplink(struct t_mqtt_gateway *gateway, uint32_t ticks);
void t_mqtt_gateway_stats(struct t_mqtt_gateway *gateway);
void t_mqtt_gateway_answer(struct t_mqtt_gateway *gateway, uint32_t downlink_id, const uint32_t *statuses,
			   size_t count);
void t_mqtt_gateway_publish(struct t_mqtt_gateway *gateway, const char *topic, const uint8_t *bytes,
			    size_t length, bool retain);

/* Waits until it has had so many commands. One that no gateway could carry out fails the row. */
bool t_mqtt_gateway_wait(struct t_mqtt_gateway *gateway, unsigned commands);
struct sim_chirpstack_down t_mqtt_gateway_command(struct t_mqtt_gateway *gateway); /* the last */

#endif
