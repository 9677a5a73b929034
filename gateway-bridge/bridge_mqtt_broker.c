/* The broker by which gateways come: it is reached and away, it refuses, it says what gateways left behind. What follows from each for the
 * gateways behind it. */
#include "gateway-bridge/bridge_mqtt_parts.h"

#include "common/base/check.h"

static uint32_t seconds(struct now now, struct mono then)
{
	return decision_u32(mono_since(now.mono, then) / US_PER_S);
}

void gb_bridge_on_broker(struct gb_bridge *bridge, struct now now, const struct gb_address *broker)
{
	gb_enter(bridge, now);
	struct gb_mqtt *mqtt = bridge->mqtt;
	ASSERT(mqtt != NULL);
	mqtt->broker = *broker;
	mqtt->session++; /* where each gateway is has to be heard anew */
	mqtt->refused = 0;
	if (!mqtt->up && mqtt->told)
		gb_judge_number(bridge, GB_MQTT_BROKER_BACK, NULL, broker, seconds(now, mqtt->since));
	/* Who left before has as long as the broker had to be there again. */
	size_t at = 0;
	const struct gb_gateway *gateway;
	while (mqtt->wills.us != MONO_NEVER.us &&
	       (gateway = gb_gateways_next(bridge->gateways, &at)) != NULL) {
		struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
		if (kept && kept->left.us != 0)
			kept->left = mono_add(now.mono, GB_MQTT_GRACE_US - GB_MQTT_WILL_US);
	}
	mqtt->up = true;
	mqtt->told = false;
}

void gb_bridge_on_broker_away(struct gb_bridge *bridge, struct now now)
{
	gb_enter(bridge, now);
	struct gb_mqtt *mqtt = bridge->mqtt;
	ASSERT(mqtt != NULL);
	if (!mqtt->up)
		return;
	mqtt->up = false;
	mqtt->since = now.mono;
}

void gb_bridge_on_subscription_refused(struct gb_bridge *bridge, struct now now)
{
	gb_enter(bridge, now);
	ASSERT(bridge->mqtt != NULL);
	bridge->mqtt->refused++;
	gb_judge_number(bridge, GB_MQTT_NOT_SUBSCRIBED, NULL, &bridge->mqtt->broker, bridge->mqtt->refused);
}

struct mono gb_mqtt_deadline(const struct gb_bridge *bridge)
{
	const struct gb_mqtt *mqtt = bridge->mqtt;
	if (mqtt == NULL || mqtt->told)
		return MONO_NEVER;
	return mqtt->up ? mqtt->wills : mono_add(mqtt->since, GB_MQTT_GRACE_US);
}

static void tell_left(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		      struct gb_mqtt_gateway *kept)
{
	kept->left.us = 0;
	if (!gateway->online || !gb_mqtt_is(gateway))
		return;
	gb_gateways_left(bridge->gateways, gateway);
	gb_judge_number(bridge, GB_MQTT_OFFLINE, &gateway->eui, &gateway->from, seconds(now, kept->online));
	gb_health_closed(&gateway->health, now.mono, GB_CLOSE_LOST);
	gb_tell_presence(bridge, now, gateway, "mqtt_offline");
}

/* Those whose will was said long enough ago, with a broker that is still there. */
static void believe_wills(struct gb_bridge *bridge, struct now now)
{
	size_t at = 0;
	struct gb_gateway *gateway;
	bridge->mqtt->wills = MONO_NEVER;
	while ((gateway = gb_gateways_next(bridge->gateways, &at)) != NULL) {
		struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
		if (!kept || kept->left.us == 0)
			continue;
		struct mono due = mono_add(kept->left, GB_MQTT_WILL_US);
		if (due.us <= now.mono.us)
			tell_left(bridge, now, gateway, kept);
		else if (due.us < bridge->mqtt->wills.us)
			bridge->mqtt->wills = due;
	}
}

/* One verdict, and each gateway's presence with the reason. */
static void tell_away(struct gb_bridge *bridge, struct now now)
{
	bridge->mqtt->told = true;
	gb_judge_number(bridge, GB_MQTT_BROKER_AWAY, NULL, &bridge->mqtt->broker,
			(int64_t)gb_bridge_mqtt_online(bridge));
	size_t at = 0;
	struct gb_gateway *gateway;
	while ((gateway = gb_gateways_next(bridge->gateways, &at)) != NULL) {
		if (!gateway->online || !gb_mqtt_is(gateway))
			continue;
		gb_gateways_left(bridge->gateways, gateway);
		if (!gateway->known)
			continue;
		gb_mqtt_keep(bridge, gateway)->left.us = 0;
		gb_health_closed(&gateway->health, now.mono, GB_CLOSE_LOST);
		gb_tell_presence(bridge, now, gateway, "broker_away");
	}
}

void gb_mqtt_tick(struct gb_bridge *bridge, struct now now)
{
	if (gb_mqtt_deadline(bridge).us > now.mono.us)
		return;
	if (bridge->mqtt->up)
		believe_wills(bridge, now);
	else
		tell_away(bridge, now);
}
