/* Gateways that come by ChirpStack's MQTT interface, in the core of gateway-bridge: their messages from a broker to the ring, their
 * downlinks to the broker. Part of the core (bridge.h): pure, `now` comes in, messages go out through an outbox that the edge
 * empties after every event.
 *
 *	[prefix/]gateway/EUI/event/up     on_mqtt ──▶ the ring            ◀── command/down (take_downlink of bridge_network.c)
 *	                     event/ack    ──▶ gw_tx_ack of the item that tells
 *	                     event/stats  ──▶ health                      state/conn ──▶ presence
 *
 * Order in gb_bridge_on_mqtt(), each step with a verdict: topic, who it is, rate limit, whether it is of now, then the body.
 *
 *	                    any message but OFFLINE                  OFFLINE (its will) for GB_MQTT_WILL_US, nothing for the span  ,
 *	   silent ─────────────────────────────────────────▶ online ──────── the broker away for GB_MQTT_GRACE_US ────▶ silent
 *
 * Who may publish and subscribe there is the broker's to judge (TLS, its access rules): a topic's EUI is believed. So a message by MQTT
 * takes a gateway over from Semtech UDP, which proves nothing, and never the other way round.
 *
 * The way down is the topic prefix under which the gateway was heard last, open for GB_PATH_US after any message of it over this
 * connection to the broker: what a broker was told before it went is not relied on. Contexts are opaque (contexts.h).
 *
 * Invariants: a broker that is away is one verdict, not one for each gateway; a downlink is answered to the network server exactly
 * once; nothing is published for a gateway whose record does not accept MQTT. */
#ifndef LAMPPOST_BRIDGE_BRIDGE_MQTT_H
#define LAMPPOST_BRIDGE_BRIDGE_MQTT_H

#include "gateway-bridge/bridge.h"
#include "gateway-bridge/chirpstack.h"

#define GB_MQTT_OUTBOX_MAX 64
#define GB_MQTT_GRACE_US   (10 * US_PER_S) /* a broker that is restarted makes nobody silent */
/* A will is believed so much later: a broker that ends says all of them first, and then it is the broker that is away. */
#define GB_MQTT_WILL_US (2 * US_PER_S)

struct gb_mqtt_in {
	const char *topic; /* borrowed during the call, as the bytes are */
	const uint8_t *bytes;
	size_t length;
	bool retained; /* the broker kept it: it was said before we asked */
};

/* A command to publish. */
struct gb_mqtt_out {
	char topic[GB_CHIRPSTACK_TOPIC_MAX];
	struct lw_eui64 gateway;
	uint32_t downlink_id;
	size_t length;
	uint8_t bytes[GB_CHIRPSTACK_DOWN_ROOM];
};

/* --- events */
/* From now on gateways may come by a broker; until it is reached it counts as away. */
void gb_bridge_serve_mqtt(struct gb_bridge *bridge, struct now now);
/* We are connected and subscribed; we are no more (again and again is fine). */
void gb_bridge_on_broker(struct gb_bridge *bridge, struct now now, const struct gb_address *broker);
void gb_bridge_on_broker_away(struct gb_bridge *bridge, struct now now);
/* The broker does not give us a subscription of this connection: gateways behind it stay unheard. */
void gb_bridge_on_subscription_refused(struct gb_bridge *bridge, struct now now);
void gb_bridge_on_mqtt(struct gb_bridge *bridge, struct now now, const struct gb_mqtt_in *message);
/* The broker's connection did not take this one. */
void gb_bridge_on_mqtt_not_taken(struct gb_bridge *bridge, struct now now, const struct gb_mqtt_out *out);

/* --- the outbox; the edge takes all after every event */
bool gb_bridge_take_mqtt(struct gb_bridge *bridge, struct gb_mqtt_out *out);

/* --- questions */
struct gb_mqtt_counters {
	uint64_t messages; /* that came */
	uint64_t commands; /* that were published */
};
const struct gb_mqtt_counters *gb_bridge_mqtt_counters(const struct gb_bridge *bridge);
bool gb_bridge_mqtt_served(const struct gb_bridge *bridge);
bool gb_bridge_broker_is_up(const struct gb_bridge *bridge);
uint64_t
gb_bridge_refused_subscriptions(const struct gb_bridge *bridge); /* of the connection that is up; 0: none */
/* Writes the topic that a gateway's commands go to now; false, and "": it cannot be reached by MQTT. */
bool gb_bridge_mqtt_path(const struct gb_bridge *bridge, const struct gb_gateway *gateway, struct now now,
			 char topic[GB_CHIRPSTACK_TOPIC_MAX]);
uint64_t
gb_bridge_mqtt_online(const struct gb_bridge *bridge); /* gateways that are online by MQTT; walks all */
/* Lends the topic prefix under which a gateway is heard; NULL: it is not heard by MQTT. */
const char *gb_bridge_mqtt_prefix(const struct gb_bridge *bridge, const struct gb_gateway *gateway);

#endif
