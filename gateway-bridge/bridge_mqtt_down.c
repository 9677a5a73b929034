/* What is said to gateways by MQTT, and what they answer; the questions about it. */
#include "gateway-bridge/bridge_mqtt_parts.h"

#include "common/base/check.h"

#include <stdio.h>

#define ANSWER_SPAN US_PER_S

/* --- a downlink ------------------------------------------------------------------------------------------------------ */

/* Lends what is kept of a gateway that can be reached now, or NULL. */
static struct gb_mqtt_gateway *path(const struct gb_bridge *bridge, const struct gb_gateway *gateway,
				    struct now now)
{
	struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
	bool open = kept && gateway->known && gateway->online &&
		    (gateway->row.accept & GW_ACCEPT_MQTT) != 0 && bridge->mqtt->up &&
		    kept->session == bridge->mqtt->session &&
		    mono_since(now.mono, gateway->heard) < GB_PATH_US;
	return open ? kept : NULL;
}

/* The attempts of the first one's gateway that can be sent: those behind one whose context is gone are left out as it is. The list of
 * a gateway ends where another gateway's begins. */
static size_t fill_items(const struct gb_mqtt_gateway *kept, struct now now,
			 const struct gw_downlink *downlink,
			 struct gb_chirpstack_item items[GB_CHIRPSTACK_ITEMS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < downlink->attempt_count; i++) {
		const struct gw_tx_attempt *attempt = &downlink->attempts[i];
		struct gb_chirpstack_item item = {.attempt = attempt};
		if (!lw_eui64_equal(&attempt->gateway, &downlink->attempts[0].gateway))
			break;
		if (attempt->timing == GW_AT_TICKS) {
			item.context = gb_contexts_find(&kept->contexts, now.mono, attempt->ticks,
							&item.delay_us);
			if (item.context == NULL)
				break;
		}
		items[count++] = item;
	}
	return count;
}

static struct gb_mqtt_out *post(struct gb_mqtt *mqtt)
{
	if (mqtt->outbox_count == GB_MQTT_OUTBOX_MAX)
		return NULL;
	return &mqtt->outbox[(mqtt->outbox_first + mqtt->outbox_count++) % GB_MQTT_OUTBOX_MAX];
}

/* 32 bits that nobody can guess: 16 that find the entry, 16 that prove it. */
static uint32_t downlink_id(const struct gb_inflight *sent)
{
	return (uint32_t)sent->nonce << 16 | (uint32_t)sent->token.bytes[0] << 8 | sent->token.bytes[1];
}

static const struct gb_inflight *find_sent(const struct gb_bridge *bridge, const struct lw_eui64 *gateway,
					   uint32_t id)
{
	const struct gb_token token = {{(uint8_t)(id >> 8), (uint8_t)id}};
	const struct gb_inflight *sent = gb_inflights_find(&bridge->inflights, gateway, token);
	return sent && sent->items > 0 && sent->nonce == id >> 16 ? sent : NULL;
}

enum gb_verdict gb_mqtt_send(struct gb_bridge *bridge, struct now now, const struct gw_downlink *downlink,
			     struct gb_gateway *gateway)
{
	struct gb_chirpstack_item items[GB_CHIRPSTACK_ITEMS_MAX];
	const struct gb_mqtt_gateway *kept = path(bridge, gateway, now);
	if (kept == NULL)
		return GB_MQTT_NO_PATH;
	size_t count = fill_items(kept, now, downlink, items);
	if (count == 0)
		return GB_CONTEXT_GONE;
	struct gb_inflight entry = {.id = downlink->id,
				    .gateway = gateway->eui,
				    .has_token = true,
				    .nonce = (uint16_t)rng_u32(bridge->rng),
				    .items = (uint8_t)count,
				    .sent_to = gateway->from,
				    .sent_at = now.mono};
	const struct gb_inflight *sent = gb_inflights_add(
		&bridge->inflights, bridge->rng, &entry,
		mono_add(gb_time_on_air(gateway, now, items[count - 1].attempt), ANSWER_SPAN));
	if (sent == NULL)
		return GB_TOO_MANY_IN_FLIGHT;
	struct gb_mqtt_out *out = post(bridge->mqtt);
	enum gb_verdict verdict = GB_OUTBOX_FULL;
	if (out)
		verdict = gb_chirpstack_down(downlink_id(sent), &gateway->eui, items, count, downlink->phy,
					     downlink->phy_length, out->bytes, &out->length);
	if (verdict != GB_ACCEPTED) {
		bridge->mqtt->outbox_count -= out != NULL;
		gb_inflights_remove(&bridge->inflights, sent);
		return verdict;
	}
	out->gateway = gateway->eui;
	out->downlink_id = downlink_id(sent);
	gb_chirpstack_down_topic(out->topic, kept->prefix, &gateway->eui);
	bridge->counters.downlinks++;
	bridge->mqtt->counters.commands++;
	gb_health_sent(&gateway->health);
	gb_health_out(&gateway->health, out->length);
	return GB_ACCEPTED;
}

bool gb_bridge_take_mqtt(struct gb_bridge *bridge, struct gb_mqtt_out *out)
{
	struct gb_mqtt *mqtt = bridge->mqtt;
	if (mqtt == NULL || mqtt->outbox_count == 0)
		return false;
	*out = mqtt->outbox[mqtt->outbox_first];
	mqtt->outbox_first = (mqtt->outbox_first + 1) % GB_MQTT_OUTBOX_MAX;
	mqtt->outbox_count--;
	return true;
}

void gb_bridge_on_mqtt_not_taken(struct gb_bridge *bridge, struct now now, const struct gb_mqtt_out *out)
{
	gb_enter(bridge, now);
	const struct gb_inflight *sent = find_sent(bridge, &out->gateway, out->downlink_id);
	if (sent == NULL)
		return;
	struct gw_tx_ack ack = {.id = sent->id, .gateway = out->gateway, .result = GW_TX_NO_PATH};
	gb_inflights_remove(&bridge->inflights, sent);
	gb_judge(bridge, GB_MQTT_NOT_TAKEN, &out->gateway, &bridge->mqtt->broker, NULL);
	gb_copy_cause(ack.cause, gb_verdict_name(GB_MQTT_NOT_TAKEN));
	gb_tell_tx(bridge, now, &ack);
}

/* --- its answer ------------------------------------------------------------------------------------------------------ */

/* Each item that was refused before the telling one, for whoever asks why. */
static void judge_refused(struct gb_bridge *bridge, const struct gb_gateway *gateway,
			  const struct gb_chirpstack_ack *ack, size_t telling)
{
	for (size_t i = 0; i < telling; i++) {
		if (gb_chirpstack_result(ack->statuses[i]) == GW_TX_IGNORED)
			continue;
		const struct gb_said said = {.a = (uint32_t)i + 1, .b = ack->statuses[i]};
		gb_judge(bridge, GB_MQTT_ITEM_REFUSED, &gateway->eui, &gateway->from, &said);
	}
}

void gb_mqtt_take_ack(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		      const struct gb_chirpstack_ack *ack)
{
	const struct gb_inflight *sent = find_sent(bridge, &gateway->eui, ack->downlink_id);
	if (sent == NULL || ack->count > sent->items) {
		const struct gb_said said = {.a = gb_address_number(&gateway->from), .b = ack->downlink_id};
		gb_judge(bridge, GB_MQTT_ACK_UNASKED, &gateway->eui, &gateway->from, &said);
		return;
	}
	size_t telling = gb_chirpstack_telling(ack);
	struct gw_tx_ack result = {.id = sent->id,
				   .attempt = (uint8_t)telling,
				   .gateway = gateway->eui,
				   .result = gb_chirpstack_result(ack->statuses[telling]),
				   .latency_us = mono_since(now.mono, sent->sent_at)};
	if (result.result != GW_TX_OK)
		gb_chirpstack_status_text(ack->statuses[telling], result.cause);
	judge_refused(bridge, gateway, ack, telling);
	bridge->counters.latency_us_sum += (uint64_t)(result.latency_us > 0 ? result.latency_us : 0);
	bridge->counters.latency_count++;
	gb_health_trip(&gateway->health, result.latency_us);
	gb_inflights_remove(&bridge->inflights, sent);
	gb_tell_tx(bridge, now, &result);
}

/* --- questions ------------------------------------------------------------------------------------------------------- */

const struct gb_mqtt_counters *gb_bridge_mqtt_counters(const struct gb_bridge *bridge)
{
	static const struct gb_mqtt_counters none;
	return bridge->mqtt ? &bridge->mqtt->counters : &none;
}

bool gb_bridge_mqtt_served(const struct gb_bridge *bridge)
{
	return bridge->mqtt != NULL;
}

bool gb_bridge_broker_is_up(const struct gb_bridge *bridge)
{
	return bridge->mqtt && bridge->mqtt->up;
}

uint64_t gb_bridge_refused_subscriptions(const struct gb_bridge *bridge)
{
	return gb_bridge_broker_is_up(bridge) ? bridge->mqtt->refused : 0;
}

bool gb_bridge_mqtt_path(const struct gb_bridge *bridge, const struct gb_gateway *gateway, struct now now,
			 char topic[GB_CHIRPSTACK_TOPIC_MAX])
{
	const struct gb_mqtt_gateway *kept = gb_mqtt_is(gateway) ? path(bridge, gateway, now) : NULL;
	topic[0] = 0;
	if (kept)
		gb_chirpstack_down_topic(topic, kept->prefix, &gateway->eui);
	return kept != NULL;
}

uint64_t gb_bridge_mqtt_online(const struct gb_bridge *bridge)
{
	uint64_t count = 0;
	size_t at = 0;
	const struct gb_gateway *gateway;
	while (bridge->mqtt && (gateway = gb_gateways_next(bridge->gateways, &at)) != NULL)
		count += gateway->known && gateway->online && gb_mqtt_is(gateway);
	return count;
}

const char *gb_bridge_mqtt_prefix(const struct gb_bridge *bridge, const struct gb_gateway *gateway)
{
	const struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
	return kept && gb_mqtt_is(gateway) ? kept->prefix : NULL;
}

void gb_mqtt_address(const struct gb_bridge *bridge, const struct gb_gateway *gateway,
		     char text[GW_ADDRESS_MAX])
{
	const struct gb_mqtt_gateway *kept = gb_mqtt_find(bridge, gateway);
	char broker[GB_ADDRESS_TEXT];
	gb_address_format(broker, &gateway->from);
	if (kept && kept->prefix[0])
		snprintf(text, GW_ADDRESS_MAX, "mqtt:%.20s@%.36s", kept->prefix, broker);
	else
		snprintf(text, GW_ADDRESS_MAX, "mqtt:%.48s", broker);
}
