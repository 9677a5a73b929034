/* What gateways say: on_datagram() is the list of steps, the steps of each kind stand before it. */
#include "gateway-bridge/bridge_state.h"

#include <string.h>

/* --- a datagram: PUSH_DATA */

static void take_push_data(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			   const uint8_t *body, size_t length)
{
	struct gb_push push;
	enum gb_verdict verdict = gb_push_open(bridge->json, body, length, &push);
	if (verdict != GB_ACCEPTED) {
		gb_judge_number(bridge, verdict, &gateway->eui, &gateway->from, (int64_t)length);
		return;
	}
	struct gb_rxpk rxpk;
	unsigned entry = 0;
	while (gb_push_next(&push, &rxpk, &verdict)) {
		entry++;
		if (verdict == GB_ACCEPTED) {
			gb_take_reception(bridge, now, gateway, &rxpk, true);
			continue;
		}
		gb_health_frame(&gateway->health, false, false);
		gb_judge_number(bridge, verdict, &gateway->eui, &gateway->from, entry);
	}
	/* A gateway's statistics end here: whoever watches gateways asks for them (GET /gateways?health=1). */
	struct gw_stats stats;
	if (gb_push_stat(&push, &stats, &verdict)) {
		if (verdict != GB_ACCEPTED) {
			gb_judge_number(bridge, verdict, &gateway->eui, &gateway->from, (int64_t)length);
			return;
		}
		stats.gateway = gateway->eui;
		stats.arrival = now.wall;
		bridge->counters.stats++;
		gb_health_stats(&gateway->health, now.mono, &stats);
	}
}

/* --- a datagram: PULL_DATA */

static void judge_move(struct gb_bridge *bridge, enum gb_verdict verdict, const struct gb_gateway *gateway,
		       const struct gb_address *from, const struct gb_address *was)
{
	const struct gb_said said = {.a = gb_address_number(from),
				     .b = gb_address_number(was),
				     .c = decision_u16(gateway->moves),
				     .own_c = true};
	struct gb_note *note = gb_judge(bridge, verdict, &gateway->eui, from, &said);
	if (note)
		note->was = *was;
}

static void take_pull_data(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			   const struct gb_peer *from, bool came)
{
	struct gb_pull pull = gb_gateways_pulled(bridge->gateways, gateway, now.mono, from);
	if (pull.moved) {
		judge_move(bridge, GB_GATEWAY_MOVED, gateway, &from->address, &pull.was);
		gb_tell_presence(bridge, now, gateway, "moved");
	} else if (came || pull.first) {
		gb_tell_presence(bridge, now, gateway, "pull_data");
	}
	if (pull.began_to_flap) {
		judge_move(bridge, GB_GATEWAY_FLAPPING, gateway, &from->address, &pull.was);
		gb_tell_presence(bridge, now, gateway, "flapping");
	} else if (pull.settled) {
		gb_judge(bridge, GB_GATEWAY_SETTLED, &gateway->eui, &from->address, NULL);
		gb_tell_presence(bridge, now, gateway, "settled");
	}
}

/* --- a datagram: TX_ACK */

static void judge_tx_ack(struct gb_bridge *bridge, enum gb_verdict verdict, const struct gb_gateway *gateway,
			 const struct gb_peer *from, const struct gb_header *header,
			 const struct gb_inflight *sent, size_t length)
{
	int64_t number = (int64_t)length;
	if (verdict == GB_TX_ACK_UNASKED)
		number = header->token.bytes[0] << 8 | header->token.bytes[1];
	else if (verdict == GB_TX_ACK_FOREIGN)
		number = gb_address_number(&sent->sent_to);
	gb_judge_number(bridge, verdict, &gateway->eui, &from->address, number);
}

static void take_tx_ack(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			const struct gb_header *header, const struct gb_peer *from, const uint8_t *body,
			size_t length)
{
	const struct gb_inflight *sent = gb_inflights_find(&bridge->inflights, &gateway->eui, header->token);
	struct gb_tx_ack ack;
	enum gb_verdict verdict = gb_tx_ack_parse(bridge->json, body, length, &ack);
	if (verdict == GB_ACCEPTED && sent == NULL)
		verdict = GB_TX_ACK_UNASKED;
	/* Some gateways answer from the socket of their uplinks: another port, the same host. */
	if (verdict == GB_ACCEPTED && !gb_address_same_host(&sent->sent_to, &from->address) &&
	    !gb_address_same_host(&gateway->path.address, &from->address))
		verdict = GB_TX_ACK_FOREIGN;
	if (verdict != GB_ACCEPTED) {
		judge_tx_ack(bridge, verdict, gateway, from, header, sent, length);
		return;
	}
	struct gw_tx_ack result = {.id = sent->id,
				   .attempt = sent->attempt,
				   .gateway = sent->gateway,
				   .result = ack.result,
				   .has_power = ack.has_power,
				   .power_dbm = ack.power_dbm,
				   .latency_us = mono_since(now.mono, sent->sent_at)};
	if (ack.outcome == GB_TX_ERROR)
		gb_copy_cause(result.cause, ack.cause);
	bridge->counters.latency_us_sum += (uint64_t)(result.latency_us > 0 ? result.latency_us : 0);
	bridge->counters.latency_count++;
	gb_health_trip(&gateway->health, result.latency_us);
	gb_inflights_remove(&bridge->inflights, sent);
	gb_tell_tx(bridge, now, &result);
}

/* --- a datagram */

static bool take_share(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		       const struct gb_peer *from)
{
	const struct gb_limit *limit = &bridge->options.per_eui;
	const struct gb_peer *path = gb_gateway_path(gateway, now.mono);
	if (path && !gb_address_same_host(&path->address, &from->address))
		return gb_bucket_take_upper(&gateway->bucket, now.mono, limit);
	return gb_bucket_take(&gateway->bucket, now.mono, limit);
}

/* Whether this gateway may say anything at all from there, and how much. Known ones have a limit each, all others one by
 * source, so that a forger outside a pinned range spends his own. Half of a gateway's burst is kept for the host that its
 * path leads to: whoever forges the EUI from elsewhere comes second. The answer to a downlink costs nothing: we asked. */
static enum gb_verdict admit(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
			     const struct gb_header *header, const struct gb_peer *from)
{
	enum gb_verdict verdict = GB_ACCEPTED;
	bool known = gateway && gateway->known;
	if (known && !(gateway->row.accept & GW_ACCEPT_UDP))
		verdict = GB_UDP_NOT_ALLOWED;
	else if (known && !gb_cidr_contains(&gateway->source, &from->address))
		verdict = GB_FOREIGN_SOURCE;
	else if (known && gateway->online && (gateway->station || gateway->protocol == GW_CHIRPSTACK_MQTT))
		verdict = GB_OTHER_PROTOCOL; /* of the two it is UDP that proves nothing */
	if (known && verdict == GB_ACCEPTED && header->identifier == GB_TX_ACK &&
	    gb_inflights_claim(&bridge->inflights, &gateway->eui, header->token))
		return GB_ACCEPTED;
	if (known && verdict == GB_ACCEPTED)
		return take_share(bridge, now, gateway, from) ? GB_ACCEPTED : GB_RATE_EUI;
	if (!gb_sources_take(&bridge->sources, now.mono, &from->address, &bridge->options.unknown))
		return GB_RATE_UNKNOWN;
	return verdict;
}

/* The limit that was passed, or the range that a gateway is pinned to. */
static void judge_admission(struct gb_bridge *bridge, enum gb_verdict verdict,
			    const struct gb_gateway *gateway, const struct lw_eui64 *eui,
			    const struct gb_peer *from)
{
	int64_t number = 0;
	if (verdict == GB_RATE_EUI)
		number = bridge->options.per_eui.per_second;
	else if (verdict == GB_RATE_UNKNOWN)
		number = bridge->options.unknown.per_second;
	else if (verdict == GB_FOREIGN_SOURCE && gateway->source.family == 4)
		number = decision_ref(gateway->source.bytes);
	gb_judge_number(bridge, verdict, eui, &from->address, number);
}

/* That a gateway came back is no refusal: recorded, not noted. */
static void record_heard(struct gb_bridge *bridge, const struct gb_gateway *gateway,
			 const struct gb_peer *from)
{
	gb_decisions_add(&bridge->decisions, bridge->now, gb_gateways_index(bridge->gateways, gateway),
			 GB_ACCEPTED, &(struct gb_said){.a = gb_address_number(&from->address)});
}

/* Returns the bytes that were sent. */
static size_t acknowledge(struct gb_bridge *bridge, const struct gb_header *header,
			  const struct gb_peer *from)
{
	uint8_t ack[GB_ACK_SIZE];
	size_t length = gb_ack_build(header, ack);
	if (length == 0)
		return 0;
	struct gb_datagram *datagram = gb_post(bridge, from);
	if (!datagram)
		return 0;
	memcpy(datagram->bytes, ack, length);
	datagram->length = length;
	return length;
}

static void take_body(struct gb_bridge *bridge, struct now now, struct gb_gateway *gateway,
		      const struct gb_header *header, const struct gb_peer *from, const uint8_t *body,
		      size_t length, bool came)
{
	switch (header->identifier) {
	case GB_PUSH_DATA:
		bridge->counters.push_data++;
		gateway->has_pushed = true;
		gateway->pushed = now.mono;
		if (came)
			gb_tell_presence(bridge, now, gateway, "push_data");
		take_push_data(bridge, now, gateway, body, length);
		break;
	case GB_PULL_DATA:
		bridge->counters.pull_data++;
		if (gateway->known)
			take_pull_data(bridge, now, gateway, from, came);
		break;
	case GB_TX_ACK:
		bridge->counters.tx_acks++;
		if (came)
			gb_tell_presence(bridge, now, gateway, "tx_ack");
		take_tx_ack(bridge, now, gateway, header, from, body, length);
		break;
	case GB_PUSH_ACK:
	case GB_PULL_RESP:
	case GB_PULL_ACK: break;
	}
}

void gb_bridge_on_datagram(struct gb_bridge *bridge, struct now now, const struct gb_peer *from,
			   const uint8_t *bytes, size_t length)
{
	struct gb_header header;
	gb_enter(bridge, now);
	bridge->counters.datagrams++;
	enum gb_verdict verdict = gb_header_parse(bytes, length, &header);
	if (verdict != GB_ACCEPTED) {
		gb_judge_number(bridge, verdict, NULL, &from->address, (int64_t)length);
		return;
	}
	struct gb_gateway *gateway = gb_gateways_find(bridge->gateways, &header.gateway);
	verdict = admit(bridge, now, gateway, &header, from);
	if (verdict != GB_ACCEPTED) {
		if (gateway && gateway->known) {
			gateway->dropped++;
			if (verdict != GB_RATE_EUI && verdict != GB_RATE_UNKNOWN)
				gb_gateways_turned_away(gateway, now.mono, gb_verdict_name(verdict));
		}
		judge_admission(bridge, verdict, gateway, &header.gateway, from);
		return;
	}
	size_t acknowledged = acknowledge(bridge, &header, from);

	if (gateway == NULL)
		gateway = gb_gateways_note(bridge->gateways, now.mono, &header.gateway);
	if (gateway == NULL) {
		gb_judge_number(bridge, GB_UNKNOWN_LIST_FULL, &header.gateway, &from->address,
				GB_UNKNOWN_MAX);
		return;
	}
	bool came = gb_gateways_heard(bridge->gateways, gateway, now.mono, from,
				      header.version == 1 ? GW_SEMTECH_UDP_V1 : GW_SEMTECH_UDP_V2);
	gb_health_in(&gateway->health, length);
	gb_health_out(&gateway->health, acknowledged);
	if (!gateway->known) {
		gb_judge(bridge, GB_UNKNOWN_GATEWAY, &header.gateway, &from->address, NULL);
		if (came)
			gb_tell_presence(bridge, now, gateway, "unknown");
		if (!bridge->options.forward_unknown)
			return;
		came = false;
	}
	if (came)
		record_heard(bridge, gateway, from);
	take_body(bridge, now, gateway, &header, from, bytes + GB_HEADER_SIZE, length - GB_HEADER_SIZE, came);
}
