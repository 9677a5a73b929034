/* The broker by which gateways come (bridge_mqtt.h): subscriptions, messages into the core, commands out of it.
 *
 *	gateway-bridge.mqtt.url is set ──▶ io_mqtt (kept up by itself) ──up──▶ subscribe [prefix/]gateway/+/event/+ and state/+
 *
 * Commands wait in the core until an event has been handled, and in the library until the turn's commit (io_mqtt, `held`). Messages are
 * read a bounded number in a turn; what comes faster waits at the broker. */
#ifndef LAMPPOST_BRIDGE_EDGE_MQTT_H
#define LAMPPOST_BRIDGE_EDGE_MQTT_H

#include "common/io/mqtt_client.h"
#include "gateway-bridge/bridge_mqtt.h"
#include "gateway-bridge/config.h"

struct gb_mqtt_edge {
	struct gb_bridge *bridge; /* borrowed */
	struct io_mqtt *mqtt;     /* owned; NULL: off */
	struct option_list prefixes;
	int qos;
	void (*after)(void *ctx,
		      struct now now); /* an event was handled: the core's outbox is to be emptied */
	void *ctx;
};

/* Begins, where a broker is configured; keeps borrows until closed. ST_INVALID: a file that the configuration names cannot be read;
 * it was logged. `rng` gives the client's id its end. */
enum status gb_mqtt_edge_open(struct gb_mqtt_edge *edge, struct io_loop *loop, const struct gb_config *config,
			      struct gb_bridge *bridge, struct rng *rng,
			      void (*after)(void *ctx, struct now now), void *ctx) MUST_USE;
/* Publishes what the core has; for `after`, and whenever else the outbox is emptied. */
void gb_mqtt_edge_take(struct gb_mqtt_edge *edge, struct now now);
/* After the commit: what was published leaves. */
void gb_mqtt_edge_flush(struct gb_mqtt_edge *edge);
void gb_mqtt_edge_close(struct gb_mqtt_edge *edge); /* one that is off is allowed */

#endif
