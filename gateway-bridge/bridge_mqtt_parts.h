/* What bridge_mqtt.c (up), bridge_mqtt_down.c and bridge_mqtt_broker.c share; inside the MQTT flow of the core alone. */
#ifndef LAMPPOST_BRIDGE_BRIDGE_MQTT_PARTS_H
#define LAMPPOST_BRIDGE_BRIDGE_MQTT_PARTS_H

#include "gateway-bridge/bridge_mqtt.h"
#include "gateway-bridge/bridge_state.h"
#include "gateway-bridge/contexts.h"

/* What is kept of a known gateway that was heard by MQTT. */
struct gb_mqtt_gateway {
	struct lw_eui64 eui; /* whose it is: places of the pool are used again */
	char prefix[GB_CHIRPSTACK_PREFIX_MAX];
	uint32_t session;   /* of the connection to the broker by which it was heard last */
	struct mono online; /* since when it is, by its state or by being heard; 0: it never was */
	struct mono left;   /* it said OFFLINE then, and was not heard since; 0: not so */
	struct gb_contexts contexts;
};

struct gb_mqtt {
	struct arena scratch;
	struct gb_mqtt_gateway **gateways; /* owned, each and all; by gb_gateways_index() */
	struct gb_address broker;          /* the last one that was reached */
	bool up;
	uint32_t session;  /* connections so far */
	uint32_t refused;  /* subscriptions, of this connection */
	struct mono since; /* not up: since when; told: so it was said */
	bool told;
	struct mono wills; /* when to look at those that left; MONO_NEVER: none has */
	struct gb_mqtt_counters counters;
	struct gb_mqtt_out outbox[GB_MQTT_OUTBOX_MAX];
	size_t outbox_first, outbox_count;
};

/* Lends what is kept of a gateway; NULL: nothing. */
struct gb_mqtt_gateway *gb_mqtt_find(const struct gb_bridge *bridge, const struct gb_gateway *gateway);
/* Lends it, made where there is none. */
struct gb_mqtt_gateway *gb_mqtt_keep(struct gb_bridge *bridge, const struct gb_gateway *gateway);
static inline bool gb_mqtt_is(const struct gb_gateway *gateway)
{
	return gateway->protocol == GW_CHIRPSTACK_MQTT;
}
/* event/ack: what became of the downlink goes to the network server. */
void gb_mqtt_take_ack(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		      const struct gb_chirpstack_ack *ack);

#endif
