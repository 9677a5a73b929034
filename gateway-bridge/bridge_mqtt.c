/* What gateways say by MQTT: gb_bridge_on_mqtt() is the list of steps, the steps of each kind stand before it. */
#include "gateway-bridge/bridge_mqtt_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define POOL (GB_KNOWN_MAX + GB_UNKNOWN_MAX)

/* --- what is kept ---------------------------------------------------------------------------------------------------- */

void gb_bridge_serve_mqtt(struct gb_bridge *bridge, struct now now)
{
	gb_enter(bridge, now);
	if (bridge->mqtt != NULL)
		return;
	struct gb_mqtt *mqtt = calloc(1, sizeof *mqtt);
	ASSERT(mqtt != NULL);
	mqtt->gateways = calloc(POOL, sizeof(struct gb_mqtt_gateway *));
	ASSERT(mqtt->gateways != NULL);
	arena_init(&mqtt->scratch, GB_CHIRPSTACK_SCRATCH);
	mqtt->since = now.mono;
	mqtt->wills = MONO_NEVER;
	bridge->mqtt = mqtt;
}

void gb_mqtt_free(struct gb_mqtt *mqtt)
{
	if (mqtt == NULL)
		return;
	for (size_t i = 0; i < POOL; i++) {
		if (mqtt->gateways[i] != NULL)
			gb_contexts_clear(&mqtt->gateways[i]->contexts);
		free(mqtt->gateways[i]);
	}
	free(mqtt->gateways);
	arena_release(&mqtt->scratch);
	free(mqtt);
}

struct gb_mqtt_gateway *gb_mqtt_find(const struct gb_bridge *bridge, const struct gb_gateway *gateway)
{
	if (bridge->mqtt == NULL)
		return NULL;
	struct gb_mqtt_gateway *kept = bridge->mqtt->gateways[gb_gateways_index(bridge->gateways, gateway)];
	return kept && lw_eui64_equal(&kept->eui, &gateway->eui) ? kept : NULL;
}

struct gb_mqtt_gateway *gb_mqtt_keep(struct gb_bridge *bridge, const struct gb_gateway *gateway)
{
	struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
	if (kept)
		return kept;
	struct gb_mqtt_gateway **place =
		&bridge->mqtt->gateways[gb_gateways_index(bridge->gateways, gateway)];
	if (*place)
		gb_contexts_clear(&(*place)->contexts);
	else
		*place = calloc(1, sizeof **place);
	ASSERT(*place != NULL);
	**place = (struct gb_mqtt_gateway){.eui = gateway->eui};
	return *place;
}

/* --- a message ------------------------------------------------------------------------------------------------------- */

static void judge_body(struct gb_bridge *bridge, enum gb_verdict verdict, const struct gb_gateway *gateway,
		       const struct gb_mqtt_in *message)
{
	gb_judge_number(bridge, verdict, &gateway->eui, &gateway->from, (int64_t)message->length);
}

/* Two gateways with one EUI, one prefix: each has its own counter, so that every second change between them goes back, which one
 * gateway's does at a restart alone; what it sends late comes in order. */
static void note_counter(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			 struct gw_ticks ticks)
{
	if (!gateway->has_ticks || gw_ticks_since(ticks, gateway->ticks) >= -GB_TICKS_ODD_US)
		return;
	bool flaps = gb_gateways_replaced(bridge->gateways, gateway, now.mono);
	const struct gb_said said = {.a = gb_address_number(&gateway->from), .b = gateway->moves};
	if (!flaps)
		return;
	gb_judge(bridge, GB_MQTT_TWO_COUNTERS, &gateway->eui, &gateway->from, &said);
	gb_tell_presence(bridge, now, gateway, "flapping");
}

static void take_up(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		    const struct gb_mqtt_in *message)
{
	struct gb_chirpstack_uplink up;
	enum gb_verdict verdict = gb_chirpstack_uplink(&bridge->mqtt->scratch, message->bytes,
						       message->length, &gateway->eui, &up);
	if (verdict != GB_ACCEPTED) {
		gb_health_frame(&gateway->health, false, false);
		judge_body(bridge, verdict, gateway, message);
		return;
	}
	if (gateway->known) {
		struct gb_contexts *contexts = &gb_mqtt_keep(bridge, gateway)->contexts;
		if (!up.has_ticks)
			up.rxpk.ticks = gb_contexts_make_ticks(contexts, now.mono);
		if (up.context_too_long)
			gb_judge_number(bridge, GB_CONTEXT_TOO_LONG, &gateway->eui, &gateway->from,
					GB_CHIRPSTACK_CONTEXT_MAX);
		else
			gb_contexts_put(contexts, now.mono, up.rxpk.ticks, &up.context);
		if (up.has_ticks)
			note_counter(bridge, now, gateway, up.rxpk.ticks);
	}
	gb_take_reception(bridge, now, gateway, &up.rxpk, up.has_ticks);
}

static void take_stats(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		       const struct gb_mqtt_in *message)
{
	struct gb_chirpstack_stats stats;
	enum gb_verdict verdict = gb_chirpstack_stats(&bridge->mqtt->scratch, message->bytes, message->length,
						      &gateway->eui, &stats);
	if (verdict != GB_ACCEPTED) {
		judge_body(bridge, verdict, gateway, message);
		return;
	}
	stats.stats.arrival = now.wall;
	bridge->counters.stats++;
	gb_health_stats(&gateway->health, now.mono, &stats.stats);
	gb_health_version(&gateway->health, stats.program, stats.model, stats.hal);
}

static void take_ack(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		     const struct gb_mqtt_in *message)
{
	struct gb_chirpstack_ack ack;
	enum gb_verdict verdict = gb_chirpstack_ack(&bridge->mqtt->scratch, message->bytes, message->length,
						    &gateway->eui, &ack);
	bridge->counters.tx_acks++;
	if (verdict == GB_ACCEPTED)
		gb_mqtt_take_ack(bridge, now, gateway, &ack);
	else
		judge_body(bridge, verdict, gateway, message);
}

static void take_offline(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway)
{
	struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
	if (!gateway->online || !gb_mqtt_is(gateway) || !kept || kept->left.us != 0)
		return; /* a state of before, or of one that comes by another protocol */
	struct mono due = mono_add(now.mono, GB_MQTT_WILL_US);
	kept->session = 0; /* no way down from now on */
	kept->left = now.mono;
	if (due.us < bridge->mqtt->wills.us)
		bridge->mqtt->wills = due;
}

/* Which of two protocols counts while a gateway is online by the other: a station's connection was proved, as the broker's is; UDP
 * proves nothing. */
static bool gives_way(struct gb_bridge *bridge, struct gb_gateway *gateway)
{
	if (!gateway->known || !gateway->online || gb_mqtt_is(gateway))
		return true;
	gb_judge(bridge, GB_OTHER_PROTOCOL, &gateway->eui, &bridge->mqtt->broker, NULL);
	if (gateway->station)
		return false;
	gb_gateways_left(bridge->gateways, gateway);
	gateway->has_path = false;
	return true;
}

/* Two gateways with one EUI behind two prefixes alternate with every message: that is told when it begins, not each time. */
static void note_move(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway, bool came)
{
	bool flaps = gb_gateways_replaced(bridge->gateways, gateway, now.mono);
	const struct gb_said said = {.a = gb_address_number(&gateway->from),
				     .b = gateway->moves,
				     .c = decision_u16(gateway->moves),
				     .own_c = true};
	gb_judge(bridge, GB_MQTT_PREFIX_MOVED, &gateway->eui, &gateway->from, &said);
	if (flaps)
		gb_judge(bridge, GB_MQTT_ALTERNATES, &gateway->eui, &gateway->from, &said);
	if (flaps || came || !gateway->flapping)
		gb_tell_presence(bridge, now, gateway, flaps ? "flapping" : "moved");
}

static void note_heard(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		       const struct gb_chirpstack_topic *topic, bool came)
{
	struct gb_mqtt_gateway *kept = gb_mqtt_keep(bridge, gateway);
	bool moved = kept->online.us != 0 && strcmp(kept->prefix, topic->prefix) != 0;
	kept->session = bridge->mqtt->session;
	kept->left.us = 0;
	memcpy(kept->prefix, topic->prefix, sizeof kept->prefix);
	if (came) {
		kept->online = now.mono;
		gb_health_opened(&gateway->health, now.mono);
		gb_judge(bridge, GB_MQTT_ONLINE, &gateway->eui, &gateway->from, NULL);
	}
	if (moved) {
		note_move(bridge, now, gateway, came);
		return;
	}
	if (came)
		gb_tell_presence(bridge, now, gateway, "mqtt");
	if (gb_gateways_settle(bridge->gateways, gateway, now.mono)) {
		gb_judge(bridge, GB_MQTT_SETTLED, &gateway->eui, &gateway->from, NULL);
		gb_tell_presence(bridge, now, gateway, "settled");
	}
}

static enum gb_verdict admit(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway)
{
	enum gb_verdict verdict = GB_ACCEPTED;
	bool known = gateway && gateway->known;
	if (known && !(gateway->row.accept & GW_ACCEPT_MQTT))
		verdict = GB_MQTT_NOT_ALLOWED;
	if (known && verdict == GB_ACCEPTED)
		return gb_bucket_take(&gateway->bucket, now.mono, &bridge->options.per_eui) ? GB_ACCEPTED
											    : GB_RATE_EUI;
	if (!gb_sources_take(&bridge->sources, now.mono, &bridge->mqtt->broker, &bridge->options.unknown))
		return GB_RATE_UNKNOWN;
	return verdict;
}

static void judge_admission(struct gb_bridge *bridge, enum gb_verdict verdict, struct gb_gateway *gateway,
			    const struct lw_eui64 *eui)
{
	int64_t number = 0;
	if (verdict == GB_RATE_EUI)
		number = bridge->options.per_eui.per_second;
	else if (verdict == GB_RATE_UNKNOWN)
		number = bridge->options.unknown.per_second;
	if (gateway && gateway->known)
		gateway->dropped++;
	gb_judge_number(bridge, verdict, eui, &bridge->mqtt->broker, number);
}

static void take_body(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		      enum gb_chirpstack_kind kind, const struct gb_mqtt_in *message)
{
	switch (kind) {
	case GB_CHIRPSTACK_UP: take_up(bridge, now, gateway, message); break;
	case GB_CHIRPSTACK_STATS: take_stats(bridge, now, gateway, message); break;
	case GB_CHIRPSTACK_ACK: take_ack(bridge, now, gateway, message); break;
	case GB_CHIRPSTACK_OTHER: judge_body(bridge, GB_MQTT_UNUSED, gateway, message); break;
	case GB_CHIRPSTACK_CONN: break; /* it was looked at first */
	}
}

/* Its state comes before anything else is made of the message: OFFLINE must not make it heard. False: nothing more is to be done. */
static bool is_word_of_life(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			    const struct gb_chirpstack_topic *topic, const struct gb_mqtt_in *message)
{
	bool online = true;
	if (topic->kind != GB_CHIRPSTACK_CONN)
		return true;
	enum gb_verdict verdict = gb_chirpstack_conn(&bridge->mqtt->scratch, message->bytes, message->length,
						     &gateway->eui, &online);
	if (verdict != GB_ACCEPTED)
		gb_judge_number(bridge, verdict, &gateway->eui, &bridge->mqtt->broker,
				(int64_t)message->length);
	else if (!online)
		take_offline(bridge, now, gateway);
	return verdict == GB_ACCEPTED && online;
}

void gb_bridge_on_mqtt(struct gb_bridge *bridge, struct now now, const struct gb_mqtt_in *message)
{
	struct gb_chirpstack_topic topic;
	struct gb_mqtt *mqtt = bridge->mqtt;
	ASSERT(mqtt != NULL);
	gb_enter(bridge, now);
	mqtt->counters.messages++;
	enum gb_verdict verdict = gb_chirpstack_topic(message->topic, &topic);
	if (verdict != GB_ACCEPTED) {
		gb_judge_number(bridge, verdict, NULL, &mqtt->broker, (int64_t)message->length);
		return;
	}
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &topic.gateway);
	verdict = admit(bridge, now, gateway);
	if (verdict != GB_ACCEPTED) {
		judge_admission(bridge, verdict, gateway, &topic.gateway);
		return;
	}
	/* A state is meant to be retained. An event is about now: one that the broker kept is of a time that nobody knows. */
	if (message->retained && topic.kind != GB_CHIRPSTACK_CONN) {
		gb_judge_number(bridge, GB_MQTT_RETAINED, &topic.gateway, &mqtt->broker,
				(int64_t)message->length);
		return;
	}
	if (gateway == NULL)
		gateway = gb_gateways_note(bridge->gateways, now.mono, &topic.gateway);
	if (gateway == NULL) {
		gb_judge_number(bridge, GB_UNKNOWN_LIST_FULL, &topic.gateway, &mqtt->broker, GB_UNKNOWN_MAX);
		return;
	}
	if (!is_word_of_life(bridge, now, gateway, &topic, message))
		return;
	if (!gives_way(bridge, gateway)) {
		gateway->dropped++;
		return;
	}
	const struct gb_peer from = {.address = mqtt->broker};
	bool came = gb_gateways_heard(bridge->gateways, gateway, now.mono, &from, GW_CHIRPSTACK_MQTT);
	gb_health_in(&gateway->health, message->length);
	if (!gateway->known) {
		gb_judge(bridge, GB_UNKNOWN_GATEWAY, &topic.gateway, &mqtt->broker, NULL);
		if (came)
			gb_tell_presence(bridge, now, gateway, "unknown");
		if (!bridge->options.forward_unknown)
			return;
	} else {
		note_heard(bridge, now, gateway, &topic, came);
	}
	take_body(bridge, now, gateway, topic.kind, message);
}
